//! What came without a token, who was asked, and who came signed in, as far as it is not written
//! yet. However much comes, there are so many places.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::enforcement::{Decision, NOBODY, NetworkHash};
use crate::domain::product::UNKNOWN;
use crate::store::anonymous::{Count, Key};
use crate::store::enforcement::{Challenged, SignedIn};

/// The most keys, and the most callers of each other kind, that are kept apart. One takes some 250
/// bytes.
pub const KEYS_MAX: usize = 20_000;

/// How long it is told again that somebody came signed in: whoever asked them may be another
/// replica, which has not written it yet.
pub const TOLD_FOR: Duration = Duration::from_secs(10);

/// What is written at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Requests.
    pub counts: BTreeMap<Key, Count>,
    /// Callers who were asked, once in each half hour.
    pub challenged: BTreeMap<(NetworkHash, i64), Challenged>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.challenged.is_empty()
    }
}

/// What waits.
#[derive(Debug, Default)]
pub struct Pending {
    batch: Batch,
    signed_in: BTreeMap<NetworkHash, SignedIn>,
}

/// The same, of nobody in particular and with nothing that a stranger can choose.
pub fn of_nobody(key: Key) -> Key {
    let product = UNKNOWN.to_owned();
    Key { network_hash: NOBODY, network: String::new(), product, ..key }
}

impl Pending {
    /// Adds one request.
    pub fn note(&mut self, key: Key, decision: Decision, now: Timestamp) {
        let is_challenged = decision != Decision::Pass;
        if is_challenged && key.network_hash != NOBODY {
            let product = key.product.clone();
            let caller = Challenged { network_hash: key.network_hash, at: now, product };
            let place = (caller.network_hash, caller.slot());
            if self.batch.challenged.len() < KEYS_MAX {
                self.batch.challenged.entry(place).or_insert(caller);
            }
        }
        let counts = &mut self.batch.counts;
        let has_place = counts.len() < KEYS_MAX || counts.contains_key(&key);
        let key = if has_place { key } else { of_nobody(key) };
        let count = counts.entry(key).or_default();
        count.calls += 1;
        count.challenged += i64::from(is_challenged);
    }

    /// Adds somebody who came with a good token.
    pub fn note_signed_in(&mut self, network_hash: NetworkHash, now: Timestamp) {
        let is_new = !self.signed_in.contains_key(&network_hash);
        if is_new && self.signed_in.len() >= KEYS_MAX {
            return;
        }
        let came = SignedIn { network_hash, first: now, last: now };
        let known = self.signed_in.entry(network_hash).or_insert(came);
        known.last = known.last.max(now);
    }

    /// Takes what is to be written.
    pub fn take(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    /// Who came signed in of late, in the order of their hashes.
    pub fn signed_in(&self) -> Vec<SignedIn> {
        self.signed_in.values().copied().collect()
    }

    /// Forgets those who were told and came too long before `now`.
    pub fn forget_told(&mut self, told: &[SignedIn], now: Timestamp) {
        for came in told {
            let is_over = !now.is_within(came.first, TOLD_FOR);
            if is_over && self.signed_in.get(&came.network_hash) == Some(came) {
                self.signed_in.remove(&came.network_hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::day::Day;
    use crate::domain::enforcement::Reason;

    fn key(caller: u32) -> Key {
        let mut network_hash = [1; 32];
        network_hash[..4].copy_from_slice(&caller.to_be_bytes());
        Key {
            day: Day::from_number(7),
            network_hash,
            network: "198.51.100.0/24".to_owned(),
            product: "Cursor".to_owned(),
            tool: String::new(),
            method: "initialize".to_owned(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    const ASKED: Decision = Decision::Challenge(Reason::Share);

    #[test]
    fn no_request_is_lost_and_memory_is_bounded() {
        let mut pending = Pending::default();
        let callers = u32::try_from(KEYS_MAX).unwrap() + 100;
        for caller in 0..callers {
            pending.note(key(caller), ASKED, at(0));
            pending.note_signed_in(key(caller).network_hash, at(0));
        }
        pending.note(key(0), Decision::Pass, at(0));
        assert_eq!(pending.signed_in().len(), KEYS_MAX);
        let batch = pending.take();
        assert_eq!((batch.counts.len(), batch.challenged.len()), (KEYS_MAX + 1, KEYS_MAX));
        assert_eq!(batch.counts[&key(0)], Count { calls: 2, challenged: 1 });
        assert_eq!(batch.counts[&of_nobody(key(0))], Count { calls: 100, challenged: 100 });
        assert!(pending.take().is_empty());
    }

    #[test]
    fn who_is_asked_is_noted_once_in_half_an_hour_and_at_the_first_time() {
        let mut pending = Pending::default();
        for seconds in [10, 20, 1_799, 1_800, 1_900] {
            pending.note(key(1), ASKED, at(seconds));
        }
        let challenged: Vec<_> = pending.take().challenged.into_values().collect();
        assert_eq!(
            challenged.iter().map(|caller| caller.at).collect::<Vec<_>>(),
            [at(10), at(1_800)]
        );
    }

    #[test]
    fn who_came_signed_in_is_told_again_for_a_while() {
        let mut pending = Pending::default();
        let caller = key(1).network_hash;
        pending.note_signed_in(caller, at(100));
        let told = pending.signed_in();
        pending.note_signed_in(caller, at(109));
        // They came again since they were told.
        pending.forget_told(&told, at(120));
        let told = pending.signed_in();
        assert_eq!(told, [SignedIn { network_hash: caller, first: at(100), last: at(109) }]);
        pending.forget_told(&told, at(109));
        assert_eq!(pending.signed_in().len(), 1);
        pending.forget_told(&told, at(110));
        assert!(pending.signed_in().is_empty());
    }
}
