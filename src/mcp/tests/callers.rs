//! Who may call what: CH-06, CH-07, SB-23, and the `auth` modes of the door.

use serde_json::{Value, json};

use super::world::{Call, World, alice, alice_with};
use crate::mcp::caller::{Caller, Scope};
use crate::mcp::server::McpAnswer;

/// What the door is told, in one word and the scopes.
async fn verdict(
    name: &str,
    arguments: Value,
    caller: Caller,
) -> (&'static str, Vec<&'static str>) {
    let params = json!({ "name": name, "arguments": arguments });
    let names = |scopes: &[Scope]| scopes.iter().map(|scope| scope.name()).collect();
    let mut verdicts = Vec::new();
    for call in [Call::modern("tools/call", params.clone()), Call::legacy("tools/call", params)] {
        verdicts.push(match World::new().answer(call.by(caller.clone())).await {
            McpAnswer::Response(response) => {
                assert_eq!(response.status(), 200);
                ("answered", Vec::new())
            }
            McpAnswer::NeedsScope { required } => ("needs scope", names(required)),
            McpAnswer::NeedsPerson { required } => ("needs person", names(required)),
        });
    }
    assert_eq!(verdicts[0], verdicts[1], "the eras differ");
    verdicts.remove(0)
}

#[tokio::test]
async fn a_tool_asks_for_every_scope_it_needs_ch_06_ch_07() {
    let query = json!({ "query": "brokers" });
    let read_tools = [
        ("search_docs", query.clone()),
        ("ask_redpanda_question", json!({ "question": "what is a topic" })),
        ("read_page", json!({ "path": "topics.md" })),
        ("list_api_reference_pages", json!({})),
        ("search_api_reference", query.clone()),
        ("get_api_reference_content", json!({ "urls": ["api://harbour"] })),
    ];
    for (tool, arguments) in read_tools {
        for (scopes, expected) in [
            (&["docs:read"][..], ("answered", vec![])),
            (&["docs:read", "docs:feedback"], ("answered", vec![])),
            (&["docs:feedback"], ("needs scope", vec!["docs:read"])),
            (&[], ("needs scope", vec!["docs:read"])),
        ] {
            let caller = alice_with(scopes);
            assert_eq!(
                verdict(tool, arguments.clone(), caller).await,
                expected,
                "{tool} {scopes:?}"
            );
        }
    }
    let feedback = json!({ "feedback": "Nice.", "category": "other" });
    let write_tools = [
        ("submit_documentation_feedback", feedback),
        ("feedback_status", json!({ "receipt": "fb_stored" })),
    ];
    for (tool, arguments) in write_tools {
        for (scopes, expected) in [
            (&["docs:feedback"][..], ("answered", vec![])),
            (&["docs:read"], ("needs scope", vec!["docs:feedback"])),
        ] {
            assert_eq!(verdict(tool, arguments.clone(), alice_with(scopes)).await, expected);
        }
    }
}

#[tokio::test]
async fn an_anonymous_caller_reads_and_signs_in_to_write() {
    let caller = Caller::anonymous();
    let search = verdict("search_docs", json!({ "query": "brokers" }), caller.clone()).await;
    assert_eq!(search, ("answered", vec![]));
    let feedback = json!({ "feedback": "Nice.", "category": "other" });
    let submit = verdict("submit_documentation_feedback", feedback, caller.clone()).await;
    assert_eq!(submit, ("needs person", vec!["docs:feedback"]));
    let status = verdict("feedback_status", json!({ "receipt": "fb_stored" }), caller).await;
    assert_eq!(status, ("needs person", vec!["docs:feedback"]));
}

#[tokio::test]
async fn a_call_out_of_reach_learns_nothing_about_its_arguments() {
    let submit = verdict("submit_documentation_feedback", json!({}), alice_with(&[])).await;
    assert_eq!(submit, ("needs scope", vec!["docs:feedback"]));
}

#[tokio::test]
async fn everything_but_a_tool_call_needs_no_scope() {
    let world = World::new();
    for method in ["server/discover", "tools/list", "prompts/list", "resources/list"] {
        let answer = world.send(Call::modern(method, json!({})).by(alice_with(&[]))).await;
        assert_eq!(answer.status, 200, "{method}");
    }
    let unknown = Call::modern("tools/call", json!({ "name": "drop_tables" })).by(alice_with(&[]));
    world.send(unknown).await.expect_error(200, -32602);
}

#[tokio::test]
async fn feedback_is_sent_in_the_name_of_the_caller_of_this_request_sb_23() {
    let world = World::new();
    let bob = Caller {
        person: alice()
            .person
            .map(|person| crate::mcp::caller::Person { subject: "sub_bob".to_owned(), ..person }),
        ..alice()
    };
    let params = json!({
        "name": "submit_documentation_feedback",
        "arguments": { "feedback": "Nice.", "category": "other", "subject": "sub_alice" },
    });
    for caller in [alice(), bob] {
        world.send(Call::modern("tools/call", params.clone()).by(caller)).await;
    }
    let kept = world.letters.kept.lock().expect("no holder panics");
    let people: Vec<_> = kept.iter().map(|(person, _)| person.as_str()).collect();
    assert_eq!(people, ["sub_alice", "sub_bob"]);
}

#[test]
fn a_caller_prints_without_an_address() {
    let printed = format!("{:?}", alice());
    assert!(printed.contains("sub_alice"), "{printed}");
    assert!(!printed.contains("acme") && !printed.contains("Acme"), "{printed}");
}
