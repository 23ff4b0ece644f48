//! Rules made of settings: who belongs to which organization, and who administers.

use crate::cli::house::HouseError;
use crate::config::Config;
use crate::config::organizations::OrganizationConfig;
use crate::domain::administrators::Administrators;
use crate::domain::organization::rules::{RuleSettings, Rules};

/// Who belongs to which organization, as the settings say it.
pub fn rules(config: &Config) -> Result<Rules, HouseError> {
    let OrganizationConfig { same, trusted, free_mail, work_mail } = config.organizations.clone();
    let settings = RuleSettings {
        same_organization: same,
        trust_unverified_email: trusted,
        free_mail_domains: free_mail,
        work_mail_domains: work_mail,
    };
    Rules::new(&settings).map_err(HouseError::Organizations)
}

/// Who administers, as the settings say it.
pub fn administrators(config: &Config, rules: &Rules) -> Result<Administrators, HouseError> {
    Administrators::new(&config.admin.admins, rules).map_err(HouseError::Administrators)
}
