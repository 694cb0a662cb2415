//! What tells people whether a target is the right one: its name, state, age and tags. It looks them up, and changes
//! nothing.
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
//! use sdc::api::cloudapi::machines::{DELETE, MACHINE};
//! use sdc::tasks::about;
//! use sdc::tasks::targets::{self, Asked};
//!
//! // A prompt before the deletion shows more than the id.
//! let asked = Asked::named(&MACHINE, ["3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d"]);
//! let mut targets = targets::resolve(&(), &client, &DELETE, asked).await?;
//! about::complete(&client, &mut targets).await;
//! let call = &targets.calls[0];
//! let about = targets.about(call).unwrap();
//! assert_eq!(about::labelled(call, Some(about)), "machine web1 (3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d)");
//! assert_eq!((&*about.state, &*about.tags), ("running", "role=web, stage=prod, weight=10"));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;

use super::call::{Call, described};
use super::resolve::{self, Candidate, Candidates};
use super::targets::Targets;
use crate::answer::Answer;
use crate::api::admin::vmapi;
use crate::api::cloudapi::{machines, snapshots};
use crate::api::{Ids, Noun, Op, Shape};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::request::Args;

/// Up to so many targets are looked up one by one; more come from the list.
const LOOKUP_THRESHOLD: usize = 3;

/// How long a name is asked for where a failure is about to be told anyway.
const BRIEF: Duration = Duration::from_secs(3);

/// What is known of a target.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its state, or whether it is enabled.
    pub state: String,
    /// When it was made, in the service's own form.
    pub made: Option<String>,
    /// Whose it is, and where, in words: where things of all accounts are listed, nothing else tells them apart.
    pub of: Vec<String>,
    /// Its tags, or what else tells it apart.
    pub tags: String,
    /// The service refuses to delete it.
    pub protected: bool,
}

/// Whether the service refuses to delete this machine.
pub fn is_protected(thing: &Candidate) -> bool {
    thing.text(&["deletion_protection"]).is_some_and(|text| text == "true")
}

impl About {
    /// As far as its list or its own record shows it.
    pub fn of(thing: &Candidate) -> About {
        let text = |field: &str| thing.text(&[field]).map(|text| text.into_owned());
        let enabled = text("enabled").map(|on| if on == "true" { "enabled" } else { "disabled" }.to_owned());
        // Some things have no tags, and are told apart by another field.
        let more = ["version", "rule", "email", "subnet", "fingerprint"].into_iter().filter_map(text);
        let of = text("server_uuid").map(|server| vec![("owner", text("owner_uuid")), ("server", Some(server))]);
        let of = of.into_iter().flatten().filter_map(|(word, id)| Some(format!("{word} {}", id?)));
        About {
            name: thing.name.clone(),
            state: text("state").or(enabled).unwrap_or_default(),
            made: ["created", "published_at", "create_timestamp", "created_at"].into_iter().find_map(text),
            of: of.collect(),
            tags: more.chain(thing.tags()).collect::<Vec<_>>().join(", "),
            protected: is_protected(thing),
        }
    }
}

/// Whether what was typed for the target is its id, or how that begins.
pub(super) fn is_by_id(call: &Call) -> bool {
    let Some(((_, typed), id)) = call.target.as_ref().zip(call.id()) else { return false };
    id.eq_ignore_ascii_case(typed) || is_shortened(call)
}

fn is_shortened(call: &Call) -> bool {
    let Some(((_, typed), id)) = call.target.as_ref().zip(call.id()) else { return false };
    let begin = id.get(..typed.len()).filter(|begin| begin.len() < id.len() && resolve::begins_id(typed));
    begin.is_some_and(|begin| begin.eq_ignore_ascii_case(typed))
}

/// Whether one was typed by the beginning of its id, and nothing is known of it: it may be called so, too.
pub fn is_any_shortened(targets: &Targets) -> bool {
    targets.calls.iter().any(|call| is_shortened(call) && targets.about(call).is_none())
}

