//! Dynamic Client Registration (RFC 7591).

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Object, OpenApi};

use crate::Port;
use crate::error::{OAuthError, RegistrationErrorCode};
use crate::form::{BodyFault, RegistrationBody};
use crate::visit::Visit;

/// RFC 7591 §2, the members this server understands; others are ignored.
#[derive(Clone, Debug, Object)]
pub struct ClientMetadata {
    /// https, loopback http, or an allowed private-use URI. Unacceptable ones are left out of the
    /// registration; with none left it is refused.
    pub redirect_uris: Vec<String>,
    /// Shown on the consent page as a claim.
    #[oai(skip_serializing_if_is_none)]
    pub client_name: Option<String>,
    /// Never fetched.
    #[oai(skip_serializing_if_is_none)]
    pub client_uri: Option<String>,
    /// Never fetched.
    #[oai(skip_serializing_if_is_none)]
    pub logo_uri: Option<String>,
    /// `authorization_code` and `refresh_token` are kept, others dropped.
    #[oai(skip_serializing_if_is_none)]
    pub grant_types: Option<Vec<String>>,
    /// `code`.
    #[oai(skip_serializing_if_is_none)]
    pub response_types: Option<Vec<String>>,
    /// Whatever is asked, clients are public and `none` is registered.
    #[oai(skip_serializing_if_is_none)]
    pub token_endpoint_auth_method: Option<String>,
    /// Unknown scopes are dropped.
    #[oai(skip_serializing_if_is_none)]
    pub scope: Option<String>,
    /// `native` or `web`.
    #[oai(skip_serializing_if_is_none)]
    pub application_type: Option<String>,
    /// Claimed by the client.
    #[oai(skip_serializing_if_is_none)]
    pub software_id: Option<String>,
    /// Claimed by the client.
    #[oai(skip_serializing_if_is_none)]
    pub software_version: Option<String>,
}

/// RFC 7591 §3.2.1.
#[derive(Clone, Debug, Object)]
pub struct Registered {
    /// Ours, unguessable.
    pub client_id: String,
    /// Seconds since the epoch.
    pub client_id_issued_at: i64,
    /// What was registered, which may be less than was asked.
    #[oai(flatten)]
    pub metadata: ClientMetadata,
}

type Refused = Json<OAuthError<RegistrationErrorCode>>;

/// What the registration endpoint answers. Every answer carries `Cache-Control: no-store`.
#[derive(ApiResponse)]
#[oai(bad_request_handler = "unreadable")]
pub enum RegisterResponse {
    /// Registered.
    #[oai(status = 201)]
    Registered(Json<Box<Registered>>),
    /// Refused (RFC 7591 §3.2.2).
    #[oai(status = 400)]
    Refused(Refused),
    /// Registration is switched off.
    #[oai(status = 403)]
    SwitchedOff(Refused),
    /// The body is too large.
    #[oai(status = 413)]
    TooLarge(Refused),
    /// Too many registrations from this address.
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

fn unreadable(error: poem::Error) -> RegisterResponse {
    let fault = BodyFault::of(&error);
    let refused =
        Json(OAuthError::new(RegistrationErrorCode::InvalidClientMetadata, fault.description()));
    match fault {
        BodyFault::TooLarge => RegisterResponse::TooLarge(refused),
        _ => RegisterResponse::Refused(refused),
    }
}

/// The group `register`.
pub struct RegisterApi<P>(pub Arc<P>);

#[OpenApi]
impl<P: Port> RegisterApi<P> {
    /// Register a client.
    ///
    /// Open to everyone, limited per address. Values this server does not support are replaced or
    /// left out, and the answer says what stands.
    #[oai(path = "/oauth/register", method = "post", operation_id = "register")]
    async fn register(&self, visit: Visit, body: RegistrationBody) -> RegisterResponse {
        self.0.register(visit, body.0).await
    }
}
