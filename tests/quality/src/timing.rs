//! How long it takes, to compare two builds on one machine.

use std::time::{Duration, Instant};

use gatehouse::docs::library::Settings;

use crate::{
    measure,
    questions::{Part, Set},
};

/// Each is done so often, and the fastest counts: the others were disturbed.
const OPENINGS: usize = 3;
const ROUNDS: usize = 5;

/// Says how long indexing takes, and a question on average and at most.
pub fn line(settings: &Settings, set: &Set) -> Result<String, String> {
    let mut opening = Duration::MAX;
    for _ in 0..OPENINGS {
        let (spent, library) = timed(|| measure::open(settings.clone()));
        library?;
        opening = opening.min(spent);
    }
    let library = measure::open(settings.clone())?;
    let (mut all, mut slowest) = (Duration::ZERO, Duration::ZERO);
    let questions = set.questions(Part::All)?;
    for question in &questions {
        let mut answering = Duration::MAX;
        for _ in 0..ROUNDS {
            let (spent, hits) = timed(|| measure::search(&library, &question.ask));
            hits?;
            answering = answering.min(spent);
        }
        all += answering;
        slowest = slowest.max(answering);
    }
    let mean = all.as_secs_f64() / f64::from(u32::try_from(questions.len()).unwrap_or(u32::MAX));
    Ok(format!(
        "{}: indexed in {:.2} s; a question takes {:.2} ms, the slowest {:.2} ms",
        set.name,
        opening.as_secs_f64(),
        mean * 1000.0,
        slowest.as_secs_f64() * 1000.0
    ))
}

#[expect(clippy::disallowed_methods, reason = "to measure time is what this is for")]
fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = what();
    (start.elapsed(), result)
}
