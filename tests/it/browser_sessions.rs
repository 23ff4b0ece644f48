//! Browser sessions: fixation, renewal, the two limits, and what a cookie is worth.

use gatehouse::store::{Store, sweep};

use gatehouse::clock::Clock as _;

use crate::support::browser::form;
use crate::support::database::db_number;
use crate::support::signed_in::{SITE, WITH_SITE, is_signed_in, login_url, session, signed_in};
use crate::support::{Backend, DAY, HOUR, MINUTE, Person, SECOND, World, on_both};

const COOKIE: &str = "gatehouse_session";

const PAGE: &str = "https://docs.example.com/page";

on_both! {
    async fn a_session_that_was_planted_before_the_sign_in_is_worth_nothing_after(
        backend: Backend
    ) {
        let world = World::with(backend, &WITH_SITE).await;
        // Mallory's own live session, put into the browser of somebody who then signs in.
        let mut mallory = signed_in(&world, "mallory").await;
        let planted = mallory.cookie(COOKIE).unwrap();
        for value in [planted.as_str(), "junk", ""] {
            let mut browser = world.browser();
            browser.plant(COOKIE, value);
            let url = format!("{}/account", world.url);
            // Who is signed in already is not asked again, so the person signs out first, or comes
            // with a login that began before.
            let provider = {
                let mut fresh = world.browser();
                let location = fresh.get(&login_url(&world, &url)).await.location();
                for name in fresh.cookie_names() {
                    browser.plant(name, &fresh.cookie(name).unwrap());
                }
                location
            };
            browser.get(&world.auth0.log_in(&provider, &Person::named("alice"))).await.expect(303);
            let fresh = browser.cookie(COOKIE).unwrap();
            assert_ne!(fresh, value);
            assert_eq!(session(&world, &mut browser).await["name"], "alice");
            // What mallory kept is not alice, and not even mallory any more.
            assert!(!is_signed_in(&world, &mut mallory).await);
            mallory = world.browser();
        }
    }

    async fn two_sign_ins_share_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let (mut here, mut there) =
            (signed_in(&world, "alice").await, signed_in(&world, "alice").await);
        assert_ne!(here.cookie(COOKIE), there.cookie(COOKIE));
        let asked = here.get(&world.at("/logout")).await.expect(200);
        here.submit(&world.local, &form(&asked.body), &[]).await.expect(303);
        assert!(!is_signed_in(&world, &mut here).await);
        assert!(is_signed_in(&world, &mut there).await);
    }

    async fn the_cookie_is_tied_to_the_host_and_hidden_from_scripts(backend: Backend) {
        let public = World::with(backend, &[("public_url", "https://gate.example.com")]).await;
        let local = World::start(backend).await;
        for (world, name, secure) in
            [(&public, "__Host-gatehouse_session", true), (&local, "gatehouse_session", false)]
        {
            let account = format!("{}/account", world.url);
            let mut browser = world.browser();
            let provider = browser.get(&login_url(world, &account)).await.location();
            let callback = world.auth0.log_in(&provider, &Person::named("alice"));
            let callback = callback.replace(&world.url, &world.local);
            let back = browser.get(&callback).await;
            assert_eq!(back.location(), account);
            let cookies = back.headers.get_all("set-cookie").iter();
            let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap()).collect();
            let named = |cookie: &&&str| cookie.starts_with(&format!("{name}="));
            let cookie = cookies.iter().find(named).unwrap_or_else(|| panic!("{cookies:?}"));
            for attribute in ["; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Max-Age=2592000;"] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
    }

    async fn a_changed_or_foreign_cookie_counts_as_none(backend: Backend) {
        let world = World::start(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let mut bent = browser.clone();
        bent.bend_cookies();
        assert!(!is_signed_in(&world, &mut bent).await);
        // A sealed value of ours that was made for something else.
        let mut other = world.browser();
        let client = world.client("editor").await;
        client.walk(&world, &mut other, &Person::named("alice"), &[]).await;
        let person = other.cookie("gatehouse_person").unwrap();
        other.plant(COOKIE, &person);
        assert!(!is_signed_in(&world, &mut other).await);
        assert!(is_signed_in(&world, &mut browser).await);
    }

    async fn a_session_ends_when_it_is_idle_and_lasts_while_it_is_used(backend: Backend) {
        let world = World::start(backend).await;
        let mut used = signed_in(&world, "alice").await;
        let mut idle = signed_in(&world, "alice").await;
        let day_by_day = 8;
        for _ in 0..day_by_day {
            world.advance(DAY - SECOND);
            assert!(is_signed_in(&world, &mut used).await);
        }
        assert!(!is_signed_in(&world, &mut idle).await);
        world.advance(7 * DAY - SECOND);
        assert!(is_signed_in(&world, &mut used.clone()).await);
        world.advance(7 * DAY);
        assert!(!is_signed_in(&world, &mut used).await);
    }

    async fn a_session_ends_to_the_second_however_much_it_is_used(backend: Backend) {
        let settings = [("session_idle_ttl", "2d"), ("session_max_ttl", "5d")];
        let world = World::with(backend, &settings).await;
        let mut browser = signed_in(&world, "alice").await;
        for _ in 0..4 {
            world.advance(DAY);
            assert!(is_signed_in(&world, &mut browser).await);
        }
        let known = session(&world, &mut browser).await;
        assert_eq!(known["expires_at"], 1_800_000_000 + 5 * 24 * 3600);
        world.advance(DAY - SECOND);
        assert!(is_signed_in(&world, &mut browser).await);
        world.advance(SECOND);
        assert!(!is_signed_in(&world, &mut browser).await);
        // The page says so in its own way, and a form that was shown before does nothing.
        let page = browser.get(&world.at("/account")).await.expect(200);
        assert!(page.body.contains("Sign in to see"), "{}", page.body);
    }

    async fn the_value_is_renewed_while_it_is_used_and_parallel_requests_agree(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let mut browser = signed_in(&world, "alice").await;
        let first = browser.cookie(COOKIE);
        world.advance(HOUR - SECOND);
        assert!(is_signed_in(&world, &mut browser).await);
        assert_eq!(browser.cookie(COOKIE), first);
        world.advance(SECOND);
        // A page asks for several things at once, all with the old value.
        let requests: Vec<_> = (0..8).map(|turn| {
            let mut browser = browser.clone();
            let path = if turn % 2 == 0 { "/session" } else { "/account" };
            let url = world.at(path);
            tokio::spawn(async move {
                let answer = browser.fetch_from(SITE, &url).await.expect(200);
                let is_known = answer.body.contains("alice@example.com");
                assert!(is_known, "{}", answer.body);
                browser
            })
        }).collect();
        let mut browsers = Vec::new();
        for request in requests {
            browsers.push(request.await.unwrap());
        }
        // Whichever answer comes last, the browser has the value that counts.
        for one in &mut browsers {
            assert_ne!(one.cookie(COOKIE), first);
            assert!(is_signed_in(&world, one).await);
        }
        let rows = "SELECT count(*) FROM browser_sessions";
        assert_eq!(db_number(&world.database_url, rows).await, 1);
    }

    async fn a_lost_answer_signs_nobody_out(backend: Backend) {
        let world = World::start(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let first = browser.cookie(COOKIE);
        world.advance(HOUR);
        // The answer with the new value never reaches the browser, nor does the next.
        assert!(is_signed_in(&world, &mut browser.clone()).await);
        world.advance(5 * HOUR);
        assert!(is_signed_in(&world, &mut browser.clone()).await);
        world.advance(DAY);
        // The next one does, and with it the browser goes on.
        assert!(is_signed_in(&world, &mut browser).await);
        assert_ne!(browser.cookie(COOKIE), first);
        assert!(is_signed_in(&world, &mut browser).await);
        world.advance(6 * DAY);
        assert!(is_signed_in(&world, &mut browser).await);
    }

    async fn a_replaced_value_that_comes_back_late_ends_the_session(backend: Backend) {
        let world = World::start(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let stolen = browser.clone();
        world.advance(HOUR);
        // The owner gets a new value and uses it.
        assert!(is_signed_in(&world, &mut browser).await);
        assert!(is_signed_in(&world, &mut browser).await);
        world.advance(MINUTE - SECOND);
        assert!(is_signed_in(&world, &mut stolen.clone()).await);
        world.advance(SECOND);
        assert!(!is_signed_in(&world, &mut stolen.clone()).await);
        assert!(!is_signed_in(&world, &mut browser).await);
    }

    async fn a_session_is_the_same_on_every_replica(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let replica = world.replica(&[]).await;
        let mut browser = world.browser();
        let provider = browser.get(&login_url(&world, PAGE)).await.location();
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        let there = callback.replace(&world.local, &replica);
        assert_eq!(browser.get(&there).await.location(), PAGE);
        assert!(is_signed_in(&world, &mut browser).await);
        world.advance(HOUR);
        let known = browser.get(&format!("{replica}/session")).await.expect(200).json();
        assert_eq!(known["signed_in"], true);
        // Once, whichever replica is asked.
        browser.get(&callback).await.expect(400);
        assert!(is_signed_in(&world, &mut browser).await);
    }

    async fn a_new_secret_signs_nobody_out(backend: Backend) {
        let mut world = World::start(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let old = crate::support::world::SERVER_SECRET;
        let new = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
        world.advance(HOUR);
        // Renewed under the old secret, and the answer lost; then the secret changes.
        assert!(is_signed_in(&world, &mut browser.clone()).await);
        world.restart(&[("secret", new), ("secret_previous", old)]).await;
        assert!(is_signed_in(&world, &mut browser).await);
        world.advance(2 * MINUTE);
        assert!(is_signed_in(&world, &mut browser).await);
    }

    async fn what_is_over_is_cleaned_up(backend: Backend) {
        let world = World::start(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let store = Store::connect(&world.database_url).await.unwrap();
        let swept = sweep::pass(&store, HOUR, world.clock.now()).await.unwrap();
        assert_eq!((swept.browser_logins, swept.browser_sessions), (0, 0));
        world.advance(10 * MINUTE);
        let swept = sweep::pass(&store, HOUR, world.clock.now()).await.unwrap();
        assert_eq!((swept.browser_logins, swept.browser_sessions), (1, 0));
        assert!(is_signed_in(&world, &mut browser).await);
        world.advance(7 * DAY);
        let swept = sweep::pass(&store, HOUR, world.clock.now()).await.unwrap();
        assert_eq!((swept.browser_logins, swept.browser_sessions), (0, 1));
    }
}
