//! The answer of every tool that searches: sections, best first, each with its address.

use std::fmt::Write as _;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::docs::library::{Library, SearchQuery, SectionHit};
use crate::mcp::reply::{Failure, Finding, Reply};

/// What the search tools answer. The schema of this type is their output schema.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Sections {
    /// The sections that fit, best first; empty when nothing fits.
    pub sections: Vec<Section>,
    /// Who answered, when another server could have: its name, or `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub source: Option<String>,
    /// What to know about the answer, when it is not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub note: Option<String>,
}

/// A section of an answer.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Section {
    /// Title of the page.
    pub title: String,
    /// Path of the page, as read_page takes it, when this server has the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub path: Option<String>,
    /// Public address to cite, when the documentation has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub url: Option<String>,
    /// Heading of the section.
    pub heading: String,
    /// The section as Markdown, cut where max_chars ends.
    pub text: String,
    /// How well the section fits; comparable within one answer only.
    #[schemars(schema_with = "schema_of_score")]
    pub score: f64,
    /// Who found it, when several are asked: the name of a server, or `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub source: Option<String>,
}

/// What this server's own index is called beside others.
pub const LOCAL: &str = "local";

/// Written out, because the derived one names a format that JSON Schema does not have, and some
/// clients refuse a tool for that.
fn schema_of_score(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "number" })
}

impl From<SectionHit> for Section {
    fn from(hit: SectionHit) -> Self {
        Self {
            title: hit.title,
            path: Some(hit.path),
            url: hit.url,
            heading: hit.heading,
            text: hit.text,
            score: readable_score(hit.score),
            source: None,
        }
    }
}

/// A score of few digits. JSON has no infinity, and a widened `f32` shows seventeen digits.
fn readable_score(score: f32) -> f64 {
    let rounded = (f64::from(score) * 10_000.0).round() / 10_000.0;
    if rounded.is_finite() { rounded } else { 0.0 }
}

/// Searches and renders.
pub fn answer(library: &Library, query: &SearchQuery<'_>) -> Result<Reply, Failure> {
    reply(&Sections { sections: found(library, query)?, source: None, note: None })
}

/// What the local index finds.
pub fn found(library: &Library, query: &SearchQuery<'_>) -> Result<Vec<Section>, Failure> {
    let hits = library.search(query).map_err(Failure::fault)?;
    Ok(hits.into_iter().map(Section::from).collect())
}

/// Says of sections that the local index found them.
pub fn from_here(sections: Vec<Section>) -> Vec<Section> {
    let of_here = |section| Section { source: Some(LOCAL.to_owned()), ..section };
    sections.into_iter().map(of_here).collect()
}

/// Renders.
pub fn reply(content: &Sections) -> Result<Reply, Failure> {
    let mut text = markdown(&content.sections);
    if let Some(note) = &content.note {
        text = format!("Note: {note}\n\n{text}");
    }
    // A place among several sources is no score of the index.
    let is_local = content.sections.iter().all(|section| section.source.is_none());
    let top_score = content.sections.first().filter(|_| is_local).map(|section| section.score);
    let finding = Finding { results: content.sections.len(), top_score };
    Ok(Reply::new(text, content)?.with_finding(finding))
}

fn markdown(sections: &[Section]) -> String {
    // Nothing found is an answer, and the model needs to know what to do with it.
    if sections.is_empty() {
        return "No section of the documentation fits. Try fewer and more specific words, the exact \
                name of a setting, command or error, or another word for the same thing. If that \
                finds nothing either, the documentation probably does not cover it: say so, and do \
                not guess."
            .to_owned();
    }
    let mut text = match sections.len() {
        1 => "1 section".to_owned(),
        count => format!("{count} sections"),
    };
    text.push_str(" found, best first. Cite the source of what you use.");
    if sections.iter().any(|section| section.path.is_some()) {
        text.push_str(" Call `read_page` with a path for the whole page.");
    }
    text.push('\n');
    for (place, section) in (1..).zip(sections) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {place}. {}\n\n{}\n", name(section), source(section));
        let _ = write!(text, "\n{}\n", section.text.trim_end());
    }
    text
}

fn name(section: &Section) -> String {
    if section.heading.is_empty() || section.heading == section.title {
        return section.title.clone();
    }
    format!("{} › {}", section.title, section.heading)
}

fn source(section: &Section) -> String {
    match (&section.url, &section.path) {
        (Some(url), Some(path)) => format!("Source: <{url}> (path: `{path}`)"),
        (Some(url), None) => format!("Source: <{url}>"),
        (None, Some(path)) => format!("Source: `{path}`"),
        (None, None) => format!("Source: {}", section.source.as_deref().unwrap_or("unknown")),
    }
}
