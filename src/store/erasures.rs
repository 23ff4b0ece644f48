//! What only an erasure does: the person's row goes, and with it, by the database's own rules, all
//! that belongs to it. And who has not been here for long.

use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Statement, Value,
};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::{GrantId, UserId};
use crate::store::entity::{grants, users};
use crate::store::{Consumed, Db, StoreError, Txn};

/// The grants of a person, living or not.
pub async fn grants_of(txn: &Txn, user_id: UserId) -> Result<Vec<GrantId>, StoreError> {
    let ids: Vec<Uuid> = grants::Entity::find()
        .select_only()
        .column(grants::Column::Id)
        .filter(grants::Column::UserId.eq(user_id.uuid()))
        .into_tuple()
        .all(txn)
        .await?;
    Ok(ids.into_iter().map(GrantId::from_uuid).collect())
}

/// Deletes a person and all that belongs to them.
pub async fn delete_person(txn: &Txn, user_id: UserId) -> Result<Consumed, StoreError> {
    let deleted = users::Entity::delete_by_id(user_id.uuid()).exec(txn).await?;
    Ok(Consumed::from_rows(deleted.rows_affected))
}

/// Whether a person exists.
pub async fn exists(db: &impl Db, user_id: UserId) -> Result<bool, StoreError> {
    Ok(users::Entity::find_by_id(user_id.uuid()).one(db).await?.is_some())
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
}

/// Who has neither signed in, nor renewed a sign-in or a browser's session, since `since`; at most
/// `rows` of them, or whether `only` is one.
pub async fn inactive_since(
    db: &impl Db,
    since: Timestamp,
    only: Option<UserId>,
    rows: i64,
) -> Result<Vec<UserId>, StoreError> {
    let condition = if only.is_some() { "AND u.id = $3" } else { "" };
    let sql = format!(
        "SELECT u.id FROM users u
         WHERE u.last_login_at <= $1 {condition}
             AND NOT EXISTS (SELECT 1 FROM browser_sessions b
                 WHERE b.user_id = u.id AND b.renewed_at > $1)
             AND NOT EXISTS (SELECT 1 FROM grants g JOIN refresh_tokens t ON t.grant_id = g.id
                 WHERE g.user_id = u.id AND t.created_at > $1)
         ORDER BY u.last_login_at LIMIT $2"
    );
    let mut values: Vec<Value> = vec![since.millis().into(), rows.into()];
    values.extend(only.map(|id| id.uuid().into()));
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = IdRow::find_by_statement(statement).all(db).await?;
    Ok(rows.into_iter().map(|row| UserId::from_uuid(row.id)).collect())
}
