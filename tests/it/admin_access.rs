//! Who administers: over the federation and by tokens, and who does not.

use serde_json::json;

use crate::support::admin::{ALICE_ADMINISTERS, Operator, administers, led_back};
use crate::support::answer::query;
use crate::support::browser::{form, forms};
use crate::support::database::{db_dump_of, db_execute, db_number};
use crate::support::process::run;
use crate::support::signed_in::signed_in;
use crate::support::{Answer, Backend, Browser, HOUR, MINUTE, Person, World, on_both};

async fn house(backend: Backend) -> World {
    World::with(backend, &[ALICE_ADMINISTERS]).await
}

/// Whether the dashboard is shown to this browser.
async fn is_in(world: &World, browser: &mut Browser) -> bool {
    browser.get(&world.admin_at("/admin/")).await.status == 200
}

on_both! {
    async fn a_listed_person_gets_in_and_out_over_the_federation(backend: Backend) {
        let world = house(backend).await;
        let mut browser = world.browser();
        let begun = browser.get(&world.admin_at("/admin/")).await;
        assert_eq!(begun.location(), "/admin/login");
        let back = led_back(&world, &mut browser, &Person::named("alice")).await.location();
        assert!(back.starts_with(&world.admin_at("/admin/signed-in?code=")), "{back}");
        let entered = browser.get(&back).await;
        assert_eq!(entered.location(), "/admin/");
        let cookies: Vec<_> = entered.headers.get_all("set-cookie").iter().collect();
        let session = cookies[0].to_str().unwrap();
        for attribute in ["gatehouse_admin=", "; Path=/admin;", "; HttpOnly", "; SameSite=Lax"] {
            assert!(session.contains(attribute), "{session}");
        }
        let page = browser.get(&world.admin_at("/admin/")).await.expect(200);
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("script"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!page.body.contains("<script") && !page.body.contains("alice@"), "{}", page.body);
        // What is stored opens nothing.
        let value = browser.cookie("gatehouse_admin").unwrap();
        let rows = db_dump_of(&world.database_url, "admin_sessions").await;
        assert!(!String::from_utf8_lossy(&rows).contains(&value));
        let leave = forms(&page.body).into_iter().next_back().unwrap();
        let left = browser.submit(&world.admin_url, &leave, &[("act", "sign_out")]).await;
        assert!(left.expect(200).body.contains("You are signed out of administration"));
        browser.plant("gatehouse_admin", &value);
        assert!(!is_in(&world, &mut browser).await);
    }

    async fn only_who_is_listed_with_a_verified_address_gets_in(backend: Backend) {
        let world = World::with(
            backend,
            &[("admins", "alice@example.com,@corp.example.org,provider:x|none")],
        )
        .await;
        let alice = || Person::named("alice");
        let people = "SELECT count(*) FROM users";
        for (who, is_listed) in [
            (Person::named("bob"), false),
            (alice().with("email_verified", json!(false)), false),
            (alice().with("email_verified", json!(null)), false),
            (alice().with("email", json!("alice@example.com.evil.example")), false),
            (alice().with("email", json!(null)), false),
            (alice(), true),
            (Person::named("carol").with("email", json!("Carol@Corp.Example.org")), true),
        ] {
            let before = db_number(&world.database_url, people).await;
            let mut browser = world.browser();
            let answer = led_back(&world, &mut browser, &who).await;
            if is_listed {
                browser.get(&answer.location()).await.expect(303);
            } else {
                assert_eq!(answer.status, 403, "{:?}", who.claims);
                assert!(answer.body.contains("You are not one of the administrators"));
                // Nobody told them what is kept, so nothing is.
                assert_eq!(db_number(&world.database_url, people).await, before);
            }
            assert_eq!(is_in(&world, &mut browser).await, is_listed, "{:?}", who.claims);
        }
    }

    async fn a_person_who_is_listed_no_more_is_out_at_once(backend: Backend) {
        let mut world = house(backend).await;
        let mut browser = administers(&world, "alice").await;
        assert!(is_in(&world, &mut browser).await);
        world.restart(&[("admins", "bob@example.com")]).await;
        let refused = browser.get(&world.admin_at("/admin/")).await.expect(403);
        assert!(refused.body.contains("You are not one of the administrators"));
        let api = world.admin_at("/admin/api/v1/me");
        let refused = browser.get(&api).await.expect(403).json();
        assert_eq!(refused["code"], "forbidden");
        world.restart(&[ALICE_ADMINISTERS]).await;
        assert!(is_in(&world, &mut browser).await);
        // The provider calls the address unverified since.
        let client = world.client("editor").await;
        let changed = Person::named("alice").with("email_verified", json!(false));
        client.walk(&world, &mut world.browser(), &changed, &[]).await;
        assert!(!is_in(&world, &mut browser).await);
        // Who is gone took the session along.
        db_execute(&world.database_url, "DELETE FROM users").await;
        assert_eq!(browser.get(&world.admin_at("/admin/")).await.location(), "/admin/login");
    }

    async fn a_session_ends_when_it_is_not_used_and_in_any_case(backend: Backend) {
        let world = house(backend).await;
        let mut browser = administers(&world, "alice").await;
        world.advance(30 * MINUTE);
        assert!(!is_in(&world, &mut browser).await);
        let mut browser = administers(&world, "alice").await;
        for _ in 0..(8 * 60 / 25) {
            world.advance(25 * MINUTE);
            assert!(is_in(&world, &mut browser).await);
        }
        world.advance(25 * MINUTE);
        assert!(!is_in(&world, &mut browser).await);
    }

    async fn a_session_at_a_site_opens_no_admin_page(backend: Backend) {
        let world = house(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let login = browser.get(&world.admin_at("/admin/login")).await.location();
        let next = browser.get(&login).await.location();
        // The provider is asked, and nobody is signed in on the public listener for it.
        assert!(next.starts_with(&world.auth0.issuer()), "{next}");
        assert!(!is_in(&world, &mut browser).await);
        let mut other = administers(&world, "alice").await;
        let account = other.get(&world.at("/session")).await.expect(200);
        assert_eq!(account.json(), json!({"signed_in": false}));
    }

    async fn a_code_counts_once_for_a_minute_and_in_its_browser(backend: Backend) {
        let world = house(backend).await;
        let alice = Person::named("alice");
        let mut browser = world.browser();
        let code = led_back(&world, &mut browser, &alice).await.location();
        // A link that somebody else made signs nobody in, with a sign-in under way or without.
        let mut victim = world.browser();
        let stale = victim.get(&code).await.expect(400);
        assert!(stale.body.contains("This sign-in is finished or has expired"));
        victim.get(&world.admin_at("/admin/login")).await.expect(303);
        victim.get(&code).await.expect(400);
        assert!(!is_in(&world, &mut victim).await);
        // That spent nothing.
        browser.get(&code).await.expect(303);
        // Somebody else's browser that has stolen cookie and code comes too late.
        let mut thief = world.browser();
        let mut again = world.browser();
        let second = led_back(&world, &mut again, &alice).await.location();
        thief.plant("gatehouse_admin_login", &again.cookie("gatehouse_admin_login").unwrap());
        again.get(&second).await.expect(303);
        thief.get(&second).await.expect(400);
        assert!(!is_in(&world, &mut thief).await);
        let mut slow = world.browser();
        let third = led_back(&world, &mut slow, &alice).await.location();
        world.advance(MINUTE);
        slow.get(&third).await.expect(400);
        for bad in ["", "?code=", "?code=AAAA", "?code=x&code=y"] {
            slow.get(&world.admin_at(&format!("/admin/signed-in{bad}"))).await.expect(400);
        }
    }

    async fn a_planted_session_is_worth_nothing_after_the_sign_in(backend: Backend) {
        let world = house(backend).await;
        let mut browser = administers(&world, "alice").await;
        let planted = browser.cookie("gatehouse_admin").unwrap();
        let back = led_back(&world, &mut browser, &Person::named("alice")).await.location();
        browser.get(&back).await.expect(303);
        assert_ne!(browser.cookie("gatehouse_admin").unwrap(), planted);
        let mut attacker = world.browser();
        attacker.plant("gatehouse_admin", &planted);
        assert!(!is_in(&world, &mut attacker).await);
        attacker.plant("gatehouse_admin", "made up");
        assert!(!is_in(&world, &mut attacker).await);
    }

    async fn nothing_is_changed_by_a_form_from_elsewhere(backend: Backend) {
        let world = house(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "carol").await;
        let grant = tokens.claims()["gid"].as_str().unwrap().to_owned();
        let mut browser = administers(&world, "alice").await;
        let page = browser.get(&world.admin_at("/admin/grants")).await.expect(200);
        let shown = form(&page.body[page.body.find("<table").unwrap()..]);
        let own = shown.fields.iter().find(|(name, _)| name == "form").unwrap().1.clone();
        let mut other = administers(&world, "alice").await;
        let others = other.get(&world.admin_at("/admin/grants")).await.expect(200);
        let others = form(&others.body[others.body.find("<table").unwrap()..]);
        let others = others.fields.iter().find(|(name, _)| name == "form").unwrap().1.clone();
        let act = world.admin_at("/admin/act");
        let http = world.http.clone();
        for (token, origin, site) in [
            ("", world.admin_url.as_str(), "same-origin"),
            ("AAAA", &world.admin_url, "same-origin"),
            (&others, &world.admin_url, "same-origin"),
            (&own, "https://evil.example", "cross-site"),
            (&own, &world.url, "same-site"),
        ] {
            let fields = [("form", token), ("act", "revoke_grant"), ("of", &grant)];
            let request = http.post(&act).form(&fields).header("origin", origin);
            let request = request.header("sec-fetch-site", site);
            browser.send(request).await.expect(403);
            // The same by the API: a cookie alone changes nothing.
            let path = format!("/admin/api/v1/grants/{grant}/revoke");
            let request = http.post(world.admin_at(&path)).header("origin", origin);
            let request = request.header("sec-fetch-site", site).header("x-form-token", token);
            let refused = browser.send(request).await.expect(403).json();
            assert_eq!(refused["code"], "foreign_form");
        }
        let living = "SELECT count(*) FROM grants WHERE revoked_at IS NULL";
        assert_eq!(db_number(&world.database_url, living).await, 1);
        let me = browser.get(&world.admin_at("/admin/api/v1/me")).await.expect(200).json();
        let path = world.admin_at(&format!("/admin/api/v1/grants/{grant}/revoke"));
        let request = http.post(path).header("x-form-token", me["form"].as_str().unwrap());
        let revoked = browser.send(request).await.expect(200).json();
        assert_eq!(revoked, json!({"grants": [grant]}));
        assert_eq!(db_number(&world.database_url, living).await, 0);
    }

    async fn a_page_that_renamed_this_address_is_not_let_in(backend: Backend) {
        let world = house(backend).await;
        let mut browser = administers(&world, "alice").await;
        for path in ["/admin/", "/admin/login", "/admin/api/v1/me", "/admin/api/v1/grants"] {
            for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""] {
                let request = world.http.get(world.admin_at(path)).header("host", host);
                let answer = browser.send(request).await;
                assert!(matches!(answer.status, 400 | 421), "{path} {host}: {}", answer.status);
                assert!(!answer.body.contains("person:"), "{path} {host}");
            }
        }
        // By another name of this machine a browser is led to the one that its cookies are for.
        let local = world.admin_url.replace("127.0.0.1", "localhost");
        let host = local.strip_prefix("http://").unwrap();
        let request = world.http.get(world.admin_at("/admin/login")).header("host", host);
        let led = Answer::to(request).await;
        assert_eq!(led.location(), world.admin_at("/admin/login"));
        for path in ["/healthz", "/readyz"] {
            let request = world.http.get(world.admin_at(path)).header("host", "10.1.2.3:9090");
            Answer::to(request).await.expect(200);
        }
    }

    async fn a_token_does_what_its_scope_says_and_ends_when_it_is_revoked(backend: Backend) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "carol").await;
        let grant = tokens.claims()["gid"].as_str().unwrap().to_owned();
        let reader = Operator::with(&world, "reader", "read").await;
        let writer = Operator::with(&world, "writer", "write").await;
        let me = reader.get("/me").await.expect(200).json();
        assert_eq!(me, json!({"who": "token:reader", "scope": "read"}));
        let path = format!("/grants/{grant}/revoke");
        let refused = reader.post(&path).await.expect(403);
        assert_eq!(refused.json()["code"], "insufficient_scope");
        assert_eq!(writer.post(&path).await.expect(200).json(), json!({"grants": [grant]}));
        // Once more, nothing.
        assert_eq!(writer.post(&path).await.expect(200).json(), json!({"grants": []}));
        let rows = db_dump_of(&world.database_url, "admin_tokens").await;
        assert!(!String::from_utf8_lossy(&rows).contains(&reader.token));
        let folder = tempfile::tempdir().unwrap();
        let command = async |words: &str| run(&world, folder.path(), words, &[]).await;
        let (code, listed) = command("admin token list").await;
        assert_eq!(code, Some(0), "{listed}");
        assert!(listed.contains("reader  read  without an end, last used"), "{listed}");
        assert!(!listed.contains("gha_"), "{listed}");
        assert_eq!(command("admin token create reader").await.0, Some(1));
        assert_eq!(command("admin token revoke reader").await.0, Some(0));
        assert_eq!(command("admin token revoke reader").await.0, Some(1));
        // The name is not given to another one, and a log stays readable.
        assert_eq!(command("admin token create reader").await.0, Some(1));
        let refused = reader.get("/me").await.expect(401);
        assert_eq!(refused.json()["code"], "invalid_token");
        assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
        let expire = "UPDATE admin_tokens SET expires_at = 1800000060000";
        db_execute(&world.database_url, expire).await;
        writer.get("/me").await.expect(200);
        world.advance(MINUTE);
        writer.get("/me").await.expect(401);
    }

    async fn what_is_no_token_is_refused_and_a_session_does_not_make_up_for_it(backend: Backend) {
        let world = house(backend).await;
        let mut browser = administers(&world, "alice").await;
        let access = world.client("editor").await.signed_in(&world, "alice").await.access_token;
        let me = world.admin_at("/admin/api/v1/me");
        browser.get(&me).await.expect(200);
        let bearer = format!("Bearer {access}");
        for bad in ["Bearer nonsense", "Bearer", "Basic YTpi", "", &bearer, "Bearer gha_"] {
            let request = world.http.get(&me).header("authorization", bad);
            let refused = browser.send(request).await.expect(401).json();
            assert_eq!(refused["code"], "invalid_token", "{bad}");
        }
        let refused = Answer::to(world.http.get(&me)).await.expect(401);
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"admin\""));
        assert_eq!(refused.header("cache-control"), Some("no-store"));
        assert_eq!(refused.json()["code"], "unauthorized");
    }

    async fn where_nobody_is_listed_nobody_signs_in(backend: Backend) {
        let world = World::start(backend).await;
        let closed = world.browser().get(&world.admin_at("/admin/login")).await.expect(403);
        assert!(closed.body.contains("Nobody administers here yet"));
        let challenge = "A".repeat(43);
        for query in [format!("admin={challenge}"), format!("admin={challenge}&return_to=x")] {
            world.browser().get(&world.at(&format!("/login?{query}"))).await.expect(400);
        }
        let world = house(backend).await;
        for bad in ["admin=", "admin=x", "admin=https://evil.example/"] {
            world.browser().get(&world.at(&format!("/login?{bad}"))).await.expect(400);
        }
        let twice = format!("/login?admin={challenge}&admin={challenge}");
        world.browser().get(&world.at(&twice)).await.expect(400);
        // Nothing of it is on the public listener.
        for path in ["/admin/", "/admin/login", "/admin/api/v1/me"] {
            world.browser().get(&world.at(path)).await.expect(404);
        }
    }

    async fn a_provider_that_says_no_leads_back_to_the_beginning(backend: Backend) {
        let world = house(backend).await;
        let mut browser = world.browser();
        let login = browser.get(&world.admin_at("/admin/login")).await.location();
        let provider = browser.get(&login).await.location();
        let state = query(&provider, "state").unwrap();
        let denied = world.at(&format!("/mcp/callback?state={state}&error=access_denied"));
        let page = browser.get(&denied).await.expect(400);
        assert!(page.body.contains(&world.admin_at("/admin/login")), "{}", page.body);
        world.advance(HOUR);
        assert!(!is_in(&world, &mut browser).await);
    }
}
