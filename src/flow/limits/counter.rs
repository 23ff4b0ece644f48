//! One limit and everybody counted under it on this replica.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::config::values::Limit;
use crate::flow::limits::window::{Share, Window};
use crate::flow::limits::{Counted, Reading};

/// The most callers counted at once, per limit.
///
/// The cache forgets the least used first. What was settled of one that is forgotten is learnt
/// again at its next settlement; only the rest of a lease is lost, and that to its caller's good.
pub const KEYS_MAX: usize = 50_000;

/// The most callers waiting to be settled, per limit: what a database that is away may cost.
const WAITING_MAX: usize = 10_000;

/// A window, and whether it waits to be settled.
struct Slot {
    window: Window,
    is_waiting: bool,
}

/// Whoever is counted, and where.
#[derive(Clone)]
pub struct Holder {
    /// Who.
    pub who: Counted,
    slot: Arc<Mutex<Slot>>,
}

/// One limit and everybody counted under it.
pub struct Counter {
    /// The setting that gives it.
    pub name: &'static str,
    /// How much is allowed in which time.
    pub limit: Limit,
    slots: Cache<Counted, Arc<Mutex<Slot>>>,
    waiting: Mutex<Vec<Holder>>,
    /// Told when somebody waits to be settled.
    wakeup: Arc<Notify>,
    /// When the last window that is used up will be over, in milliseconds since the epoch.
    used_up_until: AtomicI64,
}

impl Counter {
    /// A counter in which nobody is counted yet. `wakeup` is told when somebody is to be settled.
    pub fn new(name: &'static str, limit: Limit, wakeup: Arc<Notify>) -> Self {
        Self {
            name,
            limit,
            slots: Cache::new(KEYS_MAX),
            waiting: Mutex::default(),
            wakeup,
            used_up_until: AtomicI64::new(i64::MIN),
        }
    }

    /// Counts one event.
    pub fn count(&self, who: Counted, now: Timestamp) -> Reading {
        let fresh = || {
            let window = Window::beginning_at(now);
            Ok::<_, ()>(Arc::new(Mutex::new(Slot { window, is_waiting: false })))
        };
        let slot = match self.slots.get_or_insert_with(&who, fresh) {
            Ok(slot) => slot,
            Err(()) => unreachable!("making a window cannot fail"),
        };
        let (is_allowed, window, is_due) = {
            let mut here = lock(&slot);
            here.window.renew(self.limit, now);
            let is_allowed = here.window.count(self.limit);
            let is_due = here.window.is_due(self.limit) && !here.is_waiting;
            here.is_waiting |= is_due;
            (is_allowed, here.window, is_due)
        };
        self.note(window);
        if is_due {
            self.wait(Holder { who, slot });
        }
        self.reading(is_allowed, window, now)
    }

    /// Looks without counting.
    pub fn look(&self, who: &Counted, now: Timestamp) -> Reading {
        let window = self.slots.get(who).map(|slot| {
            let mut window = lock(&slot).window;
            window.renew(self.limit, now);
            window
        });
        let window = window.unwrap_or(Window::beginning_at(now));
        self.reading(window.used() < self.limit.count, window, now)
    }

    /// Whether anybody has used a window up that is not over.
    pub fn is_used_up_by_somebody(&self, now: Timestamp) -> bool {
        now.millis() < self.used_up_until.load(Ordering::Relaxed)
    }

    /// Whoever waits to be settled.
    pub fn take_waiting(&self) -> Vec<Holder> {
        std::mem::take(&mut self.waiting())
    }

    /// Everybody who was counted, whether they wait or not.
    pub fn everybody(&self) -> Vec<Holder> {
        self.slots.iter().map(|(who, slot)| Holder { who, slot }).collect()
    }

    /// What is to be told of somebody who waited; `None` when it is no longer worth telling, and
    /// then they wait no more.
    pub fn open(&self, holder: &Holder, now: Timestamp) -> Option<Share> {
        let mut slot = lock(&holder.slot);
        let open = slot.window.open(self.limit, now);
        slot.is_waiting = open.is_some();
        open
    }

    /// Takes over what was learnt. Who has used up another lease meanwhile waits again.
    pub fn settle(&self, holder: Holder, told: Share, learnt: Share, now: Timestamp) {
        let (window, is_due) = {
            let mut slot = lock(&holder.slot);
            slot.window.settle(told, learnt, now);
            slot.is_waiting = slot.window.is_due(self.limit);
            (slot.window, slot.is_waiting)
        };
        self.note(window);
        if is_due {
            self.wait(holder);
        }
    }

    /// Puts somebody among those who wait. When too many do, they are counted here alone until
    /// their next event.
    pub fn wait(&self, holder: Holder) {
        let mut waiting = self.waiting();
        if waiting.len() < WAITING_MAX {
            waiting.push(holder);
            drop(waiting);
            self.wakeup.notify_one();
        } else {
            drop(waiting);
            lock(&holder.slot).is_waiting = false;
        }
    }

    fn note(&self, window: Window) {
        if window.used() >= self.limit.count {
            let until = window.ends_at(self.limit).millis();
            self.used_up_until.fetch_max(until, Ordering::Relaxed);
        }
    }

    fn reading(&self, allowed: bool, window: Window, now: Timestamp) -> Reading {
        Reading {
            allowed,
            limit: self.limit.count,
            remaining: self.limit.count.saturating_sub(window.used()),
            resets_in: now.until(window.ends_at(self.limit)),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Holder>> {
        // A list is whole whatever became of its last holder.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    // Counts are whole whatever became of their last holder.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
