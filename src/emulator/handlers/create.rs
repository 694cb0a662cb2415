//! CreateMachine: what may be asked for, and what comes of it.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::jobs::Work;
use super::super::rbac::ADMINISTRATOR;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::route::{Call, Route};
use super::super::state::{Image, Machine, Nic, Package, is_uuid, new_id};
use super::super::version::Version;
use super::{images, limits, machines, metadata, tags};

pub(crate) static ROUTES: &[Route] =
    &[Route::post("/:login/machines", "CreateMachine", "createmachine", "machines", create)];

/// Compute nodes, dealt out in turn.
const NODES: [&str; 3] = [
    "44454c4c-3200-1042-8050-b6c04f4e3232",
    "44454c4c-4700-1034-8039-b2c04f4e3732",
    "44454c4c-5900-1051-8031-c4c04f594d32",
];

/// The package of this id, or the newest active one of this name.
pub(crate) fn find_package<'a>(call: &'a Call<'_>, wanted: &str) -> Option<&'a Package> {
    let packages = &call.state.packages;
    let numbers = |package: &Package| -> Vec<u64> {
        package.version.split(['.', '-']).map(|number| number.parse().unwrap_or(0)).collect()
    };
    packages
        .iter()
        .find(|package| package.id == wanted)
        .or_else(|| packages.iter().filter(|p| p.name == wanted && !p.inactive).max_by_key(|p| numbers(p)))
}

/// Refuses a name that cannot be, or that another machine has.
pub(crate) fn check_name(call: &Call<'_>, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    let limit = if call.account()?.cns { 63 } else { 189 };
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|b| b.is_ascii_alphanumeric());
    if !first || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        return Err(Refusal::validation("alias", "Invalid", "is not a valid alias"));
    }
    if name.len() > limit {
        return Err(Refusal::validation("alias", "Invalid", &format!("must be no longer than {limit} characters")));
    }
    let taken = |machine: &Machine| {
        machine.owner == call.account
            && machine.name == name
            && !matches!(machine.state.as_str(), "deleted" | "failed")
            && own != Some(machine.id.as_str())
    };
    if call.state.machines.iter().any(taken) {
        return Err(Refusal::validation("alias", "Duplicate", "is already taken by another machine"));
    }
    Ok(())
}

fn find_image<'a>(call: &'a Call<'_>) -> Result<&'a Image, Refusal> {
    let wanted = call.text("image").or_else(|| call.text("dataset")).ok_or_else(|| Refusal::missing("image"))?;
    let unknown = || Refusal::new(404, "ResourceNotFound", format!("image {wanted} not found"));
    if !is_uuid(&wanted) {
        return Err(unknown());
    }
    let image = call.state.images.iter().find(|image| image.id == wanted).ok_or_else(unknown)?;
    if !images::visible(image, &call.account) {
        return Err(unknown());
    }
    if image.state != "active" {
        return Err(Refusal::invalid(format!("image {wanted} is not active")));
    }
    let shared = !image.public && image.owner != call.account;
    if shared && call.version == Version(9, 0, 0) && !call.is_true("allow_shared_images") {
        return Err(Refusal::invalid("shared images are not allowed without allow_shared_images"));
    }
    Ok(image)
}

/// The brand that is asked for, or that image and package call for; they must agree.
fn brand(call: &Call<'_>, image: &Image, package: &Package) -> Result<String, Refusal> {
    let by_image = image.requirements.get("brand").and_then(Value::as_str);
    let asked = call.text("brand");
    if let Some(asked) = &asked
        && !matches!(asked.as_str(), "kvm" | "bhyve")
    {
        return Err(Refusal::invalid(format!("brand \"{asked}\" is not one of kvm, bhyve")));
    }
    let by_package = if package.brand.is_empty() { None } else { Some(package.brand.as_str()) };
    let by_type = match image.kind.as_str() {
        "zvol" => "bhyve",
        "lx-dataset" => "lx",
        _ => "joyent",
    };
    let brand = asked.as_deref().or(by_image).or(by_package).unwrap_or(by_type);
    let disagrees = |other: Option<&str>| other.is_some_and(|other| other != brand);
    if disagrees(by_image) {
        return Err(Refusal::invalid(format!("brand \"{brand}\" does not fit the image's")));
    }
    if disagrees(by_package) {
        return Err(Refusal::invalid(format!("brand \"{brand}\" does not fit the package's")));
    }
    if (image.kind == "zvol") != matches!(brand, "kvm" | "bhyve") {
        return Err(Refusal::invalid(format!("brand \"{brand}\" does not fit an image of type {}", image.kind)));
    }
    Ok(brand.to_owned())
}

