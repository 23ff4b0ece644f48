//! The Markdown reader, and what the other readers share with it.
//!
//! 1. Front matter is understood (title, description) and removed.
//! 2. Comments, and the imports of MDX, are removed; JSX elements stay, they read well enough.
//! 3. Headings outside code, quotes and lists cut the page into sections.
//!
//! Finding headings is left to a CommonMark parser, since "a line that begins with #" is wrong
//! inside fences, HTML blocks and indented code, and blind to setext headings.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{
    anchor::{self, Ids},
    document::{Document, Heading},
};

/// Reads a Markdown file. The name is its path; it gives the title if nothing else does.
pub fn read(source: &str, name: &str) -> Document {
    let source = source.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (matter, body) = split_front_matter(&source);
    let body = without_ranges(body, &unseen_ranges(body, Dialect::of(name)));
    let title =
        matter.title.or_else(|| first_title(&body)).unwrap_or_else(|| title_from_name(name));
    assemble(title, matter.description, body.trim_start_matches('\n'))
}

/// Cuts Markdown into sections, under a title heading of its own if it has none.
pub fn assemble(title: String, description: String, body: &str) -> Document {
    let (body, mut found) = without_heading_ids(body, headings(body));
    if found.first().is_some_and(|first| first.level == 1 && first.start == 0) {
        return Document::assemble(title, description, body, found);
    }
    let heading = format!("# {title}\n\n");
    for later in &mut found {
        later.start += heading.len();
        later.body_start += heading.len();
    }
    let anchor = anchor::github(&title);
    let body_start = heading.len();
    found.insert(0, Heading { level: 1, text: title.clone(), anchor, start: 0, body_start });
    Document::assemble(title, description, heading + &body, found)
}

/// A readable title for a page that names none: `getting-started.md` becomes "Getting started".
pub fn title_from_name(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let words = stem.replace(['-', '_'], " ");
    let mut chars = words.trim().chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => "Untitled".to_owned(),
    }
}

/// The text of Markdown without its markup and without the targets of its links.
pub fn plain_text(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len());
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Text(text) | Event::Code(text) => plain.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::Rule => plain.push('\n'),
            Event::InlineHtml(_) | Event::End(TagEnd::TableCell) => plain.push(' '),
            Event::End(tag) if ends_a_block(tag) => plain.push('\n'),
            _ => {}
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Elements that authors write into Markdown. What else stands in angle brackets is theirs: a
/// placeholder such as `<cluster-id>` must not be taken for markup.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "samp",
    "script",
    "section",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

/// Markdown without the HTML in it: blocks become Markdown, tags within a line go, line breaks
/// stay.
pub fn without_html(markdown: &str) -> String {
    if !markdown.contains('<') {
        return markdown.to_owned();
    }
    let mut kept = String::with_capacity(markdown.len());
    let mut at = 0;
    let mut links = Vec::new();
    for (event, range) in Parser::new_ext(markdown, options()).into_offset_iter() {
        let text = &markdown[range.clone()];
        let instead = match event {
            Event::Start(Tag::HtmlBlock) if is_markup(text) => {
                format!("{}\n", super::html::fragment(text))
            }
            Event::InlineHtml(_) if is_markup(text) => in_line(text, &mut links),
            _ => continue,
        };
        // A tag inside a block that is replaced already has gone with it.
        if range.start >= at {
            kept.push_str(&markdown[at..range.start]);
            kept.push_str(&instead);
            at = range.end;
        }
    }
    kept.push_str(&markdown[at..]);
    kept
}

/// What stands for a tag within a line. `links` are those that are open.
fn in_line(tag: &str, links: &mut Vec<String>) -> String {
    match (element_of(tag).as_str(), tag.starts_with("</")) {
        ("br", _) => " ".to_owned(),
        ("code", _) => "`".to_owned(),
        ("a", true) => links.pop().map(|target| format!("]({target})")).unwrap_or_default(),
        ("a", false) => match attribute(tag, "href") {
            Some(target) => {
                links.push(target.to_owned());
                "[".to_owned()
            }
            None => String::new(),
        },
        _ => String::new(),
    }
}

/// The value of an attribute in quotes, if nothing in it would end a link.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let value = tag.split_once(&format!("{name}="))?.1;
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value[1..].split(quote).next()?.trim();
    (!value.is_empty() && !value.contains([' ', '(', ')', '<', '>'])).then_some(value)
}

fn is_markup(html: &str) -> bool {
    let html = html.trim_start();
    html.starts_with("<!--") || ELEMENTS.binary_search(&element_of(html).as_str()).is_ok()
}

