//! Document attributes: `:name: value`, `{name}`.

use std::collections::HashMap;

use super::shield::shield;

/// A value is cut to this many bytes, and all references of a page together may insert so many:
/// attributes made of attributes grow exponentially.
pub const VALUE_BYTES_MAX: usize = 8 * 1024;
const INSERTED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Characters that authors write by name because bare they would be markup.
const CHARACTERS: &[(&str, &str)] = &[
    ("amp", "&"),
    ("apos", "'"),
    ("asterisk", "*"),
    ("backslash", "\\"),
    ("backtick", "`"),
    ("brvbar", "¦"),
    ("caret", "^"),
    ("cpp", "C++"),
    ("cxx", "C++"),
    ("deg", "°"),
    ("empty", ""),
    ("endsb", "]"),
    ("gt", ">"),
    ("ldquo", "“"),
    ("lsquo", "‘"),
    ("lt", "<"),
    ("nbsp", "\u{a0}"),
    ("plus", "+"),
    ("pp", "++"),
    ("quot", "\""),
    ("rdquo", "”"),
    ("rsquo", "’"),
    ("sp", " "),
    ("startsb", "["),
    ("tilde", "~"),
    ("two-colons", "::"),
    ("two-semicolons", ";;"),
    ("vbar", "|"),
    ("wj", "\u{2060}"),
    ("zwsp", "\u{200b}"),
];

/// Set by Antora or Asciidoctor on every page.
const AMBIENT: &[(&str, &str)] = &[
    ("attribute-missing", "skip"),
    ("backend", "html5"),
    ("backend-html5", ""),
    ("basebackend", "html"),
    ("basebackend-html", ""),
    ("env", "site"),
    ("env-site", ""),
    ("experimental", ""),
    ("icons", "font"),
    ("idprefix", ""),
    ("idseparator", "-"),
    ("sectids", ""),
    ("site-gen", "antora"),
    ("site-gen-antora", ""),
];

/// The attributes of a page as they stand at one line of it.
pub struct Attributes {
    values: HashMap<String, String>,
    inserted_bytes: usize,
}

/// A line that sets or unsets an attribute.
#[derive(Debug, PartialEq)]
pub struct Entry<'a> {
    pub name: &'a str,
    /// None unsets.
    pub value: Option<&'a str>,
}

/// Reads an attribute entry. A value that goes on in the next line ends in a backslash, and so does
/// that line if it goes on further; see [`continued`].
pub fn entry(line: &str) -> Option<Entry<'_>> {
    let rest = line.strip_prefix(':')?;
    let (name, value) = rest.split_once(':')?;
    if !value.is_empty() && !value.starts_with([' ', '\t']) {
        return None;
    }
    let unset = name.strip_prefix('!').or_else(|| name.strip_suffix('!'));
    let value = if unset.is_some() { None } else { Some(value.trim()) };
    let name = unset.unwrap_or(name);
    let is_name = name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    is_name.then_some(Entry { name, value })
}

/// The part of a value before a line continuation, if it has one.
pub fn continued(value: &str) -> Option<&str> {
    let value = value.strip_suffix('\\')?;
    (value.is_empty() || value.ends_with(' ')).then(|| value.trim_end())
}

impl Attributes {
    /// The attributes every page has, and those of its place.
    pub fn new(of_place: Vec<(String, Option<String>)>) -> Self {
        let known = AMBIENT.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let characters = CHARACTERS.iter().map(|&(name, value)| (name.to_owned(), shield(value)));
        let mut attributes = Self { values: known.chain(characters).collect(), inserted_bytes: 0 };
        for (name, value) in of_place {
            match value {
                Some(value) => attributes.set(&name, &value),
                None => attributes.unset(&name),
            }
        }
        attributes
    }

    /// Whether an attribute is set, be it to nothing.
    pub fn is_set(&self, name: &str) -> bool {
        self.values.contains_key(&name.trim().to_lowercase())
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(&name.to_lowercase()).map(String::as_str)
    }

