//! Migrations of machines, and what those who watch them are told.

use std::time::Duration;

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::ssh_keygen_interop::{Got, authorization, get, http_date, options, post, signed, stepped};

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const ONE: &str = "/acme/migrations/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const GONE: &str = "/acme/machines/84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BROKEN: &str = "/acme/machines/f05a1d6c-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

async fn act(emulator: &Emulator, action: &str) -> Got {
    signed(emulator, "POST", &format!("{WEB1}/migrate?action={action}"), &[], "").await
}

async fn phase(emulator: &Emulator) -> (String, String) {
    let migration = get(emulator, ONE).await.json();
    let word = |name: &str| migration[name].as_str().unwrap_or_default().to_owned();
    (word("phase"), word("state"))
}

fn at(phase: &str, state: &str) -> (String, String) {
    (phase.to_owned(), state.to_owned())
}

/// The events of a watch that has ended.
fn events(got: &Got) -> Vec<Value> {
    let mut rest = got.body.as_slice();
    let mut text = Vec::new();
    // As chunks: a length in hexadecimal, a line's end, so many bytes, a line's end.
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            break;
        }
        text.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
    String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_migration_begins_syncs_switches_and_is_finalized() {
    let emulator = stepped().await;
    let before = get(&emulator, WEB1).await.json()["compute_node"].clone();
    let got = act(&emulator, "begin").await;
    assert_eq!(got.status, 201, "{got:?}");
    let begun = got.json();
    assert_eq!((&begun["machine"], &begun["automatic"]), (&json!(&WEB1[15..]), &json!(false)));
    assert_eq!((&begun["phase"], &begun["state"]), (&json!("begin"), &json!("running")));
    assert_eq!(begun["progress_history"][0]["state"], "running");
    assert!(begun["created_timestamp"].is_string() && begun.get("finished_timestamp").is_none());
    assert_eq!(act(&emulator, "sync").await.code(), "PreconditionFailed");
    later(&emulator, 1000);
    assert_eq!(phase(&emulator).await, at("begin", "paused"));

    // Nothing has been copied yet.
    assert_eq!(act(&emulator, "switch").await.status, 412);
    for _ in 0..2 {
        assert_eq!(act(&emulator, "sync").await.status, 201);
        later(&emulator, 500);
        let progress = get(&emulator, ONE).await.json()["progress_history"].as_array().unwrap().last().unwrap().clone();
        let (current, total) = (progress["current_progress"].as_u64(), progress["total_progress"].as_u64());
        assert_eq!(current, total.map(|total| total / 4));
        assert!(progress["transfer_bytes_second"].is_u64() && progress["eta_ms"].is_u64());
        later(&emulator, 1500);
        assert_eq!(phase(&emulator).await, at("sync", "paused"));
    }
    assert_eq!(act(&emulator, "switch").await.status, 201);
    assert_eq!(get(&emulator, WEB1).await.json()["compute_node"], before);
    later(&emulator, 1000);
    assert_eq!(phase(&emulator).await, at("switch", "successful"));
    let (machine, done) = (get(&emulator, WEB1).await.json(), get(&emulator, ONE).await.json());
    assert_ne!(machine["compute_node"], before);
    assert_eq!(machine["state"], "running");
    assert_eq!(done["duration_ms"], 6000);
    let phases: Vec<_> = done["progress_history"].as_array().unwrap().iter().map(|p| p["phase"].clone()).collect();
    assert_eq!(phases, ["begin", "sync", "sync", "switch"]);
    assert_eq!(get(&emulator, "/acme/migrations").await.json(), json!([done]));

    for action in ["begin", "automatic", "sync", "switch", "pause", "abort"] {
        let got = act(&emulator, action).await;
        assert_eq!((got.status, got.code().as_str()), (412, "PreconditionFailed"), "{action}");
    }
    let got = act(&emulator, "finalize").await;
    assert_eq!((got.status, got.body.len()), (200, 0));
    later(&emulator, 200);
    assert_eq!(get(&emulator, ONE).await.status, 404);
    assert_eq!(get(&emulator, "/acme/migrations").await.json(), json!([]));
    assert_eq!(act(&emulator, "begin").await.status, 201, "it can be migrated again");
}

#[tokio::test]
async fn an_automatic_migration_goes_all_the_way() {
    let emulator = stepped().await;
    assert_eq!(act(&emulator, "automatic").await.json()["automatic"], true);
    later(&emulator, 1500);
    assert_eq!(phase(&emulator).await, at("sync", "running"));
    later(&emulator, 60_000);
    assert_eq!(phase(&emulator).await, at("switch", "successful"));
    let audit = get(&emulator, &format!("{WEB1}/audit")).await.json();
    let actions: Vec<_> = audit.as_array().unwrap().iter().take(3).map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["migrate_switch", "migrate_sync", "migrate_begin"]);
}

