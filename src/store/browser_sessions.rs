//! Browser sessions: who is signed in with which browser. An ended one is deleted.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, Set};

use crate::clock::Timestamp;
use crate::domain::browser_session::{Presented, Standing};
use crate::id::{BrowserSessionId, UserId};
use crate::secret::SecretHash;
use crate::store::entity::browser_sessions::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, StoreError, Txn, stored_hash, stored_time};

/// A session as its row holds it.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// Its row.
    pub id: BrowserSessionId,
    /// Who is signed in.
    pub user_id: UserId,
    /// What is stored of the value that counts.
    pub value_hash: SecretHash,
    /// When it began: when the person signed in.
    pub began_at: Timestamp,
    /// How it stands, for the value it was found by.
    pub standing: Standing,
}

/// A session that is about to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// Its row.
    pub id: BrowserSessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// What is stored of its value.
    pub value_hash: SecretHash,
    /// Idle end.
    pub expires_at: Timestamp,
    /// Absolute end.
    pub ends_at: Timestamp,
}

/// Inserts a session.
pub async fn insert(txn: &Txn, session: NewSession, now: Timestamp) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(session.id.uuid()),
        user_id: Set(session.user_id.uuid()),
        value_hash: Set(session.value_hash.as_bytes().to_vec()),
        previous_hash: Set(None),
        created_at: Set(now.millis()),
        renewed_at: Set(now.millis()),
        confirmed_at: Set(None),
        expires_at: Set(session.expires_at.millis()),
        ends_at: Set(session.ends_at.millis()),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Finds the session that a presented value names, the one that counts or the one before it.
pub async fn find(db: &impl Db, value: SecretHash) -> Result<Option<StoredSession>, StoreError> {
    let row = Entity::find().filter(named_by(value)).one(db).await?;
    row.map(|row| session_of(row, value)).transpose()
}

/// Gives a session its next value. Requests that bring the same value at once derive the same next
/// one, and the guard lets one of them write it.
pub async fn renew(
    txn: &Txn,
    session: &StoredSession,
    value_hash: SecretHash,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let replaced = session.value_hash.as_bytes().to_vec();
    let update = Entity::update_many()
        .col_expr(Column::ValueHash, Expr::value(value_hash.as_bytes().to_vec()))
        .col_expr(Column::PreviousHash, Expr::value(replaced.clone()))
        .col_expr(Column::RenewedAt, Expr::value(now.millis()))
        .col_expr(Column::ConfirmedAt, Expr::value(Option::<i64>::None))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at.millis()))
        .filter(Column::Id.eq(session.id.uuid()))
        .filter(Column::ValueHash.eq(replaced))
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Notes that the browser has the value that counts.
pub async fn confirm(
    txn: &Txn,
    session: &StoredSession,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::ConfirmedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(session.id.uuid()))
        .filter(Column::ValueHash.eq(session.value_hash.as_bytes().to_vec()))
        .filter(Column::ConfirmedAt.is_null())
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Ends the session that a value names, if there is one.
pub async fn delete(txn: &Txn, value: SecretHash) -> Result<(), StoreError> {
    Entity::delete_many().filter(named_by(value)).exec(txn).await?;
    Ok(())
}

fn named_by(value: SecretHash) -> Condition {
    let bytes = value.as_bytes().to_vec();
    Condition::any().add(Column::ValueHash.eq(bytes.clone())).add(Column::PreviousHash.eq(bytes))
}

fn session_of(row: Model, presented: SecretHash) -> Result<StoredSession, StoreError> {
    let value_hash = stored_hash(&row.value_hash)?;
    let presented = if presented == value_hash { Presented::Current } else { Presented::Previous };
    Ok(StoredSession {
        id: BrowserSessionId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        value_hash,
        began_at: Timestamp::from_millis(row.created_at),
        standing: Standing {
            presented,
            has_previous: row.previous_hash.is_some(),
            renewed_at: Timestamp::from_millis(row.renewed_at),
            confirmed_at: stored_time(row.confirmed_at),
            expires_at: Timestamp::from_millis(row.expires_at),
            ends_at: Timestamp::from_millis(row.ends_at),
        },
    })
}
