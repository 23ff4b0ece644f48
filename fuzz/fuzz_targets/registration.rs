//! The body of a registration: what is kept of it is clean, whatever came.

#![no_main]

use gatehouse_fuzz::clients::registration::read;
use gatehouse_fuzz::domain::client::check_registration;
use gatehouse_fuzz::retelling::{self, Verdict};
use libfuzzer_sys::fuzz_target;

const CUSTOM: &str = "cursor://anysphere.cursor-mcp/oauth/callback";
const REDIRECT_URIS_MAX: usize = 32;
/// The longest text that is kept and shown.
const SHOWN_CHARS_MAX: usize = 200;

fuzz_target!(|body: &[u8]| {
    let Ok(body) = serde_json::from_slice(body) else { return };
    let Ok(presented) = read(&body) else { return };
    let custom = [CUSTOM.to_owned()];
    let Ok(kept) = check_registration(&presented, &custom) else { return };
    assert!((1..=REDIRECT_URIS_MAX).contains(&kept.redirect_uris.len()));
    for (at, uri) in kept.redirect_uris.iter().enumerate() {
        let text = uri.as_str();
        assert!(presented.redirect_uris.iter().any(|presented| presented == text), "{text:?}");
        assert_ne!(retelling::may_register(text, &[CUSTOM]), Verdict::Refuse, "{text:?}");
        assert!(!kept.redirect_uris[..at].contains(uri), "twice: {text:?}");
    }
    for link in [&kept.client_uri, &kept.logo_uri].into_iter().flatten() {
        assert!(link.starts_with("https://") && link.is_ascii(), "{link:?}");
    }
    for text in [&kept.client_name, &kept.software_id, &kept.software_version] {
        let text = text.as_deref().unwrap_or_default();
        assert!(!text.contains(char::is_control) && text.chars().count() <= SHOWN_CHARS_MAX);
        assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{200b}']), "it hides: {text:?}");
    }
    // What identical software has in common is the same for what it has in common.
    let common = kept.of_the_software();
    assert!(common.of_the_software() == common);
});
