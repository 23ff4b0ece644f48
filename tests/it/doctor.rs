//! `gatehouse doctor URL`: against the real house everything is well; against a server with one
//! fault the check of that fault says so.

use serde_json::{Value, json};
use wiremock::matchers::{header_exists, method, path};
use wiremock::{Mock, MockBuilder, MockServer, ResponseTemplate};

use crate::support::process::run;
use crate::support::{Backend, World, on_both};

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const RESOURCE_OF_MCP: &str = "/.well-known/oauth-protected-resource/mcp";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const KEYS: &str = "/.well-known/jwks.json";
const AUTHORIZE: &str = "/oauth/authorize";
const REGISTER: &str = "/oauth/register";

/// What it says, and its exit code.
async fn examined(world: &World, words: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let command = format!("doctor {words} --json");
    let (code, said) = run(world, folder.path(), &command, &[]).await;
    (code, serde_json::from_str(&said).unwrap_or(Value::String(said)))
}

/// The checks that are not ok, each with its verdict.
fn wrong(said: &Value) -> Vec<(String, String)> {
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    let checks = said["checks"].as_array().unwrap_or_else(|| panic!("{said}"));
    let wrong = checks.iter().filter(|check| check["verdict"] != "ok");
    wrong
        .map(|check| {
            assert!(
                !text(check, "seen").is_empty() && !text(check, "advice").is_empty(),
                "{check}"
            );
            (text(check, "id"), text(check, "verdict"))
        })
        .collect()
}

/// A server that does all of it right.
struct Good(MockServer);

impl Good {
    async fn start() -> Self {
        let good = Self(MockServer::start().await);
        let origin = good.0.uri();
        good.says(Mock::given(method("GET")).and(path(RESOURCE_OF_MCP)), good.resource()).await;
        good.says(Mock::given(method("GET")).and(path(RESOURCE)), good.resource()).await;
        good.says(Mock::given(method("GET")).and(path(SERVER)), good.server()).await;
        let keys = json!({ "keys": [{ "kty": "RSA", "kid": "1", "n": "x", "e": "AQAB" }] });
        good.says(Mock::given(method("GET")).and(path(KEYS)), keys).await;
        let metadata = format!("Bearer resource_metadata=\"{origin}{RESOURCE_OF_MCP}\"");
        let challenge = ResponseTemplate::new(401)
            .insert_header("www-authenticate", metadata)
            .insert_header("cache-control", "no-store");
        good.mount(Mock::given(method("GET")).and(path("/mcp")), 5, challenge).await;
        let foreign = Mock::given(method("GET")).and(path("/mcp")).and(header_exists("origin"));
        good.mount(foreign, 4, ResponseTemplate::new(403)).await;
        let headers = "Authorization, Content-Type, MCP-Protocol-Version";
        let preflight = ResponseTemplate::new(204)
            .insert_header("access-control-allow-origin", "*")
            .insert_header("access-control-allow-headers", headers);
        good.mount(Mock::given(method("OPTIONS")), 5, preflight).await;
        good.mount(Mock::given(method("GET")).and(path(AUTHORIZE)), 5, page()).await;
        let client = json!({ "client_id": "c", "redirect_uris": ["http://127.0.0.1/callback"] });
        let registered = ResponseTemplate::new(201)
            .set_body_json(client)
            .insert_header("cache-control", "no-store");
        good.mount(Mock::given(method("POST")).and(path(REGISTER)), 5, registered).await;
        good
    }

    fn resource(&self) -> Value {
        let origin = self.0.uri();
        json!({
            "resource": format!("{origin}/mcp"),
            "authorization_servers": [origin],
            "scopes_supported": ["docs:read"],
        })
    }

    fn server(&self) -> Value {
        let origin = self.0.uri();
        json!({
            "issuer": origin,
            "authorization_endpoint": format!("{origin}{AUTHORIZE}"),
            "token_endpoint": format!("{origin}/oauth/token"),
            "registration_endpoint": format!("{origin}{REGISTER}"),
            "jwks_uri": format!("{origin}{KEYS}"),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        })
    }

    async fn says(&self, given: MockBuilder, document: Value) {
        self.mount(given, 5, published(document)).await;
    }

