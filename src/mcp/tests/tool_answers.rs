//! What tools answer when they are called as they should be: ST-27, ST-29.

use serde_json::{Value, json};

use super::schema::fits;
use super::world::{Letters, STATUSES, World, text};
use crate::mcp::feedback::{Category, Note};

async fn output_schema(world: &World, name: &str) -> Value {
    let list = world.result("tools/list", json!({})).await;
    let tools = list["tools"].as_array().expect("tools");
    tools.iter().find(|tool| tool["name"] == name).expect("the tool")["outputSchema"].clone()
}

#[tokio::test]
async fn structured_content_fits_the_declared_schema_st_29() {
    let world = World::new();
    for (name, arguments) in [
        ("search_docs", json!({ "query": "brokers" })),
        ("search_docs", json!({ "query": "zebra" })),
        ("ask_redpanda_question", json!({ "question": "brokers" })),
        ("read_page", json!({ "path": "topics.md" })),
        ("read_page", json!({ "path": "long.md", "max_chars": 500 })),
        ("list_api_reference_pages", json!({})),
        ("list_api_reference_pages", json!({ "api": "harbour" })),
        ("list_api_reference_pages", json!({ "url": "api://harbour/schema/Ship" })),
        ("search_api_reference", json!({ "query": "berth", "type": "schema" })),
        ("search_api_reference", json!({ "query": "zebra" })),
        ("get_api_reference_content", json!({ "urls": ["api://harbour", "api://nowhere"] })),
        ("submit_documentation_feedback", json!({ "feedback": "Nice.", "category": "bug" })),
        ("feedback_status", json!({ "receipt": "fb_stored" })),
    ] {
        let schema = output_schema(&world, name).await;
        let result = world.tool(name, arguments).await;
        let content = &result["structuredContent"];
        assert!(fits(content, &schema, &schema), "{name}: {content} against {schema}");
        assert_eq!(result["isError"], false);
        assert!(!text(&result).is_empty());
    }
}

