//! What a client asks at the authorization endpoint, checked in one visible order
//! (OAuth 2.1 §4.1.1).

use crate::domain::client::Client;
use crate::domain::pkce::CodeChallenge;
use crate::domain::redirect_uri::{Target, TrustedRedirect};
use crate::domain::refusal::AuthorizeRefusal;
use crate::domain::resource::Resource;
use crate::domain::scope::ScopeSet;

/// The parameters as they came, empty ones dropped.
#[derive(Clone, Debug, Default)]
pub struct AuthorizeParameters {
    pairs: Vec<(String, String)>,
    /// `client_id`, needed to find the client.
    pub client_id: Option<String>,
}

/// The longest `state` that is carried, in bytes.
pub const STATE_BYTES_MAX: usize = 16 * 1024;

/// The parameters this endpoint understands; others are ignored (OAuth 2.1 §3.1).
const KNOWN: [&str; 12] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "prompt",
    "request",
    "request_uri",
];

impl AuthorizeParameters {
    /// Reads decoded query pairs. A repeated parameter is refused before anything is believed:
    /// which of two redirect URIs counts must not depend on who reads them. An empty one counts
    /// as omitted.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Result<Self, AuthorizeRefusal> {
        let known: Vec<_> =
            pairs.into_iter().filter(|(key, _)| KNOWN.contains(&key.as_str())).collect();
        let repeated = known
            .iter()
            .enumerate()
            .any(|(at, (key, _))| known[..at].iter().any(|(earlier, _)| earlier == key));
        if repeated {
            return Err(AuthorizeRefusal::RepeatedParameter);
        }
        let pairs: Vec<_> = known.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut parameters = Self { pairs, client_id: None };
        parameters.client_id = parameters.get("client_id").map(str::to_owned);
        Ok(parameters)
    }

    /// `redirect_uri`, as it came.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.get("redirect_uri")
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An accepted request, not yet answered.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect: TrustedRedirect,
    /// The client's own value, returned byte for byte.
    pub state: Option<String>,
    /// What it may be granted.
    pub scope: ScopeSet,
    /// What its verifier must fit.
    pub code_challenge: CodeChallenge,
    /// Whether the person must be asked even when they said yes before.
    pub consent: ConsentNeed,
}

/// Whether an earlier yes may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentNeed {
    /// An earlier yes to the same thing will do.
    UnlessRemembered,
    /// The client asked for the page (`prompt=consent`, `login` or `select_account`).
    Always,
}

/// How a request is turned down.
#[derive(Clone, Debug)]
pub enum Rejected {
    /// We do not know whom to send the browser to, so it stays here.
    Page(AuthorizeRefusal),
    /// The client can be told, once the person agrees to go there: nobody has signed in yet, so
    /// redirecting at once would make us an open redirector (RFC 9700 §4.11.2).
    Redirect {
        /// Where to.
        to: TrustedRedirect,
        /// The client's own value.
        state: Option<String>,
        /// What it is told.
        refusal: AuthorizeRefusal,
    },
}

/// Checks a request of a known client. The order matters where a comment says so.
pub fn check(
    parameters: &AuthorizeParameters,
    client: &Client,
    resource: &Resource,
    default_scope: ScopeSet,
) -> Result<AuthorizationRequest, Rejected> {
    // First the redirect: until it is trusted, no error may leave this site.
    let redirect = check_redirect(parameters, client).map_err(Rejected::Page)?;
    // A state that cannot be returned whole must not be returned at all.
    let state = parameters.get("state").map(str::to_owned);
    if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
        return Err(Rejected::Page(AuthorizeRefusal::StateTooLong));
    }
    let rejected =
        |refusal| Rejected::Redirect { to: redirect.clone(), state: state.clone(), refusal };
    check_request_objects(parameters).map_err(rejected)?;
    check_response_type(parameters).map_err(rejected)?;
    let code_challenge = check_code_challenge(parameters).map_err(rejected)?;
    check_resource(parameters, resource).map_err(rejected)?;
    // Last, because a client that probes with prompt=none should first learn of real mistakes.
    let consent = check_prompt(parameters).map_err(rejected)?;
    Ok(AuthorizationRequest {
        client_id: client.client_id.clone(),
        redirect,
        state,
        scope: ScopeSet::requested(parameters.get("scope"), default_scope),
        code_challenge,
        consent,
    })
}

