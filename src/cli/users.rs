//! `gatehouse users list|show`: who signed in, and where they belong.
//!
//! What is printed names nobody: an opaque identifier, domain, organization and times. Addresses,
//! names and what the provider calls people, which holds an address at some providers, are printed
//! with `--show-email` alone.

use std::io::Read as _;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::attribution::people::{People, Search, search};
use crate::cli::rules::rules;
use crate::cli::serve::open_migrated_store;
use crate::cli::{CommandError, block_on, say};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::domain::organization::{Attribution, KnownOrganization, Lack};
use crate::flow::chain;
use crate::id::UserId;
use crate::page::moment;
use crate::secret::SystemEntropy;
use crate::store::people::{self, PastMembership, StoredPerson};
use crate::store::{Store, StoreError};

/// People that are listed at once, unless another number is given.
const LISTED: &str = "100";
const LISTED_MAX: u64 = 1000;

/// What the command takes beside the settings.
pub fn with_actions(command: Command) -> Command {
    let switch = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let value = |name: &'static str, shown: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(shown).help(help)
    };
    let count = clap::value_parser!(u64).range(1..=LISTED_MAX);
    command
        .arg(Arg::new("action").value_parser(["list", "show"]).required(true))
        .arg(Arg::new("id").value_name("ID").help("The person to show, by our identifier"))
        .arg(switch("json", "Answer in JSON"))
        .arg(switch("show-email", "Print addresses, names and subjects too"))
        .arg(value("email", "ADDRESS", "Whose address this is; - reads it from standard input"))
        .arg(value("organization", "NAME", "Members of this id, key, domain or name"))
        .arg(value("limit", "N", "How many at most").value_parser(count).default_value(LISTED))
        .arg(value("after", "ID", "Those after this person, the last of the list before"))
}

/// Runs one of the actions.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let rules = rules(&config).map_err(CommandError::new)?;
    let people = People { secret: &config.secret, rules: &rules, entropy: &SystemEntropy };
    let told =
        Told { people, json: matches.get_flag("json"), personal: matches.get_flag("show-email") };
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        match matches.get_one::<String>("action").map(String::as_str) {
            Some("show") => show(&store, told, matches).await,
            _ => list(&store, told, matches).await,
        }
    })
}

/// How people are told of.
#[derive(Clone, Copy)]
struct Told<'a> {
    people: People<'a>,
    json: bool,
    personal: bool,
}

async fn list(store: &Store, told: Told<'_>, matches: &ArgMatches) -> Result<(), CommandError> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let email = match text("email") {
        Some("-") => Some(from_standard_input()?),
        email => email.map(str::to_owned),
    };
    let wanted = Search {
        email: email.as_deref(),
        organization: text("organization"),
        after: text("after").map(user_id).transpose()?,
    };
    let limit = matches.get_one::<u64>("limit").copied().unwrap_or(LISTED_MAX);
    // One more, to know whether there are more.
    let found = search(store.read(), told.people.secret, &wanted, limit + 1).await;
    let mut found = found.map_err(fault)?;
    let has_more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.last().filter(|_| has_more).map(|person| person.attribution.user.to_string());
    if told.json {
        let users: Vec<_> = found.iter().map(|person| told.as_json(person)).collect();
        say(json!({ "users": users, "next": next }));
        return Ok(());
    }
    for person in &found {
        say(told.as_line(person));
    }
    if let Some(next) = next {
        say(format!("more: --after {next}"));
    }
    Ok(())
}

async fn show(store: &Store, told: Told<'_>, matches: &ArgMatches) -> Result<(), CommandError> {
    let id = matches.get_one::<String>("id");
    let id = id.ok_or_else(|| CommandError::new("users: show whom? Give the identifier"))?;
    let id = user_id(id)?;
    let person = people::find(store.read(), id).await.map_err(fault)?;
    let person = person.ok_or_else(|| CommandError::new("users: there is no such person"))?;
    let history = people::history(store.read(), id).await.map_err(fault)?;
    if told.json {
        let mut value = told.as_json(&person);
        value["memberships"] = history.iter().map(membership_json).collect();
        say(value);
        return Ok(());
    }
    for line in told.in_full(&person, &history) {
        say(line);
    }
    Ok(())
}

