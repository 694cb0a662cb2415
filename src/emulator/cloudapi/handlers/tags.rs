//! The tags of a machine.

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::super::triton_tags;
use super::machines::load;
use crate::emulator::datacenter::jobs::updates::is_dockers;
use crate::emulator::datacenter::state::Work;
use crate::emulator::http::reply::{Body, Outcome, Refusal, Reply};

const ALL: &str = "/:login/machines/:machine/tags";
const ONE: &str = "/:login/machines/:machine/tags/:tag";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListMachineTags", "machines", list),
    Route::head(ALL, "HeadMachineTags", "machines", list),
    Route::post(ALL, "AddMachineTags", "machines", add),
    Route::put(ALL, "ReplaceMachineTags", "machines", replace),
    Route::delete(ALL, "DeleteMachineTags", "machines", delete_all),
    Route::get(ONE, "GetMachineTag", "machines", get),
    Route::head(ONE, "HeadMachineTag", "machines", get),
    Route::delete(ONE, "DeleteMachineTag", "machines", delete),
];

/// Parameters that never become a tag.
const RESERVED: &[&str] = &["account", "machine", "uuid", "owner_uuid", "image", "context"];

/// Tags that the platform gives a meaning, with the type their value must have.
const TRITON: &[(&str, &str)] = &[
    ("triton.cns.services", "string"),
    ("triton.cns.disable", "boolean"),
    ("triton.cns.reverse_ptr", "string"),
    ("triton.cmon.groups", "string"),
    ("triton.network.public", "string"),
    ("triton.network.public_ipv4", "string"),
    ("triton.placement.exclude_virtual_servers", "boolean"),
    ("triton._test.string", "string"),
    ("triton._test.number", "number"),
    ("triton._test.boolean", "boolean"),
];

/// What is said of tags that are refused while they are added or replaced.
const WRONG: &str = "Invalid tag parameters";

fn wrong(doing: &str, why: &str) -> Refusal {
    Refusal::failed(&format!("error {doing}: {WRONG}"), "tags", "Invalid", why)
}

/// Refuses, in these words, what cannot be the value of this tag, and tags of the platform that it does not know.
pub(crate) fn check(name: &str, value: &Value, words: &str) -> Result<(), Refusal> {
    let wrong = |why: &str| Err(Refusal::failed(words, "tags", "Invalid", why));
    let kind = match value {
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        _ => {
            return wrong("Invalid parameter");
        }
    };
    if !name.starts_with("triton.") {
        return Ok(());
    }
    match TRITON.iter().find(|(known, _)| *known == name) {
        None => wrong(&format!("Unrecognized special triton tag \"{name}\"")),
        Some((_, want)) if *want == kind => match triton_tags::check(name, value.as_str().unwrap_or_default()) {
            Ok(()) => Ok(()),
            Err(why) => wrong(&format!("Triton tag \"{name}\" is not valid: {why}")),
        },
        Some((_, want)) => wrong(&format!("Triton tag \"{name}\" value must be a {want}")),
    }
}

/// What was given, as tags: every parameter of query and body is one.
fn given(call: &Call<'_>, doing: &str) -> Result<Map<String, Value>, Refusal> {
    let mut tags = call.given.clone();
    tags.retain(|name, _| !RESERVED.contains(&name.as_str()));
    if tags.is_empty() {
        return Err(wrong(doing, "Invalid parameter"));
    }
    for (name, value) in &tags {
        check(name, value, &format!("error {doing}: {WRONG}"))?;
    }
    if let Some(name) = tags.keys().find(|name| is_dockers(name)) {
        return Err(wrong(doing, &format!("Special tag \"{name}\" not supported")));
    }
    Ok(tags)
}

fn plan(call: &mut Call<'_>, work: Work) -> Result<String, Refusal> {
    let id = load(call)?.uuid.clone();
    Ok(call.state.plan(call.now, &id, work, call.caller.clone(), call.fails.clone()))
}

fn list(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&Value::Object(load(call)?.tags.clone())))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let name = call.required("tag")?;
    let value = load(call)?.tags.get(&name).filter(|_| addressable(&name)).ok_or_else(|| unknown(&name))?;
    // Only text comes through; anything else is the empty string.
    Ok(bare(call, value.as_str().unwrap_or_default()))
}

fn unknown(name: &str) -> Refusal {
    Refusal::unknown(&format!("tag \"{name}\""))
}

/// Whether a name can stand in a path. CloudAPI decodes it and puts it as it is into the path of a request of its own,
/// which then leads elsewhere.
pub(crate) fn addressable(name: &str) -> bool {
    !name.contains('/') && !matches!(name, "." | "..")
}

/// A value as JSON text, or bare for those who accept only text.
pub(crate) fn bare(call: &Call<'_>, value: &str) -> Reply {
    let mut reply = Reply::json(&value.into());
    if call.head.wants_text() {
        reply.body = Body::Text(value.as_bytes().to_vec());
    }
    reply
}

fn add(call: &mut Call<'_>) -> Outcome {
    let tags = given(call, "adding tags")?;
    let mut merged = load(call)?.tags.clone();
    merged.extend(tags.clone());
    let job = plan(call, Work::SetTags { tags })?;
    Ok(Reply::json(&Value::Object(merged)).header("x-job-uuid", job))
}

fn replace(call: &mut Call<'_>) -> Outcome {
    let tags = given(call, "replacing tags")?;
    let reply = Reply::json(&Value::Object(tags.clone()));
    let job = plan(call, Work::ReplaceTags { tags })?;
    Ok(reply.header("x-job-uuid", job))
}

fn remove(call: &mut Call<'_>, names: Vec<String>, doing: &str) -> Outcome {
    if let Some(name) = names.iter().find(|name| is_dockers(name)) {
        return Err(wrong(doing, &format!("Special tag \"{name}\" may not be deleted")));
    }
    plan(call, Work::RemoveTags { names })?;
    Ok(Reply::empty(204))
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let name = call.required("tag")?;
    if !load(call)?.tags.contains_key(&name) || !addressable(&name) {
        return Err(unknown(&name));
    }
    remove(call, vec![name], "deleting tag")
}

fn delete_all(call: &mut Call<'_>) -> Outcome {
    let names = load(call)?.tags.keys().cloned().collect();
    remove(call, names, "deleting tags")
}
