//! Whether a success is about what a request was to make or to change. A status alone says nothing of that: what stands
//! between here and CloudAPI may answer with somebody else's record, or with an old one. It sends nothing.

use serde_json::{Map, Value};

use super::alike;
use crate::answer::{Answer, Row};
use crate::api::{self, Goal, Kind as Field, Method, Noun, Op, Pick, Shape};
use crate::error::{Error, Kind, Result};
use crate::grammar::is_uuid;
use crate::request::Request;
use crate::response::{Response, whose};

/// What is older than the request by more than this was not made by it, in seconds. The service takes no request whose
/// date is off by more than half of it.
const MAX_AGE: i64 = 600;

/// The tags that this program sets itself, and by which it finds again what it has made.
const OWN_TAGS: &str = "tag.sdc.";

/// What changes role tags is sent, and answered.
const ROLE_TAG: &str = "role-tag";

/// Returns the answer that the operation promises, if it is about what the request was to make or to change.
///
/// # Errors
/// What [`Response::answer`] returns; [`Kind::Unreachable`] for the record of something else.
pub(super) fn made(response: &Response, op: &Op, request: &Request) -> Result<Answer> {
    let answer = response.answer(op)?;
    let body: Option<Value> = request.body.as_ref().and_then(|(_, body)| serde_json::from_slice(body).ok());
    let Some(row) = answer.first() else { return Ok(answer) };
    if op.method == Method::Delete && still_has(op, request, row) {
        return Err(of_another(response, "which still has what was to be removed"));
    }
    if op.starts_job {
        return match job_of_another(op, (request, body.as_ref()), row) {
            None => Ok(answer),
            Some(how) => Err(of_another(response, &how)),
        };
    }
    let sent = match body {
        Some(Value::Object(sent)) => sent,
        // Some resources are made of nothing but a path.
        _ if op.makes().is_some() || op.begins || op.shows.is_some() => Map::new(),
        _ => return Ok(answer),
    };
    let marked = response.is_own_by_headers();
    let other = match op.makes() {
        Some(noun) => unlike_made(op, &sent, row)
            .or_else(|| unlike_named(noun, &sent, row))
            .or_else(|| unlike_id(noun, op, request, row, response))
            .or_else(|| match marked && response.service.is_inner() {
                true => unlike_told(op, &sent, row, request),
                false => unlike_sent(op, &sent, row, marked),
            })
            .or_else(|| settled(noun, op, row).filter(|_| !marked)),
        None if sent.contains_key(ROLE_TAG) => unlike_tagged(op, &sent, &request.path, row),
        None if let Some((field, value)) = op.shows => {
            (row.text(&format!("/{field}")).as_deref() != Some(value)).then(|| format!("whose {field} is not {value}"))
        }
        None if op.begins && !marked => op.goal.as_ref().and_then(|(_, noun)| older(noun, row, response)),
        // What is answered once it is done is the thing that it was done to, not what was sent.
        None if op.answer_limit.is_some() => None,
        None if op.tells => None,
        // A change that has only begun may still show the old values; maps are answered as they will be.
        None if op.goal.is_some() && op.shape != Shape::Map => None,
        None => unlike_sent(op, &sent, row, marked),
    };
    match other {
        None => failed(op, row).map_or(Ok(answer), Err),
        Some(how) => Err(of_another(response, &how)),
    }
}

/// Says of what was made, and is answered when it is done, that it has come to nothing.
fn failed(op: &Op, row: Row<'_>) -> Option<Error> {
    let noun = op.makes().filter(|_| op.goal.is_none())?;
    let state = row.text(&format!("/{}", noun.state_field))?;
    let id = row.text_or_empty(&format!("/{}", noun.key));
    let words = format!("the {} that was made, {id}, is {state}", noun.word);
    noun.failed.contains(&&*state).then(|| Error::new(Kind::FailedState, words))
}

