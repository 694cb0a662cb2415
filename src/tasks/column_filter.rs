//! Filters by a column that the service does not filter by: where a row has the value, and what it is compared with.
//! Pure: it asks nobody.
//!
//! ```
//! # fn main() -> sdc::Result<()> {
//! use sdc::api::cloudapi::machines::MACHINES;
//! use sdc::grammar::filter::Typed;
//! use sdc::tasks::column_filter;
//!
//! // The service does not know the filter `package`.
//! let filter = column_filter::read(MACHINES.columns, &Typed::parse("package=g1-*")?, 0).unwrap()?;
//! assert_eq!(filter.path, ["package"]);
//! assert!(filter.condition.fits(Some("g1-nano")));
//! # Ok(())
//! # }
//! ```

use serde_json::Value;

use crate::api::{Column, Holds, Show, called_otherwise};
use crate::error::{Error, Result};
use crate::grammar::filter::{Condition, Sign, Typed};
use crate::grammar::{duration, is_uuid, mebibytes, selector};
use crate::sensitive::quoted;

/// A filter by a column.
pub struct ColumnFilter {
    /// Where a row has the value: the members of objects, one in the other. Of an array every element counts.
    pub path: Vec<String>,
    /// What the value must be.
    pub condition: Condition,
    /// What the column holds: where that is the id or the name of another thing, the value is to be looked up.
    pub holds: Holds,
}

/// Reads a filter by a column; nothing where there is no such column.
///
/// # Errors
/// A usage error: the column cannot be compared so.
pub fn read(columns: &[Column], typed: &Typed<'_>, now: i64) -> Option<Result<ColumnFilter>> {
    let made = called(columns, typed.name).filter(|column| column.field.is_empty());
    if made.is_some_and(|column| matches!(column.show, Show::MachineFlags | Show::ImageFlags | Show::Usage)) {
        let words = format!("{} is made of several fields, and cannot be compared", quoted(typed.name));
        return Some(Err(Error::usage(words).hint("by one of them, such as firewall_enabled=true or public=true")));
    }
    let (column, path) = place(columns, typed.name)?;
    let holds = column.holds;
    Some(condition(column, path.len() == 1, typed, now).map(|condition| ColumnFilter { path, condition, holds }))
}

/// Whether rows have a column of this name.
pub fn is_column(columns: &[Column], name: &str) -> bool {
    called(columns, name).is_some() || place(columns, name).is_some()
}

/// The column that is called so, or whose field is.
fn called<'a>(columns: &'a [Column], name: &str) -> Option<&'a Column> {
    columns
        .iter()
        .find(|column| column.name.eq_ignore_ascii_case(name))
        .or_else(|| columns.iter().find(|column| column.field == name))
}

/// The column of this name, and the path of its value in a row.
fn place<'a>(columns: &'a [Column], name: &str) -> Option<(&'a Column, Vec<String>)> {
    let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let made = || columns.iter().find(|column| first == "age" && matches!(column.holds, Holds::Time));
    let column = called(columns, first).or_else(|| called_otherwise(columns, first)).or_else(made)?;
    // Only objects have parts with names of their own.
    if rest.is_some() && !column.nested || column.field.is_empty() {
        return None;
    }
    Some((column, column.field.trim_start_matches('/').split('/').chain(rest).map(str::to_owned).collect()))
}

