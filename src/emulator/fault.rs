//! Faults that can be planted: what is wrong with which requests, and how often. Only reads and
//! keeps the plans; `server` and `answer` act on them.

use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};

/// A fault: requests it is for, and what happens to them.
///
/// Written as `[METHOD] PATH EFFECT… [times=N] [skip=N]`, or `clock=±SECONDSs` alone. In the path,
/// which leaves out the login, `*` stands for any one segment, and a `*` alone for every path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    spec: String,
    method: Option<String>,
    path: String,
    /// How many more requests pass before it strikes.
    skip: u32,
    /// How many more it strikes; `None` for all.
    times: Option<u32>,
    pub(crate) effect: Effect,
}

/// What happens to a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Effect {
    /// Waits before anything.
    pub(crate) delay: Option<Duration>,
    /// Answers with this status and an error body.
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) retry_after: Option<u64>,
    /// Makes the error body about this long.
    pub(crate) big: usize,
    pub(crate) drop: Option<Drop>,
    /// Never answers.
    pub(crate) hang: bool,
    /// Sends so many bytes of the body, then closes the connection.
    pub(crate) cut: Option<usize>,
    /// Answers with a proxy's page.
    pub(crate) html: bool,
    /// Carries it out, but answers 204 without the body that is due.
    pub(crate) empty: bool,
    /// Closes the connection after the answer.
    pub(crate) close: bool,
    /// The work that is started ends badly.
    pub(crate) fail: bool,
    /// Puts the server's time of day wrong, at once and for good.
    pub(crate) clock: Option<i64>,
}

/// When a connection is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drop {
    /// Before the request is carried out.
    Before,
    /// After the headers and half of the body.
    Amid,
    /// After the request has been carried out, before an answer.
    After,
}

const WORDS: &str = "status=N code=WORD retry-after=SECONDS big=BYTES delay=500ms drop=before|amid|after hang \
                     cut=BYTES html empty close fail clock=+3600s times=N skip=N";

impl Fault {
    /// The text it was made from.
    pub fn spec(&self) -> &str {
        &self.spec
    }

    /// Whether it is for this request. The path is that of the request, login included.
    fn is_for(&self, method: &str, path: &str) -> bool {
        if self.method.as_deref().is_some_and(|m| m != method) {
            return false;
        }
        if self.path == "*" || self.path == path {
            return true;
        }
        let mut have = path.split('/').filter(|part| !part.is_empty()).skip(1);
        let mut want = self.path.split('/').filter(|part| !part.is_empty());
        loop {
            match (want.next(), have.next()) {
                (None, None) => return true,
                (Some(want), Some(have)) if want == "*" || want == have => {}
                _ => return false,
            }
        }
    }
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(spec: &str) -> Result<Fault> {
        let wrong =
            |what: String| Error::usage(format!("fault '{spec}': {what}")).hint("GET /machines status=503 times=2");
        let mut fault = Fault { spec: spec.trim().to_owned(), path: "*".to_owned(), ..Fault::default() };
        let mut any = false;
        for word in spec.split_whitespace() {
            if matches!(word, "GET" | "HEAD" | "POST" | "PUT" | "DELETE") && !any && fault.method.is_none() {
                fault.method = Some(word.to_owned());
                continue;
            }
            if (word.starts_with('/') || word == "*") && !any {
                fault.path = word.to_owned();
                continue;
            }
            any = true;
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let number = || {
                value
                    .and_then(|v| v.parse::<u32>().ok())
                    .ok_or_else(|| wrong(format!("'{word}' needs a whole number, as in '{name}=2'")))
            };
            let effect = &mut fault.effect;
            match name {
                "times" => fault.times = Some(number()?),
                "skip" => fault.skip = number()?,
                "status" => {
                    let status = number()?;
                    let fits = u16::try_from(status).ok().filter(|s| (200..=599).contains(s));
                    effect.status = Some(fits.ok_or_else(|| wrong(format!("{status} is no status of 200 to 599")))?);
                }
                "code" => match value {
                    Some(code) if !code.is_empty() => effect.code = Some(code.to_owned()),
                    _ => return Err(wrong("'code' needs a word, as in 'code=InternalError'".to_owned())),
                },
                "retry-after" => effect.retry_after = Some(u64::from(number()?)),
                "big" => effect.big = number()?.min(1 << 28) as usize,
                "cut" => effect.cut = Some(number()? as usize),
                "delay" => {
                    let delay = value.and_then(duration);
                    effect.delay =
                        Some(delay.ok_or_else(|| wrong(format!("'{word}' needs a time, as in 'delay=500ms'")))?);
                }
                "drop" => {
                    effect.drop = Some(match value {
                        Some("before") => Drop::Before,
                        Some("amid") => Drop::Amid,
                        Some("after") => Drop::After,
                        _ => return Err(wrong(format!("'{word}' is none of drop=before, drop=amid, drop=after"))),
                    });
                }
                "clock" => {
                    let by = value.and_then(seconds);
                    effect.clock =
                        Some(by.ok_or_else(|| wrong(format!("'{word}' needs seconds, as in 'clock=+3600s'")))?);
                }
                "hang" | "html" | "empty" | "close" | "fail" if value.is_some() => {
                    return Err(wrong(format!("'{name}' takes no value")));
                }
                "hang" => effect.hang = true,
                "html" => effect.html = true,
                "empty" => effect.empty = true,
                "close" => effect.close = true,
                "fail" => effect.fail = true,
                _ => return Err(wrong(format!("'{word}' is none of {WORDS}"))),
            }
        }
        if fault.effect == Effect::default() {
            return Err(wrong("it says not what goes wrong".to_owned()));
        }
        Ok(fault)
    }
}

