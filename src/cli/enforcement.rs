//! `gatehouse enforcement`: who would break if everybody had to sign in, how it stands, and going
//! on after a halt.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::cli::serve::open_migrated_store;
use crate::cli::table::Table;
use crate::cli::{CommandError, block_on, say, usage};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::Config;
use crate::config::enforcement::share_hundredths;
use crate::domain::audit::Actor;
use crate::domain::day::Day;
use crate::domain::enforcement::{Halt, Policy, Standing, Status, Tally};
use crate::domain::replay::{Report, SignsIn, Sum};
use crate::flow::chain;
use crate::flow::enforcement::reading::{self, policy_of};
use crate::mcp::server::offered_tools;
use crate::metrics::remotes::RemoteMetrics;
use crate::remote::Remotes;
use crate::secret::SystemEntropy;
use crate::store::{Consumed, StoreError};

/// Adds what the command takes besides settings.
pub fn arguments(command: Command) -> Command {
    let list = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_delimiter(',').help(help)
    };
    let form = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let number = |name: &'static str, default: &'static str| {
        let number = clap::value_parser!(u32).range(1..=3_650);
        Arg::new(name).long(name).value_parser(number).default_value(default)
    };
    command
        .arg(
            Arg::new("action")
                .value_parser(["report", "status", "resume"])
                .default_value("status")
                .help(
                    "report replays what came without a token against a policy, status says how \
                     it stands, resume goes on after a halt",
                ),
        )
        .arg(number("days", "7").help("report: so many days, today included"))
        .arg(number("rows", "20").help("report: the most lines of each kind"))
        .arg(
            Arg::new("share")
                .long("share")
                .value_name("PERCENT")
                .value_parser(|text: &str| share_hundredths(text))
                .help("report: of callers [default: 100, without --clients and --tools]"),
        )
        .arg(list("clients", "report: client products, separated by commas"))
        .arg(list("tools", "report: tools, separated by commas"))
        .arg(form("json", "Print JSON").conflicts_with("csv"))
        .arg(form("csv", "Print comma-separated values"))
}

/// The names of the tools that these settings offer.
pub fn offered(config: &Config) -> Vec<String> {
    let clock = std::sync::Arc::new(SystemClock) as _;
    let remotes = Remotes::new(&config.remotes, &clock, None, &RemoteMetrics::new(&[]));
    offered_tools(&config.docs_product, &remotes)
}

/// Runs the command.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    match matches.get_one::<String>("action").map(String::as_str) {
        Some("report") => print_report(&config, matches),
        Some("resume") => resume(&config),
        _ => print_status(&config, matches),
    }
}

fn fault(error: &StoreError) -> CommandError {
    CommandError::new(format!("enforcement: {}", chain(error)))
}

/// The policy to replay: everybody, unless something else is said.
fn asked_policy(config: &Config, matches: &ArgMatches) -> Result<Policy, CommandError> {
    let names = |name: &str| -> Vec<String> {
        let names = matches.get_many::<String>(name).into_iter().flatten();
        names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    };
    let (clients, tools) = (names("clients"), names("tools"));
    let share = matches.get_one::<u16>("share").copied();
    if share.is_none() && clients.is_empty() && tools.is_empty() {
        return Ok(Policy::everybody());
    }
    reading::policy(share.unwrap_or(0), &clients, &tools, &offered(config))
        .map_err(CommandError::new)
}

fn print_report(config: &Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let policy = asked_policy(config, matches)?;
    let number = |name| matches.get_one::<u32>(name).copied().unwrap_or(7);
    let rows = usize::try_from(number("rows")).unwrap_or(usize::MAX);
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let report = reading::report(&store, policy, number("days"), SystemClock.now());
        let report = report.await.map_err(|error| fault(&error))?;
        table_of(&report, rows).print(usage::form(matches));
        Ok(())
    })
}

