//! A walk through inline text: what is read, what is written, and the markup that needs no more
//! than these two.

use super::{
    inline::PASSAGE_BYTES_MAX,
    macros::starts_here,
    shield::{unshield, unshielded},
};

/// A walk over a text: what has been read, and what has been written.
pub struct Walk<'t> {
    pub text: &'t str,
    pub at: usize,
    pub out: String,
    /// The kinds of marks that have no partner in the rest, as bits.
    dead: u32,
}

/// The kinds of quoted text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quote {
    Strong,
    Emphasis,
    Mono,
    Mark,
    Super,
    Sub,
}

impl Quote {
    /// The kind a mark opens.
    pub fn of(c: char) -> Option<Self> {
        Some(match c {
            '*' => Self::Strong,
            '_' => Self::Emphasis,
            '`' => Self::Mono,
            '#' => Self::Mark,
            '^' => Self::Super,
            '~' => Self::Sub,
            _ => return None,
        })
    }

    fn mark(self) -> &'static str {
        ["*", "_", "`", "#", "^", "~"][self as usize]
    }

    fn doubled(self) -> Option<&'static str> {
        ["**", "__", "``", "##"].get(self as usize).copied()
    }

    /// What stands before and after such text in Markdown.
    pub fn markdown(self) -> (&'static str, &'static str) {
        match self {
            Self::Strong => ("**", "**"),
            Self::Emphasis => ("*", "*"),
            Self::Mono | Self::Mark => ("", ""),
            Self::Super => ("<sup>", "</sup>"),
            Self::Sub => ("<sub>", "</sub>"),
        }
    }
}

