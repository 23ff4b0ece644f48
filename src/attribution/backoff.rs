//! When what was not delivered is tried again, and when that ends.

use std::time::Duration;

use crate::attribution::post::Failure;
use crate::clock::Timestamp;
use crate::secret::Entropy;

/// The first pause; each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_secs(10);

/// The longest pause of our own.
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// The first pause after an answer that waiting does not change: somebody has to mend a setting,
/// here or there, and until then it is enough to ask now and then.
const PAUSE_MIN_MISTAKEN: Duration = Duration::from_mins(10);

/// The longest pause that a receiver may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// How long something is tried at least.
pub const TRIED_FOR: Duration = Duration::from_hours(7 * 24);

/// How often something is tried at least, however long nobody was there to try.
pub const TRIED_TIMES: i64 = 20;

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, after this pause.
    After(Duration),
    /// Nothing, until somebody asks for it.
    Nothing,
}

/// What follows when attempt number `attempt` of something queued at `queued_at` failed.
pub fn next(
    failure: Failure,
    attempt: i64,
    retry_after: Option<Duration>,
    queued_at: Timestamp,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Next {
    if attempt >= TRIED_TIMES && queued_at.plus(TRIED_FOR) <= now {
        return Next::Nothing;
    }
    let first = if is_mistaken(failure) { PAUSE_MIN_MISTAKEN } else { PAUSE_MIN };
    let doublings = u32::try_from(attempt.clamp(1, 16) - 1).unwrap_or_default();
    let longest = first.saturating_mul(1 << doublings).min(PAUSE_MAX);
    let own = jittered(longest, entropy);
    Next::After(retry_after.map_or(own, |asked| own.max(asked.min(RETRY_AFTER_MAX))))
}

/// Whether the receiver says that it will not have it, rather than that it cannot now.
const fn is_mistaken(failure: Failure) -> bool {
    match failure {
        Failure::Status(408 | 425 | 429)
        | Failure::NoConnection
        | Failure::TooSlow
        | Failure::BrokeOff => false,
        Failure::Status(status) => status < 500,
        Failure::Unreadable => true,
    }
}

/// Between a half and all of it, so that what failed together is not tried together for ever.
fn jittered(longest: Duration, entropy: &dyn Entropy) -> Duration {
    let mut bytes = [0; 2];
    entropy.fill(&mut bytes);
    let half = longest / 2;
    half + half * u32::from(u16::from_be_bytes(bytes)) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SeededEntropy;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn pause(failure: Failure, attempt: i64, retry_after: Option<u64>) -> Duration {
        let retry_after = retry_after.map(Duration::from_secs);
        let entropy = SeededEntropy::new(attempt.unsigned_abs());
        match next(failure, attempt, retry_after, NOW, NOW, &entropy) {
            Next::After(pause) => pause,
            Next::Nothing => panic!("it has only begun"),
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        for (failure, attempt, seconds) in [
            (Failure::NoConnection, 1, 10),
            (Failure::TooSlow, 2, 20),
            (Failure::BrokeOff, 5, 160),
            (Failure::Status(503), 9, 2560),
            (Failure::Status(503), 10, 3600),
            (Failure::Status(500), i64::MAX, 3600),
            (Failure::Status(429), 1, 10),
            (Failure::Status(408), 1, 10),
            (Failure::Status(425), 1, 10),
            (Failure::Status(404), 1, 600),
            (Failure::Status(301), 1, 600),
            (Failure::Status(304), 2, 1200),
            (Failure::Unreadable, 4, 3600),
        ] {
            let pause = pause(failure, attempt, None);
            let longest = Duration::from_secs(seconds);
            assert!((longest / 2..=longest).contains(&pause), "{failure} {attempt}: {pause:?}");
        }
    }

    #[test]
    fn who_asks_to_be_left_alone_is_within_bounds() {
        let asks = |seconds| pause(Failure::Status(429), 1, Some(seconds)).as_secs();
        assert_eq!(asks(120), 120);
        assert_eq!(asks(1_000_000), 24 * 3600);
        assert!(asks(0) >= 5, "it is not hammered even if it asks for it");
    }

    #[test]
    fn nothing_is_given_up_before_its_time_or_untried() {
        let week = NOW.plus(TRIED_FOR);
        for (attempt, now, is_over) in [
            (1, NOW, false),
            (1000, week.minus(Duration::from_millis(1)), false),
            (TRIED_TIMES, week, true),
            (TRIED_TIMES - 1, week.plus(TRIED_FOR), false),
        ] {
            let failure = Failure::Status(503);
            let next = next(failure, attempt, None, NOW, now, &SeededEntropy::new(1));
            assert_eq!(next == Next::Nothing, is_over, "{attempt} {now}");
        }
    }

    #[test]
    fn what_failed_together_is_not_tried_together() {
        let entropy = SeededEntropy::new(1);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            pauses.push(jittered(PAUSE_MAX, &entropy));
        }
        pauses.sort_unstable();
        pauses.dedup();
        assert_eq!(pauses.len(), 10);
    }
}
