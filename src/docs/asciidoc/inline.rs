//! Inline text: quotes, macros and links become Markdown.
//!
//! Two steps. First literal passages are shielded where they stand and attribute references
//! replaced, because attributes may hold markup. Then one walk from left to right finds markup
//! and writes Markdown; what it has written is never looked at again. Where a search for a
//! closing mark fails once it would fail again further on, so each kind of mark is given up on
//! for the rest of the text: no text takes more than linear time per nesting level.

use super::{
    parse::Parser,
    shield::{shield, unshield},
    walk::{Quote, Walk, is_word},
};

/// Quotes inside quotes beyond this depth are text.
const QUOTES_DEPTH_MAX: usize = 8;

/// A literal passage or a bracket is looked for within so many bytes.
pub const PASSAGE_BYTES_MAX: usize = 4096;

/// A single plus is a plus more often than not, so its partner is looked for nearby only.
const SINGLE_PLUS_BYTES_MAX: usize = 512;

impl Parser<'_> {
    /// A text as Markdown, with in-page references still open.
    pub fn inline(&mut self, text: &str) -> String {
        let text = shield_passages(text);
        let text = self.attributes.substitute(&text);
        // Values may bring passages of their own.
        let text = if text.contains("pass:") { shield_passages(&text) } else { text };
        self.format(&text, 0)
    }

    /// Walks a text whose passages are shielded.
    pub fn format(&mut self, text: &str, depth: usize) -> String {
        let mut walk = Walk::new(text);
        while let Some(c) = walk.peek() {
            let done = depth <= QUOTES_DEPTH_MAX
                && (walk.escape()
                    || self.quote_marks(&mut walk, depth)
                    || self.special(&mut walk, depth));
            if !done {
                walk.plain(c);
            }
        }
        walk.out
    }

    /// Quoted text: `*strong*`, `_emphasis_`, `` `mono` ``, `#mark#`, `^super^`, `~sub~`, and the
    /// doubled marks that work inside words.
    fn quote_marks(&mut self, walk: &mut Walk, depth: usize) -> bool {
        let Some(kind) = walk.peek().and_then(Quote::of) else { return false };
        // A role may stand before the mark; it has nothing to say in Markdown.
        let Some((content, end)) = walk.quoted(kind) else { return false };
        let inner = match kind {
            Quote::Mono if !has_macro(content) => code_span(&unshield(content)),
            _ => self.format(content, depth + 1),
        };
        let (open, close) = kind.markdown();
        walk.out.push_str(open);
        walk.out.push_str(&inner);
        walk.out.push_str(close);
        walk.at = end;
        true
    }

    /// Everything else that is not plain text.
    fn special(&mut self, walk: &mut Walk, depth: usize) -> bool {
        let rest = walk.rest();
        let Some(c) = rest.chars().next() else { return false };
        match c {
            '<' if rest.starts_with("<<") => self.angle_reference(walk, depth),
            '<' => walk.angle(),
            '[' => walk.role_or_anchor(),
            '(' => walk.index_term() || walk.symbol(),
            '"' | '\'' => walk.curly_quote(),
            ' ' => walk.hard_break() || walk.dash(),
            // A footnote is written right behind the word it is about.
            'f' if rest.starts_with("footnote:") => self.macro_here(walk, depth),
            _ if c.is_ascii_alphabetic() && !walk.follows_word() => self.macro_here(walk, depth),
            _ => false,
        }
    }
}

fn has_macro(content: &str) -> bool {
    ["xref:", "link:", "<<", "http://", "https://"].iter().any(|it| content.contains(it))
        && (content.contains('[') || content.contains("<<"))
}

/// A code span, in a fence of backticks longer than any inside.
pub fn code_span(content: &str) -> String {
    let content = content.replace('\n', " ");
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if content.starts_with('`') || content.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{content}{pad}{fence}")
}

/// Shields literal passages: `+…+`, `++…++`, `+++…+++`, `$$…$$`, `pass:[…]`, `stem:[…]`.
fn shield_passages(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let next = rest.find(['+', '$', 'p', 's', 'l', 'a', '\\']).unwrap_or(rest.len());
        out.push_str(&rest[..next]);
        at += next;
        let rest = &text[at..];
        if let Some((shielded, length)) = passage(&text[..at], rest) {
            out.push_str(&shielded);
            at += length;
        } else if let Some(c) = rest.chars().next() {
            // An escaped mark starts no passage.
            let length = if c == '\\' && rest[1..].starts_with(['+', '$']) { 2 } else { 1 };
            out.push_str(if length == 2 { &rest[1..2] } else { &rest[..1] });
            at += length;
        }
    }
    out
}

/// A literal passage at the start of a text: what becomes of it, and its length. What stands
/// before it decides, because inside a word a single plus is only a plus.
fn passage(before: &str, text: &str) -> Option<(String, usize)> {
    let follows_word = before.ends_with(is_word);
    let window = &text[..text.floor_char_boundary(PASSAGE_BYTES_MAX)];
    for mark in ["+++", "++", "$$"] {
        if let Some(inner) = window.strip_prefix(mark) {
            let end = inner.find(mark).filter(|&end| end > 0)?;
            return Some((shield(&inner[..end]), end + 2 * mark.len()));
        }
    }
    if let Some(inner) = window.strip_prefix('+') {
        let inner = &inner[..inner.floor_char_boundary(SINGLE_PLUS_BYTES_MAX)];
        let end = inner.match_indices('+').map(|(end, _)| end).find(|&end| {
            inner[..end].ends_with(|c: char| !c.is_whitespace())
                && !inner[end + 1..].starts_with(is_word)
        })?;
        let opens = !follows_word && !inner.starts_with(char::is_whitespace);
        return opens.then(|| (shield(&inner[..end]), end + 2));
    }
    if follows_word {
        return None;
    }
    let (name, rest) = window.split_once(':')?;
    let (flags, _) = rest.split_once('[')?;
    if !flags.chars().all(|c| c.is_ascii_lowercase() || c == ',') {
        return None;
    }
    let (content, length) = super::macros::bracketed(&rest[flags.len()..])?;
    let length = name.len() + 1 + flags.len() + length;
    let keeps_markup = flags.contains(['q', 'n', 'm', 'a']);
    match name {
        "pass" if keeps_markup => Some((content.to_owned(), length)),
        "pass" => Some((shield(content), length)),
        "stem" | "latexmath" | "asciimath" => Some((shield(&format!("${content}$")), length)),
        _ => None,
    }
}
