//! The provider's published keys, and the signature of its ID tokens.
//!
//! The algorithm is pinned to RS256, which OpenID Connect makes every provider support: what a
//! token says of itself never chooses how it is checked (RFC 8725 §3.1).

use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use tokio::sync::Mutex;
use url::Url;

use crate::clock::{Clock, Timestamp};
use crate::domain::refusal::LoginRefusal;
use crate::domain::upstream_login::UpstreamClaims;
use crate::metrics::provider::ProviderCall;
use crate::secret::Secret;
use crate::upstream::outbound::{Outbound, OutboundError};
use crate::upstream::{RETRIED_AFTER, UpstreamError};

/// The least time between two fetches, however many unknown keys are named.
const REFETCH_EVERY: Duration = Duration::from_secs(30);

/// How long a fetched set is used before it is fetched again anyway.
const KEPT: Duration = Duration::from_hours(1);

/// How many keys of one name are tried.
const SAME_NAME_MAX: usize = 4;

#[derive(Default)]
struct Cached {
    keys: Vec<Jwk>,
    fetched_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
}

/// A cache of the provider's keys, fetched again when a token names an unknown one.
#[derive(Default)]
pub struct KeySet(Mutex<Cached>);

impl KeySet {
    /// Checks the signature of an ID token and reads its claims, not yet judged.
    pub async fn verify(
        &self,
        outbound: &Outbound,
        jwks: &Url,
        id_token: &Secret,
        clock: &dyn Clock,
    ) -> Result<UpstreamClaims, UpstreamError> {
        let refuse = UpstreamError::NotBelieved;
        let header =
            decode_header(id_token.expose()).map_err(|_| refuse(LoginRefusal::Malformed))?;
        // RFC 7515 §4.1.11: what a token calls critical and is not understood voids it.
        if header.crit.is_some() {
            return Err(refuse(LoginRefusal::Malformed));
        }
        if header.alg != Algorithm::RS256 {
            return Err(refuse(LoginRefusal::WrongAlgorithm));
        }
        for key in self.find(outbound, jwks, header.kid.as_deref(), clock).await? {
            match check_signature(id_token, &key) {
                Err(LoginRefusal::BadSignature) => {}
                checked => return checked.map_err(refuse),
            }
        }
        Err(refuse(LoginRefusal::BadSignature))
    }

    /// The keys that the token may mean; none when the provider has no such key. For moments after
    /// a failure everyone is told at once, instead of waiting for the same silence in turn.
    async fn find(
        &self,
        outbound: &Outbound,
        jwks: &Url,
        kid: Option<&str>,
        clock: &dyn Clock,
    ) -> Result<Vec<Jwk>, UpstreamError> {
        // Held across the fetch on purpose: callers that arrive meanwhile share its result.
        let mut cached = self.0.lock().await;
        let now = clock.now();
        let known = named(&cached.keys, kid);
        // A key the provider withdrew must not be believed for ever.
        let kept = if known.is_empty() { REFETCH_EVERY } else { KEPT };
        if cached.fetched_at.is_some_and(|at| now.is_within(at, kept)) {
            return Ok(known);
        }
        let has_failed_within =
            |moment| cached.failed_at.is_some_and(|at| now.is_within(at, moment));
        // Known keys serve on for a while, without asking at every sign-in.
        if !known.is_empty() && has_failed_within(REFETCH_EVERY) {
            return Ok(known);
        }
        if known.is_empty() && has_failed_within(RETRIED_AFTER) {
            return Err(UpstreamError::FailedMomentsAgo);
        }
        let fetched = outbound.get_json(ProviderCall::Keys, jwks.as_str()).await;
        match fetched.and_then(|set| usable(&set).ok_or(OutboundError::NotJson)) {
            Ok(keys) => {
                cached.failed_at = None;
                cached.fetched_at = Some(now);
                cached.keys = keys;
                Ok(named(&cached.keys, kid))
            }
            Err(error) => {
                // The time after the wait, which may have been most of the moment.
                cached.failed_at = Some(clock.now());
                if known.is_empty() {
                    return Err(UpstreamError::Unavailable(error));
                }
                tracing::warn!(%error, "the provider's keys could not be fetched again");
                Ok(known)
            }
        }
    }
}

/// Checks the signature by this key. Claims are judged by the domain, against our own clock.
fn check_signature(id_token: &Secret, key: &Jwk) -> Result<UpstreamClaims, LoginRefusal> {
    let key = DecodingKey::from_jwk(key).map_err(|_| LoginRefusal::BadSignature)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = decode::<UpstreamClaims>(id_token.expose(), &key, &validation);
    decoded.map(|token| token.claims).map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::InvalidSignature => LoginRefusal::BadSignature,
        _ => LoginRefusal::Malformed,
    })
}

/// RSA signature keys of a set; others, and those this library cannot read, are left out one by
/// one, so that a new kind of key does not cost the old ones. What has no list of keys is no set,
/// and must not cost them either.
fn usable(set: &serde_json::Value) -> Option<Vec<Jwk>> {
    let keys = set.get("keys")?.as_array()?.iter();
    let readable = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    let for_signatures = |key: &Jwk| {
        matches!(key.algorithm, AlgorithmParameters::RSA(_))
            && matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature))
    };
    Some(readable.filter(for_signatures).collect())
}

/// The keys a token names: one, where names are told apart as they should be (RFC 7517 §4.5).
/// Without a name, the only one there is (OpenID Connect Core §10.1).
fn named(keys: &[Jwk], kid: Option<&str>) -> Vec<Jwk> {
    match (kid, keys) {
        (Some(kid), keys) => {
            let named = keys.iter().filter(|key| key.common.key_id.as_deref() == Some(kid));
            named.take(SAME_NAME_MAX).cloned().collect()
        }
        (None, [only]) => vec![only.clone()],
        (None, _) => Vec::new(),
    }
}
