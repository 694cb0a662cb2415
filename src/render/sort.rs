//! The order of rows: `-s -created,name`. Numbers as numbers of any size, addresses as addresses, text by
//! its characters; what is missing comes last either way.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::View;
use super::cell::{self, Value};
use super::columns::{Chosen, choose};
use crate::answer::scan;
use crate::api::{Column, Show};
use crate::error::Result;

/// A column to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The column.
    pub column: Chosen,
    /// Greatest first.
    pub descending: bool,
}

/// Reads the value of `-s`: columns, the first one counting most, `-` before one turns it round.
///
/// # Errors
/// A usage error for a column that is not known, with those that are.
pub fn parse_sort(value: &str, known: &[Column]) -> Result<Vec<SortKey>> {
    let key = |part: &str| {
        let part = part.trim();
        let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
        let column = choose(name, known)?;
        // The oldest thing has the greatest age, and the least time of creation.
        let descending = descending != (column.show == Show::Age);
        Ok(SortKey { column, descending })
    };
    value.split(',').map(key).collect()
}

/// A value to compare by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Number(Number),
    Bool(bool),
    Address(IpAddr),
    Text(String),
    Missing,
}

/// The values of a row to compare by, in the order of the keys.
pub(super) type Keys = Vec<Key>;

/// Reads them from the row.
pub(super) fn keys(row: &str, view: &View) -> Keys {
    view.sort
        .iter()
        .map(|key| {
            let column = &key.column;
            match cell::values(row, std::slice::from_ref(column)).first() {
                None | Some(Value::Absent | Value::Json("null")) => Key::Missing,
                Some(value @ Value::Letters(_)) => Key::Text(cell::shown(value, column.show, view).into_owned()),
                Some(value) if column.show == Show::ImageName => {
                    Key::Text(cell::shown(value, column.show, view).into_owned())
                }
                Some(Value::Json(json)) => of(json),
            }
        })
        .collect()
}

fn of(token: &str) -> Key {
    match token.as_bytes().first() {
        Some(b'n') => Key::Missing,
        Some(b't') => Key::Bool(true),
        Some(b'f') => Key::Bool(false),
        Some(b'-' | b'0'..=b'9') => Key::Number(Number::of(token)),
        Some(b'"') => {
            let text = scan::unquote(token).unwrap_or_default();
            text.parse().map_or_else(|_| Key::Text(text.into_owned()), Key::Address)
        }
        _ => Key::Text(token.to_owned()),
    }
}

/// Compares two rows.
pub(super) fn compare(a: &Keys, b: &Keys, by: &[SortKey]) -> Ordering {
    a.iter()
        .zip(b)
        .zip(by)
        .map(|((a, b), key)| one(a, b, key.descending))
        .find(|found| found.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn one(a: &Key, b: &Key, descending: bool) -> Ordering {
    match (a, b) {
        (Key::Missing, _) | (_, Key::Missing) => a.cmp(b),
        _ if descending => b.cmp(a),
        _ => a.cmp(b),
    }
}

/// A JSON number, compared exactly: no size and no number of digits is too great.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    /// The value is `0.DIGITS` times ten to this power.
    power: i64,
    /// Without zeros at either end; empty for zero.
    digits: String,
}

impl Number {
    fn of(token: &str) -> Number {
        let (negative, token) = token.strip_prefix('-').map_or((false, token), |rest| (true, rest));
        let (amount, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
        let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
        let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = all.len() - digits.len();
        let power = exponent.saturating_add(whole.len() as i64).saturating_sub(leading as i64);
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Number { negative: false, power: 0, digits };
        }
        Number { negative, power, digits }
    }

    fn size(&self, other: &Number) -> Ordering {
        let zero = |number: &Number| !number.digits.is_empty();
        zero(self).cmp(&zero(other)).then(self.power.cmp(&other.power)).then_with(|| self.digits.cmp(&other.digits))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.size(other),
            (true, true) => other.size(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
