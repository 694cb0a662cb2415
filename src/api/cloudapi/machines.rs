//! Machines: virtual machines and containers, which CloudAPI also calls instances.

use super::{disks, metadata, migrations, nics, snapshots, tags};
use crate::api::*;

const STATES: &[&str] = &[
    "running",
    "stopped",
    "provisioning",
    "stopping",
    "ready",
    "offline",
    "failed",
    "deleted",
    "destroyed",
    "unknown",
];

/// What the service is asked for. It refuses some of the states that machines are in, and takes `provisioning` and
/// `stopping` for all that are neither failed nor deleted.
const ASKED: &[State] = &[
    state("running"),
    state("stopped"),
    state("provisioning"),
    state("stopping"),
    state("ready").unasked(),
    state("offline").unasked(),
    state("failed").by("tombstone", "true"),
    state("deleted").by("state", "destroyed"),
    state("destroyed").shown("deleted"),
    state("unknown"),
];

/// Looked up by name among the account's machines. The server's `name` filter matches by prefix.
pub static MACHINE: Noun = Noun::new("machine", &GET, &LIST)
    .filter("name")
    .fails(&["failed", "deleted"])
    .rests(&["running", "stopped"])
    .log(&AUDIT)
    .picked_by(&[Pick::Tags, Pick::State("tombstone", "true"), Pick::Age("created")])
    .states(&["running", "provisioning", "ready", "stopping", "stopped", "offline", "failed", "deleted", "unknown"]);

/// ListMachines.
pub static LIST: Op = Op::list("ListMachines", "list", "/:login/machines", "List the machines of the account")
    .long(
        "Failed and deleted machines are left out without --tombstone or their state; a failed one is shown if it is \
         named. --name web1 and 'name=web1*' find all names that begin so.",
    )
    .pages(1000)
    .fields(&[
        query("name", Kind::Text, "Only machines whose name starts with TEXT or matches a glob: '*-db'")
            .test(Test::Begins("name")),
        query("state", Kind::OneOf(STATES), "Only machines in one of these states")
            .value("STATE,...")
            .test(Test::State(ASKED, None)),
        query("brand", Kind::Text, "Only machines of this brand: bhyve, joyent, joyent-minimal, kvm, lx")
            .words(&["bhyve", "joyent", "joyent-minimal", "kvm", "lx"])
            .test(Test::Text("brand")),
        query(
            "image",
            Kind::Ref(&super::images::IMAGE),
            "Only machines made from this image; of a name, the newest one",
        )
        .test(Test::Id("image")),
        query("memory", Kind::Mebibytes, "Only machines with this much memory, in MiB or with a unit: 2G")
            .test(Test::Number("memory")),
        query("tag", Kind::Pairs("tag."), "Only machines with this tag; all must match").test(Test::Member("tags")),
        query("tags", Kind::Flag("*"), "Only machines with any tag").flag("tagged").test(Test::Filled("tags")),
        query("type", Kind::OneOf(&["smartmachine", "virtualmachine"]), "Only machines of this (deprecated) type")
            .test(Test::Text("type")),
        query("docker", Kind::Bool, "Only Docker containers, or none of them").test(Test::Bool("docker")),
        query("tombstone", Kind::Flag("true"), "Show failed machines and those deleted a short while ago too"),
        query("credentials", Kind::Flag("true"), "Show generated passwords in the metadata"),
        query("limit", Kind::Integer, LIMIT),
        query("offset", Kind::Integer, "Skip this many first"),
    ])
    .examples(
        "machines list 'web*' state=running 'memory>=1G'\n\
         machines list -l role=db package=b1-* -o name,state,primaryIp",
    );

/// GetMachine.
pub static GET: Op = Op::get("GetMachine", "get", "/:login/machines/:machine", "Show a machine")
    .each()
    .long(
        "-o create prints the document that `machines create --from` takes, to make another one like it; of several, one \
         document each.",
    )
    .fields(&[query("credentials", Kind::Flag("true"), "Show generated passwords in the metadata")])
    .examples("machines get web1 -o name,state,primaryIp\nmachines get -l role=web -o create");

