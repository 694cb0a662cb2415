//! Creating machines: once for a key or a name, several at a time, and away with one that fails. It sends the requests
//! and looks for what came of them; waiting for their end is the caller's.
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
//! use sdc::api::cloudapi::machines::CREATE;
//! use sdc::request::Args;
//! use sdc::tasks::call::Call;
//! use sdc::tasks::change::{Change, Changing, InFlight};
//! use sdc::tasks::create::{self, CreateOptions};
//! use sdc::tasks::resolve;
//! use sdc::tasks::stop::Stop;
//!
//! let making = CreateOptions::once("build-4711".to_owned())?;
//! let mut args = Args::new().set("name", "ci").set("image", "base-64").set("package", "g1-small");
//! making.mark(&mut args)?;
//! resolve::fields(&client, &CREATE, &mut args).await?;
//! let call = Call::new(args);
//!
//! let change = Change { wait: Some(Duration::from_secs(60)), making: Some(&making), ..Change::new(&CREATE) };
//! let stop = Stop::default();
//! let changing = Changing { client: &client, change, stop: &stop, report: &(), services: None };
//! // However often this runs, one machine has this key.
//! for was_there in [false, true] {
//!     let flight = InFlight::new(&call, stop.flag());
//!     changing.one(0, &call, &flight).await?;
//!     assert_eq!(flight.there.get(), was_there);
//! }
//! let made = create::of_key(&client, "build-4711").await?;
//! assert_eq!(made.len(), 1);
//!
//! // Deletes it and waits until it is gone.
//! create::remove(&client, &made[0], Duration::from_secs(60)).await?;
//! assert!(create::of_key(&client, "build-4711").await?.is_empty());
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

mod ends;
mod removal;
mod taken;

use std::collections::HashMap;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

pub use self::ends::{check_expiry, expiry, settle_expiry};
use self::removal::missing;
pub use self::removal::{Own, OwnRemoved, Removed, delete_when_allowed, remove, remove_own};
use super::call::Call;
use crate::answer::{Answer, Row, scan};
use crate::api::Op;
use crate::api::cloudapi::{machines, packages};
use crate::client::{Client, Once};
use crate::error::{Cleanup, CommandLine, Error, Hint, Kind, Result};
use crate::grammar::range;
use crate::request::{Arg as Value, Args, Request};
use crate::response::Response;

/// A tag's value may be longer, and no key needs to be.
const MAX_KEY_LEN: usize = 128;
/// What the service puts the first group of the id in the place of.
const SHORT_ID: &str = "{{shortId}}";
/// States of machines that are as good as not there.
const GONE: &[&str] = &["failed", "deleted", "destroyed", "incomplete"];
/// States that are on the way to another one.
const ON_THE_WAY: &[&str] = &["provisioning", "configured", "running"];

/// How long it may take to delete a machine.
const DELETE_TIMEOUT: Duration = Duration::from_secs(120);

/// The tag that says until when a machine is wanted, in ISO 8601.
pub use crate::grammar::tag::EXPIRES as EXPIRES_TAG;
/// The tag that keeps the key.
use crate::grammar::tag::KEY as KEY_TAG;

/// How machines are to be made.
#[derive(Default)]
pub struct CreateOptions {
    /// Its idempotency key.
    pub key: Option<String>,
    /// A machine of the name is taken as it is.
    pub if_absent: bool,
    /// How many.
    pub count: Option<usize>,
    /// One that does not come to its end is deleted.
    pub delete_failed: bool,
    /// The names of packages by their ids, by which machines call them; each asked for once, and only if need be.
    packages: Mutex<HashMap<String, String>>,
}

/// What the service has already of what is to be made.
#[derive(Default)]
pub struct Existing {
    /// The machine that is meant.
    pub machine: Option<Answer>,
    /// Those that have come to nothing: they do not count, and none of them may be taken for a new one.
    past: Vec<(String, Answer)>,
    /// What could not be compared of the machine for want of a right, and which.
    doubt: Option<Error>,
}

/// What came of making one.
pub struct Created {
    /// The machine.
    pub machine: Answer,
    /// When the service answered, by its own clock.
    pub date: Option<String>,
    /// By which the service's operator finds the request.
    pub request_id: Option<String>,
    /// It was there before this command.
    pub was_there: bool,
    /// It came of a second request, after nothing was found of the first.
    pub again: bool,
    /// It was not answered, but found by looking.
    pub found: bool,
}

