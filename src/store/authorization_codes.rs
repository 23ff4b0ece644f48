//! Authorization codes, each exchanged once.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect, Set, Statement,
};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::authorization_code::AuthorizationCode;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::scope::{Scope, ScopeSet};
use crate::id::{AuditId, AuthorizationCodeId, AuthorizationRequestId, GrantId, UserId};
use crate::secret::SecretHash;
use crate::store::consents::Withdrawn;
use crate::store::entity::authorization_codes::{ActiveModel, Column, Entity, Model};
use crate::store::refresh_tokens::NewGeneration;
use crate::store::{Consumed, Db, Store, StoreError, Txn, stored_time, undisturbed};

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

/// An undisturbed exchange asked of Postgres in one statement. A presented resource is judged by
/// the caller before.
pub struct UndisturbedExchange<'a> {
    /// What the client presented.
    pub presented: SecretHash,
    /// Who presented it.
    pub client_id: &'a str,
    /// The one challenge that the presented verifier meets.
    pub code_challenge: &'a CodeChallenge,
    /// Where it says that the code was sent, if it says so.
    pub redirect_uri: Option<&'a str>,
    /// The grant to be made, and its absolute end, when one is set.
    pub grant: (GrantId, Option<Timestamp>),
    /// Its first refresh token,
    pub generation: NewGeneration,
    /// which a client that does not list the grant type gets with `offline_access` alone.
    pub lists_refresh: bool,
    /// The row of the audit log.
    pub audit_id: AuditId,
}

/// What was granted for a code.
#[derive(Clone, Debug)]
pub struct ExchangedCode {
    /// The request that the code answered.
    pub request_id: AuthorizationRequestId,
    /// Who signed in.
    pub user_id: UserId,
    /// What the person agreed to.
    pub scope: ScopeSet,
    /// The person's sealed profile.
    pub profile_sealed: Vec<u8>,
}

#[derive(FromQueryResult)]
struct ExchangedRow {
    authorization_request_id: Uuid,
    user_id: Uuid,
    scope: String,
    profile_sealed: Vec<u8>,
}

/// Consumes the code, makes the grant and its first refresh token and tells the audit log of it, in
/// one statement and one round trip. `None` when anything stands in the way (nothing has changed
/// then), or on SQLite, which has no data-modifying `WITH`; the caller then walks the long way.
pub async fn exchange_undisturbed(
    store: &Store,
    exchange: &UndisturbedExchange<'_>,
    now: Timestamp,
) -> Result<Option<ExchangedCode>, StoreError> {
    if !store.is_postgres() {
        return Ok(None);
    }
    // Both of two runs wait for the code, and only one makes the grant, which tells of it.
    let (statement, made) = (exchange_statement(exchange, now), find_exchanged(exchange.grant.0));
    let row: Option<ExchangedRow> = undisturbed::run(store, statement, made).await?;
    Ok(row.map(|row| ExchangedCode {
        request_id: AuthorizationRequestId::from_uuid(row.authorization_request_id),
        user_id: UserId::from_uuid(row.user_id),
        scope: ScopeSet::known_in(&row.scope),
        profile_sealed: row.profile_sealed,
    }))
}

fn exchange_statement(exchange: &UndisturbedExchange<'_>, now: Timestamp) -> Statement {
    // A waiter on the code checks the guard of the UPDATE against the newest row (READ COMMITTED),
    // so of n racers one gets a row and the others none. The end of a request's identifier is what
    // people call it by (`domain::audit::reference_of`).
    Statement::from_sql_and_values(
        DbBackend::Postgres,
        "WITH code AS (
            UPDATE authorization_codes SET consumed_at = $4, grant_id = $5
            WHERE code_hash = $1 AND client_id = $2 AND code_challenge = $3
              AND ($6::text IS NULL OR redirect_uri = $6)
              AND consumed_at IS NULL AND expires_at > $4
            RETURNING id, authorization_request_id, user_id, scope
        ), granted AS (
            INSERT INTO grants
                (id, authorization_code_id, user_id, client_id, scope, created_at, expires_at)
            SELECT $5, id, user_id, $2, scope, $4, $7 FROM code
        ), generated AS (
            INSERT INTO refresh_tokens
                (id, grant_id, generation, token_hash, created_at, expires_at)
            SELECT $8, $5, 0, $9, $4, $10 FROM code
            WHERE $11 OR $12 = ANY (string_to_array(scope, ' '))
        ), audited AS (
            INSERT INTO audit
                (id, happened_at, kind, actor, user_id, client_id, grant_id, reference)
            SELECT $13, $4, $14, $15, user_id, $2, $5, right(authorization_request_id::text, 8)
            FROM code
        )
        SELECT code.authorization_request_id, code.user_id, code.scope, u.profile_sealed
        FROM code JOIN users u ON u.id = code.user_id",
        [
            exchange.presented.as_bytes().to_vec().into(),
            exchange.client_id.into(),
            exchange.code_challenge.as_str().into(),
            now.millis().into(),
            exchange.grant.0.uuid().into(),
            exchange.redirect_uri.map(str::to_owned).into(),
            exchange.grant.1.map(Timestamp::millis).into(),
            exchange.generation.id.uuid().into(),
            exchange.generation.token_hash.as_bytes().to_vec().into(),
            exchange.generation.expires_at.millis().into(),
            exchange.lists_refresh.into(),
            Scope::OfflineAccess.name().into(),
            exchange.audit_id.uuid().into(),
            AuditKind::TokenIssued.name().into(),
            Actor::Client.name().into(),
        ],
    )
}

/// The exchange that made this grant.
fn find_exchanged(grant_id: GrantId) -> Statement {
    Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT code.authorization_request_id, code.user_id, code.scope, u.profile_sealed
         FROM grants g
         JOIN authorization_codes code ON code.id = g.authorization_code_id
         JOIN users u ON u.id = g.user_id
         WHERE g.id = $1",
        [grant_id.uuid().into()],
    )
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
