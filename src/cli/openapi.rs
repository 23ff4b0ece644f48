//! `gatehouse openapi`: the document, from the types alone.

use crate::cli::{CommandError, say};

/// Prints it.
pub fn run() -> Result<(), CommandError> {
    say(gatehouse_api::document_yaml().trim_end());
    Ok(())
}
