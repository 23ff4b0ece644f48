//! Our legs to the identity provider, each claimed once by its `state`.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set,
};

use crate::clock::Timestamp;
use crate::id::{AuthorizationRequestId, UpstreamLoginId, UserId};
use crate::secret::SecretHash;
use crate::store::consents::Withdrawn;
use crate::store::entity::authorization_requests;
use crate::store::entity::upstream_logins::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, StoreError, Txn, stored_hash, stored_time};

/// A login as its row holds it.
#[derive(Clone, Debug)]
pub struct StoredLogin {
    /// Its row.
    pub id: UpstreamLoginId,
    /// What it answers.
    pub authorization_request_id: AuthorizationRequestId,
    /// What is stored of our `state`.
    pub state_hash: SecretHash,
    /// Nonce and verifier, sealed.
    pub upstream_sealed: Vec<u8>,
    /// Whose earlier approval stood in for the page, if one did.
    pub remembered_user_id: Option<UserId>,
    /// Dead from this moment on.
    pub expires_at: Timestamp,
    /// When the browser came back with it.
    pub consumed_at: Option<Timestamp>,
}

/// Inserts a login, right before the browser is sent away.
pub async fn insert(txn: &Txn, login: &StoredLogin, now: Timestamp) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(login.id.uuid()),
        authorization_request_id: Set(login.authorization_request_id.uuid()),
        state_hash: Set(login.state_hash.as_bytes().to_vec()),
        upstream_sealed: Set(login.upstream_sealed.clone()),
        remembered_user_id: Set(login.remembered_user_id.map(UserId::uuid)),
        created_at: Set(now.millis()),
        expires_at: Set(login.expires_at.millis()),
        consumed_at: Set(None),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Finds the login that a presented `state` names.
pub async fn find(db: &impl Db, state_hash: SecretHash) -> Result<Option<StoredLogin>, StoreError> {
    let row =
        Entity::find().filter(Column::StateHash.eq(state_hash.as_bytes().to_vec())).one(db).await?;
    row.map(login_of).transpose()
}

/// Claims the login: the provider's code is single-use, so only one callback may redeem it.
pub async fn claim(txn: &Txn, id: UpstreamLoginId, now: Timestamp) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::ConsumedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::ConsumedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Takes back logins under way that an earlier approval of this person began: it is being
/// withdrawn, and they would renew it.
pub async fn delete_remembered(
    txn: &Txn,
    user_id: UserId,
    withdrawn: Withdrawn<'_>,
) -> Result<(), StoreError> {
    let requests = authorization_requests::Entity::find()
        .select_only()
        .column(authorization_requests::Column::Id)
        .filter(withdrawn.named_by(authorization_requests::Column::ClientId))
        .into_query();
    Entity::delete_many()
        .filter(Column::RememberedUserId.eq(user_id.uuid()))
        .filter(Column::AuthorizationRequestId.in_subquery(requests))
        .filter(Column::ConsumedAt.is_null())
        .exec(txn)
        .await?;
    Ok(())
}

fn login_of(row: Model) -> Result<StoredLogin, StoreError> {
    Ok(StoredLogin {
        id: UpstreamLoginId::from_uuid(row.id),
        authorization_request_id: AuthorizationRequestId::from_uuid(row.authorization_request_id),
        state_hash: stored_hash(&row.state_hash)?,
        upstream_sealed: row.upstream_sealed,
        remembered_user_id: row.remembered_user_id.map(UserId::from_uuid),
        expires_at: Timestamp::from_millis(row.expires_at),
        consumed_at: stored_time(row.consumed_at),
    })
}
