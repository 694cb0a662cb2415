//! Networks, their addresses, and fabrics.

use std::time::Duration;

use serde_json::{Value, json};

use super::ssh_keygen_interop::{Got, changed, delete, get, post, put, refused, signed, stepped};

const ACCOUNT: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f";
const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
const PUBLIC: &str = "f2e6b8ca-5a7c-4d9e-9fb0-4b5c6d7e8f01";
const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
const FABRIC: &str = "6d40b97f-5a7c-4d9e-9fb0-4b5c6d7e8f03";
const BACKEND: &str = "b55ec213-5a7c-4d9e-9fb0-4b5c6d7e8f04";
const VLANS: &str = "/acme/fabrics/default/vlans";
const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

fn texts(got: &Got, field: &str) -> Vec<String> {
    got.json().as_array().unwrap().iter().map(|row| row[field].as_str().unwrap_or_default().to_owned()).collect()
}

fn invalid(got: &Got, words: &str) {
    assert_eq!(refused(got), (409, "InvalidArgument".to_owned()), "{got:?}");
    assert!(got.message().contains(words), "{}", got.message());
}

/// A new VLAN of this number.
async fn vlan(emulator: &sdc::emulator::Emulator, id: u64) -> String {
    let got = post(emulator, VLANS, &json!({ "vlan_id": id, "name": format!("vlan{id}") })).await;
    assert_eq!(got.status, 201, "{got:?}");
    format!("{VLANS}/{id}")
}

fn small(name: &str) -> Value {
    json!({
        "name": name, "subnet": "10.50.0.0/29", "provision_start_ip": "10.50.0.2", "provision_end_ip": "10.50.0.6",
        "gateway": "10.50.0.1",
    })
}

#[tokio::test]
async fn suffixes_are_shown_to_accounts_whose_machines_have_names() {
    let emulator = stepped().await;
    assert_eq!(get(&emulator, &format!("/acme/networks/{PUBLIC}")).await.json().get("suffixes"), None);
    let (emulator, _dir) = changed(|state| state["accounts"][0]["cns"] = true.into()).await;
    for network in get(&emulator, "/acme/networks").await.json().as_array().unwrap() {
        let suffixes = network["suffixes"].as_array().unwrap();
        assert!(suffixes.iter().all(|suffix| suffix.as_str().unwrap().contains(ACCOUNT)), "{network}");
    }
    let one = get(&emulator, &format!("/acme/networks/{PUBLIC}")).await.json();
    assert_eq!(one["suffixes"][0], format!("inst.{ACCOUNT}.local-1.cns.example.com"));
    let of_fabric = get(&emulator, &format!("{VLANS}/2/networks/{FABRIC}")).await.json();
    assert_eq!(of_fabric.get("suffixes"), None);
}

#[tokio::test]
async fn a_pool_hides_its_networks_and_gives_their_addresses() {
    let pool = "44e1a3b2-5a7c-4d9e-9fb0-4b5c6d7e8f90";
    let (emulator, _dir) = changed(|state| {
        state["pools"] = json!([{ "id": pool, "name": "two", "networks": [BACKEND, PRIVATE] }]);
        let networks = state["networks"].as_array_mut().unwrap();
        let backend = networks.iter_mut().find(|network| network["id"] == BACKEND).unwrap();
        backend["provision_end_ip"] = "10.10.0.5".into();
    })
    .await;
    let names = texts(&get(&emulator, "/acme/networks").await, "name");
    assert_eq!(names, ["two", "public", "public-b", "My-Fabric-Network", "storage"]);
    assert_eq!(texts(&get(&emulator, "/acme/networks?fabric=no").await, "name"), ["My-Fabric-Network", "storage"]);
    assert_eq!(get(&emulator, &format!("/acme/networks/{pool}")).await.json()["name"], "two");
    assert_eq!(get(&emulator, &format!("/acme/networks/{BACKEND}")).await.status, 404);
    assert_eq!(get(&emulator, &format!("/acme/networks/{PUBLIC}?fabric=x")).await.status, 404);
    invalid(&get(&emulator, &format!("/acme/networks/{pool}/ips")).await, "pool");
    for network in [BACKEND, PRIVATE] {
        let ask = json!({ "image": BASE, "package": "g1-small", "networks": [pool] });
        let made = post(&emulator, "/acme/machines", &ask).await.json();
        emulator.clock().advance(Duration::from_secs(5));
        let machine = get(&emulator, &format!("/acme/machines/{}", made["id"].as_str().unwrap())).await.json();
        assert_eq!(machine["networks"], json!([network]));
    }
    let ask =
        json!({ "image": BASE, "package": "g1-small", "networks": [{ "ipv4_uuid": pool, "ipv4_ips": ["10.10.0.5"] }] });
    invalid(&post(&emulator, "/acme/machines", &ask).await, "pool");
}

