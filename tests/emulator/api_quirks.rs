//! Odd corners of the real server that the emulator has too.

use std::time::Duration;

use serde_json::{Value, json};

use super::ssh_keygen_interop::{get, post, send, signed, stepped};

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const UBUNTU: &str = "c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01";

#[tokio::test]
async fn a_key_is_taken_only_in_the_types_of_its_route() {
    let emulator = stepped().await;
    for kind in ["application/xml", "application/x-www-form-urlencoded", "text/html"] {
        let got = signed(&emulator, "POST", "/acme/keys", &[("Content-Type", kind)], "<key/>").await;
        assert_eq!((got.status, got.code().as_str()), (415, "UnsupportedMediaTypeError"), "{kind}");
    }
    for kind in ["text/plain", "application/octet-stream", "application/json; charset=utf-8"] {
        let got = signed(&emulator, "POST", "/acme/keys", &[("Content-Type", kind)], "{}").await;
        assert_eq!((got.status, got.code().as_str()), (409, "MissingParameter"), "{kind}");
    }
}

#[tokio::test]
async fn tags_that_docker_keeps_are_refused_after_the_machine_was_made() {
    let emulator = stepped().await;
    for name in
        ["sdc_docker", "docker:label:com.docker.x", "docker:label:io.dockerproject.y", "docker:label:org.docker.z"]
    {
        for method in ["POST", "PUT"] {
            let json = [("Content-Type", "application/json")];
            let body = json!({ name: "x" }).to_string();
            let got = signed(&emulator, method, &format!("{WEB1}/tags"), &json, &body).await;
            assert_eq!((got.status, got.code().as_str()), (409, "ValidationFailed"), "{method} {name}");
        }
    }
    // What has them keeps them when all tags are replaced, and cannot be rid of them.
    let cache = WEB1.replace("3c1f8a52", "2b94c8f7");
    let json = [("Content-Type", "application/json")];
    let put = signed(&emulator, "PUT", &format!("{cache}/tags"), &json, r#"{"a":"b"}"#).await;
    assert_eq!(put.status, 200);
    emulator.clock().advance(Duration::from_secs(5));
    assert_eq!(get(&emulator, &format!("{cache}/tags")).await.json(), json!({ "sdc_docker": true, "a": "b" }));
    assert_eq!(signed(&emulator, "DELETE", &format!("{cache}/tags"), &[], "").await.status, 409);
    let own = json!({ "docker:label:com.example.docker": "x", "docker:label:com.dockers.x": "x" });
    assert_eq!(post(&emulator, &format!("{WEB1}/tags"), &own).await.status, 200);
}

#[tokio::test]
async fn deleting_all_metadata_leaves_two_ids_in_it() {
    let emulator = stepped().await;
    post(&emulator, &format!("{WEB1}/metadata"), &json!({ "own": "x", "root_authorized_keys": "k" })).await;
    emulator.clock().advance(Duration::from_secs(5));
    assert_eq!(signed(&emulator, "DELETE", &format!("{WEB1}/metadata"), &[], "").await.status, 204);
    emulator.clock().advance(Duration::from_secs(5));
    let owner = get(&emulator, "/acme").await.json()["id"].clone();
    let left = get(&emulator, &format!("{WEB1}/metadata")).await.json();
    let id = WEB1.rsplit('/').next();
    assert_eq!(left, json!({ "root_authorized_keys": "k", "uuid": id, "owner_uuid": owner }));
}

#[tokio::test]
async fn volumes_that_cannot_be_are_never_answered() {
    let emulator = stepped().await;
    let ask = |image: &str, volumes: Value| json!({ "image": image, "package": "g1-small", "volumes": volumes });
    for volumes in [json!([{ "name": "data" }]), json!(["data"]), json!([{ "name": "data", "mountpoint": "//" }])] {
        let ask = ask(BASE, volumes);
        let got = tokio::time::timeout(Duration::from_millis(300), post(&emulator, "/acme/machines", &ask)).await;
        assert!(got.is_err(), "{ask}: {got:?}");
        assert_eq!(emulator.requests().last().map(|seen| seen.status), Some(0));
    }
    let good = json!([{ "name": "data", "mountpoint": "/data", "mode": "ro", "type": "tritonnfs" }]);
    let mut mounts = ask(BASE, good.clone());
    mounts["networks"] = get(&emulator, "/acme/volumes").await.json()[0]["networks"].clone();
    assert_eq!(post(&emulator, "/acme/machines", &mounts).await.status, 201);
    let mut hvm = ask(UBUNTU, good);
    hvm["package"] = get(&emulator, WEB1).await.json()["package"].clone();
    hvm["brand"] = "bhyve".into();
    for package in get(&emulator, "/acme/packages").await.json().as_array().unwrap() {
        hvm["package"] = package["name"].clone();
        assert_eq!(post(&emulator, "/acme/machines", &hvm).await.status, 409, "{hvm}");
    }
}

#[tokio::test]
async fn an_images_need_of_memory_is_told_twice() {
    let emulator = stepped().await;
    let image = get(&emulator, &format!("/acme/images/{UBUNTU}")).await.json();
    let needs = &image["requirements"];
    assert!(needs["min_ram"].is_number(), "{image}");
    assert_eq!(needs["min_ram"], needs["min_memory"]);
    assert_eq!(needs.get("max_memory"), None);
}

#[tokio::test]
async fn the_root_and_the_documentation_lead_elsewhere_whoever_asks() {
    let emulator = stepped().await;
    for path in ["/", "/docs", "/docs/", "/docs/api", "/favicon.ico"] {
        let got = send(&emulator, "GET", path, &[], "").await;
        assert_eq!((got.status, got.body.len()), (302, 0), "{path}");
        assert!(got.header("Location").is_some_and(|to| to.starts_with("https://")), "{path}");
    }
    assert_eq!(send(&emulator, "GET", "/docsy", &[], "").await.status, 401);
}
