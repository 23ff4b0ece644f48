//! The list of tools: their names, their order, and what each needs of its caller.

use rmcp::model::{Tool as Definition, ToolAnnotations};

use crate::config::remote_tool::{Offered, Place};
use crate::mcp::caller::{Audience, Requirement, Scope};
use crate::mcp::{ask, elsewhere, feedback, read_page, search};
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
    /// `submit_documentation_feedback`
    SubmitFeedback,
    /// A tool that only another server has, by its number in the settings.
    Remote(usize),
}

impl Tool {
    /// All of our own. The order is fixed, so that `tools/list` is the same every time and a
    /// client's prompt cache survives (MCP 2026-07-28, Tools).
    pub const ALL: [Self; 4] = [Self::Search, Self::Ask, Self::ReadPage, Self::SubmitFeedback];

    /// What a caller must have to use the tool.
    pub const fn requirement(self) -> Requirement {
        match self {
            Self::Search | Self::Ask | Self::ReadPage | Self::Remote(_) => {
                Requirement { audience: Audience::Anyone, scopes: &[Scope::DocsRead] }
            }
            Self::SubmitFeedback => {
                Requirement { audience: Audience::People, scopes: &[Scope::DocsFeedback] }
            }
        }
    }

    fn definition(self, product: &str, remotes: &Remotes) -> Definition {
        match self {
            Self::Search => helped(search::definition(product), Place::SearchDocs, remotes),
            Self::Ask => helped(ask::definition(product), Place::Ask, remotes),
            Self::Remote(number) => elsewhere::definition(&remotes.all()[number], product),
            Self::ReadPage => read_page::definition(product),
            Self::SubmitFeedback => feedback::definition(product),
        }
    }
}

/// The tools under the names this deployment gives them.
#[derive(Debug)]
pub struct Catalogue(Vec<(Tool, Definition)>);

impl Catalogue {
    /// The tools of the documentation of `product`, and behind them those of other servers.
    pub fn new(product: &str, remotes: &Remotes) -> Self {
        let numbered = remotes.all().iter().enumerate();
        let theirs = numbered.filter(|(_, tool)| match &tool.config.offered {
            Offered::InPlaceOf(Place::Ask | Place::SearchDocs) => false,
            Offered::InPlaceOf(_) | Offered::AsNew { .. } => true,
        });
        let tools = Tool::ALL.into_iter().chain(theirs.map(|(number, _)| Tool::Remote(number)));
        Self(tools.map(|tool| (tool, tool.definition(product, remotes))).collect())
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
