//! A provider that is slow, away or wrong, at each place where it is asked: who signs in just then
//! is told in bounded time and can begin again, and nobody else notices.

use std::time::Duration;

use gatehouse::keys::{SigningAlgorithm, SigningKey};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use wiremock::ResponseTemplate;

use crate::support::answer::query;
use crate::support::{
    Answer, Backend, HOUR, MINUTE, OAuthClient, Person, Process, SECOND, Tokens, World,
};
use crate::support::{free_port, on_both};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/.well-known/jwks.json";
const TOKEN: &str = "/oauth/token";

/// How long somebody who signs in may wait for a provider that says nothing: the ten seconds that
/// it is given, and room for a busy machine.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

/// After this nothing is remembered of what could not be had.
const ASKED_AGAIN: Duration = Duration::from_secs(31);

/// A house that knows nothing of its provider yet, with somebody who signed in before.
async fn house(backend: Backend) -> (World, OAuthClient, Tokens) {
    let mut world = World::start(backend).await;
    let client = world.client("editor").await;
    let tokens = client.signed_in(&world, "alice").await;
    world.restart(&[]).await;
    (world, client, tokens)
}

/// What goes on while the provider does not: sessions, calls, metadata.
async fn assert_others_go_on(world: &World, client: &OAuthClient, tokens: Tokens) -> Tokens {
    let tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
    world.mcp(&tokens.access_token).ping().await.expect(200);
    let metadata = world.at("/.well-known/oauth-authorization-server");
    Answer::to(world.http.get(metadata)).await.expect(200);
    tokens
}

/// Somebody signs in with an ID token that this key signed; what the client is told. `None` when
/// there is a code.
async fn told_by(world: &World, client: &OAuthClient, key: &SigningKey) -> Option<String> {
    let mut browser = world.browser();
    let location = client.approve(&mut browser, &[]).await;
    let claims = world.auth0.id_token_claims(&location, &Person::named("bob"));
    let token = key.sign_jwt("JWT", &claims);
    let end = browser.get(&world.auth0.log_in_with(&location, token)).await.location();
    assert_eq!(query(&end, "state").as_deref(), Some("client-state"), "{end}");
    assert_eq!(query(&end, "code").is_none(), query(&end, "error").is_some(), "{end}");
    query(&end, "error")
}

async fn told(world: &World, client: &OAuthClient) -> Option<String> {
    told_by(world, client, world.auth0.key()).await
}

/// Waits until the provider was asked there once more.
async fn until_asked(world: &World, at: &str, before: usize) {
    let asked = async {
        while world.auth0.asked_at(at).await == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TOLD_WITHIN, asked).await.expect("it is asked");
}

/// Somebody waits for a provider that is silent at this place, and nobody else does. Their answer.
async fn waits_alone(world: &World, client: &OAuthClient, tokens: Tokens, at: &str) -> Answer {
    let mut browser = world.browser();
    let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
    let mut callback = None;
    if at != DISCOVERY {
        let location = client.decide(&mut browser, &page, "approve").await.location();
        callback = Some(world.auth0.log_in(&location, &Person::named("bob")));
    }
    let before = world.auth0.asked_at(at).await;
    let silent = ResponseTemplate::new(200).set_delay(HOUR);
    world.auth0.answer_at(at, silent).await;
    let client_of_bob = client.clone();
    let waiting = tokio::spawn(async move {
        match callback {
            Some(callback) => browser.get(&callback).await,
            None => client_of_bob.decide(&mut browser, &page, "approve").await,
        }
    });
    until_asked(world, at, before).await;
    assert_others_go_on(world, client, tokens).await;
    assert!(!waiting.is_finished(), "nobody waits for the provider at {at}");
    tokio::time::timeout(TOLD_WITHIN, waiting).await.expect("it is bounded").unwrap()
}

