//! What does not end by itself and is not kept for ever: rows of the outbox that have done their
//! work, and the ledger.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, Statement, Value};

use crate::clock::Timestamp;
use crate::store::sweep::{Batch, delete};
use crate::store::{Store, StoreError, transact};

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Who was told what of a person.
    pub disclosures: Duration,
    /// Rows of the outbox, after the delivery.
    pub outbox_delivered: Duration,
    /// Rows of the outbox that were given up, and those that wait for a receiver that is not in the
    /// settings any more.
    pub outbox_failed: Duration,
}

/// What one pass deleted, per table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// `outbox`
    pub outbox: u64,
    /// `disclosures`
    pub disclosures: u64,
}

/// Runs one pass. `feedback` is the destination of feedback, whose messages stay when the outbox
/// forgets them, and say themselves that they were delivered.
pub async fn pass(
    store: &Store,
    kept: Kept,
    feedback: &'static str,
    now: Timestamp,
) -> Result<Retired, StoreError> {
    let delivered_before = now.minus(kept.outbox_delivered);
    mark_delivered(store, feedback, delivered_before).await?;
    let batch = |table, condition, before| Batch { table, key: "id", condition, before };
    let delivered = batch(
        "outbox",
        "delivered_at <= $1 AND NOT EXISTS (SELECT 1 FROM feedback f
            WHERE f.id = outbox.idempotency_key AND f.delivered_at IS NULL)",
        delivered_before,
    );
    let failed = batch(
        "outbox",
        "delivered_at IS NULL AND queued_at <= $1 AND (failed_at IS NULL OR failed_at <= $1)",
        now.minus(kept.outbox_failed),
    );
    let disclosures = batch("disclosures", "disclosed_at <= $1", now.minus(kept.disclosures));
    Ok(Retired {
        outbox: delete(store, delivered).await? + delete(store, failed).await?,
        disclosures: delete(store, disclosures).await?,
    })
}

async fn mark_delivered(
    store: &Store,
    feedback: &str,
    before: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE feedback SET delivered_at = (SELECT o.delivered_at FROM outbox o
            WHERE o.destination = $1 AND o.idempotency_key = feedback.id)
         WHERE delivered_at IS NULL AND id IN (SELECT idempotency_key FROM outbox
            WHERE destination = $1 AND delivered_at <= $2)";
    transact!(*store, txn => {
        let values: [Value; 2] = [feedback.into(), before.millis().into()];
        let statement = Statement::from_sql_and_values(txn.get_database_backend(), SQL, values);
        txn.execute_raw(statement).await?;
        Ok(())
    })
}
