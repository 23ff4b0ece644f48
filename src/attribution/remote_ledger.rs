//! The ledger of other MCP servers: that a person's address went along with a call is written once
//! for each person, server and day, and no call waits for it.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::attribution::sinks::REMOTE_PREFIX;
use crate::calendar::day_of;
use crate::clock::{Clock, Timestamp};
use crate::id::{DisclosureId, UserId};
use crate::remote::Witness;
use crate::secret::Entropy;
use crate::store::disclosures::{self, Disclosure};
use crate::store::{Store, StoreError, sink_people, transact};

/// Why other servers are told.
const PURPOSE: &str = "to answer what your assistant asks";

/// The kind of event.
const EVENT: &str = "tool.passed_on";

/// How many people and servers are remembered in a day. Beyond that what was written is written
/// again, to no effect.
const NOTED_MAX: usize = 100_000;

/// How long the database is spared after it failed.
const PAUSE: Duration = Duration::from_secs(5);

/// What this replica has to write down.
pub struct RemoteLedger {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
    /// Held by whoever writes, so that who writes next knows that nothing is under way.
    writing: tokio::sync::Mutex<()>,
    wakeup: Notify,
}

#[derive(Default)]
struct State {
    day: i64,
    noted: HashSet<(UserId, String)>,
    waiting: Vec<Note>,
}

#[derive(Clone)]
struct Note {
    user_id: UserId,
    remote: String,
    fields: &'static [&'static str],
    at: Timestamp,
}

impl Witness for RemoteLedger {
    fn told(&self, remote: &str, subject: &str, fields: &'static [&'static str]) {
        let Some(user_id) = UserId::parse(subject) else { return };
        let at = self.clock.now();
        let mut state = self.state();
        if state.day != day_of(at) || state.noted.len() >= NOTED_MAX {
            state.day = day_of(at);
            state.noted.clear();
        }
        if state.noted.insert((user_id, remote.to_owned())) {
            state.waiting.push(Note { user_id, remote: remote.to_owned(), fields, at });
            self.wakeup.notify_one();
        }
    }
}

impl RemoteLedger {
    /// An empty one.
    pub fn new(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            store,
            clock,
            entropy,
            state: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            wakeup: Notify::new(),
        }
    }

    /// Writes whenever there is something to write, until `ended` resolves, and then the rest.
    pub async fn keep_writing(&self, ended: impl Future<Output = ()> + Send) {
        let mut ended = pin!(ended);
        loop {
            tokio::select! {
                () = self.wakeup.notified() => {}
                () = &mut ended => {
                    if let Err(error) = self.write().await {
                        tracing::warn!(%error, "who was told of people last is not written down");
                    }
                    return;
                }
            }
            while let Err(error) = self.write().await {
                tracing::warn!(%error, "who was told of people is not written down yet");
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = &mut ended => return,
                }
            }
        }
    }

    /// Writes what waits; when it returns, everything that was noted before is written.
    pub async fn write(&self) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        let notes = std::mem::take(&mut self.state().waiting);
        if notes.is_empty() {
            return Ok(());
        }
        let written = transact!(self.store, txn => {
            let ids: Vec<_> = notes.iter().map(|note| note.user_id).collect();
            let held = sink_people::hold(txn, &ids).await?;
            for note in &notes {
                // Who was erased meanwhile is in no ledger.
                if held.iter().any(|person| person.id == note.user_id) {
                    disclosures::insert(txn, self.disclosure(note)).await?;
                }
            }
            Ok(())
        });
        if written.is_err() {
            self.state().waiting.extend(notes);
        }
        written
    }

    fn disclosure(&self, note: &Note) -> Disclosure {
        Disclosure {
            id: DisclosureId::generate(&*self.entropy, note.at),
            user_id: note.user_id,
            receiver: format!("{REMOTE_PREFIX}{}", note.remote),
            event: EVENT.to_owned(),
            occasion: format!("{EVENT} of day {}", day_of(note.at)),
            fields: note.fields.iter().map(|field| (*field).to_owned()).collect(),
            purpose: PURPOSE.to_owned(),
            disclosed_at: note.at,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A list is whole whatever became of its last holder.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
