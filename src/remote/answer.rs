//! What a tool of another server gave back, as far as it is passed on: text, and the sections in
//! it.
//!
//! It was written by others and will be read by a model, so characters that show nothing are taken
//! out, which could hide words from people; links, pictures and sounds stay behind; and it is
//! bounded.

use serde_json::Value;
use url::Url;

/// The most characters that are taken over from an answer.
pub const CHARS_MAX: usize = 200_000;

/// The most sections of an answer.
const SECTIONS_MAX: usize = 100;

/// The most characters of a title.
const TITLE_CHARS_MAX: usize = 200;

/// The longest address, in bytes.
const URL_BYTES_MAX: usize = 2_000;

/// Where servers put the list, when it is not the whole answer.
const LISTS: [&str; 10] = [
    "sections",
    "results",
    "pages",
    "hits",
    "sources",
    "relevant_sources",
    "documents",
    "items",
    "data",
    "result",
];
const URLS: [&str; 5] = ["source_url", "url", "link", "href", "uri"];
const TITLES: [&str; 4] = ["title", "name", "heading", "source_title"];
const TEXTS: [&str; 8] =
    ["content", "markdown", "text", "excerpt", "snippet", "body", "description", "page_content"];
const KINDS: [&str; 2] = ["type", "kind"];

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolAnswer {
    /// All its text, as the server wrote it.
    pub text: String,
    /// The sections that were recognised in it, in its order. Nothing found is an empty list; text
    /// that is no list is one section.
    pub sections: Vec<Section>,
}

/// A section of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// A title; never empty.
    pub title: String,
    /// The address to cite.
    pub url: Option<String>,
    /// What kind of page it is, where the server says so.
    pub kind: Option<String>,
    /// Its text, as Markdown.
    pub text: String,
}

/// Reads the result of `tools/call`; nothing when it is none. A section without a title of its own
/// is called after `fallback`.
pub fn of_tool(result: &Value, fallback: &str) -> Option<ToolAnswer> {
    let blocks = match result.get("content") {
        Some(Value::Array(blocks)) => blocks.as_slice(),
        Some(_) => return None,
        None => &[],
    };
    let structured = result.get("structuredContent").filter(|value| value.is_object());
    if result.get("content").is_none() && structured.is_none() {
        return None;
    }
    let texts: Vec<String> = blocks.iter().filter_map(text_of).map(|text| clean(&text)).collect();
    let mut text = texts.join("\n\n");
    if text.is_empty() {
        text = structured.map(|value| clean(&value.to_string())).unwrap_or_default();
    }
    text = cut(&text, CHARS_MAX);
    let mut sections = sections(structured, &texts, fallback);
    sections.truncate(SECTIONS_MAX);
    let mut left = CHARS_MAX;
    for section in &mut sections {
        section.text = cut(&section.text, left);
        left -= section.text.chars().count();
    }
    Some(ToolAnswer { text, sections })
}

fn text_of(block: &Value) -> Option<String> {
    let text = match block["type"].as_str()? {
        "text" => &block["text"],
        // A resource in full may be text too; one that would have to be fetched is not followed.
        "resource" => &block["resource"]["text"],
        _ => return None,
    };
    text.as_str().map(str::to_owned)
}

fn sections(structured: Option<&Value>, texts: &[String], fallback: &str) -> Vec<Section> {
    if let Some(sections) = structured.and_then(|value| listed(value, fallback)) {
        return sections;
    }
    let mut found = Vec::new();
    for text in texts {
        let value = serde_json::from_str::<Value>(text).ok();
        let value = value.filter(|value| value.is_array() || value.is_object());
        match value.and_then(|value| listed(&value, fallback).or_else(|| one(&value, fallback))) {
            Some(sections) => found.extend(sections),
            None if text.trim().is_empty() => {}
            None => found.push(Section {
                title: title_in(text).unwrap_or_else(|| fallback.to_owned()),
                text: text.clone(),
                ..Section::default()
            }),
        }
    }
    found
}

/// The sections of a list, or of an object with a list in it. Nothing when it holds something else.
fn listed(value: &Value, fallback: &str) -> Option<Vec<Section>> {
    let items = match value {
        Value::Array(items) => items,
        Value::Object(object) => LISTS.iter().find_map(|key| object.get(*key)?.as_array())?,
        _ => return None,
    };
    items.iter().map(|item| section(item, fallback)).collect()
}

fn one(value: &Value, fallback: &str) -> Option<Vec<Section>> {
    section(value, fallback).map(|section| vec![section])
}

fn section(item: &Value, fallback: &str) -> Option<Section> {
    let object = item.as_object()?;
    let text_at = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)?.as_str());
    let text = text_at(&TEXTS).map(clean).unwrap_or_default();
    let url = text_at(&URLS).and_then(address);
    let title = text_at(&TITLES).map(line).filter(|title| !title.is_empty());
    if text.is_empty() && url.is_none() && title.is_none() {
        return None;
    }
    let title = title.or_else(|| title_in(&text)).unwrap_or_else(|| fallback.to_owned());
    let kind = text_at(&KINDS).map(line).filter(|kind| !kind.is_empty());
    Some(Section { title, url, kind, text })
}

/// An address that can be cited: of the web, with no name or password in it.
fn address(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_web = matches!(url.scheme(), "https" | "http") && is_plain;
    (is_web && url.as_str().len() <= URL_BYTES_MAX).then(|| url.to_string())
}

/// The first heading of a Markdown text.
fn title_in(text: &str) -> Option<String> {
    let heading = text.lines().find_map(|line| line.trim_start().strip_prefix('#'))?;
    let title = line(heading.trim_start_matches('#'));
    (!title.is_empty()).then_some(title)
}

/// A text in one line, as a title has to be.
fn line(text: &str) -> String {
    let words: Vec<_> = clean(text).split_whitespace().map(str::to_owned).collect();
    cut(&words.join(" "), TITLE_CHARS_MAX)
}

fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// Takes out what shows nothing: control characters, marks that turn the direction of writing, and
/// invisible ones that can spell words for machines only.
pub fn clean(text: &str) -> String {
    let shows = |c: &char| match *c {
        '\n' | '\t' => true,
        c if c.is_control() => false,
        '\u{200b}'
        | '\u{2060}'..='\u{206f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{fdd0}'..='\u{fdef}' => false,
        _ => true,
    };
    text.replace("\r\n", "\n").chars().filter(shows).collect()
}
