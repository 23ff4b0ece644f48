//! The list of tools: their names, their order, and what each needs of its caller.

use rmcp::model::{Tool as Definition, ToolAnnotations};

use crate::config::remote_tool::{Offered, Place};
use crate::mcp::argument::Arguments;
use crate::mcp::caller::{Audience, Requirement, Scope};
use crate::mcp::{
    account, ask, context, elsewhere, feedback, feedback_status, get_api_content, list_api_pages,
    read_page, search, search_api,
};
use crate::remote::Remotes;

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
    /// A tool that only another server has, by its number in the settings.
    Remote(usize),
}

impl Tool {
    /// All of our own. The order is fixed, so that `tools/list` is the same every time and a
    /// client's prompt cache survives (MCP 2026-07-28, Tools).
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
            | Self::GetApiContent
            | Self::Remote(_) => {
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

    /// The argument in which a search says what is looked for.
    pub const fn query_argument(self) -> Option<&'static str> {
        match self {
            Self::Search | Self::SearchApi => Some("query"),
            Self::Ask => Some("question"),
            Self::ReadPage
            | Self::ListApiPages
            | Self::GetApiContent
            | Self::SubmitFeedback
            | Self::FeedbackStatus
            | Self::WhoAmI
            | Self::Disconnect
            | Self::Remote(_) => None,
        }
    }

    /// What other servers call the tool that they can stand in for, or add to.
    pub const fn place(self) -> Option<Place> {
        match self {
            Self::Search => Some(Place::SearchDocs),
            Self::Ask => Some(Place::Ask),
            Self::ListApiPages => Some(Place::ListApiReferencePages),
            Self::SearchApi => Some(Place::SearchApiReference),
            Self::GetApiContent => Some(Place::GetApiReferenceContent),
            Self::ReadPage
            | Self::SubmitFeedback
            | Self::FeedbackStatus
            | Self::WhoAmI
            | Self::Disconnect
            | Self::Remote(_) => None,
        }
    }

    fn definition(self, product: &str, remotes: &Remotes) -> Definition {
        let definition = match self {
            Self::Search => search::definition(product),
            Self::Ask => ask::definition(product),
            Self::ReadPage => read_page::definition(product),
            Self::ListApiPages => list_api_pages::definition(product),
            Self::SearchApi => search_api::definition(product),
            Self::GetApiContent => get_api_content::definition(product),
            Self::Remote(number) => elsewhere::definition(&remotes.all()[number].config),
            Self::SubmitFeedback => feedback::definition(product),
            Self::FeedbackStatus => feedback_status::definition(product),
            Self::WhoAmI => account::definition_of_whoami(product),
            Self::Disconnect => account::definition_of_disconnect(product),
        };
        match self.place() {
            Some(place) => helped(definition, place, remotes),
            None => definition,
        }
    }
}

/// The tools under the names this deployment gives them.
#[derive(Debug)]
pub struct Catalogue {
    tools: Vec<(Tool, Definition)>,
    /// Those that ask what the person wants.
    asking: Vec<Tool>,
}

impl Catalogue {
    /// The tools of the documentation of `product`, and behind them those of other servers.
    pub fn new(product: &str, remotes: &Remotes, asks_context: bool) -> Self {
        let numbered = remotes.all().iter().enumerate();
        let theirs =
            numbered.filter(|(_, tool)| matches!(tool.config.offered, Offered::AsNew { .. }));
        let tools = Tool::ALL.into_iter().chain(theirs.map(|(number, _)| Tool::Remote(number)));
        let tools = tools.map(|tool| (tool, tool.definition(product, remotes)));
        let (mut tools, mut asking) = (tools.collect::<Vec<_>>(), Vec::new());
        if asks_context {
            for (tool, definition) in &mut tools {
                if context::add_to(definition) {
                    asking.push(*tool);
                }
            }
        }
        Self { tools, asking }
    }

    /// Takes what the person wants out of a call, where the tool asks for it.
    pub fn take_context(&self, tool: Tool, arguments: &mut Arguments) -> Option<String> {
        if self.asking.contains(&tool) { context::take(arguments) } else { None }
    }

    /// The tool a client calls `name`. Names are compared as they are.
    pub fn find(&self, name: &str) -> Option<Tool> {
        self.tools.iter().find(|(_, definition)| definition.name == name).map(|(tool, _)| *tool)
    }

    /// What `tools/list` shows. It is the same for every caller; a tool out of reach is offered
    /// too, because calling it is how a client learns which scope to ask for.
    pub fn definitions(&self) -> Vec<Definition> {
        self.tools.iter().map(|(_, definition)| definition.clone()).collect()
    }

    /// What this deployment calls the tool.
    pub fn name_of(&self, tool: Tool) -> &str {
        let named = self.tools.iter().find(|(other, _)| *other == tool);
        named.map_or("", |(_, definition)| definition.name.as_ref())
    }

    /// The names, for a message to a model that got one wrong.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tools.iter().map(|(_, definition)| definition.name.as_ref())
    }
}

/// The hints of a tool that only reads what this server holds.
pub fn reads_only() -> ToolAnnotations {
    ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false)
}

/// The hints of a tool that only reads, and not only here.
pub fn reads_elsewhere() -> ToolAnnotations {
    reads_only().open_world(true)
}

/// A tool of ours that another server answers or adds to.
fn helped(mut definition: Definition, place: Place, remotes: &Remotes) -> Definition {
    for tool in remotes.in_place_of(place) {
        definition.annotations = Some(reads_elsewhere());
        if let Some(title) = &tool.config.title {
            definition.title = Some(title.clone());
        }
        if let Some(description) = &tool.config.description {
            definition.description = Some(description.clone().into());
        }
    }
    definition
}
