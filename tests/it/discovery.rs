//! Discovery of the authorization server: PRM, AM, JW, CO of the requirements.

use serde_json::{Value, json};

use crate::support::metrics::Scrape;
use crate::support::oauth_client::post_json;
use crate::support::{Answer, Backend, World, on_both};

async fn get(world: &World, path: &str) -> Answer {
    Answer::of(world.http.get(world.at(path)).send().await.unwrap()).await
}

const DOCUMENTS: [&str; 5] = [
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/.well-known/mcp/server-card.json",
];

fn has_null_or_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty() || items.iter().any(has_null_or_empty),
        Value::Object(members) => members.values().any(has_null_or_empty),
        _ => false,
    }
}

on_both! {
    async fn the_protected_resource_is_described_at_both_places(backend: Backend) {
        let world = World::start(backend).await;
        let path_form = get(&world, "/.well-known/oauth-protected-resource/mcp").await.expect(200);
        let root_form = get(&world, "/.well-known/oauth-protected-resource").await.expect(200);
        assert_eq!(path_form.json(), root_form.json());
        assert_eq!(path_form.json(), json!({
            "resource": world.at("/mcp"),
            "authorization_servers": [world.url],
            "scopes_supported": ["docs:read"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Example documentation",
        }));
    }

    async fn the_authorization_server_says_what_it_does_and_nothing_else(backend: Backend) {
        let world = World::start(backend).await;
        let document = get(&world, "/.well-known/oauth-authorization-server").await.json();
        assert_eq!(document, json!({
            "issuer": world.url,
            "authorization_endpoint": world.at("/oauth/authorize"),
            "token_endpoint": world.at("/oauth/token"),
            "registration_endpoint": world.at("/oauth/register"),
            "revocation_endpoint": world.at("/oauth/revoke"),
            "jwks_uri": world.at("/.well-known/jwks.json"),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["docs:read", "docs:feedback", "openid", "email", "profile"],
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": true,
        }));
    }

    async fn documents_are_cacheable_json_without_nulls_or_redirects(backend: Backend) {
        let world = World::start(backend).await;
        for path in DOCUMENTS {
            let answer = get(&world, path).await.expect(200);
            assert!(answer.header("content-type").unwrap().starts_with("application/json"));
            assert!(answer.header("cache-control").unwrap().starts_with("public, max-age="));
            assert!(!has_null_or_empty(&answer.json()), "{path}: {}", answer.body);
            let head = world.http.head(world.at(path)).send().await.unwrap();
            assert_eq!(head.status(), 200, "HEAD {path}");
        }
    }

    async fn addresses_never_follow_what_a_request_says_of_itself(backend: Backend) {
        let world = World::start(backend).await;
        for path in DOCUMENTS {
            let plain = get(&world, path).await;
            let request = world.http.get(world.at(path))
                .header("x-forwarded-host", "evil.example")
                .header("x-forwarded-proto", "https")
                .header("forwarded", "host=evil.example")
                .header("host", "evil.example")
                .header("accept", "text/html")
                .header("mcp-protocol-version", "banana");
            let hostile = Answer::of(request.send().await.unwrap()).await.expect(200);
            assert_eq!(plain.body, hostile.body, "{path}");
        }
    }

    async fn what_does_not_exist_is_a_json_404(backend: Backend) {
        let world = World::start(backend).await;
        for path in [
            "/.well-known/oauth-protected-resource/other",
            "/.well-known/openid-configuration",
            "/.well-known/foo",
            "/sse",
            "/oauth",
            "/oauth/token/",
        ] {
            let answer = get(&world, path).await.expect(404);
            assert_eq!(answer.json(), json!({"error": "not_found"}), "{path}");
        }
        let answer = get(&world, "/oauth/token").await.expect(405);
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"));
    }

    async fn a_document_is_the_same_and_counts_as_much_when_it_is_read_again(backend: Backend) {
        let world = World::start(backend).await;
        for path in DOCUMENTS {
            let [first, again] = [get(&world, path).await, get(&world, path).await];
            assert_eq!(again.body, first.body, "{path}");
            let headers = |answer: &Answer| {
                let mut headers = answer.headers.clone();
                for of_this_one in ["x-request-id", "date"] {
                    assert!(headers.remove(of_this_one).is_some(), "{path}: {of_this_one}");
                }
                headers
            };
            assert_eq!(headers(&again), headers(&first), "{path}");
            assert_ne!(again.header("x-request-id"), first.header("x-request-id"), "{path}");
            let head = world.http.head(world.at(path));
            assert_eq!(Answer::to(head).await.expect(200).body, "", "{path}");
        }
        let metrics = Scrape::of(&world).await;
        for (step, reads) in [("protected_resource", 6.0), ("authorization_server", 3.0)] {
            let steps = metrics.value(&format!("gatehouse_sign_in_steps_total{{step=\"{step}\"}}"));
            assert!((steps - reads).abs() < 0.5, "{step}: {steps}");
        }
    }

    async fn published_keys_have_no_private_part(backend: Backend) {
        let world = World::with(backend, &[("signing_alg", "RS256")]).await;
        let keys = get(&world, "/.well-known/jwks.json").await.json();
        let key = keys["keys"][0].as_object().unwrap();
        let names: Vec<_> = key.keys().map(String::as_str).collect();
        assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
        assert_eq!(key["use"], "sig");
    }

    async fn a_key_survives_a_restart_and_a_change_of_algorithm_keeps_the_old_one(
        backend: Backend
    ) {
        let mut world = World::start(backend).await;
        let before = get(&world, "/.well-known/jwks.json").await.json();
        world.restart(&[]).await;
        assert_eq!(get(&world, "/.well-known/jwks.json").await.json(), before);
        world.restart(&[("signing_alg", "EdDSA")]).await;
        let after = get(&world, "/.well-known/jwks.json").await.json();
        assert_eq!(after["keys"][0]["alg"], "EdDSA");
        assert_eq!(after["keys"][1], before["keys"][0]);
    }

    async fn registration_is_advertised_only_when_it_works(backend: Backend) {
        let world = World::with(backend, &[("dcr", "false")]).await;
        let document = get(&world, "/.well-known/oauth-authorization-server").await.json();
        assert_eq!(document.get("registration_endpoint"), None);
        let body = json!({"redirect_uris": ["https://e.com/cb"]});
        let answer = post_json(&world, "/oauth/register", &body).await;
        answer.expect_error(403, "invalid_client_metadata");
    }

    async fn without_a_provider_sign_in_is_503_and_discovery_stays_up(backend: Backend) {
        let unset = [("upstream_issuer", "unset"), ("upstream_client_id", "unset")];
        let world = World::with(backend, &unset).await;
        for path in DOCUMENTS {
            get(&world, path).await.expect(200);
        }
        let client = world.client("editor").await;
        let answer = world.browser().get(&client.authorize_url(&[])).await.expect(503);
        assert!(answer.header("retry-after").is_some());
        assert!(answer.body.contains("Sign-in is not set up"));
        world.browser().get(&world.at("/mcp/callback?state=x&code=y")).await.expect(503);
        world.browser().post(&world.at("/oauth/consent"), &[]).await.expect(503);
    }

    async fn pages_of_any_origin_may_discover_but_not_authorize(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let with_origin = |url: String| world.http.get(url).header("origin", "https://app.example");
        for path in DOCUMENTS {
            let answer = Answer::of(with_origin(world.at(path)).send().await.unwrap()).await;
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
        let page = with_origin(client.authorize_url(&[])).send().await.unwrap();
        assert_eq!(Answer::of(page).await.header("access-control-allow-origin"), None);
        for (path, status, allowed) in [
            ("/oauth/token", 204, Some("*")),
            ("/oauth/register", 204, Some("*")),
            ("/.well-known/oauth-authorization-server", 204, Some("*")),
            ("/oauth/authorize", 405, None),
            ("/oauth/consent", 405, None),
        ] {
            let request = world.http.request(reqwest::Method::OPTIONS, world.at(path))
                .header("origin", "https://app.example")
                .header("access-control-request-method", "POST");
            let answer = Answer::of(request.send().await.unwrap()).await.expect(status);
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{path}");
        }
    }
}
