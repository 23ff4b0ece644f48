//! What a refused request still sends.
//!
//! A connection that is closed while its client sends is reset, and the client may never see the
//! answer: it would take a 401 for a broken network. So what is left of the body is read and thrown
//! away before a refusal goes out, within bounds. Also of a short body: many clients send it after
//! the head.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use poem::http::{HeaderMap, header};
use poem::{Body, Request};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

/// No more of a refused body is read; somewhat more than any body that is accepted.
const UNREAD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Nor for longer.
const UNREAD_TIME_MAX: Duration = Duration::from_secs(5);

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// A body that an endpoint may read, and the door after it.
#[derive(Clone)]
pub struct Unread(Arc<Mutex<Reader>>);

impl Unread {
    /// Keeps hold of a request's body, if it has one.
    pub fn of(request: &mut Request) -> Option<Self> {
        if !is_on_its_way(request.headers()) {
            return None;
        }
        let reader: Reader = Box::new(request.take_body().into_async_read());
        let unread = Self(Arc::new(Mutex::new(reader)));
        request.set_body(Body::from_async_read(unread.clone()));
        Some(unread)
    }

    /// Reads what is left; whether that was all.
    pub async fn is_over(self) -> bool {
        let mut rest = self.take(UNREAD_BYTES_MAX);
        let reading = async {
            tokio::io::copy(&mut rest, &mut tokio::io::sink()).await.is_ok() && rest.limit() > 0
        };
        tokio::time::timeout(UNREAD_TIME_MAX, reading).await.unwrap_or(false)
    }
}

/// Whether there is a body (RFC 9112 §6.3). A client that waits to be told to go on sends nothing
/// unless it is read.
fn is_on_its_way(headers: &HeaderMap) -> bool {
    let is_empty = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    let has_body = headers.contains_key(header::CONTENT_LENGTH) && !is_empty
        || headers.contains_key(header::TRANSFER_ENCODING);
    has_body && !headers.contains_key(header::EXPECT)
}

impl AsyncRead for Unread {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *reader).poll_read(context, buffer)
    }
}
