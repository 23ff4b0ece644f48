//! What of the flows is counted, and as what: one match for each way an exchange can end.
//!
//! Exhaustive: a new way does not compile until someone decides what it counts as.

use std::net::IpAddr;

use quick_cache::sync::Cache;

use crate::domain::authorization_request::Rejected;
use crate::domain::refusal::{AccessRefusal, AuthorizeRefusal};
use crate::flow::authorize::Authorize;
use crate::flow::callback::CallbackOutcome;
use crate::flow::consent::ConsentOutcome;
use crate::flow::granting::TokenOutcome;
use crate::flow::limits::counted_address;
use crate::flow::register::Registration;
use crate::flow::revoke::Revocation;
use crate::flow::{Fault, Gatehouse};
use crate::id::GrantId;
use crate::metrics::reasons::{Limited, NoAdministrator, Reason};
use crate::metrics::sign_in::{Endpoint, Refresh, Step};
use crate::secret::SecretHash;

/// Of so many rotations it is remembered where they came from.
const ROTATIONS_MAX: usize = 20_000;

/// From which network the latest refresh tokens were rotated, to tell a client that repeats itself
/// from two that hold one token. Never written down.
pub struct Rotations(Cache<SecretHash, IpAddr>);

impl Default for Rotations {
    fn default() -> Self {
        Self(Cache::new(ROTATIONS_MAX))
    }
}

impl Rotations {
    /// A token was rotated.
    pub fn note(&self, presented: SecretHash, address: IpAddr) -> Refresh {
        self.0.insert(presented, counted_address(address));
        Refresh::Rotated
    }

    /// A token came again within the grace.
    pub fn compare(&self, presented: SecretHash, address: IpAddr) -> Refresh {
        match self.0.get(&presented) {
            None => Refresh::RepeatedFromUnknown,
            Some(first) if first == counted_address(address) => Refresh::RepeatedFromSameNetwork,
            Some(_) => Refresh::RepeatedFromOtherNetwork,
        }
    }
}

/// So many grants are waited for until they are used.
const UNUSED_MAX: usize = 20_000;

/// Grants that were made here and have not been used here yet.
pub struct UnusedGrants(Cache<GrantId, ()>);

impl Default for UnusedGrants {
    fn default() -> Self {
        Self(Cache::new(UNUSED_MAX))
    }
}

impl Fault {
    /// Its word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Upstream(_) => "provider",
            Self::Key(_) | Self::GivenKey(_) => "key",
            Self::NoUpstream => "no_provider",
            Self::Delayed => "delayed",
        }
    }
}

impl Gatehouse {
    /// A step was passed.
    pub fn passed(&self, step: Step) {
        self.metrics.sign_in.passed(step);
    }

    /// Somebody came to the tools without a token.
    pub fn refused_without_token(&self) {
        self.refused(Endpoint::Mcp, &AccessRefusal::NoCredentials);
    }

    /// A code was exchanged for a grant.
    pub fn passed_to_grant(&self, grant_id: GrantId) {
        self.unused_grants.0.insert(grant_id, ());
        self.passed(Step::Token);
    }

    /// A grant was used; the first time, if it was made here, that is a step.
    pub fn count_use(&self, grant_id: GrantId) {
        // Looked at first, which is all that most calls do; of two that take it out one does.
        let unused = &self.unused_grants.0;
        if unused.peek(&grant_id).is_some() && unused.remove(&grant_id).is_some() {
            self.passed(Step::FirstCall);
        }
    }

    /// A request was refused.
    pub fn refused(&self, at: Endpoint, reason: &impl Reason) {
        self.metrics.sign_in.refused(at, reason);
    }

    /// A request failed.
    pub fn failed(&self, at: Endpoint, fault: &Fault) {
        self.metrics.sign_in.failed(at, fault.word());
    }

    /// `GET /oauth/authorize`
    pub fn count_authorize(&self, outcome: &Result<Authorize, Fault>) {
        let at = Endpoint::Authorize;
        match outcome {
            Ok(Authorize::Ask(_)) => self.passed(Step::Authorize),
            Ok(Authorize::ToProvider(_)) => {
                self.passed(Step::Authorize);
                self.passed(Step::Consent);
            }
            Ok(Authorize::Rejected(
                Rejected::Page(refusal) | Rejected::Redirect { refusal, .. },
            )) => self.refused(at, refusal),
            Ok(Authorize::Limited(_)) => self.refused(at, &Limited),
            Err(fault) => self.failed(at, fault),
        }
    }

    /// `POST /oauth/consent`
    pub fn count_consent(&self, outcome: &Result<ConsentOutcome, Fault>) {
        let at = Endpoint::Consent;
        match outcome {
            Ok(ConsentOutcome::ToProvider(_)) => self.passed(Step::Consent),
            Ok(ConsentOutcome::Denied { .. }) => self.refused(at, &AuthorizeRefusal::Denied),
            Ok(ConsentOutcome::Refused(refusal)) => self.refused(at, refusal),
            Err(fault) => self.failed(at, fault),
        }
    }

    /// `GET /mcp/callback`. What becomes of a program's sign-in is counted where it is decided.
    pub fn count_callback(&self, outcome: &Result<CallbackOutcome, Fault>) {
        let at = Endpoint::Callback;
        match outcome {
            Ok(CallbackOutcome::ToClient { .. }) => {}
            Ok(CallbackOutcome::NotSignedIn { refusal, .. }) => self.refused(at, refusal),
            Ok(CallbackOutcome::NoAdministrator) => self.refused(at, &NoAdministrator),
            Ok(CallbackOutcome::Refused(refusal)) => self.refused(at, refusal),
            Err(fault) => self.failed(at, fault),
        }
    }

    /// `POST /oauth/token`. What was granted is counted where it is known for what.
    pub fn count_token(&self, outcome: &Result<TokenOutcome, Fault>) {
        let at = Endpoint::Token;
        match outcome {
            Ok(TokenOutcome::Granted(_)) => {}
            Ok(TokenOutcome::Refused(refusal)) => self.refused(at, refusal),
            Ok(TokenOutcome::Limited(_)) => self.refused(at, &Limited),
            Err(fault) => self.failed(at, fault),
        }
    }

    /// `POST /oauth/revoke`
    pub fn count_revoke(&self, outcome: &Result<Revocation, Fault>) {
        let at = Endpoint::Revoke;
        match outcome {
            Ok(Revocation::Done) => {}
            Ok(Revocation::Refused(refusal)) => self.refused(at, refusal),
            Err(fault) => self.failed(at, fault),
        }
    }

    /// `POST /oauth/register`
    pub fn count_register(&self, outcome: &Result<Registration, Fault>) {
        let at = Endpoint::Register;
        match outcome {
            Ok(Registration::Registered { .. }) => self.passed(Step::Register),
            Ok(Registration::Refused(refusal)) => self.refused(at, refusal),
            Ok(Registration::Limited(_)) => self.refused(at, &Limited),
            Err(fault) => self.failed(at, fault),
        }
    }
}
