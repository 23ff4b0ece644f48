//! Calls that are told of one by one, where a sink listens to them.
//!
//! They wait beside the counts and are queued in the same transaction, so that a call is told of
//! if and only if it is counted, and once. There are so many places; when they are taken, which
//! takes a database that is away for long, further calls are counted and not told of.

use uuid::Uuid;

use crate::attribution::happening::{Detail, Happening};
use crate::attribution::usage::pending::Who;
use crate::attribution::usage::products::Products;
use crate::clock::Timestamp;
use crate::config::sink_words::SinkEvent;
use crate::id::UserId;

/// The most calls that wait to be told of. One takes some 200 bytes.
pub const CALLS_MAX: usize = 50_000;

/// A call of a person.
#[derive(Clone, Debug)]
pub struct ToldCall {
    /// What makes it this one, over every attempt to write it down.
    pub occasion: Uuid,
    /// Whose.
    pub user_id: UserId,
    /// With what.
    pub who: Who,
    /// Which tool.
    pub tool: String,
    /// How it ended.
    pub outcome: &'static str,
    /// When.
    pub at: Timestamp,
}

impl ToldCall {
    /// The same as sinks are told of it.
    pub fn happening(&self, products: &Products) -> Happening {
        Happening {
            event: SinkEvent::ToolCalled,
            user_id: self.user_id,
            occasion: self.occasion,
            client_id: self.who.client_id.clone(),
            client_product: Some(products.with(&self.who)),
            detail: Detail::Tool { tool: self.tool.clone(), outcome: self.outcome.to_owned() },
            at: self.at,
        }
    }
}

/// Calls that wait to be told of.
#[derive(Debug, Default)]
pub struct Told {
    calls: Vec<ToldCall>,
    /// How many had no place.
    left_out: u64,
}

impl Told {
    /// Takes a call in, if there is a place.
    pub fn add(&mut self, call: ToldCall) {
        if self.calls.len() < CALLS_MAX {
            self.calls.push(call);
        } else {
            self.left_out += 1;
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Takes the first so many.
    pub fn take(&mut self, calls: usize) -> Vec<ToldCall> {
        let calls = calls.min(self.calls.len());
        self.calls.drain(..calls).collect()
    }

    /// How many were left out since this was asked last.
    pub fn left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: usize) -> ToldCall {
        ToldCall {
            occasion: Uuid::from_u128(u128::try_from(number).unwrap()),
            user_id: UserId::from_uuid(Uuid::nil()),
            who: Who::default(),
            tool: "search_docs".to_owned(),
            outcome: "answered",
            at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn what_is_taken_is_taken_once_in_its_order_and_memory_is_bounded() {
        let mut told = Told::default();
        for number in 0..CALLS_MAX + 3 {
            told.add(call(number));
        }
        assert_eq!((told.len(), told.left_out(), told.left_out()), (CALLS_MAX, 3, 0));
        let taken: Vec<_> = [4, usize::MAX, 1].into_iter().flat_map(|so| told.take(so)).collect();
        assert!(told.is_empty());
        let numbers: Vec<_> = taken.iter().map(|call| call.occasion.as_u128()).collect();
        assert!(numbers.iter().copied().eq(0..u128::try_from(CALLS_MAX).unwrap()));
    }
}
