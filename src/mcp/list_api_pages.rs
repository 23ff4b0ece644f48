//! `list_api_reference_pages`: all APIs, or what is below one page.

use std::fmt::Write as _;

use rmcp::model::{JsonObject, Tool as Definition};
use schemars::JsonSchema;
use serde::Serialize;

use crate::mcp::argument::{Arguments, Text, input_schema};
use crate::mcp::pages::{self, Origin, PageName};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::tools;
use crate::reference::library::{
    Entry, ListAnswer, ListRequest, NoSuchApi, NoSuchPage, Reference, is_every_api,
};
use crate::remote::answer::{Section, ToolAnswer};

/// The most pages that another server can list.
const ELSEWHERE_MAX: usize = 100;

/// The most characters about the pages that another server lists.
const ELSEWHERE_CHARS_MAX: usize = 30_000;

/// The API a call is about. Shared with the search.
pub const API: Text = Text {
    name: "api",
    description: "Name of one API, as list_api_reference_pages without arguments gives it. \
                  Without it, or with `all`, every API.",
    chars_max: 200,
};

const URL: Text = Text {
    name: "url",
    description: "Address of a page, as a list or a search gives it: lists the pages below it. \
                  Wins over api.",
    chars_max: 2_000,
};

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Lists the API reference of {product}: without arguments all APIs; with api the topics, \
         groups and operations of one; with url what is below that page, such as the operations \
         of a group. To find something by name or meaning, use search_api_reference instead."
    );
    let schema = input_schema(&[], &[&API, &URL]);
    Definition::new("list_api_reference_pages", description, schema)
        .with_title(format!("List the API reference of {product}"))
        .with_output_schema::<Listed>()
        .with_annotations(tools::reads_only())
}

#[derive(Debug, Serialize, JsonSchema)]
struct Listed {
    /// The pages, in the order of the API's own document.
    pages: Vec<ListedPage>,
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ListedPage {
    #[serde(flatten)]
    name: PageName,
    /// A sentence about it; may be empty.
    description: String,
}

impl From<Entry> for ListedPage {
    fn from(entry: Entry) -> Self {
        let Entry { url, title, kind, description } = entry;
        Self { name: PageName::of_here(url, title, kind), description }
    }
}

impl From<Section> for ListedPage {
    fn from(section: Section) -> Self {
        let Section { title, url, kind, text } = section;
        let description = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { name: PageName { url, title, kind }, description }
    }
}

/// Answers a call. With an origin, in the place of another server.
pub fn call(
    reference: &Reference,
    arguments: &Arguments,
    origin: Option<Origin>,
) -> Result<Reply, Failure> {
    let request = match (URL.optional(arguments)?, api(arguments)?) {
        (Some(url), _) => ListRequest::Below(url),
        (None, Some(api)) => ListRequest::Api(api),
        (None, None) => ListRequest::Apis,
    };
    match reference.list(request) {
        ListAnswer::Pages { entries, left_out } => {
            let pages = entries.into_iter().map(ListedPage::from).collect();
            reply(Listed { pages, origin: origin.unwrap_or_default() }, left_out)
        }
        ListAnswer::NoSuchApi(missing) => Err(Failure::Refused(no_such_api(&missing))),
        ListAnswer::NoSuchPage(missing) => Err(Failure::Refused(no_such_page(&missing))),
    }
}

/// The API a call is about; none for all of them.
pub fn api(arguments: &Arguments) -> Result<Option<&str>, Failure> {
    Ok(API.optional(arguments)?.filter(|name| !is_every_api(name)))
}

/// What another server can be asked with.
pub fn inputs(arguments: &Arguments) -> Result<JsonObject, Failure> {
    let given = [(API.name, api(arguments)?), (URL.name, URL.optional(arguments)?)];
    let given =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    Ok(given.collect())
}

/// What another server answered.
pub fn of_elsewhere(answer: ToolAnswer, source: &str) -> Result<Reply, Failure> {
    let pages = pages::within(answer.sections, ELSEWHERE_MAX, ELSEWHERE_CHARS_MAX);
    let pages = pages.into_iter().map(ListedPage::from).collect();
    reply(Listed { pages, origin: Origin::elsewhere(source) }, 0)
}

fn reply(content: Listed, left_out: usize) -> Result<Reply, Failure> {
    let text = markdown(&content.pages, left_out);
    Reply::new(content.origin.before(text), &content)
}

fn markdown(pages: &[ListedPage], left_out: usize) -> String {
    if pages.is_empty() {
        return "There is nothing below this page. Read the page itself with \
                `get_api_reference_content`, or list its API."
            .to_owned();
    }
    let mut text = String::from(
        "Read a page with `get_api_reference_content`; list what is below one by its url.\n\n",
    );
    for page in pages {
        let gap = if page.description.is_empty() { "" } else { ": " };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "- {}{}{gap}{}",
            page.name.shown(),
            pages::shown(page.name.url.as_deref()),
            page.description
        );
    }
    if left_out > 0 {
        let _ = writeln!(text, "\nAnd {left_out} others: find them with `search_api_reference`.");
    }
    text
}

/// What a model learns that named an API that is not there.
pub fn no_such_api(missing: &NoSuchApi) -> String {
    let names = missing.names.join(", ");
    format!("There is no such API. The argument `api` can be: {names}; or `all`.")
}

/// What a model learns that gave an address that is not there.
pub fn no_such_page(missing: &NoSuchPage) -> String {
    if missing.suggestions.is_empty() {
        return "There is no page with this address. Find it with `search_api_reference`, and copy \
                its url."
            .to_owned();
    }
    let mut text = String::from("There is no page with this address. Did you mean one of these?\n");
    for suggestion in &missing.suggestions {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- {suggestion}");
    }
    text
}
