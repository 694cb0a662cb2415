//! `sdc rbac apply`: reads the file and the account, shows the plan, asks, and has it carried out. If a step fails, it
//! says which steps were done before it and which were not begun.

use std::cell::Cell;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use serde_json::{Value, json};

use super::passwords::{Passwords, is_strong};
use super::{print_json, wants_json};
use crate::cli::app::App;
use crate::cli::change;
use crate::cli::question;
use crate::cli::resume::heeded;
use crate::cli::terminal::prompt;
use crate::client::Client;
use crate::error::{self, Error, Result};
use crate::render::visible;
use crate::tasks::plan::{Action, Kind as _, OpenRecord, Run, Settled, Work};
use crate::tasks::rbac::file::{self, Folders, Wanted};
use crate::tasks::rbac::live::{self, Live};
use crate::tasks::rbac::plan::{self, Choice, Plan};
use crate::tasks::rbac::rights::{self, Caller};
use crate::tasks::rbac::{Kind, Owned, Record, Spec, Step, Worker, begun};
use crate::tasks::stop::Stop;
use crate::tasks::values::Files;

/// Applies a file and returns the exit code.
///
/// # Errors
/// A usage error before anything is sent; later the failure of the step that failed, or an interruption.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let named = matches.get_one::<String>("file").or_else(|| matches.get_one::<String>("from"));
    let name = named.map(String::as_str).unwrap_or_default();
    let choice = Choice { prune: matches.get_flag("prune"), adopt: matches.get_flag("adopt") };
    let wanted = read(app, name)?;
    if wanted.owner.is_none() && (choice.prune || choice.adopt) {
        let option = if choice.prune { "--prune" } else { "--adopt" };
        return Err(Error::usage(format!("{option} is about what the file has made, and the file names no owner"))
            .hint("add to the file: \"owner\": \"NAME\""));
    }
    let passwords = match matches.get_one::<String>("passwords-file") {
        Some(file) => Passwords::read(file, &app.console)?,
        None => Passwords::default(),
    };
    wanted.doubts().iter().for_each(|doubt| app.warn(doubt));
    let client = app.client()?;
    let mut record = record(app, &client, &wanted)?;
    let live = live(&client, &wanted, record.as_ref()).await?;
    let settled = record.as_mut().map(|record| record.settle(|begun| begun::find(&live, begun)));
    let made = record.as_ref().map(Record::made).unwrap_or_default();
    let plan = plan::plan(&live, &wanted, made, choice)?;
    let only_plan = app.globals.dry_run || matches.get_flag("plan");
    // The plan is asked about, or wanted for itself; without either --quiet is about it too.
    let asks = only_plan || !matches.get_flag("yes");
    if !wants_json(app) && (asks || !app.globals.quiet) {
        app.streams.out(shown(&plan, client.account()).as_bytes())?;
    }
    settled.iter().for_each(|settled| tell(app, &plan, settled));
    notes(app, &plan, &passwords, choice, made);
    if only_plan || plan.steps.is_empty() {
        // Otherwise the next run would have to find it once more.
        if let Some(record) = record.filter(|record| !only_plan && record.is_changed()) {
            record.open()?;
        }
        if wants_json(app) {
            print_json(app, &as_json(&client, &wanted, &plan, |_| "planned").to_string())?;
        }
        return Ok(0);
    }
    lost(app, &client, &live, &plan).iter().for_each(|words| app.warn(words));
    if !matches.get_flag("yes") {
        let count = plan.steps.len();
        let steps = if count == 1 { "1 step".to_owned() } else { format!("{count} steps") };
        let steps = format!("{steps} to the account {}", client.account());
        prompt::confirm(&app.streams, "apply", &steps, &[question::place(app)])?;
    }
    let record = record.map(Record::open).transpose()?;
    let mut worker = Worker::new(&client, &live, |login| passwords.of(login));
    let (run, failure) = carry_out(app, &plan.steps, record, &mut worker).await;
    let (begun, done) = (run.begun.get(), run.done.get());
    if wants_json(app) {
        let status = |at: usize| match at {
            at if at < done => "done",
            at if at < begun => "failed",
            _ => "not begun",
        };
        print_json(app, &as_json(&client, &wanted, &plan, status).to_string()).map_err(|error| {
            failure.iter().for_each(|error| app.report(error));
            change::carried_out(error, &titles(plan.steps.get(..done).unwrap_or_default()))
        })?;
    }
    match failure {
        None => Ok(0),
        Some(error) => Err(told(error, &plan.steps, done)),
    }
}

