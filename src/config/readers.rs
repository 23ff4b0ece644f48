//! How each setting that is more than one plain value is read and checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::secret_file;
use crate::config::values;
use crate::config::{
    ApiSpec, AuthMode, CimdConfig, DAY, LogFormat, MINUTE, ProviderConfig, SessionTtls,
    UpstreamConfig,
};
use crate::keys::SigningAlgorithm;
use crate::server_secret::{ServerSecret, decode_server_secret};

/// What the database URL is by itself, for commands that need nothing else.
pub fn database_url(layers: &Layers) -> Result<String, ConfigError> {
    layers.read("database_url", "sqlite://data/gatehouse.db?mode=rwc", |text| {
        if text.contains(":memory:") {
            return Err("an SQLite database must be a file; reads and writes use several \
                 connections"
                .into());
        }
        // The database library would repeat an address it cannot read, password and all.
        if text.starts_with("postgres") && Url::parse(text).is_err() {
            return Err(
                "it is not a URL; write special characters in user and password as %XX".into()
            );
        }
        let known = ["sqlite://", "sqlite:", "postgres://", "postgresql://"];
        if known.iter().any(|scheme| text.starts_with(scheme)) {
            Ok(text.to_owned())
        } else {
            Err("it must begin with sqlite:// or postgres://".into())
        }
    })
}

/// The public address; an origin.
pub fn public_url(layers: &Layers, listen: SocketAddr) -> Result<Url, ConfigError> {
    // Moving the listener alone to another loopback port moves the address people type as well.
    let default = if listen.ip().is_loopback() && listen.port() != 0 {
        format!("http://{listen}")
    } else {
        "http://127.0.0.1:8080".into()
    };
    layers.read("public_url", &default, values::origin)
}

/// Who people sign in with.
pub fn upstream(layers: &Layers, is_loopback: bool) -> Result<UpstreamConfig, ConfigError> {
    if layers.read("dev", "false", values::switch)? {
        if !is_loopback {
            let message = "the built-in provider lets anyone in as anybody, so public_url and \
                 listen must both be loopback";
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

/// The server secret; its file is made when it may and must.
pub fn secret(
    layers: &Layers,
    given: &Given,
    is_loopback: bool,
) -> Result<ServerSecret, ConfigError> {
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

/// The admin listener by itself, for commands that need nothing else.
pub fn admin_listen(layers: &Layers) -> Result<SocketAddr, ConfigError> {
    layers.read("admin_listen", "127.0.0.1:9090", socket)
}

/// Reads `address:port`.
pub fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is not address:port"))
}

/// Reads the scopes asked of the provider.
pub fn upstream_scope(text: &str) -> Result<String, String> {
    if text.split_ascii_whitespace().any(|scope| scope == "openid") {
        Ok(text.to_owned())
    } else {
        Err("it must contain openid, or the provider issues no ID token".into())
    }
}

/// Reads the scopes granted to a client that names none.
pub fn default_scope(text: &str) -> Result<String, String> {
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let are_known = words.iter().all(|word| ["docs:read", "docs:feedback"].contains(word));
    if are_known && words.contains(&"docs:read") {
        Ok(words.join(" "))
    } else {
        Err("it must be \"docs:read\" or \"docs:read docs:feedback\"".into())
    }
}

/// Reads a map.
pub fn pairs_of(layers: &Layers, name: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let pair = |item: &String| match item.split_once('=') {
        Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
        None => Err(layers.error(name, format!("{item:?} is not k=v"))),
    };
    layers.items(name).unwrap_or_default().iter().map(pair).collect()
}

/// Reads the extra parameters for the provider.
pub fn upstream_params(layers: &Layers) -> Result<Vec<(String, String)>, ConfigError> {
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
    let name = "upstream_params";
    let pairs = pairs_of(layers, name)?;
    match pairs.iter().find(|(key, _)| OURS.contains(&key.as_str())) {
        Some((key, _)) => Err(layers.error(name, format!("{key} is set by Gatehouse itself"))),
        None => Ok(pairs),
    }
}

/// Reads who may read without signing in.
pub fn auth_mode(text: &str) -> Result<AuthMode, String> {
    match text {
        "enforce" => Ok(AuthMode::Enforce),
        "grace" => Ok(AuthMode::Grace),
        "open" => Ok(AuthMode::Open),
        _ => Err(format!("{text:?} is none of enforce, grace, open")),
    }
}

/// Reads how access tokens are signed.
pub fn signing_alg(text: &str) -> Result<SigningAlgorithm, String> {
    SigningAlgorithm::from_name(text)
        .ok_or_else(|| format!("{text:?} is none of RS256, ES256, EdDSA"))
}

/// Reads how old a generated signing key is when another follows.
pub fn key_rotation(layers: &Layers) -> Result<Option<Duration>, ConfigError> {
    let name = "key_rotation";
    let rotation = layers.read(name, "90d", |text| match text {
        "none" => Ok(None),
        text => values::duration_within(text, DAY, DAY * 3650).map(Some),
    })?;
    if rotation.is_some() && layers.is_set(name) && layers.is_set("signing_key") {
        let message = "a key that signing_key gives is changed there and nowhere else";
        return Err(layers.error(name, message));
    }
    Ok(rotation)
}

/// How long requests are still taken after SIGTERM. In development nobody waits for a proxy.
pub fn stop_delay(layers: &Layers) -> Result<Duration, ConfigError> {
    let is_dev = layers.read("dev", "false", values::switch)?;
    let default = if is_dev { "0s" } else { "5s" };
    layers.read("stop_delay", default, |text| {
        values::duration_within(text, Duration::ZERO, MINUTE * 5)
    })
}

/// Reads how log lines are written.
pub fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is neither text nor json")),
    }
}

/// Reads a name that fits into titles.
pub fn product(text: &str) -> Result<String, String> {
    if text.chars().count() <= 60 && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("it must have at most 60 printable characters".into())
    }
}

