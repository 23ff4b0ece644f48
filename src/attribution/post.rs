//! Posting to a receiver outside: bounded in time, never redirected, and of the answer only what
//! its head says.
//!
//! A redirect is a failure: what follows one sends the body again as a GET without it, or nowhere,
//! and the form that this is modelled on once lost its messages so while it reported success.

use std::fmt;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response};
use url::Url;

use crate::attribution::letter::Letter;
use crate::clock::Timestamp;
use crate::http_client::{self, NoHttpClient};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// From the look-up to the head of the answer.
pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Why something was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody was reached.
    NoConnection,
    /// No answer came in time.
    TooSlow,
    /// The connection broke before there was an answer; the receiver may have it all the same.
    BrokeOff,
    /// An answer that is no 2xx: redirects, refusals, faults.
    Status(u16),
    /// What was to be told cannot be read: the secret it was sealed under is gone.
    Unreadable,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection => f.write_str("no_connection"),
            Self::TooSlow => f.write_str("too_slow"),
            Self::BrokeOff => f.write_str("broke_off"),
            Self::Status(status) => write!(f, "status_{status}"),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It may not have it.
    Failed {
        /// Why.
        failure: Failure,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failed { failure, retry_after: None }
    }
}

/// The HTTP client.
#[derive(Clone, Debug)]
pub struct Post(Client);

impl Post {
    /// A client for one receiver.
    pub fn to(receiver: &Url) -> Result<Self, NoHttpClient> {
        let builder = http_client::builder_to(receiver)
            // A connection that was kept may be gone when it is used, and then nobody knows whether
            // the receiver has the letter.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT);
        Ok(Self(http_client::build(builder)?))
    }

    /// Posts a letter. Nothing of the answer's body is read.
    pub async fn send(&self, letter: Letter, now: Timestamp) -> Outcome {
        let mut request = self.0.post(letter.url).body(letter.body);
        for (name, value) in letter.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => Outcome::Delivered,
            Ok(response) => Outcome::Failed {
                failure: Failure::Status(response.status().as_u16()),
                retry_after: retry_after(&response, now),
            },
            Err(error) => failure_of(&error).into(),
        }
    }

    /// Whether anybody is there, and does not send whoever comes elsewhere: for `gatehouse check`,
    /// which must not leave a message behind. What else a HEAD request is answered means nothing.
    pub async fn look(&self, url: &Url) -> Result<(), Failure> {
        let response = self.0.head(url.clone()).send().await.map_err(|error| failure_of(&error))?;
        let status = response.status();
        if status.is_redirection() { Err(Failure::Status(status.as_u16())) } else { Ok(()) }
    }
}

/// The kind alone: an error's own words would tell the address.
fn failure_of(error: &reqwest::Error) -> Failure {
    if error.is_connect() {
        Failure::NoConnection
    } else if error.is_timeout() {
        Failure::TooSlow
    } else {
        Failure::BrokeOff
    }
}

/// Seconds or a date (RFC 9110 §10.2.3).
fn retry_after(response: &Response, now: Timestamp) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    wait_named(text.trim(), now)
}

fn wait_named(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(now.until(Timestamp::from_millis(0).plus(since_epoch)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_named_in_seconds_or_by_a_date() {
        let now = Timestamp::from_seconds(784_111_777);
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            assert_eq!(wait_named(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
