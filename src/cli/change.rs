//! Runs an operation that changes something on one target or several, and prints what became of each. An interruption
//! stops what has not been sent yet, and the error names what continues. The change itself is the work of
//! `tasks::change`.

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;

use futures_util::StreamExt;

use super::app::App;
use super::resume::heeded;
use super::resume::{self, Left, Typed, interruption};
use super::several;
use super::terminal::exit;
use super::terminal::progress::Progress;
use crate::answer::{Answer, scan};
use crate::api::{self, Goal, Ids, Method, Op, Shape, Takes};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result, Target};
use crate::render::{self, Format, View};
use crate::request::Arg;
use crate::tasks::Report;
use crate::tasks::call::{Call, verb};
use crate::tasks::change::{Change, Changing, Done, InFlight, Outcome, own_id};
use crate::tasks::held_up::Pulse;
use crate::tasks::stop::Stop;
use crate::tasks::targets::Targets;
use crate::tasks::{about, meant, near, placement, vm_notes};

/// So many are named where what was done cannot be shown.
const MAX_NAMES: usize = 100;

/// What is to be done, and how.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    /// What to do to each target.
    pub change: Change<'a>,
    /// How many are worked on at once.
    pub parallel: usize,
    /// What was typed, for whoever goes on with the rest.
    pub typed: Typed<'a>,
    /// What follows each, once its request is answered.
    pub following: Option<&'a dyn Following>,
}

/// Follows what was changed, for a command that does more than its operation.
pub trait Following {
    /// Follows it from its answer on, and returns what is to be shown of it.
    fn follow<'a>(
        &'a self,
        client: &'a Client,
        call: &'a Call,
        answer: Answer,
    ) -> Pin<Box<dyn Future<Output = Result<Answer>> + 'a>>;
}

/// Reports to the terminal, where each target has a line of its own.
struct Shown<'a> {
    app: &'a App,
    progress: &'a Progress<'a>,
    /// Whether each moves.
    pulses: &'a [Pulse],
}

impl Report for Shown<'_> {
    fn say(&self, words: &str) {
        self.app.say(words);
    }

    fn step(&self, words: &str) {
        self.progress.step(words);
    }

    fn warn(&self, words: &Hint) {
        Report::warn(self.app, words);
    }

    fn urge(&self, words: &Hint) {
        Report::urge(self.app, words);
    }

    fn name(&self, target: usize, name: &str) {
        self.progress.name(target, name);
    }

    fn state(&self, target: usize, state: &str) {
        self.progress.tell(target, state);
        if let Some(pulse) = self.pulses.get(target) {
            pulse.moved();
        }
    }
}

/// Keeps what is known of one that has not come to its end, and says whether anything is.
fn keep(done: &mut Vec<(usize, Answer)>, at: usize, made: Option<Answer>) -> bool {
    let known = made.is_some();
    done.extend(made.map(|made| (at, made)));
    known
}

