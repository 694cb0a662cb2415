//! `sdc wait`: until things are as they should be, whoever does it. It changes nothing.

use std::cell::RefCell;
use std::collections::HashSet;

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures_util::StreamExt;

use super::address_options;
use crate::answer::Answer;
use crate::api::cloudapi;
use crate::api::cloudapi::machines;
use crate::api::{self, CLOUDAPI, Noun, Pick, Shape};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options_beside;
use crate::cli::args::{targets, waiting};
use crate::cli::commands::{Custom, Settings};
use crate::cli::resume;
use crate::cli::terminal::exit;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::signals::Signals;
use crate::client::{Condition, Time};
use crate::error::{CommandLine, Error, Hint, Kind, Result, Target};
use crate::request::Args;
use crate::tasks::resolve::needs_lookup;
use crate::tasks::row_filter::{RowFilter, is_filter};
use crate::tasks::wait_for::{Expanded, Typed, Waiting, Wanted, expanded, in_time, waitable};
use crate::tasks::words::plural;
use crate::tasks::{explain, route};

/// `sdc wait`.
pub(crate) static COMMAND: Custom = Custom {
    path: "wait",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[(
        "",
        &[&cloudapi::machines::GET, &cloudapi::images::GET, &cloudapi::volumes::GET, &cloudapi::snapshots::GET],
    )],
    examples: "wait machines -l role=web --for running\n\
         wait images acme-web --for active --timeout 30m",
    previews: false,
    settings: Settings::Needed,
};

/// How many are waited for at once; more have to wait for their turn, in the time that all of them have.
const AT_ONCE: usize = 512;

/// The command and its options.
pub fn command() -> Command {
    let text = clap::builder::NonEmptyStringValueParser::new;
    Command::new("wait")
        .about("Wait until resources meet a condition")
        .before_long_help(
            "CONDITION is one of\n\
             \x20 STATE        that state: running, stopped, active; or state=STATE\n\
             \x20 ready        can be used: a machine running, an image active, a volume ready,\n\
             \x20              a snapshot created\n\
             \x20 active       the same as state=active, of images\n\
             \x20 deleted      gone; an id that never existed counts as gone too\n\
             \x20 tag.K=TEXT   the machine has the tag K with this text; tag.K:=JSON: with this\n\
             \x20              number or boolean\n\
             \x20 port=N       the machine runs and accepts TCP connections on this port\n\
             \x20 ssh          the same on its SSH port, and an SSH server greets\n\n\
             Connections are made from this computer, not through a bastion. Retries on service errors. Fails as \
             soon as the condition can no longer be met.\n\n\
             Exit codes: 0 met by all, 3 not found or none selected, 8 one failed or is gone, \
             9 out of time.",
        )
        .args([
            Arg::new("NOUN").value_name("NOUN").required(true).help("machines, images, volumes or snapshots"),
            Arg::new("ID")
                .value_name("ID")
                .required_unless_present("selector")
                .num_args(1..)
                .action(ArgAction::Append)
                .value_parser(text())
                .help(
                    "Id, short id or name; several may be given, globs ('web-*'), or - for a list on standard input. \
                     Snapshots: the machine, then their names",
                ),
            Arg::new("for")
                .long("for")
                .value_name("CONDITION")
                .required(true)
                .value_parser(text())
                .help("A state, ready, active, deleted, tag.K=TEXT, port=N or ssh"),
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .help("How long to wait: 90s, 15m, or seconds [default: 10m]"),
        ])
        .arg(targets::selector().help("Wait for those with these tags: role=web,env!=prod; may be repeated"))
        .args(address_options::options())
        .args(list_options_beside(&machines::MACHINE))
}

