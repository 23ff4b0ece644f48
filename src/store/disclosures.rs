//! Who was told what of a person: names of fields, never their values.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

use crate::clock::Timestamp;
use crate::id::{DisclosureId, UserId};
use crate::store::entity::disclosures::{ActiveModel, Column, Entity};
use crate::store::{Consumed, Db, StoreError, Txn};

/// Something that somebody was told of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disclosure {
    /// Its row.
    pub id: DisclosureId,
    /// Whom it is about.
    pub user_id: UserId,
    /// Who was told: `sink:…`, `remote:…` or `feedback`.
    pub receiver: String,
    /// On what occasion, in one word.
    pub event: String,
    /// What tells it from others of this receiver: told once, written once.
    pub occasion: String,
    /// The names of what was told.
    pub fields: Vec<String>,
    /// Why, as the settings said then.
    pub purpose: String,
    /// When.
    pub disclosed_at: Timestamp,
}

/// Writes one down. One of the same occasion stays as it is.
pub async fn insert(txn: &Txn, disclosure: Disclosure) -> Result<Consumed, StoreError> {
    let row = ActiveModel {
        id: Set(disclosure.id.uuid()),
        user_id: Set(disclosure.user_id.uuid()),
        receiver: Set(disclosure.receiver),
        event: Set(disclosure.event),
        occasion: Set(disclosure.occasion),
        fields: Set(disclosure.fields.join(" ")),
        purpose: Set(disclosure.purpose),
        disclosed_at: Set(disclosure.disclosed_at.millis()),
    };
    let inserted = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::UserId, Column::Receiver, Column::Occasion])
        .exec_without_returning(txn)
        .await?;
    Ok(Consumed::from_insert(&inserted))
}

/// All that is known of a person, the newest first.
pub async fn of_person(db: &impl Db, user_id: UserId) -> Result<Vec<Disclosure>, StoreError> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user_id.uuid()))
        .order_by_desc(Column::DisclosedAt)
        .order_by_desc(Column::Id)
        .all(db)
        .await?;
    let disclosure = |row: crate::store::entity::disclosures::Model| Disclosure {
        id: DisclosureId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        receiver: row.receiver,
        event: row.event,
        occasion: row.occasion,
        fields: row.fields.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        purpose: row.purpose,
        disclosed_at: Timestamp::from_millis(row.disclosed_at),
    };
    Ok(rows.into_iter().map(disclosure).collect())
}
