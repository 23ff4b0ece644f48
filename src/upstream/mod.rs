//! The identity provider: where people sign in, and what it says of them.
//!
//! 1. Discovery, with the issuer compared byte for byte (OpenID Connect Discovery §4.3).
//! 2. The address the browser is sent to: code flow, PKCE S256, state, nonce (RFC 9700 §2.1.1).
//! 3. Redemption of the code it brings back.
//! 4. The ID token: signature with a pinned algorithm and a published key, then the claims by
//!    [`crate::domain::upstream_login`].
//!
//! Nothing the client sent is relayed, and nothing the provider issued is kept: its tokens are
//! dropped when the ID token has been read.
//!
//! Never here: who may sign in, rows, pages.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

pub mod dev;
pub mod id_token;
pub mod key_set;
pub mod outbound;

use crate::clock::{Clock, Timestamp};
use crate::domain::pkce::CodeChallenge;
use crate::domain::refusal::LoginRefusal;
use crate::domain::upstream_login::{Expected, Identity, check_id_token};
use crate::loopback::is_loopback;
use crate::metrics::provider::ProviderCall;
use crate::secret::Secret;
use crate::upstream::key_set::KeySet;
use crate::upstream::outbound::{Outbound, OutboundError};

/// How long a discovery document is used before it is fetched again.
const DISCOVERY_KEPT: Duration = Duration::from_hours(1);

/// How long a failed discovery, or a failed fetch of the keys, stands for everyone.
const RETRIED_AFTER: Duration = Duration::from_secs(5);

/// Something is wrong with the provider or with what it said.
#[derive(Debug)]
pub enum UpstreamError {
    /// It did not answer, or answered with a fault of its own.
    Unavailable(OutboundError),
    /// It did not answer properly a moment ago, and was not asked again.
    FailedMomentsAgo,
    /// It answered, but not as its own protocol demands.
    Lying(&'static str),
    /// It refused the code we brought.
    CodeRefused,
    /// What it said of the person is not believed.
    NotBelieved(LoginRefusal),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(_) => f.write_str("the identity provider did not answer"),
            Self::FailedMomentsAgo => f.write_str("the identity provider failed a moment ago"),
            Self::Lying(what) => write!(f, "the identity provider is not to be trusted: {what}"),
            Self::CodeRefused => f.write_str("the identity provider refused its own code"),
            Self::NotBelieved(refusal) => write!(f, "the ID token is not believed: {refusal:?}"),
        }
    }
}

impl std::error::Error for UpstreamError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(error) => Some(error),
            Self::FailedMomentsAgo | Self::Lying(_) | Self::CodeRefused | Self::NotBelieved(_) => {
                None
            }
        }
    }
}

/// Who we are at the provider and what we ask for.
#[derive(Clone)]
pub struct Registration {
    /// Compared byte for byte.
    pub issuer: String,
    /// Our client identifier.
    pub client_id: String,
    /// Without one we are a public client.
    pub client_secret: Option<Secret>,
    /// Always with `openid`.
    pub scope: String,
    /// Extra parameters of the authorize request.
    pub extra: Vec<(String, String)>,
    /// The one redirect URI registered there.
    pub redirect_uri: String,
    /// Where a browser comes back to from the provider's logout.
    pub post_logout_redirect_uri: String,
}

#[derive(Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
    #[serde(default)]
    end_session_endpoint: Option<Url>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What discovery found.
#[derive(Clone, Debug)]
pub struct Endpoints {
    authorization: Url,
    token: Url,
    jwks: Url,
    end_session: Option<Url>,
    secret_in_body: bool,
    fetched_at: Timestamp,
}

/// What is known of the provider's endpoints.
#[derive(Default)]
struct Discovery {
    endpoints: Option<Arc<Endpoints>>,
    failed_at: Option<Timestamp>,
}

/// The provider, as a relying party sees it.
pub struct Upstream {
    registration: Registration,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    discovery: Mutex<Discovery>,
    keys: KeySet,
}

/// What one sign-in sends along, each value fresh.
pub struct LoginSecrets {
    /// Returned by the browser.
    pub state: Secret,
    /// Returned inside the ID token.
    pub nonce: Secret,
    /// Proves at the token endpoint that we began it.
    pub code_verifier: Secret,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
}

impl Upstream {
    /// A relying party of the provider; nothing is fetched yet.
    pub fn new(registration: Registration, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self { registration, outbound, clock, discovery: Mutex::default(), keys: KeySet::default() }
    }

    /// Its issuer identifier.
    pub fn issuer(&self) -> &str {
        &self.registration.issuer
    }

