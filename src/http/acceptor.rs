//! Accepting connections: without Nagle's delay, without spinning when there are no descriptors.

use std::io;
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::TcpListener;

use crate::http::hang_up::{HangUps, WatchedStream};

/// How long nothing is accepted after an error such as EMFILE, which would otherwise repeat at
/// once and for ever.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// An acceptor over a bound socket.
pub struct DirectAcceptor {
    listener: TcpListener,
    local: LocalAddr,
    hang_ups: HangUps,
}

impl DirectAcceptor {
    /// Takes a bound socket; tells `hang_ups` of each connection.
    pub fn new(listener: TcpListener, hang_ups: HangUps) -> io::Result<Self> {
        let local = LocalAddr(listener.local_addr()?.into());
        Ok(Self { listener, local, hang_ups })
    }
}

impl Acceptor for DirectAcceptor {
    type Io = WatchedStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            match self.listener.accept().await {
                Ok((stream, remote)) => {
                    // Answers are written in two pieces; with Nagle the second waits 40 ms.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection keeps Nagle's delay");
                    }
                    // Of a listener on all addresses, the one that the client came to.
                    let Ok(own) = stream.local_addr() else { continue };
                    let stream = self.hang_ups.watch(stream, own, remote);
                    let (own, remote) = (LocalAddr(own.into()), RemoteAddr(remote.into()));
                    return Ok((stream, own, remote, Scheme::HTTP));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ERROR_PAUSE).await;
                }
            }
        }
    }
}
