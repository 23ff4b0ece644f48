//! What has to be handed on: queued with what it tells of, claimed by one replica at a time.
//!
//! A claim is a lease: it moves the row's next attempt forward and commits, so that no transaction
//! is open while a receiver is talked to. Whoever claimed it writes down what became of it; when
//! nobody does, because the process was killed, the row is due again at the end of the lease. Each
//! claim counts the row's attempts, and by that number a claim is known: who comes back late, after
//! another replica has claimed the row, does not disturb it.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait as _, QueryFilter, QueryOrder,
    QuerySelect, Set, Statement, Value,
};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::{OutboxId, UserId};
use crate::store::entity::outbox::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, Store, StoreError, Txn, stored_time};

/// Something to be handed on, as it is queued.
pub struct NewParcel<'a> {
    /// Its row.
    pub id: OutboxId,
    /// Who it goes to, by our name for them.
    pub destination: &'a str,
    /// What sort of thing it tells.
    pub kind: &'a str,
    /// What the receiver knows it by; queued twice for a destination, it is one.
    pub idempotency_key: Uuid,
    /// The person it is about; it goes with them.
    pub user_id: Option<UserId>,
    /// What it tells, sealed.
    pub payload_sealed: Vec<u8>,
}

/// What a replica may try to hand on until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedParcel {
    /// Its row.
    pub id: OutboxId,
    /// What sort of thing it tells.
    pub kind: String,
    /// What the receiver knows it by.
    pub idempotency_key: Uuid,
    /// The person it is about.
    pub user_id: Option<UserId>,
    /// What it tells, sealed.
    pub payload_sealed: Vec<u8>,
    /// Since when it is to be handed on.
    pub queued_at: Timestamp,
    /// The number of this attempt, from 1.
    pub attempt: i64,
    /// Until when nobody else tries.
    pub leased_until: Timestamp,
}

/// How far a row has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Attempts so far.
    pub attempts: i64,
    /// When it is tried next; none once it is delivered or given up.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When it was given up.
    pub failed_at: Option<Timestamp>,
    /// What kind of failure the last one was.
    pub last_failure: Option<String>,
}

/// Queues a parcel in the transaction that makes what it tells of. One that is queued for the same
/// destination already stays as it is.
pub async fn enqueue(
    txn: &Txn,
    parcel: NewParcel<'_>,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    enqueue_for(txn, parcel, now, now).await
}

/// The same, not to be tried before `due_at`.
pub async fn enqueue_for(
    txn: &Txn,
    parcel: NewParcel<'_>,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let row = ActiveModel {
        id: Set(parcel.id.uuid()),
        destination: Set(parcel.destination.to_owned()),
        kind: Set(parcel.kind.to_owned()),
        idempotency_key: Set(parcel.idempotency_key),
        user_id: Set(parcel.user_id.map(UserId::uuid)),
        payload_sealed: Set(Some(parcel.payload_sealed)),
        created_at: Set(now.millis()),
        queued_at: Set(now.millis()),
        attempts: Set(0),
        next_attempt_at: Set(Some(due_at.millis())),
        delivered_at: Set(None),
        failed_at: Set(None),
        last_failure: Set(None),
    };
    let inserted = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::Destination, Column::IdempotencyKey])
        .exec_without_returning(txn)
        .await?;
    Ok(Consumed::from_insert(&inserted))
}

/// Claims up to `rows` parcels that are due, the longest waiting first, until `leased_until`.
///
/// Rows that another replica is claiming just now are passed over (`FOR UPDATE SKIP LOCKED`):
/// waiting for one would end in claiming it as well. SQLite has one writer.
pub async fn claim(
    txn: &Txn,
    destination: &str,
    now: Timestamp,
    leased_until: Timestamp,
    rows: u32,
) -> Result<Vec<ClaimedParcel>, StoreError> {
    let backend = txn.get_database_backend();
    let lock = match backend {
        sea_orm::DbBackend::Postgres => "FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    // Materialized, so that the limit counts once however the join is planned.
    let sql = format!(
        "WITH due AS MATERIALIZED (
            SELECT id AS due_id FROM outbox
            WHERE destination = $1 AND next_attempt_at <= $2
            ORDER BY next_attempt_at LIMIT $3 {lock}
         )
         UPDATE outbox SET next_attempt_at = $4, attempts = attempts + 1
         FROM due WHERE id = due_id
         RETURNING {COLUMNS}"
    );
    let values: [Value; 4] = [
        destination.into(),
        now.millis().into(),
        i64::from(rows).into(),
        leased_until.millis().into(),
    ];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let mut claimed = Entity::find().from_raw_sql(statement).all(txn).await?;
    claimed.sort_unstable_by_key(|row| (row.queued_at, row.id));
    claimed.into_iter().map(claimed_parcel).collect()
}

