//! The data centers of this cloud and their CloudAPI addresses.

use crate::api::*;

/// The server itself finds a data center by its name.
pub static DATACENTER: Noun = Noun::new("datacenter", &GET, &LIST).ids(Ids::Any, "name", "name");

/// ListDatacenters.
pub static LIST: Op =
    Op::map("ListDatacenters", "list", "/:login/datacenters", "List the data centers and their CloudAPI addresses")
        .examples("datacenters list\ndatacenters list --json");

/// GetDatacenter: a redirect, whose target is the answer. It is told and never followed.
pub static GET: Op =
    Op::get("GetDatacenter", "get", "/:login/datacenters/:datacenter", "Show the CloudAPI address of a data center")
        .redirects()
        .examples("datacenters get local-2\ndatacenters get local-2 --json");

/// ListForeignDatacenters. Only for callers with a delegated token (`X-Auth-Token`), such as the portal.
pub static FOREIGN_LIST: Op = Op::map(
    "ListForeignDatacenters",
    "foreign list",
    "/:login/foreigndatacenters",
    "List the data centers of other clouds that the account knows",
)
.long("The service answers this only to portals, which sign with a delegated token; others get 403.")
.examples("datacenters foreign list");

/// AddForeignDatacenter, of which the same holds.
pub static FOREIGN_ADD: Op = Op::create(
    "AddForeignDatacenter",
    "foreign add",
    "/:login/foreigndatacenters",
    "Register a data center of another cloud",
)
.long("The service answers this only to portals, which sign with a delegated token; others get 403.")
.fields(&[body("", Kind::FlatPairs(&["account", "login", "as-role"]), "What the service is to keep: NAME=VALUE")
    .flag("FIELD")
    .positional()])
.examples("datacenters foreign add west=https://cloudapi.example.com");

/// `sdc datacenters`.
pub static DATACENTERS: Resource = Resource {
    name: "datacenters",
    aliases: &["datacenter", "dcs", "dc"],
    about: "Data centers of the cloud",
    columns: &[column("name").stays(), column("url").stays()],
    ops: &[&LIST, &GET, &FOREIGN_LIST, &FOREIGN_ADD],
};
