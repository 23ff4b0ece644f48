//! The ledger: who was told what of a person, when and why. Written when a receiver has
//! acknowledged a letter, in the write that notes the delivery.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::attribution::letter::Told;
use crate::calendar::day_of;
use crate::clock::Timestamp;
use crate::config::sink_words::SinkEvent;
use crate::id::{DisclosureId, UserId};
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::disclosures::{self, Disclosure};
use crate::store::{StoreError, Txn, sink_people};

/// Identifiers by the names of their fields.
pub type Identifiers = BTreeMap<String, BTreeSet<String>>;

/// What seals the ledger's identifiers, and chance.
#[derive(Clone, Copy)]
pub struct Seals<'a> {
    /// Seals and opens.
    pub secret: &'a ServerSecret,
    /// Makes nonces and identifiers.
    pub entropy: &'a dyn Entropy,
}

/// Something that a receiver has.
pub struct Acknowledged<'a> {
    /// Whom it is about.
    pub user_id: UserId,
    /// Who has it.
    pub receiver: &'a str,
    /// What sort of event it is.
    pub kind: &'a str,
    /// What the receiver knows it by.
    pub idempotency_key: Uuid,
    /// What it tells of the person.
    pub told: &'a Told,
    /// Why, as the settings say.
    pub purpose: &'a str,
}

/// Writes down what a receiver has. Nothing is written of somebody who was erased meanwhile: the
/// erasure knows that an attempt was under way.
pub async fn record(
    txn: &Txn,
    seals: Seals<'_>,
    it: Acknowledged<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if it.told.fields.is_empty() || sink_people::hold(txn, &[it.user_id]).await?.is_empty() {
        return Ok(());
    }
    if let Some(row) = sink_people::lock_told(txn, it.user_id, it.receiver).await? {
        let before = opened(seals.secret, row.told_sealed.as_deref());
        let mut told = before.clone();
        merge(&mut told, &it.told.identifiers);
        if told != before || row.told_sealed.is_none() {
            let sealed = sealed(seals, &told);
            sink_people::put_told(txn, it.user_id, it.receiver, sealed).await?;
        }
    }
    let disclosure = Disclosure {
        id: DisclosureId::generate(seals.entropy, now),
        user_id: it.user_id,
        receiver: it.receiver.to_owned(),
        event: it.kind.to_owned(),
        occasion: occasion(it.kind, it.idempotency_key, now),
        fields: it.told.fields.iter().cloned().collect(),
        purpose: it.purpose.to_owned(),
        disclosed_at: now,
    };
    disclosures::insert(txn, disclosure).await.map(|_| ())
}

/// Adds identifiers to others.
pub fn merge(all: &mut Identifiers, more: &Identifiers) {
    for (name, values) in more {
        all.entry(name.clone()).or_default().extend(values.iter().cloned());
    }
}

/// Opens what was sealed; nothing when there is nothing, or the secret is gone.
pub fn opened(secret: &ServerSecret, sealed: Option<&[u8]>) -> Identifiers {
    let text = sealed.and_then(|sealed| secret.unseal(Purpose::SinkTold, sealed));
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn sealed(seals: Seals<'_>, told: &Identifiers) -> Vec<u8> {
    let text = serde_json::to_vec(told).expect("texts are plain JSON");
    seals.secret.seal(seals.entropy, Purpose::SinkTold, &text)
}

/// Calls of tools are many, and what is told of them is the same all day.
fn occasion(kind: &str, key: Uuid, now: Timestamp) -> String {
    if kind == SinkEvent::ToolCalled.name() {
        format!("{kind} of day {}", day_of(now))
    } else {
        key.to_string()
    }
}
