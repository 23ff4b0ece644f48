//! Rules, told a second time.
//!
//! Those of redirects are written from RFC 3986 (the grammar), RFC 8252 §7.3 (loopback) and
//! docs/clients.md (the rest), one character after another and without a URL parser, to disagree
//! with `domain::redirect_uri` where that one is wrong. Nothing here may call it or `url`.

use std::collections::BTreeMap;

/// What may be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It must be accepted.
    Accept,
    /// It must be refused.
    Refuse,
    /// A label in punycode: whether it spells a word is not told here (RFC 5891 §5.4).
    EitherWay,
}

/// The parts of an address, as written.
#[derive(Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Before the first colon.
    pub scheme: &'a str,
    /// Between `//` and what follows; `None` without `//`.
    pub authority: Option<&'a str>,
    /// All of the rest.
    pub tail: &'a str,
}

const BYTES_MAX: usize = 2048;
const UNRESERVED: &str = "-._~";
const RESERVED: &str = ":/?#[]@!$&'()*+,;=";
const ANSWERED: [&[u8]; 7] =
    [b"code", b"state", b"iss", b"error", b"error_description", b"error_uri", b"access_token"];
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The verdict on a registration, where `custom` lists what is allowed beside http and https.
pub fn may_register(text: &str, custom: &[&str]) -> Verdict {
    let letters: Vec<char> = text.chars().collect();
    if text.len() > BYTES_MAX || !is_spelled_by_rfc_3986(&letters) {
        return Verdict::Refuse;
    }
    if letters.contains(&'#') || letters.contains(&'*') {
        return Verdict::Refuse;
    }
    let Some(parts) = split(text) else { return Verdict::Refuse };
    if pairs(parts.tail).iter().any(|(key, _)| ANSWERED.contains(&key.as_slice())) {
        return Verdict::Refuse;
    }
    match (parts.scheme, parts.authority) {
        ("http", Some(authority)) => {
            let is_loopback = split_port(authority)
                .is_some_and(|(host, port)| LOOPBACK.contains(&host) && is_full_port(port));
            if is_loopback { Verdict::Accept } else { Verdict::Refuse }
        }
        ("https", Some(authority)) => match split_port(authority) {
            Some((host, port)) if is_port(port) => host_verdict(host),
            _ => Verdict::Refuse,
        },
        ("http" | "https", None) => Verdict::Refuse,
        (scheme, _) if runs_or_reads(scheme) => Verdict::Refuse,
        _ if custom.contains(&text) => Verdict::Accept,
        _ => Verdict::Refuse,
    }
}

/// Whether a request may name `presented`.
pub fn may_request(presented: &str, registered: &[&str]) -> bool {
    if presented.len() > BYTES_MAX {
        return false;
    }
    registered.iter().any(|registered| {
        *registered == presented
            || match (on_loopback(registered), on_loopback(presented)) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            }
    })
}

/// Host and tail of an address on loopback; the port between them is for each request to say.
pub fn on_loopback(text: &str) -> Option<(&str, &str)> {
    let parts = split(text).filter(|parts| parts.scheme == "http")?;
    let (host, port) = split_port(parts.authority?)?;
    (LOOPBACK.contains(&host) && is_full_port(port)).then_some((host, parts.tail))
}

/// Cuts an address at its first colon, and what stands between `//` and the next `/`, `?` or `#`.
pub fn split(text: &str) -> Option<Parts<'_>> {
    let colon = text.find(':')?;
    let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
    let mut letters = scheme.chars();
    if !letters.next()?.is_ascii_alphabetic()
        || !letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return None;
    }
    let mut seen = 0;
    let mut end = rest.len();
    for (at, letter) in rest.char_indices() {
        if at < 2 && letter == '/' {
            seen += 1;
        } else if seen < 2 {
            return Some(Parts { scheme, authority: None, tail: rest });
        } else if "/?#".contains(letter) {
            end = at;
            break;
        }
    }
    if seen < 2 || end == 2 {
        return Some(Parts { scheme, authority: None, tail: rest });
    }
    Some(Parts { scheme, authority: Some(&rest[2..end]), tail: &rest[end..] })
}

/// The pairs of the query in `tail`, decoded as forms are (WHATWG URL §5.1).
pub fn pairs(tail: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let Some((_, query)) = tail.split_once('?') else { return Vec::new() };
    let query = query.split('#').next().unwrap_or_default();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let two: Vec<u8> = bytes.clone().take(2).collect();
        match (byte, two.as_slice()) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let nibble = |digit: u8| match digit {
                    b'0'..=b'9' => digit - b'0',
                    _ => (digit | 0x20) - b'a' + 10,
                };
                decoded.push(nibble(*high) * 16 + nibble(*low));
                bytes.nth(1);
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

/// RFC 3986 §2: reserved and unreserved characters, and whole percent-encodings.
fn is_spelled_by_rfc_3986(letters: &[char]) -> bool {
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        if letter == '%' {
            let digits = letters.get(at + 1..at + 3);
            if !digits.is_some_and(|digits| digits.iter().all(char::is_ascii_hexdigit)) {
                return false;
            }
            at += 2;
        } else if !letter.is_ascii_alphanumeric()
            && !UNRESERVED.contains(letter)
            && !RESERVED.contains(letter)
        {
            return false;
        }
        at += 1;
    }
    true
}

