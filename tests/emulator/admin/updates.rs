//! Updates of VMs: the types of their fields, pairs, disks and interfaces.

use serde_json::{Value, json};

use super::{ACME, GLOBEX, PRIVATE, WEB1, ask, errors, get, later, made, send, start, zone};

const UNKNOWN: &str = "11111111-2222-4333-8444-555555555555";
const ROLE: &str = "22222222-3333-4444-8555-666666666666";
const FORM: &[(&str, &str)] = &[("Content-Type", "application/x-www-form-urlencoded")];

async fn vm(emulator: &sdc::emulator::Emulator, uuid: &str) -> Value {
    get(emulator, "vmapi", &format!("/vms/{uuid}?fields=*")).await.json()
}

fn invalid(field: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), "Invalid".to_owned())]
}

#[tokio::test]
async fn pairs_of_an_update_may_be_text_and_are_checked_like_those_of_their_routes() {
    let emulator = start().await;
    let path = format!("/vms/{WEB1}?action=update");
    let got = send(&emulator, "vmapi", "POST", &path, FORM, "tags=%7B%22c%22%3A2%7D").await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    later(&emulator, 1000);
    assert_eq!(vm(&emulator, WEB1).await["tags"], json!({ "c": 2 }));
    for (body, field) in [
        (json!({ "tags": ["a"] }), "tags"),
        (json!({ "tags": "a" }), "tags"),
        (json!({ "tags": { "a": { "b": 1 } } }), "tags.a"),
        (json!({ "internal_metadata": 7 }), "internal_metadata"),
        (json!({ "internal_metadata": { "a": null } }), "internal_metadata.a"),
        (json!({ "customer_metadata": { "a": [] } }), "customer_metadata.a"),
        (json!({ "customer_metadata": { "root_pw": "secret" } }), "customer_metadata.root_pw"),
    ] {
        let got = ask(&emulator, "vmapi", "POST", &path, &body).await;
        assert_eq!((got.status, errors(&got)), (409, invalid(field)), "{body}");
    }
    assert_eq!(vm(&emulator, WEB1).await["tags"], json!({ "c": 2 }));
}

#[tokio::test]
async fn tags_of_docker_can_be_neither_set_nor_removed_once_a_vm_is_made() {
    let emulator = start().await;
    let mut wanted = zone("dock");
    wanted["tags"] = json!({ "sdc_docker": true, "a": 1 });
    let got = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
    later(&emulator, 5000);
    let uuid = got.json()["vm_uuid"].as_str().unwrap().to_owned();
    let all = format!("/vms/{uuid}/tags");
    for (method, path, body) in [
        ("POST", all.clone(), json!({ "sdc_docker": false })),
        ("PUT", all.clone(), json!({ "docker:label:com.docker.x": "y" })),
        ("DELETE", format!("{all}/sdc_docker"), Value::Null),
        ("DELETE", all.clone(), Value::Null),
        ("POST", format!("/vms/{uuid}?action=update"), json!({ "tags": { "sdc_docker": true } })),
    ] {
        let got = ask(&emulator, "vmapi", method, &path, &body).await;
        assert_eq!((got.status, errors(&got)), (409, invalid("tags")), "{method} {path}");
    }
    assert_eq!(ask(&emulator, "vmapi", "PUT", &all, &json!({ "b": 2 })).await.status, 202);
    later(&emulator, 1000);
    assert_eq!(vm(&emulator, &uuid).await["tags"], json!({ "sdc_docker": true, "b": 2 }));
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_refused_and_one_given_as_text_is_converted() {
    let emulator = start().await;
    let path = format!("/vms/{WEB1}?action=update");
    for (field, value) in [
        ("alias", json!(["front"])),
        ("alias", json!("a b")),
        ("alias", json!("a".repeat(190))),
        ("autoboot", json!("maybe")),
        ("billing_id", json!({})),
        ("billing_id", json!(UNKNOWN)),
        ("cpu_cap", json!(-1)),
        ("max_swap", json!(255)),
        ("new_owner_uuid", json!(7)),
        ("new_owner_uuid", json!("globex")),
        ("new_owner_uuid", json!(UNKNOWN)),
        ("quota", json!("much")),
        ("quota", json!(u64::MAX)),
        ("ram", json!(0)),
        ("ram", json!(u64::MAX)),
    ] {
        let got = ask(&emulator, "vmapi", "POST", &path, &json!({ field: value })).await;
        assert_eq!((got.status, errors(&got)), (409, invalid(field)), "{field} {value}");
    }
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "autoboot": "false", "cpu_cap": "150" })).await;
    assert_eq!(got.status, 202);
    later(&emulator, 1000);
    let vm = vm(&emulator, WEB1).await;
    assert_eq!((&vm["autoboot"], &vm["cpu_cap"]), (&json!(false), &json!(150)));
}

