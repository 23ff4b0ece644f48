//! When another MCP server fails: how often it is asked, what people get instead, and how it comes
//! back.

use std::sync::Arc;
use std::time::Duration;

use gatehouse::clock::{Clock, SystemClock};
use gatehouse::config::Config;
use gatehouse::config::layers::Given;
use gatehouse::docs::library::{Library, Settings as LibrarySettings};
use gatehouse::mcp::account::Keeping;
use gatehouse::mcp::caller::Caller;
use gatehouse::mcp::feedback::{Feedback, FeedbackBox, Lookup, Submission};
use gatehouse::mcp::server::{Furniture, McpAnswer, McpServer, Settings};
use gatehouse::mcp::usage::{Call, UsageBook};
use gatehouse::metrics::remotes::RemoteMetrics;
use gatehouse::reference::library::{Reference, Settings as ReferenceSettings};
use gatehouse::reference::sources::{OwnDocument, Source};
use gatehouse::remote::Remotes;
use serde_json::{Value, json};

use crate::remotes::{asked, open_house, result};
use crate::support::supplier::{Era, Rude, Rudeness, Way, found};
use crate::support::{Backend, SECOND, Supplier, World, on_both};

/// How long something may take that happens at once.
const SOON: Duration = Duration::from_secs(10);

/// Words that only the other server says.
const INTERNAL: &str = "stack trace of theirs";

/// API documents of the settings.
const API_SPECS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference");

fn good() -> Way {
    Way::Result(found(&[("Install", "https://kapa.example/install", "Install it.")]))
}

async fn ask(world: &World) -> Value {
    let answer = world.anonymous_mcp();
    result(&answer.tool("ask_example_question", json!({ "question": "install" })).await)
}

/// What `ask` says that the local index answered.
fn is_local(answer: &Value) -> bool {
    let content = &answer["structuredContent"];
    let text = answer["content"][0]["text"].as_str().unwrap();
    let note = content["note"].as_str().unwrap_or_default();
    !answer.to_string().contains(INTERNAL)
        && answer["isError"] == false
        && content["source"] == "local"
        && note.contains("kapa")
        && text.contains(note)
        && !content["sections"].as_array().unwrap().is_empty()
}

fn faults() -> Vec<(Way, usize)> {
    vec![
        (Way::Http(503, &[], INTERNAL), 2),
        (Way::Http(502, &[], INTERNAL), 2),
        (Way::Http(504, &[("retry-after", "0")], INTERNAL), 2),
        (Way::Http(503, &[("retry-after", "60")], INTERNAL), 1),
        (Way::Http(500, &[], INTERNAL), 1),
        (Way::Http(401, &[("www-authenticate", "Bearer")], INTERNAL), 1),
        (Way::Http(403, &[], INTERNAL), 1),
        (Way::Http(400, &[], INTERNAL), 1),
        (Way::Http(429, &[], INTERNAL), 1),
        (Way::Http(429, &[("retry-after", "0")], INTERNAL), 2),
        (Way::Http(429, &[("retry-after", "60")], INTERNAL), 1),
        (Way::Http(302, &[("location", "/elsewhere")], INTERNAL), 1),
        (Way::Http(200, &[], INTERNAL), 1),
        (Way::Http(200, &[("content-type", "application/json")], "[{\"id\":"), 1),
        (Way::Result(json!("not a result")), 1),
        (Way::Result(json!({ "content": "text" })), 1),
        (Way::Result(json!({ "resultType": "input_required", "content": [] })), 1),
        (
            Way::Result(
                json!({ "isError": true, "content": [{ "type": "text", "text": INTERNAL }] }),
            ),
            1,
        ),
        (Way::Error(-32603, INTERNAL), 1),
        (Way::Error(-32602, INTERNAL), 1),
        (Way::Cut, 2),
        (Way::Huge, 1),
        (Way::Late, 1),
    ]
}

