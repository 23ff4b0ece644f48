//! `POST /oauth/token` with `grant_type=authorization_code` (OAuth 2.1 §4.1.3).
//!
//! 1. On Postgres, try the undisturbed exchange in one statement.
//! 2. Look the code up. One that nobody was given is refused here: guesses, however many, must not
//!    take their turns at the one writer that SQLite has.
//! 3. One write: lock the code's row, decide (`domain::authorization_code`), and either consume it,
//!    make the grant and its first refresh token, or revoke what an earlier exchange made.
//! 4. Sign the access token. The key was tried when it was loaded, so this does not fail; a crash
//!    here costs the client one new sign-in.

use crate::clock::Timestamp;
use crate::domain::audit::{Actor, AuditKind, reference_of};
use crate::domain::authorization_code::{AuthorizationCode, ExchangeDecision, decide_exchange};
use crate::domain::client::{Client, GrantType};
use crate::domain::pkce::CodeChallenge;
use crate::domain::refusal::TokenRefusal;
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::token_request::CodeExchange;
use crate::flow::granting::{Grantee, TokenOutcome};
use crate::flow::{Fault, Gatehouse};
use crate::id::{AuditId, AuthorizationRequestId, GrantId, RefreshTokenId};
use crate::secret::{Kind, Secret};
use crate::store::audit::{self, AuditRow};
use crate::store::authorization_codes::{self, ExchangedCode, UndisturbedExchange};
use crate::store::grants::{self, NewGrant, RevocationReason};
use crate::store::refresh_tokens::{self, NewGeneration};
use crate::store::{Consumed, StoreError, Txn, transact, users};

enum Exchanged {
    Granted(ExchangedCode),
    Revoked(GrantId, AuthorizationRequestId),
    /// With the attempt, where the code is one.
    Refused(TokenRefusal, Option<AuthorizationRequestId>),
}

struct Fresh {
    grant_id: GrantId,
    grant_expires_at: Option<Timestamp>,
    refresh_token: Secret,
    generation: NewGeneration,
}

impl Gatehouse {
    /// The exchange, by an authenticated client.
    pub async fn exchange_code(
        &self,
        client: &Client,
        exchange: &CodeExchange,
        now: Timestamp,
    ) -> Result<TokenOutcome, Fault> {
        let fresh = self.fresh_grant(now);
        let presented = exchange.presented_code.hash();
        let undisturbed = self.exchange_undisturbed(client, exchange, &fresh, now).await?;
        // A client learns a code after its row was committed, so what is not here was never given.
        let exchanged = if let Some(granted) = undisturbed {
            Exchanged::Granted(granted)
        } else if authorization_codes::is_known(self.store.read(), presented).await? {
            transact!(self.store, txn => {
                self.exchange_once(txn, client, exchange, &fresh, now).await
            })?
        } else {
            Exchanged::Refused(TokenRefusal::Unknown, None)
        };
        let (outcome, reason, attempt) = match &exchanged {
            Exchanged::Granted(granted) => ("granted", None, Some(granted.request_id)),
            Exchanged::Revoked(_, attempt) => {
                ("revoked", Some(TokenRefusal::Replayed), Some(*attempt))
            }
            Exchanged::Refused(refusal, attempt) => ("refused", Some(*refusal), *attempt),
        };
        tracing::info!(
            flow = "exchange_code", outcome, ?reason, client_id = %client.client_id,
            request_id = attempt.map(tracing::field::display),
        );
        if let Some((attempt, refusal)) = attempt.zip(reason) {
            self.note_exchange_refused(attempt, refusal);
        }
        match exchanged {
            Exchanged::Granted(granted) => {
                self.passed_to_grant(fresh.grant_id);
                self.note_token(granted.request_id, fresh.grant_id);
                let refresh_token =
                    gets_refresh_token(client, granted.scope).then_some(fresh.refresh_token);
                self.limits.count_head(fresh.grant_id, fresh.generation.token_hash, now);
                let grantee = Grantee {
                    grant_id: fresh.grant_id,
                    user_id: granted.user_id,
                    client_id: &client.client_id,
                    scope: granted.scope,
                    profile_sealed: &granted.profile_sealed,
                    grant_expires_at: fresh.grant_expires_at,
                };
                Ok(TokenOutcome::Granted(self.grant_tokens(&grantee, refresh_token, now)?))
            }
            Exchanged::Revoked(grant_id, _) => {
                self.standings.forget(grant_id);
                self.metrics.sign_in.revoked(RevocationReason::CodeReplayed.name(), 1);
                Ok(TokenOutcome::Refused(TokenRefusal::Replayed))
            }
            Exchanged::Refused(refusal, _) => Ok(TokenOutcome::Refused(refusal)),
        }
    }

