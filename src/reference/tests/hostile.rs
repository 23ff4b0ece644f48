//! Documents that are broken, endless or meant ill.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{of_source, of_text, own, read};
use crate::reference::error::ReferenceError;
use crate::reference::library::{
    ANSWER_CHARS_MAX, LISTED_MAX, ListAnswer, ListRequest, ReadAnswer, Reference, SearchRequest,
    Settings,
};

/// Goes everywhere in a reference; panics if anything on the way does.
fn walk(reference: &Reference) -> usize {
    let mut waiting = vec![None::<String>];
    let (mut count, mut bytes) = (0, 0);
    while let Some(url) = waiting.pop() {
        let request = url.as_deref().map_or(ListRequest::Apis, ListRequest::Below);
        let ListAnswer::Pages { entries, .. } = reference.list(request) else {
            panic!("{url:?} is not listed");
        };
        waiting.extend(entries.into_iter().map(|entry| Some(entry.url)));
        let Some(url) = url else { continue };
        let text = read(reference, &url);
        assert!(!text.trim().is_empty(), "{url}");
        assert!(text.chars().count() <= 21_000, "{url}");
        count += 1;
        bytes += text.len();
        assert!(count < 20_000 && bytes < 100_000_000);
    }
    count
}

/// The error of a folder with one API of these files.
fn error_of(files: &[(&str, &str)]) -> String {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("api")).unwrap();
    for (name, text) in files {
        fs::write(place.path().join("api").join(name), text).unwrap();
    }
    let error = Reference::open(of_source(None, place.path().to_path_buf())).err();
    error.map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_broken_file_is_an_error_that_names_it() {
    let good = ("good.yaml", "openapi: 3.0.0\n");
    for (name, text, told) in [
        ("bad.yaml", "openapi: 3.0.0\npaths: [", "in line "),
        ("bad.json", "{\"openapi\": \"3.0.0\",}", "line 1"),
        ("bad.yaml", "openapi: 4.0.0", "`openapi: 4.0.0`; OpenAPI 3.x"),
        ("bad.yaml", "swagger: '1.2'", "`swagger: 1.2`; OpenAPI 3.x"),
        ("bad.yaml", "a\0b", "cannot read"),
    ] {
        let error = error_of(&[good, (name, text)]);
        assert!(error.contains(told) && error.contains(name), "{text:?}: {error}");
    }
    assert!(error_of(&[("only.yaml", "a: 1")]).contains("no OpenAPI document in"));
    assert!(error_of(&[]).contains("no OpenAPI document in"));
    assert_eq!(error_of(&[good, ("fragment.yaml", "a: 1"), ("notes.txt", "[")]), "");
}

#[test]
fn a_named_file_must_be_a_document_and_a_path_must_exist() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("x.yaml");
    let missing = Reference::open(of_source(Some("x"), file.clone())).err().unwrap();
    assert!(matches!(&missing, ReferenceError::Missing { path } if *path == file), "{missing}");
    fs::write(&file, "just: yaml").unwrap();
    let error = Reference::open(of_source(Some("x"), file.clone())).err().unwrap().to_string();
    assert!(error.contains("x.yaml") && error.contains("no `openapi`"), "{error}");
    fs::write(&file, "openapi: 3.0.0").unwrap();
    for (name, told) in [("all", "every API"), ("a b", "1 to 64"), ("../x", "1 to 64")] {
        let error = Reference::open(of_source(Some(name), file.clone())).err().unwrap().to_string();
        assert!(error.contains(told), "{error}");
    }
    let twice = of_source(Some("x"), file.clone());
    let sources = [twice.sources.clone(), of_source(Some("X"), file).sources].concat();
    let error = Reference::open(Settings { sources, own: own("") }).err().unwrap().to_string();
    assert!(error.contains("given twice"), "{error}");
}

