//! Migrations of machines to other compute nodes: begin, sync as often as wanted, switch, finalize.

use serde_json::{Map, Value};

use super::super::affinity::NODES;
use super::super::clock::iso;
use super::super::state::{Job, Migration, Planned, Progress, State, Step, Vm, Work};

/// Bytes that a sync copies in a second.
pub(crate) const RATE: u64 = 100 << 20;
/// Milliseconds between two reports of a sync, which has [`REPORTS`] of them.
const REPORT: i64 = 500;
const REPORTS: u8 = 4;

impl Step {
    /// A sync, seen from its end.
    pub(crate) const SYNC: Step = Step::Sync { report: REPORTS };

    /// How long it takes, in milliseconds.
    pub(crate) fn takes(self) -> i64 {
        match self {
            Step::Begin | Step::Switch => 1000,
            Step::Sync { report } => REPORT.saturating_mul(report.into()),
            Step::Pause | Step::Finalize => 200,
            Step::Abort | Step::Rollback => 500,
        }
    }

    /// The word for it in `phase`.
    fn phase(self) -> &'static str {
        match self {
            Step::Begin => "begin",
            Step::Sync { .. } => "sync",
            Step::Switch => "switch",
            Step::Pause => "pause",
            Step::Abort => "abort",
            Step::Finalize => "finalize",
            Step::Rollback => "rollback",
        }
    }

    /// Its name in the audit log.
    pub(crate) fn audited(self) -> Option<&'static str> {
        Some(match self {
            Step::Begin => "migrate_begin",
            Step::Sync { report: REPORTS } => "migrate_sync",
            Step::Sync { .. } => return None,
            Step::Switch => "migrate_switch",
            Step::Pause => "migrate_pause",
            Step::Abort => "migrate_abort",
            Step::Finalize => "migrate_finalize",
            Step::Rollback => "migrate_rollback",
        })
    }
}

impl Progress {
    /// As the API shows it, in the history as in a watch.
    pub(crate) fn view(&self) -> Value {
        let mut view = Map::new();
        let mut put = |name: &str, value: Value| {
            view.insert(name.to_owned(), value);
        };
        put("type", "progress".into());
        put("phase", self.phase.clone().into());
        put("state", self.state.clone().into());
        put("current_progress", self.current.into());
        put("total_progress", self.total.into());
        if !self.message.is_empty() {
            put("message", self.message.clone().into());
        }
        if !self.error.is_empty() {
            put("error", self.error.clone().into());
        }
        put("started_timestamp", iso(self.started).into());
        if let Some(finished) = self.finished {
            put("finished_timestamp", iso(finished).into());
            put("duration_ms", finished.saturating_sub(self.started).into());
        } else if self.phase == "sync" && self.current > 0 {
            let left = self.total.saturating_sub(self.current);
            put("eta_ms", (left.saturating_mul(1000) / RATE).into());
            put("transfer_bytes_second", RATE.into());
        }
        Value::Object(view)
    }
}

impl Migration {
    /// As the API shows it.
    pub(crate) fn view(&self) -> Value {
        let mut view = Map::new();
        let mut put = |name: &str, value: Value| {
            view.insert(name.to_owned(), value);
        };
        put("machine", self.machine.clone().into());
        put("automatic", self.automatic.into());
        put("phase", self.phase.clone().into());
        put("state", self.state.clone().into());
        put("created_timestamp", iso(self.created).into());
        put("started_timestamp", iso(self.created).into());
        if let Some(finished) = self.finished {
            put("finished_timestamp", iso(finished).into());
            put("duration_ms", finished.saturating_sub(self.created).into());
        }
        if !self.error.is_empty() {
            put("error", self.error.clone().into());
        }
        put("progress_history", self.history.iter().map(Progress::view).collect());
        Value::Object(view)
    }

    /// The phase that runs is over.
    fn end(&mut self, at: i64, state: &str, error: &str) {
        if let Some(progress) = self.history.last_mut().filter(|progress| progress.state == "running") {
            progress.state = if error.is_empty() { "successful" } else { "failed" }.to_owned();
            progress.error = error.to_owned();
            progress.finished = Some(at);
            if error.is_empty() {
                progress.current = progress.total;
            }
        }
        self.state = state.to_owned();
    }
}

/// How many bytes there are to copy.
pub(crate) fn bytes(machine: &Vm) -> u64 {
    let disks = machine.disk_space();
    // Of a container an eighth of its quota, since most of that is empty.
    let size = if machine.disks.is_empty() { machine.disk() / 8 } else { disks };
    size.max(1).saturating_mul(1 << 20)
}