fn condition(column: &Column, whole: bool, typed: &Typed<'_>, now: i64) -> Result<Condition> {
    let Typed { name, sign, value, .. } = *typed;
    let shown = quoted(name);
    // Each has addresses, masks and more, and nobody sees which of them was compared. That there are any can be asked.
    if whole && matches!(column.holds, Holds::Objects) && (sign, value) != (Sign::Is, "*") {
        let error = Error::usage(format!("{shown} holds objects, and cannot be compared"));
        let ip = value.parse::<std::net::IpAddr>().ok().filter(|_| column.name == "nics");
        return Err(ip
            .into_iter()
            .fold(error, |error, ip| error.hint(format!("by an address: ips{}{ip}", sign.typed()))));
    }
    if sign.is_negative() && whole && column.nested {
        let words =
            format!("{shown} holds many values, of which any may be another: {}{value} says nothing", sign.as_str());
        return Err(Error::usage(words).hint(format!("a part of it: {shown}.NAME{}…", sign.as_str())));
    }
    if matches!(column.holds, Holds::Truth) && !matches!((sign, value), (Sign::Is | Sign::IsNot, "true" | "false")) {
        return Err(Error::usage(format!("{shown} is true or false")).hint(format!("{shown}=true")));
    }
    let time = matches!(column.holds, Holds::Time);
    if sign.is_regex() {
        let amount = matches!(column.show, Show::Mebibytes | Show::Age);
        let id = column.show == Show::ShortId && !matches!(column.holds, Holds::Id(_));
        return match time || amount || id {
            true => Err(Error::usage(format!("{shown} is no text, so it takes no {}", sign.as_str()))),
            false => Condition::pattern(sign, value),
        };
    }
    match column.show {
        Show::Age => return age(typed, now),
        _ if whole && name.eq_ignore_ascii_case("age") => return age(typed, now),
        Show::Mebibytes => {
            let number = mebibytes(value)
                .map_err(|_| Error::usage(format!("'{}' is not an amount such as 512M or 4G", quoted(value))))?;
            return Ok(Condition::number(sign, number as f64));
        }
        _ if time => return date(typed),
        _ => {}
    }
    if sign.orders() {
        let words = || {
            let value = quoted(value);
            format!("{shown}{}{value}: only numbers, amounts and times can be less or greater", sign.as_str())
        };
        let number = || value.parse::<f64>().ok().filter(|number| number.is_finite());
        let condition = match whole {
            true => number().map(|number| Condition::number(sign, number)),
            // What metadata hold nobody but their owner knows.
            false => Condition::ordered(sign, value),
        };
        return condition.ok_or_else(|| Error::usage(words()));
    }
    let id = column.show == Show::ShortId || column.field == "id";
    Ok(match value {
        "true" | "false" => Condition::truth(sign, value == "true"),
        // Tables show the beginning of one.
        _ if id && !is_uuid(value) => Condition::begins(sign, &value.to_ascii_lowercase()),
        _ if is_uuid(value) => Condition::exactly(sign, &value.to_ascii_lowercase()),
        _ => Condition::text(sign, value),
    })
}

/// How long ago something was.
fn age(typed: &Typed<'_>, now: i64) -> Result<Condition> {
    let turned = match typed.sign {
        Sign::Above => Sign::Below,
        Sign::AtLeast => Sign::AtMost,
        Sign::Below => Sign::Above,
        Sign::AtMost => Sign::AtLeast,
        _ => return Err(Error::usage("how long ago is asked with < and >, as in 'age>1w'")),
    };
    let long = duration::age("age", typed.value).map_err(|error| {
        let number = typed.value.trim().trim_end_matches(|last: char| last.is_ascii_alphabetic());
        match number.len() < typed.value.trim().len() && number.parse() == Ok(0.0) {
            true => error,
            false => Error::usage("a length of time has a unit: 12h, 30d, 8w, 1y"),
        }
    })?;
    let then = (now / 1000).saturating_sub(i64::try_from(long.as_secs()).unwrap_or(i64::MAX));
    let then = jiff::Timestamp::from_second(then).map_err(|_| Error::usage("that is too long ago"))?;
    Ok(Condition::time(turned, &then.to_string()))
}

/// A time, which has the text of ISO 8601, so that texts compare as times do.
fn date(typed: &Typed<'_>) -> Result<Condition> {
    let value = typed.value;
    if selector::is_glob(value) && !typed.sign.orders() {
        return Ok(Condition::text(typed.sign, value));
    }
    Condition::date(typed.sign, value).ok_or_else(|| {
        let words = format!("{} is a time, such as 2025-11-21 or 2025-11-21T10:00:00Z", quoted(typed.name));
        let value = if typed.sign.orders() && duration::age("age", value).is_ok() { value } else { "1w" };
        // `time<7d` may be meant either way.
        Error::usage(words).hint(format!("newer than that: 'age<{value}'")).hint(format!("older: 'age>{value}'"))
    })
}

