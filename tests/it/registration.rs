//! Dynamic Client Registration: DC of the requirements.

use gatehouse::clock::Clock as _;
use gatehouse::store::{Store, sweep};
use serde_json::{Value, json};

use crate::closed_clients::vs_code;
use crate::support::database::db_number;
use crate::support::oauth_client::post_json;
use crate::support::{Answer, Backend, HOUR, OAuthClient, World, on_both};

async fn register(world: &World, body: Value) -> Answer {
    post_json(world, "/oauth/register", &body).await
}

fn names(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

on_both! {
    async fn a_registration_is_answered_with_all_that_stands_and_no_secret(backend: Backend) {
        let world = World::start(backend).await;
        let answer = register(&world, json!({
            "client_name": "Editor", "redirect_uris": ["http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "scope": "docs:read claudeai",
            "application_type": "native", "client_uri": "https://editor.example/",
            "software_statement": "junk", "jwks": {"keys": []}, "contacts": ["a@b.c"],
        })).await.expect(201);
        assert!(answer.header("content-type").unwrap().starts_with("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let mut json = answer.json();
        let issued_at = json["client_id_issued_at"].take();
        assert!(issued_at.is_i64(), "{issued_at}");
        let client_id = json["client_id"].take();
        assert!(client_id.as_str().unwrap().len() >= 30);
        assert!(!client_id.as_str().unwrap().starts_with("https://"));
        assert_eq!(json, json!({
            "client_id": null, "client_id_issued_at": null,
            "client_name": "Editor", "redirect_uris": ["http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "scope": "docs:read",
            "application_type": "native", "client_uri": "https://editor.example/",
        }));
    }

    async fn what_real_clients_send_is_accepted(backend: Backend) {
        let world = World::start(backend).await;
        let answer = register(&world, vs_code()).await.expect(201).json();
        assert_eq!(answer["redirect_uris"].as_array().unwrap().len(), 4);
        assert_eq!(answer["grant_types"], json!(["authorization_code", "refresh_token"]));

        let cursor = json!({
            "client_name": "Cursor", "redirect_uris": [
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "http://localhost:8787/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback"],
        });
        let answer = register(&world, cursor).await.expect(201).json();
        assert_eq!(answer["redirect_uris"].as_array().unwrap().len(), 3);

        let inspector = json!({
            "client_name": "Inspector", "redirect_uris": ["http://localhost:6274/oauth/callback"],
            "scope": "", "token_endpoint_auth_method": "none",
        });
        let answer = register(&world, inspector).await.expect(201).json();
        assert!(!names(&answer).contains(&"scope".to_owned()));

        let python = json!({
            "client_name": "python", "redirect_uris": ["http://localhost:3000/"],
            "grant_types": ["authorization_code", "refresh_token"], "application_type": "native",
        });
        let answer = register(&world, python).await.expect(201).json();
        assert_eq!(answer["token_endpoint_auth_method"], "none");
        assert!(!names(&answer).contains(&"client_secret".to_owned()));
    }

    async fn one_bad_redirect_uri_does_not_cost_the_others(backend: Backend) {
        let world = World::start(backend).await;
        let body = json!({"redirect_uris": ["foo://x", "javascript:alert(1)", "https://e.com/cb"]});
        let answer = register(&world, body).await.expect(201).json();
        assert_eq!(answer["redirect_uris"], json!(["https://e.com/cb"]));
        let body = json!({"redirect_uris": ["foo://x", "http://e.com/cb"]});
        register(&world, body).await.expect_error(400, "invalid_redirect_uri");
        register(&world, json!({})).await.expect_error(400, "invalid_redirect_uri");
    }

    async fn bad_metadata_is_refused_in_the_words_of_rfc_7591(backend: Backend) {
        let world = World::start(backend).await;
        let good = json!(["https://e.com/cb"]);
        for body in [
            json!({"redirect_uris": good, "response_types": ["token"]}),
            json!({"redirect_uris": good, "grant_types": ["client_credentials"]}),
            json!({"redirect_uris": good, "client_name": 7}),
            json!({"redirect_uris": "https://e.com/cb"}),
            json!([]),
            json!("x"),
        ] {
            register(&world, body).await.expect_error(400, "invalid_client_metadata");
        }
    }

    async fn registrations_survive_a_restart(backend: Backend) {
        let mut world = World::start(backend).await;
        let client = world.client("editor").await;
        world.restart(&[]).await;
        assert!(client.signed_in(&world, "alice").await.refresh_token.is_some());
    }

    async fn registrations_are_limited_per_address_and_the_window_passes(backend: Backend) {
        let world = World::with(backend, &[("limit_register", "2/1h")]).await;
        let named = |name: &str| {
            json!({"client_name": name, "redirect_uris": ["https://e.com/cb"]})
        };
        register(&world, named("a")).await.expect(201);
        for _ in 0..10 {
            register(&world, named("a")).await.expect(201);
        }
        register(&world, named("b")).await.expect(201);
        let refused = register(&world, named("c")).await;
        let refused = refused.expect_error(429, "temporarily_unavailable");
        assert_eq!(refused.header("retry-after"), Some("3600"));
        // What is known costs nothing.
        register(&world, named("a")).await.expect(201);
        world.advance(HOUR);
        register(&world, named("c")).await.expect(201);
    }

    async fn two_registrations_within_a_second_pass(backend: Backend) {
        let world = World::start(backend).await;
        let body = |name: &str| json!({"client_name": name, "redirect_uris": ["https://e.com/cb"]});
        // A hosted client registers twice in one attempt; the clock stands still.
        for bodies in [["hosted", "hosted"], ["one", "another"]] {
            let [first, second] = bodies.map(|name| register(&world, body(name)));
            let (first, second) = tokio::join!(first, second);
            let ids = [first, second].map(|answer| answer.expect(201).json()["client_id"].take());
            assert_eq!(ids[0] == ids[1], bodies[0] == bodies[1], "{ids:?}");
        }
    }

    async fn identical_software_is_one_client_and_each_copy_keeps_its_port(backend: Backend) {
        let world = World::start(backend).await;
        let replica = world.replica(&[]).await;
        let body = |port: u16, name: &str| json!({
            "client_name": name, "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["https://e.com/cb", format!("http://127.0.0.1:{port}/callback")],
        });
        let at = |address: &str, port, name| {
            let request = world.http.post(format!("{address}/oauth/register"));
            Answer::to(request.json(&body(port, name)))
        };
        // Two replicas that have seen none of it, at once.
        let (first, second) =
            tokio::join!(at(&world.local, 5000, "Editor"), at(&replica, 6000, "Editor"));
        let (first, second) = (first.expect(201).json(), second.expect(201).json());
        assert_eq!(first["client_id"], second["client_id"]);
        assert_eq!(first["client_id_issued_at"], second["client_id_issued_at"]);
        assert_eq!(second["redirect_uris"][1], "http://127.0.0.1:6000/callback");
        let other = at(&world.local, 5000, "Terminal").await.expect(201).json();
        assert_ne!(first["client_id"], other["client_id"]);
        let clients = "SELECT count(*) FROM clients";
        assert_eq!(db_number(&world.database_url, clients).await, 2);

        let client = world.client("unused").await;
        let client_id = second["client_id"].as_str().unwrap().to_owned();
        for port in [5000, 6000] {
            let redirect_uri = format!("http://127.0.0.1:{port}/callback");
            let client_id = client_id.clone();
            let client = OAuthClient { client_id, redirect_uri, ..client.clone() };
            client.signed_in(&world, "alice").await;
        }
    }

    async fn who_registers_again_is_not_cleaned_up(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let store = Store::connect(&world.database_url).await.unwrap();
        world.advance(sweep::CLIENT_UNUSED_KEPT - HOUR);
        assert_eq!(world.client("editor").await.client_id, client.client_id);
        world.advance(2 * HOUR);
        sweep::pass(&store, HOUR, world.clock.now()).await.unwrap();
        client.signed_in(&world, "alice").await;
    }

    async fn a_client_without_the_refresh_grant_gets_none_unless_it_asks_to_stay(backend: Backend) {
        let world = World::start(backend).await;
        let body = json!({"redirect_uris": ["http://127.0.0.1/callback"]});
        let json = register(&world, body).await.expect(201).json();
        assert_eq!(json["grant_types"], json!(["authorization_code"]));
        let client_id = json["client_id"].as_str().unwrap().to_owned();
        let client = OAuthClient { client_id, ..world.client("other").await };
        let tokens = client.signed_in(&world, "alice").await;
        assert_eq!(tokens.refresh_token, None);
        client.refresh("ghr_x").await.expect_error(400, "unauthorized_client");
        let scope = [("scope", "docs:read offline_access")];
        let tokens = client.signed_in_with(&world, "alice", &scope).await;
        assert!(tokens.refresh_token.is_some());
        assert_eq!(tokens.scope, "docs:read offline_access");
    }

    async fn the_legacy_path_is_the_same_endpoint(backend: Backend) {
        let world = World::start(backend).await;
        let body = json!({"redirect_uris": ["https://e.com/cb"]});
        post_json(&world, "/register", &body).await.expect(201);
        let without = World::with(backend, &[("legacy_paths", "false")]).await;
        post_json(&without, "/register", &body).await.expect(404);
    }
}
