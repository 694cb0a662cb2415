//! Networks, pools, VLANs, and the volumes that are on them.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::check::{Place, refused};
use super::names::{self, Named};
use super::{Build, fields_of, is_true, or, text};
use crate::emulator::cloudapi::denied::refusal;
use crate::emulator::datacenter::addresses::{bounds, subnet_of};
use crate::emulator::datacenter::seed::DAY;
use crate::emulator::datacenter::state::{Network, Nic, Pool, Vlan, Volume, Work};

impl Build<'_> {
    /// Networks, VLANs and pools. Those of the base belong together: with other networks its VLANs and pools go.
    pub(super) fn networks(&mut self, [networks, vlans, pools]: [Option<Vec<Value>>; 3]) {
        if networks.is_some() {
            self.state.networks.clear();
            self.state.vlans.clear();
            self.state.pools.clear();
        }
        if let Some(list) = vlans {
            self.state.vlans.clear();
            let section = Place::Top.field("vlans");
            for (at, value) in list.into_iter().enumerate() {
                if let Some(vlan) = self.vlan(fields_of(value), &section.entry(at)) {
                    self.state.vlans.push(vlan);
                }
            }
        }
        let section = Place::Top.field("networks");
        for (at, value) in networks.into_iter().flatten().enumerate() {
            if let Some(network) = self.network(fields_of(value), &section.entry(at)) {
                self.state.networks.push(network);
            }
        }
        if let Some(list) = pools {
            self.state.pools = self.each("pools", list, Build::pool);
        }
    }

    fn vlan(&mut self, mut fields: Map<String, Value>, place: &Place<'_>) -> Option<Vlan> {
        let first = self.first();
        let owner = self.owner(&mut fields, place, &first);
        let Some(number) = fields.get("vlan_id").and_then(Value::as_u64) else {
            self.faults.add(&place.field("vlan_id"), "is missing");
            return None;
        };
        if !(2..=4094).contains(&number) {
            self.faults.add(&place.field("vlan_id"), "must be 2 to 4094");
        }
        if self.state.vlans.iter().any(|vlan| vlan.owner == owner && vlan.vlan_id == number) {
            self.faults.add(&place.field("vlan_id"), "another VLAN of the account has it");
        }
        or(&mut fields, "name", format!("vlan-{number}"));
        self.typed(Value::Object(fields), place)
    }

    /// A network: one of the operator's, or, with a VLAN, of an account's fabric.
    fn network(&mut self, mut fields: Map<String, Value>, place: &Place<'_>) -> Option<Network> {
        let name = self.needed(&fields, "name", place)?;
        let networks = std::mem::take(&mut self.state.networks);
        self.name(&mut fields, &format!("networks/{name}"), place, |id| networks.iter().any(|one| one.id == id));
        self.state.networks = networks;
        let on_vlan = fields.get("vlan_id").and_then(Value::as_u64).is_some_and(|id| id > 0);
        or(&mut fields, "fabric", on_vlan);
        let fabric = is_true(&fields, "fabric");
        let first = if fabric { self.first() } else { String::new() };
        let owner = self.owner(&mut fields, place, &first);
        self.owners(&mut fields, "more_owners", place);
        if self.kept {
            return self.typed(Value::Object(fields), place);
        }
        self.range(&mut fields, place)?;
        or(&mut fields, "internet_nat", fabric);
        or(&mut fields, "resolvers", vec!["192.0.2.53", "192.0.2.54"]);
        let network: Network = self.typed(Value::Object(fields), place)?;
        if let Err((field, words)) = network.check_range() {
            self.faults.add(&place.field(field), words);
        }
        if fabric && !(2..=4094).contains(&network.vlan_id) {
            self.faults.add(&place.field("vlan_id"), "a fabric network is on a VLAN from 2 to 4094");
        }
        let on_same = |other: &&Network| other.fabric && other.owner == owner && other.vlan_id == network.vlan_id;
        let overlaps = |other: &&Network| overlap(&other.subnet, &network.subnet);
        if let Some(other) = self.state.networks.iter().filter(|_| fabric).filter(on_same).find(overlaps) {
            let words = format!("overlaps with network \"{}\" ({})", names::shown(&other.name), other.subnet);
            self.faults.add(&place.field("subnet"), words);
        }
        if !fabric && network.vlan_id > 0 {
            self.faults.add(&place.field("fabric"), "must be true on a VLAN");
        }
        if fabric && !self.state.vlans.iter().any(|vlan| vlan.owner == owner && vlan.vlan_id == network.vlan_id) {
            let name = format!("vlan-{}", network.vlan_id);
            self.state.vlans.push(Vlan { owner, vlan_id: network.vlan_id, name, description: String::new() });
        }
        Some(network)
    }

    /// The subnet, the gateway, and the addresses that machines get: by default all that the subnet has, but for some
    /// at its beginning.
    fn range(&mut self, fields: &mut Map<String, Value>, place: &Place<'_>) -> Option<()> {
        let subnet = self.needed(fields, "subnet", place)?;
        let (base, bits) = match subnet_of(&subnet) {
            Ok(found) => found,
            Err(words) => {
                self.faults.add(&place.field("subnet"), words);
                return None;
            }
        };
        let (first, last) = bounds(base, bits);
        let at = |address: Ipv4Addr, by: i64| {
            let number = i64::from(u32::from(address)) + by;
            Ipv4Addr::from(u32::try_from(number).unwrap_or_default()).to_string()
        };
        or(fields, "gateway", at(first, 1));
        let gateway = text(fields, "gateway").unwrap_or_default();
        if !gateway.is_empty() && gateway.parse::<Ipv4Addr>().is_err() {
            self.faults.add(&place.field("gateway"), "must be an IPv4 address");
        }
        // Of four addresses the last but one is the only one for machines.
        or(fields, "provision_start_ip", at(first, if bits > 26 { 2 } else { 10 }));
        or(fields, "provision_end_ip", at(last, -1));
        Some(())
    }

    fn pool(&mut self, value: Value, place: &Place<'_>) -> Option<Pool> {
        let mut fields = fields_of(value);
        let name = self.needed(&fields, "name", place)?;
        let taken = |_: &str| false;
        self.name(&mut fields, &format!("pools/{name}"), place, taken);
        let mut public = false;
        let networks = std::mem::take(&mut self.state.networks);
        let all: Vec<Named<'_>> =
            networks.iter().map(|one| Named { id: &one.id, name: &one.name, version: "" }).collect();
        if let Some(Value::Array(list)) = fields.get_mut("networks") {
            for (at, network) in list.iter_mut().enumerate() {
                let meant = network.as_str().unwrap_or_default().to_owned();
                if let Some(id) = self.id_of("network", &all, &meant, &place.field("networks").entry(at)) {
                    public |= networks.iter().any(|one| one.id == id && one.public);
                    *network = id.into();
                }
            }
        } else {
            self.faults.add(&place.field("networks"), "is missing");
        }
        self.state.networks = networks;
        or(&mut fields, "public", public);
        self.owners(&mut fields, "owners", place);
        self.typed(Value::Object(fields), place)
    }

    /// Volumes, in the place of the base's.
    pub(super) fn volumes(&mut self, list: Vec<Value>) {
        self.state.volumes.clear();
        let section = Place::Top.field("volumes");
        for (at, value) in list.into_iter().enumerate() {
            if let Some(volume) = self.volume(fields_of(value), &section.entry(at)) {
                self.state.volumes.push(volume);
            }
        }
    }

    /// A volume, on the first of the account's fabric networks unless it says another.
    fn volume(&mut self, mut fields: Map<String, Value>, place: &Place<'_>) -> Option<Volume> {
        let name = self.needed(&fields, "name", place)?;
        let first = self.first();
        let owner = self.owner(&mut fields, place, &first);
        let path = format!("volumes/{}/{name}", self.login(&owner));
        let volumes = std::mem::take(&mut self.state.volumes);
        self.name(&mut fields, &path, place, |id| volumes.iter().any(|one| one.id == id));
        self.state.volumes = volumes;
        if self.kept {
            return self.typed(Value::Object(fields), place);
        }
        self.one_of(&fields, "state", &["ready", "creating", "failed"], place);
        let ids = self.volume_networks(&mut fields, &owner, place)?;
        or(&mut fields, "state", "ready");
        or(&mut fields, "size", 10_240);
        or(&mut fields, "created", self.now - DAY);
        if let Some(id) = ids.first().filter(|_| !fields.contains_key("nic")) {
            let used = self.state.used(&[id]);
            match self.state.interface(id, None, &used, &[]) {
                Ok(nic) => {
                    let nic = Nic { primary: true, ..nic };
                    fields.insert("nic".to_owned(), serde_json::to_value(nic).unwrap_or_default());
                }
                Err(denied) => self.faults.add(place, refused(&refusal(denied))),
            }
        }
        let volume: Volume = self.typed(Value::Object(fields), place)?;
        if volume.state == "creating" {
            self.state.plan(self.now, &volume.zone_id(), Work::CreateVolume, json!({ "type": "operator" }), None);
        }
        Some(volume)
    }

    fn volume_networks(
        &mut self,
        fields: &mut Map<String, Value>,
        owner: &str,
        place: &Place<'_>,
    ) -> Option<Vec<String>> {
        let networks: Vec<Network> =
            self.state.networks.iter().filter(|one| one.fabric && one.owner == owner).cloned().collect();
        let place = place.field("networks");
        let Some(Value::Array(list)) = fields.get("networks") else {
            let Some(first) = networks.first() else {
                self.faults.add(&place, "the account has no fabric network for it");
                return None;
            };
            fields.insert("networks".to_owned(), vec![first.id.clone()].into());
            return Some(vec![first.id.clone()]);
        };
        let mut ids = Vec::new();
        for (at, meant) in list.clone().iter().enumerate() {
            let meant = meant.as_str().unwrap_or_default();
            ids.extend(self.id_of(
                "fabric network of the account",
                &names::networks(&networks, owner),
                meant,
                &place.entry(at),
            ));
        }
        fields.insert("networks".to_owned(), ids.clone().into());
        Some(ids)
    }
}

/// Whether two subnets have addresses in common.
fn overlap(one: &str, other: &str) -> bool {
    match (subnet_of(one), subnet_of(other)) {
        (Ok((one, bits)), Ok((other, other_bits))) => {
            let ((first, last), (low, high)) = (bounds(one, bits), bounds(other, other_bits));
            first <= high && low <= last
        }
        _ => false,
    }
}

/// An address of a network that a machine can be given.
///
/// # Errors
/// Why it cannot.
pub(super) fn address(network: &Network, text: &str) -> Result<Ipv4Addr, String> {
    let ip: Ipv4Addr = text.parse().map_err(|_| format!("\"{}\" is not an IPv4 address", names::shown(text)))?;
    if !network.holds(ip) {
        return Err(format!("{ip} is not in subnet {} of network {}", network.subnet, names::shown(&network.name)));
    }
    if network.managed(ip) {
        return Err(format!("{ip} is the gateway's, a resolver's, or an end of the subnet"));
    }
    Ok(ip)
}
