//! Reads faults as they are typed. It knows their words, not what they do.

use std::str::FromStr;
use std::time::Duration;

use super::{Drop, Effect, Event, Fault, Json};
use crate::emulator::datacenter::jobs::QUEUED;
use crate::emulator::http::head::Pages;
use crate::emulator::http::service::Limit;
use crate::error::{Error, Result};

const WORDS: &str = "status=N code=WORD retry-after=SECONDS big=BYTES delay=500ms jitter=200ms drop=before|amid|after \
                     hang drip=BYTES cut=BYTES json=cut|wrong length=+N|-N html empty close pages=twice|+N|-N \
                     refuse=etag|deadlock|initializing|loading|queued fail[=STEP] says=succeeded|retried \
                     silent vanish clock=+3600s throttle=on|off|N lost=SERVER heard=SERVER ticket=VM runner=none|free \
                     times=N skip=N for=30s at=SERVICE p=0.05 seed=N";

/// Refusals of the internal services that pass: the word for each, its status, code and words.
const PASSING: &[(&str, (u16, &str, &str))] = &[
    ("etag", (409, "EtagConflict", "the object has another etag than was expected")),
    ("deadlock", (500, "InternalError", "deadlock detected")),
    ("initializing", (503, "ServiceUnavailableError", "Server is still initializing")),
    ("loading", (503, "ServiceUnavailableError", "Initial network data not loaded")),
    ("queued", (409, "InvalidArgument", QUEUED)),
];

const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "PUT", "DELETE"];

