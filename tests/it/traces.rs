//! The way of requests, told to a collector: each part of it, nobody in it, and nothing held up by
//! whoever listens.

mod collector;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::remotes::asked;
use crate::secrets::{found, run_of_everything};
use crate::support::process::run;
use crate::support::sinks::sink;
use crate::support::supplier::{Era, Way, found as sections};
use crate::support::{Answer, Backend, Process, Publisher, Receiver, Supplier, World};
use crate::support::{free_port, on_both};
use crate::traces::collector::{Collector, KEY, Told};

/// Variables of what the story's file names.
const VARIABLES: [(&str, &str); 2] =
    [("KAPA_TOKEN", "kapa-secret-7"), crate::support::sinks::SECRETS[1]];

/// How long a stop may take: what is waited for at its end, and room for a busy machine.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// A trace that somebody else began.
const FOREIGN: &str = "0af7651916cd43dd8448eb211c80319c";

/// All that may be told of anything.
const ATTRIBUTES: [&str; 12] = [
    "call",
    "db.query.summary",
    "destination",
    "gen_ai.tool.name",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "id",
    "outcome",
    "place",
    "remote",
    "trace_id",
];

/// A real process that tells the collector at `url`, and is the house of the story from now on.
async fn process(
    world: &mut World,
    folder: &Path,
    url: &str,
    settings: &[(&str, &str)],
) -> Process {
    let mut all = vec![("TRACES", "true"), ("TRACES_URL", url), ("STOP_DELAY", "0s")];
    all.extend(settings);
    let process = Process::start_with(world, folder, "traced", &all, &VARIABLES).await;
    world.url.clone_from(&process.url);
    world.local.clone_from(&process.url);
    world.auth0.in_real_time();
    process
}

async fn stopped(mut process: Process) -> Process {
    process.terminate();
    let ended = tokio::time::timeout(STOPPED_WITHIN, process.ended()).await;
    assert_eq!(ended.expect("it stops in time"), Some(0));
    process
}

fn named<'a>(told: &'a [Told], name: &'a str) -> impl Iterator<Item = &'a Told> {
    told.iter().filter(move |span| span.name == name)
}

