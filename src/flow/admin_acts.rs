//! What whoever administers does. Each act is in the log and in the audit log, with who did it and
//! to what.

use serde_json::Value;

use crate::attribution::erasure::Erased;
use crate::attribution::export::{audit_export, export};
use crate::domain::audit::AuditKind;
use crate::flow::admin_access::Administrator;
use crate::flow::enforcement::reading;
use crate::flow::{Fault, Gatehouse};
use crate::id::{GrantId, UserId};
use crate::store::audit::{self, AuditRow};
use crate::store::consents::Withdrawn;
use crate::store::grants::{self, Ended, RevocationReason};
use crate::store::listings::deliveries;
use crate::store::{Consumed, outbox, people, transact};

/// What was ended, and whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedGrants {
    /// The person.
    pub person: UserId,
    /// The grants that this call ended.
    pub grants: Vec<GrantId>,
}

/// Feedback's receiver in the outbox, as `attribution::feedback` calls it.
pub const FEEDBACK: &str = "feedback";

/// Somebody whom the settings name to be handed what happens here.
pub struct Receiver<'a> {
    /// Our name for it.
    pub name: String,
    /// The host it goes to.
    pub host: &'a str,
    /// Why; of feedback the settings do not say it.
    pub purpose: Option<&'a str>,
    /// The events that it is told of.
    pub events: Vec<String>,
    /// What it is told of them.
    pub fields: Vec<String>,
}

impl Gatehouse {
    /// Who is handed what happens here, as the settings say it.
    pub fn receivers(&self) -> Vec<Receiver<'_>> {
        let feedback = self.config.feedback.iter().map(|feedback| Receiver {
            name: FEEDBACK.to_owned(),
            host: feedback.host(),
            purpose: None,
            events: Vec::new(),
            fields: Vec::new(),
        });
        let sinks = self.config.sinks.iter().map(|sink| Receiver {
            name: sink.destination(),
            host: sink.host(),
            purpose: Some(&sink.purpose),
            events: sink.events.iter().map(|event| event.name().to_owned()).collect(),
            fields: sink.fields.iter().map(|field| field.name().to_owned()).collect(),
        });
        feedback.chain(sinks).collect()
    }

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

    /// Everything that is kept of a person; none when there is no such person.
    pub async fn export_as_admin(
        &self,
        by: &Administrator,
        person: UserId,
    ) -> Result<Option<Value>, Fault> {
        let (secret, now) = (&self.config.secret, self.clock.now());
        let actor = by.who.actor();
        audit_export(&self.store, &*self.entropy, actor, person, now).await?;
        let exported = export(self.store.read(), secret, person, now).await?;
        if exported.is_some() {
            tracing::info!(flow = "admin", outcome = "exported", who = %by.who, subject = %person);
        }
        Ok(exported)
    }

    /// Erases a person with all that belongs to them; none when there is no such person.
    pub async fn erase_as_admin(
        &self,
        by: &Administrator,
        person: UserId,
    ) -> Result<Option<Erased>, Fault> {
        let erased = self.erase_person(by.who.actor(), person).await?;
        if let Some(erased) = &erased {
            tracing::info!(
                flow = "admin", outcome = "erased", who = %by.who, subject = %person,
                grants = erased.grants.len(),
            );
        }
        Ok(erased)
    }

    /// Ends a halt of enforcement; whether there was one.
    pub async fn resume_as_admin(&self, by: &Administrator) -> Result<bool, Fault> {
        let resumed =
            reading::resume(&self.store, &*self.entropy, by.who.actor(), self.clock.now()).await?
                == Consumed::ByUs;
        if resumed {
            tracing::info!(flow = "admin", outcome = "resumed", who = %by.who);
        }
        Ok(resumed)
    }

    /// Queues again what was given up for a receiver; none when there is no such receiver.
    pub async fn redeliver_as_admin(
        &self,
        by: &Administrator,
        destination: &str,
    ) -> Result<Option<u64>, Fault> {
        let is_configured = self.receivers().iter().any(|it| it.name == destination);
        let known = deliveries::destinations(self.store.read()).await?;
        if !is_configured && known.iter().all(|it| it.name != destination) {
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
