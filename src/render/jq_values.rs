//! Values of `--jq` as jq has them. jaq has objects with keys of any type, prints `4.0` for a quotient of 4, reads more
//! than JSON, and prints NaN: these filters make what jq would, and what is left fails when it is printed.

use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::{Error as Fault, Exn, Native, data};
use jaq_json::{Num, Val, read};

use super::jq_bounds::{MAX_DEPTH, float};
use super::jq_builtins;
use super::jq_paths::{known, made_for, without_all};
use crate::answer::scan;

pub(super) type Outcome = std::result::Result<Val, Fault<Val>>;

/// The filters that the mended terms call, and those that are others than jaq's.
pub(super) fn funs() -> impl Iterator<Item = Fun<data::JustLut<Val>>> {
    macro_rules! own {
        ($name:literal, $fun:expr) => {
            run(($name, v(0), |cv| bome($fun(cv.1))))
        };
    }
    let known = Native::new(|mut cv| {
        let at = cv.0.pop_var();
        bome(known(cv.1, &at))
    })
    .with_paths(|mut cv| {
        let at = cv.0.pop_var();
        box_once(known(cv.1.0, &at).map(|value| (value, cv.1.1)).map_err(Exn::from))
    })
    .with_update(|mut cv, f| {
        let at = cv.0.pop_var();
        match known(cv.1, &at).and_then(|value| made_for(value, &at)) {
            Ok(value) => f(value),
            Err(fault) => box_once(Err(Exn::from(fault))),
        }
    });
    [
        ("__known", v(1), known),
        run(("__delpaths", v(1), |mut cv| {
            let paths = cv.0.pop_var();
            bome(without_all(cv.1, paths))
        })),
        run(("__alike", v(1), |mut cv| {
            let other = cv.0.pop_var();
            bome(alike(cv.1, &other))
        })),
        run(("has", v(1), |mut cv| {
            let key = cv.0.pop_var();
            bome(holds(cv.1, &key))
        })),
        run(("__is_empty", v(1), |mut cv| {
            let sought = cv.0.pop_var();
            let is_empty = match &sought {
                Val::TStr(text) => text.is_empty(),
                Val::Arr(values) => values.is_empty(),
                _ => false,
            };
            bome(Ok(Val::Bool(is_empty || matches!(cv.1, Val::Null))))
        })),
        own!("__position", |value| Ok(position(value))),
        own!("__brief", |value: Val| Ok(Val::utf8_str(brief(&value)))),
        own!("__end", |value| Ok(end(value))),
        own!("__padded", |value| Ok(padded(value))),
        own!("__codes", codes),
        own!("__count", count),
        own!("__time", time),
        own!("__format", format),
        own!("__key", key),
        own!("__entry", entry),
        own!("__entry_value", |entry: Val| Ok(entry_value(&entry))),
        own!("__joined", joined),
        own!("__whole", |value| Ok(whole(value))),
        own!("__int", |value| Ok(int(value))),
        own!("__nan", |_| Ok(Val::Num(Num::Float(f64::NAN)))),
        own!("__infinite", |_| Ok(Val::Num(Num::Float(f64::INFINITY)))),
        own!("__flags", flags),
        own!("__groups", |pattern: Val| Ok(groups(&pattern))),
        run(("__divided", v(1), |mut cv| {
            let by = cv.0.pop_var();
            bome(divided(cv.1, by))
        })),
        own!("__text", text),
        own!("__number", number),
        own!("tojson", |value| written(&value).map(Val::utf8_str).map_err(Fault::str)),
        own!("fromjson", from_json),
        own!("__builtins", |_| Ok(jq_builtins::builtins().into_iter().map(Val::utf8_str).collect())),
    ]
    .into_iter()
}

fn key(value: Val) -> Outcome {
    match value {
        Val::TStr(_) => Ok(value),
        other => Err(Fault::str(format!("the keys of an object are texts, and {} is none", brief(&other)))),
    }
}

/// The key of an entry, under any of the names that jq knows; a plain value becomes a text.
fn entry(entry: Val) -> Outcome {
    let names = ["key", "k", "name", "Name", "K", "Key"];
    let found = names.iter().filter_map(|name| member(&entry, name)).find(|value| !matches!(value, Val::Null));
    match found.unwrap_or(Val::Null) {
        value @ (Val::Null | Val::Bool(_) | Val::Num(_)) => written(&value).map(Val::utf8_str).map_err(Fault::str),
        other => key(other),
    }
}

fn entry_value(entry: &Val) -> Val {
    let names = ["value", "v", "Value", "V"];
    names.iter().find_map(|name| member(entry, name)).unwrap_or(Val::Null)
}

fn member(object: &Val, name: &str) -> Option<Val> {
    match object {
        Val::Obj(members) => members.get(&Val::utf8_str(name.to_owned())).cloned(),
        _ => None,
    }
}

