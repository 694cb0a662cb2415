//! The twelve invariants.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::ACME;
use super::world::World;

const OPERATOR: &str = "930896af-bf8c-48d4-885c-6573a94b1853";

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn rows<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn by<'a>(rows: &'a [Value], name: &str) -> BTreeMap<&'a str, &'a Value> {
    rows.iter().map(|row| (text(row, name), row)).collect()
}

fn is_active(vm: &Value) -> bool {
    !matches!(text(vm, "state"), "destroyed" | "failed")
}

/// What the services say, asked once for all checks.
struct Seen {
    vms: Vec<Value>,
    nics: Vec<Value>,
    networks: Vec<Value>,
    jobs: Vec<Value>,
    accounts: BTreeSet<String>,
    machines: Vec<Value>,
}

pub async fn all(world: &World) {
    let accounts = world.admin("mahi", "/lookup").await;
    let seen = Seen {
        vms: world.list("vmapi", "/vms").await,
        nics: world.list("napi", "/nics").await,
        networks: world.list("napi", "/networks").await,
        jobs: world.list("vmapi", "/jobs").await,
        accounts: accounts.as_object().unwrap().keys().cloned().collect(),
        machines: world.customer("/acme/machines?tombstone=true").await.as_array().unwrap().clone(),
    };
    both_sides(world, &seen);
    interfaces(world, &seen).await;
    servers(world, &seen).await;
    packages_and_images(world, &seen).await;
    jobs(world, &seen);
    tickets(world).await;
    snapshots(world, &seen);
    aliases(world, &seen);
    fabrics(world, &seen);
    volumes(world, &seen).await;
    instances(world, &seen).await;
    keys_and_network(world, &seen).await;
    owners(world, &seen);
}

/// The customer's machines are the VMs of the account, with the same names, states and addresses.
fn both_sides(world: &World, seen: &Seen) {
    let zone = |vm: &Value| vm["internal_metadata"]["sdc:system_role"] == "nfsvolumestorage";
    let own: Vec<&Value> = seen.vms.iter().filter(|vm| text(vm, "owner_uuid") == ACME && !zone(vm)).collect();
    let machines = by(&seen.machines, "id");
    world.hold(own.len() == machines.len(), || format!("{} VMs are {} machines", own.len(), machines.len()));
    for vm in own {
        let uuid = text(vm, "uuid");
        let machine = machines.get(uuid).copied().unwrap_or(&Value::Null);
        let state = match text(vm, "state") {
            "destroyed" => "deleted",
            other => other,
        };
        let ips: Vec<&Value> = rows(vm, "nics").iter().map(|nic| &nic["ip"]).collect();
        let same = text(machine, "name") == text(vm, "alias")
            && text(machine, "state") == state
            && machine["memory"] == vm["ram"]
            && machine["tags"] == vm["tags"]
            && machine["metadata"] == vm["customer_metadata"]
            && (machine["compute_node"] == vm["server_uuid"] || state == "provisioning")
            && rows(machine, "ips").iter().collect::<Vec<_>>() == ips;
        world.hold(same, || format!("the two sides differ:\n{vm}\n{machine}"));
    }
}

