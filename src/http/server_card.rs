//! The server card and `server.json`: the server as it introduces itself, and where it is.

use gatehouse_api::card::{
    CardAuthentication, CardRemote, CardServerInfo, CardTransport, RegistryRemote, ServerCard,
    ServerJson,
};
use poem_openapi::types::Any;
use url::{Host, Url};

use crate::config::{AuthMode, Config};
use crate::flow::Gatehouse;
use crate::http::mcp_refusals::metadata_url;
use crate::mcp::introduction::Introduction;

/// SEP-2127, `schema.json` of `modelcontextprotocol/experimental-ext-server-card`.
const CARD_SCHEMA: &str =
    "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json";

/// The newest released schema of the registry; what comes after it is marked as a draft there.
const REGISTRY_SCHEMA: &str =
    "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/// The one transport of `/mcp`.
const STREAMABLE_HTTP: &str = "streamable-http";

/// What a machine calls itself.
const LOCAL: &str = "localhost";

/// The longest name of either schema.
const NAME_CHARS_MAX: usize = 200;

/// The card.
pub fn card(gatehouse: &Gatehouse, introduction: Introduction) -> ServerCard {
    let config = &gatehouse.config;
    let endpoint = gatehouse.resource.as_str();
    let newest = introduction.protocol_versions.first().cloned().unwrap_or_default();
    ServerCard {
        schema: CARD_SCHEMA.to_owned(),
        name: config.server_name.clone().unwrap_or_else(|| name_of(&config.public_url)),
        version: introduction.version.clone(),
        title: introduction.title.clone(),
        description: description(config),
        website_url: introduction.website_url,
        remotes: vec![CardRemote {
            kind: STREAMABLE_HTTP.to_owned(),
            url: endpoint.to_owned(),
            supported_protocol_versions: introduction.protocol_versions,
        }],
        server_info: CardServerInfo {
            name: introduction.name,
            title: introduction.title,
            version: introduction.version,
        },
        protocol_version: newest,
        transport: CardTransport {
            kind: STREAMABLE_HTTP.to_owned(),
            endpoint: endpoint.to_owned(),
        },
        capabilities: Any(introduction.capabilities),
        authentication: CardAuthentication {
            required: config.auth == AuthMode::Enforce,
            schemes: vec!["bearer".to_owned(), "oauth2".to_owned()],
            resource_metadata: metadata_url(config),
        },
        tools: introduction.tools.into_iter().map(Any).collect(),
    }
}

/// The document for a registry. There is none without a name: a registry asks for proof that the
/// namespace is the publisher's, so it is theirs to choose.
pub fn server_json(gatehouse: &Gatehouse, introduction: Introduction) -> Option<ServerJson> {
    let config = &gatehouse.config;
    Some(ServerJson {
        schema: REGISTRY_SCHEMA.to_owned(),
        name: config.server_name.clone()?,
        title: introduction.title,
        description: description(config),
        version: introduction.version,
        website_url: introduction.website_url,
        remotes: vec![RegistryRemote {
            kind: STREAMABLE_HTTP.to_owned(),
            url: gatehouse.resource.as_str().to_owned(),
        }],
    })
}

/// Both schemas allow 100 characters, of which a product has at most 60.
fn description(config: &Config) -> String {
    format!("Search and read the {} documentation.", config.docs_product)
}

/// A name for a server that was given none: its host in reverse order. The host is where it is
/// read, so nobody else's name is taken.
fn name_of(public_url: &str) -> String {
    let url = Url::parse(public_url).ok();
    let namespace = match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(domain)) => domain.rsplit('.').collect::<Vec<_>>().join("."),
        Some(Host::Ipv4(address)) if address.is_loopback() => LOCAL.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) if address.is_loopback() => LOCAL.to_owned(),
        Some(Host::Ipv6(address)) => address.to_string().replace(':', "-"),
        None => String::new(),
    };
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '.' || *c == '-';
    let suffix = "/mcp";
    let plain = namespace.chars().filter(is_plain).take(NAME_CHARS_MAX - suffix.len());
    plain.collect::<String>() + suffix
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_server_without_a_name_is_named_by_its_host() {
        for (public_url, name) in [
            ("https://docs.example.com", "com.example.docs/mcp"),
            ("https://docs.example.com:8443", "com.example.docs/mcp"),
            ("http://localhost:8080", "localhost/mcp"),
            ("http://127.0.0.1:8080", "localhost/mcp"),
            ("http://[::1]:8080", "localhost/mcp"),
            ("https://[2001:db8::1]", "2001-db8--1/mcp"),
            ("https://my_docs.example.com", "com.example.mydocs/mcp"),
            ("https://bücher.example", "example.xn--bcher-kva/mcp"),
        ] {
            assert_eq!(name_of(public_url), name, "{public_url}");
        }
        let long = format!("https://{}example", "a.".repeat(150));
        assert_eq!(name_of(&long).len(), 200);
    }
}
