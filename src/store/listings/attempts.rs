//! Attempts to sign in, listed.

use crate::store::attempts::{Row, SELECT, StoredAttempt};
use crate::store::listings::{Conditions, Window};
use crate::store::{Db, StoreError};

/// Which attempts to list.
#[derive(Clone, Debug, Default)]
pub struct AttemptSelection {
    /// With this reference.
    pub reference: Option<String>,
    /// Of this program.
    pub client_id: Option<String>,
}

/// Attempts, the newest first.
pub async fn list(
    db: &impl Db,
    selection: &AttemptSelection,
    window: Window,
) -> Result<Vec<StoredAttempt>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.equal("reference", selection.reference.as_deref());
    conditions.equal("client_id", selection.client_id.as_deref());
    let rows: Vec<Row> = conditions.rows(db, SELECT, "id", window).await?;
    Ok(rows.into_iter().map(StoredAttempt::from).collect())
}
