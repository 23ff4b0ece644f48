//! What `tools/list` shows: ST-18, ST-23, ST-26, ST-28, ST-29, ST-30.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{Call, World, alice, alice_with};
use crate::mcp::caller::Caller;

async fn tools() -> Vec<Value> {
    let result = World::new().result("tools/list", json!({})).await;
    result["tools"].as_array().expect("tools").clone()
}

#[tokio::test]
async fn the_tools_come_in_one_order_for_everybody_st_23_st_26() {
    let world = World::new();
    let mut lists = Vec::new();
    for caller in [alice(), alice_with(&[]), alice_with(&["docs:read"]), Caller::anonymous()] {
        let answer = world.send(Call::modern("tools/list", json!({})).by(caller)).await;
        lists.push(answer.bytes);
    }
    lists.dedup();
    assert_eq!(lists.len(), 1);
    let names: Vec<_> = tools().await.iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(
        names,
        [
            "search_docs",
            "ask_redpanda_question",
            "read_page",
            "list_api_reference_pages",
            "search_api_reference",
            "get_api_reference_content",
            "submit_documentation_feedback",
            "feedback_status",
            "whoami",
            "disconnect"
        ]
    );
}

#[tokio::test]
async fn a_list_is_the_same_when_it_is_asked_for_again() {
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        for era in [Call::modern, Call::legacy] {
            let world = World::new();
            let first = world.send(era(method, json!({}))).await;
            let again = world.send(era(method, json!({})).under_id("two")).await;
            let fresh = World::new().send(era(method, json!({})).under_id("two")).await;
            assert_ne!(again.bytes, first.bytes, "{method}: the id is another one");
            assert_eq!(again.bytes, fresh.bytes, "{method}");
            assert_eq!(again.headers, fresh.headers, "{method}");
        }
    }
}

#[tokio::test]
async fn a_list_that_was_asked_for_well_is_no_answer_to_who_asks_badly() {
    let world = World::new();
    world.result("tools/list", json!({})).await;
    let cursor = world.send(Call::modern("tools/list", json!({ "cursor": "x" }))).await;
    assert_eq!(cursor.code(), Some(-32602));
    let other = Call::modern("tools/list", json!({})).header("mcp-method", "tools/call");
    assert_eq!(world.send(other).await.status, 400);
}

#[tokio::test]
async fn names_are_unique_and_plain_st_28() {
    let tools = tools().await;
    let names: BTreeSet<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names.len(), tools.len());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    assert!(names.iter().all(|name| (1..=64).contains(&name.len()) && name.chars().all(is_plain)));
}

#[tokio::test]
async fn every_tool_introduces_itself() {
    for tool in tools().await {
        assert!(tool["title"].as_str().is_some_and(|title| title.contains("Redpanda")), "{tool}");
        let description = tool["description"].as_str().expect("a description");
        assert!(description.contains("Redpanda"), "{description}");
        let arguments = tool["inputSchema"]["properties"].as_object().expect("arguments");
        for (name, argument) in arguments {
            assert!(argument["description"].is_string(), "{name}");
            assert!(argument["type"].is_string(), "{name}");
        }
    }
}

#[tokio::test]
async fn hints_say_which_tools_only_read() {
    for tool in tools().await {
        let hints = &tool["annotations"];
        let reads = tool["name"] != "submit_documentation_feedback";
        assert_eq!(hints["readOnlyHint"], reads);
        assert_eq!(hints["idempotentHint"], reads);
        assert_eq!(hints["openWorldHint"], !reads);
        assert_eq!(hints["destructiveHint"], false);
    }
}

#[tokio::test]
async fn schemas_are_self_contained_2020_12_objects_st_18_st_30() {
    for tool in tools().await {
        for schema in [&tool["inputSchema"], &tool["outputSchema"]] {
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert_eq!(schema["type"], "object");
            let text = schema.to_string();
            for unwanted in ["x-mcp-header", "\"format\"", "\"null\"", "nullable"] {
                assert!(!text.contains(unwanted), "{unwanted} in {text}");
            }
            for reference in text.split("\"$ref\":\"").skip(1) {
                assert!(reference.starts_with("#/"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn schemas_name_the_bounds() {
    let tools = tools().await;
    let bounds = |tool: usize, argument: &str, bound: &str| {
        tools[tool]["inputSchema"]["properties"][argument][bound].clone()
    };
    assert_eq!(bounds(0, "query", "maxLength"), 2_000);
    assert_eq!([bounds(0, "limit", "minimum"), bounds(0, "limit", "maximum")], [1, 20]);
    assert_eq!(bounds(0, "limit", "default"), 8);
    assert_eq!(
        [bounds(0, "max_chars", "minimum"), bounds(0, "max_chars", "maximum")],
        [500, 40_000]
    );
    assert_eq!(bounds(1, "question", "maxLength"), 2_000);
    assert_eq!(bounds(2, "max_chars", "maximum"), 100_000);
    assert_eq!([bounds(3, "url", "maxLength"), bounds(4, "query", "maxLength")], [2_000, 2_000]);
    assert_eq!(
        bounds(4, "type", "enum"),
        json!(["api", "group", "operation", "schema", "topic", "webhook"])
    );
    assert_eq!([bounds(5, "urls", "minItems"), bounds(5, "urls", "maxItems")], [1, 10]);
    assert_eq!(bounds(6, "feedback", "maxLength"), 20_000);
    assert_eq!(
        bounds(6, "category", "enum"),
        json!(["bug", "documentation_gap", "feature_request", "other"])
    );
    let required: Vec<_> = tools.iter().map(|tool| &tool["inputSchema"]["required"]).collect();
    let none = Value::Null;
    assert_eq!(
        required,
        [
            &json!(["query"]),
            &json!(["question"]),
            &none,
            &none,
            &json!(["query"]),
            &json!(["urls"]),
            &json!(["feedback", "category"]),
            &json!(["receipt"]),
            &none,
            &none
        ]
    );
}
