//! The addresses of networks: which there are, who has them, and which one is given next.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use super::denied::Denied;
use super::nics::Held;
use super::seed::OPERATOR;
use super::state::{Network, Nic, Pool, State, Vm, Work};

impl State {
    /// The network of this id, if the account may see it. Members of pools are found too.
    pub(crate) fn network(&self, id: &str, account: &str) -> Option<&Network> {
        self.networks.iter().find(|network| network.id == id && network.visible(account))
    }

    pub(crate) fn pool(&self, id: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.id == id)
    }

    /// The networks themselves, of which a pool may stand for several.
    pub(crate) fn members<'a>(&'a self, id: &'a str) -> Vec<&'a str> {
        match self.pool(id) {
            Some(pool) => pool.networks.iter().map(String::as_str).collect(),
            None => vec![id],
        }
    }

    /// Whether an account may have interfaces on a network. The operator may on every one.
    pub(crate) fn may_provision(&self, network: &Network, owner: &str) -> bool {
        network.visible(owner) || self.is_operator(owner)
    }

    /// The same, on a pool.
    pub(crate) fn may_use(&self, pool: &Pool, owner: &str) -> bool {
        pool.visible(owner) || self.is_operator(owner)
    }

    fn is_operator(&self, account: &str) -> bool {
        account == OPERATOR || self.account(account).is_some_and(|account| account.operator)
    }

    /// Every interface that has an address: those of machines, of machines in the making, of volumes, and those that no
    /// machine has.
    pub(crate) fn held(&self) -> impl Iterator<Item = Held<'_>> {
        self.nics().filter(|held| !held.nic.ip.is_empty())
    }

    /// The interfaces that a VM in the making will have, and the server that it will be on.
    pub(crate) fn planned(&self, vm: &str) -> Option<(&[Nic], &str)> {
        self.jobs.iter().find_map(|job| match &job.work {
            Work::Provision { nics, compute_node } if job.vm_uuid == vm => {
                Some((nics.as_slice(), compute_node.as_str()))
            }
            _ => None,
        })
    }

    /// Where a VM is: from the moment on in which a server was chosen for it.
    pub(crate) fn server_of(&self, vm: &Vm) -> String {
        if !vm.server_uuid.is_empty() {
            return vm.server_uuid.clone();
        }
        self.planned(&vm.uuid).map(|(_, server)| server.to_owned()).unwrap_or_default()
    }

    /// The addresses in use on these networks.
    pub(crate) fn used(&self, networks: &[&str]) -> HashSet<(String, String)> {
        let networks: Vec<&str> = networks.iter().flat_map(|id| self.members(id)).collect();
        let here = self.held().filter(|held| networks.contains(&held.nic.network.as_str()));
        here.map(|held| (held.nic.network.clone(), held.nic.ip.clone())).collect()
    }

    /// An interface on a network, or on the first network of a pool that has room. `more` are those
    /// that were made just now.
    pub(crate) fn interface(
        &mut self,
        id: &str,
        wanted: Option<Ipv4Addr>,
        used: &HashSet<(String, String)>,
        more: &[Nic],
    ) -> Result<Nic, Denied> {
        let members: Vec<String> = self.members(id).into_iter().map(str::to_owned).collect();
        let mut denied = Denied::PoolFull;
        for member in members {
            let Some(network) = self.networks.iter_mut().find(|network| network.id == member) else { continue };
            match network.give(wanted, used) {
                Ok(nic) => return Ok(self.with_own_mac(nic, more)),
                Err(Denied::SubnetFull) if member != id => {}
                Err(other) => {
                    denied = other;
                    break;
                }
            }
        }
        Err(denied)
    }

    /// Networks of different VLANs may have the same addresses; their interfaces must be told apart.
    fn with_own_mac(&self, mut nic: Nic, more: &[Nic]) -> Nic {
        let first = nic.mac.clone();
        let rest = first.get(5..).unwrap_or_default();
        for byte in 0xb8_u8..=0xff {
            nic.mac = format!("90:{byte:02x}{rest}");
            if !more.iter().chain(self.nics().map(|held| held.nic)).any(|other| other.mac == nic.mac) {
                break;
            }
        }
        nic
    }

    /// Remembers an address that was in use.
    pub(crate) fn free(&mut self, nic: &Nic) {
        let network = self.networks.iter_mut().find(|network| network.id == nic.network);
        if let (Some(network), Ok(ip)) = (network, nic.ip.parse()) {
            network.records.entry(ip).or_default();
        }
    }
}

