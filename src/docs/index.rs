//! The search index: one entry per section, in memory, ranked by BM25.
//!
//! The index keeps postings only. Titles, texts and addresses are in the pages already, and an
//! entry's number leads back to them, so nothing is held twice.
//!
//! A question is never parsed by a query language: it is taken apart by the same analyzer as the
//! pages and becomes a disjunction of terms, so there is no text that is a syntax error, and a
//! long one costs no more than [`QUERY_TERMS_MAX`] terms.

use tantivy::{
    DocAddress, Index, Score, TantivyDocument, Term,
    collector::TopDocs,
    query::{BooleanQuery, BoostQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query, TermQuery},
    schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::TokenizerManager,
};

use super::{error::DocsError, page::Page, tokens};

/// Questions are cut to this many different terms.
const QUERY_TERMS_MAX: usize = 32;

/// Questions are cut to this many bytes before they are looked at.
const QUERY_BYTES_MAX: usize = 8 * 1024;

/// The memory in which one segment is built. One segment holds any corpus of this kind: tantivy
/// takes more when it must, and gives all of it back when the segment is finished.
const WRITER_BYTES: usize = 15_000_000;

const ANALYZER: &str = "names";

/// How much a term counts where it is found. A section is named by its heading: a word there says
/// what the text is about, a word in the text only that it occurs. Title, path and description
/// belong to the whole page and so to all its sections alike. (Tuned on forty questions to a
/// corpus of 552 pages, of which 35 find their page among the first three.)
const TITLE_BOOST: Score = 1.2;
const HEADINGS_BOOST: Score = 2.2;
const BODY_BOOST: Score = 1.0;
const PATH_BOOST: Score = 1.0;
const ABOUT_BOOST: Score = 1.2;

/// What the other fields add to the best one: enough to part ties, not enough for a word that is
/// in all of them to outweigh a second word.
const TIE_BREAKER: Score = 0.25;

/// What two words of the question add when they stand side by side in a section too.
const PHRASE_BOOST: Score = 0.25;

/// Where a section is: the number of its page, and its own on that page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionAddress {
    pub page: usize,
    pub section: usize,
}

/// All sections of a corpus, ready to be searched.
pub struct SectionIndex {
    searcher: tantivy::Searcher,
    fields: Fields,
    /// By entry number.
    entries: Vec<(u32, u32)>,
    analyzer: tantivy::tokenizer::TextAnalyzer,
}

#[derive(Clone, Copy)]
struct Fields {
    title: Field,
    headings: Field,
    body: Field,
    path: Field,
    about: Field,
    entry: Field,
}

impl Fields {
    fn schema() -> (Schema, Self) {
        let text = |record| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(ANALYZER)
                .set_index_option(record)
                .set_fieldnorms(true);
            TextOptions::default().set_indexing_options(indexing)
        };
        let phrases = IndexRecordOption::WithFreqsAndPositions;
        let mut schema = Schema::builder();
        let fields = Self {
            title: schema.add_text_field("title", text(phrases)),
            headings: schema.add_text_field("headings", text(phrases)),
            body: schema.add_text_field("body", text(phrases)),
            path: schema.add_text_field("path", text(IndexRecordOption::WithFreqs)),
            about: schema.add_text_field("about", text(IndexRecordOption::WithFreqs)),
            entry: schema.add_u64_field("entry", FAST),
        };
        (schema.build(), fields)
    }

    fn boosted(self) -> [(Field, Score); 5] {
        [
            (self.title, TITLE_BOOST),
            (self.headings, HEADINGS_BOOST),
            (self.body, BODY_BOOST),
            (self.path, PATH_BOOST),
            (self.about, ABOUT_BOOST),
        ]
    }
}

