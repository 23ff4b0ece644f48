//! The configuration: read once, checked whole, then plain typed values.
//!
//! The only reader of the environment. Every limit and lifetime has a name and a unit. Anything
//! that would leave the service open by mistake stops the start: a public address without a
//! secret, a development provider off loopback, an unknown key.
//!
//! Never here: connections, defaults that depend on a request.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

pub mod admin;
pub mod brand;
pub mod enforcement;
pub mod feedback;
pub mod keys;
pub mod layers;
pub mod organizations;
pub mod own_files;
pub mod readers;
pub mod remote;
pub mod remote_tool;
pub mod retention;
pub mod secret_file;
pub mod sink;
pub mod sink_words;
pub mod tables;
pub mod traces;
pub mod usage;
pub mod values;

use crate::config::admin::{AdminConfig, admin};
use crate::config::brand::{BrandConfig, brand};
use crate::config::enforcement::{EnforcementConfig, enforcement};
use crate::config::feedback::{FeedbackConfig, feedback};
use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::organizations::{OrganizationConfig, organizations};
use crate::config::readers::{
    admin_listen, api_specs, auth_mode, cimd, cors_origins, database_url, default_scope, docs_path,
    key_rotation, log_format, networks, pages_path, product, public_url, secret, server_name,
    session_ttls, signing_alg, site_origins, socket, stop_delay, upstream, upstream_params,
    upstream_scope,
};
use crate::config::remote::{RemoteConfig, remotes};
use crate::config::retention::{RetentionConfig, retention};
use crate::config::sink::{SinkConfig, sinks};
use crate::config::traces::{TracesConfig, traces};
use crate::config::usage::{UsageConfig, usage};
use crate::config::values::Limit;
use crate::keys::SigningAlgorithm;
use crate::loopback;
use crate::server_secret::ServerSecret;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// OAuth 2.1 §4.1.2: ten minutes are the recommended maximum.
const CODE_TTL_MAX: Duration = Duration::from_mins(10);

/// Cursor registers this beside its other redirect URIs and fails whole when it is refused.
const CURSOR_REDIRECT: &str = "cursor://anysphere.cursor-mcp/oauth/callback";

/// What is asked of the provider: who it is, their address, their name and organization.
const DEFAULT_SCOPE: &str = "openid email profile";

/// What a client gets that names no documentation scope: all there is to do here.
const DEFAULT_GRANT: &str = "docs:read docs:feedback";

/// An OpenAPI document, or a folder of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSpec {
    /// What tools call the API; a folder without one holds a folder for each API.
    pub name: Option<String>,
    /// The file or folder.
    pub path: PathBuf,
}

/// Who may read without signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Every request needs a token.
    Enforce,
    /// Requests without a token pass for now and are counted.
    Grace,
    /// Reading without a token is allowed for good.
    Open,
}

impl AuthMode {
    /// The word in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Grace => "grace",
            Self::Open => "open",
        }
    }
}

/// Who people sign in with.
#[derive(Clone, Debug)]
pub enum UpstreamConfig {
    /// Nobody: the sign-in endpoints answer 503.
    None,
    /// The built-in development provider.
    Dev,
    /// An OpenID Connect provider.
    Provider(ProviderConfig),
}

/// An OpenID Connect provider.
#[derive(Clone)]
pub struct ProviderConfig {
    /// Compared byte for byte.
    pub issuer: String,
    /// Our client identifier there.
    pub client_id: String,
    /// Without one we are a public client.
    pub client_secret: Option<String>,
}

impl std::fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderConfig").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Which clients may be known by a metadata document.
#[derive(Clone, Debug)]
pub struct CimdConfig {
    /// Whether documents may lie on this machine.
    pub allow_loopback: bool,
    /// If any are named: domains whose documents are accepted, and no others.
    pub allowed_domains: Vec<String>,
    /// Domains whose documents are never accepted.
    pub denied_domains: Vec<String>,
}

/// How long a browser stays signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTtls {
    /// Idle time after which a session ends.
    pub idle: Duration,
    /// Absolute lifetime, however much it is used.
    pub max: Duration,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The whole configuration, checked. Not `Debug`: it holds passwords and keys.
