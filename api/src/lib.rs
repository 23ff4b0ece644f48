//! What clients see: the endpoints, their forms and answers, and the document that describes them.
//!
//! Each endpoint turns its request into a typed value, hands it to the [`Port`] and turns the
//! answer into HTTP. The document is made from the same types, without database, clock or
//! configuration.
//!
//! Never here: rules, rows, anything of the service's own.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService, ServerObject};

pub mod account;
pub mod admin;
mod aliases;
pub mod authorize;
pub mod card;
pub mod error;
mod fields;
pub mod form;
pub mod mcp;
pub mod metadata;
pub mod page;
pub mod register;
pub mod revoke;
pub mod site;
pub mod token;
pub mod visit;

use crate::account::{
    AccountApi, DisconnectForm, EraseForm, ExportForm, LogoutForm, SessionResponse, SharingForm,
};
use crate::admin::attempts::AdminAttemptsApi;
use crate::admin::counts::AdminCountsApi;
use crate::admin::metrics_text::MetricsText;
use crate::admin::pages::DashboardApi;
use crate::admin::port::AdminPort;
use crate::admin::reads::AdminReadApi;
use crate::admin::rights::AdminRightsApi;
use crate::admin::{AdminApi, Liveness, ReadyResponse};
use crate::authorize::AuthorizeApi;
use crate::card::{CardApi, ServerCard, ServerJson};
use crate::mcp::{McpApi, McpRequest, McpResponse};
use crate::metadata::{
    AuthorizationServerMetadata, JsonWebKeySet, MetadataApi, ProtectedResourceMetadata,
};
use crate::page::PageResponse;
use crate::register::{RegisterApi, RegisterResponse};
use crate::revoke::{RevokeApi, RevokeForm, RevokeResponse};
use crate::site::SiteApi;
use crate::token::{TokenApi, TokenForm, TokenResponse};
use crate::visit::Visit;

/// What the service does behind the endpoints.
#[allow(async_fn_in_trait, reason = "the endpoints below need the futures to be Send")]
pub trait Port: Send + Sync + 'static {
    /// `GET /oauth/authorize`
    fn authorize(&self, visit: Visit) -> impl Future<Output = PageResponse> + Send;
    /// `POST /oauth/consent`
    fn consent(
        &self,
        visit: Visit,
        form: authorize::ConsentForm,
    ) -> impl Future<Output = PageResponse> + Send;
    /// A consent form that could not be read.
    fn unreadable_consent(&self, visit: Visit) -> impl Future<Output = PageResponse> + Send;
    /// `GET /mcp/callback`
    fn callback(&self, visit: Visit) -> impl Future<Output = PageResponse> + Send;
    /// `POST /oauth/token`
    fn token(&self, visit: Visit, form: TokenForm) -> impl Future<Output = TokenResponse> + Send;
    /// `POST /oauth/revoke`
    fn revoke(&self, visit: Visit, form: RevokeForm)
    -> impl Future<Output = RevokeResponse> + Send;
    /// `POST /oauth/register`
    fn register(
        &self,
        visit: Visit,
        metadata: serde_json::Value,
    ) -> impl Future<Output = RegisterResponse> + Send;
    /// RFC 9728
    fn protected_resource(&self) -> ProtectedResourceMetadata;
    /// RFC 8414
    fn authorization_server(&self) -> AuthorizationServerMetadata;
    /// RFC 7517
    fn jwks(&self) -> JsonWebKeySet;
    /// The server card
    fn server_card(&self) -> ServerCard;
    /// What a registry is given; none without a registry name
    fn server_json(&self) -> Option<ServerJson>;
    /// `/mcp`, any method
    fn mcp(&self, request: McpRequest) -> impl Future<Output = McpResponse> + Send;
    /// `GET /`, as HTML
    fn front_door(&self) -> String;
    /// `GET /reference`, as HTML
    fn reference(&self) -> String;
    /// `GET /account`
    fn account(&self, visit: Visit) -> impl Future<Output = PageResponse> + Send;
    /// `POST /account/disconnect`; without a form when it could not be read
    fn disconnect(
        &self,
        visit: Visit,
        form: Option<DisconnectForm>,
    ) -> impl Future<Output = PageResponse> + Send;
    /// `POST /account/sharing`; without a form when it could not be read
    fn sharing(
        &self,
        visit: Visit,
        form: Option<SharingForm>,
    ) -> impl Future<Output = PageResponse> + Send;
    /// `POST /account/export`; without a form when it could not be read
    fn export(
        &self,
        visit: Visit,
        form: Option<ExportForm>,
    ) -> impl Future<Output = PageResponse> + Send;
    /// `POST /account/erase`; without a form when it could not be read
    fn erase(
        &self,
        visit: Visit,
        form: Option<EraseForm>,
    ) -> impl Future<Output = PageResponse> + Send;
    /// `GET /login`
    fn login(&self, visit: Visit) -> impl Future<Output = PageResponse> + Send;
    /// `GET /session`
    fn session(&self, visit: Visit) -> impl Future<Output = SessionResponse> + Send;
    /// `GET /logout`
    fn logout_page(&self, visit: Visit) -> impl Future<Output = PageResponse> + Send;
    /// `POST /logout`; without a form when it could not be read
    fn logout(
        &self,
        visit: Visit,
        form: Option<LogoutForm>,
    ) -> impl Future<Output = PageResponse> + Send;
    /// `GET /healthz` on the admin listener
    fn healthz(&self) -> Liveness;
    /// `GET /readyz` on the admin listener
    fn readyz(&self) -> impl Future<Output = ReadyResponse> + Send;
    /// `GET /metrics` on the admin listener
    fn metrics(&self) -> impl Future<Output = MetricsText> + Send;
}

