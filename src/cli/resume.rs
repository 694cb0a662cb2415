//! What an interruption leaves behind, and how to go on with it. It sends nothing.

use std::ffi::OsStr;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches};

use super::app::App;
use super::terminal::signals::Signals;
use crate::api::{self, CLOUDAPI, Goal, Noun, Op};
use crate::cli::args::{build, given};
use crate::cli::commands::admin::job_wait;
use crate::client::{Client, Watch};
use crate::error::{CommandLine, Error, Hint, Kind, Locator, Result, Unfinished};
use crate::grammar::selector::is_glob;
use crate::tasks::call::{Call, own_verb};
use crate::tasks::change::InFlight;
use crate::tasks::stop::Stop;
use crate::tasks::wait_for::waitable;
use crate::tasks::words::{plural, word};

/// Of so many jobs a command is told each.
const MAX_COMMANDS: usize = 4;
/// So many are named in a command.
const MAX_NAMES: usize = 20;
/// So many are named in a message; more are counted.
const MAX_NAMED: usize = 4;

/// What was typed of a command, for the one that goes on with the rest.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    /// The operation.
    pub op: &'static Op,
    /// What was typed for it.
    pub matches: &'a ArgMatches,
}

/// The options that a command was given, as it takes them again.
#[derive(Default)]
struct ResumeCommand {
    /// What stands behind the targets.
    behind: Vec<String>,
    options: CommandLine,
    /// `--yes` is among them.
    confirmed: bool,
    /// What may be secret or long was left out.
    short: bool,
    /// A key makes that repeating the whole command makes nothing twice.
    keyed: bool,
}

impl ResumeCommand {
    /// Reads them, without the targets and what chose them.
    fn read(Typed { op, matches }: Typed<'_>) -> ResumeCommand {
        let mut again = ResumeCommand {
            keyed: matches.try_get_raw("idempotency-key").is_ok_and(|key| key.is_some()),
            ..ResumeCommand::default()
        };
        for (field, text) in given::shared(op, matches).map(|words| words.fields).unwrap_or_default() {
            match field.kind {
                // A file can be named again.
                api::Kind::FlatPairs(_) | api::Kind::Tags(_) if text.starts_with('@') && text != "@-" => {}
                api::Kind::FlatPairs(_) | api::Kind::Tags(_) => again.short = true,
                _ => again.behind.push(text),
            }
        }
        let target = op.path_params().last();
        let chose =
            |id: &str| matches!(id, "selector" | "pick-state" | "older-than" | "keep" | "count") || target == Some(id);
        for arg in build::operation(op).get_arguments() {
            let id = arg.get_id().as_str();
            let typed = matches.try_contains_id(id).is_ok_and(|there| there)
                && matches.value_source(id) == Some(ValueSource::CommandLine);
            let Some(long) = arg.get_long().filter(|_| typed && !chose(id)) else { continue };
            // What holds pairs may hold a password, and these words go into logs.
            use api::Kind::{FlatFiles, FlatPairs, Json, Object, PairFiles, Pairs};
            let kind = op.fields.iter().find(|field| field.name == id).map(|field| field.kind);
            if matches!(kind, Some(FlatPairs(_) | FlatFiles(_) | Json | Object | PairFiles(_) | Pairs(_))) {
                again.short = true;
                continue;
            }
            let option = format!("--{long}");
            if let ArgAction::SetTrue = arg.get_action() {
                again.confirmed |= id == "yes";
                again.options = again.options.word(option);
                continue;
            }
            for value in matches.get_raw(id).into_iter().flatten().map(OsStr::to_string_lossy) {
                again.options = match (arg.is_require_equals_set(), value.is_empty()) {
                    (true, true) => again.options.word(&option),
                    (true, false) => again.options.word(format!("{option}={value}")),
                    (false, _) => again.options.option(&option, value),
                };
            }
        }
        again
    }

    /// The command for these targets, which asks nothing.
    fn command(&self, app: &App, op: &'static Op, these: &[String]) -> CommandLine {
        let command = command_of(op).on_all(these).on_all(&self.behind).and(self.options.clone());
        let command = if op.asks && !self.confirmed { command.with("--yes") } else { command };
        command.and(cloud(app))
    }
}

