//! The chains of the workflow service: which steps a job has, how long it may take, and what each step says when it has
//! gone well. What a job does to the data center is in `jobs`.

use super::state::{Step as Migration, Work};

/// A workflow: the steps that every job of it runs through.
#[derive(Debug)]
pub(crate) struct Chain {
    /// The word that its jobs' targets begin with, and their names before the version.
    pub(crate) word: &'static str,
    pub(crate) version: &'static str,
    /// Seconds.
    pub(crate) timeout: u32,
    /// What its jobs' parameters call the task.
    pub(crate) task: &'static str,
    pub(crate) steps: &'static [&'static str],
    /// The step that asks the server to do it: a failure of the server is one of this step or the one behind it.
    pub(crate) node: &'static str,
    /// What runs when a step has failed.
    pub(crate) onerror: &'static [&'static str],
}

const VALIDATE: &str = "common.validate_params";
const SETUP: &str = "common.setup_request";
const ACQUIRE: &str = "cnapi.acquire_vm_ticket";
const WAIT_ON: &str = "cnapi.wait_on_vm_ticket";
const ENSURE: &str = "common.ensure_vm_state";
const WAIT: &str = "cnapi.wait_task";
const PUT: &str = "vmapi.put_vm";
const CHECK: &str = "vmapi.check_updated";
const FIREWALL: &str = "fwapi.update";
const RELEASE: &str = "cnapi.release_vm_ticket";
const RELEASED: &[&str] = &["cnapi.release_vm_ticket_ignore_err", "On error"];
const NAT_TICKETS: &str = "cnapi.acquire_fabric_nat_tickets";
const NAT_RELEASE: &str = "cnapi.release_fabric_nat_tickets";

/// The step in which a job waits until no other one works on its VM.
pub(crate) const QUEUE: &str = WAIT_ON;
/// The step that refuses a VM in the wrong state.
pub(crate) const STATE: &str = ENSURE;
/// The step that has a server make a VM.
pub(crate) const MAKE: &str = "cnapi.provision_vm";
/// The step that gives up the interfaces of a VM.
pub(crate) const GIVE_UP: &str = "napi.remove_nics";

const fn chain(
    word: &'static str,
    version: &'static str,
    timeout: u32,
    node: &'static str,
    steps: &'static [&'static str],
) -> Chain {
    Chain { word, version, timeout, task: word, steps, node, onerror: RELEASED }
}

const fn migrate(word: &'static str, version: &'static str, timeout: u32) -> Chain {
    let steps = &[VALIDATE, "migration.validate", "migration.run", "migration.storeSuccess"];
    Chain { onerror: &["migration.storeFailure", "On error"], ..chain(word, version, timeout, "migration.run", steps) }
}

