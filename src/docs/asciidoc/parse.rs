//! From lines to blocks: what stands above a block, and which block it is.
//!
//! The rules are Asciidoctor's, but more forgiving where a slip would cost a page: a delimiter
//! that nothing closes is passed over instead of swallowing the rest, and a heading ends a
//! paragraph even without a blank line. Everything nested is bounded by [`DEPTH_MAX`], and no
//! search is repeated once it failed, so that a page costs time in proportion to its size.

use std::collections::{HashMap, HashSet};

use super::{
    attributes::{self, Attributes},
    attrlist::AttrList,
    block::Block,
    list::Kind,
    preprocess::{heading, is_run_of, is_underlined},
    shield::LOST_INCLUDE,
    site::Site,
};
use crate::docs::{
    anchor::{self, Ids},
    markdown,
};

/// Blocks inside blocks beyond this depth are shown as they are written.
const DEPTH_MAX: usize = 20;

/// What has been read of a page so far.
pub struct Parser<'s> {
    pub site: &'s dyn Site,
    /// The page itself; what it includes resolves its references from here too.
    pub path: &'s str,
    pub attributes: Attributes,
    /// The headings of the page: the text of each by id, and the id of each by plain text.
    pub titles: HashMap<String, String>,
    pub ids_by_title: HashMap<String, String>,
    /// The texts of footnotes, and the numbers of the named ones.
    pub footnotes: Vec<String>,
    pub footnote_numbers: HashMap<String, usize>,
    /// The lists that are open around the current line, outermost first.
    pub open_lists: Vec<Kind>,
    ids: Ids,
    depth: usize,
}

/// A place in the lines of a block.
pub struct Cursor<'l> {
    pub lines: &'l [&'l str],
    pub at: usize,
    /// Delimiters that are known to have no partner in the lines that remain.
    unclosed: HashSet<&'l str>,
}

/// What stands above a block: its title and attributes.
#[derive(Default)]
pub struct Meta {
    pub list: AttrList,
    pub title: Option<String>,
}

impl<'l> Cursor<'l> {
    pub fn new(lines: &'l [&'l str]) -> Self {
        Self { lines, at: 0, unclosed: HashSet::new() }
    }

    pub fn peek(&self) -> Option<&'l str> {
        self.lines.get(self.at).copied()
    }

    /// Passes over blank lines and says how many there were.
    pub fn skip_blank(&mut self) -> usize {
        let blank = self.lines[self.at..].iter().take_while(|line| line.is_empty()).count();
        self.at += blank;
        blank
    }

    /// Takes the lines from here up to a closing delimiter, and passes over it.
    pub fn take_until(&mut self, delimiter: &'l str) -> Option<&'l [&'l str]> {
        if self.unclosed.contains(delimiter) {
            return None;
        }
        let rest = &self.lines[self.at..];
        let Some(length) = rest.iter().position(|line| *line == delimiter) else {
            self.unclosed.insert(delimiter);
            return None;
        };
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// Takes all lines that remain.
    pub fn take_rest(&mut self) -> &'l [&'l str] {
        let rest = &self.lines[self.at..];
        self.at = self.lines.len();
        rest
    }
}

impl<'s> Parser<'s> {
    pub fn new(site: &'s dyn Site, path: &'s str) -> Self {
        Self {
            site,
            path,
            attributes: Attributes::new(site.attributes(path)),
            titles: HashMap::new(),
            ids_by_title: HashMap::new(),
            footnotes: Vec::new(),
            footnote_numbers: HashMap::new(),
            open_lists: Vec::new(),
            ids: Ids::default(),
            depth: 0,
        }
    }

    /// Reads the head of a page: its title as Markdown, empty if it has none, and the number of
    /// the line its body starts with.
    pub fn header(&mut self, lines: &[&str]) -> (String, usize) {
        let mut title = String::new();
        for (at, &line) in lines.iter().enumerate() {
            let of_head = match heading(line) {
                Some((1, text)) if title.is_empty() && line.starts_with('=') => {
                    title = self.inline(text);
                    true
                }
                _ if line.is_empty() => title.is_empty(),
                _ => self.skipped(line) || (!title.is_empty() && is_author_line(line)),
            };
            if !of_head {
                return (title, at);
            }
        }
        (title, lines.len())
    }

