//! Where a browser may be sent after a sign-in or a sign-out: nowhere but to listed sites and to
//! the account page (RFC 9700 §4.11: no open redirector).
//!
//! What is compared is the text itself, before any parser has mended it: an address that one reader
//! takes for a listed site and another for elsewhere is none.

use url::Url;

use crate::domain::refusal::ReturnRefusal;

/// The longest address, in bytes. It travels in a cookie, and cookies travel with each request.
pub const RETURN_TO_BYTES_MAX: usize = 1000;

/// Where browsers may be sent.
#[derive(Clone, Copy, Debug)]
pub struct ReturnPlaces<'a> {
    /// Origins of documentation sites, each in its canonical form.
    pub site_origins: &'a [String],
    /// The address of the account page.
    pub account_url: &'a str,
}

/// An address that a browser may be sent to. There is no other way to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Judges an address that came from outside.
    pub fn parse(presented: &str, places: ReturnPlaces<'_>) -> Result<Self, ReturnRefusal> {
        // Parsers drop tabs and line ends, trim blanks, and take a backslash for a slash.
        let is_plain = |b: u8| (0x21..=0x7e).contains(&b) && b != b'\\';
        if presented.len() > RETURN_TO_BYTES_MAX || !presented.bytes().all(is_plain) {
            return Err(ReturnRefusal::Malformed);
        }
        let url = Url::parse(presented).map_err(|_| ReturnRefusal::Malformed)?;
        let origin = url.origin().ascii_serialization();
        let is_at = |listed: &String| *listed == origin && begins_at(presented, listed);
        if is_account_page(presented, places.account_url) || places.site_origins.iter().any(is_at) {
            Ok(Self(presented.to_owned()))
        } else {
            Err(ReturnRefusal::Foreign)
        }
    }

    /// The address, as it was presented.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text begins with the origin and the origin ends there: `https://a.example` is no
/// beginning of `https://a.example.evil/` or of `https://a.example@evil/`.
fn begins_at(presented: &str, origin: &str) -> bool {
    let rest = presented.strip_prefix(origin);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// The account page, or the same with one connection named.
fn is_account_page(presented: &str, account_url: &str) -> bool {
    let is_id = |id: &str| {
        (1..=36).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    };
    presented
        .strip_prefix(account_url)
        .is_some_and(|rest| rest.is_empty() || rest.strip_prefix("?disconnect=").is_some_and(is_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(presented: &str) -> Result<(), ReturnRefusal> {
        let site_origins = ["https://docs.example.com".to_owned(), "http://[::1]:3000".to_owned()];
        let account_url = "https://gate.example.com/connect/account";
        let places = ReturnPlaces { site_origins: &site_origins, account_url };
        let parsed = ReturnTo::parse(presented, places)?;
        assert_eq!(parsed.as_str(), presented);
        Ok(())
    }

    #[test]
    fn listed_sites_and_the_account_page_are_returned_to() {
        for good in [
            "https://docs.example.com",
            "https://docs.example.com/",
            "https://docs.example.com/a/b?c=https://evil.example/#d",
            "https://docs.example.com?c",
            "https://docs.example.com#d",
            "https://docs.example.com//evil.example/",
            "http://[::1]:3000/a",
            "https://gate.example.com/connect/account",
            "https://gate.example.com/connect/account?disconnect=0190a5b4-0000-7000-8000-00000000",
        ] {
            assert_eq!(parse(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn everywhere_else_is_refused_however_it_is_spelled() {
        use ReturnRefusal::{Foreign, Malformed};
        let long = format!("https://docs.example.com/{}", "a".repeat(RETURN_TO_BYTES_MAX));
        for (bad, refusal) in [
            ("", Malformed),
            ("/", Malformed),
            ("//evil.example", Malformed),
            ("/\\evil.example", Malformed),
            ("evil.example", Malformed),
            ("https://evil.example/", Foreign),
            ("https://docs.example.com.evil.example/", Foreign),
            ("https://docs.example.com@evil.example/", Foreign),
            ("https://docs.example.com:443@evil.example/", Foreign),
            ("https://docs.example.com:8443/", Foreign),
            ("https://docs.example.com:443/", Foreign),
            ("https://u:p@docs.example.com/", Foreign),
            ("https://@docs.example.com/", Foreign),
            ("https:docs.example.com/", Foreign),
            ("https:///docs.example.com/", Foreign),
            ("https://DOCS.example.com/", Foreign),
            ("HTTPS://docs.example.com/", Foreign),
            ("http://docs.example.com/", Foreign),
            ("https://docs.example.com./", Foreign),
            ("https://evil.example/https://docs.example.com/", Foreign),
            ("https://evil.example?https://docs.example.com/", Foreign),
            ("https://evil.example#@docs.example.com/", Foreign),
            ("https://evil.example\\@docs.example.com/", Malformed),
            ("https://docs.example.com\\@evil.example/", Malformed),
            ("https://docs.example.com\t/", Malformed),
            ("https://docs.example.com/\r\nset-cookie: a=b", Malformed),
            (" https://docs.example.com/", Malformed),
            ("https://docs.example.com/\u{0}", Malformed),
            ("https://docs.example.com/ä", Malformed),
            ("https://docs。example。com/", Malformed),
            ("https://docs.example.com%2eevil.example/", Foreign),
            ("https://docs.example.com%00/", Malformed),
            ("javascript:alert(1)", Foreign),
            ("javascript://docs.example.com/%0aalert(1)", Foreign),
            ("data:text/html,x", Foreign),
            ("blob:https://docs.example.com/x", Foreign),
            ("file:///etc/passwd", Foreign),
            ("null", Malformed),
            ("https://gate.example.com/", Foreign),
            ("https://gate.example.com/connect/accounts", Foreign),
            ("https://gate.example.com/connect/account/../logout", Foreign),
            ("https://gate.example.com/connect/account?disconnect=", Foreign),
            ("https://gate.example.com/connect/account?disconnect=1&x=y", Foreign),
            ("https://gate.example.com/connect/account?other=1", Foreign),
            (&long, Malformed),
        ] {
            assert_eq!(parse(bad), Err(refusal), "{bad}");
        }
    }
}
