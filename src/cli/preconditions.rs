//! What a start needs of the settings, as far as other rooms or the database have to tell.

use crate::cli::house::HouseError;
use crate::config::Config;
use crate::config::organizations::OrganizationConfig;
use crate::domain::administrators::Administrators;
use crate::domain::organization::rules::{RuleSettings, Rules};
use crate::domain::redirect_uri::{RedirectUri, Target};
use crate::flow::Fault;
use crate::server_secret::Purpose;
use crate::store::{Store, signing_keys, users};

/// Refuses to start with a secret that does not open what was sealed before: every sign-in would
/// fail one by one instead.
pub async fn check_secret(store: &Store, config: &Config) -> Result<(), HouseError> {
    let opens = |purpose, sealed: &[u8]| config.secret.unseal(purpose, sealed).is_some();
    let profile = users::newest_profile_sealed(store.read()).await.map_err(Fault::Store)?;
    let keys = signing_keys::published(store.read()).await.map_err(Fault::Store)?;
    let key = keys.first().filter(|_| config.signing_key.is_none());
    let all_open = profile.is_none_or(|sealed| opens(Purpose::Profile, &sealed))
        && key.is_none_or(|key| opens(Purpose::SigningKey, &key.private_sealed));
    if all_open { Ok(()) } else { Err(HouseError::OtherSecret) }
}

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

/// Only private-use schemes need listing, and none that a page could run.
pub fn check_custom_schemes(config: &Config) -> Result<(), HouseError> {
    let listed = &config.custom_scheme_redirects;
    let is_private_use = |uri: &String| {
        let parsed = RedirectUri::parse(uri, listed);
        parsed.is_ok_and(|uri| uri.target() == Target::CustomScheme)
    };
    if listed.iter().all(is_private_use) { Ok(()) } else { Err(HouseError::CustomScheme) }
}
