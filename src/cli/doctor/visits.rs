//! How the doctor goes there: as any client, without a token, following nothing.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use url::Url;

use crate::http_client::{self, NoHttpClient};

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The most that is read of an answer.
const BODY_MAX: usize = 256 * 1024;

/// What came back.
pub struct Seen {
    /// The status.
    pub status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Seen {
    /// A header, when it came as text; the first of several.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the browser is sent on.
    pub fn leads_away(&self) -> bool {
        self.headers.contains_key("location") || (300..400).contains(&self.status)
    }

    /// The body as JSON that says to be JSON.
    pub fn json(&self) -> Option<Value> {
        let kind = self.header("content-type");
        let is_json = kind.starts_with("application/json") || kind.contains("+json");
        if is_json { serde_json::from_slice(&self.body).ok() } else { None }
    }

    /// The status in words, for a finding.
    pub fn told(&self) -> String {
        let kind = self.header("content-type");
        if kind.is_empty() { format!("{}", self.status) } else { format!("{} {kind}", self.status) }
    }
}

/// Who goes there.
pub struct Visitor {
    client: Client,
    origin: Url,
}

impl Visitor {
    /// To this origin and nowhere else.
    pub fn to(origin: &Url) -> Result<Self, NoHttpClient> {
        let builder = http_client::builder_to(origin).timeout(DEADLINE);
        Ok(Self { client: http_client::build(builder)?, origin: origin.clone() })
    }

    /// The origin as documents write it.
    pub fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    /// Whether an address is of the origin.
    pub fn owns(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| url.origin() == self.origin.origin())
    }

    /// Asks for a path, with further headers.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Seen, String> {
        self.ask(Method::GET, path, headers).await
    }

    /// Asks as a browser does before it sends.
    pub async fn preflight(&self, path: &str, method: &str, origin: &str) -> Result<Seen, String> {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", "authorization,content-type,mcp-protocol-version"),
        ];
        self.ask(Method::OPTIONS, path, &headers).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Seen, String> {
        read(self.request(Method::POST, path)?.json(body)).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Seen, String> {
        let request = self.request(method, path)?;
        read(headers.iter().fold(request, |it, (name, value)| it.header(*name, *value))).await
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, String> {
        let url = self.origin.join(path).map_err(|_| "it is no address".to_owned())?;
        // What a document says must not lead the doctor elsewhere.
        if url.origin() != self.origin.origin() {
            return Err("it is on another origin, and was not asked".to_owned());
        }
        Ok(self.client.request(method, url))
    }
}

async fn read(request: RequestBuilder) -> Result<Seen, String> {
    let in_words = |error: reqwest::Error| {
        let kind = if error.is_timeout() {
            "it does not answer in 10 seconds"
        } else if error.is_connect() {
            "it cannot be reached: name, port, firewall or certificate"
        } else {
            "its answer cannot be read"
        };
        kind.to_owned()
    };
    let mut response = request.send().await.map_err(in_words)?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(in_words)? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_MAX {
            return Err("its answer is longer than 256 KiB".to_owned());
        }
    }
    Ok(Seen { status, headers, body })
}
