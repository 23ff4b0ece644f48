//! One JSON-RPC message per request: ST-05, ST-06, ST-09, ST-39, LT-02, LT-08.

use crate::mcp::envelope::Envelope;
use serde_json::{Value, json};

use super::world::{Call, LEGACY, MODERN, World};

const ERAS: [&str; 3] = [MODERN, LEGACY, ""];

fn raw(body: impl Into<bytes::Bytes>, era: &str) -> Call {
    Call::raw(body).header("mcp-protocol-version", era)
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_parse_error_st_05() {
    let world = World::new();
    let deep = "[".repeat(100_000);
    let deeper = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{deep}");
    for era in ERAS {
        for body in ["", " ", "{", "nonsense", "{\"id\":1}}", "\u{feff}{}", &deep, &deeper] {
            let answer = world.send(raw(body.to_owned(), era)).await;
            answer.expect_error(400, -32700);
            assert_eq!(answer.json.get("id"), None);
        }
        world.send(raw(vec![b'"', 0xff, b'"'], era)).await.expect_error(400, -32700);
    }
}

#[tokio::test]
async fn a_batch_is_refused_st_05_lt_08() {
    let world = World::new();
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    for era in ["2025-03-26", MODERN, LEGACY, ""] {
        for body in [json!([]), json!([ping.clone()]), json!([ping.clone(), ping.clone()])] {
            world.send(raw(body.to_string(), era)).await.expect_error(400, -32600);
        }
    }
}

#[tokio::test]
async fn json_that_is_no_message_is_an_invalid_request_st_05() {
    let world = World::new();
    for era in ERAS {
        for body in [
            json!(null),
            json!(17),
            json!("ping"),
            json!({}),
            json!({ "id": 1, "method": "ping" }),
            json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }),
            json!({ "jsonrpc": 2.0, "id": 1, "method": "ping" }),
            json!({ "jsonrpc": "2.0", "id": 1 }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": 7 }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": null }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "result": {} }),
            json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "error": {} }),
        ] {
            world.send(raw(body.to_string(), era)).await.expect_error(400, -32600);
        }
    }
}

#[tokio::test]
async fn parameters_are_an_object_st_05_sb_25() {
    let world = World::new();
    for era in ERAS {
        for params in [
            json!([]),
            json!("x"),
            json!(7),
            json!({ "_meta": "x" }),
            json!({ "_meta": [] }),
            json!({ "cursor": 5 }),
            json!({ "cursor": {} }),
        ] {
            let body = json!({ "jsonrpc": "2.0", "method": "tools/list", "params": params });
            world.send(raw(body.to_string(), era)).await.expect_error(400, -32602);
            let mut body = body;
            body["id"] = json!(1);
            let answer = world.send(raw(body.to_string(), era)).await;
            answer.expect_error(400, -32602);
            assert_eq!(answer.json["id"], 1);
        }
    }
}

#[tokio::test]
async fn the_id_comes_back_in_its_own_type_st_09() {
    let world = World::new();
    for id in [json!(1), json!("1"), json!(0), json!(-5), json!(i64::MAX), json!(""), json!("ü")] {
        for method in ["tools/list", "foo/bar"] {
            let body = json!({ "jsonrpc": "2.0", "id": id, "method": method });
            let answer = world.send(raw(body.to_string(), LEGACY)).await;
            assert_eq!(answer.json["id"], id, "{method}");
        }
    }
}

#[tokio::test]
async fn an_id_that_cannot_be_echoed_is_refused_st_09() {
    let world = World::new();
    for era in ERAS {
        for id in [json!(null), json!(1.5), json!(true), json!([1]), json!({}), json!(u64::MAX)] {
            let body = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list" });
            let answer = world.send(raw(body.to_string(), era)).await;
            answer.expect_error(400, -32600);
            assert_eq!(answer.json.get("id"), None);
        }
    }
}

#[tokio::test]
async fn a_notification_is_accepted_without_a_word_st_06_lt_02() {
    let world = World::new();
    for era in ERAS {
        for (method, params) in [
            ("notifications/initialized", Value::Null),
            ("notifications/initialized", json!({})),
            ("notifications/cancelled", json!({ "requestId": 1, "reason": "gone" })),
            ("notifications/cancelled", json!({ "requestId": {} })),
            ("notifications/roots/list_changed", json!({})),
            ("notifications/foo", json!({ "x": 1 })),
        ] {
            let body = json!({ "jsonrpc": "2.0", "method": method, "params": params });
            world.send(raw(body.to_string(), era)).await.expect_accepted();
        }
        let bare = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        world.send(raw(bare.to_string(), era)).await.expect_accepted();
    }
}

#[tokio::test]
async fn a_notification_is_refused_where_its_headers_lie_st_06_st_15() {
    let world = World::new();
    let body = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    let other_method = raw(body.clone(), MODERN).header("mcp-method", "tools/call");
    world.send(other_method).await.expect_error(400, -32020);
    world.send(raw(body, "banana")).await.expect_error(400, -32022);
}

#[tokio::test]
async fn an_answer_is_taken_from_legacy_clients_only_st_05_lt_02() {
    let world = World::new();
    for body in [
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
        json!({ "jsonrpc": "2.0", "id": "x", "error": { "code": -1, "message": "no" } }),
        json!({ "jsonrpc": "2.0", "error": { "code": -1, "message": "no" } }),
    ] {
        let body = body.to_string();
        world.send(raw(body.clone(), MODERN)).await.expect_error(400, -32600);
        world.send(raw(body.clone(), LEGACY)).await.expect_accepted();
        world.send(raw(body, "")).await.expect_accepted();
    }
}

#[tokio::test]
async fn a_repeated_key_has_one_meaning_for_the_check_and_for_the_tool() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{
        "name":"submit_documentation_feedback","name":"search_docs",
        "arguments":{"query":"first","query":"brokers"}}}"#;
    let world = World::new();
    let answer = world.send(raw(body, LEGACY)).await;
    assert_eq!(answer.json["result"]["isError"], false, "{}", answer.json);
    assert_eq!(answer.json["result"]["structuredContent"]["sections"][0]["path"], "upgrade.md");
}

#[test]
fn a_number_is_passed_on_to_the_last_place() {
    for number in ["123456789012345678901234567890", "0.1", "1.7976931348623157e308", "-0.0"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"n":{number}}}}}"#);
        let envelope = Envelope::open(body.as_bytes()).unwrap();
        let exact: f64 = number.parse().unwrap();
        let passed_on = Envelope::open(&envelope.to_bytes()).unwrap();
        let Envelope::Request { message, .. } = &passed_on else { panic!("{passed_on:?}") };
        assert_eq!(message["params"]["n"].as_f64().unwrap().to_bits(), exact.to_bits(), "{number}");
    }
}
