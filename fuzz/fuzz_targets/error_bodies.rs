//! Any status, headers and body as an answer to every operation: an error says something, and a success is what
//! came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sdc::answer::Answer;
use sdc::api;
use sdc::response::Response;

fuzz_target!(|bytes: &[u8]| {
    let [high, low, which, rest @ ..] = bytes else { return };
    let (head, body) = match rest.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&rest[..at], &rest[at + 2..]),
        None => (&rest[..0], rest),
    };
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let status = 100 + (u16::from(*high) << 8 | u16::from(*low)) % 500;
    let response =
        Response { status, headers, body: body.to_vec(), sent: "Thu, 05 Jan 2017 21:31:40 GMT".to_owned(), path: "/acme/machines".to_owned(), service: &api::CLOUDAPI };
    let _ = response.clock_skew();

    let operations: Vec<_> = api::CLOUDAPI.resources.iter().flat_map(|resource| resource.ops).collect();
    let operation = operations[usize::from(*which) % operations.len()];
    match response.answer(operation) {
        Ok(answer) => {
            assert!(response.is_success() || status == 302);
            match &answer {
                Answer::Nothing => {}
                other if status == 302 => assert_eq!(other.rows().count(), 1),
                Answer::Rows(_) => assert!(body.trim_ascii().starts_with(b"[")),
                Answer::Record(record) => assert_eq!(record.get().as_bytes(), body.trim_ascii()),
            }
        }
        Err(error) => assert!(!error.message().trim().is_empty(), "{error:?}"),
    }
    if !response.is_success() {
        let error = response.failure();
        assert!(!error.message().trim().is_empty(), "{error:?}");
        assert_eq!(error.fault().map(|fault| fault.status), Some(status));
        if let Some(body) = error.body() {
            assert!(serde_json::from_str::<&serde_json::value::RawValue>(body).is_ok());
        }
    }
});