#[tokio::test]
async fn the_addresses_in_use_and_those_kept_are_listed_with_their_owners() {
    let emulator = stepped().await;
    let path = format!("/acme/networks/{FABRIC}/ips");
    let got = get(&emulator, &path).await;
    let rows = got.json();
    let rows = rows.as_array().unwrap();
    assert_eq!(got.header("x-query-limit").as_deref(), Some("1000"));
    assert_eq!(got.header("x-resource-count"), Some(rows.len().to_string()));
    let of = |ip: &str| rows.iter().find(|row| row["ip"] == ip).cloned().unwrap_or(Value::Null);
    for ip in ["192.168.128.0", "192.168.128.1", "192.168.131.255"] {
        assert_eq!(of(ip), json!({ "ip": ip, "reserved": true, "managed": true }));
    }
    let first = json!({
        "ip": "192.168.128.5", "reserved": false, "managed": false, "owner_uuid": ACCOUNT, "belongs_to_uuid": WEB1,
    });
    assert_eq!(of("192.168.128.5"), first);
    assert_eq!(get(&emulator, &format!("{path}/192.168.128.5")).await.json(), first);
    assert_eq!(of("192.168.131.200")["owner_uuid"], ACCOUNT);
    let unused = get(&emulator, &format!("{path}/192.168.129.9")).await.json();
    assert_eq!(unused, json!({ "ip": "192.168.129.9", "reserved": false, "managed": false }));
    assert_eq!(
        signed(&emulator, "HEAD", &path, &[], "").await.header("x-resource-count"),
        Some(rows.len().to_string())
    );
    assert_eq!(get(&emulator, &format!("{path}/10.0.0.1")).await.status, 404);
    invalid(&get(&emulator, &format!("{path}/web1")).await, "property \"ip\": invalid IP address");
    for query in ["limit=0", "limit=1001", "limit=x", "offset=-1"] {
        invalid(&get(&emulator, &format!("{path}?{query}")).await, "invalid value");
    }
    assert_eq!(get(&emulator, &format!("/acme/networks/{ACCOUNT}/ips")).await.status, 404);
}

#[tokio::test]
async fn a_page_of_addresses_may_be_short_in_the_middle() {
    let emulator = stepped().await;
    let path = format!("/acme/networks/{BACKEND}/ips");
    for (ip, reserved) in [("10.10.0.20", true), ("10.10.0.20", false), ("10.10.0.21", true)] {
        let got = put(&emulator, &format!("{path}/{ip}"), &json!({ "reserved": reserved })).await;
        assert_eq!((got.status, &got.json()["reserved"]), (200, &json!(reserved)), "{got:?}");
    }
    // The records are .0, .20, .21 and .255, of which .20 is free.
    let page = async |offset: u64| texts(&get(&emulator, &format!("{path}?limit=1&offset={offset}")).await, "ip");
    assert_eq!(page(0).await, ["10.10.0.0"]);
    assert!(page(1).await.is_empty());
    assert_eq!(page(2).await, ["10.10.0.21"]);
    assert_eq!(page(3).await, ["10.10.0.255"]);
    assert!(page(4).await.is_empty());
}

