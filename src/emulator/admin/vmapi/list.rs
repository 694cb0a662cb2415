//! ListVms: strict about its parameters, sorted, and cut by a marker or an offset.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::super::call::{Call, Route, is_lower_uuid, route};
use super::super::predicate::{Predicate, ldap};
use super::fields::{LISTED, SORTED};

use super::view;
use crate::emulator::datacenter::state::Vm;
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::text::text;

pub(super) static ROUTES: &[Route] = &[route("GET", "/vms", &["ListVms", "HeadVms"], list)];

/// No page is longer.
const MAX: usize = 1000;

/// Errors of one list, all of which are told.
#[derive(Default)]
struct Errors(Vec<Value>);

impl Errors {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(serde_json::json!({ "field": field, "code": "Invalid", "message": message.into() }));
    }

    fn into_result(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut refusal = Refusal::new(409, "ValidationFailed", "Invalid Parameters");
        if let Some(body) = refusal.body.as_object_mut() {
            body.insert("errors".to_owned(), self.0.into());
        }
        Err(refusal)
    }
}

/// What a list asks for.
struct Wanted {
    /// Fields that must have a value, by VMAPI's names.
    exact: Vec<(&'static str, String)>,
    alias: Option<String>,
    state: Option<String>,
    docker: Option<bool>,
    ram: Option<u64>,
    /// The exact creation time, in milliseconds since 1970.
    created: Option<i64>,
    uuids: Option<Vec<String>>,
    tags: Vec<(String, String)>,
    internal: Vec<(String, String)>,
    predicate: Option<Predicate>,
    query: Option<Predicate>,
    sort: Vec<(&'static str, bool)>,
    marker: Option<Map<String, Value>>,
    limit: usize,
    offset: usize,
    fields: Option<Vec<String>>,
}

const EXACT: &[&str] =
    &["uuid", "owner_uuid", "image_uuid", "server_uuid", "billing_id", "package_name", "package_version", "brand"];

/// Parameters that are looked at by themselves.
const OTHERS: &[&str] = &[
    "alias",
    "state",
    "docker",
    "ram",
    "uuids",
    "create_timestamp",
    "predicate",
    "query",
    "sort",
    "marker",
    "limit",
    "offset",
    "fields",
];

const INVALID: &str = "Invalid parameter";

pub(super) const ALIAS: &str = r"String does not match regexp: /^[a-zA-Z0-9][a-zA-Z0-9\_\.\-]*$/";

impl Wanted {
    fn read(call: &Call<'_>) -> Result<Wanted, Refusal> {
        let mut errors = Errors::default();
        for name in call.params.keys() {
            let known = EXACT.contains(&name.as_str()) || OTHERS.contains(&name.as_str());
            let pair = ["tag.", "internal_metadata."].iter().any(|prefix| name.starts_with(prefix));
            if !known && !pair {
                errors.add(name, INVALID);
            }
        }
        let exact = EXACT.iter().filter_map(|name| Some((*name, call.text(name)?)));
        let exact: Vec<(&'static str, String)> = exact.collect();
        for (name, value) in &exact {
            if (name.ends_with("uuid") || *name == "billing_id") && !is_lower_uuid(value) {
                errors.add(name, "Invalid UUID");
            }
        }
        let alias = call.text("alias");
        if alias.as_deref().is_some_and(|alias| !is_alias(alias)) {
            errors.add("alias", ALIAS);
        }
        let state = call.text("state");
        if state.as_deref().is_some_and(|state| !["running", "stopped", "active", "destroyed"].contains(&state)) {
            errors.add("state", "Must be one of: running, stopped, active, destroyed");
        }
        let docker = call.params.get("docker").map(params::flag);
        if docker == Some(None) {
            errors.add("docker", INVALID);
        }
        let pairs = |prefix: &str| -> Vec<(String, String)> {
            let all = call.params.iter();
            all.filter_map(|(name, value)| Some((name.strip_prefix(prefix)?.to_owned(), params::text(value)?)))
                .collect()
        };
        let (tags, internal) = (pairs("tag."), pairs("internal_metadata."));
        for (name, value) in &internal {
            if value.is_empty() || value.len() > 100 {
                errors.add(&format!("internal_metadata.{name}"), INVALID);
            }
        }
        let mut number = |name: &str, least: usize, most: usize| -> Option<usize> {
            let text = call.text(name)?;
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            if number.is_none() {
                let upper = if most == usize::MAX { String::new() } else { format!(" and <= {most}") };
                errors.add(name, format!("Not a valid number: number must be >= {least}{upper}"));
            }
            number
        };
        let limit = number("limit", 1, MAX);
        let offset = number("offset", 0, usize::MAX);
        let ram = number("ram", 0, usize::MAX).and_then(|ram| u64::try_from(ram).ok());
        let created = call.text("create_timestamp");
        let created = created.and_then(|text| text.parse().map_err(|_| errors.add("create_timestamp", INVALID)).ok());
        let sort = read_sort(call, &mut errors);
        let marker = read_marker(call, &sort, &mut errors);
        let predicate = call
            .text("predicate")
            .and_then(|text| Predicate::read(&text).map_err(|words| errors.add("predicate", words)).ok());
        let query = call.text("query").and_then(|text| ldap(&text).map_err(|words| errors.add("query", words)).ok());
        let fields = call.list("fields").filter(|fields| !fields.is_empty());
        let unknown: Vec<&str> = (fields.iter().flatten().map(String::as_str))
            .filter(|field| !LISTED.contains(field) && !["*", "role_tags"].contains(field))
            .collect();
        if !unknown.is_empty() {
            errors.add("fields", format!("Invalid values: {}", unknown.join(", ")));
        }
        if marker.is_some() && offset.is_some() {
            errors.0.push(serde_json::json!({
                "fields": ["offset", "marker"],
                "code": "ConflictingParameters",
                "message": "offset and marker cannot be used at the same time",
            }));
        }
        errors.into_result()?;
        Ok(Wanted {
            exact,
            alias,
            state,
            docker: docker.flatten(),
            ram,
            created,
            uuids: call.list("uuids"),
            tags,
            internal,
            predicate,
            query,
            sort,
            marker,
            limit: limit.unwrap_or(MAX),
            offset: offset.unwrap_or(0),
            fields,
        })
    }

    fn fits(&self, call: &Call<'_>, vm: &Vm) -> bool {
        let exact = self.exact.iter().all(|(name, wanted)| text(&field(call, vm, name)).as_deref() == Some(wanted));
        let state = match self.state.as_deref() {
            None => true,
            Some("active") => vm.is_active(),
            Some(state) => vm.state == state,
        };
        // One id is as good as several, and wins.
        let several = self.exact.iter().any(|(name, _)| *name == "uuid");
        exact
            && state
            && self.alias.as_deref().is_none_or(|alias| vm.alias.starts_with(alias))
            && self.docker.is_none_or(|docker| vm.docker == docker)
            && self.ram.is_none_or(|ram| vm.ram == ram)
            && self.created.is_none_or(|created| vm.create_timestamp == created)
            && self.uuids.as_ref().is_none_or(|uuids| several || uuids.contains(&vm.uuid))
            && self.tags.iter().all(|(name, value)| has_tag(vm, name, value))
            && self
                .internal
                .iter()
                .all(|(name, value)| vm.internal_metadata.get(name).and_then(text).as_deref() == Some(value))
            && [&self.predicate, &self.query]
                .into_iter()
                .flatten()
                .all(|predicate| predicate.holds(&|name: &str| field(call, vm, name)))
    }

    /// The values that a VM is sorted by, computed once.
    fn keys(&self, call: &Call<'_>, vm: &Vm) -> Vec<Value> {
        self.sort.iter().map(|(name, _)| field(call, vm, name)).collect()
    }

    /// Compares two VMs, or a VM and a marker, by their sort keys and ids.
    fn compare(&self, one: (&[Value], &str), other: (&[Value], &str)) -> Ordering {
        for ((_, descending), (one, other)) in self.sort.iter().zip(one.0.iter().zip(other.0)) {
            let order = compare(one, other);
            let order = if *descending { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        // What makes the order total, appended to every other.
        other.1.cmp(one.1)
    }
}

/// A field of a VM by the name that filters, orders and predicates have for it.
fn field(call: &Call<'_>, vm: &Vm, name: &str) -> Value {
    match name {
        "uuid" => vm.uuid.clone().into(),
        "owner_uuid" => vm.owner_uuid.clone().into(),
        "alias" => vm.alias.clone().into(),
        "brand" => vm.brand.clone().into(),
        "state" => vm.state.clone().into(),
        "billing_id" => vm.billing_id.clone().into(),
        "server_uuid" => call.state.server_of(vm).into(),
        "image_uuid" if vm.hvm() => Value::Null,
        "image_uuid" => vm.image_uuid.clone().into(),
        "ram" | "max_physical_memory" => vm.ram.into(),
        "docker" => vm.docker.into(),
        "create_timestamp" => vm.create_timestamp.into(),
        name => match (name.strip_prefix("tag."), name.strip_prefix("internal_metadata.")) {
            (Some(tag), _) => vm.tags.get(tag).cloned().unwrap_or_default(),
            (_, Some(key)) => vm.internal_metadata.get(key).cloned().unwrap_or_default(),
            _ => view::vm(call.state, vm).get(name).cloned().unwrap_or_default(),
        },
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        _ => text(one).unwrap_or_default().cmp(&text(other).unwrap_or_default()),
    }
}

/// Whether a tag is there: any, or one that holds this text.
fn has_tag(vm: &Vm, name: &str, value: &str) -> bool {
    let Some(has) = vm.tags.get(name).and_then(text) else { return false };
    value == "*" || has.contains(value)
}

pub(super) fn is_alias(text: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric) && text.bytes().all(rest)
}

fn read_sort(call: &Call<'_>, errors: &mut Errors) -> Vec<(&'static str, bool)> {
    let mut sort = Vec::new();
    for text in call.list("sort").unwrap_or_default() {
        let (name, order) = text.rsplit_once('.').unwrap_or((text.as_str(), "asc"));
        let known = SORTED.iter().find(|known| **known == name);
        match (known, order.to_ascii_lowercase().as_str()) {
            (Some(name), "asc") => sort.push((*name, false)),
            (Some(name), "desc") => sort.push((*name, true)),
            _ => errors.add("sort", format!("Invalid sort param: {text}")),
        }
    }
    sort
}

fn read_marker(call: &Call<'_>, sort: &[(&'static str, bool)], errors: &mut Errors) -> Option<Map<String, Value>> {
    let text = call.text("marker")?;
    let mut wrong = |words: String| {
        errors.add("marker", format!("Invalid marker: {text}. {words}"));
        None
    };
    let marker = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(marker)) => marker,
        Ok(_) => return wrong("Marker must represent an object.".to_owned()),
        Err(error) => {
            let words = format!("Could not parse marker as an object JSON representation, reason: {error}");
            return wrong(words);
        }
    };
    let names: Vec<&str> = sort.iter().map(|(name, _)| *name).collect();
    if !marker.contains_key("uuid") {
        let words = "A marker needs to have a uuid property from which a strict total order can be established";
        return wrong(words.to_owned());
    }
    if names.iter().any(|name| !marker.contains_key(*name)) {
        return wrong(format!("All sort fields must be present in marker. Sort fields: {}.", names.join(",")));
    }
    if marker.keys().any(|key| key != "uuid" && !names.contains(&key.as_str())) {
        let shown = if names.is_empty() { "undefined".to_owned() } else { names.join(",") };
        let words = format!("All marker keys except uuid must be present in the sort parameter. Sort fields: {shown}.");
        return wrong(words);
    }
    Some(marker)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let wanted = Wanted::read(call)?;
    let call = &*call;
    let zones = call.state.storage_zones();
    let fitting = call.state.vms.iter().chain(&zones).filter(|vm| wanted.fits(call, vm));
    let mut found: Vec<(Vec<Value>, &Vm)> = fitting.map(|vm| (wanted.keys(call, vm), vm)).collect();
    let count = found.len();
    found.sort_by(|(one, vm), (other, second)| wanted.compare((one, &vm.uuid), (other, &second.uuid)));
    if let Some(marker) = &wanted.marker {
        let mark = |name: &str| marker.get(name).cloned().unwrap_or_default();
        let keys: Vec<Value> = wanted.sort.iter().map(|(name, _)| mark(name)).collect();
        let uuid = mark("uuid");
        let last = (keys.as_slice(), uuid.as_str().unwrap_or_default());
        found.retain(|(keys, vm)| wanted.compare((keys, &vm.uuid), last) == Ordering::Greater);
    }
    let page = found.into_iter().skip(wanted.offset).take(wanted.limit);
    let rows = page.map(|(_, vm)| Value::Object(super::shown(call.state, vm, wanted.fields.as_deref())));
    Ok(Reply::json(&rows.collect()).header("x-joyent-resource-count", count.to_string()))
}
