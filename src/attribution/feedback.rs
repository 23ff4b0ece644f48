//! Feedback: stored, scrubbed and sealed, before anything else is done with it, and queued for its
//! receiver in the same transaction.

use std::sync::Arc;

use url::Url;

use crate::attribution::delivery::Delivery;
use crate::attribution::event::{FEEDBACK_SUBMITTED, FeedbackEvent, Page};
use crate::attribution::happening::{Detail, Happening};
use crate::attribution::scrub::scrub;
use crate::attribution::sinks::Sinks;
use crate::clock::Clock;
use crate::config::sink_words::SinkEvent;
use crate::domain::access_token::Profile;
use crate::domain::email_domain;
use crate::id::{FeedbackId, OutboxId, UserId};
use crate::mcp::caller::Caller;
use crate::mcp::feedback::{
    Feedback, FeedbackBox, FeedbackFault, FeedbackStatus, Lookup, Note, Receipt, Submission,
};
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::feedback::{self, Listed, StoredMessage};
use crate::store::outbox::{self, NewParcel, Standing};
use crate::store::{Consumed, Store, StoreError, transact, users};

/// The name of feedback's receiver in the outbox.
pub const DESTINATION: &str = "feedback";

/// Why it is told anything of people.
pub const PURPOSE: &str = "to improve the documentation";

/// Messages queued in one transaction, when older ones are.
const QUEUED_AT_ONCE: u64 = 50;

/// Keeps feedback in the database.
pub struct StoredFeedback {
    /// Where it is kept.
    pub store: Store,
    /// Seals people's words.
    pub secret: Arc<ServerSecret>,
    /// When it came.
    pub clock: Arc<dyn Clock>,
    /// Makes receipts.
    pub entropy: Arc<dyn Entropy>,
    /// Where the documentation lies; pages elsewhere are flagged.
    pub docs_url: Option<Url>,
    /// Where feedback is handed on, if anywhere.
    pub handed_on: Option<HandedOn>,
    /// Who else is told of it.
    pub sinks: Arc<Sinks>,
}

/// How feedback is handed on.
#[derive(Clone)]
pub struct HandedOn {
    /// What hands it on; told when something was queued. A command that only queues has none.
    pub delivery: Option<Arc<Delivery>>,
    /// What of the sender is told.
    pub told: Told,
}

/// What the receiver is told of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Their address.
    pub address: bool,
    /// Its domain.
    pub domain: bool,
}

impl Told {
    fn of(self, email: Option<&str>) -> (Option<String>, Option<String>) {
        let address = email.filter(|_| self.address).map(str::to_owned);
        let domain = email.filter(|_| self.domain).and_then(email_domain::of_address);
        (address, domain)
    }
}

impl FeedbackBox for StoredFeedback {
    fn submit<'a>(&'a self, caller: &'a Caller, feedback: Feedback) -> Submission<'a> {
        Box::pin(self.keep(caller, feedback))
    }

    fn status<'a>(&'a self, caller: &'a Caller, receipt: &'a str) -> Lookup<'a> {
        Box::pin(self.look_up(caller, receipt))
    }
}

/// Feedback that waits to be queued, without what is sealed again for each attempt to store it.
struct Kept {
    message: StoredMessage,
    event: Option<Vec<u8>>,
}

impl StoredFeedback {
    async fn keep(&self, caller: &Caller, given: Feedback) -> Result<Receipt, FeedbackFault> {
        let now = self.clock.now();
        let user_id = sender(caller)?;
        let text = scrub(&given.text);
        let page = given.page_url.map(|url| Page::new(url, self.docs_url.as_ref()));
        let message = StoredMessage {
            id: FeedbackId::generate(&*self.entropy, now),
            user_id,
            client_id: caller.client_id.clone().unwrap_or_default(),
            category: given.category.name().to_owned(),
            page_url: page.as_ref().map(|page| page.url.clone()),
            page_is_foreign: page.as_ref().and_then(|page| page.is_foreign),
            text_sealed: self.secret.seal(&*self.entropy, Purpose::Feedback, text.text.as_bytes()),
            created_at: now,
        };
        let mut notes = Vec::new();
        if message.page_is_foreign == Some(true) {
            notes.push(Note::PageIsForeign);
        }
        let removed = text.removed + page.as_ref().map_or(0, |page| page.removed);
        if removed > 0 {
            notes.push(Note::SecretsRemoved);
        }
        let email = caller.person.as_ref().and_then(|person| person.email.as_deref());
        let happening = happening(&message, &text.text);
        let event = self.event(&message, text.text, page, email)?;
        let (id, category) = (message.id, given.category.name());
        let kept = Kept { message, event };
        transact!(self.store, txn => {
            feedback::insert(txn, kept.message.clone()).await?;
            self.sinks.queue(txn, std::slice::from_ref(&happening), now).await?;
            self.queue(txn, &kept).await
        })
        .map_err(|error| FeedbackFault(error.into()))?;
        if let Some(HandedOn { delivery: Some(delivery), .. }) = &self.handed_on {
            delivery.wake();
        }
        self.sinks.wake();
        tracing::info!(
            tool = "submit_documentation_feedback", outcome = "stored", category,
            subject = %user_id, receipt = %id, removed,
        );
        Ok(Receipt { receipt: id.to_string(), status: FeedbackStatus::Stored, notes })
    }

