//! A person's own pages, and signing in with a browser. Like all pages for people they live below
//! `pages_path`.

use std::sync::Arc;

use poem_openapi::param::Query;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Deserialize;

use crate::Port;
use crate::form::FormOrFault;
use crate::page::{ExportResponse, PageResponse};
use crate::visit::Visit;

/// The form that disconnects.
#[derive(Object, Deserialize)]
pub struct DisconnectForm {
    /// Ties the form to the session it was shown in; nobody else can make one.
    pub form: String,
    /// The connection, or `all`.
    pub grant: String,
}

/// The form about a receiver of events.
#[derive(Object, Deserialize)]
pub struct SharingForm {
    /// Ties the form to the session it was shown in; nobody else can make one.
    pub form: String,
    /// The receiver, by its name in the settings.
    pub sink: String,
    /// `object`, or `allow`.
    pub wish: String,
}

/// The form that asks for a copy of everything.
#[derive(Object, Deserialize)]
pub struct ExportForm {
    /// Ties the form to the session it was shown in; nobody else can make one.
    pub form: String,
}

/// The form that erases the person.
#[derive(Object, Deserialize)]
pub struct EraseForm {
    /// Ties the form to the session it was shown in; nobody else can make one.
    pub form: String,
    /// What the page asks to be typed.
    pub confirm: Option<String>,
}

/// The form that signs out.
#[derive(Object, Deserialize)]
pub struct LogoutForm {
    /// Ties the form to the session it was shown in; nobody else can make one.
    pub form: String,
    /// Where to afterwards: an address on one of `site_origins`.
    pub return_to: Option<String>,
}

/// Who is signed in with this browser.
#[derive(Clone, Debug, Default, Object)]
pub struct Session {
    /// Whether anybody is. Without, nothing else is there.
    pub signed_in: bool,
    /// The person: stable, opaque, the `sub` of access tokens.
    #[oai(skip_serializing_if_is_none)]
    pub sub: Option<String>,
    /// Their name, as far as known.
    #[oai(skip_serializing_if_is_none)]
    pub name: Option<String>,
    /// Their address, as far as known.
    #[oai(skip_serializing_if_is_none)]
    pub email: Option<String>,
    /// Their organization, as far as known.
    #[oai(skip_serializing_if_is_none)]
    pub organization: Option<String>,
    /// When the session ends unless it is used, in seconds since the epoch.
    #[oai(skip_serializing_if_is_none)]
    pub expires_at: Option<i64>,
}

/// Why the session is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SessionErrorCode {
    /// Something is down; try later.
    TemporarilyUnavailable,
    /// Something broke.
    ServerError,
}

/// The session is not known.
#[derive(Clone, Debug, Object)]
pub struct SessionError {
    /// Why.
    pub error: SessionErrorCode,
}

/// What `/session` answers. Every answer carries `Cache-Control: no-store` and `Vary: Origin`.
#[derive(ApiResponse)]
pub enum SessionResponse {
    /// Who is signed in, or that nobody is.
    #[oai(status = 200)]
    Known(
        Json<Session>,
        /// The session's next value, now and then.
        #[oai(header = "Set-Cookie")]
        Option<String>,
    ),
    /// Something broke.
    #[oai(status = 500)]
    Broken(Json<SessionError>),
    /// Something is down.
    #[oai(status = 503)]
    Unavailable(
        Json<SessionError>,
        /// Seconds.
        #[oai(header = "Retry-After")]
        u64,
    ),
}

/// The group `account`.
pub struct AccountApi<P>(pub Arc<P>);

