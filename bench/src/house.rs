//! The house under measurement: the release binary with everything switched on.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::provider::{CLIENT_ID, Provider};
use crate::server::{Server, free_address};

/// A secret of 32 bytes.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Counted, leased, settled; and never reached.
const LIMIT: &str = "4000000000/15m";

/// What every house of a run has in common.
#[derive(Clone)]
pub struct Plot {
    /// The program.
    pub program: PathBuf,
    /// Where it runs, and where its log and its SQLite file lie.
    pub folder: PathBuf,
    /// Where it listens: always the same, as it is part of every token.
    pub address: SocketAddr,
    /// The pages; without them, the manual.
    pub corpus: Option<PathBuf>,
    /// API documents, when there are others than its own.
    pub api_specs: Option<PathBuf>,
}

impl Plot {
    /// Starts a house.
    pub async fn build(
        &self,
        provider: &Provider,
        database_url: &str,
        alg: &str,
    ) -> Result<Server, String> {
        self.build_at(self.address, provider, database_url, alg).await
    }

    /// Starts a replica of it that listens elsewhere.
    pub async fn build_at(
        &self,
        listen: SocketAddr,
        provider: &Provider,
        database_url: &str,
        alg: &str,
    ) -> Result<Server, String> {
        let environment = self.environment(listen, provider, database_url, alg)?;
        let program = self.program.to_string_lossy();
        let ready = "/.well-known/oauth-protected-resource";
        Server::start(&program, &["serve"], &environment, &self.folder, listen, ready).await
    }

    /// Its settings.
    pub fn environment(
        &self,
        listen: SocketAddr,
        provider: &Provider,
        database_url: &str,
        alg: &str,
    ) -> Result<Vec<(String, String)>, String> {
        let admin = free_address()?;
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut settings = vec![
            ("LISTEN", listen.to_string()),
            ("ADMIN_LISTEN", admin.to_string()),
            ("PUBLIC_URL", format!("http://{}", self.address)),
            ("DATABASE_URL", database_url.to_owned()),
            ("SECRET", SECRET.to_owned()),
            ("UPSTREAM_ISSUER", provider.issuer().to_owned()),
            ("UPSTREAM_CLIENT_ID", CLIENT_ID.to_owned()),
            ("SIGNING_ALG", alg.to_owned()),
            ("AUTHORIZATION_CODE_TTL", "10m".to_owned()),
            ("LOG", "info".to_owned()),
            ("LOG_FORMAT", "json".to_owned()),
        ];
        settings.extend(
            ["LIMIT_MCP", "LIMIT_MCP_ANONYMOUS", "LIMIT_REGISTER", "LIMIT_TOKEN"]
                .map(|name| (name, LIMIT.to_owned())),
        );
        if let Some(folder) = &self.corpus {
            settings.push(("DOCS_PATH", path(folder)));
            settings.push(("DOCS_PRODUCT", "Bench".to_owned()));
        }
        settings.extend(self.api_specs.as_deref().map(|folder| ("API_SPECS", path(folder))));
        Ok(settings.into_iter().map(|(name, value)| (format!("GATEHOUSE_{name}"), value)).collect())
    }

    /// A new SQLite file.
    pub fn sqlite(&self, name: &str) -> Result<String, String> {
        let file = self.folder.join(name);
        fs::File::create(&file).map_err(|error| format!("the database file: {error}"))?;
        Ok(format!("sqlite://{}?mode=rwc", file.display()))
    }
}
