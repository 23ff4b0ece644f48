//! What was found out, as a page.

use std::fmt::Write as _;
use std::fs;

use crate::run::{Findings, Row};
use crate::scenarios::SCENARIOS;

/// Where ratios are taken.
const AT: usize = 16;

/// What is to be reached.
struct Target {
    what: &'static str,
    reached: Option<f64>,
    bound: f64,
    /// Whether less is better.
    is_most: bool,
    unit: &'static str,
}

/// The whole page.
pub fn page(findings: &Findings, remark: &str) -> String {
    let mut page = format!("# A run of the bench\n\n{remark}\n\n");
    machine(&mut page, findings);
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

fn machine(page: &mut String, findings: &Findings) {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let model =
        cpu_info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = read("/proc/sys/kernel/osrelease");
    line(page, "| machine | |\n| --- | --- |");
    line(page, &format!("| processor | {}, {cores} cores |", model.unwrap_or("unknown")));
    line(page, &format!("| kernel | Linux {} |", kernel.trim()));
    line(page, &format!("| database | {} |", findings.database));
    line(page, "| load generator, database, house | all on it |\n");
}

fn rate(row: Option<&Row>) -> Option<f64> {
    row.map(|row| row.measured.rate())
}

fn of(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    Some(part? / whole.filter(|whole| *whole > 0.0)?)
}

fn found(findings: &Findings) -> Vec<Target> {
    let at = |server, scenario| findings.find(server, scenario, AT);
    let house = |scenario| rate(at("gatehouse", scenario));
    let list = house("list");
    let empty = rate(at("empty endpoint", "empty"));
    let spread = at("gatehouse", "refresh").map(|row| {
        as_float(row.measured.percentile(99.0)) / as_float(row.measured.percentile(50.0).max(1))
    });
    let ratio = |what, reached, bound| Target { what, reached, bound, is_most: false, unit: "" };
    let most = |what, reached, bound, unit| Target { what, reached, bound, is_most: true, unit };
    let failed: u64 = findings.rows.iter().map(|row| row.measured.failed).sum();
    let at_256 = findings.find("gatehouse", "jwks", 256);
    let limit = rate(at("limit program", "refresh"));
    let limit_es256 = rate(at("limit program ES256", "refresh"));
    let es256 = rate(at("gatehouse ES256", "refresh"));
    vec![
        ratio("refresh, RS256, of the limit program", of(house("refresh"), limit), 0.85),
        ratio("refresh, ES256, of the limit program", of(es256, limit_es256), 0.75),
        most("refresh: p99 of p50", spread, 4.0, ""),
        most("failures, of everything", Some(as_float(failed)), 0.0, ""),
        ratio("`tools/list`, of rmcp alone", of(list, rate(at("rmcp alone", "bare"))), 0.8),
        ratio("401 without a token, of `tools/list`", of(house("no-token"), list), 2.0),
        Target {
            what: "`search_docs`",
            reached: house("search"),
            bound: 2000.0,
            is_most: false,
            unit: "/s",
        },
        ratio("metadata, of the empty endpoint", of(house("metadata"), empty), 0.8),
        ratio("JWKS, of the empty endpoint", of(house("jwks"), empty), 0.8),
        most("RSS idle", Some(as_float(findings.resident_idle) / 1024.0), 80.0, " MB"),
        most(
            "RSS at most, at 256 connections",
            at_256.map(|_| as_float(findings.resident_most) / 1024.0),
            200.0,
            " MB",
        ),
        most("ready", Some(findings.ready_within.as_secs_f64() * 1000.0), 300.0, " ms"),
    ]
}

fn targets(page: &mut String, findings: &Findings) {
    line(page, &format!("At {AT} connections where nothing else is said.\n"));
    line(page, "| | target | found | reached |\n| --- | --- | --- | --- |");
    for Target { what, reached, bound, is_most, unit } in found(findings) {
        let word = if is_most { "at most" } else { "at least" };
        let (found, verdict) = match reached {
            None => ("not measured".to_owned(), ""),
            Some(found) => {
                let is_reached = if is_most { found <= bound } else { found >= bound };
                (number(found) + unit, if is_reached { "yes" } else { "no" })
            }
        };
        let bound = number(bound);
        line(page, &format!("| {what} | {word} {bound}{unit} | {found} | {verdict} |"));
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

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^52")]
fn as_float(value: u64) -> f64 {
    value as f64
}
