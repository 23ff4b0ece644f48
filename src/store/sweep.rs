//! Clean-up: what has expired is deleted in bounded batches.
//!
//! Used refresh tokens stay until their own expiry, so that reuse is still seen; codes stay a day
//! longer for the same reason; a client stays while anything lives that was granted to it. What a
//! metadata document said can be read again, so it stays a day. A retired signing key stays a
//! month, for who asks which one signed a token.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement, Value};

use crate::clock::Timestamp;
use crate::store::{Store, StoreError, transact};

/// Rows deleted by one statement.
const BATCH_ROWS: i64 = 1000;

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
    let grants = Batch {
        table: "grants",
        key: "id",
        condition: "created_at <= $1 AND NOT EXISTS
            (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = grants.id)",
        before: now.minus(access_token_ttl.max(CODE_KEPT)),
    };
    let clients = Batch {
        table: "clients",
        key: "id",
        condition: "last_used_at <= $1 AND NOT EXISTS
            (SELECT 1 FROM grants g WHERE g.client_id = clients.client_id)",
        before: now.minus(CLIENT_UNUSED_KEPT),
    };
    let documents = Batch {
        condition: "last_used_at <= $1 AND client_id LIKE 'http%' AND NOT EXISTS
            (SELECT 1 FROM grants g WHERE g.client_id = clients.client_id)",
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
        grants: delete(store, grants).await?,
        clients: delete(store, clients).await? + delete(store, documents).await?,
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

pub(super) async fn delete(store: &Store, batch: Batch) -> Result<u64, StoreError> {
    let Batch { table, key, condition, before } = batch;
    // The condition stands twice: a row that was waited for is judged again by the outer one alone,
    // and it may have come to life meanwhile.
    let sql = format!(
        "DELETE FROM {table} WHERE {condition} AND {key} IN
            (SELECT {key} FROM {table} WHERE {condition} LIMIT {BATCH_ROWS})"
    );
    let mut deleted = 0;
    loop {
        // In a transaction, because that is what runs again when two passes meet.
        let rows = transact!(store, txn => {
            let values: [Value; 1] = [before.millis().into()];
            let statement =
                Statement::from_sql_and_values(txn.get_database_backend(), &sql, values);
            Ok(txn.execute_raw(statement).await?.rows_affected())
        })?;
        deleted += rows;
        if rows < BATCH_ROWS.unsigned_abs() {
            return Ok(deleted);
        }
    }
}