#[tokio::test]
async fn a_reserved_address_is_given_only_to_those_who_ask_for_it() {
    let emulator = stepped().await;
    let path = format!("/acme/networks/{BACKEND}/ips");
    for last in [5, 6] {
        let got = put(&emulator, &format!("{path}/10.10.0.{last}"), &json!({ "reserved": "true" })).await;
        assert_eq!(got.json()["reserved"], true, "{got:?}");
    }
    let create = async |network: Value| {
        let ask = json!({ "image": BASE, "package": "g1-small", "networks": [network] });
        let got = post(&emulator, "/acme/machines", &ask).await;
        assert_eq!(got.status, 201, "{got:?}");
        emulator.clock().advance(Duration::from_secs(5));
        let id = got.json()["id"].as_str().unwrap().to_owned();
        (get(&emulator, &format!("/acme/machines/{id}")).await.json()["primaryIp"].clone(), id)
    };
    assert_eq!(create(json!(BACKEND)).await.0, "10.10.0.7");
    let (ip, id) = create(json!({ "ipv4_uuid": BACKEND, "ipv4_ips": ["10.10.0.6"] })).await;
    assert_eq!(ip, "10.10.0.6");
    let row = get(&emulator, &format!("{path}/10.10.0.6")).await.json();
    assert_eq!((&row["reserved"], &row["belongs_to_uuid"]), (&json!(true), &json!(id)));
    // It stays reserved when the machine goes.
    delete(&emulator, &format!("/acme/machines/{id}")).await;
    emulator.clock().advance(Duration::from_secs(5));
    let row = get(&emulator, &format!("{path}/10.10.0.6")).await.json();
    assert_eq!((&row["reserved"], row.get("belongs_to_uuid")), (&json!(true), None));
    let ask = json!({ "image": BASE, "package": "g1-small", "networks": [{ "ipv4_uuid": BACKEND, "ipv4_ips": ["10.10.0.255"] }] });
    invalid(&post(&emulator, "/acme/machines", &ask).await, "managed");
}

#[tokio::test]
async fn only_own_addresses_of_private_networks_can_be_reserved() {
    let (emulator, _dir) = changed(|state| {
        let machines = state["machines"].as_array_mut().unwrap();
        let foreign = machines.iter_mut().find(|machine| machine["name"] == "cache").unwrap();
        foreign["owner"] = "00000000-5b6e-4c7d-8e9f-0a1b2c3d4e5f".into();
        foreign["nics"][0]["network"] = PRIVATE.into();
        foreign["nics"][0]["ip"] = "10.64.0.99".into();
    })
    .await;
    let update = async |network: &str, ip: &str, body: Value| {
        put(&emulator, &format!("/acme/networks/{network}/ips/{ip}"), &body).await
    };
    let yes = || json!({ "reserved": true });
    invalid(&update(PUBLIC, "198.18.9.9", yes()).await, "public");
    invalid(&update(FABRIC, "192.168.128.1", yes()).await, "managed");
    invalid(&update(PRIVATE, "10.64.0.99", yes()).await, "another account");
    invalid(&update(FABRIC, "192.168.128.99", json!({ "reserved": "yes" })).await, "true or false");
    assert_eq!(refused(&update(FABRIC, "192.168.128.99", json!({})).await), (409, "MissingParameter".to_owned()));
    let foreign = get(&emulator, &format!("/acme/networks/{PRIVATE}/ips/10.64.0.99")).await.json();
    assert_eq!(foreign["owner_uuid"], "00000000-5b6e-4c7d-8e9f-0a1b2c3d4e5f");
    assert_eq!(foreign.get("belongs_to_uuid"), None);
}

