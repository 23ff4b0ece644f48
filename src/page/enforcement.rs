//! Who would break if everybody had to sign in: the report and how it stands, as a part of a page.

use maud::{Markup, html};

use crate::domain::enforcement::{Halt, Standing, Status, Tally};
use crate::domain::replay::{Report, SignsIn, Sum};
use crate::page::admin::{Cell, Table};

/// The most lines of each table.
const LINES_MAX: usize = 20;

const HEAD: &[&str] =
    &["What", "Callers", "Requests", "Callers asked", "Requests asked", "What it would do"];

/// Tells both in words; what came is told by [`tables`]. The page around it has a title and says
/// for whom it is.
pub fn fragment(status: &Status, report: &Report) -> Markup {
    html! {
        (told_status(status))
        h2 { "What came without a token from " (report.from) " to " (report.to) }
        (told_share(report))
        p { "If this had been asked to sign in: " (report.policy) "." }
        ul { @for line in report.advice() { li { (line) } } }
    }
}

fn told_status(status: &Status) -> Markup {
    let Tally { challenged, returned } = status.last_hour;
    html! {
        h2 { "How it stands" }
        @match status.standing() {
            _ if status.policy.is_empty() => p { "Nobody without a token is asked to sign in." },
            Standing::InForce => p { "Must sign in: " (status.policy) "." },
            Standing::Halted => p {
                strong { "Halted." } " Too few of those who were asked came back, so everybody "
                "passes. When it is mended: " code { "gatehouse enforcement resume" } "."
            },
        }
        @if let Some(Halt { tally, .. }) = status.last_halt {
            p.quiet {
                "At the last halt " (tally.returned) " of " (tally.challenged)
                " callers had come back."
            }
        }
        p {
            "In the last hour " (challenged) " callers were asked; " (returned)
            " came back signed in so far."
        }
    }
}

fn told_share(report: &Report) -> Markup {
    let Sum { callers, calls, asked_callers, asked_calls } = report.total;
    html! {
        p {
            "Requests: " (calls) ", callers: " (callers) ". Would have been asked to sign in: "
            (asked_calls) " requests of " (asked_callers) " callers."
            @if let Some(per_mille) = report.anonymous_per_mille() {
                " Of all calls of tools, " (per_mille / 10) "." (per_mille % 10)
                " % came without a token."
            }
        }
    }
}

/// What came, by client, network, and tool or request: those most asked first.
pub fn tables(report: &Report) -> Vec<Table<'static>> {
    let products = report.products.iter();
    let products = products.map(|(key, signs_in, sum)| row(key, Some(*signs_in), sum));
    let networks = report.networks.iter().map(|(key, sum)| row(key, None, sum));
    let tools = report.tools.iter().map(|(key, sum)| row(key, None, sum));
    let table =
        |title, rows: Vec<Vec<Cell>>| Table { title, head: HEAD, rows, next: None, csv: None };
    vec![
        table("By client", products.take(LINES_MAX).collect()),
        table("By network", networks.take(LINES_MAX).collect()),
        table("By tool or request", tools.take(LINES_MAX).collect()),
    ]
}

fn row(key: &str, signs_in: Option<SignsIn>, sum: &Sum) -> Vec<Cell> {
    let number = |number: u64| Cell::Number(i64::try_from(number).unwrap_or(i64::MAX));
    vec![
        Cell::Text(key.to_owned()),
        number(sum.callers),
        number(sum.calls),
        number(sum.asked_callers),
        number(sum.asked_calls),
        signs_in.map_or(Cell::Nothing, |it| Cell::Text(it.words().to_owned())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::day::Day;
    use crate::domain::enforcement::Policy;
    use crate::domain::replay::{Replay, Seen, SignedIn};

    #[test]
    fn what_strangers_say_is_text_and_no_address_is_whole() {
        let mut replay = Replay::of(Policy::everybody());
        replay.add(&[Seen {
            network_hash: [1; 32],
            network: "198.51.100.0/24".to_owned(),
            product: "<b>Cursor</b>".to_owned(),
            tool: String::new(),
            method: "initialize".to_owned(),
            calls: 3,
            challenged: 0,
        }]);
        let day = Day::from_number(20_780);
        let report = replay.report((day, day), &SignedIn::default());
        let status = Status {
            policy: Policy::everybody(),
            last_halt: None,
            last_hour: Tally { challenged: 4, returned: 1 },
            products: Vec::new(),
        };
        let text = fragment(&status, &report).into_string();
        let told = format!("{:?}", tables(&report));
        // Cells are text until they are rendered, which escapes them.
        assert!(told.contains("Text(\"<b>Cursor</b>\")") && !text.contains("<b>"), "{told}");
        assert!(text.contains("Requests: 3, callers: 1. Would"), "{text}");
        assert!(text.contains("4 callers were asked; 1 came back"), "{text}");
        assert!(told.contains("198.51.100.0/24") && text.contains("2026-11-23"), "{text} {told}");
        assert!(told.contains("has never signed in here"), "{told}");
    }
}
