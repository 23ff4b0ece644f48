//! Erasing a person, with everything that belongs to them, in one write.
//!
//! 1. Lock the person: a sign-in, a feedback or a delivery that writes about them at the same time
//!    is done before, or finds nobody afterwards. Of two erasures one finds nobody.
//! 2. Put together what each sink was told by which the person can be found there, deliveries under
//!    way included.
//! 3. Take what waits about them out of the outbox, and queue a `person.erased` for each such sink,
//!    not before a delivery that is under way has ended. It is about nobody here any more.
//! 4. Delete the person; what belongs to them goes by the database's own rules.
//! 5. Take their identifier out of the audit log, which tells what happened and not to whom any
//!    more, and tell it of the erasure.

use std::collections::BTreeSet;

use serde_json::{Map, json};

use crate::attribution::delivery::LEASE;
use crate::attribution::ledger::{self, Identifiers};
use crate::attribution::sink_letter::{SinkItem, SinkPayload};
use crate::attribution::sinks::Sinks;
use crate::clock::Timestamp;
use crate::config::sink::SINK_PREFIX;
use crate::config::sink_words::{SinkEvent, SinkField};
use crate::domain::audit::{Actor, AuditKind};
use crate::id::{GrantId, OutboxId, UserId};
use crate::store::audit::{self, AuditRow};
use crate::store::outbox::{self, NewParcel, TakenParcel};
use crate::store::sink_people::SinkPerson;
use crate::store::{Store, StoreError, Txn, disclosures, erasures, sink_people, transact};

/// People erased in one go because they have not been here for long.
const INACTIVE_AT_ONCE: i64 = 100;

/// What an erasure did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Grants that are gone. Whoever remembers how they stood is to forget it.
    pub grants: Vec<GrantId>,
    /// Sinks that are told to forget the person, by their names.
    pub sinks: Vec<String>,
    /// Others who were told of the person, and whom the operator has to ask.
    pub others: Vec<String>,
}

/// On what condition somebody is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// That somebody asks for it: the person, of whom nothing is said any more; a command; or
    /// whoever administers.
    AskedBy(Actor<'a>),
    /// They have not been here since.
    InactiveSince(Timestamp),
}

/// Erases a person; nothing when there is no such person, or the condition does not hold.
pub async fn erase(
    store: &Store,
    sinks: &Sinks,
    user_id: UserId,
    condition: Condition<'_>,
    now: Timestamp,
) -> Result<Option<Erased>, StoreError> {
    let erased = transact!(*store, txn => {
        let is_there = sink_people::lock(txn, user_id).await?.is_some();
        if is_there && holds(txn, user_id, condition).await? {
            let erased = erase_locked(txn, sinks, user_id, now).await?;
            // Last of all: who wrote of them meanwhile held what is gone now, so all of it is seen.
            audit::forget_person(txn, user_id).await?;
            let row = audited(txn, sinks, condition, now).await?;
            audit::write(txn, [row]).await?;
            Ok(Some(erased))
        } else {
            Ok(None)
        }
    })?;
    if erased.is_some() {
        sinks.wake();
        tracing::info!(flow = "erasure", outcome = "erased", subject = %user_id);
    }
    Ok(erased)
}

/// That somebody was erased, and not who.
async fn audited<'a>(
    txn: &Txn,
    sinks: &Sinks,
    condition: Condition<'a>,
    now: Timestamp,
) -> Result<AuditRow<'a>, StoreError> {
    let (by, reason) = match condition {
        // Who administers may have erased themselves.
        Condition::AskedBy(actor) => (audit::hold_actor(txn, actor).await?, "asked"),
        Condition::InactiveSince(_) => (Actor::Server, "inactive"),
    };
    Ok(AuditRow::new(sinks.entropy(), AuditKind::PersonErased, by, now).because(reason))
}

async fn holds(txn: &Txn, user_id: UserId, condition: Condition<'_>) -> Result<bool, StoreError> {
    match condition {
        Condition::AskedBy(_) => Ok(true),
        Condition::InactiveSince(since) => {
            Ok(!erasures::inactive_since(txn, since, Some(user_id), 1).await?.is_empty())
        }
    }
}

async fn erase_locked(
    txn: &Txn,
    sinks: &Sinks,
    user_id: UserId,
    now: Timestamp,
) -> Result<Erased, StoreError> {
    let ledger = disclosures::of_person(txn, user_id).await?;
    let receivers: BTreeSet<_> = ledger.into_iter().map(|it| it.receiver).collect();
    let known = sink_people::of_person(txn, user_id).await?;
    let taken = outbox::take_of_person(txn, user_id).await?;
    let mut told_to_forget = Vec::new();
    for SinkPerson { destination, .. } in known {
        let identifiers = sinks.told(txn, user_id, &destination, &taken).await?;
        let Some(name) = destination.strip_prefix(SINK_PREFIX) else { continue };
        if !finds_somebody(&identifiers) {
            continue;
        }
        let farewell = Farewell {
            destination: &destination,
            event: SinkEvent::Erased,
            user_id,
            identifiers: &identifiers,
            due_at: after_what_is_under_way(&taken, &destination, now),
        };
        sinks.say_farewell(txn, farewell, now).await?;
        told_to_forget.push(name.to_owned());
    }
    let grants = erasures::grants_of(txn, user_id).await?;
    erasures::delete_person(txn, user_id).await?;
    let others = receivers.into_iter().filter(|it| !it.starts_with(SINK_PREFIX)).collect();
    Ok(Erased { grants, sinks: told_to_forget, others })
}

