//! What the tools of the API reference have in common when another server can answer them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::reference::page::Kind;
use crate::remote::answer::Section;
use crate::text::cut;

/// Who answered, where it is not plain.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Origin {
    /// Who answered, when another server could have: its name, or `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub source: Option<String>,
    /// What to know about the answer, when it is not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub note: Option<String>,
}

impl Origin {
    /// The other server of this name.
    pub fn elsewhere(source: &str) -> Self {
        Self { source: Some(source.to_owned()), note: None }
    }

    /// The text of an answer, with what there is to know before it.
    pub fn before(&self, text: String) -> String {
        match &self.note {
            Some(note) => format!("Note: {note}\n\n{text}"),
            None => text,
        }
    }
}

/// As many pages as an answer holds, with texts that together fit it.
pub fn within(mut pages: Vec<Section>, pages_max: usize, chars_max: usize) -> Vec<Section> {
    pages.truncate(pages_max);
    let lengths: Vec<_> = pages.iter().map(|page| page.text.chars().count()).collect();
    for (page, share) in pages.iter_mut().zip(cut::share(&lengths, chars_max)) {
        page.text = cut::head(&page.text, share).to_owned();
    }
    pages
}

/// How an answer names a page.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PageName {
    /// Address of the page, as the tools of the API reference take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub url: Option<String>,
    /// Title of the page.
    pub title: String,
    /// What kind of page it is: api, group, operation, schema, topic or webhook.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub kind: Option<String>,
}

impl PageName {
    /// Of a page that is here.
    pub fn of_here(url: String, title: String, kind: Kind) -> Self {
        Self { url: Some(url), title, kind: Some(kind.word().to_owned()) }
    }

    /// Kind and title, as an answer shows them.
    pub fn shown(&self) -> String {
        match &self.kind {
            Some(kind) => format!("[{kind}] {}", self.title),
            None => self.title.clone(),
        }
    }
}

/// An address as an answer shows it, after a space; nothing where there is none.
pub fn shown(url: Option<&str>) -> String {
    url.map(|url| format!(" <{url}>")).unwrap_or_default()
}