/// The networks wanted, each with an address if one is.
fn networks(call: &Call<'_>) -> Result<Vec<(String, Option<Ipv4Addr>)>, Refusal> {
    let list = match call.params.get("networks") {
        None | Some(Value::Null) => {
            let (public, private) =
                (call.state.networks.iter().find(|n| n.public), call.state.networks.iter().find(|n| !n.public));
            return Ok([public, private].into_iter().flatten().map(|n| (n.id.clone(), None)).collect());
        }
        Some(Value::Array(list)) => list.clone(),
        Some(other) => vec![other.clone()],
    };
    if list.iter().any(Value::is_object) && list.iter().any(Value::is_string) {
        return Err(Refusal::invalid("networks must be all strings or all objects"));
    }
    let mut wanted: Vec<(String, Option<Ipv4Addr>)> = Vec::new();
    for entry in &list {
        let id = entry.as_str().or_else(|| entry.get("ipv4_uuid").and_then(Value::as_str));
        let Some(id) = id else { return Err(Refusal::invalid("Invalid Networks")) };
        if !is_uuid(id) {
            return Err(Refusal::without_code("Invalid Networks"));
        }
        let Some(network) = call.state.networks.iter().find(|network| network.id == id) else {
            return Err(Refusal::invalid("Invalid Networks"));
        };
        let mut ip = None;
        if let Some(ips) = entry.get("ipv4_ips") {
            let one = match ips.as_array().map(Vec::as_slice) {
                Some([Value::String(one)]) => one.parse::<Ipv4Addr>().ok(),
                _ => None,
            };
            let one = one.ok_or_else(|| Refusal::invalid("ipv4_ips must hold exactly one IPv4 address"))?;
            if network.public {
                return Err(Refusal::invalid("ipv4_ips cannot be used with a public network"));
            }
            if entry.get("ipv4_count").is_some() {
                return Err(Refusal::invalid("ipv4_ips and ipv4_count cannot be used together"));
            }
            if !network.holds(one) {
                let refusal = Refusal::new(422, "InvalidParameters", "Invalid parameters");
                return Err(refusal.field("ip", "InvalidParameter", "ip is not in the network's subnet"));
            }
            ip = Some(one);
        }
        if !wanted.iter().any(|(other, _)| other == id) {
            wanted.push((id.to_owned(), ip));
        }
    }
    let public = |id: &str| call.state.networks.iter().any(|network| network.id == id && network.public);
    if wanted.iter().filter(|(id, _)| public(id)).count() > 1 {
        return Err(Refusal::invalid("Invalid Networks: only one public network is allowed"));
    }
    Ok(wanted)
}

/// Interfaces on these networks. The first public one is the primary one.
fn nics(call: &mut Call<'_>, wanted: &[(String, Option<Ipv4Addr>)]) -> Result<Vec<Nic>, Refusal> {
    let mut used = HashSet::new();
    for machine in call.state.machines.iter().filter(|machine| machine.state != "deleted") {
        for nic in machine.nics.iter().filter(|nic| wanted.iter().any(|(id, _)| *id == nic.network)) {
            used.insert((nic.network.clone(), nic.ip.clone()));
        }
    }
    // A machine has its interfaces only once it is running, but they are taken before.
    for job in &call.state.jobs {
        if let Work::Provision { nics, .. } = &job.work {
            used.extend(nics.iter().map(|nic| (nic.network.clone(), nic.ip.clone())));
        }
    }
    let mut nics: Vec<Nic> = Vec::new();
    let mut primary = None;
    for (id, ip) in wanted {
        let Some(network) = call.state.networks.iter_mut().find(|network| network.id == *id) else { continue };
        let nic = network.give(*ip, &used)?;
        if network.public && primary.is_none() {
            primary = Some(nics.len());
        }
        nics.push(nic);
    }
    if let Some(nic) = nics.get_mut(primary.unwrap_or(0)) {
        nic.primary = true;
    }
    Ok(nics)
}

