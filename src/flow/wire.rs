//! The api's port, implemented: wire types in, flows, wire types out.
//!
//! With `wire_codes` and `wire_pages` the only files that name both a refusal and a code. Every
//! `match` on a refusal is exhaustive: a new reason does not compile until someone decides what a
//! client is told.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gatehouse_api::Port;
use gatehouse_api::account::{
    DisconnectForm, EraseForm, ExportForm, LogoutForm, SessionResponse, SharingForm,
};
use gatehouse_api::admin::metrics_text::MetricsText;
use gatehouse_api::admin::{Liveness, ReadyResponse};
use gatehouse_api::authorize::ConsentForm;
use gatehouse_api::card::{ServerCard, ServerJson};
use gatehouse_api::error::{
    OAuthError, RegistrationErrorCode, RevocationErrorCode, TokenErrorCode,
};
use gatehouse_api::mcp::{McpRequest, McpResponse};
use gatehouse_api::metadata::{
    AuthorizationServerMetadata, JsonWebKeySet, ProtectedResourceMetadata,
};
use gatehouse_api::page::PageResponse;
use gatehouse_api::register::{ClientMetadata, RegisterResponse, Registered};
use gatehouse_api::revoke::{RevokeForm, RevokeResponse};
use gatehouse_api::token::{Granted, TokenForm, TokenResponse};
use gatehouse_api::visit::Visit;
use poem_openapi::payload::Json;
use poem_openapi::types::Any;

use crate::domain::client::{Client, GrantType};
use crate::domain::refusal::{RegistrationRefusal, RevocationRefusal, TokenRefusal};
use crate::domain::scope::Scope;
use crate::flow::browser::Cookies;
use crate::flow::granting::{GrantedTokens, TokenOutcome};
use crate::flow::register::Registration;
use crate::flow::revoke::Revocation;
use crate::flow::wire_codes::{BROKEN, TOO_MANY, UNAVAILABLE};
use crate::flow::{
    Fault, Gatehouse, chain, wire_account, wire_health, wire_own_data, wire_pages, wire_reference,
    wire_sign_in, wire_token,
};
use crate::metrics::sign_in::Step;
use crate::secret::Secret;

/// What a client should wait when something is down, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 5;

/// Who answers `/mcp`: the door, which sits above the flows.
pub trait AnswersMcp: Send + Sync + 'static {
    /// Answers one request.
    fn answer<'a>(
        &'a self,
        request: McpRequest,
    ) -> Pin<Box<dyn Future<Output = McpResponse> + Send + 'a>>;

    /// The page for people who open the address in a browser.
    fn front_door(&self) -> String;

    /// The server card.
    fn server_card(&self) -> ServerCard;

    /// What a registry is given; none without a registry name.
    fn server_json(&self) -> Option<ServerJson>;

    /// How many pages can be searched.
    fn pages(&self) -> usize;
}

/// The port.
pub struct Wire {
    /// The flows.
    pub gatehouse: Arc<Gatehouse>,
    /// The door of `/mcp`.
    pub mcp: Arc<dyn AnswersMcp>,
}

impl Cookies for Visit {
    fn cookie(&self, name: &str) -> Option<&str> {
        Self::cookie(self, name)
    }
}

impl Port for Wire {
    async fn authorize(&self, visit: Visit) -> PageResponse {
        wire_sign_in::authorize(&self.gatehouse, &visit).await
    }

    async fn consent(&self, visit: Visit, form: ConsentForm) -> PageResponse {
        wire_sign_in::consent(&self.gatehouse, &visit, &form).await
    }

    async fn unreadable_consent(&self, _: Visit) -> PageResponse {
        wire_pages::foreign_form(&self.gatehouse)
    }

    async fn callback(&self, visit: Visit) -> PageResponse {
        wire_sign_in::callback(&self.gatehouse, &visit).await
    }

