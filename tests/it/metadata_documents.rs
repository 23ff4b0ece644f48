//! Clients that are known by a document about themselves: CM-01 … CM-24, SB-28, SB-29, D5, D10, D11
//! of the requirements. The guard by itself is tried in `src/clients/fetch_guard`.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::answer::query;
use crate::support::oauth_client::post_json;
use crate::support::publisher::READS_LOOPBACK;
use crate::support::{
    Answer, Backend, DAY, MINUTE, OAuthClient, Person, Publisher, SECOND, Tokens, World, on_both,
};

const WEB: &str = "https://client.example.com/callback";
const LOOPBACK: &str = "http://127.0.0.1/callback";

async fn world_of(backend: Backend, settings: &[(&str, &str)]) -> World {
    let mut all = vec![READS_LOOPBACK];
    all.extend(settings);
    World::with(backend, &all).await
}

/// What the browser is shown first.
async fn asked(world: &World, client: &OAuthClient) -> Answer {
    world.browser().get(&client.authorize_url(&[])).await
}

/// A page without the reference that differs on each.
fn without_reference(page: &str) -> String {
    let words = page.split_inclusive(|c: char| !c.is_ascii_hexdigit());
    words
        .filter(|word| word.trim_end_matches(|c: char| !c.is_ascii_hexdigit()).len() != 8)
        .collect()
}

fn json_answer(document: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(document)
}

