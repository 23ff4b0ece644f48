//! What a request gets that its endpoint did not answer: it took too long, or the endpoint
//! panicked. Each surface keeps its shape: JSON-RPC at `/mcp`, a page where people are, the JSON of
//! OAuth (RFC 6749 §5.2) elsewhere.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use gatehouse_api::mcp::McpResponse;
use poem::http::{StatusCode, header};
use poem::web::{Html, Json};
use poem::{IntoResponse, Response};
use serde_json::json;

use crate::flow::wire::RETRY_AFTER_SECONDS;
use crate::flow::wire_codes::{BROKEN, UNAVAILABLE};
use crate::http::mcp_refusals;
use crate::page::Frame;
use crate::page::notice::{self, NoticeContext};

/// How long a request may take; well below the grace of a refresh, so that a client whose request
/// was given up can repeat it.
const REQUEST_MAX: Duration = Duration::from_secs(20);

/// The same for requests that wait for the identity provider, which has deadlines of its own.
const PROVIDER_REQUEST_MAX: Duration = Duration::from_secs(40);

/// The same for tools, which may wait for another server: longer than its longest deadline.
const TOOL_REQUEST_MAX: Duration = Duration::from_secs(40);

/// Of a request, what its answer needs when the endpoint has none.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The path, without query.
    pub path: &'a str,
    /// In every line of the log that the request caused.
    pub id: &'a str,
    /// What every page shows.
    pub frame: Frame<'a>,
}

/// What became of an endpoint that did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interruption {
    /// Its time was up: the body trickles in, or something it needs is silent. What it had begun is
    /// rolled back, unless it was ending just then, and the client may repeat it.
    GivenUp,
    /// A defect of ours; the client learns no more than that.
    Panicked,
}

enum Surface {
    Mcp,
    Page,
    OAuth,
}

impl Asked<'_> {
    /// The endpoint's answer; at `/mcp` only as long as there is a client. Elsewhere what has begun
    /// goes on: a sign-in that is half done helps nobody.
    ///
    /// A token request is not begun for a client that is gone. A process that was paused finds
    /// those whose clients have long asked another replica, and would take what they present for
    /// stolen (RFC 9700 §4.14.2).
    pub async fn answer_unless(
        &self,
        gone: impl Future<Output = ()>,
        endpoint: impl Future<Output = Response>,
    ) -> Response {
        match self.surface() {
            Surface::Mcp => {
                tokio::select! {
                    response = self.answer(endpoint) => response,
                    () = gone => nobody_reads_this(),
                }
            }
            Surface::OAuth if self.path == "/oauth/token" && is_over(gone).await => {
                nobody_reads_this()
            }
            Surface::Page | Surface::OAuth => self.answer(endpoint).await,
        }
    }

    /// The endpoint's answer, or what stands for it.
    pub async fn answer(&self, endpoint: impl Future<Output = Response>) -> Response {
        self.answer_within(self.at_most(), endpoint).await
    }

    async fn answer_within(
        &self,
        at_most: Duration,
        endpoint: impl Future<Output = Response>,
    ) -> Response {
        let interruption = match tokio::time::timeout(at_most, caught(endpoint)).await {
            Ok(Some(response)) => return response,
            Ok(None) => Interruption::Panicked,
            Err(_) => Interruption::GivenUp,
        };
        match interruption {
            Interruption::GivenUp => tracing::warn!(path = self.path, "a request was given up"),
            Interruption::Panicked => tracing::error!(path = self.path, "an endpoint panicked"),
        }
        match self.surface() {
            Surface::Mcp => {
                let is_passing = interruption == Interruption::GivenUp;
                McpResponse(mcp_refusals::fault(is_passing)).into_response()
            }
            Surface::Page => with_status(Html(self.page()), interruption),
            Surface::OAuth => with_status(Json(oauth_error(interruption)), interruption),
        }
    }

    fn at_most(&self) -> Duration {
        match self.path {
            "/mcp/callback" | "/oauth/consent" | "/login" | "/logout" => PROVIDER_REQUEST_MAX,
            "/mcp" | "/mcp/" => TOOL_REQUEST_MAX,
            _ => REQUEST_MAX,
        }
    }

    fn surface(&self) -> Surface {
        match self.path {
            "/mcp" => Surface::Mcp,
            "/"
            | "/reference"
            | "/oauth/authorize"
            | "/oauth/consent"
            | "/mcp/callback"
            | "/account"
            | "/account/disconnect"
            | "/account/sharing"
            | "/account/export"
            | "/account/erase"
            | "/login"
            | "/logout" => Surface::Page,
            _ => Surface::OAuth,
        }
    }

    fn page(&self) -> String {
        // What a callback brings may be spent, so a reload would not help there.
        let advice = if self.path == "/mcp/callback" {
            "Go back to your client and connect again."
        } else {
            "Reload this page in a moment. If it stays, tell whoever runs this server."
        };
        notice::render(&NoticeContext {
            frame: self.frame,
            title: "Something is not working",
            message: "This server could not finish what it was asked.",
            advice,
            link: None,
            reference: Some(self.id),
        })
    }
}

