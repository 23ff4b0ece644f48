//! How long things are kept that do not end by themselves.

use std::time::Duration;

use crate::config::layers::{ConfigError, Layers};
use crate::config::values;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The longest that anything may be kept for: ten years.
const KEPT_MAX: Duration = Duration::from_hours(24 * 3650);

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Who was told what of a person.
    pub disclosures: Duration,
    /// That something was delivered, after it was.
    pub outbox_delivered: Duration,
    /// What was given up, or waits for somebody who does not come.
    pub outbox_failed: Duration,
    /// The audit log.
    pub audit: Duration,
    /// Attempts to sign in.
    pub attempts: Duration,
    /// People who neither sign in nor use a sign-in; for good when none.
    pub inactive_people: Option<Duration>,
}

/// Reads all of them.
pub fn retention(layers: &Layers) -> Result<RetentionConfig, ConfigError> {
    let kept = |name: &str, default: &str, min: Duration| {
        layers.read(name, default, |text| values::duration_within(text, min, KEPT_MAX))
    };
    Ok(RetentionConfig {
        disclosures: kept("disclosures_kept", "730d", DAY)?,
        outbox_delivered: kept("outbox_delivered_kept", "7d", HOUR)?,
        // Shorter than that and something could go that is still being tried.
        outbox_failed: kept("outbox_failed_kept", "90d", DAY * 14)?,
        audit: kept("audit_kept", "400d", DAY * 30)?,
        attempts: kept("attempts_kept", "14d", HOUR)?,
        inactive_people: layers.read("inactive_people_kept", "none", |text| match text {
            "none" => Ok(None),
            text => values::duration_within(text, DAY, KEPT_MAX).map(Some),
        })?,
    })
}
