//! Runs an operation that changes something, on one target or several: send, wait, and tell what came of each.
//! Who the targets are is `targets`' affair. An interruption stops what is not sent yet, and says what goes on.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use super::App;
use super::commands::machines::why;
use super::terminal::exit;
use super::terminal::progress::Progress;
use super::terminal::resume;
use super::terminal::resume::{Again, Begun, Left, interruption};
use super::terminal::signals::Stop;
use crate::answer::Answer;
use crate::api::{Column, Goal, Ids, Noun, Op, Shape, Takes};
use crate::client::{Client, Wait};
use crate::error::{Error, Kind, Result};
use crate::grammar::shell;
use crate::render::{self, Format, Look};
use crate::request::Request;
use crate::tasks::call::{Call, described, described_or_new, verb};
use crate::tasks::create::{self, Failed, Made, Making, There};
use crate::tasks::targets::Targets;

/// So many are named where what was done cannot be shown.
const NAMED: usize = 100;

/// What is to be done to each target.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The operation.
    pub op: &'static Op,
    /// How long to wait for its end; not at all if not set.
    pub wait: Option<Duration>,
    /// The state to wait for instead of the operation's own.
    pub state: Option<&'static str>,
    /// How many are worked on at once.
    pub parallel: usize,
    /// What is not there is no failure.
    pub ignore_missing: bool,
    /// How what is made is made, where that is more than to send the request.
    pub making: Option<&'a Making>,
    /// The options that this was asked for with, for whoever goes on with the rest.
    pub again: &'a Again,
}

/// Does it to each, and returns the exit code.
///
/// # Errors
/// Whatever went wrong with the one target, or the interruption; failures of several are reported here.
pub async fn run(
    app: &App,
    client: &Client,
    order: Order<'_>,
    targets: Targets,
    mut look: Look,
    jq: Option<&render::Program>,
) -> Result<i32> {
    let op = order.op;
    let several = targets.several || targets.calls.len() > 1;
    let mut tally = Tally::default();
    targets.failures.iter().for_each(|error| tally.count(error));
    let mut done: Vec<(usize, Answer)> = Vec::new();
    let mut receipts_only = true;
    let mut failure = None;
    let width = if op.targets == Takes::InTurn { 1 } else { order.parallel };
    // What is under way, so that whoever interrupts it can be told.
    let stop = Stop::default();
    let begun: Vec<Begun> = targets.calls.iter().map(|call| Begun::new(call, stop.word())).collect();
    let progress = Progress::new(app, begun.iter().map(|begun| begun.name.borrow().clone()).collect());
    let work = async {
        let mut under_way = std::pin::pin!(
            futures_util::stream::iter(targets.calls.iter().zip(&begun).enumerate())
                .map(|(at, (call, begun))| {
                    let (stop, progress) = (&stop, &progress);
                    async move {
                        let outcome = one(app, client, order, call, begun, stop, (progress, at)).await;
                        progress.end(at, "");
                        begun.ended.set(!matches!(outcome, Ok(Outcome::Left(_))));
                        let named = |error| if several { named(call, error) } else { error };
                        (at, outcome.map_err(|error| call.blame(named(error))))
                    }
                })
                // One that takes long holds up none of the others.
                .buffer_unordered(width)
        );
        while let Some((at, outcome)) = under_way.next().await {
            match outcome {
                Ok(Outcome::Done(Done { object, receipt, words })) => {
                    receipts_only &= receipt;
                    words.iter().for_each(|words| app.say(words));
                    tally.done += 1;
                    done.push((at, object));
                }
                Ok(Outcome::Missing(words)) => {
                    tally.done += 1;
                    app.say(&words);
                }
                // What was made is known although its end is not.
                Ok(Outcome::Left(made)) => {
                    receipts_only &= made.is_none();
                    done.extend(made.map(|made| (at, made)));
                }
                Err(error) => {
                    // What was made is told although the wait for it failed: a script must learn its id. What is left
                    // of a thing that was not there is no result.
                    let made = error.body().filter(|_| error.kind() != Kind::NotFound);
                    let made = made.and_then(|made| Answer::from_record(made.as_bytes()).ok());
                    receipts_only &= made.is_none();
                    done.extend(made.map(|made| (at, made)));
                    if several {
                        tally.fail(app, &error);
                    } else {
                        failure = Some(error);
                    }
                }
            }
        }
    };
    let left = Left { op, state: order.state, makes: order.making.is_some(), again: order.again };
    let left = || interruption(app, left, &begun);
    let interrupted = stop.heeded(app, progress.during(work), left).await;
    drop(progress);
    // Whoever leaves at once asks nothing more of the service.
    let at_once = interrupted.is_err();
    if let Some(error) = interrupted.map_or_else(Some, |asked| asked.then(left)) {
        // What went wrong before it is not lost for it.
        failure.iter().for_each(|error| app.report(error));
        failure = Some(error);
    }
    if several && failure.is_none() && begun.len() + targets.failures.len() > 1 {
        tally.say(app, op, order.wait.is_some());
    }
    // Whoever was first done, the order is that of the targets.
    done.sort_by_key(|(at, _)| *at);
    let mut done: Vec<Answer> = done.into_iter().map(|(_, answer)| answer).collect();
    // Several targets answer an array; words about actions are for people and went to stderr.
    let table = matches!(look.format, Format::Table | Format::Wide);
    let quiet = table && (receipts_only || op.shape == Shape::Nothing && look.columns.is_empty());
    if (!quiet || jq.is_some()) && !(done.is_empty() && failure.is_some()) {
        if !at_once {
            look.images = app.image_names(client, &look).await;
        }
        let rows = matches!(look.format, Format::Table | Format::Wide) && op.shape != Shape::Map || several;
        let answer = match (rows && jq.is_none() || several, done.pop()) {
            (false, Some(last)) => last,
            (_, last) => Answer::Rows(
                done.into_iter()
                    .chain(last)
                    .filter_map(|answer| match answer {
                        Answer::Record(object) => Some(object),
                        _ => None,
                    })
                    .collect(),
            ),
        };
        let shape = match answer {
            Answer::Rows(_) => Shape::Rows,
            _ if op.shape == Shape::Map => Shape::Map,
            _ => Shape::Record,
        };
        app.show(&answer, shape, &look, jq).map_err(|error| {
            failure.iter().for_each(|error| app.report(error));
            unwritten(error, op, &answer, &begun)
        })?;
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(tally.gravest.map_or(0, |kind| i32::from(exit::code(kind).0))),
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
fn unwritten(error: Error, op: &Op, answer: &Answer, begun: &[Begun]) -> Error {
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
            .take(NAMED)
            .fold(error, |error, name| error.hint(format!("{} was carried out all the same: {word}{name}", op.verb))),
    };
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => error.hint(format!("and {more} more")),
        _ => error,
    }
}

