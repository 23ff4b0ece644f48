//! What a tool gives back, and the three ways it can end.

use std::error::Error;

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;

/// A tool's answer: Markdown for the model, and the same as data (MCP 2026-07-28, Tools).
#[derive(Debug)]
pub struct Reply {
    markdown: String,
    structured: serde_json::Value,
}

impl Reply {
    /// Joins the two renderings. `content` must have the shape of the tool's output schema.
    pub fn new(markdown: String, content: &impl Serialize) -> Result<Self, Failure> {
        let structured = serde_json::to_value(content).map_err(Failure::fault)?;
        Ok(Self { markdown, structured })
    }
}

impl From<Reply> for CallToolResult {
    fn from(reply: Reply) -> Self {
        let mut result = Self::success(vec![ContentBlock::text(reply.markdown)]);
        result.structured_content = Some(reply.structured);
        result
    }
}

/// Why a tool did not answer.
#[derive(Debug)]
pub enum Failure {
    /// The call cannot be answered as it is. The text goes to the model, which can mend the call.
    Refused(String),
    /// Something broke in here. The text stays in the log.
    Fault(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// Wraps an error that is no fault of the caller.
    pub fn fault(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Fault(error.into())
    }
}
