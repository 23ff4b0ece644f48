//! Every expected "no", in one word of a closed set.
//!
//! Exhaustive: a new reason does not compile until it has its word. What a refusal carries beside
//! its kind (a parameter, a status) is left out.

use crate::domain::refusal::{
    AccessRefusal, AuthorizeRefusal, CallbackRefusal, ClientRefusal, ConsentRefusal, NoWorkEmail,
    RegistrationRefusal, RevocationRefusal, TokenRefusal,
};

/// A reason that may be a label.
pub trait Reason {
    /// Its word.
    fn word(&self) -> &'static str;
}

/// Too many requests.
#[derive(Clone, Copy, Debug)]
pub struct Limited;

impl Reason for Limited {
    fn word(&self) -> &'static str {
        "limited"
    }
}

/// Who signed in to administer is not listed.
#[derive(Clone, Copy, Debug)]
pub struct NoAdministrator;

impl Reason for NoAdministrator {
    fn word(&self) -> &'static str {
        "no_administrator"
    }
}

/// Why `/mcp` refuses what is not about the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorRefusal {
    /// The `Host` header names another server.
    ForeignHost,
    /// A browser page of an origin that is not listed.
    ForeignOrigin,
    /// In grace, and it is this one's turn to sign in.
    MustSignIn,
    /// The tool acts in a person's name, and nobody signed in.
    PersonRequired,
    /// The token lacks a scope.
    InsufficientScope,
    /// The body is too large.
    TooLarge,
    /// The body could not be read.
    BrokenBody,
}

impl Reason for DoorRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::ForeignHost => "foreign_host",
            Self::ForeignOrigin => "foreign_origin",
            Self::MustSignIn => "must_sign_in",
            Self::PersonRequired => "person_required",
            Self::InsufficientScope => "insufficient_scope",
            Self::TooLarge => "too_large",
            Self::BrokenBody => "broken_body",
        }
    }
}

impl Reason for RegistrationRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::SwitchedOff => "switched_off",
            Self::Malformed(_) => "malformed",
            Self::NoAcceptableRedirectUri => "no_acceptable_redirect_uri",
            Self::TooManyRedirectUris => "too_many_redirect_uris",
            Self::InconsistentTypes => "inconsistent_types",
        }
    }
}

impl Reason for AuthorizeRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::RepeatedParameter => "repeated_parameter",
            Self::MissingClientId => "missing_client_id",
            Self::UnknownClient => "unknown_client",
            Self::MalformedDocumentUrl => "malformed_document_url",
            Self::UntrustedPublisher => "untrusted_publisher",
            Self::UnusableDocument => "unusable_document",
            Self::MissingRedirectUri => "missing_redirect_uri",
            Self::UnregisteredRedirectUri => "unregistered_redirect_uri",
            Self::MissingResponseType => "missing_response_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedResponseMode => "unsupported_response_mode",
            Self::MissingCodeChallenge => "missing_code_challenge",
            Self::UnsupportedChallengeMethod => "unsupported_challenge_method",
            Self::MalformedCodeChallenge => "malformed_code_challenge",
            Self::StateTooLong => "state_too_long",
            Self::UnknownResource => "unknown_resource",
            Self::RequestObject => "request_object",
            Self::RequestUri => "request_uri",
            Self::InteractionRequired => "interaction_required",
            Self::Denied => "denied",
            Self::UpstreamDenied => "upstream_denied",
            Self::UpstreamUntrusted => "upstream_untrusted",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::WorkEmailRequired => "work_email_required",
        }
    }
}

impl Reason for ConsentRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::ForeignForm => "foreign_form",
            Self::Expired => "expired",
            Self::AlreadyDecided => "already_decided",
        }
    }
}

impl Reason for CallbackRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::MissingState => "missing_state",
            Self::UnknownState => "unknown_state",
            Self::AlreadyAnswered => "already_answered",
            Self::ForeignBrowser => "foreign_browser",
            Self::AnotherPerson => "another_person",
        }
    }
}

impl Reason for ClientRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::MissingClientId => "missing_client_id",
            Self::ForeignCredentials => "foreign_credentials",
            Self::BasicAuthenticationFailed => "basic_authentication_failed",
            Self::UnsupportedAuthentication => "unsupported_authentication",
            Self::AmbiguousAuthentication => "ambiguous_authentication",
        }
    }
}

impl Reason for TokenRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::MissingParameter(_) => "missing_parameter",
            Self::Client(refusal) => refusal.word(),
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnauthorizedGrantType => "unauthorized_grant_type",
            Self::UnknownClient => "unknown_client",
            Self::Unknown => "unknown",
            Self::Replayed => "replayed",
            Self::Expired => "expired",
            Self::WrongClient => "wrong_client",
            Self::RedirectUriMismatch => "redirect_uri_mismatch",
            Self::VerifierMismatch => "verifier_mismatch",
            Self::Revoked => "revoked",
            Self::ScopeTooWide => "scope_too_wide",
            Self::UnknownResource => "unknown_resource",
        }
    }
}

impl Reason for RevocationRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::Client(refusal) => refusal.word(),
            Self::UnknownClient => "unknown_client",
        }
    }
}

impl Reason for AccessRefusal {
    fn word(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::MalformedCredentials => "malformed_credentials",
            Self::BadSignature => "bad_signature",
            Self::WrongType => "wrong_type",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Revoked => "revoked",
            Self::WorkEmailRequired(lack) => lack.word(),
        }
    }
}

impl Reason for NoWorkEmail {
    fn word(&self) -> &'static str {
        match self {
            Self::NoAddress => "work_email_no_address",
            Self::Unverified => "work_email_unverified",
            Self::PersonalProvider => "work_email_personal_provider",
        }
    }
}
