//! Migrations of VMs between servers.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::begin::requester;
use super::{invalid, load};
use crate::emulator::datacenter::jobs::migrations::{RATE, bytes};
use crate::emulator::datacenter::jobs::watch::Watch;
use crate::emulator::datacenter::state::{Migration, State, Step, id_of};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::http::stream::PolledLines;

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/migrations", &["ListMigrations"], list),
    route("GET", "/migrations/:uuid", &["GetMigration"], get),
    route("DELETE", "/migrations/:uuid", &["DeleteMigration"], delete),
    route("GET", "/migrations/:uuid/watch", &["WatchMigration"], watch),
];

/// The public form: the machine is called by another name than in CloudAPI.
fn view(migration: &Migration) -> Value {
    let mut view = Map::new();
    for (name, value) in migration.view().as_object().into_iter().flatten() {
        let name = if name == "machine" { "vm_uuid" } else { name };
        view.insert(name.to_owned(), value.clone());
    }
    Value::Object(view)
}

/// The whole record, with the fields that only operators see.
fn raw(state: &State, migration: &Migration) -> Value {
    let mut view = view(migration);
    let vm = state.vms.get(&migration.machine);
    let (source, target) = servers(state, migration);
    let syncs = migration.history.iter().filter(|progress| progress.phase == "sync").count();
    let last = migration.finished.or_else(|| migration.history.last()?.finished).unwrap_or(migration.created);
    if let Some(fields) = view.as_object_mut() {
        for (name, value) in [
            ("id", id_of(&format!("migrations/{}/{}", migration.machine, migration.created)).into()),
            ("action", migration.phase.clone().into()),
            ("num_sync_phases", syncs.into()),
            ("owner_uuid", vm.map(|vm| vm.owner_uuid.clone()).into()),
            ("source_server_uuid", source.into()),
            ("target_server_uuid", target.into()),
            ("target_vm_uuid", migration.machine.clone().into()),
            ("duration_ms", last.saturating_sub(migration.created).into()),
        ] {
            fields.insert(name.to_owned(), value);
        }
    }
    view
}

/// The source and the target server of a migration. A switch moves the VM, and `target` then holds its old server.
fn servers<'a>(state: &'a State, migration: &'a Migration) -> (&'a str, &'a str) {
    let here = state.vms.get(&migration.machine).map_or("", |vm| vm.server_uuid.as_str());
    let switched = migration.history.iter().any(|step| step.phase == "switch" && step.state == "successful");
    let back = migration.phase == "rollback" && migration.state == "successful";
    if switched && !back { (&migration.target, here) } else { (here, &migration.target) }
}

/// A migration in the format that is asked for.
fn shown(call: &Call<'_>, migration: &Migration) -> Value {
    if call.text("format").as_deref() == Some("raw") { raw(call.state, migration) } else { view(migration) }
}

/// A whole number of at least `least`, if it is given.
fn number(call: &Call<'_>, name: &str, least: usize) -> Result<Option<usize>, Refusal> {
    let Some(text) = call.text(name) else { return Ok(None) };
    let words = format!("Not a valid number: number must be >= {least}");
    let number = text.parse().ok().filter(|number| *number >= least);
    number.map(Some).ok_or_else(|| invalid("Invalid Parameters", &[(name, "Invalid", words.as_str())]))
}

/// Newest first. The service ignores `state=active`.
fn list(call: &mut Call<'_>) -> Outcome {
    let (owner, vm) = (call.text("owner_uuid"), call.text("vm_uuid"));
    let state = call.text("state").filter(|state| state != "active");
    if state.as_deref().is_some_and(|state| !["running", "paused", "failed", "successful"].contains(&state)) {
        return Err(invalid("Invalid Parameters", &[("state", "Invalid", "")]));
    }
    let (from, to) = (call.text("source_server_uuid"), call.text("target_server_uuid"));
    let (limit, offset) = (number(call, "limit", 1)?.unwrap_or(usize::MAX), number(call, "offset", 0)?.unwrap_or(0));
    let fits = |migration: &&Migration| {
        let owned = call.state.vms.get(&migration.machine).map(|vm| vm.owner_uuid.as_str());
        let (source, target) = servers(call.state, migration);
        let over = migration.state == "successful";
        owner.as_deref().is_none_or(|owner| owned == Some(owner))
            && vm.as_deref().is_none_or(|vm| migration.machine == vm)
            && state.as_deref().is_none_or(|state| migration.state == state)
            && from.as_deref().is_none_or(|from| source == from || over && target == from)
            && to.as_deref().is_none_or(|to| target == to)
    };
    let mut found: Vec<&Migration> = call.state.migrations.iter().filter(fits).collect();
    found.sort_by_key(|migration| std::cmp::Reverse(migration.created));
    Ok(Reply::json(&found.into_iter().skip(offset).take(limit).map(|one| shown(call, one)).collect()))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Migration, Refusal> {
    let uuid = load(call)?.uuid.as_str();
    call.state.migration(uuid).ok_or_else(|| missing("migration not found"))
}

fn get(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&shown(call, find(call)?)))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let uuid = find(call)?.machine.clone();
    call.state.migrations.retain(|migration| migration.machine != uuid);
    Ok(Reply::empty(200))
}

/// Streams events, one a line, until the running step has ended.
fn watch(call: &mut Call<'_>) -> Outcome {
    let (mut watch, cloud) = (Watch::new(find(call)?), Arc::clone(call.cloud));
    Ok(Reply::lines(Box::new(PolledLines::new(move || cloud.look(|state| watch.news(state))))))
}

fn precondition(words: impl Into<String>) -> Refusal {
    Refusal::new(412, "PreconditionFailed", words)
}

/// A step of a migration.
pub(super) fn act(call: &mut Call<'_>) -> Outcome {
    let action = call.text("migration_action").unwrap_or_default();
    let automatic = call.params.get("migration_automatic").and_then(params::flag) == Some(true);
    let step = match action.as_str() {
        "begin" => Step::Begin,
        "sync" => Step::SYNC,
        "switch" => Step::Switch,
        "pause" => Step::Pause,
        "abort" => Step::Abort,
        "finalize" => Step::Finalize,
        "rollback" => Step::Rollback,
        "estimate" => {
            let size = bytes(load(call)?);
            let eta = size.saturating_mul(1000) / RATE;
            return Ok(Reply::json(&json!({ "size": size, "eta_ms": eta, "transfer_bytes_second": RATE })));
        }
        _ => return Err(Refusal::new(409, "InvalidArgument", "Invalid migration action")),
    };
    let vm = load(call)?;
    let uuid = vm.uuid.clone();
    if action == "begin" {
        if vm.tags.get("smartdc_type") == Some(&Value::from("core")) {
            return Err(precondition("Cannot migrate a core instance"));
        }
        if let Some(words) = call.state.migration(&uuid).map(Migration::in_the_way) {
            return Err(precondition(words));
        }
        let (machine, created) = (uuid.clone(), call.now);
        call.state.migrations.push(Migration { machine, automatic, created, ..Migration::default() });
    } else if let Some(words) = find(call)?.forbids(&action) {
        return Err(precondition(words));
    }
    let job = call.state.migrate(call.now, &uuid, step, &call.caller, call.fails.clone());
    let asked = requester(call);
    if let Some(job) = call.state.jobs.iter_mut().find(|other| other.uuid == job) {
        job.asked = asked;
    }
    if action == "finalize" {
        return Ok(Reply::empty(200));
    }
    let shown = call.state.migration(&uuid).map(view).unwrap_or_default();
    Ok(Reply::status(202, &json!({ "job_uuid": job, "migration": shown })))
}
