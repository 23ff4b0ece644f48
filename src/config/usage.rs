//! What is kept of who uses the documentation, and for how long.

use std::time::Duration;

use crate::config::layers::{ConfigError, Layers};
use crate::config::{DAY, HOUR, values};

/// What is kept of usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageConfig {
    /// How long counts by person are kept.
    pub kept: Duration,
    /// How long counts by organization are kept.
    pub totals_kept: Duration,
    /// Whether it is kept what is searched for.
    pub keep_queries: bool,
    /// How long.
    pub queries_kept: Duration,
    /// Whether tools ask what the person wants, and that is kept.
    pub ask_context: bool,
    /// How long.
    pub context_kept: Duration,
}

/// Reads it.
pub fn usage(layers: &Layers) -> Result<UsageConfig, ConfigError> {
    let kept = |name: &str, default: &str| {
        layers.read(name, default, |text| values::duration_within(text, DAY * 2, DAY * 3650))
    };
    let text_kept = |name: &str| {
        layers.read(name, "90d", |text| values::duration_within(text, HOUR, DAY * 3650))
    };
    let usage = UsageConfig {
        kept: kept("usage_kept", "90d")?,
        totals_kept: kept("usage_totals_kept", "730d")?,
        keep_queries: layers.read("keep_queries", "false", values::switch)?,
        queries_kept: text_kept("queries_kept")?,
        ask_context: layers.read("ask_context", "false", values::switch)?,
        context_kept: text_kept("context_kept")?,
    };
    if usage.totals_kept < usage.kept {
        let message = "it must not be shorter than usage_kept";
        return Err(layers.error("usage_totals_kept", message));
    }
    Ok(usage)
}
