//! Who asked what a moment ago, so that the same question in other words is seen.
//!
//! In memory only, and on the replica that heard both: what an anonymous connection is called here
//! is never written down.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::gap::is_reformulation;
use crate::id::{SearchId, UserId};

/// How soon somebody who was not helped asks again.
pub const ASKED_AGAIN_WITHIN: Duration = Duration::from_mins(5);

/// The most people and connections that are remembered.
const ASKERS_MAX: usize = 10_000;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A person.
    Person(UserId),
    /// Whoever is behind a connection without a token.
    Connection(u64),
}

struct Last {
    id: SearchId,
    at: Timestamp,
    terms: BTreeSet<String>,
}

/// The last search of each asker.
#[derive(Default)]
pub struct Recent(HashMap<Asker, Last>);

impl Recent {
    /// Remembers a search; the earlier one that it asks again in other words, if it does.
    pub fn ask(
        &mut self,
        asker: Asker,
        id: SearchId,
        at: Timestamp,
        terms: BTreeSet<String>,
    ) -> Option<SearchId> {
        if self.0.len() >= ASKERS_MAX && !self.0.contains_key(&asker) {
            self.forget_older_than(at.minus(ASKED_AGAIN_WITHIN));
            self.forget_half();
        }
        let last = self.0.insert(asker, Last { id, at, terms: terms.clone() })?;
        let is_soon = at.is_within(last.at, ASKED_AGAIN_WITHIN);
        (is_soon && last.id != id && is_reformulation(&last.terms, &terms)).then_some(last.id)
    }

    fn forget_older_than(&mut self, oldest: Timestamp) {
        self.0.retain(|_, last| oldest <= last.at);
    }

    /// When all of them are recent, the older half goes.
    fn forget_half(&mut self) {
        if self.0.len() < ASKERS_MAX {
            return;
        }
        let mut times: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for last in self.0.values() {
            *times.entry(last.at).or_default() += 1;
        }
        let mut left = self.0.len() / 2;
        let middle = times.into_iter().find(|(_, count)| {
            left = left.saturating_sub(*count);
            left == 0
        });
        if let Some((middle, _)) = middle {
            self.0.retain(|_, last| middle < last.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> SearchId {
        SearchId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn terms(words: &str) -> BTreeSet<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_same_asker_is_seen_to_ask_again_within_minutes_and_nobody_else() {
        let at = Timestamp::from_seconds;
        let (one, other) = (Asker::Connection(1), Asker::Connection(2));
        let mut recent = Recent::default();
        assert_eq!(recent.ask(one, id(1), at(0), terms("retent")), None);
        assert_eq!(recent.ask(other, id(2), at(1), terms("log retent")), None);
        assert_eq!(recent.ask(one, id(3), at(299), terms("log retent")), Some(id(1)));
        assert_eq!(recent.ask(one, id(4), at(300), terms("log retent")), None, "the same words");
        assert_eq!(recent.ask(one, id(5), at(600), terms("log retent hour")), None, "too late");
    }

    #[test]
    fn memory_is_bounded_and_the_older_go_first() {
        let mut recent = Recent::default();
        for number in 0..3 * ASKERS_MAX as u64 {
            let at = Timestamp::from_millis(i64::try_from(number).unwrap());
            recent.ask(Asker::Connection(number), id(number.into()), at, terms("retent"));
            assert!(recent.0.len() <= ASKERS_MAX);
        }
        assert!(recent.0.contains_key(&Asker::Connection(3 * ASKERS_MAX as u64 - 1)));
    }
}
