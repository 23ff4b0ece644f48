//! What is sent to the server and shown to nobody.

use std::fmt;

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const RANDOM_BYTES: usize = 32;

/// A token, a code, a state or a verifier.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// What somebody gave us.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// 256 random bits, as a code verifier wants them (RFC 7636 §4.1).
    #[expect(clippy::disallowed_methods, reason = "the probe has no other source of chance")]
    pub fn random() -> Self {
        let mut bytes = [0; RANDOM_BYTES];
        rand::fill(&mut bytes).expect("the operating system's random generator answers");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The code challenge of this verifier (RFC 7636 §4.2, `S256`).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.0.as_bytes()))
    }

    /// The text, for the one party that may see it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn secrets_differ_and_do_not_print() {
        assert_ne!(Secret::random(), Secret::random());
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(…)");
    }
}
