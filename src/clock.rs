//! Time, as the rooms see it: a point in epoch milliseconds, read once at the door.
//!
//! Never here: time zones, formatting for people, sleeping.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// A point in time in milliseconds since the Unix epoch.
///
/// Both databases keep it as `BIGINT`, so what a column holds is what the code compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch, as a column holds them.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since the epoch, as JWT claims hold them; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down (RFC 7519 `NumericDate`).
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This point moved forward; saturates at the end of time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(duration)))
    }

    /// This point moved back; saturates at the beginning of time.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(duration)))
    }

    /// Whether what was noted at `noted_at` still counts now. What lies in the future does not: a
    /// clock that was set back must not make a moment last for hours.
    pub fn is_within(self, noted_at: Self, kept: Duration) -> bool {
        noted_at <= self && self < noted_at.plus(kept)
    }

    /// How long until `later`; zero when it has passed.
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

/// Measures by the machine's monotonic clock, which no story steps, what the machine itself
/// measures so: the age of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[expect(clippy::disallowed_methods, reason = "this is its one place")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Where "now" comes from. Flows read it once per request and pass the value on.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(millis_of(since_epoch))
    }
}

/// A clock that moves only when told to: tests step it instead of sleeping.
#[derive(Debug)]
pub struct SteppedClock(AtomicI64);

impl SteppedClock {
    /// A clock that stands at `start`.
    pub const fn starting_at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.0.fetch_add(millis_of(duration), Ordering::SeqCst);
    }

    /// Sets the clock back.
    pub fn set_back(&self, duration: Duration) {
        self.0.fetch_sub(millis_of(duration), Ordering::SeqCst);
    }
}

impl Clock for SteppedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_moves_by_durations_and_saturates() {
        let start = Timestamp::from_millis(1_500);
        assert_eq!(start.plus(Duration::from_secs(2)).millis(), 3_500);
        assert_eq!(start.minus(Duration::from_secs(2)).millis(), -500);
        assert_eq!(start.plus(Duration::MAX).millis(), i64::MAX);
        assert_eq!(Timestamp::from_millis(-1).seconds(), -1);
    }

    #[test]
    fn a_note_of_the_future_does_not_count() {
        let (noted, kept) = (Timestamp::from_millis(100), Duration::from_millis(10));
        for (now, counts) in [(99, false), (100, true), (109, true), (110, false)] {
            assert_eq!(Timestamp::from_millis(now).is_within(noted, kept), counts, "{now}");
        }
    }

    #[test]
    fn time_until_the_past_is_zero() {
        let now = Timestamp::from_millis(10);
        assert_eq!(now.until(Timestamp::from_millis(4)), Duration::ZERO);
        assert_eq!(now.until(Timestamp::from_millis(14)), Duration::from_millis(4));
    }
}