impl Created {
    /// What the service answered.
    pub fn new(machine: Answer, sent: &Response) -> Created {
        let header = |name| sent.header(name).map(str::to_owned);
        Created {
            machine,
            date: header("date"),
            request_id: header("request-id"),
            was_there: false,
            again: false,
            found: false,
        }
    }

    /// What was found by looking.
    pub fn found(machine: Answer, was_there: bool) -> Created {
        Created { machine, date: None, request_id: None, was_there, again: false, found: true }
    }
}

impl Existing {
    /// Whether a machine is none of those that do not count.
    fn is_new(&self, machine: &Answer) -> bool {
        let id = machine.first().and_then(|row| row.text("/id").map(|id| id.into_owned())).unwrap_or_default();
        self.past.iter().all(|(known, _)| *known != id)
    }
}

impl CreateOptions {
    /// One with this key, or that takes a machine of the same name as it is.
    pub fn new(key: Option<String>, if_absent: bool) -> CreateOptions {
        CreateOptions { key, if_absent, ..CreateOptions::default() }
    }

    /// One that is made once under this key.
    ///
    /// # Errors
    /// A usage error for a key that no tag can keep.
    pub fn once(key: String) -> Result<CreateOptions> {
        check_key(&key)?;
        Ok(CreateOptions { key: Some(key), ..CreateOptions::default() })
    }

    /// Puts the key among what is sent.
    ///
    /// # Errors
    /// The tag is given by hand too, or the time in the one of `sdc reap` is none.
    pub fn mark(&self, args: &mut Args) -> Result<()> {
        check_expiry(args)?;
        if self.if_absent && args.get("name").is_none() {
            return Err(Error::usage("--if-absent looks for a machine by its name, and there is none: -n NAME"));
        }
        let Some(key) = &self.key else { return Ok(()) };
        let tag = format!("tag.{KEY_TAG}");
        if args.get(&tag).is_some() {
            return Err(Error::usage(format!("the tag {KEY_TAG} is given beside --idempotency-key, which sets it")));
        }
        args.push(tag, Value::Text(key.clone()));
        // The service lets no two machines have one name, so of several runs at once one alone makes it.
        match args.text("name").map(str::to_owned) {
            // It would put another id into the name each time.
            Some(name) if name.contains(SHORT_ID) => {
                let digits = hash(&format!("{key}\n{name}"));
                let name = name.replace(SHORT_ID, digits.get(..8).unwrap_or_default());
                args.push("name", Value::Text(name));
            }
            None if self.count.is_none() => args.push("name", Value::Text(derived(key))),
            _ => {}
        }
        Ok(())
    }

    /// A call for each that is to be made, and whether an array is due.
    ///
    /// # Errors
    /// A usage error where the number and the names do not agree.
    pub fn calls(&self, call: Call) -> Result<(Vec<Call>, bool)> {
        let name = call.args.text("name").map(str::to_owned);
        if self.if_absent && name.as_ref().is_some_and(|name| name.contains(SHORT_ID)) {
            return Err(Error::usage(format!("--if-absent: a name with {SHORT_ID} is a new one every time"))
                .hint("to make it once: --idempotency-key KEY"));
        }
        let range = name.as_deref().map(range::names).transpose()?.flatten();
        let names: Vec<Option<String>> = match (range, self.count, name) {
            (Some(names), Some(count), _) if names.len() != count => {
                let words = format!("--count {count} contradicts the name, which stands for {}", names.len());
                return Err(Error::usage(words).hint("the range alone is enough"));
            }
            (Some(names), ..) => names.into_iter().map(Some).collect(),
            (None, None, _) => return Ok((vec![call], false)),
            (None, Some(count), Some(name)) => (1..=count).map(|number| Some(format!("{name}-{number}"))).collect(),
            (None, Some(_), None) if self.key.is_some() => {
                return Err(Error::usage(
                    "several machines of one key are told apart by their names, and none is given",
                )
                .hint("-n 'web-{1..3}'"));
            }
            (None, Some(count), None) => vec![None; count],
        };
        let one = |name: Option<String>| {
            let mut args = call.args.clone();
            if let Some(name) = name {
                args.push("name", Value::Text(name));
            }
            Call::new(args)
        };
        Ok((names.into_iter().map(one).collect(), true))
    }

    /// Whether one that is there already is taken in the place of a new one.
    pub fn makes_once(&self) -> bool {
        self.key.is_some() || self.if_absent
    }

