//! Migrations: moving a machine to another server of its data center, step by step or in one go.

use crate::api::*;

const COLUMNS: &[Column] = &[
    column("shortid").of("machine").show(Show::ShortId).brief().stays(),
    column("machine").always().long(),
    column("phase").always().stays(),
    column("state").always().stays(),
    column("age").of("created_timestamp").time().show(Show::Age).brief(),
    column("created_timestamp").always().time().long(),
    column("automatic").always().named(),
    column("started_timestamp").time().named(),
    column("finished_timestamp").time().named(),
    column("scheduled_timestamp").time().named(),
    column("duration_ms").named(),
    column("error").named(),
    column("progress_history").named(),
];
const ONE: &str = "/:login/machines/:machine/migrate";

/// A machine's migration: its id is the machine's.
pub static MIGRATION: Noun = Noun::new("machine", &GET, &super::machines::LIST)
    .word("migration of machine")
    .picked_by(&[Pick::Age("created_timestamp")])
    .fails(&["failed", "aborted"])
    .log(&super::machines::AUDIT);

/// ListMigrations.
pub static LIST: Op =
    Op::list("ListMigrations", "migrate list", "/:login/migrations", "List the migrations of the account's machines")
        .columns(COLUMNS)
        .examples("machines migrate list\nmachines migrate list -o machine,phase,state");

/// GetMigration.
pub static GET: Op =
    Op::get("GetMigration", "migrate get", "/:login/migrations/:machine", "Show how far the migration of a machine is")
        .columns(COLUMNS)
        .examples(
            "machines migrate get web1\n\
             machines migrate get web1 --jq '.progress_history'",
        );

/// MigrateMachineEstimate.
pub static ESTIMATE: Op =
    Op::get("MigrateMachineEstimate", "migrate estimate", ONE, "Show how much a migration would copy")
        .long("The service measures while one waits, which can take minutes. Sizes are bytes.")
        .columns(&[column("size"), column("eta_ms"), column("transfer_bytes_second")])
        .examples(
            "machines migrate estimate web1\n\
             machines migrate estimate web1 -o size",
        );

/// Migrate, action begin.
pub static BEGIN: Op = step("Migrate begin", "migrate begin", "Begin to migrate a machine")
    .each()
    .long("Reserves a place on another server. Next come `machines migrate sync` and `machines migrate switch`.")
    .fixed(&[("action", "begin")])
    .fields(AFFINITY)
    .begins()
    .until(ends(&["begin", "sync"], "paused"), &MIGRATION)
    .examples(
        "machines migrate begin web1 --wait\n\
         machines migrate begin web1 --affinity 'instance!=web*'",
    );

/// Migrate, action sync.
pub static SYNC: Op =
    step("Migrate sync", "migrate sync", "Copy a machine's data to its new server, while it goes on running")
        .each()
        .long("May be repeated: each time only what has changed since is copied.")
        .fixed(&[("action", "sync")])
        .until(ends(&["sync"], "paused"), &MIGRATION)
        .examples(
            "machines migrate sync web1 --wait\n\
             machines migrate sync web1 --wait --timeout 4h",
        );

/// Migrate, action switch.
pub static SWITCH: Op =
    step("Migrate switch", "migrate switch", "Stop the machine here and start it on its new server")
        .each()
        .fixed(&[("action", "switch")])
        .asks_many()
        .until(ends(&["switch"], "successful"), &MIGRATION)
        .examples(
            "machines migrate switch web1 --wait\n\
             machines migrate switch web1 --wait --timeout 30m",
        );

/// Migrate, action automatic.
pub static AUTOMATIC: Op = step("Migrate automatic", "migrate automatic", "Migrate a machine: begin, sync and switch")
    .each()
    .fixed(&[("action", "automatic")])
    .asks_many()
    .fields(AFFINITY)
    .begins()
    .until(ends(&["switch"], "successful"), &MIGRATION)
    .examples(
        "machines migrate automatic web1 --wait --timeout 4h\n\
         machines migrate automatic 'web*'",
    );

/// Migrate, action pause.
pub static PAUSE: Op = step("Migrate pause", "migrate pause", "Pause the copying of a machine's data")
    .each()
    .fixed(&[("action", "pause")])
    .until(ends(&["pause", "sync"], "paused"), &MIGRATION)
    .examples("machines migrate pause web1\nmachines migrate pause web1 --wait");

/// Migrate, action abort. Its end is that there is no migration.
pub static ABORT: Op = step("Migrate abort", "migrate abort", "Abort a migration; the machine stays where it is")
    .each()
    .long(
        "Not while a step is running, and not after the switch. Where no place was found for the machine yet, services \
         of version 9.20 answer 500 although it is done: `machines migrate get MACHINE` tells.",
    )
    .fixed(&[("action", "abort")])
    .asks()
    .until(Goal::Gone, &MIGRATION)
    .examples(
        "machines migrate abort web1\n\
         machines migrate abort web1 --yes --wait",
    );

/// Migrate, action finalize. The record of the migration goes with it.
pub static FINALIZE: Op =
    step("Migrate finalize", "migrate finalize", "Delete what a migration has left on the old server")
        .each()
        .fixed(&[("action", "finalize")])
        .answers_nothing()
        .asks()
        .until(Goal::Gone, &MIGRATION)
        .examples(
            "machines migrate finalize web1\n\
             machines migrate finalize web1 --yes --wait",
        );

/// Migrate, action watch: a stream of JSON lines, which `sdc machines migrate watch` reads.
pub static WATCH: Op =
    step("Migrate watch", "migrate watch", "Follow a migration until its step ends").fixed(&[("action", "watch")]);

const AFFINITY: &[Field] = &[body(
    "affinity",
    Kind::Affinity,
    "Where it may go, such as instance!=web*; may be repeated. Services of version 9.20 ignore it",
)];

const fn step(id: &'static str, verb: &'static str, about: &'static str) -> Op {
    Op::create(id, verb, ONE, about).columns(COLUMNS)
}

/// The end of a step.
const fn ends(phases: &'static [&'static str], state: &'static str) -> Goal {
    Goal::Step { of: "machine", phases, state }
}
