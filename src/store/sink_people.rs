//! What a sink has of a person: the name it knows them by and, sealed, the identifiers it was told.
//! And whom a person objects to.
//!
//! Who writes here holds the person first ([`hold`]), so that an erasure, which locks the person,
//! waits or is waited for before any other row is touched.

use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::UserId;
use crate::store::entity::{sink_opt_outs, sink_people, users};
use crate::store::{Consumed, Db, StoreError, Txn};

/// A person as their row holds them.
#[derive(Clone, Debug)]
pub struct HeldPerson {
    /// Our name for them.
    pub id: UserId,
    /// The provider.
    pub upstream_issuer: String,
    /// The person there.
    pub upstream_subject: String,
    /// The sealed profile.
    pub profile_sealed: Vec<u8>,
    /// When they signed in last.
    pub last_login_at: Timestamp,
}

/// Reads people and keeps them from being erased until the transaction ends. Who is gone is not in
/// the answer.
pub async fn hold(txn: &Txn, ids: &[UserId]) -> Result<Vec<HeldPerson>, StoreError> {
    find_people(txn, ids, LockType::KeyShare).await
}

/// Reads a person whom nobody else may write about until the transaction ends.
pub async fn lock(txn: &Txn, id: UserId) -> Result<Option<HeldPerson>, StoreError> {
    Ok(find_people(txn, &[id], LockType::Update).await?.pop())
}

async fn find_people(
    txn: &Txn,
    ids: &[UserId],
    lock: LockType,
) -> Result<Vec<HeldPerson>, StoreError> {
    // In the order of their names, so that two who hold several wait in one direction only.
    let rows = users::Entity::find()
        .filter(users::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
        .order_by_asc(users::Column::Id)
        .lock(lock)
        .all(txn)
        .await?;
    let held = |row: users::Model| HeldPerson {
        id: UserId::from_uuid(row.id),
        upstream_issuer: row.upstream_issuer,
        upstream_subject: row.upstream_subject,
        profile_sealed: row.profile_sealed,
        last_login_at: Timestamp::from_millis(row.last_login_at),
    };
    Ok(rows.into_iter().map(held).collect())
}

/// What a sink has of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkPerson {
    /// The sink.
    pub destination: String,
    /// The name it knows the person by.
    pub pseudonym: Uuid,
    /// The identifiers it was told, sealed; none when it was told nothing yet.
    pub told_sealed: Option<Vec<u8>>,
}

impl From<sink_people::Model> for SinkPerson {
    fn from(row: sink_people::Model) -> Self {
        Self {
            destination: row.destination,
            pseudonym: row.pseudonym,
            told_sealed: row.told_sealed,
        }
    }
}

/// The name by which a sink knows a person: the one that stands, else `fresh`.
pub async fn pseudonym(
    txn: &Txn,
    user_id: UserId,
    destination: &str,
    fresh: Uuid,
) -> Result<Uuid, StoreError> {
    let row = sink_people::ActiveModel {
        user_id: Set(user_id.uuid()),
        destination: Set(destination.to_owned()),
        pseudonym: Set(fresh),
        told_sealed: Set(None),
    };
    sink_people::Entity::insert(row)
        .on_conflict_do_nothing_on([sink_people::Column::UserId, sink_people::Column::Destination])
        .exec_without_returning(txn)
        .await?;
    let stands = find(user_id, destination).one(txn).await?;
    stands.map(|row| row.pseudonym).ok_or(StoreError::Corrupt("pseudonym"))
}

/// What a sink has of a person, locked to be changed.
pub async fn lock_told(
    txn: &Txn,
    user_id: UserId,
    destination: &str,
) -> Result<Option<SinkPerson>, StoreError> {
    let row = find(user_id, destination).lock_exclusive().one(txn).await?;
    Ok(row.map(SinkPerson::from))
}

/// Writes down the identifiers that a sink was told.
pub async fn put_told(
    txn: &Txn,
    user_id: UserId,
    destination: &str,
    told_sealed: Vec<u8>,
) -> Result<(), StoreError> {
    sink_people::Entity::update_many()
        .col_expr(sink_people::Column::ToldSealed, Expr::value(Some(told_sealed)))
        .filter(sink_people::Column::UserId.eq(user_id.uuid()))
        .filter(sink_people::Column::Destination.eq(destination))
        .exec(txn)
        .await?;
    Ok(())
}

fn find(user_id: UserId, destination: &str) -> sea_orm::Select<sink_people::Entity> {
    sink_people::Entity::find()
        .filter(sink_people::Column::UserId.eq(user_id.uuid()))
        .filter(sink_people::Column::Destination.eq(destination))
}

/// What every sink has of a person, in the order of their names.
pub async fn of_person(db: &impl Db, user_id: UserId) -> Result<Vec<SinkPerson>, StoreError> {
    let rows = sink_people::Entity::find()
        .filter(sink_people::Column::UserId.eq(user_id.uuid()))
        .order_by_asc(sink_people::Column::Destination)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(SinkPerson::from).collect())
}

/// Notes that a person objects to a sink.
pub async fn opt_out(
    txn: &Txn,
    user_id: UserId,
    destination: &str,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let row = sink_opt_outs::ActiveModel {
        user_id: Set(user_id.uuid()),
        destination: Set(destination.to_owned()),
        opted_out_at: Set(now.millis()),
    };
    let inserted = sink_opt_outs::Entity::insert(row)
        .on_conflict_do_nothing_on([
            sink_opt_outs::Column::UserId,
            sink_opt_outs::Column::Destination,
        ])
        .exec_without_returning(txn)
        .await?;
    Ok(Consumed::from_insert(&inserted))
}

/// Notes that a person does not object to a sink any more.
pub async fn opt_in(txn: &Txn, user_id: UserId, destination: &str) -> Result<Consumed, StoreError> {
    let deleted = sink_opt_outs::Entity::delete_many()
        .filter(sink_opt_outs::Column::UserId.eq(user_id.uuid()))
        .filter(sink_opt_outs::Column::Destination.eq(destination))
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(deleted.rows_affected))
}

/// Whom people object to, each with since when.
pub async fn opt_outs(
    db: &impl Db,
    ids: &[UserId],
) -> Result<Vec<(UserId, String, Timestamp)>, StoreError> {
    let rows = sink_opt_outs::Entity::find()
        .filter(sink_opt_outs::Column::UserId.is_in(ids.iter().map(|id| id.uuid())))
        .order_by_asc(sink_opt_outs::Column::Destination)
        .all(db)
        .await?;
    let opt_out = |row: sink_opt_outs::Model| {
        let since = Timestamp::from_millis(row.opted_out_at);
        (UserId::from_uuid(row.user_id), row.destination, since)
    };
    Ok(rows.into_iter().map(opt_out).collect())
}
