//! Lines of the log that were lost: more came than whoever reads it took.

use std::sync::OnceLock;

use prometheus::IntCounter;
use prometheus::core::Collector;
use tracing_appender::non_blocking::ErrorCounter;

use crate::metrics::Part;

/// What the writer of this process has lost. Of the process, as its log is.
static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// Counts what this writer loses. The first one that is named is the one.
pub fn watch(lost: ErrorCounter) {
    // A second writer would be a second log, which there is not.
    let _ = LOST.set(lost);
}

/// The measurement.
pub struct LogMetrics {
    lost: IntCounter,
}

impl Default for LogMetrics {
    fn default() -> Self {
        let help = "Lines of the log that were lost, since whoever reads it was too slow.";
        Self {
            lost: IntCounter::new("gatehouse_log_lines_lost_total", help)
                .expect("the name is of the form that Prometheus wants"),
        }
    }
}

impl LogMetrics {
    /// Counts what was lost since.
    pub fn catch_up(&self) {
        if let Some(lost) = LOST.get() {
            self.count(lost.dropped_lines());
        }
    }

    fn count(&self, lost: usize) {
        let lost = u64::try_from(lost).unwrap_or(u64::MAX);
        self.lost.inc_by(lost.saturating_sub(self.lost.get()));
    }
}

impl Part for LogMetrics {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.lost.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_counted_once() {
        let metrics = LogMetrics::default();
        for (lost, counted) in [(0, 0), (3, 3), (3, 3), (5, 5)] {
            metrics.count(lost);
            assert_eq!(metrics.lost.get(), counted);
        }
    }
}
