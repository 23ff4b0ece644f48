//! `search_api_reference`: the pages of the API reference that fit a few words.

use std::fmt::Write as _;

use rmcp::model::Tool as Definition;
use schemars::JsonSchema;
use serde::Serialize;

use crate::mcp::argument::{Arguments, Choice, Text, input_schema};
use crate::mcp::list_api_pages::{API, no_such_api};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::tools;
use crate::reference::library::{Hit, Reference, SearchRequest};
use crate::reference::page::Kind;

const QUERY: Text = Text {
    name: "query",
    description: "What to look for: the name of an operation, schema or field, a method and path \
                  such as `GET /v1/brokers`, or key words.",
    chars_max: 2_000,
};

const TYPE: Choice<Kind> = Choice {
    name: "type",
    description: "Only pages of this kind. Without it, all kinds.",
    options: &Kind::ALL,
    word: Kind::word,
};

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Searches the API reference of {product}: endpoints, their parameters, schemas and topics. \
         Returns up to 20 pages, best first, each with its address and the words that fit. Read \
         them with get_api_reference_content."
    );
    let schema = input_schema(&[&QUERY], &[&API, &TYPE]);
    Definition::new("search_api_reference", description, schema)
        .with_title(format!("Search the API reference of {product}"))
        .with_output_schema::<Found>()
        .with_annotations(tools::reads_only())
}

#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    /// The pages that fit, best first; empty when nothing fits.
    pages: Vec<FoundPage>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FoundPage {
    /// Address of the page, as get_api_reference_content takes it.
    url: String,
    /// Title of the page.
    title: String,
    /// What kind of page it is: api, group, operation, schema, topic or webhook.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What of the page fits.
    excerpt: String,
}

impl From<Hit> for FoundPage {
    fn from(hit: Hit) -> Self {
        let Hit { url, title, kind, excerpt } = hit;
        Self { url, title, kind: kind.word(), excerpt }
    }
}

/// Answers a call.
pub fn call(reference: &Reference, arguments: &Arguments) -> Result<Reply, Failure> {
    let request = SearchRequest {
        text: QUERY.required(arguments)?,
        api: API.optional(arguments)?,
        kind: TYPE.optional(arguments)?,
    };
    match reference.search(&request).map_err(Failure::fault)? {
        Ok(hits) => {
            let content = Found { pages: hits.into_iter().map(FoundPage::from).collect() };
            Reply::new(markdown(&content.pages), &content)
        }
        Err(missing) => Err(Failure::Refused(no_such_api(&missing))),
    }
}

fn markdown(pages: &[FoundPage]) -> String {
    // Nothing found is an answer, and the model needs to know what to do with it.
    if pages.is_empty() {
        return "No page of the API reference fits. Try fewer words, a part of the path or the \
                exact name of a field, leave `api` and `type` out, or go down from \
                `list_api_reference_pages`. If that finds nothing either, there is probably no \
                such endpoint: say so, and do not guess."
            .to_owned();
    }
    let mut text = String::from("Best first. Read them with `get_api_reference_content`.\n");
    for (place, page) in (1..).zip(pages) {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n{place}. [{}] {}\n   <{}>\n   {}\n",
            page.kind, page.title, page.url, page.excerpt
        );
    }
    text
}
