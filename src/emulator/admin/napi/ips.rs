//! The addresses of networks: who has them, and which are kept.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::fields::{Fields, fits, in_use};
use super::networks::{ends, named, unknown};
use crate::emulator::datacenter::addresses::{bounds, cidr};
use crate::emulator::datacenter::nics::Address;
use crate::emulator::datacenter::seed::OPERATOR;
use crate::emulator::datacenter::state::{Network, Record};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/networks/:network_uuid/ips", &["ListIPs"], list),
    route("GET", "/networks/:network_uuid/ips/:ip_addr", &["GetIP"], get),
    route("PUT", "/networks/:network_uuid/ips/:ip_addr", &["UpdateIP"], update),
    route("GET", "/search/ips", &["SearchIPs"], search),
];

const KINDS: &[&str] = &["other", "server", "zone"];

fn view(network: &Network, ip: Ipv4Addr, address: &Address) -> Value {
    // What the platform keeps is the operator's.
    let kept = address.managed && address.uuid.is_empty();
    let or_operator = |own: &str| if kept { OPERATOR.to_owned() } else { own.to_owned() };
    let kind = if kept { "other" } else { address.kind.as_str() };
    let mut view = Map::new();
    view.insert("ip".to_owned(), ip.to_string().into());
    view.insert("network_uuid".to_owned(), network.id.clone().into());
    view.insert("reserved".to_owned(), address.reserved.into());
    view.insert("free".to_owned(), address.is_free().into());
    for (name, value) in [
        ("belongs_to_type", kind.to_owned()),
        ("belongs_to_uuid", or_operator(&address.uuid)),
        ("owner_uuid", or_operator(&address.owner)),
    ] {
        if !value.is_empty() {
            view.insert(name.to_owned(), value.into());
        }
    }
    Value::Object(view)
}

fn network<'a>(call: &'a Call<'_>) -> Result<&'a Network, Refusal> {
    named(call.state, &call.part("network_uuid")).ok_or_else(unknown)
}

/// What an address must have to be listed.
struct Wanted {
    kind: Option<String>,
    uuid: Option<String>,
    owner: Option<String>,
}

impl Wanted {
    fn read(fields: &mut Fields<'_>) -> Wanted {
        Wanted {
            kind: fields.one_of("belongs_to_type", KINDS),
            uuid: fields.uuid("belongs_to_uuid"),
            owner: fields.uuid("owner_uuid"),
        }
    }

    fn fits(&self, view: &Value) -> bool {
        let is = |wanted: &Option<String>, name: &str| {
            fits(wanted.as_ref(), view.get(name).and_then(Value::as_str).unwrap_or_default())
        };
        is(&self.kind, "belongs_to_type") && is(&self.uuid, "belongs_to_uuid") && is(&self.owner, "owner_uuid")
    }
}

/// The addresses of which there are records: used, kept, or once used.
fn list(call: &mut Call<'_>) -> Outcome {
    let (mut fields, page) = Fields::of_list(call, &["belongs_to_type", "belongs_to_uuid", "owner_uuid"]);
    let wanted = Wanted::read(&mut fields);
    fields.check()?;
    let network = network(call)?;
    let mut all = call.state.addresses(network);
    // The subnet's own address has no record.
    if let Some((base, bits)) = cidr(&network.subnet)
        && !network.records.contains_key(&bounds(base, bits).0)
    {
        all.remove(&base);
    }
    for ip in ends(network) {
        all.entry(ip).or_default();
    }
    let rows = all.iter().map(|(ip, address)| view(network, *ip, address));
    Ok(page.of(rows.filter(|row| wanted.fits(row))))
}

/// The address that the path names.
fn ip(call: &Call<'_>, network: &Network) -> Result<Ipv4Addr, Refusal> {
    let ip: Ipv4Addr = call.part("ip_addr").parse().map_err(|_| missing("Invalid IP address"))?;
    if network.holds(ip) { Ok(ip) } else { Err(missing("IP is not in subnet")) }
}

