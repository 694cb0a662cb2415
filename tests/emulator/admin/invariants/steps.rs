//! What a walk does: operations of both sides, each on things that are there, or nearly.

use serde_json::{Value, json};

use super::super::super::ssh_keygen_interop::new_key;
use super::super::{ACME, BASE, GLOBEX, PRIVATE, SMALL};
use super::world::World;

const MEDIUM: &str = "a40c6f38-4f6b-4c8d-8eaf-3a4b5c6d7e03";
const PUBLIC: &str = "public";
const ZONE_IMAGES: &[&str] = &[BASE];
/// Steps at which jobs are made to fail.
const STEPS: &[&str] = &[
    "common.validate_params",
    "cnapi.acquire_vm_ticket",
    "cnapi.provision_vm",
    "cnapi.wait_task",
    "vmapi.put_vm",
    "napi.remove_nics",
    "fwapi.update",
    "cnapi.release_vm_ticket",
    "cnapi.update_vm",
];

pub async fn step(world: &mut World) {
    match world.dice.roll(100) {
        0..12 => make(world).await,
        12..20 => remove(world).await,
        20..34 => power(world).await,
        34..46 => update(world).await,
        46..54 => interfaces(world).await,
        54..61 => snapshots(world).await,
        61..65 => networks(world).await,
        65..69 => fabrics(world).await,
        69..72 => packages(world).await,
        72..75 => addresses(world).await,
        75..78 => volumes(world).await,
        78..80 => keys(world).await,
        80..82 => images(world).await,
        82..84 => migrations(world).await,
        84..86 => instances(world).await,
        86..89 => cancel(world).await,
        89..91 => fail(world),
        91..93 => lose(world),
        93..95 => world.restart().await,
        95..97 => hold_up(world).await,
        _ => {
            let ms = [50, 200, 700, 1500, 5000, 60_000][world.dice.roll(6)];
            world.wait(ms);
        }
    }
}

/// Some VM of a customer, in any state that is given; those that serve volumes are their volumes' own.
async fn vm(world: &mut World, states: &[&str]) -> Option<Value> {
    let mut all = world.list("vmapi", "/vms").await;
    all.retain(|vm| {
        let own = vm["owner_uuid"] == ACME || vm["owner_uuid"] == GLOBEX;
        let zone = vm["internal_metadata"]["sdc:system_role"] == "nfsvolumestorage";
        own && !zone && (states.is_empty() || states.contains(&vm["state"].as_str().unwrap()))
    });
    // The newest ones more often: what has just been done is under way there.
    let at = world.dice.roll(all.len().max(1)).min(world.dice.roll(all.len().max(1)));
    all.sort_by(|one, other| other["create_timestamp"].as_str().cmp(&one["create_timestamp"].as_str()));
    all.into_iter().nth(at)
}

fn id(value: &Value) -> String {
    value["uuid"].as_str().unwrap_or_default().to_owned()
}

/// One that a customer can reach, and its path there.
async fn machine(world: &mut World) -> Option<String> {
    let vm = vm(world, &[]).await?;
    (vm["owner_uuid"] == ACME).then(|| format!("/acme/machines/{}", id(&vm)))
}

/// A network that VMs of the account can be on.
async fn network(world: &mut World) -> Value {
    let all = world.list("napi", &format!("/networks?provisionable_by={ACME}")).await;
    world.dice.one_of(&all).cloned().unwrap_or_default()
}

async fn make(world: &mut World) {
    // Some names are taken.
    let alias = if world.dice.roll(5) == 0 { "web1".to_owned() } else { world.name("vm") };
    let network = id(&network(world).await);
    if world.dice.roll(2) == 0 {
        let image = ZONE_IMAGES[0];
        let mut body = json!({ "name": alias, "image": image, "package": SMALL, "networks": [network] });
        if world.dice.roll(3) == 0 {
            body["networks"] = json!([network, PRIVATE]);
        }
        if world.dice.roll(4) == 0 {
            let volumes = world.customer("/acme/volumes").await;
            if let Some(volume) = volumes.as_array().unwrap().first() {
                body["volumes"] = json!([{ "name": volume["name"], "mountpoint": "/data" }]);
                body["networks"] = volume["networks"].clone();
            }
        }
        world.act("POST", "/acme/machines", body).await;
        return;
    }
    let mut body = json!({
        "owner_uuid": ACME, "brand": "joyent", "image_uuid": BASE, "billing_id": SMALL, "alias": alias,
        "networks": [{ "uuid": network }],
    });
    match world.dice.roll(6) {
        0 => body["internal_metadata"] = json!({ "force_provision_failure": true }),
        1 => body["autoboot"] = json!(false),
        2 => body["networks"] = json!([{ "uuid": network }, { "uuid": PRIVATE, "primary": true }]),
        3 => body["networks"] = json!([{ "name": PUBLIC }]),
        4 => drop(body.as_object_mut().unwrap().remove("alias")),
        _ => {}
    }
    world.operate("vmapi", "POST", "/vms", body).await;
}

