//! Grants: alive until revoked or expired; head rows of the families below them.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, Set,
    Statement,
};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::organization::Attribution;
use crate::domain::scope::ScopeSet;
use crate::id::{AuthorizationCodeId, GrantId, UserId};
use crate::store::entity::grants::{ActiveModel, Column, Entity, Model};
use crate::store::people::{ATTRIBUTION, AttributionRow, JOIN_MEMBERSHIP};
use crate::store::{Consumed, Db, StoreError, Txn, stored_time};

/// A grant that is about to be made.
pub struct NewGrant<'a> {
    /// Its row.
    pub id: GrantId,
    /// The code it came from; the table allows one grant for each.
    pub authorization_code_id: AuthorizationCodeId,
    /// Who signed in.
    pub user_id: UserId,
    /// Whom it is for.
    pub client_id: &'a str,
    /// What the person agreed to.
    pub scope: ScopeSet,
    /// Absolute end, when one is set.
    pub expires_at: Option<Timestamp>,
}

/// Why a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationReason {
    /// Its code came back (OAuth 2.1 §4.1.3).
    CodeReplayed,
    /// A used refresh token came back (RFC 9700 §4.14.2).
    RefreshTokenReplayed,
    /// Another client presented its live refresh token.
    RefreshTokenLeaked,
    /// The client asked for it (RFC 7009).
    ByClient,
    /// The person asked for it, on their account page.
    ByPerson,
    /// Somebody who administers asked for it.
    ByAdmin,
}

impl RevocationReason {
    /// What the row and the log say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::RefreshTokenReplayed => "refresh_token_replayed",
            Self::RefreshTokenLeaked => "refresh_token_leaked",
            Self::ByClient => "by_client",
            Self::ByPerson => "by_person",
            Self::ByAdmin => "by_admin",
        }
    }
}

/// How a grant stands, and what is known of its person. Not `Debug`: a subject may hold an address.
#[derive(Clone)]
pub struct Standing {
    /// Who signed in.
    pub user_id: UserId,
    /// Whom it is for.
    pub client_id: String,
    /// Absolute end, when one is set.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The provider.
    pub upstream_issuer: String,
    /// The person at that provider.
    pub upstream_subject: String,
    /// The person's sealed profile.
    pub profile_sealed: Vec<u8>,
    /// The person and the organization they belong to.
    pub attribution: Attribution,
}

/// Inserts a grant.
pub async fn insert(txn: &Txn, grant: NewGrant<'_>, now: Timestamp) -> Result<(), StoreError> {
    ActiveModel {
        id: Set(grant.id.uuid()),
        authorization_code_id: Set(grant.authorization_code_id.uuid()),
        user_id: Set(grant.user_id.uuid()),
        client_id: Set(grant.client_id.to_owned()),
        scope: Set(grant.scope.to_string()),
        created_at: Set(now.millis()),
        expires_at: Set(grant.expires_at.map(Timestamp::millis)),
        revoked_at: Set(None),
        revoked_reason: Set(None),
    }
    .insert(txn)
    .await?;
    Ok(())
}

/// Ends a grant. The first reason stands.
pub async fn revoke(
    txn: &Txn,
    id: GrantId,
    reason: RevocationReason,
    now: Timestamp,
) -> Result<Consumed, StoreError> {
    let update = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.millis()))
        .col_expr(Column::RevokedReason, Expr::value(reason.name()))
        .filter(Column::Id.eq(id.uuid()))
        .filter(Column::RevokedAt.is_null())
        .exec(txn)
        .await?;
    Ok(Consumed::from_rows(update.rows_affected))
}

#[derive(FromQueryResult)]
struct StandingRow {
    user_id: Uuid,
    client_id: String,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    upstream_issuer: String,
    upstream_subject: String,
    profile_sealed: Vec<u8>,
    #[sea_orm(nested)]
    attribution: AttributionRow,
}

