//! Rotation: RT of the requirements, D4, and the five properties in their plainest form.

use crate::support::database::db_number;
use crate::support::{Answer, Backend, DAY, HOUR, OAuthClient, SECOND, Tokens, World, on_both};

const GRACE: std::time::Duration = std::time::Duration::from_secs(30);

async fn in_parallel(client: &OAuthClient, token: &str, callers: usize) -> Vec<Answer> {
    let calls: Vec<_> = (0..callers)
        .map(|_| {
            let (client, token) = (client.clone(), token.to_owned());
            tokio::spawn(async move { client.refresh(&token).await })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers
}

on_both! {
    async fn each_refresh_gives_another_token_and_the_old_one_does_not_work_on(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let first = client.signed_in(&world, "alice").await;
        let second = Tokens::of(&client.refresh(first.refresh_token()).await);
        assert_ne!(first.refresh_token(), second.refresh_token());
        assert_eq!(first.scope, second.scope);
        world.mcp(&second.access_token).ping().await.expect(200);
        let third = Tokens::of(&client.refresh(second.refresh_token()).await);
        assert_ne!(third.refresh_token(), second.refresh_token());
        assert_eq!(first.claims()["sub"], third.claims()["sub"]);
        assert_eq!(first.claims()["gid"], third.claims()["gid"]);
        assert_ne!(first.claims()["jti"], third.claims()["jti"]);
    }

    async fn overlapping_callers_all_get_the_same_successor(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let answers = in_parallel(&client, tokens.refresh_token(), 16).await;
        let successors: std::collections::HashSet<_> = answers.iter()
            .map(|answer| Tokens::of(answer).refresh_token().to_owned()).collect();
        assert_eq!(successors.len(), 1);
        let rows = "SELECT count(*) FROM refresh_tokens";
        assert_eq!(db_number(&world.database_url, rows).await, 2);
        let live = "SELECT count(*) FROM refresh_tokens WHERE consumed_at IS NULL";
        assert_eq!(db_number(&world.database_url, live).await, 1);
    }

    async fn a_lost_answer_is_repeated_inside_the_grace(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let lost = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        world.advance(GRACE - SECOND);
        let again = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        assert_eq!(lost.refresh_token(), again.refresh_token());
        client.refresh(again.refresh_token()).await.expect(200);
    }

    async fn an_old_refresh_token_ends_the_family(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let stolen = client.signed_in(&world, "alice").await;
        let live = Tokens::of(&client.refresh(stolen.refresh_token()).await);
        world.mcp(&live.access_token).ping().await.expect(200);
        world.advance(GRACE);
        client.refresh(stolen.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(live.refresh_token()).await.expect_error(400, "invalid_grant");
        world.mcp(&live.access_token).ping().await.expect(401);
    }

    async fn inside_the_grace_a_used_successor_ends_the_family(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let first = client.signed_in(&world, "alice").await;
        let second = Tokens::of(&client.refresh(first.refresh_token()).await);
        let third = Tokens::of(&client.refresh(second.refresh_token()).await);
        client.refresh(first.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(third.refresh_token()).await.expect_error(400, "invalid_grant");
    }

    async fn theft_in_one_sign_in_leaves_the_others_alone(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let stolen = client.signed_in(&world, "alice").await;
        let laptop = client.signed_in(&world, "alice").await;
        client.refresh(stolen.refresh_token()).await.expect(200);
        world.advance(GRACE);
        client.refresh(stolen.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(laptop.refresh_token()).await.expect(200);
        world.mcp(&laptop.access_token).ping().await.expect(200);
    }

    async fn without_grace_one_of_many_wins_and_the_losers_are_reuse(backend: Backend) {
        let world = World::with(backend, &[("refresh_grace", "0s")]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let answers = in_parallel(&client, tokens.refresh_token(), 8).await;
        let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(winners.len(), 1);
        let winner = Tokens::of(winners[0]);
        client.refresh(winner.refresh_token()).await.expect_error(400, "invalid_grant");
    }

    async fn a_rotated_server_secret_still_answers_inside_the_grace(backend: Backend) {
        let mut world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let lost = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        world.restart(&[
            ("secret", "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="),
            ("secret_previous", crate::support::world::SERVER_SECRET),
        ]).await;
        let again = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        assert_eq!(lost.refresh_token(), again.refresh_token());
        client.refresh(again.refresh_token()).await.expect(200);
    }

    async fn a_live_token_with_another_client_ends_the_family(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let other = world.client("other").await;
        let tokens = client.signed_in(&world, "alice").await;
        other.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    }

    async fn scope_may_shrink_for_one_access_token_and_never_grow(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let narrow = [("scope", "docs:read")];
        let narrowed = Tokens::of(&client.refresh_with(tokens.refresh_token(), &narrow).await);
        assert_eq!(narrowed.scope, "docs:read");
        let wide = [("scope", "docs:read email")];
        let refused = client.refresh_with(narrowed.refresh_token(), &wide).await;
        refused.expect_error(400, "invalid_scope");
        let elsewhere = [("resource", "https://other.example/mcp")];
        let refused = client.refresh_with(narrowed.refresh_token(), &elsewhere).await;
        refused.expect_error(400, "invalid_target");
        // Neither refusal used it up; offline_access and unknown words are no-ops.
        let padded = [("scope", "docs:read docs:feedback offline_access claudeai")];
        let full = Tokens::of(&client.refresh_with(narrowed.refresh_token(), &padded).await);
        assert_eq!(full.scope, "docs:read docs:feedback");
    }

    async fn who_comes_every_thirty_days_stays_signed_in(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut tokens = client.signed_in(&world, "alice").await;
        for _ in 0..13 {
            world.advance(30 * DAY - SECOND);
            tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        }
        world.advance(30 * DAY);
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
    }

    async fn an_absolute_limit_ends_even_a_busy_sign_in(backend: Backend) {
        let world = World::with(backend, &[("grant_max_ttl", "90m")]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        world.advance(HOUR);
        let tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        assert_eq!(tokens.json["expires_in"], 1800);
        world.advance(HOUR / 2);
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        world.advance(5 * SECOND);
        world.mcp(&tokens.access_token).ping().await.expect(401);
    }

    async fn refreshing_needs_no_provider(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        world.auth0.fail_with(503).await;
        client.refresh(tokens.refresh_token()).await.expect(200);
    }

    async fn two_replicas_agree_on_one_successor(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let there = client.at(&world.replica(&[]).await);
        let tokens = client.signed_in(&world, "alice").await;
        let here = in_parallel(&client, tokens.refresh_token(), 4);
        let away = in_parallel(&there, tokens.refresh_token(), 4);
        let (here, away) = tokio::join!(here, away);
        let successors: std::collections::HashSet<_> = here.iter().chain(&away)
            .map(|answer| Tokens::of(answer).refresh_token().to_owned()).collect();
        assert_eq!(successors.len(), 1);
    }
}