async fn remove(world: &mut World) {
    if world.dice.roll(2) == 0 {
        let Some(path) = machine(world).await else { return };
        world.act("DELETE", &path, Value::Null).await;
    } else if let Some(vm) = vm(world, &[]).await {
        world.operate("vmapi", "DELETE", &format!("/vms/{}", id(&vm)), Value::Null).await;
    }
}

async fn power(world: &mut World) {
    let action = ["start", "stop", "reboot", "start", "stop", "kill", "reprovision"][world.dice.roll(7)];
    if world.dice.roll(2) == 0 && !matches!(action, "kill" | "reprovision") {
        let Some(path) = machine(world).await else { return };
        world.act("POST", &format!("{path}?action={action}"), json!({})).await;
        return;
    }
    let Some(vm) = vm(world, &[]).await else { return };
    let body = match action {
        "reprovision" => json!({ "image_uuid": BASE }),
        "kill" => json!({ "signal": (["SIGKILL", "SIGHUP"][world.dice.roll(2)]) }),
        _ if world.dice.roll(3) == 0 => json!({ "idempotent": true }),
        _ => json!({}),
    };
    world.operate("vmapi", "POST", &format!("/vms/{}?action={action}", id(&vm)), body).await;
}

async fn update(world: &mut World) {
    let alias = if world.dice.roll(3) == 0 { "web10".to_owned() } else { world.name("renamed") };
    let customer = world.dice.roll(2) == 0;
    if customer {
        let Some(path) = machine(world).await else { return };
        let (method, below, body) = match world.dice.roll(9) {
            0 => ("POST", "?action=rename", json!({ "name": alias })),
            1 => ("POST", "?action=resize", json!({ "package": ([SMALL, MEDIUM][world.dice.roll(2)]) })),
            2 => ("POST", "?action=enable_firewall", json!({})),
            3 => ("POST", "?action=enable_deletion_protection", json!({})),
            4 => ("POST", "?action=disable_deletion_protection", json!({})),
            5 => ("POST", "/tags", json!({ "a": world.names, "b": true })),
            6 => ("PUT", "/tags", json!({ "c": "x" })),
            7 => ("POST", "/metadata", json!({ "a": world.names.to_string() })),
            _ => ("DELETE", "/tags/a", Value::Null),
        };
        world.act(method, &format!("{path}{below}"), body).await;
        return;
    }
    let Some(vm) = vm(world, &[]).await else { return };
    let path = format!("/vms/{}", id(&vm));
    let networks = world.list("napi", "/networks?fabric=true").await;
    let on_fabric = vm["nics"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|nic| networks.iter().any(|network| network["uuid"] == nic["network_uuid"]));
    let (method, below, body) = match world.dice.roll(10) {
        0 => ("POST", "?action=update", json!({ "alias": alias })),
        1 => ("POST", "?action=update", json!({ "ram": 512 + 256 * world.dice.roll(6) })),
        2 => ("POST", "?action=update", json!({ "billing_id": ([SMALL, MEDIUM][world.dice.roll(2)]) })),
        3 => ("POST", "?action=update", json!({ "quota": 20, "cpu_cap": 200 })),
        // A fabric stays with its owner, and what mounts a volume with the volume's.
        4 if !on_fabric && vm["nics"] != json!([]) => {
            ("POST", "?action=update", json!({ "new_owner_uuid": ([ACME, GLOBEX][world.dice.roll(2)]) }))
        }
        5 => ("PUT", "/tags", json!({ "d": 1 })),
        6 => ("PUT", "/customer_metadata", json!({ "k": "v" })),
        7 => ("POST", "/internal_metadata", json!({ "i": world.names })),
        8 => ("DELETE", "/tags", Value::Null),
        _ => ("POST", "/tags", json!({ "e": world.names })),
    };
    world.operate("vmapi", method, &format!("{path}{below}"), body).await;
}