    /// The machine that is there already and is meant.
    ///
    /// # Errors
    /// It differs, or there are several; the service does not say.
    pub async fn there(&self, client: &Client, call: &Call) -> Result<Existing> {
        if !self.makes_once() {
            return Ok(Existing::default());
        }
        // A name that was made of the key says no more than the key.
        let made_up = |name: &str| self.key.as_ref().is_some_and(|key| derived(key) == name);
        let name = call.args.text("name").filter(|name| !made_up(name));
        let mut filter = Args::new();
        if let Some(key) = &self.key {
            filter.push(format!("tag.{KEY_TAG}"), Value::Text(key.clone()));
            // One that fails at once is in no other list, and still is what came of the request.
            filter.push("tombstone", Value::Text("true".to_owned()));
        }
        // The service compares beginnings.
        if let Some(name) = name {
            filter.push("name", Value::Text(name.to_owned()));
        }
        let list = client.call(&machines::LIST, &filter).await?;
        // One that does not show its name or its tags may be the one that is looked for.
        let shown = |row: Row<'_>| {
            let has = |field: &str, sign: char| scan::member(row.json(), field).is_some_and(|it| it.starts_with(sign));
            name.is_none_or(|_| has("name", '"')) && self.key.as_ref().is_none_or(|_| has("tags", '{'))
        };
        if let Some(row) = list.rows().find(|row| !shown(*row)) {
            let words = format!("machine {} of the list does not show its name and tags", row.text_or_empty("/id"));
            return Err(Error::new(Kind::Unreachable, format!("{words}, so that nobody knows whether it is the one")));
        }
        let text = |row: &Row<'_>, field: &str| row.text(field).unwrap_or_default().into_owned();
        let meant = |row: &Row<'_>| {
            let named = name.is_none_or(|name| text(row, "/name") == name);
            let keyed = self.key.as_ref().is_none_or(|key| row_tag(*row).as_deref() == Some(key));
            named && keyed
        };
        let is_past = |row: &Row<'_>| GONE.contains(&text(row, "/state").as_str());
        let (past, found): (Vec<Row<'_>>, Vec<Row<'_>>) = list.rows().filter(meant).partition(is_past);
        let record = |row: &Row<'_>| Answer::from_record(row.json().as_bytes());
        match found.as_slice() {
            [] => {
                let past = past.iter().map(|row| Ok((text(row, "/id"), record(row)?))).collect::<Result<_>>()?;
                Ok(Existing { past, ..Existing::default() })
            }
            [one] => {
                let doubt = self.same(client, call, *one).await?;
                Ok(Existing { machine: Some(record(one)?), doubt, ..Existing::default() })
            }
            several => {
                let which = match (&self.key, name) {
                    (Some(key), _) => format!("{} machines have the idempotency key '{key}'", several.len()),
                    (None, name) => format!("{} machines are called '{}'", several.len(), name.unwrap_or_default()),
                };
                let mut error = Error::new(Kind::Ambiguous, which);
                for row in several.iter().take(8) {
                    error = error.hint(format!("{} {}", text(row, "/id"), text(row, "/name")));
                }
                Err(error.hint(Hint::run("to delete those that are too many", "machines delete ID")))
            }
        }
    }

    /// Refuses a machine that is not what was asked for. A first run needs no right to look at a package that it names
    /// by its id, and so another one does not fail for want of it: returns why it was not compared.
    async fn same(&self, client: &Client, call: &Call, row: Row<'_>) -> Result<Option<Error>> {
        let there = |field: &str| row.text(field).filter(|text| !text.is_empty());
        let asked = |field: &str| call.args.text(field).unwrap_or_default();
        let (mut differences, mut doubt) = (Vec::new(), None);
        // A machine with a boot disk of its own has its image there, and may show none.
        if let Some(image) = there("/image").filter(|image| *image != asked("image")) {
            differences.push(format!("its image is {image}, not {}", asked("image")));
        }
        // What the service cannot name it shows as nothing.
        if let Some(package) = there("/package").filter(|package| *package != asked("package")) {
            match self.package_name(client, asked("package")).await {
                Ok(name) if name == *package => {}
                Ok(name) => differences.push(format!("its package is {package}, not {name}")),
                Err(error) if is_forbidden(&error) => doubt = Some(error),
                Err(error) => return Err(error),
            }
        }
        if differences.is_empty() {
            return Ok(doubt);
        }
        let (name, id) = (there("/name").unwrap_or_default(), there("/id").unwrap_or_default());
        let words = format!("machine {name} ({id}) is there, but differs: {}", differences.join(", and "));
        let error = Error::new(Kind::Refused, words)
            .hint(Hint::run("what it is", CommandLine::new("machines get").on(id)))
            .hint("to have another one, give it another name or key");
        // A name is that of the newest one, which may be newer than that of an earlier run.
        Err(match there("/image").filter(|image| *image != asked("image")) {
            Some(image) => error.hint(format!("for the same image in each run, give its id: --image {image}")),
            None => error,
        })
    }

    async fn package_name(&self, client: &Client, id: &str) -> Result<String> {
        let mut known = self.packages.lock().await;
        match known.get(id) {
            Some(name) => Ok(name.clone()),
            None => Ok(known.entry(id.to_owned()).or_insert(package_name(client, id).await?).clone()),
        }
    }

    /// Sends it, once, and says what was made. `before` is what was there when it was looked for.
    ///
    /// # Errors
    /// The service refused, or did not answer, and nothing was made as far as can be told.
    pub async fn made(
        &self,
        client: &Client,
        op: &'static Op,
        call: &Call,
        request: &Request,
        before: &Existing,
    ) -> Result<Created> {
        if self.makes_once() {
            let look = async || {
                let now = self.there(client, call).await?;
                let machine = now.machine.filter(|machine| before.is_new(machine));
                Ok(machine.or_else(|| now.past.into_iter().map(|(_, past)| past).find(|past| before.is_new(past))))
            };
            return match client.send_once(op, request, look).await {
                Ok(Once::Answered(sent, machine)) => Ok(Created::new(machine, &sent)),
                Ok(Once::AnsweredAgain(sent, machine)) => Ok(Created { again: true, ..Created::new(machine, &sent) }),
                // Of a mere name nobody knows whose it is.
                Ok(Once::Found(machine)) => Ok(Created::found(machine, self.key.is_none())),
                // Another job was faster by a moment.
                Err(error) if is_taken(&error) => match self.there(client, call).await?.machine {
                    Some(machine) if before.is_new(&machine) => Ok(Created::found(machine, true)),
                    Some(_) => Err(error.hint("the machine that has the name is being deleted: then run this again")),
                    None => Err(error),
                },
                Err(error) => Err(error),
            };
        }
        let (sent, machine) = client.answered(op, request).await.map_err(|error| match error.is_in_doubt() {
            true => error.hint("to run this again and still make one alone: --idempotency-key KEY"),
            false => error,
        })?;
        Ok(Created::new(machine, &sent))
    }

    /// What is done with one that did not come to its end: it may be deleted. Takes its id, whether it was there
    /// before, and what tells it from others; returns the failure, and what came of that. `deleting` is told before the
    /// deletion is sent.
    pub async fn failed(
        &self,
        client: &Client,
        (id, was_there, own): (&str, bool, &Own),
        error: Error,
        deleting: impl FnOnce(),
    ) -> Failed {
        let error = self.once_more(own, error);
        if !self.delete_failed {
            // What it is told to end as may be another one.
            let shown = error.body().and_then(|body| Answer::from_record(body.as_bytes()).ok());
            let doubt = shown.and_then(|shown| own.doubt(shown.first()?));
            let error = match doubt {
                Some(doubt) => own.without_deletion(error.hint(doubt)),
                None => error,
            };
            return Failed { error, deleted: false };
        }
        // What was there under a mere name is somebody else's; under this key it is the same job's.
        let ours = !was_there || self.key.is_some();
        if !ours || !matches!(error.kind(), Kind::FailedState | Kind::TimedOut) {
            let why = if ours { "it is kept, for it may run" } else { "it is kept, for it was there before" };
            let error = error.hint(Hint::run(why, CommandLine::new("machines get").on(id)));
            return Failed { error: error.cleaned(Cleanup::Kept), deleted: false };
        }
        // The time may be over although the machine runs, or nobody could be asked: then nobody knows that it failed.
        if error.kind() == Kind::TimedOut && !self.is_unfinished(client, id).await {
            let error = error.hint(Hint::run("it is kept, for it may run", CommandLine::new("machines get").on(id)));
            return Failed { error: error.cleaned(Cleanup::Kept), deleted: false };
        }
        let removed = match remove_own(client, id, own, DELETE_TIMEOUT, deleting).await {
            Ok(OwnRemoved::Sent(removed)) => Ok(removed),
            Ok(OwnRemoved::Doubtful(doubt)) => {
                let error = error.hint(format!("{doubt}: nothing is deleted"));
                return Failed { error: own.without_deletion(error).cleaned(Cleanup::Unknown), deleted: false };
            }
            Err(error) => Err(error),
        };
        let removed = match removed {
            // Somebody else may have been faster.
            Err(error) => missing(client, id).await.ok_or(error),
            removed => removed,
        };
        let removed = match removed {
            Ok(removed) => removed,
            Err(why) => {
                // It may be on its way.
                let error = error
                    .cleaned(Cleanup::Unknown)
                    .hint(format!("it could not be deleted: {why}"))
                    .hint_all(why.filled("MACHINE", id).hints())
                    .hint(Hint::run("to delete it", CommandLine::new("machines delete").on(id)));
                return Failed { error, deleted: false };
            }
        };
        // Nothing more comes of what is deleted, so nothing that was to be tried helps.
        let error = match error.kind() {
            Kind::TimedOut => Error::new(Kind::TimedOut, error.message()).hint("to wait longer: --timeout TIME"),
            _ => error.without_body().without_hints_of("machines delete"),
        };
        let what = match removed {
            Removed::Deleted => "it is deleted, since it did not come to its end",
            Removed::Gone => "it was gone already: there was nothing to delete",
            // The service said that it was made, and may yet show it.
            Removed::Unknown => {
                let look = CommandLine::new("machines get").on(id);
                let error = error.hint(Hint::run("it was not found, and so not deleted; whether it is there", look));
                return Failed { error: error.cleaned(Cleanup::Unknown), deleted: false };
            }
        };
        let error = error.hint(what).cleaned(Cleanup::Deleted);
        Failed { error, deleted: true }
    }

    /// The failure with the way to try it again, which makes a machine of the same name, and of the same key.
    fn once_more(&self, own: &Own, error: Error) -> Error {
        let again = match (&self.key, &own.sent) {
            (Some(_), _) => Hint::from("once more: the same command again; what its key has made is not made twice"),
            (None, Some(_)) if self.if_absent => Hint::from("once more: the same command again; what is there stays"),
            (None, Some(name)) => {
                let create = CommandLine::new("machines create --image IMAGE --package PACKAGE").option("-n", name);
                Hint::run("once more, or another image", create)
            }
            (None, None) => return error,
        };
        error.with_hint_of("machines create", again)
    }

    /// Whether a machine was seen just now in a state that is neither running nor stopped, or is not there.
    async fn is_unfinished(&self, client: &Client, id: &str) -> bool {
        let seen = match client.call(&machines::GET, &Args::new().set("machine", id)).await {
            Ok(seen) => seen,
            // It may yet appear.
            Err(error) => return error.kind() == Kind::NotFound,
        };
        let state = seen.first().and_then(|row| row.text("/state").map(|state| state.into_owned()));
        state.is_some_and(|state| !matches!(state.as_str(), "running" | "stopped" | "stopping"))
    }
}

