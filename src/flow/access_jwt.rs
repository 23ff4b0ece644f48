//! Access tokens as they are presented (RFC 9068 §4): which key, which kind, what they say.

use std::sync::Arc;

use jsonwebtoken::{Validation, decode, decode_header};

use crate::domain::access_token::{Claims, TYP};
use crate::domain::refusal::AccessRefusal;
use crate::keys::VerificationKey;

/// Why a token was not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// It names a key that is not known here; another replica may have made it.
    UnknownKey,
    /// It is not good.
    Refused(AccessRefusal),
}

/// Checks signature, algorithm and type and reads the claims, not yet judged.
pub fn verify(token: &str, keys: &[Arc<VerificationKey>]) -> Result<Claims, Unverified> {
    let refused = |refusal| Unverified::Refused(refusal);
    let header = decode_header(token).map_err(|_| refused(AccessRefusal::BadSignature))?;
    let named = header.kid.as_deref();
    let key = keys.iter().find(|key| named.is_some_and(|kid| key.is_named(kid)));
    let key = key.ok_or(Unverified::UnknownKey)?;
    // The key chooses the algorithm, never the token (RFC 8725 §3.1); and what a token calls
    // critical is not understood here (RFC 7515 §4.1.11).
    if header.alg != key.algorithm() || header.crit.is_some() {
        return Err(refused(AccessRefusal::BadSignature));
    }
    // RFC 9068 §4: compared without case, with or without "application/".
    let typ = header.typ.unwrap_or_default().to_ascii_lowercase();
    if typ.strip_prefix("application/").unwrap_or(&typ) != TYP {
        return Err(refused(AccessRefusal::WrongType));
    }
    // Claims are judged by the domain, against our own clock.
    let mut validation = Validation::new(key.algorithm());
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    decode::<Claims>(token, key.decoding(), &validation)
        .map(|token| token.claims)
        .map_err(|_| refused(AccessRefusal::BadSignature))
}
