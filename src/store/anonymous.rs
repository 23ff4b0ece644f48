//! Callers without a token: what they asked for, added up by day, and read again caller by caller.
//!
//! Counts are added, so any number of replicas write the same rows, in the order of their keys. A
//! batch is claimed as usage is (`usage::claim_batch`), so it counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use crate::domain::day::Day;
use crate::domain::enforcement::NetworkHash;
use crate::domain::replay::Seen;
use crate::store::{Db, Store, StoreError, Txn, usage_sweep};

/// Rows written by one statement at most: powers of two, as statements are kept by the connection.
const STATEMENT_ROWS: usize = 256;

/// Rows read by one statement.
const PAGE_ROWS: i64 = 5_000;

/// What requests are added up by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When, by the clock of the replica that answered.
    pub day: Day,
    /// The caller.
    pub network_hash: NetworkHash,
    /// What may be shown of their network.
    pub network: String,
    /// With which product.
    pub product: String,
    /// Which tool; empty for none.
    pub tool: String,
    /// Which method; empty for requests that were not read.
    pub method: String,
}

/// How many requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them, at least one.
    pub calls: i64,
    /// Those that were asked to sign in.
    pub challenged: i64,
}

/// Adds to the counts.
pub async fn add(txn: &Txn, counts: &BTreeMap<Key, Count>) -> Result<(), StoreError> {
    let rows: Vec<_> = counts.iter().collect();
    let mut rows = rows.as_slice();
    while !rows.is_empty() {
        let length = STATEMENT_ROWS.min(1 << rows.len().ilog2());
        let (now, later) = rows.split_at(length);
        add_rows(txn, now).await?;
        rows = later;
    }
    Ok(())
}

async fn add_rows(txn: &Txn, rows: &[(&Key, &Count)]) -> Result<(), StoreError> {
    let mut values: Vec<Value> = Vec::new();
    let mut sql = "INSERT INTO anonymous_callers
        (day, network_hash, network, product, tool, method, calls, challenged) VALUES "
        .to_owned();
    for (key, count) in rows {
        let first = values.len() + 1;
        values.extend::<[Value; 8]>([
            key.day.number().into(),
            key.network_hash.to_vec().into(),
            key.network.clone().into(),
            key.product.clone().into(),
            key.tool.clone().into(),
            key.method.clone().into(),
            count.calls.into(),
            count.challenged.into(),
        ]);
        let places: Vec<_> = (first..=values.len()).map(|place| format!("${place}")).collect();
        let comma = if first == 1 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(sql, "{comma}({})", places.join(", "));
    }
    sql.push_str(
        " ON CONFLICT (day, network_hash, product, tool, method) DO UPDATE SET
            calls = anonymous_callers.calls + excluded.calls,
            challenged = anonymous_callers.challenged + excluded.challenged",
    );
    txn.execute_raw(Statement::from_sql_and_values(txn.get_database_backend(), sql, values))
        .await?;
    Ok(())
}

/// How many rows a day has.
pub async fn rows_of(db: &impl Db, day: Day) -> Result<u64, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT count(*) AS rows FROM anonymous_callers WHERE day = $1",
        [day.number().into()],
    );
    let row = db.query_one_raw(statement).await?.ok_or(StoreError::Corrupt("count"))?;
    Ok(row.try_get::<i64>("", "rows")?.unsigned_abs())
}

/// Reads the callers of the days `from` to `to`, both included, one after the other: `next` is
/// given everything of one caller at a time, whatever days it was on.
pub async fn each_caller(
    db: &impl Db,
    (from, to): (Day, Day),
    mut next: impl FnMut(&[Seen]) + Send,
) -> Result<(), StoreError> {
    let mut caller: Vec<Seen> = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = page(db, (from, to), after.take()).await?;
        let is_last = i64::try_from(page.len()).unwrap_or(i64::MAX) < PAGE_ROWS;
        // The last caller of a page may go on behind it, and is read again whole.
        let cut = page.last().filter(|_| !is_last).map(|seen| seen.network_hash);
        let whole = page.iter().filter(|seen| Some(seen.network_hash) != cut);
        for seen in whole {
            if caller.last().is_some_and(|last| last.network_hash != seen.network_hash) {
                next(&caller);
                caller.clear();
            }
            caller.push(seen.clone());
        }
        match (is_last, caller.last()) {
            (true, Some(_)) => {
                next(&caller);
                return Ok(());
            }
            (true, None) => return Ok(()),
            (false, Some(last)) => after = Some(last.network_hash.to_vec()),
            // Products, tools and methods are few; no caller fills a page with them.
            (false, None) => return Err(StoreError::Corrupt("anonymous caller")),
        }
        next(&caller);
        caller.clear();
    }
}

async fn page(
    db: &impl Db,
    (from, to): (Day, Day),
    after: Option<Vec<u8>>,
) -> Result<Vec<Seen>, StoreError> {
    let mut values: Vec<Value> = vec![from.number().into(), to.number().into(), PAGE_ROWS.into()];
    let condition = if let Some(after) = after {
        values.push(after.into());
        "AND network_hash > $4"
    } else {
        ""
    };
    let sql = format!(
        "SELECT network_hash, network, product, tool, method,
            CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(challenged) AS BIGINT) AS challenged
         FROM anonymous_callers WHERE day >= $1 AND day <= $2 {condition}
         GROUP BY network_hash, network, product, tool, method
         ORDER BY network_hash, product, tool, method LIMIT $3"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.query_all_raw(statement).await?.iter().map(seen_of).collect()
}

fn seen_of(row: &QueryResult) -> Result<Seen, StoreError> {
    let hash: Vec<u8> = row.try_get("", "network_hash")?;
    Ok(Seen {
        network_hash: hash.try_into().map_err(|_| StoreError::Corrupt("network hash"))?,
        network: row.try_get("", "network")?,
        product: row.try_get("", "product")?,
        tool: row.try_get("", "tool")?,
        method: row.try_get("", "method")?,
        calls: row.try_get::<i64>("", "calls")?.unsigned_abs(),
        challenged: row.try_get::<i64>("", "challenged")?.unsigned_abs(),
    })
}

/// The products that people have used signed in, as far as usage is kept.
pub async fn products_signed_in(db: &impl Db) -> Result<BTreeSet<String>, StoreError> {
    let statement = Statement::from_string(
        db.get_database_backend(),
        "SELECT product FROM usage_by_organization WHERE people > 0
         UNION
         SELECT product FROM usage_by_person WHERE user_id IS NOT NULL AND day NOT IN
            (SELECT day FROM usage_days WHERE rolled_up_at IS NOT NULL)",
    );
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok(row.try_get("", "product")?)).collect()
}

/// Calls of tools on these days by people who are signed in. People who are gone since count as
/// nobody.
pub async fn calls_signed_in(db: &impl Db, (from, to): (Day, Day)) -> Result<u64, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT CAST(coalesce(sum(calls), 0) AS BIGINT) AS calls FROM usage_by_person
         WHERE day >= $1 AND day <= $2 AND user_id IS NOT NULL",
        [from.number().into(), to.number().into()],
    );
    let row = db.query_one_raw(statement).await?.ok_or(StoreError::Corrupt("sum"))?;
    Ok(row.try_get::<i64>("", "calls")?.unsigned_abs())
}

/// Deletes the counts of days before `oldest`, in bounded batches; says how many rows.
pub async fn delete_before(store: &Store, oldest: Day) -> Result<u64, StoreError> {
    usage_sweep::delete(store, "anonymous_callers", "day < $1", oldest.number()).await
}