/// (1) Every interface of a VM that is there is in NAPI once, and has its address.
async fn interfaces(world: &World, seen: &Seen) {
    let nics = by(&seen.nics, "mac");
    world.hold(nics.len() == seen.nics.len(), || "two interfaces have one hardware address".to_owned());
    let mut places = BTreeMap::new();
    for nic in seen.nics.iter().filter(|nic| nic["ip"].is_string()) {
        let place = (text(nic, "network_uuid"), text(nic, "ip"));
        let other = places.insert(place, nic);
        world.hold(other.is_none(), || format!("two interfaces have one address: {nic} {other:?}"));
    }
    for vm in seen.vms.iter().filter(|vm| is_active(vm)) {
        for nic in rows(vm, "nics") {
            let known = nics.get(text(nic, "mac")).copied().unwrap_or(&Value::Null);
            let same = known["belongs_to_uuid"] == vm["uuid"]
                && ["ip", "network_uuid", "nic_tag", "netmask"].iter().all(|name| known[*name] == nic[*name])
                && known["owner_uuid"] == vm["owner_uuid"]
                && known["cn_uuid"] == vm["server_uuid"]
                && known["primary"] == nic["primary"].as_bool().unwrap_or(false);
            world.hold(same, || format!("NAPI has otherwise: {nic} of {vm}\n{known}"));
        }
        let primary = rows(vm, "nics").iter().filter(|nic| nic["primary"] == true).count();
        world.hold(primary <= 1, || format!("several interfaces are the primary one: {vm}"));
    }
    for network in &seen.networks {
        let ips = world.list("napi", &format!("/networks/{}/ips", text(network, "uuid"))).await;
        let ips = by(&ips, "ip");
        for nic in seen.nics.iter().filter(|nic| nic["network_uuid"] == network["uuid"]) {
            let ip = ips.get(text(nic, "ip")).copied().unwrap_or(&Value::Null);
            let same = ip["free"] == false
                && ["belongs_to_uuid", "belongs_to_type", "owner_uuid"].iter().all(|name| ip[*name] == nic[*name]);
            world.hold(same, || format!("the address is otherwise: {nic}\n{ip}"));
        }
        let zones = ips.values().filter(|ip| ip["belongs_to_type"] == "zone");
        for ip in zones {
            let held = seen.nics.iter().any(|nic| nic["ip"] == ip["ip"] && nic["network_uuid"] == network["uuid"]);
            world.hold(held, || format!("nobody has this address any more: {ip}"));
        }
    }
    // What belongs to a VM is that VM's, or was left behind by it.
    for nic in seen.nics.iter().filter(|nic| nic["belongs_to_type"] == "zone") {
        let vm = seen.vms.iter().find(|vm| vm["uuid"] == nic["belongs_to_uuid"] && is_active(vm));
        let has = vm
            .is_none_or(|vm| nic["state"] != "running" || rows(vm, "nics").iter().any(|own| own["mac"] == nic["mac"]));
        world.hold(has, || format!("the VM does not know of its interface: {nic} {vm:?}"));
    }
}

/// (2) Every VM is on a server that is set up, which knows of it, and has that much less to give.
async fn servers(world: &World, seen: &Seen) {
    let servers = world.list("cnapi", "/servers?extras=all").await;
    let by_uuid = by(&servers, "uuid");
    for vm in seen.vms.iter().filter(|vm| is_active(vm)) {
        let server = by_uuid.get(text(vm, "server_uuid")).copied().unwrap_or(&Value::Null);
        let on = &server["vms"][text(vm, "uuid")];
        let same = server["setup"] == true
            && on["state"] == vm["state"]
            && on["owner_uuid"] == vm["owner_uuid"]
            && on["max_physical_memory"] == vm["ram"];
        world.hold(same, || format!("the server has otherwise: {vm}\n{on}"));
    }
    for server in &servers {
        let on = server["vms"].as_object().unwrap();
        for uuid in on.keys() {
            let there = seen.vms.iter().any(|vm| text(vm, "uuid") == uuid && vm["server_uuid"] == server["uuid"]);
            world.hold(there, || format!("VMAPI does not have {uuid} on {}", server["hostname"]));
        }
        let taken: u64 = on.values().map(|vm| vm["max_physical_memory"].as_u64().unwrap()).sum();
        let left = (server["ram"].as_u64().unwrap() * 85 / 100).saturating_sub(taken);
        world.hold(server["unreserved_ram"] == left, || format!("{left} MiB are left on {server}"));
    }
}

