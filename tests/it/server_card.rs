//! What the server says of itself before anybody connects: the server card, `server.json`, and the
//! page of the OpenAPI document. ST-20, ST-26 and PRM-02 from outside, and CO-01 of the documents.

use serde_json::{Value, json};

use crate::support::{Answer, Backend, McpClient, World, on_both};

const CARD: &str = "/.well-known/mcp/server-card.json";

async fn get(world: &World, path: &str) -> Answer {
    Answer::of(world.http.get(world.at(path)).send().await.unwrap()).await
}

/// What the schemas of the card (v1 of SEP-2127) and of `server.json` (2025-12-11) both ask for.
fn check_identity(document: &Value) {
    let text = |key: &str| document[key].as_str().unwrap_or_else(|| panic!("{key}: {document}"));
    let chars = |key: &str| text(key).chars().count();
    assert!((3..=200).contains(&chars("name")), "{document}");
    let (namespace, name) = text("name").split_once('/').expect("one slash");
    let is_plain = |part: &str, joints: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || joints.contains(c))
    };
    assert!(is_plain(namespace, ".-") && is_plain(name, "._-"), "{document}");
    assert!((1..=100).contains(&chars("title")) && (1..=100).contains(&chars("description")));
    let version: Vec<_> = text("version").split('.').collect();
    assert!(version.len() == 3 && version.iter().all(|part| part.parse::<u32>().is_ok()));
    for address in [&document["websiteUrl"], &document["remotes"][0]["url"]] {
        reqwest::Url::parse(address.as_str().expect("an address")).expect("a URL");
    }
    assert_eq!(document["remotes"].as_array().map(Vec::len), Some(1));
    assert_eq!(document["remotes"][0]["type"], "streamable-http");
}

/// The result of a method of revision 2026-07-28.
async fn discovered(world: &World, token: &str, method: &str) -> Value {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta}});
    let request = McpClient::new(world, Some(token)).request(&body);
    let mut request = request.build().unwrap();
    let headers = request.headers_mut();
    headers.insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
    headers.insert("mcp-method", method.parse().unwrap());
    let answer = Answer::of(world.http.execute(request).await.unwrap()).await.expect(200);
    answer.json()["result"].clone()
}

on_both! {
    async fn the_card_says_what_a_client_finds_when_it_connects(backend: Backend) {
        let world = World::start(backend).await;
        let card = get(&world, CARD).await.expect(200).json();
        check_identity(&card);
        let token = world.client("editor").await.signed_in(&world, "alice").await.access_token;
        let found = discovered(&world, &token, "server/discover").await;
        let info = &found["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert_eq!(card["serverInfo"]["name"], info["name"]);
        for key in ["title", "version", "websiteUrl"] {
            assert_eq!(card[key], info[key], "{key}");
        }
        let remote = &card["remotes"][0];
        assert_eq!(remote["supportedProtocolVersions"], found["supportedVersions"]);
        assert_eq!(card["protocolVersion"], found["supportedVersions"][0]);
        assert_eq!(card["capabilities"], found["capabilities"]);
        assert_eq!(card["tools"], discovered(&world, &token, "tools/list").await["tools"]);
    }

    async fn the_card_leads_to_the_endpoint_and_to_the_sign_in(backend: Backend) {
        let world = World::start(backend).await;
        let card = get(&world, CARD).await.expect(200).json();
        let authentication = &card["authentication"];
        let metadata = authentication["resourceMetadata"].as_str().unwrap();
        let described = Answer::to(world.http.get(metadata)).await.expect(200).json();
        let endpoint = &card["remotes"][0]["url"];
        assert_eq!(&described["resource"], endpoint);
        assert_eq!(&card["transport"]["endpoint"], endpoint);
        let refused = Answer::to(world.http.post(endpoint.as_str().unwrap())).await.expect(401);
        assert!(refused.header("www-authenticate").unwrap().contains(metadata));
        assert_eq!(authentication["required"], true);
        assert_eq!(authentication["schemes"], json!(["bearer", "oauth2"]));
        assert_eq!(
            card["$schema"],
            "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
        );
    }

    async fn the_card_of_a_server_that_lets_people_read_says_so(backend: Backend) {
        for (mode, required) in [("grace", false), ("open", false), ("enforce", true)] {
            let world = World::with(backend, &[("auth", mode)]).await;
            let card = get(&world, CARD).await.json();
            assert_eq!(card["authentication"]["required"], required, "{mode}");
        }
    }

    async fn a_named_server_hands_a_registry_its_document(backend: Backend) {
        let world = World::with(backend, &[("server_name", "com.example/docs")]).await;
        let answer = get(&world, "/server.json").await.expect(200);
        assert!(answer.header("content-type").unwrap().starts_with("application/json"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let document = answer.json();
        check_identity(&document);
        assert_eq!(document, json!({
            "$schema":
                "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": "com.example/docs",
            "title": "Example documentation",
            "description": "Search and read the Example documentation.",
            "version": env!("CARGO_PKG_VERSION"),
            "websiteUrl": world.url,
            "remotes": [{"type": "streamable-http", "url": world.at("/mcp")}],
        }));
        assert_eq!(get(&world, CARD).await.json()["name"], "com.example/docs");
    }

    async fn a_server_without_a_name_says_which_setting_gives_it_one(backend: Backend) {
        let world = World::start(backend).await;
        let answer = get(&world, "/server.json").await.expect_error(404, "not_found");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("server_name") && message.contains("com.example/docs"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(get(&world, CARD).await.json()["name"], "localhost/mcp");
    }

    async fn the_longest_product_name_fits_both_documents(backend: Backend) {
        let product = "ü".repeat(60);
        let settings = [("docs_product", product.as_str()), ("server_name", "com.example/docs")];
        let world = World::with(backend, &settings).await;
        check_identity(&get(&world, CARD).await.json());
        check_identity(&get(&world, "/server.json").await.json());
    }

    async fn the_api_can_be_browsed_without_a_script(backend: Backend) {
        let world = World::start(backend).await;
        let page = get(&world, "/reference").await.expect(200);
        assert!(page.header("content-type").unwrap().starts_with("text/html"));
        assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
        for path in ["POST /oauth/token", "GET /.well-known/mcp/server-card.json", "GET /readyz"] {
            assert!(page.body.contains(&format!("<code>{path}</code>")), "{path}");
        }
        assert!(page.body.contains("href=\"/openapi.yaml\""));
        // Every link within the page leads somewhere.
        let links = page.body.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        for link in links {
            assert!(page.body.contains(&format!(" id=\"{link}\"")), "{link}");
        }
        let head = world.http.head(world.at("/reference")).send().await.unwrap();
        assert_eq!(head.status(), 200);
        let posted = Answer::to(world.http.post(world.at("/reference"))).await.expect(405);
        assert_eq!(posted.header("allow"), Some("GET, HEAD"));
    }
}
