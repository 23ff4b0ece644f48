//! Leaves a server alone that fails: callers get what there is without it at once, and it gets
//! room to come back.
//!
//! Closed, every call passes. After [`FAULTS_MAX`] faults in a row it opens, and no call passes for
//! [`REST`]. Then one call is let through to try; its end decides.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

/// So many faults in a row open it.
pub const FAULTS_MAX: u32 = 5;

/// How long it stays open before one call may try.
pub const REST: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug)]
enum State {
    Closed {
        faults: u32,
    },
    Open {
        since: Timestamp,
    },
    /// One call is out to try.
    Trying {
        since: Timestamp,
    },
}

/// The breaker of one server.
#[derive(Debug)]
pub struct Breaker(Mutex<State>);

impl Default for Breaker {
    fn default() -> Self {
        Self(Mutex::new(State::Closed { faults: 0 }))
    }
}

/// A call that was let through. Dropped without a word, as when its caller went away, it counts as
/// nothing, and another one may try.
#[derive(Debug)]
pub struct Passage<'a> {
    breaker: &'a Breaker,
    is_trial: bool,
}

impl Breaker {
    /// Lets a call through, or not.
    pub fn admit(&self, now: Timestamp) -> Option<Passage<'_>> {
        let mut state = self.state();
        let is_trial = match *state {
            State::Closed { .. } => false,
            // A clock that was set back must not keep it open for hours.
            State::Open { since } if now.is_within(since, REST) => return None,
            State::Open { since } => {
                *state = State::Trying { since };
                true
            }
            State::Trying { .. } => return None,
        };
        Some(Passage { breaker: self, is_trial })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passage<'_> {
    /// The server answered, whatever it said.
    pub fn answered(self) {
        *self.breaker.state() = State::Closed { faults: 0 };
    }

    /// The server failed. Returns whether that opened the breaker.
    pub fn failed(self, now: Timestamp) -> bool {
        let mut state = self.breaker.state();
        match *state {
            State::Closed { faults } if faults + 1 < FAULTS_MAX => {
                *state = State::Closed { faults: faults + 1 };
                false
            }
            State::Closed { .. } => {
                *state = State::Open { since: now };
                true
            }
            State::Trying { .. } if self.is_trial => {
                *state = State::Open { since: now };
                false
            }
            // A call that began before it opened has nothing to add.
            State::Open { .. } | State::Trying { .. } => false,
        }
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        let mut state = self.breaker.state();
        if let (State::Trying { since }, true) = (*state, self.is_trial) {
            *state = State::Open { since };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.admit(at(0)).expect("it is closed").failed(at(0));
        }
    }

    #[test]
    fn only_faults_in_a_row_open_it() {
        let breaker = Breaker::default();
        fail(&breaker, FAULTS_MAX - 1);
        breaker.admit(at(0)).expect("it is closed").answered();
        fail(&breaker, FAULTS_MAX - 1);
        let last = breaker.admit(at(0)).expect("it is closed");
        assert!(last.failed(at(0)), "this one opens it");
        assert!(breaker.admit(at(0)).is_none());
    }

    #[test]
    fn after_the_rest_one_call_tries_and_decides() {
        let breaker = Breaker::default();
        fail(&breaker, FAULTS_MAX);
        assert!(breaker.admit(at(29)).is_none());
        let trial = breaker.admit(at(30)).expect("one may try");
        assert!(breaker.admit(at(30)).is_none(), "and no other one");
        trial.failed(at(31));
        assert!(breaker.admit(at(60)).is_none(), "it rests again, from the trial on");
        breaker.admit(at(61)).expect("one may try").answered();
        let (one, other) = (breaker.admit(at(61)), breaker.admit(at(61)));
        assert!(one.is_some() && other.is_some(), "it is closed");
    }

    #[test]
    fn a_trial_that_nobody_waits_for_leaves_its_place_to_another() {
        let breaker = Breaker::default();
        fail(&breaker, FAULTS_MAX);
        drop(breaker.admit(at(30)).expect("one may try"));
        assert!(breaker.admit(at(30)).is_some());
    }

    #[test]
    fn who_began_before_it_opened_does_not_lengthen_the_rest() {
        let breaker = Breaker::default();
        let early = breaker.admit(at(0)).expect("it is closed");
        fail(&breaker, FAULTS_MAX);
        early.failed(at(20));
        assert!(breaker.admit(at(30)).is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_it_open() {
        let breaker = Breaker::default();
        for _ in 0..FAULTS_MAX {
            breaker.admit(at(1_000)).expect("it is closed").failed(at(1_000));
        }
        assert!(breaker.admit(at(10)).is_some());
    }
}