/// Returns what the target of a call is called: `machine web0 (b6979942-…)`, also where the id or its beginning was
/// typed.
pub fn labelled(call: &Call, about: Option<&About>) -> String {
    let name = about.map(|about| about.name.as_str()).filter(|name| !name.is_empty());
    match (&call.target, name) {
        (Some((param, _)), Some(name)) if is_by_id(call) => described(&Call {
            args: call.args.clone(),
            target: Some((param, name.to_owned())),
            parents: call.parents.clone(),
        }),
        _ => described(call),
    }
}

/// Calls the targets that were typed by their ids or the beginnings of those by their names, as far as those are known.
pub fn name(targets: &mut Targets) {
    for call in &mut targets.calls {
        let known = call.key().and_then(|key| targets.known.get(&key)).map(|about| about.name.as_str());
        let by_id = is_by_id(call);
        if let (Some(name), Some((_, typed)), true) = (known.filter(|name| !name.is_empty()), &mut call.target, by_id) {
            name.clone_into(typed);
        }
    }
}

/// Looks up what is not known of the targets yet. A target that cannot be looked up stays unknown: this never fails.
pub async fn complete(client: &Client, targets: &mut Targets) {
    let unknown = |call: &&Call| call.key().is_some_and(|key| !targets.known.contains_key(&key));
    let missing: Vec<&Call> = targets.calls.iter().filter(unknown).collect();
    let Some(noun) =
        missing.first().and_then(|call| call.target.as_ref()).and_then(|(param, _)| client.service().noun(param))
    else {
        return;
    };
    // Tags and metadata are no rows, and their values may be secrets.
    if noun.list.shape != Shape::Rows {
        return;
    }
    let found: HashMap<String, About> = if missing.len() <= LOOKUP_THRESHOLD {
        let one = async |call: &Call| Some((call.key()?, About::of(&shown(client, noun, call).await?)));
        futures_util::stream::iter(missing)
            .map(one)
            .buffer_unordered(LOOKUP_THRESHOLD)
            .filter_map(async |one| one)
            .collect()
            .await
    } else {
        match missing.first() {
            Some(call) => listed(client, noun, call).await,
            None => HashMap::new(),
        }
    };
    targets.known.extend(found);
}

/// The target of a call, as its own record shows it.
async fn shown(client: &Client, noun: &'static Noun, call: &Call) -> Option<Candidate> {
    let place = noun.get.path_params().filter_map(|name| Some((name, call.args.text(name)?)));
    let place = place.fold(Args::new(), |args, (name, text)| args.set(name, text));
    let answer = client.call(noun.get, &place).await.ok()?;
    Candidate::of(noun, answer.first()?).ok()
}

/// What a record calls the target of a call, where that is another name than was typed, and the call does not change it:
/// a list may show one thing's name with the id of another one.
pub(super) fn called_otherwise(client: &Client, call: &Call, record: &Answer) -> Option<String> {
    let (param, typed) = call.target.as_ref().filter(|_| !is_by_id(call))?;
    let noun = client.service().noun(param).filter(|noun| noun.ids == Ids::Uuid)?;
    let row = record.first()?;
    let is_it = row.text(&format!("/{}", noun.key)).is_some_and(|id| Some(&*id) == call.id());
    // The name may be within an object that is sent.
    let sent = noun.name_field.split('/').next().is_some_and(|field| call.args.get(field).is_some());
    let name = row.text(&format!("/{}", noun.name_field)).filter(|_| is_it && !sent)?;
    let same = *name == **typed || noun.version_field.is_some() && typed.starts_with(&format!("{name}@"));
    (!same).then(|| name.into_owned())
}

