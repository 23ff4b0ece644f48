//! Which step each refusal is. Exhaustive: a new reason does not compile until someone decides.

use crate::domain::attempt::Step;
use crate::domain::refusal::{
    AuthorizeRefusal, CallbackRefusal, ConsentRefusal, LoginRefusal, TokenRefusal,
};

impl From<AuthorizeRefusal> for Step {
    fn from(refusal: AuthorizeRefusal) -> Self {
        use AuthorizeRefusal as R;
        match refusal {
            R::RepeatedParameter => Self::RepeatedParameter,
            R::MissingClientId => Self::MissingClientId,
            R::UnknownClient => Self::UnknownClient,
            R::MalformedDocumentUrl => Self::MalformedDocumentUrl,
            R::UntrustedPublisher => Self::UntrustedPublisher,
            R::UnusableDocument => Self::UnusableDocument,
            R::MissingRedirectUri => Self::MissingRedirect,
            R::UnregisteredRedirectUri => Self::RedirectDiffers,
            R::MissingResponseType
            | R::UnsupportedResponseType
            | R::UnsupportedResponseMode
            | R::RequestObject
            | R::RequestUri => Self::Unsupported,
            R::MissingCodeChallenge => Self::NoPkce,
            R::UnsupportedChallengeMethod => Self::WeakPkce,
            R::MalformedCodeChallenge => Self::MalformedPkce,
            R::StateTooLong => Self::StateTooLong,
            R::UnknownResource => Self::OtherResource,
            R::InteractionRequired => Self::InteractionRequired,
            R::Denied => Self::Declined,
            R::UpstreamDenied => Self::ProviderDenied,
            R::UpstreamUntrusted => Self::ProviderUntrusted,
            R::UpstreamUnavailable => Self::ProviderUnreachable,
            R::WorkEmailRequired => Self::NoWorkAddress,
        }
    }
}

impl From<ConsentRefusal> for Step {
    fn from(refusal: ConsentRefusal) -> Self {
        match refusal {
            ConsentRefusal::ForeignForm => Self::ForeignForm,
            ConsentRefusal::Expired => Self::ConsentExpired,
            ConsentRefusal::AlreadyDecided => Self::DecidedTwice,
        }
    }
}

impl From<CallbackRefusal> for Step {
    fn from(refusal: CallbackRefusal) -> Self {
        match refusal {
            CallbackRefusal::MissingState | CallbackRefusal::UnknownState => Self::CameBackLate,
            CallbackRefusal::AlreadyAnswered => Self::CameBackTwice,
            CallbackRefusal::ForeignBrowser => Self::OtherBrowser,
            CallbackRefusal::AnotherPerson => Self::OtherPerson,
        }
    }
}

/// What of the ID token is not believed, and by how many seconds or why.
pub fn of_id_token(refusal: LoginRefusal) -> (Step, String) {
    let why = match refusal {
        LoginRefusal::IssuedInFuture(seconds) => {
            return (Step::ClockAhead, format!("by {seconds} seconds"));
        }
        LoginRefusal::Expired(seconds) => {
            return (Step::ClockBehind, format!("it expired {seconds} seconds before"));
        }
        LoginRefusal::Malformed => "it is malformed",
        LoginRefusal::WrongAlgorithm => "it is signed with another algorithm",
        LoginRefusal::BadSignature => "it is signed with a key that the provider does not publish",
        LoginRefusal::WrongIssuer => "it names another issuer",
        LoginRefusal::WrongAudience => "it is for another application",
        LoginRefusal::WrongNonce => "it answers another request",
        LoginRefusal::MissingSubject => "it names nobody",
    };
    (Step::IdTokenRefused, why.to_owned())
}

/// An error of the provider that may be told; it may write anything there.
pub fn told_error(error: &str) -> &'static str {
    const KNOWN: [&str; 16] = [
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_client",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "request_not_supported",
        "request_uri_not_supported",
        "server_error",
        "temporarily_unavailable",
        "unauthorized",
        "unauthorized_client",
        "unmet_authentication_requirements",
        "unsupported_response_type",
    ];
    KNOWN.into_iter().find(|known| *known == error).unwrap_or("an error of its own")
}

/// Why a code was not exchanged, and what stands beside it.
pub fn of_exchange(refusal: TokenRefusal) -> (Step, Option<&'static str>) {
    let step = match refusal {
        TokenRefusal::VerifierMismatch => Step::PkceDiffers,
        TokenRefusal::RedirectUriMismatch => Step::ExchangeRedirectDiffers,
        TokenRefusal::WrongClient => Step::OtherClient,
        TokenRefusal::Expired => Step::CodeExpired,
        TokenRefusal::Replayed => Step::CodeReplayed,
        TokenRefusal::UnknownResource => Step::ExchangeResource,
        TokenRefusal::MissingParameter(name) => {
            return (Step::ExchangeMalformed, Some(name));
        }
        TokenRefusal::UnknownClient => {
            return (Step::ExchangeMalformed, Some("the program is not registered"));
        }
        TokenRefusal::Client(_) => {
            return (Step::ExchangeMalformed, Some("the program authenticates in another way"));
        }
        TokenRefusal::UnsupportedGrantType
        | TokenRefusal::UnauthorizedGrantType
        | TokenRefusal::Unknown
        | TokenRefusal::Revoked
        | TokenRefusal::ScopeTooWide => Step::ExchangeMalformed,
    };
    (step, None)
}
