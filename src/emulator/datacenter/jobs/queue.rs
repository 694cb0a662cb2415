//! What jobs wait for before they begin: a runner of the workflow service, and the ticket of their VM.

use serde_json::{Value, json};

use super::super::chains::QUEUE;
use super::super::state::{Ended, Job, Runner, State, Ticket, id_of};

/// How long a ticket is good that a job has left behind, in milliseconds: as long as that of a provision.
pub(crate) const GOOD_FOR: i64 = 600_000;

impl Job {
    /// Has it wait until its VM's ticket is its own. It ends when it has taken too long.
    pub(super) fn wait_for_ticket(&mut self, now: i64) {
        self.waits = Some(self.due);
        self.due = self.timeout().max(now.saturating_add(1));
        self.begins = self.due;
    }
}

impl State {
    /// Whether a ticket that is not a job's is before this job.
    pub(super) fn is_held(&self, job: &Job) -> bool {
        let tickets = &self.operators.tickets;
        if tickets.iter().all(|ticket| ticket.end.is_some()) || job.let_go {
            return false;
        }
        // The ticket of a provision is there before its job.
        if job.work.chain().is_none_or(|chain| chain.at(QUEUE).is_none()) {
            return false;
        }
        let Some(server) = self.any_vm(&job.vm_uuid).map(|vm| self.server_of(&vm)) else { return false };
        let before = |ticket: &Ticket| ticket.end.is_none() && !ticket.after.contains(&job.uuid);
        tickets.iter().any(|ticket| before(ticket) && ticket.is_for(&server, "vm", &job.vm_uuid))
    }

    /// Whether an open ticket is the first of its queue.
    pub(crate) fn is_first(&self, ticket: &Ticket) -> bool {
        let earlier = self.operators.tickets.iter().take_while(|other| other.uuid != ticket.uuid);
        !earlier.filter(|other| other.end.is_none()).any(|other| other.is_beside(ticket))
            && !self.jobs.iter().any(|job| !job.let_go && ticket.after.contains(&job.uuid))
    }

    /// Puts a ticket at the end of its queue.
    pub(crate) fn queue_ticket(&mut self, mut ticket: Ticket) {
        if ticket.scope == "vm" {
            let on = |job: &&Job| {
                let server = self.any_vm(&job.vm_uuid).map(|vm| self.server_of(&vm));
                server.as_deref() == Some(&ticket.server_uuid)
            };
            let line = self.jobs.iter().filter(|job| job.vm_uuid == ticket.id && job.is_in_line());
            ticket.after = line.filter(on).map(|job| job.uuid.clone()).collect();
        }
        self.operators.tickets.push(ticket);
    }

    /// The VM of this alias or id; rather one that is there than one that is gone.
    pub(crate) fn vm_named(&self, name: &str) -> Option<String> {
        let named = || self.vms.iter().filter(|vm| vm.uuid == name || vm.alias == name);
        let found = named().find(|vm| vm.is_active()).or_else(|| named().next());
        found.map(|vm| vm.uuid.clone())
    }

    /// Leaves a ticket for a VM behind that nobody releases, as its last job would have.
    pub(crate) fn leave_ticket(&mut self, now: i64, vm: &str) {
        let Some(found) = self.vms.get(vm) else { return };
        let (server_uuid, owner) = (self.server_of(found), found.owner_uuid.clone());
        let last = self.history.iter().rev().find(|job| job.vm_uuid == vm && job.work.takes_ticket());
        let extra = match last {
            Some(job) => json!({ "workflow_job_uuid": job.uuid, "owner_uuid": owner }),
            None => json!({ "owner_uuid": owner }),
        };
        let uuid = id_of(&format!("tickets/{vm}/{}", self.operators.tickets.len()));
        let ticket = Ticket {
            reqid: last.map_or_else(|| id_of(&format!("{uuid}/request")), Job::request_id),
            uuid,
            server_uuid,
            scope: "vm".to_owned(),
            id: vm.to_owned(),
            action: last.and_then(|job| job.work.chain()).map_or("update", |chain| chain.task).to_owned(),
            expires_at: now.saturating_add(GOOD_FOR),
            created: now,
            extra: match extra {
                Value::Object(extra) => extra,
                _ => serde_json::Map::new(),
            },
            after: Vec::new(),
            end: None,
        };
        self.queue_ticket(ticket);
    }

    /// The next time at which a ticket expires.
    pub(super) fn next_expiry(&self) -> Option<i64> {
        let open = self.operators.tickets.iter().filter(|ticket| ticket.end.is_none());
        open.map(|ticket| ticket.expires_at).min()
    }

    /// Has the tickets expire whose time is over.
    pub(super) fn expire_tickets(&mut self, now: i64) {
        let mut vms = Vec::new();
        let open = self.operators.tickets.iter_mut().filter(|ticket| ticket.end.is_none());
        for ticket in open.filter(|ticket| ticket.expires_at <= now) {
            ticket.end = Some((now, Ended::Expired));
            vms.push(ticket.id.clone());
        }
        vms.iter().for_each(|vm| self.move_up(now, vm));
    }

    /// Ends a ticket, or forgets it; whether there is one of this id. A job whose ticket it is goes on without.
    pub(crate) fn release_ticket(&mut self, now: i64, uuid: &str, forget: bool) -> bool {
        let tickets = &mut self.operators.tickets;
        let vm = if let Some(at) = tickets.iter().position(|ticket| ticket.uuid == uuid) {
            let Some(ticket) = tickets.get_mut(at) else { return false };
            ticket.end.get_or_insert((now, Ended::Finished));
            let vm = ticket.id.clone();
            if forget {
                tickets.remove(at);
            }
            vm
        } else if let Some(job) = self.jobs.iter_mut().find(|job| job.is_in_line() && job.ticket() == uuid) {
            job.let_go = true;
            job.vm_uuid.clone()
        } else {
            return self.history.iter().any(|job| job.work.takes_ticket() && job.ticket() == uuid);
        };
        self.move_up(now, &vm);
        true
    }

    /// Has those jobs of a VM begin that may, now that one before them is gone.
    fn move_up(&mut self, now: i64, vm: &str) {
        let waits =
            |job: &mut Job| job.vm_uuid == vm && job.begins > now && job.taken() <= now && job.work.takes_ticket();
        let mut jobs: Vec<Job> = self.jobs.extract_if(.., waits).collect();
        // Nothing of them has begun, and so their halves begin anew too.
        let halves: Vec<String> = jobs.iter().map(|job| super::half_of(&job.uuid)).collect();
        self.jobs.retain(|job| !halves.contains(&job.uuid));
        jobs.sort_by_key(|job| job.waits.unwrap_or(job.due));
        for job in jobs {
            self.start(now, Job { waits: None, ..job });
        }
    }

    /// Whether runners of the workflow service are free from now on: what was queued meanwhile begins.
    pub(crate) fn free_runners(&mut self, now: i64, free: bool) {
        self.operators.no_runner = !free;
        if !free {
            return;
        }
        let queued: Vec<Job> = self.jobs.extract_if(.., |job| job.runner == Runner::Awaited).collect();
        for job in queued {
            self.start(now, Job { runner: Runner::At(now), ..job });
        }
    }
}
