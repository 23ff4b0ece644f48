//! The door: everything that happens to a request before and after the endpoints, in order, on one
//! screen ([`Door`]).
//!
//! Never here: rules. What may pass is decided below; this room carries it out.

use std::any::Any;
use std::sync::Arc;

use gatehouse_api::visit::{ClientAddress, ThroughTrustedProxy};
use poem::endpoint::BoxEndpoint;
use poem::http::{Method, StatusCode, header};
use poem::middleware::PanicHandler;
use poem::{Endpoint, IntoResponse, Request, Response};

pub mod acceptor;
pub mod admin_door;
pub mod cors;
pub mod credential;
pub mod dev_provider;
pub mod front_door;
pub mod hang_up;
pub mod headers;
pub mod interrupted;
pub mod mcp_door;
pub mod mcp_refusals;
pub mod patience;
pub mod places;
pub mod proxies;
pub mod request_log;
pub mod room;
pub mod serve;
pub mod server_card;
pub mod standing;
pub mod unread;

use crate::flow::Gatehouse;
use crate::http::cors::Cors;
use crate::http::hang_up::HangUps;
use crate::http::interrupted::Asked;
use crate::http::places::Place;
use crate::http::proxies::Proxies;
use crate::http::standing::Standing;
use crate::http::unread::Unread;
use crate::page::brand::{Brand, FAVICON_PATH, LOGO_PATH, STYLESHEET_PATH};

/// The public listener's endpoint.
pub struct Door {
    /// The flows, for the pages served here.
    pub gatehouse: Arc<Gatehouse>,
    /// The typed endpoints.
    pub api: BoxEndpoint<'static>,
    /// The built-in provider's endpoints, in development only.
    pub dev_provider: Option<dev_provider::DevRoutes>,
    /// What is the same for everybody.
    pub standing: Standing,
    /// Which browser origins may read answers.
    pub cors: Cors,
    /// Whose word on addresses is believed.
    pub proxies: Proxies,
    /// Whose clients are gone.
    pub hang_ups: HangUps,
}

impl Endpoint for Door {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        // 1. Where it comes from; limits and logs need it.
        let address = self.proxies.client_address(&request);
        request.set_data(ClientAddress(address));
        request.set_data(ThroughTrustedProxy(self.proxies.hold(&request)));
        // 2. Other spellings of our paths. No redirect: a POST would lose its Authorization.
        let place = places::enter(&mut request, &self.gatehouse.config.pages_path);
        respell(&mut request, self.gatehouse.config.legacy_paths);
        as_known_method(&mut request);
        let standing = standing::Asked::of(&request, &self.gatehouse);
        let standing = standing.filter(|_| place == Place::Ours);
        if let Some(asked) = &standing
            && let Some(mut response) = self.standing.find(asked, &self.gatehouse)
        {
            let note = request_log::Note::of_one_answered_at_once(&request);
            // It has all headers but this one, which is not like any other.
            headers::name_request(&mut response, &note);
            return Ok(self.send_off(response, Unread::of(&mut request), &note).await);
        }
        let note = request_log::Note::of(&request);
        let unread = Unread::of(&mut request);
        // 3. A preflight is answered without authentication.
        let response = match self.cors.preflight(&request) {
            Some(response) => response,
            None => {
                let grant = self.cors.grant(&request);
                // 4. The endpoints, in bounded time, in a span that carries the request's own id.
                let frame = self.gatehouse.frame();
                let asked = Asked { path: &note.path, id: &note.id, frame };
                let gone = self.hang_ups.of(&request);
                let endpoint = Box::pin(self.route(request, place));
                let answer = asked.answer_unless(gone, endpoint);
                let mut response = note.within(answer).await;
                grant.apply(&mut response);
                response
            }
        };
        // 5. Headers every answer of its kind carries. With them it is kept, if it is a usual one.
        let mut response = headers::complete(response, &note, &self.gatehouse.config);
        if let Some(asked) = standing {
            response = self.standing.keep(asked, response).await;
        }
        Ok(self.send_off(response, unread, &note).await)
    }
}

