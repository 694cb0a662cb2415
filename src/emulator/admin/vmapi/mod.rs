//! VMAPI: the VMs of all accounts, what is done to them, and their jobs.

mod actions;
mod begin;
mod create;
mod fields;
mod jobs;
mod list;
mod metadata;
mod migrations;
mod view;

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::Kind;
use super::call::{Call, Route, is_lower_uuid, missing, route};
use crate::emulator::datacenter::state::{State, Vm};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static VMAPI: Kind = Kind {
    name: "vmapi",
    routes: &[
        ROUTES,
        list::ROUTES,
        create::ROUTES,
        actions::ROUTES,
        jobs::ROUTES,
        migrations::ROUTES,
        metadata::ROUTES,
    ],
    versions: &[(1, 0, 0)],
    default_version: "*",
    body_wins: false,
    request_id: false,
};

static ROUTES: &[Route] = &[
    route("GET", "/ping", &["Ping"], ping),
    route("GET", "/vms/:uuid", &["GetVm", "HeadVm"], get),
    route("GET", "/vms/:uuid/proc", &["GetVmProc"], processes),
    route("GET", "/statuses", &["ListStatuses"], statuses),
];

fn ping(_: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&json!({
        "dataMigrations": { "latestCompletedMigrations": { "vms": 1, "server_vms": 1, "vm_role_tags": 1 } },
        "healthy": true,
        "initialization": { "moray": { "status": "BUCKETS_REINDEX_DONE" } },
        "pid": std::process::id(),
        "pingErrors": {},
        "status": "OK",
        "services": { "moray": "online", "wfapi": "online" },
    })))
}

/// 409 `ValidationFailed` about fields: each with its name, a code, and words where there are any.
pub(super) fn invalid(words: &str, errors: &[(&str, &str, &str)]) -> Refusal {
    errors.iter().fold(Refusal::new(409, "ValidationFailed", words), |all, (field, code, message)| {
        let message = if message.is_empty() && *code == "Invalid" { "Invalid parameter" } else { message };
        all.field(field, code, message)
    })
}

/// The VM that the call's path names; 404 for those of another owner than the query names.
pub(super) fn load<'a>(call: &'a Call<'_>) -> Result<&'a Vm, Refusal> {
    let uuid = call.part("uuid");
    if !is_lower_uuid(&uuid) {
        return Err(invalid("Invalid Parameters", &[("uuid", "Invalid", "Invalid UUID")]));
    }
    let owner = call.text("owner_uuid");
    if owner.as_deref().is_some_and(|owner| !is_lower_uuid(owner)) {
        return Err(invalid("Invalid Parameters", &[("owner_uuid", "Invalid", "Invalid UUID")]));
    }
    let found = call.state.vms.get(&uuid).filter(|vm| owner.as_deref().is_none_or(|owner| owner == vm.owner_uuid));
    if found.is_none() && call.state.volumes.iter().any(|volume| volume.zone_id() == uuid) {
        // Ours: such a zone follows from its volume.
        let words = "The VM serves a volume, and is changed and deleted with it";
        return Err(Refusal::new(409, "ConflictError", words));
    }
    found.ok_or_else(|| missing("VM not found"))
}

/// The same to look at it alone, which may be a zone that serves a volume.
fn seen<'a>(call: &'a Call<'_>) -> Result<Cow<'a, Vm>, Refusal> {
    let uuid = call.part("uuid");
    let zone = call.state.storage_zones().into_iter().find(|zone| zone.uuid == uuid);
    match zone.filter(|zone| call.text("owner_uuid").is_none_or(|owner| owner == zone.owner_uuid)) {
        Some(zone) => Ok(Cow::Owned(zone)),
        None => load(call).map(Cow::Borrowed),
    }
}

fn get(call: &mut Call<'_>) -> Outcome {
    let fields = call.list("fields");
    Ok(Reply::json(&Value::Object(shown(call.state, seen(call)?.as_ref(), fields.as_deref()))))
}

/// A VM with the fields that are asked for. Role tags are shown only on request.
fn shown(state: &State, vm: &Vm, fields: Option<&[String]>) -> Map<String, Value> {
    let mut shown = view::vm(state, vm);
    if let Some(fields) = fields {
        let all = fields.iter().any(|field| field == "*");
        if all || fields.iter().any(|field| field == "role_tags") {
            shown.insert("role_tags".to_owned(), metadata::roles_on(state, vm).into());
        }
        shown.retain(|name, _| all || fields.contains(name));
    }
    shown
}

/// The processes of a VM that runs, as its server lists them.
fn processes(call: &mut Call<'_>) -> Outcome {
    let vm = load(call)?;
    if call.state.is_lost(&vm.server_uuid) {
        let words = "Operation attempted on server which is not running";
        return Err(Refusal::new(409, "ServerNotRunning", words));
    }
    if vm.state != "running" {
        return Err(Refusal::new(409, "VmNotRunning", "VM is not running"));
    }
    let process = |pid: u32, parent: u32, name: &str, arguments: &str| {
        json!({ "psinfo": {
            "pr_pid": pid, "pr_ppid": parent, "pr_uid": 0, "pr_gid": 0, "pr_size": 2_457_600, "pr_rssize": 1_638_400,
            "pr_start": vm.create_timestamp / 1000, "pr_fname": name, "pr_psargs": arguments, "pr_pctcpu": 0,
            "pr_pctmem": 0,
        } })
    };
    let rows = [
        process(1, 0, "init", "/sbin/init"),
        process(4, 1, "svc.startd", "/lib/svc/bin/svc.startd"),
        process(6, 1, "svc.configd", "/lib/svc/bin/svc.configd"),
    ];
    Ok(Reply::json(&Value::from_iter(rows)))
}

fn statuses(call: &mut Call<'_>) -> Outcome {
    let uuids = call.list("uuids").filter(|uuids| !uuids.is_empty());
    let Some(uuids) = uuids else { return Err(Refusal::new(409, "MissingParameter", "uuids is required")) };
    let zones = call.state.storage_zones();
    let of = |uuid: &String| call.state.vms.get(uuid).or_else(|| zones.iter().find(|zone| zone.uuid == *uuid));
    let found = uuids.iter().filter_map(of);
    let map: Map<String, Value> = found.map(|vm| (vm.uuid.clone(), vm.state.clone().into())).collect();
    Ok(Reply::json(&Value::Object(map)))
}
