//! Our own clock, set forward and back by an hour, as on a machine that comes up with a wrong one:
//! no session ends that honest people go on with, and nothing that is over begins again.

use std::time::Duration;

use gatehouse::keys::{SigningAlgorithm, SigningKey};

use crate::support::answer::query;
use crate::support::{Backend, HOUR, MINUTE, Person, SECOND, Tokens, World, on_both};

/// An hour, and what an access token is believed beyond its own.
fn step() -> Duration {
    HOUR + MINUTE
}

on_both! {
    async fn an_hour_forward_and_back_ends_no_session_and_revives_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let alice = client.signed_in(&world, "alice").await;
        let revoked = client.signed_in(&world, "bob").await;
        client.revoke(revoked.refresh_token()).await.expect(200);
        let spent = client.code(&world, "carol", &[]).await;
        let carol = Tokens::of(&client.exchange(&spent).await);
        let pending = client.code(&world, "dave", &[]).await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;

        world.clock.advance(step());
        world.mcp(&alice.access_token).ping().await.expect(401);
        let ahead = Tokens::of(&client.refresh(alice.refresh_token()).await);
        world.mcp(&ahead.access_token).ping().await.expect(200);
        client.exchange(&pending).await.expect_error(400, "invalid_grant");
        client.signed_in(&world, "erin").await;

        world.clock.set_back(step());
        // A token of the future is not good yet; its client refreshes, as with one that is over.
        world.mcp(&ahead.access_token).ping().await.expect(401);
        // An answer that was lost comes again, and is the same one.
        let repeated = Tokens::of(&client.refresh(alice.refresh_token()).await);
        assert_eq!(repeated.refresh_token(), ahead.refresh_token());
        let back = Tokens::of(&client.refresh(ahead.refresh_token()).await);
        world.mcp(&back.access_token).ping().await.expect(200);
        // What was over by the wrong clock alone goes on, once.
        client.exchange(&pending).await.expect(200);
        let location = client.decide(&mut browser, &page, "approve").await.location();
        let callback = world.auth0.log_in(&location, &Person::named("frank"));
        assert!(query(&browser.get(&callback).await.location(), "code").is_some());
        // What was ended or used is over by any clock.
        client.refresh(revoked.refresh_token()).await.expect_error(400, "invalid_grant");
        world.mcp(&carol.access_token).ping().await.expect(200);
        client.exchange(&spent).await.expect_error(400, "invalid_grant");
        client.refresh(carol.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(alice.refresh_token()).await.expect_error(400, "invalid_grant");
        client.refresh(back.refresh_token()).await.expect_error(400, "invalid_grant");
    }

    async fn an_hour_back_and_forward_ends_no_session(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let alice = client.signed_in(&world, "alice").await;

        world.clock.set_back(step());
        world.mcp(&alice.access_token).ping().await.expect(401);
        let behind = Tokens::of(&client.refresh(alice.refresh_token()).await);
        world.mcp(&behind.access_token).ping().await.expect(200);
        // The provider's tokens are of the future, too; who signs in begins again later.
        let end = client.walk(&world, &mut world.browser(), &Person::named("bob"), &[]).await;
        assert_eq!(query(&end, "error").as_deref(), Some("server_error"));

        world.clock.advance(step());
        let right = Tokens::of(&client.refresh(behind.refresh_token()).await);
        world.mcp(&right.access_token).ping().await.expect(200);
        client.signed_in(&world, "bob").await;
    }

    async fn a_small_step_costs_nobody_anything(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut tokens = client.signed_in(&world, "alice").await;
        for step in 0..6 {
            let next = Tokens::of(&client.refresh(tokens.refresh_token()).await);
            if step % 2 == 0 {
                world.clock.advance(20 * SECOND);
            } else {
                world.clock.set_back(20 * SECOND);
            }
            let repeated = Tokens::of(&client.refresh(tokens.refresh_token()).await);
            assert_eq!(repeated.refresh_token(), next.refresh_token());
            world.mcp(&next.access_token).ping().await.expect(200);
            client.signed_in(&world, "bob").await;
            tokens = next;
        }
    }

    async fn what_was_remembered_in_the_future_is_asked_again(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        world.clock.advance(step());
        client.signed_in(&world, "alice").await;
        world.clock.set_back(step());
        // The provider's keys change meanwhile.
        let new = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        world.auth0.publish(&new).await;
        let mut browser = world.browser();
        let location = client.approve(&mut browser, &[]).await;
        let claims = world.auth0.id_token_claims(&location, &Person::named("bob"));
        let callback = world.auth0.log_in_with(&location, new.sign_jwt("JWT", &claims));
        let end = browser.get(&callback).await.location();
        assert!(query(&end, "code").is_some(), "{end}");
    }
}
