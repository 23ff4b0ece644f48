//! The committed document is the one the types make, and describes every operation once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gatehouse_api::{document_json, document_yaml};
use serde_json::{Map, Value};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    // `gatehouse openapi` ends its output with one line break.
    let generated = format!("{}\n", document_yaml().trim_end());
    let first = committed.lines().zip(generated.lines()).position(|(old, new)| old != new);
    let line = first.unwrap_or_else(|| committed.lines().count().min(generated.lines().count()));
    assert!(
        committed == generated,
        "openapi.yaml:{}: not what the types say. Run `just openapi`, or \
         `cargo run -- openapi > openapi.yaml`, and look at the difference.",
        line + 1
    );
}

#[test]
fn every_operation_is_described_once() {
    let document = document();
    let mut ids = BTreeSet::new();
    let mut faults = Vec::new();
    for (place, operation) in operations(&document) {
        let id = text(operation, "operationId");
        if id.is_empty() {
            faults.push(format!("{place}: no operationId"));
        } else if !ids.insert(id) {
            faults.push(format!("{place}: another operation is called {id}, too"));
        }
        if text(operation, "summary").is_empty() {
            faults.push(format!("{place}: no summary"));
        }
        let responses = operation.get("responses").and_then(Value::as_object);
        if responses.is_none_or(Map::is_empty) {
            faults.push(format!("{place}: no response"));
        }
        for (status, response) in responses.into_iter().flatten() {
            if response.as_object().is_none_or(|response| text(response, "description").is_empty())
            {
                faults.push(format!("{place}: response {status} has no description"));
            }
        }
    }
    assert!(!ids.is_empty(), "the document has no operation");
    assert!(faults.is_empty(), "mend the types in api/src:\n{}", faults.join("\n"));
}

#[test]
fn both_forms_of_the_document_hold_the_same_operations() {
    let document: Value = serde_json::from_str(&document_json()).expect("the document is JSON");
    let in_json: BTreeSet<&str> = operations(&document)
        .into_iter()
        .map(|(_, operation)| text(operation, "operationId"))
        .collect();
    let yaml = document_yaml();
    let named = yaml.lines().filter_map(|line| line.trim().strip_prefix("operationId:"));
    let named: Vec<&str> = named.map(str::trim).collect();
    let in_yaml: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(in_yaml, in_json);
    assert_eq!(named.len(), in_json.len(), "the YAML names an operation twice");
}

#[test]
fn no_path_stands_in_the_document_twice() {
    // A parser would keep one of the two and say nothing.
    let yaml = document_yaml();
    let mut seen = BTreeSet::new();
    for path in yaml.lines().filter(|line| line.starts_with("  /")) {
        assert!(seen.insert(path), "{path} twice");
    }
    let document = document();
    let paths = document["paths"].as_object().expect("the document has paths");
    assert_eq!(seen.len(), paths.len());
}

#[test]
fn other_spellings_are_described_as_what_they_stand_for() {
    let document = document();
    for (alias, path) in [
        ("/authorize", "/oauth/authorize"),
        ("/token", "/oauth/token"),
        ("/register", "/oauth/register"),
        ("/mcp/", "/mcp"),
    ] {
        let (described, meant) = (&document["paths"][alias], &document["paths"][path]);
        let methods = meant.as_object().expect("the path is described");
        assert_eq!(described.as_object().map(Map::len), Some(methods.len()), "{alias}");
        for (method, operation) in methods {
            let described = &described[method];
            assert_eq!(described["deprecated"], true, "{method} {alias}");
            for part in ["summary", "parameters", "requestBody", "responses"] {
                assert_eq!(described[part], operation[part], "{method} {alias}: {part}");
            }
        }
    }
}

fn document() -> Value {
    serde_json::from_str(&document_json()).expect("the document is JSON")
}

/// Every method of every path, with a name for messages.
fn operations(document: &Value) -> Vec<(String, &Map<String, Value>)> {
    let paths = document["paths"].as_object().expect("the document has paths");
    let mut found = Vec::new();
    for (path, item) in paths {
        let item = item.as_object().expect("a path holds methods");
        for (method, operation) in item.iter().filter(|(key, _)| METHODS.contains(&key.as_str())) {
            let operation = operation.as_object().expect("a method holds an operation");
            found.push((format!("{method} {path}"), operation));
        }
    }
    found
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}
