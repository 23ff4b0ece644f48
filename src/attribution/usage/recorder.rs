//! Takes note of calls, and writes down what has come together.
//!
//! A call is added up in memory under a lock that nobody holds for longer than that. Everything
//! that takes time happens when it is written: one transaction for some thousand keys at most, in
//! which the database is told the number of the batch. A commit that nobody answered is tried again
//! with the same number and the same calls, and counts once.
//!
//! Nothing is lost when the database is away, or when the server stops as it should. A process that
//! is killed loses what it had not written: the calls of the last [`WRITTEN_EVERY`] and of a write
//! under way, or since when the database is away.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use crate::attribution::searches::recorder::SearchRecorder;
use crate::attribution::sinks::Sinks;
use crate::attribution::usage::organization;
use crate::attribution::usage::pending::{Key, Pending, Person, Who};
use crate::attribution::usage::products::Products;
use crate::attribution::usage::told::{Told, ToldCall};
use crate::clock::{Clock, Timestamp};
use crate::config::sink_words::SinkEvent;
use crate::domain::day::Day;
use crate::domain::latency::Latency;
use crate::domain::product;
use crate::id::{ToldCallId, UsageWriterId, UserId};
use crate::mcp::usage::{Call, UsageBook};
use crate::secret::Entropy;
use crate::store::usage_sweep::ROLLED_UP_AFTER;
use crate::store::{Consumed, Store, StoreError, Txn, transact, usage};

/// How often what has come together is written.
pub const WRITTEN_EVERY: Duration = Duration::from_secs(2);

/// So many keys are written at once, and when so many have come together, before it is time.
const BATCH_KEYS: usize = 2_000;

/// How often a batch is tried that the database refuses for what is in it: somebody may have gone
/// in the very moment.
const REFUSALS_MAX: u32 = 5;

/// How long is waited after the database failed while the server stops.
const LAST_TRIES_EVERY: Duration = Duration::from_millis(200);

/// Counts calls.
pub struct UsageRecorder {
    store: Store,
    clock: Arc<dyn Clock>,
    /// For how long counts by person are kept.
    kept: Duration,
    /// By what name the database knows this process.
    writer: Uuid,
    entropy: Arc<dyn Entropy>,
    sinks: Arc<Sinks>,
    waiting: Mutex<Waiting>,
    is_enough: Notify,
    /// Keeps what was asked, where the settings say so.
    searches: Option<SearchRecorder>,
    /// Held by whoever writes.
    unwritten: tokio::sync::Mutex<Unwritten>,
}

/// The batch that was begun last, as long as it is not known to be written.
#[derive(Default)]
struct Unwritten {
    number: i64,
    /// How often the database refused it for what is in it.
    refusals: u32,
    batch: BTreeMap<Key, Latency>,
    told: Vec<ToldCall>,
}

impl Unwritten {
    fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.told.is_empty()
    }

    /// The clients whose requests do not say which product they are.
    fn untold_clients(&self) -> BTreeSet<String> {
        let all = self.batch.keys().map(|key| &key.who).chain(self.told.iter().map(|it| &it.who));
        all.filter(|who| who.told.is_none()).filter_map(|who| who.client_id.clone()).collect()
    }
}

/// What has come together.
#[derive(Default)]
struct Waiting {
    counts: Pending,
    told: Told,
}

impl UsageBook for UsageRecorder {
    fn note(&self, call: Call<'_>) {
        if let Some(searches) = &self.searches {
            searches.note(&call);
        }
        let Call { caller, signs, tool, outcome, took, .. } = call;
        let known = |sign: &Option<String>| sign.as_deref().and_then(product::known);
        let person = caller.person.as_ref().and_then(|person| UserId::parse(&person.subject));
        let key = Key {
            day: Day::of(self.clock.now()),
            who: Who {
                person: person.map(Person),
                told: known(&signs.client_info),
                client_id: caller.client_id.clone(),
                agent: known(&signs.user_agent),
            },
            tool: tool.to_owned(),
            revision: signs.revision,
            outcome: outcome.name(),
        };
        let told = person.filter(|_| self.sinks.hear(SinkEvent::ToolCalled)).map(|user_id| {
            let at = self.clock.now();
            ToldCall {
                occasion: ToldCallId::generate(&*self.entropy, at).uuid(),
                user_id,
                who: key.who.clone(),
                tool: key.tool.clone(),
                outcome: key.outcome,
                at,
            }
        });
        let mut waiting = self.waiting();
        waiting.counts.add(key, &Latency::of(took));
        let is_told = told.is_some();
        if let Some(call) = told {
            waiting.told.add(call);
        }
        let is_full = is_told && waiting.told.len() == BATCH_KEYS;
        if is_full || waiting.counts.len() == BATCH_KEYS {
            self.is_enough.notify_one();
        }
    }
}

