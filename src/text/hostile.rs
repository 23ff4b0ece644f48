//! What a question costs, counted: however it is written, it is looked at once and becomes a few
//! terms (SB-26). That is what bounds the time of a search, on any machine.

use tantivy::tokenizer::TokenStream as _;

use super::index::{EntryKind, FieldSpec, IndexBuilder, Phrases, TextIndex};
use super::question::WORDS_MAX;
use super::tokens;

/// The longest word, in bytes: a name's 64, which lower case may make half as long again.
const WORD_BYTES_MAX: usize = 96;

/// The most words that stand for one, itself among them.
const FORMS_MAX: usize = 16;

const FIELDS: [FieldSpec; 1] = [FieldSpec { name: "title", boost: 1.0, phrases: Phrases::Counted }];

fn index() -> TextIndex {
    let mut builder =
        IndexBuilder::new(&[EntryKind { fields: &FIELDS, tie_breaker: 0.0 }]).unwrap();
    builder.add(0, &["Brokers hold partitions"]).unwrap();
    builder.finish().unwrap()
}

/// Each is 2,000 characters of one kind, the most a tool hands on.
fn long_questions() -> Vec<String> {
    let kinds = [
        "a",
        "b ",
        "a-",
        "a.b_",
        "aB",
        "ABc",
        "a1",
        "漢",
        "漢a",
        "가 ",
        "😀",
        "ﷺ ",
        "İ",
        "ẞ",
        "_",
        "-",
        "e\u{301}",
        "\u{301}",
        "\u{200b}",
        "\u{202e}x",
        "set up ",
        "the ",
        "(a+)+",
        ".*",
        "\"a b\" ",
    ];
    let cut = |kind: &&str| kind.repeat(2_000).chars().take(2_000).collect::<String>();
    let mut questions: Vec<String> = kinds.iter().map(cut).collect();
    let numbered: Vec<String> = (0..400).map(|number| format!("w{number}")).collect();
    questions.push(numbered.join(" "));
    questions.push((0..2_000).filter_map(|number| char::from_u32(0x4e00 + number)).collect());
    questions
}

#[test]
fn however_it_is_written_a_question_is_a_few_short_words() {
    let index = index();
    for text in long_questions() {
        let question = index.question(0, &text).unwrap();
        let words = question.words();
        let shown: String = text.chars().take(12).collect();
        assert!(words.len() <= WORDS_MAX, "{shown:?}: {}", words.len());
        assert!(words.iter().all(|word| word.itself().len() <= WORD_BYTES_MAX), "{shown:?}");
        assert!(words.iter().all(|word| word.forms().count() <= FORMS_MAX), "{shown:?}");
        index.search(0, &question, 20).unwrap();
        index.coverage(0, &question, 20).unwrap();
    }
}

#[test]
fn a_text_is_taken_apart_into_no_more_pieces_than_it_has_characters() {
    for question in long_questions() {
        let mut analyzer = tokens::analyzer();
        let mut stream = analyzer.token_stream(&question);
        let mut pieces = 0;
        while stream.advance() {
            pieces += 1;
        }
        let chars = question.chars().count();
        // Each part takes a character, and a name of several parts comes whole as well.
        assert!(pieces <= chars + chars / 2, "{pieces} pieces of {chars} characters");
    }
}
