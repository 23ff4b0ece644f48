//! Limits: what all replicas together have counted.
//!
//! A replica adds what it counted and reads the sum in the same statement. The row says which
//! window is counted in: it keeps its beginning as long as it lasts, and the next begins no sooner
//! than it is over. So windows of one caller never overlap, whichever replica began them.

use std::fmt::Write as _;
use std::time::Duration;

use sea_orm::{ConnectionTrait, EntityTrait, Statement, Value};

use crate::clock::Timestamp;
use crate::store::entity::limit_windows::{Entity, Model};
use crate::store::{StoreError, Txn};

/// Callers settled by one statement at most.
pub const BATCH_ROWS: usize = 200;

/// Windows that are longer end after this all the same, so that no sum of times can overflow.
const WINDOW_MAX: Duration = Duration::from_hours(24 * 3650);

/// What one replica has counted and not told before; or, as an answer, what all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Whom: a keyed hash of the limit and the caller.
    pub key_hash: [u8; 32],
    /// When the window began, as this replica sees it.
    pub began_at: Timestamp,
    /// Events, at least one.
    pub used: u32,
}

/// Adds `tallies` to the windows of the limit called `limit_name`, which last `window`, and says
/// how they stand then. There is at least one, nobody comes twice, and at most [`BATCH_ROWS`] come.
///
/// A row that began more than a window from now on was written by a clock that has been wrong, and
/// counts as none.
pub async fn add(
    txn: &Txn,
    limit_name: &str,
    window: Duration,
    mut tallies: Vec<Tally>,
    now: Timestamp,
) -> Result<Vec<Tally>, StoreError> {
    let window = window.min(WINDOW_MAX);
    // Rows are locked in the order they are listed in, so that two replicas wait for each other in
    // one direction only.
    tallies.sort_unstable_by_key(|tally| tally.key_hash);
    let length = Timestamp::from_millis(0).plus(window).millis();
    let mut values: Vec<Value> = vec![
        length.into(),
        now.minus(window).millis().into(),
        now.plus(window).millis().into(),
        limit_name.into(),
    ];
    let mut rows = String::new();
    for tally in &tallies {
        let (hash, began, used) = (values.len() + 1, values.len() + 2, values.len() + 3);
        let comma = if rows.is_empty() { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(rows, "{comma}(${hash}, $4, ${began}, ${used}, ${began} + 2 * $1)");
        values.extend([
            Value::from(tally.key_hash.to_vec()),
            tally.began_at.millis().into(),
            i64::from(tally.used).into(),
        ]);
    }
    let sql = format!("{} {rows} {}", SQL[0], SQL[1]);
    let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
    let rows = Entity::find().from_raw_sql(statement).all(txn).await?;
    rows.into_iter().map(tally_of).collect()
}

/// Before and after the rows. `$1` is the length of a window; the row's is not over when it began
/// after `$2`, and it was begun by a clock that may be trusted when it began until `$3`.
const SQL: [&str; 2] = [
    "INSERT INTO limit_windows (key_hash, limit_name, began_at, used, expires_at) VALUES",
    "ON CONFLICT (key_hash) DO UPDATE SET
        (began_at, used, expires_at) = (
            SELECT began_at, used, began_at + 2 * $1 FROM (
                SELECT
                    CASE
                        WHEN limit_windows.began_at > $3 THEN excluded.began_at
                        WHEN limit_windows.began_at > $2 THEN limit_windows.began_at
                        WHEN limit_windows.began_at + $1 > excluded.began_at
                            THEN limit_windows.began_at + $1
                        ELSE excluded.began_at
                    END AS began_at,
                    CASE
                        WHEN limit_windows.began_at > $2 AND limit_windows.began_at <= $3
                            THEN limit_windows.used + excluded.used
                        ELSE excluded.used
                    END AS used
            ) AS now_is
        )
     RETURNING key_hash, limit_name, began_at, used, expires_at",
];

fn tally_of(row: Model) -> Result<Tally, StoreError> {
    let key_hash = row.key_hash.try_into().map_err(|_| StoreError::Corrupt("limit key"))?;
    Ok(Tally {
        key_hash,
        began_at: Timestamp::from_millis(row.began_at),
        used: row.used.try_into().unwrap_or(u32::MAX),
    })
}