#[tokio::test]
async fn a_create_types_its_fields_as_an_update_does() {
    let emulator = start().await;
    for (field, value) in [
        ("autoboot", json!("maybe")),
        ("cpu_cap", json!("much")),
        ("firewall_enabled", json!(1)),
        ("max_swap", json!(255)),
        ("quota", json!(-1)),
        ("ram", json!(0)),
        ("role_tags", json!([])),
        ("role_tags", json!(["admins"])),
        ("tags", json!("a")),
        ("vcpus", json!(0)),
    ] {
        let mut wanted = zone("typed");
        wanted[field] = value.clone();
        let got = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
        assert_eq!((got.status, errors(&got)), (409, invalid(field)), "{field} {value}");
    }
    let mut wanted = zone("typed");
    for (field, value) in [
        ("autoboot", json!("true")),
        ("cpu_cap", json!("150")),
        ("firewall_enabled", json!("true")),
        ("max_swap", json!("4096")),
        ("role_tags", json!([ROLE])),
    ] {
        wanted[field] = value;
    }
    let got = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    let vm = vm(&emulator, got.json()["vm_uuid"].as_str().unwrap()).await;
    assert_eq!(
        (&vm["autoboot"], &vm["cpu_cap"], &vm["firewall_enabled"], &vm["max_swap"], &vm["role_tags"]),
        (&json!(true), &json!(150), &json!(true), &json!(4096), &json!([ROLE]))
    );
}

#[tokio::test]
async fn role_tags_move_with_the_owner_and_are_shown_by_get_and_list_alike() {
    let emulator = start().await;
    let uuid = made(&emulator, "moved").await;
    let path = format!("/vms/{uuid}/role_tags");
    assert_eq!(ask(&emulator, "vmapi", "PUT", &path, &json!({ "role_tags": [ROLE] })).await.status, 200);
    let update = format!("/vms/{uuid}?action=update");
    let got = ask(&emulator, "vmapi", "POST", &update, &json!({ "new_owner_uuid": GLOBEX })).await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    later(&emulator, 1000);
    let one = vm(&emulator, &uuid).await;
    assert_eq!((one["owner_uuid"].as_str(), &one["role_tags"]), (Some(GLOBEX), &json!([ROLE])));
    let list =
        async |fields: &str| get(&emulator, "vmapi", &format!("/vms?uuid={uuid}&{fields}")).await.json()[0].clone();
    assert_eq!(list("fields=uuid,role_tags").await, json!({ "uuid": &uuid, "role_tags": [ROLE] }));
    assert_eq!(list("fields=*").await, one);
    assert!(list("").await.get("role_tags").is_none(), "they are shown only when they are asked for");
}

#[tokio::test]
async fn disks_of_an_update_are_found_by_slot_or_path_and_resized() {
    let emulator = start().await;
    let uuid = get(&emulator, "vmapi", "/vms?alias=db1").await.json()[0]["uuid"].as_str().unwrap().to_owned();
    let path = format!("/vms/{uuid}?action=update");
    let before = vm(&emulator, &uuid).await;
    let (slot, zvol) = (&before["disks"][0]["pci_slot"], &before["disks"][0]["path"]);
    for change in [
        json!("no list"),
        json!([{ "pci_slot": "9:9:9", "size": 20_480 }]),
        json!([{ "pci_slot": slot, "size": 0 }]),
        json!([{ "pci_slot": slot, "color": "red" }]),
    ] {
        let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "update_disks": change })).await;
        assert_eq!((got.status, errors(&got)), (409, invalid("update_disks")), "{change}");
    }
    for (change, size) in
        [(json!({ "pci_slot": slot, "size": 20_480 }), 20_480), (json!({ "path": zvol, "size": 30_720 }), 30_720)]
    {
        let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "update_disks": [change] })).await;
        assert_eq!(got.status, 202, "{:?}", got.json());
        later(&emulator, 1000);
        let after = vm(&emulator, &uuid).await;
        assert_eq!(after["disks"][0]["size"], size);
        assert!(after.get("update_disks").is_none(), "the change is not a field of the VM");
    }
}

