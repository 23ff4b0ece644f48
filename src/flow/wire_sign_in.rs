//! The three requests of a sign-in in a browser: what each came to is counted, told of its attempt,
//! and shown.

use gatehouse_api::authorize::ConsentForm;
use gatehouse_api::page::PageResponse;
use gatehouse_api::visit::Visit;

use crate::flow::callback::PresentedCallback;
use crate::flow::consent::PresentedConsent;
use crate::flow::wire::is_cross_site;
use crate::flow::{Gatehouse, wire_pages};

/// `GET /oauth/authorize`
pub async fn authorize(gatehouse: &Gatehouse, visit: &Visit) -> PageResponse {
    let attempt = gatehouse.begin_attempt();
    let pairs = visit.query_pairs();
    let outcome = gatehouse.authorize(attempt, pairs, visit, visit.address).await;
    gatehouse.count_authorize(&outcome);
    gatehouse.note_authorize(attempt, &outcome);
    wire_pages::authorize(gatehouse, attempt, outcome)
}

/// `POST /oauth/consent`
pub async fn consent(gatehouse: &Gatehouse, visit: &Visit, form: &ConsentForm) -> PageResponse {
    let presented = PresentedConsent {
        sealed_request: &form.request,
        decision: &form.decision,
        is_cross_site: is_cross_site(visit, &gatehouse.config.public_url),
    };
    let attempt = gatehouse.attempt_of_form(&form.request);
    let outcome = gatehouse.decide_consent(presented, visit).await;
    gatehouse.count_consent(&outcome);
    if let Some(attempt) = attempt {
        gatehouse.note_consent(attempt, &outcome);
    }
    wire_pages::consent(gatehouse, attempt, outcome)
}

/// `GET /mcp/callback`
pub async fn callback(gatehouse: &Gatehouse, visit: &Visit) -> PageResponse {
    let presented = PresentedCallback::from_pairs(&visit.query_pairs());
    let mut attempt = None;
    let outcome = gatehouse.callback(presented, visit, &mut attempt).await;
    gatehouse.count_callback(&outcome);
    if let Some(attempt) = attempt {
        gatehouse.note_callback(attempt, &outcome);
    }
    wire_pages::callback(gatehouse, attempt, outcome)
}
