//! CreateMachine: what may be asked for, and what comes of it.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::affinity;
use super::super::jobs::Work;
use super::super::rbac::ADMINISTRATOR;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::route::{Call, Route};
use super::super::state::{Image, Machine, Nic, Package, is_uuid, new_id};
use super::super::version::Version;
use super::{disks, images, limits, machines, metadata, networks, tags, volumes};

pub(crate) static ROUTES: &[Route] =
    &[Route::post("/:login/machines", "CreateMachine", "createmachine", "machines", create)];

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
fn wanted_networks(call: &Call<'_>) -> Result<Vec<(String, Option<Ipv4Addr>)>, Refusal> {
    let list = match call.params.get("networks") {
        None | Some(Value::Null) => return default_networks(call),
        Some(Value::Array(list)) => list.clone(),
        Some(other) => vec![other.clone()],
    };
    if list.iter().any(Value::is_object) && list.iter().any(Value::is_string) {
        return Err(Refusal::invalid("networks must be all strings or all objects"));
    }
    let mut wanted: Vec<(String, Option<Ipv4Addr>)> = Vec::new();
    for entry in &list {
        let (id, ip) = networks::wanted(call, entry)?;
        if !wanted.iter().any(|(other, _)| *other == id) {
            wanted.push((id, ip));
        }
    }
    if wanted.iter().filter(|(id, _)| networks::is_public(call, id)).count() > 1 {
        return Err(Refusal::invalid("Invalid Networks: only one public network is allowed"));
    }
    Ok(wanted)
}

/// The first network of each kind that is asked for, or of both.
fn default_networks(call: &Call<'_>) -> Result<Vec<(String, Option<Ipv4Addr>)>, Refusal> {
    let kinds = match call.params.get("default_networks") {
        None | Some(Value::Null) => vec![true, false],
        Some(given) => {
            let kind = |kind: &Value| match kind.as_str() {
                Some("external") => Ok(true),
                Some("internal") => Ok(false),
                _ => Err(Refusal::invalid("default_networks must hold external, internal or both")),
            };
            let list = given.as_array().map_or(std::slice::from_ref(given), Vec::as_slice);
            list.iter().map(kind).collect::<Result<Vec<bool>, Refusal>>()?
        }
    };
    let mut wanted: Vec<(String, Option<Ipv4Addr>)> = Vec::new();
    for public in kinds {
        let network = networks::shown(call).find(|network| network.public == public);
        if let Some(network) = network.filter(|network| !wanted.iter().any(|(id, _)| *id == network.id)) {
            wanted.push((network.id.clone(), None));
        }
    }
    Ok(wanted)
}

/// The administrator's password, for images whose machines know no SSH keys.
fn password(call: &Call<'_>, image: &Image) -> Result<Option<String>, Refusal> {
    if !image.needs_password {
        return Ok(None);
    }
    let given = call.text("administrator_pw").or_else(|| call.text("password"));
    given.map(Some).ok_or_else(|| Refusal::missing("password"))
}

/// Interfaces on these networks. The first public one is the primary one.
fn nics(call: &mut Call<'_>, wanted: &[(String, Option<Ipv4Addr>)]) -> Result<Vec<Nic>, Refusal> {
    let ids: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
    let used = call.state.used(&ids);
    let mut nics: Vec<Nic> = Vec::new();
    let mut primary = None;
    for (id, ip) in wanted {
        let nic = call.state.interface(id, *ip, &used, &nics)?;
        if networks::is_public(call, id) && primary.is_none() {
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

/// Refuses volumes for machines that cannot mount them. Those that are not described as they should
/// be are never answered.
fn asked_volumes<'a>(call: &'a Call<'_>, brand: &str) -> Result<&'a [Value], Refusal> {
    let list = match call.params.get("volumes") {
        None | Some(Value::Null) => return Ok(&[]),
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
    Ok(list)
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
    let asked = asked_volumes(call, &brand)?.to_vec();
    let rules = affinity::rules(&call.params)?;
    limits::check(call, &brand, &image, &package)?;
    if call.truthy("bootrom").is_some() && brand != "bhyve" {
        return Err(Refusal::invalid("bootrom can be given for bhyve machines only"));
    }
    let delegate_dataset = call.is_true("delegate_dataset");
    if delegate_dataset && !call.state.switches.delegated_datasets {
        return Err(Refusal::invalid("delegated datasets are not allowed in this data center"));
    }
    let password = password(call, &image)?;
    let keys = authorized_keys(call)?;
    if keys.is_empty() && password.is_none() {
        return Err(Refusal::new(409, "KeyRequired", "You must have at least one SSH key to create a machine"));
    }
    let keys: String = keys.iter().flat_map(|key| [key.as_str(), "\n"]).collect();

    let tags = flat(call, "tag.");
    for (name, value) in &tags {
        tags::check(name, value)?;
    }
    let mut metadata = flat(call, "metadata.");
    let mut credentials = match metadata.remove("credentials") {
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    };
    metadata.retain(|name, _| !name.ends_with("_pw") && name.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
    for (name, value) in &metadata {
        metadata::check(name, value)?;
    }
    if !keys.is_empty() {
        metadata.insert("root_authorized_keys".to_owned(), keys.into());
    }
    if let Some(password) = password {
        credentials.insert("administrator".to_owned(), password.into());
    }

    let disks = disks::planned(call, &brand, &image, &package)?;
    let wanted = wanted_networks(call)?;
    let ids: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
    let mounts = volumes::mounts(call, &asked, &ids)?;
    let node = affinity::place(call.state, &call.account, &rules)?;
    let nics = nics(call, &wanted)?;
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
        delegate_dataset,
        encrypted: call.is_true("encrypted"),
        disks,
        brand,
        volumes: mounts,
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
