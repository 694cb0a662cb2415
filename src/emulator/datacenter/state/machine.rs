//! Machines. Plain data.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::network::Nic;
use super::storage::{Disk, Mount, Snapshot};

/// A finished job, as the audit log keeps it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) action: String,
    pub(crate) success: bool,
    pub(crate) time: i64,
    pub(crate) caller: Value,
}

/// A machine. Sizes are MiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Machine {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) brand: String,
    pub(crate) state: String,
    pub(crate) image: String,
    /// The package's id.
    pub(crate) package: String,
    pub(crate) memory: u64,
    pub(crate) disk: u64,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: Map<String, Value>,
    /// Passwords, shown only with `credentials`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) credentials: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) tags: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) nics: Vec<Nic>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) firewall_enabled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deletion_protection: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) docker: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) delegate_dataset: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) encrypted: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) compute_node: String,
    /// Disks of a bhyve machine, the one it boots from first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) disks: Vec<Disk>,
    /// Oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) snapshots: Vec<Snapshot>,
    /// The volumes that it mounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) volumes: Vec<Mount>,
    /// Newest last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) audit: Vec<Entry>,
}

/// The machines of all accounts, in the order of their making, and found by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Machine>", into = "Vec<Machine>")]
pub(crate) struct Machines {
    list: Vec<Machine>,
    by_id: HashMap<String, usize>,
}

impl Machine {
    /// Hardware-virtualised, with disks of its own.
    pub(crate) fn hvm(&self) -> bool {
        matches!(self.brand.as_str(), "kvm" | "bhyve")
    }
}

impl Machines {
    pub(crate) fn get(&self, id: &str) -> Option<&Machine> {
        self.list.get(*self.by_id.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Machine> {
        self.list.get_mut(*self.by_id.get(id)?)
    }

    pub(crate) fn push(&mut self, machine: Machine) {
        self.by_id.insert(machine.id.clone(), self.list.len());
        self.list.push(machine);
    }

    /// Loses every trace of one.
    pub(crate) fn forget(&mut self, id: &str) {
        let kept: Vec<Machine> =
            std::mem::take(&mut self.list).into_iter().filter(|machine| machine.id != id).collect();
        *self = kept.into();
    }

    /// Gives what belongs to one account to another.
    pub(crate) fn give(&mut self, from: &str, to: &str) {
        let all = self.list.iter_mut().filter(|machine| machine.owner == from);
        all.for_each(|machine| to.clone_into(&mut machine.owner));
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Machine> {
        self.list.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

impl From<Vec<Machine>> for Machines {
    fn from(list: Vec<Machine>) -> Self {
        let by_id = list.iter().enumerate().map(|(at, machine)| (machine.id.clone(), at)).collect();
        Machines { list, by_id }
    }
}

impl From<Machines> for Vec<Machine> {
    fn from(machines: Machines) -> Self {
        machines.list
    }
}
