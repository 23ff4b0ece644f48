//! Clean-up: what has expired is deleted in bounded batches.
//!
//! Used refresh tokens stay until their own expiry, so that reuse is still seen; codes stay a day
//! longer for the same reason; a client stays while anything lives that was granted to it. What a
//! metadata document said can be read again, so it stays a day. A retired signing key stays a
//! month, for who asks which one signed a token.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use crate::clock::{Stopwatch, Timestamp};
use crate::store::{Store, StoreError, transact};

/// Rows deleted by one statement.
const BATCH_ROWS: u64 = 1000;

/// How long a clean-up rests between two statements, in times of what the last one took.
const RESTS: u32 = 2;

/// How long an expired request is kept, so that a late browser can be told what happened.
const REQUEST_KEPT: Duration = Duration::from_hours(1);

/// How long an expired code is kept, so that a late replay still revokes.
const CODE_KEPT: Duration = Duration::from_hours(24);

/// How long an unused registration is kept.
pub const CLIENT_UNUSED_KEPT: Duration = Duration::from_hours(24 * 90);

/// How long an unused metadata document is kept.
pub const DOCUMENT_UNUSED_KEPT: Duration = Duration::from_hours(24);

/// How long a signing key is kept that is published no more.
const KEY_RETIRED_KEPT: Duration = Duration::from_hours(24 * 30);

/// What one pass deleted, per table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// `authorization_requests`, and with them `upstream_logins`
    pub authorization_requests: u64,
    /// `authorization_codes`
    pub authorization_codes: u64,
    /// `refresh_tokens`
    pub refresh_tokens: u64,
    /// `grants`
    pub grants: u64,
    /// `clients`
    pub clients: u64,
    /// `limit_windows`
    pub limit_windows: u64,
    /// `browser_logins`
    pub browser_logins: u64,
    /// `browser_sessions`
    pub browser_sessions: u64,
    /// `admin_sessions`
    pub admin_sessions: u64,
    /// `signing_keys`
    pub signing_keys: u64,
}

/// Runs one pass. `access_token_ttl` keeps a grant without refresh tokens alive as long as its
/// access token may be.
pub async fn pass(
    store: &Store,
    access_token_ttl: Duration,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let expired = |table, key, kept| Batch {
        table,
        key,
        condition: "expires_at <= $1",
        before: now.minus(kept),
    };
    let grants = Orphans {
        table: "grants",
        condition: "created_at <= $1 AND
            (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = grants.id LIMIT 1) IS NULL",
        before: now.minus(access_token_ttl.max(CODE_KEPT)),
    };
    let clients = Orphans {
        table: "clients",
        condition: "last_used_at <= $1 AND
            (SELECT 1 FROM grants g WHERE g.client_id = clients.client_id LIMIT 1) IS NULL",
        before: now.minus(CLIENT_UNUSED_KEPT),
    };
    let documents = Orphans {
        condition: "last_used_at <= $1 AND client_id LIKE 'http%' AND
            (SELECT 1 FROM grants g WHERE g.client_id = clients.client_id LIMIT 1) IS NULL",
        before: now.minus(DOCUMENT_UNUSED_KEPT),
        ..clients
    };
    let keys = Batch {
        table: "signing_keys",
        key: "kid",
        condition: "retired_at <= $1",
        before: now.minus(KEY_RETIRED_KEPT),
    };
    Ok(Swept {
        authorization_requests: delete(
            store,
            expired("authorization_requests", "id", REQUEST_KEPT),
        )
        .await?,
        authorization_codes: delete(store, expired("authorization_codes", "id", CODE_KEPT)).await?,
        refresh_tokens: delete(store, expired("refresh_tokens", "id", Duration::ZERO)).await?,
        grants: delete_orphans(store, grants).await?,
        clients: delete_orphans(store, clients).await? + delete_orphans(store, documents).await?,
        limit_windows: delete(store, expired("limit_windows", "key_hash", Duration::ZERO)).await?,
        browser_logins: delete(store, expired("browser_logins", "state_hash", Duration::ZERO))
            .await?,
        browser_sessions: delete(store, expired("browser_sessions", "id", Duration::ZERO)).await?,
        admin_sessions: delete(store, expired("admin_sessions", "id", Duration::ZERO)).await?,
        signing_keys: delete(store, keys).await?,
    })
}

#[derive(Clone, Copy)]
pub(super) struct Batch {
    pub table: &'static str,
    pub key: &'static str,
    pub condition: &'static str,
    pub before: Timestamp,
}

/// Rows that nothing refers to any more. The condition asks for one row that does, by a subquery
/// with a limit: planners look that up row by row, and make of `NOT EXISTS` a walk through all of
/// the other table, once for each batch.
#[derive(Clone, Copy)]
struct Orphans {
    table: &'static str,
    condition: &'static str,
    before: Timestamp,
}

/// Deletes them, going once through the table by its key. To look for the next batch from the
/// beginning would be to look at all that stays again each time.
async fn delete_orphans(store: &Store, orphans: Orphans) -> Result<u64, StoreError> {
    let Orphans { table, condition, before } = orphans;
    let next = format!(
        "SELECT id FROM {table} WHERE id > $1 ORDER BY id LIMIT 1 OFFSET {}",
        BATCH_ROWS - 1
    );
    let sql = format!("DELETE FROM {table} WHERE {condition} AND id > $2 AND id <= $3");
    let (mut deleted, mut after) = (0, Uuid::nil());
    loop {
        let stopwatch = Stopwatch::start();
        let backend = store.read().get_database_backend();
        let statement = Statement::from_sql_and_values(backend, &next, [after.into()]);
        let found = store.read().query_one_raw(statement).await?;
        let last: Option<Uuid> = found.map(|row| row.try_get_by_index(0)).transpose()?;
        deleted += transact!(*store, txn => {
            let values: [Value; 3] =
                [before.millis().into(), after.into(), last.unwrap_or(Uuid::max()).into()];
            let statement = Statement::from_sql_and_values(backend, &sql, values);
            Ok(txn.execute_raw(statement).await?.rows_affected())
        })?;
        let Some(last) = last else { return Ok(deleted) };
        after = last;
        tokio::time::sleep(stopwatch.elapsed() * RESTS).await;
    }
}

pub(super) async fn delete(store: &Store, batch: Batch) -> Result<u64, StoreError> {
    let Batch { table, key, condition, before } = batch;
    // The condition stands twice: a row that was waited for is judged again by the outer one alone,
    // and it may have come to life meanwhile.
    let sql = format!(
        "DELETE FROM {table} WHERE {condition} AND {key} IN
            (SELECT {key} FROM {table} WHERE {condition} LIMIT {BATCH_ROWS})"
    );
    in_batches(store, &sql, BATCH_ROWS, before.millis()).await
}

/// Deletes by a statement that takes so many rows at most, until it finds fewer. After each it
/// rests for twice as long as that took: nobody waits for a clean-up, and people wait for the
/// database.
pub(super) async fn in_batches(
    store: &Store,
    sql: &str,
    rows_max: u64,
    before: i64,
) -> Result<u64, StoreError> {
    let mut deleted = 0;
    loop {
        let stopwatch = Stopwatch::start();
        // In a transaction, because that is what runs again when two passes meet.
        let rows = transact!(*store, txn => {
            let values: [Value; 1] = [before.into()];
            let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
            Ok(txn.execute_raw(statement).await?.rows_affected())
        })?;
        deleted += rows;
        if rows < rows_max {
            return Ok(deleted);
        }
        tokio::time::sleep(stopwatch.elapsed() * RESTS).await;
    }
}
