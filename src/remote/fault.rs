//! Why another server gave no answer, in our words: nothing of what it said is in them.

use std::fmt;
use std::time::Duration;

/// The longest pause before the second attempt. Whoever asks for more is not asked again.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// Something broke on the way or over there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No HTTP client can be made on this machine.
    NoClient,
    /// Nobody listens there, or the name leads nowhere.
    NoConnection,
    /// It did not answer in time.
    TooSlow,
    /// The answer broke off.
    BrokeOff,
    /// It does not accept our credential (401, 403).
    Forbidden(u16),
    /// It has had enough of us (429), for so long if it said so.
    Throttled(Option<Duration>),
    /// Another status than an answer has.
    Status {
        /// The status.
        status: u16,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
        /// Whether the answer speaks of `_meta`.
        is_about_metadata: bool,
    },
    /// It does not know our session any more.
    SessionGone,
    /// The answer is larger than is reasonable.
    TooLarge,
    /// The answer is not what the protocol says it should be.
    Garbage,
    /// It refuses what the protocol allows, by this JSON-RPC code.
    Protocol(i64),
    /// It speaks no revision of the protocol that we do.
    OtherRevision,
}

impl Fault {
    /// The word by which it is counted.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoClient => "no_client",
            Self::NoConnection => "no_connection",
            Self::TooSlow => "too_slow",
            Self::BrokeOff => "broke_off",
            Self::Forbidden(_) => "forbidden",
            Self::Throttled(_) => "throttled",
            Self::Status { .. } => "status",
            Self::SessionGone => "session_gone",
            Self::TooLarge => "too_large",
            Self::Garbage => "garbage",
            Self::Protocol(_) => "protocol",
            Self::OtherRevision => "other_revision",
        }
    }

    /// The pause before one more attempt; none when another attempt would end the same way.
    pub fn worth_another_attempt(self) -> Option<Duration> {
        let pause = |wanted: Option<Duration>| {
            Some(wanted.unwrap_or_default()).filter(|pause| *pause <= PAUSE_MAX)
        };
        match self {
            Self::NoConnection | Self::BrokeOff | Self::SessionGone => Some(Duration::ZERO),
            Self::Status { status: 502..=504, retry_after, .. } => pause(retry_after),
            // Without a time it would be more of what it has had enough of.
            Self::Throttled(Some(wanted)) => pause(Some(wanted)),
            Self::Throttled(None)
            | Self::NoClient
            | Self::TooSlow
            | Self::Forbidden(_)
            | Self::Status { .. }
            | Self::TooLarge
            | Self::Garbage
            | Self::Protocol(_)
            | Self::OtherRevision => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClient => f.write_str("no HTTP client: are CA certificates installed?"),
            Self::NoConnection => f.write_str("no connection"),
            Self::TooSlow => f.write_str("no answer in time"),
            Self::BrokeOff => f.write_str("the answer broke off"),
            Self::Forbidden(status) => write!(f, "it refuses our credential (status {status})"),
            Self::Throttled(_) => f.write_str("it limits how often it is asked (status 429)"),
            Self::Status { status, .. } => write!(f, "it answered with status {status}"),
            Self::SessionGone => f.write_str("it forgot our session"),
            Self::TooLarge => f.write_str("its answer is too large"),
            Self::Garbage => f.write_str("its answer is not MCP"),
            Self::Protocol(code) => write!(f, "it refused with JSON-RPC error {code}"),
            Self::OtherRevision => f.write_str("it speaks no revision of MCP that we speak"),
        }
    }
}

impl std::error::Error for Fault {}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// It failed so often that it is left alone for now.
    Resting,
    /// It failed.
    Fault(Fault),
    /// It works and says no to this call.
    Refused,
    /// This input of ours cannot be made into an argument of theirs.
    Unusable(String),
}