/// Whether there is something under a key, or at a position.
fn holds(value: Val, key: &Val) -> Outcome {
    match (&value, position(key.clone())) {
        (Val::Null, _) => Ok(Val::Bool(false)),
        (Val::Obj(members), Val::TStr(_)) => Ok(Val::Bool(members.contains_key(key))),
        (Val::Arr(values), Val::Num(at)) => {
            let at = float(&at);
            Ok(Val::Bool(at >= 0.0 && at < values.len() as f64))
        }
        _ => Err(Fault::str(format!("{} cannot be asked for a key such as {}", brief(&value), brief(key)))),
    }
}

/// jq compares only what is of one type for `contains`.
fn alike(value: Val, other: &Val) -> Outcome {
    let same = match (&value, other) {
        (Val::Bool(one), Val::Bool(other)) => one == other,
        (value, other) => std::mem::discriminant(value) == std::mem::discriminant(other),
    };
    match same {
        true => Ok(value),
        false => Err(Fault::str(format!("{} and {} cannot contain one another", brief(&value), brief(other)))),
    }
}

/// A position in an array is a whole number: what stands behind its point is left out.
fn position(value: Val) -> Val {
    match value {
        Val::Num(Num::Float(float)) => whole(Val::Num(Num::Float(float.floor()))),
        Val::Num(Num::Dec(text)) => position(Val::Num(Num::from_dec_str(&text))),
        other => other,
    }
}

/// The end of a slice, up from the point.
fn end(value: Val) -> Val {
    match &value {
        Val::Num(number @ (Num::Float(_) | Num::Dec(_))) => whole(Val::Num(Num::Float(float(number).ceil()))),
        _ => value,
    }
}

/// base64 with the signs at its end that may be left out.
fn padded(value: Val) -> Val {
    match &value {
        Val::TStr(bytes) if bytes.len() % 4 > 1 => {
            let mut text = String::from_utf8_lossy(bytes).into_owned();
            text.extend(std::iter::repeat_n('=', 4 - bytes.len() % 4));
            Val::utf8_str(text)
        }
        _ => value,
    }
}

/// So many of something are none or more.
fn count(value: Val) -> Outcome {
    match &value {
        Val::Num(number) if float(number) < 0.0 => Err(Fault::str(format!("{} is not so many", brief(&value)))),
        _ => Ok(value),
    }
}

/// The characters of a text as numbers.
fn codes(value: Val) -> Outcome {
    let Val::Arr(codes) = &value else {
        return Err(Fault::str(format!("{} is not an array of numbers", brief(&value))));
    };
    let is_letter = |code: &Val| match position(code.clone()) {
        Val::Num(Num::Int(code)) => u32::try_from(code).ok().and_then(char::from_u32).is_some(),
        _ => false,
    };
    match codes.iter().find(|code| !is_letter(code)) {
        Some(code) => Err(Fault::str(format!("{} is not the number of a character", brief(code)))),
        None => Ok(codes.iter().cloned().map(position).collect()),
    }
}

/// What a time is made of: seconds, or an array of them and larger units.
fn time(value: Val) -> Outcome {
    match &value {
        Val::Num(number) if float(number).is_finite() => Ok(value),
        Val::Arr(parts) if parts.iter().all(|part| matches!(part, Val::Num(part) if float(part).is_finite())) => {
            Ok(value)
        }
        _ => Err(Fault::str(format!("{} is not a time", brief(&value)))),
    }
}

/// How a time is written: with what the C library knows, for jq asks that.
fn format(value: Val) -> Outcome {
    let Val::TStr(bytes) = &value else { return Err(Fault::str(format!("{} is not a format", brief(&value)))) };
    let text = String::from_utf8_lossy(bytes);
    let mut letters = text.chars();
    while letters.any(|letter| letter == '%') {
        if !letters.next().is_some_and(|letter| "aAbBCdDeFgGhHIjklmMnprRsStTuUVwWyYzZ%".contains(letter)) {
            return Err(Fault::str(format!("{} has a field that is not known here", brief(&value))));
        }
    }
    Ok(value)
}

fn joined(value: Val) -> Outcome {
    match value {
        Val::Null => Ok(Val::utf8_str(String::new())),
        Val::Arr(_) | Val::Obj(_) => Err(Fault::str(format!("{} cannot be joined", brief(&value)))),
        other => text(other),
    }
}

fn text(value: Val) -> Outcome {
    match value {
        Val::TStr(_) => Ok(value),
        other => written(&other).map(Val::utf8_str).map_err(Fault::str),
    }
}

/// A number that is whole as an integer, which can be an index too.
fn whole(value: Val) -> Val {
    match value {
        Val::Num(Num::Float(float)) if float.fract() == 0.0 && float.abs() < EXACT => {
            Val::Num(Num::Int(float as isize))
        }
        other => other,
    }
}

/// A quotient; a whole one is an integer. There is none by zero.
fn divided(value: Val, by: Val) -> Outcome {
    match (&value, &by) {
        (Val::Num(_), Val::Num(zero)) if float(zero) == 0.0 => {
            Err(Fault::str(format!("{} cannot be divided by zero", brief(&value))))
        }
        _ => (value / by).map(whole),
    }
}

