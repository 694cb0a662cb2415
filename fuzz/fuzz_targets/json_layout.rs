//! Any body as an answer: what is shown of it keeps every token, and agrees with another reader of JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdc::answer::{Answer, scan, split_rows};
use sdc::api::Shape;
use sdc::render::{View, json, parse_output, render};
use serde_json::Value;
use serde_json::value::RawValue;

/// The text without the white space between its tokens.
fn bare(text: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            ' ' | '\t' | '\n' | '\r' if !quoted => continue,
            _ => {}
        }
        out.push(letter);
    }
    out
}

/// Steering a terminal takes one of these.
fn steers(text: &str) -> bool {
    text.contains(|letter: char| letter.is_control() && !"\n\t".contains(letter))
}

fn walk(text: &str, value: &Value) {
    match value {
        Value::Object(map) => {
            let members: Vec<_> = scan::members(text).expect("an object").collect();
            assert!(members.len() >= map.len());
            for (name, value) in map {
                walk(scan::member(text, name).expect("a member"), value);
            }
        }
        Value::Array(list) => {
            let elements: Vec<_> = scan::elements(text).expect("an array").collect();
            assert_eq!(elements.len(), list.len());
            elements.iter().zip(list).for_each(|(text, value)| walk(text, value));
        }
        Value::String(content) => assert_eq!(scan::unquote(text).expect("a string"), content.as_str()),
        _ => assert_eq!(serde_json::from_str::<Value>(text).ok().as_ref(), Some(value)),
    }
}

fuzz_target!(|bytes: &[u8]| {
    // Up to the first line feed, what follows `-o`.
    let (output, body) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (String::from_utf8_lossy(&bytes[..at]), &bytes[at + 1..]),
        None => ("json".into(), bytes),
    };
    let text = std::str::from_utf8(body).ok();
    let valid = text.and_then(|text| serde_json::from_str::<&RawValue>(text).ok());
    // On what is no JSON, the walkers find less, and nothing else.
    let any = String::from_utf8_lossy(body);
    let _ = (json::compact(&any), json::indented(&any), scan::depth(&any), scan::unquote(&any));
    let _ = scan::members(&any).into_iter().flatten().count();
    let _ = scan::elements(&any).into_iter().flatten().count();
    let _ = scan::at(&any, &scan::steps(&output).unwrap_or_default());

    let record = Answer::from_record(body);
    assert_eq!(record.is_ok(), valid.is_some());
    let (Ok(record), Some(raw)) = (record, valid) else { return };
    let text = raw.get();
    assert_eq!(record.json(), text);
    assert_eq!(bare(text), json::compact(text));
    assert_eq!(bare(text), json::compact(&json::indented(text)));
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        walk(text, &value);
    }
    let rows = split_rows(body).ok();
    assert_eq!(rows.is_some(), text.starts_with('['));

    // Who names a column types it, so that nothing of it comes from elsewhere.
    let Ok((format, columns)) = parse_output(&output.replace(char::is_control, ""), &[]) else { return };
    let plain = View { format, columns, ..View::default() };
    let terminal = View { terminal: true, ..plain.clone() };
    for shape in [Shape::Record, Shape::Map] {
        let _ = render(&record, shape, &plain);
        assert!(!steers(&render(&record, shape, &terminal)));
    }
    if rows.is_some() {
        let rows = Answer::from_rows(body).expect("as before");
        assert!(!steers(&render(&rows, Shape::Rows, &terminal)));
        let out = render(&rows, Shape::Rows, &plain);
        if output == "json" {
            assert_eq!(bare(&out), bare(text));
        }
    }
});
