//! Whether an address belongs to an organization: neither a free nor a disposable provider.
//!
//! Disposable providers come from the list that `mailchecker` keeps. No crate keeps a list of free
//! providers, so the large ones stand here; a provider that is missing lets somebody in, it never
//! shuts anybody out.

use crate::domain::access_token::Profile;
use crate::domain::email_domain;

/// Free providers, by the part before the country: `yahoo.de` and `yahoo.co.uk` are both `yahoo`.
const FREE_FAMILIES: [&str; 9] =
    ["gmail", "googlemail", "yahoo", "ymail", "hotmail", "outlook", "live", "msn", "gmx"];

const FREE_DOMAINS: [&str; 28] = [
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "fastmail.fm",
    "free.fr",
    "hey.com",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "naver.com",
    "orange.fr",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "t-online.de",
    "tutanota.com",
    "web.de",
    "yandex.com",
    "yandex.ru",
    "zoho.com",
];

/// Whether the person's address is one at an organization. Without an address nothing says so,
/// and one the provider calls unchecked could be anybody's; many SSO logins say neither, which
/// passes.
pub fn has_work_address(profile: &Profile) -> bool {
    let Some(email) = &profile.email else { return false };
    profile.email_verified != Some(false) && is_work_address(email)
}

fn is_work_address(email: &str) -> bool {
    let Some(domain) = email_domain::of_address(email) else { return false };
    !is_free(&domain) && mailchecker::is_valid(&format!("someone@{domain}"))
}

fn is_free(domain: &str) -> bool {
    let family = domain.split('.').next().unwrap_or_default();
    // "live.example.com" is somebody's sub-domain; "live.com" and "live.co.uk" are the provider.
    let country_part = domain.split('.').skip(1).all(|label| label.len() <= 3);
    (FREE_FAMILIES.contains(&family) && country_part) || FREE_DOMAINS.contains(&domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_and_disposable_addresses_are_no_work_addresses() {
        for email in [
            "a@gmail.com",
            "a@GoogleMail.com",
            "a@yahoo.co.uk",
            "a@outlook.com",
            "a@gmx.net",
            "a@proton.me",
            "a@mailinator.com",
            "a@guerrillamail.com",
            "nonsense",
        ] {
            assert!(!is_work_address(email), "{email}");
        }
        for email in ["a@example.com", "a@sub.example.co.uk", "a@live.example.com"] {
            assert!(is_work_address(email), "{email}");
        }
    }

    #[test]
    fn an_address_that_is_missing_or_called_unchecked_does_not_pass() {
        let profile = |email: Option<&str>, email_verified| Profile {
            email: email.map(str::to_owned),
            email_verified,
            ..Profile::default()
        };
        assert!(has_work_address(&profile(Some("a@example.com"), Some(true))));
        assert!(has_work_address(&profile(Some("a@example.com"), None)));
        assert!(!has_work_address(&profile(Some("a@example.com"), Some(false))));
        assert!(!has_work_address(&profile(None, Some(true))));
    }
}
