//! When a signing key is followed by another: published first, signing later, retired last.
//!
//! A new key signs when everybody who verifies has had the time to read it, and the one before it
//! stays published until the last token that it signed has expired.

use std::time::Duration;

use crate::clock::Timestamp;

/// How long a new key is published before it signs: longer than a published set of keys may be
/// kept ([`PUBLISHED_KEPT`]) and than replicas take to read them again, both together and twice.
pub const PUBLISHED_AHEAD: Duration = Duration::from_mins(30);

/// For how long others may keep the set of keys that they have read (RFC 9111 §5.2.2.1).
pub const PUBLISHED_KEPT: Duration = Duration::from_mins(5);

/// How long a key stays published after the next one began to sign: the longest life that an access
/// token may be given, and an hour for replicas whose clocks or views are behind.
pub const RETIRED_AFTER: Duration = Duration::from_hours(25);

/// Why somebody looks whether a key is to be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// So much time may pass between two keys.
    Every(Duration),
    /// Somebody says so.
    ByHand,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A new key is to be published that signs from this moment on.
    Publish(Timestamp),
    /// One is published already, and signs from this moment on.
    Pending(Timestamp),
    /// The key that signs is young enough.
    NotDue,
}

/// Decides by the newest key that signs, or will, as the settings want it.
pub fn decide(newest: Timestamp, asked: Asked, now: Timestamp) -> Decision {
    if now < newest {
        return Decision::Pending(newest);
    }
    match asked {
        Asked::Every(time) if now < newest.plus(time) => Decision::NotDue,
        Asked::Every(_) | Asked::ByHand => Decision::Publish(now.plus(PUBLISHED_AHEAD)),
    }
}

/// Whether no token can be alive any more that was signed by a key which signed from `key` on,
/// where `signer` is since when the present one does.
pub fn is_spent(key: Timestamp, signer: Timestamp, now: Timestamp) -> bool {
    key < signer && signer.plus(RETIRED_AFTER) <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn a_key_is_followed_in_time_and_by_one_at_once() {
        let began = Timestamp::from_seconds(1_800_000_000);
        let (every, due) = (Asked::Every(DAY), began.plus(DAY));
        let publish = |now: Timestamp| Decision::Publish(now.plus(PUBLISHED_AHEAD));
        for (asked, now, decision) in [
            (every, due.minus(MILLI), Decision::NotDue),
            (every, due, publish(due)),
            (Asked::ByHand, began, publish(began)),
            // What is published already is enough, whoever asks.
            (every, began.minus(MILLI), Decision::Pending(began)),
            (Asked::ByHand, began.minus(MILLI), Decision::Pending(began)),
        ] {
            assert_eq!(decide(began, asked, now), decision, "{asked:?} {now}");
        }
    }

    #[test]
    fn a_key_is_spent_when_its_last_token_is() {
        let (key, signer) = (Timestamp::from_seconds(1000), Timestamp::from_seconds(2000));
        let spent = signer.plus(RETIRED_AFTER);
        assert!(!is_spent(key, signer, spent.minus(MILLI)));
        assert!(is_spent(key, signer, spent));
        // Neither the one that signs nor one that will.
        assert!(!is_spent(signer, signer, spent));
        assert!(!is_spent(spent, signer, spent));
    }

    #[test]
    fn everybody_has_read_a_key_before_it_signs() {
        assert!(PUBLISHED_AHEAD > PUBLISHED_KEPT * 2);
    }
}
