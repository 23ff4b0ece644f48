//! Another MCP server, of either era, that fails as it is told to and remembers what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// Which revision it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    Stateless,
    Handshake,
}

/// How it answers one call of a tool.
#[derive(Clone, Debug)]
pub enum Way {
    /// This result.
    Result(Value),
    /// The same, in an event stream behind a notification.
    Streamed(Value),
    /// A JSON-RPC error with this code and message.
    Error(i64, &'static str),
    /// This status, header and body.
    Http(u16, &'static [(&'static str, &'static str)], &'static str),
    /// An event stream that ends before the answer.
    Cut,
    /// An answer that comes too late.
    Late,
    /// More than anybody wants.
    Huge,
    /// It refuses calls that tell who asks, in this way, and answers others.
    RefusesPerson(Refusal),
}

/// How a person is refused.
#[derive(Clone, Copy, Debug)]
pub enum Refusal {
    InvalidParams,
    BadRequest,
    ToolError,
}

struct State {
    era: Era,
    session: u32,
    next: VecDeque<Way>,
    usual: Way,
}

pub struct Supplier {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

struct Answers(Arc<Mutex<State>>);

impl Supplier {
    /// A server that answers every call with `usual`.
    pub async fn start(era: Era, usual: Way) -> Self {
        let server = MockServer::start().await;
        let state = State { era, session: 1, next: VecDeque::new(), usual };
        let state = Arc::new(Mutex::new(state));
        Mock::given(any()).respond_with(Answers(Arc::clone(&state))).mount(&server).await;
        Self { server, state }
    }

    pub fn url(&self) -> String {
        format!("{}/mcp", self.server.uri())
    }

    /// The next calls are answered like this, one after the other.
    pub fn next(&self, ways: impl IntoIterator<Item = Way>) {
        self.state.lock().unwrap().next = ways.into_iter().collect();
    }

    /// From now on every call is answered like this.
    pub fn usually(&self, way: Way) {
        self.state.lock().unwrap().usual = way;
    }

    /// It knows the sessions it gave no more.
    pub fn forget_sessions(&self) {
        self.state.lock().unwrap().session += 1;
    }

    /// Everything it was sent.
    pub async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.expect("they are recorded")
    }

    /// The methods it was sent, in order.
    pub async fn methods(&self) -> Vec<String> {
        let requests = self.requests().await;
        requests.iter().map(|it| method(&body(it)).to_owned()).collect()
    }

    /// The parameters of every call of a tool.
    pub async fn calls(&self) -> Vec<Value> {
        let bodies = self.requests().await.iter().map(body).collect::<Vec<_>>();
        let calls = bodies.into_iter().filter(|body| method(body) == "tools/call");
        calls.map(|body| body["params"].clone()).collect()
    }

    /// Forgets what it was sent.
    pub async fn forget(&self) {
        self.server.reset().await;
        let answers = Answers(Arc::clone(&self.state));
        Mock::given(any()).respond_with(answers).mount(&self.server).await;
    }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or(Value::Null)
}

fn method(body: &Value) -> &str {
    body["method"].as_str().unwrap_or_default()
}

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let body = body(request);
        let id = &body["id"];
        let header = |name| request.headers.get(name).map(|it| it.to_str().unwrap().to_owned());
        let version = header("mcp-protocol-version");
        let session = format!("session-{}", state.session);
        match (state.era, method(&body)) {
            (Era::Stateless, "server/discover") => {
                result(id, &json!({ "supportedVersions": ["2026-07-28"], "capabilities": {} }))
            }
            (Era::Handshake, "server/discover") => {
                let error = "Bad Request: Server not initialized";
                ResponseTemplate::new(400).set_body_json(json!({ "jsonrpc": "2.0", "id": null,
                    "error": { "code": -32000, "message": error } }))
            }
            (Era::Handshake, "initialize") => {
                let about = json!({ "protocolVersion": "2025-06-18", "capabilities": {},
                    "serverInfo": { "name": "double", "version": "1" } });
                result(id, &about).insert_header("mcp-session-id", session.as_str())
            }
            (Era::Handshake, _) if header("mcp-session-id") != Some(session) => {
                ResponseTemplate::new(404)
            }
            (Era::Handshake, _) if version.as_deref() != Some("2025-06-18") => {
                ResponseTemplate::new(400)
            }
            (Era::Handshake, "notifications/initialized") => ResponseTemplate::new(202),
            (Era::Stateless, _)
                if !is_whole(&body, version.as_deref(), header("mcp-method").as_deref()) =>
            {
                ResponseTemplate::new(400)
            }
            (_, "tools/list") => result(id, &json!({ "tools": [tool("search")] })),
            (_, "tools/call") => {
                let way = state.next.pop_front().unwrap_or_else(|| state.usual.clone());
                drop(state);
                way.answer(&body)
            }
            _ => error(id, -32601, "Method not found"),
        }
    }
}

