//! What happens to machines and volumes over time. Work that was asked for is a [`Job`] with a due time; before
//! every request those that are due are carried out, so nothing runs in the background.

pub(crate) mod images;
mod lost;
pub(crate) mod migrations;
mod queue;
pub(crate) mod storage;
pub(crate) mod updates;
pub(crate) mod view;
pub(crate) mod watch;

use serde_json::{Value, json};

pub(crate) use queue::GOOD_FOR;

use super::chains::{GIVE_UP, MAKE, QUEUE, STATE};
use super::state::{Failure, Job, Nic, Package, Planned, Runner, State, Step, Vm, Work, id_of};

impl Work {
    /// Whether it reboots the VM.
    fn restarts(&self) -> bool {
        matches!(self, Work::Reboot | Work::AddNics { .. } | Work::RemoveNics { .. })
    }

    /// How long it takes at the pace of real time, in milliseconds.
    pub(super) fn takes(&self) -> i64 {
        match self {
            Work::Provision { .. } | Work::CreateVolume => 2000,
            Work::Start | Work::Stop | Work::Reboot | Work::Destroy => 1000,
            Work::RebootDown | Work::CreateDisk { .. } | Work::ResizeDisk { .. } | Work::DeleteDisk { .. } => 500,
            Work::Snapshot { .. } | Work::Rollback { .. } => 1000,
            Work::AddNics { .. } | Work::RemoveNics { .. } | Work::UpdateNics { .. } | Work::DeleteVolume => 1000,
            Work::Image { .. } => 3000,
            Work::Migrate(step) => step.takes(),
            Work::Rename { .. } | Work::Resize { .. } | Work::Firewall { .. } | Work::DeletionProtection { .. } => 200,
            Work::DeleteSnapshot { .. } => 200,
            Work::Kill { .. } => 500,
            Work::Reprovision { .. } => 2000,
            Work::Update { .. } => 200,
            Work::Past { .. } => 0,
            Work::SetTags { .. } | Work::ReplaceTags { .. } | Work::RemoveTags { .. } => 200,
            Work::SetMetadata { .. } | Work::ReplaceMetadata { .. } | Work::RemoveMetadata { .. } => 200,
        }
    }

    /// Its name in the audit log; `None` for what leaves no entry there.
    pub(crate) fn audited(&self) -> Option<&str> {
        Some(match self {
            Work::Provision { .. } => "provision",
            Work::Start => "start",
            Work::Stop => "stop",
            Work::Migrate(step) => return step.audited(),
            Work::RebootDown | Work::Image { .. } => return None,
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
            Work::AddNics { .. } => "add_nics",
            Work::RemoveNics { .. } => "remove_nics",
            Work::UpdateNics { .. } => "update_nics",
            Work::Kill { .. } => "kill",
            Work::Reprovision { .. } => "reprovision",
            Work::Update { fields } => updates::audited(fields),
            Work::Past { action } => action,
        })
    }
}

/// The id of the job that is the first half of a reboot, by the id of the whole.
fn half_of(job: &str) -> String {
    id_of(&format!("{job}/down"))
}

/// What is said of a job that another one does already.
pub(crate) const QUEUED: &str = "Another job with the same target and params is already queued";

/// What is said of work that was planned to fail.
const PLANNED: &str = "the task failed on the server";

/// What is said of a job that has taken too long.
const TIMEOUT: &str = "workflow timeout";

/// The internal metadata by which an operator has a provision fail.
const FORCED: &str = "force_provision_failure";

impl State {
    /// Plans work on a machine, and returns the id of its job. It shows at once only where the real server shows it at
    /// once.
    pub(crate) fn plan(
        &mut self,
        now: i64,
        machine: &str,
        work: Work,
        caller: Value,
        fails: Option<Planned>,
    ) -> String {
        self.ask(now, Job { fails, ..Job::new(now, now, 0, machine, work, caller) })
    }

    /// Plans a job that says all but when it begins and ends. Returns its id.
    pub(crate) fn ask(&mut self, now: i64, mut job: Job) -> String {
        let chain = job.work.chain();
        // A job cannot fail at a step that it does not have.
        let has = |step: &str| step.is_empty() || chain.is_none_or(|chain| chain.at(step).is_some());
        job.fails = job.fails.filter(|planned| has(&planned.step));
        let uuid = job.uuid.clone();
        if self.operators.no_runner && chain.is_some() {
            (job.runner, job.begins, job.due) = (Runner::Awaited, i64::MAX, i64::MAX);
            self.queue(job);
        } else {
            self.start(now, job);
        }
        uuid
    }

