//! `GET /mcp/callback`: the browser comes back from the provider (OAuth 2.1 §4.1.2).
//!
//! 1. Find the login by its `state`, which must have come once. One that leads to a browser session
//!    is in a cookie, and goes on in `flow::browser_login`.
//! 2. The browser must hold the cookie of this login: another browser that finishes it gets
//!    nothing (RFC 9700 §4.7).
//! 3. Claim the login; the provider's code is single-use, so only one callback may redeem it.
//! 4. Compare `iss` when it is there (RFC 9207); map what the provider says instead of a code.
//! 5. Redeem the code and believe the ID token, or not, with nothing held.
//! 6. Gate: the same person as the remembered approval; a work address where one is required.
//! 7. One write: the person and their organization, what sinks are told of it, the approval, the
//!    client's last use, our code.
//! 8. Back to the client, with `state` and `iss`. The cookie of the login stays until it expires:
//!    who comes again, by the back button for one, is told that it is finished.

use crate::attribution::happening::SignInTo;
use crate::clock::Timestamp;
use crate::domain::attempt::Step;
use crate::domain::attempt::refusals::{of_id_token, told_error};
use crate::domain::organization::Told;
use crate::domain::refusal::{AuthorizeRefusal, CallbackRefusal};
use crate::domain::upstream_login::Identity;
use crate::domain::{consent, email_domain};
use crate::flow::browser::Cookies;
use crate::flow::browser_login::Goal;
use crate::flow::sign_in_events::SignedInPerson;
use crate::flow::{Fault, Gatehouse, chain};
use crate::id::{AuthorizationCodeId, AuthorizationRequestId, ConsentId, UserId};
use crate::metrics::sign_in::{Endpoint, Step as Passed};
use crate::secret::{Kind, Secret};
use crate::server_secret::Purpose;
use crate::store::authorization_codes::{self, NewCode};
use crate::store::authorization_requests::{self, StoredRequest};
use crate::store::consents::{self, Approved};
use crate::store::upstream_logins::{self, StoredLogin};
use crate::store::{Consumed, StoreError, clients, transact, users};
use crate::upstream::UpstreamError;

/// What the provider's redirect brought. Each may be absent; `None` also when it came twice.
#[derive(Debug, Default)]
pub struct PresentedCallback {
    /// Our value.
    pub presented_state: Option<Secret>,
    /// The provider's code.
    pub upstream_code: Option<Secret>,
    /// What it says instead.
    pub upstream_error: Option<String>,
    /// Who it says it is.
    pub upstream_iss: Option<String>,
    /// Whether one of these came twice: which of two is meant must not depend on who reads them.
    pub is_ambiguous: bool,
}

impl PresentedCallback {
    /// Reads decoded query pairs.
    pub fn from_pairs(pairs: &[(String, String)]) -> Self {
        let once = |name: &str| {
            let mut found = pairs.iter().filter(|(key, _)| key == name);
            match (found.next(), found.next()) {
                (Some((_, value)), None) if !value.is_empty() => Some(value.clone()),
                _ => None,
            }
        };
        let times = |name: &str| pairs.iter().filter(|(key, _)| key == name).count();
        Self {
            is_ambiguous: ["state", "code", "error", "iss"].iter().any(|name| times(name) > 1),
            presented_state: once("state").map(Secret::presented),
            upstream_code: once("code").map(Secret::presented),
            upstream_error: once("error"),
            upstream_iss: once("iss"),
        }
    }
}

/// Why it is not known who signed in.
#[derive(Clone, Debug)]
pub struct Unidentified {
    /// What the program is told.
    pub refusal: AuthorizeRefusal,
    /// What the operator is told.
    pub step: Step,
    /// Beside it.
    pub detail: Option<String>,
}

impl From<AuthorizeRefusal> for Unidentified {
    fn from(refusal: AuthorizeRefusal) -> Self {
        Self { refusal, step: refusal.into(), detail: None }
    }
}

/// What the provider's error means.
fn said_instead(error: &str) -> Unidentified {
    let (refusal, step) = match error {
        "temporarily_unavailable" => (AuthorizeRefusal::UpstreamUnavailable, Step::ProviderFailed),
        "access_denied"
        | "login_required"
        | "consent_required"
        | "interaction_required"
        | "account_selection_required"
        | "unauthorized" => (AuthorizeRefusal::UpstreamDenied, Step::ProviderDenied),
        _ => (AuthorizeRefusal::UpstreamUntrusted, Step::ProviderFailed),
    };
    Unidentified { refusal, step, detail: Some(told_error(error).to_owned()) }
}

