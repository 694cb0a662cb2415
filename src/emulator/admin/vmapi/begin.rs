//! How what is done to VMs is begun and answered: as a job.

use serde_json::{Map, Value, json};

use super::super::call::Call;
use super::super::held::{failure, until_ended};
use super::invalid;
use crate::emulator::datacenter::jobs::QUEUED;
use crate::emulator::datacenter::state::{Job, State, Work};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Refusal, Reply};

/// The parameters of a job that say who asked for it, and by which request.
pub(super) fn requester(call: &Call<'_>) -> Map<String, Value> {
    // The body of a metadata route holds only pairs, so a key `origin` there is a pair.
    let given = if call.path.contains_key("kind") { &call.query } else { &call.params };
    let named = ["creator_uuid", "origin"].map(|name| (name, given.get(name).and_then(params::text)));
    let request = ("x-request-id", call.head.get("x-request-id").or_else(|| call.head.get("request-id")));
    let all = named.into_iter().chain([request]);
    all.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
}

/// Starts a job, and returns its id. The id of the request is a parameter, so that only the same request is refused.
pub(super) fn started(
    call: &mut Call<'_>,
    vm: &str,
    work: Work,
    mut asked: Map<String, Value>,
) -> Result<String, Refusal> {
    asked.extend(requester(call));
    let job =
        Job { fails: call.fails.clone(), asked, ..Job::new(call.now, call.now, 0, vm, work, call.caller.clone()) };
    if job.asked.contains_key("x-request-id") && call.state.jobs.iter().any(|other| other.is_like(&job)) {
        return Err(Refusal::invalid(QUEUED));
    }
    Ok(call.state.ask(call.now, job))
}

/// The answer to what is done by a job.
pub(super) fn accepted(call: &Call<'_>, vm: &str, job: &str) -> Reply {
    begun(call.state, vm, job)
}

fn begun(state: &State, vm: &str, job: &str) -> Reply {
    Reply::status(202, &json!({ "vm_uuid": vm, "job_uuid": job })).header("workflow-api", state.workflow_url())
}

/// The same; for those who ask for it with `sync`, when the job has ended, and otherwise its error.
pub(super) fn answered(call: &Call<'_>, vm: &str, job: &str) -> Reply {
    if call.params.get("sync").and_then(params::flag) != Some(true) {
        return accepted(call, vm, job);
    }
    let vm = vm.to_owned();
    until_ended(call, job, move |state, job, _| match failure(job) {
        Some(words) => Err(Refusal::new(500, "Error", words)),
        None => Ok(begun(state, &vm, &job.uuid)),
    })
}

/// Refuses a `sync` that is neither true nor false.
pub(super) fn check_sync(call: &Call<'_>) -> Result<(), Refusal> {
    match call.params.get("sync").map(params::flag) {
        Some(None) => Err(invalid("Invalid Parameters", &[("sync", "Invalid", "")])),
        _ => Ok(()),
    }
}
