//! The words that plans, people and the reference share: what may be done, and what may be seen.
//!
//! Never here: secrets. Refresh tokens are numbers in the order in which clients first saw them.

use std::fmt;

/// Each sign-in has a number: its request, its login, its code and its grant all bear it.
pub type SignInNo = usize;
/// A refresh token that some client holds.
pub type TokenNo = usize;
/// 0 and 1: the two processes on one database.
pub type Replica = usize;

/// Lifetimes, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub request_ttl: i64,
    pub code_ttl: i64,
    pub access_ttl: i64,
    pub refresh_ttl: i64,
    pub refresh_grace: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    Approve,
    Deny,
}

/// Who presents a token: the client it was issued to, or the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    Owner,
    Stranger,
}

/// What comes with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    Right,
    WrongVerifier,
    WrongClient,
}

/// One operation, its symbols resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// From the consent page to a code, undisturbed.
    SignIn(SignInNo),
    /// Only the consent page.
    Open(SignInNo),
    /// An edition of a kind of client.
    Register(usize, usize),
    Decide(SignInNo, Decision),
    Callback(SignInNo),
    Exchange(SignInNo, Proof),
    Refresh(TokenNo, Party),
    RevokeRefresh(TokenNo, Party),
    RevokeAccess {
        sign_in: SignInNo,
        expires_at: i64,
        by: Party,
    },
    Call {
        sign_in: SignInNo,
        expires_at: i64,
    },
    CleanUp,
}

/// What came back, secrets replaced by symbols.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Seen {
    Registered,
    Page,
    AtProvider,
    Denied,
    Code,
    Tokens(TokenNo),
    /// An expected no: `invalid_grant`, or a page that says why not.
    Refused,
    Revoked,
    Admitted,
    TurnedAway,
    CleanedUp,
    /// The operation took place; nobody learnt how it ended.
    Lost,
    /// A fault was in the way, and it may have taken place or not.
    Failed,
    /// Nothing that any operation may answer.
    Odd(String),
}

/// What the reference answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expected {
    Exactly(Seen),
    /// Tokens, the refresh token being this generation of this sign-in.
    Generation(SignInNo, usize),
    /// Revoked elsewhere less than the bound ago.
    AdmittedOrNot,
}

/// What the tables must hold, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub clients: i64,
    pub codes: i64,
    pub codes_used: i64,
    pub grants: i64,
    pub grants_revoked: i64,
    pub tokens: i64,
    pub tokens_unused: i64,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered => f.write_str("201"),
            Self::Page => f.write_str("the consent page"),
            Self::AtProvider => f.write_str("on to the provider"),
            Self::Denied => f.write_str("denied, as asked"),
            Self::Code => f.write_str("a code"),
            Self::Tokens(token) => write!(f, "200 with token {token}"),
            Self::Refused => f.write_str("400 refused"),
            Self::Revoked => f.write_str("200"),
            Self::Admitted => f.write_str("200 admitted"),
            Self::TurnedAway => f.write_str("401"),
            Self::CleanedUp => f.write_str("done"),
            Self::Lost => f.write_str("(the answer is lost)"),
            Self::Failed => f.write_str("failed, done or not"),
            Self::Odd(what) => write!(f, "{what}"),
        }
    }
}
