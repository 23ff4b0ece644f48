//! Signing keys: generated or given, parsed once, used at the library's full speed.
//!
//! `jsonwebtoken` parses a private key for each signature, which costs an RSA key ten times the
//! signature itself. So signing is done here with the parsed aws-lc-rs key over a header encoded
//! once (RFC 7515 §5.1), and `jsonwebtoken` verifies and writes JWKs.
//!
//! Never here: where keys are stored, when they are rotated.

use std::fmt;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::Serialize;

use crate::secret::base64url;

/// How access tokens are signed (RFC 7518 §3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every resource server supports (RFC 9068 §2.1).
    Rs256,
    /// ECDSA on P-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    /// The name in the `alg` header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// From the name in the `alg` header.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Rs256, Self::Es256, Self::EdDsa].into_iter().find(|a| a.name() == name)
    }

    const fn jwt(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }

    const fn jwk(self) -> KeyAlgorithm {
        match self {
            Self::Rs256 => KeyAlgorithm::RS256,
            Self::Es256 => KeyAlgorithm::ES256,
            Self::EdDsa => KeyAlgorithm::EdDSA,
        }
    }
}

/// Why a key could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

pub(crate) fn key_error(what: impl fmt::Display) -> KeyError {
    KeyError(what.to_string())
}

enum Parsed {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A private key that is ready to sign, with its public half as a JWK.
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    parsed: Parsed,
    pem: String,
    public: Jwk,
    kid: String,
    random: SystemRandom,
}

