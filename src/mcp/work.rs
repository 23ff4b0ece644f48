//! Work that ends with its request: who hangs up, or waits no longer, is not worked for (MCP
//! 2026-07-28, Streamable HTTP: Cancellation).
//!
//! rmcp answers on a task of its own and tells it that the client is gone; the task is not ended.
//! What runs here is dropped then, wherever it waits.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::{JoinError, JoinHandle};

use crate::mcp::reply::Failure;

/// What `work` gives; none when the client was gone first.
pub async fn unless_gone<T>(
    gone: impl Future<Output = ()>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = gone => None,
        done = work => Some(done),
    }
}

/// Works on a thread that may be busy. What waits for a thread when the client goes never gets
/// one; what has begun is bounded, and ends.
pub async fn on_busy_thread<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    Ending(tokio::task::spawn_blocking(call)).await.map_err(Failure::fault)
}

/// Works on a task of its own, so that a panic becomes an error: rmcp leaves a request whose task
/// died waiting for ever.
pub async fn on_own_task<T: Send + 'static>(
    call: impl Future<Output = T> + Send + 'static,
) -> Result<T, Failure> {
    Ending(tokio::spawn(call)).await.map_err(Failure::fault)
}

/// A task that ends when nobody waits for it.
struct Ending<T>(JoinHandle<T>);

impl<T> Future for Ending<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};

    use super::*;

    #[test]
    fn what_waits_for_a_thread_never_gets_one_when_the_client_is_gone() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).build();
        runtime.expect("a runtime").block_on(async {
            let (release, released) = mpsc::channel::<()>();
            let first = tokio::spawn(on_busy_thread(move || released.recv().is_ok()));
            let is_begun = Arc::new(AtomicBool::new(false));
            let begun = Arc::clone(&is_begun);
            let second = on_busy_thread(move || begun.store(true, Ordering::SeqCst));
            assert!(unless_gone(tokio::task::yield_now(), second).await.is_none());
            release.send(()).expect("the first still waits");
            assert!(first.await.expect("no panic").expect("no fault"));
            // The one thread takes what waits in turn, so what waited before this is over.
            on_busy_thread(|| ()).await.expect("no fault");
            assert!(!is_begun.load(Ordering::SeqCst));
        });
    }

    #[tokio::test]
    async fn a_panic_is_a_fault() {
        assert!(on_own_task(async { panic!("a defect") }).await.is_err());
        assert!(on_busy_thread(|| panic!("a defect")).await.is_err());
    }
}
