//! Volumes: made, listed, mounted, and taken away as the clock is stepped.

use std::time::Duration;

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, changed, delete, get, options, post, put, refused, signed, stepped};

const ALL: &str = "/acme/volumes";
const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
const FABRIC: &str = "6d40b97f-5a7c-4d9e-9fb0-4b5c6d7e8f03";
const BACKEND: &str = "b55ec213-5a7c-4d9e-9fb0-4b5c6d7e8f04";
const BUILD: &str = "07a5e9d4-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

fn names(got: &Got) -> Vec<String> {
    got.json().as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// A query of a list, with its signs encoded.
fn with(name: &str, value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'*';
    let encoded: String =
        value.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect();
    format!("{ALL}?{name}={encoded}")
}

/// The path of a new volume.
async fn made(emulator: &Emulator, name: &str) -> String {
    let got = post(emulator, ALL, &json!({ "type": "tritonnfs", "name": name })).await;
    assert_eq!(got.status, 201, "{got:?}");
    format!("{ALL}/{}", got.json()["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_volume_is_created_then_ready_and_has_a_path() {
    let emulator = stepped().await;
    let ask = json!({ "type": "tritonnfs", "name": "logs", "size": 20480, "networks": [BACKEND], "tags": { "a": "b" },
        "affinity": ["role!=db"] });
    let got = post(&emulator, ALL, &ask).await;
    assert_eq!(got.status, 201, "{got:?}");
    let volume = got.json();
    let path = format!("{ALL}/{}", volume["id"].as_str().unwrap());
    assert_eq!(
        (&volume["state"], &volume["size"], &volume["type"]),
        (&json!("creating"), &json!(20480), &json!("tritonnfs"))
    );
    assert_eq!((&volume["networks"], &volume["tags"]), (&json!([BACKEND]), &json!({ "a": "b" })));
    assert_eq!((volume.get("filesystem_path"), volume.get("refs")), (None, None));
    later(&emulator, 1999);
    assert_eq!(get(&emulator, &path).await.json()["state"], "creating");
    later(&emulator, 1);
    let ready = get(&emulator, &path).await.json();
    assert_eq!(ready["state"], "ready");
    assert!(ready["filesystem_path"].as_str().unwrap().starts_with("10.10.0.5:/"), "{ready}");

    assert_eq!(delete(&emulator, &path).await.status, 204);
    assert_eq!(get(&emulator, &path).await.json()["state"], "deleting");
    assert_eq!(delete(&emulator, &path).await.status, 204);
    later(&emulator, 1000);
    for got in [get(&emulator, &path).await, delete(&emulator, &path).await, post(&emulator, &path, &json!({})).await] {
        assert_eq!(refused(&got), (404, "VolumeNotFound".to_owned()));
    }
}

#[tokio::test]
async fn a_volume_has_a_size_and_a_network_of_its_own_accord() {
    let emulator = stepped().await;
    let got = post(&emulator, ALL, &json!({ "type": "tritonnfs" })).await.json();
    assert_eq!((&got["size"], &got["networks"]), (&json!(10240), &json!([FABRIC])));
    assert!(got["name"].as_str().is_some_and(|name| name.len() > 1));
    let (emulator, _dir) = changed(|state| state["accounts"][0]["default_network"] = Value::Null).await;
    let got = post(&emulator, ALL, &json!({ "type": "tritonnfs" })).await;
    assert_eq!(refused(&got), (409, "DefaultFabricNetworkNotConfiguredError".to_owned()));
}

#[tokio::test]
async fn a_volume_that_cannot_be_is_refused() {
    let emulator = stepped().await;
    let ask = |name: &str, value: Value| {
        let mut ask = json!({ "type": "tritonnfs", "name": "logs" });
        ask[name] = value;
        ask
    };
    for (name, value, code) in [
        ("type", Value::Null, "InvalidArgument"),
        ("type", json!("zfs"), "InvalidArgument"),
        ("name", json!("x"), "InvalidArgument"),
        ("name", json!("-x"), "InvalidArgument"),
        ("name", json!("a b"), "InvalidArgument"),
        ("name", json!("x".repeat(257)), "ValidationError"),
        ("name", json!("data"), "VolumeAlreadyExists"),
        ("size", json!(10241), "VolumeSizeNotAvailable"),
        ("size", json!(0), "InvalidArgument"),
        ("size", json!("10G"), "InvalidArgument"),
        ("networks", json!([PRIVATE]), "InvalidArgument"),
        ("networks", json!(["00000000-5a7c-4d9e-9fb0-4b5c6d7e8f03"]), "InvalidArgument"),
        ("networks", json!([]), "InvalidArgument"),
        ("affinity", json!("role==db"), "InvalidArgument"),
        ("affinity", json!(["db"]), "InvalidArgument"),
        ("tags", json!({ "a": 1 }), "InvalidArgument"),
    ] {
        let got = post(&emulator, ALL, &ask(name, value.clone())).await;
        assert_eq!(refused(&got), (409, code.to_owned()), "{name} {value}");
    }
    assert_eq!(names(&get(&emulator, ALL).await), ["data", "scratch"]);
}

#[tokio::test]
async fn a_list_of_volumes_can_be_narrowed() {
    let emulator = stepped().await;
    made(&emulator, "database").await;
    let all = get(&emulator, ALL).await;
    assert_eq!(all.header("x-resource-count").as_deref(), Some("3"));
    for (query, wanted) in [
        (with("name", "data"), vec!["data"]),
        (with("name", "data*"), vec!["data", "database"]),
        (with("name", "*at*"), vec!["data", "scratch", "database"]),
        (with("name", "*base"), vec!["database"]),
        (with("size", "51200"), vec!["scratch"]),
        (with("state", "creating"), vec!["database"]),
        (with("type", "tritonnfs"), vec!["data", "scratch", "database"]),
        (with("predicate", r#"{"eq":["name","scratch"]}"#), vec!["scratch"]),
        (with("predicate", r#"{"and":[{"lt":["size",50000]},{"eq":["state","ready"]}]}"#), vec!["data"]),
        (with("predicate", &format!(r#"{{"eq":["network","{FABRIC}"]}}"#)), vec!["data", "scratch", "database"]),
        (format!("{}&size=10240", with("predicate", r#"{"eq":["state","ready"]}"#)), vec!["data"]),
    ] {
        assert_eq!(names(&get(&emulator, &query).await), wanted, "{query}");
    }
    for query in [
        with("name", "d*a"),
        with("size", "0"),
        with("size", "big"),
        with("state", "gone"),
        with("type", "zfs"),
        with("limit", "1"),
        with("as-role", "operator"),
        with("predicate", "{"),
        with("predicate", r#"{"eq":["owner","x"]}"#),
        format!("{}&name=data", with("predicate", r#"{"or":[{"eq":["name","scratch"]},{}]}"#)),
    ] {
        assert_eq!(refused(&get(&emulator, &query).await), (409, "InvalidArgument".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_volume_that_failed_is_hidden_until_asked_for() {
    let emulator = stepped().await;
    emulator.add_fault("POST /volumes fail".parse().unwrap());
    let path = made(&emulator, "logs").await;
    later(&emulator, 2000);
    let volume = get(&emulator, &path).await.json();
    assert_eq!((&volume["state"], volume.get("filesystem_path")), (&json!("failed"), None));
    assert_eq!(names(&get(&emulator, ALL).await), ["data", "scratch"]);
    assert_eq!(names(&get(&emulator, &with("state", "failed")).await), ["logs"]);
    assert_eq!(names(&get(&emulator, &with("predicate", r#"{"eq":["type","tritonnfs"]}"#)).await).len(), 3);
}

#[tokio::test]
async fn a_volume_is_renamed_unless_it_is_in_use() {
    let emulator = stepped().await;
    let list = get(&emulator, ALL).await.json();
    let path = |at: usize| format!("{ALL}/{}", list[at]["id"].as_str().unwrap());
    let got = post(&emulator, &path(1), &json!({ "name": "notes" })).await;
    assert_eq!((got.status, &got.json()["name"]), (200, &json!("notes")));
    assert_eq!(get(&emulator, &path(1)).await.json()["name"], "notes");
    let got = post(&emulator, &path(1), &json!({ "name": "data" })).await;
    assert_eq!(refused(&got), (409, "VolumeAlreadyExists".to_owned()));

    assert_eq!(list[0]["refs"], json!([BUILD]));
    for got in [post(&emulator, &path(0), &json!({ "name": "notes2" })).await, delete(&emulator, &path(0)).await] {
        assert_eq!(refused(&got), (409, "VolumeInUse".to_owned()));
    }
    delete(&emulator, &format!("/acme/machines/{BUILD}")).await;
    later(&emulator, 5000);
    assert_eq!(get(&emulator, &path(0)).await.json().get("refs"), None);
    assert_eq!(delete(&emulator, &path(0)).await.status, 204);
}

#[tokio::test]
async fn a_machine_mounts_volumes_that_are_ready_and_within_reach() {
    let emulator = stepped().await;
    let path = made(&emulator, "logs").await;
    let ask = |volume: &str, network: &str| {
        let volume = json!({ "name": volume, "mountpoint": "/mnt" });
        json!({ "image": BASE, "package": "g1-small", "networks": [network], "volumes": [volume] })
    };
    for name in ["logs", "nothing"] {
        let got = post(&emulator, "/acme/machines", &ask(name, FABRIC)).await;
        assert_eq!(refused(&got), (409, "ValidationFailed".to_owned()), "{name}");
        assert_eq!(got.json()["errors"][0]["field"], "volumes");
    }
    later(&emulator, 2000);
    let got = post(&emulator, "/acme/machines", &ask("logs", BACKEND)).await;
    assert_eq!(refused(&got), (500, "Error".to_owned()));
    let got = post(&emulator, "/acme/machines", &ask("logs", FABRIC)).await;
    assert_eq!(got.status, 201, "{got:?}");
    let refs = get(&emulator, &path).await.json()["refs"].clone();
    assert_eq!(refs, json!([got.json()["id"]]));
    assert_eq!(refused(&delete(&emulator, &path).await), (409, "VolumeInUse".to_owned()));
}

#[tokio::test]
async fn the_sizes_are_listed_and_nothing_of_volumes_has_a_head() {
    let emulator = stepped().await;
    let got = get(&emulator, "/acme/volumesizes?type=tritonnfs").await;
    let sizes = got.json();
    assert_eq!(sizes[0], json!({ "size": 10240, "type": "tritonnfs" }));
    assert_eq!(got.header("x-resource-count"), Some(sizes.as_array().unwrap().len().to_string()));
    assert_eq!(refused(&get(&emulator, "/acme/volumesizes?type=x").await), (409, "InvalidArgument".to_owned()));
    for path in [ALL, "/acme/volumesizes"] {
        assert_eq!(signed(&emulator, "HEAD", path, &[], "").await.status, 405, "{path}");
    }
}

#[tokio::test]
async fn volumes_addresses_and_interfaces_under_way_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept()).await.unwrap();
    let volume = made(&emulator, "logs").await;
    let ip = format!("/acme/networks/{BACKEND}/ips/10.10.0.9");
    let reserved = put(&emulator, &ip, &json!({ "reserved": true })).await.json();
    let nics = format!("/acme/machines/{BUILD}/nics");
    let nic = post(&emulator, &nics, &json!({ "network": BACKEND })).await.header("Location").unwrap();
    emulator.stop().await.unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    assert_eq!(get(&emulator, &volume).await.json()["state"], "creating");
    assert_eq!(get(&emulator, &nic).await.json()["state"], "provisioning");
    assert_eq!(get(&emulator, &ip).await.json(), reserved);
    later(&emulator, 2000);
    assert_eq!(get(&emulator, &volume).await.json()["state"], "ready");
    assert_eq!(get(&emulator, &nic).await.json()["state"], "stopped");
    assert_eq!(get(&emulator, ALL).await.json()[0]["refs"], json!([BUILD]));
}
