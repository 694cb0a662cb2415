//! Changes one resource: sends the request, waits for its end if asked to, and returns what became of it. Which
//! resources are meant is for [`targets`](super::targets) to find out; how many are changed at once is for the caller
//! to decide.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # use sdc::emulator::{Emulator, Options, Pace};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use std::time::Duration;
//!
//! use sdc::api::cloudapi::machines::{MACHINE, STOP};
//! use sdc::tasks::change::{Change, Changing, InFlight, Outcome};
//! use sdc::tasks::stop::Stop;
//! use sdc::tasks::targets::{self, Asked};
//!
//! let targets = targets::resolve(&(), &client, &STOP, Asked::named(&MACHINE, ["web1"])).await?;
//! let change = Change { wait: Some(Duration::from_secs(60)), ..Change::new(&STOP) };
//! let stop = Stop::default();
//! let changing = Changing { client: &client, change, stop: &stop, report: &(), services: None };
//! for (at, call) in targets.calls.iter().enumerate() {
//!     match changing.one(at, call, &InFlight::new(call, stop.flag())).await? {
//!         Outcome::Done(done) => assert_eq!(done.object.first().unwrap().text("/state").unwrap(), "stopped"),
//!         Outcome::Missing(words) => println!("{words}"),
//!         Outcome::Left(_) => break,
//!     }
//! }
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::attempts::OfWorkflow;
use super::call::{Call, described, described_or_new, own_verb};
use super::create::{self, CreateOptions, Created, Existing, Failed, Own};
use super::resolve::is_uuid;
use super::stop::Stop;
use super::{Report, Services, about, explain, nic_network, queued, replacing, words};
use crate::answer::{Answer, Row};
use crate::api::{Column, Goal, Ids, Method, Noun, Op, Shape};
use crate::client::{Before, Client, Once, Time, Wait, Watch, new_uuid};
use crate::error::{Error, Hint, Kind, Result};
use crate::request::{Arg, Args, Request};

/// What to do to each target.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    /// The operation.
    pub op: &'static Op,
    /// How long to wait for its end; not at all if not set.
    pub wait: Option<Duration>,
    /// The state to wait for instead of the operation's own.
    pub state: Option<&'static str>,
    /// A target that is missing is no failure.
    pub ignore_missing: bool,
    /// How a new resource is made, where that is more than to send the request.
    pub making: Option<&'a CreateOptions>,
    /// Whether a target is still one, asked of its record right before its request: it may have been chosen long ago.
    pub still: Option<&'a dyn Fn(Row<'_>) -> bool>,
    /// What targets were before lists of them are replaced, which is read back then.
    pub replaced: &'a [(Call, replacing::Before)],
}

/// How far a target has come.
pub struct InFlight {
    /// What it is called.
    pub name: RefCell<String>,
    /// The id that a further command takes: the target's, or that of the new resource.
    pub id: RefCell<Option<String>>,
    /// The job of an internal service that carries it out.
    pub job: RefCell<Option<String>>,
    /// Whether its request is out.
    pub watch: Arc<Watch>,
    /// It already exists: nothing was sent for it.
    pub there: Cell<bool>,
    /// It did not come to its end, and is being deleted again.
    pub deleting: Cell<bool>,
    /// Nothing more is to come of it.
    pub ended: Cell<bool>,
    /// The name of a resource that is not there yet.
    pub new: Option<String>,
}

impl Change<'_> {
    /// Sends the operation and waits for nothing.
    pub fn new(op: &'static Op) -> Self {
        Change { op, wait: None, state: None, ignore_missing: false, making: None, still: None, replaced: &[] }
    }
}

impl InFlight {
    /// A target for which nothing has been sent. Nothing will be once `stop` is set.
    pub fn new(call: &Call, stop: Arc<AtomicBool>) -> InFlight {
        InFlight {
            name: RefCell::new(described_or_new(call)),
            id: RefCell::new(call.id().map(str::to_owned)),
            job: RefCell::default(),
            watch: Arc::new(Watch::new(stop)),
            there: Cell::new(false),
            deleting: Cell::new(false),
            ended: Cell::new(false),
            new: ["name", "alias"]
                .into_iter()
                .find_map(|name| call.args.text(name))
                .filter(|_| call.target.is_none())
                .map(str::to_owned),
        }
    }
}

