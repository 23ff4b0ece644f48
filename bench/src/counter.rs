//! A relay between a house and its Postgres that counts what the house asks: statements, and round
//! trips. The protocol is read, so that the numbers are exact.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

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

/// Listens for clients of the Postgres at `server`; they must not ask for TLS.
pub async fn relay(server: String) -> std::io::Result<(SocketAddr, Arc<Counts>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let counts = Arc::new(Counts::default());
    let counting = Arc::clone(&counts);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(hand_on(client, server.clone(), Arc::clone(&counting)));
        }
    });
    Ok((address, counts))
}

async fn hand_on(client: TcpStream, server: String, counts: Arc<Counts>) -> std::io::Result<()> {
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        ended = count(from_client, to_server, &counts) => ended,
        ended = copy(&mut from_server, &mut to_client) => ended.map(|_| ()),
    }
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
