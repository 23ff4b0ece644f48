//! What the two syntaxes mean, and what they may not cost.

use proptest::prelude::*;

use super::*;

fn json_of(yaml: &str) -> String {
    parse(yaml, Syntax::Yaml).unwrap().brief()
}

#[test]
fn yaml_and_json_say_the_same() {
    for (yaml, json) in [
        ("a: 1\nb: [x, 'y', \"z\"]\n", r#"{"a":1,"b":["x","y","z"]}"#),
        ("200: ok\ntrue: yes\nnull: ~\n", r#"{"200":"ok","true":"yes","null":null}"#),
        ("v: [1.0, -2, 0x1F, 0o17, 1e3, .5]", r#"{"v":[1.0,-2,31,15,1000.0,0.5]}"#),
        ("v: [1.2.3, .inf, 0x, 1-2, '1', !!str 1]", r#"{"v":["1.2.3",".inf","0x","1-2","1","1"]}"#),
        ("v: 18446744073709551615", r#"{"v":18446744073709551615}"#),
        ("d: 2024-01-01\nt: 10:30\nn: no", r#"{"d":"2024-01-01","t":"10:30","n":"no"}"#),
        ("t: |\n  a\n  b\nf: >-\n  c\n  d\n", r#"{"t":"a\nb\n","f":"c d"}"#),
        (
            "a: &x {k: 1}\nb: *x\nc: {<<: *x, l: 2}",
            r#"{"a":{"k":1},"b":{"k":1},"c":{"l":2,"k":1}}"#,
        ),
        ("<<: [{a: 1, b: 2}, {a: 3, c: 4}]\nb: 5", r#"{"b":5,"a":1,"c":4}"#),
        ("a: 1\na: 2", r#"{"a":2}"#),
        ("# nothing\n", "null"),
        ("a: 1\n---\nb: 2\n", r#"{"a":1}"#),
        (r#"{"a": {"b": [1, null]}}"#, r#"{"a":{"b":[1,null]}}"#),
    ] {
        assert_eq!(json_of(yaml), json, "{yaml}");
    }
}

#[test]
fn a_fault_is_told_with_its_line() {
    for (text, syntax, told) in [
        ("a: 1\nb: [", Syntax::Yaml, "line"),
        ("a: b: c", Syntax::Yaml, "line 1"),
        ("a:\n\tb: 1", Syntax::Yaml, "line 2"),
        ("? [a]\n: 1", Syntax::Yaml, "a key that is a list"),
        ("a: &x [*x]", Syntax::Yaml, "contains it"),
        ("{\"a\": }", Syntax::Json, "line 1"),
    ] {
        let error = parse(text, syntax).unwrap_err();
        assert!(error.contains(told), "{text:?}: {error}");
    }
}

#[test]
fn nesting_has_an_end_and_costs_no_stack() {
    let flow = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&flow(DEPTH_MAX), Syntax::Json).is_ok());
    assert!(parse(&flow(DEPTH_MAX + 1), Syntax::Json).is_err());
    assert!(parse(&flow(DEPTH_MAX), Syntax::Yaml).is_ok());
    assert!(parse(&flow(DEPTH_MAX + 1), Syntax::Yaml).is_err());
    assert!(parse(&"[".repeat(1 << 20), Syntax::Yaml).is_err());
    assert!(parse(&"- ".repeat(1 << 16), Syntax::Yaml).is_err());
    assert!(parse(&"{".repeat(1 << 20), Syntax::Json).is_err());
}

#[test]
fn aliases_of_aliases_are_counted() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        let row = [before.as_str(); 10].join(", ");
        text = format!("{text}a{level}: &a{level} [{row}]\n");
    }
    let error = parse(&text, Syntax::Yaml).unwrap_err();
    assert!(error.contains("more than 2000000 values"), "{error}");
    let many = format!("[{}0]", "0,".repeat(NODES_MAX));
    assert!(parse(&many, Syntax::Json).unwrap_err().contains("too many values"));
}

proptest! {
    #[test]
    fn no_text_is_a_panic(text in "(?s)[ \\n\\t:\\[\\]{}&*!|>'\"#,?a0.~<-]{0,120}") {
        for syntax in [Syntax::Yaml, Syntax::Json] {
            if let Ok(node) = parse(&text, syntax) {
                prop_assert!(node.pretty().len() < 1 << 20);
            }
        }
    }

    #[test]
    fn what_json_means_yaml_means_too(
        words in proptest::collection::vec("[a-z~0-9. é]{0,6}", 0..6),
    ) {
        let json = serde_json::to_string(&words).unwrap();
        prop_assert_eq!(parse(&json, Syntax::Yaml), parse(&json, Syntax::Json));
    }
}
