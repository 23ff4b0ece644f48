//! Organizations, and who belongs to which: one open membership per person, the ended ones kept.
//!
//! Who changes a person's membership holds the person's row, so that two sign-ins of one person
//! take turns. Two people who bring the same new organization at once meet at its unique key: one
//! inserts it, the other waits and finds it.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, Set,
};

use crate::clock::Timestamp;
use crate::domain::organization::{Lack, Organization};
use crate::id::{MembershipId, OrganizationId, UserId};
use crate::store::entity::{memberships, organizations};
use crate::store::{Consumed, StoreError, Txn};

/// What new rows are called, should there be any.
#[derive(Clone, Copy, Debug)]
pub struct FreshIds {
    /// A new organization.
    pub organization: OrganizationId,
    /// A new membership.
    pub membership: MembershipId,
}

/// What became of a person's membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Everything was as it is; nothing was written.
    Unchanged,
    /// The person is where they were, and that is known by something else, or more or less surely.
    Reassessed,
    /// A membership began, and the one before it, if any, ended.
    Moved,
}

/// Brings the membership of a person up to date with what is known of them now. The person's row
/// is held by this transaction.
pub async fn settle(
    txn: &Txn,
    user_id: UserId,
    resolved: &Result<Organization, Lack>,
    fresh: FreshIds,
    now: Timestamp,
) -> Result<Settled, StoreError> {
    use memberships::{Column, Entity};

    let (organization_id, source, confidence) = match resolved {
        Ok(organization) => {
            let id = ensure(txn, organization, fresh.organization, now).await?;
            let confidence = Some(organization.confidence.name().to_owned());
            (Some(id.uuid()), organization.source.name(), confidence)
        }
        Err(lack) => (None, lack.name(), None),
    };
    let open = Entity::find()
        .filter(Column::UserId.eq(user_id.uuid()))
        .filter(Column::EndedAt.is_null())
        .one(txn)
        .await?;
    let mut began_at = now.millis();
    if let Some(open) = open {
        if open.organization_id == organization_id {
            if open.source == source && open.confidence == confidence {
                return Ok(Settled::Unchanged);
            }
            Entity::update_many()
                .col_expr(Column::Source, Expr::value(source))
                .col_expr(Column::Confidence, Expr::value(confidence))
                .filter(Column::Id.eq(open.id))
                .exec(txn)
                .await?;
            return Ok(Settled::Reassessed);
        }
        // Replicas' clocks differ a little, and no membership ends before it began.
        began_at = Ord::max(began_at, open.began_at);
        let ended = Entity::update_many()
            .col_expr(Column::EndedAt, Expr::value(began_at))
            .filter(Column::Id.eq(open.id))
            .filter(Column::EndedAt.is_null())
            .exec(txn)
            .await?;
        assert_eq!(
            Consumed::from_rows(ended.rows_affected),
            Consumed::ByUs,
            "whoever ends a membership holds its person"
        );
    }
    memberships::ActiveModel {
        id: Set(fresh.membership.uuid()),
        user_id: Set(user_id.uuid()),
        organization_id: Set(organization_id),
        source: Set(source.to_owned()),
        confidence: Set(confidence),
        began_at: Set(began_at),
        ended_at: Set(None),
    }
    .insert(txn)
    .await?;
    Ok(Settled::Moved)
}

/// The row of an organization; made when there is none, and renamed when it is told another name.
/// One that is as it was is not touched, so that colleagues who sign in at once do not wait.
async fn ensure(
    txn: &Txn,
    organization: &Organization,
    fresh_id: OrganizationId,
    now: Timestamp,
) -> Result<OrganizationId, StoreError> {
    use organizations::{Column, Entity};

    let find = || Entity::find().filter(Column::Key.eq(organization.key.as_str())).one(txn);
    if let Some(row) = find().await? {
        if organization.is_named && row.name != organization.name {
            Entity::update_many()
                .col_expr(Column::Name, Expr::value(organization.name.as_str()))
                .filter(Column::Id.eq(row.id))
                .exec(txn)
                .await?;
        }
        return Ok(OrganizationId::from_uuid(row.id));
    }
    let row = organizations::ActiveModel {
        id: Set(fresh_id.uuid()),
        key: Set(organization.key.clone()),
        name: Set(organization.name.clone()),
        domain: Set(organization.domain.clone()),
        created_at: Set(now.millis()),
    };
    Entity::insert(row)
        .on_conflict_do_nothing_on([Column::Key])
        .exec_without_returning(txn)
        .await?;
    // Ours, or that of whoever was faster.
    let row = find().await?.ok_or(StoreError::Corrupt("organization"))?;
    Ok(OrganizationId::from_uuid(row.id))
}

/// Finds organizations by what an operator calls them: the identifier, the key, the domain, or the
/// name, whatever its case.
pub async fn find_organizations(
    db: &impl crate::store::Db,
    called: &str,
) -> Result<Vec<OrganizationId>, StoreError> {
    use organizations::{Column, Entity};

    let mut is_called = Column::Key
        .eq(called)
        .or(Column::Domain.eq(called.to_lowercase()))
        .or(Expr::expr(sea_orm::sea_query::Func::lower(Expr::col(Column::Name)))
            .eq(called.to_lowercase()));
    if let Some(id) = OrganizationId::parse(called) {
        is_called = is_called.or(Column::Id.eq(id.uuid()));
    }
    let rows = Entity::find().filter(is_called).order_by_asc(Column::Id).all(db).await?;
    Ok(rows.into_iter().map(|row| OrganizationId::from_uuid(row.id)).collect())
}
