//! What conditions compare: values by their types, with what is known about a request.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::Fact;
use crate::emulator::http::params::glob;
use crate::emulator::text::regex;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Is,
    IsNot,
    Less,
    More,
    AtMost,
    AtLeast,
    Like,
}

/// How an attribute is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Bool,
    Date,
    Day,
    Time,
    Ip,
    List,
}

impl Kind {
    pub(crate) fn named(name: &str) -> Option<Kind> {
        Some(match name.to_ascii_lowercase().as_str() {
            "string" => Kind::Text,
            "number" => Kind::Number,
            "boolean" => Kind::Bool,
            "date" => Kind::Date,
            "day" => Kind::Day,
            "time" => Kind::Time,
            "ip" => Kind::Ip,
            "array" => Kind::List,
            _ => return None,
        })
    }

    /// The type of an attribute that goes without one.
    pub(crate) fn of(attribute: &str) -> Option<Kind> {
        Some(match attribute {
            "date" => Kind::Date,
            "day" => Kind::Day,
            "time" => Kind::Time,
            "sourceip" | "ip" => Kind::Ip,
            "user-agent" | "method" | "datacenter" => Kind::Text,
            "activeRoles" => Kind::List,
            _ => return None,
        })
    }

    /// Refuses a value that is not of this type.
    pub(crate) fn check(self, operator: Operator, value: &str) -> Result<(), String> {
        let fits = match self {
            Kind::Text | Kind::List => {
                return match pattern(value).filter(|_| operator == Operator::Like) {
                    Some((pattern, blind)) => regex(pattern, blind).map(drop),
                    None => Ok(()),
                };
            }
            Kind::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            Kind::Bool => matches!(value, "true" | "false"),
            Kind::Date => date(value).is_some(),
            Kind::Day => day(value).is_some(),
            Kind::Time => time(value).is_some(),
            Kind::Ip => block(value).is_some(),
        };
        if !fits || operator == Operator::Like {
            return Err(format!("{value:?} is not a {} that can be compared so", format!("{self:?}").to_lowercase()));
        }
        Ok(())
    }
}

/// The regular expression of `/x/` or `/x/i`, and whether it is blind to case.
fn pattern(value: &str) -> Option<(&str, bool)> {
    let (pattern, flags) = value.strip_prefix('/')?.rsplit_once('/')?;
    flags.chars().all(|flag| "gim".contains(flag)).then(|| (pattern, flags.contains('i')))
}

/// Whether a fact stands so to a value.
pub(crate) fn holds(kind: Kind, operator: Operator, fact: &Fact, value: &str) -> bool {
    match fact {
        Fact::Time(now) => {
            let order = match kind {
                Kind::Date => date(value).map(|other| now.cmp(&other)),
                Kind::Day => day(value).map(|other| day_of(*now).cmp(&other)),
                Kind::Time => time(value).map(|other| now.rem_euclid(86_400_000).cmp(&other)),
                _ => None,
            };
            order.is_some_and(|order| operator.fits(order))
        }
        Fact::List(list) if operator == Operator::IsNot => !list.iter().any(|one| one == value),
        Fact::List(list) => list.iter().any(|one| compare(kind, operator, one, value)),
        Fact::Text(text) => compare(kind, operator, text, value),
    }
}

fn compare(kind: Kind, operator: Operator, text: &str, value: &str) -> bool {
    if operator == Operator::Like {
        return match pattern(value) {
            Some((pattern, blind)) => regex(pattern, blind).is_ok_and(|regex| regex.is_match(text)),
            None => glob(value, text),
        };
    }
    match kind {
        Kind::Number => {
            let (Ok(one), Ok(other)) = (text.parse::<f64>(), value.parse::<f64>()) else { return false };
            one.partial_cmp(&other).is_some_and(|order| operator.fits(order))
        }
        Kind::Ip => {
            let (Ok(ip), Some((base, bits))) = (text.parse::<IpAddr>(), block(value)) else { return false };
            let inside = within(ip, base, bits);
            match operator {
                Operator::Is => inside,
                Operator::IsNot => !inside,
                _ => operator.fits(ip.cmp(&base)),
            }
        }
        _ => operator.fits(text.cmp(value)),
    }
}

impl Operator {
    fn fits(self, order: Ordering) -> bool {
        match self {
            Operator::Is | Operator::Like => order.is_eq(),
            Operator::IsNot => order.is_ne(),
            Operator::Less => order.is_lt(),
            Operator::More => order.is_gt(),
            Operator::AtMost => order.is_le(),
            Operator::AtLeast => order.is_ge(),
        }
    }
}

/// `2026-01-31` or `2026-01-31T12:00:00Z`, in milliseconds since 1970.
fn date(text: &str) -> Option<i64> {
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some(stamp.as_millisecond());
    }
    let date: jiff::civil::Date = if text.len() == 10 { text.parse().ok()? } else { return None };
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `Monday`, `mon`, `tues`: a day's name, or its first three letters or more.
fn day(text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let at = DAYS.iter().position(|name| text.len() >= 3 && name.starts_with(&text))?;
    i64::try_from(at).ok()
}

/// The day of a time; 0 is Monday. The first day of 1970 was a Thursday.
fn day_of(ms: i64) -> i64 {
    (ms.div_euclid(86_400_000) + 3).rem_euclid(7)
}

/// `9:00`, `17:30:15`, in milliseconds since midnight.
fn time(text: &str) -> Option<i64> {
    let mut ms = 0;
    let mut parts = text.split(':');
    for (limit, unit) in [(24, 3_600_000), (60, 60_000), (60, 1000)] {
        let Some(part) = parts.next() else { return if unit == 1000 { Some(ms) } else { None } };
        let number: i64 = part.parse().ok().filter(|number| (0..limit).contains(number))?;
        ms += number * unit;
    }
    if parts.next().is_none() { Some(ms) } else { None }
}

/// `10.0.0.1`, `10.0.0.0/8`, and the like of version 6.
fn block(text: &str) -> Option<(IpAddr, u32)> {
    let (ip, bits) = match text.split_once('/') {
        Some((ip, bits)) => (ip.parse::<IpAddr>().ok()?, Some(bits.parse().ok()?)),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let width = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    if bits <= width { Some((ip, bits)) } else { None }
}

fn within(ip: IpAddr, base: IpAddr, bits: u32) -> bool {
    match (ip, base) {
        (IpAddr::V4(ip), IpAddr::V4(base)) => (u32::from(ip) ^ u32::from(base)).leading_zeros() >= bits,
        (IpAddr::V6(ip), IpAddr::V6(base)) => (u128::from(ip) ^ u128::from(base)).leading_zeros() >= bits,
        _ => false,
    }
}