/// The endpoints of the public listener.
pub type PublicApi<P> = (
    MetadataApi<P>,
    CardApi<P>,
    RegisterApi<P>,
    AuthorizeApi<P>,
    TokenApi<P>,
    RevokeApi<P>,
    McpApi<P>,
    SiteApi<P>,
    AccountApi<P>,
);

/// The endpoints of the public listener, served by `port`.
pub fn public<P: Port>(port: &Arc<P>) -> OpenApiService<PublicApi<P>, ()> {
    let groups = (
        MetadataApi(Arc::clone(port)),
        CardApi(Arc::clone(port)),
        RegisterApi(Arc::clone(port)),
        AuthorizeApi(Arc::clone(port)),
        TokenApi(Arc::clone(port)),
        RevokeApi(Arc::clone(port)),
        McpApi(Arc::clone(port)),
        SiteApi(Arc::clone(port)),
        AccountApi(Arc::clone(port)),
    );
    OpenApiService::new(groups, TITLE, VERSION)
}

/// The endpoints of the admin listener.
pub type AdminListenerApi<P> = (
    AdminApi<P>,
    AdminReadApi<P>,
    AdminRightsApi<P>,
    AdminCountsApi<P>,
    AdminAttemptsApi<P>,
    DashboardApi<P>,
);

/// The endpoints of the admin listener, served by `port`.
pub fn admin<P: Port + AdminPort>(port: &Arc<P>) -> OpenApiService<AdminListenerApi<P>, ()> {
    let groups = (
        AdminApi(Arc::clone(port)),
        AdminReadApi(Arc::clone(port)),
        AdminRightsApi(Arc::clone(port)),
        AdminCountsApi(Arc::clone(port)),
        AdminAttemptsApi(Arc::clone(port)),
        DashboardApi(Arc::clone(port)),
    );
    OpenApiService::new(groups, TITLE, VERSION)
}

const TITLE: &str = "Gatehouse";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const DESCRIPTION: &str = "An OAuth 2.1 authorization server for MCP clients, and the \
     documentation MCP server behind it. The endpoints of the group `admin` are on the admin \
     listener, all others on the public one.";

