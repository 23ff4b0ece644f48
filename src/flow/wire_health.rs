//! How this replica is, and what it has counted, as the admin listener tells it.
//!
//! A part decides when this replica is of no use without it and another one may do better. While
//! the identity provider is away everyone who is signed in goes on, and taking every replica out
//! would end that: it is named and does not decide. Reasons are sentences of ours, so they hold no
//! address and nothing of what a database or a provider said.

use std::time::Duration;

use gatehouse_api::admin::metrics_text::MetricsText;
use gatehouse_api::admin::{Need, Readiness, ReadyResponse, State};
use poem_openapi::payload::Json;
use tokio::time::timeout;

use crate::flow::{Gatehouse, chain};
use crate::metrics::gauges::Waiting;
use crate::store::listings::deliveries;
use crate::store::{StoreError, schema};
use crate::upstream::Upstream;

/// How long the database may take to answer one question of a probe.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);

/// One part.
struct Part {
    name: &'static str,
    is_well: bool,
    decides: bool,
    reason: String,
}

impl Part {
    fn deciding(name: &'static str, is_well: bool, reason: impl Into<String>) -> Self {
        Self { name, is_well, decides: true, reason: reason.into() }
    }
}

/// `GET /readyz`
pub async fn readyz(gatehouse: &Gatehouse, pages: usize) -> ReadyResponse {
    let mut parts = Vec::from(parts(gatehouse, pages).await);
    if gatehouse.stopping.has_begun() {
        parts.push(Part::deciding("not_stopping", false, "this replica was told to stop"));
    }
    let ready = parts.iter().all(|part| part.is_well || !part.decides);
    let state = match (ready, parts.iter().all(|part| part.is_well)) {
        (false, _) => State::Unready,
        (true, false) => State::Degraded,
        (true, true) => State::Ready,
    };
    let needs = parts.into_iter().map(|part| Need {
        name: part.name.to_owned(),
        ready: part.is_well,
        decides: part.decides,
        reason: part.reason,
    });
    let readiness = Readiness { ready, state, needs: needs.collect() };
    if ready {
        ReadyResponse::Ready(Json(readiness))
    } else {
        ReadyResponse::NotReady(Json(readiness))
    }
}

/// `GET /metrics`
pub async fn metrics(gatehouse: &Gatehouse, pages: usize) -> MetricsText {
    let gauges = &gatehouse.metrics.gauges;
    let parts = parts(gatehouse, pages).await;
    for part in &parts {
        gauges.part(part.name, part.is_well);
    }
    gauges.pages(pages);
    for pool in gatehouse.store.pools() {
        gauges.pool(pool);
    }
    if !gauges.destinations().is_empty() {
        read_outbox(gatehouse).await;
    }
    MetricsText(gatehouse.metrics.text())
}

async fn read_outbox(gatehouse: &Gatehouse) {
    let gauges = &gatehouse.metrics.gauges;
    let now = gatehouse.clock.now();
    let Some(Ok(waiting)) = in_time(deliveries::waiting(gatehouse.store.read())).await else {
        gauges.outbox_unknown();
        return;
    };
    for destination in gauges.destinations() {
        let found = waiting.iter().find(|it| it.destination == *destination);
        let counted = found.map_or_else(Waiting::default, |it| Waiting {
            waiting: it.waiting,
            oldest_seconds: (now.millis() - it.since).max(0) / 1000,
        });
        gauges.outbox(destination, counted);
    }
}

async fn parts(gatehouse: &Gatehouse, pages: usize) -> [Part; 5] {
    let [database, migrations, signing_keys] = stored_parts(gatehouse).await;
    let index = Part::deciding(
        "index",
        pages > 0,
        match pages {
            0 => "there is not one page".to_owned(),
            pages => format!("{pages} pages"),
        },
    );
    [database, migrations, signing_keys, index, identity_provider(gatehouse)]
}

/// What the database has to tell. When it does not answer, the rest is not known, and not asked.
async fn stored_parts(gatehouse: &Gatehouse) -> [Part; 3] {
    let store = &gatehouse.store;
    let reached = in_time(store.ping()).await;
    let database = match &reached {
        Some(Ok(())) => Part::deciding("database", true, "it answers"),
        Some(Err(_)) => Part::deciding("database", false, "it does not answer"),
        None => Part::deciding("database", false, "it does not answer in time"),
    };
    if !database.is_well {
        let unknown = |name| Part::deciding(name, false, "the database does not say");
        return [database, unknown("migrations"), unknown("signing_keys")];
    }
    let now = gatehouse.clock.now();
    let (pending, can_sign) = tokio::join!(
        in_time(schema::pending(store)),
        in_time(gatehouse.keyring.can_sign(store, now)),
    );
    let migrations = match pending {
        Some(Ok(pending)) if pending.is_empty() => (true, "all are applied".to_owned()),
        Some(Ok(pending)) => {
            (false, format!("{} to apply; run `gatehouse migrate up`", pending.len()))
        }
        Some(Err(_)) | None => (false, "they cannot be read".to_owned()),
    };
    let signing_keys = match can_sign {
        Some(Ok(true)) => (true, "there is one to sign with"),
        Some(Ok(false)) => (false, "there is none to sign with"),
        Some(Err(_)) | None => (false, "they cannot be read"),
    };
    let (has_all, migrations) = migrations;
    [
        database,
        Part::deciding("migrations", has_all, migrations),
        Part::deciding("signing_keys", signing_keys.0, signing_keys.1),
    ]
}

/// Nobody is asked, so that a probe never waits for the provider.
fn identity_provider(gatehouse: &Gatehouse) -> Part {
    let (is_well, reason) = match gatehouse.upstream.as_ref().map(Upstream::last_answer) {
        None => (false, "none is configured: nobody can sign in"),
        Some(None) => (true, "it has not answered yet"),
        Some(Some(true)) => (true, "it answered when it was last asked"),
        Some(Some(false)) => (false, "it did not answer when it was last asked"),
    };
    Part { name: "identity_provider", is_well, decides: false, reason: reason.to_owned() }
}

/// What the database answers, unless it takes too long.
async fn in_time<T>(
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Option<Result<T, StoreError>> {
    let answer = timeout(ANSWERED_WITHIN, answer).await.ok();
    if let Some(Err(error)) = &answer {
        tracing::debug!(error = %chain(error), "a probe was not answered");
    }
    answer
}
