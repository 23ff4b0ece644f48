//! Remembered approvals: who said yes to which client, redirect and scopes.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set};

use crate::clock::Timestamp;
use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::scope::ScopeSet;
use crate::id::{ConsentId, UserId};
use crate::store::entity::consents::{ActiveModel, Column, Entity};
use crate::store::{Db, StoreError, Txn};

/// What an approval is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Approved<'a> {
    /// Who agreed.
    pub user_id: UserId,
    /// To which client.
    pub client_id: &'a str,
    /// Sending its code where.
    pub redirect: &'a TrustedRedirect,
    /// With which scopes.
    pub scope: ScopeSet,
}

/// Whether exactly this was approved before.
pub async fn exists(db: &impl Db, approved: Approved<'_>) -> Result<bool, StoreError> {
    let row = Entity::find()
        .filter(Column::UserId.eq(approved.user_id.uuid()))
        .filter(Column::ClientId.eq(approved.client_id))
        .filter(Column::RedirectUri.eq(approved.redirect.as_str()))
        .filter(Column::Scope.eq(approved.scope.to_string()))
        .one(db)
        .await?;
    Ok(row.is_some())
}

/// Remembers an approval; a repeated one renews its time.
pub async fn remember(
    txn: &Txn,
    id: ConsentId,
    approved: Approved<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = ActiveModel {
        id: Set(id.uuid()),
        user_id: Set(approved.user_id.uuid()),
        client_id: Set(approved.client_id.to_owned()),
        redirect_uri: Set(approved.redirect.as_str().to_owned()),
        scope: Set(approved.scope.to_string()),
        granted_at: Set(now.millis()),
    };
    Entity::insert(row)
        .on_conflict(
            OnConflict::columns([
                Column::UserId,
                Column::ClientId,
                Column::RedirectUri,
                Column::Scope,
            ])
            .update_column(Column::GrantedAt)
            .to_owned(),
        )
        .exec_without_returning(txn)
        .await?;
    Ok(())
}

/// What a person takes back.
#[derive(Clone, Copy, Debug)]
pub enum Withdrawn<'a> {
    /// All they agreed to with one client.
    Client(&'a str),
    /// All they agreed to.
    Everything,
}

impl Withdrawn<'_> {
    /// The rows of it, by the column that names the client.
    pub fn named_by(self, client_id: impl ColumnTrait) -> Condition {
        match self {
            Self::Client(name) => Condition::all().add(client_id.eq(name)),
            Self::Everything => Condition::all(),
        }
    }
}

/// Forgets what a person agreed to (MCP Security Best Practices, Per-client consent storage).
pub async fn delete_of_person(
    txn: &Txn,
    user_id: UserId,
    withdrawn: Withdrawn<'_>,
) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id.uuid()))
        .filter(withdrawn.named_by(Column::ClientId))
        .exec(txn)
        .await?;
    Ok(())
}

/// Forgets all approvals of a client: what people agreed to is no longer what it is.
pub async fn delete_of_client(txn: &Txn, client_id: &str) -> Result<(), StoreError> {
    Entity::delete_many().filter(Column::ClientId.eq(client_id)).exec(txn).await?;
    Ok(())
}
