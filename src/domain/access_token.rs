//! Access tokens: what they say (RFC 9068 §2.2) and whom they admit (RFC 9068 §4).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::domain::refusal::AccessRefusal;
use crate::domain::resource::Resource;
use crate::domain::scope::{Scope, ScopeSet};
use crate::id::{GrantId, UserId};

/// The `typ` header: no other JWT can be replayed as one of these.
pub const TYP: &str = "at+jwt";

/// How far ahead of ours a replica's clock may be, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// How long the answer with a token may be on its way to a client, for which the token lives on.
const TRAVEL_MAX: Duration = Duration::from_secs(4);

/// One audience or several (RFC 7519 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// A string.
    One(String),
    /// An array.
    Many(Vec<String>),
}

impl Audience {
    /// Whether `name` is one of them.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(only) => only == name,
            Self::Many(all) => all.iter().any(|one| one == name),
        }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Many(all) => all.len(),
        }
    }
}

/// What the identity provider told us of a person.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Their address, as the provider wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the provider has checked it; SSO logins often do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The organization they picked at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_name: Option<String>,
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Profile(…)")
    }
}

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Our issuer identifier.
    pub iss: String,
    /// The person, ours and opaque.
    pub sub: String,
    /// The MCP server.
    pub aud: Audience,
    /// When it expires; it admits a little longer.
    pub exp: i64,
    /// When it was made.
    pub iat: i64,
    /// Not before this second; ours carry none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Unique per token.
    pub jti: String,
    /// Whom it was issued to.
    pub client_id: String,
    /// Space-separated.
    pub scope: String,
    /// The grant it lives by.
    pub gid: String,
    /// Present only as far as `email` and `profile` were granted.
    #[serde(flatten)]
    pub profile: Profile,
}

/// What a new access token is made of.
pub struct NewToken<'a> {
    /// Our issuer identifier.
    pub issuer: &'a str,
    /// The MCP server.
    pub resource: &'a Resource,
    /// Whom it admits.
    pub user_id: UserId,
    /// Whom it is issued to.
    pub client_id: &'a str,
    /// The grant it lives by.
    pub grant_id: GrantId,
    /// What it may be used for.
    pub scope: ScopeSet,
    /// What is known of the person.
    pub profile: &'a Profile,
    /// Unique per token.
    pub jti: String,
    /// When it is made.
    pub issued_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
}

/// The claims of a new token. A client that did not ask for identity learns none.
pub fn issue(token: NewToken<'_>) -> Claims {
    let mut profile = Profile::default();
    if token.scope.contains(Scope::Email) {
        profile.email.clone_from(&token.profile.email);
        profile.email_verified = token.profile.email_verified;
    }
    if token.scope.contains(Scope::Profile) {
        profile.name.clone_from(&token.profile.name);
        profile.org_id.clone_from(&token.profile.org_id);
        profile.org_name.clone_from(&token.profile.org_name);
    }
    Claims {
        iss: token.issuer.to_owned(),
        sub: token.user_id.to_string(),
        aud: Audience::One(token.resource.as_str().to_owned()),
        exp: token.expires_at.seconds(),
        iat: token.issued_at.seconds(),
        nbf: None,
        jti: token.jti,
        client_id: token.client_id.to_owned(),
        scope: token.scope.to_string(),
        gid: token.grant_id.to_string(),
        profile,
    }
}

/// What an admitted token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The person.
    pub user_id: UserId,
    /// The grant to look up.
    pub grant_id: GrantId,
    /// Whom the token was issued to.
    pub client_id: String,
    /// What it may be used for.
    pub scope: ScopeSet,
    /// Dead from this moment on.
    pub expires_at: Timestamp,
}

/// Judges claims whose signature and `typ` fit.
pub fn admit(
    claims: &Claims,
    issuer: &str,
    resource: &Resource,
    now: Timestamp,
) -> Result<Admitted, AccessRefusal> {
    if claims.iss != issuer {
        return Err(AccessRefusal::WrongIssuer);
    }
    if !claims.aud.contains(resource.as_str()) {
        return Err(AccessRefusal::WrongAudience);
    }
    let expires_at = dies_at(claims);
    if now >= expires_at {
        return Err(AccessRefusal::Expired);
    }
    let latest_begin = claims.iat.max(claims.nbf.unwrap_or(i64::MIN));
    if latest_begin > now.seconds().saturating_add(CLOCK_SKEW_SECONDS) {
        return Err(AccessRefusal::NotYetValid);
    }
    let ids = UserId::parse(&claims.sub).zip(GrantId::parse(&claims.gid));
    let (user_id, grant_id) = ids.ok_or(AccessRefusal::BadSignature)?;
    Ok(Admitted {
        user_id,
        grant_id,
        client_id: claims.client_id.clone(),
        scope: ScopeSet::known_in(&claims.scope),
        expires_at,
    })
}