#[tokio::test]
async fn a_vlan_is_made_changed_and_deleted() {
    let emulator = stepped().await;
    let numbers: Vec<Value> =
        get(&emulator, VLANS).await.json().as_array().unwrap().iter().map(|vlan| vlan["vlan_id"].clone()).collect();
    assert_eq!(numbers, [2, 100, 200]);
    let got = post(&emulator, VLANS, &json!({ "vlan_id": 7, "name": "web", "description": "x" })).await;
    assert_eq!((got.status, got.json()), (201, json!({ "vlan_id": 7, "name": "web", "description": "x" })));
    let path = format!("{VLANS}/7");
    let got = put(&emulator, &path, &json!({ "name": "web-2" })).await;
    assert_eq!((got.status, got.json()), (202, json!({ "vlan_id": 7, "name": "web-2", "description": "x" })));
    assert_eq!(get(&emulator, &path).await.json()["name"], "web-2");
    assert_eq!(signed(&emulator, "HEAD", &path, &[], "").await.status, 200);
    assert_eq!(delete(&emulator, &path).await.status, 204);
    for got in [get(&emulator, &path).await, delete(&emulator, &path).await, put(&emulator, &path, &json!({})).await] {
        assert_eq!(refused(&got), (404, "ResourceNotFound".to_owned()));
    }
}

#[tokio::test]
async fn a_vlan_that_cannot_be_is_refused_by_its_property() {
    let emulator = stepped().await;
    for (body, words) in [
        (json!({ "vlan_id": 1, "name": "web" }), "property \"vlan_id\": "),
        (json!({ "vlan_id": 4095, "name": "web" }), "property \"vlan_id\": "),
        (json!({ "vlan_id": "x", "name": "web" }), "property \"vlan_id\": "),
        (json!({ "vlan_id": 100, "name": "web" }), "property \"vlan_id\": must be unique"),
        (json!({ "name": "web" }), "property \"vlan_id\": is missing"),
        (json!({ "vlan_id": 7 }), "property \"name\": is missing"),
        (json!({ "vlan_id": 7, "name": "x" }), "property \"name\": "),
        (json!({ "vlan_id": 7, "name": "7x" }), "property \"name\": "),
        (json!({ "vlan_id": 7, "name": "a b" }), "property \"name\": "),
        (json!({ "vlan_id": 7, "name": "x".repeat(257) }), "property \"name\": "),
        (json!({ "vlan_id": 7, "name": "web", "description": 1 }), "property \"description\": "),
        (json!({ "vlan_id": 7, "name": "web", "colour": "red" }), "property \"colour\": "),
    ] {
        invalid(&post(&emulator, VLANS, &body).await, words);
    }
    invalid(&get(&emulator, &format!("{VLANS}/2?as-role=operator")).await, "property \"as-role\": ");
    invalid(&get(&emulator, &format!("{VLANS}/2/networks?x=")).await, "property \"x\": ");
    invalid(&delete(&emulator, &format!("{VLANS}/100")).await, "property \"vlan_id\": ");
    assert_eq!(get(&emulator, &format!("{VLANS}/100")).await.status, 200);
}

#[tokio::test]
async fn a_fabric_network_is_made_changed_and_deleted() {
    let emulator = stepped().await;
    let path = vlan(&emulator, 7).await;
    let mut ask = small("tiny");
    ask["resolvers"] = json!(["8.8.8.8", "10.50.0.3"]);
    ask["routes"] = json!({ "10.60.0.0/16": "10.50.0.4", "10.70.0.1": "10.50.0.4" });
    ask["description"] = "x".into();
    let got = post(&emulator, &format!("{path}/networks"), &ask).await;
    assert_eq!(got.status, 201, "{got:?}");
    let made = got.json();
    let id = made["id"].as_str().unwrap();
    let one = format!("{path}/networks/{id}");
    for (field, value) in ask.as_object().unwrap() {
        assert_eq!(&made[field], value);
    }
    assert_eq!((&made["internet_nat"], &made["fabric"], &made["public"]), (&json!(true), &json!(true), &json!(false)));
    assert_eq!(get(&emulator, &one).await.json(), made);
    assert_eq!(get(&emulator, &format!("/acme/networks/{id}")).await.json(), made);
    assert_eq!(texts(&get(&emulator, &format!("{path}/networks")).await, "name"), ["tiny"]);
    assert_eq!(get(&emulator, &format!("{VLANS}/100/networks/{id}")).await.status, 404);

    let change = json!({ "name": "tiny-2", "provision_start_ip": "10.50.0.4", "resolvers": [], "routes": {} });
    let got = put(&emulator, &one, &change).await;
    assert_eq!((got.status, &got.json()["name"]), (200, &json!("tiny-2")));
    let now = get(&emulator, &one).await.json();
    assert_eq!((&now["provision_start_ip"], &now["resolvers"]), (&json!("10.50.0.4"), &json!([])));
    assert_eq!((now.get("routes"), &now["subnet"]), (None, &made["subnet"]));

    let ask = json!({ "image": BASE, "package": "g1-small", "networks": [id] });
    let machine = post(&emulator, "/acme/machines", &ask).await.json();
    invalid(&delete(&emulator, &one).await, "NICs");
    emulator.clock().advance(Duration::from_secs(5));
    let machine = format!("/acme/machines/{}", machine["id"].as_str().unwrap());
    assert_eq!(get(&emulator, &machine).await.json()["primaryIp"], "10.50.0.4");
    invalid(&delete(&emulator, &one).await, "NICs");
    delete(&emulator, &machine).await;
    emulator.clock().advance(Duration::from_secs(5));
    assert_eq!(delete(&emulator, &one).await.status, 204);
    assert_eq!(get(&emulator, &one).await.status, 404);
    assert_eq!(delete(&emulator, &path).await.status, 204);
}

