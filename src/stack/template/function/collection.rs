//! Functions of lists and maps: repeated, merged, filtered, compared. Pure.

use serde_json::{Map, Value};

use super::super::data::word;
use super::super::python;
use super::super::version::Version;
use super::args::{Limits, elements, list, short, string};
use crate::sensitive::quoted;

pub(super) fn equals(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let [one, other] = elements(value)?;
    Ok(Value::Bool(python::equal(&one, &other)))
}

pub(super) fn contains(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    let [wanted, sequence] = elements(value)?;
    Ok(Value::Bool(match sequence {
        Value::Array(list) => {
            limits.quick(list.len())?;
            list.iter().any(|element| python::equal(element, &wanted))
        }
        // Of a text, a part is meant.
        Value::String(text) => text.contains(&string(wanted, "what is looked for in a text")?),
        other => return Err(format!("it looks in a list, not in {}", word(&other))),
    }))
}

pub(super) fn filter(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    let [values, sequence] = elements(value)?;
    if !python::is_true(&sequence) {
        return Ok(sequence);
    }
    let sequence = list(sequence, "what is filtered")?;
    if !python::is_true(&values) {
        return Ok(Value::Array(sequence));
    }
    let values = list(values, "what is left out")?;
    limits.quick(values.len().saturating_mul(sequence.len()))?;
    let stays = |element: &Value| !values.iter().any(|value| python::equal(value, element));
    Ok(Value::Array(sequence.into_iter().filter(stays).collect()))
}

pub(super) fn concat(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    concatenated(value).map(Value::Array)
}

pub(super) fn concat_unique(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    let all = concatenated(value)?;
    let mut unique: Vec<Value> = Vec::new();
    for element in all {
        limits.quick(unique.len())?;
        if !unique.iter().any(|known| python::equal(known, &element)) {
            unique.push(element);
        }
    }
    Ok(Value::Array(unique))
}

fn concatenated(value: Value) -> Result<Vec<Value>, String> {
    let mut all = Vec::new();
    for element in list(value, "its argument")? {
        if !element.is_null() {
            all.extend(list(element, "each of its elements")?);
        }
    }
    Ok(all)
}

pub(super) fn merge(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let mut merged = Map::new();
    for element in list(value, "its argument")? {
        merged.extend(map(element, "each of its elements")?);
    }
    Ok(Value::Object(merged))
}

/// A map; nothing counts as an empty one.
fn map(value: Value, what: &str) -> Result<Map<String, Value>, String> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        other => Err(format!("{what} must be a map, not {}", word(&other))),
    }
}

pub(super) fn map_replace(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let [input, replaced] = elements(value)?;
    let (input, mut replaced) = (map(input, "its first argument")?, map(replaced, "its second argument")?);
    let keys = map(replaced.remove("keys").unwrap_or_default(), "keys")?;
    let values = map(replaced.remove("values").unwrap_or_default(), "values")?;
    if let Some((other, _)) = replaced.iter().next() {
        return Err(format!("its second argument has keys and values, and no {}", quoted(other)));
    }
    let mut output = Map::new();
    for (name, value) in &input {
        let name = match keys.get(name) {
            None | Some(Value::Null) => name.clone(),
            Some(new) => {
                let new =
                    python::text(new).ok_or_else(|| format!("the new name of {} is {}", quoted(name), word(new)))?;
                if (new != *name && input.contains_key(&new)) || output.contains_key(&new) {
                    return Err(format!("two members are called {}", quoted(&new)));
                }
                new
            }
        };
        let new = python::text(value).and_then(|text| values.get(&text)).unwrap_or(value);
        output.insert(name, new.clone());
    }
    Ok(Value::Object(output))
}

pub(super) fn repeat(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    let mut arguments = map(value, "its argument")?;
    let template = arguments.remove("template").ok_or("it needs a template")?;
    let each = map(arguments.remove("for_each").ok_or("it needs for_each")?, "for_each")?;
    let nested = match arguments.remove("permutations") {
        None | Some(Value::Bool(true)) => true,
        // Before, nobody read it.
        Some(_) if limits.version < Version::V2017Pike => true,
        Some(Value::Bool(false)) => false,
        Some(other) => return Err(format!("permutations must be a boolean, not {}", word(&other))),
    };
    let mut keys = Vec::new();
    let mut lists: Vec<Vec<String>> = Vec::new();
    for (key, values) in each {
        let values = match values {
            Value::Null => Vec::new(),
            Value::Array(list) => list,
            Value::Object(map) if limits.version >= Version::V2016Newton && nested => {
                map.into_iter().map(|(name, _)| Value::String(name)).collect()
            }
            other => return Err(format!("for_each has lists, and not {}", word(&other))),
        };
        let text = |value: Value| string(value, "each element of for_each");
        lists.push(values.into_iter().map(text).collect::<Result<_, _>>()?);
        keys.push(key);
    }
    if keys.is_empty() {
        return Err("for_each is empty".to_owned());
    }
    let rows = if nested { product(&lists, limits)? } else { zipped(&lists)? };
    let (mut out, mut size) = (Vec::new(), 0);
    let texts = texts(&template);
    for row in rows {
        limits.quick(weight(&template) / 8 + texts * keys.len())?;
        let element = put(&template, &keys, &row)?;
        size += weight(&element);
        short(size)?;
        out.push(element);
    }
    Ok(Value::Array(out))
}

