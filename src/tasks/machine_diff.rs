//! What is known of the machines that are being watched, and what differs between two looks at
//! them. Pure: it neither asks nor prints.
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
//! use sdc::api::cloudapi::machines::{LIST, RENAME};
//! use sdc::request::Args;
//! use sdc::tasks::machine_diff::{Event, Known, Machine, differences};
//!
//! let list = async || -> sdc::Result<Known> {
//!     Ok(client.call(&LIST, &Args::new()).await?.rows().filter_map(Machine::read).collect())
//! };
//! let before = list().await?;
//! let id = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
//! client.call(&RENAME, &Args::new().set("machine", id).set("name", "web2")).await?;
//! # while list().await?[id].name != "web2" {}
//! let mut after = list().await?;
//! let kinds = differences(before.get(id), &after[id]);
//! assert_eq!(kinds, ["alias"]);
//! // In the format of the changefeed: one line of JSON.
//! let event = Event::found(id, &kinds, after.remove(id).unwrap(), jiff::Timestamp::now());
//! assert!(event.late && event.json.contains(r#""subResources":["alias"]"#));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::Row;
use crate::api::cloudapi::changefeed::SUBRESOURCES;
use crate::error::{Error, Kind, Result};

/// A machine as it was last seen.
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    json: Box<RawValue>,
    /// What tells the value of each of [`SUBRESOURCES`] from another one.
    parts: Vec<u64>,
}

/// A number that tells this value from others, in whatever order the members of its objects stand: the values themselves
/// may be large, and are many.
fn print(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Value::Object(all) => {
            let members = all.iter().map(|(name, value)| {
                let mut hasher = DefaultHasher::new();
                (name, print(value)).hash(&mut hasher);
                hasher.finish()
            });
            ("object", all.len(), members.fold(0, u64::wrapping_add)).hash(&mut hasher);
        }
        Value::Array(all) => {
            ("array", all.len()).hash(&mut hasher);
            all.iter().for_each(|value| print(value).hash(&mut hasher));
        }
        other => other.to_string().hash(&mut hasher),
    }
    hasher.finish()
}

impl Machine {
    /// From the object of a list or of an event; `None` if it is no machine.
    pub fn read(row: Row<'_>) -> Option<(String, Machine)> {
        let id = row.text("/id").filter(|id| !id.is_empty())?.into_owned();
        let text = |pointer: &str| row.text(pointer).unwrap_or_default().into_owned();
        let state = text("/state");
        let whole: Value = serde_json::from_str(row.json()).ok()?;
        let part = |kind: &str| match kind {
            "destroyed" => Value::from(state == "deleted"),
            kind => field(kind).and_then(|field| whole.get(field)).cloned().unwrap_or_default(),
        };
        let parts = SUBRESOURCES.iter().map(|kind| print(&part(kind))).collect();
        Some((id, Machine { name: text("/name"), state, json: row.0.to_owned(), parts }))
    }

    /// What is left of it when the service knows nothing of it any more.
    pub fn deleted(&self) -> Option<Machine> {
        let mut whole: serde_json::Map<String, Value> = serde_json::from_str(self.json.get()).ok()?;
        whole.insert("state".to_owned(), "deleted".into());
        let raw = serde_json::value::to_raw_value(&whole).ok()?;
        Machine::read(Row(&raw)).map(|(_, machine)| machine)
    }

    /// How much of it is kept, in bytes.
    pub fn weight(&self) -> usize {
        self.json.get().len() + self.name.len() + self.state.len() + self.parts.len() * 8
    }

    /// Whether there is nothing left that could change.
    pub fn is_gone(&self) -> bool {
        self.state == "deleted"
    }
}

/// Where a machine shows what the feed calls so.
fn field(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "alias" => "name",
        "customer_metadata" => "metadata",
        "nics" => "nics",
        "server_uuid" => "compute_node",
        "state" => "state",
        "tags" => "tags",
        _ => return None,
    })
}

/// What differs between a machine before, if it was there, and after.
pub fn differences(before: Option<&Machine>, after: &Machine) -> Vec<&'static str> {
    match before {
        None => SUBRESOURCES.iter().copied().filter(|kind| *kind != "destroyed" || after.is_gone()).collect(),
        Some(before) => SUBRESOURCES
            .iter()
            .zip(before.parts.iter().zip(&after.parts))
            .filter(|(_, (before, after))| before != after)
            .map(|(kind, _)| *kind)
            .collect(),
    }
}

/// All that are known.
pub type Known = HashMap<String, Machine>;

/// One change, told by the service or found by comparing two lists.
pub struct Event {
    /// One line of JSON: the service's own text, or one made like it.
    pub json: String,
    /// The id of the machine.
    pub machine: String,
    /// When it changed.
    pub at: Option<jiff::Timestamp>,
    /// What changed, in the words of the feed.
    pub kinds: Vec<String>,
    /// Its state since then.
    pub state: String,
    /// The machine as it is since then.
    pub object: Option<Machine>,
    /// It was found by listing, after the feed was lost.
    pub late: bool,
}

