//! Snapshots of machines.

use std::time::Duration;

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, get, options, post, signed, stepped};

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB1: &str = "/acme/machines/c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const WIN: &str = "/acme/machines/e6f1b023-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const GONE: &str = "/acme/machines/84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

async fn take(emulator: &Emulator, machine: &str, name: &str) -> Got {
    post(emulator, &format!("{machine}/snapshots"), &json!({ "name": name })).await
}

async fn state(emulator: &Emulator, path: &str) -> Value {
    get(emulator, path).await.json()["state"].clone()
}

/// The newest entries of the audit log.
async fn audit(emulator: &Emulator, machine: &str, count: usize) -> Vec<(String, String)> {
    let rows = get(emulator, &format!("{machine}/audit")).await.json();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().take(count).map(|row| (word(row, "action"), word(row, "success"))).collect()
}

fn entry(action: &str, success: &str) -> (String, String) {
    (action.to_owned(), success.to_owned())
}

#[tokio::test]
async fn a_snapshot_is_queued_then_created_then_deleted() {
    let emulator = stepped().await;
    let got = take(&emulator, WEB1, "before").await;
    assert_eq!((got.status, got.header("Location")), (201, None));
    assert_eq!(got.json(), json!({ "name": "before", "state": "queued" }));
    let one = format!("{WEB1}/snapshots/before");
    assert_eq!(get(&emulator, &one).await.json(), json!({ "name": "before", "state": "queued" }));
    later(&emulator, 1000);
    let made = get(&emulator, &one).await.json();
    assert_eq!((&made["state"], &made["created"]), (&json!("created"), &made["updated"]));
    assert!(made["size"].as_u64().unwrap() > 0);
    assert_eq!(get(&emulator, &format!("{WEB1}/snapshots")).await.json(), json!([made]));
    let head = signed(&emulator, "HEAD", &format!("{WEB1}/snapshots"), &[], "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(audit(&emulator, WEB1, 1).await, [entry("create_snapshot", "yes")]);

    assert_eq!(signed(&emulator, "DELETE", &one, &[], "").await.status, 204);
    assert_eq!(state(&emulator, &one).await, "created");
    later(&emulator, 1000);
    // The work on it is remembered, but it is in no list.
    assert_eq!(get(&emulator, &one).await.json(), json!({ "name": "before", "state": "deleted" }));
    assert_eq!(get(&emulator, &format!("{WEB1}/snapshots")).await.json(), json!([]));
    assert_eq!(audit(&emulator, WEB1, 1).await, [entry("delete_snapshot", "yes")]);
    assert_eq!(signed(&emulator, "DELETE", &one, &[], "").await.status, 404);
    assert_eq!(take(&emulator, WEB1, "before").await.status, 201, "the name is free again");
}

#[tokio::test]
async fn a_snapshot_without_a_name_is_called_by_its_time() {
    let emulator = stepped().await;
    let got = post(&emulator, &format!("{WEB1}/snapshots"), &json!({})).await.json();
    let name = got["name"].as_str().unwrap();
    let shape: String = name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "00000000T000000Z", "{name}");
}

#[tokio::test]
async fn what_cannot_be_snapshot_is_refused() {
    let emulator = stepped().await;
    take(&emulator, WEB1, "twice").await;
    for (machine, name, status, code) in [
        (WEB1, "twice", 409, "ValidationFailed"),
        (WEB1, "a/b", 409, "ValidationFailed"),
        (WIN, "x", 409, "BrandNotSupported"),
        (DB1, "x", 409, "InvalidArgument"),
        (GONE, "x", 410, ""),
    ] {
        let got = take(&emulator, machine, name).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{machine} {name}: {got:?}");
    }
    let ask = json!({
        "image": "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02", "package": "g1-small", "delegate_dataset": true,
    });
    let id = post(&emulator, "/acme/machines", &ask).await.json()["id"].as_str().unwrap().to_owned();
    let delegated = format!("/acme/machines/{id}");
    assert_eq!(take(&emulator, &delegated, "x").await.code(), "UnallocatedVM");
    later(&emulator, 2000);
    assert_eq!(get(&emulator, &delegated).await.json()["delegate_dataset"], true);
    assert_eq!(take(&emulator, &delegated, "x").await.code(), "InvalidArgument");
    for path in [format!("{WEB1}/snapshots/none"), format!("{DB1}/snapshots/none")] {
        for method in ["GET", "HEAD", "POST", "DELETE"] {
            assert_eq!(signed(&emulator, method, &path, &[], "").await.status, 404, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_operator_can_allow_snapshots_of_bhyve_machines() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    Emulator::start(kept()).await.unwrap().stop().await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"bhyve_snapshots\":false", "\"bhyve_snapshots\":true")).unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    assert_eq!(take(&emulator, DB1, "x").await.status, 201);
    assert_eq!(take(&emulator, WIN, "x").await.code(), "BrandNotSupported");
}

#[tokio::test]
async fn a_machine_goes_back_to_a_snapshot_and_runs() {
    let emulator = stepped().await;
    for name in ["one", "two"] {
        take(&emulator, WEB1, name).await;
        later(&emulator, 1000);
    }
    let one = format!("{WEB1}/snapshots/one");
    let got = signed(&emulator, "POST", &one, &[], "").await;
    assert_eq!((got.status, got.header("Content-Length")), (202, None));
    later(&emulator, 1000);
    assert_eq!(state(&emulator, WEB1).await, "stopped");
    later(&emulator, 1000);
    assert_eq!(state(&emulator, WEB1).await, "running");
    assert_eq!(audit(&emulator, WEB1, 2).await, [entry("start", "yes"), entry("rollback_snapshot", "yes")]);
    assert_eq!(state(&emulator, &one).await, "created");
    assert_eq!(state(&emulator, &format!("{WEB1}/snapshots/two")).await, "deleted", "it came later");
}

#[tokio::test]
async fn a_snapshot_that_is_deleted_before_it_is_there_is_made_first_and_then_deleted() {
    let emulator = stepped().await;
    take(&emulator, WEB1, "brief").await;
    let one = format!("{WEB1}/snapshots/brief");
    assert_eq!(signed(&emulator, "DELETE", &one, &[], "").await.status, 204);
    later(&emulator, 5000);
    assert_eq!(state(&emulator, &one).await, "deleted");
    assert_eq!(audit(&emulator, WEB1, 2).await, [entry("delete_snapshot", "yes"), entry("create_snapshot", "yes")]);
}

#[tokio::test]
async fn a_snapshot_that_is_planned_to_fail_fails() {
    let emulator = stepped().await;
    emulator.add_fault("POST /machines/*/snapshots fail times=1".parse().unwrap());
    assert_eq!(take(&emulator, WEB1, "bad").await.status, 201);
    later(&emulator, 1000);
    let one = format!("{WEB1}/snapshots/bad");
    assert_eq!(state(&emulator, &one).await, "failed");
    assert_eq!(audit(&emulator, WEB1, 1).await, [entry("create_snapshot", "no")]);
    assert_eq!(signed(&emulator, "POST", &one, &[], "").await.status, 404, "there is nothing to go back to");
    assert_eq!(take(&emulator, WEB1, "bad").await.status, 201);
}
