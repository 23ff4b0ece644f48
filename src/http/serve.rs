//! Serving on the two listeners until told to stop.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use gatehouse_api as api;
use ipnet::IpNet;
use poem::endpoint::BoxEndpoint;
use poem::middleware::CatchPanic;
use poem::{Endpoint, EndpointExt as _, IntoEndpoint as _, Request, Response, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;
use url::Url;

use crate::flow::wire::Wire;
use crate::http::acceptor::{DirectAcceptor, House};
use crate::http::admin_door::AdminDoor;
use crate::http::cors::Cors;
use crate::http::dev_provider::DevRoutes;
use crate::http::hang_up::HangUps;
use crate::http::mcp_door::Hosts;
use crate::http::patience::Waits;
use crate::http::proxies::Proxies;
use crate::http::room::Room;
use crate::http::standing::Standing;
use crate::http::{Door, Panicked};
use crate::loopback;

/// How long a stop waits for requests that have begun.
pub const GRACE_PERIOD: Duration = Duration::from_secs(20);

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
    /// How the public one learns that a client is gone.
    pub hang_ups: HangUps,
    /// Who comes for others.
    pub proxies: Vec<IpNet>,
}

/// An endpoint that says of each request that it is being answered.
struct Said {
    endpoint: BoxEndpoint<'static>,
    hang_ups: HangUps,
}

impl Endpoint for Said {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let _answering = self.hang_ups.answering(&request);
        self.endpoint.call(request).await
    }
}

impl Endpoints {
    /// The typed endpoints, with the door before the public ones.
    pub fn of(wire: &Arc<Wire>, dev_provider: Option<DevRoutes>) -> Self {
        let gatehouse = &wire.gatehouse;
        let hang_ups = HangUps::default();
        let door = Door {
            hang_ups: hang_ups.clone(),
            api: api::public(wire).into_endpoint().map_to_response().boxed(),
            dev_provider,
            standing: Standing::default(),
            cors: Cors::new(&gatehouse.config),
            proxies: Proxies(gatehouse.config.trusted_proxies.clone()),
            gatehouse: Arc::clone(gatehouse),
        };
        let admin_url = gatehouse.config.admin.url.as_deref();
        let is_loopback = |url: &str| Url::parse(url).is_ok_and(|url| loopback::is_loopback(&url));
        let admin_door = AdminDoor {
            gatehouse: Arc::clone(gatehouse),
            hosts: admin_url.map(|url| Hosts::of_public_url(url, is_loopback(url))),
            api: api::admin(wire)
                .into_endpoint()
                .with(CatchPanic::new().with_handler(Panicked))
                .map_to_response()
                .boxed(),
        };
        let proxies = gatehouse.config.trusted_proxies.clone();
        Self { hang_ups, public: door.boxed(), admin: admin_door.boxed(), proxies }
    }
}

/// Serves until `stop` resolves, then finishes what has begun.
pub async fn serve(
    endpoints: Endpoints,
    sockets: Sockets,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    serve_in(Room::of_this_process(), Waits::USUAL, endpoints, sockets, stop).await
}

async fn serve_in(
    room: Room,
    waits: Waits,
    endpoints: Endpoints,
    sockets: Sockets,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let Endpoints { public, admin, hang_ups, proxies } = endpoints;
    let (announce, announced) = watch::channel(());
    let house = || House { room, waits, proxies: proxies.clone() };
    let run = |name, socket, endpoint, hang_ups: HangUps| {
        let mut announced = announced.clone();
        let stopped = async move {
            // An error means that the announcer is gone, which also means stop.
            let _ = announced.changed().await;
        };
        let acceptor = DirectAcceptor::new(socket, hang_ups.clone(), house())?;
        let server = Server::new_with_acceptor(acceptor).name(name);
        let said = Said { endpoint, hang_ups };
        let serving = server.run_with_graceful_shutdown(said, stopped, Some(GRACE_PERIOD));
        Ok::<_, io::Error>(Box::pin(serving))
    };
    let public = run("public", sockets.public, public, hang_ups)?;
    let admin = run("admin", sockets.admin, admin, HangUps::default())?;
    drop(announced);
    let stopping = async move {
        stop.await;
        drop(announce);
        Ok::<_, io::Error>(())
    };
    tokio::try_join!(public, admin, stopping)?;
    Ok(())
}

#[cfg(test)]
mod tests;
