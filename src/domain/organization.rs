//! Which organization a person belongs to, by what, and how sure that is.
//!
//! 1. What the identity provider says: the organization that the person picked there (`org_id`,
//!    `org_name`).
//! 2. Else the domain of their address, rolled up to what somebody registered (`email_domain`), and
//!    over the operator's table of companies with several domains ([`rules`]).
//! 3. Else none, and why not: the address is with a free or disposable mail provider
//!    (`mail_provider`), or nothing is known that names an organization.
//!
//! Step 2 comes after step 1 because consultants sign in to their client's organization with an
//! address of their own. Whoever may sign in where a work address is required is judged by the
//! same parts ([`Rules::check_work_email`]).

use std::fmt;

use crate::clock::Timestamp;
use crate::domain::access_token::Profile;
use crate::domain::email_domain;
use crate::domain::mail_provider::MailProvider;
use crate::domain::organization::rules::Rules;
use crate::domain::refusal::NoWorkEmail;
use crate::domain::upstream_login::Identity;
use crate::id::{OrganizationId, UserId};

pub mod rules;

/// What an organization is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The identity provider named it.
    Provider,
    /// It is the domain of the person's address.
    EmailDomain,
}

impl Source {
    /// What the row and reports say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::EmailDomain => "email_domain",
        }
    }

    /// Reads [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Provider, Self::EmailDomain].into_iter().find(|it| it.name() == name)
    }
}

/// How sure it is that the person belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Nobody has verified the address.
    Low,
    /// The provider does not call the address verified, and the operator trusts it all the same.
    Medium,
    /// The provider names the organization, or calls the address verified.
    High,
}

impl Confidence {
    /// What the row and reports say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Reads [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High].into_iter().find(|it| it.name() == name)
    }
}

/// Why a person has no organization that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lack {
    /// Their address is with a provider where anybody has one.
    FreeMail,
    /// Their address is one to be thrown away.
    Disposable,
    /// There is no address, or its domain is nobody's in particular.
    Unknown,
}

impl Lack {
    /// What the row and reports say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FreeMail => "free_mail",
            Self::Disposable => "disposable",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::FreeMail, Self::Disposable, Self::Unknown].into_iter().find(|it| it.name() == name)
    }
}

/// An organization as a sign-in tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// What it is over all sign-ins: `domain:example.com`, `provider:https://tenant/|org_1`.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Whether somebody said that name, or it had to be made from what there is.
    pub is_named: bool,
    /// Its domain, where it is known by one.
    pub domain: Option<String>,
    /// What it is known by.
    pub source: Source,
    /// How sure that is.
    pub confidence: Confidence,
}

/// An organization of a person, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownOrganization {
    /// Its row.
    pub id: OrganizationId,
    /// What it is over all sign-ins.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Its domain, where it is known by one.
    pub domain: Option<String>,
    /// What it is known by.
    pub source: Source,
    /// How sure that is.
    pub confidence: Confidence,
    /// Since when the person belongs to it.
    pub since: Timestamp,
}

impl KnownOrganization {
    /// Where it is known from, in words to the person.
    pub const fn source_in_words(&self) -> &'static str {
        match (self.source, self.confidence) {
            (Source::Provider, _) => "from your sign-in provider",
            (Source::EmailDomain, Confidence::Medium | Confidence::High) => {
                "from your e-mail domain"
            }
            (Source::EmailDomain, Confidence::Low) => "from your e-mail domain, not verified",
        }
    }
}

/// A person and what use by them is counted for. Neither their name nor their address is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The person.
    pub user: UserId,
    /// The organization they belong to now.
    pub organization: Option<KnownOrganization>,
    /// Why there is none. Neither is known of a person who has not signed in since organizations
    /// are kept, until a clean-up pass has looked at them.
    pub lack: Option<Lack>,
    /// The domain of their address.
    pub email_domain: Option<String>,
    /// When they first signed in.
    pub first_login_at: Timestamp,
    /// When they last did.
    pub last_login_at: Timestamp,
}