/// The report as one table, of at most so many rows for each kind.
pub fn table_of(report: &Report, rows: usize) -> Table {
    let row = |kind: &str, key: &str, sum: &Sum, signs_in: Option<SignsIn>| -> Vec<Value> {
        vec![
            json!(kind),
            json!(key),
            json!(sum.callers),
            json!(sum.calls),
            json!(sum.asked_callers),
            json!(sum.asked_calls),
            json!(signs_in.map(SignsIn::words)),
        ]
    };
    let mut lines = vec![row("all", "", &report.total, None)];
    let products = report.products.iter().take(rows);
    lines.extend(products.map(|(key, signs_in, sum)| row("client", key, sum, Some(*signs_in))));
    let networks = report.networks.iter().take(rows);
    lines.extend(networks.map(|(key, sum)| row("network", key, sum, None)));
    let tools = report.tools.iter().take(rows);
    lines.extend(tools.map(|(key, sum)| row("tool", key, sum, None)));
    let anonymous = report.anonymous_per_mille().map(percent_of);
    Table {
        name: "enforcement",
        head: vec!["kind", "key", "callers", "calls", "asked_callers", "asked_calls", "signs_in"],
        rows: lines,
        notes: vec![
            ("from", json!(report.from.to_string())),
            ("to", json!(report.to.to_string())),
            ("policy", json!(report.policy.to_string())),
            ("tool_calls_without_token", json!(report.tool_calls)),
            ("tool_calls_signed_in", json!(report.signed_in_tool_calls)),
            ("anonymous_share", json!(anonymous)),
            ("calls_already_asked", json!(report.challenged)),
            ("calls_of_callers_not_kept_apart", json!(report.unattributed)),
            ("next", json!(report.advice())),
        ],
    }
}

fn percent_of(per_mille: u64) -> String {
    format!("{}.{}%", per_mille / 10, per_mille % 10)
}

fn print_status(config: &Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let policy = policy_of(config, &offered(config))
        .map_err(|error| CommandError::new(format!("{}: {error}", error.setting())))?;
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let status = reading::status(&store, policy, SystemClock.now());
        let status = status.await.map_err(|error| fault(&error))?;
        status_table(config, &status).print(usage::form(matches));
        Ok(())
    })
}

fn status_table(config: &Config, status: &Status) -> Table {
    let row = |key: &str, tally: &Tally| -> Vec<Value> {
        vec![json!(key), json!(tally.challenged), json!(tally.returned)]
    };
    let products = status.products.iter().map(|(product, tally)| row(product, tally));
    let all = row("all", &status.last_hour);
    let standing = match status.standing() {
        Standing::InForce => "in force",
        Standing::Halted => "halted; `gatehouse enforcement resume` goes on",
    };
    Table {
        name: "last_hour",
        head: vec!["client", "challenged", "returned"],
        rows: std::iter::once(all).chain(products).collect(),
        notes: vec![
            ("auth", json!(config.auth.name())),
            ("policy", json!(status.policy.to_string())),
            ("standing", json!(standing)),
            ("halt_below", json!(format!("{}%", config.enforcement.halt_below))),
            ("last_halt", json!(status.last_halt.map(told_halt))),
        ],
    }
}

fn told_halt(halt: Halt) -> String {
    let Halt { halted_at, tally: Tally { challenged, returned }, resumed_at } = halt;
    let end = resumed_at.map_or("not ended".to_owned(), |at| format!("ended {}", day_and_time(at)));
    let begin = day_and_time(halted_at);
    format!("{begin}, {returned} of {challenged} callers came back, {end}")
}

/// `2026-11-23 18:07 UTC`
fn day_and_time(at: Timestamp) -> String {
    let minutes = at.seconds().div_euclid(60).rem_euclid(24 * 60);
    format!("{} {:02}:{:02} UTC", Day::of(at), minutes / 60, minutes % 60)
}

fn resume(config: &Config) -> Result<(), CommandError> {
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let resumed = reading::resume(&store, &SystemEntropy, Actor::Command, SystemClock.now());
        say(match resumed.await.map_err(|error| fault(&error))? {
            Consumed::ByUs => {
                "enforcement goes on: all replicas know within 10 seconds, and judge those who \
                 are asked from now on"
            }
            Consumed::BySomeoneElse => "enforcement is not halted; nothing was changed",
        });
        Ok(())
    })
}
