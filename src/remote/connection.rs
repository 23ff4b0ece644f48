//! A kept connection: the handshake of one era or the other, once, and then calls.
//!
//! 1. `server/discover` asks whether the server is of the stateless era (MCP 2026-07-28,
//!    Versioning). Then there is nothing more to keep than that, and each request says of itself
//!    what it needs.
//! 2. A server that does not know the method, or does not answer it, is asked to `initialize`
//!    (MCP 2025-11-25, Lifecycle), and its session is kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use url::Url;

use crate::remote::fault::Fault;
use crate::remote::wire::{Answer, Answered, SESSION, Wire};

const MODERN: &str = "2026-07-28";

/// The revisions with a handshake, the newest first, which is asked for.
const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

const VERSION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD_HEADER: HeaderName = HeaderName::from_static("mcp-method");
const NAME_HEADER: HeaderName = HeaderName::from_static("mcp-name");

/// Pages of a list of tools that are read.
const PAGES_MAX: usize = 20;

#[derive(Debug)]
enum Era {
    Stateless,
    Handshake(HeaderMap),
}

/// A server that has told how it wants to be spoken to.
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    era: Era,
    ids: AtomicU64,
}

impl Connection {
    /// Connects, within `connect`.
    pub async fn open(url: &Url, credential: HeaderMap, connect: Duration) -> Result<Self, Fault> {
        let wire = Wire::new(url, credential, connect)?;
        // Half of the time: a server that is silent about a method it does not know may still know
        // the other one.
        let opening = async {
            let (era, id) = match timeout(connect / 2, discover(&wire)).await {
                Ok(Ok(true)) => return Ok((Era::Stateless, 2)),
                Ok(Err(fault)) => return Err(fault),
                Ok(Ok(false)) | Err(_) => (initialize(&wire).await?, 3),
            };
            Ok((era, id))
        };
        let (era, id) = timeout(connect, opening).await.unwrap_or(Err(Fault::TooSlow))?;
        Ok(Self { wire, era, ids: AtomicU64::new(id) })
    }

    /// The revision it is spoken to in.
    pub fn revision(&self) -> &str {
        match &self.era {
            Era::Stateless => MODERN,
            Era::Handshake(headers) => {
                headers.get(VERSION_HEADER).and_then(|v| v.to_str().ok()).unwrap_or(LEGACY[2])
            }
        }
    }

    /// Calls a tool; `user` goes along as `_meta.user`.
    pub async fn call_tool(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        user: Option<&Value>,
    ) -> Result<Answer, Fault> {
        let mut params = json!({ "name": name, "arguments": arguments });
        if let Some(user) = user {
            params["_meta"] = json!({ "user": user });
        }
        self.request("tools/call", params, Some(name)).await
    }

    /// All its tools, as it describes them.
    pub async fn list_tools(&self) -> Result<Vec<Value>, Fault> {
        let (mut tools, mut params) = (Vec::new(), json!({}));
        for _ in 0..PAGES_MAX {
            let page = match self.request("tools/list", params, None).await? {
                Answer::Result(page) => page,
                Answer::Error { code, .. } => return Err(Fault::Protocol(code)),
            };
            tools.extend(page["tools"].as_array().ok_or(Fault::Garbage)?.iter().cloned());
            match page["nextCursor"].as_str().filter(|cursor| !cursor.is_empty()) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => break,
            }
        }
        Ok(tools)
    }

    async fn request(
        &self,
        method: &str,
        mut params: Value,
        name: Option<&str>,
    ) -> Result<Answer, Fault> {
        let headers = match &self.era {
            Era::Stateless => modern(method, name, &mut params),
            Era::Handshake(headers) => headers.clone(),
        };
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        Ok(self.wire.request(id, method, &params, headers).await?.answer)
    }
}

fn who() -> Value {
    json!({ "name": "gatehouse", "version": env!("CARGO_PKG_VERSION") })
}

/// What a request of the stateless era says of itself (MCP 2026-07-28, Streamable HTTP: Standard
/// Headers).
fn modern(method: &str, name: Option<&str>, params: &mut Value) -> HeaderMap {
    let meta = &mut params["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
    meta["io.modelcontextprotocol/clientInfo"] = who();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let mut headers = HeaderMap::from_iter([(VERSION_HEADER, HeaderValue::from_static(MODERN))]);
    let repeated = [(METHOD_HEADER, Some(method)), (NAME_HEADER, name)];
    for (header, value) in repeated {
        // The settings let through only names that fit into a header.
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(header, value);
        }
    }
    headers
}

/// Whether the server speaks the stateless era. A fault that would befall `initialize` as well ends
/// the handshake here.
async fn discover(wire: &Wire) -> Result<bool, Fault> {
    let mut params = json!({});
    let headers = modern("server/discover", None, &mut params);
    match wire.request(1, "server/discover", &params, headers).await {
        Ok(Answered { answer: Answer::Result(about), .. }) => {
            let versions = about["supportedVersions"].as_array();
            Ok(versions.is_some_and(|versions| versions.iter().any(|it| it == MODERN)))
        }
        // An older server says in many ways that it does not know the method.
        Ok(Answered { answer: Answer::Error { .. }, .. })
        | Err(
            Fault::Garbage
            | Fault::BrokeOff
            | Fault::SessionGone
            | Fault::Status { status: 300..=499, .. },
        ) => Ok(false),
        Err(fault) => Err(fault),
    }
}

async fn initialize(wire: &Wire) -> Result<Era, Fault> {
    let params = json!({
        "protocolVersion": LEGACY[0],
        "capabilities": {},
        "clientInfo": who(),
    });
    let Answered { answer, session } =
        wire.request(2, "initialize", &params, HeaderMap::new()).await?;
    let about = match answer {
        Answer::Result(about) => about,
        Answer::Error { code, .. } => return Err(Fault::Protocol(code)),
    };
    let version = about["protocolVersion"].as_str().ok_or(Fault::Garbage)?;
    let version = LEGACY.into_iter().find(|known| *known == version);
    let version = HeaderValue::from_static(version.ok_or(Fault::OtherRevision)?);
    let mut headers = HeaderMap::from_iter([(VERSION_HEADER, version)]);
    if let Some(session) = session {
        headers.insert(SESSION, session);
    }
    wire.notify("notifications/initialized", headers.clone()).await?;
    Ok(Era::Handshake(headers))
}
