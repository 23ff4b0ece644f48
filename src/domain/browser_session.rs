//! What a browser gets that presents the value of a session (OWASP Session Management Cheat Sheet,
//! Renewal and Expiration).
//!
//! The value is renewed while the session is used. The one before it counts until the browser has
//! shown its successor, and a moment longer: requests of one page arrive at once, and an answer may
//! get lost. After that moment nobody honest has it any more, so its return ends the session.

use std::time::Duration;

use crate::clock::Timestamp;

/// How long the old value counts once the new one was seen.
pub const OVERLAP: Duration = Duration::from_mins(1);

/// The longest a value is used before it is renewed.
const RENEWED_AFTER_MAX: Duration = Duration::from_hours(1);

/// Which of a session's values came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The one that counts.
    Current,
    /// The one before it.
    Previous,
}

/// A session as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which value came.
    pub presented: Presented,
    /// Whether there is a value before the one that counts.
    pub has_previous: bool,
    /// When the value that counts was made.
    pub renewed_at: Timestamp,
    /// When it was first seen, if there is one before it.
    pub confirmed_at: Option<Timestamp>,
    /// Over from this moment on, unless it is used.
    pub expires_at: Timestamp,
    /// Over from this moment on.
    pub ends_at: Timestamp,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It lives.
    Use,
    /// It lives, and the browser has its new value: the old one's moment begins.
    Confirm,
    /// It lives, and gets a new value, with which it lasts until then at most.
    Renew {
        /// The new end, unless it is used again.
        expires_at: Timestamp,
    },
    /// It lives, and the browser shall have the value that counts once more.
    Repeat,
    /// Its time is over.
    Expired,
    /// A value came back that nobody honest has: whoever else holds the session loses it, too.
    End,
}

/// How long a value is used before it is renewed.
pub fn renewed_after(idle_ttl: Duration) -> Duration {
    (idle_ttl / 4).min(RENEWED_AFTER_MAX)
}

/// Decides on one presentation.
pub fn decide(standing: &Standing, idle_ttl: Duration, now: Timestamp) -> Decision {
    // First, so that what is over is over whichever value comes.
    if now >= standing.expires_at || now >= standing.ends_at {
        return Decision::Expired;
    }
    match (standing.presented, standing.confirmed_at) {
        (Presented::Previous, Some(confirmed_at)) if now >= confirmed_at.plus(OVERLAP) => {
            Decision::End
        }
        (Presented::Previous, _) => Decision::Repeat,
        (Presented::Current, _) if now >= standing.renewed_at.plus(renewed_after(idle_ttl)) => {
            Decision::Renew { expires_at: now.plus(idle_ttl).min(standing.ends_at) }
        }
        (Presented::Current, None) if standing.has_previous => Decision::Confirm,
        (Presented::Current, _) => Decision::Use,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_hours(24 * 7);
    const HOUR: Duration = Duration::from_hours(1);
    const MILLISECOND: Duration = Duration::from_millis(1);

    fn at(duration: Duration) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000).plus(duration)
    }

    fn fresh() -> Standing {
        Standing {
            presented: Presented::Current,
            has_previous: false,
            renewed_at: at(Duration::ZERO),
            confirmed_at: None,
            expires_at: at(IDLE),
            ends_at: at(IDLE + HOUR),
        }
    }

    #[test]
    fn a_value_is_used_for_an_hour_and_then_renewed() {
        let session = fresh();
        assert_eq!(decide(&session, IDLE, at(HOUR).minus(MILLISECOND)), Decision::Use);
        let renewed = Decision::Renew { expires_at: at(HOUR + IDLE) };
        assert_eq!(decide(&session, IDLE, at(HOUR)), renewed);
        assert_eq!(renewed_after(4 * MILLISECOND), MILLISECOND);
    }

    #[test]
    fn no_renewal_goes_beyond_the_absolute_end() {
        let late = at(IDLE).minus(MILLISECOND);
        assert_eq!(decide(&fresh(), IDLE, late), Decision::Renew { expires_at: fresh().ends_at });
    }

    #[test]
    fn it_is_over_at_the_very_moment_idle_or_absolute() {
        for presented in [Presented::Current, Presented::Previous] {
            let session = Standing { presented, has_previous: true, ..fresh() };
            assert_eq!(decide(&session, IDLE, at(IDLE)), Decision::Expired);
            let capped = Standing { ends_at: at(HOUR), ..session };
            assert_eq!(decide(&capped, IDLE, at(HOUR)), Decision::Expired);
        }
    }

    #[test]
    fn the_old_value_counts_until_the_new_one_was_seen_and_a_moment_longer() {
        let renewed = Standing { has_previous: true, ..fresh() };
        assert_eq!(decide(&renewed, IDLE, at(MILLISECOND)), Decision::Confirm);
        let old = Standing { presented: Presented::Previous, ..renewed };
        assert_eq!(decide(&old, IDLE, at(3 * HOUR)), Decision::Repeat);
        let seen = Standing { confirmed_at: Some(at(HOUR)), ..old };
        assert_eq!(decide(&seen, IDLE, at(HOUR + OVERLAP).minus(MILLISECOND)), Decision::Repeat);
        assert_eq!(decide(&seen, IDLE, at(HOUR + OVERLAP)), Decision::End);
        let new = Standing { presented: Presented::Current, renewed_at: at(HOUR), ..seen };
        assert_eq!(decide(&new, IDLE, at(HOUR + OVERLAP)), Decision::Use);
    }
}
