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

/// How a change of something ends that is answered by this record.
fn changed(record: &str, words: &[&str]) -> (Option<i32>, String) {
    let (url, _) = by_method(&[("POST ", "200 OK", record), ("PUT ", "200 OK", record), ("GET ", "200 OK", record)]);
    let said = sdc(&url, words);
    (said.status.code(), text(&said.stderr))
}

#[test]
fn a_record_whose_map_is_as_it_was_before_is_no_success() {
    let image = |tags: &str| format!(r#"{{"id":"{ID}","name":"im","version":"1","state":"active"{tags}}}"#);
    let update = ["images", "update", ID, "--tag", "q=r", "--yes"];
    for (tags, well) in [
        (r#","tags":{"q":"r"}"#, true),
        (r#","tags":{"team":"web"}"#, false),
        (r#","tags":{"q":"r","team":"web"}"#, false),
        (r#","tags":{}"#, false),
        ("", false),
    ] {
        let (code, told) = changed(&image(tags), &update);
        assert_eq!(code, Some(if well { 0 } else { 6 }), "{tags}: {told}");
        assert!(well || told.contains("whose tags is not what was sent"), "{tags}: {told}");
    }
    let network = |routes: &str| {
        format!(r#"{{"id":"{ID}","name":"n","vlan_id":2,"subnet":"192.168.128.0/22","routes":{routes}}}"#)
    };
    let route = ["fabrics", "networks", "update", "2", ID, "--route", "10.1.0.0/16=192.168.128.1", "--yes"];
    for (routes, well) in [
        (r#"{"10.1.0.0/16":"192.168.128.1"}"#, true),
        (r#"{"10.1.0.7/16":"192.168.128.1"}"#, true),
        (r#"{"10.50.0.0/16":"192.168.128.1"}"#, false),
        (r#"{"10.1.0.0/16":"192.168.128.9"}"#, false),
    ] {
        let (code, told) = changed(&network(routes), &route);
        assert_eq!(code, Some(if well { 0 } else { 6 }), "{routes}: {told}");
    }
}

#[test]
fn a_machine_that_runs_otherwise_than_it_was_asked_for_is_told_with_what_differs() {
    let now = jiff::Timestamp::now().to_string();
    let words = |option: &[&'static str]| {
        [&["machines", "create", ID, ID, "-n", "zz", "--wait", "--timeout", "90s"], option].concat()
    };
    let made = |rest: &str| machine("running", &now, &format!(r#""name":"zz",{rest}"#));
    std::thread::scope(|scope| {
        for (option, shown, differs) in [
            (&["-t", "a=b"][..], r#""tags":{}"#, "tags has no a"),
            (&["-t", "a=b"], r#""tags":{"a":"c"}"#, "tags has another a"),
            (&["--firewall"], r#""firewall_enabled":false"#, "firewall_enabled is false"),
            (&["--deletion-protection"], r#""deletion_protection":false"#, "deletion_protection is false"),
            (&["--network", OTHER], &*format!(r#""networks":["{ID}","{OTHER}"]"#), "networks has 2 and not 1"),
            // What is not shown is not denied, a number is one as text too, and of a pool there is a network.
            (&["-t", "a=b", "--firewall"], r#""ips":[]"#, ""),
            (&["-t", "a:=7"], r#""tags":{"a":"7","more":true}"#, ""),
            (&["--network", OTHER], &*format!(r#""networks":["{ID}"]"#), ""),
        ]
        .map(|(option, shown, differs)| (option, shown.to_owned(), differs))
        {
            let (words, shown) = (words(option), made(&shown));
            scope.spawn(move || {
                let (code, told, sent) = ended(&shown, &shown, &words);
                assert_eq!((code, sent), (Some(if differs.is_empty() { 0 } else { 9 }), 0), "{words:?}: {told}");
                let due = format!("machine zz ({ID}) is running, and not as it was asked to be: {differs}");
                assert!(differs.is_empty() || told.contains(&due), "{words:?}: {told}");
            });
        }
    });
}

#[test]
fn a_change_of_what_was_named_is_not_told_of_what_the_answer_calls_otherwise() {
    let list =
        format!(r#"[{{"id":"{ID}","name":"keys","login":"ci"}},{{"id":"{OTHER}","name":"bobs","login":"bob"}}]"#);
    for (words, listed, other) in [
        (&["policies", "update", "keys", "--rule", "CAN getkey"][..], "keys", "operate"),
        (&["users", "update", "ci", "--email", "z@z.zz"], "ci", "bob"),
    ] {
        for (name, code) in [(listed, 0), (other, 6)] {
            let record = format!(
                r#"{{"id":"{ID}","name":"{name}","login":"{name}","rules":["CAN getkey"],"email":"z@z.zz","description":""}}"#
            );
            let one = format!("GET /acme/{}/", words[0]).leak();
            let (url, _) =
                by_method(&[("POST ", "200 OK", &record), (one, "200 OK", &record), ("GET ", "200 OK", &list)]);
            let said = sdc(&url, &[words, &["--yes"]].concat());
            let told = text(&said.stderr);
            assert_eq!(said.status.code(), Some(code), "{words:?} {name}: {told}");
            let words_due = [format!("called {other}"), "differ in its name: nothing was sent".to_owned()];
            assert!(code == 0 || words_due.iter().any(|due| told.contains(due)), "{words:?}: {told}");
        }
    }
}

#[test]
fn of_several_that_are_answered_with_one_id_one_alone_was_made() {
    let now = jiff::Timestamp::now().to_string();
    let made = machine("running", &now, r#""name":"b6979942""#);
    let (url, seen) = by_method(&[("POST ", "201 Created", &made), ("GET ", "200 OK", &made)]);
    let said = sdc(&url, &["machines", "create", ID, ID, "--count", "3", "-o", "ids"]);
    let told = text(&said.stderr);
    assert_eq!(said.status.code(), Some(6), "{told}");
    assert_eq!((text(&said.stdout).trim(), told.matches("with one id").count()), (ID, 2), "{told}");
    assert_eq!(seen.lock().unwrap().iter().filter(|line| line.starts_with("POST")).count(), 3);
}

#[test]
fn what_rbac_apply_makes_has_the_id_of_nothing_that_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("r.json");
    std::fs::write(&file, r#"{"users":[{"login":"jill","email":"j@x.yz","keys":[]}]}"#).unwrap();
    let users = format!(r#"[{{"id":"{ID}","login":"bob","email":"b@x.yz"}}]"#);
    for (id, code) in [(OTHER, 0), (ID, 6)] {
        let made = format!(r#"{{"id":"{id}","login":"jill","email":"j@x.yz"}}"#);
        let (url, _) = by_method(&[
            ("POST ", "201 Created", &made),
            ("GET /acme/users?", "200 OK", &users),
            ("GET /acme/users ", "200 OK", &users),
            ("GET ", "200 OK", "[]"),
        ]);
        let said = sdc(&url, &["rbac", "apply", file.to_str().unwrap(), "--yes"]);
        let told = text(&said.stderr);
        assert_eq!(said.status.code(), Some(code), "{id}: {told}");
        assert!(code == 0 || told.contains("which was there before"), "{told}");
    }
}
