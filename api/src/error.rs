//! OAuth error bodies; one code enum per endpoint, so that a wrong code cannot be written.

use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use poem_openapi::{Enum, Object};

/// RFC 6749 §5.2.
#[derive(Clone, Debug, Object)]
pub struct OAuthError<Code: Type + ParseFromJSON + ToJSON> {
    /// What went wrong, for programs.
    pub error: Code,
    /// What went wrong, for people; a fixed text.
    #[oai(skip_serializing_if_is_none)]
    pub error_description: Option<String>,
}

impl<Code: Type + ParseFromJSON + ToJSON> OAuthError<Code> {
    /// An error with a fixed text.
    pub fn new(error: Code, description: &'static str) -> Self {
        Self { error, error_description: Some(description.to_owned()) }
    }
}

/// RFC 6749 §5.2, RFC 8707 §2; the last two for faults and limits of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum TokenErrorCode {
    /// A parameter is missing, repeated or unreadable.
    InvalidRequest,
    /// The client is unknown or failed to authenticate.
    InvalidClient,
    /// The code or refresh token is not good.
    InvalidGrant,
    /// The client may not use this grant type.
    UnauthorizedClient,
    /// There is no such grant type here.
    UnsupportedGrantType,
    /// More scope than was granted.
    InvalidScope,
    /// Another resource than the one authorized.
    InvalidTarget,
    /// Something broke.
    ServerError,
    /// Something is down, or there were too many requests; try later.
    TemporarilyUnavailable,
}

/// RFC 7591 §3.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum RegistrationErrorCode {
    /// No redirect URI is acceptable.
    InvalidRedirectUri,
    /// Another member is not.
    InvalidClientMetadata,
    /// Something broke.
    ServerError,
    /// Something is down, or there were too many requests; try later.
    TemporarilyUnavailable,
}

/// RFC 7009 §2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum RevocationErrorCode {
    /// A parameter is missing, repeated or unreadable.
    InvalidRequest,
    /// The client is unknown or failed to authenticate.
    InvalidClient,
    /// Something broke.
    ServerError,
    /// Something is down; try later.
    TemporarilyUnavailable,
}

/// RFC 6749 §4.1.2.1, RFC 8707 §2, OpenID Connect Core §3.1.2.6. Travels in a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationErrorCode {
    /// A parameter is missing, repeated or unreadable.
    InvalidRequest,
    /// The person or the provider said no.
    AccessDenied,
    /// Only `code` is supported.
    UnsupportedResponseType,
    /// Another resource than ours.
    InvalidTarget,
    /// `prompt=none`, but a person must decide.
    LoginRequired,
    /// `request` is not supported.
    RequestNotSupported,
    /// `request_uri` is not supported.
    RequestUriNotSupported,
    /// Something broke.
    ServerError,
    /// Something is down; try later.
    TemporarilyUnavailable,
}

impl AuthorizationErrorCode {
    /// The text on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}
