//! Parts of a VM: its NICs, snapshots and disks, and what of itself can be changed.

use super::{ACCOUNT, NETWORKS, ONE, OWNER, PACKAGE, VM};
use crate::api::cloudapi::tags::OF_DOCKER;
use crate::api::*;

/// How what a change has answered is shown: the job, and after a wait the VM.
const STARTED: &[Column] = &[
    column("vm_uuid"),
    column("job_uuid"),
    column("uuid").named(),
    column("alias").named(),
    column("state").named(),
    column("nics").objects().named(),
    column("disks").objects().named(),
    column("snapshots").objects().named(),
];

const fn change(
    id: &'static str,
    verb: &'static str,
    about: &'static str,
    action: &'static [(&'static str, &'static str)],
    goal: Goal,
) -> Op {
    Op::action(id, verb, ONE, about).each().fixed(action).columns(STARTED).starts_job().until(goal, &VM)
}

const fn parts(list: &'static str, word: &'static str, key: &'static str, by: &'static str, end: PartsEnd) -> Goal {
    Goal::Shows(Shown::Parts(Parts { list, word, key, by, end }))
}

const fn nics(by: &'static str, end: PartsEnd) -> Goal {
    parts("nics", "NIC", "mac", by, end)
}

const fn snapshots(end: PartsEnd) -> Goal {
    parts("snapshots", "snapshot", "name", "snapshot_name", end)
}

const fn disks(end: PartsEnd) -> Goal {
    parts("disks", "disk", "pci_slot", "pci_slot", end)
}

/// How a VM shows what it was updated with. One with virtual hardware has the limits that its server needs for it, one
/// with a flexible disk has no quota of its own, and resolvers that are maintained follow from the NICs.
const UPDATED: Goal = Goal::Shows(Shown::Fields(&Names {
    renamed: &[("new_owner_uuid", "owner_uuid")],
    unshown: &["force", "zlog_max_size", "do_not_inventory", "zfs_data_compression"],
    always: &[
        "alias",
        "owner_uuid",
        "billing_id",
        "ram",
        "max_physical_memory",
        "max_locked_memory",
        "max_swap",
        "max_lwps",
        "cpu_cap",
        "cpu_shares",
        "zfs_io_priority",
        "autoboot",
        "firewall_enabled",
        "limit_priv",
        "resolvers",
        "tags",
        "customer_metadata",
        "internal_metadata",
    ],
    settled: &[
        ("quota", "flexible_disk_size"),
        ("max_physical_memory", "vcpus"),
        ("max_locked_memory", "vcpus"),
        ("max_swap", "vcpus"),
        ("tmpfs", "vcpus"),
        ("resolvers", "maintain_resolvers"),
    ],
}));
/// What is on at a NIC, or is not shown.
const ON: &[&str] = &[
    "primary",
    "allow_dhcp_spoofing",
    "allow_ip_spoofing",
    "allow_mac_spoofing",
    "allow_restricted_traffic",
    "allow_unfiltered_promisc",
];
/// What stays when the maps of a VM are replaced.
const KEPT: &[&str] = &{
    let mut all = [super::metadata::COMPUTED[0]; OF_DOCKER.len() + 1];
    let mut at = 0;
    while at < OF_DOCKER.len() {
        all[at] = OF_DOCKER[at];
        at += 1;
    }
    all
};

