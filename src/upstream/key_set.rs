//! The provider's published keys: kept, and fetched again when a token names another.

use std::time::Duration;

use jsonwebtoken::jwk::Jwk;
use tokio::sync::Mutex;
use url::Url;

use crate::clock::{Clock, Timestamp};
use crate::domain::upstream_login::UpstreamClaims;
use crate::metrics::provider::ProviderCall;
use crate::secret::Secret;
use crate::upstream::id_token::{self, named, usable};
use crate::upstream::outbound::{Outbound, OutboundError};
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
        let kid = id_token::key_named(id_token.expose()).map_err(refuse)?;
        let keys = self.find(outbound, jwks, kid.as_deref(), clock).await?;
        id_token::claims(id_token.expose(), &keys).map_err(refuse)
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
