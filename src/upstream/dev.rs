//! The built-in identity provider of a first run: a real OpenID Connect provider that lets
//! everyone in as whoever they say they are.
//!
//! It stands behind the same discovery, code flow, PKCE and ID token as a real one, so the first
//! run exercises the production code. The configuration refuses it unless the public address is
//! loopback.
//!
//! Never here: routes and pages (see `http/dev_provider.rs`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;

use crate::clock::{Clock, Timestamp};
use crate::domain::email_domain;
use crate::domain::pkce::CodeChallenge;
use crate::keys::{KeyError, SigningAlgorithm, SigningKey};
use crate::secret::{Entropy, Kind, Secret, SecretHash, base64url, sha256};

/// Where it lives below the public address.
pub const PATH: &str = "/dev-provider";

/// Our client identifier there.
pub const CLIENT_ID: &str = "gatehouse-dev";

const CODE_TTL: Duration = Duration::from_mins(1);
const ID_TOKEN_TTL: Duration = Duration::from_mins(10);
const CODES_MAX: usize = 1000;
const FIELD_CHARS_MAX: usize = 200;

/// What its authorize endpoint was asked.
#[derive(Clone, Debug, Default)]
pub struct DevRequest {
    /// Returned to us.
    pub state: String,
    /// Returned in the ID token.
    pub nonce: String,
    /// What the verifier must fit.
    pub code_challenge: String,
    /// Must be our callback.
    pub redirect_uri: String,
    /// Must be [`CLIENT_ID`].
    pub client_id: String,
}

/// What a person typed.
#[derive(Clone, Default)]
pub struct DevLogin {
    /// Any address.
    pub email: String,
    /// Any name, or none.
    pub name: String,
    /// Any organization, or none.
    pub organization: String,
}

/// Where browsers come back to us.
#[derive(Clone, Debug)]
pub struct Returns {
    /// From a sign-in.
    pub callback: String,
    /// From a logout.
    pub logged_out: String,
}

struct Pending {
    request: DevRequest,
    login: DevLogin,
    expires_at: Timestamp,
}

#[derive(Serialize)]
struct IdToken<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    iat: i64,
    nonce: &'a str,
    email: &'a str,
    email_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_name: Option<&'a str>,
}

/// The provider.
pub struct DevProvider {
    issuer: String,
    returns: Returns,
    key: SigningKey,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    pending: Mutex<HashMap<SecretHash, Pending>>,
}

impl DevProvider {
    /// A provider below `public_url` with a key of its own, which lives as long as the process.
    pub fn new(
        public_url: &str,
        returns: Returns,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        Ok(Self {
            issuer: format!("{public_url}{PATH}"),
            returns,
            key: SigningKey::generate(SigningAlgorithm::Rs256)?,
            clock,
            entropy,
            pending: Mutex::new(HashMap::new()),
        })
    }

