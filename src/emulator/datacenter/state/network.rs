//! Networks, and the interfaces of machines on them. Plain data.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A network.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) description: String,
    pub(crate) fabric: bool,
    pub(crate) vlan_id: u64,
    pub(crate) subnet: String,
    pub(crate) provision_start_ip: String,
    pub(crate) provision_end_ip: String,
    pub(crate) gateway: String,
    pub(crate) resolvers: Vec<String>,
    /// The next hop to each subnet.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) routes: Map<String, Value>,
    pub(crate) internet_nat: bool,
    /// Whose it is; empty for one that is there for all accounts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) owner: String,
    /// The tag of the physical networks that it is on; empty where what it is says which ([`Network::tag`]).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) nic_tag: String,
    /// Bytes; 0 for the usual ones of its tag.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) mtu: u64,
    /// More accounts that may use it, beside its owner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) more_owners: Vec<String>,
    /// How many addresses have been given out; they are given in order, and never twice.
    pub(crate) given: u32,
    /// Addresses that have been reserved, or were once in use.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) records: BTreeMap<Ipv4Addr, Record>,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Nic {
    pub(crate) mac: String,
    pub(crate) ip: String,
    pub(crate) primary: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) gateway: String,
    pub(crate) netmask: String,
    pub(crate) network: String,
    /// `provisioning` until the machine has it; then empty, and it is as the machine is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) state: String,
    /// What only operators see and set, by NAPI's names, such as `allow_ip_spoofing`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) more: Map<String, Value>,
}

/// A VLAN of an account's fabric.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Vlan {
    pub(crate) owner: String,
    pub(crate) vlan_id: u64,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// Networks that are used as one: a machine gets an address of the first that has room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pool {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) public: bool,
    pub(crate) description: String,
    /// Ids of its members, which are not shown on their own.
    pub(crate) networks: Vec<String>,
    /// The accounts that may use it; none where all may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) owners: Vec<String>,
}

/// What is remembered of an address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    pub(crate) reserved: bool,
    /// Who reserved it, or whose it is; empty when nobody's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) owner: String,
    /// What an operator gave it to without an interface: `zone`, `server` or `other`, and the id of that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) belongs_to_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) belongs_to_uuid: String,
}

impl Record {
    /// Whether nobody has it and nobody keeps it.
    pub(crate) fn is_free(&self) -> bool {
        !self.reserved && self.owner.is_empty() && self.belongs_to_uuid.is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The tag of the networks that carry fabrics.
pub(crate) const OVERLAY: &str = "sdc_overlay";

impl Network {
    /// The tag of the physical networks that it is on.
    pub(crate) fn tag(&self) -> &str {
        match (self.nic_tag.as_str(), self.fabric, self.public) {
            ("", true, _) => OVERLAY,
            ("", false, true) => "external",
            ("", false, false) => "internal",
            (tag, ..) => tag,
        }
    }

    /// The tag of an interface on it: on a fabric it has the number of the account's virtual network.
    pub(crate) fn nic_tag(&self) -> String {
        match self.vnet_id() {
            Some(vnet) => format!("{}/{vnet}", self.tag()),
            None => self.tag().to_owned(),
        }
    }

    /// Bytes.
    pub(crate) fn mtu(&self) -> u64 {
        match (self.mtu, self.fabric) {
            (0, true) => 1400,
            (0, false) => 1500,
            (mtu, _) => mtu,
        }
    }

    /// The accounts that may use it; none where all may.
    pub(crate) fn owner_uuids(&self) -> Vec<&str> {
        let owner = Some(self.owner.as_str()).filter(|owner| !owner.is_empty());
        owner.into_iter().chain(self.more_owners.iter().map(String::as_str)).collect()
    }

    /// Says which accounts may use it.
    pub(crate) fn set_owners(&mut self, mut owners: Vec<String>) {
        self.more_owners = if owners.is_empty() { Vec::new() } else { owners.split_off(1) };
        self.owner = owners.pop().unwrap_or_default();
    }

    /// The number of the virtual network of its account, if it is on a fabric.
    pub(crate) fn vnet_id(&self) -> Option<u32> {
        self.fabric.then(|| vnet_id(&self.owner))
    }
}

/// Whether networks of a tag are reached from the outside.
pub(crate) fn is_external(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase();
    tag == "external" || tag.starts_with("external_rack_")
}

impl Pool {
    /// Whether an account may see and use it.
    pub(crate) fn visible(&self, account: &str) -> bool {
        self.owners.is_empty() || self.owners.iter().any(|owner| owner == account)
    }
}

/// The number of an account's virtual network: one a data center, from 1 to 16777215.
pub(crate) fn vnet_id(owner: &str) -> u32 {
    let digits: String =
        super::id_of(&format!("vnets/{owner}")).chars().filter(char::is_ascii_hexdigit).take(6).collect();
    u32::from_str_radix(&digits, 16).unwrap_or(1).max(1)
}