const COLUMNS: &str = "id, destination, kind, idempotency_key, user_id, payload_sealed, \
     created_at, queued_at, attempts, next_attempt_at, delivered_at, failed_at, last_failure";

fn claimed_parcel(row: Model) -> Result<ClaimedParcel, StoreError> {
    // The database holds that a row which waits has both.
    let torn = StoreError::Corrupt("parcel");
    let (Some(payload_sealed), Some(until)) = (row.payload_sealed, row.next_attempt_at) else {
        return Err(torn);
    };
    Ok(ClaimedParcel {
        id: OutboxId::from_uuid(row.id),
        kind: row.kind,
        idempotency_key: row.idempotency_key,
        user_id: row.user_id.map(UserId::from_uuid),
        payload_sealed,
        queued_at: Timestamp::from_millis(row.queued_at),
        attempt: row.attempts,
        leased_until: Timestamp::from_millis(until),
    })
}

/// Writes down that a parcel was delivered, and forgets what it told. Whoever has claimed it since
/// does not matter: the receiver has it.
pub async fn delivered(txn: &Txn, id: OutboxId, now: Timestamp) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::DeliveredAt, Expr::value(now.millis()))
        .col_expr(Column::FailedAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::NextAttemptAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::PayloadSealed, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::DeliveredAt.is_null())
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Writes down that an attempt failed, and when the next one is. Only for the claim of this number.
pub async fn postponed(
    txn: &Txn,
    id: OutboxId,
    attempt: i64,
    last_failure: &str,
    next_attempt_at: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::NextAttemptAt, Expr::value(next_attempt_at.millis()))
        .col_expr(Column::LastFailure, Expr::value(last_failure))
        .filter(claim_stands(id, attempt))
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Writes down that an attempt failed and none follows. What was to be told is kept. Only for the
/// claim of this number.
pub async fn given_up(
    txn: &Txn,
    id: OutboxId,
    attempt: i64,
    last_failure: &str,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::FailedAt, Expr::value(now.millis()))
        .col_expr(Column::NextAttemptAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::LastFailure, Expr::value(last_failure))
        .filter(claim_stands(id, attempt))
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

fn claim_stands(id: OutboxId, attempt: i64) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(Column::Id.eq(id.uuid()))
        .add(Column::Attempts.eq(attempt))
        .add(Column::NextAttemptAt.is_not_null())
}

/// Queues anew what was given up, as if it had just come; how many those are.
pub async fn requeue_failed(
    txn: &Txn,
    destination: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::FailedAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::NextAttemptAt, Expr::value(now.millis()))
        .col_expr(Column::QueuedAt, Expr::value(now.millis()))
        .col_expr(Column::Attempts, Expr::value(0_i64))
        .filter(Column::Destination.eq(destination))
        .filter(Column::FailedAt.is_not_null())
        .exec(txn)
        .await?;
    Ok(update.rows_affected)
}

/// What is taken out of the outbox because of whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenParcel {
    /// Who it went to.
    pub destination: String,
    /// Whether an attempt was begun: the receiver may have it.
    pub was_tried: bool,
    /// When it was to be tried next, or until when an attempt may last.
    pub next_attempt_at: Option<Timestamp>,
    /// What it tells, sealed; gone when it was delivered.
    pub payload_sealed: Option<Vec<u8>>,
}

/// Takes out all that is about a person.
pub async fn take_of_person(txn: &Txn, user_id: UserId) -> Result<Vec<TakenParcel>, StoreError> {
    take(txn, "user_id = $1", vec![user_id.uuid().into()]).await
}

