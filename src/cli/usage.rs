//! `gatehouse usage`: who used what, in counts; and made-up usage for measurements.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::cli::serve::open_migrated_store;
use crate::cli::table::{Form, Table};
use crate::cli::{CommandError, block_on, say};
use crate::clock::{Clock as _, Stopwatch, SystemClock};
use crate::config::Config;
use crate::domain::access_token::Profile;
use crate::domain::day::Day;
use crate::flow::chain;
use crate::secret::SystemEntropy;
use crate::server_secret::Purpose;
use crate::store::StoreError;
use crate::store::usage_fill::{Fill, fill};
use crate::store::usage_reports::{By, Filter, Line, Page, People, report};

/// The last so many days, without `--from`.
const DAYS: i64 = 30;

/// Adds what the command takes besides settings.
pub fn arguments(command: Command) -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        let argument = Arg::new(name).long(name).value_parser(clap::value_parser!(u32));
        argument.default_value(default).help(help)
    };
    let ways = By::ALL.map(By::name);
    let by = Arg::new("by").long("by").value_parser(ways).default_value("organization");
    with_range_and_form(command)
        .arg(Arg::new("action").value_parser(["report", "fill"]).default_value("report").help(
            "report prints sums; fill makes usage up, for tests: refused unless public_url is \
             loopback",
        ))
        .arg(by.help("What the sums are made by"))
        .arg(number("rows", "1000", "The most lines"))
        .arg(number("people", "1000", "fill: how many people"))
        .arg(number("days", "30", "fill: how many days, the last of them yesterday"))
        .arg(number("seed", "1", "fill: which chance"))
}

/// Adds `--from`, `--to`, `--json` and `--csv`.
pub fn with_range_and_form(command: Command) -> Command {
    let day = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("DAY").help(help)
    };
    let form = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    command
        .arg(day("from", "The first day, 2026-11-23 [default: 29 days before the last one]"))
        .arg(day("to", "The last day [default: today, in UTC]"))
        .arg(form("json", "Print JSON").conflicts_with("csv"))
        .arg(form("csv", "Print comma-separated values"))
}

/// The days that are asked for.
pub fn range(matches: &ArgMatches) -> Result<(Day, Day), CommandError> {
    let given = |name: &str| match matches.get_one::<String>(name) {
        None => Ok(None),
        Some(text) => Day::parse(text).map(Some).ok_or_else(|| {
            CommandError::new(format!("--{name}: {text:?} is not a day; write 2026-11-23"))
        }),
    };
    let to = given("to")?.unwrap_or_else(|| Day::of(SystemClock.now()));
    let from = given("from")?.unwrap_or_else(|| to.plus(1 - DAYS));
    if to < from {
        return Err(CommandError::new(format!("--to: {to} lies before {from}")));
    }
    Ok((from, to))
}

/// The form that is asked for.
pub fn form(matches: &ArgMatches) -> Form {
    match (matches.get_flag("json"), matches.get_flag("csv")) {
        (true, _) => Form::Json,
        (false, true) => Form::Csv,
        (false, false) => Form::Columns,
    }
}

/// Runs the command.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    match matches.get_one::<String>("action").map(String::as_str) {
        Some("fill") => make_up(&config, matches),
        _ => print_report(&config, matches),
    }
}

fn print_report(config: &Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let (from, to) = range(matches)?;
    let word = matches.get_one::<String>("by").map_or("organization", String::as_str);
    let by = By::ALL.into_iter().find(|by| by.name() == word).unwrap_or(By::Organization);
    let rows = number(matches, "rows");
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let page = Page { offset: 0, rows: rows.into() };
        let found = report(store.read(), &Filter::days(from, to), by, People::Counted, page)
            .await
            .map_err(|error| fault(&error))?;
        let since = found.people_since.map(|day| day.to_string());
        let table = Table {
            name: "usage",
            head: vec![by.name(), "calls", "people", "p50_ms", "p95_ms", "mean_ms"],
            rows: found.lines.iter().map(row).collect(),
            notes: vec![
                ("from", json!(from.to_string())),
                ("to", json!(to.to_string())),
                ("people_since", json!(since)),
            ],
        };
        table.print(form(matches));
        Ok(())
    })
}

fn row(line: &Line) -> Vec<serde_json::Value> {
    let mean = line.latency.mean_micros().map(|micros| micros / 1_000);
    vec![
        json!(line.key),
        json!(line.calls),
        json!(line.people),
        json!(line.latency.quantile_ms(500)),
        json!(line.latency.quantile_ms(950)),
        json!(mean),
    ]
}

fn make_up(config: &Config, matches: &ArgMatches) -> Result<(), CommandError> {
    if !config.is_loopback() {
        return Err(CommandError::new(
            "public_url: made-up usage would be taken for real, so it must be loopback",
        ));
    }
    let profile = serde_json::to_vec(&Profile::default()).map_err(CommandError::new)?;
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let now = SystemClock.now();
        let made_up = Fill {
            people: number(matches, "people"),
            last: Day::of(now.minus(Duration::from_hours(24))),
            days: number(matches, "days"),
            seed: number(matches, "seed").into(),
            profile_sealed: config.secret.seal(&SystemEntropy, Purpose::Profile, &profile),
            now,
        };
        let took = Stopwatch::start();
        let rows = fill(&store, &made_up).await.map_err(|error| fault(&error))?;
        say(format!("{rows:>8} rows of usage in {} ms", took.elapsed().as_millis()));
        Ok(())
    })
}

fn number(matches: &ArgMatches, name: &str) -> u32 {
    matches.get_one::<u32>(name).copied().unwrap_or_default()
}

fn fault(error: &StoreError) -> CommandError {
    CommandError::new(format!("usage: {}", chain(error)))
}
