//! Accepting connections: without Nagle's delay, without spinning when there are no descriptors,
//! and no more than there is room for.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::http::hang_up::{HangUps, WatchedStream};
use crate::http::patience::Waits;
use crate::http::room::Room;

/// How long nothing is accepted after an error such as EMFILE, which would otherwise repeat at
/// once and for ever.
const ERROR_PAUSE: Duration = Duration::from_millis(50);

/// How often it is told that there is no room.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// Whom connections are taken from, and for how long.
pub struct House {
    /// How many there may be.
    pub room: Room,
    /// How long they may be silent.
    pub waits: Waits,
    /// Who comes for others, and so in any number.
    pub proxies: Vec<IpNet>,
}

/// An acceptor over a bound socket.
pub struct DirectAcceptor {
    listener: TcpListener,
    local: LocalAddr,
    hang_ups: HangUps,
    house: House,
    told_at: Option<Instant>,
}

impl DirectAcceptor {
    /// Takes a bound socket; tells `hang_ups` of each connection.
    pub fn new(listener: TcpListener, hang_ups: HangUps, house: House) -> io::Result<Self> {
        let local = LocalAddr(listener.local_addr()?.into());
        Ok(Self { listener, local, hang_ups, house, told_at: None })
    }

    /// Whether there is room for one more of this address; if not, that is told now and then.
    fn has_room_for(&mut self, address: IpAddr) -> bool {
        let (in_all, of_network) = self.hang_ups.count(address);
        let address = address.to_canonical();
        let is_for_others = address.is_loopback()
            || self.house.proxies.iter().any(|network| network.contains(&address));
        if self.house.room.takes(in_all, of_network, is_for_others) {
            return true;
        }
        if self.told_at.is_none_or(|told_at| told_at.elapsed() >= TOLD_EVERY) {
            self.told_at = Some(Instant::now());
            tracing::warn!(connections = in_all, of_network, "no room for another connection");
        }
        false
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
                Ok((_, remote)) if !self.has_room_for(remote.ip()) => {}
                Ok((stream, remote)) => {
                    // Answers are written in two pieces; with Nagle the second waits 40 ms.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection keeps Nagle's delay");
                    }
                    // Of a listener on all addresses, the one that the client came to.
                    let Ok(own) = stream.local_addr() else { continue };
                    let stream = self.hang_ups.watch(stream, (own, remote), self.house.waits);
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
