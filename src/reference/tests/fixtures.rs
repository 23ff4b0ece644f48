//! What pages say of the odd corners of OpenAPI, and how they are found.

use std::sync::LazyLock;

use super::{folder, of_source, read};
use crate::reference::library::{
    ListAnswer, ListRequest, NoSuchApi, ReadAnswer, Reference, SearchRequest,
};
use crate::reference::page::Kind;

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| Reference::open(of_source(None, folder())).unwrap());

fn assert_says(url: &str, parts: &[&str]) {
    let text = read(&REFERENCE, url);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not on {url}:\n{text}");
    }
}

fn assert_silent(url: &str, parts: &[&str]) {
    let text = read(&REFERENCE, url);
    for part in parts {
        assert!(!text.contains(part), "{part:?} is on {url}:\n{text}");
    }
}

fn listed(request: ListRequest<'_>) -> Vec<String> {
    match REFERENCE.list(request) {
        ListAnswer::Pages { entries, left_out: 0 } => {
            entries.into_iter().map(|entry| entry.url).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn found_in(text: &str, api: Option<&str>, kind: Option<Kind>) -> Vec<String> {
    let request = SearchRequest { text, api, kind };
    let hits = REFERENCE.search(&request).unwrap().unwrap();
    hits.into_iter().map(|hit| hit.url).collect()
}

fn first(text: &str) -> String {
    found_in(text, None, None).into_iter().next().unwrap_or_default()
}

#[test]
fn an_operation_of_3_0_is_told_whole() {
    assert_says(
        "api://harbour/operation/list_berths",
        &[
            "# List berths\n\n`GET /berths`\n",
            "Operation `list_berths`, of Harbour API.",
            "Server: `https://north.harbour.example/v1`",
            "Authentication: `token` (HTTP bearer).",
            "| `page_size` | query | integer | no | How many. Default: `20`. At least 1. At most",
            "| `X-Trace` | header | string | no | For the log \\| ours. |",
            "curl -X GET 'https://north.harbour.example/v1/berths' \\\n  -H \"Authorization:",
            "### 200\n\nThe berths.",
            "- `X-Total` (integer): How many there are.",
            "`application/json`: array of [Berth](api://harbour/schema/Berth)",
            "- `id` (string, required): Its name. Read only.",
            "- `depth` (number (double)): In metres. More than 0.",
            "- `ship` ([Ship](api://harbour/schema/Ship) or null): Who lies there.",
            "`escorts` (array of [Ship](api://harbour/schema/Ship)): At most 3 items. No item",
            "(contains itself)",
            "(api://harbour/schema/State)): Whether it is free. One of: `free`, `taken`, `closed`.",
            "- `labels` (map of string)",
            "Example: Two berths\n\n```json\n[\n  {\n    \"id\": \"a1\",",
            "### default\n\nSomething is wrong.\n\n`application/problem+json`",
        ],
    );
    // A value list is told once.
    let text = read(&REFERENCE, "api://harbour/operation/list_berths");
    assert_eq!(text.matches("One of: `free`").count(), 1, "{text}");
}

#[test]
fn what_is_sent_has_no_read_only_fields_and_what_is_joined_is_shown_together() {
    assert_says(
        "api://harbour/operation/createBerth",
        &[
            "**deprecated**",
            "## Request body (required)",
            "`application/json`, `application/x-yaml`: [NewBerth](api://harbour/schema/NewBerth)",
            "- `depth` (number (double), required)",
            "- `budget` (integer (int64)): A multiple of 100. Write only.",
            "-H 'Content-Type: application/json' \\\n  -d '{",
            "\"budget\": 0",
        ],
    );
    let text = read(&REFERENCE, "api://harbour/operation/createBerth");
    let (_, command) = text.split_once("## Request example").unwrap();
    assert!(!command.contains("\"id\""), "{command}");
}

#[test]
fn forms_paths_and_open_operations_are_told() {
    assert_says(
        "api://harbour/operation/moor_ship",
        &[
            "| `berth_id` | path | string | yes | The berth. Matches `^[a-z]\\d+$`. Example: `a1`.",
            "`multipart/form-data`: object",
            "- `papers` (string (binary), required): The ship's papers.",
            "- `tug` (boolean): Default: `false`.",
        ],
    );
    assert_silent("api://harbour/operation/moor_ship", &["Authorization", "Authentication"]);
}

#[test]
fn an_operation_of_3_1_is_told_whole() {
    assert_says(
        "api://lighthouse/operation/getLamp",
        &[
            "Reads one lamp. It may be off. Use <lamp-id>.",
            "| `id` | path | string (uuid) | yes |",
            "| `filter` | query | [Filter](api://lighthouse/schema/Filter) | no |",
            "Any of these:",
            "- object *Range*\n",
            "| `#/components/parameters/Missing` leads nowhere | | | | |",
            "| `as` | query | string | no | Always `json`. |",
            "[Lamp](api://lighthouse/schema/Lamp) or null",
            "- `kind` ([Led](api://lighthouse/schema/Led) or [Gas](api://lighthouse/schema/Gas))",
            "- `parent` ([Lamp](api://lighthouse/schema/Lamp) or null): The lamp above.",
            "- `focus` (number): In metres.",
            "- `lost` (unknown: `#/components/schemas/DoesNotExist` leads nowhere)",
            "- `outside` (unknown: `../secret.yaml#/x` leads nowhere)",
            "- `brightness` (integer or null): At least 0. Less than 10.",
            "- `code` (integer or string)",
            "- names that match `^x-` (string)",
            "- any other name ([Filter]",
            "### 404\n\nNo such lamp.",
            "### 500\n\n`#/components/responses/Nowhere` leads nowhere.",
            "unknown: `https://remote.example/schema.json` leads nowhere",
            "### 503\n\nNo body is described.",
            "- `burnt`: `POST` `{$request.query.hook}` The lamp burnt out",
        ],
    );
}

#[test]
fn what_shares_an_id_or_has_none_has_a_page_of_its_own() {
    assert_says("api://lighthouse/operation/getLamp-2", &["# Same id as another", "`DELETE "]);
    assert_says(
        "api://lighthouse/operation/PATCH-lamps-id-beam",
        &[
            "`application/json`: any",
            "-d '{\n  \"speed\": 3\n}'",
            "The document does not describe any response.",
        ],
    );
    assert_says("api://signals/operation/GET-flags-ship", &["`GET /flags/{ship}`"]);
}

#[test]
fn schemas_of_every_kind_have_a_page() {
    for (name, part) in [
        ("Lamp", "Type: object or null."),
        ("Led", "- `colour` (string): Example: `red`."),
        ("Filter", "Any of these:\n  - string: A word."),
        ("Round", "unknown: `#/components/schemas/Round` leads nowhere"),
        ("Tree", "Type: array of array [Tree](api://lighthouse/schema/Tree)."),
        ("Anything", "Type: any."),
        ("Nothing", "Type: nothing."),
        ("Odd", "Type: "),
        ("Name-with-and-~", "# Name with / and ~"),
    ] {
        assert_says(&format!("api://lighthouse/schema/{name}"), &[part]);
    }
}

#[test]
fn webhooks_and_topics_have_pages() {
    assert_says(
        "api://lighthouse/webhook/lampFailed",
        &["Webhook `lampFailed`, sent by the API with `POST`.", "## Request body", "Example\n"],
    );
    assert_silent("api://lighthouse/webhook/lampFailed", &["curl"]);
    assert_says("api://lighthouse/topic/Signals-at-night", &["Flash *twice*."]);
    assert_says("api://harbour/topic/quick-start", &["# Quick start", "Fog delays"]);
}

#[test]
fn swagger_2_is_told_in_the_same_way() {
    assert_says(
        "api://signals/operation/GET-flags-ship",
        &[
            "Server: `https://signals.example/api`",
            "Authentication: `key` (API key in header `X-Key`).",
            "| `ship` | path | string | yes |",
            "| `flag` | query | string | yes | One of: `red`, `white`. |",
            "'https://signals.example/api/flags/{ship}?flag=red' \\\n  -H \"X-Key: $API_KEY\"",
            "[Flag](api://signals/schema/Flag)",
            "- `colour` (string): Of the cloth.",
            "\"colour\": \"red\"",
        ],
    );
    assert_says(
        "api://signals/operation/POST-flags-ship",
        &["## Request body (required)", "`application/json`: [Flag]", "-d '{"],
    );
    assert_says("api://signals/operation/POST-upload", &["- `picture` (file, required): Of the"]);
    assert_says("api://signals", &["described in Swagger 2.0."]);
}

#[test]
fn the_page_of_an_api_leads_everywhere() {
    assert_says(
        "api://harbour",
        &[
            "The API `harbour`, version 1.2.0, described in OpenAPI 3.0.3.",
            "See [the manual](https://harbour.example/manual).",
            "Licence: MIT",
            "- `https://{port}.harbour.example/v1`: A port",
            "- `{port}`, by default `north`. The name of the port.",
            "- `token`: HTTP bearer",
            "<api://harbour/topic/quick-start>",
            "<api://harbour/harbour-v2>",
            "- Berths (3 pages) <api://harbour/group/Berths>: Where ships lie.",
        ],
    );
    assert_says("api://harbour/group/Empty", &["Nothing yet.", "There is nothing in it."]);
}

#[test]
fn lists_go_down_from_the_apis() {
    assert_eq!(listed(ListRequest::Apis), ["api://harbour", "api://lighthouse", "api://signals"]);
    let harbour = [
        "api://harbour/topic/quick-start",
        "api://harbour/group/Berths",
        "api://harbour/group/Empty",
        "api://harbour/group/Ships",
        "api://harbour/group/all-schemas",
        "api://harbour/harbour-v2",
    ];
    assert_eq!(listed(ListRequest::Api("harbour")), harbour);
    assert_eq!(listed(ListRequest::Api("Harbour")), harbour);
    assert_eq!(listed(ListRequest::Below("api://harbour/")), harbour);
    let ships = ["api://harbour/operation/moor_ship"];
    assert_eq!(listed(ListRequest::Below("api://harbour/group/Ships")), ships);
    assert!(listed(ListRequest::Below(ships[0])).is_empty());
    let signals = listed(ListRequest::Api("signals"));
    assert_eq!(
        signals[..2],
        ["api://signals/operation/GET-flags-ship", "api://signals/operation/POST-flags-ship"]
    );
    let names = ["harbour", "lighthouse", "signals"].map(str::to_owned).into();
    let missing = REFERENCE.list(ListRequest::Api("harbor"));
    assert_eq!(missing, ListAnswer::NoSuchApi(NoSuchApi { names }));
}

#[test]
fn a_thing_is_found_by_its_name_path_and_words() {
    for (question, url) in [
        ("list_berths", "api://harbour/operation/list_berths"),
        ("createBerth", "api://harbour/operation/createBerth"),
        ("create berth", "api://harbour/operation/createBerth"),
        ("POST /berths", "api://harbour/operation/createBerth"),
        ("post  /Berths", "api://harbour/operation/createBerth"),
        ("/berths/{berth_id}/ships", "api://harbour/operation/moor_ship"),
        ("/berths/a7/ships", "api://harbour/operation/moor_ship"),
        ("how do I PUT something to /ships", "api://harbour/operation/moor_ship"),
        ("GET /api/flags", ""),
        ("GetBerth", "api://harbour/harbour-v2/operation/harbour.v2.BerthService.GetBerth"),
        ("quay_length", "api://harbour/harbour-v2/schema/Berth"),
        ("Lighthouse API", "api://lighthouse"),
        ("mooring ships", "api://harbour/operation/moor_ship"),
        ("fog delay", "api://harbour/topic/quick-start"),
        ("the lightouse api", "api://lighthouse"),
        ("display berths", "api://harbour/operation/list_berths"),
        ("`Led`", "api://lighthouse/schema/Led"),
        ("api://lighthouse/schema/Gas", "api://lighthouse/schema/Gas"),
    ] {
        let best = first(question);
        assert!(url.is_empty() || best == url, "{question} finds {best}, not {url}");
    }
    assert!(found_in("zebra", None, None).is_empty());
    assert!(found_in("?!", None, None).is_empty());
}

#[test]
fn a_search_keeps_to_its_filters_and_its_bound() {
    let schemas = found_in("berth", None, Some(Kind::Schema));
    assert!(schemas.iter().all(|url| url.contains("/schema/")), "{schemas:?}");
    assert!(schemas.len() >= 3);
    let signals = found_in("flag ship lamp berth", Some("signals"), None);
    assert!(!signals.is_empty() && signals.iter().all(|url| url.starts_with("api://signals/")));
    assert_eq!(found_in("berth", Some("ALL"), None), found_in("berth", None, None));
    assert_eq!(found_in("api lamp berth flag ship get post", None, None).len(), 20);
    let request = SearchRequest { text: "berth", api: Some("harbor"), kind: None };
    assert!(REFERENCE.search(&request).unwrap().is_err());
}

#[test]
fn an_excerpt_shows_what_fits() {
    let request = SearchRequest { text: "papers", api: None, kind: Some(Kind::Operation) };
    let hits = REFERENCE.search(&request).unwrap().unwrap();
    assert!(hits[0].excerpt.contains("papers"), "{hits:?}");
}

#[test]
fn an_unknown_address_is_answered_with_the_nearest() {
    for (url, near) in [
        ("api://harbour/operation/list_berth", "api://harbour/operation/list_berths"),
        ("api://harbor/schema/Shipp", "api://harbour/schema/Ship"),
        ("https://docs.example.com/api/list_berths", "api://harbour/operation/list_berths"),
    ] {
        match REFERENCE.read(&[url]).remove(0) {
            ReadAnswer::NoSuchPage(missing) => {
                assert_eq!(missing.url, url);
                assert_eq!(missing.suggestions.first().map(String::as_str), Some(near), "{url}");
            }
            other => panic!("{other:?}"),
        }
    }
    for url in ["", "file:///etc/passwd", "api://../../etc/passwd", "api://harbour/%2e%2e/x.yaml"] {
        let answer = REFERENCE.read(&[url]).remove(0);
        assert!(matches!(answer, ReadAnswer::NoSuchPage(_)), "{url}: {answer:?}");
    }
    let url = "api://harbour/schema/Ship";
    for spelled in
        ["<api://harbour/schema/Ship>", "api://Harbour/schema/ship", "harbour/schema/Ship/"]
    {
        assert_eq!(read(&REFERENCE, spelled), read(&REFERENCE, url), "{spelled}");
    }
}