on_both! {
    async fn the_local_index_answers_whatever_is_wrong_over_there(backend: Backend) {
        for era in [Era::Stateless, Era::Handshake] {
            let supplier = Supplier::start(era, good()).await;
            let world = open_house(backend, &asked(&supplier, "call_timeout = \"1s\"")).await;
            for (way, attempts) in faults() {
                supplier.usually(good());
                assert_eq!(ask(&world).await["structuredContent"]["source"], "kapa");
                supplier.forget().await;
                let told = format!("{:.60}", format!("{way:?}"));
                supplier.usually(way);
                let answer = ask(&world).await;
                assert!(is_local(&answer), "{told}: {answer}");
                assert_eq!(supplier.calls().await.len(), attempts, "{told}");
                let requests = supplier.requests().await;
                assert!(requests.iter().all(|it| it.url.path() == "/mcp"), "{told}");
                // Anonymous callers are few; the next ones come later.
                world.advance(Duration::from_mins(16));
            }
        }
    }

    async fn a_tool_that_only_they_have_says_what_to_do(backend: Backend) {
        let supplier = Supplier::start(Era::Stateless, Way::Http(500, &[], INTERNAL)).await;
        let file = format!(
            "[[remote]]\nname = \"kapa\"\nurl = \"{}\"\n[[remote.tool]]\nremote = \"search\"\n\
             as = \"look_elsewhere\"\ntitle = \"Look\"\ndescription = \"Looks.\"\n",
            supplier.url()
        );
        let world = open_house(backend, &file).await;
        for (way, advice) in [
            (Way::Http(500, &[], INTERNAL), "try it again in a minute"),
            (Way::Error(-32602, INTERNAL), "Check the arguments"),
            (Way::Result(json!({ "isError": true, "content": [
                { "type": "text", "text": INTERNAL }] })), "Check the arguments"),
        ] {
            supplier.usually(way);
            let answer = world.anonymous_mcp();
            let answer = answer.tool("look_elsewhere", json!({})).await;
            let answer = result(&answer);
            assert_eq!(answer["isError"], true, "{answer}");
            assert_eq!(answer.get("structuredContent"), None);
            let text = answer["content"][0]["text"].as_str().unwrap();
            assert!(text.contains(advice) && text.contains("kapa"), "{text}");
            assert!(!text.contains(INTERNAL) && !text.contains("127.0.0.1"), "{text}");
        }
    }

    async fn the_documents_of_the_settings_stand_in_for_a_hub_that_is_away(backend: Backend) {
        let supplier = Supplier::start(Era::Stateless, Way::Http(500, &[], INTERNAL)).await;
        let hub = format!("[[remote]]\nname = \"hub\"\nurl = \"{}\"\n", supplier.url());
        let tool = |name: &str, arguments: &str| {
            format!("[[remote.tool]]\nremote = \"{name}\"\nas = \"{name}\"\n{arguments}\n")
        };
        let file = [
            hub,
            tool("list_api_reference_pages", "arguments.api = { from = \"api\" }"),
            tool("search_api_reference", "arguments.query = { from = \"query\" }"),
            tool("get_api_reference_content", "arguments.urls = { from = \"urls\" }"),
        ];
        let settings = [("auth", "open"), ("api_specs", API_SPECS)];
        let world = World::with_file(backend, &settings, &file.concat(), &[]).await;
        let mcp = world.anonymous_mcp();
        let mut address = Value::Null;
        for (way, why) in [
            (Way::Http(500, &[], INTERNAL), "hub does not answer just now"),
            (Way::Error(-32602, INTERNAL), "hub did not take this call"),
        ] {
            supplier.usually(way);
            for tool in
                ["list_api_reference_pages", "search_api_reference", "get_api_reference_content"]
            {
                let arguments = match tool {
                    "list_api_reference_pages" => json!({}),
                    "search_api_reference" => json!({ "query": "create", "type": "operation" }),
                    _ => json!({ "urls": [address] }),
                };
                let answer = result(&mcp.tool(tool, arguments).await);
                let content = &answer["structuredContent"];
                assert_eq!(content["source"], "local", "{tool}: {answer}");
                assert!(content["note"].as_str().unwrap().starts_with(why), "{content}");
                let text = answer["content"][0]["text"].as_str().unwrap();
                assert!(text.starts_with("Note: hub"), "{text}");
                address = content["pages"][0]["url"].clone();
            }
        }
        // What is not here either has no answer, and the advice is about who should have had it.
        let arguments = json!({ "urls": ["https://hub.example/admin/op"] });
        let answer = result(&mcp.tool("get_api_reference_content", arguments).await);
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("hub did not take this call. Check the arguments"), "{text}");
    }

    async fn a_fault_that_passes_costs_one_more_attempt(backend: Backend) {
        for fault in [
            Way::Http(503, &[], ""), Way::Http(429, &[("retry-after", "1")], ""), Way::Cut,
        ] {
            let supplier = Supplier::start(Era::Handshake, good()).await;
            let world = open_house(backend, &asked(&supplier, "")).await;
            supplier.next([fault]);
            assert_eq!(ask(&world).await["structuredContent"]["source"], "kapa");
            let methods = supplier.methods().await;
            let connected = methods.iter().filter(|method| *method == "initialize").count();
            assert_eq!(connected, 2, "on a fresh connection");
            assert_eq!(supplier.calls().await.len(), 2);
        }
    }

    async fn a_session_that_is_gone_is_made_again(backend: Backend) {
        let supplier = Supplier::start(Era::Handshake, good()).await;
        let world = open_house(backend, &asked(&supplier, "")).await;
        ask(&world).await;
        supplier.forget_sessions();
        supplier.forget().await;
        assert_eq!(ask(&world).await["structuredContent"]["source"], "kapa");
        let again = ["tools/call", "server/discover", "initialize", "notifications/initialized",
            "tools/call"];
        assert_eq!(supplier.methods().await, again);
    }

    async fn a_server_that_keeps_failing_is_left_alone_and_tried_again(backend: Backend) {
        let supplier = Supplier::start(Era::Stateless, Way::Http(500, &[], INTERNAL)).await;
        let world = open_house(backend, &asked(&supplier, "")).await;
        for _ in 0..5 {
            assert!(is_local(&ask(&world).await));
        }
        supplier.forget().await;
        assert!(is_local(&ask(&world).await));
        world.advance(29 * SECOND);
        assert!(is_local(&ask(&world).await));
        assert_eq!(supplier.requests().await.len(), 0, "it is left alone");
        world.advance(SECOND);
        assert!(is_local(&ask(&world).await));
        assert_eq!(supplier.calls().await.len(), 1, "one call tries");
        assert!(is_local(&ask(&world).await));
        assert_eq!(supplier.calls().await.len(), 1, "it failed, so no other does");
        world.advance(30 * SECOND);
        supplier.usually(good());
        for _ in 0..2 {
            assert_eq!(ask(&world).await["structuredContent"]["source"], "kapa");
        }
    }

    async fn what_is_refused_opens_nothing(backend: Backend) {
        let supplier = Supplier::start(Era::Stateless, Way::Error(-32602, INTERNAL)).await;
        let world = open_house(backend, &asked(&supplier, "")).await;
        for _ in 0..6 {
            assert!(is_local(&ask(&world).await));
        }
        supplier.usually(good());
        assert_eq!(ask(&world).await["structuredContent"]["source"], "kapa");
    }

    async fn a_server_below_http_or_away_is_no_better(backend: Backend) {
        let mut rude = Rude::start(Rudeness::HangsUp).await;
        let supplier = Supplier::start(Era::Stateless, good()).await;
        let file = asked(&supplier, "").replace(&supplier.url(), &rude.url);
        let world = open_house(backend, &file).await;
        assert!(is_local(&ask(&world).await));
        let mut requests = 0;
        while rude.heard.try_recv().is_ok() {
            requests += 1;
        }
        assert_eq!(requests, 4, "discover and initialize, twice");
        let file = asked(&supplier, "").replace(&supplier.url(), "http://127.0.0.1:1/mcp");
        let world = open_house(backend, &file).await;
        assert!(is_local(&ask(&world).await));
    }
}

