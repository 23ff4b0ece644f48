//! How good the search is, as a number: recall at 3 and at 10, and the mean reciprocal rank.
//!
//! Questions and the pages that answer them lie beside this program, in `manual` and `site`;
//! `README.md` there says how they were written and how the held-out part stays honest. Each is
//! asked of the index as `search_docs` asks it, and the place of the first section of an
//! acceptable page is its rank. Exit codes: 0 all floors hold, 1 one does not, 2 it could not be
//! carried out.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to a terminal")]

mod measure;
mod questions;
mod report;
mod timing;

use std::{env, process::ExitCode};

use measure::Score;
use questions::{Part, SETS, Set};

const USAGE: &str = "\
usage: gatehouse-search-quality [--misses] [--time]
  --misses  list the questions of the tuning half that do not find a page among the first three
  --time    say how long indexing and answering take";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Some(unknown) = arguments.iter().find(|it| !matches!(it.as_str(), "--misses" | "--time"))
    {
        eprintln!("{unknown:?} is not known\n{USAGE}");
        return ExitCode::from(2);
    }
    let asked_for = |flag: &str| arguments.iter().any(|it| it == flag);
    match run(asked_for("--misses"), asked_for("--time")) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("search-quality: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Whether all floors hold.
fn run(misses: bool, time: bool) -> Result<bool, String> {
    let mut all_hold = true;
    println!("{}", report::HEADER);
    for set in &SETS {
        let Some(settings) = set.settings() else {
            println!("{}: the corpus is not here, so nothing is asked of it", set.name);
            continue;
        };
        let library = measure::open(settings.clone())?;
        for part in Part::ALL {
            let questions = set.questions(part)?;
            let asked = measure::ask_all(&library, &questions)?;
            for by in set.measured_by {
                let score = Score::of(&asked, *by);
                println!("{}", report::line(set.name, part, *by, &score));
                for broken in report::below(&Set::floor(*by), &score) {
                    println!("  below the floor: {broken}");
                    all_hold = false;
                }
            }
            // What is held out is shown as a total only.
            if misses && part == Part::Tuning {
                print!("{}", report::misses(&asked));
            }
        }
        if time {
            println!("{}", timing::line(&settings, set)?);
        }
    }
    Ok(all_hold)
}

#[cfg(test)]
mod tests;
