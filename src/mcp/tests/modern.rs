//! Revision 2026-07-28: ST-13 to ST-16, ST-18, ST-20 to ST-25, ST-35, ST-36, ST-38, SB-25, SB-27.

use serde_json::{Value, json};

use super::world::{Call, World, meta};

#[tokio::test]
async fn a_method_that_does_not_exist_is_404_st_13_st_36() {
    let world = World::new();
    for (method, params) in [
        ("foo/bar", json!({})),
        ("ping", json!({})),
        ("logging/setLevel", json!({ "level": "info" })),
        ("resources/subscribe", json!({ "uri": "docs://x" })),
        ("resources/unsubscribe", json!({ "uri": "docs://x" })),
        ("subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } })),
        ("sampling/createMessage", json!({})),
        ("tasks/result", json!({})),
    ] {
        let answer = world.send(Call::modern(method, params)).await;
        answer.expect_error(404, -32601);
        assert_eq!(answer.json["id"], 1, "{method}");
    }
}

#[tokio::test]
async fn initialize_ended_with_the_handshake_st_13() {
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "editor", "version": "1" },
    });
    World::new().send(Call::modern("initialize", params)).await.expect_error(404, -32601);
}

#[tokio::test]
async fn the_required_meta_is_required_st_14() {
    let world = World::new();
    let key = |name: &str| format!("io.modelcontextprotocol/{name}");
    for missing in ["protocolVersion", "clientCapabilities"] {
        for method in ["tools/list", "server/discover", "prompts/list"] {
            let mut meta = meta("2026-07-28");
            meta.as_object_mut().expect("an object").remove(&key(missing));
            let answer = world.send(modern_with(method, meta)).await;
            answer.expect_error(400, -32602);
        }
    }
    let mut meta = meta("2026-07-28");
    meta.as_object_mut().expect("an object").remove(&key("clientInfo"));
    assert_eq!(world.send(modern_with("tools/list", meta)).await.status, 200);
}

#[tokio::test]
async fn meta_of_a_wrong_type_counts_as_missing_st_14() {
    let world = World::new();
    for meta in [
        json!(null),
        json!("text"),
        json!([]),
        json!({ "io.modelcontextprotocol/protocolVersion": 7 }),
        json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": "none",
        }),
    ] {
        let answer = world.send(modern_with("tools/list", meta.clone())).await;
        answer.expect_error(400, -32602);
    }
}

fn modern_with(method: &str, meta: Value) -> Call {
    let mut params = json!({});
    params["_meta"] = meta;
    Call::request(method, params)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method)
}

#[tokio::test]
async fn the_method_header_must_equal_the_method_st_15() {
    let world = World::new();
    for header in ["", "Tools/List", "tools/call", "=?base64?dG9vbHMvbGlzdA==?="] {
        let call = Call::modern("tools/list", json!({})).header("mcp-method", header);
        world.send(call).await.expect_error(400, -32020);
    }
    let twice = Call::modern("tools/list", json!({})).second_header("mcp-method", "tools/list");
    world.send(twice).await.expect_error(400, -32020);
}

#[tokio::test]
async fn the_name_header_must_equal_the_name_st_16() {
    let world = World::new();
    let search = json!({ "name": "search_docs", "arguments": { "query": "x" } });
    for header in ["", "read_page", "Search_docs", "=?base64?%%%?=", "=?base64?cmVhZA==?="] {
        let call = Call::modern("tools/call", search.clone()).header("mcp-name", header);
        world.send(call).await.expect_error(400, -32020);
    }
    let encoded =
        Call::modern("tools/call", search).header("mcp-name", "=?base64?c2VhcmNoX2RvY3M=?=");
    assert_eq!(world.send(encoded).await.status, 200);
    let resource = Call::modern("resources/read", json!({ "uri": "docs://a" }));
    world.send(resource.header("mcp-name", "docs://b")).await.expect_error(400, -32020);
    let prompt = Call::modern("prompts/get", json!({ "name": "a" }));
    world.send(prompt.header("mcp-name", "")).await.expect_error(400, -32020);
}

#[tokio::test]
async fn parameter_headers_that_no_tool_declares_are_ignored_st_18() {
    let call =
        Call::modern("tools/call", json!({ "name": "search_docs", "arguments": { "query": "x" } }))
            .header("mcp-param-query", "something else");
    assert_eq!(World::new().send(call).await.status, 200);
}

