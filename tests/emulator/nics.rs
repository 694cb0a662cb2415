//! Interfaces that machines get and lose, which reboots them.

use std::time::Duration;

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::ssh_keygen_interop::{changed, delete, get, post, refused, signed, stepped};

const WEB1: &str = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB1: &str = "/acme/machines/c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const GONE: &str = "/acme/machines/84d3e71b-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const FABRIC: &str = "6d40b97f-5a7c-4d9e-9fb0-4b5c6d7e8f03";
const BACKEND: &str = "b55ec213-5a7c-4d9e-9fb0-4b5c6d7e8f04";
const STORAGE: &str = "803f6ad9-5a7c-4d9e-9fb0-4b5c6d7e8f05";
const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";

fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

async fn newest(emulator: &Emulator, machine: &str) -> (Value, Value) {
    let entry = get(emulator, &format!("{machine}/audit")).await.json()[0].clone();
    (entry["action"].clone(), entry["success"].clone())
}

fn plain(mac: &Value) -> String {
    mac.as_str().unwrap().replace(':', "")
}

#[tokio::test]
async fn the_interfaces_of_a_machine_are_listed_and_got_by_their_address_without_colons() {
    let emulator = stepped().await;
    let got = get(&emulator, &format!("{WEB1}/nics")).await;
    let nics = got.json();
    assert_eq!(got.header("x-resource-count").as_deref(), Some("2"));
    assert_eq!((&nics[0]["primary"], &nics[0]["state"]), (&json!(true), &json!("running")));
    let one = format!("{WEB1}/nics/{}", plain(&nics[1]["mac"]));
    assert_eq!(get(&emulator, &one).await.json(), nics[1]);
    let head = signed(&emulator, "HEAD", &format!("{WEB1}/nics"), &[], "").await;
    assert_eq!((head.status, head.header("x-resource-count").as_deref()), (200, Some("2")));
    // Whose machine it is, the path does not decide.
    assert_eq!(get(&emulator, &one.replace(WEB1, DB1)).await.json(), nics[1]);
    let colons = get(&emulator, &format!("{WEB1}/nics/{}", nics[1]["mac"].as_str().unwrap())).await;
    assert_eq!(refused(&colons), (409, "InvalidArgument".to_owned()));
    let unknown = get(&emulator, &format!("{WEB1}/nics/0123456789ab")).await;
    assert_eq!(refused(&unknown), (404, "ResourceNotFound".to_owned()));
    assert_eq!(get(&emulator, &format!("{DB1}/nics")).await.json()[0]["state"], "stopped");
    assert_eq!(get(&emulator, &format!("{GONE}/nics")).await.json(), json!([]));
    let old = signed(&emulator, "GET", &format!("{WEB1}/nics"), &[("Accept-Version", "~7.1")], "").await;
    assert_eq!(refused(&old), (400, "InvalidVersion".to_owned()));
}

#[tokio::test]
async fn a_new_interface_is_provisioned_while_the_machine_reboots() {
    let emulator = stepped().await;
    let got = post(&emulator, &format!("{WEB1}/nics"), &json!({ "network": BACKEND })).await;
    assert_eq!(got.status, 201, "{got:?}");
    let nic = got.json();
    let one = format!("{WEB1}/nics/{}", plain(&nic["mac"]));
    assert_eq!(got.header("Location").as_deref(), Some(one.as_str()));
    assert_eq!(
        (&nic["state"], &nic["ip"], &nic["network"]),
        (&json!("provisioning"), &json!("10.10.0.5"), &json!(BACKEND))
    );
    assert_eq!((&nic["primary"], nic.get("gateway")), (&json!(false), None));
    assert_eq!(get(&emulator, &one).await.json()["state"], "provisioning");
    let machine = get(&emulator, WEB1).await.json();
    assert_eq!((machine["nics"].as_array().unwrap().len(), machine["ips"].as_array().unwrap().len()), (2, 2));
    later(&emulator, 500);
    assert_eq!(get(&emulator, WEB1).await.json()["state"], "ready");
    later(&emulator, 500);
    let machine = get(&emulator, WEB1).await.json();
    assert_eq!((&machine["state"], &machine["nics"][2]["mac"]), (&json!("running"), &nic["mac"]));
    assert_eq!(machine["nics"][2].get("state"), None);
    assert_eq!(get(&emulator, &one).await.json()["state"], "running");
    assert_eq!(newest(&emulator, WEB1).await, (json!("add_nics"), json!("yes")));

    let again = post(&emulator, &format!("{WEB1}/nics"), &json!({ "network": { "ipv4_uuid": BACKEND } })).await;
    assert_eq!((again.status, again.body.len()), (302, 0));
    assert_eq!(again.header("Location").as_deref(), Some(one.as_str()));
}

