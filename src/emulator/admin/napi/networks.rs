//! Networks, fabric ones among them: those are seen here with all others.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::fields::{Fields, among, begins, check_match, duplicate, fits, tagged, used_by, with_errors};
use super::subnets::{self, Given};
use crate::emulator::datacenter::addresses::{bounds, cidr};
use crate::emulator::datacenter::state::{Network, State, is_external, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/networks", &["ListNetworks"], list),
    route("POST", "/networks", &["CreateNetwork"], create),
    route("GET", "/networks/:uuid", &["GetNetwork"], get),
    route("PUT", "/networks/:uuid", &["UpdateNetwork"], update),
    route("DELETE", "/networks/:uuid", &["DeleteNetwork"], delete),
];

const FILTERS: &[&str] = &["fabric", "family", "name", "nic_tag", "owner_uuid", "provisionable_by", "uuid", "vlan_id"];

/// A network, as all but the calls about fabrics show it.
pub(super) fn view(network: &Network) -> Map<String, Value> {
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("family", "ipv4".into());
    put("mtu", network.mtu().into());
    put("nic_tag", network.tag().into());
    put("name", network.name.clone().into());
    put("provision_end_ip", network.provision_end_ip.clone().into());
    put("provision_start_ip", network.provision_start_ip.clone().into());
    put("subnet", network.subnet.clone().into());
    put("uuid", network.id.clone().into());
    put("vlan_id", network.vlan_id.into());
    if let Some(vnet) = network.vnet_id() {
        put("fabric", true.into());
        put("vnet_id", vnet.into());
        put("internet_nat", network.internet_nat.into());
        if !network.gateway.is_empty() {
            put("gateway_provisioned", false.into());
        }
    }
    put("resolvers", json!(network.resolvers));
    if !network.gateway.is_empty() {
        put("gateway", network.gateway.clone().into());
    }
    if !network.routes.is_empty() {
        put("routes", Value::Object(network.routes.clone()));
    }
    if !network.description.is_empty() {
        put("description", network.description.clone().into());
    }
    let owners = network.owner_uuids();
    if !owners.is_empty() {
        put("owner_uuids", json!(owners));
    }
    put("netmask", network.netmask().into());
    view
}

fn shown(network: &Network) -> Value {
    Value::Object(view(network))
}

fn list(call: &mut Call<'_>) -> Outcome {
    let (mut fields, page) = Fields::of_list(call, FILTERS);
    let (names, tags, prefix) = (fields.list("name"), fields.list("nic_tag"), fields.prefix("uuid"));
    let (owner, by) = (fields.uuid("owner_uuid"), fields.uuid("provisionable_by"));
    let (fabric, vlan) = (fields.flag("fabric"), fields.vlan());
    let family = fields.one_of("family", &["ipv4", "ipv6"]);
    fields.check()?;
    let passes = |network: &&Network| {
        among(names.as_ref(), &network.name)
            && among(tags.as_ref(), network.tag())
            && begins(prefix.as_ref(), &network.id)
            && fits(family.as_ref(), "ipv4")
            && fabric.is_none_or(|fabric| fabric == network.fabric)
            && vlan.is_none_or(|vlan| vlan == network.vlan_id)
            && owner.as_deref().is_none_or(|owner| network.owner_uuids().contains(&owner))
            && by.as_deref().is_none_or(|by| call.state.may_provision(network, by))
    };
    let mut rows: Vec<&Network> = call.state.networks.iter().filter(passes).collect();
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(page.of(rows.into_iter().map(shown)))
}

/// The network of this id; the admin network goes by its name too.
pub(super) fn named<'a>(state: &'a State, id: &str) -> Option<&'a Network> {
    state.networks.iter().find(|network| network.id == id || (id == "admin" && network.name == id))
}

