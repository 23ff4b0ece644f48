//! Life behind a documentation site on the same origin: the site hands on the paths that
//! `docs/operating.md` lists and answers 200 to all others, and clients and people get along.

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::answer::query;
use crate::support::browser::{form, link};
use crate::support::process::run;
use crate::support::signed_in::SITE;
use crate::support::site::{PAGE, Route, Site};
use crate::support::{Answer, Backend, Person, World, in_repository, on_both};

/// The paths of the manual's list, in the section on one origin.
fn routes() -> Vec<Route> {
    let manual = std::fs::read_to_string(in_repository("docs/operating.md")).unwrap();
    let section = manual.split("## Beside a documentation site on one origin").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let bullets = section.lines().filter_map(|line| line.strip_prefix("- `"));
    let routes: Vec<_> = bullets
        .map(|bullet| {
            let (path, rest) = bullet.split_once('`').unwrap();
            let with_all_below = rest.starts_with(" and below");
            assert!(with_all_below || rest.is_empty(), "{bullet}");
            Route { path: path.to_owned(), with_all_below }
        })
        .collect();
    assert!(routes.len() >= 5, "{routes:?}");
    routes
}

/// A house behind a site, and the site.
async fn beside(backend: Backend, more: &[(&str, &str)], routes: Vec<Route>) -> (World, Site) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let mut settings = vec![("public_url", url.as_str()), ("trusted_proxies", "127.0.0.1")];
    settings.extend(more);
    let world = World::with(backend, &settings).await;
    let site = Site::serve(socket, &world.local, routes);
    assert_eq!(site.url, url);
    (world, site)
}

on_both! {
    async fn a_client_finds_its_way_through_the_listed_paths_alone(backend: Backend) {
        let (world, site) = beside(backend, &[], routes()).await;
        let mut browser = world.browser();
        // Everything else is the site's, whatever Gatehouse has at that path.
        for path in ["/", "/account", "/login", "/reference", "/server.json", "/token",
            "/mcpx", "/oauthorize", "/.well-known/openid-configuration"] {
            assert_eq!(browser.get(&site.at(path)).await.expect(200).body, PAGE, "{path}");
        }
        // As a client does that knows the one address.
        let challenge = Answer::to(world.http.post(site.at("/mcp"))).await.expect(401);
        let challenge = challenge.header("www-authenticate").unwrap().to_owned();
        let metadata = challenge.split("resource_metadata=\"").nth(1).unwrap();
        let metadata = metadata.split('"').next().unwrap();
        let resource = Answer::to(world.http.get(metadata)).await.expect(200).json();
        assert_eq!(resource["resource"], site.at("/mcp"));
        let issuer = resource["authorization_servers"][0].as_str().unwrap().to_owned();
        assert_eq!(issuer, site.url);
        let server = format!("{issuer}/.well-known/oauth-authorization-server");
        let server = Answer::to(world.http.get(server)).await.expect(200).json();
        for endpoint in ["authorization_endpoint", "token_endpoint", "registration_endpoint",
            "revocation_endpoint", "jwks_uri"] {
            let url = server[endpoint].as_str().unwrap();
            let path = url.strip_prefix(&site.url).unwrap_or_else(|| panic!("{endpoint}: {url}"));
            let is_routed = routes().iter().any(|route| path.starts_with(&route.path));
            assert!(is_routed, "{endpoint}: {url}");
        }
        let client = world.client("editor").await.at(&site.url);
        let end = client.walk(&world, &mut browser, &Person::named("alice"), &[]).await;
        let tokens = client.exchange(&query(&end, "code").unwrap()).await.expect(200).json();
        let mcp = world.mcp(tokens["access_token"].as_str().unwrap()).at(&site.url);
        let called = mcp.tool("search_docs", json!({ "query": "sign in" })).await.expect(200);
        assert_eq!(called.json()["result"]["isError"].as_bool(), Some(false));
        let next = client.refresh(tokens["refresh_token"].as_str().unwrap()).await.expect(200);
        let next = next.json()["refresh_token"].as_str().unwrap().to_owned();
        client.revoke(&next).await.expect(200);
        client.refresh(&next).await.expect_error(400, "invalid_grant");
        // The site's own cookie is as it was, and Gatehouse left none that the site would get.
        assert_eq!(browser.cookie("of_the_site").as_deref(), Some("1"));
        // As the doctor sees it.
        let folder = tempfile::tempdir().unwrap();
        let (code, said) = run(&world, folder.path(), &format!("doctor {}", site.url), &[]).await;
        assert_eq!(code, Some(0), "{said}");
    }

    async fn pages_for_people_have_a_corner_of_the_site(backend: Backend) {
        let mut all = routes();
        all.push(Route { path: "/connect".to_owned(), with_all_below: true });
        let settings = [("pages_path", "/connect"), ("site_origins", SITE)];
        let (world, site) = beside(backend, &settings, all).await;
        let client = world.client("editor").await.at(&site.url);
        let mut browser = world.browser();
        let alice = Person::named("alice");
        let end = client.walk(&world, &mut browser, &alice, &[]).await;
        client.exchange(&query(&end, "code").unwrap()).await.expect(200);
        // From the account page to the provider and back, never off the paths that are routed.
        let page = browser.get(&site.at("/connect/account")).await.expect(200).body;
        let login = link(&page, "Sign in with").expect("a way in");
        let provider = browser.get(&site.at(&login)).await.location();
        let back = browser.get(&world.auth0.log_in(&provider, &alice)).await.location();
        assert_eq!(back, site.at("/connect/account"));
        let account = browser.get(&back).await.expect(200).body;
        assert!(account.contains("editor"), "{account}");
        for path in account.split(" href=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(path.starts_with("connect") || path.starts_with("oauth/"), "{path}");
            assert_ne!(browser.get(&site.at(&format!("/{path}"))).await.body, PAGE, "{path}");
        }
        let session = browser.get(&site.at("/connect/session")).await.expect(200).json();
        assert_eq!(session["signed_in"], Value::Bool(true));
        let asked = browser.get(&site.at("/connect/logout")).await.expect(200);
        browser.submit(&site.url, &form(&asked.body), &[]).await;
        let session = browser.get(&site.at("/connect/session")).await.expect(200).json();
        assert_eq!(session["signed_in"], Value::Bool(false));
        assert_eq!(browser.cookie("of_the_site"), None, "no page of the site was met on the way");
    }
}
