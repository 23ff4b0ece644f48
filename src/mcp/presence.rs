//! Whether whoever asked still waits for the answer.
//!
//! A tool that asks another server runs on a task of its own, which nobody ends when the client
//! hangs up. So it looks here, and asks no more for nobody.

use tokio::sync::watch;

/// Held while somebody waits.
#[derive(Debug)]
pub struct Waiting(
    #[expect(dead_code, reason = "it says what it says by being dropped")] watch::Sender<()>,
);

/// Tells when nobody waits any more.
#[derive(Clone, Debug)]
pub struct Presence(watch::Receiver<()>);

/// Somebody who waits, and the way to know it.
pub fn somebody() -> (Waiting, Presence) {
    let (waiting, presence) = watch::channel(());
    (Waiting(waiting), Presence(presence))
}

impl Presence {
    /// Returns when nobody waits any more.
    pub async fn ended(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
