//! Revocation: RV of the requirements, TV-10.

use crate::support::{Answer, Backend, SECOND, World, on_both};

on_both! {
    async fn revoking_a_refresh_token_ends_the_sign_in(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        world.mcp(&tokens.access_token).ping().await.expect(200);
        let answer = client.revoke(tokens.refresh_token()).await.expect(200);
        assert_eq!(answer.body, "");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        world.mcp(&tokens.access_token).ping().await.expect(401);
    }

    async fn revoking_an_access_token_ends_the_sign_in_whatever_the_hint(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let fields = [("token", tokens.access_token.as_str()), ("token_type_hint", "refresh_token"),
            ("client_id", client.client_id.as_str())];
        client.post("/oauth/revoke", &fields).await.expect(200);
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    }

    async fn an_unknown_token_is_answered_like_a_revoked_one(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        for token in ["junk", "ghr_junk", "a.b.c"] {
            client.revoke(token).await.expect(200);
        }
        let tokens = client.signed_in(&world, "alice").await;
        client.revoke(tokens.refresh_token()).await.expect(200);
        client.revoke(tokens.refresh_token()).await.expect(200);
    }

    async fn another_clients_token_is_left_alone(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let other = world.client("other").await;
        let tokens = client.signed_in(&world, "alice").await;
        other.revoke(tokens.refresh_token()).await.expect(200);
        other.revoke(&tokens.access_token).await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        client.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn bad_requests_have_their_codes(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let post = |fields: &'static [(&'static str, &'static str)]| {
            let client = client.clone();
            async move { client.post("/oauth/revoke", fields).await }
        };
        post(&[("token", "x")]).await.expect_error(400, "invalid_request");
        post(&[("token", "x"), ("client_id", "nobody")]).await.expect_error(401, "invalid_client");
        let client_id = client.client_id.as_str();
        let secret = [("token", "x"), ("client_id", client_id), ("client_secret", "s")];
        client.post("/oauth/revoke", &secret).await.expect_error(401, "invalid_client");
        let missing = [("client_id", client.client_id.as_str())];
        client.post("/oauth/revoke", &missing).await.expect_error(400, "invalid_request");
        let twice = [("token", "x"), ("token", "y"), ("client_id", client.client_id.as_str())];
        client.post("/oauth/revoke", &twice).await.expect_error(400, "invalid_request");
    }

    async fn a_client_names_itself_as_at_the_token_endpoint(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let url = world.at("/oauth/revoke");
        let post = |fields: &[(&str, &str)]| world.http.post(&url).form(fields);
        let token = ("token", tokens.refresh_token());
        let guessed = post(&[token]).basic_auth(&client.client_id, Some("guess"));
        let answer = Answer::of(guessed.send().await.unwrap()).await;
        let answer = answer.expect_error(401, "invalid_client");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
        let two_names = post(&[token, ("client_id", "another")]);
        for (request, status, error) in [
            (two_names.basic_auth(&client.client_id, Some("")), 400, "invalid_request"),
            (post(&[token]).bearer_auth(&tokens.access_token), 400, "invalid_request"),
            (post(&[token]).basic_auth("nobody", Some("")), 401, "invalid_client"),
        ] {
            let answer = Answer::of(request.send().await.unwrap()).await;
            answer.expect_error(status, error);
        }
        world.mcp(&tokens.access_token).ping().await.expect(200);
        let named = post(&[token]).basic_auth(&client.client_id, Some(""));
        Answer::of(named.send().await.unwrap()).await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(401);
    }

    async fn a_revoked_sign_in_stops_on_another_replica_within_five_seconds(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let replica = world.replica(&[]).await;
        let tokens = client.signed_in(&world, "alice").await;
        let there = world.mcp(&tokens.access_token).at(&replica);
        there.ping().await.expect(200);
        client.revoke(tokens.refresh_token()).await.expect(200);
        world.advance(5 * SECOND);
        there.ping().await.expect(401);
    }
}
