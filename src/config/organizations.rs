//! The settings that decide who belongs to which organization, as they are written. What they mean
//! is checked where the rule is (`domain::organization`).

use crate::config::layers::{ConfigError, Layers};
use crate::config::readers::pairs_of;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganizationConfig {
    /// Companies with several domains: one, and the one that stands for it.
    pub same: Vec<(String, String)>,
    /// Whose addresses count though the provider does not call them verified.
    pub trusted: Vec<String>,
    /// Domains of further free mail providers.
    pub free_mail: Vec<String>,
    /// Domains that are an organization's, whatever the lists say.
    pub work_mail: Vec<String>,
}

/// Reads them.
pub fn organizations(layers: &Layers) -> Result<OrganizationConfig, ConfigError> {
    let items = |name| layers.items(name).unwrap_or_default();
    Ok(OrganizationConfig {
        same: pairs_of(layers, "same_organization")?,
        trusted: items("trust_unverified_email"),
        free_mail: items("free_mail_domains"),
        work_mail: items("work_mail_domains"),
    })
}
