//! Browsers in which somebody administers. An ended session is deleted.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::clock::Timestamp;
use crate::id::{AdminSessionId, UserId};
use crate::secret::SecretHash;
use crate::store::entity::admin_sessions::{ActiveModel, Column, Entity};
use crate::store::{Consumed, Db, StoreError, Txn};

/// A session as its row holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminSession {
    /// Its row.
    pub id: AdminSessionId,
    /// Who is signed in.
    pub user_id: UserId,
    /// When it was used last, as far as that was noted.
    pub used_at: Timestamp,
    /// Over from this moment on, unless it is used.
    pub expires_at: Timestamp,
    /// Over from this moment on.
    pub ends_at: Timestamp,
}

/// Inserts a session that is found by this value.
pub async fn insert(
    txn: &Txn,
    session: AdminSession,
    value: SecretHash,
    now: Timestamp,
) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(session.id.uuid()),
        user_id: Set(session.user_id.uuid()),
        value_hash: Set(value.as_bytes().to_vec()),
        created_at: Set(now.millis()),
        used_at: Set(session.used_at.millis()),
        expires_at: Set(session.expires_at.millis()),
        ends_at: Set(session.ends_at.millis()),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Finds the session that a value names, over or not.
pub async fn find(db: &impl Db, value: SecretHash) -> Result<Option<AdminSession>, StoreError> {
    let by_value = Entity::find().filter(Column::ValueHash.eq(value.as_bytes().to_vec()));
    Ok(by_value.one(db).await?.map(|row| AdminSession {
        id: AdminSessionId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        used_at: Timestamp::from_millis(row.used_at),
        expires_at: Timestamp::from_millis(row.expires_at),
        ends_at: Timestamp::from_millis(row.ends_at),
    }))
}

/// Notes that a session is used. One that is over stays so.
pub async fn mark_used(
    txn: &Txn,
    id: AdminSessionId,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.millis()))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at.millis()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .filter(Column::ExpiresAt.lte(expires_at.millis()))
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Ends the session that a value names, if there is one.
pub async fn delete(txn: &Txn, value: SecretHash) -> Result<(), StoreError> {
    let by_value = Entity::delete_many().filter(Column::ValueHash.eq(value.as_bytes().to_vec()));
    by_value.exec(txn).await?;
    Ok(())
}
