//! `sdc admin jobs wait`: waits for the end of jobs, whoever has started them.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::answer::Answer;
use crate::api::admin::workflow::{self, JOB};
use crate::api::{Shape, columns};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::args::waiting;
use crate::cli::commands::{Custom, Settings};
use crate::client::{Condition, Time, Until, last_step};
use crate::error::{Error, Kind, Result};
use crate::request::Args;
use crate::tasks::resolve;

/// `sdc admin jobs wait`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin jobs wait",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&workflow::GET])],
    examples: "admin jobs wait 2b6f0a1c-0d3e-4f5a-8b6c-7d8e9f0a1b2c\n\
         admin jobs wait 2b6f0a1c-0d3e-4f5a-8b6c-7d8e9f0a1b2c --timeout 5m",
    previews: false,
    settings: Settings::Needed,
};

fn command() -> Command {
    let timeout = Arg::new("timeout").long("timeout").value_name("TIME").help(waiting::JOB_HELP);
    Command::new("wait")
        .about("Wait until jobs have ended")
        .before_long_help(
            "The exit code is 8 if one has failed, was canceled, or has an error in its last result although it has \
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
    let mut ended = Vec::new();
    let mut failures = Vec::new();
    for typed in &typed {
        let mut id = resolve::id(&client, &JOB, typed).await?;
        let job = loop {
            let args = Args::new().set(JOB.name, &id);
            let until = Until { noun: &JOB, args, name: &id, condition: Condition::Rests, time };
            let job = client.until(&until, |state| app.say(&format!("job {id}: {state}"))).await?;
            // One that is retried goes on as another one.
            let next = job.first().and_then(|row| Some(row.text("/next_attempt")?.into_owned()));
            match next.filter(|next| *next != id) {
                Some(next) => id = next,
                None => break job,
            }
        };
        failures.extend(fault(&job, &id));
        ended.push(job);
    }
    app.show(&Answer::joined(ended, typed.len() > 1), Shape::Record, &view, jq.as_ref())?;
    let last = failures.pop();
    failures.iter().for_each(|error| app.report(error));
    last.map_or(Ok(0), Err)
}

/// What went wrong with a job that has ended.
fn fault(job: &Answer, id: &str) -> Option<Error> {
    let row = job.first()?;
    let execution = row.text("/execution")?;
    let step = last_step(row).filter(|step| !step.error.is_empty());
    let words = match (&*execution, step) {
        ("succeeded", None) => return None,
        ("waiting", _) => return Some(Error::new(Kind::FailedState, format!("job {id} waits to be resumed"))),
        (_, Some(step)) => format!("job {id} failed in {}: {}", step.name, step.error),
        (execution, None) => format!("job {id} was {execution}"),
    };
    Some(Error::new(Kind::FailedState, words))
}
