//! Updates that replace a list, or an object of any members: what is lost by it is said before, another change meanwhile
//! is refused where the service has ETags, and the outcome is read back. A service may answer 200 and have changed
//! nothing, or more than it was asked.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::emulator::{Emulator, Options};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { admin: true, ..Options::default() }).await?;
//! # let (_, napi) = cloud.admin().iter().find(|(name, _)| name == "napi").unwrap();
//! use sdc::api::admin::NAPI;
//! use sdc::api::admin::napi::{NETWORK, UPDATE_NETWORK};
//! use sdc::request::Arg;
//! use sdc::tasks::call::Call;
//! use sdc::tasks::{replacing, resolve};
//!
//! let client = sdc::Client::builder().service(&NAPI).url(format!("http://{napi}")).build()?;
//! let mut call = Call::on(&NETWORK, &resolve::id(&client, &NETWORK, "public").await?, "public");
//! call.args.push("resolvers", Arg::json(r#"["192.0.2.99"]"#)?);
//! let before = replacing::look(&client, &UPDATE_NETWORK, &mut call).await?.unwrap();
//! assert_eq!(before.lost(&UPDATE_NETWORK, &call), ["resolvers: 192.0.2.53, 192.0.2.54"]);
//! client.call(&UPDATE_NETWORK, &call.args).await?;
//! before.check(&client, &UPDATE_NETWORK, &call).await?;
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use serde_json::{Map, Value};

use super::about;
use super::call::{Call, described};
use crate::answer::Answer;
use crate::api::admin::napi::{GET_IP, IP, NETWORK, NIC};
use crate::api::{Field, Goal, Kind, Location, Method, Noun, Op, Shape};
use crate::client::Client;
use crate::error::{Error, Hint, Kind as Failure, Result};
use crate::grammar::tag::EXPIRES;
use crate::request::{Arg, Args};

/// The header by which a service refuses to change what has changed meanwhile.
pub const IF_MATCH: &str = "if-match";
/// What an update changes by itself: times and counters, and what follows from a list.
const DERIVED: &[&str] = &[
    "modified_timestamp",
    "updated_at",
    "last_modified",
    "v",
    "etag",
    "gateway_provisioned",
    "family",
    "nic_tag",
    "nic_tags_present",
];
/// What says how an update is done, and is no part of the thing.
const NO_PART: &[&str] = &["skip_validation", "check_owner", "unassign", "free"];
/// What is kept of a NIC is its address, which shows that and the NIC does not.
const OF_ADDRESS: &str = "reserved";
/// What stands in the place of a secret.
const MASK: &str = "(redacted)";
/// What follows the name of a default member.
const DEFAULT: &str = " (default)";
/// How many lost entries are named.
const NAMED: usize = 20;

/// A thing before its update.
pub struct Before {
    object: Map<String, Value>,
}

/// What an update does to the members that it names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Replace,
    Merge,
    Remove,
}

/// Looks at what a call is about to change, if it replaces a list. Another change meanwhile is refused from here on,
/// where the service has ETags.
///
/// # Errors
/// It cannot be read.
pub async fn look(client: &Client, op: &Op, call: &mut Call) -> Result<Option<Before>> {
    let Some(noun) = noun(client, op).filter(|_| given(op, &call.args).any(|name| op.replaces.contains(&name))) else {
        return Ok(None);
    };
    let request = client.request(noun.get, &call.args.in_path_of(noun.get))?;
    let (response, answer) = client.answered(noun.get, &request).await.map_err(|error| call.blame(error))?;
    if about::called_otherwise(client, call, &answer).is_some() {
        let words = format!("the list and the record of {} differ in its name: nothing was sent", described(call));
        return Err(Error::new(Failure::Unreachable, words).hint("the same command again"));
    }
    let knows = op.fields.iter().any(|field| field.name == IF_MATCH);
    if let Some(etag) = response.header("etag").filter(|_| knows && call.args.get(IF_MATCH).is_none()) {
        call.args.push(IF_MATCH, Arg::Text(etag.to_owned()));
    }
    Ok(Some(Before { object: object(&answer) }))
}

