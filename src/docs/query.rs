//! From the words of a question to queries of the index.
//!
//! A question is never parsed by a query language: it is taken apart by the same analyzer as the
//! pages and becomes a disjunction of words, so there is no text that is a syntax error, and a
//! long one costs no more than [`WORDS_MAX`] words.

use tantivy::{
    Score, Term,
    query::{
        BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, Query, TermQuery,
    },
    schema::{Field, IndexRecordOption},
    tokenizer::TextAnalyzer,
};

use super::{error::DocsError, index::Fields, synonyms, vocabulary::Vocabulary};

/// Questions are cut to this many different words.
const WORDS_MAX: usize = 32;

/// Questions are cut to this many bytes before they are looked at.
const BYTES_MAX: usize = 8 * 1024;

// What counts how much was tried on the questions of `tests/quality`; its README says what each of
// these brings.

/// A word that stands for another says a little less than the word itself.
const SYNONYM_WORTH: Score = 0.8;

/// And a word of other letters is a guess, the worse the more letters differ.
const NEIGHBOUR_WORTH: [Score; 3] = [1.0, 0.9, 0.7];

// Of a section.
const HEADINGS_BOOST: Score = 1.0;
const BODY_BOOST: Score = 1.0;
const SECTION_TIE_BREAKER: Score = 0.1;

// Of a page.
const TITLE_BOOST: Score = 2.5;
const PATH_BOOST: Score = 1.0;
const ABOUT_BOOST: Score = 0.5;
const LINKED_BOOST: Score = 2.0;
const WHOLE_BOOST: Score = 1.0;
const PAGE_TIE_BREAKER: Score = 0.5;

/// A word of a question, and what else may stand for it.
#[derive(Debug)]
pub struct Wanted {
    /// Where it stands in the question.
    position: usize,
    /// The word itself first, then others that mean the same, each with its worth.
    forms: Vec<(String, Score)>,
    /// How rare it is.
    rarity: Score,
}

/// The words of a question that tell one page from another.
pub fn wanted(
    text: &str,
    analyzer: &TextAnalyzer,
    vocabulary: &Vocabulary,
) -> Result<Vec<Wanted>, DocsError> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut analyzer = analyzer.clone();
    let mut stream = analyzer.token_stream(super::cut::head(text, BYTES_MAX));
    while wanted.len() < WORDS_MAX && stream.advance() {
        let token = stream.token();
        if wanted.iter().any(|it| it.forms[0].0 == token.text) {
            continue;
        }
        let word = token.text.clone();
        let forms = forms(&word, vocabulary)?;
        let rarity = vocabulary.rarity(forms.iter().map(|(form, _)| form.as_str()))?;
        wanted.push(Wanted { position: token.position, forms, rarity });
    }
    Ok(without_set_up(wanted))
}

/// What may stand for a word, the word itself first. Only a word that the corpus does not have, and
/// that has no synonym, can be a misspelt one.
fn forms(word: &str, vocabulary: &Vocabulary) -> Result<Vec<(String, Score)>, DocsError> {
    let mut forms = vec![(word.to_owned(), 1.0)];
    let synonyms = synonyms::of(word);
    forms.extend(synonyms.iter().map(|it| (it.clone(), SYNONYM_WORTH)));
    if synonyms.is_empty() && !vocabulary.has(word)? {
        let near = vocabulary.near(word)?;
        forms.extend(near.into_iter().map(|(it, errors)| (it, NEIGHBOUR_WORTH[errors])));
    }
    Ok(forms)
}

