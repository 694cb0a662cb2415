//! Networks, their addresses, fabrics, and the firewall.

use serde::{Deserialize, Serialize};

use super::{Map, or_default};

/// What CreateMachine's `networks` and AddNic's `network` take where an address matters; since 8.5.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkObject {
    /// UUID of the network.
    #[serde(deserialize_with = "or_default")]
    pub ipv4_uuid: String,
    /// The address wanted, one; neither with a pool nor with a public network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_ips: Option<Vec<String>>,
    /// How many addresses, 1 alone is taken; excludes `ipv4_ips`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_count: Option<u32>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's FirewallRule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirewallRule {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The rule as the service writes it, which may differ from what was sent.
    #[serde(deserialize_with = "or_default")]
    pub rule: String,
    /// Whether it holds.
    #[serde(deserialize_with = "or_default")]
    pub enabled: bool,
    /// Whether connections are logged; since 9.5.1.
    #[serde(deserialize_with = "or_default")]
    pub log: bool,
    /// True for a rule of the operator's, else absent; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global: Option<bool>,
    /// What it is for; since 7.1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's Network, or a pool of networks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Whether the world can reach it.
    #[serde(deserialize_with = "or_default")]
    pub public: bool,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Endings of names in the DNS; since 9.20.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffixes: Option<Vec<String>>,
    /// True for one of the account's own, else absent; what follows is told of these alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fabric: Option<bool>,
    /// VLAN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan_id: Option<u32>,
    /// CIDR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// First address to be given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provision_start_ip: Option<String>,
    /// Last address to be given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provision_end_ip: Option<String>,
    /// Gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// DNS servers, four at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolvers: Option<Vec<String>>,
    /// From CIDR to the next hop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routes: Option<Map>,
    /// Whether it reaches the world through NAT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internet_nat: Option<bool>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's fabric VLAN; since 7.3.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FabricVlan {
    /// Its number.
    #[serde(deserialize_with = "or_default")]
    pub vlan_id: u32,
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's NetworkIP; since 8.4.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkIp {
    /// Address.
    #[serde(deserialize_with = "or_default")]
    pub ip: String,
    /// Whether it is kept from being given out.
    #[serde(deserialize_with = "or_default")]
    pub reserved: bool,
    /// Whether the platform holds it.
    #[serde(deserialize_with = "or_default")]
    pub managed: bool,
    /// UUID of the account; not when managed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_uuid: Option<String>,
    /// UUID of the machine, if it is the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub belongs_to_uuid: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}
