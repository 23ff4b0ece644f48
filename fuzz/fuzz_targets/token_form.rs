//! The form of the token endpoint, and what its fields hold.

#![no_main]

use gatehouse_fuzz::api::fields;
use gatehouse_fuzz::domain::client_claim::ClientFields;
use gatehouse_fuzz::domain::pkce::CodeChallenge;
use gatehouse_fuzz::domain::resource::Resource;
use gatehouse_fuzz::domain::scope::ScopeSet;
use gatehouse_fuzz::domain::token_request::{TokenFields, TokenRequest};
use gatehouse_fuzz::retelling;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let read = fields::once(body);
    let told = retelling::form(body);
    match (&read, &told) {
        (None, None) => return,
        (Some(read), Some(told)) => {
            assert_eq!(read.len(), told.len());
            for (name, value) in told {
                assert_eq!(read.get(name).and_then(|value| value.as_str()), Some(value.as_str()));
            }
        }
        _ => panic!("{read:?} and {told:?}"),
    }
    let read = read.unwrap_or_default();
    let field = |name: &str| read.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let resource = Resource::of_public_url("https://docs.example.com");
    if let Some(named) = field("resource") {
        let is_ours = resource.is_named_by(&named);
        let lower = named.to_ascii_lowercase();
        let rest = lower.strip_prefix("https://docs.example.com").unwrap_or_default();
        let begins_as_ours = rest.starts_with('/') || rest.starts_with(":443/");
        assert!(!is_ours || (begins_as_ours && named.bytes().all(|b| b.is_ascii_graphic())));
    }
    if let Some(scope) = field("scope") {
        for known in ScopeSet::known_in(&scope).iter() {
            assert!(scope.split_whitespace().any(|word| word == known.name()));
        }
    }
    if let Some(verifier) = field("code_verifier")
        && let Some(challenge) = CodeChallenge::met_by(&verifier)
    {
        assert!((43..=128).contains(&verifier.len()), "RFC 7636 §4.1");
        assert!(challenge.is_met_by(&verifier));
        assert!(!challenge.is_met_by(&verifier[1..]));
    }
    // Whatever becomes of a request, its text is the same as with other secrets.
    let shown = |secret: fn(String) -> String| {
        let secret = |name| field(name).map(secret);
        let request = TokenRequest::parse(TokenFields {
            grant_type: field("grant_type"),
            client: ClientFields {
                client_id: field("client_id"),
                client_secret: secret("client_secret"),
                client_assertion: secret("client_assertion"),
            },
            code: secret("code"),
            code_verifier: secret("code_verifier"),
            redirect_uri: field("redirect_uri"),
            refresh_token: secret("refresh_token"),
            scope: field("scope"),
            resource: field("resource"),
        });
        format!("{request:?}")
    };
    assert_eq!(shown(|secret| secret), shown(|_| "another".to_owned()));
});
