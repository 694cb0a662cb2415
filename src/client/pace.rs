//! How fast requests may follow one another: one token bucket for all that a client sends, its waits and targets
//! together. Plain reading need not wait for its turn, until the service has refused something, or unless a rate was
//! asked for. It knows no request and no answer, only how many may go and when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::transport::RATE;

/// How many seconds' worth may go at once; the service lets three pass.
const BURST: f64 = 2.5;
/// However slow the service becomes, requests a second.
const SLOWEST: f64 = 0.5;
/// By this part of the full rate a request that was taken lets the next ones go faster again.
const RECOVERY: f64 = 1.0 / 64.0;

/// The bucket. Whoever waits for a token waits in a queue.
#[derive(Debug)]
pub(crate) struct Pace {
    queue: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
    /// Also what only reads waits for its turn.
    strict: AtomicBool,
}

#[derive(Debug)]
struct Bucket {
    /// Tokens a second when nothing is wrong.
    full: f64,
    /// Tokens a second now.
    rate: f64,
    left: f64,
    since: Instant,
    /// Nothing goes before this moment.
    closed: Option<Instant>,
    /// Since when everything was refused.
    refused: Option<Instant>,
}

impl Pace {
    /// So many requests a second, whatever they do; or the usual number, of those that do more than read.
    pub(crate) fn new(rate: Option<f64>) -> Pace {
        let full = rate.unwrap_or(RATE).clamp(SLOWEST, 1e6);
        let bucket =
            Bucket { full, rate: full, left: full * BURST, since: Instant::now(), closed: None, refused: None };
        let strict = AtomicBool::new(rate.is_some());
        Pace { queue: tokio::sync::Mutex::new(()), bucket: Mutex::new(bucket), strict }
    }

    /// Waits until one more request may go, and says whether it had to. What only reads goes at once while nobody
    /// minds.
    pub(crate) async fn turn(&self, reads: bool) -> bool {
        if reads && !self.strict.load(Ordering::SeqCst) {
            return false;
        }
        let mut waited = false;
        let _first = self.queue.lock().await;
        loop {
            let taken = self.bucket().take(Instant::now());
            match taken {
                Ok(()) => return waited,
                Err(until) => tokio::time::sleep_until(until).await,
            }
            waited = true;
        }
    }

    /// The service asked for patience: nobody sends anything for this long, and all go slower after it.
    pub(crate) fn slow_down(&self, pause: Duration) {
        self.strict.store(true, Ordering::SeqCst);
        self.bucket().slow_down(Instant::now(), pause);
    }

    /// A request was taken.
    pub(crate) fn taken(&self) {
        let mut bucket = self.bucket();
        bucket.refused = None;
        bucket.rate = (bucket.rate + bucket.full * RECOVERY).min(bucket.full);
    }