pub struct Config {
    /// Public listener.
    pub listen: SocketAddr,
    /// Health, readiness and administration; never the public listener.
    pub admin_listen: SocketAddr,
    /// Who may see the admin pages, and where those are.
    pub admin: AdminConfig,
    /// Issuer and base of every absolute URL, without trailing slash.
    pub public_url: String,
    /// `sqlite://…` or `postgres://…`.
    pub database_url: String,
    /// Seals, authenticates, derives.
    pub secret: Arc<ServerSecret>,
    /// Who people sign in with.
    pub upstream: UpstreamConfig,
    /// Scopes asked of the provider.
    pub upstream_scope: String,
    /// Extra parameters for its authorize request.
    pub upstream_params: Vec<(String, String)>,
    /// What the pages call it.
    pub upstream_name: Option<String>,
    /// Where people without an account go.
    pub signup_url: Option<Url>,
    /// The privacy policy.
    pub privacy_url: Option<Url>,
    /// Who may read without signing in.
    pub auth: AuthMode,
    /// Whether free and disposable mail domains are refused.
    pub require_work_email: bool,
    /// Who belongs to which organization.
    pub organizations: OrganizationConfig,
    /// Scopes granted to a client that names no documentation scope.
    pub default_scope: String,
    /// Lifetime of an access token.
    pub access_token_ttl: Duration,
    /// Idle time after which a refresh token dies.
    pub refresh_token_ttl: Duration,
    /// Absolute lifetime of a grant.
    pub grant_max_ttl: Option<Duration>,
    /// Time a person has to sign in.
    pub authorization_request_ttl: Duration,
    /// Lifetime of an authorization code.
    pub authorization_code_ttl: Duration,
    /// How long a rotated refresh token still answers.
    pub refresh_grace: Duration,
    /// How long browser sessions last.
    pub session: SessionTtls,
    /// How access tokens are signed.
    pub signing_alg: SigningAlgorithm,
    /// A key given instead of a generated one.
    pub signing_key: Option<String>,
    /// How old a generated key is when another follows.
    pub key_rotation: Option<Duration>,
    /// Whether clients may register.
    pub dcr: bool,
    /// Which clients may be known by a metadata document; none when that is switched off.
    pub cimd: Option<CimdConfig>,
    /// Whether `/authorize`, `/token` and `/register` are served too.
    pub legacy_paths: bool,
    /// Exact private-use redirect URIs that are allowed.
    pub custom_scheme_redirects: Vec<String>,
    /// Networks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// `/mcp`, per person.
    pub limit_mcp: Limit,
    /// `/mcp`, per address without a token.
    pub limit_mcp_anonymous: Limit,
    /// Registrations, per address.
    pub limit_register: Limit,
    /// Metadata documents fetched, per address.
    pub limit_cimd: Limit,
    /// Token requests.
    pub limit_token: Limit,
    /// Further browser origins allowed on `/mcp`.
    pub cors_origins: Vec<String>,
    /// Origins of documentation sites: where a browser login may lead, and who may read a session.
    pub site_origins: Vec<String>,
    /// What stands before the paths of pages for people, without trailing slash; often empty.
    pub pages_path: String,
    /// Folders of documentation; none for the manual.
    pub docs_path: Vec<PathBuf>,
    /// The public address that pages are cited under.
    pub docs_url: Option<Url>,
    /// OpenAPI documents; none for our own.
    pub api_specs: Vec<ApiSpec>,
    /// The product's name.
    pub docs_product: String,
    /// What registries call the server: namespace and name.
    pub server_name: Option<String>,
    /// Where 401 answers and metadata point for help.
    pub help_url: Option<Url>,
    /// How the pages look.
    pub brand: BrandConfig,
    /// Where feedback is delivered; none when it is only stored.
    pub feedback: Option<FeedbackConfig>,
    /// Other MCP servers whose tools are offered here.
    pub remotes: Vec<RemoteConfig>,
    /// What is kept of usage.
    pub usage: UsageConfig,
    /// Who is asked to sign in although `auth` is `grace`.
    pub enforcement: EnforcementConfig,
    /// Where events about people go.
    pub sinks: Vec<SinkConfig>,
    /// How long what is kept.
    pub kept: RetentionConfig,
    /// Settings that name a file with a secret which everybody on the machine may read.
    pub exposed_files: Vec<String>,
    /// How long requests are still taken after SIGTERM.
    pub stop_delay: Duration,
    /// How log lines are written; unset means by terminal.
    pub log_format: Option<LogFormat>,
    /// What is logged.
    pub log: String,
    /// Where the traces of requests go, if they go anywhere.
    pub traces: Option<TracesConfig>,
}

fn ttl(
    layers: &Layers,
    name: &str,
    default: &str,
    (min, max): (Duration, Duration),
) -> Result<Duration, ConfigError> {
    layers.read(name, default, |text| values::duration_within(text, min, max))
}

fn token_ttls(layers: &Layers) -> Result<(Duration, Duration), ConfigError> {
    let refresh = ttl(layers, "refresh_token_ttl", "30d", (MINUTE, DAY * 3650))?;
    let access = ttl(layers, "access_token_ttl", "1h", (SECOND, DAY))?;
    if refresh < access {
        let message = "it must not be shorter than access_token_ttl";
        return Err(layers.error("refresh_token_ttl", message));
    }
    Ok((access, refresh))
}

