//! `gatehouse gc`: one clean-up pass, the same that `serve` runs on a timer.

use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::flow::chain;
use crate::store::sweep;

/// Runs the pass and prints what was deleted.
pub fn run(config: Config) -> Result<(), CommandError> {
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let swept = sweep::pass(&store, config.access_token_ttl, SystemClock.now())
            .await
            .map_err(|error| CommandError::new(chain(&error)))?;
        for (table, rows) in [
            ("authorization_requests", swept.authorization_requests),
            ("authorization_codes", swept.authorization_codes),
            ("refresh_tokens", swept.refresh_tokens),
            ("grants", swept.grants),
            ("clients", swept.clients),
            ("limit_windows", swept.limit_windows),
            ("browser_logins", swept.browser_logins),
            ("browser_sessions", swept.browser_sessions),
        ] {
            say(format!("{rows:>8} {table}"));
        }
        Ok(())
    })
}
