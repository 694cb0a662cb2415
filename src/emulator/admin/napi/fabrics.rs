//! The VLANs of an account's fabric, and the networks on them.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, is_lower_uuid, missing, route};
use super::fields::{Fields, check_match, only, tagged, used_by, with_errors, wrong};
use super::networks::{changed, keep, make, remove};
use crate::emulator::datacenter::state::{Network, Vlan, vnet_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const VLANS: &str = "/fabrics/:owner_uuid/vlans";
const VLAN: &str = "/fabrics/:owner_uuid/vlans/:vlan_id";
const NETS: &str = "/fabrics/:owner_uuid/vlans/:vlan_id/networks";
const NET: &str = "/fabrics/:owner_uuid/vlans/:vlan_id/networks/:uuid";

pub(super) static ROUTES: &[Route] = &[
    route("GET", VLANS, &["ListFabricVLANs"], list_vlans),
    route("POST", VLANS, &["CreateFabricVLAN"], create_vlan),
    route("GET", VLAN, &["GetFabricVLAN"], get_vlan),
    route("PUT", VLAN, &["UpdateFabricVLAN"], update_vlan),
    route("DELETE", VLAN, &["DeleteFabricVLAN"], delete_vlan),
    route("GET", NETS, &["ListFabricNetworks"], list),
    route("POST", NETS, &["CreateFabricNetwork"], create),
    route("GET", NET, &["GetFabricNetwork"], get),
    route("PUT", NET, &["UpdateFabricNetwork"], update),
    route("DELETE", NET, &["DeleteFabricNetwork"], delete),
];

/// The fields of a VLAN that can be asked for.
const OF_VLANS: &[&str] = &["description", "name", "owner_uuid", "vlan_id", "vnet_id"];
/// The same, of a network.
const OF_NETWORKS: &[&str] = &[
    "description",
    "fabric",
    "internet_nat",
    "gateway",
    "mtu",
    "name",
    "nic_tag",
    "owner_uuid",
    "owner_uuids",
    "provision_end_ip",
    "provision_start_ip",
    "resolvers",
    "routes",
    "subnet",
    "uuid",
    "vlan_id",
];

/// The account whose fabric it is.
fn owner(call: &Call<'_>) -> Result<String, Refusal> {
    if call.state.fabrics_off {
        return Err(Refusal::new(428, "PreconditionRequiredError", "overlay networking is not enabled"));
    }
    let owner = call.part("owner_uuid");
    if is_lower_uuid(&owner) { Ok(owner) } else { Err(wrong("owner_uuid", "invalid UUID")) }
}

/// The fields that are asked for, of those that can be.
fn asked(fields: &mut Fields<'_>, known: &[&str]) -> Option<Vec<String>> {
    let list = fields.list("fields")?;
    let unknown: Vec<String> = list.iter().filter(|name| !known.contains(&name.as_str())).cloned().collect();
    if unknown.is_empty() {
        return Some(list);
    }
    fields.wrong_ones("fields", if unknown.len() > 1 { "unknown fields" } else { "unknown field" }, &unknown);
    None
}

/// The answer that shows the asked-for fields of a thing. Its tag is that of all of it.
fn answer(call: &Call<'_>, view: Map<String, Value>, known: &[&str]) -> Outcome {
    let mut fields = Fields::of(&call.params);
    let asked = asked(&mut fields, known);
    fields.check()?;
    let mut reply = tagged(call, &Value::Object(view.clone()))?;
    if asked.is_some() && reply.status == 200 {
        reply.body = Reply::json(&only(view, asked.as_ref())).body;
    }
    Ok(reply)
}

fn view_vlan(vlan: &Vlan) -> Map<String, Value> {
    let mut view = Map::new();
    view.insert("name".to_owned(), vlan.name.clone().into());
    view.insert("owner_uuid".to_owned(), vlan.owner.clone().into());
    view.insert("vlan_id".to_owned(), vlan.vlan_id.into());
    view.insert("vnet_id".to_owned(), vnet_id(&vlan.owner).into());
    if !vlan.description.is_empty() {
        view.insert("description".to_owned(), vlan.description.clone().into());
    }
    view
}

fn vlan<'a>(call: &'a Call<'_>) -> Result<&'a Vlan, Refusal> {
    let owner = owner(call)?;
    let mut fields = Fields::of(&call.path);
    let id = fields.vlan();
    fields.check()?;
    let found = call.state.vlans.iter().find(|vlan| vlan.owner == owner && Some(vlan.vlan_id) == id);
    found.ok_or_else(|| missing("vlan not found"))
}

fn list_vlans(call: &mut Call<'_>) -> Outcome {
    let owner = owner(call)?;
    let (mut fields, page) = Fields::of_list(call, &["fields"]);
    let asked = asked(&mut fields, OF_VLANS);
    fields.check()?;
    let mut own: Vec<&Vlan> = call.state.vlans.iter().filter(|vlan| vlan.owner == owner).collect();
    own.sort_by_key(|vlan| vlan.vlan_id);
    Ok(page.of(own.into_iter().map(|vlan| only(view_vlan(vlan), asked.as_ref()))))
}

fn create_vlan(call: &mut Call<'_>) -> Outcome {
    let owner = owner(call)?;
    let mut fields = Fields::of(&call.params);
    fields.require(&["name", "vlan_id"]);
    let (name, vlan_id, description) = (fields.text("name"), fields.vlan(), fields.text("description"));
    asked(&mut fields, OF_VLANS);
    fields.check()?;
    let vlan_id = vlan_id.unwrap_or_default();
    if call.state.vlans.iter().any(|vlan| vlan.owner == owner && vlan.vlan_id == vlan_id) {
        let entry = json!({ "field": "vlan_id", "code": "Duplicate", "message": "Already exists" });
        return Err(with_errors(Refusal::new(422, "InUse", "VLAN ID is already in use"), vec![entry]));
    }
    let made = Vlan { owner, vlan_id, name: name.unwrap_or_default(), description: description.unwrap_or_default() };
    let view = view_vlan(&made);
    call.state.vlans.push(made);
    answer(call, view, OF_VLANS)
}

fn get_vlan(call: &mut Call<'_>) -> Outcome {
    answer(call, view_vlan(vlan(call)?), OF_VLANS)
}

fn update_vlan(call: &mut Call<'_>) -> Outcome {
    let mut made = vlan(call)?.clone();
    check_match(call, &Value::Object(view_vlan(&made)))?;
    let mut fields = Fields::of(&call.params);
    made.name = fields.text("name").unwrap_or(made.name);
    made.description = fields.text("description").unwrap_or(made.description);
    asked(&mut fields, OF_VLANS);
    fields.check()?;
    let view = view_vlan(&made);
    let same = |vlan: &&mut Vlan| vlan.owner == made.owner && vlan.vlan_id == made.vlan_id;
    if let Some(slot) = call.state.vlans.iter_mut().find(same) {
        *slot = made;
    }
    answer(call, view, OF_VLANS)
}

fn delete_vlan(call: &mut Call<'_>) -> Outcome {
    let vlan = vlan(call)?;
    check_match(call, &Value::Object(view_vlan(vlan)))?;
    let (owner, id) = (vlan.owner.clone(), vlan.vlan_id);
    let networks: Vec<Value> = networks_on(call, vlan).map(|network| used_by("network", &network.id)).collect();
    if !networks.is_empty() {
        return Err(with_errors(Refusal::new(422, "InUse", "VLAN must have no networks"), networks));
    }
    call.state.vlans.retain(|vlan| vlan.owner != owner || vlan.vlan_id != id);
    Ok(Reply::empty(204))
}

/// The networks on a VLAN.
fn networks_on<'a>(call: &'a Call<'_>, vlan: &'a Vlan) -> impl Iterator<Item = &'a Network> {
    let fabric = call.state.networks.iter().filter(|network| network.fabric && network.owner == vlan.owner);
    fabric.filter(|network| network.vlan_id == vlan.vlan_id)
}

