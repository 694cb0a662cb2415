//! CreateMachine: what may be asked for, and what comes of it.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::super::rbac::ADMINISTRATOR;
use super::super::version::Version;
use super::{disks, images, limits, machines, metadata, networks, packages, tags, volumes};
use crate::emulator::cloudapi::denied::refusal;
use crate::emulator::datacenter::affinity;
use crate::emulator::datacenter::state::Work;
use crate::emulator::datacenter::state::{Image, Nic, Package, Vm, is_uuid, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(crate) static ROUTES: &[Route] = &[Route::post("/:login/machines", "CreateMachine", "machines", create)];

/// Refuses a name that cannot be, or that another machine has, in these words.
pub(crate) fn check_name(call: &Call<'_>, name: &str, own: Option<&str>, words: &str) -> Result<(), Refusal> {
    if call.account()?.cns && name.encode_utf16().count() > 63 {
        return Err(Refusal::invalid(
            "Name cannot be longer than 63 characters, because you have triton_cns_enabled set on your Account.",
        ));
    }
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|b| b.is_ascii_alphanumeric());
    if !first || !letters.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
        let pattern = r"String does not match regexp: /^[a-zA-Z0-9][a-zA-Z0-9\_\.\-]*$/";
        return Err(Refusal::failed(words, "alias", "Invalid", pattern));
    }
    if name.len() > 189 {
        return Err(Refusal::failed(words, "alias", "Invalid", "String is too long (max 189)"));
    }
    if call.state.is_taken(&call.account, name, own) {
        return Err(Refusal::failed(words, "alias", "Duplicate", "Already exists for this owner_uuid"));
    }
    Ok(())
}

fn find_image<'a>(call: &'a Call<'_>) -> Result<&'a Image, Refusal> {
    if call.text("image").is_some() && call.text("dataset").is_some() {
        return Err(Refusal::invalid("image and dataset are mutually exclusive parameters."));
    }
    let wanted = call.text("image").or_else(|| call.text("dataset"));
    let wanted = wanted.ok_or_else(|| Refusal::lacking("image must be specified"))?;
    let unknown = || Refusal::unknown("image");
    if !is_uuid(&wanted) {
        return Err(Refusal::invalid(format!("{wanted} is not a valid image")));
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
        return Err(Refusal::invalid(format!(
            "{wanted} is a shared image - to provision a shared image you can either clone the image or set \
             \"allow_shared_images\" to true."
        )));
    }
    Ok(image)
}

/// What was given for a brand, as it is repeated: without its first sign that no brand has, and not too long.
fn shown(brand: &str) -> String {
    let odd = brand.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    brand.char_indices().filter(|(at, _)| Some(*at) != odd).map(|(_, c)| c).take(64).collect()
}

/// The brand that is asked for, or that image and package call for; they must agree.
fn brand(call: &Call<'_>, image: &Image, package: &Package) -> Result<String, Refusal> {
    let by_image = image.requirements.get("brand").and_then(Value::as_str);
    let asked = call.text("brand");
    if let Some(asked) = &asked
        && !matches!(asked.as_str(), "kvm" | "bhyve")
    {
        let words = "Brand is restricted to one of [\"bhyve\",\"kvm\"]";
        return Err(Refusal::invalid(format!("Unknown brand \"{}\". {words}", shown(asked))));
    }
    let by_package = if package.brand.is_empty() { None } else { Some(package.brand.as_str()) };
    let by_type = match image.kind.as_str() {
        "zvol" => "bhyve",
        "lx-dataset" => "lx",
        _ => "joyent",
    };
    let brand = asked.as_deref().or(by_image).or(by_package).unwrap_or(by_type);
    for (needed, of) in [(by_package, "Package"), (by_image, "Image")] {
        if let Some(needed) = needed.filter(|needed| *needed != brand) {
            let words = format!("{of} requires brand \"{needed}\", but brand \"{brand}\" was selected");
            return Err(Refusal::invalid(words));
        }
    }
    match (image.kind == "zvol", matches!(brand, "kvm" | "bhyve")) {
        (false, true) => Err(Refusal::invalid(format!("Brand \"{brand}\" requires the image type to be \"zvol\""))),
        (true, false) => Err(Refusal::invalid(format!("Brand \"{brand}\" cannot use an image of type \"zvol\""))),
        _ => Ok(brand.to_owned()),
    }
}

