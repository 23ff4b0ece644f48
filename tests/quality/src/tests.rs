use std::collections::HashSet;

use gatehouse::docs::library::SectionHit;

use crate::{
    measure::{self, Asked, By, Score},
    questions::{Floor, Part, Question, SETS, Set},
    report,
};

fn question(pages: &[&str]) -> Question {
    let pages = pages.iter().map(|&page| page.to_owned()).collect();
    Question { ask: "where is it".to_owned(), pages, kind: "how-to".to_owned() }
}

fn hit(path: &str, anchor: &str) -> SectionHit {
    SectionHit {
        title: String::new(),
        path: path.to_owned(),
        url: Some(format!("https://docs.example/{path}#{anchor}")),
        heading: String::new(),
        text: String::new(),
        score: 1.0,
    }
}

/// Every set that is on this machine: the manual always is.
#[test]
fn search_finds_what_readers_ask() {
    let mut broken = Vec::new();
    for set in &SETS {
        let Some(settings) = set.settings() else { continue };
        let library = measure::open(settings).unwrap();
        for part in Part::ALL {
            let questions = set.questions(part).unwrap();
            let asked = measure::ask_all(&library, &questions).unwrap();
            for by in set.measured_by {
                let score = Score::of(&asked, *by);
                println!("{}", report::line(set.name, part, *by, &score));
                let below = report::below(&Set::floor(*by), &score);
                broken.extend(below.iter().map(|it| format!("{} {}: {it}", set.name, part.name())));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The measure notices: the same answers, worst first, are below the floor.
#[test]
fn a_search_that_ranks_the_wrong_way_round_is_below_the_floor() {
    let library = measure::open(SETS[0].settings().unwrap()).unwrap();
    let questions = SETS[0].questions(Part::Tuning).unwrap();
    let mut asked = measure::ask_all(&library, &questions).unwrap();
    for it in &mut asked {
        it.hits.reverse();
    }
    let score = Score::of(&asked, By::Page);
    assert!(!report::below(&Set::floor(By::Page), &score).is_empty(), "{score:?}");
}

#[test]
fn no_question_is_asked_twice() {
    for set in &SETS {
        let mut known = HashSet::new();
        for question in set.questions(Part::All).unwrap() {
            assert!(known.insert(question.ask.to_lowercase()), "{}", question.ask);
            assert!(!question.pages.is_empty() && !question.kind.is_empty());
        }
    }
}

#[test]
fn there_are_as_many_questions_as_a_number_needs() {
    let count = |set: &Set, part| set.questions(part).unwrap().len();
    let [manual, corpus] = &SETS;
    assert!(count(manual, Part::HeldOut) >= 25 && count(corpus, Part::HeldOut) >= 50);
    assert!(count(manual, Part::All) >= 60);
    assert!(count(corpus, Part::All) >= 100);
}

#[test]
fn the_place_of_the_first_answer_counts() {
    let question = question(&["b.md#keys", "c.md"]);
    let hits = vec![hit("a.md", "x"), hit("b.md", "other"), hit("c.md", "y"), hit("b.md", "keys")];
    let asked = Asked { question: &question, hits };
    assert_eq!(asked.place(By::Page), Some(2));
    assert_eq!(asked.place(By::Section), Some(3));
    let missed = Asked { question: &question, hits: vec![hit("a.md", "x")] };
    assert_eq!(missed.place(By::Page), None);
    let score = Score::of(&[asked, missed], By::Page);
    let expected =
        Score { questions: 2, recall_at_3: 0.5, recall_at_10: 0.5, reciprocal_rank: 0.25 };
    assert_eq!(score, expected);
}

#[test]
fn a_floor_is_reached_or_named() {
    let floor = Floor { recall_at_3: 0.5, recall_at_10: 0.9 };
    let score = Score { questions: 2, recall_at_3: 0.5, recall_at_10: 0.5, reciprocal_rank: 0.25 };
    assert_eq!(report::below(&floor, &score), ["recall@10 is 0.500 and must be 0.90"]);
}
