//! `search_docs`: the sections that fit a few words.

use rmcp::model::{JsonObject, Tool as Definition};

use crate::docs::library::{Library, SearchQuery};
use crate::mcp::argument::{Arguments, Number, Text, input_schema};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::sections::{self, Sections};
use crate::mcp::tools;

/// The most characters of a query.
pub const QUERY_CHARS_MAX: usize = 2_000;

/// The most characters of text in an answer.
pub const CHARS_MAX: usize = 40_000;

const QUERY: Text = Text {
    name: "query",
    description: "What to look for: key words, a name of a setting, command or error, or a \
                  question.",
    chars_max: QUERY_CHARS_MAX,
};

const LIMIT: Number = Number {
    name: "limit",
    description: "The most sections to return.",
    min: 1,
    max: 20,
    default: 8,
};

const MAX_CHARS: Number = Number {
    name: "max_chars",
    description: "The most characters of section text to return, over all sections together.",
    min: 500,
    max: CHARS_MAX,
    default: 12_000,
};

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Searches the {product} documentation and returns the sections that fit best, each with \
         its text and the address to cite. Use it first for any question about {product}; read \
         the whole page with read_page when a section is not enough."
    );
    let schema = input_schema(&[&QUERY], &[&LIMIT, &MAX_CHARS]);
    Definition::new("search_docs", description, schema)
        .with_title(format!("Search the {product} documentation"))
        .with_output_schema::<Sections>()
        .with_annotations(tools::reads_only())
}

/// Answers a call.
pub fn call(library: &Library, arguments: &Arguments) -> Result<Reply, Failure> {
    let Asked { query: text, limit, max_chars } = Asked::read(arguments)?;
    sections::answer(library, &SearchQuery { text, limit, max_chars })
}

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The words.
    pub query: &'a str,
    /// The most sections.
    pub limit: usize,
    /// The most characters of text.
    pub max_chars: usize,
}

impl<'a> Asked<'a> {
    /// Reads the arguments.
    pub fn read(arguments: &'a Arguments) -> Result<Self, Failure> {
        Ok(Self {
            query: QUERY.required(arguments)?,
            limit: LIMIT.read(arguments)?,
            max_chars: MAX_CHARS.read(arguments)?,
        })
    }

    /// What another server can be asked with.
    pub fn inputs(&self) -> JsonObject {
        let (query, limit) = (self.query.into(), self.limit.into());
        JsonObject::from_iter([(QUERY.name.to_owned(), query), (LIMIT.name.to_owned(), limit)])
    }
}
