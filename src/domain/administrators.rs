//! Who may administer: people whom the setting `admins` names, by an address that somebody has
//! verified or by the organization that they belong to; and tokens, as far as their scope goes.
//!
//! An address that nobody verified names nobody: whoever can type one would be let in.

use std::fmt;

use crate::clock::Timestamp;
use crate::domain::email_domain;
use crate::domain::organization::rules::Rules;
use crate::domain::organization::{Confidence, Told};

/// What the keys of organizations begin with.
const KEYS: [&str; 2] = ["domain:", "provider:"];

/// What somebody who administers may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdminScope {
    /// Look.
    Read,
    /// Look and change.
    Write,
}

impl AdminScope {
    /// What rows and answers say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// Reads [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Read, Self::Write].into_iter().find(|it| it.name() == name)
    }
}

/// Why somebody does not administer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminRefusal {
    /// Neither a token nor a session came.
    NoCredential,
    /// What came as a token is none, or is void.
    BadToken,
    /// The session is over, or never was.
    NoSession,
    /// The token may look and not change.
    ScopeTooSmall,
    /// The person is not listed, or not any more.
    NotListed,
    /// The request did not come from a page that was shown in this session.
    ForeignForm,
    /// The sign-in did not begin in this browser, is spent or took too long.
    StaleLogin,
}

/// An entry of `admins` that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry {
    entry: String,
    why: &'static str,
}

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "admins: {:?} {}", self.entry, self.why)
    }
}

impl std::error::Error for BadEntry {}

/// Whom the setting names.
#[derive(Clone, Default)]
pub struct Administrators {
    addresses: Vec<String>,
    domains: Vec<String>,
    organizations: Vec<String>,
}

impl Administrators {
    /// Reads the entries: `alice@example.com`, `@example.com`, or an organization's key.
    pub fn new(entries: &[String], rules: &Rules) -> Result<Self, BadEntry> {
        let mut read = Self::default();
        for entry in entries {
            let bad = |why| BadEntry { entry: entry.clone(), why };
            if KEYS.iter().any(|key| entry.starts_with(key)) {
                read.organizations.push(entry.clone());
            } else if let Some(domain) = entry.strip_prefix('@') {
                let domain = email_domain::canonical(domain);
                let domain = domain.ok_or_else(|| bad("is no domain; write @example.com"))?;
                if rules.mail_provider(&domain).is_some() {
                    return Err(bad("is where anybody has an address; name the addresses"));
                }
                read.domains.push(domain);
            } else {
                let address = email_domain::normalized_address(entry);
                let why = "is neither an address, nor @ and a domain, nor an organization's key";
                read.addresses.push(address.ok_or_else(|| bad(why))?);
            }
        }
        Ok(read)
    }

    /// Whether it names nobody.
    pub const fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.domains.is_empty() && self.organizations.is_empty()
    }

    /// Whether it names this person.
    pub fn include(&self, told: Told<'_>, rules: &Rules) -> bool {
        let is_verified = told.profile.email_verified == Some(true);
        let email = told.profile.email.as_deref();
        let email = email.filter(|_| is_verified || rules.trusts(told.upstream_subject));
        let by_address = email.is_some_and(|email| {
            let address = email_domain::normalized_address(email);
            let domain = email_domain::of_address(email);
            address.is_some_and(|address| self.addresses.contains(&address))
                || domain.is_some_and(|domain| self.domains.contains(&domain))
        });
        let by_organization = || {
            let organization = rules.resolve(told).ok();
            organization.is_some_and(|it| {
                it.confidence > Confidence::Low && self.organizations.contains(&it.key)
            })
        };
        by_address || (!self.organizations.is_empty() && by_organization())
    }
}

/// Whether what holds until these moments holds now.
pub fn is_live(expires_at: Timestamp, ends_at: Timestamp, now: Timestamp) -> bool {
    now < expires_at && now < ends_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access_token::Profile;
    use crate::domain::organization::rules::RuleSettings;

    fn include(entries: &[&str], profile: &Profile, trusted: &[&str]) -> bool {
        let settings = RuleSettings {
            trust_unverified_email: trusted.iter().map(|&it| it.to_owned()).collect(),
            ..RuleSettings::default()
        };
        let rules = Rules::new(&settings).unwrap();
        let entries: Vec<_> = entries.iter().map(|&it| it.to_owned()).collect();
        let told = Told {
            upstream_issuer: "https://tenant.example/",
            upstream_subject: "samlp|acme|1",
            profile,
        };
        Administrators::new(&entries, &rules).unwrap().include(told, &rules)
    }

    fn profile(email: &str, verified: Option<bool>) -> Profile {
        Profile { email: Some(email.to_owned()), email_verified: verified, ..Profile::default() }
    }

    #[test]
    fn only_a_verified_or_trusted_address_names_somebody() {
        let listed = ["alice@example.com", "@corp.example.org"];
        for (email, verified, is_one) in [
            ("alice@example.com", Some(true), true),
            (" Alice@EXAMPLE.com.", Some(true), true),
            ("bob@corp.example.org", Some(true), true),
            ("alice@example.com", Some(false), false),
            ("alice@example.com", None, false),
            ("bob@corp.example.org", None, false),
            ("bob@example.com", Some(true), false),
            ("alice@example.com.evil.example", Some(true), false),
            ("bob@sub.corp.example.org", Some(true), false),
            ("bob@evil.example@corp.example.org", Some(true), true),
            ("alice@example.com@evil.example", Some(true), false),
            ("", Some(true), false),
        ] {
            let profile = profile(email, verified);
            assert_eq!(include(&listed, &profile, &[]), is_one, "{email} {verified:?}");
        }
        let unverified = profile("alice@example.com", Some(false));
        assert!(include(&listed, &unverified, &["samlp|acme"]));
        assert!(!include(&listed, &unverified, &["samlp|other"]));
        assert!(!include(&[], &profile("alice@example.com", Some(true)), &[]));
    }

    #[test]
    fn an_organization_names_its_people_as_surely_as_they_belong_to_it() {
        let by_domain = ["domain:example.com"];
        assert!(include(&by_domain, &profile("a@mail.example.com", Some(true)), &[]));
        assert!(!include(&by_domain, &profile("a@example.com", Some(false)), &[]));
        let member = Profile { org_id: Some("org_1".into()), ..Profile::default() };
        assert!(include(&["provider:https://tenant.example/|org_1"], &member, &[]));
        assert!(!include(&["provider:https://tenant.example/|org_2"], &member, &[]));
        assert!(!include(&["provider:https://other.example/|org_1"], &member, &[]));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let rules = Rules::default();
        for bad in ["alice", "@", "@localhost", "@gmail.com", "example.com", ""] {
            let error = Administrators::new(&[bad.to_owned()], &rules).err();
            let message = error.expect(bad).to_string();
            assert!(message.starts_with("admins: "), "{message}");
        }
        assert!(Administrators::new(&[], &rules).unwrap().is_empty());
    }
}