#[tokio::test]
async fn a_fabric_network_that_cannot_be_is_refused_by_its_property() {
    let emulator = stepped().await;
    let path = format!("{}/networks", vlan(&emulator, 7).await);
    assert_eq!(post(&emulator, &path, &small("tiny")).await.status, 201);
    let with = |name: &str, value: Value| {
        let mut ask = small("other");
        ask["subnet"] = "10.50.1.0/29".into();
        ask["provision_start_ip"] = "10.50.1.2".into();
        ask["provision_end_ip"] = "10.50.1.6".into();
        ask["gateway"] = "10.50.1.1".into();
        ask[name] = value;
        ask
    };
    for (name, value) in [
        ("name", json!("tiny")),
        ("name", Value::Null),
        ("subnet", json!("10.50.1.0")),
        ("subnet", json!("10.50.1.1/29")),
        ("subnet", json!("10.0.0.0/7")),
        ("subnet", json!("10.50.0.0/16")),
        ("subnet", Value::Null),
        ("provision_start_ip", json!("10.50.1.0")),
        ("provision_start_ip", json!("10.50.2.1")),
        ("provision_start_ip", json!("x")),
        ("provision_end_ip", json!("10.50.1.7")),
        ("provision_end_ip", json!("10.50.2.1")),
        ("provision_end_ip", Value::Null),
        ("gateway", json!("10.50.2.1")),
        ("gateway", json!("x")),
        ("resolvers", json!(["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5"])),
        ("resolvers", json!(["dns"])),
        ("routes", json!({ "x": "10.50.1.2" })),
        ("routes", json!({ "10.0.0.0/8": "x" })),
        ("routes", json!([])),
        ("internet_nat", json!("perhaps")),
        ("id", json!(FABRIC)),
        ("mtu", json!(1500)),
    ] {
        invalid(&post(&emulator, &path, &with(name, value)).await, &format!("property \"{name}\": "));
    }
    let mut turned = with("provision_start_ip", json!("10.50.1.6"));
    turned["provision_end_ip"] = "10.50.1.2".into();
    invalid(&post(&emulator, &path, &turned).await, "after provision_end_ip");
    let made = post(&emulator, &path, &with("gateway", Value::Null)).await;
    assert_eq!((made.status, &made.json()["gateway"]), (201, &with("gateway", Value::Null)["provision_start_ip"]));
}

#[tokio::test]
async fn a_fabric_network_has_the_first_address_of_its_machines_for_a_gateway_unless_it_has_no_way_out() {
    let emulator = stepped().await;
    let path = format!("{VLANS}/100/networks");
    let ask = |name: &str, net: u8| {
        json!({
            "name": name, "subnet": format!("10.{net}.0.0/24"),
            "provision_start_ip": format!("10.{net}.0.5"), "provision_end_ip": format!("10.{net}.0.9"),
        })
    };
    let made = post(&emulator, &path, &ask("out", 60)).await.json();
    assert_eq!((&made["gateway"], &made["internet_nat"]), (&json!("10.60.0.5"), &json!(true)));
    let mut closed = ask("closed", 61);
    closed["internet_nat"] = false.into();
    let made = post(&emulator, &path, &closed).await.json();
    assert_eq!((made.get("gateway"), &made["internet_nat"]), (None, &json!(false)));
}

