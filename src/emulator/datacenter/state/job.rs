//! Work that was asked for and is not done yet. Plain data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::migration::Step;
use super::network::Nic;

/// Work in progress on a machine or a volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    /// When it ends, in milliseconds since 1970 by the machines' clock.
    pub(crate) due: i64,
    /// The machine; of work on a volume, the volume.
    pub(crate) machine: String,
    pub(crate) work: Work,
    /// Who asked for it, as the audit log shows it.
    pub(crate) caller: Value,
    /// It has been planned to end badly.
    #[serde(default)]
    pub(crate) fails: bool,
}

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    Provision {
        nics: Vec<Nic>,
        compute_node: String,
    },
    Start,
    Stop,
    /// The first half of a reboot: down.
    RebootDown,
    /// The second half: up again.
    Reboot,
    Destroy,
    Rename {
        name: String,
    },
    Resize {
        package: String,
    },
    Firewall {
        on: bool,
    },
    DeletionProtection {
        on: bool,
    },
    SetTags {
        tags: Map<String, Value>,
    },
    ReplaceTags {
        tags: Map<String, Value>,
    },
    RemoveTags {
        names: Vec<String>,
    },
    SetMetadata {
        metadata: Map<String, Value>,
    },
    ReplaceMetadata {
        metadata: Map<String, Value>,
    },
    RemoveMetadata {
        names: Vec<String>,
    },
    Snapshot {
        name: String,
    },
    DeleteSnapshot {
        name: String,
    },
    /// Back to a snapshot, and down; a start follows.
    Rollback {
        name: String,
    },
    CreateDisk {
        disk: String,
    },
    ResizeDisk {
        disk: String,
    },
    DeleteDisk {
        disk: String,
    },
    /// An image is made from the machine.
    Image {
        image: String,
    },
    Migrate(Step),
    /// The machine gets an interface that waits for it, and is rebooted.
    AddNic {
        mac: String,
    },
    RemoveNic {
        mac: String,
    },
    CreateVolume,
    DeleteVolume,
}
