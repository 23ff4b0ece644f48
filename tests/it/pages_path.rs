//! Pages below a path of their own, and what all pages for people have in common: BP-01 … BP-03,
//! BP-13, BP-14, and the rules that keyboards and screen readers need (WCAG 2.2).

use std::collections::HashSet;

use serde_json::json;

use crate::support::answer::query;
use crate::support::browser::{form, forms, link};
use crate::support::signed_in::{SITE, WITH_SITE, log_in, signed_in};
use crate::support::{Answer, Backend, Person, World, on_both};

const PAGE: &str = "https://docs.example.com/page";

/// The values of an attribute, wherever it stands.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let mark = format!(" {attribute}=\"");
    page.split(&mark).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Judges the HTML of one page.
fn check_for_people(page: &str) {
    assert!(page.contains("<html lang=\"en\">") && page.contains("<main>"), "{page}");
    assert_eq!(page.matches("<h1>").count(), 1, "{page}");
    for unwanted in ["<script", "<style", " style=", "<iframe", " onclick", "<img", "javascript:"] {
        assert!(!page.contains(unwanted), "{unwanted} in {page}");
    }
    // Nothing is loaded but the stylesheet and the icon.
    let loaded = ["rel=\"stylesheet\" href=\"/oauth/", "rel=\"icon\" href=\"/oauth/"];
    assert!(loaded.iter().all(|link| page.contains(link)), "{page}");
    assert_eq!(page.matches("<link").count(), loaded.len());
    assert!(values(page, "src").is_empty());
    // Headings go down one level at a time.
    let mut level = 0;
    for heading in page.split("<h").skip(1).filter_map(|rest| rest.chars().next()?.to_digit(10)) {
        assert!(heading <= level + 1, "h{heading} after h{level} in {page}");
        level = heading;
    }
    let ids = values(page, "id");
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len(), "{ids:?}");
    for reference in values(page, "aria-labelledby") {
        assert!(ids.contains(&reference), "{reference}");
    }
    // Each button says what it does; its longer name begins with what is seen (2.5.3).
    let mut names = HashSet::new();
    for button in page.split("<button").skip(1) {
        let (tag, rest) = button.split_once('>').expect("a tag ends");
        let text = rest.split('<').next().expect("a button has text");
        assert!(!text.trim().is_empty() && tag.contains("type=\"submit\""), "{button}");
        let name = values(tag, "aria-label").first().copied().unwrap_or(text);
        assert!(name.starts_with(text) && names.insert(name), "{name:?} in {page}");
    }
    // What is typed or chosen has a label.
    for input in page.split("<input").skip(1) {
        let tag = input.split('>').next().expect("a tag ends");
        let has_label = |id: &&str| page.contains(&format!("<label for=\"{id}\""));
        let is_labelled = values(tag, "id").iter().any(has_label);
        assert!(is_labelled || tag.contains("type=\"hidden\""), "{tag}");
    }
}

