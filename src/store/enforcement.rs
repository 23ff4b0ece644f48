//! Callers who were asked to sign in, whether they came back, and the halts that follow from it.

use std::fmt::Write as _;
use std::time::Duration;

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::enforcement::{Halt, NetworkHash, RETURN_WITHIN, Tally};
use crate::store::{Consumed, Db, Store, StoreError, Txn, stored_time, usage_sweep};

/// How long it is kept who was asked: long enough to look at a halt of the night before.
pub const CHALLENGED_KEPT: Duration = Duration::from_hours(48);

/// Rows written by one statement at most: powers of two, as statements are kept by the connection.
const STATEMENT_ROWS: usize = 256;

/// The half hours that being asked is noted by.
const SLOT_MILLIS: i64 = 30 * 60 * 1_000;

/// A caller who was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Challenged {
    /// Who.
    pub network_hash: NetworkHash,
    /// When.
    pub at: Timestamp,
    /// With which product.
    pub product: String,
}

impl Challenged {
    /// The half hour in which it happened: a caller is noted once in each.
    pub const fn slot(&self) -> i64 {
        self.at.millis().div_euclid(SLOT_MILLIS)
    }
}

/// A caller who came with a good token, first and last within seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub network_hash: NetworkHash,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
}

/// Notes callers who were asked; of one half hour the first time stays. In the order of their keys.
pub async fn note_challenged(txn: &Txn, callers: &[Challenged]) -> Result<(), StoreError> {
    let mut rest = callers;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(STATEMENT_ROWS.min(1 << rest.len().ilog2()));
        let mut values: Vec<Value> = Vec::new();
        for caller in now {
            values.extend::<[Value; 4]>([
                caller.network_hash.to_vec().into(),
                caller.slot().into(),
                caller.product.clone().into(),
                caller.at.millis().into(),
            ]);
        }
        let sql = format!(
            "INSERT INTO challenged_callers (network_hash, slot, product, challenged_at)
             VALUES {} ON CONFLICT (network_hash, slot) DO NOTHING",
            places(now.len(), 4)
        );
        txn.execute_raw(Statement::from_sql_and_values(txn.get_database_backend(), sql, values))
            .await?;
        rest = later;
    }
    Ok(())
}

/// Notes for those of these callers who were asked within [`RETURN_WITHIN`] before that they came
/// back. Doing it twice changes nothing.
pub async fn note_signed_in(txn: &Txn, callers: &[SignedIn]) -> Result<(), StoreError> {
    let mut rest = callers;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(STATEMENT_ROWS.min(1 << rest.len().ilog2()));
        let mut values: Vec<Value> = Vec::new();
        for caller in now {
            values.extend::<[Value; 3]>([
                caller.network_hash.to_vec().into(),
                caller.first.minus(RETURN_WITHIN).millis().into(),
                caller.last.millis().into(),
            ]);
        }
        // Both databases call the columns of VALUES so.
        let sql = format!(
            "UPDATE challenged_callers SET returned_at = came.column3
             FROM (VALUES {}) AS came
             WHERE network_hash = came.column1 AND returned_at IS NULL
                AND challenged_at > came.column2 AND challenged_at <= came.column3",
            places(now.len(), 3)
        );
        txn.execute_raw(Statement::from_sql_and_values(txn.get_database_backend(), sql, values))
            .await?;
        rest = later;
    }
    Ok(())
}

/// `($1, $2), ($3, $4)`
fn places(rows: usize, columns: usize) -> String {
    let mut text = String::new();
    for row in 0..rows {
        let first = row * columns + 1;
        let row_places: Vec<_> =
            (first..first + columns).map(|place| format!("${place}")).collect();
        let comma = if row == 0 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma}({})", row_places.join(", "));
    }
    text
}

/// Different callers who were asked from the first moment on and before the last.
pub async fn tally(
    db: &impl Db,
    (from, until): (Timestamp, Timestamp),
) -> Result<Tally, StoreError> {
    let sql = "SELECT count(DISTINCT network_hash) AS challenged,
            count(DISTINCT CASE WHEN returned_at IS NOT NULL THEN network_hash END) AS returned
         FROM challenged_callers WHERE challenged_at >= $1 AND challenged_at < $2";
    let rows = db.query_all_raw(spanning(db, sql, (from, until))).await?;
    rows.first().map_or_else(|| Ok(Tally::default()), tally_of)
}

