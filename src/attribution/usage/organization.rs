//! Which organization a person's calls are counted for. The one place that says so.

use std::collections::HashMap;

use crate::id::UserId;
use crate::store::{Db, StoreError, usage};

/// The key of the organization that an address of this domain belongs to.
pub fn key_of_domain(domain: &str) -> String {
    format!("domain:{domain}")
}

/// The keys of these people's organizations, empty where none is known. Who is not among them is
/// gone.
pub async fn keys_of(
    db: &impl Db,
    people: &[UserId],
) -> Result<HashMap<UserId, String>, StoreError> {
    let domains = usage::domains_of(db, people).await?;
    let key = |domain: Option<String>| domain.as_deref().map(key_of_domain).unwrap_or_default();
    Ok(domains.into_iter().map(|(person, domain)| (person, key(domain))).collect())
}
