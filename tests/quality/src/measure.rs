//! Asking, and counting where the answers stand.

use gatehouse::docs::{
    library::{Library, SearchQuery, SectionHit, Settings},
    read::{ReadAnswer, ReadRequest},
};

use crate::questions::Question;

/// How many sections are asked for.
pub const LIMIT: usize = 10;

/// What `search_docs` takes when it is not told.
const CHARS_MAX: usize = 12_000;

/// What counts as the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Any section of an acceptable page.
    Page,
    /// The section that the question names, where it names one.
    Section,
}

/// A question and what the search found.
pub struct Asked<'a> {
    pub question: &'a Question,
    pub hits: Vec<SectionHit>,
}

/// How good the answers to many questions are.
#[derive(Debug, PartialEq)]
pub struct Score {
    pub questions: usize,
    /// The share of questions with an answer among the first three sections.
    pub recall_at_3: f64,
    /// And among the first ten.
    pub recall_at_10: f64,
    /// The mean of one divided by the place of the first answer; no answer counts nothing.
    pub reciprocal_rank: f64,
}

/// The documentation, indexed.
pub fn open(settings: Settings) -> Result<Library, String> {
    Library::open(settings).map_err(|it| it.to_string())
}

/// Asks each question. A question whose answer does not exist is an error: it could never be found.
pub fn ask_all<'a>(library: &Library, questions: &'a [Question]) -> Result<Vec<Asked<'a>>, String> {
    questions.iter().map(|question| ask(library, question)).collect()
}

fn ask<'a>(library: &Library, question: &'a Question) -> Result<Asked<'a>, String> {
    for page in &question.pages {
        let request = ReadRequest { page, section: None, offset: 0, max_chars: 1 };
        match library.read(&request).map_err(|it| it.to_string())? {
            ReadAnswer::Page(_) => {}
            _ => return Err(format!("{page} is not there, and would answer a question")),
        }
    }
    Ok(Asked { question, hits: search(library, &question.ask)? })
}

/// As the tool searches.
pub fn search(library: &Library, text: &str) -> Result<Vec<SectionHit>, String> {
    let query = SearchQuery { text, limit: LIMIT, max_chars: CHARS_MAX };
    library.search(&query).map_err(|it| it.to_string())
}

impl Asked<'_> {
    /// The place of the first answer, from 1.
    pub fn place(&self, by: By) -> Option<usize> {
        let is_answer = |hit: &SectionHit| self.question.pages.iter().any(|it| fits(it, hit, by));
        self.hits.iter().position(is_answer).map(|at| at + 1)
    }
}

fn fits(expected: &str, hit: &SectionHit, by: By) -> bool {
    let (page, anchor) = match expected.split_once('#') {
        Some((page, anchor)) => (page, Some(anchor)),
        None => (expected, None),
    };
    let found = hit.url.as_deref().and_then(|url| url.split_once('#')).map(|(_, anchor)| anchor);
    page == hit.path && (by == By::Page || anchor.is_none() || anchor == found)
}

impl Score {
    /// Counts.
    #[expect(clippy::cast_precision_loss, reason = "there are some hundred questions")]
    pub fn of(asked: &[Asked], by: By) -> Self {
        let places: Vec<Option<usize>> = asked.iter().map(|it| it.place(by)).collect();
        let count = places.len().max(1) as f64;
        let within = |most: usize| {
            places.iter().flatten().filter(|place| **place <= most).count() as f64 / count
        };
        Self {
            questions: places.len(),
            recall_at_3: within(3),
            recall_at_10: within(LIMIT),
            reciprocal_rank: places.iter().flatten().map(|it| 1.0 / *it as f64).sum::<f64>()
                / count,
        }
    }
}
