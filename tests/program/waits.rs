//! When `--wait` ends, and how: against the states that the API describes, answered one after another.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::{head, sdc};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";
const PART: &str = "d6e6e0b0-5b1c-4b4a-9b5e-3f3f8a3c2b10";
/// A second after the Date of every answer.
const LATER: &str = "2026-01-01T00:00:01.000Z";

/// A server that gives these answers one after another, the last one again and again; and what it was asked for.
fn scripted(answers: Vec<(u16, String)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = head(&mut stream).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            let _ = stream.read_exact(&mut body);
            let line = head.lines().next().unwrap();
            let mut lines = lines.lock().unwrap();
            // What was there before the request, which is looked at first.
            if lines.is_empty() && line.starts_with("get ") {
                let machine = format!(r#"{{"id":"{ID}"}}"#);
                let body = if line.split(' ').nth(1).is_some_and(|path| path.ends_with(ID)) { &*machine } else { "[]" };
                let head = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
                continue;
            }
            let (status, body) = &answers[lines.len().min(answers.len() - 1)];
            lines.push(head.lines().next().unwrap().trim_end_matches(" http/1.1").to_owned());
            let _ = stream.write_all(
                format!(
                    "HTTP/1.1 {status} X\r\nRequest-Id: x\r\nApi-Version: 9.20.0\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                )
                .as_bytes(),
            );
        }
    });
    (url, seen)
}

struct Waited {
    code: Option<i32>,
    words: String,
    seen: Vec<String>,
}

fn wait(words: &[&str], answers: &[(u16, &str)]) -> Waited {
    let (url, seen) = scripted(answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect());
    let ran = sdc(&url, &[words, &["--wait", "--timeout", "6s"]].concat());
    let words = String::from_utf8(ran.stderr).unwrap();
    let seen = seen.lock().unwrap().clone();
    Waited { code: ran.status.code(), words, seen }
}

/// Waits until these answers have been given, and is content.
fn ends(words: &[&str], answers: &[(u16, &str)], asked: &str) {
    let waited = wait(words, answers);
    assert_eq!(waited.code, Some(0), "{words:?}: {} {:?}", waited.words, waited.seen);
    assert_eq!(waited.seen.len(), answers.len(), "{words:?}: {:?}", waited.seen);
    assert_eq!(waited.seen[1], format!("get {asked}"), "{words:?}");
}

