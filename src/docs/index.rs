//! The search index of the corpus: one entry per section and one per page.
//!
//! A question is answered by a section, but its words are spread over a page: the title says what
//! all sections are about, and "how do I resize a volume in Kubernetes" finds "volume" in one
//! paragraph and "Kubernetes" in another. So every page is an entry of its own as well, and a
//! section is worth what it says itself and a share of what its page says as a whole.

use std::collections::{HashMap, HashSet};

use super::{error::DocsError, links, markdown, names::Names, page::Page};
use crate::text::index::{EntryKind, FieldSpec, IndexBuilder, Phrases, TextIndex};

/// How many pages are scored as a whole for one question.
const PAGES_MAX: usize = 1_000;

/// How much the score of its page adds to a section.
const PAGE_SHARE: f32 = 0.4;

/// How much of its score a section loses when its page has none of the words of the question.
const COVERAGE_SHARE: f32 = 0.2;

// What counts how much was tried on the questions of `tests/quality`; its README says what each of
// these brings.
const KINDS: [EntryKind; 2] = [
    EntryKind { fields: &SECTION_FIELDS, tie_breaker: 0.1 },
    EntryKind { fields: &PAGE_FIELDS, tie_breaker: 0.5 },
];
const SECTIONS: usize = 0;
const PAGES: usize = 1;

/// The headings that lead to a section, and its text.
const SECTION_FIELDS: [FieldSpec; 2] = [field("headings", 1.0), field("body", 1.0)];

/// Of a page its title, the words of its address, what its author says of it, what other pages say
/// of it where they link to it, and all of its text.
const PAGE_FIELDS: [FieldSpec; 5] = [
    field("title", 2.5),
    field("path", 1.0),
    field("about", 0.5),
    field("linked", 2.0),
    field("whole", 1.0),
];

const fn field(name: &'static str, boost: f32) -> FieldSpec {
    FieldSpec { name, boost, phrases: Phrases::Ignored }
}

/// Where a section is: the number of its page, and its own on that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SectionAddress {
    pub page: usize,
    pub section: usize,
}

/// All sections of a corpus, ready to be searched.
pub struct SectionIndex {
    texts: TextIndex,
    /// By entry number.
    sections: Vec<SectionAddress>,
}

impl SectionIndex {
    /// Indexes every section that has text of its own, and every page.
    pub fn build(pages: &[Page], names: &Names) -> Result<Self, DocsError> {
        let mut builder = IndexBuilder::new(&KINDS)?;
        let mut sections = Vec::new();
        let linked = links::collect(pages, names);
        for (number, (page, linked)) in pages.iter().zip(&linked).enumerate() {
            let document = &page.document;
            let path = page.public_path.replace('/', " ");
            let mut whole = [&document.title, &document.description, path.as_str()].join("\n");
            for (section, it) in document.sections.iter().enumerate() {
                let body = markdown::plain_text(document.body(section));
                for text in [&it.heading, &body] {
                    whole.push('\n');
                    whole.push_str(text);
                }
                // A heading with nothing under it: its subsections carry it in their trails.
                if body.is_empty() && document.sections.len() > 1 {
                    continue;
                }
                builder.add(SECTIONS, &[&document.trail(section), &body])?;
                sections.push(SectionAddress { page: number, section });
            }
            builder.add(PAGES, &[&document.title, &path, &document.description, linked, &whole])?;
        }
        Ok(Self { texts: builder.finish()?, sections })
    }

    /// How many sections can be found.
    pub fn section_count(&self) -> usize {
        self.sections.len()
    }

    /// The sections that answer a question best, best first. A question without a word in it is
    /// answered by none.
    pub fn search(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<(SectionAddress, f32)>, DocsError> {
        let question = self.texts.question(PAGES, text)?;
        let pages = self.texts.search(PAGES, &question, PAGES_MAX)?;
        let coverage = self.texts.coverage(PAGES, &question, PAGES_MAX)?;
        let sections = self.texts.search(SECTIONS, &question, limit)?;
        let mut found: Vec<(SectionAddress, f32)> =
            sections.into_iter().map(|(entry, score)| (self.sections[entry], score)).collect();
        // A page may answer as a whole though none of its sections does; then its beginning is
        // shown.
        let shown: HashSet<usize> = found.iter().map(|(at, _)| at.page).collect();
        let hidden = pages.iter().map(|(page, _)| *page).filter(|page| !shown.contains(page));
        found.extend(hidden.take(limit).map(|page| (SectionAddress { page, section: 0 }, 0.0)));
        let pages: HashMap<usize, f32> = pages.into_iter().collect();
        let coverage: HashMap<usize, f32> = coverage.into_iter().collect();
        let of = |scores: &HashMap<usize, f32>, page| scores.get(&page).copied().unwrap_or(0.0);
        for (at, score) in &mut found {
            *score += PAGE_SHARE * of(&pages, at.page);
            *score *= 1.0 - COVERAGE_SHARE * (1.0 - of(&coverage, at.page));
        }
        found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        found.truncate(limit);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(path: &str, markdown: &str) -> Page {
        Page {
            path: path.to_owned(),
            public_path: super::super::page::plain_public_path(path),
            url: None,
            aliases: Vec::new(),
            document: markdown::read(markdown, path),
        }
    }

    fn build(pages: &[Page]) -> SectionIndex {
        SectionIndex::build(pages, &Names::collect(pages, None)).unwrap()
    }

    fn index() -> SectionIndex {
        build(&[
            page(
                "a.md",
                "# Alpha\n\nSet `kafka_enable_authorization` first.\n\n## Limits\n\nMany.",
            ),
            page(
                "b.md",
                "# Beta\n\nHow to configure the alpha cluster.\n\n## Empty\n\n### Deep\n\nx",
            ),
            page("c.md", "# Gamma\n\nauthorization of other things, kafka, enable"),
        ])
    }

    fn first(question: &str) -> Option<(usize, usize)> {
        let found = index().search(question, 5).unwrap();
        found.first().map(|(at, _)| (at.page, at.section))
    }

    #[test]
    fn a_name_is_found_whole_before_its_parts() {
        assert_eq!(first("kafka_enable_authorization"), Some((0, 0)));
    }

    #[test]
    fn other_forms_of_a_word_are_found() {
        assert_eq!(first("configuring clusters"), Some((1, 0)));
    }

    #[test]
    fn a_heading_without_text_is_not_found_but_leads_to_what_is_below() {
        assert_eq!(first("empty"), Some((1, 2)));
        assert_eq!(index().section_count(), 5);
    }

    #[test]
    fn a_question_without_words_finds_nothing() {
        for question in ["", "   ", "?!*", "the of and"] {
            assert_eq!(first(question), None, "{question:?}");
        }
        assert!(index().search("alpha", 0).unwrap().is_empty());
    }

    #[test]
    fn query_syntax_is_only_text() {
        for question in ["title:alpha AND (", "\"unclosed", "alpha^1e99 ~ [a TO", "-alpha +alpha*"]
        {
            assert!(first(question).is_some() || question.starts_with('"'), "{question}");
        }
    }

    #[test]
    fn an_empty_corpus_answers_nothing() {
        let index = build(&[]);
        assert!(index.section_count() == 0 && index.search("alpha", 3).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn no_question_is_an_error(question in "(?s).{0,200}") {
            prop_assert!(index().search(&question, 5).is_ok());
        }
    }
}
