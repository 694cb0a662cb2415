//! The VLANs of an account's fabric, and the networks on them.
//!
//! Unlike anywhere else, what these calls do not know they refuse: as-role in the query too.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::super::version::FROM_7_3;
use super::networks;
use crate::emulator::datacenter::addresses::{bounds, cidr, subnet_of};
use crate::emulator::datacenter::state::Vlan;
use crate::emulator::datacenter::state::{Network, new_id};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

const VLANS: &str = "/:login/fabrics/default/vlans";
const VLAN: &str = "/:login/fabrics/default/vlans/:vlan_id";
const NETS: &str = "/:login/fabrics/default/vlans/:vlan_id/networks";
const NET: &str = "/:login/fabrics/default/vlans/:vlan_id/networks/:id";

/// The bucket that these requests are counted in.
const GROUP: &str = "networks";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(VLANS, "ListFabricVLANs", GROUP, list_vlans).versions(FROM_7_3),
    Route::head(VLANS, "HeadFabricVLANs", GROUP, list_vlans).versions(FROM_7_3),
    Route::post(VLANS, "CreateFabricVLAN", GROUP, create_vlan).versions(FROM_7_3),
    Route::get(VLAN, "GetFabricVLAN", GROUP, get_vlan).versions(FROM_7_3),
    Route::head(VLAN, "HeadFabricVLAN", GROUP, get_vlan).rbac("getfabricvlan").versions(FROM_7_3),
    Route::put(VLAN, "UpdateFabricVLAN", GROUP, update_vlan).versions(FROM_7_3),
    Route::delete(VLAN, "DeleteFabricVLAN", GROUP, delete_vlan).versions(FROM_7_3),
    Route::get(NETS, "ListFabricNetworks", GROUP, list).versions(FROM_7_3),
    Route::head(NETS, "HeadFabricNetworks", GROUP, list).versions(FROM_7_3),
    Route::post(NETS, "CreateFabricNetwork", GROUP, create).versions(FROM_7_3),
    Route::get(NET, "GetFabricNetwork", GROUP, get).versions(FROM_7_3),
    Route::head(NET, "HeadFabricNetwork", GROUP, get).rbac("getfabricnetwork").versions(FROM_7_3),
    Route::put(NET, "UpdateFabricNetwork", GROUP, update).versions(FROM_7_3),
    Route::delete(NET, "DeleteFabricNetwork", GROUP, delete).versions(FROM_7_3),
];

/// What can be said of a network when it is made.
const MADE_OF: &[&str] = &[
    "vlan_id",
    "name",
    "description",
    "subnet",
    "provision_start_ip",
    "provision_end_ip",
    "gateway",
    "resolvers",
    "routes",
    "internet_nat",
];
/// What can be said of it later.
const UPDATABLE: &[&str] =
    &["vlan_id", "name", "description", "provision_start_ip", "provision_end_ip", "resolvers", "routes"];

/// 409 about one property, in the form that all refusals of fabrics have.
fn wrong(name: &str, words: impl std::fmt::Display) -> Refusal {
    Refusal::invalid(format!("property \"{name}\": {words}"))
}

/// Refuses when there are no fabrics here.
fn available(call: &Call<'_>) -> Result<(), Refusal> {
    if call.state.fabrics_off {
        return Err(Refusal::new(501, "NotImplementedError", "fabrics not enabled for this datacenter"));
    }
    Ok(())
}

/// The same, and refuses parameters that are none of these.
fn strict(call: &Call<'_>, known: &[&str]) -> Result<(), Refusal> {
    available(call)?;
    match call.given.keys().find(|name| !known.contains(&name.as_str())) {
        // The words of a schema are all in small letters there.
        Some(name) => Err(wrong(&name.to_lowercase(), "unsupported property")),
        None => Ok(()),
    }
}

/// What a value of another type than the one that a property has is answered with.
fn another_type(name: &str, value: &Value, wanted: &str) -> Refusal {
    let shown = js::text(value).to_lowercase();
    wrong(name, format!("{shown} - {} value found, but a {wanted} is required", js::type_of(value)))
}

