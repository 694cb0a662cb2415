//! Disks of a bhyve machine, beside the one of its image.

use crate::api::*;

const COLUMNS: &[Column] = &[
    column("shortid").of("id").show(Show::ShortId).brief().stays(),
    column("id").always().long(),
    column("size").always().show(Show::Mebibytes).stays(),
    column("pci_slot").stays(),
    column("boot").always(),
    column("state").always().stays(),
    column("block_size").long(),
    column("machine").of("/machine/name").named(),
];
const ALL: &str = "/:login/machines/:machine/disks";
const ONE: &str = "/:login/machines/:machine/disks/:disk";

/// Looked up by its short id; a disk has no name but its slot.
pub static DISK: Noun = Noun {
    called: "id, short id or PCI slot",
    ..Noun::new("disk", &GET, &LIST).named("pci_slot").rests(&["running", "stopped"]).log(&super::machines::AUDIT)
};

/// ListMachineDisks.
pub static LIST: Op = Op::list("ListMachineDisks", "disks list", ALL, "List the disks of a bhyve machine")
    .matching()
    .columns(COLUMNS)
    .examples(
        "machines disks list db1\n\
         machines disks list db1 -o id,size,block_size",
    );

/// GetMachineDisk.
pub static GET: Op =
    Op::get("GetMachineDisk", "disks get", ONE, "Show a disk of a bhyve machine").columns(COLUMNS).examples(
        "machines disks get db1 0:4:1\n\
         machines disks get db1 8b2c4d11 -o size",
    );

/// CreateMachineDisk. The audit log has no word of its own for what is done to disks. Without a slot the answer is
/// empty; for a machine of another brand there is none at all.
pub static ADD: Op = Op::create("CreateMachineDisk", "disks add", ALL, "Add a disk to a stopped bhyve machine")
    .making(&DISK)
    .long(
        "The machine needs a package with a flexible disk, and room left on it. Its brand is checked first: \
         the service never answers for a machine that is not bhyve.",
    )
    .job("unknown")
    .until(Goal::Appears, &DISK)
    .columns(COLUMNS)
    .fields(&[
        body("size", Kind::DiskSize, "Size in MiB or with a unit (10G), or the word remaining").positional(),
        body("pci_slot", Kind::Text, "PCI slot BUS:DEVICE:FUNCTION, such as 0:4:1 [default: next free]").value("B:D:F"),
    ])
    .examples("machines disks add db1 10G --wait\nmachines disks add db1 remaining");

/// ResizeMachineDisk.
pub static RESIZE: Op =
    Op::update("ResizeMachineDisk", "disks resize", ONE, "Change the size of a disk of a stopped bhyve machine")
        .job("unknown")
        .until(Goal::Field("size"), &DISK)
        .columns(COLUMNS)
        .fields(&[
            body("size", Kind::Mebibytes, "New size in MiB or with a unit: 20G").positional(),
            body(
                "dangerous_allow_shrink",
                Kind::Flag("true"),
                "Make it smaller too, which destroys what is at its end",
            )
            .asks(),
        ])
        .examples(
            "machines disks resize db1 0:4:1 60G --wait\n\
             machines disks resize db1 0:4:1 20G --dangerous-allow-shrink",
        );

/// DeleteMachineDisk.
pub static DELETE: Op =
    Op::delete("DeleteMachineDisk", "disks delete", ONE, "Delete a disk of a stopped bhyve machine")
        .in_turn()
        .job("unknown")
        .until(Goal::Gone, &DISK)
        .examples(
            "machines disks delete db1 0:4:1 --wait\n\
             machines disks delete db1 8b2c4d11 --yes",
        );
