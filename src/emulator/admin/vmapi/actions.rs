//! What is done to VMs: each action is a job. An action from the wrong state is accepted; its job fails.

use serde_json::{Map, Value};

use super::super::call::{Call, Route, is_lower_uuid, missing, route};
use super::begin::{answered, check_sync, started};
use super::create::{check_tags, networks, provision};
use super::fields::{CHANGED, PAIRS, json, typed, wrong_pairs};
use super::{invalid, load};
use crate::emulator::datacenter::clock::stamp;
use crate::emulator::datacenter::jobs::updates::{disk_at, number_of};
use crate::emulator::datacenter::state::{Disk, Network, Nic, Snapshot, Vm, Work, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal};

pub(super) static ROUTES: &[Route] = &[
    route(
        "POST",
        "/vms/:uuid",
        &[
            "StartVm",
            "StopVm",
            "KillVm",
            "RebootVm",
            "ReprovisionVm",
            "UpdateVm",
            "AddNics",
            "UpdateNics",
            "RemoveNics",
            "CreateSnapshot",
            "RollbackSnapshot",
            "DeleteSnapshot",
            "CreateDisk",
            "ResizeDisk",
            "DeleteDisk",
            "MigrateVm",
        ],
        act,
    ),
    route("DELETE", "/vms/:uuid", &["DeleteVm"], delete),
];

const WRONG: &str = "Invalid Parameters";
const ACTIONS: &[&str] = &[
    "start",
    "stop",
    "kill",
    "reboot",
    "reprovision",
    "update",
    "add_nics",
    "update_nics",
    "remove_nics",
    "create_snapshot",
    "rollback_snapshot",
    "delete_snapshot",
    "create_disk",
    "resize_disk",
    "delete_disk",
    "migrate",
];
const SIGNALS: &[&str] = &[
    "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
];

fn act(call: &mut Call<'_>) -> Outcome {
    let owner = load(call)?.owner_uuid.clone();
    let given = call.params.get("networks").is_some_and(|value| !value.is_null());
    let wanted = if given { networks(call, &owner)? } else { Vec::new() };
    let Some(action) = call.text("action") else {
        return Err(invalid(WRONG, &[("action", "MissingParameter", "")]));
    };
    if !ACTIONS.contains(&action.as_str()) {
        return Err(invalid(WRONG, &[("action", "Invalid", "")]));
    }
    check_sync(call)?;
    let vm = load(call)?;
    if vm.state == "provisioning" {
        let words = format!("Cannot call {action} for a VM that has not been provisioned yet");
        return Err(Refusal::new(409, "UnallocatedVM", words));
    }
    let uuid = vm.uuid.clone();
    let mut asked = Map::new();
    let work = match action.as_str() {
        "start" | "stop" | "reboot" => {
            idempotent(call, &mut asked)?;
            match action.as_str() {
                "start" => Work::Start,
                "stop" => Work::Stop,
                _ => Work::Reboot,
            }
        }
        "kill" => Work::Kill { signal: signal(call)? },
        "reprovision" => Work::Reprovision { image: reprovisioned(call)? },
        "update" => Work::Update { fields: update(call)? },
        "add_nics" => {
            let macs = match call.list("macs") {
                Some(macs) => loose(call, &uuid, &macs)?,
                None if given => {
                    let (first, server) = (load(call)?.nics.is_empty(), load(call)?.server_uuid.clone());
                    check_tags(call, &wanted, &server)?;
                    let nics = provision(call, &wanted, None, first)?;
                    attach(call, &uuid, nics)
                }
                None => return Err(invalid(WRONG, &[("missing networks or macs", "MissingParameter", "")])),
            };
            Work::AddNics { macs }
        }
        "update_nics" => Work::UpdateNics { nics: changed_nics(call)? },
        "remove_nics" => Work::RemoveNics { macs: macs(call)? },
        "create_snapshot" | "rollback_snapshot" | "delete_snapshot" => snapshot(call, &action)?,
        "create_disk" | "resize_disk" | "delete_disk" => disk(call, &action)?,
        _ => return super::migrations::act(call),
    };
    let taken = match &work {
        Work::Snapshot { name } => Some(name.clone()),
        _ => None,
    };
    let job = started(call, &uuid, work, asked)?;
    if let (Some(name), Some(vm)) = (taken, call.state.vms.get_mut(&uuid)) {
        let size = vm.disk();
        // Of one that is there already the server takes no second one: the job fails.
        if !vm.snapshots.iter().any(|known| known.name == name && ["queued", "created"].contains(&&*known.state)) {
            vm.snapshots.push(Snapshot { name, state: "queued".to_owned(), size, created: call.now });
        }
    }
    Ok(answered(call, &uuid, &job))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let vm = load(call)?;
    if call.state.server_of(vm).is_empty() {
        return Err(Refusal::new(409, "ConflictError", "Cannot delete a VM with no server_uuid"));
    }
    let uuid = vm.uuid.clone();
    let job = started(call, &uuid, Work::Destroy, Map::new())?;
    Ok(answered(call, &uuid, &job))
}