fn check_redirect(
    parameters: &AuthorizeParameters,
    client: &Client,
) -> Result<TrustedRedirect, AuthorizeRefusal> {
    let registered = &client.metadata.redirect_uris;
    match (parameters.get("redirect_uri"), registered.as_slice()) {
        (Some(presented), _) => TrustedRedirect::match_registered(presented, registered)
            .ok_or(AuthorizeRefusal::UnregisteredRedirectUri),
        // OAuth 2.1 §2.3.2: it may be left out only when there is nothing to choose. On loopback
        // there is: the port.
        (None, [only]) if only.target() != Target::Loopback => {
            TrustedRedirect::match_registered(only.as_str(), registered)
                .ok_or(AuthorizeRefusal::UnregisteredRedirectUri)
        }
        (None, _) => Err(AuthorizeRefusal::MissingRedirectUri),
    }
}

fn check_request_objects(parameters: &AuthorizeParameters) -> Result<(), AuthorizeRefusal> {
    if parameters.get("request").is_some() {
        return Err(AuthorizeRefusal::RequestObject);
    }
    if parameters.get("request_uri").is_some() {
        return Err(AuthorizeRefusal::RequestUri);
    }
    Ok(())
}

fn check_response_type(parameters: &AuthorizeParameters) -> Result<(), AuthorizeRefusal> {
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(AuthorizeRefusal::UnsupportedResponseType),
        None => return Err(AuthorizeRefusal::MissingResponseType),
    }
    match parameters.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(AuthorizeRefusal::UnsupportedResponseMode),
    }
}

fn check_code_challenge(
    parameters: &AuthorizeParameters,
) -> Result<CodeChallenge, AuthorizeRefusal> {
    let challenge =
        parameters.get("code_challenge").ok_or(AuthorizeRefusal::MissingCodeChallenge)?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(AuthorizeRefusal::UnsupportedChallengeMethod);
    }
    CodeChallenge::parse(challenge).ok_or(AuthorizeRefusal::MalformedCodeChallenge)
}

fn check_resource(
    parameters: &AuthorizeParameters,
    resource: &Resource,
) -> Result<(), AuthorizeRefusal> {
    match parameters.get("resource") {
        // Clients of revision 2025-03-26 send none; there is only one resource to mean.
        None => Ok(()),
        Some(presented) if resource.is_named_by(presented) => Ok(()),
        Some(_) => Err(AuthorizeRefusal::UnknownResource),
    }
}

