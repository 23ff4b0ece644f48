//! The judge is judged: what a house must not answer has no order that explains it.

use std::collections::HashSet;

use super::order::{Deed, explain};
use super::reference::State;
use super::words::{Act, Party, Proof, Rules, Seen, TokenNo};

const SIGN_IN: usize = 0;

fn rules(refresh_grace: i64) -> Rules {
    Rules { request_ttl: 600, code_ttl: 60, access_ttl: 300, refresh_ttl: 600, refresh_grace }
}

fn did(act: Act, seen: Seen) -> Deed {
    Deed { act, replica: 0, seen }
}

fn exchanged(seen: Seen) -> Deed {
    did(Act::Exchange(SIGN_IN, Proof::Right), seen)
}

fn refreshed(token: TokenNo, seen: Seen) -> Deed {
    did(Act::Refresh(token, Party::Owner), seen)
}

/// How things may stand after these waves; empty when they cannot be explained.
fn after(grace: i64, waves: &[Vec<Deed>]) -> HashSet<State> {
    let start = HashSet::from([State::beginning()]);
    let all = |states, wave: &Vec<Deed>| explain(&rules(grace), &states, wave);
    let begun = explain(&rules(grace), &start, &[did(Act::SignIn(SIGN_IN), Seen::Code)]);
    waves.iter().fold(begun, all)
}

fn can_be(grace: i64, waves: &[Vec<Deed>]) -> bool {
    !after(grace, waves).is_empty()
}

fn signed_in() -> Vec<Deed> {
    vec![exchanged(Seen::Tokens(0))]
}

#[test]
fn of_two_exchanges_one_may_succeed() {
    assert!(can_be(30, &[vec![exchanged(Seen::Refused), exchanged(Seen::Tokens(0))]]));
    assert!(!can_be(30, &[vec![exchanged(Seen::Tokens(0)), exchanged(Seen::Tokens(1))]]));
    assert!(!can_be(30, &[vec![exchanged(Seen::Refused), exchanged(Seen::Refused)]]));
}

#[test]
fn callers_that_overlap_share_one_successor_with_grace_and_without_it_one_wins() {
    let same = || vec![refreshed(0, Seen::Tokens(1)), refreshed(0, Seen::Tokens(1))];
    let two = || vec![refreshed(0, Seen::Tokens(1)), refreshed(0, Seen::Tokens(2))];
    let one = || vec![refreshed(0, Seen::Refused), refreshed(0, Seen::Tokens(1))];
    assert!(can_be(30, &[signed_in(), same()]) && !can_be(30, &[signed_in(), one()]));
    assert!(can_be(0, &[signed_in(), one()]) && !can_be(0, &[signed_in(), same()]));
    assert!(!can_be(30, &[signed_in(), two()]) && !can_be(0, &[signed_in(), two()]));
}

#[test]
fn a_family_that_was_ended_stays_ended() {
    let stolen = || vec![refreshed(0, Seen::Tokens(1)), refreshed(0, Seen::Refused)];
    let goes_on = vec![refreshed(1, Seen::Tokens(2))];
    let is_over = vec![refreshed(1, Seen::Refused)];
    assert!(!can_be(0, &[signed_in(), stolen(), goes_on]));
    assert!(can_be(0, &[signed_in(), stolen(), is_over]));
}

#[test]
fn a_lost_answer_leaves_open_what_only_the_next_wave_tells() {
    let lost = || {
        let used = refreshed(1, Seen::Lost);
        vec![vec![refreshed(0, Seen::Tokens(1))], vec![refreshed(0, Seen::Lost), used]]
    };
    let waves = |last| [vec![signed_in()], lost(), vec![vec![refreshed(1, last)]]].concat();
    let in_doubt = after(30, &[vec![signed_in()], lost()].concat());
    assert_eq!(in_doubt.len(), 2, "token 0 came back before token 1 was used, or after");
    assert!(can_be(30, &waves(Seen::Refused)) && can_be(30, &waves(Seen::Tokens(2))));
    assert!(!can_be(30, &waves(Seen::Tokens(0))) && !can_be(30, &waves(Seen::Tokens(1))));
}

#[test]
fn what_failed_was_done_or_not_and_the_rows_tell() {
    let failed = || vec![signed_in(), vec![refreshed(0, Seen::Failed)]];
    let tokens = |state: &State| state.counts().tokens;
    assert_eq!(
        after(0, &failed()).iter().map(tokens).collect::<HashSet<_>>(),
        HashSet::from([1, 2])
    );
    let then = |seen| [failed(), vec![vec![refreshed(0, seen)]]].concat();
    assert!(can_be(0, &then(Seen::Refused)) && can_be(0, &then(Seen::Tokens(1))));
    assert!(can_be(30, &then(Seen::Tokens(1))) && !can_be(30, &then(Seen::Refused)));
}
