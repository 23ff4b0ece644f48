//! Which lines of a file an include takes: by tag, by number, re-indented.

use super::attrlist::AttrList;

/// The lines an include asks for. Lines that only carry tags are never among them: whoever reads
/// the page did not ask for the marks of its authors.
pub fn select<'a>(text: &'a str, wanted: &AttrList) -> Vec<&'a str> {
    let all = text.lines();
    if let Some(ranges) = wanted.get("lines").filter(|ranges| !ranges.is_empty()) {
        let ranges = line_ranges(ranges);
        let numbered =
            all.enumerate().filter(|(index, _)| ranges.iter().any(|it| it.has(index + 1)));
        return numbered.map(|(_, line)| line).filter(|line| tag_mark(line).is_none()).collect();
    }
    match wanted.get("tags").or_else(|| wanted.get("tag")).filter(|tags| !tags.is_empty()) {
        Some(tags) => by_tags(all, tags),
        None => all.filter(|line| tag_mark(line).is_none()).collect(),
    }
}

/// The lines with their common indentation replaced by so many spaces.
pub fn indented(lines: &[&str], spaces: usize) -> Vec<String> {
    let filled = || lines.iter().filter(|line| !line.trim().is_empty());
    let indentation = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = filled().map(|line| indentation(line)).min().unwrap_or(0);
    let new = " ".repeat(spaces.min(80));
    let moved = lines.iter().map(|line| match line.get(common..) {
        Some(rest) if !rest.is_empty() => format!("{new}{rest}"),
        _ => String::new(),
    });
    moved.collect()
}

struct LineRange {
    first: usize,
    last: usize,
}

impl LineRange {
    fn has(&self, line: usize) -> bool {
        (self.first..=self.last).contains(&line)
    }
}

fn line_ranges(text: &str) -> Vec<LineRange> {
    let ranges = text.split([',', ';']).filter_map(|part| match part.trim().split_once("..") {
        Some((first, last)) => Some(LineRange {
            first: first.parse().ok()?,
            // An open end, and -1, mean the last line.
            last: last.parse().unwrap_or(usize::MAX),
        }),
        None => part.trim().parse().ok().map(|line| LineRange { first: line, last: line }),
    });
    ranges.collect()
}

/// A mark in a line: whether a tag begins or ends, and its name.
enum TagMark<'a> {
    Begin(&'a str),
    End(&'a str),
}

fn tag_mark(line: &str) -> Option<TagMark<'_>> {
    let found = |mark: &str| {
        let at = line.find(mark)?;
        if line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let (name, rest) = line[at + mark.len()..].split_once("[]")?;
        let closed = rest.is_empty() || rest.starts_with(char::is_whitespace);
        (closed && !name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
    };
    found("tag::").map(TagMark::Begin).or_else(|| found("end::").map(TagMark::End))
}

/// Which tags are taken and which are left, and what happens to the rest.
struct Wanted<'a> {
    named: Vec<(&'a str, bool)>,
    /// What `*` says of tags that are not named.
    any_tag: Option<bool>,
    /// Lines outside all tags.
    outside: bool,
}

impl<'a> Wanted<'a> {
    /// The rules are Asciidoctor's (`PreprocessorReader#preprocess_include_directive`).
    fn parse(tags: &'a str) -> Self {
        let mut named: Vec<(&str, bool)> = Vec::new();
        let (mut any_tag, mut every_line) = (None, None);
        let mut wildcard_is_first = false;
        for tag in tags.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty()) {
            let (tag, take) = tag.strip_prefix('!').map_or((tag, true), |tag| (tag, false));
            match tag {
                "**" => every_line = Some(take),
                "*" => {
                    wildcard_is_first = named.is_empty();
                    any_tag = Some(take);
                }
                tag => named.push((tag, take)),
            }
        }
        let outside = match (every_line, any_tag) {
            (Some(take), _) => {
                if any_tag.is_none() && !take && named.first().is_some_and(|(_, take)| !take) {
                    any_tag = Some(true);
                }
                take
            }
            (None, Some(take)) => wildcard_is_first && !take,
            (None, None) => named.iter().all(|(_, take)| !take),
        };
        Self { named, any_tag, outside }
    }

    fn of(&self, tag: &str) -> Option<bool> {
        self.named.iter().find(|(known, _)| *known == tag).map(|(_, take)| *take)
    }
}

fn by_tags<'a>(lines: impl Iterator<Item = &'a str>, tags: &str) -> Vec<&'a str> {
    let wanted = Wanted::parse(tags);
    let mut open: Vec<(&str, bool)> = Vec::new();
    let mut taken = Vec::new();
    for line in lines {
        let taking = open.last().map_or(wanted.outside, |(_, taking)| *taking);
        match tag_mark(line) {
            None if taking => taken.push(line),
            None => {}
            Some(TagMark::Begin(tag)) => {
                if let Some(take) = wanted.of(tag) {
                    open.push((tag, take));
                } else if let Some(any) = wanted.any_tag {
                    open.push((tag, (open.is_empty() || taking) && any));
                }
            }
            Some(TagMark::End(tag)) => {
                if let Some(at) = open.iter().rposition(|(known, _)| *known == tag) {
                    open.remove(at);
                }
            }
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "out\n# tag::a[]\nin a\n# tag::b[]\nin b\n# end::b[]\nin a again\n\
                        # end::a[]\nout again\n// tag::c[]\nin c\n// end::c[]\n";

    fn selected(list: &str) -> String {
        select(TEXT, &AttrList::parse(list)).join("|")
    }

    #[test]
    fn tags_select_as_asciidoctor_does() {
        let cases = [
            ("", "out|in a|in b|in a again|out again|in c"),
            ("tag=b", "in b"),
            ("tag=a", "in a|in b|in a again"),
            ("tags=a;!b", "in a|in a again"),
            ("tags=b;c", "in b|in c"),
            ("tags=\"b,c\"", "in b|in c"),
            ("tags=!a", "out|out again|in c"),
            ("tags=!a;!c", "out|out again"),
            ("tags=*", "in a|in b|in a again|in c"),
            ("tags=**", "out|in a|in b|in a again|out again|in c"),
            ("tags=!*", "out|out again"),
            ("tags=**;!*", "out|out again"),
            ("tags=!*;c", "out|out again|in c"),
            ("tag=unknown", ""),
        ];
        for (list, expected) in cases {
            assert_eq!(selected(list), expected, "{list}");
        }
    }

    #[test]
    fn lines_select_by_number() {
        assert_eq!(selected("lines=1;5..7"), "out|in b|in a again");
        assert_eq!(selected("lines=\"9..\""), "out again|in c");
        assert_eq!(selected("lines=11..-1"), "in c");
        assert_eq!(selected("lines=junk"), "");
    }

    #[test]
    fn indentation_is_replaced() {
        assert_eq!(indented(&["  a", "", "    b"], 0), ["a", "", "  b"]);
        assert_eq!(indented(&["a"], 2), ["  a"]);
        assert_eq!(indented(&["é", " b"], 0), ["é", " b"]);
    }

    #[test]
    fn tag_marks_must_stand_alone() {
        assert!(tag_mark("xtag::a[]").is_none());
        assert!(tag_mark("tag::a[]b").is_none());
        assert!(tag_mark("<!-- tag::a[] -->").is_some());
    }
}
