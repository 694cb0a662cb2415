//! Lengths of time and ages, as people type them.

use std::time::Duration;

use jiff::{SpanRelativeTo, Unit};

use crate::error::{Error, Result};
use crate::sensitive;

/// No clock is older, and much more would overflow one; in seconds.
const MAX_SECONDS: f64 = 315_360_000.0;

/// Reads a length of time: seconds (`30`, `1.5`), or with units: `500ms`, `30s`, `2m`, `1h30m`, `7d`. `what` is the
/// option or variable that it comes from.
///
/// # Errors
/// A usage error for anything else, and for no time at all.
pub fn duration(what: &str, text: &str) -> Result<Duration> {
    bounded(what, text, seconds(text.trim()))
}

fn bounded(what: &str, text: &str, seconds: Option<f64>) -> Result<Duration> {
    match seconds {
        Some(seconds) if (0.001..=MAX_SECONDS).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(Error::usage(format!("{what} is not a duration: '{}'", sensitive::shown(text.trim())))
            .hint("as in 30s, 500ms, 2m, 1h30m, 30d, 2w")),
    }
}

/// Reads how long ago something was, which must say whether it is minutes or days: a mistake would select far too many.
///
/// # Errors
/// A usage error for anything else.
pub fn age(option: &str, text: &str) -> Result<Duration> {
    // The tables show ages of years.
    if let Some(years) = text.trim().strip_suffix('y').and_then(|years| years.parse::<u16>().ok()) {
        return longer(option, text, Some(f64::from(years) * 365.0 * 86_400.0));
    }
    if text.trim().ends_with(|letter: char| letter.is_ascii_digit()) {
        return Err(Error::usage(format!("{option} {}: of which unit?", sensitive::quoted(text)))
            .hint(format!("{option} {text}d, {text}h")));
    }
    longer(option, text, seconds(text.trim()))
}

/// Everything is older than nothing.
fn longer(option: &str, text: &str, seconds: Option<f64>) -> Result<Duration> {
    match seconds {
        Some(0.0) => Err(Error::usage(format!("{option} {}: more than nothing is expected", sensitive::quoted(text)))
            .hint("as in 30d, 12h, 8w")),
        seconds => bounded(option, text, seconds),
    }
}

fn seconds(text: &str) -> Option<f64> {
    let plain = |text: &str| text.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    if plain(text) {
        return text.parse().ok();
    }
    // jiff takes nine decimals, and none of days.
    for (unit, seconds) in [("s", 1.0), ("d", 86_400.0), ("w", 604_800.0)] {
        if let Some(number) = text.strip_suffix(unit).filter(|number| plain(number) && number.contains('.')) {
            return number.parse::<f64>().ok().map(|number| number * seconds);
        }
    }
    let span: jiff::Span = text.parse().ok()?;
    span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_seconds_or_has_units() {
        for (text, milliseconds) in [
            ("30", 30_000),
            ("1.5", 1_500),
            ("500ms", 500),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1.5h", 5_400_000),
            ("1d12h", 129_600_000),
            ("0.5d", 43_200_000),
            (" 2w ", 1_209_600_000),
        ] {
            assert_eq!(duration("--timeout", text).unwrap(), Duration::from_millis(milliseconds), "{text}");
        }
        for text in ["", "0", "-1h", "1h ago", "1mo", "1y", "h", "1x", "1h-30m", "1e9", "1.2.3s", "9999999999d", "NaN"]
        {
            assert!(duration("--timeout", text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_has_a_unit() {
        assert_eq!(age("--older-than", "1y").unwrap(), Duration::from_secs(365 * 86_400));
        assert!(age("--older-than", "90y").unwrap_err().message().contains("'90y'"));
        assert!(age("--older-than", "30").unwrap_err().message().contains("of which unit?"));
        assert!(age("--older-than", "1h30m").is_ok());
    }
}
