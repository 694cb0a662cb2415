//! What is told of each request and answer: everything but secrets, and bodies only where they are asked for.

use std::time::Duration;

use serde_json::Value;

use super::Client;
use super::wire::{Wire, header_lines};
use crate::request::Request;
use crate::response::Response;
use crate::sensitive;

/// Bodies that are larger are only counted, in bytes: each is read to take the secrets out.
const MAX_READ: usize = 1 << 20;
/// So much of a body is shown, in bytes.
const MAX_SHOWN: usize = 16 << 10;

impl Client {
    pub(super) fn trace_line(&self, line: &str) {
        if let Some(trace) = &self.trace {
            trace(line);
        }
    }

    pub(super) fn trace_request(&self, request: &Request, wire: &Wire) {
        let Some(trace) = &self.trace else { return };
        trace(&format!("> {} {}", request.method, wire.address()));
        for line in header_lines(&wire.headers) {
            trace(&format!("> {line}"));
        }
        if let Some((_, body)) = &request.body {
            trace(&format!("> ({} bytes)", body.len()));
            if self.traces_bodies {
                trace(&format!("> {}", shown(body)));
            }
        }
    }

    pub(super) fn trace_response(&self, answer: &Response, took: Duration) {
        let Some(trace) = &self.trace else { return };
        trace(&format!("< {} in {} ms, {} bytes", answer.status, took.as_millis(), answer.body.len()));
        for line in header_lines(&answer.headers) {
            trace(&format!("< {line}"));
        }
        if self.traces_bodies && !answer.body.is_empty() {
            trace(&format!("< {}", shown(&answer.body)));
        }
    }
}

/// A body as one line, without its secrets. What is neither an object nor an array has no names by which secrets are
/// known: it may be a password itself, and is not shown.
fn shown(body: &[u8]) -> String {
    let parsed = (body.len() <= MAX_READ).then(|| serde_json::from_slice::<Value>(body));
    let mut text = match parsed {
        None => return format!("(not shown: larger than {} MiB)", MAX_READ >> 20),
        Some(Ok(value @ (Value::Object(_) | Value::Array(_)))) => without_secrets(value).to_string(),
        Some(_) => return "(not shown: neither a JSON object nor an array)".to_owned(),
    };
    if text.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push_str(" …");
    }
    text
}

/// JSON with the secrets in it hidden; `None` where there are none, and it stays as it came.
pub(super) fn masked(body: &[u8]) -> Option<Vec<u8>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let shown = without_secrets(value.clone());
    (shown != value).then(|| shown.to_string().into_bytes())
}

fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            // A pair of a name and a value, such as a tag.
            let named = members.get("name").and_then(Value::as_str).is_some_and(sensitive::is_secret_name);
            let each = members.into_iter().map(|(name, value)| {
                let hidden = sensitive::is_secret_name(&name) || named && name == "value";
                let value = if hidden { Value::from("(redacted)") } else { without_secrets(value) };
                let name = if sensitive::in_text(&name).is_some() { "(redacted)".to_owned() } else { name };
                (name, value)
            });
            Value::Object(each.collect())
        }
        Value::Array(values) => values.into_iter().map(without_secrets).collect(),
        Value::String(text) if sensitive::in_text(&text).is_some() => "(redacted)".into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_without_its_secrets() {
        let key = "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        for (body, expected) in [
            (r#"{"name":"web1","memory":1024}"#, r#"{"name":"web1","memory":1024}"#),
            (
                r#"{"login":"jill","password":"x","password_confirmation":"x"}"#,
                r#"{"login":"jill","password":"(redacted)","password_confirmation":"(redacted)"}"#,
            ),
            (
                r#"[{"accesskeyid":"a","accesskeysecret":"s"}]"#,
                r#"[{"accesskeyid":"a","accesskeysecret":"(redacted)"}]"#,
            ),
            (
                r#"{"metadata":{"root_pw":"x","credentials":{"root":"y"},"API-Key":"z","role":"web"}}"#,
                r#"{"metadata":{"root_pw":"(redacted)","credentials":"(redacted)","API-Key":"(redacted)","role":"web"}}"#,
            ),
            (r#"{"name":"db_password","value":"x"}"#, r#"{"name":"db_password","value":"(redacted)"}"#),
            (&format!(r#"{{"user-data":"{key}"}}"#), r#"{"user-data":"(redacted)"}"#),
            (r#"{"url":"https://jill:pw@host/x"}"#, r#"{"url":"(redacted)"}"#),
            (r#""hunter2""#, "(not shown: neither a JSON object nor an array)"),
            ("hunter2", "(not shown: neither a JSON object nor an array)"),
        ] {
            assert_eq!(shown(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_body_is_shown_within_bounds() {
        let long = serde_json::json!({ "text": "é".repeat(20_000) }).to_string();
        let told = shown(long.as_bytes());
        assert!(told.len() < MAX_SHOWN + 8 && told.ends_with(" …"));
        let huge = format!("[{}1]", "1,".repeat(MAX_READ));
        assert_eq!(shown(huge.as_bytes()), "(not shown: larger than 1 MiB)");
    }
}