#[test]
fn a_machine_that_had_failed_before_is_waited_for_until_its_log_tells_of_the_job() {
    let failed = format!(r#"{{"id":"{ID}","name":"x","state":"failed"}}"#);
    let audit = |success: &str| format!(r#"[{{"action":"start","success":"{success}","time":"{LATER}"}}]"#);
    let (bad, good) = (audit("no"), audit("yes"));
    let running = failed.replace("failed", "running");
    let first = [(202, ""), (200, &*failed), (200, "[]"), (200, &*failed)];
    let waited = wait(&["machines", "start", ID], &[&first[..], &[(200, &*bad)]].concat());
    assert_eq!(waited.code, Some(8), "{} {:?}", waited.words, waited.seen);
    assert!(waited.words.contains("the start of machine"), "{}", waited.words);
    let waited =
        wait(&["machines", "start", ID], &[&first[..], &[(200, "[]"), (200, &*running), (200, &*good)]].concat());
    assert_eq!(waited.code, Some(0), "{} {:?}", waited.words, waited.seen);
}

#[test]
fn a_disk_is_resized_when_it_shows_the_size_that_was_sent() {
    let path = format!("/acme/machines/{ID}/disks/{PART}");
    let disk = |size: u64| format!(r#"{{"id":"{PART}","size":{size},"boot":false,"state":"resizing"}}"#);
    let (old, new) = (disk(1024), disk(2048));
    ends(&["machines", "disks", "resize", ID, PART, "2G"], &[(200, &old), (200, &old), (200, &new)], &path);
}

#[test]
fn a_failed_job_on_a_disk_is_seen_in_the_audit_log_which_calls_it_unknown() {
    let disk = format!(r#"{{"id":"{PART}","size":1024,"boot":false,"state":"deleting"}}"#);
    let audit = format!(r#"[{{"action":"unknown","success":"no","time":"{LATER}"}}]"#);
    let answers = [(204, ""), (200, &disk), (200, &disk), (200, &disk), (200, &disk), (200, &*audit)];
    let waited = wait(&["machines", "disks", "delete", ID, PART, "--yes"], &answers);
    assert_eq!(waited.code, Some(8), "{} {:?}", waited.words, waited.seen);
    assert_eq!(waited.seen[5], format!("get /acme/machines/{ID}/audit"));
    let gone = (404, r#"{"code":"ResourceNotFound","message":"x"}"#);
    let path = format!("/acme/machines/{ID}/disks/{PART}");
    ends(&["machines", "disks", "delete", ID, PART, "--yes"], &[(204, ""), (200, &disk), gone], &path);
}

#[test]
fn a_firewall_is_off_when_the_machine_does_not_show_it_any_more() {
    let path = format!("/acme/machines/{ID}");
    let machine = |more: &str| format!(r#"{{"id":"{ID}","name":"web0","state":"running"{more}}}"#);
    let (on, off) = (machine(r#","firewall_enabled":true"#), machine(""));
    ends(&["machines", "firewall", "disable", ID], &[(202, ""), (200, &on), (200, &off)], &path);
    let off = machine(r#","firewall_enabled":false"#);
    ends(&["machines", "firewall", "disable", ID], &[(202, ""), (200, &on), (200, &off)], &path);
    ends(&["machines", "firewall", "enable", ID], &[(202, ""), (200, &machine("")), (200, &on)], &path);
}

#[test]
fn metadata_is_gone_when_only_that_is_left_which_the_service_keeps() {
    let path = format!("/acme/machines/{ID}/metadata");
    let before = r#"{"root_authorized_keys":"ssh-ed25519 AAAA","release":"1"}"#;
    let after = r#"{"root_authorized_keys":"ssh-ed25519 AAAA","uuid":"x","owner_uuid":"y"}"#;
    let words = ["machines", "metadata", "delete-all", ID, "--yes"];
    ends(&words, &[(204, ""), (200, before), (200, after)], &path);
    let path = format!("/acme/machines/{ID}/tags");
    let words = ["machines", "tags", "delete-all", ID, "--yes"];
    ends(&words, &[(204, ""), (200, r#"{"uuid":"x"}"#), (200, "{}")], &path);
}

#[test]
fn a_tag_is_set_when_it_has_the_number_that_was_sent_however_it_is_written() {
    let path = format!("/acme/machines/{ID}/tags");
    let words = ["machines", "tags", "set", ID, "weight:=1.10", "on:=true", "role=web"];
    let after = r#"{"on":true,"role":"web","weight":1.1}"#;
    ends(&words, &[(200, after), (200, r#"{"weight":1}"#), (200, after)], &path);
}

#[test]
fn an_interface_is_there_when_it_runs_and_lost_when_it_is_not_found() {
    let nic =
        |state: &str| format!(r#"{{"mac":"90:b8:d0:aa:bb:cc","primary":false,"network":"{PART}","state":"{state}"}}"#);
    let path = format!("/acme/machines/{ID}/nics/90b8d0aabbcc");
    let (begun, running) = (nic("provisioning"), nic("running"));
    let words = ["machines", "nics", "add", ID, PART];
    ends(&words, &[(201, &begun), (200, &begun), (200, &running)], &path);
    let gone = (404, r#"{"code":"ResourceNotFound","message":"x"}"#);
    assert_eq!(wait(&words, &[(201, &begun), (200, &begun), gone]).code, Some(8));
    ends(&["machines", "nics", "remove", ID, "90:b8:d0:aa:bb:cc", "--yes"], &[(204, ""), (200, &running), gone], &path);
}

#[test]
fn a_snapshot_is_made_or_failed_and_gone_when_it_says_so() {
    let path = format!("/acme/machines/{ID}/snapshots/s1");
    let snapshot = |state: &str| format!(r#"{{"name":"s1","state":"{state}"}}"#);
    let (queued, created, deleted) = (snapshot("queued"), snapshot("created"), snapshot("deleted"));
    let words = ["machines", "snapshots", "create", ID, "-n", "s1"];
    ends(&words, &[(201, &queued), (200, &queued), (200, &created)], &path);
    for state in ["failed", "canceled"] {
        assert_eq!(wait(&words, &[(201, &queued), (200, &snapshot(state))]).code, Some(8), "{state}");
    }
    let words = ["machines", "snapshots", "delete", ID, "s1", "--yes"];
    ends(&words, &[(204, ""), (200, &created), (200, &deleted)], &path);
    let machine = |state: &str| format!(r#"{{"id":"{ID}","state":"{state}"}}"#);
    let words = ["machines", "snapshots", "boot", ID, "s1", "--yes"];
    let machines = format!("/acme/machines/{ID}");
    // That it runs says nothing by itself: it may have run before.
    let (stopped, running) = (machine("stopped"), machine("running"));
    let done = format!(r#"[{{"action":"rollback_snapshot","success":"yes","time":"{LATER}"}}]"#);
    let answers = [(202, ""), (200, &*running), (200, "[]"), (200, &stopped), (200, &running), (200, &done)];
    ends(&words, &answers, &machines);
}

#[test]
fn an_image_is_active_or_failed_and_says_why() {
    let image =
        |state: &str, more: &str| format!(r#"{{"id":"{PART}","name":"w","version":"1","state":"{state}"{more}}}"#);
    let begun = image("creating", "");
    let words = ["images", "create", ID, "w", "1"];
    let path = format!("/acme/images/{PART}");
    ends(&words, &[(201, &begun), (200, &begun), (200, &image("active", ""))], &path);
    let failed = image("failed", r#","error":{"code":"PrepareImageDidNotRun","message":"no prepare-image"}"#);
    let waited = wait(&words, &[(201, &begun), (200, &failed)]);
    assert!(waited.code == Some(8) && waited.words.contains("PrepareImageDidNotRun"), "{}", waited.words);
}

#[test]
fn a_migration_ends_with_each_step_in_its_own_state() {
    let path = format!("/acme/migrations/{ID}");
    let state = |phase: &str, state: &str| format!(r#"{{"machine":"{ID}","phase":"{phase}","state":"{state}"}}"#);
    let gone = (404, r#"{"code":"ResourceNotFound","message":"x"}"#);
    for (step, phase, end) in [
        ("begin", "begin", "paused"),
        ("sync", "sync", "paused"),
        ("switch", "switch", "successful"),
        ("automatic", "switch", "successful"),
    ] {
        let running = state(phase, "running");
        let words = ["machines", "migrate", step, ID];
        ends(&words, &[(201, &running), (200, &running), (200, &state(phase, end))], &path);
        let waited = wait(&words, &[(201, &running), (200, &state(phase, "failed"))]);
        assert_eq!(waited.code, Some(8), "{step}: {}", waited.words);
    }
    let done = state("switch", "successful");
    ends(&["machines", "migrate", "finalize", ID, "--yes"], &[(200, ""), (200, &done), gone], &path);
    let paused = state("sync", "paused");
    ends(&["machines", "migrate", "abort", ID, "--yes"], &[(201, &paused), (200, &paused), gone], &path);
}

#[test]
fn a_volume_is_ready_or_failed_and_then_gone() {
    let volume = |state: &str| format!(r#"{{"id":"{PART}","name":"data","type":"tritonnfs","state":"{state}"}}"#);
    let path = format!("/acme/volumes/{PART}");
    let words = ["volumes", "create", "-n", "data"];
    ends(&words, &[(201, &volume("creating")), (200, &volume("creating")), (200, &volume("ready"))], &path);
    assert_eq!(wait(&words, &[(201, &volume("creating")), (200, &volume("failed"))]).code, Some(8));
    let gone = (404, r#"{"code":"VolumeNotFound","message":"x"}"#);
    ends(&["volumes", "delete", PART, "--yes"], &[(204, ""), (200, &volume("deleting")), gone], &path);
}

#[test]
fn a_state_from_before_the_request_is_not_taken_for_its_end() {
    let machine = |state: &str| format!(r#"{{"id":"{ID}","state":"{state}"}}"#);
    let (stopped, running) = (machine("stopped"), machine("running"));
    let entry = |success: &str| format!(r#"[{{"action":"stop","success":"{success}","time":"{LATER}"}}]"#);
    let (done, failed) = (entry("yes"), entry("no"));
    // It is stopped already when it is looked at first: only the job's own entry tells of the end.
    let words = ["machines", "stop", ID];
    let waited = wait(&words, &[(202, ""), (200, &stopped), (200, "[]"), (200, &stopped), (200, &done)]);
    assert_eq!((waited.code, waited.seen.len()), (Some(0), 5), "{} {:?}", waited.words, waited.seen);
    // A job that failed since there was nothing to do has left what was asked for; any other has not.
    let waited = wait(&words, &[(202, ""), (200, &stopped), (200, &failed)]);
    assert_eq!(waited.code, Some(0), "{}", waited.words);
    let still = [(202, ""), (200, &*running), (200, &running), (200, &running), (200, &running), (200, &failed)];
    let waited = wait(&words, &still);
    assert_eq!(waited.code, Some(8), "{}", waited.words);
    // Once it has been seen in another state, it has moved.
    ends(&words, &[(202, ""), (200, &running), (200, &stopped)], &format!("/acme/machines/{ID}"));
}

#[test]
fn a_disk_is_added_when_it_is_in_the_list_and_no_longer_being_made() {
    let machine = format!(r#"{{"id":"{ID}","state":"stopped","brand":"bhyve"}}"#);
    let list = |state: &str| format!(r#"[{{"id":"{PART}","size":1024,"boot":false,"state":"{state}"}}]"#);
    let words = ["machines", "disks", "add", ID, "1G", "--dry-run"];
    assert_eq!(wait(&words, &[(200, &machine)]).code, Some(0));
    let path = format!("/acme/machines/{ID}/disks");
    let answers = [(202, ""), (200, "[]"), (200, &*list("creating")), (200, &*list("stopped"))];
    let waited = wait(&words[..5], &answers);
    assert_eq!((waited.code, waited.seen.len()), (Some(0), 4), "{} {:?}", waited.words, waited.seen);
    assert_eq!(waited.seen[1], format!("get {path}"));
}

#[test]
fn what_was_just_made_may_not_be_found_for_a_moment_and_not_for_ever() {
    let volume = |state: &str| format!(r#"{{"id":"{PART}","name":"data","type":"tritonnfs","state":"{state}"}}"#);
    let path = format!("/acme/volumes/{PART}");
    let words = ["volumes", "create", "-n", "data"];
    let gone = (404, r#"{"code":"VolumeNotFound","message":"x"}"#);
    ends(&words, &[(201, &volume("creating")), gone, (200, &volume("ready"))], &path);
    // Nobody has said that it failed.
    let waited = wait(&words, &[(201, &volume("creating")), gone]);
    assert_eq!(waited.code, Some(9), "{}", waited.words);
}

/// `sdc wait` for a machine, against answers of which the first one is another's.
fn wait_for(condition: &str, answers: &[(u16, &str)]) -> Waited {
    let mut all = vec![(200, String::from("{}"))];
    all.extend(answers.iter().map(|(status, body)| (*status, (*body).to_owned())));
    let (url, seen) = scripted(all);
    seen.lock().unwrap().push("begun".to_owned());
    let ran = sdc(&url, &["wait", "machines", ID, "--for", condition, "--timeout", "60s"]);
    let words = String::from_utf8(ran.stderr).unwrap();
    let seen = seen.lock().unwrap().clone();
    Waited { code: ran.status.code(), words, seen }
}

#[test]
fn a_wait_for_a_condition_survives_what_passes() {
    let machine = |state: &str| format!(r#"{{"id":"{ID}","state":"{state}","tags":{{"role":"web"}}}}"#);
    let (made, runs) = (machine("provisioning"), machine("running"));
    let busy = r#"{"code":"RequestThrottled","message":"x"}"#;
    let trouble = r#"{"code":"InternalError","message":"x"}"#;
    for passing in [(429, busy), (500, trouble), (503, busy), (502, "<html>"), (200, "{\"id\":"), (204, "")] {
        let waited = wait_for("ready", &[(200, &made), passing, (200, &runs)]);
        assert_eq!(waited.code, Some(0), "{passing:?}: {} {:?}", waited.words, waited.seen);
        assert_eq!(waited.seen.len(), 4, "{passing:?}: {:?}", waited.seen);
    }
    assert_eq!(wait_for("tag.role=web", &[(200, &made)]).code, Some(0));
}

#[test]
fn a_wait_that_cannot_come_true_ends_at_once() {
    let machine = |state: &str| format!(r#"{{"id":"{ID}","state":"{state}"}}"#);
    let (made, failed, deleted) = (machine("provisioning"), machine("failed"), machine("deleted"));
    let missing = (404, r#"{"code":"ResourceNotFound","message":"x"}"#);
    let refused = |status| (status, r#"{"code":"NotAuthorized","message":"x"}"#);
    for (last, code) in [((200, &*failed), 8), ((410, &deleted), 8), (missing, 8), (refused(401), 4), (refused(403), 4)]
    {
        let waited = wait_for("state=running", &[(200, &made), last]);
        // What is asked afterwards is why.
        let looks = waited
            .seen
            .iter()
            .filter(|line| !["audit", "limits", "images", "packages"].iter().any(|other| line.contains(other)));
        let most = if code == 8 { 4 } else { 3 };
        assert!(looks.clone().count() <= most, "{last:?}: {:?}", waited.seen);
        assert_eq!(waited.code, Some(code), "{last:?}: {}", waited.words);
    }
    // What never was there was not found, unless that is what is waited for.
    assert_eq!(wait_for("state=running", &[missing]).code, Some(3));
    assert_eq!(wait_for("deleted", &[missing]).code, Some(0));
    assert_eq!(wait_for("deleted", &[(200, &failed), (410, &deleted)]).code, Some(0));
    assert_eq!(wait_for("state=failed", &[(200, &made), (200, &failed)]).code, Some(0));
}

#[test]
fn a_server_that_hangs_once_or_breaks_off_does_not_eat_the_wait() {
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let kept = Mutex::new(Vec::new());
    let url = common::server(move |mut stream| match seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        // It is held open, and nothing is said.
        0 => kept.lock().unwrap().push(stream),
        1..6 => drop(stream),
        _ => {
            let body = format!(r#"{{"id":"{ID}","state":"running"}}"#);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    let ran = sdc(&url, &["wait", "inst", ID, "--for", "ready", "--timeout", "5m", "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(String::from_utf8_lossy(&ran.stdout).contains("running"));
}

#[test]
fn ssh_answers_when_it_greets_and_a_port_when_it_takes_a_connection() {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = door.local_addr().unwrap().port();
    let times = Arc::new(Mutex::new(0));
    let knocks = Arc::clone(&times);
    std::thread::spawn(move || {
        for mut stream in door.incoming().flatten() {
            *knocks.lock().unwrap() += 1;
            // Something else than SSH greets first.
            let greeting: &[u8] =
                if *knocks.lock().unwrap() == 1 { b"HTTP/1.1 400 X\r\n" } else { b"hi\r\nSSH-2.0-x\r\n" };
            let _ = stream.write_all(greeting);
        }
    });
    let machine = format!(
        r#"{{"id":"{ID}","name":"web0","state":"running","primaryIp":"127.0.0.1","ips":["127.0.0.1"],
        "tags":{{"tritoncli.ssh.port":{port}}}}}"#
    );
    let waited = wait_for("ssh", &[(200, &machine)]);
    assert_eq!((waited.code, *times.lock().unwrap()), (Some(0), 2), "{}", waited.words);
    assert_eq!(wait_for(&format!("port={port}"), &[(200, &machine)]).code, Some(0));
}

#[test]
fn a_condition_that_no_thing_can_have_is_refused_before_anything_is_sent() {
    for words in [
        ["machines", "--for", "state=runing"],
        ["volumes", "--for", "active"],
        ["images", "--for", "ssh"],
        ["machines", "--for", "port=0"],
        ["packages", "--for", "ready"],
        ["snapshots", "--for", "ready"],
    ] {
        let (url, seen) = scripted(vec![(200, "{}".to_owned())]);
        let ran = sdc(&url, &["wait", words[0], ID, words[1], words[2]]);
        assert_eq!((ran.status.code(), seen.lock().unwrap().len()), (Some(2), 0), "{words:?}");
    }
}

#[test]
fn what_the_audit_log_says_is_done_is_shown_as_it_is_after_that() {
    let audit = format!(r#"[{{"action":"replace_tags","success":"yes","time":"{LATER}"}}]"#);
    let answers =
        [(200, r#"{"a":"new"}"#), (200, "[]"), (200, r#"{"a":"old"}"#), (200, &audit), (200, r#"{"a":"new"}"#)];
    let (url, seen) = scripted(answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect());
    let ran = sdc(&url, &["machines", "tags", "replace", ID, "a=new", "--yes", "--wait", "--timeout", "6s", "--json"]);
    let words = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), "{\"a\":\"new\"}\n", "{words}");
    let asked: Vec<bool> = seen.lock().unwrap().iter().skip(1).map(|line| line.ends_with("/audit")).collect();
    assert_eq!(asked, [true, false, true, false]);
}
