//! The domain of an e-mail address: all of it that logs and reports may carry.
//!
//! In one spelling, that of the DNS: lower case, and internationalized labels as A-labels (RFC 5890
//! §2.3.2.1), so that `MÜNCHEN.de` and `xn--mnchen-3ya.de` are one. Who can register a name below
//! which suffix is told by the public suffix list (publicsuffix.org), which is compiled in; its
//! private part counts too: whoever has a name below `github.io` is no colleague of the next.

use unicode_security::MixedScript as _;
use unicode_security::confusable_detection::skeleton;
use url::Host;

/// The part after the last `@`, in its one spelling; `None` when that is not a domain name.
pub fn of_address(email: &str) -> Option<String> {
    let (local, domain) = email.trim().rsplit_once('@')?;
    if local.is_empty() { None } else { canonical(domain) }
}

/// The one spelling of a domain name of at least two labels; `None` when it is none.
pub fn canonical(domain: &str) -> Option<String> {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.');
    // Combining marks are part of a label too, and what ends in a number is an address.
    let may_be_one = domain.chars().all(|c| is_plain(c) || (!c.is_ascii() && !c.is_whitespace()));
    let Ok(Host::Domain(ascii)) = Host::parse(domain) else { return None };
    let labels_fit = ascii.split('.').all(|label| !label.is_empty() && label.len() <= 63);
    let is_name = ascii.chars().all(is_plain) && ascii.contains('.') && ascii.len() <= 253;
    (may_be_one && labels_fit && is_name).then_some(ascii)
}

/// An address as it is compared: people write their own in capitals, and hardly a provider minds.
pub fn normalized_address(email: &str) -> Option<String> {
    let (local, _) = email.trim().rsplit_once('@')?;
    Some(format!("{}@{}", local.to_lowercase(), of_address(email)?))
}

/// The part of a domain that somebody registered: what stands before the public suffix, with it.
/// `None` for a suffix itself, and below suffixes that the list does not know, such as `.local`,
/// where anybody may be called anything.
pub fn registrable(domain: &str) -> Option<&str> {
    psl::suffix(domain.as_bytes()).filter(psl::Suffix::is_known)?;
    psl::domain_str(domain)
}

/// A domain as people write it, unless it could be taken for another one: then it stays as the DNS
/// has it (Unicode TS 39 §4, §5).
pub fn shown(domain: &str) -> String {
    let (unicode, read) = idna::domain_to_unicode(domain);
    let is_clear = |label: &str| {
        label.is_ascii() || (label.is_single_script() && !skeleton(label).all(|c| c.is_ascii()))
    };
    let is_clear = read.is_ok() && unicode.split('.').all(is_clear);
    if is_clear { unicode } else { domain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_in_its_one_spelling_and_well_formed_or_absent() {
        for (email, domain) in [
            ("Alice@Example.COM", Some("example.com")),
            ("\"a@b\"@example.com", Some("example.com")),
            ("alice@example.com.", Some("example.com")),
            (" alice@example.com ", Some("example.com")),
            ("alice@münchen.de", Some("xn--mnchen-3ya.de")),
            ("alice@MÜNCHEN.de", Some("xn--mnchen-3ya.de")),
            ("alice@mu\u{308}nchen.de", Some("xn--mnchen-3ya.de")),
            ("alice@XN--MNCHEN-3YA.de", Some("xn--mnchen-3ya.de")),
            ("alice@例え.テスト", Some("xn--r8jz45g.xn--zckzah")),
            ("alice", None),
            ("@example.com", None),
            ("alice@", None),
            ("alice@localhost", None),
            ("alice@exa mple.com", None),
            ("alice@exa\u{a0}mple.com", None),
            ("alice@example..com", None),
            ("alice@example.com..", None),
            ("alice@.example.com", None),
            ("alice@<script>.com", None),
            ("alice@exa%6dple.com", None),
            ("alice@exam_ple.com", None),
            ("alice@192.0.2.1", None),
            ("alice@[192.0.2.1]", None),
            ("alice@[IPv6:2001:db8::1]", None),
            ("alice@xn--zz-.com", None),
        ] {
            assert_eq!(of_address(email).as_deref(), domain, "{email}");
        }
        let long = format!("alice@{}.com", "a".repeat(64));
        assert_eq!(of_address(&long), None);
    }

    #[test]
    fn an_address_is_compared_without_case() {
        let normalized = |email| normalized_address(email).unwrap();
        assert_eq!(normalized(" Alice.B@EXAMPLE.com."), "alice.b@example.com");
        assert_eq!(normalized("ÄNNE@münchen.de"), "änne@xn--mnchen-3ya.de");
        assert_eq!(normalized_address("alice"), None);
    }

    #[test]
    fn what_is_registered_stands_before_the_public_suffix() {
        for (domain, registered) in [
            ("example.com", Some("example.com")),
            ("mail.eu.example.com", Some("example.com")),
            ("example.co.uk", Some("example.co.uk")),
            ("dept.example.co.uk", Some("example.co.uk")),
            ("example.com.au", Some("example.com.au")),
            ("cs.example.ac.jp", Some("example.ac.jp")),
            ("city.kawasaki.jp", Some("city.kawasaki.jp")),
            ("www.ck", Some("www.ck")),
            ("alice.github.io", Some("alice.github.io")),
            ("x.alice.github.io", Some("alice.github.io")),
            ("github.io", None),
            ("co.uk", None),
            ("com", None),
            ("corp.local", None),
            ("example.internal", None),
            ("xn--85x722f.xn--55qx5d.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("www.xn--85x722f.xn--55qx5d.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("a.b.xn--p1ai", Some("b.xn--p1ai")),
        ] {
            assert_eq!(registrable(domain), registered, "{domain}");
        }
    }

    #[test]
    fn a_name_that_looks_like_another_is_shown_as_the_dns_has_it() {
        for (domain, told) in [
            ("example.com", "example.com"),
            ("xn--mnchen-3ya.de", "münchen.de"),
            ("xn--e1afmkfd.xn--p1ai", "пример.рф"),
            // Cyrillic letters only, which look like "apple".
            ("xn--80ak6aa92e.com", "xn--80ak6aa92e.com"),
            // A Cyrillic а before Latin letters.
            ("xn--pple-43d.com", "xn--pple-43d.com"),
        ] {
            assert_eq!(shown(domain), told, "{domain}");
        }
    }
}
