//! Redirect URIs: the rules against their second telling, and what must hold of every answer.
//!
//! An input is text. Each line is an address that is registered and that is requested, so any two
//! lines meet; the last one is also the `state` of the answer.

#![no_main]

use gatehouse_fuzz::domain::redirect_uri::{RedirectUri, Target, TrustedRedirect};
use gatehouse_fuzz::retelling::{self, Verdict};
use libfuzzer_sys::fuzz_target;
use url::Url;

const CUSTOM: [&str; 4] = [
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "com.example.app:/cb?x=1",
    "javascript:alert(1)",
    "FILE:///etc/passwd",
];
const LINES_MAX: usize = 8;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let lines: Vec<&str> = text.split('\n').take(LINES_MAX).collect();
    let state = lines.last().unwrap_or(&"");
    let registered: Vec<RedirectUri> = lines.iter().filter_map(|line| registers(line)).collect();
    for presented in &lines {
        // One by one, for among all there is mostly the same line again.
        for uri in &registered {
            requests(presented, std::slice::from_ref(uri), state);
        }
        requests(presented, &registered, state);
    }
});

/// The code and the reference agree on a request, and an answer goes where it may.
fn requests(presented: &str, registered: &[RedirectUri], state: &str) {
    let known: Vec<&str> = registered.iter().map(RedirectUri::as_str).collect();
    let found = TrustedRedirect::match_registered(presented, registered);
    let expected = retelling::may_request(presented, &known);
    assert_eq!(found.is_some(), expected, "{presented:?} among {known:?}");
    if let Some(redirect) = found {
        leads_where_it_says(&redirect, presented, &known);
        carries_the_answer(&redirect, state);
    }
}

/// The code and the reference agree on a registration; what is kept is what was written.
fn registers(text: &str) -> Option<RedirectUri> {
    let parsed = RedirectUri::parse(text, &CUSTOM.map(str::to_owned));
    match retelling::may_register(text, &CUSTOM) {
        Verdict::Accept => assert!(parsed.is_ok(), "{text:?} is refused: {parsed:?}"),
        Verdict::Refuse => assert!(parsed.is_err(), "{text:?} is accepted"),
        Verdict::EitherWay => {}
    }
    let uri = parsed.ok()?;
    assert_eq!(uri.as_str(), text);
    let target = match retelling::on_loopback(text) {
        Some(_) => Target::Loopback,
        None if text.starts_with("https:") => Target::Web,
        None => Target::CustomScheme,
    };
    assert_eq!(uri.target(), target, "{text:?}");
    let anywhere = uri.without_loopback_port();
    assert_eq!(anywhere.without_loopback_port(), anywhere, "{text:?}");
    let found = TrustedRedirect::match_registered(anywhere.as_str(), std::slice::from_ref(&uri));
    assert!(found.is_some(), "{anywhere:?} is not {text:?}");
    Some(uri)
}

/// What was accepted was registered, or is on the same loopback host and differs in the port only;
/// and what a page shows of it is where a browser goes.
fn leads_where_it_says(redirect: &TrustedRedirect, presented: &str, known: &[&str]) {
    assert_eq!(redirect.as_str(), presented);
    let url = Url::parse(presented).expect("what is accepted is an address");
    let is_same_place = |registered: &&str| {
        let mut other = Url::parse(registered).expect("so is what is registered");
        let same_host = url.host_str().is_some_and(|host| Some(host) == other.host_str());
        same_host && other.set_port(url.port()).is_ok() && other == url
    };
    if !known.contains(&presented) {
        assert_eq!(redirect.target(), Target::Loopback, "{presented:?} among {known:?}");
        assert!(known.iter().any(is_same_place), "{presented:?} among {known:?}");
    }
    if redirect.target() != Target::CustomScheme {
        let shown = Url::parse(redirect.origin()).expect("an origin is an address");
        assert_eq!(shown.origin(), url.origin(), "{presented:?}");
        let host = url.host_str().expect("it has a host").to_ascii_lowercase();
        let authority = redirect.origin().split("://").nth(1).unwrap_or_default();
        assert!(authority.to_ascii_lowercase().starts_with(&host), "{presented:?} is {host}");
        assert_eq!((url.username(), url.password()), ("", None), "{presented:?}");
    }
}

/// The address of the answer is the registered one with each parameter once.
fn carries_the_answer(redirect: &TrustedRedirect, state: &str) {
    let answer = [("code", "a b&c=d"), ("state", state), ("iss", "http://127.0.0.1:8080")];
    let address = redirect.with_parameters(&answer);
    assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address:?}");
    let before = Url::parse(redirect.as_str()).expect("what is accepted is an address");
    let after = Url::parse(&address).expect("so is the answer's");
    let place = |url: &Url| {
        let host = url.host_str().map(str::to_owned);
        (url.scheme().to_owned(), host, url.port(), url.path().to_owned())
    };
    assert_eq!(place(&before), place(&after), "{address:?}");
    assert_eq!(after.fragment(), None, "{address:?}");

    let mut expected = retelling::pairs(redirect.as_str());
    expected.extend(answer.map(|(key, value)| (key.into(), value.into())));
    assert_eq!(retelling::pairs(&address), expected, "{address:?}");
    for (key, value) in answer {
        let mut values = after.query_pairs().filter(|(name, _)| name == key);
        assert!(values.next().is_some_and(|(_, seen)| seen == value), "{key} in {address:?}");
        assert!(values.next().is_none(), "{key} comes twice in {address:?}");
    }
}
