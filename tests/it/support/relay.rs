//! A relay in front of a server, or of several in turn: it hands bytes on, and breaks connections
//! in the very moment that a story names.
//!
//! What a client writes in one go is a message here. For a Postgres client that is one round trip,
//! so naming a message names the point of a request at which its database goes away.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a pool asks to hear that a connection lives: a Sync of Postgres and nothing else.
const PING: &[u8] = b"S\0\0\0\x04";

/// More than a message of ours.
const MESSAGE_MAX: usize = 64 * 1024;

/// When a fuse blows: at the message with this number, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub message: usize,
    /// Whether the message still gets to the server; its answer never gets back.
    pub is_delivered: bool,
}

/// What happens when a fuse blows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// All connections break.
    Cut,
    /// All connections break, and new ones are refused until the fuse is taken out.
    Outage,
    /// The connection of the message stands still until its client goes away.
    Stall,
}

#[derive(Clone, Copy)]
struct Fuse {
    messages_left: usize,
    is_delivered: bool,
    blow: Blow,
}

/// What became of the fuse that was put in last.
#[derive(Default)]
struct Holder {
    fuse: Option<Fuse>,
    /// A message reached it; what it does is under way, or done.
    has_burnt: bool,
}

/// Connections that have not ended at the server.
#[derive(Clone, Copy, Default)]
struct Open {
    /// How often all connections were broken.
    age: usize,
    now: usize,
    /// Broken, but the server has not noticed.
    broken: usize,
}

pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    servers: Vec<String>,
    /// Counts up when all connections fall silent.
    silence: watch::Sender<usize>,
    /// Whether new connections are led on; until then they wait.
    is_awake: watch::Sender<bool>,
    turn: AtomicUsize,
    messages: AtomicUsize,
    pings: AtomicUsize,
    holder: Mutex<Holder>,
    is_refusing: AtomicBool,
    has_blown: watch::Sender<bool>,
    open: watch::Sender<Open>,
}

impl Relay {
    /// Listens, and connects each client to the next of `servers` (`host:port`).
    pub async fn to(servers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            servers,
            silence: watch::Sender::new(0),
            is_awake: watch::Sender::new(true),
            turn: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            pings: AtomicUsize::new(0),
            holder: Mutex::default(),
            is_refusing: AtomicBool::new(false),
            has_blown: watch::Sender::new(false),
            open: watch::Sender::default(),
        });
        let serving = Arc::downgrade(&shared);
        tokio::spawn(async move {
            loop {
                // A client that goes before it is accepted is no reason to stop.
                let accepted = listener.accept().await;
                let Some(shared) = serving.upgrade() else { return };
                let Ok((client, _)) = accepted else { continue };
                if !shared.is_refusing.load(Ordering::SeqCst) {
                    tokio::spawn(relay(shared, client));
                }
            }
        });
        Self { address, shared }
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Puts a fuse in.
    pub fn arm(&self, Moment { message, is_delivered }: Moment, blow: Blow) {
        self.shared.has_blown.send_replace(false);
        let fuse = Fuse { messages_left: message, is_delivered, blow };
        *self.shared.holder.lock().unwrap() = Holder { fuse: Some(fuse), has_burnt: false };
    }

    /// Takes the fuse out, and relays again; whether it had blown. One that is blowing just now has
    /// blown to the end.
    pub async fn disarm(&self) -> bool {
        let has_burnt = {
            let mut holder = self.shared.holder.lock().unwrap();
            holder.fuse = None;
            holder.has_burnt
        };
        if has_burnt {
            self.blown().await;
        }
        self.shared.is_refusing.store(false, Ordering::SeqCst);
        has_burnt
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Breaks all connections and refuses new ones until [`Self::disarm`].
    pub fn refuse(&self) {
        self.shared.is_refusing.store(true, Ordering::SeqCst);
        self.shared.cut();
    }

    /// All connections fall silent: nothing comes or goes over them any more, and nobody says so.
    /// New ones are as before.
    pub fn silence(&self) {
        self.shared.silence.send_modify(|times| *times += 1);
    }

    /// Breaks all connections; new ones are accepted, and led to the server after [`Self::wake`].
    pub fn fall_asleep(&self) {
        self.shared.is_awake.send_replace(false);
        self.shared.cut();
    }

    pub fn wake(&self) {
        self.shared.is_awake.send_replace(true);
    }

    /// How many connections were accepted.
    pub fn accepted(&self) -> usize {
        self.shared.turn.load(Ordering::SeqCst)
    }

    /// How many messages clients sent, pings apart.
    pub fn messages(&self) -> usize {
        self.shared.messages.load(Ordering::SeqCst)
    }

    /// How many pings they sent.
    pub fn pings(&self) -> usize {
        self.shared.pings.load(Ordering::SeqCst)
    }

    /// Waits until the fuse blows.
    pub async fn blown(&self) {
        let mut has_blown = self.shared.has_blown.subscribe();
        has_blown.wait_for(|blown| *blown).await.expect("the relay stands");
    }

    /// Waits until the server has ended what it was doing for connections that are broken.
    pub async fn settled(&self) {
        let mut open = self.shared.open.subscribe();
        open.wait_for(|open| open.broken == 0).await.expect("the relay stands");
    }

    /// Waits until the server has ended every connection; their clients must be gone.
    pub async fn emptied(&self) {
        let mut open = self.shared.open.subscribe();
        open.wait_for(|open| open.broken + open.now == 0).await.expect("the relay stands");
    }
}

