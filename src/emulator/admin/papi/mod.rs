//! PAPI: the packages that customers buy, with all that operators say of them.

mod attributes;
mod list;

use serde_json::{Map, Value, json};

use super::Kind;
use super::call::{Call, Route, missing, route};
use crate::emulator::datacenter::state::{Package, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use attributes::{ATTRIBUTES, check, from_fields, to_fields};

pub(super) static PAPI: Kind = Kind {
    name: "papi",
    routes: &[ROUTES],
    versions: &[(7, 0, 0)],
    default_version: "*",
    body_wins: true,
    request_id: true,
};

static ROUTES: &[Route] = &[
    route("GET", "/ping", &["Ping"], ping),
    route("GET", "/packages", &["ListPackages"], list::list),
    route("POST", "/packages", &["CreatePackage"], create),
    route("GET", "/packages/:uuid", &["GetPackage"], get),
    route("PUT", "/packages/:uuid", &["UpdatePackage"], update),
    route("DELETE", "/packages/:uuid", &["DeletePackage"], delete),
];

fn ping(_: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&json!({ "pid": std::process::id(), "backend": "up" })))
}

/// A package as PAPI shows it: its attributes, and the version of their form.
fn view(package: &Package) -> Value {
    let mut view = to_fields(package);
    view.insert("v".to_owned(), 1.into());
    Value::Object(view)
}

/// What is wrong with one attribute.
struct Fault {
    field: String,
    code: &'static str,
    message: String,
}

/// 409 `InvalidArgument`, with what is wrong with each attribute.
fn refusal(words: &str, faults: Vec<Fault>) -> Refusal {
    faults.into_iter().fold(Refusal::invalid(words), |all, fault| all.field(&fault.field, fault.code, &fault.message))
}

/// What a request may say beside attributes.
const ASIDE: &[&str] = &["force", "skip_validation", "v"];

/// The attributes of a request. Those that there are not are told first, and alone.
fn given(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    let mut given = call.query.clone();
    given.extend(call.fields());
    given.retain(|name, _| !ASIDE.contains(&name.as_str()));
    let unknown = given.keys().filter(|name| !ATTRIBUTES.iter().any(|one| one.name == name.as_str()));
    let mut faults: Vec<Fault> = unknown
        .map(|name| Fault { field: name.clone(), code: "Invalid", message: "is an unsupported attribute".to_owned() })
        .collect();
    if faults.is_empty() {
        return Ok(given);
    }
    faults.sort_by(|one, other| one.field.cmp(&other.field));
    Err(refusal("Unrecognised attributes", faults))
}

/// Whether something is asked for: any value that is not empty does, `false` as text too.
fn is_asked(call: &Call<'_>, name: &str) -> bool {
    match call.params.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(_) => true,
    }
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Package, Refusal> {
    let uuid = call.part("uuid");
    call.state.package(&uuid).ok_or_else(|| missing(format!("Package {uuid} does not exist")))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let package = find(call)?;
    let owners = call.list("owner_uuids").unwrap_or_default();
    if !owners.is_empty() && !owners.iter().any(|owner| package.visible(owner)) {
        return Err(missing(format!("Package {} does not exist", package.id)));
    }
    Ok(Reply::json(&view(package)).header("request-id", package.id.clone()))
}

fn create(call: &mut Call<'_>) -> Outcome {
    let mut fields = given(call)?;
    fields.retain(|_, value| !value.is_null());
    fields.entry("uuid").or_insert_with(|| new_id().into());
    if !is_asked(call, "skip_validation") {
        let faults = check(&fields);
        if !faults.is_empty() {
            return Err(refusal("Package is invalid", faults));
        }
    }
    let mut package = from_fields(&fields);
    (package.created, package.updated) = (call.now, call.now);
    if call.state.package(&package.id).is_some() {
        return Err(Refusal::new(409, "ConflictError", "A package with the given UUID already exists"));
    }
    let (shown, id) = (view(&package), package.id.clone());
    call.state.packages.push(package);
    Ok(Reply::status(201, &shown).header("Location", format!("/packages/{id}")).header("request-id", id))
}

fn update(call: &mut Call<'_>) -> Outcome {
    let old = find(call)?.clone();
    let mut changes = given(call)?;
    // The path says which it is.
    changes.remove("uuid");
    let mut fields = to_fields(&old);
    if !is_asked(call, "force") {
        let fixed = |name: &str| ATTRIBUTES.iter().any(|one| one.name == name && one.fixed);
        let moved = changes.iter().filter(|(name, value)| fixed(name) && fields.get(*name) != Some(*value));
        let faults: Vec<Fault> = moved
            .map(|(name, _)| Fault { field: name.clone(), code: "Invalid", message: "is immutable".to_owned() })
            .collect();
        if !faults.is_empty() {
            return Err(refusal("Attempt to update immutables", faults));
        }
    }
    for (name, value) in changes {
        match value {
            Value::Null => drop(fields.remove(&name)),
            value => drop(fields.insert(name, value)),
        }
    }
    if !is_asked(call, "skip_validation") {
        let faults = check(&fields);
        if !faults.is_empty() {
            return Err(refusal("Updated package is invalid", faults));
        }
    }
    let mut package = from_fields(&fields);
    (package.created, package.updated) = (old.created, call.now);
    let shown = view(&package);
    if let Some(slot) = call.state.packages.iter_mut().find(|other| other.id == old.id) {
        *slot = package;
    }
    Ok(Reply::json(&shown))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let id = find(call)?.id.clone();
    if !is_asked(call, "force") {
        return Err(Refusal::new(405, "BadMethod", "Packages cannot be deleted"));
    }
    call.state.packages.retain(|package| package.id != id);
    Ok(Reply::empty(204))
}
