//! Disks and snapshots of machines: what is kept of them, and what work on them does.

use serde_json::{Map, Value};

use super::super::state::{Disk, Job, Package, Vm, Work, id_of};

impl Disk {
    /// As it is shown within its machine.
    pub(crate) fn brief(&self) -> Value {
        let mut view = Map::new();
        view.insert("id".to_owned(), self.id.clone().into());
        view.insert("size".to_owned(), self.size.into());
        if let Some(block_size) = self.block_size {
            view.insert("block_size".to_owned(), block_size.into());
        }
        if self.boot {
            view.insert("boot".to_owned(), true.into());
        }
        if !self.image.is_empty() {
            view.insert("image".to_owned(), self.image.clone().into());
        }
        Value::Object(view)
    }

    /// The space that it takes, or is about to take.
    fn takes(&self) -> u64 {
        self.size.max(self.wanted.unwrap_or(0))
    }
}

impl Vm {
    /// The PCI slot of its disk at this index.
    pub(crate) fn slot(&self, at: usize) -> String {
        let given = self.disks.get(at).map(|disk| disk.pci_slot.clone()).filter(|slot| !slot.is_empty());
        given.unwrap_or_else(|| format!("0:4:{at}"))
    }

    /// The id of its disk at this index, as CloudAPI shows it: one that was made without an id has the one that follows
    /// from its place.
    pub(crate) fn disk_id(&self, at: usize) -> String {
        let given = self.disks.get(at).map(|disk| disk.id.clone()).filter(|id| !id.is_empty());
        given.unwrap_or_else(|| id_of(&format!("{}/{}", self.uuid, self.slot(at))))
    }

    /// The ZFS volume of its disk at this index.
    pub(crate) fn volume(&self, at: usize) -> String {
        format!("zones/{}/disk{at}", self.uuid)
    }

    /// Disks without a place get one, so that none moves when another goes, and those without an id keep the one that
    /// they are shown with.
    pub(crate) fn settle_disks(&mut self) {
        for at in 0..self.disks.len() {
            let (id, free) = (self.disk_id(at), self.free_slot());
            if let Some(disk) = self.disks.get_mut(at) {
                disk.id = id;
                if disk.pci_slot.is_empty() {
                    disk.pci_slot = free;
                }
            }
        }
    }

    /// The first place on the usual bus that no disk has.
    pub(crate) fn free_slot(&self) -> String {
        let taken = |slot: &str| self.disks.iter().any(|disk| disk.pci_slot == slot);
        (0..8).map(|function| format!("0:4:{function}")).find(|slot| !taken(slot)).unwrap_or_default()
    }

    /// MiB of a flexible disk that no disk takes.
    pub(crate) fn free_space(&self, package: &Package) -> u64 {
        package.disk.saturating_sub(self.disk_space())
    }

    /// MiB that its disks take.
    pub(crate) fn disk_space(&self) -> u64 {
        self.disks.iter().map(Disk::takes).fold(0, u64::saturating_add)
    }
}

/// Carries out work on disks and snapshots, and says whether it went well; `None` for other work.
pub(crate) fn carry_out(machine: &mut Vm, job: &Job) -> Option<bool> {
    let possible = job.is_done() && machine.is_active();
    let done = match &job.work {
        Work::Snapshot { name } => {
            match machine.snapshots.iter_mut().find(|s| s.name == *name && s.state == "queued") {
                Some(snapshot) => {
                    snapshot.state = if possible { "created" } else { "failed" }.to_owned();
                    snapshot.created = job.due;
                    possible
                }
                // Deleted before it was there.
                None => false,
            }
        }
        Work::DeleteSnapshot { name } => {
            let found = machine.snapshots.iter_mut().find(|s| s.name == *name && s.state != "deleted");
            match found.filter(|_| possible) {
                Some(snapshot) => {
                    snapshot.state = "deleted".to_owned();
                    true
                }
                None => false,
            }
        }
        Work::Rollback { name, boots } => {
            let at = machine.snapshots.iter().position(|s| s.name == *name && s.state == "created");
            match at.filter(|_| possible) {
                Some(at) => {
                    // What was taken later describes a disk that is no more.
                    for later in machine.snapshots.iter_mut().skip(at.saturating_add(1)) {
                        if later.state == "created" {
                            later.state = "deleted".to_owned();
                        }
                    }
                    machine.state = if *boots { "running" } else { "stopped" }.to_owned();
                    true
                }
                None => false,
            }
        }
        Work::CreateDisk { disk } => {
            let id = disk;
            match machine.disks.iter_mut().find(|disk| disk.id == *id) {
                Some(disk) if possible => {
                    disk.state.clear();
                    true
                }
                _ => {
                    machine.disks.retain(|disk| disk.id != *id);
                    false
                }
            }
        }
        Work::ResizeDisk { disk } => match machine.disks.iter_mut().find(|other| other.id == *disk) {
            Some(disk) => {
                disk.state.clear();
                match disk.wanted.take().filter(|_| possible) {
                    Some(size) => {
                        disk.size = size;
                        true
                    }
                    None => false,
                }
            }
            None => false,
        },
        Work::DeleteDisk { disk } if possible => {
            let before = machine.disks.len();
            machine.disks.retain(|other| other.id != *disk);
            machine.disks.len() < before
        }
        Work::DeleteDisk { disk } => {
            if let Some(disk) = machine.disks.iter_mut().find(|other| other.id == *disk) {
                disk.state.clear();
            }
            false
        }
        _ => return None,
    };
    if done {
        machine.last_modified = job.due;
    }
    Some(done)
}
