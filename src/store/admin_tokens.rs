//! Tokens by which programs administer: hashes, never the tokens.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::clock::Timestamp;
use crate::domain::administrators::AdminScope;
use crate::id::AdminTokenId;
use crate::secret::SecretHash;
use crate::store::entity::admin_tokens::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, StoreError, Txn, stored_time};

/// A token as its row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminToken {
    /// Its row.
    pub id: AdminTokenId,
    /// What the log calls it.
    pub name: String,
    /// What it may do.
    pub scope: AdminScope,
    /// When it was made.
    pub created_at: Timestamp,
    /// Void from this moment on, when one is set.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Inserts a token, unless there is or was one of this name.
pub async fn insert(
    txn: &Txn,
    token: AdminToken,
    hash: SecretHash,
) -> Result<Consumed, StoreError> {
    let row = ActiveModel {
        id: Set(token.id.uuid()),
        name: Set(token.name),
        token_hash: Set(hash.as_bytes().to_vec()),
        scope: Set(token.scope.name().to_owned()),
        created_at: Set(token.created_at.millis()),
        expires_at: Set(token.expires_at.map(Timestamp::millis)),
        used_at: Set(None),
        revoked_at: Set(None),
    };
    let inserted = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::Name])
        .exec_without_returning(txn)
        .await?;
    Ok(Consumed::from_insert(&inserted))
}

/// Finds what a presented token names, void or not. By its hash, so that how long the look-up
/// takes tells nothing of the token.
pub async fn find(db: &impl Db, hash: SecretHash) -> Result<Option<AdminToken>, StoreError> {
    let by_hash = Entity::find().filter(Column::TokenHash.eq(hash.as_bytes().to_vec()));
    by_hash.one(db).await?.map(token_of).transpose()
}

/// All of them, by name.
pub async fn all(db: &impl Db) -> Result<Vec<AdminToken>, StoreError> {
    let rows = Entity::find().order_by_asc(Column::Name).all(db).await?;
    rows.into_iter().map(token_of).collect()
}

/// Revokes the token of this name. The first time stands.
pub async fn revoke(txn: &Txn, name: &str, now: Timestamp) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.millis()))
        .filter(Column::Name.eq(name))
        .filter(Column::RevokedAt.is_null())
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Notes that a token is used.
pub async fn mark_used(txn: &Txn, id: AdminTokenId, now: Timestamp) -> Result<(), StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(id.uuid()));
    update.exec(txn).await?;
    Ok(())
}

fn token_of(row: Model) -> Result<AdminToken, StoreError> {
    Ok(AdminToken {
        id: AdminTokenId::from_uuid(row.id),
        scope: AdminScope::parse(&row.scope).ok_or(StoreError::Corrupt("admin token"))?,
        name: row.name,
        created_at: Timestamp::from_millis(row.created_at),
        expires_at: stored_time(row.expires_at),
        used_at: stored_time(row.used_at),
        revoked_at: stored_time(row.revoked_at),
    })
}
