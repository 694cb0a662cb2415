//! Virtual machines, as VMAPI keeps them: its names, states and units. CloudAPI's machine is computed from one on each
//! read. Plain data.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::image::Package;
use super::job::Entry;
use super::kept::Kept;
use super::network::Nic;
use super::storage::{Disk, Mount, Snapshot};

/// The brands of VMs.
pub(crate) const BRANDS: &[&str] = &["bhyve", "joyent", "joyent-minimal", "kvm", "lx"];

/// What the zone around a hardware-virtualised VM takes beside its disks, in MiB.
pub(crate) const HVM_QUOTA: u64 = 10_240;

/// How passwords end among the internal metadata, where CloudAPI finds them.
const PASSWORD: &str = "_pw";

/// A VM. Sizes are MiB, times milliseconds since 1970.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(crate) struct Vm {
    pub(crate) uuid: String,
    pub(crate) owner_uuid: String,
    pub(crate) alias: String,
    pub(crate) brand: String,
    /// In VMAPI's words.
    pub(crate) state: String,
    /// Of a zone its image; hardware-virtualised VMs have it on their first disk.
    pub(crate) image_uuid: String,
    /// The package's id.
    pub(crate) billing_id: String,
    pub(crate) ram: u64,
    /// Of its file system; 0 where a flexible disk is all that it has.
    pub(crate) quota: u64,
    /// What a bhyve VM's disks may take together, if they can be changed.
    pub(crate) flexible_disk_size: Option<u64>,
    pub(crate) customer_metadata: Map<String, Value>,
    pub(crate) internal_metadata: Map<String, Value>,
    pub(crate) tags: Map<String, Value>,
    pub(crate) nics: Vec<Nic>,
    pub(crate) create_timestamp: i64,
    pub(crate) last_modified: i64,
    /// When it has come to run the last time; 0 for when it was made.
    pub(crate) booted: i64,
    pub(crate) firewall_enabled: bool,
    pub(crate) indestructible_zoneroot: bool,
    pub(crate) docker: bool,
    pub(crate) delegate_dataset: bool,
    pub(crate) server_uuid: String,
    /// Disks of hardware-virtualised VMs, the one that they boot from first.
    pub(crate) disks: Vec<Disk>,
    /// Oldest first.
    pub(crate) snapshots: Vec<Snapshot>,
    /// The volumes that it mounts.
    pub(crate) volumes: Vec<Mount>,
    /// Fields that only operators see and set, by VMAPI's names.
    pub(crate) more: Map<String, Value>,
    /// What files of an earlier version say of its past.
    pub(crate) earlier: Vec<Entry>,
}

/// The VMs of all accounts, in the order of their making, and found by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Vm>", into = "Vec<Vm>")]
pub(crate) struct Vms {
    list: Vec<Vm>,
    by_id: HashMap<String, usize>,
}

impl Vm {
    /// Whether it is hardware-virtualised, with disks of its own.
    pub(crate) fn hvm(&self) -> bool {
        matches!(self.brand.as_str(), "kvm" | "bhyve")
    }

    /// Whether it is gone. Its record stays.
    pub(crate) fn is_destroyed(&self) -> bool {
        self.state == "destroyed"
    }

    /// Whether it is what a list of active VMs has, so that its alias is taken.
    pub(crate) fn is_active(&self) -> bool {
        !matches!(self.state.as_str(), "destroyed" | "failed")
    }

    /// The image that it was made from.
    pub(crate) fn image(&self) -> &str {
        let first = self.disks.first().map(|disk| disk.image.as_str());
        first.filter(|image| self.hvm() && !image.is_empty()).unwrap_or(&self.image_uuid)
    }

    /// What its disk holds, as CloudAPI tells it.
    pub(crate) fn disk(&self) -> u64 {
        let data = self.disks.get(1).map(|disk| disk.size).filter(|_| self.hvm());
        self.flexible_disk_size.or(data).unwrap_or(self.quota)
    }

    /// Takes the sizes of a package. Disks keep theirs.
    pub(crate) fn fit(&mut self, package: &Package) {
        package.id.clone_into(&mut self.billing_id);
        self.ram = package.memory;
        let flexible = self.brand == "bhyve" && package.flexible_disk == Some(true);
        self.flexible_disk_size = flexible.then_some(package.disk);
        self.quota = match (self.hvm(), flexible) {
            (false, _) => package.disk,
            (true, false) => HVM_QUOTA,
            (true, true) => 0,
        };
    }

    /// The passwords among its internal metadata, by the names that CloudAPI shows them under.
    pub(crate) fn passwords(&self) -> Map<String, Value> {
        let all = self.internal_metadata.iter();
        all.filter_map(|(name, value)| Some((name.strip_suffix(PASSWORD)?.to_owned(), value.clone()))).collect()
    }

    /// Keeps passwords, by the names that CloudAPI shows them under.
    pub(crate) fn set_passwords(&mut self, passwords: Map<String, Value>) {
        for (name, value) in passwords {
            let name = if name.ends_with(PASSWORD) { name } else { format!("{name}{PASSWORD}") };
            self.internal_metadata.insert(name, value);
        }
    }

    /// Whether its data is encrypted.
    pub(crate) fn encrypted(&self) -> bool {
        self.internal_metadata.get("encrypted") == Some(&Value::Bool(true))
    }
}

impl Vms {
    pub(crate) fn get(&self, id: &str) -> Option<&Vm> {
        self.list.get(*self.by_id.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Vm> {
        self.list.get_mut(*self.by_id.get(id)?)
    }

    pub(crate) fn push(&mut self, vm: Vm) {
        self.by_id.insert(vm.uuid.clone(), self.list.len());
        self.list.push(vm);
    }

    /// Loses every trace of one.
    pub(crate) fn forget(&mut self, id: &str) {
        let kept: Vec<Vm> = std::mem::take(&mut self.list).into_iter().filter(|vm| vm.uuid != id).collect();
        *self = kept.into();
    }

    /// Gives what belongs to one account to another.
    pub(crate) fn give(&mut self, from: &str, to: &str) {
        let all = self.list.iter_mut().filter(|vm| vm.owner_uuid == from);
        all.for_each(|vm| to.clone_into(&mut vm.owner_uuid));
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Vm> {
        self.list.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Vm> {
        self.list.iter_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

impl From<Vec<Vm>> for Vms {
    fn from(list: Vec<Vm>) -> Self {
        let by_id = list.iter().enumerate().map(|(at, vm)| (vm.uuid.clone(), at)).collect();
        Vms { list, by_id }
    }
}

impl From<Vms> for Vec<Vm> {
    fn from(vms: Vms) -> Self {
        vms.list
    }
}
