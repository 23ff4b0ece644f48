//! `POST /oauth/token` with `grant_type=refresh_token` (RFC 9700 §4.14.2).
//!
//! 1. Refuse a grant that has used its window up.
//! 2. Derive the successor of the presented token under the server secret: every repetition
//!    derives the same one, and no refresh token is ever stored.
//! 3. On Postgres, try the undisturbed rotation in one statement.
//! 4. Look the token up. One that nobody was given is refused here: guesses, however many, must not
//!    take their turns at the one writer that SQLite has.
//! 5. Otherwise one write: lock the family, decide (`domain::refresh_token`), and rotate, answer
//!    with the successor that exists, or end the family.
//! 6. Sign the access token. A crash between 5 and 6 is what the grace covers.

use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::client::Client;
use crate::domain::refresh_token::{Family, RotationDecision, decide_rotation, requested_scope};
use crate::domain::refusal::TokenRefusal;
use crate::domain::scope::ScopeSet;
use crate::domain::token_request::Refresh;
use crate::flow::granting::{Grantee, TokenOutcome};
use crate::flow::limits::Reading;
use crate::flow::{Fault, Gatehouse};
use crate::id::{AuditId, GrantId, RefreshTokenId};
use crate::metrics::sign_in::Refresh as Refreshed;
use crate::secret::{Secret, SecretHash};
use crate::store::audit::{self, AuditRow};
use crate::store::grants::{self, RevocationReason};
use crate::store::refresh_tokens::{self, NewGeneration, UndisturbedRotation};
use crate::store::{Consumed, StoreError, Txn, transact, users};

/// How old a request's view of the time may be when it is about to end a family.
const HELD_UP_MAX: Duration = Duration::from_secs(2);

enum Rotation {
    Delayed,
    Limited(Reading),
    Rotated { family: Family, scope: ScopeSet, profile_sealed: Vec<u8> },
    Repeated { family: Family, scope: ScopeSet, successor: SecretHash, profile_sealed: Vec<u8> },
    Revoked { grant_id: GrantId, refusal: TokenRefusal },
    Refused(TokenRefusal),
}

