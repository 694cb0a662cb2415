//! Why a machine failed, or why an action had no effect: gathers what the service knows, for
//! [`diagnosis`](super::diagnosis) to interpret. It changes nothing.
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
//! use sdc::api::cloudapi::machines::CREATE;
//! use sdc::tasks::explain;
//!
//! // Lists leave out the machines that failed.
//! let id = explain::find(&client, "broken").await?;
//! let (reason, hints) = explain::reason(&client, &id, Some(&CREATE)).await;
//! for hint in &hints {
//!     println!("{hint}");
//! }
//! assert!(reason.unwrap().contains("provision failed"));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::future::Future;
use std::time::Duration;

use futures_util::future::{join, join3};

use super::diagnosis::{ASK, Entry, Facts, Image, Limit, Machine, Package, diagnose};
use super::{resolve, route};
use crate::answer::{Answer, Row};
use crate::api::cloudapi::{account, images, machines, migrations, packages};
use crate::api::{self, Noun, Op};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::Args;

/// The operations that are called.
pub const READS: &[&Op] = &[&machines::GET, &machines::AUDIT, &account::LIMITS, &images::GET, &packages::GET];

/// How long each of the two rounds of requests may take where a failure is about to be reported anyway.
const BRIEF: Duration = Duration::from_secs(3);
/// How many hints are added to a failure.
const MAX_HINTS: usize = 3;

/// Adds to the failure of a wait what is known of the reason, within a few seconds whatever happens. `request` is the
/// id of the request that asked for it, which no answer tells later.
pub async fn explain(client: &Client, machine: &str, op: Option<&Op>, request: Option<&str>, error: Error) -> Error {
    // The machine is as it was, whatever its audit log says.
    let moves = op.is_some_and(|op| matches!(op.goal, Some((_, noun)) if std::ptr::eq(noun, &migrations::MIGRATION)));
    let error = match moves {
        true => left_of_migration(client, machine).await.into_iter().fold(error, Error::hint),
        false => {
            let (reason, hints) = reason(client, machine, op).await;
            let error = match reason {
                Some(reason) => error.because(Error::other(reason)),
                None => error,
            };
            hints.into_iter().fold(error, Error::hint)
        }
    };
    asked(error, request)
}

/// What can be done with a migration of which a step has failed, as far as it is there.
async fn left_of_migration(client: &Client, machine: &str) -> Option<Hint> {
    let own = Args::new().set("machine", machine);
    match within(Some(BRIEF), client.call(&migrations::GET, &own)).await {
        Err(error) if error.kind() == Kind::NotFound => None,
        // The service refuses to abort it.
        Ok(now) if now.first().is_some_and(|row| matches!(&*row.text_or_empty("/state"), "running" | "successful")) => {
            Some(Hint::run("how it is now", CommandLine::new("machines migrate get").on(machine)))
        }
        _ => Some(Hint::run(
            "to give it up, which leaves the machine as it is",
            CommandLine::new("machines migrate abort").on(machine),
        )),
    }
}

/// Adds to the failure of a wait for what has no log where it is, and what the operator of the cloud asks for. Lists
/// leave such out.
pub fn unlogged(error: Error, noun: &Noun, id: &str, request: Option<&str>) -> Error {
    let shows = resolve::is_uuid(id) && noun.get.path_params().count() == 1;
    let command = shows.then(|| api::words(noun.get)).filter(|command| !command.is_empty());
    let error = match command {
        Some(command) => error.hint(Hint::run("how it is now", CommandLine::of(&command).on(id))),
        None => error,
    };
    asked(error, request)
}

fn asked(error: Error, request: Option<&str>) -> Error {
    match request {
        None => error,
        Some(id) => error.asked_as(id).hint(format!("the operator of the cloud finds it by the request id {id}")),
    }
}

