//! Values as Python writes and compares them: templates were made for an engine in Python, and what it puts into a
//! script depends on it. Pure.

use std::fmt::Write;

use serde_json::{Number, Value};

/// A scalar as `str()` writes it: `True`, `24`, `1.5`. Nothing for null, lists and maps.
pub(super) fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => self::number(number),
        Value::String(text) => text.clone(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

/// A number as Python writes it: an exponent from 1e16 on, and below 0.0001.
pub(super) fn number(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    let size = float.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let shown = format!("{float:e}");
        let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    let shown = float.to_string();
    if shown.contains('.') { shown } else { format!("{shown}.0") }
}

/// A value as JSON with sorted names, in the form of Python's `json.dumps`.
pub(super) fn json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&self::number(number)),
        Value::String(text) => write_text(text, out),
        Value::Array(list) => {
            out.push('[');
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write(element, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_by(|one, other| one.0.cmp(other.0));
            out.push('{');
            for (at, (name, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_text(name, out);
                out.push_str(": ");
                write(member, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// Whether two values are equal in Python, where 1, 1.0 and true are.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(name, value): (&String, &Value)| other.get(name).is_some_and(|there| equal(value, there));
            one.len() == other.len() && one.iter().all(same)
        }
        (Value::Number(one), Value::Number(other)) if !one.is_f64() && !other.is_f64() => one == other,
        _ => match (amount(one), amount(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
    }
}

fn amount(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

/// Whether Python takes a value for true.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Reads an integer as `int()` does: spaces around it, a sign, `_` between digits.
pub(super) fn int(text: &str) -> Option<i64> {
    let digits = digits(text.trim())?;
    digits.parse().ok()
}

/// Reads a number as `float()` does, but neither infinity nor not-a-number.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-._eE".contains(&byte)) {
        return None;
    }
    let plain = text.replace('_', "");
    let between = text.split('_').all(|part| !part.is_empty());
    plain.parse::<f64>().ok().filter(|number| number.is_finite() && between)
}

fn digits(text: &str) -> Option<String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let fits = unsigned.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    fits.then(|| text.replace(['_', '+'], ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_are_written_as_python_does() {
        for (value, text) in [
            (json!(true), Some("True")),
            (json!(24), Some("24")),
            (json!(1.5), Some("1.5")),
            (json!(1.0), Some("1.0")),
            (json!(1e16), Some("1e+16")),
            (json!(123456789012345.0), Some("123456789012345.0")),
            (json!(0.00001), Some("1e-05")),
            (json!(-2.5e-7), Some("-2.5e-07")),
            (json!(0.0), Some("0.0")),
            (json!("x"), Some("x")),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(super::text(&value).as_deref(), text, "{value}");
        }
    }

    #[test]
    fn json_has_sorted_names_and_escapes() {
        let value = json!({"k": [1, 2], "a": "x\"\u{e9}\u{1f600}\n", "f": 1.0, "t": true, "n": null});
        let expected = r#"{"a": "x\"\u00e9\ud83d\ude00\n", "f": 1.0, "k": [1, 2], "n": null, "t": true}"#;
        assert_eq!(json(&value), expected);
    }

    #[test]
    fn numbers_and_booleans_are_equal_by_their_amount() {
        assert!(equal(&json!(1), &json!(1.0)) && equal(&json!([true]), &json!([1])));
        assert!(!equal(&json!("1"), &json!(1)) && !equal(&json!(null), &json!(0)));
        assert!(equal(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1.0})));
        assert!(!equal(&json!(u64::MAX), &json!(u64::MAX - 1)));
    }

    #[test]
    fn numbers_are_read_as_python_does() {
        assert_eq!(
            [int(" 12 "), int("-1_000"), int("+7"), int("0x10"), int("1__0"), int("")].map(Option::unwrap_or_default),
            [12, -1000, 7, 0, 0, 0]
        );
        assert_eq!(
            [float("1.0"), float("1e3"), float("inf"), float("1_0.5"), float("_1")],
            [Some(1.0), Some(1000.0), None, Some(10.5), None]
        );
    }
}
