//! One caller's window on one replica: what the replicas have settled, and what only we know of.
//!
//! A replica may use up to a [`lease`] of a window without telling anybody. It counts on while a
//! settlement is under way, so that no request waits for one.
//!
//! Never here: who is counted, the database, time.

use crate::clock::Timestamp;
use crate::config::values::Limit;

/// How many events of a window one replica may count before it settles.
///
/// A tenth: the more, the fewer writes; the less, the closer several replicas keep to the limit.
pub fn lease(limit: Limit) -> u32 {
    (limit.count / 10).max(1)
}

/// A window of one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    began_at: Timestamp,
    /// What all replicas had used when we settled last, ours of then included.
    settled: u32,
    /// What we have counted since.
    unsettled: u32,
}

/// What a replica tells of a window, or learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// When the window began.
    pub began_at: Timestamp,
    /// Events: told, those not told before; learnt, those of all replicas.
    pub used: u32,
}

impl Window {
    /// A window whose first event is about to come.
    pub const fn beginning_at(now: Timestamp) -> Self {
        Self { began_at: now, settled: 0, unsettled: 0 }
    }

    /// Begins anew when it is over. So it is when it lies in the future: a clock that was set back
    /// must not keep somebody out for hours.
    pub fn renew(&mut self, limit: Limit, now: Timestamp) {
        if !now.is_within(self.began_at, limit.window) {
            *self = Self::beginning_at(now);
        }
    }

    /// Counts one event; whether it is within the limit. One that is not does not count: who
    /// hammers on gets in no sooner and no later, and there is nothing to write down.
    pub fn count(&mut self, limit: Limit) -> bool {
        let is_allowed = self.used() < limit.count;
        self.unsettled += u32::from(is_allowed);
        is_allowed
    }

    /// Events of this window, as far as this replica knows.
    pub fn used(&self) -> u32 {
        self.settled.saturating_add(self.unsettled)
    }

    /// When it is over.
    pub fn ends_at(&self, limit: Limit) -> Timestamp {
        self.began_at.plus(limit.window)
    }

    /// Whether a lease is used up, so that the other replicas must hear of it.
    pub fn is_due(&self, limit: Limit) -> bool {
        self.unsettled >= lease(limit)
    }

    /// What to tell; `None` when there is nothing, or the window is over and nobody cares.
    pub fn open(&self, limit: Limit, now: Timestamp) -> Option<Share> {
        let is_open = self.unsettled > 0 && now.is_within(self.began_at, limit.window);
        is_open.then_some(Share { began_at: self.began_at, used: self.unsettled })
    }

    /// Takes over what was `learnt` by telling what was `told`. What was counted meanwhile stays
    /// unsettled.
    pub fn settle(&mut self, told: Share, learnt: Share, now: Timestamp) {
        if self.began_at != told.began_at {
            // It was over before the answer came.
            return;
        }
        let known = self.settled.saturating_add(told.used);
        self.unsettled = self.unsettled.saturating_sub(told.used);
        self.settled = if learnt.began_at == self.began_at {
            // A database that has forgotten the window must not make us forget it too.
            known.max(learnt.used)
        } else {
            learnt.used
        };
        // A replica whose clock is ahead may have begun it; in the future it would not count.
        self.began_at = learnt.began_at.min(now);
    }
}