impl Vm {
    /// The interface that was waited for is there.
    pub(crate) fn settle_nic(&mut self, mac: &str) {
        let Some(at) = self.nics.iter().position(|nic| nic.mac == mac) else { return };
        let primary = self.nics.get(at).is_some_and(|nic| nic.primary);
        for (other, nic) in self.nics.iter_mut().enumerate() {
            if other == at {
                nic.state.clear();
            } else if primary {
                nic.primary = false;
            }
        }
    }

    /// Takes an interface away. Without a primary one, the first becomes it.
    pub(crate) fn take_nic(&mut self, mac: &str) -> Option<Nic> {
        let at = self.nics.iter().position(|nic| nic.mac == mac)?;
        let nic = self.nics.remove(at);
        if !self.nics.iter().any(|nic| nic.primary)
            && let Some(first) = self.nics.first_mut()
        {
            first.primary = true;
        }
        Some(nic)
    }
}

/// Reads `10.0.0.0/8`: the base and the length of the prefix.
pub(crate) fn cidr(text: &str) -> Option<(Ipv4Addr, u32)> {
    let (base, bits) = text.split_once('/')?;
    if bits.is_empty() || bits.len() > 2 || !bits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((base.parse().ok()?, bits.parse().ok().filter(|bits| *bits <= 32)?))
}

/// The first and the last address of a subnet.
pub(crate) fn bounds(base: Ipv4Addr, bits: u32) -> (Ipv4Addr, Ipv4Addr) {
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    let first = u32::from(base) & mask;
    (Ipv4Addr::from(first), Ipv4Addr::from(first | !mask))
}

/// Reads the subnet of a network: its first address, and the length of a prefix that leaves room for machines.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn subnet_of(text: &str) -> Result<(Ipv4Addr, u32), String> {
    let (base, bits) = cidr(text).ok_or_else(|| format!("\"{text}\" is not a subnet"))?;
    if !(8..=30).contains(&bits) {
        return Err("must have a prefix of 8 to 30 bits".to_owned());
    }
    let (first, _) = bounds(base, bits);
    if first != base {
        return Err(format!("{base} is not the first address; did you mean {first}/{bits}?"));
    }
    Ok((base, bits))
}