/// The VLAN's number: one, or digits.
fn number(call: &Call<'_>) -> Result<u64, Refusal> {
    let value = needed("vlan_id", call.params.get("vlan_id").filter(|value| !value.is_null()))?;
    let number = params::text(value).and_then(|text| text.parse::<i64>().ok());
    let number = number.ok_or_else(|| another_type("vlan_id", value, "integer"))?;
    u64::try_from(number).map_err(|_| wrong("vlan_id", "must have a minimum value of 0"))
}

/// A property that must be text, if it is there.
fn text(call: &Call<'_>, name: &str) -> Result<Option<String>, Refusal> {
    match call.params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(another_type(name, other, "string")),
    }
}

/// A name: a letter, then letters, digits and a few signs; two to 256 of them together.
fn name(call: &Call<'_>) -> Result<Option<String>, Refusal> {
    let Some(name) = text(call, "name")? else { return Ok(None) };
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-');
    let letter = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if letter && (2..=256).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(Some(name));
    }
    Err(wrong("name", r"does not match the regex pattern ^[a-za-z][a-za-z0-9_\./-]{1,255}$"))
}

fn needed<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| wrong(name, "is missing and it is required"))
}

fn ip(name: &str, text: &str) -> Result<Ipv4Addr, Refusal> {
    text.parse().map_err(|_| wrong(name, "must be an IPv4 address"))
}

// VLANs.

fn view_vlan(vlan: &Vlan) -> Value {
    let mut view = Map::new();
    view.insert("vlan_id".to_owned(), vlan.vlan_id.into());
    view.insert("name".to_owned(), vlan.name.clone().into());
    if !vlan.description.is_empty() {
        view.insert("description".to_owned(), vlan.description.clone().into());
    }
    Value::Object(view)
}

fn vlan<'a>(call: &'a Call<'_>) -> Result<&'a Vlan, Refusal> {
    let id = number(call)?;
    let found = call.state.vlans.iter().find(|vlan| vlan.owner == call.account && vlan.vlan_id == id);
    found.ok_or_else(|| Refusal::unknown("vlan"))
}

/// The account's networks on a VLAN.
fn networks_on<'a>(call: &'a Call<'_>, vlan_id: u64) -> impl Iterator<Item = &'a Network> {
    let fabric = call.state.networks.iter().filter(|network| network.fabric && network.visible(&call.account));
    fabric.filter(move |network| network.vlan_id == vlan_id)
}

fn list_vlans(call: &mut Call<'_>) -> Outcome {
    available(call)?;
    let mut own: Vec<&Vlan> = call.state.vlans.iter().filter(|vlan| vlan.owner == call.account).collect();
    own.sort_by_key(|vlan| vlan.vlan_id);
    Ok(Reply::json(&own.into_iter().map(view_vlan).collect()))
}

fn create_vlan(call: &mut Call<'_>) -> Outcome {
    strict(call, &["vlan_id", "name", "description"])?;
    let vlan_id = number(call)?;
    match vlan_id {
        0 | 1 => return Err(wrong("vlan_id", "must have a minimum value of 2")),
        2..=4094 => {}
        4095 => return Err(wrong("vlan_id", "VLAN must be a number between 0 and 4094, and not 1")),
        _ => return Err(wrong("vlan_id", "must have a maximum value of 4095")),
    }
    let name = needed("name", name(call)?)?;
    let description = text(call, "description")?.unwrap_or_default();
    if vlan(call).is_ok() {
        return Err(wrong("vlan_id", "must be unique"));
    }
    let made = Vlan { owner: call.account.clone(), vlan_id, name, description };
    let reply = Reply::status(201, &view_vlan(&made));
    call.state.vlans.push(made);
    Ok(reply)
}

fn get_vlan(call: &mut Call<'_>) -> Outcome {
    strict(call, &["vlan_id"])?;
    Ok(Reply::json(&view_vlan(vlan(call)?)))
}

