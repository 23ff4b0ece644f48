//! What a server says of itself.
//!
//! 1. Knock at the address without a token; the challenge may name the resource's metadata.
//! 2. Read the protected resource's metadata (RFC 9728 §3): where the challenge says, else at the
//!    well-known places. They name the authorization server.
//! 3. Without them the address is an issuer.
//! 4. Read the authorization server's metadata (RFC 8414 §3, OpenID Connect Discovery §4).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::door::{self, Door};
use crate::error::ProbeError;
use crate::http::Http;

/// An authorization server that the probe can talk to.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its identifier, as the metadata write it.
    pub issuer: String,
    /// Where people sign in.
    pub authorization_endpoint: Url,
    /// Where tokens are asked for.
    pub token_endpoint: Url,
    /// Where clients introduce themselves.
    pub registration_endpoint: Url,
    /// Whether redirects name the issuer (RFC 9207 §3).
    pub redirects_name_it: bool,
}

/// A resource that the server's tokens are for.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its identifier: the `resource` parameter (RFC 8707 §2).
    pub identifier: String,
    /// A request that shows whether an access token is admitted, if one was found.
    pub door: Option<Door>,
}

/// What is probed.
#[derive(Clone, Debug)]
pub struct Target {
    /// The authorization server.
    pub server: Server,
    /// The protected resource, if one is known.
    pub resource: Option<Resource>,
    /// The scope that its metadata suggest.
    pub scope: Option<String>,
}

#[derive(Deserialize)]
struct ResourceMetadata {
    resource: String,
    #[serde(default)]
    authorization_servers: Vec<String>,
    #[serde(default)]
    scopes_supported: Vec<String>,
}

#[derive(Deserialize)]
struct ServerMetadata {
    issuer: String,
    authorization_endpoint: Option<Url>,
    token_endpoint: Option<Url>,
    registration_endpoint: Option<Url>,
    #[serde(default)]
    scopes_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// Finds out what `address` is: a protected resource, or an issuer.
pub async fn discover(http: &Http, address: &Url) -> Result<Target, ProbeError> {
    let knocked = door::knock(http, address).await?;
    let described = match &knocked.metadata {
        Some(metadata) => Some(http.document::<ResourceMetadata>(metadata).await?),
        None => find_resource_metadata(http, address).await?,
    };
    let Some(described) = described else {
        let (server, scopes) = find_server(http, address.as_str()).await?;
        return Ok(Target { server, resource: None, scope: suggested_scope(&[], &scopes) });
    };
    let resource = resource(http, address, &described, knocked.door).await?;
    let issuer = described.authorization_servers.first();
    let issuer = issuer.ok_or(ProbeError::NoEndpoint("authorization_servers"))?;
    let (server, scopes) = find_server(http, issuer).await?;
    let scope = suggested_scope(&described.scopes_supported, &scopes);
    Ok(Target { server, resource: Some(resource), scope })
}

/// The resource that was described, with the door found at `address` or its own.
async fn resource(
    http: &Http,
    address: &Url,
    described: &ResourceMetadata,
    door: Option<Door>,
) -> Result<Resource, ProbeError> {
    let identifier = described.resource.clone();
    // A resource at another origin must not lend this one its name (RFC 9728 §3.3).
    let own = Url::parse(&identifier).ok().filter(|own| own.origin() == address.origin());
    let Some(own) = own else { return Err(ProbeError::OtherResource(identifier)) };
    // Whoever gave an issuer has not been at the resource yet.
    let door = match door {
        Some(door) => Some(door),
        None => door::knock(http, &own).await?.door,
    };
    Ok(Resource { identifier, door })
}

async fn find_resource_metadata(
    http: &Http,
    address: &Url,
) -> Result<Option<ResourceMetadata>, ProbeError> {
    let name = "oauth-protected-resource";
    let mut origin = address.clone();
    origin.set_path("");
    let places = [inserted(address, name), inserted(&origin, name)];
    match first_document(http, &places).await {
        // A site that answers every address with a page describes no resource by it.
        Err(ProbeError::NotJson(_)) => Ok(None),
        found => found,
    }
}

/// The server with this issuer identifier, and the scopes it knows.
async fn find_server(http: &Http, issuer: &str) -> Result<(Server, Vec<String>), ProbeError> {
    let absent = || ProbeError::NoMetadata(issuer.to_owned());
    let address = Url::parse(issuer).map_err(|_| absent())?;
    let found = first_document(http, &server_places(&address)).await?;
    let found: ServerMetadata = found.ok_or_else(absent)?;
    // RFC 8414 §3.3; whoever types an issuer may write a slash too many.
    if found.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
        return Err(ProbeError::OtherIssuer(found.issuer));
    }
    let missing = ProbeError::NoEndpoint;
    let server = Server {
        issuer: found.issuer,
        authorization_endpoint: found
            .authorization_endpoint
            .ok_or(missing("authorization_endpoint"))?,
        token_endpoint: found.token_endpoint.ok_or(missing("token_endpoint"))?,
        registration_endpoint: found
            .registration_endpoint
            .ok_or(missing("registration_endpoint"))?,
        redirects_name_it: found.authorization_response_iss_parameter_supported,
    };
    Ok((server, found.scopes_supported))
}