/// What the call was to change, where it is as it was to be although the service says that it has changed meanwhile: an
/// earlier try whose answer was lost has changed it. Where it cannot be read, the refusal stands.
pub async fn arrived(client: &Client, op: &Op, call: &Call, error: &Error) -> Option<Answer> {
    let stale = error.is_in_doubt() && error.fault().is_some_and(|fault| fault.status == 412);
    let noun = noun(client, op).filter(|_| stale && call.args.get(IF_MATCH).is_some())?;
    let answer = client.call(noun.get, &call.args.in_path_of(noun.get)).await.ok()?;
    let now = object(&answer);
    let is = |name: &str| same(&value(&call.args, name), &now.get(name).cloned().unwrap_or_default());
    given(op, &call.args).all(is).then_some(answer)
}

/// The names that go when all of a map is replaced or deleted, such as the tags of a machine: that of what ends a
/// machine's time first. A line for each map that loses any, which begins with what is in it. Nothing where it cannot be
/// read, which is told by what comes next, if it matters.
pub async fn vanish(client: &Client, op: &Op, call: &Call) -> Vec<String> {
    let whole = matches!(op.method, Method::Put | Method::Delete);
    let may_ask = client.signer().is_some() || !client.service().signed;
    let Some(list) = list_of_map(client, op).filter(|_| whole && may_ask) else {
        return match may_ask {
            true => vanish_of(client, op, call).await,
            false => Vec::new(),
        };
    };
    let Ok(answer) = client.call(list, &call.args.in_path_of(list)).await else { return Vec::new() };
    let left: &[&str] = if let Some((Goal::Empty(left), _)) = op.goal { left } else { &[] };
    let stays = |name: &String| {
        let kept = left.contains(&name.as_str()) || op.keeps_name(name);
        kept || op.method == Method::Put && call.args.get(name).is_some()
    };
    let gone = object(&answer).into_iter().map(|(name, _)| name).filter(|name| !stays(name)).collect();
    in_words(op.path.rsplit('/').next().unwrap_or_default(), gone).into_iter().collect()
}

/// The same of an update with maps, each of which replaces one of the thing's, and is asked about for that.
async fn vanish_of(client: &Client, op: &Op, call: &Call) -> Vec<String> {
    let is_map =
        |field: &&Field| field.asks && matches!(field.kind, Kind::Object) && call.args.get(field.name).is_some();
    let maps: Vec<&str> = op.fields.iter().filter(is_map).map(|field| field.name).collect();
    let Some(noun) = noun(client, op).filter(|_| !maps.is_empty()) else { return Vec::new() };
    let Ok(answer) = client.call(noun.get, &call.args.in_path_of(noun.get)).await else { return Vec::new() };
    let old = object(&answer);
    let lost = maps.into_iter().filter_map(|map| {
        let new = value(&call.args, map);
        let names = old.get(map)?.as_object()?.keys();
        in_words(map, names.filter(|name| new.get(name.as_str()).is_none() && !op.keeps_name(name)).cloned().collect())
    });
    lost.collect()
}

/// Names of a map that go.
fn in_words(map: &str, mut gone: Vec<String>) -> Option<String> {
    gone.sort_by_key(|name| name != EXPIRES);
    let more = gone.len().saturating_sub(NAMED);
    gone.truncate(NAMED);
    gone.extend((more > 0).then(|| format!("and {more} more")));
    (!gone.is_empty()).then(|| format!("{}: {}", map.replace('_', " "), gone.join(", ")))
}

/// The calls that remove the members of maps one by one, and their operation, where one of the maps has what an operation
/// that removes all cannot remove. Nothing where none has, or one cannot be read, which is told by what comes next.
pub async fn one_by_one(client: &Client, op: &Op, calls: &[Call]) -> Option<(&'static Op, Vec<Call>)> {
    let list = list_of_map(client, op)?;
    let removes = |other: &&Op| {
        let above = other.path.rsplit_once("/:").map(|(above, _)| above);
        other.method == Method::Delete && above == Some(op.path)
    };
    let each = client.service().ops().find(removes)?;
    let part = each.path_params().last()?;
    let stays = |name: &String| op.keeps_name(name);
    let (mut all, mut kept) = (Vec::new(), false);
    for call in calls {
        let answer = client.call(list, &call.args.in_path_of(list)).await.ok()?;
        let (these, gone): (Vec<_>, Vec<_>) = object(&answer).into_iter().map(|(name, _)| name).partition(stays);
        // What is computed nothing removes, and nothing refuses to.
        kept |= these.iter().any(|name| !op.computes_name(name));
        all.extend(gone.into_iter().map(|name| Call {
            args: call.args.in_path_of(list).set(part, name.as_str()),
            target: Some((part, name)),
            parents: call.parents.iter().chain(&call.target).cloned().collect(),
        }));
    }
    kept.then_some((each, all))
}

