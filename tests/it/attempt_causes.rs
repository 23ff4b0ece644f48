//! Attempts to sign in that come to nothing, each way provoked through the front door: what is said
//! to be the cause.

use serde_json::{Value, json};

use crate::support::admin::Operator;
use crate::support::answer::query;
use crate::support::oauth_client::CHALLENGE;
use crate::support::publisher::READS_LOOPBACK;
use crate::support::{
    Answer, Backend, Browser, DAY, MINUTE, OAuthClient, Person, Publisher, SECOND, World, on_both,
};

/// Whoever asks what became of attempts.
pub struct Asker {
    operator: Operator,
}

impl Asker {
    pub async fn of(world: &World) -> Self {
        Self { operator: Operator::with(world, "asker", "read").await }
    }

    /// The newest attempt, explained. Who asks next has another to be told of.
    pub async fn newest(&self, world: &World) -> Value {
        world.write_attempts().await;
        let list = self.operator.get("/attempts?limit=1").await.expect(200).json();
        let reference = list["items"][0]["reference"].as_str().expect("there is one").to_owned();
        let path = format!("/attempts/{reference}");
        let found = self.operator.get(&path).await.expect(200).json();
        assert_eq!(found["attempt"]["cause"], list["items"][0]["cause"]);
        world.advance(SECOND);
        found
    }

    /// Its cause.
    async fn cause(&self, world: &World) -> String {
        let found = self.newest(world).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_well = found["attempt"]["outcome"] == "finished";
        assert_eq!(text(&found["advice"]).is_empty(), is_well, "{found}");
        text(&found["attempt"]["cause"])
    }
}

/// The reference that a page shows.
#[track_caller]
pub fn reference_on(page: &Answer) -> String {
    let shown = page.body.split("Reference: <code>").nth(1).expect("a page has a reference");
    shown.split('<').next().expect("it ends").to_owned()
}

/// A sign-in that has come as far as the provider.
async fn at_provider(world: &World) -> (OAuthClient, Browser, String) {
    let client = world.client("editor").await;
    let mut browser = world.browser();
    let location = client.approve(&mut browser, &[]).await;
    (client, browser, location)
}

/// What the provider's ID token says, bent.
async fn told_of(world: &World, bend: impl FnOnce(&mut Value)) {
    let (_, mut browser, location) = at_provider(world).await;
    let mut claims = world.auth0.id_token_claims(&location, &Person::named("alice"));
    bend(&mut claims);
    let token = world.auth0.key().sign_jwt("JWT", &claims);
    browser.get(&world.auth0.log_in_with(&location, token)).await.expect(303);
}

