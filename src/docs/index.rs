//! The search index: one entry per section and one per page, in memory, ranked by BM25.
//!
//! A question is answered by a section, but its words are spread over a page: the title says what
//! all sections are about, and "how do I resize a volume in Kubernetes" finds "volume" in one
//! paragraph and "Kubernetes" in another. So every page is an entry of its own as well, and a
//! section is worth what it says itself and a share of what its page says as a whole.
//!
//! The index keeps postings only. Titles, texts and addresses are in the pages already, and an
//! entry's number leads back to them, so nothing is held twice.

use std::collections::{HashMap, HashSet};

use tantivy::{
    DocAddress, Index, Score, TantivyDocument,
    collector::TopDocs,
    query::Query,
    schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{TextAnalyzer, TokenizerManager},
};

use super::{
    error::DocsError,
    links,
    names::Names,
    page::Page,
    query::{self, Wanted},
    tokens,
    vocabulary::Vocabulary,
};

/// The memory in which one segment is built. One segment holds any corpus of this kind: tantivy
/// takes more when it must, and gives all of it back when the segment is finished.
const WRITER_BYTES: usize = 15_000_000;

const ANALYZER: &str = "names";

/// How many pages are scored as a whole for one question.
const PAGES_MAX: usize = 1_000;

/// How much the score of its page adds to a section.
const PAGE_SHARE: Score = 0.4;

/// How much of its score a section loses when its page has none of the words of the question.
const COVERAGE_SHARE: Score = 0.2;

/// Where a section is: the number of its page, and its own on that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SectionAddress {
    pub page: usize,
    pub section: usize,
}

/// All sections of a corpus, ready to be searched.
pub struct SectionIndex {
    searcher: tantivy::Searcher,
    fields: Fields,
    /// By entry number; a page as a whole has no section.
    entries: Vec<(u32, Option<u32>)>,
    section_count: usize,
    analyzer: TextAnalyzer,
    page_count: usize,
}

/// The fields of both kinds of entries. No entry has all of them, and how rare a word is counts
/// within a field: a word of titles is not made common by the many sections below one title.
#[derive(Clone, Copy)]
pub struct Fields {
    /// Of a section: the headings that lead to it.
    pub headings: Field,
    /// Of a section: its text.
    pub body: Field,
    /// Of a page.
    pub title: Field,
    /// Of a page: the words of its address.
    pub path: Field,
    /// Of a page: what its author says of it.
    pub about: Field,
    /// Of a page: what other pages say of it where they link to it.
    pub linked: Field,
    /// Of a page: all of the above and all of its text.
    pub whole: Field,
    entry: Field,
}

impl Fields {
    fn schema() -> (Schema, Self) {
        let indexing = TextFieldIndexing::default()
            .set_tokenizer(ANALYZER)
            .set_index_option(IndexRecordOption::WithFreqs)
            .set_fieldnorms(true);
        let text = || TextOptions::default().set_indexing_options(indexing.clone());
        let mut schema = Schema::builder();
        let fields = Self {
            headings: schema.add_text_field("headings", text()),
            body: schema.add_text_field("body", text()),
            title: schema.add_text_field("title", text()),
            path: schema.add_text_field("path", text()),
            about: schema.add_text_field("about", text()),
            linked: schema.add_text_field("linked", text()),
            whole: schema.add_text_field("whole", text()),
            entry: schema.add_u64_field("entry", FAST),
        };
        (schema.build(), fields)
    }
}

