//! The addresses of a network: who has them, and which are reserved.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
use super::networks;
use crate::emulator::datacenter::nics::Address;
use crate::emulator::datacenter::seed::OPERATOR;
use crate::emulator::datacenter::state::Network;
use crate::emulator::http::params;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

const ALL: &str = "/:login/networks/:id/ips";
const ONE: &str = "/:login/networks/:id/ips/:ip_address";

pub(crate) static ROUTES: &[Route] = &[
    Route::get(ALL, "ListNetworkIPs", "networks", list),
    Route::head(ALL, "HeadNetworkIPs", "networks", list),
    Route::get(ONE, "GetNetworkIP", "networks", get),
    Route::head(ONE, "HeadNetworkIP", "networks", get),
    Route::put(ONE, "UpdateNetworkIP", "networks", update),
];

/// Whether it is the platform's: to an account it then is nobody's.
fn is_managed(address: &Address) -> bool {
    address.managed || address.kind == "other" || address.owner == OPERATOR
}

fn view(address: &Address, ip: Ipv4Addr, account: &str) -> Value {
    let managed = is_managed(address);
    let mut view = Map::new();
    view.insert("ip".to_owned(), ip.to_string().into());
    view.insert("reserved".to_owned(), address.reserved.into());
    view.insert("managed".to_owned(), managed.into());
    if !managed && !address.owner.is_empty() {
        view.insert("owner_uuid".to_owned(), address.owner.clone().into());
    }
    if !managed && address.owner == account && !address.uuid.is_empty() {
        view.insert("belongs_to_uuid".to_owned(), address.uuid.clone().into());
    }
    Value::Object(view)
}

/// The network that is named. A pool has no addresses of its own.
fn network<'a>(call: &'a Call<'_>) -> Result<&'a Network, Refusal> {
    let id = call.required("id")?;
    if networks::pool(call, &id).is_some() {
        return Err(Refusal::invalid(format!("cannot get IPs in a network pool: {id}")));
    }
    networks::shown(call).find(|network| network.id == id).ok_or_else(|| Refusal::unknown(&id))
}

fn number(call: &Call<'_>, name: &str, default: usize, least: usize, most: usize) -> Result<usize, Refusal> {
    let Some(text) = call.params.get(name).and_then(params::text) else { return Ok(default) };
    match text.parse::<usize>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(Refusal::invalid(format!("property \"{name}\": invalid value"))),
    }
}

fn list(call: &mut Call<'_>) -> Outcome {
    let network = network(call)?;
    let limit = number(call, "limit", 1000, 1, 1000)?;
    let offset = number(call, "offset", 0, 0, usize::MAX)?;
    // Free ones are taken out of the page, not of what is paged: a short page is not the last one.
    let page = call.state.addresses(network).into_iter().skip(offset).take(limit);
    let rows: Vec<Value> =
        page.filter(|(_, address)| !address.is_free()).map(|(ip, address)| view(&address, ip, &call.account)).collect();
    let count = rows.len().to_string();
    Ok(Reply::json(&Value::Array(rows)).header("x-query-limit", limit.to_string()).header("x-resource-count", count))
}

/// The address that is named, and what is known of it.
fn load(call: &Call<'_>, network: &Network) -> Result<(Ipv4Addr, Address), Refusal> {
    let text = call.required("ip_address")?;
    let Ok(ip) = text.parse::<Ipv4Addr>() else {
        return Err(Refusal::invalid("property \"ip\": invalid IP address"));
    };
    if !network.holds(ip) {
        return Err(Refusal::unknown("IP"));
    }
    Ok((ip, call.state.addresses(network).remove(&ip).unwrap_or_default()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let (ip, address) = load(call, network(call)?)?;
    Ok(Reply::json(&view(&address, ip, &call.account)))
}

fn update(call: &mut Call<'_>) -> Outcome {
    let network = network(call)?;
    let Some(reserved) = call.params.get("reserved") else { return Err(Refusal::missing("reserved")) };
    let reserved = params::flag(reserved).ok_or_else(|| Refusal::invalid("reserved must be set to true or false"))?;
    let id = network.id.clone();
    if network.public {
        return Err(Refusal::invalid(format!("cannot update an IP on a public network: {id}")));
    }
    let (ip, address) = load(call, network)?;
    if is_managed(&address) {
        return Err(Refusal::invalid(format!("cannot update managed IP: {ip}")));
    }
    if !address.owner.is_empty() && address.owner != call.account {
        return Err(Refusal::invalid(format!("IP {ip} on network {id} is in use by another account")));
    }
    if let Some(network) = call.state.networks.iter_mut().find(|network| network.id == id) {
        let record = network.records.entry(ip).or_default();
        // It belongs to nobody: only machines and volumes make somebody its owner.
        record.reserved = reserved;
        record.owner.clear();
    }
    get(call)
}
