//! ID tokens and key sets of the identity provider, which may be anything once it is taken over.
//!
//! The first line of an input is a header and the rest is a payload. The whole is also a key set
//! and a token.

#![no_main]

use std::sync::LazyLock;

use gatehouse_fuzz::clock::Timestamp;
use gatehouse_fuzz::domain::upstream_login::{Expected, check_id_token};
use gatehouse_fuzz::signed::{Signer, line_and_rest};
use gatehouse_fuzz::upstream::id_token::{claims, key_named, named, usable};
use jsonwebtoken::jwk::Jwk;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const NOW: i64 = 1_000_000;
const TOLERANCE: i64 = 60;
const TEXT_CHARS_MAX: usize = 1000;
const EXPECTED: Expected<'_> = Expected {
    upstream_issuer: "https://tenant.example/",
    upstream_client_id: "us",
    upstream_nonce: "n",
};

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::rsa);
static KEYS: LazyLock<Vec<Jwk>> = LazyLock::new(|| vec![SIGNER.key.public_jwk().clone()]);

fuzz_target!(|input: &[u8]| {
    reads_a_key_set(input);
    let presented = String::from_utf8_lossy(input);
    assert!(claims(&presented, &KEYS).is_err(), "believed without a signature");
    let (header, payload) = line_and_rest(input);
    // A signature takes most of a millisecond: only where it would be looked at.
    let Ok(header) = serde_json::from_slice::<Value>(header) else { return };
    let token = SIGNER.token(header.to_string().as_bytes(), payload);
    if key_named(&token).is_err() {
        return;
    }
    assert_eq!(header["alg"], "RS256");
    assert!(header["crit"].is_null(), "what is critical is not understood here");
    let Ok(read) = claims(&token, &KEYS) else { return };
    let Ok(identity) = check_id_token(read, &EXPECTED, Timestamp::from_seconds(NOW)) else {
        return;
    };
    // Half a character in what is passed over voids it for this reader only.
    let Ok(said) = serde_json::from_slice::<Value>(payload) else { return };
    assert_eq!(said["iss"], EXPECTED.upstream_issuer);
    assert_eq!(said["nonce"], EXPECTED.upstream_nonce);
    assert_eq!(said["sub"], identity.upstream_subject);
    assert!(!identity.upstream_subject.is_empty());
    let is_us = |audience: &Value| *audience == EXPECTED.upstream_client_id;
    match said["aud"].as_array() {
        Some(all) if all.len() != 1 => {
            assert!(all.iter().any(is_us) && is_us(&said["azp"]), "another's token");
        }
        Some(one) => assert!(is_us(&one[0])),
        None => assert!(is_us(&said["aud"])),
    }
    assert!(said["exp"].as_i64().is_some_and(|exp| exp > NOW - TOLERANCE));
    assert!(said["iat"].as_i64().is_some_and(|iat| iat <= NOW + TOLERANCE));
    let profile = identity.profile;
    for text in [profile.email, profile.name, profile.org_id, profile.org_name] {
        let text = text.unwrap_or_default();
        assert!(text.chars().count() <= TEXT_CHARS_MAX && !text.contains(char::is_control));
    }
});

/// Only keys that verify signatures are taken, and a name finds none but its own.
fn reads_a_key_set(input: &[u8]) {
    let Ok(set) = serde_json::from_slice::<Value>(input) else { return };
    let Some(keys) = usable(&set) else { return };
    for key in &keys {
        let kid = key.common.key_id.as_deref();
        let found = named(&keys, kid);
        assert!(
            found.iter().all(|found| kid.is_none() || found.common.key_id == key.common.key_id)
        );
        // A key of this set does not sign for another; most of them cannot even be used.
        let token = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA";
        assert!(claims(token, std::slice::from_ref(key)).is_err());
    }
}
