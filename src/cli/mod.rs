//! The commands: one file each. Every setting is a flag of every command that reads the
//! configuration.
//!
//! Never here: rules.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io::{IsTerminal as _, Write as _, stdin};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

pub mod admin;
pub mod audit;
pub mod check;
pub mod check_remotes;
pub mod check_sinks;
pub mod check_traces;
pub mod counting;
pub mod deliveries;
pub mod doctor;
pub mod enforcement;
pub mod feedback;
pub mod gaps;
pub mod gc;
pub mod grants;
mod grants_revoke;
pub mod health;
pub mod house;
pub mod keys;
pub mod logging;
pub mod migrate;
pub mod openapi;
pub mod preconditions;
pub mod provider;
pub mod retention;
pub mod serve;
pub mod sinks;
pub mod table;
pub mod turn;
pub mod usage;
pub mod users;
pub mod users_data;

use crate::config::Config;
use crate::config::keys::{KEYS, Key, Shape};
use crate::config::layers::{ConfigError, Given};

/// Why a command ended badly, in words for the person who ran it.
#[derive(Debug)]
pub struct CommandError(String);

impl CommandError {
    /// From anything that explains itself.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        Self(error.to_string())
    }
}

/// The whole command line.
pub fn command() -> Command {
    let with_settings = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).args(flags().map(setting_argument))
    };
    Command::new("gatehouse")
        .version(env!("CARGO_PKG_VERSION"))
        .about("OAuth 2.1 authorization server for MCP clients, and the documentation behind it")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings("serve", "Migrate the database, build the index and serve"))
        .subcommand(with_settings("check", "Say in plain words what is wrong with the settings"))
        .subcommand(migrate::arguments(with_settings("migrate", "Run migrations by hand")))
        .subcommand(with_settings(
            "gc",
            "Delete what has expired and do what waits for people, once",
        ))
        .subcommand(keys::with_actions(with_settings("keys", "Signing keys")))
        .subcommand(with_settings("feedback", "Delivery of feedback").arg(
            Arg::new("action").value_parser(["form", "list", "deliver"]).required(true).help(
                "form prints the hidden form that hosts of static sites need, list what is \
                         not delivered, deliver queues what was only stored or given up",
            ),
        ))
        .subcommand(enforcement::arguments(with_settings(
            "enforcement",
            "Who must sign in already while auth is grace, and who would break",
        )))
        .subcommand(admin::with_actions(with_settings("admin", "Tokens of the admin API")))
        .subcommand(audit::arguments(with_settings("audit", "The audit log: export it")))
        .subcommand(grants::with_client_actions(with_settings("clients", "Programs: list them")))
        .subcommand(grants::with_actions(with_settings("grants", "Grants: list or revoke them")))
        .subcommand(usage::arguments(with_settings("usage", "Who used what, in counts")))
        .subcommand(usage::with_range_and_form(with_settings(
            "gaps",
            "What people looked for and did not find",
        )))
        .subcommand(
            with_settings("sinks", "Delivery of events").arg(
                Arg::new("action")
                    .value_parser(["list", "deliver"])
                    .default_value("list")
                    .help("list counts what is not delivered, deliver queues what was given up"),
            ),
        )
        .subcommand(users::with_actions(with_settings(
            "users",
            "People: list them, show one, export what is kept of one, erase one",
        )))
        .subcommand(health::with_question(with_settings(
            "health",
            "Ask the server that runs here whether it lives, or is ready",
        )))
        .subcommand(doctor::arguments(with_settings(
            "doctor",
            "Test a running server from outside, or explain one attempt to sign in",
        )))
        .subcommand(Command::new("openapi").about("Print the OpenAPI document"))
}

/// The settings that can be given as flags: tables stand only in the file.
fn flags() -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(|key| key.shape != Shape::Tables)
}