impl Network {
    /// Refuses a range of addresses to give that does not lie within the subnet.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    pub(crate) fn check_range(&self) -> Result<(), (&'static str, String)> {
        let Some((base, bits)) = cidr(&self.subnet) else { return Err(("subnet", "is not a subnet".to_owned())) };
        let (first, last) = bounds(base, bits);
        let address = |field, text: &str| -> Result<Ipv4Addr, (&'static str, String)> {
            text.parse().map_err(|_| (field, "must be an IPv4 address".to_owned()))
        };
        let start = address("provision_start_ip", &self.provision_start_ip)?;
        let end = address("provision_end_ip", &self.provision_end_ip)?;
        for (name, address) in [("provision_start_ip", start), ("provision_end_ip", end)] {
            if !self.holds(address) {
                return Err((name, format!("{address} is not in subnet {}", self.subnet)));
            }
            if address == first || address == last {
                return Err((name, format!("{address} is an end of subnet {}", self.subnet)));
            }
        }
        if start > end {
            return Err(("provision_start_ip", "must not be after provision_end_ip".to_owned()));
        }
        Ok(())
    }

    /// Whether an account may see it: one that has owners is theirs alone.
    pub(crate) fn visible(&self, account: &str) -> bool {
        let owners = self.owner_uuids();
        owners.is_empty() || owners.contains(&account)
    }

    /// An interface with the next free address, or with the one asked for. After the last address
    /// it begins again with the first.
    pub(crate) fn give(&mut self, wanted: Option<Ipv4Addr>, used: &HashSet<(String, String)>) -> Result<Nic, Denied> {
        let taken = |ip: Ipv4Addr| used.contains(&(self.id.clone(), ip.to_string()));
        let aside = |ip: Ipv4Addr| self.managed(ip) || self.records.get(&ip).is_some_and(|record| !record.is_free());
        let assigned = |ip: Ipv4Addr| self.records.get(&ip).is_some_and(|record| !record.belongs_to_uuid.is_empty());
        let full = || Denied::SubnetFull;
        let start: Ipv4Addr = self.provision_start_ip.parse().map_err(|_| full())?;
        let end: Ipv4Addr = self.provision_end_ip.parse().map_err(|_| full())?;
        let ip = match wanted {
            Some(ip) if taken(ip) || assigned(ip) => return Err(Denied::AddressUsed),
            Some(ip) => ip,
            None => {
                let last = u32::from(end).checked_sub(u32::from(start)).ok_or_else(full)?;
                let first = if self.given > last { 0 } else { self.given };
                let at = |step: u32| Ipv4Addr::from(u32::from(start).saturating_add(step));
                let free = |step: &u32| !taken(at(*step)) && !aside(at(*step));
                let step = (first..=last).chain(0..first).find(free).ok_or_else(full)?;
                self.given = step.saturating_add(1);
                at(step)
            }
        };
        let [a, b, c, d] = ip.octets();
        Ok(Nic {
            // The first bytes are the platform's own; the rest tells addresses and VLANs apart.
            mac: format!("90:b8:{:02x}:{b:02x}:{c:02x}:{d:02x}", a ^ (self.vlan_id as u8)),
            ip: ip.to_string(),
            gateway: self.gateway.clone(),
            netmask: self.netmask(),
            network: self.id.clone(),
            ..Nic::default()
        })
    }

    /// Whether every address has been given once.
    pub(crate) fn went_round(&self) -> bool {
        let number = |text: &str| text.parse::<Ipv4Addr>().map_or(0, u32::from);
        let last = number(&self.provision_end_ip).saturating_sub(number(&self.provision_start_ip));
        self.given > last
    }

    pub(crate) fn netmask(&self) -> String {
        let bits = cidr(&self.subnet).map_or(24, |(_, bits)| bits);
        Ipv4Addr::from(u32::MAX.checked_shl(32 - bits).unwrap_or(0)).to_string()
    }

    /// Whether an address lies in the subnet.
    pub(crate) fn holds(&self, ip: Ipv4Addr) -> bool {
        let Some((base, bits)) = cidr(&self.subnet) else { return false };
        let (first, last) = bounds(base, bits);
        first <= ip && ip <= last
    }

    /// The addresses that the platform keeps for itself: the ends of the subnet, the gateway, and
    /// resolvers that lie in it.
    pub(crate) fn managed_ips(&self) -> Vec<Ipv4Addr> {
        let Some((base, bits)) = cidr(&self.subnet) else { return Vec::new() };
        let (first, last) = bounds(base, bits);
        let named = std::iter::once(&self.gateway).chain(&self.resolvers);
        let named = named.filter_map(|ip| ip.parse().ok()).filter(|ip| first < *ip && *ip < last);
        [first, last].into_iter().chain(named).collect()
    }

    /// Whether the platform keeps this address for itself.
    pub(crate) fn managed(&self, ip: Ipv4Addr) -> bool {
        let text = ip.to_string();
        if self.gateway == text || self.resolvers.contains(&text) {
            return self.holds(ip);
        }
        let Some((base, bits)) = cidr(&self.subnet) else { return false };
        let (first, last) = bounds(base, bits);
        ip == first || ip == last
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::Record;
    use super::*;

    #[test]
    fn a_subnet_has_a_first_and_a_last_address() {
        let (base, bits) = cidr("10.20.30.0/22").unwrap();
        assert_eq!(bounds(base, bits), (Ipv4Addr::new(10, 20, 28, 0), Ipv4Addr::new(10, 20, 31, 255)));
        assert_eq!(bounds(base, 0), (Ipv4Addr::new(0, 0, 0, 0), Ipv4Addr::BROADCAST));
        assert_eq!(bounds(base, 32), (base, base));
        for text in ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "10.0.0.0/8/8"] {
            assert_eq!(cidr(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_kept_or_reserved_is_given_only_when_asked_for() {
        let mut network = Network {
            subnet: "10.0.0.0/29".to_owned(),
            provision_start_ip: "10.0.0.1".to_owned(),
            provision_end_ip: "10.0.0.6".to_owned(),
            gateway: "10.0.0.1".to_owned(),
            resolvers: vec!["10.0.0.2".to_owned(), "8.8.8.8".to_owned()],
            ..Network::default()
        };
        let three = Ipv4Addr::new(10, 0, 0, 3);
        network.records.insert(three, Record { reserved: true, owner: "a".to_owned(), ..Record::default() });
        network.records.insert(Ipv4Addr::new(10, 0, 0, 4), Record::default());
        let none = HashSet::new();
        let ips: Vec<String> = (0..4).map(|_| network.give(None, &none).unwrap().ip).collect();
        assert_eq!(ips, ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.4"]);
        assert_eq!(network.give(Some(three), &none).unwrap().ip, "10.0.0.3");
        assert_eq!(network.managed_ips().len(), 4);
    }
}
