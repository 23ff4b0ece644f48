//! Where pages for people live: below `pages_path`, so that this server can stand beside a
//! documentation site on one origin. Endpoints that programs look for stay at the root.

use poem::Request;
use poem::http::Uri;
use poem::http::uri::Parts;

/// Whether a request names one of our places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It may be one.
    Ours,
    /// It is not: the page lives elsewhere, or nothing but a page lives here.
    Nowhere,
}

/// Turns the path of a page into the one its endpoint has.
pub fn enter(request: &mut Request, pages_path: &str) -> Place {
    let path = request.uri().path().to_owned();
    match placed(&path, pages_path) {
        Some(inside) if inside == path => Place::Ours,
        Some(inside) => {
            let inside = inside.to_owned();
            set_path(request, &inside);
            Place::Ours
        }
        None => Place::Nowhere,
    }
}

/// The path inside, or none.
fn placed<'a>(path: &'a str, pages_path: &str) -> Option<&'a str> {
    if pages_path.is_empty() || is_for_programs(path) {
        return Some(path);
    }
    let inside = path.strip_prefix(pages_path)?;
    let inside = if inside.is_empty() { "/" } else { inside };
    // One address for each thing: there is no second token endpoint below the pages.
    (inside.starts_with('/') && !is_for_programs(inside)).then_some(inside)
}

fn is_for_programs(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next();
    matches!(
        first,
        Some("mcp" | "oauth" | ".well-known" | "authorize" | "token" | "register" | "dev-provider")
    )
}

/// Gives a request another path and leaves its query as it is.
pub fn set_path(request: &mut Request, path: &str) {
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts: Parts = request.uri().clone().into_parts();
    if let Ok(path_and_query) = target.parse() {
        parts.path_and_query = Some(path_and_query);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::placed;

    #[test]
    fn pages_are_below_their_path_and_nowhere_else() {
        for (path, inside) in [
            ("/connect", Some("/")),
            ("/connect/", Some("/")),
            ("/connect/account", Some("/account")),
            ("/connect/openapi.yaml", Some("/openapi.yaml")),
            ("/connected", None),
            ("/account", None),
            ("/", None),
            ("/connect/mcp", None),
            ("/connect/oauth/token", None),
            ("/connect//oauth/token", None),
            ("/mcp", Some("/mcp")),
            ("/oauth/token", Some("/oauth/token")),
            ("/.well-known/jwks.json", Some("/.well-known/jwks.json")),
            ("/token", Some("/token")),
        ] {
            assert_eq!(placed(path, "/connect"), inside, "{path}");
            assert_eq!(placed(path, ""), Some(path), "{path}");
        }
    }
}
