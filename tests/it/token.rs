//! The token endpoint and the code grant: TK of the requirements.

use crate::support::database::db_hold_decisions;
use crate::support::{Answer, Backend, MINUTE, OAuthClient, SECOND, Tokens, World, on_both};

async fn raw(world: &World, content_type: &str, body: &str) -> Answer {
    let request = world
        .http
        .post(world.at("/oauth/token"))
        .header("content-type", content_type)
        .body(body.to_owned());
    Answer::of(request.send().await.unwrap()).await
}

on_both! {
    async fn a_code_becomes_tokens(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let code = client.code(&world, "alice", &[]).await;
        let answer = client.exchange(&code).await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let tokens = Tokens::of(&answer);
        assert_eq!(tokens.json["expires_in"], 3600);
        assert!(tokens.refresh_token().starts_with("ghr_"));
        let claims = tokens.claims();
        assert_eq!(claims["iss"], world.url);
        assert_eq!(claims["aud"], world.at("/mcp"));
        assert_eq!(claims["client_id"], client.client_id);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        for name in ["sub", "jti", "scope", "gid"] {
            assert!(claims[name].is_string(), "{name}");
        }
        assert!(tokens.access_token.len() < 2048 && code.len() <= 512);
        world.mcp(&tokens.access_token).ping().await.expect(200);
    }

    async fn each_wrong_exchange_is_invalid_grant_and_leaves_the_code_good(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let other = world.client("other").await;
        let code = client.code(&world, "alice", &[]).await;
        let wrong_verifier = "a".repeat(43);
        let mut bodies = std::collections::HashSet::new();
        for changes in [
            &[("code", "ghc_unknown")][..],
            &[("code_verifier", wrong_verifier.as_str())],
            &[("redirect_uri", "http://127.0.0.1:1/callback")],
            &[("client_id", other.client_id.as_str())],
        ] {
            let answer = client.exchange_with(&code, changes).await;
            bodies.insert(answer.expect_error(400, "invalid_grant").body);
        }
        // They cannot be told apart.
        assert_eq!(bodies.len(), 1);
        let other_resource = [("resource", "https://other.example/mcp")];
        let answer = client.exchange_with(&code, &other_resource).await;
        answer.expect_error(400, "invalid_target");
        client.exchange_with(&code, &[("redirect_uri", "")]).await.expect(200);
    }

    async fn a_code_dies_after_a_minute(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let code = client.code(&world, "alice", &[]).await;
        world.advance(MINUTE);
        client.exchange(&code).await.expect_error(400, "invalid_grant");
    }

    async fn of_parallel_exchanges_one_succeeds_and_the_replays_end_what_it_gave(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let code = client.code(&world, "alice", &[]).await;
        let exchanges: Vec<_> = (0..20).map(|_| {
            let (client, code) = (client.clone(), code.clone());
            tokio::spawn(async move { client.exchange(&code).await })
        }).collect();
        let mut granted = Vec::new();
        for exchange in exchanges {
            let answer = exchange.await.unwrap();
            match answer.status {
                200 => granted.push(Tokens::of(&answer)),
                _ => drop(answer.expect_error(400, "invalid_grant")),
            }
        }
        assert_eq!(granted.len(), 1);
        let answer = client.refresh(granted[0].refresh_token()).await;
        answer.expect_error(400, "invalid_grant");
        world.mcp(&granted[0].access_token).ping().await.expect(401);
    }

    async fn a_replay_with_the_wrong_verifier_or_client_ends_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let other = world.client("other").await;
        let code = client.code(&world, "alice", &[]).await;
        let tokens = Tokens::of(&client.exchange(&code).await);
        let wrong = "b".repeat(43);
        for changes in [[("code_verifier", wrong.as_str())], [("client_id", &other.client_id)]] {
            let answer = client.exchange_with(&code, &changes).await;
            answer.expect_error(400, "invalid_grant");
        }
        world.mcp(&tokens.access_token).ping().await.expect(200);
        client.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn a_replay_revokes_only_its_own_sign_in(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let elsewhere = client.signed_in(&world, "alice").await;
        let code = client.code(&world, "alice", &[]).await;
        client.exchange(&code).await.expect(200);
        client.exchange(&code).await.expect_error(400, "invalid_grant");
        client.refresh(elsewhere.refresh_token()).await.expect(200);
    }

    async fn an_unknown_client_is_invalid_client_and_401(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let code = client.code(&world, "alice", &[]).await;
        let unknown = [("client_id", "ghclient_nobody")];
        let answer = client.exchange_with(&code, &unknown).await;
        let answer = answer.expect_error(401, "invalid_client");
        assert_eq!(answer.header("www-authenticate"), None);
        let answer = client.refresh_with("ghr_x", &unknown).await;
        answer.expect_error(401, "invalid_client");
    }

    async fn a_client_names_itself_in_one_way(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let code = client.code(&world, "alice", &[]).await;
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()),
            ("code_verifier", crate::support::oauth_client::VERIFIER)];
        let basic = |user: &str, password: &str| {
            let request = world.http.post(world.at("/oauth/token")).form(&fields);
            request.basic_auth(user, Some(password))
        };
        let answer = Answer::of(basic(&client.client_id, "guess").send().await.unwrap()).await;
        let answer = answer.expect_error(401, "invalid_client");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
        for (header, status, error) in [("Basic !", 401, "invalid_client"),
            ("Basic", 401, "invalid_client"), ("Bearer x", 400, "invalid_request")] {
            let request = world.http.post(world.at("/oauth/token")).form(&fields);
            let answer = request.header("authorization", header).send().await.unwrap();
            Answer::of(answer).await.expect_error(status, error);
        }
        for (name, value, code_name, status) in [
            ("client_secret", "x", "invalid_client", 401),
            ("client_assertion", "x", "invalid_client", 401),
            ("client_id", "", "invalid_request", 400),
        ] {
            let answer = client.exchange_with(&code, &[(name, value)]).await;
            answer.expect_error(status, code_name);
        }
        let both = basic("somebody-else", "");
        let mut with_body = fields.to_vec();
        with_body.push(("client_id", &client.client_id));
        let answer = Answer::of(both.form(&with_body).send().await.unwrap()).await;
        answer.expect_error(400, "invalid_request");
        Answer::of(basic(&client.client_id, "").send().await.unwrap()).await.expect(200);
    }

    async fn grants_that_do_not_exist_are_named_so(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for name in ["password", "client_credentials", "implicit",
            "urn:ietf:params:oauth:grant-type:device_code"] {
            let fields = [("grant_type", name), ("client_id", client.client_id.as_str()),
                ("username", "a"), ("password", "b")];
            client.token(&fields).await.expect_error(400, "unsupported_grant_type");
        }
    }

    async fn what_is_missing_is_named_and_what_is_repeated_refused(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for (name, word) in [("grant_type", "grant_type"), ("code", "code"),
            ("code_verifier", "code_verifier")] {
            let answer = client.exchange_with("ghc_x", &[(name, "")]).await;
            let answer = answer.expect_error(400, "invalid_request");
            assert!(answer.json()["error_description"].as_str().unwrap().contains(word));
        }
        let form = "application/x-www-form-urlencoded";
        for body in ["code=a&code=b", "x=1&x=2", "resource=a&resource=b"] {
            raw(&world, form, body).await.expect_error(400, "invalid_request");
        }
    }

    async fn only_a_form_is_read(backend: Backend) {
        let world = World::start(backend).await;
        for (content_type, body) in [
            ("application/json", "{\"grant_type\":\"authorization_code\"}"),
            ("text/plain", "grant_type=authorization_code"),
            ("multipart/form-data; boundary=x", "--x--"),
        ] {
            let answer = raw(&world, content_type, body).await.expect_error(400, "invalid_request");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let charset = "application/x-www-form-urlencoded; charset=utf-8";
        let answer = raw(&world, charset, "client_id=x").await;
        answer.expect_error(401, "invalid_client");
    }

    async fn refused_requests_of_one_client_and_address_are_limited_and_good_ones_go_on(
        backend: Backend
    ) {
        let world = World::with(backend, &[("limit_token", "3/1m")]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        for _ in 0..3 {
            client.refresh("ghr_guess").await.expect_error(400, "invalid_grant");
        }
        let limited = client.refresh("ghr_guess").await;
        let limited = limited.expect_error(429, "temporarily_unavailable");
        assert!(limited.header("retry-after").is_some());
        client.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn a_guess_never_waits_for_a_writer(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
        let hold = db_hold_decisions(&world.database_url).await;
        client.exchange("ghc_guess").await.expect_error(400, "invalid_grant");
        client.refresh("ghr_guess").await.expect_error(400, "invalid_grant");
        hold.let_go().await;
    }

    async fn made_up_clients_share_one_count_per_address(backend: Backend) {
        let world = World::with(backend, &[("limit_token", "3/1m")]).await;
        let client = world.client("editor").await;
        for (number, status) in [(1, 401), (2, 401), (3, 401), (4, 429)] {
            let made_up = format!("ghclient_{number}");
            let changes = [("client_id", made_up.as_str())];
            client.refresh_with("ghr_x", &changes).await.expect(status);
        }
        client.refresh("ghr_x").await.expect_error(400, "invalid_grant");
    }

    async fn one_sign_in_may_not_refresh_without_end(backend: Backend) {
        let world = World::with(backend, &[("limit_token", "3/1m")]).await;
        let client = world.client("editor").await;
        let mut tokens = client.signed_in(&world, "alice").await;
        // The exchange was the first of the three.
        for _ in 0..2 {
            tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        }
        client.refresh(tokens.refresh_token()).await.expect(429);
        world.advance(MINUTE + SECOND);
        client.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn the_legacy_path_is_the_same_endpoint(backend: Backend) {
        let world = World::start(backend).await;
        let client: OAuthClient = world.client("editor").await;
        let code = client.code(&world, "alice", &[]).await;
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()),
            ("client_id", client.client_id.as_str()),
            ("code_verifier", crate::support::oauth_client::VERIFIER)];
        client.post("/token", &fields).await.expect(200);
    }
}