/// Does it to each, and returns the exit code.
///
/// # Errors
/// Whatever went wrong with the one target, or the interruption; failures of several are reported here.
pub async fn run(
    app: &App,
    client: &Client,
    batch: Batch<'_>,
    targets: Targets,
    view: View,
    jq: Option<&render::Program>,
) -> Result<i32> {
    let Batch { change, parallel, typed, following } = batch;
    let op = change.op;
    let several = targets.several || targets.calls.len() > 1;
    let mut tally = Tally::of(&targets.failures);
    let (mut done, mut made): (Vec<(usize, Answer)>, HashSet<String>) = Default::default();
    let mut receipts_only = true;
    let mut failure = None;
    let groups = groups(op, &targets.calls);
    // What is under way, so that whoever interrupts it can be told.
    let stop = Stop::default();
    let begun: Vec<InFlight> = targets.calls.iter().map(|call| InFlight::new(call, stop.flag())).collect();
    let names = begun.iter().map(|begun| begun.name.borrow().clone()).collect();
    let progress = Progress::new(&app.voice, app.console.is_dumb(), names);
    let pulses: Vec<Pulse> = begun.iter().map(|_| Pulse::default()).collect();
    let shown = Shown { app, progress: &progress, pulses: &pulses };
    let changing = Changing { client, change, stop: &stop, report: &shown, services: Some(app) };
    let work = async {
        let mut under_way = std::pin::pin!(
            futures_util::stream::iter(groups)
                .map(|group| {
                    futures_util::stream::iter(group).then(|at| {
                        let (changing, shown, pulse) = (&changing, &shown, &pulses[at]);
                        let (call, begun) = (&targets.calls[at], &begun[at]);
                        Box::pin(async move {
                            let outcome = told(changing, shown, (at, call, begun), pulse).await;
                            let outcome = followed((following, changing, shown), call, outcome).await;
                            let outcome = helped(app, client, &changing.change, call, outcome).await;
                            shown.progress.end(at, "");
                            begun.ended.set(!matches!(outcome, Ok(Outcome::Left(_))));
                            match outcome {
                                Err(error) => (at, Err(of_target(client, op, (call, begun), error).await)),
                                done => (at, done),
                            }
                        })
                    })
                })
                // One that takes long holds up none of the others.
                .flatten_unordered(parallel)
        );
        while let Some((at, outcome)) = under_way.next().await {
            match unlike_others(&change, &mut made, outcome) {
                Ok(Outcome::Done(Done { object, receipt, words })) => {
                    receipts_only &= receipt;
                    words.iter().for_each(|words| progress.step(words));
                    tally.done += 1;
                    done.push((at, object));
                }
                Ok(Outcome::Missing(words)) => {
                    tally.done += 1;
                    app.say(&words);
                }
                // What was made is known although its end is not.
                Ok(Outcome::Left(made)) => {
                    receipts_only &= !keep(&mut done, at, made.filter(|made| is_told(op, &view, jq, made)));
                }
                Err(error) => {
                    let made = made_despite(&error).filter(|made| is_told(op, &view, jq, made));
                    receipts_only &= !keep(&mut done, at, made);
                    if several {
                        tally.fail(app, &error);
                    } else {
                        failure = Some(error);
                    }
                }
            }
        }
    };
    let left = Left { typed, state: change.state, makes: change.making.is_some() };
    let left = || interruption(app, left, &begun, &targets.calls);
    let interrupted = heeded(app, &stop, progress.during(work), left).await;
    drop(progress);
    // Whoever leaves at once asks nothing more of the service.
    let at_once = interrupted.is_err();
    if let Some(error) = interrupted.map_or_else(Some, |asked| asked.then(left)) {
        // What went wrong before it is not lost for it.
        failure.iter().for_each(|error| app.report(error));
        failure = Some(error);
    }
    if several && failure.is_none() && begun.len() + targets.failures.len() > 1 {
        tally.say(app, op, change.wait.is_some());
    }
    let (mut view, hidden) = app.of_change(op, view, receipts_only);
    // Whoever was first done, the order is that of the targets.
    done.sort_by_key(|(at, _)| *at);
    view.known = if receipts_only && op.shape != Shape::Map { render::RECEIPT_COLUMNS } else { view.known };
    let done = if several { several::of_owners(op, done, &targets, &mut view) } else { done };
    let done: Vec<Answer> = done.into_iter().map(|(_, answer)| answer).collect();
    // Several targets answer an array; words about actions are for people and went to stderr.
    let table = matches!(view.format, Format::Table | Format::Wide);
    let quiet = hidden || table && (receipts_only || is_told_in_words(&change) && view.columns.is_empty());
    if (!quiet || jq.is_some()) && !(done.is_empty() && (failure.is_some() || tally.gravest.is_some())) {
        let as_rows = several || table && jq.is_none() && op.shape != Shape::Map;
        let answer = Answer::joined(done, as_rows);
        if !at_once && jq.is_none() {
            // What was changed is told, with or without them.
            view.images = app.image_names(client, &view, &answer).await.unwrap_or_default();
        }
        app.show(&answer, shape_of(op, &answer), &view, jq).map_err(|error| {
            failure.iter().for_each(|error| app.report(error));
            unwritten(error, op, &answer, &begun)
        })?;
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(tally.gravest.map_or(0, |kind| i32::from(exit::code(kind).0))),
    }
}