/// How the change of one target ended.
pub enum Outcome {
    /// It is done.
    Done(Done),
    /// The target is missing, or no longer one, which is no failure; these words say so.
    Missing(String),
    /// An interruption kept it from being sent, or its end from being waited for.
    Left(Option<Answer>),
}

/// What came of one target.
pub struct Done {
    /// The object, as far as it is known.
    pub object: Answer,
    /// The service answered none, and this stands in for it.
    pub receipt: bool,
    /// What is still to be said of it.
    pub words: Option<String>,
}

/// What changes targets.
pub struct Changing<'a> {
    /// Where to.
    pub client: &'a Client,
    /// What to do.
    pub change: Change<'a>,
    /// When to stop.
    pub stop: &'a Stop,
    /// Where progress goes.
    pub report: &'a dyn Report,
    /// The services of the data center, of which workflow knows which job follows one that was retried. Without them the
    /// next one of its task is taken for it.
    pub services: Option<&'a dyn Services>,
}

/// A request that was taken.
struct Taken {
    made: Created,
    /// What the target is called, for people: `machine web0 (b6979942-…)`.
    name: String,
    /// The id of what was made or changed.
    id: Option<String>,
    before: Before,
}

/// The error for a record that is not of what was named: a list may show one thing's name with the id of another one.
fn of_another_name(client: &Client, op: &Op, call: &Call, answer: &Answer) -> Option<Error> {
    if op.starts_job || op.renames || op.makes().is_some() || op.method == Method::Delete {
        return None;
    }
    let name = about::called_otherwise(client, call, answer)?;
    let words = format!("the service answered the record of something else, called {}", words::brief(&name));
    Some(Error::new(Kind::Unreachable, words).in_doubt())
}

