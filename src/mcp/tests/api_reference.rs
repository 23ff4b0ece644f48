//! The tools of the API reference, called rightly and wrongly: ST-26, ST-27, ST-29, SB-26, SB-27.

use serde_json::{Value, json};

use super::world::{Call, World, text};
use crate::mcp::caller::Caller;

const LIST: &str = "list_api_reference_pages";
const SEARCH: &str = "search_api_reference";
const GET: &str = "get_api_reference_content";

fn urls(result: &Value) -> Vec<&str> {
    let pages = result["structuredContent"]["pages"].as_array().expect("pages");
    pages.iter().map(|page| page["url"].as_str().expect("an address")).collect()
}

#[tokio::test]
async fn a_model_goes_from_the_apis_to_an_operation() {
    let world = World::new();
    for everything in [json!({}), json!({ "api": "all" }), json!({ "api": null, "url": "" })] {
        let apis = world.tool(LIST, everything).await;
        assert_eq!(urls(&apis), ["api://harbour", "api://lighthouse", "api://signals"]);
        assert_eq!(apis["structuredContent"]["pages"][0]["type"], "api");
        assert_eq!(apis["structuredContent"]["pages"][0]["title"], "Harbour API");
        assert!(text(&apis).contains("<api://lighthouse>"));
    }
    let harbour = world.tool(LIST, json!({ "api": "harbour" })).await;
    let group = "api://harbour/group/Berths";
    assert!(urls(&harbour).contains(&group));
    // The address wins over the API.
    let berths = world.tool(LIST, json!({ "api": "signals", "url": group })).await;
    let operation = &berths["structuredContent"]["pages"][0];
    assert_eq!(operation["title"], "GET /berths: List berths");
    assert_eq!(operation["description"], "Lists all berths that are free or taken.");
    let page = world.tool(GET, json!({ "urls": [operation["url"]] })).await;
    let content = &page["structuredContent"]["pages"][0];
    assert_eq!([&content["url"], &content["title"]], [&operation["url"], &operation["title"]]);
    let markdown = content["markdown"].as_str().expect("Markdown");
    assert!(markdown.contains("| `page_size` | query | integer |"));
    assert!(text(&page).contains(markdown));
}

#[tokio::test]
async fn a_search_gives_addresses_that_can_be_read() {
    let world = World::new();
    let found = world.tool(SEARCH, json!({ "query": "moor a ship" })).await;
    let first = &found["structuredContent"]["pages"][0];
    assert_eq!(first["url"], "api://harbour/operation/moor_ship");
    assert_eq!(first["type"], "operation");
    assert!(first["excerpt"].as_str().is_some_and(|excerpt| !excerpt.is_empty()));
    let all = urls(&found);
    let read = world.tool(GET, json!({ "urls": all[..all.len().min(10)] })).await;
    assert_eq!(urls(&read), all[..all.len().min(10)]);
    assert_eq!(read["structuredContent"].get("problems"), None);
    let filters = json!({ "query": "berth", "api": "harbour", "type": "schema" });
    let schemas = world.tool(SEARCH, filters).await;
    assert!(urls(&schemas).iter().all(|url| url.contains("/schema/")));
    assert!(!urls(&schemas).is_empty());
}

#[tokio::test]
async fn answers_are_the_same_every_time_st_26() {
    let world = World::new();
    for (tool, arguments) in [
        (LIST, json!({ "api": "lighthouse" })),
        (SEARCH, json!({ "query": "lamp berth flag" })),
        (GET, json!({ "urls": ["api://lighthouse/operation/getLamp"] })),
    ] {
        let first = world.tool(tool, arguments.clone()).await;
        assert_eq!(World::new().tool(tool, arguments).await, first);
    }
}