/// CreateMachine. Nested `tags` and `metadata` objects would be ignored by the server: flat keys only.
pub static CREATE: Op = Op::create("CreateMachine", "create", "/:login/machines", "Create a machine")
    .making(&MACHINE)
    .long(
        "Tags and metadata stay what was typed: --tag version=1.10 is the text 1.10. NAME:=JSON gives a tag a type: \
         --tag triton.cns.disable:=true. --from takes files of YAML or JSON with these fields, by their options' names \
         or the API's; each document makes a machine, and an option wins over the file.",
    )
    .until(Goal::State("running"), &MACHINE)
    .shows_again(&[
        ("tag.", "tags"),
        ("networks", "networks"),
        ("firewall_enabled", "firewall_enabled"),
        ("deletion_protection", "deletion_protection"),
    ])
    .fields(&[
        body("image", Kind::Ref(&super::images::IMAGE), "Image: id, short id, name (the newest), or name@version")
            .required()
            .or_word()
            .or_setting(),
        body("package", Kind::Ref(&super::packages::PACKAGE), "Package: id, short id, name, or name@version")
            .required()
            .or_word()
            .or_setting(),
        body("name", Kind::Text, "Name, at most 189 characters; {{shortId}} is the start of the id").short('n'),
        body("networks", Kind::Refs(&super::networks::NETWORK), "Network: id, short id or name; may be repeated")
            .flag("network")
            .short('N')
            .or_setting(),
        body("nic", Kind::Nics, "The same with an address: network=NAME,ip=ADDRESS; may be repeated"),
        body("default_networks", Kind::SomeOf(&["external", "internal"]), "Only this one of the default networks")
            .flag("default-network"),
        body("affinity", Kind::Affinity, "Where to place it: instance!=web*, role==~db; may be repeated"),
        body(
            "tag",
            Kind::Pairs("tag."),
            "Tag NAME=TEXT, NAME:=JSON for a number or boolean, or @FILE; may be repeated",
        )
        .short('t'),
        body("metadata", Kind::Pairs("metadata."), "Metadata NAME=TEXT, or @FILE of pairs; may be repeated").short('m'),
        body(
            "metadata-file",
            Kind::PairFiles("metadata."),
            "Metadata NAME=@FILE: the value is the file's contents; FILE: JSON, YAML, or NAME=VALUE lines",
        )
        .short('M'),
        body("metadata.user-script", Kind::File, "File that the machine runs at every boot, - for standard input")
            .flag("script"),
        body("metadata.cloud-init:user-data", Kind::File, "File with the configuration for cloud-init")
            .flag("cloud-config"),
        body("firewall_enabled", Kind::Flag("true"), "Enable the machine's firewall").flag("firewall"),
        body("deletion_protection", Kind::Flag("true"), "Enable deletion protection"),
        body("brand", Kind::OneOf(&["bhyve", "kvm"]), "Hypervisor, where the image leaves the choice").short('b'),
        body(
            "volumes",
            Kind::Mounts,
            "Volume to mount: NAME:/MOUNTPOINT[:ro]; may be repeated. The machine must be on one of its networks",
        )
        .flag("volume")
        .short('v'),
        body(
            "disks",
            Kind::Disks,
            "Disk: SIZE, remaining, or size=SIZE,block_size=BYTES; the first is that of the image",
        )
        .flag("disk"),
        body("delegate_dataset", Kind::Flag("true"), "Give the machine a ZFS dataset to administer itself"),
        body("encrypted", Kind::Flag("true"), "Place it on a server with encrypted disks"),
        body("allow_shared_images", Kind::Flag("true"), "Take an image that another account shares with this one"),
        body("administrator_pw", Kind::Secret, "File with the administrator's password, for Windows images")
            .flag("admin-password-file"),
        body("password", Kind::Secret, "File with the password, for images that want one").flag("password-file"),
        body("locality", Kind::Json, r#"Deprecated: {"near":[ID],"far":[ID],"strict":true}; see --affinity"#),
        ROLE_TAG,
    ])
    .job("provision")
    .examples(
        "machines create base-64 g1-small -n web2 --wait\n\
         machines create -n 'app-{1..3}' --image acme-web --package g1-small -t role=app",
    );

/// StartMachine.
pub static START: Op = Op::action("StartMachine", "start", "/:login/machines/:machine", "Start a stopped machine")
    .each()
    .fixed(&[("action", "start")])
    .job("start")
    .until(Goal::State("running"), &MACHINE)
    .examples("machines start build --wait\nmachines start build db1");

/// StopMachine.
pub static STOP: Op = Op::action("StopMachine", "stop", "/:login/machines/:machine", "Stop a running machine")
    .each()
    .fixed(&[("action", "stop")])
    .asks_many()
    .job("stop")
    .until(Goal::State("stopped"), &MACHINE)
    .examples(
        "machines stop web1 --wait\n\
         machines stop -l role=web,stage=test --dry-run",
    );

/// RebootMachine. The state may not visibly change, so its end is read from the audit log.
pub static REBOOT: Op = Op::action("RebootMachine", "reboot", "/:login/machines/:machine", "Reboot a running machine")
    .each()
    .fixed(&[("action", "reboot")])
    .asks_many()
    .job("reboot")
    .until(Goal::Audit("reboot"), &MACHINE)
    .examples("machines reboot web1 --wait\nmachines reboot 'web*'");

/// RenameMachine.
pub static RENAME: Op = Op::action("RenameMachine", "rename", "/:login/machines/:machine", "Rename a machine")
    .each()
    .renames()
    .long("Several by a pattern: `machines rename 'web-*' 'app-*'`, or {name}-old from the old name.")
    .fixed(&[("action", "rename")])
    .job("rename")
    .fields(&[body("name", Kind::Text, "New name, at most 189 characters").positional()])
    .until(Goal::Field("name"), &MACHINE)
    .examples("machines rename build builder\nmachines rename build builder --wait");

/// DeleteMachine.
pub static DELETE: Op =
    Op::delete("DeleteMachine", "delete", "/:login/machines/:machine", "Delete a machine and everything on it")
        .each()
        .refused_while_busy()
        .job("destroy")
        .until(Goal::Gone, &MACHINE)
        .examples(
            "machines delete build --wait\n\
             machines delete -l stage=test --older-than 7d --yes",
        );

/// ResizeMachine.
pub static RESIZE: Op =
    Op::action("ResizeMachine", "resize", "/:login/machines/:machine", "Change a machine's package")
        .each()
        .long("Not for kvm machines; bhyve ones need a package with a flexible disk.")
        .fixed(&[("action", "resize")])
        .job("resize")
        .fields(&[body(
            "package",
            Kind::Ref(&super::packages::PACKAGE),
            "Package: id, short id, name, or name@version",
        )
        .positional()])
        .until(Goal::Audit("resize"), &MACHINE)
        .examples(
            "machines resize web1 g1-medium\n\
             machines resize web1 g1-medium --wait",
        );

/// EnableMachineFirewall, for which the audit log has no word of its own.
pub static FIREWALL_ON: Op = switch(
    "EnableMachineFirewall",
    "firewall enable",
    "Enable a machine's firewall",
    &[("action", "enable_firewall")],
    Goal::Is("firewall_enabled", "true"),
)
.asks_many()
.job("unknown")
.examples(
    "machines firewall enable web10 --wait\n\
     machines firewall enable -l role=web",
);

/// DisableMachineFirewall.
pub static FIREWALL_OFF: Op = switch(
    "DisableMachineFirewall",
    "firewall disable",
    "Disable a machine's firewall",
    &[("action", "disable_firewall")],
    Goal::Is("firewall_enabled", "false"),
)
.asks_many()
.job("unknown")
.examples(
    "machines firewall disable web1 --wait\n\
     machines firewall disable -l role=web",
);

/// EnableMachineDeletionProtection.
pub static PROTECTION_ON: Op = switch(
    "EnableMachineDeletionProtection",
    "deletion-protection enable",
    "Enable a machine's deletion protection",
    &[("action", "enable_deletion_protection")],
    Goal::Is("deletion_protection", "true"),
)
.job("enable_deletion_protection")
.examples(
    "machines deletion-protection enable web1 --wait\n\
     machines deletion-protection enable -l stage=prod",
);

/// DisableMachineDeletionProtection.
pub static PROTECTION_OFF: Op = switch(
    "DisableMachineDeletionProtection",
    "deletion-protection disable",
    "Disable a machine's deletion protection",
    &[("action", "disable_deletion_protection")],
    Goal::Is("deletion_protection", "false"),
)
.asks_many()
.job("disable_deletion_protection")
.examples(
    "machines deletion-protection disable db0 --wait\n\
     machines deletion-protection disable -l stage=prod",
);

const fn switch(
    id: &'static str,
    verb: &'static str,
    about: &'static str,
    action: &'static [(&'static str, &'static str)],
    goal: Goal,
) -> Op {
    Op::action(id, verb, "/:login/machines/:machine", about).each().fixed(action).until(goal, &MACHINE)
}

/// MachineAudit.
pub static AUDIT: Op = Op::list(
    "MachineAudit",
    "audit",
    "/:login/machines/:machine/audit",
    "Show what was done to a machine, newest first",
)
.long(
    "With --long, BY is the key that asked for it (keys list says whose), and FROM its address. The service calls what \
     it has no word for `unknown`: a change of the firewall, of role tags and the like.",
)
.matching()
.columns(&[
    column("time").always().time(),
    column("action").always(),
    column("success").always(),
    column("by").of("caller").show(Show::Caller),
    column("from").of("/caller/ip").roomy(),
    column("caller").nested(),
    column("machine").of("/machine/name").named(),
])
.examples(
    "machines audit web1 --long\n\
     machines audit web1 -o time,action,success,by --sort time",
);

/// How a machine is shown.
pub const COLUMNS: &[Column] = &[
    column("shortid").of("id").show(Show::ShortId).brief().stays(),
    column("id").always().long(),
    column("name").always().stays(),
    column("img").of("image").ids_of(&super::images::IMAGE).show(Show::ImageName),
    column("brand").always().long(),
    column("package").always().names_of(&super::packages::PACKAGE).roomy(),
    column("state").always().stays(),
    column("flags").of("").show(Show::MachineFlags),
    column("primaryIp").roomy(),
    column("memory").always_or_null().named().show(Show::Mebibytes),
    column("disk").always().named().show(Show::Mebibytes),
    column("age").of("created").time().show(Show::Age).brief(),
    column("created").always().time().long(),
    column("updated").always().time().named(),
    column("image").ids_of(&super::images::IMAGE).named(),
    column("type").always().named(),
    column("ips").always_many().named(),
    column("networks").ids_of(&super::networks::NETWORK).named(),
    column("nics").objects().named(),
    column("tags").always_nested(),
    column("metadata").always_nested(),
    column("credentials").named(),
    column("docker").truth().named(),
    column("firewall_enabled").truth().named(),
    column("deletion_protection").always().truth().named(),
    column("compute_node").named(),
    column("flexible").truth().named(),
    column("free_space").named().show(Show::Mebibytes),
    column("disks").objects().named(),
    column("dns_names").named(),
    column("delegate_dataset").truth().named(),
    column("encrypted").truth().named(),
];

/// `sdc machines`.
pub static MACHINES: Resource = Resource {
    name: "machines",
    aliases: &["machine", "instances", "instance", "insts", "inst", "vms", "vm"],
    about: "Virtual machines and containers",
    columns: COLUMNS,
    ops: &[
        &LIST,
        &GET,
        &CREATE,
        &START,
        &STOP,
        &REBOOT,
        &RENAME,
        &RESIZE,
        &DELETE,
        &AUDIT,
        &FIREWALL_ON,
        &FIREWALL_OFF,
        &PROTECTION_ON,
        &PROTECTION_OFF,
        &tags::LIST,
        &tags::GET,
        &tags::SET,
        &tags::REPLACE,
        &tags::DELETE,
        &tags::DELETE_ALL,
        &metadata::LIST,
        &metadata::GET,
        &metadata::SET,
        &metadata::DELETE,
        &metadata::DELETE_ALL,
        &snapshots::LIST,
        &snapshots::GET,
        &snapshots::CREATE,
        &snapshots::BOOT,
        &snapshots::DELETE,
        &nics::LIST,
        &nics::GET,
        &nics::ADD,
        &nics::REMOVE,
        &disks::LIST,
        &disks::GET,
        &disks::ADD,
        &disks::RESIZE,
        &disks::DELETE,
        &super::fwrules::OF_MACHINE,
        &migrations::LIST,
        &migrations::GET,
        &migrations::ESTIMATE,
        &migrations::BEGIN,
        &migrations::SYNC,
        &migrations::SWITCH,
        &migrations::AUTOMATIC,
        &migrations::PAUSE,
        &migrations::ABORT,
        &migrations::FINALIZE,
    ],
};
