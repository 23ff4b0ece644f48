//! Families of refresh tokens: one row per generation, one of them live.
//!
//! The table carries the promise by two constraints: `(grant_id, generation)` is unique, so a token
//! has at most one successor; a partial unique index allows one unconsumed row per grant, so a
//! family has one live head.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    QuerySelect, Set, Statement,
};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::refresh_token::{Family, Generation};
use crate::domain::scope::ScopeSet;
use crate::id::{AuditId, GrantId, RefreshTokenId, UserId};
use crate::secret::SecretHash;
use crate::store::entity::grants;
use crate::store::entity::refresh_tokens::{ActiveModel, Column, Entity, Model};
use crate::store::{Consumed, Db, Store, StoreError, Txn, stored_hash, stored_time, undisturbed};

/// A generation that is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewGeneration {
    /// Its row.
    pub id: RefreshTokenId,
    /// What is stored of it.
    pub token_hash: SecretHash,
    /// Dead from this moment on, unless used before.
    pub expires_at: Timestamp,
}

/// Inserts generation `generation` of a family.
pub async fn insert(
    txn: &Txn,
    grant_id: GrantId,
    generation: i32,
    fresh: NewGeneration,
    now: Timestamp,
) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(fresh.id.uuid()),
        grant_id: Set(grant_id.uuid()),
        generation: Set(generation),
        token_hash: Set(fresh.token_hash.as_bytes().to_vec()),
        created_at: Set(now.millis()),
        expires_at: Set(fresh.expires_at.millis()),
        consumed_at: Set(None),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Finds the family of a presented token and holds its grant until the transaction ends.
pub async fn lock_family(txn: &Txn, token_hash: SecretHash) -> Result<Option<Family>, StoreError> {
    let Some(found) = find(txn, token_hash).await? else { return Ok(None) };
    let Some(grant) = grants::Entity::find_by_id(found.grant_id).lock_exclusive().one(txn).await?
    else {
        return Ok(None);
    };
    // Read again under the lock: what was read before it may be what a racing rotation changed.
    let Some(presented) = find(txn, token_hash).await? else { return Ok(None) };
    let successor = Entity::find()
        .filter(Column::GrantId.eq(grant.id))
        .filter(Column::Generation.eq(presented.generation + 1))
        .one(txn)
        .await?;
    Ok(Some(Family {
        grant_id: GrantId::from_uuid(grant.id),
        user_id: UserId::from_uuid(grant.user_id),
        client_id: grant.client_id,
        scope: ScopeSet::known_in(&grant.scope),
        grant_expires_at: stored_time(grant.expires_at),
        revoked_at: stored_time(grant.revoked_at),
        presented: generation_of(presented)?,
        successor: successor.map(generation_of).transpose()?,
    }))
}

/// Consumes a generation. Two requests may both see it live; only one changes the row.
pub async fn consume(
    txn: &Txn,
    id: RefreshTokenId,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::ConsumedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::ConsumedAt.is_null())
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

/// Which grant a token belongs to, whether live or not.
pub async fn owner(db: &impl Db, token_hash: SecretHash) -> Result<Option<GrantId>, StoreError> {
    Ok(find(db, token_hash).await?.map(|row| GrantId::from_uuid(row.grant_id)))
}

/// An undisturbed rotation asked of Postgres in one statement.
pub struct UndisturbedRotation<'a> {
    /// What the client presented.
    pub presented: SecretHash,
    /// Who presented it.
    pub client_id: &'a str,
    /// What of the granted scope it asks for; empty for all.
    pub requested_scope: ScopeSet,
    /// What follows.
    pub successor: NewGeneration,
    /// The row of the audit log.
    pub audit_id: AuditId,
}

/// What a rotation in one statement answers with.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The head row.
    pub grant_id: GrantId,
    /// Whose it is.
    pub user_id: UserId,
    /// What the person agreed to.
    pub scope: ScopeSet,
    /// The person's sealed profile.
    pub profile_sealed: Vec<u8>,
    /// Absolute end of the grant, when one is set.
    pub grant_expires_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct RotatedRow {
    expires_at: Option<i64>,
    id: Uuid,
    user_id: Uuid,
    scope: String,
    profile_sealed: Vec<u8>,
}