/// Whether a request of the stateless era says of itself what it must.
fn is_whole(body: &Value, version: Option<&str>, told_method: Option<&str>) -> bool {
    let meta = &body["params"]["_meta"];
    version == Some("2026-07-28")
        && told_method == Some(method(body))
        && meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        && meta["io.modelcontextprotocol/clientInfo"].is_object()
        && meta["io.modelcontextprotocol/clientCapabilities"].is_object()
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object", "additionalProperties": false,
        "properties": { "query": { "type": "string" } }, "required": ["query"] } })
}

fn result(id: &Value, result: &Value) -> ResponseTemplate {
    let body = json!({ "jsonrpc": "2.0", "id": id, "result": result });
    ResponseTemplate::new(200).set_body_json(body)
}

fn error(id: &Value, code: i64, message: &str) -> ResponseTemplate {
    let error = json!({ "code": code, "message": message });
    ResponseTemplate::new(200).set_body_json(json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

fn streamed(text: String) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text, "text/event-stream")
}

/// The result of a tool that found these sections.
pub fn found(sections: &[(&str, &str, &str)]) -> Value {
    let sections: Vec<_> = sections
        .iter()
        .map(|(title, url, text)| json!({ "title": title, "source_url": url, "content": text }))
        .collect();
    json!({ "content": [{ "type": "text", "text": json!(sections).to_string() }] })
}

impl Way {
    fn answer(self, body: &Value) -> ResponseTemplate {
        let id = &body["id"];
        match self {
            Self::Result(answer) => result(id, &answer),
            Self::Streamed(answer) => {
                let note = json!({ "jsonrpc": "2.0", "method": "notifications/message" });
                let answer = json!({ "jsonrpc": "2.0", "id": id, "result": answer });
                streamed(format!("id: 1\ndata:\n\ndata: {note}\n\ndata: {answer}\n\n"))
            }
            Self::Error(code, message) => error(id, code, message),
            Self::Http(status, headers, text) => headers.iter().fold(
                ResponseTemplate::new(status).set_body_raw(text, "text/plain"),
                |template, (name, value)| template.insert_header(*name, *value),
            ),
            Self::Cut => streamed("data: {\"jsonrpc\":\"2.0\",\"id\":".to_owned()),
            Self::Late => result(id, &found(&[])).set_delay(Duration::from_mins(1)),
            Self::Huge => result(
                id,
                &json!({ "content": [{ "type": "text",
                "text": "x".repeat(1024 * 1024) }] }),
            ),
            Self::RefusesPerson(refusal) => {
                let knows = !body["params"]["_meta"]["user"].is_null();
                match refusal {
                    _ if !knows => result(id, &found(&[("T", "https://s.example/t", "text")])),
                    Refusal::InvalidParams => error(id, -32602, "Unexpected metadata"),
                    Refusal::BadRequest => {
                        ResponseTemplate::new(400).set_body_string("_meta.user is not allowed")
                    }
                    Refusal::ToolError => result(
                        id,
                        &json!({ "isError": true, "content": [
                        { "type": "text", "text": "unexpected key _meta" }] }),
                    ),
                }
            }
        }
    }
}

/// What a server does that speaks HTTP up to a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rudeness {
    /// It promises more than it sends.
    HangsUp,
    /// It says nothing, and waits for the other side to go.
    Waits,
}

/// A server below HTTP; it tells of every connection that was made and when the other side left.
pub struct Rude {
    pub url: String,
    /// A message for each request, and one when the other side of it is gone.
    pub heard: tokio::sync::mpsc::UnboundedReceiver<&'static str>,
}

impl Rude {
    pub async fn start(rudeness: Rudeness) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/mcp", listener.local_addr().expect("it is bound"));
        let (tell, heard) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let tell = tell.clone();
                tokio::spawn(async move {
                    let mut bytes = [0; 16 * 1024];
                    while socket.read(&mut bytes).await.is_ok_and(|count| count > 0) {
                        let _ = tell.send("request");
                        if rudeness == Rudeness::HangsUp {
                            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                                 content-length: 900\r\n\r\n{\"jsonrpc\":";
                            let _ = socket.write_all(head.as_bytes()).await;
                            return;
                        }
                    }
                    let _ = tell.send("gone");
                });
            }
        });
        Self { url, heard }
    }
}
