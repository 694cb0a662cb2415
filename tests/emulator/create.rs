//! Machines that are asked for with more than an image and a package, and where they are put.

use std::time::Duration;

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, get, options, post, signed, stepped};

const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const UBUNTU: &str = "c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01";
const WINDOWS: &str = "77b04c9e-2d4f-4a6b-8c8d-1e2f3a4b5c04";
const OWN: &str = "d0c4f6a8-3e5a-4b7c-9d9e-2f3a4b5c6d01";
const SHARED_THERE: &str = "e1d5a7b9-3e5a-4b7c-9d9e-2f3a4b5c6d03";
/// The network of the first public pool.
const POOLED: &str = "4d8e1b73-5a7c-4d9e-9fb0-4b5c6d7e8f07";
const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB0: &str = "/acme/machines/51b7c6ea-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

/// Asks for a small machine, with more said of it.
async fn make(emulator: &Emulator, more: Value) -> Got {
    let mut ask = json!({ "image": BASE, "package": "g1-small" });
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(emulator, "/acme/machines", &ask).await
}

/// The machine that was made, once it runs.
async fn made(emulator: &Emulator, got: &Got) -> Value {
    assert_eq!(got.status, 201, "{got:?}");
    later(emulator, 2000);
    let id = got.json()["id"].as_str().unwrap().to_owned();
    get(emulator, &format!("/acme/machines/{id}")).await.json()
}

async fn flexible(emulator: &Emulator, disks: Value) -> Got {
    make(emulator, json!({ "image": UBUNTU, "package": "b1-flex", "disks": disks })).await
}

fn refused(got: &Got) -> (u16, String) {
    (got.status, got.code())
}

