//! Back from the provider: UP, SB-15, SB-16, UP-09 … UP-13 of the requirements.

use serde_json::{Value, json};

use crate::support::answer::query;
use crate::support::{Backend, MINUTE, OAuthClient, Person, World, on_both, world_seconds};
use gatehouse::keys::{SigningAlgorithm, SigningKey};

/// A sign-in that has come as far as the provider.
async fn at_provider(world: &World) -> (OAuthClient, crate::support::Browser, String) {
    let client = world.client("editor").await;
    let mut browser = world.browser();
    let location = client.approve(&mut browser, &[]).await;
    (client, browser, location)
}

/// The error that the client is told when the provider's ID token says `lie`.
async fn told_for(world: &World, bend: impl FnOnce(&mut Value)) -> Option<String> {
    let (_, mut browser, location) = at_provider(world).await;
    let mut claims = world.auth0.id_token_claims(&location, &Person::named("alice"));
    bend(&mut claims);
    let token = world.auth0.key().sign_jwt("JWT", &claims);
    let end = browser.get(&world.auth0.log_in_with(&location, token)).await.location();
    assert_eq!(query(&end, "code"), None, "{claims}");
    assert_eq!(query(&end, "state").as_deref(), Some("client-state"));
    assert_eq!(query(&end, "iss").as_deref(), Some(world.url.as_str()));
    query(&end, "error")
}

