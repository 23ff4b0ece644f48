//! Sinks: who is told of what happens to people.
//!
//! 1. [`Sinks::queue`] writes, in the transaction of what has happened, one row of the outbox for
//!    each sink that listens: with the fields its list names, sealed, and none for a person who
//!    objects to it.
//! 2. [`crate::attribution::delivery`] hands it on, by any replica.
//! 3. [`crate::attribution::ledger`] notes what the sink has.
//!
//! A person has another name for each sink, so that two sinks cannot put together what each knows.
//! It is kept from the first time on: it outlives a change of the server's secret.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use crate::attribution::delivery::Delivery;
use crate::attribution::happening::{Happening, KnownPerson};
use crate::attribution::sink_letter::{SinkItem, SinkPayload};
use crate::attribution::usage::products::Products;
use crate::clock::Timestamp;
use crate::config::sink::SinkConfig;
use crate::config::sink_words::{SinkEvent, SinkField};
use crate::domain::access_token::Profile;
use crate::domain::organization::KnownOrganization;
use crate::id::{OutboxId, UserId};
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::outbox::{self, NewParcel};
use crate::store::sink_people::{self, HeldPerson};
use crate::store::{StoreError, Txn, people};

/// Calls of tools in one letter, at most.
pub const EVENTS_IN_LETTER_MAX: usize = 100;

/// What stands before the name of another MCP server in the ledger.
pub const REMOTE_PREFIX: &str = "remote:";

/// All sinks of the settings.
pub struct Sinks {
    each: Vec<Sink>,
    secret: Arc<ServerSecret>,
    entropy: Arc<dyn Entropy>,
}

/// One of them.
pub struct Sink {
    /// As it was configured.
    pub config: SinkConfig,
    /// Its name in the outbox and in the ledger.
    pub destination: String,
    /// What hands letters on. A command that only queues has none.
    pub delivery: Option<Arc<Delivery>>,
}

impl Sink {
    fn hears(&self, event: SinkEvent) -> bool {
        self.config.events.contains(&event)
    }
}

impl Sinks {
    /// Those of the settings.
    pub fn new(sinks: Vec<Sink>, secret: Arc<ServerSecret>, entropy: Arc<dyn Entropy>) -> Self {
        Self { each: sinks, secret, entropy }
    }

    /// All of them, in the order of the file.
    pub fn all(&self) -> &[Sink] {
        &self.each
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<&Sink> {
        self.each.iter().find(|sink| sink.config.name == name)
    }

    /// Says that something was queued. To be called after the commit.
    pub fn wake(&self) {
        for delivery in self.each.iter().filter_map(|sink| sink.delivery.as_ref()) {
            delivery.wake();
        }
    }

    /// Whether anybody would be told of this event. Who makes many of them asks first.
    pub fn hear(&self, event: SinkEvent) -> bool {
        self.each.iter().any(|sink| sink.hears(event))
    }

    /// Queues what happened for every sink that listens, in the transaction that writes it down.
    ///
    /// Written twice, an event is queued once. Who is gone meanwhile is passed over. Calls of tools
    /// of one person go together, [`EVENTS_IN_LETTER_MAX`] in a letter; a letter is never about
    /// two people, so that each of them can object, and be erased, by themselves.
    pub async fn queue(
        &self,
        txn: &Txn,
        happenings: &[Happening],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let heard = happenings.iter().filter(|it| self.hear(it.event));
        let ids: BTreeSet<Uuid> = heard.map(|it| it.user_id.uuid()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = ids.into_iter().map(UserId::from_uuid).collect();
        let happenings = self.with_products(txn, happenings).await?;
        let held = sink_people::hold(txn, &ids).await?;
        let objections = sink_people::opt_outs(txn, &ids).await?;
        for held in held {
            let attribution = people::find(txn, held.id).await?.map(|it| it.attribution);
            let organization = attribution.and_then(|it| it.organization);
            let person = self.known(held, organization)?;
            let id = person.held.id;
            let own: Vec<_> = happenings.iter().filter(|it| it.user_id == id).collect();
            for sink in &self.each {
                let objects = objections.iter().any(|(who, to, _)| {
                    *who == id && *to == sink.destination && !sink.config.is_required
                });
                if !objects {
                    self.queue_for(txn, sink, &person, &own, now).await?;
                }
            }
        }
        Ok(())
    }

    /// The same, each with the product that its client is, where a sink is told that.
    async fn with_products<'a>(
        &self,
        txn: &Txn,
        happenings: &'a [Happening],
    ) -> Result<Cow<'a, [Happening]>, StoreError> {
        let is_told = |it: &Happening| {
            let lists = |sink: &Sink| sink.config.fields.contains(&SinkField::ClientProduct);
            it.client_product.is_none() && self.each.iter().any(|s| s.hears(it.event) && lists(s))
        };
        let untold = happenings.iter().filter(|it| is_told(it));
        let client_ids: BTreeSet<_> = untold.filter_map(|it| it.client_id.clone()).collect();
        if client_ids.is_empty() {
            return Ok(Cow::Borrowed(happenings));
        }
        let products = Products::of(txn, client_ids).await?;
        let with_product = |it: &Happening| {
            let client = it.client_id.as_deref();
            let known = || client.and_then(|client_id| products.of_client(client_id));
            Happening { client_product: it.client_product.clone().or_else(known), ..it.clone() }
        };
        Ok(Cow::Owned(happenings.iter().map(with_product).collect()))
    }

