//! The list of tools: their names, their order, and what each needs of its caller.

use rmcp::model::{Tool as Definition, ToolAnnotations};

use crate::mcp::caller::{Audience, Requirement, Scope};
use crate::mcp::{
    account, ask, feedback, feedback_status, get_api_content, list_api_pages, read_page, search,
    search_api,
};

/// The tools, in the order they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `search_docs`
    Search,
    /// `ask_<product>_question`
    Ask,
    /// `read_page`
    ReadPage,
    /// `list_api_reference_pages`
    ListApiPages,
    /// `search_api_reference`
    SearchApi,
    /// `get_api_reference_content`
    GetApiContent,
    /// `submit_documentation_feedback`
    SubmitFeedback,
    /// `feedback_status`
    FeedbackStatus,
    /// `whoami`
    WhoAmI,
    /// `disconnect`
    Disconnect,
}

impl Tool {
    /// All of them. The order is fixed, so that `tools/list` is the same every time and a client's
    /// prompt cache survives (MCP 2026-07-28, Tools).
    pub const ALL: [Self; 10] = [
        Self::Search,
        Self::Ask,
        Self::ReadPage,
        Self::ListApiPages,
        Self::SearchApi,
        Self::GetApiContent,
        Self::SubmitFeedback,
        Self::FeedbackStatus,
        Self::WhoAmI,
        Self::Disconnect,
    ];

    /// What a caller must have to use the tool.
    pub const fn requirement(self) -> Requirement {
        match self {
            Self::Search
            | Self::Ask
            | Self::ReadPage
            | Self::ListApiPages
            | Self::SearchApi
            | Self::GetApiContent => {
                Requirement { audience: Audience::Anyone, scopes: &[Scope::DocsRead] }
            }
            Self::SubmitFeedback | Self::FeedbackStatus => {
                Requirement { audience: Audience::People, scopes: &[Scope::DocsFeedback] }
            }
            // Whatever they allowed: a person may always know that, and end it.
            Self::WhoAmI | Self::Disconnect => {
                Requirement { audience: Audience::People, scopes: &[] }
            }
        }
    }

    fn definition(self, product: &str) -> Definition {
        match self {
            Self::Search => search::definition(product),
            Self::Ask => ask::definition(product),
            Self::ReadPage => read_page::definition(product),
            Self::ListApiPages => list_api_pages::definition(product),
            Self::SearchApi => search_api::definition(product),
            Self::GetApiContent => get_api_content::definition(product),
            Self::SubmitFeedback => feedback::definition(product),
            Self::FeedbackStatus => feedback_status::definition(product),
            Self::WhoAmI => account::definition_of_whoami(product),
            Self::Disconnect => account::definition_of_disconnect(product),
        }
    }
}

/// The tools under the names this deployment gives them.
#[derive(Debug)]
pub struct Catalogue(Vec<(Tool, Definition)>);

impl Catalogue {
    /// The tools of the documentation of `product`.
    pub fn new(product: &str) -> Self {
        Self(Tool::ALL.into_iter().map(|tool| (tool, tool.definition(product))).collect())
    }

    /// The tool a client calls `name`. Names are compared as they are.
    pub fn find(&self, name: &str) -> Option<Tool> {
        self.0.iter().find(|(_, definition)| definition.name == name).map(|(tool, _)| *tool)
    }

    /// What `tools/list` shows. It is the same for every caller; a tool out of reach is offered
    /// too, because calling it is how a client learns which scope to ask for.
    pub fn definitions(&self) -> Vec<Definition> {
        self.0.iter().map(|(_, definition)| definition.clone()).collect()
    }

    /// The names, for a message to a model that got one wrong.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, definition)| definition.name.as_ref())
    }
}

/// The hints of a tool that only reads what this server holds.
pub fn reads_only() -> ToolAnnotations {
    ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false)
}