/// (3) Packages and images are there, unless they were deleted.
async fn packages_and_images(world: &World, seen: &Seen) {
    let packages = world.list("papi", "/packages").await;
    let images = world.list("imgapi", "/images?state=all").await;
    let (packages, images) = (by(&packages, "uuid"), by(&images, "uuid"));
    for vm in &seen.vms {
        let billing = text(vm, "billing_id");
        world.hold(billing.is_empty() || packages.contains_key(billing), || format!("no such package: {vm}"));
        let first = if vm["disks"].is_array() { &vm["disks"][0]["image_uuid"] } else { &vm["image_uuid"] };
        let image = first.as_str().unwrap_or_default();
        let known = image.is_empty() || images.contains_key(image) || world.deleted_images.iter().any(|id| id == image);
        world.hold(known, || format!("no such image: {vm}"));
    }
}

/// (4) Every VM has a job that made it; every job that was named is there, with times in order.
fn jobs(world: &World, seen: &Seen) {
    let jobs = by(&seen.jobs, "uuid");
    let mut by_vm: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    seen.jobs.iter().for_each(|job| by_vm.entry(text(&job["params"], "vm_uuid")).or_default().push(job));
    for uuid in world.jobs.keys() {
        world.hold(jobs.contains_key(uuid.as_str()), || format!("job {uuid} is gone"));
    }
    for vm in &seen.vms {
        let own = by_vm.get(text(vm, "uuid")).cloned().unwrap_or_default();
        let made = |job: &&&Value| job["params"]["task"] == "provision" && job["execution"] != "retried";
        let provisions = own.iter().filter(made).count();
        world.hold(provisions == 1, || format!("{provisions} jobs made {vm}"));
        for job in own.iter().filter(|job| job["execution"] == "succeeded") {
            let put = rows(job, "chain_results").iter().find(|step| step["name"] == "vmapi.put_vm");
            let late = put.is_some_and(|step| text(step, "finished_at") > text(vm, "last_modified"));
            world.hold(!late, || format!("the VM has not changed since {job}\n{vm}"));
        }
    }
    for job in &seen.jobs {
        let times: Vec<&str> = std::iter::once(text(job, "created_at"))
            .chain(rows(job, "chain_results").iter().map(|step| text(step, "finished_at")))
            .collect();
        world.hold(times.is_sorted(), || format!("times are out of order: {job}"));
        let over = matches!(text(job, "execution"), "succeeded" | "failed" | "canceled");
        world.hold(!over || times.len() > 1, || format!("it ended without a result: {job}"));
    }
}

/// Of the tickets of one thing no more than one is active, and that is the first.
async fn tickets(world: &World) {
    for server in world.list("cnapi", "/servers").await {
        let open = world.list("cnapi", &format!("/servers/{}/tickets", text(&server, "uuid"))).await;
        for (at, ticket) in open.iter().enumerate().filter(|(_, ticket)| ticket["status"] == "active") {
            let before = open[..at].iter().find(|other| other["id"] == ticket["id"]);
            world.hold(before.is_none(), || format!("two work at once:\n{before:?}\n{ticket}"));
        }
    }
}

/// (5) Every snapshot has its job.
fn snapshots(world: &World, seen: &Seen) {
    for vm in &seen.vms {
        for snapshot in rows(vm, "snapshots") {
            let made = seen.jobs.iter().any(|job| {
                job["params"]["vm_uuid"] == vm["uuid"]
                    && job["params"]["task"] == "snapshot"
                    && job["params"]["snapshot_name"] == snapshot["name"]
                    && job["execution"] == "succeeded"
            });
            world.hold(made, || format!("no job made the snapshot {snapshot} of {vm}"));
        }
    }
}

/// (6) An alias is that of one active VM of an owner.
fn aliases(world: &World, seen: &Seen) {
    let mut taken = BTreeMap::new();
    for vm in seen.vms.iter().filter(|vm| is_active(vm) && vm["alias"].is_string()) {
        let other = taken.insert((text(vm, "owner_uuid"), text(vm, "alias")), vm);
        world.hold(other.is_none(), || format!("two VMs have one alias: {vm} {other:?}"));
    }
}

