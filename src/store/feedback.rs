//! What people say of the documentation, kept before anything else is done with it.

use sea_orm::sea_query::{Expr, ExprTrait as _, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};

use crate::clock::Timestamp;
use crate::id::{FeedbackId, UserId};
use crate::store::entity::feedback::{ActiveModel, Column, Entity};
use crate::store::entity::outbox;
use crate::store::{Db, StoreError, Txn};

/// A message as its row holds it.
#[derive(Clone, Debug)]
pub struct StoredMessage {
    /// Its row, and the receipt its sender gets.
    pub id: FeedbackId,
    /// Who sent it.
    pub user_id: UserId,
    /// With which client.
    pub client_id: String,
    /// One of the four categories.
    pub category: String,
    /// Which page it is about.
    pub page_url: Option<String>,
    /// Whether that page lies outside the documentation; empty when nothing says what lies inside.
    pub page_is_foreign: Option<bool>,
    /// Their words, sealed.
    pub text_sealed: Vec<u8>,
    /// When it came.
    pub created_at: Timestamp,
}

/// Inserts a message.
pub async fn insert(txn: &Txn, message: StoredMessage) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(message.id.uuid()),
        user_id: Set(message.user_id.uuid()),
        client_id: Set(message.client_id),
        category: Set(message.category),
        page_url: Set(message.page_url),
        text_sealed: Set(message.text_sealed),
        created_at: Set(message.created_at.millis()),
        page_is_foreign: Set(message.page_is_foreign),
        delivered_at: Set(None),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Whether this person sent this message.
pub async fn is_from(db: &impl Db, id: FeedbackId, user_id: UserId) -> Result<bool, StoreError> {
    let row = Entity::find()
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::UserId.eq(user_id.uuid()))
        .one(db)
        .await?;
    Ok(row.is_some())
}

/// Whether a message was delivered so long ago that the outbox has forgotten it.
pub async fn was_delivered(db: &impl Db, id: FeedbackId) -> Result<bool, StoreError> {
    let row = Entity::find_by_id(id.uuid()).one(db).await?;
    Ok(row.is_some_and(|row| row.delivered_at.is_some()))
}

/// Which messages to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Those that were never queued for the destination.
    NeverQueued,
    /// Those that the destination does not have, queued or not.
    Undelivered,
}

/// Messages in the order they came, after a given one, at most `rows`.
pub async fn list(
    db: &impl Db,
    listed: Listed,
    destination: &str,
    after: Option<FeedbackId>,
    rows: u64,
) -> Result<Vec<StoredMessage>, StoreError> {
    let mut settled = Query::select();
    settled
        .expr(Expr::val(1))
        .from(outbox::Entity)
        .and_where(outbox::Column::Destination.eq(destination))
        .and_where(
            Expr::col((outbox::Entity, outbox::Column::IdempotencyKey))
                .equals((Entity, Column::Id)),
        );
    if listed == Listed::Undelivered {
        settled.and_where(outbox::Column::DeliveredAt.is_not_null());
    }
    // What was delivered so long ago that the outbox has forgotten it says so itself.
    let mut found =
        Entity::find().filter(Expr::exists(settled).not()).filter(Column::DeliveredAt.is_null());
    if let Some(after) = after {
        found = found.filter(Column::Id.gt(after.uuid()));
    }
    let rows = found.order_by_asc(Column::Id).limit(rows).all(db).await?;
    Ok(rows
        .into_iter()
        .map(|row| StoredMessage {
            id: FeedbackId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            client_id: row.client_id,
            category: row.category,
            page_url: row.page_url,
            page_is_foreign: row.page_is_foreign,
            text_sealed: row.text_sealed,
            created_at: Timestamp::from_millis(row.created_at),
        })
        .collect())
}