async fn interfaces(world: &mut World) {
    let network = id(&network(world).await);
    let Some(vm) = vm(world, &["running", "stopped", "failed"]).await else { return };
    let path = format!("/vms/{}", id(&vm));
    let nics = vm["nics"].as_array().unwrap().clone();
    let mac = world.dice.one_of(&nics).map(|nic| nic["mac"].as_str().unwrap().to_owned());
    let own = vm["owner_uuid"] == ACME;
    match (world.dice.roll(7), mac) {
        (0, _) if own => {
            let path = format!("/acme/machines/{}/nics", id(&vm));
            world.act("POST", &path, json!({ "network": network })).await;
        }
        (1, Some(mac)) if own => {
            let path = format!("/acme/machines/{}/nics/{}", id(&vm), mac.replace(':', ""));
            world.act("DELETE", &path, Value::Null).await;
        }
        (2, Some(mac)) => {
            world.operate("vmapi", "POST", &format!("{path}?action=remove_nics"), json!({ "macs": [mac] })).await;
        }
        (3, Some(mac)) => {
            let body = json!({ "nics": [{ "mac": mac, "primary": true }] });
            world.operate("vmapi", "POST", &format!("{path}?action=update_nics"), body).await;
        }
        (4, _) if own => {
            let body = json!({ "owner_uuid": ACME, "belongs_to_uuid": id(&vm), "belongs_to_type": "zone",
                "cn_uuid": vm["server_uuid"] });
            let got = world.operate("napi", "POST", &format!("/networks/{network}/nics"), body).await.json();
            if world.dice.roll(2) == 0 {
                let body = json!({ "macs": [got["mac"]] });
                world.operate("vmapi", "POST", &format!("{path}?action=add_nics"), body).await;
            }
        }
        (5, Some(mac)) => {
            let body = json!({ "primary": true });
            world.operate("napi", "PUT", &format!("/nics/{}", mac.replace(':', "")), body).await;
        }
        _ if own => {
            let body = json!({ "networks": [{ "uuid": network }] });
            world.operate("vmapi", "POST", &format!("{path}?action=add_nics"), body).await;
        }
        _ => {}
    }
}

async fn snapshots(world: &mut World) {
    let Some(vm) = vm(world, &[]).await else { return };
    let known = vm["snapshots"].as_array().unwrap().clone();
    let name = match world.dice.one_of(&known) {
        Some(snapshot) if world.dice.roll(3) > 0 => snapshot["name"].as_str().unwrap().to_owned(),
        _ => world.name("snap"),
    };
    let customer = vm["owner_uuid"] == ACME && world.dice.roll(2) == 0;
    let path = format!("/acme/machines/{}/snapshots", id(&vm));
    let action = if known.is_empty() { 0 } else { world.dice.roll(3) };
    if customer {
        match action {
            0 => world.act("POST", &path, json!({ "name": name })).await,
            1 => world.act("POST", &format!("{path}/{name}"), json!({})).await,
            _ => world.act("DELETE", &format!("{path}/{name}"), Value::Null).await,
        };
        return;
    }
    let action = ["create_snapshot", "rollback_snapshot", "delete_snapshot"][action];
    let path = format!("/vms/{}?action={action}", id(&vm));
    world.operate("vmapi", "POST", &path, json!({ "snapshot_name": name })).await;
}

async fn networks(world: &mut World) {
    let made = world.list("napi", "/networks?nic_tag=customer").await;
    match (world.dice.roll(4), world.dice.one_of(&made).cloned()) {
        (0, Some(network)) => {
            world.operate("napi", "DELETE", &format!("/networks/{}", id(&network)), Value::Null).await;
        }
        (1, Some(network)) => {
            let name = world.name("pool");
            let body = json!({ "name": name, "networks": [id(&network)], "owner_uuids": [ACME] });
            world.operate("napi", "POST", "/network_pools", body).await;
        }
        (2, _) => {
            let pools = world.list("napi", "/network_pools").await;
            let Some(pool) = world.dice.one_of(&pools).cloned() else { return };
            world.operate("napi", "DELETE", &format!("/network_pools/{}", id(&pool)), Value::Null).await;
        }
        _ => {
            let name = world.name("net");
            let third = world.names % 250;
            let body = json!({
                "name": name, "nic_tag": "customer", "vlan_id": 30, "subnet": format!("10.60.{third}.0/28"),
                "provision_start_ip": format!("10.60.{third}.2"), "provision_end_ip": format!("10.60.{third}.5"),
                "gateway": format!("10.60.{third}.1"), "owner_uuids": [ACME],
            });
            world.operate("napi", "POST", "/networks", body).await;
        }
    }
}

