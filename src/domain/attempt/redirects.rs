//! How a redirect URI that was asked for differs from those that are registered, without what may
//! be secret in them.

use url::Url;

use crate::domain::attempt::Step;
use crate::domain::redirect_uri::RedirectUri;

/// The longest address that is told, in characters.
const TOLD_CHARS_MAX: usize = 120;

/// The step that it is, and both addresses without query, fragment and user.
pub fn difference(presented: &str, registered: &[RedirectUri]) -> (Step, String) {
    let asked = Url::parse(presented).ok();
    let but_for_port = |other: &&RedirectUri| {
        let other = Url::parse(other.as_str()).ok();
        asked.clone().zip(other).is_some_and(|(asked, other)| is_but_for_port(asked, other))
    };
    let near = registered.iter().find(but_for_port);
    let step = if near.is_some() { Step::RedirectPortDiffers } else { Step::RedirectDiffers };
    let shown = near.or_else(|| registered.first()).map(|other| told(other.as_str()));
    let more = match registered.len() {
        0 | 1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    let shown = shown.unwrap_or_else(|| "nothing".to_owned());
    (step, format!("asked for {}, registered {shown}{more}", told(presented)))
}

fn is_but_for_port(mut asked: Url, mut other: Url) -> bool {
    let differs = asked.port_or_known_default() != other.port_or_known_default();
    // A scheme without a host has no port to differ in.
    let (one, two) = (asked.set_port(None), other.set_port(None));
    differs && one.is_ok() && two.is_ok() && asked == other
}

/// An address as it may be told: what a person may be known by is left out.
pub fn told(address: &str) -> String {
    let Ok(mut url) = Url::parse(address) else { return "no address".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    if url.set_username("").and_then(|()| url.set_password(None)).is_err() && url.has_authority() {
        return format!("{}:…", url.scheme());
    }
    let path = url.path().to_ascii_lowercase();
    let text = if path.contains('@') || path.contains("%40") {
        format!("{}/…", url.origin().ascii_serialization())
    } else {
        url.into()
    };
    text.chars().take(TOLD_CHARS_MAX).collect()
}

/// A client identifier that nobody knows, as it may be told: like one of ours, or the origin of an
/// address; else nothing, since anything may stand there.
pub fn told_client_id(client_id: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !client_id.is_empty() && client_id.len() <= 64 && client_id.bytes().all(is_plain) {
        return Some(client_id.to_owned());
    }
    let url = Url::parse(client_id).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    Some(url.origin().ascii_serialization().chars().take(TOLD_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(presented: &str, registered: &[&str]) -> (Step, String) {
        let registered: Vec<_> =
            registered.iter().map(|it| RedirectUri::from_stored((*it).to_owned())).collect();
        difference(presented, &registered)
    }

    #[test]
    fn the_port_is_told_from_the_rest() {
        use Step::{RedirectDiffers as Other, RedirectPortDiffers as Port};
        for (presented, registered, step) in [
            ("https://e.com:8443/cb", &["https://e.com/cb"][..], Port),
            ("https://e.com/cb", &["https://e.com/x", "https://e.com:8443/cb"], Port),
            ("https://e.com/cb?x=1", &["https://e.com:8443/cb"], Other),
            ("https://e.com/other", &["https://e.com/cb"], Other),
            ("http://localhost:1/cb", &["http://127.0.0.1/cb"], Other),
            ("app://cb", &["app:cb"], Other),
            ("nonsense", &["https://e.com/cb"], Other),
            ("https://e.com/cb", &[], Other),
        ] {
            assert_eq!(of(presented, registered).0, step, "{presented}");
        }
        let (_, told) = of("https://e.com:8443/cb", &["https://e.com/x", "https://e.com/cb"]);
        assert_eq!(told, "asked for https://e.com:8443/cb, registered https://e.com/cb and 1 more");
    }

    #[test]
    fn nothing_is_told_that_may_be_a_secret_or_a_person() {
        for (address, expected) in [
            ("https://e.com/cb?code=x#y", "https://e.com/cb"),
            ("https://u:p@e.com/cb", "https://e.com/cb"),
            ("https://e.com/a@e.com/cb", "https://e.com/…"),
            ("https://e.com/a%40e.com", "https://e.com/…"),
            ("a@e.com", "no address"),
        ] {
            assert_eq!(told(address), expected, "{address}");
        }
        assert_eq!(told(&format!("https://e.com/{}", "x".repeat(999))).len(), TOLD_CHARS_MAX);
        for (client_id, expected) in [
            ("Editor_1-x", Some("Editor_1-x")),
            ("https://e.com/a@e.com", Some("https://e.com")),
            ("a@e.com", None),
            ("mailto:a@e.com", None),
            ("", None),
        ] {
            assert_eq!(told_client_id(client_id).as_deref(), expected, "{client_id}");
        }
        assert_eq!(told_client_id(&"x".repeat(65)), None);
    }
}