/// Waits and returns the exit code.
///
/// # Errors
/// Whatever went wrong with the one target, or the interruption; failures of several are reported here.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let text = |id: &str| matches.get_one::<String>(id).map(String::as_str).unwrap_or_default();
    let (noun, columns) = waitable(&CLOUDAPI, text("NOUN"))?;
    let wanted = Wanted::parse(noun, text("for"))?;
    let port = matches!(wanted, Wanted::Port(_));
    if !port && (matches.get_flag("public") || matches.get_flag("private") || matches.contains_id("network")) {
        return Err(Error::usage("--public, --private and --network choose the address for --for ssh and port=N"));
    }
    let timeout = waiting::patience(matches, &app.config.defaults)?;
    let view = app.view(matches, columns)?;
    let jq = app.program()?;
    let gone = matches!(wanted, Wanted::Condition(Condition::Gone));
    let typed = Typed { gone, ..typed(app, noun, matches)? };
    let client = app.client()?;
    let time = Time::new(timeout);
    let networks = "the networks";
    let (choice, networks) = in_time(
        &time,
        networks,
        |words| app.say(&format!("{networks}: {words}")),
        async || {
            let choice = address_options::typed(matches).choice(&client).await?;
            let networks = route::networks(&client, &choice).await?;
            Ok((choice, networks))
        },
    )
    .await?;
    let Expanded { targets: places, mut failures, several } = expanded(app, &client, noun, typed, &time).await?;
    if !several && let Some(error) = failures.pop() {
        return Err(error);
    }
    failures.iter().for_each(|error| app.report(error));
    let progress = Progress::new(
        &app.voice,
        app.console.is_dumb(),
        places.iter().map(|(_, name)| format!("{} {name}", noun.word)).collect(),
    );
    let outcomes: RefCell<Vec<(usize, Result<Answer>)>> = RefCell::default();
    let waiting = Waiting { client: &client, noun, wanted: &wanted, time: &time, choice: &choice, networks: &networks };
    let work = each(app, waiting, (&places, several), &progress, &outcomes);
    let mut signals = Signals::new(&app.heard)?;
    let interrupted = tokio::select! {
        () = progress.during(work) => false,
        _ = signals.next() => true,
    };
    drop(progress);
    let mut outcomes = outcomes.into_inner();
    outcomes.sort_by_key(|(at, _)| *at);
    let left: Vec<&str> = places
        .iter()
        .enumerate()
        .filter(|(at, _)| outcomes.iter().all(|(done, _)| done != at))
        .map(|(_, (_, name))| name.as_str())
        .collect();
    let stopped = (interrupted && !left.is_empty()).then(|| interruption(app, noun, &left, matches));
    let mut gravest = failures.iter().fold(None, |gravest, error| Some(error.kind().graver(gravest)));
    let mut found = Vec::new();
    for (_, outcome) in outcomes {
        match outcome {
            Ok(Answer::Record(object)) => found.push(object),
            Ok(_) => {}
            Err(error) if several => {
                gravest = Some(error.kind().graver(gravest));
            }
            Err(error) => return Err(error),
        }
    }
    if (app.globals.output.is_some() || jq.is_some()) && !(interrupted && found.is_empty()) {
        match (several, found.pop()) {
            (false, None) => {}
            (false, Some(only)) => app.show(&Answer::Record(only), Shape::Record, &view, jq.as_ref())?,
            (true, last) => {
                found.extend(last);
                app.show(&Answer::Rows(found), Shape::Rows, &view, jq.as_ref())?;
            }
        }
    }
    match stopped {
        Some(error) => Err(error),
        None => Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0))),
    }
}

/// Waits for all of them, and puts down what came of each, by its place.
async fn each(
    app: &App,
    waiting: Waiting<'_>,
    (places, several): (&[(Args, String)], bool),
    progress: &Progress<'_>,
    outcomes: &RefCell<Vec<(usize, Result<Answer>)>>,
) {
    let mut ends = std::pin::pin!(
        futures_util::stream::iter(places.iter().enumerate())
            .map(|(at, (args, name))| async move {
                let mut args = args.clone();
                let outcome = waiting.one(&mut args, name, |words| {
                    progress.tell(at, if words.is_empty() { "waiting" } else { words });
                });
                let machine = waiting.noun.name == machines::MACHINE.name;
                let outcome = outcome.await;
                let id = args.text(waiting.noun.name).unwrap_or(name);
                let outcome = match outcome {
                    Err(error) if error.kind() == Kind::FailedState && machine => {
                        Err(explain::explain(waiting.client, id, None, None, error).await)
                    }
                    // A job of somebody else may have failed before anybody waited here.
                    Err(error)
                        if error.kind() == Kind::TimedOut && machine && !needs_lookup(&machines::MACHINE, id) =>
                    {
                        let why = CommandLine::new("machines why").on(id);
                        Err(error.hint(Hint::run("whether what was asked of it has failed", why)))
                    }
                    outcome => outcome,
                };
                let id = args.text(waiting.noun.name).filter(|id| id != name).map(str::to_owned);
                let target = Target { noun: waiting.noun.word, id, name: name.clone() };
                let outcome = outcome.map_err(|error| error.on(target));
                progress.end(at, if outcome.is_ok() { "done" } else { "" });
                (at, outcome)
            })
            .buffer_unordered(AT_ONCE)
    );
    while let Some((at, outcome)) = ends.next().await {
        if let (Err(error), true) = (&outcome, several) {
            app.report(error);
        }
        outcomes.borrow_mut().push((at, outcome));
    }
}