/// When a token admits no more.
///
/// A client that was told `expires_in` counts from the moment the answer reached it, and must not
/// be refused before that time is over: some take any 401 for the end of the sign-in. `exp` lies
/// up to a second before the end of the lifetime, being a whole number, and the answer travels.
fn dies_at(claims: &Claims) -> Timestamp {
    let lifetime = claims.exp.saturating_sub(claims.iat).try_into().unwrap_or(0);
    let lifetime = Duration::from_secs(lifetime);
    let travel = (lifetime / 900).min(TRAVEL_MAX);
    Timestamp::from_seconds(claims.exp).plus(Duration::from_secs(1) + travel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const ISSUER: &str = "https://docs.example.com";

    fn claims(scope: &str) -> Claims {
        let profile = Profile {
            email: Some("alice@example.com".into()),
            email_verified: Some(true),
            name: Some("Alice".into()),
            org_id: Some("org_1".into()),
            org_name: Some("Example".into()),
        };
        issue(NewToken {
            issuer: ISSUER,
            resource: &Resource::of_public_url(ISSUER),
            user_id: UserId::generate(&SystemEntropy, NOW),
            client_id: "editor",
            grant_id: GrantId::generate(&SystemEntropy, NOW),
            scope: ScopeSet::known_in(scope),
            profile: &profile,
            jti: "j".into(),
            issued_at: NOW,
            expires_at: Timestamp::from_seconds(1_003_600),
        })
    }

    fn admit_at(claims: &Claims, now: Timestamp) -> Result<Admitted, AccessRefusal> {
        admit(claims, ISSUER, &Resource::of_public_url(ISSUER), now)
    }

    #[test]
    fn identity_is_told_only_as_far_as_it_was_granted() {
        let names = |scope: &str| {
            let json = serde_json::to_value(claims(scope)).unwrap();
            json.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names("docs:read"), "aud client_id exp gid iat iss jti scope sub");
        assert!(names("email").contains("email email_verified"));
        assert!(names("profile").contains("name org_id org_name"));
        assert!(!names("profile").contains("email"));
    }

    #[test]
    fn a_token_admits_as_long_as_its_client_may_believe() {
        for (lifetime, tolerance) in
            [(1, 1001), (6, 1006), (900, 2000), (3600, 5000), (86_400, 5000)]
        {
            let mut claims = claims("docs:read");
            claims.exp = claims.iat + lifetime;
            let dies = Timestamp::from_seconds(claims.exp).plus(Duration::from_millis(tolerance));
            assert!(admit_at(&claims, dies.minus(Duration::from_millis(1))).is_ok(), "{lifetime}");
            assert_eq!(admit_at(&claims, dies), Err(AccessRefusal::Expired), "{lifetime}");
        }
    }

    #[test]
    fn claims_that_end_before_they_begin_admit_nobody() {
        let mut claims = claims("docs:read");
        claims.exp = i64::MIN;
        assert_eq!(admit_at(&claims, NOW), Err(AccessRefusal::Expired));
    }

    #[test]
    fn foreign_claims_are_refused() {
        let change = |edit: fn(&mut Claims)| {
            let mut changed = claims("docs:read");
            edit(&mut changed);
            admit_at(&changed, NOW).unwrap_err()
        };
        assert_eq!(change(|c| c.iss.push('/')), AccessRefusal::WrongIssuer);
        assert_eq!(change(|c| c.aud = Audience::One(ISSUER.into())), AccessRefusal::WrongAudience);
        assert_eq!(change(|c| c.aud = Audience::Many(vec![])), AccessRefusal::WrongAudience);
        assert_eq!(change(|c| c.iat += 61), AccessRefusal::NotYetValid);
        assert_eq!(change(|c| c.nbf = Some(c.iat + 61)), AccessRefusal::NotYetValid);
        assert_eq!(change(|c| c.gid = "x".into()), AccessRefusal::BadSignature);
    }
}
