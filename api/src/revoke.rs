//! Revocation (RFC 7009).

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Deserialize;

use crate::Port;
use crate::error::{OAuthError, RevocationErrorCode};
use crate::form::{BodyFault, OAuthForm};
use crate::visit::Visit;

/// RFC 7009 §2.1.
#[derive(Clone, Default, Object, Deserialize)]
pub struct RevokeForm {
    /// A refresh token or an access token.
    pub token: Option<String>,
    /// `refresh_token` or `access_token`; a wrong hint does no harm.
    pub token_type_hint: Option<String>,
    /// The registered client.
    pub client_id: Option<String>,
    /// Clients are public; a secret is refused.
    pub client_secret: Option<String>,
    /// Not supported; refused rather than ignored.
    pub client_assertion: Option<String>,
}

type Refused = Json<OAuthError<RevocationErrorCode>>;

/// What the revocation endpoint answers. Every answer carries `Cache-Control: no-store`.
#[derive(ApiResponse)]
#[oai(bad_request_handler = "unreadable")]
pub enum RevokeResponse {
    /// The token works no more, or never did.
    #[oai(status = 200)]
    Done,
    /// Refused (RFC 7009 §2.2.1).
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
    /// Something broke.
    #[oai(status = 500)]
    Broken(Refused),
    /// Something is down; the token may still work (RFC 7009 §2.2.1).
    #[oai(status = 503)]
    Unavailable(
        Refused,
        /// Seconds.
        #[oai(header = "Retry-After")]
        u64,
    ),
}

fn unreadable(error: poem::Error) -> RevokeResponse {
    let fault = BodyFault::of(&error);
    let refused = Json(OAuthError::new(RevocationErrorCode::InvalidRequest, fault.description()));
    match fault {
        BodyFault::TooLarge => RevokeResponse::TooLarge(refused),
        _ => RevokeResponse::Refused(refused),
    }
}

/// The group `revoke`.
pub struct RevokeApi<P>(pub Arc<P>);

#[OpenApi]
impl<P: Port> RevokeApi<P> {
    /// End what a token gives.
    ///
    /// A refresh token or an access token takes its whole sign-in with it. An unknown token is
    /// answered like a revoked one.
    #[oai(path = "/oauth/revoke", method = "post", operation_id = "revoke")]
    async fn revoke(&self, visit: Visit, form: OAuthForm<RevokeForm>) -> RevokeResponse {
        self.0.revoke(visit, form.0).await
    }
}
