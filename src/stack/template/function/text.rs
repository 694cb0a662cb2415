//! Functions of texts: replaced, joined, split, digested. Pure.

use md5::Md5;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

use super::super::data::word;
use super::super::python;
use super::super::version::Version;
use super::args::{Limits, elements, list, short, string};
use crate::sensitive::quoted;

/// How strict a replacement is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Lenient,
    /// Each key must be in the text.
    Found,
    /// And no value may be empty.
    Filled,
}

pub(super) fn replace(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    replaced(value, limits, Strictness::Lenient)
}

pub(super) fn replace_strict(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    replaced(value, limits, Strictness::Found)
}

pub(super) fn replace_very_strict(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    replaced(value, limits, Strictness::Filled)
}

/// `Fn::Replace: [PARAMS, TEXT]`.
pub(super) fn replace_pairs(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    let [params, template] = elements(value)?;
    substituted(template, params, limits, Strictness::Lenient)
}

fn replaced(value: Value, limits: &Limits<'_>, strictness: Strictness) -> Result<Value, String> {
    let Value::Object(mut map) = value else {
        return Err(format!("its argument must be a map, not {}", word(&value)));
    };
    let (Some(template), Some(params)) = (map.remove("template"), map.remove("params")) else {
        return Err("it needs template and params".to_owned());
    };
    substituted(template, params, limits, strictness)
}

/// A part of a text: as it was, or what a key was replaced by.
enum Part<'a> {
    Text(&'a str),
    Put(usize),
}

fn substituted(template: Value, params: Value, limits: &Limits<'_>, strictness: Strictness) -> Result<Value, String> {
    let template = string(template, "the template")?;
    let Value::Object(params) = params else {
        return Err(format!("params must be a map, not {}", word(&params)));
    };
    let mut keys: Vec<(String, String)> = Vec::new();
    for (key, value) in params {
        if key.is_empty() {
            return Err("an empty key is in every text".to_owned());
        }
        let text = param(&key, value, limits, strictness)?;
        keys.push((key, text));
    }
    // Longer keys first, those of one length by their letters.
    let length = |key: &str| key.chars().count();
    keys.sort_by(|one, other| length(&other.0).cmp(&length(&one.0)).then_with(|| one.0.cmp(&other.0)));
    let mut parts = vec![Part::Text(&template)];
    let mut unused = Vec::new();
    for (at, (key, _)) in keys.iter().enumerate() {
        let mut next = Vec::with_capacity(parts.len());
        let mut found = false;
        limits.quick(parts.len() + template.len() / 16)?;
        for part in parts {
            let Part::Text(text) = part else {
                next.push(part);
                continue;
            };
            for (number, piece) in text.split(key.as_str()).enumerate() {
                if number > 0 {
                    found = true;
                    next.push(Part::Put(at));
                }
                if !piece.is_empty() {
                    next.push(Part::Text(piece));
                }
            }
        }
        if !found {
            unused.push(key.as_str());
        }
        parts = next;
    }
    if strictness != Strictness::Lenient && !unused.is_empty() {
        let unused: Vec<_> = unused.into_iter().map(quoted).collect();
        return Err(format!("these params are not in the template: {}", unused.join(", ")));
    }
    let text = |part: &Part<'_>| match part {
        Part::Text(text) => text.len(),
        Part::Put(at) => keys.get(*at).map_or(0, |(_, text)| text.len()),
    };
    short(parts.iter().map(text).sum())?;
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Put(at) => out.push_str(keys.get(at).map_or("", |(_, text)| text)),
        }
    }
    Ok(Value::String(out))
}

/// What a key is replaced by.
fn param(key: &str, value: Value, limits: &Limits<'_>, strictness: Strictness) -> Result<String, String> {
    let text = match &value {
        Value::Null => String::new(),
        Value::Array(_) | Value::Object(_) if limits.version >= Version::V2015Liberty => {
            let is_empty = !python::is_true(&value);
            if is_empty && strictness == Strictness::Filled { String::new() } else { python::json(&value) }
        }
        Value::Array(_) | Value::Object(_) => {
            return Err(format!("the value of {} must be a text or a number, not {}", quoted(key), word(&value)));
        }
        scalar => python::text(scalar).unwrap_or_default(),
    };
    match strictness == Strictness::Filled && text.is_empty() {
        true => Err(format!("the value of {} is empty", quoted(key))),
        false => Ok(text),
    }
}

