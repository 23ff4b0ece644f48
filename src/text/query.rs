//! From a question to queries of the index: disjunctions of its words.

use tantivy::{
    Score, Term,
    query::{
        BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query,
        TermQuery,
    },
    schema::{Field, IndexRecordOption},
};

use super::{
    index::{FieldSpec, Phrases},
    question::{Question, Word},
};

/// What two words of the question add when they stand side by side in an entry too.
const PHRASE_BOOST: Score = 0.25;

type Clause = (Occur, Box<dyn Query>);

/// Entries with words of a question in these fields. Each word counts where it counts most, and a
/// little for the other places; so does what stands for it, of which the best counts alone.
pub fn of_words(
    question: &Question,
    fields: &[(FieldSpec, Field)],
    tie_breaker: Score,
) -> BooleanQuery {
    let clause = |word: &Word| {
        let in_fields = fields.iter().map(|(spec, field)| {
            let forms = word.forms.iter().map(|(form, worth)| {
                let term = Term::from_field_text(*field, form);
                let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                boxed(BoostQuery::new(Box::new(query), spec.boost * worth))
            });
            boxed(DisjunctionMaxQuery::new(forms.collect()))
        });
        let best = DisjunctionMaxQuery::with_tie_breaker(in_fields.collect(), tie_breaker);
        (Occur::Should, boxed(best))
    };
    let mut clauses: Vec<Clause> = question.words().iter().map(clause).collect();
    clauses.extend(phrases(question, fields));
    BooleanQuery::new(clauses)
}

/// Words that stand side by side in the question and in a field whose order counts.
fn phrases(question: &Question, fields: &[(FieldSpec, Field)]) -> Vec<Clause> {
    let ordered = fields.iter().filter(|(spec, _)| spec.phrases == Phrases::Counted);
    let ordered: Vec<Field> = ordered.map(|(_, field)| *field).collect();
    if ordered.is_empty() {
        return Vec::new();
    }
    let pairs = question.words().windows(2).filter_map(|pair| {
        let [first, second] = pair else { return None };
        // A name and its own first part stand at one position and are no phrase.
        (second.position == first.position + 1).then_some((first, second))
    });
    let clause = |(first, second): (&Word, &Word)| {
        let in_fields = ordered.iter().map(|field| {
            let words = [first, second].map(|it| Term::from_field_text(*field, it.itself()));
            boxed(BoostQuery::new(Box::new(PhraseQuery::new(words.into())), PHRASE_BOOST))
        });
        (Occur::Should, boxed(DisjunctionMaxQuery::new(in_fields.collect())))
    };
    pairs.map(clause).collect()
}

/// Entries with words of a question, however often and wherever they have them: with each word an
/// entry scores what that word is worth.
pub fn of_coverage(question: &Question, worths: &[Score], fields: &[Field]) -> BooleanQuery {
    let clause = |(word, worth): (&Word, &Score)| {
        let forms = word.forms.iter().flat_map(|(form, share)| {
            fields.iter().map(move |field| {
                let term = Term::from_field_text(*field, form);
                let query = TermQuery::new(term, IndexRecordOption::Basic);
                boxed(ConstScoreQuery::new(Box::new(query), share * worth))
            })
        });
        (Occur::Should, boxed(DisjunctionMaxQuery::new(forms.collect())))
    };
    BooleanQuery::new(question.words().iter().zip(worths).map(clause).collect())
}

fn boxed(query: impl Query) -> Box<dyn Query> {
    Box::new(query)
}
