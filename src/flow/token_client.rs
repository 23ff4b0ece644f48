//! Who asks at the token endpoint, and which exchange they get (OAuth 2.1 §3.2).
//!
//! 1. Read who the client says it is, from body and header together.
//! 2. Find it; a client nobody registered is `invalid_client`, so that it registers again.
//! 3. Parse the request into the one exchange it can be, and hand over.
//! 4. Refusals count against the client at its address, so that nobody guesses for long.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse_api::token::TokenForm;
use gatehouse_api::visit::Visit;

use crate::domain::client::GrantType;
use crate::domain::refusal::TokenRefusal;
use crate::domain::token_request::{
    BasicCredentials, TokenFields, TokenRequest, claimed_client_id,
};
use crate::flow::granting::TokenOutcome;
use crate::flow::limits::Counted;
use crate::flow::{Fault, Gatehouse};

/// The form as the domain reads it.
pub fn fields(form: TokenForm) -> TokenFields {
    TokenFields {
        grant_type: form.grant_type,
        client_id: form.client_id,
        client_secret: form.client_secret,
        client_assertion: form.client_assertion,
        code: form.code,
        code_verifier: form.code_verifier,
        redirect_uri: form.redirect_uri,
        refresh_token: form.refresh_token,
        scope: form.scope,
        resource: form.resource,
    }
}

/// What an `Authorization` header says of the client. `Err` when it is there and is not readable
/// HTTP Basic.
pub fn basic_credentials(visit: &Visit) -> Result<Option<BasicCredentials>, TokenRefusal> {
    let failed = TokenRefusal::BasicAuthenticationFailed;
    if !visit.headers.contains_key("authorization") {
        return Ok(None);
    }
    let header = visit.header("authorization").ok_or(failed)?;
    let (scheme, encoded) = header.split_once(' ').ok_or(failed)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(failed);
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| failed)?;
    let decoded = String::from_utf8(decoded).map_err(|_| failed)?;
    let (user, password) = decoded.split_once(':').ok_or(failed)?;
    // Identifiers of ours have no character that form-encoding changes, so the raw and the encoded
    // spelling (RFC 6749 §2.3.1) are the same.
    Ok(Some(BasicCredentials {
        client_id: user.to_owned(),
        password_is_empty: password.is_empty(),
    }))
}

impl Gatehouse {
    /// The exchange.
    pub async fn token(
        &self,
        fields: TokenFields,
        basic: Result<Option<BasicCredentials>, TokenRefusal>,
        address: IpAddr,
    ) -> Result<TokenOutcome, Fault> {
        let now = self.clock.now();
        let client_id = basic.and_then(|basic| claimed_client_id(&fields, basic.as_ref()));
        let counted = client_id.clone().unwrap_or_default();
        let outcome = match client_id {
            Ok(client_id) => self.token_of(&client_id, fields).await?,
            Err(refusal) => TokenOutcome::Refused(refusal),
        };
        let TokenOutcome::Refused(refusal) = outcome else { return Ok(outcome) };
        tracing::info!(flow = "token", outcome = "refused", reason = ?refusal);
        let reading = self.limits.token.count(Counted::client_at(&counted, address), now);
        Ok(if reading.allowed {
            TokenOutcome::Refused(refusal)
        } else {
            TokenOutcome::Limited(reading)
        })
    }

    async fn token_of(&self, client_id: &str, fields: TokenFields) -> Result<TokenOutcome, Fault> {
        let now = self.clock.now();
        let Some(client) = self.clients.resolve(&self.store, client_id, now).await? else {
            return Ok(TokenOutcome::Refused(TokenRefusal::UnknownClient));
        };
        match TokenRequest::parse(fields) {
            Ok(TokenRequest::AuthorizationCode(exchange)) => {
                self.exchange_code(&client, &exchange, now).await
            }
            Ok(TokenRequest::RefreshToken(refresh)) => {
                let outcome = self.refresh(&client, &refresh, now).await?;
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
            Err(refusal) => Ok(TokenOutcome::Refused(refusal)),
        }
    }
}
