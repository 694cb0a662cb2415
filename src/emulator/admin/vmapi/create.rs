//! CreateVm: all that is looked at before the answer, in the service's order: networks, fields, other services, a
//! server, addresses. What fails later is a matter of the job.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::call::{Call, Route, is_lower_uuid, route};
use super::super::napi;
use super::begin::{answered, check_sync, started};
use super::fields::{PAIRS, json, typed, wrong_pairs};
use super::invalid;
use crate::emulator::datacenter::affinity;
use crate::emulator::datacenter::denied::Denied;
use crate::emulator::datacenter::state::{BRANDS, Disk, Image, Network, Nic, Package, State, Vm, Work, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal};

pub(super) static ROUTES: &[Route] = &[route("POST", "/vms", &["CreateVm"], create)];

const WRONG: &str = "Invalid VM parameters";
const NETWORKS: &str = "Invalid network parameters";
const NONE: &str = "00000000-0000-0000-0000-000000000000";

/// Fields of the request that are kept as they are.
const KEPT: &[&str] = &[
    "autoboot",
    "cpu_cap",
    "cpu_shares",
    "cpu_type",
    "dns_domain",
    "do_not_inventory",
    "filesystems",
    "fs_allowed",
    "hostname",
    "indestructible_delegated",
    "init_name",
    "kernel_version",
    "limit_priv",
    "maintain_resolvers",
    "max_locked_memory",
    "max_lwps",
    "max_swap",
    "mdata_exec_timeout",
    "package_name",
    "package_version",
    "resolvers",
    "tmpfs",
    "vcpus",
    "zfs_data_compression",
    "zfs_io_priority",
    "zfs_snapshot_limit",
];

/// Fields of the request that are kept in fields of the VM.
const PLACED: &[&str] = &[
    "alias",
    "billing_id",
    "delegate_dataset",
    "docker",
    "firewall_enabled",
    "indestructible_zoneroot",
    "max_physical_memory",
    "quota",
    "ram",
];

/// Whether a field of the request has a type to be checked.
fn is_kept(name: &str) -> bool {
    KEPT.contains(&name) || PLACED.contains(&name)
}

/// One of the networks that are asked for.
pub(super) struct Wanted {
    pub(super) id: String,
    ip: Option<Ipv4Addr>,
    primary: bool,
    /// What else is said of the interface, such as `allow_ip_spoofing`.
    more: Map<String, Value>,
}

/// The networks of a request, each found for this owner.
pub(super) fn networks(call: &Call<'_>, owner: &str) -> Result<Vec<Wanted>, Refusal> {
    let wrong = |words: &str| invalid(NETWORKS, &[("networks", "Invalid", words)]);
    let list = match json(call, "networks") {
        Some(Value::Array(list)) => list,
        Some(Value::String(text)) => text.split(',').map(Value::from).collect(),
        _ => return Err(wrong("Malformed networks object")),
    };
    let mut wanted = Vec::new();
    for entry in &list {
        wanted.push(one(call.state, entry, owner, &wrong)?);
    }
    if wanted.iter().filter(|one| one.primary).count() > 1 {
        return Err(wrong("Cannot specify more than one primary network"));
    }
    Ok(wanted)
}

fn one(state: &State, entry: &Value, owner: &str, wrong: &dyn Fn(&str) -> Refusal) -> Result<Wanted, Refusal> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let plain = entry.as_str().map(str::to_owned);
    let (old, new, name) = (text("uuid"), text("ipv4_uuid"), text("name"));
    if old.is_some() && (new.is_some() || entry.get("ipv4_ips").is_some() || entry.get("ipv4_count").is_some()) {
        return Err(wrong("Network object uses both old uuid form and new ipvX_uuid form"));
    }
    if entry.get("ipv6_uuid").is_some() || entry.get("ipv6_ips").is_some() {
        return Err(wrong("IPv6 options are not currently supported"));
    }
    if entry.get("ipv4_count").is_some_and(|count| count != 1) {
        return Err(wrong("ipv4_count must be set to one"));
    }
    let ips = entry.get("ipv4_ips").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if ips.len() > 1 {
        return Err(wrong("ipv4_ips may only have a single entry"));
    }
    let given = text("ip").or_else(|| ips.first().and_then(Value::as_str).map(str::to_owned));
    let ip = match given.map(|ip| ip.parse::<Ipv4Addr>()) {
        None => None,
        Some(Ok(ip)) => Some(ip),
        Some(Err(_)) => return Err(wrong("ipv4_ips contains invalid IPv4 addresses")),
    };
    let Some(meant) = plain.or(old).or(new).or_else(|| name.clone()) else {
        return Err(wrong("Network object must specify a UUID or a name"));
    };
    if name.as_deref() != Some(meant.as_str()) && !is_lower_uuid(&meant) {
        return Err(wrong(&format!("Invalid uuid {meant}")));
    }
    let id = find(state, &meant, owner)?;
    let primary = entry.get("primary").and_then(params::flag) == Some(true);
    let more = entry.as_object().into_iter().flatten();
    let more = more.filter(|(name, _)| name.starts_with("allow_")).map(|(name, value)| (name.clone(), value.clone()));
    Ok(Wanted { id, ip, primary, more: more.collect() })
}

