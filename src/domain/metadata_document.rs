//! Clients that are known by the address of a document about them
//! (draft-ietf-oauth-client-id-metadata-document, "CIMD").
//!
//! The address is the client identifier, so it is held to one spelling: what is compared is what is
//! fetched. The document says of the client what a registration would, and is checked like one.

use std::collections::BTreeSet;
use std::time::Duration;

use url::{Host, Url};

use crate::domain::client::{ClientMetadata, PresentedMetadata, check_registration};
use crate::domain::refusal::{DocumentRefusal, DocumentUrlRefusal};
use crate::loopback::is_loopback;

/// The longest address, in bytes: what a client identifier may have.
pub const DOCUMENT_URL_BYTES_MAX: usize = 512;

/// How long a document is kept when its host does not say.
const KEPT_BY_DEFAULT: Duration = Duration::from_mins(10);

/// The least: one fetch must serve a whole sign-in.
const KEPT_MIN: Duration = Duration::from_mins(1);

/// The most: a client that loses control of a redirect must be able to take it back.
const KEPT_MAX: Duration = Duration::from_hours(24);

/// Where documents may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentHosts {
    /// On the public internet, over `https`.
    Public,
    /// On this machine too, and there over `http` as well: for tests and development.
    AlsoLoopback,
}

/// Which publishers are trusted. A domain stands for itself and all below it.
#[derive(Clone, Debug, Default)]
pub struct Publishers {
    /// If any are named, no others.
    pub allowed: Vec<String>,
    /// Never these.
    pub denied: Vec<String>,
}

impl Publishers {
    /// Whether documents of `url` are accepted.
    pub fn trust(&self, url: &DocumentUrl) -> bool {
        let names = |domains: &[String]| domains.iter().any(|domain| url.is_below(domain));
        (self.allowed.is_empty() || names(&self.allowed)) && !names(&self.denied)
    }
}

/// The address of a metadata document, and thereby a client identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentUrl(Url);

impl DocumentUrl {
    /// Whether `client_id` is meant as an address. An identifier we gave out never is.
    pub fn is_meant_by(client_id: &str) -> bool {
        ["https:", "http:"].iter().any(|scheme| {
            client_id.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
    }

    /// Checks the address (CIMD §3).
    pub fn parse(client_id: &str, hosts: DocumentHosts) -> Result<Self, DocumentUrlRefusal> {
        use DocumentUrlRefusal as Refusal;
        if client_id.len() > DOCUMENT_URL_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        let url = Url::parse(client_id).map_err(|_| Refusal::NotAbsolute)?;
        // A parser repairs odd spellings (letter case, dot segments, default ports, backslashes,
        // hosts in hexadecimal); the document would then lie somewhere else than it says.
        if url.as_str() != client_id {
            return Err(Refusal::NotCanonical);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Userinfo);
        }
        if url.path() == "/" || has_hidden_dots(&url) {
            return Err(Refusal::Path);
        }
        let may_be_local = hosts == DocumentHosts::AlsoLoopback && is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if may_be_local => {}
            _ => return Err(Refusal::Scheme),
        }
        if !may_be_local && !is_public_name(&url) {
            return Err(Refusal::Host);
        }
        Ok(Self(url))
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, which whoever published the document controls.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    fn is_below(&self, domain: &str) -> bool {
        let above = self.host().strip_suffix(domain);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    }
}

/// A path whose encoded dots would be dots to another reader.
fn has_hidden_dots(url: &Url) -> bool {
    let is_dots = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    url.path_segments().is_some_and(|mut segments| segments.any(is_dots))
}

/// A name that could be looked up anywhere: not an address, not a single label, not the same name
/// written with a dot at its end.
fn is_public_name(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.contains('.') && !name.ends_with('.') && !is_loopback(url),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => false,
    }
}

/// The host that vouches for a client, when its identifier is the address of a document.
pub fn publisher(client_id: &str) -> Option<String> {
    let url = DocumentUrl::parse(client_id, DocumentHosts::AlsoLoopback).ok()?;
    Some(url.host().to_owned())
}

/// What a document says, types already checked.
#[derive(Clone, Debug, Default)]
pub struct PresentedDocument {
    /// `client_id`
    pub client_id: Option<String>,
    /// `token_endpoint_auth_method`
    pub auth_method: Option<String>,
    /// `token_endpoint_auth_methods_supported`
    pub auth_methods_supported: Option<Vec<String>>,
    /// Whether any member could only belong to a client with a shared secret.
    pub names_a_secret: bool,
    /// What a registration says too.
    pub metadata: PresentedMetadata,
}

/// Decides what stands of the document found at `url` (CIMD §4.1).
pub fn check_document(
    url: &DocumentUrl,
    presented: &PresentedDocument,
    custom_schemes: &[String],
) -> Result<ClientMetadata, DocumentRefusal> {
    // By simple string comparison: whoever publishes elsewhere cannot speak for this address.
    if presented.client_id.as_deref() != Some(url.as_str()) {
        return Err(DocumentRefusal::AnotherClient);
    }
    check_authentication(presented)?;
    let metadata = check_registration(&presented.metadata, custom_schemes)
        .map_err(DocumentRefusal::Metadata)?;
    if metadata.client_name.is_none() {
        return Err(DocumentRefusal::NoName);
    }
    Ok(metadata)
}

/// Everybody can read a document, so nobody can share a secret by it. A client that could sign
/// assertions is taken as public when it says that it may be.
fn check_authentication(presented: &PresentedDocument) -> Result<(), DocumentRefusal> {
    let method = presented.auth_method.as_deref();
    if presented.names_a_secret || method.is_some_and(|name| name.starts_with("client_secret")) {
        return Err(DocumentRefusal::SharedSecret);
    }
    let supported = presented.auth_methods_supported.as_deref();
    let is_public = match (method, supported) {
        (Some("none"), _) | (None, None) => true,
        (_, Some(supported)) => supported.iter().any(|name| name == "none"),
        (Some(_), None) => false,
    };
    if is_public { Ok(()) } else { Err(DocumentRefusal::NotPublic) }
}

/// Whether people who agreed to `before` would have to be asked again about `after`.
pub fn differs_for_people(before: &ClientMetadata, after: &ClientMetadata) -> bool {
    let redirects = |of: &ClientMetadata| of.redirect_uris.iter().cloned().collect::<BTreeSet<_>>();
    before.client_name != after.client_name || redirects(before) != redirects(after)
}

/// How long a document is kept, by the headers it came with (RFC 9111 §5.2.2, §5.1), within bounds
/// of ours.
pub fn kept_for(cache_control: Option<&str>, age: Option<&str>) -> Duration {
    let directives = || cache_control.unwrap_or_default().split(',').map(str::trim);
    let is_named = |name: &str| directives().any(|directive| directive.eq_ignore_ascii_case(name));
    if is_named("no-store") || is_named("no-cache") {
        return KEPT_MIN;
    }
    let max_age = directives().find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        let is_max_age = name.trim().eq_ignore_ascii_case("max-age");
        is_max_age.then(|| seconds_of(seconds.trim().trim_matches('"')))?
    });
    let age = age.and_then(seconds_of).unwrap_or_default();
    match max_age {
        Some(max_age) => max_age.saturating_sub(age).clamp(KEPT_MIN, KEPT_MAX),
        None => KEPT_BY_DEFAULT,
    }
}

/// Delta-seconds; more than fits means "forever" (RFC 9111 §1.2.2).
fn seconds_of(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))))
}

#[cfg(test)]
mod tests;
