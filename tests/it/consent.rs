//! Consent before the provider: SB-01 … SB-18 and BP of the requirements.

use crate::support::answer::query;
use crate::support::browser::{form, link};
use crate::support::signed_in::signed_in;
use crate::support::{Answer, Backend, OAuthClient, Person, World, on_both};

on_both! {
    async fn the_page_names_the_client_its_claim_the_destination_the_scopes_and_what_is_kept(
        backend: Backend
    ) {
        let privacy = [("privacy_url", "https://example.com/privacy"),
            ("signup_url", "https://example.com/signup")];
        let world = World::with(backend, &privacy).await;
        let client = world.client("Editor <b>& \"friends\"</b>").await;
        let page = world.browser().get(&client.authorize_url(&[])).await.expect(200).body;
        for text in [
            "Editor &lt;b&gt;&amp; &quot;friends&quot;&lt;/b&gt;",
            "not verified",
            "http://127.0.0.1:49152/callback",
            "docs:read",
            "docs:feedback",
            "e-mail address, name and organization",
            "https://example.com/privacy",
            "https://example.com/signup",
            &world.at("/mcp"),
            "program on your own computer",
        ] {
            assert!(page.contains(text), "{text:?} is missing in {page}");
        }
        assert!(!page.contains("<script") && !page.contains("<b>"));
    }

    async fn nothing_reaches_the_provider_before_the_approval(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        assert_eq!(world.auth0.requests().await.len(), 0);
        assert!(browser.cookie_names().iter().all(|name| name.starts_with("gatehouse_request_")));
        let location = client.decide(&mut browser, &page, "approve").await.location();
        let login = |name: &&&str| name.starts_with("gatehouse_login_");
        assert_eq!(browser.cookie_names().iter().filter(login).count(), 1);
        assert!(query(&location, "state").unwrap().len() >= 43);
        assert_eq!(query(&location, "redirect_uri"), Some(world.at("/mcp/callback")));
    }

    async fn every_page_carries_the_security_headers(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let asked = browser.get(&client.authorize_url(&[])).await.expect(200);
        let refused = browser.get(&client.authorize_url(&[("client_id", "x")])).await.expect(400);
        let cold = browser.get(&world.at("/mcp/callback")).await.expect(400);
        let denied = client.decide(&mut browser, &asked.body, "deny").await.expect(200);
        for page in [asked, refused, cold, denied] {
            let policy = page.header("content-security-policy").unwrap();
            for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part), "{policy}");
            }
            // It would block the redirect that follows the approval (BP-04).
            assert!(!policy.contains("form-action"));
            assert_eq!(page.header("x-frame-options"), Some("DENY"));
            assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(page.header("cache-control"), Some("no-store"));
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        }
    }

    async fn cookies_are_tied_to_the_host_over_tls_and_plain_on_loopback(backend: Backend) {
        let public = World::with(backend, &[("public_url", "https://docs.example.com")]).await;
        let local = World::start(backend).await;
        for (world, prefix, secure) in [(&public, "__Host-", true), (&local, "", false)] {
            let client = world.client("editor").await;
            let asked = Answer::of(world.http.get(client.authorize_url(&[])).send().await.unwrap());
            let asked = asked.await.expect(200);
            let cookie = asked.header("set-cookie").unwrap();
            assert!(cookie.starts_with(&format!("{prefix}gatehouse_request_")), "{cookie}");
            for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Lax"] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
            let transport = asked.header("strict-transport-security").is_some();
            assert_eq!(transport, secure);
        }
    }

    async fn a_form_from_elsewhere_decides_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let carried = |page: &str| {
            form(page).fields.iter().find(|(name, _)| name == "request").unwrap().1.clone()
        };
        let shown = carried(&browser.get(&client.authorize_url(&[])).await.expect(200).body);
        let url = world.at("/oauth/consent");
        let right = [("request", shown.as_str()), ("decision", "approve")];

        // Another browser with the right form, whether it has a page of its own or not.
        let mut stranger = world.browser();
        stranger.post(&url, &right).await.expect(403);
        let theirs = carried(&stranger.get(&client.authorize_url(&[])).await.expect(200).body);
        stranger.post(&url, &right).await.expect(403);
        // The right browser with a form it was not shown, a changed one, or none.
        let bent: String = shown.chars().rev().collect();
        for request in [theirs.as_str(), bent.as_str(), "", "x"] {
            browser.post(&url, &[("request", request), ("decision", "approve")]).await.expect(403);
        }
        // The right browser and form, sent by another site.
        let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        for (header, value) in foreign {
            let request = world.http.post(&url).form(&right).header(header, value);
            browser.send(request).await.expect(403);
        }
        // An unknown decision, a repeated field, another content type.
        let unknown = [right[0], ("decision", "maybe")];
        browser.post(&url, &unknown).await.expect(403);
        let twice = [right[0], right[1], ("decision", "deny")];
        browser.post(&url, &twice).await.expect(403);
        browser.send(world.http.post(&url).body("{}")).await.expect(403);
        // None of it used the request up; and `Origin: null` is what our own page may send.
        let request = world.http.post(&url).form(&right)
            .header("origin", "null").header("sec-fetch-site", "same-origin");
        browser.send(request).await.expect(303);
    }

    async fn a_changed_cookie_counts_as_none(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        browser.bend_cookies();
        client.decide(&mut browser, &page, "approve").await.expect(403);
    }

    async fn denying_stays_here_with_a_labelled_way_back(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        let denied = client.decide(&mut browser, &page, "deny").await.expect(200);
        let to = link(&denied.body, "return to it").unwrap();
        assert_eq!(query(&to, "error").as_deref(), Some("access_denied"));
        assert_eq!(query(&to, "state").as_deref(), Some("client-state"));
        assert_eq!(query(&to, "iss").as_deref(), Some(world.url.as_str()));
        assert_eq!(world.auth0.requests().await.len(), 0);
        // Decided once: it cannot be approved afterwards.
        let again = client.decide(&mut browser, &page, "approve").await.expect(400);
        assert!(again.body.contains("answered this already"));
    }

    async fn of_parallel_decisions_one_counts(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        let decisions = (0..8).map(|_| {
            let (client, mut browser, page) = (client.clone(), browser.clone(), page.clone());
            tokio::spawn(async move { client.decide(&mut browser, &page, "approve").await.status })
        });
        let mut statuses = Vec::new();
        for decision in decisions.collect::<Vec<_>>() {
            statuses.push(decision.await.unwrap());
        }
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 7, "{statuses:?}");
    }

    async fn an_approval_is_remembered_for_this_person_client_redirect_and_scope_only(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let uris = ["https://client.example.com/callback", "https://client.example.com/other"];
        let client = OAuthClient::register(&world, "web", &uris).await;
        let mut browser = world.browser();
        let alice = Person::named("alice");
        client.walk(&world, &mut browser, &alice, &[("scope", "docs:read")]).await;

        // The same again: straight to the provider, and the same person gets a code.
        let url = client.authorize_url(&[("scope", "docs:read")]);
        let to_provider = browser.get(&url).await.location();
        let end = browser.get(&world.auth0.log_in(&to_provider, &alice)).await.location();
        assert!(query(&end, "code").is_some());

        // Anything changed: asked again.
        let other = world.web_client("other").await;
        for url in [
            client.authorize_url(&[("scope", "docs:read docs:feedback")]),
            client.authorize_url(&[("scope", "docs:read"), ("redirect_uri", uris[1])]),
            client.authorize_url(&[("scope", "docs:read"), ("prompt", "consent")]),
            other.authorize_url(&[("scope", "docs:read")]),
        ] {
            browser.get(&url).await.expect(200);
        }
        // Another browser: asked, also one in which the same person is signed in to their account.
        world.browser().get(&url).await.expect(200);
        signed_in(&world, "alice").await.get(&url).await.expect(200);
    }

    async fn an_approval_for_loopback_is_never_remembered(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        client.walk(&world, &mut browser, &Person::named("alice"), &[]).await;
        browser.get(&client.authorize_url(&[])).await.expect(200);
    }

    async fn a_remembered_approval_is_void_for_somebody_else(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.web_client("web").await;
        let mut browser = world.browser();
        client.walk(&world, &mut browser, &Person::named("alice"), &[]).await;
        let to_provider = browser.get(&client.authorize_url(&[])).await.location();
        let callback = world.auth0.log_in(&to_provider, &Person::named("mallory"));
        let refused = browser.get(&callback).await.expect(400);
        assert!(refused.body.contains("Somebody else signed in"));
        // The next try asks.
        browser.get(&client.authorize_url(&[])).await.expect(200);
    }
}
