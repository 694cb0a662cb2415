//! NAPI: networks, pools of them, addresses, and the NICs that have them.

mod addresses;
mod fabrics;
mod nics;
mod pools;

pub use addresses::*;
pub use fabrics::*;
pub use nics::*;
pub use pools::*;

use super::cnapi::SERVER;
use super::mahi::ACCOUNT;
use super::{INNER, LIMIT, OFFSET, OWNERS};
use crate::api::*;

const CALLED: &str = "id, short id or name";
/// What can have an address or a NIC.
const TYPES: &[&str] = &["zone", "server", "other"];

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
        query("owner_uuid", Kind::Ref(&ACCOUNT), "Only those that list this owner: login or id")
            .flag("owner")
            .test(Test::Id("owner_uuids")),
        query("provisionable_by", Kind::Ref(&ACCOUNT), "Only those on which this account may provision: login or id")
            .test(Test::Service),
        LIMIT,
        OFFSET,
    ])
    .examples("admin networks list\nadmin networks list nic_tag=external vlan_id=0");

/// GetNetwork.
pub static GET_NETWORK: Op = Op::get("GetNetwork", "get", "/networks/:adminnetwork", "Show a network")
    .each()
    .fields(&[query(
        "provisionable_by",
        Kind::Ref(&ACCOUNT),
        "Refuse it where this account may not provision on it: login or id",
    )])
    .examples("admin networks get public\nadmin networks get public -o name,subnet,gateway");

/// How a network is shown.
pub const NETWORK_COLUMNS: &[Column] = &[
    column("shortid").of("uuid").show(Show::ShortId).brief().stays(),
    column("uuid").always().long(),
    column("name").always().stays(),
    column("nic_tag").always(),
    column("vlan_id").always(),
    column("subnet").always().stays(),
    column("gateway").roomy(),
    column("provision_start_ip").always().long(),
    column("provision_end_ip").always().long(),
    column("fabric").truth().roomy(),
    column("family").always().named(),
    column("netmask").named(),
    column("mtu").always().named(),
    column("resolvers").always_many().named(),
    column("routes").nested(),
    column("owner_uuids").named(),
    column("owner_uuid").named(),
    column("vnet_id").named(),
    column("internet_nat").truth().named(),
    column("description").long(),
];

const NAME: Field = body("name", Kind::Text, "Name, at most 64 characters; no other network has it").short('n');
const DESCRIPTION: Field = body("description", Kind::TextOrEmpty, "Description");
const START: Field = body("provision_start_ip", Kind::Text, "First address that is given out");
const END: Field = body("provision_end_ip", Kind::Text, "Last address that is given out");
const GATEWAY: Field = body("gateway", Kind::Text, "Address of the gateway");
const RESOLVERS: Field = body("resolvers", Kind::Texts, "Address of a resolver; may be repeated").flag("resolver");
const ROUTES: Field = body("routes", Kind::Object, "Route SUBNET=GATEWAY; may be repeated").flag("route");
const MTU: Field = body("mtu", Kind::Integer, "Largest packet, in bytes");
const PROVIDES: Field =
    body("nic_tags_provided", Kind::Texts, "NIC tag that it provides; may be repeated").flag("provides");

/// CreateNetwork. The service takes one that overlaps with another, or has its VLAN.
pub static CREATE_NETWORK: Op = Op::create("CreateNetwork", "create", "/networks", "Create a network")
    .making(&NETWORK)
    .long("The service refuses a name that is taken, but neither a VLAN nor a private subnet that another network has.")
    .fields(&[
        Field { required: true, ..NAME },
        body("nic_tag", Kind::Text, "NIC tag of the servers' NICs that reach it").required(),
        body("vlan_id", Kind::Integer, "VLAN: 0, or 2 to 4094").flag("vlan").required(),
        body("subnet", Kind::Text, "Subnet: 10.60.0.0/24"),
        START,
        END,
        GATEWAY,
        RESOLVERS,
        ROUTES,
        OWNERS,
        DESCRIPTION,
        MTU,
        body("family", Kind::OneOf(&["ipv4", "ipv6"]), "Family, where the service chooses the subnet"),
        body("subnet_alloc", Kind::Flag("true"), "Let the service choose the subnet"),
        body("subnet_prefix", Kind::Integer, "Length of the prefix of the subnet that it chooses"),
        body("uuid", Kind::Uuid, "Id, one that nothing has yet"),
    ])
    .assigns()
    .examples(
        "admin networks create -n lab --nic-tag external --vlan 30 --subnet 10.60.0.0/24 \
         --provision-start-ip 10.60.0.10 --provision-end-ip 10.60.0.99\n\
         admin networks create -n lab --nic-tag external --vlan 30 --subnet-alloc --dry-run",
    );

/// UpdateNetwork. VLAN, NIC tag and subnet stay.
pub static UPDATE_NETWORK: Op = Op::put("UpdateNetwork", "update", "/networks/:adminnetwork", "Change a network")
    .long("A list that is given replaces the one that is there.")
    .fields(&[NAME, DESCRIPTION, START, END, GATEWAY, RESOLVERS, ROUTES, OWNERS, MTU, field::IF_MATCH])
    .replaces(&["resolvers", "routes", "owner_uuids"])
    .assigns()
    .examples(
        "admin networks update public --resolver 198.18.0.53\n\
         admin networks update public description=uplink",
    );

/// DeleteNetwork.
pub static DELETE_NETWORK: Op = Op::delete("DeleteNetwork", "delete", "/networks/:adminnetwork", "Delete a network")
    .each()
    .examples("admin networks delete public-b --dry-run\nadmin networks delete lab --yes");

/// `sdc admin networks`.
pub static NETWORKS: Resource = Resource {
    name: "networks",
    aliases: &["network"],
    about: "Networks of the data center (NAPI)",
    columns: NETWORK_COLUMNS,
    ops: &[&LIST_NETWORKS, &GET_NETWORK, &CREATE_NETWORK, &UPDATE_NETWORK, &DELETE_NETWORK],
};

/// NAPI.
pub static NAPI: Service = Service {
    name: "NAPI",
    resources: &[&NETWORKS, &POOLS, &NIC_TAGS, &NICS, &IPS, &FABRICS, &AGGREGATIONS],
    nouns: &[&NETWORK, &POOL, &NIC_TAG, &NIC, &IP, &VLAN, &FABRIC_NETWORK, &AGGREGATION],
    ..INNER
};