impl Told<'_> {
    fn as_line(self, person: &StoredPerson) -> String {
        let Attribution { user, email_domain, organization, lack, .. } = &person.attribution;
        let mut line = format!(
            "{user}  {}  {}  first {}, last {}",
            email_domain.as_deref().unwrap_or("no address"),
            organization_in_words(organization.as_ref(), *lack),
            moment::in_words(person.attribution.first_login_at.seconds()),
            moment::in_words(person.attribution.last_login_at.seconds()),
        );
        if self.personal {
            line.push_str("  ");
            line.push_str(&self.email(person));
        }
        line
    }

    fn in_full(self, person: &StoredPerson, history: &[PastMembership]) -> Vec<String> {
        let Attribution { user, email_domain, organization, lack, .. } = &person.attribution;
        let first = moment::in_words(person.attribution.first_login_at.seconds());
        let last = moment::in_words(person.attribution.last_login_at.seconds());
        let mut lines = vec![
            format!("person         {user}"),
            format!("e-mail domain  {}", email_domain.as_deref().unwrap_or("none")),
            format!("organization   {}", organization_in_words(organization.as_ref(), *lack)),
            format!("first sign-in  {first}"),
            format!("last sign-in   {last}"),
            format!("provider       {}", person.upstream_issuer),
        ];
        if self.personal {
            let name = self.people.profile(&person.profile_sealed).and_then(|it| it.name);
            lines.push(format!("subject there  {}", person.upstream_subject));
            lines.push(format!("e-mail         {}", self.email(person)));
            lines.push(format!("name           {}", name.as_deref().unwrap_or("none")));
        }
        for past in history {
            let (organization, lack) = match &past.organization {
                Ok(organization) => (Some(organization), None),
                Err(lack) => (None, Some(*lack)),
            };
            let ended = past
                .ended_at
                .map_or_else(|| "now".to_owned(), |ended_at| moment::in_words(ended_at.seconds()));
            lines.push(format!(
                "member of      {}, from {} to {ended}",
                organization_in_words(organization, lack),
                moment::in_words(past.began_at.seconds()),
            ));
        }
        lines
    }

    /// The address, or what there is to say instead.
    fn email(self, person: &StoredPerson) -> String {
        match self.people.profile(&person.profile_sealed) {
            Some(profile) => profile.email.unwrap_or_else(|| "no address".into()),
            None => "cannot be opened by this secret".into(),
        }
    }

    fn as_json(self, person: &StoredPerson) -> Value {
        let Attribution { user, email_domain, organization, lack, .. } = &person.attribution;
        let mut value = json!({
            "id": user.to_string(),
            "email_domain": email_domain,
            "organization": organization.as_ref().map(organization_json),
            "no_organization": lack.map(Lack::name),
            "first_login_at": person.attribution.first_login_at.seconds(),
            "last_login_at": person.attribution.last_login_at.seconds(),
            "upstream_issuer": person.upstream_issuer,
        });
        if self.personal {
            let profile = self.people.profile(&person.profile_sealed).unwrap_or_default();
            value["upstream_subject"] = json!(person.upstream_subject);
            value["email"] = json!(profile.email);
            value["email_verified"] = json!(profile.email_verified);
            value["name"] = json!(profile.name);
        }
        value
    }
}

fn organization_in_words(organization: Option<&KnownOrganization>, lack: Option<Lack>) -> String {
    match (organization, lack) {
        (Some(it), _) => {
            format!("{} ({}, {} confidence)", it.name, it.source.name(), it.confidence.name())
        }
        (None, Some(lack)) => format!("no organization ({})", lack.name()),
        (None, None) => "not looked at yet".to_owned(),
    }
}

fn organization_json(organization: &KnownOrganization) -> Value {
    json!({
        "id": organization.id.to_string(),
        "key": organization.key,
        "name": organization.name,
        "domain": organization.domain,
        "source": organization.source.name(),
        "confidence": organization.confidence.name(),
        "since": organization.since.seconds(),
    })
}

fn membership_json(past: &PastMembership) -> Value {
    json!({
        "organization": past.organization.as_ref().ok().map(organization_json),
        "no_organization": past.organization.as_ref().err().map(|lack| lack.name()),
        "began_at": past.began_at.seconds(),
        "ended_at": past.ended_at.map(Timestamp::seconds),
    })
}

fn user_id(text: &str) -> Result<UserId, CommandError> {
    UserId::parse(text).ok_or_else(|| CommandError::new("users: that is no identifier of ours"))
}

fn from_standard_input() -> Result<String, CommandError> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| CommandError::new(format!("users: standard input: {error}")))?;
    Ok(text.trim().to_owned())
}

fn fault(error: StoreError) -> CommandError {
    CommandError::new(format!("users: {}", chain(&error)))
}
