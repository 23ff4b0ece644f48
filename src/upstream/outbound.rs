//! Requests to the identity provider: bounded in time and size, never redirected.

use std::fmt;
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use tracing::Instrument as _;
use url::Url;

use crate::clock::Stopwatch;
use crate::http_client::{self, NoHttpClient};
use crate::metrics::provider::{ProviderCall, ProviderMetrics};
use crate::traces::{self, End};

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

impl OutboundError {
    /// The word by which it is counted.
    const fn word(&self) -> &'static str {
        match self {
            Self::NoClient(_) | Self::NoAnswer(_) => "no_answer",
            Self::Status(400..=499) => "status_4xx",
            Self::Status(_) => "status_other",
            Self::TooLarge | Self::NotJson => "unusable",
        }
    }
}

/// The outbound HTTP client.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    metrics: ProviderMetrics,
}

impl Outbound {
    /// A client for the provider.
    pub fn to(issuer: &str, metrics: ProviderMetrics) -> Result<Self, OutboundError> {
        let place = Url::parse(issuer);
        let builder =
            place.as_ref().map_or_else(|_| http_client::builder(), http_client::builder_to);
        let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(TOTAL_TIMEOUT);
        let client = http_client::build(builder).map_err(OutboundError::NoClient)?;
        Ok(Self { client, metrics })
    }

    /// Fetches JSON.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        call: ProviderCall,
        address: &str,
    ) -> Result<T, OutboundError> {
        self.measured(call, read_json(self.client.get(address))).await
    }

    /// Posts a form and reads JSON.
    pub async fn post_form<T: DeserializeOwned>(
        &self,
        call: ProviderCall,
        address: &str,
        form: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<T, OutboundError> {
        let mut request = self.client.post(address).form(form);
        if let Some((user, password)) = basic {
            // RFC 6749 §2.3.1 wants both parts form-encoded first.
            let encode = |part: &str| -> String {
                url::form_urlencoded::byte_serialize(part.as_bytes()).collect()
            };
            request = request.basic_auth(encode(user), Some(encode(password)));
        }
        self.measured(call, read_json(request)).await
    }

    async fn measured<T>(
        &self,
        call: ProviderCall,
        answer: impl Future<Output = Result<T, OutboundError>>,
    ) -> Result<T, OutboundError> {
        let (began, span) = (Stopwatch::start(), traces::provider_call(call.name()));
        let answer = answer.instrument(span.clone()).await;
        let outcome = answer.as_ref().map_or_else(OutboundError::word, |_| "answered");
        self.metrics.asked(call, outcome, began.elapsed());
        let end = if answer.is_ok() { End::Well } else { End::Fault };
        traces::ended(&span, outcome, end);
        answer
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
