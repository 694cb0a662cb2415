//! The metadata of a machine.

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::machines::load;
use super::tags::{addressable, bare};
use crate::emulator::datacenter::state::Work;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/machines/:machine/metadata";
const ONE: &str = "/:login/machines/:machine/metadata/:key";

/// There is no HEAD of a single key: the real server answers 405.
pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListMachineMetadata", "machines", list),
    Route::head(ALL, "HeadMachineMetadata", "machines", list),
    Route::post(ALL, "UpdateMachineMetadata", "machines", update).rbac("addmachinemetadata"),
    Route::delete(ALL, "DeleteAllMachineMetadata", "machines", delete_all),
    Route::get(ONE, "GetMachineMetadata", "machines", get),
    Route::delete(ONE, "DeleteMachineMetadata", "machines", delete),
];

/// Parameters that never become metadata.
const RESERVED: &[&str] = &["account", "machine", "uuid", "owner_uuid", "image", "credentials"];

/// Keys that cannot be deleted alone.
const KEPT: &[&str] = &["credentials", "administrator_pw", "root_authorized_keys"];

/// What is said of metadata that is refused while it is added.
const WRONG: &str = "Invalid customer_metadata parameters";

/// Refuses, in these words, what cannot be the value of a key.
pub(crate) fn check(value: &Value, words: &str) -> Result<(), Refusal> {
    if matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)) {
        return Ok(());
    }
    Err(Refusal::failed(words, "customer_metadata", "Invalid", "Invalid parameter"))
}

fn unknown(name: &str) -> Refusal {
    Refusal::unknown(&format!("metadatum \"{name}\""))
}

fn shown(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    let machine = load(call)?;
    let mut metadata = machine.customer_metadata.clone();
    let passwords = machine.passwords();
    if call.truthy("credentials").is_some() && !passwords.is_empty() {
        metadata.insert("credentials".to_owned(), Value::Object(passwords));
    }
    Ok(metadata)
}

fn list(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&Value::Object(shown(call)?)))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("key")?;
    let machine = load(call)?;
    let passwords = machine.passwords();
    if name == "credentials" && !passwords.is_empty() {
        return Ok(Reply::json(&Value::Object(passwords)));
    }
    match machine.customer_metadata.get(&name).filter(|_| addressable(&name)) {
        Some(Value::String(value)) => Ok(bare(call, value)),
        Some(_) => Err(Refusal::new(404, "ResourceNotFound", format!("{name} is not metadata"))),
        None => Err(unknown(&name)),
    }
}

fn plan(call: &mut Call<'_>, work: Work) -> Result<String, Refusal> {
    let id = load(call)?.uuid.clone();
    Ok(call.state.plan(call.now, &id, work, call.caller.clone(), call.fails.clone()))
}

fn update(call: &mut Call<'_>) -> Outcome {
    let mut metadata = call.given.clone();
    metadata.retain(|name, _| !RESERVED.contains(&name.as_str()) && !name.ends_with("_pw"));
    if metadata.is_empty() {
        return Err(Refusal::failed(WRONG, "customer_metadata", "Invalid", "Invalid parameter"));
    }
    for value in metadata.values() {
        check(value, WRONG)?;
    }
    let mut merged = load(call)?.customer_metadata.clone();
    merged.extend(metadata.clone());
    let job = plan(call, Work::SetMetadata { metadata })?;
    Ok(Reply::json(&Value::Object(merged)).header("x-job-uuid", job))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let name = call.required("key")?;
    if KEPT.contains(&name.as_str()) {
        return Err(Refusal::invalid(format!("Metadata key {name} can not be deleted")));
    }
    if !load(call)?.customer_metadata.contains_key(&name) || !addressable(&name) {
        return Err(unknown(&name));
    }
    plan(call, Work::RemoveMetadata { names: vec![name] })?;
    Ok(Reply::empty(204))
}

fn delete_all(call: &mut Call<'_>) -> Outcome {
    let machine = load(call)?;
    let mut metadata = machine.customer_metadata.clone();
    metadata.retain(|name, _| KEPT.contains(&name.as_str()));
    // The real server takes its own parameters for metadata here.
    metadata.insert("uuid".to_owned(), machine.uuid.clone().into());
    metadata.insert("owner_uuid".to_owned(), machine.owner_uuid.clone().into());
    plan(call, Work::ReplaceMetadata { metadata })?;
    Ok(Reply::empty(204))
}
