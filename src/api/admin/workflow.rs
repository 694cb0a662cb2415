//! WORKFLOW: the jobs that carry out what the other services have taken on, and the workflows that these follow.

use super::vmapi::VM;
use super::{EXECUTION, INNER, JOB_COLUMNS, LIMIT, OFFSET};
use crate::api::*;

const ONE: &str = "/jobs/:job";

/// A job. Its name is that of its workflow, which many have.
pub static JOB: Noun = Noun {
    called: "id or short id",
    ..Noun::new("job", &GET, &LIST).ids(Ids::Uuid, "uuid", "id or short id").named("uuid").stated("execution")
};

/// What jobs follow.
pub static FLOW: Noun = Noun::new("workflow", &GET_FLOW, &LIST_FLOWS).ids(Ids::Uuid, "uuid", "id, short id or name");

/// ListJobs, newest first.
pub static LIST: Op = Op::list("ListJobs", "list", "/jobs", "List the jobs, newest first")
    .pages(1000)
    .fields(&[
        EXECUTION,
        query("vm_uuid", Kind::Ref(&VM), "Only jobs of this VM: id or alias")
            .flag("vm")
            .test(Test::Id("params/vm_uuid")),
        query("task", Kind::Text, "Only jobs of this task: provision, start, stop, ...")
            .test(Test::Text("params/task")),
        query("since", Kind::Text, "Only jobs made since this time").value("TIME").test(Test::Service),
        query("until", Kind::Text, "Only jobs made until this time").value("TIME").test(Test::Service),
        LIMIT,
        OFFSET,
    ])
    .examples("admin jobs list execution=failed\nadmin jobs list --limit 20 -o name,execution,age");

/// GetJob.
pub static GET: Op = Op::get("GetJob", "get", ONE, "Show a job and how far it is")
    .each()
    .examples("admin jobs get 6b26b228\nadmin jobs get 6b26b228 -o name,execution");

/// CancelJob.
pub static CANCEL: Op = Op::update("CancelJob", "cancel", "/jobs/:job/cancel", "Cancel a job that has not ended")
    .each()
    .asks()
    .shows("execution", "canceled")
    .examples("admin jobs cancel 2b6f0a1c --yes\nadmin jobs cancel 2b6f0a1c --dry-run");

/// ResumeJob.
pub static RESUME: Op = Op::update("ResumeJob", "resume", "/jobs/:job/resume", "Let a job go on that waits")
    .each()
    .fields(&[
        body("result", Kind::Text, "What it has waited for"),
        body("error", Kind::Text, "Why what it has waited for has failed"),
    ])
    .tells()
    .examples("admin jobs resume 2b6f0a1c --result OK\nadmin jobs resume 2b6f0a1c --dry-run");

/// GetJobInfo.
pub static INFO: Op = Op::list("GetJobInfo", "info", "/jobs/:job/info", "Show the notes of a job")
    .columns(&[column("date").time(), column("message")])
    .examples("admin jobs info 6b26b228\nadmin jobs info 6b26b228 --json");

/// Stats.
pub static STATS: Op = Op::map("Stats", "stats", "/stats", "Count the jobs by how they ended")
    .columns(&[
        column("period").of("name").stays(),
        column("queued").of("/value/queued"),
        column("running").of("/value/running"),
        column("succeeded").of("/value/succeeded"),
        column("failed").of("/value/failed"),
        column("canceled").of("/value/canceled"),
    ])
    .examples("admin jobs stats\nadmin jobs stats --json");

/// `sdc admin jobs`.
pub static JOBS: Resource = Resource {
    name: "jobs",
    aliases: &["job"],
    about: "Jobs of all services (workflow)",
    columns: JOB_COLUMNS,
    ops: &[&LIST, &GET, &CANCEL, &RESUME, &INFO, &STATS],
};

/// ListWorkflows.
pub static LIST_FLOWS: Op = Op::list("ListWorkflows", "list", "/workflows", "List the workflows that jobs follow")
    .examples("admin workflows list\nadmin workflows list 'provision*'");

/// GetWorkflow.
pub static GET_FLOW: Op = Op::get("GetWorkflow", "get", "/workflows/:workflow", "Show a workflow")
    .each()
    .examples("admin workflows get stop-7.0.8\nadmin workflows get stop-7.0.8 --json");

/// `sdc admin workflows`.
pub static WORKFLOWS: Resource = Resource {
    name: "workflows",
    aliases: &["workflow"],
    about: "Workflows that jobs follow",
    columns: &[
        column("uuid").stays(),
        column("name").stays(),
        column("version").long(),
        column("timeout"),
        column("max_attempts"),
        column("chain").objects().named(),
    ],
    ops: &[&LIST_FLOWS, &GET_FLOW],
};

/// The workflow service.
pub static WORKFLOW: Service =
    Service { name: "WORKFLOW", resources: &[&JOBS, &WORKFLOWS], nouns: &[&JOB, &FLOW], ..INNER };
