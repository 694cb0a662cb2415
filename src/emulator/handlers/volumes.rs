//! Volumes: list, create, get, rename, delete, and the sizes there are.

use serde_json::{Map, Value, json};

use super::super::affinity;
use super::super::clock::iso;
use super::super::jobs::Work;
use super::super::krill::{self, Predicate};
use super::super::params::{self, glob};
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::route::{Call, Route};
use super::super::state::{State, new_id};
use super::super::volume::{Mount, Volume};

const ALL: &str = "/:login/volumes";
const ONE: &str = "/:login/volumes/:id";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListVolumes", "listvolumes", "volumes", list),
    Route::post(ALL, "CreateVolume", "createvolume", "volumes", create),
    Route::get(ONE, "GetVolume", "getvolume", "volumes", get),
    Route::post(ONE, "UpdateVolume", "updatevolume", "volumes", update),
    Route::delete(ONE, "DeleteVolume", "deletevolume", "volumes", delete),
    Route::get("/:login/volumesizes", "ListVolumeSizes", "listvolumesizes", "volumes", sizes),
];

/// The only type there is.
const KIND: &str = "tritonnfs";
/// The sizes there are, in MiB; the first is given when none is asked for.
const SIZES: &[u64] = &[10_240, 20_480, 30_720, 40_960, 51_200, 102_400, 204_800, 307_200, 409_600, 512_000, 1_024_000];
/// What a predicate can ask for, and whether it is a number.
const FIELDS: &[(&str, bool)] =
    &[("id", false), ("name", false), ("network", false), ("size", true), ("state", false), ("type", false)];

fn view(state: &State, volume: &Volume) -> Map<String, Value> {
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("id", volume.id.clone().into());
    put("name", volume.name.clone().into());
    put("owner_uuid", volume.owner.clone().into());
    put("type", KIND.into());
    put("state", volume.state.clone().into());
    put("created", iso(volume.created).into());
    put("size", volume.size.into());
    put("networks", volume.networks.clone().into());
    let refs = state.mounted_by(&volume.id);
    if !refs.is_empty() {
        put("refs", refs.into());
    }
    if volume.state == "ready" {
        put("filesystem_path", format!("{}:/exports/data", volume.nic.ip).into());
    }
    if !volume.tags.is_empty() {
        put("tags", Value::Object(volume.tags.clone()));
    }
    view
}

fn load<'a>(call: &'a Call<'_>) -> Result<&'a Volume, Refusal> {
    let id = call.required("id")?;
    let found = call.state.volumes.iter().find(|volume| volume.id == id && volume.owner == call.account);
    found.ok_or_else(|| Refusal::new(404, "VolumeNotFound", format!("volume {id} not found")))
}

/// The same, if no machine mounts it.
fn load_idle<'a>(call: &'a Call<'_>) -> Result<&'a Volume, Refusal> {
    let volume = load(call)?;
    match call.state.mounted_by(&volume.id).as_slice() {
        [] => Ok(volume),
        users => {
            let words = format!("volume {} is used by {}", volume.name, users.join(", "));
            Err(Refusal::new(409, "VolumeInUse", words))
        }
    }
}

fn reply(call: &Call<'_>, id: &str, status: u16) -> Outcome {
    match call.state.volumes.iter().find(|volume| volume.id == id) {
        Some(volume) => Ok(Reply::status(status, &Value::Object(view(call.state, volume)))),
        None => Err(Refusal::new(404, "VolumeNotFound", format!("volume {id} not found"))),
    }
}

/// Refuses a type that is not the one there is.
fn check_kind(call: &Call<'_>) -> Result<(), Refusal> {
    match call.params.get("type").filter(|value| !value.is_null()) {
        Some(Value::String(kind)) if kind == KIND => Ok(()),
        Some(other) => Err(Refusal::invalid(format!("type {other} is not \"{KIND}\""))),
        None => Ok(()),
    }
}

fn size(call: &Call<'_>) -> Result<Option<u64>, Refusal> {
    let Some(value) = call.params.get("size").filter(|value| !value.is_null()) else { return Ok(None) };
    let size = params::text(value).and_then(|text| text.parse().ok()).filter(|size| *size > 0);
    size.map(Some).ok_or_else(|| Refusal::invalid("size must be a positive whole number of MiB"))
}

