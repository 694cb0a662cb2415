//! Servers that are not heard from: what is asked of them waits until they are, or until its job has taken too long.

use serde_json::Value;

use super::super::clock::iso;
use super::super::state::{Job, Runner, State, Vm, Work};

/// Seconds that a job may take of which no workflow says it.
const USUAL: u32 = 3600;
/// The option in SAPI with which VMAPI shows that the server of a VM is not heard from.
const OPTION: &str = "server_state_affects_vm_state";

impl Job {
    /// When it has taken too long.
    pub(super) fn timeout(&self) -> i64 {
        let seconds = self.work.chain().map_or(USUAL, |chain| chain.timeout);
        self.taken().saturating_add(i64::from(seconds).saturating_mul(1000))
    }

    /// Has it wait for its server. What was to begin behind another one waits for that.
    fn wait(&mut self, now: i64, behind: Option<i64>) {
        self.waits = Some(self.due);
        if let Some(until) = behind.filter(|_| self.begins > now) {
            self.begins = until;
        }
        self.due = self.timeout().max(now.saturating_add(1));
    }
}

impl State {
    /// The server on which a job does its work.
    fn works_on(&self, job: &Job) -> Option<String> {
        match &job.work {
            Work::Provision { compute_node, .. } => Some(compute_node.clone()),
            _ => self.any_vm(&job.vm_uuid).map(|vm| vm.server_uuid.clone()),
        }
    }

    /// Whether the server of a VM is not heard from.
    pub(crate) fn is_lost(&self, server: &str) -> bool {
        self.server(server).is_some_and(|server| server.down)
    }

    /// The server of this name or id.
    pub(crate) fn server_named(&self, name: &str) -> Option<String> {
        let fits = |server: &&super::super::state::Server| server.uuid == name || server.hostname == name;
        self.operators.servers.iter().find(fits).map(|server| server.uuid.clone())
    }

    /// Has a job that was just planned wait, if its server is not heard from.
    pub(super) fn hold(&self, now: i64, job: &mut Job) {
        if self.works_on(job).is_some_and(|server| self.is_lost(&server)) {
            job.wait(now, None);
        }
    }

    /// Hears nothing more of a server.
    pub(crate) fn lose_server(&mut self, now: i64, uuid: &str) {
        let Some(server) = self.operators.servers.iter_mut().find(|server| server.uuid == uuid && !server.down) else {
            return;
        };
        server.down = true;
        server.more.insert("last_heartbeat".to_owned(), iso(now).into());
        let mut jobs = self.take_jobs_on(uuid);
        for at in 0..jobs.len() {
            let (before, rest) = jobs.split_at_mut(at);
            let Some(job) = rest.first_mut() else { break };
            let ahead = before.iter().filter(|other| other.vm_uuid == job.vm_uuid && other.work.takes_ticket());
            let behind = ahead.map(|other| other.due).max();
            job.wait(now, behind);
        }
        jobs.into_iter().for_each(|job| self.queue(job));
    }

    /// Hears of a server again: its jobs go on, those of one VM one after the other.
    pub(crate) fn hear_server(&mut self, now: i64, uuid: &str) {
        let Some(server) = self.operators.servers.iter_mut().find(|server| server.uuid == uuid && server.down) else {
            return;
        };
        server.down = false;
        server.more.remove("last_heartbeat");
        let (halves, mut jobs): (Vec<Job>, Vec<Job>) =
            self.take_jobs_on(uuid).into_iter().partition(|job| matches!(job.work, Work::RebootDown));
        // As they would have ended: that is how they queue.
        jobs.sort_by_key(|job| job.waits);
        for mut job in jobs {
            job.waits = None;
            let half = halves.iter().find(|half| half.uuid == super::half_of(&job.uuid)).cloned();
            (job.begins, job.due) = self.times(now, &job);
            if let Some(half) = half {
                let due = self.end(job.begins, &half.work);
                self.queue(Job { waits: None, begins: job.begins, due, ..half });
            }
            self.show_begun(now, &job);
            self.queue(job);
        }
    }

    /// Takes the jobs of a server out of what is planned, but those that wait for something else before.
    fn take_jobs_on(&mut self, server: &str) -> Vec<Job> {
        let all = std::mem::take(&mut self.jobs);
        let before = |job: &Job| job.runner == Runner::Awaited || self.is_held(job);
        let (taken, left) =
            all.into_iter().partition(|job| self.works_on(job).as_deref() == Some(server) && !before(job));
        self.jobs = left;
        taken
    }

    /// The state of a VM as it is shown: of one whose server is not heard from the last that was known, or, where SAPI
    /// says so, that nobody knows.
    pub(crate) fn shown_state<'a>(&self, vm: &'a Vm) -> &'a str {
        let sapi = &self.operators.sapi;
        let named = |object: &&serde_json::Map<String, Value>| object.get("name").is_some_and(|name| name == "vmapi");
        let on = || {
            let places = sapi.applications.iter().chain(sapi.services.iter().filter(named));
            places.filter_map(|object| object.get("metadata")?.get(OPTION)).any(|value| *value == true)
        };
        if vm.state == "running" && self.is_lost(&vm.server_uuid) && on() { "unknown" } else { &vm.state }
    }
}
