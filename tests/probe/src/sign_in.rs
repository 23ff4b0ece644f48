//! One sign-in: the browser is sent to the server and comes back to a loopback port (RFC 8252
//! §7.3) with a code.

use std::time::Duration;

use poem::http::{Method, StatusCode};
use poem::listener::TcpAcceptor;
use poem::web::Html;
use poem::{Endpoint, IntoResponse, Request, Response, Server};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use url::form_urlencoded;

use crate::client::{Code, PublicClient, error_code};
use crate::discovery;
use crate::error::ProbeError;
use crate::person::{Person, Purpose};
use crate::secret::Secret;

const PATH: &str = "/callback";
/// Redirects that came and were not looked at yet; more than that is no browser.
const WAITING_MAX: usize = 8;

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
                    <title>Thank you</title><p>Thank you. You can close this tab; the probe \
                    goes on in its terminal.</p></html>";

/// A port of this machine where the browser comes back to.
pub struct Loopback {
    redirect_uri: String,
    redirects: mpsc::Receiver<Redirect>,
    serving: JoinHandle<std::io::Result<()>>,
}

/// The parameters that a browser came back with.
struct Redirect(Vec<(String, String)>);

impl Redirect {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

struct Callback(mpsc::Sender<Redirect>);

impl Endpoint for Callback {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.uri().path() != PATH || request.method() != Method::GET {
            return Ok(StatusCode::NOT_FOUND.into_response());
        }
        let query = request.uri().query().unwrap_or_default();
        let redirect = Redirect(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
        Ok(match self.0.try_send(redirect) {
            Ok(()) => Html(PAGE).into_response(),
            Err(_) => StatusCode::TOO_MANY_REQUESTS.into_response(),
        })
    }
}

impl Loopback {
    /// Listens on a free port.
    pub async fn start() -> Result<Self, ProbeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(ProbeError::NoLoopback)?;
        let address = listener.local_addr().map_err(ProbeError::NoLoopback)?;
        let acceptor = TcpAcceptor::from_tokio(listener).map_err(ProbeError::NoLoopback)?;
        let (sender, redirects) = mpsc::channel(WAITING_MAX);
        let serving = Server::new_with_acceptor(acceptor).run(Callback(sender));
        Ok(Self {
            redirect_uri: format!("http://{address}{PATH}"),
            redirects,
            serving: tokio::spawn(serving),
        })
    }

    /// What is registered.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The redirect with this `state`. Any other is somebody else's, or an old tab's.
    async fn redirect(
        &mut self,
        state: &Secret,
        timeout: Duration,
    ) -> Result<Redirect, ProbeError> {
        let mut strays = 0;
        let waiting = async {
            while let Some(redirect) = self.redirects.recv().await {
                if redirect.get("state") == Some(state.expose()) {
                    return Some(redirect);
                }
                strays += 1;
            }
            None
        };
        let came = tokio::time::timeout(timeout, waiting).await;
        came.ok().flatten().ok_or(ProbeError::NoRedirect(strays))
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Signs in: the code, not yet exchanged.
pub async fn sign_in(
    client: &PublicClient,
    loopback: &mut Loopback,
    person: &impl Person,
    purpose: Purpose,
    timeout: Duration,
) -> Result<Code, ProbeError> {
    let (state, verifier) = (Secret::random(), Secret::random());
    let address = client.authorize_url(&state, &verifier);
    // Who opened the page may be done at once or stay with it; only a complaint ends the wait.
    let complaint = async {
        match person.sign_in(&address, purpose).await {
            Ok(()) => std::future::pending().await,
            Err(complaint) => complaint,
        }
    };
    let redirect = tokio::select! {
        redirect = loopback.redirect(&state, timeout) => redirect?,
        complaint = complaint => return Err(ProbeError::NotOpened(complaint)),
    };
    Ok(Code { code: code_of(&redirect, client.server())?, verifier })
}

fn code_of(redirect: &Redirect, server: &discovery::Server) -> Result<Secret, ProbeError> {
    // Before anything else is believed, errors included (RFC 9207 §2.4).
    let is_from_there = match redirect.get("iss") {
        Some(issuer) => issuer == server.issuer,
        None => !server.redirects_name_it,
    };
    if !is_from_there {
        return Err(ProbeError::WrongIssuer);
    }
    match (redirect.get("error"), redirect.get("code")) {
        (None, Some(code)) => Ok(Secret::new(code.to_owned())),
        (Some(error), _) => Err(ProbeError::Declined(error_code(error).to_owned())),
        (None, None) => Err(ProbeError::Declined("(neither code nor error)".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://a.example";

    fn server(redirects_name_it: bool) -> discovery::Server {
        let address = || ISSUER.parse().unwrap();
        discovery::Server {
            issuer: ISSUER.to_owned(),
            authorization_endpoint: address(),
            token_endpoint: address(),
            registration_endpoint: address(),
            redirects_name_it,
        }
    }

    #[test]
    fn a_redirect_brings_a_code_from_the_issuer_or_nothing() {
        for (redirects_name_it, query, outcome) in [
            (true, "code=c&iss=https://a.example", "c"),
            (false, "code=c", "c"),
            (false, "code=c&iss=https://a.example", "c"),
            (true, "code=c", "the redirect does not name the issuer"),
            (false, "code=c&iss=https://b.example", "the redirect does not name the issuer"),
            (true, "error=access_denied", "the redirect does not name the issuer"),
            (false, "error=access_denied&code=c", "ended with the error access_denied"),
            (false, "error=%1b[2J", "ended with the error (not an error code)"),
            (false, "", "ended with the error (neither code nor error)"),
        ] {
            let redirect =
                Redirect(form_urlencoded::parse(query.as_bytes()).into_owned().collect());
            let told = match code_of(&redirect, &server(redirects_name_it)) {
                Ok(code) => code.expose().to_owned(),
                Err(error) => error.to_string(),
            };
            assert!(told.contains(outcome), "{query}: {told}");
        }
    }

    #[tokio::test]
    async fn a_browser_that_comes_back_is_thanked_and_strays_are_left_alone() {
        let mut loopback = Loopback::start().await.unwrap();
        let address = loopback.redirect_uri().to_owned();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let get = async |suffix: &str| http.get(format!("{address}{suffix}")).send().await.unwrap();

        assert_eq!(get("/else").await.status(), 404);
        assert_eq!(get("?state=old&code=stale").await.status(), 200);
        let page = get("?state=new&code=c").await;
        assert!(page.text().await.unwrap().contains("close this tab"));

        let state = Secret::new("new".to_owned());
        let redirect = loopback.redirect(&state, Duration::from_secs(30)).await.unwrap();
        assert_eq!(redirect.get("code"), Some("c"));
        get("?state=old").await;
        let Err(error) = loopback.redirect(&state, Duration::ZERO).await else { unreachable!() };
        assert!(error.to_string().contains("1 came with another state"), "{error}");
    }
}