/// A list's `name` may have a star at its ends, and nowhere else.
fn name_pattern(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let Some(pattern) = call.text("name") else { return Ok(None) };
    let middle = pattern.strip_prefix('*').unwrap_or(&pattern);
    let middle = middle.strip_suffix('*').unwrap_or(middle);
    if middle.contains('*') {
        return Err(Refusal::invalid("name may have a * only at its beginning and its end"));
    }
    Ok(Some(pattern))
}

fn list(call: &mut Call<'_>) -> Outcome {
    let known = ["name", "predicate", "size", "state", "type"];
    if let Some(name) = call.given.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::invalid(format!("{name} is not a parameter of this call")));
    }
    check_kind(call)?;
    let (name, size, state) = (name_pattern(call)?, size(call)?, call.text("state"));
    if let Some(state) = &state
        && !matches!(state.as_str(), "creating" | "ready" | "failed" | "deleting")
    {
        return Err(Refusal::invalid(format!("state \"{state}\" is not valid")));
    }
    let predicate = match call.text("predicate") {
        Some(text) => Some(krill::parse(&text, FIELDS).map_err(Refusal::invalid)?),
        None => None,
    };
    let twice = |name: &str| call.text(name).is_some() && predicate.as_ref().is_some_and(|p| p.names(name));
    if let Some(name) = known.iter().find(|name| twice(name)) {
        return Err(Refusal::invalid(format!("{name} is given both in the query and in the predicate")));
    }
    let fits = |volume: &&Volume| {
        volume.owner == call.account
            && name.as_deref().is_none_or(|pattern| glob(pattern, &volume.name))
            && size.is_none_or(|size| volume.size == size)
            && match (&state, &predicate) {
                (None, None) => volume.state != "failed",
                (Some(state), _) => volume.state == *state,
                (None, Some(_)) => true,
            }
            && predicate.as_ref().is_none_or(|predicate| asked_for(predicate, volume))
    };
    let rows = call.state.volumes.iter().filter(fits).map(|volume| Value::Object(view(call.state, volume)));
    let rows: Vec<Value> = rows.collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-resource-count", count))
}

fn asked_for(predicate: &Predicate, volume: &Volume) -> bool {
    let fields = json!({
        "id": volume.id,
        "name": volume.name,
        "network": volume.networks,
        "size": volume.size,
        "state": volume.state,
        "type": KIND,
    });
    fields.as_object().is_some_and(|fields| predicate.fits(fields))
}

/// Refuses a name that cannot be, or that another volume has.
fn check_name(call: &Call<'_>, name: &str, own: Option<&str>) -> Result<(), Refusal> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if !first || !name.bytes().all(fits) || !(2..=256).contains(&name.len()) {
        let words = format!("name \"{name}\" must have 2 to 256 letters, digits and signs of _ . -");
        return Err(Refusal::invalid(words));
    }
    let taken = |volume: &&Volume| {
        volume.owner == call.account
            && volume.name == name
            && volume.state != "failed"
            && own != Some(volume.id.as_str())
    };
    if call.state.volumes.iter().any(|volume| taken(&volume)) {
        return Err(Refusal::new(409, "VolumeAlreadyExists", format!("a volume of the name {name} exists already")));
    }
    Ok(())
}

/// The networks that are asked for, which must be the account's own; else its default one.
fn networks(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let list = match call.params.get("networks") {
        None | Some(Value::Null) => {
            let default = call.account()?.default_network.clone();
            return match default.filter(|id| call.state.network(id, &call.account).is_some()) {
                Some(id) => Ok(vec![id]),
                None => {
                    let words = "No default fabric network is configured; networks must be given";
                    Err(Refusal::new(409, "DefaultFabricNetworkNotConfiguredError", words))
                }
            };
        }
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
    };
    let invalid =
        |id: &str| Refusal::new(409, "InvalidNetworks", format!("{id} is not a fabric network of the account"));
    let mut networks = Vec::new();
    for entry in &list {
        let id = entry.as_str().ok_or_else(|| Refusal::invalid("networks must be a list of ids"))?;
        call.state.network(id, &call.account).filter(|network| network.fabric).ok_or_else(|| invalid(id))?;
        if !networks.iter().any(|other| other == id) {
            networks.push(id.to_owned());
        }
    }
    if networks.is_empty() {
        return Err(Refusal::invalid("networks must not be empty"));
    }
    Ok(networks)
}

