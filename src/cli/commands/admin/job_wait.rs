//! `sdc admin jobs wait`: waits for the end of jobs, whoever has started them.

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures_util::future::join_all;

use super::job_steps::{Step, to_end};
use crate::answer::Answer;
use crate::api::admin::workflow::{self, JOB};
use crate::api::{Shape, columns};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::args::waiting;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::client::{Time, Whence};
use crate::error::{Error, Kind, Result};
use crate::tasks::resolve;

/// `sdc admin jobs wait`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin jobs wait",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&workflow::GET])],
    examples: "admin jobs wait 6b26b228-7805-5978-b6bb-7b76ff7c94f6\n\
         admin jobs wait 6b26b228-7805-5978-b6bb-7b76ff7c94f6 --timeout 5m",
    previews: false,
    settings: Settings::Needed,
};

fn command() -> Command {
    let timeout = Arg::new("timeout").long("timeout").value_name("TIME").help(waiting::JOB_HELP);
    Command::new("wait")
        .about("Wait until jobs have ended")
        .before_long_help(
            "Each step of them is told as it is done: the task, how long it took, and its result; and what a job waits \
             for that does not move. The exit code is 8 if one has failed, was canceled, or has an error in its last result although it has \
             succeeded; 9 if the time is over, and the job goes on.",
        )
        .args([
            Arg::new("job")
                .value_name("JOB")
                .required(true)
                .num_args(1..)
                .action(ArgAction::Append)
                .help("Jobs: id or short id"),
            timeout.help_heading(waiting::WAITING),
        ])
        .args(list_options())
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, columns(&workflow::GET))?;
    let jq = app.program()?;
    let time = Time::new(waiting::patience_for_a_job(matches, &app.config.defaults)?);
    let client = app.inner(&crate::api::admin::WORKFLOW).await?;
    let typed: Vec<&String> = matches.get_many("job").into_iter().flatten().collect();
    let mut ids = Vec::new();
    for typed in &typed {
        ids.push(resolve::id(&client, &JOB, typed).await?);
    }
    let waits = ids.iter().map(|id| {
        let tell = |step: Step<'_>| {
            app.say(&step.told());
            Ok(())
        };
        to_end(app, &client, (id, Whence::Typed), time, tell)
    });
    let (mut ended, mut failures) = (Vec::new(), Vec::new());
    for end in join_all(waits).await {
        match end {
            Ok(end) => {
                let words = end.fault.map(|fault| format!("job {} {fault}", end.id));
                failures.extend(words.map(|words| Error::new(Kind::FailedState, words)));
                ended.push(end.job);
            }
            Err(error) => failures.push(error),
        }
    }
    let gravest = failures.iter().fold(None, |gravest, error| Some(error.kind().graver(gravest)));
    if !ended.is_empty() {
        app.show(&Answer::joined(ended, typed.len() > 1), Shape::Record, &view, jq.as_ref())?;
    }
    failures.iter().for_each(|error| app.report(error));
    Ok(gravest.map_or(0, |kind| exit::code(kind).0.into()))
}
