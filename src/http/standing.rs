//! Documents that every client reads before it signs in, answered as they were answered before.
//!
//! They follow from the settings and the keys, so each is made once by its endpoint, and again when
//! other keys are published. What is kept is what the endpoint said; nothing here knows a document.

use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Request, Response};

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

/// One of them, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document(usize);

impl Document {
    /// That which a request asks for. One that brings a body goes to the endpoint, and so does one
    /// whose way is told to a collector.
    pub fn of(request: &Request) -> Option<Self> {
        let headers = request.headers();
        let has_body = headers.contains_key(header::CONTENT_LENGTH)
            || headers.contains_key(header::TRANSFER_ENCODING);
        if request.method() != Method::GET || has_body || traces::are_told() {
            return None;
        }
        let path = request.uri().path();
        DOCUMENTS.iter().position(|(document, _)| *document == path).map(Self)
    }
}

#[derive(Clone, Debug)]
struct Kept {
    made_for: Edition,
    headers: HeaderMap,
    body: Bytes,
}

/// What the endpoints said.
#[derive(Debug, Default)]
pub struct Standing([RwLock<Option<Kept>>; DOCUMENTS.len()]);

impl Standing {
    /// The answer, if it is known; it counts as one of the endpoint.
    pub fn find(&self, Document(number): Document, gatehouse: &Gatehouse) -> Option<Response> {
        let kept = self.0[number].read().unwrap_or_else(PoisonError::into_inner).clone()?;
        if kept.made_for != gatehouse.keyring.edition() {
            return None;
        }
        if let Some(step) = DOCUMENTS[number].1 {
            gatehouse.passed(step);
        }
        let mut response = Response::builder().body(kept.body);
        *response.headers_mut() = kept.headers;
        Some(response)
    }

    /// Keeps what the endpoint said, which was made for no later keys than these.
    pub async fn keep(
        &self,
        Document(number): Document,
        made_for: Edition,
        mut response: Response,
    ) -> Response {
        if response.status() != StatusCode::OK {
            return response;
        }
        let Ok(body) = response.take_body().into_bytes().await else {
            response.set_status(StatusCode::INTERNAL_SERVER_ERROR);
            return response;
        };
        let kept = Kept { made_for, headers: response.headers().clone(), body: body.clone() };
        *self.0[number].write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        response.set_body(body);
        response
    }
}
