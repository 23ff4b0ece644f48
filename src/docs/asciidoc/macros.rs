//! Inline macros: links, references, images, keys, footnotes, and those a site made itself.

use super::{
    attrlist::AttrList,
    inline::{PASSAGE_BYTES_MAX, code_span},
    parse::Parser,
    shield::{REFERENCE, unshield},
    walk::Walk,
};
use crate::docs::markdown;

/// A page has no more footnotes.
const FOOTNOTES_MAX: usize = 1000;

/// A name of a macro is no longer, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The target of a macro is no longer, in bytes.
const TARGET_BYTES_MAX: usize = 1024;

/// The scheme of an address and the first character behind it are no longer, in bytes.
const ADDRESS_START_BYTES_MAX: usize = 12;

/// Whether a text starts with a macro or an address, so that a backslash before it is an escape.
pub fn starts_here(text: &str) -> bool {
    // Where the address ends does not matter, and may be far away.
    let start = &text[..text.floor_char_boundary(ADDRESS_START_BYTES_MAX)];
    address_length(start).is_some() || Macro::parse(text).is_some()
}

/// The inside of brackets at the start of a text, and the length with them. Brackets inside are
/// counted; an escaped one closes only another inside.
pub fn bracketed(text: &str) -> Option<(&str, usize)> {
    let window = &text[..text.floor_char_boundary(PASSAGE_BYTES_MAX)];
    // Without this a text of opening brackets would be walked through from each of them.
    if !window.contains(']') {
        return None;
    }
    let mut depth = 0usize;
    let mut before = ' ';
    for (at, c) in window.char_indices() {
        match c {
            _ if at == 0 && c != '[' => return None,
            '[' if before != '\\' => depth += 1,
            ']' if before == '\\' => depth = (depth - 1).max(1),
            ']' => {
                depth -= 1;
                if depth == 0 {
                    return Some((&text[1..at], at + 1));
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

/// `name:target[text]`.
struct Macro<'t> {
    name: &'t str,
    target: &'t str,
    text: &'t str,
    length: usize,
}

impl<'t> Macro<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let window = &text[..text.floor_char_boundary(NAME_BYTES_MAX + 1)];
        let name_length =
            window.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')?;
        let name = &text[..name_length];
        let rest = text[name_length..].strip_prefix(':')?;
        let window = &rest[..rest.floor_char_boundary(TARGET_BYTES_MAX)];
        let target_length = window.find(['[', '\n', '`', '"'])?;
        let target = &rest[..target_length];
        // Menus, titles and terms of a glossary have blanks in them; addresses have not.
        let is_words = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let may_have_blanks = matches!(name, "menu" | "xref" | "image")
            || (target.chars().all(is_words) && target.trim() == target);
        if target.contains(' ') && !may_have_blanks {
            return None;
        }
        let (inner, length) = bracketed(&rest[target_length..])?;
        Some(Self { name, target, text: inner, length: name_length + 1 + target_length + length })
    }

    /// Whether a macro that nobody knows looks like one that its site knows.
    fn is_custom(&self) -> bool {
        let name_is_fit = self.name.len() > 2
            && self.name.chars().all(|c| !c.is_ascii_uppercase())
            && !self.name.ends_with("footnote");
        let target = self.target.trim_start_matches(':');
        name_is_fit && (self.target == ":" || target.starts_with(|c: char| c.is_alphabetic()))
    }
}

impl Parser<'_> {
    /// A macro or an address at the start of a word.
    pub fn macro_here(&mut self, walk: &mut Walk, depth: usize) -> bool {
        let rest = walk.rest();
        if let Some(length) = address_length(rest) {
            return self.address(walk, length, depth);
        }
        let Some(found) = Macro::parse(rest) else {
            return self.bare_reference(walk, depth);
        };
        let text = found.text.replace("\\]", "]");
        let shown = match found.name {
            "link" | "mailto" => self.link(found.name, found.target, &text, depth),
            "xref" => self.reference(found.target, &text, depth),
            "image" => self.image(found.target, &text),
            "icon" | "anchor" | "indexterm" => String::new(),
            "indexterm2" => self.format(&text, depth + 1),
            "kbd" => code_span(&unshield(&text)),
            "btn" => format!("**{}**", self.format(&text, depth + 1)),
            "menu" => self.menu(found.target, &text, depth),
            "footnote" | "footnoteref" => self.footnote(found.target, &text, depth),
            _ if found.is_custom() => self.custom_macro_text(found.target, &text),
            _ => return false,
        };
        walk.out.push_str(&shown);
        walk.at += found.length;
        true
    }

    /// A bare address, or one with a text for it.
    fn address(&mut self, walk: &mut Walk, length: usize, depth: usize) -> bool {
        let rest = walk.rest();
        let address = &rest[..length];
        if let Some((text, brackets)) = bracketed(&rest[length..]) {
            let link = self.link("link", address, &text.replace("\\]", "]"), depth);
            walk.out.push_str(&link);
            walk.at += length + brackets;
            return true;
        }
        // What ends a sentence does not end its last address.
        let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
        walk.out.push_str(&unshield(address));
        walk.at += address.len();
        true
    }

    fn link(&mut self, name: &str, target: &str, text: &str, depth: usize) -> String {
        let target = unshield(target);
        let text = self.link_text(text, depth);
        match (name, text.is_empty()) {
            (_, true) => target,
            ("mailto", false) => markdown_link(&text, &format!("mailto:{target}")),
            (_, false) => markdown_link(&text, &target),
        }
    }

    /// The text of a link: the first of its attributes, if it has several, without the caret that
    /// asks for a new window.
    fn link_text(&mut self, text: &str, depth: usize) -> String {
        let list = AttrList::parse(text);
        let is_plain = list.named.is_empty() && list.id.is_empty() && list.options.is_empty();
        let text = if is_plain { text } else { list.at(0).unwrap_or_default() };
        let text = text.trim().trim_matches('"').trim_end_matches('^').trim_end();
        self.format(text, depth + 1)
    }

    /// A reference to a page whose author forgot the brackets.
    fn bare_reference(&mut self, walk: &mut Walk, depth: usize) -> bool {
        let Some(rest) = walk.rest().strip_prefix("xref:") else { return false };
        let window = &rest[..rest.floor_char_boundary(TARGET_BYTES_MAX)];
        let target = window.split(char::is_whitespace).next().unwrap_or(window);
        let is_cut = target.len() == window.len() && window.len() < rest.len();
        if is_cut || !target.contains(".adoc") {
            return false;
        }
        let reference = self.reference(target, "", depth);
        walk.out.push_str(&reference);
        walk.at += "xref:".len() + target.len();
        true
    }

    fn reference(&mut self, target: &str, text: &str, depth: usize) -> String {
        let target = unshield(target);
        let text = self.link_text(text, depth);
        let (path, anchor) = match target.split_once('#') {
            Some((path, anchor)) => (path, anchor),
            None if is_page_id(&target) => (target.as_str(), ""),
            None => ("", target.as_str()),
        };
        if path.is_empty() {
            let [open, middle, close] = REFERENCE;
            return format!("{open}{anchor}{middle}{text}{close}");
        }
        let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
        match self.site.page(path, self.path) {
            Some(found) if text.is_empty() => {
                markdown_link(&found.title, &format!("{}{anchor}", found.address))
            }
            Some(found) => markdown_link(&text, &format!("{}{anchor}", found.address)),
            // The page is of another component, or nowhere: its name is all there is to show.
            None if text.is_empty() => {
                markdown::title_from_name(path.rsplit([':', '$']).next().unwrap_or(path))
            }
            None => text,
        }
    }

    /// `<<id>>`, `<<id,text>>`.
    pub fn angle_reference(&mut self, walk: &mut Walk, depth: usize) -> bool {
        let rest = walk.rest();
        let window = &rest[..rest.floor_char_boundary(1024)];
        let Some(end) = window.find(">>") else { return false };
        let inner = &rest[2..end];
        if inner.is_empty() || inner.contains(['<', '\n']) && !inner.contains(',') {
            return false;
        }
        let (target, text) = inner.split_once(',').unwrap_or((inner, ""));
        let reference = self.reference(target.trim(), text.trim(), depth);
        walk.out.push_str(&reference);
        walk.at += end + 2;
        true
    }

    /// An image, as its alternative text and address. Without such a text it is decoration.
    pub fn image(&mut self, target: &str, text: &str) -> String {
        let text = self.attributes.substitute(text);
        let list = AttrList::parse(&text);
        let alt = list.get("alt").or_else(|| list.at(0)).unwrap_or_default();
        if alt.is_empty() {
            return String::new();
        }
        let target = unshield(&self.attributes.substitute(target));
        let is_address = target.contains("://");
        let address = if is_address { target } else { self.site.image(&target, self.path) };
        format!("!{}", markdown_link(&unshield(alt), &address))
    }

    /// A video or a sound, as a link to it.
    pub fn media(&mut self, name: &str, target: &str, text: &str) -> String {
        let list = AttrList::parse(text);
        let target = unshield(&self.attributes.substitute(target));
        let address = match list.at(0) {
            Some("youtube") => format!("https://www.youtube.com/watch?v={target}"),
            Some("vimeo") => format!("https://vimeo.com/{target}"),
            _ if target.contains("://") => target,
            _ => self.site.image(&target, self.path),
        };
        markdown_link(if name == "video" { "Video" } else { "Audio" }, &address)
    }

    fn menu(&mut self, target: &str, text: &str, depth: usize) -> String {
        let text = self.format(text, depth + 1);
        let target = unshield(target);
        if text.is_empty() {
            return format!("**{target}**");
        }
        let steps = text.replace(" > ", ">").replace('>', " > ");
        format!("**{target} > {steps}**")
    }

    /// A footnote: its mark here, its text at the end of the page. A named one is written once
    /// and may be pointed at again.
    fn footnote(&mut self, name: &str, text: &str, depth: usize) -> String {
        if let Some(number) = self.footnote_numbers.get(name).filter(|_| !name.is_empty()) {
            return format!("[^{number}]");
        }
        if text.is_empty() || self.footnotes.len() >= FOOTNOTES_MAX {
            return String::new();
        }
        let text = self.format(text, depth + 1);
        self.footnotes.push(text);
        let number = self.footnotes.len();
        if !name.is_empty() {
            self.footnote_numbers.insert(name.to_owned(), number);
        }
        format!("[^{number}]")
    }

    /// The text of a macro that only its site knows: what its author wrote for the reader, or
    /// else the first part of its target, which is how glossaries and property lists use it.
    pub fn custom_macro_text(&mut self, target: &str, text: &str) -> String {
        let list = AttrList::parse(text);
        if let Some(label) = list.get("label") {
            return format!("({})", unshield(label));
        }
        let text = text.trim().trim_end_matches('^').trim_start_matches(',').trim();
        if !text.is_empty() && list.named.is_empty() {
            return self.format(text, 1);
        }
        let name = unshield(target.split(',').next().unwrap_or_default());
        if name.contains('_') { code_span(&name) } else { name.trim_matches(':').to_owned() }
    }
}

/// Whether the target of a reference is a page, not an id on this one.
fn is_page_id(target: &str) -> bool {
    target.contains(['$', ':']) || target.strip_suffix(".adoc").is_some()
}

/// The length of an address at the start of a text.
fn address_length(text: &str) -> Option<usize> {
    let scheme = ["https://", "http://", "ftp://", "irc://"]
        .into_iter()
        .find(|scheme| text.starts_with(scheme))?;
    let end =
        text.find(|c: char| c.is_whitespace() || "[]<>\"`|".contains(c)).unwrap_or(text.len());
    (end > scheme.len()).then_some(end)
}

/// A Markdown link. An address with blanks or parentheses goes in angle brackets.
pub fn markdown_link(text: &str, address: &str) -> String {
    let text = text.replace('\n', " ");
    if address.contains([' ', '(', ')']) {
        format!("[{text}](<{address}>)")
    } else {
        format!("[{text}]({address})")
    }
}
