//! What is counted and measured of the running service, for whoever watches it.
//!
//! Each room that has something to tell holds its part: the [`sign_in`] funnel, [`http`], the
//! [`store`], the [`provider`], the [`tools`], other people's [`remotes`]. A part is made of
//! counters that are atomic and shared; [`Metrics`] registers them and writes them down when it is
//! asked (Prometheus text format 0.0.4).
//!
//! Labels come from closed sets: words of ours, which are `&'static str`, and names that the
//! settings give. What a request said never becomes one, so neither a person nor a stranger who
//! makes names up can be found here. Counting takes no lock that is waited for and, once a series
//! has been seen, no memory.
//!
//! Never here: decisions, rows, what is alarming; see `docs/monitoring`.

use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

pub mod gauges;
pub mod http;
pub mod log;
pub mod provider;
pub mod reasons;
pub mod remotes;
pub mod sign_in;
pub mod store;
pub mod tools;

use crate::metrics::gauges::Gauges;
use crate::metrics::http::HttpMetrics;
use crate::metrics::log::LogMetrics;
use crate::metrics::provider::ProviderMetrics;
use crate::metrics::remotes::RemoteMetrics;
use crate::metrics::sign_in::SignInMetrics;
use crate::metrics::store::StoreMetrics;
use crate::metrics::tools::ToolMetrics;

/// Everything that is counted, part by part.
pub struct Metrics {
    /// From discovery to the tokens, and every refusal on the way.
    pub sign_in: SignInMetrics,
    /// Requests.
    pub http: HttpMetrics,
    /// Calls of tools.
    pub tools: ToolMetrics,
    /// Requests to the identity provider.
    pub provider: ProviderMetrics,
    /// Calls of other servers.
    pub remotes: RemoteMetrics,
    /// What is read off when somebody asks.
    pub gauges: Gauges,
    /// The log.
    pub log: LogMetrics,
    registry: Registry,
}

/// Part of what is counted.
trait Part {
    /// What it counts with.
    fn collectors(&self) -> Vec<Box<dyn Collector>>;
}

/// The names that the settings give, which may be labels.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Tools that are offered.
    pub tools: Vec<String>,
    /// Other servers.
    pub remotes: Vec<String>,
    /// Whom the outbox is emptied to.
    pub destinations: Vec<String>,
}

impl Metrics {
    /// Nothing is counted yet, but by the store, which has its part since it was connected.
    pub fn new(names: &Names, store: &StoreMetrics) -> Self {
        let metrics = Self {
            sign_in: SignInMetrics::default(),
            http: HttpMetrics::default(),
            tools: ToolMetrics::new(&names.tools),
            provider: ProviderMetrics::default(),
            remotes: RemoteMetrics::new(&names.remotes),
            gauges: Gauges::new(&names.destinations),
            log: LogMetrics::default(),
            registry: Registry::new(),
        };
        for collector in metrics.collectors(store) {
            metrics.registry.register(collector).expect("no two parts count under one name");
        }
        metrics
    }

    fn collectors(&self, store: &StoreMetrics) -> Vec<Box<dyn Collector>> {
        let Self { sign_in, http, tools, provider, remotes, gauges, log, .. } = self;
        let parts: [&dyn Part; 8] = [sign_in, http, tools, provider, remotes, gauges, log, store];
        let mut collectors: Vec<_> = parts.into_iter().flat_map(Part::collectors).collect();
        #[cfg(target_os = "linux")]
        collectors.push(Box::new(prometheus::process_collector::ProcessCollector::for_self()));
        collectors
    }

    /// All of it as it stands, in the text format.
    pub fn text(&self) -> String {
        self.log.catch_up();
        let mut text = String::new();
        let written =
            prometheus::TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text);
        if let Err(error) = written {
            tracing::error!(%error, "what was counted could not be written down");
        }
        text
    }
}

const VALID: &str = "names and labels of ours are of the form that Prometheus wants";

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect(VALID)
}

fn gauge(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), labels).expect(VALID)
}

/// Seconds, in steps that tell an answer from memory from one that waited.
fn seconds(name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    let steps =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
    let opts = HistogramOpts::new(name, help).buckets(steps.to_vec());
    HistogramVec::new(opts, labels).expect(VALID)
}

#[cfg(test)]
mod tests;
