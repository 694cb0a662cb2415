//! What another server says in the service's place, with a success and without a header of the service: it is nobody's
//! word. And what is in an answer that no reader takes: it hides nothing else.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::io::Write;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

use crate::common::{answered_by, in_turn, sdc, text};
use crate::lists::of_paths;
use reqwest::header::{HeaderMap, HeaderValue};
use sdc::api::{CLOUDAPI, SERVICES};
use sdc::error::Kind;
use sdc::response::Response;

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const OWN: &str = "200 OK\r\nApi-Version: 9.0.0\r\nServer: cloudapi/9.20.0";

/// A service that answers by how the request begins, with CloudAPI's headers; and the requests that it was sent.
pub fn by_method(answers: &[(&'static str, &'static str, &str)]) -> (String, Arc<Mutex<Vec<String>>>) {
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

/// What a request is answered that makes a machine, where the answer repeats what was sent but for the id.
#[test]
fn a_machine_without_a_whole_id_is_not_said_to_be_made_and_may_be_there() {
    let now = jiff::Timestamp::now();
    let start = r#"{"name":"zz","state":"provisioning","#;
    let rest = format!(r#""created":"{now}","image":"{ID}","tags":{{}}}}"#);
    for id in [r#""id":"b6979942","#, "", r#""id":null,"#, r#""id":7,"#] {
        let made = format!("{start}{id}{rest}");
        let (url, _) = by_method(&[("POST ", "201 Created", &made), ("GET ", "200 OK", "[]")]);
        let new = ["machines", "create", ID, ID, "-n", "zz"];
        let run = ["run", ID, ID, "-n", "zz", "--request-timeout", "1s", "--", "true"];
        for (words, look) in [
            (&new[..], "whether it is there: sdc machines list name=zz"),
            (&run, "whether it is there: sdc machines list tag.sdc.idempotency-key=run-"),
        ] {
            // It looks for long.
            if words[0] == "run" && !id.contains("b6979942") {
                continue;
            }
            let said = sdc(&url, words);
            let told = text(&said.stderr);
            assert_eq!(said.status.code(), Some(6), "{words:?} {id}: {told}");
            assert!(told.contains("where an object with the field id was due"), "{words:?} {id}: {told}");
            assert!(told.contains(look), "{words:?} {id}: {told}");
            assert_eq!(words[0] == "run", told.contains("after all: sdc reap --expired"), "{words:?} {id}: {told}");
        }
    }
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

const HEADERS: &str = "Server: cloudapi/9.20.0\r\nApi-Version: 9.0.0\r\n";
const OTHER: &str = "b7c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99";

#[test]
fn a_list_that_cannot_be_read_is_not_written_back_without_what_was_in_it() {
    let members = r#""members":[{"type":"subuser","id":"ID","login":"ci"}]"#;
    let policies = r#""policies":[{"id":"ID","name":"may"}]"#;
    let rules = r#""rules":["CAN getmachine"]"#;
    let change = |path: &'static str, record: &str, words: &[&str]| {
        let record = format!(r#"{{"id":"{ID}"{}}}"#, record.replace("ID", ID));
        let (url, changes) = of_paths(HEADERS, vec![(path, record)]);
        let said = sdc(&url, &[words, &[ID]].concat());
        let many = changes.lock().unwrap().len();
        (said.status.code(), many, text(&said.stderr))
    };
    let role = "/acme/roles/";
    for (path, field, others, words, odd) in [
        (
            role,
            "members",
            policies,
            &[
                &["roles", "update", "--remove-member", "zed"][..],
                &["roles", "update", "--add-member", "zed"],
                &["roles", "update", "--add-default-member", "zed"],
            ][..],
            &[
                r#"[{"type":"subuser","id":"ID"}]"#,
                r#"[{"type":"subuser","id":"ID","login":7}]"#,
                r#"[{"type":"robot","id":"ID","login":"ci"}]"#,
                r#"[{"type":"subuser","login":"ci","default":"yes"}]"#,
                r#"[{"type":"subuser","login":"ci\ud83d"}]"#,
                r#"["ci",""]"#,
            ][..],
        ),
        (
            role,
            "policies",
            members,
            &[&["roles", "update", "--add-policy", "keys"], &["roles", "update", "--remove-policy", "keys"]],
            &[r#"[{"id":"ID"}]"#, r#"[{"id":"ID","name":""}]"#],
        ),
        (
            "/acme/policies/",
            "rules",
            r#""x":1"#,
            &[
                &["policies", "update", "--add-rule", "CAN getkey"],
                &["policies", "update", "--remove-rule", "CAN getkey"],
            ],
            &[r#"[["CAN x"]]"#, r#"[{"rule":"CAN x"}]"#],
        ),
    ] {
        let texts = [r#""ci""#, "{}", "null", "[null]", "[7]", "[[]]"];
        let forms = texts.iter().chain(odd).map(|value| format!(r#","name":"x","{field}":{value},{others}"#));
        let records: Vec<String> = forms.chain([format!(r#","name":"x",{others}"#)]).collect();
        for (words, record) in words.iter().flat_map(|words| records.iter().map(move |record| (words, record))) {
            let (code, many, told) = change(path, record, words);
            let is_said = told.contains(&format!("no {field} that can be read"));
            assert!((code, many) == (Some(6), 0) && is_said, "{words:?} {record}: {code:?} {many} {told}");
        }
    }
    // One list is no reason to leave another alone, and earlier versions have names alone.
    for (record, words, path) in [
        (format!(r#","name":"x",{members}"#), &["roles", "update", "--remove-member", "ci"][..], role),
        (
            r#","name":"x","members":["ci"],"default_members":["ci"],"policies":{}"#.to_owned(),
            &["roles", "update", "--add-member", "zed"],
            role,
        ),
        (format!(r#","name":"x",{rules}"#), &["policies", "update", "--add-rule", "CAN getkey"], "/acme/policies/"),
    ] {
        let (_, many, told) = change(path, &record, words);
        assert_eq!(many, 1, "{words:?} {record}: {told}");
    }
    let (code, many, _) = change(
        role,
        r#","name":"x","members":["ci"],"default_members":"ci","policies":[]"#,
        &["roles", "update", "--add-member", "zed"],
    );
    assert_eq!((code, many), (Some(6), 0));
}

#[test]
fn an_image_is_shared_and_tagged_on_only_where_its_list_and_tags_can_be_read() {
    let change = |part: &str, words: &[&str]| {
        let record = format!(r#"{{"id":"{ID}","name":"web","version":"1","owner":"{ID}"{part}}}"#);
        let (url, changes) = of_paths(HEADERS, vec![("/acme/images/", record)]);
        let said = sdc(&url, words);
        let many = changes.lock().unwrap().len();
        (said.status.code(), many, text(&said.stderr))
    };
    for acl in ["null", "{}", r#""""#, r#""x""#, "[1]", "[null]", r#"["x"]"#, "false", r#"["\ud83d"]"#] {
        for verb in ["share", "unshare"] {
            let (code, many, told) = change(&format!(r#","acl":{acl}"#), &["images", verb, ID, OTHER]);
            let is_said = told.contains("no acl that can be read");
            assert!((code, many) == (Some(6), 0) && is_said, "{verb} {acl}: {code:?} {many} {told}");
        }
    }
    for tags in ["null", "[]", r#""a""#, "7"] {
        let (code, many, told) = change(&format!(r#","tags":{tags}"#), &["images", "tag", ID, "a=b"]);
        let is_said = told.contains("no tags that can be read");
        assert!((code, many) == (Some(6), 0) && is_said, "{tags}: {code:?} {many} {told}");
    }
    // Either may be left out, and an id is the same in capitals.
    let capitals = format!(r#","acl":["{}"]"#, OTHER.to_uppercase());
    for (part, words, many) in [
        ("", &["images", "share", ID, OTHER][..], 1),
        ("", &["images", "unshare", ID, OTHER], 0),
        ("", &["images", "tag", ID, "a=b"], 1),
        (&capitals, &["images", "share", ID, OTHER], 0),
        (&capitals, &["images", "unshare", ID, OTHER], 1),
    ] {
        let (code, changed, told) = change(part, words);
        assert_eq!(changed, many, "{words:?} {part}: {code:?} {told}");
    }
}

#[test]
fn a_file_of_users_and_roles_holds_all_that_there_is_or_is_none() {
    let fine = [
        ("members", r#"[{"type":"subuser","id":"ID","login":"ci"}]"#),
        ("policies", r#"[{"id":"ID","name":"may"}]"#),
        ("rules", r#"["CAN getmachine"]"#),
    ];
    let export = |field: &str, value: &str| {
        let part = |name: &str| {
            let known = fine.iter().find(|(known, _)| *known == name).map_or("", |(_, known)| known);
            format!(r#""{name}":{}"#, if name == field { value } else { known }).replace("ID", ID)
        };
        let (members, policies, rules) = (part("members"), part("policies"), part("rules"));
        let bodies = vec![
            ("/acme/users/", "[]".to_owned()),
            ("/acme/users", format!(r#"[{{"id":"{ID}","login":"ci","email":"a@example.com"}}]"#)),
            ("/acme/roles", format!(r#"[{{"id":"{ID}","name":"r",{members},{policies}}}]"#)),
            ("/acme/policies", format!(r#"[{{"id":"{ID}","name":"may",{rules}}}]"#)),
        ];
        let (url, _) = of_paths(HEADERS, bodies);
        sdc(&url, &["rbac", "export"])
    };
    let said = export("", "");
    assert!(said.status.success() && text(&said.stdout).contains("CAN getmachine"), "{}", text(&said.stderr));
    for (field, odd) in [
        ("members", r#"[{"type":"subuser","id":"ID"}]"#),
        ("members", r#"[{"type":"subuser","login":null}]"#),
        ("members", "[7]"),
        ("policies", r#"[{"id":"ID"}]"#),
        ("policies", "[null]"),
        ("rules", r#"[["CAN x"]]"#),
        ("rules", r#"["CAN getmachine",{}]"#),
        ("rules", r#"["CAN getmachine\ud83d"]"#),
        ("members", r#"["ci\ud83d"]"#),
    ] {
        let said = export(field, odd);
        let told = text(&said.stderr);
        let is_said = told.contains(&format!("no {field} that can be read")) || odd.contains("ud83d");
        assert!(said.status.code() == Some(6) && said.stdout.is_empty() && is_said, "{field} {odd}: {told}");
    }
}

#[test]
fn a_row_whose_tags_are_not_shown_is_picked_by_no_filter_on_tags() {
    let lacking =
        ["", r#","tags":null"#, r#","tags":[]"#, r#","tags":"role=web""#, r#","tags":["web"]"#, r#","tags":7"#];
    let objects = [r#","tags":{"role":{}}"#, r#","tags":{"role":[]}"#, r#","tags":{"role":["db"]}"#];
    let filters = ["tag.role!=web", "tags.role!=web", "tag.role!~^web", "tag.role!=w*"];
    let picked = |noun: &str, path: &'static str, member: &str, words: &[&str]| {
        let key = if path == "/vms" { "uuid" } else { "id" };
        let row = format!(r#"[{{"{key}":"{ID}","name":"m","version":"1","state":"running","owner":"{ID}"{member}}}]"#);
        let account = format!(r#"{{"id":"{ID}","login":"acme","email":"a@example.com"}}"#);
        let (url, changes) = of_paths(HEADERS, vec![(path, row), ("/acme ", account)]);
        let said = sdc(&url, &[&[noun, "delete", "--yes"], words].concat());
        (changes.lock().unwrap().len(), format!("{:?} {}", said.status.code(), text(&said.stderr)))
    };
    for member in lacking {
        for filter in filters.iter().chain(&["tags!=*"]) {
            let (many, told) = picked("machines", "/acme/machines", member, &[filter]);
            assert!(many == 0 && told.contains("does not show what"), "{filter} {member}: {told}");
        }
        assert_eq!(picked("machines", "/acme/machines", member, &["metadata.a!=b"]).0, 0);
        for selector in ["role!=web", "!role"] {
            let (many, told) = picked("machines", "/acme/machines", member, &["-l", selector]);
            assert_eq!(many, 0, "{selector} {member}: {told}");
        }
    }
    for member in objects {
        for words in filters.iter().map(|filter| vec![*filter]).chain([vec!["-l", "role!=web"]]) {
            let (many, told) = picked("machines", "/acme/machines", member, &words);
            assert_eq!(many, 0, "{words:?} {member}: {told}");
        }
    }
    for (member, words) in [
        (r#","tags":{}"#, &["tag.role!=web"][..]),
        (r#","tags":{"role":7}"#, &["-l", "role!=web"]),
        (r#","tags":{}"#, &["tags!=*"]),
    ] {
        let (many, told) = picked("machines", "/acme/machines", member, words);
        assert_eq!(many, 1, "{words:?} {member}: {told}");
    }
    // An image and a volume need have none.
    for (noun, path) in [("images", "/acme/images"), ("volumes", "/acme/volumes")] {
        for (index, member) in lacking.iter().chain(&objects).enumerate() {
            let (many, told) = picked(noun, path, member, &["tags.role!=web"]);
            assert_eq!(many, usize::from(index == 0), "{noun} {member}: {told}");
        }
    }
}

#[test]
fn no_role_is_given_to_a_machine_and_no_vm_is_shown_by_tags_that_nobody_can_read() {
    for (tags, picked) in [
        ("", false),
        (r#","tags":null"#, false),
        (r#","tags":"role=web""#, false),
        (r#","tags":{"role":["db"]}"#, false),
        (r#","tags":{}"#, true),
        (r#","tags":{"role":"db"}"#, true),
    ] {
        let machine = format!(r#"[{{"id":"{ID}","name":"m","state":"running"{tags}}}]"#);
        let (url, changes) =
            of_paths(HEADERS, vec![("/acme/machines/", "{}".to_owned()), ("/acme/machines", machine.clone())]);
        let said = sdc(&url, &["role-tags", "set", "machines", "-l", "role!=web", "operator", "--yes"]);
        let changes = changes.lock().unwrap();
        let put = changes.iter().any(|line| line.starts_with("PUT "));
        assert_eq!(put, picked, "{tags}: {changes:?} {}", text(&said.stderr));
        let (url, _) = of_paths("", vec![("/vms", machine.replacen("\"id\"", "\"uuid\"", 1))]);
        let vmapi = format!("vmapi={}", url.trim_start_matches("http://"));
        let said = sdc(&url, &["admin", "--service", &vmapi, "vms", "list", "tag.role!=web", "-o", "ids"]);
        let shown = if picked { format!("{ID}\n") } else { String::new() };
        assert_eq!(text(&said.stdout), shown, "{tags}: {}", text(&said.stderr));
    }
}

/// `sdc` of these words where the POST is answered this, and the migration is this one by then.
fn migrated(began: &str, now: &str, words: &[&str]) -> (Option<i32>, String) {
    let (url, _) = by_method(&[("POST ", "202 Accepted", began), ("GET ", "200 OK", now)]);
    let said = sdc(&url, &[words, &[ID, "--yes", "--wait", "--timeout", "1s"]].concat());
    (said.status.code(), text(&said.stderr))
}

#[test]
fn a_step_of_a_migration_is_done_only_in_its_own_phase_and_of_its_own_machine() {
    let record = |machine: &str, phase: &str, state: &str| {
        let now = jiff::Timestamp::now();
        format!(
            r#"{{{machine}"phase":"{phase}","state":"{state}","automatic":false,"created_timestamp":"{now}","progress_history":[]}}"#
        )
    };
    let own = format!(r#""machine":"{ID}","#);
    let begun = record(&own, "sync", "running");
    for (verb, ends) in [
        ("begin", &[("begin", "paused"), ("sync", "paused")][..]),
        ("sync", &[("sync", "paused")]),
        ("pause", &[("sync", "paused"), ("pause", "paused")]),
        ("switch", &[("switch", "successful")]),
        ("automatic", &[("switch", "successful")]),
        ("abort", &[]),
        ("finalize", &[]),
    ] {
        let begun = if verb == "finalize" { "" } else { begun.as_str() };
        let others = [("abort", "successful"), ("rollback", "successful"), ("", ends.first().map_or("x", |end| end.1))];
        for (phase, state) in ends.iter().copied().chain(others) {
            let (code, told) = migrated(begun, &record(&own, phase, state), &["machines", "migrate", verb]);
            let due = match (ends.contains(&(phase, state)), phase) {
                (true, _) => 0,
                (false, "abort" | "rollback") if !ends.is_empty() => 8,
                (false, _) => 9,
            };
            assert_eq!(code, Some(due), "{verb} {phase} {state}: {told}");
            assert!(due != 8 || told.contains(&format!("its phase is {phase}")), "{verb}: {told}");
            assert!(state != "successful" || !told.contains("machines migrate abort"), "{verb}: {told}");
        }
        let Some((phase, state)) = ends.first() else { continue };
        for other in ["".to_owned(), own.replace(ID, OTHER), r#""machine":null,"#.to_owned()] {
            let (code, told) = migrated(begun, &record(&other, phase, state), &["machines", "migrate", verb]);
            assert!(matches!(code, Some(6 | 9)), "{verb} {other}: {code:?} {told}");
        }
    }
}

/// What `sdc` ends with on a service whose log is the first of these before the POST or PUT and the second after it, and
/// whose other answers these are, by path. `dated` has it say when it answers.
fn logged(words: &[&str], log: [&str; 2], others: &[(&'static str, &str)], dated: bool) -> (Option<i32>, String) {
    let others: Vec<_> = others.iter().map(|(path, body)| (*path, (*body).to_owned())).collect();
    let log = log.map(str::to_owned);
    let sent = Mutex::new(false);
    let url = answered_by(move |head, mut stream| {
        let line = head.lines().next().unwrap_or_default();
        let mut sent = sent.lock().unwrap();
        let (status, body) = match line.split_once(' ').unwrap_or_default() {
            ("GET", path) if path.contains("/audit") => ("200 OK", log[usize::from(*sent)].as_str()),
            (method, path) => {
                *sent |= method != "GET";
                let known = others.iter().find(|(part, _)| path.contains(part));
                match (method, known) {
                    ("GET", Some((_, body))) => ("200 OK", body.as_str()),
                    ("PUT", _) => ("200 OK", r#"{"a":"new"}"#),
                    _ => ("202 Accepted", ""),
                }
            }
        };
        let now = std::time::SystemTime::now();
        let date = if dated { format!("Date: {}\r\n", httpdate::fmt_http_date(now)) } else { String::new() };
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{HEADERS}{date}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    });
    let said = sdc(&url, &[words, &["--yes", "--wait", "--timeout", "1s"]].concat());
    (said.status.code(), text(&said.stderr))
}

#[test]
fn an_old_entry_of_the_log_is_not_the_new_one_however_it_is_written() {
    let machine = format!(r#"{{"id":"{ID}","name":"web","state":"running","package":"g1-small"}}"#);
    let entry = |action: &str, more: &str| format!(r#"[{{"action":"{action}","success":"yes",{more}}}]"#);
    let stopped = machine.replace("running", "stopped");
    for (action, words, shown) in [
        ("reboot", &["machines", "reboot", ID][..], &machine),
        ("stop", &["machines", "stop", ID], &stopped),
        ("rollback_snapshot", &["machines", "snapshots", "boot", ID, "s1"], &machine),
    ] {
        let others = [("/machines/", shown.as_str())];
        let old = entry(action, r#""time":"2025-01-01T00:00:00.000Z""#);
        // The same code reads them all: one action shows all of its cases, and the others some.
        let some = if action == "reboot" { 8 } else { 2 };
        let cases = [
            (old.as_str(), entry(action, r#""time":"2025-01-01T00:00:00.000Z","parameters":{}"#)),
            ("[]", old.clone()),
            (&old, old.clone()),
            (&old, entry(action, r#""time":"2025-01-01T00:00:00Z""#)),
            (&old, entry(action, r#""time":"2025-01-01T01:00:00+01:00""#)),
            (&old, entry(action, r#""time":"2024-01-01T00:00:00Z""#)),
            (&old, entry(action, r#""x":"without a time""#)),
            // Of anything: what came before that is older than the request.
            (&entry("rename", r#""time":"2026-01-01T00:00:00Z""#), old.clone()),
        ];
        for (before, after) in cases.iter().take(some) {
            for dated in [true, false].into_iter().skip(usize::from(*before != "[]")) {
                let (code, told) = logged(words, [before, after], &others, dated);
                assert_eq!(code, Some(9), "{words:?} {before} {after} {dated}: {told}");
            }
        }
        // A clock may be behind, or ahead.
        let soon = format!(r#""time":"{}""#, jiff::Timestamp::now() - std::time::Duration::from_secs(5));
        let far = entry("rename", r#""time":"2125-01-01T00:00:00.000Z""#);
        for (before, after) in [
            (old.as_str(), entry(action, r#""time":"2025-01-01T00:00:00.001Z""#)),
            ("[]", entry(action, &soon)),
            (&far, entry(action, r#""time":"2125-01-01T00:00:01Z""#)),
        ] {
            for dated in [true, false] {
                let (code, told) = logged(words, [before, &after], &others, dated);
                assert_eq!(code, Some(0), "{words:?} {before} {after} {dated}: {told}");
            }
        }
    }
}

#[test]
fn what_the_log_says_was_done_the_object_shows_too() {
    let machine = |package: &str| format!(r#"{{"id":"{ID}","name":"web","state":"running","package":"{package}"}}"#);
    let done = |action: &str| format!(r#"[{{"action":"{action}","success":"yes","time":"2125-01-01T00:00:00Z"}}]"#);
    let package =
        format!(r#"{{"id":"{OTHER}","name":"g1-medium","version":"1","memory":4096,"disk":1,"active":true}}"#);
    for (shown, known, code) in [
        ("g1-small", package.as_str(), 9),
        ("g1-medium", &package, 0),
        (OTHER, &package, 0),
        // What is not shown cannot be compared.
        ("", &package, 0),
    ] {
        let others = [("/packages/", known), ("/machines/", &machine(shown))];
        let (ended, told) = logged(&["machines", "resize", ID, OTHER], ["[]", &done("resize")], &others, true);
        assert_eq!(ended, Some(code), "{shown}: {told}");
    }
    for (tags, code) in [
        (r#"{"a":"new"}"#, 0),
        (r#"{"a":"new","docker:label:com.docker.x":"y","sdc_docker":true}"#, 0),
        (r#"{"a":"old"}"#, 9),
        (r#"{"a":"new","b":"left"}"#, 9),
        ("{}", 9),
    ] {
        let words = ["machines", "tags", "replace", ID, "a=new"];
        let (ended, told) = logged(&words, ["[]", &done("replace_tags")], &[("/tags", tags)], true);
        assert_eq!(ended, Some(code), "{tags}: {told}");
    }
}

#[test]
fn the_role_tags_of_another_thing_are_not_written_over_its_own() {
    let of_uuid = |id: &str| format!(r#"{{"id":"{id}","name":"x","state":"running","login":"x"}}"#);
    let of_name = |name: &str| format!(r#"{{"name":"{name}","fingerprint":"{name}","key":"ssh-rsa AAAA x"}}"#);
    let things = ["machines", "users", "roles", "packages", "images", "policies", "fwrules", "networks"];
    let things = things.iter().map(|name| (format!("{name}/{ID}"), of_uuid(ID), of_uuid(OTHER)));
    let key = |place: &str| (place.to_owned(), of_name("laptop"), of_name("desk"));
    let account = |login: &str| format!(r#"{{"id":"{ID}","login":"{login}","email":"a@b.co"}}"#);
    let collection = ("machines".to_owned(), "[]".to_owned(), r#"[{"name":"x"}]"#.to_owned());
    let all = things.chain([
        key("keys/laptop"),
        key(&format!("users/{ID}/keys/laptop")),
        ("account".to_owned(), account("acme"), account("other")),
        collection,
    ]);
    for (place, own, other) in all {
        for (head, status, body, written) in [
            ("405 X\r\nServer: nginx", "200 OK", &own, true),
            ("405 X\r\nServer: nginx", "200 OK", &other, false),
            ("405 X", "203 X", &own, false),
            ("203 X", "200 OK", &other, false),
            ("204 X", "200 OK", &other, false),
            ("206 X", "200 OK", &other, false),
            ("200 OK\r\nContent-Type: text/html", "200 OK", &other, false),
            ("200 OK\r\nRole-Tag: operator", "200 OK", &other, true),
        ] {
            let put = format!(r#"{{"name":"/acme/{place}","role-tag":["keyadmin"]}}"#);
            let (url, seen) = by_method(&[("HEAD ", head, ""), ("GET ", status, body), ("PUT ", "200 OK", &put)]);
            let said = sdc(&url, &["role-tags", "add", &place, "keyadmin"]);
            let puts = seen.lock().unwrap().iter().filter(|line| line.starts_with("PUT ")).count();
            let told = text(&said.stderr);
            assert_eq!(puts, usize::from(written), "{place} {head} {status} {body}: {told}");
            assert!(written || said.status.code() == Some(6), "{place} {head} {status}: {told}");
        }
    }
}

/// What was made, as the service answers it, and the same with another value in each of the places that repeat what was
/// sent.
#[test]
fn what_is_made_otherwise_than_it_was_asked_for_is_not_said_to_be_made() {
    let (vlan, net) =
        (["fabrics", "vlans", "create", "300", "-n", "web", "-D", "x"], "fabrics networks create 300 -n web");
    let net: Vec<&str> =
        net.split(' ').chain("-s 10.1.0.0/24 -S 10.1.0.5 -E 10.1.0.9 -x --resolver 8.8.8.8".split(' ')).collect();
    let image = ["images", "create", ID, "web", "1", "-d", "x", "--acl", OTHER];
    let (role, rule) = ["roles", "create", "ops", "--member", "ci", "--policy", "may"].split_at(3);
    let role = [role, rule].concat();
    let fw = "FROM any TO tag role = web ALLOW tcp PORT 443";
    for (words, record, others) in [
        (
            &["policies", "create", "may", "--rule", "CAN getkey", "--rule", "CAN a and b", "-d", "x"][..],
            r#"{"id":"ID","name":"may","rules":["CAN b, a","can getkey"],"description":"x"}"#,
            &[("CAN b, a", "CAN b"), ("getkey", "*"), ("description\":\"x", "description\":\"y")][..],
        ),
        (
            &role,
            r#"{"id":"ID","name":"ops","members":[{"type":"subuser","id":"ID","login":"ci"}],"policies":[{"id":"ID","name":"may"}]}"#,
            &[("\"ci", "\"jill"), ("\"may", "\"all")],
        ),
        (
            &role,
            r#"{"id":"ID","name":"ops","members":["ci"],"policies":["may"],"default_members":[]}"#,
            &[("[\"may\"]", "[]")],
        ),
        (
            &["fwrules", "create", fw, "--disabled", "-l", "-D", "x"],
            r#"{"id":"ID","rule":"FROM any TO tag \"role\" = \"web\" ALLOW tcp PORT 443","enabled":false,"log":true,"description":"x"}"#,
            &[("443", "80"), (":false", ":true"), ("log\":true", "log\":false"), (":\"x", ":\"y")],
        ),
        (&vlan, r#"{"vlan_id":300,"name":"web","description":"x"}"#, &[("300", "301"), (":\"x", ":\"y")]),
        (
            &net,
            r#"{"id":"ID","name":"web","public":false,"fabric":true,"vlan_id":300,"subnet":"10.1.0.0/24","provision_start_ip":"10.1.0.5","provision_end_ip":"10.1.0.9","resolvers":["8.8.8.8"],"internet_nat":false}"#,
            &[("0/24", "0/25"), ("0.5", "0.6"), ("0.9", "0.8"), ("8.8.8.8", "1.1.1.1"), ("nat\":false", "nat\":true")],
        ),
        (
            &image,
            r#"{"id":"ID","name":"web","version":"1","state":"creating","description":"x","acl":["OTHER"],"owner":"ID"}"#,
            &[("version\":\"1", "version\":\"2"), (":\"x", ":\"y"), ("[\"OTHER\"]", "[]")],
        ),
        (
            &["volumes", "create", "-n", "vol", "-s", "20G"],
            r#"{"id":"ID","name":"vol","state":"creating","size":20480,"type":"tritonnfs","networks":[]}"#,
            &[("20480", "10240")],
        ),
    ] {
        let record = record.replace(r#""ID""#, &format!(r#""{OTHER}""#)).replace("OTHER", OTHER);
        let ends = |record: &str| {
            let (url, _) = by_method(&[("POST ", "201 Created", record), ("GET ", "200 OK", "[]")]);
            let said = sdc(&url, words);
            (said.status.code(), text(&said.stderr))
        };
        let (code, told) = ends(&record);
        assert_eq!(code, Some(0), "{words:?} {record}: {told}");
        for (from, to) in others {
            let other = record.replace(&from.replace("OTHER", OTHER), to);
            assert_ne!(other, record, "{from}");
            let (code, told) = ends(&other);
            assert!(code == Some(6) && told.contains("is there: sdc "), "{words:?} {other}: {told}");
        }
    }
}

#[test]
fn an_image_that_failed_or_is_the_old_one_is_no_copy() {
    let image = |id: &str, state: &str| format!(r#"{{"id":"{id}","name":"web","version":"1","state":"{state}"}}"#);
    for (answer, code, words) in [
        (image(OTHER, "active"), 0, ""),
        (image(OTHER, "failed"), 8, "is failed"),
        (image(ID, "active"), 6, "which is the image that it was to be made of"),
        (image(&ID.to_uppercase(), "active"), 6, "which is the image that it was to be made of"),
    ] {
        let (url, _) = by_method(&[("POST ", "200 OK", &answer), ("GET ", "200 OK", &image(ID, "active"))]);
        let said = sdc(&url, &["images", "clone", ID]);
        let told = text(&said.stderr);
        assert!(said.status.code() == Some(code) && told.contains(words), "{answer}: {told}");
    }
}

/// The service shows one of its networks in the place of a pool, which has no addresses of its own.
#[test]
fn a_nic_of_another_network_is_not_the_one_that_was_asked_for() {
    let nic = format!(r#"{{"mac":"90:b8:c6:12:00:0a","ip":"10.0.0.9","state":"provisioning","network":"{OTHER}"}}"#);
    let ips = r#"[{"ip":"10.0.0.1","reserved":false,"managed":true}]"#;
    let missing = r#"{"code":"ResourceNotFound","message":"x"}"#;
    let with_ip = |id: &str, ip: &str| format!("network={id},ip={ip}");
    for (network, status, list, code) in [
        (OTHER.to_owned(), "404 X", missing, 0),
        (ID.to_owned(), "200 OK", ips, 6),
        (ID.to_owned(), "200 OK", "[]", 6),
        (ID.to_owned(), "404 X", missing, 0),
        (with_ip(ID, "10.0.0.9"), "404 X", missing, 6),
        (with_ip(OTHER, "10.0.0.8"), "404 X", missing, 6),
        (with_ip(OTHER, "10.0.0.9"), "404 X", missing, 0),
    ] {
        let (url, _) = by_method(&[("POST ", "201 Created", &nic), ("GET ", status, list)]);
        let said = sdc(&url, &["machines", "nics", "add", ID, &network]);
        let told = text(&said.stderr);
        assert_eq!(said.status.code(), Some(code), "{network} {status}: {told}");
        assert!(code == 0 || told.contains("whether it is there: sdc machines nics list "), "{network}: {told}");
    }
}
