//! What is told when a machine failed, or when nothing came of what was asked for: only what the service said.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use crate::common::sdc;

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const MACHINE: &str = "/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a";
const BASE: &str = "/images/2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const IMAGE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";

/// Answers to the requests whose line ends so, or that have this parameter; `None` is no answer at all. Whatever else
/// is asked for is not found.
type Answers<'a> = &'a [(&'static str, Option<(u16, &'static str)>)];

/// A server that answers by the path, each connection by itself.
fn cloud(answers: Answers<'_>) -> String {
    let answers = std::sync::Arc::new(answers.to_vec());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answers = std::sync::Arc::clone(&answers);
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.extend(byte);
                }
                let head = String::from_utf8(head).unwrap();
                let length =
                    head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                let _ = stream.read_exact(&mut body);
                let line = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
                let known = answers
                    .iter()
                    .find(|(asked, _)| line.ends_with(asked) || asked.contains('=') && line.contains(asked));
                let missing = Some((404, r#"{"code":"ResourceNotFound","message":"not there"}"#));
                let Some((status, body)) = known.map_or(missing, |(_, answer)| *answer) else {
                    std::thread::sleep(Duration::from_secs(60));
                    return;
                };
                let _ = stream.write_all(
                    format!(
                        "HTTP/1.1 {status} X\r\nRequest-Id: r-{status}\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
                         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    )
                    .as_bytes(),
                );
            });
        }
    });
    url
}

const FAILED: &str = r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"web0","state":"failed","brand":"lx","memory":1024,
    "disk":10240,"image":"2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02","package":"g1-small","compute_node":"x"}"#;
const ACTIVE: &str = r#"{"id":"2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02","name":"base-64","version":"24.4.1","os":"linux","state":"active"}"#;
const PACKAGE: &str = r#"{"id":"5be92d07-4f6b-4c8d-8eaf-3a4b5c6d7e02","name":"g1-small"}"#;
const AUDIT: &str =
    r#"[{"action":"provision","success":"no","time":"2026-01-01T00:00:01.000Z","caller":{"type":"operator"}}]"#;

/// What `sdc machines why` says, and its exit code.
fn why(answers: Answers<'_>, more: &[&str]) -> (Option<i32>, String) {
    let said = sdc(&cloud(answers), &[&["machines", "why", ID], more].concat());
    (said.status.code(), String::from_utf8([said.stdout, said.stderr].concat()).unwrap())
}

#[test]
fn a_limit_that_is_reached_an_image_that_is_disabled_and_a_package_that_is_gone_are_named() {
    let (code, told) = why(
        &[
            (MACHINE, Some((200, FAILED))),
            ("/audit", Some((200, AUDIT))),
            (
                "/limits",
                Some((
                    200,
                    r#"[{"value":20480,"by":"ram","used":20480},{"value":2,"check":"os","os":"windows","used":2}]"#,
                )),
            ),
            (
                BASE,
                Some((
                    200,
                    r#"{"id":"2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02","name":"base-64","version":"24.4.1","state":"disabled"}"#,
                )),
            ),
        ],
        &[],
    );
    assert_eq!(code, Some(0), "{told}");
    for words in [
        "provision failed at 2026-01-01T00:00:01.000Z, asked for by the operator",
        "20480 of 20480 MiB of memory used: reached",
        "image base-64@24.4.1 (2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02) is disabled",
        "package g1-small is not there, or not active any more",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("windows"), "a limit that does not count this machine is not its reason: {told}");
}