/// The same by product, the most asked first.
pub async fn tally_by_product(
    db: &impl Db,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(String, Tally)>, StoreError> {
    let sql = "SELECT product, count(DISTINCT network_hash) AS challenged,
            count(DISTINCT CASE WHEN returned_at IS NOT NULL THEN network_hash END) AS returned
         FROM challenged_callers WHERE challenged_at >= $1 AND challenged_at < $2
         GROUP BY product ORDER BY count(DISTINCT network_hash) DESC, product";
    let rows = db.query_all_raw(spanning(db, sql, (from, until))).await?;
    rows.iter().map(|row| Ok((row.try_get("", "product")?, tally_of(row)?))).collect()
}

fn spanning(db: &impl Db, sql: &str, (from, until): (Timestamp, Timestamp)) -> Statement {
    let span: [Value; 2] = [from.millis().into(), until.millis().into()];
    Statement::from_sql_and_values(db.get_database_backend(), sql, span)
}

fn tally_of(row: &QueryResult) -> Result<Tally, StoreError> {
    let number = |column| row.try_get::<i64>("", column).map(i64::unsigned_abs);
    Ok(Tally { challenged: number("challenged")?, returned: number("returned")? })
}

/// The newest halt, ended or not.
pub async fn last_halt(db: &impl Db) -> Result<Option<Halt>, StoreError> {
    let statement = Statement::from_string(
        db.get_database_backend(),
        "SELECT halted_at, challenged, returned, resumed_at FROM enforcement_halts
         ORDER BY CASE WHEN resumed_at IS NULL THEN 0 ELSE 1 END, resumed_at DESC LIMIT 1",
    );
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(None) };
    Ok(Some(Halt {
        halted_at: Timestamp::from_millis(row.try_get("", "halted_at")?),
        tally: tally_of(&row)?,
        resumed_at: stored_time(row.try_get("", "resumed_at")?),
    }))
}

/// Begins a halt that follows from callers who were asked since `judged_from`; by someone else when
/// one has begun and not ended, or was ended since: then an operator has seen those callers.
pub async fn halt(
    txn: &Txn,
    id: Uuid,
    tally: Tally,
    (judged_from, now): (Timestamp, Timestamp),
) -> Result<Consumed, StoreError> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let statement = Statement::from_sql_and_values(
        txn.get_database_backend(),
        "INSERT INTO enforcement_halts (id, halted_at, challenged, returned)
         SELECT CAST($1 AS {uuid}), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT)
         WHERE NOT EXISTS (SELECT 1 FROM enforcement_halts WHERE resumed_at > $5)
         ON CONFLICT DO NOTHING"
            .replace("{uuid}", if is_postgres(txn) { "UUID" } else { "BLOB" }),
        [
            id.into(),
            now.millis().into(),
            count(tally.challenged).into(),
            count(tally.returned).into(),
            judged_from.millis().into(),
        ],
    );
    Ok(Consumed::from_rows(txn.execute_raw(statement).await?.rows_affected()))
}

fn is_postgres(txn: &Txn) -> bool {
    txn.get_database_backend() == sea_orm::DbBackend::Postgres
}

/// Ends the halt; by someone else when there is none.
pub async fn resume(txn: &Txn, now: Timestamp) -> Result<Consumed, StoreError> {
    let statement = Statement::from_sql_and_values(
        txn.get_database_backend(),
        "UPDATE enforcement_halts SET resumed_at = $1 WHERE resumed_at IS NULL",
        [now.millis().into()],
    );
    Ok(Consumed::from_rows(txn.execute_raw(statement).await?.rows_affected()))
}

/// Deletes who was asked long ago, in bounded batches; says how many rows.
pub async fn delete_challenged(store: &Store, now: Timestamp) -> Result<u64, StoreError> {
    let before = now.minus(CHALLENGED_KEPT).millis();
    usage_sweep::delete(store, "challenged_callers", "challenged_at < $1", before).await
}