/// UpdateVm. What it does not know it drops, so that nothing else is taken here.
pub static UPDATE: Op = Op {
    targets: Takes::One,
    ..change("UpdateVm", "update", "Change a VM", &[("action", "update")], UPDATED)
}
.long(
    "Metadata and tags that are given replace all that are there; `admin vms metadata set` leaves the rest. A new \
         package or memory resizes it: not for kvm; bhyve VMs must be stopped.",
)
.fields(&[
    body("alias", Kind::Text, "New alias").short('n'),
    body("billing_id", Kind::Ref(&PACKAGE), "New package: id, name or name@version").flag("package").value("PACKAGE"),
    body("ram", Kind::Mebibytes, "New memory, in MiB or with a unit"),
    body("new_owner_uuid", Kind::Ref(&ACCOUNT), "Account that it is given to: login or id")
        .flag("new-owner")
        .value("ACCOUNT")
        .asks(),
    body("autoboot", Kind::Bool, "Whether it is booted with its server"),
    body("cpu_cap", Kind::Integer, "Limit of CPU, in percent of one core"),
    body("cpu_shares", Kind::Integer, "Shares of CPU"),
    body("quota", Kind::Integer, "Quota, in GiB"),
    body("max_physical_memory", Kind::Mebibytes, "Limit of memory, in MiB or with a unit"),
    body("max_locked_memory", Kind::Mebibytes, "Limit of locked memory, in MiB or with a unit"),
    body("max_swap", Kind::Mebibytes, "Limit of swap, in MiB or with a unit; at least 256"),
    body("max_lwps", Kind::Integer, "Limit of threads"),
    body("zfs_io_priority", Kind::Integer, "Priority of its input and output"),
    body("zfs_data_compression", Kind::Text, "Compression of its data: on, off, lz4, gzip, ..."),
    body("zfs_snapshot_limit", Kind::Integer, "Limit of snapshots"),
    body("zlog_max_size", Kind::Integer, "Largest log, in bytes"),
    body("tmpfs", Kind::Mebibytes, "Size of /tmp, in MiB or with a unit"),
    body("firewall_enabled", Kind::Bool, "Whether its firewall is on"),
    body("fs_allowed", Kind::Text, "File systems that it may mount, with commas between"),
    body("limit_priv", Kind::Text, "Privileges that it has, with commas between"),
    body("resolvers", Kind::Texts, "Address of a resolver; may be repeated. Replaces all").flag("resolver"),
    body("maintain_resolvers", Kind::Bool, "Whether its resolvers are kept as they are here"),
    body("indestructible_zoneroot", Kind::Bool, "Whether it cannot be destroyed"),
    body("indestructible_delegated", Kind::Bool, "Whether its delegated dataset cannot be destroyed"),
    body("do_not_inventory", Kind::Bool, "Whether it is left out of inventories"),
    body("package_name", Kind::Text, "Name of its package"),
    body("package_version", Kind::Text, "Version of its package"),
    body("tags", Kind::Object, "Tag NAME=TEXT; may be repeated. Replaces all").flag("tag").short('t').asks(),
    body("customer_metadata", Kind::Object, "Metadata NAME=TEXT; may be repeated. Replaces all")
        .flag("metadata")
        .short('m')
        .asks(),
    body("internal_metadata", Kind::Object, "Metadata that it does not see. Replaces all").asks(),
    body("force", Kind::Flag("true"), "Resize it although its server has no room").flag("overcommit"),
    OWNER,
])
.assigns()
.keeps(KEPT)
.examples("admin vms update web1 --alias www1 --wait\nadmin vms update web1 --ram 2G --dry-run");

/// AddNics. They are made before the answer: a network without a free address is refused at once.
pub static ADD_NICS: Op = change(
    "AddNics",
    "nics add",
    "Add NICs to a VM",
    &[("action", "add_nics")],
    nics("macs", PartsEnd::Made("networks")),
)
.fields(&[
    NETWORKS,
    body("macs", Kind::Texts, "Hardware address of a NIC that is there; may be repeated").flag("mac"),
    OWNER,
])
.one_of(&["networks", "macs"])
.examples(
    "admin vms nics add web1 --network public-b --wait --timeout 5m\n\
         admin vms nics add build --network private --dry-run",
);

/// UpdateNics.
pub static UPDATE_NICS: Op = change(
    "UpdateNics",
    "nics update",
    "Change NICs of a VM",
    &[("action", "update_nics")],
    nics("nics", PartsEnd::Like(ON)),
)
.fields(&[body("nics", Kind::Json, "NICs: [{\"mac\":\"MAC\",\"primary\":true}]").required(), OWNER])
.examples(
    "admin vms nics update web1 --nics '[{\"mac\":\"90:b8:c2:a8:80:05\",\"primary\":true}]' --wait\n\
         admin vms nics update web1 --nics '[{\"mac\":\"90:b8:c6:12:00:0a\",\"allow_ip_spoofing\":true}]' --dry-run",
);

