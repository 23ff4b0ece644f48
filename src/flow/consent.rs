//! `POST /oauth/consent`: the person decides (MCP Security Best Practices, Confused Deputy).
//!
//! 1. The form must come from our page in the browser that was shown it: cookie, token bound to
//!    both, and no foreign `Origin`.
//! 2. For a yes, ask the provider where it lives, with nothing held.
//! 3. One write: the decision, guarded, and with a yes the login.
//! 4. A yes leads to the provider; a no stays here, with a labelled way back (nobody has signed
//!    in, so nothing vouches for the client's address yet).

use crate::clock::Timestamp;
use crate::domain::consent::Decision;
use crate::domain::refusal::{AuthorizeRefusal, ConsentRefusal};
use crate::flow::authorize::{PreparedLogin, ToProvider};
use crate::flow::browser::Cookies;
use crate::flow::{Fault, Gatehouse};
use crate::id::AuthorizationRequestId;
use crate::store::authorization_requests::{self, StoredRequest};
use crate::store::{Consumed, transact, upstream_logins};

/// What the form brought.
pub struct PresentedConsent<'a> {
    /// Which request.
    pub request_id: &'a str,
    /// Proof of origin.
    pub csrf_token: &'a str,
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
        let (Some(browser), Some(request_id), Some(decision), false) = (
            self.known_browser(cookies),
            AuthorizationRequestId::parse(presented.request_id),
            Decision::from_form(presented.decision),
            presented.is_cross_site,
        ) else {
            return refused(ConsentRefusal::ForeignForm);
        };
        // The token comes before the row: a stranger learns nothing of which requests exist.
        if !self.csrf_token_matches(request_id, browser.hash(), presented.csrf_token) {
            return refused(ConsentRefusal::ForeignForm);
        }
        let found = authorization_requests::find(self.store.read(), request_id).await?;
        let Some(request) = found.filter(|request| now < request.expires_at) else {
            return refused(ConsentRefusal::UnknownRequest);
        };
        if request.browser_hash != browser.hash() {
            return refused(ConsentRefusal::ForeignForm);
        }
        if request.decided_at.is_some() {
            return refused(ConsentRefusal::AlreadyDecided);
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
                authorization_requests::decide(txn, request.id, Decision::Approve, now).await?;
            if decided == Consumed::ByUs {
                upstream_logins::insert(txn, &login.row, now).await?;
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
            authorization_requests::decide(txn, request.id, Decision::Deny, now).await
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

fn log_decision(request: &StoredRequest, outcome: &'static str) {
    tracing::info!(
        flow = "consent", outcome, request_id = %request.id, client_id = %request.client_id,
    );
}
