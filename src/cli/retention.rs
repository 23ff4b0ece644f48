//! One clean-up pass over everything: what `gatehouse gc` runs once and `gatehouse serve` on a
//! timer.

use crate::attribution::erasure;
use crate::attribution::feedback::DESTINATION;
use crate::attribution::sinks::Sinks;
use crate::clock::Timestamp;
use crate::config::Config;
use crate::store::attempts::{self, BOUNDS};
use crate::store::retention::{self, Kept};
use crate::store::{Store, StoreError, audit, sweep};

/// Runs the pass; what was deleted, per table.
pub async fn pass(
    config: &Config,
    store: &Store,
    sinks: &Sinks,
    now: Timestamp,
) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let swept = sweep::pass(store, config.access_token_ttl, now).await?;
    let kept = Kept {
        disclosures: config.kept.disclosures,
        outbox_delivered: config.kept.outbox_delivered,
        outbox_failed: config.kept.outbox_failed,
    };
    let retired = retention::pass(store, kept, DESTINATION, now).await?;
    let audited = audit::retire(store, config.kept.audit, now).await?;
    let attempts = attempts::retire(store, config.kept.attempts, BOUNDS, now).await?;
    let users = match config.kept.inactive_people {
        Some(kept) => erasure::erase_inactive(store, sinks, now.minus(kept), now).await?,
        None => 0,
    };
    Ok(vec![
        ("authorization_requests", swept.authorization_requests),
        ("authorization_codes", swept.authorization_codes),
        ("refresh_tokens", swept.refresh_tokens),
        ("grants", swept.grants),
        ("clients", swept.clients),
        ("limit_windows", swept.limit_windows),
        ("browser_logins", swept.browser_logins),
        ("browser_sessions", swept.browser_sessions),
        ("admin_sessions", swept.admin_sessions),
        ("signing_keys", swept.signing_keys),
        ("outbox", retired.outbox),
        ("disclosures", retired.disclosures),
        ("audit", audited),
        ("attempts", attempts),
        ("users", users),
    ])
}
