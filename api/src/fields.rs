//! The fields of a form, each once.

use serde_json::{Map, Value};

/// Reads a URL-encoded form (RFC 6749 appendix B). Every repetition is refused, and empty fields
/// count as omitted (OAuth 2.1 §3.2).
pub fn once(body: &[u8]) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    for (key, value) in url::form_urlencoded::parse(body) {
        // RFC 8707 §2 allows several resources; there is only one here to mean, so a second one is
        // a repetition like any other.
        if fields.insert(key.into_owned(), value.into_owned().into()).is_some() {
            return None;
        }
    }
    fields.retain(|_, value| value.as_str() != Some(""));
    Some(fields)
}