    async fn token(&self, visit: Visit, form: TokenForm) -> TokenResponse {
        let basic = wire_token::basic_credentials(&visit);
        let challenge = basic_challenge(&visit);
        let fields = wire_token::fields(form);
        let outcome = self.gatehouse.token(fields, basic, visit.address).await;
        self.gatehouse.count_token(&outcome);
        match outcome {
            Ok(TokenOutcome::Granted(granted)) => TokenResponse::Granted(Json(wire(granted))),
            Ok(TokenOutcome::Refused(refusal)) => token_refused(refusal, challenge),
            Ok(TokenOutcome::Limited(reading)) => TokenResponse::TooMany(
                token_error(TokenErrorCode::TemporarilyUnavailable, TOO_MANY),
                reading.retry_after_seconds(),
            ),
            Err(fault) if log_fault("token", &fault) => TokenResponse::Unavailable(
                token_error(TokenErrorCode::TemporarilyUnavailable, UNAVAILABLE),
                RETRY_AFTER_SECONDS,
            ),
            Err(_) => TokenResponse::Broken(token_error(TokenErrorCode::ServerError, BROKEN)),
        }
    }

    async fn revoke(&self, visit: Visit, form: RevokeForm) -> RevokeResponse {
        let error = |code, text| Json(OAuthError::new(code, text));
        let challenge = basic_challenge(&visit);
        let outcome = match wire_token::revocation(&visit, form) {
            Ok((client_id, token)) => self.gatehouse.revoke(&client_id, &token).await,
            Err(refusal) => Ok(Revocation::Refused(refusal)),
        };
        self.gatehouse.count_revoke(&outcome);
        match outcome {
            Ok(Revocation::Done) => RevokeResponse::Done,
            Ok(Revocation::Refused(refusal)) => revocation_refused(refusal, challenge),
            Err(fault) if log_fault("revoke", &fault) => RevokeResponse::Unavailable(
                error(RevocationErrorCode::TemporarilyUnavailable, UNAVAILABLE),
                RETRY_AFTER_SECONDS,
            ),
            Err(_) => RevokeResponse::Broken(error(RevocationErrorCode::ServerError, BROKEN)),
        }
    }

    async fn register(&self, visit: Visit, metadata: serde_json::Value) -> RegisterResponse {
        let error = |code, text| Json(OAuthError::new(code, text));
        let outcome = self.gatehouse.register(&metadata, visit.address).await;
        self.gatehouse.count_register(&outcome);
        match outcome {
            Ok(Registration::Registered { client, issued_at }) => RegisterResponse::Registered(
                Json(Box::new(registered(client, issued_at.seconds()))),
            ),
            Ok(Registration::Refused(refusal)) => registration_refused(refusal),
            Ok(Registration::Limited(reading)) => RegisterResponse::TooMany(
                error(RegistrationErrorCode::TemporarilyUnavailable, TOO_MANY),
                reading.retry_after_seconds(),
            ),
            Err(fault) if log_fault("register", &fault) => RegisterResponse::Unavailable(
                error(RegistrationErrorCode::TemporarilyUnavailable, UNAVAILABLE),
                RETRY_AFTER_SECONDS,
            ),
            Err(_) => RegisterResponse::Broken(error(RegistrationErrorCode::ServerError, BROKEN)),
        }
    }

    fn protected_resource(&self) -> ProtectedResourceMetadata {
        self.gatehouse.passed(Step::ProtectedResource);
        let config = &self.gatehouse.config;
        ProtectedResourceMetadata {
            resource: self.gatehouse.resource.as_str().to_owned(),
            authorization_servers: vec![config.public_url.clone()],
            scopes_supported: vec![Scope::DocsRead.name().to_owned()],
            bearer_methods_supported: vec!["header".to_owned()],
            resource_name: format!("{} documentation", config.docs_product),
            resource_documentation: config.help_url.as_ref().map(ToString::to_string),
        }
    }

