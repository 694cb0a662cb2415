//! Machines: virtual machines and containers, which CloudAPI also calls instances.

use super::*;

const STATES: &[&str] = &["provisioning", "stopping", "active", "stopped", "running", "unknown", "destroyed"];

/// Looked up by name among the account's machines. The server's `name` filter matches by prefix.
pub static MACHINE: Noun = Noun {
    name: "machine",
    called: "id, short id or name",
    get: &GET,
    failed: &["failed", "deleted"],
    list: Some(&LIST),
    filter: Some("name"),
    name_field: "name",
    version_field: None,
    newest_by: None,
    lister: "sdc machines list",
};

/// ListMachines.
pub static LIST: Op = Op::list("ListMachines", "list", "/:login/machines", "List the machines of the account")
    .long(
        "Failed and destroyed machines are left out unless --tombstone is given.\n\
         Filters can also be typed as NAME=VALUE: sdc machines list state=running tag.role=web",
    )
    .pages(1000)
    .fields(&[
        query("name", Kind::Text, "Only machines whose name begins so"),
        query("state", Kind::OneOf(STATES), "Only machines in this state"),
        query("brand", Kind::Text, "Only machines of this brand: bhyve, joyent, joyent-minimal, kvm, lx"),
        query(
            "image",
            Kind::Ref(&super::images::IMAGE),
            "Only machines made from this image; a name means the newest image of it",
        ),
        query("memory", Kind::Mebibytes, "Only machines with this much memory, in MiB or with a unit: 2G"),
        query("tag", Kind::Pairs("tag."), "Only machines with this tag; several must all fit"),
        query("tags", Kind::Flag("*"), "Only machines with any tag; every other filter is then ignored by the service")
            .flag("tagged"),
        query("type", Kind::OneOf(&["smartmachine", "virtualmachine"]), "Only machines of this (deprecated) type"),
        query("docker", Kind::Bool, "Only Docker containers, or none of them"),
        query("tombstone", Kind::Flag("true"), "Show failed machines and those destroyed a short while ago too"),
        query("credentials", Kind::Flag("true"), "Show generated passwords in the metadata"),
        query("limit", Kind::Integer, "At most this many in all; everything if not given"),
        query("offset", Kind::Integer, "Skip this many first"),
    ]);

/// GetMachine.
pub static GET: Op = Op::get("GetMachine", "get", "/:login/machines/:machine", "Show a machine").fields(&[query(
    "credentials",
    Kind::Flag("true"),
    "Show generated passwords in the metadata",
)]);

/// CreateMachine. Nested `tags` and `metadata` objects would be ignored by the server: flat keys only.
pub static CREATE: Op = Op::create("CreateMachine", "create", "/:login/machines", "Create a machine")
    .long(
        "Tags and metadata stay what was typed: --tag version=1.10 is the text 1.10. NAME:=JSON gives a tag a type:\n\
         --tag triton.cns.disable:=true",
    )
    .until(Goal::State("running"), &MACHINE)
    .fields(&[
        body("image", Kind::Ref(&super::images::IMAGE), "Image: id, short id, name (the newest), or name@version")
            .required(),
        body("package", Kind::Ref(&super::packages::PACKAGE), "Package: id, short id, name, or name@version")
            .required(),
        body("name", Kind::Text, "Name, at most 189 characters; {{shortId}} becomes the first 8 of the id").short('n'),
        body("networks", Kind::Refs(&super::networks::NETWORK), "Network: id, short id or name; may be repeated")
            .flag("network")
            .short('N'),
        body("tag", Kind::Pairs("tag."), "Tag NAME=TEXT, or NAME:=JSON for a number or boolean; may be repeated")
            .short('t'),
        body("metadata", Kind::Pairs("metadata."), "Metadata NAME=TEXT; may be repeated").short('m'),
        body("metadata-file", Kind::PairFiles("metadata."), "Metadata NAME=@FILE: the value is the file's contents")
            .short('M'),
        body("metadata.user-script", Kind::File, "File that the machine runs at every boot, - for standard input")
            .flag("script"),
        body("firewall_enabled", Kind::Flag("true"), "Switch the machine's firewall on").flag("firewall"),
    ]);

