//! A client of `/mcp` that speaks revision 2025-11-25 without a session.

use serde_json::{Value, json};

use super::{Answer, World};

#[derive(Clone)]
pub struct McpClient {
    endpoint: String,
    access_token: Option<String>,
    http: reqwest::Client,
}

impl McpClient {
    pub fn new(world: &World, access_token: Option<&str>) -> Self {
        Self {
            endpoint: world.at("/mcp"),
            access_token: access_token.map(str::to_owned),
            http: world.http.clone(),
        }
    }

    /// The same client with another token.
    pub fn with_token(mut self, access_token: &str) -> Self {
        self.access_token = Some(access_token.to_owned());
        self
    }

    /// The same client, talking to another replica.
    pub fn at(mut self, url: &str) -> Self {
        self.endpoint = format!("{url}/mcp");
        self
    }

    pub fn request(&self, body: &Value) -> reqwest::RequestBuilder {
        let request = self
            .http
            .post(&self.endpoint)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(body);
        match &self.access_token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn call(&self, method: &str, params: Value) -> Answer {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        Answer::to(self.request(&body)).await
    }

    /// Calls a tool.
    pub async fn tool(&self, name: &str, arguments: Value) -> Answer {
        self.call("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// The cheapest call that needs a good token.
    pub async fn ping(&self) -> Answer {
        self.call("ping", json!({})).await
    }
}
