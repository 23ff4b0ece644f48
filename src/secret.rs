//! Secrets: how they are made, hashed and shown to nobody.
//!
//! One crypto provider (aws-lc-rs) does all of it. A [`Secret`] can be hashed or handed to its
//! owner once; it cannot be printed. What the service must read again later is sealed under
//! [`crate::server_secret`].
//!
//! Never here: who may have a secret, where a hash is kept.

use std::fmt;
use std::sync::Mutex;

use aws_lc_rs::{constant_time, digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const GENERATED_BYTES: usize = 32;

/// Where chance comes from; seeded in tests.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable values.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator, through aws-lc-rs.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for chance")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("the operating system's random generator answers");
    }
}

/// A reproducible stream for tests: HMAC of a counter under the seed.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: [u8; 32],
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// A stream that is the same for the same `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed: sha256(&seed.to_be_bytes()), counter: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut counter = self.counter.lock().expect("no holder of the counter panics");
        for chunk in bytes.chunks_mut(32) {
            *counter += 1;
            let block = hmac_sha256(&self.seed, &[&counter.to_be_bytes()]);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Compares in time that does not depend on where the two differ.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// URL-safe base64 without padding, as JOSE and PKCE write it.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        // Each part carries its length, so that no two lists of parts share an input.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign().as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}

/// HMAC-SHA-256 of a message as it is (RFC 2104), as receivers of ours compute it too.
pub fn hmac_sha256_of_message(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
}

/// What a generated secret is for; names its visible prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Handed to a client on its redirect (RFC 6749 §4.1.2).
    AuthorizationCode,
    /// The long-lived credential (RFC 6749 §1.5).
    RefreshToken,
    /// The `state` of our own request to the identity provider.
    UpstreamState,
    /// The `nonce` of our own request to the identity provider.
    UpstreamNonce,
    /// The PKCE verifier of our own request to the identity provider.
    UpstreamCodeVerifier,
    /// What the cookie of a browser session holds.
    BrowserSession,
    /// By which a program administers; its owner is shown it once.
    AdminToken,
    /// What the cookie of somebody who administers holds.
    AdminSession,
    /// What binds the sign-in of somebody who administers to their browser.
    AdminLogin,
}

impl Kind {
    /// A prefix lets secret scanners recognise what leaked. Values that other
    /// parties limit in length or alphabet go without.
    const fn prefix(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "ghc_",
            Self::RefreshToken => "ghr_",
            Self::AdminToken => "gha_",
            Self::UpstreamState
            | Self::UpstreamNonce
            | Self::UpstreamCodeVerifier
            | Self::BrowserSession
            | Self::AdminSession
            | Self::AdminLogin => "",
        }
    }
}

/// A credential in the clear. It can be hashed or handed to its owner once.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new secret of 256 random bits.
    pub fn generate(entropy: &dyn Entropy, kind: Kind) -> Self {
        let mut bytes = [0; GENERATED_BYTES];
        entropy.fill(&mut bytes);
        Self(format!("{}{}", kind.prefix(), base64url(&bytes)))
    }

    /// A secret whose random part was derived and not drawn.
    pub(crate) fn derived(kind: Kind, derived: &[u8]) -> Self {
        Self(format!("{}{}", kind.prefix(), base64url(derived)))
    }

    /// A secret that somebody sent us.
    pub const fn presented(text: String) -> Self {
        Self(text)
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        SecretHash(sha256(self.0.as_bytes()))
    }

    /// Borrows the text for the one party that may see it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Hands the text to its owner.
    pub fn reveal(self) -> String {
        self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a [`Secret`]: all that a table holds of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// From the bytes a column holds; `None` when they are not 32.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes a column holds.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let shown = format!("{:?}", Secret::presented("hunter2".into()));
        assert_eq!(shown, "Secret(…)");
    }

    #[test]
    fn a_seeded_stream_is_the_same_for_the_same_seed_and_never_repeats() {
        let draw = |entropy: &SeededEntropy| {
            let mut bytes = [0; 48];
            entropy.fill(&mut bytes);
            bytes
        };
        let (one, same, other) =
            (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
        let first = draw(&one);
        assert_eq!(first, draw(&same));
        assert_ne!(first, draw(&one));
        assert_ne!(first, draw(&other));
    }
}
