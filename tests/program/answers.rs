//! Who answered, and what that is worth: only CloudAPI's own words count, and what may have been made is told.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common;
use std::collections::HashSet;
use std::process::{Output, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::common::{against, in_turn, output, sdc, text};
use reqwest::header::{HeaderMap, HeaderValue};
use sdc::api::{CLOUDAPI, Method, Op, Shape};
use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
use sdc::emulator::{Emulator, Options, Seed};
use sdc::error::Kind;
use sdc::response::Response;

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const PAGE: &str = "<html><body>Sign in</body></html>";
const GONE: (&str, &str) = ("404 Not Found", r#"{"code":"ResourceNotFound","message":"not found"}"#);

const FINGERPRINT: &str = "0d:40:e2:4a:54:d4:17:a2:05:c1:5f:b9:1c:62:6b:d5";

const NO_SUCH_KEY: &str = r#"{"code":"NoSuchKey","message":"The specified key does not exist."}"#;

/// What balancers, proxies and login pages answer in the service's place.
const FOREIGN: &[(u16, &str, &str)] = &[
    (404, "text/html", PAGE),
    (404, "text/plain", "default backend - 404"),
    (404, "application/json", "{}"),
    (404, "application/json", r#"{"message":"no Route matched with those values"}"#),
    (404, "application/json", NO_SUCH_KEY),
    (404, "", ""),
    (403, "application/json", r#"{"code":"AccessDenied","message":"Access Denied"}"#),
    (410, "text/html", PAGE),
    (410, "application/json", "{}"),
    (410, "", ""),
    (401, "text/html", PAGE),
    (403, "text/html", PAGE),
    (403, "application/json", r#"{"message":"Forbidden"}"#),
    (409, "text/html", PAGE),
    (422, "text/html", PAGE),
    (405, "text/html", PAGE),
    (301, "", ""),
    (302, "text/html", PAGE),
    (303, "", ""),
    (307, "", ""),
    (308, "", ""),
    (200, "text/html", PAGE),
    (201, "text/html", PAGE),
    (202, "text/html", PAGE),
    (200, "text/plain", "Welcome"),
    (203, "", ""),
];

fn response(status: u16, kind: &str, body: &str) -> Response {
    let mut headers = HeaderMap::new();
    if !kind.is_empty() {
        headers.insert("content-type", HeaderValue::from_str(kind).unwrap());
    }
    if (300..400).contains(&status) {
        headers.insert("location", HeaderValue::from_static("https://portal.example.com/acme/machines/1/nics/2"));
    }
    let path = format!("/acme/machines/{ID}/nics");
    Response {
        status,
        headers,
        body: body.as_bytes().to_vec(),
        sent: String::new(),
        path,
        service: &sdc::api::CLOUDAPI,
    }
}

fn operations() -> impl Iterator<Item = &'static Op> {
    CLOUDAPI.resources.iter().flat_map(|resource| resource.ops).copied()
}

#[test]
fn what_somebody_else_answers_is_nothing_of_the_services_for_no_operation() {
    for op in operations() {
        for (status, kind, body) in FOREIGN {
            let error = response(*status, kind, body).answer(op).expect_err(op.id);
            assert_eq!(error.kind(), Kind::Unreachable, "{} {status} {body}: {error}", op.id);
            assert!(!error.hints().is_empty(), "{} {status} {body}: {error}", op.id);
            // In a wait it is tried again, but for another address, which stays another one.
            assert_eq!(error.passes(), !matches!(status, 301 | 308), "{} {status} {body}: {error}", op.id);
        }
    }
}

/// Whether a success with this body is one of this operation: written from the API's description.
fn is_due(op: &Op, status: u16, body: &str) -> bool {
    let object = body.starts_with('{');
    match (op.shape, op.id) {
        (Shape::Nothing, _) => body.is_empty() && matches!(status, 202 | 204),
        (_, "CreateMachineDisk") if body.is_empty() => status == 202,
        _ if body.is_empty() => false,
        // Rows of a noun have an id each.
        (Shape::Rows, _) => {
            body == "[]" || body == "[{}]" && sdc::api::CLOUDAPI.nouns.iter().all(|noun| noun.list.id != op.id)
        }
        (Shape::Map, _) | (_, "GetConfig" | "UpdateConfig") => object,
        // Their answers are values.
        (_, "GetMachineTag" | "GetMachineMetadata" | "GetDatacenter") => {
            body != "null" && body != "{" && body != "word"
        }
        _ => false,
    }
}

#[test]
fn a_success_whose_body_is_not_what_was_due_is_none() {
    for op in operations() {
        for status in [200, 201, 202, 204] {
            for body in
                ["", "null", "true", "7", r#""text""#, "[]", "[[]]", "[1,2]", "[null]", "[{}]", "{}", "{", "word"]
            {
                let answer = response(status, "application/json", body).answer(op);
                assert_eq!(
                    answer.is_ok(),
                    is_due(op, status, body) && body != "{",
                    "{} {status} {body}: {answer:?}",
                    op.id
                );
                if let Err(error) = answer {
                    assert_eq!(error.kind(), Kind::Unreachable, "{} {status} {body}: {error}", op.id);
                }
            }
        }
    }
    // An object that is another one.
    for op in [
        &sdc::api::cloudapi::machines::GET,
        &sdc::api::cloudapi::machines::CREATE,
        &sdc::api::cloudapi::images::CLONE,
        &sdc::api::cloudapi::keys::ADD,
    ] {
        for body in [r#"{"error":"please log in"}"#, r#"{"id":null,"name":null}"#, r#"{"id":"","name":""}"#] {
            assert!(response(200, "application/json", body).answer(op).is_err(), "{} {body}", op.id);
        }
    }
}

#[test]
fn there_is_one_already_only_where_the_service_says_so_and_points_into_the_account() {
    let nic = |location: &str| {
        let mut answer = response(302, "", "");
        answer.headers.insert("location", HeaderValue::from_str(location).unwrap());
        answer
    };
    let there = format!("/acme/machines/{ID}/nics/90b8d02fb8f9");
    let error = nic(&there).answer(&sdc::api::cloudapi::nics::ADD).unwrap_err();
    assert!(error.kind() == Kind::Refused && error.message().contains("90:b8:d0:2f:b8:f9"), "{error}");
    for location in [
        format!("https://portal.example.com{there}"),
        format!("//portal.example.com{there}"),
        format!("/other/machines/{ID}/nics/90b8d02fb8f9"),
        format!("/acme/machines/{ID}/nics/"),
        format!("/acme/machines/{ID}/nics"),
        "/acme/machines/1/nics/90b8d02fb8f9".to_owned(),
        "/login?from=/acme/machines".to_owned(),
        "/login".to_owned(),
    ] {
        let error = nic(&location).answer(&sdc::api::cloudapi::nics::ADD).unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{location}: {error}");
    }
    for op in operations().filter(|op| op.id != "AddNic") {
        let error = nic(&there).answer(op).unwrap_err();
        assert_eq!(error.kind(), Kind::Unreachable, "{}: {error}", op.id);
    }
}

#[track_caller]
fn ends(said: &Output, code: i32, words: &str) {
    let told = text(&said.stderr);
    assert!(
        said.status.code() == Some(code) && told.contains(words),
        "{code} {words}: {:?} {told}",
        said.status.code()
    );
}

#[test]
fn a_page_that_says_404_ends_no_deletion_and_no_wait() {
    for foreign in [("404 Not Found\r\nContent-Type: text/html", PAGE), ("410 Gone", "{}"), ("404 Not Found", "")] {
        let (url, _) = in_turn(vec![foreign]);
        for words in [
            &["machines", "delete", ID, "--yes", "--ignore-missing"][..],
            &["machines", "delete", ID, "--yes"],
            &["machines", "delete", ID, "--yes", "--wait", "--timeout", "2s"],
            &["keys", "delete", "laptop", "--yes", "--ignore-missing"],
            &["volumes", "delete", ID, "--yes", "--ignore-missing"],
            &["machines", "snapshots", "delete", ID, "old", "--yes", "--ignore-missing"],
            &["machines", "get", ID],
            &["images", "get", ID],
            &["machines", "tags", "get", ID, "role"],
            &["api", "GET", "/my/machines"],
            &["api", "DELETE", "/my/keys/laptop"],
        ] {
            ends(&sdc(&url, words), 6, "not CloudAPI's");
        }
        ends(&sdc(&url, &["wait", "machines", ID, "--for", "deleted", "--timeout", "1s"]), 9, "gave up waiting");
        // What is in the way for a moment is survived, and then it is gone indeed.
        let (url, seen) = in_turn(vec![foreign, foreign, GONE]);
        ends(&sdc(&url, &["wait", "machines", ID, "--for", "deleted", "--timeout", "20s"]), 0, "out of reach (");
        assert_eq!(seen.load(SeqCst), 3);
        // The audit log before it, the request, two looks that are no answer, and one that is.
        let (url, seen) = in_turn(vec![("200 OK", "[]"), ("204 No Content", ""), foreign, foreign, GONE]);
        ends(&sdc(&url, &["machines", "delete", ID, "--yes", "--wait", "--timeout", "20s"]), 0, "done");
        assert_eq!(seen.load(SeqCst), 5);
    }
    // The first answer was lost, and what answers then is not the service.
    let (url, _) = in_turn(vec![("504 Gateway Timeout", PAGE), ("404 Not Found", PAGE)]);
    ends(&sdc(&url, &["keys", "delete", "laptop", "--yes"]), 6, "web page");
}

#[test]
fn the_record_of_another_thing_says_nothing_of_what_was_asked_for() {
    let path = |noun: &str| format!("/acme/{noun}/{ID}");
    let other = r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","name":"x","state":"deleted"}"#;
    for noun in CLOUDAPI.nouns.iter().filter(|noun| noun.key == "id") {
        let mut answer = response(200, "application/json", other);
        answer.path = path(noun.name);
        let error = answer.answer(noun.get).expect_err(noun.get.id);
        assert_eq!(error.kind(), Kind::Unreachable, "{}", noun.get.id);
        assert!(error.message().contains("something else"), "{error}");
        // The same id in other letters is the same thing; what was asked for by its name has any id.
        answer.body = other.replace("00000000", "B6979942").into_bytes();
        assert!(answer.answer(noun.get).is_ok(), "{}", noun.get.id);
        answer.body = other.into();
        answer.path = "/acme/things/web1".to_owned();
        assert!(answer.answer(noun.get).is_ok(), "{}", noun.get.id);
    }
    // What makes a new thing of one answers with the new one.
    let mut answer = response(200, "application/json", other);
    answer.path = path("images");
    assert!(answer.answer(&sdc::api::cloudapi::images::CLONE).is_ok());

    let running = format!(r#"{{"id":"{ID}","state":"running"}}"#);
    let running = Box::leak(running.into_boxed_str());
    for wrong in [("200 OK", other), ("410 Gone", other), ("410 Gone", running), ("404 Not Found", NO_SUCH_KEY)] {
        let (url, _) = in_turn(vec![wrong]);
        ends(&sdc(&url, &["machines", "get", ID]), 6, "");
        ends(&sdc(&url, &["wait", "machines", ID, "--for", "deleted", "--timeout", "1s"]), 9, "gave up waiting");
        let (url, _) = in_turn(vec![("200 OK", "[]"), ("204 No Content", ""), wrong]);
        ends(&sdc(&url, &["machines", "delete", ID, "--yes", "--wait", "--timeout", "1s"]), 9, "gave up waiting");
    }
}

#[test]
fn a_success_of_somebody_else_is_none() {
    let other = r#"{"id":"51b7c6ea-7d5d-4fe6-a2ec-b812e950625a","name":"db0","state":"running"}"#;
    let (url, _) = in_turn(vec![("201 Created", other)]);
    let image = "a6c1b2d3-7d5d-4fe6-a2ec-b812e950625a";
    let said = sdc(&url, &["machines", "create", "--image", image, "--package", image, "-n", "c4", "--json"]);
    ends(&said, 6, "\"in_doubt\":true");
    assert!(text(&said.stderr).contains("something else") && !text(&said.stdout).contains("db0"));
    for words in [
        &["users", "create", "joe", "--email", "a@b.c", "--password-file", "/dev/null"][..],
        &["roles", "create", "r1"],
        &["policies", "create", "p1", "--rule", "CAN getaccount"],
        &["machines", "snapshots", "create", ID, "-n", "s1"],
        &["volumes", "create", "-n", "v1", "--network", image],
    ] {
        if words[0] != "users" {
            ends(&sdc(&url, words), 6, "something else");
        }
    }
    // Of a key, its line tells: a comment may come back changed, and keys of other forms come back rewritten.
    let added = |key: &str| {
        let own = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGgzAKIkbZBYYqFQ4jVYTu2yFvpTqQWB5oCUKyL3SD3m me@laptop";
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), own).unwrap();
        let record = format!(r#"{{"name":"me","fingerprint":"{FINGERPRINT}","key":"{key}"}}"#);
        let (url, _) = in_turn(vec![("201 Created", Box::leak(record.into_boxed_str()))]);
        sdc(&url, &["keys", "add", &file.path().display().to_string(), "-n", "me"])
    };
    let blob = "AAAAC3NzaC1lZDI1NTE5AAAAIGgzAKIkbZBYYqFQ4jVYTu2yFvpTqQWB5oCUKyL3SD3m";
    ends(
        &added("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkzAKIkbZBYYqFQ4jVYTu2yFvpTqQWB5oCUKyL3SD3m me"),
        6,
        "another key",
    );
    ends(&added(&format!("ssh-ed25519 {blob} somebody@else\\n")), 0, "");
    ends(&added("-----BEGIN PUBLIC KEY-----"), 0, "");
    for foreign in [
        ("200 OK", r#"{"error":"upstream unavailable"}"#),
        ("200 OK", r#"{"code":"InternalError","message":"sorry"}"#),
        ("200 OK", "{}"),
        ("200 OK", r#"{"message":"no healthy upstream"}"#),
        ("200 OK", r#"{"status":503,"detail":"x"}"#),
        ("200 OK", r#"{"success":false}"#),
        ("200 OK", r#"{"errors":["x"]}"#),
        ("206 Partial Content", ""),
        ("207 Multi-Status", "{}"),
        ("226 IM Used", "{}"),
        ("204 No Content\r\nContent-Type: text/html", ""),
    ] {
        let (url, _) = in_turn(vec![foreign]);
        for words in [
            &["machines", "delete", ID, "--yes"][..],
            &["machines", "stop", ID],
            &["machines", "rename", ID, "new"],
            &["fwrules", "delete", ID, "--yes"],
            &["keys", "delete", "nosuch", "--yes", "--ignore-missing"],
            &["machines", "tags", "delete", ID, "role", "--yes"],
        ] {
            ends(&sdc(&url, words), 6, "the service answered");
        }
    }
    for foreign in [r#"{"code":"InternalError","message":"sorry"}"#, r#"{"error":"x"}"#] {
        let (url, _) = in_turn(vec![("200 OK", foreign)]);
        ends(&sdc(&url, &["machines", "tags", "set", ID, "a=b"]), 6, "the service answered");
    }
    let (url, _) = in_turn(vec![("200 OK", other)]);
    ends(&sdc(&url, &["fwrules", "disable", ID]), 6, "another object");
    ends(&sdc(&url, &["users", "update", ID, "email=a@b.co"]), 6, "something else");
    // A balancer's 429 may come after the request was handed on, so what makes something is not sent again for it.
    for (head, body) in [
        ("429 Too Many Requests\r\nRetry-After: 0", "{}"),
        ("429 Too Many Requests\r\nServer: cloudflare", r#"{"code":"TooManyRequestsError","message":"x"}"#),
        ("503 Service Unavailable\r\nServer: nginx\r\nRequest-Id: 1", "{}"),
    ] {
        let (url, seen) = in_turn(vec![(head, body)]);
        let said = sdc(&url, &["machines", "create", "--image", image, "--package", image, "-n", "c4", "--json"]);
        ends(&said, 7, "\"in_doubt\":true");
        assert_eq!(seen.load(SeqCst), 1, "{head}");
    }
    // The headers of CloudAPI are not those of others that begin so, or that say nothing.
    for head in ["404 Not Found\r\nServer: cloudapilb", "404 Not Found\r\nApi-Version: "] {
        let (url, _) = in_turn(vec![(head, "{}")]);
        ends(&sdc(&url, &["machines", "delete", ID, "--yes", "--ignore-missing"]), 6, "not CloudAPI's");
    }
}

#[test]
fn an_object_of_another_service_is_no_done_change() {
    for foreign in [
        r#"{"status":"ok"}"#,
        r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"x","code":403}"#,
        r#"{"data":null,"errors":[{"message":"x"}]}"#,
        r#"{"access_token":"x","token_type":"Bearer","expires_in":3600}"#,
        r#"{"ok":false}"#,
        r#"{"code":"Forbidden"}"#,
    ] {
        let (url, _) = in_turn(vec![("200 OK", foreign)]);
        for words in [
            &["ping"][..],
            &["account", "get"],
            &["account", "update", "city=Berlin"],
            &["users", "update", ID, "email=a@b.co"],
            &["fwrules", "enable", ID],
            &["images", "update", ID, "description=x"],
            &["fabrics", "vlans", "update", "2", "description=x"],
            &["networks", "ips", "update", ID, "10.0.0.1", "reserved=true"],
            &["machines", "tags", "set", ID, "a=b"],
            &["machines", "metadata", "set", ID, "a=b"],
            &["role-tags", "set", "machines", "ci", "--yes"],
            &["machines", "migrate", "watch", ID],
        ] {
            ends(&sdc(&url, words), 6, "");
        }
    }
    // A part of a list is not the list.
    let (url, _) = in_turn(vec![("206 Partial Content", "[]")]);
    ends(&sdc(&url, &["machines", "list"]), 6, "206");
}

#[test]
fn a_record_that_does_not_show_what_was_sent_is_no_done_change() {
    let network = format!("default_network={ID}");
    let image = |id: &str| {
        format!(r#"{{"id":"{id}","name":"base","version":"1","state":"active","published_at":"2020-01-01T00:00:00Z"}}"#)
    };
    let ended = format!(r#"{{"machine":"{ID}","state":"successful","created_timestamp":"2020-01-01T00:00:00.000Z"}}"#);
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "secret123").unwrap();
    // The record of another one, or the same as it was before.
    for (words, record) in [
        (&["fabrics", "vlans", "get", "2"][..], r#"{"vlan_id":100,"name":"x"}"#),
        (&["machines", "snapshots", "get", ID, "s1"], r#"{"name":"s2","state":"created"}"#),
        (&["machines", "nics", "get", ID, "90:b8:d0:2f:b8:f9"], r#"{"mac":"90:b8:d0:00:00:01","ip":"10.0.0.1"}"#),
        (&["account", "get"], r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","login":"evil"}"#),
        (
            &["account", "update", "city=Berlin"],
            r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","login":"acme","city":"Rome"}"#,
        ),
        (&["machines", "tags", "set", ID, "a=b"], r#"{"c":"d"}"#),
        (&["machines", "migrate", "get", ID], r#"{"machine":"00000000-7d5d-4fe6-a2ec-b812e950625a","state":"paused"}"#),
        (&["machines", "list"], r#"[{"id":"../../x/keys","name":"x"}]"#),
        (&["roles", "create", "r1"], r#"{"id":"chatcmpl-1"}"#),
        (&["users", "change-password", ID, "--password-file", "PASSWORD"], r#"{"id":"x","login":"ci"}"#),
        (&["config", "set", &network], "{}"),
        (
            &["policies", "create", "p1", "--rule", "CAN getmachine", "--description", "x"],
            r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","name":"p1","rules":["CAN *"],"description":"y"}"#,
        ),
        (
            &["policies", "create", "p1", "--rule", "CAN getmachine"],
            r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","name":"p1","rules":["CAN *"]}"#,
        ),
        (
            &["roles", "create", "r1", "--policy", "read", "--member", "ci"],
            r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","name":"r1","policies":[{"name":"admin"}],"members":[]}"#,
        ),
        (
            &["machines", "nics", "add", ID, ID],
            r#"{"mac":"90:b8:d0:00:00:01","ip":"10.0.0.1","network":"00000000-7d5d-4fe6-a2ec-b812e950625a"}"#,
        ),
        (
            &["machines", "nics", "add", ID, ID],
            r#"{"mac":"90:b8:d0:00:00:01","state":"running","network":"b6979942-7d5d-4fe6-a2ec-b812e950625a"}"#,
        ),
        (
            &["fwrules", "create", "FROM any TO all vms BLOCK udp PORT 9999"],
            r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","rule":"FROM any TO all vms ALLOW tcp PORT 80"}"#,
        ),
        (
            &["fwrules", "update", ID, "rule=FROM any TO all vms ALLOW tcp PORT 9999"],
            r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","rule":"FROM any TO all vms ALLOW tcp PORT 80"}"#,
        ),
        (
            &["fwrules", "disable", ID],
            r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","enabled":true,"rule":"FROM any TO all vms ALLOW tcp PORT 80"}"#,
        ),
        (&["volumes", "rename", ID, "new"], "{}"),
        (&["machines", "stop", ID], r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","state":"running"}"#),
        (&["users", "delete", ID, "--yes"], r#"{"id":"b6979942-7d5d-4fe6-a2ec-b812e950625a","login":"ci"}"#),
        (&["role-tags", "clear", "machines", "--yes"], r#"{"name":"/acme/machines"}"#),
        (&["role-tags", "clear", "machines", "--yes"], r#"{"name":"/acme/machines","role-tag":null}"#),
        (&["role-tags", "set", "machines", "ci", "--yes"], r#"{"name":"/acme/users","role-tag":["ci"]}"#),
        (&["machines", "migrate", "begin", ID], &ended),
        (&["machines", "migrate", "automatic", ID, "--yes"], &ended),
        (&["fabrics", "vlans", "create", "55", "-n", "v"], r#"{"vlan_id":100,"name":"v"}"#),
        (
            &["machines", "create", "--image", ID, "--package", ID],
            r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","name":"old","created":"2020-01-01T00:00:00.000Z"}"#,
        ),
        (
            &["machines", "create", "--image", ID, "--package", ID],
            r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","name":"old"}"#,
        ),
        (&["images", "clone", ID], &image(ID)),
        (&["images", "clone", ID], r#"{"id":"x","status":"ok"}"#),
        (&["images", "import", ID, "--from", "us-west-1"], &image("00000000-7d5d-4fe6-a2ec-b812e950625a")),
        (&["images", "create", ID, "base", "1"], &image("00000000-7d5d-4fe6-a2ec-b812e950625a")),
        (
            &["machines", "snapshots", "create", ID],
            r#"{"name":"old","state":"created","created":"2020-01-01T00:00:00.000Z"}"#,
        ),
        (&["volumes", "create", "-n", "zz", "--network", ID], r#"{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a"}"#),
    ] {
        let (url, _) = in_turn(vec![("200 OK", Box::leak(record.to_owned().into_boxed_str()))]);
        let file = password.path().display().to_string();
        let words: Vec<&str> =
            words.iter().map(|word| if *word == "PASSWORD" { file.as_str() } else { word }).collect();
        ends(&sdc(&url, &words), 6, "");
    }
    // A copy keeps its id and its age, a clone has an id of its own, and what was sent may be shown in other words.
    let other = "00000000-7d5d-4fe6-a2ec-b812e950625a";
    let record = |rest: &str| format!(r#"{{"id":"{other}",{rest}}}"#);
    for (words, record) in [
        (&["images", "import", ID, "--from", "us-west-1"][..], image(ID)),
        (&["images", "clone", ID], image(other)),
        (
            &["policies", "create", "p1", "--rule", "CAN getmachine and listmachines"],
            record(r#""name":"p1","rules":["can listmachines, getmachine AND listmachines"]"#),
        ),
        (
            &["roles", "create", "r1", "--policy", "read", "--member", "ci", "--member", "account:bob"],
            record(r#""name":"r1","policies":[{"id":"1","name":"read"}],"members":[{"login":"ci","type":"subuser"}]"#),
        ),
        (
            &["machines", "nics", "add", ID, ID],
            format!(r#"{{"mac":"90:b8:d0:00:00:01","ip":"10.0.0.1","network":"{ID}"}}"#),
        ),
        (
            &["fwrules", "create", "FROM any TO tag role = web ALLOW tcp (PORT 80 AND PORT 443) PRIORITY 5"],
            record(r#""enabled":true,"rule":"FROM any TO tag \"role\" = \"web\" ALLOW TCP PORTS 80, 443 PRIORITY 5""#),
        ),
        (&["fwrules", "enable", ID], format!(r#"{{"id":"{ID}","enabled":true,"rule":"x"}}"#)),
        (
            &["machines", "migrate", "sync", ID],
            format!(r#"{{"machine":"{ID}","state":"running","created_timestamp":"2020-01-01T00:00:00.000Z"}}"#),
        ),
    ] {
        let (url, _) = in_turn(vec![("200 OK", Box::leak(record.into_boxed_str()))]);
        ends(&sdc(&url, words), 0, "");
    }
}

/// A cache that makes a GET of what was to change something has all of the service's own headers.
#[test]
fn the_record_as_it_was_is_no_done_change_although_it_is_the_services_own() {
    let network = format!("default_network={ID}");
    let own = "200 OK\r\nApi-Version: 9.20.0\r\nServer: Triton/9.20.0\r\nRequest-Id: 1";
    for (words, record) in [
        (&["machines", "stop", ID][..], r#""state":"running""#),
        (&["machines", "delete", ID, "--yes"], r#""state":"running""#),
        (&["users", "delete", ID, "--yes"], r#""login":"ci""#),
        (&["users", "update", ID, "email=a@b.co"], r#""login":"ci","email":"old@b.co""#),
        (&["images", "update", ID, "description=new"], r#""name":"base","description":"old""#),
        (&["fwrules", "disable", ID], r#""enabled":true,"rule":"x""#),
        (&["fwrules", "update", ID, "rule=FROM any TO all vms ALLOW tcp PORT 9"], r#""rule":"ALLOW tcp PORT 80""#),
        (&["volumes", "rename", ID, "new"], r#""name":"old""#),
        (&["machines", "tags", "set", ID, "a=b"], r#""a":"c""#),
        (&["machines", "tags", "set", ID, "a=b"], r#""c":"d""#),
        (&["machines", "tags", "set", ID, "release=1.50"], r#""release":"1.5""#),
        (&["machines", "tags", "set", ID, "role=WEB"], r#""role":"web""#),
        (&["config", "set", &network], r#""x":1"#),
        (&["account", "update", "city=Vancouver"], r#""login":"acme","city":"vancouver""#),
        (
            &["fwrules", "update", ID, "rule=FROM any TO tag role = web ALLOW tcp PORT 22"],
            r#""rule":"FROM any TO all vms ALLOW tcp PORT 22""#,
        ),
        (
            &["fwrules", "update", ID, "rule=FROM any TO all vms ALLOW tcp PORTS 80 - 443"],
            r#""rule":"FROM any TO all vms ALLOW tcp (PORT 80 AND PORT 443)""#,
        ),
        (
            &["policies", "update", ID, "--rule", "CAN getmachine WHEN sourceip = 10.0.1.0", "--yes"],
            r#""name":"p","rules":["CAN getmachine WHEN sourceip = 10.0.0.1"]"#,
        ),
        (
            &["policies", "update", ID, "--rule", "CAN getmachine", "--rule", "CAN listmachines", "--yes"],
            r#""name":"p","rules":["CAN getmachine, listmachines"]"#,
        ),
        (&["roles", "update", ID, "--policy", "a-b", "--yes"], r#""name":"r","policies":[{"name":"a"},{"name":"b"}]"#),
        (
            &["fwrules", "update", ID, "rule=FROM any TO all vms BLOCK icmp TYPE all"],
            r#""rule":"FROM any TO all vms ALLOW icmp TYPE all""#,
        ),
        (&["fwrules", "update", ID, "rule=FROM tag a TO tag b ALLOW ah"], r#""rule":"FROM tag b TO tag a ALLOW ah""#),
        (
            &["roles", "update", ID, "--member", "ci", "--member", "jill", "--yes"],
            r#""name":"r","members":[{"type":"subuser","login":"ci"}]"#,
        ),
        (
            &["roles", "update", ID, "--default-member", "ci", "--yes"],
            r#""name":"r","members":[{"type":"subuser","login":"ci"}]"#,
        ),
        (
            &["roles", "update", ID, "--policy", "a", "--policy", "b", "--yes"],
            r#""name":"r","policies":[{"id":"x","name":"a"}]"#,
        ),
        (
            &["policies", "update", ID, "--rule", "CAN a WHEN x = 1 AND (y = 2 OR z = 3)", "--yes"],
            r#""name":"p","rules":["CAN a WHEN (x = 1 AND y = 2) OR z = 3"]"#,
        ),
        // A record that does not show at all what was to be changed.
        (&["users", "update", ID, "city=Berlin"], r#""login":"ci","email":"a@b.co""#),
        (&["policies", "update", ID, "--description", "new"], r#""name":"p","rules":["CAN getmachine"]"#),
        (&["images", "update", ID, "homepage=https://example.com"], r#""name":"base","description":"old""#),
        (&["machines", "metadata", "set", ID, "a=pw{{1"], r#""a":"old""#),
        (&["machines", "metadata", "set", ID, &format!("a={ID}")], r#""a":"old""#),
        (&["machines", "tags", "set", ID, "a=b"], r#""a":{"x":1}"#),
        (&["machines", "tags", "set", ID, "a=b"], r#""a":null"#),
        (&["config", "set", &network], r#""default_network":"none""#),
    ] {
        let record = format!(r#"{{"id":"{ID}",{record}}}"#);
        let (url, _) = in_turn(vec![(own, Box::leak(record.into_boxed_str()))]);
        ends(&sdc(&url, words), 6, "the service answered");
    }
    // What is shown in other words is what was sent.
    for (words, record) in [
        (&["users", "update", ID, "email=A@b.co"][..], r#""login":"ci","email":"a@b.co""#),
        (&["machines", "metadata", "set", ID, "a:=1.10"], r#""a":1.1"#),
        (&["machines", "metadata", "set", ID, "a=1", "b:=true"], r#""a":"1","b":"true""#),
        (&["account", "update", "phone=1"], r#""login":"acme","phone":"1""#),
        (
            &["fwrules", "update", ID, "rule=FROM subnet FD00:0::/64 TO all vms ALLOW tcp PORT 0080 PRIORITY 0"],
            r#""rule":"FROM subnet fd00::/64 TO all vms ALLOW tcp PORT 80""#,
        ),
        (
            &["roles", "update", ID, "--member", "ci", "--default-member", "jill", "--yes"],
            r#""name":"r","members":[{"login":"jill","default":true,"id":"y"},{"login":"ci","default":true,"id":"x"}]"#,
        ),
        (&["roles", "update", ID, "--member", ID, "--yes"], r#""name":"r","members":["ci"]"#),
        (&["roles", "update", ID, "--member", "ci", "--member", "account:x", "--yes"], r#""members":["ci"]"#),
    ] {
        let record = format!(r#"{{"id":"{ID}",{record}}}"#);
        let (url, _) = in_turn(vec![(own, Box::leak(record.into_boxed_str()))]);
        ends(&sdc(&url, words), 0, "");
    }
}

/// What replaces a map leaves nothing else in it; Docker's own tags stay.
#[test]
fn a_map_that_was_replaced_has_nothing_else_in_it() {
    let own = "200 OK\r\nApi-Version: 9.20.0\r\nServer: Triton/9.20.0\r\nRequest-Id: 1";
    for (answer, code) in [
        (r#"{"a":"b"}"#, 0),
        (r#"{"a":"b","sdc_docker":true,"docker:label:com.docker.x":"y"}"#, 0),
        (r#"{"a":"b","keep":"old"}"#, 6),
    ] {
        let (url, _) = in_turn(vec![(own, answer)]);
        ends(&sdc(&url, &["machines", "tags", "replace", "-y", ID, "a=b"]), code, "");
    }
}

/// The keys of a user are not those of the account, and an image is not a machine.
#[test]
fn role_tags_of_another_resource_are_no_done_change() {
    let own = "200 OK\r\nApi-Version: 9.20.0\r\nServer: Triton/9.20.0\r\nRequest-Id: 1";
    for (resource, name, code) in [
        (&*format!("machines/{ID}"), format!("/acme/machines/{ID}"), 0),
        (&*format!("machines/{ID}"), format!("/my/machines/{ID}"), 0),
        (&*format!("machines/{ID}"), format!("/acme/images/{ID}"), 6),
        (&*format!("users/{ID}/keys"), "/acme/users/ci/keys".to_owned(), 0),
        (&*format!("users/{ID}/keys"), "/acme/keys".to_owned(), 6),
        ("machines", "/acme/machines".to_owned(), 0),
        ("machines", "/acme/networks".to_owned(), 6),
        ("account", "/acme".to_owned(), 0),
        ("account", "/acme/machines".to_owned(), 6),
    ] {
        let answer = format!(r#"{{"name":"{name}","role-tag":["ops"]}}"#);
        let (url, _) = in_turn(vec![(own, Box::leak(answer.into_boxed_str()))]);
        let said = sdc(&url, &["role-tags", "set", resource, "ops", "--yes"]);
        assert_eq!(said.status.code(), Some(code), "{resource} {name}: {}", text(&said.stderr));
    }
}

/// A disk has neither name nor age.
#[test]
fn a_disk_that_was_made_is_known_by_its_size() {
    let machine = format!(r#"{{"id":"{ID}","name":"web","brand":"bhyve","state":"stopped"}}"#);
    for (size, code) in [(51200, 6), (10240, 0)] {
        let disk = format!(r#"{{"id":"00000000-7d5d-4fe6-a2ec-b812e950625a","size":{size},"state":"creating"}}"#);
        let answers = [&machine, &disk].map(|body| ("200 OK", &*Box::leak(body.clone().into_boxed_str())));
        let (url, _) = in_turn(answers.to_vec());
        ends(&sdc(&url, &["machines", "disks", "add", ID, "10G", "-o", "ids"]), code, "");
    }
}

/// A list that does not heed its filter has everybody's machines, and all of a key are deleted.
#[tokio::test]
async fn only_a_machine_that_has_the_key_is_one_of_the_keys() {
    let other = "00000000-7d5d-4fe6-a2ec-b812e950625a";
    let list = format!(r#"[{{"id":"{other}","tags":{{}}}},{{"id":"{ID}","tags":{{"sdc.idempotency-key":"k"}}}}]"#);
    let (url, _) = in_turn(vec![("200 OK", Box::leak(list.into_boxed_str()))]);
    let key = PrivateKey::read(&common::key().join("key"), &mut no_passphrase).unwrap();
    let name = key.public().md5();
    let signer = Signer::new("acme", Key::File(key), &name).unwrap();
    let client = sdc::Client::builder().url(&url).account("acme").signer(signer).build().unwrap();
    assert_eq!(sdc::tasks::create::of_key(&client, "k").await.unwrap(), [ID]);
}

#[test]
fn a_version_of_another_service_does_not_make_it_cloudapi() {
    for head in [
        "Api-Version: 1.43\r\nServer: Docker/24.0.5 (linux)",
        "Api-Version: 1.0.0\r\nServer: IMGAPI/4.12.0\r\nRequest-Id: 1",
        "Api-Version: 2023-01-01\r\nServer: kong",
        "Api-Version: 9",
        "Api-Version: 9.x.0",
        "Api-Version: 09.0.0",
    ] {
        let answer = |status: &str| -> &'static str { Box::leak(format!("{status}\r\n{head}").into_boxed_str()) };
        let (url, _) = in_turn(vec![(answer("404 Not Found"), r#"{"message":"page not found"}"#)]);
        ends(&sdc(&url, &["machines", "delete", ID, "--yes", "--ignore-missing"]), 6, "");
        ends(&sdc(&url, &["ping"]), 6, "");
        for status in ["503 Service Unavailable", "429 Too Many Requests"] {
            let (url, seen) = in_turn(vec![(answer(status), r#"{"message":"x"}"#)]);
            ends(&sdc(&url, &["machines", "create", "--image", ID, "--package", ID]), 7, "may have");
            assert_eq!(seen.load(SeqCst), 1, "{head}");
        }
        let (url, _) = in_turn(vec![(answer("200 OK"), r#"{"message":"no"}"#)]);
        ends(&sdc(&url, &["machines", "stop", ID]), 6, "");
        ends(&sdc(&url, &["role-tags", "add", "machines", "ci"]), 6, "");
    }
}

#[test]
fn a_machine_of_somebody_else_is_never_deleted_for_a_create_that_failed() {
    let old = format!(
        r#"{{"id":"{ID}","name":"vic","state":"failed","created":"2020-01-01T00:00:00.000Z","image":"{ID}","tags":{{}}}}"#
    );
    let old: &str = Box::leak(old.into_boxed_str());
    let date = "200 OK\r\nApi-Version: 9.0.0\r\nDate: Sat, 28 Nov 2026 12:00:00 GMT";
    for words in [
        &["run", "--image", ID, "--package", ID, "-n", "vic", "--timeout", "3s", "--", "true"][..],
        &["machines", "create", "--image", ID, "--package", ID, "-n", "vic", "-w", "--on-failure", "delete"],
        &["machines", "create", "--image", ID, "--package", ID, "-n", "vic", "--idempotency-key", "k", "-w"],
    ] {
        // Every request is answered by it, and what is sent is seen.
        let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
        let log = std::sync::Arc::clone(&seen);
        let url = common::answered_by(move |head, mut stream| {
            use std::io::Write;
            log.lock().unwrap().push_str(head.lines().next().unwrap_or_default());
            let list =
                head.starts_with("GET") && head.split(' ').nth(1).is_some_and(|path| path.contains("/machines?"));
            let body = if list { "[]" } else { old };
            let _ =
                write!(stream, "HTTP/1.1 {date}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        });
        let said = sdc(&url, words);
        assert_ne!(said.status.code(), Some(0), "{words:?}: {}", text(&said.stderr));
        assert!(!seen.lock().unwrap().contains("DELETE"), "{words:?}: {}", text(&said.stderr));
    }
}

#[test]
fn a_login_page_is_no_word_of_the_services_for_any_method() {
    let redirect = "Location: https://portal.example.com/login\r\nContent-Type: text/html";
    for (head, hint) in [
        (format!("302 Found\r\n{redirect}"), "it points to https://portal.example.com/login"),
        (format!("307 Temporary Redirect\r\n{redirect}"), "it points to https://portal.example.com/login"),
        ("401 Unauthorized\r\nContent-Type: text/html".to_owned(), "not CloudAPI's"),
        ("403 Forbidden\r\nContent-Type: text/html".to_owned(), "not CloudAPI's"),
        ("200 OK\r\nContent-Type: text/html".to_owned(), "is the URL that of CloudAPI"),
    ] {
        let (url, _) = in_turn(vec![(Box::leak(head.into_boxed_str()), PAGE)]);
        for words in [
            &["machines", "list"][..],
            &["machines", "get", ID],
            &["machines", "stop", ID],
            &["machines", "delete", ID, "--yes"],
            &["machines", "nics", "add", ID, ID],
            &["machines", "tags", "replace", ID, "a=b", "--yes"],
            &["datacenters", "get", "east"],
            &["fabrics", "vlans", "update", "2", "name=x"],
            &["config", "set", &format!("default_network={ID}")],
            &["roles", "delete", ID, "--yes"],
            &["api", "POST", "/my/users", "-d", "{}"],
        ] {
            let said = sdc(&url, words);
            let told = text(&said.stderr);
            let code = said.status.code();
            assert_eq!(code, Some(6), "{words:?}: {told}");
            assert!(told.contains(hint), "{words:?}: {told}");
        }
    }
}

/// Commands that make something of every sort, and the command that shows whether it is there.
fn makers() -> Vec<(Vec<&'static str>, &'static str)> {
    let key = Box::leak(format!("{}/key.pub", common::key().display()).into_boxed_str());
    vec![
        (vec!["machines", "create", "--image", ID, "--package", ID, "-n", "web"], "sdc machines list name=web"),
        (vec!["machines", "create", "--image", ID, "--package", ID], "sdc machines list"),
        (vec!["images", "create", ID, "web", "1.0"], "sdc images list name=web"),
        (vec!["images", "clone", ID], "sdc images list"),
        (vec!["images", "import", ID, "--from", "east"], "sdc images get b6979942"),
        (vec!["volumes", "create", "-n", "data", "-s", "20G", "-N", ID], "sdc volumes list"),
        (vec!["machines", "snapshots", "create", ID, "-n", "before"], "sdc machines snapshots list b6979942"),
        (vec!["machines", "nics", "add", ID, ID], "sdc machines nics list b6979942"),
        (vec!["keys", "add", key, "-n", "laptop"], "sdc keys list"),
        (vec!["accesskeys", "create"], "sdc accesskeys list"),
        (vec!["fwrules", "create", "FROM any TO all vms ALLOW tcp PORT 22"], "sdc fwrules list"),
        (vec!["fabrics", "vlans", "create", "2", "-n", "web"], "sdc fabrics vlans list"),
        (vec!["roles", "create", "ops"], "sdc roles list"),
        (vec!["policies", "create", "ops", "--rule", "CAN listmachines"], "sdc policies list"),
        (vec!["users", "keys", "add", ID, key, "-n", "laptop"], "sdc users keys list b6979942"),
    ]
}

#[test]
fn what_may_have_been_made_is_told_with_the_way_to_look() {
    let unclear: &[(&str, &str, i32)] = &[
        ("502 Bad Gateway\r\nContent-Type: text/html", PAGE, 7),
        ("503 Service Unavailable\r\nContent-Type: text/html\r\nRequest-Id: 1", PAGE, 7),
        ("504 Gateway Timeout", "", 7),
        ("500 Internal Server Error", r#"{"code":"InternalError","message":"x"}"#, 1),
        ("520 Unknown", PAGE, 1),
        ("201 Created", "[]", 6),
        ("201 Created", "null", 6),
        ("201 Created", "{}", 6),
        ("204 No Content", "", 6),
        ("202 Accepted", "", 6),
        ("200 OK\r\nContent-Type: text/html", PAGE, 6),
        ("403 Forbidden\r\nContent-Type: text/html", PAGE, 6),
    ];
    for (words, look) in makers() {
        for (head, body, code) in unclear {
            let (url, seen) = in_turn(vec![(head, body)]);
            let said = sdc(&url, &words);
            let told = text(&said.stderr);
            assert_eq!(said.status.code(), Some(*code), "{words:?} {head} {body}: {told}");
            assert!(told.contains("may have taken effect"), "{words:?} {head} {body}: {told}");
            assert!(told.contains(&format!("whether it is there: {look}")), "{words:?} {head} {body}: {told}");
            assert_eq!(seen.load(SeqCst), 1, "{words:?} {head} was sent again");
        }
        // Whoever is refused has made nothing.
        let (url, _) = in_turn(vec![("409 Conflict", r#"{"code":"InvalidArgument","message":"no"}"#)]);
        let told = text(&sdc(&url, &words).stderr);
        assert!(told.contains("service: 409") && !told.contains("may have taken effect"), "{words:?}: {told}");
    }
}

#[tokio::test]
async fn what_was_made_is_told_although_its_output_cannot_be_written() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let key = format!("{}/key.pub", common::key().display());
    for (words, shown) in [
        (&["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "full"][..], "machine full ("),
        (
            &["machines", "create", "--image", "base-64", "--package", "g1-nano", "-n", "full-{1..2}"],
            "machine full-2 (",
        ),
        (&["volumes", "create", "-n", "full", "-s", "20G"], "volume full ("),
        (&["fabrics", "vlans", "create", "77", "-n", "full"], "vlan full (77)"),
        (&["keys", "add", &key, "-n", "full"], "key full"),
        (&["roles", "create", "full"], "role full ("),
        (&["fwrules", "create", "FROM any TO all vms ALLOW tcp PORT 22"], "firewall rule "),
        (&["accesskeys", "create"], "accesskey "),
        (&["machines", "stop", "web1"], "stop was carried out all the same: machine web1 ("),
        (&["role-tags", "set", "machines/web1", "full", "--yes"], "all the same: set role tags of machines/web1"),
        (&["machines", "tags", "set", "web1", "full=yes"], "tags set was carried out all the same: machine web1 ("),
    ] {
        let mut command = against(&emulator, &[words, &["-o", "json"]].concat()).process();
        command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let said = output(command).await;
        ends(&said, 1, "cannot write the output");
        ends(&said, 1, shown);
    }
    let mut command = against(&emulator, &["api", "POST", "/my/roles", "-d", r#"{"name":"made"}"#]).process();
    command.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    ends(&output(command).await, 1, "the service had answered 201");
    // Whoever reads no more is told nothing, and it is no failure.
    let mut command = against(&emulator, &["roles", "create", "pipe", "-o", "json"]).process();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    assert_eq!(output(command).await.status.code(), Some(0));
    emulator.stop().await.unwrap();
}

/// A command as a shell runs it, with these redirections.
#[cfg(unix)]
async fn redirected(emulator: &Emulator, words: &[&str], how: &str) -> Output {
    let program = against(emulator, &[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("exec \"$@\" {how}"), "sh", env!("CARGO_BIN_EXE_sdc")]).args(words).env_clear();
    shell.envs(program.vars());
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    output(shell).await
}

#[cfg(unix)]
#[tokio::test]
async fn an_output_that_was_closed_from_the_start_is_a_failure_and_silence_is_not() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let writes: &[&[&str]] = &[
        &["--version"],
        &["--help"],
        &["help", "exit-codes"],
        &["help", "--json"],
        &["completion", "bash"],
        &["config", "show"],
        &["profile", "list"],
        &["auth", "doctor"],
        &["machines", "list"],
        &["machines", "list", "--json"],
        &["machines", "list", "--jq", ".[].id"],
        &["machines", "get", "web1", "-o", "yaml"],
        &["images", "list", "-o", "csv"],
        &["machines", "ip", "web1"],
        &["machines", "why", "web1"],
        &["machines", "stop", "web1", "--dry-run"],
        &["machines", "list", "--curl"],
        &["machines", "tags", "list", "web1"],
        &["fwrules", "check", "FROM any TO all vms ALLOW tcp PORT 22"],
        &["rbac", "export"],
        &["api", "GET", "/my/machines"],
        &["api", "GET", "/my/machines", "--paginate"],
    ];
    for words in writes {
        for how in [">&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"] {
            let said = redirected(&emulator, words, how).await;
            assert_eq!(said.status.code(), Some(1), "{words:?} {how}: {}", text(&said.stderr));
        }
        for how in ["<&- 2>&-", "2>/dev/full", "<>/dev/null >&0"] {
            let said = redirected(&emulator, words, how).await;
            assert_eq!(said.status.code(), Some(0), "{words:?} {how}: {}", text(&said.stderr));
        }
    }
    // What prints nothing has lost nothing.
    for how in [">&-", "2>&-", ">&- 2>&- <&-"] {
        assert_eq!(redirected(&emulator, &["machines", "reboot", "web1"], how).await.status.code(), Some(0), "{how}");
    }
    // An error is an error, whoever hears of it.
    for how in ["2>&-", "2>/dev/full", ">&- 2>&-"] {
        assert_eq!(redirected(&emulator, &["machines", "get", "nothing"], how).await.status.code(), Some(3), "{how}");
    }
    // A list that cannot be read is not an empty one.
    for words in [&["machines", "delete", "-", "--yes"][..], &["wait", "machines", "-", "--for", "ready"]] {
        let said = redirected(&emulator, words, "<&-").await;
        ends(&said, 2, "standard input is closed");
    }
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_key_without_a_name_makes_one_machine_however_many_run_at_once() {
    let latency = Duration::from_millis(30);
    let emulator = Emulator::start(Options { seed: Seed::Empty, latency, ..Options::default() }).await.unwrap();
    for round in 0..20 {
        let key = format!("refs/heads/main#{round}");
        let words = [
            "machines",
            "create",
            "--image",
            "base-64",
            "--package",
            "g1-nano",
            "--idempotency-key",
            &key,
            "-o",
            "ids",
        ];
        let runs = (0..3).map(|_| output(against(&emulator, &words)));
        let said = futures_util::future::join_all(runs).await;
        let ids: HashSet<String> = said.iter().map(|said| text(&said.stdout)).collect();
        let told: Vec<String> = said.iter().map(|said| text(&said.stderr)).collect();
        assert!(said.iter().all(|said| said.status.success()), "{told:?}");
        assert_eq!(ids.len(), 1, "{key}: {ids:?} {told:?}");
        let made = told.iter().filter(|told| told.contains("create requested")).count();
        assert_eq!(made, 1, "{told:?}");
    }
    let all = output(against(&emulator, &["machines", "list", "-o", "ids"])).await;
    assert_eq!(text(&all.stdout).lines().count(), 20);
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_key_without_a_name_finds_what_an_older_sdc_made_under_another_name() {
    let emulator = Emulator::start(Options { seed: Seed::Empty, ..Options::default() }).await.unwrap();
    let create = ["machines", "create", "--image", "base-64", "--package", "g1-nano", "-o", "ids"];
    let old =
        output(against(&emulator, &[&create[..], &["-n", "old", "-t", "sdc.idempotency-key=job"]].concat())).await;
    let new = output(against(&emulator, &[&create[..], &["--idempotency-key", "job"]].concat())).await;
    assert!(new.status.success(), "{}", text(&new.stderr));
    assert_eq!(text(&old.stdout), text(&new.stdout));
    emulator.stop().await.unwrap();
}

/// How many requests had to wait for their turn, and how many there were.
async fn turns(emulator: &Emulator, words: &[&str]) -> (usize, usize) {
    emulator.forget_requests();
    let said = output(against(emulator, &[words, &["--debug"]].concat())).await;
    let told = text(&said.stderr);
    assert!(said.status.success(), "{told}");
    (told.matches("had to wait for its turn").count(), emulator.requests().len())
}

#[tokio::test]
async fn reading_waits_for_no_turn_and_what_changes_or_polls_does() {
    let emulator = Emulator::start(Options { seed: Seed::Machines(40_000), ..Options::default() }).await.unwrap();
    let (waited, asked) = turns(&emulator, &["machines", "list", "-o", "ids"]).await;
    assert!(waited == 0 && asked > 40, "{waited} of {asked}");
    let (waited, _) = turns(&emulator, &["machines", "list", "-o", "ids", "--rate", "0.5", "--limit", "4000"]).await;
    assert!(waited > 0, "--rate holds for reading");
    emulator.stop().await.unwrap();
    let emulator = Emulator::start(Options { seed: Seed::Machines(30), ..Options::default() }).await.unwrap();
    let (waited, _) = turns(&emulator, &["machines", "stop", "*", "--max", "40", "--parallel", "30"]).await;
    assert!(waited > 0, "what changes something keeps to the pace");
    let (waited, asked) =
        turns(&emulator, &["wait", "machines", "*", "--for", "state=stopped", "--timeout", "60s"]).await;
    assert!(waited > 0, "what asks again and again keeps to the pace: {waited} of {asked}");
    emulator.stop().await.unwrap();
}

#[tokio::test]
async fn reading_keeps_to_the_pace_once_the_service_has_refused() {
    let fault = "GET /machines status=429 times=1".parse().unwrap();
    let options = Options { seed: Seed::Machines(30_000), faults: vec![fault], ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let (waited, asked) = turns(&emulator, &["machines", "list", "-o", "ids"]).await;
    assert!(waited > 0 && asked > 30, "{waited} of {asked}");
    emulator.stop().await.unwrap();
}

/// Every operation that makes something is known as such, so that its doubt is told.
#[test]
fn every_post_that_makes_something_says_what() {
    let known: HashSet<&str> = operations().filter(|op| op.makes().is_some()).map(|op| op.id).collect();
    for op in operations().filter(|op| op.method == Method::Post && op.id.starts_with("Create")) {
        assert!(known.contains(op.id), "{}", op.id);
    }
    for id in ["AddNic", "CloneImage", "ImportImageFromDatacenter"] {
        assert!(known.contains(id), "{id}");
    }
}
