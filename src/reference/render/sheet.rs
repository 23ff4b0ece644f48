//! A page while it is written: text that stops growing at a bound.

use crate::text::cut;

/// A page has at most this many bytes, all its parts together. What a document makes longer is cut
/// off with a note; no page of a real one comes near.
pub const SHEET_BYTES_MAX: usize = 400_000;

/// Markdown in the making.
#[derive(Debug, Default)]
pub struct Sheet {
    text: String,
    is_full: bool,
}

impl Sheet {
    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// How much is written, in bytes.
    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// Writes a line.
    pub fn line(&mut self, text: &str) {
        self.raw(text);
        self.raw("\n");
    }

    /// Writes a paragraph, with an empty line before it.
    pub fn paragraph(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.gap();
            self.line(text);
        }
    }

    /// Writes a heading.
    pub fn heading(&mut self, level: usize, text: &str) {
        self.gap();
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.line(&format!("{} {one_line}", "#".repeat(level)));
        self.raw("\n");
    }

    /// Writes a block of code, fenced so that nothing in it ends it.
    pub fn code(&mut self, language: &str, text: &str) {
        self.gap();
        let longest = text.lines().map(|line| {
            let line = line.trim_start();
            line.len() - line.trim_start_matches('`').len()
        });
        let fence = "`".repeat(longest.max().unwrap_or(0).max(2) + 1);
        // A block is written whole or not at all, for a cut one would swallow what follows.
        if self.text.len() + text.len() + 2 * fence.len() > SHEET_BYTES_MAX {
            self.line("*Too long to be shown.*");
            return;
        }
        self.line(&format!("{fence}{language}\n{}\n{fence}", text.trim_end()));
    }

    /// An empty line, unless there is one.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            let missing = if self.text.ends_with('\n') { "\n" } else { "\n\n" };
            self.raw(missing);
        }
    }

    fn raw(&mut self, text: &str) {
        if self.is_full {
            return;
        }
        let left = SHEET_BYTES_MAX.saturating_sub(self.text.len());
        if text.len() > left {
            let mut end = left;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            self.text.push_str(&text[..end]);
            self.text.push_str("\n\n*The rest is left out: the page is too long.*\n");
            self.is_full = true;
            return;
        }
        self.text.push_str(text);
    }

    /// The finished page.
    pub fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        self.text.push('\n');
        self.text
    }
}

/// Text as it can stand in a cell of a table.
pub fn cell(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.replace('|', "\\|")
}

/// Text as the continuation of a list item that is indented so far.
pub fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    let lines = text
        .trim()
        .lines()
        .map(|line| if line.trim().is_empty() { String::new() } else { format!("{margin}{line}") });
    lines.collect::<Vec<_>>().join("\n")
}

/// A text in code marks, whatever marks are in it.
pub fn code_span(text: &str) -> String {
    let text = crate::reference::shelf::plain_line(text, 300);
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// A piece of a finished page.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The piece; a block of code that was cut is closed and opened again.
    pub markdown: String,
    /// The character at which the next piece begins; none after the last.
    pub next_offset: Option<usize>,
    /// How many characters the whole page has.
    pub length: usize,
}

/// The piece of a page that begins at a character, of at most so many characters. None if the page
/// ends before it.
pub fn piece(text: &str, offset: usize, chars_max: usize) -> Option<Piece> {
    let start = cut::byte_of_char(text, offset);
    if start == text.len() {
        return None;
    }
    let head = cut::head(&text[start..], chars_max.max(1));
    let end = start + head.len();
    let mut markdown = head.to_owned();
    if let Some(fence) = open_fence(&text[..start]) {
        markdown.insert_str(0, &format!("{fence}\n"));
    }
    if end < text.len()
        && let Some(fence) = open_fence(&text[..end])
    {
        let marks: String = fence.chars().take_while(|c| matches!(c, '`' | '~')).collect();
        let gap = if markdown.ends_with('\n') { "" } else { "\n" };
        for text in [gap, &marks, "\n"] {
            markdown.push_str(text);
        }
    }
    let next_offset = (end < text.len()).then(|| offset + head.chars().count());
    Some(Piece { markdown, next_offset, length: text.chars().count() })
}

/// The line that opened a block of code which is still open at the end of a text.
fn open_fence(text: &str) -> Option<&str> {
    let mut open: Option<(&str, char, usize)> = None;
    for line in text.lines() {
        let line = line.trim_start();
        let Some(mark) = line.chars().next().filter(|c| matches!(c, '`' | '~')) else { continue };
        let count = line.chars().take_while(|c| *c == mark).count();
        match open {
            None if count >= 3 => open = Some((line, mark, count)),
            Some((_, opener, least))
                if mark == opener && count >= least && line[count..].trim().is_empty() =>
            {
                open = None;
            }
            None | Some(_) => {}
        }
    }
    open.map(|(line, ..)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_stops_growing() {
        let mut sheet = Sheet::default();
        for _ in 0..1_000 {
            sheet.paragraph(&"ü".repeat(1_000));
        }
        sheet.code("json", "x");
        assert!(sheet.is_full());
        let text = sheet.finish();
        assert!(text.len() < SHEET_BYTES_MAX + 100);
        assert!(text.ends_with("too long.*\n"));
    }

    #[test]
    fn code_cannot_end_its_block() {
        let mut sheet = Sheet::default();
        sheet.code("", "a\n```\nb");
        assert_eq!(sheet.finish(), "````\na\n```\nb\n````\n");
    }

    #[test]
    fn pieces_put_together_are_the_page() {
        let mut text = String::from("# T\n\nwords and words\n");
        text.push_str("\n```json\n{\n  \"a\": 1,\n  \"b\": 2\n}\n```\n\nend\n");
        let whole = piece(&text, 0, 1_000).unwrap();
        assert_eq!((whole.markdown.as_str(), whole.next_offset), (text.as_str(), None));
        let first = piece(&text, 0, 40).unwrap();
        assert!(first.markdown.ends_with("```\n"), "{}", first.markdown);
        let second = piece(&text, first.next_offset.unwrap(), 1_000).unwrap();
        assert!(second.markdown.starts_with("```json\n"), "{}", second.markdown);
        let shown = first.next_offset.unwrap();
        let rest: String = text.chars().skip(shown).collect();
        assert_eq!(second.markdown, format!("```json\n{rest}"));
        assert_eq!(piece(&text, 10_000, 10), None);
    }

    #[test]
    fn a_cell_has_one_line_and_no_bars_of_its_own() {
        assert_eq!(cell("a\n b | c"), "a b \\| c");
        assert_eq!(code_span("a`b"), "`` a`b ``");
    }
}