/// What is true, or not there at all.
fn idempotent(call: &Call<'_>, asked: &mut Map<String, Value>) -> Result<(), Refusal> {
    match call.params.get("idempotent").map(params::flag) {
        None => {}
        Some(Some(true)) => drop(asked.insert("idempotent".to_owned(), true.into())),
        Some(_) => return Err(invalid(WRONG, &[("idempotent", "Invalid", "")])),
    }
    if let Some(timeout) = call.params.get("timeout") {
        asked.insert("timeout".to_owned(), timeout.clone());
    }
    Ok(())
}

fn signal(call: &Call<'_>) -> Result<String, Refusal> {
    let signal = call.text("signal").unwrap_or_else(|| "SIGKILL".to_owned());
    if signal.parse::<u8>().is_ok() {
        return Ok(signal);
    }
    let named = if signal.starts_with("SIG") { signal } else { format!("SIG{signal}") };
    if SIGNALS.contains(&named.as_str()) {
        return Ok(named);
    }
    Err(invalid(WRONG, &[("signal", "Invalid", "")]))
}

fn reprovisioned(call: &Call<'_>) -> Result<String, Refusal> {
    let vm = load(call)?;
    if vm.hvm() {
        let words = format!("VM '{}' does not support reprovision", vm.brand);
        return Err(Refusal::new(409, "BrandNotSupported", words));
    }
    let Some(image) = call.text("image_uuid") else {
        return Err(invalid("Invalid VM update parameters", &[("image_uuid", "MissingParameter", "")]));
    };
    match call.state.images.iter().find(|known| known.id == image) {
        Some(known) if known.state == "active" => Ok(image),
        Some(_) => {
            let words = "Image must be active and not disabled";
            Err(invalid("Invalid VM update parameters", &[("image_uuid", "Invalid", words)]))
        }
        None => Err(invalid("Invalid VM update parameters", &[("image_uuid", "Invalid", "image not found")])),
    }
}

/// The payload of an update: the fields that can change, in their own types.
fn update(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    const WRONG: &str = "Invalid VM update parameters";
    let vm = load(call)?;
    let mut fields = Map::new();
    for name in CHANGED {
        let Some(value) = call.params.get(*name) else { continue };
        let refused = |words: &str| invalid(WRONG, &[(name, "Invalid", words)]);
        if *name == "update_disks" {
            fields.insert((*name).to_owned(), changed_disks(vm, json(call, name)).map_err(|words| refused(&words))?);
            continue;
        }
        let Some((_, payload)) = PAIRS.iter().find(|(field, _)| field == name) else {
            fields.insert((*name).to_owned(), typed(name, value).map_err(|words| refused(&words))?);
            continue;
        };
        let Some(Value::Object(pairs)) = json(call, name) else { return Err(refused("")) };
        if let Some((field, words)) = wrong_pairs(name, &pairs).first() {
            return Err(invalid(WRONG, &[(field, "Invalid", words)]));
        }
        super::metadata::no_dockers(name, pairs.keys(), "not supported")?;
        super::metadata::replacing(vm, name, &pairs, *payload, &mut fields);
    }
    if fields.is_empty() {
        let mut refusal = Refusal::new(409, "ValidationFailed", "No VM parameters provided");
        if let Some(body) = refusal.body.as_object_mut() {
            body.insert("errors".to_owned(), Vec::<Value>::new().into());
        }
        return Err(refusal);
    }
    check_update(call, vm, &fields)?;
    Ok(fields)
}

