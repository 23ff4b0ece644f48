//! Handing on what waits in the outbox, by any replica.
//!
//! 1. Claim what is due, a few at a time, under a lease that is longer than any request lasts.
//! 2. With no transaction open, post each to its receiver, all of the claim at once.
//! 3. Write down what became of each: delivered, to be tried again, given up.
//!
//! What the database did not take in step 3 is written before anything else is claimed. A process
//! that is killed between 1 and 3 leaves a lease that ends, and another attempt with the same
//! idempotency key: a receiver that heeds it sees each event once, and one that does not sees an
//! event twice only when an answer was lost or a process killed.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::attribution::backoff::{self, Next};
use crate::attribution::ledger::{self, Acknowledged, Seals};
use crate::attribution::letter::{Parcel, Receiver, Told};
use crate::attribution::post::{Failure, Outcome, Post, TOTAL_TIMEOUT};
use crate::clock::{Clock, Timestamp};
use crate::config::sink_words::SinkEvent;
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::outbox::{self, ClaimedParcel};
use crate::store::{Store, StoreError, transact};
use crate::traces::{self, End};

/// How long a claim lasts: nobody else tries meanwhile, and after a kill everybody waits for it.
pub const LEASE: Duration = Duration::from_mins(1);

/// Requests to one receiver at a time.
const AT_ONCE: u32 = 4;

/// The longest until the outbox is looked at again: what another replica queued and did not hand
/// on, because it was killed, is found after this.
const LOOK_AGAIN_MAX: Duration = Duration::from_secs(30);

/// The shortest, and the pause after the database failed.
const LOOK_AGAIN_MIN: Duration = Duration::from_secs(1);

/// One destination of the outbox, served by this replica among others.
pub struct Delivery {
    /// Its name in the outbox.
    pub destination: String,
    /// Why it is told anything of people, in words for them.
    pub purpose: String,
    /// Whether people may object to it.
    pub objections: Objections,
    /// How it is written to.
    pub receiver: Box<dyn Receiver>,
    /// What sends.
    pub post: Post,
    /// Where things wait.
    pub store: Store,
    /// Opens them.
    pub secret: Arc<ServerSecret>,
    /// When they are due.
    pub clock: Arc<dyn Clock>,
    /// Spreads the next attempts.
    pub entropy: Arc<dyn Entropy>,
    /// How far this replica is with it.
    pub progress: Progress,
}

/// Whether people may object to being told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objections {
    /// What waits about whoever objects is dropped.
    Heeded,
    /// There are none, or none that counts.
    None,
}

/// What a replica remembers between two looks at the outbox.
#[derive(Default)]
pub struct Progress {
    wakeup: Notify,
    is_ending: AtomicBool,
    /// What became of parcels and is not written down yet. Held by whoever delivers.
    unwritten: Mutex<Vec<Report>>,
}

/// What became of a claimed parcel.
struct Report {
    parcel: ClaimedParcel,
    outcome: Outcome,
    told: Told,
}

impl Delivery {
    /// Says that something was queued.
    pub fn wake(&self) {
        self.progress.wakeup.notify_one();
    }

