//! VMs as VMAPI shows them.

use serde_json::{Map, Value, json};

use crate::emulator::datacenter::addresses::cidr;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::{Disk, Nic, PLATFORM, State, Vm};

/// What a VM has that neither its package nor its maker says otherwise about.
const MAX_LWPS: u64 = 2000;

/// The states of zones that VMs in these states have.
fn zone_state(vm: &Vm) -> Value {
    match vm.state.as_str() {
        "provisioning" => Value::Null,
        "stopping" => "shutting_down".into(),
        "stopped" => "installed".into(),
        other => other.into(),
    }
}

fn or_null(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

/// A VM, with all the fields that it always has and those of its brand.
pub(crate) fn vm(state: &State, vm: &Vm) -> Map<String, Value> {
    let package = state.package(&vm.billing_id);
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    let given = |name: &str, usual: Value| vm.more.get(name).cloned().unwrap_or(usual);
    put("uuid", vm.uuid.clone().into());
    put("alias", or_null(&vm.alias));
    put("autoboot", given("autoboot", true.into()));
    put("brand", vm.brand.clone().into());
    put("billing_id", or_null(&vm.billing_id));
    put("cpu_cap", given("cpu_cap", package.map_or(Value::Null, |package| package.cap().into())));
    put("cpu_shares", given("cpu_shares", package.map_or((vm.ram / 128).max(1), |package| package.shares()).into()));
    put("create_timestamp", iso(vm.create_timestamp).into());
    put("customer_metadata", Value::Object(vm.customer_metadata.clone()));
    put("datasets", if vm.delegate_dataset { json!([format!("zones/{}/data", vm.uuid)]) } else { json!([]) });
    put("destroyed", if vm.is_destroyed() { iso(vm.last_modified).into() } else { Value::Null });
    put("firewall_enabled", vm.firewall_enabled.into());
    put("internal_metadata", Value::Object(state.internal_metadata(vm)));
    put("last_modified", iso(vm.last_modified).into());
    put("limit_priv", given("limit_priv", "default".into()));
    put("max_locked_memory", given("max_locked_memory", vm.ram.into()));
    put("max_lwps", given("max_lwps", package.map_or(MAX_LWPS, |package| package.lwps).into()));
    put("max_physical_memory", vm.ram.into());
    put(
        "max_swap",
        given("max_swap", package.map_or_else(|| vm.ram.saturating_mul(2).max(256), |package| package.swap).into()),
    );
    put("nics", nics(state, vm));
    put("owner_uuid", vm.owner_uuid.clone().into());
    put("platform_buildstamp", PLATFORM.into());
    put("quota", if vm.flexible_disk_size.is_some() { Value::Null } else { gib(vm.quota) });
    put("ram", vm.ram.into());
    put("resolvers", given("resolvers", resolvers(state, vm)));
    put("server_uuid", or_null(&state.server_of(vm)));
    put("snapshots", snapshots(vm));
    put("state", state.shown_state(vm).into());
    put("tags", Value::Object(vm.tags.clone()));
    put("zfs_filesystem", format!("zones/{}", vm.uuid).into());
    put("zfs_io_priority", given("zfs_io_priority", package.and_then(|p| p.zfs_io_priority).unwrap_or(100).into()));
    put("zone_state", zone_state(vm));
    put("zonepath", format!("/zones/{}", vm.uuid).into());
    put("zpool", "zones".into());
    if vm.state == "running" {
        put("boot_timestamp", iso(vm.create_timestamp.max(vm.booted)).into());
        put("pid", 61_231.into());
    }
    if vm.hvm() {
        put("vcpus", given("vcpus", package.map_or(1, |package| package.vcpus.max(1)).into()));
        put("cpu_type", given("cpu_type", if vm.brand == "kvm" { "host".into() } else { Value::Null }));
        let disks = vm.disks.iter().enumerate().filter(|(_, disk)| disk.state != "creating");
        put("disks", disks.map(|(at, one)| disk(vm, at, one)).collect());
    } else {
        put("image_uuid", or_null(&vm.image_uuid));
    }
    if let Some(size) = vm.flexible_disk_size {
        put("flexible_disk_size", size.into());
        put("free_space", size.saturating_sub(vm.disk_space()).into());
    }
    if vm.brand == "lx" {
        put("kernel_version", given("kernel_version", "4.3.0".into()));
    }
    for (name, is_set) in [
        ("docker", vm.docker),
        ("delegate_dataset", vm.delegate_dataset),
        ("indestructible_zoneroot", vm.indestructible_zoneroot),
    ] {
        if is_set {
            put(name, true.into());
        }
    }
    for (name, value) in &vm.more {
        put(name, value.clone());
    }
    view
}

/// MiB as GiB: a whole number where it is one.
fn gib(mib: u64) -> Value {
    if mib.is_multiple_of(1024) {
        return (mib / 1024).into();
    }
    #[expect(clippy::cast_precision_loss, reason = "no disk has 2^52 MiB")]
    let value = mib as f64 / 1024.0;
    value.into()
}

fn snapshots(vm: &Vm) -> Value {
    let there = vm.snapshots.iter().filter(|snapshot| snapshot.state == "created");
    let view = |snapshot: &crate::emulator::datacenter::state::Snapshot| {
        let mut view = json!({ "name": snapshot.name, "created_at": iso(snapshot.created) });
        if let (true, Some(fields)) = (vm.brand == "bhyve", view.as_object_mut()) {
            fields.insert("size".to_owned(), snapshot.size.into());
        }
        view
    };
    there.map(view).collect()
}

/// The resolvers of the networks, in the order of the interfaces.
fn resolvers(state: &State, vm: &Vm) -> Value {
    let mut all: Vec<&str> = Vec::new();
    for nic in &vm.nics {
        let network = state.networks.iter().find(|network| network.id == nic.network);
        for resolver in network.into_iter().flat_map(|network| &network.resolvers) {
            if !all.contains(&resolver.as_str()) {
                all.push(resolver);
            }
        }
    }
    json!(all)
}

/// The interfaces that a VM has got.
fn nics(state: &State, vm: &Vm) -> Value {
    let there = vm.nics.iter().filter(|nic| nic.state.is_empty());
    there.enumerate().map(|(at, one)| nic(state, vm, at, one)).collect()
}

fn nic(state: &State, vm: &Vm, at: usize, nic: &Nic) -> Value {
    let network = state.networks.iter().find(|network| network.id == nic.network);
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("interface", format!("net{at}").into());
    put("mac", nic.mac.clone().into());
    if let Some(network) = network {
        put("nic_tag", network.nic_tag().into());
        put("vlan_id", network.vlan_id.into());
        put("mtu", network.mtu().into());
        let bits = cidr(&network.subnet).map_or(24, |(_, bits)| bits);
        put("ips", json!([format!("{}/{bits}", nic.ip)]));
    }
    if !nic.gateway.is_empty() {
        put("gateway", nic.gateway.clone().into());
        put("gateways", json!([nic.gateway]));
    }
    put("netmask", nic.netmask.clone().into());
    put("ip", nic.ip.clone().into());
    put("network_uuid", nic.network.clone().into());
    if nic.primary {
        put("primary", true.into());
    }
    if vm.hvm() {
        put("model", "virtio".into());
    }
    for (name, value) in &nic.more {
        put(name, value.clone());
    }
    Value::Object(view)
}

fn disk(vm: &Vm, at: usize, disk: &Disk) -> Value {
    let path = vm.volume(at);
    let mut view = json!({
        "path": format!("/dev/zvol/rdsk/{path}"),
        "boot": disk.boot,
        "model": "virtio",
        "media": "disk",
        "size": disk.size,
        "pci_slot": vm.slot(at),
        "zfs_filesystem": path,
        "zpool": "zones",
        "compression": "off",
        "refreservation": disk.size,
        "block_size": disk.block_size.unwrap_or(8192),
    });
    if let Some(fields) = view.as_object_mut() {
        if !disk.id.is_empty() {
            fields.insert("uuid".to_owned(), disk.id.clone().into());
        }
        if !disk.image.is_empty() {
            fields.insert("image_uuid".to_owned(), disk.image.clone().into());
            fields.insert("image_size".to_owned(), disk.size.into());
        }
    }
    view
}
