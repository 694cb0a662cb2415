//! The workflow service: workflows, and the jobs that are theirs. Those that programs bring are `own`'s.

mod own;

use serde_json::{Map, Value, json};

use super::Kind;
use super::call::{Call, Route, missing, route};
use super::job_filter::{EXECUTIONS, execution, is_about};
use crate::emulator::datacenter::chains::Chain;
use crate::emulator::datacenter::jobs::view::MAX_ATTEMPTS;
use crate::emulator::datacenter::state::Job;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::text::glob;

pub(super) static WORKFLOW: Kind = Kind {
    name: "workflow",
    routes: &[ROUTES],
    versions: &[(0, 1, 0)],
    default_version: "*",
    body_wins: true,
    request_id: true,
};

static ROUTES: &[Route] = &[
    route("GET", "/ping", &["Ping"], ping),
    route("GET", "/workflows", &["ListWorkflows"], workflows),
    route("POST", "/workflows", &["CreateWorkflow"], own::create),
    route("GET", "/workflows/:uuid", &["GetWorkflow"], workflow),
    route("PUT", "/workflows/:uuid", &["UpdateWorkflow"], own::update),
    route("DELETE", "/workflows/:uuid", &["DeleteWorkflow"], own::delete),
    route("GET", "/jobs", &["ListJobs"], list),
    route("POST", "/jobs", &["CreateJob"], own::create_job),
    route("GET", "/jobs/:uuid", &["GetJob"], get),
    route("POST", "/jobs/:uuid/cancel", &["CancelJob"], cancel),
    route("POST", "/jobs/:uuid/resume", &["ResumeJob"], resume),
    route("GET", "/jobs/:uuid/info", &["GetJobInfo"], info),
    route("POST", "/jobs/:uuid/info", &["PostJobInfo"], post_info),
    route("GET", "/stats", &["Stats"], stats),
];

/// A job keeps at most this many notes, the newest ones.
const MAX_INFOS: usize = 100;

fn ping(_: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&json!({ "pid": std::process::id(), "backend": "up" })))
}

fn shown(chain: &Chain) -> Value {
    json!({
        "uuid": chain.uuid(),
        "name": chain.name(),
        "version": chain.version,
        "chain": chain.view(),
        "onerror": chain.onerror_view(),
        "timeout": chain.timeout,
        "max_attempts": MAX_ATTEMPTS,
        "chain_md5": chain.digest(),
    })
}

fn workflows(call: &mut Call<'_>) -> Outcome {
    let name = call.text("name");
    let called = |workflow: &Value| workflow.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let fits = |workflow: &Value| name.as_deref().is_none_or(|name| glob(name, &called(workflow)));
    Ok(Reply::json(&own::all(call).into_iter().filter(fits).collect()))
}

fn unknown_workflow(uuid: &str) -> Refusal {
    missing(format!("Workflow with uuid '{uuid}' does not exist"))
}

fn workflow(call: &mut Call<'_>) -> Outcome {
    let uuid = call.part("uuid");
    let found = own::all(call).into_iter().find(|workflow| workflow["uuid"] == uuid.as_str());
    found.map(|workflow| Reply::json(&workflow)).ok_or_else(|| unknown_workflow(&uuid))
}

/// A number of rows, if it is given as one.
fn number(call: &Call<'_>, name: &str) -> Option<usize> {
    call.text(name)?.parse().ok()
}

/// A time as ISO 8601 or in milliseconds; one that cannot be read is not looked at.
fn time(call: &Call<'_>, name: &str) -> Option<i64> {
    let text = call.text(name)?;
    text.parse().ok().or_else(|| crate::emulator::datacenter::clock::read_iso(&text))
}