    /// For how long everything that was sent has been refused.
    pub(crate) fn refused_for(&self) -> Duration {
        self.bucket().refused.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    /// Takes a token, or says when to ask again.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(closed) = self.closed.filter(|closed| *closed > now) {
            return Err(closed);
        }
        self.closed = None;
        let passed = now.saturating_duration_since(self.since).as_secs_f64();
        self.left = (self.left + passed * self.rate).min(self.full * BURST);
        self.since = self.since.max(now);
        if self.left < 1.0 {
            return Err(now + Duration::from_secs_f64((1.0 - self.left) / self.rate));
        }
        self.left -= 1.0;
        Ok(())
    }

    fn slow_down(&mut self, now: Instant, pause: Duration) {
        let open = now + pause;
        self.refused.get_or_insert(now);
        // Of many that were refused together the first has slowed the rest down.
        if self.closed.is_none_or(|closed| closed <= now) {
            self.rate = (self.rate / 2.0).max(SLOWEST);
        }
        let open = self.closed.map_or(open, |closed| closed.max(open));
        self.closed = Some(open);
        self.left = 0.0;
        self.since = open;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(rate: f64) -> (Bucket, Instant) {
        let now = Instant::now();
        (Bucket { full: rate, rate, left: rate * BURST, since: now, closed: None, refused: None }, now)
    }

    /// How many may go in a second, asked every millisecond.
    fn in_a_second(bucket: &mut Bucket, from: Instant) -> usize {
        (0..1000).filter(|ms| bucket.take(from + Duration::from_millis(*ms)).is_ok()).count()
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let (mut bucket, now) = bucket(8.0);
        assert_eq!((0..100).filter(|_| bucket.take(now).is_ok()).count(), 20);
        let later = now + Duration::from_millis(1);
        assert!((7..=8).contains(&in_a_second(&mut bucket, later)));
    }

    #[test]
    fn a_refusal_of_one_slows_all_down_and_they_recover() {
        let (mut bucket, now) = bucket(8.0);
        bucket.slow_down(now, Duration::from_secs(2));
        // Seven more that were under way are refused too: the rate is halved once.
        (0..7).for_each(|_| bucket.slow_down(now + Duration::from_millis(5), Duration::from_secs(1)));
        assert_eq!(bucket.take(now + Duration::from_secs(1)), Err(now + Duration::from_secs(2)));
        assert!((3..=4).contains(&in_a_second(&mut bucket, now + Duration::from_secs(2))));
        let pace = Pace { bucket: Mutex::new(bucket), ..Pace::new(Some(8.0)) };
        (0..100).for_each(|_| pace.taken());
        assert_eq!(pace.bucket().rate, 8.0);
    }

    #[tokio::test(start_paused = true)]
    async fn how_long_nothing_is_taken_is_known_until_something_is() {
        let pace = Pace::new(None);
        assert_eq!(pace.refused_for(), Duration::ZERO);
        for _ in 0..3 {
            pace.slow_down(Duration::from_secs(1));
            tokio::time::advance(Duration::from_secs(7)).await;
        }
        assert_eq!(pace.refused_for(), Duration::from_secs(21));
        pace.taken();
        assert_eq!(pace.refused_for(), Duration::ZERO);
    }

    #[test]
    fn it_never_stops_for_good() {
        let (mut bucket, mut now) = bucket(8.0);
        for _ in 0..50 {
            bucket.slow_down(now, Duration::ZERO);
            now += Duration::from_millis(10);
        }
        assert!(bucket.rate >= SLOWEST && bucket.take(now + Duration::from_secs(3)).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_get_their_turn_in_order() {
        let pace = std::sync::Arc::new(Pace::new(Some(4.0)));
        let began = Instant::now();
        let turns = (0..30).map(|_| {
            let pace = std::sync::Arc::clone(&pace);
            async move { pace.turn(true).await }
        });
        futures_util::future::join_all(turns).await;
        // Ten at once, twenty more at four a second.
        assert!((Duration::from_millis(4900)..Duration::from_millis(5200)).contains(&began.elapsed()));
    }

    /// How many turns come at once, without the clock moving on.
    async fn at_once(pace: &Pace, reads: bool) -> usize {
        for gone in 0..1000 {
            if tokio::time::timeout(Duration::ZERO, pace.turn(reads)).await.is_err() {
                return gone;
            }
        }
        1000
    }

    #[tokio::test(start_paused = true)]
    async fn reading_waits_for_nothing_until_the_service_says_so() {
        let pace = Pace::new(None);
        assert_eq!(at_once(&pace, true).await, 1000);
        // It takes nothing from what does more than read.
        assert_eq!(at_once(&pace, false).await, 20);
        assert_eq!(at_once(&pace, true).await, 1000);
        pace.slow_down(Duration::from_secs(1));
        assert_eq!(at_once(&pace, true).await, 0);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!((1..=8).contains(&at_once(&pace, true).await));
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_that_was_asked_for_holds_for_reading_too() {
        assert_eq!(at_once(&Pace::new(Some(4.0)), true).await, 10);
    }
}
