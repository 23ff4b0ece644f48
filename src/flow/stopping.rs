//! Whether this replica was told to stop. It goes on answering for a while, and says that it is not
//! ready, so that whoever sends it requests has sent the last one when it closes.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether it was.
#[derive(Debug, Default)]
pub struct Stopping(AtomicBool);

impl Stopping {
    /// It is told to.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
