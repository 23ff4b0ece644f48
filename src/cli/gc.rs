//! `gatehouse gc`: one clean-up pass, the same that `serve` runs on a timer.

use std::sync::Arc;

use crate::attribution::people::People;
use crate::attribution::upkeep::{self, Left};
use crate::cli::preconditions::rules;
use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, deliveries, retention, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::flow::enforcement::reading;
use crate::flow::{chain, key_rotation};
use crate::secret::{Entropy, SystemEntropy};
use crate::store::usage_sweep::UsageKept;
use crate::store::{StoreError, usage_sweep};

/// For how long usage is kept.
pub const fn usage_kept(config: &Config) -> UsageKept {
    UsageKept {
        by_person: config.usage.kept,
        by_organization: config.usage.totals_kept,
        queries: config.usage.queries_kept,
        contexts: config.usage.context_kept,
    }
}

/// Runs the pass and prints what was deleted, and what was done for people.
pub fn run(config: Config) -> Result<(), CommandError> {
    let rules = rules(&config).map_err(CommandError::new)?;
    let people = People { secret: &config.secret, rules: &rules, entropy: &SystemEntropy };
    let fault = |error: StoreError| CommandError::new(chain(&error));
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let now = SystemClock.now();
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let sinks = deliveries::sinks_without_delivery(&config, &entropy);
        let tended = key_rotation::pass(&store, &config, &SystemEntropy, &SystemClock).await;
        let tended = tended.map_err(|fault| CommandError::new(chain(&fault)))?;
        say(format!("{:>8} signing keys published", tended.published));
        say(format!("{:>8} signing keys retired", tended.retired));
        let deleted = retention::pass(&config, &store, &sinks, now).await.map_err(fault)?;
        for (table, rows) in deleted {
            say(format!("{rows:>8} {table}"));
        }
        let swept = usage_sweep::pass(&store, usage_kept(&config), now).await.map_err(fault)?;
        for (table, rows) in [
            ("usage_by_person", swept.usage_by_person),
            ("usage_by_organization", swept.usage_by_organization),
            ("searches", swept.searches),
        ] {
            say(format!("{rows:>8} {table}"));
        }
        say(format!("{:>8} days of usage rolled up", swept.days_rolled_up));
        let kept = config.enforcement.anonymous_kept;
        let swept = reading::sweep(&store, kept, SystemClock.now())
            .await
            .map_err(|error| CommandError::new(chain(&error)))?;
        for (table, rows) in [
            ("anonymous_callers", swept.anonymous_callers),
            ("challenged_callers", swept.challenged_callers),
        ] {
            say(format!("{rows:>8} {table}"));
        }
        let kept = upkeep::pass(&store, people, now).await.map_err(fault)?;
        say(format!("{:>8} people given their organization", kept.memberships));
        say(format!("{:>8} values sealed anew", kept.resealed));
        say_what_is_left(kept.left);
        Ok(())
    })
}

/// Whether `secret_previous` is still needed.
fn say_what_is_left(left: Left) {
    say(format!("{:>8} values not sealed under the current secret", left.total()));
    for (kind, rows) in left.by_kind() {
        if rows > 0 {
            say(format!("{rows:>8}   in {}", kind.table()));
        }
    }
}
