//! An OAuth client that knows PKCE and keeps its tokens.

use serde_json::{Value, json};

use super::answer::query;
use super::browser::form;
use super::{Answer, Browser, Person, World};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[derive(Clone)]
pub struct OAuthClient {
    pub client_id: String,
    pub redirect_uri: String,
    pub url: String,
    pub http: reqwest::Client,
}

/// What a token request brought.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub scope: String,
    pub json: Value,
}

impl Tokens {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        assert_eq!(json["token_type"], "Bearer");
        assert!(json["expires_in"].is_i64() || json["expires_in"].is_u64());
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        Self {
            access_token: text("access_token").expect("an access token"),
            refresh_token: text("refresh_token"),
            scope: text("scope").expect("a scope"),
            json,
        }
    }

    #[track_caller]
    pub fn refresh_token(&self) -> &str {
        self.refresh_token.as_deref().expect("a refresh token")
    }

    /// The claims of the access token, unverified.
    pub fn claims(&self) -> Value {
        use base64::Engine as _;
        let payload = self.access_token.split('.').nth(1).expect("a JWT has three parts");
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
        serde_json::from_slice(&bytes).expect("claims are JSON")
    }
}

impl OAuthClient {
    pub async fn register(world: &World, name: &str, redirect_uris: &[&str]) -> Self {
        let client = Self {
            client_id: String::new(),
            redirect_uri: redirect_uris[0].replace("127.0.0.1/", "127.0.0.1:49152/"),
            url: world.local.clone(),
            http: world.http.clone(),
        };
        client.registered(&client.ask_to_register(name, redirect_uris).await)
    }

    /// Registers a name with the redirect URI in use.
    pub async fn register_again(&self, name: &str) -> Answer {
        self.ask_to_register(name, &[&self.redirect_uri]).await
    }

    async fn ask_to_register(&self, name: &str, redirect_uris: &[&str]) -> Answer {
        let metadata = json!({
            "client_name": name,
            "redirect_uris": redirect_uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        Answer::to(self.http.post(format!("{}/oauth/register", self.url)).json(&metadata)).await
    }

    /// The client that this registration made.
    #[track_caller]
    pub fn registered(&self, answer: &Answer) -> Self {
        assert_eq!(answer.status, 201, "{}", answer.body);
        let client_id = answer.json()["client_id"].as_str().expect("an id").to_owned();
        Self { client_id, ..self.clone() }
    }

    /// The same client, talking to another replica.
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The authorize request with parameters changed or added; an empty value leaves one out.
    pub fn authorize_url(&self, changes: &[(&str, &str)]) -> String {
        let mut pairs = vec![
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("response_type", "code"),
            ("state", "client-state"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
        pairs.extend(changes);
        let mut url = reqwest::Url::parse(&format!("{}/oauth/authorize", self.url)).unwrap();
        url.query_pairs_mut().extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        url.into()
    }

    /// Up to the provider: the consent page is shown and approved; where the browser is sent.
    pub async fn approve(&self, browser: &mut Browser, changes: &[(&str, &str)]) -> String {
        let page = browser.get(&self.authorize_url(changes)).await.expect(200);
        self.decide(browser, &page.body, "approve").await.location()
    }

    /// Submits the form of a consent page.
    pub async fn decide(&self, browser: &mut Browser, page: &str, decision: &str) -> Answer {
        let form = form(page);
        let mut fields: Vec<(&str, &str)> =
            form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("decision", decision));
        browser.post(&format!("{}{}", self.url, form.action), &fields).await
    }

    /// The whole way of a person through the browser; where it ends.
    pub async fn walk(
        &self,
        world: &World,
        browser: &mut Browser,
        person: &Person,
        changes: &[(&str, &str)],
    ) -> String {
        let provider = self.approve(browser, changes).await;
        let callback = world.auth0.log_in(&provider, person);
        browser.get(&callback).await.location()
    }

    /// The code of a whole sign-in.
    pub async fn code(&self, world: &World, name: &str, changes: &[(&str, &str)]) -> String {
        let mut browser = world.browser();
        let end = self.walk(world, &mut browser, &Person::named(name), changes).await;
        query(&end, "code").unwrap_or_else(|| panic!("no code in {end}"))
    }

    /// Signs a person in and exchanges the code.
    pub async fn signed_in(&self, world: &World, name: &str) -> Tokens {
        self.signed_in_with(world, name, &[]).await
    }

    pub async fn signed_in_with(
        &self,
        world: &World,
        name: &str,
        changes: &[(&str, &str)],
    ) -> Tokens {
        let code = self.code(world, name, changes).await;
        Tokens::of(&self.exchange(&code).await)
    }

    pub async fn exchange(&self, code: &str) -> Answer {
        self.exchange_with(code, &[]).await
    }

    pub async fn exchange_with(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", self.client_id.as_str()),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", self.redirect_uri.as_str()),
        ];
        self.token(&changed(&fields, changes)).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        self.refresh_with(refresh_token, &[]).await
    }

    pub async fn refresh_with(&self, refresh_token: &str, changes: &[(&str, &str)]) -> Answer {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id.as_str()),
            ("refresh_token", refresh_token),
        ];
        self.token(&changed(&fields, changes)).await
    }

    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.post("/oauth/token", fields).await
    }

    pub async fn revoke(&self, token: &str) -> Answer {
        self.post("/oauth/revoke", &[("token", token), ("client_id", &self.client_id)]).await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.http.post(format!("{}{path}", self.url)).form(fields);
        Answer::to(request).await
    }
}

fn changed<'a>(
    fields: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
    kept.chain(changes).filter(|(_, value)| !value.is_empty()).copied().collect()
}

pub async fn post_json(world: &World, path: &str, body: &Value) -> Answer {
    let request = world.http.post(world.at(path)).json(body);
    Answer::to(request).await
}