fn of_another(response: &Response, how: &str) -> Error {
    let words = format!("the service answered the record of something else, {how}");
    Error::new(Kind::Unreachable, words).hint(whose(response.service).hint())
}

/// Whether a list in the answer to a deletion has what the path's last parameter names.
fn still_has(op: &Op, request: &Request, row: Row<'_>) -> bool {
    let named = op.path_params().last().is_some_and(|param| op.path.ends_with(&format!(":{param}")));
    let name = request.path.rsplit('/').next().unwrap_or_default();
    let value = row.value();
    let lists = value.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_array());
    let is_it = |one: &Value| one.as_str().is_some_and(|text| text.eq_ignore_ascii_case(name));
    named && !op.starts_job && lists.flatten().any(is_it)
}

/// How the answer that names a job tells that it works on something else.
fn job_of_another(op: &Op, (request, body): (&Request, Option<&Value>), row: Row<'_>) -> Option<String> {
    let (_, noun) = op.goal?;
    let thing = row.text(&format!("/{}", noun.jobs?.thing))?;
    let asked = match op.path.split('/').position(|part| part.strip_prefix(':') == Some(noun.name)) {
        // The address may have a path of its own before that of the service.
        Some(place) => request.path.split('/').nth(place)?,
        // What is made is named by the body, where the request names it.
        None => body?.get(noun.key)?.as_str()?,
    };
    (is_uuid(asked) && !asked.eq_ignore_ascii_case(&thing)).then(|| format!("a job of {thing}"))
}

/// How the answer to a change of role tags differs from what was sent: it names the resource and all of its roles.
fn unlike_tagged(op: &Op, sent: &Map<String, Value>, path: &str, row: Row<'_>) -> Option<String> {
    let shown = row.value();
    let shown = shown.as_object()?;
    let list = |of: &Map<String, Value>| of.get(ROLE_TAG).and_then(Value::as_array).and_then(|list| alike::texts(list));
    let parts = |path: &str| -> Vec<String> {
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        decoded.trim_matches('/').split('/').map(str::to_lowercase).collect()
    };
    let (path, name) = (parts(path), shown.get("name").and_then(Value::as_str).map(parts).unwrap_or_default());
    // The account may be called by its login or `my`, what is within another thing by its name or its id, and a path
    // may stand before it all.
    let depth = parts(op.path).len();
    let last = |of: &[String]| of.len().checked_sub(depth - 1).map(|at| of[at..].to_vec()).unwrap_or_default();
    let (ours, theirs) = (last(&path), last(&name));
    let named = name.len() == depth && ours.first() == theirs.first() && ours.last() == theirs.last();
    match (list(sent), list(shown)) {
        (Some(sent), Some(shown)) if sent == shown => (!named).then(|| "of another name than was asked for".to_owned()),
        _ => Some(format!("whose {ROLE_TAG} is not what was sent")),
    }
}

/// How the record of a resource that has no age is known to have been there before: it is already as it will be.
fn settled(noun: &Noun, op: &Op, row: Row<'_>) -> Option<String> {
    let Some((Goal::State(state), _)) = op.goal else { return None };
    let ageless = row.text(&age(noun)).is_none();
    (ageless && row.text("/state").as_deref() == Some(state)).then(|| format!("which is {state} already"))
}

