//! Runs an operation that changes something, on one target or several: resolve, ask, send, wait, and tell
//! what came of each. An interruption stops what is not sent yet, and says what goes on.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::StreamExt;

use super::run::Call;
use super::{App, exit, prompt, resolve};
use crate::answer::Answer;
use crate::api::{Op, Shape};
use crate::client::{Client, Wait};
use crate::error::{Error, Kind, Result};
use crate::render::{self, Format, Look};
use crate::request::Args;

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
        prompt::confirm(&app.streams, op.verb, &names)?;
    }
    let mut done = Vec::new();
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
                Ok(Done { object, words }) => {
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
    let quiet =
        op.shape == Shape::Nothing && matches!(look.format, Format::Table | Format::Wide) && look.columns.is_empty();
    if (!quiet || jq.is_some()) && !(done.is_empty() && failure.is_some()) {
        look.images = app.image_names(client, &look).await;
        let rows = matches!(look.format, Format::Table | Format::Wide) || several;
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
        let shape = if matches!(answer, Answer::Rows(_)) { Shape::Rows } else { Shape::Record };
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
    let Some((noun, name)) = &call.target else { return String::new() };
    match call.args.text(noun) {
        Some(id) if id != name => format!("{noun} {name} ({id})"),
        _ => format!("{noun} {name}"),
    }
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
    note(&|begun| begun.sent = true);
    let sent = client.send(&request).await?;
    let answer = sent.answer(op)?;
    let created = answer.first().and_then(|row| row.text("/id").map(|id| id.into_owned()));
    let (noun_name, name) = match (&call.target, op.goal) {
        (Some((noun, _)), _) => (*noun, described(call)),
        (None, Some((_, noun))) => {
            let name = answer.first().and_then(|row| row.text("/name").map(|name| name.into_owned()));
            let id = created.clone().unwrap_or_default();
            (noun.name, format!("{} {} ({id})", noun.name, name.unwrap_or_default()))
        }
        (None, None) => ("id", String::new()),
    };
    note(&|begun| begun.name.clone_from(&name));
    let more = if op.goal.is_some() { " requested" } else { "d" };
    let words = (!name.is_empty()).then(|| format!("{name}: {}{more}", op.verb));
    let id = call.args.text(noun_name).map(str::to_owned).or(created);
    let (Some(timeout), Some((_, noun)), Some(id)) = (order.wait, op.goal, id.as_deref()) else {
        let object = match answer {
            Answer::Nothing => receipt(op, id.as_deref())?,
            answer => answer,
        };
        return Ok(Done { object, words });
    };
    words.iter().for_each(|words| app.say(words));
    let called = name.strip_prefix(&format!("{} ", noun.name)).unwrap_or(id).to_owned();
    let waiting = Wait {
        op,
        // The noun's id, and the field that is waited for.
        args: wait_args(op, &call.args, noun.name, id),
        name: &called,
        since: sent.header("date"),
        timeout,
    };
    let ended = client.wait(waiting, |state| app.say(&format!("{name}: {state}"))).await;
    let ended = ended.map_err(|error| match &answer {
        Answer::Record(made) if error.body().is_none() => error.with_body(made.get()),
        _ => error,
    })?;
    let object = match ended {
        Answer::Nothing => receipt(op, Some(id))?,
        answer => answer,
    };
    Ok(Done { object, words: Some(format!("{name}: done")) })
}

/// The arguments by which the end is seen: the id, and what the request set.
fn wait_args(op: &Op, args: &Args, noun: &str, id: &str) -> Args {
    let mut wait = Args::new().set(noun, id);
    if let Some((crate::api::Goal::Field(field), _)) = &op.goal
        && let Some(value) = args.get(field)
    {
        wait.push(*field, value.clone());
    }
    wait
}

/// What a script gets where the service answers nothing.
fn receipt(op: &Op, id: Option<&str>) -> Result<Answer> {
    Answer::from_record(serde_json::json!({ "id": id, "action": op.verb }).to_string().as_bytes())
}