/// What it means that its code brought nobody.
fn not_redeemed(error: &UpstreamError) -> Unidentified {
    let (step, detail) = match error {
        UpstreamError::Unavailable(_) | UpstreamError::FailedMomentsAgo => {
            return AuthorizeRefusal::UpstreamUnavailable.into();
        }
        UpstreamError::Lying(why) => (Step::ProviderUntrusted, Some((*why).to_owned())),
        UpstreamError::CodeRefused => (Step::ProviderRefusedCode, None),
        UpstreamError::NotBelieved(refusal) => {
            let (step, told) = of_id_token(*refusal);
            (step, Some(told))
        }
    };
    Unidentified { refusal: AuthorizeRefusal::UpstreamUntrusted, step, detail }
}

/// How the callback ends.
pub enum CallbackOutcome {
    /// The browser goes to the client, with a code or with a refusal; or to where a browser login
    /// was to lead.
    ToClient {
        /// The client's redirect URI, completed; or the address that was asked for.
        location: String,
        /// Cookies to change.
        cookies: Vec<String>,
    },
    /// It stays here, since nobody was signed in; nothing goes to the site by itself.
    NotSignedIn {
        /// Why.
        refusal: AuthorizeRefusal,
        /// Where the person wanted to go.
        goal: Goal,
        /// Cookies to change.
        cookies: Vec<String>,
    },
    /// It stays here: who signed in administers nothing.
    NoAdministrator,
    /// It stays here.
    Refused(CallbackRefusal),
}

impl Gatehouse {
    /// The exchange. Whatever comes of it, `attempt` is the one it belongs to, once that is known.
    pub async fn callback(
        &self,
        presented: PresentedCallback,
        cookies: &impl Cookies,
        attempt: &mut Option<AuthorizationRequestId>,
    ) -> Result<CallbackOutcome, Fault> {
        let now = self.clock.now();
        if self.upstream.is_none() {
            return Err(Fault::NoUpstream);
        }
        let refused = |refusal| Ok(CallbackOutcome::Refused(refusal));
        let Some(state) = presented.presented_state.as_ref().map(Secret::hash) else {
            return refused(CallbackRefusal::MissingState);
        };
        if let Some(login) = self.begun_login(cookies, state, now) {
            return self.finish_login(presented, login, cookies, now).await;
        }
        let found = upstream_logins::find(self.store.read(), state).await?;
        *attempt = found.as_ref().map(|login| login.authorization_request_id);
        let Some(login) = found.filter(|login| now < login.expires_at) else {
            return refused(CallbackRefusal::UnknownState);
        };
        // Before anything is consumed: a victim who is shown somebody else's callback must not
        // spend it, nor learn whether it was spent.
        if !self.holds_login_cookie(cookies, state) {
            return refused(CallbackRefusal::ForeignBrowser);
        }
        // Read before the claim: a fault after it would strand the person.
        let request =
            authorization_requests::find(self.store.read(), login.authorization_request_id)
                .await?
                .ok_or(StoreError::Corrupt("login without a request"))?;
        let claimed =
            transact!(self.store, txn => upstream_logins::claim(txn, login.id, now).await)?;
        if claimed == Consumed::BySomeoneElse {
            return refused(CallbackRefusal::AlreadyAnswered);
        }
        self.note_step(request.id, Step::CameBack, None);
        match self.identify(presented, self.login_secrets(&login)).await {
            Ok(identity) => {
                self.passed(Passed::Provider);
                self.finish(&request, &login, identity).await
            }
            Err(Unidentified { refusal, step, detail }) => {
                self.refused(Endpoint::Callback, &refusal);
                tracing::info!(
                    flow = "callback", outcome = "refused", reason = ?refusal,
                    step = step.word(), detail,
                    request_id = %request.id, client_id = %request.client_id,
                );
                self.note_step(request.id, step, detail);
                let location = self.refusal_location(&request, refusal)?;
                Ok(CallbackOutcome::ToClient { location, cookies: Vec::new() })
            }
        }
    }

    /// Who signed in, or why that is not known; `login_secrets` are nonce and verifier. What the
    /// provider wrote is logged by kind only and never passed on.
    pub async fn identify(
        &self,
        presented: PresentedCallback,
        login_secrets: Option<(Secret, Secret)>,
    ) -> Result<Identity, Unidentified> {
        let untrusted = |why: &str| Unidentified {
            refusal: AuthorizeRefusal::UpstreamUntrusted,
            step: Step::ProviderUntrusted,
            detail: Some(why.to_owned()),
        };
        let upstream = self.upstream.as_ref().ok_or(AuthorizeRefusal::UpstreamUnavailable)?;
        let other_issuer =
            presented.upstream_iss.as_deref().is_some_and(|iss| iss != upstream.issuer());
        if presented.is_ambiguous || other_issuer {
            let why = if other_issuer { "another issuer" } else { "a parameter came twice" };
            return Err(untrusted(why));
        }
        if let Some(error) = presented.upstream_error {
            return Err(said_instead(&error));
        }
        let code = presented.upstream_code.ok_or_else(|| untrusted("neither code nor error"))?;
        let (nonce, verifier) = login_secrets.ok_or_else(|| untrusted("another secret"))?;
        upstream.redeem(&code, &verifier, &nonce).await.map_err(|error| {
            tracing::warn!(flow = "callback", error = %chain(&error), "sign-in failed upstream");
            not_redeemed(&error)
        })
    }