    fn authorization_server(&self) -> AuthorizationServerMetadata {
        self.gatehouse.passed(Step::AuthorizationServer);
        let config = &self.gatehouse.config;
        let strings = |items: &[&str]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
        // Nothing a client may not be granted; offline_access is accepted but not advertised, or
        // client libraries would ask for it every time.
        let scopes = Scope::ALL.into_iter().filter(|scope| *scope != Scope::OfflineAccess);
        AuthorizationServerMetadata {
            issuer: config.public_url.clone(),
            authorization_endpoint: config.url("/oauth/authorize"),
            token_endpoint: config.url("/oauth/token"),
            registration_endpoint: config.dcr.then(|| config.url("/oauth/register")),
            revocation_endpoint: config.url("/oauth/revoke"),
            jwks_uri: config.url("/.well-known/jwks.json"),
            response_types_supported: strings(&["code"]),
            response_modes_supported: strings(&["query"]),
            grant_types_supported: strings(&["authorization_code", "refresh_token"]),
            token_endpoint_auth_methods_supported: strings(&["none"]),
            revocation_endpoint_auth_methods_supported: strings(&["none"]),
            code_challenge_methods_supported: strings(&["S256"]),
            scopes_supported: scopes.map(|scope| scope.name().to_owned()).collect(),
            authorization_response_iss_parameter_supported: true,
            client_id_metadata_document_supported: config.cimd.is_some(),
            service_documentation: config.help_url.as_ref().map(ToString::to_string),
        }
    }

    fn jwks(&self) -> JsonWebKeySet {
        let keys = self.gatehouse.keyring.public_jwks();
        let json = keys.iter().filter_map(|key| serde_json::to_value(key).ok());
        JsonWebKeySet { keys: json.map(Any).collect() }
    }

    fn server_card(&self) -> ServerCard {
        self.mcp.server_card()
    }

    fn server_json(&self) -> Option<ServerJson> {
        self.mcp.server_json()
    }

    async fn mcp(&self, request: McpRequest) -> McpResponse {
        self.mcp.answer(request).await
    }

    fn front_door(&self) -> String {
        self.mcp.front_door()
    }

    fn reference(&self) -> String {
        wire_reference::page(&self.gatehouse)
    }

    async fn account(&self, visit: Visit) -> PageResponse {
        wire_account::account(&self.gatehouse, &visit).await
    }

    async fn disconnect(&self, visit: Visit, form: Option<DisconnectForm>) -> PageResponse {
        wire_account::disconnect(&self.gatehouse, &visit, form).await
    }

    async fn sharing(&self, visit: Visit, form: Option<SharingForm>) -> PageResponse {
        wire_own_data::sharing(&self.gatehouse, &visit, form).await
    }

    async fn export(&self, visit: Visit, form: Option<ExportForm>) -> PageResponse {
        wire_own_data::export(&self.gatehouse, &visit, form).await
    }

    async fn erase(&self, visit: Visit, form: Option<EraseForm>) -> PageResponse {
        wire_own_data::erase(&self.gatehouse, &visit, form).await
    }

    async fn login(&self, visit: Visit) -> PageResponse {
        wire_account::login(&self.gatehouse, &visit).await
    }

    async fn session(&self, visit: Visit) -> SessionResponse {
        wire_account::session(&self.gatehouse, &visit).await
    }

    async fn logout_page(&self, visit: Visit) -> PageResponse {
        wire_account::logout_page(&self.gatehouse, &visit).await
    }

    async fn logout(&self, visit: Visit, form: Option<LogoutForm>) -> PageResponse {
        wire_account::logout(&self.gatehouse, &visit, form).await
    }

