//! A search index: one entry per text, in memory, ranked by BM25.
//!
//! The index keeps postings only. Whoever builds it has the texts already, and an entry's number,
//! which is its place in the order of adding, leads back to them; so nothing is held twice.
//!
//! Entries may be of several kinds, say pages and their sections, each with fields of its own. How
//! rare a word is counts within a field, so a word of the titles of pages is not made common by
//! the many sections below one title.

use std::fmt;

use tantivy::{
    DocAddress, Index, Score, SingleSegmentIndexWriter, TantivyDocument, TantivyError,
    collector::{Collector, FilterCollector, TopDocs},
    columnar::Column,
    directory::RamDirectory,
    query::Query,
    schema::{FAST, Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::TokenizerManager,
};

use super::{query, question::Question, tokens, vocabulary::Vocabulary};

/// The memory in which one segment is built. One segment holds any corpus of this kind: tantivy
/// takes more when it must, and gives all of it back when the segment is finished.
const WRITER_BYTES: usize = 15_000_000;

const ANALYZER: &str = "names";

/// The column with the number of an entry.
const ENTRY: &str = "entry";

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

/// A kind of entries: what is searched together.
#[derive(Debug, Clone, Copy)]
pub struct EntryKind {
    /// The texts an entry consists of. No other kind has a field of the same name.
    pub fields: &'static [FieldSpec],
    /// What the other fields add to the best one: enough to part ties, not enough for a word that
    /// is in all of them to outweigh a second word.
    pub tie_breaker: Score,
}

/// A kind of entries, as the index has it.
struct Entries {
    fields: Vec<(FieldSpec, Field)>,
    tie_breaker: Score,
    count: u64,
}

/// An index that is being built.
pub struct IndexBuilder {
    writer: SingleSegmentIndexWriter,
    kinds: Vec<Entries>,
    entry: Field,
}

impl IndexBuilder {
    /// Begins an index of entries of these kinds. A kind is named by its place among them.
    pub fn new(kinds: &[EntryKind]) -> Result<Self, IndexError> {
        let mut schema = Schema::builder();
        let mut entries = |kind: &EntryKind| {
            let mut field = |spec: &FieldSpec| schema.add_text_field(spec.name, options(*spec));
            let fields = kind.fields.iter().map(|spec| (*spec, field(spec))).collect();
            Entries { fields, tie_breaker: kind.tie_breaker, count: 0 }
        };
        let kinds = kinds.iter().map(&mut entries).collect();
        let entry = schema.add_u64_field(ENTRY, FAST);
        let tokenizers = TokenizerManager::default();
        tokenizers.register(ANALYZER, tokens::analyzer());
        let index = Index::builder().schema(schema.build()).tokenizers(tokenizers);
        let writer = index.single_segment_index_writer(RamDirectory::create(), WRITER_BYTES)?;
        Ok(Self { writer, kinds, entry })
    }

    /// Adds the next entry of a kind: its texts, in the order of the fields.
    pub fn add(&mut self, kind: usize, texts: &[&str]) -> Result<(), IndexError> {
        let kind = &mut self.kinds[kind];
        assert_eq!(texts.len(), kind.fields.len(), "one text for each field");
        let mut document = TantivyDocument::new();
        for ((_, field), text) in kind.fields.iter().zip(texts) {
            document.add_text(*field, text);
        }
        document.add_u64(self.entry, kind.count);
        kind.count += 1;
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
        let (searcher, analyzer) = (reader.searcher(), tokens::analyzer());
        let segments = searcher.segment_readers().iter();
        let numbers = segments.map(|segment| segment.fast_fields().u64(ENTRY));
        let numbers = numbers.collect::<Result<_, _>>()?;
        Ok(TextIndex { searcher, numbers, kinds: self.kinds, analyzer })
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
    /// The numbers of the entries, by segment. Opened once: that takes longer than to score one.
    numbers: Vec<Column<u64>>,
    kinds: Vec<Entries>,
    analyzer: tantivy::tokenizer::TextAnalyzer,
}

impl TextIndex {
    /// What is asked for by a text. A word that no entry of this kind has is taken for the nearest
    /// ones they have.
    pub fn question(&self, kind: usize, text: &str) -> Result<Question, IndexError> {
        Ok(Question::of(text, &self.analyzer, &self.vocabulary(kind))?)
    }

    /// The numbers of the entries of a kind that answer a question best, best first; of equals,
    /// the one added first. A question without a word in it is answered by none.
    pub fn search(
        &self,
        kind: usize,
        question: &Question,
        limit: usize,
    ) -> Result<Vec<(usize, Score)>, IndexError> {
        let Some(best) = best(question, limit) else { return Ok(Vec::new()) };
        self.entries(self.searcher.search(&self.query(kind, question), &best)?)
    }

    /// The same, of the entries whose number `keeps` says yes to.
    pub fn search_among<F>(
        &self,
        kind: usize,
        question: &Question,
        limit: usize,
        keeps: F,
    ) -> Result<Vec<(usize, Score)>, IndexError>
    where
        F: Fn(usize) -> bool + Send + Sync + Clone + 'static,
    {
        let Some(best) = best(question, limit) else { return Ok(Vec::new()) };
        let keeps = move |entry: u64| usize::try_from(entry).is_ok_and(&keeps);
        let best = FilterCollector::new(ENTRY.to_owned(), keeps, best);
        self.entries(self.searcher.search(&self.query(kind, question), &best)?)
    }

    /// The entries of a kind that speak of most of a question, best first. All its words together
    /// score one, and the rarer a word, the larger its part; how often and where an entry has it
    /// does not matter.
    pub fn coverage(
        &self,
        kind: usize,
        question: &Question,
        limit: usize,
    ) -> Result<Vec<(usize, Score)>, IndexError> {
        let Some(best) = best(question, limit) else { return Ok(Vec::new()) };
        let mut worths = Vec::new();
        for word in question.words() {
            worths.push(self.rarity(kind, word.forms())?);
        }
        let all = worths.iter().sum::<Score>().max(Score::MIN_POSITIVE);
        for worth in &mut worths {
            *worth /= all;
        }
        let query = query::of_coverage(question, &worths, &self.fields(kind));
        self.entries(self.searcher.search(&query, &best)?)
    }

    /// How rare these words are together, as BM25 counts it; nothing if no entry has any.
    #[expect(clippy::cast_precision_loss, reason = "an index has fewer than 2^23 entries")]
    fn rarity<'w>(
        &self,
        kind: usize,
        words: impl Iterator<Item = &'w str>,
    ) -> Result<Score, IndexError> {
        let vocabulary = self.vocabulary(kind);
        let mut with_any = 0;
        for word in words {
            with_any = vocabulary.count(word)?.max(with_any);
        }
        let (all, with) = (self.kinds[kind].count as f32, with_any as f32);
        Ok(if with_any == 0 { 0.0 } else { (1.0 + (all - with + 0.5) / (with + 0.5)).ln() })
    }

    fn vocabulary(&self, kind: usize) -> Vocabulary<'_> {
        Vocabulary::new(&self.searcher, self.fields(kind))
    }

    fn fields(&self, kind: usize) -> Vec<Field> {
        self.kinds[kind].fields.iter().map(|(_, field)| *field).collect()
    }

    fn query(&self, kind: usize, question: &Question) -> impl Query {
        let kind = &self.kinds[kind];
        query::of_words(question, &kind.fields, kind.tie_breaker)
    }

    fn entries(&self, found: Vec<(Score, DocAddress)>) -> Result<Vec<(usize, Score)>, IndexError> {
        found.into_iter().map(|(score, at)| Ok((self.entry(at)?, score))).collect()
    }

    fn entry(&self, at: DocAddress) -> Result<usize, IndexError> {
        let segment = usize::try_from(at.segment_ord).ok();
        let column = segment.and_then(|segment| self.numbers.get(segment));
        let entry = column.and_then(|column| column.first(at.doc_id));
        let entry = entry.and_then(|entry| usize::try_from(entry).ok());
        let missing = || TantivyError::InternalError("a document without its number".into());
        Ok(entry.ok_or_else(missing)?)
    }
}

