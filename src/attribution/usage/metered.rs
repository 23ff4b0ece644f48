//! Measures calls on their way to whoever keeps them.

use std::sync::Arc;

use crate::mcp::usage::{Call, UsageBook};
use crate::metrics::Metrics;

/// A book of usage that is also measured.
pub struct Metered {
    /// Who keeps the calls.
    pub book: Arc<dyn UsageBook>,
    /// Where they are measured.
    pub metrics: Arc<Metrics>,
}

impl UsageBook for Metered {
    fn note(&self, call: Call<'_>) {
        self.metrics.tools.called(call.tool, call.outcome.name(), call.took);
        self.book.note(call);
    }
}