/// RemoveNics.
pub static REMOVE_NICS: Op = change(
    "RemoveNics",
    "nics remove",
    "Remove NICs from a VM",
    &[("action", "remove_nics")],
    nics("macs", PartsEnd::Gone),
)
.asks()
.fields(&[body("macs", Kind::Texts, "Hardware address of a NIC; may be repeated").flag("mac").required(), OWNER])
.examples(
    "admin vms nics remove web1 --mac 90:b8:c6:12:00:0a --wait --yes\n\
             admin vms nics remove web1 --mac 90:b8:c6:12:00:0a --dry-run",
);

/// CreateSnapshot.
pub static CREATE_SNAPSHOT: Op = change(
    "CreateSnapshot",
    "snapshots create",
    "Take a snapshot of a VM",
    &[("action", "create_snapshot")],
    snapshots(PartsEnd::Made("")),
)
.task("snapshot")
.long("Not for kvm VMs nor those with a delegated dataset.")
.fields(&[body("snapshot_name", Kind::Text, "Name; the time if not given").flag("name").short('n'), OWNER])
.examples("admin vms snapshots create web1 -n before --wait\nadmin vms snapshots create -l role=web --dry-run");

/// RollbackSnapshot. The VM runs afterwards.
pub static ROLLBACK_SNAPSHOT: Op = change(
    "RollbackSnapshot",
    "snapshots rollback",
    "Set a VM back to a snapshot, stop and start it",
    &[("action", "rollback_snapshot")],
    // What was set back nothing of it shows.
    Goal::Job,
)
.task("snapshot")
.asks()
.fields(&[body("snapshot_name", Kind::Text, "Name of the snapshot").flag("name").short('n').required(), OWNER])
.examples(
    "admin vms snapshots rollback web1 -n before --wait --yes\n\
     admin vms snapshots rollback web1 -n before --dry-run",
);

/// DeleteSnapshot.
pub static DELETE_SNAPSHOT: Op = change(
    "DeleteSnapshot",
    "snapshots delete",
    "Delete a snapshot of a VM",
    &[("action", "delete_snapshot")],
    snapshots(PartsEnd::Gone),
)
.task("snapshot")
.asks()
.fields(&[body("snapshot_name", Kind::Text, "Name of the snapshot").flag("name").short('n').required(), OWNER])
.examples(
    "admin vms snapshots delete web1 -n before --wait --yes\n\
             admin vms snapshots delete web1 -n before --dry-run",
);

const SLOT: Field = body("pci_slot", Kind::Text, "PCI slot of the disk: 0:4:1").required();

/// CreateDisk.
pub static CREATE_DISK: Op = change(
    "CreateDisk",
    "disks add",
    "Add a disk to a stopped bhyve VM",
    &[("action", "create_disk")],
    disks(PartsEnd::Made("")),
)
.task("update")
.fields(&[
    body("size", Kind::DiskSize, "Size in MiB or with a unit, or remaining").positional(),
    Field { required: false, ..SLOT },
    body("disk_uuid", Kind::Uuid, "Id of the disk"),
    OWNER,
])
.examples("admin vms disks add db1 10G --wait\nadmin vms disks add db1 remaining --dry-run");

/// ResizeDisk.
pub static RESIZE_DISK: Op = change(
    "ResizeDisk",
    "disks resize",
    "Resize a disk of a stopped bhyve VM",
    &[("action", "resize_disk")],
    disks(PartsEnd::Has("size")),
)
.task("update")
.fields(&[
    body("size", Kind::DiskSize, "New size in MiB or with a unit").positional(),
    SLOT,
    body("dangerous_allow_shrink", Kind::Flag("true"), "Cut off what lies beyond a smaller size").asks(),
    OWNER,
])
.examples(
    "admin vms disks resize db1 50G --pci-slot 0:4:1 --wait\n\
             admin vms disks resize db1 50G --pci-slot 0:4:1 --dry-run",
);

/// DeleteDisk.
pub static DELETE_DISK: Op = change(
    "DeleteDisk",
    "disks delete",
    "Delete a disk of a stopped bhyve VM",
    &[("action", "delete_disk")],
    disks(PartsEnd::Gone),
)
.task("update")
.asks()
.fields(&[SLOT, OWNER])
.examples(
    "admin vms disks delete db1 --pci-slot 0:4:1 --wait --yes\n\
             admin vms disks delete db1 --pci-slot 0:4:1 --dry-run",
);
