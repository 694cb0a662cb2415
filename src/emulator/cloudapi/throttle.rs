//! Token buckets: ten requests a second and a burst of thirty unless told otherwise, for each account and group of
//! routes.

use std::collections::HashMap;

use crate::emulator::http::reply::Refusal;

/// Requests a second.
const RATE: f64 = 10.0;
/// Requests at once.
const BURST: f64 = 30.0;

/// The buckets, each with what is left in it and since when.
#[derive(Debug)]
pub(crate) struct Throttle {
    rate: f64,
    burst: f64,
    buckets: HashMap<(String, &'static str), (f64, i64)>,
}

impl Default for Throttle {
    fn default() -> Self {
        Throttle { rate: RATE, burst: BURST, buckets: HashMap::new() }
    }
}

impl Throttle {
    /// So many requests a second, and no more at once.
    pub(crate) fn of(rate: u32) -> Throttle {
        Throttle { rate: rate.into(), burst: rate.into(), buckets: HashMap::new() }
    }

    /// Takes a token, if there is one. Times are milliseconds.
    pub(crate) fn take(&mut self, who: &str, group: &'static str, now: i64) -> Result<(), Refusal> {
        let (left, since) = self.buckets.entry((who.to_owned(), group)).or_insert((self.burst, now));
        let passed = now.saturating_sub(*since).max(0) as f64 / 1000.0;
        *left = (*left + passed * self.rate).min(self.burst);
        *since = now;
        if *left < 1.0 {
            let words = format!("You have exceeded your request rate of {} r/s.", self.rate);
            return Err(Refusal::new(429, "TooManyRequestsError", words));
        }
        *left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut throttle = Throttle::default();
        for _ in 0..30 {
            throttle.take("acme", "machines", 1000).unwrap();
        }
        let refusal = throttle.take("acme", "machines", 1000).unwrap_err();
        assert_eq!(refusal.status, 429);
        assert_eq!(refusal.body["message"], "You have exceeded your request rate of 10 r/s.");
        throttle.take("acme", "images", 1000).unwrap();
        throttle.take("other", "machines", 1000).unwrap();
        throttle.take("acme", "machines", 1100).unwrap();
        throttle.take("acme", "machines", 1100).unwrap_err();
        let mut slow = Throttle::of(2);
        for (now, passes) in [(0, true), (0, true), (400, false), (500, true), (900, false)] {
            assert_eq!(slow.take("acme", "machines", now).is_ok(), passes, "{now}");
        }
    }
}