/// Each combination of the elements, the last list's the fastest.
fn product<'a>(lists: &'a [Vec<String>], limits: &Limits<'_>) -> Result<Vec<Vec<&'a str>>, String> {
    let count = lists.iter().try_fold(1_usize, |count, list| count.checked_mul(list.len()));
    limits.quick(count.and_then(|count| count.checked_mul(lists.len() + 64)).unwrap_or(usize::MAX))?;
    let mut rows: Vec<Vec<&str>> = vec![Vec::new()];
    for list in lists {
        let mut next = Vec::with_capacity(rows.len() * list.len());
        for row in &rows {
            for element in list {
                let mut row = row.clone();
                row.push(element.as_str());
                next.push(row);
            }
        }
        rows = next;
    }
    Ok(rows)
}

/// The elements at the same places.
fn zipped(lists: &[Vec<String>]) -> Result<Vec<Vec<&str>>, String> {
    let mut lengths = lists.iter().map(Vec::len);
    let length = lengths.next().unwrap_or_default();
    if lengths.any(|other| other != length) {
        return Err("without permutations the lists of for_each must be of one length".to_owned());
    }
    Ok((0..length).map(|at| lists.iter().filter_map(|list| list.get(at).map(String::as_str)).collect()).collect())
}

/// How many texts there are in a value, its names among them.
fn texts(value: &Value) -> usize {
    match value {
        Value::String(_) => 1,
        Value::Array(list) => list.iter().map(texts).sum(),
        Value::Object(map) => map.values().map(|value| 1 + texts(value)).sum(),
        _ => 0,
    }
}

/// The template with each key replaced, in its names too. What was put in is looked at again for the keys behind.
fn put(template: &Value, keys: &[String], row: &[&str]) -> Result<Value, String> {
    let replaced = |text: &str| -> Result<String, String> {
        let mut text = text.to_owned();
        for (key, value) in keys.iter().zip(row).filter(|(key, _)| !key.is_empty()) {
            let count = text.matches(key.as_str()).count();
            if count > 0 {
                short(text.len() + count * value.len())?;
                text = text.replace(key.as_str(), value);
            }
        }
        Ok(text)
    };
    Ok(match template {
        Value::String(text) => Value::String(replaced(text)?),
        Value::Array(list) => list.iter().map(|element| put(element, keys, row)).collect::<Result<_, _>>()?,
        Value::Object(map) => {
            let member = |(name, value): (&String, &Value)| Ok((replaced(name)?, put(value, keys, row)?));
            Value::Object(map.iter().map(member).collect::<Result<_, String>>()?)
        }
        scalar => scalar.clone(),
    })
}

/// About how many bytes a value takes.
pub(in super::super) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 32 + text.len(),
        Value::Array(list) => 32 + list.iter().map(weight).sum::<usize>(),
        Value::Object(map) => 32 + map.iter().map(|(name, value)| 64 + name.len() + weight(value)).sum::<usize>(),
    }
}

pub(super) fn select(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let [index, collection] = elements(value)?;
    let collection = match collection {
        Value::Null => return Ok(Value::from("")),
        Value::String(text) if text.is_empty() => return Ok(Value::from("")),
        Value::String(text) => serde_json::from_str(&text).map_err(|_| "the text that it selects from is not JSON")?,
        other => other,
    };
    match collection {
        Value::Object(mut map) => {
            let name = string(index, "the name of a member")?;
            Ok(map.remove(&name).unwrap_or_else(|| Value::from("")))
        }
        Value::Array(list) => {
            let index = match &index {
                Value::String(text) => python::int(text),
                Value::Number(number) => number.as_i64(),
                _ => None,
            };
            let index = index.ok_or("the index of a list must be a whole number")?;
            let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
            let at = usize::try_from(if index < 0 { index + length } else { index }).ok();
            Ok(at.and_then(|at| list.get(at).cloned()).unwrap_or_else(|| Value::from("")))
        }
        other => Err(format!("it selects from a list or a map, not from {}", word(&other))),
    }
}

/// `Fn::GetAZs`: a data center is one zone.
pub(super) fn zones(_: Value, _: &Limits<'_>) -> Result<Value, String> {
    Ok(serde_json::json!(["nova"]))
}

/// `Fn::MemberListToMap`.
pub(super) fn member_list(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let [name, member, members] = elements(value)?;
    let (name, member) = (string(name, "the first argument")?, string(member, "the second argument")?);
    // By their numbers: those of one number belong together.
    let mut entries: std::collections::BTreeMap<String, (Option<String>, Option<String>)> = Default::default();
    for entry in list(members, "the third argument")? {
        let entry = string(entry, "each element of the list")?;
        let (key, text) = entry.split_once('=').ok_or("each element of the list is .member.NUMBER.NAME=TEXT")?;
        let Some((number, field)) = key.strip_prefix(".member.").and_then(|rest| rest.split_once('.')) else {
            continue;
        };
        let slot = entries.entry(number.to_owned()).or_default();
        if field == name {
            slot.0 = Some(text.to_owned());
        } else if field == member {
            slot.1 = Some(text.to_owned());
        }
    }
    let pairs = entries.into_values().filter_map(|(name, value)| Some((name?, Value::String(value?))));
    Ok(Value::Object(pairs.collect()))
}
