//! An identity provider that lets everybody in: discovery, keys and a token endpoint over HTTP. Its
//! sign-in page is a function call, because no browser is measured.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use poem::listener::TcpAcceptor;
use poem::web::{Data, Form, Json};
use poem::{EndpointExt as _, Route, Server, get, handler, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

/// The client that Gatehouse is here.
pub const CLIENT_ID: &str = "bench";

const KEY_ID: &str = "bench-1";

/// The provider.
#[derive(Clone)]
pub struct Provider(Arc<State>);

struct State {
    issuer: String,
    key: EncodingKey,
    jwks: Value,
    /// The ID token that waits for each code.
    codes: Mutex<HashMap<String, String>>,
    people: AtomicU64,
}

impl Provider {
    /// Listens on loopback.
    pub async fn start() -> Result<Self, Box<dyn Error>> {
        let socket = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", socket.local_addr()?);
        let pair = KeyPair::generate(KeySize::Rsa2048)?;
        let public = pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let jwks = json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        }]});
        let der = pair.as_der()?;
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(der.as_ref())
        );
        let state = State {
            issuer: format!("{origin}/"),
            key: EncodingKey::from_rsa_pem(pem.as_bytes())?,
            jwks,
            codes: Mutex::default(),
            people: AtomicU64::default(),
        };
        let provider = Self(Arc::new(state));
        let routes = Route::new()
            .at("/.well-known/openid-configuration", get(discovery))
            .at("/jwks.json", get(keys))
            .at("/token", post(token))
            .data(provider.clone());
        tokio::spawn(Server::new_with_acceptor(TcpAcceptor::from_tokio(socket)?).run(routes));
        Ok(provider)
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Lets a new person in who was sent to `location`; where their browser goes back to.
    pub fn let_in(&self, location: &str) -> Result<String, Box<dyn Error>> {
        let asked: HashMap<_, _> = Url::parse(location)?.query_pairs().into_owned().collect();
        let number = self.0.people.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let claims = json!({
            "iss": self.0.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 3600,
            "nonce": asked.get("nonce"), "sub": format!("bench|{number}"),
            "email": format!("p{number}@company-{}.example", number % 1000),
            "email_verified": true, "name": format!("Person {number}"),
        });
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        let id_token = jsonwebtoken::encode(&header, &claims, &self.0.key)?;
        let code = format!("code-{number}");
        self.0.codes.lock().map_err(|error| error.to_string())?.insert(code.clone(), id_token);
        let asked = |name: &str| asked.get(name).ok_or_else(|| format!("no {name}"));
        let mut back = Url::parse(asked("redirect_uri")?)?;
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", asked("state")?);
        Ok(back.into())
    }
}

#[handler]
fn discovery(Data(provider): Data<&Provider>) -> Json<Value> {
    let issuer = provider.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}authorize"),
        "token_endpoint": format!("{issuer}token"),
        "jwks_uri": format!("{issuer}jwks.json"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

#[handler]
fn keys(Data(provider): Data<&Provider>) -> Json<Value> {
    Json(provider.0.jwks.clone())
}

#[handler]
fn token(
    Data(provider): Data<&Provider>,
    Form(form): Form<HashMap<String, String>>,
) -> poem::Result<Json<Value>> {
    let refused = || poem::Error::from_status(poem::http::StatusCode::BAD_REQUEST);
    let code = form.get("code").ok_or_else(refused)?;
    let taken = provider.0.codes.lock().map_err(|_| refused())?.remove(code);
    Ok(Json(json!({
        "access_token": "unused", "token_type": "Bearer", "expires_in": 3600,
        "id_token": taken.ok_or_else(refused)?,
    })))
}
