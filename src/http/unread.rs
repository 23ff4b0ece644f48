//! What a refused request still sends.
//!
//! A connection that is closed while its client sends is reset, and the client may never see the
//! answer: it would take a 401 for a broken network. So what is left of a long body is read and
//! thrown away before a refusal goes out, within bounds.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use poem::http::{HeaderMap, header};
use poem::{Body, Request};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

/// As much as the server reads in one go, and so has read when it answers.
const SHORT_BODY_BYTES_MAX: u64 = 8 * 1024;

/// No more of a refused body is read; somewhat more than any body that is accepted.
const UNREAD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Nor for longer.
const UNREAD_TIME_MAX: Duration = Duration::from_secs(5);

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// A body that an endpoint may read, and the door after it.
#[derive(Clone)]
pub struct Unread(Arc<Mutex<Reader>>);

impl Unread {
    /// Keeps hold of a request's body if more of it may be on the way than came with the head.
    pub fn of(request: &mut Request) -> Option<Self> {
        if !may_be_long(request.headers()) {
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

/// A client that waits to be told to go on sends nothing unless it is read.
fn may_be_long(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let is_long = match length.map(str::parse::<u64>) {
        Some(Ok(length)) => length > SHORT_BODY_BYTES_MAX,
        Some(Err(_)) => true,
        None => headers.contains_key(header::TRANSFER_ENCODING),
    };
    is_long && !headers.contains_key(header::EXPECT)
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
