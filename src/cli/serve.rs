//! `gatehouse serve`: migrate, build the index, serve, clean up on a timer, stop gracefully.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::attribution::upkeep;
use crate::cli::house::{House, Texts, open_library, open_reference};
use crate::cli::turn::in_turn;
use crate::cli::{CommandError, block_on, gc, logging, retention};
use crate::clock::SystemClock;
use crate::config::{AuthMode, Config, UpstreamConfig};
use crate::flow::enforcement::reading;
use crate::flow::{Gatehouse, chain, key_rotation};
use crate::http::serve::Sockets;
use crate::secret::SystemEntropy;
use crate::store::{Store, schema, usage_sweep};
use crate::traces::collector;

/// How often the house is kept: expired rows, keys, the provider's endpoints.
const HOUSE_KEPT_EVERY: Duration = Duration::from_mins(10);

/// How often signing keys are read again, however long the house takes to be kept: a new one is
/// published for six times as long before it signs.
const KEYS_READ_EVERY: Duration = Duration::from_mins(5);

/// Runs until SIGTERM or SIGINT.
pub fn run(config: Config) -> Result<(), CommandError> {
    block_on(async {
        let told = logging::start(&config)?;
        let signals = StopSignals::catch()?;
        if matches!(config.upstream, UpstreamConfig::None) {
            tracing::warn!(
                "no identity provider is configured: sign-in answers 503. Set upstream_issuer and \
                 upstream_client_id, or try --dev"
            );
        }
        for name in &config.exposed_files {
            tracing::warn!(setting = name, "everybody on this machine may read its file");
        }
        if config.auth == AuthMode::Enforce {
            for name in config.enforcement.asking() {
                tracing::warn!(setting = name, "auth is enforce: everybody must sign in anyway");
            }
        }
        let sockets = Sockets {
            public: bind("listen", config.listen).await?,
            admin: bind("admin_listen", config.admin_listen).await?,
        };
        let public_url = config.public_url.clone();
        let house = open(config).await?;
        let Texts { library, reference } = house.texts.clone();
        let _watch = library.watch().map_err(|error| {
            CommandError::new(format!("docs_path cannot be watched: {}", chain(&error)))
        })?;
        let _reference_watch = reference.watch().map_err(|error| {
            CommandError::new(format!("api_specs cannot be watched: {}", chain(&error)))
        })?;
        tracing::info!(
            pages = library.page_count(), api_pages = reference.page_count(), %public_url,
            mcp = format!("{public_url}/mcp"), "ready",
        );
        let gatehouse = Arc::clone(&house.gatehouse);
        let keeping = tokio::spawn(keep_house_on_a_timer(Arc::clone(&gatehouse)));
        let reading = tokio::spawn(read_keys_on_a_timer(Arc::clone(&gatehouse)));
        let stop = signals.stop(Arc::clone(&gatehouse), gatehouse.config.stop_delay);
        let served = house.serve(sockets, stop).await;
        keeping.abort();
        reading.abort();
        gatehouse.store.close().await;
        if let Some(traces) = told.traces.clone() {
            collector::end(traces).await;
        }
        tracing::info!("stopped");
        served.map_err(|error| CommandError::new(format!("serving ended: {error}")))
    })
}

/// Opens everything the configuration names.
async fn open(config: Config) -> Result<House, CommandError> {
    let store = open_store(&config.database_url).await?;
    schema::up(&store)
        .await
        .map_err(|error| CommandError::new(format!("migration: {}", chain(&error))))?;
    let texts = read_texts(&config)?;
    House::build(config, store, texts, Arc::new(SystemClock), Arc::new(SystemEntropy))
        .await
        .map_err(CommandError::new)
}

fn read_texts(config: &Config) -> Result<Texts, CommandError> {
    let fault = |setting: &str, error: &dyn std::error::Error| {
        CommandError::new(format!("{setting}: {}", chain(error)))
    };
    // Reading and indexing is CPU work of up to seconds.
    tokio::task::block_in_place(|| {
        let library = open_library(config).map_err(|error| fault("docs_path", &error))?;
        let reference = open_reference(config).map_err(|error| fault("api_specs", &error))?;
        Ok(Texts { library: Arc::new(library), reference: Arc::new(reference) })
    })
}

/// Connects to the database; a SQLite file's folder is made first.
pub async fn open_store(database_url: &str) -> Result<Store, CommandError> {
    if let Some(path) = sqlite_path(database_url)
        && let Some(folder) = Path::new(path).parent()
    {
        std::fs::create_dir_all(folder).map_err(|error| {
            CommandError::new(format!("database_url: {}: {error}", folder.display()))
        })?;
        make_private(Path::new(path), database_url)?;
    }
    Store::connect(database_url)
        .await
        .map_err(|error| CommandError::new(format!("database_url: {}", chain(&error))))
}

/// Connects to a database that must be migrated already.
pub async fn open_migrated_store(database_url: &str) -> Result<Store, CommandError> {
    let store = open_store(database_url).await?;
    let status = schema::status(&store)
        .await
        .map_err(|error| CommandError::new(format!("database_url: {}", chain(&error))))?;
    if status.iter().all(|(_, applied)| *applied) {
        Ok(store)
    } else {
        Err(CommandError::new("the database is not migrated; run `gatehouse migrate up` first"))
    }
}