fn update_vlan(call: &mut Call<'_>) -> Outcome {
    strict(call, &["vlan_id", "name", "description"])?;
    let mut changed = vlan(call)?.clone();
    changed.name = name(call)?.unwrap_or(changed.name);
    changed.description = text(call, "description")?.unwrap_or(changed.description);
    let reply = Reply::status(202, &view_vlan(&changed));
    let same = |vlan: &&mut Vlan| vlan.owner == changed.owner && vlan.vlan_id == changed.vlan_id;
    if let Some(vlan) = call.state.vlans.iter_mut().find(same) {
        *vlan = changed;
    }
    Ok(reply)
}

fn delete_vlan(call: &mut Call<'_>) -> Outcome {
    strict(call, &["vlan_id"])?;
    let id = vlan(call)?.vlan_id;
    if networks_on(call, id).next().is_some() {
        return Err(wrong("vlan_id", "VLAN must not have any networks on it to be deleted"));
    }
    let account = call.account.clone();
    call.state.vlans.retain(|vlan| vlan.owner != account || vlan.vlan_id != id);
    Ok(Reply::empty(204))
}

// Networks.

fn view(network: &Network) -> Value {
    Value::Object(networks::view(network))
}

fn load<'a>(call: &'a Call<'_>) -> Result<&'a Network, Refusal> {
    let vlan_id = vlan(call)?.vlan_id;
    let id = call.required("id")?;
    networks_on(call, vlan_id).find(|network| network.id == id).ok_or_else(|| Refusal::unknown("network"))
}

fn list(call: &mut Call<'_>) -> Outcome {
    strict(call, &["vlan_id"])?;
    let vlan_id = vlan(call)?.vlan_id;
    Ok(Reply::json(&networks_on(call, vlan_id).map(view).collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    strict(call, &["vlan_id", "id"])?;
    Ok(Reply::json(&view(load(call)?)))
}

/// Servers of names: a list of at most four addresses.
fn resolvers(call: &Call<'_>) -> Result<Option<Vec<String>>, Refusal> {
    let list = match call.params.get("resolvers") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    if list.len() > 4 {
        return Err(wrong("resolvers", "maximum of 4 resolvers"));
    }
    let address = |value: &Value| match value {
        Value::String(text) => Ok(ip("resolvers", text)?.to_string()),
        _ => Err(wrong("resolvers", "must be a list of IPv4 addresses")),
    };
    list.iter().map(address).collect::<Result<_, _>>().map(Some)
}

/// The next hop to each subnet, or to a single address.
fn routes(call: &Call<'_>) -> Result<Option<Map<String, Value>>, Refusal> {
    let routes = match call.params.get("routes") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(routes)) => routes,
        Some(_) => return Err(wrong("routes", "must be an object of subnets and next hops")),
    };
    for (to, hop) in routes {
        if cidr(to).is_none() && to.parse::<Ipv4Addr>().is_err() {
            return Err(wrong("routes", format!("\"{to}\" is not a subnet")));
        }
        ip("routes", hop.as_str().unwrap_or_default())?;
    }
    Ok(Some(routes.clone()))
}

/// Refuses a range of addresses to give that does not lie within the subnet.
fn check_range(network: &Network) -> Result<(), Refusal> {
    network.check_range().map_err(|(field, words)| wrong(field, words))
}

/// Refuses a name that another of the account's fabric networks has.
fn check_name(call: &Call<'_>, network: &Network) -> Result<(), Refusal> {
    let mut fabric = call.state.networks.iter().filter(|other| other.fabric && other.visible(&call.account));
    if fabric.any(|other| other.name == network.name && other.id != network.id) {
        return Err(wrong("name", "must be unique"));
    }
    Ok(())
}

/// The subnet, in its usual writing. It must not overlap with another of the same VLAN.
fn subnet(call: &Call<'_>, vlan_id: u64) -> Result<String, Refusal> {
    let text = needed("subnet", text(call, "subnet")?)?;
    let (base, bits) = subnet_of(&text).map_err(|words| wrong("subnet", words))?;
    let (first, last) = bounds(base, bits);
    for other in networks_on(call, vlan_id) {
        let Some((base, bits)) = cidr(&other.subnet) else { continue };
        let (low, high) = bounds(base, bits);
        if first <= high && low <= last {
            return Err(wrong("subnet", format!("overlaps with network \"{}\" ({})", other.name, other.subnet)));
        }
    }
    Ok(format!("{base}/{bits}"))
}

