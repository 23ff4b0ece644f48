//! Reading a page, or one of its sections, piece by piece.

use super::{
    document::Document,
    library::Snapshot,
    names,
    page::{Page, with_anchor},
};
use crate::text::cut;

/// What is to be read.
#[derive(Debug, Clone, Copy)]
pub struct ReadRequest<'a> {
    /// The path of a page or its public address. The fragment of an address selects a section.
    pub page: &'a str,
    /// A heading, the trail to it, or an anchor. Without one, the whole page.
    pub section: Option<&'a str>,
    /// How many characters to pass over.
    pub offset: usize,
    /// How many characters to hand out at most; never less than one, so that reading advances.
    pub max_chars: usize,
}

/// What became of a request to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadAnswer {
    /// A piece of the page, or of the section that was asked for.
    Page(PagePart),
    /// There is no such page.
    NoSuchPage {
        /// The paths of the pages whose names are most like it, best first; may be empty.
        suggestions: Vec<String>,
    },
    /// The page has no such section.
    NoSuchSection {
        /// The ones it has, as trails.
        headings: Vec<String>,
    },
    /// The text ends before the offset.
    OffsetBeyondEnd {
        /// How many characters there are.
        length: usize,
    },
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePart {
    /// The title of the page.
    pub title: String,
    /// The path of the page, relative to its folder, whatever name it was asked for by.
    pub path: String,
    /// The public address of what was read, if the site has one.
    pub url: Option<String>,
    /// The piece.
    pub markdown: String,
    /// Where the next piece starts; none after the last.
    pub next_offset: Option<usize>,
}

/// Answers a request from a snapshot, and from nothing else.
pub(super) fn read(snapshot: &Snapshot, request: &ReadRequest) -> ReadAnswer {
    let Some(named) = snapshot.names.find(request.page) else {
        let suggestions = names::suggestions(request.page, &snapshot.pages);
        return ReadAnswer::NoSuchPage { suggestions };
    };
    let page = &snapshot.pages[named.page];
    let section = match request.section.map(str::trim).filter(|section| !section.is_empty()) {
        Some(wanted) => match find_section(&page.document, wanted) {
            Some(section) => Some(section),
            None => return ReadAnswer::NoSuchSection { headings: headings(&page.document) },
        },
        // A fragment may name a paragraph or a figure. A browser then opens the page at least.
        None => named.fragment.and_then(|fragment| find_section(&page.document, fragment)),
    };
    part(page, section, request)
}

fn part(page: &Page, section: Option<usize>, request: &ReadRequest) -> ReadAnswer {
    let document = &page.document;
    let text = section.map_or(document.markdown.as_str(), |section| document.whole(section));
    let start = cut::byte_of_char(text, request.offset);
    if start == text.len() && request.offset > 0 {
        return ReadAnswer::OffsetBeyondEnd { length: text.chars().count() };
    }
    let piece = cut::head(&text[start..], request.max_chars.max(1));
    let is_last = start + piece.len() == text.len();
    let next_offset = (!is_last).then(|| request.offset + piece.chars().count());
    let anchor = section.map_or("", |section| document.sections[section].anchor.as_str());
    ReadAnswer::Page(PagePart {
        title: document.title.clone(),
        path: page.path.clone(),
        url: page.url.as_ref().map(|url| with_anchor(url, anchor)),
        markdown: piece.to_owned(),
        next_offset,
    })
}

/// The section with this anchor, heading or trail. An anchor is exact, so it is tried first; a
/// model that retypes a heading may change its case and punctuation, so that comes last.
fn find_section(document: &Document, wanted: &str) -> Option<usize> {
    let wanted = wanted.trim_start_matches('#').trim();
    let letters = letters_of(wanted);
    let position = |is_it: &dyn Fn(usize) -> bool| (0..document.sections.len()).find(|&i| is_it(i));
    let section = |index: usize| &document.sections[index];
    position(&|index| !wanted.is_empty() && section(index).anchor == wanted)
        .or_else(|| position(&|index| section(index).heading == wanted))
        .or_else(|| position(&|index| !wanted.is_empty() && document.trail(index) == wanted))
        .or_else(|| {
            let same = |text: &str| !letters.is_empty() && letters_of(text) == letters;
            position(&|index| same(&section(index).heading) || same(&section(index).anchor))
        })
}