/// The method and the path at the beginning of a fault, and the words that follow them.
type Parts<'a> = (Option<&'a str>, Option<&'a str>, &'a [&'a str]);

fn parts<'a>(words: &'a [&'a str]) -> Result<Parts<'a>, String> {
    let (mut method, mut path) = (None, None);
    for (at, word) in words.iter().copied().enumerate() {
        let (twice, kind) = match word {
            _ if METHODS.contains(&word) => (method.replace(word).is_some(), "methods"),
            _ if word.starts_with('/') || word == "*" => (path.replace(word).is_some(), "paths"),
            _ => return Ok((method, path, words.get(at..).unwrap_or_default())),
        };
        if twice {
            return Err(format!("it has two {kind}, and each fault is for one"));
        }
    }
    Ok((method, path, &[]))
}

/// What is wrong with a word that says nothing of what goes wrong.
fn unknown(word: &str, first: bool, has_path: bool) -> String {
    let capitals = word.to_ascii_uppercase();
    if !first && (METHODS.contains(&word) || word.starts_with('/') || word == "*") {
        return format!("'{word}' must stand before what goes wrong, as in 'GET /machines hang'");
    }
    if METHODS.contains(&capitals.as_str()) {
        return format!("'{word}' is a method, and methods are written in capitals: {capitals}");
    }
    if word == capitals && word.chars().all(|c| c.is_ascii_uppercase()) {
        return format!("'{word}' is no method of {}", METHODS.join(", "));
    }
    if first && !has_path && !word.contains('=') {
        return format!("'{word}' is neither a path, which begins with a slash, nor a known word");
    }
    format!("'{word}' is not a known word")
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(spec: &str) -> Result<Fault> {
        let wrong = |what: String| {
            let known = what.ends_with("a known word").then(|| format!("the words are {WORDS}"));
            let error = Error::usage(format!("fault '{spec}': {what}")).hint("GET /machines status=503 times=2");
            known.into_iter().fold(error, Error::hint)
        };
        let words: Vec<&str> = spec.split_whitespace().collect();
        let (method, path, effects) = parts(&words).map_err(&wrong)?;
        let mut fault = Fault {
            spec: spec.trim().to_owned(),
            method: method.map(str::to_owned),
            path: path.unwrap_or("*").to_owned(),
            ..Fault::default()
        };
        for (at, word) in effects.iter().copied().enumerate() {
            let unknown = || unknown(word, at == 0, path.is_some());
            fault.take(word, unknown).map_err(&wrong)?;
        }
        // What acts at once has no request that it could be for, or be counted with.
        if fault.effect.acts_at_once() {
            let mut beside: Vec<&str> = words.clone();
            let at_once = ["clock=", "throttle=", "lost=", "heard=", "ticket=", "runner="];
            let own = beside.iter().rposition(|word| at_once.iter().any(|name| word.starts_with(name)));
            let own = own.map_or("", |at| beside.remove(at));
            beside.retain(|word| *word != "*");
            if !beside.is_empty() {
                let beside = format!("'{}'", beside.join("', '"));
                let words = format!(
                    "'{own}' acts at once, for good and on every request, and so takes nothing beside it: {beside}"
                );
                return Err(wrong(words));
            }
            return Ok(fault);
        }
        let Effect { code, retry_after, status, big, .. } = &fault.effect;
        if (code.is_some() || retry_after.is_some()) && status.is_none() && *big == 0 {
            return Err(wrong("'retry-after=' and 'code=' are for an error: add status=503".to_owned()));
        }
        if fault.effect == Effect::default() && fault.jitter.is_zero() {
            return Err(wrong("it says not what goes wrong".to_owned()));
        }
        if fault.effect.twist.says.is_some() && fault.effect.twist.fail.is_none() {
            return Err(wrong("'says=' is for work that ends badly: add fail".to_owned()));
        }
        let effects: Vec<&str> = effects.iter().map(|word| word.split('=').next().unwrap_or_default()).collect();
        match clash(&fault.effect, &effects) {
            Some((hides, hidden)) => Err(wrong(format!("with '{hides}' nobody sees anything of '{hidden}'"))),
            None => Ok(fault),
        }
    }
}

/// Effects of which nothing is seen beside another, with that one.
fn clash<'a>(effect: &Effect, words: &[&'a str]) -> Option<(&'static str, &'a str)> {
    const ANSWER: &[&str] =
        &["status", "refuse", "code", "retry-after", "big", "html", "empty", "json", "cut", "drip", "length"];
    const DONE: &[&str] = &["pages", "fail", "says", "silent", "vanish"];
    let early = effect.status.is_some() || effect.big > 0;
    let hidden: &[(bool, &'static str, &[&[&str]])] = &[
        (effect.hang, "hang", &[ANSWER, DONE, &["drop", "delay", "jitter", "close"]]),
        (effect.drop == Some(Drop::Before), "drop=before", &[ANSWER, DONE, &["close"]]),
        (effect.drop == Some(Drop::After), "drop=after", &[ANSWER, &["pages", "close"]]),
        (effect.drop == Some(Drop::Amid), "drop=amid", &[&["cut", "empty"]]),
        (effect.html, "html", &[DONE, &["code", "retry-after", "big", "json", "empty"]]),
        (early, "status", &[DONE]),
        (effect.status.is_some_and(|status| status >= 300) || effect.big > 0, "status", &[&["empty"]]),
        (effect.empty, "empty", &[&["json", "cut", "drip", "length", "pages"]]),
    ];
    hidden.iter().filter(|(there, ..)| *there).find_map(|(_, name, groups)| {
        let word = words.iter().find(|word| groups.iter().any(|group| group.contains(word)))?;
        Some((*name, *word))
    })
}

impl Fault {
    /// Takes a word of a fault; `unknown` tells what is said of one that is not known.
    fn take(&mut self, word: &str, unknown: impl Fn() -> String) -> Result<(), String> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let needs = |what: &str| format!("'{word}' needs {what}");
        let none_of = |known: &str| format!("'{word}' is none of {known}");
        let number = || value.and_then(|v| v.parse::<u32>().ok());
        let number = || number().ok_or_else(|| needs(&format!("a whole number, as in '{name}=2'")));
        let effect = &mut self.effect;
        match name {
            "p" => match value.and_then(|v| v.parse::<f64>().ok()).filter(|part| (0.0..=1.0).contains(part)) {
                Some(0.0) => return Err(format!("'{word}' would never strike")),
                Some(part) => self.part = Some(part),
                None => return Err(needs("a part of 1, as in 'p=0.05'")),
            },
            "seed" => self.dice = u64::from(number()?),
            "times" => match number()? {
                0 => return Err(format!("'{word}' would never strike")),
                times => self.times = Some(times),
            },
            "skip" => self.skip = number()?,
            "for" => match value.and_then(duration) {
                Some(Duration::ZERO) => return Err(format!("'{word}' would never strike")),
                Some(time) => self.lasts = Some(time),
                None => return Err(needs("a time, as in 'for=30s'")),
            },
            "status" => {
                let status = number()?;
                let fits = u16::try_from(status).ok().filter(|s| (200..=599).contains(s));
                effect.status = Some(fits.ok_or_else(|| format!("{status} is no status of 200 to 599"))?);
            }
            "code" => match value {
                Some(code) if !code.is_empty() => effect.code = Some(code.to_owned()),
                _ => return Err("'code' needs a word, as in 'code=InternalError'".to_owned()),
            },
            "refuse" | "lost" | "heard" | "ticket" | "runner" | "says" | "at" => {
                self.take_of_services(word, name, value)?
            }
            "retry-after" => effect.retry_after = Some(u64::from(number()?)),
            "big" => effect.big = number()?.min(1 << 28) as usize,
            "cut" => effect.cut = Some(number()? as usize),
            "delay" => {
                let delay = value.and_then(duration);
                effect.delay = Some(delay.ok_or_else(|| needs("a time, as in 'delay=500ms'"))?);
            }
            "jitter" => {
                let jitter = value.and_then(duration);
                self.jitter = jitter.ok_or_else(|| needs("a time, as in 'jitter=200ms'"))?;
            }
            "drip" => {
                let rate = value.and_then(|v| v.parse::<u64>().ok()).filter(|rate| *rate > 0);
                effect.drip = Some(rate.ok_or_else(|| needs("bytes a second, as in 'drip=10'"))?);
            }
            "json" => {
                effect.json = Some(match value {
                    Some("cut") => Json::Cut,
                    Some("wrong") => Json::Wrong,
                    _ => return Err(none_of("json=cut, json=wrong")),
                });
            }
            "length" => {
                let off = value.and_then(|v| v.parse::<i64>().ok()).filter(|off| (1..=1 << 30).contains(&off.abs()));
                effect.length = Some(off.ok_or_else(|| needs("bytes, as in 'length=+5' or 'length=-5'"))?);
            }
            "pages" => {
                effect.twist.pages = Some(match value.map(|v| (v, v.parse::<i64>())) {
                    Some(("twice", _)) => Pages::Twice,
                    Some((_, Ok(rows))) if (1..=1000).contains(&rows.abs()) => Pages::Shifted(rows),
                    _ => return Err(none_of("pages=twice, pages=+1, pages=-1")),
                });
            }
            "throttle" => {
                effect.throttle = Some(match value.map(|v| (v, v.parse::<u32>())) {
                    Some(("on", _)) => Limit::Usual,
                    Some(("off", _)) => Limit::Off,
                    Some((_, Ok(rate))) if rate > 0 => Limit::Rate(rate),
                    _ => return Err(none_of("throttle=on, throttle=off, throttle=5")),
                });
            }
            "drop" => {
                effect.drop = Some(match value {
                    Some("before") => Drop::Before,
                    Some("amid") => Drop::Amid,
                    Some("after") => Drop::After,
                    _ => return Err(none_of("drop=before, drop=amid, drop=after")),
                });
            }
            "clock" => {
                let by = value.and_then(seconds);
                effect.clock = Some(by.ok_or_else(|| needs("seconds, as in 'clock=+3600s'"))?);
            }
            "fail" => match value {
                Some("") => return Err(needs("the name of a step, as in 'fail=cnapi.provision_vm'")),
                step => effect.twist.fail = Some(step.unwrap_or_default().to_owned()),
            },
            _ => match (self.switch(name), value) {
                (None, _) => return Err(unknown()),
                (Some(_), Some(_)) => return Err(format!("'{name}' takes no value")),
                (Some(switch), None) => *switch = true,
            },
        }
        Ok(())
    }

    /// The same, of those for the internal services.
    fn take_of_services(&mut self, word: &str, name: &str, value: Option<&str>) -> Result<(), String> {
        let effect = &mut self.effect;
        let none_of = |known: &str| format!("'{word}' is none of {known}");
        match name {
            "refuse" => {
                let known = PASSING.iter().find(|(word, _)| Some(*word) == value);
                let Some((_, (status, code, words))) = known else {
                    let all: Vec<String> = PASSING.iter().map(|(word, _)| format!("refuse={word}")).collect();
                    return Err(none_of(&all.join(", ")));
                };
                (effect.status, effect.code, effect.words) = (Some(*status), Some((*code).to_owned()), Some(*words));
            }
            "lost" | "heard" | "ticket" | "at" => {
                let Some(thing) = value.filter(|thing| !thing.is_empty()).map(str::to_owned) else {
                    let (kind, one) = match name {
                        "ticket" => ("VM", "web1"),
                        "at" => ("service", "workflow"),
                        _ => ("server", "cn0"),
                    };
                    return Err(format!("'{word}' needs a {kind}, as in '{name}={one}'"));
                };
                match name {
                    "lost" => effect.event = Some(Event::Lost(thing)),
                    "heard" => effect.event = Some(Event::Heard(thing)),
                    "ticket" => effect.event = Some(Event::Ticket(thing)),
                    _ => self.service = Some(thing),
                }
            }
            "runner" => {
                effect.event = Some(match value {
                    Some("none") => Event::Runner { free: false },
                    Some("free") => Event::Runner { free: true },
                    _ => return Err(none_of("runner=none, runner=free")),
                });
            }
            "says" => {
                effect.twist.says = Some(match value {
                    Some("succeeded") => "succeeded",
                    Some("retried") => "retried",
                    _ => return Err(none_of("says=succeeded, says=retried")),
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// What a word without a value switches on.
    fn switch(&mut self, name: &str) -> Option<&mut bool> {
        let effect = &mut self.effect;
        Some(match name {
            "hang" => &mut effect.hang,
            "html" => &mut effect.html,
            "empty" => &mut effect.empty,
            "close" => &mut effect.close,
            "silent" => &mut effect.twist.silent,
            "vanish" => &mut effect.twist.vanish,
            _ => return None,
        })
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
