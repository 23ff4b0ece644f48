//! Redirect URIs: what may be registered, and what a request may name.
//!
//! Registration (RFC 9700 §2.1, §2.6): `https` anywhere, `http` on loopback only, and private-use
//! schemes only as exact allow-listed strings. A request matches byte for byte; on loopback the
//! port alone may differ (RFC 8252 §7.3), never the host literal.
//!
//! Nothing is normalised: what was registered is what is compared and what is sent. So the host of
//! an `https` URI must be written as browsers read it: a person agrees to what the page shows, and
//! must arrive there. Paths are not looked at, since every one of a host is in the same hands; dot
//! segments and encodings in them are other spellings, and so other URIs.

use std::fmt;

use url::Url;
use url::form_urlencoded;

/// The longest redirect URI that is accepted, in bytes.
pub const REDIRECT_URI_BYTES_MAX: usize = 2048;

/// Parameters that our answer adds; a registered query that already has one would make it
/// ambiguous (OAuth 2.1 §3.1: a parameter appears once).
const RESERVED_QUERY_KEYS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "access_token"];

const NEVER_SCHEMES: [&str; 8] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "ftp", "ws"];

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriRefusal {
    /// Longer than [`REDIRECT_URI_BYTES_MAX`].
    TooLong,
    /// Whitespace, control characters, backslashes, quotes, angle brackets or non-ASCII.
    ForbiddenCharacter,
    /// Not an absolute URI.
    NotAbsolute,
    /// Carries a fragment (RFC 6749 §3.1.2).
    Fragment,
    /// Carries a wildcard.
    Wildcard,
    /// Carries a user name or password.
    Userinfo,
    /// A host that is no plain name or address, or one that browsers read as another.
    Host,
    /// `http` anywhere but on loopback.
    PlainHttp,
    /// A scheme that runs code or reads files, or one that is not allow-listed.
    Scheme,
    /// Its query already has a parameter that our answer adds.
    ReservedParameter,
}

/// A redirect URI that may be registered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Checks `text` against the registration rules; `custom_schemes` lists the exact
    /// private-use URIs that are allowed.
    pub fn parse(text: &str, custom_schemes: &[String]) -> Result<Self, RedirectUriRefusal> {
        use RedirectUriRefusal as Refusal;
        if text.len() > REDIRECT_URI_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        // URL parsers quietly repair these, so they are refused before any parser sees them.
        if !text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b)) {
            return Err(Refusal::ForbiddenCharacter);
        }
        if !percents_are_encodings(text) {
            return Err(Refusal::ForbiddenCharacter);
        }
        if text.contains('#') {
            return Err(Refusal::Fragment);
        }
        if text.contains('*') {
            return Err(Refusal::Wildcard);
        }
        let url = Url::parse(text).map_err(|_| Refusal::NotAbsolute)?;
        check_scheme(text, &url, custom_schemes)?;
        let reserved = |key: &str| RESERVED_QUERY_KEYS.contains(&key);
        if url.query_pairs().any(|(key, _)| reserved(&key)) {
            return Err(Refusal::ReservedParameter);
        }
        Ok(Self(text.to_owned()))
    }

    /// From a row that [`Self::parse`] let in.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The registered spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same place at whatever port: on loopback the port is chosen anew at each start
    /// (RFC 8252 §7.3).
    #[must_use]
    pub fn without_loopback_port(&self) -> Self {
        match loopback_parts(&self.0) {
            Some(LoopbackParts { host, rest }) => Self(format!("http://{host}{rest}")),
            None => self.clone(),
        }
    }

    /// Where the registered URI leads, for pages and for the rule on silent approval.
    pub fn target(&self) -> Target {
        if loopback_parts(&self.0).is_some() {
            Target::Loopback
        } else if self.0.starts_with("https://") {
            Target::Web
        } else {
            Target::CustomScheme
        }
    }
}

/// Whether every `%` begins an encoded byte (RFC 3986 §2.1).
fn percents_are_encodings(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        rest.get(..2).is_some_and(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
    })
}

