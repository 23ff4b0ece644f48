//! Attribute lists: what stands in the brackets of blocks and macros.

/// The attributes of a block or a macro.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct AttrList {
    pub positional: Vec<String>,
    pub named: Vec<(String, String)>,
    /// From the shorthand `style#id.role%option` of the first positional attribute.
    pub style: String,
    pub id: String,
    pub options: Vec<String>,
}

impl AttrList {
    /// Reads `style#id.role%option,second,name="value"`.
    pub fn parse(text: &str) -> Self {
        let mut list = Self::default();
        for (index, part) in split_commas(text).into_iter().enumerate() {
            let part = part.trim();
            if let Some((name, value)) = named(part) {
                list.add_named(name, value);
                continue;
            }
            // The shorthand is only read where a style may stand; `.no-copy` is written in later
            // places too, where nothing but a role can be meant.
            if index == 0 {
                list.shorthand(part);
            }
            list.positional.push(unquoted(part));
        }
        list
    }

    /// A named attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.named.iter().rev().find(|(known, _)| known == name)?;
        Some(found.1.as_str())
    }

    /// The positional attribute with this number, counted from zero, unless it is empty.
    pub fn at(&self, index: usize) -> Option<&str> {
        self.positional.get(index).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether an option is set, in either way of writing it.
    pub fn has_option(&self, option: &str) -> bool {
        self.options.iter().any(|known| known == option)
    }

    /// Adds the attributes of a further line above the same block.
    pub fn merge(&mut self, other: Self) {
        if !other.style.is_empty() {
            self.style = other.style;
        }
        if !other.id.is_empty() {
            self.id = other.id;
        }
        if self.positional.len() < other.positional.len() {
            self.positional = other.positional;
        }
        self.named.extend(other.named);
        self.options.extend(other.options);
    }

    fn add_named(&mut self, name: &str, value: String) {
        match name {
            "id" => self.id = value,
            "options" | "opts" => {
                self.options.extend(value.split(',').map(|option| option.trim().to_owned()));
            }
            "style" => self.style = value,
            _ => self.named.push((name.to_owned(), value)),
        }
    }

    fn shorthand(&mut self, text: &str) {
        let mut rest = text;
        let mut kind = 's';
        loop {
            let end = rest.find(['#', '.', '%']).unwrap_or(rest.len());
            let value = rest[..end].trim();
            match kind {
                's' => value.clone_into(&mut self.style),
                '#' => value.clone_into(&mut self.id),
                '%' => self.options.push(value.to_owned()),
                _ => {}
            }
            let Some(next) = rest[end..].chars().next() else { return };
            kind = next;
            rest = &rest[end + 1..];
        }
    }
}

/// Splits at commas outside quotes.
fn split_commas(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote: Option<char> = None;
    let mut at_value = true;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (',', None) => {
                parts.push(&text[start..at]);
                start = at + 1;
                at_value = true;
            }
            // A quote opens only where a value starts: elsewhere it is an apostrophe.
            ('"' | '\'', None) if at_value && text[at + 1..].contains(c) => quote = Some(c),
            (_, Some(open)) if c == open && !text[..at].ends_with('\\') => quote = None,
            _ => at_value = c == '=' || (at_value && c == ' '),
        }
    }
    parts.push(&text[start..]);
    parts
}

fn named(part: &str) -> Option<(&str, String)> {
    let (name, value) = part.split_once('=')?;
    let name = name.trim();
    let is_name = name.starts_with(char::is_alphabetic)
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    is_name.then(|| (name, unquoted(value.trim())))
}

fn unquoted(value: &str) -> String {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    match inner('"').or_else(|| inner('\'')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\'", "'"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorthand_gives_style_id_and_options() {
        let list = AttrList::parse("source#main.role%linenums%nowrap,bash,role=\"no-copy\"");
        assert_eq!((list.style.as_str(), list.id.as_str()), ("source", "main"));
        assert!(list.has_option("linenums") && list.has_option("nowrap"));
        assert_eq!(list.at(1), Some("bash"));
        assert_eq!(list.get("role"), Some("no-copy"));
    }

    #[test]
    fn an_empty_first_place_is_kept() {
        let list = AttrList::parse(",yaml,lines=4+7");
        assert_eq!((list.at(0), list.at(1)), (None, Some("yaml")));
        assert_eq!(list.get("lines"), Some("4+7"));
    }

    #[test]
    fn quotes_hold_commas_together() {
        let list = AttrList::parse("cols=\"1a,2m\", options=\"header,footer\"");
        assert_eq!(list.get("cols"), Some("1a,2m"));
        assert!(list.has_option("header") && list.has_option("footer"));
    }

    #[test]
    fn an_apostrophe_is_no_quote() {
        let list = AttrList::parse("quote,Someone's name, the book");
        assert_eq!(list.at(1), Some("Someone's name"));
        assert_eq!(AttrList::parse("'open").positional, ["'open"]);
    }

    #[test]
    fn attributes_of_two_lines_are_merged() {
        let mut list = AttrList::parse("#first");
        list.merge(AttrList::parse("%header,cols=2"));
        assert_eq!(list.id, "first");
        assert!(list.has_option("header"));
    }
}
