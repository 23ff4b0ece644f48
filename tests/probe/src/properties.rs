//! The five properties: what was seen becomes a finding.
//!
//! A property fails when it was seen to be broken. It is not shown when what was seen proves
//! nothing, as after a fault or too many requests; a probe must not guess in anybody's favour.
//!
//! Never here: requests. Each function takes observations and returns its finding.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::observation::{Access, LostAnswer, Name, Observations, RefreshRace, Seen, Theft};

#[cfg(test)]
mod tests;

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// A code yields at most one grant, a refresh token at most one successor.
    SingleLineage,
    /// Parallel presentations of the live refresh token all bring the same successor.
    OverlappingCallers,
    /// Repeating a refresh whose answer was lost brings the same successor.
    LostAnswer,
    /// A used refresh token that comes back ends its family.
    Theft,
    /// It ends no other sign-in.
    BlastRadius,
}

impl Property {
    /// In a few words.
    pub const fn told(self) -> &'static str {
        match self {
            Self::SingleLineage => "Single lineage",
            Self::OverlappingCallers => "Overlapping callers are answered",
            Self::LostAnswer => "A lost answer is not a lost session",
            Self::Theft => "Theft is detected",
            Self::BlastRadius => "Small blast radius",
        }
    }
}

/// Whether it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// It was seen to hold.
    #[serde(rename = "holds")]
    Holds,
    /// It was seen to be broken.
    #[serde(rename = "fails")]
    Fails,
    /// What was seen says neither.
    #[serde(rename = "not shown")]
    NotShown,
}

impl Verdict {
    /// In words.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::NotShown => "not shown",
        }
    }
}

/// A verdict and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of what.
    pub property: Property,
    /// The verdict.
    pub verdict: Verdict,
    /// One line: counts, and names of tokens.
    pub evidence: String,
}

/// All five, in the order of the manual.
pub fn judge(observed: &Observations) -> [Finding; 5] {
    [
        single_lineage(observed),
        overlapping_callers(&observed.refresh_race),
        lost_answer(&observed.lost_answer),
        theft(&observed.lost_answer, &observed.theft),
        blast_radius(&observed.lost_answer, &observed.theft, &observed.bystander),
    ]
}

/// A code yields at most one grant, a refresh token at most one successor (OAuth 2.1 §4.1.3,
/// §4.3.1).
pub fn single_lineage(observed: &Observations) -> Finding {
    let codes = &observed.code_race;
    let race = &observed.refresh_race;
    let grants = codes.iter().filter(|seen| seen.granted().is_some()).count();
    let raced = successors(&race.answers);
    let repeated = successors([&observed.lost_answer.first, &observed.lost_answer.repeated]);
    let has_faults = codes.iter().chain(&race.answers).any(Seen::is_unclear);
    let (verdict, remark) = if grants > 1 || raced.len() > 1 {
        (Verdict::Fails, String::new())
    } else if repeated.len() > 1 {
        (Verdict::Fails, format!("; presented twice in a row: {}", count_of(&repeated)))
    } else if raced.contains(&race.presented) {
        (Verdict::NotShown, format!("; {NOT_REPLACED}"))
    } else if grants == 0 || raced.is_empty() || has_faults {
        (Verdict::NotShown, String::new())
    } else {
        (Verdict::Holds, String::new())
    };
    let evidence = format!(
        "one code, {}; one refresh token, {}, {}{remark}",
        tally(codes),
        tally(&race.answers),
        count_of(&raced),
    );
    Finding { property: Property::SingleLineage, verdict, evidence }
}

/// Parallel presentations of the live refresh token all bring the same successor.
pub fn overlapping_callers(race: &RefreshRace) -> Finding {
    let raced = successors(&race.answers);
    let winners = race.answers.iter().filter(|seen| seen.granted().is_some()).count();
    let is_any_refused = race.answers.iter().any(Seen::is_refused);
    let is_any_unclear = race.answers.iter().any(Seen::is_unclear);
    let (verdict, remark) = if raced.len() > 1 {
        (Verdict::Fails, "several different successors")
    } else if is_any_refused {
        match (winners, &race.afterwards) {
            (1, Some(Seen::Refused(_))) => (Verdict::Fails, ONE_WINNER_DEAD_SESSION),
            (1, _) => (Verdict::Fails, "one winner, and the losers are refused"),
            _ => (Verdict::Fails, "not everybody is answered"),
        }
    } else if is_any_unclear {
        (Verdict::NotShown, "some got neither yes nor no")
    } else {
        match &race.afterwards {
            Some(Seen::Granted(_)) if raced.contains(&race.presented) => {
                (Verdict::Holds, NOT_REPLACED)
            }
            Some(Seen::Granted(_)) => (Verdict::Holds, "it works"),
            Some(Seen::Refused(_)) => (Verdict::Fails, "it does not work"),
            Some(Seen::Unclear(_)) | None => (Verdict::NotShown, "whether it works is unclear"),
        }
    };
    let evidence = format!("{}, {}; {remark}", tally(&race.answers), count_of(&raced));
    Finding { property: Property::OverlappingCallers, verdict, evidence }
}

