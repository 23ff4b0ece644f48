//! What both grants of the token endpoint end with: an access token.

use crate::clock::Timestamp;
use crate::domain::access_token::{NewToken, Profile, issue};
use crate::domain::refusal::TokenRefusal;
use crate::domain::scope::{Scope, ScopeSet};
use crate::flow::limits::Reading;
use crate::flow::{Fault, Gatehouse};
use crate::id::{GrantId, UserId};
use crate::secret::{Secret, base64url};
use crate::server_secret::Purpose;
use crate::store::StoreError;

/// What a token request gets.
pub enum TokenOutcome {
    /// Tokens.
    Granted(GrantedTokens),
    /// A reason why not.
    Refused(TokenRefusal),
    /// Too many requests of this sign-in.
    Limited(Reading),
}

/// Tokens, to be handed out once.
pub struct GrantedTokens {
    /// RFC 9068 JWT.
    pub access_token: Secret,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// The next refresh token, when the client uses them.
    pub refresh_token: Option<Secret>,
    /// What the access token may be used for.
    pub scope: ScopeSet,
}

/// Whom and what an access token is for.
pub struct Grantee<'a> {
    /// The grant it lives by.
    pub grant_id: GrantId,
    /// Whose it is.
    pub user_id: UserId,
    /// Whom it is issued to.
    pub client_id: &'a str,
    /// What it may be used for.
    pub scope: ScopeSet,
    /// The person's sealed profile.
    pub profile_sealed: &'a [u8],
    /// Absolute end of the grant, when one is set.
    pub grant_expires_at: Option<Timestamp>,
}

impl Gatehouse {
    /// Opens a person's profile.
    pub fn profile(&self, sealed: &[u8]) -> Result<Profile, Fault> {
        let opened = self.config.secret.unseal(Purpose::Profile, sealed);
        let profile = opened.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(profile.ok_or(StoreError::Corrupt("profile; it was sealed under another `secret`"))?)
    }

    /// Signs an access token and puts the refresh token beside it.
    pub fn grant_tokens(
        &self,
        grantee: &Grantee<'_>,
        refresh_token: Option<Secret>,
        now: Timestamp,
    ) -> Result<GrantedTokens, Fault> {
        let tells_identity =
            grantee.scope.contains(Scope::Email) || grantee.scope.contains(Scope::Profile);
        let profile =
            if tells_identity { self.profile(grantee.profile_sealed)? } else { Profile::default() };
        let end = now.plus(self.config.access_token_ttl);
        // A token that outlived its grant would promise what admission then refuses.
        let expires_at = grantee.grant_expires_at.map_or(end, |grant_end| end.min(grant_end));
        let mut jti = [0; 16];
        self.entropy.fill(&mut jti);
        let claims = issue(NewToken {
            issuer: &self.config.public_url,
            resource: &self.resource,
            user_id: grantee.user_id,
            client_id: grantee.client_id,
            grant_id: grantee.grant_id,
            scope: grantee.scope,
            profile: &profile,
            jti: base64url(&jti),
            issued_at: now,
            expires_at,
        });
        Ok(GrantedTokens {
            access_token: Secret::presented(self.keyring.sign(&claims)),
            expires_in: claims.exp - claims.iat,
            refresh_token,
            scope: grantee.scope,
        })
    }
}
