//! Delimited blocks, and paragraphs that a style makes into the same things.

use super::{
    block::{Block, Tab},
    parse::{Cursor, Meta, Parser},
    preprocess::is_run_of,
    select,
    shield::{LOST_INCLUDE, unshield},
};
use crate::docs::html;

/// The kinds of delimited blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delimiter {
    Listing,
    Fenced,
    Literal,
    Example,
    Sidebar,
    Quote,
    Passthrough,
    Open,
    Comment,
    Table,
}

impl Delimiter {
    /// The block a line opens.
    pub fn of(line: &str) -> Option<Self> {
        match line {
            "--" => return Some(Self::Open),
            "|===" | ",===" | ":===" | "!===" => return Some(Self::Table),
            _ if line.starts_with("```") && !line[3..].contains('`') => return Some(Self::Fenced),
            _ => {}
        }
        let kinds = [
            ('-', Self::Listing),
            ('.', Self::Literal),
            ('=', Self::Example),
            ('*', Self::Sidebar),
            ('_', Self::Quote),
            ('+', Self::Passthrough),
            ('/', Self::Comment),
        ];
        let found = kinds.iter().find(|(mark, _)| is_run_of(line, *mark));
        match found {
            Some((_, kind)) => Some(*kind),
            // Longer table delimiters let tables stand in tables.
            None if line.starts_with('|') && is_run_of(&line[1..], '=') => Some(Self::Table),
            None => None,
        }
    }

    /// Whether what stands inside is text as it is.
    fn is_verbatim(self) -> bool {
        matches!(
            self,
            Self::Listing | Self::Fenced | Self::Literal | Self::Passthrough | Self::Comment
        )
    }
}

/// The label of an admonition.
pub fn admonition(style: &str) -> Option<&'static str> {
    Some(match style {
        "NOTE" => "Note",
        "TIP" => "Tip",
        "IMPORTANT" => "Important",
        "WARNING" => "Warning",
        "CAUTION" => "Caution",
        _ => return None,
    })
}

