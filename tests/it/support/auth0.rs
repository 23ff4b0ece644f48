//! The identity provider's double: discovery, keys and token endpoint by wiremock; people log in
//! by word of the story.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use gatehouse::domain::pkce::CodeChallenge;
use gatehouse::keys::{SigningAlgorithm, SigningKey};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::answer::query;

const CLIENT_ID: &str = "gatehouse-at-auth0";
const KEYS_PATH: &str = "/.well-known/jwks.json";

/// Who logs in.
#[derive(Clone, Debug)]
pub struct Person {
    pub claims: Value,
}

impl Person {
    /// A person known by one word.
    pub fn named(name: &str) -> Self {
        Self {
            claims: json!({
                "sub": format!("auth0|{name}"),
                "email": format!("{name}@example.com"),
                "email_verified": true,
                "name": name,
                "org_id": "org_1",
                "org_name": "example-inc",
            }),
        }
    }

    pub fn with(mut self, claim: &str, value: Value) -> Self {
        self.claims[claim] = value;
        self
    }
}

struct Pending {
    code_challenge: String,
    id_token: String,
}

#[derive(Default)]
struct Codes(Mutex<HashMap<String, Pending>>);

pub struct Auth0 {
    /// Seconds since the epoch that ID tokens are issued at.
    now: AtomicI64,
    server: MockServer,
    key: Arc<SigningKey>,
    codes: Arc<Codes>,
}

/// One RSA key for the whole suite: making one takes its time.
fn key() -> Arc<SigningKey> {
    static KEY: std::sync::OnceLock<Arc<SigningKey>> = std::sync::OnceLock::new();
    Arc::clone(KEY.get_or_init(|| {
        Arc::new(SigningKey::generate(SigningAlgorithm::Rs256).expect("a key can be made"))
    }))
}

/// An authorize endpoint at which somebody is logged in already: it sends the browser straight
/// back, as a provider with a session does.
struct Session {
    issuer: String,
    now: i64,
    key: Arc<SigningKey>,
    codes: Arc<Codes>,
    person: Person,
}

impl Respond for Session {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let location = request.url.as_str();
        let claims = claims_of(&self.person, &self.issuer, self.now, location);
        let back = self.codes.let_in(location, self.key.sign_jwt("JWT", &claims));
        ResponseTemplate::new(302).insert_header("location", back)
    }
}

struct TokenEndpoint(Arc<Codes>);

impl Respond for TokenEndpoint {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let form: HashMap<String, String> =
            url::form_urlencoded::parse(&request.body).into_owned().collect();
        let pending = self.0.0.lock().unwrap().remove(form.get("code").map_or("", String::as_str));
        let verifier = form.get("code_verifier").cloned().unwrap_or_default();
        match pending {
            Some(pending)
                if CodeChallenge::of_verifier(&verifier).as_str() == pending.code_challenge =>
            {
                ResponseTemplate::new(200).set_body_json(json!({
                    "access_token": "upstream-access-token", "token_type": "Bearer",
                    "expires_in": 86400, "id_token": pending.id_token,
                }))
            }
            _ => ResponseTemplate::new(403).set_body_json(json!({
                "error": "invalid_grant", "error_description": "<script>alert(1)</script>",
            })),
        }
    }
}

impl Auth0 {
    pub async fn start() -> Self {
        let auth0 = Self {
            now: AtomicI64::new(super::world_seconds()),
            server: MockServer::start().await,
            key: key(),
            codes: Arc::default(),
        };
        auth0.behave().await;
        auth0
    }