impl<'t> Walk<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, out: String::with_capacity(text.len()), dead: 0 }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Whether the character before this one belongs to a word.
    pub fn follows_word(&self) -> bool {
        self.text[..self.at].ends_with(is_word)
    }

    /// Writes a character that is only text. Markdown must not take it for more.
    pub fn plain(&mut self, c: char) {
        self.at += c.len_utf8();
        if let Some(literal) = unshielded(c) {
            return self.literal(literal);
        }
        let next = self.peek();
        let meant = match c {
            '*' | '_' => next.is_some_and(|next| !next.is_whitespace()) && c == '*',
            '`' => true,
            '<' => next.is_some_and(|next| next.is_ascii_alphabetic() || "/!".contains(next)),
            _ => false,
        };
        if meant {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// Writes a character that its author wanted as it is.
    pub fn literal(&mut self, c: char) {
        // An underscore inside a word is one in Markdown too.
        let inside_word = c == '_'
            && self.out.ends_with(char::is_alphanumeric)
            && self.peek().is_some_and(|next| unshielded(next).unwrap_or(next).is_alphanumeric());
        if "*_`<[]\\".contains(c) && !inside_word {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    /// A backslash before markup takes its meaning, and is not shown itself.
    pub fn escape(&mut self) -> bool {
        let Some(rest) = self.rest().strip_prefix('\\') else { return false };
        let Some(next) = rest.chars().next() else { return false };
        if "*_`#^~[<{\\\"'(-".contains(next) {
            let run = rest.chars().take_while(|&c| c == next).take(2).count();
            self.at += 1;
            for _ in 0..run {
                self.literal(next);
                self.at += next.len_utf8();
            }
            return true;
        }
        if next.is_ascii_alphabetic() && starts_here(rest) {
            self.at += 1;
            let word = rest.find(':').map_or(rest.len(), |colon| colon + 1);
            self.out.push_str(&rest[..word]);
            self.at += word;
            return true;
        }
        false
    }

    /// The content of quoted text that starts here, and where it ends.
    pub fn quoted(&mut self, kind: Quote) -> Option<(&'t str, usize)> {
        self.doubly_quoted(kind).or_else(|| self.singly_quoted(kind))
    }

    fn doubly_quoted(&mut self, kind: Quote) -> Option<(&'t str, usize)> {
        let mark = kind.doubled()?;
        let dead = 1 << (kind as u32 + 8);
        let inner = self.rest().strip_prefix(mark)?;
        if self.dead & dead != 0 {
            return None;
        }
        let first = inner.chars().next()?.len_utf8();
        let Some(length) = inner[first..].find(mark) else {
            self.dead |= dead;
            return None;
        };
        let length = length + first;
        Some((&inner[..length], self.at + length + 2 * mark.len()))
    }

    fn singly_quoted(&mut self, kind: Quote) -> Option<(&'t str, usize)> {
        let dead = 1 << kind as u32;
        let mark = kind.mark();
        let inner = &self.rest()[1..];
        if inner.starts_with(char::is_whitespace) || inner.starts_with(mark) {
            return None;
        }
        if matches!(kind, Quote::Super | Quote::Sub) {
            // They stand inside a word and hold no blank, so the word is all there is to search.
            let end = inner.find(|c: char| c.is_whitespace() || mark.starts_with(c))?;
            return inner[end..].starts_with(mark).then(|| (&inner[..end], self.at + end + 2));
        }
        if self.dead & dead != 0 || self.follows_word() {
            return None;
        }
        let closes = |at: usize| {
            let before = inner[..at].chars().next_back();
            let after = inner[at + 1..].chars().next();
            before.is_some_and(|c| !c.is_whitespace()) && !after.is_some_and(is_word)
        };
        let Some(end) = inner.match_indices(mark).map(|(at, _)| at).find(|&at| closes(at)) else {
            self.dead |= dead;
            return None;
        };
        Some((&inner[..end], self.at + end + 2))
    }

    /// `<https://…>` keeps its brackets; they mean the same in Markdown.
    pub fn angle(&mut self) -> bool {
        let rest = self.rest();
        if !["<http://", "<https://", "<mailto:"].iter().any(|start| rest.starts_with(start)) {
            return false;
        }
        let window = &rest[..rest.floor_char_boundary(2048)];
        let Some(end) = window.find(|c: char| c == '>' || c.is_whitespace()) else { return false };
        if !rest[end..].starts_with('>') {
            return false;
        }
        self.out.push_str(&unshield(&rest[..=end]));
        self.at += end + 1;
        true
    }

    /// Drops `[[anchor]]`, and a role before quoted text, as in `[.underline]#text#`.
    pub fn role_or_anchor(&mut self) -> bool {
        let rest = self.rest();
        let window = &rest[..rest.floor_char_boundary(200)];
        if let Some(inner) = window.strip_prefix("[[")
            && let Some(length) = inner.find("]]")
            && !inner[..length].contains(['[', ' '])
        {
            self.at += length + 4;
            return true;
        }
        let is_role = window[1..].starts_with(['.', '#', '%']) && !self.follows_word();
        match window.find(']') {
            Some(end) if is_role && rest[end + 1..].starts_with(['#', '*', '_', '`']) => {
                self.at += end + 1;
                true
            }
            _ => false,
        }
    }

    /// `(((hidden)))` is dropped, `((shown))` is shown.
    pub fn index_term(&mut self) -> bool {
        let rest = self.rest();
        let window = &rest[..rest.floor_char_boundary(200)];
        if let Some(end) = window.strip_prefix("(((").and_then(|inner| inner.find(")))")) {
            self.at += end + 6;
            return true;
        }
        match window.strip_prefix("((").and_then(|inner| inner.find("))").map(|end| &inner[..end]))
        {
            Some(term) if !term.is_empty() && !term.contains(['(', '\n']) => {
                self.out.push_str(&unshield(term));
                self.at += term.len() + 4;
                true
            }
            _ => false,
        }
    }

    pub fn symbol(&mut self) -> bool {
        let symbols = [("(C)", "©"), ("(R)", "®"), ("(TM)", "™")];
        let found = symbols.iter().find(|(written, _)| self.rest().starts_with(written));
        let Some((written, shown)) = found else { return false };
        self.out.push_str(shown);
        self.at += written.len();
        true
    }

    /// `` "`curly`" `` quotes.
    pub fn curly_quote(&mut self) -> bool {
        let rest = self.rest();
        let (open, close, written) = match rest.as_bytes() {
            [b'"', b'`', ..] => ("“", "”", "`\""),
            [b'\'', b'`', ..] => ("‘", "’", "`'"),
            _ => return false,
        };
        let window = &rest[..rest.floor_char_boundary(PASSAGE_BYTES_MAX)];
        let Some(end) = window[2..].find(written) else { return false };
        let content = &rest[2..2 + end];
        if content.is_empty() || content.starts_with(' ') || content.contains('`') {
            return false;
        }
        self.out.push_str(open);
        self.out.push_str(&unshield(content));
        self.out.push_str(close);
        self.at += end + 4;
        true
    }

    /// A blank and a plus at the end of a line break it there.
    pub fn hard_break(&mut self) -> bool {
        let Some(after) = self.rest().strip_prefix(" +") else { return false };
        if after.starts_with('\n') {
            self.out.push('\\');
        } else if !after.is_empty() {
            return false;
        }
        self.at += 2;
        true
    }

    /// ` -- ` is a dash between blanks. Joined to words it stays: there it may be an option.
    pub fn dash(&mut self) -> bool {
        let is_dash = self.rest().starts_with(" -- ");
        if is_dash {
            self.out.push_str(" —");
            self.at += 3;
        }
        is_dash
    }
}

/// Whether a character belongs to a word.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
