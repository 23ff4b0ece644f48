//! Headers that every answer of its kind carries (RFC 9700 §4.2.4, §4.16; OAuth 2.1 §3.2.3).

use poem::Response;
use poem::http::{HeaderName, HeaderValue, header};

use crate::config::Config;
use crate::http::request_log::Note;

/// Nothing but our own stylesheet; nobody frames us. No `form-action`: browsers apply it to the
/// whole chain of redirects after the form, which ends at an address nobody can list.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'";

const TWO_YEARS: &str = "max-age=63072000";

/// Adds what is missing.
pub fn complete(mut response: Response, note: &Note, config: &Config) -> Response {
    let is_page = response.content_type().is_some_and(|kind| kind.starts_with("text/html"));
    let is_answer_of_sign_in = note.path.starts_with("/oauth/") || is_of_one_person(&note.path);
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Pages, and redirects between them, must not tell the next site what stood in their address.
    set(header::REFERRER_POLICY, "no-referrer");
    if is_page {
        set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        set(header::X_FRAME_OPTIONS, "DENY");
    }
    let is_asset = note.path.starts_with("/oauth/assets/");
    if (is_answer_of_sign_in || is_page) && !is_asset {
        set(header::CACHE_CONTROL, "no-store");
        set(header::PRAGMA, "no-cache");
    }
    if config.public_url.starts_with("https://") {
        set(header::STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    }
    name_request(&mut response, note);
    response
}

/// Tells by which name the log has this request.
pub fn name_request(response: &mut Response, note: &Note) {
    if let Ok(id) = HeaderValue::from_str(&note.id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
    }
}

/// Whether what is answered there is one person's, or leads to it.
fn is_of_one_person(path: &str) -> bool {
    matches!(
        path,
        "/mcp/callback"
            | "/mcp"
            | "/account"
            | "/account/disconnect"
            | "/account/sharing"
            | "/account/export"
            | "/account/erase"
            | "/login"
            | "/session"
            | "/logout"
    )
}

/// Tells the client that the connection ends with this answer, so that it does not send its next
/// request into that (RFC 9112 §9.6).
pub fn close(response: &mut Response) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}
