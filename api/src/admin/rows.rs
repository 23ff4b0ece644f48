//! What the admin API tells of each thing. Points in time are RFC 3339 in UTC, with milliseconds.

use poem_openapi::Object;

use crate::admin::answer::Row;
use crate::admin::rights::{Disclosure, Objection};

/// Who asks.
#[derive(Clone, Debug, Object)]
pub struct Me {
    /// `person:` and their identifier, or `token:` and its name; what the log says.
    pub who: String,
    /// `read` or `write`.
    pub scope: String,
    /// In a session: what `X-Form-Token` must carry when something is changed.
    #[oai(skip_serializing_if_is_none)]
    pub form: Option<String>,
}

/// A program that may ask for access.
#[derive(Clone, Debug, Object)]
pub struct Client {
    /// Its row.
    pub id: String,
    /// What it presents.
    pub client_id: String,
    /// What it calls itself; nobody has checked it.
    #[oai(skip_serializing_if_is_none)]
    pub name: Option<String>,
    /// `registered`, or `document` when it is known by a metadata document.
    pub kind: String,
    /// Where it is answered.
    pub redirect_uris: Vec<String>,
    /// When it was first seen.
    pub created_at: String,
    /// When somebody last signed in with it, to the hour.
    pub last_used_at: String,
    /// Its grants that nobody revoked.
    pub grants: i64,
}

/// A person's sign-in with a program.
#[derive(Clone, Debug, Object)]
pub struct Grant {
    /// Its row; `gid` of access tokens.
    pub id: String,
    /// The person; `sub` of access tokens.
    pub person: String,
    /// The program.
    pub client_id: String,
    /// What it calls itself.
    #[oai(skip_serializing_if_is_none)]
    pub client_name: Option<String>,
    /// What was agreed to, separated by spaces.
    pub scope: String,
    /// Whether it still works.
    pub active: bool,
    /// When it was made.
    pub created_at: String,
    /// When it was last given a refresh token.
    pub last_used_at: String,
    /// Its absolute end.
    #[oai(skip_serializing_if_is_none)]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[oai(skip_serializing_if_is_none)]
    pub revoked_at: Option<String>,
    /// Why.
    #[oai(skip_serializing_if_is_none)]
    pub revoked_reason: Option<String>,
}

/// A person.
#[derive(Clone, Debug, Object)]
pub struct Person {
    /// Stable and opaque; `sub` of access tokens.
    pub id: String,
    /// The key of their organization.
    #[oai(skip_serializing_if_is_none)]
    pub organization: Option<String>,
    /// What it is called.
    #[oai(skip_serializing_if_is_none)]
    pub organization_name: Option<String>,
    /// What it is known by: `provider` or `email_domain`.
    #[oai(skip_serializing_if_is_none)]
    pub source: Option<String>,
    /// How surely: `low`, `medium` or `high`.
    #[oai(skip_serializing_if_is_none)]
    pub confidence: Option<String>,
    /// Why there is none: `free_mail`, `disposable` or `unknown`.
    #[oai(skip_serializing_if_is_none)]
    pub no_organization: Option<String>,
    /// The domain of their address.
    #[oai(skip_serializing_if_is_none)]
    pub email_domain: Option<String>,
    /// When they first signed in.
    pub first_login_at: String,
    /// When they last signed in.
    pub last_login_at: String,
    /// Their address; with `include=email` only.
    #[oai(skip_serializing_if_is_none)]
    pub email: Option<String>,
    /// Their name; with `include=email` only.
    #[oai(skip_serializing_if_is_none)]
    pub name: Option<String>,
}

/// A time that somebody belonged to an organization, or to none.
#[derive(Clone, Debug, Object)]
pub struct Membership {
    /// Its key.
    #[oai(skip_serializing_if_is_none)]
    pub organization: Option<String>,
    /// What it is called.
    #[oai(skip_serializing_if_is_none)]
    pub organization_name: Option<String>,
    /// Why there is none.
    #[oai(skip_serializing_if_is_none)]
    pub no_organization: Option<String>,
    /// When it began.
    pub began_at: String,
    /// When it ended; the one that holds has not.
    #[oai(skip_serializing_if_is_none)]
    pub ended_at: Option<String>,
}

/// A person with what belongs to them.
#[derive(Clone, Debug, Object)]
pub struct PersonInFull {
    /// The person.
    pub person: Person,
    /// Where they belonged, the newest first.
    pub memberships: Vec<Membership>,
    /// Their newest grants, at most 100.
    pub grants: Vec<Grant>,
    /// Who was told what of them, the newest first.
    pub disclosures: Vec<Disclosure>,
    /// The sinks that they object to.
    pub objections: Vec<Objection>,
}

