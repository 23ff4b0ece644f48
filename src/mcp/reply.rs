//! What a tool gives back, and the ways it can end.

use std::error::Error;

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;

/// A tool's answer: Markdown for the model, and the same as data (MCP 2026-07-28, Tools).
#[derive(Debug)]
pub struct Reply {
    markdown: String,
    structured: serde_json::Value,
    finding: Option<Finding>,
}

/// What a search came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// How many sections or pages fit.
    pub results: usize,
    /// The score that the local index gave the best of them; none where another server had a part
    /// in the answer, whose scores mean something else.
    pub top_score: Option<f64>,
}

impl Reply {
    /// Joins the two renderings. `content` must have the shape of the tool's output schema.
    pub fn new(markdown: String, content: &impl Serialize) -> Result<Self, Failure> {
        let structured = serde_json::to_value(content).map_err(Failure::fault)?;
        Ok(Self { markdown, structured, finding: None })
    }

    /// The same, of a search.
    #[must_use]
    pub fn with_finding(self, finding: Finding) -> Self {
        Self { finding: Some(finding), ..self }
    }

    /// What the search came to, if it was one.
    pub const fn finding(&self) -> Option<Finding> {
        self.finding
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
    /// Another server would have to answer, and does not. The text goes to the model.
    Unavailable(String),
    /// Something broke in here. The text stays in the log.
    Fault(Box<dyn Error + Send + Sync>),
}

impl Failure {
    /// Wraps an error that is no fault of the caller.
    pub fn fault(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Fault(error.into())
    }
}
