//! A search index: one entry per text, in memory, ranked by BM25.
//!
//! The index keeps postings only. Whoever builds it has the texts already, and an entry's number,
//! which is its place in the order of adding, leads back to them; so nothing is held twice.
//!
//! A question is never parsed by a query language: it is taken apart by the same analyzer as the
//! texts and becomes a disjunction of terms, so there is no text that is a syntax error, and a
//! long one costs no more than [`QUERY_TERMS_MAX`] terms.

use std::fmt;

use tantivy::{
    DocAddress, Index, Score, SingleSegmentIndexWriter, TantivyDocument, TantivyError, Term,
    collector::{FilterCollector, TopDocs},
    directory::RamDirectory,
    query::{BooleanQuery, BoostQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query, TermQuery},
    schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::TokenizerManager,
};

use super::{cut, tokens};

/// Questions are cut to this many different terms.
pub const QUERY_TERMS_MAX: usize = 32;

/// Questions are cut to this many bytes before they are looked at.
const QUERY_BYTES_MAX: usize = 8 * 1024;

/// The memory in which one segment is built. One segment holds any corpus of this kind: tantivy
/// takes more when it must, and gives all of it back when the segment is finished.
const WRITER_BYTES: usize = 15_000_000;

const ANALYZER: &str = "names";

/// The column with the number of an entry.
const ENTRY: &str = "entry";

/// What the other fields add to the best one: enough to part ties, not enough for a word that is
/// in all of them to outweigh a second word.
const TIE_BREAKER: Score = 0.25;

/// What two words of the question add when they stand side by side in an entry too.
const PHRASE_BOOST: Score = 0.25;

/// The index could not be built or searched.
#[derive(Debug)]
pub struct IndexError(TantivyError);

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the search index failed")
    }
}

impl std::error::Error for IndexError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl From<TantivyError> for IndexError {
    fn from(source: TantivyError) -> Self {
        Self(source)
    }
}

/// Whether words that stand side by side in a field count as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrases {
    /// They do: the field is running text or a heading.
    Counted,
    /// They do not: the field is a path or a list of words.
    Ignored,
}

/// One of the texts an entry consists of.
#[derive(Debug, Clone, Copy)]
pub struct FieldSpec {
    /// Its name within the index.
    pub name: &'static str,
    /// How much a term counts that is found in it.
    pub boost: Score,
    /// Whether its word order counts.
    pub phrases: Phrases,
}

/// An index that is being built.
pub struct IndexBuilder {
    writer: SingleSegmentIndexWriter,
    fields: Vec<(FieldSpec, Field)>,
    entry: Field,
    count: u64,
}

impl IndexBuilder {
    /// Begins an index whose entries have these fields.
    pub fn new(specs: &[FieldSpec]) -> Result<Self, IndexError> {
        let mut schema = Schema::builder();
        let fields =
            specs.iter().map(|spec| (*spec, schema.add_text_field(spec.name, options(*spec))));
        let fields = fields.collect();
        let entry = schema.add_u64_field(ENTRY, FAST);
        let tokenizers = TokenizerManager::default();
        tokenizers.register(ANALYZER, tokens::analyzer());
        let index = Index::builder().schema(schema.build()).tokenizers(tokenizers);
        let writer = index.single_segment_index_writer(RamDirectory::create(), WRITER_BYTES)?;
        Ok(Self { writer, fields, entry, count: 0 })
    }

    /// Adds the next entry: its texts, in the order of the fields.
    pub fn add(&mut self, texts: &[&str]) -> Result<(), IndexError> {
        assert_eq!(texts.len(), self.fields.len(), "one text for each field");
        let mut document = TantivyDocument::new();
        for ((_, field), text) in self.fields.iter().zip(texts) {
            document.add_text(*field, text);
        }
        document.add_u64(self.entry, self.count);
        self.count += 1;
        self.writer.add_document(document)?;
        Ok(())
    }

    /// Ends the building.
    pub fn finish(self) -> Result<TextIndex, IndexError> {
        let index = self.writer.finalize()?;
        let reader = index
            .reader_builder()
            .reload_policy(tantivy::ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(1)
            .try_into()?;
        let analyzer = tokens::analyzer();
        Ok(TextIndex { searcher: reader.searcher(), fields: self.fields, analyzer })
    }
}

fn options(spec: FieldSpec) -> TextOptions {
    let record = match spec.phrases {
        Phrases::Counted => IndexRecordOption::WithFreqsAndPositions,
        Phrases::Ignored => IndexRecordOption::WithFreqs,
    };
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(ANALYZER)
        .set_index_option(record)
        .set_fieldnorms(true);
    TextOptions::default().set_indexing_options(indexing)
}

/// Entries, ready to be searched.
pub struct TextIndex {
    searcher: tantivy::Searcher,
    fields: Vec<(FieldSpec, Field)>,
    analyzer: tantivy::tokenizer::TextAnalyzer,
}

impl TextIndex {
    /// The numbers of the entries that answer a question best, best first; of equals, the one
    /// added first. A question without a word in it is answered by none.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<(usize, Score)>, IndexError> {
        let Some(query) = self.query_of(text, limit) else { return Ok(Vec::new()) };
        let best = TopDocs::with_limit(limit).order_by_score();
        self.entries(self.searcher.search(&query, &best)?)
    }

