//! Lists: bulleted, numbered, of callouts and of terms, nested by their markers.

use super::{
    block::{Block, Item, List, Marker, Term},
    delimited,
    parse::{Cursor, Meta, Parser, block_attributes, block_title},
};

/// The marker of a list item. A marker that is not open yet opens a list inside the item above
/// it; one that is open goes on with that list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The character and how often it is repeated.
    Bullet(char, usize),
    Dots(usize),
    Digits,
    Letter(char),
    Roman,
    Callout,
    /// How many colons; zero for two semicolons.
    Term(usize),
}

/// A line that starts a list item.
struct Start<'a> {
    kind: Kind,
    /// The number or the term, and what follows the marker.
    label: &'a str,
    text: &'a str,
}

impl Kind {
    /// The marker a line starts with.
    pub fn of(line: &str) -> Option<Self> {
        Start::of(line).map(|start| start.kind)
    }
}

impl<'a> Start<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let line = line.trim_start();
        Self::marked(line).or_else(|| Self::term(line))
    }

    fn marked(line: &'a str) -> Option<Self> {
        let (label, text) = line.split_once([' ', '\t'])?;
        let text = text.trim_start();
        if text.is_empty() {
            return None;
        }
        let length = label.len();
        let all = |mark: char| length <= 5 && label.chars().all(|c| c == mark);
        let kind = match label {
            "-" | "•" => Kind::Bullet('-', 1),
            _ if all('*') => Kind::Bullet('*', length),
            _ if all('.') => Kind::Dots(length),
            _ => {
                let (body, close) = label.split_at(length - label.chars().next_back()?.len_utf8());
                let digits = !body.is_empty() && body.chars().all(|c| c.is_ascii_digit());
                let mut letters = body.chars();
                match (close, letters.next(), letters.next()) {
                    (".", ..) if digits => Kind::Digits,
                    (".", Some(c), None) if c.is_ascii_alphabetic() => {
                        Kind::Letter(if c.is_ascii_lowercase() { 'a' } else { 'A' })
                    }
                    (")", ..) if is_roman(body) => Kind::Roman,
                    (">", Some('<'), Some(_)) if is_callout(&body[1..]) => Kind::Callout,
                    _ => return None,
                }
            }
        };
        Some(Self { kind, label, text })
    }

    fn term(line: &'a str) -> Option<Self> {
        if line.starts_with("//") {
            return None;
        }
        // The mark must be followed by a blank or the end, else it is a macro or a namespace.
        let mut at = 0;
        while let Some(found) = line[at..].find([':', ';']) {
            let start = at + found;
            let mark = &line[start..=start];
            let after = line[start..].trim_start_matches(mark);
            at = line.len() - after.len();
            let kind = match (mark, at - start) {
                (":", length @ 2..=4) => Kind::Term(length),
                (";", 2) => Kind::Term(0),
                _ => continue,
            };
            if start > 0 && (after.is_empty() || after.starts_with([' ', '\t'])) {
                return Some(Self { kind, label: &line[..start], text: after.trim() });
            }
        }
        None
    }
}

fn is_roman(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| "ivxlcdmIVXLCDM".contains(c))
}

fn is_callout(text: &str) -> bool {
    text == "." || (!text.is_empty() && text.chars().all(|c| c.is_ascii_digit()))
}

