//! Usage of days that are over: rolled up by organization, and deleted in time.
//!
//! A day is rolled up in one transaction, behind its row in `usage_days`: of two passes one does
//! it, and one that is cut short has done nothing. What is rolled up is not added to but made anew
//! from the rows by person, so it is right however often it is done; for the same reason a day
//! whose rows by person are about to go is not rolled up again.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement, Value};

use crate::clock::Timestamp;
use crate::domain::day::Day;
use crate::store::searches::{self, Kind};
use crate::store::sweep::in_batches;
use crate::store::transaction::heard;
use crate::store::usage::TOOK;
use crate::store::{Consumed, Store, StoreError, Txn, transact};

/// How long after its end a day is rolled up. Whoever adds to a day that has been over for half of
/// this opens it again; so clocks may be apart by the other half.
pub const ROLLED_UP_AFTER: Duration = Duration::from_hours(1);

/// Rows deleted by one statement.
const BATCH_ROWS: u64 = 10_000;

/// How long a replica's last batch is remembered: longer than any commit is in doubt.
const WRITER_KEPT: Duration = Duration::from_hours(24);

/// How long a day's rows may take to be added up: longer than other statements may.
const ROLL_UP_MAX: &str = "SET LOCAL statement_timeout = '5min'";

/// And how long its end is waited for.
const ROLL_UP_HEARD_WITHIN: Duration = Duration::from_mins(6);

/// For how long usage is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageKept {
    /// By person.
    pub by_person: Duration,
    /// By organization.
    pub by_organization: Duration,
    /// What was searched for.
    pub queries: Duration,
    /// What people said they wanted.
    pub contexts: Duration,
}

/// What one pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageSwept {
    /// Days that were rolled up.
    pub days_rolled_up: u64,
    /// `usage_by_person`
    pub usage_by_person: u64,
    /// `usage_by_organization`
    pub usage_by_organization: u64,
    /// `searches`
    pub searches: u64,
}

/// Runs one pass.
pub async fn pass(
    store: &Store,
    kept: UsageKept,
    now: Timestamp,
) -> Result<UsageSwept, StoreError> {
    let today = Day::of(now);
    let oldest = today.minus(kept.by_person);
    let mut swept = UsageSwept::default();
    for day in days_to_roll_up(store, oldest, Day::of(now.minus(ROLLED_UP_AFTER))).await? {
        if roll_up(store, day, now).await? == Consumed::ByUs {
            swept.days_rolled_up += 1;
        }
    }
    let oldest_total = today.minus(kept.by_organization);
    swept.usage_by_person = delete(store, "usage_by_person", "day < $1", oldest.number()).await?;
    swept.usage_by_organization =
        delete(store, "usage_by_organization", "day < $1", oldest_total.number()).await?;
    delete(store, "usage_days", "day < $1", oldest_total.number()).await?;
    swept.searches = searches::delete_before(store, Kind::Query, now.minus(kept.queries)).await?
        + searches::delete_before(store, Kind::Context, now.minus(kept.contexts)).await?;
    let forgotten = now.minus(WRITER_KEPT).millis();
    delete(store, "usage_writers", "written_at < $1", forgotten).await?;
    Ok(swept)
}

/// The days from `oldest` to before `open` that have rows and are not rolled up.
async fn days_to_roll_up(store: &Store, oldest: Day, open: Day) -> Result<Vec<Day>, StoreError> {
    let db = store.read();
    let first = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT min(day) AS day FROM usage_by_person WHERE day >= $1",
        [oldest.number().into()],
    );
    let first = db.query_one_raw(first).await?;
    let first: Option<i64> = first.map(|row| row.try_get("", "day")).transpose()?.flatten();
    let Some(first) = first else { return Ok(Vec::new()) };
    let done = rolled_up(db, Day::from_number(first), open).await?;
    let days = (first..open.number()).map(Day::from_number);
    Ok(days.filter(|day| !done.contains(day)).collect())
}

/// The days from `from` to `to` that are all in the totals, in their order.
pub(super) async fn rolled_up(
    db: &impl crate::store::Db,
    from: Day,
    to: Day,
) -> Result<Vec<Day>, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT day FROM usage_days WHERE day >= $1 AND day <= $2 AND rolled_up_at IS NOT NULL
         ORDER BY day",
        [from.number().into(), to.number().into()],
    );
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok(Day::from_number(row.try_get("", "day")?))).collect()
}

/// Rolls one day up, unless it is.
pub async fn roll_up(store: &Store, day: Day, now: Timestamp) -> Result<Consumed, StoreError> {
    transact!(*store, txn => {
        let marked = mark(txn, day, now).await?;
        if marked == Consumed::ByUs {
            add_up(txn, day).await?;
        }
        Ok(marked)
    })
}

/// Takes the day. Another pass that does waits here until this one has committed, and then finds it
/// done; whoever adds to the day waits as well, and takes the mark away again.
async fn mark(txn: &Txn, day: Day, now: Timestamp) -> Result<Consumed, StoreError> {
    let statement = Statement::from_sql_and_values(
        txn.get_database_backend(),
        "INSERT INTO usage_days (day, rolled_up_at) VALUES ($1, $2)
         ON CONFLICT (day) DO UPDATE SET rolled_up_at = excluded.rolled_up_at
            WHERE usage_days.rolled_up_at IS NULL",
        [day.number().into(), now.millis().into()],
    );
    Ok(Consumed::from_rows(txn.execute_raw(statement).await?.rows_affected()))
}

async fn add_up(txn: &Txn, day: Day) -> Result<(), StoreError> {
    let backend = txn.get_database_backend();
    if backend == sea_orm::DbBackend::Postgres {
        txn.execute_unprepared(ROLL_UP_MAX).await?;
    }
    let sums: Vec<_> = TOOK.split(", ").map(|column| format!("sum({column})")).collect();
    let insert = format!(
        "INSERT INTO usage_by_organization
            (day, organization, product, tool, revision, outcome, calls, people, {TOOK})
         SELECT day, organization, product, tool, revision, outcome, sum(calls),
            count(DISTINCT user_id), {}
         FROM usage_by_person WHERE day = $1
         GROUP BY day, organization, product, tool, revision, outcome",
        sums.join(", ")
    );
    for sql in ["DELETE FROM usage_by_organization WHERE day = $1", insert.as_str()] {
        let values: [Value; 1] = [day.number().into()];
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let added = txn.unbounded().execute_raw(statement);
        heard(txn.losses(), backend, ROLL_UP_HEARD_WITHIN, added).await?;
    }
    Ok(())
}

/// Deletes in bounded batches, by where the rows lie: their keys are long.
pub(super) async fn delete(
    store: &Store,
    table: &str,
    condition: &str,
    before: i64,
) -> Result<u64, StoreError> {
    let place = if store.is_postgres() { "ctid" } else { "rowid" };
    let rows = format!("SELECT {place} FROM {table} WHERE {condition} LIMIT {BATCH_ROWS}");
    let among =
        if store.is_postgres() { format!("= ANY (ARRAY({rows}))") } else { format!("IN ({rows})") };
    // The condition stands twice: what lies in a place may have changed meanwhile.
    let sql = format!("DELETE FROM {table} WHERE {condition} AND {place} {among}");
    in_batches(store, &sql, BATCH_ROWS, before).await
}
