//! From a file to the lines of a page: includes are pulled in, conditions decided.
//!
//! Asciidoctor does this while it parses, because attributes set in the text decide about lines
//! below them. Here it is a pass of its own that follows the attribute entries as it goes; the
//! parser follows them again.

use super::{
    attributes::{self, Attributes, Entry},
    attrlist::AttrList,
    condition::{self, Directive},
    select,
    shield::{LOST_INCLUDE, without_marks},
    site::Site,
};

/// Includes inside includes beyond this depth are lost. It also ends cycles.
const DEPTH_MAX: usize = 16;

/// All includes of a page together may bring in so much: a file that includes itself twice at
/// every level would double sixteen times.
const INCLUDED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The lines of a page, with its includes, in which conditions are decided and block comments
/// dropped. A lost include is a line that begins with [`LOST_INCLUDE`].
pub fn lines(source: &str, path: &str, site: &dyn Site) -> Vec<String> {
    let mut reader = Reader {
        site,
        attributes: Attributes::new(site.attributes(path)),
        lines: Vec::new(),
        fence: None,
        heading_shift: 0,
        depth: 0,
        included_bytes: 0,
        continued_entry: None,
    };
    let source = without_marks(source.trim_start_matches('\u{feff}'));
    reader.read(source.lines(), path);
    reader.lines
}

struct Reader<'a> {
    site: &'a dyn Site,
    attributes: Attributes,
    lines: Vec<String>,
    /// The delimiter of the verbatim block the last line stands in.
    fence: Option<String>,
    /// How many levels headings are moved down.
    heading_shift: i32,
    depth: usize,
    included_bytes: usize,
    /// The start of an attribute entry whose value goes on in the next line.
    continued_entry: Option<String>,
}

