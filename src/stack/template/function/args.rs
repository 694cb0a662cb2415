//! What functions make of their arguments: lists and texts, within bounds. Pure.

use std::cell::Cell;

use serde_json::Value;

use super::super::data::word;
use super::super::version::Version;

/// The longest result of one function, in bytes.
const MAX_RESULT: usize = 4 << 20;
/// So many steps may all functions of a template take.
const MAX_STEPS: usize = 20_000_000;

/// The elements of a list of known length.
pub(super) fn elements<const N: usize>(value: Value) -> Result<[Value; N], String> {
    let list = list(value, "its argument")?;
    let length = list.len();
    list.try_into().map_err(|_| format!("it takes {N} arguments, not {length}"))
}

pub(super) fn list(value: Value, what: &str) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(format!("{what} must be a list, not {}", word(&other))),
    }
}

pub(super) fn string(value: Value, what: &str) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("{what} must be a text, not {}", word(&other))),
    }
}

/// Refuses a result that is too long.
pub(super) fn short(length: usize) -> Result<(), String> {
    match length > MAX_RESULT {
        true => Err(format!("its result has more than {} MiB", MAX_RESULT >> 20)),
        false => Ok(()),
    }
}

/// What a function may take, of all that a template may.
pub(in super::super) struct Limits<'a> {
    /// The version of the language.
    pub version: Version,
    /// The steps that were taken so far.
    pub steps: &'a Cell<usize>,
}

impl Limits<'_> {
    /// Refuses what would take too long.
    pub fn quick(&self, steps: usize) -> Result<(), String> {
        self.steps.set(self.steps.get().saturating_add(steps));
        match self.steps.get() > MAX_STEPS {
            true => Err("the template takes too many steps: its lists and texts are too large".to_owned()),
            false => Ok(()),
        }
    }
}
