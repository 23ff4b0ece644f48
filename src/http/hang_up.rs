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
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use poem::Request;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// The two addresses of a connection, which no other has at the same time: its own, the client's.
type Ends = (SocketAddr, SocketAddr);

/// The connections there are.
#[derive(Clone, Debug, Default)]
pub struct HangUps(Arc<Mutex<HashMap<Ends, watch::Receiver<()>>>>);

impl HangUps {
    /// Keeps an eye on a connection.
    pub fn watch(&self, stream: TcpStream, own: SocketAddr, client: SocketAddr) -> WatchedStream {
        let (here, watched) = watch::channel(());
        self.all().insert((own, client), watched);
        WatchedStream { stream, ends: (own, client), here: Some(here), hang_ups: self.clone() }
    }

    /// Resolves when the client of this request is gone; never, for one that is not watched.
    pub fn of(&self, request: &Request) -> impl Future<Output = ()> + Send + use<> {
        let own = request.local_addr().as_socket_addr().copied();
        let client = request.remote_addr().as_socket_addr().copied();
        let watched = own.zip(client).and_then(|ends| self.all().get(&ends).cloned());
        async move {
            match watched {
                // An error means that the other side was dropped, which is what is waited for.
                Some(mut watched) => while watched.changed().await.is_ok() {},
                None => std::future::pending().await,
            }
        }
    }

    /// How many connections there are.
    #[cfg(test)]
    pub fn watched(&self) -> usize {
        self.all().len()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Ends, watch::Receiver<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is watched.
pub struct WatchedStream {
    stream: TcpStream,
    ends: Ends,
    /// Dropped when the client is gone.
    here: Option<watch::Sender<()>>,
    hang_ups: HangUps,
}

impl Drop for WatchedStream {
    fn drop(&mut self) {
        self.hang_ups.all().remove(&self.ends);
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
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
        Pin::new(&mut self.stream).poll_write(context, bytes)
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
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
