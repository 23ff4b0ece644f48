//! A relay between a house and its Postgres that counts what the house asks: statements, and round
//! trips. The protocol is read, so that the numbers are exact. It can hold answers back, as a
//! database in another place does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use url::Url;

/// Counts since the beginning.
#[derive(Debug, Default)]
pub struct Counts {
    statements: AtomicU64,
    round_trips: AtomicU64,
}

impl Counts {
    /// Statements, and round trips: those without a statement are pings.
    pub fn read(&self) -> (u64, u64) {
        (self.statements.load(Ordering::SeqCst), self.round_trips.load(Ordering::SeqCst))
    }
}

/// Where the Postgres of a URL listens.
pub fn server_of(url: &str) -> Result<String, url::ParseError> {
    let url: Url = url.parse()?;
    Ok(format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(5432)))
}

/// The same database, by way of a relay.
pub fn through(url: &str, relay: SocketAddr) -> Result<String, url::ParseError> {
    let mut url: Url = url.parse()?;
    url.set_host(Some(&relay.ip().to_string()))?;
    url.set_port(Some(relay.port())).map_err(|()| url::ParseError::InvalidPort)?;
    Ok(url.into())
}

/// Listens for clients of the Postgres at `server`; they must not ask for TLS. Each answer is
/// `late` by so much.
pub async fn relay(server: String, late: Duration) -> std::io::Result<(SocketAddr, Arc<Counts>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let counts = Arc::new(Counts::default());
    let counting = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(hand_on(client, server.clone(), Arc::clone(&counting), late));
        }
    });
    Ok((address, counts))
}

async fn hand_on(
    client: TcpStream,
    server: String,
    counts: Arc<Counts>,
    late: Duration,
) -> std::io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        ended = count(from_client, to_server, &counts) => ended,
        ended = answer(from_server, to_client, late) => ended,
    }
}

/// Hands everything on in its order, `late` after it came.
async fn answer(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    late: Duration,
) -> std::io::Result<()> {
    if late.is_zero() {
        return copy(&mut server, &mut client).await.map(|_| ());
    }
    let (sender, mut held) = mpsc::unbounded_channel();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = server.read(&mut buffer).await?;
            let part = (Instant::now() + late, buffer[..length].to_vec());
            if length == 0 || sender.send(part).is_err() {
                return Ok(());
            }
        }
    };
    let write = async {
        while let Some((when, part)) = held.recv().await {
            sleep_until(when).await;
            client.write_all(&part).await?;
        }
        Ok(())
    };
    tokio::try_join!(read, write).map(|((), ())| ())
}

/// Reads each message of the client: its kind (but for the first one), its length, the rest.
async fn count(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    counts: &Counts,
) -> std::io::Result<()> {
    let mut is_first = true;
    loop {
        let mut head = [0; 5];
        let head = if is_first { &mut head[1..] } else { &mut head[..] };
        client.read_exact(head).await?;
        let kind = if is_first { 0 } else { head[0] };
        let length = &head[head.len() - 4..];
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        let mut message = head.to_vec();
        message.resize(head.len() + length as usize - 4, 0);
        client.read_exact(&mut message[head.len()..]).await?;
        match kind {
            b'Q' => {
                counts.statements.fetch_add(1, Ordering::SeqCst);
                counts.round_trips.fetch_add(1, Ordering::SeqCst);
            }
            b'E' => drop(counts.statements.fetch_add(1, Ordering::SeqCst)),
            b'S' => drop(counts.round_trips.fetch_add(1, Ordering::SeqCst)),
            _ => {}
        }
        server.write_all(&message).await?;
        is_first = false;
    }
}
