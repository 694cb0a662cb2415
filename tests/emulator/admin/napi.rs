//! NAPI: networks, their addresses and the interfaces on them, as its description has them.

use sdc::emulator::Emulator;
use serde_json::{Value, json};

use super::{ACME, GLOBEX, Got, PRIVATE, WEB1, ask, errors, get, later, made, send, start, zone};

/// Another account of the demo, and the operator's.
const ADMIN: &str = "930896af-bf8c-48d4-885c-6573a94b1853";
const GONE: &str = "11111111-2222-4333-8444-555555555555";
const CN: &str = "44454c4c-3200-1042-8050-b6c04f4e3232";

/// The network of the flow.
fn lab() -> Value {
    json!({
        "name": "lab", "nic_tag": "external", "vlan_id": 30, "subnet": "10.60.0.0/24",
        "provision_start_ip": "10.60.0.10", "provision_end_ip": "10.60.0.99", "gateway": "10.60.0.1",
        "owner_uuids": [ACME],
    })
}

async fn post(emulator: &Emulator, target: &str, body: &Value) -> Got {
    ask(emulator, "napi", "POST", target, body).await
}

async fn put(emulator: &Emulator, target: &str, body: &Value) -> Got {
    ask(emulator, "napi", "PUT", target, body).await
}

async fn napi(emulator: &Emulator, target: &str) -> Got {
    get(emulator, "napi", target).await
}

async fn delete(emulator: &Emulator, target: &str) -> Got {
    ask(emulator, "napi", "DELETE", target, &Value::Null).await
}

