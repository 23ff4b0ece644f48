//! `gatehouse users export|erase`: what a person may ask of an operator.

use std::sync::Arc;

use crate::attribution::erasure::{self, Condition};
use crate::attribution::export::{audit_export, export as exported};
use crate::attribution::people::People;
use crate::cli::{CommandError, confirm, deliveries, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::domain::audit::Actor;
use crate::flow::chain;
use crate::id::UserId;
use crate::secret::{Entropy, SystemEntropy};
use crate::store::{Store, StoreError, erasures};

/// Prints everything that is kept of a person, as JSON.
pub async fn export(store: &Store, people: People<'_>, user: UserId) -> Result<(), CommandError> {
    let now = SystemClock.now();
    audit_export(store, people.entropy, Actor::Command, user, now).await.map_err(fault)?;
    let everything = exported(store.read(), people.secret, user, now).await;
    let everything = everything.map_err(fault)?.ok_or_else(unknown)?;
    say(format!("{everything:#}"));
    Ok(())
}

/// Erases a person with everything that belongs to them; asks before, unless told not to.
pub async fn erase(
    config: &Config,
    store: &Store,
    user: UserId,
    is_confirmed: bool,
) -> Result<(), CommandError> {
    if !erasures::exists(store.read(), user).await.map_err(fault)? {
        return Err(unknown());
    }
    if !is_confirmed {
        let what = format!("This erases {user} and everything that belongs to them");
        confirm(&what, "nothing was erased")?;
    }
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let sinks = deliveries::sinks_without_delivery(config, &entropy);
    let now = SystemClock.now();
    let erased = erasure::erase(store, &sinks, user, Condition::AskedBy(Actor::Command), now).await;
    let erased = erased.map_err(fault)?.ok_or_else(unknown)?;
    say(format!("erased {user}, with {} sign-ins", erased.grants.len()));
    say("access tokens end within 5 seconds on every running server");
    for sink in erased.sinks {
        say(format!("{sink} is told to forget this person, by any running server"));
    }
    for receiver in erased.others {
        say(format!("{receiver} was told of this person; ask whoever runs it to forget them"));
    }
    Ok(())
}

fn unknown() -> CommandError {
    CommandError::new("users: there is no such person")
}

fn fault(error: StoreError) -> CommandError {
    CommandError::new(format!("users: {}", chain(&error)))
}