    async fn mount(&self, given: MockBuilder, priority: u8, answer: ResponseTemplate) {
        given.respond_with(answer).with_priority(priority).mount(&self.0).await;
    }

    /// From now on this path answers so.
    async fn instead(self, at: &str, answer: ResponseTemplate) -> Self {
        self.mount(Mock::given(path(at)), 1, answer).await;
        self
    }

    /// From now on a member of a document is this.
    async fn with(self, at: &str, name: &str, value: Value) -> Self {
        let mut document = if at == SERVER { self.server() } else { self.resource() };
        document[name] = value;
        self.instead(at, published(document)).await
    }
}

fn published(document: Value) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(document)
        .insert_header("cache-control", "public, max-age=300")
        .insert_header("access-control-allow-origin", "*")
}

/// The page for a client that is not known.
fn page() -> ResponseTemplate {
    ResponseTemplate::new(400)
        .set_body_raw("<p>", "text/html; charset=utf-8")
        .insert_header("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
        .insert_header("x-frame-options", "DENY")
        .insert_header("referrer-policy", "no-referrer")
        .insert_header("cache-control", "no-store")
        .insert_header("x-content-type-options", "nosniff")
}

on_both! {
    async fn the_real_house_is_well(backend: Backend) {
        let world = World::start(backend).await;
        let (code, said) = examined(&world, &format!("{}/mcp --register", world.url)).await;
        assert_eq!((code, wrong(&said)), (Some(0), Vec::new()), "{said}");
        assert!(said["checks"].as_array().unwrap().len() >= 30, "{said}");
        let folder = tempfile::tempdir().unwrap();
        let (code, lines) = run(&world, folder.path(), &format!("doctor {}", world.url), &[]).await;
        assert_eq!(code, Some(0));
        assert!(lines.lines().all(|line| line.starts_with("ok    ")), "{lines}");
    }

    async fn what_is_chosen_is_told_and_fails_nothing(backend: Backend) {
        let settings = [("dcr", "false"), ("cimd", "false"), ("cors_origins", "*")];
        let world = World::with(backend, &settings).await;
        let (code, said) = examined(&world, &world.url).await;
        let warned = ["AM-10", "CO-04"].map(|id| (id.to_owned(), "warn".to_owned()));
        assert_eq!((code, wrong(&said)), (Some(0), warned.to_vec()), "{said}");
    }
}

#[tokio::test]
async fn each_fault_fails_its_own_check() {
    let world = World::start(Backend::Sqlite).await;
    let good = Good::start().await;
    let (code, said) = examined(&world, &format!("{} --register", good.0.uri())).await;
    assert_eq!((code, wrong(&said)), (Some(0), Vec::new()), "{said}");
    let empty = || ResponseTemplate::new(200).set_body_raw("<html>", "text/html");
    let two = json!(["S256", "plain"]);
    let private =
        json!({ "keys": [{ "kty": "RSA", "kid": "1", "n": "x", "e": "AQAB", "d": "x" }] });
    let elsewhere = ResponseTemplate::new(302).insert_header("location", "https://doctor.invalid/");
    let wrong_metadata = ResponseTemplate::new(401)
        .insert_header("www-authenticate", "Bearer resource_metadata=\"/relative\"")
        .insert_header("cache-control", "no-store");
    let blamed = ResponseTemplate::new(401)
        .insert_header("www-authenticate", "Bearer error=\"invalid_token\"");
    let registered = |client| ResponseTemplate::new(201).set_body_json(client);
    let other_redirect = registered(json!({ "client_id": "c", "redirect_uris": [] }));
    let with_null = registered(json!({ "client_id": "c", "client_uri": null }));
    let start = Good::start;
    let with = async |at, name, value| start().await.with(at, name, value).await;
    let instead = async |at, answer| start().await.instead(at, answer).await;
    let bare = ResponseTemplate::new(200).set_body_json(Good::start().await.resource());
    for (server, expected) in [
        (instead(RESOURCE_OF_MCP, empty()).await, "PRM-02"),
        (with(RESOURCE, "resource_name", json!("other")).await, "PRM-03"),
        (with(RESOURCE_OF_MCP, "resource", json!("https://other.example/mcp")).await, "PRM-04"),
        (with(RESOURCE_OF_MCP, "authorization_servers", json!([])).await, "PRM-05"),
        (with(RESOURCE_OF_MCP, "scopes_supported", json!(["offline_access"])).await, "PRM-06"),
        (with(RESOURCE_OF_MCP, "resource_name", Value::Null).await, "PRM-08"),
        (instead(RESOURCE_OF_MCP, bare.clone()).await, "PRM-13"),
        (instead(RESOURCE_OF_MCP, bare).await, "CO-01"),
        (instead(SERVER, ResponseTemplate::new(301)).await, "AM-01"),
        (with(SERVER, "issuer", json!("http://localhost")).await, "AM-02"),
        (with(SERVER, "code_challenge_methods_supported", two).await, "AM-06"),
        (with(SERVER, "token_endpoint_auth_methods_supported", Value::Null).await, "AM-08"),
        (with(SERVER, "registration_endpoint", Value::Null).await, "AM-10"),
        (with(SERVER, "token_endpoint", json!("https://other.example/t")).await, "AM-14"),
        (with(SERVER, "jwks_uri", json!("https://other.example/k")).await, "JW-01"),
        (instead(KEYS, published(private)).await, "JW-01"),
        (instead(KEYS, published(json!({ "keys": [] }))).await, "JW-01"),
        (instead("/mcp", ResponseTemplate::new(200)).await, "CH-01"),
        (instead("/mcp", wrong_metadata).await, "CH-02"),
        (instead("/mcp", blamed).await, "CH-04"),
        (instead("/mcp", ResponseTemplate::new(401)).await, "BP-13"),
        (instead("/mcp", ResponseTemplate::new(401)).await, "CH-11"),
        (instead("/mcp", ResponseTemplate::new(401)).await, "CO-04"),
        (instead("/oauth/token", ResponseTemplate::new(405)).await, "CO-02"),
        (instead(AUTHORIZE, ResponseTemplate::new(503)).await, "AZ-04"),
        (instead(AUTHORIZE, elsewhere).await, "AZ-04"),
        (instead(AUTHORIZE, page().insert_header("x-frame-options", "SAMEORIGIN")).await, "BP-01"),
        (instead(AUTHORIZE, page().insert_header("referrer-policy", "origin")).await, "BP-02"),
        (instead(AUTHORIZE, page().insert_header("cache-control", "public")).await, "BP-13"),
        (instead(AUTHORIZE, page().insert_header("x-content-type-options", "x")).await, "BP-14"),
        (instead(REGISTER, ResponseTemplate::new(429)).await, "DC-01"),
        (instead(REGISTER, other_redirect).await, "DC-02"),
        (instead(REGISTER, with_null).await, "DC-03"),
    ] {
        let (code, said) = examined(&world, &format!("{} --register", server.0.uri())).await;
        let found = wrong(&said);
        assert!(found.iter().any(|(id, _)| id == expected), "{expected}: {found:?}");
        let fails = found.iter().any(|(_, verdict)| verdict == "fail");
        assert_eq!(code, Some(i32::from(fails)), "{expected}: {found:?}");
    }
}

#[tokio::test]
async fn what_a_document_names_elsewhere_is_not_asked() {
    let world = World::start(Backend::Sqlite).await;
    let other = MockServer::start().await;
    let there = format!("{}{KEYS}", other.uri());
    let server = Good::start().await.with(SERVER, "jwks_uri", json!(there)).await;
    let (code, _) = examined(&world, &server.0.uri()).await;
    assert_eq!(code, Some(1));
    assert_eq!(other.received_requests().await.unwrap().len(), 0);
    // Without the flag nothing is registered, and no request carries a credential.
    let asked = server.0.received_requests().await.unwrap();
    assert!(asked.iter().all(|it| it.url.path() != REGISTER && !it.headers.contains_key("cookie")));
    assert!(asked.iter().all(|it| !it.headers.contains_key("authorization")));
}

#[tokio::test]
async fn who_is_not_there_is_said_to_be_unreachable() {
    let world = World::start(Backend::Sqlite).await;
    let url = format!("http://127.0.0.1:{}", crate::support::free_port());
    let (code, said) = examined(&world, &url).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(wrong(&said).iter().any(|(id, _)| id == "PRM-02"), "{said}");
    assert!(said.to_string().contains("cannot be reached"), "{said}");
    assert_eq!(examined(&world, "nonsense").await.0, Some(1));
}
