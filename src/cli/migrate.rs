//! `gatehouse migrate`: migrations by hand. Needs the database address and nothing else.

use crate::cli::serve::open_store;
use crate::cli::{CommandError, block_on, say};
use crate::config::layers::{Given, Layers};
use crate::config::readers::database_url;
use crate::flow::chain;
use crate::store::schema;

/// Runs one direction.
pub fn run(given: &Given, direction: &str) -> Result<(), CommandError> {
    let database_url = database_url(&Layers::merge(given)?)?;
    block_on(async {
        let store = open_store(&database_url).await?;
        let fault = |error| CommandError::new(format!("migration: {}", chain(&error)));
        match direction {
            "down" => schema::down(&store).await.map_err(fault)?,
            "up" => schema::up(&store).await.map_err(fault)?,
            _ => {}
        }
        for (name, applied) in schema::status(&store).await.map_err(fault)? {
            say(format!("{} {name}", if applied { "applied" } else { "pending" }));
        }
        Ok(())
    })
}
