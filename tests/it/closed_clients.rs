//! What closed products send, replayed: each ends with a token that works at `/mcp` (CF of the
//! requirements; open clients are run themselves, see `mcp_client`).

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::answer::query;
use crate::support::browser::form;
use crate::support::oauth_client::{VERIFIER, post_json};
use crate::support::publisher::READS_LOOPBACK;
use crate::support::{Answer, Backend, OAuthClient, Person, Publisher, Tokens, World, on_both};

/// A client as it registers, and the redirect it then uses.
async fn registered(world: &World, metadata: &Value, redirect_uri: &str) -> OAuthClient {
    let answer = post_json(world, "/oauth/register", metadata).await.expect(201).json();
    OAuthClient {
        client_id: answer["client_id"].as_str().expect("an identifier").to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        url: world.local.clone(),
        http: world.http.clone(),
    }
}

async fn is_admitted(world: &World, tokens: &Tokens) {
    world.mcp(&tokens.access_token).ping().await.expect(200);
}

/// What VS Code registers.
pub fn vs_code() -> Value {
    json!({
        "client_name": "Visual Studio Code", "client_uri": "https://code.visualstudio.com",
        "grant_types": ["authorization_code", "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code"],
        "response_types": ["code"], "token_endpoint_auth_method": "none",
        "redirect_uris": ["https://insiders.vscode.dev/redirect", "https://vscode.dev/redirect",
            "http://127.0.0.1/", "http://127.0.0.1:33418/"],
        "application_type": "native",
    })
}

fn claude() -> Value {
    json!({
        "client_name": "Claude", "client_uri": "https://claude.ai",
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none", "scope": "claudeai",
    })
}

