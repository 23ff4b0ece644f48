//! A public client: it registers itself, and asks for tokens alone or many times at once.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use url::Url;

use crate::discovery::{Server, Target};
use crate::error::ProbeError;
use crate::http::{self, Http, Reply};
use crate::secret::Secret;

/// The longest error code that is repeated to whoever reads the report.
const ERROR_CODE_CHARS_MAX: usize = 40;

/// A registered client.
#[derive(Clone, Debug)]
pub struct PublicClient {
    http: Http,
    server: Server,
    resource: Option<String>,
    scope: Option<String>,
    client_id: String,
    redirect_uri: String,
}

/// What a registration asks for.
#[derive(Clone, Copy, Debug)]
pub struct Introduction<'a> {
    /// The name that the consent page shows.
    pub client_name: &'a str,
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// The scope of every sign-in.
    pub scope: Option<&'a str>,
}

/// A code and what proves that it is ours.
#[derive(Clone, Debug)]
pub struct Code {
    /// From the redirect.
    pub code: Secret,
    /// Its verifier (RFC 7636 §4.1).
    pub verifier: Secret,
}

/// What a successful token request brought.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For the resource.
    pub access_token: Secret,
    /// May be absent: with a refresh that keeps the old one, or without a reason.
    pub refresh_token: Option<Secret>,
}

/// An answer of the token endpoint.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Tokens.
    Granted(Tokens),
    /// A no, with status and error code.
    Refused(String),
    /// Neither yes nor no: a fault, too many requests, silence.
    Unclear(String),
}

/// The fields of a token request.
#[derive(Clone)]
pub struct Form(Vec<(&'static str, String)>);

impl PublicClient {
    /// Registers (RFC 7591 §3.1).
    pub async fn register(
        http: Http,
        target: &Target,
        introduction: Introduction<'_>,
    ) -> Result<Self, ProbeError> {
        let address = &target.server.registration_endpoint;
        let request = http.request(Method::POST, address).json(&metadata(introduction));
        let reply = http::read(request).await;
        let reply = reply.map_err(|silence| ProbeError::Unreachable(address.clone(), silence))?;
        if !matches!(reply.status, 200 | 201) {
            return Err(ProbeError::Status(address.clone(), status_and_code(&reply)));
        }
        let registered = reply.json().ok_or_else(|| ProbeError::NotJson(address.clone()))?;
        // A server may change what was asked for (RFC 7591 §3.2.1).
        let method = text(&registered, "token_endpoint_auth_method");
        if method.is_some_and(|method| method != "none") {
            return Err(ProbeError::NotPublic);
        }
        let client_id = text(&registered, "client_id");
        let client_id = client_id.ok_or_else(|| ProbeError::NotJson(address.clone()))?.to_owned();
        Ok(Self {
            http,
            server: target.server.clone(),
            resource: target.resource.as_ref().map(|resource| resource.identifier.clone()),
            scope: introduction.scope.map(str::to_owned),
            client_id,
            redirect_uri: introduction.redirect_uri.to_owned(),
        })
    }

    /// The server it is registered at.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Where a sign-in begins.
    pub fn authorize_url(&self, state: &Secret, verifier: &Secret) -> Url {
        let mut url = self.server.authorization_endpoint.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &verifier.challenge())
            .append_pair("code_challenge_method", "S256");
        if let Some(resource) = &self.resource {
            query.append_pair("resource", resource);
        }
        if let Some(scope) = &self.scope {
            query.append_pair("scope", scope);
            // Without a prompt the request for offline access is ignored (OpenID Connect Core §11).
            if scope.split(' ').any(|word| word == "offline_access") {
                query.append_pair("prompt", "consent");
            }
        }
        drop(query);
        url
    }

    /// The exchange of a code (RFC 6749 §4.1.3).
    pub fn exchange(&self, code: &Code) -> Form {
        self.form(vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.code.expose().to_owned()),
            ("code_verifier", code.verifier.expose().to_owned()),
            ("redirect_uri", self.redirect_uri.clone()),
        ])
    }

    /// A refresh (RFC 6749 §6).
    pub fn refresh(&self, refresh_token: &Secret) -> Form {
        self.form(vec![
            ("grant_type", "refresh_token".to_owned()),
            ("refresh_token", refresh_token.expose().to_owned()),
        ])
    }

    fn form(&self, mut fields: Vec<(&'static str, String)>) -> Form {
        fields.push(("client_id", self.client_id.clone()));
        fields.extend(self.resource.clone().map(|resource| ("resource", resource)));
        Form(fields)
    }

    /// Asks for tokens.
    pub async fn ask(&self, form: &Form) -> Answer {
        answer(self.token_request(&self.http, form)).await
    }

    /// Asks for the same tokens `callers` times at once. Everybody's connection is opened first,
    /// so that handshakes do not put the calls in a row.
    pub async fn ask_at_once(
        &self,
        form: &Form,
        callers: usize,
    ) -> Result<Vec<Answer>, ProbeError> {
        let ready = Arc::new(Barrier::new(callers));
        let own = (0..callers).map(|_| self.http.another()).collect::<Result<Vec<_>, _>>()?;
        let calls: Vec<_> = own
            .into_iter()
            .map(|http| {
                let opening = http.request(Method::GET, &self.server.token_endpoint);
                let request = self.token_request(&http, form);
                let ready = Arc::clone(&ready);
                tokio::spawn(async move {
                    // Whatever comes of it: the connection is what is wanted.
                    let _ = http::read(opening).await;
                    ready.wait().await;
                    answer(request).await
                })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.expect("a call does not panic"));
        }
        Ok(answers)
    }

    fn token_request(&self, http: &Http, form: &Form) -> RequestBuilder {
        http.request(Method::POST, &self.server.token_endpoint)
            .header("accept", "application/json")
            .form(&form.0)
    }
}

fn metadata(introduction: Introduction<'_>) -> Value {
    let mut metadata = json!({
        "client_name": introduction.client_name,
        "redirect_uris": [introduction.redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
    });
    if let Some(scope) = introduction.scope {
        metadata["scope"] = scope.into();
    }
    metadata
}

async fn answer(request: RequestBuilder) -> Answer {
    match http::read(request).await {
        Ok(reply) => answer_of(&reply),
        Err(silence) => Answer::Unclear(silence.to_string()),
    }
}

fn answer_of(reply: &Reply) -> Answer {
    let json = reply.json().unwrap_or_default();
    let secret = |name| text(&json, name).map(|text| Secret::new(text.to_owned()));
    match (reply.status, secret("access_token")) {
        (200, Some(access_token)) => {
            Answer::Granted(Tokens { access_token, refresh_token: secret("refresh_token") })
        }
        // Some servers write errors with the status of success.
        (200, None) if text(&json, "error").is_none() => {
            Answer::Unclear("200 without a token".to_owned())
        }
        (429 | 500.., _) => Answer::Unclear(status_and_code(reply)),
        _ => Answer::Refused(status_and_code(reply)),
    }
}

fn status_and_code(reply: &Reply) -> String {
    let json = reply.json().unwrap_or_default();
    match text(&json, "error") {
        Some(code) => format!("{} {}", reply.status, error_code(code)),
        None => reply.status.to_string(),
    }
}

/// An error code as it may be shown: what a server writes must not reach a terminal as it is.
pub fn error_code(code: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let is_code = (1..=ERROR_CODE_CHARS_MAX).contains(&code.len()) && code.chars().all(is_plain);
    if is_code { code } else { "(not an error code)" }
}

fn text<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Value::as_str)
}
