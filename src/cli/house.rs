//! Putting the house together: every room from a checked configuration.

use std::fmt;
use std::future::Future;
use std::hash::RandomState;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::attribution::delivery::Delivery;
use crate::attribution::remote_ledger::RemoteLedger;
use crate::attribution::usage::recorder::UsageRecorder;
use crate::cli::counting;
use crate::cli::deliveries::{self, stored_feedback};
use crate::cli::enforcement::offered;
use crate::cli::preconditions::{administrators, check_custom_schemes, check_secret, rules};
use crate::cli::provider::{outbound, upstream_of};
use crate::clients::Clients;
use crate::clients::metadata_document::Documents;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::brand::{self as config_brand, BrandConfig};
use crate::docs::error::DocsError;
use crate::docs::library::{Library, Settings as DocsSettings};
use crate::domain::administrators::BadEntry;
use crate::domain::metadata_document::{DocumentHosts, Publishers};
use crate::domain::organization::rules::RuleError;
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;
use crate::flow::admit::Standings;
use crate::flow::attempts::Attempts;
use crate::flow::browser_login::ACCOUNT_PATH;
use crate::flow::counting::{Rotations, UnusedGrants};
use crate::flow::enforcement::Enforcement;
use crate::flow::enforcement::reading::{PolicyError, policy_of};
use crate::flow::keyring::Keyring;
use crate::flow::limits::Limits;
use crate::flow::stopping::Stopping;
use crate::flow::wire::Wire;
use crate::flow::{Fault, Gatehouse};
use crate::http::cors::Cors;
use crate::http::mcp_door::{Hosts, McpDoor};
use crate::http::serve::{Endpoints, Sockets, serve};
use crate::http_client::NoHttpClient;
use crate::mcp::account::Keeping;
use crate::mcp::server::{Furniture, McpServer, Settings as McpSettings};
use crate::page::brand::{Brand, Chosen, Picture};
use crate::reference::error::ReferenceError;
use crate::reference::library::{Reference, Settings as ReferenceSettings};
use crate::reference::sources::{OwnDocument, Source};
use crate::remote::{Remotes, Witness};
use crate::secret::Entropy;
use crate::store::Store;
use crate::upstream::outbound::OutboundError;

/// What tools call the API of this program, when no other is configured.
const OWN_API: &str = "gatehouse";

/// How long a stop waits until what was counted last is shared: a database that is away must not
/// hold it up.
const LAST_SETTLEMENT_MAX: Duration = Duration::from_secs(2);

/// How long a stop waits for receivers that are being talked to. Whatever they answer after that
/// is not heard, and they are asked again with the same idempotency key.
const LAST_DELIVERY_MAX: Duration = Duration::from_secs(3);

/// How long a stop waits for a database that does not take the last usage.
const LAST_USAGE_MAX: Duration = Duration::from_secs(5);

/// Why the house could not be put together.
#[derive(Debug)]
pub enum HouseError {
    /// The store, a key or the provider.
    Fault(Fault),
    /// The corpus.
    Docs(DocsError),
    /// The outbound HTTP client.
    Outbound(OutboundError),
    /// The client that fetches metadata documents.
    Documents(NoHttpClient),
    /// A client that delivers feedback or events.
    Delivery(NoHttpClient),
    /// The database was sealed under another secret.
    OtherSecret,
    /// The clients and tools that must sign in.
    Policy(PolicyError),
    /// Who belongs to which organization is not said as it can be meant.
    Organizations(RuleError),
    /// Who administers is not said as it can be meant.
    Administrators(BadEntry),
    /// A redirect URI that needs no listing, or cannot be allowed.
    CustomScheme,
}

impl fmt::Display for HouseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "{}", crate::flow::chain(fault)),
            Self::Docs(error) => write!(f, "docs_path: {}", crate::flow::chain(error)),
            Self::CustomScheme => f.write_str(
                "custom_scheme_redirects: it lists private-use URIs such as app://host/path; https \
                 and loopback need no listing, and schemes that run code are never allowed",
            ),
            Self::OtherSecret => f.write_str(
                "secret: the database was sealed under another one; give that one as \
                 secret_previous while you change it",
            ),
            Self::Organizations(error) => write!(f, "{error}"),
            Self::Administrators(error) => write!(f, "{error}"),
            Self::Outbound(error) => write!(f, "{error}"),
            Self::Documents(error) => write!(f, "cimd: {error}"),
            Self::Policy(error) => write!(f, "{}: {error}", error.setting()),
            Self::Delivery(error) => write!(f, "feedback, sink: {error}"),
        }
    }
}

impl std::error::Error for HouseError {}