    /// The blocks of these lines, apart from any list they stand in.
    pub fn blocks(&mut self, lines: &[&str]) -> Vec<Block> {
        if !self.enter() {
            return vec![Block::Code { language: String::new(), text: lines.join("\n") }];
        }
        let open_lists = std::mem::take(&mut self.open_lists);
        let mut cursor = Cursor::new(lines);
        let mut blocks = Vec::new();
        while cursor.at < lines.len() {
            self.block(&mut cursor, &mut blocks);
        }
        self.open_lists = open_lists;
        self.leave();
        blocks
    }

    /// Goes one level deeper, unless that is too deep.
    pub fn enter(&mut self) -> bool {
        let enters = self.depth < DEPTH_MAX;
        self.depth += usize::from(enters);
        enters
    }

    /// Comes back from one level deeper.
    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Reads one block with what stands above it. Always moves on, unless at the end.
    pub fn block(&mut self, cursor: &mut Cursor, blocks: &mut Vec<Block>) {
        let meta = self.meta(cursor);
        let Some(line) = cursor.peek() else { return };
        if line == "+" {
            // A continuation of nothing.
            cursor.at += 1;
            return;
        }
        if self.heading(cursor, &meta, blocks) {
            return;
        }
        let found = lost_include(cursor)
            .or_else(|| self.delimited(cursor, &meta))
            .or_else(|| rule(cursor))
            .or_else(|| self.block_macro(cursor))
            .or_else(|| self.list(cursor, &meta))
            .unwrap_or_else(|| self.paragraph(cursor, &meta));
        // Nothing came of the block, as of a decorative image: then its title says nothing either.
        if found == Block::Group(Vec::new()) {
            return;
        }
        if let Some(title) = &meta.title {
            let title = self.inline(title);
            blocks.push(Block::Caption(title));
        }
        blocks.push(found);
    }