fn setting_argument(key: &Key) -> Arg {
    let argument = Arg::new(key.name)
        .long(key.flag())
        .value_name("VALUE")
        // A PEM begins with dashes, and a value taken for a flag would be printed in a complaint.
        .allow_hyphen_values(true)
        .help(format!("{} [env: {}]", key.help, key.variable()))
        .action(ArgAction::Set);
    match key.shape {
        Shape::Switch => {
            argument.allow_hyphen_values(false).num_args(0..=1).default_missing_value("true")
        }
        Shape::One | Shape::List | Shape::Map | Shape::Table | Shape::Tables => argument,
    }
}

fn given(matches: &ArgMatches) -> Given {
    let flags: BTreeMap<_, _> = flags()
        .filter_map(|key| {
            let value = matches.get_one::<String>(key.name)?;
            Some((key.name.to_owned(), value.clone()))
        })
        .collect();
    Given::from_process(flags)
}

/// Runs the command that this process was started with.
pub fn run() -> ExitCode {
    let matches = command().get_matches();
    let outcome = match matches.subcommand() {
        Some(("serve", matches)) => load(matches).and_then(serve::run),
        Some(("check", matches)) => check::run(&given(matches)),
        Some(("migrate", matches)) => migrate::run(&given(matches), matches),
        Some(("gc", matches)) => load(matches).and_then(gc::run),
        Some(("keys", matches)) => load(matches).and_then(|config| keys::run(config, matches)),
        Some(("feedback", matches)) => {
            let action = matches.get_one::<String>("action").map_or("list", String::as_str);
            load(matches).and_then(|config| feedback::run(config, action))
        }
        Some(("usage", matches)) => load(matches).and_then(|config| usage::run(config, matches)),
        Some(("enforcement", matches)) => {
            load(matches).and_then(|config| enforcement::run(config, matches))
        }
        Some(("gaps", matches)) => load(matches).and_then(|config| gaps::run(config, matches)),
        Some(("sinks", matches)) => {
            let action = matches.get_one::<String>("action").map_or("list", String::as_str);
            load(matches).and_then(|config| sinks::run(config, action))
        }
        Some(("users", matches)) => load(matches).and_then(|config| users::run(config, matches)),
        Some(("admin", matches)) => load(matches).and_then(|config| admin::run(config, matches)),
        Some(("audit", matches)) => load(matches).and_then(|config| audit::run(config, matches)),
        Some(("clients", matches)) => {
            load(matches).and_then(|config| grants::run_clients(config, matches))
        }
        Some(("grants", matches)) => load(matches).and_then(|config| grants::run(config, matches)),
        Some(("health", matches)) => {
            let question = matches.get_one::<String>("question").map_or("alive", String::as_str);
            health::run(&given(matches), question)
        }
        Some(("doctor", matches)) => doctor::run(matches, load),
        Some(("openapi", _)) => openapi::run(),
        _ => unreachable!("clap lets only known commands through"),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.0);
            ExitCode::FAILURE
        }
    }
}

/// Asks at the terminal whether to do what cannot be taken back; without a terminal it is a no.
fn confirm(what: &str, otherwise: &str) -> Result<(), CommandError> {
    let refused = || CommandError::new(format!("{otherwise}; say --yes, or type yes when asked"));
    if !stdin().is_terminal() {
        say(what);
        return Err(refused());
    }
    say(format!("{what}. Type yes:"));
    let mut line = String::new();
    stdin().read_line(&mut line).map_err(CommandError::new)?;
    if line.trim() == "yes" { Ok(()) } else { Err(refused()) }
}

fn load(matches: &ArgMatches) -> Result<Config, CommandError> {
    Ok(Config::load(&given(matches))?)
}

/// Runs a command's work on a runtime.
fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new(format!("the runtime did not start: {error}")))?
        .block_on(work)
}

/// Prints a line of a command's answer. Whoever reads may stop reading (`| head`); that is no
/// reason to complain.
fn say(line: impl fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[expect(clippy::print_stderr, reason = "complaints of commands go to standard error")]
fn complain(line: &str) {
    eprintln!("gatehouse: {line}");
}