#[tokio::test]
async fn an_interface_may_be_asked_for_with_an_address_and_as_the_primary_one() {
    let emulator = stepped().await;
    let nics = format!("{DB1}/nics");
    let network = json!({ "ipv4_uuid": STORAGE, "ipv4_ips": ["10.20.0.77"] });
    let got = post(&emulator, &nics, &json!({ "network": network, "primary": true })).await;
    assert_eq!((got.status, &got.json()["ip"]), (201, &json!("10.20.0.77")), "{got:?}");
    later(&emulator, 1000);
    let machine = get(&emulator, DB1).await.json();
    // One that is stopped stays so.
    assert_eq!((&machine["state"], &machine["primaryIp"]), (&json!("stopped"), &json!("10.20.0.77")));
    let primary: Vec<Value> = machine["nics"].as_array().unwrap().iter().map(|nic| nic["primary"].clone()).collect();
    assert_eq!(primary, [false, true]);

    let one = format!("{nics}/{}", plain(&machine["nics"][1]["mac"]));
    assert_eq!(delete(&emulator, &one).await.status, 204);
    assert_eq!(get(&emulator, &one).await.status, 200);
    assert_eq!(delete(&emulator, &one).await.status, 204);
    later(&emulator, 1000);
    for got in [get(&emulator, &one).await, delete(&emulator, &one).await] {
        assert_eq!(refused(&got), (404, "ResourceNotFound".to_owned()));
    }
    assert_eq!(newest(&emulator, DB1).await, (json!("remove_nics"), json!("yes")));
    assert_eq!(get(&emulator, DB1).await.json()["nics"][0]["primary"], true);
    let ip = get(&emulator, &format!("/acme/networks/{STORAGE}/ips/10.20.0.77")).await.json();
    assert_eq!(ip, json!({ "ip": "10.20.0.77", "reserved": false, "managed": false }));
}

#[tokio::test]
async fn an_interface_that_cannot_be_is_refused() {
    let emulator = stepped().await;
    let nics = format!("{DB1}/nics");
    assert_eq!(refused(&post(&emulator, &nics, &json!({})).await), (409, "MissingParameter".to_owned()));
    for body in [
        json!({ "network": "backend" }),
        json!({ "network": "00000000-5a7c-4d9e-9fb0-4b5c6d7e8f05" }),
        json!({ "network": 5 }),
        json!({ "network": STORAGE, "primary": "first" }),
        json!({ "network": { "ipv4_uuid": STORAGE, "ipv4_count": 2 } }),
        json!({ "network": { "ipv4_uuid": STORAGE, "ipv4_count": 1, "ipv4_ips": ["10.20.0.9"] } }),
        json!({ "network": { "ipv4_uuid": STORAGE, "ipv4_ips": ["10.20.0.9", "10.20.0.10"] } }),
        json!({ "network": { "ipv4_uuid": STORAGE, "ipv4_ips": ["10.20.0.1"] } }),
    ] {
        assert_eq!(refused(&post(&emulator, &nics, &body).await), (409, "InvalidArgument".to_owned()), "{body}");
    }
    let used = get(&emulator, &format!("{WEB1}/nics")).await.json()[1]["ip"].clone();
    post(
        &emulator,
        "/acme/machines",
        &json!({ "name": "bare", "image": BASE, "package": "g1-small", "networks": [STORAGE] }),
    )
    .await;
    later(&emulator, 5000);
    let bare = get(&emulator, "/acme/machines?name=bare").await.json()[0]["id"].as_str().unwrap().to_owned();
    let ask = json!({ "network": { "ipv4_uuid": FABRIC, "ipv4_ips": [used] } });
    let got = post(&emulator, &format!("/acme/machines/{bare}/nics"), &ask).await;
    assert_eq!(
        (refused(&got), &got.json()["errors"][0]["code"]),
        ((422, "InvalidParameters".to_owned()), &json!("UsedBy"))
    );
    let gone = post(&emulator, &format!("{GONE}/nics"), &json!({ "network": STORAGE })).await;
    assert_eq!(gone.status, 410);
    let young = post(&emulator, "/acme/machines", &json!({ "image": BASE, "package": "g1-small" })).await.json();
    let path = format!("/acme/machines/{}/nics", young["id"].as_str().unwrap());
    let nics = get(&emulator, &path).await.json();
    assert_eq!((nics.as_array().unwrap().len(), &nics[0]["state"]), (2, &json!("provisioning")));
    assert_eq!(
        refused(&post(&emulator, &path, &json!({ "network": STORAGE })).await),
        (409, "UnallocatedVM".to_owned())
    );
}

#[tokio::test]
async fn an_interface_that_fails_is_gone_again() {
    let emulator = stepped().await;
    emulator.add_fault("POST /machines/*/nics fail".parse().unwrap());
    let got = post(&emulator, &format!("{WEB1}/nics"), &json!({ "network": BACKEND })).await;
    let one = got.header("Location").unwrap();
    later(&emulator, 1000);
    assert_eq!(get(&emulator, &one).await.status, 404);
    assert_eq!(get(&emulator, WEB1).await.json()["state"], "running");
    assert_eq!(newest(&emulator, WEB1).await, (json!("add_nics"), json!("no")));
}

#[tokio::test]
async fn a_full_network_has_no_more_interfaces_to_give() {
    let (emulator, _dir) = changed(|state| {
        let networks = state["networks"].as_array_mut().unwrap();
        networks.iter_mut().find(|network| network["id"] == BACKEND).unwrap()["provision_end_ip"] = "10.10.0.5".into();
    })
    .await;
    assert_eq!(post(&emulator, &format!("{WEB1}/nics"), &json!({ "network": BACKEND })).await.status, 201);
    let got = post(&emulator, &format!("{DB1}/nics"), &json!({ "network": BACKEND })).await;
    assert_eq!(refused(&got), (507, "SubnetFull".to_owned()));
}
