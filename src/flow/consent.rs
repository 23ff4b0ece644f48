//! `POST /oauth/consent`: the person decides (MCP Security Best Practices, Confused Deputy).
//!
//! 1. The form must come from our page in the browser that was shown it: a request sealed by us,
//!    the cookie of that very request, and no foreign `Origin`.
//! 2. For a yes, ask the provider where it lives, with nothing held.
//! 3. One write: the decision, guarded, and with a yes the login.
//! 4. A yes leads to the provider; a no stays here, with a labelled way back (nobody has signed
//!    in, so nothing vouches for the client's address yet).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind, reference_of};
use crate::domain::consent::Decision;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::refusal::{AuthorizeRefusal, ConsentRefusal};
use crate::domain::scope::ScopeSet;
use crate::flow::authorize::{PreparedLogin, ToProvider};
use crate::flow::browser::Cookies;
use crate::flow::{Fault, Gatehouse};
use crate::id::AuthorizationRequestId;
use crate::secret::base64url;
use crate::server_secret::Purpose;
use crate::store::audit::{self, AuditRow};
use crate::store::authorization_requests::{self, StoredRequest};
use crate::store::{Consumed, transact, upstream_logins};

/// What the form brought.
pub struct PresentedConsent<'a> {
    /// The request, as the page carried it.
    pub sealed_request: &'a str,
    /// Which button.
    pub decision: &'a str,
    /// Whether the browser says that the form came from another site.
    pub is_cross_site: bool,
}

/// How the decision was taken.
pub enum ConsentOutcome {
    /// On to the provider.
    ToProvider(ToProvider),
    /// The person said no; where the client may be told so.
    Denied {
        /// The client's redirect URI with the refusal.
        location: String,
    },
    /// Not acted on.
    Refused(ConsentRefusal),
}

impl Gatehouse {
    /// The exchange.
    pub async fn decide_consent(
        &self,
        presented: PresentedConsent<'_>,
        cookies: &impl Cookies,
    ) -> Result<ConsentOutcome, Fault> {
        let now = self.clock.now();
        if self.upstream.is_none() {
            return Err(Fault::NoUpstream);
        }
        let refused = |refusal| Ok(ConsentOutcome::Refused(refusal));
        let (Some(request), Some(decision), false) = (
            self.opened_request(presented.sealed_request),
            Decision::from_form(presented.decision),
            presented.is_cross_site,
        ) else {
            return refused(ConsentRefusal::ForeignForm);
        };
        // Before anything is said of the request: a stranger's form learns nothing.
        if !self.holds_request_cookie(cookies, request.id) {
            return refused(ConsentRefusal::ForeignForm);
        }
        if now >= request.expires_at {
            return refused(ConsentRefusal::Expired);
        }
        match decision {
            Decision::Approve => self.approve(&request, now).await,
            Decision::Deny => self.deny(&request, now).await,
        }
    }

    async fn approve(
        &self,
        request: &StoredRequest,
        now: Timestamp,
    ) -> Result<ConsentOutcome, Fault> {
        let login = self.prepare_login(request.id, None, now).await?;
        let decided = transact!(self.store, txn => {
            let decided =
                authorization_requests::decide(txn, request, Decision::Approve, now).await?;
            if decided == Consumed::ByUs {
                upstream_logins::insert(txn, &login.row, now).await?;
                let allowed = self.audited_consent(AuditKind::ConsentAllowed, request, now);
                audit::write(txn, [allowed]).await?;
            }
            Ok(decided)
        })?;
        let PreparedLogin { location, cookie, .. } = login;
        Ok(match decided {
            Consumed::ByUs => {
                log_decision(request, "approved");
                ConsentOutcome::ToProvider(ToProvider { location, cookies: vec![cookie] })
            }
            Consumed::BySomeoneElse => ConsentOutcome::Refused(ConsentRefusal::AlreadyDecided),
        })
    }

    async fn deny(&self, request: &StoredRequest, now: Timestamp) -> Result<ConsentOutcome, Fault> {
        let decided = transact!(self.store, txn => {
            let decided =
                authorization_requests::decide(txn, request, Decision::Deny, now).await?;
            if decided == Consumed::ByUs {
                let denied = self.audited_consent(AuditKind::ConsentDenied, request, now);
                audit::write(txn, [denied]).await?;
            }
            Ok(decided)
        })?;
        Ok(match decided {
            Consumed::ByUs => {
                log_decision(request, "denied");
                let location = self.refusal_location(request, AuthorizeRefusal::Denied)?;
                ConsentOutcome::Denied { location }
            }
            Consumed::BySomeoneElse => ConsentOutcome::Refused(ConsentRefusal::AlreadyDecided),
        })
    }
}

impl Gatehouse {
    /// What the audit log is told of a decision. Nobody knows yet whose it is.
    pub fn audited_consent<'a>(
        &self,
        kind: AuditKind,
        request: &'a StoredRequest,
        now: Timestamp,
    ) -> AuditRow<'a> {
        AuditRow::new(&*self.entropy, kind, Actor::Somebody, now)
            .of_client(&request.client_id)
            .in_attempt(reference_of(request.id))
    }
}

/// A request as a form carries it.
#[derive(Serialize, Deserialize)]
struct Carried {
    id: String,
    client_id: String,
    redirect_uri: String,
    /// In base64url: a list of numbers would take four times the room in the form.
    client_state_sealed: Option<String>,
    scope: String,
    code_challenge: String,
    expires_at: i64,
}

impl Gatehouse {
    /// The request as the form carries it: nobody else can make or change one.
    pub fn sealed_request(&self, request: &StoredRequest) -> String {
        let carried = Carried {
            id: request.id.to_string(),
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect.as_str().to_owned(),
            client_state_sealed: request.client_state_sealed.as_deref().map(base64url),
            scope: request.scope.to_string(),
            code_challenge: request.code_challenge.as_str().to_owned(),
            expires_at: request.expires_at.millis(),
        };
        let text = serde_json::to_vec(&carried).expect("strings and numbers are plain JSON");
        base64url(&self.config.secret.seal(&*self.entropy, Purpose::ConsentForm, &text))
    }

    /// The attempt that a form belongs to, when it is one of ours.
    pub fn attempt_of_form(&self, sealed: &str) -> Option<AuthorizationRequestId> {
        self.opened_request(sealed).map(|request| request.id)
    }

    fn opened_request(&self, sealed: &str) -> Option<StoredRequest> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let text = self.config.secret.unseal(Purpose::ConsentForm, &sealed)?;
        let carried: Carried = serde_json::from_slice(&text).ok()?;
        let client_state_sealed = match carried.client_state_sealed {
            Some(state) => Some(URL_SAFE_NO_PAD.decode(state).ok()?),
            None => None,
        };
        Some(StoredRequest {
            id: AuthorizationRequestId::parse(&carried.id)?,
            client_id: carried.client_id,
            redirect: TrustedRedirect::from_stored(carried.redirect_uri),
            client_state_sealed,
            scope: ScopeSet::known_in(&carried.scope),
            code_challenge: CodeChallenge::from_stored(carried.code_challenge),
            expires_at: Timestamp::from_millis(carried.expires_at),
        })
    }
}

fn log_decision(request: &StoredRequest, outcome: &'static str) {
    tracing::info!(
        flow = "consent", outcome, request_id = %request.id, client_id = %request.client_id,
    );
}
