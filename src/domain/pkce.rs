//! Proof Key for Code Exchange, S256 only (RFC 7636; `plain` is never accepted).

use crate::secret::{base64url, constant_time_eq, sha256};

const LENGTH_MIN: usize = 43;
const LENGTH_MAX: usize = 128;

/// The challenge a client sent to the authorization endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// RFC 7636 §4.2: 43 to 128 unreserved characters.
    pub fn parse(text: &str) -> Option<Self> {
        is_well_formed(text).then(|| Self(text.to_owned()))
    }

    /// The challenge as stored.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The S256 challenge of a verifier of ours.
    pub fn of_verifier(verifier: &str) -> Self {
        Self(base64url(&sha256(verifier.as_bytes())))
    }

    /// The one challenge that `presented_verifier` meets; `None` when it is not well-formed.
    pub fn met_by(presented_verifier: &str) -> Option<Self> {
        is_well_formed(presented_verifier).then(|| Self::of_verifier(presented_verifier))
    }

    /// The text to store or send.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `presented_verifier` is the one this challenge was made of (RFC 7636 §4.6).
    pub fn is_met_by(&self, presented_verifier: &str) -> bool {
        let computed = base64url(&sha256(presented_verifier.as_bytes()));
        is_well_formed(presented_verifier)
            && constant_time_eq(computed.as_bytes(), self.0.as_bytes())
    }
}

fn is_well_formed(text: &str) -> bool {
    (LENGTH_MIN..=LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_matches() {
        let challenge =
            CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_met_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!challenge.is_met_by(challenge.as_str()));
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(CodeChallenge::met_by(verifier), Some(challenge));
        assert_eq!(CodeChallenge::met_by(&verifier[1..]), None);
    }

    #[test]
    fn a_challenge_is_43_to_128_unreserved_characters() {
        assert!(CodeChallenge::parse(&"a".repeat(43)).is_some());
        assert!(CodeChallenge::parse(&"a".repeat(128)).is_some());
        for bad in ["a".repeat(42), "a".repeat(129), "é".repeat(30), "a+".repeat(30), String::new()]
        {
            assert_eq!(CodeChallenge::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_short_verifier_never_meets_a_challenge() {
        let challenge = CodeChallenge::of_verifier("short");
        assert!(!challenge.is_met_by("short"));
    }
}
