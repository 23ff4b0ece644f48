//! What the settings ask for, what that would do, and how it stands.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::enforcement::EnforcementConfig;
use crate::config::{AuthMode, Config};
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::day::Day;
use crate::domain::enforcement::{Policy, Share, Status, client_named};
use crate::domain::replay::{Replay, Report, SignedIn};
use crate::secret::Entropy;
use crate::store::audit::{self, AuditRow};
use crate::store::{Consumed, Store, StoreError, anonymous, enforcement, transact};

/// What is told of as the last hour.
const LAST_HOUR: Duration = Duration::from_hours(1);

/// A policy that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// No request without a token can be of this client.
    Client(String),
    /// No such tool is offered; those that are.
    Tool(String, Vec<String>),
}

impl PolicyError {
    /// The setting that says so, where it was a setting.
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Client(_) => "enforce_clients",
            Self::Tool(..) => "enforce_tools",
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(name) => write!(
                f,
                "{name:?} is no client that is told apart without a token; write for instance \
                 Cursor, Claude Code or VS Code as `gatehouse enforcement report` does, or unknown"
            ),
            Self::Tool(name, offered) => {
                write!(f, "no tool is called {name:?}; there are {}", offered.join(", "))
            }
        }
    }
}

impl std::error::Error for PolicyError {}

/// A policy in an operator's words, where these tools are offered.
pub fn policy(
    share_hundredths: u16,
    clients: &[String],
    tools: &[String],
    offered: &[String],
) -> Result<Policy, PolicyError> {
    let client = |name: &String| {
        client_named(name).map(str::to_owned).ok_or_else(|| PolicyError::Client(name.clone()))
    };
    let tool = |name: &String| {
        let found = offered.iter().find(|offered| *offered == name).cloned();
        found.ok_or_else(|| PolicyError::Tool(name.clone(), offered.to_vec()))
    };
    Ok(Policy {
        share: Share::from_hundredths(share_hundredths),
        clients: clients.iter().map(client).collect::<Result<BTreeSet<_>, _>>()?,
        tools: tools.iter().map(tool).collect::<Result<BTreeSet<_>, _>>()?,
    })
}

/// The policy of the settings. It is checked whatever `auth` says, and asks somebody only in grace.
pub fn policy_of(config: &Config, offered: &[String]) -> Result<Policy, PolicyError> {
    let EnforcementConfig { share_hundredths, clients, tools, .. } = &config.enforcement;
    let policy = policy(*share_hundredths, clients, tools, offered)?;
    Ok(if config.auth == AuthMode::Grace { policy } else { Policy::default() })
}

/// What `policy` would have done on the last so many days, today included.
pub async fn report(
    store: &Store,
    policy: Policy,
    days: u32,
    now: Timestamp,
) -> Result<Report, StoreError> {
    let to = Day::of(now);
    let from = to.plus(1 - i64::from(days.max(1)));
    let db = store.read();
    let mut replay = Replay::of(policy);
    anonymous::each_caller(db, (from, to), |caller| replay.add(caller)).await?;
    let signed_in = SignedIn {
        products: anonymous::products_signed_in(db).await?,
        tool_calls: anonymous::calls_signed_in(db, (from, to)).await?,
    };
    Ok(replay.report((from, to), &signed_in))
}

/// How enforcement stands.
pub async fn status(store: &Store, policy: Policy, now: Timestamp) -> Result<Status, StoreError> {
    let db = store.read();
    // This very moment is part of it.
    let span = (now.minus(LAST_HOUR), now.plus(Duration::from_millis(1)));
    Ok(Status {
        policy,
        last_halt: enforcement::last_halt(db).await?,
        last_hour: enforcement::tally(db, span).await?,
        products: enforcement::tally_by_product(db, span).await?,
    })
}

/// Ends a halt; by someone else when there is none.
pub async fn resume(
    store: &Store,
    entropy: &dyn Entropy,
    by: Actor<'_>,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    transact!(*store, txn => {
        let by = audit::hold_actor(txn, by).await?;
        let resumed = enforcement::resume(txn, now).await?;
        if resumed == Consumed::ByUs {
            let kind = AuditKind::EnforcementResumed;
            audit::write(txn, [AuditRow::new(entropy, kind, by, now)]).await?;
        }
        Ok(resumed)
    })
}

/// What one clean-up pass deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnforcementSwept {
    /// `anonymous_callers`
    pub anonymous_callers: u64,
    /// `challenged_callers`
    pub challenged_callers: u64,
}

/// Deletes what was kept long enough.
pub async fn sweep(
    store: &Store,
    anonymous_kept: Duration,
    now: Timestamp,
) -> Result<EnforcementSwept, StoreError> {
    Ok(EnforcementSwept {
        anonymous_callers: anonymous::delete_before(store, Day::of(now).minus(anonymous_kept))
            .await?,
        challenged_callers: enforcement::delete_challenged(store, now).await?,
    })
}
