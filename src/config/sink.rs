//! Where events about people go: `[[sink]]` in the file.
//!
//! A sink gets the events and the fields that its lists name, and nothing else; what it is for is
//! said to people on the pages. Its secret stands in the environment, and only the variable's name
//! in the file.

use std::collections::BTreeSet;

use url::Url;

use crate::config::feedback::webhook_secrets;
use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::sink_words::{SinkEvent, SinkField};
use crate::config::tables::Table;
use crate::config::values;

/// The most characters of a purpose.
const PURPOSE_CHARS_MAX: usize = 200;

/// How a letter to a sink is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkShape {
    /// Type, key and time, and the fields under `data`.
    Envelope,
    /// The flat object that the team's CRM takes on a person's first sign-in.
    Crm,
}

/// A sink.
#[derive(Clone)]
pub struct SinkConfig {
    /// What it is called, here and on pages.
    pub name: String,
    /// Where letters go. It may hold a key, so only its host is shown.
    pub url: Url,
    /// Decoded secrets; each signs.
    pub secrets: Vec<Vec<u8>>,
    /// What it is told of.
    pub events: Vec<SinkEvent>,
    /// What it is told.
    pub fields: Vec<SinkField>,
    /// How a letter is written.
    pub shape: SinkShape,
    /// Why, in a sentence that people are shown.
    pub purpose: String,
    /// Whether nobody can object to it.
    pub is_required: bool,
}

impl SinkConfig {
    /// The host it goes to, for people.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Its name in the outbox and in the ledger.
    pub fn destination(&self) -> String {
        format!("{SINK_PREFIX}{}", self.name)
    }
}

/// What stands before the name of a sink in the outbox and in the ledger.
pub const SINK_PREFIX: &str = "sink:";

/// Reads all of them.
pub fn sinks(layers: &Layers, given: &Given) -> Result<Vec<SinkConfig>, ConfigError> {
    let mut names = BTreeSet::new();
    let read = |table: &Table| sink(table.clone(), given, &mut names);
    layers.tables("sink").iter().map(read).collect()
}

fn sink(
    mut table: Table,
    given: &Given,
    names: &mut BTreeSet<String>,
) -> Result<SinkConfig, ConfigError> {
    let name = table.read("name", name)?;
    if !names.insert(name.clone()) {
        return Err(table.error("name", format!("{name:?} is the name of another one")));
    }
    // It may hold a key, so no message repeats it.
    let url = table
        .read("url", |text| values::address(text).map_err(|message| message.replace(text, "…")))?;
    let secrets = secrets(&mut table, given)?;
    let purpose = table.read("purpose", purpose)?;
    let is_required = table.switch("required")?.unwrap_or(false);
    let shape = table.read_or("preset", "none", shape)?;
    let (events, fields) = match shape {
        SinkShape::Envelope => lists(&mut table)?,
        SinkShape::Crm => (vec![SinkEvent::FirstSignIn], crm_fields(&table)?),
    };
    if table.read_or("person", "by_fields", person)? == PersonRule::Pseudonymous
        && let Some(field) = fields.iter().find(|field| field.is_personal())
    {
        let message = format!("{} says who somebody is; it cannot be pseudonymous", field.name());
        return Err(table.error("person", message));
    }
    table.finish()?;
    Ok(SinkConfig { name, url, secrets, events, fields, shape, purpose, is_required })
}

fn lists(table: &mut Table) -> Result<(Vec<SinkEvent>, Vec<SinkField>), ConfigError> {
    let events = words(table, "events", SinkEvent::named, &SinkEvent::ALL.map(SinkEvent::name))?;
    let fields = words(table, "fields", SinkField::named, &SinkField::ALL.map(SinkField::name))?;
    if events.iter().all(|event| event.is_farewell()) {
        let message = "these events are about people it was told of before: name others as well";
        return Err(table.error("events", message));
    }
    let is_carried = |field: &&SinkField| events.iter().any(|event| field.is_of(*event));
    if let Some(field) = fields.iter().find(|field| !is_carried(field)) {
        let message = format!("none of its events carries {}", field.name());
        return Err(table.error("fields", message));
    }
    Ok((events, fields))
}

/// Reads a list of known words that is not empty; in the order of `known`, each once.
fn words<T: Copy + Ord>(
    table: &mut Table,
    key: &str,
    named: impl Fn(&str) -> Option<T>,
    known: &[&str],
) -> Result<Vec<T>, ConfigError> {
    let mut read = BTreeSet::new();
    for word in table.texts(key)? {
        let found = named(&word)
            .ok_or_else(|| table.error(key, format!("{word:?} is none of {}", known.join(", "))))?;
        if !read.insert(found) {
            return Err(table.error(key, format!("{word:?} is named twice")));
        }
    }
    if read.is_empty() {
        return Err(table.error(key, format!("it is missing; name some of {}", known.join(", "))));
    }
    Ok(read.into_iter().collect())
}

fn crm_fields(table: &Table) -> Result<Vec<SinkField>, ConfigError> {
    let keys = table.keys();
    if let Some(key) = keys.iter().find(|key| matches!(key.as_str(), "events" | "fields")) {
        return Err(table.error(key, "the preset says what is sent; one of the two must go"));
    }
    Ok(vec![
        SinkField::Email,
        SinkField::EmailVerified,
        SinkField::Domain,
        SinkField::UpstreamSubject,
        SinkField::Source,
        SinkField::Time,
    ])
}

fn secrets(table: &mut Table, given: &Given) -> Result<Vec<Vec<u8>>, ConfigError> {
    let variable = table.required("secret_env")?;
    let complain = |message: String| table.error("secret_env", message);
    if variable.starts_with("GATEHOUSE_") {
        return Err(complain("names that begin with GATEHOUSE_ are those of settings".into()));
    }
    let found = given.environment.iter().find(|(name, _)| *name == variable);
    let text = found.map(|(_, text)| text.as_str()).filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| complain(format!("the environment has no {variable}")))?;
    webhook_secrets(text).map_err(|message| complain(format!("{variable}: {message}")))
}

fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=40).contains(&text.len()) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err("it must have 1 to 40 letters, digits, dots, underscores or hyphens".into())
    }
}

fn purpose(text: &str) -> Result<String, String> {
    if text.chars().count() > PURPOSE_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(format!("it must be one line of at most {PURPOSE_CHARS_MAX} characters"));
    }
    // A sentence of ours goes on after it.
    Ok(text.trim_end_matches('.').to_owned())
}

fn shape(text: &str) -> Result<SinkShape, String> {
    match text {
        "none" => Ok(SinkShape::Envelope),
        "crm" => Ok(SinkShape::Crm),
        _ => Err(format!("{text:?} is none of none, crm")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PersonRule {
    /// The list of fields decides.
    ByFields,
    /// No field may say who somebody is.
    Pseudonymous,
}

fn person(text: &str) -> Result<PersonRule, String> {
    match text {
        "by_fields" => Ok(PersonRule::ByFields),
        "pseudonymous" => Ok(PersonRule::Pseudonymous),
        _ => Err(format!("{text:?} is none of by_fields, pseudonymous")),
    }
}

#[cfg(test)]
mod tests;
