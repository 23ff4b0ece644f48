//! `gatehouse migrate`: migrations by hand, and the way from SQLite to Postgres. Needs the database
//! address and nothing else.

use clap::{Arg, ArgMatches, Command};

use crate::cli::serve::open_store;
use crate::cli::{CommandError, block_on, say};
use crate::config::layers::{Given, Layers};
use crate::config::readers::database_url;
use crate::flow::chain;
use crate::store::{Store, schema, transfer};

/// What the command takes beside the settings.
pub fn arguments(command: Command) -> Command {
    let direction = Arg::new("direction")
        .value_parser(["up", "down", "status", "import"])
        .default_value("up")
        .help(
            "up applies what is missing, down takes back the newest one, import copies an SQLite \
             database into the empty Postgres that database_url names",
        );
    let from = Arg::new("from")
        .long("from")
        .value_name("URL")
        .help("import: the SQLite database, such as sqlite://data/gatehouse.db");
    command.arg(direction).arg(from)
}

/// Runs one direction.
pub fn run(given: &Given, matches: &ArgMatches) -> Result<(), CommandError> {
    let database_url = database_url(&Layers::merge(given)?)?;
    let direction = matches.get_one::<String>("direction").map_or("up", String::as_str);
    let from = matches.get_one::<String>("from").map(String::as_str);
    match (direction, from) {
        ("import", Some(from)) => return block_on(import(from, &database_url)),
        ("import", None) => return Err(CommandError::new("migrate: import from where? --from")),
        (_, Some(_)) => return Err(CommandError::new("migrate: --from is for import alone")),
        (_, None) => {}
    }
    block_on(async {
        let store = open_store(&database_url).await?;
        let fault = |error| CommandError::new(format!("migration: {}", chain(&error)));
        match direction {
            "down" => schema::down(&store).await.map_err(fault)?,
            "up" => schema::up(&store).await.map_err(fault)?,
            _ => {}
        }
        for (name, applied) in schema::status(&store).await.map_err(fault)? {
            say(format!("{} {name}", if applied { "applied" } else { "pending" }));
        }
        Ok(())
    })
}

/// Copies everything, or nothing.
async fn import(from: &str, database_url: &str) -> Result<(), CommandError> {
    let refused = |what: String| CommandError::new(format!("migrate: {what}"));
    let path = from.strip_prefix("sqlite://").map(|rest| rest.split('?').next().unwrap_or(rest));
    let path = path.filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| refused("--from: write it as sqlite://FILE".to_owned()))?;
    if !database_url.starts_with("postgres") {
        return Err(refused("database_url must name the Postgres to copy into".to_owned()));
    }
    // Never one that is made just now.
    let source = Store::connect(&format!("sqlite://{path}?mode=rw")).await;
    let source = source.map_err(|error| refused(format!("--from: {path}: {}", chain(&error))))?;
    let destination = open_store(database_url).await?;
    schema::up(&destination).await.map_err(|error| refused(chain(&error)))?;
    let carried = transfer::carry(&source, &destination).await;
    source.close().await;
    destination.close().await;
    let carried = carried.map_err(|error| refused(chain(&error)))?;
    for carried in carried.iter().filter(|carried| carried.rows > 0) {
        say(format!("{:>8}  {}", carried.rows, carried.table));
    }
    say("copied; give the new server the same secret");
    Ok(())
}
