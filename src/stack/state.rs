//! What is known of a stack: how it was made, of what, and what its resources are. It is written before and after every
//! request, so that no end of the process loses what was made. Values that depend on a hidden parameter are kept as keyed
//! hashes alone.

use std::collections::BTreeMap;

use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::template::data::{Data, HIDDEN};
use crate::client::new_uuid;
use crate::error::{Error, Result};
use crate::file;

/// The form of the document.
pub const FORMAT: u64 = 1;
/// The longest document, in bytes.
pub const MAX_LEN: u64 = 64 * 1024 * 1024;
/// So many events are kept.
const MAX_EVENTS: usize = 1000;
/// So much of a reason is kept, in characters.
const MAX_REASON: usize = 2000;

/// What is being done, or was last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Nothing yet.
    Init,
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
    /// What was done is undone.
    Rollback,
    /// It is stopped.
    Suspend,
    /// It is started again.
    Resume,
    /// It is compared with reality.
    Check,
    /// What exists is taken over.
    Adopt,
}

/// How far an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It has begun.
    InProgress,
    /// It is done.
    Complete,
    /// It has failed.
    Failed,
}

impl Action {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Action::Init => "INIT",
            Action::Create => "CREATE",
            Action::Update => "UPDATE",
            Action::Delete => "DELETE",
            Action::Rollback => "ROLLBACK",
            Action::Suspend => "SUSPEND",
            Action::Resume => "RESUME",
            Action::Check => "CHECK",
            Action::Adopt => "ADOPT",
        }
    }
}

impl Status {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Status::InProgress => "IN_PROGRESS",
            Status::Complete => "COMPLETE",
            Status::Failed => "FAILED",
        }
    }
}

/// An action and how far it is, as people know it: `CREATE_COMPLETE`.
pub fn condition(action: Action, status: Status) -> String {
    format!("{}_{}", action.word(), status.word())
}

/// A value, or the keyed hash of one that depends on a hidden parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    /// The value.
    Value(Value),
    /// The hash of its JSON, in hex.
    Hash(String),
}

impl Made {
    /// One of this type that is about to be made.
    pub fn new(kind: &str, time: &str) -> Made {
        Made {
            kind: kind.to_owned(),
            generation: 0,
            id: None,
            mark: None,
            also: Map::new(),
            action: Action::Create,
            status: Status::InProgress,
            reason: String::new(),
            properties: BTreeMap::new(),
            resolved: BTreeMap::new(),
            attributes: Map::new(),
            needs: Vec::new(),
            retain: false,
            external: false,
            created: time.to_owned(),
            updated: String::new(),
            other: Map::new(),
        }
    }
}

impl Kept {
    /// What may be shown of it.
    pub fn shown(&self) -> Value {
        match self {
            Kept::Value(value) => value.clone(),
            Kept::Hash(_) => Value::from(HIDDEN),
        }
    }

    /// The value, if it is kept.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Kept::Value(value) => Some(value),
            Kept::Hash(_) => None,
        }
    }
}

/// A template with all that it was used with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The text of the template.
    pub template: String,
    /// The files that it names, by these names.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Types, and what stands for them.
    #[serde(default)]
    pub types: Vec<(String, String)>,
    /// The values of its parameters but those of its defaults; hidden ones as hashes.
    #[serde(default)]
    pub parameters: BTreeMap<String, Kept>,
    /// What another version of this program keeps.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A resource that was made, or is about to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How often it was replaced.
    #[serde(default)]
    pub generation: u32,
    /// Its id, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name that it was to get, written before it was asked for: by it what was made and not recorded is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// What else was made for it, such as a VLAN.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub also: Map<String, Value>,
    /// What was done with it last.
    pub action: Action,
    /// How far that is.
    pub status: Status,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Its properties, in the form that they are compared in.
    #[serde(default)]
    pub properties: BTreeMap<String, Kept>,
    /// What names in its properties meant when it was made, by property: ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, Value>,
    /// Its attributes as they were last seen.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
    /// The resources that it needs.
    #[serde(default)]
    pub needs: Vec<String>,
    /// It stays when it is to be deleted.
    #[serde(default)]
    pub retain: bool,
    /// It existed before, and is not the stack's.
    #[serde(default)]
    pub external: bool,
    /// When it was made.
    #[serde(default)]
    pub created: String,
    /// When it was last changed.
    #[serde(default)]
    pub updated: String,
    /// What another version of this program keeps.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// When.
    pub time: String,
    /// The resource; the stack itself without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// `CREATE_COMPLETE`.
    pub status: String,
    /// Why, or what.
    #[serde(default)]
    pub reason: String,
    /// The id of the resource then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical: Option<String>,
    /// What another version of this program keeps.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The form of the document.
    pub format: u64,
    /// The stack's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `cloudapi` or `admin`.
    pub backend: String,
    /// The address of the service.
    pub endpoint: String,
    /// The account.
    pub account: String,
    /// When the stack was made.
    pub created: String,
    /// When it was last changed.
    #[serde(default)]
    pub updated: Option<String>,
    /// What was done with it last.
    pub action: Action,
    /// How far that is.
    pub status: Status,
    /// Why, in words.
    #[serde(default)]
    pub reason: String,
    /// Words that group stacks.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What it is made of, or is being brought to.
    #[serde(default)]
    pub source: Source,
    /// What it was before the last update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Source>,
    /// The key of its hashes, in hex.
    pub key: String,
    /// Its resources by their names.
    #[serde(default)]
    pub resources: BTreeMap<String, Made>,
    /// Resources that are replaced or left the template, and are still to be deleted.
    #[serde(default)]
    pub old: Vec<Old>,
    /// Its outputs as they were last.
    #[serde(default)]
    pub outputs: BTreeMap<String, Kept>,
    /// What happened, oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
    /// What another version of this program keeps.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A resource that is to be deleted once nothing needs it any longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Old {
    /// The name that it had.
    pub name: String,
    /// The resource.
    #[serde(flatten)]
    pub made: Made,
}

