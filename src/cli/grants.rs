//! `gatehouse clients list` and `gatehouse grants list`: what the admin API tells, on the command
//! line; and which grants `gatehouse grants revoke` means.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::cli::grants_revoke::revoke;
use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::Config;
use crate::domain::day::{Day, from_rfc3339};
use crate::flow::chain;
use crate::id::{GrantId, UserId};
use crate::page::moment;
use crate::store::listings::Window;
use crate::store::listings::clients::{self, ClientSelection, ListedClient};
use crate::store::listings::grants::{self as listed, GrantSelection, ListedGrant, Moment};
use crate::store::memberships::find_organizations;
use crate::store::{Store, StoreError};

/// Rows that are listed at once, unless another number is given.
const LISTED: &str = "100";
const LISTED_MAX: u64 = 1000;

/// Adds what both lists take.
fn with_list(command: Command) -> Command {
    let count = clap::value_parser!(u64).range(1..=LISTED_MAX);
    let value = |name: &'static str, shown: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(shown).help(help)
    };
    command
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Answer in JSON"))
        .arg(value("limit", "N", "How many at most").value_parser(count).default_value(LISTED))
        .arg(value("after", "ID", "Those before this one, the last of the list before"))
}

/// What `clients` takes beside the settings.
pub fn with_client_actions(command: Command) -> Command {
    with_list(command.arg(Arg::new("action").value_parser(["list"]).required(true)))
}

/// What `grants` takes beside the settings.
pub fn with_actions(command: Command) -> Command {
    let value = |name: &'static str, shown: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(shown).help(help)
    };
    let command = command
        .arg(Arg::new("action").value_parser(["list", "revoke"]).required(true))
        .arg(Arg::new("id").value_name("ID").help("revoke: the grant"))
        .arg(value("person", "ID", "Of this person"))
        .arg(value("organization", "NAME", "Of members of this id, key, domain or name"))
        .arg(value("client", "CLIENT_ID", "With this program"))
        .arg(value("from", "TIME", "Made on this day or later: 2026-11-23, 2026-11-23T08:30Z"))
        .arg(value("to", "TIME", "Made up to this day, it included, or before this time"))
        .arg(
            Arg::new("yes")
                .long("yes")
                .action(ArgAction::SetTrue)
                .help("revoke: do not ask before several people's are ended"),
        )
        .arg(
            value("active", "BOOL", "list: those that work, or do not")
                .value_parser(clap::value_parser!(bool)),
        );
    with_list(command)
}

fn window(matches: &ArgMatches) -> Result<Window, CommandError> {
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(LISTED_MAX);
    let after = matches.get_one::<String>("after").map(|text| {
        let id = GrantId::parse(text).map(GrantId::uuid);
        id.ok_or_else(|| CommandError::new("--after: that is no identifier of ours"))
    });
    // One more, to know whether there are more.
    Ok(Window { after: after.transpose()?, rows: limit + 1 })
}

/// Cuts what was read one longer; what the next part is asked for by.
fn cut<T>(rows: &mut Vec<T>, window: Window, id: impl Fn(&T) -> String) -> Option<String> {
    let wanted = usize::try_from(window.rows - 1).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    rows.last().filter(|_| has_more).map(id)
}

/// Runs `clients list`.
pub fn run_clients(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let window = window(matches)?;
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let found = clients::list(store.read(), &ClientSelection::default(), window).await;
        let mut found = found.map_err(|error| fault("clients", &error))?;
        let next = cut(&mut found, window, |row| row.id.to_string());
        if matches.get_flag("json") {
            let clients: Vec<_> = found.iter().map(client_json).collect();
            say(json!({ "clients": clients, "next": next }));
            return Ok(());
        }
        for row in found {
            say(format!(
                "{}  {}  {} grants, last used {}",
                row.client_id,
                row.name.as_deref().unwrap_or("without a name"),
                row.grants,
                moment::in_words(row.last_used_at.seconds()),
            ));
        }
        more(next);
        Ok(())
    })
}

fn client_json(row: &ListedClient) -> serde_json::Value {
    json!({
        "id": row.id.to_string(),
        "client_id": row.client_id,
        "name": row.name,
        "redirect_uris": row.redirect_uris,
        "created_at": row.created_at.seconds(),
        "last_used_at": row.last_used_at.seconds(),
        "grants": row.grants,
    })
}

