//! Tables of what real clients register, what hostile ones try, and what may differ. The same rules
//! are told a second time in `fuzz/src/reference.rs`, and fuzzed against it.

use super::*;

const CURSOR: &str = "cursor://anysphere.cursor-mcp/oauth/callback";

fn parse(text: &str) -> Result<RedirectUri, RedirectUriRefusal> {
    RedirectUri::parse(text, &[CURSOR.to_owned(), "javascript:alert(1)".to_owned()])
}

fn matches(registered: &str, presented: &str) -> bool {
    TrustedRedirect::match_registered(presented, &[parse(registered).unwrap()]).is_some()
}

fn each_is_refused(table: &[(&str, RedirectUriRefusal)]) {
    for (text, refusal) in table {
        assert_eq!(parse(text), Err(*refusal), "{text:?}");
    }
}

#[test]
fn what_clients_register_is_accepted() {
    for text in [
        "https://claude.ai/api/mcp/auth_callback",
        "https://vscode.dev/redirect",
        "https://example.com",
        "https://example.com:8443/cb?x=1",
        "https://a_b-c.example.com/cb",
        "https://xn--exmple-cua.com/cb",
        "https://127.0.0.1/cb",
        "https://[2001:db8::1]/cb",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
        "http://localhost/callback",
        "http://localhost:8787/callback",
        "http://[::1]:9000/cb",
        CURSOR,
    ] {
        assert_eq!(parse(text).as_ref().map(RedirectUri::as_str), Ok(text));
    }
}

#[test]
fn what_is_no_absolute_address_is_refused() {
    use RedirectUriRefusal as R;
    each_is_refused(&[
        ("", R::NotAbsolute),
        ("/callback", R::NotAbsolute),
        ("//example.com/cb", R::NotAbsolute),
        ("?x=1", R::NotAbsolute),
        ("https:", R::NotAbsolute),
        ("https://", R::NotAbsolute),
        ("https://?x", R::NotAbsolute),
        ("https://:443/cb", R::NotAbsolute),
        ("https:example.com", R::NotAbsolute),
        ("https:/example.com", R::NotAbsolute),
        ("https:///cb", R::NotAbsolute),
        ("https:////example.com/cb", R::NotAbsolute),
        ("http:localhost/cb", R::NotAbsolute),
        ("http:/localhost/cb", R::NotAbsolute),
        ("http:///localhost/cb", R::NotAbsolute),
        ("https://example.com/cb#x", R::Fragment),
        ("https://example.com/cb#", R::Fragment),
        ("https://*.example.com/cb", R::Wildcard),
        ("https://example.com/*", R::Wildcard),
    ]);
}

#[test]
fn what_parsers_would_repair_is_refused() {
    for text in [
        "https://example.com/a b",
        " https://example.com/",
        "https://example.com/ ",
        "https://example.com/\r\nX: y",
        "https://exam\tple.com/",
        "https://example.com/\0",
        "https://example.com/\u{7f}",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "https:\\\\example.com\\cb",
        "https:/\\example.com/cb",
        "https://example.com\\@evil.com",
        "http://localhost\\@evil.com/cb",
        "https://exämple.com/",
        "https://ｅxample.com/",
        "https://example。com/",
        "https://exa\u{ad}mple.com/",
        "\u{feff}https://example.com/",
        "https://example.com/\u{202e}cb",
        "https://example.com/%zz",
        "https://example.com/%2",
        "https://example.com/%",
        "https://example.com/%%41",
        "https://example.com/<x>",
        "https://example.com/\"x",
        "https://example.com/{x}",
    ] {
        assert_eq!(parse(text), Err(RedirectUriRefusal::ForbiddenCharacter), "{text:?}");
    }
}

