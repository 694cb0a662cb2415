//! What happens to machines and volumes over time. Work that was asked for is a [`Job`] with a due time; before
//! every request those that are due are carried out, so nothing runs in the background.

pub(crate) mod images;
pub(crate) mod migrations;
pub(crate) mod storage;

use serde_json::Value;

use super::state::{Entry, Job, Machine, State, Work};

impl Work {
    /// How long it takes at the pace of real time, in milliseconds.
    fn takes(&self) -> i64 {
        match self {
            Work::Provision { .. } | Work::CreateVolume => 2000,
            Work::Start | Work::Stop | Work::Reboot | Work::Destroy => 1000,
            Work::RebootDown | Work::CreateDisk { .. } | Work::ResizeDisk { .. } | Work::DeleteDisk { .. } => 500,
            Work::Snapshot { .. } | Work::Rollback { .. } => 1000,
            Work::AddNic { .. } | Work::RemoveNic { .. } | Work::DeleteVolume => 1000,
            Work::Image { .. } => 3000,
            Work::Migrate(step) => step.takes(),
            Work::Rename { .. } | Work::Resize { .. } | Work::Firewall { .. } | Work::DeletionProtection { .. } => 200,
            Work::DeleteSnapshot { .. } => 200,
            Work::SetTags { .. } | Work::ReplaceTags { .. } | Work::RemoveTags { .. } => 200,
            Work::SetMetadata { .. } | Work::ReplaceMetadata { .. } | Work::RemoveMetadata { .. } => 200,
        }
    }

    /// Its name in the audit log; `None` for what leaves no entry there.
    fn audited(&self) -> Option<&'static str> {
        Some(match self {
            Work::Provision { .. } => "provision",
            Work::Start => "start",
            Work::Stop => "stop",
            // Migrations enter their own.
            Work::RebootDown | Work::Image { .. } | Work::Migrate(_) => return None,
            Work::CreateVolume | Work::DeleteVolume => return None,
            Work::Reboot => "reboot",
            Work::Destroy => "destroy",
            Work::Rename { .. } => "rename",
            Work::Resize { .. } => "resize",
            Work::Firewall { .. } | Work::CreateDisk { .. } | Work::ResizeDisk { .. } | Work::DeleteDisk { .. } => {
                "unknown"
            }
            Work::Snapshot { .. } => "create_snapshot",
            Work::DeleteSnapshot { .. } => "delete_snapshot",
            Work::Rollback { .. } => "rollback_snapshot",
            Work::DeletionProtection { on: true } => "enable_deletion_protection",
            Work::DeletionProtection { on: false } => "disable_deletion_protection",
            Work::SetTags { .. } => "set_tags",
            Work::ReplaceTags { .. } => "replace_tags",
            Work::RemoveTags { .. } => "remove_tags",
            Work::SetMetadata { .. } => "set_metadata",
            Work::ReplaceMetadata { .. } => "replace_metadata",
            Work::RemoveMetadata { .. } => "remove_metadata",
            Work::AddNic { .. } => "add_nics",
            Work::RemoveNic { .. } => "remove_nics",
        })
    }
}

impl Machine {
    /// Enters finished work into the audit log.
    fn enter(&mut self, job: &Job, success: bool) {
        if let Some(action) = job.work.audited() {
            let caller = job.caller.clone();
            self.audit.push(Entry { action: action.to_owned(), success, time: job.due, caller });
        }
    }
}

impl State {
    /// Plans work on a machine. It shows at once only where the real server shows it at once.
    pub(crate) fn plan(&mut self, now: i64, machine: &str, work: Work, caller: Value, fails: bool) {
        if let (Work::Stop, Some(machine)) = (&work, self.machines.get_mut(machine))
            && machine.state == "running"
            && !fails
        {
            machine.state = "stopping".to_owned();
            machine.updated = now;
        }
        if matches!(work, Work::Reboot | Work::AddNic { .. } | Work::RemoveNic { .. }) && !fails {
            self.queue(Job {
                due: self.end(now, &Work::RebootDown),
                machine: machine.to_owned(),
                work: Work::RebootDown,
                caller: caller.clone(),
                fails,
            });
        }
        let due = self.end(now, &work);
        self.queue(Job { due, machine: machine.to_owned(), work, caller, fails });
    }

