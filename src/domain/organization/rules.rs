//! What an operator knows better than lists and providers do: companies with several domains, whom
//! to trust, and where the list of mail providers is wrong.
//!
//! A table that could not mean what was meant stops the start: one that leads on from its targets,
//! one that names a sub-domain, which is rolled up before it is looked for, and one that would make
//! everybody with a free address one company.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::domain::email_domain;
use crate::domain::mail_provider::{self, MailProvider};

/// The names of the settings, for messages.
const SAME_ORGANIZATION: &str = "same_organization";
const TRUST_UNVERIFIED_EMAIL: &str = "trust_unverified_email";
const FREE_MAIL_DOMAINS: &str = "free_mail_domains";
const WORK_MAIL_DOMAINS: &str = "work_mail_domains";

/// What begins the name of a provider's organization in the table.
const CLAIM: &str = "org:";

/// The settings, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSettings {
    /// Domains, or `org:` and a provider's `org_id`, and the domain that stands for them.
    pub same_organization: Vec<(String, String)>,
    /// `true`, or beginnings of subjects.
    pub trust_unverified_email: Vec<String>,
    /// Domains that are a free mail provider's, too.
    pub free_mail_domains: Vec<String>,
    /// Domains that are an organization's, whatever the lists say.
    pub work_mail_domains: Vec<String>,
}

/// Why the settings do not stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// Which of them.
    pub setting: &'static str,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.message)
    }
}

impl std::error::Error for RuleError {}

fn refuse<T>(setting: &'static str, message: impl Into<String>) -> Result<T, RuleError> {
    Err(RuleError { setting, message: message.into() })
}

/// Whose addresses are trusted that the provider does not call verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    Nobody,
    Everybody,
    /// Whose subject begins with one of these, up to a `|`.
    Connections(Vec<String>),
}

/// The rules, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    domains: BTreeMap<String, String>,
    claims: BTreeMap<String, String>,
    trust: Trust,
    free: BTreeSet<String>,
    work: BTreeSet<String>,
}

impl Rules {
    /// Checks what was written.
    pub fn new(settings: &RuleSettings) -> Result<Self, RuleError> {
        let mut rules = Self {
            trust: trust(&settings.trust_unverified_email)?,
            free: domains(FREE_MAIL_DOMAINS, &settings.free_mail_domains)?,
            work: domains(WORK_MAIL_DOMAINS, &settings.work_mail_domains)?,
            ..Self::default()
        };
        if let Some(both) = rules.free.intersection(&rules.work).next() {
            let message = format!("{both} is in {FREE_MAIL_DOMAINS} too");
            return refuse(WORK_MAIL_DOMAINS, message);
        }
        for (from, to) in &settings.same_organization {
            rules.merge(from, to)?;
        }
        rules.check_ends()?;
        Ok(rules)
    }

