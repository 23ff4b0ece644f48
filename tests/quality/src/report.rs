//! The table, and the list of what was missed.

use std::fmt::Write as _;

use crate::{
    measure::{Asked, By, Score},
    questions::{Floor, Part},
};

/// Above the lines.
pub const HEADER: &str = "set       counted by  part      questions  recall@3  recall@10    MRR";

/// One line of the table.
pub fn line(set: &str, part: Part, by: By, score: &Score) -> String {
    let by = match by {
        By::Page => "page",
        By::Section => "section",
    };
    format!(
        "{set:<10}{by:<12}{:<10}{:>9}{:>10.3}{:>11.3}{:>7.3}",
        part.name(),
        score.questions,
        score.recall_at_3,
        score.recall_at_10,
        score.reciprocal_rank
    )
}

/// What does not reach its floor.
pub fn below(floor: &Floor, score: &Score) -> Vec<String> {
    [
        ("recall@3", score.recall_at_3, floor.recall_at_3),
        ("recall@10", score.recall_at_10, floor.recall_at_10),
    ]
    .into_iter()
    .filter(|(_, reached, floor)| reached < floor)
    .map(|(name, reached, floor)| format!("{name} is {reached:.3} and must be {floor:.2}"))
    .collect()
}

/// The questions that find no acceptable page among the first three sections, and what they find.
pub fn misses(asked: &[Asked]) -> String {
    let mut text = String::new();
    for asked in asked {
        let place = asked.place(By::Page);
        if place.is_some_and(|place| place <= 3) {
            continue;
        }
        let place = place.map_or("not found".to_owned(), |place| format!("place {place}"));
        let question = asked.question;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n  {place}: {} ({})", question.ask, question.kind);
        let _ = writeln!(text, "    wants {}", question.pages.join(" "));
        for hit in asked.hits.iter().take(5) {
            let _ = writeln!(text, "    {:>7.2}  {}  {}", hit.score, hit.path, hit.heading);
        }
    }
    text
}