on_both! {
    async fn who_waits_for_silent_endpoints_waits_alone_and_not_for_long(backend: Backend) {
        let (world, client, tokens) = house(backend).await;
        let page = waits_alone(&world, &client, tokens, DISCOVERY).await.expect(503);
        assert!(page.header("retry-after").is_some());
        for words in ["Reference: ", "Reload this page in a moment."] {
            assert!(page.body.contains(words), "{}", page.body);
        }
        world.auth0.behave().await;
        world.advance(ASKED_AGAIN);
        assert_eq!(told(&world, &client).await, None);
    }

    async fn who_waits_for_silent_keys_waits_alone_and_not_for_long(backend: Backend) {
        let (world, client, tokens) = house(backend).await;
        let end = waits_alone(&world, &client, tokens, KEYS).await.location();
        assert_eq!(query(&end, "error").as_deref(), Some("temporarily_unavailable"), "{end}");
        world.auth0.behave().await;
        world.advance(ASKED_AGAIN);
        assert_eq!(told(&world, &client).await, None);
    }

    async fn who_waits_for_a_silent_token_endpoint_waits_alone_and_not_for_long(
        backend: Backend
    ) {
        let (world, client, tokens) = house(backend).await;
        let end = waits_alone(&world, &client, tokens, TOKEN).await.location();
        assert_eq!(query(&end, "error").as_deref(), Some("temporarily_unavailable"), "{end}");
        world.auth0.behave().await;
        assert_eq!(told(&world, &client).await, None);
    }

    async fn what_is_no_answer_may_be_asked_again_and_a_wrong_one_is_not_believed(
        backend: Backend
    ) {
        let (world, client, mut tokens) = house(backend).await;
        let away = Some("temporarily_unavailable");
        let status = ResponseTemplate::new;
        let json = |body: Value| ResponseTemplate::new(200).set_body_json(body);
        let html = || ResponseTemplate::new(200).set_body_raw("<html>Down</html>", "text/html");
        let huge = || ResponseTemplate::new(200).set_body_string("[".repeat(600 * 1024));
        for (at, answer, expected) in [
            (TOKEN, status(503), away),
            (TOKEN, status(429).insert_header("retry-after", "3600"), away),
            (TOKEN, status(302).insert_header("location", "https://e.example/"), away),
            (TOKEN, html(), away),
            (TOKEN, huge(), away),
            (TOKEN, json(json!({"access_token": "a"})), Some("server_error")),
            (TOKEN, json(json!({"id_token": "a.b.c"})), Some("server_error")),
            (TOKEN, json(json!({"error": "invalid_grant"})), Some("server_error")),
            (KEYS, status(500), away),
            (KEYS, status(429).insert_header("retry-after", "3600"), away),
            (KEYS, html(), away),
            (KEYS, huge(), away),
            (KEYS, json(json!({"error": "try later"})), away),
            (KEYS, json(json!({"keys": []})), Some("server_error")),
            (KEYS, json(json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})), Some("server_error")),
        ] {
            world.auth0.behave().await;
            world.auth0.answer_at(at, answer.clone()).await;
            assert_eq!(told(&world, &client).await.as_deref(), expected, "{at}: {answer:?}");
            world.advance(ASKED_AGAIN);
        }
        tokens = assert_others_go_on(&world, &client, tokens).await;
        world.auth0.behave().await;
        assert_eq!(told(&world, &client).await, None);
        assert_others_go_on(&world, &client, tokens).await;
    }

    async fn an_answer_without_an_end_is_cut_and_a_place_where_nobody_is_is_away(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let (endless, nobody) = (endless().await, format!("http://127.0.0.1:{}", free_port()));
        for (member, address) in [
            ("jwks_uri", &endless), ("jwks_uri", &nobody),
            ("token_endpoint", &endless), ("token_endpoint", &nobody),
        ] {
            let issuer = world.auth0.issuer();
            let mut document = json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}authorize"),
                "token_endpoint": format!("{issuer}oauth/token"),
                "jwks_uri": format!("{issuer}.well-known/jwks.json"),
            });
            document[member] = json!(format!("{address}/"));
            let document = ResponseTemplate::new(200).set_body_json(document);
            world.auth0.behave().await;
            world.auth0.answer_at(DISCOVERY, document).await;
            // What was found before is known for an hour.
            world.advance(HOUR);
            let told = told(&world, &client).await;
            assert_eq!(told.as_deref(), Some("temporarily_unavailable"), "{member}: {address}");
        }
    }

    async fn a_set_of_keys_need_not_be_tidy(backend: Backend) {
        let (world, client, _) = house(backend).await;
        let foreign = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        let mut namesake = json!(foreign.public_jwk());
        let mut real = json!(world.auth0.key().public_jwk());
        namesake["kid"] = real["kid"].clone();
        // A private part that was published by mistake is not ours to use or to mind.
        real["d"] = json!("AQAB");
        let keys = json!({"keys": [{}, "key", {"kty": "oct", "k": "AQ"}, namesake, real]});
        let keys = ResponseTemplate::new(200).set_body_json(keys);
        world.auth0.answer_at(KEYS, keys).await;
        assert_eq!(told(&world, &client).await, None);
    }

    async fn a_new_key_signs_at_once_an_old_one_no_more_and_a_bad_set_costs_none(
        backend: Backend
    ) {
        let (world, client, tokens) = house(backend).await;
        assert_eq!(told(&world, &client).await, None);
        world.advance(ASKED_AGAIN);
        let new = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        world.auth0.publish(&new).await;
        assert_eq!(told_by(&world, &client, &new).await, None);
        let of_old = told_by(&world, &client, world.auth0.key()).await;
        assert_eq!(of_old.as_deref(), Some("server_error"));
        assert_eq!(world.auth0.key_requests().await, 3, "alice's, bob's and the new one");
        // Something else stands there when the keys are looked at again; those we have serve on.
        world.advance(2 * HOUR);
        let sorry = ResponseTemplate::new(200).set_body_json(json!({"error": "try later"}));
        world.auth0.behave().await;
        world.auth0.answer_at(KEYS, sorry).await;
        assert_eq!(told_by(&world, &client, &new).await, None);
        let tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        assert_others_go_on(&world, &client, tokens).await;
    }

    async fn a_provider_whose_clock_is_a_minute_off_is_believed(backend: Backend) {
        let (world, client, _) = house(backend).await;
        world.auth0.advance(MINUTE);
        assert_eq!(told(&world, &client).await, None, "it is a minute ahead");
        world.auth0.advance(SECOND);
        let ahead = told(&world, &client).await;
        assert_eq!(ahead.as_deref(), Some("server_error"), "more than a minute");
        world.clock.advance(2 * MINUTE);
        assert_eq!(told(&world, &client).await, None, "it is behind, by less than a token lives");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_that_a_clock_is_wrong() {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&world, folder.path(), "clocks", &[]).await;
    world.url.clone_from(&process.url);
    world.local.clone_from(&process.url);
    world.auth0.in_real_time();
    world.auth0.advance(HOUR);
    let client = world.client("editor").await;
    assert_eq!(told(&world, &client).await.as_deref(), Some("server_error"));
    let written = process.written();
    assert!(written.contains("the ID token is not believed: IssuedInFuture"), "{written}");
}

/// Where an answer begins, whatever is asked, and never ends.
async fn endless() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
                let mut sent = stream.write_all(head.as_bytes()).await;
                while sent.is_ok() {
                    sent = stream.write_all(&[b'['; 16 * 1024]).await;
                }
            });
        }
    });
    format!("http://{address}")
}
