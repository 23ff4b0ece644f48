//! What has happened to somebody, before it is known who is told of it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::calendar::rfc3339;
use crate::clock::Timestamp;
use crate::config::sink_words::{SinkEvent, SinkField};
use crate::domain::access_token::Profile;
use crate::domain::email_domain;
use crate::domain::organization::KnownOrganization;
use crate::id::UserId;
use crate::store::sink_people::HeldPerson;

/// Something that happened to a person.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What.
    pub event: SinkEvent,
    /// To whom.
    pub user_id: UserId,
    /// What makes it this one, over every attempt to write it down: the identifier of its row.
    pub occasion: Uuid,
    /// The `client_id` of the program, if it was one.
    pub client_id: Option<String>,
    /// The product it belongs to, where it is known.
    pub client_product: Option<String>,
    /// What else belongs to it.
    pub detail: Detail,
    /// When.
    pub at: Timestamp,
}

/// What belongs to one event only.
#[derive(Clone, Debug)]
pub enum Detail {
    /// Nothing.
    Nothing,
    /// Of a sign-in: where it led.
    SignIn(SignInTo),
    /// Of a call.
    Tool {
        /// The tool's name.
        tool: String,
        /// How it ended, in one word.
        outcome: String,
    },
    /// Of a feedback.
    Feedback {
        /// The person's words, scrubbed.
        text: String,
        /// Its category.
        category: String,
        /// The page it is about, without secrets.
        page_url: Option<String>,
    },
}

/// Where a sign-in led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInTo {
    /// A program got a code.
    Program,
    /// A browser got a session.
    Browser,
}

/// A person whose profile is open.
pub struct KnownPerson {
    /// Their row.
    pub held: HeldPerson,
    /// What the provider told us of them.
    pub profile: Profile,
    /// The organization they belong to, where one is known.
    pub organization: Option<KnownOrganization>,
}

impl Happening {
    /// What a field says of it; nothing where that is not known.
    pub fn value(&self, field: SinkField, person: &KnownPerson, pseudonym: Uuid) -> Option<Value> {
        let KnownPerson { held, profile, organization } = person;
        let domain = || profile.email.as_deref().and_then(email_domain::of_address);
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        match field {
            SinkField::Id => Some(json!(pseudonym.to_string())),
            SinkField::Sub => Some(json!(held.id.to_string())),
            SinkField::Email => text(&profile.email),
            SinkField::EmailVerified => profile.email_verified.map(|verified| json!(verified)),
            SinkField::Name => text(&profile.name),
            SinkField::Domain => text(&domain()),
            SinkField::Organization => organization.as_ref().map(|it| json!(it.name)),
            SinkField::OrganizationSource => {
                organization.as_ref().map(|it| json!(it.source.name()))
            }
            SinkField::UpstreamIssuer => Some(json!(held.upstream_issuer)),
            SinkField::UpstreamSubject => Some(json!(held.upstream_subject)),
            SinkField::Client => text(&self.client_id),
            SinkField::ClientProduct => text(&self.client_product),
            SinkField::Time => Some(json!(rfc3339(self.at))),
            SinkField::Tool
            | SinkField::Outcome
            | SinkField::Feedback
            | SinkField::Category
            | SinkField::PageUrl
            | SinkField::Source => self.detail.value(field),
        }
    }
}

impl Detail {
    fn value(&self, field: SinkField) -> Option<Value> {
        match (self, field) {
            (Self::SignIn(SignInTo::Program), SinkField::Source) => Some(json!("mcp")),
            (Self::SignIn(SignInTo::Browser), SinkField::Source) => Some(json!("browser")),
            (Self::Tool { tool, .. }, SinkField::Tool) => Some(json!(tool)),
            (Self::Tool { outcome, .. }, SinkField::Outcome) => Some(json!(outcome)),
            (Self::Feedback { text, .. }, SinkField::Feedback) => Some(json!(text)),
            (Self::Feedback { category, .. }, SinkField::Category) => Some(json!(category)),
            (Self::Feedback { page_url, .. }, SinkField::PageUrl) => {
                page_url.as_ref().map(|url| json!(url))
            }
            _ => None,
        }
    }
}
