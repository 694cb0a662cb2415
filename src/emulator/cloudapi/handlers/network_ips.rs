//! The addresses of a network: who has them, and which are reserved.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::call::{Call, Route};
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

/// What is known of an address.
#[derive(Clone, Debug, Default)]
struct Address {
    reserved: bool,
    managed: bool,
    /// Something has it, whoever that belongs to.
    held: bool,
    owner: String,
    machine: String,
}

impl Address {
    /// Nobody has it, and nobody keeps it: not shown in lists.
    fn free(&self) -> bool {
        !self.reserved && !self.managed && !self.held && self.owner.is_empty()
    }

    fn view(&self, ip: Ipv4Addr, account: &str) -> Value {
        let mut view = Map::new();
        view.insert("ip".to_owned(), ip.to_string().into());
        view.insert("reserved".to_owned(), self.reserved.into());
        view.insert("managed".to_owned(), self.managed.into());
        if !self.managed && !self.owner.is_empty() {
            view.insert("owner_uuid".to_owned(), self.owner.clone().into());
        }
        if !self.managed && self.owner == account && !self.machine.is_empty() {
            view.insert("belongs_to_uuid".to_owned(), self.machine.clone().into());
        }
        Value::Object(view)
    }
}

/// The network that is named. A pool has no addresses of its own.
fn network<'a>(call: &'a Call<'_>) -> Result<&'a Network, Refusal> {
    let id = call.required("id")?;
    if call.state.pool(&id).is_some() {
        return Err(Refusal::invalid(format!("cannot get IPs in a network pool: {id}")));
    }
    let network = call.state.network(&id, &call.account);
    network.filter(|network| !call.state.pooled(&network.id)).ok_or_else(|| Refusal::unknown(&id))
}

/// All records of a network, those too of addresses that were reserved or in use once and are free now.
fn records(call: &Call<'_>, network: &Network) -> BTreeMap<Ipv4Addr, Address> {
    let mut records: BTreeMap<Ipv4Addr, Address> = BTreeMap::new();
    for (ip, record) in &network.records {
        let address = Address { reserved: record.reserved, owner: record.owner.clone(), ..Address::default() };
        records.insert(*ip, address);
    }
    // A machine that is gone leaves its address behind as a free one.
    for machine in call.state.vms.iter().filter(|machine| machine.is_destroyed()) {
        for nic in machine.nics.iter().filter(|nic| nic.network == network.id) {
            if let Ok(ip) = nic.ip.parse() {
                records.entry(ip).or_default();
            }
        }
    }
    for held in call.state.held().filter(|held| held.nic.network == network.id) {
        if let Ok(ip) = held.nic.ip.parse() {
            let address = records.entry(ip).or_default();
            address.held = true;
            held.owner.clone_into(&mut address.owner);
            held.machine.unwrap_or_default().clone_into(&mut address.machine);
        }
    }
    for ip in network.managed_ips() {
        let address = records.entry(ip).or_default();
        (address.managed, address.reserved) = (true, true);
    }
    records
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
    let page = records(call, network).into_iter().skip(offset).take(limit);
    let rows: Vec<Value> =
        page.filter(|(_, address)| !address.free()).map(|(ip, address)| address.view(ip, &call.account)).collect();
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
    Ok((ip, records(call, network).remove(&ip).unwrap_or_default()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let (ip, address) = load(call, network(call)?)?;
    Ok(Reply::json(&address.view(ip, &call.account)))
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
    if address.managed {
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