impl From<Fault> for HouseError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What assistants read, opened before anything is connected.
#[derive(Clone)]
pub struct Texts {
    /// The corpus.
    pub library: Arc<Library>,
    /// The API reference.
    pub reference: Arc<Reference>,
}

/// The house, ready to be served.
pub struct House {
    /// The flows.
    pub gatehouse: Arc<Gatehouse>,
    /// The corpus and the API reference.
    pub texts: Texts,
    /// What hands feedback and events on, each to its receiver.
    pub deliveries: Vec<Arc<Delivery>>,
    /// What notes that other MCP servers were told of people.
    pub remote_ledger: Arc<RemoteLedger>,
    /// What counts calls.
    pub usage: Arc<UsageRecorder>,
    /// What the two listeners serve.
    pub endpoints: Endpoints,
}

/// Opens the corpus that the configuration names. CPU work of up to seconds.
pub fn open_library(config: &Config) -> Result<Library, DocsError> {
    Library::open(DocsSettings {
        folders: config.docs_path.clone(),
        site_url: config.docs_url.clone(),
    })
}

/// Opens the OpenAPI documents that the configuration names. CPU work of up to seconds.
pub fn open_reference(config: &Config) -> Result<Reference, ReferenceError> {
    let sources = config.api_specs.iter();
    let sources = sources.map(|spec| Source { name: spec.name.clone(), path: spec.path.clone() });
    Reference::open(ReferenceSettings {
        sources: sources.collect(),
        own: OwnDocument { name: OWN_API.to_owned(), text: gatehouse_api::document_yaml() },
    })
}

