//! Filters on jobs that VMAPI and the workflow service have in common.

use super::call::Call;
use crate::emulator::datacenter::state::Job;
use crate::emulator::http::reply::Refusal;

/// The executions that a list can be filtered by.
pub(super) const EXECUTIONS: &[&str] = &["queued", "failed", "succeeded", "canceled", "running"];

/// The execution that a list is filtered by.
pub(super) fn execution(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let execution = call.text("execution");
    if execution.as_deref().is_some_and(|execution| !EXECUTIONS.contains(&execution)) {
        let words = "Execution must be one of queued, failed, succeeded, canceled or running";
        return Err(Refusal::new(409, "ConflictError", words));
    }
    Ok(execution)
}

/// Whether a job has this task and this VM, where they are given.
pub(super) fn is_about(job: &Job, task: Option<&str>, vm: Option<&str>) -> bool {
    let chain = job.work.chain();
    vm.is_none_or(|vm| job.vm_uuid == vm) && task.is_none_or(|task| chain.is_some_and(|chain| chain.task == task))
}
