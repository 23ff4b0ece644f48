//! `gatehouse gc`: one clean-up pass, the same that `serve` runs on a timer.

use crate::attribution::people::People;
use crate::attribution::upkeep::{self, Left};
use crate::cli::rules::rules;
use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::flow::chain;
use crate::secret::SystemEntropy;
use crate::store::usage_sweep::UsageKept;
use crate::store::{StoreError, sweep, usage_sweep};

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
        let swept = sweep::pass(&store, config.access_token_ttl, now).await.map_err(fault)?;
        for (table, rows) in [
            ("authorization_requests", swept.authorization_requests),
            ("authorization_codes", swept.authorization_codes),
            ("refresh_tokens", swept.refresh_tokens),
            ("grants", swept.grants),
            ("clients", swept.clients),
            ("limit_windows", swept.limit_windows),
            ("browser_logins", swept.browser_logins),
            ("browser_sessions", swept.browser_sessions),
            ("admin_sessions", swept.admin_sessions),
        ] {
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
    for (table, rows) in [
        ("users", left.profiles),
        ("feedback", left.feedback),
        ("outbox", left.outbox),
        ("signing_keys", left.signing_keys),
    ] {
        if rows > 0 {
            say(format!("{rows:>8}   in {table}"));
        }
    }
}
