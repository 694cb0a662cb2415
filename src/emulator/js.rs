//! How JavaScript writes values into texts: the real server's messages are made so.

use serde_json::Value;

/// How deep `inspect` looks into a value.
const DEPTH: usize = 2;

/// A value that is added to a text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let element = |value: &Value| if value.is_null() { String::new() } else { text(value) };
            list.iter().map(element).collect::<Vec<_>>().join(",")
        }
        Value::Object(_) => "[object Object]".to_owned(),
    }
}

/// The name of a value's type, as `typeof` has it.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => "object",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
    }
}

/// Whether a value counts as false.
pub(crate) fn falsy(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// A value as `util.inspect` shows it, in one line.
pub(crate) fn inspect(value: &Value) -> String {
    looked_at(value, 0)
}

fn looked_at(value: &Value, depth: usize) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(list) if list.is_empty() => "[]".to_owned(),
        Value::Array(_) if depth > DEPTH => "[Array]".to_owned(),
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().map(|value| looked_at(value, depth + 1)).collect();
            format!("[ {} ]", parts.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(_) if depth > DEPTH => "[Object]".to_owned(),
        Value::Object(fields) => {
            let plain = |name: &str| {
                name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            };
            let name = |name: &str| if plain(name) { name.to_owned() } else { quoted(name) };
            let part = |(key, value): (&String, &Value)| format!("{}: {}", name(key), looked_at(value, depth + 1));
            format!("{{ {} }}", fields.iter().map(part).collect::<Vec<_>>().join(", "))
        }
        plain => text(plain),
    }
}

/// A text in single quotes.
pub(crate) fn quoted(text: &str) -> String {
    let json = Value::from(text).to_string();
    let inside = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    format!("'{}'", inside.replace('\'', "\\'").replace("\\\"", "\""))
}

/// What its parser says of a text that is not JSON.
pub(crate) fn not_json(text: &str, error: &serde_json::Error) -> String {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = before + error.column().saturating_sub(1);
    let rest = match text.get(at..) {
        Some(rest) if !error.is_eof() => rest,
        _ => "",
    };
    // White space is passed over before the parser looks.
    let rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
    let position = text.len() - rest.len();
    let position = text.get(..position).map_or(position, |before| before.encode_utf16().count());
    match rest.chars().next() {
        None => "Unexpected end of JSON input".to_owned(),
        Some('"') => format!("Unexpected string in JSON at position {position}"),
        Some(c) if c.is_ascii_digit() || c == '-' => format!("Unexpected number in JSON at position {position}"),
        Some(c) => format!("Unexpected token {c} in JSON at position {position}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_javascript_writes_them() {
        for (value, in_text, inspected) in [
            (json!("a'b"), "a'b", r"'a\'b'"),
            (json!(10), "10", "10"),
            (json!(null), "null", "null"),
            (json!([]), "", "[]"),
            (json!(["a", null, 1]), "a,,1", "[ 'a', null, 1 ]"),
            (json!({}), "[object Object]", "{}"),
            (json!({ "eq": ["foo", null], "a-b": true }), "[object Object]", "{ eq: [ 'foo', null ], 'a-b': true }"),
            (json!([[[["deep"]]]]), "deep", "[ [ [ [Array] ] ] ]"),
        ] {
            assert_eq!((text(&value).as_str(), inspect(&value).as_str()), (in_text, inspected));
        }
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        for (text, said) in [
            ("", "Unexpected end of JSON input"),
            ("{", "Unexpected end of JSON input"),
            ("{nope}", "Unexpected token n in JSON at position 1"),
            ("{\"a\" 1}", "Unexpected number in JSON at position 5"),
            ("[1 \"a\"]", "Unexpected string in JSON at position 3"),
            ("{\n\"ä\": x}", "Unexpected token x in JSON at position 7"),
            ("hello", "Unexpected token h in JSON at position 0"),
        ] {
            let error = serde_json::from_str::<Value>(text).unwrap_err();
            assert_eq!(not_json(text, &error), said, "{text}");
        }
    }
}
