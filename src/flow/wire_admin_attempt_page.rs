//! The dashboard's page of one attempt to sign in, and the tables of attempts and of the audit log.

use gatehouse_api::admin::answer::Rows;
use gatehouse_api::admin::attempts::{Attempt, AttemptInFull, AttemptStep};
use gatehouse_api::admin::rows::Audit;

use crate::flow::wire_admin_pages::time;
use crate::flow::wire_admin_tables::{person_link, table, text, words};
use crate::page::admin::{Cell, Shell, Table};
use crate::page::admin_attempt::{AttemptContext, render_attempt};

/// Attempts.
pub fn attempts(rows: Rows<Attempt>) -> Table<'static> {
    let row = |it: Attempt| {
        vec![
            time(&it.began_at),
            Cell::Link(format!("/admin/attempts/{}", it.reference), it.reference),
            text(it.client_name.or(it.client_id)),
            text(it.outcome.replace('_', " ")),
            text(it.told),
            it.person.as_deref().map_or(Cell::Nothing, person_link),
        ]
    };
    let head = &["Began", "Reference", "Program", "Outcome", "What became of it", "Person"];
    table("Sign-in attempts", head, rows.items.into_iter().map(row).collect())
}

/// The audit log.
pub fn audit(rows: Rows<Audit>) -> Table<'static> {
    let row = |it: Audit| {
        vec![
            time(&it.at),
            text(it.kind.replace('_', " ")),
            text(it.who),
            it.person.as_deref().map_or(Cell::Nothing, person_link),
            text(it.client_id),
            text(it.reason),
            it.reference.map_or(Cell::Nothing, |reference| {
                Cell::Link(format!("/admin/attempts/{reference}"), reference)
            }),
        ]
    };
    let head = &["When", "What", "By", "Person", "Program", "Why", "Attempt"];
    table("Audit log", head, rows.items.into_iter().map(row).collect())
}

/// The page of one.
pub fn html(shell: Shell<'_>, found: &AttemptInFull) -> String {
    let it = &found.attempt;
    let optional = |name, value: &Option<String>| value.as_ref().map(|value| (name, value.clone()));
    let facts = [
        Some(("Reference", it.reference.clone())),
        Some(("Outcome", it.outcome.replace('_', " "))),
        optional("Detail", &it.detail),
        Some(("Began", words(&it.began_at))),
        optional("Program", &it.client_name),
        optional("Identifier", &it.client_id),
        optional("Introduced by", &it.client_kind.as_deref().map(introduced)),
        Some(("In the log", it.id.clone())),
    ];
    let person = it.person.as_ref().map(|id| (format!("/admin/people/{id}"), "Who signed in"));
    render_attempt(&AttemptContext {
        shell,
        told: &it.told,
        advice: found.advice.as_deref(),
        facts: facts.into_iter().flatten().collect(),
        links: person.into_iter().collect(),
        steps: table(
            "Steps",
            &["When", "After", "What happened", "Detail"],
            found.steps.iter().map(step).collect(),
        ),
    })
}

fn step(it: &AttemptStep) -> Vec<Cell> {
    vec![time(&it.at), text(after(it.after_ms)), text(it.told.clone()), text(it.detail.clone())]
}

/// How a program introduced itself, in words.
pub fn introduced(kind: &str) -> String {
    match kind {
        "registered" => "registration",
        "document" => "metadata document",
        _ => "nothing that is known here",
    }
    .to_owned()
}

/// How long after the first step, as people read it.
pub fn after(millis: i64) -> String {
    let (seconds, rest) = (millis / 1000, millis % 1000);
    match seconds {
        0..60 => format!("{seconds}.{rest:03} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_is_told_as_people_read_it() {
        for (millis, told) in [
            (0, "0.000 s"),
            (59_999, "59.999 s"),
            (60_000, "1 min 0 s"),
            (3_599_999, "59 min 59 s"),
            (90_061_000, "25 h 1 min"),
        ] {
            assert_eq!(after(millis), told);
        }
    }
}