/// What came of several targets.
#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    gravest: Option<Kind>,
}

impl Tally {
    fn fail(&mut self, app: &App, error: &Error) {
        app.report(error);
        self.count(error);
    }

    fn count(&mut self, error: &Error) {
        self.failed += 1;
        self.gravest = Some(self.gravest.map_or(error.kind(), |kind| exit::graver(kind, error.kind())));
    }

    /// The sum of it, in one line.
    fn say(&self, app: &App, op: &Op, waited: bool) {
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        let done = if waited || op.goal.is_none() { "done" } else { "requested" };
        app.say(&format!("{}: {} of {} {done}{failed}", verb(op), self.done, self.done + self.failed));
    }
}

/// Of several, an error says which it is about. What the service said is told so anyway.
fn named(call: &Call, error: Error) -> Error {
    let name = match &call.target {
        Some((_, name)) => Some(name.as_str()).filter(|_| error.fault().is_none()),
        None => call.args.text("name"),
    };
    match name.filter(|name| !error.message().contains(*name)) {
        Some(_) => error.about(&described_or_new(call)),
        None => error,
    }
}

/// How one target ended.
enum Outcome {
    Done(Done),
    /// It is not there, which is no failure; these words say so.
    Missing(String),
    /// An interruption kept it from being sent, or its end from being waited for.
    Left(Option<Answer>),
}

/// What came of one target: the object as far as it is known, and what is still to be said of it.
struct Done {
    object: Answer,
    /// It is none of the service's, but what a script gets in its place.
    receipt: bool,
    words: Option<String>,
}

