//! Data centers that are not as new: what discovery meets there.

use sdc::emulator::{Emulator, Options, Pace, Seed};
use serde_json::Value;

use super::super::ssh_keygen_interop::options;
use super::get;

async fn begin(seed: Seed) -> Emulator {
    Emulator::start(Options { pace: Pace::Stepped, admin: true, seed, ..options() }).await.unwrap()
}

/// The instances of a service, as SAPI lists them.
async fn instances(emulator: &Emulator, service: &str) -> Vec<Value> {
    let services = get(emulator, "sapi", &format!("/services?name={service}")).await.json();
    let path = format!("/instances?service_uuid={}", services[0]["uuid"].as_str().unwrap());
    get(emulator, "sapi", &path).await.json().as_array().unwrap().clone()
}

async fn vm(emulator: &Emulator, instance: &Value) -> Value {
    get(emulator, "vmapi", &format!("/vms/{}", instance["uuid"].as_str().unwrap())).await.json()
}

/// The aliases of the instances of a service, with the states of their VMs, in SAPI's order.
async fn states(emulator: &Emulator, service: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for instance in instances(emulator, service).await {
        let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
        all.push((text(&instance["params"]["alias"]), text(&vm(emulator, &instance).await["state"])));
    }
    all
}

fn address(emulator: &Emulator, service: &str) -> String {
    emulator.admin().iter().find(|(name, _)| name == service).unwrap().1.clone()
}

#[tokio::test]
async fn a_data_center_that_has_grown_has_zones_that_are_gone_have_failed_or_are_forgotten() {
    let emulator = begin(Seed::Grown).await;
    for (service, expected) in [
        ("vmapi", &[("vmapi0", "destroyed"), ("vmapi10", "running"), ("vmapi2", "running")][..]),
        ("papi", &[("papi0", "running"), ("papi1", "failed")]),
        ("napi", &[("napi0", "running"), ("napi1", "none")]),
        ("mahi", &[("mahi0", "running"), ("mahi1", "unknown")]),
        ("cns", &[]),
        ("fwapi", &[]),
    ] {
        let states = states(&emulator, service).await;
        let seen: Vec<(&str, &str)> = states.iter().map(|(alias, state)| (alias.as_str(), state.as_str())).collect();
        assert_eq!(seen, expected, "{service}");
    }
    let known = instances(&emulator, "vmapi").await;
    let at = |alias: &str| {
        let found = known.iter().find(|one| one["params"]["alias"] == alias).unwrap();
        found["metadata"]["ADMIN_IP"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!((at("vmapi2"), at("vmapi10")), (address(&emulator, "vmapi"), String::new()));
    // The customers' side is that of the demo.
    let machines = super::super::ssh_keygen_interop::get(&emulator, "/acme/machines").await;
    assert_eq!(machines.json().as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn a_service_on_the_network_of_a_rack_is_known_by_its_interface_alone() {
    let emulator = begin(Seed::Grown).await;
    let application = get(&emulator, "sapi", "/applications?name=sdc").await.json()[0]["metadata"].clone();
    assert!(application["vmapi_admin_ips"].is_string());
    for service in ["cnapi", "imgapi"] {
        let instance = instances(&emulator, service).await[0].clone();
        let nic = vm(&emulator, &instance).await["nics"][0].clone();
        assert_eq!(nic["nic_tag"], "admin_rack_r1");
        let place = address(&emulator, service);
        if place.contains(':') {
            // An interface has no port.
            assert_eq!(instance["metadata"]["ADMIN_IP"], place.as_str());
            continue;
        }
        assert_eq!(nic["ip"], place.as_str());
        assert!(instance["metadata"].get("ADMIN_IP").is_none());
        assert!(application.get(format!("{service}_admin_ips")).is_none());
    }
    assert_eq!(get(&emulator, "napi", "/nic_tags/admin_rack_r1").await.status, 200);
    let networks = get(&emulator, "napi", "/networks?name=admin_rack_r1").await.json();
    assert_eq!(networks[0]["nic_tag"], "admin_rack_r1");
}

#[tokio::test]
async fn the_data_center_of_sdcadmin_has_one_zone_a_service_with_its_address() {
    let emulator = begin(Seed::Sdcadmin).await;
    for service in ["vmapi", "fwapi", "imgapi", "napi", "papi", "workflow", "ufds"] {
        let all = instances(&emulator, service).await;
        assert_eq!(all.len(), 1, "{service}");
        let place = all[0]["metadata"]["ADMIN_IP"].as_str().unwrap();
        assert_eq!(vm(&emulator, &all[0]).await["state"], "running");
        match emulator.admin().iter().find(|(name, _)| name == service) {
            Some((_, address)) => assert_eq!(place, address),
            None => assert!(place.parse::<std::net::Ipv4Addr>().unwrap().is_loopback(), "{place}"),
        }
    }
}
