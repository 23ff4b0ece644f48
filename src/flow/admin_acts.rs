//! What whoever administers does. Each act is in the log and in the audit log, with who did it and
//! to what.

use crate::domain::audit::AuditKind;
use crate::flow::admin_access::Administrator;
use crate::flow::{Fault, Gatehouse};
use crate::id::{GrantId, UserId};
use crate::store::audit::{self, AuditRow};
use crate::store::consents::Withdrawn;
use crate::store::grants::{self, Ended, RevocationReason};
use crate::store::listings::deliveries;
use crate::store::{outbox, people, transact};

/// What was ended, and whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedGrants {
    /// The person.
    pub person: UserId,
    /// The grants that this call ended.
    pub grants: Vec<GrantId>,
}

impl Gatehouse {
    /// Ends a grant, as its person would; none when there is no such grant.
    pub async fn revoke_as_admin(
        &self,
        by: &Administrator,
        id: GrantId,
    ) -> Result<Option<EndedGrants>, Fault> {
        let Some(standing) = grants::standing(self.store.read(), id).await? else {
            return Ok(None);
        };
        let withdrawn = Withdrawn::Client(&standing.client_id);
        self.end_as_admin(by, standing.user_id, Ended::One(id), withdrawn).await.map(Some)
    }

    /// Ends all grants of a person; none when there is no such person.
    pub async fn revoke_person_as_admin(
        &self,
        by: &Administrator,
        person: UserId,
    ) -> Result<Option<EndedGrants>, Fault> {
        if people::find(self.store.read(), person).await?.is_none() {
            return Ok(None);
        }
        self.end_as_admin(by, person, Ended::All, Withdrawn::Everything).await.map(Some)
    }

    async fn end_as_admin(
        &self,
        by: &Administrator,
        person: UserId,
        ended: Ended,
        withdrawn: Withdrawn<'_>,
    ) -> Result<EndedGrants, Fault> {
        let now = self.clock.now();
        let acts = (by.who.actor(), RevocationReason::ByAdmin);
        let grants = self.withdraw(person, ended, withdrawn, acts, now).await?;
        tracing::info!(
            flow = "admin", outcome = "revoked", who = %by.who, subject = %person,
            grants = grants.len(),
        );
        Ok(EndedGrants { person, grants })
    }

    /// Queues again what was given up for a receiver; none when there is no such receiver.
    pub async fn redeliver_as_admin(
        &self,
        by: &Administrator,
        destination: &str,
    ) -> Result<Option<u64>, Fault> {
        let known = deliveries::destinations(self.store.read()).await?;
        if known.iter().all(|it| it.name != destination) {
            return Ok(None);
        }
        let now = self.clock.now();
        let queued = transact!(self.store, txn => {
            let actor = audit::hold_actor(txn, by.who.actor()).await?;
            let queued = outbox::requeue_failed(txn, destination, now).await?;
            let kind = AuditKind::DeliveriesRequeued;
            let row = AuditRow::new(&*self.entropy, kind, actor, now).because(destination);
            audit::write(txn, [row]).await?;
            Ok(queued)
        })?;
        tracing::info!(
            flow = "admin", outcome = "requeued", who = %by.who, destination,
            deliveries = queued,
        );
        Ok(Some(queued))
    }
}
