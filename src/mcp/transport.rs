//! Streamable HTTP around rmcp: what is checked before, what rmcp is shown, what is mended after.
//!
//! rmcp tells the eras apart and enforces most of the transport (MCP 2026-07-28 and 2025-11-25,
//! Streamable HTTP). This file does the rest: it is more lenient where clients of the field need it
//! (`Accept`, the version header on `initialize`, notifications without `Mcp-Method`), and it
//! answers in JSON-RPC where rmcp answers in plain text.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use rmcp::model::{ProtocolVersion, RequestId};

use crate::mcp::envelope::Envelope;
use crate::mcp::refusal::{Refusal, SUPPORTED_VERSIONS};
use crate::mcp::usage::Signs;

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The headers of a message that make a difference to rmcp.
pub const TOLD_APART: [HeaderName; 3] = [PROTOCOL_VERSION, MCP_METHOD, MCP_NAME];

/// So much is looked at of what a client calls itself, in characters.
const SIGN_CHARS_MAX: usize = 200;

/// Checks what HTTP alone says about a request.
pub fn check_http(parts: &Parts) -> Result<(), Refusal> {
    if parts.method != Method::POST {
        return Err(Refusal::MethodNotAllowed);
    }
    if !accepts_an_answer(&parts.headers) {
        return Err(Refusal::NotAcceptable);
    }
    if !is_json(&parts.headers) {
        return Err(Refusal::UnsupportedMediaType);
    }
    Ok(())
}

/// Whether the client takes JSON or an event stream.
///
/// The specification wants both named; clients and probes of the field name one, or `*/*`, or
/// nothing. All of them get JSON, which a server may send whatever `Accept` says (RFC 9110
/// §12.4.1). Only a client that rules both out is refused.
fn accepts_an_answer(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_none() || ranges.any(is_acceptable)
}

fn is_acceptable(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let known = matches!(
        essence.as_str(),
        "application/json" | "text/event-stream" | "*/*" | "application/*" | "text/*"
    );
    known && !parts.any(is_zero_weight)
}

/// RFC 9110 §12.4.2: a weight of zero rules the range out.
fn is_zero_weight(parameter: &str) -> bool {
    let weight = parameter.strip_prefix(['q', 'Q']).map(str::trim_start);
    let weight = weight.and_then(|rest| rest.strip_prefix('='));
    weight.is_some_and(|value| value.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0))
}

/// A browser sends any other type across origins without asking first, so this is also a fence
/// against requests forged by a page.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// What to do with a message.
#[derive(Debug)]
pub enum Passage {
    /// Let rmcp answer, and show it these headers.
    Forward(HeaderMap),
    /// It is taken, and there is nothing to say.
    Accepted,
}

/// How a client describes itself with a message, whatever comes of it; with its headers alone where
/// the body was not read.
pub fn signs(headers: &HeaderMap, envelope: Option<&Envelope>) -> Signs {
    let named = envelope.and_then(Envelope::version).map(str::to_owned);
    let named = named.or_else(|| presented_version(headers).ok().flatten());
    // Without a header, this is the revision to be assumed (MCP 2025-11-25, Protocol Version
    // Header).
    let named = named.as_deref().unwrap_or(ProtocolVersion::V_2025_03_26.as_str());
    let spoken = SUPPORTED_VERSIONS.iter().find(|supported| supported.as_str() == named);
    let bounded = |text: &str| text.chars().take(SIGN_CHARS_MAX).collect();
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    Signs {
        client_info: envelope.and_then(Envelope::client_name).map(bounded),
        user_agent: agent.map(bounded),
        revision: spoken.map_or("", ProtocolVersion::as_str),
    }
}

/// Decides how a message goes on, by its era.
///
/// rmcp sees the headers that the protocol defines and nothing else: no `Authorization`, no cookie,
/// no `Mcp-Session-Id`, which this server neither issues nor heeds.
pub fn direct(headers: &HeaderMap, envelope: &Envelope) -> Result<Passage, Refusal> {
    let version = presented_version(headers)?;
    if envelope.is_initialize() {
        // The handshake ended with the revision before.
        if envelope.version().is_some_and(is_modern) {
            return Err(Refusal::MethodRemoved);
        }
        // Clients put the header on `initialize` too, sometimes with another version than the body;
        // rmcp refuses that, though the header only counts once a version is agreed (MCP
        // 2025-11-25, Protocol Version Header). The body decides.
        return Ok(Passage::Forward(shown()));
    }
    // Where the body names a version as well, rmcp compares the two and speaks of the mismatch.
    if let Some(version) = &version
        && envelope.version().is_none()
        && !SUPPORTED_VERSIONS.iter().any(|supported| supported.as_str() == version)
    {
        return Err(Refusal::UnsupportedVersion { requested: version.clone() });
    }
    if matches!(envelope, Envelope::Answer) {
        // Legacy clients may post an answer at any time, and 202 is all they expect for it.
        return match version {
            Some(version) if is_modern(&version) => Err(Refusal::UnexpectedAnswer),
            Some(_) | None => Ok(Passage::Accepted),
        };
    }
    let mut shown = shown();
    for name in TOLD_APART {
        for value in headers.get_all(&name) {
            shown.append(name.clone(), trimmed(value));
        }
    }
    // The header is required of requests; a notification without it is fine, and rmcp is told so in
    // the only way it understands (MCP 2026-07-28, Standard MCP Request Headers).
    if let Envelope::Notification { method, .. } = envelope
        && !shown.contains_key(MCP_METHOD)
        && let Ok(method) = HeaderValue::from_str(method)
    {
        shown.insert(MCP_METHOD, method);
    }
    Ok(Passage::Forward(shown))
}

/// Whether a revision has no handshake. Revisions are dates, so they compare as text.
fn is_modern(version: &str) -> bool {
    version >= ProtocolVersion::NO_INITIALIZE.as_str()
}

/// What every message that reaches rmcp carries: rmcp wants both types accepted, and a host.
fn shown() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json, text/event-stream")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HOST, HeaderValue::from_static("localhost")),
    ])
}

/// The version in the header. Two of them could mean one thing to a proxy and another here.
fn presented_version(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all(PROTOCOL_VERSION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Refusal::RepeatedHeader);
    }
    Ok(first.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned()))
}

/// RFC 9110 §5.5: white space around a field value is no part of it.
fn trimmed(value: &HeaderValue) -> HeaderValue {
    HeaderValue::from_bytes(value.as_bytes().trim_ascii()).unwrap_or_else(|_| value.clone())
}

/// A response without a body.
pub fn accepted() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// Puts rmcp's last plain-text answers into JSON-RPC.
///
/// They are its ways of saying that it could not read a message or that something broke, and they
/// carry its own words about either.
pub fn mend(response: Response<Bytes>, id: Option<RequestId>) -> Response<Bytes> {
    let content_type = response.headers().get(CONTENT_TYPE);
    let is_json = content_type.is_some_and(|value| value.as_bytes() == b"application/json");
    if is_json || response.status() == StatusCode::ACCEPTED {
        return response;
    }
    if response.status().is_client_error() {
        return Refusal::NotAMessage.into_response(id);
    }
    tracing::error!(status = response.status().as_u16(), "rmcp could not answer");
    Refusal::Fault.into_response(id)
}