    /// Mounts the endpoints of a provider that works.
    pub async fn behave(&self) {
        self.server.reset().await;
        let issuer = self.issuer();
        self.mount_discovery(json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}authorize"),
            "token_endpoint": format!("{issuer}oauth/token"),
            "jwks_uri": format!("{}{KEYS_PATH}", issuer.trim_end_matches('/')),
            "end_session_endpoint": format!("{issuer}oidc/logout"),
        }))
        .await;
        let keys = json!({"keys": [self.key.public_jwk()]});
        Mock::given(method("GET"))
            .and(path(KEYS_PATH))
            .respond_with(ResponseTemplate::new(200).set_body_json(keys))
            .mount(&self.server)
            .await;
        Mock::given(method("POST"))
            .and(path("/oauth/token"))
            .respond_with(TokenEndpoint(Arc::clone(&self.codes)))
            .mount(&self.server)
            .await;
    }

    pub async fn mount_discovery(&self, document: Value) {
        Mock::given(method("GET"))
            .and(path("/.well-known/openid-configuration"))
            .respond_with(ResponseTemplate::new(200).set_body_json(document))
            .mount(&self.server)
            .await;
    }

    /// From now on `person` is logged in here, in whatever browser comes.
    pub async fn welcome(&self, person: &Person) {
        let session = Session {
            issuer: self.issuer(),
            now: self.now.load(Ordering::Relaxed),
            key: Arc::clone(&self.key),
            codes: Arc::clone(&self.codes),
            person: person.clone(),
        };
        Mock::given(method("GET"))
            .and(path("/authorize"))
            .respond_with(session)
            .mount(&self.server)
            .await;
    }

    /// From now on its keys alone cannot be had.
    pub async fn hide_keys(&self) {
        Mock::given(path(KEYS_PATH))
            .respond_with(ResponseTemplate::new(503))
            .with_priority(1)
            .mount(&self.server)
            .await;
    }

    /// From now on one place of it answers like this.
    pub async fn answer_at(&self, at: &str, answer: ResponseTemplate) {
        Mock::given(path(at)).respond_with(answer).with_priority(1).mount(&self.server).await;
    }

    /// How often it was asked there.
    pub async fn asked_at(&self, at: &str) -> usize {
        self.requests().await.iter().filter(|request| request.url.path() == at).count()
    }

    /// From now on this is its one key.
    pub async fn publish(&self, key: &SigningKey) {
        let keys = json!({"keys": [key.public_jwk()]});
        Mock::given(path(KEYS_PATH))
            .respond_with(ResponseTemplate::new(200).set_body_json(keys))
            .with_priority(1)
            .mount(&self.server)
            .await;
    }

    /// From now on every endpoint answers with this status.
    pub async fn fail_with(&self, status: u16) {
        self.server.reset().await;
        Mock::given(wiremock::matchers::any())
            .respond_with(ResponseTemplate::new(status))
            .mount(&self.server)
            .await;
    }

    /// From now on it lives by the machine's clock, as a real process does.
    pub fn in_real_time(&self) {
        let now = gatehouse::clock::Clock::now(&gatehouse::clock::SystemClock);
        self.now.store(now.seconds(), Ordering::Relaxed);
    }

    /// Its clock steps with the world's.
    pub fn advance(&self, duration: std::time::Duration) {
        let seconds = i64::try_from(duration.as_secs()).expect("stories are short");
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Unmounts everything.
    pub async fn forget(&self) {
        self.server.reset().await;
    }

    pub fn issuer(&self) -> String {
        format!("{}/", self.server.uri())
    }

    #[expect(clippy::unused_self, reason = "it is this provider's word for us")]
    pub fn client_id(&self) -> &'static str {
        CLIENT_ID
    }

    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The requests that reached the provider.
    pub async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.expect("wiremock records requests")
    }

    pub async fn token_requests(&self) -> usize {
        let all = self.requests().await;
        all.iter().filter(|request| request.url.path() == "/oauth/token").count()
    }

    pub async fn key_requests(&self) -> usize {
        let all = self.requests().await;
        all.iter().filter(|request| request.url.path() == KEYS_PATH).count()
    }

    /// Lets `person` in on the way that `location` describes; the address the browser returns to.
    pub fn log_in(&self, location: &str, person: &Person) -> String {
        let claims = self.id_token_claims(location, person);
        self.log_in_with(location, self.key.sign_jwt("JWT", &claims))
    }

    /// The claims of a true ID token for this login; a story may bend them.
    pub fn id_token_claims(&self, location: &str, person: &Person) -> Value {
        claims_of(person, &self.issuer(), self.now.load(Ordering::Relaxed), location)
    }

    /// Lets somebody in with an ID token of the story's making.
    pub fn log_in_with(&self, location: &str, id_token: String) -> String {
        assert!(location.starts_with(&self.issuer()), "{location} is not at the provider");
        self.codes.let_in(location, id_token)
    }

    /// Signs the browser out that came to `location`; the address it returns to.
    pub fn log_out(&self, location: &str) -> String {
        assert!(location.starts_with(&format!("{}oidc/logout?", self.issuer())), "{location}");
        assert_eq!(query(location, "client_id").as_deref(), Some(self.client_id()));
        let back_to = query(location, "post_logout_redirect_uri").expect("a way back");
        let mut url = reqwest::Url::parse(&back_to).expect("it is a URL");
        let state = query(location, "state");
        url.query_pairs_mut().extend_pairs(state.as_ref().map(|state| ("state", state)));
        url.as_str().trim_end_matches('?').to_owned()
    }

    /// The callback of the login at `location` with parameters of the story's making.
    #[expect(clippy::unused_self, reason = "the provider sends the browser back")]
    pub fn callback(&self, location: &str, parameters: &[(&str, &str)]) -> String {
        callback_of(location, parameters)
    }
}

impl Codes {
    /// A code for the login at `location`; where the browser takes it.
    fn let_in(&self, location: &str, id_token: String) -> String {
        let parameter = |name: &str| query(location, name).unwrap_or_default();
        assert_eq!(parameter("client_id"), CLIENT_ID);
        assert_eq!(parameter("response_type"), "code");
        assert_eq!(parameter("code_challenge_method"), "S256");
        let code = format!("upstream-code-{}", &parameter("state")[..12]);
        let pending = Pending { code_challenge: parameter("code_challenge"), id_token };
        self.0.lock().unwrap().insert(code.clone(), pending);
        let state = parameter("state");
        callback_of(location, &[("code", &code), ("state", &state)])
    }
}

fn claims_of(person: &Person, issuer: &str, now: i64, location: &str) -> Value {
    let mut claims = json!({
        "iss": issuer,
        "aud": CLIENT_ID,
        "exp": now + 36_000,
        "iat": now,
        "nonce": query(location, "nonce").expect("a nonce is sent"),
    });
    for (claim, value) in person.claims.as_object().expect("claims are an object") {
        claims[claim] = value.clone();
    }
    claims
}

fn callback_of(location: &str, parameters: &[(&str, &str)]) -> String {
    let redirect_uri = query(location, "redirect_uri").expect("a redirect URI is sent");
    let mut url = reqwest::Url::parse(&redirect_uri).expect("it is a URL");
    url.query_pairs_mut().extend_pairs(parameters);
    url.into()
}
