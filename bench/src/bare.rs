//! What Gatehouse is measured against: an endpoint of poem that does nothing, and rmcp without a
//! door before it.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::listener::TcpAcceptor;
use poem::{Route, Server, get, handler};
use rmcp::model::{
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::net::TcpListener;

#[handler]
const fn nothing() -> &'static str {
    "{}"
}

/// Serves an empty answer until it is ended.
pub async fn serve_empty(address: SocketAddr) -> Result<(), Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind(address).await?;
    let routes = Route::new().at("/", get(nothing));
    Server::new_with_acceptor(TcpAcceptor::from_tokio(listener)?).run(routes).await?;
    Ok(())
}

struct Bare(Vec<Tool>);

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.0.clone()))
    }
}

/// Serves these tools (the JSON of a list of them) until it is ended.
pub async fn serve_mcp(
    address: SocketAddr,
    tools: &str,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let bare = Arc::new(Bare(serde_json::from_str(tools)?));
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let service = StreamableHttpService::new(
        move || Ok(Arc::clone(&bare)),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let service = service.clone();
                async move { Ok::<_, std::convert::Infallible>(service.handle(request).await) }
            });
            // Its end is the client's.
            let _: hyper::Result<()> =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
