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
}

/// What is remembered of an address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    pub(crate) reserved: bool,
    /// Who reserved it; empty when nobody has.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) owner: String,
}