/// An organization that people belong to.
#[derive(Clone, Debug, Object)]
pub struct Organization {
    /// Its row.
    pub id: String,
    /// What it is over all sign-ins.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// Its domain.
    #[oai(skip_serializing_if_is_none)]
    pub domain: Option<String>,
    /// Who belongs to it now.
    pub people: i64,
    /// When somebody of it first signed in.
    pub created_at: String,
}

/// A message of a person about the documentation.
#[derive(Clone, Debug, Object)]
pub struct Feedback {
    /// Its row, and the receipt its sender got.
    pub id: String,
    /// When it came.
    pub created_at: String,
    /// What it is about.
    pub category: String,
    /// Which page it is about.
    #[oai(skip_serializing_if_is_none)]
    pub page_url: Option<String>,
    /// Whether that page lies outside the documentation.
    #[oai(skip_serializing_if_is_none)]
    pub page_is_foreign: Option<bool>,
    /// Who sent it.
    pub person: String,
    /// With which client.
    pub client_id: String,
    /// `stored`, `waiting`, `delivered` or `failed`.
    pub delivery: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What kind of failure the last one was.
    #[oai(skip_serializing_if_is_none)]
    pub last_failure: Option<String>,
    /// Their words; with `include=text` only.
    #[oai(skip_serializing_if_is_none)]
    pub text: Option<String>,
}

/// Somebody who is handed what happens here.
#[derive(Clone, Debug, Object)]
pub struct Sink {
    /// Our name for it: `feedback`, or `sink:` and its name in the settings.
    pub name: String,
    /// Whether the settings name it; otherwise something is left of it.
    pub configured: bool,
    /// The host it goes to.
    #[oai(skip_serializing_if_is_none)]
    pub host: Option<String>,
    /// Why, as the settings say.
    #[oai(skip_serializing_if_is_none)]
    pub purpose: Option<String>,
    /// The events that it is told of.
    pub events: Vec<String>,
    /// What it is told of them.
    pub fields: Vec<String>,
    /// What waits for it.
    pub waiting: i64,
    /// What it has, as far as that is remembered.
    pub delivered: i64,
    /// What was given up.
    pub failed: i64,
    /// Since when the longest waiting waits.
    #[oai(skip_serializing_if_is_none)]
    pub waiting_since: Option<String>,
    /// When it last took something.
    #[oai(skip_serializing_if_is_none)]
    pub last_delivered_at: Option<String>,
}

/// Something on its way to somebody.
#[derive(Clone, Debug, Object)]
pub struct Delivery {
    /// Its row.
    pub id: String,
    /// Whom it goes to.
    pub sink: String,
    /// What sort of thing it tells.
    pub kind: String,
    /// Whom it is about.
    #[oai(skip_serializing_if_is_none)]
    pub person: Option<String>,
    /// When it was queued first.
    pub created_at: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    #[oai(skip_serializing_if_is_none)]
    pub next_attempt_at: Option<String>,
    /// What kind of failure the last one was.
    #[oai(skip_serializing_if_is_none)]
    pub last_failure: Option<String>,
}

/// A row of the audit log.
#[derive(Clone, Debug, Object)]
pub struct Audit {
    /// Its identifier.
    pub id: String,
    /// When it happened.
    pub at: String,
    /// What happened, in one of the words that `kind` takes.
    pub kind: String,
    /// `person:` and their identifier, `token:` and its name, `client`, `command` or `server`. A
    /// `person` alone was erased, or it was not known yet who they are.
    pub who: String,
    /// Whom it is about; nobody any more when they were erased.
    #[oai(skip_serializing_if_is_none)]
    pub person: Option<String>,
    /// Which program it is about.
    #[oai(skip_serializing_if_is_none)]
    pub client_id: Option<String>,
    /// Which grant it is about.
    #[oai(skip_serializing_if_is_none)]
    pub grant: Option<String>,
    /// Why or how, in a word; of a receiver or a token its name.
    #[oai(skip_serializing_if_is_none)]
    pub reason: Option<String>,
    /// In which sign-in attempt.
    #[oai(skip_serializing_if_is_none)]
    pub reference: Option<String>,
}

/// What happened on a day, in UTC.
#[derive(Clone, Debug, Object)]
pub struct Activity {
    /// The day, `2027-01-15`.
    pub day: String,
    /// Programs that were first seen.
    pub clients: i64,
    /// People who first signed in.
    pub people: i64,
    /// Grants that were made. Those that ended are deleted after a while, and are not among them.
    pub grants: i64,
}

