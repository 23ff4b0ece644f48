//! Whether a replica should be sent requests, and why not.

use serde_json::Value;

use crate::support::database::{db_execute, postgres_to_relay};
use crate::support::metrics::Scrape;
use crate::support::{Answer, Backend, HOUR, Relay, SECOND, World, on_both};

/// What `/readyz` says, which must come with this status.
async fn readyz(world: &World, status: u16) -> Value {
    Answer::to(world.http.get(world.admin_at("/readyz"))).await.expect(status).json()
}

/// The parts that are not well.
fn failing(readiness: &Value) -> Vec<(&str, &str)> {
    let needs = readiness["needs"].as_array().expect("parts");
    let failing = needs.iter().filter(|need| need["ready"] == false);
    failing.map(|need| (text(&need["name"]), text(&need["reason"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

on_both! {
    async fn readiness_names_each_part(backend: Backend) {
        let world = World::start(backend).await;
        let readiness = readyz(&world, 200).await;
        assert_eq!(readiness["ready"], true);
        assert_eq!(readiness["state"], "ready");
        assert!(failing(&readiness).is_empty(), "{readiness}");
        let needs = readiness["needs"].as_array().unwrap();
        let parts = needs.iter().map(|need| (text(&need["name"]), &need["decides"]));
        let parts: Vec<_> = parts.collect();
        let decides = Value::Bool(true);
        assert_eq!(parts, [
            ("database", &decides),
            ("migrations", &decides),
            ("signing_keys", &decides),
            ("index", &decides),
            ("identity_provider", &Value::Bool(false)),
        ]);
        assert!(needs.iter().all(|need| !text(&need["reason"]).is_empty()), "{readiness}");
        // Never on the public listener.
        for path in ["/readyz", "/healthz", "/metrics"] {
            Answer::to(world.http.get(world.at(path))).await.expect(404);
        }
    }

    async fn a_migration_that_is_not_applied_makes_a_replica_unready(backend: Backend) {
        let world = World::start(backend).await;
        let newest = "DELETE FROM seaql_migrations
             WHERE version = (SELECT max(version) FROM seaql_migrations)";
        db_execute(&world.database_url, newest).await;
        let readiness = readyz(&world, 503).await;
        assert_eq!(readiness["state"], "unready");
        assert_eq!(failing(&readiness), [("migrations", "1 to apply; run `gatehouse migrate up`")]);
        // What a newer version applied beside ours is none of this one's business.
        let newer = "INSERT INTO seaql_migrations (version, applied_at)
             VALUES ('m99991231_000001_later', 1)";
        db_execute(&world.database_url, newer).await;
        assert_eq!(failing(&readyz(&world, 503).await).len(), 1);
    }

    async fn without_a_key_to_sign_with_a_replica_is_unready(backend: Backend) {
        let mut world = World::start(backend).await;
        db_execute(&world.database_url, "DELETE FROM signing_keys").await;
        let readiness = readyz(&world, 503).await;
        assert_eq!(failing(&readiness), [("signing_keys", "there is none to sign with")]);
        db_execute(&world.database_url, "ALTER TABLE signing_keys RENAME TO gone").await;
        let readiness = readyz(&world, 503).await;
        assert_eq!(failing(&readiness), [("signing_keys", "they cannot be read")]);
        db_execute(&world.database_url, "ALTER TABLE gone RENAME TO signing_keys").await;
        // A key of the settings needs no stored one.
        let key = gatehouse::keys::SigningKey::generate(gatehouse::keys::SigningAlgorithm::Es256);
        let pem = key.unwrap().private_pem().to_owned();
        world.restart(&[("signing_key", &pem)]).await;
        db_execute(&world.database_url, "DELETE FROM signing_keys").await;
        assert_eq!(readyz(&world, 200).await["state"], "ready");
    }

    async fn a_provider_that_is_away_degrades_and_takes_nobody_out(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        world.auth0.fail_with(503).await;
        world.advance(2 * HOUR);
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        // The endpoints that were found before serve on, and still it is known.
        client.decide(&mut browser, &page, "approve").await.location();
        let readiness = readyz(&world, 200).await;
        assert_eq!(readiness["ready"], true);
        assert_eq!(readiness["state"], "degraded");
        let reason = "it did not answer when it was last asked";
        assert_eq!(failing(&readiness), [("identity_provider", reason)]);
        let well = "gatehouse_part_ready{part=\"identity_provider\"}";
        Scrape::of(&world).await.expect(well, 0);
        let tokens = client.refresh(tokens.refresh_token()).await.expect(200).json();
        world.mcp(text(&tokens["access_token"])).ping().await.expect(200);
        world.auth0.behave().await;
        world.advance(5 * SECOND);
        client.approve(&mut world.browser(), &[]).await;
        assert_eq!(readyz(&world, 200).await["state"], "ready");
        Scrape::of(&world).await.expect(well, 1);
    }

    async fn nobody_can_sign_in_without_a_provider_and_the_rest_goes_on(backend: Backend) {
        let settings = [("upstream_issuer", "unset"), ("upstream_client_id", "unset")];
        let world = World::with(backend, &settings).await;
        let readiness = readyz(&world, 200).await;
        assert_eq!(readiness["state"], "degraded");
        let reason = "none is configured: nobody can sign in";
        assert_eq!(failing(&readiness), [("identity_provider", reason)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_makes_a_replica_unready_and_is_not_named() {
    let Some(server) = postgres_to_relay() else { return };
    let relay = Relay::to(vec![server]).await;
    let world = World::behind(Backend::Postgres, Some(&relay), &[]).await;
    readyz(&world, 200).await;
    relay.refuse();
    let readiness = readyz(&world, 503).await;
    let unknown = "the database does not say";
    let away = failing(&readiness);
    assert!(away[0].0 == "database" && away[0].1.starts_with("it does not answer"), "{away:?}");
    assert_eq!(away[1..], [("migrations", unknown), ("signing_keys", unknown)]);
    let told = readiness.to_string();
    for private in ["postgres", "127.0.0.1", "refused", &relay.address().to_string()] {
        assert!(!told.contains(private), "{told}");
    }
    // What was counted can be read all the same.
    let counted = Scrape::of(&world).await;
    counted.expect("gatehouse_part_ready{part=\"database\"}", 0);
    counted.expect("gatehouse_part_ready{part=\"index\"}", 1);
    relay.disarm().await;
    readyz(&world, 200).await;
}
