//! What was called and is not written yet, added up by key.
//!
//! However often something is called, it takes one place; and there are so many places. When they
//! are taken, which takes tens of thousands of people at once or a database that is away for long,
//! calls of others are counted without person and client: no call is lost, and what is not known of
//! it is said as unknown.

use std::collections::BTreeMap;

use crate::domain::day::Day;
use crate::domain::latency::Latency;
use crate::id::UserId;

/// The most keys that are kept apart. One takes some 300 bytes.
pub const KEYS_MAX: usize = 50_000;

/// Who called with what, as far as the request itself says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The person.
    pub person: Option<Person>,
    /// The product that `clientInfo` names.
    pub told: Option<&'static str>,
    /// The client that carried the token.
    pub client_id: Option<String>,
    /// The product that `User-Agent` names.
    pub agent: Option<&'static str>,
}

/// A person, in the order of identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person(pub UserId);

impl PartialOrd for Person {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Person {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.uuid().cmp(&other.0.uuid())
    }
}

/// What calls are added up by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// When.
    pub day: Day,
    /// Who, with what.
    pub who: Who,
    /// Which tool.
    pub tool: String,
    /// In which revision of the protocol.
    pub revision: &'static str,
    /// What became of it.
    pub outcome: &'static str,
}

/// Calls that wait.
#[derive(Debug, Default)]
pub struct Pending(BTreeMap<Key, Latency>);

impl Pending {
    /// Adds calls of a key.
    pub fn add(&mut self, key: Key, latency: &Latency) {
        let key = if self.0.len() < KEYS_MAX || self.0.contains_key(&key) {
            key
        } else {
            // Tools, revisions, outcomes and days are few.
            Key { who: Who::default(), ..key }
        };
        self.0.entry(key).or_default().add(latency);
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the first so many keys.
    pub fn take(&mut self, keys: usize) -> BTreeMap<Key, Latency> {
        let Some(next) = self.0.keys().nth(keys).cloned() else {
            return std::mem::take(&mut self.0);
        };
        let left = self.0.split_off(&next);
        std::mem::replace(&mut self.0, left)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(person: u32, outcome: &'static str) -> Key {
        let person = Person(UserId::from_uuid(uuid::Uuid::from_u128(person.into())));
        Key {
            day: Day::from_number(7),
            who: Who { person: Some(person), ..Who::default() },
            tool: "search_docs".to_owned(),
            revision: "2026-07-28",
            outcome,
        }
    }

    fn one() -> Latency {
        Latency::of(Duration::from_millis(3))
    }

    fn calls(taken: &BTreeMap<Key, Latency>) -> i64 {
        taken.values().map(Latency::calls).sum()
    }

    #[test]
    fn calls_of_one_key_take_one_place() {
        let mut pending = Pending::default();
        for _ in 0..1_000 {
            pending.add(key(1, "answered"), &one());
        }
        pending.add(key(1, "empty"), &one());
        assert_eq!(pending.len(), 2);
        assert_eq!(calls(&pending.take(10)), 1_001);
        assert!(pending.is_empty());
    }

    #[test]
    fn when_all_places_are_taken_no_call_is_lost_and_memory_is_bounded() {
        let mut pending = Pending::default();
        let people = u32::try_from(KEYS_MAX).unwrap() + 1_000;
        for person in 0..people {
            pending.add(key(person, "answered"), &one());
        }
        // Who has a place keeps it.
        pending.add(key(0, "answered"), &one());
        assert_eq!(pending.len(), KEYS_MAX + 1);
        let taken = pending.take(usize::MAX);
        assert_eq!(calls(&taken), i64::from(people) + 1);
        assert_eq!(taken[&key(0, "answered")].calls(), 2);
        let nobody = Key { who: Who::default(), ..key(0, "answered") };
        assert_eq!(taken[&nobody].calls(), 1_000);
    }

    #[test]
    fn what_is_taken_is_taken_once_and_in_parts() {
        let mut pending = Pending::default();
        for person in 0..10 {
            pending.add(key(person, "answered"), &one());
        }
        let parts = [4, 4, 4, 4].map(|keys| calls(&pending.take(keys)));
        assert_eq!(parts, [4, 4, 2, 0]);
    }
}
