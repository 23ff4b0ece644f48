//! `whoami` and `disconnect`: who calls, and a link that ends nothing by itself.

use serde_json::json;

use super::world::{Call, World, alice, alice_with, text};
use crate::mcp::account::Keeping;
use crate::mcp::caller::{Caller, Grant, Person};
use crate::mcp::server::McpAnswer;

#[tokio::test]
async fn whoami_says_who_calls_with_what_and_what_is_kept() {
    let result = World::new().tool("whoami", json!({})).await;
    let told = &result["structuredContent"];
    assert_eq!(told["subject"], "sub_alice");
    assert_eq!(told["name"], "Alice");
    assert_eq!(told["email"], "alice@acme.example");
    assert_eq!(told["organization"], "Acme");
    assert_eq!(told["organization_source"], "from your e-mail domain");
    assert_eq!(told["client_id"], "editor");
    assert_eq!(told["scopes"], json!(["docs:read", "email", "profile"]));
    assert_eq!(told["account_url"], "https://mcp.example.com/connect/account");
    assert_eq!(told["told_to"], json!(["crm (crm.example.com): your name"]));
    let words = text(&result);
    for part in [
        "Alice",
        "alice@acme.example",
        "Acme (from your e-mail domain)",
        "editor",
        "docs:read, email, profile",
        "Kept here",
        "Told to others:\n\n- crm (crm.example.com): your name",
        "can object",
    ] {
        assert!(words.contains(part), "{part:?} is missing in {words}");
    }
}

#[tokio::test]
async fn a_client_learns_no_more_than_its_token_says() {
    for (scopes, shared) in [
        (&["docs:read"][..], &[][..]),
        (&["docs:read", "email"], &["email"]),
        (&["docs:read", "profile"], &["name", "organization", "organization_source"]),
    ] {
        let grant = Some(Grant { id: "grant_1".to_owned(), scopes: scopes.to_vec() });
        let call = Call::modern("tools/call", json!({ "name": "whoami", "arguments": {} }));
        let answer = World::new().send(call.by(Caller { grant, ..alice() })).await;
        let result = &answer.json["result"];
        for name in ["name", "email", "organization", "organization_source"] {
            let is_told = result["structuredContent"].get(name).is_some();
            assert_eq!(is_told, shared.contains(&name), "{name} with {scopes:?}");
        }
        assert_eq!(text(result).contains("alice@acme.example"), shared.contains(&"email"));
        assert_eq!(text(result).contains("Acme"), shared.contains(&"organization"));
    }
}

#[tokio::test]
async fn what_is_not_known_is_left_out() {
    let person =
        Person { subject: "sub_carol".to_owned(), name: None, email: None, organization: None };
    let caller = Caller { person: Some(person), ..alice() };
    let call = Call::modern("tools/call", json!({ "name": "whoami", "arguments": {} }));
    let answer = World::new().send(call.by(caller)).await;
    let told = answer.json["result"]["structuredContent"].as_object().expect("an object").clone();
    for absent in ["name", "email", "organization", "organization_source"] {
        assert!(!told.contains_key(absent), "{absent}");
    }
    assert!(text(&answer.json["result"]).contains("- name: not known to this client"));
}

#[tokio::test]
async fn disconnect_gives_a_link_to_this_very_connection() {
    let result = World::new().tool("disconnect", json!({})).await;
    let url = "https://mcp.example.com/connect/account?disconnect=grant_1";
    assert_eq!(result["structuredContent"], json!({ "url": url }));
    let words = text(&result);
    assert!(words.contains(url) && words.contains("Nothing has been disconnected yet"), "{words}");
}

#[tokio::test]
async fn both_need_a_person_and_no_scope() {
    for name in ["whoami", "disconnect"] {
        let call = || Call::modern("tools/call", json!({ "name": name, "arguments": {} }));
        let nobody = World::new().answer(call().by(Caller::anonymous())).await;
        assert!(matches!(nobody, McpAnswer::NeedsPerson { required: [] }), "{name}");
        let answer = World::new().send(call().by(alice_with(&[]))).await;
        assert_eq!(answer.status, 200, "{name}");
        assert!(answer.json["result"]["structuredContent"].is_object(), "{name}");
    }
}

#[tokio::test]
async fn whoami_says_that_searches_are_kept_exactly_when_they_are() {
    for (queries, context) in [(false, false), (true, false), (false, true), (true, true)] {
        let world = World::keeping(Keeping { queries, context });
        let result = world.tool("whoami", json!({})).await;
        let kept = result["structuredContent"]["kept"].as_array().unwrap();
        let says = |words: &str| kept.iter().any(|line| line == words);
        assert_eq!(says("searches and questions"), queries, "{result}");
        assert_eq!(says("not kept: searches, questions and pages read"), !queries, "{result}");
        assert_eq!(says("what the person wants to achieve, where a call says it"), context);
        assert!(says("how often which tool was called, on which day and with which program"));
    }
}
