//! How text becomes search terms, the same for pages and for questions.
//!
//! Documentation is full of names: `kafka_enable_authorization`, `redpanda.yaml`,
//! `podAntiAffinity`. A name is found whole, which is rare and so weighs much, and by its parts,
//! which is how people ask. The parts stand at consecutive positions, so "enable authorization"
//! is a phrase in it.

use tantivy::tokenizer::{Language, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer};

/// Names and words longer than this are keys, hashes and pictures: nobody searches for them.
const TOKEN_BYTES_MAX: usize = 64;

/// Words that are in every question and every page. Short on purpose: "all", "no", "not", "on",
/// "off" are values and flags in documentation, so they stay searchable.
const STOP_WORDS: &[&str] = &[
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could",
    "do", "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it",
    "its", "me", "my", "need", "of", "or", "our", "please", "should", "so", "that", "the", "their",
    "then", "there", "these", "they", "this", "to", "want", "was", "way", "we", "were", "what",
    "when", "where", "which", "while", "who", "why", "will", "with", "would", "you", "your",
];

/// The one analyzer of the index.
pub fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(Names::default()).filter(Stemmer::new(Language::English)).build()
}

/// The most terms that are looked at of what people ask.
pub const QUESTION_TERMS_MAX: usize = 32;

/// The different terms of a text, as the index knows them, in the order in which they first come;
/// so many at most.
pub fn terms(text: &str, terms_max: usize) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    let mut analyzer = analyzer();
    let mut stream = analyzer.token_stream(text);
    while terms.len() < terms_max && stream.advance() {
        let term = &stream.token().text;
        if !terms.contains(term) {
            terms.push(term.clone());
        }
    }
    terms
}

/// Splits text into names and their parts, in lower case, without stop words.
#[derive(Clone, Default)]
struct Names {
    token: Token,
}

struct NameStream<'a> {
    text: &'a str,
    /// Where the next name is looked for.
    at: usize,
    /// The position the next name gets.
    position: usize,
    /// Byte ranges of the current name still to hand out, last first, with their positions.
    waiting: Vec<(usize, usize, usize)>,
    token: &'a mut Token,
}

impl Tokenizer for Names {
    type TokenStream<'a> = NameStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> NameStream<'a> {
        self.token.reset();
        NameStream { text, at: 0, position: 0, waiting: Vec::new(), token: &mut self.token }
    }
}

impl NameStream<'_> {
    /// Finds the next name and queues it and its parts. False at the end of the text.
    fn queue_next_name(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(start) = rest.find(char::is_alphanumeric) else { return false };
        let start = self.at + start;
        let end = start + name_length(&self.text[start..]);
        self.at = end;
        let parts = parts(&self.text[start..end]);
        let count = parts.len();
        for (number, (from, to)) in parts.into_iter().enumerate().rev() {
            self.waiting.push((start + from, start + to, self.position + number));
        }
        if count > 1 {
            self.waiting.push((start, end, self.position));
        }
        self.position += count;
        true
    }
}

impl TokenStream for NameStream<'_> {
    fn advance(&mut self) -> bool {
        loop {
            while let Some((from, to, position)) = self.waiting.pop() {
                if to - from > TOKEN_BYTES_MAX {
                    continue;
                }
                self.token.text.clear();
                self.token.text.extend(self.text[from..to].chars().flat_map(char::to_lowercase));
                if STOP_WORDS.binary_search(&self.token.text.as_str()).is_ok() {
                    continue;
                }
                (self.token.offset_from, self.token.offset_to) = (from, to);
                self.token.position = position;
                return true;
            }
            if !self.queue_next_name() {
                return false;
            }
        }
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// How far a name reaches that starts here: letters and digits, and single joints between them.
fn name_length(text: &str) -> usize {
    let mut end = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let joins = matches!(c, '_' | '-' | '.')
            && chars.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !c.is_alphanumeric() && !joins {
            break;
        }
        end = at + c.len_utf8();
    }
    end
}

/// The byte ranges of the parts of a name: cut at joints, at the humps of camel case, and around
/// every ideograph, since scripts without spaces would otherwise be one long word.
fn parts(name: &str) -> Vec<(usize, usize)> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    let mut chars = name.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        let is_hump = c.is_uppercase()
            && before.is_some_and(|it| it.is_lowercase() || (it.is_uppercase() && next_is_lower));
        let is_joint = !c.is_alphanumeric();
        if (is_hump || is_joint || is_ideograph(c) || before.is_some_and(is_ideograph))
            && start < at
        {
            parts.push((start, at));
            start = at;
        }
        if is_joint {
            start = at + c.len_utf8();
        }
        before = Some(c);
    }
    if start < name.len() {
        parts.push((start, name.len()));
    }
    parts
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        let mut analyzer = analyzer();
        let mut stream = analyzer.token_stream(text);
        stream.process(&mut |token| found.push((token.text.clone(), token.position)));
        found
    }

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn stop_words_are_sorted_so_that_they_can_be_found() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn a_name_is_found_whole_and_in_parts() {
        let expected = [("kafka_api_tl", 0), ("kafka", 0), ("api", 1), ("tls", 2), ("port", 3)];
        let found = tokens("kafka_api_tls port");
        for (word, position) in expected {
            let stemmed = words(word).remove(0);
            assert!(
                found
                    .iter()
                    .any(|(text, at)| (text == word || *text == stemmed) && *at == position),
                "{word} in {found:?}"
            );
        }
    }

    #[test]
    fn camel_case_has_parts() {
        assert_eq!(words("podAntiAffinity")[1..], ["pod", "anti", "affin"]);
        assert_eq!(words("HTTPServer")[1..], ["http", "server"]);
    }

    #[test]
    fn words_are_stemmed() {
        assert_eq!(words("configuring configured"), ["configur", "configur"]);
    }

    #[test]
    fn stop_words_leave_a_gap() {
        assert_eq!(tokens("limit of the cluster"), [("limit".into(), 0), ("cluster".into(), 3)]);
    }

    #[test]
    fn a_sentence_end_does_not_join_words() {
        assert_eq!(words("Stop. Start"), ["stop", "start"]);
        assert_eq!(words("--set-flag"), ["set-flag", "set", "flag"]);
    }

    #[test]
    fn ideographs_are_words_of_their_own() {
        assert_eq!(words("集群配置").len(), 5);
    }

    proptest! {
        #[test]
        fn tokens_lie_inside_the_text(text in "(?s).{0,200}") {
            let mut analyzer = analyzer();
            analyzer.token_stream(&text).process(&mut |token| {
                assert!(text.get(token.offset_from..token.offset_to).is_some());
            });
        }
    }
}
