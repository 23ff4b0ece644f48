//! What HTTP says about a request: ST-01, ST-07, ST-08, ST-17, ST-31, ST-37, LT-03, LT-04, LT-13.

use http::Method;
use serde_json::json;

use super::world::{Call, World};

#[tokio::test]
async fn any_accept_that_allows_an_answer_gets_json_st_07_st_08() {
    let world = World::new();
    for accept in [
        "",
        "*/*",
        "application/json",
        "text/event-stream",
        "application/*",
        "application/json, text/event-stream",
        "text/html, application/json;q=0.1",
        "Application/JSON; charset=utf-8",
        "application/json;q=0, */*;q=0.5",
    ] {
        for call in [Call::modern("tools/list", json!({})), Call::legacy("tools/list", json!({}))] {
            let answer = world.send(call.header("accept", accept)).await;
            assert_eq!(answer.status, 200, "{accept}");
            assert_eq!(answer.headers["content-type"], "application/json");
        }
    }
}

#[tokio::test]
async fn an_accept_that_rules_everything_out_is_406_st_08() {
    let world = World::new();
    for accept in [
        "text/html",
        "image/png, text/html;q=0.9",
        "application/json;q=0",
        "application/json; q=0.000, text/event-stream;Q=0",
        "*/*;q=0",
        "application/jsonx",
    ] {
        let answer =
            world.send(Call::legacy("tools/list", json!({})).header("accept", accept)).await;
        answer.expect_error(406, -32600);
    }
}

#[tokio::test]
async fn a_body_that_is_not_labelled_json_is_415() {
    let world = World::new();
    for content_type in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed"] {
        let call = Call::legacy("tools/list", json!({})).header("content-type", content_type);
        world.send(call).await.expect_error(415, -32600);
    }
    let call = Call::legacy("tools/list", json!({}));
    let labelled = call.header("content-type", "Application/Json ; charset=utf-8");
    assert_eq!(world.send(labelled).await.status, 200);
}

#[tokio::test]
async fn only_post_is_allowed_st_37_lt_03_lt_13() {
    let world = World::new();
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH, Method::HEAD] {
        let call = Call::raw("").method(method).header("accept", "text/event-stream");
        let answer = world.send(call).await;
        answer.expect_error(405, -32600);
        assert_eq!(answer.headers["allow"], "POST");
    }
}

#[tokio::test]
async fn session_headers_are_ignored_and_none_is_issued_st_37_lt_04() {
    let world = World::new();
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "editor", "version": "1" },
    });
    for call in [
        Call::request("initialize", params),
        Call::legacy("tools/list", json!({})),
        Call::modern("tools/list", json!({})),
    ] {
        let call = call
            .header("mcp-session-id", "6a1b3c00-0000-4000-8000-000000000000")
            .header("last-event-id", "17");
        let answer = world.send(call).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers.get("mcp-session-id"), None);
    }
}

#[tokio::test]
async fn two_replicas_answer_alike_and_need_no_handshake_st_31() {
    let (first, second) = (World::new(), World::new());
    for call in [Call::legacy("tools/list", json!({})), Call::modern("tools/list", json!({}))] {
        let left = first.send(call.clone()).await;
        let right = second.send(call).await;
        assert_eq!(left.bytes, right.bytes);
    }
}

#[tokio::test]
async fn white_space_around_a_header_value_is_no_part_of_it_st_17() {
    let call =
        Call::modern("tools/call", json!({ "name": "search_docs", "arguments": { "query": "x" } }))
            .header("mcp-method", "tools/call ")
            .header("mcp-name", "\tsearch_docs ")
            .header("mcp-protocol-version", " 2026-07-28");
    assert_eq!(World::new().send(call).await.status, 200);
}
