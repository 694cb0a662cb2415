//! What an operation's success must look like: a body of another shape is no success, whatever the status says.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
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
            Shape::Record if op.starts_job => Due::Object(Some(Id { field: "job_uuid", ids: Ids::Uuid })),
            Shape::Record if op.maybe_empty => Due::Empty,
            Shape::Record => {
                match shown(service, op).or_else(|| op.makes()) {
                    // What is in a list of names is a value.
                    Some(noun) if noun.ids == Ids::Any && noun.list.shape == Shape::Map => Due::Value,
                    Some(noun) => Due::Object(Some(Id::of(noun))),
                    None => Due::Object(None),
                }
            }
        }
    }

    /// Whether the record is that of what was asked for, as far as it and the path tell.
    pub(super) fn is_asked_for(self, service: &Service, op: &Op, asked: &str, row: Row<'_>) -> bool {
        let Due::Object(_) = self else { return true };
        if op.makes().is_some() {
            return true;
        }
        // A URL may have a path of its own before the account.
        let asked = asked.split('?').next().unwrap_or_default();
        let parts = op.path.rsplit('/').zip(asked.rsplit('/'));
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let mut params = parts.filter_map(|(known, part)| Some((known.strip_prefix(':')?, decoded(part))));
        let of_its_noun = shown(service, op);
        let has_login = service.columns(op).iter().any(|column| column.field == "login");
        params.all(|(param, part)| match (param, of_its_noun, service.noun(param)) {
            // The account itself is called by its login, its id, or `my`, where its record is answered and not its role
            // tags.
            ("login", ..) if service.account_in_path && op.path == "/:login" && has_login => {
                let own = |field: &str| row.text(field);
                let (login, id) = (own("/login"), own("/id"));
                login.is_some() && (part == "my" || login.as_deref() == Some(&part) || id.as_deref() == Some(&part))
            }
            // What is called by its name has another one once that is changed.
            (_, Some(its), Some(noun)) if its.name == noun.name => {
                op.fields.iter().any(|field| field.name == noun.key) || is_called(noun, row, &part)
            }
            // What belongs to a machine says which, and an action's answer tells of what it was taken on.
            (_, _, known) if is_uuid(&part) => {
                let id = known.filter(|noun| noun.key == "id" && of_its_noun.is_none()).and_then(|_| row.text("/id"));
                let other = |id: Option<Cow<'_, str>>| id.is_some_and(|id| !id.eq_ignore_ascii_case(&part));
                !other(row.text(&format!("/{param}"))) && !other(id)
            }
            _ => true,
        })
    }

    /// Whether a record looks like one of the operation's: it has some of the fields that are shown of it. The headers
    /// of CloudAPI make that needless; without them any service's object would do.
    pub(super) fn resembles(self, service: &Service, op: &Op, row: Row<'_>) -> bool {
        // An id that was asked for says enough.
        let identified = matches!(self, Due::Object(Some(_))) && op.makes().is_none();
        if identified || matches!(self, Due::Nothing | Due::Rows | Due::Value) || op.shape == Shape::Map {
            return true;
        }
        let members = scan::members(row.json()).map_or(0, Iterator::count);
        let columns = service.columns(op).iter().filter(|column| !column.field.is_empty());
        let mut fields: Vec<&str> = columns.filter_map(|column| column.field.split('/').next()).collect();
        fields.sort_unstable();
        fields.dedup();
        let there = fields.iter().filter(|field| scan::member(row.json(), field).is_some()).count();
        self == Due::Empty && members == 0 || there > 0 && there >= fields.len().min(members).min(2)
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

/// The noun whose record the operation answers, being about one: what shows it, and what changes it.
fn shown(service: &Service, op: &Op) -> Option<&'static Noun> {
    let noun = op.path_params().last().and_then(|param| service.noun(param))?;
    let names = |op: &Op| service.columns(op).iter().map(|column| column.name).collect::<Vec<_>>();
    let whole = op.path.rsplit('/').next().is_some_and(|last| last.starts_with(':'));
    (std::ptr::eq(noun.get, op) || whole && names(noun.get) == names(op)).then_some(noun)
}

