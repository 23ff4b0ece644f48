//! What became of an attempt, and why, in the words that the command, the API and the dashboard
//! share.
//!
//! Steps are looked at in the order of their times. One that leads on makes up for what ended the
//! attempt before it; one that would have ended it earlier than it has come changes nothing: the
//! back button, another browser, a thief who tries a code that was exchanged.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::attempt::stage::{Leads, Outcome, Stage};
use crate::domain::attempt::{Step, Taken};

/// How long a program may take until it uses its token before it is called unused.
const USED_WITHIN: Duration = Duration::from_mins(5);

/// How long this server itself may take between two steps.
const GOES_ON_WITHIN: Duration = Duration::from_mins(1);

/// How long others may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The person and the provider.
    pub authorization_request_ttl: Duration,
    /// The program, with its code.
    pub authorization_code_ttl: Duration,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Of which kind that is.
    pub outcome: Outcome,
    /// In a word.
    pub cause: &'static str,
    /// In a sentence.
    pub told: &'static str,
    /// What to do; empty when there is nothing.
    pub advice: &'static str,
    /// What else is known of it.
    pub detail: Option<String>,
}

/// Judges the steps of an attempt, which are in the order of their times.
pub fn judge(steps: &[Taken], times: &Times, now: Timestamp) -> Judged {
    let mut furthest = (Stage::Arrived, steps.first().map_or(now, |first| first.at));
    let mut ended: Option<(&Taken, Outcome)> = None;
    for taken in steps {
        match taken.step.leads() {
            Leads::To(stage) if stage >= furthest.0 => {
                furthest = (stage, taken.at);
                ended = None;
            }
            Leads::Ends(stage, outcome) if stage > furthest.0 => ended = Some((taken, outcome)),
            Leads::To(_) | Leads::Ends(..) | Leads::Nowhere => {}
        }
    }
    match ended {
        Some((taken, outcome)) => Judged {
            outcome,
            cause: taken.step.word(),
            told: taken.step.told(),
            advice: taken.step.advice(),
            detail: taken.detail.clone(),
        },
        None => waiting(furthest, times, now),
    }
}

/// Nothing went wrong; somebody may not have come back.
fn waiting((stage, since): (Stage, Timestamp), times: &Times, now: Timestamp) -> Judged {
    let (patience, left) = match stage {
        Stage::Used | Stage::End => return FINISHED,
        Stage::Asked => (times.authorization_request_ttl, UNANSWERED),
        Stage::Decided | Stage::ToProvider => (times.authorization_request_ttl, AT_PROVIDER),
        Stage::Code => (times.authorization_code_ttl, NOT_EXCHANGED),
        Stage::Token => (USED_WITHIN, NOT_USED),
        Stage::Arrived | Stage::Back => (GOES_ON_WITHIN, BROKEN_OFF),
    };
    if now < since.plus(patience) { UNDER_WAY } else { left }
}

const fn judged(
    outcome: Outcome,
    cause: &'static str,
    told: &'static str,
    advice: &'static str,
) -> Judged {
    Judged { outcome, cause, told, advice, detail: None }
}

const FINISHED: Judged =
    judged(Outcome::Finished, "finished", "The sign-in finished and the token is in use.", "");

const UNDER_WAY: Judged = judged(
    Outcome::UnderWay,
    "under_way",
    "The attempt is under way; its last step is a moment ago.",
    "Ask again in a few minutes.",
);

const UNANSWERED: Judged = judged(
    Outcome::Left,
    "consent_unanswered",
    "The person never answered the consent page.",
    "Did the browser window stay behind another one? Connect again and answer it.",
);

const AT_PROVIDER: Judged = judged(
    Outcome::Left,
    "never_came_back",
    "The browser went to the identity provider and never came back.",
    "What did the person see there? Often the provider does not know this server's callback \
     address, or nobody signed in. The provider's log tells.",
);

const NOT_EXCHANGED: Judged = judged(
    Outcome::Left,
    "never_exchanged",
    "The program never exchanged its code.",
    "It was gone when the browser came back to it: closed, asleep, or its loopback listener was \
     out of reach (another machine, a container, a port that was taken). Connect again.",
);

const NOT_USED: Judged = judged(
    Outcome::Left,
    "never_used",
    "The program got a token and never used it at /mcp.",
    "It keeps no token, or it cannot reach /mcp: does the proxy in front pass /mcp and the \
     Authorization header on? gatehouse doctor with the server's address tells.",
);

const BROKEN_OFF: Judged = judged(
    Outcome::Failed,
    "broken_off",
    "The attempt broke off inside this server.",
    "Was the server restarted, or the database away? Look in the log for the reference.",
);

