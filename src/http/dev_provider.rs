//! The routes of the built-in development provider, below [`crate::upstream::dev::PATH`].

use std::collections::HashMap;
use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::{IntoResponse, Request, Response};
use serde_json::json;

use crate::page::Frame;
use crate::page::brand::Brand;
use crate::page::dev_login::{self, DevLoginContext};
use crate::secret::Secret;
use crate::upstream::dev::{self, DevLogin, DevProvider, DevRequest};

const FORM_BYTES_MAX: usize = 16 * 1024;

/// Stands in the form at first, so that a first run needs one key.
const SOMEBODY: &str = "alice@example.com";

/// The provider, over HTTP.
pub struct DevRoutes {
    provider: Arc<DevProvider>,
    product: String,
    brand: Arc<Brand>,
}

type Fields = HashMap<String, String>;

impl DevRoutes {
    /// Serves `provider`.
    pub const fn new(provider: Arc<DevProvider>, product: String, brand: Arc<Brand>) -> Self {
        Self { provider, product, brand }
    }

    /// Whether a path is the provider's.
    pub fn serves(&self, path: &str) -> bool {
        path.strip_prefix(dev::PATH).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Answers a request to it.
    pub async fn call(&self, request: Request) -> Response {
        let path = request.uri().path().strip_prefix(dev::PATH).unwrap_or_default().to_owned();
        let is_post = request.method() == Method::POST;
        match (path.as_str(), is_post) {
            ("/.well-known/openid-configuration", false) => json_answer(&self.provider.discovery()),
            ("/jwks.json", false) => json_answer(&self.provider.jwks()),
            ("/authorize", false) => {
                let mut fields = fields(request.uri().query().unwrap_or_default().as_bytes());
                // Nothing that a link brought stands in the form.
                fields.retain(|name, _| !["email", "name", "organization"].contains(&&**name));
                fields.insert("email".to_owned(), SOMEBODY.to_owned());
                self.login_page(&fields, None)
            }
            ("/login", true) => match form(request).await {
                Some(fields) => self.log_in(&fields),
                None => StatusCode::BAD_REQUEST.into_response(),
            },
            ("/logout", false) => {
                let query = fields(request.uri().query().unwrap_or_default().as_bytes());
                self.log_out(&query)
            }
            ("/token", true) => match form(request).await {
                Some(fields) => self.token(&fields),
                None => StatusCode::BAD_REQUEST.into_response(),
            },
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    fn login_page(&self, fields: &Fields, complaint: Option<&str>) -> Response {
        let request = dev_request(fields);
        if !self.provider.accepts(&request) {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let action = format!("{}/login", dev::PATH);
        let html = dev_login::render(&DevLoginContext {
            frame: Frame { product: &self.product, brand: &self.brand },
            action: &action,
            carried: vec![
                ("state", &request.state),
                ("nonce", &request.nonce),
                ("code_challenge", &request.code_challenge),
                ("redirect_uri", &request.redirect_uri),
                ("client_id", &request.client_id),
            ],
            complaint,
            email: &field(fields, "email"),
            name: &field(fields, "name"),
            organization: &field(fields, "organization"),
        });
        poem::web::Html(html).into_response()
    }

    fn log_in(&self, fields: &Fields) -> Response {
        let request = dev_request(fields);
        if !self.provider.accepts(&request) {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let login = DevLogin {
            email: field(fields, "email"),
            name: field(fields, "name"),
            organization: field(fields, "organization"),
        };
        match self.provider.log_in(request, login) {
            Some(address) => Response::builder()
                .status(StatusCode::SEE_OTHER)
                .header(header::LOCATION, address)
                .finish(),
            None => self.login_page(fields, Some("Type an e-mail address, such as a@example.com.")),
        }
    }

    fn log_out(&self, query: &Fields) -> Response {
        let value = |name| field(query, name);
        let (client_id, back_to) = (value("client_id"), value("post_logout_redirect_uri"));
        match self.provider.log_out(&client_id, &back_to, &value("state")) {
            Some(address) => Response::builder()
                .status(StatusCode::SEE_OTHER)
                .header(header::LOCATION, address)
                .finish(),
            None => StatusCode::BAD_REQUEST.into_response(),
        }
    }

    fn token(&self, fields: &Fields) -> Response {
        let code = Secret::presented(field(fields, "code"));
        let verifier = Secret::presented(field(fields, "code_verifier"));
        match self.provider.redeem(&code, &verifier) {
            Some(id_token) => json_answer(&json!({
                "access_token": "unused", "token_type": "Bearer", "expires_in": 60,
                "id_token": id_token,
            })),
            None => {
                let mut refused = json_answer(&json!({"error": "invalid_grant"}));
                refused.set_status(StatusCode::BAD_REQUEST);
                refused
            }
        }
    }
}

fn json_answer(value: &serde_json::Value) -> Response {
    poem::web::Json(value).into_response()
}

async fn form(request: Request) -> Option<Fields> {
    let body = request.into_body().into_bytes_limit(FORM_BYTES_MAX).await.ok()?;
    Some(fields(&body))
}

fn fields(encoded: &[u8]) -> Fields {
    url::form_urlencoded::parse(encoded).into_owned().collect()
}

fn field(fields: &Fields, name: &str) -> String {
    fields.get(name).cloned().unwrap_or_default()
}

fn dev_request(fields: &Fields) -> DevRequest {
    DevRequest {
        state: field(fields, "state"),
        nonce: field(fields, "nonce"),
        code_challenge: field(fields, "code_challenge"),
        redirect_uri: field(fields, "redirect_uri"),
        client_id: field(fields, "client_id"),
    }
}
