//! What is counted of the running service, and that nobody can be found in it.

use serde_json::json;
use wiremock::ResponseTemplate;

use crate::delivery::submit;
use crate::remotes::{asked, open_house};
use crate::support::answer::query;
use crate::support::database::db_execute;
use crate::support::metrics::Scrape;
use crate::support::oauth_client::post_json;
use crate::support::supplier::{Era, Way, found};
use crate::support::{
    Answer, Backend, MINUTE, OAuthClient, Person, Receiver, SECOND, Supplier, Tokens, World,
    on_both,
};

/// The grace of the default settings.
const GRACE: std::time::Duration = std::time::Duration::from_secs(30);

fn step(name: &str) -> String {
    format!("gatehouse_sign_in_steps_total{{step=\"{name}\"}}")
}

fn refresh(outcome: &str) -> String {
    format!("gatehouse_refreshes_total{{outcome=\"{outcome}\"}}")
}

fn revocation(reason: &str) -> String {
    format!("gatehouse_revocations_total{{reason=\"{reason}\"}}")
}

fn tool_call(tool: &str, outcome: &str) -> String {
    format!("gatehouse_tool_calls_total{{outcome=\"{outcome}\",tool=\"{tool}\"}}")
}

/// Refreshes from an address, as a trusted proxy tells it.
async fn refresh_from(client: &OAuthClient, world: &World, token: &str, from: &str) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", client.client_id.as_str()),
        ("refresh_token", token),
    ];
    let request = world.http.post(world.at("/oauth/token")).form(&fields);
    Answer::to(request.header("x-forwarded-for", from)).await
}

