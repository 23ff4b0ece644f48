//! Grants, listed.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::{GrantId, OrganizationId, UserId};
use crate::store::listings::{Conditions, Window};
use crate::store::{Db, StoreError, stored_time};

/// Which grants to list.
#[derive(Clone, Debug, Default)]
pub struct GrantSelection {
    /// Of this person.
    pub person: Option<UserId>,
    /// With this program.
    pub client_id: Option<String>,
    /// Those that still work, or those that do not.
    pub is_active: Option<bool>,
    /// Of people who belong to one of these now.
    pub organizations: Option<Vec<OrganizationId>>,
    /// Made at this moment or later.
    pub made_from: Option<Timestamp>,
    /// Made before this moment.
    pub made_before: Option<Timestamp>,
}

/// What decides whether a grant still works.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// An access token that was made at this moment or later may still be good.
    pub access_tokens_since: Timestamp,
}

/// A grant.
#[derive(Clone, Debug)]
pub struct ListedGrant {
    /// Its row.
    pub id: GrantId,
    /// The person.
    pub person: UserId,
    /// The program.
    pub client_id: String,
    /// What it calls itself.
    pub client_name: Option<String>,
    /// What was agreed to, as it is stored.
    pub scope: String,
    /// Whether it still works.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last given a refresh token.
    pub last_used_at: Timestamp,
    /// Its absolute end.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Why.
    pub revoked_reason: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    user_id: Uuid,
    client_id: String,
    client_name: Option<String>,
    scope: String,
    is_active: bool,
    created_at: i64,
    last_used_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_reason: Option<String>,
}

/// Grants, the newest first.
pub async fn list(
    db: &impl Db,
    selection: &GrantSelection,
    moment: Moment,
    window: Window,
) -> Result<Vec<ListedGrant>, StoreError> {
    let mut conditions = Conditions::default();
    let now = conditions.value(moment.now.millis());
    let since = conditions.value(moment.access_tokens_since.millis());
    let last = "COALESCE((SELECT MAX(t.created_at) FROM refresh_tokens t
         WHERE t.grant_id = g.id), g.created_at)";
    // The same as on the person's own page (`store::grants::living_of`).
    let is_active = format!(
        "(g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > {now})
          AND ({last} > {since} OR EXISTS (SELECT 1 FROM refresh_tokens t
             WHERE t.grant_id = g.id AND t.consumed_at IS NULL AND t.expires_at > {now})))"
    );
    conditions.equal("g.user_id", selection.person.map(UserId::uuid));
    conditions.equal("g.client_id", selection.client_id.clone());
    if let Some(ids) = &selection.organizations {
        let places: Vec<_> = ids.iter().map(|id| conditions.value(id.uuid())).collect();
        let places = if places.is_empty() { "NULL".to_owned() } else { places.join(", ") };
        conditions.add(format!(
            "g.user_id IN (SELECT m.user_id FROM memberships m
                 WHERE m.ended_at IS NULL AND m.organization_id IN ({places}))"
        ));
    }
    if let Some(from) = selection.made_from {
        let place = conditions.value(from.millis());
        conditions.add(format!("g.created_at >= {place}"));
    }
    if let Some(before) = selection.made_before {
        let place = conditions.value(before.millis());
        conditions.add(format!("g.created_at < {place}"));
    }
    match selection.is_active {
        None => {}
        Some(true) => conditions.add(is_active.clone()),
        Some(false) => conditions.add(format!("NOT {is_active}")),
    }
    let select = format!(
        "SELECT g.id, g.user_id, g.client_id, c.metadata ->> 'client_name' AS client_name, g.scope,
             {is_active} AS is_active, g.created_at, {last} AS last_used_at, g.expires_at,
             g.revoked_at, g.revoked_reason
         FROM grants g LEFT JOIN clients c ON c.client_id = g.client_id"
    );
    let rows: Vec<Row> = conditions.rows(db, &select, "g.id", window).await?;
    let listed = |row: Row| ListedGrant {
        id: GrantId::from_uuid(row.id),
        person: UserId::from_uuid(row.user_id),
        client_id: row.client_id,
        client_name: row.client_name,
        scope: row.scope,
        is_active: row.is_active,
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: Timestamp::from_millis(row.last_used_at),
        expires_at: stored_time(row.expires_at),
        revoked_at: stored_time(row.revoked_at),
        revoked_reason: row.revoked_reason,
    };
    Ok(rows.into_iter().map(listed).collect())
}