/// Makes the file of a new database readable by its owner only; SQLite gives its side files the
/// same mode.
fn make_private(path: &Path, database_url: &str) -> Result<(), CommandError> {
    if !database_url.contains("mode=rwc") {
        return Ok(());
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(CommandError::new(format!("database_url: {}: {error}", path.display()))),
    }
}

fn sqlite_path(database_url: &str) -> Option<&str> {
    let rest = database_url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split('?').next().unwrap_or_default();
    (!path.is_empty() && path != ":memory:").then_some(path)
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).await.map_err(|error| {
        CommandError::new(format!("{setting}: {address} cannot be listened on: {error}"))
    })
}

/// What a stop is asked for by.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn catch() -> Result<Self, CommandError> {
        let fault = |error| CommandError::new(format!("signals cannot be caught: {error}"));
        let terminate = signal(SignalKind::terminate()).map_err(fault)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
        Ok(Self { terminate, interrupt })
    }

    /// Resolves when no more requests are to be taken. SIGTERM comes from what also tells a proxy,
    /// which needs `delay` to hear of it; SIGINT, or a second signal, from somebody who waits.
    async fn stop(mut self, gatehouse: Arc<Gatehouse>, delay: Duration) {
        tokio::select! {
            _ = self.terminate.recv() => {
                gatehouse.stopping.begin();
                tracing::info!(delay_seconds = delay.as_secs(), "SIGTERM: not ready any more");
                tokio::select! {
                    () = tokio::time::sleep(delay) => {}
                    _ = self.terminate.recv() => {}
                    _ = self.interrupt.recv() => {}
                }
                tracing::info!("finishing what has begun");
            }
            _ = self.interrupt.recv() => {
                gatehouse.stopping.begin();
                tracing::info!("SIGINT: finishing what has begun");
            }
        }
    }
}

async fn keep_house_on_a_timer(gatehouse: Arc<Gatehouse>) {
    let mut ticks = tokio::time::interval(HOUSE_KEPT_EVERY);
    loop {
        ticks.tick().await;
        keep_house(&gatehouse).await;
    }
}

async fn read_keys_on_a_timer(gatehouse: Arc<Gatehouse>) {
    let mut ticks = tokio::time::interval(KEYS_READ_EVERY);
    loop {
        ticks.tick().await;
        read_keys(&gatehouse).await;
    }
}

async fn read_keys(gatehouse: &Gatehouse) {
    if let Err(error) = gatehouse.reload_keys(gatehouse.clock.now()).await {
        tracing::warn!(error = %chain(&error), "the signing keys could not be read again");
    }
}

/// What has to be done without being asked. By one replica in turn: signing keys follow one
/// another, expired rows go, people are given their organization and what a rotated secret sealed
/// is sealed anew. By each: keys that another replica made come and those that were withdrawn go,
/// and the provider's endpoints are known before somebody waits for them.
pub async fn keep_house(gatehouse: &Gatehouse) {
    if let Some(upstream) = &gatehouse.upstream
        && let Err(error) = upstream.discover().await
    {
        tracing::warn!(error = %chain(&error), "the identity provider was not found");
    }
    if let Err(error) = in_turn(gatehouse, Box::pin(keep_rows(gatehouse))).await {
        tracing::warn!(error = %chain(&error), "whose turn the clean-up is could not be settled");
    }
    read_keys(gatehouse).await;
}

async fn keep_rows(gatehouse: &Gatehouse) {
    let Gatehouse { config, store, entropy, .. } = gatehouse;
    let now = gatehouse.clock.now();
    match key_rotation::pass(store, config, &**entropy, &*gatehouse.clock).await {
        Ok(tended) if tended.published + tended.retired > 0 => {
            let key_rotation::Tended { published, retired } = tended;
            tracing::info!(published, retired, "signing keys were rotated");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(error = %chain(&error), "signing keys were not rotated"),
    }
    match retention::pass(config, store, &gatehouse.sinks, now).await {
        Ok(deleted) => tracing::debug!(?deleted, "expired rows were deleted"),
        Err(error) => tracing::warn!(error = %chain(&error), "a clean-up pass failed"),
    }
    match usage_sweep::pass(store, gc::usage_kept(config), now).await {
        Ok(swept) => tracing::debug!(?swept, "usage was rolled up"),
        Err(error) => tracing::warn!(error = %chain(&error), "usage could not be rolled up"),
    }
    match reading::sweep(store, config.enforcement.anonymous_kept, now).await {
        Ok(swept) => tracing::debug!(?swept, "old callers were deleted"),
        Err(error) => tracing::warn!(error = %chain(&error), "old callers could not be deleted"),
    }
    match upkeep::pass(store, gatehouse.people(), now).await {
        Ok(kept) if kept.memberships + kept.resealed > 0 => {
            tracing::info!(
                memberships = kept.memberships,
                resealed = kept.resealed,
                left_under_another_secret = kept.left.total(),
                "people were looked at",
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(error = %chain(&error), "people could not be looked at"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_sqlite_file_is_found() {
        for (url, path) in [
            ("sqlite://data/gatehouse.db?mode=rwc", Some("data/gatehouse.db")),
            ("sqlite:///var/lib/g.db", Some("/var/lib/g.db")),
            ("sqlite:g.db", Some("g.db")),
            ("sqlite::memory:", None),
            ("postgres://localhost/g", None),
        ] {
            assert_eq!(sqlite_path(url), path, "{url}");
        }
    }
}
