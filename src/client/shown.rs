//! Whether an object shows what was asked for, once the job of a change has ended well: a job may succeed and have done
//! nothing. It sends nothing. Services leave out what is empty or off, and write numbers as text.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

use super::alike::{self, as_text};
use crate::answer::{Answer, Row};
use crate::api::{Kind, Location, Names, Op, Parts, PartsEnd, Shown};
use crate::grammar::is_uuid;
use crate::grammar::tag::EXPIRES;
use crate::request::{Arg, Args};

/// How many differences are told.
const TOLD: usize = 10;
/// How long a value may be that is told.
const SHORT: usize = 60;

/// So long a job may have worked before it is waited for: the answer that names it may be slow.
const SLOW: Duration = Duration::from_secs(120);

/// What was asked for of an object.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The operation.
    pub op: &'a Op,
    /// Its arguments.
    pub args: &'a Args,
    /// The parts that were there before, where that tells the new ones.
    pub parts: Option<&'a [String]>,
}

/// How an object differs from what was asked for; nothing where it is so.
pub(super) fn differences(shown: &Shown, asked: &Asked<'_>, answer: &Answer) -> Vec<String> {
    let object = object(answer);
    let mut all = match shown {
        Shown::Fields(names) => fields(names, asked, &object),
        Shown::Is(wanted) => wanted
            .iter()
            .filter(|(field, value)| object.get(*field).map(as_text).as_deref() != Some(*value))
            .map(|(field, value)| told(field, object.get(*field), &format!("not {value}")))
            .collect(),
        Shown::Pairs(name) => unset(name, &sent_pairs(asked), &member(&object, name), asked.op),
        Shown::OnlyPairs(name) => {
            let mut sent = sent_pairs(asked);
            let now = member(&object, name);
            let mut all = left(name, now.keys().filter(|key| !sent.contains_key(*key)), asked.op);
            // What becomes of a name that is there and is to be empty or off, nobody knows.
            sent.retain(|_, value| !is_nothing(value));
            all.extend(unset(name, &sent, &now, asked.op));
            all
        }
        Shown::NoPair(name) => {
            let now = member(&object, name);
            left(name, last_param(asked.op, asked.args).filter(|key| now.contains_key(*key)).into_iter(), asked.op)
        }
        Shown::NoPairs(name) => left(name, member(&object, name).keys(), asked.op),
        Shown::Parts(parts) => of_parts(parts, asked, &object),
    };
    let more = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    all.extend((more > 0).then(|| format!("and {more} more")));
    all
}

/// How what was made differs from what was sent, in what it shows of that.
pub(super) fn otherwise(asked: &Asked<'_>, answer: &Answer) -> Vec<String> {
    let object = object(answer);
    let mut all = Vec::new();
    for (name, sent) in sent_fields(asked) {
        let known = |(field, _): &&(&str, &str)| *field == name || field.ends_with('.') && name.starts_with(*field);
        let Some((field, shown)) = asked.op.shown_again.iter().find(known) else { continue };
        // Another run of the same job may have given it more time by now.
        if name.strip_prefix("tag.") == Some(EXPIRES) {
            continue;
        }
        match (sent, object.get(*shown)) {
            (_, None) => {}
            (sent, Some(Value::Null)) => all.extend((!is_nothing(&sent)).then(|| format!("{shown} is not there"))),
            (sent, Some(Value::Object(now))) if field.ends_with('.') => {
                let one = Map::from_iter([(name.get(field.len()..).unwrap_or_default().to_owned(), sent)]);
                all.extend(unset(shown, &one, now, asked.op));
            }
            (Value::Object(sent), Some(Value::Object(now))) => all.extend(unset(shown, &sent, now, asked.op)),
            // In the place of a pool there is one of its networks, and networks are listed once: NICs are not.
            (Value::Array(sent), Some(Value::Array(now))) => {
                let differs = now.len() > sent.len() || now.len() < sent.len() && *shown == "nics";
                all.extend(differs.then(|| format!("{shown} has {} and not {}", now.len(), sent.len())));
                // An address that was chosen is that of a NIC, whichever it is.
                let chosen = sent.iter().filter_map(|one| one.get("ipv4_ips")?.as_array()).flatten();
                let has = |ip: &Value| now.iter().any(|nic| nic.get("ip").is_some_and(|own| alike::means(ip, own)));
                let lacks = chosen.filter(|ip| *shown == "nics" && !has(ip));
                all.extend(lacks.map(|ip| format!("no NIC has the address {}", as_text(ip))));
            }
            (sent, Some(now)) if is_met(&sent, now) => {}
            (_, now) => all.push(told(shown, now, "not as it was sent")),
        }
    }
    all
}

