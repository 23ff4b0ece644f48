//! How long the parts of a request take that ask nobody, one by one:
//! `cargo bench --package gatehouse-bench`. What they allocate is held by `tests/ceilings`.

// What the macros of criterion make says nothing of itself.
#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use gatehouse::cli::house::{House, Texts, open_library, open_reference};
use gatehouse::clock::{SystemClock, Timestamp};
use gatehouse::config::Config;
use gatehouse::config::layers::Given;
use gatehouse::docs::library::{Library, SearchQuery, Settings};
use gatehouse::docs::{asciidoc, markdown};
use gatehouse::domain::access_token::{Claims, NewToken, Profile, issue};
use gatehouse::domain::pkce::CodeChallenge;
use gatehouse::domain::redirect_uri::{RedirectUri, Target, TrustedRedirect};
use gatehouse::domain::scope::{Scope, ScopeSet};
use gatehouse::id::{GrantId, UserId};
use gatehouse::page::consent::{self, ConsentContext};
use gatehouse::page::notice::{self, NoticeContext};
use gatehouse::secret::{Secret, SystemEntropy};
use gatehouse::store::{Store, schema};
use poem::http::Method;
use poem::{Endpoint as _, Request};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REFRESH_TOKEN: &str = "ghr_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A house on SQLite that is asked without a socket.
struct Inside {
    house: House,
    runtime: Runtime,
    _folder: TempDir,
}