/// Makes a thing, and returns it.
async fn there(emulator: &Emulator, target: &str, body: &Value) -> Value {
    let got = post(emulator, target, body).await;
    assert_eq!(got.status, 200, "{target} {:?}", got.json());
    got.json()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The fields that errors are about, with the messages.
fn told(got: &Got) -> Vec<(String, String)> {
    let list = got.json()["errors"].as_array().cloned().unwrap_or_default();
    list.iter().map(|entry| (text(entry, "field").to_owned(), text(entry, "message").to_owned())).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[tokio::test]
async fn a_ping_says_what_is_enabled() {
    let emulator = start().await;
    let ping = napi(&emulator, "/ping").await.json();
    assert_eq!(ping["config"], json!({ "fabrics_enabled": true, "subnet_alloc_enabled": true }));
    assert_eq!((text(&ping, "status"), &ping["healthy"]), ("OK", &json!(true)));
}

#[tokio::test]
async fn a_network_is_made_shown_changed_and_deleted() {
    let emulator = start().await;
    let got = post(&emulator, "/networks", &lab()).await;
    let made = got.json();
    assert_eq!(got.status, 200, "{made}");
    assert!(got.header("Etag").is_some());
    let id = text(&made, "uuid").to_owned();
    let mut expected = lab();
    for (name, value) in [
        ("uuid", json!(id)),
        ("family", json!("ipv4")),
        ("mtu", json!(1500)),
        ("resolvers", json!([])),
        ("netmask", json!("255.255.255.0")),
    ] {
        expected[name] = value;
    }
    assert_eq!(made, expected);
    let path = format!("/networks/{id}");
    assert_eq!(napi(&emulator, &path).await.json(), expected);
    let changed = put(&emulator, &path, &json!({ "resolvers": ["198.18.0.53"] })).await;
    assert_eq!((changed.status, &changed.json()["resolvers"]), (200, &json!(["198.18.0.53"])));
    assert!(changed.json().get("job_uuid").is_none());
    let fixed = put(&emulator, &path, &json!({ "vlan_id": 31, "subnet": "10.60.0.0/24" })).await;
    assert_eq!(fixed.status, 422);
    assert_eq!(told(&fixed), pairs(&[("vlan_id", "Network updates for this field are not supported")]));
    let open = put(&emulator, &path, &json!({ "owner_uuids": [] })).await.json();
    assert!(open.get("owner_uuids").is_none());
    assert_eq!(delete(&emulator, &path).await.status, 204);
    let gone = napi(&emulator, &path).await;
    assert_eq!(
        (gone.status, gone.json()),
        (404, json!({ "code": "ResourceNotFound", "message": "network not found" }))
    );
    assert_eq!(text(&napi(&emulator, "/networks/admin").await.json(), "nic_tag"), "admin");
}

#[tokio::test]
async fn what_is_missing_is_told_alone_and_what_is_wrong_in_the_order_of_the_fields() {
    let emulator = start().await;
    let missing = post(&emulator, "/networks", &json!({ "subnet": "x" })).await;
    assert_eq!(
        (missing.status, missing.code(), missing.message().as_str()),
        (422, "InvalidParameters".to_owned(), "Missing parameters")
    );
    let expected = ["name", "nic_tag", "vlan_id"].map(|name| (name.to_owned(), "MissingParameter".to_owned()));
    assert_eq!(errors(&missing), expected);
    let half = post(&emulator, "/networks", &json!({ "name": "a", "nic_tag": "external", "vlan_id": 5 })).await;
    let expected = ["provision_end_ip", "provision_start_ip", "subnet"];
    assert_eq!(errors(&half), expected.map(|name| (name.to_owned(), "MissingParameter".to_owned())));
    let mut wrong = lab();
    (wrong["nic_tag"], wrong["vlan_id"], wrong["subnet"]) = (json!("nope"), json!(5000), json!("10.60.0.1/24"));
    let wrong = post(&emulator, "/networks", &wrong).await;
    let expected = [
        ("nic_tag", "nic tag does not exist"),
        ("subnet", "invalid CIDR format"),
        ("vlan_id", "VLAN ID must be a number between 0 and 4094, and not 1"),
    ];
    assert_eq!((wrong.message().as_str(), told(&wrong)), ("Invalid parameters", pairs(&expected)));
    for (change, expected) in [
        (json!({ "subnet": "10.60.0.0" }), ("subnet", "Subnet must be in CIDR form")),
        (json!({ "subnet": "10.60/24" }), ("subnet", "Subnet IP invalid")),
        (json!({ "subnet": "10.0.0.0/7" }), ("subnet", "Subnet bits invalid")),
        (json!({ "gateway": "10.61.0.1" }), ("gateway", "gateway cannot be outside subnet")),
        (
            json!({ "provision_start_ip": "10.59.0.1" }),
            ("provision_start_ip", "provision_start_ip cannot be outside subnet"),
        ),
        (
            json!({ "provision_end_ip": "10.60.0.255" }),
            ("provision_end_ip", "provision_end_ip cannot be the broadcast address"),
        ),
        (json!({ "mtu": 100 }), ("mtu", "mtu must be a number between 576 and 9000")),
        (json!({ "mtu": 9000 }), ("mtu", "network mtu must be under nic_tag mtu")),
        (json!({ "name": "" }), ("name", "must not be empty")),
        (json!({ "name": "x".repeat(65) }), ("name", "must not be longer than 64 characters")),
        (json!({ "owner_uuids": ["x"] }), ("owner_uuids", "invalid UUID")),
        (json!({ "gateway": "x" }), ("gateway", "invalid IP address")),
        (json!({ "resolvers": ["1.1.1.1", "x"] }), ("resolvers", "invalid IP address")),
        (json!({ "routes": { "x": "10.60.0.7" } }), ("routes", "invalid route")),
    ] {
        let mut body = lab();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let got = post(&emulator, "/networks", &body).await;
        assert_eq!((got.status, told(&got)), (422, pairs(&[expected])), "{change}");
    }
    let mut body = lab();
    (body["provision_start_ip"], body["provision_end_ip"]) = (json!("10.60.0.50"), json!("10.60.0.40"));
    let got = post(&emulator, "/networks", &body).await;
    let words = "provision_start_ip must be before provision_end_ip";
    assert_eq!(told(&got), pairs(&[("provision_end_ip", words), ("provision_start_ip", words)]));
    let unknown = napi(&emulator, "/networks?bogus=1").await;
    let entry = json!({ "field": ["bogus"], "code": "UnknownParameters", "message": "Unknown parameters: bogus" });
    assert_eq!((unknown.status, &unknown.json()["errors"]), (422, &json!([entry])));
    for query in ["limit=0", "limit=1001", "limit=x", "offset=-1"] {
        assert_eq!(napi(&emulator, &format!("/networks?{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn names_are_taken_once_and_private_subnets_and_vlans_as_often_as_anybody_likes() {
    let emulator = start().await;
    there(&emulator, "/networks", &lab()).await;
    let again = post(&emulator, "/networks", &lab()).await;
    assert_eq!((again.status, again.message().as_str()), (422, "name is in use by another network"));
    assert_eq!(errors(&again), [("name".to_owned(), "Duplicate".to_owned())]);
    let mut other = lab();
    other["name"] = json!("lab-2");
    let other = there(&emulator, "/networks", &other).await;
    assert_eq!(text(&other, "subnet"), "10.60.0.0/24");
    // What is not private is refused twice.
    let mut public = lab();
    public["name"] = json!("public-c");
    (public["subnet"], public["gateway"]) = (json!("198.18.4.0/24"), json!("198.18.4.1"));
    (public["provision_start_ip"], public["provision_end_ip"]) = (json!("198.18.4.5"), json!("198.18.4.9"));
    let got = post(&emulator, "/networks", &public).await;
    assert_eq!(told(&got), pairs(&[("subnet", "subnet overlaps with another network")]));
    assert_eq!(errors(&got)[0].1, "UsedBy");
}

#[tokio::test]
async fn lists_are_narrowed_sorted_and_cut() {
    let emulator = start().await;
    let names = async |query: &str| -> Vec<String> {
        let rows = napi(&emulator, &format!("/networks?{query}")).await.json();
        rows.as_array().unwrap().iter().map(|row| text(row, "name").to_owned()).collect()
    };
    let all = names("").await;
    let mut sorted = all.clone();
    sorted.sort();
    assert_eq!(all, sorted);
    assert_eq!(names("limit=2&offset=1").await, all[1..3]);
    assert_eq!(names("nic_tag=admin,sdc_underlay").await, ["admin", "sdc_underlay"]);
    assert_eq!(names(&format!("uuid={}*", &PRIVATE[..6])).await, ["private"]);
    assert_eq!(names("fabric=true&vlan_id=2").await, ["My-Fabric-Network"]);
    assert_eq!(names(&format!("owner_uuid={ADMIN}")).await, ["admin", "sdc_underlay"]);
    let theirs = names(&format!("provisionable_by={GLOBEX}")).await;
    assert!(theirs.contains(&"private".to_owned()) && !theirs.contains(&"My-Fabric-Network".to_owned()));
    assert_eq!(names(&format!("provisionable_by={ADMIN}")).await, all, "the operator may on every one");
    let path = format!("/networks/admin?provisionable_by={ACME}");
    let denied = napi(&emulator, &path).await;
    assert_eq!(
        (denied.status, denied.json()),
        (403, json!({ "code": "NotAuthorized", "message": "owner cannot provision on network" }))
    );
}

#[tokio::test]
async fn addresses_are_listed_where_there_is_something_to_say_of_them() {
    let emulator = start().await;
    let network = there(&emulator, "/networks", &lab()).await;
    let path = format!("/networks/{}/ips", text(&network, "uuid"));
    let rows = napi(&emulator, &path).await.json();
    let seen: Vec<(String, bool, bool)> = (rows.as_array().unwrap().iter())
        .map(|row| (text(row, "ip").to_owned(), row["reserved"] == true, row["free"] == true))
        .collect();
    assert_eq!(
        seen,
        [
            ("10.60.0.1".to_owned(), true, false),
            ("10.60.0.9".to_owned(), false, true),
            ("10.60.0.100".to_owned(), false, true),
            ("10.60.0.255".to_owned(), true, false),
        ]
    );
    assert_eq!(
        (text(&rows[0], "belongs_to_type"), text(&rows[0], "belongs_to_uuid"), text(&rows[0], "owner_uuid")),
        ("other", ADMIN, ADMIN)
    );
    let one = napi(&emulator, &format!("{path}/10.60.0.50")).await.json();
    assert_eq!(one, json!({ "ip": "10.60.0.50", "network_uuid": network["uuid"], "reserved": false, "free": true }));
    for (ip, message) in [("10.61.0.1", "IP is not in subnet"), ("x", "Invalid IP address")] {
        let got = napi(&emulator, &format!("{path}/{ip}")).await;
        assert_eq!((got.status, got.message().as_str()), (404, message));
    }
}

#[tokio::test]
async fn an_address_is_reserved_given_and_freed() {
    let emulator = start().await;
    let network = there(&emulator, "/networks", &lab()).await;
    let path = format!("/networks/{}/ips/10.60.0.10", text(&network, "uuid"));
    let reserved = put(&emulator, &path, &json!({ "reserved": true })).await.json();
    assert_eq!((&reserved["reserved"], &reserved["free"]), (&json!(true), &json!(false)));
    let half = put(&emulator, &path, &json!({ "belongs_to_uuid": GONE })).await;
    assert_eq!((half.message().as_str(), errors(&half).len()), ("Missing parameters", 2));
    let given = json!({ "belongs_to_type": "other", "belongs_to_uuid": GONE, "owner_uuid": ACME });
    assert_eq!(text(&put(&emulator, &path, &given).await.json(), "belongs_to_uuid"), GONE);
    let foreign = json!({ "belongs_to_type": "other", "belongs_to_uuid": GONE, "owner_uuid": GLOBEX });
    let denied = put(&emulator, &path, &foreign).await;
    assert_eq!(told(&denied), pairs(&[("owner_uuid", "network owner_uuids do not match")]));
    let mut forced = foreign;
    forced["check_owner"] = json!(false);
    assert_eq!(text(&put(&emulator, &path, &forced).await.json(), "owner_uuid"), GLOBEX);
    // Nobody else gets what is given away.
    let body = json!({ "belongs_to_uuid": CN, "belongs_to_type": "other", "owner_uuid": ACME, "ip": "10.60.0.10" });
    let taken = post(&emulator, &format!("/networks/{}/nics", text(&network, "uuid")), &body).await;
    assert_eq!(told(&taken), pairs(&[("ip", &format!("IP in use by other \"{GONE}\""))]));
    let both = put(&emulator, &path, &json!({ "free": true, "unassign": true })).await;
    assert_eq!(told(&both), pairs(&[("unassign", "free and unassign cannot both be set to \"true\"")]));
    let left = put(&emulator, &path, &json!({ "unassign": true })).await.json();
    assert!(left.get("belongs_to_uuid").is_none() && left["reserved"] == true);
    let free = put(&emulator, &path, &json!({ "free": true })).await.json();
    assert_eq!((&free["free"], &free["reserved"]), (&json!(true), &json!(false)));
    let found = napi(&emulator, "/search/ips?ip=10.60.0.10").await.json();
    assert_eq!(text(&found[0], "network_uuid"), text(&network, "uuid"));
    let nowhere = napi(&emulator, "/search/ips?ip=172.20.0.1").await;
    assert_eq!((nowhere.status, nowhere.message().as_str()), (404, "No networks found matching search criteria"));
}

#[tokio::test]
async fn the_interfaces_of_a_vm_are_those_that_the_vm_has() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", "/vms", &zone("web0")).await;
    let uuid = got.json()["vm_uuid"].as_str().unwrap().to_owned();
    let list = format!("/nics?belongs_to_uuid={uuid}");
    let planned = napi(&emulator, &list).await.json();
    assert_eq!((text(&planned[0], "state"), text(&planned[0], "network_uuid")), ("provisioning", PRIVATE));
    assert!(!text(&planned[0], "cn_uuid").is_empty());
    later(&emulator, 5000);
    let mac = text(&planned[0], "mac").to_owned();
    let nic = napi(&emulator, &format!("/nics/{}", mac.replace(':', ""))).await.json();
    let vm = get(&emulator, "vmapi", &format!("/vms/{uuid}")).await.json();
    assert_eq!((text(&nic, "state"), &nic["primary"], text(&nic, "nic_tag")), ("running", &json!(true), "internal"));
    assert_eq!((&nic["mac"], &nic["ip"]), (&vm["nics"][0]["mac"], &vm["nics"][0]["ip"]));
    let ip = format!("/networks/{PRIVATE}/ips/{}", text(&nic, "ip"));
    let held = napi(&emulator, &ip).await.json();
    assert_eq!((text(&held, "belongs_to_uuid"), text(&held, "belongs_to_type")), (uuid.as_str(), "zone"));
    // An interface keeps its address until it loses it itself.
    let freed = put(&emulator, &ip, &json!({ "free": true })).await;
    assert_eq!((freed.status, errors(&freed)[0].1.as_str()), (422, "UsedBy"));
    ask(&emulator, "vmapi", "POST", &format!("/vms/{uuid}?action=stop"), &json!({})).await;
    later(&emulator, 3000);
    assert_eq!(text(&napi(&emulator, &format!("/nics/{mac}")).await.json(), "state"), "stopped");
    ask(&emulator, "vmapi", "DELETE", &format!("/vms/{uuid}"), &Value::Null).await;
    later(&emulator, 5000);
    let gone = napi(&emulator, &format!("/nics/{mac}")).await;
    assert_eq!((gone.status, gone.json()), (404, json!({ "code": "ResourceNotFound", "message": "nic not found" })));
    let free = napi(&emulator, &ip).await.json();
    assert_eq!((&free["free"], &free["reserved"]), (&json!(true), &json!(false)));
    assert_eq!(napi(&emulator, &list).await.json(), json!([]));
}

#[tokio::test]
async fn an_interface_is_added_to_a_vm_by_its_network_and_by_its_hardware_address() {
    let emulator = start().await;
    let network = there(&emulator, "/networks", &lab()).await;
    let id = text(&network, "uuid");
    let add = format!("/vms/{WEB1}?action=add_nics");
    let wanted = json!({ "networks": [{ "uuid": id, "ip": "10.60.0.77" }] });
    assert_eq!(ask(&emulator, "vmapi", "POST", &add, &wanted).await.status, 202);
    let now = napi(&emulator, &format!("/nics?belongs_to_uuid={WEB1}&network_uuid={id}")).await.json();
    assert_eq!((text(&now[0], "state"), text(&now[0], "ip")), ("provisioning", "10.60.0.77"));
    let taken = ask(&emulator, "vmapi", "POST", &add, &wanted).await;
    assert_eq!((taken.status, taken.code()), (422, "InvalidParameters".to_owned()));
    assert_eq!(
        taken.json()["errors"],
        json!([{
            "field": "ip", "code": "UsedBy", "type": "zone", "id": WEB1,
            "message": format!("IP in use by zone \"{WEB1}\""),
        }])
    );
    later(&emulator, 5000);
    let body = json!({ "belongs_to_uuid": WEB1, "belongs_to_type": "zone", "owner_uuid": ACME, "cn_uuid": CN });
    let nic = there(&emulator, &format!("/networks/{id}/nics"), &body).await;
    assert_eq!((text(&nic, "ip"), text(&nic, "state")), ("10.60.0.10", "provisioning"));
    let macs = json!({ "macs": [nic["mac"]] });
    assert_eq!(ask(&emulator, "vmapi", "POST", &add, &macs).await.status, 202);
    later(&emulator, 5000);
    let shown = napi(&emulator, &format!("/nics/{}", text(&nic, "mac"))).await.json();
    assert_eq!((text(&shown, "state"), text(&shown, "belongs_to_uuid")), ("running", WEB1));
    let busy = delete(&emulator, &format!("/networks/{id}")).await;
    assert_eq!(
        (busy.status, busy.code(), busy.message().as_str()),
        (422, "InUse".to_owned(), "network must have no NICs provisioned")
    );
    assert_eq!(text(&busy.json()["errors"][0], "code"), "UsedBy");
    for mac in [&nic["mac"], &now[0]["mac"]] {
        ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=remove_nics"), &json!({ "macs": [mac] })).await;
        later(&emulator, 5000);
    }
    assert_eq!(napi(&emulator, &format!("/nics/{}", text(&nic, "mac"))).await.status, 404);
    assert_eq!(delete(&emulator, &format!("/networks/{id}")).await.status, 204);
}

#[tokio::test]
async fn an_interface_of_nobody_is_kept_changed_and_deleted() {
    let emulator = start().await;
    let lacking = post(&emulator, "/nics", &json!({})).await;
    let names: Vec<String> = errors(&lacking).into_iter().map(|(field, _)| field).collect();
    assert_eq!(names, ["belongs_to_type", "belongs_to_uuid", "owner_uuid"]);
    let base = json!({ "belongs_to_uuid": GONE, "belongs_to_type": "zone", "owner_uuid": ACME });
    let with = |more: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, expected) in [
        (json!({ "belongs_to_type": "moon" }), ("belongs_to_type", "must be one of: \"other\", \"server\", \"zone\"")),
        (json!({ "mac": "x" }), ("mac", "invalid MAC address")),
        (json!({ "network_uuid": GONE }), ("network_uuid", "network does not exist")),
        (json!({ "network_uuid": PRIVATE, "ip": "10.9.0.1" }), ("ip", "")),
        (json!({ "nic_tag": "internal", "vlan_id": 0, "ip": "10.9.0.1" }), ("ip", "")),
        (json!({ "underlay": true }), ("underlay", "Only server NICs can be underlay NICs")),
        (json!({ "allow_ip_spoofing": "maybe" }), ("allow_ip_spoofing", "must be a boolean value")),
        (json!({ "network_uuid": "admin" }), ("owner_uuid", "owner cannot provision on network")),
    ] {
        let got = post(&emulator, "/nics", &with(more.clone())).await;
        let told = told(&got);
        assert_eq!((got.status, told.len(), told[0].0.as_str()), (422, 1, expected.0), "{more} {told:?}");
        assert!(expected.1.is_empty() || told[0].1 == expected.1, "{more} {told:?}");
    }
    let no_network = post(&emulator, "/nics", &with(json!({ "ip": "10.64.0.99" }))).await;
    let words = "required if IP specified but not network_uuid";
    assert_eq!(told(&no_network), pairs(&[("nic_tag", words), ("vlan_id", words)]));
    let bare = there(&emulator, "/nics", &with(json!({ "nic_tag": "external", "state": "running" }))).await;
    assert!(text(&bare, "mac").starts_with("90:b8:d0:") && bare.get("ip").is_none());
    assert_eq!((text(&bare, "nic_tag"), text(&bare, "state")), ("external", "running"));
    let nic = with(json!({ "network_uuid": PRIVATE, "mac": "90-B8-D0-00-00-77", "primary": true, "cn_uuid": CN }));
    let nic = there(&emulator, "/nics", &nic).await;
    assert_eq!((text(&nic, "mac"), &nic["primary"], text(&nic, "cn_uuid")), ("90:b8:d0:00:00:77", &json!(true), CN));
    let again = post(&emulator, "/nics", &with(json!({ "mac": "90b8d0000077" }))).await;
    assert_eq!(errors(&again), [("mac".to_owned(), "Duplicate".to_owned())]);
    let path = "/nics/90b8d0000077";
    let moved = put(&emulator, path, &json!({ "ip": "10.64.0.200", "allow_ip_spoofing": true })).await.json();
    assert_eq!((text(&moved, "ip"), &moved["allow_ip_spoofing"]), ("10.64.0.200", &json!(true)));
    let old = napi(&emulator, &format!("/networks/{PRIVATE}/ips/{}", text(&nic, "ip"))).await.json();
    assert_eq!(old["free"], true);
    let plain = put(&emulator, path, &json!({ "allow_ip_spoofing": false })).await.json();
    assert!(plain.get("allow_ip_spoofing").is_none());
    let rows = napi(&emulator, &format!("/nics?belongs_to_uuid={GONE}&nic_tag=internal")).await.json();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    let tag = napi(&emulator, path).await.header("Etag").unwrap();
    let wrong = send(&emulator, "napi", "DELETE", path, &[("If-Match", "A")], "").await;
    assert_eq!((wrong.status, wrong.message()), (412, format!("if-match 'A' didn't match etag '{tag}'")));
    assert_eq!(send(&emulator, "napi", "DELETE", path, &[("If-Match", &tag)], "").await.status, 204);
    assert_eq!(napi(&emulator, path).await.status, 404);
}

#[tokio::test]
async fn a_full_network_says_so_and_a_full_pool_names_itself() {
    let emulator = start().await;
    let mut small = lab();
    (small["provision_start_ip"], small["provision_end_ip"]) = (json!("10.60.0.10"), json!("10.60.0.11"));
    let id = text(&there(&emulator, "/networks", &small).await, "uuid").to_owned();
    let pool =
        there(&emulator, "/network_pools", &json!({ "name": "few", "networks": [id], "owner_uuids": [ACME] })).await;
    let pool = text(&pool, "uuid");
    let body = json!({ "belongs_to_uuid": GONE, "belongs_to_type": "other", "owner_uuid": ACME });
    for ip in ["10.60.0.10", "10.60.0.11"] {
        assert_eq!(text(&there(&emulator, &format!("/networks/{pool}/nics"), &body).await, "ip"), ip);
    }
    let full = post(&emulator, &format!("/networks/{id}/nics"), &body).await;
    assert_eq!(
        (full.status, full.json()),
        (507, json!({ "code": "SubnetFull", "message": "no more free IPs", "network_uuid": id }))
    );
    let full = post(&emulator, &format!("/networks/{pool}/nics"), &body).await;
    assert_eq!(told(&full), pairs(&[("network_uuid", &format!("All networks in pool {pool} are full"))]));
    let mut wanted = zone("late");
    wanted["networks"] = json!([{ "uuid": id }]);
    let late = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
    assert_eq!((late.status, late.code(), &late.json()["network_uuid"]), (507, "SubnetFull".to_owned(), &json!(id)));
}

#[tokio::test]
async fn tags_are_made_and_only_those_that_nothing_has_are_changed() {
    let emulator = start().await;
    let made = there(&emulator, "/nic_tags", &json!({ "name": "storage", "mtu": 9000 })).await;
    assert_eq!((text(&made, "name"), &made["mtu"]), ("storage", &json!(9000)));
    let again = post(&emulator, "/nic_tags", &json!({ "name": "storage" })).await;
    assert_eq!(errors(&again), [("name".to_owned(), "Duplicate".to_owned())]);
    let renamed = put(&emulator, "/nic_tags/storage", &json!({ "name": "store" })).await.json();
    assert_eq!((text(&renamed, "name"), &renamed["uuid"]), ("store", &made["uuid"]));
    assert_eq!(delete(&emulator, "/nic_tags/store").await.status, 204);
    assert_eq!(napi(&emulator, "/nic_tags/store").await.status, 404);
    for (name, body, expected) in [
        ("admin", json!({ "mtu": 1500 }), ("name", "admin nic tag cannot be updated")),
        ("external", json!({ "name": "x" }), ("name", "external nic tag cannot be renamed")),
        ("internal", json!({ "name": "x" }), ("nic_tag", &*format!("In use by network \"{PRIVATE}\""))),
        ("customer", json!({}), ("name", "Missing parameter")),
    ] {
        let got = put(&emulator, &format!("/nic_tags/{name}"), &body).await;
        assert_eq!((got.status, told(&got)), (422, pairs(&[expected])), "{name}");
    }
    let used = delete(&emulator, "/nic_tags/internal").await;
    assert_eq!(
        (used.code(), errors(&used)),
        ("InvalidParameters".to_owned(), vec![("nic_tag".to_owned(), "UsedBy".to_owned())])
    );
    let bad = post(&emulator, "/nic_tags", &json!({ "name": "a b" })).await;
    assert_eq!(told(&bad), pairs(&[("name", "must only contain numbers, letters and underscores")]));
}

#[tokio::test]
async fn pools_hold_networks_of_their_owners() {
    let emulator = start().await;
    let network = there(&emulator, "/networks", &lab()).await;
    let id = text(&network, "uuid");
    let pool = there(&emulator, "/network_pools", &json!({ "name": "both", "networks": [PRIVATE, id] })).await;
    let mut sorted = [PRIVATE, id];
    sorted.sort_unstable();
    assert_eq!((&pool["networks"], &pool["nic_tags_present"]), (&json!(sorted), &json!(["external", "internal"])));
    assert_eq!((text(&pool, "nic_tag"), text(&pool, "family")), ("external", "ipv4"));
    for (body, expected) in [
        (json!({ "name": "x", "networks": [] }), "network pool must contain at least one network"),
        (json!({ "name": "x", "networks": [GONE] }), "unknown network"),
        (
            json!({ "name": "x", "networks": [id], "owner_uuids": [GLOBEX] }),
            "network owner_uuids do not match the owner_uuids of the pool",
        ),
    ] {
        let got = post(&emulator, "/network_pools", &body).await;
        assert_eq!(told(&got), pairs(&[("networks", expected)]), "{body}");
    }
    let path = format!("/network_pools/{}", text(&pool, "uuid"));
    let owned = put(&emulator, &path, &json!({ "owner_uuids": [ACME] })).await.json();
    assert_eq!(owned["owner_uuids"], json!([ACME]));
    let denied = napi(&emulator, &format!("{path}?provisionable_by={GLOBEX}")).await;
    assert_eq!((denied.status, denied.code()), (403, "NotAuthorized".to_owned()));
    assert!(put(&emulator, &path, &json!({ "owner_uuids": null })).await.json().get("owner_uuids").is_none());
    let used = delete(&emulator, &format!("/networks/{id}")).await;
    assert_eq!((used.code(), used.message().as_str()), ("InUse".to_owned(), "Network is in use"));
    assert_eq!(delete(&emulator, &path).await.status, 204);
    assert_eq!(delete(&emulator, &format!("/networks/{id}")).await.status, 204);
}

#[tokio::test]
async fn a_fabric_has_vlans_and_networks_of_one_owner() {
    let emulator = start().await;
    let vlans = format!("/fabrics/{ACME}/vlans");
    let vlan = there(&emulator, &vlans, &json!({ "name": "app", "vlan_id": 7 })).await;
    assert_eq!((text(&vlan, "name"), text(&vlan, "owner_uuid"), &vlan["vlan_id"]), ("app", ACME, &json!(7)));
    let taken = post(&emulator, &vlans, &json!({ "name": "b", "vlan_id": 7 })).await;
    assert_eq!(
        (taken.status, taken.code(), taken.message().as_str()),
        (422, "InUse".to_owned(), "VLAN ID is already in use")
    );
    let some = napi(&emulator, &format!("{vlans}?fields=name,vlan_id")).await.json();
    assert!(some.as_array().unwrap().contains(&json!({ "name": "app", "vlan_id": 7 })));
    let networks = format!("{vlans}/7/networks");
    let body = json!({
        "name": "lan", "subnet": "10.40.0.0/24", "provision_start_ip": "10.40.0.1", "provision_end_ip": "10.40.0.250",
    });
    let network = there(&emulator, &networks, &body).await;
    assert_eq!(
        (text(&network, "nic_tag"), text(&network, "owner_uuid"), &network["vnet_id"], &network["internet_nat"]),
        ("sdc_overlay", ACME, &vlan["vnet_id"], &json!(true))
    );
    assert_eq!((text(&network, "gateway"), &network["mtu"]), ("10.40.0.1", &json!(1400)));
    let plain = napi(&emulator, &format!("/networks/{}", text(&network, "uuid"))).await.json();
    assert_eq!((&plain["owner_uuids"], &plain["fabric"]), (&json!([ACME]), &json!(true)));
    let mut other = body.clone();
    (other["name"], other["subnet"]) = (json!("lan-2"), json!("10.40.0.0/25"));
    other["provision_end_ip"] = json!("10.40.0.100");
    let overlaps = post(&emulator, &networks, &other).await;
    assert_eq!(told(&overlaps), pairs(&[("subnet", "subnet overlaps with another network")]));
    let public = json!({
        "name": "p", "subnet": "8.8.8.0/24", "provision_start_ip": "8.8.8.1", "provision_end_ip": "8.8.8.9",
    });
    let public = post(&emulator, &networks, &public).await;
    assert_eq!(told(&public), pairs(&[("subnet", "subnet must be within private ranges")]));
    let chosen =
        there(&emulator, &networks, &json!({ "name": "auto", "subnet_alloc": true, "subnet_prefix": 24 })).await;
    assert_eq!(text(&chosen, "subnet"), "10.0.0.0/24");
    let path = format!("{networks}/{}", text(&network, "uuid"));
    let fixed = put(&emulator, &path, &json!({ "gateway": "10.40.0.9" })).await;
    assert_eq!(told(&fixed), pairs(&[("gateway", "Network updates for this field are not supported on fabrics")]));
    assert_eq!(text(&put(&emulator, &path, &json!({ "name": "lan-1" })).await.json(), "name"), "lan-1");
    let busy = delete(&emulator, &format!("{vlans}/7")).await;
    assert_eq!((busy.code(), busy.message().as_str()), ("InUse".to_owned(), "VLAN must have no networks"));
    for id in [text(&network, "uuid"), text(&chosen, "uuid")] {
        assert_eq!(delete(&emulator, &format!("{networks}/{id}")).await.status, 204);
    }
    assert_eq!(delete(&emulator, &format!("{vlans}/7")).await.status, 204);
    // An interface on a fabric says on which server.
    let fabric = napi(&emulator, "/networks?fabric=true&vlan_id=2").await.json();
    let body = json!({ "belongs_to_uuid": GONE, "belongs_to_type": "zone", "owner_uuid": ACME });
    let target = format!("/networks/{}/nics", text(&fabric[0], "uuid"));
    assert_eq!(errors(&post(&emulator, &target, &body).await), [("cn_uuid".to_owned(), "MissingParameter".to_owned())]);
}

#[tokio::test]
async fn servers_have_interfaces_that_can_be_used_as_one() {
    let emulator = start().await;
    let nics = napi(&emulator, &format!("/nics?belongs_to_type=server&belongs_to_uuid={CN}")).await.json();
    assert_eq!(nics[0]["nic_tags_provided"], json!(["admin", "external", "internal", "customer"]));
    assert_eq!((text(&nics[0], "nic_tag"), &nics[1]["underlay"]), ("admin", &json!(true)));
    let macs = json!([nics[2]["mac"], nics[3]["mac"]]);
    let made = there(&emulator, "/aggregations", &json!({ "name": "aggr0", "macs": macs })).await;
    assert_eq!(
        (text(&made, "id"), text(&made, "lacp_mode"), text(&made, "belongs_to_uuid")),
        (&*format!("{CN}-aggr0"), "off", CN)
    );
    let path = format!("/aggregations/{CN}-aggr0");
    assert_eq!(text(&put(&emulator, &path, &json!({ "lacp_mode": "active" })).await.json(), "lacp_mode"), "active");
    let mode = put(&emulator, &path, &json!({ "lacp_mode": "fast" })).await;
    assert_eq!(told(&mode), pairs(&[("lacp_mode", "Invalid LACP mode. Supported modes: off, active, passive")]));
    let name = post(&emulator, "/aggregations", &json!({ "name": "aggr", "macs": macs })).await;
    assert_eq!(told(&name), pairs(&[("name", "name must end in a number")]));
    assert_eq!(delete(&emulator, &path).await.status, 204);
    assert_eq!(napi(&emulator, &path).await.status, 404);
    assert_eq!(napi(&emulator, "/aggregations").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_interfaces_of_a_provision_that_fails_are_gone_and_what_a_vm_left_behind_stays() {
    let emulator = start().await;
    let mut wanted = zone("doomed");
    wanted["internal_metadata"] = json!({ "force_provision_failure": true });
    let got = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
    let list = format!("/nics?belongs_to_uuid={}", got.json()["vm_uuid"].as_str().unwrap());
    assert_eq!(napi(&emulator, &list).await.json().as_array().unwrap().len(), 1);
    later(&emulator, 5000);
    assert_eq!(napi(&emulator, &list).await.json(), json!([]));
    made(&emulator, "fine").await;
    let zones = napi(&emulator, "/nics?belongs_to_type=zone").await.json();
    let mut orphans = 0;
    for nic in zones.as_array().unwrap() {
        let vm = get(&emulator, "vmapi", &format!("/vms/{}", text(nic, "belongs_to_uuid"))).await;
        orphans += usize::from(vm.status == 404);
    }
    assert!(orphans >= 1, "the data center has an interface whose VM is gone");
}

#[tokio::test]
async fn a_vm_gets_no_interface_where_its_server_is_not() {
    let emulator = start().await;
    there(&emulator, "/nic_tags", &json!({ "name": "storage" })).await;
    let mut network = lab();
    network["nic_tag"] = json!("storage");
    let network = there(&emulator, "/networks", &network).await;
    let id = text(&network, "uuid");
    let mut wanted = zone("far");
    wanted["networks"] = json!([{ "uuid": id }]);
    let got = ask(&emulator, "vmapi", "POST", "/vms", &wanted).await;
    assert_eq!((got.status, got.code()), (409, "ValidationFailed".to_owned()));
    assert_eq!(told(&got), pairs(&[("server", "Server must have one of the following NIC tags: storage")]));
    assert_eq!(get(&emulator, "vmapi", "/vms?alias=far").await.json(), json!([]));
    let body = json!({ "belongs_to_uuid": WEB1, "belongs_to_type": "zone", "owner_uuid": ACME, "cn_uuid": CN });
    let nic = there(&emulator, &format!("/networks/{id}/nics"), &body).await;
    let add = format!("/vms/{WEB1}?action=add_nics");
    let denied = ask(&emulator, "vmapi", "POST", &add, &json!({ "macs": [nic["mac"]] })).await;
    assert_eq!(told(&denied), pairs(&[("server", "Server does not have NIC tag: storage")]));
    // It is there once an interface of the server is on it.
    let vm = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    let own = format!("/nics?belongs_to_type=server&belongs_to_uuid={}", text(&vm, "server_uuid"));
    let own = napi(&emulator, &own).await.json();
    let tags = json!({ "nic_tags_provided": ["admin", "external", "internal", "customer", "storage"] });
    assert_eq!(put(&emulator, &format!("/nics/{}", text(&own[0], "mac")), &tags).await.status, 200);
    assert_eq!(ask(&emulator, "vmapi", "POST", &add, &json!({ "macs": [nic["mac"]] })).await.status, 202);
    later(&emulator, 5000);
    assert_eq!(text(&napi(&emulator, &format!("/nics/{}", text(&nic, "mac"))).await.json(), "state"), "running");
    let used = delete(&emulator, "/nic_tags/storage").await;
    assert_eq!(errors(&used), [("nic_tag".to_owned(), "UsedBy".to_owned())]);
}

#[tokio::test]
async fn the_services_are_where_their_zones_interfaces_say() {
    let emulator = start().await;
    let network = napi(&emulator, "/networks/admin").await.json();
    let ips = napi(&emulator, "/networks/admin/ips").await.json();
    let ips: Vec<&str> = ips.as_array().unwrap().iter().map(|row| text(row, "ip")).collect();
    for (name, address) in emulator.admin() {
        let vm = get(&emulator, "vmapi", &format!("/vms?alias={name}0")).await.json();
        let ip = text(&vm[0]["nics"][0], "ip").to_owned();
        // Where each has a port of its own, the metadata alone says it.
        assert!(address.contains(':') || *address == ip, "{name} {address} {ip}");
        assert!(ips.contains(&ip.as_str()), "{name} {ip} {}", text(&network, "subnet"));
    }
    let nics = napi(&emulator, &format!("/nics?network_uuid={}", text(&network, "uuid"))).await.json();
    let mut held: Vec<&str> = nics.as_array().unwrap().iter().map(|nic| text(nic, "ip")).collect();
    let count = held.len();
    held.sort_unstable();
    held.dedup();
    assert_eq!(held.len(), count, "no address is held twice");
}