/// The disks that an update resizes, checked.
fn changed_disks(vm: &Vm, value: Option<Value>) -> Result<Value, String> {
    let Some(Value::Array(list)) = value else { return Err("must be an array of objects".to_owned()) };
    for change in &list {
        let Some(fields) = change.as_object() else { return Err("must be an array of objects".to_owned()) };
        if let Some(name) = fields.keys().find(|name| !["path", "pci_slot", "size"].contains(&name.as_str())) {
            return Err(format!("'{name}' is not a valid property to update"));
        }
        if disk_at(vm, change).is_none() {
            return Err("Disk not found".to_owned());
        }
        if fields.get("size").and_then(Value::as_u64).is_none_or(|size| size == 0) {
            return Err("Disk size must be positive".to_owned());
        }
    }
    Ok(list.into())
}

fn check_update(call: &Call<'_>, vm: &Vm, fields: &Map<String, Value>) -> Result<(), Refusal> {
    const WRONG: &str = "Invalid VM update parameters";
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if let Some(owner) = text("new_owner_uuid") {
        let words = if is_lower_uuid(owner) { "Account not found" } else { "Invalid UUID" };
        if !call.state.accounts.iter().any(|account| account.id == owner) {
            return Err(invalid(WRONG, &[("new_owner_uuid", "Invalid", words)]));
        }
    }
    let alias = text("alias").or(text("new_owner_uuid").map(|_| vm.alias.as_str()));
    if let Some(alias) = alias.filter(|alias| !alias.is_empty()) {
        let owner = text("new_owner_uuid").unwrap_or(&vm.owner_uuid);
        if call.state.is_taken(owner, alias, Some(&vm.uuid)) {
            return Err(invalid(WRONG, &[("alias", "Duplicate", "Already exists for this owner_uuid")]));
        }
    }
    let package = match text("billing_id") {
        Some(id) => match call.state.package(id) {
            Some(package) => Some(package),
            None => {
                let words = format!("Package {id} does not exist");
                return Err(invalid(WRONG, &[("billing_id", "Invalid", words.as_str())]));
            }
        },
        None => None,
    };
    let number = |name: &str| fields.get(name).and_then(Value::as_u64);
    let ram = package.map(|package| package.memory).or(number("ram")).or(number("max_physical_memory"));
    let Some(ram) = ram else { return Ok(()) };
    if vm.brand == "kvm" {
        return Err(invalid(WRONG, &[("brand", "Invalid", "Cannot resize a kvm VM")]));
    }
    if vm.brand == "bhyve" && vm.state != "stopped" {
        let words = "VM not stopped: changing bhyve CPU or memory requires the instance to be stopped";
        return Err(Refusal::new(409, "VmNotStopped", words));
    }
    let image = call.state.images.iter().find(|image| image.id == vm.image());
    let least = image.and_then(|image| image.requirements.get("min_ram")?.as_u64()).unwrap_or(0);
    if ram < least {
        let words = format!("Specified RAM ({ram}) does not meet the minimum RAM requirement ({least})");
        return Err(invalid(WRONG, &[("ram", "Invalid", words.as_str())]));
    }
    let free = crate::emulator::datacenter::affinity::NODE_RAM.saturating_sub(vm.ram);
    let more = ram.saturating_sub(vm.ram);
    if more > free && call.params.get("force").and_then(params::flag) != Some(true) {
        let words = format!("Required additional RAM ({more}) exceeds the server's available RAM ({free})");
        return Err(invalid(WRONG, &[("ram", "InsufficientCapacity", words.as_str())]));
    }
    Ok(())
}