/// What ends an attempt, for a list of words.
pub fn causes() -> Vec<&'static str> {
    let ended = Step::ALL.iter().filter(|step| matches!(step.leads(), Leads::Ends(..)));
    let others =
        [FINISHED, UNDER_WAY, UNANSWERED, AT_PROVIDER, NOT_EXCHANGED, NOT_USED, BROKEN_OFF];
    others.iter().map(|it| it.cause).chain(ended.map(|step| step.word())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        authorization_request_ttl: Duration::from_mins(10),
        authorization_code_ttl: Duration::from_mins(1),
    };

    /// The steps, a second apart, judged so long after the last.
    fn judged_after(steps: &[Step], later: Duration) -> Judged {
        let at = |number: usize| Timestamp::from_seconds(i64::try_from(number).unwrap());
        let taken: Vec<_> = steps
            .iter()
            .enumerate()
            .map(|(number, step)| Taken { at: at(number), step: *step, detail: None })
            .collect();
        judge(&taken, &TIMES, at(steps.len().saturating_sub(1)).plus(later))
    }

    const HOUR: Duration = Duration::from_hours(1);
    const TO_CODE: [Step; 6] = [
        Step::Arrived,
        Step::Asked,
        Step::Approved,
        Step::SentToProvider,
        Step::CameBack,
        Step::CodeIssued,
    ];

    fn after_code(more: &[Step]) -> Vec<Step> {
        TO_CODE.iter().chain(more).copied().collect()
    }

    #[test]
    fn each_way_has_its_cause() {
        use Step as S;
        for (steps, cause, outcome) in [
            (after_code(&[S::TokenIssued, S::Used]), "finished", Outcome::Finished),
            (TO_CODE[..2].to_vec(), "consent_unanswered", Outcome::Left),
            (TO_CODE[..4].to_vec(), "never_came_back", Outcome::Left),
            (TO_CODE[..5].to_vec(), "broken_off", Outcome::Failed),
            (vec![S::Arrived], "broken_off", Outcome::Failed),
            (TO_CODE.to_vec(), "never_exchanged", Outcome::Left),
            (after_code(&[S::TokenIssued]), "never_used", Outcome::Left),
            (after_code(&[S::PkceDiffers]), "exchange_verifier", Outcome::Refused),
            (after_code(&[S::CodeExpired]), "exchange_late", Outcome::Refused),
            (vec![S::Arrived, S::UnknownClient], "unknown_client", Outcome::Refused),
            (vec![S::Arrived, S::Asked, S::Declined], "declined", Outcome::Declined),
            (after_code(&[S::TokenIssued, S::UseRefused]), "use_refused", Outcome::Refused),
            // What comes to nothing the first time and works the second has worked.
            (
                vec![S::Arrived, S::Asked, S::ProviderUnreachable, S::Approved, S::SentToProvider],
                "never_came_back",
                Outcome::Left,
            ),
            (after_code(&[S::PkceDiffers, S::TokenIssued, S::Used]), "finished", Outcome::Finished),
            // The back button and strangers change nothing.
            (
                vec![S::Arrived, S::Asked, S::Declined, S::DecidedTwice],
                "declined",
                Outcome::Declined,
            ),
            (
                after_code(&[
                    S::TokenIssued,
                    S::Used,
                    S::CameBackTwice,
                    S::OtherBrowser,
                    S::ForeignForm,
                    S::PkceDiffers,
                    S::OtherClient,
                ]),
                "finished",
                Outcome::Finished,
            ),
            // A replay ends what works.
            (
                after_code(&[S::TokenIssued, S::Used, S::CodeReplayed]),
                "exchange_replay",
                Outcome::Refused,
            ),
        ] {
            let judged = judged_after(&steps, HOUR);
            assert_eq!((judged.cause, judged.outcome), (cause, outcome), "{steps:?}");
            assert_eq!(judged.advice.is_empty(), cause == "finished", "{cause}");
        }
    }

    #[test]
    fn every_step_that_ends_an_attempt_is_its_own_cause() {
        for step in Step::ALL {
            let Leads::Ends(before, outcome) = step.leads() else { continue };
            let ways = after_code(&[Step::TokenIssued, Step::Used]);
            let come = ways
                .into_iter()
                .take_while(|it| matches!(it.leads(), Leads::To(stage) if stage < before));
            let steps: Vec<_> = come.chain([*step]).collect();
            let judged = judged_after(&steps, HOUR);
            assert_eq!((judged.cause, judged.outcome), (step.word(), outcome));
            assert!(causes().contains(&judged.cause));
        }
    }

    #[test]
    fn nobody_is_called_gone_before_their_time_is_over() {
        for (steps, patience) in [
            (&TO_CODE[..2], 600),
            (&TO_CODE[..4], 600),
            (&TO_CODE[..], 60),
            (&[Step::TokenIssued], 300),
        ] {
            let cause = |seconds| judged_after(steps, Duration::from_secs(seconds)).cause;
            assert_eq!(cause(patience - 1), "under_way", "{steps:?}");
            assert_ne!(cause(patience), "under_way", "{steps:?}");
        }
    }
}
