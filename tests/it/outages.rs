//! When something is away: a fault is 503 with Retry-After, never a protocol answer, and nothing
//! is lost (D11, RT-12, UP-09).

use gatehouse::keys::{SigningAlgorithm, SigningKey};
use serde_json::json;

use crate::support::answer::query;
use crate::support::database::{db_execute, db_hold, postgres_to_relay};
use crate::support::relay::{Blow, Moment};
use crate::support::{Backend, HOUR, Person, Relay, SECOND, Tokens, World, on_both};

/// Makes every statement on these tables fail, as an unreachable database would, and back.
async fn db_away(world: &World) {
    for table in TABLES {
        db_execute(&world.database_url, &format!("ALTER TABLE {table} RENAME TO {table}_away"))
            .await;
    }
}

async fn db_back(world: &World) {
    for table in TABLES {
        db_execute(&world.database_url, &format!("ALTER TABLE {table}_away RENAME TO {table}"))
            .await;
    }
}

const TABLES: [&str; 3] = ["clients", "grants", "refresh_tokens"];

on_both! {
    async fn a_database_that_is_away_is_503_and_nobody_is_signed_out(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let code = client.code(&world, "bob", &[]).await;
        let stranger = world.client("not remembered yet").await;
        // What is remembered for moments must not hide the fault.
        world.advance(30 * SECOND);
        db_away(&world).await;
        let mut browser = world.browser();
        let refreshed = client.refresh(tokens.refresh_token()).await;
        let refreshed = refreshed.expect_error(503, "temporarily_unavailable");
        assert!(refreshed.header("retry-after").is_some());
        let exchanged = client.exchange(&code).await;
        // The code's own table is there; its grant cannot be written, so nothing is.
        exchanged.expect_error(503, "temporarily_unavailable");
        client.revoke(tokens.refresh_token()).await.expect_error(503, "temporarily_unavailable");
        let body = json!({"redirect_uris": ["https://e.com/cb"]});
        let registered =
            crate::support::oauth_client::post_json(&world, "/oauth/register", &body).await;
        registered.expect_error(503, "temporarily_unavailable");
        let page = browser.get(&stranger.authorize_url(&[])).await.expect(503);
        assert!(page.body.contains("Something is not working"));
        let refused = world.mcp(&tokens.access_token).ping().await.expect(503);
        assert!(refused.header("retry-after").is_some());
        db_back(&world).await;
        client.exchange(&code).await.expect(200);
        client.refresh(tokens.refresh_token()).await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(200);
    }

    async fn a_database_that_stalls_is_503_in_bounded_time_and_nothing_was_rotated(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let hold = db_hold(&world.database_url).await;
        let stalled = client.refresh(tokens.refresh_token()).await;
        stalled.expect_error(503, "temporarily_unavailable");
        hold.let_go().await;
        // Long after the grace: had the stalled request rotated, this would be reuse.
        world.advance(HOUR);
        client.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn who_was_held_up_is_nobody_that_stole_a_token(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let first = client.signed_in(&world, "alice").await;
        let second = Tokens::of(&client.refresh(first.refresh_token()).await);
        let third = Tokens::of(&client.refresh(second.refresh_token()).await);
        world.advance(HOUR);
        // What a process finds that was paused after it had read its clock.
        let hold = db_hold(&world.database_url).await;
        let late = tokio::spawn({
            let (client, old) = (client.clone(), first.refresh_token().to_owned());
            async move { client.refresh(&old).await }
        });
        hold.until_somebody_waits(&world).await;
        world.advance(2 * SECOND);
        hold.let_go().await;
        late.await.unwrap().expect_error(503, "temporarily_unavailable");
        let fourth = Tokens::of(&client.refresh(third.refresh_token()).await);
        // In time it is what it is.
        client.refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(fourth.refresh_token()).await.expect_error(400, "invalid_grant");
    }

    async fn a_provider_that_is_away_is_503_and_the_same_page_works_when_it_is_back(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        world.auth0.fail_with(503).await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        let away = client.decide(&mut browser, &page, "approve").await.expect(503);
        assert!(away.header("retry-after").is_some());
        world.auth0.behave().await;
        // For a moment everyone is told at once that it failed.
        client.decide(&mut browser, &page, "approve").await.expect(503);
        world.advance(5 * SECOND);
        let location = client.decide(&mut browser, &page, "approve").await.location();
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        assert!(query(&browser.get(&callback).await.location(), "code").is_some());
    }

    async fn a_provider_that_goes_away_in_the_middle_is_told_to_the_client(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let location = client.approve(&mut browser, &[]).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        world.auth0.fail_with(500).await;
        let end = browser.get(&callback).await.location();
        assert_eq!(query(&end, "error").as_deref(), Some("temporarily_unavailable"));
        assert_eq!(query(&end, "state").as_deref(), Some("client-state"));
    }

    async fn keys_that_cannot_be_had_are_asked_for_once_in_a_moment(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        world.auth0.hide_keys().await;
        let alice = Person::named("alice");
        for _ in 0..3 {
            let end = client.walk(&world, &mut world.browser(), &alice, &[]).await;
            assert_eq!(query(&end, "error").as_deref(), Some("temporarily_unavailable"));
        }
        assert_eq!(world.auth0.key_requests().await, 1);
        world.auth0.behave().await;
        world.advance(5 * SECOND);
        let end = client.walk(&world, &mut world.browser(), &alice, &[]).await;
        assert!(query(&end, "code").is_some(), "{end}");
    }

    async fn a_new_key_is_asked_for_although_the_old_ones_could_not_be_had_again(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
        // The provider's keys are away when ours are old; sign-ins go on with those we have.
        world.advance(2 * HOUR);
        world.auth0.hide_keys().await;
        client.signed_in(&world, "alice").await;
        // It comes back with a new key, as after a change of keys.
        let new = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        world.auth0.behave().await;
        world.auth0.publish(&new).await;
        world.advance(5 * SECOND);
        let mut browser = world.browser();
        let location = client.approve(&mut browser, &[]).await;
        let claims = world.auth0.id_token_claims(&location, &Person::named("alice"));
        let callback = world.auth0.log_in_with(&location, new.sign_jwt("JWT", &claims));
        let end = browser.get(&callback).await.location();
        assert!(query(&end, "code").is_some(), "{end}");
    }

    async fn a_provider_that_names_another_issuer_is_not_used(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for document in [
            json!({"issuer": "https://evil.example/", "authorization_endpoint": "https://e/a",
                "token_endpoint": "https://e/t", "jwks_uri": "https://e/j"}),
            json!({"issuer": world.auth0.issuer(), "authorization_endpoint": "http://e.example/a",
                "token_endpoint": "https://e/t", "jwks_uri": "https://e/j"}),
            json!({"issuer": world.auth0.issuer()}),
            json!([]),
        ] {
            world.auth0.fail_with(404).await;
            world.auth0.forget().await;
            world.auth0.mount_discovery(document).await;
            let mut browser = world.browser();
            let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
            client.decide(&mut browser, &page, "approve").await.expect(503);
            world.advance(5 * SECOND);
        }
    }

    async fn discovery_that_worked_once_serves_on_while_the_provider_is_away(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        client.approve(&mut world.browser(), &[]).await;
        world.auth0.fail_with(503).await;
        world.advance(2 * HOUR);
        client.approve(&mut world.browser(), &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_restarts_costs_no_request() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let tokens = client.signed_in(&world, "alice").await;

    relay.cut();
    let tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
    relay.cut();
    world.mcp(&tokens.access_token).ping().await.expect(200);
    relay.cut();
    client.signed_in(&world, "alice").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_is_answered_wherever_its_connection_breaks() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let mut tokens = client.signed_in(&world, "alice").await;

    let mut breaks = [0, 0];
    for message in 0..12 {
        for is_delivered in [false, true] {
            // There is a live connection, so the rotation is among the first messages.
            world.http.get(format!("{}/readyz", world.admin_url)).send().await.unwrap();
            relay.arm(Moment { message: message % 4, is_delivered }, Blow::Cut);
            let answer = client.refresh(tokens.refresh_token()).await;
            breaks[usize::from(is_delivered)] += usize::from(relay.disarm().await);
            relay.settled().await;
            // Without a grace, a second rotation for one request would be reuse.
            tokens = Tokens::of(&answer);
        }
    }
    assert!(breaks.iter().all(|breaks| *breaks >= 3), "undelivered and delivered: {breaks:?}");
}

/// A house on Postgres without a grace, and what stands between the two; `None` where a relay
/// cannot stand.
async fn behind_a_relay() -> Option<(Relay, World)> {
    let relay = Relay::to(vec![postgres_to_relay()?]).await;
    let settings = [("refresh_grace", "0s")];
    let world = World::behind(Backend::Postgres, Some(&relay), &settings).await;
    Some((relay, world))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_exchange_is_answered_wherever_its_connection_breaks() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;

    let mut breaks = 0;
    for is_delivered in [false, true] {
        for message in 0.. {
            let code = client.code(&world, "alice", &[]).await;
            relay.arm(Moment { message, is_delivered }, Blow::Cut);
            let tokens = Tokens::of(&client.exchange(&code).await);
            let has_blown = relay.disarm().await;
            relay.settled().await;
            // What was answered with is what there is.
            Tokens::of(&client.refresh(tokens.refresh_token()).await);
            if !has_blown {
                break;
            }
            breaks += 1;
        }
    }
    assert!(breaks >= 3, "the statement was broken off, before it arrived and behind it: {breaks}");
}