#[test]
fn a_host_that_is_read_as_another_is_refused() {
    use RedirectUriRefusal as R;
    each_is_refused(&[
        // Decoded and folded before they are looked up.
        ("https://%63laude.ai/cb", R::Host),
        ("https://claude.ai%2eevil.com/cb", R::Host),
        ("https://claude.ai%E3%80%82evil.com/cb", R::Host),
        ("https://clau%C2%ADde.ai/cb", R::Host),
        ("https://%EF%BD%85.com/cb", R::Host),
        // Decoded into what no host has.
        ("https://claude.ai%2f.evil.com/cb", R::NotAbsolute),
        ("https://claude.ai%40evil.com/cb", R::NotAbsolute),
        ("https://claude.ai%00.evil.com/cb", R::NotAbsolute),
        // Names that no DNS has, and that would end a list or a directive.
        ("https://e.com;x/cb", R::Host),
        ("https://e.com,x/cb", R::Host),
        ("https://e'.com/cb", R::Host),
        ("https://$e.com/cb", R::Host),
        // Punycode that spells nothing.
        ("https://xn--a/cb", R::NotAbsolute),
        // Numbers that are addresses.
        ("https://2130706433/cb", R::Host),
        ("https://127.1/cb", R::Host),
        ("https://127.0.0.1./cb", R::Host),
        ("https://0x7f000001/cb", R::Host),
        ("https://0x7f.0.0.1/cb", R::Host),
        ("https://0177.0.0.1/cb", R::Host),
        ("https://1.2.3.256/cb", R::NotAbsolute),
        ("https://1.2.3.4.5/cb", R::NotAbsolute),
        ("https://e.com.0x/cb", R::NotAbsolute),
        ("https://[0:0:0:0:0:0:0:1]/cb", R::Host),
        ("https://[2001:DB8:0::1]/cb", R::Host),
        ("https://[::ffff:127.0.0.1]/cb", R::Host),
        ("https://[::1%25eth0]/cb", R::NotAbsolute),
        ("https://[::1]evil.com/cb", R::NotAbsolute),
        ("https://[::1/cb", R::NotAbsolute),
        ("https://::1/cb", R::NotAbsolute),
        // Ports.
        ("https://e.com:65536/cb", R::NotAbsolute),
        ("https://e.com:-1/cb", R::NotAbsolute),
        ("https://e.com:8o/cb", R::NotAbsolute),
        ("https://e.com:443:80/cb", R::NotAbsolute),
    ]);
}

#[test]
fn user_names_are_refused() {
    for text in [
        "https://user@example.com/",
        "https://user:pw@example.com/",
        "https://@example.com/",
        "https://:@example.com/",
        "https://claude.ai:443@evil.com/",
        "http://user@127.0.0.1/cb",
        "http://@localhost/cb",
        "http://localhost@evil.com/cb",
        "http://localhost:80@evil.com/cb",
        "http://127.0.0.1%2f@evil.com/cb",
    ] {
        assert_eq!(parse(text), Err(RedirectUriRefusal::Userinfo), "{text:?}");
    }
}

#[test]
fn plain_http_is_for_three_hosts_as_written() {
    use RedirectUriRefusal as R;
    each_is_refused(&[
        ("http://example.com/cb", R::PlainHttp),
        ("http://localhost.evil.com/cb", R::PlainHttp),
        ("http://evil.localhost/cb", R::PlainHttp),
        ("http://127.0.0.1.evil.com/cb", R::PlainHttp),
        ("http://localhost./cb", R::PlainHttp),
        ("http://LOCALHOST/cb", R::PlainHttp),
        ("http://%6cocalhost/cb", R::PlainHttp),
        ("http://localhost;x/cb", R::PlainHttp),
        ("http://localhost,evil.com/cb", R::PlainHttp),
        ("http://localhost&x/cb", R::PlainHttp),
        ("http://localhost-/cb", R::PlainHttp),
        ("http://127.0.0.1./cb", R::PlainHttp),
        ("http://127.0.0.2/cb", R::PlainHttp),
        ("http://127.1/cb", R::PlainHttp),
        ("http://0.0.0.0/cb", R::PlainHttp),
        ("http://0/cb", R::PlainHttp),
        ("http://2130706433/cb", R::PlainHttp),
        ("http://017700000001/cb", R::PlainHttp),
        ("http://0x7f.0.0.1/cb", R::PlainHttp),
        ("http://[::]/cb", R::PlainHttp),
        ("http://[::0:1]/cb", R::PlainHttp),
        ("http://[0:0:0:0:0:0:0:1]/cb", R::PlainHttp),
        ("http://[::127.0.0.1]/cb", R::PlainHttp),
        ("http://[::ffff:127.0.0.1]/cb", R::PlainHttp),
        ("http://[::ffff:7f00:1]/cb", R::PlainHttp),
        ("http://[::1%25lo]/cb", R::NotAbsolute),
        ("http://localhost:/cb", R::PlainHttp),
        ("http://localhost:99999/cb", R::NotAbsolute),
        ("http://localhost:65536/cb", R::NotAbsolute),
        ("http://localhost:+80/cb", R::NotAbsolute),
        ("http://localhost:80:80/cb", R::NotAbsolute),
        ("http://localhost:80;x/cb", R::NotAbsolute),
    ]);
}