    /// Says when a job begins and ends, as far as nothing holds it up.
    fn start(&mut self, now: i64, mut job: Job) {
        (job.begins, job.due) = self.times(now, &job);
        if self.is_held(&job) {
            job.wait_for_ticket(now);
            return self.queue(job);
        }
        let restarts = job.work.restarts() && job.is_done();
        self.hold(now, &mut job);
        self.show_begun(now, &job);
        if restarts {
            let down = Job::new(now, job.begins, 0, &job.vm_uuid, Work::RebootDown, job.caller.clone());
            let mut down = Job { uuid: half_of(&job.uuid), due: self.end(job.begins, &down.work), ..down };
            self.hold(now, &mut down);
            self.queue(down);
        }
        self.queue(job);
    }

    /// When a job begins that is asked for now, and when it is done: behind those that have its VM to themselves.
    fn times(&self, now: i64, job: &Job) -> (i64, i64) {
        // Those that wait for a ticket which the job is before are behind it too.
        let held = self.is_held(job);
        let busy = |other: &&Job| other.vm_uuid == job.vm_uuid && other.is_in_line() && (held || !self.is_held(other));
        let queue = self.jobs.iter().filter(busy).map(|other| other.due).max().filter(|_| job.is_in_line());
        let begins = queue.map_or(now, |until| until.max(now));
        (begins, self.end(begins, &job.work))
    }

