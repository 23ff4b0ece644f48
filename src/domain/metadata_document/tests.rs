use super::*;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::refusal::RegistrationRefusal;

const ADDRESS: &str = "https://client.example.com/oauth/client.json";

fn url(text: &str) -> DocumentUrl {
    DocumentUrl::parse(text, DocumentHosts::Public).unwrap()
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn document() -> PresentedDocument {
    PresentedDocument {
        client_id: Some(ADDRESS.into()),
        auth_method: Some("none".into()),
        metadata: PresentedMetadata {
            client_name: Some("Example".into()),
            redirect_uris: strings(&["https://client.example.com/cb", "http://localhost/cb"]),
            grant_types: Some(strings(&["authorization_code", "refresh_token", "jwt-bearer"])),
            ..PresentedMetadata::default()
        },
        ..PresentedDocument::default()
    }
}

fn check(change: impl FnOnce(&mut PresentedDocument)) -> Result<ClientMetadata, DocumentRefusal> {
    let mut document = document();
    change(&mut document);
    check_document(&url(ADDRESS), &document, &[])
}

#[test]
fn addresses_of_real_clients_are_accepted() {
    for address in [
        "https://claude.ai/oauth/mcp-oauth-client-metadata",
        "https://chatgpt.com/oauth/client.json",
        "https://client.example.com:8443/a/b.json?v=2",
        "https://xn--bcher-kva.example/client",
        ADDRESS,
    ] {
        assert!(DocumentUrl::is_meant_by(address), "{address}");
        assert_eq!(url(address).as_str(), address);
    }
    assert!(!DocumentUrl::is_meant_by("ghclient_abc"));
    assert!(DocumentUrl::is_meant_by("HTTPS://client.example.com/x"));
}

#[test]
fn hostile_addresses_are_refused() {
    use DocumentUrlRefusal as R;
    let long = format!("https://client.example.com/{}", "a".repeat(DOCUMENT_URL_BYTES_MAX));
    for (address, refusal) in [
        ("https:", R::NotAbsolute),
        ("https://client.example.com", R::NotCanonical),
        ("https://client.example.com/", R::Path),
        ("https://client.example.com/?x=1", R::Path),
        ("http://client.example.com/x", R::Scheme),
        ("HTTPS://client.example.com/x", R::NotCanonical),
        ("https://CLIENT.example.com/x", R::NotCanonical),
        ("https://client.example.com:443/x", R::NotCanonical),
        ("https:\\\\client.example.com/x", R::NotCanonical),
        ("https:/client.example.com/x", R::NotCanonical),
        (" https://client.example.com/x", R::NotCanonical),
        ("https://client.example.com/x\n", R::NotCanonical),
        ("https://client.example.com/a/../x", R::NotCanonical),
        ("https://client.example.com/./x", R::NotCanonical),
        ("https://client.example.com/a/%2e%2e/x", R::NotCanonical),
        ("https://client.example.com/a/.%2E", R::NotCanonical),
        ("https://client.example.com/é", R::NotCanonical),
        ("https://bücher.example/x", R::NotCanonical),
        ("https://client.example.com/x#", R::Fragment),
        ("https://client.example.com/x#y", R::Fragment),
        ("https://user@client.example.com/x", R::Userinfo),
        ("https://user:password@client.example.com/x", R::Userinfo),
        ("https://8.8.8.8/x", R::Host),
        ("https://[2606:4700::1111]/x", R::Host),
        ("https://127.0.0.1/x", R::Host),
        ("https://2130706433/x", R::NotCanonical),
        ("https://0x7f.1/x", R::NotCanonical),
        ("https://017700000001/x", R::NotCanonical),
        ("https://[::ffff:127.0.0.1]/x", R::NotCanonical),
        ("https://[::ffff:7f00:1]/x", R::Host),
        ("https://localhost/x", R::Host),
        ("https://docs.localhost/x", R::Host),
        ("https://intranet/x", R::Host),
        ("https://client.example.com./x", R::Host),
        ("http://localhost/x", R::Scheme),
        (&long, R::TooLong),
    ] {
        assert_eq!(DocumentUrl::parse(address, DocumentHosts::Public), Err(refusal), "{address:?}");
    }
}

#[test]
fn loopback_is_for_tests_that_say_so() {
    let also_loopback = |address| DocumentUrl::parse(address, DocumentHosts::AlsoLoopback);
    for address in [
        "http://127.0.0.1:4000/client.json",
        "http://localhost:4000/client.json",
        "http://[::1]:4000/client.json",
        "https://localhost:4000/client.json",
        ADDRESS,
    ] {
        assert!(also_loopback(address).is_ok(), "{address}");
    }
    for (address, refusal) in [
        ("http://client.example.com/x", DocumentUrlRefusal::Scheme),
        ("http://10.0.0.1/x", DocumentUrlRefusal::Scheme),
        ("https://10.0.0.1/x", DocumentUrlRefusal::Host),
        ("http://localhost/", DocumentUrlRefusal::Path),
    ] {
        assert_eq!(also_loopback(address), Err(refusal), "{address}");
    }
}

#[test]
fn a_domain_stands_for_itself_and_all_below_it() {
    let publishers = |allowed: &[&str], denied: &[&str]| Publishers {
        allowed: strings(allowed),
        denied: strings(denied),
    };
    for (allowed, denied, trusted) in [
        (&[][..], &[][..], true),
        (&["example.com"], &[], true),
        (&["client.example.com"], &[], true),
        (&["other.example"], &[], false),
        (&["ient.example.com"], &[], false),
        (&[], &["example.com"], false),
        (&["example.com"], &["client.example.com"], false),
        (&[], &["evil.client.example.com"], true),
    ] {
        assert_eq!(publishers(allowed, denied).trust(&url(ADDRESS)), trusted, "{allowed:?}");
    }
}

#[test]
fn a_document_must_speak_for_its_own_address() {
    assert_eq!(check(|_| ()).unwrap().client_name.as_deref(), Some("Example"));
    for other in [
        None,
        Some("https://client.example.com/oauth/client.json/"),
        Some("https://client.example.com/oauth/Client.json"),
        Some("https://other.example/oauth/client.json"),
    ] {
        let refused = check(|document| document.client_id = other.map(str::to_owned));
        assert_eq!(refused, Err(DocumentRefusal::AnotherClient), "{other:?}");
    }
}

#[test]
fn a_document_needs_a_name_and_a_place_to_answer_at() {
    let nameless = check(|document| document.metadata.client_name = Some("\u{200b}".into()));
    assert_eq!(nameless, Err(DocumentRefusal::NoName));
    let nowhere = check(|document| document.metadata.redirect_uris.clear());
    let refusal = RegistrationRefusal::NoAcceptableRedirectUri;
    assert_eq!(nowhere, Err(DocumentRefusal::Metadata(refusal)));
}

#[test]
fn only_public_clients_can_be_published() {
    use DocumentRefusal as R;
    for (method, supported, expected) in [
        (None, None, Ok(())),
        (Some("none"), None, Ok(())),
        (Some("none"), Some(&["private_key_jwt"][..]), Ok(())),
        // ChatGPT's.
        (Some("private_key_jwt"), Some(&["none", "private_key_jwt"]), Ok(())),
        (None, Some(&["none"]), Ok(())),
        (None, Some(&["private_key_jwt"]), Err(R::NotPublic)),
        (Some("private_key_jwt"), None, Err(R::NotPublic)),
        (Some("private_key_jwt"), Some(&["private_key_jwt"]), Err(R::NotPublic)),
        (Some("client_secret_basic"), Some(&["none"]), Err(R::SharedSecret)),
        (Some("client_secret_jwt"), None, Err(R::SharedSecret)),
    ] {
        let checked = check(|document| {
            document.auth_method = method.map(str::to_owned);
            document.auth_methods_supported = supported.map(strings);
        });
        assert_eq!(checked.map(|_| ()), expected, "{method:?} {supported:?}");
    }
    assert_eq!(check(|document| document.names_a_secret = true), Err(R::SharedSecret));
}

#[test]
fn people_are_asked_again_about_a_name_or_a_redirect() {
    let before = check(|_| ()).unwrap();
    let same = check(|document| document.metadata.software_version = Some("2".into())).unwrap();
    assert!(!differs_for_people(&before, &same));
    let renamed = check(|document| document.metadata.client_name = Some("Other".into())).unwrap();
    assert!(differs_for_people(&before, &renamed));
    let more = "https://client.example.com/more";
    let moved = check(|document| document.metadata.redirect_uris.push(more.into())).unwrap();
    assert!(moved.redirect_uris.contains(&RedirectUri::from_stored(more.into())));
    assert!(differs_for_people(&before, &moved));
}

#[test]
fn cache_headers_count_within_bounds() {
    let day = Duration::from_hours(24);
    for (cache_control, age, kept) in [
        (None, None, KEPT_BY_DEFAULT),
        (Some(""), None, KEPT_BY_DEFAULT),
        (Some("public"), None, KEPT_BY_DEFAULT),
        (Some("public, max-age=300"), None, Duration::from_mins(5)),
        (Some("Max-Age=\"300\""), None, Duration::from_mins(5)),
        (Some("max-age=300"), Some("60"), Duration::from_mins(4)),
        (Some("max-age=300"), Some("later"), Duration::from_mins(5)),
        (Some("max-age=300"), Some("900"), KEPT_MIN),
        (Some("max-age=0"), None, KEPT_MIN),
        (Some("max-age=-1"), None, KEPT_BY_DEFAULT),
        (Some("max-age=86400"), None, day),
        (Some("max-age=31536000"), None, day),
        (Some("max-age=99999999999999999999999"), None, day),
        (Some("max-age=300, no-store"), None, KEPT_MIN),
        (Some("No-Cache"), None, KEPT_MIN),
    ] {
        assert_eq!(kept_for(cache_control, age), kept, "{cache_control:?} {age:?}");
    }
}
