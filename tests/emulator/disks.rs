//! Disks of machines.

use std::time::Duration;

use sdc::emulator::Emulator;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::ssh_keygen_interop::{authorization, get, http_date, post, signed, stepped};

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
/// Running, without a flexible disk.
const DB0: &str = "/acme/machines/51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
/// Stopped, with one.
const DB1: &str = "/acme/machines/c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const GONE: &str = "/acme/machines/84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BOOT: &str = "5d7e9f10-0001-4a2b-8c3d-4e5f6a7b8c9d";
const DATA: &str = "8b2c4d11-0002-4a2b-8c3d-4e5f6a7b8c9d";
const FREE: u64 = 204_800 - 10_240 - 40_960;

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

async fn disks(emulator: &Emulator) -> Vec<Value> {
    get(emulator, &format!("{DB1}/disks")).await.json().as_array().unwrap().clone()
}

async fn free(emulator: &Emulator) -> Value {
    get(emulator, DB1).await.json()["free_space"].clone()
}

#[tokio::test]
async fn disks_are_listed_with_their_places_and_the_state_of_their_machine() {
    let emulator = stepped().await;
    let got = get(&emulator, &format!("{DB1}/disks")).await;
    assert_eq!(got.header("x-resource-count").as_deref(), Some("2"));
    let boot = json!({ "id": BOOT, "pci_slot": "0:4:0", "size": 10_240, "boot": true, "state": "stopped" });
    let data = json!({ "id": DATA, "pci_slot": "0:4:1", "size": 40_960, "boot": false, "state": "stopped" });
    assert_eq!(got.json(), json!([boot, data]));
    assert_eq!(get(&emulator, &format!("{DB1}/disks/{DATA}")).await.json(), data);
    assert_eq!(get(&emulator, &format!("{DB0}/disks/{BOOT}")).await.json()["state"], "running");
    assert_eq!(get(&emulator, &format!("{DB1}/disks/none")).await.code(), "ResourceNotFound");
    assert_eq!(get(&emulator, &format!("{WEB1}/disks")).await.json(), json!([]));
    let head = signed(&emulator, "HEAD", &format!("{DB1}/disks"), &[], "").await;
    assert_eq!((head.status, head.header("x-resource-count").as_deref()), (200, Some("2")));
    let old = signed(&emulator, "GET", &format!("{DB1}/disks"), &[("Accept-Version", "~7.1")], "").await;
    assert_eq!((old.status, old.code().as_str()), (400, "InvalidVersion"));
    // Within the machine there is less of each, and what is left is told.
    let machine = get(&emulator, DB1).await.json();
    assert_eq!(machine["disks"][1], json!({ "id": DATA, "size": 40_960 }));
    assert_eq!((&machine["free_space"], &machine["flexible"]), (&json!(FREE), &json!(true)));
    assert_eq!(get(&emulator, DB0).await.json().get("free_space"), None);
}

#[tokio::test]
async fn a_disk_is_created_resized_and_deleted() {
    let emulator = stepped().await;
    let all = format!("{DB1}/disks");
    let got = post(&emulator, &all, &json!({ "size": 2048 })).await;
    assert_eq!((got.status, got.body.as_slice()), (202, b"0\r\n\r\n".as_slice()));
    let made = disks(&emulator).await.pop().unwrap();
    assert_eq!((&made["state"], &made["pci_slot"]), (&json!("creating"), &json!("0:4:2")));
    assert_eq!(free(&emulator).await, FREE - 2048, "its space is taken at once");
    let one = format!("{all}/{}", made["id"].as_str().unwrap());
    let busy = post(&emulator, &one, &json!({ "size": 4096 })).await;
    assert_eq!((busy.status, busy.code().as_str()), (409, "InvalidArgument"));
    later(&emulator, 500);
    assert_eq!(get(&emulator, &one).await.json()["state"], "stopped");

    let got = post(&emulator, &one, &json!({ "size": 4096 })).await;
    assert_eq!((got.status, &got.json()["state"], &got.json()["size"]), (200, &json!("resizing"), &json!(2048)));
    assert_eq!(free(&emulator).await, FREE - 4096);
    later(&emulator, 500);
    let grown = get(&emulator, &one).await.json();
    assert_eq!((&grown["state"], &grown["size"]), (&json!("stopped"), &json!(4096)));

    for (shrink, code) in [
        (json!({ "size": 1024 }), "ValidationFailed"),
        (json!({ "size": 1024, "dangerous_allow_shrink": "true" }), "InvalidArgument"),
    ] {
        let got = post(&emulator, &one, &shrink).await;
        assert_eq!((got.status, got.code().as_str()), (409, code), "{shrink}");
    }
    let shrink = json!({ "size": 1024, "dangerous_allow_shrink": true });
    assert_eq!(post(&emulator, &one, &shrink).await.status, 200);
    later(&emulator, 500);
    assert_eq!(free(&emulator).await, FREE - 1024);

    assert_eq!(signed(&emulator, "DELETE", &one, &[], "").await.status, 204);
    assert_eq!(get(&emulator, &one).await.json()["state"], "deleting");
    later(&emulator, 500);
    assert_eq!(get(&emulator, &one).await.status, 404);
    assert_eq!(free(&emulator).await, FREE);
    let audit = get(&emulator, &format!("{DB1}/audit")).await.json();
    assert_eq!((&audit[0]["action"], &audit[0]["success"]), (&json!("unknown"), &json!("yes")));
}

