//! Who may see the admin pages, and where browsers find them. What the entries of `admins` mean is
//! checked where the rule is (`domain::administrators`).

use std::net::SocketAddr;

use crate::config::layers::{ConfigError, Layers};
use crate::config::values;

/// The settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdminConfig {
    /// Addresses, domains and organizations, as they are written.
    pub admins: Vec<String>,
    /// The admin listener as browsers see it, an origin; none where nobody said how.
    pub url: Option<String>,
}

/// Reads them.
pub fn admin(layers: &Layers, admin_listen: SocketAddr) -> Result<AdminConfig, ConfigError> {
    let admins = layers.items("admins").unwrap_or_default();
    let given = layers.read_optional("admin_url", values::origin)?;
    let given = given.map(|url| url.origin().ascii_serialization());
    let is_known = admin_listen.ip().is_loopback() && admin_listen.port() != 0;
    let url = given.or_else(|| is_known.then(|| format!("http://{admin_listen}")));
    if url.is_none() && !admins.is_empty() {
        let message = "it must be set where admins is and admin_listen is not loopback: browsers \
             are led back there from the sign-in";
        return Err(layers.error("admin_url", message));
    }
    Ok(AdminConfig { admins, url })
}