fn create(call: &mut Call<'_>) -> Outcome {
    strict(call, MADE_OF)?;
    let vlan_id = vlan(call)?.vlan_id;
    let name = needed("name", name(call)?)?;
    let subnet = subnet(call, vlan_id)?;
    let start = needed("provision_start_ip", text(call, "provision_start_ip")?)?;
    let end = needed("provision_end_ip", text(call, "provision_end_ip")?)?;
    let internet_nat = match call.params.get("internet_nat") {
        None | Some(Value::Null) => true,
        Some(value) => params::flag(value).ok_or_else(|| wrong("internet_nat", "must be true or false"))?,
    };
    let mut network = Network {
        id: new_id(),
        name,
        description: text(call, "description")?.unwrap_or_default(),
        fabric: true,
        vlan_id,
        subnet,
        provision_start_ip: ip("provision_start_ip", &start)?.to_string(),
        provision_end_ip: ip("provision_end_ip", &end)?.to_string(),
        gateway: text(call, "gateway")?.unwrap_or_default(),
        resolvers: resolvers(call)?.unwrap_or_default(),
        routes: routes(call)?.unwrap_or_default(),
        internet_nat,
        owner: call.account.clone(),
        ..Network::default()
    };
    check_range(&network)?;
    check_name(call, &network)?;
    // NAPI makes it so, on which this rests.
    if network.gateway.is_empty() && internet_nat {
        network.gateway.clone_from(&network.provision_start_ip);
    }
    if !network.gateway.is_empty() && !network.holds(ip("gateway", &network.gateway)?) {
        return Err(wrong("gateway", format!("{} is not in subnet {}", network.gateway, network.subnet)));
    }
    let reply = Reply::status(201, &view(&network));
    call.state.networks.push(network);
    Ok(reply)
}

fn update(call: &mut Call<'_>) -> Outcome {
    if call.truthy("id").is_some() && call.given.contains_key("id") {
        return Err(wrong("id", "cannot be set"));
    }
    strict(call, UPDATABLE)?;
    let mut network = load(call)?.clone();
    network.name = name(call)?.unwrap_or(network.name);
    network.description = text(call, "description")?.unwrap_or(network.description);
    let address = |name: &str| -> Result<Option<String>, Refusal> {
        text(call, name)?.map(|text| Ok(ip(name, &text)?.to_string())).transpose()
    };
    let (start, end) = (address("provision_start_ip")?, address("provision_end_ip")?);
    if start.is_some() || end.is_some() {
        // The addresses are given in order, which begins anew.
        network.given = 0;
    }
    network.provision_start_ip = start.unwrap_or(network.provision_start_ip);
    network.provision_end_ip = end.unwrap_or(network.provision_end_ip);
    network.resolvers = resolvers(call)?.unwrap_or(network.resolvers);
    network.routes = routes(call)?.unwrap_or(network.routes);
    check_range(&network)?;
    check_name(call, &network)?;
    let reply = Reply::json(&view(&network));
    if let Some(slot) = call.state.networks.iter_mut().find(|other| other.id == network.id) {
        *slot = network;
    }
    Ok(reply)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    strict(call, &["vlan_id", "id"])?;
    let id = load(call)?.id.clone();
    // A slip of the real server's: it compares with a default network that need not be there.
    match &call.account()?.default_network {
        None => return Err(Refusal::without_code("Could not get default network")),
        Some(default) if *default == id => return Err(Refusal::invalid("cannot delete default network")),
        Some(_) => {}
    }
    if call.state.held().any(|held| held.nic.network == id) {
        return Err(wrong("id", "network must not have any NICs on it to be deleted"));
    }
    call.state.networks.retain(|network| network.id != id);
    Ok(Reply::empty(204))
}