/// How the record differs from what was to be made; it has a name, if one was sent.
fn unlike_made(op: &Op, sent: &Map<String, Value>, row: Row<'_>) -> Option<String> {
    let shown = |pointer: &str| row.text(pointer).map(|text| text.into_owned());
    for (field, value) in sent {
        let kind = kind_of(op, field);
        let Some(asked) = value.as_str() else {
            // A disk is known by its size alone.
            let size = matches!(kind, Some(Field::DiskSize)).then(|| shown(&format!("/{field}"))).flatten();
            match size.is_some_and(|size| Some(size) != alike::text(value)) {
                true => return Some(format!("of another {field} than was asked for")),
                false => continue,
            }
        };
        let same = match field.as_str() {
            // The service puts the id into the place of {{shortId}}.
            "name" | "login" => {
                let id = shown("/id").unwrap_or_default();
                let asked = asked.replace("{{shortId}}", id.get(..8).unwrap_or_default());
                shown(&format!("/{field}")).is_some_and(|name| name == asked || asked.contains("{{"))
            }
            "key" => match (key_blob(asked), shown("/key").as_deref().map(key_blob)) {
                (Some(asked), Some(Some(blob))) => asked == blob,
                // The service rewrites keys of other forms.
                (_, shown) => shown.is_some(),
            },
            _ if matches!(kind, Some(Field::FirewallRule)) => {
                shown(&format!("/{field}")).is_some_and(|rule| alike::firewall_rule(asked, &rule))
            }
            _ => match field.strip_prefix("tag.").filter(|_| field.starts_with(OWN_TAGS)) {
                Some(tag) => shown(&format!("/tags/{tag}")).is_some_and(|text| text == asked),
                None => true,
            },
        };
        if !same {
            return Some(format!("of another {field} than was asked for"));
        }
    }
    // A machine without a name of its own is known by nothing but its age.
    let nameless = sent.contains_key("package") && !sent.contains_key("name") && shown("/created").is_none();
    nameless.then(|| "that does not say when it was made".to_owned())
}

/// How the record is known by its id not to be what the request has made, where that names it.
fn unlike_named(noun: &Noun, sent: &Map<String, Value>, row: Row<'_>) -> Option<String> {
    let asked = sent.get(noun.key)?.as_str().filter(|id| is_uuid(id))?;
    let shown = row.text(&format!("/{}", noun.key))?;
    (!asked.eq_ignore_ascii_case(&shown)).then(|| format!("of another {} than was asked for", noun.key))
}

/// How the record of what an internal service has made differs from what was sent, in what tells things apart: ids,
/// addresses, numbers and other texts. Switches it settles itself, and of a pool it shows a network.
fn unlike_told(op: &Op, sent: &Map<String, Value>, row: Row<'_>, request: &Request) -> Option<String> {
    let shown = row.value();
    let shown = shown.as_object()?;
    let ids = |value: &Value| value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_telling));
    let texts = |value: &Value| value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string));
    let differs = |(field, value): &(&String, &Value)| {
        let told = shown.get(*field).unwrap_or(&Value::Null);
        match kind_of(op, field) {
            Some(Field::Ref(noun)) if noun.beside.is_some() => false,
            Some(Field::Flag(_) | Field::Bool | Field::Nic) => false,
            // It goes through states of its own.
            Some(Field::OneOf(_)) if *field == "state" => false,
            Some(Field::Object) => {
                value.as_object().zip(told.as_object()).is_some_and(|(sent, told)| !alike::maps(sent, told, false))
            }
            _ if *field == NIC_TAG => told.is_string() && !alike::nic_tag(value, told),
            _ if value.is_number() && (told.is_number() || told.is_string()) => !alike::values(value, told),
            // A record may show less, but not leave out for whom it is.
            _ if told.is_null() => ids(value),
            _ if texts(value) && told.is_array() => !alike::values(value, told),
            _ => value.as_str().is_some_and(|text| !text.is_empty()) && told.is_string() && !alike::values(value, told),
        }
    };
    if let Some((field, _)) = sent.iter().find(differs) {
        return Some(format!("whose {field} is not what was sent"));
    }
    // What stands in the path, too, is in the record.
    let at = |param: &str| {
        let at = op.path.split('/').position(|part| part.strip_prefix(':') == Some(param))?;
        request.path.rsplit('/').nth(op.path.split('/').count() - 1 - at).map(str::to_owned)
    };
    let (field, _) = PLACES.iter().find(|(field, param)| {
        let shown = shown.get(*field).and_then(alike::text);
        at(param).zip(shown).is_some_and(|(asked, shown)| !asked.eq_ignore_ascii_case(&shown))
    })?;
    Some(format!("of another {field} than was asked for"))
}