/// The list of the map that an operation is about.
fn list_of_map(client: &Client, op: &Op) -> Option<&'static Op> {
    client
        .service()
        .ops()
        .find(|other| other.method == Method::Get && other.shape == Shape::Map && other.path == op.path)
}

/// Whether what was updated is as it was asked to be, and nothing else has changed: `replaced` has what is known of
/// things before their lists were replaced.
///
/// # Errors
/// As [`Before::check`].
pub async fn check(client: &Client, op: &Op, call: &Call, answer: &Answer, replaced: &[(Call, Before)]) -> Result<()> {
    let is_it = |known: &Call| op.path_params().all(|param| known.args.text(param) == call.args.text(param));
    if let Some((_, before)) = replaced.iter().find(|(known, _)| is_it(known)) {
        before.check(client, op, call).await?;
    }
    read_back(client, op, call, answer).await
}

/// Reads back what the answer to an update does not show: a service may answer 200 and have changed nothing. What a thing
/// shows only where it is on, it need not show where it is off.
///
/// # Errors
/// [`Failure::FailedState`] where something is not as it was asked to be.
async fn read_back(client: &Client, op: &Op, call: &Call, answer: &Answer) -> Result<()> {
    let updates = op.goal.is_none() && op.makes().is_none() && op.assigns && op.method != Method::Get;
    let Some(noun) = noun(client, op).filter(|_| updates) else { return Ok(()) };
    let shown = object(answer);
    let is_off = |value: &Value| is_nothing(value) || *value == Value::Bool(false);
    let of_address = std::ptr::eq(noun, &raw const NIC);
    let unseen = |name: &&str| {
        let looks = !op.replaces.contains(name) && !NO_PART.contains(name) && !shown.contains_key(*name);
        looks && (of_address && *name == OF_ADDRESS || !is_off(&value(&call.args, name)))
    };
    let unseen: Vec<&str> = given(op, &call.args).filter(unseen).collect();
    if unseen.is_empty() {
        return Ok(());
    }
    let args = call.args.in_path_of(noun.get);
    let mut now = object(&client.call(noun.get, &args).await.map_err(|error| call.blame(error))?);
    if of_address && unseen.contains(&OF_ADDRESS) {
        let part = |name: &str| now.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (network, ip) = (part("network_uuid"), part("ip"));
        if network.is_empty() || ip.is_empty() {
            return Ok(());
        }
        let place = Args::new().set(NETWORK.name, network).set(IP.name, ip);
        let address = object(&client.call(&GET_IP, &place).await.map_err(|error| call.blame(error))?);
        now.insert(OF_ADDRESS.to_owned(), address.get(OF_ADDRESS).cloned().unwrap_or(Value::Bool(false)));
    }
    let is = |name: &&str| same(&value(&call.args, name), &now.get(*name).cloned().unwrap_or_default());
    let undone: Vec<&str> = unseen.into_iter().filter(|name| !is(name)).collect();
    match undone.is_empty() {
        true => Ok(()),
        false => Err(not_done(client, noun, call, &undone)),
    }
}

/// The error of an update that was taken and has not done this.
fn not_done(client: &Client, noun: &Noun, call: &Call, undone: &[&str]) -> Error {
    let service = client.service().name;
    let words = format!("{service} accepted the update, but {} is not as it was asked for", undone.join(", "));
    failed(client, noun, call, &words)
}