impl Event {
    /// From the service's text.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] for what is no event.
    pub fn told(text: &str) -> Result<Event> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
            Error::new(Kind::Unreachable, "the changefeed sent what is not JSON").because(error.to_string())
        })?;
        let row = Row(raw);
        let machine = row.text("/changedResourceId").unwrap_or_default().into_owned();
        let published = row.text("/published").and_then(|text| text.parse().ok());
        let kinds = row.text("/changeKind/subResources").and_then(|list| serde_json::from_str(&list).ok());
        let object = row.text("/resourceObject").and_then(|text| {
            let raw: &RawValue = serde_json::from_str(&text).ok()?;
            Machine::read(Row(raw)).filter(|(id, _)| *id == machine).map(|(_, object)| object)
        });
        Ok(Event {
            // Outside of strings only, where a line feed is nothing but space.
            json: raw.get().replace(['\n', '\r'], " "),
            machine,
            at: published.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()),
            kinds: kinds.unwrap_or_default(),
            state: row.text("/resourceState").unwrap_or_default().into_owned(),
            object,
            late: false,
        })
    }

    /// A change that nobody told of: what a machine is now is known, not when it became so.
    pub fn found(id: &str, kinds: &[&str], machine: Machine, at: jiff::Timestamp) -> Event {
        // As the feed calls it.
        let state = if machine.is_gone() { "destroyed" } else { machine.state.as_str() }.to_owned();
        let json = format!(
            r#"{{"changedResourceId":{},"published":"{}","changeKind":{{"resource":"vm","subResources":{}}},"resourceState":{},"resourceObject":{},"resync":true}}"#,
            Value::from(id),
            at.as_millisecond(),
            Value::from(kinds.to_vec()),
            Value::from(state.as_str()),
            machine.json.get().replace(['\n', '\r'], " "),
        );
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        Event { json, machine: id.to_owned(), at: Some(at), kinds, state, object: Some(machine), late: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(json: &str) -> Machine {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        Machine::read(Row(raw)).unwrap().1
    }

    #[test]
    fn values_are_told_apart_whatever_the_order_of_their_members() {
        let print = |json: &str| print(&serde_json::from_str(json).unwrap());
        for (one, other, same) in [
            (r#"{"a":1,"b":{"c":[1,2],"d":null}}"#, r#"{"b":{"d":null,"c":[1,2]},"a":1}"#, true),
            (r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#, false),
            ("[1,2]", "[2,1]", false),
            (r#"{"a":1}"#, r#"{"a":"1"}"#, false),
            ("[[1],2]", "[1,[2]]", false),
            ("{}", "[]", false),
            ("null", r#""""#, false),
            ("true", r#""true""#, false),
        ] {
            assert_eq!(print(one) == print(other), same, "{one} {other}");
        }
    }

    #[test]
    fn what_differs_is_told_in_the_feeds_words_whatever_the_order_of_keys() {
        let before = machine(r#"{"id":"a","name":"x","state":"running","tags":{"a":1,"b":2},"nics":[{"ip":"1"}]}"#);
        let same = machine(r#"{"id":"a","state":"running","name":"x","tags":{"b":2,"a":1},"nics":[{"ip":"1"}]}"#);
        assert!(differences(Some(&before), &same).is_empty());
        let after = machine(r#"{"id":"a","name":"y","state":"deleted","tags":{"a":1,"b":2},"nics":[]}"#);
        assert_eq!(differences(Some(&before), &after), ["alias", "destroyed", "nics", "state"]);
    }

    #[test]
    fn a_change_that_was_found_looks_like_one_that_was_told() {
        let found = Event::found(
            "a",
            &["state"],
            machine(r#"{"id":"a","name":"x","state":"deleted","n":1.10}"#),
            jiff::Timestamp::UNIX_EPOCH,
        );
        assert!(
            found.json.ends_with(r#""resourceObject":{"id":"a","name":"x","state":"deleted","n":1.10},"resync":true}"#)
        );
        let told = Event::told(&found.json).unwrap();
        assert_eq!(
            (told.machine.as_str(), told.state.as_str(), told.kinds.as_slice()),
            ("a", "destroyed", &["state".to_owned()][..])
        );
        assert!(told.object.is_some_and(|object| object.is_gone()));
    }

    #[test]
    fn what_is_no_event_does_not_pass_for_one() {
        assert!(Event::told("{").is_err());
        let odd = Event::told("[1,\n2]").unwrap();
        assert_eq!((odd.json.as_str(), odd.machine.as_str()), ("[1, 2]", ""));
    }
}
