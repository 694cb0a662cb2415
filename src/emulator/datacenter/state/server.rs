//! What operators alone see: servers, interfaces that no VM has, tags of networks, and what SAPI knows. Plain data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::Nic;
use super::ticket::Ticket;

/// A server of the data center.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Server {
    pub(crate) uuid: String,
    pub(crate) hostname: String,
    pub(crate) headnode: bool,
    pub(crate) setup: bool,
    pub(crate) reserved: bool,
    /// Not heard from: what is known of it and its VMs is the last that was.
    pub(crate) down: bool,
    /// MiB.
    pub(crate) ram: u64,
    /// Its address on the admin network.
    pub(crate) admin_ip: String,
    pub(crate) created: i64,
    /// Other fields, by CNAPI's names.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) more: Map<String, Value>,
}

/// A tag of physical networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct NicTag {
    pub(crate) uuid: String,
    pub(crate) name: String,
    /// Bytes.
    pub(crate) mtu: u64,
}

/// An interface that no VM has: of a server, or of something that is gone or is not there yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LooseNic {
    pub(crate) nic: Nic,
    pub(crate) belongs_to_type: String,
    pub(crate) belongs_to_uuid: String,
    pub(crate) owner_uuid: String,
    /// Where it is on no network of its own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) nic_tag: String,
    pub(crate) created: i64,
    pub(crate) modified: i64,
}

/// Interfaces of a server that are used as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Aggregation {
    pub(crate) name: String,
    /// The server.
    pub(crate) belongs_to_uuid: String,
    pub(crate) lacp_mode: String,
    pub(crate) macs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) nic_tags_provided: Vec<String>,
}

/// What SAPI keeps: objects as they were given, by their kinds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sapi {
    pub(crate) applications: Vec<Map<String, Value>>,
    pub(crate) services: Vec<Map<String, Value>>,
    pub(crate) instances: Vec<Map<String, Value>>,
    pub(crate) manifests: Vec<Map<String, Value>>,
}

/// What operators alone see.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Operators {
    pub(crate) servers: Vec<Server>,
    pub(crate) nic_tags: Vec<NicTag>,
    pub(crate) nics: Vec<LooseNic>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) aggregations: Vec<Aggregation>,
    pub(crate) sapi: Sapi,
    /// Notes on jobs: the job's id, and what was posted.
    pub(crate) infos: Vec<(String, Value)>,
    /// Workflows that programs have brought, as the workflow service shows them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) workflows: Vec<Map<String, Value>>,
    /// Their jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) own_jobs: Vec<OwnJob>,
    /// Tickets that are not those of jobs under way, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tickets: Vec<Ticket>,
    /// No runner of the workflow service is free: new jobs stay queued.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) no_runner: bool,
}

/// A job of a workflow that a program has brought. How far it is follows from when it was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnJob {
    pub(crate) uuid: String,
    /// The workflow as it was then.
    pub(crate) workflow: Map<String, Value>,
    pub(crate) params: Map<String, Value>,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) canceled: Option<i64>,
    /// What was told to its steps that wait, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) resumed: Vec<Resumed>,
}

/// What somebody has told to a step that waited.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resumed {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) result: Value,
    /// Empty unless the step is said to have failed.
    pub(crate) error: Value,
}

impl Operators {
    /// Whether the internal services have not been asked for yet.
    pub(crate) fn is_bare(&self) -> bool {
        self.servers.is_empty() && self.sapi.applications.is_empty()
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        let things = self.nic_tags.is_empty() && self.nics.is_empty() && self.aggregations.is_empty();
        self.is_bare() && things && self.tickets.is_empty() && !self.no_runner
    }
}