    /// Finds the provider's endpoints, from cache when they are fresh. When it does not answer,
    /// old ones serve on: endpoints rarely move, and a sign-in may still succeed. For moments after
    /// a failure everyone is told at once, instead of waiting for the same silence in turn.
    pub async fn discover(&self) -> Result<Arc<Endpoints>, UpstreamError> {
        // Held across the fetch on purpose: callers that arrive meanwhile share its result.
        let mut known = self.discovery.lock().await;
        let now = self.clock.now();
        if let Some(endpoints) = &known.endpoints
            && now.is_within(endpoints.fetched_at, DISCOVERY_KEPT)
        {
            return Ok(Arc::clone(endpoints));
        }
        if known.failed_at.is_some_and(|at| now.is_within(at, RETRIED_AFTER)) {
            return known.endpoints.clone().ok_or(UpstreamError::FailedMomentsAgo);
        }
        match self.fetch_endpoints(now).await {
            Ok(endpoints) => {
                known.failed_at = None;
                Ok(Arc::clone(known.endpoints.insert(Arc::new(endpoints))))
            }
            Err(error) => {
                // The time after the wait, which may have been most of the moment.
                known.failed_at = Some(self.clock.now());
                match (&known.endpoints, error) {
                    (Some(old), UpstreamError::Unavailable(error)) => {
                        tracing::warn!(%error, "discovery failed; the old endpoints serve on");
                        Ok(Arc::clone(old))
                    }
                    (_, error) => {
                        // It answers, and not as itself: what it said before counts no more.
                        known.endpoints = None;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Whether the provider answered when it was last asked; asks nobody, so that a probe never
    /// waits. `None` before the first time.
    pub fn last_answer(&self) -> Option<bool> {
        let known = self.discovery.try_lock().ok()?;
        match (&known.endpoints, known.failed_at) {
            (_, Some(_)) => Some(false),
            (Some(_), None) => Some(true),
            (None, None) => None,
        }
    }

    async fn fetch_endpoints(&self, now: Timestamp) -> Result<Endpoints, UpstreamError> {
        let issuer = &self.registration.issuer;
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document: DiscoveryDocument = self
            .outbound
            .get_json(ProviderCall::Discovery, &address)
            .await
            .map_err(UpstreamError::Unavailable)?;
        if document.issuer != *issuer {
            return Err(UpstreamError::Lying("its discovery document names another issuer"));
        }
        let issuer_is_local = Url::parse(issuer).is_ok_and(|url| is_loopback(&url));
        let secure = |url: &Url| url.scheme() == "https" || (issuer_is_local && is_loopback(url));
        let all = [&document.authorization_endpoint, &document.token_endpoint, &document.jwks_uri];
        if !all.into_iter().all(secure) {
            return Err(UpstreamError::Lying("an endpoint of it is not https"));
        }
        let secret_in_body = document
            .token_endpoint_auth_methods_supported
            .is_some_and(|methods| methods.iter().any(|method| method == "client_secret_post"));
        Ok(Endpoints {
            authorization: document.authorization_endpoint,
            token: document.token_endpoint,
            jwks: document.jwks_uri,
            // It is no part of a sign-in, so one that is not secure is left out and costs nobody
            // theirs.
            end_session: document.end_session_endpoint.filter(|url| secure(url)),
            secret_in_body,
            fetched_at: now,
        })
    }

    /// The address the browser is sent to.
    pub fn login_url(&self, endpoints: &Endpoints, secrets: &LoginSecrets) -> String {
        let challenge = CodeChallenge::of_verifier(secrets.code_verifier.expose());
        let mut url = endpoints.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.registration.client_id)
            .append_pair("redirect_uri", &self.registration.redirect_uri)
            .append_pair("scope", &self.registration.scope)
            .append_pair("state", secrets.state.expose())
            .append_pair("nonce", secrets.nonce.expose())
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(&self.registration.extra);
        url.into()
    }

    /// The address that signs a browser out there (OpenID Connect RP-Initiated Logout 1.0 §2), when
    /// the provider has one. No ID token was kept to hint with, so `client_id` says who asks.
    pub fn logout_url(&self, endpoints: &Endpoints, state: Option<&str>) -> Option<String> {
        let registration = &self.registration;
        let mut url = endpoints.end_session.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &registration.client_id)
            .append_pair("post_logout_redirect_uri", &registration.post_logout_redirect_uri)
            .extend_pairs(state.map(|state| ("state", state)));
        Some(url.into())
    }

    /// Redeems the provider's code and believes its ID token, or not.
    pub async fn redeem(
        &self,
        upstream_code: &Secret,
        upstream_code_verifier: &Secret,
        upstream_nonce: &Secret,
    ) -> Result<Identity, UpstreamError> {
        let endpoints = self.discover().await?;
        let id_token =
            self.fetch_id_token(&endpoints, upstream_code, upstream_code_verifier).await?;
        let (outbound, jwks) = (&self.outbound, &endpoints.jwks);
        let claims = self.keys.verify(outbound, jwks, &id_token, &*self.clock).await?;
        let expected = Expected {
            upstream_issuer: &self.registration.issuer,
            upstream_client_id: &self.registration.client_id,
            upstream_nonce: upstream_nonce.expose(),
        };
        check_id_token(claims, &expected, self.clock.now()).map_err(UpstreamError::NotBelieved)
    }

    async fn fetch_id_token(
        &self,
        endpoints: &Endpoints,
        upstream_code: &Secret,
        upstream_code_verifier: &Secret,
    ) -> Result<Secret, UpstreamError> {
        let registration = &self.registration;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", upstream_code.expose()),
            ("redirect_uri", &registration.redirect_uri),
            ("client_id", &registration.client_id),
            ("code_verifier", upstream_code_verifier.expose()),
        ];
        let mut basic = None;
        match &registration.client_secret {
            Some(secret) if endpoints.secret_in_body => {
                form.push(("client_secret", secret.expose()));
            }
            Some(secret) => basic = Some((registration.client_id.as_str(), secret.expose())),
            None => {}
        }
        let call = ProviderCall::Token;
        let answer: TokenAnswer =
            self.outbound.post_form(call, endpoints.token.as_str(), &form, basic).await.map_err(
                |error| match error {
                    // RFC 6749 §5.2: the provider understood and said no.
                    OutboundError::Status(400 | 401 | 403) => UpstreamError::CodeRefused,
                    error => UpstreamError::Unavailable(error),
                },
            )?;
        answer
            .id_token
            .map(Secret::presented)
            .ok_or(UpstreamError::Lying("its token answer has no ID token"))
    }
}