impl Changing<'_> {
    /// Changes the target of this call. `at` is its number, by which progress is reported.
    ///
    /// # Errors
    /// The service refused; the change failed, or was not seen to end in time. An error that is in doubt
    /// ([`is_in_doubt`](crate::Error::is_in_doubt)) says that the request may have been carried out.
    pub async fn one(&self, at: usize, call: &Call, flight: &InFlight) -> Result<Outcome> {
        let Change { op, wait, making, .. } = self.change;
        let request = self.client.request(op, &call.args)?;
        if self.stop.is_asked() {
            return Ok(Outcome::Left(None));
        }
        let mut before = match wait {
            Some(_) => self.client.before(op, &call.args).await?,
            None => Before::default(),
        };
        if self.stop.is_asked() {
            return Ok(Outcome::Left(None));
        }
        let there = match making {
            Some(making) => making.taken(self.client, call, self.report).await?,
            None => Existing::default(),
        };
        if self.stop.is_asked() {
            return Ok(Outcome::Left(None));
        }
        if !self.is_still(call).await? {
            return Ok(Outcome::Missing(format!("{}: has changed meanwhile, and is left alone", described(call))));
        }
        let made = match self.watched(call, &request, there, flight).await {
            Some(Ok(Some(made))) => made,
            Some(Ok(None)) => return Ok(Outcome::Missing(format!("{}: not there", described(call)))),
            None => return Ok(Outcome::Left(None)),
            Some(Err(error)) if error.kind() == Kind::Interrupted => return Ok(Outcome::Left(None)),
            Some(Err(error)) => return Err(error),
        };
        if let Some(error) = of_another_name(self.client, op, call, &made.machine) {
            return Err(error);
        }
        // CloudAPI's answer is what has become of it.
        if self.client.service().is_inner() {
            Box::pin(replacing::check(self.client, op, call, &made.machine, self.change.replaced)).await?;
        }
        flight.there.set(made.was_there);
        if let Some((Goal::State(wanted), _)) = &op.goal {
            let state = made.machine.first().and_then(|row| row.text("/state"));
            before.moved = state.is_some_and(|state| state != *wanted);
        }
        before.job = made.machine.first().and_then(|row| Some(row.text("/job_uuid")?.into_owned()));
        before.joined = made.found;
        flight.job.replace(before.job.clone());
        let (name, id) = called(op, call, &made.machine);
        if !name.is_empty() {
            flight.name.borrow_mut().clone_from(&name);
        }
        let words = (!name.is_empty()).then(|| match op.goal {
            _ if made.was_there => {
                let expires = made
                    .machine
                    .first()
                    .and_then(|row| Some(row.text(&format!("/tags/{}", create::EXPIRES_TAG))?.into_owned()));
                let until = expires.map_or_else(String::new, |time| format!(", and is wanted until {time}"));
                format!("{name}: already exists{until}")
            }
            Some(_) => {
                let job = before.job.as_ref().map_or_else(String::new, |job| format!(", job {job}"));
                // What is answered is how it will be, as if it were so.
                let old = if op.shape == Shape::Map && wait.is_none() {
                    "; a list may still show what was there (-w waits)"
                } else {
                    ""
                };
                format!("{name}: {} requested{job}{old}", own_verb(op))
            }
            None => format!("{name}: {}", past(op)),
        });
        let (Some(timeout), Some(_), Some(id)) = (wait, op.goal, id.as_deref()) else {
            let (object, receipt) = match made.machine {
                Answer::Nothing => (receipt(op, id.as_deref())?, true),
                answer => (answer, false),
            };
            return Ok(Outcome::Done(Done { object, receipt, words }));
        };
        flight.id.replace(Some(id.to_owned()));
        // A state that does not last may be over before it is looked for.
        if let (Some(wanted), Answer::Record(_)) = (self.change.state, &made.machine)
            && made.machine.first().and_then(|row| row.text("/state")).as_deref() == Some(wanted)
        {
            return Ok(Outcome::Done(Done { object: made.machine, receipt: false, words }));
        }
        words.iter().for_each(|words| self.report.step(words));
        self.report.name(at, &name);
        let taken = Taken { made, name, id: Some(id.to_owned()), before };
        Box::pin(self.end(at, call, flight, taken, timeout)).await
    }

    /// Whether the target is still one. That it is missing, its request says.
    async fn is_still(&self, call: &Call) -> Result<bool> {
        let (Some(still), Some((_, noun))) = (self.change.still, &self.change.op.goal) else { return Ok(true) };
        match self.client.call(noun.get, &call.args).await {
            Ok(answer) => Ok(answer.first().is_none_or(still)),
            Err(error) if error.kind() == Kind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Sends the request; nothing if it is to stop before it was sent.
    async fn watched(
        &self,
        call: &Call,
        request: &Request,
        there: Existing,
        flight: &InFlight,
    ) -> Option<Result<Option<Created>>> {
        let client = self.client.watched(Arc::clone(&flight.watch));
        let id = own_id(self.change.op, call);
        // Whoever leaves while it is out must be told by which id it is found.
        let told = id.map(|(noun, id)| {
            let name = match &flight.new {
                Some(name) => format!("{} {name} ({id})", noun.word),
                None => format!("{} {id}", noun.word),
            };
            flight.id.replace(Some(id.to_owned()));
            flight.name.replace(name)
        });
        let sent = self.stop.unless_unsent(&flight.watch, self.send(&client, call, request, there)).await;
        let may_be_there = match &sent {
            Some(Ok(_)) => true,
            Some(Err(error)) => error.is_in_doubt(),
            None => false,
        };
        // And what was never sent, or was refused, is called by no id that nothing has.
        if let Some(name) = told.filter(|_| !may_be_there) {
            flight.id.replace(None);
            flight.name.replace(name);
        }
        sent
    }

    /// Sends it; nothing where the target is missing and that is no failure.
    async fn send(&self, client: &Client, call: &Call, request: &Request, there: Existing) -> Result<Option<Created>> {
        let Change { op, wait, ignore_missing, making, .. } = self.change;
        match (making, there) {
            (_, Existing { machine: Some(machine), .. }) => Ok(Some(Created::found(machine, true))),
            (Some(making), there) => making.made(client, op, call, request, &there).await.map(Some),
            (None, _) if let Some((noun, id)) = named(op, call) => self.send_named(client, request, noun, id).await,
            (None, _) => {
                let sent = match wait {
                    Some(patience) if op.refused_while_busy => {
                        create::delete_when_allowed(client, op, request, &Time::new(patience)).await
                    }
                    _ => client.answered(op, request).await,
                };
                match sent {
                    Ok((sent, answer)) => {
                        nic_network::check(client, op, call, &answer).await?;
                        Ok(Some(Created::new(answer, &sent)))
                    }
                    Err(error) if ignore_missing && error.kind() == Kind::NotFound => Ok(None),
                    Err(error) if error.kind() == Kind::TimedOut => Err(error.about(&described(call))),
                    Err(error) if queued::says(client.service(), &error) => self.queued(client, call, error).await,
                    // Some services end a resource and then fail to say so.
                    Err(error)
                        if error.fault().is_some_and(|fault| fault.status == 500)
                            && client.is_gone(op, &call.args).await =>
                    {
                        Ok(Some(Created::found(Answer::Nothing, false)))
                    }
                    Err(error) => match replacing::arrived(client, op, call, &error).await {
                        Some(answer) => Ok(Some(Created::found(answer, false))),
                        None => Err(error),
                    },
                }
            }
        }
    }

    /// What becomes of a request that was refused since its job is queued already: a wait joins that one.
    async fn queued(&self, client: &Client, call: &Call, error: Error) -> Result<Option<Created>> {
        let Change { op, wait, .. } = self.change;
        let Ok(Some(queued)) = queued::job(client, op, call).await else { return Err(error) };
        if wait.is_none() {
            return Err(error.hint(Hint::run("that job", queued.show)));
        }
        self.report.say(&format!("{}: joins the job {} that is queued already", described(call), queued.id));
        Ok(Some(Created::found(queued.answer, false)))
    }

    /// Sends a request that names what it makes by an id of our own, by which it is found where the answer is lost.
    async fn send_named(
        &self,
        client: &Client,
        request: &Request,
        noun: &'static Noun,
        id: &str,
    ) -> Result<Option<Created>> {
        let place = Args::new().set(noun.name, id);
        let look = async || match client.call(noun.get, &place).await {
            Ok(_) => {
                let Some(jobs) = noun.jobs else { return Ok(None) };
                // The job that makes it is the only one that it has.
                let all = client.call(jobs.of_one, &place).await?;
                let job = all.first().and_then(|row| Some(row.text("/uuid")?.into_owned()));
                let told = serde_json::json!({ jobs.thing: id, "job_uuid": job });
                Answer::from_record(told.to_string().as_bytes()).map(Some)
            }
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        Ok(Some(match client.send_named(self.change.op, request, look).await? {
            Once::Answered(sent, answer) | Once::AnsweredAgain(sent, answer) => Created::new(answer, &sent),
            Once::Found(made) => Created::found(made, false),
        }))
    }

    /// A new thing as it is now that its time is over, which is more than what was answered at first.
    async fn last_seen(&self, error: &Error, op: &Op, noun: &'static Noun, id: &str) -> Option<Answer> {
        if error.kind() != Kind::TimedOut || !shows_own(op, noun) {
            return None;
        }
        let args = Args::new().set(noun.name, in_path(noun, id));
        let asked = tokio::time::timeout(LAST_LOOK, self.client.call(noun.get, &args)).await;
        asked.ok().and_then(Result::ok).filter(|now| matches!(now, Answer::Record(_)))
    }

    /// Waits for the end of what a request has begun. A job that is retried is followed to its next attempt.
    async fn waited(&self, waiting: Wait<'_>, flight: &InFlight, told: impl FnMut(&str)) -> Result<Answer> {
        match self.services.filter(|_| self.client.service().is_inner()) {
            Some(services) => {
                let attempts = OfWorkflow::new(services, &flight.job);
                self.client.wait_through(&waiting, Some(&attempts), told).await
            }
            None => self.client.wait(waiting, told).await,
        }
    }

    /// Waits for the end of a request that was taken.
    async fn end(&self, at: usize, call: &Call, flight: &InFlight, taken: Taken, timeout: Duration) -> Result<Outcome> {
        let Change { op, state, making, .. } = self.change;
        let Some((_, noun)) = op.goal else { return Ok(Outcome::Left(None)) };
        let Taken { made, name, id, before } = taken;
        let own = making.map(|making| Own::of(call, &made, making.key.as_deref())).unwrap_or_default();
        let (id, answer) = (id.unwrap_or_default(), made.machine);
        if made.was_there {
            create::check_progressing(&name, &id, &answer).map_err(|error| error.with_body(answer.json()))?;
        }
        let named = name.strip_prefix(&format!("{} ", noun.word));
        // Of a part that is changed what it is a part of is looked at.
        let typed = call.target.iter().chain(&call.parents).find(|(param, _)| *param == noun.name);
        let typed = typed.or(call.target.as_ref()).map(|(_, name)| name.as_str());
        let called = named.or(typed).unwrap_or(&id).to_owned();
        let waiting = Wait {
            op,
            args: call.args.clone().set(noun.name, in_path(noun, &id)),
            name: &called,
            since: made.date.as_deref(),
            state,
            before,
            time: Time::new(timeout),
        };
        let told = |state: &str| {
            // Tags and metadata have no state.
            if !state.is_empty() {
                self.report.state(at, state);
            }
        };
        let ended = tokio::select! {
            ended = self.waited(waiting, flight, told) => ended,
            // To wait is only to watch: leaving it loses nothing.
            () = self.stop.asked() => {
                let made = matches!(answer, Answer::Record(_)) && call.args.text(noun.name).is_none();
                return Ok(Outcome::Left(made.then(|| known_of(op, noun, &id, answer)).transpose()?));
            }
        };
        let logged = noun.logged_by();
        let machine = logged.and_then(|param| if param == noun.name { Some(&*id) } else { call.args.text(param) });
        let ended = match (ended, machine) {
            (Err(error), Some(machine)) if error.kind() == Kind::FailedState => {
                Err(explain::explain(self.client, machine, Some(op), made.request_id.as_deref(), error).await)
            }
            (Err(error), None) if error.kind() == Kind::FailedState => {
                Err(explain::unlogged(error, noun, &id, made.request_id.as_deref()))
            }
            (ended, _) => ended,
        };
        let ended = match (ended, making) {
            (Err(error), Some(making)) => {
                let deleting = || {
                    flight.deleting.set(true);
                    told("being deleted");
                };
                match making.failed(self.client, (&id, made.was_there, &own), error, deleting).await {
                    // Nobody needs the id of a machine that is gone.
                    Failed { error, deleted: true } => return Err(error),
                    Failed { error, .. } => Err(error),
                }
            }
            (ended, _) => ended,
        };
        // A request that was sent twice may have made two after all, later than anybody looked.
        if let (Ok(_), Some(making), true) = (&ended, making, made.again) {
            making.there(self.client, call).await.map_err(|error| match error.kind() {
                Kind::Ambiguous => error.with_body(answer.json()),
                _ => error,
            })?;
        }
        // What a change answered before its end is not how the thing is.
        let is_new = call.args.text(noun.name).is_none();
        let ended = match (ended, &answer) {
            (Err(error), Answer::Record(made)) if is_new && error.body().is_none() => {
                let now = self.last_seen(&error, op, noun, &id).await;
                let known = match now {
                    Some(now) => now,
                    None => known_of(op, noun, &id, Answer::Record(made.clone()))?,
                };
                return Err(error.with_body(known.json()));
            }
            (ended, _) => ended?,
        };
        let (object, receipt) = match (ended, answer) {
            // What is waited for may be another object than the one that was made or changed.
            (Answer::Record(_), Answer::Record(made)) if !op.starts_job && !shows_own(op, noun) => {
                (Answer::Record(made), false)
            }
            (ended, _) if matches!(ended, Answer::Nothing) || !op.starts_job && !shows_own(op, noun) => {
                (receipt(op, Some(&id))?, true)
            }
            (ended, _) => (ended, false),
        };
        Ok(Outcome::Done(Done { object, receipt, words: Some(format!("{name}: done")) }))
    }
}

/// How long a new thing is asked for once more when its time is over.
const LAST_LOOK: Duration = Duration::from_secs(3);

/// The noun and the id of what a request makes, where the request names it.
fn named<'a>(op: &Op, call: &'a Call) -> Option<(&'static Noun, &'a str)> {
    let noun = op.makes().filter(|noun| op.starts_job && noun.jobs.is_some())?;
    Some((noun, call.args.text(noun.key)?))
}

/// The id of our own that what a request makes is to have, where the request has one.
pub fn own_id<'a>(op: &Op, call: &'a Call) -> Option<(&'static Noun, &'a str)> {
    let noun = op.makes().filter(|_| call.target.is_none())?;
    Some((noun, call.args.text(noun.key).filter(|id| is_uuid(id))?))
}