impl Shared {
    fn cut(&self) {
        self.open.send_modify(|open| {
            open.age += 1;
            open.broken += std::mem::take(&mut open.now);
        });
    }

    /// Takes note of a message; what its connection is to do when it blows the fuse.
    fn burn(&self) -> Option<Fuse> {
        let mut holder = self.holder.lock().unwrap();
        let fuse = holder.fuse.as_mut()?;
        if let Some(left) = fuse.messages_left.checked_sub(1) {
            fuse.messages_left = left;
            return None;
        }
        holder.has_burnt = true;
        holder.fuse.take()
    }
}

async fn relay(shared: Arc<Shared>, client: TcpStream) {
    let turn = shared.turn.fetch_add(1, Ordering::SeqCst);
    let server = &shared.servers[turn % shared.servers.len()];
    let mut is_awake = shared.is_awake.subscribe();
    is_awake.wait_for(|awake| *awake).await.expect("the relay stands");
    // No server, no connection: the client sees the same.
    let Ok(server) = TcpStream::connect(server).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("it is a TCP stream");
    }
    let mut cuts = shared.open.subscribe();
    let mut age = 0;
    shared.open.send_modify(|open| {
        age = open.age;
        open.now += 1;
    });
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let is_mute = AtomicBool::new(false);
    let mut silence = shared.silence.subscribe();
    let is_silent = tokio::select! {
        biased;
        _ = cuts.wait_for(|open| open.age != age) => false,
        _ = silence.changed() => true,
        () = hand_on(&shared, &mut from_client, &mut to_server, &is_mute) => false,
        () = answer(&mut from_server, &mut to_client, &is_mute) => false,
    };
    if is_silent {
        tokio::select! {
            _ = cuts.wait_for(|open| open.age != age) => {}
            () = swallow(&mut from_client) => {}
        }
    }
    drop((from_client, to_client));
    // The client is gone or cut off. The server may still be at its last message; it has ended
    // when it closes too.
    let _ = to_server.shutdown().await;
    let mut rest = [0; 1024];
    while from_server.read(&mut rest).await.is_ok_and(|read| read > 0) {}
    shared.open.send_modify(|open| {
        let ended = if open.age == age { &mut open.now } else { &mut open.broken };
        *ended -= 1;
    });
}

/// From the client to the server, until the client ends or a fuse says so.
async fn hand_on(
    shared: &Shared,
    client: &mut OwnedReadHalf,
    server: &mut OwnedWriteHalf,
    is_mute: &AtomicBool,
) {
    let mut message = vec![0; MESSAGE_MAX];
    while let Ok(length @ 1..) = client.read(&mut message).await {
        let counted = if message[..length] == *PING { &shared.pings } else { &shared.messages };
        counted.fetch_add(1, Ordering::SeqCst);
        let blown = shared.burn();
        // Before the server can answer.
        is_mute.store(blown.is_some(), Ordering::SeqCst);
        let is_delivered = blown.is_none_or(|fuse| fuse.is_delivered);
        let is_gone = is_delivered && server.write_all(&message[..length]).await.is_err();
        let Some(fuse) = blown else {
            if is_gone {
                return;
            }
            continue;
        };
        match fuse.blow {
            Blow::Cut => shared.cut(),
            Blow::Outage => {
                shared.is_refusing.store(true, Ordering::SeqCst);
                shared.cut();
            }
            Blow::Stall => {}
        }
        shared.has_blown.send_replace(true);
        // Nothing more is handed on; what the client still says tells only when it goes.
        swallow(client).await;
        return;
    }
}

/// Hears the client out until it goes.
async fn swallow(client: &mut OwnedReadHalf) {
    let mut message = [0; 1024];
    while client.read(&mut message).await.is_ok_and(|read| read > 0) {}
}

/// From the server to the client.
async fn answer(server: &mut OwnedReadHalf, client: &mut OwnedWriteHalf, is_mute: &AtomicBool) {
    let mut message = vec![0; MESSAGE_MAX];
    while let Ok(length @ 1..) = server.read(&mut message).await {
        if is_mute.load(Ordering::SeqCst) {
            continue;
        }
        if client.write_all(&message[..length]).await.is_err() {
            return;
        }
    }
}
