//! Images that are made from machines.

use serde_json::json;

use super::super::clock::iso;
use super::super::state::{Job, State};

/// Bytes of a file for each MiB of what it was made from; most of a disk is empty or compresses well.
const FILE_BYTES: u64 = 1 << 14;

impl State {
    /// An image from a machine is ready, or is not to be had.
    pub(crate) fn image_made(&mut self, job: &Job, id: &str) -> bool {
        let (alive, disk) =
            self.vms.get(&job.vm_uuid).map_or((false, 0), |machine| (!machine.is_destroyed(), machine.disk()));
        let Some(image) = self.images.iter_mut().find(|image| image.id == id && image.state == "creating") else {
            return false;
        };
        if !job.is_done() || !alive {
            image.state = "failed".to_owned();
            image.error = if alive {
                json!({ "code": "PrepareImageDidNotRun", "message": "prepare-image script did not run on boot" })
            } else {
                json!({ "code": "InternalError", "message": "the machine is gone" })
            };
            return false;
        }
        image.state = "active".to_owned();
        image.published_at = iso(job.due);
        let sha1 = image.id.replace('-', "") + "00000000";
        image.files = vec![json!({
            "compression": "gzip",
            "sha1": sha1,
            "size": disk.saturating_mul(FILE_BYTES),
        })];
        true
    }
}