impl Parser<'_> {
    /// Reads a list, if one starts here.
    pub fn list(&mut self, cursor: &mut Cursor, meta: &Meta) -> Option<Block> {
        let start = Start::of(cursor.peek()?)?;
        if !self.enter() {
            return None;
        }
        self.open_lists.push(start.kind);
        let block = match start.kind {
            Kind::Term(_) => {
                let terms = Block::Terms(self.terms(cursor, start.kind));
                if meta.list.style == "tabs" { delimited::tabs(vec![terms]) } else { terms }
            }
            kind => {
                let marker = marker(kind, start.label, meta);
                Block::List(List { marker, items: self.items(cursor, kind) })
            }
        };
        self.open_lists.pop();
        self.leave();
        Some(block)
    }

    fn items(&mut self, cursor: &mut Cursor, kind: Kind) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some(start) = next_item(cursor, kind) {
            cursor.at += 1;
            let mut lines = vec![start.text];
            lines.extend(self.text_lines(cursor).into_iter().map(str::trim_start));
            let text = self.item_text(&lines.join("\n"));
            let mut blocks = Vec::new();
            self.attached(cursor, &mut blocks, &text);
            items.push(Item { text, blocks });
        }
        items
    }

    /// The text of an item, with the box of a checklist as Markdown writes it.
    fn item_text(&mut self, text: &str) -> String {
        for (mark, shown) in [("[ ] ", "[ ] "), ("[x] ", "[x] "), ("[*] ", "[x] ")] {
            if let Some(rest) = text.strip_prefix(mark) {
                return format!("{shown}{}", self.inline(rest));
            }
        }
        self.inline(text)
    }

    fn terms(&mut self, cursor: &mut Cursor, kind: Kind) -> Vec<Term> {
        let mut terms: Vec<Term> = Vec::new();
        let mut names = Vec::new();
        while let Some(start) = next_item(cursor, kind) {
            cursor.at += 1;
            names.push(self.inline(start.label));
            let mut lines = vec![start.text];
            lines.extend(self.text_lines(cursor));
            let mut text = lines.join("\n").trim_start().to_owned();
            if text.is_empty() {
                // Several terms may share one description, and a description may stand below.
                let at = cursor.at;
                cursor.skip_blank();
                if next_item(cursor, kind).is_some() {
                    continue;
                }
                text = self.text_lines(cursor).join("\n");
                if text.is_empty() {
                    cursor.at = at;
                }
            }
            let text = self.inline(text.trim_start());
            let mut blocks = Vec::new();
            self.attached(cursor, &mut blocks, &text);
            terms.push(Term { names: std::mem::take(&mut names), text, blocks });
        }
        if !names.is_empty() {
            terms.push(Term { names, ..Term::default() });
        }
        terms
    }

    /// Reads what belongs to a list item after its text: blocks attached by `+`, lists inside it,
    /// indented listings. An item without text may also have a block right below it.
    fn attached(&mut self, cursor: &mut Cursor, blocks: &mut Vec<Block>, text: &str) {
        loop {
            let start = cursor.at;
            let blank = cursor.skip_blank();
            let Some(line) = cursor.peek() else { return };
            if line == "+" {
                if blank > 0 && self.open_lists.len() > 1 {
                    // Each blank line above a continuation hands it one list further out.
                    cursor.at -= blank - 1;
                    return;
                }
                cursor.at += 1;
                cursor.skip_blank();
                let goes_on = cursor.peek().and_then(Kind::of);
                if goes_on.is_none_or(|kind| !self.open_lists.contains(&kind)) {
                    self.block(cursor, blocks);
                }
            } else if let Some(kind) = kind_below_meta(cursor) {
                if self.open_lists.contains(&kind) {
                    cursor.at = start;
                    return;
                }
                self.block(cursor, blocks);
            } else if (blank > 0 && line.starts_with([' ', '\t']))
                || (text.is_empty()
                    && blocks.is_empty()
                    && delimited::Delimiter::of(line).is_some())
            {
                self.block(cursor, blocks);
            } else if blank == 0 && self.skipped(line) {
                cursor.at += 1;
            } else {
                cursor.at = start;
                return;
            }
        }
    }
}

/// The next item of a list of this kind, if it follows here. Blank lines before it are passed over.
fn next_item<'l>(cursor: &mut Cursor<'l>, kind: Kind) -> Option<Start<'l>> {
    let at = cursor.at;
    cursor.skip_blank();
    let start = cursor.peek().and_then(Start::of).filter(|start| start.kind == kind);
    if start.is_none() {
        cursor.at = at;
    }
    start
}

/// The marker of the list that starts here, under attributes and a title of its own.
fn kind_below_meta(cursor: &Cursor) -> Option<Kind> {
    let is_meta = |line: &&&str| block_attributes(line).is_some() || block_title(line).is_some();
    let below = cursor.lines[cursor.at..].iter().find(|line| !is_meta(line))?;
    Kind::of(below)
}

fn marker(kind: Kind, label: &str, meta: &Meta) -> Marker {
    let digits = label.trim_matches(|c: char| !c.is_ascii_digit());
    let first = meta.list.get("start").unwrap_or(digits).parse().unwrap_or(1);
    if matches!(kind, Kind::Bullet(..)) { Marker::Bullet } else { Marker::Number(first) }
}
