//! What this MCP server is, for catalogues, registries and clients that have not connected yet.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{ApiResponse, Object, OpenApi};

use crate::Port;
use crate::metadata::{CACHE_CONTROL, Cacheable, cacheable};

/// The server card.
///
/// No revision of MCP has settled its form. The newest draft (SEP-2127,
/// `modelcontextprotocol/experimental-ext-server-card`, schema v1) names the members up to
/// `remotes`. The address is that of the first draft (SEP-1649), and who reads there looks for the
/// members from `serverInfo` on, which the newer schema lets stand.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ServerCard {
    /// The schema of the newest draft.
    #[oai(rename = "$schema")]
    pub schema: String,
    /// `server_name`, or the host of this server in reverse order and `/mcp`.
    pub name: String,
    /// The version of Gatehouse.
    pub version: String,
    /// For people.
    pub title: String,
    /// For people, in at most 100 characters.
    pub description: String,
    /// Where people find this server.
    pub website_url: String,
    /// One: the MCP endpoint.
    pub remotes: Vec<CardRemote>,
    /// The name and version that a client sees when it is connected.
    pub server_info: CardServerInfo,
    /// The newest revision of MCP spoken here.
    pub protocol_version: String,
    /// The MCP endpoint once more.
    pub transport: CardTransport,
    /// As `server/discover` tells them.
    pub capabilities: Any<serde_json::Value>,
    /// How callers are told apart.
    pub authentication: CardAuthentication,
    /// As `tools/list` lists them.
    pub tools: Vec<Any<serde_json::Value>>,
}

/// An endpoint, in a server card.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct CardRemote {
    /// `streamable-http`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Its address.
    pub url: String,
    /// The revisions of MCP spoken there, newest first.
    pub supported_protocol_versions: Vec<String>,
}

/// What a server calls itself (MCP `Implementation`).
#[derive(Clone, Debug, Object)]
pub struct CardServerInfo {
    /// The program.
    pub name: String,
    /// For people.
    pub title: String,
    /// The version of the program.
    pub version: String,
}

/// How the endpoint is spoken to.
#[derive(Clone, Debug, Object)]
pub struct CardTransport {
    /// `streamable-http`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Its address.
    pub endpoint: String,
}

/// What a caller needs.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct CardAuthentication {
    /// Whether every call needs a token.
    pub required: bool,
    /// `bearer`, which comes by `oauth2`.
    pub schemes: Vec<String>,
    /// Where a client learns how to get one (RFC 9728).
    pub resource_metadata: String,
}

/// What the MCP registry is given.
///
/// Schema 2025-12-11 of `modelcontextprotocol/registry` (`docs/reference/server-json`).
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase")]
pub struct ServerJson {
    /// The schema.
    #[oai(rename = "$schema")]
    pub schema: String,
    /// The setting `server_name`.
    pub name: String,
    /// For people.
    pub title: String,
    /// For people, in at most 100 characters.
    pub description: String,
    /// The version of Gatehouse.
    pub version: String,
    /// Where people find this server.
    pub website_url: String,
    /// One: the MCP endpoint.
    pub remotes: Vec<RegistryRemote>,
}

/// An endpoint, in the words of the registry.
#[derive(Clone, Debug, Object)]
pub struct RegistryRemote {
    /// `streamable-http`.
    #[oai(rename = "type")]
    pub kind: String,
    /// Its address.
    pub url: String,
}

/// Why there is no `server.json`.
#[derive(Clone, Debug, Object)]
pub struct NotNamed {
    /// `not_found`
    pub error: String,
    /// For the operator.
    pub message: String,
}

/// `GET /server.json`
#[derive(ApiResponse)]
pub enum ServerJsonResponse {
    /// The document.
    #[oai(status = 200)]
    Document(
        Json<ServerJson>,
        /// Short and public.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The operator has not named the server.
    #[oai(status = 404)]
    NotNamed(Json<NotNamed>),
}

const NOT_NAMED: &str = "This server has no registry name. Its operator gives it one with the \
     setting server_name, for instance com.example/docs.";

/// The group `card`.
pub struct CardApi<P>(pub Arc<P>);

#[OpenApi]
#[allow(clippy::unused_async, reason = "an endpoint is async whether it waits or not")]
impl<P: Port> CardApi<P> {
    /// Introduce the MCP server.
    ///
    /// A server card: what it is, where it is, what it offers and what a caller needs. Draft
    /// formats: SEP-2127, and SEP-1649 whose address this is.
    #[oai(path = "/.well-known/mcp/server-card.json", method = "get", operation_id = "server_card")]
    async fn server_card(&self) -> Cacheable<ServerCard> {
        cacheable(self.0.server_card())
    }

    /// Introduce the MCP server to a registry.
    ///
    /// The document that is published to the MCP registry, once `server_name` is set.
    #[oai(path = "/server.json", method = "get", operation_id = "server_json")]
    async fn server_json(&self) -> ServerJsonResponse {
        match self.0.server_json() {
            Some(document) => {
                ServerJsonResponse::Document(Json(document), CACHE_CONTROL.to_owned())
            }
            None => ServerJsonResponse::NotNamed(Json(NotNamed {
                error: "not_found".to_owned(),
                message: NOT_NAMED.to_owned(),
            })),
        }
    }
}
