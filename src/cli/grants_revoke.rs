//! `gatehouse grants revoke`: ends one grant, or all that are selected.

use std::collections::HashSet;

use clap::ArgMatches;
use serde_json::json;

use crate::cli::grants::{fault, moment_now, selection};
use crate::cli::{CommandError, confirm, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::domain::audit::Actor;
use crate::id::{GrantId, UserId};
use crate::secret::SystemEntropy;
use crate::store::consents::{self, Withdrawn};
use crate::store::grants::{self, Ended, RevocationReason};
use crate::store::listings::Window;
use crate::store::listings::grants::{self as listed, GrantSelection};
use crate::store::{Store, StoreError, audit, authorization_codes, transact, upstream_logins};

/// Grants that are read at once.
const PAGE_ROWS: u64 = 500;

/// Ends one grant, all of a person, or all that are selected. Running servers notice within 5
/// seconds. Each of several is a transaction of its own, so a run that broke off is said again.
pub async fn revoke(
    config: &Config,
    store: &Store,
    matches: &ArgMatches,
) -> Result<(), CommandError> {
    let id = matches
        .get_one::<String>("id")
        .map(|text| GrantId::parse(text).ok_or_else(|| wanted("that is no identifier of ours")));
    let told = |error: StoreError| fault("grants", &error);
    let selected = selection(store, matches).await?;
    let ended = match (id.transpose()?, Selected::of(&selected)) {
        (Some(id), Selected::Nothing) => {
            let standing = grants::standing(store.read(), id).await.map_err(told)?;
            let standing = standing.ok_or_else(|| wanted("there is no such grant"))?;
            let withdrawn = Withdrawn::Client(&standing.client_id);
            end(store, standing.user_id, Ended::One(id), withdrawn).await.map_err(told)?
        }
        (None, Selected::Person(person)) => {
            end(store, person, Ended::All, Withdrawn::Everything).await.map_err(told)?
        }
        (None, Selected::Several) => several(config, store, &selected, matches).await?,
        (None, Selected::Nothing) => {
            let which = "--person, --organization, --client, --from or --to";
            return Err(wanted(&format!("revoke what? Give one grant, or {which}")));
        }
        (Some(_), _) => return Err(wanted("one grant needs no other selection")),
    };
    let ended: Vec<_> = ended.iter().map(ToString::to_string).collect();
    if matches.get_flag("json") {
        say(json!({ "revoked": ended }));
    } else {
        ended.iter().for_each(say);
        say(format!("{} revoked", ended.len()));
    }
    Ok(())
}

/// What a selection comes down to.
enum Selected {
    Nothing,
    /// One person and no other condition.
    Person(UserId),
    Several,
}

impl Selected {
    fn of(selection: &GrantSelection) -> Self {
        let GrantSelection { person, client_id, is_active, organizations, made_from, made_before } =
            selection;
        let is_narrowed = client_id.is_some()
            || is_active.is_some()
            || organizations.is_some()
            || made_from.is_some()
            || made_before.is_some();
        match person {
            Some(person) if !is_narrowed => Self::Person(*person),
            None if !is_narrowed => Self::Nothing,
            _ => Self::Several,
        }
    }
}

/// Ends all that are selected and work, the newest first.
async fn several(
    config: &Config,
    store: &Store,
    selection: &GrantSelection,
    matches: &ArgMatches,
) -> Result<Vec<GrantId>, CommandError> {
    if selection.is_active == Some(false) {
        return Err(wanted("those that have ended cannot be revoked"));
    }
    let told = |error: StoreError| fault("grants", &error);
    let selection = GrantSelection { is_active: Some(true), ..selection.clone() };
    let mut found = Vec::new();
    loop {
        let after = found.last().map(|(id, ..): &(GrantId, UserId, String)| id.uuid());
        let window = Window { after, rows: PAGE_ROWS };
        let page = listed::list(store.read(), &selection, moment_now(config), window).await;
        let page = page.map_err(told)?;
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|row| (row.id, row.person, row.client_id)));
    }
    let people: HashSet<_> = found.iter().map(|(_, person, _)| person).collect();
    if !found.is_empty() && !matches.get_flag("yes") {
        let (grants, people) = (found.len(), people.len());
        let what = format!("This ends {grants} grants of {people} people, who sign in again");
        confirm(&what, "nothing was revoked")?;
    }
    let mut ended = Vec::new();
    for (id, person, client_id) in &found {
        let withdrawn = Withdrawn::Client(client_id);
        ended.extend(end(store, *person, Ended::One(*id), withdrawn).await.map_err(told)?);
    }
    Ok(ended)
}

async fn end(
    store: &Store,
    user_id: UserId,
    ended: Ended,
    withdrawn: Withdrawn<'_>,
) -> Result<Vec<GrantId>, StoreError> {
    let now = SystemClock.now();
    transact!(*store, txn => {
        consents::delete_of_person(txn, user_id, withdrawn).await?;
        upstream_logins::delete_remembered(txn, user_id, withdrawn).await?;
        authorization_codes::delete_unused_of_person(txn, user_id, withdrawn).await?;
        let reason = RevocationReason::ByAdmin;
        let grants = grants::revoke_of_person(txn, user_id, ended, reason, now).await?;
        let told = (Actor::Command, user_id, reason);
        audit::write(txn, audit::ended(&SystemEntropy, &grants, told, now)).await?;
        Ok(grants.into_iter().map(|grant| grant.id).collect())
    })
}

fn wanted(what: &str) -> CommandError {
    CommandError::new(format!("grants: {what}"))
}