impl Inside {
    fn signing_with(algorithm: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let database = format!("sqlite://{}?mode=rwc", folder.path().join("g.db").display());
        let flags = [
            ("auth", "open"),
            ("database_url", &database),
            ("dev", "true"),
            // So many that nothing is refused for its number.
            ("limit_mcp_anonymous", "1000000000/1m"),
            ("public_url", "http://127.0.0.1:8080"),
            ("secret", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("signing_alg", algorithm),
        ];
        let flags = flags.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let given = Given {
            flags: BTreeMap::from(flags),
            environment: Vec::new(),
            folder: folder.path().to_owned(),
        };
        let house = runtime.block_on(built(&given));
        Self { house, runtime, _folder: folder }
    }

    fn token(&self) -> (Claims, String) {
        let gatehouse = &self.house.gatehouse;
        let now = gatehouse.clock.now();
        let claims = issue(NewToken {
            issuer: &gatehouse.config.public_url,
            resource: &gatehouse.resource,
            user_id: UserId::generate(&SystemEntropy, now),
            client_id: "019a0000-0000-7000-8000-000000000000",
            grant_id: GrantId::generate(&SystemEntropy, now),
            scope: ScopeSet::known_in("openid docs:read docs:feedback"),
            profile: &Profile::default(),
            jti: "019a0000-0000-7000-8000-000000000001".to_owned(),
            issued_at: now,
            expires_at: Timestamp::from_seconds(now.seconds() + 3600),
        });
        let token = gatehouse.keyring.sign(&claims);
        (claims, token)
    }

    /// The answer to a call of `/mcp`, read to the end.
    fn mcp(&self, body: String) -> Vec<u8> {
        let request = Request::builder()
            .method(Method::POST)
            .uri_str("/mcp")
            .header("host", "127.0.0.1:8080")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .content_type("application/json")
            .body(body);
        self.runtime.block_on(async {
            let response = self.house.endpoints.public.call(request).await.expect("it answers");
            assert!(response.status().is_success(), "{}", response.status());
            response.into_body().into_vec().await.expect("the answer is whole")
        })
    }
}

async fn built(given: &Given) -> House {
    let config = Config::load(given).expect("the settings are good");
    let store = Store::connect(&config.database_url).await.expect("the folder is writable");
    schema::up(&store).await.expect("migrations run");
    let texts = Texts {
        library: Arc::new(open_library(&config).expect("the manual is compiled in")),
        reference: Arc::new(open_reference(&config).expect("our own API can be read")),
    };
    let house = House::build(config, store, texts, Arc::new(SystemClock), Arc::new(SystemEntropy));
    house.await.expect("the house can be built")
}

fn tokens(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tokens");
    for algorithm in ["RS256", "ES256"] {
        let inside = Inside::signing_with(algorithm);
        let (claims, token) = inside.token();
        let keyring = &inside.house.gatehouse.keyring;
        assert!(keyring.verify(&token).is_ok(), "{algorithm}");
        group.bench_function(format!("sign {algorithm}"), |timer| {
            timer.iter(|| keyring.sign(black_box(&claims)));
        });
        group.bench_function(format!("verify {algorithm}"), |timer| {
            timer.iter(|| keyring.verify(black_box(&token)));
        });
    }
    let token = Secret::presented(REFRESH_TOKEN.to_owned());
    group.bench_function("hash", |timer| timer.iter(|| black_box(&token).hash()));
    let challenge = CodeChallenge::of_verifier(VERIFIER);
    assert!(challenge.is_met_by(VERIFIER));
    group.bench_function("PKCE", |timer| {
        timer.iter(|| challenge.is_met_by(black_box(VERIFIER)));
    });
    group.finish();
}

fn redirects(criterion: &mut Criterion) {
    let parse = |text| RedirectUri::parse(text, &[]).expect("it may be registered");
    let registered = [
        "https://client.example.com/callback",
        "http://localhost/callback",
        "http://127.0.0.1/callback",
    ];
    let registered = registered.map(parse);
    let presented = "http://127.0.0.1:49152/callback";
    assert!(TrustedRedirect::match_registered(presented, &registered).is_some());
    let mut group = criterion.benchmark_group("redirect URIs");
    group.bench_function("read", |timer| {
        timer.iter(|| parse(black_box("https://client.example.com/callback")));
    });
    group.bench_function("match on loopback", |timer| {
        timer.iter(|| TrustedRedirect::match_registered(black_box(presented), &registered));
    });
    group.finish();
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn docs(criterion: &mut Criterion) {
    let (as_markdown, as_asciidoc) = (
        include_str!("../../tests/ceilings/page.md"),
        include_str!("../../tests/ceilings/page.adoc"),
    );
    let settings = Settings { folders: vec![in_repository("docs")], site_url: None };
    let library = Library::open(settings).expect("docs/ is readable");
    let query = SearchQuery { text: "how do I rotate signing keys", limit: 5, max_chars: 8000 };
    assert!(library.search(&query).is_ok_and(|hits| !hits.is_empty()));
    let mut group = criterion.benchmark_group("docs");
    group.bench_function("read Markdown", |timer| {
        timer.iter(|| markdown::read(black_box(as_markdown), "page.md"));
    });
    group.bench_function("read AsciiDoc", |timer| {
        timer.iter(|| asciidoc::read_alone(black_box(as_asciidoc), "page.adoc"));
    });
    group.bench_function("search docs/", |timer| {
        timer.iter(|| library.search(black_box(&query)));
    });
    group.finish();
}

fn answers(criterion: &mut Criterion) {
    let inside = Inside::signing_with("ES256");
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let list = list.to_string();
    let answer = inside.mcp(list.clone());
    assert!(String::from_utf8_lossy(&answer).contains("search_docs"));
    let gatehouse = &inside.house.gatehouse;
    let consent = ConsentContext {
        frame: gatehouse.frame(),
        client_name: Some("An editor"),
        publisher: None,
        redirect_uri: "http://127.0.0.1:49152/callback",
        redirect_origin: "http://127.0.0.1:49152",
        redirect_target: Target::Loopback,
        borrowed_name: None,
        scopes: vec![Scope::DocsRead, Scope::DocsFeedback],
        resource: gatehouse.resource.as_str(),
        kept: gatehouse.kept(),
        signup_url: None,
        privacy_url: None,
        sealed_request: REFRESH_TOKEN,
    };
    let notice = NoticeContext {
        frame: gatehouse.frame(),
        title: "This link is used up",
        message: "The sign-in was finished already, or it took too long.",
        advice: "Go back to your program and begin again.",
        link: None,
        reference: Some("1f-2"),
    };
    let mut group = criterion.benchmark_group("answers");
    group.bench_function("tools/list", |timer| timer.iter(|| inside.mcp(list.clone())));
    group.bench_function("consent page", |timer| {
        timer.iter(|| consent::render(black_box(&consent)));
    });
    group.bench_function("notice", |timer| timer.iter(|| notice::render(black_box(&notice))));
    group.finish();
}

criterion_group!(parts, tokens, redirects, docs, answers);
criterion_main!(parts);
