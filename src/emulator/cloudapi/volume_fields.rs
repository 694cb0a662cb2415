//! What the fields of a volume may be, and how a list of volumes is asked for: the checks that CloudAPI makes itself,
//! before any other service sees the request. It collects all that is wrong with one.

use serde_json::{Value, json};

use super::predicate;
use super::predicate::Predicate;
use crate::emulator::http::params::{Params, glob};
use crate::emulator::http::reply::Refusal;
use crate::emulator::js;

/// The only type there is.
pub(crate) const KIND: &str = "tritonnfs";
/// The states of volumes that can be asked for.
const STATES: &[&str] = &["creating", "ready", "failed", "deleting"];
/// The parameters of a list.
const KNOWN: &[&str] = &["name", "predicate", "size", "state", "type"];
/// What a predicate can ask for, and of which type it is.
const FIELDS: &[(&str, &str)] = &[
    ("id", "string"),
    ("name", "string"),
    ("network", "string"),
    ("size", "number"),
    ("state", "string"),
    ("type", "string"),
];
const UUID: &str = "/^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/";

/// A finding of a check.
pub(crate) type Found = Option<String>;

fn is_uuid(text: &str) -> bool {
    crate::emulator::datacenter::state::is_uuid(text) && !text.bytes().any(|b| b.is_ascii_uppercase())
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')
}

fn id(value: &Value) -> Found {
    let text = js::text(value);
    (!is_uuid(&text)).then(|| format!("Invalid volume ID: {text}. Volume ID should match {UUID}"))
}

/// Whether a name can be that of a volume; other services look at its length.
pub(crate) fn name(value: &Value) -> Found {
    let text = js::text(value);
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let fits = first && text.len() > 1 && text.bytes().all(word);
    (!fits).then(|| format!(r"Invalid volume name: {text}. Volume name should match /^[a-z0-9][\w\.\-]+$/i"))
}

pub(crate) fn kind(value: &Value) -> Found {
    (value.as_str() != Some(KIND))
        .then(|| format!("Invalid volume type: {}. Volume type should be one of: {KIND}", js::text(value)))
}

pub(crate) fn size(value: &Value) -> Found {
    let fits = value.as_f64().is_some_and(|size| size > 0.0);
    (!fits).then(|| format!("Invalid volume size: {}", js::text(value)))
}

fn network(value: &Value) -> Found {
    let text = js::text(value);
    (!is_uuid(&text)).then(|| format!("Invalid volume network: {text}"))
}

pub(crate) fn networks(value: &Value) -> Found {
    let fits = value.as_array().is_some_and(|list| list.iter().all(|id| network(id).is_none()));
    (!fits).then(|| format!("Invalid networks: {}", js::text(value)))
}

fn state(value: &Value) -> Found {
    let fits = value.as_str().is_some_and(|state| STATES.contains(&state));
    (!fits).then(|| format!("Volume state: {} is invalid", js::text(value)))
}

/// A list's `name` may have a star at its ends, and nowhere else.
fn name_searched(value: &Value) -> Found {
    let text = js::text(value);
    let middle = text.strip_prefix('*').unwrap_or(&text);
    let middle = middle.strip_suffix('*').unwrap_or(middle);
    let fits = !middle.is_empty() && middle.bytes().all(word);
    (!fits).then(|| "invalid value for name search parameter".to_owned())
}

fn size_searched(value: &Value) -> Found {
    let text = js::text(value);
    let fits = text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() && !text.starts_with('0');
    (!fits).then(|| "invalid value for size search parameter, must match /^[1-9][0-9]*$/".to_owned())
}

/// One finding, as it stands among others.
fn error(words: impl std::fmt::Display) -> String {
    format!("Error: {words}")
}

/// Refuses when something was found.
pub(crate) fn refuse(found: impl IntoIterator<Item = Found>) -> Result<(), Refusal> {
    let found: Vec<String> = found.into_iter().flatten().map(error).collect();
    if found.is_empty() { Ok(()) } else { Err(Refusal::invalid(found.join(", "))) }
}