/// Newest first. Any name that a job or its parameters have is a filter.
fn list(call: &mut Call<'_>) -> Outcome {
    let execution = execution(call)?;
    let (since, until) = (time(call, "since"), time(call, "until"));
    let (limit, offset) = (number(call, "limit").unwrap_or(1000), number(call, "offset").unwrap_or(0));
    let (task, vm) = (call.text("task"), call.text("vm_uuid"));
    let checked_before = ["limit", "offset", "since", "until", "execution", "task", "vm_uuid"];
    let filters: Vec<(String, String)> = (call.query.keys())
        .filter(|name| !checked_before.contains(&name.as_str()))
        .filter_map(|name| Some((name.clone(), call.text(name)?)))
        .collect();
    let fits = |view: &Map<String, Value>| {
        filters.iter().all(|(name, wanted)| {
            let has = view.get(name).or_else(|| view.get("params")?.get(name));
            let text = has.and_then(crate::emulator::text::text);
            text.is_some_and(|text| if name == "name" { glob(wanted, &text) } else { text == *wanted })
        })
    };
    // Fields of the job itself are checked first, since its view is costly to compute.
    let matches = |job: &&Job| {
        since.is_none_or(|since| job.created >= since)
            && until.is_none_or(|until| job.created <= until)
            && execution.as_deref().is_none_or(|execution| job.execution() == execution)
            && is_about(job, task.as_deref(), vm.as_deref())
    };
    let jobs = call.state.all_jobs().into_iter().filter(matches);
    let rows = jobs.filter_map(|job| Some((job.created, call.state.job_view(job, call.now)?)));
    let rows = rows.filter(|(_, view)| fits(view));
    let is_asked = |(created, view): &(i64, Map<String, Value>)| {
        let has = |name: &str, wanted: Option<&str>| wanted.is_none_or(|wanted| view.get(name) == Some(&wanted.into()));
        since.is_none_or(|since| *created >= since)
            && until.is_none_or(|until| *created <= until)
            && has("execution", execution.as_deref())
            && has("task", task.as_deref())
            && has("vm_uuid", vm.as_deref())
            && fits(view)
    };
    let own = call.state.operators.own_jobs.iter().map(|job| (job.created, own::view(job, call.now)));
    let own: Vec<_> = own.filter(is_asked).collect();
    // Views are costly: without jobs of others no more are computed than are shown.
    let page: Vec<Value> = match own.is_empty() {
        true => rows.skip(offset).take(limit).map(|(_, view)| Value::Object(view)).collect(),
        false => {
            let mut all: Vec<_> = own.into_iter().rev().chain(rows).collect();
            all.sort_by_key(|(created, _)| std::cmp::Reverse(*created));
            all.into_iter().skip(offset).take(limit).map(|(_, view)| Value::Object(view)).collect()
        }
    };
    Ok(Reply::json(&page.into()))
}

fn unknown(uuid: &str) -> Refusal {
    missing(format!("Job with uuid '{uuid}' does not exist"))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Job, Refusal> {
    let uuid = call.part("uuid");
    call.state.job(&uuid).ok_or_else(|| unknown(&uuid))
}

fn view(call: &Call<'_>, job: &Job) -> Outcome {
    let view = call.state.job_view(job, call.now).ok_or_else(|| unknown(&job.uuid))?;
    Ok(Reply::json(&Value::Object(view)))
}

fn get(call: &mut Call<'_>) -> Outcome {
    if let Some(job) = own::find(call, &call.part("uuid")) {
        return Ok(Reply::json(&Value::Object(own::view(job, call.now))));
    }
    view(call, find(call)?)
}

/// Ends a job at once. What it was to do is not done.
fn cancel(call: &mut Call<'_>) -> Outcome {
    let own = call.part("uuid");
    if own::find(call, &own).is_some() {
        return own::cancel(call, &own);
    }
    let job = find(call)?;
    if matches!(job.execution(), "succeeded" | "failed") {
        return Err(Refusal::new(409, "ConflictError", "Finished jobs cannot be canceled"));
    }
    let uuid = job.uuid.clone();
    if job.end.is_none() {
        call.state.cancel(call.now, &uuid);
    }
    view(call, find(call)?)
}

fn resume(call: &mut Call<'_>) -> Outcome {
    let uuid = known(call)?;
    if own::find(call, &uuid).is_some() {
        return own::resume(call, &uuid);
    }
    // A step that waits for somebody else is in none of the emulator's own chains.
    Err(Refusal::new(409, "ConflictError", own::NOT_WAITING))
}

/// The id of a job that is there.
fn known(call: &Call<'_>) -> Result<String, Refusal> {
    let uuid = call.part("uuid");
    match own::find(call, &uuid) {
        Some(_) => Ok(uuid),
        None => find(call).map(|job| job.uuid.clone()),
    }
}

fn info(call: &mut Call<'_>) -> Outcome {
    let uuid = known(call)?;
    let notes = call.state.operators.infos.iter().filter(|(job, _)| *job == uuid).map(|(_, note)| note.clone());
    Ok(Reply::json(&notes.collect()))
}

fn post_info(call: &mut Call<'_>) -> Outcome {
    let uuid = known(call)?;
    let note = Value::Object(call.fields());
    let infos = &mut call.state.operators.infos;
    if infos.iter().filter(|(job, _)| *job == uuid).count() >= MAX_INFOS
        && let Some(oldest) = infos.iter().position(|(job, _)| *job == uuid)
    {
        infos.remove(oldest);
    }
    infos.push((uuid, note));
    Ok(Reply::empty(200))
}

fn stats(call: &mut Call<'_>) -> Outcome {
    let counted = |since: i64| {
        let mut counts: Map<String, Value> = EXECUTIONS.iter().map(|name| ((*name).to_owned(), 0.into())).collect();
        for job in call.state.all_jobs().into_iter().filter(|job| job.created >= since) {
            let count = counts.get(job.execution()).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(job.execution().to_owned(), (count + 1).into());
        }
        Value::Object(counts)
    };
    const HOUR: i64 = 3_600_000;
    Ok(Reply::json(&json!({
        "all_time": counted(i64::MIN),
        "past_24h": counted(call.now.saturating_sub(24 * HOUR)),
        "past_hour": counted(call.now.saturating_sub(HOUR)),
        "current": counted(call.now.saturating_sub(HOUR)),
    })))
}