static CHAINS: &[Chain] = &[
    Chain {
        onerror: &[
            "napi.cleanup_nics",
            "set_post_back_failed",
            "common.post_back",
            "cnapi.cleanup_allocation_ticket",
            "cnapi.cleanup_vm_ticket",
            "vmapi.refresh_vm_on_error",
            NAT_RELEASE,
            "On error",
        ],
        ..chain(
            "provision",
            "8.2.4",
            3810,
            "cnapi.provision_vm",
            &[
                VALIDATE,
                "workflow.set_job_action",
                "imgapi.generate_passwords",
                NAT_TICKETS,
                "napi.provision_fabric_nats",
                "cnapi.ensure_image",
                "cnapi.wait_task_ensure_image",
                "cnapi.wait_for_fabric_nat_provisions",
                "volapi.provision_nfs_volumes",
                "cnapi.wait_for_nfs_volumes_provisions",
                "cnapi.build_nfs_volumes_metadata",
                "prepare_payload",
                "cnapi.provision_vm",
                WAIT,
                "volapi.add_volumes_references",
                PUT,
                FIREWALL,
                RELEASE,
                NAT_RELEASE,
            ],
        )
    },
    chain(
        "start",
        "7.0.8",
        410,
        "cnapi.start_vm",
        &[VALIDATE, ACQUIRE, WAIT_ON, ENSURE, "setup_start_request", "cnapi.start_vm", WAIT, PUT, RELEASE],
    ),
    chain(
        "stop",
        "7.0.8",
        530,
        "cnapi.stop_vm",
        &[VALIDATE, SETUP, ACQUIRE, WAIT_ON, ENSURE, "cnapi.stop_vm", WAIT, PUT, RELEASE],
    ),
    chain(
        "reboot",
        "7.0.6",
        590,
        "cnapi.reboot_vm",
        &[VALIDATE, SETUP, ACQUIRE, WAIT_ON, ENSURE, "cnapi.reboot_vm", WAIT, PUT, RELEASE],
    ),
    chain(
        "kill",
        "7.0.2",
        210,
        "cnapi.kill_vm",
        &[VALIDATE, SETUP, ACQUIRE, WAIT_ON, "cnapi.kill_vm", WAIT, PUT, RELEASE],
    ),
    chain(
        "reprovision",
        "7.0.4",
        210,
        "cnapi.reprovision_vm",
        &[VALIDATE, SETUP, ACQUIRE, WAIT_ON, "cnapi.reprovision_vm", WAIT, PUT, RELEASE],
    ),
    chain(
        "destroy",
        "7.1.6",
        180,
        "cnapi.destroy_vm",
        &[
            VALIDATE,
            SETUP,
            ACQUIRE,
            WAIT_ON,
            "cnapi.destroy_vm",
            "vmapi.mark_vm_as_destroyed",
            WAIT,
            "vmapi.refresh_vm",
            "napi.remove_nics",
            FIREWALL,
            "volapi.remove_volumes_references",
            RELEASE,
            NAT_TICKETS,
            "napi.destroy_fabric_nats",
            NAT_RELEASE,
        ],
    ),
    chain(
        "update",
        "7.1.10",
        300,
        "cnapi.update_vm",
        &[VALIDATE, SETUP, ACQUIRE, WAIT_ON, "cnapi.update_vm", WAIT, PUT, FIREWALL, RELEASE],
    ),
    Chain {
        task: "add_nics",
        ..chain(
            "add-nics",
            "7.3.1",
            300,
            "cnapi.update_vm",
            &[
                VALIDATE,
                SETUP,
                NAT_TICKETS,
                "napi.provision_fabric_nats",
                "common.update_network_params",
                ACQUIRE,
                WAIT_ON,
                "cnapi.wait_for_fabric_nat_provisions",
                "cnapi.update_vm",
                WAIT,
                CHECK,
                PUT,
                FIREWALL,
                RELEASE,
                NAT_RELEASE,
            ],
        )
    },
    Chain {
        task: "update_nics",
        ..chain(
            "update-nics",
            "7.0.5",
            300,
            "cnapi.update_vm",
            &[VALIDATE, SETUP, ACQUIRE, WAIT_ON, "napi.update_nics", "cnapi.update_vm", WAIT, CHECK, PUT, RELEASE],
        )
    },
    Chain {
        task: "remove_nics",
        ..chain(
            "remove-nics",
            "7.0.7",
            300,
            "cnapi.update_vm",
            &[
                VALIDATE,
                SETUP,
                "common.remove_network_params",
                ACQUIRE,
                WAIT_ON,
                "cnapi.update_vm",
                "napi.remove_nics",
                WAIT,
                CHECK,
                PUT,
                FIREWALL,
                RELEASE,
            ],
        )
    },
    chain("snapshot", "7.0.4", 180, "cnapi.snapshot_vm", SNAPSHOT),
    Chain {
        task: "snapshot",
        ..chain(
            "rollback",
            "7.0.5",
            300,
            "cnapi.rollback_vm",
            &[
                VALIDATE,
                "common.validate_snapshot_name",
                "common.setup_stop_request",
                ACQUIRE,
                WAIT_ON,
                "cnapi.stop_vm",
                "cnapi.poll_stop_task",
                RELEASE,
                "common.setup_rollback_request",
                ACQUIRE,
                WAIT_ON,
                "cnapi.rollback_vm",
                "cnapi.poll_rollback_task",
                PUT,
                RELEASE,
            ],
        )
    },
    Chain {
        task: "snapshot",
        ..chain(
            "delete-snapshot",
            "7.0.4",
            180,
            "cnapi.delete_snapshot",
            &[
                VALIDATE,
                "common.validate_snapshot_name",
                SETUP,
                ACQUIRE,
                WAIT_ON,
                "cnapi.delete_snapshot",
                WAIT,
                PUT,
                RELEASE,
            ],
        )
    },
    migrate("migrate-begin", "1.0.0", 1200),
    migrate("migrate-sync", "1.0.0", 86_400),
    migrate("migrate-switch", "1.0.1", 25_200),
    migrate("migrate-abort", "1.0.0", 900),
    migrate("migrate-pause", "1.0.0", 1800),
    migrate("migrate-rollback", "1.0.0", 900),
    Chain {
        onerror: &["update_with_error", "On error"],
        ..chain(
            "create-from-vm",
            "7.0.4",
            3630,
            "cnapi.poll_task",
            &["vmapi.get_vm_server", "cnapi.queue_create_from_vm_task", "cnapi.poll_task"],
        )
    },
];

const SNAPSHOT: &[&str] =
    &[VALIDATE, "common.validate_snapshot_name", SETUP, ACQUIRE, WAIT_ON, "cnapi.snapshot_vm", WAIT, PUT, RELEASE];

/// All workflows.
pub(crate) fn all() -> &'static [Chain] {
    CHAINS
}

