//! The conversations: one file per exchange, its steps numbered in the head.
//!
//! A flow reads what it needs, talks to the network with no transaction open, writes once, and
//! answers; nothing fallible happens after the commit. An expected "no" is a value of the answer,
//! a [`Fault`] is an error, and the two never change places.
//!
//! Never here: SQL, words of HTTP, HTML text. [`wire`] and its like alone name the `api`.

use std::fmt;
use std::sync::Arc;

pub mod access_jwt;
pub mod account;
pub mod admin_access;
pub mod admin_acts;
pub mod admin_login;
pub mod admit;
pub mod attempts;
pub mod authorize;
pub mod browser;
pub mod browser_login;
pub mod browser_session;
pub mod callback;
pub mod consent;
pub mod counting;
pub mod enforcement;
pub mod exchange_code;
pub mod granting;
pub mod introduce;
pub mod key_rotation;
pub mod keyring;
pub mod limits;
pub mod logout;
pub mod own_data;
pub mod refresh;
pub mod register;
pub mod revoke;
pub mod sign_in_events;
pub mod stopping;
pub mod token;
pub mod wire;
pub mod wire_account;
pub mod wire_admin;
pub mod wire_admin_attempt_page;
pub mod wire_admin_attempts;
pub mod wire_admin_audit;
pub mod wire_admin_counts;
pub mod wire_admin_entry;
pub mod wire_admin_overview;
pub mod wire_admin_pages;
pub mod wire_admin_people;
pub mod wire_admin_query;
pub mod wire_admin_reads;
pub mod wire_admin_rights;
pub mod wire_admin_tables;
pub mod wire_admin_views;
pub mod wire_codes;
pub mod wire_health;
pub mod wire_own_data;
pub mod wire_pages;
pub mod wire_reference;
pub mod wire_sign_in;
pub mod wire_token;

use crate::attribution::people::People;
use crate::attribution::sinks::Sinks;
use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::feedback::FeedbackConfig;
use crate::config::remote::{RemoteConfig, ToldOfPerson};
use crate::config::sink::SinkConfig;
use crate::config::{Config, UpstreamConfig};
use crate::domain::administrators::Administrators;
use crate::domain::organization::rules::Rules;
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;
use crate::flow::admit::Standings;
use crate::flow::attempts::Attempts;
use crate::flow::counting::{Rotations, UnusedGrants};
use crate::flow::enforcement::Enforcement;
use crate::flow::keyring::Keyring;
use crate::flow::limits::Limits;
use crate::flow::stopping::Stopping;
use crate::keys::KeyError;
use crate::metrics::Metrics;
use crate::page::Frame;
use crate::page::brand::Brand;
use crate::page::front_door::SignIn;
use crate::page::kept::{FeedbackReceiver, KeptContext, SenderTold, SinkTold, Supplier};
use crate::secret::Entropy;
use crate::store::sweep::CLIENT_UNUSED_KEPT;
use crate::store::{Store, StoreError};
use crate::upstream::{Upstream, UpstreamError};

/// Something broke. Never a protocol answer by itself.
#[derive(Debug)]
pub enum Fault {
    /// The database.
    Store(StoreError),
    /// The identity provider.
    Upstream(UpstreamError),
    /// A key that cannot be read, or cannot be made.
    Key(KeyError),
    /// The key that the setting `signing_key` gives.
    GivenKey(KeyError),
    /// No identity provider is configured.
    NoUpstream,
    /// This process was held up so long that its view of the time decides nothing any more.
    Delayed,
}

