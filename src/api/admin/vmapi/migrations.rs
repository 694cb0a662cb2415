//! Migrations: moving a VM to another server, step by step.

use super::{ACCOUNT, JOBS_OF_VM, ONE, OWNER, SERVER};
use crate::api::*;

const COLUMNS: &[Column] = &[
    column("vm_uuid").always().stays(),
    column("phase").always().stays(),
    column("state").always().stays(),
    column("age").of("created_timestamp").time().show(Show::Age),
    column("automatic").always().long(),
    column("created_timestamp").always().time().long(),
    column("started_timestamp").time().named(),
    column("finished_timestamp").time().named(),
    column("source_server_uuid").named(),
    column("target_server_uuid").named(),
    column("duration_ms").named(),
    column("error").named(),
    column("progress_history").objects().named(),
    column("job_uuid").named(),
];

/// The migration of a VM, whose id it has.
pub static MIGRATION: Noun =
    Noun::new("vm", &GET_MIGRATION, &super::LIST).word("migration of VM").fails(&["failed", "aborted"]);

/// ListMigrations, newest first.
pub static LIST_MIGRATIONS: Op = Op::list("ListMigrations", "list", "/migrations", "List the migrations, newest first")
    .fields(&[
        query("state", Kind::OneOf(&["running", "paused", "failed", "successful"]), "Only those in this state")
            .test(Test::Text("state")),
        query("owner_uuid", Kind::Ref(&ACCOUNT), "Only those of VMs of this account: login or id")
            .flag("owner")
            .test(Test::Service),
        query("source_server_uuid", Kind::Ref(&SERVER), "Only those from this server, and to it if they have ended")
            .flag("source")
            .test(Test::Service),
        query("target_server_uuid", Kind::Ref(&SERVER), "Only those to this server").flag("target").test(Test::Service),
        query("format", Kind::OneOf(&["raw"]), "raw: with the servers and how far each step is"),
    ])
    .examples("admin migrations list\nadmin migrations list state=paused --format raw");

/// GetMigration.
pub static GET_MIGRATION: Op = Op::get("GetMigration", "get", "/migrations/:vm", "Show how far a migration is")
    .fields(&[query("format", Kind::OneOf(&["raw"]), "raw: with the servers and how far each step is"), OWNER])
    .examples("admin migrations get web1\nadmin migrations get web1 --jq '.progress_history'");

/// The same while a job works on it: whether that has failed, the job tells.
static MOVED: Noun = Noun { failed: &[], ..MIGRATION }.jobs(JOBS_OF_VM);

/// One that is given up: whether anything is left of it is not known, but for its phase.
static ABORTED: Noun = Noun { failed: &[], ..MIGRATION }.stated("phase").gone(&["abort"]).jobs(JOBS_OF_VM);

const fn step(
    id: &'static str,
    verb: &'static str,
    about: &'static str,
    action: &'static [(&'static str, &'static str)],
    end: &'static [(&'static str, &'static str)],
) -> Op {
    Op::action(id, verb, ONE, about)
        .fixed(action)
        .starts_job()
        .until(Goal::Shows(Shown::Is(end)), &MOVED)
        .fields(&[OWNER])
}

const AFFINITY: Field = body("affinity", Kind::Affinity, "Where to place it: instance!=web*; may be repeated");
const TARGET: Field =
    body("override_server_uuid", Kind::Ref(&SERVER), "Server to place it on: host name or id").flag("server");

/// MigrateVm, action begin.
pub static BEGIN: Op = step(
    "MigrateVm begin",
    "begin",
    "Begin to migrate a VM: reserve a place on another server",
    &[("action", "migrate"), ("migration_action", "begin")],
    &[("phase", "begin"), ("state", "paused")],
)
.task("migrate-begin")
.fields(&[TARGET, AFFINITY, OWNER])
.examples("admin migrations begin web1 --wait\nadmin migrations begin web1 --dry-run");