    /// The same, of the entries whose number `keeps` says yes to.
    pub fn search_among<F>(
        &self,
        text: &str,
        limit: usize,
        keeps: F,
    ) -> Result<Vec<(usize, Score)>, IndexError>
    where
        F: Fn(usize) -> bool + Send + Sync + Clone + 'static,
    {
        let Some(query) = self.query_of(text, limit) else { return Ok(Vec::new()) };
        let best = TopDocs::with_limit(limit).order_by_score();
        let keeps = move |entry: u64| usize::try_from(entry).is_ok_and(&keeps);
        let best = FilterCollector::new(ENTRY.to_owned(), keeps, best);
        self.entries(self.searcher.search(&query, &best)?)
    }

    fn query_of(&self, text: &str, limit: usize) -> Option<BooleanQuery> {
        let terms = self.terms(text);
        (!terms.is_empty() && limit > 0).then(|| self.query(&terms))
    }

    fn entries(&self, found: Vec<(Score, DocAddress)>) -> Result<Vec<(usize, Score)>, IndexError> {
        found.into_iter().map(|(score, at)| Ok((self.entry(at)?, score))).collect()
    }

    fn entry(&self, at: DocAddress) -> Result<usize, IndexError> {
        let column = self.searcher.segment_reader(at.segment_ord).fast_fields().u64(ENTRY)?;
        let entry = column.first(at.doc_id).and_then(|entry| usize::try_from(entry).ok());
        let missing = || TantivyError::InternalError("a document without its number".into());
        Ok(entry.ok_or_else(missing)?)
    }

    /// The different terms of a question and where they stand in it.
    pub fn terms(&self, text: &str) -> Vec<(usize, String)> {
        let text = cut::head(text, QUERY_BYTES_MAX);
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
            let fields = self.fields.iter().map(|(spec, field)| {
                let term = Term::from_field_text(*field, term);
                let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                Box::new(BoostQuery::new(Box::new(query), spec.boost)) as Box<dyn Query>
            });
            let best_field = DisjunctionMaxQuery::with_tie_breaker(fields.collect(), TIE_BREAKER);
            clauses.push((Occur::Should, Box::new(best_field)));
        }
        for pair in terms.windows(2) {
            let [(before, first), (after, second)] = pair else { continue };
            // A name and its own first part stand at one position and are no phrase.
            if *after != before + 1 {
                continue;
            }
            let with_order = |(spec, _): &&(FieldSpec, Field)| spec.phrases == Phrases::Counted;
            let fields = self.fields.iter().filter(with_order).map(|(_, field)| {
                let words = [first, second].map(|word| Term::from_field_text(*field, word));
                let phrase = PhraseQuery::new(words.into());
                Box::new(BoostQuery::new(Box::new(phrase), PHRASE_BOOST)) as Box<dyn Query>
            });
            clauses.push((Occur::Should, Box::new(DisjunctionMaxQuery::new(fields.collect()))));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> TextIndex {
        let spec = |name, phrases| FieldSpec { name, boost: 1.0, phrases };
        let fields = [spec("title", Phrases::Counted), spec("path", Phrases::Ignored)];
        let mut builder = IndexBuilder::new(&fields).unwrap();
        for texts in [["Alpha cluster", "a"], ["Alpha", "b cluster"], ["Alpha", "c"]] {
            builder.add(&texts).unwrap();
        }
        builder.finish().unwrap()
    }

    fn words(question: &str) -> String {
        let terms = index().terms(question).into_iter().map(|(_, word)| word);
        terms.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn equals_come_in_the_order_of_adding_and_can_be_sifted() {
        let numbers = |found: Vec<(usize, Score)>| -> Vec<usize> {
            found.into_iter().map(|(entry, _)| entry).collect()
        };
        assert_eq!(numbers(index().search("alpha", 9).unwrap())[..2], [1, 2]);
        assert_eq!(numbers(index().search("alpha cluster", 1).unwrap()), [0]);
        let sifted = index().search_among("alpha", 9, |entry| entry != 1).unwrap();
        assert_eq!(numbers(sifted), [2, 0]);
        assert!(index().search("alpha", 0).unwrap().is_empty());
    }

    #[test]
    fn set_up_says_nothing_unless_it_is_all_there_is() {
        assert_eq!(words("How do I set up SASL?"), "sasl");
        assert_eq!(words("set up"), "set up");
        assert_eq!(words("set a limit"), "set limit");
        assert_eq!(words("up to ten"), "up ten");
    }

    #[test]
    fn a_long_question_is_cut() {
        let words: Vec<String> = (0..10_000).map(|number| format!("word{number}")).collect();
        assert_eq!(index().terms(&words.join(" ")).len(), QUERY_TERMS_MAX);
    }
}