#[test]
fn other_files_are_read_only_inside_the_folder() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("api")).unwrap();
    fs::write(place.path().join("secret.yaml"), "S: {description: hidden-word}").unwrap();
    let file = place.path().join("api/a.yaml");
    let references = ["../secret.yaml#/S", "/etc/hosts#/S", "file:///etc/hosts", "b.yaml#/B"];
    let fields = references.iter().enumerate();
    let fields = fields.map(|(n, it)| (format!("f{n}"), json!({ "$ref": it })));
    let fields: serde_json::Map<String, Value> = fields.collect();
    let schemas = json!({ "A": { "properties": fields } });
    let document = json!({ "openapi": "3.1.0", "components": { "schemas": schemas } });
    fs::write(&file, document.to_string()).unwrap();
    fs::write(place.path().join("api/b.yaml"), "B: {description: shown-word}").unwrap();
    let text = read(&Reference::open(of_source(Some("a"), file)).unwrap(), "api://a/schema/A");
    assert!(text.contains("shown-word") && !text.contains("hidden-word"), "{text}");
    assert_eq!(text.matches("leads nowhere").count(), 3, "{text}");
}

#[test]
fn circles_end() {
    let reference = of_text(
        "openapi: 3.1.0\n\
         paths:\n  /a: {$ref: '#/paths/~1a'}\n  /b:\n    get:\n      parameters: \
         [{$ref: '#/paths/~1b/get/parameters/0'}]\n      requestBody: {$ref: \
         '#/paths/~1b/get/requestBody'}\n      responses: {200: {$ref: \
         '#/paths/~1b/get/responses/200'}}\n\
         components:\n  schemas:\n    A: {allOf: [{$ref: '#/components/schemas/B'}]}\n    \
         B: {allOf: [{$ref: '#/components/schemas/A'}, {properties: {a: {$ref: \
         '#/components/schemas/A'}}}]}\n    C: {oneOf: [{$ref: '#/components/schemas/C'}], items: \
         {$ref: '#/components/schemas/C'}, additionalProperties: {$ref: \
         '#/components/schemas/C'}}\n    D: {properties: {x: {properties: {y: {$ref: \
         '#/components/schemas/D/properties/x'}}}}}\n",
    );
    assert_eq!(walk(&reference), 7);
    assert!(read(&reference, "api://own/schema/D").contains("(contains itself)"));
}

#[test]
fn deep_and_wide_documents_stay_small() {
    let mut deep = json!({ "type": "string" });
    for _ in 0..50 {
        deep = json!({ "type": "object", "properties": { "next": deep } });
    }
    let wide: serde_json::Map<String, Value> =
        (0..3_000).map(|n| (format!("field_{n}"), json!({ "type": "string" }))).collect();
    let all = |n: usize| json!({ "$ref": format!("#/components/schemas/S{n}") });
    let mut schemas = serde_json::Map::new();
    schemas.insert("Deep".into(), deep);
    schemas.insert("Wide".into(), json!({ "properties": wide }));
    // Each contains each twice: unfolded without end it would be 2^40 fields.
    for n in 0..40 {
        let (left, right) = (all((n + 1) % 40), all((n + 7) % 40));
        schemas.insert(
            format!("S{n}"),
            json!({ "properties": { "l": left, "r": right },
            "allOf": [all((n + 3) % 40), all((n + 5) % 40)] }),
        );
    }
    let values: Vec<String> = (0..50_000).map(|n| format!("value-{n}")).collect();
    schemas.insert("Values".into(), json!({ "enum": values }));
    let document = json!({ "openapi": "3.1.0", "components": { "schemas": schemas } });
    let reference = of_text(&document.to_string());
    assert_eq!(walk(&reference), 45);
    let wide = read(&reference, "api://own/schema/Wide");
    assert!(wide.contains("address api://own/schema/Wide?offset="), "{wide}");
    let beyond = reference.read(&["api://own/schema/Wide?offset=99999999"]).remove(0);
    assert!(matches!(beyond, ReadAnswer::OffsetBeyondEnd { .. }), "{beyond:?}");
    let ten = ["api://own/schema/Values"; 10];
    let pages = reference.read(&ten).into_iter().map(|answer| match answer {
        ReadAnswer::Page(page) => page.markdown.chars().count(),
        other => panic!("{other:?}"),
    });
    assert!(pages.sum::<usize>() < ANSWER_CHARS_MAX + 10 * 300);
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let schemas: serde_json::Map<String, Value> =
        (0..LISTED_MAX + 5).map(|n| (format!("S{n}"), json!({}))).collect();
    let document = json!({ "openapi": "3.1.0", "components": { "schemas": schemas } });
    let reference = of_text(&document.to_string());
    let listed = reference.list(ListRequest::Below("api://own/group/all-schemas"));
    assert!(
        matches!(&listed, ListAnswer::Pages { entries, left_out: 5 } if entries.len() == LISTED_MAX)
    );
}

