//! What sinks and the audit log are told of a sign-in, in the write that records it: sinks of the
//! first one once for each, of every one where a sink listens to that; the log of every one.

use uuid::Uuid;

use crate::attribution::happening::{Detail, Happening, SignInTo};
use crate::clock::Timestamp;
use crate::config::sink_words::SinkEvent;
use crate::domain::audit::{Actor, AuditKind, reference_of};
use crate::flow::Gatehouse;
use crate::id::{AuthorizationRequestId, UserId};
use crate::store::audit::{self, AuditRow};
use crate::store::{StoreError, Txn};

/// Who has just signed in.
pub struct SignedInPerson<'a> {
    /// The person.
    pub user_id: UserId,
    /// Whether they had never been here.
    pub is_new: bool,
    /// What makes this sign-in this one: the code or the session that it ends in.
    pub occasion: Uuid,
    /// Which program they signed in for.
    pub client_id: Option<&'a str>,
    /// Where it led.
    pub to: SignInTo,
    /// The request of the program.
    pub attempt: Option<AuthorizationRequestId>,
}

impl Gatehouse {
    /// Queues the events of a sign-in.
    pub async fn queue_sign_in(
        &self,
        txn: &Txn,
        it: SignedInPerson<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let happening = |event, occasion| Happening {
            event,
            user_id: it.user_id,
            occasion,
            client_id: it.client_id.map(str::to_owned),
            client_product: None,
            detail: Detail::SignIn(it.to),
            at: now,
        };
        let mut happenings = vec![happening(SinkEvent::SignIn, it.occasion)];
        if it.is_new {
            // By the person, of whom there is one: should two sign-ins ever both be taken for the
            // first, the outbox has one row for each sink.
            happenings.push(happening(SinkEvent::FirstSignIn, it.user_id.uuid()));
        }
        self.sinks.queue(txn, &happenings, now).await?;
        let by = Actor::Person(it.user_id);
        let row = AuditRow::new(&*self.entropy, AuditKind::SignedIn, by, now);
        let row = row.of_person(it.user_id).because(match it.to {
            SignInTo::Program => "program",
            SignInTo::Browser => "browser",
        });
        let row = it.client_id.into_iter().fold(row, AuditRow::of_client);
        let references = it.attempt.map(reference_of).into_iter();
        audit::write(txn, [references.fold(row, AuditRow::in_attempt)]).await
    }
}