/// Gives a VM interfaces that wait for its job. Returns their hardware addresses.
fn attach(call: &mut Call<'_>, uuid: &str, nics: Vec<Nic>) -> Vec<String> {
    let macs = nics.iter().map(|nic| nic.mac.clone()).collect();
    if let Some(vm) = call.state.vms.get_mut(uuid) {
        for mut nic in nics {
            "provisioning".clone_into(&mut nic.state);
            vm.nics.push(nic);
        }
    }
    macs
}

/// Attaches interfaces that NAPI already has for a VM: all of them, or none.
fn loose(call: &mut Call<'_>, uuid: &str, macs: &[String]) -> Result<Vec<String>, Refusal> {
    let server = load(call)?.server_uuid.clone();
    let mut found: Vec<Nic> = Vec::new();
    for mac in macs {
        let Some(nic) = call.state.loose_of(uuid).find(|nic| nic.mac == *mac) else {
            return Err(invalid(WRONG, &[("macs", "Invalid", "MAC address does not exist")]));
        };
        let network = call.state.networks.iter().find(|network| network.id == nic.network);
        if let Some(tag) = network.map(Network::tag).filter(|tag| !call.state.carries(&server, tag)) {
            let words = format!("Server does not have NIC tag: {tag}");
            return Err(invalid(WRONG, &[("server", "Invalid", words.as_str())]));
        }
        if !found.iter().any(|other| other.mac == nic.mac) {
            found.push(nic);
        }
    }
    call.state.take_loose(&found);
    Ok(attach(call, uuid, found))
}

fn macs(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let macs = call.list("macs").filter(|macs| !macs.is_empty());
    let wrong = || invalid(WRONG, &[("macs", "Invalid", "Invalid MAC addresses object")]);
    let macs = macs.ok_or_else(wrong)?;
    let vm = load(call)?;
    let there = |mac: &String| vm.nics.iter().any(|nic| nic.mac == *mac);
    if macs.iter().all(there) { Ok(macs) } else { Err(wrong()) }
}

fn changed_nics(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    const KNOWN: &[&str] = &[
        "mac",
        "interface",
        "primary",
        "allow_dhcp_spoofing",
        "allow_ip_spoofing",
        "allow_mac_spoofing",
        "allow_restricted_traffic",
    ];
    let wrong = |words: &str| invalid("Invalid VM update parameters", &[("nics", "Invalid", words)]);
    let list = call.params.get("nics").and_then(Value::as_array).ok_or_else(|| wrong("must be an array"))?;
    let vm = load(call)?;
    let mut changes = Map::new();
    for entry in list {
        let fields = entry.as_object().ok_or_else(|| wrong("must be an array of objects"))?;
        if let Some(name) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(wrong(&format!("'{name}' is not a valid property to update")));
        }
        let mac = fields.get("mac").and_then(Value::as_str).unwrap_or_default();
        if !vm.nics.iter().any(|nic| nic.mac == mac) {
            return Err(wrong(&format!("the VM has no nic '{mac}'")));
        }
        if fields.get("interface").is_some_and(|interface| number_of(interface).is_none()) {
            return Err(wrong("'interface' must be net0, net1 and so on"));
        }
        changes.insert(mac.to_owned(), entry.clone());
    }
    let reordered = list.iter().any(|entry| entry.get("interface").is_some());
    if reordered && list.len() != vm.nics.len() {
        return Err(wrong("all nics are needed to reorder them"));
    }
    Ok(changes)
}

