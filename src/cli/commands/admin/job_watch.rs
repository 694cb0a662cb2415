//! `sdc admin jobs watch`: shows the chain of a job as it goes, to the job's end.

use clap::{Arg, ArgMatches, Command};

use super::job_steps::{Step, to_end};
use crate::api::admin::WORKFLOW;
use crate::api::admin::workflow::{self, JOB};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::waiting;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Signals;
use crate::client::{Time, Whence};
use crate::error::{Error, Kind, Result};
use crate::render::{self, visible_json};
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
    let work = async {
        let id = resolve::id(&client, &JOB, typed).await?;
        let end = to_end(app, &client, (&id, Whence::Typed), time, |step| print(app, jq.as_ref(), &step)).await?;
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

fn print(app: &App, jq: Option<&render::Program>, step: &Step<'_>) -> Result<()> {
    let json = step.json.get().replace(['\n', '\r'], " ");
    match jq {
        Some(jq) => app.filter(jq, &json),
        None if app.globals.json() && app.streams.stdout_tty => {
            app.streams.out(format!("{}\n", visible_json(&json)).as_bytes())
        }
        None if app.globals.json() => app.streams.out(format!("{json}\n").as_bytes()),
        None => app.streams.out(format!("{}\n", step.line()).as_bytes()),
    }
}
