//! From discovery to the first tokens, how sign-ins go on, and why some do not.

use prometheus::IntCounterVec;
use prometheus::core::Collector;

use crate::metrics::reasons::Reason;
use crate::metrics::{Part, counter};

/// A step on the way to a connected client. Each is counted when it is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The protected resource was described (RFC 9728).
    ProtectedResource,
    /// The authorization server was described (RFC 8414).
    AuthorizationServer,
    /// A client is registered; also one that was before.
    Register,
    /// An authorization request was accepted.
    Authorize,
    /// The person agreed, now or earlier.
    Consent,
    /// The provider said who it is.
    Provider,
    /// The client was sent a code.
    Code,
    /// The code was exchanged: there is a grant.
    Token,
    /// The grant was used at `/mcp` for the first time.
    FirstCall,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 9] = [
        Self::ProtectedResource,
        Self::AuthorizationServer,
        Self::Register,
        Self::Authorize,
        Self::Consent,
        Self::Provider,
        Self::Code,
        Self::Token,
        Self::FirstCall,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::ProtectedResource => "protected_resource",
            Self::AuthorizationServer => "authorization_server",
            Self::Register => "register",
            Self::Authorize => "authorize",
            Self::Consent => "consent",
            Self::Provider => "provider",
            Self::Code => "code",
            Self::Token => "token",
            Self::FirstCall => "first_call",
        }
    }
}

/// Where a request was refused, or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/oauth/register`
    Register,
    /// `/oauth/authorize`
    Authorize,
    /// `/oauth/consent`
    Consent,
    /// `/mcp/callback`
    Callback,
    /// `/oauth/token`
    Token,
    /// `/oauth/revoke`
    Revoke,
    /// `/mcp`
    Mcp,
}

impl Endpoint {
    const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Authorize => "authorize",
            Self::Consent => "consent",
            Self::Callback => "callback",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Mcp => "mcp",
        }
    }
}

/// How a refresh token was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// It was rotated.
    Rotated,
    /// It came again within the grace, from the network that rotated it.
    RepeatedFromSameNetwork,
    /// It came again within the grace, from another network.
    RepeatedFromOtherNetwork,
    /// It came again within the grace, and another replica rotated it.
    RepeatedFromUnknown,
    /// It was used before, and its family is ended.
    Replayed,
    /// Another client presented it, and its family is ended.
    Leaked,
    /// It was refused for another reason.
    Refused,
    /// Its sign-in asked too often.
    Limited,
    /// This process was held up, and decided nothing.
    Delayed,
}

impl Refresh {
    const ALL: [Self; 9] = [
        Self::Rotated,
        Self::RepeatedFromSameNetwork,
        Self::RepeatedFromOtherNetwork,
        Self::RepeatedFromUnknown,
        Self::Replayed,
        Self::Leaked,
        Self::Refused,
        Self::Limited,
        Self::Delayed,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Rotated => "rotated",
            Self::RepeatedFromSameNetwork => "repeated_same_network",
            Self::RepeatedFromOtherNetwork => "repeated_other_network",
            Self::RepeatedFromUnknown => "repeated_unknown",
            Self::Replayed => "replayed",
            Self::Leaked => "leaked",
            Self::Refused => "refused",
            Self::Limited => "limited",
            Self::Delayed => "delayed",
        }
    }
}

/// The counters.
pub struct SignInMetrics {
    steps: IntCounterVec,
    refusals: IntCounterVec,
    faults: IntCounterVec,
    refreshes: IntCounterVec,
    revocations: IntCounterVec,
}

impl Default for SignInMetrics {
    fn default() -> Self {
        let metrics = Self {
            steps: counter(
                "gatehouse_sign_in_steps_total",
                "Steps passed on the way from discovery to a connected client.",
                &["step"],
            ),
            refusals: counter(
                "gatehouse_refusals_total",
                "Requests refused, by endpoint and reason.",
                &["endpoint", "reason"],
            ),
            faults: counter(
                "gatehouse_faults_total",
                "Requests that failed because something broke, by endpoint and by what broke.",
                &["endpoint", "fault"],
            ),
            refreshes: counter(
                "gatehouse_refreshes_total",
                "Refresh tokens presented, by outcome.",
                &["outcome"],
            ),
            revocations: counter(
                "gatehouse_revocations_total",
                "Grants ended before their time, by reason.",
                &["reason"],
            ),
        };
        // What has never happened is 0, not absent: a rate needs the first one too.
        for step in Step::ALL {
            metrics.steps.with_label_values(&[step.name()]);
        }
        for refresh in Refresh::ALL {
            metrics.refreshes.with_label_values(&[refresh.name()]);
        }
        metrics
    }
}

impl SignInMetrics {
    /// A step was passed.
    pub fn passed(&self, step: Step) {
        self.steps.with_label_values(&[step.name()]).inc();
    }

    /// A request was refused.
    pub fn refused(&self, at: Endpoint, reason: &impl Reason) {
        self.refusals.with_label_values(&[at.name(), reason.word()]).inc();
    }

    /// A request failed.
    pub fn failed(&self, at: Endpoint, fault: &'static str) {
        self.faults.with_label_values(&[at.name(), fault]).inc();
    }

    /// A refresh token was answered.
    pub fn refreshed(&self, refresh: Refresh) {
        self.refreshes.with_label_values(&[refresh.name()]).inc();
    }

    /// Grants were ended.
    pub fn revoked(&self, reason: &'static str, grants: usize) {
        let grants = u64::try_from(grants).unwrap_or(u64::MAX);
        self.revocations.with_label_values(&[reason]).inc_by(grants);
    }
}

impl Part for SignInMetrics {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        let Self { steps, refusals, faults, refreshes, revocations } = self;
        let all = [steps, refusals, faults, refreshes, revocations];
        all.into_iter().map(|counter| Box::new(counter.clone()) as _).collect()
    }
}
