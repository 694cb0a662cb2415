//! What a filter by a field of the list means: the condition on a row, and what the service is asked for. Pure.

use super::resolve;
use crate::api::{Field, Kind, Test};
use crate::error::{Error, Result};
use crate::grammar::filter::{Condition, Sign, Typed};
use crate::grammar::{mebibytes, net, selector};
use crate::sensitive::quoted;

/// What the service is asked for.
pub(super) type Query = Option<(String, String)>;

/// Whether an internal service finds by this text what has it: it puts the text into a query of its own, in which these
/// letters are none of the text. What is not asked for is compared in any case.
pub(super) fn may_be_asked(test: Test, (name, value): &(String, String)) -> bool {
    let text = matches!(test, Test::Text(_) | Test::Begins(_) | Test::Member(_));
    !text || !name.contains(SYNTAX) && !value.contains(SYNTAX)
}

/// An id or a hardware address as rows have it.
fn as_shown(text: &str) -> String {
    match net::mac(text) {
        Ok(mac) => (0..mac.len()).step_by(2).filter_map(|at| mac.get(at..at + 2)).collect::<Vec<_>>().join(":"),
        Err(_) if resolve::is_uuid(text) => text.to_ascii_lowercase(),
        Err(_) => text.to_owned(),
    }
}

/// What LDAP filters and globs are made of.
const SYNTAX: [char; 5] = ['(', ')', '*', '\\', '\0'];

/// The condition of a filter, if there is something to compare, and what the service is asked for. It is asked only
/// for what it knows by the same meaning, or by a wider one.
pub(super) fn condition(
    field: &Field,
    key: &str,
    typed: &Typed<'_>,
    value: &str,
) -> Result<(Option<Condition>, Query)> {
    let sign = typed.sign;
    let shown = quoted(value);
    if sign.is_regex() {
        match field.test {
            Test::Text(_) | Test::Word(..) | Test::Begins(_) | Test::Member(_) | Test::Id(_) => {
                return Ok((Some(Condition::pattern(sign, value)?), None));
            }
            _ => return Err(Error::usage(format!("{key} is no text, so it takes no {}", sign.as_str()))),
        }
    }
    let numeric = matches!(field.test, Test::Number(_) | Test::Member(_));
    if sign.orders() && !numeric {
        let known =
            if matches!(field.test, Test::Text(_) | Test::Begins(_)) { "; * and ? stand for anything" } else { "" };
        return Err(Error::usage(format!("{key} is not a number, so it takes only = and !={known}"))
            .hint(format!("{key}={shown}")));
    }
    let globs = selector::is_glob(value);
    let same = |value: &str| Some((key.to_owned(), value.to_owned())).filter(|_| sign == Sign::Is);
    Ok(match field.test {
        Test::Text(_) => {
            if matches!(field.kind, Kind::Uuid) && !resolve::is_uuid(value) {
                return Err(Error::usage(format!("'{shown}' is not a UUID")).about(key));
            }
            let value = if matches!(field.kind, Kind::Uuid) { value.to_ascii_lowercase() } else { value.to_owned() };
            (Some(Condition::text(sign, &value)), same(&value).filter(|_| !globs))
        }
        Test::Word(_, unasked) => {
            (Some(Condition::text(sign, value)), same(value).filter(|_| !unasked.contains(&value)))
        }
        Test::Id(_) if value.contains([',', '|']) => {
            let words = format!("{key} takes one {}", field.name);
            return Err(Error::usage(words).hint(format!("{key}=NAME, its id, or a glob: {key}='NAME*'")));
        }
        // The ids of those that are called so are looked up.
        Test::Id(_) if globs => (Some(Condition::one_of(sign, Vec::new())), None),
        Test::Id(_) => (Some(Condition::exactly(sign, value)), same(value)),
        Test::Begins(_) => {
            // Of a glob the service can find what it begins with.
            let begin = value.split(['*', '?']).next().filter(|begin| !begin.is_empty());
            (Some(Condition::begins(sign, value)), begin.and_then(same))
        }
        Test::Among(_) if sign != Sign::Is => {
            return Err(Error::usage(format!("{key} takes only =")).hint(format!("{key}={shown}")));
        }
        Test::Among(_) => {
            let all = value.split(',').map(str::trim).filter(|text| !text.is_empty()).map(as_shown).collect();
            (Some(Condition::one_of(sign, all)), same(value))
        }
        Test::Moment(_) => {
            let time = value.parse().ok().and_then(|time| jiff::Timestamp::from_millisecond(time).ok());
            let words = || format!("'{shown}' is not a time in milliseconds since 1970");
            let time = time.ok_or_else(|| Error::usage(words()).about(key))?;
            (Some(Condition::instant(sign, time)), same(value))
        }
        Test::Number(_) => {
            let number = match field.kind {
                Kind::Mebibytes => mebibytes(value).map_err(|error| error.about(key))?,
                _ => value.parse().map_err(|_| Error::usage(format!("'{shown}' is not a whole number")).about(key))?,
            };
            (Some(Condition::number(sign, number as f64)), same(&number.to_string()))
        }
        Test::Bool(_) => match value {
            "true" | "false" => (Some(Condition::truth(sign, value == "true")), same(value)),
            _ => return Err(Error::usage(format!("'{shown}' is neither true nor false")).about(key)),
        },
        Test::State(states, others) => {
            if sign.orders() {
                return Err(Error::usage(format!("{key} takes only = and !=")));
            }
            let state = states.iter().find(|state| state.word == value);
            let state = state.ok_or_else(|| {
                let known: Vec<&str> = states.iter().map(|state| state.word).collect();
                super::words::unknown_state(&shown, &known)
            })?;
            let query = if sign == Sign::Is { state.query } else { others };
            let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
            match (state.shown, sign) {
                ("*", Sign::Is) => (None, query),
                ("*", _) => return Err(Error::usage(format!("{key}!={value} fits nothing"))),
                (state, sign) => (Some(Condition::exactly(sign, state)), query),
            }
        }
        Test::Member(_) if sign.orders() => {
            let words = || format!("{key}{}{shown}: only numbers and times can be less or greater", sign.as_str());
            (Some(Condition::ordered(sign, value).ok_or_else(|| Error::usage(words()))?), None)
        }
        Test::Member(_) => (Some(Condition::text(sign, value)), same(value).filter(|_| !globs)),
        Test::Filled(_) => (Some(Condition::truth(sign, true)), None),
        Test::Nothing | Test::Service => (None, None),
    })
}