/// The same call with its target's name, where that was typed by its id and a failure is to be told of it: whoever reads
/// that later knows no ids. Where nothing can be reached, or nothing is there, nothing more is asked.
pub async fn by_name(client: &Client, call: &Call, error: &Error) -> Option<Call> {
    let (param, _) = call.target.as_ref().filter(|_| is_by_id(call) && !client.service().is_inner())?;
    let told = matches!(error.kind(), Kind::FailedState | Kind::Refused | Kind::TimedOut);
    let noun = client.service().noun(param).filter(|noun| told && noun.list.shape == Shape::Rows)?;
    let name = tokio::time::timeout(BRIEF, shown(client, noun, call)).await.ok()??.name;
    (!name.is_empty()).then(|| Call { target: Some((param, name)), ..call.clone() })
}

/// What goes beside what was written since, in sentences, where machines go back to snapshots; nothing where that cannot
/// be found out.
pub async fn going_back(client: &Client, op: &'static Op, calls: &[Call]) -> Vec<String> {
    let mut all = Vec::new();
    for call in calls {
        if std::ptr::eq(op, &snapshots::BOOT) {
            let on = Args::new().set("machine", call.args.text("machine").unwrap_or_default());
            let machine = read(client.call(&machines::GET, &on).await);
            let taken = read(client.call(&snapshots::LIST, &on).await);
            all.extend(goes(&machine, &taken, "created", call.args.text("snapshot").unwrap_or_default()));
        } else if std::ptr::eq(op, &vmapi::ROLLBACK_SNAPSHOT) {
            let vm = read(client.call(&vmapi::GET, &call.args.in_path_of(&vmapi::GET)).await);
            let taken = vm.get("snapshots").cloned().unwrap_or_default();
            all.extend(goes(&vm, &taken, "created_at", call.args.text("snapshot_name").unwrap_or_default()));
        }
    }
    all
}

fn read(answer: Result<Answer>) -> Value {
    answer.ok().and_then(|answer| serde_json::from_str(&answer.json()).ok()).unwrap_or_default()
}

/// The same of one that goes back to this snapshot of these.
fn goes(machine: &Value, taken: &Value, field: &str, name: &str) -> Vec<String> {
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let time = |of: &Value| text(of, field).parse::<jiff::Timestamp>().ok();
    let taken = taken.as_array().map_or(&[][..], Vec::as_slice);
    let back = taken.iter().find(|one| text(one, "name") == name).and_then(time);
    let newer = taken.iter().filter(|one| back.zip(time(one)).is_some_and(|(back, time)| time > back));
    let newer: Vec<String> = newer.map(|one| text(one, "name")).collect();
    let called = [text(machine, "name"), text(machine, "alias")].concat();
    let runs = (text(machine, "state") == "running").then(|| format!("{called} is running, and is stopped for it"));
    let lost = (!newer.is_empty()).then(|| format!("newer snapshots of {called} go too: {}", newer.join(", ")));
    runs.into_iter().chain(lost).collect()
}

async fn listed(client: &Client, noun: &'static Noun, call: &Call) -> HashMap<String, About> {
    let place = resolve::place(noun, &call.args);
    let place = match noun.whole() {
        Some((name, value)) => place.set(name, value),
        None => place,
    };
    let known = Candidates::list(client, noun, &place).await;
    known.into_iter().flat_map(|known| known.things).map(|thing| (thing.id.clone(), About::of(&thing))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_goes_back_to_a_snapshot_loses_those_that_are_newer() {
        let taken = json!([
            { "name": "a", "created": "2025-11-21T10:00:00.000Z" },
            { "name": "b", "created": "2025-11-21T10:00:01.000Z" },
            { "name": "c", "created": "when" },
        ]);
        let machine = |state: &str| json!({ "name": "web1", "state": state });
        let words = goes(&machine("running"), &taken, "created", "a");
        assert_eq!(words, ["web1 is running, and is stopped for it", "newer snapshots of web1 go too: b"]);
        assert!(goes(&machine("stopped"), &taken, "created", "b").is_empty());
        assert!(goes(&Value::Null, &Value::Null, "created", "b").is_empty());
    }
}
