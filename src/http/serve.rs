//! Serving the house on its two listeners until told to stop.

use std::future::Future;
use std::io;
use std::time::Duration;

use poem::Server;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::http::acceptor::DirectAcceptor;
use crate::http::house::House;

/// How long a stop waits for requests that have begun.
pub const GRACE_PERIOD: Duration = Duration::from_secs(20);

/// A connection on which nothing moves for this long is closed; also bounds slow headers.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// Bound sockets.
pub struct Sockets {
    /// The public listener.
    pub public: TcpListener,
    /// The admin listener.
    pub admin: TcpListener,
}

/// Serves until `stop` resolves, then finishes what has begun.
pub async fn serve(
    house: House,
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
        .run_with_graceful_shutdown(house.public, stopped(announced.clone()), Some(GRACE_PERIOD));
    let admin = Server::new_with_acceptor(DirectAcceptor::new(sockets.admin)?)
        .name("admin")
        .idle_timeout(IDLE_TIMEOUT)
        .run_with_graceful_shutdown(house.admin, stopped(announced), Some(GRACE_PERIOD));
    let stopping = async move {
        stop.await;
        drop(announce);
        Ok::<_, io::Error>(())
    };
    tokio::try_join!(public, admin, stopping)?;
    house.gatehouse.store.close().await;
    Ok(())
}
