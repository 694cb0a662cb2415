//! ListPackages: by any attribute, or by a filter of the directory's language.

use serde_json::{Map, Value};

use super::super::call::Call;
use super::super::predicate::{Predicate, ldap};
use super::attributes::{ATTRIBUTES, to_fields};
use super::view;
use crate::emulator::datacenter::state::Package;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::text::{glob, text};

/// Attributes, each with the values that will do.
type Filters = Vec<(&'static str, Vec<String>)>;

/// Whether an attribute has the value that is wanted: exactly, by its form where that has a star, or among its values.
fn has(value: Option<&Value>, wanted: &str) -> bool {
    let one = |value: &Value| {
        text(value).is_some_and(|text| if wanted.contains('*') { glob(wanted, &text) } else { text == wanted })
    };
    match value {
        Some(Value::Array(list)) => list.iter().any(one),
        Some(value) => one(value),
        None => false,
    }
}

/// What a parameter wants: a list of values is given as JSON.
fn wanted(given: &str) -> Vec<String> {
    match serde_json::from_str::<Value>(given) {
        Ok(Value::Array(list)) => list.iter().filter_map(text).collect(),
        _ => vec![given.to_owned()],
    }
}

/// The filters of a request, by attributes. Names that are none are not looked at.
///
/// # Errors
/// One that is not indexed; `None` where only objects are asked by, by which nothing is found.
fn filters(call: &Call<'_>) -> Result<Option<Filters>, Refusal> {
    let mut filters = Vec::new();
    let mut objects = 0;
    for one in ATTRIBUTES {
        let Some(text) = call.text(one.name) else { continue };
        match one.name {
            "traits" | "min_platform" => objects += 1,
            name if !one.indexed => {
                return Err(Refusal::new(500, "InternalError", format!("{name} is not indexed")));
            }
            name => filters.push((name, wanted(&text))),
        }
    }
    Ok((objects == 0 || !filters.is_empty()).then_some(filters))
}

fn fits(fields: &Map<String, Value>, package: &Package, (name, wanted): &(&'static str, Vec<String>)) -> bool {
    // Those of nobody are everybody's.
    let of_all = *name == "owner_uuids" && package.owners.is_empty();
    of_all || wanted.iter().any(|one| has(fields.get(*name), one))
}

/// Whether a filter holds, for one at least of the values of what has several.
fn holds(filter: &Predicate, fields: &Map<String, Value>) -> bool {
    let several: Vec<(&String, &Vec<Value>)> =
        fields.iter().filter_map(|(name, value)| Some((name, value.as_array()?))).collect();
    let most = several.iter().map(|(_, list)| list.len()).max().unwrap_or(0).max(1);
    (0..most).any(|at| {
        filter.holds(&|name: &str| match fields.get(name) {
            Some(Value::Array(list)) => list.get(at.min(list.len().saturating_sub(1))).cloned().unwrap_or_default(),
            other => other.cloned().unwrap_or_default(),
        })
    })
}

fn number(call: &Call<'_>, name: &str) -> usize {
    call.text(name).and_then(|text| text.parse().ok()).unwrap_or(0)
}

pub(super) fn list(call: &mut Call<'_>) -> Outcome {
    let Some(filters) = filters(call)? else { return Ok(Reply::empty(404)) };
    let filter = call
        .text("filter")
        .map(|text| ldap(&text).map_err(|_| Refusal::invalid("Provided search filter is not valid")));
    let filter = filter.transpose()?;
    let mut found: Vec<(&Package, Map<String, Value>)> = (call.state.packages.iter())
        .map(|package| (package, to_fields(package)))
        .filter(|(package, fields)| filters.iter().all(|one| fits(fields, package, one)))
        .filter(|(_, fields)| filter.as_ref().is_none_or(|filter| holds(filter, fields)))
        .collect();
    if let Some(sort) = call.text("sort") {
        found.sort_by(|(_, one), (_, other)| match (one.get(&sort), other.get(&sort)) {
            (Some(Value::Number(one)), Some(Value::Number(other))) => {
                one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(std::cmp::Ordering::Equal)
            }
            (one, other) => one.and_then(text).cmp(&other.and_then(text)),
        });
    }
    if call.text("order").is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
        found.reverse();
    }
    let count = found.len().to_string();
    let limit = match number(call, "limit") {
        0 => usize::MAX,
        limit => limit,
    };
    let rows = found.into_iter().skip(number(call, "offset")).take(limit).map(|(package, _)| view(package));
    Ok(Reply::json(&rows.collect()).header("x-resource-count", count))
}