on_both! {
    async fn published_documents_of_closed_clients_end_with_a_token_that_works(backend: Backend) {
        let world = World::with(backend, &[READS_LOOPBACK]).await;
        let (publisher, resource) = (Publisher::start().await, world.at("/mcp"));
        // CF-08: no port is published, and one is used.
        let claude_code = json!({
            "client_id": publisher.client_id("claude-code"), "client_name": "Claude Code",
            "client_uri": "https://claude.ai",
            "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"], "token_endpoint_auth_method": "none",
        });
        // CF-09: it could sign assertions, and says that it need not.
        let chatgpt = json!({
            "client_id": publisher.client_id("chatgpt"), "client_name": "ChatGPT",
            "client_uri": "https://chatgpt.com", "logo_uri": "https://chatgpt.com/logo.png",
            "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "jwks_uri": "https://chatgpt.com/oauth/jwks.json",
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "token_endpoint_auth_signing_alg": "RS256",
        });
        for (name, document, redirect_uri) in [
            ("claude-code", &claude_code, "http://localhost:3118/callback"),
            ("claude-code", &claude_code, "http://127.0.0.1:52314/callback"),
            ("chatgpt", &chatgpt, "https://chatgpt.com/connector_platform_oauth_redirect"),
        ] {
            publisher.publish(name, document).await;
            let client = publisher.client_of(&world, name, redirect_uri);
            let with_resource = [("resource", resource.as_str()), ("scope", "docs:read")];
            let tokens = client.signed_in_with(&world, "alice", &with_resource).await;
            is_admitted(&world, &tokens).await;
            let renewed = Tokens::of(&client.refresh(tokens.refresh_token()).await);
            is_admitted(&world, &renewed).await;
        }
        // The list of methods is read: without `none` in it the client is not public.
        let mut confidential = chatgpt.clone();
        confidential["client_id"] = json!(publisher.client_id("other"));
        confidential["token_endpoint_auth_methods_supported"] = json!(["private_key_jwt"]);
        publisher.publish("other", &confidential).await;
        let other = publisher.client_of(&world, "other", "https://chatgpt.com/other");
        world.browser().get(&other.authorize_url(&[])).await.expect(400);
    }

    async fn registrations_of_closed_clients_end_with_a_token_that_works(backend: Backend) {
        let world = World::start(backend).await;
        let resource = world.at("/mcp");
        let vs_code = vs_code();
        let cursor = json!({
            "client_name": "Cursor", "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback",
                "http://localhost:8787/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback"],
        });
        let inspector = json!({
            "client_name": "MCP Inspector", "scope": "", "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["http://localhost:6274/oauth/callback"],
        });
        let python = json!({
            "client_name": "Python", "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["http://localhost:3030/callback"],
        });
        let with_resource = [("resource", resource.as_str())];
        for (metadata, redirect_uri, changes) in [
            // CF-01, its port taken, and in the browser.
            (&vs_code, "http://127.0.0.1:51234/", &with_resource[..]),
            (&vs_code, "https://vscode.dev/redirect", &with_resource),
            // CF-02.
            (&cursor, "cursor://anysphere.cursor-mcp/oauth/callback", &with_resource),
            // CF-03, CF-04.
            (&inspector, "http://localhost:6274/oauth/callback", &with_resource),
            (&python, "http://localhost:3030/callback", &with_resource),
            // CF-06 and CF-07: the consent is asked for, and no resource is known.
            (&python, "http://localhost:3030/callback", &[("prompt", "consent")]),
            (&python, "http://localhost:3030/callback", &[]),
        ] {
            let client = registered(&world, metadata, redirect_uri).await;
            let tokens = client.signed_in_with(&world, "alice", changes).await;
            is_admitted(&world, &tokens).await;
            is_admitted(&world, &Tokens::of(&client.refresh(tokens.refresh_token()).await)).await;
        }
    }

    /// CF-10: it registers twice per attempt, and asks for scopes with two blanks between them.
    async fn a_client_that_registers_twice_at_once_uses_either(backend: Backend) {
        let world = World::start(backend).await;
        let redirect_uri = "https://claude.ai/api/mcp/auth_callback";
        let metadata = claude();
        let (first, second) = tokio::join!(
            registered(&world, &metadata, redirect_uri),
            registered(&world, &metadata, redirect_uri)
        );
        assert_eq!(first.client_id, second.client_id);
        for client in [first, second] {
            let scope = [("scope", "docs:read  offline_access")];
            let tokens = client.signed_in_with(&world, "alice", &scope).await;
            is_admitted(&world, &tokens).await;
        }
    }

    /// CF-11: revision 2025-03-26 knows no resource metadata and no `resource`; it takes the
    /// endpoints from the origin, or from nowhere.
    async fn a_client_of_the_first_revision_signs_in_at_the_old_paths(backend: Backend) {
        let world = World::start(backend).await;
        let answer = post_json(&world, "/register", &claude()).await.expect(201).json();
        let client_id = answer["client_id"].as_str().unwrap().to_owned();
        let redirect_uri = "https://claude.ai/api/mcp/auth_callback".to_owned();
        let (url, http) = (world.local.clone(), world.http.clone());
        let client = OAuthClient { client_id, redirect_uri, url, http };

        let mut browser = world.browser();
        let address = client.authorize_url(&[]).replace("/oauth/authorize", "/authorize");
        let page = browser.get(&address).await.expect(200).body;
        assert_eq!(form(&page).action, "/oauth/consent");
        let provider = client.decide(&mut browser, &page, "approve").await.location();
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        let code = query(&browser.get(&callback).await.location(), "code").expect("a code");
        let fields = [
            ("grant_type", "authorization_code"), ("client_id", client.client_id.as_str()),
            ("code", &code), ("code_verifier", VERIFIER), ("redirect_uri", &client.redirect_uri),
        ];
        is_admitted(&world, &Tokens::of(&client.post("/token", &fields).await)).await;
    }

    /// CF-12: several processes of one client share its store and refresh when the token is old.
    async fn five_processes_that_refresh_one_token_stay_signed_in(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let refresh = || {
            let (client, old) = (client.clone(), tokens.refresh_token().to_owned());
            tokio::spawn(async move { client.refresh(&old).await })
        };
        let processes: Vec<_> = (0..5).map(|_| refresh()).collect();
        let mut answers: Vec<Answer> = Vec::new();
        for process in processes {
            answers.push(process.await.unwrap());
        }
        let tokens: Vec<_> = answers.iter().map(Tokens::of).collect();
        let successors: HashSet<_> = tokens.iter().map(Tokens::refresh_token).collect();
        assert_eq!(successors.len(), 1);
        for tokens in &tokens {
            is_admitted(&world, tokens).await;
        }
    }
}