/// The same, all steps in one go: each is a job of its own, so that the migration itself is waited for.
pub static AUTOMATIC: Op = step(
    "MigrateVm automatic",
    "automatic",
    "Migrate a VM, all steps in one go",
    &[("action", "migrate"), ("migration_action", "begin"), ("migration_automatic", "true")],
    &[],
)
.task("migrate-begin")
.until(Goal::Step { of: "vm_uuid", phases: &["switch"], state: "successful" }, &MIGRATION)
.fields(&[TARGET, AFFINITY, OWNER])
.examples("admin migrations automatic web1 --wait --timeout 4h\nadmin migrations automatic web1 --dry-run");

/// MigrateVm, action sync.
pub static SYNC: Op = step(
    "MigrateVm sync",
    "sync",
    "Copy the data of a VM that is migrated",
    &[("action", "migrate"), ("migration_action", "sync")],
    &[("phase", "sync"), ("state", "paused")],
)
.task("migrate-sync")
.examples("admin migrations sync web1 --wait\nadmin migrations sync web1 --dry-run");

/// MigrateVm, action switch.
pub static SWITCH: Op = step(
    "MigrateVm switch",
    "switch",
    "Stop a VM that is migrated, and start it on the other server",
    &[("action", "migrate"), ("migration_action", "switch")],
    &[("phase", "switch"), ("state", "successful")],
)
.task("migrate-switch")
.asks()
.examples("admin migrations switch web1 --wait --yes\nadmin migrations switch web1 --dry-run");

/// MigrateVm, action pause.
pub static PAUSE: Op = step(
    "MigrateVm pause",
    "pause",
    "Pause the copying of a VM's data",
    &[("action", "migrate"), ("migration_action", "pause")],
    &[("state", "paused")],
)
.task("migrate-pause")
.examples("admin migrations pause web1\nadmin migrations pause web1 --dry-run");

/// MigrateVm, action abort.
pub static ABORT: Op = step(
    "MigrateVm abort",
    "abort",
    "Give a migration up, before the switch",
    &[("action", "migrate"), ("migration_action", "abort")],
    &[],
)
.task("migrate-abort")
.until(Goal::Gone, &ABORTED)
.asks()
.examples("admin migrations abort web1 --wait --yes\nadmin migrations abort web1 --dry-run");

/// MigrateVm, action rollback.
pub static ROLLBACK: Op = step(
    "MigrateVm rollback",
    "rollback",
    "Go back to the first server, after the switch",
    &[("action", "migrate"), ("migration_action", "rollback")],
    &[("phase", "rollback")],
)
.task("migrate-rollback")
.asks()
.examples("admin migrations rollback web1 --wait --yes\nadmin migrations rollback web1 --dry-run");

/// MigrateVm, action finalize. It needs no job.
pub static FINALIZE: Op =
    Op::action("MigrateVm finalize", "finalize", ONE, "End a migration: delete what is left on the first server")
        .fixed(&[("action", "migrate"), ("migration_action", "finalize")])
        .fields(&[OWNER])
        .asks()
        .until(Goal::Gone, &MIGRATION)
        .examples("admin migrations finalize web1 --wait --yes\nadmin migrations finalize web1 --dry-run");

/// MigrateVm, action estimate.
pub static ESTIMATE: Op =
    Op::update("MigrateVm estimate", "estimate", ONE, "Show how much a migration would copy, in bytes")
        .fixed(&[("action", "migrate"), ("migration_action", "estimate")])
        .columns(&[column("size"), column("eta_ms"), column("transfer_bytes_second")])
        .fields(&[OWNER])
        .examples("admin migrations estimate web1\nadmin migrations estimate web1 -o size");

/// `sdc admin migrations`.
pub static MIGRATIONS: Resource = Resource {
    name: "migrations",
    aliases: &["migration", "migrate"],
    about: "Migrations: moving VMs to other servers (VMAPI)",
    columns: COLUMNS,
    ops: &[
        &LIST_MIGRATIONS,
        &GET_MIGRATION,
        &ESTIMATE,
        &BEGIN,
        &SYNC,
        &SWITCH,
        &AUTOMATIC,
        &PAUSE,
        &ABORT,
        &ROLLBACK,
        &FINALIZE,
    ],
};
