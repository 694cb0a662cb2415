//! Filters that a list does not have, as jq expressions that do the same: an error shows them, and they can be typed.
//!
//! ```
//! # fn main() -> sdc::Result<()> {
//! use sdc::api::cloudapi::machines::MACHINES;
//! use sdc::grammar::filter::Typed;
//! use sdc::tasks::filter_as_jq;
//!
//! // The list of machines has no filter for addresses.
//! let typed = Typed::parse("ips=198.18.0.10")?;
//! let option = filter_as_jq::instead(MACHINES.columns, &typed, 0).unwrap()?;
//! assert_eq!(option, r#"--jq 'map(select([.ips|..|scalars|tostring]|any(. == "198.18.0.10")))'"#);
//! # Ok(())
//! # }
//! ```

use crate::api::{Column, Show};
use crate::error::{Error, Hint, Result};
use crate::grammar::duration;
use crate::grammar::filter::{Sign, Typed};
use crate::grammar::shell::quoted as word;
use crate::grammar::{is_uuid, mebibytes, selector};

/// Fields that hold several values.
const LISTS: &[&str] = &[
    "acl",
    "default_members",
    "default_roles",
    "disks",
    "dns_names",
    "files",
    "ips",
    "members",
    "multifactor",
    "networks",
    "nics",
    "policies",
    "progress_history",
    "refs",
    "resolvers",
    "roles",
    "rules",
    "suffixes",
];
/// Fields that hold a time.
const TIMES: &[&str] = &["created", "updated", "published_at", "expiration", "time"];
/// What people call a column, and its name.
const ALIASES: &[(&str, &str)] = &[
    ("ip", "ips"),
    ("address", "ips"),
    ("primaryip", "primaryIp"),
    ("network", "networks"),
    ("nic", "nics"),
    ("uuid", "id"),
    ("status", "state"),
    ("ram", "memory"),
    ("vlan", "vlan_id"),
    ("dns", "dns_names"),
    ("member", "members"),
    ("policy", "policies"),
    ("rule", "rules"),
];

/// What does the same as a filter that the list does not have: the option `--jq`, or why nothing does. Nothing
/// where its rows have no such field.
pub fn instead(columns: &[Column], typed: &Typed<'_>, now: i64) -> Option<Result<String>> {
    let (column, path) = place(columns, typed.name)?;
    let time = TIMES.contains(&column.field) || column.field.ends_with("_timestamp");
    let whole = typed.name.split('.').count() == 1;
    let expression = match column.show {
        Show::MachineFlags | Show::ImageFlags | Show::Usage => return None,
        Show::Age => age(&path, typed, now),
        Show::Mebibytes => amount(&path, typed),
        Show::ShortId if !typed.sign.orders() => {
            Ok(negated(&format!("{path}|tostring|startswith({})", text(typed.value)), typed.sign))
        }
        Show::Names => list(&path, typed),
        // The beginning of one, as the tables show it.
        _ if column.field == "id"
            && !typed.sign.orders()
            && !is_uuid(typed.value)
            && !selector::is_glob(typed.value) =>
        {
            let begin = text(&typed.value.to_ascii_lowercase());
            Ok(negated(&format!("{path}|tostring|startswith({begin})"), typed.sign))
        }
        _ if whole && typed.name == "age" => age(&path, typed, now),
        _ if time => date(&path, typed),
        _ if whole && (column.nested || LISTS.contains(&column.field)) => list(&path, typed),
        _ => scalar(&path, typed),
    };
    Some(expression.map(|expression| option(&expression)))
}

/// The rows of which a field is one of these values, or none of them.
pub fn either(path: &[&str], sign: Sign, values: &[&str]) -> String {
    let path = path_of(path);
    let each = values.iter().map(|value| {
        let typed = Typed { name: "", sign, value, json: false, exact: false };
        format!("({})", scalar(&path, &typed).unwrap_or_default())
    });
    let or = if sign == Sign::IsNot { " and " } else { " or " };
    option(&each.collect::<Vec<_>>().join(or))
}

/// The rows that have a member of this object whose name fits the glob, with the value.
pub fn members(object: &str, names: &str, typed: &Typed<'_>) -> String {
    let named =
        format!("{}//{{}}|to_entries[]|select(.key|test({}))|.value|tostring", path_of(&[object]), regex(names));
    option(&quantified(&named, typed))
}

fn option(expression: &str) -> String {
    format!("--jq {}", word(&format!("map(select({expression}))")))
}

/// The column of this name, and the path of its value in a row.
fn place<'a>(columns: &'a [Column], name: &str) -> Option<(&'a Column, String)> {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let called = |name: &str| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    let alias = || {
        let (_, name) =
            ALIASES.iter().find(|(alias, name)| alias.eq_ignore_ascii_case(first) && called(name).is_some())?;
        called(name)
    };
    let made = || columns.iter().find(|column| first == "age" && TIMES.contains(&column.field));
    let of = || columns.iter().find(|column| column.field == first);
    let column = called(first).or_else(of).or_else(alias).or_else(made)?;
    // Only objects have parts with names of their own.
    if rest.is_some() && !column.nested || column.field.is_empty() {
        return None;
    }
    let steps: Vec<&str> = column.field.split('/').chain(rest).collect();
    Some((column, path_of(&steps)))
}

