//! The numbered flows of the description. Typed in elsewhere: 1 (discovery) in `sapi`; 2, 4 and 6 in `vmapi`; 7 in `napi`;
//! 8 in `papi`; 12 in `workflow` and `jobs`. Here is what those leave out. Flows 9 (images that are made), 10, 13, 14 and
//! 15 are of services that are not emulated, as is the part of 11 that changes servers.

use serde_json::{Value, json};

use super::{ACME, ask, get, later, made, start, zone};

#[tokio::test]
async fn two_a_new_vm_has_its_interface_and_its_address_in_napi() {
    let emulator = start().await;
    let uuid = made(&emulator, "web0").await;
    let vm = get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
    let nic = &vm["nics"][0];
    let mac = nic["mac"].as_str().unwrap().replace(':', "");
    let known = get(&emulator, "napi", &format!("/nics/{mac}")).await.json();
    assert_eq!(
        (&known["belongs_to_uuid"], &known["state"], &known["ip"]),
        (&vm["uuid"], &json!("running"), &nic["ip"])
    );
    let path = format!("/networks/{}/ips/{}", nic["network_uuid"].as_str().unwrap(), nic["ip"].as_str().unwrap());
    let ip = get(&emulator, "napi", &path).await.json();
    assert_eq!(
        (&ip["free"], &ip["belongs_to_type"], &ip["belongs_to_uuid"]),
        (&json!(false), &json!("zone"), &vm["uuid"])
    );
    // 5: when it is deleted, both are gone.
    assert_eq!(ask(&emulator, "vmapi", "DELETE", &format!("/vms/{uuid}"), &Value::Null).await.status, 202);
    later(&emulator, 5000);
    let gone = get(&emulator, "napi", &format!("/nics/{mac}")).await;
    assert_eq!((gone.status, gone.json()), (404, json!({ "code": "ResourceNotFound", "message": "nic not found" })));
    let ip = get(&emulator, "napi", &path).await.json();
    assert_eq!((&ip["free"], &ip["reserved"], ip.get("belongs_to_uuid")), (&json!(true), &json!(false), None));
}

#[tokio::test]
async fn three_a_network_without_addresses_refuses_the_create_itself() {
    let emulator = start().await;
    let network = json!({
        "name": "small", "nic_tag": "customer", "vlan_id": 30, "subnet": "10.60.0.0/29", "owner_uuids": [ACME],
        "provision_start_ip": "10.60.0.2", "provision_end_ip": "10.60.0.3",
    });
    let network = ask(&emulator, "napi", "POST", "/networks", &network).await;
    assert_eq!(network.status, 200, "{:?}", network.json());
    let id = network.json()["uuid"].clone();
    let mut first = zone("one");
    first["networks"] = json!([{ "uuid": id }]);
    for alias in ["one", "another"] {
        first["alias"] = json!(alias);
        assert_eq!(ask(&emulator, "vmapi", "POST", "/vms", &first).await.status, 202);
    }
    first["alias"] = json!("two");
    let full = ask(&emulator, "vmapi", "POST", "/vms", &first).await;
    assert_eq!(
        (full.status, full.json()),
        (507, json!({ "code": "SubnetFull", "message": "no more free IPs", "network_uuid": id }))
    );
    assert_eq!(get(&emulator, "vmapi", "/vms?alias=two").await.json(), json!([]), "nothing is left of it");
}

#[tokio::test]
async fn eleven_servers_say_what_there_is_on_them() {
    let emulator = start().await;
    let servers = get(&emulator, "cnapi", "/servers?extras=capacity").await.json();
    let cn = servers.as_array().unwrap().iter().find(|server| server["hostname"] == "cn0").unwrap();
    assert_eq!(cn["status"], "running");
    assert!(cn["unreserved_ram"].is_u64());
}
