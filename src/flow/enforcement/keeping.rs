//! What is done about enforcement without being asked: writing, looking, judging.
//!
//! 1. What came together is written in one transaction, claimed by number as usage is, so that a
//!    commit nobody answered counts once. Who came signed in is told after it, and again for a
//!    while.
//! 2. Whether there is a halt is read from the database, and believed from the moment it was asked.
//! 3. Once a minute those who were asked are judged (`domain::enforcement::judge`). Of several
//!    replicas that conclude the same, the database lets one begin the halt.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::config::AuthMode;
use crate::domain::day::Day;
use crate::domain::enforcement::{Standing, judge, judged_span};
use crate::flow::enforcement::pending::Batch;
use crate::flow::{Gatehouse, chain};
use crate::id::EnforcementHaltId;
use crate::store::{Consumed, StoreError, anonymous, enforcement, transact, usage};

/// How often it is written and looked.
pub const KEPT_EVERY: Duration = Duration::from_secs(2);

/// It is judged with every so many looks: once a minute.
const JUDGED_EVERY: u32 = 30;

/// The most rows of one day. When it has them, requests are counted without their callers: whoever
/// has very many networks must not fill the database.
const ROWS_OF_A_DAY_MAX: u64 = 500_000;

/// How long is waited after the database failed while the server stops.
const LAST_TRIES_EVERY: Duration = Duration::from_millis(200);

/// How often a batch is tried that the database refuses for what is in it.
const REFUSALS_MAX: u32 = 5;

/// The batch that was begun last, as long as it is not known to be written.
#[derive(Debug, Default)]
pub struct Unwritten {
    number: i64,
    /// How often the database refused it for what is in it.
    refusals: u32,
    batch: Batch,
}

impl Gatehouse {
    /// Keeps enforcement until `ended` resolves, and then writes what is left, as often as it
    /// takes.
    pub async fn keep_enforcement(&self, ended: impl Future<Output = ()> + Send) {
        if self.config.auth != AuthMode::Grace {
            return ended.await;
        }
        let mut ended = pin!(ended);
        let mut rounds: u32 = 0;
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(KEPT_EVERY) => {}
                () = &mut ended => break,
            }
            rounds = rounds.wrapping_add(1);
            let round = async {
                // Looking comes first: a write that fails must not make everybody pass.
                self.look_for_halt().await?;
                self.write_anonymous().await?;
                if rounds.is_multiple_of(JUDGED_EVERY) {
                    self.judge_enforcement().await
                } else {
                    Ok(())
                }
            };
            let kept = tokio::select! {
                kept = round => kept,
                () = &mut ended => break,
            };
            match kept {
                Ok(()) => is_failing = false,
                Err(error) if !std::mem::replace(&mut is_failing, true) => {
                    let error = chain(&error);
                    tracing::warn!(flow = "enforcement", error, "the database does not take part");
                }
                Err(_) => {}
            }
        }
        while let Err(error) = self.write_anonymous().await {
            if !std::mem::replace(&mut is_failing, true) {
                let error = chain(&error);
                tracing::warn!(flow = "enforcement", error, "the last callers are not written yet");
            }
            tokio::time::sleep(LAST_TRIES_EVERY).await;
        }
    }

    /// Does all of it once: writes, judges, looks.
    pub async fn tend_enforcement(&self) -> Result<(), StoreError> {
        self.write_anonymous().await?;
        self.judge_enforcement().await?;
        self.look_for_halt().await
    }

    /// Writes all that has come together.
    pub async fn write_anonymous(&self) -> Result<(), StoreError> {
        let mut unwritten = self.enforcement.unwritten.lock().await;
        if unwritten.batch.is_empty() {
            unwritten.batch = self.enforcement.pending().take();
            unwritten.number += i64::from(!unwritten.batch.is_empty());
        }
        if !unwritten.batch.is_empty() {
            match self.write_batch(&unwritten).await {
                Err(error) if error.is_passing() || unwritten.refusals < REFUSALS_MAX => {
                    unwritten.refusals += u32::from(!error.is_passing());
                    return Err(error);
                }
                // What the database will never take must not keep back what comes after it.
                Err(error) => {
                    let error = chain(&error);
                    tracing::error!(flow = "enforcement", error, "callers could not be counted");
                }
                Ok(()) => {}
            }
            unwritten.refusals = 0;
            unwritten.batch = Batch::default();
        }
        self.tell_signed_in().await
    }

    async fn write_batch(&self, unwritten: &Unwritten) -> Result<(), StoreError> {
        let now = self.clock.now();
        let Unwritten { number, batch, .. } = unwritten;
        let oldest = Day::of(now).minus(self.config.enforcement.anonymous_kept);
        let mut counts = batch.counts.clone();
        counts.retain(|key, _| key.day >= oldest);
        let challenged: Vec<_> = batch.challenged.values().cloned().collect();
        transact!(self.store, txn => {
            let writer = self.enforcement.writer;
            if usage::claim_batch(txn, writer, *number, now).await? == Consumed::ByUs {
                anonymous::add(txn, &counts).await?;
                enforcement::note_challenged(txn, &challenged).await?;
            }
            Ok(())
        })
    }

    async fn tell_signed_in(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let came = self.enforcement.pending().signed_in();
        if !came.is_empty() {
            transact!(self.store, txn => enforcement::note_signed_in(txn, &came).await)?;
            self.enforcement.pending().forget_told(&came, now);
        }
        Ok(())
    }

    /// Learns whether there is a halt.
    pub async fn look_for_halt(&self) -> Result<(), StoreError> {
        if self.enforcement.policy.is_empty() {
            return Ok(());
        }
        // What the database says was true when it was asked, and may not be when it has answered.
        let asked_at = self.clock.now();
        let halt = enforcement::last_halt(self.store.read()).await?;
        let is_halted = halt.is_some_and(|halt| halt.resumed_at.is_none());
        *self.enforcement.in_force_at() = (!is_halted).then_some(asked_at);
        Ok(())
    }

    /// Judges those who were asked, and begins a halt if too few came back. Also sees whether today
    /// is full.
    pub async fn judge_enforcement(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let rows = anonymous::rows_of(self.store.read(), Day::of(now)).await?;
        let is_full = rows >= ROWS_OF_A_DAY_MAX;
        if is_full && !self.enforcement.is_full.swap(is_full, Ordering::Relaxed) {
            tracing::warn!(flow = "enforcement", rows, "too many callers to keep them apart today");
        }
        self.enforcement.is_full.store(is_full, Ordering::Relaxed);
        if self.enforcement.policy.is_empty() {
            return Ok(());
        }
        let last = enforcement::last_halt(self.store.read()).await?;
        if last.is_some_and(|halt| halt.resumed_at.is_none()) {
            return Ok(());
        }
        let (from, until) = judged_span(now, last.and_then(|halt| halt.resumed_at));
        let tally = enforcement::tally(self.store.read(), (from, until)).await?;
        let halt_below = self.config.enforcement.halt_below;
        if judge(tally, halt_below) == Standing::InForce {
            return Ok(());
        }
        let id = EnforcementHaltId::generate(&*self.entropy, now).uuid();
        let halted = transact!(self.store, txn => {
            enforcement::halt(txn, id, tally, (from, now)).await
        })?;
        if halted == Consumed::ByUs {
            tracing::warn!(
                flow = "enforcement",
                challenged = tally.challenged,
                returned = tally.returned,
                halt_below,
                "enforcement is halted: too few of those who were asked signed in. \
                 Everybody passes again until `gatehouse enforcement resume`"
            );
        }
        Ok(())
    }
}