/// The networks wanted, each with an address if one is.
fn wanted_networks(call: &Call<'_>) -> Result<Wanted, Refusal> {
    let list = match call.params.get("networks") {
        Some(Value::Array(list)) => list,
        // Anything but a list is not looked at.
        _ => return default_networks(call),
    };
    // The service takes all of them for what the first one is.
    let mixed = list.iter().any(Value::is_object) && list.iter().any(Value::is_string);
    let mut wanted = Wanted::new();
    for (at, entry) in list.iter().enumerate() {
        if !entry.is_string() && !entry.is_object() {
            let words = format!("property \"networks[{at}]\": array of strings or objects expected");
            return Err(Refusal::invalid(words));
        }
        let (id, ip) = networks::wanted(call, entry)?;
        if !wanted.iter().any(|(other, _)| *other == id) {
            wanted.push((id, ip));
        }
    }
    if mixed {
        return Err(Refusal::invalid("Invalid Networks"));
    }
    if wanted.iter().filter(|(id, _)| networks::is_public(call, id)).count() > 1 {
        return Err(Refusal::invalid("Can specify a maximum of 1 public networks"));
    }
    Ok(wanted)
}

/// The first network of each kind that is asked for, or of both. A pool comes before any network.
pub(crate) fn default_networks(call: &Call<'_>) -> Result<Wanted, Refusal> {
    let asked = |kind: &str| match call.params.get("default_networks") {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.iter().any(|given| given == kind),
        Some(given) => given.as_str().is_some_and(|given| given.contains(kind)),
    };
    let first = |public: bool| {
        let mut pools = networks::pools(call).filter(|pool| pool.public == public).map(|pool| &pool.id);
        let mut networks = networks::shown(call).filter(|network| network.public == public).map(|network| &network.id);
        pools.next().or_else(|| networks.next())
    };
    let kinds = [("external", true), ("internal", false)].into_iter().filter(|(kind, _)| asked(kind));
    Ok(kinds.filter_map(|(_, public)| first(public)).map(|id| (id.clone(), None)).collect())
}

/// The administrator's password, for images whose machines know no SSH keys.
fn password(call: &Call<'_>, image: &Image) -> Result<Option<String>, Refusal> {
    if !image.needs_password {
        return Ok(None);
    }
    let given = call.text("administrator_pw").or_else(|| call.text("password"));
    given.map(Some).ok_or_else(|| Refusal::lacking(&format!("{} requires a password", image.id)))
}

