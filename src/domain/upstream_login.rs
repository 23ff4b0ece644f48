//! What the identity provider's ID token must say before we believe it
//! (OpenID Connect Core §3.1.3.7).

use serde::{Deserialize, Deserializer};

use crate::clock::Timestamp;
use crate::domain::access_token::{Audience, Profile};
use crate::domain::refusal::LoginRefusal;
use crate::secret::constant_time_eq;

/// How far the provider's clock may be from ours, in seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 60;

/// OpenID Connect Core §2: a subject has at most 255 ASCII characters.
const SUBJECT_BYTES_MAX: usize = 255;
const TEXT_CHARS_MAX: usize = 320;

/// The claims we read; others are ignored.
#[derive(Clone, Deserialize)]
pub struct UpstreamClaims {
    /// The provider.
    pub iss: String,
    /// The person at the provider.
    pub sub: String,
    /// Whom the token is for.
    pub aud: Audience,
    /// The one of several audiences that asked.
    #[serde(default)]
    pub azp: Option<String>,
    /// Expiry, seconds.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: i64,
    /// Issue, seconds.
    #[serde(deserialize_with = "numeric_date")]
    pub iat: i64,
    /// Not before, seconds.
    #[serde(default, deserialize_with = "optional_numeric_date")]
    pub nbf: Option<i64>,
    /// Our value, returned.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Address.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether it was checked; some providers write a string.
    #[serde(default, deserialize_with = "lenient_bool")]
    pub email_verified: Option<bool>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Organization picked at the provider.
    #[serde(default)]
    pub org_id: Option<String>,
    /// Its name.
    #[serde(default)]
    pub org_name: Option<String>,
}

/// RFC 7519 §2: a NumericDate may have a fraction.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = number.as_i64().or_else(|| {
        let seconds = number.as_f64().map(f64::floor)?;
        // Exactly representable, and centuries away from any date that is meant.
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked beside it")]
        (seconds.abs() < 1e15).then_some(seconds as i64)
    });
    whole.ok_or_else(|| serde::de::Error::custom("a date out of range"))
}

fn optional_numeric_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    numeric_date(deserializer).map(Some)
}

fn lenient_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| match value {
        serde_json::Value::Bool(verified) => Some(verified),
        serde_json::Value::String(text) => text.parse().ok(),
        _ => None,
    }))
}

/// What the answer must fit.
pub struct Expected<'a> {
    /// The configured issuer, byte for byte.
    pub upstream_issuer: &'a str,
    /// Our client identifier there.
    pub upstream_client_id: &'a str,
    /// What we sent.
    pub upstream_nonce: &'a str,
}

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub upstream_issuer: String,
    /// Stable at that provider; the e-mail is not.
    pub upstream_subject: String,
    /// What else it told us.
    pub profile: Profile,
}

