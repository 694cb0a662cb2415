//! The steps of jobs as they go, and the wait for a job's end that shows them and says what the job waits for.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::Row;
use crate::api::admin::workflow;
use crate::cli::app::App;
use crate::client::{Client, JobEnd, Time, Whence, sentence};
use crate::error::Result;
use crate::render::visible;
use crate::response::fault;
use crate::tasks::held_up::Pulse;

/// Waits for the end of a job, hands over each step of its chain, and says on the way how it stands and what it waits
/// for.
///
/// # Errors
/// As [`Client::watch_job`]; what `show` returns.
pub(super) async fn to_end(
    app: &App,
    client: &Client,
    (id, whence): (&str, Whence),
    time: Time,
    mut show: impl FnMut(Step<'_>) -> Result<()>,
) -> Result<JobEnd> {
    let (pulse, job) = (Pulse::default(), RefCell::new(Some(id.to_owned())));
    let say = |how: &str| app.say(&format!("job {}: {how}", job.borrow().as_deref().unwrap_or(id)));
    let mut steps = Steps::of(id);
    let progress = |how: &str| {
        pulse.moved();
        // Its steps are shown themselves.
        if !how.starts_with("running (") {
            say(how);
        }
    };
    let seen = |row: Row<'_>| {
        // It may be the next attempt.
        if let Some(id) = row.text("/uuid") {
            job.replace(Some(id.into_owned()));
        }
        steps.new_of(row, &mut show)
    };
    let end = client.watch_job((&workflow::GET, id, whence), time, progress, seen);
    pulse.beside(app.asking(), &job, end, say).await
}

/// A step that is done.
pub(super) struct Step<'a> {
    /// As the service has it.
    pub(super) json: &'a RawValue,
    /// The id of the job that has done it.
    job: &'a str,
    /// The width of the longest task.
    width: usize,
}

impl Step<'_> {
    /// It as words beside an answer, where other jobs may be told of too.
    pub(super) fn told(&self) -> String {
        format!("job {}: {}", self.job.get(..8).unwrap_or(self.job), self.line())
    }

    /// It as a line to a person.
    pub(super) fn line(&self) -> String {
        line(Row(self.json), self.width)
    }
}

/// How many steps of each chain of each attempt are shown.
pub(super) struct Steps<'a> {
    /// The job whose steps they are where it does not say so itself.
    of: &'a str,
    shown: HashMap<(String, &'static str), usize>,
}

impl<'a> Steps<'a> {
    /// None of this job.
    pub(super) fn of(job: &'a str) -> Steps<'a> {
        Steps { of: job, shown: HashMap::new() }
    }

    /// Hands over those that are new.
    ///
    /// # Errors
    /// What `show` returns.
    pub(super) fn new_of(&mut self, job: Row<'_>, mut show: impl FnMut(Step<'_>) -> Result<()>) -> Result<()> {
        let id = job.text("/uuid").map_or_else(|| self.of.to_owned(), Cow::into_owned);
        let width = width(job);
        for chain in ["/chain_results", "/onerror_results", "/oncancel_results"] {
            let steps = job.text(chain).unwrap_or_default();
            let steps: Vec<&RawValue> = serde_json::from_str(&steps).unwrap_or_default();
            let shown = self.shown.entry((id.clone(), chain)).or_default();
            let new = steps.get(*shown..).unwrap_or_default();
            *shown = steps.len().max(*shown);
            for json in new {
                show(Step { json, job: &id, width })?;
            }
        }
        Ok(())
    }
}

/// The width of the longest task of the chain.
fn width(job: Row<'_>) -> usize {
    let names = |pointer: &str| -> Vec<usize> {
        let steps: Vec<Value> = job.text(pointer).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        steps.iter().filter_map(|step| step["name"].as_str().map(|name| name.chars().count())).collect()
    };
    let all = ["/chain", "/chain_results", "/onerror"].into_iter().flat_map(names);
    let longest = all.max().unwrap_or_default();
    longest.clamp(20, 48)
}

/// A step as a line to a person: the task, how long it took, its result or error.
fn line(step: Row<'_>, width: usize) -> String {
    let text = |pointer: &str| step.text(pointer).unwrap_or_default();
    let value = |pointer: &str| serde_json::from_str(&text(pointer)).unwrap_or_else(|_| Value::from(text(pointer)));
    let result = match fault(&value("/error")) {
        Some(error) => format!("ERROR: {error}"),
        None => sentence(&value("/result")).unwrap_or_default(),
    };
    let line = format!("{:<width$}  {:>7}  {}", visible(&text("/name")), took(step), visible(&result));
    line.trim_end().to_owned()
}

/// How long a step took.
fn took(step: Row<'_>) -> String {
    let time = |pointer: &str| step.text(pointer)?.parse::<jiff::Timestamp>().ok();
    let (Some(started), Some(finished)) = (time("/started_at"), time("/finished_at")) else { return "-".to_owned() };
    let seconds = finished.duration_since(started).as_secs_f64().max(0.0);
    match seconds < 100.0 {
        true => format!("{seconds:.1}s"),
        false => format!("{}m{:02}s", seconds as u64 / 60, seconds as u64 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_its_task_its_time_and_its_result() {
        for (step, task, took, result) in [
            (
                r#"{"name":"cnapi.stop_vm","result":"Stop VM queued!","error":"","started_at":"2026-03-02T10:15:00.300Z","finished_at":"2026-03-02T10:15:01.400Z"}"#,
                "cnapi.stop_vm",
                "1.1s",
                "Stop VM queued!",
            ),
            (
                r#"{"name":"cnapi.wait_task","result":"","error":{"message":"no space"},"started_at":"2026-03-02T10:15:00Z","finished_at":"2026-03-02T10:17:03Z"}"#,
                "cnapi.wait_task",
                "2m03s",
                "ERROR: no space",
            ),
            (r#"{"name":"y","error":{"statusCode":500}}"#, "y", "-", "ERROR: an error without words"),
            (r#"{"name":"x","result":null,"started_at":7}"#, "x", "-", ""),
            ("{}", "", "-", ""),
        ] {
            let said = format!("{task:<20}  {took:>7}  {result}");
            let said = said.trim_end();
            let raw: Box<RawValue> = serde_json::from_str(step).unwrap();
            assert_eq!(line(Row(&raw), 20), said, "{step}");
        }
    }
}