/// Reads a time such as `500ms`, `2s`, `2`, `1m`, `1h`; seconds if it has no unit.
pub fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let number: f64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" | "" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// Reads an offset of a clock such as `+3600s`, `-400`, `+1h`, in seconds.
pub fn seconds(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    Some(sign * i64::try_from(duration(rest)?.as_secs()).ok()?)
}

/// The faults that are planted.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn plant(&mut self, fault: Fault) {
        // One that only puts the clock wrong has done its work, and must not hide another.
        if fault.effect != (Effect { clock: fault.effect.clock, ..Effect::default() }) {
            self.0.push(fault);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn specs(&self) -> Vec<String> {
        self.0.iter().map(|fault| fault.spec.clone()).collect()
    }

    /// The effect of the first fault that strikes this request, which is thereby counted.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Effect> {
        for fault in self.0.iter_mut().filter(|fault| fault.times != Some(0)) {
            if !fault.is_for(method, path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times = fault.times.map(|times| times.saturating_sub(1));
            return Some(fault.effect.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_says() {
        let mut faults = Faults::default();
        faults.plant("GET /machines status=503 times=2 skip=1".parse().unwrap());
        let hits: Vec<bool> =
            (0..5).map(|_| faults.strike("GET", "/acme/machines").and_then(|e| e.status).is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.strike("POST", "/acme/machines").is_none());
    }

    #[test]
    fn a_star_stands_for_one_segment_and_alone_for_all() {
        let one: Fault = "/machines/* hang".parse().unwrap();
        assert!(one.is_for("GET", "/acme/machines/x"));
        assert!(!one.is_for("GET", "/acme/machines"));
        assert!(!one.is_for("GET", "/acme/machines/x/tags"));
        let all: Fault = "* delay=1s".parse().unwrap();
        assert!(all.is_for("DELETE", "/--ping"));
        let account: Fault = "GET / html".parse().unwrap();
        assert!(account.is_for("GET", "/acme"));
        let ping: Fault = "/--ping drop=before".parse().unwrap();
        assert!(ping.is_for("GET", "/--ping"));
    }

    #[test]
    fn what_is_wrong_with_a_fault_is_named() {
        for (spec, words) in [
            ("GET /machines", "it says not what goes wrong"),
            ("GET /machines stats=1", "'stats=1' is none of"),
            ("status=9", "9 is no status"),
            ("status=x", "'status=x' needs a whole number"),
            ("drop=never", "'drop=never' is none of drop=before"),
            ("delay=fast", "'delay=fast' needs a time"),
            ("hang=1", "'hang' takes no value"),
            ("clock=later", "'clock=later' needs seconds"),
        ] {
            let error = spec.parse::<Fault>().unwrap_err();
            assert!(error.message().contains(words) && error.message().contains(spec), "{error}");
        }
    }

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("1e9s"), None);
        assert_eq!(seconds("-1h"), Some(-3600));
        assert_eq!(seconds("+400s"), Some(400));
    }
}