#[tokio::test]
async fn nothing_found_says_what_to_try() {
    let world = World::new();
    let found = world.tool(SEARCH, json!({ "query": "zebra" })).await;
    assert_eq!(found["isError"], false);
    assert_eq!(found["structuredContent"], json!({ "pages": [] }));
    assert!(text(&found).contains("Try fewer words"));
    let below = world.tool(LIST, json!({ "url": "api://harbour/schema/Ship" })).await;
    assert_eq!(below["structuredContent"], json!({ "pages": [] }));
    assert!(text(&below).contains("`get_api_reference_content`"));
}

#[tokio::test]
async fn one_wrong_address_does_not_cost_the_others() {
    let mixed = json!({ "urls": ["api://harbour/schema/Shipp", "api://harbour/schema/Ship"] });
    let result = World::new().tool(GET, mixed).await;
    assert_eq!(result["isError"], false);
    assert_eq!(urls(&result), ["api://harbour/schema/Ship"]);
    let problem = result["structuredContent"]["problems"][0].as_str().expect("a problem");
    assert!(problem.contains("- api://harbour/schema/Ship\n"), "{problem}");
    assert!(text(&result).contains(problem));
}

#[tokio::test]
async fn a_single_address_may_stand_for_a_list() {
    let result = World::new().tool(GET, json!({ "urls": "api://signals" })).await;
    assert_eq!(urls(&result), ["api://signals"]);
}

#[tokio::test]
async fn a_wrong_call_is_explained_st_27_sb_26_sb_27() {
    let world = World::new();
    let many = vec!["api://harbour"; 11];
    for (tool, arguments, advice) in [
        (LIST, json!({ "api": "harbor" }), "can be: harbour, lighthouse, signals; or `all`"),
        (LIST, json!({ "api": 7 }), "`api` must be a text"),
        (LIST, json!({ "url": "api://harbour/group/Berth" }), "- api://harbour/group/Berths"),
        (LIST, json!({ "url": "zzz" }), "`search_api_reference`"),
        (LIST, json!({ "url": "x".repeat(2_001) }), "at most 2000"),
        (SEARCH, json!({}), "`query` is missing"),
        (SEARCH, json!({ "query": " " }), "`query` is missing or empty"),
        (SEARCH, json!({ "query": "x".repeat(2_001) }), "at most 2000"),
        (SEARCH, json!({ "query": "a", "api": "x" }), "can be: harbour"),
        (SEARCH, json!({ "query": "a", "type": "tag" }), "api, group, operation, schema, topic"),
        (SEARCH, json!({ "query": "a", "type": 1 }), "must be one of"),
        (GET, json!({}), "a list of 1 to 10 texts"),
        (GET, json!({ "urls": [] }), "a list of 1 to 10 texts"),
        (GET, json!({ "urls": many }), "a list of 1 to 10 texts"),
        (GET, json!({ "urls": [7] }), "a list of 1 to 10 texts"),
        (GET, json!({ "urls": [""] }), "a list of 1 to 10 texts"),
        (GET, json!({ "urls": ["x".repeat(2_001)] }), "each of 1 to 2000"),
        (GET, json!({ "urls": ["../../etc/passwd"] }), "no page with this address"),
        (GET, json!({ "urls": ["file:///etc/passwd"] }), "no page with this address"),
        (GET, json!({ "urls": ["api://harbour/%2e%2e/secret.yaml"] }), "no page with this"),
        (GET, json!({ "urls": ["api://harbour?offset=999999"] }), "beyond the end"),
    ] {
        let told = world.refusal(tool, arguments.clone()).await;
        assert!(told.contains(advice), "{arguments} gave: {told}");
        assert!(told.len() < 1_000, "{told}");
    }
}

#[tokio::test]
async fn who_may_read_the_pages_may_read_the_reference() {
    let world = World::new();
    let anonymous = Caller::anonymous();
    let params = json!({ "name": LIST, "arguments": {} });
    let answer = world.send(Call::modern("tools/call", params).by(anonymous)).await;
    assert_eq!(answer.json["result"]["isError"], false, "{}", answer.json);
}