    fn healthz(&self) -> Liveness {
        Liveness { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }

    async fn readyz(&self) -> ReadyResponse {
        wire_health::readyz(&self.gatehouse, self.mcp.pages()).await
    }

    async fn metrics(&self) -> MetricsText {
        wire_health::metrics(&self.gatehouse, self.mcp.pages()).await
    }
}

/// Logs a fault once, at the edge; whether trying later may help.
pub fn log_fault(flow: &'static str, fault: &Fault) -> bool {
    tracing::error!(flow, error = %chain(fault), "a request failed");
    fault.is_passing()
}

/// Whether the browser says that a form came from another site. `Origin: null` is what a page with
/// `Referrer-Policy: no-referrer` sends to its own site, so it is judged by `Sec-Fetch-Site`, and
/// by the form's token anyway.
pub fn is_cross_site(visit: &Visit, public_url: &str) -> bool {
    let foreign_origin =
        visit.header("origin").is_some_and(|origin| origin != "null" && origin != public_url);
    let foreign_site =
        visit.header("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    foreign_origin || foreign_site
}

fn token_error(code: TokenErrorCode, text: &'static str) -> Json<OAuthError<TokenErrorCode>> {
    Json(OAuthError::new(code, text))
}

fn wire(granted: GrantedTokens) -> Granted {
    Granted {
        access_token: granted.access_token.reveal(),
        token_type: "Bearer".to_owned(),
        expires_in: granted.expires_in,
        refresh_token: granted.refresh_token.map(Secret::reveal),
        scope: granted.scope.to_string(),
    }
}

/// RFC 6749 §5.2: the challenge is for clients that tried the header.
fn basic_challenge(visit: &Visit) -> Option<String> {
    let tried = visit.headers.contains_key("authorization");
    tried.then(|| "Basic realm=\"gatehouse\"".to_owned())
}

fn token_refused(refusal: TokenRefusal, challenge: Option<String>) -> TokenResponse {
    let code = refusal.code();
    let body = token_error(code, refusal.description());
    if code == TokenErrorCode::InvalidClient {
        TokenResponse::InvalidClient(body, challenge)
    } else {
        TokenResponse::Refused(body)
    }
}

fn registered(client: Client, issued_at_seconds: i64) -> Registered {
    let metadata = client.metadata;
    Registered {
        client_id: client.client_id,
        client_id_issued_at: issued_at_seconds,
        metadata: ClientMetadata {
            redirect_uris: metadata.redirect_uris.iter().map(|u| u.as_str().to_owned()).collect(),
            client_name: metadata.client_name,
            client_uri: metadata.client_uri,
            logo_uri: metadata.logo_uri,
            grant_types: Some(
                metadata.grant_types.iter().map(|g: &GrantType| g.name().to_owned()).collect(),
            ),
            response_types: Some(vec!["code".to_owned()]),
            token_endpoint_auth_method: Some("none".to_owned()),
            scope: Some(metadata.scope.to_string()).filter(|scope| !scope.is_empty()),
            application_type: metadata.application_type,
            software_id: metadata.software_id,
            software_version: metadata.software_version,
        },
    }
}

fn registration_refused(refusal: RegistrationRefusal) -> RegisterResponse {
    use RegistrationErrorCode::{InvalidClientMetadata, InvalidRedirectUri};
    let refused = |code, text| RegisterResponse::Refused(Json(OAuthError::new(code, text)));
    match refusal {
        RegistrationRefusal::SwitchedOff => RegisterResponse::SwitchedOff(Json(OAuthError::new(
            InvalidClientMetadata,
            "Registration is switched off here.",
        ))),
        RegistrationRefusal::Malformed(_) => {
            refused(InvalidClientMetadata, "The body is no JSON object of the right types.")
        }
        RegistrationRefusal::NoAcceptableRedirectUri => refused(
            InvalidRedirectUri,
            "No redirect URI is acceptable: https, http on loopback, no fragment, no wildcard.",
        ),
        RegistrationRefusal::TooManyRedirectUris => {
            refused(InvalidRedirectUri, "There are too many redirect URIs.")
        }
        RegistrationRefusal::InconsistentTypes => refused(
            InvalidClientMetadata,
            "Only the code flow is supported: response type code, grant type authorization_code.",
        ),
    }
}

fn revocation_refused(refusal: RevocationRefusal, challenge: Option<String>) -> RevokeResponse {
    let code = refusal.code();
    let body = Json(OAuthError::new(code, refusal.description()));
    if code == RevocationErrorCode::InvalidClient {
        RevokeResponse::InvalidClient(body, challenge)
    } else {
        RevokeResponse::Refused(body)
    }
}