/// The places of RFC 8414 §3.1 and §5, and of OpenID Connect Discovery §4, in that order.
fn server_places(issuer: &Url) -> [Url; 4] {
    [
        inserted(issuer, "oauth-authorization-server"),
        inserted(issuer, "openid-configuration"),
        appended(issuer, "openid-configuration"),
        appended(issuer, "oauth-authorization-server"),
    ]
}

fn inserted(base: &Url, name: &str) -> Url {
    let path = base.path().trim_end_matches('/');
    with_path(base, &format!("/.well-known/{name}{path}"))
}

fn appended(base: &Url, name: &str) -> Url {
    let path = base.path().trim_end_matches('/');
    with_path(base, &format!("{path}/.well-known/{name}"))
}

fn with_path(base: &Url, path: &str) -> Url {
    let mut place = base.clone();
    place.set_path(path);
    place.set_query(None);
    place.set_fragment(None);
    place
}

/// The first document found at `places`. What is no JSON is told only when nothing else is there.
async fn first_document<T: DeserializeOwned>(
    http: &Http,
    places: &[Url],
) -> Result<Option<T>, ProbeError> {
    let mut not_json = None;
    for place in places {
        match http.document(place).await {
            Ok(found) => return Ok(Some(found)),
            Err(ProbeError::Status(..)) => {}
            Err(error @ ProbeError::NotJson(_)) => not_json = Some(error),
            Err(error) => return Err(error),
        }
    }
    not_json.map_or(Ok(None), Err)
}

/// What the resource names, and `offline_access` where either side knows it: many servers issue a
/// refresh token for it alone (OpenID Connect Core §11).
fn suggested_scope(of_resource: &[String], of_server: &[String]) -> Option<String> {
    let knows = |scope: &str| of_resource.iter().chain(of_server).any(|known| known == scope);
    let mut scopes: Vec<&str> = of_resource.iter().map(String::as_str).collect();
    if knows("offline_access") && !scopes.contains(&"offline_access") {
        if knows("openid") && !scopes.contains(&"openid") {
            scopes.push("openid");
        }
        scopes.push("offline_access");
    }
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_are_looked_for_before_and_behind_the_path() {
        let places = |issuer: &str| {
            server_places(&issuer.parse().unwrap()).map(|place| place.path().to_owned())
        };
        assert_eq!(
            places("https://a.example/tenant/"),
            [
                "/.well-known/oauth-authorization-server/tenant",
                "/.well-known/openid-configuration/tenant",
                "/tenant/.well-known/openid-configuration",
                "/tenant/.well-known/oauth-authorization-server",
            ]
        );
        assert_eq!(
            places("https://a.example?x=y")[..2],
            ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
        );
    }

    #[test]
    fn the_scope_is_that_of_the_resource_and_what_refresh_tokens_want() {
        let words =
            |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
        for (of_resource, of_server, scope) in [
            ("", "", None),
            ("", "docs:read email", None),
            ("docs:read", "docs:read docs:feedback", Some("docs:read")),
            ("docs:read", "offline_access", Some("docs:read offline_access")),
            ("offline_access", "openid", Some("offline_access")),
            ("", "openid email offline_access", Some("openid offline_access")),
        ] {
            let suggested = suggested_scope(&words(of_resource), &words(of_server));
            assert_eq!(suggested.as_deref(), scope, "{of_resource} / {of_server}");
        }
    }
}
