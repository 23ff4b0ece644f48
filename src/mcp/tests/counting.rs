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
        let told = std::mem::take(&mut *world.calls.0.lock().unwrap());
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
    assert_eq!(world.calls.0.lock().unwrap().len(), 0);
    assert_ne!(MODERN, "1999");
}

#[test]
fn outcomes_have_different_words() {
    let mut words = Outcome::ALL.map(Outcome::name).to_vec();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Outcome::ALL.len());
}