/// `list_join`, and `Fn::Join`: later versions take several lists, with maps and lists in them.
pub(super) fn join(value: Value, limits: &Limits<'_>) -> Result<Value, String> {
    let mut args = list(value, "its argument")?.into_iter();
    let delimiter = args.next().ok_or("it needs a delimiter and a list")?;
    let several = limits.version >= Version::V2015Liberty;
    if args.len() == 0 || (args.len() > 1 && !several) {
        return Err("it takes a delimiter and one list".to_owned());
    }
    let mut texts = Vec::new();
    for list in args {
        match list {
            Value::Array(items) => {
                for item in items {
                    texts.push(match item {
                        Value::Null => String::new(),
                        Value::String(text) => text,
                        Value::Array(_) | Value::Object(_) if several => python::json(&item),
                        other => return Err(format!("what is joined must be texts, and there is {}", word(&other))),
                    });
                }
            }
            Value::Null => {}
            // What is empty in whatever way is passed over where there may be several.
            other if several && !python::is_true(&other) => {}
            other => return Err(format!("what is joined must be a list, not {}", word(&other))),
        }
    }
    let delimiter = string(delimiter, "the delimiter")?;
    short(texts.iter().map(|text| text.len() + delimiter.len()).sum())?;
    Ok(Value::String(texts.join(&delimiter)))
}

/// `Fn::Split`.
pub(super) fn split(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let [delimiter, text] = elements(value)?;
    let (delimiter, text) = (string(delimiter, "the delimiter")?, string(text, "what is split")?);
    parts(&text, &delimiter)
}

fn parts(text: &str, delimiter: &str) -> Result<Value, String> {
    match delimiter.is_empty() {
        true => Err("the delimiter is empty".to_owned()),
        false => Ok(text.split(delimiter).map(Value::from).collect()),
    }
}

pub(super) fn str_split(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let mut args = list(value, "its argument")?.into_iter();
    let (Some(delimiter), Some(text)) = (args.next(), args.next()) else {
        return Err("it takes a delimiter and a text".to_owned());
    };
    if text.is_null() {
        return Ok(Value::Null);
    }
    let split = parts(&string(text, "what is split")?, &string(delimiter, "the delimiter")?)?;
    let Some(index) = args.next() else { return Ok(split) };
    let index = match &index {
        Value::String(text) => python::int(text),
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        _ => None,
    };
    let index = index.ok_or("its index must be a whole number")?;
    let list = split.as_array().map(Vec::as_slice).unwrap_or_default();
    let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let from_start = if index < 0 { index + length } else { index };
    let found = usize::try_from(from_start).ok().and_then(|at| list.get(at));
    found.cloned().ok_or_else(|| format!("its index must be between 0 and {}", length - 1))
}

/// `Fn::Base64`, which leaves the text as it is: Heat encodes user data when it hands them on.
pub(super) fn base64(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    string(value, "its argument").map(Value::String)
}

pub(super) fn digest(value: Value, _: &Limits<'_>) -> Result<Value, String> {
    let [algorithm, text] = elements(value)?;
    let (algorithm, text) = (string(algorithm, "the algorithm")?, string(text, "what is digested")?);
    let latin: Option<Vec<u8>> = text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect();
    let bytes = latin.ok_or("what is digested has a character that is not of Latin-1")?;
    let digest = match algorithm.to_lowercase().as_str() {
        "md5" => Md5::digest(&bytes).to_vec(),
        "sha1" => Sha1::digest(&bytes).to_vec(),
        "sha224" => Sha224::digest(&bytes).to_vec(),
        "sha256" => Sha256::digest(&bytes).to_vec(),
        "sha384" => Sha384::digest(&bytes).to_vec(),
        "sha512" => Sha512::digest(&bytes).to_vec(),
        "sha512_224" => Sha512_224::digest(&bytes).to_vec(),
        "sha512_256" => Sha512_256::digest(&bytes).to_vec(),
        _ => return Err("unknown algorithm: md5, sha1, sha224, sha256, sha384, sha512".to_owned()),
    };
    Ok(Value::String(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}