/// Whether the record of this noun is the one that a path calls so. By a name the service finds things that have an id
/// of another form.
fn is_called(noun: &Noun, row: Row<'_>, part: &str) -> bool {
    let field = |name: &str| row.text(&format!("/{name}"));
    let Some(key) = field(noun.key) else { return true };
    let digits = |text: &str| text.replace([':', '-'], "").to_ascii_lowercase();
    match noun.ids {
        Ids::Uuid => !is_uuid(part) || part.eq_ignore_ascii_case(&key),
        Ids::Mac => digits(part) == digits(&key),
        Ids::Key => key == part || field("fingerprint").as_deref() == Some(part),
        Ids::Number | Ids::Any => key == part,
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

    /// What an object has in the place of its id.
    fn json(self, row: Row<'_>) -> Option<&str> {
        self.field.split('/').try_fold(row.json(), |object, name| scan::member(object, name))
    }

    /// The id of what was made. Requests will be sent to it, and what is cut short is another's or nobody's.
    pub(super) fn of_new(self, row: Row<'_>) -> Option<Cow<'_, str>> {
        self.within(row).filter(|id| self.ids != Ids::Uuid || is_uuid(id))
    }

    /// The id of an object, if it has one of the right type: a text with something in it, or a whole number.
    pub(super) fn within(self, row: Row<'_>) -> Option<Cow<'_, str>> {
        self.read(self.json(row)?)
    }

    fn read(self, json: &str) -> Option<Cow<'_, str>> {
        match self.ids {
            Ids::Number => json.parse::<u64>().ok().map(|_| Cow::Borrowed(json)),
            // Names may be anything: one that no path can hold is not put into one.
            Ids::Key => scan::unquote(json).filter(|name| !name.trim().is_empty()),
            // It goes into paths.
            Ids::Uuid => scan::unquote(json).filter(|id| {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                !id.is_empty() && id.bytes().all(plain)
            }),
            Ids::Any | Ids::Mac => {
                scan::unquote(json).filter(|id| !id.trim().is_empty() && !matches!(&**id, "." | ".."))
            }
        }
    }
}

/// Why these rows are not what the operation lists: none has the id by which things of its noun are told apart, one has
/// an id that cannot be one or nothing at all, or two have the same. A row without an id does not hide those that have
/// one: who changes what a row shows needs an id, and who reads the list does not.
pub(super) fn unlike<'a>(service: &Service, op: &Op, rows: impl Iterator<Item = &'a RawValue>) -> Option<String> {
    let noun = service.listed_by(op)?;
    let id = Id::of(noun);
    let mut ids = Vec::with_capacity(rows.size_hint().0);
    let (mut lacks, without) = (false, || Some(format!("a row without the {} of a {}", id.field, noun.word)));
    let named = scan::Named::new(id.field);
    for row in rows {
        let json = if id.field.contains('/') { id.json(Row(row)) } else { named.within(row.get()) };
        match (json.and_then(|json| id.read(json)), json) {
            // A UUID is the same in capitals.
            (Some(known), _) if noun.ids == Ids::Uuid && known.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                ids.push(Cow::Owned(known.to_ascii_lowercase()));
            }
            (Some(known), _) => ids.push(known),
            (None, None | Some("\"\"" | "null")) if scan::members(row.get()).is_some_and(|all| all.count() > 0) => {
                lacks = true;
            }
            _ => return without(),
        }
    }
    if lacks && ids.is_empty() {
        return without();
    }
    ids.sort_unstable();
    let twice = ids.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first());
    twice.map(|id| format!("two rows of the {} {id}", noun.word))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::CLOUDAPI;
    use crate::api::cloudapi::disks;

    #[test]
    fn a_row_without_an_id_hides_no_other_row_and_rows_that_never_have_one_are_of_something_else() {
        let unlike = |list: &str| {
            let rows: Vec<&RawValue> = serde_json::from_str(list).unwrap();
            unlike(&CLOUDAPI, &disks::LIST, rows.into_iter())
        };
        for like in ["[]", r#"[{"id":"a"},{"id":"","size":1},{"size":1},{"id":null,"size":1}]"#] {
            assert_eq!(unlike(like), None, "{like}");
        }
        let without = Some("a row without the id of a disk".to_owned());
        for other in [
            r#"[{"size":1}]"#,
            r#"[{"id":"","size":1}]"#,
            r#"[{"id":"a"},{}]"#,
            r#"[{"id":"a"},{"id":"../b"}]"#,
            r#"[{"id":"a"},{"id":7}]"#,
        ] {
            assert_eq!(unlike(other), without, "{other}");
        }
        assert_eq!(unlike(r#"[{"id":"a"},{"id":"a"}]"#), Some("two rows of the disk a".to_owned()));
        assert_eq!(unlike(r#"[{"id":"ab"},{"id":"AB"}]"#), Some("two rows of the disk ab".to_owned()));
    }
}