/// What the name of a NIC tag is in, to which a fabric adds a number of its own.
const NIC_TAG: &str = "nic_tag";
/// Fields of a record, and the parameter of the path that says the same.
const PLACES: &[(&str, &str)] = &[("owner_uuid", "adminaccount"), ("vlan_id", "adminvlan")];

/// Whether a text is an id or an address, which nothing else has.
fn is_telling(value: &Value) -> bool {
    value.as_str().is_some_and(|text| is_uuid(text) || alike::is_address(text))
}

/// How the record is known by its id or its age not to be what the request has made.
fn unlike_id(noun: &Noun, op: &Op, request: &Request, row: Row<'_>, response: &Response) -> Option<String> {
    let id = row.text(&format!("/{}", noun.key));
    let key = format!("{}=", noun.key);
    // A copy keeps its id and its age, if the request names the id that it is to have.
    if let Some(asked) = request.query.split('&').find_map(|pair| pair.strip_prefix(&key)) {
        return (id.as_deref() != Some(asked)).then(|| format!("of another {} than was asked for", noun.key));
    }
    // What is made of another one has an id of its own, and perhaps the age of the other.
    if op.path_params().last() == Some(noun.name) {
        let of = request.path.rsplit('/').next().unwrap_or_default();
        let same = id.is_some_and(|id| id.eq_ignore_ascii_case(of));
        return same.then(|| format!("which is the {} that it was to be made of", noun.word));
    }
    older(noun, row, response)
}

/// Where a record of this noun says when it was made.
fn age(noun: &Noun) -> String {
    let field = noun.picks.iter().find_map(|pick| match pick {
        Pick::Age(field) => Some(*field),
        _ => None,
    });
    format!("/{}", field.unwrap_or("created"))
}

/// How the record is known by its age to have been there before the request.
fn older(noun: &Noun, row: Row<'_>, response: &Response) -> Option<String> {
    let created = row.text(&age(noun)).and_then(|text| Some(text.parse::<jiff::Timestamp>().ok()?.as_second()));
    // By the time of the request: a stored answer has the date of its own time.
    let date = httpdate::parse_http_date(&response.sent).ok();
    let asked: Option<i64> =
        date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs().try_into().ok());
    let old = created.zip(asked).is_some_and(|(created, asked)| asked - i64::max(created, 0) > MAX_AGE);
    old.then(|| "that was made before it was asked for".to_owned())
}

