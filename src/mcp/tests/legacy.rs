//! Revisions 2025-03-26 to 2025-11-25: ST-24, LT-01, LT-08 to LT-12, and the quirks of clients.

use serde_json::{Value, json};

use super::world::{Call, World};

const LEGACY_VERSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", ""];

#[tokio::test]
async fn initialize_says_who_we_are_lt_01_lt_12() {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": { "roots": { "listChanged": true }, "sampling": {}, "future": {} },
        "clientInfo": { "name": "claude-ai", "version": "0.1.0" },
    });
    let call = Call::request("initialize", params)
        .header("accept", "*/*")
        .header("mcp-protocol-version", "2025-11-25");
    let answer = World::new().send(call).await;
    let result = &answer.json["result"];
    assert_eq!(result["serverInfo"]["name"], "gatehouse");
    assert_eq!(result["serverInfo"]["title"], "Redpanda documentation");
    assert_eq!(result["serverInfo"]["version"], "1.2.3");
    assert_eq!(result["capabilities"], json!({ "prompts": {}, "resources": {}, "tools": {} }));
    assert!(result["instructions"].as_str().is_some_and(|text| text.contains("Redpanda")));
}

#[tokio::test]
async fn an_initialize_that_cannot_be_read_has_invalid_params() {
    for params in [json!({}), json!({ "protocolVersion": 7 }), Value::Null] {
        let answer = World::new().send(Call::request("initialize", params)).await;
        answer.expect_error(200, -32602);
    }
}

#[tokio::test]
async fn ping_is_answered_with_nothing_lt_09() {
    let world = World::new();
    for version in LEGACY_VERSIONS {
        let bare = json!({ "jsonrpc": "2.0", "id": "p", "method": "ping" }).to_string();
        for call in [Call::request("ping", json!({})), Call::raw(bare)] {
            let answer = world.send(call.header("mcp-protocol-version", version)).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.json["result"], json!({}), "{version}");
        }
    }
}

#[tokio::test]
async fn lists_keep_the_shape_of_their_revision_lt_12() {
    let world = World::new();
    for version in LEGACY_VERSIONS {
        for (method, key) in [
            ("prompts/list", "prompts"),
            ("resources/list", "resources"),
            ("resources/templates/list", "resourceTemplates"),
        ] {
            let call = Call::request(method, json!({})).header("mcp-protocol-version", version);
            assert_eq!(world.send(call).await.json["result"], json!({ key: [] }), "{method}");
        }
        let call = Call::request("tools/list", json!({})).header("mcp-protocol-version", version);
        let answer = world.send(call).await;
        let members: Vec<_> = answer.json["result"].as_object().expect("a result").keys().collect();
        assert_eq!(members, ["tools"], "{version}");
    }
}

#[tokio::test]
async fn tool_results_keep_the_shape_of_their_revision() {
    let params = json!({ "name": "search_docs", "arguments": { "query": "brokers" } });
    let answer = World::new().send(Call::legacy("tools/call", params)).await;
    let result = answer.json["result"].as_object().expect("a result");
    let mut members: Vec<_> = result.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["content", "isError", "structuredContent"]);
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_an_error_in_a_200() {
    let world = World::new();
    for method in ["foo/bar", "logging/setLevel", "resources/subscribe", "completion/complete"] {
        world.send(Call::legacy(method, json!({}))).await.expect_error(200, -32601);
    }
}

#[tokio::test]
async fn an_unknown_resource_has_the_code_of_its_time_st_24() {
    let call = Call::legacy("resources/read", json!({ "uri": "docs://unknown" }));
    let answer = World::new().send(call).await;
    answer.expect_error(200, -32002);
    assert_eq!(answer.json["error"]["data"]["uri"], "docs://unknown");
}

#[tokio::test]
async fn modern_headers_on_a_legacy_request_do_no_harm() {
    let call = Call::legacy("tools/list", json!({}))
        .header("mcp-method", "something/else")
        .header("mcp-name", "x");
    assert_eq!(World::new().send(call).await.status, 200);
}

#[tokio::test]
async fn discover_without_meta_tells_a_probing_client_what_is_missing() {
    let call = Call::legacy("server/discover", json!({}));
    World::new().send(call).await.expect_error(400, -32602);
}