#[tokio::test]
async fn discover_says_who_we_are_st_20_st_22_st_23() {
    let result = World::new().result("server/discover", json!({})).await;
    assert_eq!(result["resultType"], "complete");
    assert_eq!(
        result["supportedVersions"],
        json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"])
    );
    assert_eq!(result["capabilities"], json!({ "prompts": {}, "resources": {}, "tools": {} }));
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"],
        json!({
            "name": "gatehouse",
            "title": "Redpanda documentation",
            "version": "1.2.3",
            "websiteUrl": "https://mcp.example.com",
        })
    );
    let instructions = result["instructions"].as_str().expect("instructions");
    assert!(instructions.contains("Redpanda") && instructions.contains("search_docs"));
    expect_public(&result);
}

#[tokio::test]
async fn every_list_is_complete_and_cacheable_by_all_st_21_st_22_st_23() {
    let world = World::new();
    for (method, key) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let result = world.result(method, json!({})).await;
        assert!(result[key].is_array(), "{method}");
        assert_eq!(result["resultType"], "complete", "{method}");
        assert_eq!(result.get("nextCursor"), None);
        expect_public(&result);
    }
}

#[tokio::test]
async fn the_older_revisions_know_no_cache_hints_st_22() {
    let world = World::new();
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        let result = world.send(Call::legacy(method, json!({}))).await.json["result"].clone();
        assert!(result.is_object(), "{method}");
        assert_eq!((result.get("ttlMs"), result.get("cacheScope")), (None, None), "{method}");
    }
}

#[track_caller]
fn expect_public(result: &Value) {
    assert!(result["ttlMs"].as_u64().is_some(), "{result}");
    assert_eq!(result["cacheScope"], "public");
}

#[tokio::test]
async fn every_tool_result_is_complete_st_21() {
    let world = World::new();
    for arguments in [json!({ "query": "brokers" }), json!({ "query": "zebra" }), json!({})] {
        assert_eq!(world.tool("search_docs", arguments).await["resultType"], "complete");
    }
}

#[tokio::test]
async fn an_unknown_resource_is_named_in_the_error_st_24_sb_27() {
    let world = World::new();
    for uri in [
        "docs://unknown",
        "docs://../../etc/passwd",
        "docs://%2e%2e/%2e%2e/etc/passwd",
        "file:///etc/passwd",
        "not a uri",
    ] {
        let answer = world.send(Call::modern("resources/read", json!({ "uri": uri }))).await;
        answer.expect_error(200, -32602);
        assert_eq!(answer.json["error"]["data"]["uri"], uri);
    }
}

#[tokio::test]
async fn a_cursor_is_always_wrong_st_38_sb_25() {
    let world = World::new();
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        for cursor in ["x", "eyJvZmZzZXQiOjF9", "\u{0}"] {
            for call in [
                Call::modern(method, json!({ "cursor": cursor })),
                Call::legacy(method, json!({ "cursor": cursor })),
            ] {
                let answer = world.send(call).await;
                answer.expect_error(200, -32602);
            }
        }
        for none in [json!(null), json!("")] {
            let answer = world.send(Call::modern(method, json!({ "cursor": none }))).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.code(), None);
        }
    }
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_invalid_params() {
    let world = World::new();
    for (method, params) in [
        ("tools/call", json!({})),
        ("tools/call", json!({ "name": 5 })),
        ("tools/call", json!({ "name": "search_docs", "arguments": "query" })),
        ("tools/call", json!({ "name": "search_docs", "arguments": ["query"] })),
        ("resources/read", json!({})),
        ("prompts/get", json!({})),
        ("prompts/get", json!({ "name": "unknown" })),
    ] {
        let answer = world.send(Call::modern(method, params.clone())).await;
        answer.expect_error(200, -32602);
        let answer = world.send(Call::legacy(method, params)).await;
        answer.expect_error(200, -32602);
    }
}

#[tokio::test]
async fn nothing_but_the_result_is_sent_st_35() {
    let mut params = json!({ "name": "search_docs", "arguments": { "query": "brokers" } });
    params["_meta"] = meta("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/logLevel"] = json!("debug");
    params["_meta"]["progressToken"] = json!("p1");
    let call = Call::request("tools/call", params)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "search_docs");
    let answer = World::new().send(call).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.json["result"]["isError"], false);
}
