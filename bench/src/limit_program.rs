//! The limit program: the refresh grant and nothing else, by hand. It reads the form, hashes the
//! token, asks the one statement, signs with a key that is parsed once, and answers in JSON. What
//! Gatehouse does beside that (limits, metrics, log, attempts, headers) it leaves out.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::types::Uuid;
use tokio::net::TcpListener;
use url::form_urlencoded;

/// As `src/store/refresh_tokens.rs` asks it.
pub const ROTATION: &str = "WITH head AS (
        SELECT g.id, g.user_id, g.scope, g.expires_at, u.profile_sealed
        FROM refresh_tokens t
        JOIN grants g ON g.id = t.grant_id
        JOIN users u ON u.id = g.user_id
        WHERE t.token_hash = $1 AND g.client_id = $2 AND g.revoked_at IS NULL
          AND (g.expires_at IS NULL OR g.expires_at > $3)
          AND string_to_array(g.scope, ' ') @> string_to_array($7, ' ')
        FOR UPDATE OF g
    ), consumed AS (
        UPDATE refresh_tokens t SET consumed_at = $3 FROM head
        WHERE t.token_hash = $1 AND t.grant_id = head.id
          AND t.consumed_at IS NULL AND t.expires_at > $3
        RETURNING t.grant_id, t.generation
    ), inserted AS (
        INSERT INTO refresh_tokens
            (id, grant_id, generation, token_hash, created_at, expires_at)
        SELECT $4, grant_id, generation + 1, $5, $3, $6 FROM consumed
        RETURNING grant_id
    ), audited AS (
        INSERT INTO audit (id, happened_at, kind, actor, user_id, client_id, grant_id)
        SELECT $8, $3, $9, $10, head.user_id, $2, head.id
        FROM head JOIN inserted ON inserted.grant_id = head.id
    )
    SELECT head.* FROM head JOIN inserted ON inserted.grant_id = head.id";

const THIRTY_DAYS: i64 = 30 * 86_400_000;

/// A key that is parsed once.
pub enum Key {
    /// RS256.
    Rsa(RsaKeyPair),
    /// ES256.
    P256(EcdsaKeyPair),
}

impl Key {
    /// A fresh key for this `alg`.
    pub fn generate(alg: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(if alg == "RS256" {
            Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?)
        } else {
            Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?)
        })
    }

    /// The name of its algorithm.
    pub const fn alg(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256",
            Self::P256(_) => "ES256",
        }
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        let random = SystemRandom::new();
        Ok(match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            Self::P256(key) => key.sign(&random, message)?.as_ref().to_vec(),
        })
    }
}

/// What a rotation answers with: grant, person, scope, end, sealed profile.
type Head = (Uuid, Uuid, String, Option<i64>, Vec<u8>);

struct Program {
    key: Key,
    header: String,
    pool: PgPool,
    issuer: String,
}

/// Serves until it is ended.
pub async fn serve(
    address: SocketAddr,
    database_url: &str,
    alg: &str,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .test_before_acquire(false)
        .connect(database_url)
        .await?;
    let key = Key::generate(alg)?;
    let header = json!({ "typ": "at+jwt", "alg": key.alg(), "kid": "limit" }).to_string();
    let header = URL_SAFE_NO_PAD.encode(header);
    let program = Arc::new(Program { key, header, pool, issuer: format!("http://{address}") });
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let program = Arc::clone(&program);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let program = Arc::clone(&program);
                async move { Ok::<_, Infallible>(program.answer(request).await) }
            });
            // Its end is the client's.
            let _: hyper::Result<()> =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Program {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (status, body) = match self.read_and_refresh(request).await {
            Ok(Some(tokens)) => (StatusCode::OK, tokens),
            Ok(None) => (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" }).to_string()),
            Err(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": error }).to_string())
            }
        };
        let mut answer = Response::new(Full::from(body));
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }

    async fn read_and_refresh(&self, request: Request<Incoming>) -> Result<Option<String>, String> {
        let body = request.into_body().collect().await.map_err(|error| error.to_string())?;
        self.refresh(&body.to_bytes()).await.map_err(|error| error.to_string())
    }

    async fn refresh(&self, body: &[u8]) -> Result<Option<String>, Box<dyn Error + Send + Sync>> {
        let form: HashMap<_, _> = form_urlencoded::parse(body).into_owned().collect();
        let (Some(client_id), Some(presented)) = (form.get("client_id"), form.get("refresh_token"))
        else {
            return Ok(None);
        };
        let mut fresh = [0; 32];
        SystemRandom::new().fill(&mut fresh)?;
        let successor = URL_SAFE_NO_PAD.encode(fresh);
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let now_ms = i64::try_from(now.as_millis())?;
        let row: Option<Head> = sqlx::query_as(ROTATION)
            .bind(digest(&SHA256, presented.as_bytes()).as_ref())
            .bind(client_id)
            .bind(now_ms)
            .bind(Uuid::now_v7())
            .bind(digest(&SHA256, successor.as_bytes()).as_ref())
            .bind(now_ms + THIRTY_DAYS)
            .bind("")
            .bind(Uuid::now_v7())
            .bind("token_refreshed")
            .bind("client")
            .fetch_optional(&self.pool)
            .await?;
        let Some((grant_id, user_id, scope, ..)) = row else { return Ok(None) };
        let seconds = now.as_secs();
        let claims = json!({
            "iss": self.issuer, "sub": user_id.to_string(), "aud": format!("{}/mcp", self.issuer),
            "client_id": client_id, "scope": scope, "iat": seconds, "exp": seconds + 3600,
            "jti": Uuid::now_v7().to_string(), "grant": grant_id.to_string(),
        });
        let signed = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes())?);
        let tokens = json!({
            "access_token": format!("{signed}.{signature}"), "token_type": "Bearer",
            "expires_in": 3600, "refresh_token": successor, "scope": scope,
        });
        Ok(Some(tokens.to_string()))
    }
}
