//! What is answered as it was answered before: the documents that every client reads before it
//! signs in, and the refusal that sends it there.
//!
//! They follow from the settings, the keys and the way in which a request came, so each is made
//! once by its endpoint, and again when one of these is another. What is kept is what the endpoint
//! said; nothing here knows what a document or a refusal is made of.

use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use gatehouse_api::visit::ThroughTrustedProxy;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};

use crate::config::AuthMode;
use crate::flow::Gatehouse;
use crate::flow::keyring::Edition;
use crate::metrics::sign_in::Step;
use crate::traces;

/// The documents, and which step of a sign-in it is to read one.
const DOCUMENTS: [(&str, Option<Step>); 4] = [
    ("/.well-known/oauth-protected-resource/mcp", Some(Step::ProtectedResource)),
    ("/.well-known/oauth-protected-resource", Some(Step::ProtectedResource)),
    ("/.well-known/oauth-authorization-server", Some(Step::AuthorizationServer)),
    ("/.well-known/jwks.json", None),
];

/// What a request asks for, with all that the answer depends on.
#[derive(Clone, Debug)]
pub enum Asked {
    /// One of the documents, by its place; made for these keys.
    Document(usize, Edition),
    /// `/mcp`, by a program without a token, where everybody must sign in.
    Entry(Newcomer),
}

/// How a request came to the door that has no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    host: HeaderValue,
    through_trusted_proxy: bool,
}

impl Asked {
    /// What this request asks for; none where the answer may be another one each time, or is told
    /// to a collector of traces.
    pub fn of(request: &Request, gatehouse: &Gatehouse) -> Option<Self> {
        if traces::are_told() {
            return None;
        }
        let (path, headers) = (request.uri().path(), request.headers());
        if path == "/mcp" {
            let must_sign_in = gatehouse.config.auth == AuthMode::Enforce;
            return Newcomer::of(request).filter(|_| must_sign_in).map(Self::Entry);
        }
        let has_body = headers.contains_key(header::CONTENT_LENGTH)
            || headers.contains_key(header::TRANSFER_ENCODING);
        let number = DOCUMENTS.iter().position(|(document, _)| *document == path)?;
        let is_read = request.method() == Method::GET && !has_body;
        is_read.then(|| Self::Document(number, gatehouse.keyring.edition()))
    }
}

impl Newcomer {
    /// A browser is none: it says from where it comes, or wants a page.
    fn of(request: &Request) -> Option<Self> {
        let headers = request.headers();
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None, None) = (hosts.next(), hosts.next(), request.uri().authority())
        else {
            return None;
        };
        let is_plain = request.method() == Method::POST
            && !headers.contains_key(header::AUTHORIZATION)
            && !headers.contains_key(header::ORIGIN);
        is_plain.then(|| Self {
            host: host.clone(),
            through_trusted_proxy: request.data().is_some_and(|ThroughTrustedProxy(is_so)| *is_so),
        })
    }
}

/// An answer, and what it was made for.
#[derive(Debug)]
struct Answer<K>(RwLock<Option<(K, HeaderMap, Bytes)>>);

impl<K> Default for Answer<K> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: PartialEq> Answer<K> {
    fn find(&self, status: StatusCode, wanted: &K) -> Option<Response> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (made_for, headers, body) = kept.as_ref()?;
        (made_for == wanted).then(|| {
            let mut response = Response::builder().status(status).body(body.clone());
            response.headers_mut().clone_from(headers);
            response
        })
    }

    fn keep(&self, made_for: K, headers: HeaderMap, body: Bytes) {
        let kept = Some((made_for, headers, body));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}

/// What the endpoints said.
#[derive(Debug, Default)]
pub struct Standing {
    documents: [Answer<Edition>; DOCUMENTS.len()],
    entry: Answer<Newcomer>,
}

impl Standing {
    /// The answer, if it is known; it counts as one of the endpoint.
    pub fn find(&self, asked: &Asked, gatehouse: &Gatehouse) -> Option<Response> {
        match asked {
            Asked::Document(number, keys) => {
                let response = self.documents[*number].find(StatusCode::OK, keys)?;
                if let Some(step) = DOCUMENTS[*number].1 {
                    gatehouse.passed(step);
                }
                Some(response)
            }
            Asked::Entry(newcomer) => {
                let response = self.entry.find(StatusCode::UNAUTHORIZED, newcomer)?;
                gatehouse.refused_without_token();
                Some(response)
            }
        }
    }

    /// Keeps what the endpoint said, if that is what it usually says.
    pub async fn keep(&self, asked: Asked, mut response: Response) -> Response {
        let usual = match asked {
            Asked::Document(..) => StatusCode::OK,
            Asked::Entry(_) => StatusCode::UNAUTHORIZED,
        };
        if response.status() != usual {
            return response;
        }
        let Ok(body) = response.take_body().into_bytes().await else {
            response.set_status(StatusCode::INTERNAL_SERVER_ERROR);
            return response;
        };
        let headers = response.headers().clone();
        response.set_body(body.clone());
        match asked {
            Asked::Document(number, keys) => self.documents[number].keep(keys, headers, body),
            Asked::Entry(newcomer) => self.entry.keep(newcomer, headers, body),
        }
        response
    }
}