/// Calls of tools, added up by one thing.
#[derive(Clone, Debug, Object)]
pub struct Usage {
    /// What they are added up by: an organization's key, a product, a day and so on; empty where it
    /// is not known.
    pub key: String,
    /// Calls.
    pub calls: i64,
    /// Different people, on the days for which they are known one by one.
    #[oai(skip_serializing_if_is_none)]
    pub people: Option<i64>,
    /// Half of the calls took no longer, in milliseconds.
    #[oai(skip_serializing_if_is_none)]
    pub p50_ms: Option<u64>,
    /// 95 of 100 calls took no longer, in milliseconds.
    #[oai(skip_serializing_if_is_none)]
    pub p95_ms: Option<u64>,
}

/// What people looked for and did not find.
#[derive(Clone, Debug, Object)]
pub struct Gap {
    /// The words that it is about.
    pub topic: String,
    /// The keys of the organizations that it hurt.
    pub organizations: Vec<String>,
    /// Searches.
    pub searches: u64,
    /// Of these, with no result.
    pub empty: u64,
    /// Of these, with a weak best result.
    pub weak: u64,
    /// Of these, asked again in other words.
    pub reformulated: u64,
    /// The last day, in UTC.
    pub last_day: String,
    /// What was searched for, a few; with `include=text` only.
    #[oai(skip_serializing_if_is_none)]
    pub queries: Option<Vec<String>>,
    /// What people wanted, a few; with `include=text` only.
    #[oai(skip_serializing_if_is_none)]
    pub contexts: Option<Vec<String>>,
}

macro_rules! rows {
    ($($ty:ident, $name:literal: $($column:literal)+;)+) => {$(
        impl Row for $ty {
            const NAME: &'static str = $name;
            const COLUMNS: &'static [&'static str] = &[$($column),+];
        }
    )+};
}

rows! {
    Client, "clients": "id" "client_id" "name" "kind" "redirect_uris" "created_at" "last_used_at"
        "grants";
    Grant, "grants": "id" "person" "client_id" "client_name" "scope" "active" "created_at"
        "last_used_at" "expires_at" "revoked_at" "revoked_reason";
    Person, "people": "id" "organization" "organization_name" "source" "confidence"
        "no_organization" "email_domain" "first_login_at" "last_login_at" "email" "name";
    Organization, "organizations": "id" "key" "name" "domain" "people" "created_at";
    Feedback, "feedback": "id" "created_at" "category" "page_url" "page_is_foreign" "person"
        "client_id" "delivery" "attempts" "last_failure" "text";
    Sink, "sinks": "name" "configured" "host" "purpose" "events" "fields" "waiting" "delivered"
        "failed" "waiting_since" "last_delivered_at";
    Delivery, "deliveries": "id" "sink" "kind" "person" "created_at" "state" "attempts"
        "next_attempt_at" "last_failure";
    Audit, "audit": "id" "at" "kind" "who" "person" "client_id" "grant" "reason" "reference";
    Activity, "activity": "day" "clients" "people" "grants";
    Usage, "usage": "key" "calls" "people" "p50_ms" "p95_ms";
    Gap, "gaps": "topic" "organizations" "searches" "empty" "weak" "reformulated" "last_day"
        "queries" "contexts";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use poem_openapi::registry::Registry;
    use poem_openapi::types::Type;

    use super::*;

    fn columns_are_the_fields_of<T: Row + Type>() {
        let mut registry = Registry::new();
        T::register(&mut registry);
        let schema = &registry.schemas[&T::name().into_owned()];
        let fields: BTreeSet<_> = schema.properties.iter().map(|(name, _)| *name).collect();
        let columns: BTreeSet<_> = T::COLUMNS.iter().copied().collect();
        assert_eq!(columns, fields, "{}", T::NAME);
    }

    #[test]
    fn a_list_as_csv_lacks_nothing_of_the_same_as_json() {
        columns_are_the_fields_of::<Client>();
        columns_are_the_fields_of::<Grant>();
        columns_are_the_fields_of::<Person>();
        columns_are_the_fields_of::<Organization>();
        columns_are_the_fields_of::<Feedback>();
        columns_are_the_fields_of::<Sink>();
        columns_are_the_fields_of::<Delivery>();
        columns_are_the_fields_of::<Audit>();
        columns_are_the_fields_of::<Activity>();
        columns_are_the_fields_of::<Usage>();
        columns_are_the_fields_of::<Gap>();
    }
}