#[tokio::test]
async fn what_cannot_be_changed_of_a_fabric_network_is_refused() {
    let emulator = stepped().await;
    let one = format!("{VLANS}/100/networks/{BACKEND}");
    for (name, value) in [
        ("subnet", json!("10.10.0.0/25")),
        ("gateway", json!("10.10.0.1")),
        ("internet_nat", json!(true)),
        ("id", json!(BACKEND)),
        ("provision_start_ip", json!("10.11.0.1")),
        ("name", json!("storage")),
    ] {
        invalid(&put(&emulator, &one, &json!({ name: value })).await, &format!("property \"{name}\": "));
    }
    invalid(&put(&emulator, &one, &json!({ "provision_end_ip": "10.10.0.4" })).await, "after provision_end_ip");
    invalid(&delete(&emulator, &format!("{VLANS}/2/networks/{FABRIC}")).await, "default");
}

#[tokio::test]
async fn without_a_default_network_none_can_be_deleted() {
    let (emulator, _dir) = changed(|state| state["accounts"][0]["default_network"] = Value::Null).await;
    let got = delete(&emulator, &format!("{VLANS}/100/networks/{BACKEND}")).await;
    assert_eq!((got.status, got.json().get("code")), (500, None));
}

#[tokio::test]
async fn where_there_are_no_fabrics_every_call_about_them_says_so() {
    let (emulator, _dir) = changed(|state| state["fabrics_off"] = true.into()).await;
    let nets = format!("{VLANS}/2/networks");
    let one = format!("{nets}/{FABRIC}");
    for (method, path) in [
        ("GET", VLANS),
        ("POST", VLANS),
        ("GET", "/acme/fabrics/default/vlans/2"),
        ("PUT", "/acme/fabrics/default/vlans/2"),
        ("DELETE", "/acme/fabrics/default/vlans/2"),
        ("GET", &nets),
        ("POST", &nets),
        ("GET", &one),
        ("PUT", &one),
        ("DELETE", &one),
    ] {
        let got = signed(&emulator, method, path, &[], "").await;
        assert_eq!(refused(&got), (501, "NotImplementedError".to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn older_versions_have_no_fabrics() {
    let emulator = stepped().await;
    let got = signed(&emulator, "GET", VLANS, &[("Accept-Version", "~7.2")], "").await;
    assert_eq!(refused(&got), (400, "InvalidVersion".to_owned()));
    for range in ["~7.3", "~7.2||~8", "*"] {
        assert_eq!(signed(&emulator, "GET", VLANS, &[("Accept-Version", range)], "").await.status, 200, "{range}");
    }
}

#[tokio::test]
async fn machines_on_like_networks_of_different_vlans_have_different_interfaces() {
    let emulator = stepped().await;
    let mut macs = Vec::new();
    // Their numbers end in the same eight bits.
    for id in [7, 263, 519] {
        let path = format!("{}/networks", vlan(&emulator, id).await);
        let network = post(&emulator, &path, &small(&format!("tiny{id}"))).await.json()["id"].clone();
        let ask = json!({ "image": BASE, "package": "g1-small", "networks": [network] });
        let machine = post(&emulator, "/acme/machines", &ask).await.json();
        emulator.clock().advance(Duration::from_secs(5));
        let machine = get(&emulator, &format!("/acme/machines/{}", machine["id"].as_str().unwrap())).await.json();
        assert_eq!(machine["primaryIp"], "10.50.0.2");
        macs.push(machine["nics"][0]["mac"].as_str().unwrap().to_owned());
    }
    macs.sort();
    macs.dedup();
    assert_eq!(macs.len(), 3);
}