/// Sends one, and waits if asked to.
async fn one(
    app: &App,
    client: &Client,
    order: Order<'_>,
    call: &Call,
    begun: &Begun,
    stop: &Stop,
    (progress, at): (&Progress<'_>, usize),
) -> Result<Outcome> {
    let op = order.op;
    let request = client.request(op, &call.args)?;
    if stop.is_asked() {
        return Ok(Outcome::Left(None));
    }
    let mut before = match order.wait {
        Some(_) => client.before(op, &call.args).await?,
        None => Default::default(),
    };
    if stop.is_asked() {
        return Ok(Outcome::Left(None));
    }
    let there = match order.making {
        Some(making) => making.there(client, call).await?,
        None => There::default(),
    };
    if stop.is_asked() {
        return Ok(Outcome::Left(None));
    }
    let sent = {
        let client = client.watched(Arc::clone(&begun.watch));
        let mut sending = std::pin::pin!(sent(&client, order, call, &request, there));
        let mut told = false;
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => break sent,
                () = stop.asked(), if !told => {
                    told = true;
                    // Before its turn, or between two refusals, nothing is lost with it.
                    if !begun.watch.is_out() {
                        return Ok(Outcome::Left(None));
                    }
                }
            }
        }
    };
    let Made { machine: answer, date, request_id, was_there, again } = match sent {
        Ok(Some(made)) => made,
        Ok(None) => return Ok(Outcome::Missing(format!("{}: not there", described(call)))),
        Err(error) if error.kind() == Kind::Interrupted => return Ok(Outcome::Left(None)),
        Err(error) if error.is_in_doubt() => return Err(looked_for(app, op, call, error)),
        Err(error) => return Err(error),
    };
    begun.there.set(was_there);
    if let Some((Goal::State(wanted), _)) = &op.goal {
        let state = answer.first().and_then(|row| row.text("/state"));
        before.moved = state.is_some_and(|state| state != *wanted);
    }
    // What was made says its id; what was only changed was called by it.
    let key = op.goal.map_or("/id".to_owned(), |(_, noun)| format!("/{}", noun.key));
    let made = answer.first().and_then(|row| row.text(&key).map(|id| id.into_owned()));
    let asked = op.goal.and_then(|(_, noun)| call.args.text(noun.name)).map(str::to_owned);
    let name = match (&call.target, op.goal) {
        (Some(_), Some((_, noun))) if asked.is_none() => match &made {
            Some(id) => format!("{} {id} of {}", noun.word, described(call)),
            None => described(call),
        },
        (Some(_), _) => described(call),
        (None, Some((_, noun))) => {
            let name = answer.first().and_then(|row| row.text("/name").map(|name| name.into_owned()));
            let id = made.clone().unwrap_or_default();
            format!("{} {} ({id})", noun.word, name.unwrap_or_default())
        }
        (None, None) => String::new(),
    };
    if !name.is_empty() {
        begun.name.borrow_mut().clone_from(&name);
    }
    let words = (!name.is_empty()).then(|| match op.goal {
        _ if was_there => format!("{name}: was there already"),
        Some(_) => format!("{name}: {} requested", verb(op)),
        None => format!("{name}: {}", past(op)),
    });
    let own = call.target.as_ref().and_then(|(param, _)| call.args.text(param)).map(str::to_owned);
    let id = asked.or(made).or(own);
    let (Some(timeout), Some((_, noun)), Some(id)) = (order.wait, op.goal, id.as_deref()) else {
        let (object, receipt) = match answer {
            Answer::Nothing => (receipt(op, id.as_deref())?, true),
            answer => (answer, false),
        };
        return Ok(Outcome::Done(Done { object, receipt, words }));
    };
    begun.id.replace(Some(id.to_owned()));
    // A state that does not last may be over before it is looked for.
    if let (Some(wanted), Answer::Record(_)) = (order.state, &answer)
        && answer.first().and_then(|row| row.text("/state")).as_deref() == Some(wanted)
    {
        return Ok(Outcome::Done(Done { object: answer, receipt: false, words }));
    }
    words.iter().for_each(|words| app.say(words));
    if was_there {
        create::may_yet_run(&name, id, &answer).map_err(|error| error.with_body(answer.json()))?;
    }
    let called = name.strip_prefix(&format!("{} ", noun.word)).unwrap_or(id).to_owned();
    let waiting = Wait {
        op,
        args: call.args.clone().set(noun.name, in_path(noun, id)),
        name: &called,
        since: date.as_deref(),
        state: order.state,
        before,
        timeout,
    };
    progress.name(at, &name);
    let told = |state: &str| {
        // Tags and metadata have no state.
        if !state.is_empty() {
            progress.tell(at, state);
        }
    };
    let ended = tokio::select! {
        ended = client.wait(waiting, told) => ended,
        // To wait is only to watch: leaving it loses nothing.
        () = stop.asked() => {
            let made = matches!(answer, Answer::Record(_)) && asked_for_none(call, noun);
            return Ok(Outcome::Left(made.then_some(answer)));
        }
    };
    let machine = noun.logged_by().and_then(|param| if param == noun.name { Some(id) } else { call.args.text(param) });
    let ended = match (ended, machine) {
        (Err(error), Some(machine)) if error.kind() == Kind::FailedState => {
            Err(why::explain(client, machine, Some(op), request_id.as_deref(), error).await)
        }
        (ended, _) => ended,
    };
    let ended = match (ended, order.making) {
        (Err(error), Some(making)) => match making.failed(app, client, (&name, id, was_there), error).await {
            // Nobody needs the id of what is there no more.
            Failed { error, deleted: true } => return Err(error),
            Failed { error, .. } => Err(error),
        },
        (ended, _) => ended,
    };
    // One that was sent twice may have been made twice after all, later than anybody looked.
    if let (Ok(_), Some(making), true) = (&ended, order.making, again) {
        making.there(client, call).await.map_err(|error| match error.kind() {
            Kind::Ambiguous => error.with_body(answer.json()),
            _ => error,
        })?;
    }
    let ended = ended.map_err(|error| match &answer {
        Answer::Record(made) if error.body().is_none() => error.with_body(made.get()),
        _ => error,
    })?;
    let (object, receipt) = match (ended, answer) {
        // What is waited for may be another object than the one that was made or changed.
        (Answer::Record(_), Answer::Record(made)) if !shows_own(op, noun) => (Answer::Record(made), false),
        (ended, _) if matches!(ended, Answer::Nothing) || !shows_own(op, noun) => (receipt(op, Some(id))?, true),
        (ended, _) => (ended, false),
    };
    Ok(Outcome::Done(Done { object, receipt, words: Some(format!("{name}: done")) }))
}

