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

pub mod keys;
pub mod layers;
pub mod secret_file;
pub mod values;

use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::values::Limit;
use crate::keys::SigningAlgorithm;
use crate::secret::{ServerSecret, decode_server_secret};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Cursor registers this beside its other redirect URIs and fails whole when it is refused.
const CURSOR_REDIRECT: &str = "cursor://anysphere.cursor-mcp/oauth/callback";

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

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The whole configuration, checked.
#[derive(Debug)]
pub struct Config {
    /// Public listener.
    pub listen: SocketAddr,
    /// Health and readiness; never the public listener.
    pub admin_listen: SocketAddr,
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
    /// How access tokens are signed.
    pub signing_alg: SigningAlgorithm,
    /// A key given instead of a generated one.
    pub signing_key: Option<String>,
    /// Whether clients may register.
    pub dcr: bool,
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
    /// Token requests.
    pub limit_token: Limit,
    /// Further browser origins allowed on `/mcp`.
    pub cors_origins: Vec<String>,
    /// Folders of documentation; none for the manual.
    pub docs_path: Vec<PathBuf>,
    /// The public address that pages are cited under.
    pub docs_url: Option<Url>,
    /// The product's name.
    pub docs_product: String,
    /// Where 401 answers and metadata point for help.
    pub help_url: Option<Url>,
    /// How log lines are written; unset means by terminal.
    pub log_format: Option<LogFormat>,
    /// What is logged.
    pub log: String,
    /// Settings that were set and have no effect in this version.
    pub without_effect: Vec<&'static str>,
}

impl Config {
    /// Reads and checks everything; makes the secret file when it may and must.
    pub fn load(given: &Given) -> Result<Self, ConfigError> {
        let layers = Layers::merge(given)?;
        let listen = layers.read("listen", "127.0.0.1:8080", socket)?;
        let public_url = public_url(&layers, listen)?;
        let is_loopback = values::is_loopback(&public_url);
        let upstream = upstream(&layers, is_loopback)?;
        let database_url = database_url(&layers)?;
        let refresh_token_ttl = ttl(&layers, "refresh_token_ttl", "30d", MINUTE, DAY * 3650)?;
        let access_token_ttl = ttl(&layers, "access_token_ttl", "1h", SECOND, DAY)?;
        if refresh_token_ttl < access_token_ttl {
            let message = "it must not be shorter than access_token_ttl";
            return Err(layers.error("refresh_token_ttl", message));
        }
        Ok(Self {
            listen,
            admin_listen: layers.read("admin_listen", "127.0.0.1:9090", socket)?,
            public_url: public_url.origin().ascii_serialization(),
            database_url,
            secret: Arc::new(secret(&layers, given, is_loopback)?),
            upstream,
            upstream_scope: layers.read(
                "upstream_scope",
                "openid email profile",
                upstream_scope,
            )?,
            upstream_params: pairs(&layers, "upstream_params")?,
            upstream_name: layers.text("upstream_name")?,
            signup_url: layers.read_optional("signup_url", values::address)?,
            privacy_url: layers.read_optional("privacy_url", values::address)?,
            auth: layers.read("auth", "enforce", auth_mode)?,
            require_work_email: layers.read("require_work_email", "false", values::switch)?,
            access_token_ttl,
            refresh_token_ttl,
            grant_max_ttl: layers.read("grant_max_ttl", "none", values::optional_duration)?,
            authorization_request_ttl: ttl(
                &layers,
                "authorization_request_ttl",
                "10m",
                SECOND,
                HOUR,
            )?,
            // OAuth 2.1 §4.1.2: ten minutes are the recommended maximum.
            authorization_code_ttl: ttl(
                &layers,
                "authorization_code_ttl",
                "60s",
                SECOND,
                MINUTE * 10,
            )?,
            refresh_grace: ttl(&layers, "refresh_grace", "30s", Duration::ZERO, MINUTE * 10)?,
            signing_alg: layers.read("signing_alg", "RS256", signing_alg)?,
            signing_key: layers.text("signing_key")?,
            dcr: layers.read("dcr", "true", values::switch)?,
            legacy_paths: layers.read("legacy_paths", "true", values::switch)?,
            custom_scheme_redirects: layers
                .items("custom_scheme_redirects")
                .unwrap_or_else(|| vec![CURSOR_REDIRECT.to_owned()]),
            trusted_proxies: networks(&layers)?,
            limit_mcp: layers.read("limit_mcp", "60/15m", values::limit)?,
            limit_mcp_anonymous: layers.read("limit_mcp_anonymous", "20/15m", values::limit)?,
            limit_register: layers.read("limit_register", "20/1h", values::limit)?,
            limit_token: layers.read("limit_token", "120/1m", values::limit)?,
            cors_origins: cors_origins(&layers)?,
            docs_path: docs_path(&layers, given),
            docs_url: layers.read_optional("docs_url", values::address)?,
            docs_product: layers.read("docs_product", "Gatehouse", product)?,
            help_url: layers.read_optional("help_url", values::address)?,
            log_format: layers.read_optional("log_format", log_format)?,
            log: layers.text("log")?.unwrap_or_else(|| "info".into()),
            without_effect: without_effect(&layers)?,
        })
    }

    /// Where an address of ours begins.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// Whether the public address is this machine's own.
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.public_url).is_ok_and(|url| values::is_loopback(&url))
    }
}

/// What the database URL is by itself, for commands that need nothing else.
pub fn database_url(layers: &Layers) -> Result<String, ConfigError> {
    layers.read("database_url", "sqlite://data/gatehouse.db?mode=rwc", |text| {
        let known = ["sqlite://", "sqlite:", "postgres://", "postgresql://"];
        if known.iter().any(|scheme| text.starts_with(scheme)) {
            Ok(text.to_owned())
        } else {
            Err("it must begin with sqlite:// or postgres://".into())
        }
    })
}

