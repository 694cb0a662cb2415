//! Values of `--jq` as jq has them. jaq has objects with keys of any type, prints `4.0` for a quotient of 4, reads more
//! than JSON, and prints NaN: the expression and jaq's own definitions are mended where such values are made, and what
//! is left of them fails when it is printed.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Term};
use jaq_core::load::{self};
use jaq_core::native::{Fun, bome, run, v};
use jaq_core::path::{Part, Path};
use jaq_core::{DataT, Error as Fault, data, ops};
use jaq_json::{Num, Val, read};

use crate::answer::scan;

/// Results nested deeper are refused.
const DEEPEST: usize = 1000;

/// Definitions that are other than jaq's.
const OURS: &str = r#"
def from_entries: reduce .[] as $x ({}; . + ($x | { (__entry): __entry_value }));
def join($s): [.[] | __joined] | reduce .[] as $x ([]; if . == [] then [$x] else [.[0] + $s + $x] end) | .[0] // "";
def tostring: __text;
def tonumber: __number;
"#;

/// Definitions that stand before those filters of jaq's that refuse what jq passes on.
const MORE: &str = r#"
def ltrimstr($s): if isstring and ($s | isstring) then __ltrimstr($s) else . end;
def rtrimstr($s): if isstring and ($s | isstring) then __rtrimstr($s) else . end;
"#;

/// The names under which these call them.
const RENAMED: &[(&str, &str)] = &[("ltrimstr", "__ltrimstr"), ("rtrimstr", "__rtrimstr")];

/// jaq's own filters, as far as they are kept.
pub(super) fn theirs<D: DataT>(funs: impl Iterator<Item = Fun<D>>) -> impl Iterator<Item = Fun<D>> {
    let renamed = |name| RENAMED.iter().find(|(known, _)| *known == name).map_or(name, |(_, ours)| *ours);
    funs.filter(|fun| is_kept(fun.0)).map(move |(name, args, native)| (renamed(name), args, native))
}

/// Not kept are those that end the process, print by themselves, or read what is not the answer; and those that are
/// others here.
fn is_kept(name: &str) -> bool {
    const NOT: &[&str] = &[
        "halt",
        "halt_error",
        "env",
        "input",
        "inputs",
        "debug",
        "debug_empty",
        "stderr",
        "stderr_empty",
        "tojson",
        "fromjson",
    ];
    !NOT.contains(&name)
}

/// jaq's definitions, and the expression's own, with our values in them.
pub(super) fn mended<'s>(
    defs: impl Iterator<Item = Def<&'static str>>,
    main: Def<&'s str>,
) -> impl Iterator<Item = Def<&'s str>> {
    let mut ours = load::parse(OURS, |parser| parser.defs()).unwrap_or_default();
    let same = |a: &Def<&str>, b: &Def<&str>| a.name == b.name && a.args.len() == b.args.len();
    let own = move |def: Def<&'static str>| -> Def<&'s str> {
        match ours.iter().position(|own| same(own, &def)) {
            // Each stands in the place of jaq's, since those after it call it.
            Some(at) => ours.remove(at),
            None => def,
        }
    };
    let more = load::parse(MORE, |parser| parser.defs()).unwrap_or_default();
    defs.filter(|def| is_kept(def.name)).map(own).chain(more).chain([main]).map(definition)
}

fn definition(def: Def<&str>) -> Def<&str> {
    Def { body: term(def.body), ..def }
}

fn boxed(inner: Term<&str>) -> Box<Term<&str>> {
    Box::new(term(inner))
}

/// `VALUE | FILTER`.
fn through<'s>(value: Term<&'s str>, filter: &'static str) -> Term<&'s str> {
    Term::BinOp(Box::new(value), BinaryOp::Pipe(None), Box::new(Term::Call(filter, Vec::new())))
}

