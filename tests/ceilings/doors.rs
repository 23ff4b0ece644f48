//! Requests from the door to the answer, and who is admitted: the house of a story, asked without
//! a socket.
//!
//! What asks the database is not here: its driver works on threads of its own, and what is
//! allocated on this one depends on which is faster.

use gatehouse::cli::house::House;
use gatehouse::cli::logging;
use gatehouse::secret::Secret;
use poem::http::{Method, StatusCode};
use poem::{Endpoint as _, Request, RequestBuilder};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry};

use crate::count::{Found, count};
use crate::support::{Backend, Tokens, World};

/// A house that is asked without a socket, on the thread that counts.
struct Inside {
    house: House,
    runtime: Runtime,
    host: String,
}

type Answer = (StatusCode, Vec<u8>);

impl Inside {
    fn of(world: &World) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        // So many that nothing is refused for its number.
        let settings = [("limit_mcp", "10000/15m"), ("limit_mcp_anonymous", "10000/15m")];
        let house = runtime.block_on(world.house_with(&settings)).expect("a house can be built");
        let host = world.url.trim_start_matches("http://").to_owned();
        Self { house, runtime, host }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Request::builder().method(method).uri_str(path).header("host", &self.host)
    }

    fn ask(&self, request: Request) -> Answer {
        self.runtime.block_on(async {
            let response = self.house.endpoints.public.call(request).await.expect("it answers");
            let (parts, body) = response.into_parts();
            (parts.status, body.into_vec().await.expect("the answer is whole"))
        })
    }

    /// Counts a request and its answer, read to the end.
    fn count(
        &self,
        name: &'static str,
        request: impl FnMut() -> Request,
        after: impl FnMut(Answer),
    ) -> Found {
        count(name, request, |request| self.ask(request), after)
    }

    fn mcp(&self, access_token: Option<&str>, body: &Value) -> Request {
        let mut request = self
            .request(Method::POST, "/mcp")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .content_type("application/json");
        if let Some(token) = access_token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.body(body.to_string())
    }
}

/// Each of them.
pub fn all() -> Vec<Found> {
    let sign_ins = Runtime::new().expect("a runtime can be made");
    let (world, tokens) = sign_ins.block_on(async {
        let world = World::start(Backend::Sqlite).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        (world, tokens)
    });
    let inside = Inside::of(&world);
    write_the_log(&inside.house);
    let mut found = admission(&inside, &tokens);
    found.extend(documents(&inside));
    found.extend(mcp(&inside, &tokens));
    sign_ins.block_on(async { drop(world) });
    found
}

/// As the program does, to nowhere.
fn write_the_log(house: &House) {
    let filter = logging::filter(&house.gatehouse.config).expect("the filter is good");
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let lines = lines.json().flatten_event(true).with_filter(filter);
    let subscriber = Registry::default().with(lines);
    tracing::subscriber::set_global_default(subscriber).expect("there is no other");
}

/// Remembering a token is not counted: by chance of its hash a part of the memory grows.
fn admission(inside: &Inside, tokens: &Tokens) -> Vec<Found> {
    let gatehouse = &inside.house.gatehouse;
    let token = || Secret::presented(tokens.access_token.clone());
    let admit = |token: Secret| inside.runtime.block_on(gatehouse.admit(&token));
    let verify = |token: Secret| gatehouse.keyring.verify(token.expose());
    vec![
        count("admitting a token seen before", token, admit, |entry| {
            assert!(entry.is_ok_and(|entry| entry.is_ok()));
        }),
        count("verifying a token, ES256", token, verify, |claims| assert!(claims.is_ok())),
    ]
}

fn documents(inside: &Inside) -> Vec<Found> {
    let get = |name, path| {
        let request = || inside.request(Method::GET, path).finish();
        inside.count(name, request, expect(StatusCode::OK))
    };
    vec![
        get("metadata of the server", "/.well-known/oauth-authorization-server"),
        get("metadata of the resource", "/.well-known/oauth-protected-resource/mcp"),
        get("keys", "/.well-known/jwks.json"),
    ]
}

fn mcp(inside: &Inside, tokens: &Tokens) -> Vec<Found> {
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}});
    let search = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "search_docs", "arguments": {"query": "how do I replace a lamp"},
    }});
    let with_token = |name, body| {
        let request = || inside.mcp(Some(&tokens.access_token), body);
        inside.count(name, request, expect(StatusCode::OK))
    };
    vec![
        inside.count(
            "/mcp without a token",
            || inside.mcp(None, &list),
            expect(StatusCode::UNAUTHORIZED),
        ),
        with_token("ping", &ping),
        with_token("tools/list", &list),
        with_token("search_docs, its search aside", &search),
    ]
}

fn expect(expected: StatusCode) -> impl FnMut(Answer) {
    move |(status, body)| {
        assert_eq!(status, expected, "{}", String::from_utf8_lossy(&body));
        assert!(!String::from_utf8_lossy(&body).contains("isError\":true"));
    }
}
