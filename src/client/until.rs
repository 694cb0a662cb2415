//! Waiting for a condition that belongs to no request of ours: that a machine runs, that an image can be used, that
//! something is gone. It changes nothing.

use serde_json::Value;

use super::poll::{End, MAY_END, Poll, Time, late};
use super::{Client, alike, wait};
use crate::answer::{Answer, scan};
use crate::api::Noun;
use crate::error::{Error, Kind, Result, Target};
use crate::request::Args;

/// So many looks may find nothing before it counts as not there: what has just been made may not be seen everywhere.
const NOT_FOUND_YET: u32 = 3;

/// What an object is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its `state` is this one.
    State(String),
    /// Its `state` is another one.
    AnotherState(String),
    /// It is not there, or is in a state in which it is gone ([`Noun::gone`]).
    Gone,
    /// It has a tag of this name with this value, of this type: the text `7` is not the number.
    Tag(String, Value),
}

/// What is waited for.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # fn main() -> sdc::Result<()> {
/// # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let cloud = sdc::emulator::Emulator::start(Default::default()).await?;
/// # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
/// # let name = key.public().md5();
/// # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
/// # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
/// use std::time::Duration;
///
/// use sdc::api::cloudapi::machines::{MACHINE, STOP};
/// use sdc::client::{Condition, Time, Until};
/// use sdc::request::Args;
///
/// let args = Args::new().set("machine", "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d");
/// client.call(&STOP, &args).await?;
/// let stopped = Until {
///     noun: &MACHINE,
///     args,
///     name: "web1",
///     condition: Condition::State("stopped".to_owned()),
///     time: Time::new(Duration::from_secs(60)),
/// };
/// let machine = client.until(&stopped, |_| {}).await?;
/// assert_eq!(machine.first().unwrap().text("/state").unwrap(), "stopped");
/// # cloud.stop().await
/// # })
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct Until<'a> {
    /// What sort of thing it is.
    pub noun: &'static Noun,
    /// The object's id by the noun's name, and those of what it is a part of.
    pub args: Args,
    /// What the user calls the object.
    pub name: &'a str,
    /// What it is to be like.
    pub condition: Condition,
    /// When to give up.
    pub time: Time,
}

impl Client {
    /// Waits until an object is as it should be, and returns it as it is then; `Nothing` if it is gone without a trace.
    /// Busy, broken and unreachable services are survived; the state that the object comes to is told to `progress`.
    ///
    /// # Errors
    /// [`Kind::FailedState`] when it has come to an end otherwise, [`Kind::NotFound`] when it has never been there,
    /// [`Kind::TimedOut`] when it took too long, [`Kind::Auth`] when the service does not take the key.
    pub async fn until(&self, until: &Until<'_>, progress: impl FnMut(&str)) -> Result<Answer> {
        self.until_also(until, progress, async |_| Ok(None)).await
    }

    /// The same, and the object must stand a test too: `None` when it does, else how far it is.
    ///
    /// # Errors
    /// The same, and the test's own.
    pub async fn until_also(
        &self,
        until: &Until<'_>,
        progress: impl FnMut(&str),
        mut test: impl AsyncFnMut(&Answer) -> Result<Option<String>>,
    ) -> Result<Answer> {
        let noun = until.noun;
        let show = self.request(noun.get, &until.args.in_path_of(noun.get))?;
        let (mut was_there, mut called) = (false, String::new());
        let end = self
            .poll(until.time, progress, async |client, looks| {
                let seen = client.send(&show).await?;
                let gone = until.condition == Condition::Gone;
                match seen.status {
                    _ if !seen.is_gone() => {}
                    404 | 410 if gone => {
                        let left = Answer::from_record(&seen.body).ok().filter(|_| seen.status == 410);
                        return Ok(Poll::Done(left.unwrap_or(Answer::Nothing)));
                    }
                    404 if !was_there && looks < NOT_FOUND_YET => return Ok(Poll::NotYet(String::new())),
                    404 if !was_there => {
                        return Err(seen.failure().about(&format!("{} {}", noun.word, until.name)));
                    }
                    404 | 410 => {
                        let words = format!("{} {} was deleted", noun.word, until.name);
                        return Err(Error::new(Kind::FailedState, words));
                    }
                    _ => {}
                }
                let answer = seen.answer(noun.get)?;
                was_there = true;
                called = text(&answer, &format!("/{}", noun.name_field));
                let state = text(&answer, &format!("/{}", noun.state_field));
                if is_met(noun, &answer, &state, &until.condition) {
                    return Ok(match test(&answer).await? {
                        None => Poll::Done(answer),
                        Some(words) => Poll::NotYet(words),
                    });
                }
                if noun.gone.contains(&state.as_str()) {
                    return Err(Error::new(Kind::FailedState, format!("{} {} is {state}", noun.word, until.name)));
                }
                if noun.failed.contains(&state.as_str()) && !gone {
                    return Err(failed(noun, until.name, &state, &answer));
                }
                Ok(Poll::NotYet(match &until.condition {
                    Condition::Tag(name, value) => without(&answer, &state, name, value),
                    Condition::State(_) | Condition::AnotherState(_) | Condition::Gone => state,
                }))
            })
            .await;
        let error = match end {
            Ok(End::Done(answer)) => return Ok(answer),
            Ok(End::Late(seen, last)) => late((noun.word, until.name), seen.as_deref(), until.time, (last, MAY_END)),
            Err(error) => error,
        };
        // Whoever waits for an id learns its name.
        let id = until.args.text(noun.name).map(str::to_owned);
        Err(match called.is_empty() {
            true => error,
            false => error.on(Target { noun: noun.word, id, name: called }),
        })
    }
}

/// It has come to its end, and not to the one that was waited for.
pub(super) fn failed(noun: &Noun, name: &str, state: &str, answer: &Answer) -> Error {
    let error = Error::new(Kind::FailedState, format!("{} {name} ended in the state {state}", noun.word));
    match text(answer, "/error").as_str() {
        "" => error,
        why => error.hint(format!("the service says: {why}")),
    }
}

fn is_met(noun: &Noun, answer: &Answer, state: &str, condition: &Condition) -> bool {
    match condition {
        Condition::State(wanted) => state == wanted,
        Condition::AnotherState(left) => state != left,
        Condition::Gone => noun.gone.contains(&state),
        Condition::Tag(name, value) => tag(answer, name).is_some_and(|now| wait::same(&now, value)),
    }
}

fn tag(answer: &Answer, name: &str) -> Option<Value> {
    let tags = scan::member(answer.first()?.json(), "tags")?;
    scan::member(tags, name).and_then(|value| serde_json::from_str(value).ok())
}

/// That a tag is missing, or that it only looks as it should.
fn without(answer: &Answer, state: &str, name: &str, value: &Value) -> String {
    let typed = |value: &Value| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}:={other}"),
    };
    match tag(answer, name).filter(|now| alike::as_text(now) == alike::as_text(value)) {
        Some(now) => format!("{state}, with the tag {} of another type", typed(&now)),
        None => format!("{state}, without the tag {}", typed(value)),
    }
}

fn text(answer: &Answer, pointer: &str) -> String {
    answer.first().and_then(|row| row.text(pointer).map(|text| text.into_owned())).unwrap_or_default()
}
