//! What is posted to a receiver outside, and how a receiver wants to be written to.

use std::collections::BTreeSet;

use url::Url;
use uuid::Uuid;

use crate::attribution::ledger::Identifiers;
use crate::clock::Timestamp;

/// The header by which a receiver knows what it has had already.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";

/// One event for one receiver, opened.
#[derive(Clone, Copy)]
pub struct Parcel<'a> {
    /// What the receiver knows the event by, over every attempt and replica.
    pub idempotency_key: Uuid,
    /// What sort of event it is.
    pub kind: &'a str,
    /// What it tells.
    pub payload: &'a [u8],
}

/// A POST request, ready to be sent.
pub struct Letter {
    /// Where to.
    pub url: Url,
    /// Every header that is not the HTTP client's.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a letter tells of the person whom it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The names of its fields.
    pub fields: BTreeSet<String>,
    /// Those by which the person can be found again, with what they say.
    pub identifiers: Identifiers,
}

/// Somebody outside to whom events are handed on.
pub trait Receiver: Send + Sync + 'static {
    /// What to post for `parcel`. The same but for signatures at each attempt; `None` when the
    /// payload is none that the receiver can be told of.
    fn letter(&self, parcel: &Parcel<'_>, now: Timestamp) -> Option<Letter>;

    /// What that letter tells.
    fn told(&self, parcel: &Parcel<'_>) -> Told;
}

/// What the payload of a feedback tells: whatever is in it.
pub fn told_by_payload(payload: &[u8]) -> Told {
    let data: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(payload).unwrap_or_default();
    Told { fields: data.keys().cloned().collect(), identifiers: Identifiers::new() }
}
