//! `get_api_reference_content`: pages of the API reference, as Markdown.

use std::collections::HashSet;
use std::fmt::Write as _;

use rmcp::model::{JsonObject, Tool as Definition};
use schemars::JsonSchema;
use serde::Serialize;

use crate::mcp::argument::{Arguments, Texts, input_schema};
use crate::mcp::list_api_pages::no_such_page;
use crate::mcp::pages::{self, Origin};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::tools;
use crate::reference::library::{ANSWER_CHARS_MAX, ReadAnswer, ReadPage, Reference};
use crate::remote::answer::{Section, ToolAnswer};

const URLS: Texts = Texts {
    name: "urls",
    description: "Addresses of pages, as a list or a search gives them.",
    items_max: 10,
    chars_max: 2_000,
};

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Reads up to 10 pages of the API reference of {product} as Markdown: parameters, request \
         and response schemas with their fields, examples and a command to try. Takes the \
         addresses that search_api_reference and list_api_reference_pages give. A long page says \
         with which address to read on."
    );
    let schema = input_schema(&[&URLS], &[]);
    Definition::new("get_api_reference_content", description, schema)
        .with_title(format!("Read the API reference of {product}"))
        .with_output_schema::<Contents>()
        .with_annotations(tools::reads_only())
}

#[derive(Debug, Serialize, JsonSchema)]
struct Contents {
    /// The pages, in the order they were asked for.
    pages: Vec<Content>,
    /// Addresses for which there is nothing to read, and what to do about each; absent when there
    /// are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>", default)]
    problems: Vec<String>,
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Content {
    /// Address of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    url: Option<String>,
    /// Title of the page.
    title: String,
    /// The page, or a part of a long one.
    markdown: String,
}

impl From<Section> for Content {
    fn from(section: Section) -> Self {
        Self { url: section.url, title: section.title, markdown: section.text }
    }
}

/// Answers a call. One wrong address among several does not cost the others. With an origin, in the
/// place of another server.
pub fn call(
    reference: &Reference,
    arguments: &Arguments,
    origin: Option<Origin>,
) -> Result<Reply, Failure> {
    // What is asked for twice is read once, or it would take room from the others.
    let mut seen = HashSet::new();
    let mut urls = URLS.required(arguments)?;
    urls.retain(|url| seen.insert(*url));
    let origin = origin.unwrap_or_default();
    let mut content = Contents { pages: Vec::new(), problems: Vec::new(), origin };
    for answer in reference.read(&urls) {
        match answer {
            ReadAnswer::Page(ReadPage { url, title, markdown }) => {
                content.pages.push(Content { url: Some(url), title, markdown });
            }
            ReadAnswer::NoSuchPage(missing) => {
                let advice = no_such_page(&missing);
                content.problems.push(format!("{}: {advice}", missing.url));
            }
            ReadAnswer::OffsetBeyondEnd { url, length } => {
                content.problems.push(format!(
                    "{url}: the offset lies beyond the end: there are {length} characters. Leave \
                     it out to start at the beginning."
                ));
            }
        }
    }
    if content.pages.is_empty() {
        return Err(Failure::Refused(content.problems.join("\n")));
    }
    reply(&content)
}

/// What another server can be asked with.
pub fn inputs(arguments: &Arguments) -> Result<JsonObject, Failure> {
    let urls = URLS.required(arguments)?;
    Ok(JsonObject::from_iter([(URLS.name.to_owned(), urls.into())]))
}

/// What another server answered.
pub fn of_elsewhere(answer: ToolAnswer, source: &str) -> Result<Reply, Failure> {
    let pages = pages::within(answer.sections, URLS.items_max, ANSWER_CHARS_MAX);
    let pages: Vec<_> = pages.into_iter().map(Content::from).collect();
    if pages.is_empty() {
        return Err(Failure::Refused(format!(
            "{source} has nothing at these addresses. Find pages with `search_api_reference`, and \
             copy their url."
        )));
    }
    reply(&Contents { pages, problems: Vec::new(), origin: Origin::elsewhere(source) })
}

fn reply(content: &Contents) -> Result<Reply, Failure> {
    let mut text = String::new();
    for page in &content.pages {
        let source = pages::shown(page.url.as_deref());
        let source = if source.is_empty() { &page.title } else { source.trim_start() };
        // Writing to a String cannot fail.
        let _ = write!(text, "Source: {source}\n\n{}\n", page.markdown);
    }
    text.push_str(&content.problems.join("\n"));
    Reply::new(content.origin.before(text), content)
}
