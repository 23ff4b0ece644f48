//! Leases: what one replica does and the others leave alone until a moment, or until it says that
//! it is done. A replica that is killed holds nothing longer than that moment.

use sea_orm::{ConnectionTrait as _, Statement, Value};

use crate::clock::Timestamp;
use crate::id::LeaseHolderId;
use crate::store::{Consumed, Store, StoreError, transact};

/// Takes a lease that nobody holds at `now`, or takes it anew, until `expires_at`.
pub async fn take(
    store: &Store,
    name: &str,
    holder: LeaseHolderId,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<Consumed, StoreError> {
    const SQL: &str = "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE
            SET holder = excluded.holder, expires_at = excluded.expires_at
            WHERE leases.expires_at <= $4 OR leases.holder = excluded.holder";
    let values: [Value; 4] =
        [name.into(), holder.uuid().into(), expires_at.millis().into(), now.millis().into()];
    run(store, SQL, &values).await
}

/// Moves the end of a lease that is still held.
pub async fn hold(
    store: &Store,
    name: &str,
    holder: LeaseHolderId,
    expires_at: Timestamp,
) -> Result<Consumed, StoreError> {
    const SQL: &str = "UPDATE leases SET expires_at = $3 WHERE name = $1 AND holder = $2";
    let values: [Value; 3] = [name.into(), holder.uuid().into(), expires_at.millis().into()];
    run(store, SQL, &values).await
}

async fn run(store: &Store, sql: &str, values: &[Value]) -> Result<Consumed, StoreError> {
    transact!(*store, txn => {
        let backend = txn.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values.to_vec());
        Ok(Consumed::from_rows(txn.execute_raw(statement).await?.rows_affected()))
    })
}