fn check_prompt(parameters: &AuthorizeParameters) -> Result<ConsentNeed, AuthorizeRefusal> {
    let words: Vec<_> =
        parameters.get("prompt").unwrap_or_default().split_ascii_whitespace().collect();
    if words.contains(&"none") {
        return Err(AuthorizeRefusal::InteractionRequired);
    }
    if words.iter().any(|word| matches!(*word, "consent" | "login" | "select_account")) {
        return Ok(ConsentNeed::Always);
    }
    Ok(ConsentNeed::UnlessRemembered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::client::{PresentedMetadata, check_registration};
    use crate::domain::scope::Scope;

    const READ: ScopeSet = ScopeSet::EMPTY.with(Scope::DocsRead);
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client(redirect_uris: &[&str]) -> Client {
        let presented = PresentedMetadata {
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            ..PresentedMetadata::default()
        };
        Client {
            client_id: "editor".into(),
            metadata: check_registration(&presented, &[]).unwrap(),
        }
    }

    fn ask(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Rejected> {
        let mut pairs = vec![
            ("client_id", "editor"),
            ("redirect_uri", "https://e.com/cb"),
            ("response_type", "code"),
            ("state", "a%2b c"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
        pairs.extend(changes);
        let pairs = pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let parameters = AuthorizeParameters::from_pairs(pairs).map_err(Rejected::Page)?;
        let resource = Resource::of_public_url("https://docs.example.com");
        check(&parameters, &client(&["https://e.com/cb", "http://localhost/cb"]), &resource, READ)
    }

    #[test]
    fn mistakes_a_client_can_be_told_of_keep_its_redirect_and_state() {
        use AuthorizeRefusal as R;
        for (changes, expected) in [
            (&[("response_type", "")][..], R::MissingResponseType),
            (&[("response_type", "token")], R::UnsupportedResponseType),
            (&[("response_mode", "fragment")], R::UnsupportedResponseMode),
            (&[("code_challenge", "")], R::MissingCodeChallenge),
            (&[("code_challenge", "short")], R::MalformedCodeChallenge),
            (&[("code_challenge_method", "")], R::UnsupportedChallengeMethod),
            (&[("code_challenge_method", "plain")], R::UnsupportedChallengeMethod),
            (&[("resource", "https://other/mcp")], R::UnknownResource),
            (&[("request", "eyJ")], R::RequestObject),
            (&[("request_uri", "https://canary")], R::RequestUri),
            (&[("prompt", "none")], R::InteractionRequired),
        ] {
            match ask(changes) {
                Err(Rejected::Redirect { to, state, refusal }) => {
                    assert_eq!(refusal, expected, "{changes:?}");
                    assert_eq!(to.as_str(), "https://e.com/cb");
                    assert_eq!(state.as_deref(), Some("a%2b c"));
                }
                other => panic!("{changes:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_redirect_is_left_out_only_when_there_is_nothing_to_choose() {
        for (registered, expected) in [
            (&["https://e.com/cb"][..], Ok("https://e.com/cb")),
            (&["https://e.com/cb", "https://e.com/b"], Err(AuthorizeRefusal::MissingRedirectUri)),
            // Identical software shares a registration, and each copy has a port of its own.
            (&["http://127.0.0.1:5000/cb"], Err(AuthorizeRefusal::MissingRedirectUri)),
        ] {
            let parameters = AuthorizeParameters::from_pairs(Vec::new()).unwrap();
            let redirect = check_redirect(&parameters, &client(registered));
            assert_eq!(redirect.as_ref().map(TrustedRedirect::as_str), expected.as_ref().copied());
        }
    }

    #[test]
    fn mistakes_of_the_redirect_stay_on_a_page() {
        use AuthorizeRefusal as R;
        for (changes, expected) in [
            (&[("redirect_uri", "")][..], R::MissingRedirectUri),
            (&[("redirect_uri", "https://evil.com/cb")], R::UnregisteredRedirectUri),
            (&[("redirect_uri", "https://e.com/cb"), ("redirect_uri", "x")], R::RepeatedParameter),
            (&[("resource", "a"), ("resource", "a")], R::RepeatedParameter),
            // Even with another mistake the redirect is judged first.
            (&[("redirect_uri", "x:y"), ("response_type", "")], R::UnregisteredRedirectUri),
        ] {
            match ask(changes) {
                Err(Rejected::Page(refusal)) => assert_eq!(refusal, expected, "{changes:?}"),
                other => panic!("{changes:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn unknown_parameters_are_ignored_even_when_repeated() {
        let accepted = ask(&[("audience", "x"), ("audience", "y"), ("nonce", "z")]).unwrap();
        assert_eq!(accepted.state.as_deref(), Some("a%2b c"));
        assert_eq!(accepted.consent, ConsentNeed::UnlessRemembered);
        assert_eq!(ask(&[("prompt", "login consent")]).unwrap().consent, ConsentNeed::Always);
    }

    #[test]
    fn the_redirect_may_be_left_out_when_only_one_is_registered() {
        let pairs = [
            ("response_type", "code"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let pairs = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
        let parameters = AuthorizeParameters::from_pairs(pairs).unwrap();
        let resource = Resource::of_public_url("https://docs.example.com");
        let accepted = check(&parameters, &client(&["https://e.com/cb"]), &resource, READ).unwrap();
        assert_eq!(accepted.redirect.as_str(), "https://e.com/cb");
    }
}
