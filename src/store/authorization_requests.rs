//! Accepted authorization requests, waiting for a person's decision.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::clock::Timestamp;
use crate::domain::consent::Decision;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::scope::ScopeSet;
use crate::id::AuthorizationRequestId;
use crate::secret::SecretHash;
use crate::store::entity::authorization_requests::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, StoreError, Txn, stored_hash, stored_time};

/// A request as its row holds it.
#[derive(Clone, Debug)]
pub struct StoredRequest {
    /// Its row.
    pub id: AuthorizationRequestId,
    /// The browser it was made in.
    pub browser_hash: SecretHash,
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect: TrustedRedirect,
    /// The client's own value, sealed.
    pub client_state_sealed: Option<Vec<u8>>,
    /// What may be granted.
    pub scope: ScopeSet,
    /// What the verifier must fit.
    pub code_challenge: CodeChallenge,
    /// Dead from this moment on.
    pub expires_at: Timestamp,
    /// When the person decided.
    pub decided_at: Option<Timestamp>,
}

/// Inserts an accepted request.
pub async fn insert(txn: &Txn, request: &StoredRequest, now: Timestamp) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(request.id.uuid()),
        browser_hash: Set(request.browser_hash.as_bytes().to_vec()),
        client_id: Set(request.client_id.clone()),
        redirect_uri: Set(request.redirect.as_str().to_owned()),
        client_state_sealed: Set(request.client_state_sealed.clone()),
        scope: Set(request.scope.to_string()),
        code_challenge: Set(request.code_challenge.as_str().to_owned()),
        created_at: Set(now.millis()),
        expires_at: Set(request.expires_at.millis()),
        decided_at: Set(None),
        decision: Set(None),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Finds a request.
pub async fn find(
    db: &impl Db,
    id: AuthorizationRequestId,
) -> Result<Option<StoredRequest>, StoreError> {
    let row = Entity::find_by_id(id.uuid()).one(db).await?;
    row.map(request_of).transpose()
}

/// Writes the decision. Two submissions may both see the request open; only one decides.
pub async fn decide(
    txn: &Txn,
    id: AuthorizationRequestId,
    decision: Decision,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::DecidedAt, Expr::value(now.millis()))
        .col_expr(Column::Decision, Expr::value(decision.name()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::DecidedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.millis()))
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

fn request_of(row: Model) -> Result<StoredRequest, StoreError> {
    Ok(StoredRequest {
        id: AuthorizationRequestId::from_uuid(row.id),
        browser_hash: stored_hash(&row.browser_hash)?,
        client_id: row.client_id,
        redirect: TrustedRedirect::from_stored(row.redirect_uri),
        client_state_sealed: row.client_state_sealed,
        scope: ScopeSet::known_in(&row.scope),
        code_challenge: CodeChallenge::from_stored(row.code_challenge),
        expires_at: Timestamp::from_millis(row.expires_at),
        decided_at: stored_time(row.decided_at),
    })
}