/// Carries the steps out. The first interruption lets the request that was sent end, the second leaves at once. Returns
/// how far it has come, and the failure that ended it.
async fn carry_out(
    app: &App,
    steps: &[Step],
    record: Option<OpenRecord<Kind>>,
    worker: &mut impl Work<Kind, Spec>,
) -> (Run, Option<Error>) {
    let stop = Stop::default();
    let run = Run { stop: stop.flag(), ..Run::default() };
    let failure = Cell::new(None);
    let work = async { failure.set(run.carry_out(steps, record, worker, app).await.err()) };
    let interrupted = |words: &str| Error::new(error::Kind::Interrupted, words);
    let left = || interrupted("interrupted, and it may have taken effect all the same");
    let failure = match heeded(app, &stop, work, left).await {
        Err(error) => Some(error),
        Ok(false) => failure.take(),
        Ok(true) => match failure.take() {
            None => Some(interrupted("interrupted, with all steps done")),
            Some(error) if error.kind() == error::Kind::Interrupted => Some(error),
            Some(error) => {
                app.report(&error);
                Some(interrupted("interrupted, and it failed"))
            }
        },
    };
    (run, failure)
}

/// Reads a file, `-` for standard input.
fn read(app: &App, name: &str) -> Result<Wanted> {
    let bytes = app.console.read(name, file::MAX_LEN)?;
    let path = if name == "-" { PathBuf::new() } else { app.console.at_home(name) };
    let folder = path.parent().unwrap_or(Path::new(""));
    let home = app.config.dirs.home.clone();
    let shown = if name == "-" { "standard input" } else { name };
    file::parse(&bytes, Folders { folder, home: home.as_deref() }).map_err(|error| error.about(shown))
}

/// What the plan takes away of the caller's own rights.
fn lost(app: &App, client: &Client, live: &Live, plan: &Plan) -> Vec<String> {
    let (Some(user), Some(signer)) = (&app.config.user, client.signer()) else { return Vec::new() };
    let roles = app.config.roles.as_ref().map(|roles| roles.value.as_slice()).unwrap_or_default();
    let caller = Caller { login: &user.value, roles, key: &signer.key().public().md5() };
    rights::lost(&caller, live, plan)
}

/// What steps do, in words.
fn titles(steps: &[Step]) -> String {
    match steps {
        [] => "nothing".to_owned(),
        steps => steps.iter().map(Step::title).collect::<Vec<_>>().join("; "),
    }
}

/// Adds to a failure which steps were done before it and which were not begun.
fn told(error: Error, steps: &[Step], done: usize) -> Error {
    let Some(at) = steps.get(done) else { return error.hint(format!("done: {}", titles(steps))) };
    let rest = steps.get(done + 1..).unwrap_or_default();
    error
        .about(&at.title())
        .hint(format!("done before it: {}", titles(steps.get(..done).unwrap_or_default())))
        .hint(format!("not begun: {}", titles(rest)))
        .hint("what was done stays; the same command again goes on with what is left")
}

/// The record of the file's owner, if it names one.
fn record(app: &App, client: &Client, wanted: &Wanted) -> Result<Option<Record>> {
    let Some(owner) = &wanted.owner else { return Ok(None) };
    let dir = app.config.dirs.config.as_deref().ok_or_else(|| {
        Error::usage("there is no folder for the record of what the file makes").hint("set HOME or SDC_CONFIG_DIR")
    })?;
    let host = app.config.host().unwrap_or_default();
    Record::read(&dir.join("sdc-rbac"), &host, client.account(), owner).map(Some)
}

/// The account, with the keys that the plan needs.
async fn live(client: &Client, wanted: &Wanted, record: Option<&Record>) -> Result<Live> {
    live::read(client, |id, login| {
        let listed = wanted.users.iter().any(|user| user.login == login && user.keys.is_some());
        let of_user = |owned: &Owned| match owned.kind {
            // The id of a user that was only begun is not known.
            Kind::User => owned.id == id || owned.id.is_empty() && owned.name == login,
            Kind::Key => owned.id.strip_prefix(id).is_some_and(|rest| rest.starts_with('/')),
            Kind::Policy | Kind::Role => false,
        };
        listed || record.is_some_and(|record| record.made().iter().chain(record.begun()).any(of_user))
    })
    .await?
    .sure()
}

