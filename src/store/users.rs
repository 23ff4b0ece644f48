//! People: one row per upstream issuer and subject. What is known of them beside their own row is
//! read in `store::people`.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, Set};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::UserId;
use crate::store::entity::users::{ActiveModel, Column, Entity};
use crate::store::{Db, StoreError, Txn};

/// What a sign-in brings.
pub struct SignIn<'a> {
    /// The provider.
    pub upstream_issuer: &'a str,
    /// The person there.
    pub upstream_subject: &'a str,
    /// The sealed profile.
    pub profile_sealed: Vec<u8>,
    /// The domain of the address, in clear for reports.
    pub email_domain: Option<String>,
    /// What the person is found by who gives their address; under the secret that sealed the
    /// profile.
    pub email_hash: Option<[u8; 32]>,
}

/// Finds a person by what the provider calls them.
pub async fn find(db: &impl Db, sign_in: &SignIn<'_>) -> Result<Option<UserId>, StoreError> {
    let row = Entity::find()
        .filter(Column::UpstreamIssuer.eq(sign_in.upstream_issuer))
        .filter(Column::UpstreamSubject.eq(sign_in.upstream_subject))
        .one(db)
        .await?;
    Ok(row.map(|row| UserId::from_uuid(row.id)))
}

/// Inserts the person or brings the row up to date, and holds it; answers with the identifier that
/// stands.
pub async fn upsert(
    txn: &Txn,
    fresh_id: UserId,
    sign_in: &SignIn<'_>,
    now: Timestamp,
) -> Result<UserId, StoreError> {
    let row = ActiveModel {
        id: Set(fresh_id.uuid()),
        upstream_issuer: Set(sign_in.upstream_issuer.to_owned()),
        upstream_subject: Set(sign_in.upstream_subject.to_owned()),
        profile_sealed: Set(sign_in.profile_sealed.clone()),
        email_domain: Set(sign_in.email_domain.clone()),
        created_at: Set(now.millis()),
        last_login_at: Set(now.millis()),
        email_hash: Set(sign_in.email_hash.map(|hash| hash.to_vec())),
    };
    // The id is not among the updated columns: a returning person keeps theirs.
    let told = [Column::ProfileSealed, Column::EmailDomain, Column::EmailHash, Column::LastLoginAt];
    let stands = Entity::insert(row)
        .on_conflict(
            OnConflict::columns([Column::UpstreamIssuer, Column::UpstreamSubject])
                .update_columns(told)
                .to_owned(),
        )
        .exec_with_returning(txn)
        .await?;
    Ok(UserId::from_uuid(stands.id))
}

/// The profile that was sealed last, of whomever.
pub async fn newest_profile_sealed(db: &impl Db) -> Result<Option<Vec<u8>>, StoreError> {
    let row = Entity::find().order_by(Column::Id, Order::Desc).one(db).await?;
    Ok(row.map(|row| row.profile_sealed))
}

/// The sealed profile of a person.
pub async fn profile_sealed(db: &impl Db, id: UserId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = Entity::find().filter(Column::Id.eq::<Uuid>(id.uuid())).one(db).await?;
    Ok(row.map(|row| row.profile_sealed))
}