impl Door {
    /// The end of the way of every answer.
    async fn send_off(
        &self,
        mut response: Response,
        unread: Option<Unread>,
        note: &request_log::Note,
    ) -> Response {
        // 6. Who is refused early is heard out, so that the answer is heard too.
        if let Some(unread) = unread.filter(|_| response.status().is_client_error())
            && !unread.is_over().await
        {
            headers::close(&mut response);
        }
        // 7. Who keeps a connection is not to send the next request into the end of this replica.
        if self.gatehouse.stopping.has_begun() {
            headers::close(&mut response);
        }
        // 8. One line in the log, and one measurement.
        note.write(&response, &self.gatehouse.metrics.http);
        response
    }

    async fn route(&self, request: Request, place: Place) -> Response {
        let path = request.uri().path().to_owned();
        if place == Place::Nowhere {
            return refused(StatusCode::NOT_FOUND, &path);
        }
        let method = request.method().clone();
        let is_read = method == Method::GET || method == Method::HEAD;
        let dev = self.dev_provider.as_ref().filter(|dev| dev.serves(&path));
        match (path.as_str(), dev) {
            (_, Some(dev)) => dev.call(request).await,
            (path, _) if is_read && path.starts_with(ASSETS) => assets(&self.gatehouse.brand, path),
            _ => match self.api.call(request).await {
                Ok(response) => response,
                Err(error) => refused(error.status(), &path),
            },
        }
    }
}

/// Where pictures and the stylesheet are.
const ASSETS: &str = "/oauth/assets/";

/// One of them.
fn assets(brand: &Brand, path: &str) -> Response {
    let picture = match path {
        STYLESHEET_PATH => {
            return asset("text/css; charset=utf-8", brand.stylesheet.clone().into_bytes());
        }
        LOGO_PATH => brand.chosen.logo.as_ref(),
        FAVICON_PATH => Some(&brand.favicon),
        _ => None,
    };
    match picture {
        Some(picture) => asset(picture.content_type, picture.bytes.clone()),
        None => refused(StatusCode::NOT_FOUND, path),
    }
}

/// What a panic on the admin listener is answered with. It is a defect of ours; the caller learns
/// no more than that.
#[derive(Clone, Copy, Debug)]
pub struct Panicked;

impl PanicHandler for Panicked {
    type Response = Response;

    fn get_response(&self, _: Box<dyn Any + Send + 'static>) -> Response {
        tracing::error!("an endpoint panicked");
        refused(StatusCode::INTERNAL_SERVER_ERROR, "")
    }
}

fn asset(content_type: &'static str, body: Vec<u8>) -> Response {
    Response::builder()
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CACHE_CONTROL, "public, max-age=300")
        // A picture that is opened by itself is a document, and some kinds can hold scripts.
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")
        .body(body)
}

/// What stands outside every endpoint, as JSON: clients that probe choke on anything else.
fn refused(status: StatusCode, path: &str) -> Response {
    let error = match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    let mut response = poem::web::Json(serde_json::json!({ "error": error })).into_response();
    response.set_status(status);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        // RFC 9110 §15.5.6.
        let allow = match path {
            "/logout" => "GET, HEAD, POST",
            path if cors::is_posted(path) => "POST, OPTIONS",
            _ => "GET, HEAD",
        };
        response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allow));
    }
    response
}

/// Any other method on `/mcp` is answered like DELETE: 401 without a token, 405 with one. The
/// endpoints would say 405 before anyone asked for the token.
fn as_known_method(request: &mut Request) {
    let is_known = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::POST | Method::DELETE | Method::OPTIONS
    );
    if request.uri().path() == "/mcp" && !is_known {
        request.set_method(Method::DELETE);
    }
}

/// Clients of revision 2025-03-26 fall back to `/authorize`, `/token` and `/register`; others
/// append a slash to the address they were given.
fn respell(request: &mut Request, legacy_paths: bool) {
    let ours = match (request.uri().path(), legacy_paths) {
        ("/authorize", true) => "/oauth/authorize",
        ("/token", true) => "/oauth/token",
        ("/register", true) => "/oauth/register",
        ("/mcp/", _) => "/mcp",
        _ => return,
    };
    places::set_path(request, ours);
}
