//! What `/mcp` answers when a request does not get to the tools (RFC 6750 §3, RFC 9728 §5.1).
//!
//! Header values keep clear of the words that client libraries search for without anchoring
//! (`scope=`, `error=`, `resource_metadata=`), and of everything a request said.

use bytes::Bytes;
use gatehouse_api::mcp::{BODY_BYTES_MAX, McpRequest};
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;

use crate::config::Config;
use crate::domain::scope::{Scope, ScopeSet};
use crate::flow::Gatehouse;
use crate::flow::limits::Reading;
use crate::flow::wire::RETRY_AFTER_SECONDS;
use crate::http::front_door;
use crate::mcp::caller;

/// How a 401 is challenged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// No credential came: no error (RFC 6750 §3.1).
    Bare,
    /// One came and is not good: the client refreshes.
    InvalidToken,
}

fn response(status: StatusCode, body: &serde_json::Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A JSON-RPC error without an id: the request was not read so far.
fn rpc_error(status: StatusCode, code: i32, message: &str) -> Response<Bytes> {
    let error = json!({"code": code, "message": message});
    response(status, &json!({"jsonrpc": "2.0", "id": null, "error": error}))
}

/// JSON-RPC's code for an invalid request.
const INVALID_REQUEST: i32 = -32600;

/// A code of our own, outside the range MCP reserves.
const REFUSED: i32 = -32000;

/// Where the protected resource is described (RFC 9728 §3.1).
pub fn metadata_url(config: &Config) -> String {
    config.url("/.well-known/oauth-protected-resource/mcp")
}

fn help_url(config: &Config) -> String {
    let named = config.help_url.as_ref().or(config.docs_url.as_ref());
    named.map_or_else(|| config.page_url("/"), ToString::to_string)
}

fn challenge(response: &mut Response<Bytes>, status: StatusCode, value: &str) {
    *response.status_mut() = status;
    // Built of our own address and scope names, which are plain ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
}

/// 401, with a page for people who opened the address in a browser; `pages` is how many there are
/// to read.
pub fn unauthenticated(
    gatehouse: &Gatehouse,
    kind: Challenge,
    request: &McpRequest,
    pages: usize,
) -> Response<Bytes> {
    let config = &gatehouse.config;
    let mut refused = match page_wanted(request) {
        Some(PageForm::Html) => {
            page("text/html; charset=utf-8", front_door::html(gatehouse, pages))
        }
        Some(PageForm::Markdown) => {
            page("text/markdown; charset=utf-8", front_door::markdown(gatehouse, pages))
        }
        None => response(StatusCode::UNAUTHORIZED, &authentication_required(config)),
    };
    let metadata = metadata_url(config);
    // Client libraries ask for what the challenge names: it is what they would get by default, so
    // that sending feedback does not need a second sign-in.
    let scope = gatehouse.default_scope;
    let error = match kind {
        Challenge::Bare => "",
        Challenge::InvalidToken => {
            "error=\"invalid_token\", error_description=\"The access token is not valid\", "
        }
    };
    let value = format!("Bearer {error}resource_metadata=\"{metadata}\", scope=\"{scope}\"");
    challenge(&mut refused, StatusCode::UNAUTHORIZED, &value);
    refused
}

fn authentication_required(config: &Config) -> serde_json::Value {
    json!({
        "error": "authentication_required",
        "message": "Sign in to use this server: an MCP client opens the browser by itself.",
        "resource_metadata": metadata_url(config),
        "docs_url": help_url(config),
    })
}

enum PageForm {
    Html,
    Markdown,
}

fn page_wanted(request: &McpRequest) -> Option<PageForm> {
    if request.method != Method::GET {
        return None;
    }
    let accept = request.visit.headers.get(header::ACCEPT)?.to_str().ok()?;
    let names = |kind: &str| {
        accept.split(',').any(|item| item.split(';').next().unwrap_or_default().trim() == kind)
    };
    if names("text/html") {
        Some(PageForm::Html)
    } else if names("text/markdown") {
        Some(PageForm::Markdown)
    } else {
        None
    }
}

fn page(content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 401 for a tool that acts in a person's name, called by nobody.
pub fn needs_person(gatehouse: &Gatehouse, required: &[caller::Scope]) -> Response<Bytes> {
    let config = &gatehouse.config;
    let mut refused = response(StatusCode::UNAUTHORIZED, &authentication_required(config));
    let metadata = metadata_url(config);
    let scope = union(ScopeSet::default().with(Scope::DocsRead), required);
    let value = format!("Bearer resource_metadata=\"{metadata}\", scope=\"{scope}\"");
    challenge(&mut refused, StatusCode::UNAUTHORIZED, &value);
    refused
}

/// 403 naming every scope the client needs, those it has included, so that following the challenge
/// loses nothing.
pub fn needs_scope(
    gatehouse: &Gatehouse,
    granted: ScopeSet,
    required: &[caller::Scope],
) -> Response<Bytes> {
    let scope = union(granted.without(Scope::OfflineAccess), required);
    let body = json!({
        "error": "insufficient_scope",
        "message": "This tool needs a permission the sign-in does not have.",
        "scope": scope.to_string(),
    });
    let mut refused = response(StatusCode::FORBIDDEN, &body);
    let metadata = metadata_url(&gatehouse.config);
    let value = format!(
        "Bearer error=\"insufficient_scope\", scope=\"{scope}\", resource_metadata=\"{metadata}\""
    );
    challenge(&mut refused, StatusCode::FORBIDDEN, &value);
    refused
}

fn union(granted: ScopeSet, required: &[caller::Scope]) -> ScopeSet {
    let names: Vec<_> = required.iter().map(|scope| scope.name()).collect();
    granted.union(ScopeSet::known_in(&names.join(" ")))
}

/// 403: signing in again as before would not help.
pub fn work_email_required(config: &Config, reason: &str, message: &str) -> Response<Bytes> {
    let body = json!({
        "error": "work_email_required",
        "reason": reason,
        "message": message,
        "docs_url": help_url(config),
    });
    response(StatusCode::FORBIDDEN, &body)
}

/// 421: the `Host` header names another server.
pub fn misdirected() -> Response<Bytes> {
    rpc_error(
        StatusCode::MISDIRECTED_REQUEST,
        REFUSED,
        "This server does not answer to that host name. A proxy in front of it must pass the Host \
         header on, or be listed in trusted_proxies.",
    )
}

/// 403: a browser page that is not listed.
pub fn foreign_origin() -> Response<Bytes> {
    rpc_error(StatusCode::FORBIDDEN, REFUSED, "Pages of this origin may not use this server.")
}

/// 413
pub fn too_large() -> Response<Bytes> {
    let message = format!("The body is larger than {BODY_BYTES_MAX} bytes.");
    rpc_error(StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST, &message)
}

/// 400: the connection broke while the body was read.
pub fn broken_body() -> Response<Bytes> {
    rpc_error(StatusCode::BAD_REQUEST, INVALID_REQUEST, "The body could not be read.")
}

/// 503 with `Retry-After` for what passes, 500 for what does not.
pub fn fault(is_passing: bool) -> Response<Bytes> {
    if !is_passing {
        return rpc_error(StatusCode::INTERNAL_SERVER_ERROR, -32603, "Something broke.");
    }
    let mut response =
        rpc_error(StatusCode::SERVICE_UNAVAILABLE, REFUSED, "Something this server needs is down.");
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
    response
}

/// 429
pub fn limited(reading: &Reading) -> Response<Bytes> {
    let seconds = reading.retry_after_seconds();
    let message = format!("Too many requests. Try again in {seconds} seconds.");
    let mut response = rpc_error(StatusCode::TOO_MANY_REQUESTS, REFUSED, &message);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    describe_limit(&mut response, reading);
    response
}

/// Where the caller stands in its window.
pub fn describe_limit(response: &mut Response<Bytes>, reading: &Reading) {
    let headers = response.headers_mut();
    headers.insert("ratelimit-limit", reading.limit.into());
    headers.insert("ratelimit-remaining", reading.remaining.into());
    headers.insert("ratelimit-reset", reading.retry_after_seconds().into());
}
