//! Volumes: shared file systems that machines mount, and what becomes of them over time.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::jobs::Work;
use super::state::{Nic, State};

/// A volume. Its size is MiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Volume {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) created: i64,
    pub(crate) size: u64,
    /// Ids of fabric networks.
    pub(crate) networks: Vec<String>,
    pub(crate) tags: Map<String, Value>,
    /// Where it is served from, on the first of its networks.
    pub(crate) nic: Nic,
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

impl State {
    /// The ids of the machines that mount a volume. Those that failed or are deleted do not count,
    /// those that are stopped do.
    pub(crate) fn mounted_by(&self, volume: &str) -> Vec<&str> {
        let counts = |state: &str| !matches!(state, "deleted" | "failed");
        self.machines
            .iter()
            .filter(|machine| counts(&machine.state) && machine.volumes.iter().any(|mount| mount.volume == volume))
            .map(|machine| machine.id.as_str())
            .collect()
    }

    /// Carries out work on a volume.
    pub(crate) fn carry_out_volume(&mut self, id: &str, work: &Work, fails: bool) {
        let Some(at) = self.volumes.iter().position(|volume| volume.id == id) else { return };
        let Some(volume) = self.volumes.get_mut(at) else { return };
        match (work, volume.state.as_str()) {
            (Work::CreateVolume, "creating") => {
                volume.state = if fails { "failed" } else { "ready" }.to_owned();
            }
            (Work::DeleteVolume, "deleting") if fails => volume.state = "failed".to_owned(),
            (Work::DeleteVolume, "deleting") => {
                let gone = self.volumes.remove(at);
                self.free(&gone.nic);
            }
            _ => {}
        }
    }
}
