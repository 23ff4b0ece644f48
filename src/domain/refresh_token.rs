//! Rotation of refresh tokens with detection of reuse (RFC 9700 §4.14.2).
//!
//! A family is the rows of one grant; exactly one of them is live. Presenting the live one rotates
//! it. For a short grace, while the successor has not been used, the one before it answers with
//! the *same* successor: parallel processes of one client and clients whose answer was lost go on,
//! and no second branch ever exists. Any other presentation of a used token ends the family.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::refusal::TokenRefusal;
use crate::domain::resource::Resource;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::token_request::Refresh;
use crate::id::{GrantId, RefreshTokenId, UserId};
use crate::secret::SecretHash;

/// One row of a family.
#[derive(Clone, Debug)]
pub struct Generation {
    /// Its row.
    pub id: RefreshTokenId,
    /// Counts from 0.
    pub generation: i32,
    /// What is stored of the token.
    pub token_hash: SecretHash,
    /// Dead from this moment on, unless used before.
    pub expires_at: Timestamp,
    /// When it was rotated.
    pub consumed_at: Option<Timestamp>,
}

/// What a decision needs to know, read under the lock of the grant.
#[derive(Clone, Debug)]
pub struct Family {
    /// The head row.
    pub grant_id: GrantId,
    /// Whose it is.
    pub user_id: UserId,
    /// Whom it was issued to.
    pub client_id: String,
    /// What the person agreed to.
    pub scope: ScopeSet,
    /// Absolute end, when one is set.
    pub grant_expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// The row of the presented token.
    pub presented: Generation,
    /// The row after it.
    pub successor: Option<Generation>,
}

/// What is to be done with a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationDecision {
    /// Consume it and insert its successor.
    Rotate {
        /// The scope of the new access token.
        scope: ScopeSet,
    },
    /// Answer with the successor that exists.
    Repeat {
        /// The scope of the new access token.
        scope: ScopeSet,
        /// What the successor's row holds.
        successor: SecretHash,
    },
    /// End the family, for this reason.
    RevokeFamily(TokenRefusal),
    /// Do nothing.
    Refuse(TokenRefusal),
}

/// Judges one presentation by the authenticated client `client_id`.
pub fn decide_rotation(
    family: &Family,
    request: &Refresh,
    client_id: &str,
    resource: &Resource,
    refresh_grace: Duration,
    now: Timestamp,
) -> RotationDecision {
    use RotationDecision::{Refuse, RevokeFamily};
    let presented = &family.presented;
    if family.client_id != client_id {
        // A live token in other hands has leaked. A dead one proves nothing, and must not let a
        // stranger end the owner's session.
        let is_live = presented.consumed_at.is_none()
            && now < presented.expires_at
            && family.revoked_at.is_none();
        return if is_live {
            RevokeFamily(TokenRefusal::WrongClient)
        } else {
            Refuse(TokenRefusal::WrongClient)
        };
    }
    if family.revoked_at.is_some() {
        return Refuse(TokenRefusal::Revoked);
    }
    // Reuse comes before expiry: an old token that was used stays evidence of theft.
    let repeated = match presented.consumed_at {
        None => None,
        Some(consumed_at) => match answerable_successor(family, consumed_at, refresh_grace, now) {
            Some(successor) => Some(successor.token_hash),
            None => return RevokeFamily(TokenRefusal::Replayed),
        },
    };
    if repeated.is_none() && now >= presented.expires_at {
        return Refuse(TokenRefusal::Expired);
    }
    if family.grant_expires_at.is_some_and(|end| now >= end) {
        return Refuse(TokenRefusal::Expired);
    }
    if request.resource.as_deref().is_some_and(|uri| !resource.is_named_by(uri)) {
        return Refuse(TokenRefusal::UnknownResource);
    }
    let Some(scope) = access_scope(family.scope, request.scope.as_deref()) else {
        return Refuse(TokenRefusal::ScopeTooWide);
    };
    match repeated {
        Some(successor) => RotationDecision::Repeat { scope, successor },
        None => RotationDecision::Rotate { scope },
    }
}

fn answerable_successor(
    family: &Family,
    consumed_at: Timestamp,
    refresh_grace: Duration,
    now: Timestamp,
) -> Option<&Generation> {
    let successor = family.successor.as_ref()?;
    let within_grace = now < consumed_at.plus(refresh_grace);
    let unused = successor.consumed_at.is_none() && now < successor.expires_at;
    (within_grace && unused).then_some(successor)
}

/// What a refresh asks for; empty for all that was granted. `offline_access` and unknown words are
/// no-ops, because client libraries append them on their own.
pub fn requested_scope(text: Option<&str>) -> ScopeSet {
    ScopeSet::known_in(text.unwrap_or_default()).without(Scope::OfflineAccess)
}

