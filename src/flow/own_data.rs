//! What a person does about what is kept of them: sees who was told what, objects to a sink or no
//! longer does, takes a copy of everything, and has it erased.
//!
//! 1. Who is signed in with this browser; nobody else's rows are ever looked at.
//! 2. The form must be one we showed to this very session, sent by our own page.
//! 3. An objection: one write that notes it, drops what waits for that sink about the person, and
//!    says farewell to it, where it listens to that.
//! 4. A copy: `attribution::export`.
//! 5. An erasure: typed out, and by somebody who signed in moments ago; `attribution::erasure`.
//!    This replica forgets at once how the grants stood; the others within 5 seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::attribution::erasure::{self, Condition, Erased, Farewell};
use crate::attribution::export::{audit_export, export};
use crate::attribution::sinks::REMOTE_PREFIX;
use crate::clock::Timestamp;
use crate::config::sink::{SINK_PREFIX, SinkConfig};
use crate::config::sink_words::SinkEvent;
use crate::domain::audit::Actor;
use crate::domain::refusal::AccountRefusal;
use crate::flow::browser::Cookies;
use crate::flow::browser_session::SignedIn;
use crate::flow::{Fault, Gatehouse};
use crate::id::UserId;
use crate::store::disclosures::{self, Disclosure};
use crate::store::{Consumed, StoreError, Txn, outbox, sink_people, transact};

/// How long after a sign-in somebody may have themselves erased.
pub const RECENT_SIGN_IN: Duration = Duration::from_mins(15);

/// What has to be typed for that.
pub const ERASE_WORD: &str = "erase";

/// How a sink and a person stand.
pub struct SinkStanding<'a> {
    /// The sink.
    pub config: &'a SinkConfig,
    /// Since when the person objects to it.
    pub objects_since: Option<Timestamp>,
    /// What it was told, the newest first.
    pub told: Vec<Disclosure>,
}

/// Who is told of a person.
pub struct Sharing<'a> {
    /// The sinks there are, in the order of the file.
    pub sinks: Vec<SinkStanding<'a>>,
    /// Who else was told something, and what, the newest first: the receiver of feedback, other
    /// servers, sinks that are in the settings no more.
    pub others: BTreeMap<String, Vec<Disclosure>>,
}

/// What ties a form of the account page to the session it was shown in.
#[derive(Clone, Copy)]
pub struct PresentedForm<'a> {
    /// The token.
    pub form: &'a str,
    /// Whether the browser says that the form came from another site.
    pub is_cross_site: bool,
}

/// How an exchange ends.
pub enum Own<T> {
    /// As it was asked; with cookies to change.
    Done(T, Vec<String>),
    /// Nobody is signed in with this browser.
    SignedOut,
    /// Not acted on.
    Refused(AccountRefusal),
}

/// What a person wants of a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Not to be told of.
    Object,
    /// To be told of.
    Allow,
}