    /// Shows what a server shows as soon as it begins.
    fn show_begun(&mut self, now: i64, job: &Job) {
        if let (Work::Stop, Some(machine)) = (&job.work, self.vms.get_mut(&job.vm_uuid))
            && machine.state == "running"
            && job.is_done()
            && job.begins == now
        {
            machine.state = "stopping".to_owned();
            machine.last_modified = now;
        }
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
            // Tickets expire amid the jobs, and those let others go on.
            let expiry = self.next_expiry().filter(|at| *at <= now);
            let until = expiry.unwrap_or(now);
            let due = self.jobs.partition_point(|job| job.due <= until);
            if due == 0 && expiry.is_none() {
                return any;
            }
            any = true;
            if due == 0 {
                self.expire_tickets(until);
                continue;
            }
            let ready: Vec<Job> = self.jobs.drain(..due).collect();
            let mut ready = ready.into_iter();
            while let Some(mut job) = ready.next() {
                // It may have waited for its ticket until the end.
                job.begins = job.begins.min(job.due);
                if job.is_retried() {
                    // The next attempt queues behind those that are due too.
                    self.jobs.splice(0..0, ready);
                    self.retry(job);
                    break;
                }
                if let Some(success) = self.carry_out(&job) {
                    let failure = (!success || job.fails.is_some()).then(|| self.why(&job));
                    self.history.push(job.ended(failure));
                }
            }
        }
    }

    /// Ends an attempt at a job, and begins the next one.
    fn retry(&mut self, job: Job) {
        let (previous, attempt) = (Some(job.uuid.clone()), job.attempt.saturating_add(1));
        let fresh = Job::new(job.due, job.due, 0, &job.vm_uuid, job.work.clone(), job.caller.clone());
        let next = Job { asked: job.asked.clone(), previous, attempt, ..fresh };
        let failure = self.why(&job);
        let mut ended = job.ended(Some(failure));
        let at = ended.due;
        if let Some(end) = &mut ended.end {
            end.next = Some(next.uuid.clone());
        }
        self.history.push(ended);
        self.ask(at, next);
    }

    /// Cancels a job that has not ended. It takes the path of a failure, which undoes what the job had begun.
    pub(crate) fn cancel(&mut self, now: i64, uuid: &str) {
        let Some(at) = self.jobs.iter().position(|job| job.uuid == uuid) else { return };
        let job = self.jobs.remove(at);
        let half = half_of(&job.uuid);
        let waits = self.jobs.iter().any(|other| other.uuid == half);
        let is_sync = |work: &Work| matches!(work, Work::Migrate(Step::Sync { .. }));
        let part = |other: &Job| other.vm_uuid == job.vm_uuid && is_sync(&job.work) && is_sync(&other.work);
        self.jobs.retain(|other| other.uuid != half && !part(other));
        let down = job.work.restarts() && !waits;
        // A job that still waits for its ticket has not changed the state: another job has.
        if let Some(vm) = self.vms.get_mut(&job.vm_uuid).filter(|_| job.begins <= now)
            && (matches!(job.work, Work::Stop) && vm.state == "stopping" || down && vm.state == "ready")
        {
            "running".clone_into(&mut vm.state);
        }
        let job = job.canceled(now);
        self.carry_out(&Job { fails: Some(Planned::default()), due: now, ..job.clone() });
        self.history.push(job);
    }

    /// Why a job has failed.
    fn why(&self, job: &Job) -> Failure {
        let chain = job.work.chain();
        let at = |step: &str, error: Value| Failure { step: step.to_owned(), error };
        if job.waits.is_some() {
            let server = chain.map_or("", |chain| chain.refused());
            return at(if job.begins < job.due { server } else { QUEUE }, TIMEOUT.into());
        }
        if let Some(step) = job.failing().filter(|_| job.fails.as_ref().is_some_and(|planned| !planned.step.is_empty()))
        {
            return at(step, PLANNED.into());
        }
        let vm = self.vms.get(&job.vm_uuid);
        if matches!(job.work, Work::Provision { .. }) && vm.is_some_and(is_forced) {
            return at(MAKE, format!("{FORCED} set, failing").into());
        }
        match (chain, vm) {
            (Some(chain), Some(vm)) if job.fails.is_none() && chain.steps.contains(&STATE) => {
                let message = format!("Cannot {} a VM from a '{}' state", chain.word, vm.state);
                at(STATE, json!({ "name": "Error", "message": message }))
            }
            (Some(chain), _) => at(chain.refused(), PLANNED.into()),
            (None, _) => at("", PLANNED.into()),
        }
    }

    /// Does what a job is to do, and says whether that went well; `None` where nothing but a part of a job is over.
    fn carry_out(&mut self, job: &Job) -> Option<bool> {
        match &job.work {
            Work::Image { image } => return Some(self.image_made(job, image)),
            Work::Migrate(step) => return self.migrated(job, *step),
            Work::CreateVolume | Work::DeleteVolume => {
                return Some(self.carry_out_volume(job));
            }
            _ => {}
        }
        let package = match &job.work {
            Work::Resize { package } => self.package(package).cloned(),
            Work::Update { fields } => {
                fields.get("billing_id").and_then(Value::as_str).and_then(|id| self.package(id)).cloned()
            }
            _ => None,
        };
        let machine = self.vms.get_mut(&job.vm_uuid)?;
        if let Some(success) = storage::carry_out(machine, job) {
            return Some(success);
        }
        let owner = machine.owner_uuid.clone();
        let state = machine.state.clone();
        let state = state.as_str();
        if job.is_idempotent() && is_there(&job.work, state) && job.fails.is_none() {
            machine.last_modified = job.due;
            return Some(true);
        }
        let possible = job.is_done() && is_possible(&job.work, machine, package.is_some());
        // What the VM gives up, and what is left of it in NAPI all the same.
        let (mut left, mut kept) = (Vec::new(), Vec::new());
        let mut entered = None;
        if possible {
            entered = change(machine, job, package, &mut left);
            if entered == Some("destroyed") && !job.passes(GIVE_UP) {
                kept.clone_from(&machine.nics);
            }
            // The second half of the reboot that comes with it.
            if job.work.restarts() && state == "ready" {
                entered = Some("running");
            }
            machine.last_modified = job.due;
        } else if let (Work::Provision { nics, .. }, "provisioning") = (&job.work, state) {
            entered = Some("failed");
            machine.last_modified = job.due;
            // Its record has them for ever, as that of a VM that is gone.
            machine.nics.clone_from(nics);
            // Only what the server has not been asked for is tidied up.
            let stay = job.passes(MAKE) && !is_forced(machine);
            let fate = if stay { &mut kept } else { &mut left };
            fate.clone_from(nics);
        } else if let Work::AddNics { macs } = &job.work {
            left.extend(macs.iter().filter_map(|mac| machine.take_nic(mac)));
        }
        if let Some(state) = entered {
            machine.state = state.to_owned();
            if state == "running" {
                machine.booted = job.due;
            }
        }
        let place = format!("machines/{}", job.vm_uuid);
        let new_owner = machine.owner_uuid.clone();
        if new_owner != owner
            && let Some(roles) = self.account_mut(&owner).and_then(|account| account.role_tags.remove(&place))
            && let Some(account) = self.account_mut(&new_owner)
        {
            account.role_tags.insert(place, roles);
        }
        if matches!(entered, Some("destroyed" | "failed")) {
            self.drop_loose_of(&job.vm_uuid);
        }
        if entered == Some("destroyed") {
            self.migrations.retain(|migration| migration.machine != job.vm_uuid);
        }
        self.leave_behind(job.due, &job.vm_uuid, kept);
        for nic in &left {
            self.free(nic);
        }
        (!matches!(job.work, Work::RebootDown)).then_some(possible)
    }
}

