//! What is told of each request and answer: everything but secrets and bodies.

use std::time::Duration;

use reqwest::header::HeaderMap;

use super::{Client, Wire};
use crate::request::Request;
use crate::response::Response;

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
        }
    }

    pub(super) fn trace_response(&self, answer: &Response, took: Duration) {
        let Some(trace) = &self.trace else { return };
        trace(&format!("< {} in {} ms, {} bytes", answer.status, took.as_millis(), answer.body.len()));
        for line in header_lines(&answer.headers) {
            trace(&format!("< {line}"));
        }
    }
}

/// Headers as lines; what is marked as sensitive is only told to be there.
pub fn header_lines(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| {
        let hidden = value.is_sensitive() || name.as_str() == "set-cookie";
        let text = if hidden { "(redacted)".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        format!("{}: {text}", header_name(name.as_str()))
    })
}

/// A header's name as people write it: `Accept-Version`.
pub fn header_name(name: &str) -> String {
    let mut first = true;
    name.chars()
        .map(|c| {
            let shown = if first { c.to_ascii_uppercase() } else { c };
            first = c == '-';
            shown
        })
        .collect()
}