impl State {
    /// The state of a new stack, of which nothing is made yet. `time` is now, as events have it.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new(name: &str, backend: &str, endpoint: &str, account: &str, time: &str) -> Result<State> {
        let key: [u8; 32] = ring::rand::generate(&ring::rand::SystemRandom::new())
            .map_err(|_| Error::other("the system gives no random numbers"))?
            .expose();
        Ok(State {
            format: FORMAT,
            id: new_uuid(),
            name: name.to_owned(),
            backend: backend.to_owned(),
            endpoint: endpoint.to_owned(),
            account: account.to_owned(),
            created: time.to_owned(),
            updated: None,
            action: Action::Init,
            status: Status::Complete,
            reason: String::new(),
            tags: Vec::new(),
            source: Source::default(),
            previous: None,
            key: hex(&key),
            resources: BTreeMap::new(),
            old: Vec::new(),
            outputs: BTreeMap::new(),
            events: Vec::new(),
            other: Map::new(),
        })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// It is damaged, or of a newer form.
    pub fn parse(bytes: &[u8]) -> Result<State> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| Error::other("the state of the stack is damaged").because(file::json_fault(&error)))?;
        match value.get("format").and_then(Value::as_u64) {
            Some(FORMAT) => {}
            Some(other) => {
                let words = format!("the state of the stack is of the form {other}, and this sdc knows {FORMAT}");
                return Err(Error::other(words).hint("it was written by a newer version of the program"));
            }
            None => return Err(Error::other("this is not the state of a stack: it has no format")),
        }
        serde_json::from_value(value)
            .map_err(|error| Error::other("the state of the stack is damaged").because(file::json_fault(&error)))
    }

    /// The document.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|error| Error::other("the state is not JSON").because(error))
    }

    /// A value as it is kept: one that depends on a hidden parameter as its hash.
    pub fn keep(&self, data: &Data) -> Option<Kept> {
        let value = data.value()?;
        Some(match data.is_hidden() {
            false => Kept::Value(value),
            true => Kept::Hash(self.hash(&value)),
        })
    }

    /// Whether a value is the one that is kept.
    pub fn is_kept(&self, kept: &Kept, data: &Data) -> bool {
        match (kept, data.value()) {
            (Kept::Value(known), Some(value)) => *known == value,
            (Kept::Hash(known), Some(value)) => *known == self.hash(&value),
            (_, None) => false,
        }
    }

    fn hash(&self, value: &Value) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.as_bytes());
        hex(hmac::sign(&key, canonical(value).to_string().as_bytes()).as_ref())
    }

    /// Adds an event; the oldest ones are forgotten.
    pub fn tell(&mut self, event: Event) {
        self.events.push(Event { reason: cut(&event.reason), ..event });
        let more = self.events.len().saturating_sub(MAX_EVENTS);
        self.events.drain(..more);
    }
}

/// So much of a reason as is kept.
pub(super) fn cut(reason: &str) -> String {
    reason.chars().take(MAX_REASON).collect()
}

/// A value whose maps are sorted: their order means nothing.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Array(list) => Value::Array(list.iter().map(canonical).collect()),
        Value::Object(map) => {
            let mut members: Vec<(String, Value)> =
                map.iter().map(|(name, value)| (name.clone(), canonical(value))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().collect())
        }
        scalar => scalar.clone(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A stack of which nothing is made.
    pub(in crate::stack) fn empty(name: &str) -> State {
        State::new(name, "cloudapi", "https://cloud.example.com", "acme", "2026-11-30T10:00:00Z").unwrap()
    }

    #[test]
    fn two_stacks_hash_the_same_value_in_two_ways() {
        let hidden = Data::Hidden(Value::from("s3cret"));
        let (one, other) = (empty("a"), empty("b"));
        assert_ne!(one.keep(&hidden), other.keep(&hidden));
        assert!(one.is_kept(&one.keep(&hidden).unwrap(), &hidden));
        // The order of a map means nothing.
        let map = |text: &str| Data::Hidden(serde_json::from_str(text).unwrap());
        let kept = one.keep(&map(r#"{"a":1,"b":[{"c":1,"d":2}]}"#)).unwrap();
        assert!(one.is_kept(&kept, &map(r#"{"b":[{"d":2,"c":1}],"a":1}"#)));
        assert!(!one.is_kept(&kept, &map(r#"{"a":1}"#)));
    }

    #[test]
    fn the_oldest_events_are_forgotten_and_long_reasons_are_cut() {
        let mut state = empty("a");
        for number in 0..1005 {
            let event = Event {
                id: number.to_string(),
                time: String::new(),
                resource: None,
                status: String::new(),
                reason: "x".repeat(5000),
                physical: None,
                other: Map::new(),
            };
            state.tell(event);
        }
        assert_eq!((state.events.len(), state.events[0].id.as_str()), (1000, "5"));
        assert_eq!(state.events[0].reason.len(), 2000);
    }
}