impl Config {
    /// Reads and checks everything; makes the secret file when it may and must.
    pub fn load(given: &Given) -> Result<Self, ConfigError> {
        let layers = Layers::merge(given)?;
        let ttl = |name, default, min, max| ttl(&layers, name, default, (min, max));
        let listen = layers.read("listen", "127.0.0.1:8080", socket)?;
        let admin_listen = admin_listen(&layers)?;
        let public_url = public_url(&layers, listen)?;
        let is_loopback = loopback::is_loopback(&public_url);
        let upstream = upstream(&layers, is_loopback && listen.ip().is_loopback())?;
        let (access_token_ttl, refresh_token_ttl) = token_ttls(&layers)?;
        let auth = layers.read("auth", "enforce", auth_mode)?;
        Ok(Self {
            listen,
            admin_listen,
            admin: admin(&layers, admin_listen)?,
            public_url: public_url.origin().ascii_serialization(),
            database_url: database_url(&layers)?,
            secret: Arc::new(secret(&layers, given, is_loopback)?),
            upstream,
            upstream_scope: layers.read("upstream_scope", DEFAULT_SCOPE, upstream_scope)?,
            upstream_params: upstream_params(&layers)?,
            upstream_name: layers.text("upstream_name")?,
            signup_url: layers.read_optional("signup_url", values::address)?,
            privacy_url: layers.read_optional("privacy_url", values::address)?,
            auth,
            require_work_email: layers.read("require_work_email", "false", values::switch)?,
            organizations: organizations(&layers)?,
            default_scope: layers.read("default_scope", DEFAULT_GRANT, default_scope)?,
            access_token_ttl,
            refresh_token_ttl,
            grant_max_ttl: layers.read("grant_max_ttl", "none", values::optional_duration)?,
            authorization_request_ttl: ttl("authorization_request_ttl", "10m", SECOND, HOUR)?,
            authorization_code_ttl: ttl("authorization_code_ttl", "60s", SECOND, CODE_TTL_MAX)?,
            refresh_grace: ttl("refresh_grace", "30s", Duration::ZERO, MINUTE * 10)?,
            session: session_ttls(&layers)?,
            signing_alg: layers.read("signing_alg", "RS256", signing_alg)?,
            signing_key: layers.text("signing_key")?,
            key_rotation: key_rotation(&layers)?,
            dcr: layers.read("dcr", "true", values::switch)?,
            cimd: cimd(&layers, is_loopback)?,
            legacy_paths: layers.read("legacy_paths", "true", values::switch)?,
            custom_scheme_redirects: custom_scheme_redirects(&layers),
            trusted_proxies: networks(&layers)?,
            limit_mcp: layers.read("limit_mcp", "60/15m", values::limit)?,
            limit_mcp_anonymous: layers.read("limit_mcp_anonymous", "20/15m", values::limit)?,
            limit_register: layers.read("limit_register", "20/1h", values::limit)?,
            limit_cimd: layers.read("limit_cimd", "30/10m", values::limit)?,
            limit_token: layers.read("limit_token", "120/1m", values::limit)?,
            cors_origins: cors_origins(&layers)?,
            site_origins: site_origins(&layers)?,
            pages_path: layers.read("pages_path", "/", pages_path)?,
            docs_path: docs_path(&layers, given),
            docs_url: layers.read_optional("docs_url", values::address)?,
            api_specs: api_specs(&layers, given)?,
            docs_product: layers.read("docs_product", "Gatehouse", product)?,
            server_name: layers.read_optional("server_name", server_name)?,
            help_url: layers.read_optional("help_url", values::address)?,
            brand: brand(&layers, given)?,
            feedback: feedback(&layers, given)?,
            remotes: remotes(&layers, given)?,
            usage: usage(&layers)?,
            enforcement: enforcement(&layers, auth)?,
            sinks: sinks(&layers, given)?,
            kept: retention(&layers)?,
            stop_delay: stop_delay(&layers)?,
            log_format: layers.read_optional("log_format", log_format)?,
            log: layers.text("log")?.unwrap_or_else(|| "info".into()),
            traces: traces(&layers, given)?,
            exposed_files: layers.exposed_files,
        })
    }

    /// Where an address of ours begins.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// The path of a page for people.
    pub fn page_path(&self, path: &str) -> String {
        format!("{}{path}", self.pages_path)
    }

    /// The address of a page for people.
    pub fn page_url(&self, path: &str) -> String {
        format!("{}{}{path}", self.public_url, self.pages_path)
    }

    /// Whether the public address is this machine's own.
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.public_url).is_ok_and(|url| loopback::is_loopback(&url))
    }
}

fn custom_scheme_redirects(layers: &Layers) -> Vec<String> {
    let listed = layers.items("custom_scheme_redirects");
    listed.unwrap_or_else(|| vec![CURSOR_REDIRECT.to_owned()])
}

#[cfg(test)]
mod tests;