    /// Its discovery document.
    pub fn discovery(&self) -> serde_json::Value {
        let issuer = &self.issuer;
        serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks.json"),
            "end_session_endpoint": format!("{issuer}/logout"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        })
    }

    /// Its public keys.
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": [self.key.public_jwk()] })
    }

    /// Whether a request is ours; it serves nobody else.
    pub fn accepts(&self, request: &DevRequest) -> bool {
        request.client_id == CLIENT_ID
            && request.redirect_uri == self.returns.callback
            && !request.state.is_empty()
            && CodeChallenge::parse(&request.code_challenge).is_some()
    }

    /// Lets the person in; the address the browser goes back to. `None` when what they typed is no
    /// e-mail address.
    pub fn log_in(&self, request: DevRequest, login: DevLogin) -> Option<String> {
        let fields = [&login.email, &login.name, &login.organization];
        let bounded = fields.iter().all(|field| field.chars().count() <= FIELD_CHARS_MAX);
        if !bounded || email_domain::of_address(&login.email).is_none() {
            return None;
        }
        let now = self.clock.now();
        let code = Secret::generate(&*self.entropy, Kind::AuthorizationCode);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", code.expose()).append_pair("state", &request.state);
        let address = format!("{}?{}", self.returns.callback, query.finish());
        let mut pending = self.pending.lock().expect("no holder of the codes panics");
        pending.retain(|_, entry| now < entry.expires_at);
        if pending.len() < CODES_MAX {
            let expires_at = now.plus(CODE_TTL);
            pending.insert(code.hash(), Pending { request, login, expires_at });
        }
        Some(address)
    }

    /// Where a browser goes that wants to be signed out: back, since it was never signed in here.
    /// `None` when it is not ours.
    pub fn log_out(&self, client_id: &str, back_to: &str, state: &str) -> Option<String> {
        let is_ours = client_id == CLIENT_ID && back_to == self.returns.logged_out;
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs((!state.is_empty()).then_some(("state", state)));
        let address = format!("{}?{}", self.returns.logged_out, query.finish());
        is_ours.then(|| address.trim_end_matches('?').to_owned())
    }

    /// Redeems a code, once; the ID token, or `None` for `invalid_grant`.
    pub fn redeem(&self, presented_code: &Secret, code_verifier: &Secret) -> Option<String> {
        let now = self.clock.now();
        let mut pending = self.pending.lock().expect("no holder of the codes panics");
        let Pending { request, login, expires_at } = pending.remove(&presented_code.hash())?;
        drop(pending);
        let challenge = CodeChallenge::parse(&request.code_challenge)?;
        if now >= expires_at || !challenge.is_met_by(code_verifier.expose()) {
            return None;
        }
        let organization = Some(login.organization.trim()).filter(|name| !name.is_empty());
        Some(self.key.sign_jwt(
            "JWT",
            &IdToken {
                iss: &self.issuer,
                sub: subject_of(&login.email),
                aud: CLIENT_ID,
                exp: now.plus(ID_TOKEN_TTL).seconds(),
                iat: now.seconds(),
                nonce: &request.nonce,
                email: login.email.trim(),
                email_verified: true,
                name: Some(login.name.trim()).filter(|name| !name.is_empty()),
                org_id: organization.map(|name| format!("org_{}", slug(name))),
                org_name: organization,
            },
        ))
    }
}

/// The same person for the same address, without the address in it.
fn subject_of(email: &str) -> String {
    let hash = sha256(email.trim().to_lowercase().as_bytes());
    format!("dev|{}", base64url(&hash[..15]))
}

fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SteppedClock;
    use crate::secret::SystemEntropy;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn provider() -> DevProvider {
        let clock = Arc::new(SteppedClock::starting_at(Timestamp::from_seconds(1000)));
        let returns = Returns {
            callback: "http://127.0.0.1/mcp/callback".to_owned(),
            logged_out: "http://127.0.0.1/logout".to_owned(),
        };
        DevProvider::new("http://127.0.0.1", returns, clock, Arc::new(SystemEntropy)).unwrap()
    }

    fn request() -> DevRequest {
        DevRequest {
            state: "s".into(),
            nonce: "n".into(),
            code_challenge: CodeChallenge::of_verifier(VERIFIER).as_str().into(),
            redirect_uri: "http://127.0.0.1/mcp/callback".into(),
            client_id: CLIENT_ID.into(),
        }
    }

    fn code_in(address: &str) -> Secret {
        let url = url::Url::parse(address).unwrap();
        let code = url.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned();
        Secret::presented(code)
    }

    #[test]
    fn a_code_is_redeemed_once_and_only_with_its_verifier() {
        let provider = provider();
        let login = DevLogin { email: "alice@example.com".into(), ..DevLogin::default() };
        let verifier = Secret::presented(VERIFIER.into());
        let code = code_in(&provider.log_in(request(), login.clone()).unwrap());
        assert!(provider.redeem(&code, &verifier).is_some());
        assert!(provider.redeem(&code, &verifier).is_none());
        let code = code_in(&provider.log_in(request(), login).unwrap());
        assert!(provider.redeem(&code, &Secret::presented("a".repeat(43))).is_none());
    }

    #[test]
    fn it_serves_only_our_own_callback() {
        let provider = provider();
        assert!(provider.accepts(&request()));
        let elsewhere = DevRequest { redirect_uri: "http://evil/".into(), ..request() };
        assert!(!provider.accepts(&elsewhere));
        let login = DevLogin { email: "nobody".into(), ..DevLogin::default() };
        assert_eq!(provider.log_in(request(), login), None);
        let out = provider.log_out(CLIENT_ID, "http://127.0.0.1/logout", "s");
        assert_eq!(out.as_deref(), Some("http://127.0.0.1/logout?state=s"));
        assert_eq!(provider.log_out(CLIENT_ID, "http://evil/", ""), None);
        assert_eq!(provider.log_out("x", "http://127.0.0.1/logout", ""), None);
    }
}
