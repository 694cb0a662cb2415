//! Volumes: shared file systems that machines mount, and what becomes of them over time.

use super::state::State;
use crate::emulator::datacenter::state::Work;

impl State {
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
