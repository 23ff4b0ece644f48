//! Discovery: who issues tokens, for what, and with which keys.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::types::Any;
use poem_openapi::{ApiResponse, Object, OpenApi};

use crate::Port;

/// Discovery documents change with the configuration only.
pub(crate) const CACHE_CONTROL: &str = "public, max-age=300";

/// RFC 9728 §2.
#[derive(Clone, Debug, Object)]
pub struct ProtectedResourceMetadata {
    /// The MCP endpoint, as people type it.
    pub resource: String,
    /// One: ours.
    pub authorization_servers: Vec<String>,
    /// What basic use needs.
    pub scopes_supported: Vec<String>,
    /// `header`.
    pub bearer_methods_supported: Vec<String>,
    /// What the resource is called.
    pub resource_name: String,
    /// Where help is.
    #[oai(skip_serializing_if_is_none)]
    pub resource_documentation: Option<String>,
}

/// RFC 8414 §2.
#[derive(Clone, Debug, Object)]
pub struct AuthorizationServerMetadata {
    /// Byte for byte what tokens and redirects carry.
    pub issuer: String,
    /// Where people decide.
    pub authorization_endpoint: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where clients register; absent when that is switched off.
    #[oai(skip_serializing_if_is_none)]
    pub registration_endpoint: Option<String>,
    /// Where tokens end.
    pub revocation_endpoint: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// `code`.
    pub response_types_supported: Vec<String>,
    /// `query`.
    pub response_modes_supported: Vec<String>,
    /// The code flow and refresh.
    pub grant_types_supported: Vec<String>,
    /// `none`: clients are public.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// `none`: clients are public.
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    /// `S256`.
    pub code_challenge_methods_supported: Vec<String>,
    /// Everything a client may be granted.
    pub scopes_supported: Vec<String>,
    /// RFC 9207.
    pub authorization_response_iss_parameter_supported: bool,
    /// Whether a `client_id` may be the address of a metadata document (CIMD §5).
    pub client_id_metadata_document_supported: bool,
    /// Where help is.
    #[oai(skip_serializing_if_is_none)]
    pub service_documentation: Option<String>,
}

/// RFC 7517 §5.
#[derive(Clone, Debug, Object)]
pub struct JsonWebKeySet {
    /// Public keys, the signing one first.
    pub keys: Vec<Any<serde_json::Value>>,
}

/// A document that may be cached for a short time.
#[derive(ApiResponse)]
pub enum Cacheable<T: poem_openapi::types::ToJSON> {
    /// The document.
    #[oai(status = 200)]
    Document(
        Json<T>,
        /// Short and public.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

pub(crate) fn cacheable<T: poem_openapi::types::ToJSON>(document: T) -> Cacheable<T> {
    Cacheable::Document(Json(document), CACHE_CONTROL.to_owned())
}

/// The group `metadata`.
pub struct MetadataApi<P>(pub Arc<P>);

#[OpenApi]
#[allow(clippy::unused_async, reason = "an endpoint is async whether it waits or not")]
impl<P: Port> MetadataApi<P> {
    /// Describe the protected resource, at the root form.
    ///
    /// RFC 9728 §3.1; the same body as the path form.
    #[oai(
        path = "/.well-known/oauth-protected-resource",
        method = "get",
        operation_id = "protected_resource_root"
    )]
    async fn protected_resource_root(&self) -> Cacheable<ProtectedResourceMetadata> {
        cacheable(self.0.protected_resource())
    }

    /// Describe the protected resource.
    ///
    /// RFC 9728 §3.1, where the challenge of `/mcp` points.
    #[oai(
        path = "/.well-known/oauth-protected-resource/mcp",
        method = "get",
        operation_id = "protected_resource"
    )]
    async fn protected_resource(&self) -> Cacheable<ProtectedResourceMetadata> {
        cacheable(self.0.protected_resource())
    }

    /// Describe the authorization server.
    ///
    /// RFC 8414 §3.
    #[oai(
        path = "/.well-known/oauth-authorization-server",
        method = "get",
        operation_id = "authorization_server"
    )]
    async fn authorization_server(&self) -> Cacheable<AuthorizationServerMetadata> {
        cacheable(self.0.authorization_server())
    }

    /// Publish the keys.
    ///
    /// RFC 7517; public halves only.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "jwks")]
    async fn jwks(&self) -> Cacheable<JsonWebKeySet> {
        cacheable(self.0.jwks())
    }
}
