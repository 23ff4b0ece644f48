//! `POST /oauth/revoke` (RFC 7009).
//!
//! 1. The client must be known; public ones name themselves.
//! 2. Find the grant behind the token, whatever the hint says: by hash for a refresh token, by
//!    signature for an access token.
//! 3. One write: end the grant, if it is this client's. A token nobody knows is answered like one
//!    that is revoked.

use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind};
use crate::domain::refusal::RevocationRefusal;
use crate::flow::{Fault, Gatehouse};
use crate::id::GrantId;
use crate::secret::Secret;
use crate::store::audit::{self, AuditRow};
use crate::store::grants::{self, RevocationReason};
use crate::store::refresh_tokens;
use crate::store::{Consumed, transact};

/// How a revocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The token works no more, or never did.
    Done,
    /// A reason why not.
    Refused(RevocationRefusal),
}

impl Gatehouse {
    /// The exchange.
    pub async fn revoke(&self, client_id: &str, token: &Secret) -> Result<Revocation, Fault> {
        let now = self.clock.now();
        let Some(client) = self.clients.resolve(&self.store, client_id, now).await? else {
            return Ok(Revocation::Refused(RevocationRefusal::UnknownClient));
        };
        let Some(grant_id) = self.grant_behind(token, now).await? else {
            return Ok(Revocation::Done);
        };
        let standing = grants::standing(self.store.read(), grant_id).await?;
        // RFC 7009 §2.1: another client's token is left alone, and nobody learns that it exists.
        let own = standing.filter(|standing| standing.client_id == client.client_id);
        let Some(own) = own else { return Ok(Revocation::Done) };
        let reason = RevocationReason::ByClient;
        transact!(self.store, txn => {
            if grants::revoke(txn, grant_id, reason, now).await? == Consumed::ByUs {
                let kind = AuditKind::GrantRevoked;
                let revoked = AuditRow::new(&*self.entropy, kind, Actor::Client, now)
                    .of_person(own.user_id)
                    .of_client(&own.client_id)
                    .of_grant(grant_id)
                    .because(reason.name());
                audit::write(txn, [revoked]).await?;
            }
            Ok(())
        })?;
        self.standings.forget(grant_id);
        self.metrics.sign_in.revoked(RevocationReason::ByClient.name(), 1);
        tracing::info!(flow = "revoke", outcome = "revoked", client_id, %grant_id);
        Ok(Revocation::Done)
    }

    async fn grant_behind(&self, token: &Secret, now: Timestamp) -> Result<Option<GrantId>, Fault> {
        if let Some(grant_id) = refresh_tokens::owner(self.store.read(), token.hash()).await? {
            return Ok(Some(grant_id));
        }
        let admitted = self.read_access_token(token, now).await?;
        Ok(admitted.ok().map(|admitted| admitted.grant_id))
    }
}
