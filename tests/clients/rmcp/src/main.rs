//! Crate rmcp, the Rust SDK, as a client under test: does one step for each line it reads and says
//! in one line of JSON what it saw. `tests/clients/pupil.mjs` is at the other end.

use std::env;
use std::error::Error;
use std::io::Write as _;
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _};
use rmcp::service::{RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthorizationManager, AuthorizationRequest, OAuthState};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

/// How long an answer may keep silent.
const PATIENCE: Duration = Duration::from_secs(30);

type Failure = Box<dyn Error>;
type Connection = RunningService<RoleClient, ClientConfig>;

/// What the person running it decides.
struct Host {
    mcp_url: String,
    /// The address of the client's metadata document, when it is to introduce itself with it.
    document: Option<String>,
    browser: String,
    redirect: TcpListener,
    http: reqwest::Client,
}

impl Host {
    #[expect(clippy::disallowed_methods, reason = "its settings come from `pupil.mjs`")]
    async fn new() -> Result<Self, Failure> {
        Ok(Self {
            mcp_url: env::var("CLIENTS_MCP_URL")?,
            document: env::var("CLIENTS_DOCUMENT").ok(),
            browser: env::var("BROWSER")?,
            redirect: TcpListener::bind("127.0.0.1:0").await?,
            http: reqwest::Client::builder().no_proxy().read_timeout(PATIENCE).build()?,
        })
    }

    /// Calls without a token, learns from the challenge how to get one, and connects.
    async fn connect(&self) -> Result<Connection, Failure> {
        let config = StreamableHttpClientTransportConfig::with_uri(self.mcp_url.as_str());
        let transport =
            StreamableHttpClientTransport::with_client(self.http.clone(), config.clone());
        let refused = match lifecycle(transport).await {
            Ok(_) => return Err("it was let in without a token".into()),
            Err(refused) => refused,
        };
        let challenge = refused.auth_challenge().ok_or("no challenge")?;
        let manager = self.sign_in(challenge).await?;
        let http = AuthClient::new(self.http.clone(), manager);
        let transport = StreamableHttpClientTransport::with_client(http, config);
        Ok(lifecycle(transport).await?)
    }

    async fn sign_in(&self, challenge: &str) -> Result<AuthorizationManager, Failure> {
        let mut state = OAuthState::new(self.mcp_url.as_str(), None).await?;
        let redirect_uri = format!("http://{}/callback", self.redirect.local_addr()?);
        let mut request = AuthorizationRequest::new(redirect_uri)
            .with_client_name("Client of a test")
            .with_initial_scope_selection()
            .with_challenge(challenge);
        if let Some(document) = &self.document {
            request = request.with_client_metadata_url(document.as_str());
        }
        state.start_authorization(request).await?;
        let address = state.get_authorization_url().await?;
        let opened = Command::new(&self.browser).arg(address).status().await?;
        if !opened.success() {
            return Err("the browser could not be opened".into());
        }
        state.handle_callback_url(&self.next_redirect().await?).await?;
        state.into_authorization_manager().ok_or_else(|| "it is not authorized".into())
    }

    /// The address that the browser comes back to.
    async fn next_redirect(&self) -> Result<String, Failure> {
        loop {
            let (stream, _) = self.redirect.accept().await?;
            let mut stream = BufReader::new(stream);
            let mut request = String::new();
            stream.read_line(&mut request).await?;
            let mut header = String::from("-");
            while !header.trim().is_empty() {
                header.clear();
                stream.read_line(&mut header).await?;
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).await?;
            let path = request.split(' ').nth(1).unwrap_or_default();
            // A browser may ask for an icon as well.
            if path.starts_with("/callback?") {
                return Ok(format!("http://{}{path}", self.redirect.local_addr()?));
            }
        }
    }
}

/// Speaks the newest revision that both sides know.
async fn lifecycle<T, E, A>(transport: T) -> Result<Connection, ClientInitializeError>
where
    T: rmcp::transport::IntoTransport<RoleClient, E, A>,
    E: Error + Send + Sync + 'static,
{
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let mode = ClientLifecycleMode::Auto { preferred_versions, legacy_version: None };
    ClientConfig::default().serve_with_lifecycle(transport, mode).await
}

async fn list(connection: &Connection) -> Result<Value, ServiceError> {
    let tools = connection.list_all_tools().await?;
    let names: Vec<_> = tools.iter().map(|tool| &tool.name).collect();
    Ok(json!({"did": "list", "tools": names}))
}

async fn call(connection: &Connection) -> Result<Value, ServiceError> {
    let arguments = json!({"path": "index.md"}).as_object().cloned().unwrap_or_default();
    let request = CallToolRequestParams::new("read_page").with_arguments(arguments);
    let answer = connection.call_tool(request).await?;
    let texts = answer.content.iter().filter_map(|part| part.as_text());
    let text: Vec<_> = texts.map(|part| part.text.as_str()).collect();
    Ok(json!({"did": "call", "text": text.join("\n")}))
}

fn tell(seen: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{seen}")?;
    Ok(out.flush()?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let host = Host::new().await?;
    let mut steps = BufReader::new(tokio::io::stdin()).lines();
    if steps.next_line().await?.as_deref() != Some("connect") {
        return Err("the first step is to connect".into());
    }
    let mut connection = host.connect().await?;
    let version = Implementation::from_build_env().version;
    tell(&json!({"did": "connect", "version": version}))?;
    while let Some(step) = steps.next_line().await? {
        let seen = match step.as_str() {
            "list" => list(&connection).await?,
            "call" => match call(&connection).await {
                // The SDK says that somebody has to sign in, and its host sees to it.
                Err(refused) if refused.auth_challenge().is_some() => {
                    connection.cancel().await?;
                    connection = host.connect().await?;
                    call(&connection).await?
                }
                answer => answer?,
            },
            _ => return Err(format!("{step} is no step").into()),
        };
        tell(&seen)?;
    }
    connection.cancel().await?;
    Ok(())
}