fn get(call: &mut Call<'_>) -> Outcome {
    let network = network(call)?;
    let ip = ip(call, network)?;
    let address = call.state.addresses(network).remove(&ip).unwrap_or_default();
    Ok(Reply::json(&view(network, ip, &address)))
}

fn update(call: &mut Call<'_>) -> Outcome {
    let network = network(call)?;
    let ip = ip(call, network)?;
    let mut fields = Fields::of(&call.params);
    if fields.has("belongs_to_type") || fields.has("belongs_to_uuid") {
        fields.require(&["belongs_to_type", "belongs_to_uuid", "owner_uuid"]);
    }
    let Wanted { kind, uuid, owner } = Wanted::read(&mut fields);
    let reserved = fields.flag("reserved");
    let (unassign, free) = (fields.flag("unassign") == Some(true), fields.flag("free") == Some(true));
    let check_owner = fields.flag("check_owner") != Some(false);
    if unassign && free {
        fields.wrong("unassign", "free and unassign cannot both be set to \"true\"");
    }
    if check_owner && owner.as_deref().is_some_and(|owner| !call.state.may_provision(network, owner)) {
        fields.wrong("owner_uuid", "network owner_uuids do not match");
    }
    fields.check()?;
    // Ours: an interface has its address until it loses it itself, so that there is one truth about it.
    let address = call.state.addresses(network).remove(&ip).unwrap_or_default();
    let other = uuid.as_ref().is_some_and(|uuid| *uuid != address.uuid);
    if address.held && (unassign || free || other) {
        let message = format!("IP in use by {} \"{}\"", address.kind, address.uuid);
        return Err(in_use("ip", &address.kind, &address.uuid, &message));
    }
    let id = network.id.clone();
    if let Some(network) = call.state.networks.iter_mut().find(|network| network.id == id) {
        let record = network.records.entry(ip).or_default();
        if free {
            *record = Record::default();
        }
        if unassign {
            record.belongs_to_type.clear();
            record.belongs_to_uuid.clear();
        }
        record.reserved = reserved.unwrap_or(record.reserved);
        if !address.held {
            record.owner = owner.unwrap_or_else(|| std::mem::take(&mut record.owner));
            record.belongs_to_type = kind.unwrap_or_else(|| std::mem::take(&mut record.belongs_to_type));
            record.belongs_to_uuid = uuid.unwrap_or_else(|| std::mem::take(&mut record.belongs_to_uuid));
        }
    }
    get(call)
}

/// An address on every network that holds it.
fn search(call: &mut Call<'_>) -> Outcome {
    let mut fields = Fields::of(&call.query);
    let known = ["ip", "belongs_to_type", "belongs_to_uuid", "fabric", "owner_uuid"];
    if let Some(name) = call.query.keys().find(|name| !known.contains(&name.as_str())) {
        let message = format!("Unknown parameters: {name}");
        fields.entry(name, json!({ "field": [name], "code": "UnknownParameters", "message": message }));
    }
    fields.require(&["ip"]);
    let ip = fields.ip("ip");
    let wanted = Wanted::read(&mut fields);
    let fabric = fields.flag("fabric");
    fields.check()?;
    let ip = ip.ok_or_else(|| missing("Invalid IP address"))?;
    let networks = call.state.networks.iter().filter(|network| network.holds(ip));
    let networks: Vec<&Network> =
        networks.filter(|network| fabric.is_none_or(|fabric| fabric == network.fabric)).collect();
    if networks.is_empty() {
        return Err(missing("No networks found matching search criteria"));
    }
    let rows = networks.into_iter().map(|network| {
        let address = call.state.addresses(network).remove(&ip).unwrap_or_default();
        view(network, ip, &address)
    });
    Ok(Reply::json(&rows.filter(|row| wanted.fits(row)).collect()))
}
