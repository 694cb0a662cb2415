//! Jobs as VMAPI shows them: less of each than the workflow service does.

use serde_json::{Map, Value};

use super::super::call::{Call, Route, missing, route};
use super::super::held::{failure, until_ended};
use super::super::job_filter::{execution, is_about};
use super::load;
use crate::emulator::datacenter::state::{Job, State};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/jobs", &["ListJobs"], list),
    route("GET", "/jobs/:job_uuid", &["GetJob"], get),
    route("GET", "/jobs/:job_uuid/wait", &["WaitJob"], wait),
    route("GET", "/vms/:uuid/jobs", &["ListVmJobs"], of_vm),
];

fn shown(state: &State, job: &Job, now: i64) -> Option<Value> {
    state.job_brief(job, now).map(Value::Object)
}

/// The jobs that the filters let through; others are dropped without a word, `limit` and `offset` among them.
fn filtered(call: &Call<'_>, vm: Option<&str>) -> Outcome {
    let execution = execution(call)?;
    let (task, named) = (call.text("task"), call.text("vm_uuid"));
    let vm = vm.or(named.as_deref());
    let rows = call.state.all_jobs().into_iter().filter(|job| {
        is_about(job, task.as_deref(), vm) && execution.as_deref().is_none_or(|execution| job.execution() == execution)
    });
    Ok(Reply::json(&rows.take(1000).filter_map(|job| shown(call.state, job, call.now)).collect()))
}

fn list(call: &mut Call<'_>) -> Outcome {
    filtered(call, None)
}

pub(super) fn of_vm(call: &mut Call<'_>) -> Outcome {
    let uuid = load(call)?.uuid.clone();
    filtered(call, Some(&uuid))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Job, Refusal> {
    let uuid = call.part("job_uuid");
    call.state.job(&uuid).ok_or_else(|| missing(format!("Job with uuid '{uuid}' does not exist")))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let job = find(call)?;
    Ok(Reply::json(&shown(call.state, job, call.now).unwrap_or(Value::Object(Map::new()))))
}

/// The job when it has ended well, and otherwise its error.
fn wait(call: &mut Call<'_>) -> Outcome {
    let job = find(call)?.uuid.clone();
    Ok(until_ended(call, &job, |state, job, now| match failure(job) {
        Some(words) => Err(Refusal::new(500, "Error", words)),
        None => Ok(Reply::json(&shown(state, job, now).unwrap_or_default())),
    }))
}