impl State {
    /// The migration of a machine.
    pub(crate) fn migration(&self, machine: &str) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.machine == machine)
    }

    fn migration_mut(&mut self, machine: &str) -> Option<&mut Migration> {
        self.migrations.iter_mut().find(|migration| migration.machine == machine)
    }

    /// Starts a step, and returns the id of its job; that it may be started has been seen to.
    pub(crate) fn migrate(
        &mut self,
        now: i64,
        machine: &str,
        step: Step,
        caller: &Value,
        fails: Option<Planned>,
    ) -> String {
        let total = match step {
            Step::Sync { .. } => self.vms.get(machine).map_or(100, bytes),
            _ => 100,
        };
        if matches!(step, Step::Pause | Step::Abort) {
            let other = |job: &mut Job| job.vm_uuid == machine && matches!(job.work, Work::Migrate(_));
            let cut: Vec<Job> = self.jobs.extract_if(.., other).collect();
            let ends = cut.into_iter().filter(|job| job.work.chain().is_some());
            self.history.extend(ends.map(|job| job.canceled(now)));
        }
        let Some(migration) = self.migration_mut(machine) else { return String::new() };
        if step == Step::Pause {
            migration.end(now, "running", "paused by the user");
        }
        migration.phase = step.phase().to_owned();
        migration.state = "running".to_owned();
        migration.error.clear();
        migration.finished = None;
        if matches!(step, Step::Begin | Step::Sync { .. } | Step::Switch) {
            let message = match step {
                Step::Begin => "reserving an instance on another compute node",
                Step::Sync { .. } => "copying the file systems",
                _ => "moving the machine to its new compute node",
            };
            migration.history.push(Progress {
                phase: step.phase().to_owned(),
                state: "running".to_owned(),
                total,
                message: message.to_owned(),
                started: now,
                ..Progress::default()
            });
        }
        if let Step::Sync { .. } = step {
            for report in 1..REPORTS {
                self.plan(now, machine, Work::Migrate(Step::Sync { report }), caller.clone(), fails.clone());
            }
        }
        self.plan(now, machine, Work::Migrate(step), caller.clone(), fails)
    }

    /// A step has come to its end, or to its next report.
    pub(crate) fn migrated(&mut self, job: &Job, step: Step) -> Option<bool> {
        let (gone, own_node) = match self.vms.get(&job.vm_uuid) {
            Some(machine) => (machine.is_destroyed(), machine.server_uuid.clone()),
            None => (true, String::new()),
        };
        let Some(migration) = self.migration_mut(&job.vm_uuid) else {
            // It went with its VM, and what was to be a step of it is none.
            return step.audited().map(|_| false);
        };
        let mut after = None;
        let success = job.is_done() && !gone;
        match step {
            Step::Abort | Step::Finalize if step == Step::Finalize || job.is_done() => {
                let id = job.vm_uuid.as_str();
                self.migrations.retain(|migration| migration.machine != id);
                return Some(true);
            }
            // Back to the server that it came from; what was moved stays in the record.
            Step::Rollback if success => {
                migration.end(job.due, "successful", "");
                let target = std::mem::replace(&mut migration.target, own_node);
                if let Some(machine) = self.vms.get_mut(&job.vm_uuid) {
                    machine.server_uuid = target;
                    machine.last_modified = job.due;
                }
            }
            Step::Pause => {
                migration.phase = "sync".to_owned();
                migration.state = "paused".to_owned();
            }
            Step::Sync { report } if report < REPORTS => {
                if let Some(progress) = migration.history.last_mut().filter(|progress| progress.state == "running") {
                    progress.current = progress.total / u64::from(REPORTS) * u64::from(report);
                }
            }
            _ if !success => {
                let error = if gone { "the machine is gone" } else { "the compute node refused" };
                migration.end(job.due, "failed", error);
                migration.error = error.to_owned();
                migration.finished = Some(job.due);
            }
            Step::Begin => {
                migration.end(job.due, "paused", "");
                let target = NODES.iter().find(|node| **node != own_node).copied().unwrap_or_default();
                migration.target = target.to_owned();
                after = migration.automatic.then_some(Step::SYNC);
            }
            Step::Sync { .. } => {
                migration.end(job.due, "paused", "");
                migration.synced = true;
                after = migration.automatic.then_some(Step::Switch);
            }
            // A success returned or matched above, and a failure was handled there.
            Step::Rollback | Step::Abort | Step::Finalize => {}
            Step::Switch => {
                migration.end(job.due, "successful", "");
                migration.finished = Some(job.due);
                // A rollback goes back to where it is now.
                let target = std::mem::replace(&mut migration.target, own_node);
                if let Some(machine) = self.vms.get_mut(&job.vm_uuid) {
                    machine.server_uuid = target;
                    machine.last_modified = job.due;
                }
            }
        }
        if let Some(after) = after {
            self.migrate(job.due, &job.vm_uuid, after, &job.caller, None);
        }
        step.audited().map(|_| success || step == Step::Pause)
    }
}
