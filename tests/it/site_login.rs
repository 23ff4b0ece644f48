//! Signing in to a documentation site: RU-09, BP-01, BP-02, BP-05, BP-06, BP-13, UP-08 … UP-13 of
//! the requirements, CORS with cookies, and signing out here and at the provider.

use crate::support::answer::query;
use crate::support::browser::{form, link};
use crate::support::database::db_number;
use crate::support::signed_in::{
    SITE, WITH_SITE, is_signed_in, log_in, login_url, session, signed_in,
};
use crate::support::{Answer, Backend, Browser, MINUTE, Person, World, on_both};
use serde_json::json;

/// A page of the site, with all that an address may hold.
const PAGE: &str = "https://docs.example.com/a/page?v=24.1&x=%2F#a-section";

/// Addresses that must lead nowhere. The first two never begin a login either.
fn hostile(world: &World) -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        "/",
        "/account",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "https://docs.example.com.evil.example/",
        "https://docs.example.com@evil.example/",
        "https://docs.example.com:x@evil.example/",
        "https://docs.example.com:8443/",
        "https://@docs.example.com/",
        "https://u:p@docs.example.com/",
        "https:docs.example.com/",
        "https:/docs.example.com/",
        "https:///docs.example.com/",
        "https:\\\\docs.example.com\\",
        "https://evil.example\\@docs.example.com/",
        "https://docs.example.com\\@evil.example/",
        "https://DOCS.example.com/",
        "HTTPS://docs.example.com/",
        "http://docs.example.com/",
        "https://docs.example.com./",
        "https://docs.example.com%2eevil.example/",
        "https://evil.example/?https://docs.example.com/",
        "https://evil.example/#https://docs.example.com/",
        "https://docs.example.com/\r\nlocation: https://evil.example/",
        "https://docs.example.com\t/",
        "\thttps://docs.example.com/",
        " https://docs.example.com/",
        "https://docs.example.com/\u{0}",
        "https://docs。example。com/",
        "javascript:alert(document.cookie)",
        "javascript://docs.example.com/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "blob:https://docs.example.com/1",
        "vbscript:x",
        "file:///etc/passwd",
        "null",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("https://docs.example.com/{}", "a".repeat(1001)));
    for path in ["/", "/logout", "/oauth/authorize", "/account/../logout", "/account?x=y", "/mcp"] {
        all.push(format!("{}{path}", world.url));
    }
    all
}

