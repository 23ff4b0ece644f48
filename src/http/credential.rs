//! Who a request says it comes from.

use http::{HeaderMap, header};

use crate::secret::Secret;

/// What the `Authorization` header holds.
#[derive(Debug)]
pub enum Credential {
    /// There is no such header.
    None,
    /// A bearer token, not yet looked at.
    Bearer(Secret),
    /// Another scheme, several headers, or what cannot be a token.
    Malformed,
}

/// Reads the `Authorization` header.
pub fn credential(headers: &HeaderMap) -> Credential {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Credential::None,
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Credential::Malformed,
    };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        // RFC 6750 §2.1; the scheme is compared without case (RFC 9110 §11.1).
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            let token = token.trim();
            let is_b64token = !token.is_empty()
                && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
            if is_b64token {
                Credential::Bearer(Secret::presented(token.to_owned()))
            } else {
                Credential::Malformed
            }
        }
        _ => Credential::Malformed,
    }
}