/// What tells the parts of an object from one another, as far as it shows them.
pub(super) fn keys(parts: &Parts, answer: &Answer) -> Vec<String> {
    entries(parts, &object(answer)).iter().filter_map(|entry| key(parts, entry)).collect()
}

/// How the job that the answer to a request has named shows that it is not one of that request, where the answer came so
/// long ago.
pub(super) fn of_another(asked: &Asked<'_>, job: Row<'_>, waited: Duration) -> Option<String> {
    let (_, noun) = asked.op.goal?;
    let (task, thing) = (job.text_or_empty("/params/task"), noun.jobs?.thing);
    if asked.op.job_task().is_some_and(|asked| !task.is_empty() && task != asked) {
        return Some(format!("its task is {task}"));
    }
    let id = job.text(&format!("/params/{thing}")).or_else(|| job.text(&format!("/{thing}")));
    let ours = asked.args.text(noun.name).filter(|id| is_uuid(id));
    if let Some((id, ours)) = id.filter(|id| is_uuid(id)).zip(ours)
        && !id.eq_ignore_ascii_case(ours)
    {
        return Some(format!("it works on {id}"));
    }
    // The clocks of services differ, so that nothing but the job itself tells how long it has worked.
    let second = |time: &str| time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    let made = ["/created_at", "/exec_after"].into_iter().filter_map(|field| second(&job.text(field)?)).max()?;
    let steps: Vec<Value> = serde_json::from_str(&job.text("/chain_results")?).ok()?;
    let worked = steps.iter().filter_map(|step| second(step.get("finished_at")?.as_str()?)).max()?.checked_sub(made)?;
    let most = waited.saturating_add(SLOW).as_secs();
    (worked > i64::try_from(most).ok()?).then(|| format!("it has worked for {worked} s, longer than it is waited for"))
}

/// What was sent, but for the path's parameters.
pub(super) fn pairs<'a>(op: &'a Op, args: &'a Args) -> impl Iterator<Item = (&'a str, Value)> {
    let sent = args.iter().filter(move |(name, _)| op.path_params().all(|param| param != *name));
    sent.map(|(name, value)| {
        let value = match value {
            Arg::Text(text) => Value::from(text.as_str()),
            Arg::Json(raw) => serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().into()),
        };
        (name, value)
    })
}

/// The value of the path's last parameter.
pub(super) fn last_param<'a>(op: &Op, args: &'a Args) -> Option<&'a str> {
    args.text(op.path_params().last()?)
}