    async fn queue_for(
        &self,
        txn: &Txn,
        sink: &Sink,
        person: &KnownPerson,
        happenings: &[&Happening],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let heard = happenings.iter().copied().filter(|it| sink.hears(it.event));
        let heard: Vec<&Happening> = heard.collect();
        if heard.is_empty() {
            return Ok(());
        }
        let user_id = person.held.id;
        let fresh = self.pseudonym_for(&sink.destination, user_id);
        let pseudonym = sink_people::pseudonym(txn, user_id, &sink.destination, fresh).await?;
        let item = |it: &&Happening| self.item(sink, it, person, pseudonym);
        let (calls, others): (Vec<&Happening>, Vec<&Happening>) =
            heard.into_iter().partition(|it| it.event == SinkEvent::ToolCalled);
        for one in &others {
            self.enqueue(txn, sink, user_id, one.event, vec![item(one)], now).await?;
        }
        for calls in calls.chunks(EVENTS_IN_LETTER_MAX) {
            let items = calls.iter().map(item).collect();
            self.enqueue(txn, sink, user_id, SinkEvent::ToolCalled, items, now).await?;
        }
        Ok(())
    }

    fn item(
        &self,
        sink: &Sink,
        happening: &Happening,
        person: &KnownPerson,
        pseudonym: Uuid,
    ) -> SinkItem {
        let fields = sink.config.fields.iter().filter(|field| field.is_of(happening.event));
        let data = fields.filter_map(|field| {
            let value = happening.value(*field, person, pseudonym)?;
            Some((field.name().to_owned(), value))
        });
        let parts = [happening.event.name().as_bytes(), happening.occasion.as_bytes().as_slice()];
        SinkItem {
            key: self.key(&sink.destination, &parts).to_string(),
            at: happening.at.millis(),
            data: data.collect(),
        }
    }

    async fn enqueue(
        &self,
        txn: &Txn,
        sink: &Sink,
        user_id: UserId,
        event: SinkEvent,
        items: Vec<SinkItem>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // A letter with one event has that event's key; one with several has its own.
        let idempotency_key = match items.as_slice() {
            [one] => Uuid::try_parse(&one.key).map_err(|_| StoreError::Corrupt("event key"))?,
            several => {
                let keys: Vec<_> = several.iter().map(|item| item.key.as_bytes()).collect();
                self.key(&sink.destination, &keys)
            }
        };
        let parcel = NewParcel {
            id: OutboxId::generate(&*self.entropy, now),
            destination: &sink.destination,
            kind: event.name(),
            idempotency_key,
            user_id: Some(user_id),
            payload_sealed: self.sealed(&SinkPayload { events: items }),
        };
        outbox::enqueue(txn, parcel, now).await.map(|_| ())
    }

    /// What waits, sealed.
    pub fn sealed(&self, payload: &SinkPayload) -> Vec<u8> {
        let text = serde_json::to_vec(payload).expect("texts and numbers are plain JSON");
        self.secret.seal(&*self.entropy, Purpose::Outbox, &text)
    }

    /// What waits, opened; nothing when there is nothing, or it is not for a sink.
    pub fn opened(&self, sealed: Option<&[u8]>) -> Option<SinkPayload> {
        let text = self.secret.unseal(Purpose::Outbox, sealed?)?;
        serde_json::from_slice(&text).ok()
    }

    /// A person with their profile open.
    fn known(
        &self,
        held: HeldPerson,
        organization: Option<KnownOrganization>,
    ) -> Result<KnownPerson, StoreError> {
        let corrupt = StoreError::Corrupt("profile");
        let text = self.secret.unseal(Purpose::Profile, &held.profile_sealed).ok_or(corrupt)?;
        let profile: Profile =
            serde_json::from_slice(&text).map_err(|_| StoreError::Corrupt("profile"))?;
        Ok(KnownPerson { held, profile, organization })
    }

    /// What a sink knows an event by: the same whenever it is made, and for no other sink.
    pub fn key(&self, destination: &str, parts: &[&[u8]]) -> Uuid {
        let mut all = vec![destination.as_bytes()];
        all.extend_from_slice(parts);
        uuid_of(self.secret.keyed_hash(Purpose::SinkKey, &all))
    }

    fn pseudonym_for(&self, destination: &str, user_id: UserId) -> Uuid {
        let uuid = user_id.uuid();
        let parts = [destination.as_bytes(), uuid.as_bytes().as_slice()];
        uuid_of(self.secret.keyed_hash(Purpose::SinkPerson, &parts))
    }

    /// What opens what sinks were told.
    pub fn secret(&self) -> &ServerSecret {
        &self.secret
    }

    /// Chance.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }
}

/// The first half of a keyed hash as a UUID of version 8 (RFC 9562 §5.8).
fn uuid_of(hash: [u8; 32]) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
