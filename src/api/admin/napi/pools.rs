//! Pools of networks, NIC tags and aggregations.

use super::{ACCOUNT, CALLED, DESCRIPTION, LIMIT, MTU, NETWORK, OFFSET, OWNERS, PROVIDES, SERVER};
use crate::api::*;

/// A pool of networks. Several may have one name.
pub static POOL: Noun =
    Noun::new("pool", &GET_POOL, &LIST_POOLS).word("network pool").ids(Ids::Uuid, "uuid", CALLED).filter("name");

/// ListNetworkPools.
pub static LIST_POOLS: Op = Op::list("ListNetworkPools", "list", "/network_pools", "List the pools of networks")
    .pages(1000)
    .fields(&[
        query("name", Kind::Text, "Only those of this name").test(Test::Text("name")),
        query("family", Kind::OneOf(&["ipv4", "ipv6"]), "Only those of this family").test(Test::Text("family")),
        query("networks", Kind::Ref(&NETWORK), "Only those with this network")
            .flag("network")
            .test(Test::Id("networks")),
        query("provisionable_by", Kind::Ref(&ACCOUNT), "Only those on which this account may provision: login or id")
            .test(Test::Service),
        LIMIT,
        OFFSET,
    ])
    .examples("admin pools list\nadmin pools list --network public-b");

/// GetNetworkPool.
pub static GET_POOL: Op = Op::get("GetNetworkPool", "get", "/network_pools/:pool", "Show a pool of networks")
    .each()
    .examples("admin pools get public-pool\nadmin pools get public-pool -o name,networks");

const NETWORKS: Field =
    body("networks", Kind::Refs(&NETWORK), "Networks: id, short id or name; 1 to 64 of one family").flag("network");

/// CreateNetworkPool.
pub static CREATE_POOL: Op = Op::create("CreateNetworkPool", "create", "/network_pools", "Create a pool of networks")
    .making(&POOL)
    .fields(&[body("name", Kind::Text, "Name").positional(), Field { required: true, ..NETWORKS }, OWNERS, DESCRIPTION])
    .examples("admin pools create uplinks --network public --network public-b\nadmin pools create uplinks --network public --dry-run");

/// UpdateNetworkPool.
pub static UPDATE_POOL: Op =
    Op::put("UpdateNetworkPool", "update", "/network_pools/:pool", "Change a pool of networks")
        .long("A list that is given replaces the one that is there.")
        .fields(&[body("name", Kind::Text, "Name").short('n'), NETWORKS, OWNERS, DESCRIPTION, field::IF_MATCH])
        .replaces(&["networks", "owner_uuids"])
        .assigns()
        .examples("admin pools update public-pool description=uplinks\nadmin pools update public-pool --network public --network public-b");

/// DeleteNetworkPool.
pub static DELETE_POOL: Op =
    Op::delete("DeleteNetworkPool", "delete", "/network_pools/:pool", "Delete a pool of networks")
        .each()
        .examples("admin pools delete public-pool --yes\nadmin pools delete public-pool --dry-run");

/// `sdc admin pools`.
pub static POOLS: Resource = Resource {
    name: "pools",
    aliases: &["pool"],
    about: "Pools of networks (NAPI)",
    columns: &[
        column("shortid").of("uuid").show(Show::ShortId).brief().stays(),
        column("uuid").always().long(),
        column("name").always().stays(),
        column("family").always(),
        column("nic_tag").always(),
        column("nic_tags_present").always_many().named(),
        column("networks").always_many().long(),
        column("owner_uuids").named(),
        column("description").long(),
    ],
    ops: &[&LIST_POOLS, &GET_POOL, &CREATE_POOL, &UPDATE_POOL, &DELETE_POOL],
};

/// A NIC tag, which the service finds by its name.
pub static NIC_TAG: Noun =
    Noun::new("nictag", &GET_NIC_TAG, &LIST_NIC_TAGS).word("NIC tag").ids(Ids::Any, "name", "name");

/// ListNicTags.
pub static LIST_NIC_TAGS: Op = Op::list("ListNicTags", "list", "/nic_tags", "List the NIC tags")
    .pages(1000)
    .fields(&[LIMIT, OFFSET])
    .examples("admin nictags list\nadmin nictags list 'mtu>1500'");

/// GetNicTag.
pub static GET_NIC_TAG: Op = Op::get("GetNicTag", "get", "/nic_tags/:nictag", "Show a NIC tag")
    .each()
    .examples("admin nictags get external\nadmin nictags get external -o name,mtu");

/// CreateNicTag.
pub static CREATE_NIC_TAG: Op = Op::create("CreateNicTag", "create", "/nic_tags", "Create a NIC tag")
    .making(&NIC_TAG)
    .fields(&[body("name", Kind::Text, "Name, at most 31 numbers, letters and underscores").positional(), MTU])
    .examples("admin nictags create storage --mtu 9000\nadmin nictags create storage --dry-run");

