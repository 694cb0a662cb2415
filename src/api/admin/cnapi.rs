//! CNAPI: the servers, as far as VMs need them.

use super::{INNER, LIMIT, OFFSET};
use crate::api::*;

/// A server.
pub static SERVER: Noun = Noun::new("server", &GET, &LIST)
    .ids(Ids::Uuid, "uuid", "id, short id or host name")
    .named("hostname")
    .stated("status")
    .filter("hostname")
    .states(&["running", "unknown", "rebooting"]);

/// ServerList.
pub static LIST: Op = Op::list("ServerList", "list", "/servers", "List the servers")
    .pages(1000)
    .fields(&[
        query("hostname", Kind::Text, "Only the one of this name").test(Test::Text("hostname")),
        query("setup", Kind::Bool, "Only those that are set up, or are not").test(Test::Bool("setup")),
        query("headnode", Kind::Bool, "Only headnodes, or none of them").test(Test::Bool("headnode")),
        query("reserved", Kind::Bool, "Only those that get no new VMs, or none of them").test(Test::Bool("reserved")),
        query("extras", Kind::Text, "More of each: agents, vms, memory, disk, sysinfo, last_heartbeat, capacity, all")
            .value("WORD,..."),
        LIMIT,
        OFFSET,
    ])
    .examples("admin servers list\nadmin servers list headnode=false -o hostname,status,ram");

/// ServerGet.
pub static GET: Op = Op::get("ServerGet", "get", "/servers/:server", "Show a server")
    .each()
    .examples("admin servers get cn0\nadmin servers get cn0 -o hostname,status,unreserved_ram");

/// `sdc admin servers`.
pub static SERVERS: Resource = Resource {
    name: "servers",
    aliases: &["server"],
    about: "Servers of the data center (CNAPI)",
    columns: &[
        column("uuid").always().stays(),
        column("hostname").always().stays(),
        column("status").always().stays(),
        column("setup").always().truth(),
        column("headnode").always().truth().roomy(),
        column("reserved").always().truth().roomy(),
        column("ram").show(Show::Mebibytes),
        column("current_platform").long(),
        column("boot_platform").named(),
        column("last_boot").time().long(),
        column("created").time().named(),
        column("rack_identifier").named(),
        column("reservoir").always().truth().named(),
        column("setting_up").truth().named(),
        column("comments").named(),
        column("traits").nested(),
        column("unreserved_ram").named().show(Show::Mebibytes),
        column("unreserved_disk").named().show(Show::Mebibytes),
        column("unreserved_cpu").named(),
        column("memory_total_bytes").named(),
        column("memory_available_bytes").named(),
        column("last_heartbeat").time().named(),
        column("sysinfo").nested(),
        column("vms").nested(),
        column("agents").objects().named(),
    ],
    ops: &[&LIST, &GET],
};

/// CNAPI.
pub static CNAPI: Service = Service { name: "CNAPI", resources: &[&SERVERS], nouns: &[&SERVER], ..INNER };
