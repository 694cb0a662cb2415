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

/// The names of the networks that an account is shown.
async fn networks_of(emulator: &sdc::emulator::Emulator, login: &str) -> Vec<String> {
    let rows = customer(emulator, &format!("/{login}/networks")).await.json();
    rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_network_of_an_operator_is_seen_by_those_whose_it_is() {
    let emulator = start().await;
    let network = |name: &str, tag: &str, third: u8, owners: serde_json::Value| {
        json!({
            "name": name, "nic_tag": tag, "vlan_id": 30, "subnet": format!("10.60.{third}.0/24"),
            "provision_start_ip": format!("10.60.{third}.10"), "provision_end_ip": format!("10.60.{third}.99"),
            "owner_uuids": owners,
        })
    };
    let other = "5c8e1d27-5b6e-4c7d-8e9f-0a1b2c3d4e80";
    let ours = ask(&emulator, "napi", "POST", "/networks", &network("ours", "customer", 0, json!([other, ACME]))).await;
    ask(&emulator, "napi", "POST", "/networks", &network("theirs", "customer", 1, json!([other]))).await;
    ask(&emulator, "napi", "POST", "/networks", &network("for-all", "external", 2, json!([]))).await;
    let seen = networks_of(&emulator, "acme").await;
    assert!(seen.contains(&"ours".to_owned()) && seen.contains(&"for-all".to_owned()), "{seen:?}");
    assert!(!["theirs", "admin", "sdc_underlay"].iter().any(|name| seen.contains(&(*name).to_owned())), "{seen:?}");
    // A machine gets an address on it, which NAPI knows.
    let id = ours.json()["uuid"].as_str().unwrap().to_owned();
    let body = json!({ "name": "there", "image": super::BASE, "package": SMALL, "networks": [id] });
    let got = post(&emulator, "/acme/machines", &body).await;
    assert_eq!(got.status, 201, "{:?}", got.json());
    later(&emulator, 5000);
    let machine = got.json()["id"].as_str().unwrap().to_owned();
    let shown = customer(&emulator, &format!("/acme/machines/{machine}")).await.json();
    assert_eq!(shown["primaryIp"], "10.60.0.10");
    let held = get(&emulator, "napi", &format!("/networks/{id}/ips/10.60.0.10")).await.json();
    assert_eq!(held["belongs_to_uuid"], machine.as_str());
    // Only the operator reserves addresses for himself, and the customer does not see for whom.
    let reserved = json!({ "belongs_to_type": "other", "belongs_to_uuid": id, "owner_uuid": ACME, "reserved": true });
    ask(&emulator, "napi", "PUT", &format!("/networks/{id}/ips/10.60.0.50"), &reserved).await;
    let ip = customer(&emulator, &format!("/acme/networks/{id}/ips/10.60.0.50")).await.json();
    assert_eq!(ip, json!({ "ip": "10.60.0.50", "reserved": true, "managed": true }));
    // A pool of it takes its place.
    let pool = json!({ "name": "our-pool", "networks": [id], "owner_uuids": [ACME] });
    let pool = ask(&emulator, "napi", "POST", "/network_pools", &pool).await.json();
    let seen = networks_of(&emulator, "acme").await;
    assert!(seen.contains(&"our-pool".to_owned()) && !seen.contains(&"ours".to_owned()), "{seen:?}");
    let narrowed = json!({ "owner_uuids": [other] });
    ask(&emulator, "napi", "PUT", &format!("/network_pools/{}", pool["uuid"].as_str().unwrap()), &narrowed).await;
    let seen = networks_of(&emulator, "acme").await;
    assert!(!seen.contains(&"our-pool".to_owned()) && seen.contains(&"ours".to_owned()), "{seen:?}");
}

#[tokio::test]
async fn a_fabric_is_the_same_on_both_sides() {
    let emulator = start().await;
    let vlan = json!({ "name": "app", "vlan_id": 7 });
    ask(&emulator, "napi", "POST", &format!("/fabrics/{ACME}/vlans"), &vlan).await;
    let seen = customer(&emulator, "/acme/fabrics/default/vlans/7").await.json();
    assert_eq!((seen["name"].as_str(), seen["vlan_id"].as_u64()), (Some("app"), Some(7)));
    let body = json!({
        "name": "lan", "subnet": "10.40.0.0/24", "provision_start_ip": "10.40.0.10", "provision_end_ip": "10.40.0.99",
    });
    let made = post(&emulator, "/acme/fabrics/default/vlans/7/networks", &body).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    let path = format!("/networks/{}", made.json()["id"].as_str().unwrap());
    let network = get(&emulator, "napi", &path).await.json();
    assert_eq!((network["name"].as_str(), &network["owner_uuids"]), (Some("lan"), &json!([ACME])));
    ask(&emulator, "napi", "PUT", &path, &json!({ "description": "of the operator" })).await;
    let seen = customer(&emulator, &format!("/acme{path}")).await.json();
    assert_eq!(seen["description"], "of the operator");
}

#[tokio::test]
async fn an_interface_is_the_same_on_both_sides() {
    let emulator = start().await;
    let got = post(&emulator, &format!("/acme/machines/{WEB1}/nics"), &json!({ "network": PRIVATE })).await;
    let mac = got.json()["mac"].as_str().map(str::to_owned);
    let mac = mac.unwrap_or_else(|| got.header("Location").unwrap().rsplit('/').next().unwrap().to_owned());
    later(&emulator, 5000);
    let nic = get(&emulator, "napi", &format!("/nics/{}", mac.replace(':', ""))).await.json();
    assert_eq!((nic["belongs_to_uuid"].as_str(), nic["state"].as_str()), (Some(WEB1), Some("running")));
    // Every interface of every VM is in NAPI once, with the same address.
    let vms = get(&emulator, "vmapi", "/vms?state=active").await.json();
    let nics = get(&emulator, "napi", "/nics?belongs_to_type=zone").await.json();
    let mut count = 0;
    for (vm, nic) in
        vms.as_array().unwrap().iter().flat_map(|vm| vm["nics"].as_array().unwrap().iter().map(move |nic| (vm, nic)))
    {
        let same = |other: &&serde_json::Value| other["mac"] == nic["mac"];
        let found: Vec<&serde_json::Value> = nics.as_array().unwrap().iter().filter(same).collect();
        assert_eq!(found.len(), 1, "{nic}");
        assert_eq!((&found[0]["ip"], &found[0]["belongs_to_uuid"]), (&nic["ip"], &vm["uuid"]));
        assert_eq!((&found[0]["nic_tag"], &found[0]["network_uuid"]), (&nic["nic_tag"], &nic["network_uuid"]));
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[tokio::test]
async fn a_volume_is_served_by_a_zone_that_operators_alone_see() {
    let emulator = start().await;
    let volumes = customer(&emulator, "/acme/volumes").await.json();
    let volume = &volumes[0];
    let alias = format!("nfs-shared-volume-{}", volume["id"].as_str().unwrap());
    let rows = get(&emulator, "vmapi", &format!("/vms?alias={alias}")).await.json();
    let zone = &rows[0];
    assert_eq!((zone["state"].as_str(), zone["owner_uuid"].as_str()), (Some("running"), Some(ACME)));
    assert_eq!(zone["internal_metadata"]["sdc:system_role"], "nfsvolumestorage");
    let uuid = zone["uuid"].as_str().unwrap();
    assert_eq!(get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json(), *zone);
    assert_eq!(get(&emulator, "vmapi", &format!("/statuses?uuids={uuid}")).await.json(), json!({ uuid: "running" }));
    // Its interface is the one on whose address the volume is.
    let nics = get(&emulator, "napi", &format!("/nics?belongs_to_uuid={uuid}")).await.json();
    let ip = nics[0]["ip"].as_str().unwrap();
    assert_eq!((&zone["nics"][0]["ip"], &nics[0]["cn_uuid"]), (&nics[0]["ip"], &zone["server_uuid"]));
    assert!(volume["filesystem_path"].as_str().unwrap().starts_with(&format!("{ip}:")), "{volume}");
    let path = format!("/servers/{}", zone["server_uuid"].as_str().unwrap());
    assert_eq!(get(&emulator, "cnapi", &path).await.json()["vms"][uuid]["state"], "running");
    assert_eq!(customer(&emulator, &format!("/acme/machines/{uuid}")).await.status, 404);
    let refused = ask(&emulator, "vmapi", "POST", &format!("/vms/{uuid}?action=stop"), &json!({})).await;
    assert_eq!((refused.status, refused.code()), (409, "ConflictError".to_owned()));
    // One that is made goes through the states of its volume.
    let body = json!({ "name": "more", "type": "tritonnfs", "size": 10240 });
    let made = post(&emulator, "/acme/volumes", &body).await;
    assert_eq!(made.status, 201, "{:?}", made.json());
    let alias = format!("nfs-shared-volume-{}", made.json()["id"].as_str().unwrap());
    let states = async || get(&emulator, "vmapi", &format!("/vms?alias={alias}")).await.json()[0]["state"].clone();
    assert_eq!(states().await, "provisioning");
    later(&emulator, 5000);
    assert_eq!(states().await, "running");
}

#[tokio::test]
async fn what_comes_and_goes_through_either_side_leaves_the_addresses_as_they_were() {
    let emulator = start().await;
    let taken = async || -> Vec<String> {
        let rows = get(&emulator, "napi", &format!("/networks/{PRIVATE}/ips")).await.json();
        let taken = rows.as_array().unwrap().iter().filter(|row| row["free"] == false);
        taken.map(|row| row["ip"].as_str().unwrap().to_owned()).collect()
    };
    let before = taken().await;
    let mut made = Vec::new();
    for number in 0..6 {
        let alias = format!("soak{number}");
        let uuid = if number % 2 == 0 {
            let mut wanted = super::zone(&alias);
            // One in three does not come to life.
            wanted["internal_metadata"] = json!({ "force_provision_failure": number == 2 });
            ask(&emulator, "vmapi", "POST", "/vms", &wanted).await.json()["vm_uuid"].clone()
        } else {
            let body = json!({ "name": alias, "image": super::BASE, "package": SMALL, "networks": [PRIVATE] });
            post(&emulator, "/acme/machines", &body).await.json()["id"].clone()
        };
        made.push(uuid.as_str().unwrap().to_owned());
    }
    let planned = taken().await;
    assert_eq!(planned.len(), before.len() + 6, "addresses are taken before the answer");
    later(&emulator, 10_000);
    assert_eq!(taken().await.len(), before.len() + 5, "what failed has given its address back");
    for (number, uuid) in made.iter().enumerate() {
        if number % 2 == 0 {
            let path = format!("/acme/machines/{uuid}");
            super::super::ssh_keygen_interop::delete(&emulator, &path).await;
        } else {
            ask(&emulator, "vmapi", "DELETE", &format!("/vms/{uuid}"), &json!({})).await;
        }
    }
    later(&emulator, 20_000);
    assert_eq!(taken().await, before);
    for uuid in &made {
        assert_eq!(get(&emulator, "napi", &format!("/nics?belongs_to_uuid={uuid}")).await.json(), json!([]));
    }
}