/// The name of the first element.
fn element_of(html: &str) -> String {
    let name = html.trim_start().trim_start_matches(['<', '/']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
    // A custom element has a dash in its name, and so has a placeholder.
    let is_plain = !name[end..].starts_with(['-', '_']);
    if is_plain { name[..end].to_ascii_lowercase() } else { String::new() }
}

fn ends_a_block(tag: TagEnd) -> bool {
    !matches!(
        tag,
        TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image
    )
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES
}

/// The headings that cut a page into sections: those not inside a list or a quote.
fn headings(body: &str) -> Vec<Heading> {
    let mut found: Vec<Heading> = Vec::new();
    let mut ids = Ids::default();
    let mut depth = 0usize;
    let mut open: Option<(String, Option<String>)> = None;
    for (event, range) in Parser::new_ext(body, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { id, .. }) if depth == 0 => {
                open = Some((String::new(), id.map(|id| id.to_string())));
            }
            Event::End(TagEnd::Heading(level)) => {
                let Some((text, id)) = open.take() else { continue };
                let text = text.trim().to_owned();
                let id = id.unwrap_or_else(|| anchor::github(&text));
                let anchor = ids.unique(id, 1);
                let (level, Range { start, end }) = (level as u8, range);
                found.push(Heading { level, text, anchor, start, body_start: end });
            }
            Event::Start(Tag::List(_) | Tag::BlockQuote(_)) => depth += 1,
            Event::End(TagEnd::List(_) | TagEnd::BlockQuote(_)) => depth -= 1,
            Event::Text(text) | Event::Code(text) => {
                if let Some((heading, _)) = &mut open {
                    heading.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((heading, _)) = &mut open {
                    heading.push(' ');
                }
            }
            _ => {}
        }
    }
    found
}

/// Takes the `{#id}` off headings: it is an address for machines, and the anchor has it now.
fn without_heading_ids(body: &str, mut headings: Vec<Heading>) -> (String, Vec<Heading>) {
    let mut kept = String::with_capacity(body.len());
    let mut at = 0;
    for heading in &mut headings {
        let removed = at - kept.len();
        let line = &body[heading.start..heading.body_start];
        heading.start -= removed;
        if let Some(open) = line.rfind("{#")
            && let Some(length) = line[open..].find('}')
            && !heading.text.ends_with('}')
        {
            let start = heading.start + removed;
            kept.push_str(body[at..start + open].trim_end_matches(' '));
            at = start + open + length + 1;
        }
        heading.body_start -= at - kept.len();
    }
    kept.push_str(&body[at..]);
    (kept, headings)
}

/// The text of the first heading of the first level.
pub fn first_title(body: &str) -> Option<String> {
    let first = headings(body).into_iter().find(|heading| heading.level == 1)?;
    Some(first.text).filter(|text| !text.is_empty())
}

#[derive(Default)]
struct FrontMatter {
    title: Option<String>,
    description: String,
}

/// Takes YAML (`---`) or TOML (`+++`) front matter off the top. Only its two plain keys matter
/// here, so lines are read one by one and everything else is passed over.
fn split_front_matter(source: &str) -> (FrontMatter, &str) {
    let mut matter = FrontMatter::default();
    let Some(fence) = ["---\n", "+++\n"].into_iter().find(|fence| source.starts_with(fence)) else {
        return (matter, source);
    };
    let separator = if fence == "+++\n" { '=' } else { ':' };
    let mut at = fence.len();
    for line in source[fence.len()..].split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == fence.trim_end() {
            return (matter, &source[at..]);
        }
        let Some((key, value)) = line.split_once(separator) else { continue };
        let value = unquoted(value.trim());
        match key {
            _ if value.is_empty() => {}
            "title" | "title " => matter.title = Some(value.to_owned()),
            "description" | "description " => value.clone_into(&mut matter.description),
            _ => {}
        }
    }
    // A first line of dashes that nothing closes is a thematic break, not front matter.
    (FrontMatter::default(), source)
}

fn unquoted(value: &str) -> &str {
    let inner = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    let block_scalar = matches!(value, ">" | "|" | ">-" | "|-");
    inner('"').or_else(|| inner('\'')).unwrap_or(if block_scalar { "" } else { value })
}

/// Plain Markdown, or the dialect in which JavaScript may stand between paragraphs.
#[derive(Clone, Copy, PartialEq)]
enum Dialect {
    Plain,
    Mdx,
}

impl Dialect {
    fn of(name: &str) -> Self {
        let extension = name.rsplit('.').next().unwrap_or_default();
        if extension.eq_ignore_ascii_case("mdx") { Self::Mdx } else { Self::Plain }
    }
}

/// The parts of a page its readers never see: comments, and in MDX also imports and exports.
fn unseen_ranges(body: &str, dialect: Dialect) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for (event, range) in Parser::new_ext(body, options()).into_offset_iter() {
        let text = &body[range.clone()];
        let unseen = match event {
            Event::Start(Tag::HtmlBlock) => is_only_a_comment(text),
            Event::InlineHtml(_) => text.starts_with("<!--"),
            Event::Start(Tag::Paragraph) if dialect == Dialect::Mdx => {
                let text = text.trim();
                text.starts_with("import ")
                    || text.starts_with("export ")
                    || (text.starts_with("{/*") && text.ends_with("*/}"))
            }
            _ => false,
        };
        if unseen {
            ranges.push(range);
        }
    }
    ranges
}

fn is_only_a_comment(html: &str) -> bool {
    let html = html.trim();
    html.starts_with("<!--") && html.find("-->").is_none_or(|at| at + 3 == html.len())
}

fn without_ranges(body: &str, ranges: &[Range<usize>]) -> String {
    let mut kept = String::with_capacity(body.len());
    let mut at = 0;
    for range in ranges {
        // An unseen paragraph may hold an unseen comment, whose range is then inside its own.
        if range.start >= at {
            kept.push_str(&body[at..range.start]);
            at = range.end;
        }
    }
    kept.push_str(&body[at..]);
    kept
}

#[cfg(test)]
mod tests;
