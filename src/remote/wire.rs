//! JSON-RPC over Streamable HTTP: one POST, one answer, as JSON or as an event stream.
//!
//! No redirect is followed, nothing is decompressed, no cookie is kept, and an answer is read up to
//! a bound. Our credential for this server goes along and nothing else of ours.

use std::error::Error;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use url::Url;

use crate::http_client;
use crate::remote::events::Events;
use crate::remote::fault::Fault;

/// The largest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The longest time to come back later that is understood.
const RETRY_AFTER_SECONDS_MAX: u64 = 86_400;

/// The session of a server of an older revision.
pub const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// An endpoint and how it is reached.
#[derive(Debug)]
pub struct Wire {
    http: Client,
    url: Url,
    credential: HeaderMap,
}

/// A JSON-RPC answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It was done.
    Result(Value),
    /// It was refused.
    Error {
        /// The JSON-RPC code.
        code: i64,
        /// Whether the refusal speaks of `_meta`.
        is_about_metadata: bool,
    },
}

/// An answer, and the session it began.
#[derive(Debug)]
pub struct Answered {
    /// What was answered.
    pub answer: Answer,
    /// `Mcp-Session-Id`
    pub session: Option<HeaderValue>,
}

impl Wire {
    /// A way to `url` of which nothing is in use yet.
    pub fn new(url: &Url, credential: HeaderMap, connect: Duration) -> Result<Self, Fault> {
        let builder = http_client::builder_to(url).connect_timeout(connect);
        let http = http_client::build(builder).map_err(|_| Fault::NoClient)?;
        Ok(Self { http, url: url.clone(), credential })
    }

    /// Sends a request and reads its answer.
    pub async fn request(
        &self,
        id: u64,
        method: &str,
        params: &Value,
        headers: HeaderMap,
    ) -> Result<Answered, Fault> {
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let has_session = headers.contains_key(SESSION);
        let response = self.post(&body, headers).await?;
        let session = response.headers().get(SESSION).cloned();
        let answer = if response.status().is_success() {
            read_answer(response, id).await?
        } else {
            read_refusal(response, has_session).await?
        };
        Ok(Answered { answer, session })
    }

    /// Sends a notification.
    pub async fn notify(&self, method: &str, headers: HeaderMap) -> Result<(), Fault> {
        let response = self.post(&json!({ "jsonrpc": "2.0", "method": method }), headers).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        Err(fault_of_status(status, response.headers(), false))
    }

    async fn post(&self, body: &Value, headers: HeaderMap) -> Result<Response, Fault> {
        let request = self
            .http
            .post(self.url.clone())
            .headers(headers)
            .headers(self.credential.clone())
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        request.send().await.map_err(|error| fault_of(&error))
    }
}

fn fault_of(error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        Fault::TooSlow
    } else if error.is_connect() {
        Fault::NoConnection
    } else {
        Fault::BrokeOff
    }
}

fn fault_of_status(status: StatusCode, headers: &HeaderMap, is_about_metadata: bool) -> Fault {
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(|seconds: u64| Duration::from_secs(seconds.min(RETRY_AFTER_SECONDS_MAX)));
    match status.as_u16() {
        status @ (401 | 403) => Fault::Forbidden(status),
        429 => Fault::Throttled(retry_after),
        status => Fault::Status { status, retry_after, is_about_metadata },
    }
}

async fn read_answer(mut response: Response, id: u64) -> Result<Answer, Fault> {
    let content_type = response.headers().get(CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => {
            let body = read_body(&mut response).await?;
            let message = serde_json::from_slice(&body).map_err(|_| Fault::Garbage)?;
            answer_to(id, message).ok_or(Fault::Garbage)
        }
        "text/event-stream" => read_events(response, id).await,
        _ => Err(Fault::Garbage),
    }
}

/// Reads events up to the answer; what a server says before it (progress, log lines) is passed
/// over.
async fn read_events(mut response: Response, id: u64) -> Result<Answer, Fault> {
    let (mut events, mut bytes) = (Events::default(), 0);
    while let Some(piece) = response.chunk().await.map_err(|error| fault_of(&error))? {
        bytes += piece.len();
        if bytes > ANSWER_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        for data in events.take(&piece) {
            // A stream may begin with an event that has an id and nothing to say (MCP 2025-11-25,
            // Streamable HTTP: Resumability).
            if data.trim().is_empty() {
                continue;
            }
            let message = serde_json::from_str(&data).map_err(|_| Fault::Garbage)?;
            if let Some(answer) = answer_to(id, message) {
                return Ok(answer);
            }
        }
    }
    Err(Fault::BrokeOff)
}

async fn read_refusal(mut response: Response, has_session: bool) -> Result<Answer, Fault> {
    let (status, headers) = (response.status(), response.headers().clone());
    // MCP 2025-11-25, Streamable HTTP: Session Management.
    if status == StatusCode::NOT_FOUND && has_session {
        return Err(Fault::SessionGone);
    }
    if !matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) {
        return Err(fault_of_status(status, &headers, false));
    }
    let body = read_body(&mut response).await?;
    let text = String::from_utf8_lossy(&body);
    // Servers built on the TypeScript SDK's example say so when they were started anew.
    if has_session && status == StatusCode::BAD_REQUEST && text.to_lowercase().contains("session") {
        return Err(Fault::SessionGone);
    }
    match serde_json::from_slice(&body).ok().and_then(error_in) {
        Some(error) => Ok(error),
        None => Err(fault_of_status(status, &headers, text.contains("_meta"))),
    }
}

async fn read_body(response: &mut Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| fault_of(&error))? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The answer to request `id`, in a message or, as revision 2025-03-26 has it, a batch.
fn answer_to(id: u64, message: Value) -> Option<Answer> {
    match message {
        Value::Array(batch) => batch.into_iter().find_map(|message| answer_to(id, message)),
        Value::Object(mut message) if message.get("id").is_some_and(|it| is_id(it, id)) => {
            match message.remove("result") {
                Some(result) => Some(Answer::Result(result)),
                None => error_in(Value::Object(message)),
            }
        }
        _ => None,
    }
}

fn is_id(presented: &Value, id: u64) -> bool {
    presented.as_u64() == Some(id) || presented.as_str() == Some(&id.to_string())
}

fn error_in(message: Value) -> Option<Answer> {
    let error = message.get("error")?;
    let code = error.get("code")?.as_i64()?;
    Some(Answer::Error { code, is_about_metadata: error.to_string().contains("_meta") })
}

/// The credential as a header that no log shows.
pub fn credential_header(
    name: &HeaderName,
    value: &str,
) -> Result<HeaderMap, Box<dyn Error + Send + Sync>> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(name.clone(), value)]))
}
