//! The exchange of an authorization code: once, by the client it was made for
//! (OAuth 2.1 §4.1.3, RFC 9700 §4.5).

use crate::clock::Timestamp;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::TrustedRedirect;
use crate::domain::refusal::TokenRefusal;
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;
use crate::domain::token_request::CodeExchange;
use crate::id::{AuthorizationCodeId, AuthorizationRequestId, GrantId, UserId};

/// A code as its row holds it.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    /// Its row.
    pub id: AuthorizationCodeId,
    /// The request that it answers.
    pub request_id: AuthorizationRequestId,
    /// Whom it was made for.
    pub client_id: String,
    /// Who signed in.
    pub user_id: UserId,
    /// Where it was sent.
    pub redirect: TrustedRedirect,
    /// What the person agreed to.
    pub scope: ScopeSet,
    /// What the verifier must fit.
    pub code_challenge: CodeChallenge,
    /// Dead from this moment on.
    pub expires_at: Timestamp,
    /// When it was exchanged.
    pub consumed_at: Option<Timestamp>,
    /// What it gave.
    pub grant_id: Option<GrantId>,
}

/// What is to be done with a presented code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeDecision {
    /// Consume it and make the grant.
    Exchange,
    /// Revoke what it gave.
    RevokeGrant(GrantId),
    /// Do nothing.
    Refuse(TokenRefusal),
}

/// Judges one presentation of `code` by the authenticated client `client_id`.
pub fn decide_exchange(
    code: &AuthorizationCode,
    exchange: &CodeExchange,
    client_id: &str,
    resource: &Resource,
    now: Timestamp,
) -> ExchangeDecision {
    use ExchangeDecision::Refuse;
    // The client and the verifier come before the replay: otherwise anyone who saw a used code
    // could end its owner's grant by presenting it (OAuth 2.1 §7.5.3).
    if code.client_id != client_id {
        return Refuse(TokenRefusal::WrongClient);
    }
    if !code.code_challenge.is_met_by(exchange.code_verifier.expose()) {
        return Refuse(TokenRefusal::VerifierMismatch);
    }
    if exchange.redirect_uri.as_deref().is_some_and(|uri| uri != code.redirect.as_str()) {
        return Refuse(TokenRefusal::RedirectUriMismatch);
    }
    // OAuth 2.1 §4.1.3: a code seen twice takes its tokens with it.
    if code.consumed_at.is_some() {
        return code.grant_id.map_or(Refuse(TokenRefusal::Replayed), ExchangeDecision::RevokeGrant);
    }
    if now >= code.expires_at {
        return Refuse(TokenRefusal::Expired);
    }
    if exchange.resource.as_deref().is_some_and(|presented| !resource.is_named_by(presented)) {
        return Refuse(TokenRefusal::UnknownResource);
    }
    ExchangeDecision::Exchange
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::secret::{Secret, SystemEntropy};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn code() -> AuthorizationCode {
        AuthorizationCode {
            id: AuthorizationCodeId::generate(&SystemEntropy, NOW),
            request_id: AuthorizationRequestId::generate(&SystemEntropy, NOW),
            client_id: "editor".into(),
            user_id: UserId::generate(&SystemEntropy, NOW),
            redirect: TrustedRedirect::from_stored("http://127.0.0.1:5/cb".into()),
            scope: ScopeSet::known_in("docs:read docs:feedback"),
            code_challenge: CodeChallenge::of_verifier(VERIFIER),
            expires_at: NOW.plus(Duration::from_mins(1)),
            consumed_at: None,
            grant_id: None,
        }
    }

    fn exchange(verifier: &str, redirect: Option<&str>, resource: Option<&str>) -> CodeExchange {
        CodeExchange {
            presented_code: Secret::presented("ghc_x".into()),
            code_verifier: Secret::presented(verifier.into()),
            redirect_uri: redirect.map(str::to_owned),
            resource: resource.map(str::to_owned),
        }
    }

    fn decide(code: &AuthorizationCode, exchange: &CodeExchange, by: &str) -> ExchangeDecision {
        let resource = Resource::of_public_url("https://docs.example.com");
        decide_exchange(code, exchange, by, &resource, NOW)
    }

    #[test]
    fn the_right_client_with_the_right_verifier_gets_its_grant() {
        for presented in [
            exchange(VERIFIER, None, None),
            exchange(VERIFIER, Some("http://127.0.0.1:5/cb"), Some("https://docs.example.com/mcp")),
        ] {
            assert_eq!(decide(&code(), &presented, "editor"), ExchangeDecision::Exchange);
        }
    }

    #[test]
    fn each_wrong_thing_has_its_reason() {
        use ExchangeDecision::Refuse;
        let other_verifier = "a".repeat(43);
        let right = exchange(VERIFIER, None, None);
        for (presented, by, refusal) in [
            (right.clone(), "other", TokenRefusal::WrongClient),
            (exchange(&other_verifier, None, None), "editor", TokenRefusal::VerifierMismatch),
            (
                exchange(VERIFIER, Some("http://127.0.0.1:6/cb"), None),
                "editor",
                TokenRefusal::RedirectUriMismatch,
            ),
            (
                exchange(VERIFIER, None, Some("https://o/mcp")),
                "editor",
                TokenRefusal::UnknownResource,
            ),
        ] {
            assert_eq!(decide(&code(), &presented, by), Refuse(refusal));
        }
        let mut late = code();
        late.expires_at = NOW;
        assert_eq!(decide(&late, &right, "editor"), Refuse(TokenRefusal::Expired));
    }

    #[test]
    fn only_a_valid_replay_revokes() {
        let grant = GrantId::generate(&SystemEntropy, NOW);
        let mut used = code();
        used.consumed_at = Some(NOW);
        used.grant_id = Some(grant);
        let right = exchange(VERIFIER, None, None);
        assert_eq!(decide(&used, &right, "editor"), ExchangeDecision::RevokeGrant(grant));
        let refused = decide(&used, &right, "other");
        assert_eq!(refused, ExchangeDecision::Refuse(TokenRefusal::WrongClient));
        let refused = decide(&used, &exchange(&"b".repeat(43), None, None), "editor");
        assert_eq!(refused, ExchangeDecision::Refuse(TokenRefusal::VerifierMismatch));
        // A replay after the code's time is a replay still.
        used.expires_at = NOW;
        assert_eq!(decide(&used, &right, "editor"), ExchangeDecision::RevokeGrant(grant));
    }
}
