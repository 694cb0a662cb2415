//! NAPI: networks, pools of them, addresses, and the NICs that have them.

use super::{INNER, LIMIT, OFFSET};
use crate::api::*;

const CALLED: &str = "id, short id or name";

/// A network.
pub static NETWORK: Noun = Noun::new("adminnetwork", &GET_NETWORK, &LIST_NETWORKS)
    .word("network")
    .ids(Ids::Uuid, "uuid", CALLED)
    .filter("name");

/// ListNetworks.
pub static LIST_NETWORKS: Op = Op::list("ListNetworks", "list", "/networks", "List the networks")
    .pages(1000)
    .fields(&[
        query("name", Kind::Text, "Only those of this name").test(Test::Text("name")),
        query("nic_tag", Kind::Text, "Only those of this NIC tag").test(Test::Text("nic_tag")),
        query("vlan_id", Kind::Integer, "Only those of this VLAN").test(Test::Number("vlan_id")),
        query("family", Kind::OneOf(&["ipv4", "ipv6"]), "Only those of this family").test(Test::Text("family")),
        query("fabric", Kind::Bool, "Only fabric networks, or none of them").test(Test::Bool("fabric")),
        query("owner_uuid", Kind::Uuid, "Only those that list this owner").flag("owner").test(Test::Service),
        query("provisionable_by", Kind::Uuid, "Only those on which this account may provision").test(Test::Service),
        LIMIT,
        OFFSET,
    ])
    .examples("admin networks list\nadmin networks list nic_tag=external vlan_id=20");

/// GetNetwork.
pub static GET_NETWORK: Op = Op::get("GetNetwork", "get", "/networks/:adminnetwork", "Show a network")
    .each()
    .fields(&[query("provisionable_by", Kind::Uuid, "Refuse it where this account may not provision on it")])
    .examples("admin networks get external\nadmin networks get external -o name,subnet,gateway");

/// How a network is shown.
pub const NETWORK_COLUMNS: &[Column] = &[
    column("shortid").of("uuid").show(Show::ShortId).brief(),
    column("uuid").long(),
    column("name"),
    column("nic_tag"),
    column("vlan_id"),
    column("subnet").stays(),
    column("gateway").roomy(),
    column("provision_start_ip").long(),
    column("provision_end_ip").long(),
    column("fabric").truth().roomy(),
    column("family").named(),
    column("netmask").named(),
    column("mtu").named(),
    column("resolvers").named(),
    column("routes").nested(),
    column("owner_uuids").named(),
    column("vnet_id").named(),
    column("internet_nat").truth().named(),
    column("description").long(),
];

/// `sdc admin networks`.
pub static NETWORKS: Resource = Resource {
    name: "networks",
    aliases: &["network"],
    about: "Networks of the data center (NAPI)",
    columns: NETWORK_COLUMNS,
    ops: &[&LIST_NETWORKS, &GET_NETWORK],
};

/// NAPI.
pub static NAPI: Service = Service { name: "NAPI", resources: &[&NETWORKS], nouns: &[&NETWORK], ..INNER };
