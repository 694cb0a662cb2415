//! What goes on after the head of an answer: lines that come over time, and WebSockets.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;

/// A body whose lines come over time.
pub(crate) trait Lines: Debug + Send {
    /// What is new now.
    fn now(&mut self) -> Vec<u8>;
    /// The next lines, once there are some; `None` after the last one.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>>;
}

/// What goes on in a WebSocket once it is open.
pub(crate) trait Socket: Debug + Send {
    /// Serves it to its end.
    fn serve(self: Box<Self>, stream: TokioIo<Upgraded>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}
