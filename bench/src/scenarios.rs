//! What is measured, by name.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::load::{Visitor, drive};
use crate::provider::Provider;
use crate::server::Server;
use crate::visitors::{Asking, Codes, Exchanging, Refreshing, Registering, SignedIn, SigningIn};

/// Every scenario, and what it does. One that needs codes comes after the one that makes them.
pub const SCENARIOS: &[(&str, &str)] = &[
    ("authorize", "consent page, decision, way back from the provider: three requests to a code"),
    ("exchange", "a code for tokens"),
    ("refresh", "a chain of refresh tokens for each connection"),
    ("register", "software that nobody has seen"),
    ("list", "`tools/list` with a token, 2025-11-25"),
    ("list-modern", "the same, 2026-07-28"),
    ("search", "`search_docs`"),
    ("read", "`read_page`"),
    ("no-token", "`tools/list` without a token: 401"),
    ("bad-token", "`tools/list` with a token that was altered: 401"),
    ("metadata", "`/.well-known/oauth-authorization-server`"),
    ("jwks", "`/.well-known/jwks.json`"),
];

const QUESTIONS: &[&str] = &[
    "how do I configure TLS",
    "create a topic",
    "rotate signing keys",
    "upgrade without downtime",
    "limits per person",
    "connect a client",
    "disk is full",
    "metrics for Prometheus",
];

/// What visitors share.
#[derive(Clone)]
pub struct Ground {
    /// The double.
    pub provider: Provider,
    /// Codes that wait.
    pub codes: Codes,
    /// Programs whose tokens nobody is using just now.
    pub signed_in: Arc<Mutex<Vec<SignedIn>>>,
    /// A page that is there.
    pub page: String,
}

impl Ground {
    /// An empty one.
    pub fn new(provider: &Provider) -> Self {
        let (codes, signed_in) = (Codes::default(), Arc::default());
        Self { provider: provider.clone(), codes, signed_in, page: String::new() }
    }

    fn count(&self) -> usize {
        self.signed_in.lock().map_or(0, |signed_in| signed_in.len())
    }

    /// Signs programs in until there are so many, by the front door.
    pub async fn mint(&self, server: &Server, count: usize) -> Result<(), String> {
        while self.count() < count {
            for name in ["authorize", "exchange"] {
                let visitors = self.visitors(name, 16)?;
                let none = Duration::ZERO;
                let driven = drive(server.address, visitors, none, Duration::from_secs(1)).await;
                if let Some(failure) = driven.first_failure {
                    return Err(format!("{name}: {failure}"));
                }
            }
        }
        Ok(())
    }

    fn any_token(&self) -> Result<String, String> {
        let signed_in = self.signed_in.lock().map_err(|error| error.to_string())?;
        signed_in.first().map(|it| it.access_token.clone()).ok_or("nobody is signed in".to_owned())
    }

    /// So many visitors for a scenario.
    pub fn visitors(&self, name: &str, count: usize) -> Result<Vec<Box<dyn Visitor>>, String> {
        (0..count).map(|number| self.visitor(name, number)).collect()
    }

    fn visitor(&self, name: &str, number: usize) -> Result<Box<dyn Visitor>, String> {
        let call = |method: &str, params: Value, holds| {
            self.any_token().map(|token| Asking::call(Some(&token), method, params, holds))
        };
        Ok(match name {
            "authorize" => Box::new(SigningIn::new(&self.provider, &self.codes, number)),
            "exchange" => Box::new(Exchanging::new(&self.codes, &self.signed_in)),
            "refresh" => Box::new(Refreshing::new(&self.signed_in)?),
            "register" => Box::new(Registering::new()),
            "list" => Box::new(call("tools/list", json!({}), "search_docs")?),
            "list-modern" => Box::new(call("tools/list", json!({}), "search_docs")?.modern()),
            "search" => {
                let query = QUESTIONS[number % QUESTIONS.len()];
                let arguments = json!({ "name": "search_docs", "arguments": { "query": query } });
                Box::new(call("tools/call", arguments, "\"isError\":false")?)
            }
            "read" => {
                let arguments = json!({ "name": "read_page", "arguments": { "path": self.page } });
                Box::new(call("tools/call", arguments, "\"isError\":false")?)
            }
            "no-token" => {
                let asking = Asking::call(None, "tools/list", json!({}), "");
                Box::new(asking.refused(StatusCode::UNAUTHORIZED))
            }
            "bad-token" => {
                let token = self.any_token()?;
                // Another last letter would be another spelling of the same bytes, maybe.
                let token = format!("{}AAAA", &token[..token.len() - 4]);
                let asking = Asking::call(Some(&token), "tools/list", json!({}), "");
                Box::new(asking.refused(StatusCode::UNAUTHORIZED))
            }
            "metadata" => {
                Box::new(Asking::page("/.well-known/oauth-authorization-server", "\"issuer\""))
            }
            "jwks" => Box::new(Asking::page("/.well-known/jwks.json", "\"keys\"")),
            "empty" => Box::new(Asking::page("/", "{}")),
            "bare" => Box::new(Asking::call(None, "tools/list", json!({}), "search_docs")),
            _ => return Err(format!("there is no scenario {name}")),
        })
    }

    /// What a method of `/mcp` results in.
    pub async fn result(
        &self,
        server: &Server,
        method: &str,
        params: Value,
    ) -> Result<Value, String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let asked = reqwest::Client::new()
            .post(format!("http://{}/mcp", server.address))
            .bearer_auth(self.any_token()?)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&body)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let answer: Value = asked.json().await.map_err(|error| error.to_string())?;
        Ok(answer["result"].clone())
    }
}
