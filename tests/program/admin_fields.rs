//! Fields of the internal services that are not there, null, an empty object, or a number as text: their own versions
//! differ in that, and no table and no record may fail for it.
#![cfg(feature = "cli")]

use std::io::Write;

use sdc::api::{self, Ids, Op, Service, Shape};
use serde_json::{Map, Value, json};

use crate::common::{answered_by, key, program, text};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";

/// What a field may hold instead of what is due.
fn odd() -> [Option<Value>; 6] {
    [None, Some(Value::Null), Some(json!({})), Some(json!("7")), Some(json!([])), Some(json!(""))]
}

/// An id that the noun may have.
fn sample(ids: Ids) -> Value {
    match ids {
        Ids::Uuid => json!(ID),
        Ids::Number => json!(2),
        Ids::Mac => json!("90:b8:d0:aa:bb:cc"),
        Ids::Any | Ids::Key => json!("sample"),
    }
}

/// A row of this service of which nothing is as usual but its id.
fn row(service: &Service, op: &Op, odd: Option<&Value>) -> Value {
    let mut row = Map::new();
    for column in service.columns(op) {
        let name = column.field.trim_start_matches('/').split('/').next().unwrap_or_default();
        if let Some(odd) = odd.filter(|_| !name.is_empty()) {
            row.insert(name.to_owned(), odd.clone());
        }
    }
    for noun in service.nouns {
        let its = std::ptr::eq(noun.list, op) || std::ptr::eq(noun.get, op);
        let (first, rest) = noun.key.split_once('/').map_or((noun.key, None), |(first, rest)| (first, Some(rest)));
        if its {
            let id = sample(noun.ids);
            row.insert(first.to_owned(), rest.map_or(id.clone(), |rest| json!({ rest: id })));
        }
    }
    Value::Object(row)
}

/// The parts of a path, and what must be given, as they are typed.
fn typed(op: &Op) -> Vec<String> {
    let one = |param: &str| match api::noun(param) {
        Some(noun) => sample(noun.ids).as_str().map_or_else(|| "2".to_owned(), str::to_owned),
        None if param.contains("ip") => "10.0.0.7".to_owned(),
        None => "sample".to_owned(),
    };
    let needed = op.fields.iter().filter(|field| field.required).flat_map(|field| match field.positional {
        true => vec![ID.to_owned()],
        false => vec![format!("--{}", field.long_name()), ID.to_owned()],
    });
    op.path_params().map(one).chain(needed).collect()
}

/// Runs a command against this service alone, which answers so whatever it is asked.
fn told(service: &Service, op: &Op, body: &Value, more: &[&str]) -> (Option<i32>, String) {
    let body = body.to_string();
    let url = answered_by(move |_, mut stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
        let _ = stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    });
    let words = [api::words(op).split(' ').map(str::to_owned).collect(), typed(op)].concat();
    let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let mut command = program("http://127.0.0.1:1", "acme", &key().join("key"), &words);
    command.env(format!("{}_URL", service.name), &url).env("SDC_REQUEST_TIMEOUT", "5s");
    let said = command.output().unwrap();
    (said.status.code(), format!("sdc {}: {}{}", words.join(" "), text(&said.stdout), text(&said.stderr)))
}

/// The reads of the internal services whose answers have columns.
fn reads() -> impl Iterator<Item = (&'static Service, &'static Op)> {
    let inner = api::SERVICES.iter().copied().filter(|service| service.prefix == "admin");
    let all = inner.flat_map(|service| service.ops().map(move |op| (service, op)));
    all.filter(|(service, op)| {
        op.method.as_str() == "GET"
            && matches!(op.shape, Shape::Rows | Shape::Record)
            && !service.columns(op).is_empty()
    })
}

#[test]
fn a_field_that_is_not_there_null_empty_or_a_number_as_text_is_no_error_in_any_table() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (service, op) in reads() {
        let columns: Vec<&str> = service.columns(op).iter().map(|column| column.name).collect();
        for odd in odd() {
            let row = row(service, op, odd.as_ref());
            // Nothing at all is no record of anything.
            if op.shape == Shape::Record && row == json!({}) {
                continue;
            }
            let body = if op.shape == Shape::Rows { json!([row]) } else { row };
            let long = (op.shape == Shape::Rows).then(|| vec!["--long"]);
            let all = columns.join(",");
            for more in [vec![], vec!["-o", "json"], vec!["-o", &all]].into_iter().chain(long) {
                tried += 1;
                match told(service, op, &body, &more) {
                    (Some(0), _) => {}
                    (code, told) => wrong.push(format!("{code:?} {told}\n  of {body}")),
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}
