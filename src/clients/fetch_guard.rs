//! Fetching what a stranger named, without becoming their tool (MCP Security Best Practices,
//! Server-Side Request Forgery; CIMD §6.5).
//!
//! 1. The host is a name; an address in the URL would bypass step 2, so the domain refuses it.
//! 2. The name is looked up once for each connection, and if any address of it is for special use,
//!    none is dialled. What was vetted is what is dialled, so a second answer of the name server
//!    changes nothing.
//! 3. `https`, no proxy, no redirect, no credentials, no cookies, no connection kept.
//! 4. One deadline over all of it, a bound on the bytes and on look-ups at once, and no decoding of
//!    bodies.
//! 5. Whatever goes wrong looks the same from outside; the reason is for the log.
//!
//! Never here: what the answer means.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::{ACCEPT, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Response, StatusCode};
use tokio::sync::Semaphore;

use crate::domain::metadata_document::{DocumentHosts, DocumentUrl, kept_for};
use crate::domain::refusal::FetchRefusal;
use crate::http_client::{self, NoHttpClient};
use crate::special_use::is_public;

/// The largest document, in bytes; real ones have some hundred.
pub const DOCUMENT_BYTES_MAX: usize = 10 * 1024;

/// From the look-up to the last byte.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(4);

/// Look-ups under way at once. The machine's resolver keeps a thread for each, also when nobody
/// waits for it any more, and the threads are those that search the documentation, too.
const LOOKUPS_MAX: usize = 32;

/// What a look-up will bring.
pub type LookedUp = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Where addresses of names come from.
pub trait Lookup: Send + Sync + 'static {
    /// All addresses of `name`.
    fn lookup(&self, name: String) -> LookedUp;
}

/// The machine's own resolver.
#[derive(Clone, Copy, Debug)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> LookedUp {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A look-up whose answer is not dialled.
#[derive(Debug)]
struct NotDialled(FetchRefusal);

impl fmt::Display for NotDialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not dialled: {:?}", self.0)
    }
}

impl Error for NotDialled {}

/// Lets through only addresses that were looked at.
struct Vetted {
    lookup: Arc<dyn Lookup>,
    hosts: DocumentHosts,
    at_once: Arc<Semaphore>,
}

impl Resolve for Vetted {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, at_once, hosts) =
            (Arc::clone(&self.lookup), Arc::clone(&self.at_once), self.hosts);
        Box::pin(async move {
            let turn = at_once.acquire_owned().await?;
            // In a task of its own, so that the turn ends with the look-up and not with whoever
            // waits for it.
            let looking = tokio::spawn(async move {
                let found = lookup.lookup(name.as_str().to_owned()).await;
                drop(turn);
                found
            });
            let addresses = looking.await?.map_err(|_| NotDialled(FetchRefusal::NoAddress))?;
            if addresses.is_empty() {
                return Err(NotDialled(FetchRefusal::NoAddress).into());
            }
            // One bad address condemns all: a name that leads both ways is a trick.
            if !addresses.iter().all(|address| may_dial(*address, hosts)) {
                return Err(NotDialled(FetchRefusal::SpecialUseAddress).into());
            }
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

fn may_dial(address: IpAddr, hosts: DocumentHosts) -> bool {
    is_public(address) || (hosts == DocumentHosts::AlsoLoopback && address.is_loopback())
}

/// What was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// At most [`DOCUMENT_BYTES_MAX`].
    pub body: Vec<u8>,
    /// How long it may be kept.
    pub kept_for: Duration,
}

/// The guarded HTTP client.
pub struct FetchGuard {
    http: Client,
    /// Where documents may lie.
    pub hosts: DocumentHosts,
}

impl FetchGuard {
    /// A guard that ends every fetch after `timeout`. Fails when this machine has no CA
    /// certificates.
    pub fn new(
        lookup: Arc<dyn Lookup>,
        hosts: DocumentHosts,
        timeout: Duration,
    ) -> Result<Self, NoHttpClient> {
        let builder = http_client::builder()
            .dns_resolver(Vetted { lookup, hosts, at_once: Arc::new(Semaphore::new(LOOKUPS_MAX)) })
            .https_only(hosts == DocumentHosts::Public)
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(timeout);
        let http = http_client::build(builder)?;
        Ok(Self { http, hosts })
    }

    /// Fetches one document.
    pub async fn fetch(&self, url: &DocumentUrl) -> Result<Fetched, FetchRefusal> {
        let request = self.http.get(url.as_str()).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(|error| refusal_of(&error))?;
        check_head(&response)?;
        let header = |name| header(response.headers(), name);
        let kept_for = kept_for(header(CACHE_CONTROL).as_deref(), header(AGE).as_deref());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| refusal_of(&error))? {
            if body.len() + chunk.len() > DOCUMENT_BYTES_MAX {
                return Err(FetchRefusal::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, kept_for })
    }
}

fn check_head(response: &Response) -> Result<(), FetchRefusal> {
    if response.status() != StatusCode::OK {
        return Err(FetchRefusal::Status(response.status().as_u16()));
    }
    // Nothing is decoded, so an encoded body is not JSON; and a small one could be a bomb.
    if response.headers().contains_key(CONTENT_ENCODING) {
        return Err(FetchRefusal::Encoded);
    }
    if !header(response.headers(), CONTENT_TYPE).is_some_and(|value| is_json(&value)) {
        return Err(FetchRefusal::ContentType);
    }
    let length = response.content_length().unwrap_or_default();
    if length > DOCUMENT_BYTES_MAX as u64 {
        return Err(FetchRefusal::TooLarge);
    }
    Ok(())
}

/// All lines of a header as one list (RFC 9110 §5.3).
fn header(headers: &HeaderMap, name: http::HeaderName) -> Option<String> {
    let lines: Vec<_> =
        headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// `application/json` or `application/*+json`, whatever parameters follow.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

fn refusal_of(error: &reqwest::Error) -> FetchRefusal {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(NotDialled(refusal)) = error.downcast_ref() {
            return *refusal;
        }
        cause = error.source();
    }
    if error.is_timeout() { FetchRefusal::TooSlow } else { FetchRefusal::NoAnswer }
}

#[cfg(test)]
mod tests;
