//! `search_api_reference`: the pages of the API reference that fit a few words.

use std::fmt::Write as _;

use rmcp::model::{JsonObject, Tool as Definition};
use schemars::JsonSchema;
use serde::Serialize;

use crate::mcp::argument::{Arguments, Choice, Text, input_schema};
use crate::mcp::list_api_pages::{API, api, no_such_api};
use crate::mcp::pages::{self, Origin, PageName};
use crate::mcp::reply::{Failure, Finding, Reply};
use crate::mcp::tools;
use crate::reference::library::{HITS_MAX, Hit, Reference, SearchRequest};
use crate::reference::page::Kind;
use crate::remote::answer::{Section, ToolAnswer};

/// The most characters of excerpts that another server gives.
const ELSEWHERE_CHARS_MAX: usize = 20_000;

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
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FoundPage {
    #[serde(flatten)]
    name: PageName,
    /// What of the page fits.
    excerpt: String,
}

impl From<Hit> for FoundPage {
    fn from(hit: Hit) -> Self {
        let Hit { url, title, kind, excerpt } = hit;
        Self { name: PageName::of_here(url, title, kind), excerpt }
    }
}

impl From<Section> for FoundPage {
    fn from(section: Section) -> Self {
        let Section { title, url, kind, text } = section;
        Self { name: PageName { url, title, kind }, excerpt: text }
    }
}

/// Answers a call. With an origin, in the place of another server.
pub fn call(
    reference: &Reference,
    arguments: &Arguments,
    origin: Option<Origin>,
) -> Result<Reply, Failure> {
    let request = SearchRequest {
        text: QUERY.required(arguments)?,
        api: API.optional(arguments)?,
        kind: TYPE.optional(arguments)?,
    };
    match reference.search(&request).map_err(Failure::fault)? {
        Ok(hits) => {
            let pages = hits.into_iter().map(FoundPage::from).collect();
            reply(Found { pages, origin: origin.unwrap_or_default() })
        }
        Err(missing) => Err(Failure::Refused(no_such_api(&missing))),
    }
}

/// What another server can be asked with.
pub fn inputs(arguments: &Arguments) -> Result<JsonObject, Failure> {
    let kind = TYPE.optional(arguments)?.map(Kind::word);
    let query = Some(QUERY.required(arguments)?);
    let given = [(QUERY.name, query), (API.name, api(arguments)?), (TYPE.name, kind)];
    let given =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    Ok(given.collect())
}

/// What another server answered.
pub fn of_elsewhere(answer: ToolAnswer, source: &str) -> Result<Reply, Failure> {
    let pages = pages::within(answer.sections, HITS_MAX, ELSEWHERE_CHARS_MAX);
    let pages = pages.into_iter().map(FoundPage::from).collect();
    reply(Found { pages, origin: Origin::elsewhere(source) })
}

fn reply(content: Found) -> Result<Reply, Failure> {
    let finding = Finding { results: content.pages.len(), top_score: None };
    let reply = Reply::new(content.origin.before(markdown(&content.pages)), &content)?;
    Ok(reply.with_finding(finding))
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
            "\n{place}. {}\n  {}\n   {}\n",
            page.name.shown(),
            pages::shown(page.name.url.as_deref()),
            page.excerpt
        );
    }
    text
}