/// UpdateNicTag.
pub static UPDATE_NIC_TAG: Op = Op::put("UpdateNicTag", "update", "/nic_tags/:nictag", "Change a NIC tag")
    .fields(&[body("name", Kind::Text, "New name").short('n'), MTU])
    .assigns()
    .examples("admin nictags update storage mtu=9000\nadmin nictags update storage name=backup");

/// DeleteNicTag.
pub static DELETE_NIC_TAG: Op = Op::delete("DeleteNicTag", "delete", "/nic_tags/:nictag", "Delete a NIC tag")
    .each()
    .examples("admin nictags delete storage --yes\nadmin nictags delete storage --dry-run");

/// `sdc admin nictags`.
pub static NIC_TAGS: Resource = Resource {
    name: "nictags",
    aliases: &["nictag", "nic-tags"],
    about: "NIC tags: which NICs of servers reach which networks (NAPI)",
    columns: &[column("uuid").always().stays(), column("name").always().stays(), column("mtu").always()],
    ops: &[&LIST_NIC_TAGS, &GET_NIC_TAG, &CREATE_NIC_TAG, &UPDATE_NIC_TAG, &DELETE_NIC_TAG],
};

/// An aggregation, whose id is that of its server and its name.
pub static AGGREGATION: Noun =
    Noun::new("aggregation", &GET_AGGREGATION, &LIST_AGGREGATIONS).ids(Ids::Any, "id", "id").named("id");

/// ListAggregations.
pub static LIST_AGGREGATIONS: Op =
    Op::list("ListAggregations", "list", "/aggregations", "List the link aggregations of servers")
        .pages(1000)
        .fields(&[
            query("belongs_to_uuid", Kind::Ref(&SERVER), "Only those of this server: host name or id")
                .flag("server")
                .test(Test::Id("belongs_to_uuid")),
            query("macs", Kind::Text, "Only those of this NIC").flag("mac").test(Test::Among("macs")),
            query("nic_tags_provided", Kind::Text, "Only those that provide this NIC tag")
                .flag("provides")
                .test(Test::Among("nic_tags_provided")),
            LIMIT,
            OFFSET,
        ])
        .examples("admin aggregations list\nadmin aggregations list lacp_mode=active");

/// GetAggregation.
pub static GET_AGGREGATION: Op =
    Op::get("GetAggregation", "get", "/aggregations/:aggregation", "Show a link aggregation").each().examples(
        "admin aggregations get 44454c4c-5a00-1060-8041-c7c04f595a33-aggr0\n\
         admin aggregations get 44454c4c-5a00-1060-8041-c7c04f595a33-aggr0 -o macs",
    );

const MACS: Field = body("macs", Kind::Texts, "Hardware address of a NIC of the server; may be repeated").flag("mac");
const LACP: Field = body("lacp_mode", Kind::OneOf(&["off", "active", "passive"]), "How the links are agreed upon");

/// CreateAggregation.
pub static CREATE_AGGREGATION: Op =
    Op::create("CreateAggregation", "create", "/aggregations", "Join NICs of a server to one link")
        .making(&AGGREGATION)
        .fields(&[
            body("name", Kind::Text, "Name, which ends in a number").positional(),
            Field { required: true, ..MACS },
            LACP,
            PROVIDES,
        ])
        .examples(
            "admin aggregations create aggr1 --mac 00:25:90:aa:01:03 --mac 00:25:90:aa:01:04\n\
             admin aggregations create aggr1 --mac 00:25:90:aa:01:03 --dry-run",
        );

/// UpdateAggregation.
pub static UPDATE_AGGREGATION: Op =
    Op::put("UpdateAggregation", "update", "/aggregations/:aggregation", "Change a link aggregation")
        .long("A list that is given replaces the one that is there.")
        .fields(&[LACP, MACS, PROVIDES, field::IF_MATCH])
        .replaces(&["nic_tags_provided"])
        .assigns()
        .examples(
            "admin aggregations update 44454c4c-5a00-1060-8041-c7c04f595a33-aggr0 lacp_mode=active\n\
             admin aggregations update 44454c4c-5a00-1060-8041-c7c04f595a33-aggr0 lacp_mode=off",
        );

/// DeleteAggregation.
pub static DELETE_AGGREGATION: Op =
    Op::delete("DeleteAggregation", "delete", "/aggregations/:aggregation", "Delete a link aggregation")
        .each()
        .examples(
            "admin aggregations delete 44454c4c-5a00-1060-8041-c7c04f595a33-aggr0\n\
         admin aggregations delete 44454c4c-5a00-1060-8041-c7c04f595a33-aggr0 --dry-run",
        );

/// `sdc admin aggregations`.
pub static AGGREGATIONS: Resource = Resource {
    name: "aggregations",
    aliases: &["aggregation"],
    about: "Link aggregations of servers (NAPI)",
    columns: &[
        column("id").always().stays(),
        column("name").always().stays(),
        column("belongs_to_uuid").always().long(),
        column("lacp_mode").always(),
        column("macs").always_many(),
        column("nic_tags_provided").long(),
    ],
    ops: &[&LIST_AGGREGATIONS, &GET_AGGREGATION, &CREATE_AGGREGATION, &UPDATE_AGGREGATION, &DELETE_AGGREGATION],
};