#[tokio::test]
async fn interfaces_are_reordered_by_their_names() {
    let emulator = start().await;
    let path = format!("/vms/{WEB1}?action=update_nics");
    let macs =
        |vm: &Value| -> Vec<Value> { vm["nics"].as_array().unwrap().iter().map(|nic| nic["mac"].clone()).collect() };
    let before = macs(&vm(&emulator, WEB1).await);
    let named = |first: &str, second: &str| json!({ "nics": [{ "mac": before[0], "interface": first }, { "mac": before[1], "interface": second }] });
    let wrong = ask(&emulator, "vmapi", "POST", &path, &named("net1", "eth0")).await;
    assert_eq!((wrong.status, errors(&wrong)), (409, invalid("nics")));
    assert_eq!(ask(&emulator, "vmapi", "POST", &path, &named("net1", "net0")).await.status, 202);
    later(&emulator, 3000);
    let after = vm(&emulator, WEB1).await;
    assert_eq!(macs(&after), [before[1].clone(), before[0].clone()]);
    assert_eq!((&after["nics"][0]["interface"], &after["nics"][1]["interface"]), (&json!("net0"), &json!("net1")));
}

#[tokio::test]
async fn a_request_that_is_refused_takes_no_interface() {
    let emulator = start().await;
    let spare = json!({ "owner_uuid": ACME, "belongs_to_uuid": WEB1, "belongs_to_type": "zone" });
    let got = ask(&emulator, "napi", "POST", &format!("/networks/{PRIVATE}/nics"), &spare).await;
    assert_eq!(got.status, 200, "{:?}", got.json());
    let mac = got.json()["mac"].as_str().unwrap().to_owned();
    let path = format!("/vms/{WEB1}?action=add_nics");
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "macs": [mac, "90:b8:d0:00:00:01"] })).await;
    assert_eq!((got.status, errors(&got)), (409, invalid("macs")));
    let got = ask(&emulator, "vmapi", "POST", &path, &json!({ "macs": [mac] })).await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    later(&emulator, 5000);
    let nics = vm(&emulator, WEB1).await["nics"].clone();
    assert!(nics.as_array().unwrap().iter().any(|nic| nic["mac"] == mac.as_str()), "{nics}");
    // A create that lacks an address for its second interface leaves its first one in NAPI.
    let spare = json!({ "owner_uuid": ACME, "belongs_to_uuid": UNKNOWN, "belongs_to_type": "zone" });
    let got = ask(&emulator, "napi", "POST", &format!("/networks/{PRIVATE}/nics"), &spare).await.json();
    let mac = got["mac"].as_str().unwrap();
    let mut wanted = zone("late");
    wanted["uuid"] = json!(UNKNOWN);
    wanted["networks"] = json!([{ "uuid": PRIVATE }, { "uuid": PRIVATE, "ip": got["ip"] }]);
    assert_eq!(ask(&emulator, "vmapi", "POST", "/vms", &wanted).await.status, 422);
    let path = format!("/nics/{}", mac.replace(':', ""));
    assert_eq!(get(&emulator, "napi", &path).await.json()["belongs_to_uuid"], UNKNOWN);
    wanted["networks"] = json!([{ "uuid": PRIVATE }]);
    assert_eq!(ask(&emulator, "vmapi", "POST", "/vms", &wanted).await.status, 202);
    later(&emulator, 5000);
    assert_eq!(vm(&emulator, UNKNOWN).await["nics"][0]["mac"], mac);
}
