//! Parts of a request that ask nobody.

use gatehouse::clock::Timestamp;
use gatehouse::docs::library::{Library, SearchQuery, Settings};
use gatehouse::docs::{asciidoc, markdown};
use gatehouse::domain::access_token::{Claims, NewToken, Profile, TYP, issue};
use gatehouse::domain::pkce::CodeChallenge;
use gatehouse::domain::redirect_uri::{RedirectUri, TrustedRedirect};
use gatehouse::domain::resource::Resource;
use gatehouse::domain::scope::ScopeSet;
use gatehouse::domain::token_request::TokenRequest;
use gatehouse::flow::wire_token;
use gatehouse::id::{GrantId, UserId};
use gatehouse::keys::{SigningAlgorithm, SigningKey};
use gatehouse::secret::{Secret, SeededEntropy};
use gatehouse_api::form::OAuthForm;
use gatehouse_api::token::TokenForm;
use poem::Request;
use poem_openapi::payload::ParsePayload as _;
use tokio::runtime::Runtime;

use crate::count::{Found, count, count_plain};
use crate::support::in_repository;
use crate::support::oauth_client::{CHALLENGE, VERIFIER};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://docs.example.com";
const REFRESH_TOKEN: &str = "ghr_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Each of them.
pub fn all() -> Vec<Found> {
    let mut found = vec![
        signing("signing an access token, RS256", SigningAlgorithm::Rs256),
        signing("signing an access token, ES256", SigningAlgorithm::Es256),
        token_request(),
        count(
            "hashing a token",
            || Secret::presented(REFRESH_TOKEN.to_owned()),
            |token| token.hash(),
            drop,
        ),
        pkce(),
    ];
    found.extend(redirects());
    found.extend(reading());
    found.push(search());
    found
}

fn claims() -> Claims {
    let profile = Profile {
        email: Some("alice@example.com".to_owned()),
        email_verified: Some(true),
        name: Some("Alice".to_owned()),
        org_id: None,
        org_name: None,
    };
    let entropy = SeededEntropy::new(1);
    issue(NewToken {
        issuer: ISSUER,
        resource: &Resource::of_public_url(ISSUER),
        user_id: UserId::generate(&entropy, NOW),
        client_id: "019a0000-0000-7000-8000-000000000000",
        grant_id: GrantId::generate(&entropy, NOW),
        scope: ScopeSet::known_in("openid email profile docs:read docs:feedback"),
        profile: &profile,
        jti: "019a0000-0000-7000-8000-000000000001".to_owned(),
        issued_at: NOW,
        expires_at: Timestamp::from_seconds(1_800_003_600),
    })
}

fn signing(name: &'static str, algorithm: SigningAlgorithm) -> Found {
    let key = SigningKey::generate(algorithm).expect("a key can be made");
    let claims = claims();
    count_plain(name, || key.sign_jwt(TYP, &claims))
}

fn token_request() -> Found {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let body = format!(
        "grant_type=refresh_token&client_id=editor&refresh_token={REFRESH_TOKEN}\
         &resource=https%3A%2F%2Fdocs.example.com%2Fmcp"
    );
    let posted = || Request::builder().body(body.clone());
    count(
        "reading a token request",
        posted,
        |request| TokenRequest::parse(wire_token::fields(form(&runtime, request))),
        |read| assert!(matches!(read, Ok(TokenRequest::RefreshToken(_))), "{read:?}"),
    )
}

fn form(runtime: &Runtime, request: Request) -> TokenForm {
    let (request, mut body) = request.split();
    let form = OAuthForm::<TokenForm>::from_request(&request, &mut body);
    runtime.block_on(form).expect("it is a form").0
}

fn pkce() -> Found {
    let challenge = CodeChallenge::parse(CHALLENGE).expect("it is well-formed");
    count("PKCE", || (), |()| challenge.is_met_by(VERIFIER), |is_met| assert!(is_met))
}

fn redirects() -> [Found; 2] {
    let registered = [
        "https://client.example.com/callback",
        "http://localhost/callback",
        "http://127.0.0.1/callback",
    ];
    let presented = "http://127.0.0.1:49152/callback";
    let parse = |text| RedirectUri::parse(text, &[]).expect("it may be registered");
    let registered = registered.map(parse);
    let matching = count(
        "matching a redirect URI on loopback",
        || (),
        |()| TrustedRedirect::match_registered(presented, &registered),
        |redirect| assert!(redirect.is_some()),
    );
    [
        count_plain("reading a redirect URI", || parse("https://client.example.com/callback")),
        matching,
    ]
}

fn reading() -> [Found; 2] {
    let (as_markdown, as_asciidoc) = (include_str!("page.md"), include_str!("page.adoc"));
    [
        count_plain("reading a page of Markdown", || markdown::read(as_markdown, "page.md")),
        count_plain("reading a page of AsciiDoc", || {
            asciidoc::read_alone(as_asciidoc, "page.adoc")
        }),
    ]
}

fn search() -> Found {
    let folders = vec![in_repository("tests/corpus")];
    let library = Library::open(Settings { folders, site_url: None });
    let library = library.expect("the corpus of the suite is readable");
    let query = SearchQuery { text: "how do I replace a lamp", limit: 5, max_chars: 8000 };
    count(
        "searching the corpus of the suite",
        || (),
        |()| library.search(&query),
        |hits| assert!(hits.is_ok_and(|hits| !hits.is_empty())),
    )
}