/// Collects so many entries of the highest score, or None if there can be none.
fn best(
    question: &Question,
    limit: usize,
) -> Option<impl Collector<Fruit = Vec<(Score, DocAddress)>>> {
    (!question.is_empty() && limit > 0).then(|| TopDocs::with_limit(limit).order_by_score())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [FieldSpec; 2] = [
        FieldSpec { name: "title", boost: 1.0, phrases: Phrases::Counted },
        FieldSpec { name: "path", boost: 1.0, phrases: Phrases::Ignored },
    ];
    const NOTES: [FieldSpec; 1] =
        [FieldSpec { name: "note", boost: 1.0, phrases: Phrases::Ignored }];
    const KINDS: [EntryKind; 2] = [
        EntryKind { fields: &FIELDS, tie_breaker: 0.25 },
        EntryKind { fields: &NOTES, tie_breaker: 0.25 },
    ];

    fn index() -> TextIndex {
        let mut builder = IndexBuilder::new(&KINDS).unwrap();
        for texts in [["Alpha cluster", "a"], ["Alpha", "b cluster"], ["Alpha", "c"]] {
            builder.add(0, &texts).unwrap();
        }
        for note in ["alpha alpha alpha", "alpha and a topic"] {
            builder.add(1, &[note]).unwrap();
        }
        builder.finish().unwrap()
    }

    fn numbers(found: Vec<(usize, Score)>) -> Vec<usize> {
        found.into_iter().map(|(entry, _)| entry).collect()
    }

    #[test]
    fn equals_come_in_the_order_of_adding_and_can_be_sifted() {
        let index = index();
        let alpha = index.question(0, "alpha").unwrap();
        assert_eq!(numbers(index.search(0, &alpha, 9).unwrap())[..2], [1, 2]);
        let both = index.question(0, "alpha cluster").unwrap();
        assert_eq!(numbers(index.search(0, &both, 1).unwrap()), [0]);
        let sifted = index.search_among(0, &alpha, 9, |entry| entry != 1).unwrap();
        assert_eq!(numbers(sifted), [2, 0]);
        assert!(index.search(0, &alpha, 0).unwrap().is_empty());
    }

    #[test]
    fn each_kind_is_searched_by_itself() {
        let index = index();
        let topic = index.question(1, "topic").unwrap();
        assert_eq!(numbers(index.search(1, &topic, 9).unwrap()), [1]);
        assert!(index.search(0, &topic, 9).unwrap().is_empty());
    }

    #[test]
    fn coverage_counts_each_word_once_and_all_of_them_are_one() {
        let index = index();
        let question = index.question(1, "alpha topic").unwrap();
        let found = index.coverage(1, &question, 9).unwrap();
        assert!((found[0].1 - 1.0).abs() < 0.001, "{found:?}");
        assert_eq!(numbers(found), [1, 0]);
    }
}