/// What was being done to each target.
#[derive(Clone, Copy)]
pub struct Left<'a> {
    /// The state that was waited for instead of the operation's own.
    pub state: Option<&'static str>,
    /// Something is made, in a way of its own.
    pub makes: bool,
    /// What was typed.
    pub typed: Typed<'a>,
}

/// What an interruption leaves behind, and how to go on.
pub fn interruption(app: &App, left: Left<'_>, begun: &[InFlight], calls: &[Call]) -> Error {
    let (op, again) = (left.typed.op, ResumeCommand::read(left.typed));
    let of = |fits: fn(&InFlight) -> bool| -> Vec<&InFlight> {
        begun.iter().filter(|begun| !begun.ended.get() && fits(begun)).collect()
    };
    let ids = |these: &[&InFlight]| -> Vec<String> { these.iter().filter_map(|one| one.id.borrow().clone()).collect() };
    let deleting = of(|one| one.deleting.get());
    let under_way = of(|one| one.watch.is_out() && !one.deleting.get());
    let there = of(|one| one.there.get() && !one.deleting.get());
    let unsent = of(|one| !one.watch.is_out() && !one.there.get() && !one.deleting.get());
    let noun = op.makes().or_else(|| api::noun(op.path_params().last()?));
    let names = |these: &[&InFlight]| named(these, noun);
    let mut told = Vec::new();
    if !under_way.is_empty() {
        told.push(format!("{} was sent for {}, and goes on", own_verb(op), names(&under_way)));
    }
    if !deleting.is_empty() {
        told.push(format!("{} did not come to its end, is being deleted and may still be there", names(&deleting)));
    }
    if !there.is_empty() {
        told.push(format!("{} is not waited for any more", names(&there)));
    }
    if !unsent.is_empty() {
        told.push(format!("nothing was sent for {}", names(&unsent)));
    }
    let words = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
    let all = |fits: fn(&InFlight) -> bool| -> Vec<Locator> {
        let these = begun.iter().zip(calls).filter(|(one, _)| !one.ended.get() && fits(one));
        these.filter_map(|(one, call)| located(op, one, call)).collect()
    };
    let unfinished =
        Unfinished { sent: all(|one| one.watch.is_out()), unsent: all(|one| !one.watch.is_out() && !one.there.get()) };
    let parts = unfinished.unsent.iter().filter(|one| !one.above.is_empty());
    let parts = grouped(parts.map(|one| (one.above.iter().map(|(_, id)| id.clone()).collect(), one.id.clone())));
    let mut error = Error::new(Kind::Interrupted, format!("interrupted{words}")).leaving(unfinished);
    for id in ids(&deleting).into_iter().take(MAX_COMMANDS) {
        let delete = CommandLine::new("machines delete").on(id).with("--yes").and(cloud(app));
        error = error.hint(Hint::run("to delete it", delete));
    }
    let jobs: Vec<String> = under_way.iter().filter_map(|one| one.job.borrow().clone()).take(MAX_NAMES).collect();
    if !jobs.is_empty() {
        let wait = CommandLine::new(job_wait::COMMAND.path).on_all(&jobs).and(cloud(app));
        error = error.hint(Hint::run("to wait for it", wait));
    } else if let Some((goal, noun)) = &op.goal {
        let waited = begun.iter().zip(calls);
        let waited = waited.filter(|(one, _)| !one.ended.get() && !one.deleting.get());
        let waited = waited.filter(|(one, _)| one.watch.is_out() || one.there.get());
        let places = grouped(waited.filter_map(|(one, call)| place(noun, one, call)));
        error = ways_to_wait(app, left, goal, noun, &places).into_iter().fold(error, Error::hint);
    } else if let Some(noun) = op.makes() {
        // One that has an id of our own is found by that.
        let sent = begun.iter().zip(calls).filter(|(one, _)| !one.ended.get() && one.watch.is_out());
        let ids = sent.filter(|(one, _)| one.id.borrow().is_some()).filter_map(|(one, call)| place(noun, one, call));
        for (above, id) in ids.take(MAX_COMMANDS) {
            let command = command_of(noun.get).on_all(&above).on(id).and(cloud(app));
            error = error.hint(Hint::run("to see what became of it", command));
        }
    }
    error = look_for_new(app, op, &under_way, error);
    let with = if again.short { ", with the same pairs" } else { "" };
    match (op.path_params().collect::<Vec<_>>().as_slice(), ids(&unsent)) {
        ([_, _, ..], _) if !parts.is_empty() => go_on_with_parts(app, op, again, &parts, with, error),
        // Only below the noun itself is an id enough to name a thing.
        ([_], ids) if !ids.is_empty() && ids.len() <= MAX_NAMES && ids.iter().all(|id| names_one(id)) => {
            error.hint(Hint::run(format!("to go on with the others{with}"), again.command(app, op, &ids)))
        }
        ([_], ids) if !ids.is_empty() => {
            let these = command_of(op).on("-").and(again.options).and(cloud(app));
            let error = if is_done_twice(op) { error } else { error.hint(AGAIN) };
            let ids = "to go on with these alone, whose ids .error.unsent has with --json, one a line";
            error.hint(Hint::run(format!("{ids}{with}"), these))
        }
        ([], _) if again.keyed && left.makes => {
            error.hint("to go on: the same command again; what its key has made is not made twice")
        }
        ([], _) if left.makes && !unsent.is_empty() && given::sources(left.typed.matches).next().is_some() => error
            .hint(match left.typed.matches.get_flag("if-absent") {
                true => "to go on: the same command again; what is there is not made twice".to_owned(),
                false => {
                    format!("to make the others: the same command, with the documents of {} alone", documents(&unsent))
                }
            }),
        ([], _) if left.makes && unsent.iter().any(|one| one.new.is_some()) => {
            let names: Vec<&str> = unsent.iter().filter_map(|one| one.new.as_deref()).take(MAX_COMMANDS).collect();
            let more = unsent.len().saturating_sub(names.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let one = "to make the others: the same command, with -n NAME and without --count, for each of";
            error.hint(format!("{one} {}{more}", names.join(", ")))
        }
        ([], _) if left.makes && !unsent.is_empty() => {
            error.hint(format!("to make the others: the same command with --count {}", unsent.len()))
        }
        _ => error,
    }
}

/// The error with the commands that find what is being made, and has no id yet.
fn look_for_new(app: &App, op: &Op, under_way: &[&InFlight], mut error: Error) -> Error {
    let Some(noun) = op.goal.map(|(_, noun)| noun).or(op.makes()) else { return error };
    let mut unknown = under_way.iter().filter(|one| one.id.borrow().is_none()).filter_map(|one| one.new.as_ref());
    for new in unknown.by_ref().take(MAX_COMMANDS) {
        let command = CommandLine::of(&api::command(noun.list)).on(format!("name={new}")).and(cloud(app));
        error = error.hint(Hint::run("to see what became of it", command));
    }
    match unknown.count() {
        0 => error,
        more => error.hint(format!("and so on for {more} more")),
    }
}

/// What the rest of what can be repeated is done with.
const AGAIN: &str = "to go on with the others: the same command again";

/// Whether a thing that is done a second time is done twice.
fn is_done_twice(op: &Op) -> bool {
    matches!(op.goal, Some((Goal::Audit(_) | Goal::AuditThen(..), _)))
}

/// What a script needs to know of one that is left: of a part, what it is a part of too.
fn located(op: &Op, one: &InFlight, call: &Call) -> Option<Locator> {
    let id = one.id.borrow().clone().or_else(|| one.new.clone());
    let above = |params: &[&'static str]| -> Option<Vec<(&'static str, String)>> {
        params.iter().map(|param| Some((word(param), call.args.text(param)?.to_owned()))).collect()
    };
    let params: Vec<&'static str> = op.path_params().collect();
    match (params.as_slice(), op.makes()) {
        // What is changed is named by the path, whatever tells that the change has come to its end.
        ([parents @ .., target], _) if !parents.is_empty() => {
            Some(Locator { above: above(parents)?, id: call.args.text(target)?.to_owned() })
        }
        // Once it is sent, what is made on a machine is that part.
        ([owner], Some(made)) if call.args.text(owner) != id.as_deref() && made.get.path_params().count() > 1 => {
            Some(Locator { above: above(&params)?, id: id? })
        }
        _ => Some(Locator { above: Vec::new(), id: id? }),
    }
}

/// The ids of what things are parts of, and their own.
type Group = (Vec<String>, Vec<String>);

/// The parts of each thing, in their order.
fn grouped(all: impl Iterator<Item = (Vec<String>, String)>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (above, id) in all {
        match groups.iter_mut().find(|(known, _)| *known == above) {
            Some((_, ids)) if ids.contains(&id) => {}
            Some((_, ids)) => ids.push(id),
            None => groups.push((above, vec![id])),
        }
    }
    groups
}

/// A command for the parts of each thing, as far as a message has room.
fn go_on_with_parts(
    app: &App,
    op: &'static Op,
    again: ResumeCommand,
    parts: &[Group],
    with: &str,
    error: Error,
) -> Error {
    let can_be_named = |(_, ids): &Group| {
        ids.len() <= MAX_NAMES && ids.iter().all(|id| names_one(id)) && (ids.len() == 1 || op.takes_several())
    };
    if parts.len() <= MAX_COMMANDS && parts.iter().all(can_be_named) {
        let command = |(above, ids): &Group| {
            let these: Vec<String> = above.iter().chain(ids).cloned().collect();
            Hint::run(format!("to go on with the others{with}"), again.command(app, op, &these))
        };
        return parts.iter().map(command).fold(error, Error::hint);
    }
    let words: Vec<String> = op.path_params().map(|param| word(param).to_uppercase()).collect();
    let error = if is_done_twice(op) { error } else { error.hint(AGAIN) };
    let each = "to go on with these alone, which .error.unsent has with --json, for each";
    error.hint(Hint::run(format!("{each}{with}"), again.command(app, op, &words)))
}

/// Their names, or how many of these there are where a message has no room for all.
fn named(these: &[&InFlight], noun: Option<&Noun>) -> String {
    match these.len() {
        0..=MAX_NAMED => these.iter().map(|one| one.name.borrow().clone()).collect::<Vec<_>>().join(", "),
        many => format!("{many} {}", plural(noun.map_or("target", |noun| noun.word))),
    }
}

/// The names of documents, as far as a message has room.
fn documents(these: &[&InFlight]) -> String {
    let mut all: Vec<String> = these.iter().take(MAX_NAMES).map(|one| one.name.borrow().clone()).collect();
    if these.len() > MAX_NAMES {
        all.push(format!("and {} more", these.len() - MAX_NAMES));
    }
    all.join(", ")
}

/// Whether a name can be typed, and then means nothing but the thing of this name: `web*` means others too as soon as
/// that is gone.
fn names_one(name: &str) -> bool {
    !is_glob(name) && !name.contains(char::is_control)
}

/// The options that chose the cloud, the account and the key.
pub fn cloud(app: &App) -> CommandLine {
    app.globals.cloud.iter().fold(CommandLine::default(), |line, (name, value)| match value {
        Some(value) => line.option(&format!("--{name}"), value),
        None => line.word(format!("--{name}")),
    })
}

/// What shows a thing: the ids of what it is a part of, and its own.
fn place(noun: &Noun, one: &InFlight, call: &Call) -> Option<(Vec<String>, String)> {
    let params: Vec<&'static str> = noun.get.path_params().collect();
    let (own, parents) = params.split_last()?;
    let given = |param: &str| call.args.text(param).map(str::to_owned);
    let above = parents.iter().map(|param| given(param)).collect::<Option<_>>()?;
    // What was made has its id since it was answered.
    Some((above, given(own).or_else(|| one.id.borrow().clone())?))
}

/// The commands that wait for these, or show how far they are.
fn ways_to_wait(app: &App, left: Left<'_>, goal: &Goal, noun: &'static Noun, places: &[Group]) -> Vec<Hint> {
    let end = match (left.state, goal) {
        (Some(state), _) => Some(format!("state={state}")),
        (None, Goal::State(state)) => Some(format!("state={state}")),
        (None, Goal::Gone) => Some("deleted".to_owned()),
        _ => None,
    };
    let words = api::words(noun.get);
    // `machines snapshots get`: what `sdc wait` waits for is called by the word before the verb.
    let known = words
        .rsplit(' ')
        .nth(1)
        .filter(|word| waitable(&CLOUDAPI, word).is_ok_and(|(known, _)| known.name == noun.name));
    let each = |purpose: &str, command: CommandLine| -> Vec<Hint> {
        let of = |above: &[String], id: &str| Hint::run(purpose, command.clone().on_all(above).on(id).and(cloud(app)));
        match places.iter().map(|(_, ids)| ids.len()).sum() {
            0..=MAX_COMMANDS => places
                .iter()
                .flat_map(|(above, ids)| ids.iter().map(move |id| (above, id)))
                .map(|(above, id)| of(above, id))
                .collect(),
            _ => vec![of(&[], &noun.word.to_uppercase())],
        }
    };
    match (end, goal, known) {
        (Some(end), _, Some(word)) => {
            let wait = |(above, ids): &Group| {
                let wait = CommandLine::new("wait").on(word).on_all(above).on_all(ids.iter().take(MAX_NAMES));
                Hint::run("to wait for it", wait.option("--for", &end).and(cloud(app)))
            };
            places.iter().take(MAX_COMMANDS).map(wait).collect()
        }
        // The state was the same before: only its records tell that it is over.
        (_, Goal::AuditThen(..) | Goal::Audit(_), _) => {
            each("to see whether it is done", CommandLine::new("machines audit"))
        }
        _ => each("to look at it", command_of(noun.get)),
    }
}

/// The words of the operation's command.
pub fn command_of(op: &'static Op) -> CommandLine {
    CommandLine::of(&api::words(op))
}

/// Sends the one request of a change that no command goes on with. Returns what came of it, and the interruption that
/// came meanwhile, with which the run ends once that is shown. `what` is done in words, such as "update image ID", and
/// `look` shows whether it was.
///
/// # Errors
/// Those of the request; the interruption, where the request was not sent, failed, or is out when the second one comes.
pub async fn sent<T>(
    app: &App,
    client: &Client,
    what: &str,
    look: &CommandLine,
    send: impl AsyncFnOnce(&Client) -> Result<T>,
) -> Result<(T, Option<Error>)> {
    let stop = Stop::default();
    let watch = Arc::new(Watch::new(stop.flag()));
    let watched = client.watched(Arc::clone(&watch));
    let mut outcome = None;
    let interrupted = |words: &str| Error::new(Kind::Interrupted, format!("interrupted: {what} {words}"));
    let work = async { outcome = stop.unless_unsent(&watch, send(&watched)).await };
    let left = || match watch.is_out() {
        true => with_look(app, look, interrupted("was sent").in_doubt()),
        false => interrupted("was not sent"),
    };
    let asked = heeded(app, &stop, work, left).await?;
    match (outcome, asked) {
        (Some(Ok(answer)), asked) => Ok((answer, asked.then(|| interrupted("was carried out")))),
        (Some(Err(error)), true) if error.kind() != Kind::Interrupted => {
            app.report(&with_look(app, look, error));
            Err(interrupted("failed"))
        }
        (Some(Err(error)), false) => Err(with_look(app, look, error)),
        _ => Err(interrupted("was not sent")),
    }
}

/// Says of a change whose outcome is unknown which command shows what became of it.
pub fn with_look(app: &App, look: &CommandLine, error: Error) -> Error {
    match error.is_in_doubt() {
        true => error.hint(Hint::run("to see what became of it", look.clone().and(cloud(app)))),
        false => error,
    }
}

/// How long the end may take after an interruption before it is told that it takes time.
const QUIET_END: Duration = Duration::from_millis(200);

/// Does the work to its end, which the first interruption hastens and the second cuts off. Returns whether there was
/// one.
///
/// # Errors
/// The second interruption's.
pub async fn heeded(app: &App, stop: &Stop, work: impl Future<Output = ()>, left: impl Fn() -> Error) -> Result<bool> {
    let mut signals = Signals::new(&app.heard)?;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            () = &mut work => return Ok(stop.is_asked()),
            _ = signals.next() => {
                if stop.ask() {
                    return Err(left());
                }
                // What only waited ends by itself.
                if tokio::time::timeout(QUIET_END, &mut work).await.is_ok() {
                    return Ok(true);
                }
                app.tell("interrupted: nothing more is begun, what was sent is waited for; once more leaves at once");
            }
        }
    }
}