fn snapshot(call: &Call<'_>, action: &str) -> Result<Work, Refusal> {
    let vm = load(call)?;
    if vm.brand == "kvm" {
        let words = format!("snapshots are not supported for VMs of brand \"{}\"", vm.brand);
        return Err(Refusal::new(409, "BrandNotSupported", words));
    }
    if vm.delegate_dataset {
        let words = "snapshots are not supported for VMs with delegated datasets";
        return Err(Refusal::new(409, "BrandNotSupported", words));
    }
    let name = match call.text("snapshot_name") {
        Some(name) => name,
        None if action == "create_snapshot" => stamp(call.now),
        None => return Err(invalid(WRONG, &[("snapshot_name", "MissingParameter", "")])),
    };
    Ok(match action {
        "create_snapshot" => Work::Snapshot { name },
        "rollback_snapshot" => Work::Rollback { name, boots: true },
        _ => Work::DeleteSnapshot { name },
    })
}

fn disk(call: &mut Call<'_>, action: &str) -> Result<Work, Refusal> {
    let wrong = |field: &str, words: &str| invalid(WRONG, &[(field, "Invalid", words)]);
    let size = match call.params.get("size") {
        None => None,
        Some(size) => {
            let number = params::text(size).and_then(|text| text.parse::<u64>().ok()).filter(|size| *size > 0);
            if number.is_none() && size != "remaining" {
                return Err(wrong("size", "Disk size must be positive"));
            }
            Some(number)
        }
    };
    let slot = call.text("pci_slot");
    let vm = load(call)?;
    if vm.brand != "bhyve" {
        let words = format!("disks are not supported for VMs of brand \"{}\"", vm.brand);
        return Err(Refusal::new(409, "BrandNotSupported", words));
    }
    let Some(total) = vm.flexible_disk_size else {
        return Err(Refusal::new(409, "VmWithoutFlexibleDiskSize", "VM has no flexible disk size"));
    };
    if vm.state != "stopped" {
        return Err(Refusal::new(409, "VmNotStopped", "VM not stopped"));
    }
    let uuid = vm.uuid.clone();
    let free = total.saturating_sub(vm.disk_space());
    let no_space = |wanted: u64| {
        let words = format!("Insufficient disk space: {wanted} MiB wanted, {free} MiB free");
        Refusal::new(409, "InsufficientDiskSpace", words)
    };
    if action == "create_disk" {
        let Some(size) = size else { return Err(invalid(WRONG, &[("size", "MissingParameter", "")])) };
        let size = size.unwrap_or(free);
        if size > free || size == 0 {
            return Err(no_space(size));
        }
        let id = call.text("disk_uuid").unwrap_or_else(new_id);
        let Some(vm) = call.state.vms.get_mut(&uuid) else { return Err(missing("VM not found")) };
        let pci_slot = slot.unwrap_or_else(|| vm.free_slot());
        vm.disks.push(Disk { id: id.clone(), pci_slot, size, state: "creating".to_owned(), ..Disk::default() });
        return Ok(Work::CreateDisk { disk: id });
    }
    let Some(vm) = call.state.vms.get_mut(&uuid) else { return Err(missing("VM not found")) };
    vm.settle_disks();
    let found = vm.disks.iter_mut().find(|disk| slot.as_deref() == Some(disk.pci_slot.as_str()));
    let Some(disk) = found else { return Err(missing("Disk not found")) };
    if action == "delete_disk" {
        if disk.boot {
            return Err(wrong("pci_slot", "Cannot remove boot disk"));
        }
        "deleting".clone_into(&mut disk.state);
        return Ok(Work::DeleteDisk { disk: disk.id.clone() });
    }
    let size = match size {
        None => return Err(invalid(WRONG, &[("size", "MissingParameter", "")])),
        Some(size) => size.unwrap_or_else(|| disk.size.saturating_add(free)),
    };
    let shrinks = call.params.get("dangerous_allow_shrink").and_then(params::flag) == Some(true);
    if size < disk.size && !shrinks {
        return Err(wrong("size", "Reducing disk size is a dangerous operation"));
    }
    if size.saturating_sub(disk.size) > free {
        return Err(no_space(size.saturating_sub(disk.size)));
    }
    "resizing".clone_into(&mut disk.state);
    disk.wanted = Some(size);
    Ok(Work::ResizeDisk { disk: disk.id.clone() })
}
