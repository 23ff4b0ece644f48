//! Other MCP servers, by the names that the settings give them.

use std::collections::HashMap;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{HistogramVec, IntGauge, IntGaugeVec};

use crate::metrics::{Part, gauge, seconds};

/// The measurements. A copy counts into the same series.
#[derive(Clone)]
pub struct RemoteMetrics {
    calls: HistogramVec,
    resting: IntGaugeVec,
    by_name: HashMap<String, IntGauge>,
}

impl RemoteMetrics {
    /// For the servers of these names.
    pub fn new(remotes: &[String]) -> Self {
        let resting = gauge(
            "gatehouse_remote_breaker_open",
            "1 while another MCP server is left alone because it failed, 0 while it is called.",
            &["remote"],
        );
        let series = |name: &String| (name.clone(), resting.with_label_values(&[name]));
        let by_name = remotes.iter().map(series).collect();
        let help = "Time until another MCP server answered, by its name and outcome.";
        let calls = seconds("gatehouse_remote_call_seconds", help, &["remote", "outcome"]);
        Self { calls, resting, by_name }
    }

    /// A call ended. Those that were not made, because the server is left alone, take no time.
    pub fn called(&self, remote: &str, outcome: &'static str, took: Duration) {
        if let Some((remote, _)) = self.by_name.get_key_value(remote) {
            self.calls.with_label_values(&[remote, outcome]).observe(took.as_secs_f64());
        }
    }

    /// Whether a server is left alone.
    pub fn rests(&self, remote: &str, is_resting: bool) {
        if let Some(gauge) = self.by_name.get(remote) {
            gauge.set(i64::from(is_resting));
        }
    }
}

impl Part for RemoteMetrics {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.calls.clone()), Box::new(self.resting.clone())]
    }
}