#[tokio::test]
async fn a_sync_is_paused_and_a_migration_aborted() {
    let emulator = stepped().await;
    act(&emulator, "begin").await;
    assert_eq!(act(&emulator, "pause").await.status, 412, "only a sync is paused");
    assert_eq!(act(&emulator, "abort").await.status, 412, "not while it runs");
    later(&emulator, 1000);
    act(&emulator, "sync").await;
    later(&emulator, 600);
    assert_eq!(act(&emulator, "pause").await.status, 201);
    later(&emulator, 5000);
    assert_eq!(phase(&emulator).await, at("sync", "paused"));
    assert_eq!(act(&emulator, "switch").await.status, 412, "that sync did not end");
    let got = act(&emulator, "abort").await;
    assert_eq!((got.status, &got.json()["phase"]), (201, &json!("abort")));
    later(&emulator, 500);
    assert_eq!(get(&emulator, ONE).await.status, 404);
}

#[tokio::test]
async fn a_migration_that_found_no_place_is_aborted_with_a_slip() {
    let emulator = stepped().await;
    emulator.add_fault("POST /machines/*/migrate fail times=1".parse().unwrap());
    act(&emulator, "begin").await;
    later(&emulator, 1000);
    let failed = get(&emulator, ONE).await.json();
    assert_eq!((&failed["phase"], &failed["state"]), (&json!("begin"), &json!("failed")));
    assert!(failed["error"].is_string() && failed["progress_history"][0]["error"].is_string());
    assert_eq!(act(&emulator, "sync").await.status, 412);
    let got = act(&emulator, "abort").await;
    assert_eq!((got.status, got.code().as_str()), (500, "InternalError"));
    assert_eq!(get(&emulator, ONE).await.status, 404, "it worked all the same");
}

#[tokio::test]
async fn a_failed_sync_can_be_repeated() {
    let emulator = stepped().await;
    act(&emulator, "begin").await;
    later(&emulator, 1000);
    emulator.add_fault("POST /machines/*/migrate fail times=1".parse().unwrap());
    act(&emulator, "sync").await;
    later(&emulator, 2000);
    assert_eq!(phase(&emulator).await, at("sync", "failed"));
    assert_eq!(act(&emulator, "switch").await.status, 412);
    assert_eq!(act(&emulator, "sync").await.status, 201);
    later(&emulator, 2000);
    assert_eq!(phase(&emulator).await, at("sync", "paused"));
    assert_eq!(get(&emulator, ONE).await.json().get("error"), None);
}

#[tokio::test]
async fn a_migration_is_estimated_before_and_not_during_it() {
    let emulator = stepped().await;
    let path = format!("{WEB1}/migrate");
    let got = get(&emulator, &path).await;
    assert!(got.status == 200 && got.json()["size"].as_u64().unwrap() > 1 << 20, "{got:?}");
    act(&emulator, "begin").await;
    let got = get(&emulator, &path).await;
    assert_eq!((got.status, got.code().as_str()), (412, "PreconditionFailed"));
}

#[tokio::test]
async fn what_cannot_be_migrated_is_refused() {
    let emulator = stepped().await;
    for (machine, action, status, code) in [
        (GONE, "begin", 410, ""),
        (BROKEN, "begin", 412, "PreconditionFailed"),
        (WEB1, "sync", 404, "ResourceNotFound"),
        (WEB1, "watch", 404, "ResourceNotFound"),
        (WEB1, "fly", 409, "InvalidArgument"),
        (WEB1, "", 409, "MissingParameter"),
    ] {
        let got = post(&emulator, &format!("{machine}/migrate"), &json!({ "action": action })).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{machine} {action}");
    }
    assert_eq!(get(&emulator, ONE).await.status, 404);
    assert_eq!(signed(&emulator, "HEAD", "/acme/migrations", &[], "").await.status, 405);
}

#[tokio::test]
async fn an_operator_can_forbid_migrations() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    Emulator::start(kept()).await.unwrap().stop().await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"user_migrations\":true", "\"user_migrations\":false")).unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    let got = act(&emulator, "begin").await;
    assert_eq!((got.status, got.code().as_str()), (412, "PreconditionFailed"));
}

