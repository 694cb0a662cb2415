//! Networks, and the addresses that machines get from them.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::reply::{Outcome, Refusal, Reply};
use super::super::route::{Call, Route};
use super::super::state::{Network, Nic, is_uuid};

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/networks", "ListNetworks", "listnetworks", "networks", list),
    Route::head("/:login/networks", "HeadNetworks", "headnetworks", "networks", list),
    Route::get("/:login/networks/:network", "GetNetwork", "getnetwork", "networks", get),
    Route::head("/:login/networks/:network", "HeadNetwork", "headnetwork", "networks", get),
];

fn view(network: &Network) -> Value {
    let mut view = Map::new();
    view.insert("id".to_owned(), network.id.clone().into());
    view.insert("name".to_owned(), network.name.clone().into());
    view.insert("public".to_owned(), network.public.into());
    if !network.description.is_empty() {
        view.insert("description".to_owned(), network.description.clone().into());
    }
    if network.fabric {
        let more = json!({
            "fabric": true,
            "vlan_id": network.vlan_id,
            "subnet": network.subnet,
            "provision_start_ip": network.provision_start_ip,
            "provision_end_ip": network.provision_end_ip,
            "gateway": network.gateway,
            "resolvers": network.resolvers,
            "internet_nat": network.internet_nat,
        });
        if let Value::Object(more) = more {
            view.extend(more);
        }
        if network.gateway.is_empty() {
            view.remove("gateway");
        }
    }
    Value::Object(view)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let fabric = call.text("fabric").is_some();
    let rows = call.state.networks.iter().filter(|network| network.fabric || !fabric).map(view);
    Ok(Reply::json(&rows.collect()))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let id = call.required("network")?;
    if !is_uuid(&id) {
        return Err(Refusal::not_found(&id));
    }
    match call.state.networks.iter().find(|network| network.id == id) {
        Some(network) => Ok(Reply::json(&view(network))),
        None => Err(Refusal::not_found(&id)),
    }
}

impl Network {
    /// An interface with the next free address, or with the one asked for. After the last address
    /// it begins again with the first.
    pub(crate) fn give(&mut self, wanted: Option<Ipv4Addr>, used: &HashSet<(String, String)>) -> Result<Nic, Refusal> {
        let taken = |ip: Ipv4Addr| used.contains(&(self.id.clone(), ip.to_string()));
        let full = || Refusal::new(507, "SubnetFull", "No more free IPs");
        let start: Ipv4Addr = self.provision_start_ip.parse().map_err(|_| full())?;
        let end: Ipv4Addr = self.provision_end_ip.parse().map_err(|_| full())?;
        let ip = match wanted {
            Some(ip) if taken(ip) => {
                let refusal = Refusal::new(422, "InvalidParameters", "Invalid parameters");
                return Err(refusal.field("ip", "UsedBy", "ip is already in use"));
            }
            Some(ip) => ip,
            None => {
                let last = u32::from(end).checked_sub(u32::from(start)).ok_or_else(full)?;
                let first = if self.given > last { 0 } else { self.given };
                let at = |step: u32| Ipv4Addr::from(u32::from(start).saturating_add(step));
                let step = (first..=last).chain(0..first).find(|step| !taken(at(*step))).ok_or_else(full)?;
                self.given = step.saturating_add(1);
                at(step)
            }
        };
        let [a, b, c, d] = ip.octets();
        Ok(Nic {
            // The first bytes are the platform's own; the rest tells addresses and VLANs apart.
            mac: format!("90:b8:{:02x}:{b:02x}:{c:02x}:{d:02x}", a ^ (self.vlan_id as u8)),
            ip: ip.to_string(),
            primary: false,
            gateway: self.gateway.clone(),
            netmask: self.netmask(),
            network: self.id.clone(),
        })
    }

    /// Whether every address has been given once.
    pub(crate) fn went_round(&self) -> bool {
        let number = |text: &str| text.parse::<Ipv4Addr>().map_or(0, u32::from);
        let last = number(&self.provision_end_ip).saturating_sub(number(&self.provision_start_ip));
        self.given > last
    }

    /// The length of the subnet's prefix.
    fn prefix(&self) -> u32 {
        self.subnet.split_once('/').and_then(|(_, bits)| bits.parse().ok()).filter(|bits| *bits <= 32).unwrap_or(24)
    }

    fn netmask(&self) -> String {
        Ipv4Addr::from(u32::MAX.checked_shl(32 - self.prefix()).unwrap_or(0)).to_string()
    }

    /// Whether an address lies in the subnet.
    pub(crate) fn holds(&self, ip: Ipv4Addr) -> bool {
        let Some(base) = self.subnet.split_once('/').and_then(|(base, _)| base.parse::<Ipv4Addr>().ok()) else {
            return false;
        };
        let shift = 32 - self.prefix();
        u32::from(base).checked_shr(shift) == u32::from(ip).checked_shr(shift)
    }
}