fn path_of(steps: &[&str]) -> String {
    let plain = |step: &str| {
        step.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && step.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    steps.iter().map(|step| if plain(step) { format!(".{step}") } else { format!(".{}", text(step)) }).collect()
}

/// As JSON and jq have a text.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn negated(condition: &str, sign: Sign) -> String {
    if sign == Sign::IsNot { format!("{condition}|not") } else { condition.to_owned() }
}

/// A glob as a regular expression of all of a text.
fn regex(glob: &str) -> String {
    let mut out = String::from("^");
    for letter in glob.chars() {
        match letter {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            letter if letter.is_ascii_punctuation() && !"-_,:/@%=".contains(letter) => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out.push('$');
    text(&out)
}

fn scalar(path: &str, typed: &Typed<'_>) -> Result<String> {
    let value = typed.value;
    let number = value.parse::<f64>().is_ok_and(f64::is_finite);
    if typed.sign.orders() {
        return match number {
            true => Ok(format!("({path}|numbers) {} {value}", typed.sign.as_str())),
            false => Err(Error::usage("only numbers and times can be less or greater")),
        };
    }
    // Whether the row has a number or a text of the same digits, nobody needs to know.
    Ok(match number || matches!(value, "true" | "false" | "null") {
        _ if selector::is_glob(value) => negated(&format!("{path}|tostring|test({})", regex(value)), typed.sign),
        true => format!("({path}|tostring) {} {}", typed.sign.as_str(), text(value)),
        false => format!("{path} {} {}", typed.sign.as_str(), text(value)),
    })
}

/// Fields that hold ids of other resources, why a name does not help, and the command that shows both.
const IDS: &[(&str, &str, Option<&str>)] = &[
    ("acl", "an account is told by its id", None),
    ("networks", "a network is told by its id", Some("networks list -o id,name")),
];

/// A list or an object has the value anywhere.
fn list(path: &str, typed: &Typed<'_>) -> Result<String> {
    let field = path.rsplit('.').next().unwrap_or_default();
    let by_id =
        IDS.iter().find(|(name, ..)| *name == field && !selector::is_glob(typed.value) && !is_uuid(typed.value));
    if let Some(&(_, words, command)) = by_id {
        let hint = command.map(|command| Hint::run("names and ids", command));
        return Err(hint.into_iter().fold(Error::usage(words), Error::hint));
    }
    match typed.sign.orders() {
        true => Err(Error::usage(format!("{} holds several values, so it takes only = and !=", typed.name))),
        false => Ok(quantified(&format!("{path}|..|scalars|tostring"), typed)),
    }
}

/// One of these values is the one that is wanted, or none is.
fn quantified(values: &str, typed: &Typed<'_>) -> String {
    let fits = match selector::is_glob(typed.value) {
        true => format!("test({})", regex(typed.value)),
        false => format!(". == {}", text(typed.value)),
    };
    negated(&format!("[{values}]|any({fits})"), typed.sign)
}

fn amount(path: &str, typed: &Typed<'_>) -> Result<String> {
    let number = mebibytes(typed.value)
        .map_err(|_| Error::usage(format!("'{}' is not an amount such as 512M or 4G", typed.value)))?;
    Ok(format!("({path}|numbers) {} {number}", typed.sign.as_str()))
}

/// How long ago something was.
fn age(path: &str, typed: &Typed<'_>, now: i64) -> Result<String> {
    let turned = match typed.sign {
        Sign::Above => "<",
        Sign::AtLeast => "<=",
        Sign::Below => ">",
        Sign::AtMost => ">=",
        Sign::Is | Sign::IsNot => return Err(Error::usage("how long ago is asked with < and >, as in 'age>1w'")),
    };
    let long =
        duration::age("age", typed.value).map_err(|_| Error::usage("a length of time has a unit: 12h, 30d, 8w, 1y"))?;
    let then = (now / 1000).saturating_sub(i64::try_from(long.as_secs()).unwrap_or(i64::MAX));
    let then = jiff::Timestamp::from_second(then).map_err(|_| Error::usage("that is too long ago"))?;
    Ok(format!("({path}|strings) {turned} {}", text(&then.to_string())))
}

/// A time, which has the text of ISO 8601, so that texts compare as times do.
fn date(path: &str, typed: &Typed<'_>) -> Result<String> {
    let value = typed.value;
    if selector::is_glob(value) {
        return scalar(path, typed);
    }
    let year = value.len() >= 4 && value.bytes().take(4).all(|byte| byte.is_ascii_digit());
    if !year || value.bytes().any(|byte| !byte.is_ascii_digit() && !b"-:TZ.+".contains(&byte)) {
        return Err(Error::usage(format!("{} is a time, such as 2025-11-21; how long ago: 'age>1w'", typed.name)));
    }
    Ok(match typed.sign.orders() {
        true => format!("({path}|strings) {} {}", typed.sign.as_str(), text(value)),
        false => negated(&format!("{path}|tostring|startswith({})", text(value)), typed.sign),
    })
}
