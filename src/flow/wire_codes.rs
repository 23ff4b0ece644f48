//! What a client is told for each reason: a code, and a fixed text.
//!
//! Exhaustive: a new reason does not compile until someone decides.

use gatehouse_api::error::{AuthorizationErrorCode, RevocationErrorCode, TokenErrorCode};

use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::refusal::{
    AuthorizeRefusal, ClientRefusal, NoWorkEmail, RevocationRefusal, TokenRefusal,
};
use crate::flow::Gatehouse;

/// For what passes.
pub const UNAVAILABLE: &str = "Something this server needs is down. Try again shortly.";

/// For what does not.
pub const BROKEN: &str = "Something broke. The log says what.";

/// For those who ask too often.
pub const TOO_MANY: &str = "Too many requests. Wait as long as Retry-After says.";

const CLIENT_ID_MISSING: &str = "The parameter client_id is missing.";
const CONTRADICTORY: &str = "A parameter is missing, repeated or contradicts another.";
const NOT_THIS_CLIENT: &str =
    "The client is not registered here, or did not authenticate as a public client.";

impl TokenRefusal {
    /// What the client is told. Every way a grant can fail looks the same from outside, so that a
    /// stolen token cannot be probed.
    pub const fn code(self) -> TokenErrorCode {
        match self {
            Self::MissingParameter(_)
            | Self::Client(
                ClientRefusal::MissingClientId
                | ClientRefusal::ForeignCredentials
                | ClientRefusal::AmbiguousAuthentication,
            ) => TokenErrorCode::InvalidRequest,
            Self::UnsupportedGrantType => TokenErrorCode::UnsupportedGrantType,
            Self::UnauthorizedGrantType => TokenErrorCode::UnauthorizedClient,
            Self::UnknownClient
            | Self::Client(
                ClientRefusal::BasicAuthenticationFailed | ClientRefusal::UnsupportedAuthentication,
            ) => TokenErrorCode::InvalidClient,
            Self::Unknown
            | Self::Replayed
            | Self::Expired
            | Self::WrongClient
            | Self::RedirectUriMismatch
            | Self::VerifierMismatch
            | Self::Revoked => TokenErrorCode::InvalidGrant,
            Self::ScopeTooWide => TokenErrorCode::InvalidScope,
            Self::UnknownResource => TokenErrorCode::InvalidTarget,
        }
    }

    /// A fixed text per code, with the name of a missing parameter and nothing else.
    pub fn description(self) -> &'static str {
        match self.code() {
            TokenErrorCode::InvalidRequest => match self {
                Self::MissingParameter("grant_type") => "The parameter grant_type is missing.",
                Self::Client(ClientRefusal::MissingClientId) => CLIENT_ID_MISSING,
                Self::MissingParameter("code") => "The parameter code is missing.",
                Self::MissingParameter("code_verifier") => {
                    "The parameter code_verifier is missing."
                }
                Self::MissingParameter("refresh_token") => {
                    "The parameter refresh_token is missing."
                }
                _ => CONTRADICTORY,
            },
            TokenErrorCode::InvalidClient => NOT_THIS_CLIENT,
            TokenErrorCode::InvalidGrant => "The code or refresh token is not valid.",
            TokenErrorCode::UnauthorizedClient => "The client may not use this grant type.",
            TokenErrorCode::UnsupportedGrantType => "There is no such grant type here.",
            TokenErrorCode::InvalidScope => "The scope goes beyond what was granted.",
            TokenErrorCode::InvalidTarget => "The resource is not the one of this server.",
            TokenErrorCode::ServerError => BROKEN,
            TokenErrorCode::TemporarilyUnavailable => UNAVAILABLE,
        }
    }
}

impl RevocationRefusal {
    /// What the client is told, and the same as the token endpoint would (RFC 7009 §2.1).
    pub const fn code(self) -> RevocationErrorCode {
        match self {
            Self::MissingToken
            | Self::Client(
                ClientRefusal::MissingClientId
                | ClientRefusal::ForeignCredentials
                | ClientRefusal::AmbiguousAuthentication,
            ) => RevocationErrorCode::InvalidRequest,
            Self::UnknownClient
            | Self::Client(
                ClientRefusal::BasicAuthenticationFailed | ClientRefusal::UnsupportedAuthentication,
            ) => RevocationErrorCode::InvalidClient,
        }
    }

    /// A fixed text.
    pub const fn description(self) -> &'static str {
        match self {
            Self::MissingToken => "The parameter token is missing.",
            Self::Client(ClientRefusal::MissingClientId) => CLIENT_ID_MISSING,
            Self::Client(
                ClientRefusal::ForeignCredentials | ClientRefusal::AmbiguousAuthentication,
            ) => CONTRADICTORY,
            Self::UnknownClient
            | Self::Client(
                ClientRefusal::BasicAuthenticationFailed | ClientRefusal::UnsupportedAuthentication,
            ) => NOT_THIS_CLIENT,
        }
    }
}

impl AuthorizeRefusal {
    /// What the client is told on its redirect URI.
    pub const fn code(self) -> AuthorizationErrorCode {
        match self {
            Self::RepeatedParameter
            | Self::MissingClientId
            | Self::UnknownClient
            | Self::MalformedDocumentUrl
            | Self::UnusableDocument
            | Self::MissingRedirectUri
            | Self::UnregisteredRedirectUri
            | Self::StateTooLong
            | Self::MissingResponseType
            | Self::UnsupportedResponseMode
            | Self::MissingCodeChallenge
            | Self::UnsupportedChallengeMethod
            | Self::MalformedCodeChallenge => AuthorizationErrorCode::InvalidRequest,
            Self::UnsupportedResponseType => AuthorizationErrorCode::UnsupportedResponseType,
            Self::UnknownResource => AuthorizationErrorCode::InvalidTarget,
            Self::RequestObject => AuthorizationErrorCode::RequestNotSupported,
            Self::RequestUri => AuthorizationErrorCode::RequestUriNotSupported,
            Self::InteractionRequired => AuthorizationErrorCode::LoginRequired,
            Self::UntrustedPublisher
            | Self::Denied
            | Self::UpstreamDenied
            | Self::WorkEmailRequired => AuthorizationErrorCode::AccessDenied,
            Self::UpstreamUntrusted => AuthorizationErrorCode::ServerError,
            Self::UpstreamUnavailable => AuthorizationErrorCode::TemporarilyUnavailable,
        }
    }
}

impl NoWorkEmail {
    /// What is wrong with the address.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoAddress => "The identity provider names no e-mail address.",
            Self::Unverified => "The identity provider has not verified the address.",
            Self::PersonalProvider => "The address belongs to a free or disposable mail provider.",
        }
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Unverified => {
                "Verify your address with the identity provider, then sign in again."
            }
            Self::NoAddress | Self::PersonalProvider => {
                "Sign in with an address at your organization."
            }
        }
    }
}

impl Gatehouse {
    /// A redirect URI with a refusal (RFC 6749 §4.1.2.1, RFC 9207 §2).
    pub fn refusal_to(
        &self,
        redirect: &TrustedRedirect,
        state: Option<&str>,
        refusal: AuthorizeRefusal,
    ) -> String {
        let mut parameters = vec![("error", refusal.code().name())];
        parameters.extend(state.map(|state| ("state", state)));
        parameters.push(("iss", &self.config.public_url));
        redirect.with_parameters(&parameters)
    }
}