#[test]
fn schemes_are_two_and_the_listed_addresses() {
    for text in [
        "HTTP://127.0.0.1/cb",
        "hTTps://example.com/cb",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://localhost/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "blob:https://example.com/x",
        "about:blank",
        "view-source:https://example.com/",
        "intent://example.com/cb",
        "ws://localhost/cb",
        "wss://localhost/cb",
        "x-https://example.com/cb",
        "https+x://example.com/cb",
        "urn:ietf:wg:oauth:2.0:oob",
        "foo://x",
        "Cursor://anysphere.cursor-mcp/oauth/callback",
        "cursor:anysphere.cursor-mcp/oauth/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback/",
        "cursor://anysphere.cursor-mcp/oauth/callback?x=1",
        "cursor://anysphere.cursor-mcp/oauth/callback2",
        "cursor://user@anysphere.cursor-mcp/oauth/callback",
        "cursor://anysphere.cursor-mcp:1/oauth/callback",
    ] {
        assert_eq!(parse(text), Err(RedirectUriRefusal::Scheme), "{text:?}");
    }
}

#[test]
fn a_parameter_of_the_answer_is_refused_however_it_is_spelled() {
    for query in
        ["state=1", "c%6fde=1", "x=1&code", "&&iss=", "access%5ftoken=1", "error_uri", "%65rror"]
    {
        let text = format!("https://example.com/cb?{query}");
        assert_eq!(parse(&text), Err(RedirectUriRefusal::ReservedParameter), "{text:?}");
    }
    for query in ["xcode=1", "code2", "x=code", "x=1;code=2", "?code=1", "%2563ode=1"] {
        let text = format!("https://example.com/cb?{query}");
        assert!(parse(&text).is_ok(), "{text:?}");
    }
}

#[test]
fn an_address_has_2048_bytes_at_most() {
    let of_length = |bytes: usize| format!("http://localhost/{}", "a".repeat(bytes - 17));
    assert!(parse(&of_length(REDIRECT_URI_BYTES_MAX)).is_ok());
    let long = of_length(REDIRECT_URI_BYTES_MAX + 1);
    assert_eq!(parse(&long), Err(RedirectUriRefusal::TooLong));
    // The port may make it longer than what was registered, but not too long.
    let registered = of_length(REDIRECT_URI_BYTES_MAX);
    let presented = registered.replace("localhost", "localhost:1");
    assert!(!matches(&registered, &presented));
}

