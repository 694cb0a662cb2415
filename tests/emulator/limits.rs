//! What clients can make it spend: memory, addresses, connections.

use std::time::Duration;

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, get, post, send, signed, stepped};

const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";

#[tokio::test]
async fn of_requests_that_are_long_only_the_beginning_is_kept() {
    let emulator = stepped().await;
    let long = format!("/acme/{}", "x".repeat(60_000));
    send(&emulator, "GET", &long, &[], "").await;
    let seen = emulator.requests();
    assert_eq!(seen[0].path_and_query, long[..4096]);
}

/// Asks for a machine on the one network, with this address if one is named.
async fn create(emulator: &Emulator, name: &str, ip: Option<&str>) -> Got {
    let networks = get(emulator, "/acme/networks?fabric=true").await.json();
    let id = networks[0]["id"].clone();
    let network = match ip {
        Some(ip) => json!({ "ipv4_uuid": id, "ipv4_ips": [ip] }),
        None => json!({ "ipv4_uuid": id }),
    };
    let ask = json!({ "name": name, "image": BASE, "package": "g1-small", "networks": [network] });
    post(emulator, "/acme/machines", &ask).await
}

fn later(emulator: &Emulator) {
    emulator.clock().advance(Duration::from_secs(10));
}

#[tokio::test]
async fn an_address_is_taken_as_soon_as_it_is_asked_for() {
    let emulator = stepped().await;
    let networks = get(&emulator, "/acme/networks?fabric=true").await.json();
    let last = networks[0]["provision_end_ip"].as_str().unwrap().to_owned();
    assert_eq!(create(&emulator, "first", Some(&last)).await.status, 201);
    let got = create(&emulator, "second", Some(&last)).await;
    assert_eq!((got.status, got.code().as_str()), (422, "InvalidParameters"), "{got:?}");
    assert_eq!((&got.json()["errors"][0]["field"], &got.json()["errors"][0]["code"]), (&json!("ip"), &json!("UsedBy")));
}

#[tokio::test]
async fn addresses_of_deleted_machines_are_given_again_and_those_in_use_are_not() {
    let emulator = stepped().await;
    let stays = create(&emulator, "stays", None).await.json()["id"].as_str().unwrap().to_owned();
    later(&emulator);
    let ip = get(&emulator, &format!("/acme/machines/{stays}")).await.json()["primaryIp"].clone();
    for at in 0..260 {
        let got = create(&emulator, &format!("m{at}"), None).await;
        assert_eq!(got.status, 201, "{at}: {got:?}");
        let path = format!("/acme/machines/{}", got.json()["id"].as_str().unwrap());
        later(&emulator);
        let own: Value = get(&emulator, &path).await.json()["primaryIp"].clone();
        assert!(own.is_string() && own != ip, "{at}: {own}");
        assert_eq!(signed(&emulator, "DELETE", &path, &[], "").await.status, 204);
        later(&emulator);
    }
}
