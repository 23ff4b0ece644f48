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
use crate::upstream::outbound::Outbound;
use crate::upstream::{RETRIED_AFTER, UpstreamError};

/// The least time between two fetches, however many unknown keys are named.
const REFETCH_EVERY: Duration = Duration::from_secs(30);

/// How long a fetched set is used before it is fetched again anyway.
const KEPT: Duration = Duration::from_hours(1);

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
        let key = self
            .find(outbound, jwks, header.kid.as_deref(), clock)
            .await?
            .ok_or(refuse(LoginRefusal::BadSignature))?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| refuse(LoginRefusal::BadSignature))?;
        // Claims are judged by the domain, against our own clock.
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        decode::<UpstreamClaims>(id_token.expose(), &key, &validation)
            .map(|token| token.claims)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::InvalidSignature => {
                    refuse(LoginRefusal::BadSignature)
                }
                _ => refuse(LoginRefusal::Malformed),
            })
    }

    /// For moments after a failure everyone is told at once, instead of waiting for the same
    /// silence in turn.
    async fn find(
        &self,
        outbound: &Outbound,
        jwks: &Url,
        kid: Option<&str>,
        clock: &dyn Clock,
    ) -> Result<Option<Jwk>, UpstreamError> {
        // Held across the fetch on purpose: callers that arrive meanwhile share its result.
        let mut cached = self.0.lock().await;
        let now = clock.now();
        let known = named(&cached.keys, kid);
        let older_than = |age: Duration| cached.fetched_at.is_none_or(|at| now >= at.plus(age));
        // A key the provider withdrew must not be believed for ever.
        let wants_fetch = if known.is_some() { KEPT } else { REFETCH_EVERY };
        if !older_than(wants_fetch) {
            return Ok(known);
        }
        let has_failed_within =
            |moment| cached.failed_at.is_some_and(|at| now.is_within(at, moment));
        match known {
            // Known keys serve on for a while, without asking at every sign-in.
            Some(_) if has_failed_within(REFETCH_EVERY) => return Ok(known),
            None if has_failed_within(RETRIED_AFTER) => {
                return Err(UpstreamError::FailedMomentsAgo);
            }
            _ => {}
        }
        let fetched: serde_json::Value =
            match outbound.get_json(ProviderCall::Keys, jwks.as_str()).await {
                Ok(fetched) => fetched,
                Err(error) => {
                    // The time after the wait, which may have been most of the moment.
                    cached.failed_at = Some(clock.now());
                    if known.is_none() {
                        return Err(UpstreamError::Unavailable(error));
                    }
                    tracing::warn!(%error, "the provider's keys could not be fetched again");
                    return Ok(known);
                }
            };
        cached.failed_at = None;
        cached.fetched_at = Some(now);
        cached.keys = usable(fetched);
        Ok(named(&cached.keys, kid))
    }
}

/// RSA signature keys of a set; others, and those this library cannot read, are left out one by
/// one, so that a new kind of key does not cost the old ones.
fn usable(set: serde_json::Value) -> Vec<Jwk> {
    let keys = match set.get("keys") {
        Some(serde_json::Value::Array(keys)) => keys.clone(),
        _ => Vec::new(),
    };
    let readable = keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let for_signatures = |key: &Jwk| {
        matches!(key.algorithm, AlgorithmParameters::RSA(_))
            && matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature))
    };
    readable.filter(for_signatures).collect()
}

/// The key a token names; without a name, the only one there is (OpenID Connect Core §10.1).
fn named(keys: &[Jwk], kid: Option<&str>) -> Option<Jwk> {
    match kid {
        Some(kid) => keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid)).cloned(),
        None => match keys {
            [only] => Some(only.clone()),
            _ => None,
        },
    }
}