impl SectionIndex {
    /// Indexes every section that has text of its own, and every page.
    pub fn build(pages: &[Page], names: &Names) -> Result<Self, DocsError> {
        let (schema, fields) = Fields::schema();
        let tokenizers = TokenizerManager::default();
        tokenizers.register(ANALYZER, tokens::analyzer());
        let mut writer =
            Index::builder().schema(schema).tokenizers(tokenizers).single_segment_index_writer(
                tantivy::directory::RamDirectory::create(),
                WRITER_BYTES,
            )?;
        let mut entries = Vec::new();
        let mut add = |mut entry: TantivyDocument, page: usize, section: Option<usize>| {
            entry.add_u64(fields.entry, entries.len() as u64);
            entries.push((narrow(page), section.map(narrow)));
            writer.add_document(entry)
        };
        let mut section_count = 0;
        let linked = links::collect(pages, names);
        for (number, page) in pages.iter().enumerate() {
            let mut whole = page_entry(page, fields);
            whole.add_text(fields.linked, &linked[number]);
            for section in 0..page.document.sections.len() {
                let body = super::markdown::plain_text(page.document.body(section));
                whole.add_text(fields.whole, &page.document.sections[section].heading);
                whole.add_text(fields.whole, &body);
                // A heading with nothing under it: its subsections carry it in their trails.
                if body.is_empty() && page.document.sections.len() > 1 {
                    continue;
                }
                let mut entry = TantivyDocument::new();
                entry.add_text(fields.headings, page.document.trail(section));
                entry.add_text(fields.body, body);
                add(entry, number, Some(section))?;
                section_count += 1;
            }
            add(whole, number, None)?;
        }
        let index = writer.finalize()?;
        let reader = index
            .reader_builder()
            .reload_policy(tantivy::ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(1)
            .try_into()?;
        let (searcher, analyzer) = (reader.searcher(), tokens::analyzer());
        Ok(Self { searcher, fields, entries, section_count, analyzer, page_count: pages.len() })
    }

    /// How many sections can be found.
    pub fn section_count(&self) -> usize {
        self.section_count
    }

    /// The sections that answer a question best, best first. A question without a word in it is
    /// answered by none.
    pub fn search(
        &self,
        text: &str,
        limit: usize,
    ) -> Result<Vec<(SectionAddress, Score)>, DocsError> {
        let wanted = self.wanted(text)?;
        if wanted.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let pages = self.best(&query::of_pages(&wanted, self.fields), PAGES_MAX)?;
        let coverage = self.best(&query::of_coverage(&wanted, self.fields), PAGES_MAX)?;
        let sections = self.best(&query::of_sections(&wanted, self.fields), limit)?;
        let mut found: Vec<(SectionAddress, Score)> = sections
            .into_iter()
            .filter_map(|(page, section, score)| {
                Some((SectionAddress { page, section: section? }, score))
            })
            .collect();
        // A page may answer as a whole though none of its sections does; then its beginning is
        // shown.
        let shown: HashSet<usize> = found.iter().map(|(at, _)| at.page).collect();
        let hidden = pages.iter().map(|(page, ..)| *page).filter(|page| !shown.contains(page));
        found.extend(hidden.take(limit).map(|page| (SectionAddress { page, section: 0 }, 0.0)));
        let (pages, coverage) = (by_page(&pages), by_page(&coverage));
        let of = |scores: &HashMap<usize, Score>, page| scores.get(&page).copied().unwrap_or(0.0);
        for (at, score) in &mut found {
            *score += PAGE_SHARE * of(&pages, at.page);
            *score *= 1.0 - COVERAGE_SHARE * (1.0 - of(&coverage, at.page));
        }
        found.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        found.truncate(limit);
        Ok(found)
    }

    /// What is asked for by a question.
    pub(super) fn wanted(&self, text: &str) -> Result<Vec<Wanted>, DocsError> {
        let vocabulary = Vocabulary::new(&self.searcher, self.fields.whole, self.page_count);
        query::wanted(text, &self.analyzer, &vocabulary)
    }

    /// The entries that fit best: page, section, score.
    fn best(&self, query: &dyn Query, limit: usize) -> Result<Vec<Found>, DocsError> {
        let found = self.searcher.search(query, &TopDocs::with_limit(limit).order_by_score())?;
        let found = found.into_iter().map(|(score, at)| {
            let (page, section) = self.entry(at)?;
            Ok((page, section, score))
        });
        found.collect()
    }

    fn entry(&self, at: DocAddress) -> Result<(usize, Option<usize>), DocsError> {
        let segment = self.searcher.segment_reader(at.segment_ord);
        let column = segment.fast_fields().u64("entry")?;
        let entry = column.first(at.doc_id).and_then(|entry| usize::try_from(entry).ok());
        let (page, section) = entry
            .and_then(|entry| self.entries.get(entry))
            .ok_or_else(|| tantivy::TantivyError::InternalError("entry without section".into()))?;
        Ok((*page as usize, section.map(|it| it as usize)))
    }
}

/// A page, one of its sections or None for all of it, and its score.
type Found = (usize, Option<usize>, Score);

fn by_page(found: &[Found]) -> HashMap<usize, Score> {
    found.iter().map(|(page, _, score)| (*page, *score)).collect()
}

/// What is indexed of a page, but for the texts of its sections.
fn page_entry(page: &Page, fields: Fields) -> TantivyDocument {
    let path = page.public_path.replace('/', " ");
    let mut entry = TantivyDocument::new();
    for text in [&page.document.title, &page.document.description, &path] {
        entry.add_text(fields.whole, text);
    }
    entry.add_text(fields.title, &page.document.title);
    entry.add_text(fields.about, &page.document.description);
    entry.add_text(fields.path, path);
    entry
}

#[expect(clippy::cast_possible_truncation, reason = "a corpus has fewer than 2^32 pages")]
fn narrow(number: usize) -> u32 {
    number as u32
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
