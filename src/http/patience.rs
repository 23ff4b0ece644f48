//! How long a connection may hold its place without getting anywhere. As poem sets hyper up, nobody
//! gives up on a request whose head never ends (slow loris), or on who never reads an answer; and a
//! connection that is closed politely while it is in the middle of a head stays for ever.
//!
//! A request that is being answered is not looked at here: it has a deadline of its own, in
//! [`crate::http::interrupted`].

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How HTTP/2 begins (RFC 9113 §3.4). What comes between its requests need not be one.
const HTTP_2: &[u8] = b"PRI * HTTP/2";

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For the beginning of a request; browsers and proxies keep connections about a minute.
    pub idle: Duration,
    /// For the end of a head that has begun.
    pub head: Duration,
    /// For a client to read something of an answer.
    pub unread: Duration,
}

impl Waits {
    /// For clients that may be far away.
    pub const USUAL: Self = Self {
        idle: Duration::from_secs(75),
        head: Duration::from_secs(20),
        unread: Duration::from_secs(40),
    };
}

/// How many requests of a connection are being answered.
#[derive(Debug, Default)]
pub struct Answering(AtomicUsize);

impl Answering {
    /// One more, until what comes back is dropped.
    pub fn begin(self: &Arc<Self>) -> OneOf {
        self.0.fetch_add(1, Ordering::Relaxed);
        OneOf(Arc::clone(self))
    }

    fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct OneOf(Arc<Answering>);

impl Drop for OneOf {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The patience with one connection.
pub struct Patience {
    waits: Waits,
    answering: Arc<Answering>,
    /// Whether bytes have come since the last answer that may be the beginning of a request.
    has_begun: bool,
    /// Whether anything has come at all.
    has_spoken: bool,
    speaks_http_2: bool,
    /// When the last answer was written or the next request began.
    since: Instant,
    /// Mostly set for a moment that has moved on when it comes: moving it each time costs more.
    silence: Pin<Box<Sleep>>,
    unread: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// With a new connection.
    pub fn new(waits: Waits, answering: Arc<Answering>, since: Instant) -> Self {
        let silence = Box::pin(sleep_until(since + waits.idle));
        Self {
            waits,
            answering,
            has_begun: false,
            has_spoken: false,
            speaks_http_2: false,
            since,
            silence,
            unread: None,
        }
    }

    /// Something came.
    pub fn heard(&mut self, bytes: &[u8], now: Instant) {
        if !self.has_spoken {
            self.has_spoken = true;
            self.speaks_http_2 = bytes.starts_with(HTTP_2);
        }
        if !self.has_begun && !self.speaks_http_2 && self.answering.is_none() {
            self.has_begun = true;
            self.since = now;
        }
    }

    /// Something was taken of an answer.
    pub fn wrote(&mut self, now: Instant) {
        self.has_begun = false;
        self.since = now;
        self.unread = None;
    }

    /// When it was waited for long enough; never, while a request is being answered.
    fn deadline(&self) -> Option<Instant> {
        let wait = if self.has_begun { self.waits.head } else { self.waits.idle };
        self.answering.is_none().then(|| self.since + wait)
    }

    /// While nothing comes: ready when it was waited for long enough.
    pub fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.deadline();
            if let Some(earlier) = deadline.filter(|it| *it < self.silence.deadline()) {
                self.silence.as_mut().reset(earlier);
            }
            ready!(self.silence.as_mut().poll(context));
            let next = match deadline {
                Some(deadline) if deadline <= self.silence.deadline() => return Poll::Ready(()),
                Some(deadline) => deadline,
                // After an answer hyper asks no more, when it was told before to wait.
                None => Instant::now() + self.waits.head,
            };
            self.silence.as_mut().reset(next);
        }
    }

    /// While nothing is read over there: ready when it was waited for long enough.
    pub fn poll_unread(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let wait = self.waits.unread;
        let unread =
            self.unread.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + wait)));
        unread.as_mut().poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn begun() -> (Patience, Arc<Answering>, Instant) {
        let (answering, now) = (Arc::<Answering>::default(), Instant::now());
        (Patience::new(Waits::USUAL, Arc::clone(&answering), now), answering, now)
    }

    fn is_over(patience: &Patience, now: Instant) -> bool {
        patience.deadline().is_some_and(|deadline| deadline <= now)
    }

    #[tokio::test]
    async fn a_head_that_comes_byte_by_byte_has_one_time_for_all_of_them() {
        let (mut patience, _, mut now) = begun();
        now += 70 * SECOND;
        for byte in b"GET / HTTP/1.1\r\nhos" {
            assert!(!is_over(&patience, now));
            patience.heard(&[*byte], now);
            now += SECOND;
        }
        assert!(!is_over(&patience, now));
        assert!(is_over(&patience, now + SECOND));
    }

    #[tokio::test]
    async fn after_an_answer_the_time_begins_anew() {
        let (mut patience, answering, mut now) = begun();
        for _ in 0..3 {
            patience.heard(b"GET / HTTP/1.1\r\n\r\n", now);
            let one = answering.begin();
            // It may take long: that is for others to bound.
            now += 600 * SECOND;
            assert!(!is_over(&patience, now));
            drop(one);
            patience.wrote(now);
            now += 74 * SECOND;
            assert!(!is_over(&patience, now));
        }
        assert!(is_over(&patience, now + SECOND));
    }

    #[tokio::test]
    async fn what_comes_between_requests_of_http_2_is_no_beginning_and_no_excuse() {
        let (mut patience, _, mut now) = begun();
        patience.heard(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", now);
        for _ in 0..74 {
            now += SECOND;
            patience.heard(&[0, 0, 8, 6], now);
            assert!(!is_over(&patience, now));
        }
        assert!(is_over(&patience, now + SECOND));
    }
}
