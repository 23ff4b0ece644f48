//! The body of a request, opened: one JSON-RPC 2.0 message (MCP 2026-07-28, Messages).
//!
//! rmcp answers a body it cannot read with 415 and its parser's words, so the body is read here
//! first. What was read is also what rmcp gets, written anew: with one reading there is no message
//! that names one tool to the check and another to the dispatch, as one with a repeated key could.

use bytes::Bytes;
use rmcp::model::RequestId;
use serde_json::{Map, Value};

use crate::mcp::refusal::Refusal;

/// The key of the revision in a request's `_meta`.
const META_PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The key of the client's own description there.
const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";

/// Methods that are told apart where requests are counted.
const METHODS: [&str; 10] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];

/// One message from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Envelope {
    /// Wants an answer.
    Request {
        /// Repeated in the answer, in its own JSON type.
        id: RequestId,
        /// What is asked.
        method: String,
        /// All of the message.
        message: Map<String, Value>,
    },
    /// Wants none.
    Notification {
        /// What happened.
        method: String,
        /// All of the message.
        message: Map<String, Value>,
    },
    /// A result or an error, though this server asks nothing.
    Answer,
}

impl Envelope {
    /// Opens a body. The error comes with the `id` of the request, where that much can be read.
    pub fn open(body: &[u8]) -> Result<Self, (Refusal, Option<RequestId>)> {
        // The parser goes 128 levels deep and no further, so the stack is safe.
        let value: Value = serde_json::from_slice(body).map_err(|_| (Refusal::NotJson, None))?;
        match value {
            Value::Object(message) => Self::from_object(message),
            Value::Array(_) => Err((Refusal::Batch, None)),
            _ => Err((Refusal::NotAMessage, None)),
        }
    }

    fn from_object(message: Map<String, Value>) -> Result<Self, (Refusal, Option<RequestId>)> {
        let presented_id = message.get("id");
        let id = presented_id.and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
        let refuse = |refusal| Err((refusal, id.clone()));
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return refuse(Refusal::NotAMessage);
        }
        let answers = message.contains_key("result") || message.contains_key("error");
        match message.get("method") {
            None if answers => Ok(Self::Answer),
            Some(Value::String(_)) if answers => refuse(Refusal::NotAMessage),
            Some(Value::String(_)) if !has_readable_params(&message) => {
                refuse(Refusal::UnreadableParams)
            }
            Some(Value::String(method)) => {
                let method = method.clone();
                match (presented_id, id) {
                    (None, _) => Ok(Self::Notification { method, message }),
                    (Some(_), Some(id)) => Ok(Self::Request { id, method, message }),
                    // An id that is there but unreadable, `null` above all, makes no notification:
                    // its sender waits for an answer.
                    (Some(_), None) => Err((Refusal::UnreadableId, None)),
                }
            }
            None | Some(_) => refuse(Refusal::NotAMessage),
        }
    }

    /// The `id` to answer with.
    pub fn id(&self) -> Option<RequestId> {
        match self {
            Self::Request { id, .. } => Some(id.clone()),
            Self::Notification { .. } | Self::Answer => None,
        }
    }

    /// The revision a request names in its `_meta`, which makes it one of the modern era.
    pub fn version(&self) -> Option<&str> {
        self.params()?.get("_meta")?.get(META_PROTOCOL_VERSION)?.as_str()
    }

    /// The name of the client that a request carries: in its `_meta` (2026-07-28), or where a
    /// legacy connection is opened.
    pub fn client_name(&self) -> Option<&str> {
        let params = self.params()?;
        let info = params.get("_meta").and_then(|meta| meta.get(META_CLIENT_INFO));
        let info = info.or_else(|| params.get("clientInfo").filter(|_| self.is_initialize()));
        info?.get("name")?.as_str()
    }

    /// What kind of message it is: a method, of those that are told apart, or one word for others.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Request { method, .. } => {
                METHODS.iter().find(|known| *known == method).copied().unwrap_or("other")
            }
            Self::Notification { .. } => "notification",
            Self::Answer => "answer",
        }
    }

    /// The tool a request calls.
    pub fn called_tool(&self) -> Option<&str> {
        match self {
            Self::Request { method, .. } if method == "tools/call" => {
                self.params()?.get("name")?.as_str()
            }
            _ => None,
        }
    }

    /// Whether the message opens a legacy connection.
    pub fn is_initialize(&self) -> bool {
        matches!(self, Self::Request { method, .. } if method == "initialize")
    }

    /// The message as rmcp shall read it.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Request { message, .. } | Self::Notification { message, .. } => {
                // A map of JSON values with string keys always serializes.
                Bytes::from(serde_json::to_vec(message).unwrap_or_default())
            }
            Self::Answer => Bytes::new(),
        }
    }

    fn params(&self) -> Option<&Value> {
        match self {
            Self::Request { message, .. } | Self::Notification { message, .. } => {
                message.get("params")
            }
            Self::Answer => None,
        }
    }
}

/// Whether the parameters have the shape that all methods share.
///
/// rmcp cannot read a message with other parameters at all, except that it takes a cursor of a
/// wrong type for none and starts over with the first page.
fn has_readable_params(message: &Map<String, Value>) -> bool {
    let Some(params) = message.get("params") else { return true };
    let is = |name: &str, check: fn(&Value) -> bool| {
        params.get(name).is_none_or(|value| value.is_null() || check(value))
    };
    params.is_null()
        || (params.is_object() && is("_meta", Value::is_object) && is("cursor", Value::is_string))
}
