//! `sdc reap`: removes the machines whose time is over, by the tag in which `sdc run` and others wrote it. How they
//! are deleted is `change`'s affair.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::answer::Row;
use crate::api::cloudapi::{CLOUDAPI, machines};
use crate::cli::app::App;
use crate::cli::args::build;
use crate::cli::args::build::Syntax;
use crate::cli::args::targets::{self as choosing, SELECTION};
use crate::cli::args::waiting::{self, WAITING};
use crate::cli::change::{self, Batch};
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::cli::question;
use crate::cli::question::Asking;
use crate::cli::resume::Typed;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::request::Args;
use crate::sensitive::quoted;
use crate::tasks::about;
use crate::tasks::change::Change;
use crate::tasks::create::EXPIRES_TAG;
use crate::tasks::resolve::{Candidate, Candidates};
use crate::tasks::row_filter::is_filter;
use crate::tasks::targets;

/// `sdc reap`.
pub(crate) static COMMAND: Custom = Custom {
    path: "reap",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&machines::LIST, &machines::DELETE])],
    examples: "reap --expired -l stage=test --dry-run\nreap --expired --yes --wait",
    previews: true,
    settings: Settings::Needed,
};

/// The command and its options.
pub fn command() -> Command {
    Command::new("reap")
        .about("Delete expired machines")
        .before_long_help(
            "Selects machines whose sdc.expires tag is in the past. `sdc run` gives its machines that tag, \
             so that none is left should sdc be killed. Any machine can have it: --tag \
             sdc.expires=2030-01-31T18:00:00Z. A time that cannot be read is warned about, and the machine left alone. \
             Uses the local clock.\n\n\
             A machine with deletion protection is named and left alone, which is no failure.",
        )
        .arg(
            Arg::new(FILTER)
                .value_name("FILTER")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("Only those that are like this, as in `machines list`: image=base-64, tag.stage=test"),
        )
        .arg(
            Arg::new("expired")
                .long("expired")
                .required(true)
                .action(ArgAction::SetTrue)
                .help_heading(SELECTION)
                .help("Select machines whose time in the tag sdc.expires has passed"),
        )
        .args(choosing::picks(&machines::MACHINE))
        .arg(Arg::new("yes").long("yes").short('y').action(ArgAction::SetTrue).help("Skip the confirmation prompt"))
        .arg(
            Arg::new("wait")
                .long("wait")
                .short('w')
                .action(ArgAction::SetTrue)
                .help_heading(WAITING)
                .help("Wait until they are gone"),
        )
        .arg(waiting::timeout())
        .args(build::list_options().into_iter().take(1))
        .args(choosing::limits())
}

/// Deletes them and returns the exit code.
///
/// # Errors
/// The list cannot be read; too many; not confirmed.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let op = &machines::DELETE;
    let view = app.view(matches, machines::MACHINES.columns)?;
    let jq = app.program()?;
    let timeout = waiting::patience(matches, &app.config.defaults)?;
    let mut filter = choosing::filter(matches, Some(&machines::MACHINE), filters(matches)?, &app.console)?;
    let client = app.client()?;
    // Everything is compared here.
    filter.settle(&client, &machines::MACHINE, true).await?;
    // Failed machines are told of only beside those that are gone.
    let known = Candidates::list(&client, &machines::MACHINE, &Args::new().set("tombstone", "true")).await?.there();
    let now = app.console.timestamp();
    let expired: Vec<&Candidate> =
        known.things.iter().filter(|thing| filter.rows.fits(&thing.row) && is_over(app, thing, now)).collect();
    filter.rows.tell_unlike(app, known.rows(), true);
    let (left, expired): (Vec<&Candidate>, Vec<&Candidate>) =
        expired.into_iter().partition(|thing| about::is_protected(thing));
    // That they stay is no failure.
    question::tell_protected(app, "protected, left", left.iter().map(|thing| (&*thing.name, &*thing.id)));
    let mut targets = targets::chosen(app, &machines::MACHINE, &filter, &expired)?;
    if app.globals.dry_run || app.globals.curl {
        question::told(app, op, &targets);
        let requests = targets.calls.iter().map(|call| client.request(op, &call.args));
        preview::requests_of(app, &client, &requests.collect::<Result<Vec<_>>>()?, true).await?;
        return Ok(0);
    }
    let asking = Asking { must: true, yes: matches.get_flag("yes"), doubt: None, loses: false };
    question::settle(app, &client, op, &mut targets, asking).await?;
    let wait = matches.get_flag("wait").then_some(timeout);
    // Somebody may give a machine more time while the question is open, or while others are deleted.
    let still = |row: Row<'_>| row.text(EXPIRES).is_some_and(|text| time(&text).is_ok_and(|time| time <= now));
    // One that somebody else deletes meanwhile is gone as well.
    let change = Change { wait, ignore_missing: true, still: Some(&still), ..Change::new(op) };
    let batch = Batch { change, parallel: app.parallel(&filter), typed: Typed { op, matches }, following: None };
    change::run(app, &client, batch, targets, view, jq.as_ref()).await
}

/// The filters that were typed. Names pick nothing here.
///
/// # Errors
/// A usage error for what is not a filter.
fn filters(matches: &ArgMatches) -> Result<Vec<String>> {
    let list = &machines::LIST;
    let words: Vec<String> = matches.get_many::<String>(FILTER).into_iter().flatten().cloned().collect();
    match words.iter().find(|word| !is_filter(&CLOUDAPI, list, word)) {
        None => Ok(words),
        Some(word) if word.contains('=') => Err(Error::usage(format!("'{}' is not a filter", quoted(word)))
            .hint(format!("by a tag: tag.{word}"))
            .hint(Hint::run("filters are the columns of", CommandLine::new("machines list")))),
        Some(word) => Err(Error::usage(format!("'{}' is not a filter: NAME=VALUE", quoted(word)))
            .hint("by name: name=NAME, or a glob: 'name=ci-*'")),
    }
}

/// The argument with the filters.
const FILTER: &str = "FILTER";

/// Where a machine's record has its time.
const EXPIRES: &str = "/tags/sdc.expires";

fn time(text: &str) -> std::result::Result<jiff::Timestamp, jiff::Error> {
    text.trim().parse()
}

/// Whether a machine has a time, and that is past.
fn is_over(app: &App, thing: &Candidate, now: jiff::Timestamp) -> bool {
    let Some(text) = thing.text(&["tags", EXPIRES_TAG]) else { return false };
    match time(&text) {
        Ok(time) => time <= now,
        Err(_) => {
            let text: String = text.chars().take(80).collect();
            app.warn(&format!(
                "machine {} ({}): its tag {EXPIRES_TAG} = '{text}' is not a time, so it is left alone",
                thing.name, thing.id
            ));
            false
        }
    }
}