/// The same term, in which keys are checked, whole quotients are whole, and texts are made of values as jq makes them.
fn term(this: Term<&str>) -> Term<&str> {
    match this {
        Term::Obj(entries) => Term::Obj(
            entries
                .into_iter()
                .map(|(key, value)| match (key, value) {
                    (key @ Term::Str(..), value) => (term(key), value.map(term)),
                    (key, Some(value)) => (through(term(key), "__key"), Some(term(value))),
                    (key, None) => (term(key), None),
                })
                .collect(),
        ),
        Term::BinOp(left, BinaryOp::Math(ops::Math::Div), right) => {
            through(Term::BinOp(boxed(*left), BinaryOp::Math(ops::Math::Div), boxed(*right)), "__whole")
        }
        // jq has remainders of whole numbers only.
        Term::BinOp(left, BinaryOp::Math(ops::Math::Rem), right) => {
            let [left, right] = [left, right].map(|side| Box::new(through(term(*side), "__int")));
            Term::BinOp(left, BinaryOp::Math(ops::Math::Rem), right)
        }
        Term::BinOp(left, op, right) => Term::BinOp(boxed(*left), op, boxed(*right)),
        Term::Str(format, parts) => {
            let plain = format.is_none();
            let part = |part| match part {
                StrPart::Term(inner) if plain => StrPart::Term(through(term(inner), "__text")),
                StrPart::Term(inner) => StrPart::Term(term(inner)),
                other => other,
            };
            Term::Str(format, parts.into_iter().map(part).collect())
        }
        Term::Arr(inner) => Term::Arr(inner.map(|inner| boxed(*inner))),
        Term::Neg(inner) => Term::Neg(boxed(*inner)),
        Term::Label(name, inner) => Term::Label(name, boxed(*inner)),
        Term::Fold(name, from, pattern, then) => {
            Term::Fold(name, boxed(*from), pattern, then.into_iter().map(term).collect())
        }
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(*inner), catch.map(|inner| boxed(*inner))),
        Term::IfThenElse(cases, other) => Term::IfThenElse(
            cases.into_iter().map(|(when, then)| (term(when), term(then))).collect(),
            other.map(|inner| boxed(*inner)),
        ),
        Term::Def(defs, inner) => Term::Def(defs.into_iter().map(definition).collect(), boxed(*inner)),
        Term::Call(name, args) => Term::Call(name, args.into_iter().map(term).collect()),
        Term::Path(inner, Path(parts)) => {
            let part = |part| match part {
                Part::Index(index) => Part::Index(term(index)),
                Part::Range(from, to) => Part::Range(from.map(term), to.map(term)),
            };
            Term::Path(boxed(*inner), Path(parts.into_iter().map(|(one, opt)| (part(one), opt)).collect()))
        }
        other @ (Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_)) => other,
    }
}

type Outcome = std::result::Result<Val, Fault<Val>>;

/// The filters that the mended terms call, and those that are others than jaq's.
pub(super) fn funs() -> impl Iterator<Item = Fun<data::JustLut<Val>>> {
    macro_rules! own {
        ($name:literal, $fun:expr) => {
            run(($name, v(0), |cv| bome($fun(cv.1))))
        };
    }
    [
        own!("__key", key),
        own!("__entry", entry),
        own!("__entry_value", |entry: Val| Ok(entry_value(&entry))),
        own!("__joined", joined),
        own!("__whole", |value| Ok(whole(value))),
        own!("__int", |value| Ok(int(value))),
        own!("__text", text),
        own!("__number", number),
        own!("tojson", |value| written(&value).map(Val::utf8_str).map_err(Fault::str)),
        own!("fromjson", from_json),
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
    let fits = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok() && scan::depth(&text) <= DEEPEST;
    match read::parse_single(text.as_bytes()) {
        Ok(parsed) if fits => Ok(parsed),
        _ => Err(Fault::str(format!("{} is not JSON", brief(&value)))),
    }
}

/// The beginning of a value, for an error.
fn brief(value: &Val) -> String {
    let text = written(value).unwrap_or_else(|_| "what JSON cannot hold".to_owned());
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{} …", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// A value as JSON.
///
/// # Errors
/// Why JSON cannot hold it.
pub(super) fn written(value: &Val) -> std::result::Result<String, String> {
    let mut out = String::new();
    write(value, 0, &mut out)?;
    Ok(out)
}

fn write(value: &Val, depth: usize, out: &mut String) -> std::result::Result<(), String> {
    if depth > DEEPEST {
        return Err(format!("its result is nested deeper than {DEEPEST} levels"));
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
                    return Err("its result has an object with a key that is no text".to_owned());
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
fn digits(number: &Num) -> std::result::Result<String, String> {
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
