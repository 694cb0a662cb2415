//! Tags of physical networks.

use serde_json::{Value, json};

use super::super::call::{Call, Route, is_lower_uuid, missing, route};
use super::fields::{Fields, check_match, duplicate, in_use, tagged, wrong};
use crate::emulator::datacenter::state::{NicTag, State, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/nic_tags", &["ListNicTags"], list),
    route("POST", "/nic_tags", &["CreateNicTag"], create),
    route("GET", "/nic_tags/:name", &["GetNicTag"], get),
    route("PUT", "/nic_tags/:name", &["UpdateNicTag"], update),
    route("DELETE", "/nic_tags/:name", &["DeleteNicTag"], delete),
];

fn view(tag: &NicTag) -> Value {
    json!({ "mtu": tag.mtu, "name": tag.name, "uuid": tag.uuid })
}

fn list(call: &mut Call<'_>) -> Outcome {
    let (mut fields, page) = Fields::of_list(call, &[]);
    fields.check()?;
    Ok(page.of(call.state.operators.nic_tags.iter().map(view)))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a NicTag, Refusal> {
    let name = call.part("name");
    let found = call.state.operators.nic_tags.iter().find(|tag| tag.name == name);
    found.ok_or_else(|| missing("nic tag not found"))
}

fn get(call: &mut Call<'_>) -> Outcome {
    tagged(call, &view(find(call)?))
}

/// The name, of at most 31 letters, digits and lines.
fn name(fields: &mut Fields<'_>) -> Option<String> {
    let name = fields.text("name")?;
    if name.len() > 31 {
        fields.wrong("name", "must not be longer than 31 characters");
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        fields.wrong("name", "must only contain numbers, letters and underscores");
    } else {
        return Some(name);
    }
    None
}

fn check_admin(fields: &mut Fields<'_>, name: Option<&str>, mtu: Option<u64>) {
    if name == Some("admin") && mtu.is_some_and(|mtu| mtu != 1500) {
        fields.wrong("mtu", "admin nic tag mtu must be 1500");
    }
}

fn create(call: &mut Call<'_>) -> Outcome {
    let mut fields = Fields::of(&call.params);
    fields.require(&["name"]);
    let (name, mtu) = (name(&mut fields), fields.mtu());
    check_admin(&mut fields, name.as_deref(), mtu);
    let uuid = fields.uuid("uuid");
    fields.check()?;
    let made = NicTag { uuid: uuid.unwrap_or_else(new_id), name: name.unwrap_or_default(), mtu: mtu.unwrap_or(1500) };
    if call.state.operators.nic_tags.iter().any(|other| other.name == made.name) {
        return Err(duplicate("Invalid parameters", "name"));
    }
    let shown = view(&made);
    call.state.operators.nic_tags.push(made);
    tagged(call, &shown)
}

/// Refuses to touch a tag that a network or an interface of a server has.
fn check_unused(state: &State, name: &str) -> Result<(), Refusal> {
    let network = state.networks.iter().find(|network| network.tag() == name);
    let carries = |value: &Value| value.as_array().is_some_and(|tags| tags.iter().any(|tag| tag == name));
    let nic = || state.nics().find(|held| held.nic.more.get("nic_tags_provided").is_some_and(carries));
    match (network, nic()) {
        (Some(network), _) => Err(used(&network.id, "network")),
        (None, Some(held)) => Err(used(&held.nic.mac, "nic")),
        _ => Ok(()),
    }
}

fn used(id: &str, kind: &str) -> Refusal {
    in_use("nic_tag", kind, id, &format!("In use by {kind} \"{id}\""))
}

fn update(call: &mut Call<'_>) -> Outcome {
    let old = find(call)?.clone();
    check_match(call, &view(&old))?;
    // The path's own name is among the parameters.
    let mut given = call.query.clone();
    given.extend(call.fields());
    let mut fields = Fields::of(&given);
    if !fields.has("name") && !fields.has("mtu") {
        fields.require(&["name"]);
    }
    let (name, mtu) = (name(&mut fields), fields.mtu());
    fields.check()?;
    match old.name.as_str() {
        "admin" => return Err(wrong("name", "admin nic tag cannot be updated")),
        "external" if name.as_deref().is_some_and(|name| name != "external") => {
            return Err(wrong("name", "external nic tag cannot be renamed"));
        }
        _ => check_unused(call.state, &old.name)?,
    }
    let made = NicTag { name: name.unwrap_or(old.name.clone()), mtu: mtu.unwrap_or(old.mtu), uuid: old.uuid };
    let tags = &mut call.state.operators.nic_tags;
    if tags.iter().any(|other| other.name == made.name && other.uuid != made.uuid) {
        return Err(duplicate("Invalid parameters", "name"));
    }
    let shown = view(&made);
    if let Some(slot) = tags.iter_mut().find(|tag| tag.name == old.name) {
        *slot = made;
    }
    tagged(call, &shown)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let tag = find(call)?;
    check_match(call, &view(tag))?;
    let name = tag.name.clone();
    check_unused(call.state, &name)?;
    call.state.operators.nic_tags.retain(|tag| tag.name != name);
    Ok(Reply::empty(204))
}

/// The tag of this name. On fabrics it has the number of the virtual network behind it.
pub(super) fn named<'a>(state: &'a State, name: &str) -> Option<&'a NicTag> {
    let name = name.split_once('/').map_or(name, |(name, _)| name);
    state.operators.nic_tags.iter().find(|tag| tag.name == name)
}

/// Notes a tag that is none.
pub(super) fn check_tag(fields: &mut Fields<'_>, state: &State) -> Option<String> {
    let name = fields.text("nic_tag")?;
    if named(state, &name).is_some() {
        return Some(name);
    }
    fields.wrong("nic_tag", "nic tag does not exist");
    None
}

/// The same, of several.
pub(super) fn check_tags(fields: &mut Fields<'_>, field: &str, state: &State) -> Option<Vec<String>> {
    let tags = fields.list(field)?;
    let unknown: Vec<String> = tags.iter().filter(|tag| named(state, tag).is_none()).cloned().collect();
    if unknown.is_empty() {
        return Some(tags);
    }
    fields.wrong_ones(
        field,
        if unknown.len() > 1 { "nic tags do not exist" } else { "nic tag does not exist" },
        &unknown,
    );
    None
}

/// A UUID or a name, such as that of the admin network.
pub(super) fn is_id(text: &str) -> bool {
    text == "admin" || is_lower_uuid(text)
}
