//! The pairs of a VM: customer and internal metadata and tags, and its role tags. Pairs are changed by jobs.

use serde_json::{Map, Value};

use super::super::call::{Call, Route, is_lower_uuid, missing, route};
use super::begin::{accepted, started};
use super::fields::{PAIRS, wrong_pairs};
use super::{invalid, load, seen};
use crate::emulator::datacenter::jobs::updates::is_dockers;
use crate::emulator::datacenter::state::{State, Vm, Work};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("POST", "/vms/:uuid/role_tags", &["AddRoleTags"], add_roles),
    route("PUT", "/vms/:uuid/role_tags", &["SetRoleTags"], set_roles),
    route("DELETE", "/vms/:uuid/role_tags", &["DeleteAllRoleTags"], clear_roles),
    route("DELETE", "/vms/:uuid/role_tags/:role_tag", &["DeleteRoleTag"], delete_role),
    route("GET", "/vms/:uuid/:kind", &["ListCustomerMetadata", "ListInternalMetadata", "ListTags"], list),
    route("GET", "/vms/:uuid/:kind/:key", &["GetCustomerMetadata", "GetInternalMetadata", "GetTag"], get),
    route("POST", "/vms/:uuid/:kind", &["AddCustomerMetadata", "AddInternalMetadata", "AddTags"], add),
    route("PUT", "/vms/:uuid/:kind", &["SetCustomerMetadata", "SetInternalMetadata", "SetTags"], set),
    route(
        "DELETE",
        "/vms/:uuid/:kind",
        &["DeleteAllCustomerMetadata", "DeleteAllInternalMetadata", "DeleteAllTags"],
        clear,
    ),
    route(
        "DELETE",
        "/vms/:uuid/:kind/:key",
        &["DeleteCustomerMetadata", "DeleteInternalMetadata", "DeleteTag"],
        delete,
    ),
];

/// One of the three kinds of pairs, with the wording of its messages.
struct Kind {
    field: &'static str,
    /// The names that a payload has for the pairs to set and to remove.
    payload: (&'static str, &'static str),
    one: &'static str,
    wrong: &'static str,
}

fn pairs<'a>(vm: &'a Vm, field: &str) -> &'a Map<String, Value> {
    match field {
        "customer_metadata" => &vm.customer_metadata,
        "internal_metadata" => &vm.internal_metadata,
        _ => &vm.tags,
    }
}

/// The same, with those that follow from something else.
fn all_pairs(state: &State, vm: &Vm, field: &str) -> Map<String, Value> {
    match field {
        "internal_metadata" => state.internal_metadata(vm),
        _ => pairs(vm, field).clone(),
    }
}

fn kind(call: &Call<'_>) -> Result<Kind, Refusal> {
    let word = call.part("kind");
    let found = PAIRS.iter().find(|(field, _)| *field == word);
    let (field, payload) = *found.ok_or_else(|| missing("Route does not exist"))?;
    let (one, wrong) = match field {
        "customer_metadata" => ("metadatum", "Invalid metadatum parameters"),
        "internal_metadata" => ("internal metadatum", "Invalid internal metadata parameters"),
        _ => ("tag", "Invalid tag parameters"),
    };
    Ok(Kind { field, payload, one, wrong })
}

fn list(call: &mut Call<'_>) -> Outcome {
    if call.part("kind") == "jobs" {
        return super::jobs::of_vm(call);
    }
    let kind = kind(call)?;
    Ok(Reply::json(&Value::Object(all_pairs(call.state, seen(call)?.as_ref(), kind.field))))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let kind = kind(call)?;
    let key = call.part("key");
    let vm = seen(call)?;
    let all = all_pairs(call.state, vm.as_ref(), kind.field);
    all.get(&key).map(Reply::json).ok_or_else(|| missing(format!("{} \"{key}\" not found", kind.one)))
}

/// The pairs of the body, which must be some, each with a scalar.
fn given(call: &Call<'_>, kind: &Kind) -> Result<Map<String, Value>, Refusal> {
    let mut fields = call.fields();
    fields.retain(|name, _| !matches!(name.as_str(), "owner_uuid" | "sync"));
    if fields.is_empty() {
        return Err(invalid(kind.wrong, &[(kind.field, "Invalid", "")]));
    }
    if let Some((field, words)) = wrong_pairs(kind.field, &fields).first() {
        return Err(invalid(kind.wrong, &[(field, "Invalid", words)]));
    }
    no_dockers(kind.field, fields.keys(), "not supported")?;
    Ok(fields)
}

/// Refuses the tags of which Docker keeps hold.
pub(super) fn no_dockers<'a>(
    field: &str,
    mut names: impl Iterator<Item = &'a String>,
    why: &str,
) -> Result<(), Refusal> {
    match names.find(|name| field == "tags" && is_dockers(name)) {
        Some(name) => {
            let words = format!("Special tag \"{name}\" {why}");
            Err(invalid("Invalid tag parameters", &[("tags", "Invalid", &words)]))
        }
        None => Ok(()),
    }
}

