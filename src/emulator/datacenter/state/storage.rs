//! Disks, snapshots and volumes. Plain data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::Nic;

/// A disk of a bhyve machine. Sizes are MiB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Disk {
    pub(crate) id: String,
    /// `bus:device:function`; empty for one that has never been asked for its place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) pci_slot: String,
    pub(crate) size: u64,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) block_size: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) boot: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) image: String,
    /// `creating`, `resizing`, `deleting`; empty when nothing is done to it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) state: String,
    /// The size it is being given; its space is taken already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wanted: Option<u64>,
}

/// A snapshot of a machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Snapshot {
    pub(crate) name: String,
    /// `queued`, `created`, `failed`, or `deleted` when only the memory of it is left.
    pub(crate) state: String,
    /// MiB.
    pub(crate) size: u64,
    pub(crate) created: i64,
}

/// A volume. Its size is MiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) created: i64,
    /// When work on it last ended; 0 as long as there was none.
    #[serde(skip_serializing_if = "is_never")]
    pub(crate) updated: i64,
    pub(crate) size: u64,
    /// Ids of fabric networks.
    pub(crate) networks: Vec<String>,
    pub(crate) tags: Map<String, Value>,
    /// Where it is served from, on the first of its networks.
    pub(crate) nic: Nic,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_never(time: &i64) -> bool {
    *time == 0
}

/// A volume as a machine mounts it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Mount {
    /// The volume's id.
    pub(crate) volume: String,
    pub(crate) mountpoint: String,
    /// `rw` or `ro`.
    pub(crate) mode: String,
}
