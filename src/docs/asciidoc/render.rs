//! From blocks to Markdown, line by line.
//!
//! Every line is written once, with the prefix of all lists and quotes around it, so depth costs
//! no copying. Headings are noted as they are written: only those outside lists and quotes cut
//! the page into sections.

use std::collections::HashMap;

use super::{
    block::{Block, Item, List, Marker, Tab, Term},
    macros::markdown_link,
    shield::REFERENCE,
};
use crate::docs::{document::Heading, markdown};

/// The Markdown of blocks, and the headings that cut it.
pub struct Writer<'t> {
    /// The headings of the page: text by id, id by plain text.
    pub titles: &'t HashMap<String, String>,
    pub ids_by_title: &'t HashMap<String, String>,
    pub markdown: String,
    pub headings: Vec<Heading>,
    /// What stands before every line here.
    prefix: String,
    /// What stands before the next line instead of the end of the prefix: a list marker.
    pub marker: Option<(usize, String)>,
    /// The labels of the tabs around the current line.
    tab_labels: Vec<String>,
}

impl<'t> Writer<'t> {
    pub fn new(
        titles: &'t HashMap<String, String>,
        ids_by_title: &'t HashMap<String, String>,
    ) -> Self {
        Self {
            titles,
            ids_by_title,
            markdown: String::new(),
            headings: Vec::new(),
            prefix: String::new(),
            marker: None,
            tab_labels: Vec::new(),
        }
    }

    /// Writes blocks, a blank line before each.
    pub fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    /// Writes the footnotes under the page.
    pub fn footnotes(&mut self, footnotes: &[String]) {
        for (index, text) in footnotes.iter().enumerate() {
            self.gap();
            let text = self.resolved(text).replace('\n', " ");
            self.line(&format!("[^{}]: {text}", index + 1));
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Group(blocks) => self.blocks(blocks),
            Block::Heading { level, text, id } => self.heading(*level, text, id),
            Block::Paragraph(text) => self.paragraph(text),
            Block::Caption(text) => self.bold_line(text),
            Block::Code { language, text } => self.code(language, text),
            Block::Quote { blocks, source } => self.quote(None, blocks, source),
            Block::Admonition { label, blocks } => self.quote(Some(label), blocks, ""),
            Block::List(list) => {
                self.gap();
                self.items(list);
            }
            Block::Terms(terms) => self.terms(terms),
            Block::Tabs(tabs) => tabs.iter().for_each(|tab| self.tab(tab)),
            Block::Table(table) => {
                self.gap();
                self.table(table);
            }
            Block::LostInclude(target) => {
                self.gap();
                self.line(&format!("> *Include not found: {target}*"));
            }
            Block::Rule => {
                self.gap();
                self.line("---");
            }
        }
    }

    /// A blank line, unless at the start of the page, of a list item or of a quote.
    pub fn gap(&mut self) {
        if self.marker.is_none() && !self.markdown.is_empty() {
            let prefix = self.prefix.trim_end();
            self.markdown.push_str(prefix);
            self.markdown.push('\n');
        }
    }

    pub fn line(&mut self, text: &str) {
        match self.marker.take() {
            Some((length, marker)) => {
                self.markdown.push_str(&self.prefix[..length]);
                self.markdown.push_str(&marker);
            }
            None if text.is_empty() => self.markdown.push_str(self.prefix.trim_end()),
            None => self.markdown.push_str(&self.prefix),
        }
        self.markdown.push_str(text);
        self.markdown.push('\n');
    }

    fn lines(&mut self, text: &str) {
        text.lines().for_each(|line| self.line(line));
    }

