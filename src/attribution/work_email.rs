//! Whether an address belongs to an organization: neither a free nor a disposable provider.
//!
//! Disposable providers come from the list that `mailchecker` keeps. No crate keeps a list of free
//! providers, so the large ones stand here; a provider that is missing lets somebody in, it never
//! shuts anybody out.

use crate::domain::access_token::Profile;
use crate::domain::email_domain;
use crate::domain::refusal::NoWorkEmail;

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

/// Checks that the person's address is one at an organization. Without an address nothing says so,
/// and one the provider calls unchecked could be anybody's; many SSO logins say neither, which
/// passes.
pub fn check(profile: &Profile) -> Result<(), NoWorkEmail> {
    let domain = profile.email.as_deref().and_then(email_domain::of_address);
    let domain = domain.ok_or(NoWorkEmail::NoAddress)?;
    if profile.email_verified == Some(false) {
        return Err(NoWorkEmail::Unverified);
    }
    if is_free(&domain) || !mailchecker::is_valid(&format!("someone@{domain}")) {
        return Err(NoWorkEmail::PersonalProvider);
    }
    Ok(())
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

    fn judged(email: Option<&str>, email_verified: Option<bool>) -> Result<(), NoWorkEmail> {
        let email = email.map(str::to_owned);
        check(&Profile { email, email_verified, ..Profile::default() })
    }

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
        ] {
            assert_eq!(judged(Some(email), None), Err(NoWorkEmail::PersonalProvider), "{email}");
        }
        for email in ["a@example.com", "a@sub.example.co.uk", "a@live.example.com"] {
            assert_eq!(judged(Some(email), None), Ok(()), "{email}");
        }
    }

    #[test]
    fn an_address_that_is_missing_or_called_unchecked_does_not_pass() {
        assert_eq!(judged(Some("a@example.com"), Some(true)), Ok(()));
        assert_eq!(judged(Some("a@example.com"), Some(false)), Err(NoWorkEmail::Unverified));
        assert_eq!(judged(None, Some(true)), Err(NoWorkEmail::NoAddress));
        assert_eq!(judged(Some("nonsense"), Some(true)), Err(NoWorkEmail::NoAddress));
    }
}
