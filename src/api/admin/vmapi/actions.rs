//! What is done to a VM. From the wrong state the service takes it all the same, and then its job fails.

use super::{ACCOUNT, BRANDS, IMAGE, MADE, NETWORKS, ONE, OWNER, PACKAGE, SERVER, VM};
use crate::api::*;

/// How what an action has answered is shown: the job, and after a wait the VM.
const STARTED: &[Column] = &[
    column("vm_uuid"),
    column("job_uuid"),
    column("uuid").named(),
    column("alias").named(),
    column("state").named(),
    column("owner_uuid").named(),
    column("server_uuid").named(),
];

const IDEMPOTENT: Field =
    body("idempotent", Kind::Flag("true"), "Take it for done where the VM is in that state already");

const fn action(
    id: &'static str,
    verb: &'static str,
    about: &'static str,
    action: &'static [(&'static str, &'static str)],
    goal: Goal,
) -> Op {
    Op::action(id, verb, ONE, about).each().fixed(action).columns(STARTED).starts_job().until(goal, &VM)
}

/// StartVm.
pub static START: Op = action("StartVm", "start", "Start a stopped VM", &[("action", "start")], Goal::State("running"))
    .fields(&[IDEMPOTENT, OWNER])
    .examples("admin vms start build --wait\nadmin vms start build db1 --idempotent");

/// StopVm.
pub static STOP: Op = action("StopVm", "stop", "Stop a running VM", &[("action", "stop")], Goal::State("stopped"))
    .asks_many()
    .fields(&[IDEMPOTENT, OWNER])
    .examples("admin vms stop web1 --wait\nadmin vms stop -l role=web --dry-run");

/// RebootVm.
pub static REBOOT: Op =
    action("RebootVm", "reboot", "Reboot a running VM", &[("action", "reboot")], Goal::State("running"))
        .asks_many()
        .fields(&[IDEMPOTENT, OWNER])
        .examples("admin vms reboot web1 --wait\nadmin vms reboot 'web*' --dry-run");

/// KillVm, which sends a signal to its first process.
pub static KILL: Op = action("KillVm", "kill", "Send a signal to a VM", &[("action", "kill")], Goal::Job)
    .asks()
    .fields(&[body("signal", Kind::Text, "Signal, such as SIGTERM [default: SIGKILL]").short('s'), IDEMPOTENT, OWNER])
    .examples("admin vms kill web1 --signal SIGTERM --yes\nadmin vms kill web1 --wait --yes");

/// ReprovisionVm.
pub static REPROVISION: Op = action(
    "ReprovisionVm",
    "reprovision",
    "Put another image under a zone, and keep its data",
    &[("action", "reprovision")],
    Goal::Shows(Shown::Fields(&Names { renamed: &[], unshown: &[], always: &["image_uuid"], settled: &[] })),
)
.asks()
.long("Not for kvm and bhyve VMs.")
.fields(&[
    body("image_uuid", Kind::Ref(&IMAGE), "The new image: id, name or name@version").flag("image").positional(),
    OWNER,
])
.examples(
    "admin vms reprovision web1 base-64 --yes\n\
     admin vms reprovision build debian-12-lx@20240612 --wait --yes",
);

/// DeleteVm.
pub static DELETE: Op = Op::delete("DeleteVm", "delete", ONE, "Destroy a VM and everything on it")
    .each()
    .columns(STARTED)
    .starts_job()
    .task("destroy")
    .until(Goal::Gone, &VM)
    .fields(&[OWNER])
    .examples("admin vms delete build --wait --yes\nadmin vms delete -l stage=test --older-than 7d --dry-run");

