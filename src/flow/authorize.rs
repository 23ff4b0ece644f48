//! `GET /oauth/authorize` (OAuth 2.1 §4.1.1).
//!
//! 1. Without an identity provider nobody can sign in: a fault, so the answer is 503.
//! 2. Read the parameters; a repeated one ends here.
//! 3. Find the client, by its registration or by its document (`flow::introduce`).
//! 4. Check the request, the redirect first (`domain::authorization_request`).
//! 5. Freeze everything; later steps take nothing from the browser but what is sealed here. It
//!    travels in the consent form until the person decides, so that asking fills no table.
//! 6. An earlier yes of the person who signed in here last, to exactly this, leads straight to the
//!    provider; otherwise the consent page (MCP Security Best Practices, Confused Deputy).

use std::net::IpAddr;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::authorization_request::{
    AuthorizationRequest, AuthorizeParameters, Rejected, check,
};
use crate::domain::client::Client;
use crate::domain::consent::{Decision, may_use_earlier_consent};
use crate::domain::refusal::AuthorizeRefusal;
use crate::flow::browser::Cookies;
use crate::flow::introduce::Asking;
use crate::flow::limits::Reading;
use crate::flow::{Fault, Gatehouse};
use crate::id::{AuthorizationRequestId, UpstreamLoginId, UserId};
use crate::secret::{Kind, Secret};
use crate::server_secret::Purpose;
use crate::store::audit;
use crate::store::authorization_requests::{self, StoredRequest};
use crate::store::consents::{self, Approved};
use crate::store::transact;
use crate::store::upstream_logins::{self, StoredLogin};
use crate::upstream::{LoginSecrets, Upstream};

/// How an authorization request goes on.
pub enum Authorize {
    /// The person is asked.
    Ask(Box<Ask>),
    /// The browser goes to the provider.
    ToProvider(ToProvider),
    /// It goes no further.
    Rejected(Rejected),
    /// Too many documents were fetched for this address, or from that host.
    Limited(Reading),
}

/// What the consent page needs.
pub struct Ask {
    /// Who asks.
    pub client: Arc<Client>,
    /// For what.
    pub request: StoredRequest,
    /// The same, sealed, as the form carries it.
    pub sealed_request: String,
    /// Binds the form to this browser.
    pub cookie: String,
}

/// The way to the provider.
pub struct ToProvider {
    /// Its address.
    pub location: String,
    /// Binds the login to this browser.
    pub cookies: Vec<String>,
}

/// A login that is ready to be written, and what leads to it.
pub struct PreparedLogin {
    /// The row.
    pub row: StoredLogin,
    /// Where the browser goes.
    pub location: String,
    /// Binds the login to this browser.
    pub cookie: String,
}

impl Gatehouse {
    /// The exchange.
    pub async fn authorize(
        &self,
        attempt: AuthorizationRequestId,
        pairs: Vec<(String, String)>,
        cookies: &impl Cookies,
        address: IpAddr,
    ) -> Result<Authorize, Fault> {
        let now = self.clock.now();
        if self.upstream.is_none() {
            return Err(Fault::NoUpstream);
        }
        let page = |refusal| Ok(Authorize::Rejected(Rejected::Page(refusal)));
        let parameters = match AuthorizeParameters::from_pairs(pairs) {
            Ok(parameters) => parameters,
            Err(refusal) => return page(refusal),
        };
        let Some(client_id) = parameters.client_id.as_deref() else {
            return page(AuthorizeRefusal::MissingClientId);
        };
        let client = match self.who_asks(client_id, address, now).await? {
            Asking::Client(client) => client,
            Asking::Refused(refusal) => {
                self.note_stranger(attempt, client_id);
                return page(refusal);
            }
            Asking::Limited(reading) => return Ok(Authorize::Limited(reading)),
        };
        self.note_program(attempt, &client);
        let accepted = match check(&parameters, &client, &self.resource, self.default_scope) {
            Ok(accepted) => accepted,
            Err(rejected) => {
                self.note_rejected(attempt, &rejected, (&parameters, &client));
                return Ok(Authorize::Rejected(rejected));
            }
        };
        let request = self.frozen(attempt, &accepted, now);
        match self.earlier_consent(self.last_person(cookies), &accepted).await? {
            Some(user_id) => self.straight_to_provider(request, user_id, now).await,
            None => Ok(Authorize::Ask(Box::new(self.ask(client, request)))),
        }
    }