/// Runs `grants list` or `grants revoke`.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        match matches.get_one::<String>("action").map(String::as_str) {
            Some("revoke") => revoke(&config, &store, matches).await,
            _ => list(&config, &store, matches).await,
        }
    })
}

/// A point in time, or the beginning or end of a day.
fn moment_of(
    matches: &ArgMatches,
    name: &str,
    edge: fn(Day) -> Timestamp,
) -> Result<Option<Timestamp>, CommandError> {
    let Some(text) = matches.get_one::<String>(name) else { return Ok(None) };
    let read = Day::parse(text).map(edge).or_else(|| from_rfc3339(text));
    read.map(Some).ok_or_else(|| {
        CommandError::new(format!(
            "--{name}: {text:?} is no time; write 2026-11-23 or 2026-11-23T08:30Z"
        ))
    })
}

/// Which grants are meant. With nothing given, all.
pub async fn selection(
    store: &Store,
    matches: &ArgMatches,
) -> Result<GrantSelection, CommandError> {
    let person = matches.get_one::<String>("person").map(|text| {
        let id = UserId::parse(text);
        id.ok_or_else(|| CommandError::new("--person: that is no identifier of ours"))
    });
    let made_from = moment_of(matches, "from", |day| day.plus(-1).end())?;
    let made_before = moment_of(matches, "to", Day::end)?;
    if made_from.zip(made_before).is_some_and(|(from, before)| before <= from) {
        return Err(CommandError::new("--to: that lies before --from"));
    }
    let mut organizations = None;
    if let Some(name) = matches.get_one::<String>("organization") {
        let found = find_organizations(store.read(), name).await;
        let found = found.map_err(|error| fault("grants", &error))?;
        if found.is_empty() {
            return Err(CommandError::new("--organization: there is no such organization"));
        }
        organizations = Some(found);
    }
    Ok(GrantSelection {
        person: person.transpose()?,
        client_id: matches.get_one::<String>("client").cloned(),
        is_active: matches.get_one::<bool>("active").copied(),
        organizations,
        made_from,
        made_before,
    })
}

async fn list(config: &Config, store: &Store, matches: &ArgMatches) -> Result<(), CommandError> {
    let window = window(matches)?;
    let selection = selection(store, matches).await?;
    let moment = moment_now(config);
    let found = listed::list(store.read(), &selection, moment, window).await;
    let mut found = found.map_err(|error| fault("grants", &error))?;
    let next = cut(&mut found, window, |row| row.id.to_string());
    if matches.get_flag("json") {
        let grants: Vec<_> = found.iter().map(grant_json).collect();
        say(json!({ "grants": grants, "next": next }));
        return Ok(());
    }
    for row in found {
        say(format!(
            "{}  {}  of {}  {}, last used {}",
            row.id,
            row.client_name.as_deref().unwrap_or(&row.client_id),
            row.person,
            if row.is_active { "works" } else { "ended" },
            moment_in_words(row.last_used_at),
        ));
    }
    more(next);
    Ok(())
}

fn moment_in_words(moment: Timestamp) -> String {
    moment::in_words(moment.seconds())
}

fn grant_json(row: &ListedGrant) -> serde_json::Value {
    json!({
        "id": row.id.to_string(),
        "person": row.person.to_string(),
        "client_id": row.client_id,
        "client_name": row.client_name,
        "scope": row.scope,
        "active": row.is_active,
        "created_at": row.created_at.seconds(),
        "last_used_at": row.last_used_at.seconds(),
        "expires_at": row.expires_at.map(Timestamp::seconds),
        "revoked_at": row.revoked_at.map(Timestamp::seconds),
        "revoked_reason": row.revoked_reason,
    })
}

/// What decides now whether a grant still works.
pub fn moment_now(config: &Config) -> Moment {
    let now = SystemClock.now();
    Moment { now, access_tokens_since: now.minus(config.access_token_ttl) }
}

fn more(next: Option<String>) {
    if let Some(next) = next {
        say(format!("more: --after {next}"));
    }
}

/// The words for what the database did not do.
pub fn fault(command: &str, error: &StoreError) -> CommandError {
    CommandError::new(format!("{command}: {}", chain(error)))
}