/// (7) An interface on a fabric has the tag of its owner's fabric.
fn fabrics(world: &World, seen: &Seen) {
    let networks = by(&seen.networks, "uuid");
    for vm in seen.vms.iter().filter(|vm| is_active(vm)) {
        for nic in rows(vm, "nics") {
            let network = networks.get(text(nic, "network_uuid")).copied().unwrap_or(&Value::Null);
            world.hold(network["uuid"].is_string(), || format!("its network is gone: {nic} of {vm}"));
            if network["fabric"] == true {
                let tag = format!("sdc_overlay/{}", network["vnet_id"]);
                let own = rows(network, "owner_uuids") == [vm["owner_uuid"].clone()];
                world.hold(own && text(nic, "nic_tag") == tag, || format!("not the owner's fabric: {vm}\n{network}"));
            }
        }
    }
}

/// (8) A volume has its zone, and those that mount it know of it.
async fn volumes(world: &World, seen: &Seen) {
    let volumes = world.customer("/acme/volumes").await;
    for volume in volumes.as_array().unwrap() {
        let alias = format!("nfs-shared-volume-{}", text(volume, "id"));
        let zone = seen.vms.iter().any(|vm| text(vm, "alias") == alias && vm["owner_uuid"] == volume["owner_uuid"]);
        world.hold(zone, || format!("no zone serves {volume}"));
        for mounting in rows(volume, "refs") {
            let vm = seen.vms.iter().find(|vm| vm["uuid"] == *mounting);
            let knows = vm.is_some_and(|vm| vm["internal_metadata"]["sdc:volumes"].is_string());
            world.hold(knows, || format!("{mounting} does not know of {volume}"));
        }
    }
}

/// (9) An instance of a service is a zone of the operator's.
async fn instances(world: &World, seen: &Seen) {
    let services = world.list("sapi", "/services").await;
    for instance in world.list("sapi", "/instances").await {
        if !services.iter().any(|service| service["uuid"] == instance["service_uuid"]) {
            // Of an agent, which has no zone.
            continue;
        }
        let vm = seen.vms.iter().find(|vm| vm["uuid"] == instance["uuid"]);
        let own = vm.is_some_and(|vm| text(vm, "owner_uuid") == OPERATOR);
        world.hold(own, || format!("no zone of the operator's: {instance} {vm:?}"));
    }
}

/// (10) and (12): the keys of both sides are the same, and the default network is one of the account's fabric.
async fn keys_and_network(world: &World, seen: &Seen) {
    let shown = world.customer("/acme/keys").await;
    let shown: BTreeSet<&str> = shown.as_array().unwrap().iter().map(|key| text(key, "fingerprint")).collect();
    let known = world.admin("mahi", "/accounts?login=acme").await;
    let known: BTreeSet<&str> = known["account"]["keys"].as_object().unwrap().keys().map(String::as_str).collect();
    world.hold(shown == known, || format!("keys differ: {shown:?} {known:?}"));
    let config = world.customer("/acme/config").await;
    if let Some(id) = config["default_network"].as_str() {
        let network = seen.networks.iter().find(|network| text(network, "uuid") == id);
        let own = network.is_some_and(|it| it["fabric"] == true && rows(it, "owner_uuids") == [Value::from(ACME)]);
        world.hold(own, || format!("the default network is not the account's: {id} {network:?}"));
    }
}

/// (11) Whoever owns something is an account.
fn owners(world: &World, seen: &Seen) {
    for row in seen.vms.iter().chain(&seen.nics) {
        let owner = text(row, "owner_uuid");
        world.hold(seen.accounts.contains(owner), || format!("nobody is the owner of {row}"));
    }
    for owner in seen.networks.iter().flat_map(|network| rows(network, "owner_uuids")) {
        world.hold(seen.accounts.contains(owner.as_str().unwrap()), || format!("{owner} is not an account"));
    }
}
