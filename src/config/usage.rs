//! What is kept of who uses the documentation, and for how long.

use std::time::Duration;

use crate::config::layers::{ConfigError, Layers};
use crate::config::{DAY, values};

/// What is kept of usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageConfig {
    /// How long counts by person are kept.
    pub kept: Duration,
    /// How long counts by organization are kept.
    pub totals_kept: Duration,
}

/// Reads it.
pub fn usage(layers: &Layers) -> Result<UsageConfig, ConfigError> {
    let kept = |name: &str, default: &str| {
        layers.read(name, default, |text| values::duration_within(text, DAY * 2, DAY * 3650))
    };
    let usage = UsageConfig {
        kept: kept("usage_kept", "90d")?,
        totals_kept: kept("usage_totals_kept", "730d")?,
    };
    if usage.totals_kept < usage.kept {
        let message = "it must not be shorter than usage_kept";
        return Err(layers.error("usage_totals_kept", message));
    }
    Ok(usage)
}
