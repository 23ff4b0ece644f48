//! The MCP endpoint (Streamable HTTP), described as what it is: JSON-RPC over POST.

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{Method, Response as HttpResponse, Uri};
use poem::{FromRequest, IntoResponse, Request, RequestBody, Result};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions, Object, OpenApi,
};

use crate::Port;
use crate::visit::{ThroughTrustedProxy, Visit};

/// The largest MCP body, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A JSON-RPC 2.0 request or notification.
#[derive(Clone, Debug, Object)]
pub struct JsonRpcMessage {
    /// Always `2.0`.
    pub jsonrpc: String,
    /// A string or an integer; absent in a notification.
    pub id: Option<poem_openapi::types::Any<serde_json::Value>>,
    /// For instance `tools/call`.
    pub method: String,
    /// What the method takes.
    pub params: Option<poem_openapi::types::Any<serde_json::Value>>,
}

/// The 401 body.
#[derive(Clone, Debug, Object)]
pub struct AuthenticationRequired {
    /// `authentication_required`
    pub error: String,
    /// For people.
    pub message: String,
    /// Where discovery begins.
    pub resource_metadata: String,
    /// Where help is.
    pub docs_url: String,
}

/// A body that was read whole, or not.
#[derive(Clone, Debug)]
pub enum McpBody {
    /// Its bytes.
    Read(Bytes),
    /// Larger than [`BODY_BYTES_MAX`]; the rest was not read.
    TooLarge,
    /// The connection broke while it was read.
    Broken,
}

/// One request, nothing of it judged: authentication comes before everything.
pub struct McpRequest {
    /// Where it came from, its headers and query.
    pub visit: Visit,
    /// GET, POST or DELETE.
    pub method: Method,
    /// Its target.
    pub uri: Uri,
    /// Whether a proxy whose word is believed stands in between.
    pub through_trusted_proxy: bool,
    /// Still to be read.
    body: poem::Body,
}

impl McpRequest {
    /// Reads the body, which a request without a token never gets to.
    pub async fn into_body(self) -> McpBody {
        match self.body.into_bytes_limit(BODY_BYTES_MAX).await {
            Ok(bytes) => McpBody::Read(bytes),
            Err(poem::error::ReadBodyError::PayloadTooLarge) => McpBody::TooLarge,
            Err(_) => McpBody::Broken,
        }
    }
}

impl<'a> ApiExtractor<'a> for McpRequest {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        JsonRpcMessage::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: Some("One JSON-RPC request or notification"),
            content: vec![MetaMediaType {
                content_type: "application/json",
                schema: JsonRpcMessage::schema_ref(),
            }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<Self::ParamType>,
    ) -> Result<Self> {
        Self::take(request, body).await
    }
}

impl McpRequest {
    async fn take(request: &Request, body: &mut RequestBody) -> Result<Self> {
        Ok(Self {
            visit: <Visit as FromRequest>::from_request(request, body).await?,
            method: request.method().clone(),
            uri: request.uri().clone(),
            through_trusted_proxy: request
                .data::<ThroughTrustedProxy>()
                .is_some_and(|through| through.0),
            body: body.take().unwrap_or_else(|_| poem::Body::empty()),
        })
    }
}

/// The same without a body in the document: GET and DELETE carry none.
pub struct BodylessMcpRequest(pub McpRequest);

impl<'a> FromRequest<'a> for BodylessMcpRequest {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        McpRequest::take(request, body).await.map(Self)
    }
}

/// What `/mcp` answers, already in HTTP.
pub struct McpResponse(pub HttpResponse<Bytes>);

impl IntoResponse for McpResponse {
    fn into_response(self) -> poem::Response {
        let (parts, body) = self.0.into_parts();
        let mut response = poem::Response::builder().status(parts.status).body(body);
        *response.headers_mut() = parts.headers;
        response
    }
}

impl ApiResponse for McpResponse {
    fn meta() -> MetaResponses {
        let json = |status, description, schema: MetaSchemaRef| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema }],
            headers: Vec::new(),
        };
        let rpc = |status, description| json(status, description, AnyJson::schema_ref());
        let with = |mut response: MetaResponse, name: &str, text: &str| {
            response.headers.push(MetaHeader {
                name: name.to_owned(),
                description: Some(text.to_owned()),
                required: true,
                deprecated: false,
                schema: String::schema_ref(),
            });
            response
        };
        let unauthenticated =
            json(401, "No token, or a bad one", AuthenticationRequired::schema_ref());
        let accepted = MetaResponse {
            description: "The notification was accepted",
            status: Some(202),
            status_range: None,
            content: Vec::new(),
            headers: Vec::new(),
        };
        MetaResponses {
            responses: vec![
                rpc(200, "The JSON-RPC answer"),
                accepted,
                rpc(400, "Not a message this server understands"),
                with(unauthenticated, "WWW-Authenticate", "RFC 6750 §3, RFC 9728 §5.1"),
                rpc(403, "A foreign origin, or a scope or work address is missing"),
                rpc(404, "No such method"),
                with(rpc(405, "Only POST has answers"), "Allow", "POST"),
                rpc(406, "Answers are JSON"),
                rpc(413, "The body is too large"),
                rpc(415, "The body is not JSON"),
                rpc(421, "Not a host name of this server"),
                with(rpc(429, "Too many requests"), "Retry-After", "Seconds"),
                rpc(500, "Something broke"),
                with(rpc(503, "Something is down"), "Retry-After", "Seconds"),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        AuthenticationRequired::register(registry);
    }
}

type AnyJson = poem_openapi::types::Any<serde_json::Value>;

/// The group `mcp`.
pub struct McpApi<P>(pub Arc<P>);

#[OpenApi]
impl<P: Port> McpApi<P> {
    /// Call the MCP server.
    ///
    /// Revisions 2026-07-28 (stateless), 2025-11-25, 2025-06-18 and 2025-03-26. Needs a Bearer
    /// token unless the server is open for reading.
    #[oai(path = "/mcp", method = "post", operation_id = "mcp")]
    async fn post(&self, request: McpRequest) -> McpResponse {
        self.0.mcp(request).await
    }

    /// Ask for a stream, which there is not.
    ///
    /// 401 without a token, as clients probe; 405 with one.
    #[oai(path = "/mcp", method = "get", operation_id = "mcp_get")]
    async fn get(&self, request: BodylessMcpRequest) -> McpResponse {
        self.0.mcp(request.0).await
    }

    /// End a session, which there is not.
    #[oai(path = "/mcp", method = "delete", operation_id = "mcp_delete")]
    async fn delete(&self, request: BodylessMcpRequest) -> McpResponse {
        self.0.mcp(request.0).await
    }
}
