//! What this room says to a message that never reaches a tool: HTTP status and JSON-RPC error.
//!
//! The texts are fixed. A parser's own words would tell a client about our libraries and repeat its
//! input, so they are not used.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use rmcp::model::{ErrorCode, ErrorData, JsonRpcError, ProtocolVersion, RequestId};
use serde_json::json;

/// The revisions this server speaks, newest first.
pub const SUPPORTED_VERSIONS: &[ProtocolVersion] = &[
    ProtocolVersion::V_2026_07_28,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_03_26,
];

/// Why a message got no further than the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The endpoint takes POST alone: it offers no stream and no session to end.
    MethodNotAllowed,
    /// The client takes neither JSON nor an event stream.
    NotAcceptable,
    /// The body is not labelled as JSON.
    UnsupportedMediaType,
    /// The body is not JSON, or is nested deeper than any message needs.
    NotJson,
    /// A JSON-RPC batch, which MCP dropped in 2025-06-18.
    Batch,
    /// JSON, but no JSON-RPC 2.0 message.
    NotAMessage,
    /// The `id` of a request is neither a string nor an integer.
    UnreadableId,
    /// The parameters have a shape that no method takes.
    UnreadableParams,
    /// An answer to a question this server never asked.
    UnexpectedAnswer,
    /// The `MCP-Protocol-Version` header names a revision this server does not speak.
    UnsupportedVersion {
        /// What the client asked for.
        requested: String,
    },
    /// A header that may come once came twice.
    RepeatedHeader,
    /// A method that ended with the revision before.
    MethodRemoved,
    /// Something broke in here.
    Fault,
}

impl Refusal {
    /// The HTTP status (MCP 2026-07-28, Streamable HTTP: Server Validation).
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MethodRemoved => StatusCode::NOT_FOUND,
            Self::NotJson
            | Self::Batch
            | Self::NotAMessage
            | Self::UnreadableId
            | Self::UnreadableParams
            | Self::UnexpectedAnswer
            | Self::UnsupportedVersion { .. }
            | Self::RepeatedHeader => StatusCode::BAD_REQUEST,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error(self) -> ErrorData {
        let invalid = |text: &'static str| ErrorData::invalid_request(text, None);
        match self {
            Self::MethodNotAllowed => invalid("This endpoint takes POST only."),
            Self::NotAcceptable => {
                invalid("Accept application/json, or text/event-stream, or both.")
            }
            Self::UnsupportedMediaType => invalid("The Content-Type must be application/json."),
            Self::NotJson => ErrorData::parse_error("The body is not valid JSON.", None),
            Self::Batch => invalid("Batches are not supported: send one message per request."),
            Self::NotAMessage => invalid("The body is not a JSON-RPC 2.0 message."),
            Self::UnreadableId => invalid("The id must be a string or an integer."),
            Self::UnreadableParams => {
                let text = "The params must be an object, its _meta too, and its cursor a string.";
                ErrorData::invalid_params(text, None)
            }
            Self::UnexpectedAnswer => invalid("This server asks nothing, so it takes no answers."),
            Self::UnsupportedVersion { requested } => ErrorData::new(
                ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
                "Unsupported protocol version",
                Some(json!({ "requested": requested, "supported": SUPPORTED_VERSIONS })),
            ),
            Self::RepeatedHeader => {
                ErrorData::header_mismatch("MCP-Protocol-Version may be sent only once.", None)
            }
            Self::MethodRemoved => {
                ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "Method not found", None)
            }
            Self::Fault => internal_error(),
        }
    }

    /// The response. Without a readable `id` the error carries none (MCP 2026-07-28, Error
    /// Responses), so `null` is never sent.
    pub fn into_response(self, id: Option<RequestId>) -> Response<Bytes> {
        let status = self.status();
        let error = JsonRpcError::new(id, self.error());
        // A JsonRpcError is strings and numbers; were it ever not to serialize, the status remains.
        let body = serde_json::to_vec(&error).unwrap_or_default();
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            // RFC 9110 §15.5.6: a 405 says what is allowed.
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

/// The one thing a client learns about a fault.
pub fn internal_error() -> ErrorData {
    ErrorData::internal_error("Internal error. Try again later.", None)
}