impl SigningKey {
    /// Makes a new key. An RSA key of 2,048 bits takes some 50 ms.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        let der = match algorithm {
            SigningAlgorithm::Rs256 => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(key_error)?;
                key.as_der().map_err(key_error)?.as_ref().to_vec()
            }
            SigningAlgorithm::Es256 => {
                let key =
                    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(key_error)?;
                key.to_pkcs8v1().map_err(key_error)?.as_ref().to_vec()
            }
            SigningAlgorithm::EdDsa => {
                let key = Ed25519KeyPair::generate().map_err(key_error)?;
                key.to_pkcs8v1().map_err(key_error)?.as_ref().to_vec()
            }
        };
        Self::from_pem(algorithm, &pem_of(&der))
    }

    /// Parses a PKCS#8 PEM and tries one signature, so that signing later cannot fail.
    pub fn from_pem(algorithm: SigningAlgorithm, pem: &str) -> Result<Self, KeyError> {
        let der = der_of(pem)?;
        // PKCS#8 DER signs but cannot become a JWK; from PEM both work.
        let (parsed, encoding) = match algorithm {
            SigningAlgorithm::Rs256 => (
                Parsed::Rsa(RsaKeyPair::from_pkcs8(&der).map_err(key_error)?),
                EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(key_error)?,
            ),
            SigningAlgorithm::Es256 => (
                Parsed::Ecdsa(
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
                        .map_err(key_error)?,
                ),
                EncodingKey::from_ec_pem(pem.as_bytes()).map_err(key_error)?,
            ),
            SigningAlgorithm::EdDsa => (
                Parsed::Ed25519(
                    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(key_error)?,
                ),
                EncodingKey::from_ed_pem(pem.as_bytes()).map_err(key_error)?,
            ),
        };
        let mut public = Jwk::from_encoding_key(&encoding, algorithm.jwt()).map_err(key_error)?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(key_error)?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_algorithm = Some(algorithm.jwk());
        let key = Self {
            algorithm,
            parsed,
            pem: pem.to_owned(),
            public,
            kid,
            random: SystemRandom::new(),
        };
        key.try_sign(b"a signature at start").map_err(key_error)?;
        Ok(key)
    }

    /// Parses what an operator gives: a PKCS#8 PEM, or a private JWK (RFC 7517).
    pub fn from_text(algorithm: SigningAlgorithm, text: &str) -> Result<Self, KeyError> {
        if text.trim_start().starts_with('{') {
            let pem = pem_of(&crate::private_jwk::to_pkcs8(algorithm, text)?);
            Self::from_pem(algorithm, &pem)
        } else {
            // Environment variables often carry a PEM on one line.
            Self::from_pem(algorithm, &text.replace("\\n", "\n"))
        }
    }

    /// How it signs.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The RFC 7638 thumbprint, used as `kid`.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, with `kid`, `alg` and `use`.
    pub const fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// The private half, to be sealed before it is stored.
    pub fn private_pem(&self) -> &str {
        &self.pem
    }

    /// Signs `claims` as a compact JWS whose header names `typ` (RFC 7515 §3.1).
    pub fn sign_jwt<T: Serialize>(&self, typ: &str, claims: &T) -> String {
        let header = serde_json::json!({"alg": self.algorithm.name(), "typ": typ, "kid": self.kid});
        let payload = serde_json::to_vec(claims).expect("claims of ours are plain JSON");
        let mut token =
            format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(&payload));
        let signature =
            self.try_sign(token.as_bytes()).expect("the key signed once when it was parsed");
        token.push('.');
        token.push_str(&base64url(&signature));
        token
    }

    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, aws_lc_rs::error::Unspecified> {
        match &self.parsed {
            Parsed::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)?;
                Ok(signature)
            }
            Parsed::Ecdsa(key) => Ok(key.sign(&self.random, message)?.as_ref().to_vec()),
            Parsed::Ed25519(key) => Ok(key.sign(message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The public half of one of our keys, ready to verify.
pub struct VerificationKey {
    jwk: Jwk,
    decoding: DecodingKey,
    algorithm: Algorithm,
}

impl VerificationKey {
    /// From a JWK that carries `kid` and a supported `alg`.
    pub fn from_jwk(jwk: Jwk) -> Result<Self, KeyError> {
        let algorithm = match jwk.common.key_algorithm {
            Some(KeyAlgorithm::RS256) => Algorithm::RS256,
            Some(KeyAlgorithm::ES256) => Algorithm::ES256,
            Some(KeyAlgorithm::EdDSA) => Algorithm::EdDSA,
            _ => return Err(key_error("a signing key has no supported alg")),
        };
        let decoding = DecodingKey::from_jwk(&jwk).map_err(key_error)?;
        Ok(Self { jwk, decoding, algorithm })
    }

    /// The JWK as published.
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Whether this is the key that a token's `kid` names.
    pub fn is_named(&self, kid: &str) -> bool {
        self.jwk.common.key_id.as_deref() == Some(kid)
    }

    /// The only algorithm this key verifies with (RFC 8725 §3.1).
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The parsed key.
    pub const fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

fn pem_of(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    for start in (0..body.len()).step_by(64) {
        pem.push_str(&body[start..body.len().min(start + 64)]);
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    pem
}

fn der_of(pem: &str) -> Result<Vec<u8>, KeyError> {
    let body = pem
        .trim()
        .strip_prefix("-----BEGIN PRIVATE KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
        .ok_or_else(|| key_error("not a PKCS#8 PEM (BEGIN PRIVATE KEY)"))?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).map_err(|_| key_error("the PEM body is not base64"))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Validation, decode};

    use super::*;

    #[test]
    fn each_algorithm_signs_what_its_public_jwk_verifies() {
        for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Es256, SigningAlgorithm::EdDsa]
        {
            let key = SigningKey::generate(algorithm).unwrap();
            let token = key.sign_jwt("at+jwt", &serde_json::json!({"exp": 4_000_000_000_u64}));
            let verification = VerificationKey::from_jwk(key.public_jwk().clone()).unwrap();
            let decoded = decode::<serde_json::Value>(
                &token,
                verification.decoding(),
                &Validation::new(verification.algorithm()),
            );
            assert_eq!(decoded.unwrap().header.typ.as_deref(), Some("at+jwt"), "{algorithm:?}");
            let again = SigningKey::from_pem(algorithm, key.private_pem()).unwrap();
            assert_eq!(again.kid(), key.kid());
        }
    }

    #[test]
    fn a_public_jwk_has_no_private_part() {
        let key = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        let jwk = serde_json::to_value(key.public_jwk()).unwrap();
        let names: Vec<_> = jwk.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
    }

    #[test]
    fn a_key_of_the_wrong_kind_is_refused_when_it_is_read() {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        assert!(SigningKey::from_pem(SigningAlgorithm::Rs256, key.private_pem()).is_err());
        assert!(SigningKey::from_pem(SigningAlgorithm::Es256, "hello").is_err());
    }
}
