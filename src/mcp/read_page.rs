//! `read_page`: one page, or one section of it, in parts.

use std::fmt::Write as _;

use rmcp::model::Tool as Definition;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::docs::library::Library;
use crate::docs::read::{PagePart, ReadAnswer, ReadRequest};
use crate::mcp::argument::{Arguments, Number, Text, input_schema};
use crate::mcp::reply::{Failure, Reply};
use crate::mcp::tools;

const PATH: Text = Text {
    name: "path",
    description: "Path of the page, as a search result gives it. Give either path or url.",
    chars_max: 2_000,
};

const URL: Text = Text {
    name: "url",
    description: "Public address of the page, as a search result gives it.",
    chars_max: 2_000,
};

const SECTION: Text = Text {
    name: "section",
    description: "Heading of the one section to read. Without it, the whole page.",
    chars_max: 500,
};

const OFFSET: Number = Number {
    name: "offset",
    description: "Where to go on in a long page: next_offset of the answer before.",
    min: 0,
    max: 100_000_000,
    default: 0,
};

const MAX_CHARS: Number = Number {
    name: "max_chars",
    description: "The most characters of Markdown to return.",
    min: 500,
    max: 100_000,
    default: 20_000,
};

/// The most pages or sections suggested at once.
const BULLETS_MAX: usize = 40;

/// How `tools/list` shows it.
pub fn definition(product: &str) -> Definition {
    let description = format!(
        "Reads one page of the {product} documentation as Markdown, by the path or url that a \
         search result gives. A long page comes in parts: call again with offset set to \
         next_offset."
    );
    let schema = input_schema(&[], &[&PATH, &URL, &SECTION, &OFFSET, &MAX_CHARS]);
    Definition::new("read_page", description, schema)
        .with_title(format!("Read a page of the {product} documentation"))
        .with_output_schema::<Page>()
        .with_annotations(tools::reads_only())
}

#[derive(Debug, Serialize, JsonSchema)]
struct Page {
    /// Title of the page.
    title: String,
    /// Path of the page.
    path: String,
    /// Public address to cite, when the documentation has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    url: Option<String>,
    /// This part of the page.
    markdown: String,
    /// Offset of the next part; absent when the page ends here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema_of_offset")]
    next_offset: Option<usize>,
}

/// Written out, because the derived one names a format that JSON Schema does not have, and some
/// clients refuse a tool for that.
fn schema_of_offset(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 0 })
}

/// Answers a call.
pub fn call(library: &Library, arguments: &Arguments) -> Result<Reply, Failure> {
    // A model that copies both from one search result names one page twice, so either will do.
    let page = match (PATH.optional(arguments)?, URL.optional(arguments)?) {
        (Some(path), _) => path,
        (None, Some(url)) => url,
        (None, None) => {
            return Err(Failure::Refused(
                "Give `path` or `url` of the page, as a result of `search_docs` names it."
                    .to_owned(),
            ));
        }
    };
    let request = ReadRequest {
        page,
        section: SECTION.optional(arguments)?,
        offset: OFFSET.read(arguments)?,
        max_chars: MAX_CHARS.read(arguments)?,
    };
    match library.read(&request).map_err(Failure::fault)? {
        ReadAnswer::Page(part) => reply(part),
        ReadAnswer::NoSuchPage { suggestions } => Err(Failure::Refused(no_such_page(&suggestions))),
        ReadAnswer::NoSuchSection { headings } => Err(Failure::Refused(no_such_section(&headings))),
        ReadAnswer::OffsetBeyondEnd { length } => Err(Failure::Refused(format!(
            "The offset lies beyond the end: there are {length} characters. Use a next_offset that \
             an earlier answer gave, or leave `offset` out to start at the beginning."
        ))),
    }
}

fn reply(part: PagePart) -> Result<Reply, Failure> {
    let PagePart { title, path, url, markdown, next_offset } = part;
    let page = Page { title, path, url, markdown, next_offset };
    let source = match &page.url {
        Some(url) => format!("<{url}> (path: `{}`)", page.path),
        None => format!("`{}`", page.path),
    };
    let mut text = format!("Page: {}\nSource: {source}\n\n{}\n", page.title, page.markdown);
    if let Some(offset) = page.next_offset {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n[The page goes on: call `read_page` with `offset` {offset}.]");
    }
    Reply::new(text, &page)
}

fn no_such_page(suggestions: &[String]) -> String {
    if suggestions.is_empty() {
        return "There is no such page. Find the page with `search_docs` first, and copy its path."
            .to_owned();
    }
    format!("There is no such page. Did you mean one of these?\n{}", bullets(suggestions))
}

fn no_such_section(headings: &[String]) -> String {
    if headings.is_empty() {
        return "The page has no sections. Leave `section` out to read all of it.".to_owned();
    }
    format!("The page has no such section. Its sections are:\n{}", bullets(headings))
}

/// A list a model can choose from; a page with hundreds of sections would drown the advice.
fn bullets(items: &[String]) -> String {
    let mut list = String::new();
    for item in items.iter().take(BULLETS_MAX) {
        // Writing to a String cannot fail.
        let _ = writeln!(list, "- {item}");
    }
    if items.len() > BULLETS_MAX {
        list.push_str("- and others\n");
    }
    list
}
