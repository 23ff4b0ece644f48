//! Requests: bounded in time and size, never redirected.

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use crate::error::ProbeError;

const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Not within `--timeout`.
    Late,
    /// Nobody listens there, or not with a certificate that is believed.
    NoConnection,
    /// It began and did not end.
    BrokenOff,
    /// Larger than is reasonable.
    TooLarge,
}

impl Silence {
    fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::Late
        } else if error.is_connect() {
            Self::NoConnection
        } else {
            Self::BrokenOff
        }
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "no answer in time",
            Self::NoConnection => "no connection",
            Self::BrokenOff => "an answer that broke off",
            Self::TooLarge => "an answer that is too large",
        })
    }
}

/// An answer, read whole.
pub struct Reply {
    /// Its status.
    pub status: u16,
    body: Vec<u8>,
}

impl Reply {
    /// Its body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// An HTTP client.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client,
    timeout: Duration,
    is_local: bool,
}

impl Http {
    /// A client for the server at `address`.
    pub fn to(address: &Url, timeout: Duration) -> Result<Self, ProbeError> {
        let is_local = match address.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        Ok(Self { client: client(timeout, is_local)?, timeout, is_local })
    }

    /// A client like this one with connections of its own.
    pub fn another(&self) -> Result<Self, ProbeError> {
        Ok(Self { client: client(self.timeout, self.is_local)?, ..self.clone() })
    }

    /// The beginning of a request.
    pub fn request(&self, method: Method, address: &Url) -> RequestBuilder {
        self.client.request(method, address.clone())
    }

    /// The JSON document at `address`.
    pub async fn document<T: DeserializeOwned>(&self, address: &Url) -> Result<T, ProbeError> {
        let request = self.request(Method::GET, address).header(ACCEPT, "application/json");
        let reply = read(request).await;
        let reply = reply.map_err(|silence| ProbeError::Unreachable(address.clone(), silence))?;
        if reply.status != 200 {
            return Err(ProbeError::Status(address.clone(), reply.status.to_string()));
        }
        let document = reply.json().and_then(|json| serde_json::from_value(json).ok());
        document.ok_or_else(|| ProbeError::NotJson(address.clone()))
    }
}

/// One HTTP/1.1 connection for each request that is under way: over HTTP/2 racing calls would
/// queue up in one connection, and behind a load balancer all reach one replica.
fn client(timeout: Duration, is_local: bool) -> Result<Client, ProbeError> {
    let builder = if is_local { Client::builder().no_proxy() } else { Client::builder() };
    builder
        .http1_only()
        .redirect(Policy::none())
        .timeout(timeout)
        .user_agent(concat!("gatehouse-probe/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(ProbeError::NoHttp)
}

/// Sends a request and reads the whole answer.
pub async fn read(request: RequestBuilder) -> Result<Reply, Silence> {
    let mut response = head(request).await?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Silence::of(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Silence::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body })
}

/// Sends a request and reads no further than the head: a stream of events has no end.
pub async fn head(request: RequestBuilder) -> Result<Response, Silence> {
    request.send().await.map_err(|error| Silence::of(&error))
}

/// The challenges of an answer (RFC 9110 §11.6.1).
pub fn challenges(response: &Response) -> impl Iterator<Item = &str> {
    response.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok())
}