/// What is left of a heading or an anchor when only its letters and digits count.
fn letters_of(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn headings(document: &Document) -> Vec<String> {
    let sections = 0..document.sections.len();
    sections.map(|section| document.trail(section)).filter(|trail| !trail.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::markdown;

    const PAGE: &str = "# T\n\nintro\n\n## Über uns\n\nä\n\n### Deep\n\nd\n\n## Last one!\n\nz\n";

    fn try_read(page: &str, section: Option<&str>, offset: usize, max_chars: usize) -> ReadAnswer {
        let document = markdown::read(PAGE, "t.md");
        let page_of = Page {
            path: "t.md".into(),
            public_path: "t".into(),
            url: Some("https://x.example/t".into()),
            aliases: Vec::new(),
            document,
        };
        let snapshot = Snapshot::of(vec![page_of], None).unwrap();
        read(&snapshot, &ReadRequest { page, section, offset, max_chars })
    }

    fn expect_page(answer: ReadAnswer) -> PagePart {
        match answer {
            ReadAnswer::Page(part) => part,
            other => panic!("no page but {other:?}"),
        }
    }

    #[test]
    fn a_section_is_found_by_anchor_heading_trail_or_likeness() {
        for section in ["last-one", "#last-one", "Last one!", "last ONE", "## Last one"] {
            let part = expect_page(try_read("t.md", Some(section), 0, 100));
            assert_eq!(part.markdown, "## Last one!\n\nz", "{section}");
            assert_eq!(part.url.as_deref(), Some("https://x.example/t#last-one"));
        }
        let part = expect_page(try_read("t.md", Some("Über uns > Deep"), 0, 100));
        assert_eq!(part.markdown, "### Deep\n\nd");
    }

    #[test]
    fn a_section_comes_with_its_subsections() {
        let part = expect_page(try_read("t.md#über-uns", None, 0, 100));
        assert_eq!(part.markdown, "## Über uns\n\nä\n\n### Deep\n\nd");
    }

    #[test]
    fn an_unknown_section_is_answered_with_the_headings() {
        let headings = vec!["Über uns".into(), "Über uns > Deep".into(), "Last one!".into()];
        let answer = try_read("t.md", Some("nope"), 0, 100);
        assert_eq!(answer, ReadAnswer::NoSuchSection { headings });
        assert!(matches!(try_read("t.md", Some("#"), 0, 9), ReadAnswer::NoSuchSection { .. }));
    }

    #[test]
    fn an_unknown_fragment_opens_the_page() {
        assert_eq!(expect_page(try_read("t.md#nope", None, 0, 1000)).markdown, PAGE);
    }

    #[test]
    fn pieces_put_together_are_the_page() {
        for max_chars in [0, 1, 2, 7, 30, 1000] {
            let (mut whole, mut offset) = (String::new(), Some(0));
            while let Some(at) = offset {
                let part = expect_page(try_read("t.md", None, at, max_chars));
                whole += &part.markdown;
                offset = part.next_offset;
            }
            assert_eq!(whole, PAGE, "{max_chars}");
        }
    }

    #[test]
    fn an_offset_beyond_the_end_is_told() {
        let length = PAGE.chars().count();
        for offset in [length, length + 1, usize::MAX] {
            assert_eq!(try_read("t.md", None, offset, 9), ReadAnswer::OffsetBeyondEnd { length });
        }
    }

    #[test]
    fn an_unknown_page_is_answered_with_suggestions() {
        let suggestions = vec!["t.md".to_owned()];
        assert_eq!(try_read("tt.md", None, 0, 9), ReadAnswer::NoSuchPage { suggestions: vec![] });
        let answer = try_read("../t", None, 0, 9);
        assert!(matches!(answer, ReadAnswer::NoSuchPage { .. }), "{answer:?} {suggestions:?}");
    }
}