/// Refuses rules that are none. Only a list will do here.
fn check_affinity(call: &Call<'_>) -> Result<(), Refusal> {
    match call.params.get("affinity") {
        None | Some(Value::Null | Value::Array(_)) => affinity::rules(&call.params).map(drop),
        Some(_) => Err(Refusal::invalid("affinity must be a list of strings")),
    }
}

fn tags(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    match call.params.get("tags") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(tags)) if tags.values().all(Value::is_string) => Ok(tags.clone()),
        Some(_) => Err(Refusal::invalid("tags must be an object of strings")),
    }
}

fn create(call: &mut Call<'_>) -> Outcome {
    call.required("type")?;
    check_kind(call)?;
    let id = new_id();
    let name = match call.params.get("name").filter(|name| !name.is_null()) {
        Some(Value::String(name)) => name.clone(),
        Some(_) => return Err(Refusal::invalid("name must be a string")),
        None => id.clone(),
    };
    check_name(call, &name, None)?;
    let size = size(call)?.unwrap_or(10_240);
    if !SIZES.contains(&size) {
        let words = format!("no volume of {size} MiB is available");
        return Err(Refusal::new(409, "VolumeSizeNotAvailable", words));
    }
    let networks = networks(call)?;
    check_affinity(call)?;
    let tags = tags(call)?;
    let first = networks.first().cloned().unwrap_or_default();
    let used = call.state.used(&[&first]);
    let nic = call.state.interface(&first, None, &used, &[])?;
    call.state.volumes.push(Volume {
        id: id.clone(),
        owner: call.account.clone(),
        name,
        state: "creating".to_owned(),
        created: call.now,
        size,
        networks,
        tags,
        nic,
    });
    call.state.plan(call.now, &id, Work::CreateVolume, call.caller.clone(), call.fails);
    Ok(reply(call, &id, 201)?.header("Location", call.location(&format!("volumes/{id}"))))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let id = load(call)?.id.clone();
    reply(call, &id, 200)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let id = load_idle(call)?.id.clone();
    if let Some(name) = call.params.get("name").filter(|name| !name.is_null()) {
        let name = name.as_str().ok_or_else(|| Refusal::invalid("name must be a string"))?.to_owned();
        check_name(call, &name, Some(&id))?;
        if let Some(volume) = call.state.volumes.iter_mut().find(|volume| volume.id == id) {
            volume.name = name;
        }
    }
    reply(call, &id, 200)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let volume = load_idle(call)?;
    // One is on its way already: nothing more to do.
    if volume.state == "deleting" {
        return Ok(Reply::empty(204));
    }
    let id = volume.id.clone();
    if let Some(volume) = call.state.volumes.iter_mut().find(|volume| volume.id == id) {
        volume.state = "deleting".to_owned();
    }
    call.state.plan(call.now, &id, Work::DeleteVolume, call.caller.clone(), call.fails);
    Ok(Reply::empty(204))
}

fn sizes(call: &mut Call<'_>) -> Outcome {
    check_kind(call)?;
    let rows: Vec<Value> = SIZES.iter().map(|size| json!({ "size": size, "type": KIND })).collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-resource-count", count))
}

/// The mounts that a new machine asks for, described as they should be. They must be there, and
/// share a network with it.
pub(crate) fn mounts(call: &Call<'_>, asked: &[Value], networks: &[&str]) -> Result<Vec<Mount>, Refusal> {
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut mounts = Vec::new();
    for entry in asked {
        let name = text(entry, "name");
        let named = |volume: &&Volume| volume.owner == call.account && volume.name == name && volume.state == "ready";
        let Some(volume) = call.state.volumes.iter().find(named) else {
            let words = format!("volume \"{name}\" does not exist or is not ready");
            return Err(Refusal::validation("volumes", "Invalid", &words));
        };
        if !volume.networks.iter().any(|network| networks.contains(&network.as_str())) {
            // The real server puts the code in the wrong place, so that it is lost on the way.
            let words = format!("volume \"{name}\" is not reachable from the machine's networks");
            return Err(Refusal::new(500, "Error", words));
        }
        let mode = if text(entry, "mode") == "ro" { "ro" } else { "rw" }.to_owned();
        mounts.push(Mount { volume: volume.id.clone(), mountpoint: text(entry, "mountpoint"), mode });
    }
    Ok(mounts)
}
