//! What a plain scalar of YAML 1.1 means, as the engine of Heat reads it: `yes` is true, `0777` is 511, `22:22` is 1342,
//! and dates stay texts. Pure.

use serde_json::{Number, Value};

/// A plain scalar that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Infinite or not a number, which JSON cannot carry.
    NotFinite,
    /// An integer of more than 64 bits.
    TooLarge,
}

impl Unreadable {
    /// The reason in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Unreadable::NotFinite => "infinity and not-a-number cannot be sent",
            Unreadable::TooLarge => "the number is too large",
        }
    }
}

/// Resolves a plain scalar.
///
/// # Errors
/// A number that JSON cannot carry.
pub(super) fn resolve(text: &str) -> Result<Value, Unreadable> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Ok(Value::Bool(true)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Ok(Value::Bool(false)),
        _ => {}
    }
    // Almost every scalar is a word.
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Ok(Value::String(text.to_owned()));
    }
    if let Some(number) = integer(text)? {
        return Ok(Value::Number(number));
    }
    match float(text) {
        Some(number) => Number::from_f64(number).map(Value::Number).ok_or(Unreadable::NotFinite),
        None => Ok(Value::String(text.to_owned())),
    }
}

/// What YAML 1.2 makes of the same scalar, where that is another value: what most other tools and people read.
pub(super) fn elsewhere(text: &str) -> Option<Value> {
    let here = resolve(text).ok()?;
    let there = newer(text);
    (here != there).then_some(there)
}

/// Resolves a plain scalar as YAML 1.2's core schema does.
fn newer(text: &str) -> Value {
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let radix = |prefix: &str, radix: u32| {
        text.strip_prefix(prefix).and_then(|rest| u64::from_str_radix(rest, radix).ok()).map(Value::from)
    };
    if let Some(number) = radix("0o", 8).or_else(|| radix("0x", 16)) {
        return number;
    }
    if digits(unsigned)
        && let Ok(number) = text.trim_start_matches('+').parse::<i64>()
    {
        return Value::from(number);
    }
    let begins = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let plain = unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if begins
        && plain
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64)
    {
        return Value::Number(number);
    }
    Value::String(text.to_owned())
}

/// The sign and the rest.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// An integer: decimal, `0b`, `0` for octal, `0x`, or of base 60.
fn integer(text: &str) -> Result<Option<Number>, Unreadable> {
    let (negative, rest) = signed(text);
    let made_of = |digits: &str, allowed: fn(u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|byte| byte == b'_' || allowed(byte))
    };
    let (digits, radix) = if let Some(digits) = rest.strip_prefix("0b") {
        if !made_of(digits, |byte| matches!(byte, b'0' | b'1')) {
            return Ok(None);
        }
        (digits, 2)
    } else if let Some(digits) = rest.strip_prefix("0x") {
        if !made_of(digits, |byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        (digits, 16)
    } else if rest == "0" {
        (rest, 10)
    } else if let Some(digits) = rest.strip_prefix('0') {
        if !made_of(digits, |byte| matches!(byte, b'0'..=b'7')) {
            return Ok(None);
        }
        (digits, 8)
    } else if rest.starts_with(|first: char| first.is_ascii_digit()) {
        if rest.contains(':') {
            return sexagesimal(rest).map_or(Ok(None), |number| whole(negative, number).map(Some));
        }
        if !made_of(rest, |byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        (rest, 10)
    } else {
        return Ok(None);
    };
    let digits = digits.replace('_', "");
    // `0x_` is a number to the pattern and none to the one who reads it.
    if digits.is_empty() {
        return if radix == 8 { Ok(Some(0.into())) } else { Ok(None) };
    }
    let number = i128::from_str_radix(&digits, radix).map_err(|_| Unreadable::TooLarge)?;
    whole(negative, number).map(Some)
}

fn whole(negative: bool, number: i128) -> Result<Number, Unreadable> {
    let number = if negative { -number } else { number };
    let signed = i64::try_from(number).map(Number::from);
    signed.or_else(|_| u64::try_from(number).map(Number::from)).map_err(|_| Unreadable::TooLarge)
}

/// `1:30:05` as seconds: parts of base 60, the first as large as it likes.
fn sexagesimal(text: &str) -> Option<i128> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    let plain = first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut number: i128 = plain.then(|| first.replace('_', "").parse().ok())??;
    for part in parts {
        let fits = part.len() <= 2 && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let part: i128 = fits.then(|| part.parse().ok())?.filter(|part| *part < 60)?;
        number = number.checked_mul(60)?.checked_add(part)?;
    }
    Some(number)
}

