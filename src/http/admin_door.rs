//! The door of the admin listener: everything that happens to a request there, in order.

use std::sync::Arc;

use gatehouse_api::admin::answer::Problem;
use poem::endpoint::BoxEndpoint;
use poem::error::ParsePathError;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use poem_openapi::error::ParseParamError;

use crate::flow::Gatehouse;
use crate::flow::admin_login::ADMIN_PATH;
use crate::http::mcp_door::Hosts;
use crate::http::request_log::Note;
use crate::http::{ASSETS, assets, places};

/// Nothing but our own stylesheet and forms to ourselves; nobody frames us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The admin listener's endpoint.
pub struct AdminDoor {
    /// The flows, for the assets served here.
    pub gatehouse: Arc<Gatehouse>,
    /// The typed endpoints.
    pub api: BoxEndpoint<'static>,
    /// By which names browsers know this listener; none when nothing says so.
    pub hosts: Option<Hosts>,
}

impl Endpoint for AdminDoor {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let note = Note::of(&request);
        let is_administration = request.uri().path().starts_with("/admin");
        // 1. A page that was led to this address by a name of its own is not let in (DNS
        //    rebinding). A program with a token may call us what it likes: no browser has one.
        let response = if is_administration && self.is_foreign(&request) {
            let title = "This listener is not known by that name; see admin_url.";
            Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", title).into_response()
        } else {
            // 2. The endpoints, in a span that carries the request's own id.
            note.within(self.route(request)).await
        };
        // 3. What everything here carries: it is nobody else's, and not to be kept.
        let response = complete(response, &note, is_administration);
        // 4. One line in the log, and one measurement.
        note.write(&response, &self.gatehouse.metrics.http);
        Ok(response)
    }
}

impl AdminDoor {
    fn is_foreign(&self, request: &Request) -> bool {
        if request.headers().contains_key(header::AUTHORIZATION) {
            return false;
        }
        let mut named = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else { return true };
        let host = host.to_str().unwrap_or_default();
        !self.hosts.as_ref().is_some_and(|hosts| hosts.include(host))
    }

    async fn route(&self, mut request: Request) -> Response {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        let is_read = method == Method::GET || method == Method::HEAD;
        // Other spellings of one page; the framework knows the shorter.
        if path == ADMIN_PATH {
            places::set_path(&mut request, ADMIN_PATH.trim_end_matches('/'));
        }
        if is_read && path.starts_with(ASSETS) {
            return assets(&self.gatehouse.brand, &path);
        }
        let mut response = match Box::pin(self.api.call(request)).await {
            Ok(response) => response,
            Err(error) => problem_of(&error).into_response(),
        };
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            // RFC 9110 §15.5.6.
            let allowed = HeaderValue::from_static(if is_posted(&path) { "POST" } else { "GET" });
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        response
    }
}

/// Whether a path is one that something is done by; all others are read.
fn is_posted(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    path == "/admin/act"
        || path.starts_with("/admin/api/")
            && matches!(last, "erase" | "export" | "redeliver" | "resume" | "revoke" | "search")
}

/// What the framework refused, in our words: its own repeat what was sent.
fn problem_of(error: &poem::Error) -> Problem {
    let of_parameter = |name: &str| {
        let title = "The parameter is not what it must be.";
        Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", title).of_parameter(name)
    };
    if let Some(error) = error.downcast_ref::<ParseParamError>() {
        return of_parameter(error.name);
    }
    let is_path = error.is::<ParsePathError>() || error.is::<poem_openapi::error::ParsePathError>();
    let (status, code, title) = match error.status() {
        _ if is_path => (StatusCode::NOT_FOUND, "not_found", "There is no such thing."),
        status @ StatusCode::NOT_FOUND => (status, "not_found", "There is no such thing."),
        status @ StatusCode::METHOD_NOT_ALLOWED => {
            (status, "method_not_allowed", "This cannot be done to it.")
        }
        status if status.is_server_error() => {
            (status, "server_error", "Something broke. The log says what.")
        }
        status => (status, "invalid_request", "The request cannot be read."),
    };
    Problem::new(status, code, title)
}

fn complete(mut response: Response, note: &Note, is_administration: bool) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    if is_administration {
        set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        set(header::X_FRAME_OPTIONS, "DENY");
        set(header::CACHE_CONTROL, "no-store");
        set(header::PRAGMA, "no-cache");
        set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    }
    if let Ok(id) = HeaderValue::from_str(&note.id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}