async fn fabrics(world: &mut World) {
    let networks = world.list("napi", &format!("/networks?fabric=true&owner_uuid={ACME}")).await;
    match (world.dice.roll(5), world.dice.one_of(&networks).cloned()) {
        (0, Some(network)) => {
            let path = format!("/fabrics/{ACME}/vlans/{}/networks/{}", network["vlan_id"], id(&network));
            world.operate("napi", "DELETE", &path, Value::Null).await;
        }
        (1, Some(network)) => {
            let path = format!("/acme/fabrics/default/vlans/{}/networks/{}", network["vlan_id"], id(&network));
            world.act("DELETE", &path, Value::Null).await;
        }
        (2, Some(network)) => {
            world.act("PUT", "/acme/config", json!({ "default_network": id(&network) })).await;
        }
        (3, _) => {
            let vlan = 300 + world.dice.roll(5);
            let name = world.name("vlan");
            let body = json!({ "name": name, "vlan_id": vlan });
            world.operate("napi", "POST", &format!("/fabrics/{ACME}/vlans"), body).await;
        }
        _ => {
            let name = world.name("lan");
            let third = world.names % 250;
            let body = json!({
                "name": name, "subnet": format!("10.90.{third}.0/28"), "provision_start_ip": format!("10.90.{third}.2"),
                "provision_end_ip": format!("10.90.{third}.6"),
            });
            let vlan = [2, 300, 301, 302][world.dice.roll(4)];
            world.act("POST", &format!("/acme/fabrics/default/vlans/{vlan}/networks"), body).await;
        }
    }
}

async fn packages(world: &mut World) {
    let name = world.name("package");
    let body = json!({
        "name": name, "version": "1.0.0", "active": true, "max_physical_memory": 512, "max_swap": 1024, "quota": 10240,
        "max_lwps": 1000, "zfs_io_priority": 10, "cpu_cap": 25,
    });
    let got = world.operate("papi", "POST", "/packages", body).await.json();
    let path = format!("/packages/{}", got["uuid"].as_str().unwrap());
    match world.dice.roll(3) {
        // Nothing uses it yet.
        0 => drop(world.operate("papi", "DELETE", &format!("{path}?force=true"), Value::Null).await),
        1 => {
            let Some(vm) = vm(world, &[]).await else { return };
            let update = format!("/vms/{}?action=update", id(&vm));
            world.operate("vmapi", "POST", &update, json!({ "billing_id": got["uuid"] })).await;
        }
        _ => drop(world.operate("papi", "PUT", &path, json!({ "active": false })).await),
    }
}

/// Addresses and interfaces in NAPI alone.
async fn addresses(world: &mut World) {
    let network = id(&network(world).await);
    let nics = world.list("napi", "/nics?belongs_to_type=zone").await;
    match world.dice.roll(3) {
        0 => {
            let ip = format!("10.64.0.{}", 20 + world.dice.roll(5));
            let body = json!({ "reserved": world.dice.roll(2) == 0 });
            world.operate("napi", "PUT", &format!("/networks/{PRIVATE}/ips/{ip}"), body).await;
        }
        1 => {
            let other = "11111111-2222-4333-8444-555555555555";
            let body = json!({ "owner_uuid": ACME, "belongs_to_uuid": other, "belongs_to_type": "other",
                "cn_uuid": "44454c4c-3200-1042-8050-b6c04f4e3232" });
            world.operate("napi", "POST", &format!("/networks/{network}/nics"), body).await;
        }
        _ => {
            // What its VM does not know of, or no longer.
            let vms = world.list("vmapi", "/vms").await;
            let known = |nic: &Value| {
                let of = |vm: &Value| vm["nics"].as_array().into_iter().flatten().any(|own| own["mac"] == nic["mac"]);
                vms.iter().any(|vm| vm["state"] != "destroyed" && of(vm))
            };
            let free: Vec<&Value> = nics.iter().filter(|nic| !known(nic)).collect();
            let Some(nic) = world.dice.one_of(&free) else { return };
            let path = format!("/nics/{}", nic["mac"].as_str().unwrap().replace(':', ""));
            world.operate("napi", "DELETE", &path, Value::Null).await;
        }
    }
}

async fn volumes(world: &mut World) {
    let all = world.customer("/acme/volumes").await;
    match (world.dice.roll(2), world.dice.one_of(all.as_array().unwrap()).cloned()) {
        (0, Some(volume)) => {
            let path = format!("/acme/volumes/{}", volume["id"].as_str().unwrap());
            world.act("DELETE", &path, Value::Null).await;
        }
        _ => {
            let name = world.name("volume");
            world.act("POST", "/acme/volumes", json!({ "name": name, "type": "tritonnfs", "size": 10240 })).await;
        }
    }
}

