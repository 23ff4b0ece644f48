//! Requests to the identity provider: bounded in time and size, never redirected.

use std::fmt;
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use url::Url;

use crate::http_client::{self, NoHttpClient};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// Why there is no answer to use.
#[derive(Debug)]
pub enum OutboundError {
    /// No HTTP client could be made on this machine.
    NoClient(NoHttpClient),
    /// No connection, no answer in time, or one that broke off.
    NoAnswer(reqwest::Error),
    /// An answer with another status than 200.
    Status(u16),
    /// An answer larger than is reasonable.
    TooLarge,
    /// An answer that is not the JSON it should be.
    NotJson,
}

impl fmt::Display for OutboundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClient(error) => write!(f, "{error}"),
            // The address could carry a code; what kind of failure it was is enough.
            Self::NoAnswer(error) if error.is_timeout() => f.write_str("no answer in time"),
            Self::NoAnswer(error) if error.is_connect() => f.write_str("no connection"),
            Self::NoAnswer(_) => f.write_str("the answer broke off"),
            Self::Status(status) => write!(f, "it answered with status {status}"),
            Self::TooLarge => f.write_str("its answer is too large"),
            Self::NotJson => f.write_str("its answer is not the JSON it should be"),
        }
    }
}

impl std::error::Error for OutboundError {}

/// The outbound HTTP client.
#[derive(Clone, Debug)]
pub struct Outbound(Client);

impl Outbound {
    /// A client for the provider.
    pub fn to(issuer: &str) -> Result<Self, OutboundError> {
        let place = Url::parse(issuer);
        let builder =
            place.as_ref().map_or_else(|_| http_client::builder(), http_client::builder_to);
        let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(TOTAL_TIMEOUT);
        http_client::build(builder).map(Self).map_err(OutboundError::NoClient)
    }

    /// Fetches JSON.
    pub async fn get_json<T: DeserializeOwned>(&self, address: &str) -> Result<T, OutboundError> {
        read_json(self.0.get(address)).await
    }

    /// Posts a form and reads JSON.
    pub async fn post_form<T: DeserializeOwned>(
        &self,
        address: &str,
        form: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<T, OutboundError> {
        let mut request = self.0.post(address).form(form);
        if let Some((user, password)) = basic {
            // RFC 6749 §2.3.1 wants both parts form-encoded first.
            let encode = |part: &str| -> String {
                url::form_urlencoded::byte_serialize(part.as_bytes()).collect()
            };
            request = request.basic_auth(encode(user), Some(encode(password)));
        }
        read_json(request).await
    }
}

async fn read_json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, OutboundError> {
    let request = request.header("accept", "application/json");
    let mut response = request.send().await.map_err(OutboundError::NoAnswer)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(OutboundError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(OutboundError::NoAnswer)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(OutboundError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| OutboundError::NotJson)
}
