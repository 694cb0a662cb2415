//! Networks and network pools, as the account sees them.

use crate::api::*;

/// Looked up by name; the server itself takes ids only.
pub static NETWORK: Noun = Noun::new("network", &GET, &LIST).used_by(Users::Rows(&super::machines::LIST, "networks"));

/// ListNetworks.
pub static LIST: Op =
    Op::list("ListNetworks", "list", "/:login/networks", "List the networks that the account can use")
        .fields(&[
            query("fabric", Kind::Flag("true"), "Only the account's own fabric networks").test(Test::Bool("fabric"))
        ])
        .examples("networks list\nnetworks list --fabric -o name,subnet,vlan");

/// GetNetwork.
pub static GET: Op = Op::get("GetNetwork", "get", "/:login/networks/:network", "Show a network")
    .each()
    .fields(&[query("fabric", Kind::Flag("true"), "Only among the account's own fabric networks")])
    .examples("networks get public\nnetworks get My-Fabric-Network -o id");

const IP_COLUMNS: &[Column] = &[
    column("ip").always().stays(),
    column("managed").always(),
    column("reserved").always(),
    column("owner_uuid"),
    column("belongs_to_uuid"),
];

/// An address of a network: it is its own id.
pub static IP: Noun =
    Noun::new("ip", &IP_GET, &IP_LIST).word("address").ids(Ids::Any, "ip", "IPv4 address").named("ip");

/// ListNetworkIPs. The server leaves rows out after it has cut the page.
pub static IP_LIST: Op = Op::list(
    "ListNetworkIPs",
    "ips list",
    "/:login/networks/:network/ips",
    "List the addresses of a network that are in use or reserved",
)
.sparse_pages(1000)
.columns(IP_COLUMNS)
.fields(&[query("limit", Kind::Integer, LIMIT), query("offset", Kind::Integer, "Skip this many first")])
.examples(
    "networks ips list My-Fabric-Network\n\
     networks ips list public --limit 10",
);

/// GetNetworkIP.
pub static IP_GET: Op =
    Op::get("GetNetworkIP", "ips get", "/:login/networks/:network/ips/:ip", "Show an address of a network")
        .columns(IP_COLUMNS)
        .examples(
            "networks ips get My-Fabric-Network 192.168.128.5\n\
             networks ips get My-Fabric-Network 192.168.128.9 -o reserved",
        );

/// UpdateNetworkIP.
pub static IP_UPDATE: Op = Op::put(
    "UpdateNetworkIP",
    "ips update",
    "/:login/networks/:network/ips/:ip",
    "Reserve or release an address of a private network",
)
.long("Reserved addresses are not assigned automatically.")
.assigns()
.columns(IP_COLUMNS)
.fields(&[body("reserved", Kind::Bool, "Whether it is reserved")])
.examples(
    "networks ips update My-Fabric-Network 192.168.128.9 reserved=true\n\
     networks ips update My-Fabric-Network 192.168.128.9 reserved=false",
);

/// How a network is shown.
pub const COLUMNS: &[Column] = &[
    column("shortid").of("id").show(Show::ShortId).brief().stays(),
    column("id").always().long(),
    column("name").always().stays(),
    column("subnet"),
    column("gateway"),
    column("fabric").truth(),
    column("vlan").of("vlan_id"),
    column("public").always().truth(),
    column("description").named(),
    column("vlan_id").named(),
    column("suffixes").named(),
    column("provision_start_ip").named(),
    column("provision_end_ip").named(),
    column("resolvers").named(),
    column("routes").nested(),
    column("internet_nat").truth().named(),
];

/// `sdc networks`.
pub static NETWORKS: Resource = Resource {
    name: "networks",
    aliases: &["network", "nets", "net"],
    about: "Networks and network pools",
    columns: COLUMNS,
    ops: &[&LIST, &GET, &IP_LIST, &IP_GET, &IP_UPDATE],
};