/// The pool, or else the network, of this id or name.
fn find(state: &State, meant: &str, owner: &str) -> Result<String, Refusal> {
    let pools: Vec<&str> =
        state.pools.iter().filter(|pool| pool.id == meant || pool.name == meant).map(|pool| pool.id.as_str()).collect();
    match pools.as_slice() {
        [one] => return Ok((*one).to_owned()),
        [] => {}
        _ => {
            let words = format!("Multiple Network Pools with name: {meant}");
            return Err(Refusal::new(422, "UnprocessableEntityError", words));
        }
    }
    let found = state.networks.iter().find(|network| network.id == meant || network.name == meant);
    let Some(network) = found else {
        let words = format!("No such Network or Pool with id/name: \"{meant}\"");
        return Err(Refusal::new(422, "UnprocessableEntityError", words));
    };
    if !state.may_provision(network, owner) {
        let words = format!("Failed to find network pool \"{meant}\": owner cannot provision on network");
        return Err(Refusal::without_code(&words));
    }
    Ok(network.id.clone())
}

/// How VMAPI says what the data center denies about placement; the rest is NAPI's, and passed on.
pub(super) fn denied(denied: Denied) -> Refusal {
    match denied {
        Denied::NoServer => no_server("no server satisfies the rules of placement"),
        Denied::Argument(words) => invalid(WRONG, &[("locality", "Invalid", words.as_str())]),
        other => napi::denied(other, "", None),
    }
}

fn no_server(why: &str) -> Refusal {
    Refusal::new(409, "NoAllocatableServersError", format!("No compute resources available: {why}"))
}

/// Refuses networks that a server is not on: of a pool, one will do.
pub(super) fn check_tags(call: &Call<'_>, wanted: &[Wanted], server: &str) -> Result<(), Refusal> {
    for one in wanted {
        let members = call.state.members(&one.id);
        let networks = call.state.networks.iter().filter(|network| members.contains(&network.id.as_str()));
        let mut tags: Vec<&str> = networks.map(Network::tag).collect();
        if tags.iter().any(|tag| call.state.carries(server, tag)) {
            continue;
        }
        tags.sort_unstable();
        tags.dedup();
        let words = format!("Server must have one of the following NIC tags: {}", tags.join(", "));
        return Err(invalid(WRONG, &[("server", "Invalid", words.as_str())]));
    }
    Ok(())
}

/// Interfaces with addresses on the networks that are wanted. Those that NAPI has already for this VM are used.
pub(super) fn provision(
    call: &mut Call<'_>,
    wanted: &[Wanted],
    vm: Option<&str>,
    first: bool,
) -> Result<Vec<Nic>, Refusal> {
    let ids: Vec<&str> = wanted.iter().map(|one| one.id.as_str()).collect();
    let used = call.state.used(&ids);
    let mut nics: Vec<Nic> = Vec::new();
    for one in wanted {
        let members = call.state.members(&one.id);
        let fits = |nic: &Nic| members.contains(&nic.network.as_str()) && !nics.iter().any(|has| has.mac == nic.mac);
        let nic = match vm.and_then(|vm| call.state.loose_of(vm).find(fits)) {
            Some(nic) => nic,
            None => call.state.interface(&one.id, one.ip, &used, &nics).map_err(|why| {
                let network = call.state.networks.iter().find(|network| network.id == one.id);
                let holder = one.ip.zip(network).and_then(|(ip, network)| call.state.holder(network, ip));
                napi::denied(why, &one.id, holder)
            })?,
        };
        let more = nic.more.clone().into_iter().chain(one.more.clone()).collect();
        nics.push(Nic { primary: one.primary || nic.primary, more, ..nic });
    }
    if first
        && !nics.iter().any(|nic| nic.primary)
        && let Some(nic) = nics.first_mut()
    {
        nic.primary = true;
    }
    // Only now that all are found: a refused request takes none.
    call.state.take_loose(&nics);
    Ok(nics)
}