pub(super) fn unknown() -> Refusal {
    missing("network not found")
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Network, Refusal> {
    named(call.state, &call.part("uuid")).ok_or_else(unknown)
}

fn get(call: &mut Call<'_>) -> Outcome {
    let mut fields = Fields::of(&call.query);
    let (owner, by) = (fields.uuid("owner_uuid"), fields.uuid("provisionable_by"));
    fields.check()?;
    let network = find(call)?;
    let may = |who: &Option<String>| who.as_deref().is_none_or(|who| call.state.may_provision(network, who));
    if !may(&owner) {
        return Err(unknown());
    }
    if !may(&by) {
        return Err(Refusal::new(403, "NotAuthorized", "owner cannot provision on network"));
    }
    tagged(call, &shown(network))
}

/// Makes a network: a plain one, or one on the VLAN of a fabric.
pub(super) fn make(call: &Call<'_>, base: Network) -> Result<Network, Refusal> {
    let mut fields = Fields::of(&call.params);
    fields.require(if base.fabric { &["name"] } else { &["name", "nic_tag", "vlan_id"] });
    let mut given = Given::read(&mut fields, call.state);
    fields.check()?;
    if !given.allocates() {
        fields.require(&["subnet", "provision_start_ip", "provision_end_ip"]);
        fields.check()?;
    }
    given.allocate(Some(base.owner.as_str()).filter(|_| base.fabric), call.state)?;
    let fabric = base.fabric;
    let (owner, vlan_id) = (base.owner.clone(), base.vlan_id);
    let mut network = Network { id: given.uuid.clone().unwrap_or_else(new_id), ..base };
    given.over(&mut network);
    if fabric {
        // What its VLAN says of it counts.
        network.set_owners(vec![owner]);
        network.vlan_id = vlan_id;
        network.nic_tag.clear();
        if network.gateway.is_empty() && network.internet_nat {
            network.gateway.clone_from(&network.provision_start_ip);
        }
    } else {
        network.internet_nat = false;
        network.public = is_external(&network.nic_tag) || network.name.eq_ignore_ascii_case("external");
    }
    subnets::check(&mut fields, &network, call.state);
    fields.check()?;
    check_name(call.state, &network)?;
    if call.state.networks.iter().any(|other| other.id == network.id) {
        return Err(duplicate("Invalid parameters", "uuid"));
    }
    Ok(network)
}

/// Names are unique among all plain networks, and among those of one account's fabric.
fn check_name(state: &State, network: &Network) -> Result<(), Refusal> {
    let near = |other: &&Network| {
        other.fabric == network.fabric && (!network.fabric || other.owner == network.owner) && other.id != network.id
    };
    if state.networks.iter().filter(near).any(|other| other.name == network.name) {
        return Err(duplicate("name is in use by another network", "name"));
    }
    Ok(())
}

fn create(call: &mut Call<'_>) -> Outcome {
    let network = make(call, Network::default())?;
    let view = shown(&network);
    call.state.networks.push(network);
    tagged(call, &view)
}

/// What cannot be said otherwise of a network that is there.
const FIXED: &[&str] =
    &["fabric", "family", "gateway_provisioned", "internet_nat", "nic_tag", "subnet", "vlan_id", "vnet_id"];
/// The same, of those of fabrics.
const FIXED_ON_FABRICS: &[&str] = &["gateway", "owner_uuids"];

/// Whether a parameter says what a view has already. Forms have numbers as text.
fn is_same(view: &Map<String, Value>, name: &str, value: &Value) -> bool {
    let text = crate::emulator::text::text;
    match view.get(name) {
        Some(has) => has == value || text(has).is_some() && text(has) == text(value),
        None => matches!(value, Value::Bool(false) | Value::Null),
    }
}

/// Changes a network as the call says, and returns it.
pub(super) fn changed(call: &Call<'_>, network: &Network) -> Result<Network, Refusal> {
    let before = view(network);
    let mut params = call.params.clone();
    params.remove("uuid");
    let mut fields = Fields::of(&params);
    for name in FIXED {
        if params.get(*name).is_some_and(|value| !is_same(&before, name, value)) {
            fields.wrong(name, "Network updates for this field are not supported");
        }
    }
    for name in FIXED_ON_FABRICS.iter().filter(|_| network.fabric) {
        if params.get(*name).is_some_and(|value| !is_same(&before, name, value)) {
            fields.wrong(name, "Network updates for this field are not supported on fabrics");
        }
    }
    fields.check()?;
    let mut params = params.clone();
    FIXED.iter().for_each(|name| drop(params.remove(*name)));
    let mut fields = Fields::of(&params);
    let given = Given::read(&mut fields, call.state);
    fields.check()?;
    let mut network = network.clone();
    given.over(&mut network);
    subnets::check(&mut fields, &network, call.state);
    fields.check()?;
    check_name(call.state, &network)?;
    Ok(network)
}

/// Puts a network in the place of what it was.
pub(super) fn keep(state: &mut State, network: Network) {
    if let Some(slot) = state.networks.iter_mut().find(|other| other.id == network.id) {
        *slot = network;
    }
}

fn update(call: &mut Call<'_>) -> Outcome {
    let network = find(call)?;
    check_match(call, &shown(network))?;
    let network = changed(call, network)?;
    let view = shown(&network);
    keep(call.state, network);
    tagged(call, &view)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let network = find(call)?;
    check_match(call, &shown(network))?;
    let id = network.id.clone();
    remove(call.state, &id)
}

/// Deletes a network that no pool and no interface is on. Its addresses go with it.
pub(super) fn remove(state: &mut State, id: &str) -> Outcome {
    let pools = state.pools.iter().filter(|pool| pool.networks.iter().any(|member| member == id));
    let pools: Vec<Value> = pools.map(|pool| used_by("network pool", &pool.id)).collect();
    if !pools.is_empty() {
        return Err(with_errors(Refusal::new(422, "InUse", "Network is in use"), pools));
    }
    let nics = state.nics().filter(|held| held.nic.network == id);
    let nics: Vec<Value> = nics.map(|held| used_by("nic", &held.nic.mac)).collect();
    if !nics.is_empty() {
        return Err(with_errors(Refusal::new(422, "InUse", "network must have no NICs provisioned"), nics));
    }
    state.networks.retain(|network| network.id != id);
    let default = state.accounts.iter_mut().filter(|account| account.default_network.as_deref() == Some(id));
    default.for_each(|account| account.default_network = None);
    Ok(Reply::empty(204))
}

/// The addresses beside those that are given, of which there are records from the beginning: before the first, and
/// behind the last one.
pub(super) fn ends(network: &Network) -> Vec<std::net::Ipv4Addr> {
    let Some((base, bits)) = cidr(&network.subnet) else { return Vec::new() };
    let (first, last) = bounds(base, bits);
    let number = |text: &str| text.parse::<std::net::Ipv4Addr>().map(u32::from).ok();
    let before = number(&network.provision_start_ip).and_then(|start| start.checked_sub(1));
    let behind = number(&network.provision_end_ip).and_then(|end| end.checked_add(1));
    let all = [before, behind].into_iter().flatten().map(std::net::Ipv4Addr::from);
    all.filter(|ip| first <= *ip && *ip <= last).collect()
}