/// Whether this has come to its end already.
async fn is_over(future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

/// The endpoint's answer; `None` when it panicked.
async fn caught(endpoint: impl Future<Output = Response>) -> Option<Response> {
    let mut endpoint = pin!(endpoint);
    // What a panic leaves half done is dropped with the endpoint, which is not polled again.
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| endpoint.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |poll| poll.map(Some))
    })
    .await
}

fn oauth_error(interruption: Interruption) -> serde_json::Value {
    let (error, description) = match interruption {
        Interruption::GivenUp => ("temporarily_unavailable", UNAVAILABLE),
        Interruption::Panicked => ("server_error", BROKEN),
    };
    json!({"error": error, "error_description": description})
}

/// What the log says of a client that is gone; 499 is what it is called since nginx.
fn nobody_reads_this() -> Response {
    let status = StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST);
    Response::builder().status(status).finish()
}

fn with_status(body: impl IntoResponse, interruption: Interruption) -> Response {
    let mut response = body.into_response();
    match interruption {
        Interruption::Panicked => response.set_status(StatusCode::INTERNAL_SERVER_ERROR),
        Interruption::GivenUp => {
            response.set_status(StatusCode::SERVICE_UNAVAILABLE);
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS.into());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::brand::{Brand, Chosen};

    async fn given_up(path: &str) -> Response {
        let brand = Brand::new(Chosen::default());
        let asked = Asked { path, id: "1f-2", frame: Frame { product: "Example", brand: &brand } };
        asked.answer_within(Duration::ZERO, std::future::pending()).await
    }

    async fn panicked(path: &str) -> Response {
        let brand = Brand::new(Chosen::default());
        let asked = Asked { path, id: "1f-2", frame: Frame { product: "Example", brand: &brand } };
        asked.answer(async { panic!("a defect") }).await
    }

    async fn json_of(response: Response) -> serde_json::Value {
        assert!(response.content_type().unwrap().starts_with("application/json"));
        serde_json::from_slice(&response.into_body().into_bytes().await.unwrap()).unwrap()
    }

    #[tokio::test]
    async fn an_answer_in_time_is_the_answer() {
        let brand = Brand::new(Chosen::default());
        let frame = Frame { product: "Example", brand: &brand };
        let asked = Asked { path: "/mcp", id: "1f-2", frame };
        let response = asked.answer(async { StatusCode::NO_CONTENT.into_response() }).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }

    #[tokio::test]
    async fn mcp_is_answered_in_json_rpc() {
        let response = given_up("/mcp").await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
        assert_eq!(json_of(response).await["jsonrpc"], "2.0");
        let response = panicked("/mcp").await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(json_of(response).await["error"]["code"], -32603);
    }

    #[tokio::test]
    async fn people_are_shown_a_page_with_a_reference() {
        for path in ["/", "/oauth/authorize", "/oauth/consent", "/mcp/callback"] {
            let late = given_up(path).await;
            assert!(late.headers().contains_key(header::RETRY_AFTER), "{path}");
            let broken = panicked(path).await;
            assert!(!broken.headers().contains_key(header::RETRY_AFTER), "{path}");
            for (response, status) in [(late, 503), (broken, 500)] {
                assert_eq!(response.status(), status, "{path}");
                assert!(response.content_type().unwrap().starts_with("text/html"), "{path}");
                let body = response.into_body().into_string().await.unwrap();
                assert!(body.contains("1f-2") && body.contains("Example"), "{path}: {body}");
            }
        }
    }

    #[tokio::test]
    async fn oauth_endpoints_are_answered_in_their_json() {
        for path in ["/oauth/token", "/oauth/revoke", "/oauth/register"] {
            let late = given_up(path).await;
            assert_eq!(late.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(json_of(late).await["error"], "temporarily_unavailable");
            let broken = panicked(path).await;
            assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(json_of(broken).await["error"], "server_error");
        }
    }
}
