//! Networks and network pools, as the account sees them.

use super::*;

/// Looked up by name; the server itself takes ids only.
pub static NETWORK: Noun = Noun {
    name: "network",
    called: "id, short id or name",
    get: &GET,
    failed: &[],
    list: Some(&LIST),
    filter: None,
    name_field: "name",
    version_field: None,
    newest_by: None,
    lister: "sdc networks list",
};

/// ListNetworks.
pub static LIST: Op =
    Op::list("ListNetworks", "list", "/:login/networks", "List the networks that the account can use")
        .fields(&[query("fabric", Kind::Flag("true"), "Only the account's own fabric networks")]);

/// GetNetwork.
pub static GET: Op = Op::get("GetNetwork", "get", "/:login/networks/:network", "Show a network").fields(&[query(
    "fabric",
    Kind::Flag("true"),
    "Only among the account's own fabric networks",
)]);

/// `sdc networks`.
pub static NETWORKS: Resource = Resource {
    name: "networks",
    aliases: &["network", "nets", "net"],
    about: "Networks and network pools",
    columns: &[
        column("shortid").of("id").show(Show::ShortId),
        column("id").long(),
        column("name"),
        column("subnet"),
        column("gateway"),
        column("fabric"),
        column("vlan").of("vlan_id"),
        column("public"),
        column("description").long(),
        column("vlan_id").named(),
        column("suffixes").named(),
        column("provision_start_ip").named(),
        column("provision_end_ip").named(),
        column("resolvers").named(),
        column("routes").nested(),
        column("internet_nat").named(),
    ],
    ops: &[&LIST, &GET],
};