fn failed(client: &Client, noun: &Noun, call: &Call, words: &str) -> Error {
    let show = call.args.in_path_of(noun.get).command(client.service(), noun.get);
    Error::new(Failure::FailedState, format!("{}: {words}", described(call))).hint(Hint::run("how it is now", show))
}

fn noun(client: &Client, op: &Op) -> Option<&'static Noun> {
    client.service().noun(op.path_params().last()?)
}

fn object(answer: &Answer) -> Map<String, Value> {
    match answer.value() {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// The members of the body that are given, but for what says how.
fn given<'a>(op: &'a Op, args: &'a Args) -> impl Iterator<Item = &'static str> + 'a {
    let fields = op.fields.iter().filter(|field| field.place == Location::Body && field.name != "action");
    fields.map(|field| field.name).filter(|name| args.get(name).is_some())
}

fn value(args: &Args, name: &str) -> Value {
    match args.get(name) {
        Some(Arg::Text(text)) => text.clone().into(),
        Some(Arg::Json(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
        None => Value::Null,
    }
}

fn mode(op: &Op, args: &Args) -> Mode {
    match args.text("action") {
        Some("delete") => Mode::Remove,
        Some("replace") => Mode::Replace,
        _ if op.fields.iter().any(|field| field.name == "action") => Mode::Merge,
        _ => Mode::Replace,
    }
}

impl Before {
    /// What is there and will not be any longer: a line for each list.
    pub fn lost(&self, op: &Op, call: &Call) -> Vec<String> {
        let replaced = given(op, &call.args).filter(|name| op.replaces.contains(name));
        let lost = replaced.filter(|_| mode(op, &call.args) == Mode::Replace).filter_map(|name| {
            let new = value(&call.args, name);
            let entries: Vec<String> = match self.object.get(name)? {
                Value::Array(old) => {
                    let is_it = |one: &Value, entry: &Value| {
                        // Who becomes a default member loses nothing.
                        let (is, was) = (called(one), called(entry));
                        same(one, entry) || is == was || is.strip_suffix(DEFAULT) == Some(&was)
                    };
                    let stays =
                        |entry: &&Value| new.as_array().is_some_and(|new| new.iter().any(|one| is_it(one, entry)));
                    old.iter().filter(|entry| !stays(entry)).map(called).collect()
                }
                Value::Object(old) => old.keys().filter(|key| new.get(key.as_str()).is_none()).cloned().collect(),
                _ => Vec::new(),
            };
            let more = entries.len().saturating_sub(NAMED);
            let named = entries.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            (!entries.is_empty()).then(|| format!("{name}: {named}{more}"))
        });
        lost.collect()
    }

    /// Reads it back after the update.
    ///
    /// # Errors
    /// [`Failure::FailedState`] where something that was asked for has not changed, or something else has.
    pub async fn check(&self, client: &Client, op: &Op, call: &Call) -> Result<()> {
        let Some(noun) = noun(client, op) else { return Ok(()) };
        let args = call.args.in_path_of(noun.get);
        let after = object(&client.call(noun.get, &args).await.map_err(|error| call.blame(error))?);
        let mode = mode(op, &call.args);
        let unchanged: Vec<&str> =
            given(op, &call.args).filter(|name| !self.is_done(op, mode, name, call, &after)).collect();
        if !unchanged.is_empty() {
            return Err(not_done(client, noun, call, &unchanged));
        }
        // What else follows from other fields only the service knows.
        if !given(op, &call.args).all(|name| op.replaces.contains(&name)) {
            return Ok(());
        }
        let asked: Vec<&str> = given(op, &call.args).collect();
        let all = self.object.keys().chain(after.keys().filter(|name| !self.object.contains_key(*name)));
        let others = all.filter(|name| !asked.contains(&name.as_str()) && !DERIVED.contains(&name.as_str()));
        let get = |object: &Map<String, Value>, name: &str| object.get(name).cloned().unwrap_or_default();
        let changed: Vec<&str> =
            others.filter(|name| !same(&get(&self.object, name), &get(&after, name))).map(String::as_str).collect();
        match changed.is_empty() {
            true => Ok(()),
            false => {
                let words = format!("more has changed than was asked for: {} too", changed.join(", "));
                Err(failed(client, noun, call, &words))
            }
        }
    }

    /// Whether a member is as it was asked for.
    fn is_done(&self, op: &Op, mode: Mode, name: &str, call: &Call, after: &Map<String, Value>) -> bool {
        let (new, is) = (value(&call.args, name), after.get(name).cloned().unwrap_or_default());
        let (Some(new), false) = (new.as_object(), mode == Mode::Replace || !op.replaces.contains(&name)) else {
            return same(&new, &is);
        };
        let empty = Map::new();
        let is = is.as_object().unwrap_or(&empty);
        let old = self.object.get(name).and_then(Value::as_object).unwrap_or(&empty);
        let stays = old.iter().filter(|(key, _)| !new.contains_key(*key));
        let done = new.iter().all(|(key, value)| match mode {
            Mode::Remove => !is.contains_key(key),
            _ => is.get(key).is_some_and(|is| same(value, is)),
        });
        done && stays.into_iter().all(|(key, value)| is.get(key).is_some_and(|is| same(value, is)))
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        _ => false,
    }
}

/// Whether two values mean the same: services leave out what is empty, sort lists, and write numbers as text.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(mask), _) | (_, Value::String(mask)) if mask == MASK => true,
        (one, other) if is_nothing(one) || is_nothing(other) => is_nothing(one) && is_nothing(other),
        (Value::Array(one), Value::Array(other)) => {
            let sorted = |all: &[Value]| {
                let mut all: Vec<String> = all.iter().map(text).collect();
                all.sort();
                all
            };
            sorted(one) == sorted(other)
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (one, other) => text(one) == text(other),
    }
}

/// What an entry of a list is called. A thing is sent by its name, and shown by its id too.
fn called(entry: &Value) -> String {
    let part = |key: &str| entry.get(key).and_then(Value::as_str);
    let Some(name) = part("login").or_else(|| part("name")) else { return text(entry) };
    let account = if part("type") == Some("account") { "account:" } else { "" };
    let default = if entry.get("default") == Some(&Value::Bool(true)) { DEFAULT } else { "" };
    format!("{account}{name}{default}")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_goes_is_called_by_its_name_and_who_is_no_default_member_any_longer_goes_too() {
        use crate::api::cloudapi::roles::UPDATE;
        let before = |object: Value| Before { object: object.as_object().unwrap().clone() };
        let role =
            before(json!({ "policies": [{ "id": "p", "name": "may" }, { "id": "q", "name": "keys" }], "members": [
                { "type": "subuser", "id": "u", "login": "ci", "default": true },
                { "type": "subuser", "id": "v", "login": "jill" },
                { "type": "account", "id": "a", "login": "sam" },
            ]}));
        let lost = |name: &'static str, new: Value| {
            let mut call = Call::default();
            call.args.push(name, Arg::json(&new.to_string()).unwrap());
            role.lost(&UPDATE, &call)
        };
        let jill = json!({ "type": "subuser", "login": "jill" });
        assert_eq!(lost("members", json!([jill])), ["members: ci (default), account:sam"]);
        let jill = json!({ "type": "subuser", "login": "jill", "default": true });
        let ci = json!({ "type": "subuser", "login": "ci" });
        assert_eq!(lost("members", json!([jill, ci])), ["members: ci (default), account:sam"]);
        assert_eq!(lost("policies", json!([{ "name": "may" }])), ["policies: keys"]);
        assert!(lost("policies", json!([{ "name": "keys" }, { "name": "may" }])).is_empty());
    }

    #[test]
    fn services_write_the_same_in_several_ways() {
        for (one, other) in [
            (json!(null), json!([])),
            (json!(["b", "a"]), json!(["a", "b"])),
            (json!(1500), json!("1500")),
            (json!({ "a": 1 }), json!({ "a": "1" })),
            (json!("(redacted)"), json!("hush")),
        ] {
            assert!(same(&one, &other) && same(&other, &one), "{one} {other}");
        }
        for (one, other) in [
            (json!(["a"]), json!([])),
            (json!(["a", "a"]), json!(["a"])),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
            (json!(false), json!(null)),
        ] {
            assert!(!same(&one, &other) && !same(&other, &one), "{one} {other}");
        }
    }
}