/// What is not waited for any more, and the command that goes on with it.
fn interruption(app: &App, noun: &Noun, left: &[&str], matches: &ArgMatches) -> Error {
    let words = format!("interrupted: {} {} is not waited for any more", noun.word, left.join(", "));
    let again = ["NOUN", "for", "timeout"].map(|id| matches.get_one::<String>(id));
    let [Some(word), Some(condition), timeout] = again else { return Error::new(Kind::Interrupted, words) };
    let parents = noun.get.path_params().count().saturating_sub(1);
    let parents = matches.get_many::<String>("ID").into_iter().flatten().take(parents).map(String::as_str);
    let mut command =
        CommandLine::new("wait").on(word).on_all(parents.chain(left.iter().copied())).option("--for", condition);
    if let Some(timeout) = timeout {
        command = command.option("--timeout", timeout);
    }
    for switch in ["public", "private"] {
        if matches.get_flag(switch) {
            command = command.word(format!("--{switch}"));
        }
    }
    if let Some(network) = matches.get_one::<String>("network") {
        command = command.option("--network", network);
    }
    Error::new(Kind::Interrupted, words).hint(Hint::run("to go on", command.and(resume::cloud(app))))
}

fn typed(app: &App, noun: &'static Noun, matches: &ArgMatches) -> Result<Typed> {
    let mut words = matches.get_many::<String>("ID").into_iter().flatten();
    let params: Vec<&'static str> = noun.get.path_params().collect();
    let (own, parents) = params.split_last().map_or((noun.name, &[][..]), |(own, parents)| (*own, parents));
    let rows = selected(app, noun, matches)?;
    let mut named = rows.is_some();
    let mut typed = Typed { place: Args::new(), own, names: Vec::new(), listed: HashSet::new(), rows, gone: false };
    for parent in parents {
        if let Some(name) = words.next() {
            typed.place = typed.place.set(*parent, name);
        }
    }
    for word in words {
        named = true;
        let names = match word.as_str() {
            "-" => {
                let names = targets::from_stdin(&app.console, Some(noun))?;
                typed.listed.extend(names.iter().cloned());
                names
            }
            _ => vec![word.clone()],
        };
        for name in names {
            if !typed.names.contains(&name) {
                typed.names.push(name);
            }
        }
    }
    no_filters(noun, &typed, matches)?;
    if !named {
        let words = format!("no {} was named, only its {}", noun.word, parents.join(" and "));
        return Err(Error::usage(words)
            .hint(Hint::command(CommandLine::new("wait").on(format!("{}s", noun.word)).on("MACHINE").on("NAME"))));
    }
    Ok(typed)
}

/// What `-l` says, of what has tags.
fn selected(app: &App, noun: &'static Noun, matches: &ArgMatches) -> Result<Option<RowFilter>> {
    if !matches.contains_id("selector") {
        return Ok(None);
    }
    if !noun.picks.contains(&Pick::Tags) {
        let words = format!("{} have no tags by which they could be selected", plural(noun.word));
        return Err(Error::usage(words).hint("their names, globs, or - for a list on standard input"));
    }
    Ok(Some(targets::filter(matches, Some(noun), Vec::new(), &app.console)?.rows))
}

/// Refuses filters and selectors where names are due, with the list that has the names.
fn no_filters(noun: &Noun, typed: &Typed, matches: &ArgMatches) -> Result<()> {
    let machine = noun.name == machines::MACHINE.name;
    let filter = |word: &String| match is_filter(&CLOUDAPI, noun.list, word) {
        true => Some(word.clone()),
        // Who means no column means a tag.
        false => (machine && word.contains('=')).then(|| format!("tag.{word}")),
    };
    let of_parts = noun.list.path_params().next().is_some();
    let words = typed.names.iter().filter(|word| !typed.listed.contains(*word) && !of_parts);
    let filters: Vec<(&String, String)> = words.filter_map(|word| Some((word, filter(word)?))).collect();
    let Some((first, _)) = filters.first() else { return Ok(()) };
    let is = if is_filter(&CLOUDAPI, noun.list, first) { "a filter" } else { "a selector" };
    let words = format!("'{first}' is {is}, and names of {} are expected here", plural(noun.word));
    let again = ["NOUN", "for"].map(|id| matches.get_one::<String>(id).map(String::as_str).unwrap_or_default());
    let wait = CommandLine::new("wait").on(again[0]);
    if machine
        && let [(tag, _)] = filters.as_slice()
        && is == "a selector"
    {
        return Err(Error::usage(words).hint(Hint::command(wait.option("-l", tag).option("--for", again[1]))));
    }
    let list = CommandLine::of(&api::command(noun.list)).on_all(filters.iter().map(|(_, filter)| filter));
    let wait = wait.on("-").option("--for", again[1]);
    Err(Error::usage(words).hint(Hint::command(list.with("-o ids")).then(" | ").then_run(wait)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
