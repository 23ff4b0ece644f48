//! What is told of each call: who made it, with what, and what became of it.
//!
//! Who counts is not this room's matter: whoever does implements [`UsageBook`].

use std::time::Duration;

use crate::mcp::caller::Caller;
use crate::mcp::reply::{Failure, Finding, Reply};

/// What became of a call, as far as it is known where it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Something was found, read or done.
    Answered,
    /// A search found nothing.
    Empty,
    /// An argument could not be used, or no tool has that name. The model was told why.
    Refused,
    /// Another server, which answers the tool, did not.
    Unavailable,
    /// The caller went away before the answer.
    Abandoned,
    /// Something broke in here.
    Fault,
    /// The tool acts in a person's name, and nobody signed in.
    Unauthorized,
    /// The token lacks a scope.
    Forbidden,
    /// Too many requests. Which tool was meant is not known: the body was not read.
    Limited,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Answered,
        Self::Empty,
        Self::Refused,
        Self::Unavailable,
        Self::Abandoned,
        Self::Fault,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Limited,
    ];

    /// The word in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Empty => "empty",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Abandoned => "abandoned",
            Self::Fault => "fault",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Limited => "limited",
        }
    }

    /// How a tool ended.
    pub fn of(ended: &Result<Reply, Failure>) -> Self {
        match ended {
            Ok(reply) if reply.finding().is_some_and(|finding| finding.results == 0) => Self::Empty,
            Ok(_) => Self::Answered,
            Err(Failure::Refused(_)) => Self::Refused,
            Err(Failure::Unavailable(_)) => Self::Unavailable,
            Err(Failure::Fault(_)) => Self::Fault,
        }
    }
}

/// How a client described itself with a request. None of it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// The name in `clientInfo`, which comes with each request since 2026-07-28.
    pub client_info: Option<String>,
    /// The header `User-Agent`.
    pub user_agent: Option<String>,
    /// The revision of the protocol that was spoken; empty where none of ours was named.
    pub revision: &'static str,
}

/// A call that has ended.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Who made it.
    pub caller: &'a Caller,
    /// With what.
    pub signs: &'a Signs,
    /// The tool, under the name this deployment gives it; empty when none is known.
    pub tool: &'a str,
    /// What became of it.
    pub outcome: Outcome,
    /// From the open envelope to the answer.
    pub took: Duration,
    /// What a search came to.
    pub finding: Option<Finding>,
    /// What was searched for, where that is asked for.
    pub query: Option<&'a str>,
    /// What the person wants, where that is asked for and was said.
    pub context: Option<&'a str>,
    /// Where the call came from; nothing where the door does not say.
    pub connection: Option<Connection>,
}

/// Where a call without a token came from: the same number for the same place, as long as this
/// process lives, and nothing that can be read from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection(pub u64);

/// Where calls are counted.
pub trait UsageBook: Send + Sync + 'static {
    /// Takes note of a call. The answer waits for this, so it must not wait for anything.
    fn note(&self, call: Call<'_>);
}
