//! Usage: what was called, added up by day, person and what it was.
//!
//! Counts are added, so any number of replicas write the same rows, and a batch that was written
//! twice would count twice: each replica numbers its batches, and the database knows the last one
//! of each. Rows are written in the order of their keys, so that two replicas wait for each other
//! in one direction only; a day that is over is opened again before anything is added to it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::day::Day;
use crate::domain::latency::{BUCKETS, Latency};
use crate::id::UserId;
use crate::store::people::JOIN_MEMBERSHIP;
use crate::store::{Consumed, Db, StoreError, Txn};

/// Rows written by one statement at most. Statements are prepared and kept by the connection, so
/// there are few lengths of them: powers of two.
const STATEMENT_ROWS: usize = 256;

/// People looked up by one statement.
const PEOPLE_ROWS: usize = 256;

/// What calls are counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When, by the clock of the replica that answered.
    pub day: Day,
    /// A key such as `domain:example.com`; empty where none is known.
    pub organization: String,
    /// Who; all zeros for nobody in particular.
    person: Uuid,
    /// With which product.
    pub product: String,
    /// Which tool; empty where none is known.
    pub tool: String,
    /// Which revision of the protocol; empty where none is known.
    pub revision: String,
    /// What became of it.
    pub outcome: String,
}

impl Key {
    /// The same, counted for this person, or for nobody in particular.
    #[must_use]
    pub fn of(self, person: Option<UserId>) -> Self {
        Self { person: person.map_or(Uuid::nil(), UserId::uuid), ..self }
    }

    /// A key without a person.
    pub fn of_nobody(
        day: Day,
        [organization, product, tool, revision, outcome]: [String; 5],
    ) -> Self {
        Self { day, organization, person: Uuid::nil(), product, tool, revision, outcome }
    }

    fn user_id(&self) -> Option<Uuid> {
        (!self.person.is_nil()).then_some(self.person)
    }
}

/// Columns of the two tables after the calls.
pub(super) const TOOK: &str =
    "micros, took_0, took_1, took_2, took_3, took_4, took_5, took_6, took_7, took_8, took_9";

/// Notes that `writer` writes its batch with this number; by someone else when it has been written,
/// though nobody answered. Numbers begin with 1 and go up by one.
pub async fn claim_batch(
    txn: &Txn,
    writer: Uuid,
    batch: i64,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let statement = Statement::from_sql_and_values(
        txn.get_database_backend(),
        "INSERT INTO usage_writers (writer, batch, written_at) VALUES ($1, $2, $3)
         ON CONFLICT (writer) DO UPDATE SET batch = excluded.batch, written_at = excluded.written_at
            WHERE usage_writers.batch < excluded.batch",
        [writer.into(), batch.into(), now.millis().into()],
    );
    Ok(Consumed::from_rows(txn.execute_raw(statement).await?.rows_affected()))
}

/// Says that a day which is over is not all in the totals. Whoever rolls it up at this moment is
/// waited for.
pub async fn reopen(txn: &Txn, day: Day) -> Result<(), StoreError> {
    let statement = Statement::from_sql_and_values(
        txn.get_database_backend(),
        "INSERT INTO usage_days (day, rolled_up_at) VALUES ($1, NULL)
         ON CONFLICT (day) DO UPDATE SET rolled_up_at = NULL",
        [day.number().into()],
    );
    txn.execute_raw(statement).await?;
    Ok(())
}

/// Adds to the counts.
pub async fn add(txn: &Txn, counts: &BTreeMap<Key, Latency>) -> Result<(), StoreError> {
    let mut rows: Vec<_> = counts.iter().collect();
    let mut rows = rows.as_mut_slice();
    while !rows.is_empty() {
        let length = STATEMENT_ROWS.min(1 << rows.len().ilog2());
        let (now, later) = rows.split_at_mut(length);
        add_rows(txn, now).await?;
        rows = later;
    }
    Ok(())
}

async fn add_rows(txn: &Txn, rows: &[(&Key, &Latency)]) -> Result<(), StoreError> {
    let mut values: Vec<Value> = Vec::new();
    let mut sql = format!(
        "INSERT INTO usage_by_person (day, organization, person, product, tool, revision, outcome,
            user_id, calls, {TOOK}) VALUES "
    );
    for (key, latency) in rows {
        let first = values.len() + 1;
        values.extend::<[Value; 9]>([
            key.day.number().into(),
            key.organization.clone().into(),
            key.person.into(),
            key.product.clone().into(),
            key.tool.clone().into(),
            key.revision.clone().into(),
            key.outcome.clone().into(),
            key.user_id().into(),
            latency.calls().into(),
        ]);
        values.push(latency.micros.into());
        values.extend(latency.took.map(Value::from));
        let places: Vec<_> = (first..=values.len()).map(|place| format!("${place}")).collect();
        let comma = if first == 1 { "" } else { ", " };
        // Writing to a text cannot fail.
        let _ = write!(sql, "{comma}({})", places.join(", "));
    }
    sql.push_str(
        " ON CONFLICT (day, organization, person, product, tool, revision, outcome) DO UPDATE SET ",
    );
    for (number, column) in ["calls"].into_iter().chain(TOOK.split(", ")).enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        let _ = write!(sql, "{comma}{column} = usage_by_person.{column} + excluded.{column}");
    }
    let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
    txn.execute_raw(statement).await?;
    Ok(())
}

/// The people among these who are still there, and the key of the organization they belong to.
pub async fn organizations_of(
    db: &impl Db,
    people: &[UserId],
) -> Result<HashMap<UserId, Option<String>>, StoreError> {
    let mut found = HashMap::new();
    for some in people.chunks(PEOPLE_ROWS) {
        let places: Vec<_> = (1..=some.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT u.id, o.key FROM users u {JOIN_MEMBERSHIP} WHERE u.id IN ({})",
            places.join(", ")
        );
        let values = some.iter().map(|person| Value::from(person.uuid()));
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        for row in db.query_all_raw(statement).await? {
            found.insert(UserId::from_uuid(row.try_get("", "id")?), row.try_get("", "key")?);
        }
    }
    Ok(found)
}

/// Reads the sum of calls that took so long, from the columns of [`TOOK`].
pub(super) fn latency_of(row: &sea_orm::QueryResult) -> Result<Latency, StoreError> {
    let mut latency = Latency { micros: row.try_get("", "micros")?, took: [0; BUCKETS] };
    for (bucket, count) in latency.took.iter_mut().enumerate() {
        *count = row.try_get("", &format!("took_{bucket}"))?;
    }
    Ok(latency)
}