    /// Delivers whenever something is due, until `ended` resolves; then finishes what is on its
    /// way and claims nothing more.
    pub async fn keep_delivering(self: &Arc<Self>, ended: impl Future<Output = ()> + Send) {
        let mut ended = pin!(ended);
        let mut is_failing = false;
        loop {
            let passed = {
                let mut passing = pin!(self.deliver_due());
                tokio::select! {
                    passed = &mut passing => passed,
                    () = &mut ended => {
                        self.progress.is_ending.store(true, Ordering::SeqCst);
                        if let Err(error) = passing.await {
                            self.warn("what became of the last is not written down", &error);
                        }
                        return;
                    }
                }
            };
            let due = match passed {
                Ok(due) => {
                    is_failing = false;
                    due
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        self.warn("nothing is delivered: the database does not answer", &error);
                    }
                    Some(self.clock.now())
                }
            };
            tokio::select! {
                () = self.progress.wakeup.notified() => {}
                () = tokio::time::sleep(pause_until(due, self.clock.now())) => {}
                () = &mut ended => return,
            }
        }
    }

    fn warn(&self, what: &str, error: &StoreError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let destination = &*self.destination;
        tracing::warn!(flow = "delivery", destination, %error, cause, "{what}");
    }

    /// Tries everything that is due; when the next is.
    pub async fn deliver_due(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let mut unwritten = self.progress.unwritten.lock().await;
        self.write_down(&mut unwritten).await?;
        while !self.progress.is_ending.load(Ordering::SeqCst) {
            let claimed = self.claim().await?;
            if claimed.is_empty() {
                break;
            }
            let mut attempts = JoinSet::new();
            for parcel in claimed {
                let delivery = Arc::clone(self);
                attempts.spawn(async move {
                    let (outcome, told) = delivery.attempt(&parcel).await;
                    Report { parcel, outcome, told }
                });
            }
            while let Some(reported) = attempts.join_next().await {
                // One that panicked is due again when its lease ends.
                match reported {
                    Ok(report) => unwritten.push(report),
                    Err(error) => tracing::error!(flow = "delivery", %error, "an attempt failed"),
                }
            }
            self.write_down(&mut unwritten).await?;
        }
        outbox::next_due(&self.store, &self.destination).await
    }

    async fn claim(&self) -> Result<Vec<ClaimedParcel>, StoreError> {
        let now = self.clock.now();
        let farewell = SinkEvent::OptedOut.name();
        transact!(self.store, txn => {
            if self.objections == Objections::Heeded {
                outbox::drop_opted_out(txn, &self.destination, farewell).await?;
            }
            outbox::claim(txn, &self.destination, now, now.plus(LEASE), AT_ONCE).await
        })
    }

    async fn attempt(&self, parcel: &ClaimedParcel) -> (Outcome, Told) {
        let payload = self.secret.unseal(Purpose::Outbox, &parcel.payload_sealed);
        let now = self.clock.now();
        let letter = payload.and_then(|payload| {
            let parcel = Parcel {
                idempotency_key: parcel.idempotency_key,
                kind: &parcel.kind,
                payload: &payload,
            };
            Some((self.receiver.letter(&parcel, now)?, self.receiver.told(&parcel)))
        });
        let Some((letter, told)) = letter else {
            return (Failure::Unreadable.into(), Told::default());
        };
        if !has_time_left(parcel.leased_until, now) {
            return (Failure::TooSlow.into(), told);
        }
        let span = traces::delivery(&self.destination);
        let outcome = self.post.send(letter, now).instrument(span.clone()).await;
        match outcome {
            Outcome::Delivered => traces::ended(&span, "delivered", End::Well),
            Outcome::Failed { failure, .. } => {
                traces::ended(&span, &failure.to_string(), End::Fault);
            }
        }
        (outcome, told)
    }

    /// Writes down each report, and keeps those that could not be.
    async fn write_down(&self, reports: &mut Vec<Report>) -> Result<(), StoreError> {
        while let Some(report) = reports.last() {
            self.write(report).await?;
            reports.pop();
        }
        Ok(())
    }

    async fn write(&self, Report { parcel, outcome, told }: &Report) -> Result<(), StoreError> {
        let now = self.clock.now();
        let ClaimedParcel { id, attempt, idempotency_key, .. } = parcel;
        let destination = &*self.destination;
        let (failure, next) = match *outcome {
            Outcome::Delivered => {
                self.write_delivered(parcel, told, now).await?;
                tracing::info!(
                    flow = "delivery", outcome = "delivered", destination, attempt,
                    %idempotency_key,
                );
                return Ok(());
            }
            Outcome::Failed { failure, retry_after } => {
                let queued_at = parcel.queued_at;
                let entropy = &*self.entropy;
                (failure, backoff::next(failure, *attempt, retry_after, queued_at, now, entropy))
            }
        };
        let kind = failure.to_string();
        match next {
            Next::After(pause) => {
                transact!(self.store, txn => {
                    outbox::postponed(txn, *id, *attempt, &kind, now.plus(pause)).await
                })?;
                tracing::warn!(
                    flow = "delivery", outcome = "postponed", reason = kind, destination,
                    %idempotency_key, attempt, next_in_seconds = pause.as_secs(),
                );
            }
            Next::Nothing => {
                transact!(self.store, txn => {
                    outbox::given_up(txn, *id, *attempt, &kind, now).await
                })?;
                tracing::error!(
                    flow = "delivery", outcome = "failed", reason = kind, destination,
                    %idempotency_key, attempt, "it is kept and not tried again by itself",
                );
            }
        }
        Ok(())
    }

    /// Notes that a parcel was delivered, and what its receiver has of the person since.
    async fn write_delivered(
        &self,
        parcel: &ClaimedParcel,
        told: &Told,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let seals = Seals { secret: &self.secret, entropy: &*self.entropy };
        transact!(self.store, txn => {
            if let Some(user_id) = parcel.user_id {
                let acknowledged = Acknowledged {
                    user_id,
                    receiver: &self.destination,
                    kind: &parcel.kind,
                    idempotency_key: parcel.idempotency_key,
                    told,
                    purpose: &self.purpose,
                };
                ledger::record(txn, seals, acknowledged, now).await?;
            }
            outbox::delivered(txn, parcel.id, now).await
        })
        .map(|_| ())
    }
}

/// Whether a request that begins now ends while the lease lasts. A process that was held up since
/// it claimed leaves the parcel to whoever claims it next, who may be at it by then.
fn has_time_left(leased_until: Timestamp, now: Timestamp) -> bool {
    now.plus(TOTAL_TIMEOUT) <= leased_until
}

/// How long to wait for what is due then. Another replica may bring something sooner, and the
/// machine's clock may be set.
fn pause_until(due: Option<Timestamp>, now: Timestamp) -> Duration {
    due.map_or(LOOK_AGAIN_MAX, |due| now.until(due)).clamp(LOOK_AGAIN_MIN, LOOK_AGAIN_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outbox_is_looked_at_when_something_is_due_and_now_and_then() {
        let now = Timestamp::from_seconds(1000);
        for (due, seconds) in [
            (None, 30),
            (Some(Timestamp::from_seconds(1007)), 7),
            (Some(Timestamp::from_seconds(9000)), 30),
            (Some(now), 1),
            (Some(Timestamp::from_seconds(10)), 1),
        ] {
            assert_eq!(pause_until(due, now), Duration::from_secs(seconds), "{due:?}");
        }
    }

    #[test]
    fn a_request_begins_only_if_it_ends_within_the_lease() {
        let claimed_at = Timestamp::from_seconds(1000);
        let leased_until = claimed_at.plus(LEASE);
        for (held_up_for, has_time) in [(0, true), (50, true), (51, false), (600, false)] {
            let now = claimed_at.plus(Duration::from_secs(held_up_for));
            assert_eq!(has_time_left(leased_until, now), has_time, "{held_up_for}");
        }
    }
}
