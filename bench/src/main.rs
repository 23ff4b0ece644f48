//! How fast Gatehouse is, and how far from what the machine can do: `scripts/bench` runs it.

#![allow(
    clippy::disallowed_methods,
    reason = "what is measured is real time, against servers of this run on loopback"
)]

mod bare;
mod compare;
mod counter;
mod growth;
mod house;
mod limit_program;
mod limits;
mod load;
mod provider;
mod report;
mod run;
mod scenarios;
mod server;
mod visitors;

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::signal::unix::{SignalKind, signal};

use crate::house::Plot;
use crate::run::Plan;

fn command() -> Command {
    let text = |name: &'static str| Arg::new(name).long(name);
    let path = |name: &'static str| text(name).value_parser(value_parser!(PathBuf));
    let number = |name: &'static str| text(name).value_parser(value_parser!(u64));
    let listen = text("listen").required(true).value_parser(value_parser!(SocketAddr));
    Command::new("gatehouse-bench").subcommand_required(true).subcommands([
        Command::new("run").about("Measures").args([
            path("program").required(true).help("The release binary of Gatehouse"),
            path("corpus").required(true).help("A folder of pages"),
            path("api-specs").help("A folder of API documents"),
            text("postgres").help("A Postgres to make a database on; without it, SQLite"),
            text("scenario").action(ArgAction::Append).help("Only this one; may be repeated"),
            text("quick").action(ArgAction::SetTrue).help("A second each, 1 and 16 connections"),
            text("remark").default_value("").help("What stands at the head of the page"),
            path("out").help("Where the page goes; without it, to the terminal"),
        ]),
        Command::new("growth").about("Measures over many rows, replicas and a slow database").args(
            [
                path("program").required(true).help("The release binary of Gatehouse"),
                path("corpus").required(true).help("A folder of pages"),
                text("postgres")
                    .required(true)
                    .help("A Postgres to make a database on, as superuser"),
                number("people").default_value("1000000").help("And ten times the refresh tokens"),
                number("seconds").default_value("5").help("For each scenario"),
                number("soak").default_value("0").help("Seconds of refreshes in the end"),
                text("remark").default_value("").help("What stands at the head of the page"),
                path("out").help("Where the page goes; without it, to the terminal"),
            ],
        ),
        Command::new("serve-empty").arg(listen.clone()).about("An endpoint that does nothing"),
        Command::new("serve-mcp")
            .args([listen.clone(), path("tools").required(true)])
            .about("rmcp without a door"),
        Command::new("serve-limit")
            .args([listen, text("alg").required(true), text("database").required(true)])
            .about("The refresh grant by hand"),
    ])
}

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

fn path(matches: &ArgMatches, name: &str) -> Option<PathBuf> {
    let path = matches.get_one::<PathBuf>(name)?;
    // Programs are started elsewhere.
    fs::canonicalize(path).ok().or_else(|| Some(path.clone()))
}

async fn measure(matches: &ArgMatches) -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let is_quick = matches.get_flag("quick");
    let seconds = Duration::from_secs_f64;
    let api_specs = path(matches, "api-specs");
    let plan = Plan {
        plot: plot(matches, folder.path(), api_specs)?,
        postgres: matches.get_one::<String>("postgres").cloned(),
        scenarios: matches.get_many("scenario").unwrap_or_default().cloned().collect(),
        connections: if is_quick { vec![1, 16] } else { vec![1, 16, 64, 256] },
        durations: if is_quick {
            (seconds(0.3), seconds(1.0))
        } else {
            (seconds(1.0), seconds(5.0))
        },
    };
    hand_over(matches, &report::page(&run::run(&plan).await?, text(matches, "remark")))
}

async fn grow(matches: &ArgMatches) -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let number = |name| matches.get_one::<u64>(name).copied().unwrap_or_default();
    let plan = growth::Plan {
        plot: plot(matches, folder.path(), None)?,
        postgres: text(matches, "postgres").to_owned(),
        people: number("people").max(10),
        duration: Duration::from_secs(number("seconds").max(1)),
        soak: Duration::from_secs(number("soak")),
    };
    hand_over(matches, &growth::run(&plan, text(matches, "remark")).await?)
}

fn plot(
    matches: &ArgMatches,
    folder: &Path,
    api_specs: Option<PathBuf>,
) -> Result<Plot, Box<dyn Error + Send + Sync>> {
    Ok(Plot {
        program: path(matches, "program").ok_or("no program")?,
        folder: folder.to_owned(),
        address: server::free_address()?,
        corpus: path(matches, "corpus"),
        api_specs,
    })
}

fn hand_over(matches: &ArgMatches, page: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    match matches.get_one::<PathBuf>("out") {
        Some(file) => fs::write(file, page)?,
        #[expect(clippy::print_stdout, reason = "that is what was asked for")]
        None => print!("{page}"),
    }
    Ok(())
}

async fn obey(matches: &ArgMatches) -> Result<(), Box<dyn Error + Send + Sync>> {
    let listen = |matches: &ArgMatches| matches.get_one::<SocketAddr>("listen").copied();
    match matches.subcommand() {
        Some(("run", matches)) => measure(matches).await,
        Some(("growth", matches)) => grow(matches).await,
        Some((name, matches)) => {
            let address = listen(matches).ok_or("no address")?;
            match name {
                "serve-empty" => bare::serve_empty(address).await,
                "serve-mcp" => {
                    let tools = fs::read_to_string(path(matches, "tools").ok_or("no tools")?)?;
                    bare::serve_mcp(address, &tools).await
                }
                _ => {
                    let (database, alg) = (text(matches, "database"), text(matches, "alg"));
                    limit_program::serve(address, database, alg).await
                }
            }
        }
        None => Err("nothing to do".into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let matches = command().get_matches();
    let mut terminated = signal(SignalKind::terminate())?;
    // Whatever ends this ends what it started: every process is dropped on the way out.
    tokio::select! {
        done = obey(&matches) => done,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        _ = terminated.recv() => Err("terminated".into()),
    }
}