#[tokio::test]
async fn a_disk_with_a_place_is_answered_and_one_without_is_not() {
    let emulator = stepped().await;
    let got = post(&emulator, &format!("{DB1}/disks"), &json!({ "size": 1024, "pci_slot": "0:5:3" })).await;
    assert_eq!(got.status, 200);
    let made = got.json();
    assert_eq!((&made["pci_slot"], &made["state"]), (&json!("0:5:3"), &json!("creating")));
    let path = format!("{DB1}/disks/{}", made["id"].as_str().unwrap());
    assert_eq!(got.header("Location"), Some(path));
}

#[tokio::test]
async fn what_cannot_be_done_to_disks_is_refused() {
    let emulator = stepped().await;
    let all = format!("{DB1}/disks");
    for (path, body, status, code) in [
        (all.clone(), json!({}), 409, "MissingParameter"),
        (all.clone(), json!({ "size": "big" }), 409, "InvalidArgument"),
        (all.clone(), json!({ "size": 0 }), 409, "MissingParameter"),
        (all.clone(), json!({ "size": FREE + 1 }), 409, "InsufficientDiskSpace"),
        (all.clone(), json!({ "size": 1, "pci_slot": "0:4:1" }), 409, "InvalidArgument"),
        (all.clone(), json!({ "size": 1, "pci_slot": "0:6:1" }), 409, "InvalidArgument"),
        (all.clone(), json!({ "size": 1, "pci_slot": "0:4:8" }), 409, "InvalidArgument"),
        (all.clone(), json!({ "size": 1, "pci_slot": "256:4:0" }), 409, "InvalidArgument"),
        (all.clone(), json!({ "size": 1, "pci_slot": "0:4:+1" }), 409, "InvalidArgument"),
        (format!("{DB0}/disks"), json!({ "size": 1 }), 409, "InvalidArgument"),
        (format!("{GONE}/disks"), json!({ "size": 1 }), 410, ""),
        (format!("{all}/{DATA}"), json!({}), 409, "MissingParameter"),
        (format!("{all}/{DATA}"), json!({ "size": 40_960 + FREE + 1 }), 409, "InsufficientDiskSpace"),
        (format!("{all}/none"), json!({ "size": 50_000 }), 404, "ResourceNotFound"),
        (format!("{DB0}/disks/{DATA}"), json!({ "size": 60_000 }), 409, "InvalidArgument"),
    ] {
        let got = post(&emulator, &path, &body).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{path} {body}: {got:?}");
    }
    let got = signed(&emulator, "DELETE", &format!("{all}/{BOOT}"), &[], "").await;
    assert_eq!((got.status, got.code().as_str()), (409, "ValidationFailed"));
    let got = signed(&emulator, "DELETE", &format!("{DB0}/disks/{DATA}"), &[], "").await;
    assert_eq!(got.code(), "InvalidArgument");
    // A package of fixed disks has nothing to give.
    signed(&emulator, "POST", &format!("{DB0}?action=stop"), &[], "").await;
    later(&emulator, 1000);
    assert_eq!(
        post(&emulator, &format!("{DB0}/disks"), &json!({ "size": 1 })).await.code(),
        "VmWithoutFlexibleDiskSize"
    );
    assert_eq!(disks(&emulator).await.len(), 2);
}

#[tokio::test]
async fn the_rest_of_the_space_can_be_asked_for_and_eight_disks_are_the_most() {
    let emulator = stepped().await;
    let all = format!("{DB1}/disks");
    for count in 3..=7 {
        assert_eq!(post(&emulator, &all, &json!({ "size": 100 })).await.status, 202, "{count}");
    }
    assert_eq!(post(&emulator, &all, &json!({ "size": "remaining" })).await.status, 202);
    assert_eq!(disks(&emulator).await.last().unwrap()["size"], FREE - 500);
    assert_eq!(free(&emulator).await, 0);
    let got = post(&emulator, &all, &json!({ "size": 1 })).await;
    assert_eq!((got.status, got.code().as_str()), (409, "InvalidArgument"));
}

#[tokio::test]
async fn a_disk_that_fails_to_be_made_is_not_there() {
    let emulator = stepped().await;
    emulator.add_fault("POST /machines/*/disks fail times=1".parse().unwrap());
    assert_eq!(post(&emulator, &format!("{DB1}/disks"), &json!({ "size": 100 })).await.status, 202);
    later(&emulator, 500);
    assert_eq!((disks(&emulator).await.len(), free(&emulator).await), (2, json!(FREE)));
    let audit = get(&emulator, &format!("{DB1}/audit")).await.json();
    assert_eq!((&audit[0]["action"], &audit[0]["success"]), (&json!("unknown"), &json!("no")));
}

#[tokio::test]
async fn a_disk_for_a_machine_of_another_kind_is_never_answered() {
    let emulator = stepped().await;
    let mut stream = TcpStream::connect(emulator.url().strip_prefix("http://").unwrap()).await.unwrap();
    let date = http_date(0);
    let text = format!(
        "POST {WEB1}/disks HTTP/1.1\r\nHost: localhost\r\nDate: {date}\r\nAuthorization: {}\r\n\
         Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"size\":100}}",
        authorization(&emulator, &date)
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let answered = tokio::time::timeout(Duration::from_millis(300), stream.readable()).await;
    assert!(answered.is_err(), "it was answered");
    assert_eq!(emulator.requests().last().map(|seen| seen.status), Some(0));
}