/// Judges claims whose signature and algorithm fit.
pub fn check_id_token(
    claims: UpstreamClaims,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Identity, LoginRefusal> {
    if claims.iss != expected.upstream_issuer {
        return Err(LoginRefusal::WrongIssuer);
    }
    let is_for_us = claims.aud.contains(expected.upstream_client_id);
    // With several audiences azp must say that it was us who asked; alone it must not say else.
    let asked_by_us = match claims.azp.as_deref() {
        Some(azp) => azp == expected.upstream_client_id,
        None => claims.aud.count() == 1,
    };
    if !is_for_us || !asked_by_us {
        return Err(LoginRefusal::WrongAudience);
    }
    if now.seconds() >= claims.exp.saturating_add(CLOCK_SKEW_SECONDS) {
        return Err(LoginRefusal::Expired(now.seconds().saturating_sub(claims.exp)));
    }
    let latest_begin = claims.iat.max(claims.nbf.unwrap_or(i64::MIN));
    if latest_begin > now.seconds().saturating_add(CLOCK_SKEW_SECONDS) {
        return Err(LoginRefusal::IssuedInFuture(latest_begin.saturating_sub(now.seconds())));
    }
    let nonce = claims.nonce.unwrap_or_default();
    if !constant_time_eq(nonce.as_bytes(), expected.upstream_nonce.as_bytes()) {
        return Err(LoginRefusal::WrongNonce);
    }
    let is_subject = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if claims.sub.is_empty()
        || claims.sub.len() > SUBJECT_BYTES_MAX
        || !claims.sub.bytes().all(is_subject)
    {
        return Err(LoginRefusal::MissingSubject);
    }
    Ok(Identity {
        upstream_issuer: claims.iss,
        upstream_subject: claims.sub,
        profile: Profile {
            email: claims.email.and_then(bounded),
            email_verified: claims.email_verified,
            name: claims.name.and_then(bounded),
            org_id: claims.org_id.and_then(bounded),
            org_name: claims.org_name.and_then(bounded),
        },
    })
}

fn bounded(text: String) -> Option<String> {
    let cut: String =
        text.trim().chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect();
    (!cut.is_empty()).then_some(cut)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const EXPECTED: Expected<'_> = Expected {
        upstream_issuer: "https://tenant.example/",
        upstream_client_id: "us",
        upstream_nonce: "n",
    };

    fn check(changes: serde_json::Value) -> Result<Identity, LoginRefusal> {
        let mut claims = json!({
            "iss": "https://tenant.example/", "sub": "auth0|1", "aud": "us",
            "exp": 1_000_100, "iat": 999_990, "nonce": "n",
            "email": "alice@example.com", "email_verified": true,
            "org_id": "org_1", "org_name": "example", "unknown": {"x": 1},
        });
        for (key, value) in changes.as_object().unwrap() {
            claims[key] = value.clone();
        }
        let claims = serde_json::from_value(claims).map_err(|_| LoginRefusal::Malformed)?;
        check_id_token(claims, &EXPECTED, NOW)
    }

    #[test]
    fn a_true_answer_is_believed() {
        let identity = check(json!({})).unwrap();
        assert_eq!(identity.upstream_subject, "auth0|1");
        assert_eq!(identity.profile.email_verified, Some(true));
        assert_eq!(identity.profile.org_name.as_deref(), Some("example"));
        assert!(check(json!({"aud": ["us", "other"], "azp": "us"})).is_ok());
        assert!(check(json!({"exp": 1_000_100.75, "iat": 999_990.5, "nbf": 999_990})).is_ok());
        assert_eq!(
            check(json!({"email_verified": "true"})).unwrap().profile.email_verified,
            Some(true)
        );
        assert_eq!(check(json!({"email_verified": null})).unwrap().profile.email_verified, None);
    }

    #[test]
    fn each_lie_is_refused() {
        use LoginRefusal as R;
        for (lie, refusal) in [
            (json!({"iss": "https://tenant.example"}), R::WrongIssuer),
            (json!({"aud": "other"}), R::WrongAudience),
            (json!({"aud": ["us", "other"]}), R::WrongAudience),
            (json!({"aud": ["us"], "azp": "other"}), R::WrongAudience),
            (json!({"aud": []}), R::WrongAudience),
            (json!({"exp": 999_940}), R::Expired(60)),
            (json!({"iat": 1_000_061}), R::IssuedInFuture(61)),
            (json!({"nbf": 1_000_061}), R::IssuedInFuture(61)),
            (json!({"nonce": "m"}), R::WrongNonce),
            (json!({"nonce": null}), R::WrongNonce),
            (json!({"sub": ""}), R::MissingSubject),
            (json!({"sub": "x".repeat(256)}), R::MissingSubject),
            (json!({"sub": "a\u{0}b"}), R::MissingSubject),
            (json!({"sub": 7}), R::Malformed),
            (json!({"exp": "soon"}), R::Malformed),
        ] {
            assert_eq!(check(lie.clone()), Err(refusal), "{lie}");
        }
    }
}