/// The names of all steps.
pub(crate) fn steps() -> Vec<&'static str> {
    let mut all: Vec<&str> = CHAINS.iter().flat_map(|chain| chain.steps.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl Chain {
    /// The number of a step.
    pub(crate) fn at(&self, step: &str) -> Option<usize> {
        self.steps.iter().position(|known| *known == step)
    }

    /// The step with which the server has done its part: what fails behind it has been done.
    pub(crate) fn done(&self) -> usize {
        let waits = |step: &&'static str| *step == WAIT || step.starts_with("cnapi.poll_");
        self.steps.iter().rposition(waits).unwrap_or(self.steps.len())
    }

    /// The step at which the server's failure shows.
    pub(crate) fn refused(&self) -> &'static str {
        self.steps.iter().skip_while(|step| **step != self.node).nth(1).unwrap_or(&self.node)
    }

    /// The name of its jobs.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.word, self.version)
    }

    /// What a step says when it has gone well. Ids are those of the job's VM, and of what the step began.
    pub(crate) fn says(step: &str, vm: &str, begun: &str) -> String {
        match step {
            VALIDATE => "All parameters OK!".to_owned(),
            SETUP => "Request has been setup!".to_owned(),
            "workflow.set_job_action" => "Action set".to_owned(),
            "imgapi.generate_passwords" => "No need to generate passwords for image".to_owned(),
            "cnapi.ensure_image" => "Ensure image task queued!".to_owned(),
            WAIT | "cnapi.wait_task_ensure_image" => "Job succeeded!".to_owned(),
            "prepare_payload" => "Payload prepared successfully".to_owned(),
            "cnapi.provision_vm" => format!("Provision task: {begun} queued!"),
            PUT => format!("put VM {vm} to VMAPI"),
            FIREWALL => format!("Updated FWAPI with update UUID: {begun}"),
            "vmapi.mark_vm_as_destroyed" => "Skipping task for non-Docker VMs".to_owned(),
            "napi.remove_nics" | "napi.cleanup_nics" => "NICs removed".to_owned(),
            "set_post_back_failed" => "Set post back state as failed".to_owned(),
            "common.post_back" => "Posted job results back to specified URLs".to_owned(),
            "cnapi.release_vm_ticket_ignore_err" => "OK - CNAPI ticket released successfully".to_owned(),
            step if step.starts_with("cnapi.") && step.ends_with("_vm") => format!("Task id: {begun} queued to CNAPI!"),
            _ => "OK".to_owned(),
        }
    }
}

impl Work {
    /// The workflow that does it; `None` for what is no job of its own.
    pub(crate) fn chain(&self) -> Option<&'static Chain> {
        let word = match self {
            Work::RebootDown => return None,
            // The zone that serves a volume comes and goes with it.
            Work::Provision { .. } | Work::CreateVolume => "provision",
            Work::Start => "start",
            Work::Stop => "stop",
            Work::Reboot => "reboot",
            Work::Kill { .. } => "kill",
            Work::Reprovision { .. } => "reprovision",
            Work::Destroy | Work::DeleteVolume => "destroy",
            Work::AddNics { .. } => "add-nics",
            Work::UpdateNics { .. } => "update-nics",
            Work::RemoveNics { .. } => "remove-nics",
            Work::Snapshot { .. } => "snapshot",
            Work::Rollback { .. } => "rollback",
            Work::DeleteSnapshot { .. } => "delete-snapshot",
            Work::Image { .. } => "create-from-vm",
            Work::Migrate(step) => match step {
                Migration::Begin => "migrate-begin",
                Migration::Sync { .. } => {
                    step.audited()?;
                    "migrate-sync"
                }
                Migration::Switch => "migrate-switch",
                Migration::Pause => "migrate-pause",
                Migration::Abort => "migrate-abort",
                Migration::Rollback => "migrate-rollback",
                Migration::Finalize => return None,
            },
            Work::Past { action } => match action.as_str() {
                "create_snapshot" => "snapshot",
                "rollback_snapshot" => "rollback",
                "delete_snapshot" => "delete-snapshot",
                "add_nics" => "add-nics",
                "update_nics" => "update-nics",
                "remove_nics" => "remove-nics",
                "migrate_begin" => "migrate-begin",
                "migrate_sync" => "migrate-sync",
                "migrate_switch" => "migrate-switch",
                "migrate_pause" => "migrate-pause",
                "migrate_abort" => "migrate-abort",
                "migrate_rollback" => "migrate-rollback",
                "migrate_finalize" => return None,
                "provision" | "start" | "stop" | "reboot" | "kill" | "reprovision" | "destroy" => action.as_str(),
                _ => "update",
            },
            _ => "update",
        };
        CHAINS.iter().find(|chain| chain.word == word)
    }

    /// Whether no other job works on the VM at the same time.
    pub(crate) fn takes_ticket(&self) -> bool {
        // VMAPI takes the ticket of a provision before its job exists, so no step of the job does.
        self.chain().is_some_and(|chain| chain.word == "provision" || chain.steps.contains(&QUEUE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_has_the_step_that_asks_its_server() {
        for chain in all() {
            assert!(chain.steps.contains(&chain.node), "{}", chain.word);
        }
        assert_eq!(all().iter().find(|chain| chain.word == "provision").unwrap().steps.len(), 19);
        assert_eq!(all().iter().find(|chain| chain.word == "destroy").unwrap().steps.len(), 15);
    }

    #[test]
    fn a_past_migration_is_a_job_of_its_own_step() {
        for step in ["begin", "sync", "switch", "pause", "abort", "rollback"] {
            let work = Work::Past { action: format!("migrate_{step}") };
            assert_eq!(work.chain().map(|chain| chain.word), Some(format!("migrate-{step}")).as_deref(), "{step}");
        }
    }
}
