//! Who would break if everybody had to sign in: the report and how it stands, as a part of a page.

use maud::{Markup, html};

use crate::domain::enforcement::{Halt, Standing, Status, Tally};
use crate::domain::replay::{Report, SignsIn, Sum};

/// The most lines of each table.
const LINES_MAX: usize = 20;

/// Renders both. The page around it has a title and says for whom it is.
pub fn fragment(status: &Status, report: &Report) -> Markup {
    html! {
        (told_status(status))
        h2 { "What came without a token from " (report.from) " to " (report.to) }
        (told_share(report))
        p { "If this had been asked to sign in: " (report.policy) "." }
        ul { @for line in report.advice() { li { (line) } } }
        (table("Client", report.products.iter().map(|(key, signs_in, sum)| {
            (key.as_str(), Some(*signs_in), sum)
        })))
        (table("Network", report.networks.iter().map(|(key, sum)| (key.as_str(), None, sum))))
        (table("Tool or request", report.tools.iter().map(|(key, sum)| {
            (key.as_str(), None, sum)
        })))
    }
}

fn told_status(status: &Status) -> Markup {
    let Tally { challenged, returned } = status.last_hour;
    html! {
        h2 { "Enforcement" }
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
            (calls) " requests of " (callers) " callers; " (asked_calls) " of " (asked_callers)
            " callers would have been asked to sign in."
            @if let Some(per_mille) = report.anonymous_per_mille() {
                " Of all calls of tools, " (per_mille / 10) "." (per_mille % 10)
                " % came without a token."
            }
        }
    }
}

fn table<'a>(
    what: &str,
    lines: impl Iterator<Item = (&'a str, Option<SignsIn>, &'a Sum)>,
) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { (what) }
                th scope="col" { "Callers" }
                th scope="col" { "Requests" }
                th scope="col" { "Callers asked" }
                th scope="col" { "Requests asked" }
                th scope="col" { "What it would do" }
            } }
            tbody {
                @for (key, signs_in, sum) in lines.take(LINES_MAX) {
                    tr {
                        th scope="row" { (key) }
                        td { (sum.callers) }
                        td { (sum.calls) }
                        td { (sum.asked_callers) }
                        td { (sum.asked_calls) }
                        td { (signs_in.map_or("", SignsIn::words)) }
                    }
                }
            }
        }
    }
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
        assert!(text.contains("&lt;b&gt;Cursor") && !text.contains("<b>"), "{text}");
        assert!(text.contains("3 requests of 1 callers; 3 of 1 callers would"), "{text}");
        assert!(text.contains("4 callers were asked; 1 came back"), "{text}");
        assert!(text.contains("198.51.100.0/24") && text.contains("2026-11-23"), "{text}");
        assert!(text.contains("has never signed in here"), "{text}");
    }
}
