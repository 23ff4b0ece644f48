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
use url::Url;

use crate::flow::wire::Wire;
use crate::http::acceptor::DirectAcceptor;
use crate::http::admin_door::AdminDoor;
use crate::http::cors::Cors;
use crate::http::dev_provider::DevRoutes;
use crate::http::hang_up::HangUps;
use crate::http::mcp_door::Hosts;
use crate::http::proxies::Proxies;
use crate::http::standing::Standing;
use crate::http::{Door, Panicked};
use crate::loopback;

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
    /// How the public one learns that a client is gone.
    pub hang_ups: HangUps,
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
        Self { hang_ups, public: door.boxed(), admin: admin_door.boxed() }
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
    let public =
        Server::new_with_acceptor(DirectAcceptor::new(sockets.public, endpoints.hang_ups)?)
            .name("public")
            .idle_timeout(IDLE_TIMEOUT)
            .run_with_graceful_shutdown(
                endpoints.public,
                stopped(announced.clone()),
                Some(GRACE_PERIOD),
            );
    let admin = Server::new_with_acceptor(DirectAcceptor::new(sockets.admin, HangUps::default())?)
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use poem::endpoint::make;
    use poem::listener::Acceptor as _;
    use poem::web::LocalAddr;
    use poem::{Request, Response};
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpStream;
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;
    use crate::http::interrupted::Asked;
    use crate::page::Frame;
    use crate::page::brand::{Brand, Chosen};

    const SOON: Duration = Duration::from_secs(10);

    /// Says when it is dropped.
    struct Ends(Arc<Notify>);

    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    /// What is seen of a request that never ends.
    #[derive(Default)]
    struct Seen {
        begun: Notify,
        went_on: Notify,
        ended: Arc<Notify>,
    }

    /// What the door does with a request that never ends.
    async fn endless(request: Request, hang_ups: HangUps, seen: Arc<Seen>) -> Response {
        let (gone, still_here) = (hang_ups.of(&request), hang_ups.of(&request));
        let brand = Brand::new(Chosen::default());
        let path = request.uri().path().to_owned();
        let frame = Frame { product: "Example", brand: &brand };
        let asked = Asked { path: &path, id: "1f-2", frame };
        let endpoint = async move {
            let _ends = Ends(Arc::clone(&seen.ended));
            request.into_body().into_bytes().await.unwrap();
            seen.begun.notify_one();
            still_here.await;
            // Who is left with the client is left here.
            tokio::task::yield_now().await;
            seen.went_on.notify_one();
            pending().await
        };
        asked.answer_unless(gone, endpoint).await
    }

    /// Hangs up in the middle of a request to `path`, and waits for what is to be seen then.
    async fn hang_up(path: &str, expected: impl Fn(&Seen) -> &Notify) {
        let (seen, hang_ups) = (Arc::new(Seen::default()), HangUps::default());
        let shared = (hang_ups.clone(), Arc::clone(&seen));
        let public = make(move |request: Request| {
            let (hang_ups, seen) = shared.clone();
            endless(request, hang_ups, seen)
        });
        let bind = || TcpListener::bind("127.0.0.1:0");
        let sockets = Sockets { public: bind().await.unwrap(), admin: bind().await.unwrap() };
        let address = sockets.public.local_addr().unwrap();
        let admin = make(|_| async { Response::default() }).boxed();
        let endpoints = Endpoints { public: public.boxed(), admin, hang_ups };
        let story = async {
            let mut client = TcpStream::connect(address).await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n");
            client.write_all(format!("{head}{{}}").as_bytes()).await.unwrap();
            timeout(SOON, seen.begun.notified()).await.expect("the request is taken");
            drop(client);
            timeout(SOON, expected(&seen).notified()).await.expect("it is noticed");
        };
        tokio::select! {
            served = serve(endpoints, sockets, pending()) => panic!("serving ended: {served:?}"),
            () = story => {}
        }
    }

    #[tokio::test]
    async fn who_hangs_up_is_not_worked_for_at_mcp_st_34() {
        hang_up("/mcp", |seen| &*seen.ended).await;
    }

    #[tokio::test]
    async fn a_token_request_that_has_begun_goes_on_without_its_client() {
        hang_up("/oauth/token", |seen| &seen.went_on).await;
    }

    #[tokio::test]
    async fn a_connection_that_is_over_is_forgotten() {
        let (hang_ups, listener) = (HangUps::default(), TcpListener::bind("127.0.0.1:0").await);
        let mut acceptor = DirectAcceptor::new(listener.unwrap(), hang_ups.clone()).unwrap();
        let [LocalAddr(own)] = acceptor.local_addr().try_into().unwrap();
        let client = TcpStream::connect(own.as_socket_addr().unwrap()).await.unwrap();
        let (stream, ..) = acceptor.accept().await.unwrap();
        assert_eq!(hang_ups.watched(), 1);
        drop((stream, client));
        assert_eq!(hang_ups.watched(), 0);
    }
}
