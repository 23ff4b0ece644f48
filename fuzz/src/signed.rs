//! Tokens with any header and any payload, signed all the same: a fuzzer never guesses a signature,
//! so behind one it would never look.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};

use crate::keys::{SigningAlgorithm, SigningKey};

/// A key, and how it signs.
pub struct Signer {
    /// The key.
    pub key: SigningKey,
    encoding: EncodingKey,
    algorithm: Algorithm,
}

impl Signer {
    /// A new Ed25519 key, quick to use.
    pub fn ed25519() -> Self {
        Self::new(SigningAlgorithm::EdDsa, Algorithm::EdDSA, EncodingKey::from_ed_pem)
    }

    /// A new RSA key.
    pub fn rsa() -> Self {
        Self::new(SigningAlgorithm::Rs256, Algorithm::RS256, EncodingKey::from_rsa_pem)
    }

    fn new(
        ours: SigningAlgorithm,
        algorithm: Algorithm,
        read: fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>,
    ) -> Self {
        let key = SigningKey::generate(ours).expect("this machine makes keys");
        let encoding = read(key.private_pem().as_bytes()).expect("a key of ours can be read");
        Self { key, encoding, algorithm }
    }

    /// A compact JWS of these bytes (RFC 7515 §3.1).
    pub fn token(&self, header: &[u8], payload: &[u8]) -> String {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = sign(message.as_bytes(), &self.encoding, self.algorithm);
        format!("{message}.{}", signature.expect("anything can be signed"))
    }
}

/// The first line of an input, and the rest.
pub fn line_and_rest(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}