impl Parser<'_> {
    /// Reads a delimited block, if one opens here.
    pub fn delimited(&mut self, cursor: &mut Cursor, meta: &Meta) -> Option<Block> {
        let line = cursor.peek()?;
        let delimiter = Delimiter::of(line)?;
        let closing = if delimiter == Delimiter::Fenced { "```" } else { line };
        cursor.at += 1;
        let lines = match cursor.take_until(closing) {
            Some(lines) => lines,
            // An unclosed listing is still a listing, to the end. But an unclosed example or quote
            // is read on as if it were not there, which keeps the headings below it.
            None if delimiter.is_verbatim() || delimiter == Delimiter::Table => cursor.take_rest(),
            None => return Some(Block::Group(Vec::new())),
        };
        Some(match delimiter {
            Delimiter::Comment => Block::Group(Vec::new()),
            Delimiter::Table => self.table(line, lines, meta),
            Delimiter::Fenced => self.code(lines, meta, line.trim_start_matches('`').trim()),
            Delimiter::Passthrough => passthrough(lines, meta),
            Delimiter::Listing | Delimiter::Literal => self.code(lines, meta, ""),
            Delimiter::Example | Delimiter::Open => self.container(lines, meta),
            Delimiter::Sidebar => self.framed(lines, meta),
            Delimiter::Quote if meta.list.style == "verse" => self.verse(lines, meta),
            Delimiter::Quote => self.quote(lines, meta),
        })
    }

    fn container(&mut self, lines: &[&str], meta: &Meta) -> Block {
        let style = meta.list.style.as_str();
        if let Some(label) = admonition(style) {
            return Block::Admonition { label, blocks: self.blocks(lines) };
        }
        match style {
            "tabs" => {
                let blocks = self.blocks(lines);
                tabs(blocks)
            }
            "source" | "listing" | "literal" => self.code(lines, meta, ""),
            "quote" => self.quote(lines, meta),
            "verse" => self.verse(lines, meta),
            "sidebar" | "abstract" | "partintro" => self.framed(lines, meta),
            "pass" | "stem" | "latexmath" | "asciimath" => passthrough(lines, meta),
            "comment" => Block::Group(Vec::new()),
            _ => Block::Group(self.blocks(lines)),
        }
    }

    fn framed(&mut self, lines: &[&str], meta: &Meta) -> Block {
        match admonition(&meta.list.style) {
            Some(label) => Block::Admonition { label, blocks: self.blocks(lines) },
            None => Block::Quote { blocks: self.blocks(lines), source: String::new() },
        }
    }

    fn quote(&mut self, lines: &[&str], meta: &Meta) -> Block {
        if let Some(label) = admonition(&meta.list.style) {
            return Block::Admonition { label, blocks: self.blocks(lines) };
        }
        Block::Quote { blocks: self.blocks(lines), source: self.quoted_from(meta) }
    }

    fn verse(&mut self, lines: &[&str], meta: &Meta) -> Block {
        let text = self.inline(&lines.join("\n")).replace('\n', "\\\n");
        let blocks = vec![Block::Paragraph(text)];
        Block::Quote { blocks, source: self.quoted_from(meta) }
    }

    fn quoted_from(&mut self, meta: &Meta) -> String {
        let source = [meta.list.at(1), meta.list.at(2)];
        let source: Vec<&str> = source.into_iter().flatten().collect();
        self.inline(&source.join(", "))
    }

    /// A listing. The language of a fence comes from the fence itself, if it names one.
    fn code(&mut self, lines: &[&str], meta: &Meta, fence_language: &str) -> Block {
        let list = &meta.list;
        if let Some(label) = admonition(&list.style) {
            return Block::Admonition { label, blocks: self.blocks(lines) };
        }
        let language = match list.style.as_str() {
            _ if !fence_language.is_empty() => fence_language,
            "" | "source" | "listing" | "literal" => list.at(1).unwrap_or_default(),
            style => style,
        };
        let language: String =
            language.chars().take_while(|c| !c.is_whitespace() && *c != ',' && *c != '`').collect();
        let lines: Vec<String> = match list.get("indent").and_then(|spaces| spaces.parse().ok()) {
            Some(spaces) => select::indented(lines, spaces),
            None => lines.iter().map(|&line| line.to_owned()).collect(),
        };
        let mut text = lines.join("\n").replace(LOST_INCLUDE, "Include not found: ");
        let subs = list.get("subs").unwrap_or_default();
        if subs.contains("attributes") || subs.contains("normal") {
            text = unshield(&self.attributes.substitute(&text));
        }
        Block::Code { language, text }
    }

    /// A paragraph with a style: admonition, quote, listing, or plain.
    pub fn styled_paragraph(&mut self, lines: &[&str], meta: &Meta) -> Block {
        let style = meta.list.style.as_str();
        if matches!(style, "source" | "listing" | "literal") {
            return self.code(lines, meta, "");
        }
        if style.is_empty() && lines[0].starts_with([' ', '\t']) {
            let text = select::indented(lines, 0).join("\n");
            return Block::Code { language: String::new(), text };
        }
        let first = lines[0].trim_start();
        let label = first.split_once(": ").and_then(|(label, _)| admonition(label));
        if let Some(label) = label.or_else(|| admonition(style)) {
            let text = lines.join("\n");
            let text = text.split_once(": ").filter(|(it, _)| admonition(it).is_some());
            let joined = lines.join("\n");
            let text = text.map_or(joined.as_str(), |(_, text)| text);
            return Block::Admonition { label, blocks: vec![self.text(text)] };
        }
        match style {
            "quote" => {
                let blocks = vec![self.text(&lines.join("\n"))];
                Block::Quote { blocks, source: self.quoted_from(meta) }
            }
            "verse" => self.verse(lines, meta),
            "pass" | "stem" | "latexmath" | "asciimath" => passthrough(lines, meta),
            "comment" => Block::Group(Vec::new()),
            _ if meta.list.has_option("hardbreaks") => {
                let text = self.inline(&lines.join("\n")).replace('\n', "\\\n");
                Block::Paragraph(text)
            }
            _ => self.text(&lines.join("\n")),
        }
    }

    /// A block macro on a line of its own.
    pub fn block_macro(&mut self, cursor: &mut Cursor) -> Option<Block> {
        let line = cursor.peek()?;
        let (name, rest) = line.split_once("::")?;
        let (target, text) = rest.strip_suffix(']')?.split_once('[')?;
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !is_name || target.contains(' ') {
            return None;
        }
        cursor.at += 1;
        let text = match name {
            "image" => self.image(target, text),
            "video" | "audio" => self.media(name, target, text),
            "toc" | "badge" => String::new(),
            // A macro of the site's own: what it shows is not ours to know, but its text is.
            _ => self.custom_macro_text("", text),
        };
        let is_empty = text.is_empty();
        Some(if is_empty { Block::Group(Vec::new()) } else { Block::Paragraph(text) })
    }
}

/// Raw HTML as Markdown, or a formula.
fn passthrough(lines: &[&str], meta: &Meta) -> Block {
    let text = lines.join("\n");
    if matches!(meta.list.style.as_str(), "stem" | "latexmath" | "asciimath") {
        return Block::Code { language: "math".to_owned(), text };
    }
    let markdown = html::fragment(&text);
    let is_empty = markdown.trim().is_empty();
    if is_empty { Block::Group(Vec::new()) } else { Block::Paragraph(markdown) }
}

/// The tabs of a block that holds a description list, with what else stands in it.
pub fn tabs(blocks: Vec<Block>) -> Block {
    let mut grouped = Vec::with_capacity(blocks.len());
    for block in blocks {
        let Block::Terms(terms) = block else {
            grouped.push(block);
            continue;
        };
        let tabs = terms.into_iter().map(|term| {
            let mut blocks = term.blocks;
            if !term.text.is_empty() {
                blocks.insert(0, Block::Paragraph(term.text));
            }
            Tab { label: term.names.join(", "), blocks }
        });
        grouped.push(Block::Tabs(tabs.collect()));
    }
    Block::Group(grouped)
}
