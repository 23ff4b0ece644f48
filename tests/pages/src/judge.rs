//! What must hold of every page, in every look: axe-core finds nothing, it fits, it is quiet.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::chromium::{Chromium, Look};
use crate::support::in_repository;

/// In light and dark on a desk, on a phone, and at the width that WCAG 2.2, 1.4.10 names.
const LOOKS: [Look; 4] = [
    Look { name: "light", is_dark: false, width: 1024, height: 768 },
    Look { name: "dark", is_dark: true, width: 1024, height: 768 },
    Look { name: "phone", is_dark: false, width: 390, height: 844 },
    Look { name: "narrow", is_dark: true, width: 320, height: 568 },
];

/// The rules of WCAG 2.2 AA, and what else axe-core calls good practice.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// Everything that is wrong with the page that is shown, and its pictures beside the others.
pub async fn judge(chromium: &Chromium, page: &str) {
    let mut found = noise(chromium).await;
    let axe =
        std::fs::read_to_string(in_repository("tests/pages/node_modules/axe-core/axe.min.js"));
    let axe = axe.expect("scripts/test-pages installs axe-core");
    chromium.execute(&axe, Vec::new()).await;
    let folder = pictures();
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    for look in LOOKS {
        chromium.look(look).await;
        let complaints = accessibility(chromium).await.into_iter().chain(overflow(chromium).await);
        found.extend(complaints.map(|complaint| format!("{}: {complaint}", look.name)));
        let file = folder.join(format!("{page}-{}.png", look.name));
        std::fs::write(file, chromium.picture().await).expect("a picture can be kept");
    }
    assert!(found.is_empty(), "{page}:\n{}", found.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "scripts/screenshots says where to")]
fn pictures() -> PathBuf {
    let named = std::env::var("GATEHOUSE_SCREENSHOTS").map(PathBuf::from);
    named.unwrap_or_else(|_| in_repository("target/screenshots"))
}

/// What axe-core complains of. What it cannot decide about contrast counts too.
async fn accessibility(chromium: &Chromium) -> Vec<String> {
    let run = "const [tags, done] = arguments;
        const rules = { type: 'tag', values: tags };
        axe.run({ runOnly: rules }).then(done, (error) => done(`${error}`));";
    let results = chromium.client.execute_async(run, vec![json!(RULES)]).await.expect("it runs");
    let list = |kind: &str| {
        let list = results[kind].as_array();
        list.unwrap_or_else(|| panic!("axe-core did not say: {results}")).clone()
    };
    assert!(list("passes").len() > 10, "axe-core saw hardly anything: {results}");
    let undecided = list("incomplete").into_iter().filter(|rule| rule["id"] == "color-contrast");
    list("violations").into_iter().chain(undecided).map(|rule| complaint(&rule)).collect()
}

fn complaint(rule: &Value) -> String {
    let nodes = rule["nodes"].as_array().expect("a rule names nodes").iter();
    let nodes: Vec<String> = nodes
        .map(|node| format!("\n    {}\n    {}", node["html"], node["failureSummary"]))
        .collect();
    format!("{} ({}): {}{}", rule["id"], rule["impact"], rule["help"], nodes.concat())
}

/// Whether anything is wider than the window.
async fn overflow(chromium: &Chromium) -> Option<String> {
    let widths = "const page = document.documentElement;
        return [page.scrollWidth, page.clientWidth]";
    let widths = chromium.execute(widths, Vec::new()).await;
    (widths[0].as_u64() > widths[1].as_u64()).then(|| format!("{widths} it scrolls sideways"))
}

/// What the browser complained of on the way here, and what it loaded from elsewhere or in vain.
pub async fn noise(chromium: &Chromium) -> Vec<String> {
    let console = chromium.log("browser").await;
    // Answers are looked at below: that a page says no is no mistake.
    let is_answer = |entry: &Value| {
        let message = entry["message"].as_str().unwrap_or_default();
        entry["source"] == "network" && message.contains("responded with a status of")
    };
    let console = console.iter().filter(|entry| !is_answer(entry)).map(Value::to_string);
    let network = network(chromium).await;
    let noted = |method: &str| -> Vec<Value> {
        let events = network.iter().filter(|event| event["method"] == method);
        // A page by itself is what the walk is about.
        let events = events.filter(|event| event["params"]["type"] != "Document");
        events.map(|event| event["params"].clone()).collect()
    };
    let requests = noted("Network.requestWillBeSent");
    assert!(!requests.is_empty(), "not even a stylesheet was loaded");
    let foreign = requests
        .iter()
        .filter(|request| origin(&request["request"]["url"]) != origin(&request["documentURL"]))
        .map(|request| format!("loaded from elsewhere: {}", request["request"]["url"]));
    let responses = noted("Network.responseReceived");
    let vain = responses
        .iter()
        .map(|response| &response["response"])
        .filter(|response| response["status"].as_u64() >= Some(400))
        .map(|response| format!("loaded in vain: {}, {}", response["url"], response["status"]));
    console.chain(foreign).chain(vain).collect()
}

/// What the browser did on the network.
async fn network(chromium: &Chromium) -> Vec<Value> {
    let entries = chromium.log("performance").await.into_iter();
    let message = |entry: Value| {
        let message = entry["message"].as_str().expect("an event is text");
        serde_json::from_str::<Value>(message).expect("it is JSON")["message"].clone()
    };
    entries.map(message).collect()
}

fn origin(url: &Value) -> String {
    let url = url.as_str().expect("an address is text");
    reqwest::Url::parse(url).expect("it is one").origin().ascii_serialization()
}
