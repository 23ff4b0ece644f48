//! What is asked for by a question: its words, and what else may stand for each of them.
//!
//! A question is never parsed by a query language: it is taken apart by the same analyzer as the
//! texts, so there is no text that is a syntax error, and a long one costs no more than
//! [`WORDS_MAX`] words.

use tantivy::{Score, TantivyError, tokenizer::TextAnalyzer};

use super::{cut, synonyms, vocabulary::Vocabulary};

/// Questions are cut to this many different words.
pub const WORDS_MAX: usize = 32;

/// Questions are cut to this many bytes before they are looked at.
const BYTES_MAX: usize = 8 * 1024;

// What counts how much was tried on the questions of `tests/quality`; its README says what each of
// these brings.

/// A word that stands for another says a little less than the word itself.
const SYNONYM_WORTH: Score = 0.8;

/// And a word of other letters is a guess, the worse the more letters differ.
const NEIGHBOUR_WORTH: [Score; 3] = [1.0, 0.9, 0.7];

/// The words of a question that tell one text from another.
#[derive(Debug)]
pub struct Question(pub(super) Vec<Word>);

/// A word of a question, and what else may stand for it.
#[derive(Debug)]
pub struct Word {
    /// Where it stands in the question.
    pub(super) position: usize,
    /// The word itself first, then others that mean the same, each with its worth.
    pub(super) forms: Vec<(String, Score)>,
}

impl Question {
    /// Takes a text apart.
    pub(super) fn of(
        text: &str,
        analyzer: &TextAnalyzer,
        vocabulary: &Vocabulary<'_>,
    ) -> Result<Self, TantivyError> {
        let mut words: Vec<Word> = Vec::new();
        let mut analyzer = analyzer.clone();
        let mut stream = analyzer.token_stream(cut::head(text, BYTES_MAX));
        while words.len() < WORDS_MAX && stream.advance() {
            let token = stream.token();
            if words.iter().all(|known| known.itself() != token.text) {
                let forms = forms(&token.text, vocabulary)?;
                words.push(Word { position: token.position, forms });
            }
        }
        Ok(Self(without_set_up(words)))
    }

    /// Whether there is no word in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its words, as the index has them.
    pub fn words(&self) -> &[Word] {
        &self.0
    }
}

impl Word {
    /// The word as it was asked for.
    pub fn itself(&self) -> &str {
        &self.forms[0].0
    }

    /// The word itself and what may stand for it.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        self.forms.iter().map(|(form, _)| form.as_str())
    }
}

/// What may stand for a word, the word itself first. Only a word that the index does not have, and
/// that has no synonym, can be a misspelt one.
fn forms(word: &str, vocabulary: &Vocabulary<'_>) -> Result<Vec<(String, Score)>, TantivyError> {
    let mut forms = vec![(word.to_owned(), 1.0)];
    let synonyms = synonyms::of(word);
    forms.extend(synonyms.iter().map(|it| (it.clone(), SYNONYM_WORTH)));
    if synonyms.is_empty() && vocabulary.count(word)? == 0 {
        let near = vocabulary.near(word)?;
        forms.extend(near.into_iter().map(|(it, errors)| (it, NEIGHBOUR_WORTH[errors])));
    }
    Ok(forms)
}

/// Leaves "set up" out of a question that says more: every guide has it in a heading, so it would
/// outweigh the one word that says what is to be set up.
fn without_set_up(words: Vec<Word>) -> Vec<Word> {
    let is = |at: usize, word: &str| words.get(at).is_some_and(|it| it.itself() == word);
    let begins = |at: usize| {
        is(at, "set") && is(at + 1, "up") && words[at].position + 1 == words[at + 1].position
    };
    let said: Vec<bool> =
        (0..words.len()).map(|at| !(begins(at) || at > 0 && begins(at - 1))).collect();
    if !said.contains(&true) {
        return words;
    }
    words.into_iter().zip(said).filter(|(_, said)| *said).map(|(it, _)| it).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{
        index::{EntryKind, FieldSpec, IndexBuilder, Phrases},
        vocabulary::LOOKUPS_MAX,
    };

    const FIELDS: [FieldSpec; 2] = [
        FieldSpec { name: "title", boost: 1.0, phrases: Phrases::Ignored },
        FieldSpec { name: "body", boost: 1.0, phrases: Phrases::Ignored },
    ];
    const KIND: EntryKind = EntryKind { fields: &FIELDS, tie_breaker: 0.0 };

    fn asked(question: &str) -> Vec<String> {
        let mut builder = IndexBuilder::new(&[KIND]).unwrap();
        builder.add(0, &["Encryption", "Set `tls_min_version` of brokers."]).unwrap();
        let question = builder.finish().unwrap().question(0, question).unwrap();
        let forms = |it: &Word| it.forms().collect::<Vec<_>>().join("|");
        question.words().iter().map(forms).collect()
    }

    #[test]
    fn set_up_says_nothing_unless_it_is_all_there_is() {
        assert_eq!(asked("How do I set up a broker?"), ["broker"]);
        assert_eq!(asked("set up"), ["set", "up"]);
        assert_eq!(asked("set a broker"), ["set", "broker"]);
        assert_eq!(asked("up to broker"), ["up", "broker"]);
    }

    #[test]
    fn an_unknown_word_is_taken_for_its_neighbours_and_a_known_one_for_itself() {
        assert_eq!(asked("encription brokers"), ["encript|encrypt", "broker"]);
        assert_eq!(asked("ssl"), ["ssl|tls|https"]);
    }

    #[test]
    fn a_question_of_unknown_words_is_looked_up_in_part_only() {
        let words: Vec<String> = ('a'..='z').map(|letter| format!("encrypt{letter}x")).collect();
        let found = asked(&words.join(" "));
        assert_eq!(found.iter().filter(|it| it.contains('|')).count(), LOOKUPS_MAX);
    }

    #[test]
    fn a_long_question_is_cut() {
        let words: Vec<String> = (0..10_000).map(|number| format!("word{number}")).collect();
        assert_eq!(asked(&words.join(" ")).len(), WORDS_MAX);
    }
}
