//! One story's world: the house on a real socket, a database, a clock that steps, a provider.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use gatehouse::attribution::delivery::Delivery;
use gatehouse::attribution::remote_ledger::RemoteLedger;
use gatehouse::attribution::usage::recorder::UsageRecorder;
use gatehouse::cli::house::{House, HouseError, Texts};
use gatehouse::cli::serve::keep_house;
use gatehouse::clock::{SteppedClock, Timestamp};
use gatehouse::config::Config;
use gatehouse::config::layers::Given;
use gatehouse::docs::library::{Library, Settings};
use gatehouse::flow::Gatehouse;
use gatehouse::http::serve::Sockets;
use gatehouse::reference::library::{Reference, Settings as ReferenceSettings};
use gatehouse::reference::sources::{OwnDocument, Source};
use gatehouse::secret::SeededEntropy;
use gatehouse::store::{Store, StoreError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::database::database_behind;
use super::{Auth0, Backend, Browser, McpClient, OAuthClient, Relay, free_port, in_repository};

/// When stories begin: the clock moves only when it is told to.
const BEGINNING: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// How long a runtime may take to let go of its tasks.
const KILLED_WITHIN: Duration = Duration::from_secs(30);

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
    environment: Vec<(String, String)>,
    folder: TempDir,
    running: Mutex<Option<Running>>,
    replicas: Mutex<Vec<Replica>>,
    /// How many houses were built: each has its own chance.
    houses: AtomicU64,
}

/// What a story asks a house to do at once that it does unasked a moment later.
#[derive(Clone)]
struct Replica {
    gatehouse: Arc<Gatehouse>,
    deliveries: Vec<Arc<Delivery>>,
    remote_ledger: Arc<RemoteLedger>,
    usage: Arc<UsageRecorder>,
}

impl Replica {
    fn of(house: &House) -> Self {
        Self {
            gatehouse: Arc::clone(&house.gatehouse),
            deliveries: house.deliveries.clone(),
            remote_ledger: Arc::clone(&house.remote_ledger),
            usage: Arc::clone(&house.usage),
        }
    }

    async fn deliver(self) -> Result<(), StoreError> {
        for delivery in self.deliveries {
            delivery.deliver_due().await?;
        }
        self.remote_ledger.write().await
    }
}

/// A house with a runtime of its own, so that it can be ended without warning.
struct Running {
    replica: Replica,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    runtime: Runtime,
}

/// All that a house is built from.
struct Blueprint {
    given: Given,
    clock: Arc<SteppedClock>,
    seed: u64,
}

impl Blueprint {
    async fn build(self) -> Result<House, HouseError> {
        let config = Config::load(&self.given).expect("the story's settings are good");
        let store = Store::connect(&config.database_url).await.expect("the database answers");
        let entropy = Arc::new(SeededEntropy::new(self.seed));
        House::build(config, store, texts(), self.clock, entropy).await
    }
}

async fn serve_house(house: House, sockets: Sockets, stop: impl Future<Output = ()> + Send) {
    let store = house.gatehouse.store.clone();
    house.serve(sockets, stop).await.expect("serving ends well");
    store.close().await;
}

/// What the suite reads, indexed once.
fn texts() -> Texts {
    static TEXTS: OnceLock<Texts> = OnceLock::new();
    let opened = TEXTS.get_or_init(|| {
        let folder = in_repository("tests/corpus");
        let site_url = "https://docs.example.com/".parse().ok();
        let settings = Settings { folders: vec![folder], site_url };
        let library = Library::open(settings).expect("the corpus of the suite is readable");
        let folder = in_repository("tests/reference");
        let sources = vec![Source { name: None, path: folder }];
        let own = OwnDocument { name: "own".to_owned(), text: String::new() };
        let reference = Reference::open(ReferenceSettings { sources, own });
        let reference = reference.expect("the API documents of the suite are readable");
        Texts { library: Arc::new(library), reference: Arc::new(reference) }
    });
    opened.clone()
}

impl World {
    /// The house with default settings and a provider.
    pub async fn start(backend: Backend) -> Self {
        Self::with(backend, &[]).await
    }

    /// The house with settings of its own.
    pub async fn with(backend: Backend, settings: &[(&str, &str)]) -> Self {
        Self::behind(backend, None, settings).await
    }

    /// The house, reaching its Postgres through a relay.
    pub async fn behind(
        backend: Backend,
        relay: Option<&Relay>,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::built(backend, relay, settings, "", &[]).await
    }

    /// The same, with a configuration file and variables in its environment.
    pub async fn behind_with_file(
        backend: Backend,
        relay: Option<&Relay>,
        settings: &[(&str, &str)],
        file: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        Self::built(backend, relay, settings, file, environment).await
    }