    /// Reads the lines above a block: anchors, attributes, its title, and comments and attribute
    /// entries between them.
    fn meta(&mut self, cursor: &mut Cursor) -> Meta {
        let mut meta = Meta::default();
        loop {
            cursor.skip_blank();
            let Some(line) = cursor.peek() else { return meta };
            if self.skipped(line) {
                // Nothing to keep.
            } else if let Some(list) = block_attributes(line) {
                let list = self.attributes.substitute(list);
                match list.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                    Some(anchor) => {
                        let id = anchor.split(',').next().unwrap_or(anchor).trim();
                        meta.list.id = super::shield::unshield(id);
                    }
                    None => meta.list.merge(AttrList::parse(&super::shield::unshield(&list))),
                }
            } else if let Some(title) = block_title(line) {
                meta.title = Some(title.to_owned());
            } else {
                return meta;
            }
            cursor.at += 1;
        }
    }

    /// Whether a line is no text: a comment, or an attribute entry, which is followed.
    pub fn skipped(&mut self, line: &str) -> bool {
        if line.starts_with("//") && !line.starts_with("///") {
            return true;
        }
        let Some(entry) = attributes::entry(line) else { return false };
        self.attributes.apply(&entry);
        true
    }

    fn heading(&mut self, cursor: &mut Cursor, meta: &Meta, blocks: &mut Vec<Block>) -> bool {
        let Some(line) = cursor.peek() else { return false };
        let below = cursor.lines.get(cursor.at + 1);
        let (level, title, length) = match (heading(line), below) {
            (Some((level, title)), _) => (level, title, 1),
            (None, Some(below)) if is_underlined(line, below) => {
                let level = 1 + "=-~^+".find(&below[..1]).unwrap_or(1);
                (level, line, 2)
            }
            _ => return false,
        };
        cursor.at += length;
        let text = self.inline(title);
        let plain = markdown::plain_text(&text);
        let id = if meta.list.id.is_empty() {
            self.ids.unique(anchor::asciidoctor(&plain), 2)
        } else {
            self.ids.unique(meta.list.id.clone(), 2)
        };
        self.titles.entry(id.clone()).or_insert_with(|| text.clone());
        self.ids_by_title.entry(plain).or_insert_with(|| id.clone());
        blocks.push(Block::Heading { level, text, id });
        true
    }

    /// The lines of a paragraph or of the text of a list item.
    pub fn text_lines<'l>(&mut self, cursor: &mut Cursor<'l>) -> Vec<&'l str> {
        let mut lines = Vec::new();
        while let Some(line) = cursor.peek() {
            let in_list = !self.open_lists.is_empty();
            if line.is_empty()
                || line == "+"
                || ends_text(line)
                || (in_list && Kind::of(line).is_some())
            {
                break;
            }
            if !self.skipped(line) {
                lines.push(line);
            }
            cursor.at += 1;
        }
        lines
    }

    fn paragraph(&mut self, cursor: &mut Cursor, meta: &Meta) -> Block {
        let start = cursor.at;
        let lines = self.text_lines(cursor);
        if cursor.at == start {
            // The line would end the text it starts: a delimiter that nothing closes, say. A line
            // of marks says nothing; anything else is text after all.
            let line = cursor.lines[start];
            cursor.at += 1;
            let is_delimiter = line.chars().all(|c| !c.is_alphanumeric());
            return if is_delimiter { Block::Group(Vec::new()) } else { self.text(line) };
        }
        if lines.is_empty() {
            return Block::Group(Vec::new());
        }
        self.styled_paragraph(&lines, meta)
    }

    /// A paragraph without regard to style.
    pub fn text(&mut self, text: &str) -> Block {
        Block::Paragraph(self.inline(text))
    }
}

/// Whether a line ends the paragraph above it.
fn ends_text(line: &str) -> bool {
    line.starts_with(LOST_INCLUDE)
        || block_attributes(line).is_some()
        || super::delimited::Delimiter::of(line).is_some()
        || heading(line).is_some_and(|(level, _)| level > 1 && line.starts_with('='))
}

/// Whether a line under a title names an author or a revision, as in `Ada <ada@x.example>`.
fn is_author_line(line: &str) -> bool {
    let is_author = line.contains('<') && line.contains('@') && line.ends_with('>');
    let is_revision = line.starts_with('v') && line[1..].starts_with(|c: char| c.is_ascii_digit());
    is_author || is_revision
}

fn lost_include(cursor: &mut Cursor) -> Option<Block> {
    let target = cursor.peek()?.strip_prefix(LOST_INCLUDE)?;
    cursor.at += 1;
    Some(Block::LostInclude(target.to_owned()))
}

fn rule(cursor: &mut Cursor) -> Option<Block> {
    let block = match cursor.peek()? {
        "'''" | "---" | "***" | "- - -" | "* * *" => Block::Rule,
        "<<<" => Block::Group(Vec::new()),
        line if is_run_of(line, '\'') => Block::Rule,
        _ => return None,
    };
    cursor.at += 1;
    Some(block)
}

/// The inside of a line of block attributes, `[[anchor]]` included.
pub fn block_attributes(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?.strip_suffix(']')?;
    let starts_well = inner.starts_with(|c: char| c.is_alphanumeric() || "_.#%,\"'{[".contains(c));
    let is_anchor = inner.starts_with('[') && inner.ends_with(']');
    let is_list = starts_well && (is_anchor || !inner.starts_with('['));
    (inner.is_empty() || is_list).then_some(inner)
}

/// The title of a block, as in `.Title`.
pub fn block_title(line: &str) -> Option<&str> {
    let title = line.strip_prefix('.')?;
    let starts_well = !title.starts_with([' ', '\t', '.']) || title.starts_with("..");
    (!title.is_empty() && starts_well && !is_run_of(line, '.')).then_some(title)
}