#[test]
fn more_pages_than_can_be_held_are_refused() {
    let schemas: serde_json::Map<String, Value> =
        (0..50_001).map(|n| (format!("S{n}"), json!({}))).collect();
    let document = json!({ "openapi": "3.1.0", "components": { "schemas": schemas } });
    let settings = Settings { sources: Vec::new(), own: own(&document.to_string()) };
    let error = Reference::open(settings).err().unwrap();
    assert!(matches!(error, ReferenceError::TooManyPages { max: 50_000 }), "{error}");
}

/// Any JSON value, with the words of OpenAPI as names more often than not.
fn any_value() -> impl Strategy<Value = Value> {
    let words = "#/components/schemas/A #/components/schemas/B #/paths/~1a # object array string \
                 null query path body formData x.yaml#/a";
    let names = "get post parameters name in schema $ref type properties items allOf oneOf anyOf \
                 enum default example examples value content application/json requestBody \
                 responses 200 headers description tags security servers url variables required \
                 nullable \
                 additionalProperties patternProperties callbacks minimum exclusiveMinimum \
                 operationId summary title const format << A B /a";
    let one_of = |text: &'static str| {
        proptest::sample::select(text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z#/${}|`<>é\n ]{0,12}".prop_map(Value::from),
        one_of(words).prop_map(Value::from),
    ];
    let names = prop_oneof![9 => one_of(names), 1 => Just(String::new())];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((names.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_document_is_a_panic(
        paths in any_value(),
        item in any_value(),
        webhooks in any_value(),
        a in any_value(),
        b in any_value(),
        rest in any_value(),
        is_swagger in any::<bool>(),
    ) {
        let mut document = json!({
            "paths": { "/a": { "get": item, "parameters": paths }, "/b": paths },
            "webhooks": webhooks,
            "components": { "schemas": { "A": a, "B": b }, "securitySchemes": rest },
            "definitions": { "A": a },
            "info": rest, "tags": rest, "servers": rest, "security": rest,
        });
        let version = if is_swagger { ("swagger", "2.0") } else { ("openapi", "3.1.0") };
        document[version.0] = json!(version.1);
        let reference = of_text(&document.to_string());
        walk(&reference);
        let request = SearchRequest { text: "GET /a A schema", api: None, kind: None };
        prop_assert!(reference.search(&request).is_ok());
    }

    #[test]
    fn no_address_or_question_is_a_panic(text in "(?s).{0,80}") {
        let reference = of_text("openapi: 3.1.0\npaths: {/a: {get: {}}}\n");
        for url in [text.clone(), format!("api://own{text}"), format!("api://own?offset={text}")] {
            prop_assert_eq!(reference.read(&[&url]).len(), 1);
            reference.list(ListRequest::Below(&url));
        }
        let request = SearchRequest { text: &text, api: Some(&text), kind: None };
        prop_assert!(reference.search(&request).is_ok());
    }
}