impl Reader<'_> {
    fn read<'t>(&mut self, lines: impl Iterator<Item = &'t str>, path: &str) {
        // Whether each open condition lets lines through. A condition a file leaves open ends
        // with the file, and so does a comment, so a slip in a partial spoils only the partial.
        let mut open: Vec<bool> = Vec::new();
        let mut in_comment: Option<&str> = None;
        for line in lines {
            let line = line.trim_end();
            let visible = open.iter().all(|&holds| holds);
            if let Some(delimiter) = in_comment {
                in_comment = Some(delimiter).filter(|&delimiter| line != delimiter);
            } else if let Some(directive) = condition::directive(line) {
                match directive {
                    Directive::End => drop(open.pop()),
                    Directive::If { condition, content: "" } => {
                        open.push(visible && condition.holds(&mut self.attributes));
                    }
                    Directive::If { condition, content } => {
                        if visible && condition.holds(&mut self.attributes) {
                            self.line(content, path);
                        }
                    }
                }
            } else if visible && self.fence.is_none() && is_run_of(line, '/') {
                in_comment = Some(line);
            } else if visible {
                self.line(line, path);
            }
        }
    }

    fn line(&mut self, line: &str, path: &str) {
        if let Some((target, list)) = include(line) {
            return self.include(target, list, path);
        }
        // A backslash keeps a directive from being one.
        let line = match line.strip_prefix('\\') {
            Some(rest) if include(rest).is_some() || condition::directive(rest).is_some() => rest,
            _ => line,
        };
        if self.fence.is_none() {
            if self.follow_attribute_entry(line) {
                return;
            }
            if let Some(moved) = self.moved_heading(line) {
                return self.lines.push(moved);
            }
        }
        self.follow_fence(line);
        self.lines.push(line.to_owned());
    }

    /// Keeps the attributes up to date. True if the line is used up by that: `leveloffset` is
    /// acted on here, and a value over several lines becomes one line.
    fn follow_attribute_entry(&mut self, line: &str) -> bool {
        if let Some(begun) = self.continued_entry.take() {
            return self.continue_entry(begun, line.trim());
        }
        let Some(entry) = attributes::entry(line) else { return false };
        if let Some(value) = entry.value.and_then(attributes::continued) {
            self.continued_entry = Some(format!(":{}: {value}", entry.name));
            return true;
        }
        self.apply_entry(&entry, line);
        true
    }

    /// Adds a line to an entry. What is longer than a value may be is passed over: it would be cut
    /// away when it is complete.
    fn continue_entry(&mut self, mut begun: String, line: &str) -> bool {
        let continued = attributes::continued(line);
        if begun.len() < attributes::VALUE_BYTES_MAX {
            begun.push(' ');
            begun.push_str(continued.unwrap_or(line));
        }
        if continued.is_some() {
            self.continued_entry = Some(begun);
            return true;
        }
        let Some(entry) = attributes::entry(&begun) else { return false };
        self.apply_entry(&entry, &begun);
        true
    }

    fn apply_entry(&mut self, entry: &Entry, line: &str) {
        if entry.name == "leveloffset" {
            self.heading_shift = match entry.value.map(str::trim) {
                None => 0,
                Some(value) if value.starts_with(['+', '-']) => self.heading_shift + shift(value),
                Some(value) => shift(value),
            };
            return;
        }
        self.attributes.apply(entry);
        self.lines.push(line.to_owned());
    }

    fn moved_heading(&self, line: &str) -> Option<String> {
        if self.heading_shift == 0 {
            return None;
        }
        let (level, title) = heading(line)?;
        let level = i32::try_from(level).ok()?.saturating_add(self.heading_shift).clamp(1, 6);
        Some(format!("{} {title}", "=".repeat(usize::try_from(level).ok()?)))
    }

    fn follow_fence(&mut self, line: &str) {
        if let Some(fence) = &self.fence {
            if line == fence {
                self.fence = None;
            }
        } else if self.lines.last().is_some_and(|above| is_underlined(above, line)) {
            // A heading in the old way, whose line looks like a delimiter.
        } else if line.starts_with("```") {
            self.fence = Some("```".to_owned());
        } else if ['-', '.', '+'].iter().any(|&mark| is_run_of(line, mark)) {
            self.fence = Some(line.to_owned());
        }
    }

    fn include(&mut self, target: &str, list: &str, path: &str) {
        let target = super::shield::unshield(&self.attributes.substitute(target));
        let list = AttrList::parse(&self.attributes.substitute(list));
        let found = self.site.include(&target, path).filter(|found| {
            let included_bytes = self.included_bytes + found.text.len();
            self.depth < DEPTH_MAX && included_bytes <= INCLUDED_BYTES_MAX
        });
        let Some(included) = found else {
            if !list.has_option("optional") {
                self.lines.push(format!("{LOST_INCLUDE}{target}"));
            }
            return;
        };
        self.included_bytes += included.text.len();
        let text = without_marks(&included.text);
        let selected = select::select(text.trim_start_matches('\u{feff}'), &list);
        let before = self.heading_shift;
        let outer_fence = self.fence.clone();
        // What a value goes on with stands in its own file.
        let outer_entry = self.continued_entry.take();
        self.heading_shift += list.get("leveloffset").map_or(0, shift);
        self.depth += 1;
        match list.get("indent").and_then(|spaces| spaces.parse().ok()) {
            Some(spaces) => {
                let moved = select::indented(&selected, spaces);
                self.read(moved.iter().map(String::as_str), &included.path);
            }
            None => self.read(selected.into_iter(), &included.path),
        }
        self.depth -= 1;
        self.heading_shift = before;
        self.continued_entry = outer_entry;
        // A block left open by an included file is closed for it, lest it swallow this page.
        if self.fence != outer_fence
            && let Some(fence) = std::mem::replace(&mut self.fence, outer_fence)
        {
            self.lines.push(fence);
        }
    }
}

fn shift(value: &str) -> i32 {
    value.trim().parse::<i32>().unwrap_or(0).clamp(-6, 6)
}

/// The target and the attribute list of an include.
fn include(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("include::")?.strip_suffix(']')?;
    let (target, list) = rest.split_once('[')?;
    (!target.is_empty()).then_some((target, list))
}

/// The level of a heading, 1 for the title of a page, and its text.
pub fn heading(line: &str) -> Option<(usize, &str)> {
    let mark = line.chars().next().filter(|mark| matches!(mark, '=' | '#'))?;
    let text = line.trim_start_matches(mark);
    let level = line.len() - text.len();
    let title = text.strip_prefix([' ', '\t'])?.trim();
    // A heading may be closed by the same mark, as in `== Title ==`.
    let title = match title.rsplit_once(' ') {
        Some((inner, close)) if close.len() == level && is_all(close, mark) => inner.trim_end(),
        _ => title,
    };
    (level <= 6 && !title.is_empty()).then_some((level, title))
}

/// Whether a line and the one below it are a heading in the old way: underlined.
pub fn is_underlined(line: &str, below: &str) -> bool {
    let marks = ['=', '-', '~', '^', '+'];
    let length = line.chars().count();
    line.starts_with(char::is_alphanumeric)
        && length > 3
        && marks.iter().any(|&mark| is_run_of(below, mark))
        && length.abs_diff(below.len()) <= 1
}

/// Whether a line is four or more of this character and nothing else.
pub fn is_run_of(line: &str, mark: char) -> bool {
    line.len() >= 4 && is_all(line, mark)
}

fn is_all(text: &str, mark: char) -> bool {
    text.chars().all(|c| c == mark)
}