/// A refresh whose answer was thrown away can be repeated at once.
pub fn lost_answer(lost: &LostAnswer) -> Finding {
    let presented = lost.presented;
    let (verdict, evidence) = match (&lost.first, &lost.repeated, &lost.continued) {
        (Seen::Refused(how) | Seen::Unclear(how), _, _) => {
            (Verdict::NotShown, format!("{presented} could not even be refreshed once: {how}"))
        }
        (Seen::Granted(first), Seen::Granted(repeated), _) if first != repeated => (
            Verdict::Fails,
            format!("{presented} brought {first}, and repeated another successor, {repeated}"),
        ),
        (Seen::Granted(first), Seen::Granted(_), Seen::Granted(_)) => {
            let remark =
                if *first == presented { format!("; {NOT_REPLACED}") } else { String::new() };
            (
                Verdict::Holds,
                format!(
                    "{presented} brought {first}, and repeated {first} again, which works{remark}"
                ),
            )
        }
        (Seen::Granted(first), Seen::Granted(_), Seen::Refused(how)) => (
            Verdict::Fails,
            format!("{presented} brought {first} twice, which then did not work: {how}"),
        ),
        (Seen::Granted(first), Seen::Refused(how), Seen::Refused(_)) => (
            Verdict::Fails,
            format!("{presented} brought {first}, and repeated {how}: the session ended with it"),
        ),
        (Seen::Granted(first), Seen::Refused(how), _) => (
            Verdict::Fails,
            format!(
                "{presented} brought {first}, and repeated {how}: who lost {first} has nothing"
            ),
        ),
        (_, Seen::Unclear(how), _) | (_, _, Seen::Unclear(how)) => {
            (Verdict::NotShown, format!("neither yes nor no: {how}"))
        }
    };
    Finding { property: Property::LostAnswer, verdict, evidence }
}

/// A used refresh token that comes back is refused and ends its family (OAuth 2.1 §4.3.1,
/// RFC 9700 §4.14.2).
pub fn theft(lost: &LostAnswer, theft: &Theft) -> Finding {
    let (old, newest) = (theft.presented, theft.newest);
    let (verdict, evidence) = match (&theft.replayed, &theft.afterwards) {
        _ if lost.first.granted().is_none() => {
            (Verdict::NotShown, format!("{old} never had a successor"))
        }
        _ if !lost.left_a_family() => {
            (Verdict::NotShown, format!("{newest} did not work even before the theft"))
        }
        _ if newest == old => (Verdict::Fails, format!("{old} is good for ever: {NOT_REPLACED}")),
        (Seen::Granted(again), _) => {
            (Verdict::Fails, format!("the old token {old} was answered with {again}"))
        }
        (Seen::Refused(how), Seen::Granted(_)) => (
            Verdict::Fails,
            format!("the old token {old}: {how}; but the newest, {newest}, goes on"),
        ),
        (Seen::Refused(how), Seen::Refused(how_newest)) => {
            let (verdict, told) = access(theft.access);
            let evidence =
                format!("the old token {old}: {how}; the newest, {newest}: {how_newest}; {told}");
            (verdict, evidence)
        }
        (Seen::Unclear(how), _) | (_, Seen::Unclear(how)) => {
            (Verdict::NotShown, format!("neither yes nor no: {how}"))
        }
    };
    Finding { property: Property::Theft, verdict, evidence }
}

/// What the access token of an ended family says of it.
fn access(access: Access) -> (Verdict, String) {
    match access {
        Access::NotAsked => (
            Verdict::Holds,
            "access tokens were not tried: no resource is known to admit them".to_owned(),
        ),
        Access::RefusedAfter(passed) => (
            Verdict::Holds,
            format!("its access token was refused after {:.1} s", passed.as_secs_f64()),
        ),
        Access::StillAdmittedAfter(passed) => (
            Verdict::Fails,
            format!("its access token was still admitted after {:.1} s", passed.as_secs_f64()),
        ),
        Access::Unclear => (
            Verdict::NotShown,
            "the resource says neither yes nor no of its access token".to_owned(),
        ),
    }
}

/// Another sign-in of the same person with the same client goes on after the theft.
pub fn blast_radius(lost: &LostAnswer, theft: &Theft, bystander: &Seen) -> Finding {
    let was_noticed = lost.left_a_family() && theft.was_noticed();
    let (verdict, remark) = match bystander {
        Seen::Refused(_) => (Verdict::Fails, ""),
        Seen::Unclear(_) => (Verdict::NotShown, ""),
        // Where nothing ended, nothing could spread.
        Seen::Granted(_) if !was_noticed => (Verdict::NotShown, "; no theft was noticed"),
        Seen::Granted(_) => (Verdict::Holds, ""),
    };
    let evidence = format!("a refresh of another sign-in, after the theft: {bystander}{remark}");
    Finding { property: Property::BlastRadius, verdict, evidence }
}

const ONE_WINNER_DEAD_SESSION: &str = "one winner, then a dead session: the losers count as \
                                       theft, and an honest client is signed out";

const NOT_REPLACED: &str = "the refresh token is not replaced, which OAuth 2.1 §4.3.1 asks for \
                            with public clients unless tokens are bound to their sender";

fn successors<'a>(answers: impl IntoIterator<Item = &'a Seen>) -> BTreeSet<Name> {
    answers.into_iter().filter_map(Seen::granted).collect()
}

fn count_of(successors: &BTreeSet<Name>) -> String {
    match successors.len() {
        1 => "1 successor".to_owned(),
        many => format!("{many} successors"),
    }
}

/// `8 callers: 1 × 200, 7 × 400 invalid_grant`, what was granted first.
fn tally(answers: &[Seen]) -> String {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    let (granted, other): (Vec<_>, Vec<_>) =
        answers.iter().partition(|seen| seen.granted().is_some());
    for told in granted.into_iter().chain(other).map(Seen::to_string) {
        match kinds.iter_mut().find(|(kind, _)| *kind == told) {
            Some((_, times)) => *times += 1,
            None => kinds.push((told, 1)),
        }
    }
    let counts: Vec<_> = kinds.iter().map(|(kind, times)| format!("{times} × {kind}")).collect();
    format!("{} callers: {}", answers.len(), counts.join(", "))
}
