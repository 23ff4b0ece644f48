//! How long calls took, so kept that counts of many places can be added: a sum, and a histogram
//! with fixed bounds.

use std::time::Duration;

/// The longest a call of each bucket but the last took, in milliseconds. A search of the local
/// index takes a few, another server up to its deadline of 22 seconds.
pub const BOUNDS_MS: [u64; BUCKETS - 1] = [5, 10, 25, 50, 100, 250, 1_000, 5_000, 20_000];

/// Buckets of the histogram.
pub const BUCKETS: usize = 10;

/// How long some calls took together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// All of them together, in microseconds.
    pub micros: i64,
    /// How many there were of each bucket.
    pub took: [i64; BUCKETS],
}

impl Latency {
    /// Of one call.
    pub fn of(took: Duration) -> Self {
        let millis = took.as_micros().div_ceil(1_000);
        let bucket = BOUNDS_MS.iter().position(|bound| millis <= u128::from(*bound));
        let mut latency = Self {
            micros: i64::try_from(took.as_micros()).unwrap_or(i64::MAX),
            took: [0; BUCKETS],
        };
        latency.took[bucket.unwrap_or(BUCKETS - 1)] = 1;
        latency
    }

    /// Adds other calls.
    pub fn add(&mut self, other: &Self) {
        self.micros = self.micros.saturating_add(other.micros);
        for (mine, theirs) in self.took.iter_mut().zip(other.took) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// How many calls there are.
    pub fn calls(&self) -> i64 {
        self.took.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How long so many per thousand of the calls took at most, in milliseconds: between the bounds
    /// of a bucket its calls are taken to lie evenly. Of the last bucket only its beginning is
    /// known. `None` of no calls.
    pub fn quantile_ms(&self, per_mille: u16) -> Option<u64> {
        let calls = u64::try_from(self.calls()).ok().filter(|calls| *calls > 0)?;
        let rank = (calls.saturating_mul(u64::from(per_mille))).div_ceil(1_000).clamp(1, calls);
        let mut below = 0;
        for (bucket, count) in self.took.iter().enumerate() {
            let count = u64::try_from(*count).unwrap_or(0);
            if below + count < rank {
                below += count;
                continue;
            }
            let from = if bucket == 0 { 0 } else { BOUNDS_MS[bucket - 1] };
            let Some(to) = BOUNDS_MS.get(bucket) else { return Some(from) };
            return Some(from + ((to - from) * (rank - below)).div_ceil(count.max(1)));
        }
        None
    }

    /// The mean, in microseconds. `None` of no calls.
    pub fn mean_micros(&self) -> Option<i64> {
        self.micros.checked_div(self.calls())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_millis(millis: &[u64]) -> Latency {
        let mut all = Latency::default();
        for one in millis {
            all.add(&Latency::of(Duration::from_millis(*one)));
        }
        all
    }

    #[test]
    fn each_call_falls_into_the_bucket_that_ends_with_it() {
        for (micros, bucket) in
            [(0, 0), (5_000, 0), (5_001, 1), (1_000_000, 6), (20_000_000, 8), (20_000_001, 9)]
        {
            let latency = Latency::of(Duration::from_micros(micros));
            assert_eq!(latency.took[bucket], 1, "{micros}");
            assert_eq!((latency.calls(), latency.micros), (1, i64::try_from(micros).unwrap()));
        }
    }

    #[test]
    fn quantiles_lie_in_the_bucket_of_their_call() {
        assert_eq!(Latency::default().quantile_ms(500), None);
        assert_eq!(Latency::default().mean_micros(), None);
        let mostly_quick = of_millis(&[[3; 18].as_slice(), &[60, 25_000]].concat());
        for (per_mille, ms) in [(500, 3), (900, 5), (950, 100), (1_000, 20_000)] {
            assert_eq!(mostly_quick.quantile_ms(per_mille), Some(ms), "{per_mille}");
        }
        assert_eq!(of_millis(&[40, 40, 40, 40]).quantile_ms(500), Some(38));
    }

    #[test]
    fn sums_of_parts_are_the_whole() {
        let (mut a, b) = (of_millis(&[1, 7]), of_millis(&[30, 300]));
        a.add(&b);
        assert_eq!(a, of_millis(&[1, 7, 30, 300]));
        assert_eq!(a.mean_micros(), Some(84_500));
    }
}