impl SectionIndex {
    /// Indexes every section that has text of its own.
    pub fn build(pages: &[Page]) -> Result<Self, DocsError> {
        let (schema, fields) = Fields::schema();
        let tokenizers = TokenizerManager::default();
        tokenizers.register(ANALYZER, tokens::analyzer());
        let mut writer =
            Index::builder().schema(schema).tokenizers(tokenizers).single_segment_index_writer(
                tantivy::directory::RamDirectory::create(),
                WRITER_BYTES,
            )?;
        let mut entries = Vec::new();
        for (page_number, page) in pages.iter().enumerate() {
            for section in 0..page.document.sections.len() {
                if let Some(mut document) = indexed(page, section, fields) {
                    document.add_u64(fields.entry, entries.len() as u64);
                    entries.push((narrow(page_number), narrow(section)));
                    writer.add_document(document)?;
                }
            }
        }
        let index = writer.finalize()?;
        let reader = index
            .reader_builder()
            .reload_policy(tantivy::ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(1)
            .try_into()?;
        Ok(Self { searcher: reader.searcher(), fields, entries, analyzer: tokens::analyzer() })
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
    ) -> Result<Vec<(SectionAddress, Score)>, DocsError> {
        let terms = self.terms(text);
        if terms.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let best = TopDocs::with_limit(limit).order_by_score();
        let found = self.searcher.search(&self.query(&terms), &best)?;
        found.into_iter().map(|(score, at)| Ok((self.section(at)?, score))).collect()
    }

    fn section(&self, at: DocAddress) -> Result<SectionAddress, DocsError> {
        let segment = self.searcher.segment_reader(at.segment_ord);
        let column = segment.fast_fields().u64("entry")?;
        let entry = column.first(at.doc_id).and_then(|entry| usize::try_from(entry).ok());
        let (page, section) = entry
            .and_then(|entry| self.entries.get(entry))
            .ok_or_else(|| tantivy::TantivyError::InternalError("entry without section".into()))?;
        Ok(SectionAddress { page: *page as usize, section: *section as usize })
    }

    /// The different terms of a question and where they stand in it.
    fn terms(&self, text: &str) -> Vec<(usize, String)> {
        let text = super::cut::head(text, QUERY_BYTES_MAX);
        let mut terms: Vec<(usize, String)> = Vec::new();
        let mut analyzer = self.analyzer.clone();
        let mut stream = analyzer.token_stream(text);
        while terms.len() < QUERY_TERMS_MAX && stream.advance() {
            let token = stream.token();
            if terms.iter().all(|(_, known)| *known != token.text) {
                terms.push((token.position, token.text.clone()));
            }
        }
        without_filler(terms)
    }

    fn query(&self, terms: &[(usize, String)]) -> BooleanQuery {
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (_, term) in terms {
            let fields = self.fields.boosted().map(|(field, boost)| {
                let term = Term::from_field_text(field, term);
                let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                Box::new(BoostQuery::new(Box::new(query), boost)) as Box<dyn Query>
            });
            let best_field = DisjunctionMaxQuery::with_tie_breaker(fields.into(), TIE_BREAKER);
            clauses.push((Occur::Should, Box::new(best_field)));
        }
        for pair in terms.windows(2) {
            let [(before, first), (after, second)] = pair else { continue };
            // A name and its own first part stand at one position and are no phrase.
            if *after != before + 1 {
                continue;
            }
            let fields = [self.fields.title, self.fields.headings, self.fields.body].map(|field| {
                let words = [first, second].map(|word| Term::from_field_text(field, word));
                let phrase = PhraseQuery::new(words.into());
                Box::new(BoostQuery::new(Box::new(phrase), PHRASE_BOOST)) as Box<dyn Query>
            });
            clauses.push((Occur::Should, Box::new(DisjunctionMaxQuery::new(fields.into()))));
        }
        BooleanQuery::new(clauses)
    }
}

/// Leaves "set up" out of a question that says more: every guide has it in a heading, so it would
/// outweigh the one word that says what is to be set up.
fn without_filler(terms: Vec<(usize, String)>) -> Vec<(usize, String)> {
    let is_filler = |at: usize| {
        let pair = terms.get(at).zip(terms.get(at + 1));
        pair.is_some_and(|((before, first), (after, second))| {
            *after == before + 1 && first == "set" && second == "up"
        })
    };
    let fillers: Vec<usize> =
        (0..terms.len()).filter(|at| is_filler(*at)).flat_map(|at| [at, at + 1]).collect();
    if fillers.len() == terms.len() {
        return terms;
    }
    let kept = terms.into_iter().enumerate().filter(|(at, _)| !fillers.contains(at));
    kept.map(|(_, term)| term).collect()
}

/// What is indexed of a section, or None for a heading with nothing under it: its subsections
/// carry it in their trails.
fn indexed(page: &Page, section: usize, fields: Fields) -> Option<TantivyDocument> {
    let document = &page.document;
    let body = super::markdown::plain_text(document.body(section));
    if body.is_empty() && document.sections.len() > 1 {
        return None;
    }
    let mut entry = TantivyDocument::new();
    entry.add_text(fields.title, &document.title);
    entry.add_text(fields.headings, document.trail(section));
    entry.add_text(fields.body, body);
    entry.add_text(fields.path, page.public_path.replace('/', " "));
    entry.add_text(fields.about, &document.description);
    Some(entry)
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
    fn set_up_says_nothing_unless_it_is_all_there_is() {
        let words = |question: &str| {
            let terms = index().terms(question);
            terms.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(words("How do I set up SASL?"), "sasl");
        assert_eq!(words("set up"), "set up");
        assert_eq!(words("set a limit"), "set limit");
        assert_eq!(words("up to ten"), "up ten");
    }

    #[test]
    fn an_empty_corpus_answers_nothing() {
        let index = SectionIndex::build(&[]).unwrap();
        assert!(index.section_count() == 0 && index.search("alpha", 3).unwrap().is_empty());
    }

    #[test]
    fn a_long_question_is_cut() {
        let words: Vec<String> = (0..10_000).map(|number| format!("word{number}")).collect();
        let question = words.join(" ");
        assert_eq!(index().terms(&question).len(), QUERY_TERMS_MAX);
    }

    proptest! {
        #[test]
        fn no_question_is_an_error(question in "(?s).{0,200}") {
            prop_assert!(index().search(&question, 5).is_ok());
        }
    }
}