impl House {
    /// Puts every room in its place. The store is migrated already.
    pub async fn build(
        config: Config,
        store: Store,
        texts: Texts,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, HouseError> {
        let metrics = Arc::new(counting::metrics(&config, &store));
        let outbound = outbound(&config, &metrics)?;
        let brand = Arc::new(Brand::new(chosen(&config.brand)));
        let (upstream, dev_routes) = upstream_of(&config, outbound, &brand, &clock, &entropy)?;
        let now = clock.now();
        check_custom_schemes(&config)?;
        let policy = policy_of(&config, &offered(&config)).map_err(HouseError::Policy)?;
        let organizations = rules(&config)?;
        check_secret(&store, &config).await?;
        let keyring = Keyring::open(&store, &config, &*entropy, now).await?;
        let sinks = deliveries::sinks(&config, &store, &clock, &entropy);
        let sinks = Arc::new(sinks.map_err(HouseError::Delivery)?);
        let gatehouse = Arc::new(Gatehouse {
            resource: Resource::of_public_url(&config.public_url),
            brand,
            default_scope: ScopeSet::known_in(&config.default_scope),
            limits: Limits::new(&config),
            clients: Clients::new(documents(&config)?),
            standings: Standings::default(),
            enforcement: Enforcement::new(policy, &*entropy, now),
            sinks,
            administrators: administrators(&config, &organizations)?,
            organizations,
            metrics,
            unused_grants: UnusedGrants::default(),
            attempts: Attempts::default(),
            rotations: Rotations::default(),
            config,
            store,
            upstream,
            keyring,
            stopping: Stopping::default(),
            clock,
            entropy,
        });
        gatehouse.look_for_halt().await.map_err(Fault::Store)?;
        let Gatehouse { config, store, clock, entropy, .. } = &*gatehouse;
        let feedback = deliveries::delivery(config, store, clock, entropy);
        let feedback = feedback.map_err(HouseError::Delivery)?;
        let to_sinks = gatehouse.sinks.all().iter().filter_map(|sink| sink.delivery.clone());
        let deliveries = feedback.iter().cloned().chain(to_sinks).collect();
        let remote_ledger =
            RemoteLedger::new(store.clone(), Arc::clone(clock), Arc::clone(entropy));
        let remote_ledger = Arc::new(remote_ledger);
        let witness: Arc<dyn Witness> = Arc::<RemoteLedger>::clone(&remote_ledger);
        let remotes =
            Remotes::new(&config.remotes, clock, Some(&witness), &gatehouse.metrics.remotes);
        let usage =
            Arc::new(counting::usage_recorder(config, store, clock, entropy, &gatehouse.sinks));
        let wire = Arc::new(Wire {
            mcp: Arc::new(mcp_door(&gatehouse, &texts, feedback, (&usage, remotes))),
            gatehouse: Arc::clone(&gatehouse),
        });
        let endpoints = Endpoints::of(&wire, dev_routes);
        Ok(Self { gatehouse, texts, deliveries, remote_ledger, usage, endpoints })
    }

    /// Serves until `stop` resolves and what has begun is finished; shares what was counted, and
    /// hands on what is on its way.
    pub async fn serve(
        self,
        sockets: Sockets,
        stop: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let (ending, ended) = watch::channel(());
        let has_ended = || {
            let mut ended = ended.clone();
            // An error means that the sender is gone, which is what is waited for.
            async move { drop(ended.changed().await) }
        };
        let mut settling = pin!(self.gatehouse.keep_limits_settled(has_ended()));
        let mut delivering = pin!(deliveries::keep_delivering(self.deliveries, has_ended));
        let mut noting = pin!(self.remote_ledger.keep_writing(has_ended()));
        let mut counting = Box::pin(self.usage.keep_written(has_ended()));
        let mut enforcing = pin!(self.gatehouse.keep_enforcement(has_ended()));
        let mut telling = pin!(self.gatehouse.keep_attempts(has_ended()));
        let served = tokio::select! {
            served = serve(self.endpoints, sockets, stop) => served,
            () = &mut settling => unreachable!("it goes on until it is told to end"),
            () = &mut delivering => unreachable!("it goes on until it is told to end"),
            () = &mut noting => unreachable!("it goes on until it is told to end"),
            () = &mut counting => unreachable!("it goes on until it is told to end"),
            () = &mut enforcing => unreachable!("it goes on until it is told to end"),
            () = &mut telling => unreachable!("it goes on until it is told to end"),
        };
        drop(ending);
        let (settled, delivered, noted, counted, enforced, told) = tokio::join!(
            tokio::time::timeout(LAST_SETTLEMENT_MAX, settling),
            tokio::time::timeout(LAST_DELIVERY_MAX, delivering),
            tokio::time::timeout(LAST_SETTLEMENT_MAX, noting),
            tokio::time::timeout(LAST_USAGE_MAX, counting),
            tokio::time::timeout(LAST_USAGE_MAX, enforcing),
            tokio::time::timeout(LAST_SETTLEMENT_MAX, telling),
        );
        if settled.is_err() {
            tracing::warn!("what was counted last is not shared: the database did not answer");
        }
        if noted.is_err() {
            tracing::warn!("who was told of people last is not written down");
        }
        if delivered.is_err() {
            tracing::warn!(
                "a receiver did not answer in time: it is asked again by another server"
            );
        }
        if told.is_err() {
            tracing::warn!("the last attempts to sign in are not written down");
        }
        if counted.is_err() || enforced.is_err() {
            tracing::warn!("the last usage is not counted: the database did not answer");
        }
        served
    }
}

fn chosen(brand: &BrandConfig) -> Chosen {
    let picture = |picture: &Option<config_brand::Picture>| {
        picture.as_ref().map(|picture| Picture {
            content_type: picture.content_type,
            bytes: picture.bytes.clone(),
        })
    };
    Chosen {
        name: brand.name.clone(),
        logo: picture(&brand.logo),
        favicon: picture(&brand.favicon),
        font: brand.font.clone(),
        accent: brand.accent,
    }
}

fn documents(config: &Config) -> Result<Option<Documents>, HouseError> {
    let Some(config) = &config.cimd else { return Ok(None) };
    let hosts =
        if config.allow_loopback { DocumentHosts::AlsoLoopback } else { DocumentHosts::Public };
    let publishers = Publishers {
        allowed: config.allowed_domains.clone(),
        denied: config.denied_domains.clone(),
    };
    Documents::new(hosts, publishers).map(Some).map_err(HouseError::Documents)
}

fn mcp_door(
    gatehouse: &Arc<Gatehouse>,
    texts: &Texts,
    delivery: Option<Arc<Delivery>>,
    (usage, remotes): (&Arc<UsageRecorder>, Remotes),
) -> McpDoor {
    let Gatehouse { config, store, clock, entropy, .. } = &**gatehouse;
    let feedback =
        stored_feedback(config, store, clock, entropy, delivery, Arc::clone(&gatehouse.sinks));
    let Texts { library, reference } = texts.clone();
    let settings = McpSettings {
        product: config.docs_product.clone(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        public_url: config.public_url.clone(),
        account_url: config.page_url(ACCOUNT_PATH),
        keeping: Keeping { queries: config.usage.keep_queries, context: config.usage.ask_context },
        told: config.sinks.iter().map(deliveries::in_a_line).collect(),
    };
    let furniture = Furniture {
        library,
        reference,
        feedback_box: Arc::new(feedback),
        usage: counting::metered(usage, &gatehouse.metrics),
        remotes: Arc::new(remotes),
    };
    McpDoor {
        server: McpServer::new(&settings, furniture),
        library: Arc::clone(&texts.library),
        cors: Cors::new(config),
        hosts: Hosts::of_public_url(&config.public_url, config.is_loopback()),
        gatehouse: Arc::clone(gatehouse),
        places: RandomState::new(),
    }
}