/// How a grant stands; `None` when it is gone.
pub async fn standing(db: &impl Db, id: GrantId) -> Result<Option<Standing>, StoreError> {
    let sql = format!(
        "SELECT g.user_id, g.client_id, g.expires_at, g.revoked_at, u.upstream_issuer,
             u.upstream_subject, u.profile_sealed, {ATTRIBUTION}
         FROM grants g JOIN users u ON u.id = g.user_id {JOIN_MEMBERSHIP} WHERE g.id = $1"
    );
    let values = [id.uuid().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = StandingRow::find_by_statement(statement).one(db).await?;
    let standing = |row: StandingRow| {
        Ok(Standing {
            user_id: UserId::from_uuid(row.user_id),
            client_id: row.client_id,
            expires_at: stored_time(row.expires_at),
            revoked_at: stored_time(row.revoked_at),
            upstream_issuer: row.upstream_issuer,
            upstream_subject: row.upstream_subject,
            profile_sealed: row.profile_sealed,
            attribution: row.attribution.read()?,
        })
    };
    row.map(standing).transpose()
}

/// A grant that a person may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivingGrant {
    /// Its row.
    pub id: GrantId,
    /// Whom it is for.
    pub client_id: String,
    /// What the person agreed to.
    pub scope: ScopeSet,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last given a refresh token, the first one included.
    pub last_used_at: Timestamp,
}

#[derive(FromQueryResult)]
struct LivingRow {
    id: Uuid,
    client_id: String,
    scope: String,
    created_at: i64,
    last_used_at: i64,
}

/// The grants of a person that still work, the newest first: those with a live refresh token, and
/// those whose last access token, made at `access_tokens_since` or later, may still be good.
pub async fn living_of(
    db: &impl Db,
    user_id: UserId,
    access_tokens_since: Timestamp,
    now: Timestamp,
) -> Result<Vec<LivingGrant>, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT id, client_id, scope, created_at, last_used_at FROM (
             SELECT g.id, g.client_id, g.scope, g.created_at,
                 COALESCE((SELECT MAX(t.created_at) FROM refresh_tokens t
                     WHERE t.grant_id = g.id), g.created_at) AS last_used_at,
                 EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = g.id
                     AND t.consumed_at IS NULL AND t.expires_at > $2) AS is_renewable
             FROM grants g
             WHERE g.user_id = $1 AND g.revoked_at IS NULL
                 AND (g.expires_at IS NULL OR g.expires_at > $2)
         ) AS living
         WHERE is_renewable OR last_used_at > $3
         ORDER BY created_at DESC, id DESC",
        [user_id.uuid().into(), now.millis().into(), access_tokens_since.millis().into()],
    );
    let rows = LivingRow::find_by_statement(statement).all(db).await?;
    let living = |row: LivingRow| LivingGrant {
        id: GrantId::from_uuid(row.id),
        client_id: row.client_id,
        scope: ScopeSet::known_in(&row.scope),
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: Timestamp::from_millis(row.last_used_at),
    };
    Ok(rows.into_iter().map(living).collect())
}

/// Which grants of a person are to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// This one.
    One(GrantId),
    /// All of them.
    All,
}

/// A grant that was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedGrant {
    /// Its row.
    pub id: GrantId,
    /// Whom it was for.
    pub client_id: String,
}

/// Ends grants of a person, and nobody else's; those that this call ended.
pub async fn revoke_of_person(
    txn: &Txn,
    user_id: UserId,
    ended: Ended,
    reason: RevocationReason,
    now: Timestamp,
) -> Result<Vec<EndedGrant>, StoreError> {
    let rows = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.millis()))
        .col_expr(Column::RevokedReason, Expr::value(reason.name()))
        .filter(Column::UserId.eq(user_id.uuid()))
        .filter(match ended {
            Ended::One(id) => Condition::all().add(Column::Id.eq(id.uuid())),
            Ended::All => Condition::all(),
        })
        .filter(Column::RevokedAt.is_null())
        .exec_with_returning(txn)
        .await?;
    let ended =
        |row: Model| EndedGrant { id: GrantId::from_uuid(row.id), client_id: row.client_id };
    Ok(rows.into_iter().map(ended).collect())
}
