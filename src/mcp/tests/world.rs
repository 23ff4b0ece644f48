//! A server over three pages, a letter box that can fail, and clients of either era.

use std::fs;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::docs::library::{self, Library};
use crate::mcp::account::Keeping;
use crate::mcp::caller::{Caller, Grant, Organization, Person, Scopes};
use crate::mcp::feedback::{
    Feedback, FeedbackBox, FeedbackFault, FeedbackStatus, Lookup, Note, Receipt, Submission,
};
use crate::mcp::server::{Furniture, McpAnswer, McpServer, Settings};
use crate::mcp::usage::{self, UsageBook};
use crate::reference::library::{self as reference, Reference};
use crate::reference::sources::{OwnDocument, Source};

pub const MODERN: &str = "2026-07-28";
pub const LEGACY: &str = "2025-11-25";

pub struct World {
    server: McpServer,
    pub letters: Arc<Letters>,
    pub calls: Arc<Calls>,
}

/// A book that remembers: who, with which client and revision, which tool, what became of it.
#[derive(Default)]
pub struct Calls {
    pub lines: Mutex<Vec<String>>,
    /// What was searched for and what the person wants.
    pub texts: Mutex<Vec<[String; 2]>>,
}

impl UsageBook for Calls {
    fn note(&self, call: usage::Call<'_>) {
        let who = call.caller.person.as_ref().map_or("nobody", |person| &person.subject);
        let with = call.signs.client_info.as_deref().unwrap_or("-");
        let usage::Call { tool, outcome, .. } = call;
        let texts = [call.query, call.context].map(Option::unwrap_or_default).map(str::to_owned);
        self.texts.lock().expect("no holder panics").push(texts);
        let line = format!("{who} {with} {} {tool:?} {}", call.signs.revision, outcome.name());
        self.lines.lock().expect("no holder panics").push(line);
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Letters::default())
    }

    pub fn with(letters: Letters) -> Self {
        Self::built(letters, Keeping { queries: true, context: false })
    }

    /// The same, with tools that ask what the person wants.
    pub fn asking_context() -> Self {
        Self::keeping(Keeping { queries: true, context: true })
    }

    pub fn keeping(keeping: Keeping) -> Self {
        Self::built(Letters::default(), keeping)
    }

    fn built(letters: Letters, keeping: Keeping) -> Self {
        let letters = Arc::new(letters);
        let calls = Arc::new(Calls::default());
        let server = served(Arc::clone(&letters) as _, Arc::clone(&calls) as _, keeping);
        Self { server, letters, calls }
    }

    /// A server that hands feedback to another box than the one with the letters.
    pub fn with_box(feedback_box: Arc<dyn FeedbackBox>) -> Self {
        let (letters, calls) = (Arc::default(), Arc::new(Calls::default()));
        let keeping = Keeping { queries: true, context: false };
        let server = served(feedback_box, Arc::clone(&calls) as _, keeping);
        Self { server, letters, calls }
    }

    pub async fn answer(&self, call: Call) -> McpAnswer {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = call.method;
        parts.headers = call.headers;
        self.server.answer(self.server.open(parts, &call.body), call.caller).await
    }

    /// The answer of a call that the door has nothing more to say about.
    pub async fn send(&self, call: Call) -> Answer {
        let McpAnswer::Response(response) = self.answer(call).await else {
            panic!("the caller was sent away");
        };
        let (parts, body) = response.into_parts();
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, bytes: body, json }
    }

    /// The result of a call by a client of 2026-07-28.
    pub async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.send(Call::modern(method, params)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        answer.json["result"].clone()
    }

    /// The result of a tool, called by Alice.
    pub async fn tool(&self, name: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": name, "arguments": arguments })).await
    }

    /// What a tool tells a model that called it wrongly.
    pub async fn refusal(&self, name: &str, arguments: Value) -> String {
        let result = self.tool(name, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(result.get("structuredContent"), None);
        text(&result)
    }
}

