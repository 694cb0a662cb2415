//! Workflows that a program has brought, and their jobs. The emulator keeps their code and runs none of it: each step of
//! a job is over after a moment, and has gone well, or waits to be resumed where its code hands on 'wait'.

use serde_json::{Map, Value, json};

use super::super::call::{Call, missing};
use super::{shown, unknown_workflow};
use crate::emulator::datacenter::chains;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::jobs::QUEUED;
use crate::emulator::datacenter::state::{OwnJob, Resumed, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

/// What is said of a job that cannot be resumed.
pub(super) const NOT_WAITING: &str = "Only waiting jobs can be resumed";
/// How long a step takes, in milliseconds.
const STEP: i64 = 100;
/// So many workflows and jobs are kept.
const MAX: usize = 1000;
/// What of a job's body is no parameter of it.
const OF_JOB: &[&str] = &["workflow", "exec_after", "num_attempts", "locks"];

fn conflict(words: impl Into<String>) -> Refusal {
    Refusal::new(409, "ConflictError", words)
}

/// Its steps, with an id each.
fn steps(fields: &Map<String, Value>, name: &str) -> Vec<Value> {
    let steps = fields.get(name).and_then(Value::as_array).into_iter().flatten();
    let named = steps.filter_map(Value::as_object).map(|step| {
        let mut step = step.clone();
        step.entry("uuid").or_insert_with(|| new_id().into());
        Value::Object(step)
    });
    named.collect()
}

/// A workflow of these fields.
fn workflow(uuid: &str, fields: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::new();
    kept.insert("uuid".to_owned(), uuid.into());
    for name in ["name", "version", "initial_delay", "max_delay"] {
        if let Some(value) = fields.get(name) {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["chain", "onerror", "oncancel"] {
        if name == "chain" || fields.contains_key(name) {
            kept.insert(name.to_owned(), steps(fields, name).into());
        }
    }
    let number = |name: &str, usual: u64| fields.get(name).and_then(Value::as_u64).unwrap_or(usual);
    kept.insert("timeout".to_owned(), number("timeout", 3600).into());
    kept.insert("max_attempts".to_owned(), number("max_attempts", 10).into());
    kept
}

fn name_of(workflow: &Map<String, Value>) -> &str {
    workflow.get("name").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn uuid_of(workflow: &Map<String, Value>) -> &str {
    workflow.get("uuid").and_then(Value::as_str).unwrap_or_default()
}

fn named(call: &Call<'_>, fields: &Map<String, Value>, but: &str) -> Result<(), Refusal> {
    let name = name_of(fields);
    if name.is_empty() {
        return Err(conflict("Workflow.name is required"));
    }
    let own = call.state.operators.workflows.iter().any(|known| name_of(known) == name && uuid_of(known) != but);
    if own || chains::all().iter().any(|chain| chain.name() == name) {
        let words = format!("Workflow.name must be unique. A workflow with name \"{name}\" already exists");
        return Err(conflict(words));
    }
    Ok(())
}

/// CreateWorkflow.
pub(super) fn create(call: &mut Call<'_>) -> Outcome {
    let fields = call.fields();
    named(call, &fields, "")?;
    let made = workflow(&new_id(), &fields);
    let uuid = uuid_of(&made).to_owned();
    let all = &mut call.state.operators.workflows;
    if all.len() >= MAX {
        return Err(conflict("There are too many workflows"));
    }
    all.push(made.clone());
    Ok(Reply::status(201, &Value::Object(made)).header("Location", format!("/workflows/{uuid}")))
}

/// The place of one of these, for what changes it.
fn place(call: &Call<'_>) -> Result<usize, Refusal> {
    let uuid = call.part("uuid");
    if chains::all().iter().any(|chain| chain.uuid() == uuid) {
        return Err(conflict("The emulator's own workflows cannot be changed"));
    }
    let at = call.state.operators.workflows.iter().position(|known| uuid_of(known) == uuid);
    at.ok_or_else(|| unknown_workflow(&uuid))
}

/// UpdateWorkflow.
pub(super) fn update(call: &mut Call<'_>) -> Outcome {
    let (at, changes) = (place(call)?, call.fields());
    let Some(mut fields) = call.state.operators.workflows.get(at).cloned() else { return Err(missing("")) };
    let uuid = uuid_of(&fields).to_owned();
    fields.extend(changes);
    named(call, &fields, &uuid)?;
    let changed = workflow(&uuid, &fields);
    if let Some(known) = call.state.operators.workflows.get_mut(at) {
        known.clone_from(&changed);
    }
    Ok(Reply::json(&Value::Object(changed)))
}

/// DeleteWorkflow.
pub(super) fn delete(call: &mut Call<'_>) -> Outcome {
    let at = place(call)?;
    call.state.operators.workflows.remove(at);
    Ok(Reply::empty(204))
}

/// CreateJob.
pub(super) fn create_job(call: &mut Call<'_>) -> Outcome {
    let fields = call.fields();
    let Some(wanted) = fields.get("workflow").and_then(Value::as_str).map(str::to_owned) else {
        return Err(conflict("\"j.workflow\" is required"));
    };
    if let Some(chain) = chains::all().iter().find(|chain| chain.uuid() == wanted) {
        return Err(conflict(format!("Jobs of {} begin in their own service here", chain.name())));
    }
    let known = call.state.operators.workflows.iter().find(|known| uuid_of(known) == wanted).cloned();
    let workflow = known.ok_or_else(|| unknown_workflow(&wanted))?;
    let params: Map<String, Value> = fields.into_iter().filter(|(name, _)| !OF_JOB.contains(&name.as_str())).collect();
    let now = call.now;
    let same = |job: &&OwnJob| job.params == params && uuid_of(&job.workflow) == wanted;
    if call.state.operators.own_jobs.iter().filter(same).any(|job| is_under_way(job, now)) {
        return Err(Refusal::invalid(QUEUED));
    }
    let job = OwnJob { uuid: new_id(), workflow, params, created: now, canceled: None, resumed: Vec::new() };
    // It is queued for a moment.
    let mut view = view(&job, now);
    view.insert("execution".to_owned(), "queued".into());
    let location = format!("/jobs/{}", job.uuid);
    let jobs = &mut call.state.operators.own_jobs;
    if jobs.len() >= MAX {
        jobs.remove(0);
    }
    jobs.push(job);
    Ok(Reply::status(201, &Value::Object(view)).header("Location", location))
}

fn chain(job: &OwnJob) -> &[Value] {
    job.workflow.get("chain").and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

/// Whether the code of a step hands on 'wait': its job goes on when somebody resumes it.
fn waits(step: &Value) -> bool {
    let code = step.get("body").and_then(Value::as_str).unwrap_or_default();
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    [",'wait')", ",\"wait\")", ",`wait`)"].iter().any(|ending| code.contains(ending))
}

/// How far a job is.
struct Progress {
    execution: &'static str,
    results: Vec<Value>,
    /// When it began to be as it is, or now while it runs, in milliseconds since 1970.
    until: i64,
}

impl Progress {
    fn of(job: &OwnJob, now: i64) -> Progress {
        let until = job.canceled.unwrap_or(now);
        let ended = if job.canceled.is_some() { "canceled" } else { "running" };
        let mut all = Progress { execution: ended, results: Vec::new(), until };
        let mut told = job.resumed.iter();
        let mut time = job.created;
        for step in chain(job) {
            let (began, done) = (time, time.saturating_add(STEP));
            if until < done {
                return all;
            }
            time = done;
            let told = waits(step).then(|| told.next());
            let (result, error) = match &told {
                None => (json!("OK"), json!("")),
                Some(None) => (json!("wait"), json!("")),
                Some(Some(told)) => {
                    time = told.at;
                    (told.result.clone(), told.error.clone())
                }
            };
            let failed = error != "";
            all.results.push(json!({
                "result": result,
                "error": error,
                "name": step.get("name"),
                "started_at": iso(began),
                "finished_at": iso(time),
            }));
            if job.canceled.is_none() && matches!(told, Some(None)) {
                return Progress { execution: "waiting", until: time, ..all };
            }
            if failed {
                return Progress { execution: "failed", until: time, ..all };
            }
        }
        match job.canceled {
            Some(_) => all,
            None => Progress { execution: "succeeded", until: time, ..all },
        }
    }
}

fn is_under_way(job: &OwnJob, now: i64) -> bool {
    matches!(Progress::of(job, now).execution, "running" | "waiting")
}

/// The job of this id.
pub(super) fn find<'a>(call: &'a Call<'_>, uuid: &str) -> Option<&'a OwnJob> {
    call.state.operators.own_jobs.iter().find(|job| job.uuid == uuid)
}

/// Ends it at once.
pub(super) fn cancel(call: &mut Call<'_>, uuid: &str) -> Outcome {
    let now = call.now;
    let job = call.state.operators.own_jobs.iter_mut().find(|job| job.uuid == uuid);
    let Some(job) = job else { return Err(missing("")) };
    if job.canceled.is_none() && !is_under_way(job, now) {
        return Err(conflict("Finished jobs cannot be canceled"));
    }
    job.canceled.get_or_insert(now);
    Ok(Reply::json(&Value::Object(view(job, now))))
}

/// Tells a step that waits how it has ended: the job is queued again, or has failed.
pub(super) fn resume(call: &mut Call<'_>, uuid: &str) -> Outcome {
    let (now, fields) = (call.now, call.fields());
    let job = call.state.operators.own_jobs.iter_mut().find(|job| job.uuid == uuid);
    let Some(job) = job else { return Err(missing("")) };
    if Progress::of(job, now).execution != "waiting" {
        return Err(conflict(NOT_WAITING));
    }
    let said = |name: &str| fields.get(name).filter(|value| !js::falsy(value)).cloned();
    let error = said("error");
    let usual = if error.is_some() { "" } else { "External task: OK" };
    let result = said("result").unwrap_or_else(|| usual.into());
    let execution = if error.is_some() { "failed" } else { "queued" };
    job.resumed.push(Resumed { at: now, result, error: error.unwrap_or_else(|| "".into()) });
    let mut view = view(job, now);
    // It is queued for a moment.
    view.insert("execution".to_owned(), execution.into());
    Ok(Reply::json(&Value::Object(view)))
}

/// The job as the service shows it.
pub(super) fn view(job: &OwnJob, now: i64) -> Map<String, Value> {
    let Progress { execution, results, until } = Progress::of(job, now);
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("uuid", job.uuid.clone().into());
    put("workflow_uuid", uuid_of(&job.workflow).into());
    for name in ["name", "version", "chain", "onerror", "timeout", "max_attempts"] {
        if let Some(value) = job.workflow.get(name) {
            put(name, value.clone());
        }
    }
    put("execution", execution.into());
    for name in ["vm_uuid", "server_uuid", "image_uuid", "creator_uuid", "origin", "task", "target"] {
        if let Some(value) = job.params.get(name) {
            put(name, value.clone());
        }
    }
    put("params", Value::Object(job.params.clone()));
    put("chain_results", results.into());
    put("num_attempts", 0.into());
    put("created_at", iso(job.created).into());
    put("exec_after", iso(job.created).into());
    let elapsed = u32::try_from(until.saturating_sub(job.created)).unwrap_or(u32::MAX);
    put("elapsed", json!(f64::from(elapsed) / 1000.0));
    put("runner_id", Value::Null);
    view
}

/// All workflows, the emulator's own first.
pub(super) fn all(call: &Call<'_>) -> Vec<Value> {
    let own = call.state.operators.workflows.iter().cloned().map(Value::Object);
    chains::all().iter().map(shown).chain(own).collect()
}
