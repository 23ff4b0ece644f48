//! `gatehouse admin token create|list|revoke`: the tokens by which programs administer.
//!
//! A token is shown once, when it is made, and kept as a hash. So a program's token is as strong as
//! chance makes it, ends on every replica at once, and shows when it was used last; a secret in the
//! settings would do neither.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::{Config, values};
use crate::domain::administrators::AdminScope;
use crate::domain::audit::{Actor, AuditKind};
use crate::flow::chain;
use crate::id::AdminTokenId;
use crate::page::moment;
use crate::secret::{Kind, Secret, SystemEntropy};
use crate::store::admin_tokens::{self, AdminToken};
use crate::store::audit::{self, AuditRow};
use crate::store::{Consumed, Store, StoreError, transact};

const NAME_CHARS_MAX: usize = 40;

/// What the command takes beside the settings.
pub fn with_actions(command: Command) -> Command {
    let scope = Arg::new("scope").long("scope").value_parser(["read", "write"]);
    let expires = Arg::new("expires").long("expires").value_name("DURATION");
    command
        .arg(Arg::new("what").value_parser(["token"]).required(true))
        .arg(Arg::new("action").value_parser(["create", "list", "revoke"]).required(true).help(
            "create prints a new token, once; list tells what there is; revoke ends one at once",
        ))
        .arg(Arg::new("name").value_name("NAME").help("What the log calls the token"))
        .arg(scope.default_value("read").help("create: what it may do"))
        .arg(expires.default_value("90d").help("create: for how long, or none"))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Answer in JSON"))
}

/// Runs one of the actions.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let is_json = matches.get_flag("json");
    let name = matches.get_one::<String>("name").map(String::as_str);
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        match matches.get_one::<String>("action").map(String::as_str) {
            Some("create") => create(&store, matches, named(name)?, is_json).await,
            Some("revoke") => revoke(&store, named(name)?, is_json).await,
            _ => list(&store, is_json).await,
        }
    })
}

fn named(name: Option<&str>) -> Result<&str, CommandError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name =
        |name: &&str| (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(is_plain);
    name.filter(is_name).ok_or_else(|| {
        CommandError::new(
            "admin: give the token a name of 1 to 40 letters, digits, dots, underscores or hyphens",
        )
    })
}

async fn create(
    store: &Store,
    matches: &ArgMatches,
    name: &str,
    is_json: bool,
) -> Result<(), CommandError> {
    let scope = matches.get_one::<String>("scope").and_then(|scope| AdminScope::parse(scope));
    let lasts = matches.get_one::<String>("expires").map_or("90d", String::as_str);
    let lasts: Option<Duration> = values::optional_duration(lasts)
        .map_err(|message| CommandError::new(format!("--expires: {message}")))?;
    let now = SystemClock.now();
    let secret = Secret::generate(&SystemEntropy, Kind::AdminToken);
    let token = AdminToken {
        id: AdminTokenId::generate(&SystemEntropy, now),
        name: name.to_owned(),
        scope: scope.unwrap_or(AdminScope::Read),
        created_at: now,
        expires_at: lasts.map(|lasts| now.plus(lasts)),
        used_at: None,
        revoked_at: None,
    };
    let inserted = transact!(*store, txn => {
        let inserted = admin_tokens::insert(txn, token.clone(), secret.hash()).await?;
        if inserted == Consumed::ByUs {
            audit::write(txn, [audited(AuditKind::AdminTokenCreated, name, now)]).await?;
        }
        Ok(inserted)
    });
    if inserted.map_err(fault)? == Consumed::BySomeoneElse {
        return Err(CommandError::new("admin: there is or was a token of this name"));
    }
    if is_json {
        let mut value = as_json(&token);
        value["token"] = json!(secret.expose());
        say(value);
    } else {
        say(secret.expose());
    }
    Ok(())
}

/// What the audit log is told; the reason is the token's name.
fn audited(kind: AuditKind, name: &str, now: Timestamp) -> AuditRow<'_> {
    AuditRow::new(&SystemEntropy, kind, Actor::Command, now).because(name)
}

async fn list(store: &Store, is_json: bool) -> Result<(), CommandError> {
    let tokens = admin_tokens::all(store.read()).await.map_err(fault)?;
    if is_json {
        let tokens: Vec<_> = tokens.iter().map(as_json).collect();
        say(json!({ "tokens": tokens }));
        return Ok(());
    }
    for token in tokens {
        let until = match (token.revoked_at, token.expires_at) {
            (Some(at), _) => format!("revoked {}", words(at)),
            (None, Some(at)) => format!("until {}", words(at)),
            (None, None) => "without an end".to_owned(),
        };
        let used = token
            .used_at
            .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", words(at)));
        say(format!("{}  {}  {until}, {used}", token.name, token.scope.name()));
    }
    Ok(())
}

async fn revoke(store: &Store, name: &str, is_json: bool) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let revoked = transact!(*store, txn => {
        let revoked = admin_tokens::revoke(txn, name, now).await?;
        if revoked == Consumed::ByUs {
            audit::write(txn, [audited(AuditKind::AdminTokenRevoked, name, now)]).await?;
        }
        Ok(revoked)
    });
    let is_revoked = revoked.map_err(fault)? == Consumed::ByUs;
    if !is_revoked {
        return Err(CommandError::new("admin: there is no such token, or it is revoked already"));
    }
    if is_json {
        say(json!({ "revoked": name }));
    } else {
        say(format!("{name} is revoked"));
    }
    Ok(())
}

fn as_json(token: &AdminToken) -> Value {
    json!({
        "name": token.name,
        "scope": token.scope.name(),
        "created_at": token.created_at.seconds(),
        "expires_at": token.expires_at.map(Timestamp::seconds),
        "used_at": token.used_at.map(Timestamp::seconds),
        "revoked_at": token.revoked_at.map(Timestamp::seconds),
    })
}

fn words(moment: Timestamp) -> String {
    moment::in_words(moment.seconds())
}

fn fault(error: StoreError) -> CommandError {
    CommandError::new(format!("admin: {}", chain(&error)))
}
