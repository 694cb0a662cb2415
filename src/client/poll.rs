//! Looking again and again until something is so: the one loop behind every wait. It knows nothing of what is looked
//! for.

use std::time::Duration;

use tokio::time::Instant;

use super::{Client, backoff, jitter};
use crate::error::{Error, Kind, Result};

/// How often is looked: from the first pause to the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How long one look may take at first. Each that takes longer doubles it, up to the client's own patience.
const LOOK: Duration = Duration::from_secs(10);
/// So long before the time is over is the last look.
const LAST: Duration = Duration::from_millis(300);
/// The longest time that can be waited: a clock cannot count for ever.
const MAX_WAIT: Duration = Duration::from_secs(366 * 86_400);

/// The time that one or several waits have: as it was said, and when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    said: Duration,
    end: Instant,
}

impl Time {
    /// As much as this, from now on.
    pub fn new(timeout: Duration) -> Time {
        Time::since(Instant::now(), timeout)
    }

    /// As much as this, from then on.
    pub fn since(begun: Instant, timeout: Duration) -> Time {
        Time { said: timeout, end: begun + timeout.min(MAX_WAIT) }
    }

    /// As it was said, which is how a failure names it.
    pub fn said(&self) -> Duration {
        self.said
    }

    /// When it is over.
    pub fn end(&self) -> Instant {
        self.end
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

/// What one look has shown.
pub(super) enum Poll<T> {
    Done(T),
    /// Not yet, and how far it is.
    NotYet(String),
}

/// How a wait has ended.
pub(super) enum End<T> {
    Done(T),
    /// The time is over; this was seen last, and this kept the last look from seeing anything.
    Late(Option<String>, Option<Error>),
}

impl Client {
    /// Looks until it is done, the look fails for good, or the time is over. What passes is survived.
    ///
    /// # Errors
    /// The look's own, where waiting does not help.
    pub(super) async fn poll<T>(
        &self,
        time: Time,
        mut progress: impl FnMut(&str),
        mut look: impl AsyncFnMut(&Client, u32) -> Result<Poll<T>>,
    ) -> Result<End<T>> {
        let mut pause = POLL.0;
        let mut seen: Option<String> = None;
        // One that never answers must not eat the whole wait.
        let mut patience = LOOK.min(self.settings.request_timeout);
        let mut failures = 0;
        let mut last: Option<Error> = None;
        for looks in 1.. {
            let client = self.with_patience(patience);
            let shown = match tokio::time::timeout_at(time.end, look(&client, looks)).await {
                Err(_) => break,
                Ok(shown) => shown,
            };
            let next = match shown {
                Ok(Poll::Done(found)) => return Ok(End::Done(found)),
                Ok(Poll::NotYet(now)) => {
                    failures = 0;
                    last = None;
                    if seen.as_ref() != Some(&now) {
                        progress(&now);
                        seen = Some(now);
                    }
                    let next = pause.mul_f64(0.75 + jitter() / 2.0);
                    pause = pause.mul_f64(1.5).min(POLL.1);
                    next
                }
                Err(error) if is_passing(&error) => {
                    failures += 1;
                    // An outage is told once, not at each look.
                    if failures == 1 {
                        progress(&format!("out of reach ({error})"));
                        let last = |seen: String| {
                            if seen.is_empty() { seen } else { format!("{seen} (when it was seen last)") }
                        };
                        seen = seen.map(last);
                    }
                    if error.kind() == Kind::Unreachable {
                        patience = patience.saturating_mul(2).min(self.settings.request_timeout);
                    }
                    last = Some(error);
                    backoff(failures, POLL.0).min(POLL.1 * 2)
                }
                Err(error) => return Err(error),
            };
            let (now, mut next) = (Instant::now(), Instant::now() + next);
            if next >= time.end {
                // The time that was said is used up: one look more, with time for its answer.
                next = time.end.checked_sub(LAST).unwrap_or(time.end);
                if next <= now {
                    break;
                }
            }
            tokio::time::sleep_until(next).await;
        }
        Ok(End::Late(seen, last))
    }

    /// The same client, which waits for an answer no longer than this, and keeps to the pace: many who look together
    /// must not flood the service.
    fn with_patience(&self, patience: Duration) -> Client {
        let mut client = self.clone();
        client.polls = true;
        // The wait itself rides out what passes.
        client.settings.retry = None;
        client.settings.request_timeout = client.settings.request_timeout.min(patience);
        client.transport.shorten(patience);
        client
    }
}

/// So long after the end of its job an object may still be as it was: it is told of by its server.
pub(super) const AFTER: Duration = Duration::from_secs(30);
/// What may become of what is waited for no longer, where nothing says that it goes on.
pub(super) const MAY_END: &str = "it may yet come to its end";

/// The error of a wait that ran out of time.
pub(super) fn late(
    (word, name): (&str, &str),
    seen: Option<&str>,
    time: Time,
    (last, becomes): (Option<Error>, &str),
) -> Error {
    let seen = match seen {
        Some("") => "has not come to its end".to_owned(),
        Some(seen) => format!("is still {seen}"),
        None => "could not be asked for".to_owned(),
    };
    let words = format!("{word} {name} {seen} after {:?}: gave up waiting", time.said);
    let error = Error::new(Kind::TimedOut, words);
    let error = match last {
        Some(last) => error.because(last),
        None => error,
    };
    error.hint(format!("{becomes}; to wait longer: --timeout TIME"))
}

/// Whether a failure is the way's or the moment's, and not the thing's.
fn is_passing(error: &Error) -> bool {
    error.passes() || matches!(error.kind(), Kind::Throttled | Kind::Other)
}
