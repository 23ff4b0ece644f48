//! Which organization a person's calls are counted for. The one place that says so.

use std::collections::HashMap;

use crate::id::UserId;
use crate::store::{Db, StoreError, usage};

/// The keys of these people's organizations, empty where none is known. Who is not among them is
/// gone.
pub async fn keys_of(
    db: &impl Db,
    people: &[UserId],
) -> Result<HashMap<UserId, String>, StoreError> {
    let keys = usage::organizations_of(db, people).await?;
    Ok(keys.into_iter().map(|(person, key)| (person, key.unwrap_or_default())).collect())
}