fn served(
    feedback_box: Arc<dyn FeedbackBox>,
    usage: Arc<dyn UsageBook>,
    keeping: Keeping,
) -> McpServer {
    let settings = Settings {
        product: "Redpanda".to_owned(),
        server_version: "1.2.3".to_owned(),
        public_url: "https://mcp.example.com".to_owned(),
        account_url: "https://mcp.example.com/connect/account".to_owned(),
        keeping,
        told: vec!["crm (crm.example.com): your name".to_owned()],
    };
    let furniture = Furniture {
        library: library(),
        reference: reference(),
        feedback_box,
        usage,
        remotes: Arc::default(),
    };
    McpServer::new(&settings, furniture)
}

/// The text of a tool's result.
pub fn text(result: &Value) -> String {
    assert_eq!(result["content"].as_array().map(Vec::len), Some(1), "{result}");
    result["content"][0]["text"].as_str().expect("a text block").to_owned()
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub json: Value,
}

impl Answer {
    pub fn code(&self) -> Option<i64> {
        self.json["error"]["code"].as_i64()
    }

    /// Status and JSON-RPC error code at once, as the tables of the specification pair them.
    #[track_caller]
    pub fn expect_error(&self, status: u16, code: i64) {
        assert_eq!((self.status.as_u16(), self.code()), (status, Some(code)), "{}", self.json);
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.json["jsonrpc"], "2.0");
        assert_eq!(self.json.get("result"), None);
    }

    #[track_caller]
    pub fn expect_accepted(&self) {
        assert_eq!(self.status, StatusCode::ACCEPTED, "{}", self.json);
        assert!(self.bytes.is_empty());
    }
}

/// A request on its way.
#[derive(Clone)]
pub struct Call {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    caller: Caller,
}

impl Call {
    /// Any body, as a client of no particular era would send it.
    pub fn raw(body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::new();
        let body = body.into();
        Self { method: Method::POST, headers, body, caller: alice() }
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("host", "mcp.example.com")
    }

    /// A request of 2026-07-28, with everything that revision wants.
    pub fn modern(method: &str, mut params: Value) -> Self {
        let name = params.get("name").or(params.get("uri")).and_then(Value::as_str);
        let name = name.map(str::to_owned);
        params["_meta"] = meta(MODERN);
        let call = Self::request(method, params)
            .header("mcp-protocol-version", MODERN)
            .header("mcp-method", method);
        match name {
            Some(name) => call.header("mcp-name", &name),
            None => call,
        }
    }

    /// A request of 2025-11-25, after its handshake.
    pub fn legacy(method: &str, params: Value) -> Self {
        Self::request(method, params).header("mcp-protocol-version", LEGACY)
    }

    /// A request without any header of the protocol.
    pub fn request(method: &str, params: Value) -> Self {
        let mut body = json!({ "jsonrpc": "2.0", "id": 1, "method": method });
        body["params"] = params;
        Self::raw(body.to_string())
    }

    /// The same message under another `id`.
    pub fn under_id(mut self, id: &str) -> Self {
        let mut body: Value = serde_json::from_slice(&self.body).expect("a message");
        body["id"] = id.into();
        self.body = body.to_string().into();
        self
    }

    /// Sets a header, or leaves it out where the value is empty.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let name = HeaderName::from_static(name);
        self.headers.remove(&name);
        if !value.is_empty() {
            self.headers.insert(name, HeaderValue::from_str(value).expect("a header value"));
        }
        self
    }

    pub fn second_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub fn by(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }
}