/// Puts into a payload what makes these pairs all that there are.
pub(super) fn replacing(
    vm: &Vm,
    field: &str,
    wanted: &Map<String, Value>,
    (set, remove): (&str, &str),
    payload: &mut Map<String, Value>,
) {
    let stays = |name: &str| wanted.contains_key(name) || field == "tags" && is_dockers(name);
    let gone: Vec<Value> =
        pairs(vm, field).keys().filter(|name| !stays(name)).map(|name| name.clone().into()).collect();
    payload.insert(set.to_owned(), Value::Object(wanted.clone()));
    if !gone.is_empty() {
        payload.insert(remove.to_owned(), gone.into());
    }
}

fn change(call: &mut Call<'_>, fields: Map<String, Value>) -> Outcome {
    let uuid = load(call)?.uuid.clone();
    let job = started(call, &uuid, Work::Update { fields }, Map::new())?;
    Ok(accepted(call, &uuid, &job))
}

fn add(call: &mut Call<'_>) -> Outcome {
    let kind = kind(call)?;
    load(call)?;
    let wanted = given(call, &kind)?;
    change(call, Map::from_iter([(kind.payload.0.to_owned(), Value::Object(wanted))]))
}

fn set(call: &mut Call<'_>) -> Outcome {
    let kind = kind(call)?;
    load(call)?;
    let wanted = given(call, &kind)?;
    let mut fields = Map::new();
    replacing(load(call)?, kind.field, &wanted, kind.payload, &mut fields);
    change(call, fields)
}

fn clear(call: &mut Call<'_>) -> Outcome {
    let kind = kind(call)?;
    let all = pairs(load(call)?, kind.field);
    no_dockers(kind.field, all.keys(), "may not be deleted")?;
    let names: Vec<Value> = all.keys().map(|name| name.clone().into()).collect();
    change(call, Map::from_iter([(kind.payload.1.to_owned(), names.into())]))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let kind = kind(call)?;
    let key = call.part("key");
    if !pairs(load(call)?, kind.field).contains_key(&key) {
        return Err(missing(format!("{} \"{key}\" not found", kind.one)));
    }
    no_dockers(kind.field, std::iter::once(&key), "may not be deleted")?;
    change(call, Map::from_iter([(kind.payload.1.to_owned(), Value::from(vec![key]))]))
}

/// Where the account keeps the role tags of a VM.
fn place(uuid: &str) -> String {
    format!("machines/{uuid}")
}

/// The ids of the roles with which a VM is tagged.
pub(super) fn roles_on(state: &State, vm: &Vm) -> Vec<String> {
    let account = state.account(&vm.owner_uuid);
    account.and_then(|account| account.role_tags.get(&place(&vm.uuid))).cloned().unwrap_or_default()
}

fn role_tags(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    Ok(roles_on(call.state, load(call)?))
}

/// The role tags of a request: there must be some, all of them ids.
fn asked_roles(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let roles = call.list("role_tags").unwrap_or_default();
    if roles.is_empty() || !roles.iter().all(|role| is_lower_uuid(role)) {
        return Err(invalid("Invalid Role Tags", &[("role_tags", "Invalid", "")]));
    }
    Ok(roles)
}

/// Replaces the role tags of a VM.
pub(super) fn keep_roles(state: &mut State, uuid: &str, roles: &[String]) {
    let owner = state.vms.get(uuid).map(|vm| vm.owner_uuid.clone()).unwrap_or_default();
    if let Some(account) = state.account_mut(&owner) {
        account.role_tags.insert(place(uuid), roles.to_vec());
    }
}

fn put_roles(call: &mut Call<'_>, roles: &[String]) -> Outcome {
    let uuid = load(call)?.uuid.clone();
    keep_roles(call.state, &uuid, roles);
    Ok(Reply::json(&serde_json::json!({ "role_tags": roles })))
}

fn add_roles(call: &mut Call<'_>) -> Outcome {
    let mut roles = role_tags(call)?;
    for role in asked_roles(call)? {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    put_roles(call, &roles)
}

fn set_roles(call: &mut Call<'_>) -> Outcome {
    load(call)?;
    let roles = asked_roles(call)?;
    put_roles(call, &roles)
}

fn clear_roles(call: &mut Call<'_>) -> Outcome {
    put_roles(call, &[])?;
    Ok(Reply::empty(200))
}

fn delete_role(call: &mut Call<'_>) -> Outcome {
    let (role, mut roles) = (call.part("role_tag"), role_tags(call)?);
    if !roles.contains(&role) {
        return Err(missing("Role Tag not found"));
    }
    roles.retain(|other| *other != role);
    put_roles(call, &roles)
}
