//! Keeps what is asked, off the request path.
//!
//! Texts cannot be added up like counts, so what waits has a bound: beyond [`WAITING_MAX`], which a
//! database that is away for long may lead to, further texts are not kept, and the log says how
//! many. They are counted all the same.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::attribution::scrub::scrub;
use crate::attribution::searches::recent::{Asker, Recent};
use crate::attribution::usage::organization;
use crate::clock::{Clock, Timestamp};
use crate::id::{SearchId, UserId};
use crate::mcp::reply::Finding;
use crate::mcp::usage::Call;
use crate::secret::Entropy;
use crate::server_secret::{Purpose, ServerSecret};
use crate::store::searches::{self, KeptText, Kind};
use crate::store::{Store, StoreError, Txn, transact};
use crate::text::tokens::{QUESTION_TERMS_MAX, terms};

/// The most calls whose texts wait. One takes some 2,500 characters at most.
pub const WAITING_MAX: usize = 5_000;

/// Calls written at once.
const BATCH_CALLS: usize = 500;

/// Keeps texts.
pub struct SearchRecorder {
    store: Store,
    secret: Arc<ServerSecret>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    waiting: Mutex<Waiting>,
    /// Held by whoever writes.
    writing: tokio::sync::Mutex<Writing>,
}

#[derive(Default)]
struct Waiting {
    asked: VecDeque<Asked>,
    dropped: u64,
}

#[derive(Default)]
struct Writing {
    recent: Recent,
    batch: Vec<KeptText>,
    reformulated: Vec<SearchId>,
}

/// What was asked, as it came.
struct Asked {
    id: SearchId,
    at: Timestamp,
    person: Option<UserId>,
    connection: Option<u64>,
    tool: String,
    query: Option<String>,
    context: Option<String>,
    finding: Option<Finding>,
}

impl SearchRecorder {
    /// Keeps texts in `store`, sealed under `secret`.
    pub fn new(
        store: Store,
        secret: Arc<ServerSecret>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let (waiting, writing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { store, secret, clock, entropy, waiting, writing }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Every entry is whole whatever became of the last holder.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a call says, if it says anything that is kept.
    pub fn note(&self, call: &Call<'_>) {
        if call.query.is_none() && call.context.is_none() {
            return;
        }
        let at = self.clock.now();
        let person = call.caller.person.as_ref();
        let asked = Asked {
            id: SearchId::generate(&*self.entropy, at),
            at,
            person: person.and_then(|person| UserId::parse(&person.subject)),
            connection: call.connection.map(|connection| connection.0),
            tool: call.tool.to_owned(),
            query: call.query.map(str::to_owned),
            context: call.context.map(str::to_owned),
            finding: call.finding,
        };
        let mut waiting = self.waiting();
        if waiting.asked.len() < WAITING_MAX {
            waiting.asked.push_back(asked);
        } else {
            waiting.dropped += 1;
        }
    }

    /// Writes all that waits.
    pub async fn write(&self) -> Result<(), StoreError> {
        let mut writing = self.writing.lock().await;
        loop {
            if writing.batch.is_empty() {
                let asked = self.take();
                if asked.is_empty() {
                    return Ok(());
                }
                for one in asked {
                    self.seal(one, &mut writing);
                }
            }
            let Writing { batch, reformulated, .. } = &*writing;
            transact!(self.store, txn => insert(txn, batch, reformulated).await)?;
            writing.batch.clear();
            writing.reformulated.clear();
        }
    }

    fn take(&self) -> Vec<Asked> {
        let mut waiting = self.waiting();
        let dropped = std::mem::take(&mut waiting.dropped);
        if dropped > 0 {
            tracing::warn!(flow = "usage", dropped, "texts of searches were not kept");
        }
        let count = waiting.asked.len().min(BATCH_CALLS);
        waiting.asked.drain(..count).collect()
    }

    /// Scrubs and seals what was asked, and looks whether it was asked before.
    fn seal(&self, asked: Asked, writing: &mut Writing) {
        let Asked { id, at, person, connection, tool, query, context, finding } = asked;
        let query = query.map(|text| scrub(&text).text);
        let query_terms: BTreeSet<_> = query
            .as_deref()
            .map(|text| terms(text, QUESTION_TERMS_MAX).into_iter().collect())
            .unwrap_or_default();
        let asker = person.map(Asker::Person).or(connection.map(Asker::Connection));
        if let (Some(asker), Some(_)) = (asker, finding.filter(|_| query.is_some())) {
            writing.reformulated.extend(writing.recent.ask(asker, id, at, query_terms.clone()));
        }
        let texts = [(Kind::Query, query), (Kind::Context, context.map(|text| scrub(&text).text))];
        for (kind, text) in texts {
            let Some(text) = text else { continue };
            writing.batch.push(KeptText {
                id,
                kind,
                asked_at: at,
                user_id: person,
                organization: String::new(),
                tool: tool.clone(),
                text_sealed: self.secret.seal(&*self.entropy, purpose(kind), text.as_bytes()),
                results: finding.map(|finding| i64::try_from(finding.results).unwrap_or(i64::MAX)),
                top_score: finding.and_then(|finding| finding.top_score),
                terms: i64::try_from(query_terms.len()).unwrap_or(i64::MAX),
                is_reformulated: false,
            });
        }
    }
}

/// What a text is sealed for.
pub const fn purpose(kind: Kind) -> Purpose {
    match kind {
        Kind::Query => Purpose::Query,
        Kind::Context => Purpose::Context,
    }
}

async fn insert(
    txn: &Txn,
    batch: &[KeptText],
    reformulated: &[SearchId],
) -> Result<(), StoreError> {
    let mut people: Vec<_> = batch.iter().filter_map(|text| text.user_id).collect();
    people.sort_unstable_by_key(|person| person.uuid());
    people.dedup();
    let organizations = organization::keys_of(txn, &people).await?;
    for text in batch {
        let mut text = text.clone();
        // What somebody asked who is gone since goes with them.
        if text.user_id.is_some_and(|person| !organizations.contains_key(&person)) {
            continue;
        }
        let organization = text.user_id.and_then(|person| organizations.get(&person));
        text.organization = organization.cloned().unwrap_or_default();
        searches::insert(txn, text).await?;
    }
    searches::mark_reformulated(txn, reformulated).await
}
