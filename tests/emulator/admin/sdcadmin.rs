//! The seed for the tests of `sdcadmin`: its ids, and what it does with them, request by request.

use sdc::emulator::{Emulator, Options, Pace, Seed};
use serde_json::{Value, json};

use super::super::ssh_keygen_interop::{get as customer, options};
use super::{ask, get, later};

const ADMIN: &str = "930896af-bf8c-48d4-885c-6573a94b1853";
const USER: &str = "72f70341-b227-4051-befd-b0d5e1588a6d";
const SMALL: &str = "b1abec1a-80e5-ea9e-e091-8f2d67feb252";
const ZONE: &str = "62f148f8-6e84-11e4-82c5-efca60348b9f";
const KVM: &str = "02dbab66-a70a-11e4-819b-b3dc41b361d6";
const EXTERNAL: &str = "f3d68d27-e311-491a-9c7f-d2a8d386e6e6";

async fn begin() -> Emulator {
    let options = Options { pace: Pace::Stepped, admin: true, seed: Seed::Sdcadmin, ..options() };
    Emulator::start(options).await.unwrap()
}

async fn status(emulator: &Emulator, uuid: &str) -> Value {
    get(emulator, "vmapi", &format!("/statuses?uuids={uuid}")).await.json()[uuid].clone()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[tokio::test]
async fn the_ids_that_it_is_configured_with_are_there() {
    let emulator = begin().await;
    for (uuid, operator) in [(ADMIN, true), (USER, false)] {
        let account = get(&emulator, "mahi", &format!("/accounts/{uuid}")).await.json()["account"].clone();
        assert_eq!((&account["isOperator"], &account["approved_for_provisioning"]), (&json!(operator), &json!(true)));
        assert_eq!(account["keys"].as_object().unwrap().len(), 1);
    }
    let running = get(&emulator, "vmapi", &format!("/vms?owner_uuid={USER}&state=running")).await.json();
    assert_eq!(running, json!([]));
    for brand in ["joyent", "kvm"] {
        assert!(!rows(&get(&emulator, "vmapi", &format!("/vms?brand={brand}")).await.json()).is_empty(), "{brand}");
    }
    let packages = get(&emulator, "papi", "/packages").await.json();
    assert!(rows(&packages).iter().all(|package| !rows(&package["owner_uuids"]).is_empty()), "{packages}");
    for uuid in [SMALL, ADMIN] {
        let package = get(&emulator, "papi", &format!("/packages/{uuid}?owner_uuids={USER}")).await.json();
        assert!(package.get("brand").is_none() && package["quota"].as_u64().unwrap() >= 10_240, "{package}");
    }
    for (uuid, kind, os) in [(ZONE, "zone-dataset", "smartos"), (KVM, "zvol", "linux")] {
        let image = get(&emulator, "imgapi", &format!("/images/{uuid}")).await.json();
        assert_eq!(
            (image["type"].as_str(), image["os"].as_str(), &image["state"], &image["public"]),
            (Some(kind), Some(os), &json!("active"), &json!(true))
        );
    }
    let networks = get(&emulator, "napi", "/networks").await.json();
    assert!(rows(&networks).len() >= 2);
    assert!(rows(&networks).iter().all(|network| network["vlan_id"].is_u64() && network["subnet"].is_string()));
    assert!(rows(&networks).iter().all(|network| network["subnet"] != "10.10.0.0/24" && network["vlan_id"] != 1337));
    assert_eq!(get(&emulator, "napi", "/nic_tags/customer").await.status, 200);
    let jobs = get(&emulator, "workflow", "/jobs").await.json();
    let last = rows(&jobs).last().unwrap();
    assert!(last["workflow_uuid"].is_string());
    let path = format!("/jobs/{}", last["uuid"].as_str().unwrap());
    assert_eq!(get(&emulator, "workflow", &path).await.json()["uuid"], last["uuid"]);
}

#[tokio::test]
async fn its_vms_are_made_stopped_started_and_deleted_on_its_networks() {
    let emulator = begin().await;
    let network = json!({
        "name": "foo_net", "description": "d", "nic_tag": "customer", "vlan_id": "1337", "subnet": "10.10.0.0/24",
        "gateway": "10.10.0.100", "provision_start_ip": "10.10.0.101", "provision_end_ip": "10.10.0.200",
        "resolvers": ["8.8.8.8", "8.8.4.4"], "routes": { "10.11.0.0/24": "10.10.0.50" }, "owner_uuids": [USER],
    });
    let made = ask(&emulator, "napi", "POST", "/networks", &network).await;
    assert_eq!((made.status, &made.json()["vlan_id"]), (200, &json!(1337)), "{:?}", made.json());
    let net = made.json()["uuid"].as_str().unwrap().to_owned();
    for (brand, disks) in [("joyent", Value::Null), ("kvm", json!([{ "image_uuid": KVM }, { "size": 10_240 }]))] {
        let mut wanted = json!({
            "alias": brand, "billing_id": SMALL, "brand": brand, "networks": [net, EXTERNAL], "owner_uuid": USER,
            "customer_metadata": { "root_authorized_keys": "ssh-rsa AAAA one", "user-script": "touch /x" },
            "internal_metadata": { "operator-script": "<script>" },
        });
        match disks {
            Value::Null => wanted["image_uuid"] = json!(ZONE),
            disks => wanted["disks"] = disks,
        }
        let got = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
        assert_eq!(got.status, 202, "{:?}", got.json());
        assert!(got.json()["job_uuid"].is_string());
        let uuid = got.json()["vm_uuid"].as_str().unwrap().to_owned();
        let vm = async || get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
        let act = async |method: &str, target: &str, body: Value| {
            let got = ask(&emulator, "vmapi", method, &format!("/vms/{uuid}{target}"), &body).await;
            assert_eq!((got.status, got.json()["vm_uuid"].as_str()), (202, Some(uuid.as_str())), "{target}");
        };
        assert_eq!(
            (vm().await["brand"].as_str(), status(&emulator, &uuid).await),
            (Some(brand), json!("provisioning"))
        );
        later(&emulator, 5000);
        assert_eq!(status(&emulator, &uuid).await, "running");
        // The customer has the same machine.
        let machine = customer(&emulator, &format!("/john/machines/{uuid}")).await.json();
        assert_eq!((machine["name"].as_str(), machine["package"].as_str()), (Some(brand), Some("sample-1G")));
        assert_eq!(vm().await["nics"][0]["ip"].as_str().unwrap().rsplit_once('.').unwrap().0, "10.10.0");
        act("POST", "?action=stop", Value::Null).await;
        assert_eq!(status(&emulator, &uuid).await, "stopping", "it is not stopped at once");
        later(&emulator, 2000);
        assert_eq!(status(&emulator, &uuid).await, "stopped");
        act("POST", "?action=start", Value::Null).await;
        assert_eq!(status(&emulator, &uuid).await, "stopped", "nor is it running at once");
        later(&emulator, 2000);
        assert_eq!(status(&emulator, &uuid).await, "running");
        act("POST", "?action=add_nics", json!({ "networks": [{ "ip": "10.10.0.121", "uuid": net }] })).await;
        later(&emulator, 5000);
        let nics = vm().await["nics"].clone();
        assert_eq!(nics[2]["ip"], "10.10.0.121");
        act("POST", "?action=remove_nics", json!({ "macs": [nics[2]["mac"]] })).await;
        later(&emulator, 5000);
        assert_eq!(rows(&vm().await["nics"]).len(), 2);
        act("PUT", "/tags", json!({ "a": "b" })).await;
        later(&emulator, 1000);
        assert_eq!(vm().await["tags"], json!({ "a": "b" }));
        act("DELETE", "", Value::Null).await;
        assert_eq!(status(&emulator, &uuid).await, "running");
        later(&emulator, 5000);
        assert_eq!(status(&emulator, &uuid).await, "destroyed");
    }
    assert_eq!(ask(&emulator, "napi", "DELETE", &format!("/networks/{net}"), &Value::Null).await.status, 204);
    let again = ask(&emulator, "napi", "DELETE", &format!("/networks/{net}"), &Value::Null).await;
    assert_eq!((again.status, again.json().get("uuid")), (404, None));
    assert!(get(&emulator, "napi", &format!("/networks/{net}")).await.json().get("uuid").is_none());
}

#[tokio::test]
async fn operators_and_customers_of_every_standing_are_there_with_the_services() {
    let emulator = super::start().await;
    let account =
        async |login: &str| get(&emulator, "mahi", &format!("/accounts?login={login}")).await.json()["account"].clone();
    for (login, operator, approved) in
        [("admin", true, true), ("oncall", true, true), ("newcomer", false, false), ("globex", false, true)]
    {
        let account = account(login).await;
        let seen = (&account["isOperator"], &account["approved_for_provisioning"]);
        assert_eq!(seen, (&json!(operator), &json!(approved)), "{login}");
        assert_eq!(account["keys"].as_object().unwrap().len(), usize::from(operator), "{login}");
    }
    let application = get(&emulator, "sapi", "/applications?name=sdc").await.json();
    assert_eq!(application[0]["metadata"]["ufds_admin_uuid"], account("admin").await["uuid"]);
    let tags = get(&emulator, "napi", "/nic_tags").await.json();
    let tags: Vec<&str> = rows(&tags).iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    for tag in ["admin", "external", "customer", "internal", "sdc_overlay", "sdc_underlay"] {
        assert!(tags.contains(&tag), "{tag}");
    }
}