async fn keys(world: &mut World) {
    let keys = world.customer("/acme/keys").await;
    let more: Vec<&Value> = keys.as_array().unwrap().iter().skip(1).collect();
    match world.dice.one_of(&more) {
        Some(key) => {
            let path = format!("/acme/keys/{}", key["name"].as_str().unwrap());
            world.act("DELETE", &path, Value::Null).await;
        }
        None => {
            let name = world.name("key");
            let key = new_key("walk");
            world.act("POST", "/acme/keys", json!({ "name": name, "key": key })).await;
        }
    }
}

async fn images(world: &mut World) {
    let own = world.list("imgapi", &format!("/images?owner={ACME}&state=all")).await;
    match (world.dice.roll(3), world.dice.one_of(&own).cloned()) {
        (0, Some(image)) => {
            let path = format!("/acme/images/{}", id(&image));
            if world.act("DELETE", &path, Value::Null).await.status == 204 {
                world.deleted_images.push(id(&image));
            }
        }
        _ => {
            let Some(vm) = vm(world, &["stopped"]).await else { return };
            let name = world.name("image");
            world.act("POST", "/acme/images", json!({ "machine": id(&vm), "name": name, "version": "1" })).await;
        }
    }
}

async fn migrations(world: &mut World) {
    let Some(vm) = vm(world, &["running", "stopped"]).await else { return };
    let action = ["begin", "sync", "switch", "abort", "pause", "finalize", "rollback"][world.dice.roll(7)];
    let mut body = json!({ "migration_action": action });
    if action == "begin" && world.dice.roll(2) == 0 {
        body["migration_automatic"] = json!(true);
    }
    world.operate("vmapi", "POST", &format!("/vms/{}?action=migrate", id(&vm)), body).await;
}

async fn instances(world: &mut World) {
    let service = world.list("sapi", "/services?name=papi").await[0].clone();
    let alias = world.name("papi9");
    let body = json!({ "service_uuid": id(&service), "params": { "alias": alias } });
    world.operate("sapi", "POST", "/instances?async=true", body).await;
}

async fn cancel(world: &mut World) {
    let running = world.list("workflow", "/jobs?execution=running").await;
    let Some(job) = world.dice.one_of(&running).cloned() else { return };
    world.operate("workflow", "POST", &format!("/jobs/{}/cancel", id(&job)), json!({})).await;
}

/// A server is not heard from any more, or is again.
fn lose(world: &mut World) {
    let server = ["cn0", "cn1", "cn2"][world.dice.roll(3)];
    let fault = format!("{}={server}", ["lost", "heard"][world.dice.roll(2)]);
    world.log.push(fault.clone());
    world.emulator().add_fault(fault.parse().unwrap());
}

/// Has jobs wait for a ticket or a runner, or lets them go on.
async fn hold_up(world: &mut World) {
    let fault = match world.dice.roll(5) {
        0 => "runner=none".to_owned(),
        1 => "runner=free".to_owned(),
        2 | 3 => match vm(world, &[]).await {
            Some(vm) => format!("ticket={}", id(&vm)),
            None => return,
        },
        _ => {
            let servers = world.list("cnapi", "/servers").await;
            let server = id(world.dice.one_of(&servers).unwrap());
            let tickets = world.list("cnapi", &format!("/servers/{server}/tickets")).await;
            let Some(ticket) = world.dice.one_of(&tickets).map(id) else { return };
            let (method, end) = [("PUT", "/release"), ("DELETE", "")][world.dice.roll(2)];
            world.operate("cnapi", method, &format!("/tickets/{ticket}{end}"), Value::Null).await;
            return;
        }
    };
    world.log.push(fault.clone());
    world.emulator().add_fault(fault.parse().unwrap());
}

/// Has the next job fail at some step.
fn fail(world: &mut World) {
    let step = world.dice.one_of(STEPS).unwrap();
    let on = ["POST /vms", "POST /vms/*", "DELETE /vms/*", "POST /machines", "POST /machines/*", "DELETE /machines/*"];
    let on = on[world.dice.roll(on.len())];
    let says = ["", "", " says=succeeded", " says=retried"][world.dice.roll(4)];
    let fault = format!("{on} fail={step}{says} times=1");
    world.log.push(fault.clone());
    world.emulator().add_fault(fault.parse().unwrap());
}
