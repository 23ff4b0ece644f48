//! Access tokens: whatever header and claims come with a good signature, and without one.
//!
//! The first line of an input is a header and the rest is a payload; the whole is also presented as
//! a token.

#![no_main]

use std::sync::{Arc, LazyLock};

use gatehouse_fuzz::clock::Timestamp;
use gatehouse_fuzz::domain::access_token::admit;
use gatehouse_fuzz::domain::resource::Resource;
use gatehouse_fuzz::flow::access_jwt::verify;
use gatehouse_fuzz::keys::VerificationKey;
use gatehouse_fuzz::signed::{Signer, line_and_rest};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const ISSUER: &str = "https://docs.example.com";
const NOW: i64 = 1_000_000;
/// What a clock of ours may be ahead, and what a token outlives its end by, in seconds.
const TOLERANCE: i64 = 60;

static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::ed25519);
static KEYS: LazyLock<Vec<Arc<VerificationKey>>> = LazyLock::new(|| {
    vec![Arc::new(VerificationKey::from_jwk(SIGNER.key.public_jwk().clone()).unwrap())]
});

fuzz_target!(|input: &[u8]| {
    let presented = String::from_utf8_lossy(input);
    assert!(verify(&presented, &KEYS).is_err(), "admitted without a signature of ours");
    let (header, payload) = line_and_rest(input);
    // The name of the key is new in each run, so that a seed can only leave a place for it.
    let header = String::from_utf8_lossy(header).replace("KID", SIGNER.key.kid());
    let token = SIGNER.token(header.as_bytes(), payload);
    let Ok(claims) = verify(&token, &KEYS) else { return };
    let Ok(header) = serde_json::from_str::<Value>(&header) else { return };
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["kid"], SIGNER.key.kid());
    assert!(header["crit"].is_null(), "what is critical is not understood here");
    let typ = header["typ"].as_str().unwrap_or_default().to_ascii_lowercase();
    assert!(typ == "at+jwt" || typ == "application/at+jwt", "{typ}");
    let resource = Resource::of_public_url(ISSUER);
    let Ok(admitted) = admit(&claims, ISSUER, &resource, Timestamp::from_seconds(NOW)) else {
        return;
    };
    // The claims once more, by another reader. Half a character in what is passed over voids them
    // for this one only.
    let Ok(said) = serde_json::from_slice::<Value>(payload) else { return };
    assert_eq!(said["iss"], ISSUER);
    let is_ours = |audience: &Value| *audience == "https://docs.example.com/mcp";
    let several = said["aud"].as_array().is_some_and(|all| all.iter().any(is_ours));
    assert!(is_ours(&said["aud"]) || several);
    assert!(said["exp"].as_i64().is_some_and(|exp| exp > NOW - TOLERANCE));
    assert!(said["iat"].as_i64().is_some_and(|iat| iat <= NOW + TOLERANCE));
    assert!(said["nbf"].as_i64().is_none_or(|nbf| nbf <= NOW + TOLERANCE));
    // Identifiers have several spellings; that they are the same is for them to say.
    assert!(said["sub"].is_string() && said["gid"].is_string());
    assert_eq!(said["client_id"], admitted.client_id);
});
