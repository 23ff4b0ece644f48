//! `gatehouse keys list`: the published signing keys, without their private halves.

use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::config::Config;
use crate::flow::chain;
use crate::store::signing_keys;

/// Prints them, the newest signer first.
pub fn run(config: Config) -> Result<(), CommandError> {
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let keys = signing_keys::published(store.read())
            .await
            .map_err(|error| CommandError::new(chain(&error)))?;
        for key in keys {
            say(format!(
                "{} {} signs since {} s after the epoch",
                key.kid,
                key.algorithm,
                key.signs_from.seconds()
            ));
        }
        Ok(())
    })
}
