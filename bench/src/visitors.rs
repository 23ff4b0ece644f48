//! What clients and people do at a server, as visitors do it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{LOCATION, SET_COOKIE};
use hyper::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;
use uuid::Uuid;

use crate::load::{Answer, Step, Visitor, get, request};
use crate::provider::Provider;

/// The code verifier of every sign-in here, and its S256 challenge (RFC 7636 appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A code that waits to be exchanged.
pub struct Code {
    /// Whose it is.
    pub client_id: String,
    /// The code.
    pub code: String,
}

/// Codes that one scenario makes and another exchanges.
pub type Codes = Arc<Mutex<Vec<Code>>>;

fn form(pairs: &[(&str, &str)]) -> Bytes {
    Serializer::new(String::new()).extend_pairs(pairs).finish().into()
}

/// The answer as JSON, when it has this status.
fn json_of(answer: &Answer, status: StatusCode) -> Result<Value, String> {
    if answer.status == status {
        serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
    } else {
        Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)))
    }
}

fn text(value: &Value, name: &str) -> Result<String, String> {
    value[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in {value}"))
}

/// Asks for the same thing again and again, and expects one status.
pub struct Asking {
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    status: StatusCode,
    /// What must stand in the body of a right answer.
    holds: &'static str,
}

impl Asking {
    /// A GET.
    pub const fn page(path: &'static str, holds: &'static str) -> Self {
        Self { path, headers: Vec::new(), body: None, status: StatusCode::OK, holds }
    }

    /// A call of `/mcp` in the stateless revision 2025-11-25.
    pub fn call(token: Option<&str>, method: &str, params: Value, holds: &'static str) -> Self {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let mut headers = vec![
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-protocol-version", "2025-11-25".to_owned()),
            (JSON.0, JSON.1.to_owned()),
        ];
        headers.extend(token.map(|token| ("authorization", format!("Bearer {token}"))));
        let body = Some(body.to_string().into());
        Self { path: "/mcp", headers, body, status: StatusCode::OK, holds }
    }

    /// The same in revision 2026-07-28.
    pub fn modern(mut self) -> Self {
        let mut body: Value = self
            .body
            .as_deref()
            .and_then(|body| serde_json::from_slice(body).ok())
            .unwrap_or_default();
        body["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        self.headers.retain(|(name, _)| *name != "mcp-protocol-version");
        let method = body["method"].as_str().unwrap_or_default().to_owned();
        self.headers.push(("mcp-protocol-version", "2026-07-28".to_owned()));
        self.headers.push(("mcp-method", method));
        self.body = Some(body.to_string().into());
        self
    }

    /// The same, expecting to be refused.
    pub const fn refused(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl Visitor for Asking {
    fn ask(&mut self) -> Option<Request<Full<Bytes>>> {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        Some(match &self.body {
            None => get(self.path, &headers),
            Some(body) => request("POST", self.path, &headers, body.clone()),
        })
    }

    fn hear(&mut self, answer: Answer) -> Result<Step, String> {
        let body = String::from_utf8_lossy(&answer.body);
        if answer.status == self.status && body.contains(self.holds) {
            Ok(Step::Done)
        } else {
            Err(format!("{}: {body}", answer.status))
        }
    }
}

/// Registers as software that nobody has seen.
#[derive(Default)]
pub struct Registering;

impl Registering {
    /// A visitor.
    pub const fn new() -> Self {
        Self
    }

    /// The request of a client with this name.
    fn request(name: &str) -> Request<Full<Bytes>> {
        let metadata = json!({
            "client_name": name, "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        request("POST", "/oauth/register", &[JSON], metadata.to_string().into())
    }
}

impl Visitor for Registering {
    fn ask(&mut self) -> Option<Request<Full<Bytes>>> {
        Some(Self::request(&format!("bench {}", Uuid::now_v7())))
    }

    fn hear(&mut self, answer: Answer) -> Result<Step, String> {
        json_of(&answer, StatusCode::CREATED).map(|_| Step::Done)
    }
}

/// A person with a browser: registers a program, agrees, signs in at the provider, and brings the
/// code back. The way through the provider's own page is not measured.
pub struct SigningIn {
    provider: Provider,
    codes: Codes,
    name: String,
    client_id: Option<String>,
    cookies: BTreeMap<String, String>,
    next: Option<Next>,
}

enum Next {
    Decide { action: String, fields: Vec<(String, String)> },
    Return(String),
}

impl SigningIn {
    /// `number` is that of the visitor.
    pub fn new(provider: &Provider, codes: &Codes, number: usize) -> Self {
        Self {
            provider: provider.clone(),
            codes: Arc::clone(codes),
            name: format!("editor {number}"),
            client_id: None,
            cookies: BTreeMap::new(),
            next: None,
        }
    }

    fn authorize(client_id: &str) -> String {
        let query = form(&[
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("state", "state"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        format!("/oauth/authorize?{}", String::from_utf8_lossy(&query))
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|it| it.to_str().ok()) {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let Some((name, value)) = pair else { continue };
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// Path and query of an absolute address.
fn path_of(url: &str) -> Result<String, String> {
    let url = Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{}{query}", url.path()))
}

fn location(answer: &Answer) -> Result<String, String> {
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    location.map(str::to_owned).ok_or_else(|| {
        format!("{} leads nowhere: {}", answer.status, String::from_utf8_lossy(&answer.body))
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    Some(value.replace("&amp;", "&"))
}

/// The first form of a page: where it goes, and its fields.
fn form_of(page: &str) -> Option<(String, Vec<(String, String)>)> {
    let form = page.split("<form").nth(1)?.split("</form>").next()?;
    let fields = form.split("<input").skip(1).filter_map(|input| {
        let tag = input.split('>').next()?;
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    Some((attribute(form.split('>').next()?, "action")?, fields.collect()))
}

impl Visitor for SigningIn {
    fn ask(&mut self) -> Option<Request<Full<Bytes>>> {
        let Some(client_id) = &self.client_id else {
            return Some(Registering::request(&self.name));
        };
        let line: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let line = line.join("; ");
        let cookies: &[(&str, &str)] =
            if line.is_empty() { &[] } else { &[("cookie", line.as_str())] };
        Some(match &self.next {
            None => get(&Self::authorize(client_id), cookies),
            Some(Next::Return(path)) => get(path, cookies),
            Some(Next::Decide { action, fields }) => {
                let mut pairs: Vec<_> =
                    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                pairs.push(("decision", "approve"));
                let headers = [FORM, ("sec-fetch-site", "same-origin")];
                request("POST", action, &[&headers[..], cookies].concat(), form(&pairs))
            }
        })
    }

    fn hear(&mut self, answer: Answer) -> Result<Step, String> {
        let Some(client_id) = self.client_id.clone() else {
            let registered = json_of(&answer, StatusCode::CREATED)?;
            self.client_id = Some(text(&registered, "client_id")?);
            return Ok(Step::More);
        };
        self.keep_cookies(&answer.headers);
        match self.next.take() {
            None => {
                let page = String::from_utf8_lossy(&answer.body);
                let (action, fields) =
                    form_of(&page).ok_or_else(|| format!("{}: no form: {page}", answer.status))?;
                self.next = Some(Next::Decide { action, fields });
                Ok(Step::More)
            }
            Some(Next::Decide { .. }) => {
                let provider = location(&answer)?;
                let back = self.provider.let_in(&provider);
                let back = back.map_err(|error| format!("at the provider: {error}"))?;
                self.next = Some(Next::Return(path_of(&back)?));
                Ok(Step::More)
            }
            Some(Next::Return(_)) => {
                // Somebody else next time.
                self.cookies.clear();
                let end = location(&answer)?;
                let end = Url::parse(&end).map_err(|error| error.to_string())?;
                let code = end.query_pairs().find(|(name, _)| name == "code");
                let (_, code) = code.ok_or_else(|| format!("no code at {end}"))?;
                let code = Code { client_id, code: code.into_owned() };
                self.codes.lock().map_err(|error| error.to_string())?.push(code);
                Ok(Step::Done)
            }
        }
    }
}

/// A program that has been signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Its identifier.
    pub client_id: String,
    /// The live access token.
    pub access_token: String,
    /// The live refresh token.
    pub refresh_token: String,
}

impl SignedIn {
    fn of(client_id: &str, answer: &Answer) -> Result<Self, String> {
        let tokens = json_of(answer, StatusCode::OK)?;
        Ok(Self {
            client_id: client_id.to_owned(),
            access_token: text(&tokens, "access_token")?,
            refresh_token: text(&tokens, "refresh_token")?,
        })
    }
}

/// Exchanges codes until none is left.
pub struct Exchanging {
    codes: Codes,
    client_id: String,
    signed_in: Arc<Mutex<Vec<SignedIn>>>,
}

impl Exchanging {
    /// Where tokens are kept that it gets.
    pub fn new(codes: &Codes, signed_in: &Arc<Mutex<Vec<SignedIn>>>) -> Self {
        let (codes, signed_in) = (Arc::clone(codes), Arc::clone(signed_in));
        Self { codes, client_id: String::new(), signed_in }
    }
}

impl Visitor for Exchanging {
    fn ask(&mut self) -> Option<Request<Full<Bytes>>> {
        let Code { client_id, code } = self.codes.lock().ok()?.pop()?;
        self.client_id = client_id;
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", REDIRECT_URI),
        ]);
        Some(request("POST", "/oauth/token", &[FORM], body))
    }

    fn hear(&mut self, answer: Answer) -> Result<Step, String> {
        let signed_in = SignedIn::of(&self.client_id, &answer)?;
        self.signed_in.lock().map_err(|error| error.to_string())?.push(signed_in);
        Ok(Step::Done)
    }
}

/// Renews the tokens of one program again and again, each time with the token it got last.
pub struct Refreshing {
    program: SignedIn,
    signed_in: Arc<Mutex<Vec<SignedIn>>>,
}

impl Refreshing {
    /// Takes one of these, and gives it back at the end.
    pub fn new(signed_in: &Arc<Mutex<Vec<SignedIn>>>) -> Result<Self, String> {
        let taken = signed_in.lock().map_err(|error| error.to_string())?.pop();
        let program = taken.ok_or("too few are signed in")?;
        Ok(Self { program, signed_in: Arc::clone(signed_in) })
    }
}

impl Drop for Refreshing {
    fn drop(&mut self) {
        if let Ok(mut signed_in) = self.signed_in.lock() {
            signed_in.push(self.program.clone());
        }
    }
}

impl Visitor for Refreshing {
    fn ask(&mut self) -> Option<Request<Full<Bytes>>> {
        let body = form(&[
            ("grant_type", "refresh_token"),
            ("client_id", &self.program.client_id),
            ("refresh_token", &self.program.refresh_token),
        ]);
        Some(request("POST", "/oauth/token", &[FORM], body))
    }

    fn hear(&mut self, answer: Answer) -> Result<Step, String> {
        self.program = SignedIn::of(&self.program.client_id, &answer)?;
        Ok(Step::Done)
    }
}
