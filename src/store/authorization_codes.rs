//! Authorization codes, each exchanged once.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};

use crate::clock::Timestamp;
use crate::domain::authorization_code::AuthorizationCode;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::scope::ScopeSet;
use crate::id::{AuthorizationCodeId, AuthorizationRequestId, GrantId, UserId};
use crate::secret::SecretHash;
use crate::store::consents::Withdrawn;
use crate::store::entity::authorization_codes::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, StoreError, Txn, stored_time};

/// A code that is about to be handed out.
pub struct NewCode<'a> {
    /// Its row.
    pub id: AuthorizationCodeId,
    /// What is stored of it.
    pub code_hash: SecretHash,
    /// The request it answers; the table allows one code for each.
    pub authorization_request_id: AuthorizationRequestId,
    /// Whom it is made for.
    pub client_id: &'a str,
    /// Who signed in.
    pub user_id: UserId,
    /// Where it is sent.
    pub redirect: &'a TrustedRedirect,
    /// What the person agreed to.
    pub scope: ScopeSet,
    /// What the verifier must fit.
    pub code_challenge: &'a CodeChallenge,
    /// Dead from this moment on.
    pub expires_at: Timestamp,
}

/// Inserts a code.
pub async fn insert(txn: &Txn, code: NewCode<'_>, now: Timestamp) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(code.id.uuid()),
        code_hash: Set(code.code_hash.as_bytes().to_vec()),
        authorization_request_id: Set(code.authorization_request_id.uuid()),
        client_id: Set(code.client_id.to_owned()),
        user_id: Set(code.user_id.uuid()),
        redirect_uri: Set(code.redirect.as_str().to_owned()),
        scope: Set(code.scope.to_string()),
        code_challenge: Set(code.code_challenge.as_str().to_owned()),
        created_at: Set(now.millis()),
        expires_at: Set(code.expires_at.millis()),
        consumed_at: Set(None),
        grant_id: Set(None),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Whether a code was ever handed out and is not yet forgotten. It decides nothing else: what the
/// code is good for is decided under [`lock`].
pub async fn is_known(db: &impl Db, code_hash: SecretHash) -> Result<bool, StoreError> {
    let by_hash = Entity::find().filter(Column::CodeHash.eq(code_hash.as_bytes().to_vec()));
    Ok(by_hash.one(db).await?.is_some())
}

/// The request that a code answers.
pub async fn request_of(
    db: &impl Db,
    code_hash: SecretHash,
) -> Result<Option<AuthorizationRequestId>, StoreError> {
    let by_hash = Entity::find().filter(Column::CodeHash.eq(code_hash.as_bytes().to_vec()));
    let found = by_hash.one(db).await?;
    Ok(found.map(|row| AuthorizationRequestId::from_uuid(row.authorization_request_id)))
}

/// Finds a presented code and holds its row until the transaction ends.
pub async fn lock(
    txn: &Txn,
    code_hash: SecretHash,
) -> Result<Option<AuthorizationCode>, StoreError> {
    let row = Entity::find()
        .filter(Column::CodeHash.eq(code_hash.as_bytes().to_vec()))
        .lock_exclusive()
        .one(txn)
        .await?;
    Ok(row.map(code_of))
}

/// Consumes the code for `grant_id`. Two requests may both see it live; only one changes the row.
pub async fn consume(
    txn: &Txn,
    id: AuthorizationCodeId,
    grant_id: GrantId,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::ConsumedAt, Expr::value(now.millis()))
        .col_expr(Column::GrantId, Expr::value(grant_id.uuid()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::ConsumedAt.is_null())
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Takes back codes of a person that nobody has exchanged: they came of an approval that is being
/// withdrawn.
pub async fn delete_unused_of_person(
    txn: &Txn,
    user_id: UserId,
    withdrawn: Withdrawn<'_>,
) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id.uuid()))
        .filter(withdrawn.named_by(Column::ClientId))
        .filter(Column::ConsumedAt.is_null())
        .exec(txn)
        .await?;
    Ok(())
}

fn code_of(row: Model) -> AuthorizationCode {
    AuthorizationCode {
        id: AuthorizationCodeId::from_uuid(row.id),
        request_id: AuthorizationRequestId::from_uuid(row.authorization_request_id),
        client_id: row.client_id,
        user_id: UserId::from_uuid(row.user_id),
        redirect: TrustedRedirect::from_stored(row.redirect_uri),
        scope: ScopeSet::known_in(&row.scope),
        code_challenge: CodeChallenge::from_stored(row.code_challenge),
        expires_at: Timestamp::from_millis(row.expires_at),
        consumed_at: stored_time(row.consumed_at),
        grant_id: row.grant_id.map(GrantId::from_uuid),
    }
}
