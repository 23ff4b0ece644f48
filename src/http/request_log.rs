//! One line per request: what was asked, what was answered, how long it took.
//!
//! Never the query, a header or a body: they carry codes, tokens and people's words.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poem::http::Method;
use poem::{Request, Response};
use tracing::Instrument as _;

use gatehouse_api::visit::ThroughTrustedProxy;

use crate::metrics::http::{HttpMetrics, route};
use crate::secret::{Entropy as _, SystemEntropy};
use crate::traces;

/// Paths that are asked for all day by machines; logged at debug.
const QUIET: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Tells processes apart, in one container and the next.
static PROCESS: LazyLock<String> = LazyLock::new(|| {
    let mut bytes = [0; 4];
    SystemEntropy.fill(&mut bytes);
    format!("{:08x}", u32::from_be_bytes(bytes))
});

/// What is remembered of a request until it is answered.
pub struct Note {
    /// Unique; in the answer's `X-Request-Id` and in every line of the request.
    pub id: String,
    /// The path, without query.
    pub path: String,
    method: Method,
    traced: traces::Request,
    began: tokio::time::Instant,
}

impl Note {
    /// Takes a note of a request as it comes in.
    pub fn of(request: &Request) -> Self {
        let id = next_id();
        Self { traced: traced(&id, request), ..Self::brief(id, request) }
    }

    /// The same of a request that is answered at once, without work that could say something.
    pub fn of_one_answered_at_once(request: &Request) -> Self {
        Self::brief(next_id(), request)
    }

    fn brief(id: String, request: &Request) -> Self {
        Self {
            traced: traces::Request::brief(),
            id,
            path: request.uri().path().to_owned(),
            method: request.method().clone(),
            began: tokio::time::Instant::now(),
        }
    }

    /// Runs the endpoint in a span that carries the id.
    pub async fn within<T>(&self, endpoint: impl Future<Output = T>) -> T {
        endpoint.instrument(self.traced.span.clone()).await
    }

    /// Writes the line, and measures.
    pub fn write(&self, response: &Response, metrics: &HttpMetrics) {
        let status = response.status().as_u16();
        let elapsed: Duration = self.began.elapsed();
        metrics.answered(&self.path, status, elapsed);
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.traced.answered(status);
        let (id, method, path) = (&self.id, &self.method, &self.path);
        let trace_id = self.traced.trace_id.as_deref();
        if QUIET.contains(&path.as_str()) {
            tracing::debug!(%id, trace_id, %method, %path, status, micros, "answered");
        } else {
            tracing::info!(%id, trace_id, %method, %path, status, micros, "answered");
        }
    }
}

fn next_id() -> String {
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{count:x}", *PROCESS)
}

/// The request, traced if it goes to a route of ours that is not asked all day. Of which trace it
/// is a part, only a trusted proxy may say: anybody could fill the traces of others.
fn traced(id: &str, request: &Request) -> traces::Request {
    let path = request.uri().path();
    match route(path) {
        Some(route) if !QUIET.contains(&path) => {
            let is_trusted = request.data().is_some_and(|ThroughTrustedProxy(is_so)| *is_so);
            let told_by = is_trusted.then(|| request.headers());
            traces::Request::traced(id, request.method(), route, told_by)
        }
        Some(_) | None => traces::Request::untraced(id),
    }
}
