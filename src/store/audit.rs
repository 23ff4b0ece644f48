//! The audit log: rows that are added, in the write that they tell of, and never changed.
//!
//! The database refuses what must not happen to them (see the migration). Whoever writes a row that
//! names a person holds what keeps them from being erased, or a row that the erasure takes along;
//! so an erasure, which takes the name out of the rows last of all, finds every one of them.

use std::time::Duration;

use sea_orm::{ConnectionTrait as _, EntityTrait as _, Set, Statement, Value};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::id::{AuditId, GrantId, UserId};
use crate::secret::Entropy;
use crate::store::entity::audit::{ActiveModel, Entity};
use crate::store::grants::{EndedGrant, RevocationReason};
use crate::store::{Store, StoreError, Txn, sink_people, transact};

/// Rows deleted by one statement.
const BATCH_ROWS: i64 = 1000;

/// A row that is about to be written.
#[derive(Clone, Debug)]
pub struct AuditRow<'a> {
    /// Its identifier.
    pub id: AuditId,
    at: Timestamp,
    kind: AuditKind,
    by: Actor<'a>,
    user_id: Option<UserId>,
    client_id: Option<&'a str>,
    grant_id: Option<GrantId>,
    reason: Option<&'a str>,
    reference: Option<String>,
}

impl<'a> AuditRow<'a> {
    /// What happened, by whom, when.
    pub fn new(entropy: &dyn Entropy, kind: AuditKind, by: Actor<'a>, now: Timestamp) -> Self {
        Self {
            id: AuditId::generate(entropy, now),
            at: now,
            kind,
            by,
            user_id: None,
            client_id: None,
            grant_id: None,
            reason: None,
            reference: None,
        }
    }

    /// Whom it is about.
    #[must_use]
    pub fn of_person(self, user_id: UserId) -> Self {
        Self { user_id: Some(user_id), ..self }
    }

    /// Which program it is about.
    #[must_use]
    pub fn of_client(self, client_id: &'a str) -> Self {
        Self { client_id: Some(client_id), ..self }
    }

    /// Which grant it is about.
    #[must_use]
    pub fn of_grant(self, grant_id: GrantId) -> Self {
        Self { grant_id: Some(grant_id), ..self }
    }

    /// Why, or how, in a word.
    #[must_use]
    pub fn because(self, reason: &'a str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// In which sign-in attempt.
    #[must_use]
    pub fn in_attempt(self, reference: String) -> Self {
        Self { reference: Some(reference), ..self }
    }

    fn model(self) -> ActiveModel {
        let (actor_user_id, actor_name) = match self.by {
            Actor::Person(user_id) => (Some(user_id.uuid()), None),
            Actor::Token(name) => (None, Some(name.to_owned())),
            Actor::Somebody | Actor::Client | Actor::Command | Actor::Server => (None, None),
        };
        ActiveModel {
            id: Set(self.id.uuid()),
            happened_at: Set(self.at.millis()),
            kind: Set(self.kind.name().to_owned()),
            actor: Set(self.by.name().to_owned()),
            actor_user_id: Set(actor_user_id),
            actor_name: Set(actor_name),
            user_id: Set(self.user_id.map(UserId::uuid)),
            client_id: Set(self.client_id.map(str::to_owned)),
            grant_id: Set(self.grant_id.map(GrantId::uuid)),
            reason: Set(self.reason.map(str::to_owned)),
            reference: Set(self.reference),
        }
    }
}

/// Writes rows; none is fine.
pub async fn write<'a>(
    txn: &Txn,
    rows: impl IntoIterator<Item = AuditRow<'a>> + Send,
) -> Result<(), StoreError> {
    let models: Vec<_> = rows.into_iter().map(AuditRow::model).collect();
    if !models.is_empty() {
        Entity::insert_many(models).exec_without_returning(txn).await?;
    }
    Ok(())
}

/// What is told of grants of a person that were ended.
pub fn ended<'a>(
    entropy: &dyn Entropy,
    grants: &'a [EndedGrant],
    (by, user_id, reason): (Actor<'a>, UserId, RevocationReason),
    now: Timestamp,
) -> Vec<AuditRow<'a>> {
    let row = |grant: &'a EndedGrant| {
        AuditRow::new(entropy, AuditKind::GrantRevoked, by, now)
            .of_person(user_id)
            .of_client(&grant.client_id)
            .of_grant(grant.id)
            .because(reason.name())
    };
    grants.iter().map(row).collect()
}

/// Keeps whoever acts from being erased until the transaction ends. Who is gone is somebody.
pub async fn hold_actor<'a>(txn: &Txn, by: Actor<'a>) -> Result<Actor<'a>, StoreError> {
    let Actor::Person(user_id) = by else { return Ok(by) };
    let held = sink_people::hold(txn, &[user_id]).await?;
    Ok(if held.is_empty() { Actor::Somebody } else { by })
}

/// Takes a person's identifier out of all rows. What happened stays; to whom is gone.
pub async fn forget_person(txn: &Txn, user_id: UserId) -> Result<(), StoreError> {
    for sql in [
        "UPDATE audit SET user_id = NULL WHERE user_id = $1",
        "UPDATE audit SET actor_user_id = NULL WHERE actor_user_id = $1",
    ] {
        let values: [Value; 1] = [user_id.uuid().into()];
        let statement = Statement::from_sql_and_values(txn.get_database_backend(), sql, values);
        txn.execute_raw(statement).await?;
    }
    Ok(())
}

/// The lowest identifier that a row of this moment can have.
pub(super) fn first_id_of(moment: Timestamp) -> Uuid {
    let millis = u64::try_from(moment.millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// Deletes the rows that were kept long enough; how many those were. The horizon moves first, and
/// only forwards: nothing younger can be deleted, whoever tries.
pub async fn retire(store: &Store, kept: Duration, now: Timestamp) -> Result<u64, StoreError> {
    const HORIZON: &str = "UPDATE audit_horizon SET passed = $1 WHERE passed < $1";
    const BATCH: &str = "DELETE FROM audit WHERE id IN (SELECT id FROM audit
         WHERE id < $1 AND happened_at <= $2 ORDER BY id LIMIT $3)";
    let before = now.minus(kept);
    transact!(*store, txn => {
        let values: [Value; 1] = [before.millis().into()];
        let statement = Statement::from_sql_and_values(txn.get_database_backend(), HORIZON, values);
        txn.execute_raw(statement).await?;
        Ok(())
    })?;
    let end = first_id_of(before.plus(Duration::from_millis(1)));
    let mut deleted = 0;
    loop {
        let rows = transact!(*store, txn => {
            let values: [Value; 3] = [end.into(), before.millis().into(), BATCH_ROWS.into()];
            let statement =
                Statement::from_sql_and_values(txn.get_database_backend(), BATCH, values);
            Ok(txn.execute_raw(statement).await?.rows_affected())
        })?;
        deleted += rows;
        if rows < BATCH_ROWS.unsigned_abs() {
            return Ok(deleted);
        }
    }
}
