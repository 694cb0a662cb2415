//! Jobs as VMAPI shows them: less of each than the workflow service does.

use serde_json::{Map, Value};

use super::super::call::{Call, Route, missing, route};
use super::load;
use crate::emulator::datacenter::state::Job;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/jobs", &["ListJobs"], list),
    route("GET", "/jobs/:job_uuid", &["GetJob"], get),
    route("GET", "/jobs/:job_uuid/wait", &["WaitJob"], wait),
    route("GET", "/vms/:uuid/jobs", &["ListVmJobs"], of_vm),
];

const SHOWN: &[&str] = &["name", "uuid", "execution", "params", "exec_after", "created_at", "timeout", "chain_results"];

/// What can be asked for by execution.
const EXECUTIONS: &[&str] = &["queued", "failed", "succeeded", "running", "canceled"];

fn shown(call: &Call<'_>, job: &Job) -> Option<Value> {
    let mut view = call.state.job_view(job, call.now)?;
    view.retain(|name, _| SHOWN.contains(&name.as_str()));
    Some(Value::Object(view))
}

/// The jobs that the filters let through; others are dropped without a word, `limit` and `offset` among them.
fn filtered(call: &Call<'_>, vm: Option<&str>) -> Outcome {
    let execution = call.text("execution");
    if execution.as_deref().is_some_and(|execution| !EXECUTIONS.contains(&execution)) {
        let words = "Execution must be one of queued, failed, succeeded, canceled or running";
        return Err(Refusal::new(409, "ConflictError", words));
    }
    let (task, named) = (call.text("task"), call.text("vm_uuid"));
    let vm = vm.or(named.as_deref());
    let rows = call.state.all_jobs().into_iter().filter(|job| {
        let chain = job.work.chain();
        vm.is_none_or(|vm| job.vm_uuid == vm)
            && task.as_deref().is_none_or(|task| chain.is_some_and(|chain| chain.task == task))
            && execution.as_deref().is_none_or(|execution| job.execution() == execution)
    });
    Ok(Reply::json(&rows.take(1000).filter_map(|job| shown(call, job)).collect()))
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
    Ok(Reply::json(&shown(call, job).unwrap_or(Value::Object(Map::new()))))
}

/// The job when it has ended well, and otherwise its error. It is not held here until then: whoever asks too early gets
/// the job as it is.
fn wait(call: &mut Call<'_>) -> Outcome {
    let job = find(call)?;
    let view = call.state.job_view(job, call.now).unwrap_or_default();
    let name = view.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let failure = job.end.as_ref().and_then(|end| end.failure.as_ref());
    let words = match (job.execution(), failure.map(|failure| (&failure.step, &failure.error))) {
        ("canceled", _) => format!("Job {name} was canceled"),
        ("failed", Some((_, Value::Object(error)))) => {
            error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
        }
        ("failed", Some((step, error))) => {
            format!("job {name} ({}) failed: {step}: {}", job.uuid, error.as_str().unwrap_or_default())
        }
        _ => return Ok(Reply::json(&shown(call, job).unwrap_or_default())),
    };
    Err(Refusal::new(500, "Error", words))
}