/// The longest name that the registry takes.
const SERVER_NAME_CHARS_MAX: usize = 200;

/// Reads the name of this server in registries: a domain in reverse order, a slash and a name.
///
/// The pattern is that of the registry's schema 2025-12-11 (`modelcontextprotocol/registry`); that
/// each part begins and ends with a letter or digit keeps out what no domain can be.
pub fn server_name(text: &str) -> Result<String, String> {
    let is_part = |part: &str, joints: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric();
        part.starts_with(plain)
            && part.ends_with(plain)
            && part.chars().all(|c| plain(c) || joints.contains(c))
    };
    match text.split_once('/') {
        Some((namespace, name))
            if is_part(namespace, ".-")
                && is_part(name, "._-")
                && text.len() <= SERVER_NAME_CHARS_MAX =>
        {
            Ok(text.to_owned())
        }
        _ => Err(format!(
            "{text:?} is not a registry name such as com.example/docs: your domain in reverse \
             order, one slash and a name of letters, digits, dots, dashes and underscores, \
             together at most {SERVER_NAME_CHARS_MAX} characters"
        )),
    }
}

/// Reads the trusted proxies.
pub fn networks(layers: &Layers) -> Result<Vec<ipnet::IpNet>, ConfigError> {
    let name = "trusted_proxies";
    let network = |item: &String| {
        let single = || item.parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
        item.parse::<ipnet::IpNet>().or_else(|_| single()).map_err(|_| {
            layers.error(name, format!("{item:?} is not a network such as 10.0.0.0/8"))
        })
    };
    layers.items(name).unwrap_or_default().iter().map(network).collect()
}