/// Says how to look whether what a request was to make is there.
fn looked_for(app: &App, op: &Op, call: &Call, error: Error) -> Error {
    let Some(noun) = op.makes() else { return error };
    // The list of a thing's parts is asked of the thing.
    let mut command = noun.lister.to_owned();
    if let (Some((_, of)), Some((list, _))) = (&call.target, noun.lister.rsplit_once(' '))
        && noun.list.path_params().next().is_some()
    {
        command = format!("{list} {}", shell::quoted(of));
    }
    if let (Some(filter), Some(name)) = (noun.filter, call.args.text("name").filter(|name| !name.contains("{{"))) {
        command.push_str(&format!(" {filter}={}", shell::quoted(name)));
    }
    error.hint(format!("whether it is there: {command}{}", resume::cloud(app)))
}

/// Sends it, and says what came of it: nothing where it is not there and that is no failure.
async fn sent(client: &Client, order: Order<'_>, call: &Call, request: &Request, there: There) -> Result<Option<Made>> {
    let op = order.op;
    match (order.making, there) {
        (_, There { machine: Some(machine), .. }) => Ok(Some(Made::found(machine, true))),
        (Some(making), there) => making.made(client, op, call, request, &there).await.map(Some),
        (None, _) => {
            let sent = match order.wait {
                Some(patience) if op.refused_while_busy => {
                    let sent = create::once_allowed(client, request, Instant::now() + patience).await?;
                    sent.answer(op).map(|answer| (sent, answer))
                }
                _ => client.answered(op, request).await,
            };
            match sent {
                Ok((sent, answer)) => Ok(Some(Made::new(answer, &sent))),
                Err(error) if order.ignore_missing && error.kind() == Kind::NotFound => Ok(None),
                // Some services end a thing and then fail over telling so.
                Err(error)
                    if error.fault().is_some_and(|fault| fault.status == 500)
                        && client.is_gone(op, &call.args).await =>
                {
                    Ok(Some(Made::found(Answer::Nothing, false)))
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// What has been done, where the answer is the end of it.
fn past(op: &Op) -> String {
    let (group, verb) = op.verb.rsplit_once(' ').unwrap_or(("", op.verb));
    let done = match verb {
        "set" => "set".to_owned(),
        "change-password" => "password changed".to_owned(),
        verb if verb.ends_with('e') => format!("{verb}d"),
        verb => format!("{verb}ed"),
    };
    // What was made is a part of what is named.
    let part = !op.path.rsplit('/').next().unwrap_or_default().starts_with(':');
    match group.strip_suffix('s') {
        Some(thing) if part => format!("{thing} {done}"),
        _ => done,
    }
}

/// An id as the path wants it: of a hardware address the digits alone.
fn in_path(noun: &Noun, id: &str) -> String {
    if noun.ids == Ids::Mac { id.replace(':', "") } else { id.to_owned() }
}

/// Whether the object that is waited for is the one that the operation itself answers.
fn shows_own(op: &Op, noun: &Noun) -> bool {
    let names = |columns: &'static [Column]| columns.iter().map(|column| column.name);
    names(noun.get.columns).eq(names(op.columns))
}

/// Whether the thing was made by this call, and not named by it.
fn asked_for_none(call: &Call, noun: &Noun) -> bool {
    call.args.text(noun.name).is_none()
}

/// What a script gets where the service answers nothing.
fn receipt(op: &Op, id: Option<&str>) -> Result<Answer> {
    Answer::from_record(serde_json::json!({ "id": id, "action": op.verb }).to_string().as_bytes())
}