/// The OpenAPI document of everything, as YAML. Needs nothing to run.
pub fn document_yaml() -> String {
    described().spec_yaml()
}

/// The same document as JSON.
pub fn document_json() -> String {
    described().spec()
}

type Everything = Described<(PublicApi<Nobody>, AdminListenerApi<Nobody>)>;

fn described() -> OpenApiService<Everything, ()> {
    OpenApiService::new(Described(PhantomData), TITLE, VERSION)
        .description(DESCRIPTION)
        .server(ServerObject::new("http://127.0.0.1:8080").description("public_url"))
        .server(ServerObject::new("http://127.0.0.1:9090").description("admin_listen"))
}

/// Describes endpoints without serving them.
struct Described<T>(PhantomData<T>);

impl<T: OpenApi> OpenApi for Described<T> {
    fn meta() -> Vec<MetaApi> {
        aliases::described::<T>()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(
        self,
        _: &mut std::collections::HashMap<
            String,
            std::collections::HashMap<poem::http::Method, poem::endpoint::BoxEndpoint<'static>>,
        >,
    ) {
    }
}

/// A port that cannot exist: describing endpoints needs the type of one and never a value.
pub struct Nobody(Infallible);

impl Nobody {
    const fn never(&self) -> ! {
        match self.0 {}
    }
}

impl Port for Nobody {
    async fn authorize(&self, _: Visit) -> PageResponse {
        match self.0 {}
    }
    async fn consent(&self, _: Visit, _: authorize::ConsentForm) -> PageResponse {
        match self.0 {}
    }
    async fn unreadable_consent(&self, _: Visit) -> PageResponse {
        match self.0 {}
    }
    async fn callback(&self, _: Visit) -> PageResponse {
        match self.0 {}
    }
    async fn token(&self, _: Visit, _: TokenForm) -> TokenResponse {
        match self.0 {}
    }
    async fn revoke(&self, _: Visit, _: RevokeForm) -> RevokeResponse {
        match self.0 {}
    }
    async fn register(&self, _: Visit, _: serde_json::Value) -> RegisterResponse {
        match self.0 {}
    }
    fn protected_resource(&self) -> ProtectedResourceMetadata {
        match self.0 {}
    }
    fn authorization_server(&self) -> AuthorizationServerMetadata {
        match self.0 {}
    }
    fn jwks(&self) -> JsonWebKeySet {
        match self.0 {}
    }
    fn server_card(&self) -> ServerCard {
        match self.0 {}
    }
    fn server_json(&self) -> Option<ServerJson> {
        match self.0 {}
    }
    async fn mcp(&self, _: McpRequest) -> McpResponse {
        match self.0 {}
    }
    fn front_door(&self) -> String {
        match self.0 {}
    }
    fn reference(&self) -> String {
        match self.0 {}
    }
    async fn account(&self, _: Visit) -> PageResponse {
        match self.0 {}
    }
    async fn disconnect(&self, _: Visit, _: Option<DisconnectForm>) -> PageResponse {
        match self.0 {}
    }
    async fn sharing(&self, _: Visit, _: Option<SharingForm>) -> PageResponse {
        match self.0 {}
    }
    async fn export(&self, _: Visit, _: Option<ExportForm>) -> PageResponse {
        match self.0 {}
    }
    async fn erase(&self, _: Visit, _: Option<EraseForm>) -> PageResponse {
        match self.0 {}
    }
    async fn login(&self, _: Visit) -> PageResponse {
        match self.0 {}
    }
    async fn session(&self, _: Visit) -> SessionResponse {
        match self.0 {}
    }
    async fn logout_page(&self, _: Visit) -> PageResponse {
        match self.0 {}
    }
    async fn logout(&self, _: Visit, _: Option<LogoutForm>) -> PageResponse {
        match self.0 {}
    }
    fn healthz(&self) -> Liveness {
        match self.0 {}
    }
    async fn readyz(&self) -> ReadyResponse {
        match self.0 {}
    }
    async fn metrics(&self) -> MetricsText {
        match self.0 {}
    }
}
