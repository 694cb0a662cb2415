//! `sdc admin jobs cancel` and `sdc admin jobs resume`: the table's own, with the steps of the job told, and for one that
//! goes on a wait for its end.

use std::future::Future;
use std::pin::Pin;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::job_steps::{Step, Steps, to_end};
use crate::answer::Answer;
use crate::api::Op;
use crate::api::admin::workflow;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::waiting;
use crate::cli::change::Following;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute;
use crate::client::{Client, Time, Whence};
use crate::error::{Error, Kind, Result};
use crate::tasks::call::Call;

/// `sdc admin jobs cancel`.
pub(crate) static CANCEL: Custom = Custom {
    path: "admin jobs cancel",
    syntax: Syntax::Table,
    run: |app, matches| Box::pin(run(app, &workflow::CANCEL, matches)),
    calls: &[("", &[&workflow::CANCEL])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// `sdc admin jobs resume`.
pub(crate) static RESUME: Custom = Custom {
    path: "admin jobs resume",
    syntax: Syntax::Extended(extend),
    run: |app, matches| Box::pin(run(app, &workflow::RESUME, matches)),
    calls: &[("", &[&workflow::RESUME, &workflow::GET])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

fn extend(command: Command) -> Command {
    let wait = Arg::new("wait").long("wait").short('w').action(ArgAction::SetTrue);
    command.args([
        wait.help_heading(waiting::WAITING).help("Wait for its end, and tell its steps as they are done"),
        waiting::timeout().help(waiting::JOB_HELP),
    ])
}

async fn run(app: &App, op: &'static Op, matches: &ArgMatches) -> Result<i32> {
    let waits = matches.try_get_one::<bool>("wait").ok().flatten() == Some(&true);
    let time = match waits {
        true => Some(Time::new(waiting::patience_for_a_job(matches, &app.config.defaults)?)),
        false => None,
    };
    execute::run_followed(app, op, matches, &Told { app, time }).await
}

/// Tells the steps of a job that was canceled or goes on.
struct Told<'a> {
    app: &'a App,
    /// How long its end is waited for, if it is.
    time: Option<Time>,
}

impl Following for Told<'_> {
    fn follow<'a>(
        &'a self,
        client: &'a Client,
        call: &'a Call,
        job: Answer,
    ) -> Pin<Box<dyn Future<Output = Result<Answer>> + 'a>> {
        Box::pin(async move {
            let id = call.args.text(workflow::JOB.name).unwrap_or_default();
            // No service is trusted to have answered for the job that it was asked for.
            if let Some(other) = job.first().and_then(|row| row.text("/uuid")).filter(|other| other != id) {
                let words = format!("the service answered the record of something else, of the job {other}");
                return Err(Error::new(Kind::Unreachable, words).in_doubt());
            }
            // One that waits still was neither resumed nor canceled.
            if job.first().is_some_and(|row| row.text_or_empty("/execution") == "waiting") {
                let words = format!("job {id} is waiting still, as the service's own answer shows");
                return Err(Error::new(Kind::Unreachable, words).in_doubt());
            }
            let tell = |step: Step<'_>| {
                self.app.say(&step.told());
                Ok(())
            };
            let Some(time) = self.time else {
                if let Some(row) = job.first() {
                    Steps::of(id).new_of(row, tell)?;
                }
                return Ok(job);
            };
            let end = to_end(self.app, client, (id, Whence::Resumed), time, tell).await?;
            match end.fault {
                Some(fault) => {
                    let error = Error::new(Kind::FailedState, format!("job {} {fault}", end.id));
                    Err(error.with_body(end.job.json()))
                }
                None => Ok(end.job),
            }
        })
    }
}