/// The `_meta` of a request of the modern era.
pub fn meta(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": { "name": "editor", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// Signed in, with every scope.
pub fn alice() -> Caller {
    let person = Person {
        subject: "sub_alice".to_owned(),
        name: Some("Alice".to_owned()),
        email: Some("alice@acme.example".to_owned()),
        organization: Some(Organization {
            name: "Acme".to_owned(),
            source: "from your e-mail domain",
        }),
    };
    Caller {
        person: Some(person),
        scopes: Scopes::from_names(["openid", "docs:read", "docs:feedback"]),
        client_id: Some("editor".to_owned()),
        grant: Some(Grant {
            id: "grant_1".to_owned(),
            scopes: vec!["docs:read", "email", "profile"],
        }),
    }
}

/// Signed in, with these scopes only.
pub fn alice_with(scopes: &[&str]) -> Caller {
    Caller { scopes: Scopes::from_names(scopes.iter().copied()), ..alice() }
}

/// How the letter box is doing.
#[derive(Clone, Copy, Default)]
pub enum Mood {
    #[default]
    Takes,
    Breaks,
    Panics,
}

/// A letter box that remembers.
#[derive(Default)]
pub struct Letters {
    pub mood: Mood,
    pub notes: Vec<Note>,
    pub kept: Mutex<Vec<(String, Feedback)>>,
}

impl FeedbackBox for Letters {
    fn submit<'a>(&'a self, caller: &'a Caller, feedback: Feedback) -> Submission<'a> {
        Box::pin(async move {
            match self.mood {
                Mood::Takes => {
                    let person = caller.person.as_ref().expect("a person").subject.clone();
                    self.kept.lock().expect("no holder panics").push((person, feedback));
                    let receipt = "fb_1".to_owned();
                    let notes = self.notes.clone();
                    Ok(Receipt { receipt, status: FeedbackStatus::Stored, notes })
                }
                Mood::Breaks => Err(FeedbackFault("the table is gone".into())),
                Mood::Panics => panic!("the letter box fell off the wall"),
            }
        })
    }

    /// Alice has sent a letter for each word that a status has.
    fn status<'a>(&'a self, caller: &'a Caller, receipt: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            let is_alice = caller.person == alice().person;
            match self.mood {
                Mood::Takes => Ok(STATUSES
                    .into_iter()
                    .find(|status| is_alice && receipt == format!("fb_{}", status.name()))),
                Mood::Breaks => Err(FeedbackFault("the table is gone".into())),
                Mood::Panics => panic!("the letter box fell off the wall"),
            }
        })
    }
}

pub const STATUSES: [FeedbackStatus; 4] = [
    FeedbackStatus::Stored,
    FeedbackStatus::Delivering,
    FeedbackStatus::Delivered,
    FeedbackStatus::Failed,
];

/// Three pages, read from a folder once: reading them is not what these tests are about.
fn library() -> Arc<Library> {
    static LIBRARY: OnceLock<Arc<Library>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in [
            ("upgrade.md", "# Rolling upgrades\n\nUpgrade brokers one at a time.\n".to_owned()),
            ("topics.md", TOPICS.to_owned()),
            ("long.md", format!("# Long\n\n{}\n", "Tiered storage keeps old data. ".repeat(100))),
        ] {
            fs::write(folder.path().join(path), text).expect("a page");
        }
        let settings = library::Settings {
            folders: vec![folder.path().to_owned()],
            site_url: Some(Url::parse("https://docs.example.com").expect("an address")),
        };
        Arc::new(Library::open(settings).expect("a library"))
    });
    Arc::clone(library)
}

/// The API documents of the suite, read once.
fn reference() -> Arc<Reference> {
    static REFERENCE: OnceLock<Arc<Reference>> = OnceLock::new();
    let reference = REFERENCE.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference");
        let sources = vec![Source { name: None, path: folder.into() }];
        let own = OwnDocument { name: "own".to_owned(), text: String::new() };
        let settings = reference::Settings { sources, own };
        Arc::new(Reference::open(settings).expect("a reference"))
    });
    Arc::clone(reference)
}

const TOPICS: &str = "\
# Topics

A topic has partitions. Brokers hold them.

## Retention

Old messages go after a week.
";
