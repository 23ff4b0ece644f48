//! Calls of tools, by the names under which they are offered.

use std::collections::HashMap;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramVec, IntCounterVec};

use crate::metrics::{Part, counter, seconds};

/// The label of calls whose tool is not offered here, or is not known: the body was not read.
pub const UNKNOWN: &str = "unknown";

/// The measurements. Tools have their series from the start, so no other name can get one.
pub struct ToolMetrics {
    calls: IntCounterVec,
    durations: HistogramVec,
    offered: HashMap<String, Histogram>,
    unknown: Histogram,
}

impl ToolMetrics {
    /// For the tools of these names.
    pub fn new(tools: &[String]) -> Self {
        let calls = counter(
            "gatehouse_tool_calls_total",
            "Calls of tools, by tool and outcome.",
            &["tool", "outcome"],
        );
        let help = "Time from the open envelope to the answer of a tool.";
        let durations = seconds("gatehouse_tool_call_seconds", help, &["tool"]);
        let series = |name: &String| (name.clone(), durations.with_label_values(&[name]));
        let offered = tools.iter().map(series).collect();
        let unknown = durations.with_label_values(&[UNKNOWN]);
        Self { calls, durations, offered, unknown }
    }

    /// A call ended.
    pub fn called(&self, tool: &str, outcome: &'static str, took: Duration) {
        let (tool, duration) = match self.offered.get_key_value(tool) {
            Some((tool, duration)) => (tool.as_str(), duration),
            None => (UNKNOWN, &self.unknown),
        };
        self.calls.with_label_values(&[tool, outcome]).inc();
        duration.observe(took.as_secs_f64());
    }
}

impl Part for ToolMetrics {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.calls.clone()), Box::new(self.durations.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_made_up_share_one_series() {
        let metrics = ToolMetrics::new(&["search_docs".to_owned()]);
        let moment = Duration::from_millis(3);
        metrics.called("search_docs", "answered", moment);
        for junk in ["", "alice@example.com", "search_docs ", "unknown"] {
            metrics.called(junk, "refused", moment);
        }
        let counted = |tool, outcome| metrics.calls.with_label_values(&[tool, outcome]).get();
        assert_eq!(counted("search_docs", "answered"), 1);
        assert_eq!(counted(UNKNOWN, "refused"), 4);
        let families = metrics.calls.collect();
        assert_eq!(families[0].get_metric().len(), 2);
    }
}