impl Fault {
    /// Whether trying later may help, or something is wrong for good.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_passing(),
            Self::Upstream(_) | Self::NoUpstream | Self::Delayed => true,
            Self::Key(_) | Self::GivenKey(_) => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store(_) => "the store failed",
            Self::Upstream(_) => "the identity provider failed",
            Self::Key(_) => "a signing key failed",
            Self::GivenKey(_) => "signing_key: it cannot be used with this signing_alg",
            Self::NoUpstream => "no identity provider is configured",
            Self::Delayed => "the request was held up for too long",
        })
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Upstream(error) => Some(error),
            Self::Key(error) | Self::GivenKey(error) => Some(error),
            Self::NoUpstream | Self::Delayed => None,
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<UpstreamError> for Fault {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// What every flow works with.
pub struct Gatehouse {
    /// The checked configuration.
    pub config: Config,
    /// The one protected resource.
    pub resource: Resource,
    /// What is granted to a client that names no documentation scope.
    pub default_scope: ScopeSet,
    /// The database.
    pub store: Store,
    /// The identity provider, if one is configured.
    pub upstream: Option<Upstream>,
    /// Who is asking.
    pub clients: Clients,
    /// The signing keys.
    pub keyring: Keyring,
    /// How grants stand, remembered for moments.
    pub standings: Standings,
    /// How often who may ask.
    pub limits: Limits,
    /// Who of those without a token is asked to sign in.
    pub enforcement: Enforcement,
    /// Who belongs to which organization.
    pub organizations: Rules,
    /// Who is told of what happens to people.
    pub sinks: Arc<Sinks>,
    /// Who administers.
    pub administrators: Administrators,
    /// How the pages look; shared with the built-in provider's.
    pub brand: Arc<Brand>,
    /// Whether this replica was told to stop.
    pub stopping: Stopping,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Which grants have not been used yet.
    pub unused_grants: UnusedGrants,
    /// What is told of attempts to sign in.
    pub attempts: Attempts,
    /// Where refresh tokens were rotated from.
    pub rotations: Rotations,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Gatehouse {
    /// What is written of people, and how.
    pub fn people(&self) -> People<'_> {
        People { secret: &self.config.secret, rules: &self.organizations, entropy: &*self.entropy }
    }

    /// What the pages call the identity provider.
    pub fn upstream_name(&self) -> &str {
        match (&self.config.upstream_name, &self.config.upstream) {
            (Some(name), _) => name,
            (None, UpstreamConfig::Dev) => "the development provider",
            (None, UpstreamConfig::None | UpstreamConfig::Provider(_)) => "your account",
        }
    }

    /// Whether people can sign in, as far as is known without asking the provider.
    pub fn sign_in(&self) -> SignIn<'_> {
        match self.upstream.as_ref().map(Upstream::last_answer) {
            None => SignIn::NotSetUp,
            Some(Some(false)) => SignIn::Disturbed(self.upstream_name()),
            Some(Some(true) | None) => SignIn::With(self.upstream_name()),
        }
    }

    /// What is kept of people here.
    pub fn kept(&self) -> KeptContext<'_> {
        KeptContext {
            upstream_name: self.upstream_name(),
            refresh_token_ttl: self.config.refresh_token_ttl,
            client_unused_kept: CLIENT_UNUSED_KEPT,
            usage_kept: self.config.usage.kept,
            usage_totals_kept: self.config.usage.totals_kept,
            queries_kept: self.config.usage.keep_queries.then_some(self.config.usage.queries_kept),
            context_kept: self.config.usage.ask_context.then_some(self.config.usage.context_kept),
            feedback_receiver: self.config.feedback.as_ref().map(feedback_receiver),
            suppliers: self.config.remotes.iter().map(supplier).collect(),
            sinks: self.config.sinks.iter().map(sink_told).collect(),
            inactive_people_kept: self.config.kept.inactive_people,
        }
    }

    /// What every page shows.
    pub fn frame(&self) -> Frame<'_> {
        Frame { product: &self.config.docs_product, brand: &self.brand }
    }
}

fn feedback_receiver(feedback: &FeedbackConfig) -> FeedbackReceiver<'_> {
    let told = match (feedback.tells_address(), feedback.tells_domain()) {
        (true, _) => SenderTold::Address,
        (false, true) => SenderTold::Domain,
        (false, false) => SenderTold::Nothing,
    };
    FeedbackReceiver { host: feedback.host(), told }
}

fn sink_told(sink: &SinkConfig) -> SinkTold<'_> {
    SinkTold {
        name: &sink.name,
        host: sink.host(),
        fields: wire_own_data::fields_in_words(sink),
        events: wire_own_data::events_in_words(sink),
        purpose: &sink.purpose,
        is_required: sink.is_required,
    }
}

fn supplier(remote: &RemoteConfig) -> Supplier<'_> {
    let knows_person = remote.told_of_person != ToldOfPerson::Nothing;
    Supplier { name: &remote.name, knows_person }
}

/// The whole chain of causes of an error, for the log.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
