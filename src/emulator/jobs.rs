//! What happens to machines over time. Work that was asked for is a [`Job`] with a due time; before
//! every request those that are due are carried out, so nothing runs in the background.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::state::{Entry, Nic, State};

/// Work in progress on a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// When it ends, in milliseconds since 1970 by the machines' clock.
    pub(crate) due: i64,
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
}

impl Work {
    /// How long it takes, in milliseconds.
    pub(crate) fn takes(&self) -> i64 {
        match self {
            Work::Provision { .. } => 2000,
            Work::Start | Work::Stop | Work::Reboot | Work::Destroy => 1000,
            Work::RebootDown => 500,
            _ => 200,
        }
    }

    /// Its name in the audit log; `None` for what leaves no entry there.
    fn audited(&self) -> Option<&'static str> {
        Some(match self {
            Work::Provision { .. } => "provision",
            Work::Start => "start",
            Work::Stop => "stop",
            Work::RebootDown => return None,
            Work::Reboot => "reboot",
            Work::Destroy => "destroy",
            Work::Rename { .. } => "rename",
            Work::Resize { .. } => "resize",
            Work::Firewall { .. } => "unknown",
            Work::DeletionProtection { on: true } => "enable_deletion_protection",
            Work::DeletionProtection { on: false } => "disable_deletion_protection",
            Work::SetTags { .. } => "set_tags",
            Work::ReplaceTags { .. } => "replace_tags",
            Work::RemoveTags { .. } => "remove_tags",
            Work::SetMetadata { .. } => "set_metadata",
            Work::ReplaceMetadata { .. } => "replace_metadata",
            Work::RemoveMetadata { .. } => "remove_metadata",
        })
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
        if matches!(work, Work::Reboot) && !fails {
            self.queue(Job {
                due: now.saturating_add(Work::RebootDown.takes()),
                machine: machine.to_owned(),
                work: Work::RebootDown,
                caller: caller.clone(),
                fails,
            });
        }
        let due = now.saturating_add(work.takes());
        self.queue(Job { due, machine: machine.to_owned(), work, caller, fails });
    }

    fn queue(&mut self, job: Job) {
        let at = self.jobs.partition_point(|other| other.due <= job.due);
        self.jobs.insert(at, job);
    }

    /// Carries out what is due. Whether anything was.
    pub(crate) fn catch_up(&mut self, now: i64) -> bool {
        let due = self.jobs.partition_point(|job| job.due <= now);
        let ready: Vec<Job> = self.jobs.drain(..due).collect();
        for job in &ready {
            self.carry_out(job);
        }
        due > 0
    }

    fn carry_out(&mut self, job: &Job) {
        let package = match &job.work {
            Work::Resize { package } => self.package(package).map(|p| (p.id.clone(), p.memory, p.disk)),
            _ => None,
        };
        let Some(machine) = self.machines.get_mut(&job.machine) else { return };
        let state = machine.state.as_str();
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
            }
            machine.updated = job.due;
        } else if matches!(job.work, Work::Provision { .. }) && state == "provisioning" {
            entered = Some("failed");
        }
        if let Some(state) = entered {
            machine.state = state.to_owned();
        }
        if let Some(action) = job.work.audited() {
            let caller = job.caller.clone();
            machine.audit.push(Entry { action: action.to_owned(), success: possible, time: job.due, caller });
        }
    }
}
