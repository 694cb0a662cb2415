//! The token by which a task learns that it is to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether to stop: nothing more is begun, and requests that are out are waited for.
#[derive(Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    told: tokio::sync::Notify,
}

impl Stop {
    /// Asks for the stop. Returns whether it was asked for before.
    pub fn ask(&self) -> bool {
        let before = self.asked.swap(true, Ordering::SeqCst);
        self.told.notify_waiters();
        before
    }

    /// Whether it is time to stop.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// The flag itself, for a client that must begin nothing after it is set.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Waits until it is time to stop.
    pub async fn asked(&self) {
        let told = self.told.notified();
        if !self.is_asked() {
            told.await;
        }
    }
}
