//! Every verdict, with what is seen when it is due.

use std::time::Duration;

use super::*;
use Verdict::{Fails, Holds, NotShown};

/// 200 with the refresh token that was seen after so many others.
fn granted(earlier: usize) -> Seen {
    Seen::Granted(Name::after(earlier))
}

fn refused() -> Seen {
    Seen::Refused("400 invalid_grant".to_owned())
}

fn unclear() -> Seen {
    Seen::Unclear("429".to_owned())
}

fn times(count: usize, seen: Seen) -> Vec<Seen> {
    vec![seen; count]
}

/// One list after the other.
fn and(mut first: Vec<Seen>, second: Vec<Seen>) -> Vec<Seen> {
    first.extend(second);
    first
}

/// A race for the successor of A.
fn race(answers: Vec<Seen>, afterwards: Option<Seen>) -> RefreshRace {
    RefreshRace { presented: Name::after(0), answers, afterwards }
}

/// An answer to A that is lost.
fn lost(first: Seen, repeated: Seen, continued: Seen) -> LostAnswer {
    LostAnswer { presented: Name::after(0), first, repeated, continued }
}

/// A comes back, and this token is the newest.
fn stolen(newest: usize, replayed: Seen, afterwards: Seen, access: Access) -> Theft {
    Theft { presented: Name::after(0), newest: Name::after(newest), replayed, afterwards, access }
}

#[track_caller]
fn expect(finding: &Finding, verdict: Verdict, evidence: &str) {
    assert_eq!(finding.verdict, verdict, "{}", finding.evidence);
    assert!(finding.evidence.contains(evidence), "{}", finding.evidence);
}

/// Everything as it should be.
fn good() -> Observations {
    Observations {
        code_race: and(times(7, refused()), times(1, granted(5))),
        lost_answer: lost(granted(1), granted(1), granted(2)),
        theft: stolen(2, refused(), refused(), Access::RefusedAfter(Duration::ZERO)),
        bystander: granted(6),
        refresh_race: race(times(8, granted(1)), Some(granted(2))),
    }
}

#[test]
fn a_server_without_a_fault_holds_all_five() {
    for finding in judge(&good()) {
        assert_eq!(finding.verdict, Holds, "{finding:?}");
    }
}

#[test]
fn single_lineage_is_one_grant_and_one_successor() {
    let winner = || and(times(1, granted(9)), times(7, refused()));
    let strict = || and(times(1, granted(1)), times(7, refused()));
    let tell = |code: Vec<Seen>, race_for: Vec<Seen>| {
        let refresh_race = race(race_for, None);
        single_lineage(&Observations { code_race: code, refresh_race, ..good() })
    };
    for (code, race_for, verdict, evidence) in [
        (winner(), times(8, granted(1)), Holds, "8 callers: 1 × 200, 7 × 400 invalid_grant; one"),
        (winner(), strict(), Holds, "one refresh token, 8 callers: 1 × 200, 7 × 400 invalid_grant"),
        (times(2, granted(9)), strict(), Fails, "one code, 2 callers: 2 × 200"),
        (vec![granted(8), granted(9)], strict(), Fails, "one code, 2 callers: 2 × 200"),
        (winner(), vec![granted(1), granted(2), granted(1)], Fails, "3 × 200, 2 successors"),
        (
            winner(),
            vec![granted(1), unclear(), granted(2)],
            Fails,
            "2 × 200, 1 × 429, 2 successors",
        ),
        (winner(), times(8, granted(0)), NotShown, "not replaced, which OAuth 2.1 §4.3.1"),
        (times(8, refused()), strict(), NotShown, "one code, 8 callers: 8 × 400 invalid_grant"),
        (winner(), times(8, refused()), NotShown, "0 successors"),
        // Who got no answer may have got a grant.
        (and(winner(), times(1, unclear())), strict(), NotShown, "1 × 429"),
        (winner(), and(strict(), times(1, unclear())), NotShown, "1 × 429"),
    ] {
        expect(&tell(code, race_for), verdict, evidence);
    }
}

#[test]
fn single_lineage_holds_for_calls_in_a_row_too() {
    let lost_answer = lost(granted(1), granted(2), granted(3));
    let finding = single_lineage(&Observations { lost_answer, ..good() });
    expect(&finding, Fails, "presented twice in a row: 2 successors");
}

#[test]
fn overlapping_callers_all_get_one_successor_that_works() {
    let one_winner = || and(times(1, granted(1)), times(7, refused()));
    for (answers, afterwards, verdict, evidence) in [
        (
            times(8, granted(1)),
            Some(granted(2)),
            Holds,
            "8 callers: 8 × 200, 1 successor; it works",
        ),
        (times(8, granted(0)), Some(granted(0)), Holds, "the refresh token is not replaced"),
        (one_winner(), Some(refused()), Fails, "one winner, then a dead session"),
        (one_winner(), Some(granted(2)), Fails, "one winner, and the losers are refused"),
        (one_winner(), Some(unclear()), Fails, "one winner, and the losers are refused"),
        (vec![granted(1), granted(2)], Some(granted(3)), Fails, "2 successors; several different"),
        (vec![granted(1), granted(2)], Some(refused()), Fails, "2 successors; several different"),
        (vec![granted(1), granted(1), refused()], Some(granted(2)), Fails, "not everybody"),
        (vec![granted(1), refused(), unclear()], Some(granted(2)), Fails, "one winner"),
        (times(8, refused()), None, Fails, "0 successors; not everybody"),
        (times(8, granted(1)), Some(refused()), Fails, "it does not work"),
        (times(8, granted(1)), Some(unclear()), NotShown, "whether it works is unclear"),
        (vec![granted(1), unclear()], Some(granted(2)), NotShown, "neither yes nor no"),
        (times(8, unclear()), None, NotShown, "8 × 429, 0 successors"),
    ] {
        expect(&overlapping_callers(&race(answers, afterwards)), verdict, evidence);
    }
}