on_both! {
    async fn what_is_refused_at_the_door_is_found_by_the_reference_of_its_page(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let client = world.web_client("editor").await;
        let web = "https://client.example.com";
        let twice = format!("{}&resource=a&resource=b", client.authorize_url(&[]));
        for (url, cause) in [
            (client.authorize_url(&[("client_id", "never-registered")]), "unknown_client"),
            (client.authorize_url(&[("client_id", "")]), "missing_client_id"),
            (client.authorize_url(&[("client_id", "https://127.0.0.1/a@b")]),
                "malformed_document_url"),
            (client.authorize_url(&[("redirect_uri", &format!("{web}:8443/callback"))]),
                "redirect_port_differs"),
            (client.authorize_url(&[("redirect_uri", &format!("{web}/other?secret=x"))]),
                "redirect_differs"),
            (twice, "repeated_parameter"),
            (client.authorize_url(&[("code_challenge", "")]), "missing_code_challenge"),
            (client.authorize_url(&[("code_challenge_method", "plain")]),
                "unsupported_challenge_method"),
            (client.authorize_url(&[("code_challenge", &CHALLENGE[1..])]),
                "malformed_code_challenge"),
            (client.authorize_url(&[("resource", "https://other.example/mcp")]),
                "unknown_resource"),
            (client.authorize_url(&[("response_type", "token")]), "unsupported_request"),
            (client.authorize_url(&[("prompt", "none")]), "interaction_required"),
        ] {
            let page = world.browser().get(&url).await.expect(400);
            let found = asker.newest(&world).await;
            assert_eq!(found["attempt"]["cause"], cause, "{found}");
            assert_eq!(found["attempt"]["reference"], reference_on(&page), "{cause}");
            assert!(!found["advice"].as_str().unwrap().is_empty());
            assert!(!found.to_string().contains("secret"), "{found}");
        }
        world.browser().get(&client.authorize_url(&[
            ("redirect_uri", &format!("{web}:8443/callback"))])).await.expect(400);
        let both = format!("asked for {web}:8443/callback, registered {web}/callback");
        assert_eq!(asker.newest(&world).await["attempt"]["detail"], both);
    }

    async fn a_registration_that_was_here_once_is_told_from_one_that_never_was(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let client = world.client("editor").await;
        world.advance(91 * DAY);
        world.keep_houses().await;
        for (client_id, detail) in [
            (&*client.client_id, "it registered here on 2027-01-15 and is gone since"),
            ("other", "it never registered here, as far as the audit log goes back"),
        ] {
            let url = client.authorize_url(&[("client_id", client_id)]);
            world.browser().get(&url).await.expect(400);
            let found = asker.newest(&world).await;
            assert_eq!(found["attempt"]["detail"], detail, "{found}");
            assert_eq!(found["attempt"]["client_id"], client_id);
        }
        // What a stranger writes there may be anything.
        let url = client.authorize_url(&[("client_id", "alice@example.com")]);
        world.browser().get(&url).await.expect(400);
        assert!(!asker.newest(&world).await.to_string().contains("example.com"));
    }

    async fn documents_that_changed_are_gone_or_are_too_many_are_told_apart(backend: Backend) {
        let settings = [READS_LOOPBACK, ("limit_cimd", "3/10m")];
        let world = World::with(backend, &settings).await;
        let (asker, publisher) = (Asker::of(&world).await, Publisher::start().await);
        let web = "https://client.example.com/callback";
        let client = publisher.client(&world, "editor", &[web]).await;
        world.browser().get(&client.authorize_url(&[])).await.expect(200);
        assert_eq!(asker.cause(&world).await, "under_way");
        world.advance(DAY);
        publisher.publish("editor", &publisher.document("editor", &["https://new.example/cb"]))
            .await;
        world.browser().get(&client.authorize_url(&[])).await.expect(400);
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "redirect_differs");
        assert_eq!(found["attempt"]["client_kind"], "document");
        world.advance(DAY);
        publisher.forget().await;
        for (status, cause) in [(400, "unusable_document"), (400, "unusable_document"),
            (400, "unusable_document"), (429, "limited")] {
            world.browser().get(&client.authorize_url(&[])).await.expect(status);
            assert_eq!(asker.cause(&world).await, cause);
        }
    }

    async fn who_does_not_answer_says_no_or_keeps_no_cookies(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        assert_eq!(asker.cause(&world).await, "under_way");
        // Nobody's cookies came with this form.
        let refused = client.decide(&mut world.browser(), &page, "approve").await.expect(403);
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "foreign_form");
        assert_eq!(found["attempt"]["reference"], reference_on(&refused));
        client.decide(&mut browser, &page, "deny").await.expect(200);
        client.decide(&mut browser, &page, "approve").await.expect(400);
        assert_eq!(asker.newest(&world).await["attempt"]["outcome"], "declined");
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        world.advance(10 * MINUTE);
        assert_eq!(asker.cause(&world).await, "consent_unanswered");
        client.decide(&mut browser, &page, "approve").await.expect(400);
        assert_eq!(asker.cause(&world).await, "consent_expired");
    }

    async fn what_happens_at_the_provider_is_told_apart(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let (_, mut browser, location) = at_provider(&world).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        let page = world.browser().get(&callback).await.expect(400);
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "other_browser");
        assert_eq!(found["attempt"]["reference"], reference_on(&page));
        // The right one comes after all.
        browser.get(&callback).await.expect(303);
        assert_eq!(asker.cause(&world).await, "under_way");
        let (_, mut browser, location) = at_provider(&world).await;
        world.advance(10 * MINUTE);
        assert_eq!(asker.cause(&world).await, "never_came_back");
        let late = world.auth0.log_in(&location, &Person::named("alice"));
        browser.get(&late).await.expect(400);
        assert_eq!(asker.cause(&world).await, "came_back_late");
        for (says, cause, detail) in [
            ("access_denied", "provider_denied", "access_denied"),
            ("server_error", "provider_failed", "server_error"),
            ("<script>", "provider_failed", "an error of its own"),
        ] {
            let (_, mut browser, location) = at_provider(&world).await;
            let state = query(&location, "state").unwrap();
            let back = world.auth0.callback(&location, &[("error", says), ("state", &state)]);
            browser.get(&back).await.expect(303);
            let found = asker.newest(&world).await;
            assert_eq!(found["attempt"]["cause"], cause, "{found}");
            assert_eq!(found["attempt"]["detail"], detail, "{found}");
        }
    }

    async fn clocks_that_go_wrong_and_tokens_not_believed_are_told(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let now = || gatehouse::clock::Clock::now(&*world.clock).seconds();
        told_of(&world, |claims| claims["iat"] = json!(now() + 312)).await;
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "provider_clock_ahead");
        assert_eq!(found["attempt"]["detail"], "by 312 seconds");
        told_of(&world, |claims| claims["exp"] = json!(now() - 90)).await;
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "provider_clock_behind");
        assert_eq!(found["attempt"]["detail"], "it expired 90 seconds before");
        told_of(&world, |claims| claims["nonce"] = json!("other")).await;
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "id_token_refused");
        assert_eq!(found["attempt"]["detail"], "it answers another request");
        // A code that it never gave.
        let (_, mut browser, location) = at_provider(&world).await;
        let state = query(&location, "state").unwrap();
        let back = world.auth0.callback(&location, &[("code", "x"), ("state", &state)]);
        browser.get(&back).await.expect(303);
        assert_eq!(asker.cause(&world).await, "provider_refused_code");
        // Another issuer.
        let (_, mut browser, location) = at_provider(&world).await;
        let back = world.auth0.log_in(&location, &Person::named("alice"));
        browser.get(&format!("{back}&iss=https%3A%2F%2Fevil.example")).await.expect(303);
        assert_eq!(asker.cause(&world).await, "provider_untrusted");
    }

    async fn a_provider_that_is_away_is_told_wherever_it_is_missed(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let client = world.client("editor").await;
        world.auth0.fail_with(503).await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        let answer = client.decide(&mut browser, &page, "approve").await.expect(503);
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "provider_unreachable");
        assert_eq!(found["attempt"]["reference"], reference_on(&answer));
        world.auth0.behave().await;
        world.advance(MINUTE);
        let (_, mut browser, location) = at_provider(&world).await;
        let back = world.auth0.log_in(&location, &Person::named("alice"));
        world.auth0.fail_with(503).await;
        browser.get(&back).await.expect(303);
        assert_eq!(asker.cause(&world).await, "provider_unreachable");
    }

    async fn who_may_not_come_in_is_told(backend: Backend) {
        let world = World::with(backend, &[("require_work_email", "true")]).await;
        let asker = Asker::of(&world).await;
        let client = world.client("editor").await;
        let person = Person::named("alice").with("email", json!("a@gmail.com"));
        client.walk(&world, &mut world.browser(), &person, &[]).await;
        assert_eq!(asker.cause(&world).await, "work_email_required");
        // Of two who share a browser, one said yes.
        let client = world.web_client("editor").await;
        let mut browser = world.browser();
        client.walk(&world, &mut browser, &Person::named("bob"), &[]).await;
        let location = browser.get(&client.authorize_url(&[])).await.location();
        let back = world.auth0.log_in(&location, &Person::named("carol"));
        world.advance(SECOND);
        let page = browser.get(&back).await.expect(400);
        world.write_attempts().await;
        let path = format!("/attempts/{}", reference_on(&page));
        let found = asker.operator.get(&path).await.expect(200).json();
        assert_eq!(found["attempt"]["cause"], "other_person", "{found}");
    }

    async fn codes_that_come_to_nothing_are_told_apart(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let client = world.client("editor").await;
        let other = world.client("other").await;
        client.code(&world, "alice", &[]).await;
        assert_eq!(asker.cause(&world).await, "under_way");
        world.advance(MINUTE);
        assert_eq!(asker.cause(&world).await, "never_exchanged");
        for (changes, cause) in [
            (&[("code_verifier", "x")][..], "exchange_verifier"),
            (&[("redirect_uri", "http://127.0.0.1:1/callback")], "exchange_redirect"),
            (&[("client_id", &*other.client_id)], "exchange_other_client"),
            (&[("resource", "https://other.example/mcp")], "exchange_resource"),
        ] {
            let code = client.code(&world, "alice", &[]).await;
            client.exchange_with(&code, changes).await.expect(400);
            assert_eq!(asker.cause(&world).await, cause);
        }
        // What is refused before the code is looked up, guesses among it.
        for (changes, status, detail) in [
            (&[("code_verifier", "")][..], 400, "code_verifier"),
            (&[("client_id", "gone")], 401, "the program is not registered"),
            (&[("client_secret", "s")], 401, "the program authenticates in another way"),
        ] {
            let code = client.code(&world, "alice", &[]).await;
            client.exchange_with("ghc_guessed", changes).await.expect(status);
            client.exchange_with(&code, changes).await.expect(status);
            let found = asker.newest(&world).await;
            assert_eq!(found["attempt"]["cause"], "exchange_malformed", "{found}");
            assert_eq!(found["attempt"]["detail"], detail, "{found}");
        }
        let code = client.code(&world, "alice", &[]).await;
        world.advance(MINUTE);
        client.exchange(&code).await.expect(400);
        assert_eq!(asker.cause(&world).await, "exchange_late");
        let code = client.code(&world, "alice", &[]).await;
        client.exchange(&code).await.expect(200);
        client.exchange(&code).await.expect(400);
        assert_eq!(asker.cause(&world).await, "exchange_replay");
    }

    async fn a_token_that_nobody_uses_is_told_until_somebody_does(backend: Backend) {
        let world = World::start(backend).await;
        let asker = Asker::of(&world).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        assert_eq!(asker.cause(&world).await, "under_way");
        world.advance(5 * MINUTE);
        assert_eq!(asker.cause(&world).await, "never_used");
        world.mcp(&tokens.access_token).ping().await.expect(200);
        assert_eq!(asker.cause(&world).await, "finished");
        // What ends later was used all the same.
        client.revoke(tokens.refresh_token()).await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(401);
        assert_eq!(asker.cause(&world).await, "finished");
        let tokens = client.signed_in(&world, "bob").await;
        client.revoke(tokens.refresh_token()).await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(401);
        let found = asker.newest(&world).await;
        assert_eq!(found["attempt"]["cause"], "use_refused", "{found}");
        assert_eq!(found["attempt"]["detail"], "revoked", "{found}");
    }
}
