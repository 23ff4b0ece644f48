//! What a request says of who sends it: the `Authorization` header, sealed cookies, and where a
//! browser wants to be sent afterwards.

#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse_fuzz::domain::return_to::{RETURN_TO_BYTES_MAX, ReturnPlaces, ReturnTo};
use gatehouse_fuzz::door::credential::{Credential, credential};
use gatehouse_fuzz::secret::SystemEntropy;
use gatehouse_fuzz::server_secret::{Purpose, ServerSecret};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

const SITE: &str = "https://docs.example.com";
const ACCOUNT: &str = "https://mcp.example.com/account";

static SECRET: LazyLock<ServerSecret> =
    LazyLock::new(|| ServerSecret::new(vec![7; 32], Some(vec![8; 32])));

fuzz_target!(|input: &[u8]| {
    authorizes(input);
    let opened = SECRET.unseal(Purpose::SessionCookie, input);
    assert!(opened.is_none(), "opened, and never sealed");
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode(input) {
        assert!(SECRET.unseal(Purpose::SessionCookie, &bytes).is_none());
    }
    survives_sealing(input);
    leads(&String::from_utf8_lossy(input));
});

/// Each line is a header.
fn authorizes(input: &[u8]) {
    let mut headers = HeaderMap::new();
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').take(3).collect();
    for line in &lines {
        let Ok(value) = HeaderValue::from_bytes(line) else { return };
        headers.append(AUTHORIZATION, value);
    }
    let Credential::Bearer(token) = credential(&headers) else { return };
    assert_eq!(lines.len(), 1, "which of them?");
    let token = token.expose();
    let line = std::str::from_utf8(lines[0]).expect("a token is text");
    assert!(line[..7].eq_ignore_ascii_case("bearer ") && line.trim_end().ends_with(token));
    assert!(!token.is_empty());
    assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b)));
}

/// What was sealed comes back, for its purpose alone and unchanged alone.
fn survives_sealing(plain: &[u8]) {
    let mut sealed = SECRET.seal(&SystemEntropy, Purpose::SessionCookie, plain);
    assert_eq!(SECRET.unseal(Purpose::SessionCookie, &sealed).as_deref(), Some(plain));
    assert!(SECRET.unseal(Purpose::LoginCookie, &sealed).is_none());
    let changed = plain.len() % sealed.len();
    sealed[changed] ^= 1;
    assert!(SECRET.unseal(Purpose::SessionCookie, &sealed).is_none(), "changed at {changed}");
}

fn leads(presented: &str) {
    let sites = [SITE.to_owned()];
    let places = ReturnPlaces { site_origins: &sites, account_url: ACCOUNT };
    let Ok(to) = ReturnTo::parse(presented, places) else { return };
    assert_eq!(to.as_str(), presented);
    assert!(presented.len() <= RETURN_TO_BYTES_MAX);
    assert!(presented.bytes().all(|b| b.is_ascii_graphic() && b != b'\\'));
    let rest = presented.strip_prefix(SITE);
    let on_site = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
    assert!(on_site || presented.starts_with(ACCOUNT), "{presented}");
}
