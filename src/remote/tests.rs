//! Their arguments made of ours, and what is taken from an answer.

use serde_json::{Map, Value, json};

use super::answer::{Section, clean, of_tool};
use super::arguments::theirs;
use super::fault::NoAnswer;
use crate::config::remote_tool::{Offered, Piece, Place, Source, Template, ToolConfig};

fn tool(arguments: Vec<(&str, Vec<Source>)>) -> ToolConfig {
    ToolConfig {
        remote: "theirs".to_owned(),
        offered: Offered::InPlaceOf(Place::SearchApiReference),
        title: None,
        description: None,
        arguments: arguments.into_iter().map(|(name, it)| (name.to_owned(), it)).collect(),
    }
}

fn from(input: &str, omit_when: &[&str]) -> Source {
    let omit_when = omit_when.iter().map(|&word| word.to_owned()).collect();
    Source::From { input: input.to_owned(), omit_when }
}

fn template(before: &str, input: &str, omit_when: &[&str]) -> Source {
    let pieces = vec![Piece::Text(before.to_owned()), Piece::Input(input.to_owned())];
    let omit_when = omit_when.iter().map(|&word| word.to_owned()).collect();
    Source::Template { template: Template(pieces), omit_when }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

#[test]
fn arguments_are_renamed_derived_constant_or_dropped() {
    let address = || template("https://hub.example/", "api", &["", "all"]);
    for (sources, ours, expected) in [
        (
            vec![("query", vec![from("question", &[])])],
            json!({ "question": "how?", "top_k": 3 }),
            json!({ "query": "how?" }),
        ),
        (vec![("query", vec![from("question", &[])])], json!({}), json!({})),
        (vec![("query", vec![from("question", &[])])], json!({ "question": null }), json!({})),
        (vec![("kind", vec![from("type", &["any"])])], json!({ "type": "any" }), json!({})),
        (
            vec![("urls", vec![from("urls", &[])])],
            json!({ "urls": ["a", "b"] }),
            json!({ "urls": ["a", "b"] }),
        ),
        (vec![("url", vec![address()])], json!({ "api": "all" }), json!({})),
        (vec![("url", vec![address()])], json!({ "api": "" }), json!({})),
        (vec![("url", vec![address()])], json!({}), json!({})),
        (
            vec![("url", vec![address()])],
            json!({ "api": "a b/ü?x#y@z:%2e" }),
            json!({ "url": "https://hub.example/a%20b%2F%C3%BC%3Fx%23y%40z%3A%252e" }),
        ),
        (
            vec![("url", vec![address()])],
            json!({ "api": 7 }),
            json!({ "url": "https://hub.example/7" }),
        ),
        (
            vec![("url", vec![from("url", &[]), address()])],
            json!({ "api": "admin", "url": "u" }),
            json!({ "url": "u" }),
        ),
        (
            vec![("url", vec![from("url", &[]), address()])],
            json!({ "api": "admin" }),
            json!({ "url": "https://hub.example/admin" }),
        ),
        (
            vec![("q", vec![template("in forum: ", "query", &[])])],
            json!({ "query": "a/b .." }),
            json!({ "q": "in forum: a/b .." }),
        ),
        (
            vec![("n", vec![Source::Constant(json!({ "a": [1] }))])],
            json!({ "n": 2 }),
            json!({ "n": { "a": [1] } }),
        ),
    ] {
        let made = theirs(&tool(sources), &object(ours.clone()));
        assert_eq!(made, Ok(object(expected)), "{ours}");
    }
}

#[test]
fn what_would_lead_elsewhere_is_refused_with_the_name_of_ours() {
    let tool = tool(vec![("url", vec![template("https://hub.example/", "api", &[])])]);
    for value in [json!("."), json!(".."), json!(["a"]), json!({ "a": 1 })] {
        let made = theirs(&tool, &object(json!({ "api": value })));
        assert_eq!(made, Err(NoAnswer::Unusable("api".to_owned())), "{value}");
    }
}

fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

fn sections(result: &Value) -> Vec<(String, Option<String>, String)> {
    let answer = of_tool(result, "kapa").expect("it is a result");
    let parts = |Section { title, url, text, .. }| (title, url, text);
    answer.sections.into_iter().map(parts).collect()
}

#[test]
fn sections_are_found_in_every_shape_that_servers_use() {
    let item = json!({ "title": "T", "source_url": "https://k.example/t", "content": "Text." });
    let one = ("T".to_owned(), Some("https://k.example/t".to_owned()), "Text.".to_owned());
    for result in [
        text(&json!([item]).to_string()),
        text(&json!({ "results": [item] }).to_string()),
        text(&item.to_string()),
        text(
            &json!([{ "name": "T", "url": "https://k.example/t", "markdown": "Text." }])
                .to_string(),
        ),
        json!({ "content": [], "structuredContent": { "result": [item] } }),
        json!({ "structuredContent": { "sections": [item] } }),
        json!({ "content": [{ "type": "text", "text": "for people" }],
            "structuredContent": { "documents": [item] } }),
    ] {
        assert_eq!(sections(&result), std::slice::from_ref(&one), "{result}");
    }
    for empty in ["", " ", "[]", "{\"results\":[]}"] {
        assert_eq!(sections(&text(empty)), [], "{empty}");
    }
}

#[test]
fn what_is_no_list_is_one_section_of_text() {
    for (answer, title) in [
        ("Just words.", "kapa"),
        ("intro\n## The *title* #\nmore", "The *title* #"),
        ("[1, 2]", "kapa"),
        ("{\"a\": 1}", "kapa"),
        ("[{\"a\": 1}]", "kapa"),
        ("{ not JSON", "kapa"),
    ] {
        assert_eq!(sections(&text(answer)), [(title.to_owned(), None, answer.to_owned())]);
    }
}

#[test]
fn only_addresses_that_can_be_cited_are_kept() {
    for (url, is_kept) in [
        ("https://k.example/a?b#c", true),
        ("http://k.example/", true),
        ("/relative", false),
        ("javascript:alert(1)", false),
        ("data:text/html,x", false),
        ("file:///etc/passwd", false),
        ("https://user:secret@k.example/", false),
        (&format!("https://k.example/{}", "x".repeat(3_000)), false),
    ] {
        let result = text(&json!([{ "title": "T", "url": url, "content": "x" }]).to_string());
        assert_eq!(sections(&result)[0].1.is_some(), is_kept, "{url}");
    }
}

#[test]
fn only_text_is_taken_and_only_so_much() {
    let result = json!({ "content": [
        { "type": "image", "data": "AAAA", "mimeType": "image/png" },
        { "type": "resource_link", "uri": "file:///etc/passwd", "name": "x" },
        { "type": "resource", "resource": { "uri": "a:b", "text": "inside" } },
        { "type": "resource", "resource": { "uri": "a:b", "blob": "AAAA" } },
        { "type": "unheard of", "text": "no" },
    ] });
    let answer = of_tool(&result, "kapa").expect("it is a result");
    assert_eq!(answer.text, "inside");
    let many: Vec<_> = (0..300).map(|_| json!({ "content": "ä".repeat(1_000) })).collect();
    let answer = of_tool(&text(&json!(many).to_string()), "kapa").expect("it is a result");
    assert_eq!(answer.sections.len(), 100);
    let chars: usize = answer.sections.iter().map(|it| it.text.chars().count()).sum();
    assert_eq!((chars, answer.text.chars().count()), (100_000, 200_000));
    for none in [json!(7), json!({}), json!({ "content": 7 }), json!({ "structuredContent": [] })] {
        assert_eq!(of_tool(&none, "kapa"), None, "{none}");
    }
}

#[test]
fn what_shows_nothing_is_taken_out() {
    for (text, shown) in [
        ("a\u{0}b\u{1b}[31mc\u{85}d", "ab[31mcd"),
        ("a\u{202e}b\u{2066}c\u{200b}d\u{feff}e", "abcde"),
        ("hi\u{e0041}\u{e0042}", "hi"),
        ("a\r\nb\tc\rd", "a\nb\tcd"),
        ("日本語 naïve 👩\u{200d}💻", "日本語 naïve 👩\u{200d}💻"),
    ] {
        assert_eq!(clean(text), shown, "{text:?}");
    }
    let result = text(&json!([{ "title": "a\n# b\u{202e}", "content": "x" }]).to_string());
    assert_eq!(sections(&result)[0].0, "a # b");
}
