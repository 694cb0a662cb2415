//! Images: made from machines, imported, changed, exported, cloned, deleted.

use std::time::Duration;

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, get, post, signed, stepped};

const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
/// Stopped, of brand lx.
const BUILD: &str = "07a5e9d4-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
/// Stopped, of brand bhyve.
const DB1: &str = "c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const OWN: &str = "d0c4f6a8-3e5a-4b7c-9d9e-2f3a4b5c6d01";
const DEBIAN_LX: &str = "4fa8067d-2d4f-4a6b-8c8d-1e2f3a4b5c02";
/// In the other data center: the account's, one that is shared with it, the operator's.
const OWN_THERE: &str = "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d02";
const SHARED_THERE: &str = "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d03";
const OPERATORS_THERE: &str = "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d04";
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

fn refused(got: &Got) -> (u16, String) {
    (got.status, got.code())
}

fn with(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn act(emulator: &Emulator, image: &str, action: &str, body: &Value) -> Got {
    post(emulator, &format!("/acme/images/{image}?action={action}"), body).await
}

async fn import(emulator: &Emulator, datacenter: &str, id: &str) -> Got {
    let path = format!("/acme/images?action=import-from-datacenter&datacenter={datacenter}&id={id}");
    post(emulator, &path, &json!({})).await
}

async fn make(emulator: &Emulator, machine: &str) -> Got {
    post(emulator, "/acme/images", &json!({ "machine": machine, "name": "mine", "version": "1.0.0" })).await
}

async fn names(emulator: &Emulator, query: &str) -> Vec<String> {
    let rows = get(emulator, &format!("/acme/images{query}")).await.json();
    rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_image_of_a_stopped_machine_is_creating_then_active() {
    let emulator = stepped().await;
    let ask = json!({
        "machine": BUILD, "name": "mine", "version": "1.0.0", "description": "d", "homepage": "https://example.com/",
        "eula": "https://example.com/eula", "acl": [NOBODY], "tags": { "a": "b" },
    });
    let got = post(&emulator, "/acme/images", &ask).await;
    assert_eq!(got.status, 201, "{got:?}");
    let made = got.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(made, json!({ "id": id, "name": "mine", "version": "1.0.0", "requirements": {}, "state": "creating" }));
    assert_eq!(got.header("Location"), Some(format!("/acme/images/{id}")));
    assert!(got.header("x-joyent-jobid").is_some());
    let path = format!("/acme/images/{id}");
    later(&emulator, 2999);
    let before = get(&emulator, &path).await.json();
    assert_eq!((&before["state"], before.get("published_at")), (&json!("creating"), None));
    assert!(!names(&emulator, "").await.contains(&"mine".to_owned()));
    assert_eq!(names(&emulator, "?state=creating").await, ["mine"]);
    later(&emulator, 1);
    let after = get(&emulator, &path).await.json();
    assert_eq!((&after["state"], &after["origin"]), (&json!("active"), &json!(DEBIAN_LX)));
    assert_eq!((&after["type"], &after["os"]), (&json!("lx-dataset"), &json!("linux")));
    assert_eq!((&after["acl"], &after["tags"]["a"], &after["eula"]), (&json!([NOBODY]), &json!("b"), &ask["eula"]));
    assert!(after["published_at"].is_string() && after["files"][0]["size"].is_u64());
    assert!(names(&emulator, "").await.contains(&"mine".to_owned()));
    // It is good for machines.
    let ask = json!({ "image": id, "package": "g1-small" });
    assert_eq!(post(&emulator, "/acme/machines", &ask).await.status, 201);
}

#[tokio::test]
async fn an_image_of_a_bhyve_machine_has_a_size() {
    let emulator = stepped().await;
    let id = make(&emulator, DB1).await.json()["id"].as_str().unwrap().to_owned();
    later(&emulator, 3000);
    let made = get(&emulator, &format!("/acme/images/{id}")).await.json();
    assert_eq!((&made["type"], &made["image_size"]), (&json!("zvol"), &json!(10_240)));
}

#[tokio::test]
async fn an_image_that_is_planned_to_fail_says_why() {
    let emulator = stepped().await;
    emulator.add_fault("POST /images fail times=1".parse().unwrap());
    let id = make(&emulator, BUILD).await.json()["id"].as_str().unwrap().to_owned();
    later(&emulator, 3000);
    let failed = get(&emulator, &format!("/acme/images/{id}")).await.json();
    assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("PrepareImageDidNotRun")));
    assert!(failed["error"]["message"].is_string());
    let ask = json!({ "image": id, "package": "g1-small" });
    assert_eq!(refused(&post(&emulator, "/acme/machines", &ask).await), with(409, "InvalidArgument"));
}

