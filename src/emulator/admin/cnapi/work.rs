//! What servers do for jobs: the tasks that steps of jobs began. They follow from the jobs.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::super::held::until;
use super::wrong;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::{Job, State, id_of};
use crate::emulator::http::reply::{Outcome, Reply};

pub(super) static ROUTES: &[Route] =
    &[route("GET", "/tasks/:taskid", &["TaskGet"], task), route("GET", "/tasks/:taskid/wait", &["TaskWait"], wait)];

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
fn begun<'a>(state: &'a State, id: &str, now: i64) -> Option<(&'a Job, &'static str)> {
    let mut all = state.all_jobs().into_iter().filter(|job| job.end.is_some() || job.begins <= now);
    all.find_map(|job| {
        let steps = job.work.chain()?.steps.iter().enumerate();
        steps
            .filter_map(|(at, step)| Some((at, TASKS.iter().find(|(begins, _)| begins == step)?.1)))
            .find_map(|(at, name)| (id_of(&format!("{}/{at}", job.uuid)) == id).then_some((job, name)))
    })
}

/// A task, and whether it is over. One that failed is told of with 200 too.
fn view(state: &State, id: &str, now: i64) -> Option<(Value, bool)> {
    let (job, name) = begun(state, id, now)?;
    let server = state.vms.get(&job.vm_uuid).map(|vm| state.server_of(vm)).unwrap_or_default();
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
    Some((Value::Object(view), job.end.is_some()))
}

fn task(call: &mut Call<'_>) -> Outcome {
    let found = view(call.state, &call.part("taskid"), call.now);
    found.map(|(task, _)| Reply::json(&task)).ok_or_else(|| missing("no such task found"))
}

/// The task when it is over, or as it is after so many seconds.
fn wait(call: &mut Call<'_>) -> Outcome {
    let seconds = match call.text("timeout").map(|text| text.parse::<u32>()) {
        None => 3600,
        Some(Ok(seconds)) => seconds,
        Some(Err(_)) => return Err(wrong(500, "timeout", "value was not a number")),
    };
    task(call)?;
    let (id, latest) = (call.part("taskid"), call.now.saturating_add(i64::from(seconds).saturating_mul(1000)));
    Ok(until(call, Duration::from_secs(u64::from(seconds)), move |state, now, over| match view(state, &id, now) {
        None => Some(Err(missing("no such task found"))),
        Some((task, ended)) => (ended || over || now >= latest).then(|| Ok(Reply::json(&task))),
    }))
}