/// Reads browser origins.
pub fn cors_origins(layers: &Layers) -> Result<Vec<String>, ConfigError> {
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

/// Reads the origins of documentation sites. There is no `*`: sessions are read with cookies.
pub fn site_origins(layers: &Layers) -> Result<Vec<String>, ConfigError> {
    let name = "site_origins";
    let origin = |item: String| match values::origin(&item) {
        Ok(_) => Ok(item),
        Err(message) => Err(layers.error(name, message)),
    };
    layers.items(name).unwrap_or_default().into_iter().map(origin).collect()
}

/// How long browser sessions last.
pub fn session_ttls(layers: &Layers) -> Result<SessionTtls, ConfigError> {
    let ttl = |name: &str, default: &str| {
        layers.read(name, default, |text| values::duration_within(text, MINUTE * 5, DAY * 365))
    };
    let ttls =
        SessionTtls { idle: ttl("session_idle_ttl", "7d")?, max: ttl("session_max_ttl", "30d")? };
    if ttls.max < ttls.idle {
        let message = "it must not be shorter than session_idle_ttl";
        return Err(layers.error("session_max_ttl", message));
    }
    Ok(ttls)
}

/// First parts of paths that belong to programs, which look for them at the root.
const TAKEN: [&str; 7] =
    ["mcp", "oauth", ".well-known", "authorize", "token", "register", "dev-provider"];

/// Reads where pages for people live; nothing for the root.
pub fn pages_path(text: &str) -> Result<String, String> {
    let complain = || format!("{text:?} is not a path such as /connect");
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    if trimmed.is_empty() {
        return Ok(String::new());
    }
    let below_root = trimmed.strip_prefix('/').ok_or_else(complain)?;
    let is_plain = |part: &str| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        !matches!(part, "" | "." | "..") && part.chars().all(is_name)
    };
    if !below_root.split('/').all(is_plain) {
        return Err(complain());
    }
    match below_root.split('/').next() {
        Some(first) if TAKEN.contains(&first) => Err(format!("/{first} is where programs look")),
        _ => Ok(trimmed.to_owned()),
    }
}

/// The folders of documentation, from where the process stands.
pub fn docs_path(layers: &Layers, given: &Given) -> Vec<PathBuf> {
    let items = layers.items("docs_path").unwrap_or_default();
    items.into_iter().map(|item| given.folder.join(item)).collect()
}

/// The OpenAPI documents, from where the process stands: `name=path`, or a path alone.
pub fn api_specs(layers: &Layers, given: &Given) -> Result<Vec<ApiSpec>, ConfigError> {
    let name = "api_specs";
    let spec = |item: String| {
        // A path may have an equals sign in it, a name has no slash.
        let (api, path) = match item.split_once('=') {
            Some((api, path)) if !api.contains('/') => (Some(api.trim().to_owned()), path.trim()),
            Some(_) | None => (None, item.as_str()),
        };
        if path.is_empty() || api.as_ref().is_some_and(String::is_empty) {
            return Err(layers.error(name, format!("{item:?} is neither name=path nor a path")));
        }
        Ok(ApiSpec { name: api, path: given.folder.join(path) })
    };
    layers.items(name).unwrap_or_default().into_iter().map(spec).collect()
}

/// Which clients may be known by a metadata document. All of it is checked, also when it is
/// switched off.
pub fn cimd(layers: &Layers, is_loopback: bool) -> Result<Option<CimdConfig>, ConfigError> {
    let config = CimdConfig {
        allow_loopback: layers.read("cimd_allow_loopback", "false", values::switch)?,
        allowed_domains: domains(layers, "cimd_allowed_domains")?,
        denied_domains: domains(layers, "cimd_denied_domains")?,
    };
    if config.allow_loopback && !is_loopback {
        let message = "strangers could make this server call programs on its own machine, so \
             public_url must be loopback";
        return Err(layers.error("cimd_allow_loopback", message));
    }
    Ok(layers.read("cimd", "true", values::switch)?.then_some(config))
}

/// Reads domain names, in the spelling that URLs have them.
fn domains(layers: &Layers, name: &str) -> Result<Vec<String>, ConfigError> {
    let domain = |item: String| {
        let complain =
            || layers.error(name, format!("{item:?} is not a domain such as example.com"));
        let url = Url::parse(&format!("https://{item}/")).map_err(|_| complain())?;
        match url.host() {
            Some(url::Host::Domain(host)) if host == item => Ok(item),
            Some(url::Host::Domain(host)) if host == item.to_lowercase() => {
                Err(layers.error(name, format!("write it as {host}")))
            }
            _ => Err(complain()),
        }
    };
    layers.items(name).unwrap_or_default().into_iter().map(domain).collect()
}