#[tokio::test]
async fn images_that_cannot_be_made_are_refused() {
    let emulator = stepped().await;
    let good = json!({ "machine": BUILD, "name": "mine", "version": "1.0.0" });
    for (change, status, code) in [
        (json!({ "machine": null }), 409, "MissingParameter"),
        (json!({ "name": null }), 409, "MissingParameter"),
        (json!({ "version": "" }), 409, "MissingParameter"),
        (json!({ "machine": NOBODY }), 404, "ResourceNotFound"),
        (json!({ "machine": "84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d" }), 410, ""),
        (json!({ "name": "x".repeat(513) }), 422, "ValidationFailed"),
        (json!({ "version": "x".repeat(129) }), 422, "ValidationFailed"),
        (json!({ "acl": ["me"] }), 422, "ValidationFailed"),
        (json!({ "tags": [] }), 422, "ValidationFailed"),
        (json!({ "homepage": "example.com" }), 422, "ValidationFailed"),
    ] {
        let mut ask = good.clone();
        ask.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(refused(&post(&emulator, "/acme/images", &ask).await), with(status, code), "{change}");
    }
}

#[tokio::test]
async fn an_image_is_imported_under_its_id_and_only_once() {
    let emulator = stepped().await;
    let got = import(&emulator, "local-2", OWN_THERE).await;
    assert_eq!((got.status, &got.json()["id"], &got.json()["name"]), (200, &json!(OWN_THERE), &json!("acme-db")));
    assert!(names(&emulator, "").await.contains(&"acme-db".to_owned()));
    for (datacenter, id, status, code) in [
        ("local-2", OWN_THERE, 409, "ImageUuidAlreadyExists"),
        ("local-2", OPERATORS_THERE, 403, "OperatorOnly"),
        ("local-2", NOBODY, 404, "ResourceNotFound"),
        ("local-2", "acme-db", 409, "InvalidArgument"),
        ("local-1", SHARED_THERE, 409, "InvalidArgument"),
        ("nowhere", SHARED_THERE, 409, "InvalidArgument"),
        ("", SHARED_THERE, 409, "MissingParameter"),
        ("local-2", "", 409, "MissingParameter"),
    ] {
        assert_eq!(refused(&import(&emulator, datacenter, id).await), with(status, code), "{datacenter} {id}");
    }
}

#[tokio::test]
async fn an_image_is_changed_by_its_owner_and_lists_in_it_are_replaced() {
    let emulator = stepped().await;
    let change = json!({ "name": "acme-www", "acl": [NOBODY, BASE], "tags": { "x": 1 } });
    let got = act(&emulator, OWN, "update", &change).await;
    assert_eq!((got.status, &got.json()["name"], &got.json()["version"]), (200, &json!("acme-www"), &json!("1.4.0")));
    act(&emulator, OWN, "update", &json!({ "acl": [BASE], "description": "" })).await;
    let kept = get(&emulator, &format!("/acme/images/{OWN}")).await.json();
    assert_eq!((&kept["acl"], &kept["tags"], kept.get("description")), (&json!([BASE]), &json!({ "x": 1 }), None));
    assert_eq!(refused(&act(&emulator, BASE, "update", &change).await), with(422, "NotImageOwner"));
    assert_eq!(refused(&act(&emulator, NOBODY, "update", &change).await), with(404, "ResourceNotFound"));
    assert_eq!(refused(&act(&emulator, OWN, "paint", &change).await), with(409, "InvalidArgument"));
    let none = post(&emulator, &format!("/acme/images/{OWN}"), &change).await;
    assert_eq!(refused(&none), with(409, "MissingParameter"));
    for bad in [json!({ "name": 1 }), json!({ "acl": "all" }), json!({ "tags": "x" }), json!({ "eula": "no" })] {
        assert_eq!(refused(&act(&emulator, OWN, "update", &bad).await), with(422, "ValidationFailed"), "{bad}");
    }
}

#[tokio::test]
async fn an_image_is_exported_to_the_accounts_own_folders() {
    let emulator = stepped().await;
    for (path, start) in [
        ("/acme/stor", "/acme/stor/acme-web-1.4.0"),
        ("/acme/stor/images/", "/acme/stor/images/acme-web-1.4.0"),
        ("/acme/stor/images/www", "/acme/stor/images/www"),
    ] {
        let got = act(&emulator, OWN, "export", &json!({ "manta_path": path })).await.json();
        assert_eq!(got["image_path"], format!("{start}.zfs.gz"));
        assert_eq!(got["manifest_path"], format!("{start}.imgmanifest"));
        assert!(got["manta_url"].as_str().unwrap().starts_with("https://"));
    }
    for path in ["/other/stor", "acme/stor", "/acme/../other/stor", "/acmeother/stor"] {
        let got = act(&emulator, OWN, "export", &json!({ "manta_path": path })).await;
        assert_eq!(refused(&got), with(422, "NotMantaPathOwner"), "{path}");
    }
    assert_eq!(refused(&act(&emulator, OWN, "export", &json!({})).await), with(409, "MissingParameter"));
    let got = act(&emulator, BASE, "export", &json!({ "manta_path": "/acme/stor" })).await;
    assert_eq!(refused(&got), with(422, "NotImageOwner"));
}