/// Refuses what is not the id of a volume.
pub(crate) fn check_id(value: &str) -> Result<(), Refusal> {
    refuse([id(&value.into())])
}

/// Reads a predicate, or says all that is wrong with it.
fn predicate(text: &str) -> Result<Predicate, String> {
    let value = serde_json::from_str(text)
        .map_err(|error| format!("VError: Could not parse JSON predicate {text}: {}", js::not_json(text, &error)))?;
    let predicate = predicate::read(&value, FIELDS).map_err(|words| format!("VError: {words}"))?;
    let check = |field: &str| match field {
        "id" => id,
        "name" => name,
        "network" => network,
        "size" => size,
        "state" => state,
        _ => kind,
    };
    let fields = predicate.fields();
    let found = fields.iter().flat_map(|(field, values)| values.iter().filter_map(|value| check(field)(value)));
    let found: Vec<String> = found.map(error).collect();
    if found.is_empty() {
        return Ok(predicate);
    }
    Err(error(format_args!("Invalid values in predicate: {}", found.join(","))))
}

/// Which volumes a list asks for.
#[derive(Debug)]
pub(crate) struct Filter {
    name: Option<String>,
    size: Option<u64>,
    state: Option<String>,
    predicate: Option<Predicate>,
}

/// A volume, as a filter looks at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) networks: &'a [String],
    pub(crate) size: u64,
    pub(crate) state: &'a str,
}

impl Filter {
    /// Reads the parameters of a list. Each must be known, and each value fit its field.
    pub(crate) fn read(given: &Params) -> Result<Filter, Refusal> {
        let mut found: Vec<String> = given
            .keys()
            .filter(|name| !KNOWN.contains(&name.as_str()))
            .map(|name| error(format_args!("invalid parameter: {name}")))
            .collect();
        let mut check = |name: &str, fits: fn(&Value) -> Found| {
            found.extend(given.get(name).and_then(fits).map(error));
        };
        check("name", name_searched);
        check("type", kind);
        check("size", size_searched);
        check("state", state);
        let mut read = None;
        match given.get("predicate").map(|value| predicate(&js::text(value))) {
            None => {}
            Some(Err(words)) => found.push(words),
            Some(Ok(predicate)) => {
                let twice = predicate.fields().into_iter().filter(|(field, _)| given.contains_key(*field));
                found.extend(twice.map(|(field, _)| {
                    error(format_args!("predicate has \"{field}\" which conflicts with parameter with same name"))
                }));
                read = Some(predicate);
            }
        }
        if !found.is_empty() {
            return Err(Refusal::invalid(found.join(", ")));
        }
        let text = |name: &str| given.get(name).map(js::text);
        Ok(Filter {
            name: text("name"),
            size: text("size").and_then(|size| size.parse().ok()),
            state: text("state"),
            predicate: read,
        })
    }

    /// Whether it asks for a volume. Those that failed are shown only to who asks for states or by a predicate.
    pub(crate) fn fits(&self, volume: Seen<'_>) -> bool {
        let state = match (&self.state, &self.predicate) {
            (None, None) => volume.state != "failed",
            (Some(state), _) => volume.state == *state,
            (None, Some(_)) => true,
        };
        state
            && self.name.as_deref().is_none_or(|pattern| glob(pattern, volume.name))
            && self.size.is_none_or(|size| volume.size == size)
            && self.predicate.as_ref().is_none_or(|predicate| asked_for(predicate, volume))
    }
}

fn asked_for(predicate: &Predicate, volume: Seen<'_>) -> bool {
    let fields = json!({
        "id": volume.id,
        "name": volume.name,
        "network": volume.networks,
        "size": volume.size,
        "state": volume.state,
        "type": KIND,
    });
    fields.as_object().is_some_and(|fields| predicate.fits(fields))
}