    /// What the receiver is told, sealed; none where there is no receiver.
    fn event(
        &self,
        message: &StoredMessage,
        text: String,
        page: Option<Page>,
        email: Option<&str>,
    ) -> Result<Option<Vec<u8>>, FeedbackFault> {
        let Some(HandedOn { told, .. }) = self.handed_on else { return Ok(None) };
        let (user_email, user_domain) = told.of(email);
        let event = FeedbackEvent {
            feedback: text,
            category: message.category.clone(),
            page_url: page.as_ref().map(|page| page.url.clone()),
            page_is_foreign: page.as_ref().and_then(|page| page.is_foreign),
            page_path: page.map(|page| page.path),
            user_email,
            user_domain,
            submitted_at: message.created_at.millis(),
        };
        let payload = serde_json::to_vec(&event).map_err(|error| FeedbackFault(error.into()))?;
        Ok(Some(self.secret.seal(&*self.entropy, Purpose::Outbox, &payload)))
    }

    async fn queue(
        &self,
        txn: &crate::store::Txn,
        Kept { message, event }: &Kept,
    ) -> Result<Option<Consumed>, StoreError> {
        let Some(payload_sealed) = event.clone() else { return Ok(None) };
        let now = self.clock.now();
        let parcel = NewParcel {
            id: OutboxId::generate(&*self.entropy, now),
            destination: DESTINATION,
            kind: FEEDBACK_SUBMITTED,
            // The receipt: the person and the receiver know it by the same name.
            idempotency_key: message.id.uuid(),
            user_id: Some(message.user_id),
            payload_sealed,
        };
        outbox::enqueue(txn, parcel, now).await.map(Some)
    }

    async fn look_up(
        &self,
        caller: &Caller,
        receipt: &str,
    ) -> Result<Option<FeedbackStatus>, FeedbackFault> {
        let user_id = sender(caller)?;
        let Some(id) = FeedbackId::parse(receipt) else { return Ok(None) };
        let fault = |error: StoreError| FeedbackFault(error.into());
        let db = self.store.read();
        // Somebody else's receipt is as unknown as one that never was.
        if !feedback::is_from(db, id, user_id).await.map_err(fault)? {
            return Ok(None);
        }
        let standing = outbox::standing(db, DESTINATION, id.uuid()).await.map_err(fault)?;
        if standing.is_none() && feedback::was_delivered(db, id).await.map_err(fault)? {
            return Ok(Some(FeedbackStatus::Delivered));
        }
        Ok(Some(status_of(standing.as_ref())))
    }

    /// Queues what was stored while there was no receiver; how many those are. Whatever cannot be
    /// opened is left, and counted.
    pub async fn queue_older(&self) -> Result<Queued, StoreError> {
        let mut queued = Queued::default();
        let mut after = None;
        loop {
            let db = self.store.read();
            let page =
                feedback::list(db, Listed::NeverQueued, DESTINATION, after, QUEUED_AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(queued) };
            after = Some(last.id);
            for message in page {
                let Some(kept) = self.reopened(message).await? else {
                    queued.unreadable += 1;
                    continue;
                };
                let outcome = transact!(self.store, txn => self.queue(txn, &kept).await)?;
                queued.messages += u64::from(outcome == Some(Consumed::ByUs));
            }
        }
    }

    async fn reopened(&self, message: StoredMessage) -> Result<Option<Kept>, StoreError> {
        let text = self.secret.unseal(Purpose::Feedback, &message.text_sealed);
        let Some(text) = text.and_then(|text| String::from_utf8(text).ok()) else {
            return Ok(None);
        };
        let profile = users::profile_sealed(self.store.read(), message.user_id).await?;
        let profile = profile.and_then(|sealed| self.secret.unseal(Purpose::Profile, &sealed));
        let profile = profile.and_then(|json| serde_json::from_slice::<Profile>(&json).ok());
        let email = profile.and_then(|profile| profile.email);
        let page = message.page_url.as_deref().and_then(|url| Url::parse(url).ok());
        let page = page.map(|url| Page::new(url, self.docs_url.as_ref()));
        // What was stored by a version that did not scrub is scrubbed now.
        let event = self.event(&message, scrub(&text).text, page, email.as_deref());
        Ok(event.ok().map(|event| Kept { message, event }))
    }
}

/// What became of feedback that was stored before it was handed on anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queued {
    /// Messages that are queued now.
    pub messages: u64,
    /// Messages that `secret` does not open.
    pub unreadable: u64,
}

/// What a person is told of how far their feedback has come.
pub fn status_of(standing: Option<&Standing>) -> FeedbackStatus {
    match standing {
        Some(Standing { delivered_at: Some(_), .. }) => FeedbackStatus::Delivered,
        Some(Standing { failed_at: Some(_), .. }) => FeedbackStatus::Failed,
        Some(Standing { attempts: 1.., .. }) => FeedbackStatus::Delivering,
        Some(_) | None => FeedbackStatus::Stored,
    }
}

fn happening(message: &StoredMessage, text: &str) -> Happening {
    Happening {
        event: SinkEvent::FeedbackSubmitted,
        user_id: message.user_id,
        occasion: message.id.uuid(),
        client_id: Some(message.client_id.clone()).filter(|id| !id.is_empty()),
        client_product: None,
        detail: Detail::Feedback {
            text: text.to_owned(),
            category: message.category.clone(),
            page_url: message.page_url.clone(),
        },
        at: message.created_at,
    }
}

fn sender(caller: &Caller) -> Result<UserId, FeedbackFault> {
    let person = caller.person.as_ref().ok_or_else(|| {
        FeedbackFault("feedback came from nobody, which the tool rules out".into())
    })?;
    UserId::parse(&person.subject)
        .ok_or_else(|| FeedbackFault("a caller's subject is not ours".into()))
}