/// The tools alone: a call that is dropped is one whose client has hung up, or whose time is up.
#[tokio::test]
async fn for_who_is_gone_nobody_is_asked() {
    let mut rude = Rude::start(Rudeness::Waits).await;
    let file = format!(
        "[[remote]]\nname = \"kapa\"\nurl = \"{}\"\nconnect_timeout = \"30s\"\n\
         call_timeout = \"30s\"\n[[remote.tool]]\nremote = \"search\"\nas = \"ask\"\n",
        rude.url
    );
    let server = tools_alone(&file, API_SPECS);
    let asking = tokio::spawn(async move {
        call(&server, "ask_example_question", json!({ "question": "install" })).await
    });
    assert_eq!(rude.heard.recv().await, Some("request"));
    asking.abort();
    let left = tokio::time::timeout(SOON, rude.heard.recv()).await;
    assert_eq!(left.expect("it happens soon"), Some("gone"));
}

/// It is about this server, and whoever asks wants to know of a product.
#[tokio::test]
async fn the_document_compiled_in_never_stands_in() {
    let file = "[[remote]]\nname = \"hub\"\nurl = \"http://127.0.0.1:1/mcp\"\n\
                [[remote.tool]]\nremote = \"search\"\nas = \"search_api_reference\"\n";
    for (api_specs, is_silent) in [(API_SPECS, false), ("", true)] {
        let server = tools_alone(file, api_specs);
        let answer = call(&server, "search_api_reference", json!({ "query": "create" })).await;
        let result = &answer["result"];
        assert_eq!(result["isError"], is_silent, "{answer}");
        assert_eq!(result["structuredContent"].is_null(), is_silent, "{answer}");
    }
}