/// Whether a sink that was told this can find the person by it.
fn finds_somebody(identifiers: &Identifiers) -> bool {
    identifiers.keys().any(|name| name != SinkField::UpstreamIssuer.name())
}

/// Now, or when every attempt that is under way for this destination has ended.
pub fn after_what_is_under_way(
    taken: &[TakenParcel],
    destination: &str,
    now: Timestamp,
) -> Timestamp {
    let under_way = taken.iter().filter(|it| it.was_tried && it.destination == destination);
    let ends = under_way.filter_map(|it| it.next_attempt_at).max();
    // It may only have been put off, for longer than any attempt lasts.
    ends.map_or(now, |ends| ends.clamp(now, now.plus(LEASE)))
}

/// What asks a sink to forget somebody.
pub struct Farewell<'a> {
    /// The sink.
    pub destination: &'a str,
    /// Why it should.
    pub event: SinkEvent,
    /// Whom.
    pub user_id: UserId,
    /// By what it can find them.
    pub identifiers: &'a Identifiers,
    /// When it may be told.
    pub due_at: Timestamp,
}

impl Sinks {
    /// The identifiers that a sink has of a person, or may have: what it acknowledged, and what was
    /// in letters to it that were tried, and are taken out of the outbox now.
    pub async fn told(
        &self,
        txn: &Txn,
        user_id: UserId,
        destination: &str,
        taken: &[TakenParcel],
    ) -> Result<Identifiers, StoreError> {
        let row = sink_people::lock_told(txn, user_id, destination).await?;
        let sealed = row.and_then(|row| row.told_sealed);
        let mut told = ledger::opened(self.secret(), sealed.as_deref());
        let tried = taken.iter().filter(|it| it.was_tried && it.destination == destination);
        for parcel in tried {
            ledger::merge(&mut told, &self.identifiers_in(parcel));
        }
        Ok(told)
    }

    /// The identifiers that a sink learns from what was taken out of its outbox.
    fn identifiers_in(&self, parcel: &TakenParcel) -> Identifiers {
        let mut identifiers = Identifiers::new();
        let Some(payload) = self.opened(parcel.payload_sealed.as_deref()) else {
            return identifiers;
        };
        for (name, value) in payload.events.iter().flat_map(|item| &item.data) {
            let identifies = SinkField::named(name).is_some_and(SinkField::identifies);
            if let (true, Some(value)) = (identifies, value.as_str()) {
                identifiers.entry(name.clone()).or_default().insert(value.to_owned());
            }
        }
        identifiers
    }

    /// Queues a farewell. One that asks to forget somebody who was erased is about nobody here, so
    /// that it stays when they go; for each sink and person there is one.
    pub async fn say_farewell(
        &self,
        txn: &Txn,
        it: Farewell<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let values = it.identifiers.iter().map(|(name, values)| (name.clone(), json!(values)));
        let data: Map<_, _> = values.collect();
        let (uuid, at) = (it.user_id.uuid(), now.millis().to_be_bytes());
        let name = it.event.name().as_bytes();
        let (key, user_id) = if it.event == SinkEvent::Erased {
            (self.key(it.destination, &[name, uuid.as_bytes()]), None)
        } else {
            (self.key(it.destination, &[name, uuid.as_bytes(), &at]), Some(it.user_id))
        };
        let item = SinkItem { key: key.to_string(), at: now.millis(), data };
        let parcel = NewParcel {
            id: OutboxId::generate(self.entropy(), now),
            destination: it.destination,
            kind: it.event.name(),
            idempotency_key: key,
            user_id,
            payload_sealed: self.sealed(&SinkPayload { events: vec![item] }),
        };
        outbox::enqueue_for(txn, parcel, it.due_at, now).await.map(|_| ())
    }
}

/// Erases everybody who has not been here since; how many that were.
pub async fn erase_inactive(
    store: &Store,
    sinks: &Sinks,
    since: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut count = 0;
    loop {
        let found = erasures::inactive_since(store.read(), since, None, INACTIVE_AT_ONCE).await?;
        let mut erased_now = 0;
        for user_id in &found {
            let condition = Condition::InactiveSince(since);
            erased_now += u64::from(erase(store, sinks, *user_id, condition, now).await?.is_some());
        }
        count += erased_now;
        // Somebody who came back meanwhile must not keep this going.
        if erased_now == 0 {
            return Ok(count);
        }
    }
}