    fn fresh_grant(&self, now: Timestamp) -> Fresh {
        let refresh_token = Secret::generate(&*self.entropy, Kind::RefreshToken);
        Fresh {
            grant_id: GrantId::generate(&*self.entropy, now),
            grant_expires_at: self.config.grant_max_ttl.map(|ttl| now.plus(ttl)),
            generation: NewGeneration {
                id: RefreshTokenId::generate(&*self.entropy, now),
                token_hash: refresh_token.hash(),
                expires_at: now.plus(self.config.refresh_token_ttl),
            },
            refresh_token,
        }
    }

    async fn exchange_undisturbed(
        &self,
        client: &Client,
        exchange: &CodeExchange,
        fresh: &Fresh,
        now: Timestamp,
    ) -> Result<Option<ExchangedCode>, Fault> {
        let other_resource =
            exchange.resource.as_deref().is_some_and(|uri| !self.resource.is_named_by(uri));
        let challenge = CodeChallenge::met_by(exchange.code_verifier.expose());
        let Some(code_challenge) = challenge.filter(|_| !other_resource) else { return Ok(None) };
        let exchange = UndisturbedExchange {
            presented: exchange.presented_code.hash(),
            client_id: &client.client_id,
            code_challenge: &code_challenge,
            redirect_uri: exchange.redirect_uri.as_deref(),
            grant: (fresh.grant_id, fresh.grant_expires_at),
            generation: fresh.generation,
            lists_refresh: client.metadata.may_use(GrantType::RefreshToken),
            audit_id: AuditId::generate(&*self.entropy, now),
        };
        Ok(authorization_codes::exchange_undisturbed(&self.store, &exchange, now).await?)
    }

    async fn exchange_once(
        &self,
        txn: &Txn,
        client: &Client,
        exchange: &CodeExchange,
        fresh: &Fresh,
        now: Timestamp,
    ) -> Result<Exchanged, StoreError> {
        let presented = exchange.presented_code.hash();
        let Some(code) = authorization_codes::lock(txn, presented).await? else {
            return Ok(Exchanged::Refused(TokenRefusal::Unknown, None));
        };
        match decide_exchange(&code, exchange, &client.client_id, &self.resource, now) {
            ExchangeDecision::Exchange => {
                // The row is locked, so nobody can have been faster; if somebody was, the lock is
                // broken and two grants would be worse than none.
                let consumed =
                    authorization_codes::consume(txn, code.id, fresh.grant_id, now).await?;
                if consumed == Consumed::BySomeoneElse {
                    return Ok(Exchanged::Refused(TokenRefusal::Replayed, Some(code.request_id)));
                }
                let grant = NewGrant {
                    id: fresh.grant_id,
                    authorization_code_id: code.id,
                    user_id: code.user_id,
                    client_id: &code.client_id,
                    scope: code.scope,
                    expires_at: fresh.grant_expires_at,
                };
                grants::insert(txn, grant, now).await?;
                if gets_refresh_token(client, code.scope) {
                    refresh_tokens::insert(txn, fresh.grant_id, 0, fresh.generation, now).await?;
                }
                let kind = AuditKind::TokenIssued;
                let issued = AuditRow::new(&*self.entropy, kind, Actor::Client, now)
                    .of_person(code.user_id)
                    .of_client(&code.client_id)
                    .of_grant(fresh.grant_id)
                    .in_attempt(reference_of(code.request_id));
                audit::write(txn, [issued]).await?;
                let profile_sealed = users::profile_sealed(txn, code.user_id)
                    .await?
                    .ok_or(StoreError::Corrupt("code without a person"))?;
                let AuthorizationCode { request_id, user_id, scope, .. } = code;
                let granted = ExchangedCode { request_id, user_id, scope, profile_sealed };
                Ok(Exchanged::Granted(granted))
            }
            ExchangeDecision::RevokeGrant(grant_id) => {
                let reason = RevocationReason::CodeReplayed;
                if grants::revoke(txn, grant_id, reason, now).await? == Consumed::ByUs {
                    let kind = AuditKind::GrantRevoked;
                    let revoked = AuditRow::new(&*self.entropy, kind, Actor::Client, now)
                        .of_person(code.user_id)
                        .of_client(&code.client_id)
                        .of_grant(grant_id)
                        .because(reason.name())
                        .in_attempt(reference_of(code.request_id));
                    audit::write(txn, [revoked]).await?;
                }
                Ok(Exchanged::Revoked(grant_id, code.request_id))
            }
            ExchangeDecision::Refuse(refusal) => {
                Ok(Exchanged::Refused(refusal, Some(code.request_id)))
            }
        }
    }
}

/// A client that lists the grant or asked to stay connected gets one; requiring the latter alone
/// loses clients that never send it.
fn gets_refresh_token(client: &Client, scope: ScopeSet) -> bool {
    client.metadata.may_use(GrantType::RefreshToken) || scope.contains(Scope::OfflineAccess)
}