/// Keys of the form `tag.NAME` or `metadata.NAME`. Nested objects are ignored, as they are there.
fn flat(call: &Call<'_>, prefix: &str) -> Map<String, Value> {
    let pairs = call.params.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(prefix)?;
        if name.is_empty() { None } else { Some((name.to_owned(), value.clone())) }
    });
    pairs.collect()
}

/// `instance!=web*`, `role==~db`: a key, an operator, a value.
fn check_affinity(rule: &str) -> Result<(), Refusal> {
    let wrong = || Refusal::invalid(format!("affinity rule \"{rule}\" is not valid"));
    let at = rule.find("==").or_else(|| rule.find("!=")).ok_or_else(wrong)?;
    let (key, value) = rule.split_at_checked(at).ok_or_else(wrong)?;
    let value = value.get(2..).unwrap_or("");
    let value = value.strip_prefix('~').unwrap_or(value);
    let key_fits = key.len() > 1
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fits = |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "-:_.*/()?+[]\\^$|".contains(c);
    if key_fits && !value.is_empty() && value.chars().all(fits) { Ok(()) } else { Err(wrong()) }
}

fn affinity(call: &Call<'_>) -> Result<(), Refusal> {
    let rules = match call.params.get("affinity") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
    };
    if call.params.contains_key("locality") {
        return Err(Refusal::invalid("cannot specify both affinity and locality"));
    }
    rules.iter().try_for_each(|rule| match rule {
        Value::String(rule) => check_affinity(rule),
        _ => Err(Refusal::invalid("affinity must be a list of strings")),
    })
}

/// Refuses volumes for machines that cannot mount them. Those that are not described as they should
/// be are never answered.
fn volumes(call: &Call<'_>, brand: &str) -> Result<(), Refusal> {
    let list = match call.params.get("volumes") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let one_of = |entry: &Value, name: &str, words: &[&str]| {
        entry.get(name).is_none_or(|value| value.as_str().is_some_and(|word| words.contains(&word)))
    };
    let fits = |entry: &Value| {
        text(entry, "name").is_some_and(|name| !name.is_empty())
            && text(entry, "mountpoint").is_some_and(|at| at.starts_with('/') && at.chars().any(|c| c != '/'))
            && one_of(entry, "type", &["tritonnfs"])
            && one_of(entry, "mode", &["rw", "ro"])
    };
    if !list.iter().all(fits) {
        return Err(Refusal::invalid("volumes are not valid").mute());
    }
    if !list.is_empty() && matches!(brand, "kvm" | "bhyve") {
        return Err(Refusal::invalid(format!("volumes cannot be mounted by {brand} machines")));
    }
    Ok(())
}

/// The disks of a bhyve machine: the image's, and the package's.
fn disks(call: &Call<'_>, image: &Image, package: &Package) -> Result<Vec<Value>, Refusal> {
    let first = image.image_size.unwrap_or(10_240);
    let boot = json!({ "id": new_id(), "size": first, "boot": true, "image": image.id });
    let list = match call.params.get("disks") {
        None | Some(Value::Null) => return Ok(vec![boot, json!({ "id": new_id(), "size": package.disk })]),
        Some(Value::Array(list)) if (1..=8).contains(&list.len()) => list,
        Some(_) => return Err(Refusal::invalid("disks must be a list of 1 to 8 disks")),
    };
    if package.flexible_disk != Some(true) {
        return Err(Refusal::invalid("disks need a package with a flexible disk"));
    }
    let mut disks = Vec::new();
    let mut left = package.disk;
    let mut remaining = None;
    for (at, entry) in list.iter().enumerate() {
        let size = match entry.get("size") {
            Some(Value::String(word)) if word == "remaining" && remaining.is_none() => {
                remaining = Some(at);
                0
            }
            Some(Value::String(_)) => return Err(Refusal::invalid("size is not a number or the one \"remaining\"")),
            Some(size) => size.as_u64().ok_or_else(|| Refusal::invalid("size is not a number of MiB"))?,
            None if at == 0 => first,
            None => return Err(Refusal::invalid("size is missing")),
        };
        left = left.checked_sub(size).ok_or_else(|| Refusal::invalid("disks exceed the package's disk"))?;
        let mut disk = json!({ "id": new_id(), "size": size });
        if let (0, Value::Object(fields)) = (at, &mut disk) {
            fields.insert("boot".to_owned(), true.into());
            fields.insert("image".to_owned(), image.id.clone().into());
        }
        disks.push(disk);
    }
    if let Some(disk) = remaining.and_then(|at| disks.get_mut(at)).and_then(Value::as_object_mut) {
        disk.insert("size".to_owned(), left.into());
    }
    Ok(disks)
}

