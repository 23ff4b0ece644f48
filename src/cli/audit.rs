//! `gatehouse audit export`: the audit log, all of it or some, in a form to be kept elsewhere.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::calendar::rfc3339;
use crate::cli::serve::open_migrated_store;
use crate::cli::table::Table;
use crate::cli::{CommandError, block_on, say, usage};
use crate::config::Config;
use crate::domain::audit::AuditKind;
use crate::domain::day::Day;
use crate::flow::chain;
use crate::id::UserId;
use crate::store::listings::Window;
use crate::store::listings::audit::{self, AuditSelection, ListedAudit};

/// Rows read at once: the log may be longer than what a process can hold.
const PAGE_ROWS: u64 = 1000;

/// Adds what the command takes besides settings.
pub fn arguments(command: Command) -> Command {
    let value = |name: &'static str, shown: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(shown).help(help)
    };
    let form = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let kinds = AuditKind::ALL.map(AuditKind::name);
    command
        .arg(Arg::new("action").value_parser(["export"]).required(true))
        .arg(value("from", "DAY", "From this day on, 2026-11-23, in UTC [default: all]"))
        .arg(value("to", "DAY", "Up to this day, it included [default: all]"))
        .arg(value("kind", "KIND", "Of this kind").value_parser(kinds))
        .arg(value("person", "ID", "About this person, or done by them"))
        .arg(form("json", "Print one JSON object a line").conflicts_with("csv"))
        .arg(form("csv", "Print comma-separated values"))
}

/// Prints the rows, the newest first.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let selection = selection(matches)?;
    let form = usage::form(matches);
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let (mut after, mut is_first) = (None, true);
        loop {
            let window = Window { after, rows: PAGE_ROWS };
            let found = audit::list(store.read(), &selection, window).await;
            let found = found.map_err(|error| wrong(&chain(&error)))?;
            let table = table_of(&found);
            table.head(form).filter(|_| is_first).iter().for_each(say);
            table.part(form).iter().for_each(say);
            let Some(last) = found.last() else { return Ok(()) };
            (after, is_first) = (Some(last.id.uuid()), false);
        }
    })
}

fn selection(matches: &ArgMatches) -> Result<AuditSelection, CommandError> {
    let text = |name: &str| matches.get_one::<String>(name);
    let day = |name: &str| match text(name) {
        None => Ok(None),
        Some(text) => Day::parse(text).map(Some).ok_or_else(|| {
            CommandError::new(format!("--{name}: {text:?} is not a day; write 2026-11-23"))
        }),
    };
    let person = text("person").map(|text| {
        let id = UserId::parse(text);
        id.ok_or_else(|| CommandError::new("--person: that is no identifier of ours"))
    });
    let (from, to) = (day("from")?, day("to")?);
    if let Some((from, to)) = from.zip(to).filter(|(from, to)| to < from) {
        return Err(CommandError::new(format!("--to: {to} lies before {from}")));
    }
    let kind = text("kind").and_then(|kind| AuditKind::parse(kind));
    Ok(AuditSelection { from, to, kind, person: person.transpose()? })
}

fn table_of(rows: &[ListedAudit]) -> Table {
    let row = |row: &ListedAudit| {
        vec![
            json!(row.id.to_string()),
            json!(rfc3339(row.at)),
            json!(row.kind),
            json!(row.who),
            json!(row.person.map(|person| person.to_string())),
            json!(row.client_id),
            json!(row.grant.map(|grant| grant.to_string())),
            json!(row.reason),
            json!(row.reference),
        ]
    };
    Table {
        name: "audit",
        head: vec![
            "id",
            "at",
            "kind",
            "who",
            "person",
            "client_id",
            "grant",
            "reason",
            "reference",
        ],
        rows: rows.iter().map(row).collect(),
        notes: Vec::new(),
    }
}

fn wrong(what: &str) -> CommandError {
    CommandError::new(format!("audit: {what}"))
}