fn public_url(layers: &Layers, listen: SocketAddr) -> Result<Url, ConfigError> {
    // Moving the listener alone to another loopback port moves the address people type as well.
    let default = if listen.ip().is_loopback() && listen.port() != 0 {
        format!("http://{listen}")
    } else {
        "http://127.0.0.1:8080".into()
    };
    layers.read("public_url", &default, values::origin)
}

fn upstream(layers: &Layers, is_loopback: bool) -> Result<UpstreamConfig, ConfigError> {
    if layers.read("dev", "false", values::switch)? {
        if !is_loopback {
            let message = "the built-in provider lets anyone in as anybody, so it needs a loopback \
                 public_url";
            return Err(layers.error("dev", message));
        }
        return Ok(UpstreamConfig::Dev);
    }
    let client_id = layers.text("upstream_client_id")?;
    let issuer = layers
        .read_optional("upstream_issuer", |text| values::address(text).map(|_| text.to_owned()))?;
    match (issuer, client_id) {
        (None, None) => Ok(UpstreamConfig::None),
        (Some(issuer), Some(client_id)) => Ok(UpstreamConfig::Provider(ProviderConfig {
            issuer,
            client_id,
            client_secret: layers.text("upstream_client_secret")?,
        })),
        (Some(_), None) => {
            Err(ConfigError::new("upstream_client_id", "upstream_issuer is set, so it must be too"))
        }
        (None, Some(_)) => {
            Err(ConfigError::new("upstream_issuer", "upstream_client_id is set, so it must be too"))
        }
    }
}

fn secret(layers: &Layers, given: &Given, is_loopback: bool) -> Result<ServerSecret, ConfigError> {
    let decode = |text: &str| decode_server_secret(text).map_err(|error| error.to_string());
    let previous = layers.read_optional("secret_previous", decode)?;
    if let Some(current) = layers.read_optional("secret", decode)? {
        return Ok(ServerSecret::new(current, previous));
    }
    if !is_loopback {
        let message = "it is required when public_url is not loopback; make one with \
             `openssl rand -base64 48` and give it to every replica";
        return Err(ConfigError::new("secret", message));
    }
    let current = secret_file::read_or_create(&given.folder)?;
    Ok(ServerSecret::new(current, previous))
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not address:port"))
}

fn ttl(
    layers: &Layers,
    name: &str,
    default: &str,
    min: Duration,
    max: Duration,
) -> Result<Duration, ConfigError> {
    layers.read(name, default, |text| values::duration_within(text, min, max))
}

fn upstream_scope(text: &str) -> Result<String, String> {
    if text.split_ascii_whitespace().any(|scope| scope == "openid") {
        Ok(text.to_owned())
    } else {
        Err("it must contain openid, or the provider issues no ID token".into())
    }
}

fn pairs(layers: &Layers, name: &str) -> Result<Vec<(String, String)>, ConfigError> {
    // What we must decide ourselves cannot be overridden by accident.
    const OURS: [&str; 8] = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ];
    let items = layers.items(name).unwrap_or_default();
    let pair = |item: &String| match item.split_once('=') {
        Some((key, _)) if OURS.contains(&key.trim()) => {
            Err(layers.error(name, format!("{key} is set by Gatehouse itself")))
        }
        Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
        None => Err(layers.error(name, format!("{item:?} is not k=v"))),
    };
    items.iter().map(pair).collect()
}

fn auth_mode(text: &str) -> Result<AuthMode, String> {
    match text {
        "enforce" => Ok(AuthMode::Enforce),
        "grace" => Ok(AuthMode::Grace),
        "open" => Ok(AuthMode::Open),
        _ => Err(format!("{text:?} is none of enforce, grace, open")),
    }
}

fn signing_alg(text: &str) -> Result<SigningAlgorithm, String> {
    SigningAlgorithm::from_name(text)
        .ok_or_else(|| format!("{text:?} is none of RS256, ES256, EdDSA"))
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is neither text nor json")),
    }
}

fn product(text: &str) -> Result<String, String> {
    if text.chars().count() <= 60 && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("it must have at most 60 printable characters".into())
    }
}

fn networks(layers: &Layers) -> Result<Vec<ipnet::IpNet>, ConfigError> {
    let name = "trusted_proxies";
    let network = |item: &String| {
        let single = || item.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
        item.parse::<ipnet::IpNet>().or_else(|_| single()).map_err(|_| {
            layers.error(name, format!("{item:?} is not a network such as 10.0.0.0/8"))
        })
    };
    layers.items(name).unwrap_or_default().iter().map(network).collect()
}

fn cors_origins(layers: &Layers) -> Result<Vec<String>, ConfigError> {
    let name = "cors_origins";
    let origin = |item: String| {
        if item == "*" {
            return Ok(item);
        }
        values::origin(&item).map_err(|m| layers.error(name, m))?;
        Ok(item)
    };
    layers.items(name).unwrap_or_default().into_iter().map(origin).collect()
}

fn docs_path(layers: &Layers, given: &Given) -> Vec<PathBuf> {
    let items = layers.items("docs_path").unwrap_or_default();
    items.into_iter().map(|item| given.folder.join(item)).collect()
}

fn without_effect(layers: &Layers) -> Result<Vec<&'static str>, ConfigError> {
    for name in ["cimd", "cimd_allow_loopback"] {
        layers.read(name, "false", values::switch)?;
    }
    layers.read("limit_cimd", "30/10m", values::limit)?;
    Ok(keys::WITHOUT_EFFECT.iter().copied().filter(|name| layers.is_set(name)).collect())
}

#[cfg(test)]
mod tests;