/// The tools with these settings, and API documents in this folder, or the one of this server.
fn tools_alone(file: &str, api_specs: &str) -> McpServer {
    let folder = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(folder.path().join("gatehouse.toml"), file).expect("a file can be written");
    let given = Given { folder: folder.path().to_owned(), ..Given::default() };
    let config = Config::load(&given).expect("the settings are good");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let settings = Settings {
        product: "Example".to_owned(),
        server_version: "1".to_owned(),
        public_url: "http://127.0.0.1".to_owned(),
        account_url: "http://127.0.0.1/account".to_owned(),
        keeping: Keeping::default(),
        told: Vec::new(),
    };
    let library = Library::open(LibrarySettings::default()).expect("the manual is readable");
    let named = Source { name: None, path: api_specs.into() };
    let sources = if api_specs.is_empty() { Vec::new() } else { vec![named] };
    let text = include_str!("../../openapi.yaml").to_owned();
    let own = OwnDocument { name: "gatehouse".to_owned(), text };
    let reference = Reference::open(ReferenceSettings { sources, own }).expect("a reference");
    let remotes = Arc::new(Remotes::new(&config.remotes, &clock, None, &RemoteMetrics::new(&[])));
    let furniture = Furniture {
        library: Arc::new(library),
        reference: Arc::new(reference),
        feedback_box: Arc::new(NoLetters),
        usage: Arc::new(NoBook),
        remotes,
    };
    McpServer::new(&settings, furniture)
}

async fn call(server: &McpServer, tool: &str, arguments: Value) -> Value {
    let (mut parts, ()) = http::Request::post("/mcp").body(()).unwrap().into_parts();
    for (name, value) in
        [("content-type", "application/json"), ("mcp-protocol-version", "2025-11-25")]
    {
        parts.headers.insert(name, http::HeaderValue::from_static(value));
    }
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
        { "name": tool, "arguments": arguments } });
    let body = bytes::Bytes::from(call.to_string());
    let answer = server.answer(server.open(parts, &body), Caller::anonymous()).await;
    let McpAnswer::Response(answer) = answer else { panic!("{answer:?}") };
    serde_json::from_slice(answer.body()).expect("JSON")
}

struct NoBook;

impl UsageBook for NoBook {
    fn note(&self, _: Call<'_>) {}
}

struct NoLetters;

impl FeedbackBox for NoLetters {
    fn submit<'a>(&'a self, _: &'a Caller, _: Feedback) -> Submission<'a> {
        unreachable!("no feedback is sent")
    }

    fn status<'a>(&'a self, _: &'a Caller, _: &'a str) -> Lookup<'a> {
        unreachable!("nobody asks for it")
    }
}