/// Changes one, and tells what its job waits for, where it has one.
async fn told(
    changing: &Changing<'_>,
    shown: &Shown<'_>,
    (at, call, begun): (usize, &Call, &InFlight),
    pulse: &Pulse,
) -> Result<Outcome> {
    let work = changing.one(at, call, begun);
    match changing.client.service().is_inner() {
        true => {
            let tell = |words: &str| shown.progress.tell(at, &format!("its job {words}"));
            Box::pin(pulse.beside(shown.app.asking(), &begun.job, work, tell)).await
        }
        false => work.await,
    }
}

/// What is to be shown of one that is followed after its answer. Leaving it loses nothing.
async fn followed(
    (following, changing, shown): (Option<&dyn Following>, &Changing<'_>, &Shown<'_>),
    call: &Call,
    outcome: Result<Outcome>,
) -> Result<Outcome> {
    let (Some(following), Ok(Outcome::Done(done))) = (following, &outcome) else { return outcome };
    done.words.iter().for_each(|words| shown.progress.step(words));
    tokio::select! {
        object = following.follow(changing.client, call, done.object.clone()) => {
            object.map(|object| Outcome::Done(Done { object, receipt: done.receipt, words: None }))
        }
        () = changing.stop.asked() => Ok(Outcome::Left(Some(done.object.clone()))),
    }
}

/// Each that was made has an id of its own: what stands between may answer several requests with one answer.
fn unlike_others(change: &Change<'_>, made: &mut HashSet<String>, outcome: Result<Outcome>) -> Result<Outcome> {
    // What is made once may be meant twice.
    let once = change.making.is_some_and(|making| making.makes_once());
    // What has a name within another thing has no id of its own.
    let Some(noun) = change.op.makes().filter(|noun| !once && noun.ids == Ids::Uuid) else { return outcome };
    let object = match &outcome {
        Ok(Outcome::Done(Done { object, .. }) | Outcome::Left(Some(object))) => object,
        _ => return outcome,
    };
    let id = object.first().and_then(|row| row.text(&format!("/{}", noun.key)).map(|id| id.to_ascii_lowercase()));
    match id.filter(|id| !made.insert(id.clone())) {
        None => outcome,
        Some(id) => {
            let words =
                format!("the service has answered two of these with one id, {id}: one of them need not be there");
            Err(Error::new(Kind::Unreachable, words).in_doubt())
        }
    }
}

/// An error of a call says which target it is about.
async fn of_target(client: &Client, op: &Op, (call, begun): (&Call, &InFlight), error: Error) -> Error {
    let known = about::by_name(client, call, &error).await;
    let call = known.as_ref().unwrap_or(call);
    of_new(op, call, begun, call.of(call.blame(call.named(error))))
}

/// An error of what is being made says which it is about too, for scripts.
fn of_new(op: &Op, call: &Call, begun: &InFlight, error: Error) -> Error {
    let (Some(noun), None) = (op.makes(), &call.target) else { return error };
    let (id, name) = (begun.id.borrow().clone(), begun.new.clone());
    match (&id, name) {
        (None, None) => error,
        (_, name) => error.on(Target { noun: noun.word, id, name: name.unwrap_or_default() }),
    }
}