on_both! {
    async fn a_published_client_signs_in_refreshes_and_is_admitted(backend: Backend) {
        let (world, publisher) = (world_of(backend, &[]).await, Publisher::start().await);
        let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
        let page = asked(&world, &client).await.expect(200).body;
        let verified = "verified: its description was read there";
        for text in ["editor", "Publisher", "localhost", verified, "127.0.0.1:49152"] {
            assert!(page.contains(text), "{text:?} is missing in {page}");
        }
        let tokens = client.signed_in(&world, "alice").await;
        assert_eq!(tokens.claims()["client_id"], client.client_id.as_str());
        world.mcp(&tokens.access_token).ping().await.expect(200);
        let renewed = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        world.mcp(&renewed.access_token).ping().await.expect(200);
        client.revoke(renewed.refresh_token()).await.expect(200);
        client.refresh(renewed.refresh_token()).await.expect_error(400, "invalid_grant");
        assert_eq!(publisher.fetches().await, 1);
    }

    async fn a_registered_client_is_never_called_published(backend: Backend) {
        let world = world_of(backend, &[]).await;
        let page = asked(&world, &world.client("editor").await).await.expect(200).body;
        assert!(!page.contains("read there"));
    }

    async fn the_sign_in_outlives_the_host_of_the_document(backend: Backend) {
        let (mut world, publisher) = (world_of(backend, &[]).await, Publisher::start().await);
        let client = publisher.client_of(&world, "editor", LOOPBACK);
        let document = publisher.document("editor", &[LOOPBACK]);
        // VS Code's is sent like this; one fetch must do for a whole sign-in.
        let hasty = json_answer(&document).insert_header("cache-control", "no-store");
        publisher.answer("editor", hasty).await;
        let mut browser = world.browser();
        let provider = client.approve(&mut browser, &[]).await;
        assert_eq!(publisher.fetches().await, 1);
        publisher.forget().await;
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        let end = browser.get(&callback).await.location();
        let elsewhere = client.at(&world.replica(&[]).await);
        let tokens = Tokens::of(&elsewhere.exchange(&query(&end, "code").unwrap()).await);
        world.restart(&[]).await;
        let renewed = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        world.advance(2 * DAY);
        let renewed = Tokens::of(&client.refresh(renewed.refresh_token()).await);
        world.mcp(&renewed.access_token).ping().await.expect(200);
        assert_eq!(publisher.fetches().await, 0);
    }

    async fn a_document_is_kept_as_long_as_its_host_says(backend: Backend) {
        let (world, publisher) = (world_of(backend, &[]).await, Publisher::start().await);
        let client = publisher.client_of(&world, "editor", LOOPBACK);
        let document = publisher.document("editor", &[LOOPBACK]);
        let kept = json_answer(&document).insert_header("cache-control", "public, max-age=300");
        publisher.answer("editor", kept).await;
        for (later, fetches) in [(Duration::ZERO, 1), (5 * MINUTE - SECOND, 1), (SECOND, 2)] {
            world.advance(later);
            asked(&world, &client).await.expect(200);
            assert_eq!(publisher.fetches().await, fetches);
        }
    }

    async fn without_its_document_a_client_cannot_begin(backend: Backend) {
        let (world, publisher) = (world_of(backend, &[]).await, Publisher::start().await);
        let client = publisher.client(&world, "editor", &[WEB]).await;
        let tokens = client.signed_in(&world, "alice").await;
        world.advance(11 * MINUTE);
        let good = publisher.document("editor", &[WEB]);
        let mut pages = Vec::new();
        let with = |member: &str, value: Value| {
            let mut document = good.clone();
            document[member] = value;
            json_answer(&document)
        };
        for answer in [
            ResponseTemplate::new(500),
            ResponseTemplate::new(404),
            ResponseTemplate::new(301).insert_header("location", publisher.client_id("other")),
            ResponseTemplate::new(200).set_body_raw("<html>", "text/html"),
            ResponseTemplate::new(200).set_body_raw("{", "application/json"),
            json_answer(&json!([])),
            json_answer(&good).insert_header("content-encoding", "gzip"),
            with("padding", "x".repeat(11_000).into()),
            with("client_id", publisher.client_id("other").into()),
            with("client_name", Value::Null),
            with("redirect_uris", json!([])),
            with("redirect_uris", json!("https://client.example.com/callback")),
            with("redirect_uris", json!(["http://client.example.com/callback"])),
            with("response_types", json!(["token"])),
            with("client_secret", "s".into()),
            with("token_endpoint_auth_method", "client_secret_post".into()),
            with("token_endpoint_auth_method", "private_key_jwt".into()),
        ] {
            publisher.answer("editor", answer).await;
            let page = asked(&world, &client).await.expect(400);
            assert_eq!(page.header("location"), None);
            pages.push(without_reference(&page.body));
        }
        // From outside all failures look the same: this server is no tool to look around with.
        pages.dedup();
        assert_eq!(pages.len(), 1, "{pages:#?}");
        assert!(pages[0].contains("description could not be used"));
        // None of them was remembered, and who is signed in stays so.
        Tokens::of(&client.refresh(tokens.refresh_token()).await);
        publisher.publish("editor", &good).await;
        asked(&world, &client).await.expect(200);
    }

    async fn who_agreed_is_asked_again_when_the_client_becomes_another(backend: Backend) {
        let (world, publisher) = (world_of(backend, &[]).await, Publisher::start().await);
        let client = publisher.client(&world, "editor", &[WEB]).await;
        let mut browser = world.browser();
        client.walk(&world, &mut browser, &Person::named("alice"), &[]).await;
        let url = client.authorize_url(&[]);
        browser.get(&url).await.expect(303);
        let mut document = publisher.document("editor", &[WEB]);
        for (member, value, status) in [
            // What people do not see may change.
            ("software_version", json!("2"), 303),
            ("client_name", json!("Editor, renamed"), 200),
            ("redirect_uris", json!([WEB, "https://client.example.com/more"]), 200),
        ] {
            document[member] = value;
            publisher.publish("editor", &document).await;
            browser.get(&url).await.expect(303);
            world.advance(11 * MINUTE);
            browser.get(&url).await.expect(status);
            if status == 200 {
                client.walk(&world, &mut browser, &Person::named("alice"), &[]).await;
            }
        }
    }

    async fn strangers_cannot_make_this_server_fetch_for_ever(backend: Backend) {
        let settings = [("limit_cimd", "3/10m"), ("trusted_proxies", "127.0.0.1")];
        let (world, publisher) = (world_of(backend, &settings).await, Publisher::start().await);
        let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
        asked(&world, &client).await.expect(200);
        for _ in 0..2 {
            asked(&world, &publisher.client_of(&world, "other", LOOPBACK)).await.expect(400);
        }
        let limited = asked(&world, &publisher.client_of(&world, "more", LOOPBACK)).await;
        assert_eq!(limited.expect(429).header("retry-after"), Some("600"));
        assert_eq!(publisher.fetches().await, 3);
        // What is known costs nothing, and a well-known client has its copy.
        asked(&world, &client).await.expect(200);
        let claude = OAuthClient {
            client_id: "https://claude.ai/oauth/mcp-oauth-client-metadata".into(),
            redirect_uri: "https://claude.ai/api/mcp/auth_callback".into(),
            ..client.clone()
        };
        let page = asked(&world, &claude).await.expect(200).body;
        assert!(page.contains("claude.ai</strong>"), "{page}");
        // Addresses together: ten times as much from one host.
        for address in 0..30 {
            let url = publisher.client_of(&world, "other", LOOPBACK).authorize_url(&[]);
            let from = format!("203.0.113.{address}");
            let request = world.http.get(&url).header("x-forwarded-for", from);
            let expected = if address < 27 { 400 } else { 429 };
            Answer::to(request).await.expect(expected);
        }
        world.advance(10 * MINUTE);
        asked(&world, &publisher.client_of(&world, "other", LOOPBACK)).await.expect(400);
    }

    async fn publishers_can_be_chosen(backend: Backend) {
        let publisher = Publisher::start().await;
        for (settings, status) in [
            (("cimd_denied_domains", "localhost"), 403),
            (("cimd_allowed_domains", "example.com"), 403),
            (("cimd_allowed_domains", "example.com,localhost"), 200),
        ] {
            let world = world_of(backend, &[settings]).await;
            let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
            asked(&world, &client).await.expect(status);
            assert_eq!(publisher.fetches().await, usize::from(status == 200));
        }
    }

    async fn documents_can_be_switched_off(backend: Backend) {
        let (world, publisher) = (world_of(backend, &[("cimd", "false")]).await,
            Publisher::start().await);
        let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
        let page = asked(&world, &client).await.expect(400).body;
        assert!(page.contains("not known here"));
        assert_eq!(publisher.fetches().await, 0);
        let metadata = world.at("/.well-known/oauth-authorization-server");
        let metadata = Answer::to(world.http.get(&metadata)).await.json();
        assert_eq!(metadata["client_id_metadata_document_supported"], false);
    }

    async fn without_the_setting_this_machine_is_never_asked(backend: Backend) {
        let (world, publisher) = (World::start(backend).await, Publisher::start().await);
        let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
        for client_id in [
            client.client_id.clone(),
            client.client_id.replace("http://", "https://"),
            client.client_id.replace("http://localhost", "https://127.0.0.1"),
            client.client_id.replace("http://localhost", "https://[::1]"),
            client.client_id.replace("http://localhost", "https://[::ffff:7f00:1]"),
            client.client_id.replace("http://localhost", "https://2130706433"),
            "https://client.example.com/".into(),
            "https://client.example.com/a/../b".into(),
            "https://user@client.example.com/b".into(),
            "HTTPS://client.example.com/b".into(),
            format!("https://client.example.com/{}", "a".repeat(4000)),
        ] {
            let page = asked(&world, &OAuthClient { client_id, ..client.clone() }).await;
            assert!(page.expect(400).body.contains("no usable description"));
        }
        assert_eq!(publisher.fetches().await, 0);
    }

    async fn no_other_address_that_a_client_names_is_fetched(backend: Backend) {
        let (world, publisher) = (world_of(backend, &[]).await, Publisher::start().await);
        let canary = Publisher::start().await;
        let mut document = publisher.document("editor", &[LOOPBACK]);
        for member in ["logo_uri", "jwks_uri", "client_uri", "policy_uri", "tos_uri",
            "sector_identifier_uri", "registration_client_uri"] {
            document[member] = json!(format!("{}/{member}", canary.uri()));
        }
        publisher.publish("editor", &document).await;
        let published = publisher.client_of(&world, "editor", LOOPBACK);
        published.signed_in(&world, "alice").await;
        let registration = post_json(&world, "/oauth/register", &document).await.expect(201);
        published.registered(&registration).signed_in(&world, "alice").await;
        let request_uri = canary.client_id("request");
        let with_request = published.authorize_url(&[("request_uri", request_uri.as_str())]);
        world.browser().get(&with_request).await.expect(400);
        assert_eq!((publisher.fetches().await, canary.fetches().await), (1, 0));
    }

    async fn an_unused_document_is_forgotten_and_a_used_one_stays(backend: Backend) {
        let (world, publisher) = (world_of(backend, &[]).await, Publisher::start().await);
        let used = publisher.client(&world, "used", &[LOOPBACK]).await;
        let tokens = used.signed_in(&world, "alice").await;
        let unused = publisher.client(&world, "unused", &[LOOPBACK]).await;
        asked(&world, &unused).await.expect(200);
        world.advance(DAY);
        let house = world.house_with(&[]).await.expect("the house can be built");
        let config = &house.gatehouse.config;
        let (store, now) = (&house.gatehouse.store, house.gatehouse.clock.now());
        let pass = gatehouse::store::sweep::pass(store, config.access_token_ttl, now).await;
        assert_eq!(pass.expect("the pass ends").clients, 1);
        Tokens::of(&used.refresh(tokens.refresh_token()).await);
        let unknown = unused.refresh("ghr_whatever").await;
        unknown.expect_error(401, "invalid_client");
    }
}
