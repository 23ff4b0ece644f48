//! A real client: the official Rust SDK with its own OAuth code, from the bare address to answers
//! (CF-05 of the requirements).

use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationManager, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};

use crate::support::{Backend, Person, World, on_both};

/// Signs in as the SDK does, with a person at the browser.
async fn signed_in(world: &World, scopes: &[&str]) -> AuthorizationManager {
    let mut state = OAuthState::new(world.at("/mcp"), None).await.expect("a state");
    let request = AuthorizationRequest::new("http://127.0.0.1:7777/callback")
        .with_client_name("rmcp")
        .with_scopes(scopes.iter().copied())
        .with_initial_scope_selection();
    state.start_authorization(request).await.expect("discovery and registration work");
    let authorize = state.get_authorization_url().await.expect("an address");
    let mut browser = world.browser();
    let page = browser.get(&authorize).await.expect(200);
    let client = world.client("only for its hands").await;
    let location = client.decide(&mut browser, &page.body, "approve").await.location();
    let callback = world.auth0.log_in(&location, &Person::named("alice"));
    let end = browser.get(&callback).await.location();
    state.handle_callback_url(&end).await.expect("the code becomes tokens");
    state.into_authorization_manager().expect("it is authorized")
}

type Client = RunningService<RoleClient, ClientConfig>;

/// Connects as the SDK does.
async fn connected(world: &World, manager: AuthorizationManager) -> Client {
    let http = AuthClient::new(world.http.clone(), manager);
    let config = StreamableHttpClientTransportConfig::with_uri(world.at("/mcp"));
    let transport = StreamableHttpClientTransport::with_client(http, config);
    ClientConfig::default().serve(transport).await.expect("the handshake works")
}

async fn call(client: &Client, name: &'static str, arguments: Value) -> Result<Value, String> {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let request = CallToolRequestParams::new(name).with_arguments(arguments);
    let result = client.call_tool(request).await.map_err(|error| error.to_string())?;
    Ok(result.structured_content.expect("structured content"))
}

on_both! {
    async fn the_sdk_signs_in_by_itself_searches_reads_and_stays_signed_in(backend: Backend) {
        let world = World::start(backend).await;
        let manager = signed_in(&world, &[]).await;
        let first = manager.get_access_token().await.expect("a token");
        let refreshed = manager.refresh_token().await.expect("it stays signed in");
        assert_ne!(access_token(&refreshed), first, "a refresh gives another access token");
        let client = connected(&world, manager).await;

        let tools = client.list_all_tools().await.expect("tools");
        let names: Vec<_> = tools.iter().map(|tool| tool.name.to_string()).collect();
        for name in ["search_docs", "ask_example_question", "read_page",
            "list_api_reference_pages", "search_api_reference", "get_api_reference_content",
            "submit_documentation_feedback", "feedback_status"] {
            assert!(names.contains(&name.to_owned()), "{names:?}");
        }
        let found = call(&client, "search_docs", json!({"query": "how do I install it"})).await;
        let path = found.unwrap()["sections"][0]["path"].clone();
        let asked = json!({"question": "how do I install it", "top_k": 3});
        let asked = call(&client, "ask_example_question", asked).await.unwrap();
        assert!(!asked["sections"].as_array().unwrap().is_empty());
        let page = call(&client, "read_page", json!({"path": path})).await.unwrap();
        assert_eq!(page["path"], path);
        assert!(!page["markdown"].as_str().unwrap().is_empty());
        let found = call(&client, "search_api_reference", json!({"query": "list_berths"})).await;
        let url = found.unwrap()["pages"][0]["url"].clone();
        let asked = json!({"urls": [url]});
        let read = call(&client, "get_api_reference_content", asked).await.unwrap();
        assert_eq!(read["pages"][0]["url"], url);
        let markdown = read["pages"][0]["markdown"].as_str().unwrap();
        assert!(markdown.contains("`GET /berths`"), "{markdown}");
        client.cancel().await.expect("it ends");
    }

    async fn the_sdk_learns_which_scope_it_lacks_and_has_it_after_signing_in_again(
        backend: Backend
    ) {
        let world = World::with(backend, &[("default_scope", "docs:read")]).await;
        let feedback = json!({"feedback": "clear", "category": "other"});
        let tool = "submit_documentation_feedback";
        // Left to itself it asks for what the challenge names.
        let client = connected(&world, signed_in(&world, &[]).await).await;
        let refused = call(&client, tool, feedback.clone()).await.unwrap_err();
        assert!(refused.to_lowercase().contains("scope"), "{refused}");
        let manager = signed_in(&world, &["docs:read", "docs:feedback"]).await;
        let client = connected(&world, manager).await;
        assert_eq!(call(&client, tool, feedback).await.unwrap()["status"], "stored");
        let rows = "SELECT count(*) FROM feedback";
        assert_eq!(crate::support::database::db_number(&world.database_url, rows).await, 1);
    }
}

fn access_token(answer: &impl serde::Serialize) -> String {
    let json = serde_json::to_value(answer).expect("an answer is JSON");
    json["access_token"].as_str().expect("it has a token").to_owned()
}
