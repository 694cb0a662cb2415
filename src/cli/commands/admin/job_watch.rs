//! `sdc admin jobs watch`: shows the chain of a job as it goes, to the job's end.

use std::collections::HashMap;

use clap::{Arg, ArgMatches, Command};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::Row;
use crate::api::admin::WORKFLOW;
use crate::api::admin::workflow::{self, JOB};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::waiting;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Signals;
use crate::client::{Time, sentence};
use crate::error::{Error, Kind, Result};
use crate::render::{self, visible, visible_json};
use crate::tasks::resolve;

/// `sdc admin jobs watch`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin jobs watch",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&workflow::GET])],
    examples: "admin jobs watch 6b26b228-7805-5978-b6bb-7b76ff7c94f6\n\
         admin jobs watch 6b26b228 --timeout 5m",
    previews: false,
    settings: Settings::Needed,
};

fn command() -> Command {
    let timeout = Arg::new("timeout").long("timeout").value_name("TIME").help(waiting::JOB_HELP);
    Command::new("watch")
        .about("Show the steps of a job as it goes, to its end")
        .before_long_help(
            "A line for each step: the task, how long it took, and its result. Of a job that is retried the next \
             attempt is followed. The exit code is 8 if it has failed, was canceled, or has an error in its last \
             result although it has succeeded; 9 if the time is over, and the job goes on.",
        )
        .args([
            Arg::new("job").value_name("JOB").required(true).help("Job: id or short id"),
            timeout.help_heading(waiting::WAITING),
        ])
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    if let Some(output) = app.globals.output.as_deref().filter(|output| !matches!(*output, "json" | "jsonl")) {
        return Err(Error::usage(format!("steps are shown as they come, so --output {output} has no meaning here"))
            .hint("--json, or --jq EXPR"));
    }
    let jq = app.program()?;
    let time = Time::new(waiting::patience_for_a_job(matches, &app.config.defaults)?);
    let client = app.inner(&WORKFLOW).await?;
    let mut signals = Signals::new(&app.heard)?;
    let typed = matches.get_one::<String>("job").map(String::as_str).unwrap_or_default();
    let mut watching = Watching { app, jq, shown: HashMap::new() };
    let work = async {
        let id = resolve::id(&client, &JOB, typed).await?;
        let progress = |how: &str| app.say(&format!("job {id}: {how}"));
        let end = client.watch_job(&workflow::GET, &id, time, progress, |job| watching.show(job)).await?;
        match end.fault {
            Some(fault) => Err(Error::new(Kind::FailedState, format!("job {} {fault}", end.id))),
            None => {
                app.say(&format!("job {}: succeeded", end.id));
                Ok(0)
            }
        }
    };
    tokio::select! {
        ended = work => ended.map_err(|error| app.forgetting(error)),
        _ = signals.next() => Ok(130),
    }
}

struct Watching<'a> {
    app: &'a App,
    jq: Option<render::Program>,
    /// How many steps of each chain of each attempt are shown.
    shown: HashMap<(String, &'static str), usize>,
}

impl Watching<'_> {
    /// Shows the steps that are new.
    fn show(&mut self, job: Row<'_>) -> Result<()> {
        let id = job.text("/uuid").unwrap_or_default().into_owned();
        let width = width(job);
        for chain in ["/chain_results", "/onerror_results", "/oncancel_results"] {
            let steps = job.text(chain).unwrap_or_default();
            let steps: Vec<&RawValue> = serde_json::from_str(&steps).unwrap_or_default();
            let shown = self.shown.entry((id.clone(), chain)).or_default();
            let new = steps.get(*shown..).unwrap_or_default();
            *shown = steps.len().max(*shown);
            for step in new {
                print(self.app, self.jq.as_ref(), step, width)?;
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

fn print(app: &App, jq: Option<&render::Program>, step: &RawValue, width: usize) -> Result<()> {
    let json = step.get().replace(['\n', '\r'], " ");
    match jq {
        Some(jq) => app.filter(jq, &json),
        None if app.globals.json() && app.streams.stdout_tty => {
            app.streams.out(format!("{}\n", visible_json(&json)).as_bytes())
        }
        None if app.globals.json() => app.streams.out(format!("{json}\n").as_bytes()),
        None => app.streams.out(format!("{}\n", line(Row(step), width)).as_bytes()),
    }
}

/// A step as a line to a person: the task, how long it took, its result or error.
fn line(step: Row<'_>, width: usize) -> String {
    let text = |pointer: &str| step.text(pointer).unwrap_or_default();
    let words =
        |pointer: &str| sentence(&serde_json::from_str(&text(pointer)).unwrap_or_else(|_| text(pointer).into()));
    let result = match words("/error") {
        Some(error) => format!("ERROR: {error}"),
        None => words("/result").unwrap_or_default(),
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