impl Gatehouse {
    /// Who is told of a person, and was.
    pub async fn sharing_of(&self, user_id: UserId) -> Result<Sharing<'_>, Fault> {
        let db = self.store.read();
        let objections = sink_people::opt_outs(db, &[user_id]).await?;
        let mut told: BTreeMap<String, Vec<Disclosure>> = BTreeMap::new();
        for disclosure in disclosures::of_person(db, user_id).await? {
            told.entry(disclosure.receiver.clone()).or_default().push(disclosure);
        }
        let mut sinks = Vec::new();
        for sink in self.sinks.all() {
            let objection = objections.iter().find(|(_, to, _)| *to == sink.destination);
            sinks.push(SinkStanding {
                config: &sink.config,
                objects_since: objection.map(|(_, _, since)| *since),
                told: told.remove(&sink.destination).unwrap_or_default(),
            });
        }
        Ok(Sharing { sinks, others: told })
    }

    /// A person objects to a sink, or no longer does.
    pub async fn wish(
        &self,
        presented: PresentedForm<'_>,
        sink: &str,
        wish: Option<Wish>,
        cookies: &impl Cookies,
    ) -> Result<Own<Wish>, Fault> {
        let signed_in = match self.trusted(presented, cookies).await? {
            Own::Done(signed_in, _) => signed_in,
            Own::SignedOut => return Ok(Own::SignedOut),
            Own::Refused(refusal) => return Ok(Own::Refused(refusal)),
        };
        let (Some(sink), Some(wish)) = (self.sinks.named(sink), wish) else {
            return Ok(Own::Refused(AccountRefusal::UnknownSink));
        };
        if sink.config.is_required {
            return Ok(Own::Refused(AccountRefusal::RequiredSink));
        }
        let (now, user_id) = (self.clock.now(), signed_in.user_id);
        let says_farewell = sink.config.events.contains(&SinkEvent::OptedOut);
        transact!(self.store, txn => {
            if sink_people::lock(txn, user_id).await?.is_none() {
                return Ok(());
            }
            match wish {
                Wish::Allow => {
                    sink_people::opt_in(txn, user_id, &sink.destination).await?;
                }
                Wish::Object => {
                    self.object(txn, user_id, &sink.destination, says_farewell, now).await?;
                }
            }
            Ok(())
        })?;
        self.sinks.wake();
        let outcome = if wish == Wish::Object { "objected" } else { "allowed" };
        tracing::info!(flow = "account", outcome, sink = sink.config.name, subject = %user_id);
        Ok(Own::Done(wish, signed_in.cookie.into_iter().collect()))
    }

    async fn object(
        &self,
        txn: &Txn,
        user_id: UserId,
        destination: &str,
        says_farewell: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if sink_people::opt_out(txn, user_id, destination, now).await? == Consumed::BySomeoneElse {
            return Ok(());
        }
        let taken = outbox::take_waiting(txn, user_id, destination).await?;
        if says_farewell {
            let identifiers = self.sinks.told(txn, user_id, destination, &taken).await?;
            if !identifiers.is_empty() {
                let farewell = Farewell {
                    destination,
                    event: SinkEvent::OptedOut,
                    user_id,
                    identifiers: &identifiers,
                    due_at: erasure::after_what_is_under_way(&taken, destination, now),
                };
                self.sinks.say_farewell(txn, farewell, now).await?;
            }
        }
        Ok(())
    }

    /// Everything that is kept of whoever is signed in.
    pub async fn export_own(
        &self,
        presented: PresentedForm<'_>,
        cookies: &impl Cookies,
    ) -> Result<Own<Value>, Fault> {
        let signed_in = match self.trusted(presented, cookies).await? {
            Own::Done(signed_in, _) => signed_in,
            Own::SignedOut => return Ok(Own::SignedOut),
            Own::Refused(refusal) => return Ok(Own::Refused(refusal)),
        };
        let (secret, now) = (&self.config.secret, self.clock.now());
        let by = Actor::Person(signed_in.user_id);
        audit_export(&self.store, &*self.entropy, by, signed_in.user_id, now).await?;
        let exported = export(self.store.read(), secret, signed_in.user_id, now).await?;
        let Some(exported) = exported else { return Ok(Own::SignedOut) };
        tracing::info!(flow = "account", outcome = "exported", subject = %signed_in.user_id);
        Ok(Own::Done(exported, signed_in.cookie.into_iter().collect()))
    }

    /// Erases whoever is signed in.
    pub async fn erase_own(
        &self,
        presented: PresentedForm<'_>,
        typed: &str,
        cookies: &impl Cookies,
    ) -> Result<Own<()>, Fault> {
        let signed_in = match self.trusted(presented, cookies).await? {
            Own::Done(signed_in, _) => signed_in,
            Own::SignedOut => return Ok(Own::SignedOut),
            Own::Refused(refusal) => return Ok(Own::Refused(refusal)),
        };
        if !typed.trim().eq_ignore_ascii_case(ERASE_WORD) {
            return Ok(Own::Refused(AccountRefusal::NotConfirmed));
        }
        // A browser that somebody left open is not the person.
        if !self.clock.now().is_within(signed_in.began_at, RECENT_SIGN_IN) {
            return Ok(Own::Refused(AccountRefusal::NotRecent));
        }
        self.erase_person(Actor::Somebody, signed_in.user_id).await?;
        Ok(Own::Done((), vec![self.expired_session_cookie(), self.expired_person_cookie()]))
    }

    /// Erases a person; nothing when there is none.
    pub async fn erase_person(
        &self,
        by: Actor<'_>,
        user_id: UserId,
    ) -> Result<Option<Erased>, Fault> {
        let (asked, now) = (Condition::AskedBy(by), self.clock.now());
        let erased = erasure::erase(&self.store, &self.sinks, user_id, asked, now).await?;
        for grant_id in erased.iter().flat_map(|erased| &erased.grants) {
            self.standings.forget(*grant_id);
        }
        Ok(erased)
    }

    /// Who sent this form, if it is one of ours.
    async fn trusted(
        &self,
        presented: PresentedForm<'_>,
        cookies: &impl Cookies,
    ) -> Result<Own<SignedIn>, Fault> {
        let Some(signed_in) = self.signed_in(cookies, self.clock.now()).await? else {
            return Ok(Own::SignedOut);
        };
        if presented.is_cross_site || !self.is_form_of(&signed_in, presented.form) {
            return Ok(Own::Refused(AccountRefusal::ForeignForm));
        }
        Ok(Own::Done(signed_in, Vec::new()))
    }
}

impl Sharing<'_> {
    /// What people call a receiver of the ledger.
    pub fn receiver_in_words(receiver: &str) -> &str {
        let name = receiver.strip_prefix(SINK_PREFIX);
        let name = name.or_else(|| receiver.strip_prefix(REMOTE_PREFIX)).unwrap_or(receiver);
        if name == "feedback" { "the receiver of feedback" } else { name }
    }
}