#[test]
fn only_the_port_of_a_loopback_address_may_differ() {
    for (registered, presented) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51763/cb"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1:5/"),
        ("http://127.0.0.1:33418/", "http://127.0.0.1/"),
        ("http://localhost/callback", "http://localhost:3118/callback"),
        ("http://[::1]/cb", "http://[::1]:8080/cb"),
        ("http://localhost:3000", "http://localhost:4000"),
        ("http://localhost/cb?x=1", "http://localhost:1/cb?x=1"),
        ("http://localhost?x", "http://localhost:1?x"),
        // A browser reads them as other ports, and any is allowed.
        ("http://localhost/cb", "http://localhost:0/cb"),
        ("http://localhost/cb", "http://localhost:00080/cb"),
        ("http://localhost/cb", "http://localhost:65535/cb"),
    ] {
        assert!(matches(registered, presented), "{presented} is {registered}");
    }
    for presented in [
        "http://localhost:51763/cb2",
        "http://localhost:51763/cb/",
        "http://localhost:51763/CB",
        "http://localhost:51763/cb?x=1",
        "http://localhost:51763/cb?",
        "http://localhost:51763/cb#x",
        "http://localhost:51763/cb;x",
        "http://localhost:51763//cb",
        "http://localhost:51763/./cb",
        "http://localhost:51763/x/../cb",
        "http://localhost:51763/%63b",
        "http://localhost:51763\\cb",
        "http://localhost:51763",
        "http://127.0.0.1:51763/cb",
        "http://[::1]/cb",
        "https://localhost/cb",
        "HTTP://localhost/cb",
        "http:localhost/cb",
        "http:///localhost/cb",
        " http://localhost/cb",
        "http://localhost/cb ",
        "http://localhost/cb\0",
        "http://localhost:\t80/cb",
        "http://localhost:70000/cb",
        "http://localhost:65536/cb",
        "http://localhost:18446744073709551617/cb",
        "http://localhost:-1/cb",
        "http://localhost:+1/cb",
        "http://localhost:１/cb",
        "http://localhost:1:2/cb",
        "http://localhost:/cb",
        "http://localhost::1/cb",
        "http://localhost:1@evil.com/cb",
        "http://localhost@evil.com/cb",
        "http://user@localhost/cb",
        "http://localhost.evil.com/cb",
        "http://localhost./cb",
        "http://LOCALHOST/cb",
        "http://%6cocalhost/cb",
        "",
    ] {
        assert!(!matches("http://localhost/cb", presented), "{presented:?}");
    }
    assert!(!matches("http://127.0.0.1/", "http://127.0.0.1:5"));
    assert!(!matches("http://[::1]/", "http://[0:0:0:0:0:0:0:1]/"));
}

/// What browsers make of it may be the same place; it is not the same string (RFC 9700 §2.1), on
/// neither side (RFC 3986 §6.2.1).
#[test]
fn another_spelling_is_another_address() {
    let spellings = [
        "https://e.com/cb",
        "https://E.com/cb",
        "https://e.com./cb",
        "https://e.com:443/cb",
        "https://e.com:0443/cb",
        "https://e.com:/cb",
        "https://e.com/cb/",
        "https://e.com/cb?",
        "https://e.com/cb??",
        "https://e.com/cb;x=1",
        "https://e.com/c%62",
        "https://e.com/./cb",
        "https://e.com/a/../cb",
        "https://e.com/%2e%2e/cb",
        "https://e.com/%2E%2E/cb",
        "https://e.com/..%2fcb",
        "https://e.com//cb",
        "https://localhost/cb",
        "https://localhost:8443/cb",
    ];
    for registered in spellings {
        for presented in spellings {
            let is_same = registered == presented;
            assert_eq!(matches(registered, presented), is_same, "{registered} {presented}");
        }
    }
    assert!(!matches("https://e.com/cb", "https://user@e.com/cb"));
    assert!(!matches("https://e.com/cb", "https://e.com/cb?x=1"));
}

#[test]
fn parameters_join_a_registered_query() {
    let with = |uri: &str| TrustedRedirect(uri.into()).with_parameters(&[("code", "a b")]);
    assert_eq!(with("https://e.com"), "https://e.com?code=a+b");
    assert_eq!(with("https://e.com/cb"), "https://e.com/cb?code=a+b");
    assert_eq!(with("https://e.com/cb?"), "https://e.com/cb?code=a+b");
    assert_eq!(with("https://e.com/cb?x=1"), "https://e.com/cb?x=1&code=a+b");
    assert_eq!(with("https://e.com/cb?x=1&"), "https://e.com/cb?x=1&code=a+b");
    assert_eq!(with("https://e.com/cb??"), "https://e.com/cb??&code=a+b");
    assert_eq!(with("https://e.com/cb?a/b?c"), "https://e.com/cb?a/b?c&code=a+b");
    assert_eq!(with(CURSOR), format!("{CURSOR}?code=a+b"));
}

#[test]
fn the_origin_is_what_a_person_looks_at() {
    let origin = |uri: &str| TrustedRedirect(uri.into()).origin().to_owned();
    assert_eq!(origin("https://e.com/cb?x=1"), "https://e.com");
    assert_eq!(origin("https://e.com?x=https://claude.ai/"), "https://e.com");
    assert_eq!(origin("http://127.0.0.1:5?x"), "http://127.0.0.1:5");
    assert_eq!(origin(CURSOR), "cursor://anysphere.cursor-mcp");
}