/// StartMachine.
pub static START: Op = Op::action("StartMachine", "start", "/:login/machines/:machine", "Start a stopped machine")
    .fixed(&[("action", "start")])
    .until(Goal::State("running"), &MACHINE);

/// StopMachine.
pub static STOP: Op = Op::action("StopMachine", "stop", "/:login/machines/:machine", "Stop a running machine")
    .fixed(&[("action", "stop")])
    .until(Goal::State("stopped"), &MACHINE);

/// RebootMachine. The state may not visibly change, so its end is read from the audit log.
pub static REBOOT: Op = Op::action("RebootMachine", "reboot", "/:login/machines/:machine", "Reboot a running machine")
    .fixed(&[("action", "reboot")])
    .until(Goal::Audit("reboot"), &MACHINE);

/// RenameMachine.
pub static RENAME: Op = Op::action("RenameMachine", "rename", "/:login/machines/:machine", "Give a machine a new name")
    .fixed(&[("action", "rename")])
    .fields(&[body("name", Kind::Text, "New name, at most 189 characters").positional()])
    .until(Goal::Field("name"), &MACHINE);

/// DeleteMachine.
pub static DELETE: Op =
    Op::delete("DeleteMachine", "delete", "/:login/machines/:machine", "Delete a machine and everything on it")
        .until(Goal::Gone, &MACHINE);

/// MachineAudit.
pub static AUDIT: Op = Op::list(
    "MachineAudit",
    "audit",
    "/:login/machines/:machine/audit",
    "Show what was done to a machine, newest first",
)
.columns(&[column("time"), column("action"), column("success"), column("caller").nested()]);

/// ListMachineTags.
pub static TAGS_LIST: Op =
    Op::map("ListMachineTags", "tags list", "/:login/machines/:machine/tags", "List the tags of a machine")
        .columns(&[column("name"), column("value")]);

/// ListMachineMetadata.
pub static METADATA_LIST: Op = Op::map(
    "ListMachineMetadata",
    "metadata list",
    "/:login/machines/:machine/metadata",
    "List the metadata of a machine",
)
.columns(&[column("name"), column("value")])
.fields(&[query("credentials", Kind::Flag("true"), "Show generated passwords too")]);

/// `sdc machines`.
pub static MACHINES: Resource = Resource {
    name: "machines",
    aliases: &["machine", "instances", "instance", "insts", "inst", "vms", "vm"],
    about: "Virtual machines and containers",
    columns: &[
        column("shortid").of("id").show(Show::ShortId),
        column("id").long(),
        column("name"),
        column("img").of("image").show(Show::ImageName),
        column("brand").long(),
        column("package").long(),
        column("state"),
        column("flags").of("").show(Show::MachineFlags),
        column("primaryIp").long(),
        column("memory").long().show(Show::Mebibytes),
        column("disk").long().show(Show::Mebibytes),
        column("age").of("created").show(Show::Age),
        column("created").long(),
        column("updated").named(),
        column("image").named(),
        column("type").named(),
        column("ips").named(),
        column("networks").named(),
        column("nics").named(),
        column("tags").nested(),
        column("metadata").nested(),
        column("credentials").named(),
        column("docker").named(),
        column("firewall_enabled").named(),
        column("deletion_protection").named(),
        column("compute_node").named(),
        column("flexible").named(),
        column("free_space").named().show(Show::Mebibytes),
        column("disks").named(),
        column("dns_names").named(),
        column("delegate_dataset").named(),
        column("encrypted").named(),
    ],
    ops: &[&LIST, &GET, &CREATE, &START, &STOP, &REBOOT, &RENAME, &DELETE, &AUDIT, &TAGS_LIST, &METADATA_LIST],
};
