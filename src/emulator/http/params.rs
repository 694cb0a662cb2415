//! The parameters of a request: path, query and body, merged as the real server merges them.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::reply::Refusal;
use crate::emulator::js;
pub(crate) use crate::emulator::text::{glob, text};

/// Parameters by name. What the body says wins over the query, and that over the path.
pub(crate) type Params = Map<String, Value>;

/// More pairs than this in a query or form are dropped.
const MAX_PAIRS: usize = 1000;

/// Reads `a=1&b=2`, of a query as of a form. A name given twice makes a list.
pub(crate) fn form(text: &str) -> Params {
    let mut params = Params::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()).take(MAX_PAIRS) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = Value::String(decode_plus(value));
        match params.entry(decode_plus(name)) {
            serde_json::map::Entry::Vacant(slot) => {
                slot.insert(value);
            }
            serde_json::map::Entry::Occupied(mut slot) => match slot.get_mut() {
                Value::Array(list) => list.push(value),
                first => *first = Value::Array(vec![first.take(), value]),
            },
        }
    }
    params
}

fn decode_plus(text: &str) -> String {
    decode(&text.replace('+', " "))
}

/// Undoes percent-encoding; bytes that are no UTF-8 are replaced.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Reads a body. One of a type that the server does not parse is silently ignored.
pub(crate) fn body(content_type: &str, bytes: &[u8]) -> Result<Params, Refusal> {
    if bytes.is_empty() {
        return Ok(Params::new());
    }
    match content_type {
        "application/json" => match serde_json::from_slice::<Value>(bytes) {
            Ok(Value::Object(map)) => Ok(map),
            // A list takes the place of all parameters, so that the path's account is lost.
            Ok(Value::Array(_)) => Ok(Params::from_iter([("account".to_owned(), "undefined".into())])),
            Ok(_) => Ok(Params::new()),
            Err(error) => {
                let why = js::not_json(&String::from_utf8_lossy(bytes), &error);
                Err(Refusal::new(400, "InvalidContent", format!("Invalid JSON: {why}")))
            }
        },
        "application/x-www-form-urlencoded" => Ok(form(&String::from_utf8_lossy(bytes))),
        _ => Ok(Params::new()),
    }
}

/// A parameter as a truth value: a real one, or the word for it.
pub(crate) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(word) if word == "true" => Some(true),
        Value::String(word) if word == "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_a_repeated_name_makes_a_list() {
        let params = form("a=1&b=x%20y+z&a=2&flag&=");
        assert_eq!(params["a"], serde_json::json!(["1", "2"]));
        assert_eq!(params["b"], "x y z");
        assert_eq!(params["flag"], "");
    }

    #[test]
    fn a_body_of_an_unknown_type_is_ignored() {
        assert!(body("text/plain", b"name=web").unwrap().is_empty());
        assert!(body("", b"{\"a\":1}").unwrap().is_empty());
        assert_eq!(body("application/x-www-form-urlencoded", b"a=1").unwrap()["a"], "1");
    }

    #[test]
    fn a_body_that_is_no_json_is_refused() {
        let refusal = body("application/json", b"{").unwrap_err();
        assert_eq!((refusal.status, refusal.body["code"].as_str()), (400, Some("InvalidContent")));
        let deep = "[".repeat(100_000);
        assert_eq!(body("application/json", deep.as_bytes()).unwrap_err().status, 400);
    }
}
