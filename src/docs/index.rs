//! The search index of the corpus: one entry per section.

use super::{error::DocsError, page::Page};
use crate::text::index::{FieldSpec, IndexBuilder, Phrases, TextIndex};

/// How much a term counts where it is found. A section is named by its heading: a word there says
/// what the text is about, a word in the text only that it occurs. Title, path and description
/// belong to the whole page and so to all its sections alike. (Tuned on forty questions to a
/// corpus of 552 pages, of which 35 find their page among the first three.)
const FIELDS: [FieldSpec; 5] = [
    FieldSpec { name: "title", boost: 1.2, phrases: Phrases::Counted },
    FieldSpec { name: "headings", boost: 2.2, phrases: Phrases::Counted },
    FieldSpec { name: "body", boost: 1.0, phrases: Phrases::Counted },
    FieldSpec { name: "path", boost: 1.0, phrases: Phrases::Ignored },
    FieldSpec { name: "about", boost: 1.2, phrases: Phrases::Ignored },
];

/// Where a section is: the number of its page, and its own on that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionAddress {
    pub page: usize,
    pub section: usize,
}

/// All sections of a corpus, ready to be searched.
pub struct SectionIndex {
    texts: TextIndex,
    /// By entry number.
    entries: Vec<SectionAddress>,
}

impl SectionIndex {
    /// Indexes every section that has text of its own.
    pub fn build(pages: &[Page]) -> Result<Self, DocsError> {
        let mut builder = IndexBuilder::new(&FIELDS)?;
        let mut entries = Vec::new();
        for (number, page) in pages.iter().enumerate() {
            for section in 0..page.document.sections.len() {
                if let Some(texts) = indexed(page, section) {
                    builder.add(&texts.each_ref().map(String::as_str))?;
                    entries.push(SectionAddress { page: number, section });
                }
            }
        }
        Ok(Self { texts: builder.finish()?, entries })
    }

    /// How many sections can be found.
    pub fn section_count(&self) -> usize {
        self.entries.len()
    }

    /// The sections that answer a question best, best first. A question without a word in it is
    /// answered by none.
    pub fn search(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<(SectionAddress, f32)>, DocsError> {
        let found = self.texts.search(text, limit)?.into_iter();
        Ok(found.map(|(entry, score)| (self.entries[entry], score)).collect())
    }
}

/// What is indexed of a section, in the order of [`FIELDS`], or None for a heading with nothing
/// under it: its subsections carry it in their trails.
fn indexed(page: &Page, section: usize) -> Option<[String; 5]> {
    let document = &page.document;
    let body = super::markdown::plain_text(document.body(section));
    if body.is_empty() && document.sections.len() > 1 {
        return None;
    }
    Some([
        document.title.clone(),
        document.trail(section),
        body,
        page.public_path.replace('/', " "),
        document.description.clone(),
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::docs::markdown;

    fn page(path: &str, markdown: &str) -> Page {
        Page {
            path: path.to_owned(),
            public_path: super::super::page::plain_public_path(path),
            url: None,
            aliases: Vec::new(),
            document: markdown::read(markdown, path),
        }
    }

    fn index() -> SectionIndex {
        SectionIndex::build(&[
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
        .unwrap()
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
        let index = SectionIndex::build(&[]).unwrap();
        assert!(index.section_count() == 0 && index.search("alpha", 3).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn no_question_is_an_error(question in "(?s).{0,200}") {
            prop_assert!(index().search(&question, 5).is_ok());
        }
    }
}
