//! The data centers of this cloud and their CloudAPI addresses.

use super::*;

/// The server itself finds a data center by its name.
pub static DATACENTER: Noun = Noun {
    name: "datacenter",
    called: "name",
    get: &GET,
    failed: &[],
    list: None,
    filter: None,
    name_field: "name",
    version_field: None,
    newest_by: None,
    lister: "sdc datacenters list",
};

/// ListDatacenters.
pub static LIST: Op =
    Op::map("ListDatacenters", "list", "/:login/datacenters", "List the data centers and their CloudAPI addresses");

/// GetDatacenter: a redirect, whose target is the answer. It is told and never followed.
pub static GET: Op =
    Op::get("GetDatacenter", "get", "/:login/datacenters/:datacenter", "Show the CloudAPI address of a data center")
        .redirects();

/// `sdc datacenters`.
pub static DATACENTERS: Resource = Resource {
    name: "datacenters",
    aliases: &["datacenter", "dcs", "dc"],
    about: "Data centers of the cloud",
    columns: &[column("name"), column("url")],
    ops: &[&LIST, &GET],
};