/// The keys that get into a new machine: the account's, and those of the sub-users who act as
/// administrators without asking.
fn authorized_keys(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let account = call.account()?;
    let members = account.role_named(ADMINISTRATOR).map(|role| role.held_by.as_slice()).unwrap_or_default();
    let defaults = members.iter().filter(|member| member.default && !member.account);
    let users = defaults.filter_map(|member| account.user(&member.id));
    let keys = account.keys.iter().chain(users.flat_map(|user| &user.keys));
    Ok(keys.map(|key| key.key.clone()).collect())
}

fn create(call: &mut Call<'_>) -> Outcome {
    let id = new_id();
    let short = id.get(..8).unwrap_or_default().to_owned();
    let name = call.text("name").map_or_else(|| short.clone(), |name| name.replace("{{shortId}}", &short));
    let image = find_image(call)?.clone();
    let wanted = call.required("package")?;
    let package = match find_package(call, &wanted) {
        Some(package) if package.inactive => {
            return Err(Refusal::invalid(format!("package \"{wanted}\" is not active")));
        }
        Some(package) => package.clone(),
        None => return Err(Refusal::invalid(format!("package \"{wanted}\" does not exist"))),
    };
    check_name(call, &name, None)?;
    let needs = ["min_ram", "min_memory"].iter().find_map(|name| image.requirements.get(*name)?.as_u64());
    if needs.is_some_and(|needs| package.memory < needs) {
        return Err(Refusal::invalid(format!("image {} needs more memory than the package has", image.id)));
    }
    let brand = brand(call, &image, &package)?;
    volumes(call, &brand)?;
    affinity(call)?;
    limits::check(call, &brand, &image, &package)?;

    let keys = authorized_keys(call)?;
    if keys.is_empty() {
        return Err(Refusal::new(409, "KeyRequired", "You must have at least one SSH key to create a machine"));
    }
    let keys = keys.join("\n") + "\n";

    let tags = flat(call, "tag.");
    for (name, value) in &tags {
        tags::check(name, value)?;
    }
    let mut metadata = flat(call, "metadata.");
    let credentials = match metadata.remove("credentials") {
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    };
    metadata.retain(|name, _| !name.ends_with("_pw") && name.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
    for (name, value) in &metadata {
        metadata::check(name, value)?;
    }
    metadata.insert("root_authorized_keys".to_owned(), keys.into());

    let disks = if brand == "bhyve" { disks(call, &image, &package)? } else { Vec::new() };
    let wanted = networks(call)?;
    let nics = nics(call, &wanted)?;
    let node = NODES.get(call.state.machines.len() % NODES.len()).copied().unwrap_or_default().to_owned();
    let machine = Machine {
        id: id.clone(),
        owner: call.account.clone(),
        name,
        state: "provisioning".to_owned(),
        image: image.id.clone(),
        package: package.id.clone(),
        memory: package.memory,
        disk: package.disk,
        metadata,
        credentials,
        tags,
        created: call.now,
        updated: call.now,
        firewall_enabled: call.is_true("firewall_enabled"),
        deletion_protection: call.is_true("deletion_protection"),
        delegate_dataset: call.is_true("delegate_dataset"),
        encrypted: call.is_true("encrypted"),
        disks,
        brand,
        ..Machine::default()
    };
    let mut shown = machines::view(call.state, &machine, None, call.version);
    // This answer never knows the package's name.
    if let Value::Object(fields) = &mut shown {
        fields.insert("package".to_owned(), "".into());
    }
    call.state.machines.push(machine);
    call.state.plan(call.now, &id, Work::Provision { nics, compute_node: node }, call.caller.clone(), call.fails);
    Ok(Reply::status(201, &shown).header("Location", call.location(&format!("machines/{id}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_affinity_rule_is_a_key_an_operator_and_a_value() {
        for rule in ["instance==web0", "instance!=~web*", "role==/^db/", "container!=x y"] {
            assert!(check_affinity(rule).is_ok(), "{rule}");
        }
        for rule in ["", "web0", "x==y", "instance==", "9x==a", "role==~", "role=db", "role==a;b"] {
            assert!(check_affinity(rule).is_err(), "{rule}");
        }
    }
}