/// A network, with the one account whose it is.
fn view(network: &Network) -> Map<String, Value> {
    let mut view = super::networks::view(network);
    view.remove("owner_uuids");
    view.insert("owner_uuid".to_owned(), network.owner.clone().into());
    view
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Network, Refusal> {
    let (vlan, id) = (vlan(call)?, call.part("uuid"));
    networks_on(call, vlan).find(|network| network.id == id).ok_or_else(super::networks::unknown)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let vlan = vlan(call)?;
    let (mut fields, page) = Fields::of_list(call, &["fields"]);
    let asked = asked(&mut fields, OF_NETWORKS);
    fields.check()?;
    let mut own: Vec<&Network> = networks_on(call, vlan).collect();
    own.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(page.of(own.into_iter().map(|network| only(view(network), asked.as_ref()))))
}

fn create(call: &mut Call<'_>) -> Outcome {
    let vlan = vlan(call)?;
    let mut fields = Fields::of(&call.params);
    asked(&mut fields, OF_NETWORKS);
    fields.check()?;
    let base = Network {
        fabric: true,
        internet_nat: true,
        owner: vlan.owner.clone(),
        vlan_id: vlan.vlan_id,
        ..Network::default()
    };
    let network = make(call, base)?;
    let view = view(&network);
    call.state.networks.push(network);
    answer(call, view, OF_NETWORKS)
}

fn get(call: &mut Call<'_>) -> Outcome {
    answer(call, view(find(call)?), OF_NETWORKS)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let network = find(call)?;
    check_match(call, &Value::Object(view(network)))?;
    let mut fields = Fields::of(&call.params);
    asked(&mut fields, OF_NETWORKS);
    fields.check()?;
    let network = changed(call, network)?;
    let view = view(&network);
    keep(call.state, network);
    answer(call, view, OF_NETWORKS)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let network = find(call)?;
    check_match(call, &Value::Object(view(network)))?;
    let id = network.id.clone();
    remove(call.state, &id)
}
