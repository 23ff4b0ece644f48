//! The generator: visitors, each with a connection of its own, who ask again as soon as they are
//! answered (a closed loop), for a while.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderValue};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Latencies are kept in microseconds, up to a minute, with three digits.
const LATENCY_MAX: u64 = 60_000_000;
const DIGITS: u8 = 3;

/// What was answered.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Whether an operation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It takes another request.
    More,
    /// It is over, and went well.
    Done,
}

/// Somebody who does the same operation again and again.
pub trait Visitor: Send + 'static {
    /// The next request; `None` when there is nothing left to do.
    fn ask(&mut self) -> Option<Request<Full<Bytes>>>;

    /// The answer to it; an error says what is wrong with it.
    fn hear(&mut self, answer: Answer) -> Result<Step, String>;
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Operations that went well.
    pub done: u64,
    /// Operations that did not, and what the first of them said.
    pub failed: u64,
    /// What the first failure said.
    pub first_failure: Option<String>,
    /// All operations, those before the measurement began included.
    pub total: u64,
    /// How long was measured.
    pub took: Duration,
    /// How long each took, in microseconds.
    pub latency: Histogram<u64>,
}

impl Measured {
    /// Operations a second.
    pub fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "nobody measures 2^52 operations")]
        let done = self.done as f64;
        let took = self.took.as_secs_f64();
        if took > 0.0 { done / took } else { 0.0 }
    }

    /// What several measured side by side, as one; `None` of none.
    pub fn of_all(parts: Vec<Self>) -> Option<Self> {
        parts.into_iter().reduce(|mut all, part| {
            all.done += part.done;
            all.failed += part.failed;
            all.first_failure = all.first_failure.or(part.first_failure);
            all.total += part.total;
            all.took = all.took.max(part.took);
            all.latency.add(&part.latency).expect("all histograms have the same bounds");
            all
        })
    }

    /// The latency that so many percent stay below, in microseconds.
    pub fn percentile(&self, percent: f64) -> u64 {
        self.latency.value_at_percentile(percent)
    }
}

/// What one visitor measured.
struct Share {
    done: u64,
    total: u64,
    failed: u64,
    first_failure: Option<String>,
    latency: Histogram<u64>,
    /// When the last operation ended.
    ended_at: Instant,
}

/// Lets all visitors go at once, and counts after `warm_up`.
pub async fn drive(
    address: SocketAddr,
    visitors: Vec<Box<dyn Visitor>>,
    warm_up: Duration,
    duration: Duration,
) -> Measured {
    let begin = Instant::now() + warm_up;
    let end = begin + duration;
    let mut tasks = JoinSet::new();
    for visitor in visitors {
        tasks.spawn(visit(address, visitor, begin, end));
    }
    let mut all = Measured {
        done: 0,
        total: 0,
        failed: 0,
        first_failure: None,
        took: duration,
        latency: empty(),
    };
    let mut last = begin;
    while let Some(share) = tasks.join_next().await {
        let share = share.expect("a visitor does not panic");
        all.done += share.done;
        all.total += share.total;
        all.failed += share.failed;
        all.first_failure = all.first_failure.or(share.first_failure);
        all.latency.add(&share.latency).expect("all histograms have the same bounds");
        last = last.max(share.ended_at);
    }
    // Less than `duration` when there was nothing left to do.
    all.took = last.saturating_duration_since(begin);
    all
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_MAX, DIGITS).expect("the bounds are good")
}

async fn visit(
    address: SocketAddr,
    mut visitor: Box<dyn Visitor>,
    begin: Instant,
    end: Instant,
) -> Share {
    let (latency, ended_at) = (empty(), begin);
    let mut share = Share { done: 0, total: 0, failed: 0, first_failure: None, latency, ended_at };
    let mut connection = None;
    while Instant::now() < end {
        let asked_at = Instant::now();
        let outcome = operate(&mut connection, address, &mut *visitor).await;
        let took = asked_at.elapsed();
        if matches!(outcome, Ok(false)) {
            return share;
        }
        share.total += 1;
        // A failure counts whenever it happens.
        if asked_at < begin && outcome.is_ok() {
            continue;
        }
        share.ended_at = Instant::now().max(begin);
        match outcome {
            Ok(false) => {}
            Ok(true) => {
                share.done += 1;
                let micros = u64::try_from(took.as_micros()).unwrap_or(LATENCY_MAX);
                share.latency.saturating_record(micros);
            }
            Err(what) => {
                share.failed += 1;
                share.first_failure.get_or_insert(what);
            }
        }
    }
    share
}

/// One operation, over one connection that is dialled when there is none; `false` when there was
/// nothing left to do.
async fn operate(
    connection: &mut Option<SendRequest<Full<Bytes>>>,
    address: SocketAddr,
    visitor: &mut dyn Visitor,
) -> Result<bool, String> {
    loop {
        let Some(mut request) = visitor.ask() else { return Ok(false) };
        let mut sender = match connection.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => dial(address).await?,
        };
        sender.ready().await.map_err(|error| error.to_string())?;
        request.headers_mut().insert(HOST, host(address));
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        *connection = Some(sender);
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        if visitor.hear(answer)? == Step::Done {
            return Ok(true);
        }
    }
}

fn host(address: SocketAddr) -> HeaderValue {
    HeaderValue::from_str(&address.to_string()).expect("an address is ASCII")
}

async fn dial(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (mut sender, driver) =
        handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        // Its end is told to whoever asks over it next.
        let _: Result<(), hyper::Error> = driver.await;
    });
    sender.ready().await.map_err(|error| error.to_string())?;
    Ok(sender)
}

/// A request without a body.
pub fn get(path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    request("GET", path, headers, Bytes::new())
}

/// A request with a body.
pub fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Full::<Bytes>::new(body))
        .unwrap_or_else(|error| unreachable!("a scenario's request is a request: {error}"))
}