#[test]
fn a_lost_answer_comes_again() {
    for (first, repeated, continued, verdict, evidence) in [
        (
            granted(1),
            granted(1),
            granted(2),
            Holds,
            "A brought B, and repeated B again, which works",
        ),
        (granted(0), granted(0), granted(0), Holds, "the refresh token is not replaced"),
        (granted(1), refused(), refused(), Fails, "400 invalid_grant: the session ended with it"),
        (granted(1), refused(), granted(2), Fails, "who lost B has nothing"),
        (granted(1), refused(), unclear(), Fails, "who lost B has nothing"),
        (granted(1), granted(2), granted(3), Fails, "B, and repeated another successor, C"),
        (granted(1), granted(2), refused(), Fails, "another successor, C"),
        (granted(1), granted(1), refused(), Fails, "twice, which then did not work"),
        (granted(1), granted(1), unclear(), NotShown, "429"),
        (granted(1), unclear(), granted(2), NotShown, "429"),
        (refused(), refused(), refused(), NotShown, "could not even be refreshed once: 400"),
        (unclear(), granted(1), granted(2), NotShown, "could not even be refreshed once: 429"),
    ] {
        expect(&lost_answer(&lost(first, repeated, continued)), verdict, evidence);
    }
}

#[test]
fn theft_ends_the_family() {
    use Access::{NotAsked, RefusedAfter, StillAdmittedAfter};
    let good = || lost(granted(1), granted(1), granted(2));
    let half_a_second = RefusedAfter(Duration::from_millis(540));
    let five_seconds = StillAdmittedAfter(Duration::from_secs(5));
    for (newest, replayed, afterwards, access, verdict, evidence) in [
        (2, refused(), refused(), half_a_second, Holds, "the newest, C: 400 invalid_grant; its"),
        (2, refused(), refused(), half_a_second, Holds, "access token was refused after 0.5 s"),
        (2, refused(), refused(), NotAsked, Holds, "access tokens were not tried"),
        (2, refused(), refused(), five_seconds, Fails, "still admitted after 5.0 s"),
        (
            2,
            refused(),
            refused(),
            Access::Unclear,
            NotShown,
            "the resource says neither yes nor no",
        ),
        (2, granted(1), refused(), NotAsked, Fails, "the old token A was answered with B"),
        (2, granted(1), granted(3), NotAsked, Fails, "the old token A was answered with B"),
        (2, refused(), granted(3), NotAsked, Fails, "but the newest, C, goes on"),
        (
            0,
            granted(0),
            granted(0),
            NotAsked,
            Fails,
            "A is good for ever: the refresh token is not",
        ),
        (2, unclear(), refused(), NotAsked, NotShown, "neither yes nor no: 429"),
        (2, refused(), unclear(), NotAsked, NotShown, "neither yes nor no: 429"),
    ] {
        let theft_seen = stolen(newest, replayed, afterwards, access);
        expect(&theft(&good(), &theft_seen), verdict, evidence);
    }
    for (before, evidence) in [
        (lost(refused(), refused(), refused()), "A never had a successor"),
        (lost(granted(1), granted(1), refused()), "C did not work even before the theft"),
    ] {
        let finding = theft(&before, &stolen(2, refused(), refused(), NotAsked));
        expect(&finding, NotShown, evidence);
    }
    let ended_by_the_repetition = lost(granted(1), refused(), refused());
    let finding = theft(&ended_by_the_repetition, &stolen(1, refused(), refused(), NotAsked));
    expect(&finding, Holds, "the newest, B: 400 invalid_grant");
}

#[test]
fn the_blast_radius_is_one_sign_in() {
    let good = || lost(granted(1), granted(1), granted(2));
    let broken = || lost(granted(1), granted(1), refused());
    let noticed = || stolen(2, refused(), refused(), Access::NotAsked);
    let unnoticed = || stolen(2, refused(), granted(3), Access::NotAsked);
    for (before, theft, bystander, verdict, evidence) in [
        (
            good(),
            noticed(),
            granted(4),
            Holds,
            "a refresh of another sign-in, after the theft: 200",
        ),
        (good(), noticed(), refused(), Fails, "after the theft: 400 invalid_grant"),
        (good(), noticed(), unclear(), NotShown, "after the theft: 429"),
        (good(), unnoticed(), granted(4), NotShown, "200; no theft was noticed"),
        (good(), unnoticed(), refused(), Fails, "after the theft: 400 invalid_grant"),
        (broken(), noticed(), granted(4), NotShown, "200; no theft was noticed"),
    ] {
        expect(&blast_radius(&before, &theft, &bystander), verdict, evidence);
    }
}
