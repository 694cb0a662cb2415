//! Volumes: shared file systems that machines mount, and what becomes of them over time.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::affinity::NODES;
use super::state::{Job, State, Vm, Volume, Work, id_of};

/// By what an operator, and no customer, finds the zones that serve volumes: internal metadata, and its value.
const ROLE: (&str, &str) = ("sdc:system_role", "nfsvolumestorage");

/// MiB of memory of such a zone.
const RAM: u64 = 256;

impl Volume {
    /// The id of the zone that serves it.
    pub(crate) fn zone_id(&self) -> String {
        id_of(&format!("volumes/{}/zone", self.id))
    }

    /// The server that its zone is on.
    pub(crate) fn server(&self) -> &'static str {
        let turn = self.id.bytes().map(usize::from).sum::<usize>() % NODES.len();
        NODES.get(turn).copied().unwrap_or_default()
    }

    /// The zone that serves it. It follows from the volume, and nothing of it is kept.
    fn zone(&self) -> Vm {
        let state = match self.state.as_str() {
            "creating" => "provisioning",
            "failed" => "failed",
            _ => "running",
        };
        let there = state == "running";
        let nics = Some(&self.nic).filter(|nic| there && !nic.mac.is_empty());
        Vm {
            uuid: self.zone_id(),
            owner_uuid: self.owner.clone(),
            alias: format!("nfs-shared-volume-{}", self.id),
            brand: "joyent-minimal".to_owned(),
            state: state.to_owned(),
            ram: RAM,
            quota: self.size,
            tags: self.tags.clone(),
            customer_metadata: Map::from_iter([("export-volumes".to_owned(), Value::from("[\"data\"]"))]),
            internal_metadata: Map::from_iter([(ROLE.0.to_owned(), Value::from(ROLE.1))]),
            delegate_dataset: true,
            nics: nics.cloned().into_iter().collect(),
            create_timestamp: self.created,
            last_modified: self.created.max(self.updated),
            server_uuid: self.server().to_owned(),
            ..Vm::default()
        }
    }
}

impl State {
    /// Whether a VM has this id, including those that serve volumes.
    pub(crate) fn has_vm(&self, uuid: &str) -> bool {
        self.vms.get(uuid).is_some() || self.volumes.iter().any(|volume| volume.zone_id() == uuid)
    }

    /// A VM, or a zone that serves a volume.
    pub(crate) fn any_vm(&self, uuid: &str) -> Option<Cow<'_, Vm>> {
        let zone = || self.volumes.iter().find(|volume| volume.zone_id() == uuid).map(|it| Cow::Owned(it.zone()));
        self.vms.get(uuid).map(Cow::Borrowed).or_else(zone)
    }

    /// The internal metadata of a VM, with what it follows from the volumes that it mounts.
    pub(crate) fn internal_metadata(&self, vm: &Vm) -> Map<String, Value> {
        let mut all = vm.internal_metadata.clone();
        let mounts = vm.volumes.iter().filter_map(|mount| {
            let volume = self.volumes.iter().find(|volume| volume.id == mount.volume)?;
            Some(json!({
                "name": volume.name,
                "mountpoint": mount.mountpoint,
                "mode": mount.mode,
                "type": "tritonnfs",
                "nfsvolume": format!("{}:/exports/data", volume.nic.ip),
            }))
        });
        let mounts: Vec<Value> = mounts.collect();
        if !mounts.is_empty() {
            all.insert("sdc:volumes".to_owned(), Value::from(mounts).to_string().into());
        }
        all
    }

    /// The zones that serve volumes. Customers do not see them among their machines.
    pub(crate) fn storage_zones(&self) -> Vec<Vm> {
        self.volumes.iter().map(Volume::zone).collect()
    }

    /// The ids of the machines that mount a volume. Those that failed or are deleted do not count,
    /// those that are stopped do.
    pub(crate) fn mounted_by(&self, volume: &str) -> Vec<&str> {
        let counts = |state: &str| !matches!(state, "destroyed" | "failed");
        self.vms
            .iter()
            .filter(|machine| counts(&machine.state) && machine.volumes.iter().any(|mount| mount.volume == volume))
            .map(|machine| machine.uuid.as_str())
            .collect()
    }

    /// Carries out work on a volume, and says whether it was done.
    pub(crate) fn carry_out_volume(&mut self, job: &Job) -> bool {
        let Some(at) = self.volumes.iter().position(|volume| volume.zone_id() == job.vm_uuid) else { return false };
        let Some(volume) = self.volumes.get_mut(at) else { return false };
        volume.updated = job.due;
        let done = job.is_done();
        match (&job.work, volume.state.as_str()) {
            (Work::CreateVolume, "creating") => {
                volume.state = if done { "ready" } else { "failed" }.to_owned();
            }
            (Work::DeleteVolume, "deleting") if !done => volume.state = "failed".to_owned(),
            (Work::DeleteVolume, "deleting") => {
                let gone = self.volumes.remove(at);
                self.free(&gone.nic);
            }
            _ => return false,
        }
        done
    }
}