fn object(answer: &Answer) -> Map<String, Value> {
    match answer.value() {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

fn member(object: &Map<String, Value>, name: &str) -> Map<String, Value> {
    object.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The fields of the body that were sent.
fn sent_fields<'a>(asked: &'a Asked<'_>) -> impl Iterator<Item = (&'a str, Value)> {
    let is_field = |name: &str| {
        asked.op.fields.iter().any(|field| {
            let is_called = match field.kind {
                Kind::Pairs(prefix) => name.starts_with(prefix),
                _ => field.name == name,
            };
            is_called && field.place == Location::Body
        })
    };
    pairs(asked.op, asked.args).filter(move |(name, _)| is_field(name))
}

/// The pairs that were sent, which are no field of the operation.
fn sent_pairs(asked: &Asked<'_>) -> Map<String, Value> {
    let is_field = |name: &str| asked.op.fields.iter().any(|field| field.name == name);
    pairs(asked.op, asked.args)
        .filter(|(name, _)| !is_field(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn fields(names: &Names, asked: &Asked<'_>, object: &Map<String, Value>) -> Vec<String> {
    let mut all = Vec::new();
    for (name, sent) in sent_fields(asked).filter(|(name, _)| !names.unshown.contains(name)) {
        let shown = names.renamed.iter().find(|(known, _)| *known == name).map_or(name, |(_, shown)| *shown);
        let now = object.get(shown).unwrap_or(&Value::Null);
        let settled = names.settled.iter().filter(|(known, _)| *known == name);
        let is_settled = settled.into_iter().any(|(_, by)| object.get(*by).is_some_and(|by| !is_nothing(by)));
        if is_settled || now.is_null() && !names.always.contains(&shown) {
            continue;
        }
        match sent {
            Value::Object(mut sent) => {
                let now = member(object, shown);
                all.extend(left(shown, now.keys().filter(|key| !sent.contains_key(*key)), asked.op));
                sent.retain(|_, value| !is_nothing(value));
                all.extend(unset(shown, &sent, &now, asked.op));
            }
            sent if is_met(&sent, now) => {}
            _ => all.push(told(shown, object.get(shown), "not as it was sent")),
        }
    }
    all
}

/// The names that have another value, or none.
fn unset(object: &str, sent: &Map<String, Value>, now: &Map<String, Value>, op: &Op) -> Vec<String> {
    let differs = |(name, value): &(&String, &Value)| {
        !op.computes_name(name) && !is_same(value, now.get(*name).unwrap_or(&Value::Null))
    };
    // What they hold may be secret.
    let words = |(name, _): (&String, &Value)| match now.contains_key(name) {
        true => format!("{object} has another {name}"),
        false => format!("{object} has no {name}"),
    };
    sent.iter().filter(differs).map(words).collect()
}

/// The names that are there still.
fn left<T: AsRef<str>>(object: &str, names: impl Iterator<Item = T>, op: &Op) -> Vec<String> {
    let gone = names.filter(|name| !op.keeps_name(name.as_ref()));
    gone.map(|name| format!("{object} still has {}", name.as_ref())).collect()
}

fn of_parts(parts: &Parts, asked: &Asked<'_>, object: &Map<String, Value>) -> Vec<String> {
    let there = entries(parts, object);
    let find = |id: &str| there.iter().find(|entry| key(parts, entry).is_some_and(|key| is_called(&key, id)));
    let named = named(parts, asked.args);
    let (word, sent) = (parts.word, |name: &str| value(asked.args, name));
    let missing = |id: &str| format!("{word} {id} is not there");
    match parts.end {
        PartsEnd::Gone => {
            named.iter().filter(|id| find(id).is_some()).map(|id| format!("{word} {id} is still there")).collect()
        }
        PartsEnd::Made(counted) => {
            let mut all: Vec<String> = named.iter().filter(|id| find(id).is_none()).map(|id| missing(id)).collect();
            let Some(before) = asked.parts else { return all };
            let others = match sent(counted) {
                Value::Array(all) => all.len(),
                _ => usize::from(counted.is_empty() && named.is_empty()),
            };
            let wanted = named.len() + others;
            let is_new = |key: &String| before.iter().all(|old| !is_called(old, key));
            let new = there.iter().filter_map(|entry| key(parts, entry)).filter(is_new).count();
            if all.is_empty() && new < wanted {
                all.push(format!("{new} of {wanted} new {word}s are there"));
            }
            all
        }
        PartsEnd::Has(field) => {
            let now = |id: &str| find(id).and_then(|entry| entry.get(field));
            let differs = |id: &&String| !is_met(&sent(field), now(id).unwrap_or(&Value::Null));
            let words = |id: &String| match find(id) {
                Some(_) => format!("{word} {id}: {}", told(field, now(id), "not as it was sent")),
                None => missing(id),
            };
            named.iter().filter(differs).map(words).collect()
        }
        PartsEnd::Like(on) => {
            let asked = sent(parts.by);
            let mut all = Vec::new();
            for asked in asked.as_array().into_iter().flatten().filter_map(Value::as_object) {
                let Some(id) = asked.get(parts.key).map(as_text) else { continue };
                let Some(now) = find(&id) else {
                    all.push(missing(&id));
                    continue;
                };
                let differing = asked.iter().filter(|(name, value)| {
                    let is_told = on.contains(&name.as_str()) || now.get(name.as_str()).is_some();
                    let now = now.get(name.as_str()).unwrap_or(&Value::Null);
                    name.as_str() != parts.key && is_told && !is_met(value, now)
                });
                let words = |name: &str| format!("{word} {id}: {}", told(name, now.get(name), "not as it was sent"));
                all.extend(differing.map(|(name, _)| words(name)));
            }
            all
        }
    }
}

fn entries<'a>(parts: &Parts, object: &'a Map<String, Value>) -> Vec<&'a Value> {
    object.get(parts.list).and_then(Value::as_array).map(|all| all.iter().collect()).unwrap_or_default()
}

fn key(parts: &Parts, entry: &Value) -> Option<String> {
    entry.get(parts.key).map(as_text)
}

/// Whether two ids are of one part: hardware addresses have several forms.
fn is_called(one: &str, other: &str) -> bool {
    let plain = |id: &str| id.replace([':', '-'], "").to_ascii_lowercase();
    one == other || one.contains(':') && plain(one) == plain(other)
}

/// The parts that a request names.
fn named(parts: &Parts, args: &Args) -> Vec<String> {
    match value(args, parts.by) {
        Value::Null => Vec::new(),
        Value::Array(all) => all.iter().filter(|one| !one.is_object()).map(as_text).collect(),
        Value::String(text) if text.is_empty() => Vec::new(),
        one => vec![as_text(&one)],
    }
}

fn value(args: &Args, name: &str) -> Value {
    match args.get(name) {
        Some(Arg::Text(text)) => text.clone().into(),
        Some(Arg::Json(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
        None => Value::Null,
    }
}

/// How a field is, for people.
fn told(name: &str, now: Option<&Value>, otherwise: &str) -> String {
    match now {
        None | Some(Value::Null) => format!("{name} is not there"),
        Some(Value::Array(_) | Value::Object(_)) => format!("{name} is {otherwise}"),
        Some(now) => {
            let text = as_text(now);
            if text.len() > SHORT || text.is_empty() {
                format!("{name} is {otherwise}")
            } else {
                format!("{name} is {text}")
            }
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
    }
}

/// Whether a value is what was sent, or what the service has made of it: of a word such as `remaining` a number.
fn is_met(sent: &Value, now: &Value) -> bool {
    let is_word = |text: &str| !text.is_empty() && text.parse::<f64>().is_err();
    is_same(sent, now) || now.is_number() && sent.as_str().is_some_and(is_word) || alike::means(sent, now)
}

/// Whether a value is what was sent. Lists have no order, nor have texts that are lists with commas between.
fn is_same(sent: &Value, now: &Value) -> bool {
    let texts = |all: &[Value]| all.iter().map(as_text).collect::<BTreeSet<_>>();
    match (sent, now) {
        (sent, now) if is_nothing(sent) && is_nothing(now) => true,
        (Value::Array(sent), Value::Array(now)) => texts(sent) == texts(now),
        (sent, now) => {
            let (sent, now) = (as_text(sent), as_text(now));
            let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
            let set = |text: &str| text.split(',').map(|part| part.trim().to_owned()).collect::<BTreeSet<_>>();
            sent == now
                || number(&sent).zip(number(&now)).is_some_and(|(sent, now)| sent == now)
                || sent.contains(',') && set(&sent) == set(&now)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_sent_is_known_in_the_forms_in_which_services_show_it() {
        for (sent, now) in [
            (json!(false), json!(null)),
            (json!(0), json!(null)),
            (json!(""), json!(null)),
            (json!(1024), json!("1024")),
            (json!(true), json!("true")),
            (json!(["a", "b"]), json!(["b", "a"])),
            (json!("nfs,ufs"), json!("ufs, nfs")),
        ] {
            assert!(is_same(&sent, &now), "{sent} {now}");
        }
        for (sent, now) in [
            (json!(true), json!(null)),
            (json!(1024), json!(512)),
            (json!("web1"), json!("web10")),
            (json!(["a"]), json!(["a", "b"])),
            (json!("nfs,ufs"), json!("nfs")),
        ] {
            assert!(!is_same(&sent, &now), "{sent} {now}");
        }
        assert!(is_called("90:b8:d0:1c:2d:3e", "90B8D01C2D3E"));
        assert!(!is_called("before", "after"));
    }
}
