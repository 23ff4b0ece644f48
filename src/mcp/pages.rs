//! What the tools of an API reference answer when another server stands in for them: pages, each
//! with its address.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::remote_tool::Place;
use crate::docs::cut;
use crate::mcp::reply::{Failure, Reply};
use crate::remote::answer::{Section, ToolAnswer};

/// Pages of the API reference.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PagesOf {
    /// The pages; empty when nothing fits.
    pages: Vec<Page>,
    /// Which server answered.
    source: String,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Page {
    /// Address of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    url: Option<String>,
    /// Title of the page.
    title: String,
    /// What kind of page it is.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    kind: Option<String>,
    /// In a list: what the page is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    description: Option<String>,
    /// In a search: what fits of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    excerpt: Option<String>,
    /// The page itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    markdown: Option<String>,
}

/// Title and description of the tool in this place.
pub fn about(place: Place, product: &str) -> (String, String) {
    match place {
        Place::ListApiReferencePages => (
            format!("List the pages of the {product} API reference"),
            format!(
                "Lists the pages of the {product} API reference with their addresses. Read one \
                 with get_api_reference_content."
            ),
        ),
        Place::SearchApiReference => (
            format!("Search the {product} API reference"),
            format!(
                "Searches the {product} API reference for operations, parameters and types, and \
                 returns the pages that fit best. Read one with get_api_reference_content."
            ),
        ),
        Place::GetApiReferenceContent => (
            format!("Read pages of the {product} API reference"),
            format!(
                "Reads up to 10 pages of the {product} API reference as Markdown, by the addresses \
                 that list_api_reference_pages and search_api_reference give."
            ),
        ),
        Place::Ask | Place::SearchDocs => unreachable!("these tools are ours"),
    }
}

/// The answer of the tool in this place.
pub fn reply(place: Place, answer: ToolAnswer, source: &str) -> Result<Reply, Failure> {
    let (count_max, chars_max) = match place {
        Place::ListApiReferencePages => (100, 30_000),
        Place::SearchApiReference => (20, 20_000),
        _ => (10, 60_000),
    };
    let mut sections = answer.sections;
    sections.truncate(count_max);
    let lengths: Vec<_> = sections.iter().map(|section| section.text.chars().count()).collect();
    let shares = cut::share(&lengths, chars_max);
    let mut markdown = String::new();
    let mut pages = Vec::new();
    for (Section { title, url, kind, text }, share) in sections.into_iter().zip(shares) {
        let text = cut::head(&text, share).to_owned();
        let address = url.as_ref().map(|url| format!("<{url}>")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(markdown, "## {title}\n\n{address}\n\n{}\n\n", text.trim_end());
        let text = Some(text).filter(|text| !text.is_empty());
        let page = Page { url, title, kind, ..Page::default() };
        pages.push(match place {
            Place::ListApiReferencePages => Page { description: text, ..page },
            Place::SearchApiReference => Page { excerpt: text, ..page },
            _ => Page { markdown: text, ..page },
        });
    }
    if pages.is_empty() {
        "Nothing in the API reference fits. Try other words, leave out `api` and `type`, or list \
         the pages with list_api_reference_pages."
            .clone_into(&mut markdown);
    }
    Reply::new(markdown, &PagesOf { pages, source: source.to_owned() })
}