/// Takes out what waits for a destination about a person.
pub async fn take_waiting(
    txn: &Txn,
    user_id: UserId,
    destination: &str,
) -> Result<Vec<TakenParcel>, StoreError> {
    let condition = "user_id = $1 AND destination = $2 AND delivered_at IS NULL";
    take(txn, condition, vec![user_id.uuid().into(), destination.into()]).await
}

async fn take(
    txn: &Txn,
    condition: &str,
    values: Vec<Value>,
) -> Result<Vec<TakenParcel>, StoreError> {
    let sql = format!("DELETE FROM outbox WHERE {condition} RETURNING {COLUMNS}");
    let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
    let rows = Entity::find().from_raw_sql(statement).all(txn).await?;
    let taken = |row: Model| TakenParcel {
        destination: row.destination,
        was_tried: row.attempts > 0,
        next_attempt_at: stored_time(row.next_attempt_at),
        payload_sealed: row.payload_sealed,
    };
    Ok(rows.into_iter().map(taken).collect())
}

/// Drops what waits for a destination about people who object to it: it was queued in the moment
/// in which they did. `kept_kind` is what they are told of the objection itself.
pub async fn drop_opted_out(
    txn: &Txn,
    destination: &str,
    kept_kind: &str,
) -> Result<u64, StoreError> {
    let backend = txn.get_database_backend();
    let lock = match backend {
        sea_orm::DbBackend::Postgres => "FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    let sql = format!(
        "DELETE FROM outbox WHERE id IN (
            SELECT id FROM outbox
            WHERE destination = $1 AND next_attempt_at IS NOT NULL AND kind <> $2
                AND user_id IN (SELECT user_id FROM sink_opt_outs WHERE destination = $1)
            {lock}
         )"
    );
    let values: [Value; 2] = [destination.into(), kept_kind.into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    Ok(txn.execute_raw(statement).await?.rows_affected())
}

/// What is kept in the outbox about a person, the oldest first: for whom, what, and how far it has
/// come.
pub async fn of_person(
    db: &impl Db,
    user_id: UserId,
) -> Result<Vec<(String, String, Timestamp, Standing)>, StoreError> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user_id.uuid()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .all(db)
        .await?;
    let kept = |row: Model| {
        let queued_at = Timestamp::from_millis(row.queued_at);
        (row.destination.clone(), row.kind.clone(), queued_at, standing_of(row))
    };
    Ok(rows.into_iter().map(kept).collect())
}

/// How many parcels a destination does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// They are tried.
    pub waiting: u64,
    /// They were given up.
    pub failed: u64,
}

/// Counts what a destination does not have.
pub async fn count(db: &impl Db, destination: &str) -> Result<Undelivered, StoreError> {
    let of = || Entity::find().filter(Column::Destination.eq(destination));
    Ok(Undelivered {
        waiting: of().filter(Column::NextAttemptAt.is_not_null()).count(db).await?,
        failed: of().filter(Column::FailedAt.is_not_null()).count(db).await?,
    })
}

/// When the next parcel for a destination is due; none when none waits.
pub async fn next_due(store: &Store, destination: &str) -> Result<Option<Timestamp>, StoreError> {
    let due: Option<Option<i64>> = Entity::find()
        .select_only()
        .column(Column::NextAttemptAt)
        .filter(Column::Destination.eq(destination))
        .filter(Column::NextAttemptAt.is_not_null())
        .order_by_asc(Column::NextAttemptAt)
        .into_tuple()
        .one(store.read())
        .await?;
    Ok(stored_time(due.flatten()))
}

/// How far an event has come on its way to a destination; none when it was never queued.
pub async fn standing(
    db: &impl Db,
    destination: &str,
    idempotency_key: Uuid,
) -> Result<Option<Standing>, StoreError> {
    let row = Entity::find()
        .filter(Column::Destination.eq(destination))
        .filter(Column::IdempotencyKey.eq(idempotency_key))
        .one(db)
        .await?;
    Ok(row.map(standing_of))
}

fn standing_of(row: Model) -> Standing {
    Standing {
        attempts: row.attempts,
        next_attempt_at: stored_time(row.next_attempt_at),
        delivered_at: stored_time(row.delivered_at),
        failed_at: stored_time(row.failed_at),
        last_failure: row.last_failure,
    }
}