/// Leaves "set up" out of a question that says more: every guide has it in a heading, so it would
/// outweigh the one word that says what is to be set up.
fn without_set_up(wanted: Vec<Wanted>) -> Vec<Wanted> {
    let is = |at: usize, word: &str| wanted.get(at).is_some_and(|it| it.forms[0].0 == word);
    let begins = |at: usize| {
        is(at, "set") && is(at + 1, "up") && wanted[at].position + 1 == wanted[at + 1].position
    };
    let said: Vec<bool> =
        (0..wanted.len()).map(|at| !(begins(at) || at > 0 && begins(at - 1))).collect();
    if !said.contains(&true) {
        return wanted;
    }
    wanted.into_iter().zip(said).filter(|(_, said)| *said).map(|(it, _)| it).collect()
}

/// What sections say themselves.
pub fn of_sections(wanted: &[Wanted], fields: Fields) -> BooleanQuery {
    let weighed = [(fields.headings, HEADINGS_BOOST), (fields.body, BODY_BOOST)];
    BooleanQuery::new(words(wanted, &weighed, SECTION_TIE_BREAKER))
}

/// What pages say as a whole.
pub fn of_pages(wanted: &[Wanted], fields: Fields) -> BooleanQuery {
    let weighed = [
        (fields.title, TITLE_BOOST),
        (fields.path, PATH_BOOST),
        (fields.about, ABOUT_BOOST),
        (fields.linked, LINKED_BOOST),
        (fields.whole, WHOLE_BOOST),
    ];
    BooleanQuery::new(words(wanted, &weighed, PAGE_TIE_BREAKER))
}

/// How much of the question a page speaks of at all: with each of its words a page scores what
/// that says, however often and wherever it has it. All of them together score one.
pub fn of_coverage(wanted: &[Wanted], fields: Fields) -> BooleanQuery {
    let all: Score = wanted.iter().map(|it| it.rarity).sum();
    let clause = |it: &Wanted| {
        let worth = it.rarity / all.max(Score::MIN_POSITIVE);
        let forms = it.forms.iter().map(|(form, share)| {
            let term = Term::from_field_text(fields.whole, form);
            let query = TermQuery::new(term, IndexRecordOption::Basic);
            boxed(ConstScoreQuery::new(Box::new(query), share * worth))
        });
        (Occur::Should, boxed(DisjunctionMaxQuery::new(forms.collect())))
    };
    BooleanQuery::new(wanted.iter().map(clause).collect())
}

type Clause = (Occur, Box<dyn Query>);

/// Each word counts where it counts most, and a little for the other places: enough to part ties,
/// not enough for a word that is everywhere to outweigh a second word.
fn words(wanted: &[Wanted], fields: &[(Field, Score)], tie_breaker: Score) -> Vec<Clause> {
    let clause = |it: &Wanted| {
        let in_fields = fields.iter().map(|(field, boost)| {
            let forms = it.forms.iter().map(|(form, worth)| {
                let term = Term::from_field_text(*field, form);
                let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                boxed(BoostQuery::new(Box::new(query), boost * worth))
            });
            boxed(DisjunctionMaxQuery::new(forms.collect()))
        });
        let best = DisjunctionMaxQuery::with_tie_breaker(in_fields.collect(), tie_breaker);
        (Occur::Should, boxed(best))
    };
    wanted.iter().map(clause).collect()
}

fn boxed(query: impl Query) -> Box<dyn Query> {
    Box::new(query)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::vocabulary::LOOKUPS_MAX;
    use crate::docs::{index::SectionIndex, markdown, names::Names, page::Page};

    fn asked(question: &str) -> Vec<String> {
        let page = Page {
            path: "a.md".to_owned(),
            public_path: "a".to_owned(),
            url: None,
            aliases: Vec::new(),
            document: markdown::read("# Encryption\n\nSet `tls_min_version` of brokers.", "a"),
        };
        let pages = [page];
        let index = SectionIndex::build(&pages, &Names::collect(&pages, None)).unwrap();
        let wanted = index.wanted(question).unwrap();
        let forms = |it: &Wanted| it.forms.iter().map(|(form, _)| form.clone()).collect::<Vec<_>>();
        wanted.iter().map(|it| forms(it).join("|")).collect()
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