fn check_scheme(
    text: &str,
    url: &Url,
    custom_schemes: &[String],
) -> Result<(), RedirectUriRefusal> {
    use RedirectUriRefusal as Refusal;
    // The scheme is compared as written: a parser would lower-case it, and bytes are what counts.
    let scheme = text.split(':').next().unwrap_or_default();
    if NEVER_SCHEMES.contains(&url.scheme()) {
        return Err(Refusal::Scheme);
    }
    match scheme {
        "https" | "http" => {
            // "https:host" and "https:/host" are repaired by parsers into something else.
            let rest = text.get(scheme.len()..).and_then(|rest| rest.strip_prefix("://"));
            let authority = rest.map(|rest| rest.split(['/', '?']).next().unwrap_or_default());
            match authority {
                None | Some("") => Err(Refusal::NotAbsolute),
                Some(authority) if authority.contains('@') => Err(Refusal::Userinfo),
                Some(_) if scheme == "http" && loopback_parts(text).is_none() => {
                    Err(Refusal::PlainHttp)
                }
                Some(authority) if !is_read_as_written(authority, url) => Err(Refusal::Host),
                Some(_) => Ok(()),
            }
        }
        _ if custom_schemes.iter().any(|allowed| allowed == text) => Ok(()),
        _ => Err(Refusal::Scheme),
    }
}

/// Whether the host is what browsers make of it, but for its case. They decode and fold names
/// (`claude.ai%2eevil.com`, a soft hyphen) and read numbers as addresses (`0x7f.1`, `2130706433`).
fn is_read_as_written(authority: &str, url: &Url) -> bool {
    let host = match authority.find(']') {
        Some(bracket) => &authority[..=bracket],
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_name = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    (is_name || host.starts_with('['))
        && url.host_str().is_some_and(|read| read.eq_ignore_ascii_case(host))
}

/// The kind of place a redirect leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A web address, which its TLS certificate vouches for.
    Web,
    /// A program on the person's own machine, which any local program could imitate.
    Loopback,
    /// A private-use scheme, likewise.
    CustomScheme,
}

/// A redirect URI this client registered. There is no other way to make one.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustedRedirect(String);

impl TrustedRedirect {
    /// Finds `presented` among the `registered` URIs.
    pub fn match_registered(presented: &str, registered: &[RedirectUri]) -> Option<Self> {
        if presented.len() > REDIRECT_URI_BYTES_MAX {
            return None;
        }
        registered
            .iter()
            .any(|uri| uri.0 == presented || differ_in_loopback_port_only(&uri.0, presented))
            .then(|| Self(presented.to_owned()))
    }

    /// From a row: an authorization request holds only what was matched when it was accepted.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The spelling the request used, port included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of place it leads to.
    pub fn target(&self) -> Target {
        RedirectUri(self.0.clone()).target()
    }

    /// The address with `parameters` appended; a registered query stays (RFC 6749 §3.1.2).
    pub fn with_parameters(&self, parameters: &[(&str, &str)]) -> String {
        let query: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let separator = match self.0.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{query}", self.0)
    }

    /// Scheme and authority, the part a person should look at.
    pub fn origin(&self) -> &str {
        let after_scheme = self.0.find("://").map_or(0, |at| at + 3);
        let end =
            self.0[after_scheme..].find(['/', '?']).map_or(self.0.len(), |at| after_scheme + at);
        &self.0[..end]
    }
}

impl fmt::Debug for TrustedRedirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedRedirect({})", self.0)
    }
}

struct LoopbackParts<'a> {
    host: &'a str,
    rest: &'a str,
}

/// Splits an `http` URI whose host is exactly one of the three loopback spellings.
fn loopback_parts(text: &str) -> Option<LoopbackParts<'_>> {
    let after_scheme = text.strip_prefix("http://")?;
    let host = ["localhost", "127.0.0.1", "[::1]"]
        .into_iter()
        .find(|host| after_scheme.starts_with(host))?;
    let after_host = &after_scheme[host.len()..];
    let rest = match after_host.strip_prefix(':') {
        None => after_host,
        Some(with_port) => {
            let digits = with_port.bytes().take_while(u8::is_ascii_digit).count();
            with_port[..digits].parse::<u16>().ok()?;
            &with_port[digits..]
        }
    };
    // Anything else here (".evil.com", "@", a second colon) makes it another host.
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some(LoopbackParts { host, rest })
}

fn differ_in_loopback_port_only(registered: &str, presented: &str) -> bool {
    match (loopback_parts(registered), loopback_parts(presented)) {
        (Some(a), Some(b)) => a.host == b.host && a.rest == b.rest,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
