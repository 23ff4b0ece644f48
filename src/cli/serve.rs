//! `gatehouse serve`: migrate, build the index, serve, clean up on a timer, stop gracefully.

use std::fs::OpenOptions;
use std::future::Future;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::attribution::upkeep;
use crate::cli::house::{House, Texts, open_library, open_reference};
use crate::cli::{CommandError, block_on, gc, logging, retention};
use crate::clock::SystemClock;
use crate::config::{AuthMode, Config, UpstreamConfig};
use crate::flow::enforcement::reading;
use crate::flow::{Gatehouse, chain};
use crate::http::serve::Sockets;
use crate::secret::SystemEntropy;
use crate::store::{Store, schema, usage_sweep};

/// How often the house is kept: expired rows, keys, the provider's endpoints.
const HOUSE_KEPT_EVERY: Duration = Duration::from_mins(10);

/// Runs until SIGTERM or SIGINT.
pub fn run(config: Config) -> Result<(), CommandError> {
    logging::start(&config)?;
    block_on(async {
        let stop = stop_signal()?;
        if matches!(config.upstream, UpstreamConfig::None) {
            tracing::warn!(
                "no identity provider is configured: sign-in answers 503. Set upstream_issuer and \
                 upstream_client_id, or try --dev"
            );
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
        let timer = tokio::spawn(keep_house_on_a_timer(Arc::clone(&gatehouse)));
        let served = house.serve(sockets, stop).await;
        timer.abort();
        gatehouse.store.close().await;
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

fn stop_signal() -> Result<impl Future<Output = ()> + Send, CommandError> {
    let fault = |error| CommandError::new(format!("signals cannot be caught: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: finishing what has begun"),
            _ = interrupt.recv() => tracing::info!("SIGINT: finishing what has begun"),
        }
    })
}

async fn keep_house_on_a_timer(gatehouse: Arc<Gatehouse>) {
    let mut ticks = tokio::time::interval(HOUSE_KEPT_EVERY);
    loop {
        ticks.tick().await;
        keep_house(&gatehouse).await;
    }
}

/// What has to be done without being asked: expired rows go, people are given their organization
/// and what a rotated secret sealed is sealed anew, keys that another replica made come and those
/// that were withdrawn go, and the provider's endpoints are known before somebody waits for them.
pub async fn keep_house(gatehouse: &Gatehouse) {
    let now = gatehouse.clock.now();
    if let Some(upstream) = &gatehouse.upstream
        && let Err(error) = upstream.discover().await
    {
        tracing::warn!(error = %chain(&error), "the identity provider was not found");
    }
    if let Err(error) = gatehouse.reload_keys(now).await {
        tracing::warn!(error = %chain(&error), "the signing keys could not be read again");
    }
    match retention::pass(&gatehouse.config, &gatehouse.store, &gatehouse.sinks, now).await {
        Ok(deleted) => tracing::debug!(?deleted, "expired rows were deleted"),
        Err(error) => tracing::warn!(error = %chain(&error), "a clean-up pass failed"),
    }
    let kept = gc::usage_kept(&gatehouse.config);
    match usage_sweep::pass(&gatehouse.store, kept, now).await {
        Ok(swept) => tracing::debug!(?swept, "usage was rolled up"),
        Err(error) => tracing::warn!(error = %chain(&error), "usage could not be rolled up"),
    }
    let kept = gatehouse.config.enforcement.anonymous_kept;
    match reading::sweep(&gatehouse.store, kept, now).await {
        Ok(swept) => tracing::debug!(?swept, "old callers were deleted"),
        Err(error) => tracing::warn!(error = %chain(&error), "old callers could not be deleted"),
    }
    match upkeep::pass(&gatehouse.store, gatehouse.people(), now).await {
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
