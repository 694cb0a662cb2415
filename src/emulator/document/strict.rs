//! JSON in which no name stands twice: the second would silently win.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::file;

/// What an error begins with that names a field.
const TWICE: &str = "duplicate field `";

/// Reads a value. Its depth is bounded by the parser.
///
/// # Errors
/// What is wrong, with its place, and without what stands there.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice::<Strict>(bytes).map(|Strict(value)| value).map_err(|error| {
        let words = file::json_fault(&error);
        if error.to_string().starts_with(TWICE) { format!("line {}: {words}", error.line()) } else { words }
    })
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Strict)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        let mut names = HashSet::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, Strict>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("{TWICE}{}`", super::names::shown(&name))));
            }
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_refused_with_its_line() {
        assert_eq!(read(b"{\"a\": 1,\n\"a\": 2}").unwrap_err(), "line 2: 'a' is given twice");
        assert_eq!(read(b"{\"a\": [{\"b\": 1, \"b\": 1}]}").unwrap_err(), "line 1: 'b' is given twice");
        assert_eq!(read(b"{\"a\": [1, -1, 1.5, null, true, \"\\u00e9\"]}").unwrap()["a"][5], "é");
    }

    #[test]
    fn what_is_not_json_is_refused_and_never_a_panic() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{\"a\"", "\u{0}", "[1,]", &deep, "{\"a\":1e999}"] {
            assert!(read(text.as_bytes()).is_err(), "{text:.20}");
        }
        assert!(read(&[b'"', 0xff, b'"']).is_err());
    }
}