/// How the record differs from what was sent. What the service itself has made it may show otherwise than it was asked
/// for, where it is not done yet, or knows better.
fn unlike_sent(op: &Op, sent: &Map<String, Value>, row: Row<'_>, marked: bool) -> Option<String> {
    // What is taken out of lists, or left of them, the record shows by what it lacks: whoever sends this reads it back.
    if !op.replaces.is_empty() && sent.contains_key("action") {
        return None;
    }
    let shown = row.value();
    let shown = shown.as_object()?;
    let map = op.shape == Shape::Map;
    let own = marked && op.makes().is_some();
    // What was made may have more in its maps.
    let whole = op.makes().is_none();
    // An internal service is asked for the record after each update, and what it keeps is known there.
    let is_read_back = whole && api::service_of(op).is_inner();
    let differs = |(field, value): &(&String, &Value)| match (shown.get(*field), kind_of(op, field)) {
        (_, Some(Field::Object)) if is_read_back => false,
        // The whole of a map is answered, and of a record the text that has changed; what was made may show less of it.
        (None, _) => {
            let said = value.as_str().is_some_and(|text| !text.is_empty());
            let filled = value.as_object().is_some_and(|sent| !sent.is_empty());
            map || op.maybe_empty && op.assigns || (said || filled) && op.makes().is_none()
        }
        (Some(Value::Null), _) if own => false,
        (Some(_), Some(kind)) if own && is_settled_later(op, kind) => false,
        (Some(shown), Some(Field::FirewallRule)) => {
            value.as_str().zip(shown.as_str()).is_some_and(|(sent, shown)| !alike::firewall_rule(sent, shown))
        }
        (Some(shown), Some(Field::PolicyRules)) => !alike::policy_rules(value, shown),
        (Some(shown), Some(Field::Members(_))) => !alike::members(value, shown),
        (Some(Value::Array(shown)), _) if op.adds => value
            .as_array()
            .is_some_and(|sent| sent.iter().any(|one| !shown.iter().any(|other| alike::values(one, other)))),
        (Some(Value::Object(shown)), Some(Field::Object)) => {
            value.as_object().is_some_and(|sent| !alike::maps(sent, shown, whole))
        }
        // Of a pool there is one of its networks.
        (Some(_), Some(Field::Ref(noun))) if noun.beside.is_some() => false,
        (Some(shown), _) if *field == NIC_TAG => !alike::nic_tag(value, shown),
        (Some(shown), _) if *field == "name" => !alike::name(value, shown),
        // A record that was made may show by its name, or not as text, what it was made of.
        (Some(shown), Some(Field::Ref(_))) if op.makes().is_some() => alike::text(shown).is_some_and(|shown| {
            is_uuid(&shown)
                && alike::text(value).is_some_and(|sent| is_uuid(&sent) && !sent.eq_ignore_ascii_case(&shown))
        }),
        (Some(shown), _) => !alike::values(value, shown),
    };
    let cleared = op.fields.iter().filter(|field| sent.contains_key(field.name)).flat_map(|field| field.clears);
    if let Some(left) = cleared.into_iter().find(|field| shown.get(**field).is_some_and(|value| !value.is_null())) {
        return Some(format!("which still has {left}"));
    }
    let mut all = sent.iter().filter(|(field, _)| is_shown(op, field));
    if let Some((field, _)) = all.find(differs) {
        return Some(format!("whose {field} is not what was sent"));
    }
    // What replaces a map leaves nothing else in it.
    let replaces = map && op.method == Method::Put;
    let other = shown.keys().find(|name| replaces && !sent.contains_key(*name) && !op.keeps_name(name));
    other.map(|_| "with more in it than was sent".to_owned())
}

/// Whether the answer to a create need not show a field as it was asked for: a switch of what is only begun, a word that
/// older versions of the service do not know, and a network in whose place there may be one of its pool.
fn is_settled_later(op: &Op, kind: Field) -> bool {
    match kind {
        Field::Bool | Field::Flag(_) => op.goal.is_some(),
        Field::OneOf(_) | Field::Nic => true,
        _ => false,
    }
}

fn kind_of(op: &Op, field: &str) -> Option<Field> {
    op.fields.iter().find(|known| known.name == field).map(|known| known.kind)
}

/// Whether the service shows a field so that it can be compared with what was sent: it keeps secrets, and
/// shows disks and mounts in another form.
fn is_shown(op: &Op, name: &str) -> bool {
    match kind_of(op, name) {
        Some(Field::Text | Field::TextOrEmpty | Field::Uuid | Field::OneOf(_) | Field::Bool | Field::Flag(_)) => true,
        Some(Field::Integer | Field::Mebibytes | Field::Texts | Field::Words | Field::SomeOf(_)) => true,
        Some(Field::Ref(_) | Field::Nic | Field::NamedList | Field::Members(_)) => true,
        Some(Field::PolicyRules | Field::FirewallRule | Field::Object) => true,
        Some(_) => false,
        // The names in a map are anybody's.
        None => op.shape == Shape::Map,
    }
}

/// The base64 of a public key in OpenSSH's form: its comment may change, this may not.
fn key_blob(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let known = words.next().is_some_and(|kind| kind.starts_with("ssh-") || kind.starts_with("ecdsa-"));
    words.next().filter(|_| known).map(|blob| blob.trim_end_matches('='))
}
