//! Houses that walks begin at, and clients that wait for the answer.

use serde_json::{Value, json};

use crate::site::{CALLBACK, Site};
use crate::support::admin::ALICE_ADMINISTERS;
use crate::support::answer::query;
use crate::support::{Answer, Backend, DAY, OAuthClient, Person, Tokens, World};
use crate::web::Web;

/// Where a house is known in public, in the walks over TLS.
pub const PUBLIC_URL: &str = "https://docs.example.com";
pub const PUBLIC_NAME: &str = "docs.example.com";
/// A client on the web.
pub const CLIENT_NAME: &str = "client.example.com";

const DEV: [(&str, &str); 3] =
    [("dev", "true"), ("upstream_issuer", "unset"), ("upstream_client_id", "unset")];

/// A house as on a first run: on loopback, with the built-in provider and its form.
pub async fn first_run() -> World {
    World::with(Backend::Sqlite, &DEV).await
}

/// A client on this machine that answers are sent to.
pub async fn native_client(world: &World, name: &str, site: &Site) -> OAuthClient {
    let client = world.client(name).await;
    OAuthClient { redirect_uri: site.at(CALLBACK), ..client }
}

const KEPT: (&str, &str) = ("keep_queries", "true");
const OFTEN: (&str, &str) = ("limit_register", "1000/1h");

/// A house that Alice administers, after some busy days; somebody's identifier.
pub async fn busy_house() -> (World, String) {
    let world = World::with(Backend::Sqlite, &[ALICE_ADMINISTERS, KEPT, OFTEN]).await;
    let mut somebody = String::new();
    let programs =
        ["Claude Code", "Cursor", "=cmd|' /C calc'!A1 <b>Chat</b>", "Visual Studio Code"];
    for (number, program) in programs.iter().enumerate() {
        world.advance(DAY * u32::try_from(number).expect("a few"));
        let client = world.client(program).await;
        for (name, domain) in [
            ("alice", "example.com"),
            ("bob", "subsidiary-with-a-long-name.example.org"),
            ("carol", "münchen.example"),
            ("dan", "gmail.com"),
        ] {
            let email = json!(format!("{name}@{domain}"));
            let person = Person::named(name).with("email", email);
            let person = person.with("org_id", Value::Null).with("org_name", Value::Null);
            let end = client.walk(&world, &mut world.browser(), &person, &[]).await;
            let code = query(&end, "code").expect("a code");
            let tokens = Tokens::of(&client.exchange(&code).await);
            let mcp = world.mcp(&tokens.access_token);
            for query in ["mooring", "harbour master", "how do I frobnicate the xyzzy"] {
                mcp.tool("search_docs", json!({ "query": query })).await.expect(200);
            }
            if name == "bob" && number == 0 {
                let sub = tokens.claims()["sub"].clone();
                sub.as_str().expect("a person").clone_into(&mut somebody);
                let arguments = json!({"category": "bug", "page_url": "https://docs.example.com/a",
                    "feedback": "The second step names a file that is gone."});
                mcp.tool("submit_documentation_feedback", arguments).await.expect(200);
            }
        }
        world.count_usage().await.expect("usage can be counted");
    }
    world.write_attempts().await;
    world.auth0.welcome(&Person::named("alice")).await;
    (world, somebody)
}

/// A house as in production: behind TLS, with a provider at which Alice is logged in.
pub struct Production {
    pub world: World,
    pub web: Web,
    /// The site of the client on the web.
    pub site: Site,
}

impl Production {
    pub async fn start() -> Self {
        Self::with(Site::start().await).await
    }

    /// The same, with a client's site of the story's making.
    pub async fn with(site: Site) -> Self {
        let world = World::with(Backend::Sqlite, &[("public_url", PUBLIC_URL)]).await;
        world.auth0.welcome(&Person::named("alice")).await;
        let web = web(&world, &site, &[]).await;
        Self { world, web, site }
    }

    /// A web with other names besides.
    pub async fn web_with(&self, names: &[(&str, u16)]) -> Web {
        web(&self.world, &self.site, names).await
    }

    /// Where the browser is sent to ask for a code.
    pub fn authorize_url(&self, client: &OAuthClient, changes: &[(&str, &str)]) -> String {
        client.at(&self.world.url).authorize_url(changes)
    }
}

async fn web(world: &World, site: &Site, names: &[(&str, u16)]) -> Web {
    let house = reqwest::Url::parse(&world.local).expect("a URL").port().expect("a port");
    let mut all = vec![(PUBLIC_NAME, house), (CLIENT_NAME, site.port)];
    all.extend(names);
    Web::start(&all).await
}

/// The code that came to a client opens `/mcp`.
pub async fn opens_the_door(world: &World, client: &OAuthClient, received: &str) -> Value {
    let received = format!("{}{received}", world.local);
    assert_eq!(query(&received, "state").as_deref(), Some("client-state"), "{received}");
    assert_eq!(query(&received, "iss").as_deref(), Some(world.url.as_str()), "{received}");
    let code = query(&received, "code").unwrap_or_else(|| panic!("no code in {received}"));
    let tokens = Tokens::of(&client.exchange(&code).await);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let request = world.mcp(&tokens.access_token).request(&ping);
    // As the proxy hands it on.
    let host = world.url.split("://").last().expect("a URL has a host");
    Answer::to(request.header("host", host)).await.expect(200);
    tokens.claims()
}
