//! What is told of each request and answer: everything but secrets and bodies.

use std::time::Duration;

use super::Client;
use super::wire::{Wire, header_lines};
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
