//! The first run: the built-in provider behind the production code, the manual, the pages.

use serde_json::json;

use crate::support::answer::query;
use crate::support::browser::form;
use crate::support::signed_in::login_url;
use crate::support::{Answer, Backend, Browser, Tokens, World, on_both};

const DEV: [(&str, &str); 3] =
    [("dev", "true"), ("upstream_issuer", "unset"), ("upstream_client_id", "unset")];

/// Fills in the login form of the built-in provider.
async fn log_in(world: &World, browser: &mut Browser, location: &str, email: &str) -> Answer {
    let page = browser.get(location).await.expect(200);
    let shown = form(&page.body);
    let mut fields: Vec<(&str, &str)> = shown
        .fields
        .iter()
        .filter(|(name, _)| !["email", "name", "organization"].contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.extend([("email", email), ("name", "Alice"), ("organization", "Example Inc")]);
    browser.post(&world.at(&shown.action), &fields).await
}

on_both! {
    async fn a_person_types_any_address_and_is_in(backend: Backend) {
        let world = World::with(backend, &DEV).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let scope = [("scope", "docs:read email profile")];
        let to_provider = client.approve(&mut browser, &scope).await;
        assert!(to_provider.starts_with(&world.at("/dev-provider/authorize?")), "{to_provider}");
        let callback = log_in(&world, &mut browser, &to_provider, "alice@example.com").await;
        let end = browser.get(&callback.location()).await.location();
        let tokens = Tokens::of(&client.exchange(&query(&end, "code").unwrap()).await);
        let claims = tokens.claims();
        assert_eq!(claims["email"], "alice@example.com");
        assert_eq!(claims["org_name"], "Example Inc");
        assert_eq!(claims["org_id"], "org_example-inc");
        let answer = world.mcp(&tokens.access_token).call("tools/list", json!({})).await;
        assert!(answer.expect(200).body.contains("search_docs"));
    }

    async fn a_person_signs_in_with_their_browser_and_out_again(backend: Backend) {
        let world = World::with(backend, &DEV).await;
        let mut browser = world.browser();
        let account = world.at("/account");
        let to_provider = browser.get(&login_url(&world, &account)).await.location();
        let callback = log_in(&world, &mut browser, &to_provider, "alice@example.com").await;
        assert_eq!(browser.get(&callback.location()).await.location(), account);
        let page = browser.get(&account).await.expect(200).body;
        assert!(page.contains("alice@example.com") && page.contains("Example Inc"), "{page}");
        let asked = browser.get(&world.at("/logout")).await.expect(200).body;
        let to_provider = browser.submit(&world.local, &form(&asked), &[]).await.location();
        assert!(to_provider.starts_with(&world.at("/dev-provider/logout?")), "{to_provider}");
        let back = browser.get(&to_provider).await.location();
        assert_eq!(back, world.at("/logout"));
        assert!(browser.get(&back).await.expect(200).body.contains("You are signed out"));
        let elsewhere = to_provider.replace("%2Flogout", "%2Felsewhere");
        browser.get(&elsewhere).await.expect(400);
    }

    async fn what_is_no_address_is_asked_for_again(backend: Backend) {
        let world = World::with(backend, &DEV).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let to_provider = client.approve(&mut browser, &[]).await;
        let page = log_in(&world, &mut browser, &to_provider, "nobody").await.expect(200);
        assert!(page.body.contains("Type an e-mail address"));
        log_in(&world, &mut browser, &to_provider, "alice@example.com").await.expect(303);
    }

    async fn the_built_in_provider_serves_nobody_else(backend: Backend) {
        let world = World::with(backend, &DEV).await;
        let mut browser = world.browser();
        let foreign = world.at("/dev-provider/authorize?client_id=x&redirect_uri=http://evil/");
        browser.get(&foreign).await.expect(400);
        let without = World::start(backend).await;
        let mut browser = without.browser();
        let discovery = "/dev-provider/.well-known/openid-configuration";
        browser.get(&without.at(discovery)).await.expect(404);
    }

    async fn the_front_door_says_how_to_connect(backend: Backend) {
        let world = World::start(backend).await;
        let page = world.browser().get(&world.at("/")).await.expect(200);
        assert!(page.body.contains("claude mcp add --transport http example-docs"));
        assert!(page.body.contains(&world.at("/mcp")));
        let style = world.browser().get(&world.at("/oauth/assets/gatehouse.css")).await.expect(200);
        assert!(style.header("content-type").unwrap().starts_with("text/css"));
        let document = world.browser().get(&world.at("/openapi.yaml")).await.expect(200);
        assert_eq!(document.body, gatehouse_api::document_yaml());
        let document = world.browser().get(&world.at("/openapi.json")).await.expect(200);
        assert_eq!(document.json()["openapi"], "3.0.0");
    }
}