    fn merge(&mut self, from: &str, to: &str) -> Result<(), RuleError> {
        let target = self.mergeable(to)?;
        let (table, name) = match from.strip_prefix(CLAIM) {
            Some("") => return refuse(SAME_ORGANIZATION, format!("{from:?} names no org_id")),
            Some(org_id) => (&mut self.claims, org_id.to_owned()),
            None => {
                let domain = self.mergeable(from)?;
                (&mut self.domains, domain)
            }
        };
        // The same twice, in two spellings say, does no harm.
        match table.insert(name, target.clone()) {
            Some(before) if before != target => {
                refuse(SAME_ORGANIZATION, format!("{from} is both {before} and {target}"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A domain that may stand in the table.
    fn mergeable(&self, text: &str) -> Result<String, RuleError> {
        let Some(domain) = email_domain::canonical(text) else {
            let message = format!("{text:?} is not a domain such as example.com");
            return refuse(SAME_ORGANIZATION, message);
        };
        match email_domain::registrable(&domain) {
            Some(registrable) if registrable == domain => {}
            Some(registrable) => {
                let message = format!("{text} counts as {registrable}: write that");
                return refuse(SAME_ORGANIZATION, message);
            }
            None => {
                let message = format!("{text} is a suffix that many register below");
                return refuse(SAME_ORGANIZATION, message);
            }
        }
        if self.mail_provider(&domain).is_some() {
            let message = format!(
                "{text} is a free or disposable mail provider; if it is not, list it in \
                 {WORK_MAIL_DOMAINS}"
            );
            return refuse(SAME_ORGANIZATION, message);
        }
        Ok(domain)
    }

    /// Refuses what leads on: of a chain nobody can tell which end was meant, and a ring has none.
    fn check_ends(&self) -> Result<(), RuleError> {
        for (from, to) in self.domains.iter().chain(&self.claims) {
            let Some(next) = self.domains.get(to) else { continue };
            let message = if self.leads_back(to) {
                format!("{from} leads to {to}, and that back in a ring; one has to be the end")
            } else {
                format!("{from} leads to {to}, and that on to {next}; write {from} = {next}")
            };
            return refuse(SAME_ORGANIZATION, message);
        }
        Ok(())
    }

    fn leads_back(&self, start: &str) -> bool {
        let mut at = start;
        // As many steps as there are rows lead to an end, or there is none.
        for _ in 0..=self.domains.len() {
            match self.domains.get(at) {
                Some(next) => at = next,
                None => return false,
            }
        }
        true
    }

    /// The domain that stands for a registered one.
    pub fn merged<'a>(&'a self, registrable: &'a str) -> &'a str {
        self.domains.get(registrable).map_or(registrable, String::as_str)
    }

    /// The domain that stands for a provider's organization, when one does.
    pub fn merged_claim(&self, org_id: &str) -> Option<&str> {
        self.claims.get(org_id).map(String::as_str)
    }

    /// Whether an address of this person counts as verified though the provider does not say so.
    pub fn trusts(&self, upstream_subject: &str) -> bool {
        let is_from = |connection: &String| {
            let rest = upstream_subject.strip_prefix(connection.as_str());
            rest.is_some_and(|rest| connection.ends_with('|') || rest.starts_with('|'))
        };
        match &self.trust {
            Trust::Nobody => false,
            Trust::Everybody => true,
            Trust::Connections(connections) => connections.iter().any(is_from),
        }
    }

    /// What kind of mail provider a domain is of, if of one.
    pub fn mail_provider(&self, domain: &str) -> Option<MailProvider> {
        let registrable = email_domain::registrable(domain);
        let mut names = mail_provider::up_to(domain, registrable.unwrap_or(domain));
        // The nearest word counts: a department may be excepted from its provider.
        let ours = names.find_map(|name| {
            let is_free = self.free.contains(name);
            (is_free || self.work.contains(name)).then_some(is_free)
        });
        match ours {
            Some(true) => Some(MailProvider::Free),
            Some(false) => None,
            None => mail_provider::of_domain(domain, registrable),
        }
    }
}

fn trust(items: &[String]) -> Result<Trust, RuleError> {
    match items {
        [] => return Ok(Trust::Nobody),
        [one] if one == "true" => return Ok(Trust::Everybody),
        [one] if one == "false" => return Ok(Trust::Nobody),
        _ => {}
    }
    for item in items {
        if matches!(item.as_str(), "true" | "false") {
            let message = format!("{item} stands alone, or connections such as samlp|acme do");
            return refuse(TRUST_UNVERIFIED_EMAIL, message);
        }
        if item.starts_with('|') || !item.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("{item:?} is no beginning of a subject such as samlp|acme");
            return refuse(TRUST_UNVERIFIED_EMAIL, message);
        }
    }
    Ok(Trust::Connections(items.to_vec()))
}

fn domains(setting: &'static str, items: &[String]) -> Result<BTreeSet<String>, RuleError> {
    let domain = |item: &String| match email_domain::canonical(item) {
        Some(domain) => Ok(domain),
        None => refuse(setting, format!("{item:?} is not a domain such as example.com")),
    };
    items.iter().map(domain).collect()
}