/// Parameters are declared here so that the document shows them. The service reads them from the
/// query itself, because a repeated one must be refused and not read first-wins.
#[OpenApi]
impl<P: Port> AccountApi<P> {
    /// Show the account page.
    ///
    /// The programs that the person who is signed in with this browser has connected; or, when
    /// nobody is, what is kept and a way to sign in.
    #[oai(path = "/account", method = "get", operation_id = "account")]
    async fn account(
        &self,
        visit: Visit,
        /// Ask about one connection first.
        #[oai(name = "disconnect")]
        _disconnect: Query<Option<String>>,
        /// What has just been done, `one` or `all`, to be said on the page.
        #[oai(name = "disconnected")]
        _disconnected: Query<Option<String>>,
    ) -> PageResponse {
        self.0.account(visit).await
    }

    /// Disconnect one program or all.
    ///
    /// The form of the account page, in the session that was shown it. Refresh tokens end at once,
    /// access tokens within 5 seconds, and what was agreed to is forgotten.
    #[oai(path = "/account/disconnect", method = "post", operation_id = "disconnect")]
    async fn disconnect(&self, visit: Visit, form: FormOrFault<DisconnectForm>) -> PageResponse {
        self.0.disconnect(visit, form.0).await
    }

    /// Object to a receiver of events, or allow it again.
    ///
    /// The form of the account page, in the session that was shown it. What waits to be told is
    /// dropped. A receiver that the operator marks as required cannot be objected to.
    #[oai(path = "/account/sharing", method = "post", operation_id = "account_sharing")]
    async fn sharing(&self, visit: Visit, form: FormOrFault<SharingForm>) -> PageResponse {
        self.0.sharing(visit, form.0).await
    }

    /// Take a copy of everything that is kept of the person, as JSON.
    ///
    /// The form of the account page, in the session that was shown it.
    #[oai(path = "/account/export", method = "post", operation_id = "account_export")]
    async fn export(&self, visit: Visit, form: FormOrFault<ExportForm>) -> ExportResponse {
        ExportResponse(self.0.export(visit, form.0).await)
    }

    /// Erase the person and everything that belongs to them.
    ///
    /// The form of the account page, in the session that was shown it, within 15 minutes of the
    /// sign-in. Refresh tokens and sessions end at once, access tokens within 5 seconds, and every
    /// receiver of events that was told of the person is told to forget them.
    #[oai(path = "/account/erase", method = "post", operation_id = "account_erase")]
    async fn erase(&self, visit: Visit, form: FormOrFault<EraseForm>) -> PageResponse {
        self.0.erase(visit, form.0).await
    }

    /// Sign in with this browser.
    ///
    /// Leads to the identity provider and from there to `return_to`; straight there when somebody
    /// is signed in already.
    #[oai(path = "/login", method = "get", operation_id = "login")]
    async fn login(
        &self,
        visit: Visit,
        /// Where to afterwards: an address on one of `site_origins`, or the account page.
        #[oai(name = "return_to")]
        _return_to: Query<Option<String>>,
    ) -> PageResponse {
        self.0.login(visit).await
    }

    /// Ask who is signed in with this browser.
    ///
    /// For scripts of the sites in `site_origins`, which send credentials along (CORS); other
    /// origins cannot read it.
    #[oai(path = "/session", method = "get", operation_id = "session")]
    async fn session(&self, visit: Visit) -> SessionResponse {
        self.0.session(visit).await
    }

    /// Ask whether to sign out.
    ///
    /// Also where the identity provider's logout leads back to.
    #[oai(path = "/logout", method = "get", operation_id = "logout_page")]
    async fn logout_page(
        &self,
        visit: Visit,
        /// Where to afterwards: an address on one of `site_origins`, or the account page.
        #[oai(name = "return_to")]
        _return_to: Query<Option<String>>,
        /// Our own value, back from the provider's logout.
        #[oai(name = "state")]
        _state: Query<Option<String>>,
    ) -> PageResponse {
        self.0.logout_page(visit).await
    }

    /// Sign out, here and at the identity provider.
    ///
    /// The form of our own page, in the session that was shown it.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(&self, visit: Visit, form: FormOrFault<LogoutForm>) -> PageResponse {
        self.0.logout(visit, form.0).await
    }
}
