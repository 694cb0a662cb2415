//! Whether a document has the form that [`shape`](super::shape) says, and what is wrong with it, by its place.

use crate::emulator::datacenter::clock::read_iso;
use std::fmt::{self, Display};

use serde_json::{Map, Value};

use super::names::{known, plain, shown};
use super::shape::{Kind, Shape};
use crate::emulator::http::reply::Refusal;

/// How many mistakes are told.
const MOST: usize = 20;

/// What is wrong in a document.
#[derive(Debug, Default)]
pub(super) struct Faults {
    told: Vec<String>,
    more: usize,
}

impl Faults {
    /// Notes what is wrong at a place.
    pub(super) fn add(&mut self, place: &Place<'_>, words: impl Display) {
        if self.told.len() < MOST {
            self.told.push(format!("{place}: {}", plain(&words.to_string())));
        } else {
            self.more += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The mistakes, each of which has a line.
    pub(super) fn lines(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.told.iter().cloned().chain(more).collect()
    }
}

/// A refusal of CloudAPI's, in words for whoever wrote the document.
pub(super) fn refused(refusal: &Refusal) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut words = text(&refusal.body, "message");
    for error in refusal.body.get("errors").and_then(Value::as_array).into_iter().flatten() {
        words.push_str(&format!("; {}: {}", text(error, "field"), text(error, "message")));
    }
    words
}

/// Where something stands: `machines[2].package`.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Top,
    Field(&'a Place<'a>, &'a str),
    Entry(&'a Place<'a>, usize),
}

impl Place<'_> {
    pub(super) fn field<'a>(&'a self, name: &'a str) -> Place<'a> {
        Place::Field(self, name)
    }

    pub(super) fn entry(&self, at: usize) -> Place<'_> {
        Place::Entry(self, at)
    }
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Top => Ok(()),
            Place::Field(Place::Top, name) => write!(f, "{}", shown(name)),
            Place::Field(around, name) => write!(f, "{around}.{}", shown(name)),
            Place::Entry(around, at) => write!(f, "{around}[{at}]"),
        }
    }
}

/// Compares an object with its shape. Fields without a value are taken away, and times become milliseconds.
pub(super) fn object(fields: &mut Map<String, Value>, shape: &Shape, place: &Place<'_>, faults: &mut Faults) {
    // A section without a value could mean that it is empty, or that the base's is meant.
    if !matches!(place, Place::Top) {
        fields.retain(|_, value| !value.is_null());
    }
    for (name, value) in fields.iter_mut() {
        let place = place.field(name);
        match shape.fields().find(|(known, _)| known == name) {
            Some((_, kind)) => self::value(value, kind, &place, faults),
            None => {
                let names: Vec<String> = shape.fields().map(|(name, _)| name.to_owned()).collect();
                faults.add(&place, format!("there is no such field; {}", known(name, &names)));
            }
        }
    }
}

fn value(value: &mut Value, kind: Kind, place: &Place<'_>, faults: &mut Faults) {
    let mut must = |fits: bool, words: &str| {
        if !fits {
            faults.add(place, format!("must be {words}"));
        }
    };
    match kind {
        // A version such as 1.10 would be another one as a number.
        Kind::Text if value.is_number() => must(false, "text: put it between quotes"),
        Kind::Text => must(value.is_string(), "text"),
        Kind::Flag => must(value.is_boolean(), "true or false"),
        Kind::Count => must(value.is_u64(), "a number, whole and not negative"),
        Kind::Whole => must(value.is_i64(), "a whole number"),
        Kind::Object => must(value.is_object(), "an object"),
        Kind::List => must(value.is_array(), "a list"),
        Kind::Time | Kind::Iso => match milliseconds(value) {
            Some(time) if matches!(kind, Kind::Time) => *value = time.into(),
            Some(_) if value.is_string() => {}
            _ => must(false, "a time, such as \"2025-01-31T18:00:00Z\""),
        },
        Kind::Texts => match value.as_array() {
            Some(list) => {
                for (at, _) in list.iter().enumerate().filter(|(_, value)| !value.is_string()) {
                    faults.add(&place.entry(at), "must be text");
                }
            }
            None => must(false, "a list of texts"),
        },
        Kind::Scalars => match value.as_object() {
            Some(fields) => {
                for (name, _) in
                    fields.iter().filter(|(_, value)| value.is_array() || value.is_object() || value.is_null())
                {
                    faults.add(&place.field(name), "must be text, a number, true or false");
                }
            }
            None => must(false, "an object"),
        },
        Kind::One(shape) => one(value, shape, place, faults),
        Kind::Each(shape) => match value.as_array_mut() {
            Some(list) => {
                for (at, value) in list.iter_mut().enumerate() {
                    one(value, shape, &place.entry(at), faults);
                }
            }
            None => must(false, "a list"),
        },
    }
}

fn one(value: &mut Value, shape: &Shape, place: &Place<'_>, faults: &mut Faults) {
    match value {
        Value::Object(fields) => object(fields, shape, place, faults),
        Value::String(_) if shape.text => {}
        _ if shape.text => faults.add(place, "must be text, or an object"),
        _ => faults.add(place, "must be an object"),
    }
}

/// A point in time, in milliseconds since 1970.
fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => read_iso(text),
        number => number.as_i64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::shape::DOCUMENT;
    use super::*;

    fn faults_of(mut document: Value) -> Vec<String> {
        let mut faults = Faults::default();
        object(document.as_object_mut().unwrap(), &DOCUMENT, &Place::Top, &mut faults);
        faults.lines()
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (document, words) in [
            (json!({ "machnes": [] }), "machnes: there is no such field; is \"machines\" meant?"),
            (json!({ "machines": null }), "machines: must be a list"),
            (json!({ "machines": [1] }), "machines[0]: must be an object"),
            (
                json!({ "machines": [{}, { "imgae": "x" }] }),
                "machines[1].imgae: there is no such field; is \"image\" meant?",
            ),
            (
                json!({ "machines": [{ "tags": { "a": [] } }] }),
                "machines[0].tags.a: must be text, a number, true or false",
            ),
            (json!({ "images": [{ "version": 1.1 }] }), "images[0].version: must be text: put it between quotes"),
            (json!({ "packages": [{ "memory": -1 }] }), "packages[0].memory: must be a number, whole and not negative"),
            (
                json!({ "machines": [{ "created": "yesterday" }] }),
                "machines[0].created: must be a time, such as \"2025-01-31T18:00:00Z\"",
            ),
            (
                json!({ "accounts": [{ "users": [{ "keys": [7] }] }] }),
                "accounts[0].users[0].keys[0]: must be text, or an object",
            ),
            (json!({ "pools": [{ "networks": ["a", 2] }] }), "pools[0].networks[1]: must be text"),
            (
                json!({ "switches": { "x": 1 } }),
                "switches.x: there is no such field; there is bhyve_snapshots, delegated_datasets, user_migrations",
            ),
        ] {
            assert_eq!(faults_of(document), [words]);
        }
        assert_eq!(faults_of(json!({ "machines": [{ "created": "2025-01-31T18:00:00Z", "image": null }] })), [""; 0]);
    }

    #[test]
    fn of_very_many_mistakes_some_are_told() {
        let many: Vec<Value> = (0..1000).map(Value::from).collect();
        let told = faults_of(json!({ "machines": many }));
        assert_eq!((told.len(), told.last().unwrap().as_str()), (21, "and 980 more"));
    }
}