    fn login_secrets(&self, login: &StoredLogin) -> Option<(Secret, Secret)> {
        let opened = self.config.secret.unseal(Purpose::UpstreamLogin, &login.upstream_sealed)?;
        let text = String::from_utf8(opened).ok()?;
        let (nonce, verifier) = text.split_once(' ')?;
        Some((Secret::presented(nonce.to_owned()), Secret::presented(verifier.to_owned())))
    }

    async fn finish(
        &self,
        request: &StoredRequest,
        login: &StoredLogin,
        identity: Identity,
    ) -> Result<CallbackOutcome, Fault> {
        // Read again: the provider may have taken its time, and the code's life begins now.
        let now = self.clock.now();
        if !self.lets_in(Told::by(&identity)) {
            self.refused(Endpoint::Callback, &AuthorizeRefusal::WorkEmailRequired);
            self.note_step(request.id, Step::NoWorkAddress, None);
            let location = self.refusal_location(request, AuthorizeRefusal::WorkEmailRequired)?;
            return Ok(CallbackOutcome::ToClient { location, cookies: Vec::new() });
        }
        let code = Secret::generate(&*self.entropy, Kind::AuthorizationCode);
        let user_id = self.record(request, login, &identity, &code, now).await?;
        let domain = identity.profile.email.as_deref().and_then(email_domain::of_address);
        let Some(user_id) = user_id else {
            return Ok(CallbackOutcome::Refused(CallbackRefusal::AnotherPerson));
        };
        tracing::info!(
            flow = "callback", outcome = "signed_in", request_id = %request.id,
            client_id = %request.client_id, subject = %user_id, domain,
        );
        self.passed(Passed::Code);
        self.note_code(request.id, user_id);
        let state = self.client_state(request)?;
        let mut parameters = vec![("code", code.expose())];
        parameters.extend(state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", &self.config.public_url));
        Ok(CallbackOutcome::ToClient {
            location: request.redirect.with_parameters(&parameters),
            cookies: vec![self.person_cookie(user_id)],
        })
    }

    /// The one write. `None` when somebody else signed in than the one whose approval was used.
    async fn record(
        &self,
        request: &StoredRequest,
        login: &StoredLogin,
        identity: &Identity,
        code: &Secret,
        now: Timestamp,
    ) -> Result<Option<UserId>, Fault> {
        let person = self.people().prepare(Told::by(identity), now)?;
        let consent_id = ConsentId::generate(&*self.entropy, now);
        let code_id = AuthorizationCodeId::generate(&*self.entropy, now);
        let recorded = transact!(self.store, txn => {
            clients::mark_used(txn, &request.client_id, now).await?;
            // Compared before anything is kept of them: nobody told this person what is kept.
            let is_another = match login.remembered_user_id {
                Some(remembered) => users::find(txn, &person.sign_in).await? != Some(remembered),
                None => false,
            };
            if is_another {
                return Ok(None);
            }
            let user_id = person.write(txn, now).await?;
            let signed_in = SignedInPerson {
                user_id,
                is_new: user_id == person.fresh_id,
                occasion: code_id.uuid(),
                client_id: Some(&request.client_id),
                to: SignInTo::Program,
                attempt: Some(request.id),
            };
            self.queue_sign_in(txn, signed_in, now).await?;
            let approved = Approved {
                user_id,
                client_id: &request.client_id,
                redirect: &request.redirect,
                scope: request.scope,
            };
            if consent::may_be_remembered(&request.redirect) {
                consents::remember(txn, consent_id, approved, now).await?;
            }
            let new_code = NewCode {
                id: code_id,
                code_hash: code.hash(),
                authorization_request_id: request.id,
                client_id: &request.client_id,
                user_id,
                redirect: &request.redirect,
                scope: request.scope,
                code_challenge: &request.code_challenge,
                expires_at: now.plus(self.config.authorization_code_ttl),
            };
            authorization_codes::insert(txn, new_code, now).await?;
            Ok(Some(user_id))
        })?;
        self.sinks.wake();
        Ok(recorded)
    }

    /// The client's own `state`, byte for byte.
    fn client_state(&self, request: &StoredRequest) -> Result<Option<String>, Fault> {
        let Some(sealed) = &request.client_state_sealed else { return Ok(None) };
        let opened = self
            .config
            .secret
            .unseal(Purpose::ClientState, sealed)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(StoreError::Corrupt("client state"))?;
        Ok(Some(opened))
    }

    /// The client's redirect URI with a refusal (RFC 6749 §4.1.2.1, RFC 9207 §2).
    pub fn refusal_location(
        &self,
        request: &StoredRequest,
        refusal: AuthorizeRefusal,
    ) -> Result<String, Fault> {
        let state = self.client_state(request)?;
        Ok(self.refusal_to(&request.redirect, state.as_deref(), refusal))
    }
}
