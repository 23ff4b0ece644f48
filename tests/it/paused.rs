//! A replica that is stopped in the middle of its work and goes on later (a machine that is moved,
//! a process under a debugger): who waits for it is answered, and the others go on meanwhile.

use std::path::Path;

use crate::support::database::db_number;
use crate::support::{Answer, Backend, Process, Tokens, World, free_port, on_both};

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

/// How often somebody was taken for a thief.
async fn ended(world: &World) -> i64 {
    db_number(&world.database_url, "SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL").await
}

on_both! {
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