    /// When work that begins now is done.
    pub(crate) fn end(&self, now: i64, work: &Work) -> i64 {
        now.saturating_add(self.pace.takes(work.takes()))
    }

    fn queue(&mut self, job: Job) {
        let at = self.jobs.partition_point(|other| other.due <= job.due);
        self.jobs.insert(at, job);
    }

    /// Carries out what is due. Whether anything was.
    pub(crate) fn catch_up(&mut self, now: i64) -> bool {
        let mut any = false;
        // What was carried out may have planned more that is due by now.
        loop {
            let due = self.jobs.partition_point(|job| job.due <= now);
            if due == 0 {
                return any;
            }
            any = true;
            let ready: Vec<Job> = self.jobs.drain(..due).collect();
            for job in &ready {
                self.carry_out(job);
            }
        }
    }

    fn carry_out(&mut self, job: &Job) {
        match &job.work {
            Work::Image { image } => return self.image_made(job, image),
            Work::Migrate(step) => return self.migrated(job, *step),
            Work::CreateVolume | Work::DeleteVolume => {
                return self.carry_out_volume(&job.machine, &job.work, job.fails);
            }
            _ => {}
        }
        let package = match &job.work {
            Work::Resize { package } => self.package(package).map(|p| (p.id.clone(), p.memory, p.disk)),
            _ => None,
        };
        let Some(machine) = self.machines.get_mut(&job.machine) else { return };
        if let Some(success) = storage::carry_out(machine, job) {
            return machine.enter(job, success);
        }
        let state = machine.state.clone();
        let state = state.as_str();
        // A stop that is planned to fail leaves the machine running.
        let possible = !job.fails
            && match &job.work {
                Work::Provision { .. } => state == "provisioning",
                Work::Start => state == "stopped",
                Work::Stop => matches!(state, "running" | "stopping"),
                Work::RebootDown => state == "running",
                Work::Reboot => matches!(state, "running" | "ready"),
                Work::Resize { .. } => state != "deleted" && package.is_some(),
                Work::DeletionProtection { .. } => true,
                _ => state != "deleted",
            };
        let mut entered = None;
        let mut left = None;
        if possible {
            match &job.work {
                Work::Provision { nics, compute_node } => {
                    entered = Some("running");
                    machine.nics.clone_from(nics);
                    machine.compute_node.clone_from(compute_node);
                }
                Work::Start | Work::Reboot => entered = Some("running"),
                Work::Stop => entered = Some("stopped"),
                Work::RebootDown => entered = Some("ready"),
                Work::Destroy => entered = Some("deleted"),
                Work::Rename { name } => machine.name.clone_from(name),
                Work::Resize { .. } => {
                    if let Some((id, memory, disk)) = package {
                        (machine.package, machine.memory, machine.disk) = (id, memory, disk);
                    }
                }
                Work::Firewall { on } => machine.firewall_enabled = *on,
                Work::DeletionProtection { on } => machine.deletion_protection = *on,
                Work::SetTags { tags } => machine.tags.extend(tags.clone()),
                Work::ReplaceTags { tags } => machine.tags.clone_from(tags),
                Work::RemoveTags { names } => machine.tags.retain(|name, _| !names.contains(name)),
                Work::SetMetadata { metadata } => machine.metadata.extend(metadata.clone()),
                Work::ReplaceMetadata { metadata } => machine.metadata.clone_from(metadata),
                Work::RemoveMetadata { names } => machine.metadata.retain(|name, _| !names.contains(name)),
                Work::AddNic { mac } => machine.settle_nic(mac),
                Work::RemoveNic { mac } => left = machine.take_nic(mac),
                // The rest has been seen to above.
                _ => {}
            }
            // The second half of the reboot that comes with it.
            if matches!(job.work, Work::AddNic { .. } | Work::RemoveNic { .. }) && state == "ready" {
                entered = Some("running");
            }
            machine.updated = job.due;
        } else if matches!(job.work, Work::Provision { .. }) && state == "provisioning" {
            entered = Some("failed");
        } else if let Work::AddNic { mac } = &job.work {
            left = machine.take_nic(mac);
        }
        if let Some(state) = entered {
            machine.state = state.to_owned();
        }
        machine.enter(job, possible);
        if entered == Some("deleted") {
            self.migrations.retain(|migration| migration.machine != job.machine);
        }
        if let Some(nic) = left {
            self.free(&nic);
        }
    }
}
