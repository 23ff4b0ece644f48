//! Mail providers whose addresses say nothing of an organization: free ones, and ones for addresses
//! that are thrown away.
//!
//! Disposable providers are those of the crate `mailchecker`, which is maintained. For free ones
//! there is no maintained crate (`email_provider_validator` stands still since May 2024), so the
//! list of the npm package `free-email-domains` is compiled in (MIT, Kiko Beats and contributors).
//! Its licence and version lie beside it in `mail_provider/`; `scripts/free-mail-domains` fetches
//! the next. It holds many disposable domains as well. What it is wrong about, an operator corrects
//! by settings (`domain::organization`).

/// What kind of provider it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailProvider {
    /// Anybody has an address there.
    Free,
    /// Nobody keeps an address there.
    Disposable,
}

/// One domain a line, in the order of bytes.
const FREE: &str = include_str!("mail_provider/free.txt");

/// Providers with a domain in each country, by the label before the suffix. The list has those in
/// use, and new ones come.
const FREE_FAMILIES: [&str; 9] =
    ["gmail", "googlemail", "yahoo", "ymail", "hotmail", "outlook", "live", "msn", "gmx"];

/// What the list lacks; a test tells when it does no more.
const ALSO_FREE: [&str; 3] = ["hey.com", "mailbox.org", "tutanota.com"];

/// The provider of a domain in its one spelling, or of the one it is below. `registrable` is the
/// part of it that somebody registered.
pub fn of_domain(domain: &str, registrable: Option<&str>) -> Option<MailProvider> {
    if !mailchecker::is_valid(&format!("someone@{domain}")) {
        return Some(MailProvider::Disposable);
    }
    let is_listed = |name: &str| holds(FREE, name) || ALSO_FREE.contains(&name);
    let is_free = up_to(domain, registrable.unwrap_or(domain)).any(is_listed)
        || registrable.is_some_and(is_in_a_family);
    is_free.then_some(MailProvider::Free)
}

/// A domain and those it is below, down to `last`.
pub fn up_to<'a>(domain: &'a str, last: &'a str) -> impl Iterator<Item = &'a str> {
    let next = |name: &&'a str| name.split_once('.').map(|(_, above)| above);
    std::iter::successors(Some(domain), next).take_while(move |name| name.len() >= last.len())
}

/// `yahoo.de` and `yahoo.co.uk` are one provider's; `live.example.com` is somebody's sub-domain.
fn is_in_a_family(registrable: &str) -> bool {
    let Some((label, suffix)) = registrable.split_once('.') else { return false };
    FREE_FAMILIES.contains(&label) && suffix.split('.').all(|label| label.len() <= 3)
}

/// Whether a line of `lines`, which are in order, is `wanted`.
fn holds(lines: &str, wanted: &str) -> bool {
    let (mut low, mut high) = (0, lines.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start = lines[..middle].rfind('\n').map_or(0, |at| at + 1);
        let end = lines[middle..].find('\n').map_or(lines.len(), |at| middle + at);
        match lines[start..end].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::email_domain;

    fn judged(domain: &str) -> Option<MailProvider> {
        let domain = email_domain::canonical(domain).unwrap();
        of_domain(&domain, email_domain::registrable(&domain))
    }

    #[test]
    fn free_providers_are_known_in_every_country() {
        for domain in [
            "gmail.com",
            "GoogleMail.com",
            "yahoo.com",
            "yahoo.co.uk",
            "yahoo.com.au",
            "yahoo.de",
            "hotmail.com",
            "hotmail.fr",
            "outlook.com",
            "outlook.jp",
            "live.com",
            "live.co.uk",
            "msn.com",
            "gmx.net",
            "gmx.de",
            "gmx.ch",
            "web.de",
            "t-online.de",
            "posteo.de",
            "icloud.com",
            "me.com",
            "mac.com",
            "aol.com",
            "proton.me",
            "protonmail.com",
            "pm.me",
            "fastmail.com",
            "fastmail.fm",
            "mail.ru",
            "yandex.ru",
            "yandex.com",
            "qq.com",
            "163.com",
            "126.com",
            "naver.com",
            "rediffmail.com",
            "orange.fr",
            "free.fr",
            "laposte.net",
            "libero.it",
            "zoho.com",
            "mail.com",
            "hey.com",
            "tutanota.com",
            "mailbox.org",
            "comcast.net",
            "att.net",
            "verizon.net",
            "mail.gmail.com",
        ] {
            assert_eq!(judged(domain), Some(MailProvider::Free), "{domain}");
        }
    }

    #[test]
    fn disposable_providers_are_known_with_all_below_them() {
        for domain in ["mailinator.com", "guerrillamail.com", "yopmail.com", "x.mailinator.com"] {
            assert_eq!(judged(domain), Some(MailProvider::Disposable), "{domain}");
        }
    }

    #[test]
    fn organizations_are_neither() {
        for domain in [
            "example.com",
            "sub.example.co.uk",
            "live.example.com",
            "yahoo.example.com",
            "outlook.example.org",
            "google.com",
            "microsoft.com",
            "siemens.com",
            "bbc.co.uk",
            "ethz.ch",
            "mit.edu",
            "nasa.gov",
            "münchen.de",
            "notgmail.com",
            "gmail.example.com",
            "alice.github.io",
            "corp.local",
        ] {
            assert_eq!(judged(domain), None, "{domain}");
        }
    }

    #[test]
    fn the_list_is_in_order_and_its_every_line_is_found() {
        assert!(FREE.lines().is_sorted());
        assert!(FREE.lines().all(|line| holds(FREE, line)));
        assert!(!holds(FREE, "") && !holds(FREE, "gmail") && !holds(FREE, "zzzz.zzzz"));
        assert!(ALSO_FREE.iter().all(|name| !holds(FREE, name)), "the list has it now");
    }

    #[test]
    fn a_domain_is_looked_for_with_those_it_is_below() {
        let all: Vec<_> = up_to("a.b.example.com", "example.com").collect();
        assert_eq!(all, ["a.b.example.com", "b.example.com", "example.com"]);
        assert_eq!(up_to("github.io", "github.io").count(), 1);
    }
}