/// All values of an attribute of the spans of this name.
fn values(told: &[Told], name: &str, attribute: &str) -> BTreeSet<String> {
    named(told, name).filter_map(|span| span.attributes.get(attribute).cloned()).collect()
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

/// Whether each part is in the trace of a request or a delivery, which begin them.
fn assert_whole(told: &[Told]) {
    let by_id: BTreeMap<_, _> = told.iter().map(|span| (&span.span_id, span)).collect();
    for span in told {
        let is_beginning = span.attributes.contains_key("http.route") || span.name == "delivery";
        match by_id.get(&span.parent_id) {
            Some(parent) => assert_eq!(parent.trace_id, span.trace_id, "{span:?}"),
            None => assert!(is_beginning && span.parent_id.is_empty(), "{span:?}"),
        }
    }
}

/// Whether a line of the log has the request's id and its trace.
fn assert_joined(written: &str, span: &Told) {
    let lines = written.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut answered = lines.filter(|line| line["message"] == "answered");
    let (id, trace) = (&span.attributes["id"], &span.trace_id);
    assert!(answered.any(|line| line["id"] == **id && line["trace_id"] == **trace), "{span:?}");
}

/// Whether each part of the story is told of, in its place, and nothing else.
fn assert_parts(told: &[Told]) {
    assert_whole(told);
    for name in [
        "GET /oauth/authorize",
        "POST /oauth/consent",
        "GET /mcp/callback",
        "POST /oauth/token",
        "POST /oauth/register",
        "POST /mcp",
        "GET /account",
    ] {
        assert!(named(told, name).count() > 0, "{name} is not told of");
    }
    // Its endpoints were known before anybody came.
    assert_eq!(values(told, "provider", "call"), set(["keys", "token"]));
    assert_eq!(values(told, "provider", "outcome"), set(["answered"]));
    assert_eq!(values(told, "metadata_document", "outcome"), set(["accepted"]));
    assert_eq!(values(told, "remote", "remote"), set(["kapa"]));
    assert_eq!(values(told, "delivery", "destination"), set(["sink:crm"]));
    let tools = values(told, "tool", "gen_ai.tool.name");
    assert!(tools.contains("search_docs") && tools.contains("ask_example_question"));
    let places = values(told, "transaction", "place");
    let summaries = values(told, "statement", "db.query.summary");
    assert!(places.contains("flow::exchange_code"), "{places:?}");
    // On Postgres the usual rotation is one statement.
    let rotated = summaries.contains("WITH refresh_tokens");
    assert!(rotated || places.contains("flow::refresh"), "{places:?} {summaries:?}");
    assert!(summaries.contains("SELECT clients"), "{summaries:?}");
    // The call of the other server is a part of the call of the tool.
    let remote = named(told, "remote").next().unwrap();
    assert!(named(told, "tool").any(|tool| tool.span_id == remote.parent_id));
    // What was made up, and what machines ask all day, is told of nowhere.
    assert!(told.iter().all(|span| !span.name.contains("wp-login")), "{told:?}");
    // What is refused is no error.
    assert!(told.iter().all(|span| !span.is_error), "{told:?}");
    for span in told {
        let known = |name: &String| ATTRIBUTES.contains(&name.as_str());
        assert!(span.attributes.keys().all(known), "{span:?}");
    }
}

on_both! {
    async fn every_part_of_a_way_is_told_and_nobody_is_in_it(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let (collector, receiver) = (Collector::start().await, Receiver::start().await);
        let supplier = Supplier::start(Era::Stateless, Way::Result(sections(&[
            ("Install", "https://kapa.example/install", "Install it."),
        ]))).await;
        let events = sink("crm", &receiver.url(), "\"person.sign_in\"", "\"email\"", "");
        let file = format!("{}{events}", asked(&supplier, ""));
        std::fs::write(folder.path().join("gatehouse.toml"), file).unwrap();
        std::fs::write(folder.path().join("key"), format!("x-key={KEY}\n")).unwrap();
        let settings = [("TRACES_HEADERS_FILE", "key"), ("CIMD_ALLOW_LOOPBACK", "true")];
        let process = process(&mut world, folder.path(), &collector.url(), &settings).await;

        let mut secrets = run_of_everything(&world).await;
        let publisher = Publisher::start().await;
        let client = publisher.client(&world, "cursor", &["http://127.0.0.1/cb"]).await;
        let tokens = client.signed_in(&world, "bob").await;
        let question = json!({"question": "another private question"});
        world.mcp(&tokens.access_token).tool("ask_example_question", question).await.expect(200);
        world.http.get(world.at("/wp-login.php?a=b")).send().await.unwrap();
        receiver.until(1).await;
        let process = stopped(process).await;

        let told = collector.told().await;
        assert_parts(&told);
        named(&told, "POST /oauth/token").for_each(|span| assert_joined(&process.written(), span));

        for more in [
            "alice", "bob", "example.com", "127.0.0.1", "localhost", "another private question",
            "wp-login", "kapa-secret-7", KEY, &client.client_id, &tokens.access_token,
            tokens.refresh_token(), "auth0|", "state=", "code=",
        ] {
            secrets.push((more, more.to_owned()));
        }
        for request in collector.requests().await {
            assert_eq!(request.headers["x-key"], KEY);
            for (name, secret) in &secrets {
                assert!(!found(&request.body, secret), "{name} is told to the collector");
            }
        }
        assert!(!process.written().contains(KEY));
        assert_eq!(collector.resource().await["service.name"], "gatehouse");
    }
}

/// One request with the head of a foreign trace; what is told of it.
async fn told_of_a_foreign_trace(flags: &str, settings: &[(&str, &str)]) -> Vec<Told> {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start().await;
    let process = process(&mut world, folder.path(), &collector.url(), settings).await;
    let head = format!("00-{FOREIGN}-b7ad6b7169203331-{flags}");
    let request = world.http.get(world.at("/.well-known/jwks.json")).header("traceparent", head);
    Answer::to(request.header("tracestate", "a=alice@example.com")).await.expect(200);
    stopped(process).await;
    let told = collector.told().await;
    // Until the process answers, it is asked for something else.
    told.into_iter().filter(|span| span.name == "GET /.well-known/jwks.json").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_trusted_proxy_says_of_which_trace_a_request_is_and_nobody_forces_one() {
    let trusted = ("TRUSTED_PROXIES", "127.0.0.1/32");
    let of_strangers = told_of_a_foreign_trace("01", &[]).await;
    assert_eq!(of_strangers.len(), 1);
    assert!(of_strangers.iter().all(|span| span.trace_id != FOREIGN && span.parent_id.is_empty()));
    let of_a_proxy = told_of_a_foreign_trace("01", &[trusted]).await;
    assert_eq!(of_a_proxy.len(), 1);
    assert_eq!(of_a_proxy[0].trace_id, FOREIGN);
    assert_eq!(of_a_proxy[0].parent_id, "b7ad6b7169203331");
    let forced = told_of_a_foreign_trace("01", &[trusted, ("TRACES_SHARE", "0%")]).await;
    assert!(forced.is_empty(), "{forced:?}");
    let spared = told_of_a_foreign_trace("00", &[trusted]).await;
    assert!(spared.is_empty(), "{spared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_silent_holds_up_neither_a_request_nor_the_stop() {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let collector = Receiver::start().await;
    collector.be_silent();
    let process = process(&mut world, folder.path(), &collector.url(), &[]).await;
    // It has been sent something, and says nothing.
    collector.until(1).await;
    let client = world.client("editor").await;
    let tokens = client.signed_in(&world, "alice").await;
    world.mcp(&tokens.access_token).ping().await.expect(200);
    let process = stopped(process).await;
    let written = process.written();
    assert!(written.contains("the last spans are dropped"), "{written}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_is_told_of_once() {
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}/v1/traces", free_port());
    let process = process(&mut world, folder.path(), &url, &[]).await;
    let dropped = |process: &Process| process.written().matches("spans are dropped").count();
    let first = async {
        while dropped(&process) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(STOPPED_WITHIN, first).await.expect("it is told of");
    // The stop sends what is left, which is not taken either.
    let client = world.client("editor").await;
    client.signed_in(&world, "alice").await;
    let process = stopped(process).await;
    assert_eq!(dropped(&process), 1, "{}", process.written());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_whether_the_collector_takes_traces() {
    let world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let collector = Receiver::start().await;
    let nobody = format!("http://127.0.0.1:{}/v1/traces", free_port());
    for (url, status, words) in [
        (collector.url(), 200, "ok    traces: "),
        (collector.url(), 401, "Is traces_headers right?"),
        (collector.url(), 404, "usually /v1/traces"),
        (nobody, 200, "does not take them (no_connection)"),
    ] {
        collector.says(wiremock::ResponseTemplate::new(status));
        let settings =
            [("TRACES", "true"), ("TRACES_URL", &*url), ("TRACES_HEADERS", "x-key=hush")];
        let (code, said) = run(&world, folder.path(), "check", &settings).await;
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("hush") && !said.contains("thanks"), "{said}");
        assert_eq!(code, Some(i32::from(!words.starts_with("ok"))), "{said}");
    }
}