fn with(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn disks_are_made_as_they_are_asked_for() {
    let emulator = stepped().await;
    let id = "0a1b2c3d-0000-4000-8000-000000000001";
    let disks = json!([
        { "image": UBUNTU, "boot": true }, { "id": id, "size": 1024, "block_size": 4096 }, { "size": "remaining" },
    ]);
    let machine = made(&emulator, &flexible(&emulator, disks).await).await;
    let disks = machine["disks"].as_array().unwrap();
    assert_eq!(
        (&disks[0]["size"], &disks[0]["boot"], &disks[0]["image"]),
        (&json!(10_240), &json!(true), &json!(UBUNTU))
    );
    assert_eq!(disks[1], json!({ "id": id, "size": 1024, "block_size": 4096 }));
    assert_eq!((&disks[2]["size"], &machine["free_space"]), (&json!(204_800 - 10_240 - 1024), &json!(0)));
    let path = format!("/acme/machines/{}/disks/{id}", machine["id"].as_str().unwrap());
    let disk = get(&emulator, &path).await.json();
    assert_eq!(
        (&disk["block_size"], &disk["pci_slot"], &disk["state"]),
        (&json!(4096), &json!("0:4:1"), &json!("running"))
    );
    // Without any word of disks there are the image's, and one of the rest.
    let plain = made(&emulator, &make(&emulator, json!({ "image": UBUNTU, "package": "b1-flex" })).await).await;
    let sizes: Vec<_> = plain["disks"].as_array().unwrap().iter().map(|disk| disk["size"].clone()).collect();
    assert_eq!(sizes, [10_240, 204_800 - 10_240]);
}

#[tokio::test]
async fn disks_that_cannot_be_are_refused() {
    let emulator = stepped().await;
    for disks in [
        json!([]),
        json!("all"),
        json!(vec![json!({ "size": 100 }); 9]),
        json!(["x"]),
        json!([{ "size": 10_239 }]),
        json!([{ "size": 204_801 }]),
        json!([{}, { "size": "some" }]),
        json!([{}, { "size": -1 }]),
        json!([{}, { "size": "remaining" }, { "size": "remaining" }]),
        json!([{ "size": 204_800 }, { "size": "remaining" }]),
        json!([{}, { "size": 100, "image": UBUNTU }]),
        json!([{ "image": BASE }]),
        json!([{ "block_size": 4096 }]),
        json!([{}, { "size": 100, "block_size": 4095 }]),
        json!([{}, { "size": 100, "block_size": 256 }]),
        json!([{}, { "size": 100, "block_size": 262_144 }]),
        json!([{}, { "size": 100, "boot": true }]),
        json!([{ "boot": false }]),
        json!([{ "id": "one" }]),
        json!([{ "id": WEB1 }, { "id": WEB1, "size": 100 }]),
    ] {
        assert_eq!(refused(&flexible(&emulator, disks.clone()).await), with(409, "InvalidArgument"), "{disks}");
    }
    assert_eq!(refused(&flexible(&emulator, json!([{}, {}])).await), with(409, "MissingParameter"));
    let got = make(&emulator, json!({ "image": UBUNTU, "package": "b1-medium", "disks": [{}] })).await;
    assert_eq!(refused(&got), with(409, "InvalidArgument"));
    // Those of a container are not looked at.
    let got = make(&emulator, json!({ "image": BASE, "package": "g1-small", "disks": [{}] })).await;
    assert_eq!(got.status, 201, "{got:?}");
}

#[tokio::test]
async fn a_machine_without_ssh_needs_a_password_which_is_shown_only_when_asked_for() {
    let emulator = stepped().await;
    let windows = json!({ "image": WINDOWS, "package": "k1-medium" });
    assert_eq!(refused(&make(&emulator, windows.clone()).await), with(409, "MissingParameter"));
    for name in ["password", "administrator_pw"] {
        // The account may have one such machine more.
        let emulator = stepped().await;
        let mut ask = windows.clone();
        ask.as_object_mut().unwrap().insert(name.to_owned(), "s3cret-word".into());
        let got = make(&emulator, ask).await;
        assert!(!String::from_utf8_lossy(&got.body).contains("s3cret-word"));
        let path = format!("/acme/machines/{}", made(&emulator, &got).await["id"].as_str().unwrap());
        let shown = get(&emulator, &format!("{path}?credentials=true")).await.json();
        assert_eq!(shown["metadata"]["credentials"]["administrator"], "s3cret-word");
    }
    let image = get(&emulator, &format!("/acme/images/{WINDOWS}")).await.json();
    assert_eq!(image.get("needs_password"), None);
}

#[tokio::test]
async fn networks_of_one_kind_can_be_asked_for() {
    let emulator = stepped().await;
    for (ask, want) in [
        (json!(["external"]), vec![POOLED]),
        (json!(["internal"]), vec![PRIVATE]),
        (json!(["internal", "external", "internal"]), vec![POOLED, PRIVATE]),
        (json!(["fast"]), vec![]),
    ] {
        let machine = made(&emulator, &make(&emulator, json!({ "default_networks": ask })).await).await;
        assert_eq!(machine["networks"], json!(want));
    }
}

#[tokio::test]
async fn a_shared_image_is_used_only_with_consent_in_the_newest_version() {
    let emulator = stepped().await;
    let import = format!("/acme/images?action=import-from-datacenter&datacenter=local-2&id={SHARED_THERE}");
    assert_eq!(post(&emulator, &import, &json!({})).await.status, 200);
    let ask = |more: Value| make(&emulator, more);
    assert_eq!(refused(&ask(json!({ "image": SHARED_THERE })).await), with(409, "InvalidArgument"));
    let word = json!({ "image": SHARED_THERE, "allow_shared_images": "true" });
    assert_eq!(refused(&ask(word).await), with(409, "InvalidArgument"));
    assert_eq!(ask(json!({ "image": SHARED_THERE, "allow_shared_images": true })).await.status, 201);
    let body = json!({ "image": SHARED_THERE, "package": "g1-small" }).to_string();
    let headers = [("Accept-Version", "~8"), ("Content-Type", "application/json")];
    assert_eq!(signed(&emulator, "POST", "/acme/machines", &headers, &body).await.status, 201);
    assert_eq!(ask(json!({ "image": OWN })).await.status, 201, "one's own is not shared");
}

#[tokio::test]
async fn flags_count_only_as_booleans() {
    let emulator = stepped().await;
    for (value, on) in [(json!(true), true), (json!("true"), false), (json!(1), false)] {
        let ask = json!({ "deletion_protection": value, "encrypted": value, "delegate_dataset": value });
        let machine = made(&emulator, &make(&emulator, ask).await).await;
        assert_eq!(machine["deletion_protection"], on);
        assert_eq!((machine.get("encrypted").is_some(), machine.get("delegate_dataset").is_some()), (on, on));
    }
    assert_eq!(refused(&make(&emulator, json!({ "bootrom": "uefi" })).await), with(409, "InvalidArgument"));
}

/// The node of a machine made under this rule.
async fn node(emulator: &Emulator, rule: Value) -> Value {
    made(emulator, &make(emulator, rule).await).await["compute_node"].clone()
}

#[tokio::test]
async fn machines_are_put_where_the_rules_say() {
    let emulator = stepped().await;
    // All machines of the demo are on one node.
    let home = get(&emulator, DB0).await.json()["compute_node"].clone();
    for rule in ["instance==web1", "container==web*", "instance==/^web\\d$/", "role==db", "weight==10", "role==~db"] {
        assert_eq!(node(&emulator, json!({ "affinity": [rule] })).await, home, "{rule}");
    }
    for rule in ["instance!=web1", "instance!=/^(db|web)[0-9]+$/", "stage!=prod", "role!=~w*"] {
        assert_ne!(node(&emulator, json!({ "affinity": rule })).await, home, "{rule}");
    }
    let (near, far) = (json!({ "near": WEB1, "strict": true }), json!({ "far": [WEB1] }));
    assert_eq!(node(&emulator, json!({ "locality": near })).await, home);
    assert_ne!(node(&emulator, json!({ "locality": far })).await, home);
}

#[tokio::test]
async fn rules_that_cannot_be_satisfied_are_refused_and_wishes_are_not() {
    let emulator = stepped().await;
    let ask = |rule: &str| json!({ "affinity": [rule], "tag.group": "spread" });
    // One a node, those under way included, and then there is no node left.
    for _ in 0..3 {
        assert_eq!(make(&emulator, ask("group!=spread")).await.status, 201);
    }
    let got = make(&emulator, ask("group!=spread")).await;
    assert_eq!(
        (refused(&got), &got.json()["errors"][0]["code"]),
        (with(409, "ValidationFailed"), &json!("InsufficientCapacity"))
    );
    assert_eq!(make(&emulator, ask("instance==nobody")).await.status, 409);
    assert_eq!(make(&emulator, ask("group!=~spread")).await.status, 201);
    assert_eq!(make(&emulator, ask("instance==~nobody")).await.status, 201);
    later(&emulator, 2000);
    let rows = get(&emulator, "/acme/machines?tag.group=spread").await.json();
    let mut nodes: Vec<_> = rows.as_array().unwrap().iter().take(3).map(|row| row["compute_node"].as_str()).collect();
    nodes.sort_unstable();
    nodes.dedup();
    assert_eq!(nodes.len(), 3);
    for bad in [
        json!({ "affinity": ["instance==/(/"] }),
        json!({ "affinity": [1] }),
        json!({ "locality": "near" }),
        json!({ "locality": { "near": "web1" } }),
        json!({ "locality": { "strict": "yes" } }),
    ] {
        assert_eq!(refused(&make(&emulator, bad.clone()).await), with(409, "InvalidArgument"), "{bad}");
    }
}

#[tokio::test]
async fn tags_of_the_platform_must_make_sense() {
    let emulator = stepped().await;
    for (name, value) in [
        ("tag.triton.cns.services", json!("web:0")),
        ("tag.triton.cns.services", json!("")),
        ("tag.triton.cns.services", json!(80)),
        ("tag.triton.cmon.groups", json!("a,a")),
        ("tag.triton.cns.reverse_ptr", json!("a..b")),
    ] {
        let got = make(&emulator, json!({ name: value })).await;
        assert_eq!(refused(&got), with(409, "ValidationFailed"), "{name} {value}");
    }
}

#[tokio::test]
async fn services_have_names_while_their_machine_is_up() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept()).await.unwrap();
    let path = format!("/acme/machines/{WEB1}");
    assert_eq!(get(&emulator, &path).await.json().get("dns_names"), None);
    emulator.stop().await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"cns\":false", "\"cns\":true", 1)).unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    let tags = json!({ "triton.cns.services": "web:80,api:8080:weight=2,web:443" });
    assert_eq!(post(&emulator, &format!("{path}/tags"), &tags).await.status, 200);
    later(&emulator, 200);
    let names = |got: Got| -> Vec<String> {
        let names = got.json()["dns_names"].as_array().unwrap().clone();
        names.iter().map(|name| name.as_str().unwrap().split('.').take(2).collect::<Vec<_>>().join(".")).collect()
    };
    let inst = [format!("{WEB1}.inst"), "web1.inst".to_owned()];
    let all = [inst.as_slice(), &["web.svc".to_owned(), "api.svc".to_owned()]].concat();
    assert_eq!(names(get(&emulator, &path).await), all);
    assert_eq!(get(&emulator, "/acme/machines").await.json()[0].get("dns_names"), None);
    post(&emulator, &format!("{path}/metadata"), &json!({ "triton.cns.status": "down" })).await;
    later(&emulator, 200);
    assert_eq!(names(get(&emulator, &path).await), inst);
    assert_eq!(refused(&make(&emulator, json!({ "name": "x".repeat(64) })).await), with(409, "InvalidArgument"));
    assert_eq!(make(&emulator, json!({ "name": "x".repeat(63) })).await.status, 201);
}

#[tokio::test]
async fn a_resize_keeps_to_the_traits_and_the_disks() {
    let emulator = stepped().await;
    let web1 = format!("/acme/machines/{WEB1}");
    let ask = |package: &str| json!({ "action": "resize", "package": package });
    assert_eq!(post(&emulator, &web1, &ask("g1-large")).await.status, 202);
    for package in ["6c18d3a5-4f6b-4c8d-8eaf-3a4b5c6d7e04", "b1-flex", "nope"] {
        assert_eq!(refused(&post(&emulator, &web1, &ask(package)).await), with(409, "InvalidArgument"), "{package}");
    }
    assert_eq!(post(&emulator, DB0, &ask("b1-flex")).await.status, 202);
    assert_eq!(refused(&post(&emulator, DB0, &ask("b1-medium")).await), with(409, "InvalidArgument"));
}
