//! The protected resource: whether it admits an access token.
//!
//! What it answers to a token does not matter beyond 401 or not: a 403 or a 405 was past the door.

use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::error::ProbeError;
use crate::http::{self, Http};
use crate::observation::Access;
use crate::secret::Secret;

/// How often the resource is asked while a bound runs, about.
const QUESTIONS: u32 = 20;
/// The least time between two questions.
const PAUSE_MIN: Duration = Duration::from_millis(250);

/// A request that is 401 without a token.
#[derive(Clone, Debug)]
pub struct Door {
    address: Url,
    method: Method,
}

/// What a resource does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Any answer but the ones below.
    Admitted,
    /// 401.
    Refused,
    /// A fault, too many requests, or silence.
    Unclear,
}

/// What was found by knocking without a token.
#[derive(Clone, Debug, Default)]
pub struct Knocked {
    /// The request to ask with from now on, if one is 401.
    pub door: Option<Door>,
    /// Where the challenge says that the resource is described (RFC 9728 §5.1).
    pub metadata: Option<Url>,
}

/// Knocks at `address` without a token: as MCP clients begin, and as anybody would.
pub async fn knock(http: &Http, address: &Url) -> Result<Knocked, ProbeError> {
    for method in [Method::POST, Method::GET] {
        let door = Door { address: address.clone(), method };
        let head = http::head(door.request(http)).await;
        let head = head.map_err(|silence| ProbeError::Unreachable(address.clone(), silence))?;
        if head.status().as_u16() == 401 {
            let metadata = http::challenges(&head).find_map(resource_metadata);
            return Ok(Knocked { door: Some(door), metadata });
        }
    }
    Ok(Knocked::default())
}

impl Door {
    /// A `ping` of MCP, which changes nothing wherever it is understood.
    fn request(&self, http: &Http) -> RequestBuilder {
        let request = http.request(self.method.clone(), &self.address);
        let request = request.header(ACCEPT, "application/json, text/event-stream");
        if self.method == Method::POST {
            request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}))
        } else {
            request
        }
    }

    /// Whether the resource admits this access token.
    pub async fn admits(&self, http: &Http, access_token: &Secret) -> Admission {
        let request = self.request(http).bearer_auth(access_token.expose());
        match http::head(request).await.map(|head| head.status().as_u16()) {
            Ok(401) => Admission::Refused,
            Ok(429 | 500..) | Err(_) => Admission::Unclear,
            Ok(_) => Admission::Admitted,
        }
    }

    /// Asks until the token is refused, for the last time when `bound` is over. `noticed` is when
    /// it began.
    pub async fn until_refused(
        &self,
        http: &Http,
        access_token: &Secret,
        noticed: Instant,
        bound: Duration,
    ) -> Access {
        let mut turns = tokio::time::interval((bound / QUESTIONS).max(PAUSE_MIN));
        loop {
            turns.tick().await;
            let passed = noticed.elapsed();
            match self.admits(http, access_token).await {
                Admission::Refused => return Access::RefusedAfter(passed),
                Admission::Admitted if passed >= bound => {
                    return Access::StillAdmittedAfter(passed);
                }
                Admission::Unclear if passed >= bound => return Access::Unclear,
                Admission::Admitted | Admission::Unclear => {}
            }
        }
    }
}

/// The `resource_metadata` of a challenge (RFC 9728 §5.1).
fn resource_metadata(challenge: &str) -> Option<Url> {
    let (_, value) = challenge.split_once("resource_metadata=")?;
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([',', ' ']).next(),
    };
    Url::parse(value?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use poem::http::StatusCode;
    use poem::listener::TcpAcceptor;
    use poem::web::headers::authorization::Bearer;
    use poem::web::headers::{Authorization, HeaderMapExt as _};
    use poem::{IntoResponse as _, Request, Server};
    use tokio::net::TcpListener;

    /// A resource that says the status which a token is named after, and 401 without one.
    async fn resource() -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/mcp", listener.local_addr().unwrap());
        let answer = poem::endpoint::make_sync(|request: Request| {
            let token = request.headers().typed_get::<Authorization<Bearer>>();
            let status =
                token.and_then(|token| StatusCode::from_bytes(token.token().as_bytes()).ok());
            status.unwrap_or(StatusCode::UNAUTHORIZED).into_response()
        });
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        tokio::spawn(Server::new_with_acceptor(acceptor).run(answer));
        address.parse().unwrap()
    }

    #[tokio::test]
    async fn a_token_is_refused_by_401_alone_and_a_fault_says_nothing() {
        let address = resource().await;
        let http = Http::to(&address, Duration::from_mins(1)).unwrap();
        let door = knock(&http, &address).await.unwrap().door.expect("it is 401 without a token");
        for (token, admission) in [
            ("200", Admission::Admitted),
            ("403", Admission::Admitted),
            ("405", Admission::Admitted),
            ("401", Admission::Refused),
            ("429", Admission::Unclear),
            ("503", Admission::Unclear),
        ] {
            let token = Secret::new(token.to_owned());
            assert_eq!(door.admits(&http, &token).await, admission);
            let noticed = Instant::now();
            let access = door.until_refused(&http, &token, noticed, Duration::ZERO).await;
            let agrees = match admission {
                Admission::Admitted => matches!(access, Access::StillAdmittedAfter(_)),
                Admission::Refused => matches!(access, Access::RefusedAfter(_)),
                Admission::Unclear => access == Access::Unclear,
            };
            assert!(agrees, "{access:?}");
        }
    }

    #[test]
    fn a_challenge_may_say_where_the_resource_is_described() {
        let there = Some("https://a.example/m");
        for (challenge, address) in [
            (r#"Bearer resource_metadata="https://a.example/m""#, there),
            (
                r#"Bearer error="invalid_token", resource_metadata="https://a.example/m", x="y""#,
                there,
            ),
            ("Bearer resource_metadata=https://a.example/m, scope=read", there),
            ("Bearer", None),
            (r#"Bearer resource_metadata="/m""#, None),
            (r#"Bearer resource_metadata=""#, None),
        ] {
            let found = resource_metadata(challenge);
            assert_eq!(found.as_ref().map(Url::as_str), address, "{challenge}");
        }
    }
}
