//! Connections, from their beginning to their end.

use std::future::pending;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use poem::Body;
use poem::endpoint::make;
use poem::listener::Acceptor as _;
use poem::web::LocalAddr;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf, Repeat, repeat};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::*;
use crate::http::interrupted::Asked;
use crate::page::Frame;
use crate::page::brand::{Brand, Chosen};

const SOON: Duration = Duration::from_secs(10);

/// Long enough for what is quick, and over soon.
const SHORT: Waits = Waits {
    idle: Duration::from_millis(300),
    head: Duration::from_millis(100),
    unread: Duration::from_millis(300),
};

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

const ROOM: Room = Room { in_all: 16, of_one_network: 8 };

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
    let endpoints = Endpoints { public: public.boxed(), admin, hang_ups, proxies: Vec::new() };
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
    let house = House { room: ROOM, waits: Waits::USUAL, proxies: Vec::new() };
    let mut acceptor = DirectAcceptor::new(listener.unwrap(), hang_ups.clone(), house).unwrap();
    let [LocalAddr(own)] = acceptor.local_addr().try_into().unwrap();
    let client = TcpStream::connect(own.as_socket_addr().unwrap()).await.unwrap();
    let (stream, ..) = acceptor.accept().await.unwrap();
    let loopback = own.as_socket_addr().unwrap().ip();
    assert_eq!(hang_ups.count(loopback), (1, 1));
    drop((stream, client));
    assert_eq!(hang_ups.count(loopback), (0, 0));
}

/// Served for the time of a story, with an endpoint for the public listener.
async fn beside<E: Endpoint<Output = Response> + 'static, F: Future<Output = ()>>(
    (room, waits): (Room, Waits),
    public: E,
    story: impl FnOnce(SocketAddr, HangUps) -> F,
) {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let sockets = Sockets { public: bind().await.unwrap(), admin: bind().await.unwrap() };
    let address = sockets.public.local_addr().unwrap();
    let admin = make(|_| async { Response::default() }).boxed();
    let hang_ups = HangUps::default();
    let story = story(address, hang_ups.clone());
    let endpoints = Endpoints { public: public.boxed(), admin, hang_ups, proxies: Vec::new() };
    tokio::select! {
        served = serve_in(room, waits, endpoints, sockets, pending()) => {
            panic!("serving ended: {served:?}")
        }
        () = story => {}
    }
}

fn empty() -> impl Endpoint<Output = Response> {
    make(|_| async { Response::default() })
}

/// All that comes until the end.
async fn until_its_end(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut all)).await.expect("it ends");
    // An end that was not asked for may be a reset.
    let _ = read;
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    beside((ROOM, SHORT), empty(), |address, _| async move {
        for beginning in ["G", "GET / HTTP/1.1\r\nhost: a\r\n", "PRI * HTTP/2.0\r\n\r\n", ""] {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(beginning.as_bytes()).await.unwrap();
            let answer = until_its_end(client).await;
            assert!(!answer.contains("200"), "{beginning:?}: {answer:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_was_answered_may_ask_again_and_not_for_ever_stay() {
    beside((ROOM, SHORT), empty(), |address, _| async move {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(GET.repeat(2).as_bytes()).await.unwrap();
        let answers = until_its_end(client).await;
        assert_eq!(answers.matches("200 OK").count(), 2, "{answers}");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_being_answered_is_not_cut_short() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let shared = (Arc::clone(&begun), Arc::clone(&go_on));
    let slow = make(move |_| {
        let (begun, go_on) = shared.clone();
        async move {
            begun.notify_one();
            go_on.notified().await;
            Response::default()
        }
    });
    beside((ROOM, SHORT), slow, |address, _| async move {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(GET.as_bytes()).await.unwrap();
        timeout(SOON, begun.notified()).await.expect("the request is taken");
        // As long as it takes until somebody silent is left.
        until_its_end(TcpStream::connect(address).await.unwrap()).await;
        go_on.notify_one();
        assert!(until_its_end(client).await.contains("200 OK"));
    })
    .await;
}

/// An answer without an end, which says when it is dropped.
struct Endless {
    zeros: Repeat,
    _ends: Ends,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.zeros).poll_read(context, buffer)
    }
}

#[tokio::test]
async fn who_does_not_read_an_answer_is_left() {
    let ended = Arc::new(Notify::new());
    let dropped = Arc::clone(&ended);
    let large = make(move |_| {
        let endless = Endless { zeros: repeat(0), _ends: Ends(Arc::clone(&dropped)) };
        async move { Response::builder().body(Body::from_async_read(endless)) }
    });
    beside((ROOM, SHORT), large, |address, _| async move {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(GET.as_bytes()).await.unwrap();
        timeout(SOON, ended.notified()).await.expect("the answer is given up");
        drop(client);
    })
    .await;
}

#[tokio::test]
async fn there_is_room_for_so_many_and_again_when_one_has_gone() {
    let room = Room { in_all: 2, of_one_network: 1 };
    beside((room, Waits::USUAL), empty(), |address, hang_ups| async move {
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut second = TcpStream::connect(address).await.unwrap();
        for client in [&mut first, &mut second] {
            client.write_all(GET.as_bytes()).await.unwrap();
            let mut beginning = [0; 12];
            timeout(SOON, client.read_exact(&mut beginning)).await.unwrap().unwrap();
            assert_eq!(&beginning, b"HTTP/1.1 200");
        }
        assert_eq!(hang_ups.count(address.ip()), (2, 2), "this machine may come for others");
        let third = TcpStream::connect(address).await.unwrap();
        assert_eq!(until_its_end(third).await, "");
        first.shutdown().await.unwrap();
        until_its_end(first).await;
        let mut fourth = TcpStream::connect(address).await.unwrap();
        let closing = GET.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
        fourth.write_all(closing.as_bytes()).await.unwrap();
        assert!(until_its_end(fourth).await.contains("200 OK"));
    })
    .await;
}
