//! Letters to sinks: events as signed JSON, with the fields that the settings name and no other.
//!
//! Each letter has a `type` and an `idempotency_key`; each event has a `time` besides, when it
//! happened, so that whoever gets them twice or in another order can tell. Fields stand under
//! `data`. A farewell, which asks a sink to forget somebody, has lists there: every identifier that
//! the sink was ever told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use crate::attribution::letter::{Letter, Parcel, Receiver, Told};
use crate::attribution::webhook;
use crate::calendar::rfc3339;
use crate::clock::Timestamp;
use crate::config::sink::SinkShape;
use crate::config::sink_words::{SinkEvent, SinkField};

/// What waits, sealed, in the outbox for a sink.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkPayload {
    /// One event, or several calls of tools.
    pub events: Vec<SinkItem>,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SinkItem {
    /// What the sink knows it by.
    pub key: String,
    /// When it happened, in milliseconds since the epoch.
    pub at: i64,
    /// What it carries, by the names of [`SinkField`].
    pub data: Map<String, Value>,
}

/// A sink, as letters go.
pub struct SinkReceiver {
    /// Where they are posted.
    pub url: Url,
    /// Each signs, so that a sink may know either while they are changed.
    pub secrets: Vec<Vec<u8>>,
    /// How a letter is written.
    pub shape: SinkShape,
    /// What it may carry.
    pub fields: Vec<SinkField>,
}

impl Receiver for SinkReceiver {
    fn letter(&self, parcel: &Parcel<'_>, now: Timestamp) -> Option<Letter> {
        let (event, payload) = self.opened(parcel)?;
        let key = parcel.idempotency_key.to_string();
        let body = match (event, self.shape) {
            (SinkEvent::ToolCalled, _) => {
                let events: Vec<_> = payload.events.iter().map(SinkItem::in_batch).collect();
                json!({ "type": parcel.kind, "idempotency_key": key, "events": events })
            }
            (SinkEvent::FirstSignIn, SinkShape::Crm) => payload.events.first()?.for_crm(),
            _ => {
                let SinkItem { at, data, .. } = payload.events.first()?;
                let time = rfc3339(Timestamp::from_millis(*at));
                json!({ "type": parcel.kind, "idempotency_key": key, "time": time, "data": data })
            }
        };
        let body = body.to_string().into_bytes();
        Some(webhook::signed(&self.url, &self.secrets, key, body, now))
    }

    fn told(&self, parcel: &Parcel<'_>) -> Told {
        let mut told = Told::default();
        let Some((_, payload)) = self.opened(parcel) else { return told };
        for (name, value) in payload.events.iter().flat_map(|item| &item.data) {
            told.fields.insert(name.clone());
            let identifies = SinkField::named(name).is_some_and(SinkField::identifies);
            if let (true, Some(value)) = (identifies, value.as_str()) {
                told.identifiers.entry(name.clone()).or_default().insert(value.to_owned());
            }
        }
        told
    }
}

impl SinkReceiver {
    /// What waits, without what the settings have ceased to name since it was queued.
    fn opened(&self, parcel: &Parcel<'_>) -> Option<(SinkEvent, SinkPayload)> {
        let event = SinkEvent::named(parcel.kind)?;
        let mut payload: SinkPayload = serde_json::from_slice(parcel.payload).ok()?;
        // What asks a sink to forget names what it was told, by whatever settings.
        if !event.is_farewell() {
            let is_named = |name: &str| self.fields.iter().any(|field| field.name() == name);
            for item in &mut payload.events {
                item.data.retain(|name, _| is_named(name));
            }
        }
        Some((event, payload))
    }
}

impl SinkItem {
    fn in_batch(&self) -> Value {
        let time = rfc3339(Timestamp::from_millis(self.at));
        json!({ "idempotency_key": self.key, "time": time, "data": self.data })
    }

    /// What the team's CRM takes, each key whether it is known or not.
    fn for_crm(&self) -> Value {
        let value = |field: SinkField| self.data.get(field.name()).cloned().unwrap_or(Value::Null);
        json!({
            "email": value(SinkField::Email),
            "domain": value(SinkField::Domain),
            "sub": value(SinkField::UpstreamSubject),
            "emailVerified": value(SinkField::EmailVerified),
            "source": "mcp",
            "timestamp": rfc3339(Timestamp::from_millis(self.at)),
        })
    }
}

#[cfg(test)]
mod tests;