/// Errors of the fields, all of which are told.
struct Errors(Vec<(String, &'static str, String)>);

impl Errors {
    fn add(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.0.push((field.to_owned(), code, message.into()));
    }

    fn into_result(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let errors: Vec<(&str, &str, &str)> =
            self.0.iter().map(|(field, code, words)| (field.as_str(), *code, words.as_str())).collect();
        Err(invalid(WRONG, &errors))
    }
}

/// What other services know of a request.
struct Found {
    package: Option<Package>,
    image: Option<Image>,
}

/// Looks at the fields of a request.
fn check(call: &Call<'_>) -> Result<Found, Refusal> {
    let mut errors = Errors(Vec::new());
    let brand = call.text("brand").unwrap_or_default();
    let hvm = matches!(brand.as_str(), "kvm" | "bhyve");
    match brand.as_str() {
        "" => errors.add("brand", "MissingParameter", ""),
        brand if !BRANDS.contains(&brand) => {
            errors.add("brand", "Invalid", format!("Must be one of: {}", BRANDS.join(", ")));
        }
        _ => {}
    }
    if call.params.get("networks").is_none_or(Value::is_null) {
        errors.add("networks", "MissingParameter", "");
    }
    match call.text("owner_uuid") {
        None => errors.add("owner_uuid", "MissingParameter", ""),
        Some(owner) if !is_lower_uuid(&owner) => errors.add("owner_uuid", "Invalid", "Invalid UUID"),
        Some(_) => {}
    }
    let billing = call.text("billing_id");
    let ram = ["ram", "max_physical_memory"].iter().any(|name| json(call, name).is_some());
    if !ram && billing.is_none() {
        errors.add("ram", "MissingParameter", if hvm { format!("Is required for {brand}") } else { String::new() });
    }
    let disks = json(call, "disks");
    let image = match (hvm, disks.as_ref().and_then(Value::as_array)) {
        (false, _) => call.text("image_uuid"),
        (true, Some(list)) => {
            check_disks(list, &brand, &mut errors);
            list.first().and_then(|disk| disk.get("image_uuid")).and_then(Value::as_str).map(str::to_owned)
        }
        (true, None) => {
            errors.add("disks", "MissingParameter", format!("Is required for {brand}"));
            None
        }
    };
    if !hvm && image.is_none() {
        errors.add("image_uuid", "MissingParameter", "");
    }
    check_types(call, &mut errors);
    errors.into_result()?;
    elsewhere(call, billing.as_deref(), image.as_deref(), &brand)
}

/// What is looked up in other services, in the service's order.
fn elsewhere(call: &Call<'_>, billing: Option<&str>, image: Option<&str>, brand: &str) -> Result<Found, Refusal> {
    let mut errors = Errors(Vec::new());
    let state = &*call.state;
    let uuid = call.text("uuid");
    match uuid.as_deref() {
        Some(uuid) if !is_lower_uuid(uuid) => errors.add("uuid", "Invalid", "Invalid UUID"),
        Some(uuid) if state.has_vm(uuid) => errors.add("uuid", "Duplicate", "Already exists"),
        _ => {}
    }
    let owner = call.text("owner_uuid").unwrap_or_default();
    if let Some(alias) = call.text("alias")
        && state.is_taken(&owner, &alias, None)
    {
        errors.add("alias", "Duplicate", "Already exists for this owner_uuid");
    }
    if let Some(server) = call.text("server_uuid")
        && state.server(&server).is_none()
    {
        errors.add("server_uuid", "Invalid", format!("Server {server} not found"));
    }
    let package = billing.filter(|id| *id != NONE).map(|id| (id, state.package(id).cloned()));
    match &package {
        Some((id, None)) => errors.add("billing_id", "Invalid", format!("Package {id} does not exist")),
        Some((_, Some(package))) if !package.brand.is_empty() && package.brand != brand => {
            let words = format!("Package requires brand \"{}\", but brand \"{brand}\" was specified", package.brand);
            errors.add("brand", "Invalid", words);
        }
        _ => {}
    }
    let field = if matches!(brand, "kvm" | "bhyve") { "disks.0.image_uuid" } else { "image_uuid" };
    let found = image.and_then(|id| state.images.iter().find(|image| image.id == id));
    match (image, found) {
        (Some(_), None) => errors.add(field, "Invalid", "image not found"),
        (_, Some(image)) if image.state != "active" => {
            errors.add(field, "Invalid", "Image must be active and not disabled");
        }
        (_, Some(image)) if brand == "lx" && !["lx-dataset", "docker", "lxd"].contains(&image.kind.as_str()) => {
            let words = format!("Image type is \"{}\" must be one of: [\"lx-dataset\",\"docker\"]", image.kind);
            errors.add("image_uuid", "Invalid", words);
        }
        _ => {}
    }
    let image = found.cloned();
    errors.into_result()?;
    Ok(Found { package: package.and_then(|(_, package)| package), image })
}

/// Collects the fields whose values are of the wrong type.
fn check_types(call: &Call<'_>, errors: &mut Errors) {
    let given = call.params.iter().filter(|(name, value)| is_kept(name) && !value.is_null());
    for (name, value) in given {
        if let Err(words) = typed(name, value) {
            errors.add(name, "Invalid", words);
        }
    }
    for (field, _) in PAIRS {
        match json(call, field) {
            None => {}
            Some(Value::Object(pairs)) => {
                let wrong = wrong_pairs(field, &pairs);
                wrong.into_iter().for_each(|(field, words)| errors.add(&field, "Invalid", words));
            }
            Some(_) => errors.add(field, "Invalid", ""),
        }
    }
    let roles = call.list("role_tags");
    if roles.is_some_and(|roles| roles.is_empty() || !roles.iter().all(|role| is_lower_uuid(role))) {
        errors.add("role_tags", "Invalid", "");
    }
}

fn check_disks(list: &[Value], brand: &str, errors: &mut Errors) {
    let remaining = |disk: &Value| disk.get("size").is_some_and(|size| size == "remaining");
    if list.iter().filter(|disk| remaining(disk)).count() > 1 {
        errors.add("disks", "Invalid", "Cannot have more than one disk with size \"remaining\"");
    }
    for (at, disk) in list.iter().enumerate() {
        let field = |name: &str| format!("disks.{at}.{name}");
        let size = disk.get("size");
        match (at, disk.get("image_uuid").and_then(Value::as_str)) {
            (0, None) => errors.add(&field("image_uuid"), "MissingParameter", ""),
            (0, Some(id)) if !is_lower_uuid(id) => errors.add(&field("image_uuid"), "Invalid", "Invalid UUID"),
            (1.., Some(_)) => errors.add(&field("image_uuid"), "Invalid", "Not Allowed"),
            _ => {}
        }
        match size {
            Some(_) if at == 0 && brand == "kvm" => errors.add(&field("size"), "Invalid", "Not Allowed"),
            None if at > 0 => errors.add(&field("size"), "MissingParameter", ""),
            Some(size) if !remaining(disk) && size.as_u64().is_none_or(|size| size == 0) => {
                errors.add(&field("size"), "Invalid", "Disk size must be positive");
            }
            _ => {}
        }
    }
    if list.is_empty() {
        errors.add("disks.0.image_uuid", "MissingParameter", "");
    }
}

/// The disks of a request, where its brand has any.
fn disks(call: &Call<'_>, brand: &str, found: &Found) -> Result<Vec<Disk>, Refusal> {
    let Some(Value::Array(list)) = json(call, "disks").filter(|_| matches!(brand, "kvm" | "bhyve")) else {
        return Ok(Vec::new());
    };
    let image = found.image.as_ref();
    let quota =
        found.package.as_ref().filter(|package| package.flexible_disk == Some(true)).map(|package| package.disk);
    let size = |at: usize, disk: &Value| match disk.get("size").and_then(Value::as_u64) {
        Some(size) => size,
        None if at == 0 => image.and_then(|image| image.image_size).unwrap_or(10_240),
        None => 0,
    };
    let taken: u64 = list.iter().enumerate().map(|(at, disk)| size(at, disk)).fold(0, u64::saturating_add);
    if quota.is_some_and(|quota| taken > quota) {
        let words = "The size of the disks must not be greater than the package quota";
        return Err(invalid(WRONG, &[("disks", "Invalid", words)]));
    }
    let made = list.iter().enumerate().map(|(at, disk)| {
        let remaining = disk.get("size").is_some_and(|size| size == "remaining");
        Disk {
            id: new_id(),
            pci_slot: format!("0:4:{at}"),
            size: if remaining { quota.unwrap_or(0).saturating_sub(taken) } else { size(at, disk) },
            boot: at == 0,
            image: if at == 0 { image.map(|image| image.id.clone()).unwrap_or_default() } else { String::new() },
            ..Disk::default()
        }
    });
    Ok(made.collect())
}

/// The VM that a request describes, without a server and interfaces.
fn described(call: &Call<'_>, found: &Found, brand: &str) -> Result<Vm, Refusal> {
    let pairs = |name: &str| json(call, name).and_then(|value| value.as_object().cloned()).unwrap_or_default();
    let value = |name: &str| call.params.get(name).filter(|value| !value.is_null()).and_then(|it| typed(name, it).ok());
    let is = |name: &str| value(name) == Some(Value::Bool(true));
    let mut vm = Vm {
        uuid: call.text("uuid").unwrap_or_else(new_id),
        owner_uuid: call.text("owner_uuid").unwrap_or_default(),
        alias: call.text("alias").unwrap_or_default(),
        brand: brand.to_owned(),
        state: "provisioning".to_owned(),
        image_uuid: found.image.as_ref().map(|image| image.id.clone()).unwrap_or_default(),
        billing_id: call.text("billing_id").unwrap_or_default(),
        customer_metadata: pairs("customer_metadata"),
        internal_metadata: pairs("internal_metadata"),
        tags: pairs("tags"),
        create_timestamp: call.now,
        last_modified: call.now,
        firewall_enabled: is("firewall_enabled"),
        indestructible_zoneroot: is("indestructible_zoneroot"),
        delegate_dataset: is("delegate_dataset"),
        docker: is("docker"),
        disks: disks(call, brand, found)?,
        ..Vm::default()
    };
    vm.quota = 10_240;
    if let Some(package) = &found.package {
        vm.fit(package);
    }
    let number = |name: &str| value(name).and_then(|value| value.as_u64());
    vm.ram = number("ram").or_else(|| number("max_physical_memory")).unwrap_or(vm.ram);
    vm.quota = number("quota").map_or(vm.quota, |gib| gib.saturating_mul(1024));
    for name in KEPT {
        if let Some(value) = value(name) {
            vm.more.insert((*name).to_owned(), value);
        }
    }
    for name in ["affinity", "locality"] {
        if let Some(value) = json(call, name) {
            vm.internal_metadata.insert(name.to_owned(), value.to_string().into());
        }
    }
    Ok(vm)
}

fn create(call: &mut Call<'_>) -> Outcome {
    let owner = call.text("owner_uuid").unwrap_or_default();
    let given = call.params.get("networks").is_some_and(|value| !value.is_null());
    let wanted = if given { networks(call, &owner)? } else { Vec::new() };
    let found = check(call)?;
    check_sync(call)?;
    let brand = call.text("brand").unwrap_or_default();
    let mut vm = described(call, &found, &brand)?;
    if vm.ram > affinity::NODE_RAM {
        return Err(no_server(&format!("no server has {} MiB of memory to spare", vm.ram)));
    }
    let server = match call.text("server_uuid") {
        Some(server) => server,
        None => {
            let rules = affinity::rules(&call.params).map_err(denied)?;
            affinity::place(call.state, &owner, &rules).map_err(denied)?
        }
    };
    check_tags(call, &wanted, &server)?;
    let nics = provision(call, &wanted, Some(&vm.uuid), true)?;
    server.clone_into(&mut vm.server_uuid);
    vm.image_uuid = if vm.hvm() { String::new() } else { vm.image_uuid };
    let uuid = vm.uuid.clone();
    call.state.vms.push(vm);
    if let Some(roles) = call.list("role_tags") {
        super::metadata::keep_roles(call.state, &uuid, &roles);
    }
    let job = started(call, &uuid, Work::Provision { nics, compute_node: server }, Map::new())?;
    Ok(answered(call, &uuid, &job))
}
