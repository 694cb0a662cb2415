//! What goes on after the head of an answer: lines that come over time, and WebSockets.

use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::Sleep;

/// A body whose lines come over time.
pub(crate) trait Lines: Debug + Send {
    /// What is new now.
    fn now(&mut self) -> Vec<u8>;
    /// The next lines, once there are some; `None` after the last one.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>>;
}

/// The pause between two polls, in real time: the machines' clock may stand still, or be stepped.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// A body ends after this many polls, which take an hour.
const MAX_POLLS: u32 = 72_000;

/// Returns the new lines, and whether they were the last.
type News = dyn FnMut() -> (Vec<u8>, bool) + Send;

/// Lines that are polled for as long as the client stays.
pub(crate) struct PolledLines {
    news: Box<News>,
    pause: Option<Pin<Box<Sleep>>>,
    left: u32,
}

impl PolledLines {
    pub(crate) fn new(news: impl FnMut() -> (Vec<u8>, bool) + Send + 'static) -> PolledLines {
        PolledLines { news: Box::new(news), pause: None, left: MAX_POLLS }
    }
}

impl Debug for PolledLines {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.debug_struct("PolledLines").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Lines for PolledLines {
    fn now(&mut self) -> Vec<u8> {
        let (lines, over) = (self.news)();
        self.left = if over { 0 } else { self.left.saturating_sub(1) };
        lines
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            if self.left == 0 {
                return Poll::Ready(None);
            }
            let lines = self.now();
            if self.left > 0 {
                self.pause = Some(Box::pin(tokio::time::sleep(POLL_INTERVAL)));
            }
            if !lines.is_empty() {
                return Poll::Ready(Some(Bytes::from(lines)));
            }
        }
    }
}

/// What goes on in a WebSocket once it is open.
pub(crate) trait Socket: Debug + Send {
    /// Serves it to its end.
    fn serve(self: Box<Self>, stream: TokioIo<Upgraded>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}
