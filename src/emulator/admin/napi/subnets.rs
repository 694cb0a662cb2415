//! What is said of a network when it is made or changed, and whether it can be so.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::nic_tags::{self, check_tag};
use crate::emulator::datacenter::addresses::{bounds, cidr};
use crate::emulator::datacenter::state::{Network, State};
use crate::emulator::http::params;
use crate::emulator::http::reply::Refusal;

/// No network has more servers of names.
const MAX_RESOLVERS: usize = 4;

/// The ranges that are nobody's on the internet, in the order in which subnets are looked for in them.
const PRIVATE: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/// What a request says of a network; nothing of what it leaves out.
pub(super) struct Given {
    pub(super) uuid: Option<String>,
    name: Option<String>,
    description: Option<String>,
    nic_tag: Option<String>,
    vlan_id: Option<u64>,
    mtu: Option<u64>,
    subnet: Option<String>,
    start: Option<Ipv4Addr>,
    end: Option<Ipv4Addr>,
    gateway: Option<Ipv4Addr>,
    resolvers: Option<Vec<String>>,
    routes: Option<Map<String, Value>>,
    owners: Option<Vec<String>>,
    internet_nat: Option<bool>,
    /// The subnet is to be chosen here, and its prefix has so many bits.
    alloc: Option<u32>,
}

impl Given {
    /// Reads the fields, each by itself.
    pub(super) fn read(fields: &mut Fields<'_>, state: &State) -> Given {
        let alloc = fields.flag("subnet_alloc") == Some(true);
        let bits = fields.whole("subnet_prefix", 8, 30, "subnet_prefix must be a number between 8 and 30");
        if fields.one_of("family", &["ipv4", "ipv6"]).as_deref() == Some("ipv6") {
            // Ours: the addresses of this data center are of the fourth version.
            fields.wrong("family", "IPv6 networks are not emulated");
        }
        Given {
            uuid: fields.uuid("uuid"),
            name: fields.text("name"),
            description: fields.text("description"),
            nic_tag: check_tag(fields, state),
            vlan_id: fields.vlan(),
            mtu: fields.mtu(),
            subnet: subnet(fields),
            start: fields.ip("provision_start_ip"),
            end: fields.ip("provision_end_ip"),
            gateway: fields.ip("gateway"),
            resolvers: resolvers(fields),
            routes: routes(fields),
            owners: fields.uuids("owner_uuids"),
            internet_nat: fields.flag("internet_nat"),
            alloc: alloc.then(|| bits.and_then(|bits| u32::try_from(bits).ok()).unwrap_or(24)),
        }
    }

    pub(super) fn allocates(&self) -> bool {
        self.alloc.is_some()
    }

    /// Puts what is said in the place of what a network has.
    pub(super) fn over(self, network: &mut Network) {
        let text = |slot: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *slot = value;
            }
        };
        let ip = |slot: &mut String, value: Option<Ipv4Addr>| {
            if let Some(value) = value {
                *slot = value.to_string();
            }
        };
        text(&mut network.name, self.name);
        text(&mut network.description, self.description);
        text(&mut network.nic_tag, self.nic_tag);
        text(&mut network.subnet, self.subnet);
        if self.start.is_some() || self.end.is_some() {
            // The addresses are given in order, which begins anew.
            network.given = 0;
        }
        ip(&mut network.provision_start_ip, self.start);
        ip(&mut network.provision_end_ip, self.end);
        ip(&mut network.gateway, self.gateway);
        network.vlan_id = self.vlan_id.unwrap_or(network.vlan_id);
        network.mtu = self.mtu.unwrap_or(network.mtu);
        network.resolvers = self.resolvers.unwrap_or_else(|| std::mem::take(&mut network.resolvers));
        network.routes = self.routes.unwrap_or_else(|| std::mem::take(&mut network.routes));
        network.internet_nat = self.internet_nat.unwrap_or(network.internet_nat);
        if let Some(owners) = self.owners {
            network.set_owners(owners);
        }
    }

    /// Chooses a subnet, where it is to be chosen here: the first that no network of the same kind has.
    ///
    /// # Errors
    /// There is none left.
    pub(super) fn allocate(&mut self, fabric_of: Option<&str>, state: &State) -> Result<(), Refusal> {
        let Some(bits) = self.alloc else { return Ok(()) };
        let taken: Vec<(u32, u32)> = (state.networks.iter())
            .filter(|other| other.fabric == fabric_of.is_some() && fabric_of.is_none_or(|owner| owner == other.owner))
            .filter_map(|other| range(&other.subnet))
            .collect();
        let free = PRIVATE.iter().filter_map(|all| range(all)).find_map(|all| first_free(all, bits, &taken));
        let Some((first, last)) = free else { return Err(Refusal::new(507, "SubnetsExhausted", "out of subnets")) };
        self.subnet = Some(format!("{}/{bits}", Ipv4Addr::from(first)));
        self.start = Some(self.start.unwrap_or(Ipv4Addr::from(first.saturating_add(1))));
        self.end = Some(self.end.unwrap_or(Ipv4Addr::from(last.saturating_sub(1))));
        Ok(())
    }
}

/// The first block of so many bits of a range that overlaps with none of these.
fn first_free((low, high): (u32, u32), bits: u32, taken: &[(u32, u32)]) -> Option<(u32, u32)> {
    let size = 1_u32.checked_shl(32 - bits)?;
    let mut first = low;
    loop {
        let last = first.checked_add(size - 1).filter(|last| *last <= high)?;
        let Some((_, end)) = taken.iter().find(|(from, to)| first <= *to && *from <= last) else {
            return Some((first, last));
        };
        // The next block behind what is in the way.
        first = end.checked_add(1)?.checked_next_multiple_of(size)?;
    }
}

