//! What another server says in the service's place, with a success and without a header of the service: it is nobody's
//! word. And what is in an answer that no reader takes: it hides nothing else.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::io::Write;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use crate::common::{answered_by, in_turn, sdc, text};
use reqwest::header::{HeaderMap, HeaderValue};
use sdc::api::{CLOUDAPI, SERVICES};
use sdc::error::Kind;
use sdc::response::Response;

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const OWN: &str = "200 OK\r\nApi-Version: 9.0.0\r\nServer: cloudapi/9.20.0";

/// A service that answers by how the request begins, with CloudAPI's headers; and the requests that it was sent.
fn by_method(answers: &[(&'static str, &'static str, &str)]) -> (String, Arc<Mutex<Vec<String>>>) {
    let answers: Vec<_> = answers.iter().map(|(begin, head, body)| (*begin, *head, (*body).to_owned())).collect();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    let url = answered_by(move |head, mut stream| {
        kept.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
        let (_, status, body) = answers.iter().find(|(begin, ..)| head.starts_with(begin)).unwrap();
        let length = body.len();
        let _ = stream.write_all(
            format!(
                "HTTP/1.1 {status}\r\nApi-Version: 9.0.0\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .as_bytes(),
        );
    });
    (url, seen)
}

#[test]
fn no_success_of_another_server_is_one_of_any_operation() {
    let record = format!(r#"{{"id":"{ID}","name":"web","state":"running","a":"b"}}"#);
    for service in SERVICES {
        for op in service.resources.iter().flat_map(|resource| resource.ops) {
            for (status, body) in
                [(200, "[]"), (200, record.as_str()), (201, &record), (202, ""), (204, ""), (200, "{}")]
            {
                let headers = HeaderMap::from_iter([(reqwest::header::SERVER, HeaderValue::from_static("nginx"))]);
                let path = op.path.to_owned();
                let answer =
                    Response { status, headers, body: body.into(), sent: String::new(), path, service }.answer(op);
                let error = answer.expect_err(op.id);
                assert_eq!(error.kind(), Kind::Unreachable, "{} {status} {body}: {error}", op.id);
            }
        }
    }
    assert!(SERVICES.iter().any(|service| std::ptr::eq(*service, &CLOUDAPI)));
}

#[test]
fn nothing_is_done_gone_or_not_there_because_another_server_says_so() {
    let nothing = "204 No Content\r\nServer: nginx";
    let list = "200 OK\r\nServer: nginx";
    for (head, body, words) in [
        (nothing, "", &["keys", "delete", "laptop", "--yes"][..]),
        (nothing, "", &["users", "delete", ID, "--yes"]),
        (nothing, "", &["images", "delete", ID, "--yes"]),
        (nothing, "", &["fwrules", "delete", ID, "--yes"]),
        (nothing, "", &["machines", "stop", ID]),
        (nothing, "", &["api", "DELETE", "/my/keys/laptop"]),
        (list, "[]", &["machines", "delete", "web1", "--yes", "--ignore-missing"]),
        (list, "[]", &["machines", "list"]),
        (list, r#"{"a":"b"}"#, &["machines", "tags", "set", ID, "a=b"]),
        (list, r#"{"a":"b"}"#, &["machines", "metadata", "set", ID, "a=b"]),
    ] {
        let (url, _) = in_turn(vec![(head, body)]);
        let said = sdc(&url, words);
        let told = text(&said.stderr);
        assert!(said.status.code() == Some(6) && told.contains("'nginx' answered"), "{words:?}: {told}");
    }
    // Behind a proxy that names itself, the service's own headers show that it has answered.
    let (url, _) = in_turn(vec![("204 No Content\r\nServer: nginx\r\nApi-Version: 9.0.0", "")]);
    assert_eq!(sdc(&url, &["keys", "delete", "laptop", "--yes"]).status.code(), Some(0));
}

#[test]
fn a_key_makes_nothing_anew_because_another_server_lists_nothing() {
    let (url, seen) =
        in_turn(vec![(OWN, "[]"), ("502 Bad Gateway\r\nServer: nginx", "<html>"), ("200 OK\r\nServer: nginx", "[]")]);
    let words =
        ["machines", "create", "--image", ID, "--package", ID, "-n", "w-{{shortId}}", "--idempotency-key", "k1"];
    let said = sdc(&url, &[&words[..], &["--request-timeout", "1s"]].concat());
    let told = text(&said.stderr);
    assert!(said.status.code() == Some(7) && told.contains("outcome is unknown"), "{told}");
    assert!(seen.load(SeqCst) > 3);
}

/// Half of a character, a number without measure, and a deep nest, each as one member of the record as it was.
#[test]
fn a_member_that_nobody_can_read_does_not_make_the_old_record_a_done_change() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for odd in [r#""\ud83d""#, "1e999", &deep] {
        for (record, words) in [
            (
                r#""id":"ID","name":"p","rules":["CAN getmachine"]"#,
                &["policies", "update", ID, "--rule", "CAN stopmachine"][..],
            ),
            (r#""id":"ID","login":"ci","email":"a@b.co""#, &["users", "update", ID, "email=b@b.co"]),
            (r#""id":"ID","name":"base","version":"1","description":"x""#, &["images", "update", ID, "description=y"]),
            (r#""a":"old""#, &["machines", "tags", "set", ID, "a=b"]),
            (r#""a":"old""#, &["machines", "tags", "replace", ID, "a=b", "--yes"]),
            (r#""a":"old""#, &["machines", "metadata", "set", ID, "a=b"]),
        ] {
            let body = format!(r#"{{{},"x":{odd}}}"#, record.replace("ID", ID)).leak();
            let (url, _) = in_turn(vec![(OWN, body)]);
            let said = sdc(&url, words);
            assert_eq!(said.status.code(), Some(6), "{words:?} {odd}: {}", text(&said.stderr));
        }
    }
}

#[test]
fn what_nobody_can_read_is_there_all_the_same() {
    let tags = [r#"{"role":"\ud83d"}"#, r#"{"role":1e999}"#];
    for tags in tags {
        let (url, _) = by_method(&[("DELETE ", "204 No Content", ""), ("GET ", "200 OK", tags)]);
        let said = sdc(&url, &["machines", "tags", "delete", ID, "role", "--yes", "--wait", "--timeout", "2s"]);
        assert_eq!(said.status.code(), Some(9), "{tags}: {}", text(&said.stderr));
        let (url, _) = by_method(&[("DELETE ", "204 No Content", ""), ("GET ", "200 OK", tags)]);
        let said = sdc(&url, &["machines", "tags", "delete-all", ID, "--yes", "--wait", "--timeout", "2s"]);
        assert_eq!(said.status.code(), Some(9), "{tags}: {}", text(&said.stderr));
    }
    // Neither the record of another machine nor a route that is not there says that the machine is gone.
    for (head, body) in [
        (
            "410 Gone\r\nApi-Version: 9.0.0",
            r#"{"id":"51b7c6ea-7d5d-4fe6-a2ec-b812e950625a","state":"running","x":"\ud83d"}"#,
        ),
        (
            "404 Not Found\r\nApi-Version: 9.0.0",
            r#"{"code":"ResourceNotFound","message":"/a/b does not exist","x":"\ud83d"}"#,
        ),
    ] {
        let (url, _) = in_turn(vec![(head, body)]);
        let said = sdc(&url, &["wait", "machines", ID, "--for", "deleted", "--timeout", "1s"]);
        assert_eq!(said.status.code(), Some(9), "{body}: {}", text(&said.stderr));
    }
}

/// The answer to the POST has the id of a machine that was there before, and all that was sent.
#[test]
fn a_machine_that_shows_another_name_is_neither_done_nor_deleted_for_what_was_to_be_made() {
    let now = jiff::Timestamp::now();
    let made = |name: &str| {
        format!(
            r#"{{"id":"{ID}","name":"{name}","state":"provisioning","created":"{now}","image":"{ID}","tags":{{}}}}"#
        )
    };
    let there = format!(
        r#"{{"id":"{ID}","name":"web1","state":"provisioning","created":"2020-01-01T00:00:00Z","image":"{ID}","tags":{{}}}}"#
    );
    let new = ["machines", "create", ID, ID, "-n", "zz", "--wait", "--timeout", "5s"];
    for words in [&new[..], &[&new[..], &["--on-failure", "delete"]].concat()] {
        let (url, seen) = by_method(&[
            ("POST ", "201 Created", &made("zz")),
            ("DELETE ", "204 No Content", ""),
            ("GET ", "200 OK", &there),
        ]);
        let said = sdc(&url, words);
        let told = text(&said.stderr);
        assert!(said.status.code() == Some(6) && told.contains("it is called 'web1'"), "{words:?}: {told}");
        assert!(seen.lock().unwrap().iter().all(|line| !line.starts_with("DELETE")), "{told}");
    }
    let key = ["run", ID, ID, "-n", "zz", "--timeout", "3s", "--", "true"];
    let (url, seen) = by_method(&[
        ("POST ", "201 Created", &made("zz").replace(r#""tags":{}"#, r#""tags":{"sdc.idempotency-key":"k"}"#)),
        ("DELETE ", "204 No Content", ""),
        ("GET ", "200 OK", &there),
    ]);
    let said = sdc(&url, &key);
    assert_ne!(said.status.code(), Some(0), "{}", text(&said.stderr));
    assert!(seen.lock().unwrap().iter().all(|line| !line.starts_with("DELETE")), "{}", text(&said.stderr));
}

#[test]
fn a_password_that_the_service_repeats_is_not_shown_with_its_record() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("pw");
    std::fs::write(&file, "simpleLongPw12345\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let file = file.to_str().unwrap();
    let record = format!(
        r#"{{"id":"{ID}","login":"bob","email":"b@c.dd","password":"simpleLongPw12345","x":["is simpleLongPw12345"]}}"#
    );
    for words in [
        &["users", "create", "bob", "--email", "b@c.dd", "--password-file", file, "-j"][..],
        &["users", "create", "bob", "--email", "b@c.dd", "--password-file", file, "--jq", "."],
    ] {
        let (url, _) = by_method(&[("POST ", "201 Created", &record), ("GET ", "200 OK", "[]")]);
        let said = sdc(&url, words);
        let told = format!("{}{}", text(&said.stdout), text(&said.stderr));
        assert!(said.status.success() && told.contains("bob"), "{words:?}: {told}");
        assert!(!told.contains("simpleLongPw12345"), "{words:?}: {told}");
    }
}

#[test]
fn a_machine_that_does_not_show_whether_it_is_the_one_is_not_said_to_be_missing() {
    for row in [
        format!(r#"[{{"id":"{ID}","name":"zz","state":"running"}}]"#),
        format!(r#"[{{"id":"{ID}","name":"zz","state":"running","tags":"x"}}]"#),
        format!(r#"[{{"id":"{ID}","name":null,"state":"running","tags":{{}}}}]"#),
    ] {
        let (url, seen) = by_method(&[("POST ", "502 Bad Gateway", ""), ("GET ", "200 OK", &row)]);
        let said = sdc(&url, &["machines", "create", ID, ID, "-n", "zz", "--idempotency-key", "k"]);
        let told = text(&said.stderr);
        assert!(said.status.code() == Some(6) && told.contains("nobody knows whether it is the one"), "{row}: {told}");
        assert!(seen.lock().unwrap().iter().all(|line| !line.starts_with("POST")), "{told}");
    }
}