/// The values that stand at this path, as text: of arrays all elements, of objects all that is in them.
pub(super) fn values(value: &Value, path: &[String], found: &mut Vec<String>) {
    match (value, path.split_first()) {
        (Value::Null, _) => {}
        (Value::Array(elements), _) => elements.iter().for_each(|element| values(element, path, found)),
        (Value::Object(members), Some((first, rest))) => {
            if let Some(member) = members.get(first) {
                values(member, rest, found);
            }
        }
        (Value::Object(members), None) => members.values().for_each(|member| values(member, path, found)),
        (_, Some(_)) => {}
        (Value::String(text), None) => found.push(text.clone()),
        (scalar, None) => found.push(scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cloudapi::{machines, networks, nics};

    fn fits(columns: &[Column], filter: &str, row: &str) -> bool {
        let typed = Typed::parse(filter).unwrap();
        // The first of December 2025.
        let filter = read(columns, &typed, 1_764_547_200_000).unwrap().unwrap();
        let mut found = Vec::new();
        values(&serde_json::from_str(row).unwrap(), &filter.path, &mut found);
        match found.is_empty() {
            true => filter.condition.fits(None),
            false => filter.condition.fits_some(found.iter().map(String::as_str)),
        }
    }

    #[test]
    fn a_row_is_compared_by_any_of_its_columns() {
        let row = r#"{"id":"3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d","package":"g1-nano","memory":1024,"disk":10240,
            "ips":["10.0.0.5","198.51.100.4"],"primaryIp":"10.0.0.5","created":"2025-11-21T10:00:00.000Z",
            "tags":{"role":"web","a.b":1},"nics":[{"mac":"90:b8:d0:aa:bb:cc","primary":true},{"primary":false}],
            "deletion_protection":false}"#;
        let machine = |filter: &str| fits(machines::MACHINES.columns, filter, row);
        for yes in [
            "package=g1-*",
            "package!=g2-*",
            "package=~^g1",
            "package!~nano.x",
            "id=3c1f",
            "shortid=3C1F8A52",
            "id!=4",
            "disk>=10G",
            "disk<11G",
            "ips=10.0.0.5",
            "ip=198.51.*",
            "ips!=10.0.0.6",
            "primaryIp=10.0.0.5",
            "created=2025-11-21",
            "created=2025-11",
            "created>2025-11-20",
            "created>=2025-11-21",
            "created<=2025-11-21",
            "created<2025-12",
            "age>1w",
            "age<2w",
            "tags.role=web",
            "tags.a.b=1",
            "tags.role=~w.b",
            "tag.role=web",
            "pkg=g1-*",
            "alias!=web2",
            "tags=web",
            "deletion_protection=false",
            "firewall_enabled=false",
            "deletion_protection!=true",
            "networks!=x",
        ] {
            assert!(machine(yes), "{yes}");
        }
        for no in [
            "package=g2-*",
            "package=~^nano",
            "id=4c1f",
            "disk>10G",
            "ips=10.0.0.6",
            "ips!=10.0.0.5",
            "created=2025-11-22",
            "created>2025-11-21",
            "package!~nano",
            "created<2025-11-21",
            "age<1w",
            "age>30d",
            "tags.role=db",
            "deletion_protection=true",
            "networks=x",
        ] {
            assert!(!machine(no), "{no}");
        }
        assert!(fits(nics::COLUMNS, "primary=true", r#"{"primary":true}"#));
        assert!(fits(networks::NETWORKS.columns, "vlan_id>=2", r#"{"vlan_id":2}"#));
        assert!(fits(networks::NETWORKS.columns, "vlan=2", r#"{"vlan_id":2}"#));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for filter in
            ["flags=F", "disk=big", "package>g1", "age=1w", "age>soon", "created>soon", "package=~(", "ips<10.0.0.1"]
        {
            let typed = Typed::parse(filter).unwrap();
            assert!(read(machines::MACHINES.columns, &typed, 0).unwrap().is_err(), "{filter}");
        }
        assert!(read(machines::MACHINES.columns, &Typed::parse("nothing=1").unwrap(), 0).is_none());
    }
}