/// The numbers of the first and last address of a subnet.
fn range(subnet: &str) -> Option<(u32, u32)> {
    let (base, bits) = cidr(subnet)?;
    let (first, last) = bounds(base, bits);
    Some((u32::from(first), u32::from(last)))
}

fn subnet(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.get("subnet").and_then(params::text)?;
    let Some((ip, bits)) = text.split_once('/') else {
        fields.wrong("subnet", "Subnet must be in CIDR form");
        return None;
    };
    let (ip, bits) = (ip.parse::<Ipv4Addr>(), bits.parse::<u32>());
    match (ip, bits) {
        (Err(_), _) => fields.wrong("subnet", "Subnet IP invalid"),
        (_, Err(_)) => fields.wrong("subnet", "Subnet bits invalid"),
        (_, Ok(bits)) if !(8..=32).contains(&bits) => fields.wrong("subnet", "Subnet bits invalid"),
        (Ok(ip), Ok(bits)) if bounds(ip, bits).0 != ip => fields.wrong("subnet", "invalid CIDR format"),
        (Ok(ip), Ok(bits)) => return Some(format!("{ip}/{bits}")),
    }
    None
}

fn resolvers(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let list = fields.list("resolvers")?;
    let invalid: Vec<String> = list.iter().filter(|one| one.parse::<Ipv4Addr>().is_err()).cloned().collect();
    if !invalid.is_empty() {
        fields.wrong_ones("resolvers", "invalid IP address", &invalid);
    } else if list.len() > MAX_RESOLVERS {
        fields.wrong("resolvers", format!("maximum of {MAX_RESOLVERS} resolvers"));
    } else {
        return Some(list);
    }
    None
}

/// The next hop to each subnet or address. Forms have the object as text.
fn routes(fields: &mut Fields<'_>) -> Option<Map<String, Value>> {
    let value = fields.get("routes")?;
    let read = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Some(routes) = read.as_ref().unwrap_or(value).as_object() else {
        fields.wrong("routes", "must be an object");
        return None;
    };
    let mut invalid = Vec::new();
    for (to, hop) in routes {
        if cidr(to).is_none() && to.parse::<Ipv4Addr>().is_err() {
            invalid.push(to.clone());
        }
        let hop = params::text(hop).unwrap_or_default();
        if hop != "linklocal" && hop.parse::<Ipv4Addr>().is_err() {
            invalid.push(hop);
        }
    }
    if invalid.is_empty() {
        return Some(routes.clone());
    }
    fields.wrong_ones("routes", "invalid route", &invalid);
    None
}

/// Notes what does not go together in a network: its range, its gateway, and its neighbours.
pub(super) fn check(fields: &mut Fields<'_>, network: &Network, state: &State) {
    let Some((base, bits)) = cidr(&network.subnet) else { return };
    let (_, broadcast) = bounds(base, bits);
    let ip = |text: &str| text.parse::<Ipv4Addr>().ok();
    let (start, end) = (ip(&network.provision_start_ip), ip(&network.provision_end_ip));
    let mut fits = true;
    for (name, address) in [("provision_start_ip", start), ("provision_end_ip", end)] {
        let Some(address) = address else { continue };
        if !network.holds(address) {
            fields.wrong(name, format!("{name} cannot be outside subnet"));
            fits = false;
        } else if address == broadcast {
            fields.wrong(name, format!("{name} cannot be the broadcast address"));
            fits = false;
        }
    }
    if fits && start >= end {
        for name in ["provision_start_ip", "provision_end_ip"] {
            fields.wrong(name, "provision_start_ip must be before provision_end_ip");
        }
    }
    if ip(&network.gateway).is_some_and(|gateway| !network.holds(gateway)) {
        fields.wrong("gateway", "gateway cannot be outside subnet");
    }
    if nic_tags::named(state, network.tag()).is_some_and(|tag| network.mtu() > tag.mtu) {
        fields.wrong("mtu", "network mtu must be under nic_tag mtu");
    }
    check_neighbours(fields, network, state);
}

/// Networks in private ranges may overlap, but not those of one fabric. What is not private there is refused.
fn check_neighbours(fields: &mut Fields<'_>, network: &Network, state: &State) {
    let Some((first, last)) = range(&network.subnet) else { return };
    let private = PRIVATE.iter().filter_map(|all| range(all)).any(|(low, high)| low <= first && last <= high);
    if network.fabric && !private {
        return fields.wrong("subnet", "subnet must be within private ranges");
    }
    if !network.fabric && private {
        return;
    }
    let near = state.networks.iter().filter(|other| {
        other.id != network.id && other.fabric == network.fabric && (!network.fabric || other.owner == network.owner)
    });
    let overlaps = |other: &&Network| range(&other.subnet).is_some_and(|(low, high)| first <= high && low <= last);
    for other in near.filter(overlaps) {
        let entry = json!({
            "field": "subnet", "code": "UsedBy", "type": "network", "id": other.id,
            "message": "subnet overlaps with another network",
        });
        fields.entry("subnet", entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_block_is_behind_what_is_in_the_way() {
        let of = |text: &str| range(text).unwrap();
        let all = of("10.0.0.0/8");
        let shown = |free: Option<(u32, u32)>| free.map(|(first, _)| Ipv4Addr::from(first).to_string());
        assert_eq!(shown(first_free(all, 24, &[])).as_deref(), Some("10.0.0.0"));
        let taken = [of("10.0.1.0/25"), of("10.0.0.0/24")];
        assert_eq!(shown(first_free(all, 24, &taken)).as_deref(), Some("10.0.2.0"));
        assert_eq!(shown(first_free(all, 25, &taken)).as_deref(), Some("10.0.1.128"));
        assert_eq!(shown(first_free(all, 24, &[all])), None);
    }
}
