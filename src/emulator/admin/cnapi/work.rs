//! What servers do for jobs: the tasks that steps of jobs began, and the tickets that keep jobs of one VM apart. Both
//! follow from the jobs.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::servers::find;
use super::{page, strict};
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::{Job, State, id_of};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/tasks/:taskid", &["TaskGet"], task),
    route("GET", "/servers/:server_uuid/tickets", &["ServerWaitlistList"], tickets),
    route("GET", "/tickets/:ticket_uuid", &["ServerWaitlistGetTicket"], ticket),
];

/// The names of the tasks, by the steps that begin them.
const TASKS: &[(&str, &str)] = &[
    ("cnapi.provision_vm", "machine_create"),
    ("cnapi.start_vm", "machine_boot"),
    ("cnapi.stop_vm", "machine_shutdown"),
    ("cnapi.reboot_vm", "machine_reboot"),
    ("cnapi.kill_vm", "machine_kill"),
    ("cnapi.update_vm", "machine_update"),
    ("cnapi.destroy_vm", "machine_destroy"),
    ("cnapi.reprovision_vm", "machine_reprovision"),
    ("cnapi.snapshot_vm", "machine_create_snapshot"),
    ("cnapi.rollback_vm", "machine_rollback_snapshot"),
];

/// The job that began a task, and the task's name.
fn begun<'a>(state: &'a State, id: &str) -> Option<(&'a Job, &'static str)> {
    state.all_jobs().into_iter().find_map(|job| {
        let steps = job.work.chain()?.steps.iter().enumerate();
        steps
            .filter_map(|(at, step)| Some((at, TASKS.iter().find(|(begins, _)| begins == step)?.1)))
            .find_map(|(at, name)| (id_of(&format!("{}/{at}", job.uuid)) == id).then_some((job, name)))
    })
}

/// A task. One that failed is told of with 200 too.
fn task(call: &mut Call<'_>) -> Outcome {
    let id = call.part("taskid");
    let Some((job, name)) = begun(call.state, &id) else { return Err(missing("no such task found")) };
    let server = call.state.vms.get(&job.vm_uuid).map(|vm| call.state.server_of(vm)).unwrap_or_default();
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("id", id.into());
    put("req_id", job.request_id().into());
    put("task", name.into());
    put("server_uuid", server.into());
    put("timestamp", iso(job.begins).into());
    let event = |name: &str, at: i64, event: Value| json!({ "name": name, "timestamp": iso(at), "event": event });
    match &job.end {
        None => put("status", "active".into()),
        Some(end) => {
            let failed = end.execution != "succeeded";
            put("status", if failed { "failure" } else { "complete" }.into());
            let error = end.failure.as_ref().map(|failure| match &failure.error {
                Value::Object(error) => error.get("message").cloned().unwrap_or_default(),
                text => text.clone(),
            });
            let mut history = Vec::new();
            if failed {
                let words = error.unwrap_or_else(|| "the task was canceled".into());
                history.push(event("error", end.at, json!({ "error": { "message": words } })));
            }
            history.push(event("finish", end.at, json!({})));
            put("history", history.into());
        }
    }
    Ok(Reply::json(&Value::Object(view)))
}

/// The ticket of a job that works on a VM, or waits until another one does not.
fn of_job(state: &State, job: &Job, now: i64) -> Option<Value> {
    let chain = job.work.chain().filter(|_| job.work.takes_ticket() && job.end.is_none())?;
    let server = state.server_of(state.vms.get(&job.vm_uuid)?);
    Some(json!({
        "uuid": id_of(&format!("{}/ticket", job.uuid)),
        "server_uuid": server,
        "scope": "vm",
        "id": job.vm_uuid,
        "action": chain.task,
        "status": if job.begins <= now { "active" } else { "queued" },
        "expires_at": iso(job.created.saturating_add(600_000)),
        "created_at": iso(job.created),
        "updated_at": iso(job.begins.min(now)),
        "reqid": job.request_id(),
        "extra": { "workflow_job_uuid": job.uuid, "owner_uuid": state.vms.get(&job.vm_uuid).map(|vm| &vm.owner_uuid) },
    }))
}

/// Oldest first.
fn all(state: &State, now: i64) -> Vec<Value> {
    state.all_jobs().into_iter().rev().filter_map(|job| of_job(state, job, now)).collect()
}

fn tickets(call: &mut Call<'_>) -> Outcome {
    strict(call, &["limit", "offset", "attribute", "order"])?;
    let server = match call.part("server_uuid").as_str() {
        "default" => "default".to_owned(),
        _ => find(call)?.uuid.clone(),
    };
    let mut rows: Vec<Value> =
        all(call.state, call.now).into_iter().filter(|one| one["server_uuid"] == server.as_str()).collect();
    let attribute = call.text("attribute").unwrap_or_else(|| "created_at".to_owned());
    rows.sort_by_key(|row| row.get(&attribute).and_then(Value::as_str).unwrap_or_default().to_owned());
    if call.text("order").is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
        rows.reverse();
    }
    Ok(Reply::json(&page(call, rows)?.into()))
}

fn ticket(call: &mut Call<'_>) -> Outcome {
    let uuid = call.part("ticket_uuid");
    let found = all(call.state, call.now).into_iter().find(|one| one["uuid"] == uuid.as_str());
    let unknown = || -> Refusal { missing(format!("ticket {uuid} not found")) };
    found.map(|ticket| Reply::json(&ticket)).ok_or_else(unknown)
}