/// The ids of all machines of a key.
///
/// # Errors
/// The list cannot be read.
pub async fn of_key(client: &Client, key: &str) -> Result<Vec<String>> {
    let list = client.call(&machines::LIST, &Args::new().set(format!("tag.{KEY_TAG}"), key)).await?;
    // A list that does not heed the filter has everybody's.
    let own = list.rows().filter(|row| row_tag(*row).as_deref() == Some(key));
    Ok(own.filter_map(|row| row.text("/id").map(|id| id.into_owned())).collect())
}

/// A machine that did not come to its end.
pub struct Failed {
    /// Why.
    pub error: Error,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// Whether a machine in this state may yet run.
///
/// # Errors
/// It will not by itself.
pub fn check_progressing(name: &str, id: &str, machine: &Answer) -> Result<()> {
    let state = machine.first().and_then(|row| row.text("/state").map(|state| state.into_owned())).unwrap_or_default();
    if state.is_empty() || ON_THE_WAY.contains(&state.as_str()) {
        return Ok(());
    }
    let words = format!("{name} already exists and is {state}: there is nothing to wait for");
    Err(Error::new(Kind::FailedState, words).hint(Hint::run("to start it", CommandLine::new("machines start").on(id))))
}

/// Whether the service refuses something for want of a right.
fn is_forbidden(error: &Error) -> bool {
    error.fault().is_some_and(|fault| fault.status == 403)
}

/// Whether a machine of this name was there when the service looked.
fn is_taken(error: &Error) -> bool {
    error.fault().is_some_and(|fault| fault.fields.iter().any(|one| one.field == "alias" && one.code == "Duplicate"))
}

/// The key that a machine of the list has in its tag.
fn row_tag(row: Row<'_>) -> Option<String> {
    let tags = scan::at(row.json(), &["tags", KEY_TAG])?;
    scan::unquote(tags).map(|text| text.into_owned())
}

async fn package_name(client: &Client, id: &str) -> Result<String> {
    let shown = client.call(&packages::GET, &Args::new().set("package", id)).await;
    let shown = shown.map_err(|error| error.about(&format!("package {id}")))?;
    Ok(shown.first().and_then(|row| row.text("/name").map(|name| name.into_owned())).unwrap_or_default())
}

/// The name of a machine that was given none, for its key: as much of the key as a name can have, and a hash of it.
fn derived(key: &str) -> String {
    let fits = |letter: char| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' };
    let readable: String =
        key.chars().map(fits).skip_while(|letter| !letter.is_ascii_alphanumeric()).take(40).collect();
    let hash = hash(key);
    if readable.is_empty() { format!("once-{hash}") } else { format!("{readable}-{hash}") }
}

/// Ten digits that stand for a text.
fn hash(text: &str) -> String {
    Sha256::digest(text).iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses a key that could not be found again by a filter.
///
/// # Errors
/// A usage error.
pub fn check_key(key: &str) -> Result<()> {
    let wrong = |words: String| Err(Error::usage(format!("--idempotency-key: {words}")));
    if key.chars().count() > MAX_KEY_LEN {
        return wrong(format!("a key has {MAX_KEY_LEN} characters at most"));
    }
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/@+=#".contains(letter);
    match key.chars().find(|letter| !fits(*letter)) {
        Some(letter) => wrong(format!("'{}' is not allowed: letters, digits and -_.:/@+=# are", letter.escape_debug())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: Option<&str>, count: Option<usize>) -> Result<Vec<String>> {
        let args = name.map_or_else(Args::new, |name| Args::new().set("name", name));
        let making = CreateOptions { count, ..CreateOptions::default() };
        let (calls, _) = making.calls(Call::new(args))?;
        Ok(calls.iter().map(|call| call.args.text("name").unwrap_or("-").to_owned()).collect())
    }

    #[test]
    fn names_and_numbers_agree_or_are_refused() {
        for (name, count, expected) in [
            (Some("web"), None, "web"),
            (Some("web-{1..2}"), None, "web-1 web-2"),
            (Some("web-{01..02}"), Some(2), "web-01 web-02"),
            (Some("web"), Some(2), "web-1 web-2"),
            (Some("w-{{shortId}}"), Some(2), "w-{{shortId}}-1 w-{{shortId}}-2"),
            (None, Some(2), "- -"),
            (None, None, "-"),
        ] {
            assert_eq!(names(name, count).unwrap().join(" "), expected);
        }
        assert!(names(Some("web-{1..3}"), Some(2)).is_err());
    }

    #[test]
    fn with_a_key_a_name_is_the_same_each_time_it_is_sent() {
        let name = |key: &str, name: &str| {
            let mut args = Args::new().set("name", name);
            CreateOptions::once(key.to_owned()).unwrap().mark(&mut args).unwrap();
            args.text("name").unwrap().to_owned()
        };
        let one = name("job-1", "w-{{shortId}}");
        assert!(regex::Regex::new("^w-[0-9a-f]{8}$").unwrap().is_match(&one), "{one}");
        assert_eq!(one, name("job-1", "w-{{shortId}}"));
        assert_ne!(one, name("job-2", "w-{{shortId}}"));
        assert_eq!(name("job-1", "web"), "web");
    }

    #[test]
    fn a_key_makes_one_name_that_the_service_takes() {
        let shape = regex::Regex::new(r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$").unwrap();
        let keys = ["job-1", "refs/heads/main#17", "refs-heads-main-17", "-.:/", "@", &"x".repeat(128)];
        let names: std::collections::HashSet<String> = keys.iter().map(|key| derived(key)).collect();
        assert_eq!(names.len(), keys.len());
        assert!(names.iter().all(|name| shape.is_match(name)), "{names:?}");
        assert!(derived("job-1").starts_with("job-1-"));
    }

    #[test]
    fn a_key_is_what_a_filter_finds_again() {
        for key in ["job-1", "refs/heads/main#17", "a"] {
            check_key(key).unwrap();
        }
        for key in ["a b", "*", "ü", "a\n", "x".repeat(129).as_str()] {
            assert!(check_key(key).is_err(), "{key}");
        }
    }
}
