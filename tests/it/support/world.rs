//! One story's world: the house on a real socket, a database, a clock that steps, a provider.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gatehouse::cli::house::{House, HouseError};
use gatehouse::clock::{SteppedClock, Timestamp};
use gatehouse::config::Config;
use gatehouse::config::layers::Given;
use gatehouse::docs::library::{Library, Settings};
use gatehouse::http::serve::{Sockets, serve};
use gatehouse::secret::SeededEntropy;
use gatehouse::store::Store;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Auth0, Backend, Browser, McpClient, OAuthClient, free_port};

/// When stories begin: the clock moves only when it is told to.
const BEGINNING: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A secret of 32 bytes.
pub const SERVER_SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub struct World {
    /// The public address.
    pub url: String,
    /// Where the house really listens; the same unless the story sets `public_url`.
    pub local: String,
    pub admin_url: String,
    pub database_url: String,
    pub clock: Arc<SteppedClock>,
    pub auth0: Auth0,
    pub http: reqwest::Client,
    flags: BTreeMap<String, String>,
    folder: TempDir,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// How many houses were built: each has its own chance.
    houses: AtomicU64,
}

/// The corpus of the suite, indexed once.
fn library() -> Arc<Library> {
    static LIBRARY: OnceLock<Arc<Library>> = OnceLock::new();
    let opened = LIBRARY.get_or_init(|| {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus"));
        let site_url = "https://docs.example.com/".parse().ok();
        let settings = Settings { folders: vec![folder], site_url };
        Arc::new(Library::open(settings).expect("the corpus of the suite is readable"))
    });
    Arc::clone(opened)
}

impl World {
    /// The house with default settings and a provider.
    pub async fn start(backend: Backend) -> Self {
        Self::with(backend, &[]).await
    }

    /// The house with settings of its own.
    pub async fn with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        let auth0 = Auth0::start().await;
        let folder = tempfile::tempdir().expect("a folder can be made");
        let database_url = backend.fresh(folder.path()).await;
        let sockets = sockets(free_port()).await;
        let port = sockets.public.local_addr().expect("it is bound").port();
        let mut flags: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in [
            ("public_url", format!("http://127.0.0.1:{port}")),
            ("database_url", database_url.clone()),
            ("secret", SERVER_SECRET.to_owned()),
            ("upstream_issuer", auth0.issuer()),
            ("upstream_client_id", auth0.client_id().to_owned()),
            // An elliptic key is made in no time.
            ("signing_alg", "ES256".to_owned()),
            ("docs_product", "Example".to_owned()),
        ] {
            flags.insert(name.to_owned(), value);
        }
        for (name, value) in settings {
            flags.insert((*name).to_owned(), (*value).to_owned());
        }
        flags.retain(|_, value| value != "unset");
        let mut world = Self {
            url: flags["public_url"].clone(),
            local: format!("http://127.0.0.1:{port}"),
            admin_url: String::new(),
            database_url,
            clock: Arc::new(SteppedClock::starting_at(BEGINNING)),
            auth0,
            http: client(),
            flags,
            folder,
            running: None,
            houses: AtomicU64::new(0),
        };
        world.serve_on(sockets).await;
        world
    }

    async fn serve_on(&mut self, sockets: Sockets) {
        let admin = sockets.admin.local_addr().expect("it is bound");
        self.admin_url = format!("http://{admin}");
        let house = self.house(&self.flags).await;
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            let stopped = async move {
                // The story's end also ends the house.
                let _ = stopped.await;
            };
            serve(house.endpoints, sockets, stopped).await.expect("serving ends well");
            house.gatehouse.store.close().await;
        });
        self.running = Some((stop, served));
    }

    async fn house(&self, flags: &BTreeMap<String, String>) -> House {
        self.try_house(flags).await.expect("the house can be built")
    }

    /// The house over the same database with settings changed, not served.
    pub async fn house_with(&self, settings: &[(&str, &str)]) -> Result<House, HouseError> {
        let mut flags = self.flags.clone();
        flags.extend(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        self.try_house(&flags).await
    }

    async fn try_house(&self, flags: &BTreeMap<String, String>) -> Result<House, HouseError> {
        let given = Given {
            flags: flags.clone(),
            environment: Vec::new(),
            folder: self.folder.path().to_owned(),
        };
        let config = Config::load(&given).expect("the story's settings are good");
        let store = Store::connect(&config.database_url).await.expect("the database answers");
        // New chance after a restart and for a replica, as in life.
        let seed = self.houses.fetch_add(1, Ordering::Relaxed);
        let entropy = Arc::new(SeededEntropy::new(seed));
        House::build(config, store, library(), Arc::clone(&self.clock) as _, entropy).await
    }

    /// Stops the house and starts it again on the same address and database, with some settings
    /// changed.
    pub async fn restart(&mut self, settings: &[(&str, &str)]) {
        let port = reqwest::Url::parse(&self.local).expect("a URL").port().expect("a port");
        if let Some((stop, served)) = self.running.take() {
            let _ = stop.send(());
            served.await.expect("the house stops");
        }
        for (name, value) in settings {
            self.flags.insert((*name).to_owned(), (*value).to_owned());
        }
        self.serve_on(sockets(port).await).await;
    }

    /// A second replica on the same database, answering to the same public address; its own
    /// address.
    pub async fn replica(&self) -> String {
        let sockets = sockets(free_port()).await;
        let address = sockets.public.local_addr().expect("it is bound");
        let house = self.house(&self.flags).await;
        tokio::spawn(async move {
            let never = std::future::pending();
            serve(house.endpoints, sockets, never).await.expect("serving ends well");
        });
        format!("http://{address}")
    }

    /// A browser that has never been here.
    pub fn browser(&self) -> Browser {
        Browser::new(self.http.clone())
    }

    /// A client with one loopback redirect that has registered itself.
    pub async fn client(&self, name: &str) -> OAuthClient {
        OAuthClient::register(self, name, &["http://127.0.0.1/callback"]).await
    }

    /// A client with a redirect on the web.
    pub async fn web_client(&self, name: &str) -> OAuthClient {
        OAuthClient::register(self, name, &["https://client.example.com/callback"]).await
    }

    /// An MCP client that holds a token.
    pub fn mcp(&self, access_token: &str) -> McpClient {
        McpClient::new(self, Some(access_token))
    }

    /// An MCP client without one.
    pub fn anonymous_mcp(&self) -> McpClient {
        McpClient::new(self, None)
    }

    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
        self.auth0.advance(duration);
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.local)
    }
}

async fn sockets(port: u16) -> Sockets {
    Sockets {
        public: TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free"),
        admin: TcpListener::bind("127.0.0.1:0").await.expect("a port is free"),
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("an HTTP client can be made")
}
