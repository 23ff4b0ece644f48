//! Who has hung up: a client that closes its connection in the middle of a call is not worked for
//! (MCP 2026-07-28, Streamable HTTP: Cancellation).
//!
//! hyper notices, but poem then waits for the endpoint all the same. So the end of what a client
//! sends is noted here, on its connection, and the door leaves the call. A client that closes only
//! its own direction and waits for the answer counts as gone too, as it does for hyper.
//!
//! hyper reads on only when it has nothing else to do, and the runtime learns of an end after the
//! bytes before it. A process that was paused finds both at once, and is to know of the end before
//! it begins what the bytes ask for. So the kernel is asked with each read whether more is to come.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use poem::Request;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::http::patience::{Answering, OneOf, Patience, Waits};
use crate::http::room::network_of;

/// The two addresses of a connection, which no other has at the same time: its own, the client's.
type Ends = (SocketAddr, SocketAddr);

/// One of them.
#[derive(Clone, Debug)]
struct Watched {
    /// An error of it means that the client is gone.
    here: watch::Receiver<()>,
    answering: Arc<Answering>,
}

#[derive(Debug, Default)]
struct All {
    connections: HashMap<Ends, Watched>,
    /// How many each network has.
    of: HashMap<IpAddr, usize>,
}

/// The connections there are.
#[derive(Clone, Debug, Default)]
pub struct HangUps(Arc<Mutex<All>>);

impl HangUps {
    /// Keeps an eye on a connection, and waits no longer for it than is said.
    pub fn watch(
        &self,
        stream: TcpStream,
        (own, client): (SocketAddr, SocketAddr),
        waits: Waits,
    ) -> WatchedStream {
        let (here, watched) = watch::channel(());
        let answering = Arc::<Answering>::default();
        let patience = Patience::new(waits, Arc::clone(&answering), Instant::now());
        let mut all = self.all();
        all.connections.insert((own, client), Watched { here: watched, answering });
        *all.of.entry(network_of(client.ip())).or_default() += 1;
        drop(all);
        let (here, hang_ups) = (Some(here), self.clone());
        WatchedStream { stream, ends: (own, client), here, patience, hang_ups }
    }

    /// Resolves when the client of this request is gone; never, for one that is not watched.
    pub fn of(&self, request: &Request) -> impl Future<Output = ()> + Send + use<> {
        let watched = self.watched_of(request);
        async move {
            match watched {
                // An error means that the other side was dropped, which is what is waited for.
                Some(mut watched) => while watched.here.changed().await.is_ok() {},
                None => std::future::pending().await,
            }
        }
    }

    /// Says that this request is being answered, until what comes back is dropped.
    pub fn answering(&self, request: &Request) -> Option<OneOf> {
        self.watched_of(request).map(|watched| watched.answering.begin())
    }

    /// How many connections there are, and how many the network of this address has of them.
    pub fn count(&self, address: IpAddr) -> (usize, usize) {
        let all = self.all();
        (all.connections.len(), all.of.get(&network_of(address)).copied().unwrap_or_default())
    }

    fn watched_of(&self, request: &Request) -> Option<Watched> {
        let own = request.local_addr().as_socket_addr().copied();
        let client = request.remote_addr().as_socket_addr().copied();
        own.zip(client).and_then(|ends| self.all().connections.get(&ends).cloned())
    }

    fn forget(&self, ends: &Ends) {
        let mut all = self.all();
        all.connections.remove(ends);
        let network = network_of(ends.1.ip());
        if let Entry::Occupied(mut of) = all.of.entry(network) {
            *of.get_mut() -= 1;
            if *of.get() == 0 {
                of.remove();
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is watched.
pub struct WatchedStream {
    stream: TcpStream,
    ends: Ends,
    /// Dropped when the client is gone.
    here: Option<watch::Sender<()>>,
    patience: Patience,
    hang_ups: HangUps,
}

impl WatchedStream {
    /// What a write came to; an error, when nothing of it was taken for too long.
    fn wrote<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.patience.wrote(Instant::now());
            return written;
        }
        ready!(self.patience.poll_unread(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for WatchedStream {
    fn drop(&mut self) {
        self.hang_ups.forget(&self.ends);
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) else {
            // To hyper it is as if the client had hung up.
            ready!(self.patience.poll_silence(context));
            self.here = None;
            return Poll::Ready(Ok(()));
        };
        self.patience.heard(&buffer.filled()[before..], Instant::now());
        let is_end = room > 0 && buffer.filled().len() == before;
        if is_end || read.is_err() || has_ended(&self.stream) {
            self.here = None;
        }
        Poll::Ready(read)
    }
}

/// Whether nothing can be read from a connection any more, by what the kernel knows just now.
fn has_ended(stream: &TcpStream) -> bool {
    let mut one = [MaybeUninit::uninit()];
    match SockRef::from(stream).peek(&mut one) {
        Ok(bytes) => bytes == 0,
        Err(error) => {
            !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
        }
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.wrote(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