/// What the provider says of a person, as far as it decides here.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The provider.
    pub upstream_issuer: &'a str,
    /// The person there; at some providers it begins with the connection they came through.
    pub upstream_subject: &'a str,
    /// What it told us.
    pub profile: &'a Profile,
}

impl<'a> Told<'a> {
    /// Of somebody who has just signed in.
    pub fn by(identity: &'a Identity) -> Self {
        Self {
            upstream_issuer: &identity.upstream_issuer,
            upstream_subject: &identity.upstream_subject,
            profile: &identity.profile,
        }
    }
}

impl fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told(…)")
    }
}

impl Rules {
    /// The person's organization, or why they have none.
    pub fn resolve(&self, told: Told<'_>) -> Result<Organization, Lack> {
        if let Some(claimed) = self.claimed(told) {
            return Ok(claimed);
        }
        let domain = domain_of(told).ok_or(Lack::Unknown)?;
        match self.mail_provider(&domain) {
            Some(MailProvider::Free) => return Err(Lack::FreeMail),
            Some(MailProvider::Disposable) => return Err(Lack::Disposable),
            None => {}
        }
        let registrable = email_domain::registrable(&domain).ok_or(Lack::Unknown)?;
        let confidence = match told.profile.email_verified {
            Some(true) => Confidence::High,
            Some(false) | None if self.trusts(told.upstream_subject) => Confidence::Medium,
            Some(false) | None => Confidence::Low,
        };
        Ok(of_domain(self.merged(registrable), Source::EmailDomain, confidence))
    }

    /// What the provider says, when it says anything.
    fn claimed(&self, told: Told<'_>) -> Option<Organization> {
        let Profile { org_id, org_name, .. } = told.profile;
        if let Some(domain) = org_id.as_deref().and_then(|id| self.merged_claim(id)) {
            return Some(of_domain(domain, Source::Provider, Confidence::High));
        }
        let issuer = told.upstream_issuer;
        let (key, name) = match (org_id, org_name) {
            (Some(id), name) => (format!("provider:{issuer}|{id}"), name.as_ref().unwrap_or(id)),
            // A name alone is spelled as whoever made it spells it.
            (None, Some(name)) => {
                let words: Vec<_> = name.split_whitespace().map(str::to_lowercase).collect();
                (format!("provider-name:{issuer}|{}", words.join(" ")), name)
            }
            (None, None) => return None,
        };
        Some(Organization {
            key,
            name: name.clone(),
            is_named: org_name.is_some(),
            domain: None,
            source: Source::Provider,
            confidence: Confidence::High,
        })
    }

    /// Checks that the person's address is one at an organization. Without an address nothing says
    /// so, and one the provider calls unchecked could be anybody's, unless the operator trusts
    /// where it comes from; many SSO logins say neither, which passes.
    pub fn check_work_email(&self, told: Told<'_>) -> Result<(), NoWorkEmail> {
        let domain = domain_of(told).ok_or(NoWorkEmail::NoAddress)?;
        if told.profile.email_verified == Some(false) && !self.trusts(told.upstream_subject) {
            return Err(NoWorkEmail::Unverified);
        }
        match self.mail_provider(&domain) {
            Some(MailProvider::Free | MailProvider::Disposable) => {
                Err(NoWorkEmail::PersonalProvider)
            }
            None => Ok(()),
        }
    }
}

fn domain_of(told: Told<'_>) -> Option<String> {
    told.profile.email.as_deref().and_then(email_domain::of_address)
}

fn of_domain(domain: &str, source: Source, confidence: Confidence) -> Organization {
    Organization {
        key: format!("domain:{domain}"),
        name: email_domain::shown(domain),
        is_named: true,
        domain: Some(domain.to_owned()),
        source,
        confidence,
    }
}

#[cfg(test)]
mod tests;