    fn heading(&mut self, level: usize, text: &str, id: &str) {
        self.gap();
        let text = self.resolved(text);
        let start = self.markdown.len();
        let cuts = self.prefix.is_empty() && self.marker.is_none();
        self.line(&format!("{} {text}", "#".repeat(level)));
        if cuts {
            self.headings.push(Heading {
                level: u8::try_from(level).unwrap_or(6),
                text: markdown::plain_text(&text),
                anchor: id.to_owned(),
                start,
                body_start: self.markdown.len(),
            });
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.gap();
        let text = self.resolved(text);
        self.lines(&text);
    }

    fn bold_line(&mut self, text: &str) {
        let text = self.resolved(text).replace('\n', " ");
        let text = text.trim();
        if !text.is_empty() {
            self.gap();
            self.line(&bold(text));
        }
    }

    fn code(&mut self, language: &str, text: &str) {
        self.gap();
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.line(&format!("{fence}{language}"));
        self.lines(text.trim_matches('\n'));
        self.line(&fence);
    }

    fn quote(&mut self, label: Option<&str>, blocks: &[Block], source: &str) {
        self.gap();
        let length = self.enter("> ", "> ");
        let mut rest = blocks;
        if let Some(label) = label {
            let label = format!("**{label}:**");
            // The label opens the first paragraph; before anything else it is one itself.
            if let Some((Block::Paragraph(text), others)) = blocks.split_first() {
                let text = self.resolved(text);
                self.lines(&format!("{label} {text}"));
                rest = others;
            } else {
                self.line(&label);
            }
        }
        self.blocks(rest);
        if !source.is_empty() {
            let source = self.resolved(source);
            self.gap();
            self.line(&format!("— {source}"));
        }
        self.leave(length);
    }

    /// Puts lines behind a marker; returns what [`Self::leave`] needs to come back.
    pub fn enter(&mut self, marker: &str, indentation: &str) -> usize {
        // An item that starts with a list or a quote has two markers in its first line.
        let (length, outer) = self.marker.take().unwrap_or((self.prefix.len(), String::new()));
        let before = self.prefix.len();
        self.marker = Some((length, outer + marker));
        self.prefix.push_str(indentation);
        before
    }

    pub fn leave(&mut self, length: usize) {
        if self.marker.is_some() {
            // Nothing was written: the marker stands alone.
            self.line("");
        }
        self.prefix.truncate(length);
    }

    fn items(&mut self, list: &List) {
        let mut number = match list.marker {
            Marker::Bullet => None,
            Marker::Number(first) => Some(first),
        };
        for (index, Item { text, blocks }) in list.items.iter().enumerate() {
            let marker = number.map_or_else(|| "- ".to_owned(), |number| format!("{number}. "));
            if index > 0 && !is_simple(&list.items[index - 1].blocks) {
                self.gap();
            }
            self.item(&marker, text, blocks);
            number = number.map(|number| number.saturating_add(1));
        }
    }

    pub fn item(&mut self, marker: &str, text: &str, blocks: &[Block]) {
        let length = self.enter(marker, &" ".repeat(marker.len()));
        let text = self.resolved(text);
        self.lines(&text);
        self.item_blocks(blocks);
        self.leave(length);
    }

    /// The blocks of an item. A list right under its text needs no blank line between.
    fn item_blocks(&mut self, blocks: &[Block]) {
        for (index, block) in blocks.iter().enumerate() {
            match block {
                Block::List(list) if index == 0 && self.marker.is_none() => self.items(list),
                block => self.block(block),
            }
        }
    }

    fn terms(&mut self, terms: &[Term]) {
        self.gap();
        for (index, Term { names, text, blocks }) in terms.iter().enumerate() {
            if index > 0 && !is_simple(&terms[index - 1].blocks) {
                self.gap();
            }
            let names: Vec<String> = names.iter().map(|name| bold(&self.resolved(name))).collect();
            let colon = if text.is_empty() { "" } else { ": " };
            self.item("- ", &format!("{}{colon}{text}", names.join(", ")), blocks);
        }
    }

    fn tab(&mut self, tab: &Tab) {
        // The blocks of a tab stand beside their label, not under it, so a tab inside another
        // names both: the choice it belongs to must be plain from its label alone.
        self.tab_labels.push(tab.label.clone());
        let label = self.tab_labels.join(" › ");
        self.bold_line(&label);
        self.blocks(&tab.blocks);
        self.tab_labels.pop();
    }
}

impl Writer<'_> {
    /// A text with its in-page references resolved. One that names a heading by its text leads to
    /// the id of that heading; one without a text of its own shows the heading.
    pub fn resolved(&self, text: &str) -> String {
        let [open, middle, close] = REFERENCE;
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, reference)) = rest.split_once(open) {
            resolved.push_str(before);
            let Some((anchor, inner)) = reference.split_once(middle) else { return resolved };
            let Some((shown, after)) = inner.split_once(close) else { return resolved };
            resolved.push_str(&self.reference(anchor, shown));
            rest = after;
        }
        resolved.push_str(rest);
        resolved
    }

    fn reference(&self, anchor: &str, shown: &str) -> String {
        let by_title = || self.ids_by_title.get(anchor).map(String::as_str);
        let (id, title) = match (self.titles.get(anchor), by_title()) {
            (Some(title), _) => (anchor, title.as_str()),
            (None, Some(id)) => (id, anchor),
            (None, None) => (anchor, anchor),
        };
        // A heading may hold a reference too; its marks must not come back in.
        let title = title.split(REFERENCE).next().unwrap_or_default();
        let shown = if shown.is_empty() { title } else { shown };
        if id.contains(' ') { shown.to_owned() } else { markdown_link(shown, &format!("#{id}")) }
    }
}

/// A text in bold.
pub fn bold(text: &str) -> String {
    // A text that is bold in part already would come out plain in that part.
    if text.contains("**") { text.to_owned() } else { format!("**{text}**") }
}

/// Whether an item with these blocks may stand close to the next one.
fn is_simple(blocks: &[Block]) -> bool {
    blocks.iter().all(|block| match block {
        Block::List(list) => list.items.iter().all(|item| is_simple(&item.blocks)),
        _ => false,
    })
}
