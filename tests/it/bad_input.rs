//! Bad input at every endpoint: a clear error, nothing lost, never a 5xx.

use serde_json::json;

use crate::support::{Answer, Backend, World, on_both};

async fn send(request: reqwest::RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

on_both! {
    async fn oversize_bodies_are_413(backend: Backend) {
        let world = World::start(backend).await;
        let form = "application/x-www-form-urlencoded";
        let big = format!("token={}", "x".repeat(70_000));
        for path in ["/oauth/token", "/oauth/revoke"] {
            let request = world.http.post(world.at(path)).header("content-type", form);
            send(request.body(big.clone())).await.expect_error(413, "invalid_request");
        }
        let body = json!({"redirect_uris": ["https://e.com/cb"], "x": "y".repeat(70_000)});
        let request = world.http.post(world.at("/oauth/register")).json(&body);
        send(request).await.expect_error(413, "invalid_client_metadata");
        let request = world.http.post(world.at("/oauth/consent")).header("content-type", form);
        send(request.body(big)).await.expect(403);
    }

    async fn unreadable_bodies_are_400_in_the_words_of_the_endpoint(backend: Backend) {
        let world = World::start(backend).await;
        let json_type = "application/json";
        let form = "application/x-www-form-urlencoded";
        let deep = "[".repeat(50_000);
        for (path, content_type, body, error) in [
            ("/oauth/register", json_type, "{", "invalid_client_metadata"),
            ("/oauth/register", json_type, "", "invalid_client_metadata"),
            ("/oauth/register", json_type, "\u{0}", "invalid_client_metadata"),
            ("/oauth/register", json_type, &deep, "invalid_client_metadata"),
            ("/oauth/register", form, "redirect_uris=x", "invalid_client_metadata"),
            ("/oauth/revoke", json_type, "{}", "invalid_request"),
            ("/oauth/token", json_type, "{}", "invalid_request"),
            ("/oauth/token", form, "%", "invalid_request"),
            ("/oauth/token", form, "grant_type=%00%ff&client_id=%ff", "invalid_client"),
        ] {
            let request = world.http.post(world.at(path)).header("content-type", content_type);
            let answer = send(request.body(body.to_owned())).await;
            assert!((400..=401).contains(&answer.status), "{path} {body:.20} {}", answer.status);
            assert_eq!(answer.error(), error, "{path} {body:.20}");
        }
    }

    async fn a_refused_body_is_told_what_is_wrong_with_it(backend: Backend) {
        let world = World::start(backend).await;
        let form = "application/x-www-form-urlencoded";
        for (path, content_type, body, reason) in [
            ("/oauth/register", form, "a=b", "application/json"),
            ("/oauth/token", "application/json", "{}", form),
            ("/oauth/revoke", "application/json", "{}", form),
            ("/oauth/token", form, "code=a&code=b", "more than once"),
            ("/oauth/revoke", form, "token=a&token=b", "more than once"),
        ] {
            let request = world.http.post(world.at(path)).header("content-type", content_type);
            let answer = send(request.body(body)).await.expect(400).json();
            let description = answer["error_description"].as_str().unwrap_or_default();
            assert!(description.contains(reason), "{path} {body}: {description}");
        }
    }

    async fn hostile_queries_never_break_anything(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let good = client.authorize_url(&[]);
        for suffix in ["&%", "&%ff=%fe", "&=", "&&&&", "&client_id", "&state=%00", "&scope=%c3%28",
            "&x=%F0%9F%98%80", "&redirect_uri=javascript:alert(1)"] {
            let answer = world.browser().get(&format!("{good}{suffix}")).await;
            assert!(answer.status < 500, "{suffix}: {}", answer.status);
        }
        for client_id in ["\0", "a\0b", "ü", &"x".repeat(60_000), " "] {
            let url = client.authorize_url(&[("client_id", client_id)]);
            world.browser().get(&url).await.expect(400);
            let changes = [("client_id", client_id)];
            let answer = client.refresh_with("ghr_x", &changes).await;
            assert!(matches!(answer.status, 401 | 413), "{}", answer.status);
        }
        let long = format!("{good}&foo={}", "x".repeat(8_000));
        world.browser().get(&long).await.expect(200);
        for query in ["", "?", "?state", "?state=%ff", "?state=x&state=y", "?code=x&error=y"] {
            world.browser().get(&world.at(&format!("/mcp/callback{query}"))).await.expect(400);
        }
    }

    async fn unsupported_methods_are_405_and_junk_paths_404(backend: Backend) {
        let world = World::start(backend).await;
        for (method, path, status) in [
            ("GET", "/oauth/token", 405),
            ("PUT", "/oauth/register", 405),
            ("DELETE", "/oauth/authorize", 405),
            ("POST", "/mcp/callback", 405),
            ("PATCH", "/mcp", 401),
            ("PUT", "/mcp/", 401),
            ("GET", "/oauth/../oauth/token", 405),
            ("GET", "/%2e%2e/etc/passwd", 404),
            ("GET", "//", 404),
            ("GET", "/mcp/x", 404),
            ("POST", "/", 405),
        ] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            let answer = send(world.http.request(method, world.at(path))).await.expect(status);
            assert!(answer.json()["error"].is_string(), "{path}");
        }
    }

    async fn hostile_messages_to_mcp_are_json_rpc_errors(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        for (body, status, code) in [
            ("", 400, -32700),
            ("{", 400, -32700),
            ("[]", 400, -32600),
            ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", 400, -32600),
            ("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", 400, -32600),
        ] {
            let request = world.http.post(world.at("/mcp")).bearer_auth(&tokens.access_token)
                .header("content-type", "application/json").body(body);
            let answer = send(request).await.expect(status);
            assert_eq!(answer.json()["error"]["code"], code, "{body}");
        }
        let answer = world.mcp(&tokens.access_token).tool("no_such_tool", json!({})).await;
        assert_eq!(answer.json()["error"]["code"], -32602);
        let answer = world.mcp(&tokens.access_token).tool("search_docs", json!({})).await;
        assert_eq!(answer.expect(200).json()["result"]["isError"], true);
        let arguments = json!({"path": "../../../etc/passwd"});
        let answer = world.mcp(&tokens.access_token).tool("read_page", arguments).await.expect(200);
        assert_eq!(answer.json()["result"]["isError"], true);
    }
}
