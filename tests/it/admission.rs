//! Admission to `/mcp`: CH, TV, CO-04, ST-02, ST-03, D6, D9 of the requirements, `auth`, limits.

use gatehouse::cli::serve::keep_house;
use gatehouse::domain::refusal::AccessRefusal;
use gatehouse::keys::{SigningAlgorithm, SigningKey};
use gatehouse::secret::{Secret, base64url};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::answer::query;
use crate::support::database::db_execute;
use crate::support::metrics::Scrape;
use crate::support::{Answer, Backend, HOUR, MINUTE, Person, SECOND, Tokens, World, on_both};

fn challenge(answer: &Answer) -> String {
    answer.header("www-authenticate").expect("a challenge").to_owned()
}

async fn send(request: reqwest::RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// The last bits of base64 may mean nothing, so a bent signature is bent as a whole.
fn reversed(signature: &str) -> String {
    signature.chars().rev().collect()
}

/// Reads the rest of an answer: its head, and the body by the length that the head names.
async fn read_to_end_of_answer(connection: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).expect("the answer has a length");
    let length = length.split("\r\n").next().unwrap().parse().unwrap();
    connection.read_exact(&mut vec![0; length]).await.unwrap();
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

on_both! {
    async fn who_has_no_token_is_refused_as_the_one_before_and_nobody_else_is(backend: Backend) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let ping = || world.http.post(world.at("/mcp")).header("content-type", "application/json");
        let first = send(ping().body(PING)).await.expect(401);
        let again = send(ping().body(PING)).await.expect(401);
        assert_eq!(again.body, first.body);
        assert_eq!(challenge(&again), challenge(&first));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        // Whatever else is to be judged is judged as if nobody had been refused before.
        send(ping().body(PING).header("host", "evil.example")).await.expect(421);
        send(ping().body(PING).header("origin", "https://evil.example")).await.expect(403);
        let bad = send(ping().body(PING).bearer_auth("bad")).await.expect(401);
        assert!(challenge(&bad).contains("invalid_token"));
        send(ping().body(PING).bearer_auth(&tokens.access_token)).await.expect(200);
        send(world.http.get(world.at("/mcp")).header("accept", "text/html")).await.expect(401);
        let refusals = "gatehouse_refusals_total{endpoint=\"mcp\",reason=\"no_credentials\"}";
        let refused = Scrape::of(&world).await.value(refusals);
        assert!((refused - 3.0).abs() < 0.5, "{refused}");
    }

    async fn without_a_token_everything_is_401_before_anything_else_is_judged(backend: Backend) {
        let world = World::start(backend).await;
        let url = world.at("/mcp");
        let big = "x".repeat(3 << 20);
        let http = &world.http;
        for request in [
            http.get(&url),
            http.delete(&url),
            http.post(&url).body(PING),
            http.post(&url).header("accept", "*/*").body("garbage"),
            http.post(&url).header("mcp-protocol-version", "banana").body(PING),
            http.post(&url).body(big),
            http.post(format!("{url}/")).body(PING),
            http.post(format!("{url}?access_token=x")).body(PING),
            http.post(&url).header("content-type", "application/x-www-form-urlencoded")
                .body("access_token=x"),
        ] {
            let answer = send(request).await.expect(401);
            let expected = format!(
                "Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\", \
                 scope=\"docs:read docs:feedback\"", world.url);
            assert_eq!(challenge(&answer), expected);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            let body = answer.json();
            assert_eq!(body["error"], "authentication_required");
            assert!(body["message"].is_string() && body["docs_url"].is_string());
            assert_eq!(body["resource_metadata"],
                world.at("/.well-known/oauth-protected-resource/mcp"));
        }
    }

    async fn who_is_refused_early_hears_it_however_long_the_body(backend: Backend) {
        let world = World::start(backend).await;
        let post = |bytes: usize| world.http.post(world.at("/mcp")).body("x".repeat(bytes));
        for bytes in [10, 100 << 10, 3 << 20] {
            // Again and again on one connection, which goes on.
            for _ in 0..20 {
                let refused = send(post(bytes)).await.expect(401);
                assert_eq!(refused.header("connection"), None, "{bytes}");
            }
        }
    }

    async fn who_is_refused_hears_it_when_the_body_comes_after_the_head(backend: Backend) {
        let world = World::start(backend).await;
        let host = world.local.trim_start_matches("http://").to_owned();
        let mut connection = TcpStream::connect(&host).await.unwrap();
        for _ in 0..3 {
            let length = PING.len();
            let head = format!(
                "POST /mcp HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n");
            connection.write_all(head.as_bytes()).await.unwrap();
            // The house has had the time of another request to answer too early.
            world.http.get(world.at("/.well-known/jwks.json")).send().await.unwrap();
            connection.write_all(PING.as_bytes()).await.unwrap();
            let mut start = [0; 12];
            connection.read_exact(&mut start).await.unwrap();
            assert_eq!(&start, b"HTTP/1.1 401");
            read_to_end_of_answer(&mut connection).await;
        }
    }

    async fn every_first_message_of_a_client_needs_the_token(backend: Backend) {
        let world = World::start(backend).await;
        for method in ["initialize", "server/discover", "ping", "tools/list",
            "notifications/initialized"] {
            world.anonymous_mcp().call(method, json!({})).await.expect(401);
        }
    }

    async fn a_person_who_opens_the_address_sees_the_front_door_with_the_401(backend: Backend) {
        let world = World::start(backend).await;
        for (accept, content_type, text) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html", "<h1>"),
            ("text/markdown", "text/markdown", "claude mcp add"),
        ] {
            let answer = send(world.http.get(world.at("/mcp")).header("accept", accept)).await;
            let answer = answer.expect(401);
            assert!(answer.header("content-type").unwrap().starts_with(content_type));
            assert!(answer.body.contains(text) && answer.body.contains(&world.at("/mcp")));
            challenge(&answer);
        }
    }

    async fn a_bad_token_is_401_invalid_token(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let good = &tokens.access_token;
        let claims = tokens.claims();
        let foreign = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        let pieces: Vec<_> = good.split('.').collect();
        let bend = |name: &str, value: Value| {
            let mut bent = claims.clone();
            bent[name] = value;
            format!("{}.{}.{}", pieces[0], part(&bent), pieces[2])
        };
        for token in [
            "junk".to_owned(),
            tokens.refresh_token().to_owned(),
            format!("{}.{}.{}", pieces[0], pieces[1], reversed(pieces[2])),
            foreign.sign_jwt("at+jwt", &claims),
            format!("{}.{}.", part(&json!({"alg": "none", "typ": "at+jwt"})), pieces[1]),
            bend("exp", json!(4_000_000_000_i64)),
            bend("sub", json!("somebody")),
            world.auth0.key().sign_jwt("JWT", &json!({"iss": world.auth0.issuer()})),
            "a".repeat(20_000),
        ] {
            let answer = world.mcp(&token).ping().await.expect(401);
            let challenge = challenge(&answer);
            assert!(challenge.starts_with("Bearer error=\"invalid_token\", "), "{challenge}");
            assert!(!answer.body.contains(&token[..4.min(token.len())]));
        }
        for header in ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "bearer\u{a0}x"] {
            let request = world.http.post(world.at("/mcp")).body(PING);
            let Ok(value) = reqwest::header::HeaderValue::from_bytes(header.as_bytes()) else {
                panic!("{header} is a header value");
            };
            send(request.header("authorization", value)).await.expect(401);
        }
        let twice = world.mcp(good).request(&json!({})).header("authorization", "Bearer x");
        send(twice).await.expect(401);
        let lower = world.http.post(world.at("/mcp"))
            .header("authorization", format!("bearer {good}"))
            .header("content-type", "application/json").body(PING);
        send(lower).await.expect(200);
    }

    async fn a_withdrawn_key_goes_with_what_it_verified_without_being_asked(backend: Backend) {
        let world = World::start(backend).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let token = Secret::presented(tokens.access_token);
        // Another replica, which signs with a key of its own.
        let replica = world.house_with(&[("signing_alg", "EdDSA")]).await.unwrap().gatehouse;
        assert!(replica.admit(&token).await.unwrap().is_ok());
        let withdraw = "DELETE FROM signing_keys WHERE algorithm = 'ES256'";
        db_execute(&world.database_url, withdraw).await;
        keep_house(&replica).await;
        let refusal = replica.admit(&token).await.unwrap().unwrap_err();
        assert_eq!(refusal, AccessRefusal::BadSignature);
    }

    async fn a_token_dies_with_its_hour(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        world.mcp(&tokens.access_token).ping().await.expect(200);
        // Its client counts the hour from when the answer came.
        world.advance(HOUR + 4 * SECOND);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        world.advance(SECOND);
        world.mcp(&tokens.access_token).ping().await.expect(401);
    }

    async fn tokens_of_another_deployment_or_kind_are_refused(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let claims = client.signed_in(&world, "alice").await.claims();
        // The deployment's own key, given by the story, so that the forgeries are well signed.
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let mut world = world;
        world.restart(&[("signing_key", key.private_pem())]).await;
        let forge = |typ: &str, name: &str, value: Value| {
            let mut bent = claims.clone();
            bent[name] = value;
            key.sign_jwt(typ, &bent)
        };
        let same = claims["jti"].clone();
        world.mcp(&forge("at+jwt", "jti", same.clone())).ping().await.expect(200);
        world.mcp(&forge("application/at+jwt", "jti", json!("2"))).ping().await.expect(200);
        let audiences = json!(["x", world.at("/mcp")]);
        world.mcp(&forge("at+jwt", "aud", audiences)).ping().await.expect(200);
        for token in [
            forge("JWT", "jti", same),
            forge("at+jwt", "iss", json!("https://other.example")),
            forge("at+jwt", "aud", json!(world.url)),
            forge("at+jwt", "aud", json!([])),
            forge("at+jwt", "gid", json!("018bcfe5-6800-7000-8000-000000000000")),
            forge("at+jwt", "gid", json!("x")),
            forge("at+jwt", "client_id", json!("somebody-else")),
            forge("at+jwt", "sub", json!("018bcfe5-6800-7000-8000-000000000000")),
            forge("at+jwt", "iat", json!(claims["iat"].as_i64().unwrap() + 3600)),
            forge("at+jwt", "nbf", json!(claims["iat"].as_i64().unwrap() + 3600)),
            forge("at+jwt", "exp", json!(0)),
            forge("at+jwt", "exp", json!("never")),
        ] {
            world.mcp(&token).ping().await.expect(401);
        }
    }

    async fn a_foreign_origin_or_host_gets_no_further(backend: Backend) {
        let world = World::with(backend, &[("cors_origins", "https://app.example.com")]).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let ping = || world.mcp(&tokens.access_token)
            .request(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
        for origin in ["https://evil.example", "null", "https://app.example.com.evil.example"] {
            let answer = send(ping().header("origin", origin)).await.expect(403);
            assert_eq!(answer.header("access-control-allow-origin"), None);
            send(world.http.get(world.at("/mcp")).header("origin", origin)).await.expect(403);
        }
        for origin in ["https://app.example.com", "http://localhost:6274", world.url.as_str()] {
            let answer = send(ping().header("origin", origin)).await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            let exposed = answer.header("access-control-expose-headers").unwrap();
            assert!(exposed.contains("WWW-Authenticate") && exposed.contains("Mcp-Session-Id"));
            let refused = world.http.post(world.at("/mcp")).header("origin", origin);
            let refused = send(refused).await.expect(401);
            assert_eq!(refused.header("access-control-allow-origin"), Some(origin));
        }
        let user = "http://user@127.0.0.1:6274";
        send(ping().header("origin", user)).await.expect(403);
        for host in ["evil.example", "127.0.0.1.evil.example", "evil.example:8080"] {
            send(ping().header("host", host)).await.expect(421);
        }
    }

    async fn a_preflight_needs_no_token(backend: Backend) {
        let world = World::start(backend).await;
        let request = world.http.request(reqwest::Method::OPTIONS, world.at("/mcp"))
            .header("origin", "http://localhost:6274")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,mcp-protocol-version");
        let answer = send(request).await.expect(204);
        let allowed = answer.header("access-control-allow-headers").unwrap();
        for name in ["Authorization", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name",
            "Mcp-Session-Id", "Last-Event-ID", "Content-Type"] {
            assert!(allowed.contains(name), "{name}");
        }
    }

    async fn with_a_token_other_methods_are_405_and_sessions_are_ignored(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        for path in ["/mcp", "/mcp/"] {
            for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
                let request = world.http.request(method, world.at(path))
                    .header("accept", "text/event-stream").bearer_auth(&tokens.access_token);
                assert_eq!(send(request).await.expect(405).header("allow"), Some("POST"));
            }
        }
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let request = world.mcp(&tokens.access_token).request(&ping).header("mcp-session-id", "x");
        assert_eq!(send(request).await.expect(200).header("mcp-session-id"), None);
        let slash = world.http.post(world.at("/mcp/")).bearer_auth(&tokens.access_token)
            .header("accept", "*/*").json(&ping);
        send(slash).await.expect(200);
        let params = json!({"x": "y".repeat(2 << 20)});
        let big = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": params});
        send(world.mcp(&tokens.access_token).request(&big)).await.expect(413);
    }

    async fn a_tool_beyond_the_scope_is_403_with_all_that_is_needed(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in_with(&world, "alice", &[("scope", "docs:read")]).await;
        let arguments = json!({"feedback": "good", "category": "other"});
        let mcp = world.mcp(&tokens.access_token);
        let answer = mcp.tool("submit_documentation_feedback", arguments.clone()).await.expect(403);
        let expected = format!(
            "Bearer error=\"insufficient_scope\", scope=\"docs:read docs:feedback\", \
             resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", world.url);
        assert_eq!(challenge(&answer), expected);
        // Following the challenge helps.
        let scope = [("scope", "docs:read docs:feedback")];
        let tokens = client.signed_in_with(&world, "alice", &scope).await;
        let mcp = world.mcp(&tokens.access_token);
        let answer = mcp.tool("submit_documentation_feedback", arguments).await.expect(200).json();
        assert_eq!(answer["result"]["structuredContent"]["status"], "stored");
    }

    async fn feedback_can_be_left_to_a_second_sign_in(backend: Backend) {
        let world = World::with(backend, &[("default_scope", "docs:read")]).await;
        let bare = world.anonymous_mcp().ping().await.expect(401);
        assert!(challenge(&bare).ends_with("scope=\"docs:read\""));
        let client = world.client("editor").await;
        for scope in ["", "email", "claudeai"] {
            let tokens = client.signed_in_with(&world, "alice", &[("scope", scope)]).await;
            assert!(!tokens.scope.contains("docs:feedback"), "{}", tokens.scope);
            let arguments = json!({"feedback": "good", "category": "other"});
            let mcp = world.mcp(&tokens.access_token);
            mcp.tool("search_docs", json!({"query": "install"})).await.expect(200);
            let stepped = mcp.tool("submit_documentation_feedback", arguments.clone()).await;
            let challenged = challenge(&stepped.expect(403));
            let (_, named) = challenged.split_once("scope=\"").expect("scopes");
            let (asked, _) = named.split_once('"').expect("a closed text");
            // All that it had and what it lacks, so that following it loses nothing.
            let mut expected: Vec<_> = tokens.scope.split(' ').chain(["docs:feedback"]).collect();
            let mut words: Vec<_> = asked.split(' ').collect();
            expected.sort_unstable();
            words.sort_unstable();
            assert_eq!(words, expected);
            let tokens = client.signed_in_with(&world, "alice", &[("scope", asked)]).await;
            let mcp = world.mcp(&tokens.access_token);
            mcp.tool("submit_documentation_feedback", arguments).await.expect(200);
        }
    }

    async fn in_grace_and_open_mode_reading_passes_without_a_token_and_a_bad_one_does_not(
        backend: Backend
    ) {
        for mode in ["grace", "open"] {
            let world = World::with(backend, &[("auth", mode)]).await;
            let anonymous = world.anonymous_mcp();
            anonymous.tool("search_docs", json!({"query": "install"})).await.expect(200);
            let bad = world.mcp("junk").ping().await.expect(401);
            assert!(challenge(&bad).contains("error=\"invalid_token\""));
            // Probes and browsers learn where to sign in all the same.
            for accept in ["*/*", "text/html"] {
                let probe = send(world.http.get(world.at("/mcp")).header("accept", accept)).await;
                challenge(&probe.expect(401));
            }
            let arguments = json!({"feedback": "good", "category": "other"});
            let answer = anonymous.tool("submit_documentation_feedback", arguments).await;
            let answer = answer.expect(401);
            assert!(challenge(&answer).contains("scope=\"docs:read docs:feedback\""));
            assert!(!challenge(&answer).contains("error="));
        }
    }

    async fn limits_count_people_and_for_the_anonymous_addresses(backend: Backend) {
        let limits = [("limit_mcp", "2/15m"), ("limit_mcp_anonymous", "1/15m"), ("auth", "grace")];
        let world = World::with(backend, &limits).await;
        let client = world.client("editor").await;
        let alice = client.signed_in(&world, "alice").await;
        let again = client.signed_in(&world, "alice").await;
        let bob = client.signed_in(&world, "bob").await;
        let first = world.mcp(&alice.access_token).ping().await.expect(200);
        assert_eq!(first.header("ratelimit-limit"), Some("2"));
        assert_eq!(first.header("ratelimit-remaining"), Some("1"));
        world.mcp(&again.access_token).ping().await.expect(200);
        let limited = world.mcp(&alice.access_token).ping().await.expect(429);
        assert_eq!(limited.header("retry-after"), Some("900"));
        assert_eq!(limited.header("ratelimit-remaining"), Some("0"));
        assert_eq!(limited.json()["jsonrpc"], "2.0");
        world.mcp(&bob.access_token).ping().await.expect(200);
        world.anonymous_mcp().ping().await.expect(200);
        world.anonymous_mcp().ping().await.expect(429);
        world.advance(15 * MINUTE);
        world.mcp(&alice.access_token).ping().await.expect(200);
        world.anonymous_mcp().ping().await.expect(200);
    }

    async fn a_work_address_is_required_at_the_door_too(backend: Backend) {
        let mut world = World::start(backend).await;
        let client = world.client("editor").await;
        let mut sign_ins = Vec::new();
        for (claim, value, reason) in [
            ("email", json!("a@gmail.com"), "free or disposable"),
            ("email", Value::Null, "no e-mail address"),
            ("email_verified", json!(false), "not verified"),
        ] {
            let person = Person::named(reason).with("email", json!("a@example.com"));
            let person = person.with(claim, value);
            let end = client.walk(&world, &mut world.browser(), &person, &[]).await;
            let answer = client.exchange(&query(&end, "code").unwrap()).await;
            sign_ins.push((Tokens::of(&answer).access_token, reason));
        }
        world.restart(&[("require_work_email", "true")]).await;
        for (access_token, reason) in sign_ins {
            let answer = world.mcp(&access_token).ping().await.expect(403).json();
            assert_eq!(answer["error"], "work_email_required");
            assert!(answer["reason"].as_str().unwrap().contains(reason), "{answer}");
            assert!(answer["message"].is_string() && answer["docs_url"].is_string());
        }
    }
}
