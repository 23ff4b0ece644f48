use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;

/// A name server that answers each question with the next of its answers, the last one for ever.
struct Answers {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Answers {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self { answers: answers.iter().map(parse).collect(), asked: AtomicUsize::new(0) })
    }
}

impl Lookup for Answers {
    fn lookup(&self, _: String) -> LookedUp {
        let at = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
        let answer = self.answers[at].clone();
        Box::pin(async move { Ok(answer) })
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

fn guard(answers: &Arc<Answers>, hosts: DocumentHosts) -> FetchGuard {
    let lookup: Arc<dyn Lookup> = Arc::clone(answers) as Arc<dyn Lookup>;
    FetchGuard::new(lookup, hosts, PATIENCE).unwrap()
}

async fn server_with(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn json(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body, "application/json")
}

/// A name of this machine that is looked up like any other.
fn address_of(port: u16) -> DocumentUrl {
    let address = format!("http://client.localhost:{port}/client.json");
    DocumentUrl::parse(&address, DocumentHosts::AlsoLoopback).unwrap()
}

async fn fetch_from(server: &MockServer) -> Result<Fetched, FetchRefusal> {
    let answers = Answers::new(&[&["127.0.0.1"]]);
    let url = address_of(server.address().port());
    guard(&answers, DocumentHosts::AlsoLoopback).fetch(&url).await
}

async fn hits(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn no_special_use_address_is_ever_dialled() {
    // Whoever is dialled on this machine, whatever the address, would be heard here.
    let listener = std::net::TcpListener::bind("[::]:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = format!("https://client.example.com:{port}/client.json");
    let url = DocumentUrl::parse(&address, DocumentHosts::Public).unwrap();
    for answer in [
        &["127.0.0.1"][..],
        &["127.8.9.1"],
        &["0.0.0.0"],
        &["10.0.0.1"],
        &["172.16.0.1"],
        &["192.168.0.1"],
        &["169.254.169.254"],
        &["100.64.0.1"],
        &["192.0.2.1"],
        &["198.18.0.1"],
        &["224.0.0.1"],
        &["255.255.255.255"],
        &["::"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["::ffff:169.254.169.254"],
        &["::127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        &["2001::1"],
        &["fc00::1"],
        &["fd00:ec2::254"],
        &["fe80::1"],
        &["ff02::1"],
        // One that may be dialled does not excuse one that may not, in whatever order.
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
        &["2606:4700::1111", "::1"],
    ] {
        let guard = guard(&Answers::new(&[answer]), DocumentHosts::Public);
        let refusal = guard.fetch(&url).await.unwrap_err();
        assert_eq!(refusal, FetchRefusal::SpecialUseAddress, "{answer:?}");
    }
    let nobody = guard(&Answers::new(&[&[]]), DocumentHosts::Public);
    assert_eq!(nobody.fetch(&url).await.unwrap_err(), FetchRefusal::NoAddress);
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

/// A name server that never answers.
#[derive(Default)]
struct Silent(AtomicUsize);

impl Lookup for Silent {
    fn lookup(&self, _: String) -> LookedUp {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_silent_name_server_keeps_few_look_ups_waiting() {
    let silent = Arc::new(Silent::default());
    let lookup: Arc<dyn Lookup> = Arc::clone(&silent) as Arc<dyn Lookup>;
    let soon = Duration::from_millis(200);
    let guard = Arc::new(FetchGuard::new(lookup, DocumentHosts::AlsoLoopback, soon).unwrap());
    // Whoever gave up has left a look-up behind, and it counts on.
    for _ in 0..2 {
        let mut fetches = tokio::task::JoinSet::new();
        for _ in 0..LOOKUPS_MAX + 8 {
            let guard = Arc::clone(&guard);
            fetches.spawn(async move { guard.fetch(&address_of(9)).await.unwrap_err() });
        }
        for refusal in fetches.join_all().await {
            assert_eq!(refusal, FetchRefusal::TooSlow);
        }
    }
    assert_eq!(silent.0.load(Ordering::Relaxed), LOOKUPS_MAX);
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let server = server_with(json("{}")).await;
    let url = address_of(server.address().port());
    let answers = Answers::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let guard = guard(&answers, DocumentHosts::AlsoLoopback);
    // What was looked at is what is dialled: there is no second question.
    assert_eq!(guard.fetch(&url).await.unwrap().body, b"{}");
    assert_eq!(answers.asked.load(Ordering::Relaxed), 1);
    // And each fetch looks anew; no connection is left over from the first.
    assert_eq!(guard.fetch(&url).await.unwrap_err(), FetchRefusal::SpecialUseAddress);
    assert_eq!(hits(&server).await, 1);
}

#[tokio::test]
async fn a_machine_for_tests_opens_loopback_and_nothing_else() {
    let url = address_of(9);
    for answer in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1"] {
        let guard = guard(&Answers::new(&[&[answer]]), DocumentHosts::AlsoLoopback);
        let refusal = guard.fetch(&url).await.unwrap_err();
        assert_eq!(refusal, FetchRefusal::SpecialUseAddress, "{answer}");
    }
}

#[tokio::test]
async fn plain_http_is_not_spoken_to_strangers() {
    let server = server_with(json("{}")).await;
    let answers = Answers::new(&[&["127.0.0.1"]]);
    let url = address_of(server.address().port());
    let refusal = guard(&answers, DocumentHosts::Public).fetch(&url).await.unwrap_err();
    assert_eq!(refusal, FetchRefusal::NoAnswer);
    assert_eq!(answers.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn only_a_plain_answer_counts() {
    let elsewhere = server_with(json("{}")).await;
    for status in [201, 202, 204, 206, 400, 403, 404, 500, 503] {
        let answer = ResponseTemplate::new(status).set_body_raw("{}", "application/json");
        let server = server_with(answer).await;
        assert_eq!(fetch_from(&server).await.unwrap_err(), FetchRefusal::Status(status));
    }
    for status in [301, 302, 303, 307, 308] {
        let answer = ResponseTemplate::new(status).insert_header("location", elsewhere.uri());
        let server = server_with(answer).await;
        assert_eq!(fetch_from(&server).await.unwrap_err(), FetchRefusal::Status(status));
    }
    assert_eq!(hits(&elsewhere).await, 0);
}

#[tokio::test]
async fn only_json_as_it_is_counts() {
    let typed = |content_type| ResponseTemplate::new(200).set_body_raw("{}", content_type);
    for content_type in ["application/json", "application/json; charset=utf-8", "Application/JSON"]
    {
        assert!(
            fetch_from(&server_with(typed(content_type)).await).await.is_ok(),
            "{content_type}"
        );
    }
    let with_suffix = typed("application/client-metadata+json");
    assert!(fetch_from(&server_with(with_suffix).await).await.is_ok());
    for content_type in ["text/html", "text/json", "application/jsonp", "application/x", "json"] {
        let refusal = fetch_from(&server_with(typed(content_type)).await).await.unwrap_err();
        assert_eq!(refusal, FetchRefusal::ContentType, "{content_type}");
    }
    for encoding in ["gzip", "br", "deflate", "identity"] {
        let answer = json("{}").insert_header("content-encoding", encoding);
        let refusal = fetch_from(&server_with(answer).await).await.unwrap_err();
        assert_eq!(refusal, FetchRefusal::Encoded, "{encoding}");
    }
}

#[tokio::test]
async fn a_document_is_small() {
    let fits = "x".repeat(DOCUMENT_BYTES_MAX);
    assert_eq!(fetch_from(&server_with(json(&fits)).await).await.unwrap().body, fits.as_bytes());
    let over = format!("{fits}x");
    let refusal = fetch_from(&server_with(json(&over)).await).await.unwrap_err();
    assert_eq!(refusal, FetchRefusal::TooLarge);
    // A length that is not announced is counted.
    let endless = raw_server(|mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
        let _ = stream.write_all(head).await;
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    })
    .await;
    assert_eq!(fetch_raw(endless, PATIENCE).await.unwrap_err(), FetchRefusal::TooLarge);
}

#[tokio::test]
async fn a_slow_or_broken_host_is_left() {
    let silent = raw_server(|stream| async move {
        let _kept = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let soon = Duration::from_millis(200);
    assert_eq!(fetch_raw(silent, soon).await.unwrap_err(), FetchRefusal::TooSlow);
    let dripping = raw_server(|mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{";
        let _ = stream.write_all(head).await;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(fetch_raw(dripping, soon).await.unwrap_err(), FetchRefusal::TooSlow);
    let rude = raw_server(|stream| async move { drop(stream) }).await;
    assert_eq!(fetch_raw(rude, PATIENCE).await.unwrap_err(), FetchRefusal::NoAnswer);
    let breaking_off = raw_server(|mut stream| async move {
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
        let _ = stream.write_all(head).await;
    })
    .await;
    assert_eq!(fetch_raw(breaking_off, PATIENCE).await.unwrap_err(), FetchRefusal::NoAnswer);
}

#[tokio::test]
async fn nothing_of_ours_is_told() {
    let server = server_with(json("{}")).await;
    fetch_from(&server).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let mut told: Vec<_> = requests[0].headers.keys().map(http::HeaderName::as_str).collect();
    told.sort_unstable();
    assert_eq!(told, ["accept", "host", "user-agent"]);
}

/// A server that reads a request and then does as `answer` says; its port.
async fn raw_server<F>(answer: impl FnOnce(tokio::net::TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let read = stream.read(&mut [0; 2048]).await.unwrap();
        assert!(read > 0);
        answer(stream).await;
    });
    port
}

async fn fetch_raw(port: u16, timeout: Duration) -> Result<Fetched, FetchRefusal> {
    let lookup = Answers::new(&[&["127.0.0.1"]]);
    let guard = FetchGuard::new(lookup, DocumentHosts::AlsoLoopback, timeout).unwrap();
    guard.fetch(&address_of(port)).await
}