/// The flags of a regular expression, by the letters of jaq: there `s` has the dot match line feeds.
fn flags(value: Val) -> Outcome {
    match &value {
        Val::Null => Ok(Val::utf8_str(String::new())),
        Val::TStr(letters) => {
            let letter = |letter: char| match letter {
                'm' | 'p' => Some('s'),
                's' | 'l' => None,
                other => Some(other),
            };
            Ok(Val::utf8_str(String::from_utf8_lossy(letters).chars().filter_map(letter).collect::<String>()))
        }
        _ => Err(Fault::str(format!("{} are not flags of a regular expression", brief(&value)))),
    }
}

/// The named groups of a regular expression, each with null: some may have no part in a match.
fn groups(pattern: &Val) -> Val {
    let Val::TStr(bytes) = pattern else { return Val::obj(Default::default()) };
    let text = String::from_utf8_lossy(bytes);
    let names = text.split("(?").skip(1).filter_map(|rest| {
        let name = rest.strip_prefix("P<").or_else(|| rest.strip_prefix('<'))?;
        name.split_once('>').map(|(name, _)| name).filter(|name| !name.starts_with(['=', '!']))
    });
    Val::obj(names.map(|name| (Val::utf8_str(name.to_owned()), Val::Null)).collect())
}

/// A number without what stands behind its point.
fn int(value: Val) -> Val {
    match value {
        Val::Num(Num::Float(float)) => whole(Val::Num(Num::Float(float.trunc()))),
        Val::Num(Num::Dec(text)) => int(Val::Num(Num::from_dec_str(&text))),
        other => other,
    }
}

/// Floats up to here have every digit before their point.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole text must be a number.
fn number(value: Val) -> Outcome {
    match &value {
        Val::Num(_) => Ok(value),
        Val::TStr(bytes) => {
            let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
            let number = serde_json::from_str::<serde_json::Number>(text).is_ok();
            match read::parse_single(text.as_bytes()) {
                Ok(parsed @ Val::Num(_)) if number => Ok(parsed),
                _ => Err(Fault::str(format!("{} is not a number", brief(&value)))),
            }
        }
        _ => Err(Fault::str(format!("{} is not a number", brief(&value)))),
    }
}

/// jaq reads more than JSON: comments, NaN, several documents.
fn from_json(value: Val) -> Outcome {
    let Val::TStr(bytes) = &value else {
        return Err(Fault::str(format!("{} is not a text with JSON in it", brief(&value))));
    };
    let text = String::from_utf8_lossy(bytes);
    // Looked at first: both readers follow the text inwards.
    if scan::depth(&text) > MAX_DEPTH {
        return Err(Fault::str(format!("a value is nested deeper than {MAX_DEPTH} levels")));
    }
    if scan::has_more_values(&text, super::jq_bounds::MAX_ELEMENTS) {
        return Err(Fault::str("a text holds JSON of more values than --jq reads".to_owned()));
    }
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
    match read::parse_single(text.as_bytes()) {
        Ok(parsed) if is_json => Ok(parsed),
        _ => Err(Fault::str(format!("{} is not JSON", brief(&value)))),
    }
}

/// The beginning of a value, for an error.
pub(super) fn brief(value: &Val) -> String {
    let text = written(value).unwrap_or_else(|_| "what JSON cannot hold".to_owned());
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{} …", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

type Text = std::result::Result<String, String>;

/// A value as JSON.
///
/// # Errors
/// Why JSON cannot hold it.
pub(super) fn written(value: &Val) -> Text {
    let mut out = String::new();
    write(value, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Val, depth: usize, out: &mut String) -> std::result::Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("its result is nested deeper than {MAX_DEPTH} levels"));
    }
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Val::Num(number) => out.push_str(&digits(number)?),
        Val::TStr(bytes) => scan::quote(&String::from_utf8_lossy(bytes), out),
        Val::BStr(_) => return Err("its result has bytes in it, which JSON cannot hold".to_owned()),
        Val::Arr(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(value, depth + 1, out)?;
            }
            out.push(']');
        }
        Val::Obj(members) => {
            out.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if !matches!(key, Val::TStr(_)) {
                    return Err("its result has an object with a key that is not text".to_owned());
                }
                write(key, depth + 1, out)?;
                out.push(':');
                write(value, depth + 1, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// A number as JSON: one that came so keeps its text, NaN is null as in jq.
fn digits(number: &Num) -> Text {
    let text = match number {
        Num::Int(_) | Num::BigInt(_) => number.to_string(),
        Num::Dec(text) if serde_json::from_str::<serde_json::Number>(text).is_ok() => text.to_string(),
        Num::Dec(text) => return digits(&Num::Float(text.parse().unwrap_or(f64::NAN))),
        Num::Float(float) if float.is_nan() => "null".to_owned(),
        Num::Float(float) if float.is_infinite() => {
            return Err("its result is infinite, which JSON cannot hold".to_owned());
        }
        Num::Float(float) if float.fract() == 0.0 && float.abs() < 1e17 => format!("{float:.0}"),
        Num::Float(float) => format!("{float:?}"),
    };
    Ok(text)
}
