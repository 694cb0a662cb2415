//! Snapshots of a machine's disk.

use crate::api::*;

const COLUMNS: &[Column] = &[
    column("name").always().stays(),
    column("state").stays(),
    column("size").show(Show::Mebibytes),
    column("created").time(),
    column("updated").time().long(),
    column("machine").of("/machine/name").named(),
];
const ALL: &str = "/:login/machines/:machine/snapshots";
const ONE: &str = "/:login/machines/:machine/snapshots/:snapshot";

/// Found by its name, which is its id.
pub static SNAPSHOT: Noun = Noun::new("snapshot", &GET, &LIST)
    .ids(Ids::Any, "name", "name")
    .fails(&["failed", "canceled"])
    .log(&super::machines::AUDIT)
    .picked_by(&[Pick::Age("created")])
    .states(&["created", "queued", "creating", "deleting", "deleted", "failed", "canceled"]);

/// ListMachineSnapshots.
pub static LIST: Op = Op::list("ListMachineSnapshots", "snapshots list", ALL, "List the snapshots of a machine")
    .matching()
    .columns(COLUMNS)
    .examples(
        "machines snapshots list web1\n\
         machines snapshots list web1 --sort -created",
    );

/// GetMachineSnapshot.
pub static GET: Op = Op::get("GetMachineSnapshot", "snapshots get", ONE, "Show a snapshot of a machine")
    .each()
    .columns(COLUMNS)
    .examples(
        "machines snapshots get web1 before\n\
         machines snapshots get web1 before -o state",
    );

/// CreateMachineSnapshot.
pub static CREATE: Op = Op::create("CreateMachineSnapshot", "snapshots create", ALL, "Take a snapshot of a machine")
    .making(&SNAPSHOT)
    .each()
    .long(
        "Not for kvm machines nor those with a delegated dataset; for bhyve machines where the data center allows it.",
    )
    .job("create_snapshot")
    .until(Goal::State("created"), &SNAPSHOT)
    .columns(COLUMNS)
    .fields(&[body("name", Kind::Text, "Name; the time (UTC, YYYYMMDDTHHMMSSZ) if not given").short('n')])
    .examples(
        "machines snapshots create web1 -n before --wait\n\
         machines snapshots create -l role=web",
    );

/// StartMachineFromSnapshot.
pub static BOOT: Op = Op::action(
    "StartMachineFromSnapshot",
    "snapshots boot",
    ONE,
    "Roll a stopped machine back to a snapshot and start it",
)
.long("What was written to the disk since is lost, and so are the snapshots that are newer than this one.")
.asks()
.job("rollback_snapshot")
.until(Goal::AuditThen("rollback_snapshot", "running"), &super::machines::MACHINE)
.examples(
    "machines snapshots boot web1 before\n\
     machines snapshots boot web1 before --yes --wait",
);

/// DeleteMachineSnapshot.
pub static DELETE: Op = Op::delete("DeleteMachineSnapshot", "snapshots delete", ONE, "Delete a snapshot of a machine")
    .in_turn()
    .job("delete_snapshot")
    .until(Goal::Gone, &SNAPSHOT)
    .examples(
        "machines snapshots delete web1 before --wait\n\
         machines snapshots delete web1 --older-than 30d --yes",
    );
