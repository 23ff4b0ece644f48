//! The words of an index, and the nearest of them to a word that is not there.
//!
//! A misspelt word finds nothing, and the other words of the question are then all there is. So a
//! word that no entry has is taken for the words that are one or two typing errors away from it.
//! Words that are there are never touched: "form" is not "from".
//!
//! Nothing is held for this: the index has its words in order already, and only those that begin
//! alike are looked at, so a question of nothing but unknown words costs no more than some reads
//! through a part of the dictionary.

use std::{cell::Cell, collections::HashMap};

use tantivy::{Searcher, TantivyError, Term, schema::Field};

/// Short words have too many neighbours: every second one of three letters is a word.
const CHARS_MIN: usize = 4;

/// From this length on two errors are forgiven.
const CHARS_FOR_TWO_ERRORS: usize = 8;

/// How many neighbours stand in for a word.
const NEIGHBOURS_MAX: usize = 3;

/// How many words of one question are looked up.
pub const LOOKUPS_MAX: usize = 8;

/// The words of some fields of an index.
pub struct Vocabulary<'a> {
    searcher: &'a Searcher,
    fields: Vec<Field>,
    lookups: Cell<usize>,
}

impl<'a> Vocabulary<'a> {
    /// Of these fields, for one question.
    pub fn new(searcher: &'a Searcher, fields: Vec<Field>) -> Self {
        Self { searcher, fields, lookups: Cell::new(0) }
    }

    /// How many entries have a word, in the field where the most have it.
    pub fn count(&self, word: &str) -> Result<u64, TantivyError> {
        let mut most = 0;
        for field in &self.fields {
            most = self.searcher.doc_freq(&Term::from_field_text(*field, word))?.max(most);
        }
        Ok(most)
    }

    /// The words nearest to one that is not there, each with the number of errors. After some
    /// lookups there are none, however many are asked for.
    pub fn near(&self, word: &str) -> Result<Vec<(String, usize)>, TantivyError> {
        let letters: Vec<char> = word.chars().collect();
        let lookups = self.lookups.get() + 1;
        // Numbers and versions have no spelling.
        if letters.len() < CHARS_MIN
            || word.contains(|c: char| c.is_ascii_digit())
            || lookups > LOOKUPS_MAX
        {
            return Ok(Vec::new());
        }
        self.lookups.set(lookups);
        let found = self.neighbours(&letters)?;
        let mut near: Vec<(String, usize, u32)> =
            found.into_iter().map(|(known, (errors, count))| (known, errors, count)).collect();
        let fewest = near.iter().map(|(_, errors, _)| *errors).min().unwrap_or(0);
        near.retain(|(_, errors, _)| *errors == fewest);
        near.sort_by(|(left, _, a), (right, _, b)| b.cmp(a).then_with(|| left.cmp(right)));
        near.truncate(NEIGHBOURS_MAX);
        Ok(near.into_iter().map(|(known, errors, _)| (known, errors)).collect())
    }

    /// The words few errors away, each with their number and how many entries have it.
    fn neighbours(&self, letters: &[char]) -> Result<HashMap<String, (usize, u32)>, TantivyError> {
        let errors_max = if letters.len() < CHARS_FOR_TWO_ERRORS { 1 } else { 2 };
        let (from, to) = neighbourhood(letters);
        let mut found: HashMap<String, (usize, u32)> = HashMap::new();
        for segment in self.searcher.segment_readers() {
            for field in &self.fields {
                let index = segment.inverted_index(*field)?;
                let mut words = index.terms().range().ge(&from).lt(&to).into_stream()?;
                while let Some((bytes, info)) = words.next() {
                    let Ok(known) = std::str::from_utf8(bytes) else { continue };
                    if let Some(errors) = errors(letters, known, errors_max) {
                        let (_, count) = found.entry(known.to_owned()).or_insert((errors, 0));
                        *count = info.doc_freq.max(*count);
                    }
                }
            }
        }
        Ok(found)
    }
}

/// The bounds of the words that begin with the same letter: people rarely miss the first one.
fn neighbourhood(letters: &[char]) -> (Vec<u8>, Vec<u8>) {
    let from = letters[0].to_string().into_bytes();
    let mut to = from.clone();
    // The last byte of UTF-8 is never 255, so the next one is a bound above all that begin so.
    if let Some(last) = to.last_mut() {
        *last += 1;
    }
    (from, to)
}

/// How many errors lie between two words, if not more than this: a letter too many, too few or
/// another one, or two that changed places (the optimal string alignment distance).
fn errors(wanted: &[char], known: &str, most: usize) -> Option<usize> {
    // Every character takes one to four bytes.
    if known.len() + most < wanted.len() || known.len() > 4 * (wanted.len() + most) {
        return None;
    }
    let known: Vec<char> = known.chars().collect();
    if known.len().abs_diff(wanted.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=known.len()).collect();
    for (row, &letter) in wanted.iter().enumerate() {
        let mut next = Vec::with_capacity(known.len() + 1);
        next.push(row + 1);
        for (column, &other) in known.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut fewest = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && letter == known[column - 1] && wanted[row - 1] == other {
                fewest = fewest.min(before[column - 1] + 1);
            }
            next.push(fewest);
        }
        if next.iter().min().is_some_and(|fewest| *fewest > most) {
            return None;
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().filter(|errors| *errors <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(wanted: &str, known: &str) -> Option<usize> {
        errors(&wanted.chars().collect::<Vec<_>>(), known, 2)
    }

    #[test]
    fn errors_are_counted_up_to_a_bound() {
        for (wanted, known, expected) in [
            ("broker", "broker", Some(0)),
            ("brocker", "broker", Some(1)),
            ("borker", "broker", Some(1)),
            ("brokr", "broker", Some(1)),
            ("brxxer", "broker", Some(2)),
            ("xxxker", "broker", None),
            ("broker", "brokerage", None),
            ("größe", "grösse", Some(2)),
        ] {
            assert_eq!(between(wanted, known), expected, "{wanted} {known}");
        }
    }
}
