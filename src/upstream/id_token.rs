//! The signature of an ID token.
//!
//! The algorithm is pinned to RS256, which OpenID Connect makes every provider support: what a
//! token says of itself never chooses how it is checked (RFC 8725 §3.1).

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::domain::refusal::LoginRefusal;
use crate::domain::upstream_login::UpstreamClaims;

/// How many keys of one name are tried.
const SAME_NAME_MAX: usize = 4;

/// The key that a token says it was signed with, if it says so.
pub fn key_named(id_token: &str) -> Result<Option<String>, LoginRefusal> {
    let header = decode_header(id_token).map_err(|_| LoginRefusal::Malformed)?;
    // RFC 7515 §4.1.11: what a token calls critical and is not understood voids it.
    if header.crit.is_some() {
        return Err(LoginRefusal::Malformed);
    }
    if header.alg != Algorithm::RS256 {
        return Err(LoginRefusal::WrongAlgorithm);
    }
    Ok(header.kid)
}

/// The claims of a token that one of these keys signed, not yet judged.
pub fn claims(id_token: &str, keys: &[Jwk]) -> Result<UpstreamClaims, LoginRefusal> {
    for key in keys {
        match check_signature(id_token, key) {
            Err(LoginRefusal::BadSignature) => {}
            checked => return checked,
        }
    }
    Err(LoginRefusal::BadSignature)
}

/// Checks the signature by this key. Claims are judged by the domain, against our own clock.
fn check_signature(id_token: &str, key: &Jwk) -> Result<UpstreamClaims, LoginRefusal> {
    let key = DecodingKey::from_jwk(key).map_err(|_| LoginRefusal::BadSignature)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let decoded = decode::<UpstreamClaims>(id_token, &key, &validation);
    decoded.map(|token| token.claims).map_err(|error| match error.kind() {
        jsonwebtoken::errors::ErrorKind::InvalidSignature => LoginRefusal::BadSignature,
        _ => LoginRefusal::Malformed,
    })
}

/// RSA signature keys of a set; others, and those this library cannot read, are left out one by
/// one, so that a new kind of key does not cost the old ones. What has no list of keys is no set,
/// and must not cost them either.
pub fn usable(set: &Value) -> Option<Vec<Jwk>> {
    let keys = set.get("keys")?.as_array()?.iter();
    let readable = keys.filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    let for_signatures = |key: &Jwk| {
        matches!(key.algorithm, AlgorithmParameters::RSA(_))
            && matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature))
    };
    Some(readable.filter(for_signatures).collect())
}

/// The keys a token names: one, where names are told apart as they should be (RFC 7517 §4.5).
/// Without a name, the only one there is (OpenID Connect Core §10.1).
pub fn named(keys: &[Jwk], kid: Option<&str>) -> Vec<Jwk> {
    match (kid, keys) {
        (Some(kid), keys) => {
            let named = keys.iter().filter(|key| key.common.key_id.as_deref() == Some(kid));
            named.take(SAME_NAME_MAX).cloned().collect()
        }
        (None, [only]) => vec![only.clone()],
        (None, _) => Vec::new(),
    }
}
