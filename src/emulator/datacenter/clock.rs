//! Two times: that of the wall, which signatures are checked against and which can be wrong by an
//! offset, and that of the machines, which tests can step. Neither touches the system's clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How fast the work of machines is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// That many times faster than the real one. What it leaves behind is dated as it happens: the clock is that of the
    /// wall.
    Times(f64),
    /// Not at all, but by [`Clock::advance`].
    Stepped,
}

impl Pace {
    /// How long work takes that takes so many milliseconds; a moment at least.
    pub(crate) fn takes(self, milliseconds: i64) -> i64 {
        match self {
            Pace::Stepped => milliseconds,
            // Saturates, as every float to integer cast does.
            Pace::Times(times) => ((milliseconds as f64 / times).ceil() as i64).max(1),
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Pace::Times(1.0)
    }
}

/// The emulator's clock.
#[derive(Debug)]
pub struct Clock {
    began: Instant,
    began_at: i64,
    pace: Pace,
    advanced: AtomicI64,
    offset: AtomicI64,
}

impl Clock {
    /// A clock of which the machines' time is not before that at which an earlier run stopped.
    pub(crate) fn new(pace: Pace, offset: i64, stopped: i64) -> Clock {
        let began_at =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(0));
        let ahead = stopped.saturating_sub(began_at).max(0);
        let clock =
            Clock { began: Instant::now(), began_at, pace, advanced: AtomicI64::new(ahead), offset: AtomicI64::new(0) };
        clock.set_offset(offset);
        clock
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// The server's idea of the time of day, in milliseconds since 1970.
    pub fn wall(&self) -> i64 {
        self.began_at.saturating_add(self.elapsed()).saturating_add(self.offset.load(Ordering::Relaxed))
    }

    /// The time of the machines, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        let passed = match self.pace {
            Pace::Stepped => 0,
            Pace::Times(_) => self.elapsed(),
        };
        self.began_at.saturating_add(passed).saturating_add(self.advanced.load(Ordering::Relaxed))
    }

    /// Lets time pass for the machines. The time of day, by which signatures are judged, stays.
    pub fn advance(&self, by: Duration) {
        // A century at most, so that no sum can ever overflow.
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX).min(100 * 366 * 86_400_000);
        let _ = self.advanced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |was| Some(was.saturating_add(by)));
    }

    /// Puts the server's time of day wrong by that many seconds.
    pub fn set_offset(&self, seconds: i64) {
        self.offset.store(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}

/// As the API writes a time: UTC with milliseconds.
pub(crate) fn iso(ms: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{stamp:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stepped_clock_moves_only_when_told() {
        let clock = Clock::new(Pace::Stepped, 0, 0);
        let before = clock.now();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(clock.now(), before);
        clock.advance(Duration::from_secs(3));
        assert_eq!(clock.now(), before + 3000);
    }

    #[test]
    fn an_absurd_step_does_not_overflow() {
        let clock = Clock::new(Pace::Times(1e300), i64::MAX, i64::MAX);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert!(clock.now() > 0);
        let _ = clock.wall();
        assert!(iso(clock.now()).ends_with('Z'));
    }

    #[test]
    fn a_pace_shortens_the_work_and_leaves_the_time_as_it_is() {
        let clock = Clock::new(Pace::Times(1e6), 0, 0);
        std::thread::sleep(Duration::from_millis(5));
        assert!((0..=1000).contains(&(clock.wall() - clock.now())), "{} {}", clock.wall(), clock.now());
        let times = [Pace::Times(10.0), Pace::Times(0.5), Pace::Times(1e6), Pace::Stepped].map(|pace| pace.takes(2000));
        assert_eq!(times, [200, 4000, 1, 2000]);
    }

    #[test]
    fn times_are_written_with_milliseconds() {
        assert_eq!(iso(1_483_651_900_000), "2017-01-05T21:31:40.000Z");
        assert_eq!(iso(1_483_651_900_120), "2017-01-05T21:31:40.120Z");
    }
}
