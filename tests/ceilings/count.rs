//! Counting.

/// The first runs fill caches, buffers of the thread and what is made once.
const WARM_UPS: usize = 16;

/// Of these the middle one counts: now and then a table that grows with each call doubles, and an
/// ECDSA signature is shorter.
pub const RUNS: usize = 100;

/// What a path was found to cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: &'static str,
    pub allocations: u64,
    /// In how many of the runs it was this number.
    pub runs: usize,
}

/// Counts what `run` allocates, growth of what it holds included. What is before and after it is
/// not counted.
pub fn count<T, R>(
    name: &'static str,
    mut before: impl FnMut() -> T,
    mut run: impl FnMut(T) -> R,
    mut after: impl FnMut(R),
) -> Found {
    let mut counts = Vec::new();
    for _ in 0..WARM_UPS + RUNS {
        let given = before();
        let mut answer = None;
        let info = allocation_counter::measure(|| answer = Some(run(given)));
        after(answer.expect("it ran"));
        counts.push(info.count_total);
    }
    let counts = &mut counts[WARM_UPS..];
    counts.sort_unstable();
    let middle = counts[RUNS / 2];
    let runs = counts.iter().filter(|count| **count == middle).count();
    Found { name, allocations: middle, runs }
}

/// The same for what needs nothing and whose answer is one thing.
pub fn count_plain<R>(name: &'static str, mut run: impl FnMut() -> R) -> Found {
    count(name, || (), |()| run(), drop)
}

#[test]
fn what_is_allocated_is_counted_and_nothing_else() {
    let one = count("one", || "a".repeat(9), |text| text.clone(), drop);
    assert_eq!((one.allocations, one.runs), (1, RUNS));
    let none = count("none", || "a".repeat(9), |text| text, drop);
    assert_eq!((none.allocations, none.runs), (0, RUNS));
    let grown = count_plain("grown", || (0..64_u8).fold(Vec::new(), pushed));
    assert_eq!((grown.allocations, grown.runs), (4, RUNS), "8, 16, 32 and 64 bytes");
}

#[cfg(test)]
fn pushed(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}
