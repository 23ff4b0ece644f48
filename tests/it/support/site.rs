//! A documentation site that a host serves, with Gatehouse behind some of its paths.

use poem::http::{HeaderMap, HeaderName, Uri, header};
use poem::listener::TcpAcceptor;
use poem::{Body, Endpoint, Request, Response, Server};
use tokio::net::TcpListener;

/// What a page of the site says.
pub const PAGE: &str = "<!doctype html><title>The site</title><p>A page of the site</p>";

/// Headers that are a connection's own.
const OF_A_CONNECTION: [HeaderName; 3] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH];

/// What the site hands on: a path, with all that is below it or alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub path: String,
    pub with_all_below: bool,
}

impl Route {
    fn takes(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.path.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || self.with_all_below && rest.starts_with('/'))
    }
}

/// Like many hosts of sites it says 200 to every path that it does not hand on.
pub struct Site {
    pub url: String,
}

impl Site {
    /// Serves on this socket, in front of a house at `behind`.
    pub fn serve(socket: TcpListener, behind: &str, routes: Vec<Route>) -> Self {
        let url = format!("http://{}", socket.local_addr().expect("it is bound"));
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let front = Front { behind: behind.to_owned(), routes, http: http.expect("a client") };
        let acceptor = TcpAcceptor::from_tokio(socket).expect("a socket can be served");
        tokio::spawn(Server::new_with_acceptor(acceptor).run(front));
        Self { url }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

struct Front {
    behind: String,
    routes: Vec<Route>,
    http: reqwest::Client,
}

impl Endpoint for Front {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if self.routes.iter().any(|route| route.takes(request.uri().path())) {
            return Ok(self.hand_on(request).await);
        }
        let page = Response::builder().content_type("text/html; charset=utf-8");
        // A cookie of the site's, for all of its paths.
        Ok(page.header(header::SET_COOKIE, "of_the_site=1; Path=/").body(PAGE))
    }
}

impl Front {
    async fn hand_on(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = passed_on(&parts.headers);
        headers.insert("x-forwarded-for", header::HeaderValue::from_static("192.0.2.7"));
        let body = body.into_bytes().await.expect("a body can be read");
        let url: Uri = format!("{}{path}", self.behind).parse().expect("a path is a path");
        let asked = self.http.request(parts.method, url.to_string()).headers(headers).body(body);
        let answer = asked.send().await.expect("the house answers");
        let mut response = Response::builder().status(answer.status());
        for (name, value) in &passed_on(answer.headers()) {
            response = response.header(name, value);
        }
        let body = answer.bytes().await.expect("the house answers whole");
        response.body(Body::from_bytes(body))
    }
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut passed = headers.clone();
    for name in OF_A_CONNECTION {
        passed.remove(name);
    }
    passed
}
