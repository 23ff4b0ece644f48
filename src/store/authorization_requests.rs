//! Authorization requests that a person has decided, each once.

use sea_orm::{EntityTrait, Set};

use crate::clock::Timestamp;
use crate::domain::consent::Decision;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::scope::ScopeSet;
use crate::id::AuthorizationRequestId;
use crate::store::entity::authorization_requests::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, StoreError, Txn};

/// A request as its row holds it.
#[derive(Clone, Debug)]
pub struct StoredRequest {
    /// Its row.
    pub id: AuthorizationRequestId,
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
}

/// Writes the request with its decision. Two submissions of one form carry one identifier; the
/// primary key lets only one of them in.
pub async fn decide(
    txn: &Txn,
    request: &StoredRequest,
    decision: Decision,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let row = ActiveModel {
        id: Set(request.id.uuid()),
        client_id: Set(request.client_id.clone()),
        redirect_uri: Set(request.redirect.as_str().to_owned()),
        client_state_sealed: Set(request.client_state_sealed.clone()),
        scope: Set(request.scope.to_string()),
        code_challenge: Set(request.code_challenge.as_str().to_owned()),
        expires_at: Set(request.expires_at.millis()),
        decided_at: Set(now.millis()),
        decision: Set(decision.name().to_owned()),
    };
    let rows = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::Id])
        .exec_without_returning(txn)
        .await?;
    Ok(Consumed::from_insert(&rows))
}

/// Finds a decided request.
pub async fn find(
    db: &impl Db,
    id: AuthorizationRequestId,
) -> Result<Option<StoredRequest>, StoreError> {
    Ok(Entity::find_by_id(id.uuid()).one(db).await?.map(request_of))
}

fn request_of(row: Model) -> StoredRequest {
    StoredRequest {
        id: AuthorizationRequestId::from_uuid(row.id),
        client_id: row.client_id,
        redirect: TrustedRedirect::from_stored(row.redirect_uri),
        client_state_sealed: row.client_state_sealed,
        scope: ScopeSet::known_in(&row.scope),
        code_challenge: CodeChallenge::from_stored(row.code_challenge),
        expires_at: Timestamp::from_millis(row.expires_at),
    }
}