    /// The house with a configuration file and variables in its environment.
    pub async fn with_file(
        backend: Backend,
        settings: &[(&str, &str)],
        file: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        Self::built(backend, None, settings, file, environment).await
    }

    async fn built(
        backend: Backend,
        relay: Option<&Relay>,
        settings: &[(&str, &str)],
        file: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let auth0 = Auth0::start().await;
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("gatehouse.toml"), file).expect("a file can be written");
        let database_url = backend.fresh(folder.path()).await;
        let through_relay = relay.map(|relay| database_behind(relay, &database_url));
        let (port, admin_port) = (free_port(), free_port());
        let mut flags: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in [
            ("public_url", format!("http://127.0.0.1:{port}")),
            ("admin_listen", format!("127.0.0.1:{admin_port}")),
            ("database_url", through_relay.unwrap_or_else(|| database_url.clone())),
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
            admin_url: format!("http://127.0.0.1:{admin_port}"),
            database_url,
            clock: Arc::new(SteppedClock::starting_at(BEGINNING)),
            auth0,
            http: client(usize::MAX),
            flags,
            environment: environment.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect(),
            folder,
            running: Mutex::new(None),
            replicas: Mutex::default(),
            houses: AtomicU64::new(0),
        };
        world.serve_on(port).await;
        world
    }

    async fn serve_on(&mut self, port: u16) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let admin = port_of(&self.admin_url);
        let sockets = runtime.spawn(sockets(port, admin)).await.expect("sockets can be bound");
        let house = runtime.spawn(self.blueprint(&[]).build()).await.expect("building ends");
        let house = house.expect("the house can be built");
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            // The story's end also ends the house.
            let _ = stopped.await;
        };
        let replica = Replica::of(&house);
        let served = runtime.spawn(serve_house(house, sockets, stopped));
        *self.running.get_mut().unwrap() = Some(Running { replica, stop, served, runtime });
    }

    fn blueprint(&self, settings: &[(&str, &str)]) -> Blueprint {
        let mut flags = self.flags.clone();
        flags.extend(settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let folder = self.folder.path().to_owned();
        Blueprint {
            given: Given { flags, environment: self.environment.clone(), folder },
            clock: Arc::clone(&self.clock),
            // New chance after a restart and for a replica, as in life.
            seed: self.houses.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// The house over the same database with settings changed, not served.
    pub async fn house_with(&self, settings: &[(&str, &str)]) -> Result<House, HouseError> {
        self.blueprint(settings).build().await
    }

    /// Stops the house and starts it again on the same address and database, with some settings
    /// changed.
    pub async fn restart(&mut self, settings: &[(&str, &str)]) {
        if let Some(Running { stop, served, runtime, .. }) = self.running.get_mut().unwrap().take()
        {
            let _ = stop.send(());
            served.await.expect("the house stops");
            runtime.shutdown_background();
        }
        for (name, value) in settings {
            self.flags.insert((*name).to_owned(), (*value).to_owned());
        }
        self.serve_on(self.port()).await;
    }

    /// Ends the house without warning: whatever it was doing, it does no more. Returns when its
    /// sockets are closed; [`Self::restart`] starts it again.
    pub async fn kill(&self) {
        let running = self.running.lock().unwrap().take();
        let Running { runtime, .. } = running.expect("the house is running");
        let ended = tokio::task::spawn_blocking(|| runtime.shutdown_timeout(KILLED_WITHIN));
        ended.await.expect("a runtime can be ended");
    }

    fn port(&self) -> u16 {
        port_of(&self.local)
    }

    /// A second replica on the same database, answering to the same public address, with some
    /// settings changed; its own address.
    pub async fn replica(&self, settings: &[(&str, &str)]) -> String {
        let sockets = sockets(free_port(), 0).await;
        let address = sockets.public.local_addr().expect("it is bound");
        let house = self.blueprint(settings).build().await.expect("the house can be built");
        self.replicas.lock().unwrap().push(Replica::of(&house));
        tokio::spawn(serve_house(house, sockets, std::future::pending()));
        format!("http://{address}")
    }

    /// Returns when every house has settled whom it had to settle under a limit, as it does unasked
    /// a moment later.
    pub async fn limits_settled(&self) {
        let settle = |gatehouse: Arc<Gatehouse>| async move {
            gatehouse.settle_limits().await.expect("limits can be settled");
        };
        let first =
            self.running.lock().unwrap().as_ref().map(|running| {
                running.runtime.spawn(settle(Arc::clone(&running.replica.gatehouse)))
            });
        if let Some(first) = first {
            first.await.expect("settling does not panic");
        }
        let replicas = self.replicas.lock().unwrap().clone();
        for replica in replicas {
            settle(replica.gatehouse).await;
        }
    }

    /// Returns when every house, all of them at once, has tried to hand on what is due.
    pub async fn deliver(&self) -> Result<(), StoreError> {
        let mut deliveries = Vec::new();
        if let Some(Running { replica, runtime, .. }) = &*self.running.lock().unwrap() {
            deliveries.push(runtime.spawn(replica.clone().deliver()));
        }
        for replica in &*self.replicas.lock().unwrap() {
            deliveries.push(tokio::spawn(replica.clone().deliver()));
        }
        for delivery in deliveries {
            delivery.await.expect("delivering does not panic")?;
        }
        Ok(())
    }

    /// Returns when every house, all of them at once, has tried to write down the usage that has
    /// come together, as it does unasked a moment later.
    pub async fn count_usage(&self) -> Result<(), StoreError> {
        let write = |usage: Arc<UsageRecorder>| async move { usage.write().await };
        let mut writes = Vec::new();
        if let Some(Running { replica, runtime, .. }) = &*self.running.lock().unwrap() {
            writes.push(runtime.spawn(write(Arc::clone(&replica.usage))));
        }
        for replica in &*self.replicas.lock().unwrap() {
            writes.push(tokio::spawn(write(Arc::clone(&replica.usage))));
        }
        for written in writes {
            written.await.expect("counting does not panic")?;
        }
        Ok(())
    }

    /// Returns when every house, one after the other, has written what it was told of attempts to
    /// sign in, as it does unasked a moment later.
    pub async fn write_attempts(&self) {
        let write = |gatehouse: Arc<Gatehouse>| async move {
            gatehouse.write_attempts().await.expect("attempts can be written");
        };
        let first =
            self.running.lock().unwrap().as_ref().map(|running| {
                running.runtime.spawn(write(Arc::clone(&running.replica.gatehouse)))
            });
        if let Some(first) = first {
            first.await.expect("writing does not panic");
        }
        let replicas = self.replicas.lock().unwrap().clone();
        for replica in replicas {
            write(replica.gatehouse).await;
        }
    }

    /// Returns when every house, all of them at once, has written who came without a token, judged
    /// those who were asked, and looked for a halt, as it does unasked a moment later.
    pub async fn tend_enforcement(&self) -> Result<(), StoreError> {
        let tend = |gatehouse: Arc<Gatehouse>| async move { gatehouse.tend_enforcement().await };
        let mut tended = Vec::new();
        if let Some(Running { replica, runtime, .. }) = &*self.running.lock().unwrap() {
            tended.push(runtime.spawn(tend(Arc::clone(&replica.gatehouse))));
        }
        for replica in &*self.replicas.lock().unwrap() {
            tended.push(tokio::spawn(tend(Arc::clone(&replica.gatehouse))));
        }
        for house in tended {
            house.await.expect("tending does not panic")?;
        }
        Ok(())
    }

    /// Returns when every house, all of them at once, has done what it does unasked every ten
    /// minutes.
    pub async fn keep_houses(&self) {
        let keep = |gatehouse: Arc<Gatehouse>| async move { keep_house(&gatehouse).await };
        let mut kept = Vec::new();
        if let Some(Running { replica, runtime, .. }) = &*self.running.lock().unwrap() {
            kept.push(runtime.spawn(keep(Arc::clone(&replica.gatehouse))));
        }
        for replica in &*self.replicas.lock().unwrap() {
            kept.push(tokio::spawn(keep(Arc::clone(&replica.gatehouse))));
        }
        for house in kept {
            house.await.expect("keeping a house does not panic");
        }
    }

    /// Returns when no connection of the first house is at work.
    pub async fn database_at_rest(&self) {
        let running = |it: &Running| it.replica.gatehouse.store.clone();
        let store = self.running.lock().unwrap().as_ref().map(running).expect("it runs");
        while store.pools().iter().any(|pool| pool.in_use > 0) {
            tokio::task::yield_now().await;
        }
    }

    /// From now on every request has a connection of its own, so that none begins on one whose
    /// house is gone.
    pub fn keep_no_connections(&mut self) {
        self.http = client(0);
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

    /// A path of the admin listener.
    pub fn admin_at(&self, path: &str) -> String {
        format!("{}{path}", self.admin_url)
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.local)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A runtime cannot be waited for here.
        let running = self.running.get_mut().unwrap().take();
        if let Some(Running { runtime, .. }) = running {
            runtime.shutdown_background();
        }
    }
}

fn port_of(url: &str) -> u16 {
    reqwest::Url::parse(url).expect("a URL").port().expect("a port")
}

async fn sockets(port: u16, admin_port: u16) -> Sockets {
    Sockets {
        public: TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free"),
        admin: TcpListener::bind(("127.0.0.1", admin_port)).await.expect("a port is free"),
    }
}

fn client(idle_connections: usize) -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(idle_connections)
        .build()
        .expect("an HTTP client can be made")
}
