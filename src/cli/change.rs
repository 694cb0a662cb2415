//! Runs an operation that changes something, on one target or several: resolve, ask, send, wait, and tell
//! what came of each. An interruption stops what is not sent yet, and says what goes on.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::StreamExt;

use super::run::{Call, word};
use super::{App, exit, prompt, resolve};
use crate::answer::Answer;
use crate::api::{Column, Goal, Ids, Noun, Op, Shape, noun};
use crate::client::{Client, Wait};
use crate::error::{Error, Kind, Result};
use crate::render::{self, Format, Look};

/// How many requests of one command are under way at once.
const AT_ONCE: usize = 8;

/// What is to be done to each target.
#[derive(Clone, Copy)]
pub struct Order {
    /// The operation.
    pub op: &'static Op,
    /// How long to wait for its end; not at all if not set.
    pub wait: Option<Duration>,
    /// Whether nobody needs to be asked.
    pub yes: bool,
}

/// Does it to each, and returns the exit code.
///
/// # Errors
/// Whatever went wrong with the one target, or the interruption; failures of several are reported here.
pub async fn run(
    app: &App,
    client: &Client,
    order: Order,
    mut calls: Vec<Call>,
    mut look: Look,
    jq: Option<&render::Program>,
) -> Result<i32> {
    let op = order.op;
    let several = calls.len() > 1;
    let mut gravest: Option<Kind> = None;
    let mut ready = Vec::new();
    for mut call in calls.drain(..) {
        match resolve::all(client, op, &mut call.args).await {
            // A name and its id mean the same thing, which is acted on once.
            Ok(()) if ready.iter().any(|known: &Call| known.id().is_some() && known.id() == call.id()) => {}
            Ok(()) => ready.push(call),
            Err(error) if several => fail(app, &mut gravest, &error),
            Err(error) => return Err(error),
        }
    }
    if !order.yes && !ready.is_empty() {
        let names: Vec<String> = ready.iter().map(described).collect();
        prompt::confirm(&app.streams, verb(op), &names)?;
    }
    let mut done = Vec::new();
    let mut receipts_only = true;
    let mut failure = None;
    // What is under way, so that whoever interrupts it can be told.
    let begun = RefCell::new(
        ready.iter().map(|call| Begun { name: described_or_new(call), sent: false, ended: false }).collect::<Vec<_>>(),
    );
    let work = async {
        let mut under_way = std::pin::pin!(
            futures_util::stream::iter(ready.into_iter().enumerate())
                .map(|(at, call)| {
                    let begun = &begun;
                    async move {
                        let outcome = one(app, client, order, &call, |change| {
                            begun.borrow_mut().get_mut(at).into_iter().for_each(change);
                        });
                        let outcome = outcome.await.map_err(|error| call.blame(error));
                        begun.borrow_mut().get_mut(at).into_iter().for_each(|begun| begun.ended = true);
                        outcome
                    }
                })
                .buffered(AT_ONCE)
        );
        while let Some(outcome) = under_way.next().await {
            match outcome {
                Ok(Done { object, receipt, words }) => {
                    receipts_only &= receipt;
                    words.iter().for_each(|words| app.say(words));
                    done.push(object);
                }
                Err(error) => {
                    // What was made is told although the wait for it failed: a script must learn its id.
                    done.extend(error.body().and_then(|body| Answer::from_record(body.as_bytes()).ok()));
                    if several {
                        fail(app, &mut gravest, &error);
                    } else {
                        failure = Some(error);
                    }
                }
            }
        }
    };
    let interrupted = tokio::select! {
        () = work => false,
        _ = tokio::signal::ctrl_c() => true,
    };
    if interrupted {
        failure = Some(interruption(op, &begun.borrow()));
    }
    // Several targets answer an array; words about actions are for people and went to stderr.
    let table = matches!(look.format, Format::Table | Format::Wide);
    let quiet = table && (receipts_only || op.shape == Shape::Nothing && look.columns.is_empty());
    if (!quiet || jq.is_some()) && !(done.is_empty() && failure.is_some()) {
        look.images = app.image_names(client, &look).await;
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
        app.show(&answer, shape, &look, jq)?;
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(gravest.map_or(0, |kind| i32::from(exit::code(kind).0))),
    }
}