/// CreateVm. Networks, package, server and addresses are looked for before the answer, the job does the rest.
pub static CREATE: Op = Op::create("CreateVm", "create", "/vms", "Create a VM for an account")
    .columns(MADE)
    .making(&VM)
    .starts_job()
    .task("provision")
    .until(Goal::State("running"), &VM)
    .ends_otherwise("autoboot", "false", "stopped")
    .shows_again(&[
        ("owner_uuid", "owner_uuid"),
        ("alias", "alias"),
        ("brand", "brand"),
        ("billing_id", "billing_id"),
        ("image_uuid", "image_uuid"),
        ("server_uuid", "server_uuid"),
        ("ram", "ram"),
        ("cpu_cap", "cpu_cap"),
        ("max_lwps", "max_lwps"),
        ("zfs_io_priority", "zfs_io_priority"),
        ("vcpus", "vcpus"),
        ("kernel_version", "kernel_version"),
        ("internal_metadata", "internal_metadata"),
        ("networks", "nics"),
        ("tags", "tags"),
        ("customer_metadata", "customer_metadata"),
    ])
    .long(
        "--package or --ram says how large it is. Zones (joyent, joyent-minimal, lx) have a quota; kvm and bhyve VMs \
         have the image's disk and those of --disk, or else one as large as the package says. Placement, addresses and \
         fields are refused at once; what fails later is told by its job.",
    )
    .fields(&[
        body("owner_uuid", Kind::Ref(&ACCOUNT), "The account that it is for: login or id")
            .flag("owner")
            .value("ACCOUNT")
            .required(),
        body("brand", Kind::OneOf(BRANDS), "Brand, which the image and the package must fit").short('b').required(),
        Field { required: true, ..NETWORKS },
        body("billing_id", Kind::Ref(&PACKAGE), "Package: id, name or name@version; of a name its newest active one")
            .flag("package")
            .value("PACKAGE"),
        body("image_uuid", Kind::Ref(&IMAGE), "Image: id, name or name@version; of a name the newest")
            .flag("image")
            .value("IMAGE"),
        body("disks", Kind::Json, "All disks of a kvm or bhyve VM as VMAPI takes them, sizes in MiB"),
        body("alias", Kind::Text, "Alias, at most 189 characters").short('n'),
        body("ram", Kind::Mebibytes, "Memory in MiB or with a unit, where there is no package"),
        body("uuid", Kind::Uuid, "Id, one that nothing has yet"),
        body("server_uuid", Kind::Ref(&SERVER), "Server to place it on: host name or id").flag("server"),
        body("quota", Kind::Integer, "Quota of the zone, in GiB"),
        body("cpu_cap", Kind::Integer, "Limit of CPU, in percent of one core"),
        body("max_swap", Kind::Mebibytes, "Limit of swap, in MiB or with a unit; at least 256"),
        body("max_lwps", Kind::Integer, "Limit of threads"),
        body("zfs_io_priority", Kind::Integer, "Priority of its input and output"),
        body("vcpus", Kind::Integer, "Processors of a kvm or bhyve VM"),
        body("tags", Kind::Object, "Tag NAME=TEXT, or NAME:=JSON for a number or boolean; may be repeated")
            .flag("tag")
            .short('t'),
        body("customer_metadata", Kind::Object, "Metadata NAME=TEXT; may be repeated").flag("metadata").short('m'),
        body("internal_metadata", Kind::Object, "Metadata that the VM does not see, NAME=TEXT; may be repeated"),
        body("firewall_enabled", Kind::Flag("true"), "Enable the firewall").flag("firewall"),
        body("firewall_rules", Kind::Json, "Firewall rules: [{\"uuid\",\"rule\",\"owner_uuid\",\"enabled\"}]"),
        body("hostname", Kind::Text, "Host name"),
        body("dns_domain", Kind::Text, "Domain"),
        body("resolvers", Kind::Texts, "Address of a resolver; may be repeated").flag("resolver"),
        body("delegate_dataset", Kind::Flag("true"), "Give it a ZFS dataset to administer itself"),
        body("autoboot", Kind::Bool, "Whether it is booted, now and with its server"),
        body("kernel_version", Kind::Text, "Kernel that an lx zone shows"),
        body("cpu_type", Kind::OneOf(&["qemu64", "host"]), "Processor that a kvm VM sees"),
        body("locality", Kind::Json, r#"Placement: {"near":[UUID],"far":[UUID],"strict":true}"#),
        body("affinity", Kind::Affinity, "Where to place it: instance!=web*; may be repeated"),
        body("volumes", Kind::Json, r#"Volumes: [{"name":"data","mountpoint":"/mnt"}]"#),
        body("filesystems", Kind::Json, "File systems to mount"),
        body("role_tags", Kind::Texts, "UUID of a role; may be repeated").flag("role-tag"),
    ])
    .one_of(&["billing_id", "ram"])
    .assigns()
    .examples(
        "admin vms create --brand joyent --image base-64 --package g1-small --owner acme --network public \
         --keys -n web2 --wait --timeout 5m\n\
         admin vms create --brand bhyve --image debian-12 --package g1-medium --owner acme \
         --network network=private,ip=10.88.88.77 --disk 20G --dry-run",
    );