fn is_forced(vm: &Vm) -> bool {
    vm.internal_metadata.get(FORCED).is_some_and(|value| !matches!(value, Value::Bool(false) | Value::Null))
}

/// Whether the machine is in the state already that the work would bring about.
fn is_there(work: &Work, state: &str) -> bool {
    matches!((work, state), (Work::Start, "running") | (Work::Stop, "stopped"))
}

/// Whether the machine is in a state in which this can be done. A stop that is planned to fail leaves it running.
fn is_possible(work: &Work, machine: &Vm, has_package: bool) -> bool {
    let state = machine.state.as_str();
    match work {
        Work::Provision { .. } => state == "provisioning" && !is_forced(machine),
        Work::Start => state == "stopped",
        Work::Stop => matches!(state, "running" | "stopping"),
        Work::RebootDown => state == "running",
        Work::Reboot => matches!(state, "running" | "ready"),
        Work::Resize { .. } => machine.is_active() && has_package,
        Work::DeletionProtection { .. } => true,
        // The server refuses it, where CloudAPI has not done so before.
        Work::Destroy => state != "destroyed" && !machine.indestructible_zoneroot,
        // Of one that failed there is nothing on its server.
        _ => machine.is_active(),
    }
}

/// Changes a machine as its job says. Returns the state that it gets into, if that changes; `left` gets the interfaces
/// that are no longer its own.
fn change(machine: &mut Vm, job: &Job, package: Option<Package>, left: &mut Vec<Nic>) -> Option<&'static str> {
    match &job.work {
        Work::Provision { nics, compute_node } => {
            machine.nics.clone_from(nics);
            machine.server_uuid.clone_from(compute_node);
            let starts = machine.more.get("autoboot") != Some(&Value::Bool(false));
            return Some(if starts { "running" } else { "stopped" });
        }
        Work::Start | Work::Reboot => return Some("running"),
        Work::Stop => return Some("stopped"),
        Work::RebootDown => return Some("ready"),
        Work::Destroy => return Some("destroyed"),
        Work::Rename { name } => machine.alias.clone_from(name),
        Work::Resize { .. } => package.iter().for_each(|package| machine.fit(package)),
        Work::Update { fields } => updates::apply(machine, fields, package.as_ref()),
        Work::Firewall { on } => machine.firewall_enabled = *on,
        Work::DeletionProtection { on } => machine.indestructible_zoneroot = *on,
        Work::SetTags { tags } => machine.tags.extend(tags.clone()),
        Work::ReplaceTags { tags } => {
            machine.tags.retain(|name, _| updates::is_dockers(name));
            machine.tags.extend(tags.clone());
        }
        Work::RemoveTags { names } => machine.tags.retain(|name, _| !names.contains(name)),
        Work::SetMetadata { metadata } => machine.customer_metadata.extend(metadata.clone()),
        Work::ReplaceMetadata { metadata } => machine.customer_metadata.clone_from(metadata),
        Work::RemoveMetadata { names } => machine.customer_metadata.retain(|name, _| !names.contains(name)),
        Work::AddNics { macs } => macs.iter().for_each(|mac| machine.settle_nic(mac)),
        Work::RemoveNics { macs } => left.extend(macs.iter().filter_map(|mac| machine.take_nic(mac))),
        Work::UpdateNics { nics } => updates::nics(machine, nics),
        Work::Kill { signal } if matches!(signal.as_str(), "SIGKILL" | "9" | "SIGTERM" | "15") => {
            return (machine.state == "running").then_some("stopped");
        }
        Work::Reprovision { image } => {
            machine.image_uuid.clone_from(image);
            return Some("running");
        }
        // The rest has been seen to before.
        _ => {}
    }
    None
}
