//! The query of an authorization request: an answer goes to a registered address with the state
//! that came, or it goes nowhere.

#![no_main]

use std::sync::LazyLock;

use gatehouse_fuzz::domain::authorization_request::{
    AuthorizeParameters, Rejected, STATE_BYTES_MAX, check,
};
use gatehouse_fuzz::domain::client::{Client, PresentedMetadata, check_registration};
use gatehouse_fuzz::domain::redirect_uri::TrustedRedirect;
use gatehouse_fuzz::domain::resource::Resource;
use gatehouse_fuzz::domain::scope::{Scope, ScopeSet};
use gatehouse_fuzz::retelling;
use libfuzzer_sys::fuzz_target;

const REGISTERED: [&str; 3] =
    ["https://e.com/cb", "http://127.0.0.1/cb", "cursor://anysphere.cursor-mcp/oauth/callback"];
const DEFAULT: ScopeSet = ScopeSet::EMPTY.with(Scope::DocsRead);

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let presented = PresentedMetadata {
        redirect_uris: REGISTERED.map(str::to_owned).to_vec(),
        ..PresentedMetadata::default()
    };
    let metadata = check_registration(&presented, &[REGISTERED[2].to_owned()]).unwrap();
    Client { client_id: "editor".to_owned(), metadata }
});

fuzz_target!(|query: &[u8]| {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query).map(|(k, v)| (k.into(), v.into())).collect();
    let said = |name: &str| -> Vec<&str> {
        pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    };
    let Ok(parameters) = AuthorizeParameters::from_pairs(pairs.clone()) else {
        let mut names: Vec<_> = pairs.iter().map(|(key, _)| key).collect();
        names.sort();
        assert!(names.windows(2).any(|two| two[0] == two[1]), "nothing is repeated");
        return;
    };
    for name in ["client_id", "redirect_uri", "state", "resource", "code_challenge", "scope"] {
        assert!(said(name).len() < 2, "{name} came twice");
    }
    let resource = Resource::of_public_url("https://docs.example.com");
    let state = said("state").first().copied().filter(|state| !state.is_empty());
    let goes_where_it_may = |to: &TrustedRedirect, with: Option<&str>| {
        let presented = said("redirect_uri");
        assert!(retelling::may_request(presented[0], &REGISTERED), "{presented:?}");
        assert_eq!(to.as_str(), presented[0]);
        assert_eq!(with, state);
        assert!(state.is_none_or(|state| state.len() <= STATE_BYTES_MAX));
    };
    match check(&parameters, &CLIENT, &resource, DEFAULT) {
        Err(Rejected::Page(_)) => {}
        Err(Rejected::Redirect { to, state, .. }) => goes_where_it_may(&to, state.as_deref()),
        Ok(request) => {
            goes_where_it_may(&request.redirect, request.state.as_deref());
            assert_eq!(said("response_type"), ["code"]);
            assert_eq!(said("code_challenge_method"), ["S256"]);
            assert_eq!(said("code_challenge"), [request.code_challenge.as_str()]);
            assert!((43..=128).contains(&request.code_challenge.as_str().len()), "RFC 7636 §4.2");
            for name in ["request", "request_uri"] {
                assert!(said(name).iter().all(|value| value.is_empty()), "{name} was passed over");
            }
            let asked = said("scope").first().copied().unwrap_or_default();
            for scope in request.scope.iter() {
                let is_asked = asked.split_whitespace().any(|word| word == scope.name());
                assert!(is_asked || DEFAULT.contains(scope), "{} of {asked:?}", scope.name());
            }
        }
    }
});
