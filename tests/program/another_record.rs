//! What a look shows that is another thing than was made or found here: nothing of it is deleted or written.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::another_server::by_method;
use crate::common::{answered_by, sdc, text};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const OTHER: &str = "b7c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99";

/// A machine as a record has it, of this state, time, name and tag.
fn machine(state: &str, created: &str, rest: &str) -> String {
    format!(r#"{{"id":"{ID}","state":"{state}","created":"{created}","image":"{ID}",{rest}}}"#)
}

/// How a command ends whose POST is answered this now by the service's clock, and a look at the machine that; and how
/// many deletions were sent.
fn ended(made: &str, shown: &str, words: &[&str]) -> (Option<i32>, String, usize) {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    let taken = format!("201 Created\r\nDate: {date}").leak();
    let (url, seen) = by_method(&[
        ("POST ", taken, made),
        ("DELETE ", "403 X", ""),
        ("GET /acme/machines/", "200 OK", shown),
        ("GET ", "200 OK", "[]"),
    ]);
    let said = sdc(&url, words);
    let sent = seen.lock().unwrap().iter().filter(|line| line.starts_with("DELETE")).count();
    (said.status.code(), text(&said.stderr), sent)
}

#[test]
fn only_what_shows_that_it_was_made_here_is_deleted_for_its_failure() {
    let now = jiff::Timestamp::now().to_string();
    let old = "2020-01-01T00:00:00Z";
    let new = ["machines", "create", ID, ID, "-n", "zz", "--wait", "--timeout", "3s", "--on-failure", "delete"];
    let keyed = [&new[..], &["--idempotency-key", "k1"]].concat();
    let own = r#""name":"zz","tags":{"sdc.idempotency-key":"k1"}"#;
    let made = machine("provisioning", &now, own);
    for (created, rest, keyless, key) in [
        (now.as_str(), own, 1, 1),
        (&now, r#""name":"zz","tags":{}"#, 1, 0),
        (&now, r#""tags":{"sdc.idempotency-key":"k1"}"#, 0, 0),
        (&now, r#""name":null,"tags":{}"#, 0, 0),
        (old, own, 0, 0),
        ("when", own, 1, 1),
    ] {
        for (words, deletions) in [(&new[..], keyless), (&keyed, key)] {
            let shown = machine("failed", created, rest);
            let (code, told, sent) = ended(&made, &shown, words);
            assert_eq!((code, sent.min(1)), (Some(8), deletions), "{words:?} {shown}: {told}");
            assert_eq!(told.contains("being deleted"), deletions == 1, "{words:?} {shown}: {told}");
            assert!(deletions == 1 || !told.contains("sdc machines delete"), "{words:?} {shown}: {told}");
            assert!(deletions == 1 || told.contains("whether it is there: sdc machines get zz"), "{told}");
            assert!(deletions == 1 || told.contains("sdc reap --expired"), "{told}");
        }
    }
    let (_, told, sent) = ended(&made, &machine("failed", old, own), &[&new[..], &["--json"]].concat());
    assert!(told.contains(r#""cleanup":"unknown""#) && sent == 0, "{told}");
}

#[test]
fn a_run_names_no_other_machine_for_deletion() {
    let (deleted, now) = (Arc::new(AtomicUsize::new(0)), jiff::Timestamp::now().to_string());
    for rest in [r#""name":"web1","tags":{}"#, r#""name":"zz","tags":{}"#, r#""tags":{}"#] {
        let (shown, made, many) =
            (machine("failed", &now, rest), machine("provisioning", &now, "MORE"), deleted.clone());
        let url = answered_by(move |head, mut stream| {
            let (status, body) = match head.split(' ').next().unwrap() {
                "POST" => ("201 Created", made.replace("MORE", &repeated(head, &mut stream))),
                "GET" => ("200 OK", shown.clone()),
                _ => ("204 X", many.fetch_add(1, SeqCst).to_string()),
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\nApi-Version: 9.0.0\r\nContent-Length: {length}\r\n");
            let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes());
        });
        let told = text(&sdc(&url, &["run", ID, ID, "-n", "zz", "--timeout", "3s", "--", "true"]).stderr);
        assert!(deleted.load(SeqCst) == 0 && !told.contains("sdc machines delete"), "{rest}: {told}");
        assert!(
            told.contains("is there: sdc machines get zz") && told.contains("sdc reap --expired"),
            "{rest}: {told}"
        );
    }
}

/// The name and the tags of a machine as they were sent.
fn repeated(head: &str, stream: &mut TcpStream) -> String {
    let length = head.to_lowercase().split_once("content-length: ").unwrap().1.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let sent: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&body).unwrap();
    let tags = sent.iter().filter_map(|(name, value)| Some(format!("\"{}\":{value}", name.strip_prefix("tag.")?)));
    format!(r#""name":{},"tags":{{{}}}"#, sent["name"], tags.collect::<Vec<_>>().join(","))
}

#[test]
fn once_more_is_the_same_command_with_a_key_and_has_the_name_without_one() {
    let made = |state: &str, tags: &str| machine(state, &jiff::Timestamp::now().to_string(), tags);
    let new = ["machines", "create", ID, ID, "-n", "zz", "--wait", "--timeout", "3s"];
    let keyed = r#""name":"zz","tags":{"sdc.idempotency-key":"k1"}"#;
    let again = "the same command again; what its key has made is not made twice";
    let named = "sdc machines create --image IMAGE --package PACKAGE -n zz";
    for (more, tags, has, lacks) in [
        (&[][..], r#""name":"zz","tags":{}"#, named, again),
        (&["--idempotency-key", "k1"], keyed, again, "machines create"),
        (&["--idempotency-key", "k1", "--json"], keyed, again, "machines create"),
    ] {
        let words = [&new[..], more].concat();
        let (code, told, _) = ended(&made("provisioning", tags), &made("failed", tags), &words);
        assert!(code == Some(8) && told.contains(has) && !told.contains(lacks), "{more:?}: {told}");
    }
}

#[test]
fn a_list_is_not_edited_where_the_record_contradicts_the_row_by_which_it_was_found() {
    let role = format!(
        r#"{{"id":"{ID}","name":"x","members":[{{"type":"subuser","id":"{ID}","login":"ci"}}],"policies":[{{"id":"{ID}","name":"may"}}]}}"#
    );
    let policy = format!(r#"{{"id":"{ID}","name":"x","rules":["CAN a"]}}"#);
    let image = format!(
        r#"{{"id":"{ID}","name":"x","version":"1","owner":"{ID}","state":"active","tags":{{"a":"b"}},"acl":["{OTHER}"]}}"#
    );
    let more = "a0c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99";
    let (members, policies) =
        (format!(r#"[{{"type":"subuser","id":"{ID}","login":"ci"}}]"#), format!(r#"[{{"id":"{ID}","name":"may"}}]"#));
    for (record, from, to, words) in [
        (&role, "\"x\"", "\"zz\"", &["roles", "update", "x", "--add-policy", "keys", "--yes"][..]),
        (&role, &policies, "[]", &["roles", "update", "x", "--add-policy", "keys", "--yes"]),
        (&role, &members, "[]", &["roles", "update", "x", "--add-member", "jill", "--yes"]),
        (&policy, r#"["CAN a"]"#, "[]", &["policies", "update", "x", "--add-rule", "CAN b", "--yes"]),
        (&image, r#","tags":{"a":"b"}"#, "", &["images", "tag", "x", "c=d"]),
        (&image, &format!(r#"["{OTHER}"]"#), "[]", &["images", "share", "x", more]),
        (&image, "\"x\"", "\"zz\"", &["images", "share", "x", more]),
    ] {
        for (shown, by_id) in
            [(record.replace(from, to), false), (record.clone(), false), (record.replace(from, to), true)]
        {
            let noun = words[0];
            let typed = if by_id { ID } else { "x" };
            let words: Vec<&str> = words.iter().map(|word| if *word == "x" { typed } else { word }).collect();
            let one = format!("GET /acme/{noun}/{ID}").leak();
            let account = format!(r#"{{"id":"{ID}","login":"acme","email":"a@b.co"}}"#);
            let list = format!("[{record}]");
            let (url, seen) = by_method(&[
                ("POST ", "400 X", r#"{"code":"InvalidArgument","message":"no"}"#),
                (one, "200 OK", &shown),
                ("GET /acme/roles", "200 OK", &list),
                ("GET /acme/policies", "200 OK", &list),
                ("GET /acme/images", "200 OK", &list),
                ("GET /acme", "200 OK", &account),
                ("GET /my", "200 OK", &account),
                ("GET ", "200 OK", "[]"),
            ]);
            let said = sdc(&url, &words);
            let told = text(&said.stderr);
            let sent = seen.lock().unwrap().iter().filter(|line| line.starts_with("POST")).count();
            let goes = by_id || shown == *record;
            assert_eq!(sent, usize::from(goes), "{words:?} {shown}: {told}");
            assert!(goes || said.status.code() == Some(6) && told.contains("nothing was sent"), "{words:?}: {told}");
        }
    }
}
