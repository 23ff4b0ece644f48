//! What a model learns from a wrong call: ST-27, SB-26, SB-27.

use serde_json::{Value, json};

use super::world::{Call, World};

/// Calls that must fail, with a word of the advice that comes back.
async fn expect_refusals(tool: &str, calls: &[(Value, &str)]) {
    let world = World::new();
    for (arguments, advice) in calls {
        let text = world.refusal(tool, arguments.clone()).await;
        assert!(text.contains(advice), "{arguments} gave: {text}");
        assert!(text.len() < 1_000, "{text}");
    }
}

#[tokio::test]
async fn a_wrong_search_is_explained_st_27_sb_26() {
    let long = "x".repeat(2_001);
    expect_refusals(
        "search_docs",
        &[
            (json!({}), "`query` is missing"),
            (json!({ "query": null }), "`query` is missing"),
            (json!({ "query": "" }), "`query` is missing or empty"),
            (json!({ "query": " \n\t" }), "`query` is missing or empty"),
            (json!({ "query": 7 }), "`query` must be a text"),
            (json!({ "query": ["a"] }), "`query` must be a text"),
            (json!({ "query": { "text": "a" } }), "`query` must be a text"),
            (json!({ "query": long }), "2001 characters; at most 2000"),
            (json!({ "query": "a", "limit": 0 }), "from 1 to 20"),
            (json!({ "query": "a", "limit": 21 }), "from 1 to 20"),
            (json!({ "query": "a", "limit": -1 }), "from 1 to 20"),
            (json!({ "query": "a", "limit": 1.5 }), "from 1 to 20"),
            (json!({ "query": "a", "limit": 1e300 }), "from 1 to 20"),
            (json!({ "query": "a", "limit": "8" }), "from 1 to 20"),
            (json!({ "query": "a", "limit": true }), "from 1 to 20"),
            (json!({ "query": "a", "max_chars": 499 }), "from 500 to 40000"),
            (json!({ "query": "a", "max_chars": u64::MAX }), "from 500 to 40000"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_bounds_of_a_search_are_inside_st_27() {
    let world = World::new();
    for arguments in [
        json!({ "query": "ü".repeat(2_000) }),
        json!({ "query": "a", "limit": 1, "max_chars": 500 }),
        json!({ "query": "a", "limit": 20, "max_chars": 40_000 }),
        json!({ "query": "\u{0}\u{1b}[31m'\"; DROP TABLE users; --" }),
        json!({ "query": "AND OR NOT ( [ { \" * ? ~ ^ : \\ title:" }),
    ] {
        assert_eq!(world.tool("search_docs", arguments).await["isError"], false);
    }
}

#[tokio::test]
async fn a_wrong_question_is_explained_st_27() {
    let long = "x".repeat(2_001);
    expect_refusals(
        "ask_redpanda_question",
        &[
            (json!({}), "`question` is missing"),
            (json!({ "question": long }), "at most 2000"),
            (json!({ "question": 5, "top_k": 3 }), "`question` must be a text"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_wrong_page_is_explained_st_27_sb_27() {
    expect_refusals(
        "read_page",
        &[
            (json!({}), "Give `path` or `url`"),
            (json!({ "path": "", "url": " " }), "Give `path` or `url`"),
            (json!({ "path": 5 }), "`path` must be a text"),
            (json!({ "path": "x".repeat(2_001) }), "at most 2000"),
            (json!({ "path": "nowhere.md" }), "no such page"),
            (json!({ "path": "../../etc/passwd" }), "no such page"),
            (json!({ "path": "%2e%2e/%2e%2e/etc/passwd" }), "no such page"),
            (json!({ "path": "/etc/passwd\u{0}.md" }), "no such page"),
            (json!({ "url": "file:///etc/passwd" }), "no such page"),
            (json!({ "path": "topics.md", "section": "Nope" }), "- "),
            (json!({ "path": "topics.md", "section": "x".repeat(501) }), "at most 500"),
            (json!({ "path": "topics.md", "offset": -1 }), "from 0 to"),
            (json!({ "path": "topics.md", "offset": 90_000_000 }), "beyond the end"),
            (json!({ "path": "topics.md", "max_chars": 100_001 }), "from 500 to 100000"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_wrong_feedback_is_explained_and_not_sent_st_27() {
    let submit = "submit_documentation_feedback";
    let with = |key: &str, value: Value| {
        let mut arguments = json!({ "feedback": "Nice.", "category": "bug" });
        arguments[key] = value;
        arguments
    };
    expect_refusals(
        submit,
        &[
            (json!({ "category": "bug" }), "`feedback` is missing"),
            (with("feedback", json!("x".repeat(20_001))), "at most 20000"),
            (json!({ "feedback": "Nice." }), "bug, documentation_gap, feature_request, other"),
            (with("category", json!("Bug")), "must be one of"),
            (with("category", json!(["bug"])), "must be one of"),
            (with("page_url", json!("topics.md")), "http or https"),
            (with("page_url", json!("javascript:alert(1)")), "http or https"),
            (with("page_url", json!("https://me:secret@docs.example.com/")), "http or https"),
            (with("page_url", json!(format!("https://a/{}", "x".repeat(2_000)))), "at most 2000"),
        ],
    )
    .await;
    let world = World::new();
    world.refusal(submit, with("category", json!("praise"))).await;
    assert!(world.letters.kept.lock().expect("no holder panics").is_empty());
}

#[tokio::test]
async fn a_receipt_that_is_not_the_callers_is_unknown_st_27() {
    expect_refusals(
        "feedback_status",
        &[
            (json!({}), "`receipt` is missing"),
            (json!({ "receipt": 7 }), "`receipt` must be a text"),
            (json!({ "receipt": "x".repeat(101) }), "at most 100"),
            (json!({ "receipt": "fb_other" }), "no feedback with that receipt"),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_that_names_the_tools_st_27() {
    let world = World::new();
    for name in ["drop_tables", "", "SEARCH_DOCS", "ask_question", "search_docs "] {
        let params = json!({ "name": name, "arguments": {} });
        for call in [Call::legacy("tools/call", params.clone()), modern_call(name, params)] {
            let answer = world.send(call).await;
            answer.expect_error(200, -32602);
            let message = answer.json["error"]["message"].as_str().expect("a message");
            assert!(message.contains("ask_redpanda_question"), "{message}");
        }
    }
}

/// A name that a header cannot carry as it is travels in Base64.
fn modern_call(name: &str, params: Value) -> Call {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(name);
    Call::modern("tools/call", params).header("mcp-name", &format!("=?base64?{encoded}?="))
}