/// What is known of a new thing from the answer to its request: what names a job is not the thing.
fn known_of(op: &Op, noun: &Noun, id: &str, answer: Answer) -> Result<Answer> {
    match op.starts_job {
        true => Answer::from_record(serde_json::json!({ noun.key: id }).to_string().as_bytes()),
        false => Ok(answer),
    }
}

/// Gives what an operation makes an id of our own, where the service takes one.
pub fn name(op: &Op, args: &mut Args) {
    if let Some(noun) = op.makes().filter(|noun| op.starts_job && args.get(noun.key).is_none())
        && op.fields.iter().any(|field| field.name == noun.key)
    {
        args.push(noun.key, Arg::Text(new_uuid()));
    }
}

/// What the target is called, and the id of what was made or changed: a new resource says its own, any other was called
/// by it.
fn called(op: &Op, call: &Call, answer: &Answer) -> (String, Option<String>) {
    let key = op.goal.map_or("/id".to_owned(), |(_, noun)| format!("/{}", named_by(op, noun)));
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
            let name = name.or_else(|| call.args.text(noun.name_field).map(str::to_owned));
            let id = made.clone().unwrap_or_default();
            format!("{} {} ({id})", noun.word, name.unwrap_or_default())
        }
        (None, None) => String::new(),
    };
    let own = call.target.as_ref().and_then(|(param, _)| call.args.text(param)).map(str::to_owned);
    (name, asked.or(made).or(own))
}

/// The field of the answer with the id of what was made or changed.
fn named_by(op: &Op, noun: &Noun) -> &'static str {
    noun.jobs.filter(|_| op.starts_job).map_or(noun.key, |jobs| jobs.thing)
}

/// What has been done, where the answer is the end of it.
fn past(op: &Op) -> String {
    let (group, verb) = op.verb.rsplit_once(' ').unwrap_or(("", op.verb));
    let done = match verb {
        "set" => "set".to_owned(),
        "delete-all" => return format!("all {} deleted", group.replace('-', " ")),
        "change-password" => "password changed".to_owned(),
        verb if verb.ends_with('e') => format!("{verb}d"),
        verb => format!("{verb}ed"),
    };
    // What was made is a part of what is named.
    let part = !op.path.rsplit('/').next().unwrap_or_default().starts_with(':');
    match (op.makes, group.strip_suffix('s')) {
        (Some(made), _) if part && op.path_params().next().is_some() => format!("{} {done}", made.word),
        (_, Some(thing)) if part => format!("{} {done}", thing.replace('-', " ")),
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
