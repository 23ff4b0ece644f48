//! Codes and refresh tokens become access tokens (OAuth 2.1 §3.2).

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;

use crate::Port;
use crate::error::{OAuthError, TokenErrorCode};
use crate::form::{BodyFault, OAuthForm};
use crate::visit::Visit;

/// The form of both grants.
#[derive(Clone, Default, Object, Deserialize)]
pub struct TokenForm {
    /// `authorization_code` or `refresh_token`.
    pub grant_type: Option<String>,
    /// The registered client.
    pub client_id: Option<String>,
    /// Clients are public; a secret is refused.
    pub client_secret: Option<String>,
    /// Not supported; refused rather than ignored.
    pub client_assertion: Option<String>,
    /// The authorization code.
    pub code: Option<String>,
    /// RFC 7636 §4.5.
    pub code_verifier: Option<String>,
    /// If sent, the one of the authorization request.
    pub redirect_uri: Option<String>,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// Less than was granted, when refreshing.
    pub scope: Option<String>,
    /// RFC 8707; the MCP endpoint.
    pub resource: Option<String>,
}

/// RFC 6749 §5.1.
#[derive(Clone, Object)]
pub struct Granted {
    /// RFC 9068 JWT.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: i64,
    /// The next refresh token; the presented one is used up.
    #[oai(skip_serializing_if_is_none)]
    pub refresh_token: Option<String>,
    /// What was granted.
    pub scope: String,
}

type Refused = Json<OAuthError<TokenErrorCode>>;

/// What the token endpoint answers. Every answer carries `Cache-Control: no-store`.
#[derive(ApiResponse)]
#[oai(bad_request_handler = "unreadable")]
pub enum TokenResponse {
    /// Granted.
    #[oai(status = 200)]
    Granted(Json<Granted>),
    /// Refused (RFC 6749 §5.2).
    #[oai(status = 400)]
    Refused(Refused),
    /// The client is unknown or failed to authenticate.
    #[oai(status = 401)]
    InvalidClient(
        Refused,
        /// Present when the client tried HTTP Basic.
        #[oai(header = "WWW-Authenticate")]
        Option<String>,
    ),
    /// The body is too large.
    #[oai(status = 413)]
    TooLarge(Refused),
    /// Too many requests.
    #[oai(status = 429)]
    TooMany(
        Refused,
        /// Seconds.
        #[oai(header = "Retry-After")]
        u64,
    ),
    /// Something broke.
    #[oai(status = 500)]
    Broken(Refused),
    /// Something is down.
    #[oai(status = 503)]
    Unavailable(
        Refused,
        /// Seconds.
        #[oai(header = "Retry-After")]
        u64,
    ),
}

fn unreadable(error: poem::Error) -> TokenResponse {
    let fault = BodyFault::of(&error);
    let refused = Json(OAuthError::new(TokenErrorCode::InvalidRequest, fault.description()));
    match fault {
        BodyFault::TooLarge => TokenResponse::TooLarge(refused),
        _ => TokenResponse::Refused(refused),
    }
}

/// The group `token`.
pub struct TokenApi<P>(pub Arc<P>);

#[OpenApi]
impl<P: Port> TokenApi<P> {
    /// Exchange a code or rotate a refresh token.
    ///
    /// A refresh token is used once; inside the grace its repetition answers with the same
    /// successor, outside it ends the sign-in (RFC 9700 §4.14.2).
    #[oai(path = "/oauth/token", method = "post", operation_id = "token")]
    async fn token(&self, visit: Visit, form: OAuthForm<TokenForm>) -> TokenResponse {
        self.0.token(visit, form.0).await
    }
}
