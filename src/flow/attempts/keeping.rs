//! Writes what was told of attempts.
//!
//! A batch whose commit nobody answered is written again: a line that stands twice is read once. A
//! use may be told here before another replica has written which attempt its grant belongs to, so
//! it is tried a few times.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use crate::flow::{Gatehouse, chain};
use crate::id::AuthorizationRequestId;
use crate::store::attempts::{self, Addition, BOUNDS, Use};
use crate::store::{StoreError, authorization_codes, transact};

/// How often what has come together is written.
pub const WRITTEN_EVERY: Duration = Duration::from_secs(2);

/// Attempts written at once.
const BATCH_ATTEMPTS: usize = 500;

/// The bounds are looked after when so many attempts were added to.
const TRIMMED_EVERY: usize = 1_000;

/// How often a use is tried whose attempt is not known: for as long as another replica needs.
const USE_TRIES_MAX: u32 = 5;

/// How long is waited after the database failed while the server stops.
const LAST_TRIES_EVERY: Duration = Duration::from_millis(200);

/// How often a batch is tried that the database refuses for what is in it.
const REFUSALS_MAX: u32 = 5;

/// The batch that was begun last, as long as it is not known to be written, and the uses whose
/// attempts are not known, with how often they were tried.
#[derive(Default)]
pub struct Unwritten {
    batch: Vec<(AuthorizationRequestId, Addition)>,
    uses: VecDeque<(Use, u32)>,
    refusals: u32,
    since_trimmed: usize,
}

impl Gatehouse {
    /// Writes now and then until `ended` resolves, and then what is left, as often as it takes.
    pub async fn keep_attempts(&self, ended: impl Future<Output = ()> + Send) {
        let mut ended = pin!(ended);
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(WRITTEN_EVERY) => {}
                () = self.attempts.is_enough.notified(), if !is_failing => {}
                () = &mut ended => break,
            }
            let written = tokio::select! {
                written = self.write_attempts() => written,
                () = &mut ended => break,
            };
            match written {
                Ok(()) => is_failing = false,
                Err(error) if !std::mem::replace(&mut is_failing, true) => {
                    let error = chain(&error);
                    tracing::warn!(flow = "attempts", error, "attempts are not written yet");
                }
                Err(_) => {}
            }
        }
        while let Err(error) = self.write_attempts().await {
            if !std::mem::replace(&mut is_failing, true) {
                let error = chain(&error);
                tracing::warn!(flow = "attempts", error, "the last attempts are not written yet");
            }
            tokio::time::sleep(LAST_TRIES_EVERY).await;
        }
    }

    /// Writes all that has come together.
    pub async fn write_attempts(&self) -> Result<(), StoreError> {
        let mut unwritten = self.attempts.unwritten.lock().await;
        self.find_attempts_of_codes().await?;
        loop {
            if unwritten.batch.is_empty() {
                self.begin_batch_of_attempts(&mut unwritten);
            }
            if unwritten.batch.is_empty() {
                return self.write_uses(&mut unwritten).await;
            }
            match self.write_additions(&unwritten).await {
                Err(error) if error.is_passing() || unwritten.refusals < REFUSALS_MAX => {
                    unwritten.refusals += u32::from(!error.is_passing());
                    return Err(error);
                }
                // What the database will never take must not keep back what comes after it.
                Err(error) => {
                    let (attempts, error) = (unwritten.batch.len(), chain(&error));
                    tracing::error!(flow = "attempts", attempts, error, "they are not written");
                }
                Ok(()) => {}
            }
            unwritten.refusals = 0;
            unwritten.since_trimmed += unwritten.batch.len();
            unwritten.batch.clear();
            if unwritten.since_trimmed >= TRIMMED_EVERY {
                transact!(self.store, txn => attempts::trim(txn, BOUNDS).await)?;
                unwritten.since_trimmed = 0;
            }
        }
    }

    async fn find_attempts_of_codes(&self) -> Result<(), StoreError> {
        loop {
            let next = self.attempts.waiting().of_codes.front().cloned();
            let Some((code_hash, line)) = next else { return Ok(()) };
            // Taken out when it is found: nobody else takes, and a fault loses nothing.
            let found = authorization_codes::request_of(self.store.read(), code_hash).await?;
            self.attempts.waiting().of_codes.pop_front();
            if let Some(attempt) = found {
                self.attempts.add(attempt, |addition| addition.steps.push_str(&line));
            }
        }
    }

    fn begin_batch_of_attempts(&self, unwritten: &mut Unwritten) {
        let mut waiting = self.attempts.waiting();
        while unwritten.batch.len() < BATCH_ATTEMPTS
            && let Some((id, addition)) = waiting.additions.pop_first()
        {
            unwritten.batch.push((AuthorizationRequestId::from_uuid(id), addition));
        }
        unwritten.uses.extend(waiting.uses.drain(..).map(|it| (it, 0)));
        let left_out = std::mem::take(&mut waiting.left_out);
        drop(waiting);
        if left_out > 0 {
            tracing::warn!(flow = "attempts", left_out, "steps are left out: too many wait");
        }
    }

    async fn write_additions(&self, unwritten: &Unwritten) -> Result<(), StoreError> {
        let batch = &unwritten.batch;
        transact!(self.store, txn => attempts::add(txn, batch).await)
    }

    async fn write_uses(&self, unwritten: &mut Unwritten) -> Result<(), StoreError> {
        let uses: Vec<_> = unwritten.uses.iter().map(|(it, _)| it.clone()).collect();
        if uses.is_empty() {
            return Ok(());
        }
        let known = transact!(self.store, txn => {
            let mut known = Vec::with_capacity(uses.len());
            for it in &uses {
                known.push(attempts::add_use(txn, it).await?);
            }
            Ok(known)
        })?;
        let tried = std::mem::take(&mut unwritten.uses).into_iter().zip(known);
        let again = tried.filter(|((_, tries), is_known)| !is_known && tries + 1 < USE_TRIES_MAX);
        unwritten.uses = again.map(|((it, tries), _)| (it, tries + 1)).collect();
        Ok(())
    }
}
