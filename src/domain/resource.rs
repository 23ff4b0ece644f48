//! The one protected resource (RFC 8707, RFC 9728): the MCP endpoint.

use url::Url;

/// The canonical identifier of the MCP server, which access tokens carry as `aud`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(String);

impl Resource {
    /// The resource of a deployment whose origin is `public_url` (no trailing slash).
    pub fn of_public_url(public_url: &str) -> Self {
        Self(format!("{public_url}/mcp"))
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `presented` names this resource. Case of scheme and host, a default port and a
    /// trailing slash may differ, since client libraries normalise URLs in those ways; a query
    /// or fragment may not (RFC 8707 §2). What is no URI is no name, though a parser would mend it
    /// into one: it drops line ends, and takes `https:host` and `%64ocs` for what they are not.
    pub fn is_named_by(&self, presented: &str) -> bool {
        if presented == self.0 {
            return true;
        }
        let Ok(url) = Url::parse(presented) else { return false };
        let Ok(ours) = Url::parse(&self.0) else { return false };
        let origin = ours.origin().ascii_serialization();
        let begins_as_ours = presented
            .get(..origin.len())
            .is_some_and(|beginning| beginning.eq_ignore_ascii_case(&origin));
        if !begins_as_ours || !presented.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return false;
        }
        let bare = url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        bare && anonymous
            && url.scheme() == ours.scheme()
            && url.host_str() == ours.host_str()
            && url.port_or_known_default() == ours.port_or_known_default()
            && url.path().strip_suffix('/').unwrap_or(url.path()) == ours.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_client_libraries_are_accepted_and_others_not() {
        let resource = Resource::of_public_url("https://docs.example.com");
        for accepted in [
            "https://docs.example.com/mcp",
            "https://docs.example.com/mcp/",
            "HTTPS://Docs.Example.COM/mcp",
            "https://docs.example.com:443/mcp",
        ] {
            assert!(resource.is_named_by(accepted), "{accepted}");
        }
        for refused in [
            "",
            "/mcp",
            "docs.example.com/mcp",
            "https://docs.example.com",
            "https://docs.example.com/MCP",
            "https://docs.example.com/mcp//",
            "https://docs.example.com/mcp?x=1",
            "https://docs.example.com/mcp#x",
            "https://user@docs.example.com/mcp",
            " https://docs.example.com/mcp",
            "\u{6}\0https://docs.example.com/mcp",
            "https://docs.example.com/m\tcp",
            "https://docs.example.com\\mcp",
            "https:docs.example.com/mcp",
            "https:/docs.example.com/mcp",
            "https:///docs.example.com/mcp",
            "https://%64ocs.example.com/mcp",
            "https://docs.example.com:8443/mcp",
            "http://docs.example.com/mcp",
            "https://other.example.com/mcp",
        ] {
            assert!(!resource.is_named_by(refused), "{refused}");
        }
    }
}