on_both! {
    async fn the_way_to_a_connected_client_is_counted_step_by_step(backend: Backend) {
        let world = World::start(backend).await;
        let before = Scrape::of(&world).await;
        for name in ["protected_resource", "authorization_server", "register", "authorize",
            "consent", "provider", "code", "token", "first_call"] {
            assert!(before.names().contains(&step(name).as_str()), "{name} is 0 from the start");
            before.expect(&step(name), 0);
        }
        for path in ["/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-authorization-server"] {
            Answer::to(world.http.get(world.at(path))).await.expect(200);
        }
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        Scrape::of(&world).await.expect(&step("consent"), 0);
        let location = client.decide(&mut browser, &page, "approve").await.location();
        Scrape::of(&world).await.expect(&step("provider"), 0);
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        let end = browser.get(&callback).await.location();
        let agreed = Scrape::of(&world).await;
        agreed.expect(&step("token"), 0);
        for name in ["protected_resource", "authorization_server", "register", "authorize",
            "consent", "provider", "code"] {
            agreed.expect(&step(name), 1);
        }
        let tokens = Tokens::of(&client.exchange(&query(&end, "code").unwrap()).await);
        let granted = Scrape::of(&world).await;
        granted.expect(&step("token"), 1);
        granted.expect(&step("first_call"), 0);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        world.mcp(&tokens.access_token).tool("search_docs", json!({"query": "install"})).await
            .expect(200);
        let connected = Scrape::of(&world).await;
        connected.expect(&step("token"), 1);
        connected.expect(&step("first_call"), 1);
        connected.expect(&tool_call("search_docs", "answered"), 1);
        connected.expect("gatehouse_tool_call_seconds_count{tool=\"search_docs\"}", 1);
        let token = "gatehouse_http_request_seconds_count{route=\"/oauth/token\",status=\"2xx\"}";
        connected.expect(token, 1);
        let asked = "gatehouse_provider_request_seconds_count{call=\"token\",outcome=\"answered\"}";
        connected.expect(asked, 1);
        let committed = "gatehouse_store_transaction_seconds_count{outcome=\"committed\"}";
        assert!(connected.value(committed) > before.value(committed) + 3.0);
        let most = "gatehouse_store_connections{pool=\"writer\",state=\"max\"}";
        assert!(connected.value(most) > 0.0);
        assert!(connected.value("gatehouse_index_pages{index=\"documentation\"}") > 0.0);
    }

    async fn an_earlier_consent_counts_as_one(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.web_client("editor").await;
        let mut browser = world.browser();
        let alice = Person::named("alice");
        client.walk(&world, &mut browser, &alice, &[]).await;
        let to_provider = browser.get(&client.authorize_url(&[])).await.location();
        browser.get(&world.auth0.log_in(&to_provider, &alice)).await.location();
        let counted = Scrape::of(&world).await;
        for name in ["authorize", "consent", "provider", "code"] {
            counted.expect(&step(name), 2);
        }
    }

    async fn refreshes_are_counted_by_what_becomes_of_them(backend: Backend) {
        let world = World::with(backend, &[("trusted_proxies", "127.0.0.0/8")]).await;
        let client = world.client("editor").await;
        let first = client.signed_in(&world, "alice").await;
        let token = first.refresh_token();
        refresh_from(&client, &world, token, "203.0.113.7").await.expect(200);
        refresh_from(&client, &world, token, "203.0.113.7").await.expect(200);
        refresh_from(&client, &world, token, "198.51.100.9").await.expect(200);
        let counted = Scrape::of(&world).await;
        counted.expect(&refresh("rotated"), 1);
        counted.expect(&refresh("repeated_same_network"), 1);
        counted.expect(&refresh("repeated_other_network"), 1);
        counted.expect(&refresh("replayed"), 0);
        // One that another replica rotated: who did is not known here.
        let elsewhere = client.signed_in(&world, "bob").await;
        let there = client.at(&world.replica(&[]).await);
        there.refresh(elsewhere.refresh_token()).await.expect(200);
        client.refresh(elsewhere.refresh_token()).await.expect(200);
        Scrape::of(&world).await.expect(&refresh("repeated_unknown"), 1);
        world.advance(GRACE);
        let again = refresh_from(&client, &world, token, "203.0.113.7").await;
        again.expect_error(400, "invalid_grant");
        client.refresh("ghr_nobody").await.expect_error(400, "invalid_grant");
        let counted = Scrape::of(&world).await;
        counted.expect(&refresh("replayed"), 1);
        counted.expect(&refresh("refused"), 1);
        counted.expect(&revocation("refresh_token_replayed"), 1);
        counted.expect_refused("token", "replayed", 1);
        counted.expect_refused("token", "unknown", 1);
    }

    async fn what_ends_a_grant_is_counted_by_its_reason(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let other = world.client("other").await;
        let stolen = client.signed_in(&world, "alice").await;
        other.refresh(stolen.refresh_token()).await.expect_error(400, "invalid_grant");
        let code = client.code(&world, "alice", &[]).await;
        client.exchange(&code).await.expect(200);
        client.exchange(&code).await.expect_error(400, "invalid_grant");
        let revoked = client.signed_in(&world, "alice").await;
        client.revoke(revoked.refresh_token()).await.expect(200);
        let counted = Scrape::of(&world).await;
        for reason in ["refresh_token_leaked", "code_replayed", "by_client"] {
            counted.expect(&revocation(reason), 1);
        }
        counted.expect(&refresh("leaked"), 1);
    }

    async fn refusals_are_counted_by_endpoint_and_reason(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        post_json(&world, "/oauth/register", &json!({"redirect_uris": ["http://e.com/cb"]})).await
            .expect_error(400, "invalid_redirect_uri");
        let mut browser = world.browser();
        browser.get(&client.authorize_url(&[("client_id", "ghclient_nobody")])).await.expect(400);
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        client.decide(&mut browser, &page, "deny").await;
        client.decide(&mut world.browser(), &page, "approve").await.expect(403);
        browser.get(&world.at("/mcp/callback?state=made-up&code=x")).await.expect(400);
        let location = client.approve(&mut browser, &[]).await;
        let state = query(&location, "state").unwrap();
        let said = [("error", "access_denied"), ("state", &*state)];
        let gave_up = world.auth0.callback(&location, &said);
        browser.get(&gave_up).await.location();
        client.exchange("made-up").await.expect_error(400, "invalid_grant");
        client.token(&[("grant_type", "password"), ("client_id", &client.client_id)]).await
            .expect_error(400, "unsupported_grant_type");
        client.post("/oauth/revoke", &[("client_id", &client.client_id)]).await.expect(400);
        world.anonymous_mcp().ping().await.expect(401);
        world.mcp("junk").ping().await.expect(401);
        let narrow = client.signed_in_with(&world, "alice", &[("scope", "docs:read")]).await;
        let feedback = json!({"feedback": "It is fine.", "category": "other"});
        world.mcp(&narrow.access_token).tool("submit_documentation_feedback", feedback).await
            .expect(403);
        let counted = Scrape::of(&world).await;
        for (endpoint, reason) in [
            ("register", "no_acceptable_redirect_uri"),
            ("authorize", "unknown_client"),
            ("consent", "denied"),
            ("consent", "foreign_form"),
            ("callback", "unknown_state"),
            ("callback", "upstream_denied"),
            ("token", "unknown"),
            ("token", "unsupported_grant_type"),
            ("revoke", "missing_token"),
            ("mcp", "no_credentials"),
            ("mcp", "bad_signature"),
            ("mcp", "insufficient_scope"),
        ] {
            counted.expect_refused(endpoint, reason, 1);
        }
        let refusals = |name: &&&str| name.starts_with("gatehouse_refusals_total{");
        assert_eq!(counted.names().iter().filter(refusals).count(), 12, "{}", counted.text);
        // A page that could not be had is no refusal.
        world.auth0.fail_with(503).await;
        world.advance(2 * crate::support::HOUR);
        let before = counted.value(&step("provider"));
        let end = client.walk(&world, &mut world.browser(), &Person::named("bob"), &[]).await;
        assert_eq!(query(&end, "error").as_deref(), Some("temporarily_unavailable"));
        let counted = Scrape::of(&world).await;
        counted.expect_refused("callback", "upstream_unavailable", 1);
        assert!((counted.value(&step("provider")) - before).abs() < 0.5);
    }

    async fn what_breaks_is_a_fault_and_no_refusal(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let renamed = "ALTER TABLE refresh_tokens RENAME TO refresh_tokens_away";
        db_execute(&world.database_url, renamed).await;
        client.refresh(tokens.refresh_token()).await.expect_error(503, "temporarily_unavailable");
        client.revoke(tokens.refresh_token()).await.expect_error(503, "temporarily_unavailable");
        let counted = Scrape::of(&world).await;
        for endpoint in ["token", "revoke"] {
            let labels = format!("endpoint=\"{endpoint}\",fault=\"store\"");
            counted.expect(&format!("gatehouse_faults_total{{{labels}}}"), 1);
        }
        assert!(!counted.text.contains("gatehouse_refusals_total{"), "{}", counted.text);
        let failed = "gatehouse_http_request_seconds_count{route=\"/oauth/token\",status=\"5xx\"}";
        counted.expect(failed, 1);
    }

    async fn names_that_strangers_make_up_become_no_labels(backend: Backend) {
        let world = World::with(backend, &[("auth", "open")]).await;
        let mcp = world.anonymous_mcp();
        let junk = async |word: &str| {
            world.client(&format!("client-{word}")).await;
            mcp.tool(&format!("tool-{word}"), json!({})).await;
            world.mcp(&format!("token-{word}")).ping().await.expect(401);
            let path = world.at(&format!("/path-{word}"));
            Answer::to(world.http.get(&path)).await.expect(404);
            let admin = world.admin_at(&format!("/admin/view-{word}"));
            Answer::to(world.http.get(&admin)).await;
        };
        junk("plugh").await;
        Scrape::of(&world).await;
        let before = Scrape::of(&world).await;
        for word in ["xyzzy", "frotz", "nitfol"] {
            junk(word).await;
        }
        let after = Scrape::of(&world).await;
        assert_eq!(before.names(), after.names());
        for word in ["plugh", "xyzzy", "client-", "tool-", "token-", "path-", "view-"] {
            assert!(!after.text.contains(word), "{word}");
        }
        after.expect(&tool_call("unknown", "refused"), 4);
    }

    async fn nobody_can_be_found_in_what_is_counted(backend: Backend) {
        let world = World::with(backend, &[("trusted_proxies", "127.0.0.0/8")]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        submit(&mcp, "The page on sockets is wrong.").await;
        mcp.tool("search_docs", json!({"query": "sockets"})).await.expect(200);
        refresh_from(&client, &world, tokens.refresh_token(), "203.0.113.7").await.expect(200);
        world.anonymous_mcp().ping().await.expect(401);
        let subject = tokens.claims()["sub"].as_str().unwrap().to_owned();
        let text = Scrape::of(&world).await.text;
        for private in [
            "alice", "@", "example.com", "auth0|", "org_1", "sockets", "203.0.113", "127.0.0.1",
            "editor", "postgres", "sqlite", &subject, &client.client_id, &tokens.access_token,
            tokens.refresh_token(),
        ] {
            assert!(!text.contains(private), "{private}");
        }
    }

    async fn what_waits_is_told_with_its_age(backend: Backend) {
        let receiver = Receiver::start().await;
        receiver.says(ResponseTemplate::new(503));
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let waiting = "gatehouse_outbox_waiting{destination=\"feedback\"}";
        let oldest = "gatehouse_outbox_oldest_seconds{destination=\"feedback\"}";
        Scrape::of(&world).await.expect(waiting, 0);
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        submit(&world.mcp(&tokens.access_token), "The page is wrong.").await;
        world.advance(5 * MINUTE);
        let told = Scrape::of(&world).await;
        told.expect(waiting, 1);
        told.expect(oldest, 300);
    }

    async fn another_server_is_measured_by_its_name(backend: Backend) {
        let good = Way::Result(found(&[("Install", "https://kapa.example/install", "It.")]));
        let supplier = Supplier::start(Era::Stateless, good).await;
        let world = open_house(backend, &asked(&supplier, "")).await;
        let ask = async || {
            let arguments = json!({ "question": "install" });
            world.anonymous_mcp().tool("ask_example_question", arguments).await.expect(200);
        };
        let is_open = "gatehouse_remote_breaker_open{remote=\"kapa\"}";
        let calls = |outcome: &str| {
            let labels = format!("outcome=\"{outcome}\",remote=\"kapa\"");
            format!("gatehouse_remote_call_seconds_count{{{labels}}}")
        };
        ask().await;
        let counted = Scrape::of(&world).await;
        counted.expect(&calls("answered"), 1);
        counted.expect(is_open, 0);
        supplier.next(std::iter::repeat_n(Way::Http(500, &[], ""), 5));
        for _ in 0..6 {
            ask().await;
        }
        let counted = Scrape::of(&world).await;
        counted.expect(&calls("status"), 5);
        counted.expect(is_open, 1);
        world.advance(30 * SECOND);
        ask().await;
        Scrape::of(&world).await.expect(is_open, 0);
    }
}