impl Gatehouse {
    /// The exchange, by an authenticated client.
    pub async fn refresh(
        &self,
        client: &Client,
        request: &Refresh,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<TokenOutcome, Fault> {
        let presented = &request.presented_refresh_token;
        if let Some(reading) = self.over_limit(presented.hash(), now).await? {
            self.metrics.sign_in.refreshed(Refreshed::Limited);
            tracing::info!(flow = "refresh", outcome = "limited", client_id = %client.client_id);
            return Ok(TokenOutcome::Limited(reading));
        }
        let successor = self.config.secret.successor_of(presented);
        let generation = NewGeneration {
            id: RefreshTokenId::generate(&*self.entropy, now),
            token_hash: successor.hash(),
            expires_at: now.plus(self.config.refresh_token_ttl),
        };
        if let Some(outcome) =
            self.refresh_undisturbed(client, request, &successor, generation, now).await?
        {
            self.metrics.sign_in.refreshed(self.rotations.note(presented.hash(), address));
            return Ok(outcome);
        }
        // A client learns a token after its row was committed, so what is not here was never given.
        let owner = refresh_tokens::owner(self.store.read(), presented.hash()).await?;
        let rotation = if owner.is_some() {
            transact!(self.store, txn => {
                self.rotate_once(txn, client, request, generation, now).await
            })?
        } else {
            Rotation::Refused(TokenRefusal::Unknown)
        };
        log(client, &rotation);
        self.metrics.sign_in.refreshed(self.counted(&rotation, presented, address));
        self.answer(client, rotation, presented, successor, now)
    }

    /// What a rotation that was disturbed counts as; one that ended a grant counts as that, too.
    fn counted(&self, rotation: &Rotation, presented: &Secret, address: IpAddr) -> Refreshed {
        let (counted, reason) = match rotation {
            Rotation::Rotated { .. } => return self.rotations.note(presented.hash(), address),
            Rotation::Repeated { .. } => return self.rotations.compare(presented.hash(), address),
            Rotation::Refused(_) => return Refreshed::Refused,
            Rotation::Limited(_) => return Refreshed::Limited,
            Rotation::Delayed => return Refreshed::Delayed,
            Rotation::Revoked { refusal: TokenRefusal::WrongClient, .. } => {
                (Refreshed::Leaked, RevocationReason::RefreshTokenLeaked)
            }
            Rotation::Revoked { .. } => {
                (Refreshed::Replayed, RevocationReason::RefreshTokenReplayed)
            }
        };
        self.metrics.sign_in.revoked(reason.name(), 1);
        counted
    }

    /// The reading of the presented token's grant, when it has used its window up.
    ///
    /// A token that another replica handed out is looked up only while there is such a grant here:
    /// the undisturbed rotation learns whose token it was when it is too late to refuse, and nobody
    /// else shall pay for that with another round trip.
    async fn over_limit(
        &self,
        presented: SecretHash,
        now: Timestamp,
    ) -> Result<Option<Reading>, Fault> {
        let grant_id = match self.limits.grant_of_head(presented) {
            None if self.limits.token.is_used_up_by_somebody(now) => {
                refresh_tokens::owner(self.store.read(), presented).await?
            }
            known_or_none => known_or_none,
        };
        Ok(grant_id.and_then(|grant_id| self.limits.grant_over_limit(grant_id, now)))
    }

    async fn refresh_undisturbed(
        &self,
        client: &Client,
        request: &Refresh,
        successor: &Secret,
        generation: NewGeneration,
        now: Timestamp,
    ) -> Result<Option<TokenOutcome>, Fault> {
        let other_resource =
            request.resource.as_deref().is_some_and(|uri| !self.resource.is_named_by(uri));
        if other_resource {
            return Ok(None);
        }
        let requested_scope = requested_scope(request.scope.as_deref());
        let rotation = UndisturbedRotation {
            presented: request.presented_refresh_token.hash(),
            client_id: &client.client_id,
            requested_scope,
            successor: generation,
            audit_id: AuditId::generate(&*self.entropy, now),
        };
        let rotated = refresh_tokens::rotate_undisturbed(&self.store, &rotation, now).await?;
        let Some(rotated) = rotated else { return Ok(None) };
        tracing::info!(
            flow = "refresh", outcome = "rotated", client_id = %client.client_id,
            grant_id = %rotated.grant_id,
        );
        let scope = if requested_scope.is_empty() { rotated.scope } else { requested_scope };
        let grantee = Grantee {
            grant_id: rotated.grant_id,
            user_id: rotated.user_id,
            client_id: &client.client_id,
            scope,
            profile_sealed: &rotated.profile_sealed,
            grant_expires_at: rotated.grant_expires_at,
        };
        self.limits.count_head(rotated.grant_id, successor.hash(), now);
        let granted = self.grant_tokens(&grantee, Some(successor.clone()), now)?;
        Ok(Some(TokenOutcome::Granted(granted)))
    }

    async fn rotate_once(
        &self,
        txn: &Txn,
        client: &Client,
        request: &Refresh,
        generation: NewGeneration,
        now: Timestamp,
    ) -> Result<Rotation, StoreError> {
        let presented = request.presented_refresh_token.hash();
        let Some(family) = refresh_tokens::lock_family(txn, presented).await? else {
            return Ok(Rotation::Refused(TokenRefusal::Unknown));
        };
        if let Some(reading) = self.limits.grant_over_limit(family.grant_id, now) {
            return Ok(Rotation::Limited(reading));
        }
        let grace = self.config.refresh_grace;
        let client_id = &client.client_id;
        match decide_rotation(&family, request, client_id, &self.resource, grace, now) {
            RotationDecision::Rotate { scope } => {
                let consumed = refresh_tokens::consume(txn, family.presented.id, now).await?;
                // The grant is locked, so nobody can have been faster; if somebody was, the lock is
                // broken and two heads would be worse than none.
                if consumed == Consumed::BySomeoneElse {
                    return Ok(Rotation::Refused(TokenRefusal::Replayed));
                }
                let next = family.presented.generation + 1;
                refresh_tokens::insert(txn, family.grant_id, next, generation, now).await?;
                let refreshed = self.audited(AuditKind::TokenRefreshed, &family, client_id, now);
                audit::write(txn, [refreshed]).await?;
                let profile_sealed = sealed_profile(txn, &family).await?;
                Ok(Rotation::Rotated { family, scope, profile_sealed })
            }
            RotationDecision::Repeat { scope, successor } => {
                let repeated = self.audited(AuditKind::TokenRefreshed, &family, client_id, now);
                audit::write(txn, [repeated.because("repeated")]).await?;
                let profile_sealed = sealed_profile(txn, &family).await?;
                Ok(Rotation::Repeated { family, scope, successor, profile_sealed })
            }
            RotationDecision::RevokeFamily(refusal) => {
                // A process that was stopped after it read the clock would take the client's own
                // retry, long answered elsewhere, for theft.
                if self.clock.now() >= now.plus(HELD_UP_MAX) {
                    return Ok(Rotation::Delayed);
                }
                let reason = match refusal {
                    TokenRefusal::WrongClient => RevocationReason::RefreshTokenLeaked,
                    _ => RevocationReason::RefreshTokenReplayed,
                };
                // The first of several that see the reuse tells of it.
                if grants::revoke(txn, family.grant_id, reason, now).await? == Consumed::ByUs {
                    let told = [AuditKind::RefreshReused, AuditKind::GrantRevoked];
                    let row =
                        |kind| self.audited(kind, &family, client_id, now).because(reason.name());
                    audit::write(txn, told.map(row)).await?;
                }
                Ok(Rotation::Revoked { grant_id: family.grant_id, refusal })
            }
            RotationDecision::Refuse(refusal) => Ok(Rotation::Refused(refusal)),
        }
    }

    /// Who presented the token is a client, whoever the token was meant for.
    fn audited<'a>(
        &self,
        kind: AuditKind,
        family: &Family,
        client_id: &'a str,
        now: Timestamp,
    ) -> AuditRow<'a> {
        AuditRow::new(&*self.entropy, kind, Actor::Client, now)
            .of_person(family.user_id)
            .of_client(client_id)
            .of_grant(family.grant_id)
    }

    fn answer(
        &self,
        client: &Client,
        rotation: Rotation,
        presented: &Secret,
        successor: Secret,
        now: Timestamp,
    ) -> Result<TokenOutcome, Fault> {
        let (family, scope, profile_sealed, refresh_token) = match rotation {
            Rotation::Rotated { family, scope, profile_sealed } => {
                (family, scope, profile_sealed, successor)
            }
            Rotation::Repeated { family, scope, successor: stored, profile_sealed } => {
                // The secret may have been rotated since the successor was derived.
                match self.config.secret.successor_matching(presented, stored) {
                    Some(same) => (family, scope, profile_sealed, same),
                    None => return Ok(TokenOutcome::Refused(TokenRefusal::Replayed)),
                }
            }
            Rotation::Revoked { grant_id, refusal } => {
                self.standings.forget(grant_id);
                return Ok(TokenOutcome::Refused(refusal));
            }
            Rotation::Refused(refusal) => return Ok(TokenOutcome::Refused(refusal)),
            Rotation::Limited(reading) => return Ok(TokenOutcome::Limited(reading)),
            Rotation::Delayed => return Err(Fault::Delayed),
        };
        self.limits.count_head(family.grant_id, refresh_token.hash(), now);
        let grantee = Grantee {
            grant_id: family.grant_id,
            user_id: family.user_id,
            client_id: &client.client_id,
            scope,
            profile_sealed: &profile_sealed,
            grant_expires_at: family.grant_expires_at,
        };
        Ok(TokenOutcome::Granted(self.grant_tokens(&grantee, Some(refresh_token), now)?))
    }
}

async fn sealed_profile(txn: &Txn, family: &Family) -> Result<Vec<u8>, StoreError> {
    users::profile_sealed(txn, family.user_id)
        .await?
        .ok_or(StoreError::Corrupt("grant without a person"))
}

fn log(client: &Client, rotation: &Rotation) {
    let client_id = &client.client_id;
    match rotation {
        Rotation::Rotated { family, .. } => tracing::info!(
            flow = "refresh", outcome = "rotated", client_id, grant_id = %family.grant_id,
        ),
        Rotation::Repeated { family, .. } => tracing::info!(
            flow = "refresh", outcome = "repeated", client_id, grant_id = %family.grant_id,
        ),
        Rotation::Revoked { grant_id, refusal } => tracing::warn!(
            flow = "refresh", outcome = "revoked", reason = ?refusal, client_id, %grant_id,
        ),
        Rotation::Refused(refusal) => tracing::info!(
            flow = "refresh", outcome = "refused", reason = ?refusal, client_id,
        ),
        Rotation::Delayed => tracing::warn!(flow = "refresh", outcome = "delayed", client_id),
        Rotation::Limited(_) => {
            tracing::info!(flow = "refresh", outcome = "limited", client_id);
        }
    }
}
