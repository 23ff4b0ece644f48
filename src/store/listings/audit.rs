//! The audit log, listed.

use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::day::Day;
use crate::id::{AuditId, GrantId, UserId};
use crate::store::audit::first_id_of;
use crate::store::listings::{Conditions, Window};
use crate::store::{Db, StoreError};

/// Which rows to list.
#[derive(Clone, Debug, Default)]
pub struct AuditSelection {
    /// From this day on.
    pub from: Option<Day>,
    /// Up to this day, it included.
    pub to: Option<Day>,
    /// Of this kind.
    pub kind: Option<AuditKind>,
    /// About this person, or done by them.
    pub person: Option<UserId>,
}

/// A row.
#[derive(Clone, Debug)]
pub struct ListedAudit {
    /// Its identifier.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: String,
    /// Who did it: `person:` with an identifier, `token:` with a name, or a word.
    pub who: String,
    /// Whom it is about.
    pub person: Option<UserId>,
    /// Which program it is about.
    pub client_id: Option<String>,
    /// Which grant it is about.
    pub grant: Option<GrantId>,
    /// Why, or how.
    pub reason: Option<String>,
    /// In which sign-in attempt.
    pub reference: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    happened_at: i64,
    kind: String,
    actor: String,
    actor_user_id: Option<Uuid>,
    actor_name: Option<String>,
    user_id: Option<Uuid>,
    client_id: Option<String>,
    grant_id: Option<Uuid>,
    reason: Option<String>,
    reference: Option<String>,
}

/// Rows, the newest first.
pub async fn list(
    db: &impl Db,
    selection: &AuditSelection,
    window: Window,
) -> Result<Vec<ListedAudit>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(from) = selection.from {
        let place = conditions.value(first_id_of(from.plus(-1).end()));
        conditions.add(format!("id >= {place}"));
    }
    if let Some(to) = selection.to {
        let place = conditions.value(first_id_of(to.end()));
        conditions.add(format!("id < {place}"));
    }
    conditions.equal("kind", selection.kind.map(AuditKind::name));
    if let Some(person) = selection.person {
        let place = conditions.value(person.uuid());
        conditions.add(format!("(user_id = {place} OR actor_user_id = {place})"));
    }
    let select = "SELECT id, happened_at, kind, actor, actor_user_id, actor_name, user_id,
         client_id, grant_id, reason, reference FROM audit";
    let rows: Vec<Row> = conditions.rows(db, select, "id", window).await?;
    let listed = |row: Row| ListedAudit {
        id: AuditId::from_uuid(row.id),
        at: Timestamp::from_millis(row.happened_at),
        kind: row.kind,
        who: match (row.actor_user_id, row.actor_name) {
            (Some(user_id), _) => format!("{}:{user_id}", row.actor),
            (None, Some(name)) => format!("{}:{name}", row.actor),
            (None, None) => row.actor,
        },
        person: row.user_id.map(UserId::from_uuid),
        client_id: row.client_id,
        grant: row.grant_id.map(GrantId::from_uuid),
        reason: row.reason,
        reference: row.reference,
    };
    Ok(rows.into_iter().map(listed).collect())
}
