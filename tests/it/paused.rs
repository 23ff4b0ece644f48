//! A replica that is stopped in the middle of its work and goes on later (a machine that is moved,
//! a process under a debugger): what it believed is not acted upon, and nobody pays for its
//! absence.

use std::path::Path;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::database::db_number;
use crate::support::{Answer, Backend, OAuthClient, Process, Tokens, World, free_port, on_both};

/// Two replicas, of which the first has the public address.
async fn two(world: &mut World, folder: &Path) -> [Process; 2] {
    let address = format!("127.0.0.1:{}", free_port());
    let url = format!("http://{address}");
    let settings = [("PUBLIC_URL", url.as_str()), ("LIMIT_TOKEN", "10000/1m")];
    let first = Process::start_at(&address, world, folder, "p0", &settings).await;
    let second = Process::start(world, folder, "p1", &settings).await;
    world.url.clone_from(&url);
    world.local = url;
    world.auth0.in_real_time();
    world.keep_no_connections();
    [first, second]
}

/// Asks for tokens and is gone before there is an answer.
async fn ask_and_go(client: &OAuthClient, fields: &[(&str, &str)]) {
    let url = reqwest::Url::parse(&client.url).unwrap();
    let host = format!("127.0.0.1:{}", url.port().unwrap());
    let form = form_urlencoded(fields);
    let request = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: {host}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
}

fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://e.example/").unwrap();
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap().to_owned()
}

/// How often somebody was taken for a thief.
async fn ended(world: &World) -> i64 {
    db_number(&world.database_url, "SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL").await
}

on_both! {
    async fn a_replica_that_wakes_takes_nobody_for_a_thief_who_went_elsewhere(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = two(&mut world, folder.path()).await;
        let client = world.client("editor").await;
        let elsewhere = client.at(&second.url);
        let alice = client.signed_in(&world, "alice").await;
        let code = client.code(&world, "bob", &[]).await;

        first.pause();
        // Both ask the replica that does not answer, lose patience, and ask the other.
        let refresh = [
            ("grant_type", "refresh_token"),
            ("client_id", client.client_id.as_str()),
            ("refresh_token", alice.refresh_token()),
        ];
        ask_and_go(&client, &refresh).await;
        let exchange = [
            ("grant_type", "authorization_code"),
            ("client_id", client.client_id.as_str()),
            ("code", code.as_str()),
            ("code_verifier", crate::support::oauth_client::VERIFIER),
            ("redirect_uri", client.redirect_uri.as_str()),
        ];
        ask_and_go(&client, &exchange).await;
        let mut alice = Tokens::of(&elsewhere.refresh(alice.refresh_token()).await);
        let mut bob = Tokens::of(&elsewhere.exchange(&code).await);
        for _ in 0..2 {
            alice = Tokens::of(&elsewhere.refresh(alice.refresh_token()).await);
            bob = Tokens::of(&elsewhere.refresh(bob.refresh_token()).await);
        }

        first.go_on();
        first.until_written(&world, 2, "\"status\":499").await;
        alice = Tokens::of(&client.refresh(alice.refresh_token()).await);
        bob = Tokens::of(&client.refresh(bob.refresh_token()).await);
        assert_eq!(ended(&world).await, 0);
        for tokens in [&alice, &bob] {
            world.mcp(&tokens.access_token).ping().await.expect(200);
            Tokens::of(&elsewhere.refresh(tokens.refresh_token()).await);
        }
    }

    async fn whoever_waits_for_a_paused_replica_is_answered_when_it_wakes(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = two(&mut world, folder.path()).await;
        let client = world.client("editor").await;
        let patient = client.signed_in(&world, "alice").await;
        let busy = client.signed_in(&world, "bob").await;

        first.pause();
        let waiting = tokio::spawn({
            let (client, old) = (client.clone(), patient.refresh_token().to_owned());
            async move { client.refresh(&old).await }
        });
        // The other replica goes on with everything meanwhile.
        let elsewhere = client.at(&second.url);
        let mut busy = busy;
        for _ in 0..5 {
            busy = Tokens::of(&elsewhere.refresh(busy.refresh_token()).await);
            world.mcp(&busy.access_token).at(&second.url).ping().await.expect(200);
        }
        let ready = Answer::to(world.http.get(format!("{}/readyz", second.admin_url))).await;
        ready.expect(200);
        first.go_on();
        let patient = Tokens::of(&waiting.await.unwrap());
        Tokens::of(&elsewhere.refresh(patient.refresh_token()).await);
        Tokens::of(&client.refresh(busy.refresh_token()).await);
        assert_eq!(ended(&world).await, 0);
    }
}