    /// Follows an attribute entry.
    pub fn apply(&mut self, entry: &Entry) {
        match entry.value {
            Some(value) => self.set(entry.name, value),
            None => self.unset(entry.name),
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        let mut value = self.substitute(without_pass(value));
        value.truncate(value.floor_char_boundary(VALUE_BYTES_MAX));
        self.values.insert(name.to_lowercase(), value);
    }

    fn unset(&mut self, name: &str) {
        self.values.remove(&name.to_lowercase());
    }

    /// Replaces references by values. A reference to nothing stays as it is written, as on the
    /// published page; an escaped one loses its backslash and stays too.
    pub fn substitute(&mut self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, reference) = rest.split_at(at);
            let Some((whole, name)) = reference_name(reference) else {
                replaced.push_str(&rest[..=at]);
                rest = &rest[at + 1..];
                continue;
            };
            rest = &reference[whole.len()..];
            if let Some(before) = before.strip_suffix('\\') {
                replaced.push_str(before);
                replaced.push_str(&shield(whole));
                continue;
            }
            replaced.push_str(before);
            match self.value_of_reference(name) {
                Some(value) => replaced.push_str(&value),
                None => replaced.push_str(whole),
            }
        }
        replaced.push_str(rest);
        replaced
    }

    fn value_of_reference(&mut self, name: &str) -> Option<String> {
        let value = match name.split_once(':') {
            None => self.get(name)?.to_owned(),
            Some(("counter", counter)) => self.count(counter),
            Some(("counter2", counter)) => {
                self.count(counter);
                String::new()
            }
            Some(("set", assignment)) => {
                let (name, value) = assignment.split_once(':').unwrap_or((assignment, ""));
                self.set(name, value);
                String::new()
            }
            Some(_) => return None,
        };
        let inserted_bytes = self.inserted_bytes + value.len();
        if inserted_bytes > INSERTED_BYTES_MAX {
            return None;
        }
        self.inserted_bytes = inserted_bytes;
        Some(value)
    }

    /// Steps a counter (`name` or `name:start`) and says where it stands.
    fn count(&mut self, counter: &str) -> String {
        let (name, start) = counter.split_once(':').unwrap_or((counter, "1"));
        let before = self.get(name).and_then(|value| value.parse::<u32>().ok());
        let number =
            before.map_or_else(|| start.parse().unwrap_or(1), |before| before.saturating_add(1));
        self.values.insert(name.to_lowercase(), number.to_string());
        number.to_string()
    }
}

/// A reference at the start of a text: with its braces, and without.
fn reference_name(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    // Names are short: a lone brace must not make us look through the rest of the page.
    let window = &inner[..inner.floor_char_boundary(100)];
    let end = window.find(['}', '{', '\n'])?;
    let name = &inner[..end];
    let is_name = name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':'));
    (is_name && inner[end..].starts_with('}')).then(|| (&text[..end + 2], name))
}

/// A value without the `pass:[…]` that keeps Asciidoctor from formatting it too early.
fn without_pass(value: &str) -> &str {
    let inner = || {
        let (flags, rest) = value.strip_prefix("pass:")?.split_once('[')?;
        let is_flags = flags.chars().all(|c| c.is_ascii_lowercase() || c == ',');
        rest.strip_suffix(']').filter(|_| is_flags)
    };
    inner().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::asciidoc::shield::unshield;

    fn attributes(lines: &[&str]) -> Attributes {
        let mut attributes = Attributes::new(vec![("product".into(), Some("Gate".into()))]);
        for line in lines {
            attributes.apply(&entry(line).unwrap());
        }
        attributes
    }

    #[test]
    fn entries_set_and_unset() {
        assert_eq!(entry(":a-b: c d "), Some(Entry { name: "a-b", value: Some("c d") }));
        assert_eq!(entry(":a:"), Some(Entry { name: "a", value: Some("") }));
        assert_eq!(entry(":!a:"), Some(Entry { name: "a", value: None }));
        assert_eq!(entry(":a!:"), Some(Entry { name: "a", value: None }));
        for no_entry in ["a: b", ":a b: c", ":: x", ":a:b", ":-a: b", ":", ""] {
            assert_eq!(entry(no_entry), None, "{no_entry}");
        }
    }

    #[test]
    fn references_become_values() {
        let mut attributes = attributes(&[":v: 1", ":w: {v}.2", ":Upper: U"]);
        let cases = [
            ("{product} {w}!", "Gate 1.2!"),
            ("{upper}{UPPER}", "UU"),
            ("{unknown} {", "{unknown} {"),
            ("\\{product}", "{product}"),
            ("a{empty}b{plus}", "ab+"),
            ("${product}", "$Gate"),
            ("{{product}}", "{Gate}"),
            ("{a b} {}", "{a b} {}"),
            ("{counter:n}{counter:n}{counter2:n}{n}", "123"),
            ("{counter:m:5}{set:x:y}{x}", "5y"),
        ];
        for (text, expected) in cases {
            assert_eq!(unshield(&attributes.substitute(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_passed_value_is_unwrapped() {
        let attributes = attributes(&[":d: pass:q[About `x`.]"]);
        assert_eq!(attributes.get("d"), Some("About `x`."));
    }

    #[test]
    fn attributes_of_attributes_stay_bounded() {
        let mut attributes = attributes(&[":a0: 0123456789"]);
        for level in 0..64 {
            let value = format!("{{a{level}}}").repeat(10);
            let line = format!(":a{}: {value}", level + 1);
            attributes.apply(&entry(&line).unwrap());
        }
        let text = attributes.substitute(&"{a64}".repeat(10_000));
        assert!(text.len() <= INSERTED_BYTES_MAX + 50_000, "{}", text.len());
    }

    #[test]
    fn a_continued_value_is_recognized() {
        assert_eq!(continued("a \\"), Some("a"));
        assert_eq!(continued("a\\"), None);
        assert_eq!(continued("\\"), Some(""));
    }
}