on_both! {
    async fn another_browser_that_finishes_the_login_gets_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let (client, mut browser, location) = at_provider(&world).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        let mut stranger = world.browser();
        stranger.get(&callback).await.expect(400);
        stranger.get(&client.authorize_url(&[])).await.expect(200);
        let page = stranger.get(&callback).await.expect(400);
        assert!(page.body.contains("another browser"));
        assert_eq!(world.auth0.token_requests().await, 0);
        // And the stranger has not spent it.
        assert!(query(&browser.get(&callback).await.location(), "code").is_some());
    }

    async fn a_callback_works_once_however_many_arrive(backend: Backend) {
        let world = World::start(backend).await;
        let (_, browser, location) = at_provider(&world).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        let callbacks: Vec<_> = (0..8).map(|_| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            tokio::spawn(async move { browser.get(&callback).await.status })
        }).collect();
        let mut statuses = Vec::new();
        for callback in callbacks {
            statuses.push(callback.await.unwrap());
        }
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert_eq!(world.auth0.token_requests().await, 1);
    }

    async fn who_comes_again_is_told_that_the_sign_in_is_finished(backend: Backend) {
        let world = World::start(backend).await;
        let (_, mut browser, location) = at_provider(&world).await;
        world.auth0.welcome(&Person::named("alice")).await;
        let back = browser.get(&location).await.expect(302);
        let callback = back.header("location").unwrap();
        assert!(query(&browser.get(callback).await.location(), "code").is_some());
        let page = browser.get(callback).await.expect(400);
        assert!(page.body.contains("This sign-in is finished"), "{}", page.body);
        // A stranger who has the address is not told.
        let page = world.browser().get(callback).await.expect(400);
        assert!(page.body.contains("another browser"), "{}", page.body);
        assert_eq!(world.auth0.token_requests().await, 1);
    }

    async fn a_cold_or_late_callback_explains_itself(backend: Backend) {
        let world = World::start(backend).await;
        let (_, mut browser, location) = at_provider(&world).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        for url in [world.at("/mcp/callback"), world.at("/mcp/callback?state=junk&code=x"),
            format!("{callback}&state=again")] {
            let page = browser.get(&url).await.expect(400);
            assert!(page.body.contains("connect again"), "{}", page.body);
        }
        world.advance(10 * MINUTE);
        browser.get(&callback).await.expect(400);
        assert_eq!(world.auth0.token_requests().await, 0);
    }

    async fn each_lie_in_an_id_token_ends_as_server_error(backend: Backend) {
        let world = World::start(backend).await;
        let lies: [(&str, Value); 14] = [
            ("nbf", json!(world_seconds() + 600)),
            ("sub", json!("a\0b")),
            ("iss", json!(world.auth0.issuer().trim_end_matches('/'))),
            ("iss", json!("https://other.example/")),
            ("aud", json!("somebody-else")),
            ("aud", json!(["somebody-else", world.auth0.client_id()])),
            ("azp", json!("somebody-else")),
            ("exp", json!(world_seconds() - 61)),
            ("iat", json!(world_seconds() + 120)),
            ("nonce", json!("another")),
            ("nonce", Value::Null),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("exp", json!("soon")),
        ];
        for (claim, value) in lies {
            let told = told_for(&world, |claims| claims[claim] = value.clone()).await;
            assert_eq!(told.as_deref(), Some("server_error"), "{claim} = {value}");
        }
    }

    async fn an_id_token_of_another_key_or_algorithm_is_not_believed(backend: Backend) {
        let world = World::start(backend).await;
        let foreign = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        let elliptic = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let person = Person::named("alice");
        for forge in ["foreign", "elliptic", "none", "hmac", "garbage", "bent"] {
            let (_, mut browser, location) = at_provider(&world).await;
            let claims = world.auth0.id_token_claims(&location, &person);
            let good = world.auth0.key().sign_jwt("JWT", &claims);
            let token = match forge {
                "foreign" => foreign.sign_jwt("JWT", &claims),
                "elliptic" => elliptic.sign_jwt("JWT", &claims),
                "none" => unsigned(&json!({"alg": "none", "typ": "JWT"}), &claims),
                "hmac" => {
                    let kid = world.auth0.key().kid();
                    unsigned(&json!({"alg": "HS256", "typ": "JWT", "kid": kid}), &claims)
                }
                "bent" => format!("{}A", &good[..good.len() - 2]),
                _ => "garbage".to_owned(),
            };
            let end = browser.get(&world.auth0.log_in_with(&location, token)).await.location();
            assert_eq!(query(&end, "error").as_deref(), Some("server_error"), "{forge}");
        }
    }

    async fn unknown_keys_do_not_make_us_hammer_the_provider(backend: Backend) {
        let world = World::start(backend).await;
        let foreign = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        for _ in 0..5 {
            let (_, mut browser, location) = at_provider(&world).await;
            let claims = world.auth0.id_token_claims(&location, &Person::named("alice"));
            let token = foreign.sign_jwt("JWT", &claims);
            browser.get(&world.auth0.log_in_with(&location, token)).await.expect(303);
        }
        assert_eq!(world.auth0.key_requests().await, 1);
    }

    async fn what_the_provider_says_instead_of_a_code_is_mapped_and_not_repeated(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        for (says, told) in [
            ("access_denied", "access_denied"),
            ("login_required", "access_denied"),
            ("temporarily_unavailable", "temporarily_unavailable"),
            ("server_error", "server_error"),
            ("<script>", "server_error"),
        ] {
            let (_, mut browser, location) = at_provider(&world).await;
            let state = query(&location, "state").unwrap();
            let callback = world.auth0.callback(&location, &[
                ("error", says), ("error_description", "<script>alert(1)</script>"),
                ("state", &state)]);
            let end = browser.get(&callback).await.location();
            assert_eq!(query(&end, "error").as_deref(), Some(told), "{says}");
            assert!(!end.contains("script"));
        }
    }

    async fn a_wrong_issuer_at_the_callback_is_refused_and_the_right_one_harmless(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        for (iss, error) in [("https://evil.example/".to_owned(), Some("server_error")),
            (world.auth0.issuer(), None)] {
            let (_, mut browser, location) = at_provider(&world).await;
            let callback = world.auth0.log_in(&location, &Person::named("alice"));
            let mut callback = reqwest::Url::parse(&callback).unwrap();
            callback.query_pairs_mut().append_pair("iss", &iss);
            let end = browser.get(callback.as_str()).await.location();
            assert_eq!(query(&end, "error").as_deref(), error);
        }
    }

    async fn a_parameter_that_comes_twice_is_not_believed_either_way(backend: Backend) {
        let world = World::start(backend).await;
        let issuer = world.auth0.issuer();
        for twice in [("iss", issuer.as_str()), ("code", "x"), ("error", "y")] {
            let (_, mut browser, location) = at_provider(&world).await;
            let callback = world.auth0.log_in(&location, &Person::named("alice"));
            let mut callback = reqwest::Url::parse(&callback).unwrap();
            callback.query_pairs_mut().extend_pairs([twice, twice]);
            let end = browser.get(callback.as_str()).await.location();
            assert_eq!(query(&end, "error").as_deref(), Some("server_error"), "{twice:?}");
        }
    }

    async fn a_code_the_provider_refuses_is_server_error(backend: Backend) {
        let world = World::start(backend).await;
        let (_, mut browser, location) = at_provider(&world).await;
        let state = query(&location, "state").unwrap();
        let callback =
            world.auth0.callback(&location, &[("code", "never-issued"), ("state", &state)]);
        let end = browser.get(&callback).await.location();
        assert_eq!(query(&end, "error").as_deref(), Some("server_error"));
    }

    async fn what_the_client_sends_is_not_relayed_to_the_provider(backend: Backend) {
        let world = World::with(backend, &[("upstream_params", "organization=org_9")]).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let location = client.approve(&mut browser, &[("connection", "x"), ("audience", "y"),
            ("login_hint", "z"), ("prompt", "login"), ("nonce", "mine")]).await;
        for name in ["connection", "audience", "login_hint", "prompt", "resource"] {
            assert_eq!(query(&location, name), None, "{name}");
        }
        assert_ne!(query(&location, "nonce").as_deref(), Some("mine"));
        assert_eq!(query(&location, "organization").as_deref(), Some("org_9"));
        assert_eq!(query(&location, "scope").as_deref(), Some("openid email profile"));
    }

    async fn states_nonces_and_verifiers_are_fresh_each_time(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut seen = std::collections::HashSet::new();
        for _ in 0..20 {
            let mut browser = world.browser();
            let location = client.approve(&mut browser, &[]).await;
            for name in ["state", "nonce", "code_challenge"] {
                let value = query(&location, name).unwrap();
                assert!(value.len() >= 43);
                assert!(seen.insert(value));
            }
        }
    }

    async fn two_people_with_one_address_are_two_subjects(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut subjects = Vec::new();
        for subject in ["auth0|1", "auth0|2", "auth0|1"] {
            let person = Person::named("alice").with("sub", json!(subject));
            let mut browser = world.browser();
            let end = client.walk(&world, &mut browser, &person, &[]).await;
            let answer = client.exchange(&query(&end, "code").unwrap()).await;
            subjects.push(crate::support::Tokens::of(&answer).claims()["sub"].clone());
        }
        assert_ne!(subjects[0], subjects[1]);
        assert_eq!(subjects[0], subjects[2]);
    }

    async fn a_work_address_is_required_where_the_setting_says_so(backend: Backend) {
        let world = World::with(backend, &[("require_work_email", "true")]).await;
        let client = world.client("editor").await;
        for (email, error) in [(json!("a@gmail.com"), Some("access_denied")),
            (json!("a@mailinator.com"), Some("access_denied")),
            (json!("a\0b@example.com"), None),
            (Value::Null, Some("access_denied")),
            (json!("a@example.com"), None)] {
            let person = Person::named("alice").with("email", email.clone());
            let mut browser = world.browser();
            let end = client.walk(&world, &mut browser, &person, &[]).await;
            assert_eq!(query(&end, "error").as_deref(), error, "{email}");
        }
    }
}

fn unsigned(header: &Value, claims: &Value) -> String {
    use gatehouse::secret::base64url;
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.c2lnbmF0dXJl", part(header), part(claims))
}
