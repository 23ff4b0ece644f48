//! Orders of a wave: a race is explained when *some* order of its operations gives the answers that
//! were seen.
//!
//! Several orders may do so and leave different states behind (an answer that got lost tells
//! nothing), so what is known after a wave is a set of states; later waves and the rows of the
//! database thin it out.

use std::collections::{BTreeSet, HashSet};

use super::reference::State;
use super::words::{Act, Replica, Rules, Seen};

/// One operation of a wave and how it ended.
#[derive(Clone)]
pub struct Deed {
    pub act: Act,
    pub replica: Replica,
    pub seen: Seen,
}

/// The states that some order of the wave leads to, from some state before it; none when the
/// answers cannot all be true.
pub fn explain(rules: &Rules, befores: &HashSet<State>, wave: &[Deed]) -> HashSet<State> {
    let mut afters = HashSet::new();
    walk(befores, wave.len(), |done, at, mut state| {
        let Deed { act, replica, seen } = &wave[at];
        let next = if *seen == Seen::Failed {
            state.after_failure(rules, *act, *replica)
        } else {
            let expected = state.apply(rules, *act, *replica);
            if state.agrees(&expected, seen) { vec![state] } else { Vec::new() }
        };
        if done.count_ones() as usize == wave.len() - 1 {
            afters.extend(next.iter().cloned());
        }
        next
    });
    afters
}

/// For each operation what any order would have answered, for the story of a failure.
pub fn expectations(
    rules: &Rules,
    befores: &HashSet<State>,
    wave: &[Deed],
) -> Vec<BTreeSet<String>> {
    let mut expectations = vec![BTreeSet::new(); wave.len()];
    walk(befores, wave.len(), |_, at, mut state| {
        let expected = state.apply(rules, wave[at].act, wave[at].replica);
        expectations[at].insert(state.described(&expected));
        vec![state]
    });
    expectations
}

/// Walks all orders of `count` operations; `step` does the one at a position and says what may be
/// then; nothing gives the order up. What two orders share is walked once.
fn walk(
    befores: &HashSet<State>,
    count: usize,
    mut step: impl FnMut(u8, usize, State) -> Vec<State>,
) {
    let mut open: Vec<(u8, State)> = befores.iter().map(|state| (0, state.clone())).collect();
    let mut met = HashSet::new();
    while let Some((done, state)) = open.pop() {
        if !met.insert((done, state.clone())) {
            continue;
        }
        for at in (0..count).filter(|at| done & (1 << at) == 0) {
            let next = step(done, at, state.clone());
            open.extend(next.into_iter().map(|next| (done | 1 << at, next)));
        }
    }
}