/// What failed, where its log says so, and in a few short lines what is known besides and can be done. Never fails, and
/// takes a few seconds at most.
pub async fn reason(client: &Client, machine: &str, op: Option<&Op>) -> (Option<String>, Vec<Hint>) {
    let facts = gather(client, machine, Some(BRIEF)).await;
    let told = diagnose(&facts, op.and_then(|op| op.job));
    let (reason, known) = match told.failed {
        Some(_) => (Some(told.reason), None),
        None => (None, Some(Hint::from(told.reason))),
    };
    let tries = told.tries.into_iter().filter(|way| *way != ASK);
    let mut all: Vec<Hint> = known.into_iter().chain(tries).collect();
    all.truncate(MAX_HINTS);
    all.push(Hint::run("all that is known", CommandLine::new("machines why").on(machine)));
    (reason, all)
}

/// The error of an answer that says nothing.
pub fn nothing() -> Error {
    Error::new(Kind::Unreachable, "the service answered nothing that helps")
}

/// The id of the machine of this name, which may have failed or be gone: ordinary lists leave such out.
///
/// # Errors
/// Not found, ambiguous, or the service did not answer.
pub async fn find(client: &Client, typed: &str) -> Result<String> {
    if resolve::is_uuid(typed) {
        return Ok(typed.to_ascii_lowercase());
    }
    let all = Args::new().set("tombstone", "true");
    let mut found = route::named(client, &all, typed, Machine::read).await?;
    if found.is_empty() && typed.len() >= 8 {
        let begins = typed.to_ascii_lowercase();
        let listed = client.call(&machines::LIST, &all).await?;
        found = listed.rows().map(Machine::read).collect();
        found.retain(|machine| machine.id.starts_with(&begins));
    }
    // Of those that are gone the last one is meant, and none of them where one is still there.
    if found.iter().any(|machine| machine.state != "deleted") {
        found.retain(|machine| machine.state != "deleted");
    } else if let Some(last) = found.iter().map(|machine| machine.created.clone()).max() {
        found.retain(|machine| machine.created == last);
    }
    match found.as_slice() {
        [one] => Ok(one.id.clone()),
        // The others' words are as good.
        [] => resolve::id(client, &machines::MACHINE, typed).await,
        many => {
            let words = format!("'{typed}' fits {} machines", many.len());
            let shown = many.iter().take(8).map(|it| format!("{} {} {} {}", it.id, it.name, it.state, it.created));
            let error = shown.fold(Error::new(Kind::Ambiguous, words), Error::hint);
            Err(error.hint("use the id of the one that is meant"))
        }
    }
}

/// Gathers what is known of a machine; with a time limit, as much of it as comes within that.
pub async fn gather(client: &Client, id: &str, patience: Option<Duration>) -> Facts {
    let own = Args::new().set("machine", id);
    let (machine, audit, limits) = join3(
        within(patience, async { first(&client.call(&machines::GET, &own).await.or_else(gone)?, Machine::read) }),
        within(patience, async { Ok(client.call(&machines::AUDIT, &own).await?.rows().map(Entry::read).collect()) }),
        within(patience, async {
            Ok(client.call(&account::LIMITS, &Args::new()).await?.rows().map(Limit::read).collect())
        }),
    )
    .await;
    let known = machine.as_ref().ok();
    let image = known.map(|machine| machine.image.clone()).filter(|id| resolve::is_uuid(id));
    let package = known.map(|machine| machine.package.clone()).filter(|name| !name.is_empty());
    let image = async {
        let args = Args::new().set("image", image?);
        Some(within(patience, async { first(&client.call(&images::GET, &args).await?, Image::read) }).await)
    };
    let package = async {
        let args = Args::new().set("package", package?);
        Some(within(patience, async { first(&client.call(&packages::GET, &args).await?, Package::read) }).await)
    };
    let (image, package) = join(image, package).await;
    Facts { machine, audit, limits, image, package }
}

fn first<T>(answer: &Answer, read: fn(Row<'_>) -> T) -> Result<T> {
    answer.first().map(read).ok_or_else(nothing)
}

/// A deleted machine comes with the error that says so.
fn gone(error: Error) -> Result<Answer> {
    match error.body().map(|body| Answer::from_record(body.as_bytes())) {
        Some(Ok(machine)) => Ok(machine),
        _ => Err(error),
    }
}

async fn within<T>(patience: Option<Duration>, asked: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(patience) = patience else { return asked.await };
    let late = |_| Error::new(Kind::Unreachable, format!("no answer within {patience:?}"));
    tokio::time::timeout(patience, asked).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
}
