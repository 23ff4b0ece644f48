//! Which browser pages may read which answers (Fetch standard; MCP 2026-07-28 Transports).
//!
//! Discovery, registration, token and revocation answer every origin: they use no cookies. `/mcp`
//! answers listed origins. `/session` is read with cookies, by listed documentation sites alone.
//! The pages of the sign-in answer none.

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};
use url::Url;

use crate::config::Config;
use crate::loopback::is_loopback;

const ALLOWED_HEADERS: &str = "Accept, Authorization, Content-Type, Last-Event-ID, \
     MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id";
const EXPOSED_HEADERS: &str = "MCP-Protocol-Version, Mcp-Session-Id, RateLimit-Limit, \
     RateLimit-Remaining, RateLimit-Reset, Retry-After, WWW-Authenticate";
const PREFLIGHT_SECONDS: &str = "600";

/// What the scripts of documentation sites ask for.
const SESSION_PATH: &str = "/session";

/// The origins that may read answers of `/mcp`, and of `/session`.
pub struct Cors {
    own: String,
    listed: Vec<String>,
    sites: Vec<String>,
    loopback_too: bool,
}

/// What one answer may be read by.
pub enum Grant {
    /// No other origin.
    Nobody,
    /// Every origin.
    Anyone,
    /// This origin.
    Origin(HeaderValue),
    /// This origin, with cookies.
    Site(HeaderValue),
    /// No other origin, but that depends on which asks.
    NotThisOne,
}

/// Whether the `Origin` of a request to `/mcp` is acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginVerdict {
    /// Absent (no browser), or listed.
    Acceptable,
    /// A browser page that is not listed: 403.
    Foreign,
}

/// Whether a path takes POST only.
pub fn is_posted(path: &str) -> bool {
    matches!(
        path,
        "/oauth/token"
            | "/oauth/register"
            | "/oauth/revoke"
            | "/oauth/consent"
            | "/mcp"
            | "/account/disconnect"
            | "/account/sharing"
            | "/account/export"
            | "/account/erase"
    )
}

fn is_for_everyone(path: &str) -> bool {
    path.starts_with("/.well-known/")
        || matches!(path, "/oauth/token" | "/oauth/register" | "/oauth/revoke")
        || matches!(path, "/openapi.yaml" | "/openapi.json" | "/server.json")
}

impl Cors {
    /// As configured. On loopback other loopback pages may read too: that is where inspectors run.
    pub fn new(config: &Config) -> Self {
        Self {
            own: config.public_url.clone(),
            listed: config.cors_origins.clone(),
            sites: config.site_origins.clone(),
            loopback_too: config.is_loopback(),
        }
    }

    /// Judges the `Origin` of a request to `/mcp`.
    pub fn verdict(&self, request: &http::HeaderMap) -> OriginVerdict {
        let mut origins = request.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => OriginVerdict::Acceptable,
            (Some(origin), None) if self.lists(origin) => OriginVerdict::Acceptable,
            _ => OriginVerdict::Foreign,
        }
    }

    fn lists(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let local = || {
            Url::parse(origin)
                .is_ok_and(|url| is_loopback(&url) && url.origin().ascii_serialization() == origin)
        };
        origin == self.own
            || self.listed.iter().any(|listed| listed == "*" || listed == origin)
            || (self.loopback_too && local())
    }

    /// Whether a documentation site of ours asks. Exactly: with cookies no origin is like another.
    fn is_site(&self, origin: &HeaderValue) -> bool {
        self.sites.iter().any(|site| origin.as_bytes() == site.as_bytes())
    }

    /// What the answer to this request may be read by.
    pub fn grant(&self, request: &Request) -> Grant {
        let path = request.uri().path();
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            _ if is_for_everyone(path) => Grant::Anyone,
            (Some(origin), None) if path == "/mcp" && self.lists(origin) => {
                Grant::Origin(origin.clone())
            }
            (Some(origin), None) if path == SESSION_PATH && self.is_site(origin) => {
                Grant::Site(origin.clone())
            }
            _ if path == SESSION_PATH => Grant::NotThisOne,
            _ => Grant::Nobody,
        }
    }

    /// The answer to an `OPTIONS` request, where there is one.
    pub fn preflight(&self, request: &Request) -> Option<Response> {
        let path = request.uri().path();
        let answered = is_for_everyone(path) || path == "/mcp" || path == SESSION_PATH;
        if request.method() != Method::OPTIONS || !answered {
            return None;
        }
        if path == "/mcp" && self.verdict(request.headers()) == OriginVerdict::Foreign {
            return Some(Response::builder().status(StatusCode::FORBIDDEN).finish());
        }
        let grant = self.grant(request);
        if let Grant::NotThisOne = grant {
            let mut refused = Response::builder().status(StatusCode::FORBIDDEN).finish();
            grant.apply(&mut refused);
            return Some(refused);
        }
        let methods = if path == "/mcp" {
            "GET, POST, DELETE, OPTIONS"
        } else if is_posted(path) {
            "POST, OPTIONS"
        } else {
            "GET, HEAD, OPTIONS"
        };
        let mut response = Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::ALLOW, methods)
            .header(header::ACCESS_CONTROL_ALLOW_METHODS, methods)
            .header(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS)
            .header(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS)
            .finish();
        grant.apply(&mut response);
        Some(response)
    }
}

impl Grant {
    /// Writes it on an answer, errors included: a browser client must be able to read a 401.
    pub fn apply(self, response: &mut Response) {
        let headers = response.headers_mut();
        if matches!(self, Self::Origin(_) | Self::Site(_) | Self::NotThisOne) {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        if matches!(self, Self::Site(_)) {
            let name = header::ACCESS_CONTROL_ALLOW_CREDENTIALS;
            headers.insert(name, HeaderValue::from_static("true"));
        }
        let allowed = match self {
            Self::Nobody | Self::NotThisOne => return,
            Self::Anyone => HeaderValue::from_static("*"),
            Self::Origin(origin) | Self::Site(origin) => origin,
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED_HEADERS),
        );
    }
}
