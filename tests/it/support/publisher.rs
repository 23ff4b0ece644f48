//! A web server that publishes metadata documents of clients.

use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{OAuthClient, World};

/// Settings of a house that reads documents from this machine.
pub const READS_LOOPBACK: (&str, &str) = ("cimd_allow_loopback", "true");

pub struct Publisher(MockServer);

impl Publisher {
    pub async fn start() -> Self {
        Self(MockServer::start().await)
    }

    /// The address of a document, and thereby the identifier of its client.
    pub fn client_id(&self, name: &str) -> String {
        format!("http://localhost:{}/{name}.json", self.0.address().port())
    }

    /// A document as most clients have it.
    pub fn document(&self, name: &str, redirect_uris: &[&str]) -> Value {
        json!({
            "client_id": self.client_id(name),
            "client_name": name,
            "redirect_uris": redirect_uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        })
    }

    /// From now on the document of `name` is this.
    pub async fn publish(&self, name: &str, document: &Value) {
        self.answer(name, ResponseTemplate::new(200).set_body_json(document)).await;
    }

    /// From now on the address of `name` answers like this, and no other answers at all.
    pub async fn answer(&self, name: &str, answer: ResponseTemplate) {
        self.forget().await;
        Mock::given(path(format!("/{name}.json"))).respond_with(answer).mount(&self.0).await;
    }

    /// Publishes a document and is its client.
    pub async fn client(&self, world: &World, name: &str, redirect_uris: &[&str]) -> OAuthClient {
        self.publish(name, &self.document(name, redirect_uris)).await;
        self.client_of(world, name, redirect_uris[0])
    }

    /// The client of a document, whatever is published.
    pub fn client_of(&self, world: &World, name: &str, redirect_uri: &str) -> OAuthClient {
        OAuthClient {
            client_id: self.client_id(name),
            redirect_uri: redirect_uri.replace("127.0.0.1/", "127.0.0.1:49152/"),
            url: world.local.clone(),
            http: world.http.clone(),
        }
    }

    /// How often anything was fetched since the last change.
    pub async fn fetches(&self) -> usize {
        self.0.received_requests().await.expect("requests are recorded").len()
    }

    /// From now on nothing is there.
    pub async fn forget(&self) {
        self.0.reset().await;
    }

    pub fn uri(&self) -> String {
        self.0.uri()
    }
}
