//! Serving on the two listeners until told to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use gatehouse_api as api;
use poem::endpoint::BoxEndpoint;
use poem::middleware::CatchPanic;
use poem::{EndpointExt as _, IntoEndpoint as _, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::flow::wire::Wire;
use crate::http::acceptor::DirectAcceptor;
use crate::http::cors::Cors;
use crate::http::dev_provider::DevRoutes;
use crate::http::proxies::Proxies;
use crate::http::{Door, Panicked};

/// How long a stop waits for requests that have begun.
pub const GRACE_PERIOD: Duration = Duration::from_secs(20);

/// A connection on which nothing moves between two requests for this long is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// Bound sockets.
pub struct Sockets {
    /// The public listener.
    pub public: TcpListener,
    /// The admin listener.
    pub admin: TcpListener,
}

/// What the two listeners serve.
pub struct Endpoints {
    /// The public listener's endpoint.
    pub public: BoxEndpoint<'static>,
    /// The admin listener's endpoint.
    pub admin: BoxEndpoint<'static>,
}

impl Endpoints {
    /// The typed endpoints, with the door before the public ones.
    pub fn of(wire: &Arc<Wire>, dev_provider: Option<DevRoutes>) -> Self {
        let gatehouse = &wire.gatehouse;
        let door = Door {
            api: api::public(wire).into_endpoint().map_to_response().boxed(),
            dev_provider,
            cors: Cors::new(&gatehouse.config),
            proxies: Proxies(gatehouse.config.trusted_proxies.clone()),
            gatehouse: Arc::clone(gatehouse),
        };
        Self {
            public: door.boxed(),
            admin: api::admin(wire)
                .into_endpoint()
                .with(CatchPanic::new().with_handler(Panicked))
                .map_to_response()
                .boxed(),
        }
    }
}

/// Serves until `stop` resolves, then finishes what has begun.
pub async fn serve(
    endpoints: Endpoints,
    sockets: Sockets,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (announce, announced) = watch::channel(());
    let stopped = |mut announced: watch::Receiver<()>| async move {
        // An error means that the announcer is gone, which also means stop.
        let _ = announced.changed().await;
    };
    let public = Server::new_with_acceptor(DirectAcceptor::new(sockets.public)?)
        .name("public")
        .idle_timeout(IDLE_TIMEOUT)
        .run_with_graceful_shutdown(
            endpoints.public,
            stopped(announced.clone()),
            Some(GRACE_PERIOD),
        );
    let admin = Server::new_with_acceptor(DirectAcceptor::new(sockets.admin)?)
        .name("admin")
        .idle_timeout(IDLE_TIMEOUT)
        .run_with_graceful_shutdown(endpoints.admin, stopped(announced), Some(GRACE_PERIOD));
    let stopping = async move {
        stop.await;
        drop(announce);
        Ok::<_, io::Error>(())
    };
    tokio::try_join!(public, admin, stopping)?;
    Ok(())
}
