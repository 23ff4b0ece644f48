//! The authorization endpoint: AZ, RU, RI, SC, IS of the requirements.

use crate::support::answer::query;
use crate::support::browser::{form, link};
use crate::support::database::db_number;
use crate::support::{Backend, Browser, MINUTE, OAuthClient, Person, World, on_both};

/// One browser that was asked twice, with the states 1 and 2, and the pages.
async fn two_tabs(world: &World, client: &OAuthClient) -> (Browser, [String; 2]) {
    let mut browser = world.browser();
    let first = browser.get(&client.authorize_url(&[("state", "1")])).await.expect(200).body;
    let second = browser.get(&client.authorize_url(&[("state", "2")])).await.expect(200).body;
    (browser, [first, second])
}

on_both! {
    async fn a_sign_in_ends_at_the_client_with_code_state_and_issuer(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let state = "a%2b +ü\u{1f600}&=?#".repeat(200);
        let mut browser = world.browser();
        let end = client
            .walk(&world, &mut browser, &Person::named("alice"), &[("state", &state)])
            .await;
        assert!(end.starts_with("http://127.0.0.1:49152/callback?code=ghc_"), "{end}");
        assert_eq!(query(&end, "state").as_deref(), Some(state.as_str()));
        assert_eq!(query(&end, "iss").as_deref(), Some(world.url.as_str()));
    }

    async fn a_request_that_names_no_trusted_redirect_stays_on_a_page(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for changes in [
            &[("client_id", "")][..],
            &[("client_id", "<script>alert(1)</script>")],
            &[("redirect_uri", "http://127.0.0.1:49152/other")],
            &[("redirect_uri", "http://localhost:49152/callback")],
            &[("redirect_uri", "https://evil.example/callback")],
            &[("redirect_uri", "http://127.0.0.1:49152/callback"), ("redirect_uri", "x")],
            &[("resource", "a"), ("resource", "b")],
        ] {
            let answer = world.browser().get(&client.authorize_url(changes)).await.expect(400);
            assert_eq!(answer.header("location"), None, "{changes:?}");
            assert!(!answer.body.contains("evil") && !answer.body.contains("<script>"));
            assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        }
        let url = client.authorize_url(&[("client_id", "unknown")]);
        let page = world.browser().get(&url).await.expect(400).body;
        assert!(page.contains("Remove this server in your client and add it again"));
    }

    async fn other_mistakes_are_told_to_the_client_by_a_link_and_never_by_themselves(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for (changes, error) in [
            (&[("response_type", "token")][..], "unsupported_response_type"),
            (&[("response_type", "")], "invalid_request"),
            (&[("response_mode", "form_post")], "invalid_request"),
            (&[("code_challenge", "")], "invalid_request"),
            (&[("code_challenge", "short")], "invalid_request"),
            (&[("code_challenge_method", "")], "invalid_request"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            (&[("resource", "https://other.example/mcp")], "invalid_target"),
            (&[("resource", "/mcp")], "invalid_target"),
            (&[("prompt", "none")], "login_required"),
            (&[("request_uri", "https://canary.example")], "request_uri_not_supported"),
            (&[("request", "eyJ")], "request_not_supported"),
        ] {
            let page = world.browser().get(&client.authorize_url(changes)).await.expect(400);
            let to = link(&page.body, "return to it").expect("a labelled link");
            assert_eq!(query(&to, "error").as_deref(), Some(error), "{changes:?}");
            assert_eq!(query(&to, "state").as_deref(), Some("client-state"));
            assert_eq!(query(&to, "iss").as_deref(), Some(world.url.as_str()));
        }
        assert_eq!(world.auth0.requests().await.len(), 0);
    }

    async fn the_port_of_a_loopback_redirect_is_free(backend: Backend) {
        let world = World::start(backend).await;
        let uris = ["http://127.0.0.1/callback", "http://localhost/callback"];
        let client = OAuthClient::register(&world, "Claude Code", &uris).await;
        for redirect in ["http://127.0.0.1:3118/callback", "http://localhost:51763/callback"] {
            let changes = [("redirect_uri", redirect)];
            let mut browser = world.browser();
            let end =
                client.walk(&world, &mut browser, &Person::named("alice"), &changes).await;
            assert!(end.starts_with(redirect), "{end}");
        }
    }

    async fn a_redirect_on_the_web_is_compared_byte_for_byte(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.web_client("web").await;
        for redirect in [
            "https://client.example.com/callback/",
            "https://client.example.com:443/callback",
            "https://CLIENT.example.com/callback",
            "https://client.example.com/c%61llback",
            "https://client.example.com/callback?x=1",
            "https://client.example.com/callback#",
            "https://user@client.example.com/callback",
        ] {
            let url = client.authorize_url(&[("redirect_uri", redirect)]);
            world.browser().get(&url).await.expect(400);
        }
    }

    async fn a_registered_query_stays_and_parameters_join_it(backend: Backend) {
        let world = World::start(backend).await;
        let client = OAuthClient::register(&world, "web", &["https://e.com/cb?x=1"]).await;
        let mut browser = world.browser();
        let end = client.walk(&world, &mut browser, &Person::named("alice"), &[]).await;
        assert!(end.starts_with("https://e.com/cb?x=1&code="), "{end}");
    }

    async fn the_redirect_may_be_left_out_when_there_is_only_one(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.web_client("web").await;
        let mut browser = world.browser();
        let changes = [("redirect_uri", "")];
        let end = client.walk(&world, &mut browser, &Person::named("alice"), &changes).await;
        assert!(end.starts_with("https://client.example.com/callback?code="), "{end}");
        let uris = ["https://a.example/cb", "https://b.example/cb"];
        let two = OAuthClient::register(&world, "two", &uris).await;
        world.browser().get(&two.authorize_url(&changes)).await.expect(400);
    }

    async fn the_resource_may_be_spelled_as_libraries_do_and_becomes_the_audience(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let canonical = world.at("/mcp");
        let upper = canonical.replace("http:", "HTTP:");
        for spelling in [canonical.clone(), format!("{canonical}/"), upper] {
            let changes = [("resource", spelling.as_str())];
            let tokens = client.signed_in_with(&world, "alice", &changes).await;
            assert_eq!(tokens.claims()["aud"], canonical, "{spelling}");
        }
    }

    async fn scopes_are_read_leniently_and_granted_narrowly(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for (asked, granted) in [
            ("", "docs:read docs:feedback"),
            ("claudeai", "docs:read docs:feedback"),
            (" docs:read  zzz", "docs:read"),
            ("openid email profile", "docs:read docs:feedback openid email profile"),
            ("docs:read docs:feedback openid email profile offline_access",
                "docs:read docs:feedback openid email profile offline_access"),
        ] {
            let tokens = client.signed_in_with(&world, "alice", &[("scope", asked)]).await;
            assert_eq!(tokens.scope, granted, "{asked:?}");
            assert_eq!(tokens.claims()["scope"], granted);
        }
    }

    async fn identity_is_in_the_token_only_when_it_was_granted(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let claims = client.signed_in(&world, "alice").await.claims();
        for name in ["email", "email_verified", "name", "org_id", "org_name"] {
            assert_eq!(claims.get(name), None);
        }
        let scope = [("scope", "openid email profile")];
        let claims = client.signed_in_with(&world, "alice", &scope).await.claims();
        assert_eq!(claims["email"], "alice@example.com");
        assert_eq!(claims["email_verified"], true);
        assert_eq!(claims["org_name"], "example-inc");
        assert_ne!(claims["sub"], "auth0|alice");
    }

    async fn two_tabs_do_not_disturb_each_other(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let (mut browser, [first, second]) = two_tabs(&world, &client).await;
        let alice = Person::named("alice");
        let to_provider_1 = client.decide(&mut browser, &first, "approve").await.location();
        let to_provider_2 = client.decide(&mut browser, &second, "approve").await.location();
        for (to_provider, state) in [(to_provider_2, "2"), (to_provider_1, "1")] {
            let callback = world.auth0.log_in(&to_provider, &alice);
            let end = browser.get(&callback).await.location();
            assert_eq!(query(&end, "state").as_deref(), Some(state));
            assert!(query(&end, "code").is_some());
        }
    }

    async fn the_longest_state_comes_back_whole(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let state = "s".repeat(16 * 1024);
        let url = client.authorize_url(&[("state", &state)]);
        let page = browser.get(&url).await.expect(200).body;
        let to_provider = client.decide(&mut browser, &page, "approve").await.location();
        let callback = world.auth0.log_in(&to_provider, &Person::named("alice"));
        let end = browser.get(&callback).await.location();
        assert_eq!(query(&end, "state"), Some(state));
    }

    async fn a_tab_can_be_finished_after_another_one_was(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let (mut browser, [first, second]) = two_tabs(&world, &client).await;
        let alice = Person::named("alice");
        for (page, state) in [(first, "1"), (second, "2")] {
            let to_provider = client.decide(&mut browser, &page, "approve").await.location();
            let callback = world.auth0.log_in(&to_provider, &alice);
            let end = browser.get(&callback).await.location();
            assert_eq!(query(&end, "state").as_deref(), Some(state));
        }
    }

    async fn asking_alone_writes_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for _ in 0..5 {
            world.browser().get(&client.authorize_url(&[])).await.expect(200);
        }
        let rows = "SELECT count(*) FROM authorization_requests";
        assert_eq!(db_number(&world.database_url, rows).await, 0);
    }

    async fn a_state_beyond_reason_is_refused(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let long = "x".repeat(17 * 1024);
        world.browser().get(&client.authorize_url(&[("state", &long)])).await.expect(400);
    }

    async fn a_request_expires_before_the_person_decides(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        world.advance(10 * MINUTE);
        let answer = client.decide(&mut browser, &page, "approve").await.expect(400);
        assert!(answer.body.contains("expired"), "{}", answer.body);
    }

    async fn the_legacy_path_shows_the_same_page(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let url = client.authorize_url(&[]).replace("/oauth/authorize", "/authorize");
        let page = world.browser().get(&url).await.expect(200).body;
        assert_eq!(form(&page).action, "/oauth/consent");
        let without = World::with(backend, &[("legacy_paths", "false")]).await;
        without.browser().get(&without.at("/authorize")).await.expect(404);
    }
}
