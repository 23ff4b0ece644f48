//! The admin listener: is it alive, is it ready; who may look at what there is, and change it.

use std::sync::Arc;

use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi, Tags};

pub mod answer;
pub mod attempts;
pub mod caller;
pub mod counts;
pub mod csv;
pub mod metrics_text;
pub mod pages;
pub mod port;
pub mod reads;
pub mod rights;
pub mod rows;

use crate::Port;
use crate::admin::metrics_text::MetricsText;

/// The group that all of it is in.
#[derive(Tags)]
pub enum Tag {
    /// On the admin listener.
    Admin,
}

/// The process answers.
#[derive(Clone, Debug, Object)]
pub struct Liveness {
    /// `ok`
    pub status: String,
    /// The program's version.
    pub version: String,
}

/// One thing the service needs.
#[derive(Clone, Debug, Object)]
pub struct Need {
    /// `database`, `migrations`, `signing_keys`, `index` or `identity_provider`.
    pub name: String,
    /// Whether it is well.
    pub ready: bool,
    /// Whether this replica should be sent no requests while it is not.
    pub decides: bool,
    /// How it is, in a few words.
    pub reason: String,
}

/// How a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum State {
    /// All is well.
    Ready,
    /// Something is not, and the replica is of use all the same.
    Degraded,
    /// Something is not that it cannot do without.
    Unready,
}

/// Everything the service needs.
#[derive(Clone, Debug, Object)]
pub struct Readiness {
    /// Whether this replica should be sent requests.
    pub ready: bool,
    /// The same, and whether something is amiss.
    pub state: State,
    /// Each by name.
    pub needs: Vec<Need>,
}

/// What liveness answers.
#[derive(ApiResponse)]
pub enum AliveResponse {
    /// Alive.
    #[oai(status = 200)]
    Alive(Json<Liveness>),
}

/// What readiness answers.
#[derive(ApiResponse)]
pub enum ReadyResponse {
    /// Ready.
    #[oai(status = 200)]
    Ready(Json<Readiness>),
    /// Something is missing that decides.
    #[oai(status = 503)]
    NotReady(Json<Readiness>),
}

/// The group `admin`.
pub struct AdminApi<P>(pub Arc<P>);

#[OpenApi(tag = "Tag::Admin")]
#[allow(clippy::unused_async, reason = "an endpoint is async whether it waits or not")]
impl<P: Port> AdminApi<P> {
    /// Is the process alive?
    ///
    /// On the admin listener.
    #[oai(path = "/healthz", method = "get", operation_id = "healthz")]
    async fn healthz(&self) -> AliveResponse {
        AliveResponse::Alive(Json(self.0.healthz()))
    }

    /// Is it ready for requests?
    ///
    /// On the admin listener; each need is named.
    #[oai(path = "/readyz", method = "get", operation_id = "readyz")]
    async fn readyz(&self) -> ReadyResponse {
        self.0.readyz().await
    }

    /// What is counted and measured
    ///
    /// On the admin listener; in the text format of Prometheus.
    #[oai(path = "/metrics", method = "get", operation_id = "metrics")]
    async fn metrics(&self) -> MetricsText {
        self.0.metrics().await
    }
}