    /// The person whose earlier yes may stand in for the page.
    async fn earlier_consent(
        &self,
        last_person: Option<UserId>,
        accepted: &AuthorizationRequest,
    ) -> Result<Option<UserId>, Fault> {
        let Some(user_id) = last_person else { return Ok(None) };
        if !may_use_earlier_consent(&accepted.redirect, accepted.consent) {
            return Ok(None);
        }
        let approved = Approved {
            user_id,
            client_id: &accepted.client_id,
            redirect: &accepted.redirect,
            scope: accepted.scope,
        };
        Ok(consents::exists(self.store.read(), approved).await?.then_some(user_id))
    }

    fn frozen(
        &self,
        attempt: AuthorizationRequestId,
        accepted: &AuthorizationRequest,
        now: Timestamp,
    ) -> StoredRequest {
        let seal = |state: &String| {
            self.config.secret.seal(&*self.entropy, Purpose::ClientState, state.as_bytes())
        };
        StoredRequest {
            id: attempt,
            client_id: accepted.client_id.clone(),
            redirect: accepted.redirect.clone(),
            client_state_sealed: accepted.state.as_ref().map(seal),
            scope: accepted.scope,
            code_challenge: accepted.code_challenge.clone(),
            expires_at: now.plus(self.config.authorization_request_ttl),
        }
    }

    fn ask(&self, client: Arc<Client>, request: StoredRequest) -> Ask {
        tracing::info!(
            flow = "authorize", outcome = "asked", request_id = %request.id,
            client_id = %request.client_id, scope = %request.scope,
        );
        Ask {
            client,
            sealed_request: self.sealed_request(&request),
            cookie: self.request_cookie(request.id),
            request,
        }
    }

    async fn straight_to_provider(
        &self,
        request: StoredRequest,
        user_id: UserId,
        now: Timestamp,
    ) -> Result<Authorize, Fault> {
        let login = self.prepare_login(request.id, Some(user_id), now).await?;
        transact!(self.store, txn => {
            authorization_requests::decide(txn, &request, Decision::Approve, now).await?;
            let allowed = self.audited_consent(AuditKind::ConsentAllowed, &request, now);
            audit::write(txn, [allowed.because("remembered")]).await?;
            upstream_logins::insert(txn, &login.row, now).await
        })?;
        tracing::info!(
            flow = "authorize", outcome = "remembered", request_id = %request.id,
            client_id = %request.client_id, subject = %user_id,
        );
        let PreparedLogin { location, cookie, .. } = login;
        Ok(Authorize::ToProvider(ToProvider { location, cookies: vec![cookie] }))
    }

    /// Makes state, nonce and verifier, which must not exist before the approval (MCP Security
    /// Best Practices, State Validation), and the address they travel in.
    pub async fn prepare_login(
        &self,
        request_id: AuthorizationRequestId,
        remembered_user_id: Option<UserId>,
        now: Timestamp,
    ) -> Result<PreparedLogin, Fault> {
        let upstream: &Upstream = self.upstream.as_ref().ok_or(Fault::NoUpstream)?;
        let endpoints = upstream.discover().await?;
        let secrets = LoginSecrets {
            state: Secret::generate(&*self.entropy, Kind::UpstreamState),
            nonce: Secret::generate(&*self.entropy, Kind::UpstreamNonce),
            code_verifier: Secret::generate(&*self.entropy, Kind::UpstreamCodeVerifier),
        };
        let both = format!("{} {}", secrets.nonce.expose(), secrets.code_verifier.expose());
        let row = StoredLogin {
            id: UpstreamLoginId::generate(&*self.entropy, now),
            authorization_request_id: request_id,
            state_hash: secrets.state.hash(),
            upstream_sealed: self.config.secret.seal(
                &*self.entropy,
                Purpose::UpstreamLogin,
                both.as_bytes(),
            ),
            remembered_user_id,
            expires_at: now.plus(self.config.authorization_request_ttl),
            consumed_at: None,
        };
        Ok(PreparedLogin {
            location: upstream.login_url(&endpoints, &secrets),
            cookie: self.login_cookie(row.state_hash),
            row,
        })
    }
}