#[test]
fn what_could_not_be_read_is_named_and_the_rest_told_all_the_same() {
    let (code, told) = why(
        &[
            (MACHINE, Some((200, FAILED))),
            ("/audit", Some((500, r#"{"code":"InternalError","message":"moray exploded"}"#))),
            ("/limits", None),
            (BASE, Some((200, ACTIVE))),
            ("/packages/g1-small", Some((200, PACKAGE))),
        ],
        &["--request-timeout", "1s"],
    );
    assert_eq!(code, Some(0), "{told}");
    for words in [
        "the audit log could not be read, and the service gives no reason",
        "unread    audit: moray exploded, request id r-500",
        "unread    limits: ",
        "base-64@24.4.1 is active",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn the_data_has_every_key_whatever_was_answered() {
    for (answers, exit) in [
        ([("/audit", Some((200, AUDIT))), (MACHINE, Some((200, FAILED)))], 0),
        ([("/audit", Some((200, "[]"))), (MACHINE, Some((500, "{}")))], 1),
    ] {
        let (code, told) = why(&answers, &["--json"]);
        assert_eq!(code, Some(exit), "{told}");
        let data: serde_json::Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
        let mut keys: Vec<&String> = data.as_object().unwrap().keys().collect();
        keys.sort();
        let known = [
            "explained",
            "failed",
            "id",
            "image",
            "limits",
            "name",
            "package",
            "reason",
            "request_id",
            "state",
            "try",
            "unread",
        ];
        assert_eq!(keys, known);
        assert_eq!(data["id"], ID);
    }
}

#[test]
fn a_machine_that_is_not_there_and_a_service_that_answers_nothing_have_their_own_codes() {
    assert_eq!(why(&[], &[]).0, Some(3));
    let broken = Some((500, "{}"));
    let (code, told) = why(&[(MACHINE, broken), ("/audit", broken)], &[]);
    assert_eq!(code, Some(1), "{told}");
}

#[test]
fn a_machine_that_could_not_be_read_is_said_to_be_and_keeps_its_name_and_code() {
    let listed = r#"[{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"web0","state":"failed"}]"#;
    let url = cloud(&[
        ("tombstone=true", Some((200, listed))),
        (MACHINE, Some((500, r#"{"code":"InternalError","message":"moray exploded"}"#))),
        ("/audit", Some((200, AUDIT))),
    ]);
    let said = sdc(&url, &["machines", "why", "web0"]);
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert_eq!(said.status.code(), Some(1), "{out}{err}");
    assert!(out.starts_with(&format!("machine   web0 ({ID}) could not be read\n")), "{out}");
    assert!(out.contains("the provision failed: the machine could not be read") && !out.contains("gives no"), "{out}");
    assert!(err.starts_with("error: machine web0: moray exploded\n"), "{err}");
    let said = sdc(&url, &["machines", "why", "web0", "--json"]);
    let data: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let told: serde_json::Value = serde_json::from_slice(&said.stderr).unwrap();
    assert_eq!((&data["name"], &data["explained"]), (&"web0".into(), &false.into()), "{data}");
    assert_eq!((&told["error"]["target"]["id"], &told["error"]["exit"]), (&ID.into(), &1.into()), "{told}");
}

#[test]
fn a_failed_machine_is_found_by_its_name_which_lists_leave_out() {
    let listed = r#"[{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625b","name":"web0","state":"deleted","created":"2025-01-01T00:00:00.000Z"},
        {"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"web0","state":"failed","created":"2026-01-01T00:00:00.000Z"},
        {"id":"b6979942-7d5d-4fe6-a2ec-b812e950625c","name":"web01","state":"running","created":"2026-01-01T00:00:00.000Z"}]"#;
    let url = cloud(&[
        ("tombstone=true", Some((200, listed))),
        (MACHINE, Some((200, FAILED))),
        ("/audit", Some((200, AUDIT))),
    ]);
    let said = sdc(&url, &["machines", "why", "web0"]);
    let told = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(told.starts_with(&format!("machine   web0 ({ID}) is failed\n")), "{told}");
}

#[test]
fn a_wait_that_fails_tells_the_reason_the_request_and_where_to_ask_further() {
    let made = r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"web0","state":"provisioning"}"#;
    let url = cloud(&[
        ("POST /acme/machines", Some((201, made))),
        (MACHINE, Some((200, FAILED))),
        ("/audit", Some((200, AUDIT))),
        ("/limits", Some((200, r#"[{"value":1,"by":"machines","used":1}]"#))),
        (BASE, Some((200, ACTIVE))),
        ("/packages/g1-small", Some((200, PACKAGE))),
    ]);
    let package = "5be92d07-4f6b-4c8d-8eaf-3a4b5c6d7e02";
    let said = sdc(&url, &["machines", "create", "--image", IMAGE, "--package", package, "-n", "web0", "--wait"]);
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(8), "{told}");
    for words in [
        "the provision failed, perhaps because a limit of the account is reached: 1 of 1 machines used",
        "by the request id r-201",
        "sdc machines why b6979942-7d5d-4fe6-a2ec-b812e950625a",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn the_reasons_never_hold_up_the_end_of_a_wait() {
    let made = r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"web0","state":"provisioning"}"#;
    let url = cloud(&[
        ("POST /acme/machines", Some((201, made))),
        (MACHINE, Some((200, FAILED))),
        ("/audit", None),
        ("/limits", None),
        (BASE, None),
        ("/packages/g1-small", None),
    ]);
    let package = "5be92d07-4f6b-4c8d-8eaf-3a4b5c6d7e02";
    let words = [
        "machines",
        "create",
        "--image",
        IMAGE,
        "--package",
        package,
        "-n",
        "web0",
        "--wait",
        "--request-timeout",
        "10m",
    ];
    let said = sdc(&url, &words);
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(8), "{told}");
    assert!(told.contains("the audit log could not be read, and the service gives no reason"), "{told}");
}

#[test]
fn an_action_that_left_no_trace_when_its_time_was_over_may_have_been_lost() {
    let running = r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"web0","state":"running"}"#;
    let stopping = r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","name":"web0","state":"stopping"}"#;
    let old = r#"[{"action":"stop","success":"yes","time":"2025-01-01T00:00:00.000Z"}]"#;
    let path = "GET /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a";
    let tells = |audit, state| {
        let url = cloud(&[("action=stop", Some((202, ""))), ("/audit", audit), (path, Some((200, state)))]);
        let said = sdc(&url, &["machines", "stop", ID, "--wait", "--timeout", "1s"]);
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(9), "{told}");
        told.contains("the service has no record of it")
    };
    assert!(tells(Some((200, old)), running));
    assert!(!tells(Some((200, old)), stopping), "it is under way");
    // What cannot be read proves nothing.
    assert!(!tells(Some((500, "{}")), running));
    assert!(!tells(None, running));
}
