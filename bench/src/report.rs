//! What was found out, as a page.

use std::fmt::Write as _;
use std::fs;

use crate::compare::{COMPARED_AT, HOUSE_ES256};
use crate::run::Findings;
use crate::scenarios::SCENARIOS;

/// What is to be reached.
struct Target {
    what: &'static str,
    reached: Option<f64>,
    /// The lowest and the highest of what was found in several turns.
    between: Option<(f64, f64)>,
    bound: f64,
    /// Whether less is better.
    is_most: bool,
    unit: &'static str,
}

/// The whole page.
pub fn page(findings: &Findings, remark: &str) -> String {
    let mut page = format!("# A run of the bench\n\n{remark}\n\n");
    machine(&mut page, &findings.database);
    targets(&mut page, findings);
    rows(&mut page, findings);
    database(&mut page, findings);
    limits(&mut page, findings);
    page
}

fn line(page: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{line}");
}

/// What it was measured on.
pub fn machine(page: &mut String, database: &str) {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model =
        cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    line(page, "| machine | |\n| --- | --- |");
    line(page, &format!("| processor | {}, {cores} cores |", model.unwrap_or("unknown")));
    line(page, &format!("| kernel | Linux {} |", kernel.trim()));
    line(page, &format!("| database | {database} |"));
    line(page, "| load generator, database, house | all on it |\n");
}

fn found(findings: &Findings) -> Vec<Target> {
    let at = |scenario| findings.find("gatehouse", scenario, COMPARED_AT);
    let spread = at("refresh").map(|row| {
        as_float(row.measured.percentile(99.0)) / as_float(row.measured.percentile(50.0).max(1))
    });
    let ratio = |what, server, scenario, bound| {
        let ratios = findings.compared(server, scenario).unwrap_or_default();
        let reached = ratios.get(ratios.len() / 2).copied();
        let between = ratios.first().copied().zip(ratios.last().copied());
        Target { what, reached, between, bound, is_most: false, unit: "" }
    };
    let most = |what, reached, bound, unit| {
        let is_most = true;
        Target { what, reached, between: None, bound, is_most, unit }
    };
    let failed: u64 = findings.rows.iter().map(|row| row.measured.failed).sum();
    let at_256 = findings.find("gatehouse", "jwks", 256);
    vec![
        ratio("refresh, RS256, of the limit program", "gatehouse", "refresh", 0.85),
        ratio("refresh, ES256, of the limit program", HOUSE_ES256, "refresh", 0.75),
        most("refresh: p99 of p50", spread, 4.0, ""),
        most("failures, of everything", Some(as_float(failed)), 0.0, ""),
        ratio("`tools/list`, of rmcp alone", "gatehouse", "list", 0.8),
        ratio("401 without a token, of `tools/list`", "gatehouse", "no-token", 2.0),
        Target {
            what: "`search_docs`",
            reached: at("search").map(|row| row.measured.rate()),
            between: None,
            bound: 2000.0,
            is_most: false,
            unit: "/s",
        },
        ratio("metadata, of the empty endpoint", "gatehouse", "metadata", 0.8),
        ratio("JWKS, of the empty endpoint", "gatehouse", "jwks", 0.8),
        most("RSS idle", Some(as_float(findings.resident_idle) / 1024.0), 80.0, " MB"),
        most(
            "RSS at most, at 256 connections",
            at_256.map(|_| as_float(findings.resident_most) / 1024.0),
            200.0,
            " MB",
        ),
        most("ready", Some(findings.ready_within.as_secs_f64() * 1000.0), 300.0, " ms"),
        most(
            "ready, with the manual",
            Some(findings.ready_with_manual.as_secs_f64() * 1000.0),
            300.0,
            " ms",
        ),
    ]
}

fn targets(page: &mut String, findings: &Findings) {
    line(
        page,
        &format!(
            "At {COMPARED_AT} connections where nothing else is said. A ratio is the middle one\n\
             of several, for which both sides took turns; the lowest and the highest stand behind \
             it.\n"
        ),
    );
    line(page, "| | target | found | reached |\n| --- | --- | --- | --- |");
    for Target { what, reached, between, bound, is_most, unit } in found(findings) {
        let word = if is_most { "at most" } else { "at least" };
        let (found, verdict) = match reached {
            None => ("not measured".to_owned(), ""),
            Some(found) => {
                let is_reached = if is_most { found <= bound } else { found >= bound };
                (number(found) + unit, if is_reached { "yes" } else { "no" })
            }
        };
        let between = between.map_or(String::new(), |(least, most)| {
            format!(" ({} to {})", number(least), number(most))
        });
        let bound = number(bound);
        line(page, &format!("| {what} | {word} {bound}{unit} | {found}{between} | {verdict} |"));
    }
}

fn number(value: f64) -> String {
    if value >= 20.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

fn rows(page: &mut String, findings: &Findings) {
    line(
        page,
        "\nLatencies in ms; CPU of the server for each operation in µs; RSS afterwards in MB.\n",
    );
    line(
        page,
        "| server | scenario | connections | a second | p50 | p95 | p99 | failed | CPU | RSS |",
    );
    line(page, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for row in &findings.rows {
        let ms = |percent| as_float(row.measured.percentile(percent)) / 1000.0;
        line(
            page,
            &format!(
                "| {} | {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {} | {:.0} | {:.0} |",
                row.server,
                row.scenario,
                row.connections,
                row.measured.rate(),
                ms(50.0),
                ms(95.0),
                ms(99.0),
                row.measured.failed,
                row.cpu_micros,
                as_float(row.resident) / 1024.0,
            ),
        );
    }
    line(page, "\n| scenario | what is done |\n| --- | --- |");
    for (name, what) in SCENARIOS {
        line(page, &format!("| {name} | {what} |"));
    }
}

fn database(page: &mut String, findings: &Findings) {
    if findings.asked.is_empty() {
        return;
    }
    line(page, "\nWhat an operation asks of Postgres, alone on one connection, with all that is");
    line(page, "written behind it. A round trip without a statement is a ping of the pool.\n");
    line(page, "| scenario | statements | round trips |\n| --- | ---: | ---: |");
    for asked in &findings.asked {
        let (statements, round_trips) = (asked.statements, asked.round_trips);
        line(page, &format!("| {} | {statements:.2} | {round_trips:.2} |", asked.scenario));
    }
}

fn limits(page: &mut String, findings: &Findings) {
    line(page, "\n| limit | a second |\n| --- | ---: |");
    for (what, rate) in &findings.limits {
        line(page, &format!("| {what} | {rate:.0} |"));
    }
}

/// As a number to divide by.
#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^52")]
pub fn as_float(value: u64) -> f64 {
    value as f64
}