fn fail(app: &App, gravest: &mut Option<Kind>, error: &Error) {
    app.report(error);
    *gravest = Some(gravest.map_or(error.kind(), |kind| exit::graver(kind, error.kind())));
}

/// `machine web0 (b6979942-…)`.
fn described(call: &Call) -> String {
    let Some((param, name)) = &call.target else { return String::new() };
    let word = word(param);
    let own = match call.args.text(param) {
        // An address without its colons is the same address.
        Some(id) if id != name && noun(param).is_none_or(|noun| noun.ids != Ids::Mac) => {
            format!("{word} {name} ({id})")
        }
        _ => format!("{word} {name}"),
    };
    call.parents.iter().rev().fold(own, |own, (param, name)| format!("{own} of {} {name}", self::word(param)))
}

/// The same, and for what is being made the name it is to have.
fn described_or_new(call: &Call) -> String {
    match (&call.target, call.args.text("name")) {
        (Some(_), _) => described(call),
        (None, Some(name)) => format!("'{name}'"),
        (None, None) => "a new one".to_owned(),
    }
}

/// A target, and how far it has come.
struct Begun {
    name: String,
    sent: bool,
    ended: bool,
}

/// What an interruption leaves behind.
fn interruption(op: &Op, begun: &[Begun]) -> Error {
    let names = |fits: fn(&Begun) -> bool| -> String {
        begun.iter().filter(|begun| fits(begun)).map(|begun| begun.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let under_way = names(|begun| begun.sent && !begun.ended);
    let unsent = names(|begun| !begun.sent);
    let mut words = String::from("interrupted");
    if !under_way.is_empty() {
        words.push_str(&format!(": {} was sent for {under_way}, and goes on", op.verb));
    }
    if !unsent.is_empty() {
        words.push_str(&format!("; nothing was sent for {unsent}"));
    }
    Error::new(Kind::Interrupted, words)
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
    order: Order,
    call: &Call,
    note: impl Fn(&dyn Fn(&mut Begun)),
) -> Result<Done> {
    let op = order.op;
    let request = client.request(op, &call.args)?;
    let mut before = match order.wait {
        Some(_) => client.before(op, &call.args).await?,
        None => Default::default(),
    };
    note(&|begun| begun.sent = true);
    let sent = client.send(&request).await?;
    // Some services end a thing and then fail over telling so.
    let answer = match sent.status == 500 && client.is_gone(op, &call.args).await {
        true => Answer::Nothing,
        false => sent.answer(op)?,
    };
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
    note(&|begun| begun.name.clone_from(&name));
    let words = (!name.is_empty()).then(|| match op.goal {
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
        return Ok(Done { object, receipt, words });
    };
    words.iter().for_each(|words| app.say(words));
    let called = name.strip_prefix(&format!("{} ", noun.word)).unwrap_or(id).to_owned();
    let waiting = Wait {
        op,
        args: call.args.clone().set(noun.name, in_path(noun, id)),
        name: &called,
        since: sent.header("date"),
        before,
        timeout,
    };
    let told = |state: &str| {
        // Tags and metadata have no state.
        if !state.is_empty() {
            app.say(&format!("{name}: {state}"));
        }
    };
    let ended = client.wait(waiting, told).await;
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
    Ok(Done { object, receipt, words: Some(format!("{name}: done")) })
}

/// The verb, without its group where the target is one of the group: `delete tag a`, not `tags delete tag a`.
fn verb(op: &Op) -> &'static str {
    match op.verb.rsplit_once(' ') {
        Some((_, verb)) if is_of_part(op) => verb,
        _ => op.verb,
    }
}

/// Whether what is named is a part of something, such as a tag of a machine.
fn is_of_part(op: &Op) -> bool {
    op.path.rsplit('/').next().unwrap_or_default().starts_with(':') && op.path_params().count() > 1
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

/// What a script gets where the service answers nothing.
fn receipt(op: &Op, id: Option<&str>) -> Result<Answer> {
    Answer::from_record(serde_json::json!({ "id": id, "action": op.verb }).to_string().as_bytes())
}
