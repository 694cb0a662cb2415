//! The WebSockets that are open: how many there are, and how all of them break at once.

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use crate::emulator::http::stream::Socket;

/// What all open sockets share.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// Counts how often all were dropped.
    dropped: watch::Sender<u64>,
}

impl Default for Sockets {
    fn default() -> Self {
        Sockets { dropped: watch::Sender::new(0) }
    }
}

impl Sockets {
    /// Breaks all open sockets, without a word to their clients. How many there were.
    pub(crate) fn drop_all(&self) -> usize {
        // Counted before: those that are told are gone at once.
        let open = self.dropped.receiver_count();
        self.dropped.send_modify(|count| *count += 1);
        open
    }

    pub(crate) fn open(&self) -> usize {
        self.dropped.receiver_count()
    }

    /// Serves an open socket to its end.
    pub(crate) async fn serve(&self, stream: TokioIo<Upgraded>, socket: Box<dyn Socket>) {
        let mut dropped = self.dropped.subscribe();
        tokio::select! {
            () = socket.serve(stream) => {}
            _ = dropped.changed() => {}
        }
    }
}
