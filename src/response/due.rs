//! What an operation's success must look like: a body of another shape is no success, whatever the status says.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::value::RawValue;

use crate::answer::{Row, scan};
use crate::api::{Ids, Method, Noun, Op, Service, Shape};
use crate::grammar::is_uuid;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// No body.
    Nothing,
    /// An array of objects.
    Rows,
    /// An object with this id, or with any field at all.
    Object(Option<Id>),
    /// An object, which may have nothing in it.
    Empty,
    /// Text, a number, whatever a tag holds.
    Value,
}

impl Due {
    pub(super) fn of(service: &Service, op: &Op) -> Due {
        match op.shape {
            Shape::Nothing => Due::Nothing,
            Shape::Rows => Due::Rows,
            Shape::Map => Due::Empty,
            Shape::Record if op.maybe_empty => Due::Empty,
            Shape::Record => {
                let shown = op.path_params().last().and_then(|param| service.noun(param));
                let shown = shown.filter(|noun| std::ptr::eq(noun.get, op));
                match shown.or_else(|| op.makes()) {
                    // What is in a list of names is a value.
                    Some(noun) if noun.ids == Ids::Any && noun.list.shape == Shape::Map => Due::Value,
                    Some(noun) => Due::Object(Some(Id::of(noun))),
                    None => Due::Object(None),
                }
            }
        }
    }

    /// Whether the record is that of what was asked for. Only an id can tell: by a name or a fingerprint the service
    /// finds things that are called otherwise.
    pub(super) fn is_asked_for(self, service: &Service, op: &Op, asked: &str, row: Row<'_>) -> bool {
        let Due::Object(_) = self else { return true };
        // What the path is about: its last parameter.
        let asked = asked.split('?').next().unwrap_or_default();
        let mut parts = op.path.rsplit('/').zip(asked.rsplit('/'));
        let found = parts.find_map(|(known, part)| Some((service.noun(known.strip_prefix(':')?)?, part)));
        let found = found.filter(|(noun, part)| noun.ids == Ids::Uuid && op.makes().is_none() && is_uuid(part));
        let Some((noun, asked)) = found else { return true };
        row.text(&format!("/{}", noun.key)).is_none_or(|id| asked.eq_ignore_ascii_case(&id))
    }

    pub(super) fn words(self) -> String {
        match self {
            Due::Nothing => "nothing".to_owned(),
            Due::Rows => "a list".to_owned(),
            Due::Object(Some(id)) => format!("an object with the field {}", id.field),
            Due::Object(None) | Due::Empty => "an object".to_owned(),
            Due::Value => "a value".to_owned(),
        }
    }
}

/// What tells things of a noun apart, and what paths are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    field: &'static str,
    ids: Ids,
}

impl Id {
    fn of(noun: &Noun) -> Id {
        Id { field: noun.key, ids: noun.ids }
    }

    /// The id of an object, if it has one of the right type: a text with something in it, or a whole number.
    pub(super) fn within(self, row: Row<'_>) -> Option<Cow<'_, str>> {
        let json = scan::early_member(row.json(), self.field)?;
        match self.ids {
            Ids::Number => json.parse::<u64>().ok().map(|_| Cow::Borrowed(json)),
            // Names may be anything: one that no path can hold is not put into one.
            Ids::Key => scan::unquote(json).filter(|name| !name.trim().is_empty()),
            Ids::Any | Ids::Uuid | Ids::Mac => {
                scan::unquote(json).filter(|id| !id.trim().is_empty() && !matches!(&**id, "." | ".."))
            }
        }
    }
}

/// Why these rows are not what the operation lists: a row without the id by which things of its noun are told apart, or
/// two with the same.
pub(super) fn unlike<'a>(service: &Service, op: &Op, rows: impl Iterator<Item = &'a RawValue>) -> Option<String> {
    let noun = service.listed_by(op)?;
    let id = Id::of(noun);
    let mut seen = HashSet::new();
    for row in rows {
        match id.within(Row(row)) {
            None => return Some(format!("a row without the {} of a {}", id.field, noun.word)),
            Some(id) if !seen.insert(id.clone()) => return Some(format!("two rows of the {} {id}", noun.word)),
            Some(_) => {}
        }
    }
    None
}

/// Whether a redirect of this operation says that there is one already: the service answers so only to what makes a
/// NIC, and points to a path below the one that was asked for.
pub(super) fn is_there(service: &Service, op: &Op, asked: &str, location: &str) -> bool {
    if op.method != Method::Post || !op.found_by_redirect {
        return false;
    }
    let parts = |path: &str| -> Vec<String> { path.split('/').map(str::to_owned).collect() };
    let (wanted, to) = (parts(op.path), parts(location));
    // The address may have a path of its own before the account, which the service knows nothing of.
    let asked = parts(asked);
    let asked = asked.get(asked.len().saturating_sub(wanted.len() - 1)..).unwrap_or_default();
    if !service.account_in_path {
        return to.split_last().is_some_and(|(last, to)| asked == to.get(1..).unwrap_or_default() && is_one(last));
    }
    let [empty, account, to @ .., last] = to.as_slice() else { return false };
    let [own, rest @ ..] = asked else { return false };
    // It calls the account by its login, which is not known where it was called otherwise.
    let called = own == account || own == "my" || (own.len() == 36 && !account.is_empty());
    empty.is_empty() && called && rest == to && is_one(last)
}

/// Whether the last part of a path is the id of something.
fn is_one(last: &str) -> bool {
    !last.is_empty() && !last.contains(['?', '#'])
}
