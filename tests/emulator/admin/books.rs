//! One data center under both sides: what an operator does, the customer sees, and the other way round.

use serde_json::json;

use super::super::ssh_keygen_interop::{get as customer, post};
use super::{ACME, PRIVATE, SMALL, WEB1, ask, get, later, made, start};

#[tokio::test]
async fn an_operators_stop_is_seen_by_the_customer_with_its_entry_in_the_log() {
    let emulator = start().await;
    ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await;
    assert_eq!(customer(&emulator, &format!("/acme/machines/{WEB1}")).await.json()["state"], "stopping");
    later(&emulator, 3000);
    assert_eq!(customer(&emulator, &format!("/acme/machines/{WEB1}")).await.json()["state"], "stopped");
    let log = customer(&emulator, &format!("/acme/machines/{WEB1}/audit")).await.json();
    assert_eq!((log[0]["action"].as_str(), log[0]["success"].as_str()), (Some("stop"), Some("yes")));
    assert_eq!(log[0]["caller"], json!({ "type": "operator" }));
    // One that fails changes nothing, and is in the log.
    ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await;
    later(&emulator, 3000);
    let log = customer(&emulator, &format!("/acme/machines/{WEB1}/audit")).await.json();
    assert_eq!((log[0]["action"].as_str(), log[0]["success"].as_str()), (Some("stop"), Some("no")));
}

#[tokio::test]
async fn a_vm_of_an_operator_is_a_machine_and_a_machine_is_a_vm_with_its_job() {
    let emulator = start().await;
    let uuid = made(&emulator, "theirs").await;
    let machine = customer(&emulator, &format!("/acme/machines/{uuid}")).await.json();
    assert_eq!(
        (machine["name"].as_str(), machine["state"].as_str(), machine["package"].as_str()),
        (Some("theirs"), Some("running"), Some("g1-small"))
    );
    assert_eq!((machine["memory"].as_u64(), machine["disk"].as_u64()), (Some(1024), Some(25_600)));
    let body = json!({ "name": "ours", "image": super::BASE, "package": SMALL, "networks": [PRIVATE] });
    let got = post(&emulator, "/acme/machines", &body).await;
    assert_eq!(got.status, 201, "{:?}", got.json());
    later(&emulator, 5000);
    let id = got.json()["id"].as_str().unwrap().to_owned();
    let vm = get(&emulator, "vmapi", &format!("/vms/{id}")).await.json();
    assert_eq!(
        (vm["alias"].as_str(), vm["owner_uuid"].as_str(), vm["billing_id"].as_str()),
        (Some("ours"), Some(ACME), Some(SMALL))
    );
    assert_eq!((vm["ram"].as_u64(), vm["quota"].as_u64()), (Some(1024), Some(25)));
    let jobs = get(&emulator, "workflow", &format!("/jobs?vm_uuid={id}")).await.json();
    assert_eq!(
        (jobs[0]["name"].as_str(), jobs[0]["params"]["context"]["caller"]["type"].as_str()),
        (Some("provision-8.2.4"), Some("signature"))
    );
    // The zones of the services are nobody's machines.
    let all = customer(&emulator, "/acme/machines?limit=1000").await.json();
    assert!(all.as_array().unwrap().iter().all(|machine| machine["name"] != "vmapi0"));
}

#[tokio::test]
async fn what_an_operator_changes_shows_in_the_customers_words() {
    let emulator = start().await;
    for (update, action) in [
        (json!({ "alias": "front" }), "rename"),
        (json!({ "ram": 2048 }), "resize"),
        (json!({ "quota": 30 }), "unknown"),
        (json!({ "indestructible_zoneroot": true }), "enable_deletion_protection"),
    ] {
        ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=update"), &update).await;
        later(&emulator, 1000);
        let log = customer(&emulator, &format!("/acme/machines/{WEB1}/audit")).await.json();
        assert_eq!((log[0]["action"].as_str(), log[0]["success"].as_str()), (Some(action), Some("yes")), "{update}");
    }
    let machine = customer(&emulator, &format!("/acme/machines/{WEB1}")).await.json();
    assert_eq!(
        (machine["name"].as_str(), machine["memory"].as_u64(), machine["disk"].as_u64()),
        (Some("front"), Some(2048), Some(30_720))
    );
    assert_eq!(machine["deletion_protection"], true);
    // Its server refuses to destroy it, whoever asks.
    ask(&emulator, "vmapi", "DELETE", &format!("/vms/{WEB1}"), &json!({})).await;
    later(&emulator, 5000);
    assert_eq!(customer(&emulator, &format!("/acme/machines/{WEB1}")).await.json()["state"], "running");
}
