//! Putting the house together: every room from a checked configuration.

use std::fmt;
use std::sync::Arc;

use gatehouse_api as api;
use poem::endpoint::BoxEndpoint;
use poem::middleware::CatchPanic;
use poem::{EndpointExt, IntoEndpoint as _};

use crate::attribution::feedback::StoredFeedback;
use crate::clients::Clients;
use crate::clock::Clock;
use crate::config::{Config, UpstreamConfig};
use crate::docs::error::DocsError;
use crate::docs::library::{Library, Settings as DocsSettings};
use crate::domain::resource::Resource;
use crate::flow::admit::Standings;
use crate::flow::keyring::Keyring;
use crate::flow::limits::Limits;
use crate::flow::wire::Wire;
use crate::flow::{Fault, Gatehouse};
use crate::http::Door;
use crate::http::cors::Cors;
use crate::http::dev_provider::DevRoutes;
use crate::http::mcp_door::{Hosts, McpDoor};
use crate::http::proxies::Proxies;
use crate::mcp::server::{McpServer, Settings as McpSettings};
use crate::secret::{Entropy, Secret};
use crate::store::Store;
use crate::upstream::dev::{self, DevProvider};
use crate::upstream::outbound::Outbound;
use crate::upstream::{Registration, Upstream};

/// The path of the one redirect URI registered at the provider.
const CALLBACK_PATH: &str = "/mcp/callback";

/// Why the house could not be put together.
#[derive(Debug)]
pub enum HouseError {
    /// The store, a key or the provider.
    Fault(Fault),
    /// The corpus.
    Docs(DocsError),
    /// The outbound HTTP client.
    Outbound(reqwest::Error),
}

impl fmt::Display for HouseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "{}", crate::flow::chain(fault)),
            Self::Docs(error) => write!(f, "docs_path: {}", crate::flow::chain(error)),
            Self::Outbound(_) => f.write_str("the outbound HTTP client could not be made"),
        }
    }
}

impl std::error::Error for HouseError {}

impl From<Fault> for HouseError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The house, ready to be served.
pub struct House {
    /// The flows.
    pub gatehouse: Arc<Gatehouse>,
    /// The corpus.
    pub library: Arc<Library>,
    /// The public listener's endpoint.
    pub public: BoxEndpoint<'static>,
    /// The admin listener's endpoint.
    pub admin: BoxEndpoint<'static>,
}

/// Opens the corpus that the configuration names. CPU work of up to seconds.
pub fn open_library(config: &Config) -> Result<Library, DocsError> {
    Library::open(DocsSettings {
        folders: config.docs_path.clone(),
        site_url: config.docs_url.clone(),
    })
}

impl House {
    /// Puts every room in its place. The store is migrated already.
    pub async fn build(
        config: Config,
        store: Store,
        library: Arc<Library>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, HouseError> {
        let outbound = Outbound::new().map_err(HouseError::Outbound)?;
        let (upstream, dev_routes) = upstream_of(&config, outbound, &clock, &entropy)?;
        let now = clock.now();
        let keyring = Keyring::open(&store, &config, &*entropy, now).await?;
        let gatehouse = Arc::new(Gatehouse {
            resource: Resource::of_public_url(&config.public_url),
            limits: Limits::new(&config),
            clients: Clients::default(),
            standings: Standings::default(),
            config,
            store,
            upstream,
            keyring,
            clock,
            entropy,
        });
        let wire = Arc::new(Wire {
            mcp: Arc::new(mcp_door(&gatehouse, &library)),
            gatehouse: Arc::clone(&gatehouse),
        });
        let door = Door {
            api: api::public(&wire).into_endpoint(),
            dev_provider: dev_routes,
            cors: Cors::new(&gatehouse.config),
            proxies: Proxies(gatehouse.config.trusted_proxies.clone()),
            gatehouse: Arc::clone(&gatehouse),
        };
        Ok(Self {
            gatehouse,
            library,
            public: door.with(CatchPanic::new()).map_to_response().boxed(),
            admin: api::admin(&wire).into_endpoint().with(CatchPanic::new()).boxed(),
        })
    }
}

fn mcp_door(gatehouse: &Arc<Gatehouse>, library: &Arc<Library>) -> McpDoor {
    let config = &gatehouse.config;
    let feedback = StoredFeedback {
        store: gatehouse.store.clone(),
        secret: Arc::clone(&config.secret),
        clock: Arc::clone(&gatehouse.clock),
        entropy: Arc::clone(&gatehouse.entropy),
    };
    let settings = McpSettings {
        product: config.docs_product.clone(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        public_url: config.public_url.clone(),
    };
    McpDoor {
        server: McpServer::new(&settings, Arc::clone(library), Arc::new(feedback)),
        library: Arc::clone(library),
        cors: Cors::new(config),
        hosts: Hosts::of_public_url(&config.public_url, config.is_loopback()),
        gatehouse: Arc::clone(gatehouse),
    }
}

fn upstream_of(
    config: &Config,
    outbound: Outbound,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<(Option<Upstream>, Option<DevRoutes>), Fault> {
    let callback = config.url(CALLBACK_PATH);
    let registration =
        |issuer: String, client_id: String, client_secret: Option<String>| Registration {
            issuer,
            client_id,
            client_secret: client_secret.map(Secret::presented),
            scope: config.upstream_scope.clone(),
            extra: config.upstream_params.clone(),
            redirect_uri: callback.clone(),
        };
    match &config.upstream {
        UpstreamConfig::None => Ok((None, None)),
        UpstreamConfig::Provider(provider) => {
            let registration = registration(
                provider.issuer.clone(),
                provider.client_id.clone(),
                provider.client_secret.clone(),
            );
            Ok((Some(Upstream::new(registration, outbound, Arc::clone(clock))), None))
        }
        UpstreamConfig::Dev => {
            let registration = registration(config.url(dev::PATH), dev::CLIENT_ID.into(), None);
            let provider = DevProvider::new(
                &config.public_url,
                callback.clone(),
                Arc::clone(clock),
                Arc::clone(entropy),
            )?;
            let routes = DevRoutes::new(Arc::new(provider), config.docs_product.clone());
            Ok((Some(Upstream::new(registration, outbound, Arc::clone(clock))), Some(routes)))
        }
    }
}
