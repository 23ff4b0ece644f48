//! The AsciiDoc reader, for pages as Antora sites really write them.
//!
//! Technical sites are made of includes by tag, conditions, tabs and tables of blocks, and no
//! crate we know of renders those. So this is a reader of our own, and it aims at readable Markdown
//! rather than at a complete AsciiDoc:
//!
//! 1. `preprocess`: conditions are decided, includes pulled in, block comments dropped.
//! 2. `parse`: lines become blocks; `inline`: their text becomes Markdown.
//! 3. `render`: blocks become Markdown, cut at its headings.
//!
//! There is no text it refuses. Everything that can nest, repeat or refer is bounded, because a
//! folder of documentation is written by many hands.

mod attributes;
mod attrlist;
mod block;
mod condition;
mod delimited;
mod inline;
mod list;
mod macros;
mod parse;
mod preprocess;
mod render;
mod render_table;
mod select;
mod shield;
pub mod site;
mod table;
mod walk;

use self::{
    block::Block,
    parse::Parser,
    render::Writer,
    site::{HeadOnly, Site},
};
use super::{document::Document, markdown};

/// A head is looked for in so many bytes of a page.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// What the head of a page says, before anything else is read of it.
pub struct Header {
    /// As plain text; the name of the file, if the page names no title.
    pub title: String,
    /// The ids this page had in earlier days.
    pub page_aliases: Vec<String>,
}

/// Reads the head of a page.
pub fn header(source: &str, path: &str, site: &dyn Site) -> Header {
    let head = &source[..source.floor_char_boundary(HEAD_BYTES_MAX)];
    let site = HeadOnly(site);
    let lines = preprocess::lines(head, path, &site);
    let mut parser = Parser::new(&site, path);
    let (title, _) = parser.header(&borrowed(&lines));
    let aliases = parser.attributes.get("page-aliases").unwrap_or_default();
    let page_aliases = aliases.split(',').map(str::trim).filter(|alias| !alias.is_empty());
    Header {
        title: title_or_name(&title, path),
        page_aliases: page_aliases.map(str::to_owned).collect(),
    }
}

/// Reads a page.
pub fn read(source: &str, path: &str, site: &dyn Site) -> Document {
    let lines = preprocess::lines(source, path, site);
    let lines = borrowed(&lines);
    let mut parser = Parser::new(site, path);
    let (title, body_start) = parser.header(&lines);
    let description = parser.attributes.get("description").map(str::to_owned);
    let blocks = parser.blocks(&lines[body_start..]);
    // Authors put a blank line above the attributes and so out of the head; they mean it still.
    let description =
        description.or_else(|| parser.attributes.get("description").map(str::to_owned));
    let description = parser.inline(&description.unwrap_or_default());

    let plain_title = title_or_name(&title, path);
    let title = if title.is_empty() { plain_title.clone() } else { title };
    let mut writer = Writer::new(&parser.titles, &parser.ids_by_title);
    writer.blocks(&[Block::Heading { level: 1, text: title, id: String::new() }]);
    let title_end = writer.markdown.len();
    writer.blocks(&blocks);
    // A landing page may consist of its head only.
    if writer.markdown.len() == title_end && !description.is_empty() {
        writer.blocks(&[Block::Paragraph(description.clone())]);
    }
    writer.footnotes(&parser.footnotes);
    let description = markdown::plain_text(&description);
    Document::assemble(plain_title, description, writer.markdown, writer.headings)
}

/// Reads a text that has no files around it.
pub fn read_alone(source: &str, name: &str) -> Document {
    read(source, name, &site::Alone)
}

fn title_or_name(title: &str, path: &str) -> String {
    let plain = markdown::plain_text(title);
    if plain.is_empty() { markdown::title_from_name(path) } else { plain }
}

fn borrowed(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests;