/// Which calls are made one after another: those of parts of one resource. Those of several go side by side.
fn groups(op: &Op, calls: &[Call]) -> Vec<Vec<usize>> {
    if op.targets != Takes::InTurn {
        return (0..calls.len()).map(|at| vec![at]).collect();
    }
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let above: Vec<&str> = call.parents.iter().filter_map(|(param, _)| call.args.text(param)).collect();
        let above = above.join("/");
        match groups.iter_mut().find(|(known, _)| *known == above) {
            Some((_, group)) => group.push(at),
            None => groups.push((above, vec![at])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// What was made is told although the wait for it failed: a script must learn its id. What is left of a thing that was
/// not there is no result.
fn made_despite(error: &Error) -> Option<Answer> {
    let made = error.body().filter(|_| error.kind() != Kind::NotFound);
    made.and_then(|made| Answer::from_record(made.as_bytes()).ok())
}

/// Whether what is known of a new thing whose end is not known makes a row of a table: an id without anything of what is
/// shown does not. Scripts get what there is.
fn is_told(op: &Op, view: &View, jq: Option<&render::Program>, made: &Answer) -> bool {
    let (Some(noun), None, Format::Table | Format::Wide) = (op.makes(), jq, view.format) else { return true };
    let Some(row) = made.first() else { return false };
    match view.columns.is_empty() || view.proposed {
        true => row
            .read::<serde_json::Map<String, serde_json::Value>>()
            .is_ok_and(|all| all.iter().any(|(name, value)| name != noun.key && !value.is_null())),
        false => view.columns.iter().any(|column| row.text(&format!("/{}", column.path.join("/"))).is_some()),
    }
}

/// Whether what was done is told in words alone: what was made and waited for is shown.
fn is_told_in_words(change: &Change<'_>) -> bool {
    change.op.is_silent() && !(change.wait.is_some() && change.op.makes().is_some())
}

/// How an answer to an operation is to be shown.
fn shape_of(op: &Op, answer: &Answer) -> Shape {
    match answer {
        Answer::Rows(_) => Shape::Rows,
        _ if op.shape == Shape::Map => Shape::Map,
        _ => Shape::Record,
    }
}

/// Says of an output that could not be written that what it was to tell of was done.
pub fn carried_out(error: Error, what: &str) -> Error {
    match error.kind() {
        Kind::ClosedPipe => error,
        _ => error.hint(format!("it was carried out all the same: {what}")),
    }
}

/// What was done is done although nobody can read it: it is called by name, where its words went is where errors go.
fn unwritten(error: Error, op: &Op, answer: &Answer, begun: &[InFlight]) -> Error {
    if error.kind() == Kind::ClosedPipe {
        return error;
    }
    let key = op.makes().or(op.goal.map(|(_, noun)| noun)).map_or("id", |noun| noun.key);
    let made = op.makes().is_some();
    let rows = answer.rows().filter_map(|row| row.text(&format!("/{key}")).map(|id| (row, id)));
    let names: Vec<String> = match made {
        true => rows
            .map(|(row, id)| match row.text("/name").filter(|name| *name != id) {
                Some(name) => format!("{name} ({id})"),
                None => id.into_owned(),
            })
            .collect(),
        false => begun.iter().filter(|one| one.ended.get()).map(|one| one.name.borrow().clone()).collect(),
    };
    let word = op.makes().map_or(String::new(), |noun| format!("{} ", noun.word));
    let error = match names.is_empty() {
        true => carried_out(error, op.verb),
        false => names
            .iter()
            .take(MAX_NAMES)
            .fold(error, |error, name| error.hint(format!("{} was carried out all the same: {word}{name}", op.verb))),
    };
    match names.len().checked_sub(MAX_NAMES) {
        Some(more @ 1..) => error.hint(format!("and {more} more")),
        _ => error,
    }
}

/// What came of several targets.
#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    /// Of these nobody knows whether they are done.
    unknown: usize,
    /// These go on, and were not waited for any longer.
    late: usize,
    gravest: Option<Kind>,
}

impl Tally {
    fn of(failures: &[Error]) -> Tally {
        let mut tally = Tally::default();
        failures.iter().for_each(|error| tally.count(error));
        tally
    }

    fn fail(&mut self, app: &App, error: &Error) {
        app.report(error);
        self.count(error);
    }

    fn count(&mut self, error: &Error) {
        match (error.is_in_doubt(), error.kind()) {
            (true, _) => self.unknown += 1,
            (false, Kind::TimedOut) => self.late += 1,
            (false, _) => self.failed += 1,
        }
        self.gravest = Some(error.kind().graver(self.gravest));
    }

    /// The sum of it, in one line.
    fn say(&self, app: &App, op: &Op, waited: bool) {
        let part = |count: usize, word| if count > 0 { format!(", {count} {word}") } else { String::new() };
        let (failed, unknown) = (part(self.failed, "failed"), part(self.unknown, "unknown"));
        let late = part(self.late, "not done in time");
        let done = if waited || op.goal.is_none() { "done" } else { "requested" };
        let all = self.done + self.failed + self.unknown + self.late;
        app.say(&format!("{}: {} of {all} {done}{failed}{unknown}{late}", verb(op), self.done));
    }
}

/// Adds to a failure what its user can do: a name that may have been meant, or where to look.
async fn helped<T>(app: &App, client: &Client, change: &Change<'_>, call: &Call, outcome: Result<T>) -> Result<T> {
    let op = change.op;
    match outcome {
        Err(error) => {
            let error = there_already(op, call, looked_for(app, op, call, error));
            let error = near::with_keys(op, call.target.as_ref().map(|(_, name)| name.as_str()), error);
            let error = near::same_key(client, op, &call.args, error).await;
            let error = placement::explained(app, &call.args, error).await;
            let error = vm_notes::failed(app, client, op, call, error).await;
            Err(meant::part(client, op, &call.args, error).await)
        }
        done => {
            if change.wait.is_some() {
                vm_notes::left_by(app, op, call).await.iter().for_each(|left| Report::warn(app, left));
            }
            done
        }
    }
}

/// Says of one that is there already where it is and how it is shown: of a machine's parts, each network has one.
fn there_already(op: &Op, call: &Call, error: Error) -> Error {
    let place = op.makes().and_then(|noun| Some((noun, noun.on?.0)));
    let redirected = op.found_by_redirect && error.fault().is_some_and(|fault| fault.status == 302);
    let Some((noun, on)) = place.filter(|_| redirected) else { return error };
    let id = match call.args.get(on.name) {
        Some(Arg::Text(id)) => id.clone(),
        Some(Arg::Json(nic)) => scan::at(nic.get(), &["ipv4_uuid"]).unwrap_or_default().trim_matches('"').to_owned(),
        None => return error,
    };
    let above: Option<Vec<&str>> = op.path_params().map(|param| call.args.text(param)).collect();
    let error = error.about(&format!("{} {id}", on.word));
    match above {
        Some(above) => error.hint(Hint::run("to see it", resume::command_of(noun.get).on_all(above).on(id))),
        None => error,
    }
}

/// The command that shows what became of a change: by what its end is known, else by what stands at its path, or above.
fn look_at(op: &'static Op, call: &Call) -> Option<CommandLine> {
    let logged = matches!(op.goal, Some((Goal::Audit(_) | Goal::AuditThen(..), _)));
    let log = op.goal.and_then(|(_, noun)| noun.log).filter(|_| logged);
    let shows = |other: &&'static Op| other.method == Method::Get && other.path == op.path;
    let above = op.path_params().last().and_then(|param| api::noun(param));
    let looks = [log, op.goal.map(|(_, noun)| noun.get), api::ops().find(shows), above.map(|noun| noun.get)];
    looks.into_iter().flatten().find_map(|look| {
        let ids: Option<Vec<&str>> = look.path_params().map(|param| call.args.text(param)).collect();
        Some(resume::command_of(look).on_all(ids?))
    })
}

/// Says of an error that is in doubt how to look what became of the request, or whether what it was to make is there.
fn looked_for(app: &App, op: &'static Op, call: &Call, error: Error) -> Error {
    if !error.is_in_doubt() {
        return error;
    }
    let Some(noun) = op.makes() else {
        return match look_at(op, call) {
            Some(look) => resume::with_look(app, &look, error),
            None => error,
        };
    };
    // What has an id of our own is found by that.
    if let Some((noun, id)) = own_id(op, call) {
        let params: Vec<&str> = noun.get.path_params().collect();
        let above = params.split_last().map(|(_, above)| above).unwrap_or_default();
        if let Some(above) = above.iter().map(|param| call.args.text(param)).collect::<Option<Vec<&str>>>() {
            let look = resume::command_of(noun.get).on_all(above).on(id).and(resume::cloud(app));
            return error.hint(Hint::run("whether it is there", look));
        }
    }
    // The list of a thing's parts is asked of the thing.
    let list = api::command(noun.list);
    let mut command = match (&call.target, list.rsplit_once(' ')) {
        (Some((_, of)), Some((words, _))) if noun.list.path_params().next().is_some() => CommandLine::of(words).on(of),
        _ => CommandLine::of(&list),
    };
    let named = noun.filter.and_then(|filter| Some((filter, call.args.text(filter)?)));
    if let Some((filter, name)) = named.filter(|(_, name)| !name.contains("{{")) {
        command = command.on(format!("{filter}={name}"));
    }
    error.hint(Hint::run("whether it is there", command.and(resume::cloud(app))))
}
