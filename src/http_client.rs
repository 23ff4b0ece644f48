//! How this server goes out: what every HTTP client of ours has in common.
//!
//! No redirect is ever followed: whom we talk to is named by a setting, a discovery document or a
//! vetted address, and a redirect would carry codes, credentials or messages elsewhere.
//!
//! Never here: whom to ask for what, deadlines, bounds.

use std::fmt;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use url::Url;

use crate::loopback::is_loopback;

/// No HTTP client can be made on this machine.
#[derive(Debug)]
pub struct NoHttpClient(reqwest::Error);

impl fmt::Display for NoHttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no HTTP client: are CA certificates installed? ({})", self.0)
    }
}

impl std::error::Error for NoHttpClient {}

/// The beginning of a client.
pub fn builder() -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .user_agent(concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
}

/// The beginning of a client for one place that the configuration names. One on this machine is
/// reached directly, whatever proxy the environment names for the way out.
pub fn builder_to(place: &Url) -> ClientBuilder {
    if is_loopback(place) { builder().no_proxy() } else { builder() }
}

/// The client.
pub fn build(builder: ClientBuilder) -> Result<Client, NoHttpClient> {
    builder.build().map_err(NoHttpClient)
}