fn runs_or_reads(scheme: &str) -> bool {
    let scheme: String = scheme.chars().map(|c| c.to_ascii_lowercase()).collect();
    matches!(
        scheme.as_str(),
        "javascript" | "data" | "vbscript" | "file" | "blob" | "about" | "ftp" | "ws"
    )
}

/// Host and port of an authority; a port may be missing or empty. With a user name there is none.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let mut host_end = authority.len();
    let mut is_bracketed = false;
    for (at, letter) in authority.char_indices() {
        match letter {
            '@' => return None,
            '[' if at == 0 => is_bracketed = true,
            ']' if is_bracketed => is_bracketed = false,
            ':' if !is_bracketed && host_end == authority.len() => host_end = at,
            _ => {}
        }
    }
    let port = authority.get(host_end + 1..);
    Some((&authority[..host_end], port))
}

/// Digits up to 65535, however many zeros stand before them.
fn is_port(port: Option<&str>) -> bool {
    let Some(port) = port else { return true };
    let digits = port.trim_start_matches('0');
    let is_small = digits.len() < 5 || (digits.len() == 5 && digits <= "65535");
    port.chars().all(|c| c.is_ascii_digit()) && is_small
}

/// The same, but what follows a colon is a port.
fn is_full_port(port: Option<&str>) -> bool {
    port != Some("") && is_port(port)
}

/// A host is a name, an IPv4 or an IPv6 address, in the one spelling that browsers read as written.
fn host_verdict(host: &str) -> Verdict {
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']');
        let is_shortest = address.is_some_and(|text| {
            groups(text).is_some_and(|groups| shortest(groups).eq_ignore_ascii_case(text))
        });
        return if is_shortest { Verdict::Accept } else { Verdict::Refuse };
    }
    let is_name = host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if host.is_empty() || !is_name {
        return Verdict::Refuse;
    }
    let labels: Vec<&str> = host.split('.').collect();
    // A dot at the end is the root's.
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    // What ends in a number is an IPv4 address or nothing (WHATWG URL §3.5).
    if is_number(last) {
        let is_quad = labels.len() == 4 && labels.iter().all(|label| is_octet(label));
        return if is_quad { Verdict::Accept } else { Verdict::Refuse };
    }
    let is_punycode =
        |label: &&str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if labels.iter().any(is_punycode) { Verdict::EitherWay } else { Verdict::Accept }
}

fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    let is_decimal = !label.is_empty() && label.chars().all(|c| c.is_ascii_digit());
    is_decimal || hex.is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))
}

fn is_octet(label: &str) -> bool {
    let is_plain = label == "0" || !label.starts_with('0');
    let is_short = (1..=3).contains(&label.len()) && label.chars().all(|c| c.is_ascii_digit());
    // Of equally long decimals the text compares as the number does.
    is_plain && is_short && (label.len() < 3 || label <= "255")
}

/// The eight groups of an IPv6 address without an IPv4 part (RFC 4291 §2.2).
fn groups(text: &str) -> Option<[u16; 8]> {
    let halves: Vec<&str> = text.split("::").collect();
    let read = |half: &str| -> Option<Vec<u16>> {
        if half.is_empty() {
            return Some(Vec::new());
        }
        half.split(':')
            .map(|group| {
                let is_group =
                    (1..=4).contains(&group.len()) && group.chars().all(|c| c.is_ascii_hexdigit());
                is_group.then(|| u16::from_str_radix(group, 16).ok()).flatten()
            })
            .collect()
    };
    let (before, after) = match halves.as_slice() {
        [all] => (read(all)?, None),
        [before, after] => (read(before)?, Some(read(after)?)),
        _ => return None,
    };
    let mut groups = [0; 8];
    let after = match after {
        None if before.len() == 8 => Vec::new(),
        Some(after) if before.len() + after.len() < 8 => after,
        _ => return None,
    };
    groups[..before.len()].copy_from_slice(&before);
    groups[8 - after.len()..].copy_from_slice(&after);
    Some(groups)
}

/// The shortest spelling (RFC 5952 §4).
fn shortest(groups: [u16; 8]) -> String {
    let mut longest = 0..0;
    for start in 0..8 {
        let length = groups[start..].iter().take_while(|group| **group == 0).count();
        if length > longest.len().max(1) {
            longest = start..start + length;
        }
    }
    let spell = |groups: &[u16]| {
        groups.iter().map(|group| format!("{group:x}")).collect::<Vec<_>>().join(":")
    };
    if longest.is_empty() {
        return spell(&groups);
    }
    format!("{}::{}", spell(&groups[..longest.start]), spell(&groups[longest.end..]))
}

/// The fields of a form, told again from the URL standard (application/x-www-form-urlencoded
/// parsing); nothing where one came twice. Empty ones are left out.
pub fn form(body: &[u8]) -> Option<BTreeMap<String, String>> {
    let mut seen = BTreeMap::new();
    for sequence in body.split(|byte| *byte == b'&').filter(|sequence| !sequence.is_empty()) {
        let end = sequence.iter().position(|byte| *byte == b'=').unwrap_or(sequence.len());
        let value = sequence.get(end + 1..).unwrap_or_default();
        if seen.insert(unescaped(&sequence[..end]), unescaped(value)).is_some() {
            return None;
        }
    }
    seen.retain(|_, value| !value.is_empty());
    Some(seen)
}

fn unescaped(text: &[u8]) -> String {
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let hex = |digit: Option<&u8>| digit.and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, hex(text.get(at + 1)), hex(text.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).expect("two digits are a byte"));
                at += 3;
            }
            _ => {
                bytes.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
