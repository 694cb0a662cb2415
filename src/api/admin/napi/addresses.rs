//! Addresses of networks, and who has one.

use super::{ACCOUNT, LIMIT, NETWORK, OFFSET, TYPES};
use crate::api::*;

/// An address of a network.
pub static IP: Noun = Noun::new("adminip", &GET_IP, &LIST_IPS).word("address").ids(Ids::Any, "ip", "address");

/// ListIPs: those that are used or reserved, or once were.
pub static LIST_IPS: Op = Op::list(
    "ListIPs",
    "list",
    "/networks/:adminnetwork/ips",
    "List the addresses of a network that are not plain free",
)
.pages(1000)
.fields(&[
    query("belongs_to_type", Kind::OneOf(TYPES), "Only those of such things").test(Test::Text("belongs_to_type")),
    query("belongs_to_uuid", Kind::Uuid, "Only those of this VM or server").test(Test::Text("belongs_to_uuid")),
    query("owner_uuid", Kind::Ref(&ACCOUNT), "Only those of this account: login or id")
        .flag("owner")
        .test(Test::Id("owner_uuid")),
    LIMIT,
    OFFSET,
])
.examples("admin ips list public\nadmin ips list public free=false");

/// GetIP. Every address of the subnet has an answer.
pub static GET_IP: Op = Op::get("GetIP", "get", "/networks/:adminnetwork/ips/:adminip", "Show an address of a network")
    .each()
    .examples("admin ips get public 198.18.0.10\nadmin ips get public 198.18.20.15 -o ip,free");

/// UpdateIP.
pub static UPDATE_IP: Op = Op::put(
    "UpdateIP",
    "update",
    "/networks/:adminnetwork/ips/:adminip",
    "Reserve, give or free an address of a network",
)
.long("--belongs-to-type and --belongs-to-uuid need each other, and --owner.")
.fields(&[
    body("reserved", Kind::Bool, "Whether it is kept from being given out"),
    body("owner_uuid", Kind::Ref(&ACCOUNT), "Account that has it: login or id").flag("owner"),
    body("belongs_to_type", Kind::OneOf(TYPES), "What has it"),
    body("belongs_to_uuid", Kind::Uuid, "Id of the VM or server that has it"),
    body("unassign", Kind::Flag("true"), "Take it from what has it, and leave it its owner")
        .asks()
        .clears(&["belongs_to_type", "belongs_to_uuid"]),
    body("free", Kind::Flag("true"), "Free it from everything").asks().clears(&[
        "belongs_to_type",
        "belongs_to_uuid",
        "owner_uuid",
    ]),
    body("check_owner", Kind::Bool, "Refuse an account that may not use the network [default: true]"),
])
.assigns()
.examples(
    "admin ips update public 198.18.20.99 --reserved\n\
             admin ips update public 198.18.20.99 --free --yes",
);

/// SearchIPs.
pub static WHO: Op = Op::list("SearchIPs", "who", "/search/ips", "Show who has an address, on every network")
    .fields(&[
        query("ip", Kind::Text, "Address").positional(),
        query("belongs_to_type", Kind::OneOf(TYPES), "Only where such a thing has it")
            .test(Test::Text("belongs_to_type")),
        query("owner_uuid", Kind::Ref(&ACCOUNT), "Only where this account has it: login or id")
            .flag("owner")
            .test(Test::Id("owner_uuid")),
        query("fabric", Kind::Bool, "Only on fabric networks, or on none of them").test(Test::Service),
    ])
    .long(
        "A line for each network that the address is in, be it used there or free. The VM, its NIC, the server and the \
           account's login are looked up too.",
    )
    .columns(&[
        column("ip").always().stays(),
        column("network").of("network_name").stays(),
        column("free").always().truth(),
        column("reserved").always().truth(),
        column("nic").stays(),
        column("vm").of("vm_alias").stays(),
        column("vm_state"),
        column("server").roomy(),
        column("owner").of("owner_login"),
        column("subnet").roomy(),
        column("belongs_to_type").long(),
        column("belongs_to_uuid").long(),
        column("owner_uuid").long(),
        column("network_uuid").always().ids_of(&NETWORK).long(),
    ])
    .examples("admin ips who 198.18.0.10\nadmin ips who 198.18.0.10 --json");

/// `sdc admin ips`.
pub static IPS: Resource = Resource {
    name: "ips",
    aliases: &["ip", "addresses"],
    about: "Addresses of networks, and who has them (NAPI)",
    columns: &[
        column("ip").always().stays(),
        column("free").always().truth(),
        column("reserved").always().truth(),
        column("belongs_to_type"),
        column("belongs_to_uuid"),
        column("owner_uuid").long(),
        column("network_uuid").always().ids_of(&NETWORK).long(),
    ],
    ops: &[&LIST_IPS, &GET_IP, &UPDATE_IP, &WHO],
};