impl UsageRecorder {
    /// Counts into `store`, where counts by person are kept for `kept`, and tells sinks.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        kept: Duration,
        (sinks, searches): (Arc<Sinks>, Option<SearchRecorder>),
    ) -> Self {
        let writer = UsageWriterId::generate(&*entropy, clock.now()).uuid();
        Self {
            store,
            clock,
            kept,
            writer,
            entropy,
            sinks,
            waiting: Mutex::default(),
            is_enough: Notify::new(),
            searches,
            unwritten: tokio::sync::Mutex::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Counts are whole whatever became of the last holder.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes now and then until `ended` resolves, and then what is left, as often as it takes.
    pub async fn keep_written(&self, ended: impl Future<Output = ()> + Send) {
        let mut ended = pin!(ended);
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(WRITTEN_EVERY) => {}
                () = self.is_enough.notified(), if !is_failing => {}
                () = &mut ended => break,
            }
            // A write that the end interrupts is one whose commit nobody answered.
            let written = tokio::select! {
                written = self.write() => written,
                () = &mut ended => break,
            };
            match written {
                Ok(()) => is_failing = false,
                Err(error) if !std::mem::replace(&mut is_failing, true) => {
                    warn("usage is counted in memory: the database does not take it", &error);
                }
                Err(_) => {}
            }
        }
        while let Err(error) = self.write().await {
            if !std::mem::replace(&mut is_failing, true) {
                warn("the last usage is not written yet", &error);
            }
            tokio::time::sleep(LAST_TRIES_EVERY).await;
        }
    }

    /// Writes all that has come together.
    pub async fn write(&self) -> Result<(), StoreError> {
        self.write_counts().await?;
        match &self.searches {
            Some(searches) => searches.write().await,
            None => Ok(()),
        }
    }

    async fn write_counts(&self) -> Result<(), StoreError> {
        let mut unwritten = self.unwritten.lock().await;
        loop {
            if unwritten.is_empty() {
                self.begin_batch(&mut unwritten);
                if unwritten.is_empty() {
                    return Ok(());
                }
                unwritten.number += 1;
            }
            match self.write_batch(&unwritten).await {
                Err(error) if error.is_passing() || unwritten.refusals < REFUSALS_MAX => {
                    unwritten.refusals += u32::from(!error.is_passing());
                    return Err(error);
                }
                // What the database will never take must not keep back what comes after it.
                Err(error) => {
                    let calls: i64 = unwritten.batch.values().map(Latency::calls).sum();
                    tracing::error!(flow = "usage", calls, %error, "usage could not be counted");
                }
                Ok(()) if unwritten.told.is_empty() => {}
                Ok(()) => self.sinks.wake(),
            }
            unwritten.refusals = 0;
            unwritten.batch.clear();
            unwritten.told.clear();
        }
    }

    fn begin_batch(&self, unwritten: &mut Unwritten) {
        let mut waiting = self.waiting();
        unwritten.batch = waiting.counts.take(BATCH_KEYS);
        unwritten.told = waiting.told.take(BATCH_KEYS);
        let left_out = waiting.told.left_out();
        drop(waiting);
        if left_out > 0 {
            tracing::warn!(flow = "usage", left_out, "sinks are not told of calls: too many wait");
        }
    }

    async fn write_batch(&self, unwritten: &Unwritten) -> Result<(), StoreError> {
        let Unwritten { number, batch, told, .. } = unwritten;
        let now = self.clock.now();
        transact!(self.store, txn => {
            if usage::claim_batch(txn, self.writer, *number, now).await? == Consumed::ByUs {
                let oldest = Day::of(now).minus(self.kept);
                for day in days_over(batch, now).into_iter().filter(|day| *day >= oldest) {
                    usage::reopen(txn, day).await?;
                }
                let products = Products::of(txn, unwritten.untold_clients()).await?;
                let calls: Vec<_> = told.iter().map(|call| call.happening(&products)).collect();
                // It holds the people, and so comes before what refers to them.
                self.sinks.queue(txn, &calls, now).await?;
                let mut counts = resolved(txn, batch, &products).await?;
                counts.retain(|key, _| key.day >= oldest);
                usage::add(txn, &counts).await?;
            }
            Ok(())
        })
    }
}

fn warn(what: &str, error: &StoreError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(flow = "usage", %error, cause, "{what}");
}

/// The days of a batch that may have been rolled up by now, or soon.
fn days_over(batch: &BTreeMap<Key, Latency>, now: Timestamp) -> BTreeSet<Day> {
    let days = batch.keys().map(|key| key.day);
    days.filter(|day| day.end().plus(ROLLED_UP_AFTER / 2) <= now).collect()
}

/// The counts as they are written: products and organizations instead of what the request said.
/// A person who is gone since is counted as nobody.
async fn resolved(
    txn: &Txn,
    batch: &BTreeMap<Key, Latency>,
    products: &Products,
) -> Result<BTreeMap<usage::Key, Latency>, StoreError> {
    let people: BTreeSet<_> = batch.keys().filter_map(|key| key.who.person).collect();
    let people: Vec<_> = people.into_iter().map(|Person(user_id)| user_id).collect();
    let organizations = organization::keys_of(txn, &people).await?;
    let mut counts: BTreeMap<usage::Key, Latency> = BTreeMap::new();
    for (key, latency) in batch {
        let person = key.who.person.map(|Person(user_id)| user_id);
        let person = person.filter(|person| organizations.contains_key(person));
        let organization = person.and_then(|person| organizations.get(&person));
        let about = [
            organization.cloned().unwrap_or_default(),
            products.with(&key.who),
            key.tool.clone(),
            key.revision.to_owned(),
            key.outcome.to_owned(),
        ];
        let key = usage::Key::of_nobody(key.day, about).of(person);
        counts.entry(key).or_default().add(latency);
    }
    Ok(counts)
}
