//! Who asks at the token endpoint, and which exchange they get (OAuth 2.1 §3.2).
//!
//! 1. Read who the client says it is, from body and header together.
//! 2. Find it; a client nobody registered is `invalid_client`, so that it registers again.
//! 3. Parse the request into the one exchange it can be, and hand over.
//! 4. Refusals count against the client at its address, so that nobody guesses for long.

use std::net::IpAddr;

use crate::clock::Timestamp;
use crate::domain::client::{Client, GrantType};
use crate::domain::client_claim::{BasicCredentials, claimed_client_id};
use crate::domain::refusal::{ClientRefusal, TokenRefusal};
use crate::domain::token_request::{TokenFields, TokenRequest};
use crate::flow::granting::TokenOutcome;
use crate::flow::limits::Counted;
use crate::flow::{Fault, Gatehouse};
use crate::secret::Secret;

impl Gatehouse {
    /// The exchange.
    pub async fn token(
        &self,
        fields: TokenFields,
        basic: Result<Option<BasicCredentials>, ClientRefusal>,
        address: IpAddr,
    ) -> Result<TokenOutcome, Fault> {
        let now = self.clock.now();
        let claimed = basic.and_then(|basic| claimed_client_id(&fields.client, basic.as_ref()));
        let client = match &claimed {
            Ok(client_id) => self.clients.resolve(&self.store, client_id, now).await?,
            Err(_) => None,
        };
        let code_hash = fields.code.clone().map(|code| Secret::presented(code).hash());
        let unread = |refusal| {
            if let Some(code_hash) = code_hash {
                self.note_code_refused(code_hash, refusal);
            }
            TokenOutcome::Refused(refusal)
        };
        let outcome = match (claimed, &client) {
            (Err(refusal), _) => unread(TokenRefusal::Client(refusal)),
            (Ok(_), None) => unread(TokenRefusal::UnknownClient),
            (Ok(_), Some(client)) => match TokenRequest::parse(fields) {
                Ok(request) => self.token_of(client, request, address, now).await?,
                Err(refusal) => unread(refusal),
            },
        };
        let TokenOutcome::Refused(refusal) = outcome else { return Ok(outcome) };
        tracing::info!(flow = "token", outcome = "refused", reason = ?refusal);
        // Only a client that exists has a count of its own; names that are made up share one.
        let counted = match &client {
            Some(client) => Counted::client_at(&client.client_id, address),
            None => Counted::address(address),
        };
        let reading = self.limits.token.count(counted, now);
        Ok(if reading.allowed {
            TokenOutcome::Refused(refusal)
        } else {
            TokenOutcome::Limited(reading)
        })
    }

    async fn token_of(
        &self,
        client: &Client,
        request: TokenRequest,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<TokenOutcome, Fault> {
        match request {
            TokenRequest::AuthorizationCode(exchange) => {
                self.exchange_code(client, &exchange, now).await
            }
            TokenRequest::RefreshToken(refresh) => {
                let outcome = self.refresh(client, &refresh, address, now).await?;
                // A client without the grant type may still hold a token, by `offline_access`; only
                // when it does not is the grant type what is wrong.
                Ok(match outcome {
                    TokenOutcome::Refused(TokenRefusal::Unknown)
                        if !client.metadata.may_use(GrantType::RefreshToken) =>
                    {
                        TokenOutcome::Refused(TokenRefusal::UnauthorizedGrantType)
                    }
                    outcome => outcome,
                })
            }
        }
    }
}
