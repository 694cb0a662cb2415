//! Snapshots of a machine.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route};
use super::machines::allocated;
use super::machines::load;
use crate::emulator::datacenter::clock::{iso, stamp};
use crate::emulator::datacenter::state::Snapshot;
use crate::emulator::datacenter::state::Work;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/machines/:machine/snapshots";
const ONE: &str = "/:login/machines/:machine/snapshots/:name";

pub(crate) static ROUTES: &[Route] = &[
    Route::post(ALL, "CreateMachineSnapshot", "machines", create),
    Route::get(ALL, "ListMachineSnapshots", "machines", list),
    Route::head(ALL, "HeadMachineSnapshots", "machines", list),
    Route::get(ONE, "GetMachineSnapshot", "machines", get),
    Route::head(ONE, "HeadMachineSnapshot", "machines", get),
    Route::post(ONE, "StartMachineFromSnapshot", "machines", start),
    Route::delete(ONE, "DeleteMachineSnapshot", "machines", delete),
];

/// One MiB of a snapshot for so many of the disk: it holds what has changed only.
const SHARE: u64 = 1024;

fn view(snapshot: &Snapshot) -> Value {
    let mut view = Map::new();
    view.insert("name".to_owned(), snapshot.name.clone().into());
    view.insert("state".to_owned(), snapshot.state.clone().into());
    if snapshot.state == "created" {
        view.insert("size".to_owned(), snapshot.size.into());
        view.insert("created".to_owned(), iso(snapshot.created).into());
        view.insert("updated".to_owned(), iso(snapshot.created).into());
    }
    Value::Object(view)
}

/// A name that a file system can have.
fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':');
    if name.len() <= 64 && name.bytes().all(fits) {
        return Ok(());
    }
    Err(Refusal::validation("snapshot_name", "Invalid", "Invalid snapshot name"))
}

/// The newest snapshot of this name that is not gone.
fn alive<'a>(call: &'a Call<'_>, name: &str) -> Result<&'a Snapshot, Refusal> {
    let list = &load(call)?.snapshots;
    list.iter().find(|s| s.name == name && s.state != "deleted").ok_or_else(missing)
}

fn missing() -> Refusal {
    Refusal::new(404, "ResourceNotFound", "Snapshot does not exist")
}

fn create(call: &mut Call<'_>) -> Outcome {
    let id = allocated(call)?;
    let machine = load(call)?;
    let brand = machine.brand.clone();
    if brand == "bhyve" && !call.state.switches.bhyve_snapshots {
        return Err(Refusal::invalid("Snapshots of bhyve VMs are not allowed"));
    }
    if brand == "kvm" {
        let words = format!("Snapshots are not supported for VMs of brand \"{brand}\"");
        return Err(Refusal::new(409, "BrandNotSupported", words));
    }
    if machine.delegate_dataset {
        return Err(Refusal::invalid("Snapshots are not supported for VMs with delegated datasets"));
    }
    let size = machine.disk().div_ceil(SHARE);
    let name = match call.text("name") {
        Some(name) => name,
        None => stamp(call.now),
    };
    check_name(&name)?;
    if machine.snapshots.iter().any(|s| s.name == name && !matches!(s.state.as_str(), "deleted" | "failed")) {
        let words = format!("Snapshot name \"{name}\" already exists");
        return Err(Refusal::validation("snapshot_name", "Duplicate", &words));
    }
    if let Some(machine) = call.state.vms.get_mut(&id) {
        // The new one takes the place of what is left of an old one.
        machine.snapshots.retain(|snapshot| snapshot.name != name);
        let state = "queued".to_owned();
        machine.snapshots.push(Snapshot { name: name.clone(), state, size, created: call.now });
    }
    let shown = json!({ "name": name, "state": "queued" });
    call.state.plan(call.now, &id, Work::Snapshot { name }, call.caller.clone(), call.fails.clone());
    Ok(Reply::status(201, &shown))
}

fn list(call: &mut Call<'_>) -> Outcome {
    let rows = load(call)?.snapshots.iter().filter(|snapshot| snapshot.state != "deleted").map(view);
    Ok(Reply::json(&rows.collect()))
}

/// One that is gone is still found, as long as the work on it is remembered.
fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("name")?;
    let snapshot = load(call)?.snapshots.iter().rev().find(|snapshot| snapshot.name == name);
    snapshot.map(|snapshot| Reply::json(&view(snapshot))).ok_or_else(missing)
}

fn start(call: &mut Call<'_>) -> Outcome {
    let id = allocated(call)?;
    let name = call.required("name")?;
    if alive(call, &name)?.state != "created" {
        return Err(missing());
    }
    call.state.plan(call.now, &id, Work::Rollback { name, boots: false }, call.caller.clone(), call.fails.clone());
    // It begins when the other one has ended.
    call.state.plan(call.now, &id, Work::Start, call.caller.clone(), call.fails.clone());
    Ok(Reply::empty(202))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let id = allocated(call)?;
    let name = call.required("name")?;
    alive(call, &name).map_err(|_| Refusal::unknown(&name))?;
    call.state.plan(call.now, &id, Work::DeleteSnapshot { name }, call.caller.clone(), call.fails.clone());
    Ok(Reply::empty(204))
}