/// Locks the grant, consumes the presented generation, inserts its successor and tells the audit
/// log of it, in one statement and one round trip. `None` when anything stands in the way (nothing
/// has changed then), or on SQLite, which has no data-modifying `WITH`; the caller then walks the
/// long way.
pub async fn rotate_undisturbed(
    store: &Store,
    rotation: &UndisturbedRotation<'_>,
    now: Timestamp,
) -> Result<Option<Rotated>, StoreError> {
    if !store.is_postgres() {
        return Ok(None);
    }
    // Both of two runs wait for the grant, and only one inserts the successor, which tells of it.
    let (statement, made) =
        (rotation_statement(rotation, now), find_rotated(rotation.successor.id));
    let row: Option<RotatedRow> = undisturbed::run(store, statement, made).await?;
    Ok(row.map(|row| Rotated {
        grant_id: GrantId::from_uuid(row.id),
        user_id: UserId::from_uuid(row.user_id),
        scope: ScopeSet::known_in(&row.scope),
        profile_sealed: row.profile_sealed,
        grant_expires_at: stored_time(row.expires_at),
    }))
}

fn rotation_statement(rotation: &UndisturbedRotation<'_>, now: Timestamp) -> Statement {
    // A waiter on the grant re-reads the token through the UPDATE, which checks its guard against
    // the newest row (READ COMMITTED), so of n racers one gets a row and the others none.
    Statement::from_sql_and_values(
        DbBackend::Postgres,
        "WITH head AS (
            SELECT g.id, g.user_id, g.scope, g.expires_at, u.profile_sealed
            FROM refresh_tokens t
            JOIN grants g ON g.id = t.grant_id
            JOIN users u ON u.id = g.user_id
            WHERE t.token_hash = $1 AND g.client_id = $2 AND g.revoked_at IS NULL
              AND (g.expires_at IS NULL OR g.expires_at > $3)
              AND string_to_array(g.scope, ' ') @> string_to_array($7, ' ')
            FOR UPDATE OF g
        ), consumed AS (
            UPDATE refresh_tokens t SET consumed_at = $3 FROM head
            WHERE t.token_hash = $1 AND t.grant_id = head.id
              AND t.consumed_at IS NULL AND t.expires_at > $3
            RETURNING t.grant_id, t.generation
        ), inserted AS (
            INSERT INTO refresh_tokens
                (id, grant_id, generation, token_hash, created_at, expires_at)
            SELECT $4, grant_id, generation + 1, $5, $3, $6 FROM consumed
            RETURNING grant_id
        ), audited AS (
            INSERT INTO audit (id, happened_at, kind, actor, user_id, client_id, grant_id)
            SELECT $8, $3, $9, $10, head.user_id, $2, head.id
            FROM head JOIN inserted ON inserted.grant_id = head.id
        )
        SELECT head.* FROM head JOIN inserted ON inserted.grant_id = head.id",
        [
            rotation.presented.as_bytes().to_vec().into(),
            rotation.client_id.into(),
            now.millis().into(),
            rotation.successor.id.uuid().into(),
            rotation.successor.token_hash.as_bytes().to_vec().into(),
            rotation.successor.expires_at.millis().into(),
            rotation.requested_scope.to_string().into(),
            rotation.audit_id.uuid().into(),
            AuditKind::TokenRefreshed.name().into(),
            Actor::Client.name().into(),
        ],
    )
}

/// The rotation that inserted this successor.
fn find_rotated(successor: RefreshTokenId) -> Statement {
    Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT g.id, g.user_id, g.scope, g.expires_at, u.profile_sealed
         FROM refresh_tokens t
         JOIN grants g ON g.id = t.grant_id
         JOIN users u ON u.id = g.user_id
         WHERE t.id = $1",
        [successor.uuid().into()],
    )
}

async fn find(db: &impl Db, token_hash: SecretHash) -> Result<Option<Model>, StoreError> {
    Ok(Entity::find().filter(Column::TokenHash.eq(token_hash.as_bytes().to_vec())).one(db).await?)
}

fn generation_of(row: Model) -> Result<Generation, StoreError> {
    Ok(Generation {
        id: RefreshTokenId::from_uuid(row.id),
        generation: row.generation,
        token_hash: stored_hash(&row.token_hash)?,
        expires_at: Timestamp::from_millis(row.expires_at),
        consumed_at: stored_time(row.consumed_at),
    })
}
