//! Each call is told of once, with what became of it.

use serde_json::{Value, json};

use super::world::{Call, Letters, MODERN, Mood, World, alice_with};
use crate::mcp::caller::Caller;
use crate::mcp::usage::Outcome;

fn calling(name: &str, arguments: Value) -> Call {
    Call::modern("tools/call", json!({ "name": name, "arguments": arguments }))
}

#[tokio::test]
async fn a_call_is_told_of_with_what_became_of_it() {
    let world = World::with(Letters { mood: Mood::Breaks, ..Letters::default() });
    let query = json!({ "query": "brokers" });
    let feedback = json!({ "feedback": "x", "category": "bug" });
    for (call, expected) in [
        (
            calling("search_docs", query.clone()),
            "sub_alice editor 2026-07-28 \"search_docs\" answered",
        ),
        (
            calling("search_docs", json!({ "query": "xyzzy" })),
            "sub_alice editor 2026-07-28 \"search_docs\" empty",
        ),
        (calling("search_docs", json!({})), "sub_alice editor 2026-07-28 \"search_docs\" refused"),
        (calling("no_such_tool", json!({})), "sub_alice editor 2026-07-28 \"\" refused"),
        (
            calling("submit_documentation_feedback", feedback.clone()),
            "sub_alice editor 2026-07-28 \"submit_documentation_feedback\" fault",
        ),
        (
            calling("search_api_reference", json!({ "query": "xyzzy" })).by(Caller::anonymous()),
            "nobody editor 2026-07-28 \"search_api_reference\" empty",
        ),
        (
            calling("whoami", json!({})).by(Caller::anonymous()),
            "nobody editor 2026-07-28 \"whoami\" unauthorized",
        ),
        (
            calling("submit_documentation_feedback", feedback).by(alice_with(&["docs:read"])),
            "sub_alice editor 2026-07-28 \"submit_documentation_feedback\" forbidden",
        ),
        (
            Call::legacy("tools/call", json!({ "name": "search_docs", "arguments": query })),
            "sub_alice - 2025-11-25 \"search_docs\" answered",
        ),
        (
            Call::request("tools/call", json!({ "name": "read_page", "arguments": {} })),
            "sub_alice - 2025-03-26 \"read_page\" refused",
        ),
    ] {
        drop(world.answer(call).await);
        let told = std::mem::take(&mut *world.calls.lines.lock().unwrap());
        assert_eq!(told, [expected]);
    }
}

#[tokio::test]
async fn what_is_no_call_is_not_counted() {
    let world = World::new();
    for method in ["tools/list", "ping", "server/discover"] {
        drop(world.answer(Call::modern(method, json!({}))).await);
    }
    drop(
        world
            .answer(calling("search_docs", json!({})).header("mcp-protocol-version", "1999"))
            .await,
    );
    assert_eq!(world.calls.lines.lock().unwrap().len(), 0);
    assert_ne!(MODERN, "1999");
}

#[tokio::test]
async fn what_the_person_wants_is_asked_only_where_it_is_switched_on_and_no_call_fails_for_it() {
    let properties = |tool: &Value| tool["inputSchema"]["properties"]["context"].clone();
    for (world, is_asked) in [(World::new(), false), (World::asking_context(), true)] {
        let listed = world.result("tools/list", json!({})).await;
        let tools = listed["tools"].as_array().unwrap();
        assert!(tools.iter().all(|tool| properties(tool).is_object() == is_asked), "{listed}");
        let long = "x".repeat(600);
        for (context, kept) in [
            (json!(" They move to a new cluster. "), "They move to a new cluster."),
            (json!(7), ""),
            (Value::Null, ""),
            (json!(long), &long[..500]),
        ] {
            let arguments = json!({ "query": "brokers", "context": context });
            let result = world.tool("search_docs", arguments).await;
            assert_eq!(result["isError"], false, "{result}");
            let texts = std::mem::take(&mut *world.calls.texts.lock().unwrap());
            let kept = if is_asked { kept } else { "" };
            assert_eq!(texts, [["brokers".to_owned(), kept.to_owned()]]);
        }
    }
}

#[test]
fn outcomes_have_different_words() {
    let mut words = Outcome::ALL.map(Outcome::name).to_vec();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Outcome::ALL.len());
}