/// The scope of the access token: what was granted, or less when less is asked for; `None` when
/// more is (OAuth 2.1 §4.3.1).
pub fn access_scope(granted: ScopeSet, requested: Option<&str>) -> Option<ScopeSet> {
    let requested = requested_scope(requested);
    if requested.is_empty() {
        return Some(granted);
    }
    granted.includes(requested).then_some(requested)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Secret, SystemEntropy};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);
    const GRACE: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    fn generation(number: i32) -> Generation {
        Generation {
            id: RefreshTokenId::generate(&SystemEntropy, NOW),
            generation: number,
            token_hash: Secret::presented(number.to_string()).hash(),
            expires_at: NOW.plus(Duration::from_secs(1000)),
            consumed_at: None,
        }
    }

    fn family() -> Family {
        Family {
            grant_id: GrantId::generate(&SystemEntropy, NOW),
            user_id: UserId::generate(&SystemEntropy, NOW),
            client_id: "editor".into(),
            scope: ScopeSet::known_in("docs:read docs:feedback"),
            grant_expires_at: None,
            revoked_at: None,
            presented: generation(0),
            successor: None,
        }
    }

    fn rotated(at: Timestamp) -> Family {
        let mut family = family();
        family.presented.consumed_at = Some(at);
        family.successor = Some(generation(1));
        family
    }

    fn decide(family: &Family, grace: Duration) -> RotationDecision {
        decide_as(family, grace, "editor", None, None)
    }

    fn decide_as(
        family: &Family,
        grace: Duration,
        by: &str,
        scope: Option<&str>,
        resource: Option<&str>,
    ) -> RotationDecision {
        let request = Refresh {
            presented_refresh_token: Secret::presented("0".into()),
            scope: scope.map(str::to_owned),
            resource: resource.map(str::to_owned),
        };
        let ours = Resource::of_public_url("https://docs.example.com");
        decide_rotation(family, &request, by, &ours, grace, NOW)
    }

    #[test]
    fn the_live_token_rotates() {
        let scope = family().scope;
        assert_eq!(decide(&family(), GRACE), RotationDecision::Rotate { scope });
        assert_eq!(decide(&family(), Duration::ZERO), RotationDecision::Rotate { scope });
    }

    #[test]
    fn inside_the_grace_the_same_successor_answers_while_it_is_unused() {
        let just_rotated = rotated(NOW.minus(GRACE).plus(Duration::from_millis(1)));
        let successor = just_rotated.successor.as_ref().unwrap().token_hash;
        let scope = just_rotated.scope;
        let repeat = RotationDecision::Repeat { scope, successor };
        assert_eq!(decide(&just_rotated, GRACE), repeat);

        let mut used = just_rotated.clone();
        used.successor.as_mut().unwrap().consumed_at = Some(NOW);
        let reuse = RotationDecision::RevokeFamily(TokenRefusal::Replayed);
        assert_eq!(decide(&used, GRACE), reuse);
        assert_eq!(decide(&rotated(NOW.minus(GRACE)), GRACE), reuse);
        assert_eq!(decide(&rotated(NOW), Duration::ZERO), reuse);
    }

    #[test]
    fn an_old_token_is_evidence_of_theft_even_after_its_own_expiry() {
        let mut old = rotated(NOW.minus(Duration::from_secs(500)));
        old.presented.expires_at = NOW.minus(SECOND);
        let reuse = RotationDecision::RevokeFamily(TokenRefusal::Replayed);
        assert_eq!(decide(&old, GRACE), reuse);
    }

    #[test]
    fn idle_and_absolute_ends_refuse_without_revoking() {
        let mut idle = family();
        idle.presented.expires_at = NOW;
        assert_eq!(decide(&idle, GRACE), RotationDecision::Refuse(TokenRefusal::Expired));
        let mut absolute = family();
        absolute.grant_expires_at = Some(NOW);
        assert_eq!(decide(&absolute, GRACE), RotationDecision::Refuse(TokenRefusal::Expired));
        let mut revoked = family();
        revoked.revoked_at = Some(NOW);
        assert_eq!(decide(&revoked, GRACE), RotationDecision::Refuse(TokenRefusal::Revoked));
    }

    #[test]
    fn a_live_token_with_another_client_has_leaked_and_a_dead_one_proves_nothing() {
        let by_other = |family: &Family| decide_as(family, GRACE, "other", None, None);
        let leaked = RotationDecision::RevokeFamily(TokenRefusal::WrongClient);
        let nothing = RotationDecision::Refuse(TokenRefusal::WrongClient);
        assert_eq!(by_other(&family()), leaked);
        assert_eq!(by_other(&rotated(NOW)), nothing);
        let mut idle = family();
        idle.presented.expires_at = NOW;
        assert_eq!(by_other(&idle), nothing);
    }

    #[test]
    fn scope_may_shrink_and_never_grow() {
        let ask = |scope| decide_as(&family(), GRACE, "editor", Some(scope), None);
        let rotate = |scope| RotationDecision::Rotate { scope: ScopeSet::known_in(scope) };
        assert_eq!(ask("docs:read"), rotate("docs:read"));
        assert_eq!(ask("docs:read offline_access claudeai"), rotate("docs:read"));
        assert_eq!(ask("offline_access"), rotate("docs:read docs:feedback"));
        let wide = RotationDecision::Refuse(TokenRefusal::ScopeTooWide);
        assert_eq!(ask("docs:read email"), wide);
    }

    #[test]
    fn another_resource_is_refused_without_consuming() {
        let decision = decide_as(&family(), GRACE, "editor", None, Some("https://other/mcp"));
        assert_eq!(decision, RotationDecision::Refuse(TokenRefusal::UnknownResource));
    }
}