#[tokio::test]
async fn a_watch_tells_what_happens_as_the_clock_is_stepped() {
    let emulator = stepped().await;
    act(&emulator, "automatic").await;
    let step = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(150)).await;
            later(&emulator, 500);
        }
    };
    let (got, ()) = tokio::join!(act(&emulator, "watch"), step);
    assert_eq!((got.status, got.header("Content-Type").as_deref()), (200, Some("application/x-json-stream")));
    assert_eq!((got.header("Content-MD5"), got.header("Transfer-Encoding").as_deref()), (None, Some("chunked")));
    let events = events(&got);
    let (end, progress) = events.split_last().unwrap();
    assert_eq!(*end, json!({ "type": "end", "phase": "switch", "state": "successful" }));
    assert!(progress.iter().all(|event| event["type"] == "progress"));
    let mut phases: Vec<_> = progress.iter().map(|event| event["phase"].as_str().unwrap()).collect();
    assert!(phases.len() > 5, "every report is told: {events:?}");
    phases.dedup();
    assert_eq!(phases, ["begin", "sync", "switch"]);
    let copied: Vec<u64> = progress
        .iter()
        .filter(|event| event["phase"] == "sync")
        .map(|event| event["current_progress"].as_u64().unwrap())
        .collect();
    assert!(copied.len() > 2 && copied.is_sorted(), "{copied:?}");
}

#[tokio::test]
async fn a_watch_of_what_has_ended_ends_at_once_and_one_of_an_abort_with_it() {
    let emulator = stepped().await;
    act(&emulator, "begin").await;
    later(&emulator, 1000);
    let got = act(&emulator, "watch").await;
    assert_eq!(events(&got), [json!({ "type": "end", "phase": "begin", "state": "paused" })]);
    act(&emulator, "abort").await;
    let step = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        later(&emulator, 500);
    };
    let (got, ()) = tokio::join!(act(&emulator, "watch"), step);
    assert_eq!(events(&got), [json!({ "type": "end", "phase": "abort", "state": "successful" })]);
}

#[tokio::test]
async fn a_watch_of_a_failure_ends_with_its_reason() {
    let emulator = stepped().await;
    emulator.add_fault("POST /machines/*/migrate fail times=1".parse().unwrap());
    act(&emulator, "begin").await;
    let step = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        later(&emulator, 1000);
    };
    let (got, ()) = tokio::join!(act(&emulator, "watch"), step);
    let events = events(&got);
    let end = events.last().unwrap();
    assert_eq!((&end["type"], &end["state"]), (&json!("end"), &json!("failed")));
    assert!(end["message"].is_string());
}

#[tokio::test]
async fn a_watch_makes_progress_without_any_other_request_and_can_be_left() {
    let emulator = Emulator::start(Options { pace: Pace::Times(20.0), ..options() }).await.unwrap();
    act(&emulator, "begin").await;
    let got = act(&emulator, "watch").await;
    assert_eq!(events(&got).last().unwrap()["state"], "paused");
    let emulator = stepped().await;
    act(&emulator, "begin").await;
    let mut stream = TcpStream::connect(emulator.url().strip_prefix("http://").unwrap()).await.unwrap();
    let date = http_date(0);
    let signature = authorization(&emulator, &date);
    let text = format!(
        "POST {WEB1}/migrate?action=watch HTTP/1.1\r\nHost: localhost\r\nDate: {date}\r\nAuthorization: {signature}\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut some = [0; 64];
    assert!(stream.read(&mut some).await.unwrap() > 0);
    drop(stream);
    // Others are served meanwhile, and nothing keeps the emulator from stopping.
    assert_eq!(phase(&emulator).await, at("begin", "running"));
    tokio::time::timeout(Duration::from_secs(5), emulator.stop()).await.expect("it stops").unwrap();
}

#[tokio::test]
async fn a_watch_can_be_cut_by_a_fault() {
    let emulator = stepped().await;
    act(&emulator, "begin").await;
    emulator.add_fault("POST /machines/*/migrate cut=10 times=1".parse().unwrap());
    let got = act(&emulator, "watch").await;
    assert_eq!((got.status, got.body.as_slice()), (200, b"{\"type\":\"p".as_slice()));
}

#[tokio::test]
async fn the_migration_of_a_machine_that_is_deleted_is_gone() {
    let emulator = stepped().await;
    act(&emulator, "begin").await;
    assert_eq!(signed(&emulator, "DELETE", WEB1, &[], "").await.status, 204);
    later(&emulator, 5000);
    assert_eq!(get(&emulator, "/acme/migrations").await.json(), json!([]));
}

#[tokio::test]
async fn a_migration_outlasts_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept()).await.unwrap();
    act(&emulator, "automatic").await;
    later(&emulator, 1600);
    assert_eq!(phase(&emulator).await, at("sync", "running"));
    emulator.stop().await.unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    later(&emulator, 10_000);
    assert_eq!(phase(&emulator).await, at("switch", "successful"));
}