/// Interfaces on these networks. The first public one is the primary one.
fn nics(call: &mut Call<'_>, wanted: &[(String, Option<Ipv4Addr>)]) -> Result<Vec<Nic>, Refusal> {
    let ids: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
    let used = call.state.used(&ids);
    let mut nics: Vec<Nic> = Vec::new();
    let mut primary = None;
    for (id, ip) in wanted {
        let nic = call.state.interface(id, *ip, &used, &nics).map_err(refusal)?;
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
    if !list.is_empty() && matches!(brand, "kvm" | "bhyve") {
        return Err(Refusal::invalid(format!("volumes not yet supported with brand \"{brand}\"")));
    }
    if !list.iter().all(fits) {
        return Err(Refusal::invalid("volumes are not valid").mute());
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

/// The keys for a new machine, or the password where its image needs one in their place.
fn access(call: &Call<'_>, image: &Image) -> Result<(String, Option<String>), Refusal> {
    let password = password(call, image)?;
    let keys = authorized_keys(call)?;
    if keys.is_empty() && password.is_none() {
        return Err(Refusal::new(409, "KeyRequired", "At least one SSH key is required to provision"));
    }
    Ok((keys.iter().flat_map(|key| [key.as_str(), "\n"]).collect(), password))
}

/// What is only asked of some machines, and may not be asked of this one.
fn check_extras(call: &Call<'_>, brand: &str) -> Result<(), Refusal> {
    if call.truthy("bootrom").is_some() && brand != "bhyve" {
        return Err(Refusal::invalid("Only bhyve VMs support \"bootrom\" option"));
    }
    if call.is_true("delegate_dataset") && !call.state.switches.delegated_datasets {
        return Err(Refusal::invalid(
            "Support for delegated datasets is not enabled (experimental_cloudapi_delegate_dataset in SAPI)",
        ));
    }
    Ok(())
}

/// Refuses a machine with more memory than any compute node has.
fn check_capacity(package: &Package) -> Result<(), Refusal> {
    if package.memory <= affinity::NODE_RAM {
        return Ok(());
    }
    let words = "Invalid VM parameters: Insufficient capacity in datacenter to provision machine";
    let why = format!("Required additional RAM ({}) exceeds the server's available RAM", package.memory);
    Err(Refusal::failed(words, "ram", "InsufficientCapacity", &why))
}

type Fields = Map<String, Value>;

/// Tags, metadata and passwords of a new machine.
fn described(call: &Call<'_>, keys: String, password: Option<String>) -> Result<(Fields, Fields, Fields), Refusal> {
    let tags = flat(call, "tag.");
    // Tags that Docker keeps are refused only when they are set later.
    for (name, value) in &tags {
        tags::check(name, value, "Invalid VM parameters: Invalid tags")?;
    }
    let mut metadata = flat(call, "metadata.");
    let mut credentials = match metadata.remove("credentials") {
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    };
    metadata.retain(|name, _| !name.ends_with("_pw") && name.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
    for value in metadata.values() {
        metadata::check(value, "Invalid VM parameters: Invalid customer_metadata")?;
    }
    if !keys.is_empty() {
        metadata.insert("root_authorized_keys".to_owned(), keys.into());
    }
    if let Some(password) = password {
        credentials.insert("administrator".to_owned(), password.into());
    }
    Ok((tags, metadata, credentials))
}

fn create(call: &mut Call<'_>) -> Outcome {
    make(call, new_id(), wanted_networks)
}

/// The networks of a new machine, each with an address if one is wanted.
pub(crate) type Wanted = Vec<(String, Option<Ipv4Addr>)>;

/// Makes a machine of this id from the call's parameters, but for the networks. It gets its addresses at once, and runs
/// when its job is due.
pub(crate) fn make(
    call: &mut Call<'_>,
    id: String,
    networks: impl Fn(&Call<'_>) -> Result<Wanted, Refusal>,
) -> Outcome {
    let short = id.get(..8).unwrap_or_default().to_owned();
    let name = call.text("name").map_or_else(|| short.clone(), |name| name.replace("{{shortId}}", &short));
    let image = find_image(call)?.clone();
    let package = packages::wanted(call)?.1.clone();
    let (keys, password) = access(call, &image)?;
    if call.account()?.unapproved {
        return Err(Refusal::invalid("User is not currently approved for provisioning"));
    }
    let brand = brand(call, &image, &package)?;
    let disks = disks::planned(call, &brand, &image, &package)?;
    check_extras(call, &brand)?;
    let wanted = networks(call)?;
    let needs = ["min_ram", "min_memory"].iter().find_map(|name| image.requirements.get(*name)?.as_u64());
    if let Some(needs) = needs.filter(|needs| package.memory < *needs) {
        return Err(Refusal::invalid(format!(
            "You must use a package with at least {needs} MiB of RAM in order to provision the selected image"
        )));
    }
    let asked = asked_volumes(call, &brand)?.to_vec();
    limits::check(call, &brand, &image, &package)?;
    let rules = affinity::rules(&call.params).map_err(refusal)?;
    check_name(call, &name, None, "Invalid VM parameters: Invalid machine name")?;
    check_capacity(&package)?;
    let (tags, metadata, credentials) = described(call, keys, password)?;
    let ids: Vec<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
    let mounts = volumes::mounts(call, &asked, &ids)?;
    let node = affinity::place(call.state, &call.account, &rules).map_err(refusal)?;
    let nics = nics(call, &wanted)?;
    let mut machine = Vm {
        uuid: id.clone(),
        owner_uuid: call.account.clone(),
        alias: name,
        state: "provisioning".to_owned(),
        image_uuid: image.id.clone(),
        customer_metadata: metadata,
        tags,
        create_timestamp: call.now,
        last_modified: call.now,
        firewall_enabled: call.is_true("firewall_enabled"),
        indestructible_zoneroot: call.is_true("deletion_protection"),
        delegate_dataset: call.is_true("delegate_dataset"),
        disks,
        brand,
        server_uuid: node.clone(),
        volumes: mounts,
        ..Vm::default()
    };
    machine.fit(&package);
    machine.set_passwords(credentials);
    if call.is_true("encrypted") {
        machine.internal_metadata.insert("encrypted".to_owned(), true.into());
    }
    let mut shown = machines::view(call.state, &machine, None, call.version);
    // This answer never knows the package's name.
    if let Value::Object(fields) = &mut shown {
        fields.insert("package".to_owned(), "".into());
    }
    call.state.vms.push(machine);
    call.state.plan(
        call.now,
        &id,
        Work::Provision { nics, compute_node: node },
        call.caller.clone(),
        call.fails.clone(),
    );
    Ok(Reply::status(201, &shown).header("Location", call.location(&format!("machines/{id}"))))
}