#[tokio::test]
async fn an_image_that_is_shared_can_be_cloned() {
    let emulator = stepped().await;
    import(&emulator, "local-2", SHARED_THERE).await;
    let got = act(&emulator, SHARED_THERE, "clone", &json!({})).await;
    assert_eq!(got.status, 200, "{got:?}");
    let (copy, first) = (got.json(), get(&emulator, &format!("/acme/images/{SHARED_THERE}")).await.json());
    assert_ne!(copy["id"], first["id"]);
    assert_eq!((&copy["name"], copy.get("acl")), (&json!("partner-app"), None));
    assert_eq!(copy["owner"], get(&emulator, "/acme").await.json()["id"]);
    assert_eq!(refused(&act(&emulator, BASE, "clone", &json!({})).await), with(422, "ImageNotShared"));
    assert_eq!(refused(&act(&emulator, OWN, "clone", &json!({})).await), with(422, "ImageNotShared"));
    // What another account shares cannot be deleted, the clone can.
    let id = copy["id"].as_str().unwrap();
    let path = format!("/acme/images/{SHARED_THERE}");
    assert_eq!(refused(&signed(&emulator, "DELETE", &path, &[], "").await), with(422, "NotImageOwner"));
    assert_eq!(signed(&emulator, "DELETE", &format!("/acme/images/{id}"), &[], "").await.status, 204);
}

#[tokio::test]
async fn an_image_is_deleted_once_nothing_depends_on_it() {
    let emulator = stepped().await;
    signed(&emulator, "POST", &format!("/acme/machines/{WEB1}?action=stop"), &[], "").await;
    later(&emulator, 1000);
    let child = make(&emulator, WEB1).await.json()["id"].as_str().unwrap().to_owned();
    let (parent, child) = (format!("/acme/images/{OWN}"), format!("/acme/images/{child}"));
    assert_eq!(refused(&signed(&emulator, "DELETE", &parent, &[], "").await), with(422, "ImageHasDependentImages"));
    assert_eq!(signed(&emulator, "DELETE", &child, &[], "").await.status, 204);
    assert_eq!(get(&emulator, &child).await.status, 404);
    assert_eq!(signed(&emulator, "DELETE", &parent, &[], "").await.status, 204);
    let base = format!("/acme/images/{BASE}");
    assert_eq!(refused(&signed(&emulator, "DELETE", &base, &[], "").await), with(422, "NotImageOwner"));
    // The work on an image that is gone harms nobody.
    later(&emulator, 5000);
    assert_eq!(get(&emulator, &child).await.status, 404);
}

#[tokio::test]
async fn images_are_filtered_by_everything_they_can_be_filtered_by() {
    let emulator = stepped().await;
    let me = get(&emulator, "/acme").await.json()["id"].as_str().unwrap().to_owned();
    for (query, want) in [
        (format!("?owner={me}"), vec!["acme-web"]),
        ("?public=false".to_owned(), vec!["acme-web"]),
        ("?name=~lx".to_owned(), vec!["debian-12-lx"]),
        ("?name=base-64&state=disabled".to_owned(), vec!["base-64"]),
        ("?os=windows".to_owned(), vec!["windows-2022"]),
        ("?type=lx-dataset".to_owned(), vec!["debian-12-lx"]),
        ("?version=24.4.1".to_owned(), vec!["base-64"]),
        ("?type=docker".to_owned(), vec![]),
    ] {
        assert_eq!(names(&emulator, &query).await, want, "{query}");
    }
    let old = [("Accept-Version", "~7")];
    let got = signed(&emulator, "GET", "/acme/images?type=virtualmachine", &old, "").await.json();
    assert_eq!(got.as_array().unwrap().len(), 3);
    let got = signed(&emulator, "GET", "/acme/images?type=zvol", &old, "").await;
    assert_eq!(refused(&got), with(409, "InvalidArgument"));
}

#[tokio::test]
async fn an_unknown_action_on_all_images_is_never_answered() {
    let emulator = stepped().await;
    let asked = make_up(&emulator);
    assert!(tokio::time::timeout(Duration::from_millis(300), asked).await.is_err(), "it was answered");
    assert_eq!(emulator.requests().last().map(|seen| seen.status), Some(0));
}

async fn make_up(emulator: &Emulator) -> Got {
    post(emulator, "/acme/images?action=conjure", &json!({ "machine": BUILD, "name": "a", "version": "1" })).await
}