on_both! {
    async fn every_page_is_for_people_and_for_this_browser_alone(backend: Backend) {
        let world = World::with(backend, &WITH_SITE).await;
        let (one, two) = (world.client("one").await, world.client("two").await);
        one.signed_in(&world, "alice").await;
        let tokens = two.signed_in(&world, "alice").await;
        let asked = world.mcp(&tokens.access_token).tool("disconnect", json!({})).await.json();
        let link = asked["result"]["structuredContent"]["url"].as_str().unwrap().to_owned();
        let mut nobody = world.browser();
        let mut alice = signed_in(&world, "alice").await;
        let mut pages = Vec::new();
        for path in ["/account", "/logout", "/login", "/login?return_to=https://evil.example/",
            "/account?disconnect=x", "/account?disconnected=one"] {
            pages.push(nobody.get(&world.at(path)).await);
            pages.push(alice.get(&world.at(path)).await);
        }
        pages.push(alice.get(&link).await);
        pages.push(nobody.get(&world.at("/reference")).await);
        let disconnect = world.at("/account/disconnect");
        pages.push(alice.post(&disconnect, &[("form", "x"), ("grant", "all")]).await.expect(403));
        pages.push(nobody.post(&disconnect, &[("form", "x"), ("grant", "all")]).await.expect(403));
        pages.push(nobody.post(&world.at("/logout"), &[("form", "x")]).await.expect(200));
        for page in pages {
            let policy = page.header("content-security-policy").unwrap();
            for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
                assert!(policy.contains(part), "{policy}");
            }
            assert_eq!(page.header("x-frame-options"), Some("DENY"));
            assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(page.header("cache-control"), Some("no-store"));
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
            check_for_people(&page.body);
        }
        // Redirects and the session's JSON are as private.
        for path in ["/login?return_to=https%3A%2F%2Fdocs.example.com", "/session"] {
            let answer = alice.get(&world.at(path)).await;
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        }
    }

    async fn everything_for_people_lives_below_their_path(backend: Backend) {
        let settings =
            [WITH_SITE[0], ("pages_path", "/connect/"), ("server_name", "com.example/docs")];
        let world = World::with(backend, &settings).await;
        let mut browser = world.browser();
        for path in ["/", "/account", "/login", "/session", "/logout", "/openapi.yaml",
            "/server.json", "/reference", "/connected", "/connect/mcp", "/connect/oauth/token",
            "/connect/.well-known/jwks.json"] {
            browser.get(&world.at(path)).await.expect(404);
        }
        for path in ["/connect", "/connect/", "/connect/account", "/connect/session",
            "/connect/logout", "/connect/openapi.yaml", "/connect/openapi.json",
            "/connect/reference", "/connect/server.json",
            "/.well-known/oauth-authorization-server", "/.well-known/mcp/server-card.json",
            "/oauth/assets/gatehouse.css"] {
            browser.get(&world.at(path)).await.expect(200);
        }
        let refused = Answer::to(world.http.post(world.at("/mcp"))).await.expect(401);
        assert_eq!(refused.json()["docs_url"], world.at("/connect/"));
        let page = Answer::to(world.http.get(world.at("/mcp")).header("accept", "text/html")).await;
        assert!(page.expect(401).body.contains("claude mcp add"));
    }

    async fn links_and_forms_follow_the_path_of_the_pages(backend: Backend) {
        let settings = [WITH_SITE[0], ("pages_path", "/connect")];
        let world = World::with(backend, &settings).await;
        // Signing in to a program needs nothing of it.
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        let asked = mcp.tool("disconnect", json!({})).await.expect(200).json();
        let url = asked["result"]["structuredContent"]["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with(&world.at("/connect/account?disconnect=")), "{url}");

        let mut browser = world.browser();
        let signed_out = browser.get(&url).await.expect(200).body;
        let login = link(&signed_out, "Sign in with").expect("a way in");
        let provider = browser.get(&world.at(&login)).await.location();
        assert_eq!(query(&provider, "redirect_uri"), Some(world.at("/mcp/callback")));
        let back = browser.get(&world.auth0.log_in(&provider, &Person::named("alice"))).await;
        assert_eq!(back.location(), url);
        let account = browser.get(&url).await.expect(200).body;
        for form in forms(&account) {
            assert!(form.action.starts_with("/connect/"), "{form:?}");
        }
        let done = browser.submit(&world.local, &form(&account), &[]).await.location();
        assert_eq!(done, "/connect/account?disconnected=one");
        mcp.ping().await.expect(401);

        let asked = browser.get(&world.at("/connect/logout")).await.expect(200);
        let left = browser.submit(&world.local, &form(&asked.body), &[]).await;
        let back = world.auth0.log_out(&left.location());
        assert_eq!(back, world.at("/connect/logout"));
        browser.get(&back).await.expect(200);
        // The account page at the root is nobody's any more.
        let at_root = format!("{}/account", world.url);
        let refused = format!("/connect/login?return_to={at_root}");
        browser.get(&world.at(&refused)).await.expect(400);
    }

    async fn the_site_reads_the_session_below_the_path(backend: Backend) {
        let settings = [WITH_SITE[0], ("pages_path", "/connect")];
        let world = World::with(backend, &settings).await;
        let mut browser = world.browser();
        let url = world.at("/connect/login?return_to=https%3A%2F%2Fdocs.example.com%2Fpage");
        let provider = browser.get(&url).await.location();
        let back = browser.get(&world.auth0.log_in(&provider, &Person::named("alice"))).await;
        assert_eq!(back.location(), PAGE);
        let answer = browser.fetch_from(SITE, &world.at("/connect/session")).await.expect(200);
        assert_eq!(answer.json()["signed_in"], true);
        assert_eq!(answer.header("access-control-allow-origin"), Some(SITE));
        assert_eq!(answer.header("vary"), Some("Origin"));
    }

    async fn without_a_provider_nobody_is_asked_to_sign_in(backend: Backend) {
        let settings = [("upstream_issuer", "unset"), ("upstream_client_id", "unset")];
        let world = World::with(backend, &settings).await;
        let account = format!("{}/account", world.url);
        let mut browser = world.browser();
        for path in ["/account".to_owned(), format!("/login?return_to={account}")] {
            let page = browser.get(&world.at(&path)).await.expect(503);
            assert!(page.header("retry-after").is_some(), "{path}");
            check_for_people(&page.body);
        }
        let nobody = browser.get(&world.at("/session")).await.expect(200).json();
        assert_eq!(nobody, json!({"signed_in": false}));
    }

    async fn a_database_that_is_away_is_said_to_be_and_signs_nobody_out(backend: Backend) {
        let mut world = World::with(backend, &WITH_SITE).await;
        let mut browser = world.browser();
        log_in(&world, &mut browser, &Person::named("alice"), PAGE).await.expect(303);
        let hidden = "ALTER TABLE browser_sessions RENAME TO away";
        crate::support::database::db_execute(&world.database_url, hidden).await;
        let answer = browser.fetch_from(SITE, &world.at("/session")).await.expect(503);
        assert_eq!(answer.json()["error"], "temporarily_unavailable");
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("access-control-allow-origin"), Some(SITE));
        check_for_people(&browser.get(&world.at("/account")).await.expect(503).body);
        let back = "ALTER TABLE away RENAME TO browser_sessions";
        crate::support::database::db_execute(&world.database_url, back).await;
        world.restart(&[]).await;
        let answer = browser.fetch_from(SITE, &world.at("/session")).await.expect(200);
        assert_eq!(answer.json()["signed_in"], true);
    }
}
