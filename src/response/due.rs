//! What an operation's success must look like: a body of another shape is no success, whatever the status says.

use crate::api::{Ids, Method, Op, Shape, noun};
use crate::grammar::is_uuid;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// No body.
    Nothing,
    /// An array of objects.
    Rows,
    /// An object with this field, or with any at all.
    Object(Option<&'static str>),
    /// An object, which may have nothing in it.
    Empty,
    /// Text, a number, whatever a tag holds.
    Value,
}

impl Due {
    pub(super) fn of(op: &Op) -> Due {
        match op.shape {
            Shape::Nothing => Due::Nothing,
            Shape::Rows => Due::Rows,
            Shape::Map => Due::Empty,
            Shape::Record if op.maybe_empty => Due::Empty,
            Shape::Record => {
                let shown = op.path_params().last().and_then(noun).filter(|noun| std::ptr::eq(noun.get, op));
                match shown.or_else(|| op.makes()) {
                    // What is in a list of names is a value.
                    Some(noun) if noun.ids == Ids::Any && noun.list.shape == Shape::Map => Due::Value,
                    Some(noun) => Due::Object(Some(noun.key)),
                    None => Due::Object(None),
                }
            }
        }
    }

    /// Whether the record is that of what was asked for. Only an id can tell: by a name or a fingerprint the service
    /// finds things that are called otherwise.
    pub(super) fn is_asked_for(self, op: &Op, asked: &str, id: Option<&str>) -> bool {
        let Due::Object(Some("id")) = self else { return true };
        let last = |path: &str| path.split('?').next().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
        let is_its_own = last(op.path)
            .and_then(|part| noun(part.strip_prefix(':')?))
            .is_some_and(|noun| noun.key == "id" && op.makes().is_none());
        match (last(asked).filter(|asked| is_its_own && is_uuid(asked)), id) {
            (Some(asked), Some(id)) => asked.eq_ignore_ascii_case(id),
            _ => true,
        }
    }

    pub(super) fn words(self) -> String {
        match self {
            Due::Nothing => "nothing".to_owned(),
            Due::Rows => "a list".to_owned(),
            Due::Object(Some(key)) => format!("an object with the field {key}"),
            Due::Object(None) | Due::Empty => "an object".to_owned(),
            Due::Value => "a value".to_owned(),
        }
    }
}

/// Whether a redirect of this operation says that there is one already: the service answers so only to what makes a
/// NIC, and points to a path of the same account.
pub(super) fn is_there(op: &Op, asked: &str, location: &str) -> bool {
    if op.method != Method::Post || !op.found_by_redirect {
        return false;
    }
    let parts = |path: &str| -> Vec<String> { path.split('/').map(str::to_owned).collect() };
    let (wanted, to) = (parts(op.path), parts(location));
    // The address may have a path of its own before the account, which the service knows nothing of.
    let asked = parts(asked);
    let asked = asked.get(asked.len().saturating_sub(wanted.len() - 1)..).unwrap_or_default();
    let [empty, account, to @ .., last] = to.as_slice() else { return false };
    let [own, rest @ ..] = asked else { return false };
    // It calls the account by its login, which is not known where it was called otherwise.
    let called = own == account || own == "my" || (own.len() == 36 && !account.is_empty());
    empty.is_empty() && called && rest == to && !last.is_empty() && !last.contains(['?', '#'])
}