/// A number with a point. An exponent needs a sign, so that `1e3` and `1.5e3` are texts.
fn float(text: &str) -> Option<f64> {
    let (negative, rest) = signed(text);
    let sign = if negative { -1.0 } else { 1.0 };
    match rest {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if rest == text => return Some(f64::NAN),
        _ => {}
    }
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            let (_, number) = exponent.strip_prefix(['+', '-']).map(|number| (exponent, number))?;
            if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            (mantissa, exponent)
        }
        None => (rest, ""),
    };
    let (before, after) = mantissa.split_once('.')?;
    if !digits(after) {
        return None;
    }
    if before.contains(':') {
        let whole = exponent.is_empty().then(|| sexagesimal(before))??;
        let part: f64 = format!("0.{}0", after.replace('_', "")).parse().ok()?;
        return Some(sign * (whole as f64 + part));
    }
    let begins = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    // `.5` has no sign, and its first sign is a digit.
    let has_form = if before.is_empty() { rest == text && begins(after) } else { begins(before) && digits(before) };
    if !has_form {
        return None;
    }
    let after = after.replace('_', "");
    let exponent = if exponent.is_empty() { String::new() } else { format!("e{exponent}") };
    let number: f64 = format!("{}.{}0{exponent}", before.replace('_', ""), after).parse().ok()?;
    Some(sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        resolve(text).map_or_else(|error| format!("{error:?}"), |value| value.to_string())
    }

    #[test]
    fn a_plain_scalar_means_what_yaml_1_1_says() {
        // The first block is what was recorded of the engine's own loader.
        for (text, value) in [
            ("yes", "true"),
            ("on", "true"),
            ("NO", "false"),
            ("y", "\"y\""),
            ("0777", "511"),
            ("012", "10"),
            ("0o17", "\"0o17\""),
            ("22:22", "1342"),
            ("1_000", "1000"),
            ("1e3", "\"1e3\""),
            ("2015-01-01", "\"2015-01-01\""),
            ("0x1F", "31"),
            ("10.11.0.0/24:10.10.0.50", "\"10.11.0.0/24:10.10.0.50\""),
            ("", "null"),
            ("~", "null"),
            ("0b101", "5"),
            ("-0x10", "-16"),
            ("+12", "12"),
            ("08", "\"08\""),
            ("0", "0"),
            ("-0", "0"),
            ("1.5", "1.5"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("1.5e+3", "1500.0"),
            ("1.5e3", "\"1.5e3\""),
            ("1:30.5", "90.5"),
            ("1:60", "\"1:60\""),
            ("22:22:22", "80542"),
            ("1.2.3", "\"1.2.3\""),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "TooLarge"),
            (".inf", "NotFinite"),
            ("-.inf", "NotFinite"),
            (".nan", "NotFinite"),
            ("-", "\"-\""),
            (".", "\".\""),
            ("0x", "\"0x\""),
            ("True", "true"),
            ("oFF", "\"oFF\""),
        ] {
            assert_eq!(shown(text), value, "{text}");
        }
    }

    #[test]
    fn what_yaml_1_2_reads_otherwise_is_known() {
        for (text, there) in [
            ("yes", "\"yes\""),
            ("0777", "777"),
            ("22:22", "\"22:22\""),
            ("1_000", "\"1_000\""),
            ("1e3", "1000.0"),
            ("0o17", "15"),
        ] {
            assert_eq!(elsewhere(text).map(|value| value.to_string()).as_deref(), Some(there), "{text}");
        }
        for text in ["true", "12", "1.5", "web", "2015-01-01", "", "10.0.0.1"] {
            assert_eq!(elsewhere(text), None, "{text}");
        }
    }
}
