//! Volumes: list, create, get, rename, delete, and the sizes there are.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route};
use super::super::volume_fields::{self as fields, Filter, KIND, Seen};
use crate::emulator::cloudapi::denied::refusal;
use crate::emulator::datacenter::affinity;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::Work;
use crate::emulator::datacenter::state::{Mount, Nic, Volume};
use crate::emulator::datacenter::state::{State, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

const ALL: &str = "/:login/volumes";
const ONE: &str = "/:login/volumes/:id";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListVolumes", "volumes", list),
    Route::post(ALL, "CreateVolume", "volumes", create),
    Route::get(ONE, "GetVolume", "volumes", get),
    Route::post(ONE, "UpdateVolume", "volumes", update),
    Route::delete(ONE, "DeleteVolume", "volumes", delete),
    Route::get("/:login/volumesizes", "ListVolumeSizes", "volumes", sizes),
];

/// The sizes there are, in MiB; the first is given when none is asked for.
const SIZES: &[u64] = &[10_240, 20_480, 30_720, 40_960, 51_200, 102_400, 204_800, 307_200, 409_600, 512_000, 1_024_000];
/// Of a volume without a type.
const NO_TYPE: &str = "Invalid volume type: undefined. Volume type should be one of: tritonnfs";

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

/// The volume that the path names, for this purpose.
fn load<'a>(call: &'a Call<'_>, purpose: &str) -> Result<&'a Volume, Refusal> {
    let id = call.required("id")?;
    fields::check_id(&id)?;
    let found = call.state.volumes.iter().find(|volume| volume.id == id && volume.owner == call.account);
    found.ok_or_else(|| unknown(&id, purpose))
}

fn unknown(id: &str, purpose: &str) -> Refusal {
    let words = format!("Error when {purpose} volume: Volume with uuid {id} could not be found");
    Refusal::new(404, "VolumeNotFound", words)
}

/// The same, if no machine mounts it.
fn load_idle<'a>(call: &'a Call<'_>, purpose: &str) -> Result<&'a Volume, Refusal> {
    let volume = load(call, purpose)?;
    match call.state.mounted_by(&volume.id).as_slice() {
        [] => Ok(volume),
        _ => {
            let words = format!("Error when {purpose} volume: Volume with name {} is used", volume.name);
            Err(Refusal::new(409, "VolumeInUse", words))
        }
    }
}

fn reply(call: &Call<'_>, id: &str, status: u16) -> Outcome {
    match call.state.volumes.iter().find(|volume| volume.id == id) {
        Some(volume) => Ok(Reply::status(status, &Value::Object(view(call.state, volume)))),
        None => Err(unknown(id, "getting")),
    }
}

fn list(call: &mut Call<'_>) -> Outcome {
    let filter = Filter::read(&call.given)?;
    let fits = |volume: &&Volume| {
        volume.owner == call.account
            && filter.fits(Seen {
                id: &volume.id,
                name: &volume.name,
                networks: &volume.networks,
                size: volume.size,
                state: &volume.state,
            })
    };
    let rows = call.state.volumes.iter().filter(fits).map(|volume| Value::Object(view(call.state, volume)));
    let rows: Vec<Value> = rows.collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-resource-count", count))
}

/// Refuses a name that is too long, or that another volume has.
fn check_name(call: &Call<'_>, name: &str, own: Option<&str>, purpose: &str) -> Result<(), Refusal> {
    if name.len() > 256 {
        let words = format!("Error when {purpose} volume: name must be no longer than 256 characters");
        return Err(Refusal::new(409, "ValidationError", words));
    }
    let taken = |volume: &&Volume| {
        volume.owner == call.account
            && volume.name == name
            && volume.state != "failed"
            && own != Some(volume.id.as_str())
    };
    if call.state.volumes.iter().any(|volume| taken(&volume)) {
        let words = format!("Error when {purpose} volume: Volume with name {name} already exists");
        return Err(Refusal::new(409, "VolumeAlreadyExists", words));
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
                    let words = "default_network is not configured for account";
                    Err(Refusal::new(409, "DefaultFabricNetworkNotConfiguredError", words))
                }
            };
        }
        Some(list) => list,
    };
    let mut networks = Vec::new();
    for entry in list.as_array().into_iter().flatten() {
        let id = entry.as_str().unwrap_or_default();
        let network = call.state.network(id, &call.account).filter(|network| network.fabric);
        network.ok_or_else(|| Refusal::invalid(format!("Invalid networks: {}", js::text(list))))?;
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
        None | Some(Value::Null | Value::Array(_)) => affinity::rules(&call.params).map(drop).map_err(refusal),
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
    let given = |name: &str| call.params.get(name);
    fields::refuse([
        given("name").and_then(fields::name),
        given("type").map_or_else(|| Some(NO_TYPE.to_owned()), fields::kind),
        given("size").and_then(fields::size),
        given("networks").and_then(fields::networks),
    ])?;
    let id = new_id();
    let name = given("name").map_or_else(|| id.clone(), js::text);
    let size = given("size").and_then(Value::as_u64).unwrap_or(10_240);
    check_name(call, &name, None, "creating")?;
    if !SIZES.contains(&size) {
        let words = format!("Error when creating volume: Volume size {size} is not available");
        return Err(Refusal::new(409, "VolumeSizeNotAvailable", words));
    }
    let networks = networks(call)?;
    check_affinity(call)?;
    let tags = tags(call)?;
    let first = networks.first().cloned().unwrap_or_default();
    let used = call.state.used(&[&first]);
    let nic = Nic { primary: true, ..call.state.interface(&first, None, &used, &[]).map_err(refusal)? };
    let volume = Volume {
        id: id.clone(),
        owner: call.account.clone(),
        name,
        state: "creating".to_owned(),
        created: call.now,
        size,
        networks,
        tags,
        nic,
        ..Volume::default()
    };
    let zone = volume.zone_id();
    call.state.volumes.push(volume);
    call.state.plan(call.now, &zone, Work::CreateVolume, call.caller.clone(), call.fails.clone());
    reply(call, &id, 201)
}

fn get(call: &mut Call<'_>) -> Outcome {
    let id = load(call, "getting")?.id.clone();
    reply(call, &id, 200)
}

fn update(call: &mut Call<'_>) -> Outcome {
    fields::refuse([call.params.get("name").and_then(fields::name)])?;
    let id = load_idle(call, "updating")?.id.clone();
    if let Some(name) = call.params.get("name").map(js::text) {
        check_name(call, &name, Some(&id), "updating")?;
        if let Some(volume) = call.state.volumes.iter_mut().find(|volume| volume.id == id) {
            volume.name = name;
        }
    }
    reply(call, &id, 200)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let volume = load_idle(call, "deleting")?;
    // One is on its way already: nothing more to do.
    if volume.state == "deleting" {
        return Ok(Reply::empty(204));
    }
    let (id, zone) = (volume.id.clone(), volume.zone_id());
    if let Some(volume) = call.state.volumes.iter_mut().find(|volume| volume.id == id) {
        volume.state = "deleting".to_owned();
    }
    call.state.plan(call.now, &zone, Work::DeleteVolume, call.caller.clone(), call.fails.clone());
    Ok(Reply::empty(204))
}

fn sizes(call: &mut Call<'_>) -> Outcome {
    fields::refuse([call.params.get("type").and_then(fields::kind)])?;
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