on_both! {
    async fn a_person_signs_in_to_the_site_and_comes_back_to_the_very_page(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = world.browser();
        let before = browser.fetch_from(SITE, &world.at("/session")).await.expect(200);
        assert_eq!(before.json(), json!({"signed_in": false}));
        let provider = browser.get(&login_url(&world, PAGE)).await.location();
        assert_eq!(query(&provider, "redirect_uri"), Some(world.at("/mcp/callback")));
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        assert_eq!(browser.get(&callback).await.location(), PAGE);
        let known = browser.fetch_from(SITE, &world.at("/session")).await.expect(200).json();
        assert_eq!(known["signed_in"], true);
        assert_eq!(known["name"], "alice");
        assert_eq!(known["email"], "alice@example.com");
        assert_eq!(known["organization"], "example-inc");
        assert_eq!(known["expires_at"], 1_800_000_000 + 7 * 24 * 3600);
        // The person is the same that clients know.
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        assert_eq!(known["sub"], tokens.claims()["sub"]);
        // The next time nobody asks the provider.
        let asked = world.auth0.token_requests().await;
        assert_eq!(browser.get(&login_url(&world, PAGE)).await.location(), PAGE);
        assert_eq!(world.auth0.token_requests().await, asked);
    }

    async fn nobody_is_led_anywhere_that_is_not_listed(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut somebody = signed_in(&world, "alice").await;
        let asked = somebody.get(&world.at("/logout")).await.expect(200);
        let shown = form(&asked.body);
        for bad in hostile(&world) {
            for browser in [&mut world.browser(), &mut somebody] {
                let begun = browser.get(&login_url(&world, &bad)).await.expect(400);
                assert_eq!(begun.header("location"), None, "{bad}");
                assert!(!begun.body.contains("evil"), "{bad}");
                let url = login_url(&world, &bad).replace("/login?", "/logout?");
                let left = browser.get(&url).await.expect(400);
                assert_eq!(left.header("location"), None, "{bad}");
                assert!(!left.body.contains("evil"), "{bad}");
            }
            if !bad.is_empty() {
                let changes = [("return_to", bad.as_str())];
                let posted = somebody.submit(&world.local, &shown, &changes).await.expect(400);
                assert!(posted.header("location").is_none(), "{bad}");
            }
        }
        // Nor by a second value, whichever of the two is read, nor by another name.
        for query in [
            format!("return_to={SITE}&return_to={SITE}"),
            format!("return_to={SITE}&return_to=https://evil.example/"),
            format!("next={SITE}&url={SITE}&redirect_uri={SITE}&post_logout_redirect_uri={SITE}"),
        ] {
            somebody.get(&world.at(&format!("/login?{query}"))).await.expect(400);
        }
        let elsewhere = world.at("/logout?next=https://evil.example/&state=https://evil.example/");
        somebody.get(&elsewhere).await.expect(200);
        assert!(is_signed_in(&world, &mut somebody).await);
    }

    async fn without_a_listed_site_only_the_account_page_is_led_to(backend: Backend) {
        let world = World::start(backend).await;
        world.browser().get(&login_url(&world, PAGE)).await.expect(400);
        let account = format!("{}/account", world.url);
        world.browser().get(&login_url(&world, &account)).await.expect(303);
    }

    async fn a_site_that_is_no_longer_listed_is_not_led_to_by_a_login_under_way(backend: Backend) {
        let mut world = World::with(backend, &WITH_SITE).await;
        let mut browser = world.browser();
        let provider = browser.get(&login_url(&world, PAGE)).await.location();
        world.restart(&[("site_origins", "https://other.example.com")]).await;
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        let refused = browser.get(&callback).await.expect(400);
        assert!(refused.header("location").is_none());
        assert!(!is_signed_in(&world, &mut browser).await);
    }

    async fn asking_to_sign_in_writes_nothing(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        for _ in 0..20 {
            world.browser().get(&login_url(&world, PAGE)).await.expect(303);
        }
        let rows = "SELECT (SELECT count(*) FROM browser_logins)
            + (SELECT count(*) FROM browser_sessions) + (SELECT count(*) FROM upstream_logins)";
        assert_eq!(db_number(&world.database_url, rows).await, 0);
        log_in(&world, &mut world.browser(), &Person::named("alice"), PAGE).await.expect(303);
        assert_eq!(db_number(&world.database_url, rows).await, 2);
    }

    async fn another_browser_that_finishes_the_login_gets_nothing_and_spends_nothing(
        backend: Backend
    ) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = world.browser();
        let provider = browser.get(&login_url(&world, PAGE)).await.location();
        let callback = world.auth0.log_in(&provider, &Person::named("mallory"));
        // A stranger, one with a login of their own, and one whose cookies are blocked.
        let mut stranger = world.browser();
        let theirs = stranger.get(&login_url(&world, PAGE)).await.location();
        assert_ne!(query(&theirs, "state"), query(&provider, "state"));
        for other in [&mut stranger, &mut world.browser()] {
            let refused = other.get(&callback).await.expect(400);
            assert!(refused.header("location").is_none());
            assert!(!is_signed_in(&world, other).await);
        }
        // A changed cookie counts as none.
        let mut bent = browser.clone();
        bent.bend_cookies();
        bent.get(&callback).await.expect(400);
        assert_eq!(world.auth0.token_requests().await, 0);
        assert_eq!(browser.get(&callback).await.location(), PAGE);
    }

    async fn a_callback_works_once_however_many_arrive(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = world.browser();
        let provider = browser.get(&login_url(&world, PAGE)).await.location();
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        let arrivals: Vec<_> = (0..8).map(|_| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            tokio::spawn(async move { browser.get(&callback).await.status })
        }).collect();
        let mut statuses = Vec::new();
        for arrival in arrivals {
            statuses.push(arrival.await.unwrap());
        }
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 7, "{statuses:?}");
        assert_eq!(world.auth0.token_requests().await, 1);
        // And later, in the browser that still holds the cookie.
        let late = browser.get(&callback).await.expect(400);
        assert!(late.body.contains("This sign-in is finished"), "{}", late.body);
    }

    async fn a_login_that_takes_too_long_is_none(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = world.browser();
        let provider = browser.get(&login_url(&world, PAGE)).await.location();
        world.advance(10 * MINUTE);
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        browser.get(&callback).await.expect(400);
        assert_eq!(world.auth0.token_requests().await, 0);
    }

    async fn what_the_provider_does_wrong_signs_nobody_in(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let at_callback = async |parameters: &[(&str, &str)]| {
            let mut browser = world.browser();
            let provider = browser.get(&login_url(&world, PAGE)).await.location();
            let state = query(&provider, "state").unwrap();
            let mut all = vec![("state", state.as_str())];
            all.extend(parameters);
            let answer = browser.get(&world.auth0.callback(&provider, &all)).await;
            assert!(!is_signed_in(&world, &mut browser).await);
            answer
        };
        let lie = [("code", "x"), ("iss", "https://evil.example/")];
        for parameters in [&[("error", "access_denied")][..], &[("code", "unknown")], &[], &lie] {
            let refused = at_callback(parameters).await.expect(400);
            assert!(refused.header("location").is_none());
            // The way on is a link of ours, and leads to the same page in the end.
            let again = link(&refused.body, "Try again").expect("a way on");
            assert_eq!(query(&world.at(&again), "return_to").as_deref(), Some(PAGE));
        }
        world.auth0.fail_with(503).await;
        at_callback(&[("code", "x")]).await.expect(503);
    }

    async fn a_work_address_is_required_where_it_is_required(backend: Backend) {
        let settings = [WITH_SITE[0], ("require_work_email", "true")];
        let mut world = World::with(backend, &settings).await;
        let private = Person::named("alice").with("email", json!("alice@gmail.com"));
        let mut browser = world.browser();
        let refused = log_in(&world, &mut browser, &private, PAGE).await.expect(403);
        assert!(refused.body.contains("A work address is required"));
        assert!(!is_signed_in(&world, &mut browser).await);
        let people = "SELECT count(*) FROM users";
        assert_eq!(db_number(&world.database_url, people).await, 0);
        // Who came in before the rule is nobody to the site under it, and is asked again.
        world.restart(&[("require_work_email", "false")]).await;
        log_in(&world, &mut browser, &private, PAGE).await.expect(303);
        assert!(is_signed_in(&world, &mut browser).await);
        world.restart(&[("require_work_email", "true")]).await;
        assert!(!is_signed_in(&world, &mut browser).await);
        let asked = browser.get(&login_url(&world, PAGE)).await.location();
        assert!(asked.starts_with(&world.auth0.issuer()), "{asked}");
    }

    async fn only_the_listed_site_may_read_who_is_signed_in(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = signed_in(&world, "alice").await;
        let url = world.at("/session");
        let granted = |answer: &Answer| {
            let header = |name: &str| answer.header(name).map(str::to_owned);
            (header("access-control-allow-origin"), header("access-control-allow-credentials"))
        };
        let theirs = (Some(SITE.to_owned()), Some("true".to_owned()));
        for (origin, readable) in [
            (SITE, true),
            ("https://docs.example.com.evil.example", false),
            ("https://evil.example", false),
            ("https://docs.example.com:8443", false),
            ("http://docs.example.com", false),
            ("https://DOCS.example.com", false),
            ("https://docs.example.com/", false),
            ("null", false),
            ("*", false),
            (world.url.as_str(), false),
        ] {
            let answer = browser.fetch_from(origin, &url).await.expect(200);
            let expected = if readable { theirs.clone() } else { (None, None) };
            assert_eq!(granted(&answer), expected, "{origin}");
            assert_eq!(answer.header("vary"), Some("Origin"), "{origin}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let preflight = world.http.request(reqwest::Method::OPTIONS, &url)
                .header("origin", origin).header("access-control-request-method", "GET");
            let preflight = Answer::to(preflight).await;
            assert_eq!(preflight.status, if readable { 204 } else { 403 }, "{origin}");
            assert_eq!(granted(&preflight), expected, "{origin}");
        }
        // Without an origin too, so that no cache hands one site's answer to another.
        assert_eq!(browser.get(&url).await.expect(200).header("vary"), Some("Origin"));
        // No other page of ours is readable, for the site neither.
        for path in ["/account", "/logout", "/login?return_to=https%3A%2F%2Fdocs.example.com"] {
            let answer = browser.fetch_from(SITE, &world.at(path)).await;
            assert_eq!(granted(&answer), (None, None), "{path}");
        }
    }

    async fn signing_out_ends_the_session_here_and_at_the_provider(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = signed_in(&world, "alice").await;
        let stolen = browser.clone();
        // A visit alone does nothing.
        let url = login_url(&world, PAGE).replace("/login?", "/logout?");
        let asked = browser.get(&url).await.expect(200);
        assert!(is_signed_in(&world, &mut browser).await);
        let left = browser.submit(&world.local, &form(&asked.body), &[]).await;
        // Nobody is known in this browser any more, and a copy of its cookies is worth nothing.
        let of_a_login = |name: &&str| name.starts_with("gatehouse_login_");
        assert!(browser.cookie_names().iter().all(of_a_login));
        assert!(!is_signed_in(&world, &mut stolen.clone()).await);
        let back = world.auth0.log_out(&left.location());
        assert!(back.starts_with(&world.at("/logout?state=")), "{back}");
        assert!(!back.contains("docs.example.com"), "{back}");
        assert_eq!(browser.get(&back).await.location(), PAGE);
        // Not for ever, and not with a changed state.
        let bent = back.replace("state=", "state=A");
        browser.get(&bent).await.expect(200);
        world.advance(10 * MINUTE);
        browser.get(&back).await.expect(200);
        // A second answer of the same form finds nobody.
        let again = browser.submit(&world.local, &form(&asked.body), &[]).await.expect(200);
        assert!(again.body.contains("You are signed out"));
    }

    async fn signing_out_without_a_place_to_go_ends_on_a_page(backend: Backend) {
        let world = World::start(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let asked = browser.get(&world.at("/logout")).await.expect(200);
        let left = browser.submit(&world.local, &form(&asked.body), &[]).await;
        let back = world.auth0.log_out(&left.location());
        assert_eq!(back, world.at("/logout"));
        assert!(browser.get(&back).await.expect(200).body.contains("You are signed out"));
    }

    async fn a_provider_without_logout_or_away_keeps_nobody_signed_in(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let url = login_url(&world, PAGE).replace("/login?", "/logout?");
        let issuer = world.auth0.issuer();
        let without = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}authorize"),
            "token_endpoint": format!("{issuer}oauth/token"),
            "jwks_uri": format!("{issuer}.well-known/jwks.json"),
        });
        let mut insecure = without.clone();
        insecure["end_session_endpoint"] = json!("http://evil.example/logout");
        // One that answers as somebody else is not believed in anything.
        let mut another = without.clone();
        another["issuer"] = json!("https://other.example/");
        another["end_session_endpoint"] = json!(format!("{issuer}oidc/logout"));
        for document in [without, insecure, another] {
            let mut browser = signed_in(&world, "alice").await;
            // Long enough for the known endpoints to be old.
            world.advance(61 * MINUTE);
            world.auth0.forget().await;
            world.auth0.mount_discovery(document.clone()).await;
            let asked = browser.get(&url).await.expect(200);
            let left = browser.submit(&world.local, &form(&asked.body), &[]).await;
            assert_eq!(left.location(), PAGE, "{document}");
            assert!(!is_signed_in(&world, &mut browser).await);
            world.advance(61 * MINUTE);
            world.auth0.behave().await;
        }
    }

    async fn signing_in_as_somebody_else_replaces_the_session(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = signed_in(&world, "alice").await;
        let before = browser.clone();
        // The site sends the person to sign out first; the provider then lets somebody else in.
        let asked = browser.get(&world.at("/logout")).await.expect(200);
        let mut other_tab: Browser = before.clone();
        browser.submit(&world.local, &form(&asked.body), &[]).await.expect(303);
        log_in(&world, &mut browser, &Person::named("bob"), PAGE).await.expect(303);
        assert_eq!(session(&world, &mut browser).await["name"], "bob");
        assert!(!is_signed_in(&world, &mut other_tab).await);
        // A login that began while alice was signed in ends as whoever finished it.
        let mut shared = world.browser();
        let provider = shared.get(&login_url(&world, PAGE)).await.location();
        log_in(&world, &mut shared, &Person::named("alice"), PAGE).await.expect(303);
        let alices = shared.clone();
        shared.get(&world.auth0.log_in(&provider, &Person::named("bob"))).await.expect(303);
        assert_eq!(session(&world, &mut shared).await["name"], "bob");
        assert!(!is_signed_in(&world, &mut alices.clone()).await);
    }
}