#[tokio::test]
async fn a_search_gives_sections_with_their_address() {
    let result = World::new().tool("search_docs", json!({ "query": "partitions" })).await;
    let section = &result["structuredContent"]["sections"][0];
    assert_eq!(section["title"], "Topics");
    assert_eq!(section["path"], "topics.md");
    assert_eq!(section["url"], "https://docs.example.com/topics");
    let text = text(&result);
    for part in ["## 1. Topics", "<https://docs.example.com/topics>", "A topic has partitions"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn a_score_has_few_digits() {
    let result = World::new().tool("search_docs", json!({ "query": "brokers" })).await;
    let score = result["structuredContent"]["sections"][0]["score"].to_string();
    assert!(score.len() <= 8, "{score}");
}

#[tokio::test]
async fn nothing_found_is_an_answer_that_says_what_to_try() {
    let world = World::new();
    for (name, argument) in [("search_docs", "query"), ("ask_redpanda_question", "question")] {
        let result = world.tool(name, json!({ argument: "zebra" })).await;
        assert_eq!(result["isError"], false);
        assert_eq!(result["structuredContent"], json!({ "sections": [] }));
        assert!(text(&result).contains("Try"));
    }
}

#[tokio::test]
async fn the_limits_reach_the_library() {
    let world = World::new();
    let one = world.tool("search_docs", json!({ "query": "brokers", "limit": 1 })).await;
    assert_eq!(one["structuredContent"]["sections"].as_array().map(Vec::len), Some(1));
    let short = world.tool("search_docs", json!({ "query": "tiered", "max_chars": 500.0 })).await;
    let cut = short["structuredContent"]["sections"][0]["text"].as_str().expect("a text");
    assert!(cut.chars().count() <= 500);
}

#[tokio::test]
async fn arguments_a_tool_has_no_use_for_are_tolerated() {
    let world = World::new();
    for extra in [json!(5), json!(5.5), json!(-1), json!(1e300), json!("5"), json!(null)] {
        let arguments = json!({ "question": "brokers", "top_k": extra, "unknown": { "a": [1] } });
        let result = world.tool("ask_redpanda_question", arguments).await;
        assert_eq!(result["isError"], false, "{extra}");
    }
}

#[tokio::test]
async fn optional_arguments_may_be_null_or_empty() {
    let world = World::new();
    let arguments = json!({ "query": "brokers", "limit": null, "max_chars": null });
    assert_eq!(world.tool("search_docs", arguments).await["isError"], false);
    let arguments = json!({ "path": "topics.md", "url": "", "section": "", "offset": null });
    assert_eq!(world.tool("read_page", arguments).await["isError"], false);
}

#[tokio::test]
async fn a_page_is_read_by_path_or_by_address() {
    let world = World::new();
    let address = "https://docs.example.com/topics";
    for arguments in [
        json!({ "path": "topics.md" }),
        json!({ "url": address }),
        json!({ "path": address }),
        json!({ "path": "topics.md", "url": address }),
    ] {
        let result = world.tool("read_page", arguments).await;
        let page = &result["structuredContent"];
        assert_eq!(page["title"], "Topics");
        assert_eq!(page.get("next_offset"), None);
        assert!(text(&result).contains("A topic has partitions"));
        assert!(text(&result).contains(address));
    }
}

#[tokio::test]
async fn a_long_page_comes_in_parts_that_join_to_the_whole() {
    let world = World::new();
    let whole = world.tool("read_page", json!({ "path": "long.md" })).await;
    let mut joined = String::new();
    let mut offset = Some(0);
    while let Some(from) = offset {
        let arguments = json!({ "path": "long.md", "offset": from, "max_chars": 700 });
        let part = world.tool("read_page", arguments).await;
        joined.push_str(part["structuredContent"]["markdown"].as_str().expect("Markdown"));
        offset = part["structuredContent"]["next_offset"].as_u64();
        let hint = offset.map(|offset| format!("`offset` {offset}"));
        assert!(hint.is_none_or(|hint| text(&part).contains(&hint)));
    }
    assert_eq!(joined, whole["structuredContent"]["markdown"]);
}

#[tokio::test]
async fn feedback_arrives_whole_and_gives_a_receipt() {
    let world = World::new();
    let words = "Größe fehlt. ".repeat(1_500);
    let arguments = json!({
        "feedback": format!("  {words}"),
        "category": "documentation_gap",
        "page_url": "https://docs.example.com/topics?x=1#y",
    });
    let result = world.tool("submit_documentation_feedback", arguments).await;
    assert_eq!(result["structuredContent"], json!({ "receipt": "fb_1", "status": "stored" }));
    assert!(text(&result).contains("fb_1"));
    let kept = world.letters.kept.lock().expect("no holder panics");
    let (_, feedback) = &kept[0];
    assert_eq!(feedback.text, words.trim());
    assert_eq!(feedback.category, Category::DocumentationGap);
    let page = feedback.page_url.as_ref().map(url::Url::as_str);
    assert_eq!(page, Some("https://docs.example.com/topics?x=1#y"));
}

#[tokio::test]
async fn what_a_person_should_know_of_a_feedback_is_said_twice() {
    let notes = vec![Note::PageIsForeign, Note::SecretsRemoved];
    let world = World::with(Letters { notes, ..Letters::default() });
    let arguments = json!({ "feedback": "Nice.", "category": "bug" });
    let submit = "submit_documentation_feedback";
    let result = world.tool(submit, arguments).await;
    assert_eq!(result["isError"], false);
    let notes = result["structuredContent"]["notes"].as_array().expect("notes");
    assert_eq!(notes.len(), 2);
    for (note, word) in notes.iter().zip(["not part of this documentation", "was removed"]) {
        let note = note.as_str().expect("a sentence");
        assert!(note.contains(word) && text(&result).contains(note), "{note}");
    }
    let schema = output_schema(&world, submit).await;
    assert!(fits(&result["structuredContent"], &schema, &schema));
}

#[tokio::test]
async fn a_receipt_tells_what_has_become_of_a_feedback() {
    let world = World::new();
    for status in STATUSES {
        let receipt = format!("fb_{}", status.name());
        let result = world.tool("feedback_status", json!({ "receipt": receipt })).await;
        let expected = json!({ "receipt": receipt, "status": status.name() });
        assert_eq!(result["structuredContent"], expected);
        assert!(!text(&result).is_empty());
    }
}
