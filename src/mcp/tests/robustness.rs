//! No input breaks the room, and what breaks inside stays inside: ST-25, SB-26.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use proptest::prelude::*;
use rmcp::model::RequestId;
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::world::{Call, LEGACY, Letters, MODERN, Mood, World, meta};
use crate::mcp::transport::mend;

async fn submit(mood: Mood) -> super::world::Answer {
    let world = World::with(Letters { mood, ..Letters::default() });
    let arguments = json!({ "feedback": "Nice.", "category": "other" });
    let params = json!({ "name": "submit_documentation_feedback", "arguments": arguments });
    let call = world.send(Call::modern("tools/call", params));
    tokio::time::timeout(Duration::from_secs(10), call).await.expect("an answer in time")
}

#[tokio::test]
async fn a_fault_is_an_internal_error_without_detail() {
    let answer = submit(Mood::Breaks).await;
    answer.expect_error(200, -32603);
    assert_eq!(answer.json["error"]["message"], "Internal error. Try again later.");
    assert_eq!(answer.json["error"].get("data"), None);
}

#[tokio::test]
async fn a_tool_that_panics_still_answers() {
    let answer = submit(Mood::Panics).await;
    answer.expect_error(200, -32603);
    assert!(!answer.json.to_string().contains("wall"), "{}", answer.json);
}

#[test]
fn what_rmcp_says_in_plain_text_is_said_in_json_rpc() {
    for (status, mended, code) in [(415, 400, -32600), (400, 400, -32600), (500, 500, -32603)] {
        let mut response = Response::new(Bytes::from_static(b"fail to deserialize: secret"));
        *response.status_mut() = StatusCode::from_u16(status).expect("a status");
        let response = mend(response, Some(RequestId::Number(7)));
        assert_eq!(response.status(), mended);
        let body: Value = serde_json::from_slice(response.body()).expect("JSON");
        assert_eq!((&body["error"]["code"], &body["id"]), (&json!(code), &json!(7)));
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}

/// Everything this room logs while `work` is done, with the span of the request around it.
async fn logged(work: impl Future<Output = ()>) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("gatehouse=trace,rmcp=error")
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    work.instrument(tracing::info_span!("request", id = "req_1")).await;
    drop(guard);
    let bytes = lines.0.lock().expect("no holder panics").clone();
    String::from_utf8(bytes).expect("text")
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no holder panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_names_the_request_and_neither_question_nor_person() {
    let world = World::with(Letters { mood: Mood::Breaks, ..Letters::default() });
    let log = logged(async {
        world.tool("search_docs", json!({ "query": "my private question" })).await;
        world.refusal("search_docs", json!({ "query": ["my private question"] })).await;
        let arguments = json!({ "feedback": "my private question", "category": "bug" });
        let params = json!({ "name": "submit_documentation_feedback", "arguments": arguments });
        world.send(Call::modern("tools/call", params)).await.expect_error(200, -32603);
    })
    .await;
    assert!(log.contains("a tool failed") && log.contains("the table is gone"), "{log}");
    assert!(log.contains("req_1"), "{log}");
    assert!(!log.contains("private") && !log.contains("acme"), "{log}");
}

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_key(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Keys that mean something, most of the time.
fn any_key() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "jsonrpc",
        "id",
        "method",
        "params",
        "result",
        "error",
        "name",
        "arguments",
        "_meta",
        "cursor",
        "uri",
        "query",
        "limit",
        "path",
        "question",
        "protocolVersion",
        "capabilities",
        "clientInfo",
        "progressToken",
        "io.modelcontextprotocol/protocolVersion",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn any_method() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "initialize",
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "prompts/get",
        "resources/read",
        "subscriptions/listen",
        "completion/complete",
        "tasks/get",
        "notifications/cancelled",
        "logging/setLevel",
        "skills/get",
    ]);
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => ".{0,8}"]
}

/// A message that looks right from afar.
fn any_message() -> impl Strategy<Value = Value> {
    let id = prop_oneof![Just(json!(1)), Just(json!("a")), any_json()];
    (any_method(), id, any_json(), any::<bool>()).prop_map(|(method, id, mut params, has_meta)| {
        if has_meta && params.is_object() {
            params["_meta"] = meta(MODERN);
        }
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
    })
}

/// Every answer is JSON-RPC or empty, with a status that blames the client.
fn check(bodies: Vec<Vec<u8>>, era: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let world = World::new();
        for body in bodies {
            let call = Call::raw(body.clone()).header("mcp-protocol-version", era);
            let answer = world.send(call).await;
            let shown = String::from_utf8_lossy(&body);
            assert!(answer.status.as_u16() < 500, "{shown}: {}", answer.json);
            assert_ne!(answer.code(), Some(-32603), "{shown}");
            if answer.status != 202 {
                assert_eq!(answer.json["jsonrpc"], "2.0", "{shown}: {:?}", answer.bytes);
                assert_ne!(answer.json.get("id"), Some(&Value::Null), "{shown}");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_message_breaks_the_room(
        messages in prop::collection::vec(any_message(), 1..20),
        era in prop::sample::select(vec![MODERN, LEGACY, "", "banana"]),
    ) {
        check(messages.iter().map(|message| message.to_string().into_bytes()).collect(), era);
    }

    #[test]
    fn no_json_breaks_the_room(values in prop::collection::vec(any_json(), 1..20)) {
        check(values.iter().map(|value| value.to_string().into_bytes()).collect(), LEGACY);
    }

    #[test]
    fn no_bytes_break_the_room(bodies in prop::collection::vec(any::<Vec<u8>>(), 1..20)) {
        check(bodies, MODERN);
    }
}