/// Prints what became of the resources that a run which did not end was about to create.
fn tell(app: &App, plan: &Plan, settled: &Settled<Kind>) {
    let names = |all: &mut dyn Iterator<Item = &Owned>| {
        all.map(|one| format!("{} {}", one.kind.word(), one.name)).collect::<Vec<_>>().join(", ")
    };
    let own = names(&mut settled.own.iter());
    if !own.is_empty() {
        app.say(&format!("note: made by a run of this file that did not end, and on its record now: {own}"));
    }
    let adopted = |one: &&Owned| {
        let is = |step: &Step| step.kind == one.kind && step.id.as_ref() == Some(&one.id);
        plan.steps.iter().any(|step| step.action == Action::Adopt && is(step))
    };
    let foreign = names(&mut settled.foreign.iter().filter(|one| !adopted(one)));
    if !foreign.is_empty() {
        app.warn(&format!(
            "a run of this file that did not end was about to create {foreign}, but what is there may be somebody \
             else's: it is not as that run would have made it, or older, or the record does not say; so it is not on \
             the record, and --prune leaves it; to take it over: --adopt, with it in the file"
        ));
    }
}

/// Prints notes on the plan. `made` is on the record.
fn notes(app: &App, plan: &Plan, passwords: &Passwords, choice: Choice, made: &[Owned]) {
    let new: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.kind == Kind::User && step.action == Action::Create)
        .map(|step| step.name.as_str())
        .collect();
    let without: Vec<&str> = new.iter().copied().filter(|login| !passwords.has(login)).collect();
    if !without.is_empty() {
        app.say(&format!(
            "note: random passwords, not shown, for {}: they sign with their keys; to set one: sdc users \
             change-password LOGIN",
            without.join(", ")
        ));
    }
    let mut unused: Vec<&str> = passwords.logins().filter(|login| !new.contains(login)).collect();
    unused.sort_unstable();
    if !unused.is_empty() {
        // Written the wrong way round, they are passwords.
        let (secret, mut named): (Vec<&str>, Vec<&str>) = unused.into_iter().partition(|login| is_strong(login));
        let more = format!("{} that may be passwords themselves", secret.len());
        named.extend((!secret.is_empty()).then_some(&*more));
        app.warn(&format!("passwords are for new users only, and not used for {}", named.join(", ")));
    }
    if !plan.left.is_empty() {
        app.say(&format!(
            "note: made by this file, in it no longer, and left as it is: {}; to delete it: --prune",
            plan.left.join(", ")
        ));
    }
    if choice.prune && made.is_empty() {
        app.say("note: the record of what this file has made is empty here, so there is nothing to delete");
    }
}

fn shown(plan: &Plan, account: &str) -> String {
    if plan.steps.is_empty() {
        return format!("nothing to do: the account {} is as the file says\n", visible(account));
    }
    let mut out = String::new();
    for step in &plan.steps {
        let _ = writeln!(out, "{} {}", step.action.sign(), visible(&step.title()));
        for change in &step.changes {
            let value = |value: &Value| match value {
                Value::Null => "(none)".to_owned(),
                other => other.to_string(),
            };
            let words = match step.action {
                Action::Create => format!("{}: {}", change.field, value(&change.new)),
                _ => format!("{}: {} -> {}", change.field, value(&change.old), value(&change.new)),
            };
            let _ = writeln!(out, "    {}", visible(&words));
        }
    }
    out
}

fn as_json(client: &Client, wanted: &Wanted, plan: &Plan, status: impl Fn(usize) -> &'static str) -> Value {
    let steps = plan.steps.iter().enumerate().map(|(at, step)| {
        let changes =
            step.changes.iter().map(|change| json!({ "field": change.field, "old": change.old, "new": change.new }));
        json!({
            "action": step.action.word(),
            "kind": step.kind.word(),
            "name": step.name,
            "user": step.parent.as_ref().map(|(_, user)| user),
            "id": step.id,
            "changes": changes.collect::<Vec<_>>(),
            "status": status(at),
        })
    });
    json!({
        "account": client.account(),
        "owner": wanted.owner,
        "steps": steps.collect::<Vec<_>>(),
        "left": plan.left,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(action: Action, kind: Kind) -> Step {
        Step::new(action, kind, "ops", Some("id"), Spec::None)
    }

    #[test]
    fn a_failure_says_what_was_done_and_what_was_not_begun() {
        let steps = [Kind::Policy, Kind::User, Kind::Role].map(|kind| step(Action::Create, kind));
        let error = told(Error::new(error::Kind::Refused, "no"), &steps, 1);
        assert_eq!((error.kind(), error.message()), (error::Kind::Refused, "create user ops: no"));
        assert_eq!(error.hints()[..2], ["done before it: create policy ops", "not begun: create role ops"]);
    }
}
